//! An attributed string → pieces: runs in UTF-16 units become text and objects with a part number and styles in
//! characters (`messages-format.md` 4.4, 4.9).
//!
//! **Must never**: lose a character of the text, split one, or copy attributes without a bound.

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::body::{Body, Piece, PieceContent};
use crate::model::{Style, StyleSpan};

/// Where an attachment or a balloon stands in the text.
pub const OBJECT: char = '\u{FFFC}';

/// Takes a text's runs from left to right.
pub struct Pieces {
    text: String,
    ascii: bool,
    /// The byte that the runs have come to.
    at: usize,
    /// A UTF-16 unit of the runs so far that was half a character: the character belongs to the next run.
    half: u64,
    pieces: Vec<Piece>,
    /// How many parts have begun, and the number of the last where its runs name one.
    parts: u32,
    last_part: Option<u32>,
    /// Pieces whose runs name no part, and the position of their part.
    unnumbered: Vec<(usize, u32)>,
    /// The last piece is text that more text of its part joins.
    joins: bool,
    /// Characters in that piece.
    chars: u32,
    /// Its spans that reach to its end.
    open: Vec<usize>,
    /// Bytes of link targets and names that may still be copied: a hostile body repeats a long target in many runs.
    budget: usize,
    defects: Vec<String>,
}

impl Pieces {
    /// For a text whose archive has `size` bytes.
    pub fn new(text: String, size: usize) -> Pieces {
        Pieces {
            ascii: text.is_ascii(),
            text,
            at: 0,
            half: 0,
            pieces: Vec::new(),
            parts: 0,
            last_part: None,
            unnumbered: Vec::new(),
            joins: false,
            chars: 0,
            open: Vec::new(),
            budget: size.saturating_mul(8).saturating_add(4096),
            defects: Vec::new(),
        }
    }

    /// The next run, of so many UTF-16 units; what goes beyond the text is cut.
    pub fn run(&mut self, units: u64, attributes: &Attributes) {
        let start = self.at;
        self.advance(units);
        self.cover(start, attributes);
    }

    /// Some trouble, in words.
    pub fn defect(&mut self, what: String) {
        self.defects.push(what);
    }

    /// All runs are in. Text that no run covers has no attributes.
    pub fn finish(mut self) -> Body {
        let start = self.at;
        self.at = self.text.len();
        self.cover(start, &Attributes::default());
        self.number();
        let single_link = match self.pieces.as_slice() {
            [piece] => single_link(piece),
            _ => None,
        };
        // A piece's text is made of the whole one's, in order.
        let alone = match self.pieces.as_slice() {
            [Piece { content: PieceContent::Text { text, .. }, .. }] => text.len() == self.text.len(),
            _ => false,
        };
        let joined_text = (!alone).then_some(self.text);
        Body { joined_text, pieces: self.pieces, single_link, defects: self.defects }
    }

    fn advance(&mut self, units: u64) {
        if self.ascii {
            let units = usize::try_from(units).unwrap_or(usize::MAX);
            self.at = self.at.saturating_add(units).min(self.text.len());
            return;
        }
        let mut units = units.saturating_add(std::mem::take(&mut self.half));
        for c in self.text.get(self.at..).unwrap_or("").chars() {
            let width = c.len_utf16() as u64;
            if width > units {
                self.half = units;
                break;
            }
            units -= width;
            self.at += c.len_utf8();
        }
    }

    /// The text from `start` to where the runs have come has these attributes.
    fn cover(&mut self, start: usize, attributes: &Attributes) {
        // Moved out and back in, so that slices of it can be added to the pieces.
        let text = std::mem::take(&mut self.text);
        match text.get(start..self.at) {
            Some("") | None => {}
            Some(run) => self.add(run, attributes),
        }
        self.text = text;
    }

    fn add(&mut self, run: &str, attributes: &Attributes) {
        // Without attributes every stretch of text and every object is a part of its own.
        let bare = *attributes == Attributes::default();
        if !bare {
            self.begin_part(attributes.part);
        }
        if attributes.attachment.is_some() && !run.contains(OBJECT) {
            return self.object(attributes);
        }
        let mut rest = Some(run);
        while let Some(run) = rest {
            let (text, after) = match run.split_once(OBJECT) {
                Some((text, after)) if !self.ascii => (text, Some(after)),
                _ => (run, None),
            };
            if !text.is_empty() {
                if bare {
                    self.begin_part(None);
                }
                self.text(text, attributes);
            }
            if after.is_some() {
                if bare {
                    self.begin_part(None);
                }
                self.object(attributes);
            }
            rest = after;
        }
    }

    /// A part begins, unless the last one goes on.
    fn begin_part(&mut self, part: Option<u32>) {
        if self.parts == 0 || part.is_none() || part != self.last_part {
            self.parts = self.parts.saturating_add(1);
            self.last_part = part;
            self.joins = false;
        }
    }

    fn push(&mut self, content: PieceContent) {
        let position = self.parts.saturating_sub(1);
        if self.last_part.is_none() {
            self.unnumbered.push((self.pieces.len(), position));
        }
        self.pieces.push(Piece { part: self.last_part.unwrap_or(position), content });
    }

    /// More text of the current part.
    fn text(&mut self, more: &str, attributes: &Attributes) {
        let length = match self.ascii {
            true => more.len(),
            false => more.chars().count(),
        };
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if !self.joins {
            self.push(PieceContent::Text { text: String::new(), styles: Vec::new() });
            self.chars = 0;
            self.open.clear();
            self.joins = true;
        }
        let start = self.chars;
        self.chars = self.chars.saturating_add(length);
        let within = self.afford(attributes);
        let Some(Piece { content: PieceContent::Text { text, styles }, .. }) = self.pieces.last_mut() else {
            return;
        };
        text.push_str(more);
        if attributes.styles.is_empty() || !within {
            self.open.clear();
            return;
        }
        let mut open = Vec::with_capacity(attributes.styles.len());
        for style in &attributes.styles {
            let same = |span: &usize| styles.get(*span).is_some_and(|span| span.style == *style);
            let span = match self.open.iter().copied().find(same) {
                Some(span) => span,
                None => {
                    styles.push(StyleSpan { start, end: start, style: style.clone() });
                    styles.len() - 1
                }
            };
            if let Some(span) = styles.get_mut(span) {
                span.end = self.chars;
            }
            open.push(span);
        }
        self.open = open;
    }

    fn object(&mut self, attributes: &Attributes) {
        self.joins = false;
        let names = match self.afford(attributes) {
            true => attributes.clone(),
            false => Attributes::default(),
        };
        self.push(PieceContent::Object {
            attachment: names.attachment,
            name: names.name,
            transcription: names.transcription,
        });
    }

    /// Whether these attributes' texts may be copied once more.
    fn afford(&mut self, attributes: &Attributes) -> bool {
        match self.budget.checked_sub(attributes.weight()) {
            Some(left) => {
                self.budget = left;
                true
            }
            None => {
                let what = "attributes repeated beyond measure were left out";
                if self.defects.iter().all(|defect| defect != what) {
                    self.defect(what.into());
                }
                false
            }
        }
    }

    /// Numbers the pieces whose runs name no part: by their position, where no other part has that number.
    fn number(&mut self) {
        if self.unnumbered.is_empty() || self.unnumbered.len() == self.pieces.len() {
            return;
        }
        let mut marks = self.unnumbered.iter().map(|(piece, _)| *piece).peekable();
        let mut used = BTreeSet::new();
        for (i, piece) in self.pieces.iter().enumerate() {
            if marks.next_if_eq(&i).is_none() {
                used.insert(piece.part);
            }
        }
        let mut free = 0;
        let mut last = None;
        for (piece, position) in &self.unnumbered {
            let number = match last {
                Some((same, number)) if same == *position => number,
                _ if used.insert(*position) => *position,
                _ => {
                    while !used.insert(free) {
                        free += 1;
                    }
                    free
                }
            };
            last = Some((*position, number));
            if let Some(piece) = self.pieces.get_mut(*piece) {
                piece.part = number;
            }
        }
    }
}

/// The target of the one link that covers the whole of a text.
fn single_link(piece: &Piece) -> Option<String> {
    let PieceContent::Text { text, styles } = &piece.content else {
        return None;
    };
    let mut links = styles.iter().filter_map(|span| match &span.style {
        Style::Link { target } => Some((span, target)),
        _ => None,
    });
    match (links.next(), links.next()) {
        (Some((span, target)), None) if span.start == 0 && span.end as usize == text.chars().count() => {
            Some(target.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: u32) -> Attributes {
        Attributes { part: Some(part), ..Attributes::default() }
    }

    fn styled(number: u32, styles: &[Style]) -> Attributes {
        Attributes { styles: styles.to_vec(), ..part(number) }
    }

    fn object(attributes: Attributes, guid: &str) -> Attributes {
        Attributes { attachment: Some(guid.into()), ..attributes }
    }

    /// `part:text` or `part:<guid>`, with the styles behind a text.
    fn check(text: &str, runs: &[(u64, Attributes)], expected: &[&str]) -> Body {
        let mut pieces = Pieces::new(text.into(), text.len());
        for (units, attributes) in runs {
            pieces.run(*units, attributes);
        }
        let body = pieces.finish();
        let shown: Vec<String> = body
            .pieces
            .iter()
            .map(|piece| match &piece.content {
                PieceContent::Text { text, styles } => {
                    let styles: String =
                        styles.iter().map(|s| format!(" {:?} {}..{}", s.style, s.start, s.end)).collect();
                    format!("{}:{text}{styles}", piece.part)
                }
                PieceContent::Object { attachment, .. } => {
                    format!("{}:<{}>", piece.part, attachment.as_deref().unwrap_or("?"))
                }
            })
            .collect();
        assert_eq!(shown, expected);
        assert_eq!(body.text(), Some(text));
        body
    }

    #[test]
    fn runs_of_one_part_become_one_text() {
        use Style::*;
        check(
            "bold both plain",
            &[(4, styled(0, &[Bold])), (1, part(0)), (4, styled(0, &[Bold, Italic])), (6, part(0))],
            &["0:bold both plain Bold 0..4 Bold 5..9 Italic 5..9"],
        );
        check(
            "abcd",
            &[(2, styled(0, &[Bold, Underline])), (2, styled(0, &[Italic, Underline]))],
            &["0:abcd Bold 0..2 Underline 0..4 Italic 2..4"],
        );
        check("ab", &[(1, part(0)), (1, part(1))], &["0:a", "1:b"]);
    }

    #[test]
    fn the_attribute_numbers_a_part_not_its_position() {
        check("a", &[(1, part(1))], &["1:a"]);
        check("\u{FFFC}b", &[(1, object(part(0), "X")), (1, part(2))], &["0:<X>", "2:b"]);
    }

    #[test]
    fn objects_inside_a_part() {
        check(
            "hi \u{FFFC}!",
            &[(3, part(0)), (1, object(part(0), "X")), (1, styled(0, &[Style::Bold]))],
            &["0:hi ", "0:<X>", "0:! Bold 0..1"],
        );
        check("a\u{FFFC}b\u{FFFC}", &[(4, part(3))], &["3:a", "3:<?>", "3:b", "3:<?>"]);
        check("see X", &[(4, part(0)), (1, object(part(1), "X"))], &["0:see ", "1:<X>"]);
        check("\u{FFFC}\u{FFFC}", &[(2, object(part(0), "X"))], &["0:<X>", "0:<X>"]);
    }

    #[test]
    fn runs_without_a_part_are_parts_of_their_own() {
        let bold = Attributes { styles: vec![Style::Bold], ..Attributes::default() };
        check("ab", &[(1, bold.clone()), (1, bold.clone())], &["0:a Bold 0..1", "1:b Bold 0..1"]);
        // Their position, where that is free; else the lowest number that is.
        check("abc", &[(1, part(0)), (1, bold.clone()), (1, part(1))], &["0:a", "2:b Bold 0..1", "1:c"]);
        check("abc", &[(1, part(0)), (1, bold.clone()), (1, part(7))], &["0:a", "1:b Bold 0..1", "7:c"]);
        check(
            "abc",
            &[(1, bold.clone()), (1, part(0)), (1, part(u32::MAX))],
            &["1:a Bold 0..1", "0:b", "4294967295:c"],
        );
    }

    #[test]
    fn text_alone() {
        check("", &[], &[]);
        check("a\u{FFFC}\u{FFFC}b\0\u{FFFD}", &[], &["0:a", "1:<?>", "2:<?>", "3:b\0\u{FFFD}"]);
    }

    #[test]
    fn utf16_units_become_characters() {
        let bold = |part| styled(part, &[Style::Bold]);
        check(
            "😀é𝖍x",
            &[(2, part(0)), (1, bold(0)), (2, part(0)), (1, bold(0))],
            &["0:😀é𝖍x Bold 1..2 Bold 3..4"],
        );
        // A run that ends inside a pair leaves the character to the next.
        check("a😀b", &[(2, part(0)), (2, bold(0))], &["0:a😀b Bold 1..3"]);
        check("a😀", &[(2, part(0)), (1, bold(1))], &["0:a", "1:😀 Bold 0..1"]);
        check("😀", &[(1, part(0)), (0, part(1)), (1, part(2))], &["2:😀"]);
    }

    #[test]
    fn runs_too_long_and_too_short() {
        check("ab", &[(1, part(0)), (u64::MAX, part(1)), (5, part(2))], &["0:a", "1:b"]);
        check("é!", &[(1, part(0)), (u64::MAX, part(1)), (u64::MAX, part(2))], &["0:é", "1:!"]);
        check("abc", &[(1, part(0))], &["0:a", "1:bc"]);
    }

    #[test]
    fn a_single_link() {
        let link = |target: &str| Style::Link { target: target.into() };
        let only = check("x", &[(1, styled(0, &[link("u")]))], &["0:x Link { target: \"u\" } 0..1"]);
        assert_eq!(only.single_link.as_deref(), Some("u"));
        let mut two = Pieces::new("xy".into(), 2);
        two.run(1, &styled(0, &[link("u")]));
        two.run(1, &styled(0, &[link("v")]));
        assert_eq!(two.finish().single_link, None);
        let mut some = Pieces::new("xy".into(), 2);
        some.run(1, &styled(0, &[link("u")]));
        assert_eq!(some.finish().single_link, None);
    }
}
