//! What a database says at its beginning of how it is to be read (SQLite's file format, 1.3): in an archive always the same; and
//! of where it ends.
//!
//! **Must never**: take for damage what another program may rightly have set.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::{Connection, ffi};

use super::ArchiveError;
use super::open::look_into;
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

/// What is wrong with a database whose file ends before its last page does; in words. SQLite takes what is missing for zeros, or
/// says that the disk fails, or nothing at all where it is not asked for.
///
/// To be asked before the connection writes. While it reads, nobody else makes the file shorter or longer. Nothing is opened here: closing a file lets
/// go of SQLite's locks on it.
///
/// # Errors
/// SQLite's; the disk's, as SQLite has them.
pub fn cut_off(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else { return Ok(None) };
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let whole = number("page_count")?.saturating_mul(number("page_size")?);
    let fails = |error: io::Error| {
        let code = ffi::Error::new(ffi::SQLITE_IOERR_FSTAT);
        rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
    };
    shorter_than(Path::new(path), u64::try_from(whole).unwrap_or(u64::MAX)).map_err(fails)
}

/// The same of the database of the archive at `path`: for who only reads, and may not come to the end of it.
///
/// # Errors
/// [`ArchiveError`].
pub fn archive_cut_off(path: &Path) -> Result<Option<String>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let what = cut_off(&connection).map_err(ArchiveError::database(folder.database()))?;
    Ok(what.map(|what| format!("{}: {what}", folder.database().display())))
}

/// The same by what the file itself says, where SQLite does not read it at all; nobody may have it open.
///
/// # Errors
/// The disk's.
pub fn cut_off_by_itself(path: &Path) -> io::Result<Option<String>> {
    if !is_file(path)? {
        return Ok(None);
    }
    let mut head = Vec::new();
    open_file(path)?.take(100).read_to_end(&mut head)?;
    let number = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let size = head.get(16..18).and_then(|size| size.try_into().ok()).map(u16::from_be_bytes);
    let (Some(size), Some(pages)) = (size, number(28)) else { return Ok(None) };
    // Who changed the database without knowing of the number of its pages left it as it was.
    if number(24) != number(92) {
        return Ok(None);
    }
    // 65,536 does not fit into two bytes.
    let size = if size == 1 { 65_536 } else { u64::from(size) };
    shorter_than(path, size * u64::from(pages))
}

fn shorter_than(path: &Path, whole: u64) -> io::Result<Option<String>> {
    let mut log = OsString::from(path);
    log.push("-wal");
    // Another program may have wanted one: the rest is in there.
    if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return Ok(None);
    }
    let bytes = fs::metadata(path)?.len();
    // An empty file, or one of a single byte, is a database that nothing was written to yet.
    let is_whole = bytes < 2 || bytes >= whole;
    Ok((!is_whole).then(|| format!("it is cut off: it has {bytes} bytes instead of {whole}")))
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
