//! What the archive's database is made of, noted in a file beside it: its tables, and the page that each begins with. SQLite
//! keeps that in a few pages of its own; without one of them it could tell nothing of all the others.
//!
//! **Must never**: be asked while the database is whole.

use std::collections::HashSet;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::ArchiveError;
use super::folder::{Folder, OBJECTS};
use super::own_file::{self, Own};
use super::records::hash;
use super::row::{Owned, owned};

/// What a database is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    pub page_size: u64,
    pub all: Vec<Object>,
}

/// A row of `sqlite_master`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// `table`, `index`, `view`.
    pub kind: String,
    pub name: String,
    pub table: String,
    /// The page that it begins with.
    pub root: u64,
    /// `None`: an index that SQLite makes by itself.
    pub sql: Option<String>,
}

impl Object {
    /// That of a row's values.
    pub fn of(values: &[Owned]) -> Object {
        let text = |at: usize| match values.get(at) {
            Some(Owned::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        let root = match values.get(3) {
            Some(Owned::Integer(root)) => u64::try_from(*root).unwrap_or(0),
            _ => 0,
        };
        let [kind, name, table] = [0, 1, 2].map(|at| text(at).unwrap_or_default());
        Object { kind, name, table, root, sql: text(4) }
    }

    /// Whether it is a table that has all the columns of another one, and more.
    pub fn has_more_columns(&self, than: &Object) -> bool {
        let columns = |object: &Object| -> rusqlite::Result<HashSet<String>> {
            let alone = Connection::open_in_memory()?;
            alone.execute(object.sql.as_deref().unwrap_or_default(), [])?;
            let mut names = alone.prepare("SELECT name FROM pragma_table_info(?1)")?;
            names.query_map([&object.name], |row| row.get(0))?.collect()
        };
        let both = columns(self).ok().zip(columns(than).ok());
        self.sql != than.sql
            && both.is_some_and(|(own, other)| own.len() > other.len() && own.is_superset(&other))
    }
}

impl Objects {
    /// Those of a database.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of(connection: &Connection) -> rusqlite::Result<Objects> {
        let page_size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let mut statement = connection
            .prepare("SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_master ORDER BY rowid")?;
        let all = statement.query_map([], |row| Ok(Object::of(&owned(row, 5)?)))?;
        let all = all.collect::<rusqlite::Result<_>>()?;
        Ok(Objects { page_size: u64::try_from(page_size).unwrap_or(0), all })
    }

    fn to_json(&self) -> Value {
        let all = self.all.iter().map(|Object { kind, name, table, root, sql }| {
            json!({ "type": kind, "name": name, "table": table, "root": root, "sql": sql })
        });
        json!({ "page_size": self.page_size, "objects": all.collect::<Vec<_>>() })
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
        is_one.then_some(Objects { page_size, all })
    }
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
    own_file::write(folder.path(), &folder.path().join(OBJECTS), text.as_bytes())
}

/// What is noted down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    As(Objects),
    /// By none of the runs so far.
    Never,
    Damaged,
}

impl Noted {
    /// Whether a database is made of all that is noted, as far as anything is: a run that did not come to note it may have
    /// added to it, and what is no table can be made anew.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn are_in(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let Noted::As(objects) = self else { return Ok(true) };
        let own = Objects::of(connection)?.all;
        let mut tables = objects.all.iter().filter(|noted| noted.kind == "table");
        Ok(tables.all(|noted| {
            let is_it = |object: &&Object| object.kind == noted.kind && object.name == noted.name;
            own.iter().find(is_it).is_some_and(|own| own.sql == noted.sql || own.has_more_columns(noted))
        }))
    }
}

/// Reads what is noted down.
///
/// # Errors
/// [`ArchiveError::Read`].
pub fn noted(folder: &Folder) -> Result<Noted, ArchiveError> {
    let path = folder.path().join(OBJECTS);
    let text = match Own::read(&path).map_err(ArchiveError::reading(path))? {
        Own::File(text) => text,
        Own::Other => return Ok(Noted::Damaged),
        Own::Gone => return Ok(Noted::Never),
    };
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    let is_whole = |of: &&Value| value.get("sha256").and_then(Value::as_str) == Some(&hash(of.to_string()));
    let objects = value.get("of").filter(is_whole).and_then(Objects::of_json);
    Ok(objects.map_or(Noted::Damaged, Noted::As))
}
