//! What became of a database's write-ahead log: people copy `chat.db` without it, or beside one that is older.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use super::handle::Handle;
use super::log::Frames;
use super::snapshot::{beside, size};

/// What became of the write-ahead log of a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LogState {
    /// The database is in a mode that needs none.
    #[default]
    Unneeded,
    /// The database is in the mode that needs one, and there is none: it was closed in good order, or copied without it.
    Absent,
    /// It was read along with the database.
    Whole {
        /// Pages that were written since the log was last emptied.
        frames: u64,
    },
    /// There is one, and nothing in it is valid: it was damaged, or copied in part.
    Unusable,
    /// The database has grown since the log was written: the two were not copied together.
    Stale,
}

impl LogState {
    /// Of the database at `path`. `needed`: by its header it is in the mode that needs a log.
    pub fn beside(path: &Path, needed: bool) -> LogState {
        let log = beside(path, "-wal");
        match File::open(&log) {
            Ok(file) if size(&log) > 0 => LogState::of(BufReader::new(file), bytes_where_they_tell(path)),
            Ok(_) => LogState::Whole { frames: 0 },
            Err(_) if log.exists() => LogState::Unusable,
            Err(_) if needed => LogState::Absent,
            Err(_) => LogState::Unneeded,
        }
    }

    /// Of a log that has something in it. `database`: bytes of the database that it belongs to, where its size tells.
    pub fn of(log: impl Read, database: Option<u64>) -> LogState {
        let read = || -> std::io::Result<(u64, u64)> {
            let mut frames = Frames::of(log)?;
            let (mut committed, mut read, mut pages) = (0, 0, 0);
            while let Some(frame) = frames.next()? {
                read += 1;
                if frame.pages_after > 0 {
                    (committed, pages) = (read, frame.pages_after);
                }
            }
            Ok((committed, pages.saturating_mul(frames.page.len() as u64)))
        };
        match read() {
            Ok((1.., bytes)) if database.is_some_and(|database| bytes < database) => LogState::Stale,
            Ok((frames @ 1.., _)) => LogState::Whole { frames },
            _ => LogState::Unusable,
        }
    }
}

/// The size of a database, where it never shrinks by itself.
fn bytes_where_they_tell(path: &Path) -> Option<u64> {
    let mut header = [0; 100];
    Handle::open(path).ok()?.bytes().read_exact(&mut header).ok()?;
    let largest_root = header.get(52..56)?;
    let shrinks = largest_root != [0; 4];
    (!shrinks).then(|| fs::metadata(path).ok().map(|about| about.len()))?
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn insert(db: &Connection, rows: u32) {
        for row in 0..rows {
            db.execute("INSERT INTO t VALUES (printf('%0900d', ?1))", [row]).unwrap();
        }
    }

    #[test]
    fn a_log_is_whole_absent_unusable_or_of_another_time() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("chat.db"), folder.path().join("chat.db-wal"));
        let state = || LogState::beside(&path, true);
        let db = Connection::open(&path).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x);")
            .unwrap();
        insert(&db, 20);
        assert!(matches!(state(), LogState::Whole { frames: 1.. }), "{:?}", state());
        let old = fs::read(&log).unwrap();
        // Written into the database, it is as it was.
        db.execute_batch("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
        assert!(matches!(state(), LogState::Whole { frames: 1.. }), "{:?}", state());
        insert(&db, 500);
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert_eq!(state(), LogState::Whole { frames: 0 });
        drop(db);
        assert_eq!((state(), LogState::beside(&path, false)), (LogState::Absent, LogState::Unneeded));
        fs::write(&log, &old).unwrap();
        assert_eq!(state(), LogState::Stale);
        for damaged in [&old[..40], &[7; 4096], &[0; 40_000]] {
            fs::write(&log, damaged).unwrap();
            assert_eq!(state(), LogState::Unusable);
        }
    }
}
