//! Whether what another archive noted down beside its rows is what its runs wrote: by the sums that its last record closes over.
//!
//! A table of notes is taken over as a whole, or, where any of it is not what was written, not at all until that archive is
//! mended.
//!
//! **Must never**: take for news that a note is gone there.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use rusqlite::types::ValueRef;

use super::Refused;
use crate::archive::ArchiveError;
use crate::archive::noted::{kind_of, what_is_noted};
use crate::archive::picked::each_of;
use crate::archive::places::number;
use crate::archive::row::Owned;
use crate::archive::sums::{NOTES, SUMS, Sums, Totals, total};
use crate::source::SourceKind;
use crate::source::tables::{Tables, text};

/// The notes of another archive.
pub struct AttestedNotes<'t> {
    tables: &'t Tables,
    /// What its last record closes over; `None` of an earlier program's.
    last: Option<Totals>,
    /// By table, what is not as it was written, by name.
    wrong: RefCell<HashMap<&'static str, Vec<String>>>,
}

impl<'t> AttestedNotes<'t> {
    /// # Errors
    /// What SQLite says of the source.
    pub fn of(tables: &'t Tables) -> Result<AttestedNotes<'t>, ArchiveError> {
        let mut last = None;
        let is_archive = tables.info().kind == SourceKind::Archive;
        let runs = tables.table("msgarchive_run").filter(|runs| runs.column("record").is_some());
        if let Some(runs) = runs.filter(|_| is_archive) {
            let mut record = None;
            tables.reader().rows(runs, &["record"], i64::MIN..=i64::MAX, |row| {
                record = text(row.value(0));
                Ok::<(), ArchiveError>(())
            })?;
            last = record.and_then(|record| Totals::of_record(&record));
        }
        Ok(AttestedNotes { tables, last, wrong: RefCell::default() })
    }

    /// Whether all that is noted in this table is what was written.
    ///
    /// # Errors
    /// What SQLite says of the source.
    pub fn are_written(&self, table: &'static str) -> Result<bool, ArchiveError> {
        if let Some(wrong) = self.wrong.borrow().get(table) {
            return Ok(wrong.is_empty());
        }
        let wrong = self.wrong(table)?;
        let are_written = wrong.is_empty();
        self.wrong.borrow_mut().insert(table, wrong);
        Ok(are_written)
    }

    /// As [`AttestedNotes::are_written`]; says what is not.
    ///
    /// # Errors
    /// What SQLite says of the source.
    pub fn vouch_for(&self, table: &'static str, refused: &mut Refused) -> Result<bool, ArchiveError> {
        let are_written = self.are_written(table)?;
        for name in self.wrong.borrow().get(table).into_iter().flatten() {
            refused.note(what_is_noted(table), name);
        }
        Ok(are_written)
    }

    fn wrong(&self, name: &'static str) -> Result<Vec<String>, ArchiveError> {
        let (Some(last), Some(notes)) = (&self.last, NOTES.iter().find(|notes| notes.table == name)) else {
            return Ok(Vec::new());
        };
        let mut rows = Vec::new();
        if let Some(table) = self.tables.table(name) {
            if notes.columns().iter().any(|column| table.column(column).is_none()) {
                return Ok(Vec::new());
            }
            self.tables.reader().all(table, notes.columns(), |row| {
                let values = 0..notes.columns().len();
                rows.push(values.map(|at| Owned::of(row.value(at))).collect::<Vec<Owned>>());
                Ok::<(), ArchiveError>(())
            })?;
        }
        let there = notes.solver().sums(rows.into_iter());
        if total(&there) == last.of(name) {
            return Ok(Vec::new());
        }
        let written = self.written(name)?;
        let abouts = there.keys().chain(written.keys().filter(|about| !there.contains_key(*about)));
        let differing: Vec<&String> =
            abouts.filter(|about| there.get(*about) != written.get(*about)).collect();
        if differing.is_empty() {
            // The sums are not what was written either.
            return Ok(vec![format!("in {name}")]);
        }
        differing.into_iter().map(|about| self.name(name, about)).collect()
    }

    fn written(&self, name: &str) -> Result<Sums, ArchiveError> {
        let mut written = BTreeMap::new();
        let Some(table) = self.tables.table(SUMS) else { return Ok(written) };
        self.tables.reader().all(table, &["tbl", "about", "sum"], |row| {
            if row.value(0) == ValueRef::Text(name.as_bytes()) {
                written.insert(text(row.value(1)).unwrap_or_default(), number(row.value(2)));
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(written)
    }

    /// What people know it by that rows of a table speak of.
    fn name(&self, table: &str, about: &str) -> Result<String, ArchiveError> {
        let mut name = None;
        if let (Some(kind), Ok(id)) = (kind_of(table), about.parse())
            && let Some(rows) = self.tables.table(kind.table())
        {
            each_of(self.tables, rows, &kind.key()[..1], &[id], |row| {
                name = text(row.value(0));
                Ok(())
            })?;
        }
        Ok(name.unwrap_or_else(|| about.to_owned()))
    }
}
