//! Parts of messages that were in Recently Deleted and came back from there.
//!
//! As Apple's table does, the archive's has the parts that are deleted; what was in it, and until which run, is noted beside
//! it. That a source has a row of it no more says nothing: Recently Deleted is purged after a month. The part has to be back
//! in the message, too.
//!
//! **Must never**: take away a part that is nowhere else.

use std::collections::{HashMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::conversations::columns_or_null;
use super::history::{body_columns, text};
use super::places::number;
use super::visit::Visit;
use crate::pipeline::decode::body;
use crate::pipeline::decode::summary::{Summary, summary};

/// What Recently Deleted has of messages of which the rest was not deleted.
pub const PARTS: &str = "recoverable_message_part";
/// What it had of them, and came back.
pub const FORMER_PARTS: &str = "msgarchive_former_part";

/// Compares which parts are deleted in a source with which are in the archive.
pub struct Recovered<'c> {
    connection: &'c Connection,
    visit: Visit<'c>,
    /// (message, chat, part) that the source has.
    there: HashSet<(i64, i64, i64)>,
    /// When those were deleted last that came back.
    back: HashMap<(i64, i64, i64), i64>,
}

/// A part that the archive has as deleted.
struct Part {
    rowid: i64,
    /// (message, chat, part).
    what: (i64, i64, i64),
    date: i64,
    text: Option<String>,
}

/// A part that came back from Recently Deleted in another archive.
pub struct FormerPart {
    /// (message, chat, part), as here.
    pub what: (i64, i64, i64),
    /// When it was deleted, as Apple has it.
    pub date: i64,
    pub text: Vec<u8>,
}

/// What a message says, and how its parts were edited.
#[derive(Default)]
struct Said {
    text: String,
    summary: Summary,
}

impl<'c> Recovered<'c> {
    pub fn new(connection: &'c Connection, visit: Visit<'c>) -> rusqlite::Result<Recovered<'c>> {
        let mut statement = connection.prepare(&format!(
            "SELECT message, chat, part, max(delete_date) FROM {FORMER_PARTS} GROUP BY message, chat, part"
        ))?;
        let back = statement
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), number(row.get_ref(3)?))))?;
        let back = back.collect::<rusqlite::Result<_>>()?;
        Ok(Recovered { connection, visit, there: HashSet::new(), back })
    }

    /// The source has this part of a message (message, chat, part) in Recently Deleted, since that date. Whether that is
    /// to be shown: one that is of before it came back tells nothing new.
    pub fn is_deleted(&mut self, part: (i64, i64, i64), date: i64) -> bool {
        self.there.insert(part);
        self.back.get(&part).is_none_or(|back| *back < date)
    }

    /// All were told of. Calls `withdraw` with what identifies those that came back with messages that the source `changed`.
    pub fn finish(
        self,
        changed: &[i64],
        mut withdraw: impl FnMut(&[ValueRef<'_>]) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        let changed: HashSet<i64> = changed.iter().copied().collect();
        for part in self.deleted()? {
            let (message, chat, index) = part.what;
            if changed.contains(&message) && !self.there.contains(&part.what) && self.is_back(&part)? {
                self.keep(&part)?;
                withdraw(&[message, chat, index].map(ValueRef::Integer))?;
            }
        }
        Ok(())
    }

    /// Takes over what came back in another archive. Calls `withdraw` with what identifies those that are deleted here, and by
    /// what the message says are back.
    pub fn inherit(
        &self,
        former: &[FormerPart],
        mut withdraw: impl FnMut(&[ValueRef<'_>]) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        if former.is_empty() {
            return Ok(());
        }
        let mut back: HashMap<(i64, i64, i64), i64> = HashMap::new();
        for FormerPart { what, date, .. } in former {
            let last = back.entry(*what).or_insert(*date);
            *last = *date.max(last);
        }
        for part in self.deleted()? {
            let (message, chat, index) = part.what;
            if back.get(&part.what).is_some_and(|back| part.date <= *back) && self.is_said(&part)?.is_some() {
                self.keep(&part)?;
                withdraw(&[message, chat, index].map(ValueRef::Integer))?;
            }
        }
        let mut known = self
            .connection
            .prepare(&format!("SELECT message, chat, part, coalesce(delete_date, 0) FROM {FORMER_PARTS}"))?;
        let known = known
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), number(row.get_ref(3)?))))?;
        let mut known: HashSet<((i64, i64, i64), i64)> = known.collect::<rusqlite::Result<_>>()?;
        for FormerPart { what, date, text } in former {
            let (message, chat, index) = *what;
            if known.insert((*what, *date)) {
                self.connection.execute(
                    &format!(
                        "INSERT INTO {FORMER_PARTS} (message, chat, part, delete_date, part_text, source, until) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)"
                    ),
                    params![message, chat, index, date, text, self.visit.source],
                )?;
            }
        }
        Ok(())
    }

    /// Keeps what was here until this run.
    fn keep(&self, part: &Part) -> rusqlite::Result<usize> {
        self.connection.execute(
            &format!(
                "INSERT INTO {FORMER_PARTS} (message, chat, part, delete_date, part_text, source, until) \
                 SELECT message_id, chat_id, part_index, delete_date, part_text, ?2, ?3 FROM {PARTS} WHERE rowid = ?1"
            ),
            params![part.rowid, self.visit.source, self.visit.run],
        )
    }

    /// There are few.
    fn deleted(&self) -> rusqlite::Result<Vec<Part>> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT rowid, message_id, chat_id, part_index, part_text, delete_date FROM {PARTS} \
             WHERE typeof(message_id) = 'integer' AND typeof(chat_id) = 'integer' AND typeof(part_index) = 'integer'"
        ))?;
        let parts = statement.query_map([], |row| {
            let blob = row.get_ref(4)?.as_bytes_or_null().ok().flatten();
            Ok(Part {
                rowid: row.get(0)?,
                what: (row.get(1)?, row.get(2)?, row.get(3)?),
                date: number(row.get_ref(5)?),
                text: body::body_without_data(blob, None).into_text(),
            })
        })?;
        parts.collect()
    }

    /// The message says it, and says more than before this run.
    fn is_back(&self, part: &Part) -> rusqlite::Result<bool> {
        let Some(now) = self.is_said(part)? else { return Ok(false) };
        let before = self.said(
            "msgarchive_message_version",
            "v.msgarchive_id = ?1 AND v.msgarchive_until = ?2",
            "ORDER BY v.msgarchive_version DESC LIMIT 1",
            part.what.0,
        )?;
        Ok(before.is_none_or(|before| before.text.chars().count() < now.chars().count()))
    }

    /// What the message says, where that is in it: as it was, or before it was edited since.
    fn is_said(&self, part: &Part) -> rusqlite::Result<Option<String>> {
        let Some(of_part) = part.text.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let (message, _, index) = part.what;
        let now = self.said("message", "v.ROWID = ?1 AND ?2 <> 0", "", message)?;
        let is_said = |now: &Said| {
            let was_edited = || u32::try_from(index).is_ok_and(|index| now.summary.was(index, of_part));
            now.text.contains(of_part) || was_edited()
        };
        Ok(now.filter(is_said).map(|now| now.text))
    }

    fn said(&self, table: &str, which: &str, order: &str, message: i64) -> rusqlite::Result<Option<Said>> {
        let body = body_columns(self.connection, table, "v")?;
        let summary_info = columns_or_null(self.connection, table, &["message_summary_info"])?;
        self.connection
            .prepare_cached(&format!("SELECT {body}, {summary_info} FROM {table} v WHERE {which} {order}"))?
            .query_row([message, self.visit.run], |row| {
                let blob = row.get_ref(2)?.as_bytes_or_null().ok().flatten();
                Ok(Said {
                    text: text(row, 0)?.unwrap_or_default(),
                    summary: summary(blob.unwrap_or_default()),
                })
            })
            .optional()
    }
}
