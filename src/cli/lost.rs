//! What damage took, for people: which message it is of, where, of when and whose; and what to do where it waits for a source.

use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use msgarchive::archive::LostOf;

use super::terminal::plain;

/// What the record says, and of what that is.
pub fn in_words(what: &str, of: Option<&LostOf>) -> String {
    let mut words = plain(what);
    let Some(of) = of else { return words };
    let mut about = Vec::new();
    let is_told = |name: &str| what.contains(name);
    if let Some(conversation) = of.conversation.as_deref().filter(|conversation| !is_told(conversation)) {
        about.push(format!("in {}", plain(conversation)));
    }
    if let Some(sender) = &of.sender {
        about.push(format!("from {}", plain(sender)));
    }
    let sent = of.date.as_deref().and_then(|date| DateTime::parse_from_rfc3339(date).ok());
    if let Some(sent) = sent {
        about.push(format!("sent {} UTC", sent.with_timezone(&Utc).format("%Y-%m-%d %H:%M")));
    }
    if let Some(guid) = of.guid.as_deref().filter(|guid| !is_told(guid)) {
        about.push(plain(guid));
    }
    if !about.is_empty() {
        let _ = write!(words, ": {}", about.join(", "));
    }
    words
}

/// What to do where something is kept waiting for a source that will not come.
pub fn way_out(source: &str, dir: &Path) -> String {
    let typed = |path: &str| match path.contains(char::is_whitespace) {
        true => format!("\"{path}\""),
        false => path.to_owned(),
    };
    let (source, dir) = (plain(source), plain(&dir.display().to_string()));
    format!("If {source} is gone for good: msgarchive archive {} --gone {}", typed(&dir), typed(&source))
}
