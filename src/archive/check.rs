//! Whether an archive is whole: every row against its hash, every content against its size and (deep) its bytes, every
//! record against the one before it and against the rows it speaks of.
//!
//! **Must never**: mend anything. It leaves a note of what it found, which the next run reads.

mod contents;
mod joins;
mod records;
mod sums;

use std::path::Path;
use std::sync::Mutex;

use rusqlite::Connection;

use super::ArchiveError;
use super::damage::FoundDamaged;
use super::folder::{ABOUT, Folder};
use super::kind::{JOINS, Kind};
use super::open::look_into;
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

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub checked: Checked,
    /// Sorted.
    pub problems: Vec<Problem>,
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
    let (folder, connection) = match look_into(path) {
        Err(ArchiveError::Damaged { .. }) if none_written(&Folder::open(path)?)? => {
            return Ok(Findings::default());
        }
        Err(ArchiveError::Damaged { path: database, what }) => {
            let problem = Problem { lost: true, ..Problem::of("database", what) };
            let name = database.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok(Findings { checked: Checked::default(), problems: vec![problem.at(name)] });
        }
        opened => opened?,
    };
    let check = Check { folder: &folder, found: Mutex::default(), damaged: Mutex::default(), progress };
    progress.phase("Verifying");
    if folder.is_unnamed {
        let what = "is gone or damaged; the records of the runs say whose they are, and the next run writes it again";
        check.found(Problem::of("file", what).at(ABOUT));
    }
    let mut checked = Checked::default();
    let beside = std::thread::scope(|scope| {
        // The database as such, beside its rows.
        let integrity = scope.spawn(|| check.integrity(deep));
        let sums = scope.spawn(|| check.sums());
        let rows = check.rows(&connection);
        let files = check.files(&connection);
        let records = check.records(&connection);
        // That was one moment. What takes longer holds no run up.
        let contents = files.and_then(|files| {
            connection.execute_batch("COMMIT")?;
            check.contents(&connection, &files, deep, jobs)
        });
        let records = records.and_then(|(runs, others)| {
            check.records_of_no_run(&connection, others)?;
            Ok(runs)
        });
        let errors = [rows.as_ref().err(), contents.as_ref().err(), records.as_ref().err()];
        for error in errors.into_iter().flatten() {
            lock(&check.damaged).database = true;
            check.found(Problem { lost: true, ..Problem::of("database", error.to_string()) });
        }
        checked.rows = rows.unwrap_or(0);
        (checked.contents, checked.bytes) = contents.unwrap_or((0, 0));
        checked.runs = records.unwrap_or(0);
        [integrity, sums].map(|looking| looking.join())
    });
    for looked in beside {
        looked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    }
    if progress.interrupted() {
        return Err(ArchiveError::Interrupted);
    }
    let mut problems = check.found.into_inner().unwrap_or_default();
    problems.sort();
    problems.dedup();
    let mut damaged = check.damaged.into_inner().unwrap_or_default();
    damaged.words = problems.iter().take(TOLD).map(Problem::in_words).collect();
    damaged.aside = super::damage::read(&folder)?.aside;
    // Where nothing can be written nothing can be mended either.
    let _ = damaged.note(&folder);
    Ok(Findings { checked, problems })
}

/// So many problems are told again in the record of the next run.
const TOLD: usize = 100;

struct Check<'a> {
    folder: &'a Folder,
    found: Mutex<Vec<Problem>>,
    damaged: Mutex<FoundDamaged>,
    progress: &'a dyn Progress,
}

impl Check<'_> {
    fn found(&self, problem: Problem) {
        lock(&self.found).push(problem);
    }

    fn integrity(&self, deep: bool) -> Result<(), ArchiveError> {
        let connection = super::open::look_at(self.folder)?;
        let pragma = if deep { "PRAGMA integrity_check(20)" } else { "PRAGMA quick_check(20)" };
        let read = || -> rusqlite::Result<Vec<String>> {
            connection.prepare(pragma)?.query_map([], |row| row.get(0))?.collect()
        };
        let said = read().unwrap_or_else(|error| vec![error.to_string()]);
        for line in said.into_iter().filter(|line| line != "ok") {
            lock(&self.damaged).database = true;
            self.found(Problem { lost: true, ..Problem::of("database", line).at(super::folder::DATABASE) });
        }
        Ok(())
    }

    /// Every row that is shown, and every version, against its hash.
    fn rows(&self, connection: &Connection) -> rusqlite::Result<u64> {
        let columns = Columns::read(connection)?;
        let mut checked = 0;
        for kind in Kind::ALL {
            checked += self.rows_of(connection, kind, &columns.hashed(kind))?;
        }
        for join in &JOINS {
            checked += self.rows_of_join(connection, join, &columns)?;
        }
        for name in super::people::damaged(connection)? {
            let what = format!(
                "the card of {name:?} in the address book is damaged; an `archive` run with it writes it anew"
            );
            self.found(Problem::of("card", what));
        }
        Ok(checked)
    }

    fn rows_of(&self, connection: &Connection, kind: Kind, hashed: &[String]) -> rusqlite::Result<u64> {
        let list = |alias: &str| -> String {
            hashed.iter().map(|name| format!("{alias}.{}", quoted(name))).collect::<Vec<_>>().join(", ")
        };
        let table = kind.table();
        let mut checked = 0;
        // Rows without a hash were not written by us; hashes without a row are rows that were lost.
        let sql = format!(
            "SELECT b.hash, t.ROWID, b.id, {} FROM msgarchive_{table} b LEFT JOIN {table} t ON t.ROWID = b.id ORDER BY b.id",
            list("t")
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            checked += 1;
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
            return Ok(checked);
        }
        let sql = format!(
            "SELECT v.msgarchive_hash, v.msgarchive_id, v.msgarchive_version, {} FROM {} v",
            list("v"),
            version_table(kind)
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            checked += 1;
            let hash = row::hash_of(row, 3, hashed)?;
            if stored_hash(row.get_ref(0)?) != Some(hash) {
                let id = row.get(1)?;
                lock(&self.damaged).former.push((kind, row.get(2)?));
                let what = format!("a former state of {} is damaged", named(kind));
                self.found(Problem {
                    guid: guid(connection, kind, id)?,
                    lost: true,
                    ..Problem::of("version", what)
                });
            }
        }
        Ok(checked)
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
            ..Problem::of("row", format!("{} (row {id} of {}) is {what}", named(kind), kind.table()))
        });
        if let Ok(mut damaged) = self.damaged.lock() {
            damaged.rows.push((kind, id));
        }
        Ok(())
    }
}

fn stored_hash(value: rusqlite::types::ValueRef<'_>) -> Option<RowHash> {
    value.as_blob().ok()?.try_into().ok()
}

fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Handle => "an address",
        Kind::Chat => "a chat",
        Kind::Attachment => "an attachment",
        Kind::Message => "a message",
    }
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
