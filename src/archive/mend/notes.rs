//! Notes that are not what runs wrote. Of one in which a single number is another, or that somebody put there, the sum tells
//! what it was, and so it is put right; others a source may tell again. What neither tells is lost, and said.
//!
//! **Must never**: let a note go on as one that a run wrote, where neither its sum nor a source says so.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::Mending;
use crate::archive::damage::FoundDamaged;
use crate::archive::deletions::STATES;
use crate::archive::identifiers::LOOKED_UP;
use crate::archive::kind::Kind;
use crate::archive::lost_thing::{LostOf, LostThing};
use crate::archive::named::{NAMED, lost_of, name, title};
use crate::archive::noted::{kind_of, what_is_noted};
use crate::archive::participants::MEMBERS;
use crate::archive::prepared::Prepared;
use crate::archive::record;
use crate::archive::row::{Owned, owned, text_at};
use crate::archive::schema::{has_table, has_versions, version_table};
use crate::archive::sums::{
    self, FILES, INHERITED, NOTES, Notes, PLACED, SIGHTINGS, SOURCES, Solver, Totals, WrongSum,
};

/// What a source that is at hand says anew as a whole: another note than lay there is that source's.
const BROUGHT: [&str; 4] = ["_SqliteDatabaseProperties", "attachment", PLACED, FILES];

/// What the records of the runs tell, and how far another archive was asked: it is asked again.
const TOLD_ELSEWHERE: [&str; 2] = [SOURCES, INHERITED];

/// Numbers of runs, sources and rows are smaller. That any other one comes out by chance is one in billions.
const NUMBERS: std::ops::Range<i64> = 0..1 << 24;

/// A note of which its sum does not say that a run wrote it, before the sources are asked.
pub struct Doubtful {
    notes: &'static Notes,
    /// `None`: whichever of the table.
    about: Option<String>,
    /// What it added up to then.
    was: i64,
    /// The sum itself is what the last record closes over.
    is_summed_up: bool,
}

/// A row as it lies there.
struct Noted {
    /// Where it has one.
    rowid: Option<i64>,
    values: Vec<Owned>,
}

/// What the last record says of a table.
#[derive(PartialEq, Eq)]
enum Closed {
    /// It closes over the sums: they tell what there was.
    Sums,
    /// It closes over the rows: the sums are damaged.
    Rows,
    Neither,
}

impl Mending<'_> {
    /// Puts right what sums tell, and says what is left to be put right.
    pub(super) fn by_sums(&self) -> rusqlite::Result<FoundDamaged> {
        let mut left = self.found.clone();
        for notes in self.told_of()? {
            match self.closed(notes)? {
                Closed::Sums => {
                    self.table_by_sums(notes)?;
                    let there = notes.there(self.connection)?;
                    let mut right = BTreeSet::new();
                    for about in self.found.sums_of(notes.table) {
                        let is = there.get(about).copied().unwrap_or_default();
                        if is == sums::read(self.connection, notes.table, about)? {
                            right.insert(about);
                        }
                    }
                    left.sums.retain(|WrongSum { table, about }| {
                        table != notes.table || about.as_deref().is_none_or(|about| !right.contains(about))
                    });
                }
                Closed::Rows => left.sums.retain(|wrong| wrong.table != notes.table),
                Closed::Neither => {}
            }
        }
        Ok(left)
    }

    /// What is to be asked of the sources; `self.found`: what was left to be put right.
    pub(super) fn doubtful(&self) -> rusqlite::Result<Vec<Doubtful>> {
        let mut doubtful = Vec::new();
        for notes in self.told_of()?.into_iter().filter(|notes| !TOLD_ELSEWHERE.contains(&notes.table)) {
            let is_summed_up = self.closed(notes)? == Closed::Sums;
            let there = notes.there(self.connection)?;
            for WrongSum { about, .. } in self.found.sums.iter().filter(|wrong| wrong.table == notes.table) {
                let was = about.as_ref().and_then(|about| there.get(about)).copied().unwrap_or_default();
                doubtful.push(Doubtful { notes, about: about.clone(), was, is_summed_up });
            }
        }
        Ok(doubtful)
    }

    /// Tells of what no source told again.
    pub(super) fn give_up_notes(
        &self,
        doubtful: &[Doubtful],
        visits: &[Prepared<'_>],
    ) -> rusqlite::Result<Vec<LostThing>> {
        self.place_again(doubtful, visits)?;
        // Of what a source gave again the sums tell since when it was there.
        for of_table in doubtful.chunk_by(|a, b| a.notes.table == b.notes.table) {
            if let Some(Doubtful { notes, is_summed_up: true, .. }) = of_table.first() {
                self.table_by_sums(notes)?;
            }
        }
        let mut lost = Vec::new();
        for of_table in doubtful.chunk_by(|a, b| a.notes.table == b.notes.table) {
            let Some(Doubtful { notes, .. }) = of_table.first() else { continue };
            let there = notes.there(self.connection)?;
            let mut others = 0;
            let first = lost.len();
            for Doubtful { about, was, is_summed_up, .. } in of_table {
                let is = about.as_ref().and_then(|about| there.get(about)).copied().unwrap_or_default();
                let is_right = match about {
                    Some(about) => *is_summed_up && is == sums::read(self.connection, notes.table, about)?,
                    None => false,
                };
                // Of a row that is gone that is said.
                let is_of_none = notes.table == Kind::Attachment.table() && about.is_some() && is == 0;
                let is_brought = BROUGHT.contains(&notes.table) && is != 0 && is != *was;
                match is_right || is_of_none || is_brought {
                    true => {}
                    false if lost.len() - first < NAMED => {
                        lost.push(self.lost_note(notes, about.as_deref())?);
                    }
                    false => others += 1,
                }
            }
            if others > 0 {
                let what = format!("{} ({others} more, in {})", what_is_noted(notes.table), notes.table);
                let of = LostOf { table: notes.table.into(), ..LostOf::default() };
                lost.push(LostThing { what, of: Some(of) });
            }
        }
        Ok(lost)
    }

    /// Tables of which sums are wrong.
    fn told_of(&self) -> rusqlite::Result<Vec<&'static Notes>> {
        let mut tables = Vec::new();
        for notes in NOTES.iter().filter(|notes| self.found.sums.iter().any(|of| of.table == notes.table)) {
            if has_table(self.connection, notes.table)? {
                tables.push(notes);
            }
        }
        Ok(tables)
    }

    fn closed(&self, notes: &Notes) -> rusqlite::Result<Closed> {
        // An earlier program's closes over none.
        let Some(last) = self.last_totals()? else { return Ok(Closed::Rows) };
        // It says nothing of what a sum speaks of: where it closes over both, that is what is damaged of one.
        if self.are_closed_over(notes, &last)? {
            return Ok(Closed::Rows);
        }
        let are_vouched_for = sums::are_vouched_for(self.connection, notes.table)?;
        Ok(if are_vouched_for { Closed::Sums } else { Closed::Neither })
    }

    /// Whether the last record closes over the rows of a table as they are: whatever is wrong is wrong with their sums.
    pub(super) fn are_rows_right(&self, notes: &Notes) -> rusqlite::Result<bool> {
        self.last_totals()?.map_or(Ok(false), |last| self.are_closed_over(notes, &last))
    }

    fn are_closed_over(&self, notes: &Notes, totals: &Totals) -> rusqlite::Result<bool> {
        Ok(sums::total(&notes.there(self.connection)?) == totals.of(notes.table))
    }

    fn last_totals(&self) -> rusqlite::Result<Option<Totals>> {
        Ok(record::latest(self.connection)?.and_then(|(_, text)| Totals::of_record(&text)))
    }

    fn table_by_sums(&self, notes: &Notes) -> rusqlite::Result<()> {
        let solver = notes.solver();
        let together = self.together(notes, &solver)?;
        let mut wanting: BTreeMap<&str, i64> = BTreeMap::new();
        for (about, rows) in &together {
            let there = rows.iter().fold(0i64, |sum, row| sum.wrapping_add(solver.weight(&row.values)));
            wanting.insert(about, sums::read(self.connection, notes.table, about)?.wrapping_sub(there));
        }
        for (about, rows) in &together {
            let wanted = wanting.get(about.as_str()).copied().unwrap_or_default();
            if wanted == 0 {
                continue;
            }
            let too_many = rows.iter().find(|row| solver.weight(&row.values) == wanted.wrapping_neg());
            if let Some(row) = too_many {
                // It speaks of something else, of which it is wanting; or nobody wrote it.
                let speaks_of = |(other, wanted): (&&str, &i64)| {
                    let values = notes.speaking_of(&row.values, other)?;
                    (solver.weight(&values) == *wanted).then_some(values)
                };
                match wanting.iter().find_map(speaks_of) {
                    Some(values) => self.change(notes, row, Some(&values))?,
                    None if is_of_a_row(notes.table) => {}
                    None => self.change(notes, row, None)?,
                }
            } else if let Some((row, values)) = rows.iter().find_map(|row| {
                let weight = wanted.wrapping_add(solver.weight(&row.values));
                Some((row, with_another_number(notes, &solver, &row.values, weight)?))
            }) {
                self.change(notes, row, Some(&values))?;
            }
        }
        Ok(())
    }

    /// The rows of a table whose sums are wrong, by what they speak of.
    fn together(&self, notes: &Notes, solver: &Solver<'_>) -> rusqlite::Result<BTreeMap<String, Vec<Noted>>> {
        let mut together: BTreeMap<String, Vec<Noted>> =
            self.found.sums_of(notes.table).map(|about| (about.to_owned(), Vec::new())).collect();
        let has_rowid: bool = self.connection.query_row(
            "SELECT NOT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
            [notes.table],
            |row| row.get(0),
        )?;
        let list = notes.columns().join(", ");
        let rowid = if has_rowid { "ROWID" } else { "NULL" };
        let mut statement =
            self.connection.prepare(&format!("SELECT {list}, {rowid} FROM {} NOT INDEXED", notes.table))?;
        let mut rows = statement.query([])?;
        let columns = notes.columns().len();
        while let Some(row) = rows.next()? {
            let values = owned(row, columns)?;
            if let Some(rows) = together.get_mut(&solver.about(&values)) {
                rows.push(Noted { rowid: row.get(columns)?, values });
            }
        }
        Ok(together)
    }

    /// Has other values in a row, or none: it is taken away.
    fn change(&self, notes: &Notes, row: &Noted, values: Option<&[Owned]>) -> rusqlite::Result<()> {
        let columns = notes.columns();
        let (clause, known) = match row.rowid {
            Some(rowid) => ("ROWID IS ?".to_owned(), vec![Owned::Integer(rowid)]),
            None => {
                let same: Vec<String> = columns.iter().map(|name| format!("{name} IS ?")).collect();
                (same.join(" AND "), row.values.clone())
            }
        };
        let sql = match values {
            Some(_) => {
                let set: Vec<String> = columns.iter().map(|name| format!("{name} = ?")).collect();
                format!("UPDATE OR IGNORE {} SET {} WHERE {clause}", notes.table, set.join(", "))
            }
            None => format!("DELETE FROM {} WHERE {clause}", notes.table),
        };
        let all = values.unwrap_or_default().iter().chain(&known);
        let all = params_from_iter(all.map(|value| ToSqlOutput::Borrowed(value.value())));
        self.connection.execute(&sql, all).map(drop)
    }

    /// A source that has the bytes that are noted tells where they come from; that was asked in this run, and is of it.
    fn place_again(&self, doubtful: &[Doubtful], visits: &[Prepared<'_>]) -> rusqlite::Result<()> {
        let doubtful: BTreeSet<i64> = doubtful
            .iter()
            .filter(|doubtful| doubtful.notes.table == PLACED)
            .filter_map(|doubtful| doubtful.about.as_ref()?.parse().ok())
            .collect();
        if doubtful.is_empty() {
            return Ok(());
        }
        let mut place = self.connection.prepare(&format!(
            "UPDATE {PLACED} SET original = ?1, film = ?2, source = ?3, run = ?4 \
             WHERE attachment = ?5 AND path = ?6 AND run <> ?4"
        ))?;
        let mut here = self.connection.prepare(&format!(
            "SELECT id FROM {SIGHTINGS} WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3"
        ))?;
        for visit in visits {
            for kept in visit.contents.kept.iter().filter(|kept| !kept.is_only_looked_at()) {
                let of = [Kind::Attachment.number(), visit.source, kept.rowid];
                let id: Option<i64> = here.query_row(of, |row| row.get(0)).optional()?;
                if let Some(id) = id.filter(|id| doubtful.contains(id)) {
                    place.execute(params![
                        kept.original,
                        kept.film,
                        visit.source,
                        self.run,
                        id,
                        kept.path
                    ])?;
                }
            }
        }
        Ok(())
    }

    fn lost_note(&self, notes: &Notes, about: Option<&str>) -> rusqlite::Result<LostThing> {
        let row = about.and_then(|about| about.parse().ok()).zip(kind_of(notes.table));
        let of = match row {
            Some((id, kind)) => lost_of(self.connection, notes.table, (kind, id), None)?,
            None => LostOf { table: notes.table.into(), ..LostOf::default() },
        };
        let path = about.filter(|_| notes.table == FILES).map(str::to_owned);
        Ok(LostThing { what: self.in_words(notes, about)?, of: Some(LostOf { path, ..of }) })
    }

    fn in_words(&self, notes: &Notes, about: Option<&str>) -> rusqlite::Result<String> {
        let connection = self.connection;
        let table = notes.table;
        let what = what_is_noted(table);
        let Some(about) = about else {
            return Ok(match what.strip_prefix("of ") {
                Some(what) => format!("something of {what} (in {table})"),
                None => format!("something of what was noted: {what} (in {table})"),
            });
        };
        let number =
            |at: usize| about.split(' ').nth(at).and_then(|number| number.parse().ok()).unwrap_or(0i64);
        let name = match (table, kind_of(table)) {
            (SIGHTINGS, _) => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.number() == number(0));
                let (first, many) = notes.numbers(about).unwrap_or_default();
                format!(
                    "rows {first} to {} of {} in {}",
                    first.saturating_add(many - 1),
                    kind.map_or("an unknown table", Kind::table),
                    path_of(connection, number(1))?
                )
            }
            (MEMBERS | LOOKED_UP, _) => {
                format!("{} in {}", title(connection, number(1))?, path_of(connection, number(0))?)
            }
            (_, Some(Kind::Chat)) => title(connection, number(0))?,
            ("msgarchive_lost", _) => match Kind::ALL.into_iter().find(|kind| kind.number() == number(0)) {
                Some(kind) => name(connection, kind, number(1))?,
                None => about.to_owned(),
            },
            (STATES, _) => path_of(connection, number(0))?,
            (_, Some(kind)) => name(connection, kind, number(0))?,
            _ => match notes.numbers(about) {
                Some((first, many)) if many > 1 => {
                    format!("rows {first} to {}", first.saturating_add(many - 1))
                }
                _ => about.to_owned(),
            },
        };
        Ok(format!("{what} ({name}, in {table})"))
    }
}

/// Rows of Apple's, as they are or were: none of them is taken away.
fn is_of_a_row(table: &str) -> bool {
    Kind::ALL.into_iter().any(|kind| {
        table == kind.table()
            || table == format!("msgarchive_{}", kind.table())
            || has_versions(kind) && table == version_table(kind)
    })
}

/// These values with a number in one column that makes them add so much; or with none.
fn with_another_number(
    notes: &Notes,
    solver: &Solver<'_>,
    values: &[Owned],
    weight: i64,
) -> Option<Vec<Owned>> {
    (notes.key()..values.len()).find_map(|at| {
        let mut other = values.to_vec();
        *other.get_mut(at)? = Owned::Null;
        if solver.weight(&other) == weight {
            return Some(other);
        }
        let number = solver.number(values, at, weight).filter(|number| NUMBERS.contains(number))?;
        *other.get_mut(at)? = Owned::Integer(number);
        Some(other)
    })
}

fn path_of(connection: &Connection, source: i64) -> rusqlite::Result<String> {
    let sql = format!("SELECT path FROM {SOURCES} WHERE source = ?1");
    let path = connection.query_row(&sql, [source], |row| text_at(row, 0)).optional()?;
    Ok(path.flatten().unwrap_or_else(|| format!("source {source}")))
}
