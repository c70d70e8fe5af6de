//! The ordered half: laid-out messages become a conversation's pages, with what depends on their neighbors: days, names,
//! pages.
//!
//! **Must never**: know whether the document holds other conversations, too.

use std::io::{self, Write};

use crate::model::{Conversation, ConversationKind};
use crate::pipeline::RowCounts;
use crate::writers::WriterOptions;
use crate::writers::clock::{Clock, Local};
use crate::writers::contents::Contents;
use crate::writers::phrase;

use super::blocks::{Laid, QUIET, SMALL};
use super::cover::{self, Outcome};
use super::document::Document;
use super::front;
use super::furniture::Running;
use super::index::Entry;
use super::layout::{Engine, Ink, Measure};
use super::link;
use super::options::Bates;
use super::page::{Block, Color, Item, Role, Row, Target};
use super::pages::Free;
use super::parts::Neighbors;
use super::places::Place;
use super::shape::{Rectangle, Shape};
use super::style::Style;
use super::turn::{Before, Turn, continued, initials, separators};

/// How a conversation looks.
pub fn style_of(conversation: &Conversation, options: &WriterOptions) -> Style {
    let style = Style::new(options.pdf);
    match conversation.kind {
        ConversationKind::Direct => style,
        ConversationKind::Group | ConversationKind::Orphaned => style.for_group(),
    }
}

/// What is asked of a conversation's pages.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub conversation: &'a Conversation,
    pub options: &'a WriterOptions,
    /// What every page says whose it is.
    pub title: String,
    /// The number of the document's first page.
    pub bates: Option<Bates>,
    /// Where the document stands among others of the conversation.
    pub part: Option<Neighbors>,
    /// The cover says where all of it comes from; else that of the whole document does.
    pub says_origin: bool,
}

/// A conversation's pages in the making.
pub struct Chapter {
    style: Style,
    running: Running,
    /// For the cover.
    free: Option<Free>,
    /// The last message, and what is new with it.
    waiting: Option<(Laid, Turn)>,
    before: Before,
    /// A page, and the days of the first and last message on it.
    on_page: Option<(u32, Local, Local)>,
    /// The day of the message that is being placed.
    current: Option<Local>,
    contents: Contents,
    index: Vec<(Entry, Place)>,
}

/// What is known of a conversation once its pages are complete.
pub struct Written {
    pub contents: Contents,
    pub index: Vec<(Entry, Place)>,
}

impl Chapter {
    /// Writes the title block, or leaves room for a cover. A page of the document begins.
    pub fn begin<W: Write>(
        document: &mut Document<W>,
        plan: &Plan<'_>,
        engine: &mut Engine,
    ) -> io::Result<Chapter> {
        let Plan { conversation, options, part, .. } = plan;
        let mut chapter = Chapter {
            style: style_of(conversation, options),
            running: Running::new(plan.title.clone(), options, plan.bates.clone()),
            free: None,
            waiting: None,
            before: Before::default(),
            on_page: None,
            current: None,
            contents: Contents::default(),
            index: Vec::new(),
        };
        if options.document.cover {
            let blocks = cover::blocks(plan, &Outcome::default(), engine);
            let pages = front::pages(blocks, &Style::new(options.pdf))?;
            chapter.free = Some(document.leave_free(pages));
        } else {
            for block in title_block(conversation, options, &chapter.style, engine) {
                chapter.place(document, block, engine)?;
            }
            if let Some(before) = part.as_ref().and_then(|part| part.before.as_deref()) {
                let block = neighbor(&phrase::continues(before), before, &chapter.style, engine);
                chapter.place(document, block, engine)?;
            }
        }
        Ok(chapter)
    }

    fn place<W: Write>(
        &mut self,
        document: &mut Document<W>,
        block: Block,
        engine: &mut Engine,
    ) -> io::Result<Option<Place>> {
        let Chapter { running, on_page, current, .. } = self;
        let place = document.place(block, &mut |end| {
            let placed = on_page.filter(|(on, ..)| *on == end.number).map(|(_, first, last)| (first, last));
            // What is placed now is on this page too, where it is divided; and alone on it, where it is long.
            let days = match (placed, *current) {
                (Some((first, _)), Some(last)) if end.divides => Some((first, last)),
                (placed, current) => placed.or(current.map(|day| (day, day))),
            };
            running.on(end.number, &in_words(days), engine)
        })?;
        if place.is_some()
            && let Some(day) = self.current
        {
            let page = document.page_number();
            let first = self.on_page.filter(|(on, ..)| *on == page).map_or(day, |(_, first, _)| first);
            self.on_page = Some((page, first, day));
        }
        Ok(place)
    }

    /// Adds the next message. It is placed when the one after it is known: only then it is clear whether somebody has
    /// done speaking.
    pub fn message<W: Write>(
        &mut self,
        document: &mut Document<W>,
        laid: Laid,
        engine: &mut Engine,
    ) -> io::Result<()> {
        let turn = self.before.turn(&laid);
        match self.waiting.replace((laid, turn)) {
            Some((laid, begins)) => self.add(document, laid, begins, turn.any(), engine),
            None => Ok(()),
        }
    }

    /// Places a message that begins with something new, and with which somebody may have done speaking.
    fn add<W: Write>(
        &mut self,
        document: &mut Document<W>,
        mut laid: Laid,
        begins: Turn,
        ends: bool,
        engine: &mut Engine,
    ) -> io::Result<()> {
        self.contents.add(laid.at.as_ref(), &laid.counts);
        self.current = laid.at.or(self.current);
        if ends {
            initials(&mut laid, &self.style, engine);
        }
        continued(&mut laid, &self.style, engine);
        let separators = separators(&mut laid, begins, &self.style, engine);
        let mut begin = None;
        let named = !separators.is_empty();
        let spoken = separators.iter().any(|block| block.begins == Some(Role::Paragraph));
        for block in separators {
            begin = begin.or(self.place(document, block, engine)?);
        }
        for (number, mut block) in laid.blocks.into_iter().enumerate() {
            if number == 0 {
                // The name above belongs to the message, the day does not.
                block.begins = (!spoken).then_some(Role::Paragraph);
                block.before = self.style.gap(match (named, &laid.speaker) {
                    (true, Some(_)) => 2.0,
                    (true, None) => 7.0,
                    (false, None) => 10.0,
                    // A quote belongs to what follows, and must not stand close to what was before.
                    (false, Some(_)) if block.keep_with_next => 8.0,
                    (false, Some(_)) => 2.5,
                });
            }
            let place = self.place(document, block, engine)?;
            if begin.is_none()
                && let Some(place) = place
            {
                begin = Some(place);
            }
        }
        if let Some(place) = begin {
            self.index.extend(laid.entries.into_iter().map(|entry| (entry, place)));
            if let Some(guid) = &laid.guid {
                document.places.insert(guid, place);
            }
            if let Some(at) = &laid.at {
                document.outline.visit(at, place);
            }
        }
        Ok(())
    }

    /// How many messages there are so far, and of when.
    fn last_line(&self, engine: &mut Engine) -> Block {
        let count = phrase::count(self.contents.messages, "message", "messages");
        let words = match (&self.contents.first, &self.contents.last) {
            (None, _) | (_, None) => count,
            _ => format!("{count}, {}", phrase::period(&self.contents)),
        };
        let width = self.style.measure();
        let lines = engine.plain(&words, QUIET, Measure { size: self.style.points(SMALL), width });
        let x = self.style.side + (width - lines.width) / 2.0;
        Block { before: 22.0, rows: lines.into_rows(x), begins: Some(Role::Paragraph), ..Block::default() }
    }

    /// Writes the last lines and the cover. `services` and `rows` are known where all of the conversation is.
    pub fn end<W: Write>(
        mut self,
        document: &mut Document<W>,
        plan: &Plan<'_>,
        rows: Option<RowCounts>,
        engine: &mut Engine,
    ) -> io::Result<Written> {
        if let Some((mut laid, begins)) = self.waiting.take() {
            let last = self.last_line(engine);
            laid.blocks.last_mut().into_iter().for_each(|said| said.room_below = last.before + last.height());
            self.add(document, laid, begins, true, engine)?;
        }
        let last = self.last_line(engine);
        self.place(document, last, engine)?;
        if let Some(after) = plan.part.as_ref().and_then(|part| part.after.as_deref()) {
            let block = neighbor(&phrase::continued(after), after, &self.style, engine);
            self.place(document, block, engine)?;
        }

        let Chapter { running, free, on_page, contents, index, .. } = self;
        let days = on_page.filter(|(on, ..)| *on == document.page_number());
        let days = in_words(days.map(|(_, first, last)| (first, last)));
        document.turn_page(&mut |end| running.on(end.number, &days, engine))?;
        if let Some(free) = free {
            document.turn_to(free)?;
            let outcome = Outcome { contents: contents.clone(), rows, is_final: true };
            for block in cover::blocks(plan, &outcome, engine) {
                document.place(block, &mut |end| running.on(end.number, "", engine))?;
            }
            document.turn_back(&mut |end| running.on(end.number, "", engine))?;
        }
        Ok(Written { contents, index })
    }
}

/// The days of a page, for its header.
fn in_words(days: Option<(Local, Local)>) -> String {
    days.map_or_else(String::new, |(first, last)| phrase::days(&first, &last))
}

/// A line that leads to the file beside this one.
fn neighbor(words: &str, file: &str, style: &Style, engine: &mut Engine) -> Block {
    let links: Vec<Target> = link::relative(file).map(Target::Uri).into_iter().collect();
    let ink = Ink { color: Color::Link, link: u16::from(!links.is_empty()), ..QUIET };
    let measure = Measure { size: style.points(SMALL), width: style.measure() };
    let lines = engine.text(words, &[(0..words.len(), ink)], &links, measure);
    let x = style.side + (style.measure() - lines.width) / 2.0;
    Block { before: 6.0, rows: lines.into_rows(x), begins: Some(Role::Paragraph), ..Block::default() }
}

/// The title, who takes part, and how times are to be read.
fn title_block(
    conversation: &Conversation,
    options: &WriterOptions,
    style: &Style,
    engine: &mut Engine,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut begins = Some(Role::Title);
    let mut put = |before: f32, text: &str, ink: Ink, size: f32| {
        let lines = engine.plain(text, ink, Measure { size: style.points(size), width: style.measure() });
        let begins = begins.replace(Role::Paragraph);
        blocks.push(Block { before, rows: lines.into_rows(style.side), begins, ..Block::default() });
    };
    let title = phrase::one_line(&conversation.title);
    put(0.0, &title, Ink { bold: true, ..Ink::default() }, 22.0);
    let mut kind = phrase::conversation_kind(conversation).to_owned();
    let services: Vec<_> = conversation.services.iter().map(|stored| phrase::service(stored)).collect();
    if !services.is_empty() {
        kind = format!("{kind} · {}", services.join(", "));
    }
    put(2.0, &kind, QUIET, 9.5);
    let people = conversation.participants.iter().map(phrase::participant);
    for person in people.chain([phrase::one_line(&options.me).into_owned()]) {
        put(if person.is_empty() { 0.0 } else { 3.0 }, &person, Ink::default(), 9.5);
    }
    let mut clock = Clock::new(options.zone);
    let lost = phrase::lost_of(conversation, options.provenance.as_deref(), &mut clock);
    if !lost.is_empty() {
        put(6.0, &format!("{}.", lost.join(". ")), Ink::default(), 9.5);
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
