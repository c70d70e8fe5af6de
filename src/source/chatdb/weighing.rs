//! Laying the rows on a scale: each table once, in the order in which it lies in the file.
//!
//! **Must never**: look up a row by itself, unless the file is damaged where it lies.

use std::ops::ControlFlow;

use rusqlite::OptionalExtension;

use super::rows;
use super::session::Reader;
use crate::source::database::damaged;
use crate::source::locate::Locator;
use crate::source::{ChatId, Scale, SourceError, WeighedAttachment, WeighedMessage};

/// Attachments whose contents are looked for together: that takes longer than reading their rows.
const BATCH: usize = 1024;

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rowid: i64,
    /// Where it also is in a chat it is not deleted.
    deleted: bool,
    chat: ChatId,
}

impl Reader<'_> {
    pub(super) fn lay_all(&self, scale: &mut dyn Scale) -> Result<(), SourceError> {
        let weighed = match self.weigh_attachments(scale).map_err(self.failed())? {
            ControlFlow::Continue(()) => self.weigh_messages(scale),
            ControlFlow::Break(()) => Ok(ControlFlow::Break(())),
        };
        weighed.map(|_| ()).map_err(self.failed())
    }

    fn weigh_attachments(&self, scale: &mut dyn Scale) -> rusqlite::Result<ControlFlow<()>> {
        let Some(sql) = &self.queries().weighed_attachments else {
            return Ok(ControlFlow::Continue(()));
        };
        let says = self.queries().says;
        let mut locators: Vec<Locator> = (0..self.db.workers).map(|_| Locator::new(&self.db.roots)).collect();
        let mut statement = self.connection().prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.clear();
            while batch.len() < BATCH
                && let Some(row) = rows.next()?
            {
                let mut attachment = rows::weighed_attachment(row);
                attachment.sync = attachment.sync.filter(|_| says.sync);
                batch.push(attachment);
            }
            if batch.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            locate(&mut batch, &mut locators);
            for attachment in batch.drain(..) {
                if scale.attachment(attachment).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }

    fn weigh_messages(&self, scale: &mut dyn Scale) -> rusqlite::Result<ControlFlow<()>> {
        let places = self.places();
        let mut next = 0;
        let mut statement = self.connection().prepare(&self.queries().weighed)?;
        let mut rows = statement.query([])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(ControlFlow::Continue(())),
                Err(error) if damaged(&error) => break,
                Err(error) => return Err(error),
            };
            let laid = rows::weighed(row, |message| {
                while places.get(next).is_some_and(|place| place.rowid < message.rowid) {
                    next += 1;
                }
                let place = places.get(next).filter(|place| place.rowid == message.rowid);
                next += usize::from(place.is_some());
                self.lay(message, place, scale)
            });
            if laid.is_break() {
                return Ok(laid);
            }
        }
        self.weigh_one_by_one(places.get(next..).unwrap_or_default(), scale)
    }

    /// Over damaged places of the file.
    fn weigh_one_by_one(&self, places: &[Place], scale: &mut dyn Scale) -> rusqlite::Result<ControlFlow<()>> {
        let mut statement = self.connection().prepare(&self.queries().weighed_row)?;
        for place in places {
            let laid = self.db.disk.ask(self.connection(), || {
                let laid = statement.query_row([place.rowid], |row| {
                    Ok(rows::weighed(row, |message| self.lay(message, Some(place), scale)))
                });
                laid.optional()
            });
            let laid = match laid {
                Err(error) if damaged(&error) => {
                    let rowid = place.rowid;
                    let message = WeighedMessage { rowid, unreadable: true, ..WeighedMessage::default() };
                    self.lay(message, Some(place), scale)
                }
                laid => laid?.unwrap_or(ControlFlow::Continue(())),
            };
            if laid.is_break() {
                return Ok(laid);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn lay(
        &self,
        message: WeighedMessage<'_>,
        place: Option<&Place>,
        scale: &mut dyn Scale,
    ) -> ControlFlow<()> {
        let mut attachments: Vec<i64> = self.census().attachments_of(message.rowid).collect();
        if attachments.len() > 1 {
            // A join without a key may say the same twice.
            attachments.sort_unstable();
            attachments.dedup();
        }
        scale.message(&WeighedMessage {
            chat: Some(place.map_or(ChatId::ORPHANS, |place| place.chat)),
            deleted: place.is_some_and(|place| place.deleted) || self.archived().is_deleted(message.rowid),
            sync: message.sync.filter(|_| self.queries().says.sync),
            attachments: &attachments,
            ..message
        })
    }

    /// Where every row is, by row id.
    fn places(&self) -> Vec<Place> {
        let census = self.census();
        let mut places = Vec::with_capacity(usize::try_from(census.messages).unwrap_or(0));
        for (chat, rows) in &census.chats {
            let chat = ChatId(*chat);
            places.extend(rows.joined.iter().map(|rowid| Place { rowid, deleted: false, chat }));
            places.extend(rows.deleted.iter().map(|(rowid, _)| Place { rowid: *rowid, deleted: true, chat }));
        }
        let orphans = census.orphans.iter();
        places.extend(orphans.map(|rowid| Place { rowid, deleted: false, chat: ChatId::ORPHANS }));
        places.sort_unstable();
        places.dedup_by_key(|place| place.rowid);
        places
    }
}

/// Looks for the contents of attachments; each locator for its share, at the same time.
fn locate(attachments: &mut [WeighedAttachment], locators: &mut [Locator]) {
    let share = attachments.len().div_ceil(locators.len().max(1)).max(1);
    std::thread::scope(|scope| {
        for (attachments, locator) in attachments.chunks_mut(share).zip(locators) {
            scope.spawn(move || {
                for WeighedAttachment { row, .. } in attachments {
                    if let Some(found) = row.filename.as_deref().and_then(|name| locator.find(name)) {
                        row.incomplete = found.incomplete;
                        row.content = Some(found.content);
                    }
                }
            });
        }
    });
}
