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
    /// Of which nothing tells in which chat they were.
    pub anywhere: u64,
}

impl Lost {
    /// Reads what there is: nothing of what is no archive. `is_as_of`: it is shown as it was.
    pub fn read(connection: &Connection, schema: &Schema, is_as_of: bool) -> rusqlite::Result<Lost> {
        let mut lost = Lost::default();
        scan(connection, lost_messages(schema, is_as_of).as_deref(), |c| {
            let (rowid, chat, date) = (c.number(), c.maybe_number(), c.number());
            match chat {
                Some(chat) => lost.of_chats.entry(chat).or_default().push(LostRow { rowid, date }),
                None => lost.anywhere += 1,
            }
        })?;
        Ok(lost)
    }
}

/// The query for messages that are lost, with their chats. A state that a run gave up is noted with that run; of a message of which
/// nothing was left to be shown then, not even its hash is there. One that has it is damaged, and was not given up.
fn lost_messages(schema: &Schema, is_as_of: bool) -> Option<String> {
    let given_up = match is_as_of {
        true => format!("SELECT message AS id FROM {THEN} WHERE what = {WAS_LOST}"),
        // Archives that were made earlier do not know which run gave something up.
        false if schema.has("msgarchive_lost", "run") => {
            format!("SELECT DISTINCT id FROM msgarchive_lost WHERE kind = {MESSAGES} AND run > 0")
        }
        false => format!("SELECT DISTINCT id FROM msgarchive_lost WHERE kind = {MESSAGES}"),
    };
    let date = schema.column("chat_message_join", "j", "message_date");
    let is_known = schema.has_table("msgarchive_lost")
        && schema.has_table("msgarchive_message")
        && schema.has_all("chat_message_join", &["chat_id", "message_id"]);
    is_known.then(|| {
        format!(
            "SELECT l.id, j.chat_id, {date} FROM ({given_up}) l LEFT JOIN chat_message_join j ON j.message_id = l.id \
             WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.ROWID = l.id) \
               AND NOT EXISTS (SELECT 1 FROM msgarchive_message b WHERE b.id = l.id) ORDER BY l.id"
        )
    })
}
