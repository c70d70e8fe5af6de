//! An archive, opened for looking at what it knows: its database, read-only.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::ArchiveError;
use super::folder::Folder;
use super::lock::Lock;
use super::own_file::{in_the_way_of, is_file};
use crate::disk::archive_folder::holder;
use crate::source::harden;

/// How long to wait for a run that is writing what does not fit into its memory, or is about to be done.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to an archive's database that cannot write, and sees one moment of it: as long as it lives no run can be
/// completed, so that it should not live long. Who has to see several moments ends its transaction.
///
/// # Errors
/// [`ArchiveError::Damaged`] where it is no database any more, or not there; [`ArchiveError::Busy`].
pub fn look_at(folder: &Folder) -> Result<Connection, ArchiveError> {
    let path = folder.database();
    if !is_file(&path).map_err(ArchiveError::reading(&path))? {
        return Err(ArchiveError::Damaged { path, what: "it is not there".into() });
    }
    if let Some(path) = in_the_way_of(&path)? {
        let what =
            "no file of SQLite's lies there, so that the database cannot be read; the next run puts it aside";
        return Err(ArchiveError::Damaged { path, what: what.into() });
    }
    let failed = || ArchiveError::database(&path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(failed())?;
    let prepare = || -> rusqlite::Result<()> {
        connection.busy_timeout(PATIENCE)?;
        harden(&connection)?;
        connection.execute_batch(
            "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000; BEGIN;",
        )?;
        connection.query_row("SELECT count(*) FROM msgarchive_run", [], |_| Ok(()))
    };
    let prepared = match prepare() {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {
            take_back(folder, &path)?;
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK").map_err(failed())?;
            }
            prepare()
        }
        prepared => prepared,
    };
    prepared.map_err(|error| match error {
        // In a form that there is none of.
        rusqlite::Error::SqliteFailure(_, Some(what)) if what.contains("unsupported file format") => {
            ArchiveError::Damaged { path: path.clone(), what }
        }
        rusqlite::Error::SqliteFailure(_, Some(ref what)) if what.contains("no such table") => {
            ArchiveError::Damaged { path: path.clone(), what: "its tables are not there".into() }
        }
        error if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => match holder(folder.path()) {
            Some(holder) => ArchiveError::Busy { path: folder.path().to_owned(), holder },
            None => failed()(error),
        },
        error => failed()(error),
    })?;
    Ok(connection)
}

/// Lets SQLite take back what a run had begun that was killed: only who may write can.
fn take_back(folder: &Folder, path: &Path) -> Result<(), ArchiveError> {
    let _lock = Lock::take_unnamed(folder.path())?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(ArchiveError::database(path))?;
    let read = connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
    read.map_err(ArchiveError::database(path))
}

/// As [`look_at`], of the archive at `path`.
///
/// # Errors
/// [`ArchiveError`].
pub fn look_into(path: &Path) -> Result<(Folder, Connection), ArchiveError> {
    let folder = Folder::open(path)?;
    let connection = look_at(&folder)?;
    Ok((folder, connection))
}
