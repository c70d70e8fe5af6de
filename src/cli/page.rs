use std::fs::File;
use std::io;
use std::path::Path;

use super::Failure;

/// Writes a page beside its place, private, and moves it there: it appears whole or not at all.
pub fn write(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let filled = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".msgarchive-").tempfile_in(folder)?;
        fill(file.as_file_mut())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    filled().map_err(|source| Failure::Page { path: path.to_owned(), source })
}
