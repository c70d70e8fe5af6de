//! The ordered half: laid-out messages become a document, with what depends on their neighbors: days, names, pages.

use std::io::{self, Write};

use crate::model::Conversation;
use crate::writers::WriterOptions;
use crate::writers::clock::Local;
use crate::writers::phrase;

use super::blocks::{Laid, QUIET, SMALL, Speaker};
use super::document::{Document, Furniture};
use super::layout::{Engine, Ink, Lines, Measure};
use super::page::{Block, Color, Item, Row, TextRun};
use super::places::Place;
use super::shape::{Rectangle, Shape};
use super::style::Style;

/// After a pause of so many seconds a name is shown again.
const PAUSE: i64 = 30 * 60;
/// Of a name above its bubbles, in characters; the title block has it in full.
const LONGEST_NAME: usize = 240;
const HEADER: f32 = 40.0;
/// Of the footer's baseline, from the page's bottom.
const FOOTER: f32 = 38.0;
/// Header and footer have one size, whatever the messages have.
const FURNITURE: f32 = 8.0;

/// Where one conversation's document stands.
pub struct Progress<W: Write> {
    document: Document<W>,
    style: Style,
    title: String,
    tool: String,
    last: Option<Local>,
    first: Option<Local>,
    seconds: Option<i64>,
    speaker: Option<Speaker>,
    service: Option<String>,
    /// A page, and the day of the first message that begins on it.
    page_day: Option<(u32, Local)>,
    /// The day of the message that is being placed.
    current: Option<Local>,
    messages: u64,
}

impl<W: Write> Progress<W> {
    /// Writes the title block.
    pub fn begin(
        document: Document<W>,
        conversation: &Conversation,
        options: &WriterOptions,
        engine: &mut Engine,
    ) -> io::Result<Progress<W>> {
        let mut progress = Progress {
            document,
            style: Style::new(options.pdf),
            title: phrase::one_line(&conversation.title).into_owned(),
            tool: options.tool.clone(),
            last: None,
            first: None,
            seconds: None,
            speaker: None,
            service: None,
            page_day: None,
            current: None,
            messages: 0,
        };
        for block in title_block(conversation, options, &progress.style, engine) {
            progress.place(block, engine)?;
        }
        Ok(progress)
    }

    fn place(&mut self, block: Block, engine: &mut Engine) -> io::Result<Option<Place>> {
        let (first, current) = (self.page_day, self.current);
        let Progress { document, style, title, tool, .. } = self;
        document.place(block, &mut |number| {
            let day = first.filter(|(page, _)| *page == number).map(|(_, day)| day).or(current);
            furniture(engine, style, title, tool, day, number)
        })
    }

    /// Adds the next message.
    pub fn message(&mut self, laid: Laid, engine: &mut Engine) -> io::Result<()> {
        self.messages += 1;
        self.current = laid.at.or(self.current);
        let new_day = match (&laid.at, &self.last) {
            (Some(at), Some(last)) => at.day_number() != last.day_number(),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let mut begins = Vec::new();
        if new_day && let Some(at) = &laid.at {
            begins.push(day_block(&phrase::day_heading(at), &self.style, engine));
        }
        let paused = match (laid.seconds, self.seconds) {
            (Some(now), Some(before)) => now.saturating_sub(before).abs() > PAUSE,
            _ => false,
        };
        let new_service = laid.service.is_some() && laid.service != self.service;
        let group = new_day || paused || new_service || laid.speaker != self.speaker;
        if group && let Some(speaker) = &laid.speaker {
            let service = laid.service.as_deref().filter(|_| new_service);
            begins.push(name_block(speaker, service, &self.style, engine));
        }
        if laid.service.is_some() && laid.speaker.is_some() {
            self.service = laid.service;
        }
        if laid.seconds.is_some() {
            self.seconds = laid.seconds;
        }
        let mut begin = None;
        let named = !begins.is_empty();
        for block in begins {
            begin = begin.or(self.place(block, engine)?);
        }
        for (number, mut block) in laid.blocks.into_iter().enumerate() {
            if number == 0 {
                block.before = match (named, &laid.speaker) {
                    (true, Some(_)) => 2.0,
                    (true, None) => 7.0,
                    (false, None) => 10.0,
                    // A quote belongs to what follows, and must not stand close to what was before.
                    (false, Some(_)) if block.keep_with_next => 8.0,
                    (false, Some(_)) => 3.5,
                };
            }
            let place = self.place(block, engine)?;
            if begin.is_none()
                && let Some(place) = place
            {
                begin = Some(place);
                if let Some(at) = laid.at.filter(|_| self.page_day.is_none_or(|(page, _)| page != place.page))
                {
                    self.page_day = Some((place.page, at));
                }
            }
        }
        self.speaker = laid.speaker;
        if let Some(place) = begin {
            if let Some(guid) = &laid.guid {
                self.document.places.insert(guid, place);
            }
            if let Some(at) = &laid.at {
                self.document.outline.visit(at.year, at.month, place);
            }
        }
        if laid.at.is_some() {
            self.first = self.first.or(laid.at);
            self.last = laid.at;
        }
        Ok(())
    }

    /// Writes the last lines and completes the document.
    pub fn finish(mut self, engine: &mut Engine) -> io::Result<W> {
        let count = phrase::count(self.messages, "message", "messages");
        let words = match (&self.first, &self.last) {
            (Some(first), Some(last)) if first.day_number() == last.day_number() => {
                format!("{count}, {}", phrase::short_date(first))
            }
            (Some(first), Some(last)) => {
                format!("{count}, {} to {}", phrase::short_date(first), phrase::short_date(last))
            }
            _ => count,
        };
        let width = self.style.measure();
        let lines = engine.plain(&words, QUIET, Measure { size: self.style.points(SMALL), width });
        let x = self.style.side + (width - lines.width) / 2.0;
        let rows = lines.into_rows(x);
        self.place(Block { before: 22.0, rows, ..Block::default() }, engine)?;
        self.document.about.period = self.first.zip(self.last);
        let Progress { document, style, title, tool, page_day, current, .. } = self;
        let count = footer_runs(engine, &style, &(document.page_number() + 1).to_string());
        let day = page_day.map(|(_, day)| day).or(current);
        document.finish(&mut |number| furniture(engine, &style, &title, &tool, day, number), count)
    }
}

/// A number for the form in the footer, on a baseline at the very top left.
fn footer_runs(engine: &mut Engine, style: &Style, text: &str) -> Vec<TextRun> {
    let line = engine.label(text, QUIET, FURNITURE, 200.0);
    let baseline = line.baseline;
    let runs = line.into_row(0.0).items.into_iter().filter_map(|item| match item {
        Item::Text(mut run) => {
            // The encoder counts from the page's top, the form from its own origin.
            run.y += style.page_height - baseline;
            Some(run)
        }
        _ => None,
    });
    runs.collect()
}

/// The running header and footer.
fn furniture(
    engine: &mut Engine,
    style: &Style,
    title: &str,
    tool: &str,
    day: Option<Local>,
    number: u32,
) -> Furniture {
    let (left, right, measure, footer) =
        (style.side, style.right(), style.measure(), style.page_height - FOOTER);
    let mut items = Vec::new();
    let put = |items: &mut Vec<Item>, line: super::layout::Line, x: f32, y: f32| {
        let baseline = line.baseline;
        let mut row = line.into_row(x);
        row.items.iter_mut().for_each(|item| item.shift(0.0, y - baseline));
        items.append(&mut row.items);
    };
    // The first page has the title itself.
    if number > 0 {
        let line = engine.label(title, QUIET, FURNITURE, measure * 0.6);
        put(&mut items, line, left, HEADER);
        if let Some(day) = day {
            let line = engine.label(&phrase::short_date(&day), QUIET, FURNITURE, measure * 0.35);
            let x = right - line.width;
            put(&mut items, line, x, HEADER);
        }
        let rule = Rectangle { x: left, y: HEADER + 7.0, width: measure, height: 0.5 };
        items.push(Item::Shape(Shape::bar(rule, Color::Hairline)));
    }
    let line = engine.label(tool, QUIET, FURNITURE, 200.0);
    let x = right - line.width;
    put(&mut items, line, x, footer);
    let text = format!("Page {} of ", number + 1);
    let lines = engine.plain(&text, QUIET, Measure { size: FURNITURE, width: 200.0 });
    let mut end = left;
    if let Some(line) = lines.lines.into_iter().next() {
        end += line.width;
        put(&mut items, line, left, footer);
    }
    Furniture { items, count_at: (end, footer) }
}

/// `Wednesday, 1 May 2024` between two hairlines.
fn day_block(words: &str, style: &Style, engine: &mut Engine) -> Block {
    let line = engine.label(words, Ink { bold: true, ..QUIET }, style.points(8.5), style.measure());
    let (width, height) = (line.width, line.height);
    let x = style.side + (style.measure() - width) / 2.0;
    let mut row = line.into_row(x);
    let side = (style.measure() - width) / 2.0 - 10.0;
    let y = height / 2.0;
    for x in [style.side, style.right() - side] {
        let rule = Rectangle { x, y, width: side, height: 0.5 };
        row.items.push(Item::Shape(Shape::bar(rule, Color::Hairline)));
    }
    Block { before: 16.0, rows: vec![row], keep_with_next: true, ..Block::default() }
}

/// Who speaks from here on, and over which service when that is new.
fn name_block(speaker: &Speaker, service: Option<&str>, style: &Style, engine: &mut Engine) -> Block {
    let bold = Ink { bold: true, ..QUIET };
    // In full where it can be: two names may differ at their ends only.
    let name = engine.name(
        &phrase::shortened(&speaker.name, LONGEST_NAME),
        bold,
        Measure { size: style.points(SMALL), width: style.box_width },
    );
    let service = service.map(|service| {
        let words = format!("· {}", phrase::one_line(service));
        engine.label(&words, QUIET, style.points(SMALL), style.points(100.0))
    });
    // Behind the name's last line.
    let (end, baseline) = name.lines.last().map_or((0.0, 0.0), |line| (line.width + 4.0, line.baseline));
    let width = name.width.max(service.as_ref().map_or(0.0, |service| end + service.width));
    let x = if speaker.from_me { style.lane_right() - width - 6.0 } else { style.side + 6.0 };
    let mut rows = Lines::clone(&name).into_rows(x);
    if let (Some(service), Some(row)) = (service, rows.last_mut()) {
        let shift = baseline - service.baseline;
        let mut items = service.into_row(x + end).items;
        items.iter_mut().for_each(|item| item.shift(0.0, shift));
        row.items.append(&mut items);
    }
    Block { before: 10.0, rows, keep_with_next: true, ..Block::default() }
}

/// The title, who takes part, and how times are to be read.
fn title_block(
    conversation: &Conversation,
    options: &WriterOptions,
    style: &Style,
    engine: &mut Engine,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut put = |before: f32, text: &str, ink: Ink, size: f32| {
        let lines = engine.plain(text, ink, Measure { size: style.points(size), width: style.measure() });
        blocks.push(Block { before, rows: lines.into_rows(style.side), ..Block::default() });
    };
    let title = phrase::one_line(&conversation.title);
    put(0.0, &title, Ink { bold: true, ..Ink::default() }, 22.0);
    let mut kind = phrase::conversation_kind(conversation).to_owned();
    if !conversation.services.is_empty() {
        kind = format!("{kind} · {}", phrase::one_line(&conversation.services.join(", ")));
    }
    put(2.0, &kind, QUIET, 9.5);
    let people = conversation.participants.iter().map(phrase::participant);
    for person in people.chain([phrase::one_line(&options.me).into_owned()]) {
        put(if person.is_empty() { 0.0 } else { 3.0 }, &person, Ink::default(), 9.5);
    }
    put(6.0, &format!("Times are shown in {}", options.zone.name()), QUIET, 8.5);
    let rule = Rectangle { x: style.side, y: 0.0, width: style.measure(), height: 0.8 };
    let rule = Item::Shape(Shape::bar(rule, Color::Hairline));
    blocks.push(Block {
        before: 8.0,
        rows: vec![Row { height: 1.0, items: vec![rule] }],
        ..Block::default()
    });
    blocks
}
