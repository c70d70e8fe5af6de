//! What the archive's database is made of, noted in a file beside it: its tables, and the page that each begins with. SQLite
//! keeps that in a few pages of its own; without one of them it could tell nothing of all the others.
//!
//! **Must never**: be believed where the database says it itself.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write as _};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};
use serde_json::{Value, json};

use super::ArchiveError;
use super::folder::{Folder, OBJECTS};
use super::records::hash;

/// What a database is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    page_size: u64,
    /// How many pages there are.
    pages: u64,
    all: Vec<Object>,
}

/// A row of `sqlite_master`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    kind: String,
    name: String,
    table: String,
    root: u64,
    /// `None`: an index that SQLite makes by itself.
    sql: Option<String>,
}

impl Objects {
    /// Those of a database.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of(connection: &Connection) -> rusqlite::Result<Objects> {
        let number = |pragma: &str| -> rusqlite::Result<u64> {
            let number: i64 = connection.query_row(pragma, [], |row| row.get(0))?;
            Ok(u64::try_from(number).unwrap_or(0))
        };
        let (page_size, pages) = (number("PRAGMA page_size")?, number("PRAGMA page_count")?);
        let mut statement = connection
            .prepare("SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_master ORDER BY rowid")?;
        let text = |value: ValueRef<'_>| match value {
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        let all = statement.query_map([], |row| {
            let root: Option<i64> = row.get(3)?;
            Ok(Object {
                kind: text(row.get_ref(0)?).unwrap_or_default(),
                name: text(row.get_ref(1)?).unwrap_or_default(),
                table: text(row.get_ref(2)?).unwrap_or_default(),
                root: root.and_then(|root| u64::try_from(root).ok()).unwrap_or(0),
                sql: text(row.get_ref(4)?),
            })
        })?;
        let all = all.collect::<rusqlite::Result<_>>()?;
        Ok(Objects { page_size, pages, all })
    }

    fn to_json(&self) -> Value {
        let all = self.all.iter().map(|Object { kind, name, table, root, sql }| {
            json!({ "type": kind, "name": name, "table": table, "root": root, "sql": sql })
        });
        json!({ "page_size": self.page_size, "pages": self.pages, "objects": all.collect::<Vec<_>>() })
    }

    fn of_json(value: &Value) -> Option<Objects> {
        let one = |object: &Value| {
            let text = |name: &str| Some(object.get(name)?.as_str()?.to_owned());
            Some(Object {
                kind: text("type")?,
                name: text("name")?,
                table: text("table")?,
                root: object.get("root")?.as_u64()?,
                sql: text("sql"),
            })
        };
        let page_size = value.get("page_size")?.as_u64()?;
        let is_one = page_size.is_power_of_two() && (512..=65536).contains(&page_size);
        let all = value.get("objects")?.as_array()?.iter().map(one).collect::<Option<_>>()?;
        is_one.then_some(Objects { page_size, pages: value.get("pages")?.as_u64()?, all })
    }

    /// Whether a database has all of these tables.
    pub fn are_in(&self, tables: &[(String, String)]) -> bool {
        let mut own = self.all.iter().filter(|object| object.kind == "table");
        own.all(|object| {
            object.name.starts_with("sqlite_") || tables.iter().any(|(name, _)| *name == object.name)
        })
    }

    /// Makes a damaged database be made of these again: in place of its first page.
    ///
    /// # Errors
    /// The disk's; or what SQLite says of what is left.
    pub fn graft(&self, database: &Path) -> Result<(), ArchiveError> {
        let writing = || ArchiveError::writing(database);
        let mut file = File::options().write(true).open(database).map_err(writing())?;
        let length = file.metadata().map_err(writing())?.len();
        // What is put in comes after all that there was: pages that are missing are still spoken of, and are empty then.
        let pages = length.div_ceil(self.page_size).max(self.pages.min(MOST)) + SPARE;
        file.set_len(pages * self.page_size).map_err(writing())?;
        let begin = first_page(self.page_size, pages);
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&begin)).map_err(writing())?;
        drop(file);
        let put = || -> rusqlite::Result<()> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(database, flags)?;
            connection.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA writable_schema = ON; BEGIN",
            )?;
            for Object { kind, name, table, root, sql } in &self.all {
                connection.execute(
                    "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![kind, name, table, i64::try_from(*root).unwrap_or(0), sql],
                )?;
            }
            connection.execute_batch("COMMIT")
        };
        put().map_err(ArchiveError::database(database))
    }
}

/// So many pages there are not in any archive, and this many a run may add that is ended before it notes it.
const MOST: u64 = 1 << 31;
const SPARE: u64 = 1024;

/// The first page of a database in which nothing is (SQLite's file format, 1.3 and 1.6).
fn first_page(page_size: u64, pages: u64) -> Vec<u8> {
    let mut page = vec![0; page_size as usize];
    let size = if page_size == 65536 { 1 } else { page_size as u16 };
    let content = if page_size == 65536 { 0 } else { page_size as u16 };
    let four = |number: u64| u32::try_from(number).unwrap_or(0).to_be_bytes();
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"SQLite format 3\0");
    put(16, &size.to_be_bytes());
    // Read and written with a rollback journal; the shares of a page that are always these.
    put(18, &[1, 1, 0, 64, 32, 32]);
    put(24, &four(1));
    put(28, &four(pages));
    put(40, &four(1));
    put(44, &four(4));
    // UTF-8.
    put(56, &four(1));
    put(92, &four(1));
    put(96, &four(3_045_000));
    // A leaf of a table, without a row.
    put(100, &[13]);
    put(105, &content.to_be_bytes());
    page
}

/// Notes down what the database is made of, where that is not noted yet.
///
/// # Errors
/// [`ArchiveError`].
pub fn note(folder: &Folder, connection: &Connection) -> Result<(), ArchiveError> {
    let objects = Objects::of(connection).map_err(ArchiveError::database(folder.database()))?;
    if noted(folder)? == Noted::As(objects.clone()) {
        return Ok(());
    }
    let objects = objects.to_json();
    let text = format!("{:#}\n", json!({ "sha256": hash(objects.to_string()), "of": objects }));
    Ok(crate::disk::replace(&folder.path().join(OBJECTS), text.as_bytes())?)
}

/// What is noted down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    As(Objects),
    /// By none of the runs so far.
    Never,
    Damaged,
}

/// Reads what is noted down.
///
/// # Errors
/// [`ArchiveError::Read`].
pub fn noted(folder: &Folder) -> Result<Noted, ArchiveError> {
    let path = folder.path().join(OBJECTS);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Noted::Never),
        text => text.map_err(ArchiveError::reading(path))?,
    };
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    let is_whole = |of: &&Value| value.get("sha256").and_then(Value::as_str) == Some(&hash(of.to_string()));
    let objects = value.get("of").filter(is_whole).and_then(Objects::of_json);
    Ok(objects.map_or(Noted::Damaged, Noted::As))
}
