//! One raw row → one message.
//!
//! **Must never**: fail, or drop anything: what cannot be understood is kept as it is and marked with a defect.

use std::sync::Arc;

use super::decode::body;
use super::decode::date::instant;
use super::decode::sticker;
use super::decode::summary::{self, Summary};
use super::roster::Roster;
use super::{altered, announcement, exported, parts, stored_payload, tapbacks};
use crate::model::{
    Attachment, Availability, Category, CategoryKind, Deleted, Edit, Effect, Message, MessageKind, Part,
    PartContent, Quote, Reply, Scheduled, Sender, Sticker, StickerKind,
};
use crate::source::{Content, RawAttachment, RawMessage};

/// The longest quote of a message replied to, in characters.
const QUOTE_CHARS: usize = 200;

/// A message, and the bytes of its attachments where they are here: `contents[i]` belongs to
/// `message.attachments[i]`, and `tapback_contents[i]` to the sticker of `message.tapbacks[i]`.
#[derive(Debug, Default)]
pub struct Normalized {
    pub message: Message,
    pub contents: Vec<Option<Content>>,
    /// `motions[i]` is the film of the Live Photo `message.attachments[i]`.
    pub motions: Vec<Option<Content>>,
    pub tapback_contents: Vec<Option<Content>>,
}

impl Normalized {
    /// Adds an attachment, and what is here of it.
    pub fn attach(&mut self, row: &RawAttachment, attachment: Attachment) {
        let is_here = attachment.availability == Availability::Local;
        if is_here && row.incomplete {
            let name = attachment.name.as_deref().unwrap_or("without a name");
            self.message.defects.push(format!("the source does not have all of the attachment {name}"));
        }
        self.contents.push(row.content.clone().filter(|_| is_here));
        self.motions.push(row.companion.clone());
        self.message.attachments.push(attachment);
    }
}

/// What a row is: `messages-format.md` 17.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// A message or announcement of its own.
    Own,
    Tapback,
    Vote,
    /// A later state of an app's message.
    Update,
}

/// Whether a row of this `associated_message_type` is a tapback, or takes one back.
pub fn is_tapback(associated_message_type: i64) -> bool {
    matches!(associated_message_type, 1000 | 1001 | 2000..=2007 | 3000..=3007)
}

/// Which kind a row is.
pub fn row_kind(raw: &RawMessage) -> RowKind {
    match raw.associated_message_type {
        kind if is_tapback(kind) => RowKind::Tapback,
        4000 => RowKind::Vote,
        // Whatever else says 2 has something of its own to show.
        2 if raw.item_type == 0 && raw.associated_message_guid.is_some() && is_balloon(raw) => {
            RowKind::Update
        }
        // A poll that points at another one (`messages-format.md` 10.1).
        0 | 3 if raw.item_type == 0 && raw.target.is_some() && is_balloon(raw) => RowKind::Update,
        _ => RowKind::Own,
    }
}

fn is_balloon(raw: &RawMessage) -> bool {
    raw.balloon_bundle_id.as_deref().is_some_and(|id| !id.is_empty())
}

/// How an export shows a row.
#[derive(Debug)]
pub enum Shown {
    AsMessage(Box<Message>),
    /// With the message of this row id, at which it points.
    With(i64),
}

/// How an export shows a row that is complete, whatever is selected. `junk_chat`: its chat is filed as junk.
pub fn shown(mut raw: RawMessage, roster: &Roster, junk_chat: bool) -> Shown {
    match raw.target {
        Some(target) if row_kind(&raw) != RowKind::Own => Shown::With(target.rowid),
        _ => {
            stored_payload::fetch(&mut raw);
            Shown::AsMessage(Box::new(normalize(raw, roster, junk_chat).message))
        }
    }
}

/// Turns a row into a message. `junk_chat`: its chat is filed as junk.
pub fn normalize(mut raw: RawMessage, roster: &Roster, junk_chat: bool) -> Normalized {
    if let Some(told) = raw.exported.take() {
        return exported::message(raw, *told, roster);
    }
    let mut out = Normalized::default();
    let message = &mut out.message;
    message.rowid = raw.rowid;
    message.sources.clone_from(&raw.sources);
    message.date = instant(raw.date);
    message.date_read = instant(raw.date_read);
    message.date_delivered = instant(raw.date_delivered);
    message.from_me = raw.is_from_me;
    message.junk = junk_chat || raw.is_spam || raw.filter_action == FILTERED_AS_JUNK;
    message.category = category(raw.filter_action, raw.filter_sub_action);
    message.error = (raw.error != 0).then_some(raw.error);
    message.scheduled = (raw.schedule_type != 0).then_some(Scheduled { state: raw.schedule_state });
    message.deleted = raw.deleted.map(|date| Deleted {
        date: instant(date),
        reason: raw.deletion_reason,
        guessed: raw.deletion_guessed,
        last_seen: raw.last_seen.and_then(instant),
        gone: raw.deletion_gone.and_then(instant),
        part: false,
    });
    message.effect = effect(raw.expressive_send_style_id.as_deref());
    message.damaged.extend(damaged(&raw));

    let summary = summary_of(&raw);
    let mut body = body::body(raw.attributed_body.as_deref(), raw.text.as_deref());
    message.defects.extend(summary.defects.iter().cloned());
    message.defects.extend(body.defects.iter().cloned());

    if row_kind(&raw) == RowKind::Tapback {
        message.kind = MessageKind::Tapback;
    } else if row_kind(&raw) == RowKind::Vote {
        message.kind = MessageKind::Vote;
    } else if raw.item_type != 0 {
        message.kind = MessageKind::Announcement;
        let (announcement, from_me) = announcement::announcement(&raw, roster);
        message.announcement = Some(Box::new(announcement));
        message.from_me = from_me;
    }
    message.sender = sender(message.from_me, raw.handle_id, roster);

    parts::attach(&raw, &body, &mut out);
    parts::assemble(&raw, &mut body, &summary, roster, &mut out);
    parts::restore_deleted_parts(&raw, &summary, &mut out.message);
    parts::unsend(&raw, &summary, &mut out.message);
    out.message.edits = edits(summary.edits);
    parts::restore_earlier(&raw, &summary.unsent, &mut out.message);
    out.message.translation = summary.translation.map(Box::new);
    out.message.joined_text = parts::joined_text(&out.message, &raw);

    let on = |part: i64| parts::part_named(&out.message.parts, part);
    let (tapbacks, contents) = if out.message.kind == MessageKind::Tapback {
        tapbacks::alone(&raw, roster)
    } else {
        tapbacks::fold(&raw.associated, roster, on)
    };
    out.message.tapbacks = tapbacks;
    out.tapback_contents = contents;
    if out.message.kind == MessageKind::Tapback {
        // The sentence in the row's body ("Loved “…”") is for systems that know no tapbacks.
        out.message.joined_text = None;
        out.message.parts.clear();
        out.message.attachments.clear();
        out.contents.clear();
        out.motions.clear();
    }

    out.message.reply_to = reply(&raw, roster).map(Box::new);
    altered::note(&raw, roster, &mut out.message);
    out.message.guid = raw.guid;
    out.message.subject = raw.subject.filter(|s| !s.is_empty());
    out.message.service = raw.service;
    out
}

/// What is not as it was archived, of a row and of those that hang on it.
fn damaged(raw: &RawMessage) -> Option<String> {
    let what = match raw.damaged {
        true => {
            "This message is damaged in the archive. It is shown as it lies there, not as it was archived"
        }
        false if raw.otherwise_then => {
            "This message was otherwise at that time: what it was then is lost by damage of the archive. It is shown as it was at \
             another time"
        }
        false if raw.last_is_lost => {
            "What this message said last is lost by damage of the archive. It is shown as it was before that"
        }
        false if raw.associated.iter().any(|row| row.otherwise_then) => {
            "A tapback or another answer to this message was otherwise at that time: what it was then is lost by damage of the \
             archive. It is shown as it was at another time"
        }
        false if raw.associated.iter().any(|row| row.damaged) => {
            "A tapback or another answer to this message is damaged in the archive. It is shown as it lies there, not as it was \
             archived"
        }
        false if raw.associated.iter().any(|row| row.last_is_lost) => {
            "What a tapback or another answer to this message said last is lost by damage of the archive. It is shown as it was \
             before that"
        }
        false => return None,
    };
    Some(what.into())
}

/// `message.filter_action` of macOS 27 (`messages-format.md` 12.7).
pub const FILTERED_AS_JUNK: i64 = 2;

/// `message.filter_action` and `filter_sub_action` of macOS 27 (`messages-format.md` 12.7).
fn category(action: i64, sub_action: i64) -> Option<Category> {
    let kind = match action {
        3 => CategoryKind::Promotion,
        4 => CategoryKind::Transaction,
        _ => return None,
    };
    let detail = match sub_action {
        10_001 => Some("finance"),
        10_002 => Some("orders"),
        10_003 => Some("reminders"),
        10_004 => Some("health"),
        10_005 => Some("weather"),
        10_006 => Some("carrier"),
        10_007 => Some("rewards"),
        10_008 => Some("public_services"),
        20_001 => Some("offers"),
        20_002 => Some("coupons"),
        _ => None,
    };
    Some(Category { kind, detail })
}

/// Who sent a row; `None` for the owner.
pub fn sender(from_me: bool, handle_id: i64, roster: &Roster) -> Option<Arc<Sender>> {
    if from_me {
        return None;
    }
    Some(roster.sender(handle_id).cloned().unwrap_or_else(|| Arc::new(Sender { handle: None, name: None })))
}

/// What a row's summary says of its edits and parts.
pub(super) fn summary_of(raw: &RawMessage) -> Summary {
    let mut summary = match &raw.message_summary_info {
        Some(blob) if raw.date_edited != 0 || mentions_more_than_ranges(blob) => summary::summary(blob),
        _ => Summary::default(),
    };
    let nothing_is_left = || {
        raw.attachments.is_empty()
            && raw.text.as_ref().is_none_or(|text| text.is_empty())
            && raw.attributed_body.as_ref().is_none_or(|body| body.is_empty())
    };
    // The date alone tells of no part (`messages-format.md` 5.2): where there is no part left, it tells of all.
    if raw.date_retracted != 0 && summary.unsent.is_empty() && nothing_is_left() {
        summary.unsent = vec![0];
    }
    summary
}

/// A quick look whether a summary says more than the parts' ranges. Most do not, and parsing them all would cost
/// more than reading the rows. Keys are ASCII strings in a binary plist: `0x50 + length`, then the letters.
pub fn mentions_more_than_ranges(blob: &[u8]) -> bool {
    let mut rest = blob;
    while let [_, after @ ..] = rest {
        if matches!(
            rest,
            [0x52, b'e', b'c' | b'p', ..] | [0x52, b'r', b'p', ..] | [0x53, b't', b'm', b'p', ..]
        ) {
            return true;
        }
        rest = after;
    }
    false
}

/// How much its summary says that the sender did with a message: how many versions of its parts there are, and how many parts
/// were taken back. `date_edited` can be 0 of one that was edited (`messages-format.md` 5.2).
pub fn changes_noted(summary: &[u8]) -> usize {
    if !mentions_more_than_ranges(summary) {
        return 0;
    }
    let Summary { edits, unsent, .. } = summary::summary(summary);
    edits.values().map(Vec::len).sum::<usize>() + unsent.len()
}

/// The effect of an `expressive_send_style_id` (`messages-format.md` 9).
pub fn effect(id: Option<&str>) -> Option<Effect> {
    let id = id.filter(|id| !id.is_empty())?;
    Some(match id.rsplit('.').next().unwrap_or(id) {
        "impact" => Effect::Slam,
        "loud" => Effect::Loud,
        "gentle" => Effect::Gentle,
        "invisibleink" => Effect::InvisibleInk,
        "CKEchoEffect" => Effect::Echo,
        "CKSpotlightEffect" => Effect::Spotlight,
        "CKHappyBirthdayEffect" => Effect::Balloons,
        "CKConfettiEffect" => Effect::Confetti,
        "CKHeartEffect" => Effect::Love,
        "CKLasersEffect" => Effect::Lasers,
        "CKFireworksEffect" => Effect::Fireworks,
        "CKShootingStarEffect" => Effect::ShootingStar,
        "CKSparklesEffect" => Effect::Celebration,
        _ => Effect::Other(id.to_owned()),
    })
}

/// Turns an attachment row into an attachment: `messages-format.md` 11.1, 11.6.
pub fn attachment(raw: &RawAttachment, message: &RawMessage) -> Attachment {
    let is_local = is_local(raw);
    let not_empty = |s: &Option<String>| s.clone().filter(|s| !s.is_empty());
    Attachment {
        guid: raw.guid.clone(),
        name: name_of(raw).map(str::to_owned),
        mime: not_empty(&raw.mime_type),
        uti: not_empty(&raw.uti),
        bytes: raw.content.as_ref().filter(|_| is_local).and_then(Content::bytes).or(u64::try_from(
            raw.total_bytes,
        )
        .ok()
        .filter(|b| *b > 0)),
        availability: availability(raw, message.is_expirable && message.expire_state != 0),
        sticker: raw.is_sticker,
        sticker_facts: sticker_facts(raw),
        description: not_empty(&raw.emoji_image_short_description)
            .or_else(|| raw.attribution_info.as_deref().and_then(sticker::label)),
        hidden: is_hidden(raw),
        ..Attachment::default()
    }
}

/// Where the bytes of an attachment are: `messages-format.md` 11.6. `expired`: its message says that Messages removed
/// them once they were heard.
pub fn availability(raw: &RawAttachment, expired: bool) -> Availability {
    if is_local(raw) {
        Availability::Local
    } else if expired {
        Availability::Expired
    } else if raw.is_in_icloud() {
        Availability::InICloud
    } else {
        Availability::Missing
    }
}

/// What people call it: its name as it was sent, else the one it is stored under.
pub fn name_of(raw: &RawAttachment) -> Option<&str> {
    let sent = raw.transfer_name.as_deref().filter(|name| !name.is_empty());
    sent.or_else(|| raw.filename.as_deref()?.rsplit('/').find(|part| !part.is_empty()))
}

/// Nothing that people see by itself.
pub fn is_hidden(raw: &RawAttachment) -> bool {
    raw.hide_attachment || is_plugin_payload(raw)
}

/// Its bytes are here.
pub fn is_local(raw: &RawAttachment) -> bool {
    match &raw.content {
        // Whoever wants its bytes finds out that they cannot be had, and says so.
        Some(Content::Folder { .. } | Content::Bundle(_) | Content::OutOfReach(_)) => true,
        Some(content) => content.bytes().is_some_and(|bytes| bytes > 0),
        None => false,
    }
}

/// What comes to the phone itself, and to other devices only where the phone passes it on.
pub fn is_text_message(service: &str) -> bool {
    ["SMS", "MMS", "RCS", "SatelliteSMS"].iter().any(|known| known.eq_ignore_ascii_case(service))
}

/// What its row says of a sticker. A description alone makes it a Genmoji.
fn sticker_facts(raw: &RawAttachment) -> Option<Box<Sticker>> {
    if !raw.is_sticker {
        return None;
    }
    let stored = raw.sticker_user_info.as_deref().and_then(sticker::sticker);
    let described = raw.emoji_image_short_description.as_deref().is_some_and(|words| !words.is_empty());
    let facts = match stored {
        Some(facts) => facts,
        None if described => Sticker { kind: StickerKind::Genmoji, ..Sticker::default() },
        None => return None,
    };
    Some(Box::new(facts))
}

/// A file that belongs to a balloon: `messages-format.md` 11.7.
pub fn is_plugin_payload(raw: &RawAttachment) -> bool {
    let named = |s: &Option<String>| {
        s.as_deref().is_some_and(|s| s.to_ascii_lowercase().ends_with(".pluginpayloadattachment"))
    };
    raw.uti.as_deref() == Some("dyn.age81a5dzq7y066dbtf0g82peqf4hk2pdrb00n5xy")
        || named(&raw.filename)
        || named(&raw.transfer_name)
}

fn edits(edits: std::collections::BTreeMap<u32, Vec<summary::Version>>) -> Vec<Edit> {
    edits
        .into_iter()
        .flat_map(|(part, versions)| {
            versions.into_iter().map(move |v| Edit { part, date: v.date, text: v.text })
        })
        .collect()
}

fn reply(raw: &RawMessage, roster: &Roster) -> Option<Reply> {
    let guid = raw.thread_originator_guid.clone().filter(|g| !g.is_empty())?;
    let number = raw
        .thread_originator_part
        .as_deref()
        .and_then(|p| p.split(':').next())
        .and_then(|p| p.trim().parse::<i64>().ok())
        .unwrap_or(0);
    let mut part = u32::try_from(number).unwrap_or(0);
    let quote = raw.originator.as_deref().map(|original| {
        // As the message itself shows them: the part replied to may have been unsent since.
        let parts = parts::of_row(original, roster);
        part = parts::part_named(&parts, number);
        let meant = |p: &&Part| p.index == part;
        let words = |p: &Part| match &p.content {
            PartContent::Text { text, .. } => Some(shorten(text)),
            _ => None,
        };
        let words = match parts.iter().any(|p| meant(&p)) {
            true => parts.iter().filter(meant).find_map(words),
            false => parts.first().and_then(words),
        };
        Quote {
            from_me: original.is_from_me,
            sender: sender(original.is_from_me, original.handle_id, roster),
            date: instant(original.date),
            text: words,
        }
    });
    Some(Reply { guid, part, quote })
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS) {
        Some((end, _)) => {
            let mut short = text.get(..end).unwrap_or(text).to_owned();
            short.pop();
            short.push('…');
            short
        }
        None => text.to_owned(),
    }
}
