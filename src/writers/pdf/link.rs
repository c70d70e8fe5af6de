//! Addresses that a reader may click.

/// The address, when its scheme is one that only ever opens a browser, a mail, a call or a text message.
pub fn allowed(address: &str) -> Option<String> {
    let address = address.trim();
    let (scheme, rest) = address.split_once(':')?;
    let known = ["http", "https", "mailto", "tel", "sms"];
    let whole = !rest.trim_start_matches('/').is_empty() && address.len() <= 4096;
    (whole && known.iter().any(|known| scheme.eq_ignore_ascii_case(known))).then(|| encode(address, b"%"))
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
