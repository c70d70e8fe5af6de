//! JSON Lines, schema 1: one object a message, exact.
//!
//! Every key is always there, in the documented order; what is unknown is `null`, an empty list `[]`.
//!
//! **Must never**: make a text visible, shorten it or mend it. This is the format that other programs trust.

use std::ops::Range;
use std::sync::Arc;

use super::clock::Clock;
use super::json::{self, Json};
use super::{Lines, WriterOptions, conversation_file};
use crate::disk::{FileRecord, Staging};
use crate::model::{
    Balloon, BalloonKind, Call, Conversation, Effect, Message, Part, PartContent, PollOption, Unsent,
};
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError, Writer};

/// The list of conversations beside their files.
pub const CONVERSATIONS: &str = "conversations.jsonl";
const EXTENSION: &str = "jsonl";

struct JsonLines {
    staging: Arc<Staging>,
    zone: chrono_tz::Tz,
}

/// Opens the format `jsonl`.
///
/// # Errors
/// None yet.
pub fn open(staging: Arc<Staging>, options: &WriterOptions) -> Result<Box<dyn Writer>, WriteError> {
    Ok(Box::new(JsonLines { staging, zone: options.zone }))
}

impl Writer for JsonLines {
    fn begin<'w>(
        &'w self,
        conversation: &'w Conversation,
    ) -> Result<Box<dyn ConversationWriter + 'w>, WriteError> {
        Lines::begin(&self.staging, &conversation_file(conversation, EXTENSION), b"")
    }

    fn prepare(&self, conversation: &Conversation, messages: &[Message]) -> Result<Prepared, WriteError> {
        let mut lines = Vec::with_capacity(messages.len() * 1024);
        let mut clock = Clock::new(self.zone);
        let mut json = Json { to: &mut lines, clock: &mut clock };
        for each in messages {
            message(&mut json, conversation, each);
            json.raw("\n");
        }
        Ok(Box::new(lines))
    }

    fn finish(&self, conversations: &[Finished]) -> Result<Vec<FileRecord>, WriteError> {
        let mut file = self.staging.create(CONVERSATIONS)?;
        let mut clock = Clock::new(self.zone);
        let mut line = Vec::new();
        for finished in conversations {
            let name = conversation_file(&finished.conversation, EXTENSION);
            line.clear();
            let mut json = Json { to: &mut line, clock: &mut clock };
            conversation(&mut json, finished, Some(&name));
            json.raw("}\n");
            file.put(&line)?;
        }
        Ok(vec![file.finish()?])
    }
}

/// A conversation's object as `list --json` shows it: the line of `conversations.jsonl` with its `attachments` and
/// `bytes`, and no file.
pub fn listed(finished: &Finished, clock: &mut Clock) -> String {
    let mut object = Vec::new();
    let mut json = Json { to: &mut object, clock };
    conversation(&mut json, finished, None);
    json.raw(",\"attachments\":").number(finished.attachments.referenced);
    json.raw(",\"bytes\":").number(finished.attachments.bytes).raw("}");
    String::from_utf8(object).unwrap_or_default()
}

/// All but the closing brace.
fn conversation(json: &mut Json<'_>, finished: &Finished, file: Option<&str>) {
    let conversation = &finished.conversation;
    json.raw("{\"id\":").text(&conversation.id);
    json.raw(",\"title\":").text(&conversation.title);
    json.raw(",\"kind\":\"").raw(conversation.kind.name());
    json.raw("\",\"chat_guids\":").texts(&conversation.chat_guids);
    json.raw(",\"participants\":").array(&conversation.participants, |json, participant| {
        json.raw("{\"name\":").maybe(participant.name.as_deref());
        json.raw(",\"handles\":").texts(&participant.handles).raw("}");
    });
    json.raw(",\"services\":").texts(&conversation.services);
    json.raw(",\"messages\":").number(finished.rows.messages);
    json.raw(",\"first\":").date(finished.first);
    json.raw(",\"last\":").date(finished.last);
    json.raw(",\"file\":").maybe(file);
    if !conversation.lost.is_empty() {
        json.raw(",\"lost\":").array(&conversation.lost, |json, sent| {
            json.date(*sent);
        });
    }
}

fn message(json: &mut Json<'_>, conversation: &Conversation, message: &Message) {
    json.raw("{\"guid\":").maybe(message.guid.as_deref());
    json.raw(",\"conversation\":").text(&conversation.id);
    json.raw(",\"date\":").date(message.date);
    json.raw(",\"service\":").maybe(message.service.as_deref());
    json.raw(",\"from_me\":").boolean(message.from_me);
    json.raw(",\"sender\":").sender(message.sender.as_deref().filter(|_| !message.from_me));
    json.raw(",\"kind\":\"").raw(message.kind.name());
    json.raw("\",\"subject\":").maybe(message.subject.as_deref());
    json.raw(",\"text\":");
    let whole = json.to.len();
    json.maybe(message.text());
    let whole = whole..json.to.len();
    json.raw(",\"parts\":").array(&message.parts, |json, each| part(json, message, each, &whole));
    json.raw(",\"attachments\":").array(&message.attachments, Json::attachment);
    json.raw(",\"edits\":").array(&message.edits, Json::edit);
    json.raw(",\"tapbacks\":").array(&message.tapbacks, Json::tapback);
    match &message.reply_to {
        Some(reply) => {
            json.raw(",\"reply_to\":{\"guid\":").text(&reply.guid);
            json.raw(",\"part\":").number(reply.part).raw("}");
        }
        None => {
            json.raw(",\"reply_to\":null");
        }
    }
    json.raw(",\"effect\":").maybe(message.effect.as_ref().map(Effect::name));
    match &message.announcement {
        Some(announcement) => {
            json.raw(",\"announcement\":{\"type\":\"").raw(announcement.kind.name());
            json.raw("\",\"handle\":").maybe(announcement.handle.as_deref());
            json.raw(",\"name\":").maybe(announcement.name.as_deref());
            json.raw(",\"title\":").maybe(announcement.title.as_deref());
            if announcement.about_me {
                json.raw(",\"about_me\":true");
            }
            // Only calls have it.
            match announcement.call {
                Some(Call::Audio) => json.raw(",\"call\":\"audio\"}"),
                Some(Call::Video) => json.raw(",\"call\":\"video\"}"),
                Some(Call::Other(mode)) => json.raw(",\"call\":").number(mode).raw("}"),
                None => json.raw("}"),
            };
        }
        None => {
            json.raw(",\"announcement\":null");
        }
    }
    json.raw(",\"balloon\":");
    match &message.balloon {
        Some(card) => balloon(json, message, card),
        None => {
            json.raw("null");
        }
    }
    json.raw(",\"date_delivered\":").date(message.date_delivered);
    json.raw(",\"date_read\":").date(message.date_read);
    match message.deleted {
        Some(deleted) => {
            json.raw(",\"deleted\":{\"date\":").date(deleted.date);
            json.raw(",\"reason\":").text(deleted.reason.name());
            if deleted.guessed {
                json.raw(",\"guessed\":true");
            }
            if let Some(seen) = deleted.last_seen {
                json.raw(",\"last_seen\":").date(Some(seen));
            }
            json.raw(",\"gone\":").date(deleted.gone);
            if deleted.part {
                json.raw(",\"part\":true");
            }
            json.raw("}")
        }
        None => json.raw(",\"deleted\":null"),
    };
    json.raw(",\"unsent\":").maybe(message.unsent.map(Unsent::name));
    match message.scheduled {
        Some(scheduled) => json.raw(",\"scheduled\":{\"state\":").number(scheduled.state).raw("}"),
        None => json.raw(",\"scheduled\":null"),
    };
    match message.error {
        Some(error) => json.raw(",\"error\":").number(error),
        None => json.raw(",\"error\":null"),
    };
    match &message.translation {
        Some(translation) => {
            json.raw(",\"translation\":{\"text\":").text(&translation.text);
            json.raw(",\"language\":").maybe(translation.language.as_deref());
            json.raw(",\"source_language\":").maybe(translation.source_language.as_deref()).raw("}");
        }
        None => {
            json.raw(",\"translation\":null");
        }
    }
    json.raw(",\"junk\":").boolean(message.junk);
    if let Some(category) = message.category {
        json.raw(",\"category\":{\"type\":\"").raw(category.kind.name()).raw("\"");
        json.raw(",\"detail\":").maybe(category.detail).raw("}");
    }
    if let Some(altered) = &message.altered {
        json.raw(",\"altered\":").texts(altered);
    }
    if !message.was.is_empty() {
        json.raw(",\"was\":").array(&message.was, Json::otherwise);
    }
    if !message.damaged.is_empty() {
        json.raw(",\"damaged\":").texts(&message.damaged);
    }
    json.raw(",\"source\":{\"rowid\":").number(message.rowid);
    if !message.sources.is_empty() {
        json.raw(",\"in\":").array(&message.sources, |json, source| {
            json.number(*source);
        });
    }
    json.raw("}}");
}

/// `whole`: where the message's text was written.
fn part(json: &mut Json<'_>, message: &Message, part: &Part, whole: &Range<usize>) {
    json.raw("{\"index\":").number(part.index);
    json.raw(",\"type\":\"").raw(json::part_type(&part.content)).raw("\"");
    match &part.content {
        PartContent::Text { text, styles } => {
            json.raw(",\"text\":");
            match message.parts.len() {
                // Alone it is the message's text, and need not be escaped again.
                1 => json.again(whole.clone()),
                _ => json.text(text),
            };
            json.raw(",\"styles\":").array(styles, Json::style);
        }
        PartContent::Attachment(index) => {
            let guid = message.attachments.get(*index).and_then(|a| a.guid.as_deref());
            json.raw(",\"attachment\":").maybe(guid);
        }
        PartContent::Balloon => {}
        PartContent::Unsent { date } => {
            json.raw(",\"date\":").date(*date);
        }
    }
    json.raw("}");
}

fn balloon(json: &mut Json<'_>, message: &Message, card: &Balloon) {
    json.raw("{\"type\":\"").raw(card.kind.name());
    json.raw("\",\"bundle_id\":").maybe(card.bundle_id.as_deref());
    json.raw(",\"app\":").maybe(card.app.as_deref());
    json.raw(",\"title\":").maybe(card.title.as_deref());
    json.raw(",\"subtitle\":").maybe(card.subtitle.as_deref());
    json.raw(",\"summary\":").maybe(card.summary.as_deref());
    json.raw(",\"url\":").maybe(card.url.as_deref());
    json.raw(",\"lines\":").texts(&card.lines);
    let guids = card.attachments.iter().filter_map(|i| message.attachments.get(*i)?.guid.as_ref());
    json.raw(",\"attachments\":").texts(guids);
    json.raw(",\"data\":{");
    let mut comma = "";
    let mut key = |json: &mut Json<'_>, name: &str| {
        json.raw(std::mem::replace(&mut comma, ",")).text(name).raw(":");
    };
    if card.kind == BalloonKind::Poll || !card.options.is_empty() {
        key(json, "options");
        json.array(&card.options, poll_option);
    }
    if let Some(drawing) = &card.drawing {
        key(json, "drawing");
        json.raw("{\"marks\":").number(drawing.marks.len() as u64);
        json.raw(",\"path\":").maybe(drawing.path.as_deref()).raw("}");
    }
    for (name, value) in card.facts() {
        key(json, name);
        json.value(value);
    }
    json.raw("}}");
}

fn poll_option(json: &mut Json<'_>, option: &PollOption) {
    json.raw("{\"text\":").text(&option.text);
    json.raw(",\"voters\":").array(&option.voters, |json, voter| {
        let sender = voter.sender.as_deref().filter(|_| !voter.from_me);
        json.raw("{\"handle\":").maybe(sender.and_then(|s| s.handle.as_deref()));
        json.raw(",\"name\":").maybe(sender.and_then(|s| s.name.as_deref()));
        json.raw(",\"from_me\":").boolean(voter.from_me);
        json.raw(",\"date\":").date(voter.date).raw("}");
    });
    json.raw("}");
}
