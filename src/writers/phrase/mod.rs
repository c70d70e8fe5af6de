//! The words all formats share: what a person reads is phrased once, here.
//!
//! Phrases are plain text without a format's escapes. Text of strangers inside them (names, titles, quotes) goes
//! through [`one_line`], so a phrase is always one line and holds nothing that a terminal would obey.
//!
//! **Must never**: know a format, or leave out what it has no words for.

mod card;
mod file;
mod line;
mod lost;
mod origin;
mod status;
mod time;
mod visible;
mod zone;

pub use card::{CardLine, balloon_label};
pub use file::{attachment, availability, file_facts, file_kind, length, size};
pub use lost::{lost_of, lost_of_all, what_is_lost};
pub use origin::{
    ABSENT, ACCOUNT_ELSEWHERE, CONTENTS, COVER, GONE, HELD, HOLDS, HOLDS_OF_IT, INDEX, ITS_ACCOUNT, KEPT_UP,
    THEIR_ACCOUNT, account, all_of, as_of, attachment_mode, continued, continues, digest, fed, gone_why,
    grouped, index_caption, keep_messages, kept_for, latest_record, moment, offset, part, period,
    period_and_count, runs, selection, source_kind,
};
pub use status::{
    deleted, edits, effect, effect_name, error, junk, otherwise, reason_of_absence, receipts, scheduled,
    statuses, translation, unsent,
};
pub use time::{
    day_and_time, day_heading, days, exact_time, month_name, short_date, time, time_with_seconds,
};
pub use visible::{one_line, visible, visible_lines};
pub use zone::zone_rules;

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use super::clock::{Clock, Local};
use crate::model::{
    Announcement, AnnouncementKind, Balloon, Call, Conversation, ConversationKind, Message, MessageKind,
    Participant, Quote, Reply, Sender, Tapback, TapbackKind,
};

/// What of a text is quoted in a reply, in characters.
const LONGEST_QUOTE: usize = 60;

/// The phrases in which the owner takes part.
#[derive(Debug, Clone)]
pub struct Phrases {
    me: String,
    /// The owner as the subject of a sentence, and as its object.
    i: String,
    to_me: String,
}

impl Phrases {
    /// `me` is how the owner is named; with the default name, sentences say "You".
    pub fn new(me: &str) -> Phrases {
        let me = one_line(me);
        match me.as_ref() {
            "Me" | "" => Phrases { me: "Me".into(), i: "You".into(), to_me: "you".into() },
            name => Phrases { me: name.into(), i: name.into(), to_me: name.into() },
        }
    }

    /// The owner's name, for labels.
    pub fn me(&self) -> &str {
        &self.me
    }

    /// Who wrote a message, for a label. Hostile text.
    pub fn sender<'a>(&'a self, message: &'a Message) -> &'a str {
        self.label(message.from_me, message.sender.as_deref())
    }

    /// Who wrote what a reply quotes, for a label. Hostile text.
    pub fn quoted<'a>(&'a self, quote: &'a Quote) -> &'a str {
        self.label(quote.from_me, quote.sender.as_deref())
    }

    fn label<'a>(&'a self, from_me: bool, sender: Option<&'a Sender>) -> &'a str {
        match sender {
            _ if from_me => &self.me,
            Some(sender) => sender.label(),
            None => "Unknown",
        }
    }

    /// The actor of a sentence.
    fn subject(&self, message: &Message) -> String {
        match (message.from_me, &message.sender) {
            (true, _) => self.i.clone(),
            (false, Some(sender)) => one_line(sender.label()).into_owned(),
            (false, None) => "Somebody".into(),
        }
    }

    /// A row that is no bubble, as a sentence: an announcement, or a tapback or vote whose message is not here.
    /// `None` for an ordinary message.
    pub fn event(&self, message: &Message) -> Option<String> {
        match message.kind {
            MessageKind::Message => message.announcement.as_ref().map(|a| self.announcement(message, a)),
            MessageKind::Announcement => Some(match &message.announcement {
                Some(announcement) => self.announcement(message, announcement),
                None => format!("{} did something that this version does not know.", self.subject(message)),
            }),
            MessageKind::Tapback => Some(match message.tapbacks.first() {
                Some(tapback) => self.lone_tapback(tapback),
                None => format!("{} reacted to a message that is not here.", self.subject(message)),
            }),
            MessageKind::Vote => {
                let back = |card: &Balloon| card.facts().any(|(name, _)| name == "taken_back_by");
                let taken_back = message.balloon.as_deref().is_some_and(back);
                let did = if taken_back { "took back a vote" } else { "voted" };
                Some(format!("{} {did} in a poll that is not here.", self.subject(message)))
            }
        }
    }

    /// `Reply to Ana Abbott, 13:28:10: “Where are you?”`. `sent` is when the reply was.
    pub fn reply(&self, reply: &Reply, sent: Option<&Local>, clock: &mut Clock) -> String {
        let Some(quote) = &reply.quote else {
            return "Reply to a message that is not here".into();
        };
        let mut line = format!("Reply to {}", one_line(self.quoted(quote)));
        if let Some(date) = quote.date {
            line.push_str(", ");
            line.push_str(&day_and_time(&clock.local(date), sent));
        }
        if let Some(text) = quote.text.as_deref() {
            line.push_str(": “");
            line.push_str(&shortened(&one_line(text), LONGEST_QUOTE));
            line.push('”');
        }
        line
    }

    fn announcement(&self, message: &Message, announcement: &Announcement) -> String {
        use AnnouncementKind::*;
        let who = self.subject(message);
        let second = if announcement.about_me {
            Some(self.to_me.clone())
        } else {
            let name = announcement.name.as_deref().or(announcement.handle.as_deref());
            name.map(|n| one_line(n).into_owned())
        };
        let whom = second.as_deref().unwrap_or("somebody");
        let with = second.as_deref().map(|s| format!(" with {s}")).unwrap_or_default();
        let title = announcement.title.as_deref().map(one_line).unwrap_or_default();
        match announcement.kind {
            ParticipantAdded => format!("{who} added {whom} to the conversation."),
            ParticipantRemoved => format!("{who} removed {whom} from the conversation."),
            ParticipantLeft => format!("{who} left the conversation."),
            Renamed => format!("{who} named the conversation “{title}”."),
            NameRemoved => format!("{who} removed the name of the conversation."),
            PhotoChanged => format!("{who} changed the group photo."),
            PhotoRemoved => format!("{who} removed the group photo."),
            BackgroundChanged => format!("{who} changed the background."),
            BackgroundRemoved => format!("{who} removed the background."),
            // Their name is known, and the same as before.
            NumberChanged => match announcement.handle.as_deref().map(one_line) {
                Some(number) => format!("{who} changed to a new number: {number}."),
                None => format!("{who} changed to a new number."),
            },
            LocationStarted => format!("{who} started sharing location{with}."),
            LocationStopped => format!("{who} stopped sharing location{with}."),
            AudioKept => match second {
                Some(whose) => format!("{who} kept an audio message from {whose}."),
                None => format!("{who} kept an audio message."),
            },
            SharePlay => match announcement.call {
                Some(Call::Audio) => format!("{who} used SharePlay or FaceTime (audio)."),
                Some(Call::Video) => format!("{who} used SharePlay or FaceTime (video)."),
                Some(Call::Other(_)) | None => format!("{who} used SharePlay."),
            },
            Unknown => format!("{who} did something that this version does not know."),
        }
    }

    fn lone_tapback(&self, tapback: &Tapback) -> String {
        let who = match (tapback.from_me, &tapback.sender) {
            (true, _) => self.i.clone(),
            (false, Some(sender)) => one_line(sender.label()).into_owned(),
            (false, None) => "Somebody".into(),
        };
        let what = match &tapback.kind {
            TapbackKind::Loved => "loved ❤️",
            TapbackKind::Liked => "liked 👍",
            TapbackKind::Disliked => "disliked 👎",
            TapbackKind::Laughed => "laughed at 😂",
            TapbackKind::Emphasized => "emphasized ‼️",
            TapbackKind::Questioned => "questioned ❓",
            TapbackKind::Emoji(emoji) if emoji.is_empty() => "reacted with an emoji to",
            TapbackKind::Emoji(emoji) => &format!("reacted with {} to", one_line(emoji)),
            TapbackKind::Sticker(_) => "put a sticker on",
        };
        let back = if tapback.removed { ", and took it back" } else { "" };
        format!("{who} {what} a message that is not here{back}.")
    }

    /// The tapbacks on one part (or, for `None`, on all), one line for each sort: `❤️ Loved by Ana Abbott, you`.
    pub fn tapbacks(&self, tapbacks: &[Tapback], part: Option<u32>) -> Vec<String> {
        let mut lines: Vec<(&Tapback, String)> = Vec::new();
        for tapback in tapbacks.iter().filter(|t| part.is_none_or(|p| t.part == p)) {
            let who = match (tapback.from_me, &tapback.sender) {
                (true, _) => self.to_me.as_str().into(),
                (false, Some(sender)) => one_line(sender.label()),
                (false, None) => "somebody".into(),
            };
            let group = lines.iter_mut().find(|(first, _)| {
                first.kind == tapback.kind
                    && first.removed == tapback.removed
                    && !matches!(first.kind, TapbackKind::Sticker(_))
            });
            match group {
                Some((_, line)) => {
                    line.push_str(", ");
                    line.push_str(&who);
                }
                None => {
                    let mut line = tapback_label(&tapback.kind);
                    line.push_str(&who);
                    lines.push((tapback, line));
                }
            }
        }
        let finish = |(first, mut line): (&Tapback, String)| {
            if first.removed {
                line.push_str(" (taken back)");
            }
            if let TapbackKind::Sticker(Some(picture)) = &first.kind {
                if let Some(facts) = file::sticker(picture) {
                    line.push_str(&format!(" ({facts})"));
                }
                line.push_str(": ");
                line.push_str(&file::named(picture, file_kind(picture)));
            }
            line
        };
        lines.into_iter().map(finish).collect()
    }
}

/// What a line of tapbacks begins with.
fn tapback_label(kind: &TapbackKind) -> String {
    match kind {
        TapbackKind::Loved => "❤️ Loved by ".into(),
        TapbackKind::Liked => "👍 Liked by ".into(),
        TapbackKind::Disliked => "👎 Disliked by ".into(),
        TapbackKind::Laughed => "😂 Laughed at by ".into(),
        TapbackKind::Emphasized => "‼️ Emphasized by ".into(),
        TapbackKind::Questioned => "❓ Questioned by ".into(),
        TapbackKind::Emoji(emoji) if emoji.is_empty() => "Emoji by ".into(),
        TapbackKind::Emoji(emoji) => format!("{} by ", one_line(emoji)),
        TapbackKind::Sticker(_) => "Sticker by ".into(),
    }
}

/// At most `limit` characters as people see them, with an ellipsis where something was cut.
pub fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.grapheme_indices(true).nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()).into(),
        None => text.into(),
    }
}

/// A service as people call it. Hostile text.
pub fn service(stored: &str) -> Cow<'_, str> {
    match stored {
        "iMessageLite" => "iMessage via satellite".into(),
        "SatelliteSMS" => "SMS via satellite".into(),
        other => one_line(other),
    }
}

/// `group`, `direct` or `orphaned`, as a person would say it.
pub fn conversation_kind(conversation: &Conversation) -> &'static str {
    match conversation.kind {
        ConversationKind::Direct => "Conversation",
        ConversationKind::Group => "Group conversation",
        ConversationKind::Orphaned => "Messages that belong to no conversation",
    }
}

/// `Ana Abbott (+12025550143, ana@example.com)`; just the handles where there is no name.
pub fn participant(participant: &Participant) -> String {
    let handles = participant.handles.join(", ");
    let text = match &participant.name {
        Some(name) if handles.is_empty() => name.clone(),
        Some(name) => format!("{name} ({handles})"),
        None if handles.is_empty() => "Unknown".into(),
        None => handles,
    };
    one_line(&text).into_owned()
}

/// `1 message`, `1,200 messages`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
