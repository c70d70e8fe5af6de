//! Which message it is: whose, of when, in which conversation, with which files.
//!
//! **Must never**: say what became of it; that is [`history`](super::history)'s.

use std::path::Path;

use rusqlite::Connection;

use super::ArchiveError;
use super::conversations::{Conversations, columns_or_null};
use super::history::{find, text};
use super::open::look_into;
use super::places::number;
use super::row::text_at;
use crate::model::{Instant, Sender};
use crate::pipeline::decode::date::instant;
use crate::source::contacts::cards;

/// What a message is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    pub guid: String,
    /// Its id and title; `None` for a message in no chat.
    pub conversation: Option<(String, String)>,
    /// When it was sent.
    pub date: Option<Instant>,
    /// The owner sent it.
    pub from_me: bool,
    /// Who else did, where that is known.
    pub sender: Option<Sender>,
    /// The names of its files, as it is shown. Hostile text.
    pub attachments: Vec<String>,
    /// What it says now.
    pub text: Option<String>,
}

/// Which message has this GUID.
///
/// # Errors
/// [`ArchiveError::NoSuchMessage`].
pub fn about(path: &Path, guid: &str) -> Result<About, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Option<About>> {
        let Some(message) = find(&connection, guid)? else { return Ok(None) };
        let facts = Facts::of(&connection)?;
        facts.about(message).map(Some)
    };
    let found = read().map_err(ArchiveError::database(folder.database()))?;
    found.ok_or_else(|| ArchiveError::NoSuchMessage { guid: guid.to_owned() })
}

/// What it takes to say that of any message.
pub struct Facts<'c> {
    connection: &'c Connection,
    conversations: Conversations,
    of_message: String,
    of_files: String,
}

impl<'c> Facts<'c> {
    pub fn of(connection: &'c Connection) -> rusqlite::Result<Facts<'c>> {
        let conversations = Conversations::read(connection, &cards(connection)?)?;
        let columns = ["guid", "date", "is_from_me", "handle_id", "text", "attributedbody"];
        let list = columns_or_null(connection, "message", &columns)?;
        let names = columns_or_null(connection, "attachment", &["transfer_name", "filename"])?;
        Ok(Facts {
            connection,
            conversations,
            of_message: format!("SELECT {list} FROM message WHERE ROWID = ?1"),
            of_files: format!(
                "SELECT {names} FROM attachment WHERE ROWID IN \
                   (SELECT attachment_id FROM message_attachment_join WHERE message_id = ?1) ORDER BY ROWID"
            ),
        })
    }

    /// The conversations that it is asked of.
    pub fn conversations(&self) -> &Conversations {
        &self.conversations
    }

    /// Of a message that is there.
    pub fn about(&self, message: i64) -> rusqlite::Result<About> {
        let conversation = self.conversations.of(self.connection, message)?;
        let mut files = self.connection.prepare_cached(&self.of_files)?;
        let files = files.query_map([message], |row| {
            let path = text_at(row, 1)?;
            let last = path.as_deref().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
            Ok(text_at(row, 0)?.filter(|name| !name.is_empty()).or(last).unwrap_or_default())
        })?;
        let attachments = files.collect::<rusqlite::Result<Vec<String>>>()?;
        self.connection.prepare_cached(&self.of_message)?.query_row([message], |row| {
            let number = |at| row.get_ref(at).map(number);
            let from_me = number(2)? != 0;
            let sender = self.conversations.0.sender(number(3)?).filter(|_| !from_me);
            Ok(About {
                guid: text_at(row, 0)?.unwrap_or_default(),
                conversation: conversation.map(|it| (it.id.clone(), it.title.clone())),
                date: instant(number(1)?),
                from_me,
                sender: sender.map(|sender| Sender::clone(sender)),
                attachments,
                text: text(row, 4)?,
            })
        })
    }
}
