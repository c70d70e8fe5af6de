use std::io::Write as _;
use std::path::Path;

use super::{DiskError, create_folders};

/// Writes a file, 0600, with its folders, 0700. It is there whole or, as before, not at all, even when the power fails.
///
/// # Errors
/// [`DiskError::Write`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    create_folders(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(DiskError::writing(path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(DiskError::writing(path))?;
    file.persist(path).map_err(|error| DiskError::writing(path)(error.error))?;
    Ok(())
}
