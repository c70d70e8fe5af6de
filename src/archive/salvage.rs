//! What can still be read of an archive's database that is damaged: row by row, whatever lies between.
//!
//! **Must never**: write to the damaged file, or take a row for whole that is not what its hash says.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};

use super::ArchiveError;
use super::joins::same;
use super::kind::{JOINS, Kind};
use super::row;
use super::schema::{self, Columns, has_table, has_versions, version_table};
use crate::disk::{copy_hashed, hash_file, private_file};
use crate::source::tables::quoted;

/// How far to look for the next row that can be read: twice as far each time.
const STEPS: u32 = 40;
/// How many row ids are asked for one by one, up to that row.
const PROBED: usize = 1 << 16;

/// Copies what can be read of the database `damaged` into a new one at `to`, which is not there yet. False: there is
/// nothing that could be read.
///
/// # Errors
/// The disk's. What it could not read or write is not what is damaged.
pub fn salvage(damaged: &Path, to: &Path) -> Result<bool, ArchiveError> {
    let beside = to.parent().unwrap_or(Path::new("."));
    // SQLite may want to take back what was begun: in a copy.
    let copy = tempfile::Builder::new().prefix(".salvage-").tempdir_in(beside);
    let copy = copy.map_err(ArchiveError::writing(beside))?;
    let file = copy.path().join("chat.db");
    copy_hashed(damaged, &file)?;
    let journal = |path: &Path| path.with_file_name("chat.db-journal");
    if journal(damaged).try_exists().map_err(ArchiveError::reading(damaged))? {
        copy_hashed(&journal(damaged), &journal(&file))?;
    }
    drop(private_file(to)?);
    let readable = match salvage_copy(&file, to) {
        Err(Failed::Reading(error) | Failed::Writing(error)) if is_the_disk_s(&error) => {
            return Err(ArchiveError::Database { path: to.to_owned(), source: error });
        }
        done => done.is_ok(),
    };
    // What SQLite could not read of the copy can be read: it was damaged.
    hash_file(&file)?;
    Ok(readable)
}

/// What failed.
enum Failed {
    /// The damaged one, which may be anything.
    Reading(rusqlite::Error),
    /// The new one.
    Writing(rusqlite::Error),
}

fn salvage_copy(file: &Path, to: &Path) -> Result<(), Failed> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(file, flags).map_err(Failed::Reading)?;
    let tables = tables(&from).map_err(Failed::Reading)?;
    if !tables.iter().any(|(name, _)| name == "message") {
        return Err(Failed::Reading(rusqlite::Error::QueryReturnedNoRows));
    }
    let into = Connection::open(to).map_err(Failed::Writing)?;
    into.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN")
        .map_err(Failed::Writing)?;
    let mut whole: HashSet<&str> = HashSet::new();
    for (name, sql) in &tables {
        // What a table was made of may be damaged, too.
        match into.execute_batch(sql).map_err(Failed::Writing).and_then(|()| copy_table(&from, &into, name)) {
            Ok(()) => drop(whole.insert(name)),
            Err(Failed::Writing(error)) if is_the_disk_s(&error) => return Err(Failed::Writing(error)),
            Err(_) => {}
        }
    }
    let finish = || -> rusqlite::Result<()> {
        into.execute_batch("COMMIT")?;
        without_damaged_rows(&into)?;
        without_damaged_joins(&into, &whole)?;
        schema::index(&into, &Columns::read(&into)?)
    };
    finish().map_err(Failed::Writing)
}

/// It speaks of the disk, not of what lies there.
fn is_the_disk_s(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure};
    let of_the_disk = [CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure];
    error.sqlite_error_code().is_some_and(|code| of_the_disk.contains(&code))
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE upper(name) <> 'ROWID'")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// The tables and views with what they were made by.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view') AND sql IS NOT NULL \
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, rowid";
    connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn copy_table(from: &Connection, into: &Connection, name: &str) -> Result<(), Failed> {
    let columns = columns(into, name).map_err(Failed::Writing)?;
    let list: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    let list = list.join(", ");
    let marks = vec!["?"; columns.len()].join(", ");
    let name = quoted(name);
    let Ok(mut rows) =
        from.prepare(&format!("SELECT rowid, {list} FROM {name} WHERE rowid >= ?1 ORDER BY rowid"))
    else {
        // Without row ids there is only one way through.
        let put = format!("INSERT OR IGNORE INTO {name} ({list}) VALUES ({marks})");
        let mut put = into.prepare(&put).map_err(Failed::Writing)?;
        let mut statement = from.prepare(&format!("SELECT {list} FROM {name}")).map_err(Failed::Reading)?;
        let mut rows = statement.query([]).map_err(Failed::Reading)?;
        while let Some(row) = rows.next().map_err(Failed::Reading)? {
            insert(&mut put, row, columns.len())?;
        }
        return Ok(());
    };
    let put = format!("INSERT OR IGNORE INTO {name} (rowid, {list}) VALUES (?, {marks})");
    let mut put = into.prepare(&put).map_err(Failed::Writing)?;
    let one = format!("SELECT rowid, {list} FROM {name} WHERE rowid = ?1");
    let mut one = from.prepare(&one).map_err(Failed::Reading)?;
    let mut begin = i64::MIN;
    loop {
        let mut last = begin.saturating_sub(1).max(0);
        let read = each(&mut rows, begin, &mut |row| {
            last = row.get(0).map_err(Failed::Reading)?;
            insert(&mut put, row, columns.len() + 1)
        });
        match read {
            Ok(()) => return Ok(()),
            Err(Failed::Writing(error)) if is_the_disk_s(&error) => return Err(Failed::Writing(error)),
            Err(_) => {}
        }
        let after = (0..STEPS).map(|step| last.saturating_add(1 << step));
        let next = after.into_iter().find(|rowid| first(&mut rows, *rowid).is_some());
        let Some(next) = next.and_then(|rowid| first(&mut rows, rowid)) else { return Ok(()) };
        for rowid in (last.saturating_add(1)..next).take(PROBED) {
            match each(&mut one, rowid, &mut |row| insert(&mut put, row, columns.len() + 1)) {
                Err(Failed::Writing(error)) if is_the_disk_s(&error) => return Err(Failed::Writing(error)),
                _ => {}
            }
        }
        begin = next;
    }
}

fn each(
    statement: &mut Statement<'_>,
    from: i64,
    take: &mut dyn FnMut(&rusqlite::Row<'_>) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let mut rows = statement.query([from]).map_err(Failed::Reading)?;
    while let Some(row) = rows.next().map_err(Failed::Reading)? {
        take(row)?;
    }
    Ok(())
}

/// The first row from here on, where it can be read.
fn first(statement: &mut Statement<'_>, from: i64) -> Option<i64> {
    let mut rows = statement.query([from]).ok()?;
    rows.next().ok()??.get(0).ok()
}

fn insert(put: &mut Statement<'_>, row: &rusqlite::Row<'_>, columns: usize) -> Result<(), Failed> {
    for at in 0..columns {
        let value: ValueRef<'_> = row.get_ref(at).map_err(Failed::Reading)?;
        put.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value)).map_err(Failed::Writing)?;
    }
    put.raw_execute().map(drop).map_err(Failed::Writing)
}

/// Leaves out rows that are not what their hashes say, and shows their last former state. Those whose hash is lost are
/// taken as they are.
fn without_damaged_rows(connection: &Connection) -> rusqlite::Result<()> {
    let columns = Columns::read(connection)?;
    for kind in Kind::ALL {
        let table = kind.table();
        let (all, names) = (columns.of(table), columns.hashed(kind));
        let of_shown = format!("{table} t JOIN msgarchive_{table} b ON b.id = t.ROWID");
        remove_damaged(connection, &names, table, ("b.hash", &of_shown), false)?;
        if has_versions(kind) {
            let versions = version_table(kind);
            let hashed = ("t.msgarchive_hash", &*format!("{versions} t"));
            remove_damaged(connection, &names, &versions, hashed, false)?;
            show_former(connection, table, &versions, &all)?;
        }
    }
    Ok(())
}

/// Shows the last former state of every row that is not there: a former state of nothing would be lost with it.
fn show_former(
    connection: &Connection,
    table: &str,
    versions: &str,
    names: &[String],
) -> rusqlite::Result<()> {
    let list: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let list = list.join(", ");
    let last = format!(
        "SELECT max(msgarchive_version) FROM {versions} v \
         WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.ROWID = v.msgarchive_id) GROUP BY msgarchive_id"
    );
    let last: Vec<i64> =
        connection.prepare(&last)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for version in last {
        connection.execute(
            &format!(
                "INSERT OR IGNORE INTO {table} (ROWID, {list}) \
                 SELECT msgarchive_id, {list} FROM {versions} WHERE msgarchive_version = ?1"
            ),
            [version],
        )?;
        connection.execute(&format!("DELETE FROM {versions} WHERE msgarchive_version = ?1"), [version])?;
    }
    Ok(())
}

/// Leaves out what joins rows and is not what the books say; of a book that is `whole`, also what is not in it.
fn without_damaged_joins(connection: &Connection, whole: &HashSet<&str>) -> rusqlite::Result<()> {
    let columns = Columns::read(connection)?;
    for join in &JOINS {
        let (table, book) = (join.table, join.book());
        if has_table(connection, &book)? {
            let hash = format!("(SELECT b.hash FROM {book} b WHERE {})", same(join, "t", "b"));
            let hashed = (&*hash, &*format!("{table} t"));
            remove_damaged(connection, &columns.of(table), table, hashed, whole.contains(&*book))?;
        }
    }
    Ok(())
}

/// `hashed`: where the hash of a row is, and in what. `unknown`: rows without one are removed, too.
fn remove_damaged(
    connection: &Connection,
    names: &[String],
    table: &str,
    (hash, of): (&str, &str),
    unknown: bool,
) -> rusqlite::Result<()> {
    let list: Vec<String> = names.iter().map(|name| format!("t.{}", quoted(name))).collect();
    let mut damaged: Vec<i64> = Vec::new();
    let mut statement =
        connection.prepare(&format!("SELECT t.ROWID, {hash}, {} FROM {of}", list.join(", ")))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let own = row::hash_of(row, 2, names)?;
        let is_other = match row.get_ref(1)? {
            ValueRef::Blob(hash) => *hash != own,
            ValueRef::Null => unknown,
            _ => false,
        };
        if is_other {
            damaged.push(row.get(0)?);
        }
    }
    drop(rows);
    let mut remove = connection.prepare(&format!("DELETE FROM {table} WHERE ROWID = ?1"))?;
    for rowid in damaged {
        remove.execute([rowid])?;
    }
    Ok(())
}
