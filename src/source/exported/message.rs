//! A line → a row that says what it means, with its tapbacks as rows.
//!
//! **Must never**: fail. What this version does not know is marked, and the rest is there.

use std::sync::Arc;

use super::attachment::{attachment, drawing};
use super::card;
use super::files::Files;
use super::line::{self, Line};
use super::people::People;
use crate::model::{
    Announcement, AnnouncementKind, Attachment, Call, Category, CategoryKind, Deleted, DeletionReason,
    Detected, Edit, Effect, Message, MessageKind, Otherwise, Part, PartContent, Reply, Scheduled, Sender,
    Style, StyleSpan, Tapback, TapbackKind, Translation, Unsent, Was,
};
use crate::source::dates::{instant, raw, raw_of};
use crate::source::{RawAttachment, RawMessage};

/// What of an export is needed to read a line.
pub struct Around<'e> {
    pub people: &'e People,
    pub files: &'e Files,
}

/// In words: a word of the export that is not in schema 1 as this version knows it.
pub fn unknown(what: &str, word: &str) -> String {
    format!("the export names a {what} that this version does not know: {word}")
}

impl Around<'_> {
    /// A row, with its tapbacks in [`RawMessage::associated`].
    pub fn row(&self, line: Line) -> RawMessage {
        let mut defects = Vec::new();
        let kind = MessageKind::named(&line.kind).unwrap_or_else(|| {
            defects.push(unknown("kind of message", &line.kind));
            MessageKind::default()
        });
        let sender = line.sender.as_ref().filter(|_| !line.from_me);
        let (mut rows, mut attachments) = (Vec::new(), Vec::new());
        for each in line.attachments {
            let (row, meaning) = attachment(each, self.files);
            rows.push(row);
            attachments.push(meaning);
        }
        if let Some(line) = &line.balloon
            && let Some(path) = card::drawing(line)
        {
            let (row, meaning) = drawing(path, line.app.as_deref(), self.files);
            rows.push(row);
            attachments.push(meaning);
        }
        let (mut associated, tapbacks) = self.tapbacks(line.tapbacks, line.guid.as_deref(), &mut defects);
        let deleted = line.deleted.map(|deleted| Deleted {
            date: deleted.date.as_deref().and_then(instant),
            reason: DeletionReason::named(&deleted.reason).unwrap_or_default(),
            guessed: deleted.guessed,
            last_seen: deleted.last_seen.as_deref().and_then(instant),
            gone: deleted.gone.as_deref().and_then(instant),
            part: deleted.part,
        });
        let mut row = RawMessage {
            guid: line.guid.clone(),
            subject: line.subject.clone(),
            service: line.service.clone(),
            handle_id: self.handle_of(sender),
            date: raw_of(line.date.as_deref()),
            date_read: raw_of(line.date_read.as_deref()),
            date_delivered: raw_of(line.date_delivered.as_deref()),
            is_from_me: line.from_me,
            error: line.error.unwrap_or(0),
            balloon_bundle_id: line.balloon.as_ref().and_then(|card| card.bundle_id.clone()),
            thread_originator_guid: line.reply_to.as_ref().map(|reply| reply.guid.clone()),
            thread_originator_part: line.reply_to.as_ref().map(|reply| format!("{}:0:0", reply.part)),
            deleted: deleted.filter(|deleted| !deleted.part).map(|deleted| deleted.date.map_or(0, raw)),
            deletion_reason: deleted.map(|deleted| deleted.reason).unwrap_or_default(),
            deletion_guessed: deleted.is_some_and(|deleted| deleted.guessed),
            last_seen: deleted.and_then(|deleted| deleted.last_seen).map(raw),
            deletion_gone: deleted.and_then(|deleted| deleted.gone).map(raw),
            attachments: rows,
            ..RawMessage::default()
        };
        match kind {
            MessageKind::Message => {}
            MessageKind::Announcement => {
                let word = line.announcement.as_ref().map_or("", |announcement| &announcement.r#type);
                (row.item_type, row.group_action_type) = announced(word);
                row.group_title = line.announcement.as_ref().and_then(|a| a.title.clone());
            }
            MessageKind::Tapback => {
                row.associated_message_type = tapbacks.first().map_or(2000, code);
                // The only row of its line.
                row.attachments = associated.drain(..).flat_map(|row| row.attachments).collect();
            }
            MessageKind::Vote => row.associated_message_type = 4000,
        }
        row.associated = associated;
        let balloon = line.balloon.map(|line| Box::new(card::card(line, &attachments, &mut defects)));
        let parts = parts(line.parts, &attachments, &mut defects);
        let alone = matches!(parts.as_slice(), [Part { content: PartContent::Text { .. }, .. }]);
        let message = Message {
            altered: line.altered.map(Into::into),
            was: line.was.iter().map(otherwise).collect(),
            damaged: line.damaged,
            guid: line.guid,
            date: line.date.as_deref().and_then(instant),
            service: line.service,
            from_me: line.from_me,
            sender: sender.map(person),
            kind,
            subject: line.subject,
            joined_text: line.text.filter(|_| !alone),
            parts,
            attachments,
            edits: line.edits.into_iter().map(edit).collect(),
            tapbacks,
            reply_to: line.reply_to.map(|r| Box::new(Reply { guid: r.guid, part: r.part, quote: None })),
            effect: line.effect.as_deref().map(Effect::named),
            announcement: line.announcement.map(|a| Box::new(announcement(a, &mut defects))),
            balloon,
            date_delivered: line.date_delivered.as_deref().and_then(instant),
            date_read: line.date_read.as_deref().and_then(instant),
            deleted,
            unsent: line.unsent.map(|unsent| Unsent::named(&unsent).unwrap_or(Unsent::Part)),
            scheduled: line.scheduled.map(|scheduled| Scheduled { state: scheduled.state }),
            error: line.error,
            translation: line.translation.map(|t| {
                let (language, source_language) = (t.language, t.source_language);
                Box::new(Translation { text: t.text, language, source_language })
            }),
            junk: line.junk,
            category: line.category.and_then(category),
            rowid: line.source.rowid,
            sources: Vec::new(),
            defects,
        };
        row.exported = Some(Box::new(message));
        row
    }

    /// Each as a row, and as what it means.
    fn tapbacks(
        &self,
        lines: Vec<line::Tapback>,
        on: Option<&str>,
        defects: &mut Vec<String>,
    ) -> (Vec<RawMessage>, Vec<Tapback>) {
        let mut rows = Vec::with_capacity(lines.len());
        let mut tapbacks = Vec::with_capacity(lines.len());
        for line in lines {
            let mut kind = TapbackKind::named(&line.r#type).unwrap_or_else(|| {
                defects.push(unknown("tapback", &line.r#type));
                TapbackKind::Emoji(String::new())
            });
            let picture = line.attachment.map(|line| attachment(line, self.files));
            let (attachments, picture): (Vec<RawAttachment>, Option<Attachment>) = match picture {
                Some((row, meaning)) => (vec![row], Some(meaning)),
                None => (Vec::new(), None),
            };
            match &mut kind {
                TapbackKind::Emoji(emoji) => *emoji = line.emoji.unwrap_or_default(),
                TapbackKind::Sticker(sticker) => *sticker = picture.map(Box::new),
                _ => {}
            }
            let sender = line.sender.as_ref().filter(|_| !line.from_me);
            let tapback = Tapback {
                guid: line.guid.clone(),
                part: line.part,
                from_me: line.from_me,
                sender: sender.map(person),
                date: line.date.as_deref().and_then(instant),
                removed: line.removed,
                kind,
            };
            rows.push(RawMessage {
                guid: line.guid,
                handle_id: self.handle_of(sender),
                date: raw_of(line.date.as_deref()),
                is_from_me: line.from_me,
                associated_message_type: code(&tapback),
                associated_message_guid: on.map(|guid| format!("p:{}/{guid}", line.part)),
                associated_message_emoji: tapback
                    .kind
                    .emoji()
                    .map(str::to_owned)
                    .filter(|_| is_emoji(&tapback)),
                attachments,
                ..RawMessage::default()
            });
            tapbacks.push(tapback);
        }
        (rows, tapbacks)
    }

    fn handle_of(&self, sender: Option<&line::Person>) -> i64 {
        sender.and_then(|sender| sender.handle.as_deref()).map_or(0, |address| self.people.row_of(address))
    }
}

fn otherwise(line: &line::Was) -> Otherwise {
    Otherwise { elsewhere: line.elsewhere, was: was(line) }
}

fn was(line: &line::Was) -> Was {
    let at = |date: &Option<String>| date.as_deref().and_then(instant);
    let kind = line.kind.as_deref().and_then(MessageKind::named);
    match (line, kind, at(&line.date_read), at(&line.date_delivered)) {
        (line, ..) if line.from_me => Was::FromMe,
        (line::Was { sender: Some(sender), .. }, ..) => Was::From(Some(person(sender))),
        (line::Was { path: Some(path), attachment, .. }, ..) => {
            Was::Attached { name: attachment.clone(), path: path.clone() }
        }
        (line::Was { text: Some(text), .. }, ..) => Was::Said(text.clone()),
        (line::Was { message: Some(text), .. }, ..) => Was::Answered(text.clone()),
        (_, Some(kind), ..) => Was::Kind(kind),
        (_, _, Some(read), _) => Was::Read(read),
        (_, _, _, Some(delivered)) => Was::Delivered(delivered),
        _ => Was::Dated(at(&line.date)),
    }
}

fn person(line: &line::Person) -> Arc<Sender> {
    Arc::new(Sender { handle: line.handle.clone(), name: line.name.clone() })
}

fn is_emoji(tapback: &Tapback) -> bool {
    matches!(tapback.kind, TapbackKind::Emoji(_))
}

/// `associated_message_type` (`messages-format.md` 6.1).
fn code(tapback: &Tapback) -> i64 {
    let code = match tapback.kind {
        TapbackKind::Loved => 2000,
        TapbackKind::Liked => 2001,
        TapbackKind::Disliked => 2002,
        TapbackKind::Laughed => 2003,
        TapbackKind::Emphasized => 2004,
        TapbackKind::Questioned => 2005,
        TapbackKind::Emoji(_) => 2006,
        TapbackKind::Sticker(_) => 2007,
    };
    if tapback.removed { code + 1000 } else { code }
}

/// `item_type` and `group_action_type` (`messages-format.md` 8), as far as a word tells.
fn announced(word: &str) -> (i64, i64) {
    use AnnouncementKind::*;
    match AnnouncementKind::named(word).unwrap_or(Unknown) {
        ParticipantAdded | NumberChanged => (1, 0),
        ParticipantRemoved => (1, 1),
        Renamed | NameRemoved => (2, 0),
        ParticipantLeft => (3, 0),
        PhotoChanged => (3, 1),
        PhotoRemoved => (3, 2),
        BackgroundChanged => (3, 4),
        BackgroundRemoved => (3, 6),
        LocationStarted | LocationStopped => (4, 0),
        AudioKept => (5, 0),
        SharePlay => (6, 0),
        Unknown => (-1, 0),
    }
}

fn parts(lines: Vec<line::Part>, attachments: &[Attachment], defects: &mut Vec<String>) -> Vec<Part> {
    let mut taken = vec![false; attachments.len()];
    let mut parts = Vec::with_capacity(lines.len());
    for line in lines {
        let content = match line.r#type.as_str() {
            "attachment" => {
                let free = |at: &usize| taken.get(*at) == Some(&false);
                let named = |at: &usize| attachments.get(*at).is_some_and(|a| a.guid == line.attachment);
                let place = (0..attachments.len()).filter(free).find(named);
                match place.or_else(|| (0..attachments.len()).find(named)) {
                    Some(at) => {
                        if let Some(taken) = taken.get_mut(at) {
                            *taken = true;
                        }
                        PartContent::Attachment(at)
                    }
                    None => {
                        defects.push("a part names an attachment that its line does not have".into());
                        continue;
                    }
                }
            }
            "balloon" => PartContent::Balloon,
            "unsent" => PartContent::Unsent { date: line.date.as_deref().and_then(instant) },
            other => {
                if other != "text" {
                    defects.push(unknown("kind of part", other));
                }
                let text = line.text.unwrap_or_default();
                let length = text.chars().count() as u32;
                let within = |style: &line::Style| style.start < style.end && style.end <= length;
                let styles = line.styles.into_iter().filter(within).filter_map(style).collect();
                PartContent::Text { text, styles }
            }
        };
        parts.push(Part { index: line.index, content });
    }
    parts
}

fn style(line: line::Style) -> Option<StyleSpan> {
    let mut style = Style::named(&line.style)?;
    match &mut style {
        Style::Link { target } | Style::Mention { target } => *target = line.target.unwrap_or_default(),
        Style::OneTimeCode { code } => *code = line.code,
        Style::Data(data) => *data = line.data.map(|line| Box::new(detected(line))),
        _ => {}
    }
    Some(StyleSpan { start: line.start, end: line.end, style })
}

fn detected(line: line::Detected) -> Detected {
    let parts = line.parts.into_iter().map(detected).collect();
    Detected { kind: line.kind, text: line.text, value: line.value, parts }
}

fn edit(line: line::Edit) -> Edit {
    Edit { part: line.part, date: line.date.as_deref().and_then(instant), text: line.text }
}

fn category(line: line::Category) -> Option<Category> {
    let detail = Category::DETAILS.into_iter().find(|detail| line.detail.as_deref() == Some(detail));
    Some(Category { kind: CategoryKind::named(&line.r#type)?, detail })
}

fn announcement(line: line::Announcement, defects: &mut Vec<String>) -> Announcement {
    let kind = AnnouncementKind::named(&line.r#type).unwrap_or_else(|| {
        defects.push(unknown("kind of announcement", &line.r#type));
        AnnouncementKind::Unknown
    });
    let call = line.call.and_then(|call| match call.as_str() {
        Some("audio") => Some(Call::Audio),
        Some("video") => Some(Call::Video),
        _ => call.as_i64().map(Call::Other),
    });
    let line::Announcement { handle, name, about_me, title, .. } = line;
    Announcement { kind, handle, name, about_me, title, call }
}
