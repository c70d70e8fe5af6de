//! What the archive itself says of its runs, those that nobody scheduled included.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A run of `archive`, by its record.
#[derive(Debug, Clone, Deserialize)]
pub struct ArchiveRun {
    pub started: DateTime<Utc>,
    pub added: u64,
}

/// The records, the newest first, each read when it is asked for; what is no record is passed over.
pub fn newest_first(archive: &Path) -> impl Iterator<Item = ArchiveRun> + use<> {
    let entries = fs::read_dir(archive.join("runs")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    // By their names, which begin with the date.
    paths.sort_unstable();
    paths.into_iter().rev().filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
}

/// True where the archive lies: its disk may be elsewhere.
pub fn is_there(archive: &Path) -> bool {
    archive.join("archive.json").is_file()
}
