//! What can still be read of an archive's database that is damaged: page by page, whatever leads to a page and wherever it
//! lies. Which table its rows are of is told by what they look like, by the sums that runs wrote down of them, and by the
//! tree that the page is in.
//!
//! What of it is right is seen afterwards, as of any archive: rows have hashes, and notes have sums.
//!
//! **Must never**: write to the damaged file, or leave out a row because something else says that it is damaged: that may be
//! what is damaged.

mod order;
mod pages;
mod shapes;
mod survey;

use std::path::Path;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use self::pages::Record;
use self::shapes::Shape;
use self::survey::Survey;
use super::ArchiveError;
use super::objects::{Noted, Object};
use super::records::{Says, in_database};
use super::schema::{self, Columns};
use crate::disk::{copy_hashed, private_file, private_folders, remove_folder};
use crate::source::ends_too_soon;
use crate::source::tables::quoted;

/// Where what is read lies, beside what is damaged.
const COPY: &str = "copy";

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
    take_back(&file)?;
    drop(private_file(to)?);
    let survey = Survey::of(&file, noted).map_err(ArchiveError::reading(&file))?;
    let is_salvaged = match survey {
        Some(survey) => Salvaging { survey, file: &file, to }.all()?,
        None => false,
    };
    remove_folder(&copy)?;
    Ok(is_salvaged)
}

/// Lets SQLite take back what a run had begun, if it can.
fn take_back(file: &Path) -> Result<(), ArchiveError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let look =
        |connection: Connection| connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
    match Connection::open_with_flags(file, flags).and_then(look) {
        Err(error) if is_the_disk_s(&error) => {
            Err(ArchiveError::Database { path: file.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// It speaks of the disk, not of what lies there: nor of where that ends.
fn is_the_disk_s(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure};
    let of_the_disk = [CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure];
    error.sqlite_error_code().is_some_and(|code| of_the_disk.contains(&code)) && !ends_too_soon(error)
}

/// A damaged database, and the one that it becomes.
struct Salvaging<'a> {
    survey: Survey,
    file: &'a Path,
    to: &'a Path,
}

impl Salvaging<'_> {
    /// Takes all rows over; `false`: there are none.
    fn all(mut self) -> Result<bool, ArchiveError> {
        let to = self.to;
        let failed = || ArchiveError::database(to);
        let into = Connection::open(to).map_err(failed())?;
        let begin = || -> rusqlite::Result<Vec<Shape>> {
            into.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_mode = OFF; BEGIN")?;
            into.set_prepared_statement_cache_capacity(64);
            make(&into, &self.survey.objects, "index")?;
            schema::create(&into)?;
            shapes(&self.survey.objects)
        };
        let shapes = begin().map_err(failed())?;
        let rows = self.take_over(&into, &shapes)?;
        let finish = || -> rusqlite::Result<()> {
            schema::complete(&into)?;
            without_strange_records(&into)?;
            schema::index(&into, &Columns::read(&into)?)?;
            into.execute_batch("COMMIT")
        };
        finish().map_err(failed())?;
        Ok(rows > 0)
    }

    /// Rows that lie where they belong come first: of two that are the same one is left from before, and of two that have the same
    /// row id that of one is damaged.
    fn take_over(&mut self, into: &Connection, shapes: &[Shape]) -> Result<u64, ArchiveError> {
        let file = self.file;
        let reading = || ArchiveError::reading(file);
        self.survey.grow(shapes);
        let (mut rows, mut astray) = (0, Vec::new());
        for number in self.survey.pages.numbers() {
            let Some(records) = self.survey.records(number).map_err(reading())? else { continue };
            match self.survey.shape_of(number, &records, shapes) {
                Some(shape) if self.survey.is_in_tree(number, shape) => {
                    let mut are_in_place = self.survey.in_place(number, &records).into_iter();
                    let (in_place, others): (Vec<Record>, Vec<Record>) =
                        records.into_iter().partition(|_| are_in_place.next() == Some(true));
                    rows += put(into, &shapes[shape], &in_place)?;
                    if !others.is_empty() {
                        astray.push((number, shape));
                    }
                }
                Some(shape) => astray.push((number, shape)),
                None => {}
            }
        }
        for (number, shape) in astray {
            let records = self.survey.records(number).map_err(reading())?.unwrap_or_default();
            rows += put(into, &shapes[shape], &records)?;
        }
        Ok(rows)
    }
}

/// What the tables and indexes of a database look like that is made of these.
fn shapes(objects: &[Object]) -> rusqlite::Result<Vec<Shape>> {
    let like_it = Connection::open_in_memory()?;
    make(&like_it, objects, "")?;
    schema::create(&like_it)?;
    schema::complete(&like_it)?;
    schema::index(&like_it, &Columns::read(&like_it)?)?;
    Shape::all(&like_it)
}

/// Makes a new database of these, but for those of a kind. What one is made by may be damaged, too, or anything at all: SQLite
/// begins each with this word, and does nothing but make something by it.
fn make(connection: &Connection, objects: &[Object], but: &str) -> rusqlite::Result<()> {
    for kind in ["table", "index", "view"].into_iter().filter(|kind| *kind != but) {
        for Object { sql, .. } in objects.iter().filter(|object| object.kind == kind) {
            let Some(sql) = sql.as_deref().filter(|sql| sql.starts_with("CREATE ")) else { continue };
            match connection.execute(sql, []) {
                Err(error) if is_the_disk_s(&error) => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Puts the rows in that are of this table. How many were not there.
fn put(into: &Connection, shape: &Shape, records: &[Record]) -> Result<u64, ArchiveError> {
    let put = |record: &Record| -> rusqlite::Result<usize> {
        let columns: Vec<(usize, String)> = shape.columns(record.values.len()).collect();
        let mut names: Vec<&str> = columns.iter().map(|(_, name)| name.as_str()).collect();
        names.extend(record.rowid.map(|_| "rowid"));
        let marks = vec!["?"; names.len()].join(", ");
        let (table, names) = (quoted(&shape.name), names.join(", "));
        let mut insert =
            into.prepare_cached(&format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"))?;
        let values = columns.iter().filter_map(|(at, _)| record.values.get(*at));
        for (at, value) in values.enumerate() {
            insert.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value.value()))?;
        }
        if let Some(rowid) = record.rowid {
            insert.raw_bind_parameter(columns.len() + 1, rowid)?;
        }
        insert.raw_execute()
    };
    let mut rows = 0;
    for record in records.iter().filter(|record| shape.fits(record)) {
        match put(record) {
            Ok(new) => rows += new as u64,
            Err(error) if is_the_disk_s(&error) => return Err(ArchiveError::of(into)(error)),
            // It cannot be a row of this table.
            Err(_) => {}
        }
    }
    Ok(rows)
}

/// Of a record that is none its file may still tell.
fn without_strange_records(connection: &Connection) -> rusqlite::Result<()> {
    for record in in_database(connection)? {
        let says = Says::of(&serde_json::from_str(&record.text).unwrap_or_default());
        if says.number != Some(record.run) {
            connection.execute("DELETE FROM msgarchive_run WHERE run = ?1", [record.run])?;
        }
    }
    Ok(())
}
