//! What front matter is made of: headings, facts, numbers and where all of it comes from.
//!
//! It is laid out twice: before the pages behind it, for the number of its own, and at the end, with what is known
//! then. So whatever is known at the end only stands on lines and in cells whose heights do not depend on it.

use std::io;
use std::sync::Arc;

use crate::pipeline::RowCounts;
use crate::source::Custody;
use crate::writers::WriterOptions;
use crate::writers::clock::Clock;
use crate::writers::contents::{Contents, Thing};
use crate::writers::phrase;
use crate::writers::provenance::Provenance;

use super::blocks::QUIET;
use super::chart::chart;
use super::document::{Document, Furniture, PageEnd};
use super::encode::{Mark, PageEncoder};
use super::layout::{Engine, Ink, Line, Lines, Measure};
use super::metadata::About;
use super::page::{Block, Cell, Color, Item, Role, Row, TablePart};
use super::shape::{Rectangle, Shape};
use super::style::Style;
use super::tags::Tag;

/// Where values begin, beside their labels.
pub const VALUES: f32 = 96.0;
pub const TEXT: f32 = 9.0;
const CAPTION: f32 = 7.5;
/// Cells beside each other; or as many as there are, where that is one more.
const COLUMNS: usize = 4;
/// Between one of them and the next.
const BETWEEN: f32 = 8.0;
const CELL: f32 = 26.0;
/// Wider than any line.
const UNBOUNDED: f32 = 10_000.0;

/// Front matter as it grows.
pub struct Front<'a> {
    pub options: &'a WriterOptions,
    pub engine: &'a mut Engine,
    pub style: Style,
    pub blocks: Vec<Block>,
}

/// How many pages these blocks take, on which nothing else is.
pub fn pages(blocks: Vec<Block>, style: &Style) -> io::Result<u32> {
    let about = About { title: String::new(), tool: String::new(), period: None, archival: true };
    let mut counted = Document::new(io::sink(), about, *style, Arc::new(Blank), Arc::new(|work| work()))?;
    let mut bare = |_: PageEnd| Furniture::default();
    for block in blocks {
        counted.place(block, &mut bare)?;
    }
    counted.turn_page(&mut bare)?;
    Ok(counted.pages())
}

/// Draws nothing: pages are only counted.
struct Blank;

impl PageEncoder for Blank {
    fn encode(&self, _: &[(Tag, Mark)]) -> Vec<u8> {
        Vec::new()
    }
}

impl<'a> Front<'a> {
    pub fn new(options: &'a WriterOptions, engine: &'a mut Engine) -> Front<'a> {
        Front { options, engine, style: Style::new(options.pdf), blocks: Vec::new() }
    }

    /// The title, in as many lines as it needs, and what is known at the end: a line above it and one below. Of an archive
    /// that is shown as it was, the line above says so.
    pub fn title(&mut self, title: &str, above: &str, below: &str) {
        let then = self.options.provenance.as_ref().and_then(|provenance| provenance.as_of());
        let as_of = then.map(|then| phrase::as_of(then, &mut Clock::new(self.options.zone)));
        let above: Vec<&str> = std::iter::once(above).chain(as_of.as_deref()).collect();
        self.late_line(&above.join(" · "), QUIET, TEXT, 0.0);
        let ink = Ink { bold: true, ..Ink::default() };
        let lines = self.engine.plain(title, ink, Measure { size: 26.0, width: self.style.measure() });
        let (rows, begins) = (lines.into_rows(self.style.side), Some(Role::Title));
        self.blocks.push(Block { before: 2.0, rows, begins, ..Block::default() });
        self.late_line(below, Ink::default(), 11.0, 4.0);
    }

    /// What damage of an archive took of what would be in the document: nobody is to take it for complete.
    pub fn lost(&mut self, sentences: &[String]) {
        if sentences.is_empty() {
            return;
        }
        let text = format!("{}.", sentences.join(". "));
        let measure = Measure { size: TEXT, width: self.style.measure() };
        let rows = self.engine.plain(&text, Ink::default(), measure).into_rows(self.style.side);
        self.blocks.push(Block { before: 6.0, rows, begins: Some(Role::Paragraph), ..Block::default() });
    }

    pub fn months(&mut self, contents: &Contents) {
        let chart = chart(&contents.months, &self.style, self.engine);
        self.heading("Messages by month");
        self.blocks.push(chart);
    }

    /// What is held, and what of it is not beside the document.
    pub fn held(&mut self, heading: &str, contents: &Contents) {
        self.heading(heading);
        self.cells(&phrase::HELD, contents);
        if self.options.provenance.as_ref().is_some_and(|provenance| provenance.source.has_archive()) {
            self.heading(phrase::GONE);
            self.cells(&phrase::gone_why(&contents.counts), contents);
        }
        self.heading("Attachments that are not beside it");
        self.cells(&phrase::ABSENT, contents);
    }

    /// Where all of it comes from, and how it was made; of a document of a few pages together on one.
    pub fn provenance(&mut self, contents: &Contents, is_final: bool) {
        let provenance = self.options.provenance.clone();
        let origin = self.blocks.len();
        self.heading("Where it comes from");
        if let Some(provenance) = &provenance {
            self.origin(provenance, is_final);
        }
        self.making(provenance.as_deref(), contents);
        // Where many take part, it goes to the next page as a whole.
        if let Some((_, all_but_last)) = self.blocks.get_mut(origin..).and_then(<[Block]>::split_last_mut) {
            all_but_last.iter_mut().for_each(|block| block.keep_with_next = true);
        }
    }

    /// A line whose text may be another one in the end.
    fn late_line(&mut self, text: &str, ink: Ink, size: f32, before: f32) {
        let line = self.engine.label(text, ink, size, self.style.measure());
        let (rows, begins) = (vec![fixed(line, size, self.style.side)], Some(Role::Paragraph));
        self.blocks.push(Block { before, rows, begins, ..Block::default() });
    }

    pub fn heading(&mut self, words: &str) {
        let line = self.engine.label(words, Ink { bold: true, ..QUIET }, 8.5, self.style.measure());
        let mut row = line.into_row(self.style.side);
        row.items.iter_mut().for_each(|item| item.shift(0.0, 7.0));
        row.height += 8.0;
        let (x, width) = (self.style.side, self.style.measure());
        let rule = Rectangle { x, y: 0.0, width, height: 0.5 };
        row.items.push(Item::Shape(Shape::bar(rule, Color::Hairline)));
        let begins = Some(Role::Heading);
        self.blocks.push(Block {
            before: 7.0,
            rows: vec![row],
            keep_with_next: true,
            begins,
            ..Block::default()
        });
    }

    /// Numbers with what they are numbers of.
    fn cells(&mut self, things: &[(Thing, &str)], contents: &Contents) {
        let columns = if things.len() == COLUMNS + 1 { things.len() } else { COLUMNS };
        let widths = self.widths(things, columns);
        for (number, group) in things.chunks(columns).enumerate() {
            let mut row = Row { height: CELL, items: Vec::new() };
            let mut x = self.style.side;
            for ((thing, caption), width) in group.iter().zip(&widths) {
                self.cell(contents.counts[*thing], caption, x, width - BETWEEN, &mut row);
                x += width;
            }
            let before = if number == 0 { 0.0 } else { 2.0 };
            self.blocks.push(Block { before, rows: vec![row], ..Block::default() });
        }
    }

    /// Of columns, each as wide as the others; in a single row, where a caption needs more than that, by what each needs.
    fn widths(&mut self, things: &[(Thing, &str)], columns: usize) -> Vec<f32> {
        let measure = self.style.measure();
        let equal = measure / columns as f32;
        let needs: Vec<f32> = things
            .iter()
            .map(|(_, caption)| self.engine.label(caption, QUIET, CAPTION, UNBOUNDED).width + BETWEEN)
            .collect();
        if things.len() > columns || needs.iter().all(|need| *need <= equal) {
            return vec![equal; columns];
        }
        let all: f32 = needs.iter().sum();
        let spare = ((measure - all) / columns as f32).max(0.0);
        // Where there is too little for all of them, each has a little less.
        let share = (measure / all).min(1.0);
        needs.into_iter().map(|need| need * share + spare).collect()
    }

    /// A text on one line that is not cut: rather smaller. In a column of `width`.
    pub fn fitted(&mut self, text: &str, ink: Ink, size: f32, width: f32) -> Line {
        let whole = self.engine.label(text, ink, size, UNBOUNDED);
        match whole.width <= width {
            true => whole,
            false => self.engine.label(text, ink, size * width / whole.width, UNBOUNDED),
        }
    }

    fn cell(&mut self, number: u64, caption: &str, x: f32, width: f32, row: &mut Row) {
        let ink = Ink {
            bold: number > 0,
            color: if number > 0 { Color::Text } else { Color::Quiet },
            ..Ink::default()
        };
        // What it is a number of is said first, and stands below.
        row.items.extend([Item::Part(TablePart::Line), Cell::HEAD]);
        let caption = self.fitted(caption, QUIET, CAPTION, width);
        put(caption, x, 22.0, row);
        row.items.push(Cell::at(1));
        let value = self.fitted(&phrase::grouped(number), ink, 11.0, width);
        put(value, x, 12.0, row);
    }

    /// `read = messages + tapbacks + …`; `None` where it is not known.
    pub fn account(&mut self, heading: &str, rows: Option<&RowCounts>) {
        self.heading(heading);
        let Some(rows) = rows else {
            let line = self.fitted(phrase::ACCOUNT_ELSEWHERE, QUIET, TEXT, self.style.measure());
            let mut row = Row { height: CELL, items: Vec::new() };
            put(line, self.style.side, 12.0, &mut row);
            let begins = Some(Role::Paragraph);
            self.blocks.push(Block { rows: vec![row], begins, ..Block::default() });
            return;
        };
        let parts = phrase::account(rows);
        let width = self.style.measure() / parts.len() as f32;
        let mut row = Row { height: CELL, items: Vec::new() };
        for (at, (number, caption)) in parts.into_iter().enumerate() {
            let x = self.style.side + width * at as f32;
            let sign = match at {
                0 => None,
                1 => Some("="),
                _ => Some("+"),
            };
            if let Some(sign) = sign {
                let sign = self.engine.label(sign, QUIET, TEXT, 10.0);
                let mut drawn = Row::default();
                put(sign, x - 11.0, 12.0, &mut drawn);
                row.items.extend(drawn.items.into_iter().map(Item::into_ornament));
            }
            self.cell(number, caption, x, width - 12.0, &mut row);
        }
        self.blocks.push(Block { rows: vec![row], ..Block::default() });
    }

    fn origin(&mut self, provenance: &Provenance, is_final: bool) {
        let mut clock = Clock::new(self.options.zone);
        for source in std::iter::once(&provenance.source).chain(&provenance.source.with) {
            self.told("Source", &phrase::source_kind(source, &mut clock));
            self.told("Database", &phrase::one_line(&source.path.to_string_lossy()));
            if let Some(custody) = &source.custody {
                self.custody(custody, provenance.is_kept_up, &mut clock);
            }
            if let Some(version) = &source.schema_version {
                self.told("Database version", &phrase::one_line(version));
            }
            if let Some(setting) = source.keep_messages {
                self.told("Keep messages", &phrase::keep_messages(setting));
            }
        }
        if provenance.is_kept_up {
            self.told("Kept up", phrase::KEPT_UP);
        } else {
            let digest = if is_final { phrase::digest(provenance) } else { Default::default() };
            self.late("SHA-256", &digest);
        }
        if let Some(read_at) = provenance.read_at {
            self.told("Read", &phrase::moment(read_at, &mut clock));
        }
    }

    /// Where an archive has its messages from. A document that is kept up says only what does not change with every run.
    fn custody(&mut self, custody: &Custody, is_kept_up: bool, clock: &mut Clock) {
        if is_kept_up {
            return;
        }
        for (number, source) in phrase::fed(custody, clock).iter().enumerate() {
            self.told(if number == 0 { "Fed from" } else { "" }, source);
        }
        self.told("Fed in", &phrase::runs(custody, clock));
        if let Some(record) = &custody.record {
            self.late("Its last record", &phrase::latest_record(record));
        }
    }

    fn making(&mut self, provenance: Option<&Provenance>, contents: &Contents) {
        self.told("Made by", &self.options.tool.clone());
        if let Some(provenance) = provenance {
            let mut clock = Clock::new(self.options.zone);
            let selection = phrase::selection(&provenance.selection, provenance.as_of(), &mut clock);
            for (number, sentence) in selection.iter().enumerate() {
                self.told(if number == 0 { "Selection" } else { "" }, sentence);
            }
            self.told("Attachments", phrase::attachment_mode(provenance.attachments));
        }
        let (first, last) = (contents.first.as_ref(), contents.last.as_ref());
        let mut rules = phrase::zone_rules(self.options.zone, first, last);
        let name = self.options.zone.name();
        rules[0] = format!("in {name}: {}", rules[0]);
        self.late("All times", &rules);
    }

    /// A label and what is known already.
    pub fn told(&mut self, label: &str, text: &str) {
        self.fact(label, QUIET, text, Ink::default(), VALUES);
    }

    pub fn fact(&mut self, label: &str, label_ink: Ink, text: &str, ink: Ink, indent: f32) {
        let lines =
            self.engine.plain(text, ink, Measure { size: TEXT, width: self.style.measure() - indent });
        let mut rows = lines.into_rows(self.style.side + indent);
        let text_of_label = label;
        let label = self.engine.name(label, label_ink, Measure { size: TEXT, width: indent - 8.0 });
        let labels = Lines::clone(&label).into_rows(self.style.side);
        rows.resize_with(rows.len().max(labels.len()), Row::default);
        let mut labels = labels.into_iter();
        for (number, row) in rows.iter_mut().enumerate() {
            // A fact without a label goes on with the one above.
            let begins = number == 0 && !text_of_label.is_empty();
            let label = labels.next().filter(|_| !text_of_label.is_empty());
            let mut items: Vec<Item> = begins.then_some(Item::Part(TablePart::Line)).into_iter().collect();
            if let Some(label) = label {
                row.height = row.height.max(label.height);
                items.push(Cell::HEAD);
                items.extend(label.items);
            }
            items.push(Cell::at(1));
            row.items.splice(0..0, items);
        }
        self.blocks.push(Block { before: 0.5, rows, ..Block::default() });
    }

    /// A label and lines that may be others in the end.
    pub fn late(&mut self, label: &str, lines: &[String]) {
        for (number, text) in lines.iter().enumerate() {
            let line = self.fitted(text, Ink::default(), TEXT, self.style.measure() - VALUES);
            let mut row = fixed(line, TEXT, self.style.side + VALUES);
            row.items.insert(0, Cell::at(1));
            if number == 0 {
                let label = self.engine.label(label, QUIET, TEXT, VALUES - 8.0);
                let label = fixed(label, TEXT, self.style.side).items;
                row.items.splice(0..0, [Item::Part(TablePart::Line), Cell::HEAD].into_iter().chain(label));
            }
            self.blocks.push(Block { before: 0.5, rows: vec![row], ..Block::default() });
        }
    }
}

/// A line as a row whose height is that of its size, whatever faces it needs.
pub fn fixed(line: Line, size: f32, x: f32) -> Row {
    let mut row = Row { height: (size * 1.4).round(), items: Vec::new() };
    put(line, x, size * 1.05, &mut row);
    row
}

/// Puts a line's text on a baseline.
pub fn put(line: Line, x: f32, baseline: f32, row: &mut Row) {
    let shift = baseline - line.baseline;
    let mut items = line.into_row(x).items;
    items.iter_mut().for_each(|item| item.shift(0.0, shift));
    row.items.append(&mut items);
}
