//! Files that the program keeps in an archive's folder, and what may lie in their place: a link, which may lead anywhere,
//! or a folder, which is somebody's.
//!
//! **Must never**: read or write what a link leads to, or delete what this program did not write.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ArchiveError;
use crate::disk::{is_gone, private_folders, replace};

/// Where what is in the way is put.
pub const ASIDE: &str = "damaged";

/// What lies in the place of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Own {
    File(Vec<u8>),
    /// Something that is none.
    Other,
    Gone,
}

impl Own {
    /// Reads a file of the archive.
    ///
    /// # Errors
    /// The disk's.
    pub fn read(path: &Path) -> io::Result<Own> {
        let read = || match fs::symlink_metadata(path)?.is_file() {
            true => fs::read(path).map(Own::File),
            false => Ok(Own::Other),
        };
        match read() {
            Err(error) if is_gone(&error) => Ok(Own::Gone),
            read => read,
        }
    }

    /// Its bytes, if it is a file.
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Own::File(bytes) => Some(bytes),
            Own::Other | Own::Gone => None,
        }
    }
}

/// Writes a file of the archive at `archive`, whatever lies there.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn write(archive: &Path, path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    make_way(archive, path)?;
    Ok(replace(path, bytes)?)
}

/// Puts a folder aside that lies where a file belongs. A link is replaced as a file is.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn make_way(archive: &Path, path: &Path) -> Result<(), ArchiveError> {
    let is_folder = match fs::symlink_metadata(path) {
        Err(error) if is_gone(&error) => false,
        about => about.map_err(ArchiveError::reading(path))?.is_dir(),
    };
    if is_folder { put_aside(archive, path) } else { Ok(()) }
}

/// Puts aside what does not belong there.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn put_aside(archive: &Path, path: &Path) -> Result<(), ArchiveError> {
    let aside = archive.join(ASIDE);
    private_folders(&aside)?;
    let name = path.file_name().unwrap_or_default();
    fs::rename(path, free(&aside, name)).map_err(ArchiveError::writing(path))
}

/// A name that nothing has.
fn free(aside: &Path, name: &std::ffi::OsStr) -> PathBuf {
    let mut place = aside.join(name);
    let mut number = 1;
    while fs::symlink_metadata(&place).is_ok() {
        number += 1;
        let mut name = name.to_owned();
        name.push(format!("-{number}"));
        place = aside.join(name);
    }
    place
}
