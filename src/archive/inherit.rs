//! What another archive knows of the past: former states of its messages, and what its sources lost.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::absence::Reason;
use super::kind::Kind;
use super::places::number;
use super::scan::Wanted;
use super::schema::{Columns, version_table};
use super::spelling::Spelling;
use super::take::{Damaged, Ids, Taker, Visit};
use crate::source::tables::Tables;

/// Takes over what the archive `tables` has of the past, since it was asked last; after its messages were taken.
pub struct Heir<'c> {
    pub connection: &'c Connection,
    pub columns: &'c Columns,
    pub tables: &'c Tables,
    pub visit: Visit<'c>,
}

impl Heir<'_> {
    /// Former states of messages. What is shown stays as it is.
    pub fn versions(&self, handles: &Ids) -> Result<u64, ArchiveError> {
        let name = version_table(Kind::Message);
        let Some(table) = self.tables.table(&name) else { return Ok(0) };
        let spelling = Spelling::new(Kind::Message, Wanted::of(Kind::Message, table), self.visit, handles);
        let mut names: Vec<&str> = spelling.wanted.names.iter().map(String::as_str).collect();
        let of_message = names.len();
        names.push("msgarchive_id");
        let none = Damaged::new();
        let mut taker =
            Taker::new(self.connection, self.columns, &spelling, self.visit, &none).map_err(self.failed())?;
        let before = self.inherited().map_err(self.failed())?;
        let (mut last, mut taken) = (before, 0);
        self.tables.reader().rows(table, &names, before.saturating_add(1)..=i64::MAX, |row| {
            last = row.rowid();
            let mut inherit = || -> rusqlite::Result<bool> {
                let Some(id) = self.here(number(row.value(of_message)))? else { return Ok(false) };
                let values = (0..of_message).map(|at| row.value(at)).collect();
                spelling.spell(values, |former| taker.inherit(id, former))
            };
            taken += u64::from(inherit().map_err(self.failed())?);
            Ok::<(), ArchiveError>(())
        })?;
        let note = "UPDATE msgarchive_source SET inherited = ?2 WHERE source = ?1";
        self.connection.execute(note, [self.visit.source, last]).map_err(self.failed())?;
        Ok(taken)
    }

    /// What its sources lost, and have again.
    pub fn absences(&self, counts: &mut BTreeMap<Reason, u64>) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table("msgarchive_absence") else { return Ok(()) };
        // By message, the last word counts: whether any of its absences is open, and which.
        let mut open: BTreeMap<i64, Option<(Reason, i64, bool)>> = BTreeMap::new();
        let columns = ["message", "reason", "date", "gone", "returned"];
        self.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
            let reason = match row.value(1) {
                ValueRef::Text(name) => {
                    Reason::ALL.into_iter().find(|reason| reason.name().as_bytes() == name)
                }
                _ => None,
            };
            let gone = row.value(3) != ValueRef::Null;
            let absence = reason.filter(|_| row.value(4) == ValueRef::Null);
            let absence = absence.map(|reason| (reason, number(row.value(2)), gone));
            let known = open.entry(number(row.value(0))).or_default();
            *known = absence.or(*known);
            Ok::<(), ArchiveError>(())
        })?;
        for (message, absence) in open {
            let new = self.absence(message, absence).map_err(self.failed())?;
            if let Some(reason) = new {
                *counts.entry(reason).or_default() += 1;
            }
        }
        Ok(())
    }

    fn absence(
        &self,
        message: i64,
        absence: Option<(Reason, i64, bool)>,
    ) -> rusqlite::Result<Option<Reason>> {
        let Some(id) = self.here(message)? else { return Ok(None) };
        let Visit { source, run, .. } = self.visit;
        let known: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT rowid FROM msgarchive_absence WHERE message = ?1 AND source = ?2 AND returned IS NULL",
            )?
            .query_row([id, source], |row| row.get(0))
            .optional()?;
        match (absence, known) {
            (Some((reason, date, gone)), None) => {
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

    /// Where one of its messages is here.
    fn here(&self, message: i64) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached(
                "SELECT id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?
            .query_row([Kind::Message.number(), self.visit.source, message], |row| row.get(0))
            .optional()
    }

    /// The last of its former states that was taken over.
    fn inherited(&self) -> rusqlite::Result<i64> {
        self.connection
            .query_row(
                "SELECT inherited FROM msgarchive_source WHERE source = ?1",
                [self.visit.source],
                |row| row.get(0),
            )
            .optional()
            .map(Option::unwrap_or_default)
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> ArchiveError + use<> {
        ArchiveError::of(self.connection)
    }
}
