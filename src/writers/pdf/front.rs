//! The front matter: whose conversation it is, what the document holds, where it comes from, and what it does not hold.
//!
//! It is laid out twice: when the document begins, for the number of its pages, and when it ends, with what is known
//! then. So whatever is known at the end only stands on lines and in cells whose heights do not depend on it.

use std::io;
use std::sync::Arc;

use crate::model::Conversation;
use crate::pipeline::RowCounts;
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
use super::link;
use super::metadata::About;
use super::page::{Block, Color, Item, Role, Row, Target};
use super::parts::Neighbors;
use super::shape::{Rectangle, Shape};
use super::style::Style;
use super::tags::Tag;

/// Where values begin, beside their labels.
const VALUES: f32 = 96.0;
const TEXT: f32 = 9.0;
const CAPTION: f32 = 7.5;
/// Cells beside each other.
const COLUMNS: usize = 4;
const CELL: f32 = 29.0;
/// Wider than any line.
const UNBOUNDED: f32 = 10_000.0;

/// What is known at the end only.
#[derive(Default)]
pub struct Outcome<'a> {
    pub contents: Contents,
    pub services: &'a [String],
    /// What became of the conversation's rows, where all of them are known.
    pub rows: Option<RowCounts>,
    /// Where the document stands among others of the conversation.
    pub part: Option<&'a Neighbors>,
    /// Whether the source's hashes can be waited for.
    pub is_final: bool,
}

/// Makes the front matter.
pub struct Front<'a> {
    pub conversation: &'a Conversation,
    pub options: &'a WriterOptions,
    pub engine: &'a mut Engine,
    style: Style,
    blocks: Vec<Block>,
}

/// How many pages the front matter takes, whatever the outcome.
pub fn pages(
    conversation: &Conversation,
    options: &WriterOptions,
    part: Option<&Neighbors>,
    engine: &mut Engine,
) -> io::Result<u32> {
    let about = About { title: String::new(), tool: String::new(), period: None, archival: true };
    let mut counted =
        Document::new(io::sink(), about, Style::new(options.pdf), Arc::new(Blank), Arc::new(|work| work()))?;
    let mut bare = |_: PageEnd| Furniture::default();
    for block in Front::new(conversation, options, engine).blocks(&Outcome { part, ..Outcome::default() }) {
        counted.place(block, &mut bare)?;
    }
    counted.turn_to_front(&mut bare)?;
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
    pub fn new(
        conversation: &'a Conversation,
        options: &'a WriterOptions,
        engine: &'a mut Engine,
    ) -> Front<'a> {
        Front { conversation, options, engine, style: Style::new(options.pdf), blocks: Vec::new() }
    }

    /// All of it. The height does not depend on the outcome.
    pub fn blocks(mut self, outcome: &Outcome<'_>) -> Vec<Block> {
        self.title(outcome);
        if let Some(part) = outcome.part {
            self.part(part);
        }
        let chart = chart(&outcome.contents.months, &self.style, self.engine);
        self.heading("Messages by month");
        self.blocks.push(chart);
        self.people();
        self.heading("What this document holds");
        self.cells(&phrase::HELD, &outcome.contents);
        self.heading("Attachments that are not beside it");
        self.cells(&phrase::ABSENT, &outcome.contents);
        self.heading("Every row of this conversation, accounted for");
        self.account(outcome.rows.as_ref());
        let provenance = self.options.provenance.clone();
        let origin = self.blocks.len();
        self.heading("Where it comes from");
        if let Some(provenance) = &provenance {
            self.origin(provenance, outcome.is_final);
        }
        self.making(provenance.as_deref(), &outcome.contents);
        // Where many take part, it goes to the next page as a whole.
        if let Some((_, all_but_last)) = self.blocks.get_mut(origin..).and_then(<[Block]>::split_last_mut) {
            all_but_last.iter_mut().for_each(|block| block.keep_with_next = true);
        }
        for block in &mut self.blocks {
            block.begins.get_or_insert(Role::Paragraph);
        }
        self.blocks
    }

    fn title(&mut self, outcome: &Outcome<'_>) {
        let mut kind = phrase::conversation_kind(self.conversation).to_owned();
        if !outcome.services.is_empty() {
            let services: Vec<_> = outcome.services.iter().map(|stored| phrase::service(stored)).collect();
            kind = format!("{kind} · {}", services.join(", "));
        }
        self.late_line(&kind, QUIET, TEXT, 0.0);
        let ink = Ink { bold: true, ..Ink::default() };
        let title = phrase::one_line(&self.conversation.title);
        let lines = self.engine.plain(&title, ink, Measure { size: 26.0, width: self.style.measure() });
        let (rows, begins) = (lines.into_rows(self.style.side), Some(Role::Title));
        self.blocks.push(Block { before: 2.0, rows, begins, ..Block::default() });
        let held = outcome.contents.messages;
        let count = format!("{} {}", phrase::grouped(held), if held == 1 { "message" } else { "messages" });
        let words = format!("{}  ·  {count}", phrase::period(&outcome.contents));
        self.late_line(&words, Ink::default(), 11.0, 4.0);
    }

    /// The documents before and after this one.
    fn part(&mut self, part: &Neighbors) {
        self.heading(&phrase::part(&part.label));
        for (label, name) in [("Before it", &part.before), ("After it", &part.after)] {
            let uri = name.as_deref().and_then(link::relative);
            let color = if uri.is_some() { Color::Link } else { Color::Quiet };
            let text = name.as_deref().unwrap_or("none");
            let line =
                self.fitted(text, Ink { color, ..Ink::default() }, TEXT, self.style.measure() - VALUES);
            let x = self.style.side + VALUES;
            let at = Rectangle { x, y: 0.0, width: line.width, height: TEXT * 1.4 };
            let mut row = fixed(line, TEXT, x);
            row.items.extend(uri.map(|uri| Item::Link { at, target: Target::Uri(uri) }));
            let label = self.engine.label(label, QUIET, TEXT, VALUES - 8.0);
            row.items.extend(fixed(label, TEXT, self.style.side).items);
            self.blocks.push(Block { before: 1.5, rows: vec![row], ..Block::default() });
        }
    }

    /// A line whose text may be another one in the end.
    fn late_line(&mut self, text: &str, ink: Ink, size: f32, before: f32) {
        let line = self.engine.label(text, ink, size, self.style.measure());
        let rows = vec![fixed(line, size, self.style.side)];
        self.blocks.push(Block { before, rows, ..Block::default() });
    }

    fn heading(&mut self, words: &str) {
        let line = self.engine.label(words, Ink { bold: true, ..QUIET }, 8.5, self.style.measure());
        let mut row = line.into_row(self.style.side);
        row.items.iter_mut().for_each(|item| item.shift(0.0, 7.0));
        row.height += 8.0;
        let (x, width) = (self.style.side, self.style.measure());
        let rule = Rectangle { x, y: 0.0, width, height: 0.5 };
        row.items.push(Item::Shape(Shape::bar(rule, Color::Hairline)));
        let begins = Some(Role::Heading);
        self.blocks.push(Block {
            before: 10.0,
            rows: vec![row],
            keep_with_next: true,
            begins,
            ..Block::default()
        });
    }

    fn people(&mut self) {
        self.heading("Who takes part");
        for person in &self.conversation.participants {
            let name = phrase::one_line(person.label());
            let handles = match &person.name {
                Some(_) => phrase::one_line(&person.handles.join(", ")).into_owned(),
                None => String::new(),
            };
            self.fact(&name, Ink::default(), &handles, QUIET, self.style.measure() * 0.38);
        }
        let me = phrase::one_line(&self.options.me).into_owned();
        self.fact(&me, Ink::default(), "the owner of this library", QUIET, self.style.measure() * 0.38);
    }

    /// Numbers with what they are numbers of.
    fn cells(&mut self, things: &[(Thing, &str)], contents: &Contents) {
        let width = self.style.measure() / COLUMNS as f32;
        for (number, group) in things.chunks(COLUMNS).enumerate() {
            let mut row = Row { height: CELL, items: Vec::new() };
            for (at, (thing, caption)) in group.iter().enumerate() {
                let x = self.style.side + width * at as f32;
                self.cell(contents.counts[*thing], caption, x, width - 8.0, &mut row);
            }
            let before = if number == 0 { 0.0 } else { 2.0 };
            self.blocks.push(Block { before, rows: vec![row], ..Block::default() });
        }
    }

    /// A text on one line that is not cut: rather smaller. In a column of `width`.
    fn fitted(&mut self, text: &str, ink: Ink, size: f32, width: f32) -> Line {
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
        let value = self.fitted(&phrase::grouped(number), ink, 11.0, width);
        put(value, x, 12.0, row);
        let caption = self.fitted(caption, QUIET, CAPTION, width);
        put(caption, x, 23.0, row);
    }

    /// `read = messages + tapbacks + …`
    fn account(&mut self, rows: Option<&RowCounts>) {
        let Some(rows) = rows else {
            let line = self.fitted(phrase::ACCOUNT_ELSEWHERE, QUIET, TEXT, self.style.measure());
            let mut row = Row { height: CELL, items: Vec::new() };
            put(line, self.style.side, 12.0, &mut row);
            self.blocks.push(Block { rows: vec![row], ..Block::default() });
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
                put(sign, x - 11.0, 12.0, &mut row);
            }
            self.cell(number, caption, x, width - 12.0, &mut row);
        }
        self.blocks.push(Block { rows: vec![row], ..Block::default() });
    }

    fn origin(&mut self, provenance: &Provenance, is_final: bool) {
        let mut clock = Clock::new(self.options.zone);
        self.told("Source", &phrase::source_kind(provenance, &mut clock));
        let path = provenance.source.path.to_string_lossy().into_owned();
        self.told("Database", &phrase::one_line(&path));
        if let Some(version) = &provenance.source.schema_version {
            self.told("Database version", &phrase::one_line(version));
        }
        let digest = if is_final { phrase::digest(provenance) } else { Default::default() };
        self.late("SHA-256", &digest);
        if let Some(read_at) = provenance.read_at {
            self.told("Read", &phrase::moment(read_at, &mut clock));
        }
    }

    fn making(&mut self, provenance: Option<&Provenance>, contents: &Contents) {
        self.told("Made by", &self.options.tool.clone());
        if let Some(provenance) = provenance {
            let mut clock = Clock::new(self.options.zone);
            let selection = phrase::selection(&provenance.selection, &mut clock);
            for (number, sentence) in selection.iter().enumerate() {
                self.told(if number == 0 { "Selection" } else { "" }, sentence);
            }
            self.told("Attachments", phrase::attachment_mode(provenance.attachments));
        }
        let (first, last) = (contents.first.as_ref(), contents.last.as_ref());
        let [offsets, changes] = phrase::zone_rules(self.options.zone, first, last);
        let zone = format!("in {}: {offsets}", self.options.zone.name());
        self.late("All times", &[zone, changes]);
    }

    /// A label and what is known already.
    fn told(&mut self, label: &str, text: &str) {
        self.fact(label, QUIET, text, Ink::default(), VALUES);
    }

    fn fact(&mut self, label: &str, label_ink: Ink, text: &str, ink: Ink, indent: f32) {
        let lines =
            self.engine.plain(text, ink, Measure { size: TEXT, width: self.style.measure() - indent });
        let mut rows = lines.into_rows(self.style.side + indent);
        let label = self.engine.name(label, label_ink, Measure { size: TEXT, width: indent - 8.0 });
        let labels = Lines::clone(&label).into_rows(self.style.side);
        for (number, mut label) in labels.into_iter().enumerate() {
            match rows.get_mut(number) {
                Some(row) => row.items.splice(0..0, label.items.drain(..)).for_each(drop),
                None => rows.push(label),
            }
        }
        self.blocks.push(Block { before: 1.5, rows, ..Block::default() });
    }

    /// A label and lines that may be others in the end.
    fn late(&mut self, label: &str, lines: &[String]) {
        for (number, text) in lines.iter().enumerate() {
            let line = self.fitted(text, Ink::default(), TEXT, self.style.measure() - VALUES);
            let mut row = fixed(line, TEXT, self.style.side + VALUES);
            if number == 0 {
                let label = self.engine.label(label, QUIET, TEXT, VALUES - 8.0);
                row.items.extend(fixed(label, TEXT, self.style.side).items);
            }
            self.blocks.push(Block { before: 1.5, rows: vec![row], ..Block::default() });
        }
    }
}

/// A line as a row whose height is that of its size, whatever faces it needs.
fn fixed(line: Line, size: f32, x: f32) -> Row {
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
