//! Which files a backup has: `Manifest.db` (iOS 10 and later) or `Manifest.mbdb` (`ios-backup-format.md` 3 to 5).
//!
//! **Must never**: make a path of a name that is no file's hash, or look through all of a list for one file.

mod database;
mod mb_file;
mod records;

use rusqlite::Connection;
use sha1::{Digest as _, Sha1};

use crate::source::database::Guard;
use database::Database;
use records::Records;

/// What a file is called in a backup: SHA-1 of its domain and path, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(String);

impl FileId {
    pub fn of(domain: &str, path: &str) -> FileId {
        let hash = Sha1::digest(format!("{domain}-{path}"));
        FileId(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A stored one; `None` for what could be any path.
    fn stored(id: &str) -> Option<FileId> {
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (id.len() == 40 && id.bytes().all(hexadecimal)).then(|| FileId(id.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A regular file, as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: FileId,
    /// The number of a class and a key wrapped by it, of an encrypted one; empty where it cannot be read.
    pub wrapped_key: Option<Vec<u8>>,
    /// Its length in bytes, where that is recorded. Of databases it is often another than the file's.
    pub size: Option<u64>,
}

/// The list of files.
#[derive(Debug)]
pub(super) enum Manifest {
    Database(Box<Database>),
    Records(Records),
}

/// The bits of a mode that say what it is, and those of a regular file.
const KIND: i64 = 0xF000;
const REGULAR: i64 = 0x8000;

impl Manifest {
    /// For a plain backup without a list: what files are called can be computed.
    pub fn none() -> Manifest {
        Manifest::Records(Records::default())
    }

    pub fn is_none(&self) -> bool {
        matches!(self, Manifest::Records(records) if records.is_empty())
    }

    /// Reads `Manifest.db` with what columns it has: some were written by other programs.
    pub fn of_database(connection: Connection, guard: Guard) -> rusqlite::Result<Manifest> {
        Ok(Manifest::Database(Box::new(Database::new(connection, guard)?)))
    }

    /// Reads `Manifest.mbdb`. `None` where it is damaged.
    pub fn of_records(bytes: &[u8]) -> Option<Manifest> {
        Records::read(bytes).map(Manifest::Records)
    }

    /// The file with this path in this domain.
    pub fn find(&self, domain: &str, path: &str) -> rusqlite::Result<Option<Entry>> {
        match self {
            Manifest::Database(database) => database.find(domain, path),
            Manifest::Records(records) => Ok(records.find(domain, path)),
        }
    }

    /// The file with this path in whatever domain; of several, the first by domain.
    pub fn find_anywhere(&self, path: &str) -> rusqlite::Result<Option<Entry>> {
        match self {
            Manifest::Database(database) => database.find_anywhere(path),
            Manifest::Records(records) => Ok(records.find_anywhere(path)),
        }
    }

    /// The paths in these domains that begin so, sorted; of more than `most`, any.
    pub fn paths(&self, domains: &[&str], beginning: &str, most: usize) -> rusqlite::Result<Vec<String>> {
        let mut paths = match self {
            Manifest::Database(database) => database.paths(domains, beginning, most)?,
            Manifest::Records(records) => records.paths(domains, beginning, most),
        };
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ios-backup-format.md` 3.3.
    #[test]
    fn names_of_files() {
        for (id, domain, path) in [
            ("3d0d7e5fb2ce288813306e4d4636395e047a3d28", "HomeDomain", "Library/SMS/sms.db"),
            ("cd47480f213dba9bc38ee792775d17e3f5a73a59", "HomeDomain", "Library/SMS/sms.db-wal"),
            (
                "31bb7ba8914766d4ba40d6dfb6113c8b614be442",
                "HomeDomain",
                "Library/AddressBook/AddressBook.sqlitedb",
            ),
            (
                "7ff7fe545440ab72b1570232d0ed81b84a5334dd",
                "HomeDomain",
                "Library/Preferences/com.apple.MobileSMS.plist",
            ),
        ] {
            assert_eq!(FileId::of(domain, path).as_str(), id);
        }
        for hostile in
            ["", "../../../../../../../../etc/passwd00000000000", "3D0D7E5FB2CE288813306E4D4636395E047A3D28"]
        {
            assert_eq!(FileId::stored(hostile), None);
        }
    }
}
