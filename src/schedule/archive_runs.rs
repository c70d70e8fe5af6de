//! What the archive itself says of its runs, those that nobody scheduled included.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::disk::archive_folder::records;

/// A run of `archive`, by its record.
#[derive(Debug, Clone, Deserialize)]
pub struct ArchiveRun {
    pub started: DateTime<Utc>,
    pub added: u64,
    #[serde(default)]
    pub sources: Vec<SourceOfRun>,
    /// What damage took and nothing had any more, in words.
    #[serde(default)]
    pub lost: Vec<String>,
    /// What is damaged and a source may have that it did not read, in words.
    #[serde(default)]
    pub still_damaged: Vec<String>,
}

/// A source that it read.
#[derive(Debug, Clone, Deserialize)]
pub struct SourceOfRun {
    pub path: String,
    /// How many messages it had before, where it has none now.
    #[serde(default)]
    pub had: Option<u64>,
}

/// The records, the newest first, each read when it is asked for; what is no record, or cannot be read, is passed over.
/// Their dates are what the clock said.
pub fn newest_first(archive: &Path) -> impl Iterator<Item = ArchiveRun> + use<> {
    let records = records(archive).unwrap_or_default();
    records.into_iter().rev().filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
}

/// Those that may have been until a moment.
pub fn newest_until(archive: &Path, latest: DateTime<Utc>) -> impl Iterator<Item = ArchiveRun> + use<> {
    newest_first(archive).filter(move |run| run.started <= latest)
}
