//! Files that the program keeps in an archive's folder, and what may lie in their place: a link, which may lead anywhere,
//! a folder, which is somebody's, or a pipe, which nobody writes to.
//!
//! **Must never**: read or write what a link leads to, or delete what this program did not write.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::ArchiveError;
use crate::disk::{
    beside_database, is_gone, private_folder, private_folders, remove_file, replace, unfinished,
};

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

/// What lies there; `None`: nothing does.
fn there(about: io::Result<Metadata>) -> io::Result<Option<Metadata>> {
    match about {
        Err(error) if is_gone(&error) => Ok(None),
        about => about.map(Some),
    }
}

/// Whether a file lies there, if only behind a link. Nothing else is to be opened: a pipe makes whoever reads it wait.
///
/// # Errors
/// The disk's: nobody can tell.
pub fn is_file(path: &Path) -> io::Result<bool> {
    Ok(there(fs::metadata(path))?.is_some_and(|about| about.is_file()))
}

/// Whether anything lies there: be it a link that leads nowhere.
///
/// # Errors
/// The disk's: nobody can tell.
pub fn lies(path: &Path) -> io::Result<bool> {
    Ok(there(fs::symlink_metadata(path))?.is_some())
}

/// Whether something lies there that is no file.
///
/// # Errors
/// The disk's: nobody can tell.
pub fn is_other(path: &Path) -> io::Result<bool> {
    Ok(there(fs::symlink_metadata(path))?.is_some_and(|about| !about.is_file()))
}

/// Whether a folder lies there; a link to one is none.
///
/// # Errors
/// The disk's: nobody can tell.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    Ok(there(fs::symlink_metadata(path))?.is_some_and(|about| about.is_dir()))
}

/// Whether a folder lies there, or a link that leads to one.
///
/// # Errors
/// The disk's: nobody can tell.
fn leads_to_folder(path: &Path) -> io::Result<bool> {
    Ok(there(fs::metadata(path))?.is_some_and(|about| about.is_dir()))
}

/// Writes a file of the archive at `archive`, whatever lies there.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn write(archive: &Path, path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    make_way(archive, path)?;
    make_way(archive, &unfinished(path))?;
    Ok(replace(path, bytes)?)
}

/// Removes a file of the archive, if there is one.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn remove(archive: &Path, path: &Path) -> Result<(), ArchiveError> {
    make_way(archive, path)?;
    Ok(remove_file(path).map(drop)?)
}

/// Puts aside what lies where a file belongs, and is none.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn make_way(archive: &Path, path: &Path) -> Result<(), ArchiveError> {
    match is_other(path).map_err(ArchiveError::reading(path))? {
        true => put_aside(archive, path),
        false => Ok(()),
    }
}

/// The same where SQLite keeps files beside a database.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn make_way_beside(archive: &Path, database: &Path) -> Result<(), ArchiveError> {
    beside_database(database).iter().try_for_each(|path| make_way(archive, path))
}

/// What lies where SQLite keeps a file beside a database, and is none: the database cannot be read as long as it does, and a
/// pipe would make whoever reads it wait.
///
/// # Errors
/// [`ArchiveError::Read`]: nobody can tell.
pub fn in_the_way_of(database: &Path) -> Result<Option<PathBuf>, ArchiveError> {
    for path in beside_database(database) {
        if is_other(&path).map_err(ArchiveError::reading(&path))? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// A folder of the archive, made where there is none. What lies in its place is put aside, but for a link to one: it may be
/// on another disk.
///
/// # Errors
/// [`ArchiveError::Write`]; also where the archive is gone with its disk.
pub fn make_folder(archive: &Path, path: &Path) -> Result<(), ArchiveError> {
    if leads_to_folder(path).map_err(ArchiveError::reading(path))? {
        return Ok(());
    }
    if lies(path).map_err(ArchiveError::reading(path))? {
        put_aside(archive, path)?;
    }
    Ok(private_folder(path)?)
}

/// Puts aside what does not belong there.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn put_aside(archive: &Path, path: &Path) -> Result<(), ArchiveError> {
    let aside = place(archive)?;
    let name = path.file_name().unwrap_or_default();
    fs::rename(path, free(&aside, name)?).map_err(ArchiveError::writing(path))
}

/// The folder of what was put aside, made where it is not there. What lies in its own place is put into it.
///
/// # Errors
/// [`ArchiveError::Write`].
pub fn place(archive: &Path) -> Result<PathBuf, ArchiveError> {
    let aside = archive.join(ASIDE);
    let reading = || ArchiveError::reading(&aside);
    if lies(&aside).map_err(reading())? && !is_folder(&aside).map_err(reading())? {
        let other = free(archive, ASIDE.as_ref())?;
        fs::rename(&aside, &other).map_err(ArchiveError::writing(&aside))?;
        private_folders(&aside)?;
        fs::rename(&other, free(&aside, ASIDE.as_ref())?).map_err(ArchiveError::writing(&other))?;
    }
    private_folders(&aside)?;
    Ok(aside)
}

/// A name that nothing has.
fn free(aside: &Path, name: &std::ffi::OsStr) -> Result<PathBuf, ArchiveError> {
    let mut place = aside.join(name);
    let mut number = 1;
    while lies(&place).map_err(ArchiveError::reading(&place))? {
        number += 1;
        let mut name = name.to_owned();
        name.push(format!("-{number}"));
        place = aside.join(name);
    }
    Ok(place)
}
