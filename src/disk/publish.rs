//! The moment in which an export appears.

use std::collections::HashSet;
use std::fs::{self, File, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::earlier::parents;
use super::set_aside::BEFORE;
use super::{DiskError, FileRecord, PLAN, Staging, folders_below, is_gone, private_folder, twice};

impl Staging {
    /// Moves everything into the export folder, file by file: those of the lowest `rank` first, then by path. So what
    /// others refer to is there before them. Files of earlier runs that are in the way are replaced. Once; what is
    /// created afterwards is lost.
    ///
    /// # Errors
    /// [`DiskError::InTheWay`], [`DiskError::SymbolicLink`] or [`DiskError::Write`]; the export folder is as it was then.
    /// [`DiskError::SetAside`] where the disk did not let that happen: what is missing in it is kept.
    pub fn publish(&self, rank: impl Fn(&str) -> u8) -> Result<(), DiskError> {
        self.publish_without(&[], rank)
    }

    /// As [`Staging::publish`]; files of earlier runs that are `stale` go, before the last file appears, and with them the
    /// folders that are empty then. What this tool did not write stays.
    ///
    /// # Errors
    /// As [`Staging::publish`].
    pub fn publish_without(&self, stale: &[String], rank: impl Fn(&str) -> u8) -> Result<(), DiskError> {
        let mut paths = Vec::new();
        list(&self.root, "", &mut paths)?;
        paths.sort_by_cached_key(|path| (rank(path), path.clone()));
        self.check(&paths)?;
        self.earlier.write_plan(&self.folder.path().join(PLAN), &paths)?;

        let mut done = Moves::new(&self.out, self.aside(BEFORE)?);
        for (at, path) in paths.iter().enumerate() {
            let from = self.root.join(path);
            // An export can be made again, and `verify` finds what a power failure took from it: only the list of
            // its files has to be on the disk before it is seen.
            let is_last = at + 1 == paths.len();
            let synced = if is_last { sync(&from) } else { Ok(()) };
            let removed = if is_last { self.remove(stale, &mut done) } else { Ok(()) };
            if let Err(e) = removed.and(synced).and_then(|()| done.put(&from, path)) {
                let kept = done.before.clone();
                if done.take_back() {
                    return Err(e);
                }
                self.folder.stay();
                return Err(DiskError::SetAside { kept, source: Box::new(e) });
            }
        }
        self.created.keep();
        for folder in stale.iter().flat_map(|path| parents(path).collect::<Vec<_>>().into_iter().rev()) {
            // Those that are not empty stay.
            let _ = fs::remove_dir(self.out.join(folder));
        }
        // The names, too. Not every file system can, and none has to.
        let _ = File::open(&self.out).and_then(|folder| folder.sync_all());
        // Nothing of this run is unaccounted for any more.
        let _ = fs::remove_file(self.folder.path().join(PLAN));
        Ok(())
    }

    /// The files of earlier runs into this folder that stay beside `written`: for the manifest, by path.
    pub fn kept(&self, written: &[FileRecord]) -> Vec<FileRecord> {
        self.earlier.kept(&self.out, written)
    }

    fn remove(&self, stale: &[String], done: &mut Moves) -> Result<(), DiskError> {
        for path in stale.iter().filter(|path| self.earlier.wrote(&self.out, path)) {
            let mut below_folders = true;
            for folder in parents(path) {
                below_folders &= kind_of(&self.out.join(folder))?.is_some_and(|kind| kind.is_dir());
            }
            if below_folders {
                done.move_away(path)?;
            }
        }
        Ok(())
    }

    /// Every file has to have a place, and nothing of somebody else's may be in it.
    fn check(&self, paths: &[String]) -> Result<(), DiskError> {
        let mut folders = HashSet::new();
        for path in paths {
            for parent in parents(path) {
                if folders.insert(parent) {
                    self.check_place(parent, true)?;
                }
            }
            self.check_place(path, false)?;
        }
        Ok(())
    }

    fn check_place(&self, relative: &str, for_folder: bool) -> Result<(), DiskError> {
        let path = self.out.join(relative);
        // What is not a folder is found out by its own check.
        let Some(kind) = kind_of(&path)? else { return Ok(()) };
        if kind.is_symlink() {
            return Err(DiskError::SymbolicLink { path });
        }
        let ours = match (kind.is_dir(), for_folder) {
            (true, true) => true,
            (true, false) => self.earlier.first_foreign_below(&self.out, relative, 1)?.is_none(),
            (false, _) => self.earlier.wrote(&self.out, relative),
        };
        if ours { Ok(()) } else { Err(DiskError::InTheWay { path }) }
    }
}

/// What was done, so that it can be undone.
pub(super) struct Moves<'o> {
    list: Vec<Move>,
    out: &'o Path,
    /// Where what is replaced waits, each under its path in the export.
    before: PathBuf,
}

/// Each by its path in the export.
enum Move {
    /// A folder was made.
    Folder(String),
    /// What lay here waits now, in case it has to come back.
    Away(String),
    /// A file was put here.
    Put(String),
}

impl<'o> Moves<'o> {
    pub(super) fn new(out: &'o Path, before: PathBuf) -> Moves<'o> {
        Moves { list: Vec::new(), out, before }
    }

    pub(super) fn put(&mut self, from: &Path, relative: &str) -> Result<(), DiskError> {
        for parent in parents(relative) {
            let folder = self.out.join(parent);
            if kind_of(&folder)?.is_some_and(|kind| kind.is_dir()) {
                continue;
            }
            self.move_away(parent)?;
            private_folder(&folder)?;
            self.list.push(Move::Folder(parent.to_owned()));
        }
        let to = self.out.join(relative);
        match kind_of(&to)? {
            Some(kind) if kind.is_file() => {
                // A second name for the old file: so it can come back, and there is no moment without one or the other.
                if fs::hard_link(&to, self.place(relative)?).is_ok() {
                    self.list.push(Move::Away(relative.to_owned()));
                } else {
                    self.move_away(relative)?;
                }
            }
            Some(_) => self.move_away(relative)?,
            None => {}
        }
        fs::rename(from, &to).map_err(DiskError::writing(&to))?;
        self.list.push(Move::Put(relative.to_owned()));
        Ok(())
    }

    /// Where something waits; the folders that lead there are made.
    fn place(&self, relative: &str) -> Result<PathBuf, DiskError> {
        if let Some((parent, _)) = relative.rsplit_once('/') {
            folders_below(&self.before, Path::new(parent))?;
        }
        Ok(self.before.join(relative))
    }

    fn move_away(&mut self, relative: &str) -> Result<(), DiskError> {
        let path = self.out.join(relative);
        match fs::rename(&path, self.place(relative)?) {
            Ok(()) => self.list.push(Move::Away(relative.to_owned())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(DiskError::writing(path)(e)),
        }
        Ok(())
    }

    /// As well as it can be done: true where all that was there is where it was.
    pub(super) fn take_back(self) -> bool {
        let mut is_back = true;
        let mut list = self.list.into_iter().rev().peekable();
        while let Some(done) = list.next() {
            match done {
                Move::Folder(relative) => drop(fs::remove_dir(self.out.join(relative))),
                Move::Away(relative) => {
                    let (before, path) = (self.before.join(&relative), self.out.join(relative));
                    is_back &= twice(|| fs::rename(&before, &path)).is_ok();
                }
                // What it replaced takes its place again. Where that fails, too, it is better than nothing.
                Move::Put(relative) if matches!(list.peek(), Some(Move::Away(replaced)) if *replaced == relative) =>
                    {}
                Move::Put(relative) => drop(fs::remove_file(self.out.join(relative))),
            }
        }
        is_back
    }
}

/// What lies there, and is no link to it; `None` where nothing does. A disk that cannot tell is no answer: what is taken for
/// absent is moved away.
pub(super) fn kind_of(path: &Path) -> Result<Option<FileType>, DiskError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(e) if is_gone(&e) => Ok(None),
        Err(e) => Err(DiskError::reading(path)(e)),
    }
}

fn sync(path: &Path) -> Result<(), DiskError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(DiskError::writing(path))
}

/// Every file below `folder`, with `/`.
fn list(folder: &Path, relative: &str, paths: &mut Vec<String>) -> Result<(), DiskError> {
    for entry in fs::read_dir(folder).map_err(DiskError::reading(folder))? {
        let entry = entry.map_err(DiskError::reading(folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = if relative.is_empty() { name.to_string() } else { format!("{relative}/{name}") };
        if entry.file_type().map_err(DiskError::reading(folder))?.is_dir() {
            list(&entry.path(), &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
