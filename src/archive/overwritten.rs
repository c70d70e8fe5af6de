//! Files that somebody wrote anew under an attachment whose row says nothing of it: a picture that was edited in place, a
//! folder that was put back from elsewhere.
//!
//! Every night each file whose bytes are here is looked at, not into: its size, and when it was written last. One that is as
//! long as a content that is known of it, and was not written since the source was read last, is as it was. The others are read,
//! and compared by their hash.
//!
//! **Must never**: read a file of which nothing says that it changed: a night without news would take as long as the first.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::contents::{Wish, Wished};
use super::kind::Kind;
use super::sums::{FILES, FORMERLY_PLACED, PLACED};
use crate::model::Instant;
use crate::source::tables::{ContentFinder, Table, Tables};
use crate::source::{Content, SourceKind};

/// File systems that know no smaller parts of time round it.
const ROUNDED: Duration = Duration::from_secs(2);

/// How long a content is, and its film.
#[derive(Clone, Copy)]
struct Length {
    bytes: Option<i64>,
    film: Option<i64>,
}

/// An attachment of a source whose bytes are here: by its row id there and its id here, how long they are.
type Placed = (i64, i64, Length);

/// Calls `each` for the attachments of a source whose files are not as they were; `table` is that of the source's attachments.
pub fn each(
    connection: &Connection,
    (tables, table): (&Tables, &Table),
    source: i64,
    mut each: impl FnMut(Wish),
) -> Result<(), ArchiveError> {
    // Contents of another archive are named after their bytes.
    if tables.info().kind == SourceKind::Archive {
        return Ok(());
    }
    let failed = || ArchiveError::of(connection);
    let since = read_last(connection, source).map_err(failed())?;
    let mut placed = connection.prepare(&placed()).map_err(failed())?;
    let mut placed = placed
        .query_map(params![Kind::Attachment.number(), source], |row| {
            Ok((row.get(0)?, row.get(1)?, Length { bytes: row.get(2)?, film: row.get(3)? }))
        })
        .map_err(failed())?;
    let mut next: Option<Placed> = placed.next().transpose().map_err(failed())?;
    let mut finder = tables.finder();
    tables.reader().rows(table, &["filename"], i64::MIN..=i64::MAX, |row| {
        while next.is_some_and(|(rowid, ..)| rowid < row.rowid()) {
            next = placed.next().transpose().map_err(failed())?;
        }
        let Some((rowid, id, length)) = next.filter(|(rowid, ..)| *rowid == row.rowid()) else {
            return Ok(());
        };
        let ValueRef::Text(filename) = row.value(0) else { return Ok(()) };
        let filename = String::from_utf8_lossy(filename);
        let is_as_it_was = |(bytes, written): (u64, SystemTime)| {
            length.bytes.is_some_and(|known| u64::try_from(known) == Ok(bytes)) && written + ROUNDED < since
        };
        // Most are, and have no film.
        if length.film.is_none() && finder.glance(&filename).is_some_and(is_as_it_was) {
            return Ok(());
        }
        let Some(file) = Looked::at(&mut finder, &filename) else { return Ok(()) };
        let is_new = file.written.is_some_and(|written| written + ROUNDED >= since);
        if !is_new && file.is_as_long_as(length) {
            return Ok(());
        }
        let known = all_known(connection, id).map_err(failed())?;
        if is_new || !known.iter().any(|(_, length)| file.is_as_long_as(*length)) {
            let than = known.into_iter().map(|(path, _)| path).collect();
            let filename = filename.into_owned();
            each(Wish { rowid, filename, original: None, what: Wished::Other { than, again: true } });
        }
        Ok::<(), ArchiveError>(())
    })
}

/// When the source was read last.
fn read_last(connection: &Connection, source: i64) -> rusqlite::Result<SystemTime> {
    let date: Option<String> = connection
        .query_row(
            "SELECT r.date FROM msgarchive_source s JOIN msgarchive_run r ON r.run = s.last_run WHERE s.source = ?1",
            [source],
            |row| row.get(0),
        )
        .optional()?;
    // Whoever lost the record of the run looks at everything.
    let date = date.and_then(|date| date.parse::<Instant>().ok());
    Ok(date.map_or(SystemTime::UNIX_EPOCH, SystemTime::from))
}

fn placed() -> String {
    format!(
        "SELECT s.source_rowid, s.id, f.bytes, m.bytes FROM msgarchive_sighting s \
         JOIN {PLACED} c ON c.attachment = s.id LEFT JOIN {FILES} f ON f.path = c.path \
         LEFT JOIN {FILES} m ON m.path = c.film WHERE s.kind = ?1 AND s.source = ?2 ORDER BY s.source_rowid"
    )
}

/// The paths of all contents of an attachment, and how long they are.
fn all_known(connection: &Connection, attachment: i64) -> rusqlite::Result<Vec<(String, Length)>> {
    let of = |table: &str| {
        format!(
            "SELECT c.path, f.bytes, m.bytes FROM {table} c LEFT JOIN {FILES} f ON f.path = c.path \
             LEFT JOIN {FILES} m ON m.path = c.film WHERE c.attachment = ?1"
        )
    };
    let mut known =
        connection.prepare_cached(&format!("{} UNION ALL {}", of(PLACED), of(FORMERLY_PLACED)))?;
    let known = known
        .query_map([attachment], |row| Ok((row.get(0)?, Length { bytes: row.get(1)?, film: row.get(2)? })))?;
    known.collect()
}

/// What can be told of a file without reading it.
struct Looked {
    /// `None` for a bundle.
    bytes: Option<u64>,
    film_bytes: Option<u64>,
    /// It, or its film; `None` for what has no date of its own.
    written: Option<SystemTime>,
}

impl Looked {
    fn at(finder: &mut ContentFinder, filename: &str) -> Option<Looked> {
        let (content, film) = finder.find(filename)?;
        let written = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
        let of_film = film.as_ref().map(|film| written(film.path()));
        Some(Looked {
            bytes: content.bytes(),
            film_bytes: film.as_ref().and_then(Content::bytes),
            written: match of_film {
                None => written(content.path()),
                Some(of_film) => written(content.path()).zip(of_film).map(|(one, other)| one.max(other)),
            },
        })
    }

    /// A film that is not there says nothing; nor does the size of a bundle, which is that of all its files.
    fn is_as_long_as(&self, known: Length) -> bool {
        let same = |here: Option<u64>, known: Option<i64>| {
            here.is_none_or(|here| known.is_some_and(|known| u64::try_from(known) == Ok(here)))
        };
        same(self.bytes, known.bytes) && same(self.film_bytes, known.film)
    }
}
