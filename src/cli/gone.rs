//! What `history --deleted` says: what a source has no more, why, and how much that is.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono_tz::Tz;
use msgarchive::archive::gone::{Gone, Lost};
use msgarchive::archive::sources::KnownSource;
use msgarchive::model::{DeletionReason, Instant};
use msgarchive::writers::phrase::{count, grouped};
use serde_json::{Value, json};

use super::history::{hanging, of_a_part, or_guessed, told};
use super::terminal;
use super::terminal::{plain, said, wrap};

/// What a source that was not read has still, nobody knows; nor what was noted of that which is lost.
pub fn nothing(sources: &[KnownSource], lost: usize) -> String {
    let unread: Vec<String> = sources
        .iter()
        .filter(|source| !source.is_read && source.gone_for_good.is_none())
        .map(|source| plain(&source.path))
        .collect();
    let not_read = match &unread[..] {
        [] => None,
        [path] => Some(format!("But {path} was not read by the last run.")),
        [path, others @ ..] => Some(format!(
            "But {path} was not read by the last run, nor {}; `msgarchive history DIR` lists all.",
            count(others.len() as u64, "other source", "other sources")
        )),
    };
    let but: Vec<String> = [not_read, lost_beside(lost)].into_iter().flatten().collect();
    let words = match but.is_empty() {
        true => "Nothing is gone: every source has all that it ever had.".to_owned(),
        false => format!("Nothing is known to be gone. {}", but.join(" ")),
    };
    format!("{}\n", wrap("", &words, terminal::width()))
}

/// That this does not speak of what damage took of the archive. `None`: it took nothing.
fn lost_beside(lost: usize) -> Option<String> {
    let things = match lost {
        0 => return None,
        1 => "one thing that it had or knew, which is not told of here: `msgarchive history DIR` names it"
            .to_owned(),
        _ => format!(
            "{} things that it had or knew, which are not told of here: `msgarchive history DIR` names them",
            grouped(lost as u64)
        ),
    };
    Some(format!("Damage of the archive took {things}."))
}

/// `lost`: how much damage took of the archive, which is another thing.
pub fn in_words(gone: &[Gone], lost: usize, zone: Tz) -> String {
    let width = terminal::width();
    let day = |at: &Option<Instant>| {
        at.map_or("—".to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
    };
    let mut words = String::new();
    for message in gone {
        let title = message.conversation.as_ref().map_or("no conversation", |(_, title)| title);
        let (last, sent) = (message.gone_from.first(), day(&message.date));
        let since = day(&last.and_then(|lost| lost.since));
        let reason = last.map_or("", |lost| &*lost.reason);
        let reason = match (&message.replaced_by, DeletionReason::named(reason)) {
            (Some(_), _) => "Replaced by a later tapback".into(),
            (None, Some(DeletionReason::RecentlyDeleted)) if message.gone.is_some() => {
                format!("Deleted (gone from Recently Deleted {})", day(&message.gone))
            }
            _ => told(reason, last.is_some_and(|lost| lost.is_guessed)),
        };
        let reason = if message.part.is_some() { of_a_part(&reason) } else { reason };
        let line = format!("{since}  {reason}  (sent {sent}, {})", plain(title));
        let _ = writeln!(words, "{}", hanging(&line, width));
        if let Some(places) = places(message) {
            let _ = writeln!(words, "{}", wrap("    ", &places, width));
        }
        let text = match &message.text_before {
            Some(before) => format!("Before it was unsent: {}", said(Some(before))),
            None => said(message.text.as_deref()),
        };
        let _ = writeln!(words, "{}", wrap("    ", &text, width));
        let _ = writeln!(words, "    {}", plain(&message.guid));
    }
    let beside =
        lost_beside(lost).map_or_else(String::new, |beside| format!("\n{}\n", wrap("", &beside, width)));
    words + &in_all(gone, width) + &beside
}

/// How many there are, and of them for each reason: the most first.
fn in_all(gone: &[Gone], width: usize) -> String {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for message in gone {
        *reasons.entry(why_several(message)).or_default() += 1;
    }
    let mut reasons: Vec<(String, u64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, messages)| Reverse(*messages));
    let parts = gone.iter().filter(|message| message.part.is_some()).count();
    let of_messages = (gone.len() - parts) as u64;
    let counted = [
        (of_messages, count(of_messages, "message or tapback", "messages and tapbacks")),
        (parts as u64, count(parts as u64, "part of a message", "parts of messages")),
    ];
    let counted = counted.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words);
    let sum = format!("Gone from a source, and kept here: {}", counted.collect::<Vec<_>>().join(", "));
    let mut words = format!("\n{}\n", wrap("", &sum, width));
    let digits = reasons.first().map_or(0, |(_, most)| grouped(*most).len());
    for (why, messages) in &reasons {
        let first = format!("  {:>digits$} ", grouped(*messages));
        let _ = writeln!(words, "{}", wrap(&first, why, width));
    }
    words
}

/// Why it is gone, as it is said of several.
fn why_several(message: &Gone) -> String {
    let last = message.gone_from.first();
    let reason = last.map_or("", |lost| &*lost.reason);
    let is_guessed = last.is_some_and(|lost| lost.is_guessed);
    let why = match DeletionReason::named(reason) {
        _ if message.replaced_by.is_some() => "replaced by a later tapback",
        Some(DeletionReason::RecentlyDeleted) if message.gone.is_some() => {
            "deleted, and gone from Recently Deleted"
        }
        Some(DeletionReason::RecentlyDeleted) => "moved to Recently Deleted",
        Some(DeletionReason::Deleted) => "deleted",
        Some(DeletionReason::ConversationDeleted) => "deleted with their conversation",
        Some(DeletionReason::AgedOut) if is_guessed => "probably removed by Keep Messages",
        Some(DeletionReason::AgedOut) => "removed by Keep Messages",
        Some(DeletionReason::Unexplained) => "missing, and nothing says why",
        None => return plain(reason),
    };
    if message.part.is_some() { format!("{why}: only a part of a message") } else { why.to_owned() }
}

/// `in Recently Deleted of W; gone from X, Y; still in Z; when it was gone for good, still in V`, where there are several.
fn places(message: &Gone) -> Option<String> {
    if message.gone_from.len() + message.still_in.len() + message.was_in.len() < 2 {
        return None;
    }
    let list = |paths: Vec<&String>| paths.into_iter().map(|path| plain(path)).collect::<Vec<_>>().join(", ");
    let (there, gone): (Vec<&Lost>, Vec<&Lost>) =
        message.gone_from.iter().partition(|lost| lost.is_recoverable);
    let of = |lost: Vec<&Lost>| list(lost.into_iter().map(|lost| &lost.source).collect());
    let places = [
        ("in Recently Deleted of", of(there)),
        ("gone from", of(gone)),
        ("still in", list(message.still_in.iter().collect())),
        ("when it was gone for good, still in", list(message.was_in.iter().collect())),
    ];
    let places = places.iter().filter(|(_, paths)| !paths.is_empty());
    Some(places.map(|(what, paths)| format!("{what} {paths}")).collect::<Vec<_>>().join("; "))
}

pub fn as_json(gone: &[Gone], zone: Tz) -> String {
    let date = |at: &Option<Instant>| at.map(|at| at.with_timezone(&zone).to_rfc3339());
    let lost = |lost: &Lost| {
        let told = json!({
            "source": lost.source,
            "absent_since": date(&lost.since),
            "reason": lost.reason,
            "gone": date(&lost.gone),
        });
        or_guessed(told, lost.is_guessed)
    };
    let messages: Vec<Value> = gone
        .iter()
        .map(|message| {
            let last = message.gone_from.first();
            let told = json!({
                "guid": message.guid,
                "conversation": message.conversation.as_ref().map(|(id, _)| id),
                "title": message.conversation.as_ref().map(|(_, title)| title),
                "date": date(&message.date),
                "absent_since": last.map(|lost| date(&lost.since)),
                "reason": last.map(|lost| &lost.reason),
                "source": last.map(|lost| &lost.source),
                "gone": date(&message.gone),
                "part": message.part,
                "gone_from": message.gone_from.iter().map(lost).collect::<Vec<_>>(),
                "still_in": message.still_in,
                "was_in": message.was_in,
                "elsewhere": !message.still_in.is_empty() || !message.was_in.is_empty(),
                "replaced_by": message.replaced_by,
                "text": message.text,
                "text_before": message.text_before,
            });
            or_guessed(told, last.is_some_and(|lost| lost.is_guessed))
        })
        .collect();
    format!("{}\n", json!({ "schema": 1, "messages": messages }))
}
