//! Takes in the bytes of attachments, under their SHA-256: once, whoever carries them.
//!
//! A content is complete and on the disk before it has its name, and has its name before a row speaks of it.

mod parts;
mod taker;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::parts::{hash_of, list_of, parts};
pub use self::parts::{look_at, written};
pub use self::taker::UNFINISHED;
use self::taker::{Taken, Taker, clear_unfinished};
use super::ArchiveError;
use super::folder::filename_of;
use crate::disk::{ContentName, DiskError, hexadecimal, short_hash, sync_folder};
use crate::pipeline::Progress;
use crate::pipeline::crew::lock;
use crate::source::Content;
use crate::source::tables::{ContentFinder, Tables};

/// An attachment whose bytes the archive does not have, or may have others of.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its row id in the source.
    pub rowid: i64,
    pub filename: String,
    /// Where the file was first, which another archive knows; `None`: under this name.
    pub original: Option<String>,
    pub what: Wished,
}

/// What the archive has of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wished {
    /// Not even its row.
    New,
    /// It knew it without its bytes.
    Missing,
    /// Bytes, under these paths; `again`: they may have been this source's.
    Other { than: Vec<String>, again: bool },
    /// Another archive has bytes that it had once.
    Former,
}

/// Where the bytes of an attachment are now; paths are relative to the archive's folder, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub rowid: i64,
    pub what: Wished,
    pub original: String,
    pub path: String,
    pub film: Option<String>,
    pub files: Vec<KeptFile>,
}

/// A file of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    pub path: String,
    pub bytes: u64,
    /// Empty in a dry run, which does not read it.
    pub sha256: String,
}

impl Kept {
    /// In a dry run: nobody knows which bytes they are.
    pub fn is_only_looked_at(&self) -> bool {
        self.files.iter().all(|file| file.sha256.is_empty())
    }

    /// How many bytes it has, and its film.
    pub fn size(&self) -> (u64, Option<u64>) {
        let is_film = |file: &&KeptFile| self.film.as_ref() == Some(&file.path);
        let of_film = self.files.iter().find(is_film).map(|film| film.bytes);
        let bytes = self.files.iter().filter(|file| !is_film(file)).map(|file| file.bytes);
        (bytes.fold(0, u64::saturating_add), of_film)
    }
}

/// What fulfilling wishes came to.
#[derive(Debug, Default)]
pub struct Fulfilled {
    /// By row id and path.
    pub kept: Vec<Kept>,
    /// Attachments, by their row ids, of which no bytes were found: perhaps another source has them.
    pub missing: Vec<i64>,
    pub unreadable: Vec<Unreadable>,
}

/// Bytes that are here and cannot be read: another run tries again.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    pub path: PathBuf,
    /// What the system says.
    pub why: String,
    /// Of the attachment, in the source.
    pub rowid: i64,
}

/// Looks for the bytes and takes in what there is. `archive`: `None` to only look.
///
/// # Errors
/// When the archive cannot be written. What a source has and cannot be read stays a wish.
pub fn fulfil(
    archive: Option<&Path>,
    tables: &Tables,
    wishes: &[Wish],
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Fulfilled, ArchiveError> {
    if let Some(archive) = archive {
        clear_unfinished(archive)?;
    }
    let source = tables.info().kind;
    let next = AtomicUsize::new(0);
    let one_bundle = Mutex::new(());
    let done: Mutex<Result<Fulfilled, ArchiveError>> = Mutex::new(Ok(Fulfilled::default()));
    let work = |worker: usize| {
        let mut finder = tables.finder();
        let taker = archive.map(|archive| Taker { archive, source, worker, one_bundle: &one_bundle });
        while let Some(wish) = wishes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let taken = match progress.interrupted() {
                true => Err(ArchiveError::Interrupted),
                false => wish.fulfil(&mut finder, taker.as_ref()),
            };
            let mut done = lock(&done);
            let Ok(all) = done.as_mut() else { return };
            match taken {
                Ok(Found::Kept(kept)) => all.kept.push(kept),
                Ok(Found::Nothing) => all.missing.extend(wish.is_missing().then_some(wish.rowid)),
                Ok(Found::Same) => {}
                Ok(Found::Unreadable(path, why)) => {
                    all.missing.extend(wish.is_missing().then_some(wish.rowid));
                    all.unreadable.push(Unreadable { path, why, rowid: wish.rowid });
                }
                Err(error) => {
                    *done = Err(error);
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in 1..jobs.clamp(1, wishes.len().max(1)) {
            let work = &work;
            scope.spawn(move || work(worker));
        }
        work(0);
    });
    let mut all = done.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    if let (Some(archive), Some(kept)) = (archive, all.kept.first()) {
        // The folders that contents were put into may be new in the one that they share.
        sync_folder(archive.join(&kept.path).parent().unwrap_or(archive))?;
    }
    all.kept.sort_by(|a, b| (a.rowid, &a.path).cmp(&(b.rowid, &b.path)));
    all.unreadable.sort();
    Ok(all)
}

enum Found {
    Kept(Kept),
    Nothing,
    /// The archive has these bytes.
    Same,
    Unreadable(PathBuf, String),
}

impl Wish {
    /// The archive has no bytes of the attachment at all.
    fn is_missing(&self) -> bool {
        matches!(self.what, Wished::New | Wished::Missing)
    }

    fn fulfil(&self, finder: &mut ContentFinder, taker: Option<&Taker<'_>>) -> Result<Found, ArchiveError> {
        let Some((content, film)) = finder.find(&self.filename) else {
            return Ok(Found::Nothing);
        };
        if let Content::OutOfReach(what) = content {
            return Ok(Found::Unreadable(what.path.clone(), what.error().to_string()));
        }
        let film = film.as_ref();
        let take = || -> Result<Found, ArchiveError> {
            let is_empty = match content.bytes() {
                Some(bytes) => bytes == 0,
                None => parts(&content)?.is_empty(),
            };
            if is_empty {
                return Ok(Found::Nothing);
            }
            if let Wished::Other { than, .. } = &self.what
                && is_any(&content, film, &self.filename, than)?
            {
                return Ok(Found::Same);
            }
            let Taken { path, film, files } = match taker {
                Some(taker) => taker.take(&content, film, &self.filename)?,
                None => Taken::looked_at(&content, film)?,
            };
            let original = self.original.as_ref().unwrap_or(&self.filename).clone();
            Ok(Found::Kept(Kept { rowid: self.rowid, what: self.what.clone(), original, path, film, files }))
        };
        match take() {
            Err(ArchiveError::Disk(DiskError::Read { path, source })) => {
                Ok(Found::Unreadable(path, source.to_string()))
            }
            taken => taken,
        }
    }
}

fn is_any(
    content: &Content,
    film: Option<&Content>,
    filename: &str,
    paths: &[String],
) -> Result<bool, ArchiveError> {
    for path in paths {
        if is_there(content, film, filename, path)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether these are the bytes that the archive has at `path`, or the picture of what it has with its film.
fn is_there(
    content: &Content,
    film: Option<&Content>,
    filename: &str,
    path: &str,
) -> Result<bool, ArchiveError> {
    // Another archive named them by what they are.
    if filename == filename_of(path) {
        return Ok(true);
    }
    let name = ContentName::of(path);
    if content.is_bundle() {
        return Ok(list_of(content)? == name.hash);
    }
    if hexadecimal(&hash_of(content)?) != name.hash {
        return Ok(false);
    }
    match film {
        Some(film) => Ok(name.film == Some(&*short_hash(&hash_of(film)?))),
        None => Ok(true),
    }
}
