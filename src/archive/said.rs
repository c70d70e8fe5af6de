//! What a message of the archive says and ever said: as an export of it shows the message, and as the archive kept it before.
//!
//! **Must never**: decide by itself what the words of a message are; that is [`crate::pipeline::said`].

use std::path::Path;

use rusqlite::Connection;

use super::conversations::Conversations;
use crate::model::Message;
use crate::pipeline::said::{before, now};
use crate::pipeline::{Shown, shown};
use crate::source::chatdb::Lookup;

/// Reads messages one by one, as exports show them.
pub struct Saying<'a> {
    lookup: Lookup<'a>,
    conversations: &'a Conversations,
}

impl<'a> Saying<'a> {
    /// Of an archive in a folder, with a connection to its database.
    pub fn of(
        connection: &'a Connection,
        folder: &Path,
        conversations: &'a Conversations,
    ) -> rusqlite::Result<Saying<'a>> {
        Ok(Saying { lookup: Lookup::of(connection, folder)?, conversations })
    }

    /// A message; `None` where there is none of this id. `whole`: with parts of it that its owner deleted.
    pub fn message(&self, id: i64, whole: bool) -> rusqlite::Result<Option<Shown>> {
        let row = self.lookup.message(id)?;
        Ok(row.map(|mut row| {
            if !whole {
                row.deleted_parts.clear();
            }
            let is_junk = row.chat.is_some_and(|chat| self.conversations.is_junk(chat));
            shown(row, &self.conversations.0, is_junk)
        }))
    }

    /// What it said in the states that the archive kept, oldest first.
    pub fn kept(&self, id: i64) -> rusqlite::Result<Vec<String>> {
        let mut kept = Vec::new();
        for row in self.lookup.former(id)? {
            if let Shown::AsMessage(message) = shown(row, &self.conversations.0, false) {
                kept.extend(before(&message).into_iter().chain(now(&message)).map(str::to_owned));
            }
        }
        Ok(kept)
    }

    /// What it said once and says no more, oldest first, each once.
    pub fn once(&self, message: &Message) -> rusqlite::Result<Vec<String>> {
        let said = now(message);
        let parts = message.parts.iter().filter_map(|part| match &part.content {
            crate::model::PartContent::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let said: Vec<&str> = said.into_iter().chain(parts).collect();
        let mut once: Vec<String> = Vec::new();
        let of_its_own = before(message).into_iter().map(str::to_owned);
        for text in self.kept(message.rowid)?.into_iter().chain(of_its_own) {
            let says_something = text.chars().any(|c| c != '\u{fffc}' && !c.is_whitespace());
            if says_something && !said.contains(&text.as_str()) && !once.contains(&text) {
                once.push(text);
            }
        }
        Ok(once)
    }
}
