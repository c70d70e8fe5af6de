//! The records of all runs as they lie: in the database and as files. One that is damaged or gone in one place is put right
//! from the other.
//!
//! **Must never**: take a record for whole that neither its hash nor the record after it vouches for.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::ArchiveError;
use super::folder::Folder;
use super::own_file::{self, Own};
use super::schema::{RECORD_HASH, has_column};
use crate::disk::{hexadecimal, is_gone, is_litter};

/// No run was ever completed: there is nothing that could be damaged.
///
/// # Errors
/// [`ArchiveError::Read`]: nobody can tell.
pub fn none_written(folder: &Folder) -> Result<bool, ArchiveError> {
    match fs::read_dir(folder.runs()).and_then(|mut entries| entries.next().transpose()) {
        Err(error) if is_gone(&error) => Ok(false),
        first => Ok(first.map_err(ArchiveError::reading(folder.runs()))?.is_none()),
    }
}

/// Where a record is as its run wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    InDatabase,
    InFile,
    Nowhere,
}

/// A record is there twice, and its hash beside it: what two of the three agree on is right. `sha256`: `None` of runs of
/// earlier programs.
pub fn whole(record: &str, file: Option<&[u8]>, sha256: Option<&str>) -> Whole {
    let is_it = |bytes: &[u8]| sha256 == Some(&*hexadecimal(&Sha256::digest(bytes)));
    match file {
        _ if sha256.is_none() || is_it(record.as_bytes()) => Whole::InDatabase,
        Some(file) if is_it(file) => Whole::InFile,
        Some(file) if file == record.as_bytes() => Whole::InDatabase,
        _ => Whole::Nowhere,
    }
}

/// A record as it lies in the database.
#[derive(Debug, Clone)]
pub struct InDatabase {
    pub run: i64,
    pub date: String,
    pub name: String,
    pub text: String,
    /// The hash of the text.
    pub sha256: Option<String>,
}

/// All that are in the database.
pub fn in_database(connection: &Connection) -> rusqlite::Result<Vec<InDatabase>> {
    // Of archives that an earlier program made.
    let hash = if has_column(connection, "msgarchive_run", RECORD_HASH)? { RECORD_HASH } else { "NULL" };
    let mut statement = connection
        .prepare(&format!("SELECT run, date, name, record, {hash} FROM msgarchive_run ORDER BY run"))?;
    let text = |row: &rusqlite::Row<'_>, at| -> rusqlite::Result<String> {
        Ok(row.get_ref(at)?.as_bytes().map(String::from_utf8_lossy).unwrap_or_default().into_owned())
    };
    let rows = statement.query_map([], |row| {
        let sha256 = row.get_ref(4)?.as_str().ok().map(str::to_owned);
        Ok(InDatabase {
            run: row.get(0)?,
            date: text(row, 1)?,
            name: text(row, 2)?,
            text: text(row, 3)?,
            sha256,
        })
    })?;
    rows.collect()
}

/// All that are files, by their names, as far as they can be read.
///
/// # Errors
/// The disk's, where it cannot tell which there are.
pub fn in_files(folder: &Folder) -> io::Result<BTreeMap<String, io::Result<Vec<u8>>>> {
    let entries = match fs::read_dir(folder.runs()) {
        Err(error) if is_gone(&error) => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_string_lossy().strip_suffix(".json")
            && !is_litter(name)
        {
            // What is no file says nothing.
            files
                .insert(name.to_owned(), Own::read(&entry.path()).map(|own| own.bytes().unwrap_or_default()));
        }
    }
    Ok(files)
}

/// The hash of a record's text.
pub fn hash(text: impl AsRef<[u8]>) -> String {
    hexadecimal(&Sha256::digest(text))
}

/// What a record says of where it belongs.
pub struct Says {
    pub number: Option<i64>,
    pub name: Option<String>,
    pub date: Option<String>,
    pub archive: Option<String>,
    pub previous: Option<String>,
}

impl Says {
    pub fn of(record: &Value) -> Says {
        let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
        Says {
            number: record.get("number").and_then(Value::as_i64),
            name: text("run"),
            date: text("started"),
            archive: text("archive"),
            previous: text("previous"),
        }
    }
}

/// Puts right what one of the two places tells of the other: writes the files that are not as they should be, those of a
/// run that was killed among them, and takes into the database what only a file has. Whether there was such a one: the
/// database may be of before that run.
pub fn put_right(folder: &Folder, connection: &Connection) -> Result<bool, ArchiveError> {
    let failed = || ArchiveError::database(folder.database());
    let mut files = BTreeMap::new();
    for (name, bytes) in in_files(folder).map_err(ArchiveError::reading(folder.runs()))? {
        let path = folder.runs().join(format!("{name}.json"));
        files.insert(name, bytes.map_err(ArchiveError::reading(path))?);
    }
    let has_taken = restore(folder, connection, &files).map_err(failed())?;
    for InDatabase { run, date, name, text, sha256 } in in_database(connection).map_err(failed())? {
        let file = files.get(&name);
        let right = match whole(&text, file.map(Vec::as_slice), sha256.as_deref()) {
            Whole::InDatabase => text.clone(),
            Whole::InFile => {
                String::from_utf8_lossy(file.map(Vec::as_slice).unwrap_or_default()).into_owned()
            }
            Whole::Nowhere => continue,
        };
        let says = Says::of(&serde_json::from_str(&right).unwrap_or_default());
        let (own_name, own_date) = (says.name.unwrap_or(name.clone()), says.date.unwrap_or(date.clone()));
        let own_hash = hash(&right);
        if right != text || sha256.as_deref() != Some(&*own_hash) || own_name != name || own_date != date {
            let note =
                "UPDATE msgarchive_run SET date = ?2, name = ?3, record = ?4, sha256 = ?5 WHERE run = ?1";
            connection.execute(note, params![run, own_date, own_name, right, own_hash]).map_err(failed())?;
        }
        if let Some(number) = says.number.filter(|number| *number != run) {
            renumber(connection, run, number, &right).map_err(failed())?;
        }
        if files.get(&own_name).map(Vec::as_slice) != Some(right.as_bytes()) {
            own_file::make_folder(folder.path(), &folder.runs())?;
            let path = folder.runs().join(format!("{own_name}.json"));
            own_file::write(folder.path(), &path, right.as_bytes())?;
        }
        files.remove(&name);
        files.remove(&own_name);
    }
    // What is left is of no run.
    for name in files.keys() {
        own_file::put_aside(folder.path(), &folder.runs().join(format!("{name}.json")))?;
    }
    Ok(has_taken)
}

/// A record is kept by another number than its own; or once more.
fn renumber(connection: &Connection, run: i64, number: i64, text: &str) -> rusqlite::Result<()> {
    connection.execute("UPDATE OR IGNORE msgarchive_run SET run = ?2 WHERE run = ?1", [run, number])?;
    connection.execute(
        "DELETE FROM msgarchive_run WHERE run = ?1 AND EXISTS \
           (SELECT 1 FROM msgarchive_run o WHERE o.run = ?2 AND o.record = ?3)",
        params![run, number, text],
    )?;
    Ok(())
}

/// Takes into the database what only files have: each is vouched for by the record after it, or follows the last one. Whether
/// there was any.
fn restore(
    folder: &Folder,
    connection: &Connection,
    files: &BTreeMap<String, Vec<u8>>,
) -> rusqlite::Result<bool> {
    let there = in_database(connection)?;
    let mut lost: BTreeMap<i64, (&String, &Vec<u8>, Says)> = BTreeMap::new();
    for (name, bytes) in files {
        let says = Says::of(&serde_json::from_slice(bytes).unwrap_or_default());
        let Some(number) = says.number else { continue };
        let is_there = there.iter().any(|record| record.run == number || record.text.as_bytes() == &**bytes);
        if !is_there && says.name.as_ref() == Some(name) && says.archive.as_ref() == Some(&folder.id) {
            lost.insert(number, (name, bytes, says));
        }
    }
    let mut known: BTreeMap<i64, String> =
        there.into_iter().map(|record| (record.run, record.text)).collect();
    let is_vouched_for = |number: i64,
                          (_, bytes, says): &(&String, &Vec<u8>, Says),
                          known: &BTreeMap<i64, String>| {
        match known.get(&(number + 1)) {
            Some(after) => {
                Says::of(&serde_json::from_str(after).unwrap_or_default()).previous == Some(hash(bytes))
            }
            None => known
                .last_key_value()
                .is_none_or(|(last, text)| last + 1 == number && says.previous == Some(hash(text))),
        }
    };
    let all = lost.len();
    while let Some(number) =
        lost.iter().find(|(number, file)| is_vouched_for(**number, file, &known)).map(|(number, _)| *number)
    {
        let Some((name, bytes, says)) = lost.remove(&number) else { break };
        let text = String::from_utf8_lossy(bytes).into_owned();
        let insert =
            "INSERT INTO msgarchive_run (run, date, name, record, sha256) VALUES (?1, ?2, ?3, ?4, ?5)";
        connection.execute(insert, params![number, says.date, name, text, hash(&text)])?;
        known.insert(number, text);
    }
    Ok(lost.len() < all)
}
