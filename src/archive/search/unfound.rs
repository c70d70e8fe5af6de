//! Where a search has no hit: among what was looked, and what would be found.
//!
//! **Must never**: propose what finds nothing.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Value;

use super::super::ArchiveError;
use super::super::conversations::Conversations;
use super::super::index::{Index, Term, matching, terms};
use super::super::record;
use crate::source::ChatId;

/// What there was to be found, and was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfound {
    /// Messages of the archive; what people tapped on others counts, too, as it does in the records of runs.
    pub messages: u64,
    /// Those that have any.
    pub conversations: u64,
    /// When the latest run began, by its record (RFC 3339); `None` where that is lost.
    pub fed: Option<String>,
    /// `None`: neither that, nor a beginning of it.
    pub instead: Option<Instead>,
}

/// What would be found instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// So many messages, were it not for the filters.
    Unfiltered(u64),
    /// The same words without quotation marks.
    Unquoted,
    /// Each of the words, but never all of them in one message.
    FewerWords,
    /// This is all of it, and no message says it; some say a word that begins so.
    Beginning(String),
    /// Of several words no message says this one; some say a word that begins so, if any do.
    WithoutWord { unsaid: String, beginning: Option<String> },
}

/// What there is in the archive.
pub fn there(connection: &Connection, conversations: &Conversations) -> rusqlite::Result<Unfound> {
    let messages: i64 = connection.query_row("SELECT count(*) FROM message", [], |row| row.get(0))?;
    let sql = "SELECT c.ROWID FROM chat c WHERE EXISTS (SELECT 1 FROM chat_message_join j WHERE j.chat_id = c.ROWID)";
    let mut chats = connection.prepare(sql)?;
    let chats = chats.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    let held: BTreeSet<usize> =
        chats.into_iter().filter_map(|chat| conversations.0.conversation_of(ChatId(chat))).collect();
    let record = record::latest(connection)?.and_then(|(_, record)| serde_json::from_str(&record).ok());
    let started = |record: Value| record.get("started")?.as_str().map(str::to_owned);
    Ok(Unfound {
        messages: messages.unsigned_abs(),
        conversations: held.len() as u64,
        fed: record.and_then(started),
        instead: None,
    })
}

/// What to look for where no message says what was typed.
///
/// # Errors
/// [`ArchiveError`] of the index.
pub fn instead(index: &Index, typed: &str) -> Result<Option<Instead>, ArchiveError> {
    let unquoted = matching(&typed.replace('"', " ")).filter(|_| typed.contains('"'));
    if let Some(words) = unquoted
        && index.has(&words)?
    {
        return Ok(Some(Instead::Unquoted));
    }
    let terms = terms(typed);
    for term in &terms {
        if index.has(&term.matching())? {
            continue;
        }
        let beginning = beginning(index, term)?;
        return Ok(match terms.len() {
            1 => beginning.map(Instead::Beginning),
            _ => Some(Instead::WithoutWord { unsaid: term.typed.clone(), beginning }),
        });
    }
    Ok(Some(Instead::FewerWords).filter(|_| terms.len() > 1))
}

/// The longest beginning of a word that any message says.
fn beginning(index: &Index, term: &Term) -> Result<Option<String>, ArchiveError> {
    for shorter in term.beginnings() {
        if index.has(&shorter.matching())? {
            return Ok(Some(shorter.typed));
        }
    }
    Ok(None)
}
