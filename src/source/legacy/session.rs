//! Reading pages of an old database: row by row, since nothing in it is in the order of a conversation's dates.

use rusqlite::OptionalExtension;

use super::{LegacyDb, rows};
use crate::source::database::{Pooled, damaged};
use crate::source::locate::Locator;
use crate::source::timeline::{Listed, order};
use crate::source::{ChatId, RawMessage, Session, SourceError, Timeline, Window};

/// A worker's reader: a connection from the pool, given back when it is dropped.
pub(super) struct Reader<'db> {
    pub db: &'db LegacyDb,
    pub connection: Pooled<'db>,
    pub locator: Locator,
}

impl<'db> Reader<'db> {
    pub fn new(db: &'db LegacyDb) -> Reader<'db> {
        Reader { db, connection: db.pool.take(), locator: Locator::new(&db.roots) }
    }

    /// One row, bare. What cannot be read for damage is there with its row id and this date.
    fn row(&self, listed: &Listed, chat: Option<ChatId>) -> rusqlite::Result<Option<RawMessage>> {
        let mut statement = self.connection.prepare_cached(&self.db.queries.message)?;
        let (mut row, address) = match statement.query_row([listed.rowid], |row| Ok(rows::message(row))) {
            Err(error) if damaged(&error) => {
                let (rowid, date) = (listed.rowid, listed.date);
                return Ok(Some(RawMessage { rowid, date, chat, unreadable: true, ..RawMessage::default() }));
            }
            row => match row.optional()? {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        row.chat = chat;
        let known = |address: String| self.db.places.handle_id(&address, row.service.as_deref()?);
        row.handle_id = address.and_then(known).or_else(|| self.only_member(&row)).unwrap_or(0);
        Ok(Some(row))
    }

    /// Who wrote a text that does not say it, in a conversation with one person.
    fn only_member(&self, row: &RawMessage) -> Option<i64> {
        match self.db.places.chat(row.chat?)?.handle_ids.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn read_listed(&mut self, timeline: &Timeline, listed: &[Listed]) -> rusqlite::Result<Vec<RawMessage>> {
        let mut page = Vec::with_capacity(listed.len());
        for listed in listed {
            page.extend(self.row(listed, timeline.chats.get(listed.chat as usize).copied())?);
        }
        page.sort_by(|a, b| order(a).cmp(&order(b)));
        for row in page.iter_mut().filter(|row| !row.unreadable) {
            self.complete(row)?;
        }
        Ok(page)
    }
}

impl Session for Reader<'_> {
    fn timeline(&mut self, chats: &[ChatId], size: usize) -> Result<Timeline, SourceError> {
        let size = size.max(1);
        let mut timeline = Timeline { chats: chats.to_vec(), ..Timeline::default() };
        for (chat, id) in (0..).zip(chats) {
            let rows = self.db.places.rows(*id).iter();
            timeline.listed.extend(rows.map(|&(date, rowid)| Listed { date, rowid, chat, deleted: false }));
        }
        timeline.rows = timeline.listed.len() as u64;
        timeline.listed.sort_unstable_by_key(|row| (row.moment(), row.rowid, row.chat));
        let samples = timeline.listed_samples(size);
        timeline.cut(samples, size);
        Ok(timeline)
    }

    fn parts(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<Window>, SourceError> {
        // Texts were of 160 characters then, and pictures are read apart from them.
        Ok(timeline.window(window).cloned().into_iter().collect())
    }

    fn read(&mut self, timeline: &Timeline, window: &Window) -> Result<Vec<RawMessage>, SourceError> {
        let listed = timeline.listed.get(window.listed.clone()).unwrap_or_default();
        self.read_listed(timeline, listed).map_err(SourceError::database(&self.db.info.path))
    }
}
