use std::borrow::Cow;
use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::SealedFile;
use crate::disk::is_gone;
use crate::model::{Bytes, ReadSeek};

/// An attachment's bytes, wherever they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file on this machine.
    File { path: PathBuf, bytes: u64 },
    /// A bundle (`.pages`, `.key`, `.rtfd`, …): a folder that people see as one document.
    Folder { path: PathBuf },
    /// Such a bundle in a backup, where its files lie apart.
    Bundle(StoredBundle),
    /// A value in a database, which has no file of its own.
    Value(StoredValue),
    /// An encrypted file of a backup: decrypted as it is read.
    Sealed(SealedFile),
    /// Something that is there for all that is known: the disk does not even tell what it is.
    OutOfReach(OutOfReach),
}

/// What cannot be looked at. That it is not there would be another answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfReach {
    /// Where it lies.
    pub path: PathBuf,
    kind: io::ErrorKind,
    /// What the system says, by its number.
    code: Option<i32>,
}

impl OutOfReach {
    /// `None` where the error says that nothing is there, or that nothing can be under such a name.
    pub(in crate::source) fn because(path: &Path, error: &io::Error) -> Option<OutOfReach> {
        let is_no_name = matches!(error.kind(), io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput);
        let is_there = !is_gone(error) && !is_no_name;
        is_there.then(|| OutOfReach { path: path.to_owned(), kind: error.kind(), code: error.raw_os_error() })
    }

    /// Why.
    pub fn error(&self) -> io::Error {
        self.code.map_or_else(|| self.kind.into(), io::Error::from_raw_os_error)
    }
}

/// A value that is read when it is wanted, so that a page of rows does not hold all of them.
#[derive(Debug, Clone)]
pub struct StoredValue {
    pub store: Arc<dyn ValueStore>,
    /// Which one.
    pub rowid: i64,
    /// Its size.
    pub bytes: u64,
}

/// What holds values.
pub trait ValueStore: Debug + Send + Sync {
    /// The database.
    fn path(&self) -> &Path;
    /// All bytes of a value.
    ///
    /// # Errors
    /// What the database says: there is none, or it is damaged.
    fn read(&self, rowid: i64) -> io::Result<Vec<u8>>;
}

/// A bundle that is listed when it is wanted.
#[derive(Debug, Clone)]
pub struct StoredBundle {
    pub store: Arc<dyn BundleStore>,
    /// Its path in the library.
    pub path: PathBuf,
}

/// What holds bundles.
pub trait BundleStore: Debug + Send + Sync {
    /// All files of a bundle.
    ///
    /// # Errors
    /// The list cannot be read, or a file that it names is not there.
    fn files(&self, bundle: &Path) -> io::Result<Vec<BundleFile>>;
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// Within the bundle; no name of it is `..`, or empty.
    pub path: String,
    pub content: Content,
}

impl StoredBundle {
    /// All its files.
    ///
    /// # Errors
    /// As [`BundleStore::files`].
    pub fn files(&self) -> io::Result<Vec<BundleFile>> {
        self.store.files(&self.path)
    }
}

impl PartialEq for StoredBundle {
    /// The same bundle of the same store.
    fn eq(&self, other: &StoredBundle) -> bool {
        Arc::ptr_eq(&self.store, &other.store) && self.path == other.path
    }
}

impl Eq for StoredBundle {}

impl PartialEq for StoredValue {
    /// The same value of the same store.
    fn eq(&self, other: &StoredValue) -> bool {
        Arc::ptr_eq(&self.store, &other.store) && self.rowid == other.rowid
    }
}

impl Eq for StoredValue {}

impl Content {
    /// The bytes of a file or a value, from the start.
    ///
    /// # Errors
    /// What the file system or the database says; `IsADirectory` for a bundle.
    pub fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        match self {
            Content::File { path, .. } => Ok(Box::new(File::open(path)?)),
            Content::Folder { .. } | Content::Bundle(_) => Err(io::ErrorKind::IsADirectory.into()),
            Content::Value(value) => Ok(Box::new(Cursor::new(value.store.read(value.rowid)?))),
            Content::Sealed(file) => Ok(Box::new(file.open()?)),
            Content::OutOfReach(what) => Err(what.error()),
        }
    }

    /// Where it lies: for a value, the database; for a file of a backup, whatever its name is there; for a bundle of
    /// one, its path in the library.
    pub fn path(&self) -> &Path {
        match self {
            Content::File { path, .. } | Content::Folder { path } => path,
            Content::Bundle(bundle) => &bundle.path,
            Content::Value(value) => value.store.path(),
            Content::Sealed(file) => file.path(),
            Content::OutOfReach(what) => &what.path,
        }
    }

    /// It is several files that people see as one.
    pub fn is_bundle(&self) -> bool {
        matches!(self, Content::Folder { .. } | Content::Bundle(_))
    }

    /// Size in bytes; `None` for a bundle, and for what cannot be looked at.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Content::File { bytes, .. } => Some(*bytes),
            Content::Folder { .. } | Content::Bundle(_) | Content::OutOfReach(_) => None,
            Content::Value(value) => Some(value.bytes),
            Content::Sealed(file) => Some(file.bytes()),
        }
    }
}

impl Bytes for Content {
    fn name(&self) -> Cow<'_, Path> {
        match self {
            Content::Value(value) => Cow::Owned(value.store.path().join(value.rowid.to_string())),
            other => Cow::Borrowed(other.path()),
        }
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Content::open(self)
    }
}
