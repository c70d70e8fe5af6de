//! Text → lines of placed glyphs, by parley: shaping, fallback between faces, both directions, line breaking.
//!
//! Every paragraph finds its own direction, as in a chat. Nothing is dropped: what no face has is drawn as a box and
//! keeps its text.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use parley::style::{FontFamily, FontFamilyName, FontStyle, FontWeight, OverflowWrap, StyleProperty};
use parley::{Alignment, AlignmentOptions, Layout, LayoutContext};
use unicode_segmentation::UnicodeSegmentation as _;

use super::bundle::{EMOJI, Faces, LATIN};
use super::fonts::{FontSet, Library, family_name};
use super::kept::Kept;
use super::page::{Color, Item, Row, Target};
use super::placer::Placer;
use super::scripts::{Needs, needs};

/// Longer paragraphs are laid out in pieces, so that no message can make layout slow.
const LONGEST_PARAGRAPH: usize = 8_000;
/// No line holds more characters.
const LONGEST_LABEL: usize = 400;

/// How a stretch of text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ink {
    pub color: Color,
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    pub strike: bool,
    /// 1 + an index into the links given along.
    pub link: u16,
}

/// A text's size and width.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// In points.
    pub size: f32,
    /// The widest line, in points.
    pub width: f32,
}

/// Lines, all of one text.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// The widest line's.
    pub width: f32,
    pub lines: Vec<Line>,
}

/// One line, from x = 0.
#[derive(Debug, Clone, Default)]
pub struct Line {
    pub height: f32,
    /// From the line's top.
    pub baseline: f32,
    /// Where ink begins and how wide it is: lines of right-to-left paragraphs stand at the right.
    pub x: f32,
    pub width: f32,
    pub items: Vec<Item>,
}

impl Lines {
    /// Rows with their text beginning at `x`.
    pub fn into_rows(self, x: f32) -> Vec<Row> {
        self.lines.into_iter().map(|line| line.into_row(x)).collect()
    }

    /// All lines as one row that is never divided.
    pub fn into_row(self, x: f32) -> Row {
        let mut whole = Row::default();
        for line in self.lines {
            let mut row = line.into_row(x);
            row.items.iter_mut().for_each(|item| item.shift(0.0, whole.height));
            whole.items.append(&mut row.items);
            whole.height += row.height;
        }
        whole
    }
}

impl Line {
    /// Puts another behind its last run.
    fn go_on(&mut self, next: Line) {
        let end = self.items.iter().rev().find_map(|item| match item {
            Item::Text(run) => Some(run.end()),
            _ => None,
        });
        let end = end.unwrap_or(self.width);
        self.width = end + next.width;
        for mut item in next.items {
            item.shift(end, 0.0);
            let is_taken = match (self.items.last_mut(), &item) {
                (Some(Item::Text(before)), Item::Text(run)) => before.take_over(run),
                _ => false,
            };
            if !is_taken {
                self.items.push(item);
            }
        }
    }

    /// The line with its text beginning at `x`, as something that is only looked at.
    pub fn into_ornament(self, x: f32) -> Vec<Item> {
        self.into_row(x).items.into_iter().map(Item::into_ornament).collect()
    }

    /// The line as a row with its text beginning at `x`.
    pub fn into_row(mut self, by: f32) -> Row {
        let by = even(by);
        self.items.iter_mut().for_each(|item| item.shift(by, 0.0));
        Row { height: self.height, items: self.items }
    }
}

/// Characters that no face had, by script.
pub type Boxes = BTreeMap<String, u64>;

/// Lays out texts; one for each worker.
pub struct Engine {
    library: Library,
    context: LayoutContext<Ink>,
    layout: Layout<Ink>,
    stacks: HashMap<Faces, Arc<Stack>>,
    kept: Kept,
    /// Of the placer: kept for its memory only.
    drawn: Vec<parley::Glyph>,
    /// Drawn as boxes since they were last taken.
    pub boxes: Boxes,
}

/// The families for texts that need the same faces.
struct Stack {
    text: Families,
    /// The same with the emoji first.
    emoji: Families,
    /// The same with the Latin faces last.
    symbols: Families,
}

/// Families, the first choice first.
struct Families(Vec<FontFamilyName<'static>>);

impl Families {
    fn new(names: Vec<String>) -> Families {
        Families(names.into_iter().map(|name| FontFamilyName::Named(name.into())).collect())
    }

    fn property(&self) -> StyleProperty<'_, Ink> {
        StyleProperty::FontFamily(FontFamily::List(Cow::Borrowed(&self.0)))
    }
}

impl Engine {
    pub fn new(fonts: Arc<FontSet>) -> Engine {
        Engine {
            library: Library::new(fonts),
            context: LayoutContext::new(),
            layout: Layout::new(),
            stacks: HashMap::new(),
            kept: Kept::default(),
            drawn: Vec::new(),
            boxes: Boxes::new(),
        }
    }

    /// A short text on one line, kept for the next time. What is too long for `width` ends in `…`.
    pub fn label(&mut self, text: &str, ink: Ink, size: f32, width: f32) -> Line {
        let lines = self.kept(text, ink, Measure { size, width }, true);
        lines.lines.first().cloned().unwrap_or_default()
    }

    /// A label of our own words, such as a day: each of them is kept, for they return far more often than all together.
    pub fn words(&mut self, text: &str, ink: Ink, size: f32, width: f32) -> Line {
        let mut words = text.split_inclusive(' ');
        let mut line = self.label(words.next().unwrap_or_default(), ink, size, width);
        for word in words {
            line.go_on(self.label(word, ink, size, width));
        }
        if line.width > width { self.label(text, ink, size, width) } else { line }
    }

    /// A short text on as many lines as it needs, kept for the next time.
    pub fn name(&mut self, text: &str, ink: Ink, measure: Measure) -> Arc<Lines> {
        self.kept(text, ink, measure, false)
    }

    fn kept(&mut self, text: &str, ink: Ink, measure: Measure, one_line: bool) -> Arc<Lines> {
        let Measure { size, width } = measure;
        let key = (text.to_owned(), ink, (size * 8.0) as u32 ^ ((width as u32) << 8), one_line);
        if let Some(lines) = self.kept.get(&key) {
            return lines;
        }
        let mut lines = self.plain(text, ink, measure);
        if one_line && lines.lines.len() > 1 {
            let beginning = self.beginning(text, ink, measure);
            lines = self.plain(&beginning, ink, measure);
        }
        let lines = Arc::new(lines);
        self.kept.insert(key, lines.clone());
        lines
    }

    /// As much of the text's beginning as fits on one line with `…` behind it.
    fn beginning(&mut self, text: &str, ink: Ink, measure: Measure) -> String {
        let ends: Vec<usize> =
            text.grapheme_indices(true).map(|(at, _)| at).skip(1).take(LONGEST_LABEL).collect();
        let cut = |end: usize| format!("{}…", text.get(..end).unwrap_or_default().trim_end());
        let fitting = ends.partition_point(|end| self.plain(&cut(*end), ink, measure).lines.len() == 1);
        cut(fitting.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0))
    }

    /// Lays out a text of any length in one ink.
    pub fn plain(&mut self, text: &str, ink: Ink, measure: Measure) -> Lines {
        self.text(text, &[(0..text.len(), ink)], &[], measure)
    }

    /// Lays out a text. `spans` are byte ranges in order, without gaps or overlaps, that cover the text.
    pub fn text(
        &mut self,
        text: &str,
        spans: &[(Range<usize>, Ink)],
        links: &[Target],
        measure: Measure,
    ) -> Lines {
        let mut all = Lines::default();
        let mut rights = Vec::new();
        for paragraph in paragraphs(text) {
            let first = all.lines.len();
            let rtl = self.paragraph(text, paragraph, spans, links, measure, &mut all);
            if rtl {
                rights.push(first..all.lines.len());
            }
        }
        // Right-to-left lines were set against the full measure; the text is only as wide as its widest line.
        for lines in rights {
            for line in all.lines.get_mut(lines).unwrap_or_default() {
                let excess = measure.width - all.width;
                let row = std::mem::take(line);
                let (x, width, height, baseline) = (row.x - excess, row.width, row.height, row.baseline);
                let items = row.into_row(-excess).items;
                *line = Line { height, baseline, x, width, items };
            }
        }
        all
    }

    /// Returns whether the paragraph runs from right to left.
    fn paragraph(
        &mut self,
        text: &str,
        range: Range<usize>,
        spans: &[(Range<usize>, Ink)],
        links: &[Target],
        measure: Measure,
        all: &mut Lines,
    ) -> bool {
        let piece = text.get(range.clone()).unwrap_or_default();
        let Needs { faces, emoji, symbols } = needs(piece, |c| self.library.is_latin(c));
        let stack = self.stack(faces);
        let Engine { library, context, layout, .. } = self;
        let mut builder = context.ranged_builder(&mut library.context, piece, 1.0, false);
        builder.push_default(StyleProperty::FontSize(measure.size));
        builder.push_default(stack.text.property());
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        for (span, ink) in spans {
            let start = span.start.max(range.start);
            let end = span.end.min(range.end);
            // An empty paragraph still has its style.
            if start >= end && !piece.is_empty() {
                continue;
            }
            let local = start.saturating_sub(range.start)..end.saturating_sub(range.start);
            if local == (0..piece.len()) {
                builder.push_default(StyleProperty::Brush(*ink));
                if ink.bold {
                    builder.push_default(StyleProperty::FontWeight(FontWeight::BOLD));
                }
                if ink.italic {
                    builder.push_default(StyleProperty::FontStyle(FontStyle::Italic));
                }
                continue;
            }
            builder.push(StyleProperty::Brush(*ink), local.clone());
            if ink.bold {
                builder.push(StyleProperty::FontWeight(FontWeight::BOLD), local.clone());
            }
            if ink.italic {
                builder.push(StyleProperty::FontStyle(FontStyle::Italic), local);
            }
        }
        for range in symbols {
            builder.push(stack.symbols.property(), range);
        }
        for range in emoji {
            builder.push(stack.emoji.property(), range);
        }
        builder.build_into(layout, piece);
        layout.break_all_lines(Some(measure.width));
        let rtl = layout.is_rtl();
        if rtl {
            layout.align(Alignment::Start, AlignmentOptions::default());
        }
        let mut placer = Placer {
            library,
            text: piece,
            links,
            boxes: &mut self.boxes,
            size: measure.size,
            drawn: &mut self.drawn,
            last: Ink::default(),
        };
        for line in layout.lines() {
            let metrics = line.metrics();
            let mut x = metrics.offset + metrics.inline_min_coord;
            let baseline = even(metrics.baseline - metrics.block_min_coord);
            let ink_width = metrics.advance - metrics.hanging_advance;
            let mut placed = Line {
                height: even(metrics.line_height),
                baseline,
                x: if rtl { measure.width - ink_width } else { 0.0 },
                width: ink_width,
                items: Vec::new(),
            };
            for run in line.runs() {
                let advance = run.advance();
                placer.run(&run, x, baseline, &mut placed.items);
                x += advance;
            }
            all.width = all.width.max(ink_width);
            all.lines.push(placed);
        }
        rtl
    }

    fn stack(&mut self, needed: Faces) -> Arc<Stack> {
        if let Some(stack) = self.stacks.get(&needed) {
            return Arc::clone(stack);
        }
        let text = self.library.families(needed);
        let emoji = std::iter::once(family_name(EMOJI)).chain(text.iter().cloned()).collect();
        let latin = family_name(LATIN);
        let mut symbols = text.clone();
        symbols.retain(|family| *family != latin);
        symbols.push(latin);
        let stack = Arc::new(Stack {
            text: Families::new(text),
            emoji: Families::new(emoji),
            symbols: Families::new(symbols),
        });
        self.stacks.insert(needed, Arc::clone(&stack));
        stack
    }
}

/// To half a point: heights and places that all pages share make pages that compress a tenth better.
fn even(length: f32) -> f32 {
    (length * 2.0).round() / 2.0
}

/// Byte ranges between line breaks; over-long ones divided.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        let end = start + line.len();
        let mut from = start;
        while end - from > LONGEST_PARAGRAPH {
            let mut to = from + LONGEST_PARAGRAPH;
            while !text.is_char_boundary(to) {
                to -= 1;
            }
            // Rather between words.
            if let Some(space) = text.get(from..to).and_then(|piece| piece.rfind(' '))
                && space > LONGEST_PARAGRAPH / 2
            {
                to = from + space + 1;
            }
            ranges.push(from..to);
            from = to;
        }
        ranges.push(from..end);
        start = end + 1;
    }
    ranges
}
