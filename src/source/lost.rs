//! Messages that an archive had, and that nothing has any more: damage took their rows, and no source gave them again. What tells
//! in which chat a message was, and when it was sent, may outlive it.
//!
//! **Must never**: take a message for lost that is shown, in whatever state.

use std::collections::HashMap;

use rusqlite::Connection;

use super::LostRow;
use super::as_of::{THEN, WAS_LOST};
use super::database::{Schema, scan};

/// The number of messages in the table of what is lost (`archive/schema.sql`).
const MESSAGES: i64 = 3;

/// What is lost of an archive altogether.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// By chat; each by row id.
    pub of_chats: HashMap<i64, Vec<LostRow>>,
    /// Of which nothing tells in which chat they were: at least so many.
    pub anywhere: u64,
}

/// Messages that came since some were given up of which nothing tells where they were, and that were sent before that: these may be some of
/// those.
const CAME_LATE: &str = "SELECT count(*) FROM msgarchive_run r \
     JOIN msgarchive_message b ON b.since >= r.run AND b.added >= r.run JOIN message m ON m.ROWID = b.id \
     WHERE r.run = (SELECT min(l.run) FROM msgarchive_lost l WHERE l.kind = 3 AND l.run > 0 \
         AND NOT EXISTS (SELECT 1 FROM message m WHERE m.ROWID = l.id) \
         AND NOT EXISTS (SELECT 1 FROM chat_message_join j WHERE j.message_id = l.id)) \
       AND m.date < (unixepoch(r.date) - 978307200) * 1000000000";

/// How many messages there were at most after any run, and how many after the last one: an archive only grows. Those that a source may
/// have are not lost, and the last run names them.
const SHRUNK: &str = "SELECT max(json_extract(r.record, '$.totals.message')), \
       (SELECT json_extract(l.record, '$.totals.message') + ( \
          SELECT count(*) FROM json_each(l.record, '$.still_damaged_of') s \
          WHERE json_extract(s.value, '$.table') = 'message' AND NOT EXISTS ( \
            SELECT 1 FROM message m WHERE m.ROWID = json_extract(s.value, '$.row'))) \
        FROM msgarchive_run l WHERE l.run = (SELECT max(run) FROM msgarchive_run) AND json_valid(l.record)) \
     FROM msgarchive_run r WHERE json_valid(r.record)";

impl Lost {
    /// Reads what there is: nothing of what is no archive. `is_as_of`: it is shown as it was.
    pub fn read(connection: &Connection, schema: &Schema, is_as_of: bool) -> rusqlite::Result<Lost> {
        let mut lost = Lost::default();
        let (mut placed, mut last) = (0, None);
        scan(connection, lost_messages(schema, is_as_of).as_deref(), |c| {
            let (rowid, chat, date) = (c.number(), c.maybe_number(), c.number());
            match chat {
                Some(chat) => {
                    // It may have been in several.
                    placed += u64::from(last.replace(rowid) != Some(rowid));
                    lost.of_chats.entry(chat).or_default().push(LostRow { rowid, date });
                }
                None => lost.anywhere += 1,
            }
        })?;
        scan(connection, Some(CAME_LATE).filter(|_| lost.anywhere > 0), |c| {
            lost.anywhere = lost.anywhere.saturating_sub(u64::try_from(c.number()).unwrap_or_default());
        })?;
        // Where the whole database was damaged, most of what is gone nothing names any more.
        scan(connection, Some(SHRUNK).filter(|_| schema.has("msgarchive_run", "record")), |c| {
            if let (Some(most), Some(now)) = (c.maybe_number(), c.maybe_number()) {
                let gone = u64::try_from(most.saturating_sub(now)).unwrap_or_default();
                lost.anywhere = lost.anywhere.max(gone.saturating_sub(placed));
            }
        })?;
        Ok(lost)
    }
}

/// The query for messages that are lost, with their chats. A state that a run gave up is noted with that run; of a message of which
/// nothing was left to be shown then, not even its hash is there. One that has it is damaged, and was not given up. One that came into the
/// same chat since, with the same date, is that message: where its hash went with it, nobody knew it again.
fn lost_messages(schema: &Schema, is_as_of: bool) -> Option<String> {
    let given_up = match is_as_of {
        true => format!("SELECT message AS id FROM {THEN} WHERE what = {WAS_LOST}"),
        false => format!("SELECT DISTINCT id FROM msgarchive_lost WHERE kind = {MESSAGES} AND run > 0"),
    };
    let date = schema.column("chat_message_join", "j", "message_date");
    // Archives that were made earlier do not know which run gave something up.
    let is_known = schema.has("msgarchive_lost", "run")
        && schema.has_table("msgarchive_message")
        && schema.has_all("chat_message_join", &["chat_id", "message_id"]);
    is_known.then(|| {
        format!(
            "SELECT l.id, j.chat_id, {date} FROM ({given_up}) l LEFT JOIN chat_message_join j ON j.message_id = l.id \
             WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.ROWID = l.id) \
               AND NOT EXISTS (SELECT 1 FROM msgarchive_message b WHERE b.id = l.id) AND NOT EXISTS ( \
                 SELECT 1 FROM chat_message_join o JOIN msgarchive_message b ON b.id = o.message_id \
                 WHERE o.chat_id = j.chat_id AND o.message_date = j.message_date AND b.added >= ( \
                   SELECT min(g.run) FROM msgarchive_lost g WHERE g.kind = {MESSAGES} AND g.id = l.id AND g.run > 0)) \
             ORDER BY l.id"
        )
    })
}
