//! Whether it is a database that is damaged, or the disk that cannot be read: SQLite says the same of both.
//!
//! **Must never**: let what a disk fails to give up be taken for damage, which is passed over.

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use rusqlite::{Connection, ErrorCode, ffi};

use super::handle::Handle;

/// The disk that a database lies on.
#[derive(Debug, Default)]
pub(in crate::source) struct Disk {
    /// It gave up every byte of the database.
    is_well: OnceLock<()>,
}

impl Disk {
    /// Asks the database, and once more where it seems to be damaged: what could not be read for a moment can be read then.
    ///
    /// # Errors
    /// What the database says; and what the disk says, where it does not give up every byte.
    pub fn ask<T>(
        &self,
        connection: &Connection,
        mut ask: impl FnMut() -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        match ask() {
            Err(error) if damaged(&error) => {
                if self.is_well.get().is_none() {
                    gives_up_all(connection).map_err(failed)?;
                    let _ = self.is_well.set(());
                }
                ask()
            }
            answered => answered,
        }
    }
}

/// The database file is damaged, here at least.
pub(in crate::source) fn damaged(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) || ends_too_soon(error)
}

/// What is said of a file that is cut off: SQLite only says that the disk fails.
pub(crate) const CUT_OFF: &str = "it is cut off: the file ends before it should";

/// Whether SQLite found the end of a file where more of it should be. It says so as of a disk that fails, and no disk did:
/// one that does has another code (`SQLITE_IOERR_SHORT_READ`, in SQLite's list of result codes).
pub(crate) fn ends_too_soon(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHORT_READ)
}

/// The same, as SQLite has it of damage.
pub(in crate::source) fn cut_off() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(CUT_OFF.into()))
}

fn gives_up_all(connection: &Connection) -> io::Result<()> {
    // What has no name is a copy of ours.
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else { return Ok(()) };
    match Handle::open(Path::new(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        file => io::copy(&mut file?.bytes(), &mut io::sink()).map(drop),
    }
}

/// As SQLite has it of reads that fail.
fn failed(error: io::Error) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_READ), Some(error.to_string()))
}
