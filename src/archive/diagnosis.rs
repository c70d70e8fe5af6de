//! Whether it is the database that is damaged, or the disk that cannot be read.
//!
//! SQLite says the same of both: it takes a read that failed for a page that is wrong. Damage is mended by writing anew,
//! and a disk that fails must not be written to for that: what it cannot read for a moment is not lost.

use std::io::ErrorKind;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::ArchiveError;
use super::folder::{ABOUT, Folder};
use super::schema::has_table;
use crate::disk::hash_file;

/// Whether the archive's database is damaged, or gone, beyond doubt.
///
/// # Errors
/// The disk's: nothing can be said of the database then.
pub fn is_damaged(folder: &Folder, patience: Duration) -> Result<bool, ArchiveError> {
    let path = folder.database();
    if !path.try_exists().map_err(ArchiveError::reading(&path))? {
        is_connected(folder)?;
        return Ok(true);
    }
    // Every byte, without SQLite: that tells what failed.
    hash_file(&path)?;
    let is_whole = || -> rusqlite::Result<bool> {
        // It may have to take back what a run had begun.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(patience)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        // An empty file is a whole database, too.
        Ok(said == "ok" && has_table(&connection, "msgarchive_run")?)
    };
    match is_whole().map_err(ArchiveError::database(&path)) {
        Ok(is_whole) => Ok(!is_whole),
        Err(ArchiveError::Damaged { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// What is gone of an archive is gone, and not away with all of it: its disk is there.
///
/// # Errors
/// The disk's.
pub fn is_connected(folder: &Folder) -> Result<(), ArchiveError> {
    // Every archive has these, and what a disk is mounted to does not.
    let runs = folder.runs();
    let is_there =
        runs.try_exists().and_then(|is_there| match is_there || folder.path().join(ABOUT).try_exists()? {
            true => Ok(()),
            false => Err(ErrorKind::NotFound.into()),
        });
    is_there.map_err(ArchiveError::reading(folder.path()))
}
