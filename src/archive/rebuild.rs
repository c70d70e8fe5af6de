//! A database that cannot be read throughout is set aside, and what can be read of it takes its place: the run that does so
//! looks then, as `verify` does, what is wanting, and takes that from the records and the sources.
//!
//! Where it is set aside is noted first, and forgotten when a run was completed: one that is ended in between is completed
//! by the next.
//!
//! **Must never**: delete or change what was set aside.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::ArchiveError;
use super::folder::{DATABASE, Folder};
use super::index::INDEX;
use super::objects;
use super::own_file;
use super::records;
use super::salvage::salvage;
use crate::disk::{private_folders, remove_file, sync_folder};

/// What is moved, the database last.
const MOVED: [&str; 4] = ["chat.db-journal", "chat.db-wal", "chat.db-shm", DATABASE];
/// What could be read, until all of it is there.
const SALVAGED: &str = "chat.db.new";

/// Where a database is set aside: relative to the archive's folder, and free.
pub fn place(folder: &Folder, started: &str) -> String {
    let date = started.replace(':', "-");
    let mut place = format!("damaged/{date}");
    let mut number = 1;
    while folder.path().join(&place).exists() {
        number += 1;
        place = format!("damaged/{date}-{number}");
    }
    place
}

/// There were runs, and no database is there, or none that has a table.
///
/// # Errors
/// [`ArchiveError::Read`]: nobody can tell.
pub fn is_hollow(folder: &Folder) -> Result<bool, ArchiveError> {
    let path = folder.database();
    let has_none = || -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)", [], |row| row.get(0))
    };
    // Of one that cannot be read it is told later what that means.
    let is_hollow =
        !own_file::is_file(&path).map_err(ArchiveError::reading(&path))? || has_none().unwrap_or(false);
    Ok(is_hollow && !records::none_written(folder)?)
}

/// Sets the database aside, unless that was done before, and puts in its place what can be read of it: nothing, where
/// nothing can.
///
/// # Errors
/// The disk's: what it fails to read now may be read by another run. That nothing can be read of a damaged database is
/// none.
pub fn set_aside(archive: &Folder, place: &str) -> Result<(), ArchiveError> {
    let folder = archive.path().join(place);
    let (aside, database) = (folder.join(DATABASE), archive.database());
    // An index of rows that may not be these any more.
    own_file::remove(archive.path(), &archive.path().join(INDEX))?;
    if !is_there(&aside)? {
        own_file::place(archive.path())?;
        private_folders(&folder)?;
        for name in MOVED {
            let path = archive.path().join(name);
            if is_there(&path)? {
                rename(&path, &folder.join(name))?;
            }
        }
    }
    if is_there(&database)? || !is_there(&aside)? {
        return Ok(());
    }
    if !own_file::is_file(&aside).map_err(ArchiveError::reading(&aside))? {
        return Ok(());
    }
    let salvaged = archive.path().join(SALVAGED);
    own_file::remove(archive.path(), &salvaged)?;
    own_file::make_way_beside(archive.path(), &salvaged)?;
    match salvage(&aside, &salvaged, &objects::noted(archive)?)? {
        true => {
            rename(&salvaged, &database)?;
            Ok(sync_folder(&database)?)
        }
        false => Ok(remove_file(&salvaged).map(drop)?),
    }
}

/// What was done, for people. `messages`: how many there are now.
pub fn in_words(place: &str, messages: i64) -> String {
    format!("{DATABASE}: it is damaged; it lies in {place} now, {messages} of its messages could be read")
}

/// Whether something lies there: a disk that cannot tell is no answer.
fn is_there(path: &Path) -> Result<bool, ArchiveError> {
    own_file::lies(path).map_err(ArchiveError::reading(path))
}

fn rename(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    fs::rename(from, to).map_err(ArchiveError::writing(from))
}
