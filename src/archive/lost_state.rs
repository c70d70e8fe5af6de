//! States of rows that damage took: each is noted, so that the records of the runs that had brought them go on closing over what
//! they closed over.
//!
//! **Must never**: note one a second time, or in another one's place.

use rusqlite::{Connection, OptionalExtension, params};

use super::kind::Kind;
use super::schema::version_table;

/// Instead of the run that gave a state up: no record tells of it.
pub const IN_NO_RECORD: i64 = 0;

/// The same, where a source had the row in another state meanwhile, which is shown: that is somebody's words. `run`: which found it so.
pub fn for_another(run: i64) -> i64 {
    -run.abs()
}

/// Notes that what a row was since a run is lost. `hash`: of what it was; empty where nobody knows. `run`: which gives it up.
pub fn note(
    connection: &Connection,
    (kind, id): (Kind, i64),
    since: i64,
    hash: &[u8],
    run: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO msgarchive_lost (kind, id, since, hash, run) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![kind.number(), id, since, hash, run])
        .map(drop)
}

/// Until when a state is a former one that was shown instead of one that is lost, and that another one took the place of: in this it
/// differs from former states that were given up as such. `since`: the run that had brought what is lost.
pub fn until(since: i64) -> i64 {
    -since.abs()
}

/// Whether a state of a row is noted that a run had brought.
pub fn is_noted(connection: &Connection, (kind, id): (Kind, i64), since: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM msgarchive_lost WHERE kind = ?1 AND id = ?2 AND since = ?3)",
        )?
        .query_row([kind.number(), id, since], |row| row.get(0))
}

/// Where what is shown of a row lies there since a run gave up what it was: the run that had brought that. Nobody's words are shown.
/// Only of what has former states.
pub fn shown_instead(connection: &Connection, kind: Kind, id: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(&format!(
            "SELECT max(l.since) FROM msgarchive_lost l JOIN msgarchive_{} b ON b.id = l.id AND b.since = l.run \
             WHERE l.kind = ?1 AND l.id = ?2 HAVING count(*) > ( \
               SELECT count(*) FROM {} v WHERE v.msgarchive_id = ?2 AND v.msgarchive_until < v.msgarchive_since \
                 AND v.msgarchive_since = max(l.run))",
            kind.table(),
            version_table(kind)
        ))?
        .query_row([kind.number(), id], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}
