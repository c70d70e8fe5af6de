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

/// So many tables of notes are named one by one: more of them are lost at once only with the whole database.
const TABLES: usize = 3;

/// The same of all that a run tells of. That notes of whole tables are lost is one thing to people: what of that they would miss is said,
/// and not table by table.
pub fn all_in_words<'t>(things: impl Iterator<Item = (&'t str, Option<&'t LostOf>)>) -> Vec<String> {
    let (tables, others): (Vec<_>, Vec<_>) = things.partition(|(what, of)| is_of_a_table(what, *of));
    let mut words: Vec<String> = others.into_iter().map(|(what, of)| in_words(what, of)).collect();
    if tables.len() <= TABLES {
        words.extend(tables.into_iter().map(|(what, of)| in_words(what, of)));
        return words;
    }
    words.push(format!(
        "what the archive had noted beside the messages until then, such as since when it has them, from where they came, and when and why \
         some are gone there: of that it knows only what the sources tell now (in {} tables, which the record of that run names)",
        tables.len()
    ));
    words
}

/// Notes of a table as a whole: of no row, no file.
fn is_of_a_table(what: &str, of: Option<&LostOf>) -> bool {
    what.starts_with("something of ")
        && of.is_some_and(|of| of.row.is_none() && of.guid.is_none() && of.path.is_none())
}

/// What to do where something is kept waiting for a source that will not come.
pub fn way_out(source: &str, dir: &Path) -> String {
    let (source, dir) = (plain(source), plain(&dir.display().to_string()));
    format!("If {source} is gone for good: msgarchive archive {} --gone {}", typed(&dir), typed(&source))
}

/// A path as it is typed in a shell: one of an archive that somebody else made says whatever they like.
fn typed(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:,@%=".contains(c) || cfg!(windows) && c == '\\';
    match path.chars().all(is_plain) {
        true => path.to_owned(),
        // It can have no such mark there.
        false if cfg!(windows) => format!("\"{path}\""),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_a_command() {
        for (path, expect) in [
            ("/home/ana/chat.db", "/home/ana/chat.db"),
            ("/Volumes/My Disk/chat.db", "'/Volumes/My Disk/chat.db'"),
            ("/tmp/$(touch x)`y`\"/chat.db", "'/tmp/$(touch x)`y`\"/chat.db'"),
            ("/it's;here", r"'/it'\''s;here'"),
        ] {
            assert_eq!(typed(path), expect);
        }
    }
}
