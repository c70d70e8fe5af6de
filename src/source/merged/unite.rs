//! Two rows that are one message, made one.

use super::Identity;
use crate::source::timeline::Moment;
use crate::source::{Content, EarlierBody, RawAttachment, RawMessage};

/// What is left of a row that was united with another: enough to count it.
pub(super) fn repetition(row: &RawMessage) -> RawMessage {
    RawMessage {
        rowid: row.rowid,
        chat: row.chat,
        guid: row.guid.clone(),
        date: row.date,
        sources: row.sources.clone(),
        repeats: true,
        ..RawMessage::default()
    }
}

/// Nothing of it is known to be lost.
fn is_as_it_was(row: &RawMessage) -> bool {
    !(row.last_is_lost || row.otherwise_then || row.damaged || row.unreadable)
}

/// Adds to a row what another source's row of the same message knows beyond it.
pub(super) fn unite(row: &mut RawMessage, mut other: RawMessage, identity: &dyn Identity) {
    // A row as Messages wrote it says more than what an export made of it, and a whole one more than one that is not.
    if row.unreadable && !other.unreadable
        || row.damaged && !other.damaged && !other.unreadable
        || row.otherwise_then && !other.otherwise_then && !other.damaged && !other.unreadable
        || row.last_is_lost && is_as_it_was(&other)
        || row.exported.is_some() && other.exported.is_none()
    {
        std::mem::swap(row, &mut other);
    }
    if row.exported.is_none()
        && let Some(told) = other.exported.take()
    {
        // What was unsent since is still in an export from before.
        let text = told.text().map(str::to_owned);
        row.earlier.push(EarlierBody { text, ..EarlierBody::default() });
    }
    words(row, &mut other, identity);
    let RawMessage { subject, payload_data, balloon_bundle_id, expressive_send_style_id, .. } = &mut other;
    fill(&mut row.subject, subject);
    fill(&mut row.payload_data, payload_data);
    fill(&mut row.balloon_bundle_id, balloon_bundle_id);
    fill(&mut row.expressive_send_style_id, expressive_send_style_id);
    fill(&mut row.thread_originator_guid, &mut other.thread_originator_guid);
    fill(&mut row.thread_originator_part, &mut other.thread_originator_part);
    fill(&mut row.originator, &mut other.originator);
    fill(&mut row.target, &mut other.target);
    if row.deleted.is_none() {
        row.deletion_reason = other.deletion_reason;
        row.deletion_guessed = other.deletion_guessed;
        row.last_seen = other.last_seen;
        row.deletion_gone = other.deletion_gone;
    }
    fill(&mut row.deleted, &mut other.deleted);
    earliest(&mut row.date_read, other.date_read);
    earliest(&mut row.date_delivered, other.date_delivered);
    if row.deleted_parts.is_empty() {
        row.deleted_parts = other.deleted_parts;
    }
    attachments(&mut row.attachments, other.attachments);
    hang(row, other.associated, identity);
    row.again.append(&mut other.again);
    row.sources.append(&mut other.sources);
    row.sources.sort_unstable();
}

fn fill<T>(value: &mut Option<T>, other: &mut Option<T>) {
    if value.is_none() {
        *value = other.take();
    }
}

/// The earlier of two raw dates, where there are two.
fn earliest(date: &mut i64, other: i64) {
    if *date == 0 || other != 0 && Moment::of(other) < Moment::of(*date) {
        *date = other;
    }
}

/// The later edit wins. What was unsent as a whole is so, and what another source has still is what it said before; a part that
/// was unsent in one source and is still there in the other stays, and is said to be unsent.
fn words(row: &mut RawMessage, other: &mut RawMessage, identity: &dyn Identity) {
    match [&*row, &*other].map(|row| identity.is_all_unsent(row)) {
        [false, false] | [true, true] => {}
        [is_gone, _] => {
            if !is_gone {
                said(row, other);
            }
            row.earlier.push(EarlierBody {
                text: other.text.take(),
                attributed_body: other.attributed_body.take(),
                date_edited: other.date_edited,
                facts: None,
            });
            return;
        }
    }
    let [edited, edited_there] = [&*row, &*other].map(|row| Moment::of(row.date_edited));
    // Of one that has no date of its edits their number tells.
    let later =
        edited_there > edited || edited_there == edited && identity.edits(other) > identity.edits(row);
    let (unsent, unsent_there) = (identity.unsent(row), identity.unsent(other));
    let says_nothing = row.text.is_none() && row.attributed_body.is_none();
    if unsent > unsent_there || unsent == unsent_there && later || says_nothing {
        std::mem::swap(&mut row.text, &mut other.text);
        std::mem::swap(&mut row.attributed_body, &mut other.attributed_body);
    }
    if unsent < unsent_there || unsent == unsent_there && later || row.message_summary_info.is_none() {
        fill(&mut other.message_summary_info, &mut row.message_summary_info);
        row.message_summary_info = other.message_summary_info.take();
        row.date_edited = if other.date_edited == 0 { row.date_edited } else { other.date_edited };
        row.date_retracted =
            if other.date_retracted == 0 { row.date_retracted } else { other.date_retracted };
    }
    // An edit may take the words away altogether; then those of the other are better than none.
    if row.text.is_none() && row.attributed_body.is_none() {
        row.text = other.text.take();
        row.attributed_body = other.attributed_body.take();
    }
}

/// What the one says, and what became of that, is said by the other one, and the other way round.
fn said(row: &mut RawMessage, other: &mut RawMessage) {
    std::mem::swap(&mut row.text, &mut other.text);
    std::mem::swap(&mut row.attributed_body, &mut other.attributed_body);
    std::mem::swap(&mut row.message_summary_info, &mut other.message_summary_info);
    std::mem::swap(&mut row.date_edited, &mut other.date_edited);
    std::mem::swap(&mut row.date_retracted, &mut other.date_retracted);
}

/// How much is here of an attachment; more is better.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Missing,
    InICloud,
    /// It is there, and the disk does not give it.
    OutOfReach,
    /// Not all of it, or not the size it should have.
    Some,
    All,
}

fn worth(attachment: &RawAttachment) -> Worth {
    match &attachment.content {
        Some(Content::OutOfReach(_)) => Worth::OutOfReach,
        Some(content) if content.bytes() != Some(0) => {
            let right_size = match content.bytes().and_then(|bytes| i64::try_from(bytes).ok()) {
                Some(bytes) => attachment.total_bytes <= 0 || bytes == attachment.total_bytes,
                None => content.is_bundle(),
            };
            if right_size && !attachment.incomplete { Worth::All } else { Worth::Some }
        }
        _ if attachment.is_in_icloud() => Worth::InICloud,
        _ => Worth::Missing,
    }
}

/// The better copy of each; what only the other has comes behind.
fn attachments(own: &mut Vec<RawAttachment>, others: Vec<RawAttachment>) {
    let known = own.len();
    let mut taken = vec![false; known];
    for mut other in others {
        let free = |at: &usize| taken.get(*at) == Some(&false);
        let guid = |a: &RawAttachment| a.original_guid.clone().or_else(|| a.guid.clone());
        let same_guid = |at: &usize| {
            own.get(*at).is_some_and(|a| {
                a.guid.is_some() && a.guid == other.guid || guid(a).is_some() && guid(a) == guid(&other)
            })
        };
        let same_file = |at: &usize| {
            own.get(*at).is_some_and(|a| {
                a.transfer_name == other.transfer_name && (a.total_bytes == other.total_bytes || known == 1)
            })
        };
        let at = (0..known).filter(free).find(same_guid).or_else(|| (0..known).filter(free).find(same_file));
        let Some(at) = at else {
            own.push(other);
            continue;
        };
        if let Some(taken) = taken.get_mut(at) {
            *taken = true;
        }
        let Some(attachment) = own.get_mut(at) else { continue };
        attachment.rows.append(&mut other.rows);
        if worth(&other) > worth(attachment) {
            attachment.content = other.content;
            attachment.incomplete = other.incomplete;
            attachment.total_bytes = other.total_bytes;
            attachment.ck_sync_state = other.ck_sync_state;
            attachment.transfer_state = other.transfer_state;
            attachment.companion = other.companion.or(attachment.companion.take());
        } else if attachment.companion.is_none() {
            attachment.companion = other.companion;
        }
    }
}

/// Adds tapbacks, votes and updates to a row; those that it has are shown once, and counted.
pub(super) fn hang(row: &mut RawMessage, others: Vec<RawMessage>, identity: &dyn Identity) {
    let known = row.associated.len();
    let mut taken = vec![false; known];
    let guid = |row: &RawMessage| row.guid.as_deref().map(|guid| identity.guid(guid));
    for mut other in others {
        let free = |at: &usize| taken.get(*at) == Some(&false);
        let of_guid = |at: &usize| {
            row.associated.get(*at).is_some_and(|row| guid(row).is_some() && guid(row) == guid(&other))
        };
        let of_content = |at: &usize| {
            row.associated.get(*at).is_some_and(|row| identity.content(row) == identity.content(&other))
        };
        let twin = (0..known).filter(free).find(of_guid).or_else(|| (0..known).filter(free).find(of_content));
        match twin.and_then(|at| Some((taken.get_mut(at)?, row.associated.get_mut(at)?))) {
            Some((taken, twin)) => {
                *taken = true;
                attachments(&mut twin.attachments, std::mem::take(&mut other.attachments));
                row.again.push(other);
            }
            None => row.associated.push(other),
        }
    }
    row.associated.sort_by_key(|row| (Moment::of(row.date), row.rowid));
}
