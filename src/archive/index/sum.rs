//! What an index is made of, in one sum: a bit of it that is turned may let a message be missed, and SQLite sees only what
//! breaks its own form.

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use super::{FORM, INDEX, There, there};
use crate::archive::ArchiveError;
use crate::archive::folder::Folder;
use crate::archive::header;
use crate::archive::open::PATIENCE;
use crate::archive::row;
use crate::disk::hash_file;

/// The tables that FTS5 keeps an index in.
const TABLES: [&str; 4] = [
    "SELECT id, block FROM words_data ORDER BY id",
    "SELECT segid, term, pgno FROM words_idx ORDER BY segid, term",
    "SELECT id, sz, origin FROM words_docsize ORDER BY id",
    "SELECT k, v FROM words_config ORDER BY k",
];

/// The sum of the words of an index, of which everything was written to its tables.
pub fn of_words(index: &Connection) -> rusqlite::Result<Vec<u8>> {
    sum_of(index, &TABLES)
}

/// The sum of an index: of its state, which holds that of its words, and says what need not be indexed.
pub fn of_state(index: &Connection) -> rusqlite::Result<Vec<u8>> {
    sum_of(index, &["SELECT form, archive, run, record, words FROM state"])
}

/// Whether the words of an index are those that were written to it.
pub fn has_its_words(index: &Connection) -> rusqlite::Result<bool> {
    let noted: Vec<u8> = index.query_row("SELECT words FROM state", [], |row| row.get(0))?;
    Ok(noted == of_words(index)?)
}

/// Whether the state of an index is the one that was written to it.
pub fn has_its_state(index: &Connection) -> rusqlite::Result<bool> {
    let noted: Vec<u8> = index.query_row("SELECT sum FROM state", [], |row| row.get(0))?;
    Ok(noted == of_state(index)?)
}

fn sum_of(index: &Connection, tables: &[&str]) -> rusqlite::Result<Vec<u8>> {
    let mut sum = Sha256::new();
    for sql in tables {
        let mut statement = index.prepare(sql)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            sum.update(row::hash_of(row, 0, &columns)?);
        }
    }
    Ok(sum.finalize().to_vec())
}

/// Whether the index beside an archive is what was made of it. Where there is none, or one of another form, that is made
/// anew, nothing is wrong.
///
/// # Errors
/// That it cannot be read, or is being written to for long: nobody can tell then.
pub fn is_whole(folder: &Folder) -> Result<bool, ArchiveError> {
    let place = folder.path().join(INDEX);
    let is_as_summed = |index: Connection| match is_as_summed(&index).map_err(ArchiveError::database(&place))
    {
        Err(ArchiveError::Damaged { .. }) => Ok(false),
        told => told,
    };
    match there(&place)? {
        There::Nothing => return Ok(true),
        There::Other => return Ok(false),
        There::Index(index) => {
            if is_as_summed(index)? {
                return Ok(true);
            }
        }
    }
    // SQLite takes a read that failed for damage, too: every byte is read without it, and then looked at again.
    hash_file(&place)?;
    match there(&place)? {
        There::Index(index) => is_as_summed(index),
        There::Other | There::Nothing => Ok(false),
    }
}

fn is_as_summed(index: &Connection) -> rusqlite::Result<bool> {
    index.busy_timeout(PATIENCE)?;
    // Of one moment.
    index.execute_batch("BEGIN")?;
    if header::cut_off(index)?.is_some() {
        return Ok(false);
    }
    let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'state'";
    if index.query_row(tables, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(true);
    }
    let form: Option<i64> = index.query_row("SELECT form FROM state", [], |row| row.get(0)).optional()?;
    if form != Some(FORM) {
        return Ok(true);
    }
    Ok(has_its_state(index)? && has_its_words(index)?)
}
