//! Sources that somebody said are gone for good: sold, dead, deleted. Nothing waits for them any more, until they are read again.
//!
//! The record of the run that was told so says it, and nothing else does: so the chain of records closes over it, and whoever
//! shows the archive as it was finds it as it was.
//!
//! **Must never**: take a source for gone that nobody said is, or one that was read since; or forget what it had.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::ArchiveError;
use super::row::text_at;
use super::whereabouts::was_at;

/// What a record calls them. Those of earlier programs name none.
pub const GONE_FOR_GOOD: &str = "gone_for_good";

/// A source that a run was told is gone for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneSource {
    pub source: i64,
    /// As [`SourceKind::name`](crate::source::SourceKind::name) has it.
    pub kind: String,
    /// Where it lay when it was read last.
    pub path: String,
    /// The name of the device, of a backup.
    pub device: Option<String>,
}

impl GoneSource {
    /// As records have it.
    pub fn to_json(&self) -> Value {
        let GoneSource { source, kind, path, device } = self;
        json!({ "source": source, "kind": kind, "path": path, "device": device })
    }
}

/// The sources that are gone for good, as far as the runs were told; each with the date of the run that was told last.
#[derive(Debug, Clone, Default)]
pub struct GoneForGood(BTreeMap<i64, String>);

impl GoneForGood {
    /// What the runs so far were told; but for the sources that were read since.
    pub fn read(connection: &Connection) -> rusqlite::Result<GoneForGood> {
        // Of records that name none, which are nearly all, nothing is parsed.
        let mut gone = connection.prepare(&format!(
            "SELECT o.source, max(r.date) FROM msgarchive_run r, \
               json_each(iif(json_valid(r.record), r.record, '{{}}'), '$.{GONE_FOR_GOOD}') g \
             JOIN msgarchive_source o ON o.source = json_extract(g.value, '$.source') \
             WHERE instr(r.record, '\"{GONE_FOR_GOOD}\": [' || char(10)) > 0 AND o.last_run < r.run GROUP BY o.source"
        ))?;
        let gone = gone.query_map([], |row| Ok((row.get(0)?, text_at(row, 1)?.unwrap_or_default())))?;
        Ok(GoneForGood(gone.collect::<rusqlite::Result<_>>()?))
    }

    /// With those that the run which goes on is told of.
    pub fn and(mut self, named: &[GoneSource], date: &str) -> GoneForGood {
        self.0.extend(named.iter().map(|gone| (gone.source, date.to_owned())));
        self
    }

    /// The date of the run that was told of a source last (RFC 3339); `None`: none was, or it was read since.
    pub fn since(&self, source: i64) -> Option<&str> {
        self.0.get(&source).map(String::as_str)
    }

    pub fn has(&self, source: i64) -> bool {
        self.0.contains_key(&source)
    }

    /// Which sources these are.
    pub fn sources(&self) -> impl Iterator<Item = i64> {
        self.0.keys().copied()
    }
}

/// The sources that are meant by these places, whether anything lies there or not. `read`: those that the run reads.
///
/// # Errors
/// [`ArchiveError::UnknownSource`], [`ArchiveError::SourceIsThere`].
pub fn meant(
    connection: &Connection,
    places: &[PathBuf],
    read: &BTreeSet<i64>,
) -> Result<Vec<GoneSource>, ArchiveError> {
    let mut meant: Vec<GoneSource> = Vec::new();
    if places.is_empty() {
        return Ok(meant);
    }
    let known = known(connection).map_err(ArchiveError::of(connection))?;
    for place in places {
        let whole = std::path::absolute(place).unwrap_or_else(|_| place.clone());
        let at = |path: &Path| path == place || was_at(path, &whole);
        // Of a library it may be the folder that is known to people.
        let is_it = |gone: &&GoneSource| {
            let path = Path::new(&gone.path);
            at(path) || path.parent().is_some_and(|folder| folder.is_absolute() && at(folder))
        };
        let there: Vec<&GoneSource> = known.iter().filter(is_it).collect();
        if there.is_empty() {
            let known = known.iter().map(|gone| gone.path.clone()).collect();
            return Err(ArchiveError::UnknownSource { path: place.clone(), known });
        }
        // Of several that lay in one place it is one before the one that is read.
        let mut gone = there.into_iter().filter(|gone| !read.contains(&gone.source)).peekable();
        if gone.peek().is_none() {
            return Err(ArchiveError::SourceIsThere { path: place.clone() });
        }
        meant.extend(gone.cloned());
    }
    meant.sort_by_key(|gone| gone.source);
    meant.dedup();
    Ok(meant)
}

fn known(connection: &Connection) -> rusqlite::Result<Vec<GoneSource>> {
    let mut known =
        connection.prepare("SELECT source, kind, path, device FROM msgarchive_source ORDER BY source")?;
    let known = known.query_map([], |row| {
        Ok(GoneSource {
            source: row.get(0)?,
            kind: text_at(row, 1)?.unwrap_or_default(),
            path: text_at(row, 2)?.unwrap_or_default(),
            device: text_at(row, 3)?,
        })
    })?;
    known.collect()
}
