//! Address books that are SQLite databases.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::source::SourceError;
use crate::source::database::{Guard, Log, connection_to, connection_to_hidden};

/// A book, opened without touching its files.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
    guard: Guard,
}

impl Database {
    /// Opens one moment of a book, its write-ahead log included: that may hold everything.
    pub fn open(path: &Path) -> Result<Database, SourceError> {
        match connection_to(path)? {
            (Some(connection), guard) => Ok(Database { path: path.to_owned(), connection, guard }),
            (None, _) => Err(SourceError::NoDatabase { path: path.to_owned() }),
        }
    }

    /// Opens a book that lies at `path`, perhaps encrypted, and whose bytes `plain` gives, with what its log has.
    pub fn hidden(path: &Path, plain: &mut dyn Read, log: Option<Log<'_>>) -> Result<Database, SourceError> {
        match connection_to_hidden(path, plain, log)? {
            (Some(connection), guard) => Ok(Database { path: path.to_owned(), connection, guard }),
            (None, _) => Err(SourceError::NoDatabase { path: path.to_owned() }),
        }
    }

    /// [`SourceError::Changed`] when somebody wrote to a book that was taken for still.
    pub fn unchanged(&self) -> Result<(), SourceError> {
        self.guard.unchanged()
    }

    /// True when there is such a table (a view could be anything).
    pub fn has(&self, table: &str) -> Result<bool, SourceError> {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
        let count = self.connection.query_row(sql, [table], |row| row.get::<_, i64>(0));
        count.map(|count| count > 0).map_err(SourceError::database(&self.path))
    }

    /// The columns of a table, in lower case.
    pub fn columns(&self, table: &str) -> Result<HashSet<String>, SourceError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
            statement.query_map([table], |row| row.get(0))?.collect()
        };
        read().map_err(SourceError::database(&self.path))
    }

    /// Every row of a table; columns that it lacks are empty. Nothing when there is no such table.
    pub fn rows<const N: usize>(
        &self,
        table: &str,
        columns: [&str; N],
        mut each: impl FnMut(&Cells<N>),
    ) -> Result<(), SourceError> {
        if !self.has(table)? {
            return Ok(());
        }
        let known = self.columns(table)?;
        let list = columns.map(|column| match column {
            "rowid" => column.to_owned(),
            _ if known.contains(&column.to_lowercase()) => format!("\"{}\"", column.replace('"', "\"\"")),
            _ => "NULL".to_owned(),
        });
        let mut read = || -> rusqlite::Result<()> {
            let sql = format!("SELECT {} FROM {table}", list.join(", "));
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut cells = Cells([const { None }; N]);
                for (i, cell) in cells.0.iter_mut().enumerate() {
                    *cell = text(row.get_ref(i)?);
                }
                each(&cells);
            }
            Ok(())
        };
        read().map_err(SourceError::database(&self.path))
    }
}

/// A row, as text whatever types the cells have; empty text is `None`.
pub(super) struct Cells<const N: usize>([Option<String>; N]);

impl<const N: usize> Cells<N> {
    pub fn text(&self, i: usize) -> Option<&str> {
        self.0.get(i)?.as_deref()
    }

    pub fn owned(&self, i: usize) -> Option<String> {
        self.text(i).map(str::to_owned)
    }

    pub fn number(&self, i: usize) -> Option<i64> {
        self.text(i)?.parse().ok()
    }
}

fn text(value: ValueRef) -> Option<String> {
    let text = match value {
        ValueRef::Null => return None,
        ValueRef::Integer(n) => n.to_string(),
        // Whole numbers without ".0".
        ValueRef::Real(x) => x.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).trim().to_owned(),
    };
    (!text.is_empty()).then_some(text)
}
