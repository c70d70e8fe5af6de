//! Files that somebody wrote to, or put beside others, while the rows of their attachments stay as they are: a picture that was
//! edited in place, a folder that was put back from elsewhere, a film that came down after its picture.
//!
//! Every night each file whose bytes are here is looked at, not into: how long it is, when it was written to last, and whether
//! a film lies beside it; of a bundle, all that is in it. One that is as long as a content that is known of it, has no film
//! that is not known, and was not written to since the source was read last, is as it was. The others are read, and compared by
//! their hash.
//!
//! **Must never**: read a file of which nothing says that it changed: a night without news would take as long as the first.

use std::time::{Duration, SystemTime};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::contents::{Wish, Wished, look_at, written};
use super::kind::Kind;
use super::placed::bytes_at;
use super::sums::{FORMERLY_PLACED, PLACED};
use crate::model::Instant;
use crate::source::tables::{ContentFinder, Table, Tables};
use crate::source::{Content, SourceKind};

/// How long a content is, and its film.
#[derive(Clone, Copy)]
struct Length {
    bytes: Option<i64>,
    film: Option<i64>,
}

/// An attachment of a source whose bytes are here: by its row id there and its id here, how long they are, and whether the
/// source brought them.
type Placed = (i64, i64, Length, bool);

/// Calls `each` for the attachments of a source whose files are not as they were; `table` is that of the source's attachments.
/// `now`: when it is read.
pub fn each(
    connection: &Connection,
    (tables, table): (&Tables, &Table),
    (source, now): (i64, Instant),
    mut each: impl FnMut(Wish),
) -> Result<(), ArchiveError> {
    // Contents of another archive are named after their bytes.
    if tables.info().kind == SourceKind::Archive {
        return Ok(());
    }
    let failed = || ArchiveError::of(connection);
    let nights = Nights { last: read_last(connection, source).map_err(failed())?, now: now.into() };
    let mut placed = connection.prepare(&placed()).map_err(failed())?;
    let mut placed = placed
        .query_map(params![Kind::Attachment.number(), source], |row| {
            Ok((row.get(0)?, row.get(1)?, Length { bytes: row.get(2)?, film: row.get(3)? }, row.get(4)?))
        })
        .map_err(failed())?;
    let mut next: Option<Placed> = placed.next().transpose().map_err(failed())?;
    let mut finder = tables.finder();
    tables.reader().rows(table, &["filename"], i64::MIN..=i64::MAX, |row| {
        while next.is_some_and(|(rowid, ..)| rowid < row.rowid()) {
            next = placed.next().transpose().map_err(failed())?;
        }
        let Some((rowid, id, length, brought)) = next.filter(|(rowid, ..)| *rowid == row.rowid()) else {
            return Ok(());
        };
        let ValueRef::Text(filename) = row.value(0) else { return Ok(()) };
        let filename = String::from_utf8_lossy(filename);
        // Most are as they were, and have no film.
        if length.film.is_none()
            && let Some(glance) = finder.glance(&filename)
            && is_same(Some(glance.bytes), length.bytes)
            && !glance.has_film
            && !nights.are_parted_by(glance.written)
        {
            return Ok(());
        }
        let Some(file) = Looked::at(&mut finder, &filename) else { return Ok(()) };
        let is_new = file.written.is_some_and(|written| nights.are_parted_by(written));
        if !is_new && file.is_as_long_as(length) {
            return Ok(());
        }
        let mut known = all_known(connection, id).map_err(failed())?;
        if brought {
            // What it had before is news again, where it goes back to that.
            known.truncate(1);
        }
        if is_new || !known.iter().any(|(_, length)| file.is_as_long_as(*length)) {
            let than = known.into_iter().map(|(path, _)| path).collect();
            let filename = filename.into_owned();
            each(Wish { rowid, filename, original: None, what: Wished::Other { than, again: true } });
        }
        Ok::<(), ArchiveError>(())
    })
}

/// When a source was read last, and when it is read now.
#[derive(Debug, Clone, Copy)]
struct Nights {
    last: SystemTime,
    now: SystemTime,
}

impl Nights {
    /// File systems that know no smaller parts of time round it.
    const ROUNDED: Duration = Duration::from_secs(2);
    /// So far may the clock of a file server be ahead. A date that is further on says nothing: the file would be read every
    /// night until then.
    const AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

    /// What was written then may not have been there the last time, as far as a date can tell.
    fn are_parted_by(self, written: SystemTime) -> bool {
        let was_there = self.last.duration_since(written).is_ok_and(|before| before > Self::ROUNDED);
        let is_yet_to_come = written.duration_since(self.now).is_ok_and(|ahead| ahead > Self::AHEAD);
        !was_there && !is_yet_to_come
    }
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
    let [bytes, film] = ["c.path", "c.film"].map(bytes_at);
    format!(
        "SELECT s.source_rowid, s.id, {bytes}, {film}, c.source = s.source FROM msgarchive_sighting s \
         JOIN {PLACED} c ON c.attachment = s.id WHERE s.kind = ?1 AND s.source = ?2 ORDER BY s.source_rowid"
    )
}

/// The paths of all contents of an attachment, and how long they are: first of those that are shown.
fn all_known(connection: &Connection, attachment: i64) -> rusqlite::Result<Vec<(String, Length)>> {
    let [bytes, film] = ["c.path", "c.film"].map(bytes_at);
    let of = |table: &str| format!("SELECT c.path, {bytes}, {film} FROM {table} c WHERE c.attachment = ?1");
    let mut known =
        connection.prepare_cached(&format!("{} UNION ALL {}", of(PLACED), of(FORMERLY_PLACED)))?;
    let known = known
        .query_map([attachment], |row| Ok((row.get(0)?, Length { bytes: row.get(1)?, film: row.get(2)? })))?;
    known.collect()
}

/// What can be told of a content without reading it.
struct Looked {
    /// `None` for what cannot be looked at.
    bytes: Option<u64>,
    /// The film that lies beside it, and how long it is.
    film: Option<Option<u64>>,
    /// It, its film, or something in it; `None` for what has no date of its own.
    written: Option<SystemTime>,
}

impl Looked {
    /// `None`: nothing is there, or it cannot be looked at.
    fn at(finder: &mut ContentFinder, filename: &str) -> Option<Looked> {
        let (content, film) = finder.find(filename)?;
        if content.is_bundle() {
            let all = look_at(&content).ok()?;
            return Some(Looked { bytes: Some(all.bytes), film: None, written: all.written });
        }
        let itself = written(content.path());
        let written = match &film {
            None => itself,
            Some(film) => itself.zip(written(film.path())).map(|(one, other)| one.max(other)),
        };
        Some(Looked { bytes: content.bytes(), film: film.as_ref().map(Content::bytes), written })
    }

    /// A film that is not there says nothing; one that is not known is news.
    fn is_as_long_as(&self, known: Length) -> bool {
        let film = self.film.is_none_or(|bytes| known.film.is_some() && is_same(bytes, known.film));
        film && is_same(self.bytes, known.bytes)
    }
}

/// What cannot be looked at is as it was, for all that is known.
fn is_same(here: Option<u64>, known: Option<i64>) -> bool {
    here.is_none_or(|here| known.is_some_and(|known| u64::try_from(known) == Ok(here)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_tells_what_it_can() {
        let after = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let nights = Nights { last: after(10_000_000), now: after(10_000_000 + 86_400) };
        let cases = [
            (0, false),
            (10_000_000 - 3, false),
            // It may have been rounded.
            (10_000_000 - 2, true),
            (10_000_000 + 86_400, true),
            // The clock of a file server is ahead.
            (10_000_000 + 86_400 + 3_600, true),
            (10_000_000 + 3 * 86_400, false),
            // The last that there can be.
            (i64::MAX as u64, false),
        ];
        for (written, are_parted) in cases {
            let Some(written) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(written)) else {
                continue;
            };
            assert_eq!(nights.are_parted_by(written), are_parted, "{written:?}");
        }
        // Before there was a first night, everything is new.
        let first = Nights { last: SystemTime::UNIX_EPOCH, ..nights };
        assert!(first.are_parted_by(after(0)) && first.are_parted_by(after(20)));
    }
}
