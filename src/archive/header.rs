//! What a database says at its beginning of how it is to be read (SQLite's file format, 1.3): in an archive always the same.
//!
//! **Must never**: take for damage what another program may rightly have set.

use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::Connection;

use super::own_file::is_file;
use crate::disk::open_file;

/// The numbers that SQLite keeps for programs. This one has no use for them: an archive is a plain Messages library.
const FREE: [&str; 2] = ["user_version", "application_id"];

/// Those that are set, with what they are.
pub fn set(connection: &Connection) -> rusqlite::Result<Vec<(&'static str, i64)>> {
    let of = |name: &'static str| {
        let number: i64 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
        Ok((name, number))
    };
    let all = FREE.into_iter().map(of).collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(all.into_iter().filter(|(_, number)| *number != 0).collect())
}

/// Takes them back.
pub fn clear(connection: &Connection) -> rusqlite::Result<()> {
    set(connection)?.into_iter().try_for_each(|(name, _)| connection.pragma_update(None, name, 0))
}

/// Whether no database of an archive begins like this file.
///
/// # Errors
/// The disk's.
pub fn is_strange(path: &Path) -> io::Result<bool> {
    if !is_file(path)? {
        return Ok(true);
    }
    let mut head = Vec::new();
    open_file(path)?.take(100).read_to_end(&mut head)?;
    let is = |at: usize, bytes: &[u8]| head.get(at..at + bytes.len()) == Some(bytes);
    // Written with a journal, or by a program that wants a write-ahead log.
    let is_for = |at: usize| is(at, &[1]) || is(at, &[2]);
    let is_usual = is(0, b"SQLite format 3\0")
        && is_for(18)
        && is_for(19)
        && is(21, &[64, 32, 32])
        // The form of its tables, and UTF-8.
        && is(44, &[0, 0, 0, 4])
        && is(56, &[0, 0, 0, 1])
        && is(72, &[0; 20]);
    Ok(!is_usual)
}
