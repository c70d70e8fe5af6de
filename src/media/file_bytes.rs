//! Pieces of a file, by place: so that a film's few facts are read and its film is not.

use std::io::{Read, Seek, SeekFrom};

/// A file, read where something is looked for.
#[derive(Debug)]
pub(super) struct FileBytes<R> {
    file: R,
    len: u64,
}

impl<R: Read + Seek> FileBytes<R> {
    /// `None` when the file cannot say how long it is.
    pub fn new(mut file: R) -> Option<FileBytes<R>> {
        let len = file.seek(SeekFrom::End(0)).ok()?;
        Some(FileBytes { file, len })
    }

    /// In bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Exactly `len` bytes from `at`. `None` past the end: nothing is allocated for what is not there.
    pub fn at(&mut self, at: u64, len: u64) -> Option<Vec<u8>> {
        if at.checked_add(len)? > self.len {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// As many bytes.
    pub fn array<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        if at.checked_add(N as u64)? > self.len {
            return None;
        }
        let mut bytes = [0; N];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// At most `len` bytes from `at`: fewer where the file ends.
    pub fn up_to(&mut self, at: u64, len: u64) -> Option<Vec<u8>> {
        self.at(at, len.min(self.len.checked_sub(at)?))
    }
}

/// A big-endian number in a slice, which is how all these formats write theirs.
pub(super) trait BigEndian {
    fn u16_at(&self, at: usize) -> Option<u16>;
    fn u32_at(&self, at: usize) -> Option<u32>;
    fn u64_at(&self, at: usize) -> Option<u64>;
}

impl BigEndian for [u8] {
    fn u16_at(&self, at: usize) -> Option<u16> {
        self.get(at..)?.first_chunk().map(|b| u16::from_be_bytes(*b))
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        self.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
    }

    fn u64_at(&self, at: usize) -> Option<u64> {
        self.get(at..)?.first_chunk().map(|b| u64::from_be_bytes(*b))
    }
}

/// `count / per_second`, as long as that is a time that a file can last.
pub(super) fn duration(count: u64, per_second: f64) -> Option<std::time::Duration> {
    /// A year. More is damage.
    const LONGEST: f64 = 366.0 * 86_400.0;
    let seconds = count as f64 / per_second;
    (seconds.is_finite() && (0.0..=LONGEST).contains(&seconds))
        .then(|| std::time::Duration::from_secs_f64(seconds))
}
