//! What a message says and ever said: its text and subject, every version that its own list of edits has, and the states
//! that the archive kept.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::conversations::columns_or_null;
use super::history::text;
use super::places::number;
use super::row::text_at;
use crate::pipeline::decode::summary::summary;

/// The columns that [`texts`] reads of a table with messages.
pub fn columns(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let names = ["text", "attributedbody", "subject", "date_edited", "message_summary_info"];
    columns_or_null(connection, table, &names)
}

/// Adds what a row says, from these columns on; earlier versions first.
pub fn texts(row: &Row<'_>, first: usize, texts: &mut Vec<String>) -> rusqlite::Result<()> {
    // Nearly every row has such a list, and few have edits in it.
    if number(row.get_ref(first + 3)?) != 0
        && let ValueRef::Blob(list) = row.get_ref(first + 4)?
    {
        texts.extend(summary(list).edits.into_values().flatten().map(|version| version.text));
    }
    if let Some(subject) = row.get_ref(first + 2)?.as_bytes_or_null().ok().flatten() {
        texts.push(String::from_utf8_lossy(subject).into_owned());
    }
    texts.extend(text(row, first)?);
    Ok(())
}

/// What messages said in former states and versions.
#[derive(Debug)]
pub struct Former {
    /// The queries for the states that the archive kept of a message, and for the one it shows.
    states: [String; 2],
}

impl Former {
    /// Finds out which columns there are.
    pub fn of(connection: &Connection) -> rusqlite::Result<Former> {
        let state = |table, key, order| -> rusqlite::Result<String> {
            let said = columns(connection, table)?;
            Ok(format!("SELECT {said} FROM {table} WHERE {key} = ?1 ORDER BY {order}"))
        };
        let kept = state("msgarchive_message_version", "msgarchive_id", "msgarchive_version")?;
        Ok(Former { states: [kept, state("message", "ROWID", "ROWID")?] })
    }

    /// What one said, oldest first, each once.
    pub fn texts(&self, connection: &Connection, message: i64) -> rusqlite::Result<Vec<String>> {
        let mut former: Vec<String> = Vec::new();
        for state in &self.states {
            let mut statement = connection.prepare_cached(state)?;
            let mut rows = statement.query([message])?;
            while let Some(row) = rows.next()? {
                let mut of_row = Vec::new();
                texts(row, 0, &mut of_row)?;
                let subject = text_at(row, 2)?;
                of_row.retain(|text| Some(text) != subject.as_ref() && !former.contains(text));
                former.extend(of_row);
            }
        }
        Ok(former)
    }
}
