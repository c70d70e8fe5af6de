//! What an archive says of where it has its messages from: which sources it was fed from, in which runs, and as of when
//! it is shown.
//!
//! **Must never**: take a date for that of a deletion. A run knows when it looked, and nothing of the time between.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::database::{Schema, scan};
use super::dates::{apple_date, instant};
use crate::disk::hexadecimal;
use crate::model::Instant;

/// Of an archive as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Custody {
    /// It is shown as it was then; what was added later is left out of everything else here, too. `None`: as it is.
    pub as_of: Option<Instant>,
    /// How many runs were completed.
    pub runs: u64,
    /// When the first and the last of them began.
    pub first: Option<Instant>,
    pub last: Option<Instant>,
    /// The last run's record.
    pub record: Option<Record>,
    /// In the order in which they were first read.
    pub sources: Vec<Fed>,
    /// Messages, at least so many, that damage took altogether, and of which nothing tells in which chat they were; of others
    /// [`RawChat`](super::RawChat) tells.
    pub lost_anywhere: u64,
}

/// The record of a run. It closes over that of the run before it, and so over all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The name of its file in `runs`, without its ending.
    pub name: String,
    /// SHA-256 of its text, lower-case hexadecimal.
    pub sha256: String,
}

/// A source that the archive was fed from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fed {
    /// As [`SourceKind::name`](super::SourceKind::name) spells it.
    pub kind: String,
    /// Where it lay when it was read last.
    pub path: String,
    /// Whose backup it is, where that says so.
    pub device: Option<String>,
    /// When it was read for the first and for the last time.
    pub first: Option<Instant>,
    pub last: Option<Instant>,
}

impl Custody {
    /// Reads what there is; nothing of what lost its tables. `as_of`: RFC 3339.
    pub(super) fn read(
        connection: &Connection,
        schema: &Schema,
        as_of: Option<&str>,
    ) -> rusqlite::Result<Custody> {
        let mut custody = Custody { as_of: as_of.and_then(instant), ..Custody::default() };
        let mut dates = HashMap::new();
        scan(connection, Some("SELECT run, date, name FROM msgarchive_run ORDER BY run"), |c| {
            let (run, date) = (c.number(), c.text().as_deref().and_then(instant));
            custody.runs += 1;
            custody.first = custody.first.or(date);
            custody.last = date.or(custody.last);
            dates.insert(run, date);
        })?;
        let latest = "SELECT name, record FROM msgarchive_run ORDER BY run DESC LIMIT 1";
        scan(connection, Some(latest), |c| {
            let (name, text) = (c.text().unwrap_or_default(), c.text().unwrap_or_default());
            custody.record = Some(Record { name, sha256: hexadecimal(&Sha256::digest(text)) });
        })?;
        let fed = "SELECT kind, path, device, first_run, last_run FROM msgarchive_source ORDER BY first_run, source";
        scan(connection, Some(fed).filter(|_| schema.has_table("msgarchive_source")), |c| {
            let (kind, path, device) = (c.text(), c.text(), c.text());
            let [first, last] = [c.number(), c.number()].map(|run| dates.get(&run).copied().flatten());
            let (kind, path) = (kind.unwrap_or_default(), path.unwrap_or_default());
            custody.sources.push(Fed { kind, path, device, first, last });
        })?;
        Ok(custody)
    }
}

const SECOND: i64 = 1_000_000_000;

/// When each source was read.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// By source, then by run: when it began, as Apple counts, in whole seconds.
    dates: HashMap<i64, BTreeMap<i64, i64>>,
}

impl Visits {
    /// As the records say; nothing of a run whose record is lost.
    pub fn read(connection: &Connection) -> rusqlite::Result<Visits> {
        let mut visits = Visits::default();
        let sql = "SELECT json_extract(r.record, s.fullkey || '.source'), r.run, r.date FROM msgarchive_run r, \
                   json_each(iif(json_valid(r.record), r.record, '{}'), '$.sources') s";
        scan(connection, Some(sql), |c| {
            let (source, run, date) = (c.number(), c.number(), c.text());
            if let Some(date) = date.as_deref().and_then(instant) {
                visits.dates.entry(source).or_default().insert(run, apple_date(date));
            }
        })?;
        Ok(visits)
    }

    /// When a source still had what the run no longer found there, which dated that with its own beginning. `None`: the
    /// date is another one, or it is not known.
    pub fn before(&self, source: i64, run: i64, date: i64) -> Option<i64> {
        let visits = self.dates.get(&source)?;
        let whole = date.div_euclid(SECOND).saturating_mul(SECOND);
        if visits.get(&run) != Some(&whole) {
            return None;
        }
        visits.range(..run).next_back().map(|(_, date)| *date)
    }
}
