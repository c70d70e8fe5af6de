//! Which absences are explained by a guess: that Keep Messages removed what has the shape of it, where nobody knows the setting of
//! the source. A guess goes on as one, from archive to archive.
//!
//! **Must never**: be noted of what a source says itself.

use std::collections::HashSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::ArchiveError;
use super::places::number;
use super::schema::has_table;
use crate::source::tables::Tables;

/// The absences that are: by message, source, and the run that noticed them.
pub const GUESSED: &str = "msgarchive_guessed";

/// Whether the reason of the absence `a` is a guess. SQL.
pub const IS_GUESSED: &str = "a.reason = 'aged_out' AND EXISTS (
    SELECT 1 FROM msgarchive_guessed q WHERE q.message = a.message AND q.source = a.source AND q.run = a.run)";

/// The same, of an archive that an earlier program may have written: which of its reasons are guesses nobody knows.
pub fn is_guessed(connection: &Connection) -> rusqlite::Result<&'static str> {
    Ok(if has_table(connection, GUESSED)? { IS_GUESSED } else { "0" })
}

/// Notes it of an absence.
pub fn note(connection: &Connection, message: i64, source: i64, run: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO {GUESSED} (message, source, run) VALUES (?1, ?2, ?3)"
        ))?
        .execute(params![message, source, run])?;
    Ok(())
}

/// The guesses of another archive.
#[derive(Debug, Default)]
pub struct Guesses(HashSet<[i64; 3]>);

impl Guesses {
    /// # Errors
    /// What SQLite says of the source.
    pub fn read(tables: &Tables) -> Result<Guesses, ArchiveError> {
        let mut guesses = Guesses::default();
        if let Some(table) = tables.table(GUESSED) {
            tables.reader().all(table, &["message", "source", "run"], |row| {
                guesses.0.insert([0, 1, 2].map(|at| number(row.value(at))));
                Ok::<(), ArchiveError>(())
            })?;
        }
        Ok(guesses)
    }

    /// Whether the absence of this message, noticed by this run of this source, is explained by one.
    pub fn has(&self, of: [ValueRef<'_>; 3]) -> bool {
        self.0.contains(&of.map(number))
    }
}
