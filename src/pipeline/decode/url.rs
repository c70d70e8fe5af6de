//! URLs as text.
//!
//! **Must never**: change a URL beyond putting a relative one onto its base.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A relative reference on its base, as RFC 3986, 5.2 does it, `.` and `..` left as they are.
pub fn resolve(base: &str, reference: &str) -> String {
    if base.is_empty() || has_scheme(reference) {
        return reference.to_owned();
    }
    let before = |mark: &[char]| base.find(mark).map_or(base, |at| base.split_at(at).0);
    let path = before(&['?', '#']);
    let authority = match path.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.find('/').unwrap_or(rest.len());
            path.split_at(scheme.len() + 3 + host).0
        }
        None => path.split_once(':').map_or("", |(scheme, _)| path.split_at(scheme.len() + 1).0),
    };
    let base = match reference.chars().next() {
        None | Some('#') => before(&['#']),
        Some('?') => path,
        Some('/') if reference.starts_with("//") => {
            authority.split_once("//").map_or(authority, |(scheme, _)| scheme)
        }
        Some('/') => authority,
        Some(_) if path.len() == authority.len() && authority.contains("//") => {
            return format!("{authority}/{reference}");
        }
        Some(_) => path.rfind('/').map_or(authority, |at| path.split_at(at + 1).0),
    };
    format!("{base}{reference}")
}

/// Whether a URL begins with a scheme.
pub fn has_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// The names and values of a URL's query, in their order, with escapes taken out; of one that is only a query too.
pub fn query(url: &str) -> Vec<(String, String)> {
    let Some((_, query)) = url.split_once('?') else {
        return Vec::new();
    };
    let query = query.split('#').next().unwrap_or(query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(name), unescaped(value))
        })
        .collect()
}

/// `%41` and `+` as what they stand for; an escape that is none, as it is.
fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        let escape = match (first, rest) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).map(|(high, low)| (((high << 4) | low) as u8, after))
            }
            _ => None,
        };
        match escape {
            Some((byte, after)) => {
                out.push(byte);
                bytes = after;
            }
            None => out.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// The bytes in a `data:` URL in base64 of either alphabet, padded or not; what follows a `?` is not of them.
pub fn data(url: &str) -> Option<Vec<u8>> {
    let (kind, content) = url.strip_prefix("data:")?.split_once(',')?;
    let content = content.split('?').next().unwrap_or(content);
    // Apple's polls say nothing of their encoding.
    if !kind.is_empty() && !kind.ends_with(";base64") {
        return None;
    }
    // Padding and the like may be escaped; a `+` is one, no blank.
    base64(&unescaped(content).replace(' ', "+"))
}

/// Base64 of either alphabet, padded or not.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |c: char| match c {
        '-' => '+',
        '_' => '/',
        c => c,
    };
    let text: String = text.trim_end_matches('=').chars().map(digit).collect();
    STANDARD_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_references() {
        let base = "https://example.com/dir/page?q=1#top";
        for (reference, whole) in [
            ("page.html", "https://example.com/dir/page.html"),
            ("/x", "https://example.com/x"),
            ("//example.org/x", "https://example.org/x"),
            ("?q=2", "https://example.com/dir/page?q=2"),
            ("#end", "https://example.com/dir/page?q=1#end"),
            ("", "https://example.com/dir/page?q=1"),
            ("mailto:a@example.com", "mailto:a@example.com"),
        ] {
            assert_eq!(resolve(base, reference), whole);
        }
        assert_eq!(resolve("https://example.com", "x"), "https://example.com/x");
        assert_eq!(resolve("", "x"), "x");
    }

    #[test]
    fn a_base_without_an_authority_keeps_its_scheme() {
        for (base, reference, whole) in [
            ("a:b#c", ":/d#e", "a::/d#e"),
            ("a:b", "//example.com", "a://example.com"),
            ("a:", "x", "a:x"),
            ("a:b/c", "x", "a:b/x"),
            ("?a", "x", "x"),
        ] {
            assert_eq!(resolve(base, reference), whole);
        }
    }

    #[test]
    fn queries() {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        assert_eq!(query("https://example.com"), []);
        assert_eq!(
            query("?a=1&b=x%20y+z&&c&d=50%&e=%zz#top"),
            [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "50%"), ("e", "%zz")].map(pair)
        );
        assert_eq!(query("?x=%C3%A9&y=%FF"), [("x", "é"), ("y", "%FF")].map(pair));
    }

    #[test]
    fn data_urls() {
        for (url, bytes) in [
            ("data:,_-8=", Some(&b"\xff\xef"[..])),
            ("data:,/+8", Some(b"\xff\xef")),
            ("data:,aGk?src=p&c=4", Some(b"hi")),
            ("data:,_-8%3D", Some(b"\xff\xef")),
            ("data:,%2F%2B8%3d?src=p", Some(b"\xff\xef")),
            ("data:application/x;base64,aGk=", Some(b"hi")),
            ("data:text/plain,hi", None),
            ("data:,h*", None),
            ("https://example.com", None),
        ] {
            assert_eq!(data(url).as_deref(), bytes, "{url}");
        }
    }
}
