//! A database whose file ends before its last page does: a copy that was ended, a disk that was full.
//!
//! SQLite takes what is missing of the last page for zeros, and of pages that a log says are there, too: rows are other ones
//! then, or none.
//!
//! **Must never**: call a library cut off that Messages is writing to.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use rusqlite::Connection;

use super::log::Frames;
use super::snapshot::{Fingerprint, beside};

/// What is said of the database at `path`, of which `connection` sees one moment; `before`: its file before that was looked at.
/// `None` where all pages are there, in the file or in its log.
///
/// # Errors
/// SQLite's.
pub(super) fn of(
    path: &Path,
    connection: &Connection,
    before: Option<&Fingerprint>,
) -> rusqlite::Result<Option<String>> {
    let Ok(bytes) = fs::metadata(path).map(|about| about.len()) else { return Ok(None) };
    let Some(words) = shorter(bytes, connection)? else { return Ok(None) };
    let in_log = in_log(&beside(path, "-wal")).unwrap_or_default();
    let mut missing = bytes / number(connection, "page_size")?.max(1) + 1..=number(connection, "page_count")?;
    if missing.all(|page| in_log.contains(&page)) {
        return Ok(None);
    }
    // What was in the log may be in the file by now.
    let is_still = before.is_some() && Fingerprint::of(path).ok().as_ref() == before;
    Ok(is_still.then_some(words))
}

/// The same of a file of so many bytes that has all of its log in it.
///
/// # Errors
/// SQLite's.
pub(super) fn shorter(bytes: u64, connection: &Connection) -> rusqlite::Result<Option<String>> {
    let whole = number(connection, "page_count")?.saturating_mul(number(connection, "page_size")?);
    Ok((bytes < whole).then(|| format!("it is cut off: it has {bytes} bytes instead of {whole}")))
}

fn number(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let number: i64 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
    Ok(number.unsigned_abs())
}

/// The pages that are in a log, and committed.
fn in_log(log: &Path) -> io::Result<BTreeSet<u64>> {
    let (mut committed, mut pages) = (BTreeSet::new(), Vec::new());
    let mut frames = Frames::of(BufReader::new(File::open(log)?))?;
    while let Some(frame) = frames.next()? {
        pages.push(frame.number);
        if frame.pages_after > 0 {
            committed.extend(pages.drain(..));
        }
    }
    Ok(committed)
}
