//! Whether an archive is whole: every row against its hash, every content against its size and (deep) its bytes, every
//! record against the one before it and against the rows it speaks of.
//!
//! **Must never**: mend anything, or take what a disk fails to read for damage. It leaves a note of what it found, which
//! the next run reads.

mod contents;
mod foreign;
mod joins;
mod records;
mod sums;
mod unread;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::Connection;

use self::records::{ReadRecords, last_source};
pub use self::unread::Unread;
use super::ArchiveError;
use super::damage::{self, FoundDamaged};
use super::diagnosis;
use super::folder::{ABOUT, DATABASE, Folder, OBJECTS, README};
use super::header;
use super::index::{self, INDEX};
use super::kind::{JOINS, Kind};
use super::objects::{self, Noted};
use super::open::{PATIENCE, look_at, look_into};
use super::own_file::Own;
use super::records::none_written;
use super::row::{self, RowHash, owned};
use super::schema::{Columns, has_versions, version_table};
use crate::pipeline::Progress;
use crate::pipeline::crew::lock;
use crate::source::tables::quoted;

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    pub rows: u64,
    pub contents: u64,
    /// Bytes of the contents: read, where that was asked for.
    pub bytes: u64,
    pub runs: u64,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// `row`, `join`, `version`, `card`, `note`, `content`, `record`, `count`, `database`, `file`.
    pub kind: &'static str,
    /// Of a file, relative to what was verified.
    pub path: Option<String>,
    /// Of a row.
    pub guid: Option<String>,
    /// In words.
    pub what: String,
    /// The source that had it, and may have it still.
    pub source: Option<String>,
    /// Something that nothing here can tell any more.
    pub lost: bool,
}

impl Problem {
    fn of(kind: &'static str, what: impl Into<String>) -> Problem {
        Problem { kind, path: None, guid: None, what: what.into(), source: None, lost: false }
    }

    fn in_words(&self) -> String {
        let Problem { kind, path, guid, what, .. } = self;
        let of = [path, guid].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("{kind}: {what}{}", if of.is_empty() { of } else { format!(" ({of})") })
    }

    fn at(self, path: impl Into<String>) -> Problem {
        Problem { path: Some(path.into()), ..self }
    }
}

/// What was damaged once, and nothing had any more: the archive is whole without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The name of the run that found it so.
    pub run: String,
    /// In words.
    pub what: String,
}

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub checked: Checked,
    /// Sorted.
    pub problems: Vec<Problem>,
    /// Sorted.
    pub unread: Vec<Unread>,
    /// By run.
    pub lost: Vec<Lost>,
    /// Files among the contents that no run wrote, or noted; sorted. They are nobody's damage. `None` where that was not
    /// looked for: it takes a deep look at an archive that nobody is adding to, and in which nothing is damaged.
    pub foreign: Option<Vec<String>>,
    /// It could not be noted in the archive: the next run knows nothing of it.
    pub is_unnoted: bool,
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
    let looked = look_twice(path, deep, jobs, progress)?;
    // Where nothing can be written nothing can be mended either.
    let is_unnoted = looked.damaged.note(&looked.folder).is_err();
    let Looked { checked, problems, unread, lost, foreign, .. } = looked;
    Ok(Findings { checked, problems, unread, lost, foreign, is_unnoted })
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
    Ok(look_twice(path, false, jobs, progress)?.damaged)
}

fn look_twice(path: &Path, deep: bool, jobs: usize, progress: &dyn Progress) -> Result<Looked, ArchiveError> {
    let mut looked = look(path, deep, jobs, progress)?;
    if looked.is_doubtful && !diagnosis::is_damaged(&looked.folder, PATIENCE)? {
        // It could not be read for a moment.
        looked = look(path, deep, jobs, progress)?;
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
        self.damaged.words = self.problems.iter().take(TOLD).map(Problem::in_words).collect();
        self.damaged.aside = damage::read(&self.folder)?.aside;
        Ok(self)
    }
}

fn look(path: &Path, deep: bool, jobs: usize, progress: &dyn Progress) -> Result<Looked, ArchiveError> {
    // Before SQLite has locks on it: closing a file lets go of them.
    let is_strange = header::is_strange(&path.join(DATABASE)).unwrap_or(false);
    let (folder, connection) = match look_into(path) {
        Err(ArchiveError::Damaged { path: database, what }) => {
            let folder = Folder::open(path)?;
            let mut problems = Vec::new();
            if !none_written(&folder)? {
                let name = database.file_name().unwrap_or_default().to_string_lossy().into_owned();
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
    match Own::read(&path.join(README)) {
        Ok(Own::File(_)) => {}
        Ok(Own::Other | Own::Gone) => {
            check.found(Problem::of("file", "is gone; the next run writes it again").at(README));
        }
        Err(error) => check.unread(README, &error),
    }
    if objects::noted(&folder)? == Noted::Damaged {
        let what = "is damaged; the next run makes it anew, of what the database is made of";
        check.found(Problem::of("file", what).at(OBJECTS));
    }
    let read = check.read_records(&connection);
    let last = read.as_ref().ok().and_then(ReadRecords::last_totals);
    let lost = read.as_ref().map(ReadRecords::lost).unwrap_or_default();
    let (mut checked, mut foreign) = (Checked::default(), None);
    std::thread::scope(|scope| -> Result<(), ArchiveError> {
        // The database as such, beside its rows.
        let check = &check;
        let beside = [
            scope.spawn(move || check.integrity(&to_integrity)),
            scope.spawn(move || check.sums(&to_sums, last)),
            scope.spawn(move || check.index()),
        ];
        let rows = check.rows(&connection);
        let files = check.files(&connection);
        let records = read.and_then(|read| check.records(&connection, read));
        // That was one moment. What takes longer holds no run up.
        let contents = files.and_then(|files| {
            connection.execute_batch("COMMIT")?;
            let counted = check.contents(&connection, &files, deep, jobs)?;
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

/// So many problems are told again in the record of the next run.
const TOLD: usize = 100;

struct Check<'a> {
    folder: &'a Folder,
    found: Mutex<Vec<Problem>>,
    unread: Mutex<Vec<Unread>>,
    damaged: Mutex<FoundDamaged>,
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
        for line in self.as_far_as_read(read())?.into_iter().filter(|line| line != "ok") {
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

    /// Every row that is shown, and every version, against its hash.
    fn rows(&self, connection: &Connection) -> Result<(), ArchiveError> {
        let columns = self.as_far_as_read(Columns::read(connection))?;
        // What is damaged of one table says nothing of another.
        for kind in Kind::ALL {
            self.as_far_as_read(self.rows_of(connection, kind, &columns.hashed(kind)))?;
        }
        for join in &JOINS {
            self.as_far_as_read(self.rows_of_join(connection, join, &columns))?;
        }
        for name in self.as_far_as_read(super::people::damaged(connection))? {
            let what = format!(
                "the card of {name:?} in the address book is damaged; an `archive` run with it writes it anew"
            );
            self.found(Problem::of("card", what));
        }
        Ok(())
    }

    fn rows_of(&self, connection: &Connection, kind: Kind, hashed: &[String]) -> rusqlite::Result<()> {
        let list = |alias: &str| -> String {
            hashed.iter().map(|name| format!("{alias}.{}", quoted(name))).collect::<Vec<_>>().join(", ")
        };
        let table = kind.table();
        // Rows without a hash were not written by us; hashes without a row are rows that were lost.
        let sql = format!(
            "SELECT b.hash, t.ROWID, b.id, {} FROM msgarchive_{table} b LEFT JOIN {table} t ON t.ROWID = b.id ORDER BY b.id",
            list("t")
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.rows.fetch_add(1, Ordering::Relaxed);
            let id: i64 = row.get(2)?;
            let there = row.get_ref(1)?.as_i64().is_ok();
            let hash = row::hash_of(row, 3, hashed)?;
            if !there || stored_hash(row.get_ref(0)?) != Some(hash) {
                self.row_is_damaged(connection, kind, id, there)?;
            }
        }
        let strays = format!(
            "SELECT t.ROWID FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM msgarchive_{table} b WHERE b.id = t.ROWID)"
        );
        let strays: Vec<i64> =
            connection.prepare(&strays)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        if !strays.is_empty() {
            let strange = strays.len();
            self.found(Problem::of("count", format!("{strange} rows of {table} were not written by a run")));
            lock(&self.damaged).strays.extend(strays.into_iter().map(|id| (kind, id)));
        }
        if !has_versions(kind) {
            return Ok(());
        }
        let sql = format!(
            "SELECT v.msgarchive_hash, v.msgarchive_id, v.msgarchive_version, {} FROM {} v",
            list("v"),
            version_table(kind)
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.rows.fetch_add(1, Ordering::Relaxed);
            let hash = row::hash_of(row, 3, hashed)?;
            if stored_hash(row.get_ref(0)?) != Some(hash) {
                let id = row.get(1)?;
                lock(&self.damaged).former.push((kind, row.get(2)?));
                let what = format!("a former state of {} is damaged", kind.in_words());
                self.found(Problem {
                    guid: guid(connection, kind, id)?,
                    lost: true,
                    ..Problem::of("version", what)
                });
            }
        }
        Ok(())
    }

    fn row_is_damaged(
        &self,
        connection: &Connection,
        kind: Kind,
        id: i64,
        there: bool,
    ) -> rusqlite::Result<()> {
        let what = if there { "damaged" } else { "gone" };
        let source = source_of(connection, kind, id)?;
        self.found(Problem {
            guid: guid(connection, kind, id)?,
            lost: source.is_none(),
            source,
            ..Problem::of("row", format!("{} (row {id} of {}) is {what}", kind.in_words(), kind.table()))
        });
        if let Ok(mut damaged) = self.damaged.lock() {
            damaged.rows.push((kind, id));
        }
        Ok(())
    }
}

/// What was in it may be had again: as far as it can be read, and from the sources that the last record names.
fn database_is_damaged(folder: &Folder, what: String) -> Problem {
    let source = last_source(folder);
    let what = format!("{what}; the next run takes over what can be read of it");
    Problem { lost: source.is_none(), source, ..Problem::of("database", what) }
}

fn stored_hash(value: rusqlite::types::ValueRef<'_>) -> Option<RowHash> {
    value.as_blob().ok()?.try_into().ok()
}

/// What a row is known by, as far as that can still be read.
fn guid(connection: &Connection, kind: Kind, id: i64) -> rusqlite::Result<Option<String>> {
    let key = kind.key().first().copied().unwrap_or("guid");
    let mut statement =
        connection.prepare_cached(&format!("SELECT {key} FROM {} WHERE ROWID = ?1", kind.table()))?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?;
    let value = row.map(|row| owned(row, 1)).transpose()?.and_then(|mut values| values.pop());
    Ok(match value {
        Some(row::Owned::Text(text)) => Some(String::from_utf8_lossy(&text).into_owned()),
        _ => None,
    })
}

/// Where a row can be had again: the source that was read last among those that have it.
fn source_of(connection: &Connection, kind: Kind, id: i64) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT o.path FROM msgarchive_sighting s JOIN msgarchive_source o ON o.source = s.source \
         WHERE s.kind = ?1 AND s.id = ?2 ORDER BY o.last_run DESC LIMIT 1",
    )?;
    let mut rows = statement.query([kind.number(), id])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}
