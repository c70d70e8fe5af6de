//! What the rows of each table and each index look like: by that, and by the sums that runs wrote down of them, a page is
//! known that nothing leads to, or the wrong thing.
//!
//! **Must never**: take an index for a table.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::pages::Record;
use crate::archive::kind::{JOINS, Join, Kind};
use crate::archive::row::{self, Owned};
use crate::archive::schema::{has_versions, is_ours, version_table};
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

/// A column of it.
struct Column {
    name: String,
    sort: Sort,
    /// It is never of another sort.
    is_sure: bool,
    /// It is never NULL.
    always: bool,
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Nothing: the row id is that.
    Rowid,
    Integer,
    Real,
    /// Of a source: any bytes.
    Text,
    /// That this program wrote.
    Utf8,
    Blob,
    Any,
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
            let columns = Column::of(connection, &table)?;
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
                    order.iter().map(|name| Column::named(&columns, name.as_deref())).collect(),
                ));
            }
            if !without_rowids {
                all.push(Shape::new(&table, false, true, columns));
            }
        }
        Ok(all)
    }

    fn new(name: &str, is_index: bool, has_rowids: bool, columns: Vec<Column>) -> Shape {
        let least = columns.iter().rposition(|column| column.always).map_or(1, |last| last + 1);
        let notes = NOTES.iter().find(|notes| !is_index && notes.table == name);
        let place = |of: &&str| {
            let is_it = |column: &Column| column.name.eq_ignore_ascii_case(of) && column.sort != Sort::Rowid;
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
            let is_rowid = column.sort == Sort::Rowid && rowid.is_some_and(|id| *value == Owned::Integer(id));
            match (is_rowid || column.has(value), value) {
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
        there.filter(|(_, column)| column.sort != Sort::Rowid).map(|(at, column)| (at, quoted(&column.name)))
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

/// Whether every row of a table has something in this column by which it is known, or which it joins.
fn is_key(table: &str, column: &str) -> bool {
    let of_kind = |kind: &Kind| {
        kind.key().first() == Some(&column)
            && (kind.table() == table || is_version(table) && version_table(*kind) == table)
    };
    Kind::ALL.iter().any(of_kind) || joined(table).iter().any(|(end, _)| *end == column)
}

/// Whether former states of rows are in a table.
fn is_version(table: &str) -> bool {
    Kind::ALL.into_iter().any(|kind| has_versions(kind) && version_table(kind) == table)
}

/// The columns by which a table joins rows, if it does.
fn joined(table: &str) -> &'static [(&'static str, Kind)] {
    JOINS.iter().find(|join| join.table == table || join.book() == table).map_or(&[], |join| join.ends)
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

impl Column {
    fn of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
        let mut columns = connection.prepare(
            "SELECT name, upper(type), \"notnull\" OR (pk > 0 AND wr), dflt_value IS NULL, pk > 0 AND NOT wr \
             FROM pragma_table_info(?1), (SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1) ORDER BY cid",
        )?;
        let columns = columns.query_map([table], |row| {
            let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
            let is_rowid = row.get::<_, bool>(4)? && declared == "INTEGER";
            let is_key = is_key(table, &name);
            let is_our_own = is_ours(table) && !is_version(table);
            let sort = match Sort::declared(&declared) {
                _ if is_rowid => Sort::Rowid,
                _ if is_key => Sort::of_key(table),
                Sort::Text if is_our_own => Sort::Utf8,
                sort => sort,
            };
            Ok(Column {
                sort,
                is_sure: is_key || is_rowid || is_ours(&name) || is_our_own,
                always: is_key || row.get::<_, bool>(2)? && row.get::<_, bool>(3)?,
                name,
            })
        })?;
        columns.collect()
    }

    /// The one of an index; `None`: the row id.
    fn named(columns: &[Column], name: Option<&str>) -> Column {
        match columns.iter().find(|column| name.is_some_and(|name| column.name == name)) {
            Some(Column { name, sort: Sort::Rowid, .. }) => {
                Column { name: name.clone(), sort: Sort::Integer, is_sure: true, always: true }
            }
            Some(Column { name, sort, is_sure, always }) => {
                Column { name: name.clone(), sort: *sort, is_sure: *is_sure, always: *always }
            }
            None => Column { name: String::new(), sort: Sort::Integer, is_sure: true, always: true },
        }
    }

    fn has(&self, value: &Owned) -> bool {
        match (self.sort, value) {
            (Sort::Utf8, Owned::Text(text)) => std::str::from_utf8(text).is_ok(),
            (Sort::Rowid, Owned::Null) => true,
            (Sort::Rowid, _) => false,
            (_, Owned::Null) => !self.always,
            (Sort::Any, _)
            | (Sort::Integer, Owned::Integer(_))
            | (Sort::Text, Owned::Text(_))
            | (Sort::Real, Owned::Real(_) | Owned::Integer(_))
            | (Sort::Blob, Owned::Blob(_)) => true,
            _ => false,
        }
    }
}

impl Sort {
    fn of_key(table: &str) -> Sort {
        if joined(table).is_empty() { Sort::Text } else { Sort::Integer }
    }

    fn declared(declared: &str) -> Sort {
        let is = |part: &str| declared.contains(part);
        match () {
            () if is("INT") => Sort::Integer,
            () if is("CHAR") || is("TEXT") => Sort::Text,
            () if is("BLOB") => Sort::Blob,
            () if is("REAL") || is("FLOA") || is("DOUB") => Sort::Real,
            () => Sort::Any,
        }
    }
}
