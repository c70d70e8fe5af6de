//! Puts rows into a table, one after the other.
//!
//! Most columns of Apple's rows say the same from row to row, mostly nothing: what is bound already is not bound again.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use crate::source::tables::quoted;

/// A statement that inserts rows with these columns.
pub struct Insert<'c> {
    statement: Statement<'c>,
    /// What is bound, by column.
    bound: Vec<Bound>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Null,
    Integer(i64),
    Other,
}

impl<'c> Insert<'c> {
    /// `columns`: without the row id.
    pub fn new(connection: &'c Connection, table: &str, columns: &[String]) -> rusqlite::Result<Insert<'c>> {
        let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let marks = vec!["?"; names.len() + 1].join(", ");
        let statement = connection
            .prepare(&format!("INSERT INTO {table} (ROWID, {}) VALUES ({marks})", names.join(", ")))?;
        Ok(Insert { statement, bound: vec![Bound::Null; names.len()] })
    }

    /// Inserts a row.
    pub fn put(&mut self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        self.statement.raw_bind_parameter(1, id)?;
        for (at, (value, bound)) in values.iter().zip(&mut self.bound).enumerate() {
            let new = match value {
                ValueRef::Null => Bound::Null,
                ValueRef::Integer(number) => Bound::Integer(*number),
                _ => Bound::Other,
            };
            if new == Bound::Other || new != *bound {
                self.statement.raw_bind_parameter(at + 2, ToSqlOutput::Borrowed(*value))?;
                *bound = new;
            }
        }
        self.statement.raw_execute().map(drop)
    }
}
