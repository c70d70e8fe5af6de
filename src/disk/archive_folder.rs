//! An archive's folder: what lies where, and by what it is known.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{ContentName, is_gone, is_litter, is_locked, open_file};

/// The file by which an archive is known.
pub const ABOUT: &str = "archive.json";
/// The database.
pub const DATABASE: &str = "chat.db";
/// The folder of contents.
pub const CONTENTS: &str = "Attachments";
/// The folder of the records of the runs.
pub const RUNS: &str = "runs";
/// Tells people how to read all this.
pub const README: &str = "README.txt";
/// Locked as long as a run adds to the archive.
pub const LOCK: &str = "lock";
/// Who holds the lock: what is locked cannot be read on Windows.
pub const HOLDER: &str = "lock-holder";
/// What the paths of attachments begin with in the database: every program that reads a library elsewhere than at its usual
/// place puts the library's folder there.
pub const HOME: &str = "~/Library/Messages/";

/// `attachment.filename` of what lies at this path of an archive.
pub fn filename_of(path: &str) -> String {
    format!("{HOME}{path}")
}

/// The path in an archive that an `attachment.filename` says; `None` where it lies elsewhere.
pub fn path_of(filename: &str) -> Option<&str> {
    filename.strip_prefix(HOME)
}

/// The same as [`filename_of`] in SQL; `path`: an expression.
pub fn filename_at(path: &str) -> String {
    format!("'{HOME}' || {path}")
}

/// Whether the name of a content that lies at this path is that of bytes with this SHA-256 (in hexadecimal), or with that of the
/// film of a Live Photo; `None` where it is no content of an archive.
pub fn is_named_after(path: &Path, sha256: &str) -> Option<bool> {
    let ContentName { hash, film, .. } = ContentName::of(path.file_name()?.to_str()?);
    let folder = path.parent()?;
    let is_content = hash.len() == 64
        && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && hash.get(..2) == folder.file_name().and_then(OsStr::to_str)
        && folder.parent()?.file_name() == Some(OsStr::new(CONTENTS));
    is_content
        .then(|| hash == sha256 || film.is_some_and(|film| !film.is_empty() && sha256.starts_with(film)))
}

/// What a record of a run says of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The archive's id, which never changes.
    pub id: String,
    /// When the run began (RFC 3339, UTC).
    pub started: String,
}

/// Whether an archive is at this path, whole or not: its `archive.json`, or the record of a run.
///
/// # Errors
/// The disk's: nobody can tell.
pub fn is_archive(path: &Path) -> io::Result<bool> {
    match fs::metadata(path.join(ABOUT)) {
        Ok(about) if about.is_file() => return Ok(true),
        Err(error) if !is_gone(&error) => return Err(error),
        _ => {}
    }
    Ok(named_by_records(path)?.is_some())
}

/// The archive that this path, a real one, is or lies in. Of folders that cannot be looked into nobody can tell.
pub fn around(path: &Path) -> Option<PathBuf> {
    // Both: `archive.json` alone may be anybody's.
    let is_one = |folder: &&Path| folder.join(DATABASE).is_file() && is_archive(folder).unwrap_or(false);
    path.ancestors().find(is_one).map(Path::to_owned)
}

/// Whether an archive can be made at this path: nothing is there, or no more than file managers leave, and what a run left that
/// was ended while it made the folder.
///
/// # Errors
/// The disk's.
pub fn is_free(path: &Path) -> io::Result<bool> {
    let left =
        [README, "README.txt.new", "archive.json.new", LOCK, HOLDER, "lock-holder.new", RUNS, CONTENTS];
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        // Or what it would lie in.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if !left.iter().any(|own| name == *own) && !is_litter(&name.to_string_lossy()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where systems mount disks that come and go.
const DISKS: [&str; 4] = ["/Volumes", "/media", "/run/media", "/mnt"];

/// The folder that an archive should be made in, where it is one of a disk that comes and goes, and is not there: made
/// on the disk of the system it would hide the one that comes back, and be found by nobody.
pub fn missing_on_a_disk(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    let is_of_a_disk = DISKS.iter().any(|disks| parent.starts_with(disks));
    (is_of_a_disk && matches!(parent.try_exists(), Ok(false))).then_some(parent)
}

/// What the oldest record says that is whole.
///
/// # Errors
/// The disk's: it may be another one.
pub fn named_by_records(path: &Path) -> io::Result<Option<Named>> {
    for record in records(path)? {
        if let Some(named) = named(&record)? {
            return Ok(Some(named));
        }
    }
    Ok(None)
}

/// As [`named_by_records`], where none of them names this id.
///
/// # Errors
/// The disk's.
pub fn named_otherwise(path: &Path, id: &str) -> io::Result<Option<Named>> {
    let mut oldest = None;
    for record in records(path)? {
        match named(&record)? {
            Some(named) if named.id == id => return Ok(None),
            named => oldest = oldest.or(named),
        }
    }
    Ok(oldest)
}

fn named(record: &Path) -> io::Result<Option<Named>> {
    let record: Value = serde_json::from_slice(&fs::read(record)?).unwrap_or_default();
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(text("archive").zip(text("started")).map(|(id, started)| Named { id, started }))
}

/// Where the records lie, the oldest first: their names end with the number of the run. The date that they begin with is
/// what the clock said.
///
/// # Errors
/// The disk's.
pub fn records(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path.join(RUNS)) {
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut records = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A link may lead to another archive's.
        if entry.file_type()?.is_file() {
            records.push(entry.path());
        }
    }
    records.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    records.sort_by_cached_key(|path| (number(path), path.clone()));
    Ok(records)
}

/// The run that is adding to the archive in this folder right now, as it wrote itself down; `None`: there is none.
pub fn holder(folder: &Path) -> Option<String> {
    let file = open_file(&folder.join(LOCK)).ok()?;
    is_locked(&file).unwrap_or(false).then(|| written_down(folder))
}

/// What [`HOLDER`] says before the date.
pub const HELD_SINCE: &str = ", since ";

/// Whether the run that began then was ended before it was done.
pub fn was_ended(folder: &Path, started: &str) -> bool {
    let since = format!("{HELD_SINCE}{started}");
    holders(folder).iter().any(|holder| holder.ends_with(&since))
}

/// Those that took the lock and were not done: the last one first.
pub fn holders(folder: &Path) -> Vec<String> {
    let mut holders = Vec::new();
    // Somebody else may have put anything there.
    let _ = open_file(&folder.join(HOLDER)).map(|file| file.take(2000).read_to_end(&mut holders));
    let holders = String::from_utf8_lossy(&holders);
    holders.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Who holds the lock, as the last one wrote itself down that took it.
pub fn written_down(folder: &Path) -> String {
    let holder = holders(folder).into_iter().next();
    holder.map_or("it does not say which".into(), |holder| holder.chars().take(200).collect())
}

/// `2026-11-23T02-30-00Z-0007.json` → 7.
fn number(record: &Path) -> Option<u64> {
    record.file_stem()?.to_str()?.rsplit('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_by_its_file_or_by_a_record_of_its_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(!is_archive(path).unwrap() && !is_archive(&path.join("nowhere")).unwrap());
        fs::create_dir(path.join(RUNS)).unwrap();
        fs::write(path.join(DATABASE), b"SQLite format 3\0").unwrap();
        fs::write(path.join("runs/2026-11-23T02-30-00Z-0001.json"), "{ \"archive\": \"cut").unwrap();
        fs::write(path.join("runs/2026-11-24T02-30-00Z-0002.json.new"), record("never written")).unwrap();
        assert!(!is_archive(path).unwrap(), "no record that says whose it is");
        for (name, id) in [("2026-11-26T02-30-00Z-0004", "later"), ("2026-11-25T02-30-00Z-0003", "first")] {
            fs::write(path.join(RUNS).join(format!("{name}.json")), record(id)).unwrap();
        }
        let named = Named { id: "first".into(), started: "2026-11-25T02:30:00Z".into() };
        assert_eq!(named_by_records(path).unwrap(), Some(named));
        assert!(is_archive(path).unwrap());
        // A clock that was ahead for one run.
        fs::write(path.join("runs/2036-06-01T12-00-00Z-0005.json"), record("ahead")).unwrap();
        fs::write(path.join("runs/2026-11-27T02-30-00Z-10000.json"), record("last")).unwrap();
        assert!(records(path).unwrap().last().unwrap().ends_with("2026-11-27T02-30-00Z-10000.json"));
        fs::remove_dir_all(path.join(RUNS)).unwrap();
        fs::write(path.join(ABOUT), "").unwrap();
        assert!(is_archive(path).unwrap(), "whole or not");
    }

    fn record(id: &str) -> String {
        format!("{{ \"archive\": \"{id}\", \"started\": \"2026-11-25T02:30:00Z\" }}")
    }
}
