//! A row of an export → the message that it says already.
//!
//! **Must never**: read anything out of its columns that the message does not say.

use std::sync::Arc;

use super::normalize::{Normalized, attachment, sender};
use super::roster::Roster;
use super::tapbacks;
use crate::model::{Message, MessageKind, Part, PartContent, Tapback};
use crate::source::{Content, RawMessage};

/// The message of a row, its people named as the roster names them, with the bytes that lie beside the export.
pub(super) fn message(mut raw: RawMessage, told: Message, roster: &Roster) -> Normalized {
    let mut out = Normalized { message: told, ..Normalized::default() };
    let message = &mut out.message;
    message.sender = sender(message.from_me, raw.handle_id, roster);
    message.sources = std::mem::take(&mut raw.sources);
    if message.kind == MessageKind::Tapback {
        let sticker = raw.attachments.first_mut().and_then(|row| row.content.take());
        out.tapback_contents = vec![sticker];
        name(&mut message.tapbacks, std::slice::from_ref(&raw), roster);
        return out;
    }
    if raw.associated.len() == message.tapbacks.len() {
        name(&mut message.tapbacks, &raw.associated, roster);
        out.tapback_contents = raw.associated.iter_mut().map(take_first).collect();
    } else {
        // Of several sources: more hang on it than the export says.
        let on = |part: i64| u32::try_from(part).unwrap_or(0);
        (message.tapbacks, out.tapback_contents) = tapbacks::fold(&raw.associated, roster, on);
    }
    let own = message.attachments.len();
    for row in raw.attachments.iter_mut().take(own) {
        out.contents.push(row.content.take());
        out.motions.push(row.companion.take());
    }
    for row in raw.attachments.iter().skip(own) {
        let at = out.message.attachments.len();
        out.attach(row, attachment(row, &raw));
        let index = out.message.parts.last().map_or(0, |part| part.index.saturating_add(1));
        out.message.parts.push(Part { index, content: PartContent::Attachment(at) });
    }
    out
}

fn take_first(row: &mut RawMessage) -> Option<Content> {
    row.attachments.first_mut().and_then(|row| row.content.take())
}

/// Who gave each tapback, by the rows that they are made of.
fn name(tapbacks: &mut [Tapback], rows: &[RawMessage], roster: &Roster) {
    for (tapback, row) in tapbacks.iter_mut().zip(rows) {
        let named = roster.sender(row.handle_id).filter(|_| !tapback.from_me);
        if let Some(sender) = named {
            tapback.sender = Some(Arc::clone(sender));
        }
    }
}
