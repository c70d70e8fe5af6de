//! Attachments that came again: with a message that was restored under another GUID, they have other GUIDs, too.
//!
//! Two are the same by their bytes; or, where one of them is not on the disk of any source, by their name and size. So a
//! picture without words is known again, and a message shows each of its pictures once. The row of the one that came again
//! stays, as all rows do; it is joined to nothing.
//!
//! **Must never**: take two pictures for one that have different bytes.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::folder::HOME;
use super::kind::{CARRIED, Kind};
use super::places::number;
use super::schema::has_column;
use super::visit::{Ids, Visit};
use crate::source::tables::Tables;

/// The attachments of a message of the archive.
pub fn carried_by(connection: &Connection, message: i64) -> rusqlite::Result<Vec<i64>> {
    let mut carried = connection.prepare_cached(&format!(
        "SELECT attachment_id FROM {CARRIED} WHERE message_id = ?1 ORDER BY attachment_id"
    ))?;
    carried.query_map([message], |row| row.get(0))?.collect()
}

/// Each of these is the same as one of those, and they are as many.
pub fn are_all(connection: &Connection, these: &[i64], those: &[i64]) -> rusqlite::Result<bool> {
    let mut left = those.to_vec();
    for one in these {
        let mut found = None;
        for (at, other) in left.iter().enumerate() {
            if are(connection, *one, *other)? {
                found = Some(at);
                break;
            }
        }
        let Some(at) = found else { return Ok(false) };
        left.swap_remove(at);
    }
    Ok(left.is_empty())
}

/// Two attachments are the same.
fn are(connection: &Connection, one: i64, other: i64) -> rusqlite::Result<bool> {
    if one == other {
        return Ok(true);
    }
    let (of_one, of_other) = (hashes(connection, one)?, hashes(connection, other)?);
    if !of_one.is_empty() && !of_other.is_empty() {
        return Ok(!of_one.is_disjoint(&of_other));
    }
    // Of two that are nowhere the bytes may still come, to one of them: they are not known to be the same.
    if of_one.is_empty() && of_other.is_empty() {
        return Ok(false);
    }
    for column in ["transfer_name", "total_bytes"] {
        if !has_column(connection, Kind::Attachment.table(), column)? {
            return Ok(false);
        }
    }
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM attachment a JOIN attachment b \
               ON a.transfer_name = b.transfer_name AND a.total_bytes = b.total_bytes \
             WHERE a.ROWID = ?1 AND b.ROWID = ?2 AND a.transfer_name <> '' AND a.total_bytes > 0)",
        )?
        .query_row([one, other], |row| row.get(0))
}

/// The hashes of the bytes that an attachment has and had; of a Live Photo, those of the picture.
fn hashes(connection: &Connection, attachment: i64) -> rusqlite::Result<HashSet<String>> {
    let mut paths = connection.prepare_cached(
        "SELECT path FROM msgarchive_content WHERE attachment = ?1 \
         UNION SELECT path FROM msgarchive_former_content WHERE attachment = ?1",
    )?;
    let paths = paths.query_map([attachment], |row| row.get::<_, String>(0))?;
    paths.map(|path| path.map(|path| hash_in(&path).to_owned())).collect()
}

/// A content is named after its hash: `Attachments/ab/ab12….heic`, `Attachments/ab/ab12…-cd34….mov`.
fn hash_in(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split(['.', '-']).next().unwrap_or(name)
}

/// Finds, of what one source has, what is here already.
pub struct Twins<'c> {
    connection: &'c Connection,
    visit: Visit<'c>,
    /// Those that were found again: each once for a message.
    found: HashSet<(i64, i64)>,
}

impl<'c> Twins<'c> {
    /// `None`: no message ever came again under another GUID.
    pub fn of(connection: &'c Connection, visit: Visit<'c>) -> rusqlite::Result<Option<Twins<'c>>> {
        let may_be: bool =
            connection.query_row("SELECT EXISTS (SELECT 1 FROM msgarchive_alias)", [], |row| row.get(0))?;
        Ok(may_be.then(|| Twins { connection, visit, found: HashSet::new() }))
    }

    /// The message carries another one, which is the same as this one, and which this source knows by no other row. Both are
    /// of the archive.
    pub fn has(&mut self, message: i64, attachment: i64) -> rusqlite::Result<bool> {
        let twin = self.twin(message, attachment)?;
        self.found.extend(twin.map(|twin| (message, twin)));
        Ok(twin.is_some())
    }

    fn twin(&self, message: i64, attachment: i64) -> rusqlite::Result<Option<i64>> {
        let is_known_again: bool = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM msgarchive_alias WHERE message = ?1)")?
            .query_row([message], |row| row.get(0))?;
        let carried = if is_known_again { carried_by(self.connection, message)? } else { Vec::new() };
        if carried.contains(&attachment) {
            return Ok(None);
        }
        for other in carried {
            if !self.found.contains(&(message, other))
                && !self.is_of_this_source(other)?
                && are(self.connection, attachment, other)?
            {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    fn is_of_this_source(&self, attachment: i64) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND id = ?3)",
            )?
            .query_row(params![Kind::Attachment.number(), self.visit.source, attachment], |row| row.get(0))
    }

    /// Bytes came with an attachment that is joined to nothing: the one that its message carries has them, too, if it has none.
    /// `came`: row ids in the source. How many got some.
    pub fn hand_on(&mut self, tables: &Tables, attachments: &Ids, came: &[i64]) -> Result<u64, ArchiveError> {
        let failed = || ArchiveError::of(self.connection);
        let Some(table) = tables.table(CARRIED) else { return Ok(0) };
        let mut alone = HashSet::new();
        for rowid in came {
            if let Some(id) = attachments.get(rowid)
                && self.is_alone(*id).map_err(failed())?
            {
                alone.insert(*rowid);
            }
        }
        let mut handed = 0;
        if alone.is_empty() {
            return Ok(handed);
        }
        self.found.clear();
        tables.reader().rows(table, &["message_id", "attachment_id"], i64::MIN..=i64::MAX, |row| {
            let (message, attachment) = (number(row.value(0)), number(row.value(1)));
            if let Some(id) = attachments.get(&attachment)
                && alone.contains(&attachment)
            {
                handed += self.give(message, *id).map_err(failed())?;
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(handed)
    }

    fn is_alone(&self, attachment: i64) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(&format!("SELECT NOT EXISTS (SELECT 1 FROM {CARRIED} WHERE attachment_id = ?1)"))?
            .query_row([attachment], |row| row.get(0))
    }

    /// `message`: its row id in the source.
    fn give(&mut self, message: i64, attachment: i64) -> rusqlite::Result<u64> {
        let here: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?
            .query_row(params![Kind::Message.number(), self.visit.source, message], |row| row.get(0))
            .optional()?;
        let Some(here) = here else { return Ok(0) };
        let Some(twin) = self.twin(here, attachment)? else { return Ok(0) };
        self.found.insert((here, twin));
        let given = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO msgarchive_content (attachment, original, path, film, source, run) \
                 SELECT a.ROWID, a.filename, c.path, c.film, ?3, ?4 FROM msgarchive_content c, attachment a \
                 WHERE c.attachment = ?1 AND a.ROWID = ?2",
            )?
            .execute(params![attachment, twin, self.visit.source, self.visit.run])?;
        if given > 0 {
            self.connection
                .prepare_cached(&format!(
                    "UPDATE attachment SET filename = '{HOME}' || \
                       (SELECT path FROM msgarchive_content WHERE attachment = ?1) WHERE ROWID = ?1"
                ))?
                .execute([twin])?;
        }
        Ok(given as u64)
    }
}
