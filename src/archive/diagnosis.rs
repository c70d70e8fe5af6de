//! Whether it is the database that is damaged, or the disk that cannot be read.
//!
//! SQLite says the same of both: it takes a read that failed for a page that is wrong. Damage is mended by writing anew,
//! and a disk that fails must not be written to for that: what it cannot read for a moment is not lost.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::ArchiveError;
use super::folder::{ABOUT, Folder};
use super::kind::{JOINS, Kind};
use super::own_file::{in_the_way_of, is_file, lies};
use super::records::none_written;
use super::schema::{has_table, is_ours, version_table};
use super::{header, objects};
use crate::disk::hash_file;
use crate::source::tables::quoted;

/// Whether the archive's database is damaged, or gone, beyond doubt.
///
/// # Errors
/// The disk's: nothing can be said of the database then.
pub fn is_damaged(folder: &Folder, patience: Duration) -> Result<bool, ArchiveError> {
    let path = folder.database();
    if !is_file(&path).map_err(ArchiveError::reading(&path))? {
        is_connected(folder)?;
        return Ok(true);
    }
    if in_the_way_of(&path)?.is_some() {
        return Ok(true);
    }
    // Every byte, without SQLite: that tells what failed.
    hash_file(&path)?;
    let is_new = none_written(folder)?;
    if is_new && fs::metadata(&path).map_err(ArchiveError::reading(&path))?.len() == 0 {
        // Nothing is in it that could be damaged: the first run was about to begin.
        return Ok(false);
    }
    if header::is_strange(&path).map_err(ArchiveError::reading(&path))? {
        return Ok(true);
    }
    let noted = objects::noted(folder)?;
    let is_whole = || -> rusqlite::Result<bool> {
        // It may have to take back what a run had begun.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(patience)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        // An empty file is a whole database, too; and all that there is before the first run.
        let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)";
        if is_new && connection.query_row(is_empty, [], |row| row.get(0))? {
            return Ok(said == "ok");
        }
        Ok(said == "ok"
            && has_table(&connection, "msgarchive_run")?
            && noted.are_in(&connection)?
            && !has_strange_rows(&connection)?)
    };
    match is_whole().map_err(ArchiveError::database(&path)) {
        Ok(is_whole) => Ok(!is_whole),
        Err(ArchiveError::Damaged { .. }) => Ok(true),
        // It cannot be asked what it is to be asked.
        Err(error) if error.of_the_disk().is_none() && matches!(error, ArchiveError::Database { .. }) => {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

/// Whether a table has something that cannot be in it, as it has where a page of it is another's: SQLite lets it be.
fn has_strange_rows(connection: &Connection) -> rusqlite::Result<bool> {
    let ours = "SELECT m.name, c.name, lower(c.type), c.\"notnull\" FROM sqlite_master m, pragma_table_info(m.name) c \
        WHERE m.type = 'table' AND m.name LIKE 'msgarchive\\_%' ESCAPE '\\' \
        AND (m.name NOT LIKE '%\\_version' ESCAPE '\\' OR c.name LIKE 'msgarchive\\_%' ESCAPE '\\') \
        AND c.type IN ('INTEGER', 'TEXT', 'BLOB')";
    let mut columns: Vec<(String, String, String, bool)> = connection
        .prepare(ours)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for kind in Kind::ALL {
        let key = kind.key().first().copied().unwrap_or("guid");
        let tables = [kind.table().to_owned(), version_table(kind)];
        columns.extend(tables.map(|table| (table, key.to_owned(), "text".to_owned(), true)));
    }
    for join in &JOINS {
        for (end, _) in join.ends {
            let tables = [join.table.to_owned(), join.book()];
            columns.extend(tables.map(|table| (table, (*end).to_owned(), "integer".to_owned(), true)));
        }
    }
    for (table, column, sort, always) in columns {
        let or_null = if always { "" } else { ", 'null'" };
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {table} NOT INDEXED WHERE typeof({}) NOT IN ('{sort}'{or_null}))",
            quoted(&column)
        );
        if !has_table(connection, &table)? {
            continue;
        }
        // What this program wrote is text.
        let is_no_text = || -> rusqlite::Result<bool> {
            let all = format!("SELECT {} FROM {table} NOT INDEXED", quoted(&column));
            let mut statement = connection.prepare(&all)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if matches!(row.get_ref(0)?, ValueRef::Text(text) if std::str::from_utf8(text).is_err()) {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if connection.query_row(&sql, [], |row| row.get(0))?
            || sort == "text" && is_ours(&table) && is_no_text()?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is gone of an archive is gone, and not away with all of it: its disk is there.
///
/// # Errors
/// The disk's.
pub fn is_connected(folder: &Folder) -> Result<(), ArchiveError> {
    // Every archive has these, and what a disk is mounted to does not.
    let runs = folder.runs();
    let is_there = lies(&runs).and_then(|is_there| match is_there || lies(&folder.path().join(ABOUT))? {
        true => Ok(()),
        false => Err(ErrorKind::NotFound.into()),
    });
    is_there.map_err(ArchiveError::reading(folder.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_nothing_was_written_to_is_damaged_only_after_a_run() {
        let place = tempfile::tempdir().unwrap();
        let (folder, _lock) = Folder::open_or_create(&place.path().join("archive"), "now", "seed").unwrap();
        fs::write(folder.database(), "").unwrap();
        assert!(!is_damaged(&folder, Duration::ZERO).unwrap());
        fs::write(folder.runs().join("2026-11-28T02-30-00Z-0001.json"), "{}").unwrap();
        assert!(is_damaged(&folder, Duration::ZERO).unwrap());
    }
}
