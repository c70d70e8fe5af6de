//! Text from bytes that Apple stored, with nothing cut away.
//!
//! **Must never**: fail, or drop a character.

use std::borrow::Cow;

/// UTF-8, taking the lone and paired surrogates that Apple's strings can hold: a pair becomes its character, a lone
/// one a single U+FFFD, so that it stays one UTF-16 unit and the ranges behind it stay right.
pub fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(repaired(bytes)),
    }
}

#[cold]
fn repaired(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        let bad = match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(bad) => bad,
        };
        let (good, rest) = bytes.split_at_checked(bad.valid_up_to()).unwrap_or((&[], bytes));
        text.push_str(&String::from_utf8_lossy(good));
        let (c, len) = match (surrogate(rest), surrogate(rest.get(3..).unwrap_or(&[]))) {
            (Some(high @ 0xD800..0xDC00), Some(low @ 0xDC00..0xE000)) => {
                let c = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                (char::from_u32(c), 6)
            }
            (Some(_), _) => (None, 3),
            (None, _) => (None, bad.error_len().unwrap_or(rest.len()).max(1)),
        };
        text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        bytes = rest.get(len..).unwrap_or(&[]);
    }
}

/// The UTF-16 surrogate that these bytes begin with, encoded as if it were a character.
fn surrogate(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] => {
            Some(0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F))
        }
        _ => None,
    }
}

/// UTF-16 in either byte order; lone surrogates become U+FFFD, an odd last byte is one too.
pub fn utf16(bytes: &[u8], big_endian: bool) -> String {
    let (units, odd) = bytes.as_chunks::<2>();
    let units = units.iter().map(|pair| match big_endian {
        true => u16::from_be_bytes(*pair),
        false => u16::from_le_bytes(*pair),
    });
    let mut text: String =
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    if !odd.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_keep_their_width() {
        assert_eq!(utf8(b"a\xED\xA0\x80b"), "a\u{FFFD}b");
        assert_eq!(utf8(b"\xED\xA0\xBD\xED\xB8\x80"), "😀");
        assert_eq!(utf8(b"a\xFF\xFEb"), "a\u{FFFD}\u{FFFD}b");
        assert_eq!(utf8("cut é".as_bytes().split_last().unwrap().1), "cut \u{FFFD}");
        assert_eq!(utf8("NUL \0 \u{2184}".as_bytes()), "NUL \0 \u{2184}");
    }

    #[test]
    fn utf16_of_both_orders() {
        assert_eq!(utf16(&[0x3D, 0xD8, 0x00, 0xDE], false), "😀");
        assert_eq!(utf16(&[0xD8, 0x3D, 0xDE, 0x00], true), "😀");
        assert_eq!(utf16(&[0x00, 0xDE, 0x41, 0x00, 0x7], false), "\u{FFFD}A\u{FFFD}");
    }
}
