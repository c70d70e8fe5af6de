//! What a column of the archive's database has: by its declared type, by whether rows are known or joined by it, and by who
//! writes it. By that it is seen that rows lie where they cannot be, as where a page is another table's: SQLite lets it be.
//!
//! **Must never**: be sure of what a source says.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::affinity::Affinity;
use super::kind::{JOINS, Kind};
use super::schema::{has_versions, is_ours, version_table};

/// A column of a table, or of an index.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    sort: Sort,
    /// It never has anything else.
    pub is_sure: bool,
    /// Every row has it; it was never added to rows that were there.
    pub is_in_every_row: bool,
    is_never_null: bool,
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
    /// An address: a text, or whatever a source has instead.
    Address,
    Blob,
    Any,
}

impl Column {
    /// Those of a table, in their order.
    pub fn all(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
        let mut columns = connection.prepare_cached(
            "SELECT name, type, \"notnull\" OR (pk > 0 AND wr), dflt_value IS NULL, pk > 0 AND NOT wr \
             FROM pragma_table_info(?1), (SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1) ORDER BY cid",
        )?;
        let columns = columns.query_map([table], |row| {
            let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
            let is_rowid = row.get::<_, bool>(4)? && declared.eq_ignore_ascii_case("INTEGER");
            let key = Sort::of_key(table, &name);
            let is_our_own = is_ours(table) && !is_version(table);
            let sort = match (key, Sort::of(Affinity::of(&declared))) {
                _ if is_rowid => Sort::Rowid,
                (Some(key), _) => key,
                (None, Sort::Text) if is_our_own => Sort::Utf8,
                (None, sort) => sort,
            };
            let is_in_every_row = key.is_some() || row.get::<_, bool>(2)? && row.get::<_, bool>(3)?;
            Ok(Column {
                sort,
                is_sure: key.is_some() || is_rowid || is_ours(&name) || is_our_own,
                is_in_every_row,
                is_never_null: is_in_every_row && sort != Sort::Address,
                name,
            })
        })?;
        columns.collect()
    }

    /// This one in an index.
    pub fn in_index(&self) -> Column {
        match self.sort {
            Sort::Rowid => Column { name: self.name.clone(), ..Column::row_id() },
            _ => self.clone(),
        }
    }

    /// The row id in an index.
    pub fn row_id() -> Column {
        let (name, sort) = (String::new(), Sort::Integer);
        Column { name, sort, is_sure: true, is_in_every_row: true, is_never_null: true }
    }

    /// The row id stands for it.
    pub fn is_row_id(&self) -> bool {
        self.sort == Sort::Rowid
    }

    /// Whether this may be in it, as it lies in a row.
    pub fn has(&self, value: ValueRef<'_>) -> bool {
        match (self.sort, value) {
            (Sort::Utf8, ValueRef::Text(text)) => std::str::from_utf8(text).is_ok(),
            (Sort::Rowid, ValueRef::Null) => true,
            (Sort::Rowid, _) => false,
            (_, ValueRef::Null) => !self.is_never_null,
            (Sort::Any, _)
            | (Sort::Integer, ValueRef::Integer(_))
            | (Sort::Text, ValueRef::Text(_))
            | (Sort::Address, ValueRef::Text(_) | ValueRef::Blob(_))
            | (Sort::Real, ValueRef::Real(_) | ValueRef::Integer(_))
            | (Sort::Blob, ValueRef::Blob(_)) => true,
            _ => false,
        }
    }
}

impl Sort {
    /// Of a column by which every row of a table is known, or which it joins.
    fn of_key(table: &str, column: &str) -> Option<Sort> {
        if joined(table).iter().any(|(end, _)| *end == column) {
            return Some(Sort::Integer);
        }
        let of_kind = |kind: &Kind| {
            kind.key().first() == Some(&column)
                && (kind.table() == table || is_version(table) && version_table(*kind) == table)
        };
        let kind = Kind::ALL.into_iter().find(of_kind)?;
        // What has no GUID is given one.
        Some(if kind == Kind::Handle { Sort::Address } else { Sort::Text })
    }

    /// What is mostly in a column that is declared so.
    fn of(affinity: Affinity) -> Sort {
        match affinity {
            Affinity::Integer => Sort::Integer,
            Affinity::Text => Sort::Text,
            Affinity::Blob => Sort::Blob,
            Affinity::Real => Sort::Real,
            Affinity::Numeric | Affinity::Anything => Sort::Any,
        }
    }
}

/// Whether former states of rows are in a table.
fn is_version(table: &str) -> bool {
    Kind::ALL.into_iter().any(|kind| has_versions(kind) && version_table(kind) == table)
}

/// The columns by which a table joins rows, if it does.
fn joined(table: &str) -> &'static [(&'static str, Kind)] {
    JOINS.iter().find(|join| join.table == table || join.book() == table).map_or(&[], |join| join.ends)
}
