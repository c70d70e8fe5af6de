//! The rows of a store as they lie in its tables: every column, any type; for who keeps them.
//!
//! **Must never**: leave out a column, or change a value.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::backup::Backup;
use super::chatdb::{film, may_be_film};
use super::contacts::{self, Contact, ContactsError};
pub use super::database::text;
use super::database::{Guard, Layout, Opened, Pool, Pooled};
use super::locate::{Locator, Roots};
use super::{Content, OpenOptions, Place, SourceError, SourceInfo, SourceKind};

/// A store of iOS 6, OS X 10.8 or later, at one moment.
#[derive(Debug)]
pub struct Tables {
    info: SourceInfo,
    tables: BTreeMap<String, Table>,
    unique_guids: bool,
    roots: Roots,
    pool: Pool,
    guard: Guard,
    /// What it was unpacked from.
    backup: Option<Arc<Backup>>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// As it is spelled here.
    pub name: String,
    /// In their order; those that are worked out of others, too.
    pub columns: Vec<Column>,
    /// `rowid` is what its rows are stored by, or a column that numbers them all the same.
    pub has_rowids: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As it is spelled here.
    pub name: String,
    /// The declared type; may be empty, and anything.
    pub declared: String,
    /// A row without a value has 0.
    pub zero_by_default: bool,
    /// It is what rows are stored by: `INTEGER PRIMARY KEY`.
    pub is_row_id: bool,
}

impl Table {
    /// The column of this name, in whatever case.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

impl Tables {
    /// Opens what [`open`](super::open) opens, without counting what is in it.
    ///
    /// # Errors
    /// As [`Place::tables`].
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Tables, SourceError> {
        Place::find(path)?.tables(options)
    }

    /// Of a database that is open.
    pub(super) fn of(
        opened: Opened,
        backup: Option<Arc<Backup>>,
        options: &OpenOptions,
    ) -> Result<Tables, SourceError> {
        if opened.layout != Layout::Modern {
            return Err(SourceError::WithoutGuids { path: opened.info.path });
        }
        // What is missing would be taken for deleted. In an archive each row vouches for itself.
        if let (Some(what), false) = (&opened.info.cut_off, opened.info.kind == SourceKind::Archive) {
            return Err(SourceError::cut_off(opened.path, what));
        }
        let failed = SourceError::database(&opened.path);
        let roots = opened.roots(options);
        let tables = tables(&opened.own).map_err(failed)?;
        let unique_guids = opened.schema.unique("message", "guid");
        let mut connections = opened.connections;
        connections.push(opened.own);
        Ok(Tables {
            info: opened.info,
            tables,
            unique_guids,
            roots,
            pool: Pool::new(connections),
            guard: opened.guard,
            backup,
        })
    }

    /// What was opened.
    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// As [`Source::contacts`](super::Source::contacts).
    pub fn contacts(&self) -> Option<Result<Vec<Contact>, ContactsError>> {
        match &self.backup {
            Some(backup) => backup.contacts(),
            None => contacts::of_archive(&self.pool.take(), &self.info),
        }
    }

    /// The database itself sees to it that no two messages have one GUID.
    pub fn unique_guids(&self) -> bool {
        self.unique_guids
    }

    /// The table of this name, in lower case.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// A private reader for one worker, from a pool. Blocks while all are in use: one more than
    /// [`OpenOptions::sessions`].
    pub fn reader(&self) -> TableReader<'_> {
        TableReader { path: &self.info.path, connection: self.pool.take() }
    }

    /// Finds the bytes that `attachment.filename` names.
    pub fn finder(&self) -> ContentFinder {
        ContentFinder(Locator::new(&self.roots))
    }

    /// As [`Source::unchanged`](super::Source::unchanged).
    ///
    /// # Errors
    /// [`SourceError::Changed`].
    pub fn unchanged(&self) -> Result<(), SourceError> {
        self.guard.unchanged()
    }
}

/// Looks for the bytes of attachments.
#[derive(Debug)]
pub struct ContentFinder(Locator);

impl ContentFinder {
    /// Of a library, or a copy of one, whose files lie in the folder of its database: without opening that.
    pub fn of_folder(folder: &Path) -> ContentFinder {
        ContentFinder(Locator::new(&Roots::new(folder, None)))
    }

    /// What can be told of the file that lies exactly where `attachment.filename` says: of many files this is a quick look.
    /// `None` says nothing.
    pub fn glance(&mut self, filename: &str) -> Option<Glance> {
        let (path, about) = self.0.glance(filename)?;
        let (bytes, written) = (about.len(), about.modified().ok()?);
        let film = film(filename, Some(&Content::File { path, bytes }), &mut self.0);
        Some(Glance { bytes, written, has_film: film.is_some_and(|film| may_be_film(&film)) })
    }

    /// The bytes that `attachment.filename` names, where they are here; and the film of a Live Photo beside them.
    pub fn find(&mut self, filename: &str) -> Option<(Content, Option<Content>)> {
        // What is not whole may be elsewhere, or another night.
        let content = self.0.find(filename).filter(|found| !found.incomplete)?.content;
        let film = film(filename, Some(&content), &mut self.0);
        Some((content, film.filter(may_be_film)))
    }
}

/// What can be told of the file of an attachment without looking for it, or into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Its size.
    pub bytes: u64,
    /// When it was written to last.
    pub written: SystemTime,
    /// The film of a Live Photo lies beside it.
    pub has_film: bool,
}

/// Reads rows.
#[derive(Debug)]
pub struct TableReader<'t> {
    path: &'t PathBuf,
    connection: Pooled<'t>,
}

/// The columns of a row, in the order in which they were asked for.
#[derive(Debug)]
pub struct TableRow<'r, 's>(&'r Row<'s>);

impl<'r> TableRow<'r, '_> {
    /// The row id.
    pub fn rowid(&self) -> i64 {
        match self.0.get_ref(0) {
            Ok(ValueRef::Integer(rowid)) => rowid,
            _ => 0,
        }
    }

    /// A column as it is stored.
    pub fn value(&self, column: usize) -> ValueRef<'r> {
        self.0.get_ref(column + 1).unwrap_or(ValueRef::Null)
    }
}

impl TableReader<'_> {
    /// The lowest and the highest row id; `None` of an empty table.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn span(&self, table: &Table) -> Result<Option<RangeInclusive<i64>>, SourceError> {
        // Two statements in one, so that each end is looked up and nothing scanned.
        let name = quoted(&table.name);
        let sql = format!("SELECT (SELECT min(rowid) FROM {name}), (SELECT max(rowid) FROM {name})");
        let span = self
            .connection
            .query_row(&sql, [], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)));
        let (first, last) = span.map_err(SourceError::database(self.path))?;
        Ok(first.zip(last).map(|(first, last)| first..=last))
    }

    /// The highest row id that `message` ever gave away: it never goes down, whatever is deleted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn highest_ever(&self, table: &Table) -> Result<i64, SourceError> {
        let last = self.span(table)?.map_or(0, |span| *span.end());
        let ever = self
            .connection
            .query_row("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", [&table.name], |row| {
                row.get::<_, Option<i64>>(0)
            })
            .unwrap_or(None);
        Ok(last.max(ever.unwrap_or(0)))
    }

    /// The lowest value above 0 of a column with numbers, but for rows that are left out.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn earliest(
        &self,
        table: &Table,
        column: &str,
        mut left_out: impl FnMut(i64) -> bool,
    ) -> Result<Option<i64>, SourceError> {
        let (name, column) = (quoted(&table.name), quoted(column));
        let sql = format!("SELECT rowid, {column} FROM {name} WHERE {column} > 0 ORDER BY {column}");
        let mut find = || -> rusqlite::Result<Option<i64>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let (ValueRef::Integer(rowid), ValueRef::Integer(value)) =
                    (row.get_ref(0)?, row.get_ref(1)?)
                    && !left_out(rowid)
                {
                    return Ok(Some(value));
                }
            }
            Ok(None)
        };
        find().map_err(SourceError::database(self.path))
    }

    /// Some value of a column is of one of these types, as `typeof` names them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn has_any(&self, table: &Table, column: &str, types: &[&str]) -> Result<bool, SourceError> {
        let types: Vec<String> = types.iter().map(|name| format!("'{name}'")).collect();
        let (name, column, types) = (quoted(&table.name), quoted(column), types.join(", "));
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE typeof({column}) IN ({types}))");
        self.connection.query_row(&sql, [], |row| row.get(0)).map_err(SourceError::database(self.path))
    }

    /// Calls `each` for the rows with these row ids, in their order. All rows of a table without row ids have none, whatever is
    /// asked for.
    ///
    /// # Errors
    /// What SQLite says; or `each`.
    pub fn rows<E: From<SourceError>>(
        &self,
        table: &Table,
        columns: &[&str],
        rowids: RangeInclusive<i64>,
        each: impl FnMut(&TableRow<'_, '_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if !table.has_rowids {
            return self.all(table, columns, each);
        }
        let clause = "WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid";
        self.selected("rowid", table, columns, clause, [rowids.start(), rowids.end()], each)
    }

    /// Calls `each` for all rows of a table that may have no row ids, in whatever order.
    ///
    /// # Errors
    /// What SQLite says; or `each`.
    pub fn all<E: From<SourceError>>(
        &self,
        table: &Table,
        columns: &[&str],
        each: impl FnMut(&TableRow<'_, '_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.selected("0", table, columns, "", [], each)
    }

    fn selected<E: From<SourceError>>(
        &self,
        rowid: &str,
        table: &Table,
        columns: &[&str],
        clause: &str,
        parameters: impl rusqlite::Params,
        mut each: impl FnMut(&TableRow<'_, '_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = || SourceError::database(self.path);
        let mut sql = format!("SELECT {rowid}");
        for column in columns {
            sql.push_str(", ");
            sql.push_str(&quoted(column));
        }
        sql.push_str(&format!(" FROM {} {clause}", quoted(&table.name)));
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed())?;
        let mut rows = statement.query(parameters).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            each(&TableRow(row))?;
        }
        Ok(())
    }
}

/// How many columns are digested by one call: SQLite sets bounds to it.
const DIGESTED: usize = 500;
const DIGEST: &str = "msgarchive_digest";

impl TableReader<'_> {
    /// Calls `each` with the row id of each row, and the sum of what `digest` makes of these columns of it. Several times
    /// as fast as to read them: SQLite hands them over where they lie.
    ///
    /// # Errors
    /// What SQLite says; or `each`.
    pub fn digests<E: From<SourceError>>(
        &self,
        table: &Table,
        columns: &[&str],
        rowids: RangeInclusive<i64>,
        digest: impl Fn(usize, ValueRef<'_>) -> i64 + Send + 'static,
        mut each: impl FnMut(i64, i64) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = || SourceError::database(self.path);
        let sum = move |call: &mut Context<'_>| -> rusqlite::Result<i64> {
            let first = usize::try_from(call.get::<i64>(0)?).unwrap_or(0);
            let values = (1..call.len()).map(|at| digest(first + at - 1, call.get_raw(at)));
            Ok(values.fold(0, i64::wrapping_add))
        };
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        self.connection.create_scalar_function(DIGEST, -1, flags, sum).map_err(failed())?;
        let mut sql = String::from("SELECT rowid");
        for (number, chunk) in columns.chunks(DIGESTED).enumerate() {
            let names: Vec<String> = chunk.iter().map(|name| quoted(name)).collect();
            sql.push_str(&format!(", {DIGEST}({}, {})", number * DIGESTED, names.join(", ")));
        }
        sql.push_str(&format!(" FROM {} WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid", quoted(&table.name)));
        let digests = columns.len().div_ceil(DIGESTED);
        let read = |each: &mut dyn FnMut(i64, i64) -> Result<(), E>| -> Result<(), E> {
            let mut statement = self.connection.prepare(&sql).map_err(failed())?;
            let mut rows = statement.query([rowids.start(), rowids.end()]).map_err(failed())?;
            while let Some(row) = rows.next().map_err(failed())? {
                let row = TableRow(row);
                let sum = (0..digests).map(|at| match row.value(at) {
                    ValueRef::Integer(sum) => sum,
                    _ => 0,
                });
                each(row.rowid(), sum.fold(0, i64::wrapping_add))?;
            }
            Ok(())
        };
        let read = read(&mut each);
        self.connection.remove_function(DIGEST, -1).map_err(failed())?;
        read
    }
}

/// A name as SQL wants it, whatever is in it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn tables(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Table>> {
    let mut names = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    // The hidden ones of a virtual table are arguments.
    let mut columns = connection
        .prepare("SELECT name, type, dflt_value, pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1")?;
    let mut without_rowid =
        connection.prepare("SELECT max(wr) FROM pragma_table_list(?1) WHERE schema = 'main'")?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut tables = BTreeMap::new();
    for name in names {
        let mut key = 0;
        let columns = columns.query_map([&name], |row| {
            let (own, declared) =
                (row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default());
            let place: i64 = row.get(3)?;
            key = place.max(key);
            let is_row_id = place == 1 && declared.eq_ignore_ascii_case("INTEGER");
            Ok(Column {
                name: own,
                declared,
                zero_by_default: row.get::<_, Option<String>>(2)?.is_some_and(|value| value == "0"),
                is_row_id,
            })
        })?;
        let mut columns = columns.collect::<rusqlite::Result<Vec<Column>>>()?;
        // One of several that make a key is none.
        columns.iter_mut().for_each(|column| column.is_row_id &= key == 1);
        let numbered = columns.iter().find(|column| column.name.eq_ignore_ascii_case("rowid"));
        let is_without = without_rowid.query_row([&name], |row| row.get::<_, Option<bool>>(0))?;
        let has_rowids = match numbered.map(|column| column.is_row_id) {
            None => is_without != Some(true),
            Some(true) => true,
            // A table that was made of another one's rows has their numbers in a column of that name.
            Some(false) => connection.query_row(
                &format!(
                    "SELECT NOT EXISTS (SELECT 1 FROM {} WHERE typeof(rowid) <> 'integer')",
                    quoted(&name)
                ),
                [],
                |row| row.get(0),
            )?,
        };
        tables.insert(name.to_ascii_lowercase(), Table { name, columns, has_rowids });
    }
    Ok(tables)
}
