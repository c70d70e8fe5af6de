//! What rows weigh: sizes and states without texts and contents, for who adds up a whole store.
//!
//! **Must never**: read a text, a body or a payload where the database itself can say how long it is.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::{ChatId, RawAttachment, RawMessage, Source, SourceError};

/// Rows in a window of a source that is weighed page by page.
const WINDOW: usize = 512;

/// What the schema of a store can say at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Says {
    /// Where messages and attachments stand in synchronization.
    pub sync: bool,
    /// What is in Recently Deleted.
    pub recently_deleted: bool,
    /// Which message one answers.
    pub replies: bool,
    /// How messages were sent to appear.
    pub effects: bool,
}

/// A row of `message`, in short.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeighedMessage<'a> {
    /// Which of several sources has it.
    pub source: u16,
    /// `message.ROWID`.
    pub rowid: i64,
    pub guid: Option<&'a str>,
    /// Of several the one with the lowest row id; [`ChatId::ORPHANS`] where it is in none.
    pub chat: Option<ChatId>,
    /// In Recently Deleted, and in no chat any more.
    pub deleted: bool,
    /// Raw, as [`RawMessage::date`].
    pub date: i64,
    /// The latest of the dates at which it was edited, in part or as a whole taken back; raw.
    pub changed: i64,
    pub handle_id: i64,
    pub is_from_me: bool,
    pub service: Option<&'a str>,
    pub associated_message_type: i64,
    /// An audio message whose bytes Messages removed once it was heard.
    pub expired: bool,
    /// `ck_sync_state`; `None` where the schema has none.
    pub sync: Option<i64>,
    /// Bytes of `text` and `subject`.
    pub text: u64,
    /// Bytes of `attributedBody`.
    pub body: u64,
    /// Bytes of `payload_data`.
    pub payload: u64,
    /// Bytes of `message_summary_info`.
    pub summary: u64,
    /// Row ids of its attachments, each once.
    pub attachments: &'a [i64],
    /// The database file is damaged where this row lies: only its row id and place are known.
    pub unreadable: bool,
}

/// A row of `attachment`, its content looked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeighedAttachment {
    /// Which of several sources has it.
    pub source: u16,
    pub row: RawAttachment,
    /// `ck_sync_state`; `None` where the schema has none.
    pub sync: Option<i64>,
    /// `created_date`, raw; 0 where it is not known.
    pub created: i64,
}

/// What every row of a store is laid on.
pub trait Scale {
    /// Every attachment that a message has, before that message; where the store can list them, the others as well.
    fn attachment(&mut self, attachment: WeighedAttachment) -> ControlFlow<()>;
    /// Every row of `message`, once; stickers, tapbacks and what else hangs on another row as well.
    fn message(&mut self, message: &WeighedMessage<'_>) -> ControlFlow<()>;
}

/// Weighs a store page by page, as any can be: it reads everything, and does not say what is synchronized. No two
/// messages share an attachment there.
pub(super) fn by_pages(source: &dyn Source, scale: &mut dyn Scale) -> Result<(), SourceError> {
    let mut session = source.session()?;
    let mut seen = HashSet::new();
    for chat in source.chats()? {
        let timeline = session.timeline(&[chat.id()], WINDOW)?;
        for window in 0..timeline.len() {
            for row in session.page(&timeline, window)? {
                if seen.insert(row.rowid) && lay(row, scale).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn lay(mut row: RawMessage, scale: &mut dyn Scale) -> ControlFlow<()> {
    let text = |text: &Option<String>| text.as_ref().map_or(0, |text| text.len() as u64);
    let blob = |blob: &Option<Vec<u8>>| blob.as_ref().map_or(0, |blob| blob.len() as u64);
    let mut own = Vec::with_capacity(row.attachments.len());
    for attachment in std::mem::take(&mut row.attachments) {
        own.push(attachment.rowid);
        scale.attachment(WeighedAttachment { row: attachment, ..WeighedAttachment::default() })?;
    }
    scale.message(&WeighedMessage {
        source: 0,
        rowid: row.rowid,
        guid: row.guid.as_deref(),
        chat: row.chat,
        deleted: row.deleted.is_some(),
        date: row.date,
        changed: row.date_edited.max(row.date_retracted),
        handle_id: row.handle_id,
        is_from_me: row.is_from_me,
        service: row.service.as_deref(),
        associated_message_type: row.associated_message_type,
        expired: row.is_expirable && row.expire_state != 0,
        sync: None,
        text: text(&row.text) + text(&row.subject),
        body: blob(&row.attributed_body),
        payload: blob(&row.payload_data),
        summary: blob(&row.message_summary_info),
        attachments: &own,
        unreadable: row.unreadable,
    })
}
