use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// An attachment's bytes, wherever they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file on this machine.
    File { path: PathBuf, bytes: u64 },
    /// A bundle (`.pages`, `.key`, `.rtfd`, …): a folder that people see as one document.
    Folder { path: PathBuf },
}

impl Content {
    /// The bytes of a file, from its start.
    ///
    /// # Errors
    /// What the file system says; `IsADirectory` for a bundle.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Content::File { path, .. } => Ok(Box::new(File::open(path)?)),
            Content::Folder { .. } => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        match self {
            Content::File { path, .. } | Content::Folder { path } => path,
        }
    }

    /// Size in bytes; `None` for a bundle.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Content::File { bytes, .. } => Some(*bytes),
            Content::Folder { .. } => None,
        }
    }
}
