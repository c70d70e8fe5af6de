//! Since when a source had the messages that it has no more.
//!
//! What is noted of a row of a source goes when the row does; since when it was there is asked when an archive is shown as it
//! was: a device that got a message late did not have it before. Only where that is another run than the source's first.
//!
//! **Must never**: be noted of what the source has still under that row id.

use rusqlite::{Connection, params};

use super::kind::Kind;
use super::visit::Visit;

/// Since and until which run a source had a message.
pub const HAD: &str = "msgarchive_had";

/// Notes it of a row that is about to be forgotten.
pub fn note(connection: &Connection, visit: Visit<'_>, rowid: i64) -> rusqlite::Result<()> {
    let Visit { source, run, .. } = visit;
    connection
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO {HAD} (message, source, since, until) \
             SELECT s.id, s.source, s.since, ?4 FROM msgarchive_sighting s \
             JOIN msgarchive_source o ON o.source = s.source AND o.first_run < s.since \
             WHERE s.kind = ?1 AND s.source = ?2 AND s.source_rowid = ?3"
        ))?
        .execute(params![Kind::Message.number(), source, rowid, run])?;
    Ok(())
}
