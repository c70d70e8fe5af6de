//! Folders for a while: private, with names that nobody can guess, and cleared away whatever ends the run that made them.
//!
//! **Must never**: remove what a run that lives is using, or what no run made.

use std::any::Any;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::{
    ABANDONED, ASIDE, DiskError, LOCK, NEWBORN, PLAN, PREFIX, TREE, create_file, folders_below, is_locked,
    lock_alone, remove_file, remove_folder, set_aside,
};

/// A private folder (0700) with a name that nobody can guess, locked as long as its run lives: when that was killed,
/// others know by the lock that it is over, and may [clear it away](clear_away). Gone when dropped.
#[derive(Debug)]
pub struct HiddenFolder {
    /// `None`: it is gone, or was to go.
    lock: Option<File>,
    path: PathBuf,
    /// What was put aside in it may be needed again.
    stays: AtomicBool,
}

impl HiddenFolder {
    /// Makes one in this folder.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn inside(folder: &Path) -> Result<HiddenFolder, DiskError> {
        let folder = hidden_folder(folder)?;
        let path = folder.path().join(LOCK);
        let lock = create_file(&path)?;
        // Where the file system has no locks, the folder's age speaks for it.
        let _ = lock_alone(&lock);
        // Older than any that is about to be locked; where dates cannot be set, that is known a while later. Nothing is
        // written to it: what is left of a run that was killed has to be empty.
        if let Some(long_ago) = SystemTime::now().checked_sub(ABANDONED) {
            let _ = lock.set_modified(long_ago);
        }
        Ok(HiddenFolder { lock: Some(lock), path: folder.keep(), stays: AtomicBool::new(false) })
    }

    /// Makes one for what is needed for a while only, and clears away what runs left there that were killed.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn for_a_while() -> Result<HiddenFolder, DiskError> {
        let folder = std::env::temp_dir();
        // Whoever else may write there may have put anything there; it stays where it cannot be removed.
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries.filter(is_hidden_folder).filter(|entry| !in_use(&entry.path())) {
            let _ = remove_hidden(&entry.path());
        }
        HiddenFolder::inside(&folder)
    }

    /// Has what was put aside in it outlive it, until the next run that looks there.
    pub(super) fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    /// Removes it, and says so where that fails. The next run that looks there tries again.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn close(mut self) -> Result<(), DiskError> {
        self.go()
    }

    fn go(&mut self) -> Result<(), DiskError> {
        let Some(lock) = self.lock.take() else { return Ok(()) };
        if *self.stays.get_mut() {
            return remove_folder(&self.path.join(TREE)).and_then(|_| set_aside::clear(&self.path));
        }
        let removed = remove_all_but_lock(&self.path);
        // Not every system removes what is open.
        drop(lock);
        removed.and_then(|()| remove_with_lock(&self.path))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it, made where it is not there, for what is never published.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn aside(&self, name: &str) -> Result<PathBuf, DiskError> {
        folders_below(&self.path, &Path::new(ASIDE).join(name))
    }
}

impl Drop for HiddenFolder {
    fn drop(&mut self) {
        let _ = self.go();
    }
}

/// Removes a hidden folder whose run is over; one that is gone is fine. Its lock goes last: by that others know that nobody uses
/// what is left where this fails.
///
/// # Errors
/// [`DiskError::Write`]; [`DiskError::Read`].
pub(super) fn remove_hidden(folder: &Path) -> Result<(), DiskError> {
    remove_all_but_lock(folder)?;
    remove_with_lock(folder)
}

fn remove_all_but_lock(folder: &Path) -> Result<(), DiskError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(DiskError::reading(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(DiskError::reading(folder))?;
        if entry.file_name() == LOCK {
            continue;
        }
        match entry.file_type().map_err(DiskError::reading(entry.path()))?.is_dir() {
            true => remove_folder(&entry.path())?,
            false => remove_file(&entry.path())?,
        };
    }
    Ok(())
}

fn remove_with_lock(folder: &Path) -> Result<(), DiskError> {
    remove_file(&folder.join(LOCK))?;
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            // Without a lock its age speaks for it.
            if let Some(long_ago) = SystemTime::now().checked_sub(ABANDONED) {
                let _ = File::open(folder).and_then(|folder| folder.set_modified(long_ago));
            }
            Err(DiskError::writing(folder)(error))
        }
        _ => Ok(()),
    }
}

/// Hears of a [`HiddenFolder`] before anything is in it. What it returns is dropped when the folder is gone. A program
/// can have the folder [cleared away](clear_away) if it is killed.
pub type Guard = fn(&Path) -> Box<dyn Any>;

pub(super) fn hidden_folder(out: &Path) -> Result<TempDir, DiskError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(8);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(out).map_err(DiskError::writing(out))
}

/// True for a folder that a run made, by its name and by what it holds: some or none of four things.
pub(super) fn is_hidden_folder(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let is_named = name
        .to_str()
        .and_then(|name| name.strip_prefix(PREFIX))
        .is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|b| b.is_ascii_alphanumeric()));
    let is_ours = |inner: io::Result<fs::DirEntry>| {
        inner.is_ok_and(|inner| [LOCK, PLAN, TREE, ASIDE].iter().any(|ours| inner.file_name() == *ours))
    };
    is_named
        && entry.file_type().is_ok_and(|t| t.is_dir())
        && fs::read_dir(entry.path()).is_ok_and(|mut entries| entries.all(is_ours))
}

/// Removes the [hidden folder](super::Staging::hidden) of a run of which the caller knows that it is over. One that is not there
/// is fine. Of one that was publishing its plan stays, for the next run: by that it knows whose the files are. What it had put aside
/// goes back to its place, or stays, too, where something is in that.
///
/// # Errors
/// [`DiskError::Busy`] while the run holds its lock, which may be a moment longer than it lives; [`DiskError::Foreign`] for what is no such folder.
pub fn clear_away(hidden: &Path) -> Result<(), DiskError> {
    let out = hidden.parent().unwrap_or(Path::new("."));
    let mut entries = fs::read_dir(out).map_err(DiskError::reading(out))?.flatten();
    let Some(entry) = entries.find(|entry| Some(&*entry.file_name()) == hidden.file_name()) else {
        return Ok(());
    };
    if !is_hidden_folder(&entry) {
        let path = entry.file_name().to_string_lossy().into_owned();
        return Err(DiskError::Foreign { folder: out.to_owned(), path });
    }
    let lock = OpenOptions::new().read(true).write(true).open(hidden.join(LOCK));
    if lock.and_then(|lock| is_locked(&lock)).unwrap_or(false) {
        return Err(DiskError::Busy { path: out.to_owned() });
    }
    if hidden.join(PLAN).try_exists().map_err(DiskError::reading(hidden))? {
        remove_folder(&hidden.join(TREE))?;
        set_aside::put_back(hidden, out)?;
        return set_aside::clear(hidden);
    }
    remove_hidden(hidden)
}

pub(super) fn in_use(folder: &Path) -> bool {
    let is_younger = |metadata: io::Result<Metadata>, limit: Duration| {
        metadata
            .and_then(|m| m.modified())
            .is_ok_and(|t| SystemTime::now().duration_since(t).is_ok_and(|age| age < limit))
    };
    let younger_than = |limit: Duration| is_younger(fs::symlink_metadata(folder), limit);
    let Ok(lock) = OpenOptions::new().read(true).write(true).open(folder.join(LOCK)) else {
        return younger_than(NEWBORN);
    };
    match is_locked(&lock) {
        // Its date is set once it is locked; earlier builds wrote to it.
        Ok(false) => {
            lock.metadata().is_ok_and(|m| m.len() == 0)
                && is_younger(lock.metadata(), NEWBORN)
                && younger_than(NEWBORN)
        }
        Ok(true) => true,
        Err(_) => younger_than(ABANDONED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_killed_leaves_an_empty_lock_and_is_known_to_be_over() {
        let parent = tempfile::tempdir().unwrap();
        let hidden = HiddenFolder::inside(parent.path()).unwrap();
        assert!(in_use(hidden.path()));
        let mut hidden = std::mem::ManuallyDrop::new(hidden);
        let (lock, folder) = (hidden.lock.take().unwrap(), hidden.path.clone());
        assert_eq!(lock.metadata().unwrap().len(), 0);
        drop(lock);
        assert!(!in_use(&folder));
        // One that is about to be locked.
        fs::remove_file(folder.join(LOCK)).unwrap();
        assert!(in_use(&folder));
        drop(create_file(&folder.join(LOCK)).unwrap());
        assert!(in_use(&folder));
        // Of an earlier build, after a kill.
        fs::write(folder.join(LOCK), "4711").unwrap();
        assert!(!in_use(&folder));
    }

    /// What is left says that nobody uses it, whatever of it could not be removed.
    #[test]
    fn what_cannot_be_cleared_away_is_told_and_in_nobodys_way() {
        let parent = tempfile::tempdir().unwrap();
        // A lock that is none cannot be removed as one.
        let hidden = HiddenFolder::inside(parent.path()).unwrap();
        let path = hidden.path().to_owned();
        hidden.aside("x").unwrap();
        fs::write(path.join(PLAN), "[]").unwrap();
        fs::remove_file(path.join(LOCK)).unwrap();
        fs::create_dir_all(path.join(LOCK).join("y")).unwrap();
        let told = hidden.close().unwrap_err();
        assert!(matches!(&told, DiskError::Write { path: of, .. } if of.starts_with(&path)), "{told}");
        assert!(!path.join(PLAN).exists() && !path.join(ASIDE).exists(), "the lock goes last");
        fs::remove_dir_all(path.join(LOCK)).unwrap();

        // And a folder in which somebody just made something goes as soon as that does.
        fs::create_dir(path.join("new")).unwrap();
        let told = remove_with_lock(&path).unwrap_err();
        assert!(matches!(&told, DiskError::Write { path: of, .. } if *of == path), "{told}");
        assert!(!in_use(&path));
        remove_hidden(&path).unwrap();
        assert!(!path.exists());
        remove_hidden(&path).unwrap();
        // A run that goes as it should leaves nothing.
        HiddenFolder::inside(parent.path()).unwrap().close().unwrap();
        drop(HiddenFolder::inside(parent.path()).unwrap());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
