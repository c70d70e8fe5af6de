//! Why a message is not where it was: from what the source says of its deletions.
//!
//! | reason | evidence |
//! |---|---|
//! | `recently_deleted` | the row is in Recently Deleted, with its date; or was, before it was gone from there, too |
//! | `aged_out` | it is older than Keep Messages keeps any, by the source's setting or else [any that can be](super::horizon), nothing in the source is, and it did not survive that: the whole tail went. Without the setting that is [a guess](super::guess) |
//! | `conversation_deleted` | the source has no chat of that conversation any more; or has made it anew, and says that it was deleted when the message was there |
//! | `deleted` | the source lists the message as deleted; or it is a tapback that a later one [replaced](super::replaced) |
//! | `unexplained` | none of these |
//!
//! The rows that Keep Messages removes are listed as deleted, too, and so are those of a deleted conversation: what says
//! more comes first. Where the setting is not known, that the source dates the deletion of the very conversation says more
//! than the guess.

mod conversation;

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, params};

pub use self::conversation::{Conversation, Conversations};
use super::ArchiveError;
use super::damage::FoundDamaged;
use super::guess;
use super::horizon::{Going, aged_out};
use super::kept::Kept;
use super::kind::Kind;
use super::moves::chats_of;
use super::places::{Places, number};
use super::replaced::Replacing;
use super::row::text_at;
use super::sums::ABSENCES;

/// Why a message is absent.
pub use crate::model::DeletionReason as Reason;
use crate::model::Instant;
pub use crate::pipeline::decode::date::in_nanoseconds;
use crate::source::apple_date;
use crate::source::tables::{Tables, text};

/// Where a source lists messages as deleted, by GUID.
const LISTS_OF_DELETED: [(&str, &str); 4] = [
    ("deleted_messages", "guid"),
    ("sync_deleted_messages", "guid"),
    ("unsynced_removed_recoverable_messages", "message_guid"),
    ("scheduled_messages_pending_cloudkit_delete", "guid"),
];

/// Why a message is not in a source any more.
#[derive(Debug, Clone, Copy)]
pub struct Why {
    reason: Reason,
    is_guessed: bool,
}

impl Why {
    fn known(reason: Reason) -> Why {
        Why { reason, is_guessed: false }
    }
}

/// What a source says of what it has no more.
pub struct Evidence<'c> {
    connection: &'c Connection,
    source: i64,
    /// GUIDs of messages that it lists as deleted.
    deleted: HashSet<String>,
    conversations: Conversations<'c>,
    /// What is of these dates went by its age.
    aged_out: Option<Range<i64>>,
    replacing: Replacing<'c>,
    /// The setting of Keep Messages is not known.
    is_guessed: bool,
}

impl<'c> Evidence<'c> {
    /// Without evidence: for a source that misses nothing.
    pub fn none(connection: &'c Connection, source: i64) -> Evidence<'c> {
        Evidence {
            connection,
            source,
            deleted: HashSet::new(),
            conversations: Conversations::none(connection, source),
            aged_out: None,
            is_guessed: false,
            replacing: Replacing::new(connection, Some(source)),
        }
    }

    /// Reads what there is, but for [what went by its age](Self::read_horizon).
    pub fn read(
        connection: &'c Connection,
        tables: &Tables,
        source: i64,
    ) -> Result<Evidence<'c>, ArchiveError> {
        let mut evidence = Evidence::none(connection, source);
        for (table, column) in LISTS_OF_DELETED {
            texts(tables, table, column, None, |guid, _| {
                evidence.deleted.insert(guid);
            })?;
        }
        evidence.conversations = Conversations::read(connection, tables, source)?;
        Ok(evidence)
    }

    /// Finds out what of these, which the source has no more since that run, can have gone by its age. `before`: its
    /// predecessors; `now`: when it was as it is.
    pub fn read_horizon(
        &mut self,
        (tables, places, kept): (&Tables, &Places, Kept),
        (before, run): (&[i64], i64),
        gone: &[i64],
        now: Instant,
    ) -> Result<(), ArchiveError> {
        let read = (self.source, before, run);
        let going = Going::of(self.connection, &self.conversations, read, gone)
            .map_err(ArchiveError::of(self.connection))?;
        self.is_guessed = kept.setting.is_none();
        self.aged_out = aged_out((tables, places, kept), apple_date(now), &going)?;
        Ok(())
    }

    /// Why a message is not in the source any more.
    pub fn reason(&self, message: i64) -> Result<Why, ArchiveError> {
        let read = || -> rusqlite::Result<Why> {
            let (guid, date) = self
                .connection
                .prepare_cached("SELECT guid, date FROM message WHERE ROWID = ?1")?
                .query_row([message], |row| Ok((text_at(row, 0)?, number(row.get_ref(1)?))))?;
            let date = in_nanoseconds(date);
            let conversation = self.conversations.of(message, date)?;
            let is_too_old = self.aged_out.as_ref().is_some_and(|dates| dates.contains(&date) && date != 0);
            if is_too_old && !(self.is_guessed && conversation == Conversation::Listed) {
                return Ok(Why { reason: Reason::AgedOut, is_guessed: self.is_guessed });
            }
            if conversation != Conversation::There {
                return Ok(Why::known(Reason::ConversationDeleted));
            }
            let mut also =
                self.connection.prepare_cached("SELECT guid FROM msgarchive_alias WHERE message = ?1")?;
            let also = also.query_map([message], |row| text_at(row, 0))?;
            let also: Vec<Option<String>> = also.collect::<rusqlite::Result<_>>()?;
            let listed = guid.iter().chain(also.iter().flatten()).any(|guid| self.deleted.contains(guid));
            let is_explained = listed || self.replacing.by(message)?.is_some();
            Ok(Why::known(if is_explained { Reason::Deleted } else { Reason::Unexplained }))
        };
        read().map_err(ArchiveError::of(self.connection))
    }

    /// Writes down that the source has a message: since `date` in Recently Deleted, or else where messages are, so that it
    /// came back if it was gone for any reason.
    pub fn note_there(&self, message: i64, date: Option<i64>, run: i64) -> rusqlite::Result<()> {
        let open = self.open_absence(message)?;
        let date = date.map(in_nanoseconds);
        match (date, open) {
            (Some(date), Some(open)) if self.is_recently_deleted_since(open, date)? => {
                // It had been gone, and came back to Recently Deleted.
                self.connection
                    .prepare_cached("UPDATE msgarchive_absence SET gone = NULL WHERE rowid = ?1")?
                    .execute([open])?;
                return Ok(());
            }
            // It came back, and may have been deleted again.
            (_, Some(open)) => {
                self.connection
                    .prepare_cached("UPDATE msgarchive_absence SET returned = ?2 WHERE rowid = ?1")?
                    .execute([open, run])?;
            }
            (_, None) => {}
        }
        if let Some(date) = date {
            self.add(message, Why::known(Reason::RecentlyDeleted), date, run, None)?;
        }
        Ok(())
    }

    fn is_recently_deleted_since(&self, absence: i64, date: i64) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM msgarchive_absence WHERE rowid = ?1 AND reason = ?2 AND date = ?3)",
            )?
            .query_row(params![absence, Reason::RecentlyDeleted.name(), date], |row| row.get(0))
    }

    /// Writes down that a message is in no chat of the source, nor in Recently Deleted, though its row stayed: nobody sees
    /// it there any more (`messages-format.md` 13.3). What is in no chat from the start is no less there than it was.
    /// `chats_gone`: those that the source has no more, sorted; `None`: they went at some time, if they are gone.
    pub fn note_left(
        &self,
        message: i64,
        chats_gone: Option<&[i64]>,
        now: Instant,
        run: i64,
    ) -> Result<(), ArchiveError> {
        let note = || -> rusqlite::Result<()> {
            if let Some(open) = self.open_absence(message)? {
                let sql = "UPDATE msgarchive_absence SET gone = ?2 \
                    WHERE rowid = ?1 AND reason = 'recently_deleted' AND gone IS NULL";
                self.connection.prepare_cached(sql)?.execute([open, run])?;
            } else if self.has_lost_its_chat(message, chats_gone)? {
                self.add(message, Why::known(Reason::ConversationDeleted), apple_date(now), run, None)?;
            }
            Ok(())
        };
        note().map_err(ArchiveError::of(self.connection))
    }

    fn has_lost_its_chat(&self, message: i64, chats_gone: Option<&[i64]>) -> rusqlite::Result<bool> {
        let chats = chats_of(self.connection, message, self.source)?;
        if chats_gone.is_some_and(|gone| !chats.iter().any(|chat| gone.binary_search(chat).is_ok())) {
            return Ok(false);
        }
        let date = self
            .connection
            .prepare_cached("SELECT date FROM message WHERE ROWID = ?1")?
            .query_row([message], |row| Ok(number(row.get_ref(0)?)))?;
        Ok(self.conversations.of(message, in_nanoseconds(date))? != Conversation::There)
    }

    /// Writes down that the source has a message no more.
    pub fn note_gone(&self, message: i64, now: Instant, run: i64) -> Result<(), ArchiveError> {
        let failed = || ArchiveError::of(self.connection);
        match self.open_absence(message).map_err(failed())? {
            // It was deleted when it went to Recently Deleted.
            Some(open) => {
                let update = self
                    .connection
                    .prepare_cached("UPDATE msgarchive_absence SET gone = ?2 WHERE rowid = ?1");
                update.and_then(|mut update| update.execute([open, run])).map_err(failed())?;
            }
            None => {
                let why = self.reason(message)?;
                self.add(message, why, apple_date(now), run, Some(run)).map_err(failed())?;
            }
        }
        Ok(())
    }

    /// Of these, what the source has lost now: not what it has by another row, or had in Recently Deleted.
    pub fn newly_gone(&self, ids: &[i64]) -> rusqlite::Result<Vec<i64>> {
        let mut newly = Vec::new();
        for id in ids {
            if !self.is_seen(*id)? && self.open_absence(*id)?.is_none() {
                newly.push(*id);
            }
        }
        Ok(newly)
    }

    fn open_absence(&self, message: i64) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached(
                "SELECT rowid FROM msgarchive_absence WHERE message = ?1 AND source = ?2 AND returned IS NULL",
            )?
            .query_row([message, self.source], |row| row.get(0))
            .optional()
    }

    fn add(
        &self,
        message: i64,
        Why { reason, is_guessed }: Why,
        date: i64,
        run: i64,
        gone: Option<i64>,
    ) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO msgarchive_absence (message, source, run, reason, date, gone) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![message, self.source, run, reason.name(), date, gone])?;
        if is_guessed {
            guess::note(self.connection, message, self.source, run)?;
        }
        Ok(())
    }

    /// Whether a message is known to the source by another row, so that it is not gone at all; or is none, because what is
    /// known of the source's row was damaged.
    pub fn is_seen(&self, message: i64) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM msgarchive_sighting WHERE kind = ?1 AND id = ?2 AND source = ?3) \
                 OR NOT EXISTS (SELECT 1 FROM message WHERE ROWID = ?2)",
            )?
            .query_row(params![Kind::Message.number(), message, self.source], |row| row.get(0))
    }
}

/// The sources that one took the place of: they lay where it lies, or were of its device, and are read no more by `run`.
pub fn predecessors(connection: &Connection, source: i64, run: i64) -> rusqlite::Result<Vec<i64>> {
    let mut before = connection.prepare(
        "SELECT b.source FROM msgarchive_source s JOIN msgarchive_source b \
           ON b.source <> s.source AND b.kind = s.kind AND (b.path = s.path OR b.device = s.device) \
         WHERE s.source = ?1 AND b.last_run < ?2 ORDER BY b.source",
    )?;
    before.query_map([source, run], |row| row.get(0))?.collect()
}

impl Evidence<'_> {
    /// What the source lists as deleted, and one before it had when it was read last: it was deleted between the two. What
    /// is missing and not listed may only not have been restored.
    pub fn deleted_since(&self, predecessors: &[i64]) -> rusqlite::Result<BTreeSet<i64>> {
        let mut known = self.connection.prepare_cached(
            "SELECT ROWID FROM message WHERE guid = ?1 UNION SELECT message FROM msgarchive_alias WHERE guid = ?1",
        )?;
        let mut had = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM msgarchive_sighting WHERE kind = ?1 AND id = ?2 AND source = ?3) \
             AND NOT EXISTS (SELECT 1 FROM msgarchive_absence WHERE message = ?2 AND source = ?3 AND returned IS NULL)",
        )?;
        let mut since = BTreeSet::new();
        for guid in self.deleted.iter().filter(|_| !predecessors.is_empty()) {
            let Some(message) = known.query_row([guid], |row| row.get::<_, i64>(0)).optional()? else {
                continue;
            };
            for before in predecessors {
                let of = params![Kind::Message.number(), message, before];
                if had.query_row(of, |row| row.get::<_, bool>(0))? && !self.is_seen(message)? {
                    since.insert(message);
                }
            }
        }
        Ok(since)
    }
}

/// The messages of which it is not known any more when and why they are gone, and whether.
#[derive(Debug, Default)]
pub struct UncertainAbsences {
    pub of: Vec<i64>,
    /// Of none of them it is certain.
    pub of_any: bool,
}

impl UncertainAbsences {
    pub fn of(found: &FoundDamaged) -> UncertainAbsences {
        UncertainAbsences {
            of: found.ids_of(ABSENCES).collect(),
            of_any: found.is_wrong_throughout(ABSENCES),
        }
    }

    pub fn are_none(&self) -> bool {
        self.of.is_empty() && !self.of_any
    }
}

impl Evidence<'_> {
    /// Those of which the source may tell.
    pub fn uncertain(&self, of: &UncertainAbsences, places: &Places) -> rusqlite::Result<Vec<i64>> {
        let mut ids = of.of.clone();
        if of.of_any {
            let mut seen = self.connection.prepare(
                "SELECT id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?;
            for rowid in places.recently_deleted.keys() {
                let of = params![Kind::Message.number(), self.source, rowid];
                ids.extend(seen.query_row(of, |row| row.get::<_, i64>(0)).optional()?);
            }
            let mut unseen = self.connection.prepare(
                "SELECT id FROM msgarchive_message b WHERE source = ?2 AND NOT EXISTS \
                   (SELECT 1 FROM msgarchive_sighting s WHERE s.kind = ?1 AND s.id = b.id)",
            )?;
            let of = params![Kind::Message.number(), self.source];
            ids.extend(unseen.query_map(of, |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The row id of a message in the source.
    pub fn seen_at(&self, message: i64) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached(
                "SELECT source_rowid FROM msgarchive_sighting WHERE kind = ?1 AND id = ?2 AND source = ?3",
            )?
            .query_row(params![Kind::Message.number(), message, self.source], |row| row.get(0))
            .optional()
    }

    /// Whether the source brought a message, has it no more, and nothing says so.
    pub fn has_to_be_gone(&self, message: i64) -> rusqlite::Result<bool> {
        let brought = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM msgarchive_message WHERE id = ?1 AND source = ?2)")?
            .query_row(params![message, self.source], |row| row.get::<_, bool>(0))?;
        Ok(brought && !self.is_seen(message)? && self.open_absence(message)?.is_none())
    }
}

/// Calls `each` with every text of a column, where there is one, and the number beside it.
fn texts(
    tables: &Tables,
    table: &str,
    column: &str,
    beside: Option<&str>,
    mut each: impl FnMut(String, i64),
) -> Result<(), ArchiveError> {
    let Some(table) = tables.table(table).filter(|table| table.column(column).is_some()) else {
        return Ok(());
    };
    let beside = beside.filter(|beside| table.column(beside).is_some());
    let columns: Vec<&str> = std::iter::once(column).chain(beside).collect();
    tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
        if let Some(text) = text(row.value(0)).filter(|text| !text.is_empty()) {
            let beside = beside.map_or(0, |_| number(row.value(1)));
            each(text, beside);
        }
        Ok::<(), ArchiveError>(())
    })
}
