//! What is attached to a message → blocks: pictures, posters of films, and boxes for everything else.

use std::sync::Arc;

use crate::model::{Attachment, Availability};
use crate::pipeline::select::Has;
use crate::writers::phrase;

use super::blocks::{Bubbles, Composer, INSET, PIXEL, QUIET, TINY};
use super::image::{Picture, Undrawable};
use super::layout::{Ink, Lines, Measure};
use super::link;
use super::page::{Block, Color, Item, Row, Setting, Target};
use super::shape::{Form, Rectangle, Shape};
use super::stickers::Area;

/// A sticker's width and height at most.
const STICKER: f32 = 90.0;
/// The square that stands for a file.
const BADGE: f32 = 34.0;
const NO_PICTURE: &str = "it holds no picture of a kind that can be shown here";

impl Composer<'_> {
    pub(super) fn attachment(&mut self, attachment: &Attachment, bubbles: &mut Bubbles<'_>) {
        let drawn = match attachment.availability {
            Availability::Local => self.gallery.picture(attachment),
            _ => Err(Undrawable::OtherKind),
        };
        match drawn {
            Ok(picture) => self.picture(picture, attachment, bubbles),
            Err(why) => self.file_box(attachment, why, bubbles),
        }
        let words = [("Transcription", &attachment.transcription), ("Shows", &attachment.description)];
        for (label, text) in words {
            if let Some(text) = text {
                self.remark(&format!("{label}: {}", phrase::one_line(text)), Color::Quiet, bubbles);
            }
        }
    }

    fn picture(&mut self, picture: Arc<Picture>, attachment: &Attachment, bubbles: &mut Bubbles<'_>) {
        let (w, h) = picture.size();
        let (w, h) = (w as f32, h as f32);
        let (most_w, most_h) = if attachment.sticker {
            (STICKER, STICKER)
        } else {
            (self.style.picture_width, self.style.picture_height)
        };
        let scale = (most_w / w).min(most_h / h).min(PIXEL);
        // However long and thin, something is to be seen.
        let (width, height) = ((w * scale).max(4.0), (h * scale).max(4.0));
        let x = bubbles.side.x(width, &self.style);
        let at = Rectangle { x, y: 0.0, width, height };
        let setting = if attachment.sticker { Setting::Free } else { Setting::Framed };
        let film = picture.film;
        let alt = alt(attachment);
        let mut row = Row { height, items: vec![Item::Image { picture, at, setting, alt }] };
        if film {
            row.items.extend(play_mark(&at));
        }
        let motion = attachment.motion.as_deref().and_then(link::relative);
        if attachment.motion.is_some() && !attachment.sticker {
            self.live_mark(x, &mut row);
        }
        let uri = attachment.path.as_deref().and_then(link::relative);
        if let Some(uri) = &uri {
            let target = Target::Uri(uri.clone());
            row.items.push(Item::Link { at, target });
        }
        self.stamp(bubbles, Some(&mut row), 10.0_f32.min(height));
        if !attachment.sticker {
            let name = phrase::attachment(attachment);
            // The picture leads to the picture, and its caption to the film that belongs to it.
            let links: Vec<Target> = motion.into_iter().map(Target::Uri).collect();
            let ink = match links.as_slice() {
                [] => QUIET,
                _ => Ink { color: Color::Link, link: 1, ..QUIET },
            };
            let measure = Measure { size: self.style.points(TINY), width: self.style.text_width };
            let lines = self.engine.text(&name, &[(0..name.len(), ink)], &links, measure);
            let left = bubbles.side.x(lines.width.max(4.0), &self.style);
            let mut caption = lines.into_row(left);
            caption.items.iter_mut().for_each(|item| item.shift(0.0, height + 2.0));
            row.items.append(&mut caption.items);
            row.height += caption.height + 2.0;
        }
        bubbles.push(Block { rows: vec![row], ..Block::default() }, Area { x, width, height, words: false });
    }

    /// Says that the picture at the top of this row, at `x`, moves.
    fn live_mark(&mut self, x: f32, row: &mut Row) {
        let (inset, padding) = (6.0, 3.0);
        let label = self.engine.label("LIVE", Ink { bold: true, ..QUIET }, self.style.points(6.0), 100.0);
        let (width, height) = (label.width + 2.0 * padding, label.height + 1.0);
        // A picture that is too small for it says so in its caption only.
        if height + 2.0 * inset > row.height {
            return;
        }
        let (fill, stroke) = (Some(Color::Paper), Some(Color::Hairline));
        let (x, y) = (x + inset, inset);
        let at = Rectangle { x, y, width, height };
        row.items.push(Item::Shape(Shape { at, form: Form::Panel { radius: 3.0, fill, stroke } }));
        let mut items = label.into_row(x + padding).items;
        items.iter_mut().for_each(|item| item.shift(0.0, y + 0.5));
        row.items.append(&mut items);
    }

    /// What cannot be drawn: its name, kind, size and where it is.
    fn file_box(&mut self, attachment: &Attachment, why: Undrawable, bubbles: &mut Bubbles<'_>) {
        let style = self.style;
        let (box_width, badge_size) = (style.box_width, style.points(BADGE));
        let x = bubbles.side.x(box_width, &style);
        // Large text in a narrow box needs all of it.
        let badged = box_width > 5.0 * badge_size;
        let aside = if badged { badge_size + 18.0 } else { INSET };
        let text_x = x + aside;
        let width = box_width - aside - 8.0;
        let small = self.small(width);
        let uri = attachment.path.as_deref().and_then(link::relative);
        let name = attachment.name.as_deref().map(phrase::one_line).filter(|name| !name.is_empty());
        let name = name.as_deref().unwrap_or(if attachment.sticker { "Sticker" } else { "Attachment" });
        let ink = Ink {
            color: if uri.is_some() { Color::Link } else { Color::Text },
            bold: true,
            ..Ink::default()
        };
        let mut row = Row::default();
        let put = |row: &mut Row, lines: Lines| {
            let mut add = lines.into_row(text_x);
            add.items.iter_mut().for_each(|item| item.shift(0.0, row.height));
            row.items.append(&mut add.items);
            row.height += add.height;
        };
        put(&mut row, self.engine.plain(name, ink, Measure { size: style.points(9.0), width }));
        let facts = phrase::file_facts(attachment, phrase::file_kind(attachment)).join(", ");
        put(&mut row, self.engine.plain(&facts, QUIET, small));
        let alarm = Ink { color: Color::Alarm, ..QUIET };
        if let Some(place) = phrase::availability(attachment.availability) {
            let ink = if attachment.availability == Availability::Missing { alarm } else { QUIET };
            put(&mut row, self.engine.plain(place, ink, small));
        }
        // Named a picture, and nothing that is one.
        let no_picture = attachment.content.is_some() && Has::of(attachment) == Some(Has::Image);
        if let Some(what) = why.words().or(no_picture.then_some(NO_PICTURE)) {
            let ink =
                if matches!(why, Undrawable::Damaged(_) | Undrawable::Unreadable) { alarm } else { QUIET };
            put(&mut row, self.engine.plain(what, ink, small));
        }
        if badged {
            self.badge(attachment, x + 8.0, badge_size, &mut row);
        }
        if let Some(uri) = uri {
            let target = Target::Uri(uri);
            let at = Rectangle { x, y: -6.0, width: box_width, height: row.height + 12.0 };
            row.items.push(Item::Link { at, target });
        }
        self.stamp(bubbles, Some(&mut row), 10.0);
        let block = Block { frame: Some(style.card(x)), rows: vec![row], ..Block::default() };
        let height = block.height();
        bubbles.push(block, Area { x, width: box_width, height, words: true });
    }

    /// The square that stands for a file, at the top of its row.
    fn badge(&mut self, attachment: &Attachment, x: f32, size: f32, row: &mut Row) {
        row.height = row.height.max(size);
        let text = badge_text(attachment);
        let line = self.engine.label(&text, Ink { bold: true, ..QUIET }, self.style.points(7.0), size - 4.0);
        let at = Rectangle { x, y: 0.0, width: size, height: size };
        row.items.push(Item::Shape(self.style.mark(at, 6.0)));
        let (left, down) = (x + (size - line.width) / 2.0, (size - line.height) / 2.0);
        // The kind is said in words beside it.
        let mut items = line.into_ornament(left);
        items.iter_mut().for_each(|item| item.shift(0.0, down));
        row.items.append(&mut items);
    }
}

/// What stands for a picture where it cannot be seen: what it shows, else what it is.
pub fn alt(attachment: &Attachment) -> String {
    match &attachment.description {
        Some(description) => phrase::one_line(description).into_owned(),
        None => phrase::attachment(attachment),
    }
}

/// A disc with a triangle in the middle of a film's picture.
pub fn play_mark(film: &Rectangle) -> [Item; 2] {
    let size = (film.width.min(film.height) * 0.4).min(34.0);
    let (left, top) = (film.x + (film.width - size) / 2.0, film.y + (film.height - size) / 2.0);
    let (fill, stroke) = (Some(Color::Text), Some(Color::Hairline));
    let disc = Rectangle { x: left, y: top, width: size, height: size };
    // Its weight is in the middle, not its box.
    let tip =
        Rectangle { x: left + 0.36 * size, y: top + 0.28 * size, width: 0.38 * size, height: 0.44 * size };
    [
        Item::Shape(Shape { at: disc, form: Form::Panel { radius: size / 2.0, fill, stroke } }),
        Item::Shape(Shape { at: tip, form: Form::Triangle(Color::Paper) }),
    ]
}

/// `HEIC`, `PDF`: the extension as a label, at most four characters.
pub(super) fn badge_text(attachment: &Attachment) -> String {
    let extension = attachment.name.as_deref().and_then(|name| name.rsplit_once('.')).map(|(_, e)| e);
    let short =
        extension.filter(|e| (1..=4).contains(&e.len()) && e.chars().all(|c| c.is_ascii_alphanumeric()));
    short.map_or_else(|| "FILE".into(), str::to_ascii_uppercase)
}
