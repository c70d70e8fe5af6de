//! A database that cannot be read any more is set aside, and the archive begun anew: from what can still be read of it, and
//! from the sources.
//!
//! Where it is set aside is noted first, and forgotten when a run has taken in all that could be read: a run that is ended
//! in between is completed by the next one.
//!
//! **Must never**: delete or change what was set aside.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ArchiveError;
use super::folder::{DATABASE, Folder};
use super::index::INDEX;
use super::records;
use super::run::Feed;
use super::salvage::salvage;
use crate::disk::private_folders;
use crate::source::contacts::Contact;
use crate::source::tables::Tables;
use crate::source::{OpenOptions, SourceError};

/// What is moved, the database last.
const MOVED: [&str; 2] = ["chat.db-journal", DATABASE];
/// What could be read, while it is taken in.
const SALVAGED: &str = "salvaged.db";

/// Where a database is set aside: relative to the archive's folder, and free.
pub fn place(folder: &Folder, started: &str) -> String {
    let date = started.replace(':', "-");
    let mut place = format!("damaged/{date}");
    let mut number = 1;
    while folder.path().join(&place).exists() {
        number += 1;
        place = format!("damaged/{date}-{number}");
    }
    place
}

/// There were runs, and there is no database.
///
/// # Errors
/// [`ArchiveError::Read`]: nobody can tell.
pub fn is_hollow(folder: &Folder) -> Result<bool, ArchiveError> {
    let bytes = match fs::metadata(folder.database()) {
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        about => about.map_err(ArchiveError::reading(folder.database()))?.len(),
    };
    Ok(bytes == 0 && !records::none_written(folder)?)
}

/// What was set aside.
pub struct Aside {
    /// What could be read of it.
    pub feed: Option<Feed>,
    folder: PathBuf,
    place: String,
}

impl Aside {
    /// Moves the database and the records that speak of it, unless that was done before, and reads what can be read.
    ///
    /// # Errors
    /// The disk's: what it fails to read now may be read by another run. That nothing can be read of a damaged database is
    /// none.
    pub fn set(archive: &Folder, place: &str, sessions: usize) -> Result<Aside, ArchiveError> {
        let folder = archive.path().join(place);
        // An index of rows that will not be these any more.
        remove(&archive.path().join(INDEX))?;
        if !is_there(&folder.join(DATABASE))? {
            private_folders(&folder.join("runs"))?;
            for entry in fs::read_dir(archive.runs()).map_err(ArchiveError::reading(archive.runs()))? {
                let path = entry.map_err(ArchiveError::reading(archive.runs()))?.path();
                rename(&path, &folder.join("runs").join(path.file_name().unwrap_or_default()))?;
            }
            for name in MOVED {
                let path = archive.path().join(name);
                if is_there(&path)? {
                    rename(&path, &folder.join(name))?;
                }
            }
        }
        let feed = read(archive, &folder, place, sessions)?;
        Ok(Aside { feed, folder, place: place.to_owned() })
    }

    /// In words, for people: `messages` is how many could be taken over.
    pub fn in_words(&self, messages: u64) -> String {
        format!(
            "{DATABASE}: it is damaged; it lies in {} now, {messages} of its messages could be read",
            self.place
        )
    }

    /// All that could be read is in the archive.
    pub fn done(&self) {
        let _ = fs::remove_file(self.folder.join(SALVAGED));
    }
}

/// `None`: there is nothing that could be read.
fn read(archive: &Folder, folder: &Path, place: &str, sessions: usize) -> Result<Option<Feed>, ArchiveError> {
    let salvaged = folder.join(SALVAGED);
    remove(&salvaged)?;
    if !is_there(&folder.join(DATABASE))? || !salvage(&folder.join(DATABASE), &salvaged)? {
        return Ok(None);
    }
    let options = OpenOptions {
        attachments_root: Some(archive.path().to_owned()),
        shown_as: Some(Path::new(place).join(DATABASE)),
        sessions,
        ..OpenOptions::default()
    };
    let tables = match Tables::open(&salvaged, &options) {
        // Too little was left.
        Err(SourceError::NotMessages { .. } | SourceError::WithoutGuids { .. }) => return Ok(None),
        opened => opened?,
    };
    let contacts: Vec<Contact> = tables.contacts().and_then(Result::ok).unwrap_or_default();
    Ok(Some(Feed { tables, contacts }))
}

/// Whether something lies there: a disk that cannot tell is no answer.
fn is_there(path: &Path) -> Result<bool, ArchiveError> {
    path.try_exists().map_err(ArchiveError::reading(path))
}

fn remove(path: &Path) -> Result<(), ArchiveError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ArchiveError::writing(path)(error)),
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    fs::rename(from, to).map_err(ArchiveError::writing(from))
}
