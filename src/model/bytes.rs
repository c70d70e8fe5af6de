use std::borrow::Cow;
use std::fmt::Debug;
use std::io::{self, Read, Seek};
use std::path::Path;

/// Bytes that are read when they are wanted, from wherever whoever gave them says: a file, a value in a database, an
/// encrypted file that is decrypted as it is read. They need not lie anywhere as they are.
pub trait Bytes: Debug + Send + Sync {
    /// What tells them from all others of a run.
    fn name(&self) -> Cow<'_, Path>;
    /// From the start.
    ///
    /// # Errors
    /// What the file system or the database says.
    fn open(&self) -> io::Result<Box<dyn ReadSeek>>;
}

impl PartialEq for dyn Bytes {
    fn eq(&self, other: &dyn Bytes) -> bool {
        self.name() == other.name()
    }
}

/// What is read from any place in it.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}
