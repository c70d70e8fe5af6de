//! What a row says of what became of it, as far as devices can be compared by that.
//!
//! **Must never**: take what a device does not write down for something that did not happen.

use super::record::{Read, Sending};
use crate::model::Effect;
use crate::pipeline::{RowKind, effect, row_kind};
use crate::source::RawMessage;

/// Of what was sent it is known whether somebody's receipt came; of what was received whether the owner saw it.
pub(super) fn read_state(row: &RawMessage) -> Read {
    match (row.is_read, row.date_read != 0) {
        (_, true) => Read::Yes,
        (None, false) => Read::Unknown,
        (Some(read), false) if read && !row.is_from_me => Read::Yes,
        (Some(_), false) => Read::No,
    }
}

/// What failed has an error; what only is not known to have gone out may still be on its way, or is a copy that iCloud
/// handed on. What other devices could not fetch or decrypt is theirs.
pub(super) fn sending(row: &RawMessage) -> Sending {
    match row.is_from_me {
        true if row.error != 0 => Sending::Failed,
        true if row.is_sent == Some(true) || row.date_delivered != 0 || row.date_read != 0 => Sending::Sent,
        _ => Sending::Unknown,
    }
}

/// How it was sent to appear.
pub(super) fn effect_of(row: &RawMessage) -> Option<Effect> {
    match &row.exported {
        Some(told) => told.effect.clone(),
        None => effect(row.expressive_send_style_id.as_deref()),
    }
}

/// Never uploaded from here, nor downloaded: no record of it, and not since a reset, which empties all
/// (`messages-format.md` 14.2).
pub(super) fn is_unsynced(row: &RawMessage) -> bool {
    match &row.sync {
        Some(sync) => match (sync.state, sync.record.as_deref()) {
            (0, None) | (2, None | Some("")) => row_kind(row) == RowKind::Own,
            _ => false,
        },
        None => false,
    }
}

/// It takes a tapback back.
pub(super) fn takes_back(row: &RawMessage) -> bool {
    row_kind(row) == RowKind::Tapback && row.associated_message_type >= 3000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_owner_sent_failed_or_went_out_or_nobody_knows() {
        let row = RawMessage { is_from_me: true, is_sent: Some(false), ..RawMessage::default() };
        let rows = [
            (row.clone(), Sending::Unknown),
            (RawMessage { is_sent: None, ..row.clone() }, Sending::Unknown),
            (RawMessage { is_sent: Some(true), ..row.clone() }, Sending::Sent),
            (RawMessage { date_delivered: 1, ..row.clone() }, Sending::Sent),
            (RawMessage { date_read: 1, ..row.clone() }, Sending::Sent),
            (RawMessage { error: 22, is_sent: Some(true), ..row.clone() }, Sending::Failed),
            (RawMessage { error: 27, is_from_me: false, ..row }, Sending::Unknown),
        ];
        for (row, expect) in rows {
            assert_eq!(sending(&row), expect, "{row:?}");
        }
    }
}
