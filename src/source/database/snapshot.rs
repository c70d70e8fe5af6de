//! One moment of a database, for several connections, with nothing touched.
//!
//! | what is there | how it is read |
//! |---|---|
//! | WAL mode, no or an empty `-wal` | in place, `immutable`; afterwards it is checked that nobody wrote |
//! | rollback-journal mode | in place, `mode=ro`, each connection in a read transaction; where a writer is waiting, SQLite's backup |
//! | a `-wal` and a `-shm`: live, or a complete copy | SQLite's backup into a private file, through `readonly_shm` |
//! | a `-wal` without a `-shm`, a hot journal, a folder that cannot be locked | copied into a private folder, recovered there |
//!
//! `mode=ro` alone would create a `-shm` beside the database; `immutable` alone would miss what only the `-wal` has
//! (`ios-backup-format.md` 12).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::cut_off;
use super::evidence::Evidence;
use super::handle::Handle;
use super::recognize::{self, Candidate};
use crate::disk::{DiskError, HiddenFolder};
use crate::source::{SourceDigest, SourceError};

/// Connections that all see the same moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub connections: Vec<Connection>,
    pub guard: Guard,
    /// What is read instead of the database's own files.
    pub copy: Option<File>,
    /// Its file ends before it should; in words.
    pub cut_off: Option<String>,
}

/// What keeps a snapshot of one moment, or tells afterwards that it was not.
#[derive(Debug, Default)]
pub(in crate::source) struct Guard {
    /// The file that must not have changed in the end, as it was in the beginning.
    watched: Option<(PathBuf, Fingerprint)>,
    pub(super) evidence: Evidence,
    /// The private copy, where an open file keeps its name.
    _private: Option<HiddenFolder>,
}

impl Guard {
    /// [`SourceError::Changed`] when a file that was taken for still was written to; what is said of one that is away.
    pub fn unchanged(&self) -> Result<(), SourceError> {
        match &self.watched {
            Some((path, before)) if Fingerprint::of(path).ok().as_ref() != Some(before) => {
                Err(SourceError::Changed { path: path.clone() })
            }
            _ => self.evidence.is_there(),
        }
    }

    /// The hashes of what is read; `None` where it cannot be read once more.
    pub fn digest(&self) -> Option<SourceDigest> {
        self.evidence.digest().ok()
    }
}

/// What is done to a copy before it is read.
type Change<'a> = &'a dyn Fn(&Connection) -> rusqlite::Result<()>;

/// How long to wait for a writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often to try to copy files that keep changing.
const COPIES: u32 = 20;

impl Snapshot {
    /// `live`: this machine's own library, which Messages may open at any time.
    pub fn take(candidate: &Candidate, live: bool, sessions: usize) -> Result<Snapshot, SourceError> {
        let mut evidence = Evidence::of(&candidate.path);
        let mut snapshot = Snapshot::looked_at(candidate, live, sessions.max(1))?;
        if let Some(copy) = snapshot.copy.take() {
            evidence.keep_copy(copy);
        }
        snapshot.guard.evidence = evidence;
        Ok(snapshot)
    }

    /// As [`Snapshot::of`], and whether the file ends before it should.
    fn looked_at(candidate: &Candidate, live: bool, sessions: usize) -> Result<Snapshot, SourceError> {
        let path = &candidate.path;
        let before = Fingerprint::of(path).ok();
        let snapshot = Snapshot::of(candidate, live, sessions)?;
        let cut_off = match snapshot.connections.first() {
            Some(connection) => {
                cut_off::of(path, connection, before.as_ref()).map_err(SourceError::database(path))?
            }
            None => None,
        };
        Ok(Snapshot { cut_off, ..snapshot })
    }

    fn of(candidate: &Candidate, live: bool, sessions: usize) -> Result<Snapshot, SourceError> {
        let path = &candidate.path;
        let wal = beside(path, "-wal");
        let has_wal = size(&wal) > 0;
        // One that was left alone says nothing, and opened through it SQLite would make the `-wal` that is missing.
        let has_shm = wal.exists() && beside(path, "-shm").exists();
        if has_shm && (has_wal || candidate.wal_mode) || live && !candidate.wal_mode {
            match Snapshot::backup(path, has_shm, sessions) {
                Err(SourceError::Database { .. }) => {}
                snapshot => return snapshot,
            }
        }
        if has_wal {
            return Snapshot::copy(path, sessions);
        }
        if candidate.wal_mode {
            return Snapshot::still(path, sessions);
        }
        match Snapshot::locked(path, sessions) {
            // A hot journal: what a writer that died had begun has to be taken back.
            Err(SourceError::Database { source, .. })
                if source.sqlite_error_code() == Some(ErrorCode::ReadOnly) =>
            {
                Snapshot::copy(path, sessions)
            }
            // A file system that knows no locks.
            Err(SourceError::Database { source, .. })
                if source.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) =>
            {
                Snapshot::still(path, sessions)
            }
            snapshot => snapshot,
        }
    }

    /// A file that nobody writes to.
    fn still(path: &Path, sessions: usize) -> Result<Snapshot, SourceError> {
        let before = Fingerprint::of(path).map_err(SourceError::io(path))?;
        let connections = (0..sessions)
            .map(|_| connect(path, "mode=ro&immutable=1"))
            .collect::<rusqlite::Result<_>>()
            .map_err(SourceError::database(path))?;
        Ok(Snapshot {
            connections,
            guard: Guard { watched: Some((path.to_owned(), before)), ..Guard::default() },
            copy: None,
            cut_off: None,
        })
    }

    /// A file in rollback-journal mode: while one connection reads, nobody can commit.
    fn locked(path: &Path, sessions: usize) -> Result<Snapshot, SourceError> {
        let read = |patience| -> rusqlite::Result<Connection> {
            let connection = connect_within(patience, path, "mode=ro")?;
            connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_master;")?;
            Ok(connection)
        };
        let mut connections = vec![read(PATIENCE).map_err(SourceError::database(path))?];
        while connections.len() < sessions {
            match read(Duration::ZERO) {
                Ok(connection) => connections.push(connection),
                // A writer waits until nobody reads, and lets nobody else begin: it and we would wait for each other.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    drop(connections);
                    return Snapshot::backup(path, false, sessions);
                }
                Err(error) => return Err(SourceError::database(path)(error)),
            }
        }
        Ok(Snapshot { connections, guard: Guard::default(), copy: None, cut_off: None })
    }

    /// A copy of a database, changed. `live`: see [`Snapshot::take`].
    pub fn changed(
        candidate: &Candidate,
        live: bool,
        sessions: usize,
        change: Change<'_>,
    ) -> Result<Snapshot, SourceError> {
        let path = &candidate.path;
        let mut evidence = Evidence::of(path);
        let taken = Snapshot::looked_at(candidate, live, 1)?;
        let Some(source) = taken.connections.first() else {
            return Err(SourceError::Changed { path: path.clone() });
        };
        let changed = |copy: &Connection| {
            // Without a log beside it, of which those who read it know nothing.
            copy.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;")?;
            change(copy)
        };
        let mut snapshot = Snapshot::copied(path, source, sessions.max(1), Some(&changed))?;
        taken.guard.unchanged()?;
        if let Some(copy) = snapshot.copy.take() {
            evidence.keep_copy(copy);
        }
        snapshot.guard.evidence = evidence;
        snapshot.cut_off = taken.cut_off;
        Ok(snapshot)
    }

    /// One moment of a database that others may be writing to.
    fn backup(path: &Path, wal: bool, sessions: usize) -> Result<Snapshot, SourceError> {
        let source = connect(path, if wal { "mode=ro&readonly_shm=1" } else { "mode=ro" });
        Snapshot::copied(path, &source.map_err(SourceError::database(path))?, sessions, None)
    }

    fn copied(
        path: &Path,
        source: &Connection,
        sessions: usize,
        change: Option<Change<'_>>,
    ) -> Result<Snapshot, SourceError> {
        let private = private_folder(path)?;
        let copy = place_in(&private, path)?.join("snapshot.db");
        create(&copy).map_err(failed(path))?;
        let copied = || -> rusqlite::Result<()> {
            let mut target = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
            let backup = Backup::new(source, &mut target)?;
            let mut waited = Duration::ZERO;
            // All pages in one step, so from one moment.
            loop {
                match backup.step(-1)? {
                    StepResult::Done => return Ok(()),
                    StepResult::Busy | StepResult::Locked if waited < PATIENCE => {
                        let pause = Duration::from_millis(20);
                        std::thread::sleep(pause);
                        waited += pause;
                    }
                    _ => {
                        return Err(rusqlite::Error::SqliteFailure(
                            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                            None,
                        ));
                    }
                }
            }
        };
        copied().map_err(SourceError::database(path))?;
        if let Some(change) = change {
            Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE)
                .and_then(|copy| change(&copy))
                .map_err(SourceError::database(path))?;
        }
        Snapshot::of_private(path, private, &copy, sessions)
    }

    /// As [`Snapshot::backup`], file by file, for what SQLite cannot open where it lies.
    fn copy(path: &Path, sessions: usize) -> Result<Snapshot, SourceError> {
        let private = private_folder(path)?;
        let copy = place_in(&private, path)?.join("snapshot.db");
        for attempt in 1.. {
            if copy_still(path, &copy)? {
                break;
            }
            if attempt == COPIES {
                return Err(SourceError::Changed { path: path.to_owned() });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let recovered = || -> rusqlite::Result<()> {
            let connection = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            harden(&connection)?;
            // Exclusive: no -shm is needed. The checkpoint moves what is in the -wal into the database.
            connection.execute_batch(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF; \
                 SELECT 1 FROM sqlite_master; PRAGMA wal_checkpoint(TRUNCATE);",
            )
        };
        recovered().map_err(SourceError::database(path))?;
        Snapshot::of_private(path, private, &copy, sessions)
    }

    fn of_private(
        path: &Path,
        private: HiddenFolder,
        copy: &Path,
        sessions: usize,
    ) -> Result<Snapshot, SourceError> {
        let connections = (0..sessions)
            .map(|_| connect(copy, "mode=ro&immutable=1"))
            .collect::<rusqlite::Result<_>>()
            .map_err(SourceError::database(path))?;
        let file = File::open(copy).map_err(failed(path))?;
        // On Unix the connections keep the file and its name goes, so that nothing is left behind, whatever happens.
        let private = if cfg!(unix) {
            drop(private);
            None
        } else {
            Some(private)
        };
        let guard = Guard { _private: private, ..Guard::default() };
        Ok(Snapshot { connections, guard, copy: Some(file), cut_off: None })
    }
}

/// What `open` makes of the database at a path. Where it fails while somebody writes to the file it is tried again: a file
/// that was taken for still, and of which one page is older than the next, looks damaged, or like no database of Messages.
pub(in crate::source) fn opened_still<T>(
    path: &Path,
    open: impl Fn() -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let look = || recognize::candidate(path).ok().and_then(|candidate| Fingerprint::of(&candidate.path).ok());
    for _ in 0..COPIES {
        let before = look();
        let opened = open();
        // Who waited for a lock has waited long enough.
        if matches!(opened, Ok(_) | Err(SourceError::Locked { .. })) || look() == before {
            return opened;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(SourceError::Changed { path: path.to_owned() })
}

/// Opens a connection that cannot write, and makes it read the schema.
fn connect(path: &Path, mode: &str) -> rusqlite::Result<Connection> {
    connect_within(PATIENCE, path, mode)
}

/// As [`connect`]; `patience`: how long to wait for a writer.
fn connect_within(patience: Duration, path: &Path, mode: &str) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path, mode), flags)?;
    connection.busy_timeout(patience)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Makes a connection one that cannot write, and lets it read the schema.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    harden(connection)?;
    // Nothing of the user's goes to files of SQLite's own. Pages are hardly ever wanted twice: a cache that fits into
    // the processor's makes reading a tenth faster than SQLite's usual size does.
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; \
         PRAGMA cache_size = -1000; SELECT count(*) FROM sqlite_master;",
    )?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Sets up a connection to a database in which anybody may have written anything.
///
/// # Errors
/// SQLite's.
pub(crate) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    // Else statements are planned anew whenever another value is bound to them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// `file:` with everything escaped that has a meaning in a URI.
pub(super) fn uri(path: &Path, mode: &str) -> String {
    let mut uri = String::from("file:");
    let bytes = path.as_os_str().as_encoded_bytes();
    if cfg!(windows) && path.is_absolute() {
        uri.push_str("///");
    }
    for &byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b'.' | b'-' | b'_' | b'~' | b':' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push('?');
    uri.push_str(mode);
    uri
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}

/// Enough of a file to see that somebody wrote to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    bytes: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    file: (u64, u64),
}

impl Fingerprint {
    pub fn of(path: &Path) -> io::Result<Fingerprint> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        let about = fs::metadata(path)?;
        Ok(Fingerprint {
            bytes: about.len(),
            modified: about.modified().ok(),
            #[cfg(unix)]
            file: (about.dev(), about.ino()),
        })
    }
}

/// Copies a database with its log or journal; false when one of them changed meanwhile.
fn copy_still(path: &Path, copy: &Path) -> Result<bool, SourceError> {
    let files = ["", "-wal", "-journal"].map(|suffix| (beside(path, suffix), beside(copy, suffix)));
    let look = || files.each_ref().map(|(from, _)| Fingerprint::of(from).ok());
    let before = look();
    for (from, to) in &files {
        let _ = fs::remove_file(to);
        let source = match Handle::open(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && from != path => continue,
            source => source.map_err(SourceError::io(from))?,
        };
        let mut target = create(to).map_err(failed(path))?;
        io::copy(&mut source.bytes(), &mut target).map_err(failed(path))?;
    }
    Ok(before == look())
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::Snapshot { path, source }
}

/// A folder for this process alone.
pub(super) fn private_folder(path: &Path) -> Result<HiddenFolder, SourceError> {
    HiddenFolder::for_a_while().map_err(|error| failed(path)(of_the_disk(error)))
}

/// Where in it something may lie.
pub(super) fn place_in(private: &HiddenFolder, path: &Path) -> Result<PathBuf, SourceError> {
    private.aside("snapshot").map_err(|error| failed(path)(of_the_disk(error)))
}

pub(super) fn of_the_disk(error: DiskError) -> io::Error {
    match error {
        DiskError::Write { source, .. } | DiskError::Read { source, .. } => source,
        other => io::Error::other(other),
    }
}

/// A new file for this user alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// How often a statement is planned that is asked three times of other values.
    fn plans(connection: &Connection) -> rusqlite::Result<i32> {
        let mut statement = connection.prepare("SELECT min(chat_id) FROM places WHERE message_id = ?1")?;
        for message in 1..=3 {
            statement.query_row([message], |row| row.get::<_, Option<i64>>(0))?;
        }
        Ok(1 + statement.get_status(StatementStatus::RePrepare))
    }

    #[test]
    fn statements_are_planned_once() -> rusqlite::Result<()> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE places (chat_id, message_id); CREATE INDEX by_message ON places (message_id);",
        )?;
        assert!(plans(&connection)? > 1, "SQLite plans them anew by itself");
        harden(&connection)?;
        assert_eq!(plans(&connection)?, 1);
        Ok(())
    }
}
