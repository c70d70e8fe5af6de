//! Links that open a message in Messages, on a Mac or an iPhone.
//!
//! **Must never**: let a GUID out of its place in a link.

/// What opens a message in Messages, by its GUID.
pub fn link(guid: &str) -> String {
    let mut link = String::from("sms://open?message-guid=");
    for byte in guid.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                link.push(char::from(byte))
            }
            byte => link.push_str(&format!("%{byte:02X}")),
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn a_guid_stays_in_its_place() {
        assert_eq!(link("1A-b"), "sms://open?message-guid=1A-b");
        assert_eq!(link("\"><a b&c=é"), "sms://open?message-guid=%22%3E%3Ca%20b%26c%3D%C3%A9");
    }
}
