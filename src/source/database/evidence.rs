//! Which bytes were read: the hashes of a database's files, for people who have to prove it.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use super::handle::Handle;
use super::snapshot::{Fingerprint, beside, size};
use crate::disk::{HashedCopy, hash_all, hexadecimal};
use crate::source::{DigestedFile, SourceDigest, SourceError};

/// The files of a database as they were when it was opened.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    files: Vec<(PathBuf, Fingerprint, Handle)>,
    /// Our own copy of its one moment, where there is one.
    copy: Option<File>,
}

impl Evidence {
    /// To be called before anything is read: what changes afterwards is not what was read.
    pub fn of(path: &Path) -> Evidence {
        let logs = ["-wal", "-journal"].map(|suffix| beside(path, suffix)).into_iter();
        let files = std::iter::once(path.to_owned()).chain(logs.filter(|log| size(log) > 0));
        let mut evidence = Evidence::default();
        files.for_each(|file| evidence.add(&file));
        evidence
    }

    /// Another file of it.
    pub fn add(&mut self, file: &Path) {
        let as_it_was = Fingerprint::of(file).ok().zip(Handle::open(file).ok());
        self.files.extend(as_it_was.map(|(as_it_was, handle)| (file.to_owned(), as_it_was, handle)));
    }

    /// What is read instead of the files.
    pub fn keep_copy(&mut self, copy: File) {
        self.copy = Some(copy);
    }

    /// The database is where it was: what cannot be found beside it is not there, and not away with its disk.
    ///
    /// # Errors
    /// What looking at it said.
    pub fn is_there(&self) -> Result<(), SourceError> {
        match self.files.first() {
            Some((path, ..)) => fs::metadata(path).map(drop).map_err(SourceError::io(path)),
            None => Ok(()),
        }
    }

    /// Hashes the files where they lie still, else the copy.
    ///
    /// # Errors
    /// Whatever reading them said.
    pub fn digest(&self) -> io::Result<SourceDigest> {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut files = Vec::with_capacity(self.files.len());
        for (path, as_it_was, handle) in &self.files {
            let hashed = hash_all(&mut handle.bytes())?;
            if Fingerprint::of(path)? != *as_it_was {
                return self.digest_copy(name(path));
            }
            files.push(digested(name(path), hashed));
        }
        Ok(SourceDigest { files, of_copy: false })
    }

    fn digest_copy(&self, name: String) -> io::Result<SourceDigest> {
        let Some(mut copy) = self.copy.as_ref() else {
            return Err(io::Error::other("the database was written to"));
        };
        copy.rewind()?;
        Ok(SourceDigest { files: vec![digested(name, hash_all(&mut copy)?)], of_copy: true })
    }
}

fn digested(name: String, HashedCopy { bytes, sha256 }: HashedCopy) -> DigestedFile {
    DigestedFile { name, bytes, sha256: hexadecimal(&sha256) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn files_that_lie_still_are_hashed_and_else_the_copy_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        fs::write(&path, "abc").unwrap();
        fs::write(beside(&path, "-wal"), "").unwrap();
        let mut evidence = Evidence::of(&path);
        let digest = evidence.digest().unwrap();
        assert!(!digest.of_copy);
        assert_eq!(digest.files.len(), 1);
        assert_eq!(digest.files[0].name, "chat.db");
        assert!(digest.files[0].sha256.starts_with("ba7816bf"), "{digest:?}");

        let mut copy = tempfile::tempfile().unwrap();
        copy.write_all(b"abc").unwrap();
        evidence.keep_copy(copy);
        fs::write(&path, "abcd").unwrap();
        let digest = evidence.digest().unwrap();
        assert!(digest.of_copy);
        assert_eq!((digest.files[0].bytes, &digest.files[0].sha256[..8]), (3, "ba7816bf"));
    }
}
