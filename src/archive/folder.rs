//! An archive's folder, opened: which archive it is.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ArchiveError;
use super::lock::Lock;
use super::own_file::{self, Own};
use super::records::hash;
pub use crate::disk::archive_folder::{
    ABOUT, CONTENTS, DATABASE, HOME, README, RUNS, filename_at, filename_of, path_of,
};
use crate::disk::archive_folder::{Named, is_archive, is_free, named_by_records, named_otherwise};
use crate::disk::{hexadecimal, private_folders};

/// What the database is made of.
pub const OBJECTS: &str = "schema.json";
/// What `verify` found, for the next run to mend.
pub const FOUND_DAMAGED: &str = "damaged.json";
/// What it says.
const EXPLANATION: &[u8] = include_bytes!("README.txt");
/// What `archive.json` has of itself: the hash of the rest.
const OWN_HASH: &str = "sha256";
/// All else that it says.
const SAID: [&str; 4] = ["format", "id", "created", "tool"];
/// The format that this program writes.
const FORMAT: u64 = 1;

/// The folder of an archive.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    /// The archive's id, which never changes.
    pub id: String,
    /// `archive.json` is gone or damaged: the records of the runs say whose they are.
    pub is_unnamed: bool,
}

impl Folder {
    /// An archive that is there.
    ///
    /// # Errors
    /// [`ArchiveError::NotAnArchive`], [`ArchiveError::Newer`], [`ArchiveError::Damaged`].
    pub fn open(path: &Path) -> Result<Folder, ArchiveError> {
        let about = path.join(ABOUT);
        let damaged = |what: &str| ArchiveError::Damaged { path: about.clone(), what: what.into() };
        let named = match Own::read(&about).map_err(ArchiveError::reading(&about))? {
            Own::File(text) => named(&text).map_err(damaged),
            Own::Other => Err(damaged("it is no file")),
            Own::Gone => Err(ArchiveError::NotAnArchive { path: path.to_owned() }),
        };
        let reading = || ArchiveError::reading(path.join(RUNS));
        let unnamed = |Named { id, .. }| Folder { path: path.to_owned(), id, is_unnamed: true };
        match named {
            Ok((format, _)) if format > FORMAT => Err(ArchiveError::Newer { path: path.to_owned(), format }),
            Ok((_, id)) => Ok(match named_otherwise(path, &id).map_err(reading())? {
                Some(other) => unnamed(other),
                None => Folder { path: path.to_owned(), id, is_unnamed: false },
            }),
            Err(error) => named_by_records(path).map_err(reading())?.map(unnamed).ok_or(error),
        }
    }

    /// The archive at `path`, for adding to it; made where there is nothing. `seed` makes its id.
    ///
    /// # Errors
    /// [`ArchiveError::Foreign`] where there is something else; [`ArchiveError::Busy`].
    pub fn open_or_create(path: &Path, started: &str, seed: &str) -> Result<(Folder, Lock), ArchiveError> {
        match Folder::open(path) {
            Err(ArchiveError::NotAnArchive { .. })
                if is_free(path).map_err(ArchiveError::reading(path))? =>
            {
                private_folders(path)?
            }
            // Another run may have made it since.
            Err(ArchiveError::NotAnArchive { .. })
                if !is_archive(path).map_err(ArchiveError::reading(path))? =>
            {
                return Err(ArchiveError::Foreign { path: path.to_owned() });
            }
            Err(ArchiveError::NotAnArchive { .. }) => {}
            opened => drop(opened?),
        }
        let lock = Lock::take(path, started)?;
        let folder = match Folder::open(path) {
            Err(ArchiveError::NotAnArchive { .. }) => Folder::create(path, started, seed)?,
            opened => opened?,
        };
        folder.name_again(path)?;
        folder.explain()?;
        Ok((folder, lock))
    }

    /// Writes `archive.json` into this folder, where it is gone or damaged in the archive's.
    pub fn name_again(&self, to: &Path) -> Result<(), ArchiveError> {
        if !self.is_unnamed {
            return Ok(());
        }
        match named_by_records(&self.path).map_err(ArchiveError::reading(self.runs()))? {
            Some(Named { id, started }) => name(to, &id, &started),
            None => Ok(()),
        }
    }

    fn create(path: &Path, started: &str, seed: &str) -> Result<Folder, ArchiveError> {
        for folder in [path.join(CONTENTS), path.join(RUNS)] {
            private_folders(&folder)?;
        }
        let id = hexadecimal(&Sha256::digest(seed.as_bytes())[..16]);
        own_file::write(path, &path.join(README), EXPLANATION)?;
        name(path, &id, started)?;
        Ok(Folder { path: path.to_owned(), id, is_unnamed: false })
    }

    /// Whether this is what a run wrote as `README.txt`: this program's would, or the last one by its record; an earlier program's
    /// records do not say.
    pub fn is_explanation(text: &[u8], record: Option<&serde_json::Value>) -> bool {
        let noted = record.and_then(|record| record.get("readme_sha256")?.as_str());
        text == EXPLANATION
            || !text.is_empty() && noted.is_none_or(|noted| noted == hexadecimal(&Sha256::digest(text)))
    }

    /// The hash of what a run writes there.
    pub fn explanation_hash() -> String {
        hexadecimal(&Sha256::digest(EXPLANATION))
    }

    /// Writes `README.txt`, where it is not as this program has it.
    fn explain(&self) -> Result<(), ArchiveError> {
        let path = self.path.join(README);
        match Own::read(&path).map_err(ArchiveError::reading(&path))? {
            Own::File(text) if text == EXPLANATION => Ok(()),
            _ => own_file::write(&self.path, &path, EXPLANATION),
        }
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
}

/// The format and the id, or what is missing.
fn named(about: &[u8]) -> Result<(u64, String), &'static str> {
    let mut value: Value = serde_json::from_slice(about).unwrap_or_default();
    let sha256 = value.as_object_mut().and_then(|about| about.shift_remove(OWN_HASH));
    let format = value.get("format").and_then(Value::as_u64).ok_or("it names no format")?;
    let is_as_written = match sha256 {
        Some(sha256) => sha256 == hash(value.to_string()),
        // Archives that were made earlier have none, and say nothing else either.
        None if format == FORMAT => {
            value.as_object().is_some_and(|about| about.keys().all(|name| SAID.contains(&name.as_str())))
        }
        None => true,
    };
    if !is_as_written {
        return Err("it is not what was written");
    }
    let id = value.get("id").and_then(Value::as_str).ok_or("it names no id")?;
    Ok((format, id.to_owned()))
}

fn name(path: &Path, id: &str, created: &str) -> Result<(), ArchiveError> {
    let mut about = json!({
        "format": FORMAT,
        "id": id,
        "created": created,
        "tool": concat!("msgarchive ", env!("CARGO_PKG_VERSION")),
    });
    about[OWN_HASH] = hash(about.to_string()).into();
    own_file::write(path, &path.join(ABOUT), format!("{about:#}\n").as_bytes())
}
