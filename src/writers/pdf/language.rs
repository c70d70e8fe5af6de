//! The language of a stretch of text, as far as its script tells it (BCP 47).
//!
//! The words of a document are English, which the document says of itself. What people wrote is in any language: where a
//! script is that of one language today, its text is marked with it; where it is that of several, with the script. Latin
//! letters say nothing.
//!
//! **Must never**: guess a language from words.

use std::collections::BTreeSet;

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

/// All that text may be marked with.
pub fn marks() -> impl Iterator<Item = &'static str> {
    MARKS.iter().map(|(_, mark)| *mark).collect::<BTreeSet<_>>().into_iter()
}

/// What a run of text is marked with, by the first letter that tells it; `None` for the document's own language, for one
/// that is not known, and for digits, spaces and emoji.
pub fn language(text: &str) -> Option<&'static str> {
    if text.is_ascii() {
        return None;
    }
    let scripts = CodePointMapData::<Script>::new();
    let mut found = None;
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = scripts.get(c);
        match MARKS.iter().find(|(known, _)| *known == script) {
            None => return found,
            // Japanese writes with Han, too; only kana tell it.
            Some((Script::Han, mark)) => found = found.or(Some(*mark)),
            Some((_, "ja")) => return Some("ja"),
            Some((_, mark)) => return found.or(Some(*mark)),
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
            ("Hello", None),
            ("Grüße", None),
            (" 10:30 …", None),
            ("🌞", None),
            ("שלום", Some("he")),
            ("10:30 שלום", Some("he")),
            ("مرحبا", Some("und-Arab")),
            ("你好,周末愉快!", Some("und-Hani")),
            ("日本語もすこし", Some("ja")),
            ("한국어도", Some("ko")),
            ("привет", Some("und-Cyrl")),
            ("नमस्ते", Some("und-Deva")),
            ("", None),
        ] {
            assert_eq!(language(text), expected, "{text}");
        }
    }
}
