//! A row with a balloon, and the later rows of its session → one card with its pictures.
//!
//! **Must never**: lose a state that was replaced, or an attachment of one.

use super::decode::balloons::{self, balloon};
use super::decode::date::instant;
use super::normalize::{Normalized, RowKind, attachment, row_kind, sender};
use super::roster::Roster;
use super::votes;
use crate::model::{Balloon, BalloonKind, ConversationKind, Message, MessageKind, Value};
use crate::source::RawMessage;

/// Makes the card of a message. Later rows of its session bring its last state; what they replaced goes into its data.
pub fn card(
    raw: &RawMessage,
    bundle_id: &str,
    text: Option<&str>,
    roster: &Roster,
    out: &mut Normalized,
) -> Balloon {
    let updates: Vec<&RawMessage> =
        raw.associated.iter().filter(|row| row_kind(row) == RowKind::Update).collect();
    // Where in the message each row's files are.
    let mut files: Vec<(&RawMessage, Vec<usize>)> = vec![(raw, own_files(raw, out))];
    for update in &updates {
        let places = (out.message.attachments.len()..).take(update.attachments.len()).collect();
        files.push((update, places));
        for row in &update.attachments {
            let attachment = attachment(row, update);
            out.attach(row, attachment);
        }
    }
    let (mut card, shown) = latest(&files, bundle_id, text, &mut out.message);
    card.attachments = pictures(&card, &files, shown, out);
    if out.message.kind == MessageKind::Vote {
        votes::alone(raw, roster, &mut card, &mut out.message.defects);
    } else if card.kind == BalloonKind::Poll {
        votes::count(raw, roster, &mut card, &mut out.message.defects);
    }
    session(&files, shown, &card.bundle_id.clone().unwrap_or_default(), roster, &mut card);
    if balloons::wants_names(&card) {
        let (sender, receiver) = names(raw, roster);
        balloons::put_names(&mut card, &sender, &receiver);
    }
    card
}

/// The last state that can be read, and whose row has it; else the last, as far as it goes.
fn latest(
    files: &[(&RawMessage, Vec<usize>)],
    bundle_id: &str,
    text: Option<&str>,
    message: &mut Message,
) -> (Balloon, usize) {
    let mut spare = None;
    for (at, (row, _)) in files.iter().enumerate().rev() {
        let payload = payload(row);
        // The first row is a message without one, too.
        if payload.is_none() && (at > 0 || spare.is_some()) {
            continue;
        }
        let id = row.balloon_bundle_id.as_deref().filter(|id| !id.is_empty()).unwrap_or(bundle_id);
        let (card, mut defects) = balloon(id, payload, text);
        if defects.is_empty() && is_empty_poll(&card, payload, message.kind) {
            defects.push(format!(
                "{} was not understood",
                if at > 0 { "a later state of this poll" } else { "this poll" }
            ));
        }
        if defects.is_empty() {
            return (card, at);
        }
        message.defects.extend(defects);
        spare.get_or_insert((card, at));
    }
    spare.unwrap_or_else(|| (balloon(bundle_id, None, text).0, 0))
}

fn payload(row: &RawMessage) -> Option<&[u8]> {
    row.payload_data.as_deref().filter(|payload| !payload.is_empty())
}

/// A poll whose options are not to be read is no state of it.
fn is_empty_poll(card: &Balloon, payload: Option<&[u8]>, kind: MessageKind) -> bool {
    kind != MessageKind::Vote
        && card.kind == BalloonKind::Poll
        && payload.is_some()
        && card.options.is_empty()
}

/// Where the files of the message's own row are among its attachments, in the order of the rows.
fn own_files(raw: &RawMessage, out: &Normalized) -> Vec<usize> {
    let attachments = &out.message.attachments;
    let place = |(i, row): (usize, &crate::source::RawAttachment)| {
        attachments.iter().position(|a| a.guid.is_some() && a.guid == row.guid).unwrap_or(i)
    };
    raw.attachments.iter().enumerate().map(place).collect()
}

/// The card's pictures: those that its payload names, then the other files of the same row, then those of the others.
fn pictures(
    card: &Balloon,
    files: &[(&RawMessage, Vec<usize>)],
    shown: usize,
    out: &Normalized,
) -> Vec<usize> {
    let attachments = &out.message.attachments;
    let own: &[usize] = files.get(shown).map_or(&[], |(_, places)| places);
    // Numbers count the files that belong to balloons; where none is marked as such, all.
    let mut numbered: Vec<usize> =
        own.iter().copied().filter(|i| attachments.get(*i).is_some_and(|a| a.hidden)).collect();
    if numbered.is_empty() {
        numbered = own.to_vec();
    }
    let named = card.attachments.iter().filter_map(|number| numbered.get(*number).copied());
    let mut order: Vec<usize> = Vec::with_capacity(attachments.len());
    let mut waiting = vec![true; attachments.len()];
    for i in named.chain(own.iter().copied()).chain(0..attachments.len()) {
        if waiting.get_mut(i).is_some_and(std::mem::take) {
            order.push(i);
        }
    }
    order
}

/// What became of the session: how often it was changed, last when and by whom, and what the card said before.
fn session(
    files: &[(&RawMessage, Vec<usize>)],
    shown: usize,
    bundle_id: &str,
    roster: &Roster,
    card: &mut Balloon,
) {
    let Some((last, _)) = files.last().filter(|_| files.len() > 1) else {
        return;
    };
    let count = i64::try_from(files.len() - 1).unwrap_or(i64::MAX);
    card.data.push(("updates", Value::Integer(count)));
    card.data.extend(instant(last.date).map(|date| ("updated", Value::Date(date))));
    card.data.push(("updated_by", person(last, roster)));
    let mut states = Vec::new();
    for (at, (row, _)) in files.iter().enumerate() {
        let payload = payload(row);
        if at == shown || payload.is_none() {
            continue;
        }
        let (before, _) = balloon(bundle_id, payload, None);
        let mut entries = vec![("by".to_owned(), person(row, roster))];
        entries.extend(instant(row.date).map(|date| ("date".to_owned(), Value::Date(date))));
        let texts = [
            ("title", before.title),
            ("subtitle", before.subtitle),
            ("summary", before.summary),
            ("url", before.url),
        ];
        entries
            .extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::Text(text?)))));
        if !before.lines.is_empty() {
            let lines = before.lines.into_iter().map(Value::Text).collect();
            entries.push(("lines".to_owned(), Value::List(lines)));
        }
        let data = before.data.into_iter().filter(|(name, _)| *name != "session");
        let data: Vec<_> = data.map(|(name, value)| (name.to_owned(), value)).collect();
        if !data.is_empty() {
            entries.push(("data".to_owned(), Value::Map(data)));
        }
        states.push(Value::Map(entries));
    }
    card.data.push(("earlier", Value::List(states)));
}

/// Who sent a row, for programs.
pub(super) fn person(row: &RawMessage, roster: &Roster) -> Value {
    let sender = sender(row.is_from_me, row.handle_id, roster);
    let mut entries = vec![("from_me".to_owned(), Value::Boolean(row.is_from_me))];
    if let Some(sender) = sender {
        let texts = [("handle", sender.handle.clone()), ("name", sender.name.clone())];
        entries
            .extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::Text(text?)))));
    }
    Value::Map(entries)
}

/// Who sent a message and who got it, as a text names them.
fn names(raw: &RawMessage, roster: &Roster) -> (String, String) {
    let owner = roster.owner.clone().unwrap_or_else(|| "You".into());
    let conversation = raw.chat.and_then(|chat| roster.conversations.get(roster.conversation_of(chat)?));
    let others = conversation
        .map(|entry| &entry.conversation)
        .filter(|conversation| conversation.kind != ConversationKind::Orphaned)
        .map_or_else(|| "Unknown".into(), |conversation| conversation.title.clone());
    match sender(raw.is_from_me, raw.handle_id, roster) {
        None => (owner, others),
        Some(sender) => (sender.label().to_owned(), owner),
    }
}
