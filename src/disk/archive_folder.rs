//! An archive's folder: what lies where, and by what it is known.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file by which an archive is known.
pub const ABOUT: &str = "archive.json";
/// The database.
pub const DATABASE: &str = "chat.db";
/// The folder of contents.
pub const CONTENTS: &str = "Attachments";
/// The folder of the records of the runs.
pub const RUNS: &str = "runs";
/// What the paths of attachments begin with in the database: every program that reads a library elsewhere than at its usual
/// place puts the library's folder there.
pub const HOME: &str = "~/Library/Messages/";

/// What a record of a run says of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The archive's id, which never changes.
    pub id: String,
    /// When the run began (RFC 3339, UTC).
    pub started: String,
}

/// Whether an archive is at this path, whole or not: its `archive.json`, or the record of a run.
pub fn is_archive(path: &Path) -> bool {
    path.join(ABOUT).is_file() || named_by_records(path).is_some()
}

/// What the oldest record says that can be read.
pub fn named_by_records(path: &Path) -> Option<Named> {
    records(path).iter().find_map(|record| {
        let record: Value = serde_json::from_slice(&fs::read(record).ok()?).ok()?;
        let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Named { id: text("archive")?, started: text("started")? })
    })
}

/// Where the records lie, the oldest first (their names begin with the date); none where the folder cannot be read.
pub fn records(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path.join(RUNS)).into_iter().flatten().flatten();
    let mut records: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    records.sort_unstable();
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_by_its_file_or_by_a_record_of_its_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(!is_archive(path) && !is_archive(&path.join("nowhere")));
        fs::create_dir(path.join(RUNS)).unwrap();
        fs::write(path.join(DATABASE), b"SQLite format 3\0").unwrap();
        fs::write(path.join("runs/2026-11-23T02-30-00Z-0001.json"), "{ \"archive\": \"cut").unwrap();
        fs::write(path.join("runs/2026-11-24T02-30-00Z-0002.json.new"), record("never written")).unwrap();
        assert!(!is_archive(path), "no record that says whose it is");
        for (name, id) in [("2026-11-26T02-30-00Z-0004", "later"), ("2026-11-25T02-30-00Z-0003", "first")] {
            fs::write(path.join(RUNS).join(format!("{name}.json")), record(id)).unwrap();
        }
        let named = Named { id: "first".into(), started: "2026-11-25T02:30:00Z".into() };
        assert_eq!(named_by_records(path), Some(named));
        assert!(is_archive(path));
        fs::remove_dir_all(path.join(RUNS)).unwrap();
        fs::write(path.join(ABOUT), "").unwrap();
        assert!(is_archive(path), "whole or not");
    }

    fn record(id: &str) -> String {
        format!("{{ \"archive\": \"{id}\", \"started\": \"2026-11-25T02:30:00Z\" }}")
    }
}
