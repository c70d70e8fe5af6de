//! A page of figures with bars: what Messages takes in iCloud.
//!
//! What bars show is said in figures beside them: to who listens they are decoration, and the page is tables.

use std::io::{self, Write};
use std::sync::Arc;

use crate::writers::WriterOptions;
use crate::writers::contents::Contents;
use crate::writers::storage::sheet::{Bar, Chart, Sheet};

use super::blocks::QUIET;
use super::document::Document;
use super::encode::PrintpdfEncoder;
use super::ending::Ending;
use super::fonts::FontSet;
use super::front::{Front, put};
use super::furniture::Running;
use super::layout::{Engine, Ink, Measure};
use super::metadata::About;
use super::page::{Block, Cell, Color, Item, Role, Row, TablePart, Target};
use super::shape::{Rectangle, Shape};
use super::style::Style;
use super::tags::{Depth, Reading};

/// Of figures, and of what they rest on.
const TEXT: f32 = 8.5;
const SMALL: f32 = 6.8;
const LINE: f32 = 11.5;
/// Of a line, above its baseline.
const BASELINE: f32 = 9.0;
const BAR: f32 = 6.5;
/// Of the width of a table: names, and bars beside them.
const NAMES: f32 = 0.42;
const BARS: f32 = 0.21;
/// Between two tables beside each other.
const MIDDLE: f32 = 18.0;
/// Between columns.
const GAP: f32 = 8.0;
/// The years' columns.
const COLUMNS: f32 = 46.0;
/// What is certain, and what may be.
const CERTAIN: Color = Color::Link;
const POSSIBLE: Color = Color::Accent;
/// What is there is seen.
const LEAST: f32 = 0.8;
/// Right edges of the columns of a table, of the width.
const SIX: [f32; 6] = [0.0, 0.34, 0.48, 0.62, 0.84, 1.0];

/// Writes the page, and further ones where it has more than one can hold.
///
/// # Errors
/// What writing said; a font that cannot be used.
pub fn write(sheet: &Sheet, options: &WriterOptions, to: &mut dyn Write) -> io::Result<()> {
    let fonts = FontSet::new(&options.font_dirs, options.system_fonts, true).map_err(io::Error::other)?;
    let mut engine = Engine::new(Arc::new(fonts));
    let style = Style::new(options.pdf);
    let title = sheet.title.to_owned();
    let about = About { title: title.clone(), tool: sheet.tool.clone(), period: None, archival: true };
    let spawn = Arc::new(|work: Box<dyn FnOnce() + Send>| work());
    let mut document = Document::new(to, about, style, Arc::new(PrintpdfEncoder { style }), spawn)?;
    document.begin_section(Depth::Document, Reading::InOrder)?;
    let running = Running::new(title, options, None);
    let blocks = blocks(sheet, options, &mut engine);
    for block in blocks {
        document.place(block, &mut |end| running.on(end.number, "", &mut engine))?;
    }
    document.turn_page(&mut |end| running.on(end.number, "", &mut engine))?;
    let ending = Ending::new(sheet.title, None, options);
    let complete = ending.finish(document, &Contents::default(), &mut engine)?;
    complete.out.flush()
}

fn blocks(sheet: &Sheet, options: &WriterOptions, engine: &mut Engine) -> Vec<Block> {
    let mut front = Front::new(options, engine);
    front.paragraph(&sheet.source, QUIET, TEXT, 0.0);
    front.paragraph(sheet.title, Ink { bold: true, ..Ink::default() }, 20.0, 1.0);
    if let Some(title) = front.blocks.last_mut() {
        title.begins = Some(Role::Title);
    }
    front.paragraph(&sheet.verdict, Ink { bold: true, ..Ink::default() }, 10.5, 5.0);
    for remark in &sheet.remarks {
        front.paragraph(remark, Ink::default(), TEXT, 2.0);
    }
    front.key();
    front.beside([Half::of(&sheet.categories), Half::of(&sheet.conversations)]);
    front.columns_of(&sheet.years);
    let plans = sheet.plans.iter().map(|(plan, share)| Fact { name: plan, value: share, bar: None });
    front.beside([Half::of(&sheet.places), Half { title: "Share of a plan", facts: plans.collect() }]);
    front.keep(sheet);
    front.largest(sheet);
    front.heading("What this rests on");
    front.paragraph(&sheet.rests_on.join(" "), QUIET, SMALL, 0.0);
    front.blocks
}

impl Front<'_> {
    fn paragraph(&mut self, text: &str, ink: Ink, size: f32, before: f32) {
        let lines = self.engine.plain(text, ink, Measure { size, width: self.style.measure() });
        let (rows, begins) = (lines.into_rows(self.style.side), Some(Role::Paragraph));
        self.blocks.push(Block { before, rows, begins, ..Block::default() });
    }

    /// A text at a place of a line; `at` is where it begins, or where it ends.
    fn text(&mut self, text: &str, ink: Ink, at: At, width: f32, row: &mut Row) {
        let line = self.engine.label(text, ink, TEXT, width);
        let x = match at {
            At::Left(x) => x,
            At::Right(x) => x - line.width,
        };
        put(line, x, BASELINE, row);
    }

    /// What the colors of bars mean.
    fn key(&mut self) {
        let mut row = Row { height: LINE, items: Vec::new() };
        let mut x = self.style.side;
        for (color, words) in [(CERTAIN, "at least"), (POSSIBLE, "at most")] {
            let at = Rectangle { x, y: BASELINE - BAR, width: BAR, height: BAR };
            row.items.push(Item::Shape(Shape::bar(at, color)));
            self.text(words, QUIET, At::Left(x + BAR + 4.0), 80.0, &mut row);
            x += 64.0;
        }
        let begins = Some(Role::Paragraph);
        self.blocks.push(Block { before: 4.0, rows: vec![row], begins, ..Block::default() });
    }

    /// Two tables beside each other: names, bars, what they say.
    fn beside(&mut self, halves: [Half<'_>; 2]) {
        let width = (self.style.measure() - MIDDLE) / 2.0;
        let xs = [self.style.side, self.style.side + width + MIDDLE];
        self.headings(halves.each_ref().map(|half| half.title), xs, width);
        let lines = halves.iter().map(|half| half.facts.len()).max().unwrap_or(0);
        for number in 0..lines {
            let mut row = Row { height: LINE, items: vec![Item::Part(TablePart::Line)] };
            for ((half, x), column) in halves.iter().zip(xs).zip([0_u8, 2]) {
                row.items.push(if column == 0 { Cell::HEAD } else { Cell::at(column) });
                let Some(fact) = half.facts.get(number) else { continue };
                self.text(fact.name, Ink::default(), At::Left(x), width * NAMES - GAP, &mut row);
                row.items.push(Cell::at(column + 1));
                let value = self.fitted(fact.value, Ink::default(), TEXT, width * (1.0 - NAMES - BARS) - GAP);
                let end = x + width - value.width;
                put(value, end, BASELINE, &mut row);
                for (from, to, color) in fact.bar.map(parts).into_iter().flatten() {
                    let room = width * BARS;
                    let (x, width) = (x + width * NAMES + from * room, (to - from) * room);
                    let at = Rectangle { x, y: BASELINE - BAR, width, height: BAR };
                    row.items.push(Item::Shape(Shape::bar(at, color)));
                }
            }
            self.blocks.push(Block { rows: vec![row], ..Block::default() });
        }
    }

    /// Headings beside each other, each with a rule above.
    fn headings(&mut self, titles: [&str; 2], xs: [f32; 2], width: f32) {
        let mut row = Row { height: 20.0, items: Vec::new() };
        for (title, x) in titles.into_iter().zip(xs) {
            let line = self.engine.label(title, Ink { bold: true, ..QUIET }, TEXT, width);
            put(line, x, 15.0, &mut row);
            let rule = Rectangle { x, y: 0.0, width, height: 0.5 };
            row.items.push(Item::Shape(Shape::bar(rule, Color::Hairline)));
        }
        let begins = Some(Role::Heading);
        self.blocks.push(Block {
            before: 8.0,
            rows: vec![row],
            keep_with_next: true,
            begins,
            ..Block::default()
        });
    }

    /// Columns beside one another, with a name and a range below each.
    fn columns_of(&mut self, chart: &Chart) {
        if chart.bars.is_empty() {
            return;
        }
        self.heading(chart.title);
        let (left, measure) = (self.style.side, self.style.measure());
        let words: Vec<String> =
            chart.bars.iter().map(|bar| format!("{}: {}", bar.name, bar.range)).collect();
        let figure = Item::Figure(format!("{}. {}.", chart.title, words.join("; ")));
        let mut row = Row { height: COLUMNS + 21.0, items: vec![figure] };
        let ground = Rectangle { x: left, y: COLUMNS + 1.0, width: measure, height: 0.5 };
        row.items.push(Item::Shape(Shape::bar(ground, Color::Hairline)));
        let mut labels = Row::default();
        let step = measure / chart.bars.len() as f32;
        let width = (step * 0.7).min(30.0);
        for (bar, number) in chart.bars.iter().zip(0_u16..) {
            let middle = left + step * (f32::from(number) + 0.5);
            for (from, to, color) in parts(bar) {
                let height = (to - from) * COLUMNS;
                let y = COLUMNS + 1.0 - to * COLUMNS;
                let at = Rectangle { x: middle - width / 2.0, y, width, height };
                row.items.push(Item::Shape(Shape::bar(at, color)));
            }
            for (text, baseline) in [(bar.name.as_str(), 10.0), (bar.most.as_str(), 18.0)] {
                let label = self.fitted(text, QUIET, SMALL, step - 2.0);
                let x = middle - label.width / 2.0;
                put(label, x, COLUMNS + baseline, &mut labels);
            }
        }
        row.items.extend(labels.items.into_iter().map(Item::into_ornament));
        self.blocks.push(Block { rows: vec![row], begins: Some(Role::Paragraph), ..Block::default() });
    }

    /// A line of a table; the first cell at the left, the others end at their columns.
    fn figures(&mut self, cells: &[&str], ink: Ink, caption: bool) {
        let (left, measure) = (self.style.side, self.style.measure());
        let mut row = Row { height: LINE, items: vec![Item::Part(TablePart::Line)] };
        for ((text, edge), column) in cells.iter().zip(SIX).zip(0_u8..) {
            row.items.push(match (caption, column) {
                (true, column) => Cell::caption(column),
                (false, 0) => Cell::HEAD,
                (false, column) => Cell::at(column),
            });
            match column {
                0 => self.text(text, ink, At::Left(left), measure * 0.2, &mut row),
                _ => self.text(text, ink, At::Right(left + measure * edge), measure * 0.18, &mut row),
            }
        }
        self.blocks.push(Block { rows: vec![row], keep_with_next: caption, ..Block::default() });
    }

    fn keep(&mut self, sheet: &Sheet) {
        self.heading("What Keep Messages would remove");
        let archived = if sheet.has_archive { "Not archived" } else { "" };
        self.figures(
            &["Keep Messages", "Messages", "Attachments", "Size", "Oldest kept", archived],
            QUIET,
            true,
        );
        for kept in &sheet.keep {
            let cells = [
                kept.setting,
                &kept.messages,
                &kept.attachments,
                &kept.size,
                &kept.oldest,
                &kept.not_archived,
            ];
            self.figures(&cells, Ink::default(), false);
        }
    }

    fn largest(&mut self, sheet: &Sheet) {
        if sheet.largest.is_empty() {
            return;
        }
        self.heading("The largest attachments");
        let (left, measure) = (self.style.side, self.style.measure());
        for item in &sheet.largest {
            let mut row = Row { height: LINE, items: vec![Item::Part(TablePart::Line), Cell::HEAD] };
            let color = if item.link.is_some() { Color::Link } else { Color::Text };
            let names = measure * 0.4;
            self.text(&item.name, Ink { color, ..Ink::default() }, At::Left(left), names - GAP, &mut row);
            row.items.push(Cell::at(1));
            let about = format!("{} · {} · {}", item.conversation, item.date, item.place);
            let about = about.trim_start_matches(" · ");
            self.text(about, QUIET, At::Left(left + names), measure * 0.45, &mut row);
            row.items.push(Cell::at(2));
            self.text(&item.size, Ink::default(), At::Right(left + measure), measure * 0.14, &mut row);
            if let Some(link) = &item.link {
                let at = Rectangle { x: left, y: 0.0, width: names - GAP, height: LINE };
                row.items.push(Item::Link { at, target: Target::Uri(link.clone()) });
            }
            self.blocks.push(Block { rows: vec![row], ..Block::default() });
        }
    }
}

/// One of two tables.
struct Half<'s> {
    title: &'s str,
    facts: Vec<Fact<'s>>,
}

/// A line of it.
struct Fact<'s> {
    name: &'s str,
    value: &'s str,
    bar: Option<&'s Bar>,
}

impl<'s> Half<'s> {
    fn of(chart: &'s Chart) -> Half<'s> {
        let fact = |bar: &'s Bar| Fact { name: &bar.name, value: &bar.range, bar: Some(bar) };
        Half { title: chart.title, facts: chart.bars.iter().map(fact).collect() }
    }
}

/// Where a text stands.
#[derive(Clone, Copy)]
enum At {
    Left(f32),
    Right(f32),
}

/// What is certain, and what may be: from where to where, of all the room.
fn parts(bar: &Bar) -> Vec<(f32, f32, Color)> {
    let least = LEAST / 100.0;
    let (low, high) = (bar.low as f32, bar.high as f32);
    let low = if low > 0.0 { low.max(least) } else { 0.0 };
    let high = if high > 0.0 { high.max(least) } else { 0.0 };
    let mut parts = Vec::new();
    if low > 0.0 {
        parts.push((0.0, low, CERTAIN));
    }
    if high > low {
        parts.push((low, high, POSSIBLE));
    }
    parts
}
