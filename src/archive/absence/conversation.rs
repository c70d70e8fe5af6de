//! What a source says of the conversations that messages were in.
//!
//! **Must never**: take a conversation for gone that the source has under another name.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension};

use super::{in_nanoseconds, texts};
use crate::archive::ArchiveError;
use crate::archive::kind::PLACES;
use crate::archive::moves::chats_of;
use crate::archive::places::number;
use crate::archive::row::text_at;
use crate::source::tables::{Tables, text};

/// What a source says of the conversation of a message: of several, what keeps the message most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversation {
    There,
    /// There is none any more, or it was made anew.
    Gone,
    /// There is none any more, and it was deleted after the message was sent.
    Listed,
}

/// The chats of a source, to be asked of messages of the archive.
pub struct Conversations<'c> {
    connection: &'c Connection,
    source: i64,
    /// GUIDs of chats that it lists as deleted, and when the last time was; 0 where it does not say.
    deleted: HashMap<String, i64>,
    /// GUIDs, identifiers and group ids of the chats that it has.
    there: HashSet<String>,
    /// GUIDs of those that it lists as deleted, and that have messages of before that: it was not their end.
    outlived: HashSet<String>,
}

/// What a chat is called: its GUID, its identifier, its group id.
type Names = [Option<String>; 3];

impl<'c> Conversations<'c> {
    /// Of a source that is asked of none.
    pub fn none(connection: &'c Connection, source: i64) -> Conversations<'c> {
        let (deleted, there, outlived) = (HashMap::new(), HashSet::new(), HashSet::new());
        Conversations { connection, source, deleted, there, outlived }
    }

    pub fn read(
        connection: &'c Connection,
        tables: &Tables,
        source: i64,
    ) -> Result<Conversations<'c>, ArchiveError> {
        let Conversations { mut deleted, mut there, .. } = Conversations::none(connection, source);
        texts(tables, "sync_deleted_chats", "guid", Some("timestamp"), |guid, date| {
            let last = deleted.entry(guid).or_insert(0);
            *last = in_nanoseconds(date).max(*last);
        })?;
        for column in ["guid", "chat_identifier", "group_id"] {
            texts(tables, "chat", column, None, |name, _| {
                there.insert(name);
            })?;
        }
        let outlived = outlived(tables, &deleted)?;
        Ok(Conversations { connection, source, deleted, there, outlived })
    }

    /// Whether a message's chats are in the source, under whatever GUID; and are those in which it was.
    pub fn of(&self, message: i64, date: i64) -> rusqlite::Result<Conversation> {
        let mut all = None;
        for names in self.chats_of(message)? {
            let deletion = names[0].as_ref().filter(|guid| !self.outlived.contains(*guid));
            let deleted = deletion.and_then(|guid| self.deleted.get(guid));
            // It stays in the list for a while, whatever came after.
            let of_before = deleted.is_some_and(|deleted| date <= *deleted);
            let one = match (self.has(&names), of_before) {
                (false, true) => Conversation::Listed,
                (true, false) => Conversation::There,
                _ => Conversation::Gone,
            };
            all = Some(all.map_or(one, |all: Conversation| all.min(one)));
        }
        Ok(all.unwrap_or(Conversation::There))
    }

    /// What the conversation of a message is called that goes on without it, whatever service its chats are of.
    pub fn going_on(&self, message: i64, date: i64) -> rusqlite::Result<Option<String>> {
        if self.of(message, date)? != Conversation::There {
            return Ok(None);
        }
        let there = self.chats_of(message)?.into_iter().find(|names| self.has(names));
        Ok(there.and_then(|[guid, identifier, _]| identifier.or(guid)))
    }

    fn has(&self, names: &Names) -> bool {
        names.iter().flatten().any(|name| !name.is_empty() && self.there.contains(name))
    }

    fn chats_of(&self, message: i64) -> rusqlite::Result<Vec<Names>> {
        let has = |name: &str| -> rusqlite::Result<String> {
            let there = self
                .connection
                .prepare_cached("SELECT name FROM pragma_table_info('chat') WHERE lower(name) = ?1")?
                .query_row([name], |row| row.get::<_, String>(0))
                .optional()?;
            Ok(there.map_or("NULL".into(), |name| format!("c.{name}")))
        };
        let sql = format!(
            "SELECT c.guid, {}, {} FROM chat c WHERE c.ROWID = ?1",
            has("chat_identifier")?,
            has("group_id")?
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let names = |row: &rusqlite::Row<'_>| Ok([text_at(row, 0)?, text_at(row, 1)?, text_at(row, 2)?]);
        let mut of_all = Vec::new();
        for chat in chats_of(self.connection, message, self.source)? {
            of_all.extend(statement.query_row([chat], names).optional()?);
        }
        Ok(of_all)
    }
}

/// The chats of a source that it lists as deleted and has, with messages that are older than that: what came late, or was
/// restored, was not deleted with them.
fn outlived(tables: &Tables, deleted: &HashMap<String, i64>) -> Result<HashSet<String>, ArchiveError> {
    let mut outlived = HashSet::new();
    let (Some(chat), Some(places)) = (tables.table("chat"), tables.table(PLACES)) else {
        return Ok(outlived);
    };
    let columns = ["chat_id", "message_date"];
    if chat.column("guid").is_none() || columns.iter().any(|column| places.column(column).is_none()) {
        return Ok(outlived);
    }
    let mut dates: HashMap<i64, (String, i64)> = HashMap::new();
    tables.reader().rows(chat, &["guid"], i64::MIN..=i64::MAX, |row| {
        if let Some(guid) = text(row.value(0))
            && let Some(date) = deleted.get(&guid)
        {
            dates.insert(row.rowid(), (guid, *date));
        }
        Ok::<(), ArchiveError>(())
    })?;
    if dates.is_empty() {
        return Ok(outlived);
    }
    tables.reader().rows(places, &columns, i64::MIN..=i64::MAX, |row| {
        let date = in_nanoseconds(number(row.value(1)));
        if let Some((guid, deleted)) = dates.get(&number(row.value(0)))
            && date != 0
            && date <= *deleted
        {
            outlived.insert(guid.clone());
        }
        Ok::<(), ArchiveError>(())
    })?;
    Ok(outlived)
}
