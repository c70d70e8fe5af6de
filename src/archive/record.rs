//! Run records: one a run, each closing over the one before it and over the rows that its run added.
//!
//! A record is a row of `msgarchive_run` first, in the transaction of the rows it speaks of, and a file afterwards: so a
//! run that was killed between the two is completed by the next one.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::absence::Reason;
use super::folder::Folder;
use super::gone_for_good::{GONE_FOR_GOOD, GoneSource};
use super::kept::Kept;
use super::kind::{JOINS, Kind};
use super::known_source::ArchiveRead;
use super::lost_thing::{LostOf, LostThing};
use super::records::{InDatabase, Says, hash, in_database};
use super::row::{RowHash, text_at};
use super::schema::{has_versions, version_table};
use super::sums::Totals;
use crate::disk::hexadecimal;

/// What a run did, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of `message` that were read.
    pub read: u64,
    pub added: u64,
    pub changed: u64,
    /// Messages whose absence was noticed: each once, however many sources lost it.
    pub absent: BTreeMap<Reason, u64>,
    /// Of those that are `aged_out`, those of which that is a guess.
    pub guessed: u64,
    /// Of those that are `deleted`, the tapbacks that a later one replaced.
    pub tapbacks_replaced: u64,
    /// Messages that were deleted already, and are gone from Recently Deleted, too.
    pub gone: u64,
    /// Messages that a source has again.
    pub returned: u64,
    /// Contents of attachments that were new.
    pub stored: u64,
    /// Contents of attachments that were known without them.
    pub filled_in: u64,
    /// Contents of attachments that have others, too: before, or from another source. All are kept.
    pub replaced: u64,
    /// Attachments of the sources whose bytes the archive does not have.
    pub still_missing: u64,
    /// Bytes of contents.
    pub bytes: u64,
}

/// A source of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRead {
    pub source: i64,
    pub kind: &'static str,
    pub path: String,
    pub device: Option<String>,
    /// Of an archive: which one, where it says so.
    pub archive: Option<ArchiveRead>,
    /// Where its attachments lie, when that was not their usual place.
    pub attachments_root: Option<String>,
    /// It was never read before.
    pub new: bool,
    pub read: u64,
    /// It has no messages; so many had the one that was read there before.
    pub had: Option<u64>,
    /// How long it keeps messages.
    pub kept: Kept,
}

/// The record of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// The archive's id.
    pub archive: String,
    /// Such as `2026-11-23T02-30-00Z-0007`: the name of its file.
    pub name: String,
    pub number: i64,
    /// RFC 3339.
    pub started: String,
    pub sources: Vec<SourceRead>,
    /// Sources of which it was told that they are gone for good.
    pub gone_for_good: Vec<GoneSource>,
    pub counts: Counts,
    /// What to tell people: contents that could not be read.
    pub unreadable: Vec<String>,
    /// What was found damaged before this run, and what became of it: in words.
    pub damage: Vec<String>,
    /// What of it nothing has any more, in words: from now on the archive is whole without it.
    pub lost: Vec<String>,
    /// Of what each of these is.
    pub lost_of: Vec<Option<LostOf>>,
    /// What of it stays damaged, in words: a source may have it that this run did not read, or that could not tell.
    pub still_damaged: Vec<String>,
    /// Of what each of these is, and which source may have it.
    pub still_damaged_of: Vec<Option<LostOf>>,
    /// What earlier runs said was lost, in their words, and a source had after all.
    pub found_again: Vec<String>,
    /// Of what each of these is.
    pub found_again_of: Vec<Option<LostOf>>,
    /// Earlier runs whose records, or what these close over, cannot be had again.
    pub accepted: BTreeMap<i64, Accepted>,
    /// The text of its file.
    pub text: String,
}

/// The key of [`SourceRead::attachments_root`].
const ATTACHMENTS_ROOT: &str = "attachments_root";

/// Where the attachments of a source lay when it was read last, when that was not their usual place.
pub fn attachments_root(connection: &Connection, source: i64) -> rusqlite::Result<Option<String>> {
    let read = read_last(connection, source)?;
    Ok(read.as_ref().and_then(|read| read.get(ATTACHMENTS_ROOT)?.as_str()).map(str::to_owned))
}

/// What the last run that read a source says of it.
pub fn read_last(connection: &Connection, source: i64) -> rusqlite::Result<Option<Value>> {
    let sql = "SELECT r.record FROM msgarchive_source o JOIN msgarchive_run r ON r.run = o.last_run WHERE o.source = ?1";
    let record =
        connection.prepare_cached(sql)?.query_row([source], |row| text_at(row, 0)).optional()?.flatten();
    let mut record: Value = serde_json::from_str(&record.unwrap_or_default()).unwrap_or_default();
    let mut sources = record.get_mut("sources").and_then(Value::as_array_mut).into_iter().flatten();
    let is_it = |read: &&mut Value| read.get("source").and_then(Value::as_i64) == Some(source);
    Ok(sources.find(is_it).map(Value::take))
}

/// The name of a run's record.
pub fn name(started: &str, number: i64) -> String {
    let date: String = started.chars().map(|c| if c == ':' { '-' } else { c }).collect();
    format!("{date}-{number:04}")
}

impl RunRecord {
    /// Makes the text, once everything is known. `previous`: the record before it; `rows`, `totals`, `sums`: of the archive.
    pub fn close(&mut self, previous: Option<&str>, rows: RowsDigest, totals: Value, sums: &Totals) {
        let counts = &self.counts;
        let absent: Map<String, Value> = Reason::ALL
            .into_iter()
            .map(|reason| (reason.name().into(), counts.absent.get(&reason).copied().unwrap_or(0).into()))
            .collect();
        let sources: Vec<Value> = self
            .sources
            .iter()
            .map(|source| {
                let [keep_messages, keep_messages_since] = source.kept.to_json();
                let mut read = json!({
                    "source": source.source,
                    "kind": source.kind,
                    "path": source.path,
                    "device": source.device,
                    "new": source.new,
                    "read": source.read,
                    "had": source.had,
                    "keep_messages": keep_messages,
                    "keep_messages_since": keep_messages_since,
                });
                if let Some(ArchiveRead { id, record }) = &source.archive {
                    read["archive"] = id.as_str().into();
                    read["record"] = record.as_str().into();
                }
                if let Some(root) = &source.attachments_root {
                    read[ATTACHMENTS_ROOT] = root.as_str().into();
                }
                read
            })
            .collect();
        let accepted: Map<String, Value> =
            self.accepted.iter().map(|(run, accepted)| (run.to_string(), accepted.to_json())).collect();
        let record = json!({
            "schema": 1,
            "run": self.name,
            "archive": self.archive,
            "number": self.number,
            "started": self.started,
            "tool": concat!("msgarchive ", env!("CARGO_PKG_VERSION")),
            "readme_sha256": Folder::explanation_hash(),
            "sources": sources,
            GONE_FOR_GOOD: self.gone_for_good.iter().map(GoneSource::to_json).collect::<Vec<_>>(),
            "read": counts.read,
            "added": counts.added,
            "changed": counts.changed,
            "absent": absent,
            "aged_out_guessed": counts.guessed,
            "tapbacks_replaced": counts.tapbacks_replaced,
            "gone": counts.gone,
            "returned": counts.returned,
            "attachments": {
                "stored": counts.stored,
                "filled_in": counts.filled_in,
                "replaced": counts.replaced,
                "still_missing": counts.still_missing,
            },
            "bytes": counts.bytes,
            "unreadable": self.unreadable,
            "damage": self.damage,
            "lost": self.lost,
            "lost_of": of_json(&self.lost_of),
            "still_damaged": self.still_damaged,
            "still_damaged_of": of_json(&self.still_damaged_of),
            "found_again": self.found_again,
            "found_again_of": of_json(&self.found_again_of),
            "accepted": accepted,
            "rows": rows.rows,
            "rows_sha256": rows.sha256,
            "totals": totals,
            "sums": sums.to_json(),
            "previous": previous.map(|text| hexadecimal(&Sha256::digest(text.as_bytes()))),
        });
        self.text = format!("{record:#}\n");
    }
}

fn of_json(all: &[Option<LostOf>]) -> Vec<Value> {
    all.iter().map(|of| of.as_ref().map_or(Value::Null, LostOf::to_json)).collect()
}

/// What an earlier run is taken for from some run on: its record was damaged for good, and `verify` told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The hash of its record as it is now; `None`: there is none any more.
    pub record: Option<String>,
    pub rows: RowsDigest,
}

impl Accepted {
    /// What these runs are taken for from now on, as far as they cannot be put right, and were not taken for that already.
    pub fn now(connection: &Connection, runs: &BTreeSet<i64>) -> rusqlite::Result<BTreeMap<i64, Accepted>> {
        let mut accepted = BTreeMap::new();
        if runs.is_empty() {
            return Ok(accepted);
        }
        let rows_by_run = rows_by_run(connection, None)?;
        let records: BTreeMap<i64, InDatabase> =
            in_database(connection)?.into_iter().map(|record| (record.run, record)).collect();
        let hash_of = |run: i64| records.get(&run).map(|record| hash(&record.text));
        let mut before: BTreeMap<i64, Accepted> = BTreeMap::new();
        for record in records.values() {
            before.extend(Accepted::of_record(&serde_json::from_str(&record.text).unwrap_or_default()));
        }
        for run in runs {
            let rows = rows_by_run.get(run).cloned().unwrap_or_else(no_rows);
            let is_sound = records.get(run).is_some_and(|record| {
                let value: Value = serde_json::from_str(&record.text).unwrap_or_default();
                Says::of(&value).previous == hash_of(run - 1)
                    && RowsDigest::of_record(&value).as_ref() == Some(&rows)
                    && record.sha256.as_ref().is_none_or(|sha256| *sha256 == hash(&record.text))
            });
            let now = Accepted { record: hash_of(*run), rows };
            // What was said before is not said again.
            if !is_sound && before.get(run) != Some(&now) {
                accepted.insert(*run, now);
            }
        }
        Ok(accepted)
    }

    /// What is lost of the run. What it added and is not there any more is named beside that, as far as anything tells of it.
    pub fn lost(&self, connection: &Connection, run: i64) -> rusqlite::Result<LostThing> {
        let text = connection
            .query_row("SELECT record FROM msgarchive_run WHERE run = ?1", [run], |row| text_at(row, 0))
            .optional()?
            .flatten();
        let value: Value = serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
        let added = RowsDigest::of_record(&value).map_or(0, |digest| digest.rows);
        let what = match (&self.record, added.checked_sub(self.rows.rows)) {
            (None, _) => format!("the record of run {run}"),
            (Some(_), Some(gone @ 1..)) => format!(
                "what run {run} recorded, or something of what it added: of {added} states of rows {gone} cannot be told any more"
            ),
            (Some(_), _) => format!("what run {run} recorded, or something of what it added"),
        };
        let of = LostOf { table: "msgarchive_run".into(), row: Some(run), ..LostOf::default() };
        Ok(LostThing { what, of: Some(of) })
    }

    fn to_json(&self) -> Value {
        json!({ "record": self.record, "rows": self.rows.rows, "rows_sha256": self.rows.sha256 })
    }

    /// What a record says of earlier runs.
    pub fn of_record(record: &Value) -> BTreeMap<i64, Accepted> {
        let all = record.get("accepted").and_then(Value::as_object).into_iter().flatten();
        let one = |(run, value): (&String, &Value)| {
            let record = value.get("record").and_then(Value::as_str).map(str::to_owned);
            Some((run.parse().ok()?, Accepted { record, rows: RowsDigest::of_record(value)? }))
        };
        all.filter_map(one).collect()
    }
}

/// What a run's record closes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsDigest {
    pub rows: u64,
    pub sha256: String,
}

impl RowsDigest {
    /// What a record says of its rows.
    pub fn of_record(record: &Value) -> Option<RowsDigest> {
        let sha256 = record.get("rows_sha256")?.as_str()?.to_owned();
        Some(RowsDigest { rows: record.get("rows")?.as_u64()?, sha256 })
    }
}

/// Every state of every row by the run that brought it: what records close over. `run`: only this one's.
pub fn rows_by_run(connection: &Connection, run: Option<i64>) -> rusqlite::Result<BTreeMap<i64, RowsDigest>> {
    let mut states: Vec<(i64, i64, i64, RowHash)> = Vec::new();
    for kind in Kind::ALL {
        let mut of = |table: &str, id: &str, since: &str, hash: &str| -> rusqlite::Result<()> {
            let only = if run.is_some() { format!("WHERE {since} = ?1") } else { "WHERE ?1 IS NULL".into() };
            let mut statement =
                connection.prepare(&format!("SELECT {since}, {id}, {hash} FROM {table} {only}"))?;
            let mut rows = statement.query([run])?;
            while let Some(row) = rows.next()? {
                // Whatever is not 16 bytes long is damaged: the digest will differ.
                let hash =
                    row.get_ref(2)?.as_blob().ok().and_then(|hash| hash.try_into().ok()).unwrap_or_default();
                states.push((row.get(0)?, kind.number(), row.get(1)?, hash));
            }
            Ok(())
        };
        of(&format!("msgarchive_{}", kind.table()), "id", "since", "hash")?;
        if has_versions(kind) {
            of(&version_table(kind), "msgarchive_id", "msgarchive_since", "msgarchive_hash")?;
        }
    }
    let lost = match run {
        Some(_) => "WHERE since = ?1",
        None => "WHERE ?1 IS NULL",
    };
    let mut statement =
        connection.prepare(&format!("SELECT since, kind, id, hash FROM msgarchive_lost {lost}"))?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let hash = row.get_ref(3)?.as_blob().ok().and_then(|hash| hash.try_into().ok()).unwrap_or_default();
        states.push((row.get(0)?, row.get(1)?, row.get(2)?, hash));
    }
    states.sort_unstable();
    let mut digests = BTreeMap::new();
    for of_run in states.chunk_by(|a, b| a.0 == b.0) {
        let mut digest = Sha256::new();
        for (_, kind, id, hash) in of_run {
            digest.update(kind.to_le_bytes());
            digest.update(id.to_le_bytes());
            digest.update(hash);
        }
        let run = of_run.first().map_or(0, |state| state.0);
        digests
            .insert(run, RowsDigest { rows: of_run.len() as u64, sha256: hexadecimal(&digest.finalize()) });
    }
    Ok(digests)
}

/// No state came with this run.
pub fn no_rows() -> RowsDigest {
    RowsDigest { rows: 0, sha256: hexadecimal(&Sha256::digest([])) }
}

/// How many rows the archive has.
pub fn totals(connection: &Connection) -> rusqlite::Result<Value> {
    let mut totals = Map::new();
    let tables = Kind::ALL.iter().map(|kind| kind.table().to_owned());
    let versions = Kind::ALL.into_iter().filter(|kind| has_versions(*kind)).map(version_table);
    let joins = JOINS.iter().map(|join| join.table.to_owned());
    let ours =
        ["msgarchive_absence", "msgarchive_content", "msgarchive_file", "msgarchive_lost"].map(str::to_owned);
    for table in tables.chain(joins).chain(versions).chain(ours) {
        let count: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        totals.insert(table, count.into());
    }
    Ok(totals.into())
}

/// No archive comes to so many runs: whatever has this number or a higher one is none. What counts on from the latest run
/// comes to no number that there is not.
const NEVER: i64 = 1 << 53;

/// The latest run: its number and its record.
pub fn latest(connection: &Connection) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .query_row(
            "SELECT run, record FROM msgarchive_run WHERE run < ?1 ORDER BY run DESC LIMIT 1",
            [NEVER],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
}
