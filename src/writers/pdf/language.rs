//! The language of a stretch of text, as far as its script tells it (BCP 47).
//!
//! The words of a document are English, which the document says of itself. What people wrote is in any language: where a
//! script is that of one language today, its text is marked with it; where it is that of several, with the script. Latin
//! letters say nothing.
//!
//! **Must never**: guess a language from words.

use icu_properties::{CodePointMapData, props::Script};

/// A script, and what its text is marked with.
const MARKS: &[(Script, &str)] = &[
    (Script::Arabic, "und-Arab"),
    (Script::Armenian, "hy"),
    (Script::Bengali, "und-Beng"),
    (Script::Cyrillic, "und-Cyrl"),
    (Script::Devanagari, "und-Deva"),
    (Script::Ethiopic, "und-Ethi"),
    (Script::Georgian, "ka"),
    (Script::Greek, "el"),
    (Script::Gujarati, "gu"),
    (Script::Gurmukhi, "pa"),
    (Script::Han, "und-Hani"),
    (Script::Hangul, "ko"),
    (Script::Hebrew, "he"),
    (Script::Hiragana, "ja"),
    (Script::Kannada, "kn"),
    (Script::Katakana, "ja"),
    (Script::Khmer, "km"),
    (Script::Lao, "lo"),
    (Script::Malayalam, "ml"),
    (Script::Myanmar, "und-Mymr"),
    (Script::Oriya, "or"),
    (Script::Sinhala, "si"),
    (Script::Tamil, "ta"),
    (Script::Telugu, "te"),
    (Script::Thai, "th"),
    (Script::Tibetan, "und-Tibt"),
];

/// What a run of text says of its language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// That of the document, or one that is not known.
    Unmarked,
    Marked(&'static str),
    /// Nothing: digits, spaces, emoji go with what is around them.
    Neutral,
}

/// The language of a run, by the first letter that tells it.
pub fn language(text: &str) -> Language {
    if text.is_ascii() {
        let says = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        return if says { Language::Unmarked } else { Language::Neutral };
    }
    let scripts = CodePointMapData::<Script>::new();
    let mut found = Language::Neutral;
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = scripts.get(c);
        let mark = MARKS.iter().find(|(known, _)| *known == script).map(|(_, mark)| *mark);
        match (mark, found) {
            // Japanese writes with Han, too; only kana tell it.
            (Some("ja"), _) => return Language::Marked("ja"),
            (Some(mark), Language::Neutral) if mark == "und-Hani" => found = Language::Marked(mark),
            (Some(_), Language::Marked(_)) => {}
            (Some(mark), _) => return Language::Marked(mark),
            (None, Language::Neutral) => return Language::Unmarked,
            (None, found) => return found,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_tells_a_language_or_itself_or_nothing() {
        for (text, expected) in [
            ("Hello", Language::Unmarked),
            ("Grüße", Language::Unmarked),
            (" 10:30 …", Language::Neutral),
            ("🌞", Language::Neutral),
            ("שלום", Language::Marked("he")),
            ("10:30 שלום", Language::Marked("he")),
            ("مرحبا", Language::Marked("und-Arab")),
            ("你好,周末愉快!", Language::Marked("und-Hani")),
            ("日本語もすこし", Language::Marked("ja")),
            ("한국어도", Language::Marked("ko")),
            ("привет", Language::Marked("und-Cyrl")),
            ("नमस्ते", Language::Marked("und-Deva")),
            ("", Language::Neutral),
        ] {
            assert_eq!(language(text), expected, "{text}");
        }
    }
}
