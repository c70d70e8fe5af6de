//! Photos shared as a link (`messages-format.md` 10.8): title and number of pictures in the texts, the link in the URL.

use super::template;
use crate::model::{Balloon, Value};
use crate::pipeline::decode::keyed::Node;

/// Fills the card; `false` when nothing known is in the archive.
pub fn fill(root: Node<'_>, card: &mut Balloon) -> bool {
    let known = template::fill(root, card);
    let texts = [&card.subtitle, &card.title, &card.summary].into_iter().flatten();
    let count = texts.chain(&card.lines).find_map(|text| count(text));
    card.data.extend(count.map(|count| ("count", Value::Integer(count))));
    known
}

/// The number in `12 Photos`, `3 photos & 1 video` (the first of them), `1 Foto`: a text that begins with one.
fn count(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, what) = text.split_at(digits);
    let is_count = what.trim_start().starts_with(char::is_alphabetic) && what.starts_with([' ', '\u{A0}']);
    // A date is no count: "12 May 2024" has more numbers, "2 photos, 1 video" a comma before them.
    let more_numbers = what.contains(|c: char| c.is_ascii_digit());
    if !is_count || (more_numbers && !what.contains([',', '&'])) {
        return None;
    }
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts() {
        for (text, expected) in [
            ("12 Photos", Some(12)),
            ("1\u{A0}Foto", Some(1)),
            ("2 photos & 1 video", Some(2)),
            ("12 May 2024", None),
            ("Lisbon", None),
            ("3", None),
            ("3x", None),
        ] {
            assert_eq!(super::count(text), expected, "{text}");
        }
    }
}
