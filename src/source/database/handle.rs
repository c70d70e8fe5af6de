//! A database's files, opened for their bytes beside SQLite.
//!
//! POSIX lets go of every lock that a process has on a file when the process closes any handle to it: of SQLite's, too,
//! by which nobody can write to what is being read. So there is one handle to a file at a time, and who reads it through
//! SQLite keeps it.
//!
//! **Must never**: close a file that somebody here keeps a [`Handle`] of.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// A file that is open. To be dropped after SQLite's connections to the same file.
#[derive(Debug, Clone)]
pub(super) struct Handle(Arc<File>);

impl Handle {
    /// Opens a file for reading; the one that is open already, where there is one.
    pub fn open(path: &Path) -> io::Result<Handle> {
        #[cfg(unix)]
        return one_of_each::open(path);
        #[cfg(not(unix))]
        return File::open(path).map(|file| Handle(Arc::new(file)));
    }

    /// Its bytes, from the start.
    pub fn bytes(&self) -> impl Read + '_ {
        Bytes { file: &self.0, at: 0 }
    }
}

struct Bytes<'f> {
    file: &'f File,
    at: u64,
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(unix)]
mod one_of_each {
    use std::collections::BTreeMap;
    use std::fs::{self, File};
    use std::io;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;
    use std::sync::{Arc, Mutex, Weak};

    use super::Handle;
    use crate::source::database::lock;

    /// The files that are open, by what the system knows them by, whatever their paths.
    static OPEN: Mutex<BTreeMap<(u64, u64), Weak<File>>> = Mutex::new(BTreeMap::new());

    pub fn open(path: &Path) -> io::Result<Handle> {
        let mut open = lock(&OPEN);
        open.retain(|_, file| file.strong_count() > 0);
        let about = fs::metadata(path)?;
        if let Some(file) = open.get(&(about.dev(), about.ino())).and_then(Weak::upgrade) {
            return Ok(Handle(file));
        }
        let file = Arc::new(File::open(path)?);
        let about = file.metadata()?;
        open.insert((about.dev(), about.ino()), Arc::downgrade(&file));
        Ok(Handle(file))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_open_once_and_read_from_its_start_by_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        fs::write(&path, "abc").unwrap();
        let one = Handle::open(&path).unwrap();
        let other = Handle::open(&folder.path().join(".").join("chat.db")).unwrap();
        assert!(!cfg!(unix) || Arc::ptr_eq(&one.0, &other.0));
        for handle in [&one, &other, &one] {
            assert_eq!(io::read_to_string(handle.bytes()).unwrap(), "abc");
        }
        drop((one, other));
        fs::remove_file(&path).unwrap();
        fs::write(&path, "another").unwrap();
        assert_eq!(io::read_to_string(Handle::open(&path).unwrap().bytes()).unwrap(), "another");
    }
}
