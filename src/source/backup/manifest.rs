//! Which files a backup has: `Manifest.db` (iOS 10 and later) or `Manifest.mbdb` (`ios-backup-format.md` 3 to 5).
//!
//! **Must never**: make a path of a name that is no file's hash.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rusqlite::{Connection, OptionalExtension as _};
use sha1::{Digest as _, Sha1};

use crate::property_list::{Object, Plist, References, Value};
use crate::source::database::{Columns, Guard, Schema, lock};

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
}

/// The list of files.
#[derive(Debug)]
pub(super) enum Manifest {
    Database {
        connection: Mutex<Connection>,
        queries: Box<Queries>,
        _guard: Box<Guard>,
    },
    /// Of `Manifest.mbdb`: by domain and path.
    Records(BTreeMap<(String, String), Entry>),
}

/// The column `flags` of a regular file, a folder and a symbolic link.
const FILE: i64 = 1;
const OTHERS: [i64; 2] = [2, 4];
/// What is asked of `Manifest.db`.
#[derive(Debug)]
pub(super) struct Queries {
    by_id: String,
    by_path: String,
    /// Of regular files: (domain, path), from a path on, up to another.
    paths: String,
}

impl Queries {
    fn new(schema: &Schema) -> Queries {
        let column = |name: &str| schema.column("files", "f", name);
        let entry = ["fileid", "flags", "file"].map(column).join(", ");
        let (id, path, domain, flags) =
            (column("fileid"), column("relativepath"), column("domain"), column("flags"));
        Queries {
            by_id: format!("SELECT {entry} FROM Files f WHERE {id} = ?1"),
            by_path: format!("SELECT {entry} FROM Files f WHERE {path} = ?1 ORDER BY {domain}"),
            paths: format!(
                "SELECT {domain}, {path} FROM Files f WHERE {path} >= ?1 AND {path} < ?2 \
                 AND coalesce({flags}, {FILE}) NOT IN ({}, {})",
                OTHERS[0], OTHERS[1]
            ),
        }
    }
}

/// The bits of a mode that say what it is, and those of a regular file.
const KIND: i64 = 0xF000;
const REGULAR: i64 = 0x8000;

impl Manifest {
    /// For a plain backup without a list: what files are called can be computed.
    pub fn none() -> Manifest {
        Manifest::Records(BTreeMap::new())
    }

    pub fn is_none(&self) -> bool {
        matches!(self, Manifest::Records(records) if records.is_empty())
    }

    /// Reads `Manifest.db` with what columns it has: some were written by other programs.
    pub fn of_database(connection: Connection, guard: Guard) -> rusqlite::Result<Manifest> {
        let schema = Schema::probe(&connection)?;
        let queries = Box::new(Queries::new(&schema));
        Ok(Manifest::Database { connection: Mutex::new(connection), queries, _guard: Box::new(guard) })
    }

    /// The file with this path in this domain.
    pub fn find(&self, domain: &str, path: &str) -> rusqlite::Result<Option<Entry>> {
        match self {
            Manifest::Database { connection, queries, .. } => {
                let connection = lock(connection);
                let mut statement = connection.prepare_cached(&queries.by_id)?;
                let id = FileId::of(domain, path);
                Ok(statement.query_row([id.as_str()], |row| Ok(entry(row))).optional()?.flatten())
            }
            Manifest::Records(records) => Ok(records.get(&(domain.to_owned(), path.to_owned())).cloned()),
        }
    }

    /// The file with this path in whatever domain; of several, the first by domain.
    pub fn find_anywhere(&self, path: &str) -> rusqlite::Result<Option<Entry>> {
        match self {
            Manifest::Database { connection, queries, .. } => {
                let connection = lock(connection);
                let mut statement = connection.prepare_cached(&queries.by_path)?;
                let mut entries = statement.query_map([path], |row| Ok(entry(row)))?;
                let found = entries.find_map(Result::transpose);
                found.transpose()
            }
            Manifest::Records(records) => {
                Ok(records.iter().find(|((_, known), _)| known == path).map(|(_, entry)| entry.clone()))
            }
        }
    }

    /// The paths in these domains that begin so, sorted; of more than `most`, any.
    pub fn paths(&self, domains: &[&str], beginning: &str, most: usize) -> rusqlite::Result<Vec<String>> {
        let wanted = |domain: &str, path: &str| domains.contains(&domain) && path.starts_with(beginning);
        let mut paths = match self {
            Manifest::Database { connection, queries, .. } => {
                let connection = lock(connection);
                // What follows every path that begins so.
                let end = format!("{beginning}\u{10FFFF}");
                let mut statement = connection.prepare_cached(&queries.paths)?;
                let rows = statement.query_map([beginning, &end], |row| {
                    let mut c = Columns::from(row, 0);
                    Ok((c.text().unwrap_or_default(), c.text().unwrap_or_default()))
                })?;
                let rows = rows.filter(|row| row.as_ref().map_or(true, |(d, p)| wanted(d, p)));
                let paths = rows.take(most).map(|row| row.map(|(_, path)| path));
                paths.collect::<rusqlite::Result<Vec<_>>>()?
            }
            Manifest::Records(records) => {
                let from = |domain: &&str| records.range(((*domain).to_owned(), beginning.to_owned())..);
                let keys = domains
                    .iter()
                    .flat_map(|domain| from(domain).map(|(key, _)| key).take_while(|(d, p)| wanted(d, p)));
                keys.take(most).map(|(_, path)| path.clone()).collect()
            }
        };
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    /// Reads `Manifest.mbdb`. `None` where it is damaged.
    pub fn of_records(bytes: &[u8]) -> Option<Manifest> {
        let mut rest = bytes.strip_prefix(b"mbdb\x05\x00")?;
        let mut records = BTreeMap::new();
        while !rest.is_empty() {
            let Record { domain, path, mode, wrapped_key } = record(&mut rest)?;
            if i64::from(mode) & KIND == REGULAR {
                let id = FileId::of(&domain, &path);
                records.insert((domain, path), Entry { id, wrapped_key });
            }
        }
        Some(Manifest::Records(records))
    }
}

/// `None` for what is no regular file.
fn entry(row: &rusqlite::Row<'_>) -> Option<Entry> {
    let mut c = Columns::from(row, 0);
    let (id, flags, file) = (c.text(), c.number(), c.bytes());
    let id = FileId::stored(&id?)?;
    if OTHERS.contains(&flags) {
        return None;
    }
    let about = file.as_deref().and_then(mb_file);
    let mode = about.as_ref().and_then(|about| about.mode);
    // Some writers leave the flags at 0.
    if flags != FILE && mode.is_some_and(|mode| mode & KIND != REGULAR) {
        return None;
    }
    let unreadable = file.is_some() && about.is_none();
    let wrapped_key = about.and_then(|about| about.wrapped_key).or_else(|| unreadable.then(Vec::new));
    Some(Entry { id, wrapped_key })
}

/// What is needed of an `MBFile`.
struct MbFile {
    mode: Option<i64>,
    wrapped_key: Option<Vec<u8>>,
}

/// The column `file`: a keyed archive of an `MBFile`.
fn mb_file(archive: &[u8]) -> Option<MbFile> {
    let archive = Plist::read(archive.into())?;
    let Value::Array(objects) = archive.root().get("$objects")?.value() else { return None };
    let root = resolved(objects, archive.root().get("$top")?.get("root")?)?;
    let mode = match root.get("Mode").map(Object::value) {
        Some(Value::Int(mode)) => Some(mode),
        _ => None,
    };
    // Raw, or in an NSData.
    let data = |key| {
        let key = resolved(objects, key)?;
        match key.get("NS.data").and_then(|data| resolved(objects, data)).unwrap_or(key).value() {
            Value::Data(data) => Some(data.to_vec()),
            _ => None,
        }
    };
    let wrapped_key = root.get("EncryptionKey").map(|key| data(key).unwrap_or_default());
    Some(MbFile { mode, wrapped_key })
}

/// Follows a reference to one of an archive's objects.
fn resolved<'p>(objects: References<'p>, object: Object<'p>) -> Option<Object<'p>> {
    match object.value() {
        Value::Uid(number) => objects.get(usize::try_from(number).ok()?),
        _ => Some(object),
    }
}

/// What is needed of a record of `Manifest.mbdb`.
struct Record {
    domain: String,
    path: String,
    mode: u16,
    wrapped_key: Option<Vec<u8>>,
}

/// Takes a record off the front (`ios-backup-format.md` 5).
fn record(bytes: &mut &[u8]) -> Option<Record> {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let domain = text(string(bytes)?);
    let path = text(string(bytes)?);
    let (_link_target, _hash) = (string(bytes)?, string(bytes)?);
    let wrapped_key = string(bytes)?.map(<[u8]>::to_vec);
    let mode = u16::from_be_bytes(take(bytes, 2)?.try_into().ok()?);
    // Inode, owner, group, three dates, length, protection class.
    take(bytes, 8 + 4 + 4 + 3 * 4 + 8 + 1)?;
    let properties = *take(bytes, 1)?.first()?;
    for _ in 0..properties {
        string(bytes)?;
        string(bytes)?;
    }
    Some(Record { domain, path, mode, wrapped_key })
}

/// The outer `None`: damaged; the inner one: no value.
fn string<'b>(bytes: &mut &'b [u8]) -> Option<Option<&'b [u8]>> {
    match u16::from_be_bytes(take(bytes, 2)?.try_into().ok()?) {
        u16::MAX => Some(None),
        length => Some(Some(take(bytes, usize::from(length))?)),
    }
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
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

    /// An archive of an `MBFile` that says where its key is.
    fn archive(root: plist::Dictionary, others: Vec<plist::Value>) -> Vec<u8> {
        use plist::{Dictionary, Uid, Value};
        let mut objects = vec![Value::from("$null"), Value::Dictionary(root)];
        objects.extend(others);
        let mut top = Dictionary::new();
        top.insert("root".into(), Value::Uid(Uid::new(1)));
        let mut archive = Dictionary::new();
        archive.insert("$top".into(), Value::Dictionary(top));
        archive.insert("$objects".into(), Value::Array(objects));
        let mut bytes = Vec::new();
        Value::Dictionary(archive).to_writer_binary(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn keys_are_read_raw_and_in_an_object() {
        use plist::{Dictionary, Uid, Value};
        let key = Value::Data(vec![7; 44]);
        let of = |key: Value| {
            let mut root = Dictionary::new();
            root.insert("Mode".into(), 0x81A4.into());
            root.insert("EncryptionKey".into(), key);
            root
        };
        let mut data = Dictionary::new();
        data.insert("NS.data".into(), key.clone());
        let referenced = |object| archive(of(Value::Uid(Uid::new(2))), vec![object]);
        for bytes in [
            referenced(key.clone()),
            referenced(Value::Dictionary(data.clone())),
            archive(of(key.clone()), Vec::new()),
            archive(of(Value::Dictionary(data)), Vec::new()),
        ] {
            let about = mb_file(&bytes).unwrap();
            assert_eq!((about.mode, about.wrapped_key), (Some(0x81A4), Some(vec![7; 44])));
        }
        let nothing = mb_file(&archive(of(Value::Uid(Uid::new(9))), Vec::new())).unwrap();
        assert_eq!(nothing.wrapped_key, Some(Vec::new()));
    }

    /// Lists in each other, none of which ends: whoever built a tree of them would not come back.
    #[test]
    fn archives_made_to_hurt_cost_nothing() {
        let mut bytes = b"bplist00".to_vec();
        let levels = 200_000_u32;
        for level in 1..=levels {
            bytes.push(0xA1);
            bytes.extend((level % levels).to_be_bytes());
        }
        let table = bytes.len() as u64;
        (0..levels).for_each(|level| bytes.extend((8 + 5 * level).to_be_bytes()));
        bytes.extend([0, 0, 0, 0, 0, 0, 4, 4]);
        for word in [u64::from(levels), 0, table] {
            bytes.extend(word.to_be_bytes());
        }
        assert!(mb_file(&bytes).is_none());
    }

    #[test]
    fn records_of_an_old_manifest() {
        let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
        let none = b"\xff\xff".to_vec();
        let record = |path: &str, mode: u16, key: Vec<u8>| {
            [
                string("MediaDomain"),
                string(path),
                none.clone(),
                string("01234567890123456789"),
                key,
                mode.to_be_bytes().to_vec(),
                vec![0; 37],
                vec![1],
                string("name"),
                none.clone(),
            ]
            .concat()
        };
        let key = [&44_u16.to_be_bytes()[..], &[7; 44]].concat();
        let bytes = [
            b"mbdb\x05\x00".to_vec(),
            record("Library/SMS/Parts", 0x41ED, none.clone()),
            record("Library/SMS/Parts/0a/10/1-0.jpg", 0x81A4, key),
            record("Library/Other", 0x81A4, none.clone()),
        ]
        .concat();
        let manifest = Manifest::of_records(&bytes).unwrap();
        let found = manifest.find("MediaDomain", "Library/SMS/Parts/0a/10/1-0.jpg").unwrap().unwrap();
        assert_eq!(found.wrapped_key, Some(vec![7; 44]));
        assert_eq!(manifest.find("MediaDomain", "Library/SMS/Parts").unwrap(), None);
        assert!(manifest.find_anywhere("Library/Other").unwrap().is_some());
        let parts = manifest.paths(&["MediaDomain"], "Library/SMS/Parts/", usize::MAX).unwrap();
        assert_eq!(parts, ["Library/SMS/Parts/0a/10/1-0.jpg"]);
        for cut in 7..bytes.len() {
            let whole_records = Manifest::of_records(&bytes[..cut]).is_some();
            assert_eq!(whole_records, [6].contains(&cut) || ends_a_record(&bytes, cut), "{cut}");
        }
        assert!(Manifest::of_records(b"mbdx").is_none());
    }

    /// Whether a record ends at this byte of the three above.
    fn ends_a_record(bytes: &[u8], cut: usize) -> bool {
        let mut rest = &bytes[6..];
        while let Some(taken) = (!rest.is_empty()).then(|| record(&mut rest)).flatten() {
            drop(taken);
            if bytes.len() - rest.len() == cut {
                return true;
            }
        }
        false
    }
}
