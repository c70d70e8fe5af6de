//! What the disk does not give up: nobody can tell whether it is whole.

use std::io;
use std::sync::atomic::Ordering;

use rusqlite::ErrorCode;

use super::Check;
use crate::archive::ArchiveError;
use crate::pipeline::crew::lock;
use crate::source::{CUT_OFF, ends_too_soon};

/// Something that cannot be read, and may be whole all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Relative to what was verified.
    pub path: String,
    /// What the system says.
    pub what: String,
}

impl Unread {
    pub(crate) fn of(path: impl Into<String>, what: &io::Error) -> Unread {
        Unread { path: path.into(), what: what.to_string() }
    }
}

impl Check<'_> {
    pub(super) fn unread(&self, path: impl Into<String>, what: &io::Error) {
        lock(&self.unread).push(Unread::of(path, what));
    }

    /// What was read of the database, where SQLite could read it; else nothing, and that is a problem.
    ///
    /// # Errors
    /// The disk's, and that somebody else is writing.
    pub(super) fn as_far_as_read<T: Default>(&self, read: rusqlite::Result<T>) -> Result<T, ArchiveError> {
        let Err(error) = read else { return Ok(read.unwrap_or_default()) };
        let words = match &error {
            // Without the statement.
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            error if ends_too_soon(error) => CUT_OFF.to_owned(),
            error => error.to_string(),
        };
        match ArchiveError::database(self.folder.database())(error) {
            ArchiveError::Damaged { .. } => self.is_doubtful.store(true, Ordering::Relaxed),
            // What is in a row is not what can be there; or the database is not made of what it was made of.
            ArchiveError::Database { source, .. }
                if matches!(source.sqlite_error_code(), None | Some(ErrorCode::Unknown)) => {}
            error => return Err(error),
        }
        self.database_is_damaged(words);
        Ok(T::default())
    }
}
