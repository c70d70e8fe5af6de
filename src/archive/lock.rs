//! Who is adding to an archive: one run at a time.
//!
//! **Must never**: be taken for the archive's state. It is held by the system, and gone with whoever held it.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::ArchiveError;
use super::own_file;
use crate::disk::archive_folder::{HELD_SINCE, HOLDER, LOCK, holders, written_down};
use crate::disk::{lock_alone, private_file};

/// So many runs that were ended one after the other are remembered.
const ENDED: usize = 20;

/// Held as long as a run adds to the archive; the system lets go of it, whatever ends the program.
#[derive(Debug)]
pub struct Lock {
    file: File,
    holder: PathBuf,
    is_done: bool,
}

impl Lock {
    /// Becomes the one run that adds to the archive in this folder.
    ///
    /// # Errors
    /// [`ArchiveError::Busy`], with what the other one wrote down; [`ArchiveError::NoLocks`].
    pub fn take(folder: &Path, started: &str) -> Result<Lock, ArchiveError> {
        let lock = Lock::take_unnamed(folder)?;
        // Those that were ended before they were done: whoever is ended right here must not take their names along.
        let ended = holders(folder);
        let mut words = format!("process {}{HELD_SINCE}{started}\n", std::process::id());
        for holder in ended.iter().take(ENDED) {
            words.push_str(holder);
            words.push('\n');
        }
        own_file::write(folder, &lock.holder, words.as_bytes())?;
        Ok(lock)
    }

    /// The same for a moment, without saying who it is.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn take_unnamed(folder: &Path) -> Result<Lock, ArchiveError> {
        let path = folder.join(LOCK);
        own_file::make_way(folder, &path)?;
        let file = private_file(&path)?;
        match lock_alone(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ArchiveError::Busy { path: folder.to_owned(), holder: written_down(folder) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(&path, error)),
        }
        Ok(Lock { file, holder: folder.join(HOLDER), is_done: false })
    }

    /// What it was taken for is done. One that is let go of otherwise leaves who held it: so `verify` knows that a run was ended.
    pub fn done(mut self) {
        self.is_done = true;
    }
}

/// "No locks available": the file system could have some, and nobody there gives them.
const NONE_AVAILABLE: i32 = if cfg!(target_os = "linux") { 37 } else { 77 };

fn failed(lock: &Path, error: io::Error) -> ArchiveError {
    let has_none = error.kind() == ErrorKind::Unsupported || error.raw_os_error() == Some(NONE_AVAILABLE);
    match (has_none, lock.parent()) {
        (true, Some(folder)) => ArchiveError::NoLocks { path: folder.to_owned(), source: error },
        _ => ArchiveError::writing(lock)(error),
    }
}

/// Closing the file is not enough: a process that this one is just starting has it open, too, until it is itself.
impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_done {
            let _ = fs::remove_file(&self.holder);
        }
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::archive_folder::{holder, was_ended};

    #[test]
    fn a_disk_without_locks_is_told_from_one_that_fails() {
        let path = Path::new("archive/lock");
        for error in [io::Error::from_raw_os_error(NONE_AVAILABLE), ErrorKind::Unsupported.into()] {
            assert!(
                matches!(failed(path, error), ArchiveError::NoLocks { path, .. } if path == Path::new("archive"))
            );
        }
        let fails = failed(path, io::Error::from_raw_os_error(5));
        assert!(matches!(fails, ArchiveError::Write { path, .. } if path == Path::new("archive/lock")));
    }

    /// Whoever is ended while it writes itself down has written beside it.
    #[test]
    fn who_was_ended_is_remembered_until_one_is_done() {
        let folder = tempfile::tempdir().unwrap();
        drop(Lock::take(folder.path(), "first").unwrap());
        fs::write(folder.path().join("lock-holder.new"), "proc").unwrap();
        assert!(was_ended(folder.path(), "first"));
        let second = Lock::take(folder.path(), "second").unwrap();
        assert!(was_ended(folder.path(), "first") && holders(folder.path())[0].ends_with("since second"));
        second.done();
        assert!(!was_ended(folder.path(), "first") && !folder.path().join("lock-holder.new").exists());
    }

    #[test]
    fn who_has_let_go_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path(), "now").unwrap();
        // As a child has it between its making and its program.
        let inherited = lock.file.try_clone().unwrap();
        let busy = Lock::take(folder.path(), "later").unwrap_err();
        assert!(matches!(busy, ArchiveError::Busy { holder, .. } if holder.ends_with("since now")));
        assert!(holder(folder.path()).is_some_and(|holder| holder.ends_with("since now")));
        drop(lock);
        assert_eq!(holder(folder.path()), None);
        Lock::take(folder.path(), "later").unwrap();
        drop(inherited);
    }
}
