//! Whether it is the database that is damaged, or the disk that cannot be read.
//!
//! SQLite says the same of both: it takes a read that failed for a page that is wrong. Damage is mended by writing anew,
//! and a disk that fails must not be written to for that: what it cannot read for a moment is not lost.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::ArchiveError;
use super::column::Column;
use super::folder::{ABOUT, Folder};
use super::own_file::{in_the_way_of, is_file, lies};
use super::records::none_written;
use super::schema::has_table;
use super::{header, objects};
use crate::disk::hash_file;
use crate::source::harden;
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
        harden(&connection)?;
        // Of one moment.
        connection.execute_batch("BEGIN")?;
        let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if header::cut_off(&connection)?.is_some() {
            return Ok(false);
        }
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

/// Whether a table has something that cannot be in it.
fn has_strange_rows(connection: &Connection) -> rusqlite::Result<bool> {
    // Without those of other programs that SQLite may not know how to read.
    let mut tables =
        connection.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")?;
    let tables = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    for table in tables {
        let mut sure = Column::all(connection, &table)?;
        sure.retain(|column| column.is_sure && !column.is_row_id());
        if sure.is_empty() {
            continue;
        }
        let names: Vec<String> = sure.iter().map(|column| quoted(&column.name)).collect();
        let all = format!("SELECT {} FROM {} NOT INDEXED", names.join(", "), quoted(&table));
        let mut statement = connection.prepare(&all)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for (at, column) in sure.iter().enumerate() {
                if !column.has(row.get_ref(at)?) {
                    return Ok(true);
                }
            }
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
