//! Which of the sources that an archive knows is this one?
//!
//! A path tells nothing: libraries move, backups are copied, and another one may lie where one was. What a database
//! cannot help is its row ids: SQLite gives away each but once, and two devices give the same message different ones. So
//! a source is known by its rows: the same GUIDs under the same row ids, no other GUID under one of them, and no row id
//! that it would have forgotten giving away. One that has no messages at all any more is another one: whose account was signed
//! out has deleted nothing. Where it lay before, a few rows may have got other GUIDs, too: a source that
//! was taken for another one would lose nothing ever again. A copy that is older than what was read already is a source of its own:
//! what it has not yet is not what it has lost. An archive is never the library that it was fed from, though its row ids
//! may be the same: it has what that lost. Nor is it the archive that it was fed from: each has an id; nor a copy that was fed
//! apart from it: one that only lies elsewhere has the run still that was its last.

use std::ops::RangeInclusive;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::ArchiveError;
use super::attested::Attested;
use super::damage::FoundDamaged;
use super::kind::Kind;
use super::places::Places;
use super::records;
use super::row::text_at;
use super::scan::Wanted;
use super::schema::RECORD_HASH;
use super::spelling::is_made_here;
use super::sums::{ALIASES, SIGHTINGS};
use super::whereabouts::was_at;
use crate::source::SourceKind;
use crate::source::tables::{Table, TableReader, Tables, text};

/// How many rows are compared, all over a source and among its last ones.
const SAMPLES: i64 = 48;

/// A source of the archive that this may be.
struct Candidate {
    source: i64,
    path: String,
    highest: i64,
    /// Of an archive: which one it was, where it said so when it was read last.
    id: Option<String>,
    /// Of which run that was: the hash of its record. Earlier programs did not note it.
    record: Option<String>,
}

/// Which archive a source is, and as of which run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveRead {
    /// Its id.
    pub id: String,
    /// The hash of its last record.
    pub record: String,
}

/// What the last record of an archive says, that is a source; `None`: that says nothing, or not what was written.
pub fn archive_read(tables: &Tables) -> Result<Option<ArchiveRead>, ArchiveError> {
    let Some(runs) = tables.table("msgarchive_run").filter(|_| tables.info().kind == SourceKind::Archive)
    else {
        return Ok(None);
    };
    let reader = tables.reader();
    let Some(last) = reader.span(runs)?.map(|runs| *runs.end()) else { return Ok(None) };
    let hash = runs.column(RECORD_HASH).map(|hash| hash.name.as_str());
    let columns: Vec<&str> = ["record"].into_iter().chain(hash).collect();
    let mut read = None;
    reader.rows(runs, &columns, last..=last, |row| {
        let ValueRef::Text(record) = row.value(0) else { return Ok(()) };
        let hash = hash.and_then(|_| text(row.value(1)));
        if hash.is_none_or(|hash| hash == records::hash(record)) {
            let says: Value = serde_json::from_slice(record).unwrap_or_default();
            let id = says.get("archive").and_then(Value::as_str);
            read = id.map(|id| ArchiveRead { id: id.to_owned(), record: records::hash(record) });
        }
        Ok::<(), ArchiveError>(())
    })?;
    Ok(read)
}

/// Whether an archive has the record of this hash: that run is one of its own.
fn has_record(tables: &Tables, wanted: &str) -> Result<bool, ArchiveError> {
    let mut has = false;
    if let Some(runs) = tables.table("msgarchive_run") {
        tables.reader().rows(runs, &["record"], i64::MIN..=i64::MAX, |row| {
            has |= matches!(row.value(0), ValueRef::Text(record) if records::hash(record) == wanted);
            Ok::<(), ArchiveError>(())
        })?;
    }
    Ok(has)
}

/// The number of the source, where the archive knows it.
///
/// `archive`: its id. `places`: of the source, which lies at `place`. `is_another`: whether a source that the archive knows, and where it lay, is
/// another one of this run.
pub fn recognize(
    connection: &Connection,
    archive: &str,
    (tables, places, place): (&Tables, &Places, &Path),
    highest: i64,
    damaged: &FoundDamaged,
    is_another: &dyn Fn(i64, &Path) -> bool,
) -> Result<Option<i64>, ArchiveError> {
    let failed = || ArchiveError::of(connection);
    let read = || -> rusqlite::Result<Vec<Candidate>> {
        let mut known = connection.prepare(
            "SELECT source, path, highest, \
               (SELECT json_array(json_extract(r.record, s.fullkey || '.archive'), json_extract(r.record, s.fullkey || '.record')) \
                FROM msgarchive_run r, json_each(iif(json_valid(r.record), r.record, '{}'), '$.sources') s \
                WHERE r.run = o.last_run AND json_extract(r.record, s.fullkey || '.source') = o.source) \
             FROM msgarchive_source o WHERE (kind = ?1) = ?2 ORDER BY highest DESC, last_run DESC",
        )?;
        let archive = SourceKind::Archive;
        let known = known.query_map(params![archive.name(), tables.info().kind == archive], |row| {
            let read: [Option<String>; 2] =
                serde_json::from_str(&text_at(row, 3)?.unwrap_or_default()).unwrap_or_default();
            let [id, record] = read;
            Ok(Candidate { source: row.get(0)?, path: row.get(1)?, highest: row.get(2)?, id, record })
        })?;
        known.collect()
    };
    let id = archive_read(tables)?.map(|read| read.id);
    let reader = tables.reader();
    let Some(message) = tables.table("message") else { return Ok(None) };
    let comparing = Comparing { connection, archive, places, tables, reader: &reader, message, damaged };
    // Of two that have the same rows so far, such as copies of one library, each is the one that lies where it lay.
    let (there, elsewhere): (Vec<Candidate>, Vec<Candidate>) = read()
        .map_err(failed())?
        .into_iter()
        .partition(|candidate| was_at(Path::new(&candidate.path), place));
    let candidates = there.into_iter().map(|candidate| (candidate, true));
    for (candidate, same_place) in candidates.chain(elsewhere.into_iter().map(|candidate| (candidate, false)))
    {
        let is_of_another_id = id.as_ref().zip(candidate.id.as_ref()).is_some_and(|(id, known)| id != known);
        if highest < candidate.highest
            || is_of_another_id
            || is_another(candidate.source, Path::new(&candidate.path))
        {
            continue;
        }
        if comparing.with(candidate.source)?.is_the_same(same_place)
            && (same_place
                || candidate.record.as_ref().map_or(Ok(true), |record| has_record(tables, record))?)
        {
            return Ok(Some(candidate.source));
        }
    }
    Ok(None)
}

#[derive(Default)]
struct Likeness {
    agreements: u32,
    contradictions: u32,
}

/// Of so many rows that agree, and one, one more may have another GUID.
const AGREEING: u32 = 16;

impl Likeness {
    /// `same_place`: it lies where the other one lay. A restored device contradicts in nearly every row, and somebody else's
    /// library in all of them.
    fn is_the_same(&self, same_place: bool) -> bool {
        let Likeness { agreements, contradictions } = *self;
        match same_place {
            true => {
                contradictions == 0
                    || contradictions < agreements && contradictions <= 1 + agreements / AGREEING
            }
            false => contradictions == 0 && agreements > 0,
        }
    }
}

struct Comparing<'a> {
    connection: &'a Connection,
    archive: &'a str,
    places: &'a Places,
    tables: &'a Tables,
    reader: &'a TableReader<'a>,
    message: &'a Table,
    damaged: &'a FoundDamaged,
}

impl Comparing<'_> {
    fn with(&self, source: i64) -> Result<Likeness, ArchiveError> {
        let failed = || ArchiveError::of(self.connection);
        let mut likeness = Likeness::default();
        let samples = samples(self.connection, source).map_err(failed())?;
        if samples.is_empty() && self.damaged.sums.iter().any(|sum| sum.table == SIGHTINGS) {
            return self.by_what_it_brought(source);
        }
        if !samples.is_empty() && self.reader.span(self.message)?.is_none() {
            return Ok(Likeness { contradictions: 1, ..likeness });
        }
        let aliases_are_lost = self.damaged.is_wrong_throughout(ALIASES);
        for Sample { rowid, id, fingerprint } in samples {
            // What is damaged here says nothing of the source, nor does a GUID that was made here; only that its row is as it was.
            if self.damaged.rows.contains(&(Kind::Message, id)) || self.has_none(id).map_err(failed())? {
                let is_as_it_was = fingerprint.is_some() && self.fingerprint(rowid)? == fingerprint;
                likeness.agreements += u32::from(is_as_it_was);
                continue;
            }
            let Some(there) = self.guid(rowid..=rowid)?.filter(|guid| !guid.is_empty()) else { continue };
            // Nor does a row of another archive that is not what was written there.
            if !self.is_attested(rowid)? {
                continue;
            }
            if self.damaged.sums_of(ALIASES).any(|alias| alias == there) {
                continue;
            }
            let same = self.connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM message WHERE ROWID = ?1 AND guid = ?2) \
                 OR EXISTS (SELECT 1 FROM msgarchive_alias WHERE guid = ?2 AND message = ?1), \
                 EXISTS (SELECT 1 FROM message WHERE guid = ?2)",
                params![id, there],
                |row| Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?)),
            );
            match same.map_err(failed())? {
                (true, _) => likeness.agreements += 1,
                // It may be another one's GUID, if it is none's.
                (false, false) if aliases_are_lost => {}
                (false, _) => likeness.contradictions += 1,
            }
        }
        Ok(likeness)
    }

    /// Whether the row of a message had no GUID when it was taken.
    fn has_none(&self, message: i64) -> rusqlite::Result<bool> {
        let mut guid = self.connection.prepare_cached("SELECT guid FROM message WHERE ROWID = ?1")?;
        let guid = guid
            .query_row([message], |row| Ok(row.get_ref(0)?.as_bytes_or_null()?.is_some_and(is_made_here)));
        Ok(guid.optional()?.unwrap_or(false))
    }

    /// Nothing is known any more of what it has: it is the one that brought what it has.
    fn by_what_it_brought(&self, source: i64) -> Result<Likeness, ArchiveError> {
        let mut likeness = Likeness::default();
        let Some(span) = self.reader.span(self.message)? else { return Ok(likeness) };
        let step = (span.end().saturating_sub(*span.start()) / SAMPLES).max(1);
        for at in 0..SAMPLES {
            let from = span.start().saturating_add(step.saturating_mul(at));
            let Some(guid) = self.guid(from..=from.saturating_add(step - 1))? else { continue };
            let brought = self.connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM message m JOIN msgarchive_message b ON b.id = m.ROWID \
                 WHERE m.guid = ?1 AND b.source = ?2)",
                params![guid, source],
                |row| row.get::<_, bool>(0),
            );
            likeness.agreements += u32::from(brought.map_err(ArchiveError::of(self.connection))?);
        }
        Ok(likeness)
    }

    /// The GUID of the first of these rows.
    fn guid(&self, rowids: RangeInclusive<i64>) -> Result<Option<String>, ArchiveError> {
        let mut guid = None;
        self.reader.rows(self.message, &["guid"], rowids, |row| {
            if let (None, ValueRef::Text(text)) = (&guid, row.value(0)) {
                guid = Some(String::from_utf8_lossy(text).into_owned());
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(guid)
    }

    fn is_attested(&self, rowid: i64) -> Result<bool, ArchiveError> {
        let rowids = [rowid];
        let attested = Attested::read(self.tables, Kind::Message, &rowids)?;
        if attested.is_needless() {
            return Ok(true);
        }
        let wanted = Wanted::of(Kind::Message, self.message);
        let names: Vec<&str> = wanted.names.iter().map(String::as_str).collect();
        let mut is_attested = false;
        self.reader.rows(self.message, &names, rowid..=rowid, |row| {
            let values: Vec<ValueRef<'_>> = (0..names.len()).map(|at| row.value(at)).collect();
            is_attested = attested.vouches_for(rowid, Kind::Message, &wanted, &values);
            Ok::<(), ArchiveError>(())
        })?;
        Ok(is_attested)
    }

    fn fingerprint(&self, rowid: i64) -> Result<Option<i64>, ArchiveError> {
        let wanted = Wanted::of(Kind::Message, self.message);
        let (positions, fingerprints) = wanted.fingerprints(self.archive);
        let names: Vec<&str> = positions.iter().map(|at| wanted.names[*at].as_str()).collect();
        let digest = move |at, value: ValueRef<'_>| fingerprints.of(at, value);
        let mut own = None;
        self.reader.digests(self.message, &names, rowid..=rowid, digest, |rowid, fingerprint| {
            own = Some(fingerprint.wrapping_add(self.places.from(rowid).of(rowid)));
            Ok::<(), ArchiveError>(())
        })?;
        Ok(own)
    }
}

/// A row that was seen in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    rowid: i64,
    /// In the archive.
    id: i64,
    fingerprint: Option<i64>,
}

/// Some rows that were seen, all over the source.
fn samples(connection: &Connection, source: i64) -> rusqlite::Result<Vec<Sample>> {
    let of = |sql: &str| -> rusqlite::Result<Option<i64>> {
        connection.query_row(sql, params![Kind::Message.number(), source], |row| row.get(0))
    };
    let first = of("SELECT min(source_rowid) FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2")?;
    let last = of("SELECT max(source_rowid) FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2")?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(Vec::new()) };
    let step = (last.saturating_sub(first) / SAMPLES).max(1);
    let mut next = connection.prepare(
        "SELECT source_rowid, id, fingerprint FROM msgarchive_sighting \
         WHERE kind = ?1 AND source = ?2 AND source_rowid >= ?3 ORDER BY source_rowid LIMIT 1",
    )?;
    let mut samples = Vec::new();
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Sample { rowid: row.get(0)?, id: row.get(1)?, fingerprint: row.get(2)? })
    };
    for at in 0..SAMPLES {
        let from = first.saturating_add(step.saturating_mul(at));
        samples.extend(next.query_row(params![Kind::Message.number(), source, from], row).optional()?);
    }
    let mut latest = connection.prepare(
        "SELECT source_rowid, id, fingerprint FROM msgarchive_sighting \
         WHERE kind = ?1 AND source = ?2 ORDER BY source_rowid DESC LIMIT ?3",
    )?;
    for sample in latest.query_map(params![Kind::Message.number(), source, SAMPLES], row)? {
        samples.push(sample?);
    }
    samples.sort_unstable();
    samples.dedup();
    Ok(samples)
}
