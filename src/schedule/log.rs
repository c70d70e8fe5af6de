//! What the runs said, in a file of bounded size.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};

use super::account::Folder;
use crate::disk::{DiskError, private_file};

/// From here on a new file is begun; the one before is kept.
const FULL: u64 = 512 * 1024;
/// What one run may say.
const LONGEST: u64 = 256 * 1024;
/// What reached the scheduler itself is of interest while it is new.
const OUTER_FULL: u64 = 64 * 1024;

/// The log, while a run is going on.
#[derive(Debug)]
pub struct Log {
    /// `None` where none can be written (the disk is full): that stops no run.
    file: Option<File>,
    left: u64,
}

impl Log {
    /// Goes on with the log, 0600.
    pub fn open(folder: &Folder) -> Log {
        Log { file: file(folder).ok(), left: LONGEST }
    }

    /// A line of ours.
    pub fn line(&mut self, now: DateTime<Utc>, words: &str) {
        let date = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.write(format!("{date} {words}\n").as_bytes());
    }

    /// What a program said, up to what one run may say.
    pub fn put(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.write(bytes.get(..room).unwrap_or_default());
        self.left = self.left.saturating_sub(room as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        let _ = self.file.as_mut().map(|file| file.write_all(bytes));
    }
}

/// What reached the scheduler itself last, if that was after `since`: a shell's words about a program that is not there.
pub fn outer_words(folder: &Folder, since: DateTime<Utc>) -> Option<String> {
    let path = folder.outer_log();
    let written = DateTime::<Utc>::from(fs::metadata(&path).ok()?.modified().ok()?);
    let text = fs::read(path).ok().filter(|_| written >= since)?;
    let last = String::from_utf8_lossy(&text).lines().rev().find(|line| !line.trim().is_empty())?.to_owned();
    Some(format!("scheduler.log says: {last}"))
}

/// The log at its end; a new one where it is full.
fn file(folder: &Folder) -> Result<File, DiskError> {
    let path = folder.log();
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() >= FULL) {
        fs::rename(&path, folder.old_log()).map_err(DiskError::writing(&path))?;
    }
    let outer = folder.outer_log();
    if fs::metadata(&outer).is_ok_and(|metadata| metadata.len() >= OUTER_FULL) {
        private_file(&outer)?.set_len(0).map_err(DiskError::writing(&outer))?;
    }
    let mut file = private_file(&path)?;
    file.seek(SeekFrom::End(0)).map_err(DiskError::writing(&path))?;
    Ok(file)
}
