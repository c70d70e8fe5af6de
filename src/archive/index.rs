//! The index of full-text search: beside the archive's database, made of what can be read there and never of anything else.
//!
//! It lies in a file of its own, `search.db`: the database stays a plain Messages library, and the index can be thrown
//! away at any time. A run adds what it brought; where there is no index, or one of another state, it is made anew; and
//! where nothing may be written beside the database, for one search only.
//!
//! What a message says is what an export has of it: text, card, poll, names of files, transcriptions, translation, in all of its
//! versions (see [`texts`]).
//!
//! Words are as Unicode has them, without case (ß is ss), in their plainest letters (ﬁ is fi), and without marks that may as
//! well not be written. Scripts that put no blanks between words are indexed character by character, and so are emoji: what is searched for is taken as a phrase, so that 東京 finds
//! 東京都, and one character finds what holds it. Trigrams would need three, and take four times the room.
//!
//! A sum closes over all of it: `verify` looks at it, and a run before it adds to what is there, but no search. What is found
//! to be damaged is made anew.
//!
//! **Must never**: be believed about what a message says; that is read from the archive.

mod sum;
mod texts;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

pub use self::sum::is_whole;
use self::texts::each_text;
use self::words::spread;
pub use self::words::{Term, Word, matching, terms};
use super::ArchiveError;
use super::deleted_parts::with_part_deleted_since;
use super::folder::Folder;
use super::header;
use super::open::{PATIENCE, look_at};
use super::own_file;
use super::row::{RowHash, hash_of};
use crate::disk::DiskError;

/// The index's file.
pub const INDEX: &str = "search.db";
/// What the index is made like; another number is made anew.
const FORM: i64 = 6;

const TABLES: &str = "
    -- `record`: the hash of that run's record.
    CREATE TABLE state (form INTEGER NOT NULL, archive TEXT NOT NULL, run INTEGER NOT NULL, record BLOB, words BLOB,
        sum BLOB);
    CREATE VIRTUAL TABLE words USING fts5 (said, content = '', contentless_delete = 1,
        tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* M* Co So'\");
    -- As much is sorted in memory at once.
    INSERT INTO words (words, rank) VALUES ('hashsize', 16000000);
";

/// An index of the archive's latest run, open.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    place: PathBuf,
}

impl Index {
    /// Beside the archive; or a temporary one that has no name, where nothing may be written there.
    ///
    /// # Errors
    /// [`ArchiveError`] when it can be made nowhere.
    pub fn of(folder: &Folder) -> Result<Index, ArchiveError> {
        Index::beside_or_nameless(folder, bring_up(folder))
    }

    /// The same, made anew: what lies there is damaged.
    ///
    /// # Errors
    /// As [`Index::of`].
    pub fn made_anew(folder: &Folder) -> Result<Index, ArchiveError> {
        Index::beside_or_nameless(folder, anew(folder))
    }

    /// `written`: how writing to the one beside the archive went.
    fn beside_or_nameless(folder: &Folder, written: Result<(), ArchiveError>) -> Result<Index, ArchiveError> {
        let place = folder.path().join(INDEX);
        let failed = || ArchiveError::database(&place);
        let connection = match written {
            Ok(()) => match there(&place)? {
                There::Index(index) => index,
                There::Other | There::Nothing => {
                    return Err(ArchiveError::reading(&place)(io::ErrorKind::NotFound.into()));
                }
            },
            Err(refused) if is_about(&refused, &place) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
                let nameless = Connection::open_with_flags("", flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
                fill(folder, nameless.and_then(begin).map_err(failed())?, &place)?
            }
            Err(error) => return Err(error),
        };
        Ok(Index { connection, place })
    }

    /// The messages that say these words (as [`matching`] has them) or once said them, ascending.
    ///
    /// # Errors
    /// [`ArchiveError`] of the index.
    pub fn find(&self, words: &str) -> Result<Vec<i64>, ArchiveError> {
        let find = || -> rusqlite::Result<Vec<i64>> {
            let sql = "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid";
            let mut found = self.connection.prepare(sql)?;
            found.query_map([words], |row| row.get(0))?.collect()
        };
        find().map_err(ArchiveError::database(&self.place))
    }

    /// Whether any message says them, or once said them.
    ///
    /// # Errors
    /// As [`Index::find`].
    pub fn has(&self, words: &str) -> Result<bool, ArchiveError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM words WHERE words MATCH ?1)";
        self.connection.query_row(sql, [words], |row| row.get(0)).map_err(ArchiveError::database(&self.place))
    }
}

/// It is the index that cannot be written, not the archive that cannot be read.
fn is_about(error: &ArchiveError, place: &Path) -> bool {
    match error {
        ArchiveError::Database { path, .. } | ArchiveError::Disk(DiskError::Write { path, .. }) => {
            path == place
        }
        _ => false,
    }
}

/// Brings the index beside the archive to its latest run.
///
/// # Errors
/// [`ArchiveError`] when it cannot be written; the archive is whole all the same.
pub fn bring_up(folder: &Folder) -> Result<(), ArchiveError> {
    let place = folder.path().join(INDEX);
    // Nothing has to be written, nor can be on a medium that is read-only.
    if let Ok(There::Index(index)) = there(&place)
        && matches!(header::cut_off(&index), Ok(None))
    {
        let connection = look_at(folder)?;
        if state_of(&index, folder, &connection) == Some(latest(folder, &connection)?) {
            return Ok(());
        }
    }
    match fill_beside(folder, &place) {
        Err(ArchiveError::Damaged { path, .. }) if path == place => anew(folder),
        filled => filled,
    }
}

/// Makes the index beside the archive anew: that can always be done where something may be written.
fn anew(folder: &Folder) -> Result<(), ArchiveError> {
    let place = folder.path().join(INDEX);
    own_file::remove(folder.path(), &place)?;
    fill_beside(folder, &place)
}

fn fill_beside(folder: &Folder, place: &Path) -> Result<(), ArchiveError> {
    // A folder that is read-only has no other index, whatever lies there.
    own_file::make_way(folder.path(), place)
        .and_then(|()| own_file::make_way_beside(folder.path(), place))
        .map_err(|error| match error {
        ArchiveError::Write { source, .. } => DiskError::writing(place)(source).into(),
        error => error,
    })?;
    drop(crate::disk::private_file(place)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = || ArchiveError::database(place);
    let index = Connection::open_with_flags(place, flags).and_then(begin).map_err(failed())?;
    if let Some(what) = header::cut_off(&index).map_err(failed())? {
        return Err(ArchiveError::Damaged { path: place.to_owned(), what });
    }
    fill(folder, index, place).map(drop)
}

/// What lies where the index belongs.
enum There {
    /// Open for reading.
    Index(Connection),
    /// No file, or one beside which something lies that SQLite would wait for.
    Other,
    Nothing,
}

fn there(place: &Path) -> Result<There, ArchiveError> {
    let reading = || ArchiveError::reading(place);
    if !own_file::is_file(place).map_err(reading())? || own_file::in_the_way_of(place)?.is_some() {
        let lies = own_file::lies(place).map_err(reading())?;
        return Ok(if lies { There::Other } else { There::Nothing });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(place, flags).map(There::Index).map_err(ArchiveError::database(place))
}

/// Begins to write to an index, or waits until who is writing to it is done.
fn begin(index: Connection) -> rusqlite::Result<Connection> {
    index.busy_timeout(PATIENCE)?;
    index.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000; BEGIN IMMEDIATE;")?;
    Ok(index)
}

/// Brings an index to which writing has begun to the archive's latest run. `place`: for errors.
fn fill(folder: &Folder, index: Connection, place: &Path) -> Result<Connection, ArchiveError> {
    let failed = || ArchiveError::database(place);
    // Looked at once nobody else can add to the index: it is of no later run than this.
    let connection = look_at(folder)?;
    let latest = latest(folder, &connection)?;
    let known = state_of(&index, folder, &connection).filter(|run| *run <= latest);
    let record = record_of(&connection, latest).map_err(ArchiveError::database(folder.database()))?;
    let begun = match known {
        Some(run) if !has_news(&connection, run).map_err(ArchiveError::database(folder.database()))? => {
            return close(index, latest, record).map_err(failed());
        }
        // What it closes over anew has to be what was written.
        Some(run) if sum::has_its_words(&index).map_err(failed())? => Ok(run),
        _ => index
            .execute_batch(&format!("DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS state; {TABLES}"))
            .and_then(|()| {
                index.execute(
                    "INSERT INTO state (form, archive, run) VALUES (?1, ?2, 0)",
                    params![FORM, folder.id],
                )
            })
            .map(|_| 0),
    };
    let filled = || -> rusqlite::Result<Connection> {
        let index = add(&connection, folder.path(), index, begun?)?;
        // What FTS5 still has in memory is written to its tables.
        index.execute_batch("INSERT INTO words (words) VALUES ('flush')")?;
        index.execute("UPDATE state SET words = ?1", [sum::of_words(&index)?])?;
        close(index, latest, record)
    };
    filled().map_err(failed())
}

/// Notes of which run an index is, and ends writing to it.
fn close(index: Connection, run: i64, record: Option<RowHash>) -> rusqlite::Result<Connection> {
    index.execute("UPDATE state SET run = ?1, record = ?2", params![run, record])?;
    index.execute("UPDATE state SET sum = ?1", [sum::of_state(&index)?])?;
    index.execute_batch("COMMIT")?;
    Ok(index)
}

/// Whether runs after this one brought anything, by their records. Without some of these nobody knows.
fn has_news(connection: &Connection, after: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) < max(run) - ?1 OR max(CASE WHEN json_valid(record) \
        THEN coalesce(json_extract(record, '$.rows'), 1) ELSE 1 END) <> 0 FROM msgarchive_run WHERE run > ?1";
    let of_rows: Option<bool> = connection.query_row(sql, [after], |row| row.get(0))?;
    // That a part is in Recently Deleted is noted without a row of its message.
    let of_parts = format!("SELECT EXISTS ({})", with_part_deleted_since(connection)?);
    Ok(of_rows.unwrap_or(false) || connection.query_row(&of_parts, [after], |row| row.get(0))?)
}

fn latest(folder: &Folder, connection: &Connection) -> Result<i64, ArchiveError> {
    let sql = "SELECT coalesce(max(run), 0) FROM msgarchive_run";
    connection.query_row(sql, [], |row| row.get(0)).map_err(ArchiveError::database(folder.database()))
}

/// The run that an index is of; `None` where it is of something else, or of nothing, or says what was not written to it; or
/// of another run of that number: an archive that was put back to an earlier run counts on from there.
fn state_of(index: &Connection, folder: &Folder, connection: &Connection) -> Option<i64> {
    let sql = "SELECT run, record FROM state WHERE form = ?1 AND archive = ?2";
    let state = index.query_row(sql, params![FORM, folder.id], |row| Ok((row.get(0)?, row.get(1)?)));
    let (run, record) = state.optional().ok()??;
    let is_of_run = record_of(connection, run).ok()? == record;
    (is_of_run && sum::has_its_state(index).unwrap_or(false)).then_some(run)
}

/// The hash of the record of a run; `None` where that is lost.
fn record_of(connection: &Connection, run: i64) -> rusqlite::Result<Option<RowHash>> {
    let columns = ["record".to_owned()];
    let mut record = connection.prepare_cached("SELECT record FROM msgarchive_run WHERE run = ?1")?;
    record.query_row([run], |row| hash_of(row, 0, &columns)).optional()
}

/// Indexes what every message says and ever said, of those that changed after a run: one thread reads, one takes it for words
/// and writes.
fn add(
    connection: &Connection,
    folder: &Path,
    index: Connection,
    after: i64,
) -> rusqlite::Result<Connection> {
    let (texts, to_index) = std::sync::mpsc::sync_channel::<Vec<(i64, String)>>(BATCHES);
    let write = move || -> rusqlite::Result<Connection> {
        let sql = match after {
            0 => "INSERT INTO words (rowid, said) VALUES (?1, ?2)",
            _ => "INSERT OR REPLACE INTO words (rowid, said) VALUES (?1, ?2)",
        };
        let mut insert = index.prepare(sql)?;
        let mut words = String::new();
        for (id, said) in to_index.into_iter().flatten() {
            words.clear();
            spread(&said, &mut words);
            if after > 0 || !words.trim().is_empty() {
                insert.execute(params![id, words])?;
            }
        }
        drop(insert);
        Ok(index)
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(write);
        let mut batch = Vec::with_capacity(BATCH);
        let read = each_text(connection, folder, after, |id, said| {
            batch.push((id, said));
            // Where nobody takes it any more the writer says why.
            if batch.len() == BATCH { texts.send(std::mem::take(&mut batch)).is_ok() } else { true }
        });
        let _ = texts.send(batch);
        drop(texts);
        let index = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        read.map(|()| index)
    })
}

/// How many texts are handed on at once, and how many such batches may wait.
const BATCH: usize = 512;
const BATCHES: usize = 8;
