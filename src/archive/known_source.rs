//! Which of the sources that an archive knows is this one?
//!
//! A path tells nothing: libraries move, backups are copied, and another one may lie where one was. What a database
//! cannot help is its row ids: SQLite gives away each but once, and two devices give the same message different ones. So
//! a source is known by its rows: the same GUIDs under the same row ids, no other GUID under one of them, and no row id
//! that it would have forgotten giving away. A copy that is older than what was read already is a source of its own:
//! what it has not yet is not what it has lost. An archive is never the library that it was fed from, though its row ids
//! may be the same: it has what that lost.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::damage::FoundDamaged;
use super::kind::Kind;
use crate::source::SourceKind;
use crate::source::tables::{TableReader, Tables};

/// How many rows are compared, all over a source and among its last ones.
const SAMPLES: i64 = 48;

/// A source of the archive that this may be.
struct Candidate {
    source: i64,
    path: String,
    highest: i64,
}

/// The number of the source, where the archive knows it.
pub fn recognize(
    connection: &Connection,
    tables: &Tables,
    highest: i64,
    damaged: &FoundDamaged,
) -> Result<Option<i64>, ArchiveError> {
    let failed = || ArchiveError::of(connection);
    let read = || -> rusqlite::Result<Vec<Candidate>> {
        let mut known = connection.prepare(
            "SELECT source, path, highest FROM msgarchive_source WHERE (kind = ?1) = ?2 \
             ORDER BY highest DESC, last_run DESC",
        )?;
        let archive = SourceKind::Archive;
        let known = known.query_map(params![archive.name(), tables.info().kind == archive], |row| {
            Ok(Candidate { source: row.get(0)?, path: row.get(1)?, highest: row.get(2)? })
        })?;
        known.collect()
    };
    let reader = tables.reader();
    for candidate in read().map_err(failed())? {
        if highest < candidate.highest {
            continue;
        }
        let likeness = compare(connection, tables, &reader, candidate.source, damaged)?;
        let same_place = Path::new(&candidate.path) == tables.info().path;
        if likeness.contradictions == 0 && (likeness.agreements > 0 || same_place) {
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

fn compare(
    connection: &Connection,
    tables: &Tables,
    reader: &TableReader<'_>,
    source: i64,
    damaged: &FoundDamaged,
) -> Result<Likeness, ArchiveError> {
    let failed = || ArchiveError::of(connection);
    let Some(message) = tables.table("message") else { return Ok(Likeness::default()) };
    let mut likeness = Likeness::default();
    for (rowid, id) in samples(connection, source).map_err(failed())? {
        // What is damaged here says nothing of the source.
        if damaged.rows.contains(&(Kind::Message, id)) {
            continue;
        }
        let mut there = None;
        reader.rows(message, &["guid"], rowid..=rowid, |row| {
            if let ValueRef::Text(guid) = row.value(0) {
                there = Some(String::from_utf8_lossy(guid).into_owned());
            }
            Ok::<(), ArchiveError>(())
        })?;
        let Some(there) = there else { continue };
        let same = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM message WHERE ROWID = ?1 AND guid = ?2) \
             OR EXISTS (SELECT 1 FROM msgarchive_alias WHERE guid = ?2 AND message = ?1)",
            params![id, there],
            |row| row.get::<_, bool>(0),
        );
        match same.map_err(failed())? {
            true => likeness.agreements += 1,
            false => likeness.contradictions += 1,
        }
    }
    Ok(likeness)
}

/// (row id in the source, id in the archive) of some rows.
fn samples(connection: &Connection, source: i64) -> rusqlite::Result<Vec<(i64, i64)>> {
    let of = |sql: &str| -> rusqlite::Result<Option<i64>> {
        connection.query_row(sql, params![Kind::Message.number(), source], |row| row.get(0))
    };
    let first = of("SELECT min(source_rowid) FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2")?;
    let last = of("SELECT max(source_rowid) FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2")?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(Vec::new()) };
    let step = (last.saturating_sub(first) / SAMPLES).max(1);
    let mut next = connection.prepare(
        "SELECT source_rowid, id FROM msgarchive_sighting \
         WHERE kind = ?1 AND source = ?2 AND source_rowid >= ?3 ORDER BY source_rowid LIMIT 1",
    )?;
    let mut samples = Vec::new();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    for at in 0..SAMPLES {
        let from = first.saturating_add(step.saturating_mul(at));
        samples.extend(next.query_row(params![Kind::Message.number(), source, from], row).optional()?);
    }
    let mut latest = connection.prepare(
        "SELECT source_rowid, id FROM msgarchive_sighting \
         WHERE kind = ?1 AND source = ?2 ORDER BY source_rowid DESC LIMIT ?3",
    )?;
    for sample in latest.query_map(params![Kind::Message.number(), source, SAMPLES], row)? {
        samples.push(sample?);
    }
    samples.sort_unstable();
    samples.dedup();
    Ok(samples)
}
