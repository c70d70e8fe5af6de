//! Addresses that a reader may click.

use std::ops::Range;

/// In bytes.
const LONGEST: usize = 4_096;
/// So many marks behind an address are taken off.
const MOST_ENDINGS: usize = 16;

/// The address, when its scheme is one that only ever opens a browser, a mail, a call or a text message.
pub fn allowed(address: &str) -> Option<String> {
    let address = address.trim();
    let (scheme, rest) = address.split_once(':')?;
    let known = ["http", "https", "mailto", "tel", "sms"];
    let whole = !rest.trim_start_matches('/').is_empty() && address.len() <= LONGEST;
    (whole && known.iter().any(|known| scheme.eq_ignore_ascii_case(known))).then(|| encode(address, b"%"))
}

/// Addresses of the web that stand in a text, as byte ranges: from their scheme to the next white space, without the marks
/// that end a sentence or close what was opened before.
pub fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(colon) = text.get(from..).and_then(|rest| rest.find("://")).map(|at| from + at) {
        let before = text.get(from..colon).unwrap_or_default();
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            let start = before.len().checked_sub(scheme.len());
            let (head, tail) = start.and_then(|start| before.split_at_checked(start)).unwrap_or_default();
            tail.eq_ignore_ascii_case(scheme) && !head.ends_with(char::is_alphanumeric)
        });
        let rest = text.get(colon..).unwrap_or_default();
        let end = (0..=rest.len().min(LONGEST)).rev().find(|end| rest.is_char_boundary(*end));
        let rest = rest.get(..end.unwrap_or(0)).unwrap_or_default();
        let word =
            rest.split(|c: char| c.is_whitespace() || "<>\"“”«»".contains(c)).next().unwrap_or_default();
        let word = without_ending(word);
        if let Some(scheme) = scheme
            && word.get(3..).is_some_and(|host| host.starts_with(char::is_alphanumeric))
        {
            found.push(colon - scheme.len()..colon + word.len());
        }
        from = colon + word.len().max(3);
    }
    found
}

fn without_ending(mut address: &str) -> &str {
    for _ in 0..MOST_ENDINGS {
        let opened =
            |open: char, close: char| address.matches(open).count() >= address.matches(close).count();
        let shorter = match address.chars().next_back() {
            Some(')') if !opened('(', ')') => address.strip_suffix(')'),
            Some(']') if !opened('[', ']') => address.strip_suffix(']'),
            Some(end @ ('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '…' | '。' | '、')) => {
                address.strip_suffix(end)
            }
            _ => None,
        };
        match shorter {
            Some(shorter) => address = shorter,
            None => break,
        }
    }
    address
}

/// A path below the export folder as a relative address. `None` for anything that would lead out of it.
pub fn relative(path: &str) -> Option<String> {
    let inside = !path.is_empty()
        && !path.starts_with('/')
        && path.split('/').all(|name| !name.is_empty() && name != "." && name != "..");
    // A colon in the first name would be read as a scheme.
    inside.then(|| encode(path, b"").replace(':', "%3A"))
}

/// Percent-encodes all but what RFC 3986 lets stand, and `also`.
fn encode(text: &str, also: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        let stands = byte.is_ascii_alphanumeric() || b"-._~/:@!$&'()*+,;=".contains(&byte);
        let part = also == b"%" && b"%?#[]".contains(&byte);
        if stands || part {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_chosen() {
        assert_eq!(
            allowed(" https://example.com/ä b?q=1#x ").as_deref(),
            Some("https://example.com/%C3%A4%20b?q=1#x")
        );
        assert_eq!(allowed("TEL:+12025550143").as_deref(), Some("TEL:+12025550143"));
        for bad in
            ["javascript:alert(1)", "file:///etc/passwd", "https://", "example.com", "", "data:text/html,x"]
        {
            assert_eq!(allowed(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_are_found_as_people_write_them() {
        for (text, expected) in [
            ("see https://example.com/x.", vec!["https://example.com/x"]),
            (
                "(http://example.com/a_(b)) HTTPS://EXAMPLE.COM",
                vec!["http://example.com/a_(b)", "HTTPS://EXAMPLE.COM"],
            ),
            (
                "“https://example.com/?q=1&b=é”, or https://example.com!",
                vec!["https://example.com/?q=1&b=é", "https://example.com"],
            ),
            ("ftp://example.com xhttp://example.com http:// https://. ://", vec![]),
            ("שלום https://example.com/שלום ו", vec!["https://example.com/שלום"]),
        ] {
            let found: Vec<_> = addresses(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(
            relative("attachments/Ana [c-1]/50% ü#1.pdf").as_deref(),
            Some("attachments/Ana%20%5Bc-1%5D/50%25%20%C3%BC%231.pdf")
        );
        for bad in ["", "/etc/passwd", "a/../b", "a//b", "./a"] {
            assert_eq!(relative(bad), None, "{bad}");
        }
    }
}
