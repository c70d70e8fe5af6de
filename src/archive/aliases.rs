//! Other GUIDs of messages: those under which they came again, restored or sent on.
//!
//! What refers to a message by such a GUID (a tapback, a reply) refers to the GUID that it has here: else it would hang in
//! the air.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::row::text_at;
use super::spelling::{Spelled, Spelling};

/// The columns that refer to a message, as a GUID or ending with one.
const REFERENCES: [&str; 3] = ["associated_message_guid", "thread_originator_guid", "reply_to_guid"];

/// The other GUIDs that the archive knows.
pub struct Aliases<'c> {
    connection: &'c Connection,
    /// There are some.
    any: bool,
    /// Positions of the columns that refer to messages.
    referring: Vec<usize>,
}

impl<'c> Aliases<'c> {
    pub fn new(connection: &'c Connection, spelling: &Spelling<'_>) -> rusqlite::Result<Aliases<'c>> {
        let any =
            connection.query_row("SELECT EXISTS (SELECT 1 FROM msgarchive_alias)", [], |row| row.get(0))?;
        let position = |name: &&str| spelling.wanted.lower.iter().position(|own| own == name);
        Ok(Aliases { connection, any, referring: REFERENCES.iter().filter_map(position).collect() })
    }

    /// The message that is known by this GUID, too.
    pub fn message(&self, guid: &str) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT message FROM msgarchive_alias WHERE guid = ?1")?
            .query_row([guid], |row| row.get(0))
            .optional()
    }

    pub fn note(&mut self, guid: &str, message: i64, run: i64) -> rusqlite::Result<()> {
        self.any = true;
        self.connection
            .prepare_cached("INSERT INTO msgarchive_alias (guid, message, run) VALUES (?1, ?2, ?3)")?
            .execute(params![guid, message, run])?;
        Ok(())
    }

    /// What a row refers to, where that has another GUID here: positions, and what is to be there.
    pub fn referred(&self, row: &Spelled<'_>) -> rusqlite::Result<Vec<(usize, String)>> {
        let mut referred = Vec::new();
        if !self.any {
            return Ok(referred);
        }
        for at in &self.referring {
            if let Some(ValueRef::Text(reference)) = row.values.get(*at)
                && let Ok(reference) = std::str::from_utf8(reference)
                && let Some(own) = self.resolved(reference)?
            {
                referred.push((*at, own));
            }
        }
        Ok(referred)
    }

    fn resolved(&self, reference: &str) -> rusqlite::Result<Option<String>> {
        let (form, guid) = reference.split_at(reference.rfind(['/', ':']).map_or(0, |at| at + 1));
        let own = self
            .connection
            .prepare_cached(
                "SELECT m.guid FROM msgarchive_alias a JOIN message m ON m.ROWID = a.message WHERE a.guid = ?1",
            )?
            .query_row([guid], |row| text_at(row, 0))
            .optional()?;
        Ok(own.flatten().map(|own| format!("{form}{own}")))
    }
}
