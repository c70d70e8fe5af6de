//! One window of a conversation on its way: its messages, the attachments that wait for their names, its share of the
//! account.
//!
//! **Must never**: give an attachment its name out of turn, or lose a message for bytes that cannot be read.

use super::facts::facts;
use super::tally::Tally;
use super::writer::{AssetSink, TakenAsset, WriteError};
use crate::disk::FileRecord;
use crate::model::{Attachment, Availability, Conversation, Message, TapbackKind};
use crate::source::Content;

/// One window's messages, with what waits for names.
pub(super) struct Window {
    pub messages: Vec<Message>,
    waiting: Vec<Waiting>,
    pub tally: Tally,
}

/// Bytes that were taken in and wait for their name.
struct Waiting {
    /// An index into [`Window::messages`].
    message: usize,
    slot: Slot,
    taken: TakenAsset,
}

/// Whose bytes they are.
#[derive(Clone, Copy)]
enum Slot {
    /// An index into the message's attachments.
    Attachment(usize),
    /// The sticker of a tapback: an index into the message's tapbacks.
    Tapback(usize),
}

impl Slot {
    fn of(self, message: &mut Message) -> Option<&mut Attachment> {
        match self {
            Slot::Attachment(i) => message.attachments.get_mut(i),
            Slot::Tapback(i) => match &mut message.tapbacks.get_mut(i)?.kind {
                TapbackKind::Sticker(Some(picture)) => Some(picture),
                _ => None,
            },
        }
    }
}

impl Window {
    /// For so many rows that were read.
    pub fn of(rows: usize) -> Window {
        let mut tally = Tally::default();
        tally.rows.read = rows as u64;
        Window { messages: Vec::with_capacity(rows), waiting: Vec::new(), tally }
    }

    /// Takes in the bytes of the attachments and stickers of the message that is pushed next, and what they say of
    /// themselves where `with_facts`. Bytes that cannot be read make its attachment a missing one, with a defect.
    ///
    /// # Errors
    /// [`WriteError`] when they cannot be written.
    pub fn take_in(
        &mut self,
        message: &mut Message,
        contents: Vec<Option<Content>>,
        tapback_contents: Vec<Option<Content>>,
        assets: Option<&dyn AssetSink>,
        with_facts: bool,
    ) -> Result<(), WriteError> {
        let attachments = contents.into_iter().enumerate().map(|(i, content)| (Slot::Attachment(i), content));
        let stickers =
            tapback_contents.into_iter().enumerate().map(|(i, content)| (Slot::Tapback(i), content));
        for (slot, content) in attachments.chain(stickers) {
            let (Some(content), Some(attachment)) = (content, slot.of(message)) else {
                continue;
            };
            if matches!(content, Content::File { .. }) {
                attachment.file = Some(content.path().to_owned());
            }
            if with_facts {
                attachment.media = facts(attachment, &content);
            }
            let Some(assets) = assets else {
                continue;
            };
            match assets.take(&content) {
                Ok(taken) => self.waiting.push(Waiting { message: self.messages.len(), slot, taken }),
                Err(WriteError::Unreadable { path, source }) => {
                    attachment.availability = Availability::Missing;
                    attachment.file = None;
                    attachment.media = None;
                    message.defects.push(format!("cannot read the attachment {}: {source}", path.display()));
                    self.tally.unreadable += 1;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Gives the waiting attachments their names, and closes the account of the window.
    ///
    /// # Errors
    /// [`WriteError`] when they cannot be put in their places.
    pub fn name(
        &mut self,
        conversation: &Conversation,
        assets: Option<&dyn AssetSink>,
    ) -> Result<(), WriteError> {
        let Window { messages, waiting, tally } = self;
        if let Some(assets) = assets {
            for Waiting { message, slot, taken } in waiting.drain(..) {
                let Some(message) = messages.get_mut(message) else {
                    continue;
                };
                let date = message.date;
                let Some(attachment) = slot.of(message) else {
                    continue;
                };
                let name = attachment.name.as_deref().or(attachment.guid.as_deref()).unwrap_or("attachment");
                let placed = assets.place(conversation, taken, name, date)?;
                tally.copies.push(FileRecord {
                    path: placed.path.clone(),
                    bytes: placed.bytes,
                    sha256: placed.sha256.clone().unwrap_or_default(),
                });
                attachment.bytes = Some(placed.bytes);
                attachment.path = Some(placed.path);
                attachment.sha256 = placed.sha256;
                if attachment.file.is_some() {
                    attachment.file = Some(placed.file);
                }
            }
        }
        for message in messages {
            tally.observe(message);
        }
        Ok(())
    }
}
