//! What is on a page before it is PDF: text runs, shapes, pictures and links, in points.
//!
//! Layout makes [`Block`]s out of [`Row`]s; the paginator puts rows on pages and never divides one. Inside a row,
//! `x` counts from the page's left edge and `y` downwards from the row's top.

use std::ops::Range;
use std::sync::Arc;

use super::fonts::Face;
use super::image::Picture;
use super::places::Place;
use super::shape::{Form, Rectangle, Shape};
use super::style::Style;

/// What a color is for; [`Style`] says which it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Color {
    #[default]
    Text,
    /// Times, names, remarks.
    Quiet,
    Link,
    /// Something went wrong or is missing.
    Alarm,
    /// The bubbles.
    Received,
    SentBlue,
    SentGreen,
    /// Cards and boxes.
    Paper,
    /// Tapbacks.
    Capsule,
    Hairline,
    Accent,
}

/// One drawn glyph and the text it stands for.
#[derive(Debug, Clone, Copy)]
pub struct Glyph {
    /// The face's glyph id; once the document has taken it in, the code that content shows.
    pub id: u32,
    /// The advance that the face gives it, in thousandths of an em.
    pub natural: f32,
    /// To the next glyph, in points.
    pub advance: f32,
    /// Off the pen's position, in points, upwards.
    pub dx: f32,
    pub dy: f32,
    /// A range of [`TextRun::text`]; empty for all but the first glyph of a cluster.
    pub start: u32,
    pub len: u16,
    /// How many glyphs from this one on stand for that text together; 0 for those that follow the first.
    pub cluster: u8,
    /// The text must be said explicitly: the code alone does not tell it.
    pub explicit: bool,
}

/// Glyphs of one face, size and color on one baseline, from left to right.
#[derive(Debug, Clone)]
pub struct TextRun {
    pub face: Arc<Face>,
    pub size: f32,
    pub x: f32,
    /// The baseline, from the row's top.
    pub y: f32,
    pub color: Color,
    /// Slanted because the face has no italic.
    pub skew: bool,
    /// Thickened because the face has no bold.
    pub embolden: bool,
    pub text: String,
    pub glyphs: Vec<Glyph>,
}

impl Glyph {
    /// What it stands for, of its run's text.
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        let range: Range<usize> = self.start as usize..self.start as usize + usize::from(self.len);
        text.get(range).unwrap_or_default()
    }
}

impl TextRun {
    /// The text that a glyph stands for.
    pub fn text_of(&self, glyph: &Glyph) -> &str {
        glyph.of(&self.text)
    }
}

impl TextRun {
    /// Where it ends, from where its `x` counts.
    pub fn end(&self) -> f32 {
        self.x + self.glyphs.iter().map(|glyph| glyph.advance).sum::<f32>()
    }

    /// Whether it begins where another ends.
    pub fn follows(&self, before: &TextRun) -> bool {
        (self.x - before.end()).abs() < 0.6 && (self.y - before.y).abs() < 0.6
    }

    /// Goes on with what follows it, if that looks the same, or is the space between two words; false if not. (Fonts of
    /// other scripts are shaped word by word, with spaces of the first font between them.)
    pub fn take_over(&mut self, next: &TextRun) -> bool {
        let looks = |run: &TextRun| (run.size, run.color, run.skew, run.embolden);
        if looks(self) != looks(next) || !next.follows(self) {
            return false;
        }
        let start = self.text.len() as u32;
        if self.face.key == next.face.key {
            self.glyphs
                .extend(next.glyphs.iter().map(|glyph| Glyph { start: start + glyph.start, ..*glyph }));
        } else if let ([glyph], " ", Some(space)) =
            (next.glyphs.as_slice(), next.text.as_str(), self.space(&self.face))
        {
            self.glyphs.push(Glyph { advance: glyph.advance, ..space });
        } else {
            return false;
        }
        self.text.push_str(&next.text);
        true
    }

    /// Whether its last glyph is white space.
    pub fn ends_in_space(&self) -> bool {
        self.glyphs.last().is_some_and(|glyph| self.text_of(glyph).ends_with(char::is_whitespace))
    }

    /// Puts a space before it; false where the face has none.
    pub fn begin_with_space(&mut self) -> bool {
        let Some(space) = self.space(&self.face) else { return false };
        self.x -= space.advance;
        self.glyphs.insert(0, space);
        self.text.push(' ');
        true
    }

    /// A space to follow it; `None` where the face has none, and where what is read last does not stand last.
    pub fn space_after(&self) -> Option<Glyph> {
        let last = self.glyphs.iter().rfind(|glyph| glyph.len > 0)?;
        let is_read_last = last.start as usize + usize::from(last.len) == self.text.len();
        self.space(&self.face).filter(|_| is_read_last)
    }

    /// The same space as a run of another face.
    pub fn space_before(&self, face: Arc<Face>) -> Option<TextRun> {
        let space = Glyph { start: 0, ..self.space(&face)? };
        let x = self.x - space.advance;
        let (text, glyphs) = (" ".to_owned(), vec![space]);
        Some(TextRun { face, x, text, glyphs, skew: false, embolden: false, ..self.clone() })
    }

    /// A space, of the text behind all others.
    fn space(&self, face: &Face) -> Option<Glyph> {
        let id = face.space?;
        let natural = face.width(id);
        let (advance, start) = (natural * self.size / 1000.0, self.text.len() as u32);
        Some(Glyph { id, natural, advance, dx: 0.0, dy: 0.0, start, len: 1, cluster: 1, explicit: false })
    }
}

/// What a block begins, to who has the document read aloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The document's title.
    Title,
    /// The heading of a day, or of a part of the front matter.
    Heading,
    /// A heading below that.
    Subheading,
    /// A message, or a paragraph of anything else.
    Paragraph,
}

/// A part of a table, to who has the document read aloud: what follows in its block is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TablePart {
    /// The next line of the table.
    Line,
    /// A cell of that line; one may be gone on with after another.
    Cell(Cell),
}

/// A cell in a line of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub column: u8,
    pub heads: Option<Scope>,
}

impl Cell {
    /// What the line is about.
    pub const HEAD: Item = Item::Part(TablePart::Cell(Cell { column: 0, heads: Some(Scope::Row) }));

    /// An ordinary cell.
    pub const fn at(column: u8) -> Item {
        Item::Part(TablePart::Cell(Cell { column, heads: None }))
    }

    /// One that says what is in a column.
    pub const fn caption(column: u8) -> Item {
        Item::Part(TablePart::Cell(Cell { column, heads: Some(Scope::Column) }))
    }
}

/// What a heading cell is the heading of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Row,
    Column,
}

impl Scope {
    /// The attribute's value (ISO 32000-1, 14.8.5.7).
    pub fn name(self) -> &'static [u8] {
        match self {
            Scope::Row => b"Row",
            Scope::Column => b"Column",
        }
    }
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An address of an allowed scheme, or a relative one.
    Uri(String),
    /// Another message of this document.
    Message { guid: String },
    /// A place of this document.
    Place(Place),
}

/// Something on a page.
#[derive(Debug, Clone)]
pub enum Item {
    Text(TextRun),
    /// Text that says nothing to who cannot see it: what it says is said elsewhere.
    Ornament(TextRun),
    /// Draws nothing.
    Part(TablePart),
    /// The shapes that follow it in its row are one picture, for which these words stand. Draws nothing.
    Figure(String),
    Shape(Shape),
    /// `alt` stands for it where it cannot be seen.
    Image {
        picture: Arc<Picture>,
        at: Rectangle,
        setting: Setting,
        alt: String,
    },
    Link {
        at: Rectangle,
        target: Target,
    },
}

/// How a picture stands on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// A photo: with round corners and a hairline.
    Framed,
    /// A sticker that is a message.
    Free,
    /// A sticker that was put on something: over everything else, turned clockwise about its center, in radians.
    Stuck { turn: f32 },
}

impl Item {
    /// What tells on which side of a cut it is, from the row's top.
    fn top(&self) -> f32 {
        match self {
            Item::Text(run) | Item::Ornament(run) => run.y,
            Item::Part(_) | Item::Figure(_) => 0.0,
            Item::Shape(Shape { at, .. }) | Item::Image { at, .. } | Item::Link { at, .. } => at.y,
        }
    }

    fn line_end(&self) -> Option<f32> {
        match self {
            Item::Text(run) | Item::Ornament(run) => Some(run.y + 0.3 * run.size),
            _ => None,
        }
    }

    /// What can be shortened: bars and links.
    fn stretch(&mut self) -> Option<&mut Rectangle> {
        match self {
            Item::Shape(Shape { at, form: Form::Bar(_) }) | Item::Link { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Shortens what reaches over `end` and can be shortened; returns the rest of it.
    fn cut(&mut self, end: f32) -> Option<Item> {
        let mut rest = self.clone();
        let (at, below) = (self.stretch()?, rest.stretch()?);
        if at.y >= end || at.bottom() <= end {
            return None;
        }
        (below.y, below.height) = (end, at.bottom() - end);
        at.height = end - at.y;
        Some(rest)
    }

    /// The same as something that is only looked at.
    pub fn into_ornament(self) -> Item {
        match self {
            Item::Text(run) => Item::Ornament(run),
            other => other,
        }
    }

    /// Moves it down, or to the right.
    pub fn shift(&mut self, right: f32, down: f32) {
        let (x, y) = match self {
            Item::Text(run) | Item::Ornament(run) => (&mut run.x, &mut run.y),
            Item::Part(_) | Item::Figure(_) => return,
            Item::Shape(Shape { at, .. }) | Item::Image { at, .. } | Item::Link { at, .. } => {
                (&mut at.x, &mut at.y)
            }
        };
        *x += right;
        *y += down;
    }
}

/// What stands or falls together on a page.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub height: f32,
    pub items: Vec<Item>,
}

impl Row {
    /// The row in pieces that are at most `most` points high: one that no page could hold is divided between its
    /// lines. Pictures stay whole.
    pub fn divided(self, most: f32) -> Vec<Row> {
        if self.height <= most {
            return vec![self];
        }
        // Where lines end, with room for what hangs below the baseline.
        let mut ends: Vec<f32> = self.items.iter().filter_map(Item::line_end).collect();
        ends.sort_by(f32::total_cmp);
        let mut pieces = Vec::new();
        let mut rest = self.items;
        let mut top = 0.0;
        while top < self.height {
            let fits = ends.iter().rev().find(|end| **end > top && **end <= top + most);
            let end = if self.height - top <= most { self.height } else { *fits.unwrap_or(&(top + most)) };
            let mut piece = Row { height: end - top, items: Vec::new() };
            let mut later = Vec::new();
            for mut item in rest {
                let after = item.cut(end);
                later.extend(after);
                if item.top() < end {
                    item.shift(0.0, -top);
                    piece.items.push(item);
                } else {
                    later.push(item);
                }
            }
            pieces.push(piece);
            rest = later;
            top = end;
        }
        pieces
    }
}

/// A background behind a block's rows; each page that shows some of them has its own.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub x: f32,
    pub width: f32,
    pub radius: f32,
    pub fill: Option<Color>,
    pub stroke: Option<Color>,
    /// Between the background's edge and the first and last row.
    pub padding: f32,
}

/// Rows that follow each other, with a background.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// White space above, dropped at the top of a page.
    pub before: f32,
    pub frame: Option<Frame>,
    pub rows: Vec<Row>,
    /// Never the last thing on a page.
    pub keep_with_next: bool,
    /// Room to leave on the page below its end: for a last line, which is not to stand on a page alone.
    pub room_below: f32,
    /// `None` goes on with what the block before is of.
    pub begins: Option<Role>,
    /// What stands above the rest of it on a page to which it is continued.
    pub continued: Option<Row>,
}

impl Block {
    /// Its height on one page, without the space above.
    pub fn height(&self) -> f32 {
        self.rows.iter().map(|row| row.height).sum::<f32>() + 2.0 * self.padding()
    }

    /// A long bubble is divided between pages rather than leaving much of one empty.
    pub fn may_be_divided(&self, style: &Style) -> bool {
        self.rows.len() > 3 && self.height() > style.body() * 0.2
    }

    pub fn padding(&self) -> f32 {
        self.frame.map_or(0.0, |frame| frame.padding)
    }
}
