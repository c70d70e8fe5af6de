//! The index of attachments at a document's end: what each is, who sent it when, on which page, and its hash, or why it is
//! not here.
//!
//! **Must never**: keep more of an attachment than what it shows: there may be tens of thousands.

use std::sync::Arc;

use crate::model::{Attachment, Availability, Message};
use crate::writers::clock::Local;
use crate::writers::phrase;

use super::attached::badge_text;
use super::blocks::{Composer, QUIET};
use super::front::put;
use super::image::Picture;
use super::layout::{Engine, Ink, Measure};
use super::link;
use super::page::{Block, Cell, Color, Item, Role, Row, Setting, TablePart, Target};
use super::places::Place;
use super::shape::{Form, Rectangle, Shape};
use super::style::Style;

/// The square in which a picture is shown.
const THUMBNAIL: f32 = 34.0;
/// Where text begins, beside it.
const TEXT: f32 = THUMBNAIL + 10.0;
/// The column in which the page is named.
const PAGE: f32 = 58.0;
/// Of a name, in characters: the file has it in full.
const LONGEST_NAME: usize = 120;

/// An attachment, as the index shows it.
#[derive(Debug)]
pub struct Entry {
    name: String,
    /// What it is, who sent it, when.
    facts: String,
    /// Its SHA-256, or why it is not here.
    last: String,
    is_missing: bool,
    /// Where its file lies, as a relative address.
    uri: Option<String>,
    picture: Option<Arc<Picture>>,
    badge: String,
}

impl Composer<'_> {
    /// What the index shows of a message.
    pub(super) fn entries(&self, message: &Message, at: Option<&Local>) -> Vec<Entry> {
        let shown = message.attachments.iter().filter(|attachment| !attachment.hidden);
        shown.map(|attachment| self.entry(attachment, message, at)).collect()
    }

    fn entry(&self, attachment: &Attachment, message: &Message, at: Option<&Local>) -> Entry {
        let name = attachment.name.as_deref().map(phrase::one_line).filter(|name| !name.is_empty());
        let name = name.as_deref().unwrap_or(if attachment.sticker { "Sticker" } else { "Attachment" });
        let mut facts = phrase::file_facts(attachment, phrase::file_kind(attachment));
        facts.push(phrase::one_line(self.phrases.sender(message)).into_owned());
        facts.extend(at.map(|at| phrase::day_and_time(at, None)));
        let here = attachment.availability == Availability::Local;
        let last = match (&attachment.sha256, phrase::availability(attachment.availability)) {
            (Some(hash), _) => hash.clone(),
            (None, Some(why)) => why.to_owned(),
            (None, None) if attachment.path.is_some() => "a folder of several files".into(),
            (None, None) => "not copied".into(),
        };
        Entry {
            name: phrase::shortened(name, LONGEST_NAME).into_owned(),
            facts: facts.join(" · "),
            last,
            is_missing: attachment.availability == Availability::Missing,
            uri: attachment.path.as_deref().and_then(link::relative),
            picture: self.gallery.picture(attachment).ok().filter(|_| here),
            badge: badge_text(attachment),
        }
    }
}

/// The attachments of a conversation, and where their messages are.
pub struct Listed {
    /// Whose they are, where the index is of several conversations.
    pub heading: Option<String>,
    pub entries: Vec<(Entry, Place)>,
}

/// What stands above the index.
pub fn heading(count: usize, style: &Style, engine: &mut Engine) -> Block {
    let measure = |size| Measure { size, width: style.measure() };
    let ink = Ink { bold: true, ..Ink::default() };
    let mut rows = engine.plain(phrase::INDEX, ink, measure(16.0)).into_rows(style.side);
    let words = phrase::index_caption(count as u64);
    rows.extend(engine.plain(&words, QUIET, measure(8.5)).into_rows(style.side));
    Block { rows, keep_with_next: true, begins: Some(Role::Heading), ..Block::default() }
}

/// What stands above the attachments of one conversation of several.
pub fn subheading(title: &str, style: &Style, engine: &mut Engine) -> Block {
    let ink = Ink { bold: true, ..Ink::default() };
    let line = engine.label(title, ink, 11.0, style.measure());
    let (rows, begins) = (vec![line.into_row(style.side)], Some(Role::Subheading));
    Block { before: 16.0, rows, keep_with_next: true, begins, ..Block::default() }
}

/// One attachment, whose message is at `place`.
pub fn block(entry: &Entry, place: Place, style: &Style, engine: &mut Engine) -> Block {
    let mut row = Row { height: THUMBNAIL, items: vec![Item::Part(TablePart::Line), Cell::at(1)] };
    thumbnail(entry, style, engine, &mut row);
    row.items.push(Cell::HEAD);
    let (x, width) = (style.side + TEXT, style.measure() - TEXT);
    let color = if entry.uri.is_some() { Color::Link } else { Color::Text };
    let name = engine.label(&entry.name, Ink { bold: true, color, ..Ink::default() }, 9.0, width - PAGE);
    if let Some(uri) = &entry.uri {
        let at = Rectangle { x, y: 0.0, width: name.width, height: 12.0 };
        row.items.push(Item::Link { at, target: Target::Uri(uri.clone()) });
    }
    put(name, x, 9.5, &mut row);
    row.items.push(Cell::at(2));
    let facts = engine.label(&entry.facts, QUIET, 8.0, width);
    put(facts, x, 20.5, &mut row);
    row.items.push(Cell::at(3));
    let color = if entry.is_missing { Color::Alarm } else { Color::Quiet };
    let last = engine.label(&entry.last, Ink { color, ..QUIET }, 7.5, width);
    put(last, x, 31.0, &mut row);
    row.items.push(Cell::at(4));
    let page =
        engine.label(&format!("page {}", place.page + 1), Ink { color: Color::Link, ..QUIET }, 8.5, PAGE);
    let x = style.right() - page.width;
    let at = Rectangle { x, y: 0.0, width: page.width, height: 12.0 };
    row.items.push(Item::Link { at, target: Target::Place(place) });
    put(page, x, 9.5, &mut row);
    Block { before: 9.0, rows: vec![row], ..Block::default() }
}

fn thumbnail(entry: &Entry, style: &Style, engine: &mut Engine, row: &mut Row) {
    let Some(picture) = &entry.picture else {
        let at = Rectangle { x: style.side, y: 0.0, width: THUMBNAIL, height: THUMBNAIL };
        let (fill, stroke) = (None, Some(Color::Hairline));
        row.items.push(Item::Shape(Shape { at, form: Form::Panel { radius: 5.0, fill, stroke } }));
        let label = engine.label(&entry.badge, Ink { bold: true, ..QUIET }, 6.5, THUMBNAIL - 4.0);
        let x = style.side + (THUMBNAIL - label.width) / 2.0;
        let mut drawn = Row::default();
        put(label, x, THUMBNAIL / 2.0 + 2.5, &mut drawn);
        row.items.extend(drawn.items.into_iter().map(Item::into_ornament));
        return;
    };
    let (w, h) = picture.size();
    let scale = THUMBNAIL / w.max(h).max(1) as f32;
    let (width, height) = ((w as f32 * scale).max(2.0), (h as f32 * scale).max(2.0));
    let at =
        Rectangle { x: style.side + (THUMBNAIL - width) / 2.0, y: (THUMBNAIL - height) / 2.0, width, height };
    let (picture, setting, alt) = (picture.clone(), Setting::Free, entry.name.clone());
    row.items.push(Item::Image { picture, at, setting, alt });
}
