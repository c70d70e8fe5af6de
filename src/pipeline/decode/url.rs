//! URLs as text.
//!
//! **Must never**: change a URL beyond putting a relative one onto its base.

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
            authority.split_once("//").map_or("", |(scheme, _)| scheme)
        }
        Some('/') => authority,
        Some(_) if path.len() == authority.len() => return format!("{authority}/{reference}"),
        Some(_) => path.rfind('/').map_or("", |at| path.split_at(at + 1).0),
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
}
