//! One run: looks at what is new in the sources, takes in contents, then rows in one transaction, then writes the record.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::ArchiveError;
use super::adding::Adding;
use super::contents::fulfil;
use super::copies;
use super::diagnosis;
use super::folder::{self, Folder};
use super::given::{ArchiveOptions, Feed};
use super::gone_for_good::meant;
use super::index;
use super::prepared::Prepared;
use super::ready::{PATIENCE, Ready};
use super::record::RunRecord;
use super::rehearsal::Rehearsal;
use super::whereabouts::whole;
use crate::disk::archive_folder::missing_on_a_disk;
use crate::disk::{DiskError, HiddenFolder, Whose, check_outside, check_outside_other_archives};
use crate::pipeline::Progress;

/// Adds everything new from the sources to the archive at `path`, which is made where there is none.
///
/// # Errors
/// [`ArchiveError`]; the archive is as it was then.
pub fn archive(
    path: &Path,
    feeds: &[Feed],
    options: ArchiveOptions,
    progress: &dyn Progress,
) -> Result<RunRecord, ArchiveError> {
    let attempt = |anew| attempt(path, feeds, anew, options, progress);
    // The archive's own database, or something in it that cannot be there: nothing was changed yet.
    let is_damaged = |done: &Result<RunRecord, ArchiveError>| {
        let own = path.join(folder::DATABASE);
        // SQLite tells the whole path.
        let is_own = |damaged: &Path| *damaged == own || own.canonicalize().is_ok_and(|own| *damaged == own);
        !options.dry_run
            && match done {
                Err(ArchiveError::Damaged { path: damaged, .. }) => is_own(damaged),
                Err(error @ ArchiveError::Database { path: damaged, .. }) => {
                    is_own(damaged) && error.of_the_disk().is_none()
                }
                _ => false,
            }
    };
    let mut done = attempt(false);
    if is_damaged(&done) && !diagnosis::is_damaged(&Folder::open(path)?, PATIENCE)? {
        // It could not be read for a moment.
        done = attempt(false);
    }
    if is_damaged(&done) {
        done = attempt(true);
    }
    if done.is_err() {
        // Two moments of a source, mixed, look like damage to it.
        feeds.iter().try_for_each(|feed| feed.tables.unchanged())?;
    }
    if let Err(ArchiveError::Database { source, .. }) = &done
        && !options.dry_run
        && source.sqlite_error_code() == Some(ErrorCode::CannotOpen)
    {
        // SQLite does not tell why it can make no file beside the database. Whoever makes one is told.
        drop(HiddenFolder::inside(path)?);
    }
    done
}

/// `anew`: the database cannot be read.
fn attempt(
    path: &Path,
    feeds: &[Feed],
    anew: bool,
    options: ArchiveOptions,
    progress: &dyn Progress,
) -> Result<RunRecord, ArchiveError> {
    let started = options.now.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut paths = feeds.iter().map(|feed| &feed.tables.info().path);
    if let Some(itself) = paths.find(|source| is_in(source, path)) {
        return Err(ArchiveError::Itself { path: itself.clone() });
    }
    if let Some(missing) = missing_on_a_disk(path) {
        return Err(ArchiveError::NoDisk { path: missing.to_owned() });
    }
    check_place(path, &own_folders(feeds))?;
    if !options.gone.is_empty() {
        // Nothing is begun by that.
        Folder::open(path)?;
    }
    let seed = format!("{started} {} {:?}", std::process::id(), std::time::Instant::now());
    let rehearsal = if options.dry_run { Some(Rehearsal::of(path, options.guard)?) } else { None };
    let path = rehearsal.as_ref().map_or(path, |folder| folder.path());
    let (folder, lock) = Folder::open_or_create(path, &started, &seed)?;
    let mut ready = Ready::of(&folder, anew, &started, options, progress)?;
    progress.phase("Looking for what is new");
    let mut visits: Vec<Prepared<'_>> = Vec::new();
    let distinct = distinct(feeds);
    let paths: Vec<PathBuf> = distinct.iter().map(|feed| whole(&feed.tables.info().path)).collect();
    for feed in distinct {
        visits.push(Prepared::of(&folder, &mut ready, feed, options, &visits, &paths)?);
    }
    let read = visits.iter().map(|visit| visit.source).collect();
    let gone = meant(&ready.connection, options.gone, &read)?;
    progress.begin(visits.iter().map(|visit| visit.news()).sum());
    progress.phase("Copying attachments");
    for visit in &mut visits {
        let archive = (!options.dry_run).then(|| folder.path());
        visit.contents = fulfil(archive, visit.tables, &visit.wishes, options.jobs, progress)?;
    }
    if let Some(export) = options.copies.filter(|_| !options.dry_run) {
        let taken = visits.iter().flat_map(|visit| &visit.contents.kept).flat_map(|kept| &kept.files);
        let taken: HashSet<&str> = taken.map(|file| file.path.as_str()).collect();
        let contents = ready.found_damaged.contents.iter().map(String::as_str);
        let wanting = contents.filter(|path| !taken.contains(path));
        let words = copies::take_again(&folder, &ready.connection, wanting, export)?;
        ready.found_damaged.words.extend(words);
    }
    progress.phase("Adding messages");
    let record = Adding { folder: &folder, started: &started, gone: &gone, options }
        .add(&mut ready, &visits, progress)?;
    if !options.dry_run {
        ready.completed(&visits)?;
        progress.phase("Indexing for search");
        // The archive is whole without it, and whoever searches makes it where it is missing.
        let _ = index::bring_up(&folder);
    }
    lock.done();
    Ok(record)
}

/// Refuses a place for an archive that belongs to something else: a folder that is read, or another archive.
///
/// # Errors
/// [`DiskError::Within`].
pub fn check_place(path: &Path, read: &[PathBuf]) -> Result<(), DiskError> {
    read.iter().try_for_each(|folder| check_outside(path, folder, Whose::Source))?;
    check_outside_other_archives(path)
}

fn own_folders(feeds: &[Feed]) -> Vec<PathBuf> {
    feeds.iter().flat_map(|feed| feed.tables.info().own_folders()).collect()
}

/// One that is given twice is read once.
fn distinct(feeds: &[Feed]) -> Vec<&Feed> {
    let place = |feed: &Feed| {
        let path = &feed.tables.info().path;
        path.canonicalize().unwrap_or_else(|_| path.clone())
    };
    let mut places = HashSet::new();
    feeds.iter().filter(|feed| places.insert(place(feed))).collect()
}

fn is_in(source: &Path, archive: &Path) -> bool {
    match (source.canonicalize(), archive.canonicalize()) {
        (Ok(source), Ok(archive)) => source.starts_with(archive),
        _ => false,
    }
}
