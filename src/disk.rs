//! Files that appear whole or not at all.
//!
//! **Must never**: know what is in the files, or touch one that this tool did not write.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that was written: what `manifest.json` says of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileRecord {
    /// Relative to the export folder, with `/`.
    pub path: String,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// An export in the making: a hidden folder inside the export folder, invisible until [`Staging::publish`].
#[derive(Debug)]
pub struct Staging {
    root: PathBuf,
}

impl Staging {
    /// The folder that stands for the export folder until it is published.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates a file, 0600, with its folders, 0700. `relative` uses `/` and is made of portable names.
    pub fn create(&self, relative: &str) -> Result<HashedFile, DiskError> {
        let _ = relative;
        todo!()
    }
}

/// A buffered file that is hashed while it is written. Dropping it without `finish` removes it.
#[derive(Debug)]
pub struct HashedFile {}

impl HashedFile {
    /// Bytes written so far.
    pub fn position(&self) -> u64 {
        todo!()
    }
    /// Completes the file.
    pub fn finish(self) -> Result<FileRecord, DiskError> {
        todo!()
    }
}

impl Write for HashedFile {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        todo!()
    }
    fn flush(&mut self) -> io::Result<()> {
        todo!()
    }
}

/// A file name that is legal on macOS, Linux and Windows: `title` made safe and cut at a character so that
/// `title + ending` is at most 200 bytes. `ending` is trusted (` [c-1f3a9b2c].pdf`).
pub fn portable_name(title: &str, ending: &str) -> String {
    format!("{title}{ending}")
}

/// Why the disk refused. Every variant names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl DiskError {
    /// For `map_err` on writes to `path`.
    pub fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> DiskError {
        let path = path.into();
        move |source| DiskError::Write { path, source }
    }
}
