//! Vouches for what the archive notes down beside Apple's rows: which source has what, why a message is absent, where
//! contents lie. Each of these tables has sums of its rows, one for each thing they speak of, in `msgarchive_sum`; and
//! the record of every run closes over the whole of each.
//!
//! What a run writes is added to them row by row, as it is written: so a row that was damaged before stays told of,
//! whatever a run did since. Only where `verify` has told of it is a sum made anew, of what there is, and the record says
//! so.
//!
//! **Must never**: make a sum anew that nobody found to be wrong.

mod digest;
mod following;
mod solver;
mod totals;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

pub use self::digest::{Digest, written_digests};
pub use self::following::Following;
pub use self::solver::Solver;
pub use self::totals::Totals;
use super::deleted_parts::DELETED_PARTS;
use super::deletions::STATES;
use super::fingerprint::{Fingerprints, mixed};
use super::guess::GUESSED;
use super::had::HAD;
use super::identifiers::{IDENTIFIERS, LOOKED_UP};
use super::moves::{ELSEWHERE, FORMER_PLACES, MOVED};
use super::participants::{MEMBERS, PARTICIPANTS};
use super::recovered::FORMER_PARTS;
use super::row::Owned;
use super::schema::has_table;

/// A table that is vouched for by sums.
#[derive(Debug)]
pub struct Notes {
    pub table: &'static str,
    /// What is summed up; first what a row speaks of.
    columns: &'static [&'static str],
    /// How many columns say what a row speaks of.
    key: usize,
    /// What numbers of the last of these share a sum: those that are the same without so many bits.
    together: u32,
}

/// So many rows of a large table share a sum, as a power of 2.
const TOGETHER: u32 = 6;

const fn each(table: &'static str, key: usize, columns: &'static [&'static str]) -> Notes {
    Notes { table, columns, key, together: 0 }
}

const fn by_many(table: &'static str, key: usize, columns: &'static [&'static str]) -> Notes {
    Notes { table, columns, key, together: TOGETHER }
}

const OF_ROW: &[&str] = &["id", "hash", "added", "since", "source"];
/// Last the one column that a row's hash leaves out.
const OF_ATTACHMENT_VERSION: &[&str] = &[
    "msgarchive_id",
    "msgarchive_version",
    "msgarchive_since",
    "msgarchive_until",
    "msgarchive_source",
    "msgarchive_hash",
    "filename",
];
const OF_VERSION: &[&str] = OF_ATTACHMENT_VERSION.split_at(OF_ATTACHMENT_VERSION.len() - 1).0;

/// Every table that no book is kept of.
pub const NOTES: [Notes; 31] = [
    each("_SqliteDatabaseProperties", 1, &["key", "value"]),
    // The one column that a row's hash leaves out.
    each("attachment", 1, &["ROWID", "filename"]),
    by_many("msgarchive_handle", 1, OF_ROW),
    by_many("msgarchive_chat", 1, OF_ROW),
    by_many("msgarchive_attachment", 1, OF_ROW),
    by_many("msgarchive_message", 1, OF_ROW),
    each("msgarchive_chat_version", 1, OF_VERSION),
    each("msgarchive_attachment_version", 1, OF_ATTACHMENT_VERSION),
    each("msgarchive_message_version", 1, OF_VERSION),
    each(SOURCES, 1, &["source", "kind", "path", "device", "highest", "first_run", "last_run", "inherited"]),
    each(INHERITED, 1, &["source", "kind", "last"]),
    by_many(SIGHTINGS, 3, &["kind", "source", "source_rowid", "id", "fingerprint", "since"]),
    each(ABSENCES, 1, &["message", "source", "run", "reason", "date", "gone", "returned"]),
    each(PLACED, 1, &["attachment", "original", "path", "film", "source", "run"]),
    each(FORMERLY_PLACED, 1, &["attachment", "original", "path", "film", "source", "run", "until"]),
    each(FILES, 1, &["path", "bytes", "sha256", "run"]),
    each("msgarchive_lost", 2, &["kind", "id", "since", "hash", "run"]),
    each(ALIASES, 1, &["guid", "message", "run"]),
    // The rest of a card is in its hash.
    each("msgarchive_contact", 1, &["name", "source", "since", "until", "hash"]),
    each(MEMBERS, 2, &["source", "chat", "handle"]),
    each(PARTICIPANTS, 1, &["chat", "handle", "since", "until"]),
    each(LOOKED_UP, 2, &["source", "chat", "domain", "identifier"]),
    each(IDENTIFIERS, 1, &["chat", "domain", "identifier", "since", "until", "priority"]),
    each(MOVED, 1, &["message", "chat", "run"]),
    by_many(ELSEWHERE, 1, &["message", "source", "chat"]),
    each(FORMER_PLACES, 1, &["message", "chat", "since", "until"]),
    each(STATES, 1, &["source", "run", "date"]),
    each(FORMER_PARTS, 1, &["message", "chat", "part", "delete_date", "part_text", "source", "until"]),
    each(DELETED_PARTS, 1, &["message", "part", "source", "since", "gone"]),
    each(HAD, 1, &["message", "source", "since", "until"]),
    each(GUESSED, 1, &["message", "source", "run"]),
];

/// Which source has which row.
pub const SIGHTINGS: &str = "msgarchive_sighting";
/// The sources.
pub const SOURCES: &str = "msgarchive_source";
/// How many former states of another archive were taken over.
pub const INHERITED: &str = "msgarchive_inherited";
/// What a source has no more.
pub const ABSENCES: &str = "msgarchive_absence";
/// Where contents lie.
pub const PLACED: &str = "msgarchive_content";
/// Where contents lie that are not shown.
pub const FORMERLY_PLACED: &str = "msgarchive_former_content";
/// The contents.
pub const FILES: &str = "msgarchive_file";
/// Other GUIDs of messages.
pub const ALIASES: &str = "msgarchive_alias";
/// The sums of all these.
pub const SUMS: &str = "msgarchive_sum";
/// What the database is made of: summed up by object.
pub const OBJECTS: &str = "sqlite_master";

/// Sums by what their rows speak of.
pub type Sums = BTreeMap<String, i64>;

impl Notes {
    fn list(&self, prefix: &str) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| format!("{prefix}{name}")).collect();
        names.join(", ")
    }

    fn hashes(&self) -> Fingerprints {
        Fingerprints::new(self.table, self.columns)
    }

    /// What a row adds to its sum. Not only the sum of what is in it: two rows may have exchanged that.
    fn weight<'v>(&self, hashes: &Fingerprints, value: impl Fn(usize) -> ValueRef<'v>) -> i64 {
        let columns = 0..self.columns.len();
        mixed(columns.fold(0i64, |sum, at| sum.wrapping_add(hashes.exactly(at, value(at)))))
    }

    /// What a row speaks of, in one text.
    fn about<'v>(&self, value: impl Fn(usize) -> ValueRef<'v>, about: &mut String) {
        about.clear();
        for at in 0..self.key {
            let blank = if at > 0 { " " } else { "" };
            let _ = match value(at) {
                ValueRef::Integer(number) if at + 1 == self.key => {
                    write!(about, "{blank}{}", number >> self.together)
                }
                ValueRef::Integer(number) => write!(about, "{blank}{number}"),
                ValueRef::Null => write!(about, "{blank}"),
                ValueRef::Real(number) => write!(about, "{blank}{number}"),
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    write!(about, "{blank}{}", String::from_utf8_lossy(text))
                }
            };
        }
    }

    /// The sums of the rows that are there.
    pub fn there(&self, connection: &Connection) -> rusqlite::Result<Sums> {
        let mut sums = Sums::new();
        self.each_sum(connection, |about, sum| add(&mut sums, about.to_owned(), sum))?;
        Ok(sums)
    }

    /// Calls `each` with what rows add to a sum, for all that lie beside each other.
    fn each_sum(&self, connection: &Connection, mut each: impl FnMut(&str, i64)) -> rusqlite::Result<()> {
        if !has_table(connection, self.table)? {
            return Ok(());
        }
        let hashes = self.hashes();
        let sql = format!("SELECT {} FROM {} NOT INDEXED", self.list(""), self.table);
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        // Rows that share a sum mostly lie beside each other.
        let (mut last, mut about, mut sum) = (String::new(), String::new(), 0i64);
        while let Some(row) = rows.next()? {
            let value = |at| row.get_ref(at).unwrap_or(ValueRef::Null);
            self.about(value, &mut about);
            if about != last {
                each(&last, sum);
                last.clone_from(&about);
                sum = 0;
            }
            sum = sum.wrapping_add(self.weight(&hashes, value));
        }
        each(&last, sum);
        Ok(())
    }

    /// What is summed up; first what a row speaks of.
    pub fn columns(&self) -> &'static [&'static str] {
        self.columns
    }

    /// How many columns say what a row speaks of.
    pub fn key(&self) -> usize {
        self.key
    }

    /// These values as they would speak of something else; `None` where that is one of many.
    pub fn speaking_of(&self, values: &[Owned], about: &str) -> Option<Vec<Owned>> {
        let mut values = values.to_vec();
        let parts: Vec<&str> = about.splitn(self.key, ' ').collect();
        for (value, part) in values.iter_mut().zip(&parts) {
            *value = match value {
                Owned::Text(_) => Owned::Text(part.as_bytes().to_vec()),
                _ => Owned::Integer(part.parse().ok()?),
            };
        }
        (self.together == 0 && parts.len() == self.key).then_some(values)
    }

    /// What the number is called that this one shares a sum under.
    pub fn shared(&self, number: i64) -> i64 {
        number >> self.together
    }

    /// What works out of a sum what rows there were.
    pub fn solver(&self) -> Solver<'_> {
        Solver { notes: self, hashes: self.hashes() }
    }

    /// The first number of what shares this sum, and how many there are; `None` where it is no number.
    pub fn numbers(&self, about: &str) -> Option<(i64, i64)> {
        let number: i64 = about.rsplit(' ').next()?.parse().ok()?;
        Some((number << self.together, 1 << self.together))
    }
}

/// Whether the sums of a table are those that the last record closes over.
pub fn are_vouched_for(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let last = super::record::latest(connection)?.and_then(|(_, text)| Totals::of_record(&text));
    let written = written_digests(connection)?;
    let total = |written: &BTreeMap<String, Digest>| written.get(table).map_or(0, |digest| digest.total);
    Ok(last.zip(written).is_some_and(|(last, written)| total(&written) == last.of(table)))
}

/// The first of the numbers that share a sum with this one, in a large table.
pub fn first_together(number: i64) -> i64 {
    number >> TOGETHER << TOGETHER
}

/// The last of them.
pub fn last_together(number: i64) -> i64 {
    first_together(number) | ((1 << TOGETHER) - 1)
}

fn add(sums: &mut Sums, about: String, sum: i64) {
    if sum != 0 {
        let of = sums.entry(about).or_default();
        *of = of.wrapping_add(sum);
    }
}

/// The sum of one more table: what the database is made of.
pub fn objects(connection: &Connection) -> rusqlite::Result<Sums> {
    let hashes = Fingerprints::new(OBJECTS, &["name", "type", "tbl_name", "sql"]);
    let mut statement = connection.prepare(
        "SELECT name, type, tbl_name, sql FROM main.sqlite_master WHERE sql IS NOT NULL ORDER BY name",
    )?;
    let mut rows = statement.query([])?;
    let mut sums = Sums::new();
    while let Some(row) = rows.next()? {
        let sum = (0..4).fold(0i64, |sum, at| {
            sum.wrapping_add(hashes.exactly(at, row.get_ref(at).unwrap_or(ValueRef::Null)))
        });
        let name = row.get_ref(0)?.as_bytes().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        add(&mut sums, name, mixed(sum));
    }
    Ok(sums)
}

/// The sums of all tables, as they are there: by table.
pub fn there(connection: &Connection) -> rusqlite::Result<BTreeMap<&'static str, Sums>> {
    let mut all = BTreeMap::new();
    for notes in &NOTES {
        all.insert(notes.table, notes.there(connection)?);
    }
    all.insert(OBJECTS, objects(connection)?);
    Ok(all)
}

/// The sum of all rows of a table.
pub fn total(sums: &Sums) -> i64 {
    sums.values().fold(0, |total, sum| total.wrapping_add(*sum))
}

/// The sums that runs wrote down of one table.
pub fn written_of(connection: &Connection, table: &str) -> rusqlite::Result<Sums> {
    let mut statement = connection.prepare("SELECT about, sum FROM msgarchive_sum WHERE tbl = ?1")?;
    let sums = statement.query_map([table], |row| {
        let about = row.get_ref(0)?.as_bytes().unwrap_or_default();
        Ok((String::from_utf8_lossy(about).into_owned(), row.get_ref(1)?.as_i64().unwrap_or_default()))
    })?;
    sums.collect()
}

/// A sum that is not what the rows are; `about`: `None` of a whole table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrongSum {
    pub table: String,
    pub about: Option<String>,
}

/// Whether there are sums to add to.
pub fn are_there(connection: &Connection) -> rusqlite::Result<bool> {
    has_table(connection, "msgarchive_sum")
}

/// Makes the sums of what there is.
pub fn make(connection: &Connection) -> rusqlite::Result<Totals> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS msgarchive_sum (
           tbl TEXT NOT NULL, about TEXT NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (tbl, about)) WITHOUT ROWID;
         DELETE FROM msgarchive_sum;",
    )?;
    let mut totals = Totals::default();
    for (table, sums) in there(connection)? {
        for (about, sum) in &sums {
            write(connection, table, about, *sum)?;
        }
        totals.change(table, total(&sums));
    }
    Ok(totals)
}

fn write(connection: &Connection, table: &str, about: &str, sum: i64) -> rusqlite::Result<()> {
    match sum {
        0 => connection
            .prepare_cached("DELETE FROM msgarchive_sum WHERE tbl = ?1 AND about = ?2")?
            .execute([table, about]),
        _ => connection
            .prepare_cached("INSERT OR REPLACE INTO msgarchive_sum (tbl, about, sum) VALUES (?1, ?2, ?3)")?
            .execute(params![table, about, sum]),
    }?;
    Ok(())
}

/// Removes sums of a table whose names are no text any more: those could not be named when they were told of.
fn without_strange_names(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    let mut names = connection.prepare("SELECT CAST(about AS BLOB) FROM msgarchive_sum WHERE tbl = ?1")?;
    let names: Vec<Vec<u8>> = names.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut remove =
        connection.prepare("DELETE FROM msgarchive_sum WHERE tbl = ?1 AND CAST(about AS BLOB) = ?2")?;
    for name in names.iter().filter(|name| std::str::from_utf8(name).is_err()) {
        remove.execute(params![table, name])?;
    }
    Ok(())
}

/// The sum that is written down of what rows speak of.
pub fn read(connection: &Connection, table: &str, about: &str) -> rusqlite::Result<i64> {
    let sum = connection
        .prepare_cached("SELECT sum FROM msgarchive_sum WHERE tbl = ?1 AND about = ?2")?
        .query_row([table, about], |row| row.get(0))
        .optional()?;
    Ok(sum.unwrap_or_default())
}
