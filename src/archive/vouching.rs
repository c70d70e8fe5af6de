//! Whether what is noted of the rows of a source is what was written, before anything is taken for gone by it.
//!
//! **Must never**: look at more than was asked for: a night without news asks for nothing.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::kind::Kind;
use super::record;
use super::row::owned;
use super::sums::{self, NOTES, SIGHTINGS, Totals, first_together, last_together};

/// Of which of these rows of a source what is noted is not what was written: the first of each that share a sum.
pub fn unvouched(
    connection: &Connection,
    kind: Kind,
    source: i64,
    rowids: impl Iterator<Item = i64>,
) -> rusqlite::Result<HashSet<i64>> {
    let firsts: HashSet<i64> = rowids.map(first_together).collect();
    let Some(notes) = NOTES.iter().find(|notes| notes.table == SIGHTINGS).filter(|_| !firsts.is_empty())
    else {
        return Ok(firsts);
    };
    // Of an earlier program's archive nothing is summed up, or not all.
    let is_summed_up =
        record::latest(connection)?.is_some_and(|(_, text)| Totals::of_record(&text).is_some());
    if !is_summed_up || !sums::are_there(connection)? {
        return Ok(HashSet::new());
    }
    let list = notes.columns().join(", ");
    let mut together = connection.prepare(&format!(
        "SELECT {list} FROM {SIGHTINGS} WHERE kind = ?1 AND source = ?2 AND source_rowid BETWEEN ?3 AND ?4"
    ))?;
    let solver = notes.solver();
    let mut unvouched = HashSet::new();
    for first in firsts {
        let last = last_together(first);
        let about = format!("{} {source} {}", kind.number(), notes.shared(first));
        let asked = params![kind.number(), source, first, last];
        let rows = together.query_map(asked, |row| owned(row, notes.columns().len()))?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let there = solver.sums(rows.into_iter()).remove(&about).unwrap_or_default();
        if there != sums::read(connection, SIGHTINGS, &about)? {
            unvouched.insert(first);
        }
    }
    Ok(unvouched)
}
