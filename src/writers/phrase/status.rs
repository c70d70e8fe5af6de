//! What became of a message, in words.

use std::borrow::Cow;

use super::{Phrases, day_and_time, one_line};
use crate::model::{
    Deleted, DeletionReason, Effect, Instant, Message, Otherwise, PartContent, Scheduled, Sender,
    Translation, Unsent, Was,
};
use crate::writers::clock::{Clock, Local};

/// `Sent with Slam`.
pub fn effect(effect: &Effect) -> String {
    format!("Sent with {}", effect_name(effect))
}

/// `Slam`: as Messages calls it.
pub fn effect_name(effect: &Effect) -> Cow<'_, str> {
    let name = match effect {
        Effect::Slam => "Slam",
        Effect::Loud => "Loud",
        Effect::Gentle => "Gentle",
        Effect::InvisibleInk => "Invisible Ink",
        Effect::Echo => "Echo",
        Effect::Spotlight => "Spotlight",
        Effect::Balloons => "Balloons",
        Effect::Confetti => "Confetti",
        Effect::Love => "Heart",
        Effect::Lasers => "Lasers",
        Effect::Fireworks => "Fireworks",
        Effect::ShootingStar => "Shooting Star",
        Effect::Celebration => "Celebration",
        Effect::Other(id) => return one_line(id.rsplit('.').next().unwrap_or(id)),
    };
    name.into()
}

/// `Not delivered: network failure (error 6)`. The names are the daemon's (`messages-format.md` 13.7).
pub fn error(code: i64) -> String {
    let what = match code {
        2 => "cancelled",
        3 => "timed out",
        4 => "sending failed",
        5 => "internal failure",
        6 => "network failure",
        7..=11 => "no connection",
        12..=20 => "refused by the server",
        21 => "recipient invalid",
        22 => "recipient not registered with iMessage",
        23 => "recipient incompatible",
        24 => "rejected by the recipient",
        25 => "conversion failed",
        26 | 28 => "encryption failed",
        27 | 29 => "decryption failed",
        30..=33 => "account disabled, missing or out of date",
        34 | 36 => "attachment could not be uploaded",
        35 | 37 => "attachment could not be downloaded",
        38 => "system needs an update",
        39 => "service crashed",
        40 => "invalid credentials",
        41 => "attachment not found",
        _ => return format!("Not delivered (error {code})"),
    };
    format!("Not delivered: {what} (error {code})")
}

/// `Delivered 13:30:06, read 2 May 2024, 08:00:01`: when a message arrived and was opened, as far as that is known.
pub fn receipts(message: &Message, at: Option<&Local>, clock: &mut Clock) -> Option<String> {
    let mut when = |date| day_and_time(&clock.local(date), at);
    match (message.date_delivered.map(&mut when), message.date_read.map(&mut when)) {
        (Some(delivered), Some(read)) => Some(format!("Delivered {delivered}, read {read}")),
        (Some(delivered), None) => Some(format!("Delivered {delivered}")),
        (None, Some(read)) => Some(format!("Read {read}")),
        (None, None) => None,
    }
}

/// `Scheduled, not sent yet` (`messages-format.md` 13.5).
pub fn scheduled(scheduled: Scheduled) -> String {
    match scheduled.state {
        1 | 2 => "Scheduled, not sent yet".into(),
        state => format!("Scheduled (state {state})"),
    }
}

/// `Marked as junk`.
pub fn junk() -> &'static str {
    "Marked as junk"
}

/// `Moved to Recently Deleted on 3 May 2024, 10:00:00`; `Deleted: last seen 2 May 2024, 02:30:00; not there on 3 May 2024,
/// 02:30:00`: of what was only noticed, between which two looks it went.
/// Where it is not in Recently Deleted any more, `Moved to Recently Deleted on …; gone from there since …`. Where the rest of it
/// was not deleted, `A part of it was moved to Recently Deleted on …`.
pub fn deleted(deleted: Deleted, clock: &mut Clock) -> String {
    let what = match deleted.part {
        true => "A part of it was moved to Recently Deleted",
        false => reason_of_absence(deleted.reason, deleted.guessed),
    };
    let mut when = |date| day_and_time(&clock.local(date), None);
    let Some(date) = deleted.date.map(&mut when) else { return what.into() };
    match (deleted.reason, deleted.last_seen.map(&mut when)) {
        (DeletionReason::RecentlyDeleted, _) => match deleted.gone.map(&mut when) {
            Some(gone) => format!("{what} on {date}; gone from there since {gone}"),
            None => format!("{what} on {date}"),
        },
        (_, Some(seen)) => format!("{what}: last seen {seen}; not there on {date}"),
        (_, None) => format!("{what}: not there on {date}"),
    }
}

/// `Deleted with its conversation`; of a guess, `Probably removed by Keep Messages`.
pub fn reason_of_absence(reason: DeletionReason, is_guessed: bool) -> &'static str {
    match reason {
        DeletionReason::AgedOut if is_guessed => "Probably removed by Keep Messages",
        DeletionReason::RecentlyDeleted => "Moved to Recently Deleted",
        DeletionReason::Deleted => "Deleted",
        DeletionReason::ConversationDeleted => "Deleted with its conversation",
        DeletionReason::AgedOut => "Removed by Keep Messages",
        DeletionReason::Unexplained => "Missing, and nothing says why",
    }
}

/// `Translation (fr_FR to en_US): …`.
pub fn translation(translation: &Translation) -> String {
    let text = one_line(&translation.text);
    let language = |l: &Option<String>| l.as_deref().map(|l| one_line(l).into_owned());
    match (language(&translation.source_language), language(&translation.language)) {
        (Some(from), Some(to)) => format!("Translation ({from} to {to}): {text}"),
        (None, Some(one)) | (Some(one), None) => format!("Translation ({one}): {text}"),
        (None, None) => format!("Translation: {text}"),
    }
}

/// `Ana Abbott unsent this message (13:31:00)`; `part` says whether only a part of it is meant.
pub fn unsent(
    phrases: &Phrases,
    message: &Message,
    what: Unsent,
    at: Option<&Local>,
    sent: Option<&Local>,
) -> String {
    let who = phrases.subject(message);
    let what = match what {
        Unsent::All => "this message",
        Unsent::Part => "part of this message",
    };
    match at {
        Some(at) => format!("{who} unsent {what} ({})", day_and_time(at, sent)),
        None => format!("{who} unsent {what}"),
    }
}

/// `It said something else before, and Messages notes no edit: “lok”`.
fn altered(text: &str) -> String {
    format!("It said something else before, and Messages notes no edit: “{}”", one_line(text))
}

/// `It was from Ana Abbott before, and Messages notes no such change`; `Another source has it from Ana Abbott`.
pub fn otherwise(Otherwise { elsewhere, was }: &Otherwise, clock: &mut Clock) -> String {
    let mut at = |date: &Instant| day_and_time(&clock.local(*date), None);
    let was_so = !matches!(was, Was::Kind(_) | Was::Attached { .. } | Was::Said(_));
    let was = match was {
        Was::FromMe => "from the owner of these messages".to_owned(),
        Was::From(sender) => {
            let label = sender.as_deref().map_or("somebody unknown", Sender::label);
            format!("from {}", one_line(label))
        }
        Was::Dated(Some(date)) => format!("dated {}", at(date)),
        Was::Dated(None) => "without a date".to_owned(),
        Was::Read(date) => format!("read {}", at(date)),
        Was::Delivered(date) => format!("delivered {}", at(date)),
        Was::Kind(kind) => format!("as a {}", kind.name()),
        Was::Attached { name, path } => {
            let name = name.as_deref().map_or("without a name".into(), one_line);
            format!("with other bytes for the attachment {name} ({} in the archive)", one_line(path))
        }
        Was::Said(text) => format!("with other words, and Messages notes no edit: “{}”", one_line(text)),
        Was::Answered(text) => {
            return format!(
                "What answers it now was a message of its own before, and Messages notes no such change: “{}”",
                one_line(text)
            );
        }
    };
    match (elsewhere, was_so) {
        (true, _) => format!("Another source has or had it {was}"),
        (false, true) => format!("It was {was} before, and Messages notes no such change"),
        (false, false) => format!("It was there {was} before, and Messages notes no such change"),
    }
}

/// Every earlier version, oldest first: `Edited 13:32:10, before: “lok”`. `sent` is when the message was.
pub fn edits(message: &Message, sent: Option<&Local>, clock: &mut Clock) -> Vec<String> {
    let mut lines = Vec::new();
    for (i, edit) in message.edits.iter().enumerate() {
        let text = one_line(&edit.text);
        let next = message.edits.iter().skip(i + 1).find(|next| next.part == edit.part);
        let was_unsent = || {
            let gone = |p: &&crate::model::Part| {
                p.index == edit.part && matches!(p.content, PartContent::Unsent { .. })
            };
            message.parts.iter().any(|p| gone(&p))
        };
        if let Some(next) = next {
            match next.date {
                Some(date) => {
                    let at = day_and_time(&clock.local(date), sent);
                    lines.push(format!("Edited {at}, before: “{text}”"));
                }
                None => lines.push(format!("Edited, before: “{text}”")),
            }
        } else if was_unsent() {
            lines.push(format!("Before it was unsent: “{text}”"));
        }
    }
    lines
}

/// All there is to say below a message but for its edits and tapbacks.
pub fn statuses(message: &Message, clock: &mut Clock) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(message.effect.as_ref().map(effect));
    lines.extend(message.translation.as_deref().map(translation));
    lines.extend(message.scheduled.map(scheduled));
    lines.extend(message.error.map(error));
    lines.extend(message.junk.then(|| junk().to_owned()));
    lines.extend(message.deleted.map(|d| deleted(d, clock)));
    lines.extend(message.altered.iter().flatten().map(|text| altered(text)));
    lines.extend(message.was.iter().map(|was| otherwise(was, clock)));
    lines.extend(message.damaged.iter().map(|what| one_line(what).into_owned()));
    lines
}
