//! What an archive knew otherwise of a message, though Messages notes no change of it: some other program changed the row, or
//! something of it was lost.
//!
//! **Must never**: take for such a change what its sender edited or unsent, what its owner deleted, or what two devices note
//! a little differently.

use std::collections::HashSet;

use super::decode::date::{in_nanoseconds, instant};
use super::normalize::{is_tapback, sender};
use super::parts::Said;
use super::roster::Roster;
use crate::model::{Message, MessageKind, Otherwise, PartContent, Was};
use crate::source::{EarlierBody, EarlierFacts, RawAttachment, RawMessage};

const SECOND: u64 = 1_000_000_000;
/// The clocks of two devices of one owner differ, and so do the dates that they give to what was forwarded (SMS).
const OF_ANOTHER_DEVICE: u64 = 300 * SECOND;

/// Notes it. The message is complete but for this.
pub fn note(raw: &RawMessage, roster: &Roster, message: &mut Message) {
    message.was.extend(answers(raw));
    message.was.extend(raw.attachments.iter().flat_map(files));
    if raw.earlier.is_empty() {
        return;
    }
    let Words { altered, elsewhere } = words(raw, message);
    message.altered = (!altered.is_empty()).then(|| altered.into());
    let said = elsewhere.into_iter().map(|text| Otherwise { elsewhere: true, was: Was::Said(text) });
    message.was.extend(said);
    for facts in raw.earlier.iter().filter_map(|earlier| earlier.facts.as_ref()) {
        for was in otherwise(facts, raw, roster) {
            let one = Otherwise { elsewhere: !facts.is_of_same_source, was };
            if !message.was.contains(&one) {
                message.was.push(one);
            }
        }
    }
}

/// Other bytes of an attachment: it was overwritten, or downloaded anew.
fn files(attachment: &RawAttachment) -> impl Iterator<Item = Otherwise> {
    attachment.former.iter().map(|former| {
        let name = attachment.transfer_name.clone().filter(|name| !name.is_empty());
        let was = Was::Attached { name, path: former.path.clone() };
        Otherwise { elsewhere: former.elsewhere, was }
    })
}

/// The words of rows that answer a message now, and were messages of their own.
fn answers(raw: &RawMessage) -> impl Iterator<Item = Otherwise> {
    let answers =
        raw.associated.iter().filter(|row| kind_of(row.associated_message_type) != MessageKind::Message);
    answers.filter_map(|row| {
        let was_of_its_own = |earlier: &&EarlierBody| {
            let facts = earlier.facts.as_ref();
            facts.is_some_and(|facts| kind_of(facts.associated_message_type) == MessageKind::Message)
        };
        let earlier = row.earlier.iter().find(was_of_its_own)?;
        let was = Was::Answered(Said::by(earlier).in_order().join("\n"));
        Some(Otherwise { elsewhere: false, was })
    })
}

/// As it can be compared: places of attachments, and white space around it, say nothing.
pub fn bare(text: &str) -> String {
    text.chars().filter(|c| *c != '\u{fffc}').collect::<String>().trim().to_owned()
}

/// What it said besides, the latest first.
#[derive(Default)]
struct Words {
    /// At other times.
    altered: Vec<String>,
    /// As other sources have it, or had.
    elsewhere: Vec<String>,
}

fn words(raw: &RawMessage, message: &Message) -> Words {
    let texts = message.parts.iter().filter_map(|part| match &part.content {
        PartContent::Text { text, .. } if !text.is_empty() => Some(text.as_str()),
        _ => None,
    });
    let now: Vec<&str> = texts.collect();
    let is_changed_by_people = !message.edits.is_empty()
        || message.unsent.is_some()
        || raw.date_edited != 0
        || raw.date_retracted != 0
        || !raw.deleted_parts.is_empty();
    let edits = message.edits.iter().map(|edit| edit.text.as_str());
    let mut explained: HashSet<String> = now.iter().copied().chain(edits).map(bare).collect();
    explained.extend([now.concat(), now.join("\n")].iter().map(|text| bare(text)));
    let mut words = Words::default();
    for earlier in &raw.earlier {
        // What the row of a tapback says ("Loved “…”") is for systems that know none, and shown of no tapback.
        let kind =
            earlier.facts.as_ref().map_or(message.kind, |facts| kind_of(facts.associated_message_type));
        if message.kind == MessageKind::Tapback && kind == MessageKind::Tapback {
            continue;
        }
        let said = Said::by(earlier);
        let texts = said.in_order();
        let is_explained = match is_changed_by_people {
            true => {
                texts.iter().all(|text| explained.contains(&bare(text)))
                    || explained.contains(&bare(&texts.concat()))
            }
            false => texts.is_empty() || texts == now,
        };
        let text = texts.join("\n");
        let of = match earlier.facts.as_ref().is_none_or(|facts| facts.is_of_same_source) {
            true => &mut words.altered,
            false => &mut words.elsewhere,
        };
        if !is_explained && !of.contains(&text) {
            of.push(text);
        }
    }
    words
}

/// What else it was.
fn otherwise(facts: &EarlierFacts, raw: &RawMessage, roster: &Roster) -> Vec<Was> {
    let mut was = Vec::new();
    // Rows that are no messages have their senders elsewhere.
    if raw.item_type == 0 {
        match (facts.is_from_me, raw.is_from_me) {
            (true, false) => was.push(Was::FromMe),
            (false, true) => was.push(Was::From(sender(false, facts.handle_id, roster))),
            (false, false) => {
                let person = |handle| roster.person(handle).map(|(number, _)| number);
                // Whom nobody knew may be known now.
                let is_another =
                    person(facts.handle_id).is_some_and(|was| person(raw.handle_id) != Some(was));
                was.extend(is_another.then(|| Was::From(sender(false, facts.handle_id, roster))));
            }
            (true, true) => {}
        }
    }
    let apart = if facts.is_of_same_source { SECOND } else { OF_ANOTHER_DEVICE };
    let (then, now) = (in_nanoseconds(facts.date), in_nanoseconds(raw.date));
    // What is scheduled is dated anew when it is sent.
    let is_dated = facts.date != 0 && raw.schedule_type == 0 && facts.schedule_type == 0;
    if is_dated && then.abs_diff(now) >= apart {
        was.push(Was::Dated(instant(facts.date)));
    }
    // What only another device knows is no contradiction.
    if raw.date_read == 0 && facts.is_of_same_source {
        was.extend(instant(facts.date_read).map(Was::Read));
    }
    if raw.date_delivered == 0 && facts.is_of_same_source {
        was.extend(instant(facts.date_delivered).map(Was::Delivered));
    }
    let kind = kind_of(facts.associated_message_type);
    if kind != kind_of(raw.associated_message_type) && raw.item_type == 0 {
        was.push(Was::Kind(kind));
    }
    was
}

fn kind_of(associated_message_type: i64) -> MessageKind {
    match associated_message_type {
        kind if is_tapback(kind) => MessageKind::Tapback,
        4000 => MessageKind::Vote,
        _ => MessageKind::Message,
    }
}
