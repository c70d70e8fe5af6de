//! What was noted as damaged and is so still: a run that has taken a message in again leaves the note for whoever verifies next.
//!
//! **Must never**: look at more than what is noted. A run that has just ended is waited for.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::{damaged_messages, stored_hash};
use crate::archive::folder::Folder;
use crate::archive::joins::each_hash;
use crate::archive::kind::{JOINS, Join, Kind};
use crate::archive::open::look_at;
use crate::archive::row::{self, RowHash};
use crate::archive::schema::{Columns, has_table};
use crate::archive::{ArchiveError, damage};
use crate::source::tables::quoted;

/// The messages of which it is noted that they are not what was archived, and that no run has put right since.
///
/// # Errors
/// [`ArchiveError::NotAnArchive`]; the disk's.
pub fn noted_damage(path: &Path) -> Result<BTreeSet<i64>, ArchiveError> {
    let folder = Folder::open(path)?;
    let mut noted = damaged_messages(&damage::read(&folder)?);
    if noted.is_empty() {
        return Ok(noted);
    }
    let connection = look_at(&folder)?;
    let look = || -> rusqlite::Result<BTreeSet<i64>> {
        let columns = Columns::read(&connection)?;
        let mut whole = BTreeSet::new();
        for id in &noted {
            if is_whole(&connection, &columns, *id)? {
                whole.insert(*id);
            }
        }
        Ok(whole)
    };
    let whole = look().map_err(ArchiveError::database(folder.database()))?;
    noted.retain(|id| !whole.contains(id));
    Ok(noted)
}

/// A message, and what joins it, is what was written.
fn is_whole(connection: &Connection, columns: &Columns, id: i64) -> rusqlite::Result<bool> {
    let hashed = columns.hashed(Kind::Message);
    let list: Vec<String> = hashed.iter().map(|name| format!(", m.{}", quoted(name))).collect();
    let row = connection
        .prepare_cached(&format!(
            "SELECT b.hash{} FROM message m JOIN msgarchive_message b ON b.id = m.ROWID WHERE m.ROWID = ?1",
            list.concat()
        ))?
        .query_row([id], |row| Ok(stored_hash(row.get_ref(0)?) == Some(row::hash_of(row, 1, &hashed)?)))
        .optional()?;
    if row != Some(true) {
        return Ok(false);
    }
    for join in JOINS.iter().filter(|join| join.of_messages()) {
        if has_table(connection, &join.book())? && !is_joined_as_booked(connection, join, columns, id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_joined_as_booked(
    connection: &Connection,
    join: &Join,
    columns: &Columns,
    id: i64,
) -> rusqlite::Result<bool> {
    let of_owner = format!("WHERE {} = ?1", join.owner().0);
    let mut there: Vec<Option<RowHash>> = Vec::new();
    each_hash(connection, join, columns, &of_owner, [id], |_, hash| {
        there.push(Some(hash));
        Ok(())
    })?;
    there.sort_unstable();
    let mut booked = connection.prepare_cached(&format!("SELECT hash FROM {} {of_owner}", join.book()))?;
    let booked = booked.query_map([id], |row| Ok(stored_hash(row.get_ref(0)?)))?;
    let mut booked: Vec<Option<RowHash>> = booked.collect::<rusqlite::Result<_>>()?;
    booked.sort_unstable();
    Ok(booked == there)
}
