use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::SourceError;

use super::decrypt::{BLOCK, Decrypting, End, end};
use super::keybag::Key;

/// An encrypted file of a backup, and the key to it.
#[derive(Clone)]
pub struct SealedFile {
    path: PathBuf,
    key: Arc<Key>,
    bytes: u64,
}

impl SealedFile {
    pub(super) fn new(path: PathBuf, key: Key) -> SealedFile {
        SealedFile { path, key: Arc::new(key), bytes: 0 }
    }

    /// With its length, which its last block tells; and whether that is a whole file's.
    pub(super) fn measured(self) -> io::Result<(SealedFile, bool)> {
        let End { bytes, padded } = end(&self.path, &self.key)?;
        Ok((SealedFile { bytes, ..self }, padded))
    }

    /// Where it lies, encrypted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length once it is decrypted.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// As [`SealedFile::open`], for what cannot go on without it.
    pub(super) fn plain(&self) -> Result<SealedReader, SourceError> {
        self.open().map_err(SourceError::io(&self.path))
    }

    /// Decrypts it as it is read.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(&self) -> io::Result<SealedReader> {
        let from = Decrypting::new(File::open(&self.path)?, &self.key);
        Ok(SealedReader { file: self.clone(), from, at: 0 })
    }
}

/// Reads an encrypted file, from wherever in it: each block needs the one before it only.
pub struct SealedReader {
    file: SealedFile,
    from: Decrypting<File>,
    at: u64,
}

impl Read for SealedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SealedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => end(&self.file.path, &self.file.key)?.bytes.checked_add_signed(by),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        if target == self.at {
            return Ok(target);
        }
        let mut file = File::open(&self.file.path)?;
        let block = target - target % BLOCK as u64;
        let mut before = [0; BLOCK];
        if let Some(start) = block.checked_sub(BLOCK as u64) {
            file.seek(SeekFrom::Start(start))?;
            // Beyond the end there is nothing to decrypt.
            if file.read_exact(&mut before).is_err() {
                before = [0; BLOCK];
            }
        }
        self.from = Decrypting::after(&before, file, &self.file.key);
        io::copy(&mut (&mut self.from).take(target - block), &mut io::sink())?;
        self.at = target;
        Ok(target)
    }
}

impl fmt::Debug for SealedFile {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile")
            .field("path", &self.path)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl PartialEq for SealedFile {
    fn eq(&self, other: &SealedFile) -> bool {
        self.path == other.path
    }
}

impl Eq for SealedFile {}
