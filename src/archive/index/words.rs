//! What words are: the same in what is indexed and in what is typed.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// What was typed, as FTS5 wants it: every word a phrase of its own, the last one perhaps not finished. `None`: no word.
pub fn matching(typed: &str) -> Option<String> {
    let mut phrases: Vec<(String, bool)> = Vec::new();
    for (at, piece) in typed.split('"').enumerate() {
        let quoted = at % 2 == 1;
        let pieces: Vec<&str> = if quoted { vec![piece] } else { piece.split_whitespace().collect() };
        for piece in
            pieces.into_iter().filter(|piece| piece.chars().any(|c| c.is_alphanumeric() || stands_alone(c)))
        {
            let mut spread_out = String::new();
            spread(piece, &mut spread_out);
            let open = !quoted && !piece.chars().next_back().is_some_and(stands_alone);
            phrases.push((spread_out.trim().to_owned(), open));
        }
    }
    let terms: Vec<String> = phrases
        .iter()
        .map(|(phrase, open)| format!("\"{phrase}\"{}", if *open { "*" } else { "" }))
        .collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

/// Appends text as it is indexed: with blanks around every character that is a word of its own.
pub fn spread(text: &str, said: &mut String) {
    for c in folded(text).chars() {
        if stands_alone(c) {
            said.extend([' ', c, ' ']);
        } else {
            said.push(c);
        }
    }
}

/// Characters of scripts that put no blanks between words; and emoji.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF
        | 0x2E80..=0x2FDF | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x3FFFF
        | 0x2600..=0x27BF | 0x1F000..=0x1FAFF)
}

/// Text without what people may as well leave out when they type it: accents, the points of Hebrew, the vowel signs of Arabic.
/// A vowel sign of Devanagari or Thai is none of these: without it the word is another one.
fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let letters = text.nfd().filter(|c| !may_be_left_out(*c)).map(|c| if c == 'ς' { 'σ' } else { c });
    Cow::Owned(letters.nfc().collect())
}

fn may_be_left_out(c: char) -> bool {
    matches!(u32::from(c),
        // Combining marks of Latin, Greek and Cyrillic.
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF
        // Of Hebrew, but not its punctuation.
        | 0x0591..=0x05BD | 0x05BF | 0x05C1 | 0x05C2 | 0x05C4 | 0x05C5 | 0x05C7
        // Of Arabic, with the stroke that only makes a word longer.
        | 0x0610..=0x061A | 0x0640 | 0x064B..=0x065F | 0x0670
        | 0x06D6..=0x06DC | 0x06DF..=0x06E4 | 0x06E7 | 0x06E8 | 0x06EA..=0x06ED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_never_syntax() {
        assert_eq!(matching("hello wor").as_deref(), Some("\"hello\"* AND \"wor\"*"));
        assert_eq!(matching("\"hello world\" x").as_deref(), Some("\"hello world\" AND \"x\"*"));
        assert_eq!(matching("東京 tower").as_deref(), Some("\"東  京\" AND \"tower\"*"));
        assert_eq!(
            matching("NEAR(a b) OR -c*").as_deref(),
            Some("\"NEAR(a\"* AND \"b)\"* AND \"OR\"* AND \"-c*\"*")
        );
        for none in ["", "  ", "\"\"", "!?", "\""] {
            assert_eq!(matching(none), None, "{none}");
        }
    }
}
