//! What characters are, as far as choosing faces is concerned: which bundled faces a text needs, what is an emoji.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::bundle::{BUNDLE, EMOJI, Faces};

/// What a text needs beside the Latin faces.
#[derive(Default)]
pub struct Needs {
    pub faces: Faces,
    pub emoji: Vec<Range<usize>>,
    pub symbols: Vec<Range<usize>>,
}

/// Adds a range, joining it with the one before where they meet.
fn extend(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

/// The bundled faces that a text needs beside the Latin ones, and where it needs them first.
pub fn needs(text: &str, is_latin: impl Fn(char) -> bool) -> Needs {
    let mut needs = Needs::default();
    let mut maybe_emoji = false;
    for (at, c) in text.char_indices() {
        if c.is_ascii() || (is_latin(c) && c != '\u{20e3}') || is_invisible(c) {
            maybe_emoji |= c == '\u{fe0f}';
            continue;
        }
        let code = u32::from(c);
        for (number, face) in BUNDLE.iter().enumerate() {
            if face.ranges.iter().any(|&(first, last)| first <= code && code <= last) {
                needs.faces |= 1 << number;
            }
        }
        // `≠` could be had from the Latin faces as `=` and a stroke, in two pieces.
        if (0x2190..0x2c00).contains(&code) {
            extend(&mut needs.symbols, at..at + c.len_utf8());
        }
        maybe_emoji |= code >= 0x203c;
    }
    if maybe_emoji {
        for (at, grapheme) in text.grapheme_indices(true) {
            if is_emoji(grapheme) {
                needs.faces |= 1 << EMOJI;
                extend(&mut needs.emoji, at..at + grapheme.len());
            }
        }
    }
    needs
}

/// Joiners, variation selectors and marks of direction: they have no shape of their own.
pub fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x61c | 0x34f | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}

/// Whether a grapheme is to be shown as a color emoji: by presentation selector, by what it is made of, or because
/// that is the default of its first character (Unicode's `Emoji_Presentation`; above U+1F000 everything, as phones do).
pub fn is_emoji(grapheme: &str) -> bool {
    let Some(first) = grapheme.chars().next() else { return false };
    let second = grapheme.chars().nth(1);
    if second == Some('\u{fe0e}') {
        return false;
    }
    let code = u32::from(first);
    if grapheme.contains('\u{20e3}') {
        return matches!(first, '0'..='9' | '#' | '*');
    }
    if second == Some('\u{fe0f}') {
        return code >= 0xa9;
    }
    match code {
        0x1f000..=0x1f0ff => matches!(code, 0x1f004 | 0x1f0cf),
        0x1f100..=0x1f1e5 => matches!(code, 0x1f18e | 0x1f191..=0x1f19a),
        0x1f1e6..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f7e0..=0x1f7f0 | 0x1f900..=0x1faff => true,
        0x231a..=0x2b55 => {
            matches!(code,
            0x231a..=0x231b | 0x23e9..=0x23ec | 0x23f0 | 0x23f3 | 0x25fd..=0x25fe | 0x2614..=0x2615
            | 0x2648..=0x2653 | 0x267f | 0x2693 | 0x26a1 | 0x26aa..=0x26ab | 0x26bd..=0x26be | 0x26c4..=0x26c5
            | 0x26ce | 0x26d4 | 0x26ea | 0x26f2..=0x26f3 | 0x26f5 | 0x26fa | 0x26fd | 0x2705 | 0x270a..=0x270b
            | 0x2728 | 0x274c | 0x274e | 0x2753..=0x2755 | 0x2757 | 0x2795..=0x2797 | 0x27b0 | 0x27bf
            | 0x2b1b..=0x2b1c | 0x2b50 | 0x2b55)
            // A skin tone makes any of the rest one.
            || matches!(second.map(u32::from), Some(0x1f3fb..=0x1f3ff))
        }
        _ => false,
    }
}

/// Unicode's name of a character's script.
pub fn script_name(c: char) -> String {
    use icu_properties::PropertyNamesLong;
    use icu_properties::{CodePointMapData, props::Script};
    let script = CodePointMapData::<Script>::new().get(c);
    PropertyNamesLong::<Script>::new().get(script).unwrap_or("Unknown").replace('_', " ")
}

/// One to three emoji and nothing else are shown large, as in Messages.
pub fn is_only_emoji(text: &str) -> bool {
    // A family of four with skin tones has 41 bytes.
    text.len() <= 128
        && (1..=3).contains(&text.graphemes(true).take(4).count())
        && text.graphemes(true).all(is_emoji)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_what_phones_show_in_color() {
        for yes in ["😀", "❤️", "1️⃣", "🇩🇪", "👨‍👩‍👧‍👦", "☝🏽", "⌚", "🌡", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "©️"]
        {
            assert!(is_emoji(yes), "{yes}");
        }
        for no in ["a", "1", "©", "☎", "✓", "❤︎", "≠", "中", "€", "𝒳", ""] {
            assert!(!is_emoji(no), "{no}");
        }
    }

    #[test]
    fn plain_text_needs_nothing() {
        let needs = needs("Hello, world. Ça va?", |_| true);
        assert_eq!((needs.faces, needs.emoji.len(), needs.symbols.len()), (0, 0, 0));
    }

    #[test]
    fn every_face_is_asked_for_by_the_characters_it_is_for() {
        for (number, face) in BUNDLE.iter().enumerate() {
            for (first, last) in face.ranges {
                let c = char::from_u32(*first).or(char::from_u32(*last)).unwrap();
                let needs = needs(&c.to_string(), |_| false);
                assert!(needs.faces & (1 << number) != 0 || is_invisible(c), "{first:x}");
            }
        }
    }
}
