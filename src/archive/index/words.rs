//! What words are: the same in what is indexed and in what is typed.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// What was typed, as FTS5 wants it: every word a phrase of its own, the last one perhaps not finished. `None`: no word.
pub fn matching(typed: &str) -> Option<String> {
    let terms: Vec<String> = terms(typed).iter().map(Term::matching).collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

/// The words and the phrases that were typed.
pub fn terms(typed: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    for (at, piece) in typed.split('"').enumerate() {
        match at % 2 {
            1 => terms.extend(Term::of(piece, true)),
            _ => terms.extend(piece.split_whitespace().filter_map(|word| Term::of(word, false))),
        }
    }
    terms
}

/// One word, or what stands between quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// As it was typed, without the marks.
    pub typed: String,
    /// Its words, as they are indexed.
    phrase: String,
    /// Longer words that begin with it are meant, too.
    is_open: bool,
}

/// A shorter beginning of a word says nothing of it.
const SHORTEST: usize = 3;

impl Term {
    /// `None`: no word is in it.
    fn of(typed: &str, is_quoted: bool) -> Option<Term> {
        if !typed.chars().any(|c| c.is_alphanumeric() || stands_alone(c)) {
            return None;
        }
        let mut phrase = String::new();
        spread(typed, &mut phrase);
        let is_open = !is_quoted && !typed.chars().next_back().is_some_and(stands_alone);
        Some(Term { typed: typed.to_owned(), phrase: phrase.trim().to_owned(), is_open })
    }

    /// As FTS5 wants it.
    pub fn matching(&self) -> String {
        format!("\"{}\"{}", self.phrase, if self.is_open { "*" } else { "" })
    }

    /// What it begins with, the longest first: as far as that finds more than it does, and is still about half of it. None of what
    /// is no single word.
    pub fn beginnings(&self) -> impl Iterator<Item = Term> + '_ {
        let letters = self.typed.chars().count();
        let is_word = self.is_open && self.typed.chars().all(char::is_alphanumeric);
        let lengths = (SHORTEST.max(letters.div_ceil(2))..letters).rev().filter(move |_| is_word);
        lengths.filter_map(|length| Term::of(&self.typed.chars().take(length).collect::<String>(), false))
    }
}

/// Appends text as it is indexed: with blanks around every character that is a word of its own.
pub fn spread(text: &str, said: &mut String) {
    for c in folded(text).chars() {
        match c {
            // Where a picture stands in a text; and what makes a key of a digit.
            '\u{fffc}' | '\u{20d0}'..='\u{20ff}' => said.push(' '),
            c if stands_alone(c) || is_symbol(c) => said.extend([' ', c, ' ']),
            c => said.push(c),
        }
    }
}

/// Would be taken for a letter of the word beside it.
fn is_symbol(c: char) -> bool {
    matches!(u32::from(c), 0xA6 | 0xA9 | 0xAE | 0xB0 | 0x2100..=0x214F | 0x2190..=0x2BFF | 0x3000..=0x303F)
}

/// Characters of scripts that put no blanks between words; and emoji.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF
        | 0x2E80..=0x2FDF | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x3FFFF
        | 0x2600..=0x27BF | 0x1F000..=0x1FAFF)
}

/// A word that is looked for in texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(Vec<char>);

impl Word {
    /// `None`: no letter is in it.
    pub fn new(typed: &str) -> Option<Word> {
        Some(Word(letters(typed).collect())).filter(|word| !word.0.is_empty())
    }

    /// How many bytes at the beginning of a text say this word, or what may as well be written for it; `None`: it begins with
    /// something else.
    pub fn begins(&self, text: &str) -> Option<usize> {
        let mut wanted = self.0.iter();
        // Most places are none, and most letters plain.
        if text
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii() && self.0.first() != Some(&c.to_ascii_lowercase()))
        {
            return None;
        }
        for (at, c) in text.char_indices() {
            let mut own = letters(text.get(at..at + c.len_utf8()).unwrap_or_default()).peekable();
            match (wanted.len(), own.peek()) {
                (0, Some(_)) => return Some(at),
                // No word begins with an accent: of a million of them each would be tried with all that follow.
                (_, None) if at == 0 => return None,
                _ => {}
            }
            for letter in own {
                // The word may end in the middle of what is one letter here.
                if wanted.next().is_some_and(|wanted| *wanted != letter) {
                    return None;
                }
            }
        }
        (wanted.len() == 0).then_some(text.len())
    }
}

/// Text in its plainest letters (ﬁ is fi, full width is the usual one), without case (ß is ss), and without what people may as
/// well leave out when they type it: accents, the points of Hebrew, the vowel signs of Arabic.
/// A vowel sign of Devanagari or Thai is none of these: without it the word is another one.
fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        // Their case is nothing to what reads the index.
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !may_be_left_out(*c)) {
        // Most are, and are done with sooner.
        match c.is_ascii() {
            true => plain.push(c.to_ascii_lowercase()),
            false => plain.extend(without_case(c)),
        }
    }
    if is_nfc(&plain) { Cow::Owned(plain) } else { Cow::Owned(plain.nfc().collect()) }
}

/// The same, taken apart.
fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfkd().filter(|c| !may_be_left_out(*c)).flat_map(without_case)
}

/// By way of the capitals: so it comes to what Unicode calls full case folding (ẞ, ß: ss; ς: σ); and a dotless ı is an i.
fn without_case(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

fn may_be_left_out(c: char) -> bool {
    matches!(u32::from(c),
        // Combining marks of Latin, Greek and Cyrillic.
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF
        // What chooses between shapes of one character: an emoji in colors, or not.
        | 0xFE00..=0xFE0F | 0xE0100..=0xE01EF
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
    fn letters_are_plain_and_without_case() {
        for (text, plain) in [
            ("Straße", "strasse"),
            ("STRASSE\u{2026}", "strasse..."),
            ("GROẞE größe", "grosse grosse"),
            ("oﬃce ﬁn", "office fin"),
            ("ＡＢＣ ｶﾞ", "abc ガ"),
            ("İstanbul ışık ŉ", "istanbul isik ʼn"),
            ("ΟΔΟΣ οδός ᾳ", "οδοσ οδοσ α"),
            ("x² 😀", "x2 😀"),
            ("が", "が"),
        ] {
            assert_eq!(folded(text), plain, "{text}");
        }
    }

    #[test]
    fn symbols_and_pictures_are_no_part_of_the_word_beside_them() {
        for (text, words) in [
            ("\u{fffc}A voucher", &["a", "voucher"][..]),
            ("\u{2764}\u{fe0f}hello", &["\u{2764}", "hello"]),
            ("©Ana 20°C ■note", &["©", "ana", "20", "°", "c", "■", "note"]),
            ("1\u{fe0f}\u{20e3}first", &["1", "first"]),
        ] {
            let mut said = String::new();
            spread(text, &mut said);
            assert_eq!(said.split_whitespace().collect::<Vec<_>>(), words, "{text}");
        }
    }

    #[test]
    fn what_says_a_word_is_as_long_as_it_is_written() {
        let begins_with = |text: &str, word: &str| Word::new(word).and_then(|word| word.begins(text));
        assert_eq!(begins_with("Straßen", "strasse"), Some("Straße".len()));
        assert_eq!(begins_with("Straßen", "STRAS"), Some("Straß".len()));
        assert_eq!(begins_with("cafe\u{301}s", "café"), Some("cafe\u{301}".len()));
        assert_eq!(begins_with("ﬁn", "fi"), Some("ﬁ".len()));
        for (text, word) in
            [("Strand", "strasse"), ("stra", "strasse"), ("any", ""), ("", "a"), ("\u{301}a", "a")]
        {
            assert_eq!(begins_with(text, word), None, "{text} {word}");
        }
    }

    #[test]
    fn a_word_has_shorter_ones_and_a_phrase_has_none() {
        let shorter = |typed: &str| -> Vec<String> {
            terms(typed).iter().flat_map(Term::beginnings).map(|term| term.typed).collect()
        };
        assert_eq!(shorter("houses"), ["house", "hous", "hou"]);
        assert_eq!(shorter("Straße"), ["Straß", "Stra", "Str"]);
        for none in ["hou", "\"lake houses\"", "東京都庁", "e-mail", "12:30", ""] {
            assert_eq!(shorter(none), [""; 0], "{none}");
        }
    }

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
