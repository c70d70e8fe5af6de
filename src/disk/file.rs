use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{DiskError, create_file};

/// Enough to make system calls rare, little enough to stay in the second-level cache.
const BUFFER: usize = 128 * 1024;

/// A file that was written: what `manifest.json` says of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileRecord {
    /// Relative to the export folder, with `/`.
    pub path: String,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// A buffered file that is hashed while it is written. Dropping it without `finish` removes it.
#[derive(Debug)]
pub struct HashedFile {
    file: Option<File>,
    path: PathBuf,
    relative: String,
    buffer: Vec<u8>,
    hash: Sha256,
    position: u64,
}

impl HashedFile {
    pub(super) fn create(path: PathBuf, relative: &str) -> Result<HashedFile, DiskError> {
        Ok(HashedFile {
            file: Some(create_file(&path)?),
            path,
            relative: relative.to_owned(),
            buffer: Vec::with_capacity(BUFFER),
            hash: Sha256::new(),
            position: 0,
        })
    }

    /// Bytes written so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Relative to the export folder, with `/`.
    pub fn relative(&self) -> &str {
        &self.relative
    }

    /// As [`Write::write_all`], with an error that names the file.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.write_all(bytes).map_err(|source| DiskError::Write { path: self.path.clone(), source })
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`DiskError::Write`]; the file is gone then.
    pub fn finish(mut self) -> Result<FileRecord, DiskError> {
        self.flush().map_err(DiskError::writing(&self.path))?;
        self.file = None;
        Ok(FileRecord {
            path: std::mem::take(&mut self.relative),
            bytes: self.position,
            sha256: hexadecimal(&std::mem::take(&mut self.hash).finalize()),
        })
    }

    fn pass_on(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        for chunk in bytes.chunks(BUFFER) {
            file.write_all(chunk)?;
            self.hash.update(chunk);
        }
        Ok(())
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() >= BUFFER {
            self.pass_on(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let done = self.pass_on(&buffer);
        buffer.clear();
        self.buffer = buffer;
        done
    }
}

impl Drop for HashedFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0')));
        }
    }
    text
}

/// The hash that such digits spell, in any case; `None` of what is none.
pub fn from_hexadecimal(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
