//! The parts of a message: bubbles, or pieces of one (`messages-format.md` 4.9, 5.3).
//!
//! **Must never**: lose an attachment or a text for want of a place; what nothing names goes to the end.

use std::collections::HashMap;

use super::cards;
use super::decode::balloons::LINK_PREVIEW;
use super::decode::body::{self, Body, Piece, PieceContent};
use super::decode::date::instant;
use super::decode::summary::Summary;
use super::normalize::{Normalized, attachment, summary_of};
use super::roster::Roster;
use crate::model::{
    Attachment, Availability, BalloonKind, Deleted, DeletionReason, Edit, Instant, Message, MessageKind,
    Part, PartContent, Unsent,
};
use crate::source::{DeletedPart, EarlierBody, RawMessage};

/// Fills the attachments: those of the body in the body's order, then the rest in the order of the rows.
pub fn attach(raw: &RawMessage, body: &Body, out: &mut Normalized) {
    if raw.attachments.is_empty() {
        return;
    }
    let mut order: Vec<usize> = Vec::with_capacity(raw.attachments.len());
    for piece in &body.pieces {
        if let PieceContent::Object { attachment: Some(guid), .. } = &piece.content
            && let Some(i) = row_of(raw, guid)
            && !order.contains(&i)
        {
            order.push(i);
        }
    }
    for i in 0..raw.attachments.len() {
        if !order.contains(&i) {
            order.push(i);
        }
    }
    for row in order.into_iter().filter_map(|i| raw.attachments.get(i)) {
        let attachment = attachment(row, raw);
        out.attach(row, attachment);
    }
}

/// The attachment row that a body names: by `guid`, then by `original_guid`.
fn row_of(raw: &RawMessage, guid: &str) -> Option<usize> {
    let is = |stored: &Option<String>| stored.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(guid));
    let rows = &raw.attachments;
    rows.iter().position(|a| is(&a.guid)).or_else(|| rows.iter().position(|a| is(&a.original_guid)))
}

/// Builds the parts from the body's pieces: `messages-format.md` 4.9.
pub fn assemble(raw: &RawMessage, body: &mut Body, summary: &Summary, roster: &Roster, out: &mut Normalized) {
    let bundle_id = raw.balloon_bundle_id.as_deref().filter(|id| !id.is_empty());
    let link_preview = bundle_id.is_none() && raw.payload_data.is_some() && body.single_link.is_some();
    // What an app sent goes when it is unsent: `messages-format.md` 17.1.
    let gone = is_all_unsent(summary)
        && body.pieces.is_empty()
        && raw.payload_data.as_ref().is_none_or(|payload| payload.is_empty());
    if matches!(out.message.kind, MessageKind::Message | MessageKind::Vote)
        && (bundle_id.is_some() && !gone || link_preview)
    {
        return assemble_balloon(raw, bundle_id.unwrap_or(LINK_PREVIEW), body, roster, out);
    }
    let mut shown = vec![false; out.message.attachments.len()];
    for Piece { part, content } in std::mem::take(&mut body.pieces) {
        let content = match content {
            PieceContent::Text { text, styles } => PartContent::Text { text, styles },
            PieceContent::Object { attachment, name, transcription } => {
                let i = place(raw, attachment, name, &mut shown, out);
                if let Some(found) = out.message.attachments.get_mut(i) {
                    found.transcription = transcription.or(found.transcription.take());
                }
                PartContent::Attachment(i)
            }
        };
        out.message.parts.push(Part { index: part, content });
    }
    // Attachments that the body does not name go to the end.
    let unsent_too = summary.parts.unwrap_or(0);
    let mut next =
        out.message.parts.iter().map(|p| p.index.saturating_add(1)).max().unwrap_or(0).max(unsent_too);
    for (i, shown) in shown.iter().enumerate() {
        if !shown && out.message.attachments.get(i).is_some_and(|a| !a.hidden) {
            out.message.parts.push(Part { index: next, content: PartContent::Attachment(i) });
            next = next.saturating_add(1);
        }
    }
}

/// The attachment that an object in the body stands for: the one it names, else the next unnamed one, else one that
/// is missing.
fn place(
    raw: &RawMessage,
    guid: Option<String>,
    name: Option<String>,
    shown: &mut Vec<bool>,
    out: &mut Normalized,
) -> usize {
    let attachments = &mut out.message.attachments;
    let row = guid.as_deref().and_then(|guid| row_of(raw, guid)).and_then(|row| raw.attachments.get(row));
    let named = row.and_then(|row| attachments.iter().position(|a| a.guid.is_some() && a.guid == row.guid));
    let found = match (named, &guid) {
        (Some(i), _) => Some(i),
        // An object without a name of its own takes the first attachment that no object names.
        (None, None) => (0..attachments.len())
            .find(|i| shown.get(*i) == Some(&false) && attachments.get(*i).is_some_and(|a| !a.hidden)),
        (None, Some(_)) => None,
    };
    match found {
        Some(i) => {
            if let Some(shown) = shown.get_mut(i) {
                *shown = true;
            }
            i
        }
        None => {
            out.message.defects.push("an attachment of this message has no row in the database".into());
            // The row of an audio message that was played goes with its file.
            let expired = raw.is_expirable && raw.expire_state != 0;
            let availability = if expired { Availability::Expired } else { Availability::Missing };
            attachments.push(Attachment { guid, name, availability, ..Attachment::default() });
            out.contents.push(None);
            out.motions.push(None);
            shown.push(true);
            attachments.len() - 1
        }
    }
}

/// The whole body becomes one balloon.
fn assemble_balloon(
    raw: &RawMessage,
    bundle_id: &str,
    body: &mut Body,
    roster: &Roster,
    out: &mut Normalized,
) {
    let mut balloon = cards::card(raw, bundle_id, body.text(), roster, out);
    if balloon.kind == BalloonKind::Url && balloon.url.is_none() {
        balloon.url = body.single_link.take();
    }
    let index = body.pieces.first().map_or(0, |piece| piece.part);
    out.message.parts.push(Part { index, content: PartContent::Balloon });
    out.message.balloon = Some(Box::new(balloon));
}

/// Parts that the owner deleted one by one, and that are still in Recently Deleted, go back to their places. An archive
/// keeps what was there also after it was restored: that is in its place already, as it was or edited since.
pub fn restore_deleted_parts(raw: &RawMessage, summary: &Summary, message: &mut Message) {
    for DeletedPart { index, date, body, gone } in &raw.deleted_parts {
        let Ok(index) = u32::try_from(*index) else {
            continue;
        };
        let mut body = body::body_without_data(Some(body), None);
        message.defects.append(&mut body.defects);
        let Some(text) = body.into_text() else { continue };
        let is_edited = || summary.was(index, &text);
        let is_there = |part: &Part| {
            part.index == index
                && matches!(&part.content, PartContent::Text { text: there, .. } if *there == text || is_edited())
        };
        if message.parts.iter().any(is_there) {
            continue;
        }
        let at = message.parts.iter().position(|p| p.index > index).unwrap_or(message.parts.len());
        message.parts.insert(at, Part { index, content: PartContent::Text { text, styles: Vec::new() } });
        let gone = gone.and_then(instant);
        let deleted = message.deleted.get_or_insert(Deleted {
            date: instant(*date),
            reason: DeletionReason::RecentlyDeleted,
            guessed: false,
            last_seen: None,
            gone,
            part: true,
        });
        // Gone is what nothing can be recovered of any more.
        if deleted.part {
            deleted.gone = deleted.gone.zip(gone).map(|(one, other)| one.max(other));
        }
    }
}

/// Puts unsent parts back as what they are: `messages-format.md` 5.3, 4.9 step 6.
pub fn unsend(raw: &RawMessage, summary: &Summary, message: &mut Message) {
    if summary.unsent.is_empty() {
        return;
    }
    let date = instant(raw.date_edited).or(instant(raw.date_retracted));
    let taken = |parts: &[Part], index: u32| parts.iter().any(|p| p.index == index);
    // Where the remaining parts were renumbered 0…k−1, each unsent part moves the ones behind it up again.
    for &index in &summary.unsent {
        if taken(&message.parts, index) {
            for part in message.parts.iter_mut().filter(|p| p.index >= index) {
                part.index = part.index.saturating_add(1);
            }
        }
        let at = message.parts.iter().position(|p| p.index > index).unwrap_or(message.parts.len());
        message.parts.insert(at, Part { index, content: PartContent::Unsent { date } });
    }
    // A part that stayed, and whose content is lost, was not unsent.
    let all = (summary.parts.is_none() || is_all_unsent(summary))
        && message.parts.iter().all(|p| matches!(p.content, PartContent::Unsent { .. }));
    message.unsent = Some(if all { Unsent::All } else { Unsent::Part });
}

/// What parts said before they were unsent or edited, where an archive has it, and the row itself does not.
pub fn restore_earlier(raw: &RawMessage, unsent: &[u32], message: &mut Message) {
    if raw.earlier.is_empty() {
        return;
    }
    let earlier: Vec<Said> = raw.earlier.iter().map(Said::by).collect();
    for &part in unsent {
        if message.edits.iter().any(|edit| edit.part == part) {
            continue;
        }
        message.edits.append(&mut said_before(raw, &earlier, part));
    }
    // Messages keeps a list of every version; one that lost it says only that it was edited.
    if raw.date_edited != 0 && unsent.is_empty() && message.edits.is_empty() {
        message.edits = versions(raw, &earlier, &message.parts);
    }
    message.edits.sort_by_key(|edit| edit.part);
}

/// Every version of the parts that are there now, and of the only one where none is, if the archive has another.
fn versions(raw: &RawMessage, earlier: &[Said], parts: &[Part]) -> Vec<Edit> {
    let text = |part: &Part| match &part.content {
        PartContent::Text { text, .. } => Some((part.index, text.clone())),
        _ => None,
    };
    let mut now: Vec<(u32, String)> = parts.iter().filter_map(text).collect();
    if parts.is_empty() {
        now.push((0, String::new()));
    }
    let mut versions = Vec::new();
    for (part, now) in now {
        let mut of_part = said_before(raw, earlier, part);
        if of_part.last().is_none_or(|last| last.text != now) {
            of_part.push(Edit { part, date: instant(raw.date_edited), text: now });
        }
        if of_part.len() > 1 {
            versions.append(&mut of_part);
        }
    }
    versions
}

/// What a part said, oldest first, each version once: two devices may have gone through the same ones.
fn said_before(raw: &RawMessage, earlier: &[Said], part: u32) -> Vec<Edit> {
    let versions = earlier.iter().rev().filter_map(|said| {
        let date = said.edited.or(instant(raw.date));
        Some(Edit { part, date, text: said.parts.get(&part)?.clone() })
    });
    let mut versions: Vec<Edit> = versions.collect();
    versions.sort_by_key(|edit| edit.date);
    // Most states differ in something else.
    versions.dedup_by(|later, earlier| later.text == earlier.text);
    versions
}

/// What a message said before.
pub(super) struct Said {
    edited: Option<Instant>,
    /// By part.
    parts: HashMap<u32, String>,
}

impl Said {
    pub fn by(earlier: &EarlierBody) -> Said {
        let body = body::body_without_data(earlier.attributed_body.as_deref(), earlier.text.as_deref());
        let mut parts: HashMap<u32, String> = HashMap::new();
        for piece in &body.pieces {
            if let PieceContent::Text { text, .. } = &piece.content
                && !text.is_empty()
            {
                parts.entry(piece.part).or_default().push_str(text);
            }
        }
        Said { edited: instant(earlier.date_edited), parts }
    }

    /// The texts of its parts.
    pub fn in_order(&self) -> Vec<&str> {
        let mut parts: Vec<(&u32, &str)> =
            self.parts.iter().map(|(part, text)| (part, text.as_str())).collect();
        parts.sort_unstable();
        parts.into_iter().map(|(_, text)| text).collect()
    }
}

/// Whether every part that the summary knows of was unsent (`messages-format.md` 5.3).
pub fn is_all_unsent(summary: &Summary) -> bool {
    // Sorted, each once.
    let first_to_stay = (0u32..).zip(&summary.unsent).take_while(|(part, unsent)| part == *unsent).count();
    !summary.unsent.is_empty() && summary.parts.is_none_or(|parts| first_to_stay >= parts as usize)
}

/// The parts of a row by itself, as [`attach`], [`assemble`] and [`unsend`] make them.
/// Of what data detectors found they have the marks alone.
pub fn of_row(raw: &RawMessage, roster: &Roster) -> Vec<Part> {
    let mut out = Normalized::default();
    let summary = summary_of(raw);
    let mut body = body::body_without_data(raw.attributed_body.as_deref(), raw.text.as_deref());
    attach(raw, &body, &mut out);
    assemble(raw, &mut body, &summary, roster, &mut out);
    unsend(raw, &summary, &mut out.message);
    out.message.parts
}

/// The [`Message::joined_text`] of these parts.
pub fn joined_text(message: &Message, raw: &RawMessage) -> Option<String> {
    let has_text = raw.text.is_some() || raw.attributed_body.as_ref().is_some_and(|b| !b.is_empty());
    if let [Part { content: PartContent::Text { .. }, .. }] = message.parts.as_slice() {
        return None;
    }
    let mut text = String::new();
    let mut any = false;
    for part in &message.parts {
        match &part.content {
            PartContent::Text { text: t, .. } => {
                text.push_str(t);
                any = true;
            }
            PartContent::Attachment(_) | PartContent::Balloon => {
                text.push('\u{FFFC}');
                any |= has_text;
            }
            PartContent::Unsent { .. } => {}
        }
    }
    any.then_some(text)
}

/// The part that a number refers to: by number, else by position (`messages-format.md` 4.9), else the number itself.
pub fn part_named(parts: &[Part], number: i64) -> u32 {
    let number = u32::try_from(number).unwrap_or(0);
    if parts.iter().any(|p| p.index == number) {
        return number;
    }
    parts.get(number as usize).map_or(number, |p| p.index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::RawAttachment;

    fn text(part: u32, text: &str) -> Piece {
        Piece { part, content: PieceContent::Text { text: text.into(), styles: Vec::new() } }
    }

    fn object(part: u32, guid: Option<&str>) -> Piece {
        let attachment = guid.map(str::to_owned);
        Piece { part, content: PieceContent::Object { attachment, name: None, transcription: None } }
    }

    fn row(guid: &str, hidden: bool) -> RawAttachment {
        RawAttachment { guid: Some(guid.into()), hide_attachment: hidden, ..RawAttachment::default() }
    }

    fn shape(message: &Message) -> String {
        let word = |part: &Part| match &part.content {
            PartContent::Text { text, .. } => format!("{}:{text}", part.index),
            PartContent::Attachment(i) => {
                format!("{}:[{}]", part.index, message.attachments[*i].guid.as_deref().unwrap_or("?"))
            }
            PartContent::Balloon => format!("{}:balloon", part.index),
            PartContent::Unsent { .. } => format!("{}:unsent", part.index),
        };
        message.parts.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn check(pieces: Vec<Piece>, attachments: Vec<RawAttachment>, unsent: Vec<u32>, expected: &str) {
        let raw = RawMessage { attachments, ..RawMessage::default() };
        let mut body = Body { pieces, ..Body::default() };
        let summary = Summary { unsent, ..Summary::default() };
        let mut out = Normalized::default();
        attach(&raw, &body, &mut out);
        assemble(&raw, &mut body, &summary, &Roster::default(), &mut out);
        unsend(&raw, &summary, &mut out.message);
        assert_eq!(shape(&out.message), expected);
        assert_eq!(out.contents.len(), out.message.attachments.len());
        assert_eq!(out.motions.len(), out.message.attachments.len());
    }

    #[test]
    fn attachments_pair_by_guid_not_by_order() {
        let pieces = vec![object(0, Some("B")), text(1, "and"), object(2, Some("a"))];
        check(pieces, vec![row("A", false), row("B", false)], vec![], "0:[B] 1:and 2:[A]");
    }

    #[test]
    fn unnamed_attachments_go_to_the_end_and_hidden_ones_nowhere() {
        check(vec![text(0, "hi")], vec![row("A", false), row("H", true)], vec![], "0:hi 1:[A]");
    }

    #[test]
    fn an_object_without_a_row_is_a_missing_attachment() {
        check(vec![object(0, Some("GONE"))], vec![], vec![], "0:[GONE]");
        check(vec![object(0, None)], vec![], vec![], "0:[?]");
    }

    #[test]
    fn a_bare_object_takes_the_next_attachment() {
        check(vec![object(0, None), text(1, "x")], vec![row("A", false)], vec![], "0:[A] 1:x");
    }

    #[test]
    fn unsent_parts_keep_a_gap_that_is_there() {
        check(vec![text(0, "a"), text(2, "c")], vec![], vec![1], "0:a 1:unsent 2:c");
        check(vec![text(0, "a")], vec![], vec![1], "0:a 1:unsent");
    }

    #[test]
    fn renumbered_parts_make_room_for_the_unsent_one() {
        check(vec![text(0, "b"), text(1, "c")], vec![], vec![0], "0:unsent 1:b 2:c");
    }
}
