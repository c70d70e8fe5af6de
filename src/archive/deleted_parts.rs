//! Which parts of messages each source has in Recently Deleted, and until when: as of whole messages
//! [absences](super::absence) tell.
//!
//! What the archive has of such a part stays; so, as the table of Apple's knows nothing of who has it, it is noted here who
//! had it, and which run found it there no more.
//!
//! **Must never**: say of a part that it is gone from Recently Deleted, while a source that is read still has it there.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::recovered::{FORMER_PARTS, PARTS};
use super::schema::has_table;
use super::visit::Visit;
use crate::pipeline::decode::body;

/// Which source has which part of a message in Recently Deleted, since and until which run.
pub const DELETED_PARTS: &str = "msgarchive_deleted_part";

/// The view of the parts that are in Recently Deleted of no source any more, and since when (Apple's date). A source that
/// another one took the place of, which lies where it lay, has nothing any more.
pub const GONE_PARTS: &str = "VIEW msgarchive_gone_part (message, part, gone) AS
  SELECT p.message, p.part, max((CAST(strftime('%s', r.date) AS INTEGER) - 978307200) * 1000000000)
  FROM msgarchive_deleted_part p LEFT JOIN msgarchive_run r ON r.run = p.gone
  WHERE p.gone IS NOT NULL OR NOT EXISTS (
    SELECT 1 FROM msgarchive_source was JOIN msgarchive_source now ON now.path = was.path AND now.last_run > was.last_run
    WHERE was.source = p.source)
  GROUP BY p.message, p.part HAVING count(*) = count(p.gone)";

/// (message, part) → whether some source has it in Recently Deleted; or else had it there.
pub type Known = BTreeMap<(i64, i64), bool>;

/// Compares which parts a source has there with which it had.
pub struct DeletedParts<'c> {
    connection: &'c Connection,
    visit: Visit<'c>,
    /// (message, part) that it has.
    there: HashSet<(i64, i64)>,
}

impl<'c> DeletedParts<'c> {
    pub fn new(connection: &'c Connection, visit: Visit<'c>) -> DeletedParts<'c> {
        DeletedParts { connection, visit, there: HashSet::new() }
    }

    /// The source has this part of a message there.
    pub fn note(&mut self, message: i64, part: i64) -> rusqlite::Result<()> {
        if self.there.insert((message, part)) {
            self.open(message, part)?;
        }
        Ok(())
    }

    /// All were told of that it has of these messages: what else it had of them is gone.
    pub fn finish(self, messages: impl Iterator<Item = i64>) -> rusqlite::Result<()> {
        let mut had = self.connection.prepare(&format!(
            "SELECT message, part FROM {DELETED_PARTS} WHERE source = ?1 AND gone IS NULL"
        ))?;
        let had = had.query_map([self.visit.source], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut gone = had.collect::<rusqlite::Result<HashSet<(i64, i64)>>>()?;
        gone.retain(|part| !self.there.contains(part));
        if gone.is_empty() {
            return Ok(());
        }
        let told: HashSet<i64> = messages.collect();
        for (message, part) in gone.into_iter().filter(|(message, _)| told.contains(message)) {
            self.close(message, Some(part))?;
        }
        Ok(())
    }

    /// The source has a message no more, nor any part of it.
    pub fn note_gone(&self, message: i64) -> rusqlite::Result<()> {
        self.close(message, None)
    }

    /// Takes over what another archive knows of its own sources.
    pub fn inherit(&self, known: &Known) -> rusqlite::Result<()> {
        for ((message, part), is_there) in known {
            if *is_there {
                self.open(*message, *part)?;
                continue;
            }
            self.close(*message, Some(*part))?;
            if self.is_open(*message, *part)?.is_none() {
                let Visit { source, run, .. } = self.visit;
                self.connection
                    .prepare_cached(&format!(
                        "INSERT INTO {DELETED_PARTS} (message, part, source, since, gone) VALUES (?1, ?2, ?3, ?4, ?4)"
                    ))?
                    .execute([*message, *part, source, run])?;
            }
        }
        Ok(())
    }

    /// Whether the source has it there, as far as is noted; `None`: nothing is.
    fn is_open(&self, message: i64, part: i64) -> rusqlite::Result<Option<bool>> {
        self.connection
            .prepare_cached(&format!(
                "SELECT gone IS NULL FROM {DELETED_PARTS} WHERE message = ?1 AND part = ?2 AND source = ?3 \
                 ORDER BY since DESC LIMIT 1"
            ))?
            .query_row([message, part, self.visit.source], |row| row.get(0))
            .optional()
    }

    fn open(&self, message: i64, part: i64) -> rusqlite::Result<()> {
        if self.is_open(message, part)? == Some(true) {
            return Ok(());
        }
        let Visit { source, run, .. } = self.visit;
        self.connection
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO {DELETED_PARTS} (message, part, source, since) VALUES (?1, ?2, ?3, ?4)"
            ))?
            .execute([message, part, source, run])?;
        Ok(())
    }

    /// `part`: `None`: all of them.
    fn close(&self, message: i64, part: Option<i64>) -> rusqlite::Result<()> {
        let Visit { source, run, .. } = self.visit;
        self.connection
            .prepare_cached(&format!(
                "UPDATE {DELETED_PARTS} SET gone = ?4 \
                 WHERE message = ?1 AND source = ?2 AND (?3 IS NULL OR part = ?3) AND gone IS NULL"
            ))?
            .execute(params![message, source, part, run])?;
        Ok(())
    }
}

/// The query for the messages of which a part was found in Recently Deleted after run `?1`; none in archives that were made
/// earlier.
pub fn with_part_deleted_since(connection: &Connection) -> rusqlite::Result<String> {
    Ok(match has_table(connection, DELETED_PARTS)? {
        true => format!("SELECT message FROM {DELETED_PARTS} WHERE since > ?1"),
        false => "SELECT NULL WHERE ?1 IS NULL".to_owned(),
    })
}

/// A part of a message that was deleted by itself, at one source.
pub struct PartGone {
    pub part: i64,
    /// What it says.
    pub text: Option<String>,
    pub source: i64,
    /// The run that found it in Recently Deleted.
    pub since: i64,
    /// The run that found it there no more.
    pub gone: Option<i64>,
    /// It is back in the message since then.
    pub is_back: bool,
}

/// The parts of a message that were deleted by themselves (`messages-format.md` 13.1), as the runs noticed it. Archives that
/// were made earlier do not tell.
pub fn parts_gone(connection: &Connection, message: i64) -> rusqlite::Result<Vec<PartGone>> {
    if !has_table(connection, DELETED_PARTS)?
        || !has_table(connection, PARTS)?
        || !has_table(connection, FORMER_PARTS)?
    {
        return Ok(Vec::new());
    }
    // In each chat that the message is in, Messages lists the part again.
    let mut parts = connection.prepare(&format!(
        "SELECT part, source, since, gone, \
           (SELECT part_text FROM {PARTS} p WHERE p.message_id = d.message AND p.part_index = d.part), \
           EXISTS (SELECT 1 FROM {FORMER_PARTS} f \
             WHERE f.message = d.message AND f.part = d.part AND f.until >= d.since) \
         FROM {DELETED_PARTS} d WHERE message = ?1 ORDER BY since, source, part"
    ))?;
    let part = |row: &Row<'_>| -> rusqlite::Result<PartGone> {
        let said = row.get_ref(4)?.as_bytes_or_null().ok().flatten();
        Ok(PartGone {
            part: row.get(0)?,
            source: row.get(1)?,
            since: row.get(2)?,
            gone: row.get(3)?,
            is_back: row.get(5)?,
            text: body::body_without_data(said, None).text().map(str::to_owned),
        })
    };
    parts.query_map([message], part)?.collect()
}
