//! What another archive knows of the past: former states of its rows, who was in its chats, and what its sources lost.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::absence::Reason;
use super::damage::Damaged;
use super::kind::Kind;
use super::participants::{self, PARTICIPANTS, Stay};
use super::places::number;
use super::scan::Wanted;
use super::schema::{Columns, version_table};
use super::spelling::Spelling;
use super::sums::{ABSENCES, ALIASES, INHERITED, SIGHTINGS, SOURCES};
use super::take::Taker;
use super::visit::{Ids, Visit};
use crate::source::tables::Tables;

/// Takes over what the archive `tables` has of the past, since it was asked last; after its messages were taken.
pub struct Heir<'c> {
    pub connection: &'c Connection,
    pub columns: &'c Columns,
    pub tables: &'c Tables,
    pub visit: Visit<'c>,
}

/// The kinds whose former states are handed on.
const HANDED_ON: [Kind; 3] = [Kind::Chat, Kind::Attachment, Kind::Message];

/// An absence that is open: since which run and date, why, whether the row is gone.
#[derive(Clone, Copy)]
struct Open {
    source: i64,
    run: i64,
    date: i64,
    reason: Reason,
    gone: bool,
}

impl Heir<'_> {
    /// Former states of messages, chats and attachments. What is shown stays as it is. How many messages got one.
    pub fn versions(&self, handles: &Ids) -> Result<u64, ArchiveError> {
        let mut of_messages = 0;
        for kind in HANDED_ON {
            let taken = self.versions_of(kind, handles)?;
            of_messages += if kind == Kind::Message { taken } else { 0 };
        }
        Ok(of_messages)
    }

    fn versions_of(&self, kind: Kind, handles: &Ids) -> Result<u64, ArchiveError> {
        let name = version_table(kind);
        let Some(table) = self.tables.table(&name) else { return Ok(0) };
        let spelling = Spelling::new(kind, Wanted::of(kind, table), self.visit, handles);
        let mut names: Vec<&str> = spelling.wanted.names.iter().map(String::as_str).collect();
        let of_row = names.len();
        names.push("msgarchive_id");
        let none = Damaged::new();
        let mut taker =
            Taker::new(self.connection, self.columns, &spelling, self.visit, &none).map_err(self.failed())?;
        let before = self.inherited(kind).map_err(self.failed())?;
        let (mut last, mut taken) = (before, 0);
        self.tables.reader().rows(table, &names, before.saturating_add(1)..=i64::MAX, |row| {
            last = row.rowid();
            let mut inherit = || -> rusqlite::Result<bool> {
                let Some(id) = self.here(kind, number(row.value(of_row)))? else { return Ok(false) };
                let values = (0..of_row).map(|at| row.value(at)).collect();
                spelling.spell(values, |former| taker.inherit(id, former))
            };
            taken += u64::from(inherit().map_err(self.failed())?);
            Ok::<(), ArchiveError>(())
        })?;
        if last != before {
            self.note_inherited(kind, last).map_err(self.failed())?;
        }
        Ok(taken)
    }

    /// Other GUIDs of its messages, unless they are messages here.
    pub fn aliases(&self) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table(ALIASES) else { return Ok(()) };
        self.tables.reader().all(table, &["guid", "message"], |row| {
            let note = || -> rusqlite::Result<()> {
                let (ValueRef::Text(guid), Some(id)) =
                    (row.value(0), self.here(Kind::Message, number(row.value(1)))?)
                else {
                    return Ok(());
                };
                self.connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO msgarchive_alias (guid, message, run) SELECT ?1, ?2, ?3 \
                         WHERE NOT EXISTS (SELECT 1 FROM message WHERE guid = ?1)",
                    )?
                    .execute(params![String::from_utf8_lossy(guid), id, self.visit.run])?;
                Ok(())
            };
            note().map_err(self.failed())
        })
    }

    /// Who was in a chat and when, as far as nothing is known of them here.
    pub fn participants(&self) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table(PARTICIPANTS) else { return Ok(()) };
        let runs = self.runs()?;
        let run = |of: ValueRef<'_>| runs.get(&number(of)).copied().unwrap_or(self.visit.run);
        let mut stays = Vec::new();
        let columns = ["chat", "handle", "since", "until"];
        self.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
            let mut note = || -> rusqlite::Result<()> {
                let chat = self.here(Kind::Chat, number(row.value(0)))?;
                let handle = self.here(Kind::Handle, number(row.value(1)))?;
                if let (Some(chat), Some(handle)) = (chat, handle) {
                    let until = Some(row.value(3)).filter(|until| *until != ValueRef::Null).map(run);
                    stays.push(Stay { chat, handle, since: run(row.value(2)), until });
                }
                Ok(())
            };
            note().map_err(self.failed())
        })?;
        participants::inherit(self.connection, &stays, self.visit.run).map_err(self.failed())
    }

    /// Its runs → the first run here that was no earlier.
    fn runs(&self) -> Result<HashMap<i64, i64>, ArchiveError> {
        let mut runs = HashMap::new();
        let Some(table) = self.tables.table("msgarchive_run") else { return Ok(runs) };
        self.tables.reader().rows(table, &["date"], i64::MIN..=i64::MAX, |row| {
            let first = || -> rusqlite::Result<Option<i64>> {
                let ValueRef::Text(date) = row.value(0) else { return Ok(None) };
                self.connection
                    .prepare_cached("SELECT min(run) FROM msgarchive_run WHERE date >= ?1")?
                    .query_row([String::from_utf8_lossy(date)], |row| row.get(0))
            };
            // The run that is going on has no record yet.
            let first = first().map_err(self.failed())?.unwrap_or(self.visit.run);
            runs.insert(row.rowid(), first);
            Ok::<(), ArchiveError>(())
        })?;
        Ok(runs)
    }

    /// What its sources lost, and have again.
    pub fn absences(&self, counts: &mut BTreeMap<Reason, u64>) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table(ABSENCES) else { return Ok(()) };
        let mut open: BTreeMap<i64, Vec<Open>> = BTreeMap::new();
        let columns = ["message", "source", "run", "reason", "date", "gone", "returned"];
        self.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
            let of = open.entry(number(row.value(0))).or_default();
            let named = match row.value(3) {
                ValueRef::Text(name) => {
                    Reason::ALL.into_iter().find(|reason| reason.name().as_bytes() == name)
                }
                _ => None,
            };
            if let Some(reason) = named.filter(|_| row.value(6) == ValueRef::Null) {
                of.push(Open {
                    source: number(row.value(1)),
                    run: number(row.value(2)),
                    date: number(row.value(4)),
                    reason,
                    gone: row.value(5) != ValueRef::Null,
                });
            }
            Ok::<(), ArchiveError>(())
        })?;
        let there = self.still_there(&open)?;
        for (message, absences) in open {
            // What one of its sources has still is not deleted there.
            let lost =
                absences.iter().filter(|absence| there.get(&message).is_none_or(|run| *run < absence.run));
            let absence = lost.max_by_key(|absence| absence.date).copied();
            let new = self.absence(message, absence).map_err(self.failed())?;
            if let Some(reason) = new {
                *counts.entry(reason).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Of messages that a source of it lost: the last run in which another source had them.
    fn still_there(&self, open: &BTreeMap<i64, Vec<Open>>) -> Result<HashMap<i64, i64>, ArchiveError> {
        let mut there: HashMap<i64, i64> = HashMap::new();
        let (Some(sources), Some(sightings)) = (self.tables.table(SOURCES), self.tables.table(SIGHTINGS))
        else {
            return Ok(there);
        };
        let reader = self.tables.reader();
        let mut last_runs: HashMap<i64, i64> = HashMap::new();
        reader.rows(sources, &["source", "last_run"], i64::MIN..=i64::MAX, |row| {
            last_runs.insert(number(row.value(0)), number(row.value(1)));
            Ok::<(), ArchiveError>(())
        })?;
        if last_runs.len() < 2 || open.values().all(Vec::is_empty) {
            return Ok(there);
        }
        reader.all(sightings, &["kind", "source", "id"], |row| {
            let (source, message) = (number(row.value(1)), number(row.value(2)));
            if number(row.value(0)) == Kind::Message.number()
                && let Some(absences) = open.get(&message)
                && absences.iter().all(|absence| absence.source != source)
            {
                let run = last_runs.get(&source).copied().unwrap_or(0);
                there.entry(message).and_modify(|last| *last = run.max(*last)).or_insert(run);
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(there)
    }

    fn absence(&self, message: i64, absence: Option<Open>) -> rusqlite::Result<Option<Reason>> {
        let Some(id) = self.here(Kind::Message, message)? else { return Ok(None) };
        let Visit { source, run, .. } = self.visit;
        let known: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT rowid FROM msgarchive_absence WHERE message = ?1 AND source = ?2 AND returned IS NULL",
            )?
            .query_row([id, source], |row| row.get(0))
            .optional()?;
        match (absence, known) {
            (Some(Open { reason, date, gone, .. }), None) => {
                self.connection
                    .prepare_cached(
                        "INSERT INTO msgarchive_absence (message, source, run, reason, date, gone) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![id, source, run, reason.name(), date, gone.then_some(run)])?;
                return Ok(Some(reason));
            }
            (None, Some(known)) => {
                self.connection
                    .prepare_cached("UPDATE msgarchive_absence SET returned = ?2 WHERE rowid = ?1")?
                    .execute([known, run])?;
            }
            _ => {}
        }
        Ok(None)
    }

    /// Where one of its rows is here.
    fn here(&self, kind: Kind, rowid: i64) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached(
                "SELECT id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?
            .query_row([kind.number(), self.visit.source, rowid], |row| row.get(0))
            .optional()
    }

    /// The last of its former states of a kind that was taken over.
    fn inherited(&self, kind: Kind) -> rusqlite::Result<i64> {
        let Visit { source, .. } = self.visit;
        let last = match kind {
            Kind::Message => self
                .connection
                .prepare("SELECT inherited FROM msgarchive_source WHERE source = ?1")?
                .query_row([source], |row| row.get(0)),
            _ => self
                .connection
                .prepare(&format!("SELECT last FROM {INHERITED} WHERE source = ?1 AND kind = ?2"))?
                .query_row([source, kind.number()], |row| row.get(0)),
        };
        last.optional().map(Option::unwrap_or_default)
    }

    fn note_inherited(&self, kind: Kind, last: i64) -> rusqlite::Result<()> {
        let Visit { source, .. } = self.visit;
        match kind {
            Kind::Message => self
                .connection
                .execute("UPDATE msgarchive_source SET inherited = ?2 WHERE source = ?1", [source, last])?,
            _ => self.connection.execute(
                &format!("INSERT OR REPLACE INTO {INHERITED} (source, kind, last) VALUES (?1, ?2, ?3)"),
                [source, kind.number(), last],
            )?,
        };
        Ok(())
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> ArchiveError {
        ArchiveError::of(self.connection)
    }
}
