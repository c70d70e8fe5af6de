//! What the rows of each table and each index look like: by that, and by the sums that runs wrote down of them, a page is
//! known that nothing leads to, or the wrong thing.
//!
//! **Must never**: take an index for a table.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::pages::Record;
use crate::archive::column::Column;
use crate::archive::kind::{JOINS, Join};
use crate::archive::row::{self, Owned};
use crate::archive::sums::{NOTES, OBJECTS, SUMS, Solver, Sums};
use crate::source::tables::quoted;

/// A table or an index.
pub struct Shape {
    pub name: String,
    pub is_index: bool,
    /// Its rows have row ids.
    pub has_rowids: bool,
    /// In the order in which they lie in a row.
    columns: Vec<Column>,
    /// How many of them every row has.
    least: usize,
    /// What sums up its rows, and where the columns are that it sums up; `None`: the row id.
    summing: Option<(Solver<'static>, Vec<Option<usize>>)>,
    /// The join of which this is the book, where a row of it has all that its hash is of.
    booking: Option<&'static Join>,
}

impl Shape {
    /// All of a database.
    pub fn all(connection: &Connection) -> rusqlite::Result<Vec<Shape>> {
        let mut tables = connection.prepare(
            "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?;
        let tables: Vec<(String, bool)> =
            tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        let mut all = Vec::new();
        for (table, without_rowids) in tables {
            let columns = Column::all(connection, &table)?;
            let mut indexes = connection.prepare("SELECT name, origin FROM pragma_index_list(?1)")?;
            let indexes: Vec<(String, String)> = indexes
                .query_map([&table], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (index, origin) in indexes {
                let is_table = without_rowids && origin == "pk";
                let mut order =
                    connection.prepare("SELECT name FROM pragma_index_xinfo(?1) ORDER BY seqno")?;
                let order: Vec<Option<String>> =
                    order.query_map([&index], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
                let name = if is_table { &table } else { &index };
                all.push(Shape::new(
                    name,
                    !is_table,
                    false,
                    order.iter().map(|name| in_index(&columns, name.as_deref())).collect(),
                ));
            }
            if !without_rowids {
                all.push(Shape::new(&table, false, true, columns));
            }
        }
        Ok(all)
    }

    fn new(name: &str, is_index: bool, has_rowids: bool, columns: Vec<Column>) -> Shape {
        let least = columns.iter().rposition(|column| column.is_in_every_row).map_or(1, |last| last + 1);
        let notes = NOTES.iter().find(|notes| !is_index && notes.table == name);
        let place = |of: &&str| {
            let is_it = |column: &Column| column.name.eq_ignore_ascii_case(of) && !column.is_row_id();
            columns.iter().position(is_it)
        };
        let summing = notes.map(|notes| (notes.solver(), notes.columns().iter().map(place).collect()));
        let is_of_all = |join: &&Join| join.columns.split(',').count() == join.identity().len();
        let booking = JOINS.iter().find(|join| !is_index && join.book() == name).filter(is_of_all);
        Shape { name: name.to_owned(), is_index, has_rowids, columns, least, summing, booking }
    }

    /// Whether a row may be one of these.
    pub fn fits(&self, record: &Record) -> bool {
        let Record { rowid, values } = record;
        if rowid.is_some() != self.has_rowids || !(self.least..=self.columns.len()).contains(&values.len()) {
            return false;
        }
        if self.name == SUMS && of_sums(record).is_none() {
            return false;
        }
        let (mut there, mut strange) = (0, 0);
        for (column, value) in self.columns.iter().zip(values) {
            // A table that another program made anew says it twice.
            let is_rowid = column.is_row_id() && rowid.is_some_and(|id| *value == Owned::Integer(id));
            match (is_rowid || column.has(value.value()), value) {
                (true, Owned::Null) => {}
                (true, _) => there += 1,
                (false, _) if column.is_sure => return false,
                (false, _) => strange += 1,
            }
        }
        // A source may have anything anywhere; but not everywhere.
        strange * 3 <= there
    }

    /// How many sums of these rows are what was written down, or how many of their own hashes. `None`: nothing is known by
    /// that.
    pub fn vouched(&self, records: &[Record], written: &BTreeMap<String, Sums>) -> Option<usize> {
        if let Some(join) = self.booking {
            return Some(
                records.iter().filter(|record| self.fits(record) && is_booked(join, record)).count(),
            );
        }
        let (solver, places) = self.summing.as_ref()?;
        let written = written.get(&self.name)?;
        let of_row = |record: &Record| -> Vec<Owned> {
            let rowid = || record.rowid.map_or(Owned::Null, Owned::Integer);
            let value = |at: usize| record.values.get(at).cloned().unwrap_or(Owned::Null);
            places.iter().map(|place| place.map_or_else(rowid, value)).collect()
        };
        let sums = solver.sums(records.iter().filter(|record| self.fits(record)).map(of_row));
        let right = sums.iter().filter(|(about, sum)| written.get(*about) == Some(sum)).count();
        // Of a sum of many rows the others may lie elsewhere.
        (right > 0 || !solver.is_of_many()).then_some(right)
    }

    /// How many columns it has that none of these rows has.
    pub fn more_than(&self, records: &[Record]) -> usize {
        let longest = records.iter().map(|record| record.values.len()).max().unwrap_or(0);
        self.columns.len().saturating_sub(longest)
    }

    /// The columns that a row of so many values has, without the row id: where they lie in it.
    pub fn columns(&self, values: usize) -> impl Iterator<Item = (usize, String)> {
        let there = self.columns.iter().enumerate().take(values);
        there.filter(|(_, column)| !column.is_row_id()).map(|(at, column)| (at, quoted(&column.name)))
    }
}

/// Whether a row of a join's book has the hash of what it says.
fn is_booked(join: &Join, Record { values, .. }: &Record) -> bool {
    let Some((Owned::Blob(hash), identity)) = values.split_last() else { return false };
    let mut columns: Vec<(&str, ValueRef<'_>)> =
        join.identity().into_iter().zip(identity.iter().map(Owned::value)).collect();
    columns.sort_unstable_by_key(|(name, _)| *name);
    // What has no NULL has nothing instead.
    let is_there = |(_, value): &(&str, ValueRef<'_>)| *value != ValueRef::Text(b"");
    row::hash(columns.into_iter().filter(is_there)) == hash[..]
}

/// A sum that a run wrote down, where a row is one: its table, what it is about, and itself.
pub fn of_sums(Record { rowid, values }: &Record) -> Option<(String, String, i64)> {
    let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    match &values[..] {
        [Owned::Text(table), Owned::Text(about), Owned::Integer(sum)] if rowid.is_none() => {
            let is_summed_up =
                table == OBJECTS.as_bytes() || NOTES.iter().any(|notes| notes.table.as_bytes() == table);
            is_summed_up.then(|| (text(table), text(about), *sum))
        }
        _ => None,
    }
}

/// The column of this name in an index; `None`: the row id.
fn in_index(columns: &[Column], name: Option<&str>) -> Column {
    let column = columns.iter().find(|column| name.is_some_and(|name| column.name == name));
    column.map_or_else(Column::row_id, Column::in_index)
}
