//! Which message of an archive is in which conversation: as in an export of it, without counting what is in it.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::places::number;
use super::row::text_at;
use crate::model::{Conversation, ConversationKind};
use crate::pipeline::roster::Roster;
use crate::source::contacts::Contact;
use crate::source::{ChatId, RawChat, RawHandle};

/// `chat.is_filtered` of junk.
const JUNK: i64 = 2;

/// The conversations of an archive; and which chats are filed as junk.
pub struct Conversations(pub Roster, HashSet<ChatId>);

impl Conversations {
    /// Reads the chats and who is in them.
    pub fn read(connection: &Connection, contacts: &[Contact]) -> rusqlite::Result<Conversations> {
        let handles = handles(connection)?;
        let chats = chats(connection)?;
        let junk = chats.iter().filter(|chat| chat.is_filtered == JUNK).map(RawChat::id).collect();
        Ok(Conversations(Roster::new(&handles, &chats, contacts), junk))
    }

    /// Whether a chat is filed as junk.
    pub fn is_junk(&self, chat: ChatId) -> bool {
        self.1.contains(&chat)
    }

    /// The conversation of a message; `None` for one in no chat.
    pub fn of(&self, connection: &Connection, message: i64) -> rusqlite::Result<Option<&Conversation>> {
        Ok(self.place_of(connection, message)?.and_then(|at| self.at(at)))
    }

    /// As [`Conversations::of`]: which one it is.
    pub fn place_of(&self, connection: &Connection, message: i64) -> rusqlite::Result<Option<usize>> {
        let mut statement =
            connection.prepare_cached("SELECT min(chat_id) FROM chat_message_join WHERE message_id = ?1")?;
        let chat: Option<i64> = statement.query_row([message], |row| row.get(0))?;
        Ok(chat.and_then(|chat| self.0.conversation_of(ChatId(chat))))
    }

    /// Which one a chat is part of; none for one of rows of no chat, which could be from anywhere.
    pub fn place_of_chat(&self, chat: i64) -> Option<usize> {
        let at = self.0.conversation_of(ChatId(chat))?;
        (self.at(at)?.kind != ConversationKind::Orphaned).then_some(at)
    }

    /// One of them.
    pub fn at(&self, place: usize) -> Option<&Conversation> {
        self.0.conversations.get(place).map(|entry| &entry.conversation)
    }
}

/// The columns that a table has, as a list for a statement; NULL for those that no source had.
pub fn columns_or_null(connection: &Connection, table: &str, names: &[&str]) -> rusqlite::Result<String> {
    let mut statement = connection.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
    let there: Vec<String> =
        statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let list: Vec<&str> =
        names.iter().map(|name| if there.iter().any(|own| own == name) { *name } else { "NULL" }).collect();
    Ok(list.join(", "))
}

/// The rows of `handle`.
pub fn handles(connection: &Connection) -> rusqlite::Result<Vec<RawHandle>> {
    let names = ["id", "service", "country", "uncanonicalized_id", "person_centric_id"];
    let list = columns_or_null(connection, "handle", &names)?;
    let mut statement = connection.prepare(&format!("SELECT ROWID, {list} FROM handle ORDER BY ROWID"))?;
    let handles = statement.query_map([], |row| {
        let text = |at| text_at(row, at);
        Ok(RawHandle {
            rowid: row.get(0)?,
            id: text(1)?.unwrap_or_default(),
            service: text(2)?,
            country: text(3)?,
            uncanonicalized_id: text(4)?,
            person_centric_id: text(5)?,
        })
    })?;
    handles.collect()
}

/// The rows of `chat`, with who is in them and what leads to them now.
pub fn chats(connection: &Connection) -> rusqlite::Result<Vec<RawChat>> {
    let names = [
        "guid",
        "style",
        "chat_identifier",
        "service_name",
        "room_name",
        "display_name",
        "group_id",
        "original_group_id",
        "properties",
        "is_filtered",
    ];
    let list = columns_or_null(connection, "chat", &names)?;
    let mut members: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut statement =
        connection.prepare("SELECT chat_id, handle_id FROM chat_handle_join ORDER BY rowid")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        members.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    let mut lookups: HashMap<i64, Vec<(String, String)>> = HashMap::new();
    let mut statement =
        connection.prepare("SELECT chat, domain, identifier FROM chat_lookup ORDER BY rowid")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let (Some(domain), Some(identifier)) = (text_at(row, 1)?, text_at(row, 2)?) {
            lookups.entry(row.get(0)?).or_default().push((domain, identifier));
        }
    }
    let mut statement = connection.prepare(&format!("SELECT ROWID, {list} FROM chat ORDER BY ROWID"))?;
    let chats = statement.query_map([], |row| {
        let text = |at| text_at(row, at);
        let rowid = row.get(0)?;
        Ok(RawChat {
            rowid,
            guid: text(1)?.unwrap_or_default(),
            style: row.get(2).unwrap_or_default(),
            chat_identifier: text(3)?,
            service_name: text(4)?,
            room_name: text(5)?,
            display_name: text(6)?,
            group_id: text(7)?,
            original_group_id: text(8)?,
            properties: row.get(9).unwrap_or_default(),
            is_filtered: number(row.get_ref(10)?),
            handle_ids: members.remove(&rowid).unwrap_or_default(),
            lookups: lookups.remove(&rowid).unwrap_or_default(),
            ..RawChat::default()
        })
    })?;
    chats.collect()
}
