//! What damage of an archive took altogether, in words: for whoever has a document of it, and would take that for complete.

use super::{count, days, grouped, one_line, short_date};
use crate::model::{Conversation, Instant};
use crate::pipeline::LostMessages;
use crate::writers::clock::Clock;
use crate::writers::provenance::Provenance;

/// Conversations that are named; the others are counted.
const NAMED: usize = 5;

/// What a document of a conversation says of its messages that are lost, a sentence each: how many, and of when; and of how many
/// messages nothing tells whether they were of it. Nothing where none is.
pub fn lost_of(conversation: &Conversation, origin: Option<&Provenance>, clock: &mut Clock) -> Vec<String> {
    lost_messages("this conversation", &conversation.lost, origin, clock)
}

/// The same, of a document of all of these.
pub fn lost_of_all<'c>(
    conversations: impl Iterator<Item = &'c Conversation>,
    origin: Option<&Provenance>,
    clock: &mut Clock,
) -> Vec<String> {
    let mut lost: Vec<Option<Instant>> =
        conversations.flat_map(|conversation| &conversation.lost).copied().collect();
    lost.sort_unstable();
    lost_messages("these conversations", &lost, origin, clock)
}

fn lost_messages(
    of: &str,
    lost: &[Option<Instant>],
    origin: Option<&Provenance>,
    clock: &mut Clock,
) -> Vec<String> {
    let mut sentences = Vec::new();
    let number = lost.len() as u64;
    if number > 0 {
        let messages = count(number, "message", "messages");
        let is_alone = origin.is_none_or(|origin| origin.source.with.is_empty());
        sentences.push(format!(
            "{messages} of {of} {}{}",
            are_lost(number),
            where_they_are(number, is_alone)
        ));
        sentences.extend(sent(lost, clock));
    }
    let anywhere = origin.map_or(0, |origin| origin.source.lost_anywhere());
    if anywhere > 0 {
        let messages = count(anywhere, "message", "messages");
        sentences.push(format!("At least {messages} {}", lost_anywhere(anywhere)));
    }
    sentences
}

/// `They were sent from 8 to 12 March 2023`; `None` where nothing tells.
fn sent(lost: &[Option<Instant>], clock: &mut Clock) -> Option<String> {
    let mut dates = lost.iter().flatten().map(|date| clock.local(*date));
    let first = dates.next()?;
    let last = dates.next_back().filter(|last| last.day_number() != first.day_number());
    let told = lost.iter().flatten().count();
    let subject = match (told, lost.len() - told) {
        (1, 0) => "It was".to_owned(),
        (_, 0) => "They were".to_owned(),
        (1, _) => "1 of them was".to_owned(),
        (told, _) => format!("{} of them were", grouped(told as u64)),
    };
    Some(match last {
        Some(last) => format!("{subject} sent from {}", days(&first, &last)),
        None => format!("{subject} sent on {}", short_date(&first)),
    })
}

/// What a run says once, and what to do. `lost`: of what is selected; `is_alone`: no other source is read together with the
/// archive. `None`: nothing is lost.
pub fn what_is_lost(lost: &[LostMessages], is_alone: bool) -> Option<String> {
    let total = |lost: &mut dyn Iterator<Item = &LostMessages>| lost.map(|of| of.messages).sum::<u64>();
    let mut places: Vec<&LostMessages> = lost.iter().filter(|of| of.conversation.is_some()).collect();
    let here = total(&mut places.iter().copied());
    let anywhere = total(&mut lost.iter().filter(|of| of.conversation.is_none()));
    let mut sentences = Vec::new();
    if let [only] = places[..] {
        let messages = count(here, "message", "messages");
        let (title, lost) = (one_line(&only.title), are_lost(here));
        sentences.push(format!("{messages} of {title} {lost}{}", where_they_are(here, is_alone)));
    } else if here > 0 {
        places.sort_by(|a, b| b.messages.cmp(&a.messages).then_with(|| a.title.cmp(&b.title)));
        let named = places.iter().take(NAMED);
        let named = named.map(|of| format!("{} in {}", grouped(of.messages), one_line(&of.title)));
        let others = places.get(NAMED..).unwrap_or_default();
        let conversations = count(others.len() as u64, "other conversation", "other conversations");
        let in_others = format!("{} in {conversations}", grouped(total(&mut others.iter().copied())));
        let all: Vec<String> = named.chain((!others.is_empty()).then_some(in_others)).collect();
        sentences.push(format!(
            "{} {}{}: {}",
            count(here, "message", "messages"),
            are_lost(here),
            where_they_are(here, is_alone),
            all.join(", ")
        ));
    }
    if anywhere > 0 {
        let messages = match here {
            0 => count(anywhere, "message", "messages"),
            _ => count(anywhere, "other message", "other messages"),
        };
        sentences.push(format!("At least {messages} {}", lost_anywhere(anywhere)));
    }
    let (them, has) = if here + anywhere == 1 { ("it", "it") } else { ("them", "some of them") };
    sentences.push(format!(
        "`msgarchive history` and `msgarchive verify` of the archive say what is known of {them}. If an old backup or another device still has {has}, \
         `msgarchive archive` with that brings {them} back."
    ));
    (here + anywhere > 0).then(|| sentences.join(". "))
}

fn are_lost(number: u64) -> &'static str {
    if number == 1 { "is lost by damage of the archive" } else { "are lost by damage of the archive" }
}

/// A source that is read together with the archive may have them.
fn where_they_are(number: u64, is_alone: bool) -> &'static str {
    match (is_alone, number) {
        (true, 1) => ", and is not here",
        (true, _) => ", and are not here",
        (false, 1) => ", and is here only where another source has it",
        (false, _) => ", and are here only where another source has them",
    }
}

fn lost_anywhere(number: u64) -> String {
    let nothing_tells = match number {
        1 => "of which nothing tells in which conversation it was",
        _ => "of which nothing tells in which conversations they were",
    };
    format!("{}, {nothing_tells}", are_lost(number))
}
