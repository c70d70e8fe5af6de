//! An archive's folder: what lies where, who is writing to it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ArchiveError;
use crate::disk::{hexadecimal, private_file, private_folders, replace};

/// By this file an archive is known.
pub const ABOUT: &str = "archive.json";
/// The database.
pub const DATABASE: &str = "chat.db";
/// Contents.
pub const CONTENTS: &str = "Attachments";
/// What the paths of attachments begin with in the database: every program that reads a library elsewhere than at its usual
/// place puts the library's folder there.
pub const HOME: &str = "~/Library/Messages/";
/// The records of the runs.
pub const RUNS: &str = "runs";
/// What `verify` found, for the next run to mend.
pub const FOUND_DAMAGED: &str = "damaged.json";
const README: &str = "README.txt";
const LOCK: &str = "lock";
/// How long a run may take to let go.
const ENDING: Duration = Duration::from_millis(500);
/// The format that this program writes.
const FORMAT: u64 = 1;

/// The folder of an archive.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    /// The archive's id, which never changes.
    pub id: String,
}

/// Held as long as a run adds to the archive; the system lets go of it, whatever ends the program.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Whether an archive is at this path, whole or not.
pub fn is_archive(path: &Path) -> bool {
    path.join(ABOUT).is_file()
}

impl Folder {
    /// An archive that is there.
    ///
    /// # Errors
    /// [`ArchiveError::NotAnArchive`], [`ArchiveError::Newer`], [`ArchiveError::Damaged`].
    pub fn open(path: &Path) -> Result<Folder, ArchiveError> {
        let about = path.join(ABOUT);
        let text = match fs::read_to_string(&about) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ArchiveError::NotAnArchive { path: path.to_owned() });
            }
            text => text.map_err(ArchiveError::reading(&about))?,
        };
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let damaged = |what: &str| ArchiveError::Damaged { path: about.clone(), what: what.to_owned() };
        let format =
            value.get("format").and_then(Value::as_u64).ok_or_else(|| damaged("it names no format"))?;
        if format > FORMAT {
            return Err(ArchiveError::Newer { path: path.to_owned(), format });
        }
        let id = value.get("id").and_then(Value::as_str).ok_or_else(|| damaged("it names no id"))?;
        Ok(Folder { path: path.to_owned(), id: id.to_owned() })
    }

    /// The archive at `path`; made where there is nothing. `seed` makes its id.
    ///
    /// # Errors
    /// [`ArchiveError::Foreign`] where there is something else.
    pub fn open_or_create(path: &Path, started: &str, seed: &str) -> Result<Folder, ArchiveError> {
        match Folder::open(path) {
            Err(ArchiveError::NotAnArchive { .. }) => {}
            opened => return opened,
        }
        // A run that was killed while it made the folder left no more than these.
        let ours = |name: &std::ffi::OsStr| {
            [README, "README.txt.new", "archive.json.new", LOCK, RUNS, CONTENTS]
                .iter()
                .any(|own| name == *own)
        };
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.any(|entry| entry.is_ok_and(|entry| !ours(&entry.file_name()))) {
                    return Err(ArchiveError::Foreign { path: path.to_owned() });
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(ArchiveError::reading(path)(error)),
        }
        for folder in [path.to_owned(), path.join(CONTENTS), path.join(RUNS)] {
            private_folders(&folder)?;
        }
        let id = hexadecimal(&Sha256::digest(seed.as_bytes())[..16]);
        let about = json!({
            "format": FORMAT,
            "id": id,
            "created": started,
            "tool": concat!("msgarchive ", env!("CARGO_PKG_VERSION")),
        });
        replace(&path.join(README), include_bytes!("README.txt"))?;
        replace(&path.join(ABOUT), format!("{about:#}\n").as_bytes())?;
        Ok(Folder { path: path.to_owned(), id })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The folder of the records.
    pub fn runs(&self) -> PathBuf {
        self.path.join(RUNS)
    }

    /// Becomes the one run that adds to the archive.
    ///
    /// # Errors
    /// [`ArchiveError::Busy`], with what the other one wrote down.
    pub fn lock(&self, started: &str) -> Result<Lock, ArchiveError> {
        let path = self.path.join(LOCK);
        let mut file = private_file(&path)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // A run that is just ending, or a process that it started a moment ago.
                Err(TryLockError::WouldBlock) if begun.elapsed() < ENDING => std::thread::sleep(ENDING / 20),
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = (&file).take(200).read_to_string(&mut holder);
                    let holder = holder.trim().to_owned();
                    let holder = if holder.is_empty() { "it does not say which".into() } else { holder };
                    return Err(ArchiveError::Busy { path: self.path.clone(), holder });
                }
                Err(TryLockError::Error(error)) => return Err(ArchiveError::writing(&path)(error)),
            }
        }
        let holder = format!("process {}, since {started}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(ArchiveError::writing(&path))?;
        Ok(Lock { _file: file })
    }
}
