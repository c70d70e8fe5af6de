//! Address books that are SQLite databases.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::ContactsError;

/// How often a copy is tried while Contacts writes to the book.
const ATTEMPTS: u32 = 5;

/// A book, opened without touching its files.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    /// The private copy; removed with this.
    _copy: Option<TempDir>,
}

impl Database {
    /// Opens the file in place where it has no write-ahead log, else a copy of both: the log may hold everything.
    pub fn open(path: &Path) -> Result<Database, ContactsError> {
        let io = |source| ContactsError::Io { path: path.to_owned(), source };
        let failed = |source| ContactsError::Database { path: path.to_owned(), source };
        let has_log = fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0);
        let (connection, copy) = match uri(path).filter(|_| !has_log) {
            Some(uri) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                (Connection::open_with_flags(uri, flags).map_err(failed)?, None)
            }
            None => {
                let folder = copy(path).map_err(io)?;
                // Writable, for SQLite has to read the log into an index of its own.
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
                let connection = Connection::open_with_flags(folder.path().join(COPY), flags);
                (connection.map_err(failed)?, Some(folder))
            }
        };
        connection.pragma_update(None, "trusted_schema", false).map_err(failed)?;
        Ok(Database { connection, _copy: copy })
    }

    /// True when there is such a table (a view could be anything).
    pub fn has(&self, table: &str) -> rusqlite::Result<bool> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
        self.connection.query_row(sql, [table], |row| Ok(row.get::<_, i64>(0)? > 0))
    }

    /// The columns of a table, in lower case.
    pub fn columns(&self, table: &str) -> rusqlite::Result<HashSet<String>> {
        let mut statement = self.connection.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
        statement.query_map([table], |row| row.get(0))?.collect()
    }

    /// Every row of a table; columns that it lacks are empty. Nothing when there is no such table.
    pub fn rows<const N: usize>(
        &self,
        table: &str,
        columns: [&str; N],
        mut each: impl FnMut(&Cells<N>),
    ) -> rusqlite::Result<()> {
        if !self.has(table)? {
            return Ok(());
        }
        let known = self.columns(table)?;
        let list = columns.map(|column| match column {
            "rowid" => column.to_owned(),
            _ if known.contains(&column.to_lowercase()) => format!("\"{}\"", column.replace('"', "\"\"")),
            _ => "NULL".to_owned(),
        });
        let mut statement = self.connection.prepare(&format!("SELECT {} FROM {table}", list.join(", ")))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut cells = Cells([const { None }; N]);
            for (i, cell) in cells.0.iter_mut().enumerate() {
                *cell = text(row.get_ref(i)?);
            }
            each(&cells);
        }
        Ok(())
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

const COPY: &str = "book.db";

/// A copy of the book and its log, of one moment, in a folder that only this user can read.
fn copy(path: &Path) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("msgarchive-").tempdir()?;
    let to = folder.path().join(COPY);
    for attempt in 1.. {
        let before = stamps(path);
        copy_file(path, &to)?;
        match copy_file(&log_of(path), &log_of(&to)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::remove_file(log_of(&to))
                    .or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?
            }
            result => result?,
        }
        if stamps(path) == before || attempt == ATTEMPTS {
            break;
        }
    }
    Ok(folder)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::copy(&mut source, &mut options.open(to)?).map(|_| ())
}

/// What changes when somebody writes.
fn stamps(path: &Path) -> [Option<(u64, Option<SystemTime>)>; 2] {
    [path.to_owned(), log_of(path)].map(|path| fs::metadata(path).ok().map(|m| (m.len(), m.modified().ok())))
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// As SQLite wants it, for a file that does not change; `None` for paths that are not Unicode.
fn uri(path: &Path) -> Option<String> {
    let mut uri = String::from("file:");
    let path = path.to_str()?;
    let path = if cfg!(windows) { format!("/{}", path.replace('\\', "/")) } else { path.to_owned() };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                uri.push(byte.into())
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    Some(uri)
}
