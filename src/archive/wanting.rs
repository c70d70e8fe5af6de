//! Which contents an archive should have and cannot give now: whoever has a copy of one may have the last.
//!
//! **Must never**: say that the archive has a content whose bytes it did not just read.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::ArchiveError;
use super::open::look_into;
use crate::disk::{hash_file, hexadecimal};

/// The contents of an archive, looked at when they are first asked for.
#[derive(Debug)]
pub struct Wanting {
    archive: PathBuf,
    /// By their SHA-256, in lower-case hexadecimal: where they lie. `None`: that cannot be read now.
    contents: OnceCell<Option<HashMap<String, Vec<String>>>>,
}

impl Wanting {
    /// Of the archive at this path; nothing is read yet.
    pub fn of(archive: &Path) -> Wanting {
        Wanting { archive: archive.to_owned(), contents: OnceCell::new() }
    }

    /// Whether the archive took in a content with this SHA-256 and does not have it as it was, or cannot tell. Reads its bytes.
    pub fn is(&self, sha256: &str) -> bool {
        let Some(contents) = self.contents.get_or_init(|| contents(&self.archive).ok()) else { return true };
        let is_whole = |path: &String| {
            hash_file(&self.archive.join(path)).is_ok_and(|copy| hexadecimal(&copy.sha256) == sha256)
        };
        contents.get(sha256).is_some_and(|paths| !paths.iter().any(is_whole))
    }
}

fn contents(archive: &Path) -> Result<HashMap<String, Vec<String>>, ArchiveError> {
    let (folder, connection) = look_into(archive)?;
    let read = || -> rusqlite::Result<HashMap<String, Vec<String>>> {
        let mut contents: HashMap<String, Vec<String>> = HashMap::new();
        let mut files = connection.prepare("SELECT sha256, path FROM msgarchive_file")?;
        let mut rows = files.query([])?;
        while let Some(row) = rows.next()? {
            contents.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        Ok(contents)
    };
    read().map_err(ArchiveError::database(folder.database()))
}
