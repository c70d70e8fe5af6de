//! Removes what may be gone already.

use std::path::Path;
use std::{fs, io};

use super::DiskError;

/// Removes a file, and says whether there was one.
///
/// # Errors
/// [`DiskError::Write`]: it is still there, or nobody can tell.
pub fn remove_file(path: &Path) -> Result<bool, DiskError> {
    there_was(path, fs::remove_file(path))
}

/// Removes a folder with all that is in it, and says whether there was one.
///
/// # Errors
/// [`DiskError::Write`]: some of it may be gone then.
pub fn remove_folder(path: &Path) -> Result<bool, DiskError> {
    there_was(path, fs::remove_dir_all(path))
}

/// Removes a folder, if it is empty, and says whether it did. One with something in it stays, and so does somebody else's.
///
/// # Errors
/// [`DiskError::Write`]: it is still there, or nobody can tell.
pub fn remove_empty_folder(path: &Path) -> Result<bool, DiskError> {
    use io::ErrorKind::{DirectoryNotEmpty, PermissionDenied};
    match fs::remove_dir(path) {
        Err(error) if matches!(error.kind(), DirectoryNotEmpty | PermissionDenied) => Ok(false),
        removed => there_was(path, removed),
    }
}

fn there_was(path: &Path, removed: io::Result<()>) -> Result<bool, DiskError> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true).map_err(DiskError::writing(path)),
    }
}
