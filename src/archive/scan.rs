//! What is new, changed or gone in a source since it was read last: its rows and what is known of them, side by side in
//! the order of their row ids.
//!
//! Nothing is looked up and nothing kept of rows that are as they were, so that a night without news costs one pass over
//! the source. Of a source that was never seen only row ids are read: all of it is new.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::ArchiveError;
use super::damage::LookAgain;
use super::fingerprint::Fingerprints;
use super::kind::Kind;
use super::places::Places;
use super::schema::column_here;
use super::shares::in_shares;
use crate::source::tables::{Table, TableReader, Tables};

/// What a scan of one table found.
#[derive(Debug, Default)]
pub struct Scan {
    pub read: u64,
    /// Row ids of rows that are not as they were, or not known; sorted.
    pub news: Vec<i64>,
    /// Of a source that was seen before, those of them that it had not the last time.
    pub came: Vec<i64>,
    /// Those of them that are as they were, and name a row that came after them.
    pub late: HashSet<i64>,
    /// (row id, id in the archive) of rows that are not there any more; sorted.
    pub missing: Vec<(i64, i64)>,
    /// Of which rows what was seen of them last is not what was written: the first row ids that share a sum.
    pub unvouched: HashSet<i64>,
}

impl Scan {
    /// These are news, too: they name a row that came after them.
    pub fn name_others(&mut self, late: HashSet<i64>) {
        self.late = late;
        self.late.retain(|rowid| self.news.binary_search(rowid).is_err());
        self.news.extend(&self.late);
        self.news.sort_unstable();
    }
}

/// The columns of a source's table that the archive takes, in the order in which rows are hashed.
#[derive(Debug)]
pub struct Wanted {
    /// As they are spelled in the source.
    pub names: Vec<String>,
    /// As the archive has them: in lower case.
    pub lower: Vec<String>,
    /// Which of them matter.
    pub material: Vec<bool>,
    /// Which of them make a row news.
    watched: Vec<bool>,
}

impl Wanted {
    /// The columns of a kind's table in this source.
    pub fn of(kind: Kind, table: &Table) -> Wanted {
        let mut names: Vec<(String, String)> = table
            .columns
            .iter()
            .filter_map(|column| Some((column_here(table, column)?, column.name.clone())))
            .filter(|(here, _)| !kind.secret().contains(&here.as_str()))
            .collect();
        names.sort_unstable();
        let (lower, names): (Vec<String>, Vec<String>) = names.into_iter().unzip();
        let material: Vec<bool> =
            lower.iter().map(|name| !kind.immaterial().contains(&name.as_str())).collect();
        let watched = lower
            .iter()
            .zip(&material)
            .map(|(name, material)| *material || kind.watched().contains(&name.as_str()))
            .collect();
        Wanted { names, lower, material, watched }
    }

    /// Those that make a row news: their positions, and what makes a fingerprint of them in this order.
    pub fn fingerprints(&self, archive: &str) -> (Vec<usize>, Fingerprints) {
        let positions: Vec<usize> = (0..self.lower.len()).filter(|at| self.watched[*at]).collect();
        let names: Vec<&str> = positions.iter().map(|at| self.lower[*at].as_str()).collect();
        let fingerprints = Fingerprints::new(archive, &names);
        (positions, fingerprints)
    }
}

/// Compares a table of a source with what was seen in it last.
///
/// `archive`: its id. `seen`: read-only connections to it, as many as there may be workers; none: nothing was seen yet.
/// `again`: rows that are news in any case.
pub fn scan(
    kind: Kind,
    tables: &Tables,
    places: &Places,
    archive: &str,
    seen: &mut [Connection],
    source: i64,
    again: &LookAgain,
) -> Result<Scan, ArchiveError> {
    let Some(table) = tables.table(kind.table()) else {
        return Ok(Scan::default());
    };
    let wanted = Wanted::of(kind, table);
    let workers: Vec<Option<&mut Connection>> = match seen.is_empty() {
        true => vec![None],
        false => seen.iter_mut().map(Some).collect(),
    };
    let part = Part { kind, table, wanted: &wanted, places, archive, source, again };
    let parts =
        in_shares(tables, table, workers, |seen, share, reader| part.scan(share, reader, seen.as_deref()))?;
    let mut all = Scan::default();
    for part in parts {
        all.read += part.read;
        all.news.extend(part.news);
        all.came.extend(part.came);
        all.missing.extend(part.missing);
    }
    Ok(all)
}

struct Part<'a> {
    kind: Kind,
    table: &'a Table,
    wanted: &'a Wanted,
    places: &'a Places,
    archive: &'a str,
    source: i64,
    again: &'a LookAgain,
}

const SEEN: &str = "SELECT source_rowid, id, fingerprint FROM msgarchive_sighting \
     WHERE kind = ?1 AND source = ?2 AND source_rowid BETWEEN ?3 AND ?4 ORDER BY source_rowid";

impl Part<'_> {
    fn scan(
        &self,
        share: RangeInclusive<i64>,
        reader: &TableReader<'_>,
        seen: Option<&Connection>,
    ) -> Result<Scan, ArchiveError> {
        let mut found = Scan::default();
        let Some(seen) = seen else {
            reader.rows(self.table, &[], share, |row| {
                found.read += 1;
                found.news.push(row.rowid());
                Ok::<(), ArchiveError>(())
            })?;
            return Ok(found);
        };
        let failed = || ArchiveError::of(seen);
        let mut statement = seen.prepare(SEEN).map_err(failed())?;
        let of = [self.kind.number(), self.source, *share.start(), *share.end()];
        let mut rows = statement.query(of).map_err(failed())?;
        let mut next = || -> Result<Option<(i64, i64, Option<i64>)>, ArchiveError> {
            let row = rows.next().map_err(failed())?;
            row.map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).transpose().map_err(failed())
        };
        let mut known = next()?;
        let (positions, fingerprints) = self.wanted.fingerprints(self.archive);
        let names: Vec<&str> = positions.iter().map(|at| self.wanted.names[*at].as_str()).collect();
        let of_messages = self.kind == Kind::Message;
        let mut places = self.places.from(*share.start());
        let digest = move |at, value: ValueRef<'_>| fingerprints.of(at, value);
        reader.digests(self.table, &names, share, digest, |rowid, mut fingerprint| {
            found.read += 1;
            if of_messages {
                fingerprint = fingerprint.wrapping_add(places.of(rowid));
            }
            while let Some((known_rowid, id, _)) = known
                && known_rowid < rowid
            {
                found.missing.push((known_rowid, id));
                known = next()?;
            }
            match known {
                Some((known_rowid, id, as_it_was)) if known_rowid == rowid => {
                    if as_it_was != Some(fingerprint) || self.again.at(rowid, id) {
                        found.news.push(rowid);
                    }
                    known = next()?;
                }
                _ => {
                    found.news.push(rowid);
                    found.came.push(rowid);
                }
            }
            Ok::<(), ArchiveError>(())
        })?;
        while let Some((rowid, id, _)) = known {
            found.missing.push((rowid, id));
            known = next()?;
        }
        Ok(found)
    }
}
