//! What changes from one message to the next, and what says so on the page: days, times, names, initials.

use crate::writers::phrase;

use super::blocks::{Laid, QUIET, SMALL, Speaker};
use super::layout::{Engine, Ink, Lines, Measure};
use super::page::{Block, Color, Item, Role, Row};
use super::shape::{Rectangle, Shape};
use super::style::Style;

/// After a pause of so many seconds the time and a name are shown again.
const PAUSE: i64 = 60 * 60;
/// Of a name above its bubbles, in characters; the title block has it in full.
const LONGEST_NAME: usize = 240;

/// What is new with a message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Turn {
    pub day: bool,
    pub pause: bool,
    pub service: bool,
    pub speaker: bool,
}

impl Turn {
    /// It does not belong to what was said before.
    pub fn any(self) -> bool {
        self.day || self.pause || self.service || self.speaker
    }
}

/// What the messages so far leave to compare with.
#[derive(Debug, Default)]
pub struct Before {
    day: Option<i64>,
    seconds: Option<i64>,
    speaker: Option<Speaker>,
    service: Option<String>,
}

impl Before {
    /// What is new with the next message.
    pub fn turn(&mut self, next: &Laid) -> Turn {
        let day = next.at.as_ref().map(|at| at.day_number());
        let pause = match (next.seconds, self.seconds) {
            (Some(now), Some(before)) => now.saturating_sub(before).abs() > PAUSE,
            _ => false,
        };
        let turn = Turn {
            day: day.is_some() && day != self.day,
            pause,
            service: next.service.is_some() && next.service != self.service,
            speaker: next.speaker != self.speaker,
        };
        self.day = day.or(self.day);
        self.seconds = next.seconds.or(self.seconds);
        if next.service.is_some() && next.speaker.is_some() {
            self.service.clone_from(&next.service);
        }
        self.speaker.clone_from(&next.speaker);
        turn
    }
}

/// What stands above a message, or with it, because something is new.
pub fn separators(laid: &mut Laid, turn: Turn, style: &Style, engine: &mut Engine) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(at) = laid.at.as_ref().filter(|_| turn.day) {
        blocks.push(day_block(&phrase::day_heading(at), style, engine));
    }
    if turn.any()
        && let Some(speaker) = &laid.speaker
    {
        let service = laid.service.as_deref().filter(|_| turn.service);
        if style.is_list() {
            let name = list_name(speaker, service, style, engine);
            if let Some(row) = laid.blocks.first_mut().and_then(|block| block.rows.first_mut()) {
                row.height = row.height.max(name.height);
                // Behind the time, before what is said: who copies the text gets it in this order.
                let said = |item: &Item| matches!(item, Item::Text(run) if run.x > style.name_x());
                let at = row.items.iter().position(said).unwrap_or(row.items.len());
                row.items.splice(at..at, name.items);
            }
        } else {
            let mut block = name_block(speaker, service, style, engine);
            if let Some(at) = laid.at.as_ref().filter(|_| turn.pause && !turn.day) {
                time_in_the_middle(&mut block, &phrase::time(at), style, engine);
            }
            blocks.push(block);
        }
    }
    blocks
}

/// `Wednesday, 1 May 2024` between two hairlines.
fn day_block(words: &str, style: &Style, engine: &mut Engine) -> Block {
    let line = engine.words(words, Ink { bold: true, ..QUIET }, style.points(8.5), style.measure());
    let (width, height) = (line.width, line.height);
    let x = style.side + (style.measure() - width) / 2.0;
    let mut row = line.into_row(x);
    let side = (style.measure() - width) / 2.0 - 10.0;
    let y = height / 2.0;
    for x in [style.side, style.right() - side] {
        let rule = Rectangle { x, y, width: side, height: 0.5 };
        row.items.push(Item::Shape(Shape::bar(rule, Color::Hairline)));
    }
    if style.is_list() {
        // No name stands between the day and what was said.
        row.height += style.points(3.0);
    }
    let begins = Some(Role::Heading);
    Block { before: style.gap(16.0), rows: vec![row], keep_with_next: true, begins, ..Block::default() }
}

/// The time, where it went on after a pause: in the line of the name, for it would else make many pages of few words.
fn time_in_the_middle(block: &mut Block, words: &str, style: &Style, engine: &mut Engine) {
    let line = engine.label(words, Ink { bold: true, ..QUIET }, style.points(SMALL), style.measure());
    let width = line.width;
    let x = style.side + (style.measure() - width) / 2.0;
    let mut time = line.into_row(x);
    let clear = |item: &Item| match item {
        Item::Text(run) => {
            let end = run.x + run.glyphs.iter().map(|glyph| glyph.advance).sum::<f32>();
            end + 10.0 < x || run.x > x + width + 10.0
        }
        _ => true,
    };
    match block.rows.first_mut() {
        Some(row) if row.items.iter().all(clear) => {
            time.items.append(&mut row.items);
            row.items = time.items;
        }
        _ => block.rows.insert(0, time),
    }
}

/// Who speaks from here on, and over which service when that is new.
fn name_block(speaker: &Speaker, service: Option<&str>, style: &Style, engine: &mut Engine) -> Block {
    let bold = Ink { bold: true, ..QUIET };
    let measure = Measure { size: style.points(SMALL), width: style.box_width };
    // In full where it can be: two names may differ at their ends only.
    let name = engine.name(&phrase::shortened(&speaker.name, LONGEST_NAME), bold, measure);
    let service = service.map(|service| {
        let words = format!("· {}", phrase::service(service));
        engine.label(&words, QUIET, style.points(SMALL), style.points(140.0))
    });
    // Behind the name's last line.
    let (end, baseline) = name.lines.last().map_or((0.0, 0.0), |line| (line.width + 4.0, line.baseline));
    let width = name.width.max(service.as_ref().map_or(0.0, |service| end + service.width));
    let x = if speaker.from_me { style.lane_right() - width - 6.0 } else { style.lane_left() + 6.0 };
    let mut rows = Lines::clone(&name).into_rows(x);
    if let (Some(service), Some(row)) = (service, rows.last_mut()) {
        let shift = baseline - service.baseline;
        let mut items = service.into_row(x + end).items;
        items.iter_mut().for_each(|item| item.shift(0.0, shift));
        row.items.append(&mut items);
    }
    let begins = Some(Role::Paragraph);
    Block { before: style.gap(10.0), rows, keep_with_next: true, begins, ..Block::default() }
}

/// The same for the column of names in a list.
fn list_name(speaker: &Speaker, service: Option<&str>, style: &Style, engine: &mut Engine) -> Row {
    let mut words = phrase::shortened(&speaker.name, LONGEST_NAME).into_owned();
    if let Some(service) = service {
        words.push_str(" · ");
        words.push_str(&phrase::service(service));
    }
    let measure = Measure { size: style.points(10.0), width: style.name_column - style.points(6.0) };
    let ink = Ink { bold: true, ..Ink::default() };
    Lines::clone(&engine.name(&words, ink, measure)).into_row(style.name_x())
}

/// Says whose a bubble is once more, on the page to which it is continued.
pub fn continued(laid: &mut Laid, style: &Style, engine: &mut Engine) {
    let Some(speaker) = &laid.speaker else { return };
    for block in laid.blocks.iter_mut().filter(|block| block.may_be_divided(style)) {
        let words = format!("{} (continued)", phrase::shortened(&speaker.name, LONGEST_NAME));
        let measure = Measure { size: style.points(SMALL), width: style.box_width };
        let lines = Lines::clone(&engine.name(&words, Ink { bold: true, ..QUIET }, measure));
        let x = match (style.is_list(), speaker.from_me) {
            (true, _) => style.lane_left(),
            (false, true) => style.lane_right() - lines.width - 6.0,
            (false, false) => style.lane_left() + 6.0,
        };
        let mut row = lines.into_row(x);
        row.height += 2.0;
        block.continued = Some(row);
    }
}

/// A disc with the speaker's initials, beside the last bubble before somebody else speaks.
pub fn initials(laid: &mut Laid, style: &Style, engine: &mut Engine) {
    let Some(size) = style.disc() else { return };
    let Some(speaker) = laid.speaker.as_ref().filter(|speaker| !speaker.from_me) else { return };
    let Some(block) = laid.bubble.and_then(|bubble| laid.blocks.get_mut(bubble)) else { return };
    let padding = block.padding();
    let Some(row) = block.rows.last_mut() else { return };
    let at = Rectangle { x: style.side, y: row.height + padding - size, width: size, height: size };
    row.items.push(Item::Shape(style.mark(at, size / 2.0)));
    let ink = Ink { bold: true, ..QUIET };
    let line = engine.label(&letters(&speaker.name), ink, style.points(7.0), size);
    let (x, y) = (at.x + (size - line.width) / 2.0, at.y + (size - line.height) / 2.0);
    let mut letters = line.into_ornament(x);
    letters.iter_mut().for_each(|item| item.shift(0.0, y));
    row.items.append(&mut letters);
}

/// The first letters of the first and the last word; `#` for a number.
fn letters(name: &str) -> String {
    let mut words =
        name.split_whitespace().filter_map(|word| word.chars().next()).filter(|c| c.is_alphabetic());
    let (first, last) = (words.next(), words.next_back());
    let both: String = first.into_iter().chain(last).flat_map(char::to_uppercase).collect();
    if both.is_empty() { "#".to_owned() } else { both }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_letters_or_a_sign() {
        for (name, expected) in [
            ("Ana Abbott", "AA"),
            ("Ana Maria de Souza", "AS"),
            ("wren", "W"),
            ("+1 202 555 0143", "#"),
            ("🍞 Otto", "O"),
            ("李雷", "李"),
            ("ßen Ünal", "SSÜ"),
            ("", "#"),
        ] {
            assert_eq!(letters(name), expected, "{name}");
        }
    }
}
