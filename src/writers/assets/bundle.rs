//! Bundles, file by file: those that are folders, and those that a source keeps otherwise.
//!
//! **Must never**: follow a link, or copy without end.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::{Names, split_extension};
use crate::disk::{
    DiskError, FileRecord, HashedCopy, copy_hashed, folded, hexadecimal, portable_name, write_hashed,
};
use crate::source::{BundleFile, StoredBundle};

/// Folders in a bundle, one in another.
const DEEPEST: usize = 32;
/// Files in a bundle.
const MOST_FILES: usize = 100_000;

/// What was copied, and what it is being copied from.
struct Copying<'a> {
    from: &'a Path,
    files: Vec<FileRecord>,
}

/// Copies what is in a folder: files and folders, no links, nothing special. The paths are those within it.
pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<Vec<FileRecord>, DiskError> {
    let mut copying = Copying { from, files: Vec::new() };
    copying.folder(from, to, "", 0)?;
    Ok(copying.files)
}

/// As [`copy_folder`], of a bundle whose files the source gives one by one.
pub(super) fn copy_stored(bundle: &StoredBundle, to: &Path) -> Result<Vec<FileRecord>, DiskError> {
    let from = &bundle.path;
    let files = bundle.files().map_err(DiskError::reading(from))?;
    let mut paths: Vec<(Vec<&str>, &BundleFile)> =
        files.iter().map(|file| (file.path.split('/').collect(), file)).collect();
    paths.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut copying = Copying { from, files: Vec::new() };
    copying.stored(&paths, to, "", 0)?;
    Ok(copying.files)
}

impl Copying<'_> {
    fn folder(&mut self, from: &Path, to: &Path, relative: &str, depth: usize) -> Result<(), DiskError> {
        let mut names = Names::default();
        let mut entries = fs::read_dir(from)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(DiskError::reading(from))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.bound(depth)?;
            let kind = entry.file_type().map_err(DiskError::reading(entry.path()))?;
            let name = inner_name(&entry.file_name(), &mut names);
            let (path, to) = (below(relative, &name), to.join(&name));
            if kind.is_dir() {
                fs::create_dir(&to).map_err(DiskError::writing(&to))?;
                self.folder(&entry.path(), &to, &path, depth + 1)?;
            } else if kind.is_file() {
                self.keep(path, &copy_hashed(&entry.path(), &to)?);
            }
        }
        Ok(())
    }

    /// `paths`: sorted, the names on the way to each file.
    fn stored(
        &mut self,
        paths: &[(Vec<&str>, &BundleFile)],
        to: &Path,
        relative: &str,
        depth: usize,
    ) -> Result<(), DiskError> {
        let mut names = Names::default();
        // A file and a folder of one name are two.
        let next =
            |(path, _): &(Vec<&str>, _)| (path.get(depth).map(ToString::to_string), path.len() > depth + 1);
        for same in paths.chunk_by(|a, b| next(a) == next(b)) {
            let Some((path, file)) = same.first() else { continue };
            self.bound(depth)?;
            let name = inner_name(OsStr::new(path.get(depth).copied().unwrap_or_default()), &mut names);
            let (place, to) = (below(relative, &name), to.join(&name));
            if path.len() > depth + 1 {
                fs::create_dir(&to).map_err(DiskError::writing(&to))?;
                self.stored(same, &to, &place, depth + 1)?;
            } else {
                let mut bytes =
                    file.content.open().map_err(DiskError::reading(self.from.join(&file.path)))?;
                let copy = write_hashed(&mut bytes, file.content.path(), &to)?;
                self.keep(place, &copy);
            }
        }
        Ok(())
    }

    fn bound(&self, depth: usize) -> Result<(), DiskError> {
        if self.files.len() < MOST_FILES && depth < DEEPEST {
            return Ok(());
        }
        let error = io::Error::new(io::ErrorKind::FileTooLarge, "a bundle too deep or too full");
        Err(DiskError::reading(self.from)(error))
    }

    fn keep(&mut self, path: String, copy: &HashedCopy) {
        self.files.push(FileRecord { path, bytes: copy.bytes, sha256: hexadecimal(&copy.sha256) });
    }
}

fn below(relative: &str, name: &str) -> String {
    if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") }
}

/// The app that reads the bundle looks for its names, so they stay unless they would hurt somewhere.
fn inner_name(name: &OsStr, names: &mut Names) -> String {
    let name = name.to_string_lossy();
    let visible = name.trim_start_matches('.');
    if !visible.is_empty()
        && portable_name(visible, "") == visible
        && !names.given.contains_key(&folded(&name))
    {
        names.given.insert(folded(&name), 2);
        return name.into_owned();
    }
    let (stem, extension) = split_extension(&name);
    names.give(stem, extension)
}
