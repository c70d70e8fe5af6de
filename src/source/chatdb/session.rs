//! Reading pages: rows, and what hangs on them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::ChatDb;
use super::archived::Archived;
use super::census::Census;
use super::hanging::Films;
use super::query::Queries;
use super::rows;
use super::weights::{MOST_BYTES, weight};
use crate::source::database::{Columns, Pooled, damaged};
use crate::source::locate::Locator;
use crate::source::timeline::{Listed, order};
use crate::source::{ChatId, RawMessage, Session, SourceError, Timeline, Window};

/// What is read of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Page,
    Survey,
}

impl Reading {
    fn message(self, row: &rusqlite::Row<'_>) -> RawMessage {
        match self {
            Reading::Page => rows::message(row),
            Reading::Survey => rows::surveyed(row),
        }
    }
}

/// A worker's reader: a connection from the pool, given back when it is dropped.
pub(super) struct Reader<'db> {
    pub(super) db: &'db ChatDb,
    connection: Pooled<'db>,
    pub(super) locator: Locator,
}

impl<'db> Reader<'db> {
    pub fn new(db: &'db ChatDb, connection: Pooled<'db>) -> Reader<'db> {
        Reader { db, connection, locator: Locator::new(&db.roots) }
    }

    pub fn queries(&self) -> &'db Queries {
        &self.db.queries
    }

    pub fn census(&self) -> &'db Census {
        &self.db.census
    }

    pub fn archived(&self) -> &'db Archived {
        &self.db.archived
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn dates(&self) -> Result<Arc<Vec<(i64, i64)>>, SourceError> {
        self.db.dates(&self.connection)
    }

    pub fn failed(&self) -> impl FnOnce(rusqlite::Error) -> SourceError {
        SourceError::database(&self.db.info.path)
    }

    /// The rows of a window, bare, in order.
    fn rows(
        &self,
        timeline: &Timeline,
        window: &Window,
        reading: Reading,
    ) -> Result<Vec<RawMessage>, SourceError> {
        Ok(self.rows_within(timeline, window, reading, usize::MAX)?.unwrap_or_default())
    }

    /// The same, as long as they have not more than so many bytes; `None` where they have.
    fn rows_within(
        &self,
        timeline: &Timeline,
        window: &Window,
        reading: Reading,
        most_bytes: usize,
    ) -> Result<Option<Vec<RawMessage>>, SourceError> {
        let mut page = Vec::new();
        let mut left = most_bytes;
        for chat in &timeline.joined {
            let whole = page.len();
            match self.joined(*chat, window, reading, &mut page, &mut left) {
                Err(SourceError::Damaged { .. }) => {
                    page.truncate(whole);
                    self.joined_one_by_one(*chat, window, reading, &mut page)?;
                }
                read => read?,
            }
        }
        let listed = timeline.listed.get(window.listed.clone()).unwrap_or_default();
        self.listed(&timeline.chats, listed, reading, &mut page, &mut left).map_err(self.failed())?;
        if left == 0 {
            return Ok(None);
        }
        if !page.is_sorted_by(|a, b| order(a) <= order(b)) {
            page.sort_by(|a, b| order(a).cmp(&order(b)));
        }
        // A join without a primary key may say the same twice.
        page.dedup_by(|a, b| {
            (a.rowid, a.chat, a.deleted.is_some()) == (b.rowid, b.chat, b.deleted.is_some())
        });
        page.iter_mut().for_each(|row| self.archived().mark(row));
        Ok(Some(page))
    }

    /// The rows of a chat that its join has in a window, until no byte is left.
    fn joined(
        &self,
        chat: i64,
        window: &Window,
        reading: Reading,
        page: &mut Vec<RawMessage>,
        left: &mut usize,
    ) -> Result<(), SourceError> {
        let sql = match reading {
            Reading::Page => &self.queries().page,
            Reading::Survey => &self.queries().survey,
        };
        let Some(sql) = sql else {
            return Ok(());
        };
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection().prepare_cached(sql)?;
            let mut rows = statement.query(params![chat, window.after, window.through])?;
            while *left > 0
                && let Some(row) = rows.next()?
            {
                let mut message = reading.message(row);
                message.chat = Some(ChatId(chat));
                *left = left.saturating_sub(weight(&message));
                page.push(message);
            }
            Ok(())
        };
        read().map_err(self.failed())
    }

    /// As [`Reader::joined`], over damaged places of the file.
    fn joined_one_by_one(
        &self,
        chat: i64,
        window: &Window,
        reading: Reading,
        page: &mut Vec<RawMessage>,
    ) -> Result<(), SourceError> {
        let Some(sql) = &self.queries().range else {
            return Ok(());
        };
        let read = || -> rusqlite::Result<Vec<(i64, i64)>> {
            let mut statement = self.connection().prepare_cached(sql)?;
            let rows = statement.query_map(params![chat, window.after, window.through], |row| {
                let mut c = Columns::from(row, 0);
                Ok((c.number(), c.number()))
            })?;
            rows.collect()
        };
        for (date, rowid) in read().map_err(self.failed())? {
            let message = self.read(rowid, date, reading).map_err(self.failed())?;
            if let Some(mut message) = message {
                message.chat = Some(ChatId(chat));
                self.filter(&mut message).map_err(self.failed())?;
                page.push(message);
            }
        }
        Ok(())
    }

    /// Adds what the row's join with its chat says of filters; a page has it already.
    fn filter(&self, message: &mut RawMessage) -> rusqlite::Result<()> {
        let (Some(sql), Some(chat)) = (&self.queries().filtered, message.chat) else {
            return Ok(());
        };
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut filters = || {
            let of_row = statement.query_row(params![chat.0, message.rowid], |row| {
                let mut c = Columns::from(row, 0);
                Ok((c.number(), c.number()))
            });
            of_row.optional()
        };
        match self.db.disk.ask(self.connection(), &mut filters) {
            // The row itself may be whole.
            Err(error) if damaged(&error) => {}
            filters => {
                let (action, sub_action) = filters?.unwrap_or_default();
                for (filter, of_join) in
                    [(&mut message.filter_action, action), (&mut message.filter_sub_action, sub_action)]
                {
                    if of_join != 0 {
                        *filter = of_join;
                    }
                }
            }
        }
        Ok(())
    }

    fn listed(
        &self,
        chats: &[ChatId],
        listed: &[Listed],
        reading: Reading,
        page: &mut Vec<RawMessage>,
        left: &mut usize,
    ) -> rusqlite::Result<()> {
        for row in listed {
            if *left == 0 {
                break;
            }
            let Some(mut message) = self.read(row.rowid, row.date, reading)? else {
                continue;
            };
            message.chat = chats.get(row.chat as usize).copied();
            if row.deleted {
                let rows = message.chat.and_then(|chat| self.census().chats.get(&chat.0));
                message.deleted = rows.and_then(|rows| rows.delete_date(row.rowid));
            } else {
                self.filter(&mut message)?;
            }
            *left = left.saturating_sub(weight(&message));
            page.push(message);
        }
        Ok(())
    }

    /// One row, bare. What cannot be read for damage is there with its row id and this date.
    pub(super) fn row(&self, rowid: i64, date: i64) -> rusqlite::Result<Option<RawMessage>> {
        self.read(rowid, date, Reading::Page)
    }

    fn read(&self, rowid: i64, date: i64, reading: Reading) -> rusqlite::Result<Option<RawMessage>> {
        let sql = match reading {
            Reading::Page => &self.queries().message,
            Reading::Survey => &self.queries().surveyed,
        };
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut row = || statement.query_row([rowid], |row| Ok(reading.message(row))).optional();
        match self.db.disk.ask(self.connection(), &mut row) {
            Err(error) if damaged(&error) => {
                Ok(Some(RawMessage { rowid, date, unreadable: true, ..RawMessage::default() }))
            }
            row => row,
        }
    }
}

impl Session for Reader<'_> {
    fn timeline(&mut self, chats: &[ChatId], size: usize) -> Result<Timeline, SourceError> {
        self.divide(chats, size)
    }

    fn page_if_small(
        &mut self,
        timeline: &Timeline,
        window: usize,
    ) -> Result<Option<Vec<RawMessage>>, SourceError> {
        let Some(window) = timeline.window(window) else {
            return Ok(Some(Vec::new()));
        };
        let Some(mut page) = self.rows_within(timeline, window, Reading::Page, MOST_BYTES)? else {
            return Ok(None);
        };
        self.complete(&mut page).map_err(self.failed())?;
        Ok(Some(page))
    }

    fn parts(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<Window>, SourceError> {
        timeline.window(window).map_or(Ok(Vec::new()), |window| self.divide_by_weight(timeline, window))
    }

    fn read(&mut self, timeline: &Timeline, window: &Window) -> Result<Vec<RawMessage>, SourceError> {
        let mut page = self.rows(timeline, window, Reading::Page)?;
        self.complete(&mut page).map_err(self.failed())?;
        Ok(page)
    }

    fn survey(&mut self, timeline: &Timeline, window: usize) -> Result<Vec<RawMessage>, SourceError> {
        let Some(window) = timeline.window(window) else {
            return Ok(Vec::new());
        };
        let mut rows = self.rows(timeline, window, Reading::Survey)?;
        for row in rows.iter_mut().filter(|row| !row.unreadable) {
            row.attachments = self.attachments(row.rowid, Films::Left).map_err(self.failed())?;
        }
        Ok(rows)
    }
}
