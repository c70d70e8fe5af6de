//! The sources of an archive: what each is, and when it was read.

use std::path::Path;

use super::ArchiveError;
use super::gone_for_good::GoneForGood;
use super::kind::Kind;
use super::open::look_into;
use super::places::number;
use super::row::text_at;

/// A source that an archive knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// As [`SourceKind::name`](crate::source::SourceKind::name) has it.
    pub kind: String,
    /// Where it lay when it was read last.
    pub path: String,
    /// The name of the device, of a backup.
    pub device: Option<String>,
    /// When it was read first and last (RFC 3339, UTC); `None` where the record of that run is lost.
    pub first_read: Option<String>,
    pub last_read: Option<String>,
    /// The last run of the archive read it.
    pub is_read: bool,
    /// How many messages it had then.
    pub messages: u64,
    /// When a run was told that it is gone for good, if it was not read since (RFC 3339, UTC).
    pub gone_for_good: Option<String>,
}

/// The sources that the archive at `path` knows, as they came.
///
/// # Errors
/// [`ArchiveError`].
pub fn sources(path: &Path) -> Result<Vec<KnownSource>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Vec<KnownSource>> {
        let gone = GoneForGood::read(&connection)?;
        let mut statement = connection.prepare(
            "SELECT kind, path, device, (SELECT date FROM msgarchive_run WHERE run = o.first_run), \
               (SELECT date FROM msgarchive_run WHERE run = o.last_run), \
               o.last_run >= (SELECT coalesce(max(run), 0) FROM msgarchive_run), \
               (SELECT count(*) FROM msgarchive_sighting s WHERE s.kind = ?1 AND s.source = o.source), source \
             FROM msgarchive_source o ORDER BY source",
        )?;
        let sources = statement.query_map([Kind::Message.number()], |row| {
            Ok(KnownSource {
                kind: text_at(row, 0)?.unwrap_or_default(),
                path: text_at(row, 1)?.unwrap_or_default(),
                device: text_at(row, 2)?,
                first_read: text_at(row, 3)?,
                last_read: text_at(row, 4)?,
                is_read: row.get(5)?,
                messages: number(row.get_ref(6)?).unsigned_abs(),
                gone_for_good: gone.since(row.get(7)?).map(str::to_owned),
            })
        })?;
        sources.collect()
    };
    read().map_err(ArchiveError::database(folder.database()))
}
