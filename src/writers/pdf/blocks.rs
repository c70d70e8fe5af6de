//! One message → blocks for the page: bubbles, pictures, cards, boxes and remarks.
//!
//! Nothing of a message is left out, and nothing here depends on the messages around it: this is the parallel half.

use std::sync::Arc;

use crate::model::{Availability, Balloon, Message, PartContent, Unsent};
use crate::writers::clock::{Clock, Local};
use crate::writers::contents::Counts;
use crate::writers::phrase::{self, CardLine, Phrases};

use super::attached::play_mark;
use super::gallery::Gallery;
use super::image::{Picture, Undrawable};
use super::index::Entry;
use super::layout::{Engine, Ink, Line, Measure};
use super::link;
use super::page::{Block, Color, Item, Row, Setting, Target};
use super::scripts::is_only_emoji;
use super::shape::{Rectangle, Shape};
use super::stickers::{Area, Spot};
use super::style::{Style, Times};
use super::styled::{Styled, styled};
use super::vector;

/// Text in bubbles. All lengths are those at this size: [`Style::points`] says how long they are.
const BODY: f32 = 10.0;
pub(super) const SMALL: f32 = 8.0;
pub(super) const TINY: f32 = 7.5;
/// One to three emoji alone.
const LARGE: f32 = 26.0;
/// Services that are not Apple's, as rows store them.
const CARRIER: [&str; 4] = ["SMS", "MMS", "RCS", "SatelliteSMS"];
/// Between a card's edge and its text.
pub(super) const INSET: f32 = 10.0;
/// Pictures out of a payload that a card shows.
const MOST_INLINE: usize = 4;
/// Pictures are not blown up: a pixel is at most this large, in points.
pub(super) const PIXEL: f32 = 0.6;
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
    pub counts: Counts,
    /// For the index.
    pub entries: Vec<Entry>,
    pub blocks: Vec<Block>,
    /// The last bubble, picture or card among the blocks.
    pub bubble: Option<usize>,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    pub from_me: bool,
    pub name: String,
}

/// What composing needs.
pub struct Composer<'a> {
    pub engine: &'a mut Engine,
    pub clock: Clock,
    pub phrases: &'a Phrases,
    pub gallery: &'a Gallery,
    pub style: Style,
}

/// Where the bubbles of one message stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    /// The left edge of something so wide.
    pub(super) fn x(self, width: f32, style: &Style) -> f32 {
        match self {
            Side::Right if !style.is_list() => style.lane_right() - width,
            _ => style.lane_left(),
        }
    }
}

/// The blocks of one message as they grow.
pub(super) struct Bubbles<'m> {
    pub(super) side: Side,
    fill: Color,
    /// Not one of Apple's services.
    carrier: bool,
    message: &'m Message,
    time: Option<String>,
    pub(super) blocks: Vec<Block>,
    /// Of the part that is being laid out.
    pub(super) spot: Option<Spot>,
    /// The last bubble, picture or card.
    pub(super) bubble: Option<usize>,
}

impl Composer<'_> {
    /// Lays out one message.
    pub fn message(&mut self, message: &Message) -> Laid {
        let at = message.date.map(|date| self.clock.local(date));
        let event = self.phrases.event(message);
        let carrier = message.service.as_deref().is_some_and(|service| CARRIER.contains(&service));
        let mut bubbles = Bubbles {
            side: if message.from_me { Side::Right } else { Side::Left },
            fill: match (message.from_me, carrier) {
                (false, _) => Color::Received,
                (true, true) => Color::SentGreen,
                (true, false) => Color::SentBlue,
            },
            carrier,
            message,
            time: at.as_ref().map(match self.style.times {
                Times::Minutes => phrase::time,
                Times::Exact => phrase::exact_time,
            }),
            blocks: Vec::new(),
            spot: None,
            bubble: None,
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
            counts: Counts::of(message),
            entries: self.entries(message, at.as_ref()),
            bubble: bubbles.bubble,
            blocks: bubbles.blocks,
        }
    }

    fn event(&mut self, sentence: &str, bubbles: &mut Bubbles<'_>) {
        let mut texts = vec![sentence.to_owned()];
        texts.extend(phrase::statuses(bubbles.message, &mut self.clock));
        texts.extend(bubbles.message.defects.iter().map(|d| phrase::one_line(d).into_owned()));
        for text in texts {
            let measure = Measure { size: self.style.points(8.5), width: self.style.middle() };
            let lines = self.engine.plain(&text, QUIET, measure);
            let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
            // Each line by itself.
            let centered = |line: Line| {
                let x = self.style.middle_x(line.width) - line.x;
                line.into_row(x)
            };
            let mut rows: Vec<Row> = lines.lines.into_iter().map(centered).collect();
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
        let mut index = None;
        for (number, part) in message.parts.iter().enumerate() {
            if index.replace(part.index) != Some(part.index) {
                bubbles.spot = None;
            }
            match &part.content {
                PartContent::Text { text, styles } => {
                    let blank = text.trim().is_empty() && styles.is_empty() && subject.is_none();
                    // White space between pictures is no bubble.
                    if !blank || message.parts.len() == 1 {
                        let styled = styled(text, styles, subject.take());
                        self.text_bubble(&styled, bubbles);
                        for remark in &styled.effects {
                            self.remark(remark, Color::Quiet, bubbles);
                        }
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
                self.stickers(message.tapbacks.iter().filter(|tapback| tapback.part == part.index), bubbles);
                self.tapbacks(&message.tapbacks, Some(part.index), bubbles);
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
        self.stickers(stray.iter(), bubbles);
        self.tapbacks(&stray, None, bubbles);
        for line in phrase::edits(message, at, &mut self.clock) {
            self.remark(&line, Color::Quiet, bubbles);
        }
        if self.style.times == Times::Exact
            && let Some(line) = phrase::receipts(message, at, &mut self.clock)
        {
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
    pub(super) fn stamp(&mut self, bubbles: &mut Bubbles<'_>, row: Option<&mut Row>, baseline: f32) {
        let Some(row) = row else { return };
        if let Some(time) = bubbles.time.take() {
            let line = self.engine.label(&time, QUIET, self.style.points(TINY), 100.0);
            let x = self.style.time_x(line.width);
            let shift = baseline - line.baseline;
            let mut items = line.into_row(x).items;
            items.iter_mut().for_each(|item| item.shift(0.0, shift));
            // In front: who copies the text gets the time first.
            row.items.splice(0..0, items);
        }
    }

    fn text_bubble(&mut self, styled: &Styled, bubbles: &mut Bubbles<'_>) {
        let large = is_only_emoji(&styled.text);
        let measure = Measure {
            size: self.style.points(if large { LARGE } else { BODY }),
            width: self.style.text_width,
        };
        let lines = self.engine.text(&styled.text, &styled.spans, &styled.links, measure);
        let inset = if large { self.style.points(2.0).min(self.style.inset()) } else { self.style.inset() };
        // Whole points compress better, see `layout`.
        let width = lines.width.max(8.0).ceil() + 2.0 * inset;
        let x = bubbles.side.x(width, &self.style);
        let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
        let mut rows = lines.into_rows(x + inset);
        self.stamp(bubbles, rows.first_mut(), baseline);
        let frame = self.style.bubble(x, width, bubbles.fill, bubbles.carrier);
        let block = Block { frame: (!large).then_some(frame), rows, ..Block::default() };
        let height = block.height();
        bubbles.push(block, Area { x, width, height, words: true });
    }

    /// A bubble without a color: what is not there any more.
    fn outlined(&mut self, words: &str, bubbles: &mut Bubbles<'_>) {
        let ink = Ink { italic: true, ..QUIET };
        let lines = self.engine.plain(
            words,
            ink,
            Measure { size: self.style.points(9.0), width: self.style.text_width },
        );
        let inset = self.style.inset();
        let width = lines.width + 2.0 * inset;
        let x = bubbles.side.x(width, &self.style);
        let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
        let mut rows = lines.into_rows(x + inset);
        self.stamp(bubbles, rows.first_mut(), baseline);
        let block = Block { frame: Some(self.style.outline(x, width)), rows, ..Block::default() };
        let height = block.height();
        bubbles.push(block, Area { x, width, height, words: true });
    }

    /// What a reply replies to, above its bubble.
    fn quote(&mut self, text: &str, guid: &str, bubbles: &mut Bubbles<'_>) {
        let lines = self.engine.plain(text, QUIET, self.small(self.style.box_width));
        let width = lines.width + 10.0;
        let x = bubbles.side.x(width + 4.0, &self.style);
        let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
        let mut row = lines.into_row(x + 8.0);
        // In a list the line of the message begins here.
        if self.style.is_list() {
            self.stamp(bubbles, Some(&mut row), baseline);
        }
        let bar = Rectangle { x, y: 1.0, width: 2.0, height: row.height - 2.0 };
        row.items.push(Item::Shape(Shape::bar(bar, Color::Accent)));
        let target = Target::Message { guid: guid.to_owned() };
        let at = Rectangle { x, y: 0.0, width, height: row.height };
        row.items.push(Item::Link { at, target });
        bubbles.add(Block { rows: vec![row], keep_with_next: true, ..Block::default() });
    }

    /// How small text is set.
    pub(super) fn small(&self, width: f32) -> Measure {
        Measure { size: self.style.points(SMALL), width }
    }

    /// A line or more below a bubble.
    pub(super) fn remark(&mut self, text: &str, color: Color, bubbles: &mut Bubbles<'_>) {
        let ink = Ink { color, ..QUIET };
        let lines = self.engine.plain(text, ink, self.small(self.style.text_width));
        let x = bubbles.side.x(lines.width + 8.0, &self.style) + 4.0;
        let block = Block { before: 2.0, rows: lines.into_rows(x), ..Block::default() };
        bubbles.below(block, &self.style);
    }

    /// An app's card.
    fn card(&mut self, balloon: &Balloon, shown: &mut [bool], bubbles: &mut Bubbles<'_>) {
        let style = self.style;
        let (width, inset) = (style.box_width, style.points(INSET));
        let x = bubbles.side.x(width, &style);
        let inner = width - 2.0 * inset;
        let mut rows = Vec::new();
        let label = phrase::balloon_label(balloon);
        let measure = |size| Measure { size: style.points(size), width: inner };
        let lines = self.engine.plain(&label, Ink { bold: true, ..QUIET }, measure(TINY));
        let baseline = lines.lines.first().map_or(9.0, |line| line.baseline);
        rows.extend(lines.into_rows(x + inset));
        rows.extend(balloon.drawing.as_deref().map(|drawn| vector::row(drawn, balloon, x + inset, &style)));
        let mut boxes = Vec::new();
        let mut pictures = Vec::new();
        for index in &balloon.attachments {
            let Some(attachment) = bubbles.message.attachments.get(*index) else { continue };
            if let Some(shown) = shown.get_mut(*index) {
                *shown = true;
            }
            let found = match attachment.availability {
                Availability::Local => self.gallery.picture(attachment),
                _ => Err(Undrawable::OtherKind),
            };
            match found {
                Ok(picture) => pictures.push(picture),
                Err(_) if !attachment.hidden => boxes.push(attachment),
                Err(_) => {}
            }
        }
        let inline = balloon.pictures().take(MOST_INLINE).filter_map(|bytes| self.gallery.inline(bytes).ok());
        pictures.extend(inline);
        for (number, picture) in pictures.into_iter().enumerate() {
            // A link's picture and its icon: the first is enough for the eye, in a card of this size.
            let wide = if number == 0 { inner } else { 32.0 };
            rows.push(card_picture(picture, label.clone(), x + inset, wide));
        }
        let url = balloon.url.as_deref().map(phrase::one_line);
        for (number, line) in self.card_lines(balloon, bubbles.message).iter().enumerate() {
            let text = match line {
                CardLine::Text(text) => text,
                CardLine::Option(option) => {
                    rows.extend(self.poll_option(option, balloon, x + inset, inner));
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
            rows.extend(lines.into_rows(x + inset));
        }
        self.stamp(bubbles, rows.first_mut(), baseline);
        let block = Block { frame: Some(style.card(x)), rows, ..Block::default() };
        let height = block.height();
        bubbles.push(block, Area { x, width, height, words: true });
        for attachment in boxes {
            self.attachment(attachment, bubbles);
        }
    }
}

impl Bubbles<'_> {
    /// Adds a bubble or a picture.
    pub(super) fn push(&mut self, block: Block, area: Area) {
        self.spot.get_or_insert(Spot { block: self.blocks.len(), area });
        self.bubble = Some(self.blocks.len());
        self.add(block);
    }

    /// Adds what is said of the last block: at the top of a page it would seem to be said of nothing.
    pub(super) fn below(&mut self, block: Block, style: &Style) {
        if let Some(said_of) = self.blocks.last_mut() {
            said_of.keep_with_next = !said_of.may_be_divided(style);
        }
        self.add(block);
    }

    fn add(&mut self, mut block: Block) {
        if block.before == 0.0 && !self.blocks.is_empty() {
            block.before = 2.5;
        }
        self.blocks.push(block);
    }
}

/// A picture in a card, at most so wide.
fn card_picture(picture: Arc<Picture>, alt: String, x: f32, wide: f32) -> Row {
    let (w, h) = picture.size();
    let scale = (wide / w as f32).min(130.0 / h as f32).min(PIXEL);
    let (y, width, height) = (3.0, (w as f32 * scale).max(4.0), (h as f32 * scale).max(4.0));
    let at = Rectangle { x, y, width, height };
    let film = picture.film;
    let mut items = vec![Item::Image { picture, at, setting: Setting::Framed, alt }];
    if film {
        items.extend(play_mark(&at));
    }
    Row { height: height + 7.0, items }
}
