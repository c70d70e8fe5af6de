//! What can still be read of an archive's database that is damaged: row by row, whatever lies between.
//!
//! What of it is right is seen afterwards, as of any archive: rows have hashes, and notes have sums.
//!
//! **Must never**: write to the damaged file, or leave out a row because something else says that it is damaged: that may be
//! what is damaged.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};

use super::ArchiveError;
use super::kind::{JOINS, Kind};
use super::objects::{Noted, Objects};
use super::records::{Says, in_database};
use super::schema::{self, Columns, has_table, version_table};
use crate::disk::{copy_hashed, hash_file, private_file, private_folders, remove_file, remove_folder};
use crate::source::tables::quoted;

/// Where what is read lies, beside what is damaged.
const COPY: &str = "copy";
/// How far to look for the next row that can be read: twice as far each time.
const STEPS: u32 = 40;
/// How many row ids are asked for one by one, up to that row.
const PROBED: usize = 1 << 16;

/// Copies what can be read of the database `damaged` into a new one at `to`, which is not there yet. False: there is
/// nothing that could be read. `noted`: what it was made of, where it cannot tell.
///
/// # Errors
/// The disk's. What it could not read or write is not what is damaged.
pub fn salvage(damaged: &Path, to: &Path, noted: &Noted) -> Result<bool, ArchiveError> {
    // SQLite may want to take back what was begun: in a copy.
    let copy = damaged.with_file_name(COPY);
    // Also what a run left that was ended before it was done.
    remove_folder(&copy)?;
    private_folders(&copy)?;
    let file = copy.join("chat.db");
    copy_hashed(damaged, &file)?;
    let journal = |path: &Path| path.with_file_name("chat.db-journal");
    if journal(damaged).try_exists().map_err(ArchiveError::reading(damaged))? {
        copy_hashed(&journal(damaged), &journal(&file))?;
    }
    if let Noted::As(objects) = noted
        && !tells(&file, objects)?
    {
        remove_file(&journal(&file))?;
        match objects.graft(&file) {
            Err(ArchiveError::Damaged { .. } | ArchiveError::Database { .. }) => {}
            grafted => grafted?,
        }
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
    remove_folder(&copy)?;
    Ok(readable)
}

/// Whether a database says itself what it is made of.
fn tells(file: &Path, objects: &Objects) -> Result<bool, ArchiveError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match Connection::open_with_flags(file, flags).and_then(|connection| tables(&connection)) {
        Ok(tables) => Ok(objects.are_in(&tables)),
        Err(error) if is_the_disk_s(&error) => {
            Err(ArchiveError::Database { path: file.to_owned(), source: error })
        }
        Err(_) => Ok(false),
    }
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
    into.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_mode = OFF; BEGIN")
        .map_err(Failed::Writing)?;
    for (name, sql) in &tables {
        // What a table was made of may be damaged, too.
        match into.execute_batch(sql).map_err(Failed::Writing).and_then(|()| copy_table(&from, &into, name)) {
            Err(Failed::Writing(error)) if is_the_disk_s(&error) => return Err(Failed::Writing(error)),
            Ok(()) | Err(_) => {}
        }
    }
    let finish = || -> rusqlite::Result<()> {
        schema::create(&into)?;
        schema::complete(&into)?;
        without_unknown_rows(&into)?;
        schema::index(&into, &Columns::read(&into)?)?;
        into.execute_batch("COMMIT")
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
        return copy_from_both_ends(from, into, &name, &columns);
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

/// Of a table without row ids there are two ways in: from its first row on, and from its last one back.
fn copy_from_both_ends(
    from: &Connection,
    into: &Connection,
    name: &str,
    columns: &[String],
) -> Result<(), Failed> {
    let list = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let marks = vec!["?"; columns.len()].join(", ");
    let put = format!("INSERT OR IGNORE INTO {name} ({list}) VALUES ({marks})");
    let mut put = into.prepare(&put).map_err(Failed::Writing)?;
    let mut copy = |direction: &str| -> Result<(), Failed> {
        let order: Vec<String> = key(into, name)?.iter().map(|name| format!("{name} {direction}")).collect();
        let sql = format!("SELECT {list} FROM {name} NOT INDEXED ORDER BY {}", order.join(", "));
        let mut statement = from.prepare(&sql).map_err(Failed::Reading)?;
        let mut rows = statement.query([]).map_err(Failed::Reading)?;
        while let Some(row) = rows.next().map_err(Failed::Reading)? {
            insert(&mut put, row, columns.len())?;
        }
        Ok(())
    };
    match copy("ASC") {
        Err(Failed::Reading(_)) => copy("DESC"),
        copied => copied,
    }
}

/// The columns of a table's primary key.
fn key(connection: &Connection, quoted_table: &str) -> Result<Vec<String>, Failed> {
    let read = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare(&format!("SELECT name FROM pragma_table_info({quoted_table}) WHERE pk > 0 ORDER BY pk"))?
            .query_map([], |row| Ok(quoted(&row.get::<_, String>(0)?)))?
            .collect()
    };
    read().map_err(Failed::Writing)
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

/// Leaves out what cannot be a row of its table: it has nothing by which it would be known, or something of another sort
/// than is there always.
fn without_unknown_rows(connection: &Connection) -> rusqlite::Result<()> {
    for kind in Kind::ALL {
        for table in [kind.table().to_owned(), version_table(kind)] {
            if has_table(connection, &table)? {
                let key = kind.key().first().copied().unwrap_or("guid");
                connection.execute(&format!("DELETE FROM {table} WHERE typeof({key}) <> 'text'"), [])?;
            }
        }
    }
    for join in &JOINS {
        for table in [join.table, &join.book()] {
            if has_table(connection, table)? {
                let ends = join.ends.iter().map(|(end, _)| format!("typeof({end}) <> 'integer'"));
                let ends = ends.collect::<Vec<_>>().join(" OR ");
                connection.execute(&format!("DELETE FROM {table} WHERE {ends}"), [])?;
            }
        }
    }
    let ours: Vec<(String, String, String, bool)> = connection
        .prepare(
            "SELECT m.name, c.name, lower(c.type), c.\"notnull\" FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name LIKE 'msgarchive\\_%' ESCAPE '\\' \
             AND (m.name NOT LIKE '%\\_version' ESCAPE '\\' OR c.name LIKE 'msgarchive\\_%' ESCAPE '\\') \
             AND c.type IN ('INTEGER', 'TEXT', 'BLOB')",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, column, sort, always) in ours {
        let or_null = if always { "" } else { ", 'null'" };
        let sql = format!("DELETE FROM {table} WHERE typeof({}) NOT IN ('{sort}'{or_null})", quoted(&column));
        connection.execute(&sql, [])?;
    }
    // Of a record that is none its file may still tell.
    for record in in_database(connection)? {
        let says = Says::of(&serde_json::from_str(&record.text).unwrap_or_default());
        if says.number != Some(record.run) {
            connection.execute("DELETE FROM msgarchive_run WHERE run = ?1", [record.run])?;
        }
    }
    Ok(())
}
