//! Hashes that were worked out before, in a file that says of none what it is of: a key is itself a hash, of where a
//! file lies, how long it is and when it was changed.
//!
//! **Must never**: name a file of somebody, or be needed: what cannot be read is worked out again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::reading::Hash;
use crate::disk::{DiskError, from_hexadecimal, hexadecimal, replace};
use crate::source::Content;

/// What a file of them begins with.
const FIRST_LINE: &str = "msgarchive hashes 1";

/// A few million files.
const LARGEST: u64 = 1 << 29;

/// Hashes by key.
#[derive(Debug, Default)]
pub(super) struct KnownHashes {
    path: Option<PathBuf>,
    hashes: BTreeMap<Hash, Hash>,
    news: bool,
}

impl KnownHashes {
    /// Those of a file; none where it is not there, or is no file of ours.
    pub fn open(path: &Path) -> io::Result<KnownHashes> {
        let mut known = KnownHashes { path: Some(path.to_owned()), ..KnownHashes::default() };
        let text = match fs::metadata(path) {
            Ok(about) if about.is_file() && about.len() <= LARGEST => fs::read_to_string(path)?,
            Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file of hashes")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(known),
            Err(error) => return Err(error),
        };
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is no file of hashes, and stays as it is",
            ));
        }
        known.hashes.extend(lines.filter_map(|line| {
            let (key, hash) = line.split_once(' ')?;
            Some((from_hexadecimal(key)?, from_hexadecimal(hash)?))
        }));
        Ok(known)
    }

    /// The key of a content; `None` of one that has no file of its own, or none that can be looked at.
    pub fn key(content: &Content) -> Option<Hash> {
        if matches!(content, Content::Value(_)) {
            return None;
        }
        let about = fs::metadata(content.path()).ok()?;
        let changed = about.modified().ok()?;
        let changed = match changed.duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        let mut hasher = Sha256::new();
        hasher.update(about.len().to_le_bytes());
        hasher.update(content.bytes().unwrap_or(0).to_le_bytes());
        hasher.update(changed.to_le_bytes());
        hasher.update(content.path().as_os_str().as_encoded_bytes());
        Some(hasher.finalize().into())
    }

    pub fn get(&self, key: &Hash) -> Option<Hash> {
        self.hashes.get(key).copied()
    }

    pub fn remember(&mut self, key: Hash, hash: Hash) {
        self.news |= self.hashes.insert(key, hash).is_none();
    }

    /// Writes them, 0600, where there is a file for them.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn write(&self) -> Result<(), DiskError> {
        let Some(path) = self.path.as_ref().filter(|_| self.news) else { return Ok(()) };
        let mut text = String::from(FIRST_LINE);
        for (key, hash) in &self.hashes {
            text.push_str(&format!("\n{} {}", hexadecimal(key), hexadecimal(hash)));
        }
        text.push('\n');
        replace(path, text.as_bytes())
    }
}
