//! A database that lies on no disk under a name: what was encrypted is read from a file that nobody can open, or from
//! memory.
//!
//! On Unix the connections open an empty private file, its name goes, and only then is it filled: whatever ends the
//! program, the system takes the file back. Elsewhere an open file keeps its name, so the database is in memory.
//!
//! **Must never**: write a plain byte to a file that has a name.

use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::cut_off;
use super::log::Log;
use super::snapshot::{Guard, Snapshot, create, failed, of_the_disk, place_in, prepare, private_folder, uri};
use crate::source::SourceError;

/// Connections to the database that `plain` gives, with what its log has. `path` is where it lies, encrypted.
pub(super) fn hidden(
    path: &Path,
    plain: &mut dyn Read,
    log: Option<Log<'_>>,
    sessions: usize,
) -> Result<Snapshot, SourceError> {
    match cfg!(unix) {
        true => without_name(path, plain, log, sessions),
        false => in_memory(path, plain, log, sessions),
    }
}

fn without_name(
    path: &Path,
    plain: &mut dyn Read,
    log: Option<Log<'_>>,
    sessions: usize,
) -> Result<Snapshot, SourceError> {
    let private = private_folder(path)?;
    let name = place_in(&private, path)?.join("hidden.db");
    let mut file = create(&name).map_err(failed(path))?;
    let name = uri(&name, "mode=ro&nolock=1");
    let connections: rusqlite::Result<Vec<Connection>> =
        (0..sessions).map(|_| connect(&name, OpenFlags::SQLITE_OPEN_READ_ONLY)).collect();
    let connections = connections.map_err(SourceError::database(path))?;
    private.close().map_err(|error| failed(path)(of_the_disk(error)))?;
    fill(&mut file, plain, log).map_err(failed(path))?;
    for connection in &connections {
        prepare(connection).map_err(SourceError::database(path))?;
    }
    let bytes = file.metadata().map_err(failed(path))?.len();
    let cut_off = is_cut_off(path, bytes, &connections)?;
    Ok(Snapshot { connections, guard: Guard::default(), copy: None, cut_off })
}

fn connect(uri: &str, access: OpenFlags) -> rusqlite::Result<Connection> {
    let usual = OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, access | usual)
}

/// Copies a database, and what its log has.
fn fill(to: &mut (impl Write + Seek), mut plain: &mut dyn Read, log: Option<Log<'_>>) -> io::Result<()> {
    let mut header = Vec::with_capacity(HEADER as usize);
    (&mut plain).take(HEADER).read_to_end(&mut header)?;
    say_unlogged(&mut header);
    to.write_all(&header)?;
    io::copy(plain, to)?;
    log.map_or(Ok(()), |log| log.apply(to))
}

/// Lets a database's first bytes say that it has no log: what has no name has none beside it.
pub(super) fn say_unlogged(header: &mut [u8]) {
    if let Some(versions) = header.get_mut(18..20).filter(|versions| *versions == LOGGED) {
        versions.copy_from_slice(&UNLOGGED);
    }
}

/// Bytes of a database's header.
const HEADER: u64 = 100;
/// The versions of a file's format, for writing and for reading, with a write-ahead log and without.
const LOGGED: [u8; 2] = [2, 2];
const UNLOGGED: [u8; 2] = [1, 1];

/// All connections share one database of SQLite's own in memory.
fn in_memory(
    path: &Path,
    plain: &mut dyn Read,
    log: Option<Log<'_>>,
    sessions: usize,
) -> Result<Snapshot, SourceError> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("file:/hidden-{}?vfs=memdb", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut bytes = Cursor::new(Vec::new());
    fill(&mut bytes, plain, log).map_err(failed(path))?;
    let bytes = bytes.into_inner();
    let shared = || -> rusqlite::Result<Vec<Connection>> {
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let mut first = connect(&name, access | OpenFlags::SQLITE_OPEN_CREATE)?;
        let mut whole = Connection::open_in_memory()?;
        whole.deserialize_read_exact("main", bytes.as_slice(), bytes.len(), true)?;
        Backup::new(&whole, &mut first)?.step(-1)?;
        let others = (1..sessions).map(|_| connect(&name, access));
        let connections: Vec<Connection> =
            std::iter::once(Ok(first)).chain(others).collect::<rusqlite::Result<_>>()?;
        connections.iter().try_for_each(prepare)?;
        Ok(connections)
    };
    let connections = shared().map_err(SourceError::database(path))?;
    let cut_off = is_cut_off(path, bytes.len() as u64, &connections)?;
    Ok(Snapshot { connections, guard: Guard::default(), copy: None, cut_off })
}

fn is_cut_off(path: &Path, bytes: u64, connections: &[Connection]) -> Result<Option<String>, SourceError> {
    let first = connections.first().map(|first| cut_off::shorter(bytes, first));
    Ok(first.transpose().map_err(SourceError::database(path))?.flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database of some pages, in the mode that databases of Messages are in.
    fn database(page_size: u32) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!(
            "PRAGMA page_size = {page_size}; PRAGMA journal_mode = WAL; CREATE TABLE t (x);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO t SELECT 'row ' || i FROM n;"
        ))
        .unwrap();
        db.close().unwrap();
        std::fs::read(&path).unwrap()
    }

    #[test]
    fn every_connection_reads_it_and_nothing_has_a_name() {
        for page_size in [1024, 4096, 16_384] {
            let bytes = database(page_size);
            assert_eq!(bytes[18..20], [2, 2]);
            for open in [without_name, in_memory] {
                let snapshot = open(Path::new("blob"), &mut bytes.as_slice(), None, 3).unwrap();
                assert_eq!(snapshot.connections.len(), 3);
                for connection in &snapshot.connections {
                    let count: i64 =
                        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
                    assert_eq!(count, 5000);
                    assert!(connection.execute("DELETE FROM t", []).is_err());
                }
            }
        }
    }

    #[test]
    fn what_is_no_database_is_an_error() {
        let noise: Vec<u8> = (0..10_000_u32).map(|i| (i * 31 % 251) as u8).collect();
        for open in [without_name, in_memory] {
            assert!(open(Path::new("blob"), &mut noise.as_slice(), None, 2).is_err());
        }
    }
}
