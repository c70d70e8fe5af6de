//! The folder that belongs to a database as a whole.

use std::path::{Path, PathBuf};

use crate::disk::archive_folder::is_archive;

/// Where Apple's programs keep theirs.
const HOMES: [&str; 2] = ["Library/Messages", "Library/SMS"];

/// Of a database, or of the folder with one. `None` for a copy, wherever its owner has put it: on a desktop there may be anything
/// beside it.
pub fn of_database(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let folder = if path.is_dir() { &*path } else { path.parent()? };
    let is_its_own = HOMES.iter().any(|home| folder.ends_with(home)) || is_archive(folder).unwrap_or(false);
    is_its_own.then(|| folder.to_owned())
}
