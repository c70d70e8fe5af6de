//! What the runs said, in a file of bounded size.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};

use super::ScheduleError;
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
    file: File,
    left: u64,
}

impl Log {
    /// Goes on with the log, 0600.
    pub fn open(folder: &Folder) -> Result<Log, ScheduleError> {
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
        Ok(Log { file, left: LONGEST })
    }

    /// A line of ours. That a log cannot be written (the disk is full) stops no run.
    pub fn line(&mut self, now: DateTime<Utc>, words: &str) {
        let date = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let _ = writeln!(self.file, "{date} {words}");
    }

    /// What a program said, up to what one run may say.
    pub fn put(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let _ = self.file.write_all(bytes.get(..room).unwrap_or_default());
        self.left = self.left.saturating_sub(room as u64);
    }
}
