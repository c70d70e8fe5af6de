//! Whether an archive is whole: every row against its hash, every content against its size and (deep) its bytes, every
//! record against the one before it and against the rows it speaks of.
//!
//! **Must never**: mend anything, or take what a disk fails to read for damage. It leaves a note of what it found, which
//! the next run reads.

mod contents;
mod findings;
mod foreign;
mod holders;
mod joins;
mod noted;
mod records;
mod rows;
mod sums;
mod unread;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::Connection;

pub use self::findings::{Checked, Findings, Lost, Problem};
pub use self::noted::noted_damage;
use self::records::{ReadRecords, last_source};
pub use self::unread::Unread;
use super::ArchiveError;
use super::damage::{self, FoundDamaged};
use super::diagnosis;
use super::folder::{ABOUT, DATABASE, Folder, OBJECTS, README};
use super::gone_for_good::GoneForGood;
use super::header;
use super::index::{self, INDEX};
use super::kind::Kind;
use super::lost_content::LostContents;
use super::named::NAMED;
use super::objects::{self, Noted};
use super::open::{PATIENCE, look_at, look_into};
use super::own_file::Own;
use super::records::none_written;
use super::row::RowHash;
use crate::pipeline::Progress;
use crate::pipeline::crew::lock;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What an export shows: not whether it is found by search, too.
    Messages,
    Usual,
    /// All contents are read.
    Contents,
}

/// Verifies the archive at `path`. `deep`: reads every content again.
///
/// # Errors
/// [`ArchiveError::NotAnArchive`], or where it cannot be read at all. Damage is no error but a finding.
pub fn check(
    path: &Path,
    deep: bool,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Findings, ArchiveError> {
    let depth = if deep { Depth::Contents } else { Depth::Usual };
    let looked = look_twice(path, depth, jobs, progress)?;
    // Where nothing can be written nothing can be mended either.
    let is_unnoted = looked.damaged.note(&looked.folder).is_err();
    let Looked { checked, problems, unread, lost, foreign, .. } = looked;
    Ok(Findings { checked, problems, unread, lost, foreign, is_unnoted })
}

/// What of an archive is not what was archived, for who shows what is in it.
#[derive(Debug, Default)]
pub struct Damage {
    /// Row ids of messages.
    pub messages: BTreeSet<i64>,
    /// Numbers of former states of messages.
    pub former: BTreeSet<i64>,
    /// All of it, in words.
    pub words: Vec<String>,
}

/// Looks for damage in the archive at `path` as [`check`] does, without reading its contents or leaving a note.
///
/// # Errors
/// As [`check`].
pub fn damage_of(path: &Path, jobs: usize, progress: &dyn Progress) -> Result<Damage, ArchiveError> {
    let Looked { problems, unread, damaged, .. } = look_twice(path, Depth::Messages, jobs, progress)?;
    let messages = damaged_messages(&damaged);
    let former = damaged.former.iter().filter(|(kind, _)| *kind == Kind::Message);
    let former = former.map(|(_, version)| *version).collect();
    // A file beside the database says nothing of messages: the next run makes it anew.
    let words = problems.iter().filter(|problem| problem.kind != "file").map(Problem::in_words);
    let unread = unread.iter().map(|unread| format!("{} cannot be read: {}", unread.path, unread.what));
    Ok(Damage { messages, former, words: words.chain(unread).collect() })
}

/// Those that are shown otherwise than they were archived; what they were before is not among it.
fn damaged_messages(damaged: &FoundDamaged) -> BTreeSet<i64> {
    let of_messages = damaged.rows.iter().chain(&damaged.joined).filter(|(kind, _)| *kind == Kind::Message);
    of_messages.map(|(_, id)| *id).collect()
}

/// What is wanting in the archive at `path`, for the run that has its lock.
///
/// # Errors
/// As [`check`].
pub fn found_damaged(
    path: &Path,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<FoundDamaged, ArchiveError> {
    Ok(look_twice(path, Depth::Usual, jobs, progress)?.damaged)
}

fn look_twice(
    path: &Path,
    depth: Depth,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Looked, ArchiveError> {
    let mut looked = look(path, depth, jobs, progress)?;
    if looked.is_doubtful && !diagnosis::is_damaged(&looked.folder, PATIENCE)? {
        // It could not be read for a moment.
        looked = look(path, depth, jobs, progress)?;
        if looked.is_doubtful && !diagnosis::is_damaged(&looked.folder, PATIENCE)? {
            let fails = std::io::Error::other("now it can be read, and now it cannot");
            return Err(ArchiveError::reading(looked.folder.database())(fails));
        }
    }
    looked.in_order()
}

/// What one look at an archive came to.
struct Looked {
    folder: Folder,
    checked: Checked,
    problems: Vec<Problem>,
    unread: Vec<Unread>,
    lost: Vec<Lost>,
    foreign: Option<Vec<String>>,
    damaged: FoundDamaged,
    /// SQLite says that the database is damaged, as it does of a read that failed.
    is_doubtful: bool,
}

impl Looked {
    /// With what the next run is told.
    fn in_order(mut self) -> Result<Looked, ArchiveError> {
        self.problems.sort();
        self.problems.dedup();
        self.unread.sort();
        self.unread.dedup();
        if !self.problems.is_empty() {
            diagnosis::is_connected(&self.folder)?;
            // Of what is damaged may be who they are of.
            self.foreign = None;
        }
        // They are told again in the record of the next run.
        self.damaged.words = self.problems.iter().take(NAMED).map(Problem::in_words).collect();
        self.damaged.aside = damage::read(&self.folder)?.aside;
        Ok(self)
    }
}

fn look(path: &Path, depth: Depth, jobs: usize, progress: &dyn Progress) -> Result<Looked, ArchiveError> {
    // Before SQLite has locks on it: closing a file lets go of them.
    let is_strange = header::is_strange(&path.join(DATABASE)).unwrap_or(false);
    let (folder, connection) = match look_into(path) {
        Err(ArchiveError::Damaged { path: database, what }) => {
            let folder = Folder::open(path)?;
            let mut problems = Vec::new();
            let name = database.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != DATABASE {
                problems.push(Problem::of("file", what).at(name));
            } else if !none_written(&folder)? {
                let what = header::cut_off_by_itself(&database).ok().flatten().unwrap_or(what);
                problems.push(database_is_damaged(&folder, what).at(name));
            }
            // Of what lies beside it nothing else is known than before.
            let contents = damage::read(&folder)?.contents;
            let damaged = FoundDamaged { contents, ..FoundDamaged::default() };
            let is_doubtful = !problems.is_empty();
            let (checked, unread, lost) = (Checked::default(), Vec::new(), Vec::new());
            let foreign = None;
            return Ok(Looked { folder, checked, problems, unread, lost, foreign, damaged, is_doubtful });
        }
        opened => opened?,
    };
    // Of the same moment: nobody can complete anything as long as the first one reads.
    let [to_integrity, to_sums] = [look_at(&folder)?, look_at(&folder)?];
    let check = Check {
        folder: &folder,
        found: Mutex::default(),
        unread: Mutex::default(),
        damaged: Mutex::default(),
        // Where that cannot be read, none is known to be.
        gone: GoneForGood::read(&connection).unwrap_or_default(),
        doubtful: damage::read(&folder)?.contents.into_iter().collect(),
        rows: AtomicU64::new(0),
        is_doubtful: AtomicBool::new(false),
        progress,
    };
    progress.phase("Verifying");
    if is_strange {
        check.database_is_damaged("it does not begin as the database of an archive does".into());
        check.is_doubtful.store(true, Ordering::Relaxed);
    }
    if folder.is_unnamed {
        let what = "is gone or damaged; the records of the runs say whose they are, and the next run writes it again";
        check.found(Problem::of("file", what).at(ABOUT));
    }
    let of_objects = match objects::noted(&folder)? {
        Noted::Damaged => Some("is damaged; the next run makes it anew, of what the database is made of"),
        // It is there before a first run is completed.
        Noted::Never if !none_written(&folder)? => {
            Some("is gone; the next run makes it anew, of what the database is made of")
        }
        Noted::As(_) | Noted::Never => None,
    };
    if let Some(what) = of_objects {
        check.found(Problem::of("file", what).at(OBJECTS));
    }
    let read = check.read_records(&connection);
    match Own::read(&path.join(README)) {
        Ok(Own::File(text)) => {
            if !Folder::is_explanation(&text, read.as_ref().ok().and_then(ReadRecords::last)) {
                let what = "is not as the last run left it; the next run writes it again";
                check.found(Problem::of("file", what).at(README));
            }
        }
        Ok(Own::Other | Own::Gone) => {
            check.found(Problem::of("file", "is gone; the next run writes it again").at(README));
        }
        Err(error) => check.unread(README, &error),
    }
    let last = read.as_ref().ok().and_then(ReadRecords::last_totals);
    let lost = read.as_ref().map(ReadRecords::lost).unwrap_or_default();
    let (mut checked, mut foreign) = (Checked::default(), None);
    std::thread::scope(|scope| -> Result<(), ArchiveError> {
        // The database as such, beside its rows.
        let check = &check;
        let beside = [
            scope.spawn(move || check.integrity(&to_integrity)),
            scope.spawn(move || check.sums(&to_sums, last)),
            scope.spawn(move || match depth {
                Depth::Messages => Ok(()),
                Depth::Usual | Depth::Contents => check.index(),
            }),
        ];
        let rows = check.rows(&connection);
        let files = check.files(&connection);
        let records = read.and_then(|read| check.records(&connection, read));
        // That was one moment. What takes longer holds no run up.
        let contents = files.and_then(|files| {
            connection.execute_batch("COMMIT")?;
            let lost = LostContents::of(lost.iter().map(|lost| &lost.thing));
            let deep = depth == Depth::Contents;
            let counted = check.contents(&connection, (&files, &lost), deep, jobs)?;
            if deep {
                foreign = check.foreign(&connection, &files)?;
            }
            Ok(counted)
        });
        let records = records.and_then(|(runs, others)| {
            check.records_of_no_run(&connection, others)?;
            Ok(runs)
        });
        rows?;
        checked.rows = check.rows.load(Ordering::Relaxed);
        (checked.contents, checked.bytes) = check.as_far_as_read(contents)?;
        checked.runs = check.as_far_as_read(records)?;
        for looking in beside {
            looking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })?;
    if progress.interrupted() {
        return Err(ArchiveError::Interrupted);
    }
    let problems = check.found.into_inner().unwrap_or_default();
    let unread = check.unread.into_inner().unwrap_or_default();
    let damaged = check.damaged.into_inner().unwrap_or_default();
    let is_doubtful = check.is_doubtful.into_inner();
    Ok(Looked { folder, checked, problems, unread, lost, foreign, damaged, is_doubtful })
}

struct Check<'a> {
    folder: &'a Folder,
    found: Mutex<Vec<Problem>>,
    unread: Mutex<Vec<Unread>>,
    damaged: Mutex<FoundDamaged>,
    /// Sources that nobody is sent to.
    gone: GoneForGood,
    /// Contents that were found damaged before: they are read again, deep or not.
    doubtful: HashSet<String>,
    /// How many were looked at.
    rows: AtomicU64,
    is_doubtful: AtomicBool,
    progress: &'a dyn Progress,
}

impl Check<'_> {
    fn found(&self, problem: Problem) {
        lock(&self.found).push(problem);
    }

    fn integrity(&self, connection: &Connection) -> Result<(), ArchiveError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            connection.prepare("PRAGMA integrity_check(20)")?.query_map([], |row| row.get(0))?.collect()
        };
        let cut_off = self.as_far_as_read(header::cut_off(connection))?;
        let said = self.as_far_as_read(read())?.into_iter().filter(|line| line != "ok");
        for line in cut_off.into_iter().chain(said) {
            self.database_is_damaged(line);
            self.is_doubtful.store(true, Ordering::Relaxed);
        }
        for (name, number) in self.as_far_as_read(header::set(connection))? {
            let what = format!("{name} is {number} instead of 0; the next run sets it right");
            self.found(Problem::of("database", what).at(DATABASE));
        }
        Ok(())
    }

    fn index(&self) -> Result<(), ArchiveError> {
        match index::is_whole(self.folder) {
            Ok(true) => {}
            Ok(false) => {
                lock(&self.damaged).index = true;
                let what =
                    "the index of search is damaged; the next run makes it anew, of what the messages say";
                self.found(Problem::of("file", what).at(INDEX));
            }
            Err(error) if error.of_the_disk().is_some() => self.unread(INDEX, &std::io::Error::other(error)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn database_is_damaged(&self, what: String) {
        lock(&self.damaged).database = true;
        self.found(database_is_damaged(self.folder, what).at(DATABASE));
    }
}

/// What was in it may be had again: as far as it can be read, and from the sources that the last record names.
fn database_is_damaged(folder: &Folder, what: String) -> Problem {
    let source = last_source(folder);
    let what = format!("{what}; the next run takes over what can be read of it");
    // What that lost since, and what it was before, it may not have.
    Problem { lost: source.is_none(), in_doubt: source.is_some(), source, ..Problem::of("database", what) }
}

fn stored_hash(value: rusqlite::types::ValueRef<'_>) -> Option<RowHash> {
    value.as_blob().ok()?.try_into().ok()
}
