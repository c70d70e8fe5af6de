//! Whether it is the database that is damaged, or the disk that cannot be read.
//!
//! SQLite says the same of both: it takes a read that failed for a page that is wrong. Damage is mended by writing anew,
//! and a disk that fails must not be written to for that: what it cannot read for a moment is not lost.

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::ArchiveError;
use super::folder::Folder;
use crate::disk::hash_file;

/// Whether the archive's database is damaged, or gone, beyond doubt.
///
/// # Errors
/// The disk's: nothing can be said of the database then.
pub fn is_damaged(folder: &Folder, patience: Duration) -> Result<bool, ArchiveError> {
    let path = folder.database();
    if !path.try_exists().map_err(ArchiveError::reading(&path))? {
        return Ok(true);
    }
    // Every byte, without SQLite: that tells what failed.
    hash_file(&path)?;
    let said = || -> rusqlite::Result<String> {
        // It may have to take back what a run had begun.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(patience)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
    };
    match said().map_err(ArchiveError::database(&path)) {
        Ok(said) => Ok(said != "ok"),
        Err(ArchiveError::Damaged { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}
