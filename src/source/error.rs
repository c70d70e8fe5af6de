use std::io;
use std::path::PathBuf;

use super::database::{cut_off, ends_too_soon};

/// Why a source cannot be opened or read. Every variant names the path; none repeats its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    #[error("there is nothing at {}", path.display())]
    NotFound { path: PathBuf },
    /// For macOS's "Operation not permitted" (`source.raw_os_error() == Some(1)`) the remedy is Full Disk Access.
    #[error("reading {} is not allowed", path.display())]
    Forbidden { path: PathBuf, source: io::Error },
    #[error("the folder {} holds no chat.db and no sms.db", path.display())]
    NoDatabase { path: PathBuf },
    #[error("{} holds {} backups", path.display(), backups.len())]
    SeveralBackups { path: PathBuf, backups: Vec<PathBuf> },
    #[error("the backup {} is not whole: {what}", path.display())]
    IncompleteBackup { path: PathBuf, what: String },
    #[error("the backup {} holds no messages", path.display())]
    NoMessages { path: PathBuf },
    #[error("the backup {} is encrypted, and no password was given", path.display())]
    PasswordNeeded { path: PathBuf },
    #[error("this is not the password of the backup {}", path.display())]
    WrongPassword { path: PathBuf },
    /// The password may be right, but nothing can be unlocked with it.
    #[error("the backup {} cannot be unlocked: {what}", path.display())]
    KeyBag { path: PathBuf, what: &'static str },
    /// Nor with this; but nothing says that the backup is damaged.
    #[error("the backup {} cannot be unlocked by this program: {what}", path.display())]
    UnsupportedKeyBag { path: PathBuf, what: &'static str },
    #[error("{} is empty", path.display())]
    Empty { path: PathBuf },
    /// No SQLite database at all.
    #[error("{} is not a Messages database but {what}", path.display())]
    NotADatabase { path: PathBuf, what: &'static str },
    /// An SQLite database of something else.
    #[error("{} is a database, but not one of Messages: it looks like {what}", path.display())]
    NotMessages { path: PathBuf, what: &'static str },
    /// Only an archive can be shown as it was.
    #[error("{} knows nothing of the past: it is no archive", path.display())]
    NoPast { path: PathBuf },
    /// An archive is to be shown as it was before its first run.
    #[error("{} was not there yet at that date", path.display())]
    NotYet { path: PathBuf },
    /// A line of an export, or of its list or manifest, is not what it should be. Lines count from 1.
    #[error("{}, line {line}: {what}", path.display())]
    Export { path: PathBuf, line: u64, what: String },
    /// Of formats for people nothing can be read back.
    #[error("the export {} holds no JSON Lines", path.display())]
    NoLines { path: PathBuf },
    /// Only rows as Messages wrote them will do.
    #[error("{} is an export: it says what messages say, and has not the rows they were made of", path.display())]
    OnlyExported { path: PathBuf },
    /// An archive knows rows by their GUIDs.
    #[error("the rows of {} have no GUIDs: it is of iOS 5 or older", path.display())]
    WithoutGuids { path: PathBuf },
    /// No program of Apple's made such a table.
    #[error("{}: the table {table} {what}", path.display())]
    Odd { path: PathBuf, table: String, what: String },
    #[error("another program keeps {} locked", path.display())]
    Locked { path: PathBuf, source: rusqlite::Error },
    #[error("{} is damaged", path.display())]
    Damaged { path: PathBuf, source: rusqlite::Error },
    /// What was read is not of one moment: read it again.
    #[error("{} was changed while it was being read", path.display())]
    Changed { path: PathBuf },
    #[error("cannot make a private copy of {}", path.display())]
    Snapshot { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("cannot read {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl SourceError {
    /// A table is as none of Apple's is: it `what`.
    pub fn odd(path: impl Into<PathBuf>, table: &str, what: impl Into<String>) -> SourceError {
        SourceError::Odd { path: path.into(), table: table.to_owned(), what: what.into() }
    }

    /// The database at `path` ends before it should: `what`, in words.
    pub(super) fn cut_off(path: impl Into<PathBuf>, what: &str) -> SourceError {
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        let source = rusqlite::Error::SqliteFailure(corrupt, Some(what.to_owned()));
        SourceError::Damaged { path: path.into(), source }
    }

    /// For `map_err` on what SQLite says about the database at `path`.
    pub fn database(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> SourceError {
        use rusqlite::ErrorCode;
        let path = path.into();
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SourceError::Locked { path, source },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                SourceError::Damaged { path, source }
            }
            _ if ends_too_soon(&source) => SourceError::Damaged { path, source: cut_off() },
            // Names or types that no schema of Apple's has.
            None if matches!(
                source,
                rusqlite::Error::Utf8Error(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::InvalidColumnType(..)
            ) =>
            {
                SourceError::Damaged { path, source }
            }
            _ => SourceError::Database { path, source },
        }
    }

    /// For `map_err` on what the file system says about `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> SourceError {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::NotFound => SourceError::NotFound { path },
            io::ErrorKind::PermissionDenied => SourceError::Forbidden { path, source },
            _ => SourceError::Io { path, source },
        }
    }
}
