//! Which of the messages that say what is searched for are wanted.

use rusqlite::{Connection, OptionalExtension};

use super::ArchiveError;
use super::conversations::{Conversations, columns_or_null};
use super::places::number;
use super::row::text_at;
use super::search::{OfService, Query};
use crate::model::Attachment;
use crate::pipeline::FILTERED_AS_JUNK;
use crate::pipeline::decode::balloons::LINK_PREVIEW;
use crate::pipeline::select::{Has, Selection, Without};

/// What a query asks for, beside words.
pub struct Wanted<'q> {
    pub query: &'q Query,
    /// Sorted; `None`: any, and none at all.
    conversations: Option<Vec<usize>>,
    /// The queries for what a message carries: its attachments, and its balloon.
    attachments: String,
    balloon: String,
    /// The query for what it says beside its text, and what it is.
    about: String,
}

impl<'q> Wanted<'q> {
    /// Finds the conversations that are meant.
    ///
    /// # Errors
    /// [`ArchiveError::NoMatch`]: there is none; [`ArchiveError`].
    pub fn of(
        query: &'q Query,
        conversations: &Conversations,
        connection: &Connection,
    ) -> Result<Wanted<'q>, ArchiveError> {
        let scope = &query.selection;
        let lists = [&scope.conversations, &scope.only, &scope.with, &scope.exclude];
        let all = lists.iter().all(|list| list.is_empty());
        let chosen = if all { None } else { Some(scope.conversations(&conversations.0)?) };
        let columns = |table, names: &[&str]| {
            columns_or_null(connection, table, names).map_err(ArchiveError::of(connection))
        };
        let of_attachments =
            columns("attachment", &["mime_type", "transfer_name", "uti", "hide_attachment"])?;
        let attachments = format!(
            "SELECT {of_attachments} FROM attachment \
             WHERE ROWID IN (SELECT attachment_id FROM message_attachment_join WHERE message_id = ?1)"
        );
        let balloon = columns("message", &["balloon_bundle_id"])?;
        let balloon = format!("SELECT {balloon} FROM message WHERE ROWID = ?1");
        let names = ["subject", "item_type", "is_spam", "filter_action"];
        let about = format!("SELECT {} FROM message WHERE ROWID = ?1", columns("message", &names)?);
        Ok(Wanted { query, conversations: chosen, attachments, balloon, about })
    }

    /// It is in a conversation that is meant.
    pub fn takes_conversation(&self, conversation: Option<usize>) -> bool {
        let there = |chosen: &Vec<usize>| conversation.is_some_and(|at| chosen.binary_search(&at).is_ok());
        self.conversations.as_ref().is_none_or(there)
    }

    /// It was sent over the right service, in the right direction.
    pub fn takes(&self, OfService { line, service }: &OfService) -> bool {
        let services = &self.query.selection.services;
        let service = service.as_deref().unwrap_or_default();
        self.query.from_me.is_none_or(|from_me| line.from_me == from_me)
            && (services.is_empty() || services.iter().any(|s| s.eq_ignore_ascii_case(service)))
    }

    /// It is of those that are left out, or lacks the text that is asked for.
    pub fn leaves_out(
        &self,
        connection: &Connection,
        message: i64,
        text: Option<&str>,
        deleted: bool,
    ) -> rusqlite::Result<bool> {
        let Selection { text: asked, without, .. } = &self.query.selection;
        if asked.is_none() && without.is_empty() {
            return Ok(false);
        }
        let (subject, kind, spam, filter) =
            connection.prepare_cached(&self.about)?.query_row([message], |row| {
                let subject = text_at(row, 0)?;
                Ok((subject, number(row.get_ref(1)?), number(row.get_ref(2)?), number(row.get_ref(3)?)))
            })?;
        let says = |asked: &String| {
            let asked = asked.to_lowercase();
            text.into_iter().chain(subject.as_deref()).any(|text| text.to_lowercase().contains(&asked))
        };
        let mut junk_chat = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM chat_message_join j JOIN chat c ON c.ROWID = j.chat_id \
             WHERE j.message_id = ?1 AND c.is_filtered = 2)",
        );
        for without in without {
            let is_one = match without {
                Without::Deleted => deleted,
                Without::Announcements => kind != 0,
                Without::Junk => {
                    spam != 0
                        || filter == FILTERED_AS_JUNK
                        || match &mut junk_chat {
                            Ok(chat) => chat.query_row([message], |row| row.get(0))?,
                            // No source had that column.
                            Err(_) => false,
                        }
                }
            };
            if is_one {
                return Ok(true);
            }
        }
        Ok(!asked.as_ref().is_none_or(says))
    }

    /// It carries what it should.
    pub fn carries(
        &self,
        connection: &Connection,
        message: i64,
        text: Option<&str>,
    ) -> rusqlite::Result<bool> {
        let has = &self.query.selection.has;
        if has.is_empty() || has.contains(&Has::Link) && self.is_link(connection, message, text)? {
            return Ok(true);
        }
        let mut statement = connection.prepare_cached(&self.attachments)?;
        let mut rows = statement.query([message])?;
        while let Some(row) = rows.next()? {
            let attachment = Attachment {
                mime: text_at(row, 0)?,
                name: text_at(row, 1)?,
                uti: text_at(row, 2)?,
                ..Attachment::default()
            };
            let hidden = number(row.get_ref(3)?) != 0;
            if !hidden && Has::of(&attachment).is_some_and(|kind| has.contains(&kind)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// It shows a link as a card, or says one.
    fn is_link(&self, connection: &Connection, message: i64, text: Option<&str>) -> rusqlite::Result<bool> {
        if text.is_some_and(|text| text.contains("https://") || text.contains("http://")) {
            return Ok(true);
        }
        let mut statement = connection.prepare_cached(&self.balloon)?;
        let bundle = statement.query_row([message], |row| text_at(row, 0)).optional()?.flatten();
        Ok(bundle.is_some_and(|bundle| bundle == LINK_PREVIEW))
    }
}
