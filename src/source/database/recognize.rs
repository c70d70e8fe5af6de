//! What lies at a path: a database to open, or what it is instead.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::handle::Handle;
use super::schema::Schema;
use crate::disk::beside_database;
use crate::source::{SourceError, SourceKind};

/// A file that begins as an SQLite database does.
#[derive(Debug)]
pub(super) struct Candidate {
    pub path: PathBuf,
    pub kind: SourceKind,
    /// By its header, it is in WAL mode.
    pub wal_mode: bool,
}

/// The files by which an iPhone backup is known.
const BACKUP: [&str; 3] = ["Manifest.db", "Manifest.mbdb", "Manifest.plist"];

/// The name of `sms.db` in a backup: SHA-1 of `HomeDomain-Library/SMS/sms.db`.
const SMS_DB_IN_BACKUP: &str = "3d0d7e5fb2ce288813306e4d4636395e047a3d28";

/// Finds the database: `path` itself, or in the folder `path`.
pub(super) fn candidate(path: &Path) -> Result<Candidate, SourceError> {
    let about = fs::metadata(path).map_err(SourceError::io(path))?;
    let file = if about.is_dir() { database_in(path)? } else { path.to_owned() };
    let mut header = [0; 100];
    let length = read_start(&file, &mut header).map_err(SourceError::io(&file))?;
    let header = header.get(..length).unwrap_or_default();
    if header.is_empty() {
        return Err(SourceError::Empty { path: file });
    }
    if !header.starts_with(b"SQLite format 3\0") {
        let what = what_else(&file, header);
        return Err(SourceError::NotADatabase { path: file, what });
    }
    check_beside(&file)?;
    let name = file.file_name().unwrap_or_default();
    let kind = if name.eq_ignore_ascii_case("sms.db") || name == SMS_DB_IN_BACKUP {
        SourceKind::Device
    } else {
        SourceKind::Library
    };
    Ok(Candidate { kind, wal_mode: header.get(18..20) == Some(&[2, 2]), path: file })
}

/// Refuses a database beside which something lies that is none of the files that SQLite keeps there: it would wait for a pipe.
fn check_beside(database: &Path) -> Result<(), SourceError> {
    for path in beside_database(database) {
        if fs::metadata(&path).is_ok_and(|about| !about.is_file()) {
            let what = "it is no file, and the database cannot be read as long as it lies beside it";
            return Err(SourceError::Io { path, source: io::Error::new(ErrorKind::InvalidInput, what) });
        }
    }
    Ok(())
}

fn database_in(folder: &Path) -> Result<PathBuf, SourceError> {
    for name in ["chat.db", "sms.db"] {
        let file = folder.join(name);
        match fs::metadata(&file) {
            Ok(about) if about.is_file() => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(SourceError::io(file)(error)),
        }
    }
    // Without Full Disk Access a Mac shows nothing in its Messages folder, and says so only when it is listed.
    fs::read_dir(folder).map_err(SourceError::io(folder))?;
    Err(SourceError::NoDatabase { path: folder.to_owned() })
}

fn read_start(file: &Path, buffer: &mut [u8]) -> io::Result<usize> {
    // A pipe or a device would be waited for, perhaps for ever.
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "neither a file nor a folder"));
    }
    let handle = Handle::open(file)?;
    let mut file = handle.bytes();
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// What a file is that is no database.
fn what_else(file: &Path, start: &[u8]) -> &'static str {
    let in_backup =
        file.ancestors().skip(1).take(2).any(|folder| BACKUP.iter().any(|name| folder.join(name).exists()));
    let known: [(&[u8], &str); 11] = [
        (b"\x37\x7f\x06\x82", "the write-ahead log of one: give the database beside it"),
        (b"\x37\x7f\x06\x83", "the write-ahead log of one: give the database beside it"),
        (b"bplist", "a property list"),
        (b"<?xml", "an XML file"),
        (b"mbdb", "the list of files of an iPhone backup"),
        (b"PK\x03\x04", "a zip archive: unpack it first"),
        (b"\x1f\x8b", "a compressed archive: unpack it first"),
        (b"BEGIN:VCARD", "a file of contacts"),
        (b"%PDF", "a PDF"),
        (b"{", "a text file"),
        (b"\x89PNG", "a picture"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| start.starts_with(magic)) {
        what
    } else if in_backup {
        "an encrypted file of an iPhone backup"
    } else if start.iter().all(|byte| *byte == 0) {
        "a file of zeros (a placeholder that was never filled, or a damaged copy)"
    } else if start.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        "a text file"
    } else {
        "something unreadable (encrypted, or damaged)"
    }
}

/// How a database of Messages is laid out (`messages-format.md` 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Layout {
    /// From iOS 6 and OS X 10.8 on. Tables `…_legacy` that an interrupted upgrade left beside it are not looked at: what
    /// they held was converted.
    Modern,
    /// iPhone OS 1 to iOS 5. The suffix of its tables' names is `_legacy` where an upgrade renamed them and was
    /// interrupted before it made the new ones; else it is empty.
    Legacy { suffix: &'static str },
}

/// How a database of Messages is laid out; or what the database is instead.
pub(super) fn layout(schema: &Schema, path: &Path) -> Result<Layout, SourceError> {
    if schema.has("message", "guid") {
        return Ok(Layout::Modern);
    }
    for (table, suffix) in [("message", ""), ("message_legacy", "_legacy")] {
        if schema.has_all(table, &["address", "date", "flags"]) {
            return Ok(Layout::Legacy { suffix });
        }
    }
    let path = path.to_owned();
    let other = |what| SourceError::NotMessages { path: path.clone(), what };
    Err(if schema.has_table("abperson") || schema.has_table("zabcdrecord") {
        other("an address book")
    } else if schema.has_table("files") && schema.has("files", "relativepath") {
        other("the list of files of an iPhone backup")
    } else if schema.has_table("call_history") || schema.has_table("zcallrecord") {
        other("a list of calls")
    } else if schema.has_table("zwamessage") {
        other("a WhatsApp database")
    } else if schema.has_table("kvtable") {
        other("a cache of names and photos that people share")
    } else if schema.tables().next().is_none() {
        other("an empty one; where it was copied without its -wal file, copy both")
    } else {
        other("another program's")
    })
}
