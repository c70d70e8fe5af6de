//! One message → blocks for the page: bubbles, pictures, cards, boxes and remarks.
//!
//! Nothing of a message is left out, and nothing here depends on the messages around it: this is the parallel half.

use std::sync::Arc;

use crate::model::{Attachment, Availability, Balloon, Message, PartContent, Unsent};
use crate::writers::clock::{Clock, Local};
use crate::writers::phrase::{self, CardLine, Phrases};

use super::image::{Picture, Undrawable};
use super::layout::{Engine, Ink, Lines, Measure};
use super::link;
use super::page::{
    Block, Color, Frame, Item, LANE_RIGHT, MEASURE, PAGE_WIDTH, PICTURE_HEIGHT, PICTURE_WIDTH, Row, SIDE,
    TEXT_WIDTH, Target,
};
use super::scripts::is_only_emoji;
use super::styled::{Styled, styled};
use super::vector;

/// Text in bubbles, in points.
const BODY: f32 = 10.0;
const SMALL: f32 = 8.0;
const TINY: f32 = 7.5;
/// Between a bubble's edge and its text.
const INSET: f32 = 10.0;
const STICKER: f32 = 90.0;
const BOX_WIDTH: f32 = 250.0;
const BADGE: f32 = 34.0;
/// Pictures are not blown up: a pixel is at most this large, in points.
const PIXEL: f32 = 0.6;
pub const QUIET: Ink =
    Ink { color: Color::Quiet, bold: false, italic: false, underline: false, strike: false, link: 0 };

/// A message, laid out.
#[derive(Debug)]
pub struct Laid {
    pub guid: Option<String>,
    pub at: Option<Local>,
    /// Seconds since 1970.
    pub seconds: Option<i64>,
    /// `None` for what nobody says: announcements and the like.
    pub speaker: Option<Speaker>,
    pub service: Option<String>,
    pub blocks: Vec<Block>,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    pub from_me: bool,
    pub name: String,
}

/// Looks pictures up; each file is looked at once.
pub type Pictures<'a> = dyn Fn(&Attachment) -> Result<Arc<Picture>, Undrawable> + 'a;

/// What composing needs.
pub struct Composer<'a> {
    pub engine: &'a mut Engine,
    pub clock: Clock,
    pub phrases: &'a Phrases,
    pub pictures: &'a Pictures<'a>,
}

/// Where the bubbles of one message stand.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

impl Side {
    /// The left edge of something so wide.
    fn x(self, width: f32) -> f32 {
        match self {
            Side::Left => SIDE,
            Side::Right => LANE_RIGHT - width,
        }
    }
}

/// The blocks of one message as they grow.
struct Bubbles<'m> {
    side: Side,
    fill: Color,
    message: &'m Message,
    time: Option<String>,
    blocks: Vec<Block>,
}

impl Composer<'_> {
    /// Lays out one message.
    pub fn message(&mut self, message: &Message) -> Laid {
        let at = message.date.map(|date| self.clock.local(date));
        let event = self.phrases.event(message);
        let mut bubbles = Bubbles {
            side: if message.from_me { Side::Right } else { Side::Left },
            fill: match (message.from_me, message.service.as_deref()) {
                (false, _) => Color::Received,
                (true, Some("SMS" | "RCS" | "MMS")) => Color::SentGreen,
                (true, _) => Color::SentBlue,
            },
            message,
            time: at.as_ref().map(phrase::time),
            blocks: Vec::new(),
        };
        let speaker = match &event {
            Some(sentence) => {
                self.event(sentence, &mut bubbles);
                None
            }
            None => {
                self.bubbles(at.as_ref(), &mut bubbles);
                Some(Speaker {
                    from_me: message.from_me,
                    name: phrase::one_line(self.phrases.sender(message)).into_owned(),
                })
            }
        };
        Laid {
            guid: message.guid.clone(),
            at,
            seconds: message.date.map(|date| date.timestamp()),
            speaker,
            service: message.service.clone(),
            blocks: bubbles.blocks,
        }
    }

    fn event(&mut self, sentence: &str, bubbles: &mut Bubbles<'_>) {
        let mut texts = vec![sentence.to_owned()];
        texts.extend(phrase::statuses(bubbles.message, &mut self.clock));
        texts.extend(bubbles.message.defects.iter().map(|d| phrase::one_line(d).into_owned()));
        for text in texts {
            let measure = Measure { size: 8.5, width: MEASURE - 120.0 };
            let lines = self.engine.plain(&text, QUIET, measure);
            let x = SIDE + (MEASURE - lines.width) / 2.0;
            let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
            let mut rows = lines.into_rows(x);
            self.stamp(bubbles, rows.first_mut(), baseline);
            bubbles.blocks.push(Block { before: 3.0, rows, ..Block::default() });
        }
    }

    fn bubbles(&mut self, at: Option<&Local>, bubbles: &mut Bubbles<'_>) {
        let message = bubbles.message;
        if let Some(reply) = &message.reply_to {
            let text = self.phrases.reply(reply, at, &mut self.clock);
            self.quote(&text, &reply.guid, bubbles);
        }
        let mut shown = vec![false; message.attachments.len()];
        let mut card_shown = false;
        let mut subject = message.subject.as_deref().filter(|subject| !subject.trim().is_empty());
        if subject.is_some()
            && !matches!(message.parts.first().map(|p| &p.content), Some(PartContent::Text { .. }))
        {
            self.text_bubble(&styled("", &[], subject.take()), bubbles);
        }
        for (number, part) in message.parts.iter().enumerate() {
            match &part.content {
                PartContent::Text { text, styles } => {
                    if text.trim().is_empty()
                        && styles.is_empty()
                        && message.parts.len() > 1
                        && subject.is_none()
                    {
                        continue;
                    }
                    let styled = styled(text, styles, subject.take());
                    self.text_bubble(&styled, bubbles);
                    for remark in &styled.effects {
                        self.remark(remark, Color::Quiet, bubbles);
                    }
                }
                PartContent::Attachment(index) => {
                    if let Some(attachment) = message.attachments.get(*index) {
                        if let Some(shown) = shown.get_mut(*index) {
                            *shown = true;
                        }
                        self.attachment(attachment, bubbles);
                    }
                }
                PartContent::Balloon => {
                    if let Some(balloon) = &message.balloon {
                        card_shown = true;
                        self.card(balloon, &mut shown, bubbles);
                    }
                }
                PartContent::Unsent { date } => {
                    let when = date.map(|date| self.clock.local(date));
                    let what = if message.parts.len() > 1 { Unsent::Part } else { Unsent::All };
                    let words = phrase::unsent(self.phrases, message, what, when.as_ref(), at);
                    self.outlined(&words, bubbles);
                }
            }
            let last = message.parts.get(number + 1).is_none_or(|next| next.index != part.index);
            if last {
                for line in self.phrases.tapbacks(&message.tapbacks, Some(part.index)) {
                    self.remark(&line, Color::Quiet, bubbles);
                }
            }
        }
        if let Some(balloon) = message.balloon.as_ref().filter(|_| !card_shown) {
            self.card(balloon, &mut shown, bubbles);
        }
        for (attachment, shown) in message.attachments.iter().zip(&shown) {
            if !shown && !attachment.hidden {
                self.attachment(attachment, bubbles);
            }
        }
        if bubbles.blocks.is_empty() {
            let words = match message.unsent {
                Some(what) => phrase::unsent(self.phrases, message, what, None, at),
                None => "A message without content".into(),
            };
            self.outlined(&words, bubbles);
        }
        let stray: Vec<_> = message
            .tapbacks
            .iter()
            .filter(|tapback| message.parts.iter().all(|part| part.index != tapback.part))
            .cloned()
            .collect();
        for line in self.phrases.tapbacks(&stray, None) {
            self.remark(&line, Color::Quiet, bubbles);
        }
        for line in phrase::edits(message, at, &mut self.clock) {
            self.remark(&line, Color::Quiet, bubbles);
        }
        let error = message.error.map(phrase::error);
        for line in phrase::statuses(message, &mut self.clock) {
            let color = if Some(&line) == error.as_ref() { Color::Alarm } else { Color::Quiet };
            self.remark(&line, color, bubbles);
        }
        for defect in &message.defects {
            self.remark(&phrase::one_line(defect), Color::Alarm, bubbles);
        }
    }

    /// Puts the message's time beside its first row.
    fn stamp(&mut self, bubbles: &mut Bubbles<'_>, row: Option<&mut Row>, baseline: f32) {
        let Some(row) = row else { return };
        if let Some(time) = bubbles.time.take() {
            let line = self.engine.label(&time, QUIET, TINY, 100.0);
            let x = PAGE_WIDTH - SIDE - line.width;
            let shift = baseline - line.baseline;
            let mut items = line.into_row(x).items;
            items.iter_mut().for_each(|item| item.shift(shift));
            // In front: who copies the text gets the time first.
            row.items.splice(0..0, items);
        }
    }

    fn text_bubble(&mut self, styled: &Styled, bubbles: &mut Bubbles<'_>) {
        let large = is_only_emoji(&styled.text);
        let measure = Measure { size: if large { 26.0 } else { BODY }, width: TEXT_WIDTH };
        let lines = self.engine.text(&styled.text, &styled.spans, &styled.links, measure);
        let inset = if large { 2.0 } else { INSET };
        // Whole points compress better, see `layout`.
        let width = lines.width.max(8.0).ceil() + 2.0 * inset;
        let x = bubbles.side.x(width);
        let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
        let mut rows = lines.into_rows(x + inset);
        self.stamp(bubbles, rows.first_mut(), baseline);
        let frame = Frame { x, width, radius: 11.0, fill: Some(bubbles.fill), stroke: None, padding: 5.0 };
        bubbles.push(Block { frame: (!large).then_some(frame), rows, ..Block::default() });
    }

    /// A bubble without a color: what is not there any more.
    fn outlined(&mut self, words: &str, bubbles: &mut Bubbles<'_>) {
        let ink = Ink { italic: true, ..QUIET };
        let lines = self.engine.plain(words, ink, Measure { size: 9.0, width: TEXT_WIDTH });
        let width = lines.width + 2.0 * INSET;
        let x = bubbles.side.x(width);
        let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
        let mut rows = lines.into_rows(x + INSET);
        self.stamp(bubbles, rows.first_mut(), baseline);
        let stroke = Some(Color::Hairline);
        let frame = Frame { x, width, radius: 11.0, fill: None, stroke, padding: 5.0 };
        bubbles.push(Block { frame: Some(frame), rows, ..Block::default() });
    }

    /// What a reply replies to, above its bubble.
    fn quote(&mut self, text: &str, guid: &str, bubbles: &mut Bubbles<'_>) {
        let lines = self.engine.plain(text, QUIET, Measure { size: SMALL, width: 260.0 });
        let width = lines.width + 10.0;
        let x = bubbles.side.x(width + 4.0);
        let mut row = lines.into_row(x + 8.0);
        row.items.push(Item::Bar { x, y: 1.0, width: 2.0, height: row.height - 2.0, color: Color::Accent });
        let target = Target::Message { guid: guid.to_owned() };
        row.items.push(Item::Link { x, y: 0.0, width, height: row.height, target });
        bubbles.push(Block { rows: vec![row], keep_with_next: true, ..Block::default() });
    }

    /// A line or more below a bubble.
    fn remark(&mut self, text: &str, color: Color, bubbles: &mut Bubbles<'_>) {
        let ink = Ink { color, ..QUIET };
        let lines = self.engine.plain(text, ink, Measure { size: SMALL, width: TEXT_WIDTH });
        let x = bubbles.side.x(lines.width + 8.0) + 4.0;
        // A remark at the top of a page would seem to be said of nothing.
        if let Some(said_of) = bubbles.blocks.last_mut() {
            said_of.keep_with_next = !said_of.may_be_divided();
        }
        bubbles.push(Block { before: 2.0, rows: lines.into_rows(x), ..Block::default() });
    }

    fn attachment(&mut self, attachment: &Attachment, bubbles: &mut Bubbles<'_>) {
        let drawn = match attachment.availability {
            Availability::Local => (self.pictures)(attachment),
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
        let (most_w, most_h) =
            if attachment.sticker { (STICKER, STICKER) } else { (PICTURE_WIDTH, PICTURE_HEIGHT) };
        let scale = (most_w / w).min(most_h / h).min(PIXEL);
        // However long and thin, something is to be seen.
        let (width, height) = ((w * scale).max(4.0), (h * scale).max(4.0));
        let x = bubbles.side.x(width);
        let framed = !attachment.sticker;
        let mut row =
            Row { height, items: vec![Item::Picture { picture, x, y: 0.0, width, height, framed }] };
        let uri = attachment.path.as_deref().and_then(link::relative);
        if let Some(uri) = &uri {
            let target = Target::Uri(uri.clone());
            row.items.push(Item::Link { x, y: 0.0, width, height, target });
        }
        self.stamp(bubbles, Some(&mut row), 10.0_f32.min(height));
        if !attachment.sticker {
            let name = phrase::attachment(attachment);
            let lines = self.engine.plain(&name, QUIET, Measure { size: TINY, width: TEXT_WIDTH });
            let left = bubbles.side.x(lines.width.max(4.0));
            let mut caption = lines.into_row(left);
            caption.items.iter_mut().for_each(|item| item.shift(height + 2.0));
            row.items.append(&mut caption.items);
            row.height += caption.height + 2.0;
        }
        bubbles.push(Block { rows: vec![row], ..Block::default() });
    }

    /// What cannot be drawn: its name, kind, size and where it is.
    fn file_box(&mut self, attachment: &Attachment, why: Undrawable, bubbles: &mut Bubbles<'_>) {
        let x = bubbles.side.x(BOX_WIDTH);
        let text_x = x + BADGE + 18.0;
        let width = BOX_WIDTH - BADGE - 26.0;
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
            add.items.iter_mut().for_each(|item| item.shift(row.height));
            row.items.append(&mut add.items);
            row.height += add.height;
        };
        put(&mut row, self.engine.plain(name, ink, Measure { size: 9.0, width }));
        let facts = phrase::file_facts(attachment, phrase::file_kind(attachment)).join(", ");
        put(&mut row, self.engine.plain(&facts, QUIET, Measure { size: SMALL, width }));
        let alarm = Ink { color: Color::Alarm, ..QUIET };
        if let Some(place) = phrase::availability(attachment.availability) {
            let ink = if attachment.availability == Availability::Missing { alarm } else { QUIET };
            put(&mut row, self.engine.plain(place, ink, Measure { size: SMALL, width }));
        }
        if let Some(what) = why.words() {
            let ink = if matches!(why, Undrawable::Damaged(_)) { alarm } else { QUIET };
            put(&mut row, self.engine.plain(what, ink, Measure { size: SMALL, width }));
        }
        row.height = row.height.max(BADGE);
        let badge = badge_text(attachment);
        let line = self.engine.label(&badge, Ink { bold: true, ..QUIET }, 7.0, BADGE - 4.0);
        row.items.push(Item::Panel {
            x: x + 8.0,
            y: 0.0,
            width: BADGE,
            height: BADGE,
            radius: 6.0,
            fill: Some(Color::Received),
            stroke: None,
        });
        let (line_width, line_height) = (line.width, line.height);
        let mut items = line.into_row(x + 8.0 + (BADGE - line_width) / 2.0).items;
        items.iter_mut().for_each(|item| item.shift((BADGE - line_height) / 2.0));
        row.items.append(&mut items);
        if let Some(uri) = uri {
            let target = Target::Uri(uri);
            row.items.push(Item::Link { x, y: -6.0, width: BOX_WIDTH, height: row.height + 12.0, target });
        }
        self.stamp(bubbles, Some(&mut row), 10.0);
        bubbles.push(Block { frame: Some(paper(x, BOX_WIDTH)), rows: vec![row], ..Block::default() });
    }

    /// An app's card.
    fn card(&mut self, balloon: &Balloon, shown: &mut [bool], bubbles: &mut Bubbles<'_>) {
        let x = bubbles.side.x(BOX_WIDTH);
        let inner = BOX_WIDTH - 2.0 * INSET;
        let mut rows = Vec::new();
        let label = phrase::balloon_label(balloon);
        let measure = |size| Measure { size, width: inner };
        let lines = self.engine.plain(&label, Ink { bold: true, ..QUIET }, measure(TINY));
        let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
        rows.extend(lines.into_rows(x + INSET));
        rows.extend(balloon.drawing.as_deref().map(|drawn| vector::row(drawn, balloon, x + INSET)));
        let mut boxes = Vec::new();
        let mut drawn = false;
        for index in &balloon.attachments {
            let Some(attachment) = bubbles.message.attachments.get(*index) else { continue };
            if let Some(shown) = shown.get_mut(*index) {
                *shown = true;
            }
            let found = match attachment.availability {
                Availability::Local => (self.pictures)(attachment),
                _ => Err(Undrawable::OtherKind),
            };
            match found {
                Ok(picture) => {
                    let (w, h) = picture.size();
                    // A link's picture and its icon: the first is enough for the eye, in a card of this size.
                    let wide = if drawn { 32.0 } else { inner };
                    let scale = (wide / w as f32).min(130.0 / h as f32).min(PIXEL);
                    let (width, height) = ((w as f32 * scale).max(4.0), (h as f32 * scale).max(4.0));
                    let item = Item::Picture { picture, x: x + INSET, y: 3.0, width, height, framed: true };
                    rows.push(Row { height: height + 7.0, items: vec![item] });
                    drawn = true;
                }
                Err(_) if !attachment.hidden => boxes.push(attachment),
                Err(_) => {}
            }
        }
        let url = balloon.url.as_deref().map(phrase::one_line);
        for (number, line) in self.card_lines(balloon, bubbles.message).iter().enumerate() {
            let text = match line {
                CardLine::Text(text) => text,
                CardLine::Option(option) => {
                    rows.extend(self.poll_option(option, balloon, x + INSET, inner));
                    continue;
                }
            };
            let is_url = url.as_deref() == Some(text);
            let links: Vec<Target> =
                is_url.then(|| link::allowed(text)).flatten().map(Target::Uri).into_iter().collect();
            let ink = Ink {
                color: if links.is_empty() { Color::Text } else { Color::Link },
                bold: number == 0 && balloon.title.is_some(),
                link: u16::from(!links.is_empty()),
                ..Ink::default()
            };
            let size = if number == 0 { 9.5 } else { 8.5 };
            let lines = self.engine.text(text, &[(0..text.len(), ink)], &links, measure(size));
            rows.extend(lines.into_rows(x + INSET));
        }
        self.stamp(bubbles, rows.first_mut(), baseline);
        bubbles.push(Block { frame: Some(paper(x, BOX_WIDTH)), rows, ..Block::default() });
        for attachment in boxes {
            self.attachment(attachment, bubbles);
        }
    }
}

impl Bubbles<'_> {
    fn push(&mut self, mut block: Block) {
        if block.before == 0.0 && !self.blocks.is_empty() {
            block.before = 2.5;
        }
        self.blocks.push(block);
    }
}

fn paper(x: f32, width: f32) -> Frame {
    let (fill, stroke) = (Some(Color::Paper), Some(Color::Hairline));
    Frame { x, width, radius: 9.0, fill, stroke, padding: 8.0 }
}

/// `HEIC`, `PDF`: the extension as a label, at most four characters.
fn badge_text(attachment: &Attachment) -> String {
    let extension = attachment.name.as_deref().and_then(|name| name.rsplit_once('.')).map(|(_, e)| e);
    let short =
        extension.filter(|e| (1..=4).contains(&e.len()) && e.chars().all(|c| c.is_ascii_alphanumeric()));
    short.map_or_else(|| "FILE".into(), str::to_ascii_uppercase)
}
