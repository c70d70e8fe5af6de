//! Rows of `message`, described in the words of a conversation.

use std::ops::Range;

use chrono::DateTime;
use rusqlite::types::Value as Sql;

use super::chatdb::{
    APPLE_EPOCH, AttachmentId, Cell, ChatId, Columns, HandleId, Library, MessageId, seconds,
};
use super::keyed::{self, AppTemplate, SummaryInfo, UrlPreview};
use super::typedstream::{
    AttributedString, Attributes, FILE_NAME, FILE_TRANSFER, LINK, PART, Value, WRITING_DIRECTION,
};

/// A tapback, as it is given; [`MessageBuilder::take_back`] takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tapback<'a> {
    Loved,
    Liked,
    Disliked,
    Laughed,
    Emphasized,
    Questioned,
    Emoji(&'a str),
    /// The picture.
    Sticker(AttachmentId),
    /// A sticker dropped on the bubble, not a tapback in the narrow sense.
    Placed(AttachmentId),
}

/// `__kIMTextEffectAttributeName`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEffect {
    Ripple = 4,
    Big = 5,
    Bloom = 6,
    Nod = 8,
    Shake = 9,
    Jitter = 10,
    Small = 11,
    Explode = 12,
}

/// A run of one part's text, or an object in it.
#[derive(Debug, Clone)]
struct Piece {
    part: u32,
    text: String,
    /// Attributes of the whole piece.
    own: Attributes,
    /// Attributes of ranges of characters.
    spans: Vec<(Range<usize>, &'static str, Value)>,
    /// As it was sent, in UTF-16 units.
    sent_units: u32,
    unsent: bool,
}

/// Which of the two columns hold the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextIn {
    Both,
    Body,
    TextColumn,
}

#[derive(Debug, Clone)]
pub(super) struct MessageRow {
    pub(super) columns: Columns,
    pub(super) chats: Vec<ChatId>,
    /// Raw, as in the column.
    pub(super) date: i64,
    pub(super) deleted: Vec<(ChatId, i64)>,
    pub(super) deleted_parts: Vec<(ChatId, u32, i64, AttributedString)>,
    pub(super) attachments: Vec<AttachmentId>,
    pieces: Vec<Piece>,
    summary: SummaryInfo,
    from_me: bool,
    text_in: TextIn,
    group: bool,
}

impl MessageRow {
    fn set(&mut self, column: &str, value: impl Into<Cell>) {
        self.columns.insert(column.to_owned(), value.into().0);
    }

    /// The body as Messages would archive it: typed here with a writing direction, received without.
    fn body(&self, pieces: &[&Piece]) -> AttributedString {
        let mut body = AttributedString { mutable: !self.from_me, ..AttributedString::default() };
        for piece in pieces {
            let mut cuts: Vec<usize> = piece
                .spans
                .iter()
                .flat_map(|(range, ..)| [range.start, range.end])
                .chain([0, piece.text.chars().count()])
                .collect();
            cuts.sort_unstable();
            cuts.dedup();
            for cut in cuts.windows(2) {
                let text: String = piece.text.chars().skip(cut[0]).take(cut[1] - cut[0]).collect();
                let mut attributes = piece.own.clone();
                for (range, key, value) in &piece.spans {
                    if range.start <= cut[0] && cut[1] <= range.end {
                        attributes.push((key, value.clone()));
                    }
                }
                let part = i64::from(piece.part);
                if self.from_me {
                    attributes.push((WRITING_DIRECTION, Value::Long(-1)));
                    attributes.push((PART, Value::Long(part)));
                } else {
                    attributes.push((PART, Value::Int(part)));
                }
                body.push(&text, attributes);
            }
        }
        body
    }

    fn shown(&self) -> Vec<&Piece> {
        self.pieces.iter().filter(|p| !p.unsent).collect()
    }

    fn text(&self) -> String {
        self.shown().iter().map(|p| p.text.as_str()).collect()
    }

    /// The columns, with all that follows from the rest of the row.
    pub(super) fn finish(&self, library: &Library) -> Columns {
        let mut row = self.clone();
        let body = self.body(&self.shown());
        if !body.text.is_empty() && self.text_in != TextIn::TextColumn {
            row.columns.entry("attributedBody".into()).or_insert_with(|| Sql::Blob(body.encode()));
        }
        if !body.text.is_empty() && self.text_in != TextIn::Body {
            row.columns.entry("text".into()).or_insert(Sql::Text(body.text));
        }
        if !self.summary.is_empty() {
            let mut summary = self.summary.clone();
            let mut location = 0;
            for piece in &self.pieces {
                match summary.original.last_mut() {
                    Some((part, _, length)) if *part == piece.part => *length += piece.sent_units,
                    _ => summary.original.push((piece.part, location, piece.sent_units)),
                }
                location += piece.sent_units;
            }
            let blob = summary.encode();
            row.columns.entry("message_summary_info".into()).or_insert(Sql::Blob(blob));
        }
        let parts = self.pieces.iter().map(|p| p.part + 1).max().unwrap_or(0);
        row.set("part_count", i64::from(parts));
        row.set("cache_has_attachments", !self.attachments.is_empty());
        let rooms: Vec<&str> = self
            .chats
            .iter()
            .filter_map(|chat| library.chats[chat.0 as usize - 1].columns.get("room_name"))
            .filter_map(|room| match room {
                Sql::Text(room) => Some(room.as_str()),
                _ => None,
            })
            .collect();
        if !rooms.is_empty() {
            let rooms = Sql::Text(rooms.join(","));
            row.columns.entry("cache_roomnames".into()).or_insert(rooms);
        }
        row.columns
    }
}

/// Describes one message; it is in the library from the start.
pub struct MessageBuilder<'l> {
    library: &'l mut Library,
    index: usize,
}

impl<'l> MessageBuilder<'l> {
    pub(super) fn new(library: &'l mut Library, chat: Option<ChatId>) -> Self {
        let guid = library.guid();
        let date = library.date(library.clock, 0);
        library.clock += 60;
        let mut row = MessageRow {
            columns: Columns::new(),
            chats: chat.into_iter().collect(),
            date,
            deleted: Vec::new(),
            deleted_parts: Vec::new(),
            attachments: Vec::new(),
            pieces: Vec::new(),
            summary: SummaryInfo::default(),
            from_me: false,
            text_in: if library.schema.sql.contains("date_edited") { TextIn::Body } else { TextIn::Both },
            group: false,
        };
        let mut service = "iMessage".to_owned();
        if let Some(chat) = chat.map(|chat| &library.chats[chat.0 as usize - 1]) {
            service.clone_from(&chat.service);
            row.group = chat.group;
            if let (false, Some(member)) = (chat.group, chat.members.first()) {
                row.set("handle_id", member.0);
            }
        }
        row.set("guid", guid);
        row.set("date", date);
        row.set("service", service);
        row.set("account", format!("E:{}", library.owner));
        row.set("destination_caller_id", library.owner.clone());
        for (column, value) in
            [("version", 10), ("is_finished", 1), ("is_delivered", 1), ("is_read", 1), ("is_from_me", 0)]
        {
            row.set(column, value);
        }
        library.messages.push(row);
        let index = library.messages.len() - 1;
        Self { library, index }
    }

    fn row(&mut self) -> &mut MessageRow {
        &mut self.library.messages[self.index]
    }

    fn raw_date(&self, at: &str) -> i64 {
        let (seconds, nanos) = seconds(at);
        self.library.date(seconds, nanos)
    }

    fn guid(&self) -> String {
        self.library.message_guid(MessageId(self.index as i64 + 1))
    }

    /// Sent by somebody else.
    pub fn from(self, sender: HandleId) -> Self {
        self.raw("handle_id", sender.0)
    }

    /// Sent by the owner.
    pub fn from_me(mut self) -> Self {
        self.row().from_me = true;
        let to = if self.row().group { Some(0) } else { None };
        let sent = self.raw("is_from_me", 1).raw("is_sent", 1).raw("is_read", 0);
        match to {
            Some(handle) => sent.raw("handle_id", handle),
            None => sent,
        }
    }

    /// When it was sent; the clock goes on from here.
    pub fn at(mut self, at: &str) -> Self {
        self.library.clock = seconds(at).0 + 60;
        let date = self.raw_date(at);
        self.row().date = date;
        self.raw("date", date)
    }

    /// `message.date` in whatever unit, and the same in the join.
    pub fn date_raw(mut self, date: i64) -> Self {
        self.row().date = date;
        self.raw("date", date)
    }

    /// `chat_message_join.message_date`, where it is not `message.date`.
    pub fn join_date_raw(mut self, date: i64) -> Self {
        self.row().date = date;
        self
    }

    /// A time so many seconds after the message's own, for the methods that take one.
    fn after(&self, seconds: i64) -> String {
        let date = self.library.messages[self.index].date;
        let unit = self.library.date(1, 0);
        let at = DateTime::from_timestamp(APPLE_EPOCH + date / unit + seconds, 0);
        at.expect("a date of our time").to_rfc3339()
    }

    pub fn service(self, service: &str) -> Self {
        self.raw("service", service)
    }

    pub fn subject(self, subject: &str) -> Self {
        self.raw("subject", subject)
    }

    fn piece(mut self, text: &str, own: Attributes, same_part: bool) -> Self {
        let pieces = &mut self.row().pieces;
        let part = pieces.last().map_or(0, |p| p.part + u32::from(!same_part));
        pieces.push(Piece {
            part,
            text: text.to_owned(),
            own,
            spans: Vec::new(),
            sent_units: text.encode_utf16().count() as u32,
            unsent: false,
        });
        self
    }

    /// Appends text, as a part of its own.
    pub fn text(self, text: &str) -> Self {
        self.piece(text, Vec::new(), false)
    }

    /// Appends text to the part that is there.
    pub fn more_text(self, text: &str) -> Self {
        self.piece(text, Vec::new(), true)
    }

    /// Gives the last piece another part number.
    pub fn part(mut self, part: u32) -> Self {
        self.last_piece().part = part;
        self
    }

    /// Appends an attachment, as a part of its own.
    pub fn attachment(self, attachment: AttachmentId) -> Self {
        self.attach(attachment, Vec::new(), false)
    }

    /// Puts a picture into the text, the size of an emoji.
    pub fn inline(self, attachment: AttachmentId) -> Self {
        let emoji = vec![("__kIMEmojiImageAttributeName", Value::Char(1))];
        self.attach(attachment, emoji, true)
    }

    /// An audio message; Apple transcribes some.
    pub fn audio(self, attachment: AttachmentId, transcription: &str) -> Self {
        let mut own = Attributes::new();
        if !transcription.is_empty() {
            own.push(("IMAudioTranscription", transcription.into()));
        }
        self.attach(attachment, own, false).raw("is_audio_message", 1)
    }

    /// The audio message was played and removed.
    pub fn expired(self) -> Self {
        self.raw("is_expirable", 1).raw("expire_state", 1)
    }

    fn attach(mut self, attachment: AttachmentId, extra: Attributes, same_part: bool) -> Self {
        let part = self.row().pieces.last().map_or(0, |p| p.part + u32::from(!same_part));
        let (guid, from_me) = (self.guid(), self.row().from_me);
        let row = &mut self.library.attachments[attachment.0 as usize - 1];
        // What arrives is named after its message, what is sent keeps its own GUID.
        if row.renamable && !from_me {
            row.rename(&format!("at_{part}_{guid}"));
        }
        row.renamable = false;
        row.set("is_outgoing", from_me);
        let mut own = vec![(FILE_TRANSFER, Value::String(row.guid.clone()))];
        if extra.is_empty() {
            own.push((FILE_NAME, Value::String(row.name.clone())));
        }
        own.extend(extra);
        self.row().attachments.push(attachment);
        self.piece("\u{fffc}", own, same_part)
    }

    /// Joins an attachment that the body does not mention.
    pub fn joined(mut self, attachment: AttachmentId) -> Self {
        self.row().attachments.push(attachment);
        self.library.attachments[attachment.0 as usize - 1].renamable = false;
        self
    }

    fn last_piece(&mut self) -> &mut Piece {
        self.row().pieces.last_mut().expect("text before its style")
    }

    fn span(mut self, range: Range<usize>, key: &'static str, value: Value) -> Self {
        self.last_piece().spans.push((range, key, value));
        self
    }

    /// Ranges are in characters of the last piece of text.
    pub fn bold(self, range: Range<usize>) -> Self {
        self.span(range, "__kIMTextBoldAttributeName", Value::Int(1))
    }

    pub fn italic(self, range: Range<usize>) -> Self {
        self.span(range, "__kIMTextItalicAttributeName", Value::Int(1))
    }

    pub fn underline(self, range: Range<usize>) -> Self {
        self.span(range, "__kIMTextUnderlineAttributeName", Value::Int(1))
    }

    pub fn strikethrough(self, range: Range<usize>) -> Self {
        self.span(range, "__kIMTextStrikethroughAttributeName", Value::Int(1))
    }

    pub fn animated(self, effect: TextEffect, range: Range<usize>) -> Self {
        self.span(range, "__kIMTextEffectAttributeName", Value::Int(effect as i64))
    }

    pub fn link(self, range: Range<usize>, target: &str) -> Self {
        self.span(range, LINK, Value::Url(target.to_owned()))
    }

    pub fn mention(self, range: Range<usize>, handle: &str) -> Self {
        self.span(range, "__kIMMentionConfirmedMention", handle.into())
    }

    pub fn one_time_code(self, range: Range<usize>, code: &str) -> Self {
        let code = Value::Dictionary(vec![("code", code.into()), ("displayCode", code.into())]);
        self.span(range, "__kIMOneTimeCodeAttributeName", code)
    }

    /// What a data detector found in a range: a `Date`, `Time`, `FullAddress`, `PhoneNumber`, `HttpURL`, …
    pub fn detected(mut self, range: Range<usize>, kind: &str) -> Self {
        let matched: String = self.last_piece().text.chars().skip(range.start).take(range.len()).collect();
        let before: String = self.last_piece().text.chars().take(range.start).collect();
        let key = match kind {
            "Date" | "Time" => "__kIMCalendarEventAttributeName",
            "FullAddress" => "__kIMAddressAttributeName",
            "PhoneNumber" => "__kIMPhoneNumberAttributeName",
            "Money" => "__kIMMoneyAttributeName",
            _ => "__kIMDataDetectedAttributeName",
        };
        let location = before.encode_utf16().count() as u32;
        let archive = keyed::data_detector(kind, &matched, location, &[]);
        self.span(range, key, Value::Data(archive)).raw("was_data_detected", 1).raw("has_dd_results", 1)
    }

    /// Any attribute on a range of the last piece.
    pub fn attribute(self, range: Range<usize>, key: &'static str, value: Value) -> Self {
        self.span(range, key, value)
    }

    /// Keeps the text in both columns.
    pub fn text_in_both(mut self) -> Self {
        self.row().text_in = TextIn::Both;
        self
    }

    /// Keeps the text in `attributedBody` only, `text` being NULL.
    pub fn body_only(mut self) -> Self {
        self.row().text_in = TextIn::Body;
        self
    }

    /// Keeps the text in `text` only, as forwarded SMS come.
    pub fn text_only(mut self) -> Self {
        self.row().text_in = TextIn::TextColumn;
        self
    }

    /// A tapback on the first part of a message.
    pub fn tapback(self, target: MessageId, tapback: Tapback) -> Self {
        self.tapback_on(target, 0, tapback)
    }

    /// A tapback on a part of a message. The row's own text is the sentence Messages writes for old devices.
    pub fn tapback_on(self, target: MessageId, part: u32, tapback: Tapback) -> Self {
        self.associate(target, part, tapback, 0)
    }

    /// Takes a tapback back.
    pub fn take_back(self, target: MessageId, tapback: Tapback) -> Self {
        self.associate(target, 0, tapback, 1000)
    }

    fn associate(mut self, target: MessageId, part: u32, tapback: Tapback, offset: i64) -> Self {
        let row = &self.library.messages[target.0 as usize - 1];
        let guid = self.library.message_guid(target);
        let balloon = row.columns.contains_key("balloon_bundle_id");
        let about: String = row.pieces.iter().filter(|p| p.part == part).map(|p| p.text.as_str()).collect();
        let length = about.encode_utf16().count() as i64;
        let (code, verb) = match tapback {
            Tapback::Loved => (2000, "Loved"),
            Tapback::Liked => (2001, "Liked"),
            Tapback::Disliked => (2002, "Disliked"),
            Tapback::Laughed => (2003, "Laughed at"),
            Tapback::Emphasized => (2004, "Emphasized"),
            Tapback::Questioned => (2005, "Questioned"),
            Tapback::Emoji(_) => (2006, "Reacted to"),
            Tapback::Sticker(_) => (2007, "Reacted with a sticker to"),
            Tapback::Placed(_) => (1000, ""),
        };
        let reference = if balloon { format!("bp:{guid}") } else { format!("p:{part}/{guid}") };
        if let Tapback::Emoji(emoji) = tapback {
            self = self.raw("associated_message_emoji", emoji);
        }
        self.row().summary.about = Some(about.clone());
        let row = self
            .raw("associated_message_type", code + offset)
            .raw("associated_message_guid", reference)
            .raw("associated_message_range_location", 0)
            .raw("associated_message_range_length", length);
        match tapback {
            Tapback::Sticker(picture) | Tapback::Placed(picture) => row.attach(picture, Vec::new(), false),
            _ if offset != 0 => row.text(&format!("Removed a reaction from “{about}”")),
            _ => row.text(&format!("{verb} “{about}”")),
        }
    }

    /// Points at a message without being a tapback: app updates (2), votes (4000), …
    pub fn associated(self, target: MessageId, kind: i64) -> Self {
        let guid = self.library.message_guid(target);
        self.raw("associated_message_type", kind).raw("associated_message_guid", guid)
    }

    /// A reply to the first part of a message.
    pub fn reply_to(self, target: MessageId) -> Self {
        self.reply_to_part(target, 0)
    }

    pub fn reply_to_part(self, target: MessageId, part: u32) -> Self {
        let guid = self.library.message_guid(target);
        let pieces = &self.library.messages[target.0 as usize - 1].pieces;
        let of = |wanted: &dyn Fn(&Piece) -> bool| -> u32 {
            pieces.iter().filter(|p| wanted(p)).map(|p| p.sent_units).sum()
        };
        let place = format!("{part}:{}:{}", of(&|p| p.part < part), of(&|p| p.part == part));
        self.raw("thread_originator_guid", guid).raw("thread_originator_part", place)
    }

    /// Sent with a bubble or screen effect: `impact`, `loud`, …, `CKConfettiEffect`, or a whole id.
    pub fn effect(self, effect: &str) -> Self {
        let id = if effect.contains('.') {
            effect.to_owned()
        } else if effect.starts_with("CK") {
            format!("com.apple.messages.effect.{effect}")
        } else {
            format!("com.apple.MobileSMS.expressivesend.{effect}")
        };
        self.raw("expressive_send_style_id", id)
    }

    /// Edits the last piece of text: what it said goes into the history. Set the date before.
    pub fn edit(mut self, at: &str, text: &str) -> Self {
        let (whole, nanos) = seconds(at);
        let sent = match self.row().columns.get("date") {
            Some(Sql::Integer(date)) if date.abs() >= 1_000_000_000_000 => *date as f64 / 1e9,
            Some(Sql::Integer(date)) => *date as f64,
            _ => 0.0,
        };
        let row = self.row();
        let before = row.pieces.last().expect("text before its edit").clone();
        let mut after = before.clone();
        text.clone_into(&mut after.text);
        after.spans.clear();
        let (old, new) = (row.body(&[&before]), row.body(&[&after]));
        let edits = &mut row.summary.edits;
        if edits.last().is_none_or(|(part, _)| *part != before.part) {
            edits.push((before.part, vec![(sent, old)]));
        }
        let (_, versions) = edits.last_mut().expect("just pushed");
        versions.push((whole as f64 + f64::from(nanos) / 1e9, new));
        *row.pieces.last_mut().expect("as before") = after;
        let date = self.raw_date(at);
        self.raw("date_edited", date)
    }

    /// Unsends one part.
    pub fn unsend_part(mut self, part: u32, at: &str) -> Self {
        let row = self.row();
        for piece in row.pieces.iter_mut().filter(|p| p.part == part) {
            piece.unsent = true;
        }
        row.summary.unsent.push(part);
        let date = self.raw_date(at);
        self.raw("date_edited", date)
    }

    /// Unsends the whole message.
    pub fn unsend(mut self, at: &str) -> Self {
        let mut parts: Vec<u32> = self.row().pieces.iter().map(|p| p.part).collect();
        parts.dedup();
        parts.into_iter().fold(self, |m, part| m.unsend_part(part, at))
    }

    pub fn translated(mut self, text: &str, language: &str, source: &str) -> Self {
        self.row().summary.translation = Some((text.into(), language.into(), source.into()));
        self
    }

    /// An announcement of any kind: `item_type` and `group_action_type` of `messages-format.md` 8.
    pub fn announcement(self, item_type: i64, group_action_type: i64) -> Self {
        self.raw("item_type", item_type).raw("group_action_type", group_action_type)
    }

    pub fn added(self, who: HandleId) -> Self {
        self.announcement(1, 0).raw("other_handle", who.0)
    }

    pub fn removed(self, who: HandleId) -> Self {
        self.announcement(1, 1).raw("other_handle", who.0)
    }

    /// The sender joined again under this new number.
    pub fn number_changed(self, to: HandleId) -> Self {
        self.from(to).announcement(1, 0).raw("other_handle", to.0)
    }

    /// An empty title: the name was removed.
    pub fn renamed(self, title: &str) -> Self {
        self.announcement(2, 0).raw("group_title", title)
    }

    pub fn left(self) -> Self {
        self.announcement(3, 0)
    }

    pub fn photo_changed(self, picture: AttachmentId) -> Self {
        self.announcement(3, 1).joined(picture)
    }

    /// The group's photo becomes the picture of a message.
    pub fn photo_changed_to(self, message: MessageId) -> Self {
        let picture = self.library.messages[message.0 as usize - 1].attachments[0];
        self.photo_changed(picture)
    }

    pub fn photo_removed(self) -> Self {
        self.announcement(3, 2)
    }

    pub fn background_changed(self) -> Self {
        self.announcement(3, 4)
    }

    pub fn background_removed(self) -> Self {
        self.announcement(3, 6)
    }

    /// Location sharing, by whoever the message is from.
    pub fn location(self, with: HandleId, started: bool) -> Self {
        let incoming = !self.library.messages[self.index].from_me;
        self.announcement(4, 0)
            .raw("share_status", !started)
            .raw("share_direction", incoming)
            .raw("other_handle", if incoming { 0 } else { with.0 })
    }

    pub fn audio_kept(self) -> Self {
        self.announcement(5, 0)
    }

    pub fn share_play(self) -> Self {
        self.announcement(6, 0)
    }

    /// A link with its preview; the body is the link.
    pub fn url_preview(self, preview: &UrlPreview) -> Self {
        let length = preview.url.chars().count();
        self.text(&preview.url)
            .link(0..length, &preview.url)
            .detected(0..length, "HttpURL")
            .payload("com.apple.messages.URLBalloonProvider", preview.encode())
    }

    /// An app's message: `bundle` is the extension's id, Apple's or with its team id in front.
    pub fn app(self, bundle: &str, template: &AppTemplate) -> Self {
        let team = if bundle.starts_with("com.apple.") { "0000000000" } else { "ABCDE12345" };
        let id = format!("com.apple.messages.MSMessageExtensionBalloonPlugin:{team}:{bundle}");
        self.text("\u{fffc}").payload(&id, template.encode())
    }

    /// Handwriting or Digital Touch.
    pub fn drawn(self, balloon: &str, payload: Vec<u8>) -> Self {
        self.text("\u{fffc}").payload(balloon, payload)
    }

    /// Any balloon.
    pub fn payload(self, balloon: &str, payload: Vec<u8>) -> Self {
        self.raw("balloon_bundle_id", balloon).raw("payload_data", payload)
    }

    pub fn delivered(self, at: &str) -> Self {
        let date = self.raw_date(at);
        self.raw("date_delivered", date).raw("is_delivered", 1)
    }

    pub fn read(self, at: &str) -> Self {
        let date = self.raw_date(at);
        self.raw("date_read", date).raw("is_read", 1)
    }

    /// Read so many seconds later; sent rows are delivered first.
    pub fn read_after(self, seconds: i64) -> Self {
        let (delivered, read) = (self.after(1), self.after(seconds));
        if self.library.messages[self.index].from_me {
            self.delivered(&delivered).read(&read)
        } else {
            self.read(&read)
        }
    }

    /// As [`edit`](Self::edit), so many seconds after the message.
    pub fn edit_after(self, seconds: i64, text: &str) -> Self {
        let at = self.after(seconds);
        self.edit(&at, text)
    }

    /// Unsends one part so many seconds after the message.
    pub fn unsend_part_after(self, part: u32, seconds: i64) -> Self {
        let at = self.after(seconds);
        self.unsend_part(part, &at)
    }

    /// Send Later; the date is when it will be sent.
    pub fn scheduled(self, state: i64) -> Self {
        self.raw("schedule_type", 2).raw("schedule_state", state).raw("is_sent", 0).raw("is_delivered", 0)
    }

    /// Not delivered, for this reason (`messages-format.md` 13.7).
    pub fn failed(self, error: i64) -> Self {
        self.raw("error", error).raw("is_sent", 0).raw("is_delivered", 0)
    }

    /// Reported as junk.
    pub fn junk(self) -> Self {
        self.raw("is_spam", 1)
    }

    /// Moves the message to Recently Deleted.
    pub fn deleted(mut self, at: &str) -> Self {
        let date = self.raw_date(at);
        let row = self.row();
        row.deleted = row.chats.drain(..).map(|chat| (chat, date)).collect();
        self
    }

    /// Moves one part to Recently Deleted: it leaves the body.
    pub fn deleted_part(mut self, part: u32, at: &str) -> Self {
        let date = self.raw_date(at);
        let row = self.row();
        let (gone, kept): (Vec<Piece>, Vec<Piece>) = row.pieces.drain(..).partition(|p| p.part == part);
        row.pieces = kept;
        let body = row.body(&gone.iter().collect::<Vec<_>>());
        let chat = row.chats[0];
        row.deleted_parts.push((chat, part, date, body));
        self
    }

    /// Joins the message to one more chat.
    pub fn also_in(mut self, chat: ChatId) -> Self {
        self.row().chats.push(chat);
        self
    }

    /// Sets a column to anything, whatever else was said of the row.
    pub fn raw(mut self, column: &str, value: impl Into<Cell>) -> Self {
        self.row().set(column, value);
        self
    }

    pub fn id(self) -> MessageId {
        MessageId(self.index as i64 + 1)
    }
}
