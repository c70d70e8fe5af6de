use std::io;
use std::path::PathBuf;

use rusqlite::Connection;

use super::folder::DATABASE;
use crate::disk::DiskError;
use crate::source::{CUT_OFF, SourceError, ends_too_soon};

/// Why an archive cannot be written or read. Every variant names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Reading a source.
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("{} is no archive: it holds no archive.json", path.display())]
    NotAnArchive { path: PathBuf },
    /// A folder with something else in it.
    #[error("{} is neither empty nor an archive", path.display())]
    Foreign { path: PathBuf },
    /// Where disks are mounted: what should be there is on one that is not.
    #[error("there is no folder {} to begin an archive in: is its disk connected?", path.display())]
    NoDisk { path: PathBuf },
    /// `holder`: as the other run wrote it down.
    #[error("another run is adding to {}: {holder}", path.display())]
    Busy { path: PathBuf, holder: String },
    /// Its file system has none, as some of networks: two runs at once could not be kept apart.
    #[error("nothing can be locked in {}", path.display())]
    NoLocks { path: PathBuf, source: io::Error },
    /// No run of this program; or one of which nothing is known here.
    #[error("another program is reading {} or writing to it", path.display())]
    InUse { path: PathBuf },
    #[error("{} was made by a later version of msgarchive, in format {format}", path.display())]
    Newer { path: PathBuf, format: u64 },
    #[error("the source {} is the archive itself", path.display())]
    Itself { path: PathBuf },
    /// Of what is to be gone for good nothing was ever read. `known`: the paths of the sources of which it was.
    #[error("{} is no source of this archive{}", path.display(), listed(known))]
    UnknownSource { path: PathBuf, known: Vec<String> },
    /// What is to be gone for good is read by the same run.
    #[error("the source {} is read by this run: it is not gone for good", path.display())]
    SourceIsThere { path: PathBuf },
    #[error("{} is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("cannot read or write {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    NoMatch(#[from] crate::pipeline::select::NoMatch),
    #[error("no message of the archive has the GUID {guid}")]
    NoSuchMessage { guid: String },
    /// A search for nothing.
    #[error("there is no word to search for in {typed:?}")]
    NoWord { typed: String },
    #[error("interrupted")]
    Interrupted,
}

fn listed(known: &[String]) -> String {
    match known {
        [] => ", which knows none".to_owned(),
        known => format!("; it knows {}", known.join(", ")),
    }
}

impl ArchiveError {
    /// What the disk of the archive said, where it is that which failed.
    pub fn of_the_disk(&self) -> Option<io::ErrorKind> {
        use rusqlite::ErrorCode;
        match self {
            ArchiveError::Write { source, .. }
            | ArchiveError::Read { source, .. }
            | ArchiveError::Disk(DiskError::Write { source, .. } | DiskError::Read { source, .. }) => {
                Some(source.kind())
            }
            ArchiveError::Database { source, .. } => match source.sqlite_error_code()? {
                ErrorCode::DiskFull => Some(io::ErrorKind::StorageFull),
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Some(io::ErrorKind::PermissionDenied),
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Some(io::ErrorKind::Other),
                _ => None,
            },
            _ => None,
        }
    }

    /// For `map_err` on what SQLite says of a database of the archive: the one that this connection is to.
    pub fn of(connection: &Connection) -> impl FnOnce(rusqlite::Error) -> ArchiveError {
        // Made for every row, and mostly for nothing: the path is asked for when there is an error.
        |error| ArchiveError::database(connection.path().unwrap_or(DATABASE))(error)
    }

    /// For `map_err` on what SQLite says of the archive's database.
    pub fn database(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> ArchiveError {
        use rusqlite::ErrorCode;
        let path = path.into();
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                ArchiveError::Damaged { path, what: source.to_string() }
            }
            _ if ends_too_soon(&source) => ArchiveError::Damaged { path, what: CUT_OFF.into() },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ArchiveError::InUse { path },
            _ => ArchiveError::Database { path, source },
        }
    }

    /// For `map_err` on writes to `path`.
    pub fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> ArchiveError {
        let path = path.into();
        move |source| ArchiveError::Write { path, source }
    }

    /// For `map_err` on reads of `path`.
    pub fn reading(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> ArchiveError {
        let path = path.into();
        move |source| ArchiveError::Read { path, source }
    }
}
