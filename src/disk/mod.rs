//! Files that appear whole or not at all.
//!
//! An export is made in a hidden folder inside the export folder ([`Staging`]) and moved to its place in one go by
//! [`Staging::publish`]. What an earlier run wrote is known from the `manifest.json` it left, and may be replaced;
//! everything else in the folder is somebody's own. [`archive_folder`] says which folder is an archive.
//!
//! **Must never**: know what is in the files (but for the list of files in `manifest.json`, and what a record says of whose it
//! is), touch one that this
//! tool did not write, or write through a symbolic link inside the export folder.

pub mod archive_folder;
mod content_name;
mod copy;
mod earlier;
mod file;
mod hidden_folder;
mod lock;
mod name;
mod outside;
mod pipes;
mod publish;
mod remove;
mod replace;
mod set_aside;
mod space;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use content_name::{ContentName, short_hash};
pub use copy::{HashedCopy, copy_hashed, hash_all, hash_file, link_hashed, set_modified, write_hashed};
use earlier::Earlier;
pub use earlier::{MANIFEST, Others, OthersFiles, is_litter};
pub use file::{FileRecord, HashedFile, from_hexadecimal, hexadecimal};
pub use hidden_folder::{Guard, HiddenFolder, clear_away};
use hidden_folder::{in_use, is_hidden_folder, remove_hidden};
pub use lock::{is_locked, lock_alone};
pub use name::{MAX_NAME, folded, portable_name};
pub use outside::{Whose, check_outside, check_outside_archives, check_outside_other_archives};
pub use pipes::{beside_database, open_file};
pub use remove::{remove_empty_folder, remove_file, remove_folder};
pub use replace::{replace, sync_folder, unfinished};
pub use space::free_space;

/// What the names of our hidden folders begin with; eight random characters follow.
const PREFIX: &str = ".msgarchive-";
/// Locked as long as the run that made the folder lives.
const LOCK: &str = "lock";
/// The paths that a run was about to publish, or inherited from one that was killed doing so: a JSON array.
const PLAN: &str = "plan";
/// The folder that becomes the export.
const TREE: &str = "out";
/// What is not published.
const ASIDE: &str = "aside";
/// Where a file system knows no locks, a folder this old belongs to nobody.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// A run locks its folder at once; one without a lock may be younger than that lock.
const NEWBORN: Duration = Duration::from_secs(60);

/// An export in the making: a hidden folder inside the export folder, invisible until [`Staging::publish`].
///
/// Dropping it removes the hidden folder, and the export folder too if it was made for it and is still empty.
#[derive(Debug)]
pub struct Staging {
    // In the order in which they have to go.
    folder: HiddenFolder,
    created: CreatedFolders,
    root: PathBuf,
    out: PathBuf,
    earlier: Earlier,
}

impl Staging {
    /// Makes the export folder (0700) where there is none, puts back what killed runs put aside there and clears away what
    /// they left, and begins.
    ///
    /// # Errors
    /// [`DiskError::Foreign`] or [`DiskError::NoExport`] when the folder holds files that this tool did not write, and `others` does
    /// not let it; [`DiskError::Within`] an archive; [`DiskError::Busy`] while another run writes into it; [`DiskError::NotAFolder`].
    pub fn begin(out: &Path, others: Others) -> Result<Staging, DiskError> {
        check_outside_archives(out)?;
        let created = CreatedFolders::make(out)?;
        let leftovers = leftovers(out)?;
        leftovers.iter().try_for_each(|leftover| set_aside::put_back(leftover, out))?;
        let earlier = Earlier::read(out, &leftovers)?;
        earlier.check_others(out, others)?;
        let folder = HiddenFolder::inside(out)?;
        let root = folder.path().join(TREE);
        private_folder(&root)?;
        earlier.hand_on(&folder.path().join(PLAN))?;
        for leftover in leftovers {
            remove_hidden(&leftover)?;
        }
        Ok(Staging { root, folder, created, out: out.to_owned(), earlier })
    }

    /// Whether an export may go to a folder that is to be kept up: it is not there yet, it is empty, or an export. What a killed
    /// run put aside of that is put back.
    ///
    /// # Errors
    /// [`DiskError::NoExport`] where there is something else; [`DiskError::Within`] an archive; the disk's.
    pub fn may_begin(out: &Path) -> Result<(), DiskError> {
        check_outside_archives(out)?;
        if !out.try_exists().map_err(DiskError::reading(out))? {
            return Ok(());
        }
        let leftovers = leftovers(out)?;
        leftovers.iter().try_for_each(|leftover| set_aside::put_back(leftover, out))?;
        Earlier::read(out, &leftovers)?.check_others(out, Others::BesideAnExport)
    }

    /// What lies in the export folder that is neither ours nor of a run before.
    ///
    /// # Errors
    /// [`DiskError::Read`].
    pub fn others(&self) -> Result<OthersFiles, DiskError> {
        self.earlier.others(&self.out)
    }

    /// The hidden folder, which has everything of this run in it until it is published.
    pub fn hidden(&self) -> &Path {
        self.folder.path()
    }

    /// Removes the hidden folder, and says so where that fails: the next run clears it away then.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn close(self) -> Result<(), DiskError> {
        let Staging { folder, created, .. } = self;
        let closed = folder.close();
        drop(created);
        closed
    }

    /// The folder that stands for the export folder until it is published.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates a file, 0600, with its folders, 0700. `relative` uses `/` and is made of portable names.
    ///
    /// # Errors
    /// [`DiskError::Name`] for a path that would leave the folder; [`DiskError::Write`], also when the file is there.
    pub fn create(&self, relative: &str) -> Result<HashedFile, DiskError> {
        let path = self.path(relative)?;
        HashedFile::create(path, relative)
    }

    /// Where `relative` lies until it is published; its folders are made.
    ///
    /// # Errors
    /// As [`Staging::create`].
    pub fn path(&self, relative: &str) -> Result<PathBuf, DiskError> {
        if !is_inside(relative) {
            return Err(DiskError::Name { path: relative.to_owned() });
        }
        if let Some(parent) = Path::new(relative).parent() {
            folders_below(&self.root, parent)?;
        }
        Ok(self.root.join(relative))
    }

    /// Where `relative` lies once it is published, and where an earlier run put it.
    pub fn published(&self, relative: &str) -> PathBuf {
        self.out.join(relative)
    }

    /// A folder that is not published and goes with the staging, for what waits for its name.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn aside(&self, name: &str) -> Result<PathBuf, DiskError> {
        self.folder.aside(name)
    }
}

/// Why the disk refused. Every variant names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The export folder holds something of somebody else's.
    #[error("{} holds files that msgarchive did not write, such as {path}", folder.display())]
    Foreign { folder: PathBuf, path: String },
    /// The same, where no export is to be kept up.
    #[error("{} holds no export, but files that msgarchive did not write, such as {path}", folder.display())]
    NoExport { folder: PathBuf, path: String },
    /// `folder` is not for what was to be written there.
    #[error("{} lies in {}: {whose}", path.display(), folder.display())]
    Within { path: PathBuf, folder: PathBuf, whose: Whose },
    /// Something of somebody else's stands where a file of the export has to go, even with `--into-existing`.
    #[error("{} is in the way and was not written by msgarchive", path.display())]
    InTheWay { path: PathBuf },
    /// Publishing failed, and so did taking it back: `kept` has what is missing of the export before, each file under its path.
    #[error("the export could not be put in its place, nor all of the one before back in its own")]
    SetAside { kept: PathBuf, source: Box<DiskError> },
    #[error("another run is writing into {}", path.display())]
    Busy { path: PathBuf },
    #[error("{} is a symbolic link, which an export never writes through", path.display())]
    SymbolicLink { path: PathBuf },
    #[error("{} is not a folder", path.display())]
    NotAFolder { path: PathBuf },
    #[error("{path:?} is not a path inside an export")]
    Name { path: String },
}

impl DiskError {
    /// For `map_err` on writes to `path`.
    pub fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> DiskError {
        let path = path.into();
        move |source| DiskError::Write { path, source }
    }

    /// For `map_err` on reads of `path`.
    pub fn reading(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> DiskError {
        let path = path.into();
        move |source| DiskError::Read { path, source }
    }
}

/// Folders made for an export. Dropping it removes those that are empty again.
#[derive(Debug, Default)]
struct CreatedFolders(std::sync::Mutex<Vec<PathBuf>>);

impl CreatedFolders {
    fn make(folder: &Path) -> Result<CreatedFolders, DiskError> {
        let created = CreatedFolders::default();
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|a| !a.as_os_str().is_empty())
            .take_while(|a| fs::symlink_metadata(a).is_err())
            .collect();
        for path in missing.into_iter().rev() {
            private_folder(path)?;
            if let Ok(mut list) = created.0.lock() {
                list.push(path.to_owned());
            }
        }
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match fs::metadata(folder) {
            Ok(m) if m.is_dir() => Ok(created),
            Ok(_) => Err(DiskError::NotAFolder { path: folder.to_owned() }),
            Err(e) => Err(DiskError::writing(folder)(e)),
        }
    }

    /// They are here to stay.
    fn keep(&self) {
        if let Ok(mut list) = self.0.lock() {
            list.clear();
        }
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        if let Ok(list) = self.0.get_mut() {
            for folder in list.drain(..).rev() {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

/// True for a path of ordinary names joined with `/`.
pub fn is_inside(relative: &str) -> bool {
    relative.split('/').all(|name| !matches!(name, "" | "." | "..") && !name.contains(['\\', ':', '\0']))
}

/// The hidden folders in `out` whose run is over.
fn leftovers(out: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(out).map_err(DiskError::reading(out))? {
        let entry = entry.map_err(DiskError::reading(out))?;
        if !is_hidden_folder(&entry) {
            continue;
        }
        if in_use(&entry.path()) {
            return Err(DiskError::Busy { path: out.to_owned() });
        }
        found.push(entry.path());
    }
    found.sort();
    Ok(found)
}

/// True when a run into this folder was killed, and nothing cleared away after it yet; or while one goes on.
pub fn is_unfinished(out: &Path) -> bool {
    fs::read_dir(out).into_iter().flatten().flatten().any(|entry| is_hidden_folder(&entry))
}

/// True while a run writes into this export folder.
pub fn is_written_to(out: &Path) -> bool {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    entries.filter(is_hidden_folder).any(|entry| in_use(&entry.path()))
}

/// Looks again where a look failed: what a disk does not give up for a moment it may give up then.
///
/// # Errors
/// What the second look came to.
pub fn twice<T>(mut look: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    look().or_else(|_| look())
}

/// What was looked for is not there; all else that a disk says is no answer to that. A link that leads to itself leads nowhere.
pub fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || LOOP.is_some_and(|number| error.raw_os_error() == Some(number))
}

/// `ELOOP` (`errno.h`), for which there is no name yet in the standard library.
const LOOP: Option<i32> = match () {
    () if cfg!(any(target_os = "linux", target_os = "android")) => Some(40),
    () if cfg!(unix) => Some(62),
    () => None,
};

/// Creates a file that must not exist, 0600.
fn create_file(path: &Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(DiskError::writing(path))
}

/// Opens a file for reading and writing; creates it, 0600, where there is none.
///
/// # Errors
/// [`DiskError::Write`].
pub fn private_file(path: &Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(DiskError::writing(path))
}

/// Whether a file that was just made for its owner only is so. The file systems of memory cards and of Windows (exFAT, FAT) keep
/// no permissions, and everybody may read there what is made.
pub fn is_private(made: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(made).is_ok_and(|about| about.permissions().mode() & 0o077 == 0)
    }
    #[cfg(not(unix))]
    {
        let _ = made;
        true
    }
}

/// Creates one folder, 0700, that must not exist in one that does.
///
/// # Errors
/// [`DiskError::Write`].
pub fn private_folder(path: &Path) -> Result<(), DiskError> {
    folder_builder().create(path).map_err(DiskError::writing(path))
}

/// Creates a folder and what leads to it, 0700, where they are not there.
///
/// # Errors
/// [`DiskError::Write`].
pub fn private_folders(path: &Path) -> Result<(), DiskError> {
    folder_builder().recursive(true).create(path).map_err(DiskError::writing(path))
}

/// Creates a folder, 0700, below one that is there. Not that one, too: where it is gone it is away with its disk.
fn folders_below(folder: &Path, relative: &Path) -> Result<PathBuf, DiskError> {
    let mut path = folder.to_owned();
    for name in relative {
        path.push(name);
        match folder_builder().create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(DiskError::writing(&path))?,
        }
    }
    Ok(path)
}

fn folder_builder() -> fs::DirBuilder {
    #[allow(unused_mut)]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

#[cfg(test)]
mod tests;
