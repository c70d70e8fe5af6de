//! States of rows that damage took: each is noted, so that the records of the runs that had brought them go on closing over what
//! they closed over.
//!
//! **Must never**: note one a second time, or in another one's place.

use rusqlite::{Connection, params};

use super::kind::Kind;

/// Instead of the run that gave a state up: no record tells of it.
pub const IN_NO_RECORD: i64 = 0;

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
