use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{DiskError, private_file, private_folders};

/// Writes a file, 0600, with its folders, 0700. It is there whole or, as before, not at all, even when the power fails.
/// What a writer that was killed had begun lies beside it, its name with `.new` at the end, until the next one: only one
/// may write it at a time.
///
/// # Errors
/// [`DiskError::Write`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    private_folders(path.parent().unwrap_or(Path::new("")))?;
    let unfinished = unfinished(path);
    let _ = fs::remove_file(&unfinished);
    let mut file = private_file(&unfinished)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(|error| {
            let _ = fs::remove_file(&unfinished);
            DiskError::writing(path)(error)
        })?;
    sync_folder(path)
}

/// Where a file lies until it is whole.
pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Makes the name of a file stay, even when the power fails. Not every file system can, and none has to; one that can and
/// fails has lost something.
///
/// # Errors
/// [`DiskError::Write`].
pub fn sync_folder(of: &Path) -> Result<(), DiskError> {
    if cfg!(windows) {
        // There a folder is nothing that could be opened for that.
        return Ok(());
    }
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Err(DiskError::writing(folder)(error))
        }
        _ => Ok(()),
    }
}
