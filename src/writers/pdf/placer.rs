//! parley's runs → ours: glyphs with the text that each stands for.
//!
//! Readers get text out of a PDF glyph by glyph, so every glyph must know exactly its characters: ligatures all of
//! theirs, marks their own, glyphs that stand for nothing alone none.

use std::borrow::Cow;

use parley::Run;
use skrifa::MetadataProvider as _;

use super::fonts::{Face, Library};
use super::layout::{Boxes, Ink};
use super::page::{Glyph, Item, Target, TextRun};
use super::scripts::{is_invisible, script_name};
use super::shape::{Rectangle, Shape};

/// Turns parley's runs into ours.
pub struct Placer<'a> {
    pub library: &'a mut Library,
    pub text: &'a str,
    pub links: &'a [Target],
    pub boxes: &'a mut Boxes,
    pub size: f32,
    /// The glyphs of the cluster at hand.
    pub drawn: &'a mut Vec<parley::Glyph>,
    /// Of the run that was added last.
    pub last: Ink,
}

impl Placer<'_> {
    /// Adds one run's items; it begins at `x`.
    pub fn run(&mut self, run: &Run<'_, Ink>, mut x: f32, baseline: f32, items: &mut Vec<Item>) {
        let font = run.font();
        let face = self.library.face(&font.data, font.index);
        let synthesis = run.synthesis();
        let mut open: Option<(Ink, TextRun)> = None;
        // A ligature's later characters: in right-to-left runs they come before the glyph that stands for them.
        let mut ahead: Option<usize> = None;
        let mut clusters = run.visual_clusters().peekable();
        while let Some(cluster) = clusters.next() {
            if cluster.is_ligature_continuation() {
                // Reached only from right to left: the ones after a start are taken with it, below.
                ahead = Some(ahead.unwrap_or(0).max(cluster.text_range().end));
                continue;
            }
            let mut range = cluster.text_range();
            if let Some(end) = ahead.take() {
                range.end = range.end.max(end);
            }
            if !run.is_rtl() {
                while let Some(next) = clusters.peek().filter(|next| next.is_ligature_continuation()) {
                    range.end = range.end.max(next.text_range().end);
                    clusters.next();
                }
            }
            let text = self.text.get(range).unwrap_or_default();
            self.drawn.clear();
            self.drawn.extend(cluster.glyphs());
            let advance: f32 = self.drawn.iter().map(|glyph| glyph.advance).sum();
            if advance == 0.0 && text.chars().all(is_invisible) || text == "\n" {
                continue;
            }
            let has_it = self.drawn.is_empty() || self.drawn.iter().any(|glyph| glyph.id != 0);
            let (face, missing) = match &face {
                Some(face) if has_it => (Cow::Borrowed(face), None),
                _ => match self.library.missing() {
                    Some((face, glyph)) => (Cow::Owned(face), Some(glyph)),
                    None => continue,
                },
            };
            let ink = cluster.style().brush;
            if open.as_ref().is_none_or(|(other, run)| *other != ink || run.face.key != face.key)
                && let Some((ink, done)) = open.replace((
                    ink,
                    TextRun {
                        face: face.into_owned(),
                        size: self.size,
                        x,
                        y: baseline,
                        color: ink.color,
                        skew: synthesis.skew().is_some(),
                        embolden: synthesis.embolden(),
                        text: String::new(),
                        glyphs: Vec::with_capacity(run.text_range().len()),
                    },
                ))
            {
                self.close(ink, done, items);
            }
            if let Some((_, target)) = &mut open {
                match missing {
                    Some(glyph) => self.missing(glyph, text, advance, target),
                    None => self.cluster(text, cluster.is_rtl(), target),
                }
            }
            x += advance;
        }
        if let Some((ink, done)) = open {
            self.close(ink, done, items);
        }
    }

    /// Adds a box for a cluster that no face has.
    fn missing(&mut self, id: u32, text: &str, advance: f32, target: &mut TextRun) {
        self.count_boxes(text);
        let natural = target.face.width(id);
        let start = target.text.len() as u32;
        target.text.push_str(text);
        target.glyphs.push(Glyph {
            id,
            natural,
            advance,
            dx: (advance - natural * self.size / 1000.0) / 2.0,
            dy: 0.0,
            start,
            len: u16::try_from(text.len()).unwrap_or(u16::MAX),
            cluster: 1,
            explicit: true,
        });
    }

    fn count_boxes(&mut self, text: &str) {
        for c in text.chars().filter(|c| !is_invisible(*c)) {
            *self.boxes.entry(script_name(c)).or_default() += 1;
        }
    }

    /// Adds one cluster's glyphs. The face has the character itself; a mark that it lacks is left out, and counted.
    fn cluster(&mut self, text: &str, rtl: bool, target: &mut TextRun) {
        let start = target.text.len();
        let first = target.glyphs.len();
        let face = &target.face;
        let mut lacks = false;
        for glyph in self.drawn.iter() {
            if glyph.id == 0 {
                lacks = true;
                match target.glyphs.get_mut(first..).and_then(|glyphs| glyphs.last_mut()) {
                    Some(before) => before.advance += glyph.advance,
                    None => {
                        target.glyphs.last_mut().into_iter().for_each(|last| last.advance += glyph.advance)
                    }
                }
                continue;
            }
            target.glyphs.push(Glyph {
                id: glyph.id,
                natural: face.width(glyph.id),
                advance: glyph.advance,
                dx: glyph.x,
                dy: -glyph.y,
                start: start as u32,
                len: 0,
                cluster: 0,
                explicit: false,
            });
        }
        if lacks {
            self.count_boxes(text);
        }
        target.text.push_str(text);
        let Some(glyphs) = target.glyphs.get_mut(first..) else { return };
        let count = glyphs.len();
        // A mark over its letter: two glyphs that each stand for their character, in the order of reading.
        // (Not one ActualText for both: poppler would sort some marks of Thai and Tibetan better, but MuPDF, which does
        // not read it, would lose every mark.)
        let chars: Vec<char> = if count > 1 { text.chars().take(count + 1).collect() } else { Vec::new() };
        if count > 1 && chars.len() == count && stands_for_itself(face, glyphs, &chars, rtl) {
            let mut at = start;
            let mut place = |glyph: &mut Glyph, c: char| {
                glyph.start = at as u32;
                glyph.len = c.len_utf8() as u16;
                glyph.cluster = 1;
                at += c.len_utf8();
            };
            if rtl {
                glyphs.iter_mut().rev().zip(&chars).for_each(|(glyph, c)| place(glyph, *c));
            } else {
                glyphs.iter_mut().zip(&chars).for_each(|(glyph, c)| place(glyph, *c));
            }
            return;
        }
        if let Some(glyph) = glyphs.first_mut() {
            glyph.len = u16::try_from(text.len()).unwrap_or(u16::MAX);
            glyph.cluster = u8::try_from(count).unwrap_or(u8::MAX);
            glyph.explicit = count > 1 || lacks;
            if rtl
                && count == 1
                && let Some(drawn) = drawn_bracket(face, glyph.id, text)
            {
                glyph.len = drawn.len_utf8() as u16;
                target.text.truncate(start);
                target.text.push(drawn);
            }
        }
    }

    /// A run is complete: adds it with its lines and links, to the one before it where it can.
    fn close(&mut self, ink: Ink, run: TextRun, items: &mut Vec<Item>) {
        if run.glyphs.is_empty() {
            return;
        }
        let is_plain = !ink.underline && !ink.strike && ink.link == 0;
        if std::mem::replace(&mut self.last, ink) == ink
            && is_plain
            && let Some(Item::Text(before)) = items.last_mut()
            && before.take_over(&run)
        {
            return;
        }
        let width: f32 = run.glyphs.iter().map(|glyph| glyph.advance).sum();
        let (x, y, size, color) = (run.x, run.y, run.size, run.color);
        let mut bar = |down: f32| {
            let at = Rectangle { x, y: y + down * size, width, height: 0.055 * size };
            items.push(Item::Shape(Shape::bar(at, color)));
        };
        if ink.underline {
            bar(0.11);
        }
        if ink.strike {
            bar(-0.29);
        }
        if let Some(target) = usize::from(ink.link).checked_sub(1).and_then(|link| self.links.get(link)) {
            let at = Rectangle { x, y: y - size, width, height: 1.35 * size };
            items.push(Item::Link { at, target: target.clone() });
        }
        items.push(Item::Text(run));
    }
}

/// Whether each glyph is just the picture of one of these characters, in the same order.
fn stands_for_itself(face: &Face, glyphs: &[Glyph], chars: &[char], rtl: bool) -> bool {
    let Some(font) = face.font() else { return false };
    let charmap = font.charmap();
    let matches = |(glyph, c): (&Glyph, &char)| charmap.map(*c).is_some_and(|gid| gid.to_u32() == glyph.id);
    if rtl { glyphs.iter().rev().zip(chars).all(matches) } else { glyphs.iter().zip(chars).all(matches) }
}

/// In right-to-left text a bracket is drawn mirrored; a reader of the file mirrors it back, so its code must stand
/// for the bracket that is drawn.
fn drawn_bracket(face: &Face, glyph: u32, text: &str) -> Option<char> {
    let mut chars = text.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else { return None };
    let drawn = mirrored(c)?;
    (face.font()?.charmap().map(drawn)?.to_u32() == glyph).then_some(drawn)
}

fn mirrored(c: char) -> Option<char> {
    Some(match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        '‹' => '›',
        '›' => '‹',
        '≤' => '≥',
        '≥' => '≤',
        _ => return None,
    })
}
