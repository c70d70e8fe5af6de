//! CSV (RFC 4180): one row a message.
//!
//! What is missing is an empty cell, an empty list too. `tapbacks`, `attachments` and `edits` are JSON arrays of the
//! objects that JSON Lines has; `reply_to` is the GUID replied to, `effect`, `balloon` and `announcement` are the
//! values of JSON Lines (of the latter two their `type`). The data is exact, unless it is for a spreadsheet.
//!
//! What became of a message stands in the last columns. `deleted` and `unsent` are `all` or `part`. `deletion_reason`,
//! `deletion_guessed`, `date_deleted`, `date_last_seen` and `date_gone` are what JSON Lines has in `deleted` (`reason`, `guessed`, `date`, `last_seen`, `gone`);
//! `date_unsent` is when the last of its unsent parts was; what they said is among the `edits`. `altered`, `was` and
//! `damaged` are JSON arrays, the same as in JSON Lines. `status` has a word for each of these, so that they can be filtered by:
//! `altered` where a message says or is something else than it did and Messages notes no change, `differs` where another source has it
//! otherwise, `damaged` where it is not what was archived.
//!
//! New columns are added at the end only: people and programs count on the place of the others.
//!
//! **Must never**: change a cell without `--excel`.

use std::sync::Arc;

use csv::{Terminator, WriterBuilder};

use super::clock::Clock;
use super::json::Json;
use super::{Lines, WriterOptions, conversation_file};
use crate::disk::{FileRecord, Staging};
use crate::model::{Conversation, Deleted, Effect, Instant, Message, PartContent, Unsent};
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError, Writer};

const EXTENSION: &str = "csv";
const HEADER: &str = "conversation_id,conversation,guid,date,service,direction,sender_handle,sender_name,kind,\
                      subject,text,reply_to,tapbacks,attachments,edits,effect,balloon,announcement,\
                      date_delivered,date_read,status,source_rowid,deleted,deletion_reason,deletion_guessed,\
                      date_deleted,date_last_seen,date_gone,unsent,date_unsent,altered,was,damaged";

struct Csv {
    staging: Arc<Staging>,
    zone: chrono_tz::Tz,
    excel: bool,
}

/// Opens the format `csv`.
///
/// # Errors
/// None yet.
pub fn open(staging: Arc<Staging>, options: &WriterOptions) -> Result<Box<dyn Writer>, WriteError> {
    Ok(Box::new(Csv { staging, zone: options.zone, excel: options.excel }))
}

impl Writer for Csv {
    fn begin<'w>(
        &'w self,
        conversation: &'w Conversation,
    ) -> Result<Box<dyn ConversationWriter + 'w>, WriteError> {
        let header = if self.excel { format!("\u{feff}{HEADER}\r\n") } else { format!("{HEADER}\n") };
        Lines::begin(&self.staging, &conversation_file(conversation, EXTENSION), header.as_bytes())
    }

    fn prepare(&self, conversation: &Conversation, messages: &[Message]) -> Result<Prepared, WriteError> {
        let terminator = if self.excel { Terminator::CRLF } else { Terminator::Any(b'\n') };
        let rows = Vec::with_capacity(messages.len() * 384);
        let mut row = Row {
            csv: WriterBuilder::new().terminator(terminator).buffer_capacity(64 * 1024).from_writer(rows),
            clock: Clock::new(self.zone),
            scratch: Vec::new(),
            excel: self.excel,
        };
        let failed = |what: String| WriteError::Format { format: EXTENSION, what };
        for message in messages {
            row.message(conversation, message).map_err(|e| failed(e.to_string()))?;
        }
        Ok(Box::new(row.csv.into_inner().map_err(|e| failed(e.to_string()))?))
    }

    fn finish(&self, _: &[Finished]) -> Result<Vec<FileRecord>, WriteError> {
        Ok(Vec::new())
    }
}

struct Row {
    csv: csv::Writer<Vec<u8>>,
    clock: Clock,
    scratch: Vec<u8>,
    excel: bool,
}

impl Row {
    fn message(&mut self, conversation: &Conversation, message: &Message) -> csv::Result<()> {
        let sender = message.sender.as_deref().filter(|_| !message.from_me);
        self.cell(Some(&conversation.id))?;
        self.cell(Some(&conversation.title))?;
        self.cell(message.guid.as_deref())?;
        self.date(message.date)?;
        self.cell(message.service.as_deref())?;
        self.cell(Some(if message.from_me { "sent" } else { "received" }))?;
        self.cell(sender.and_then(|s| s.handle.as_deref()))?;
        self.cell(sender.and_then(|s| s.name.as_deref()))?;
        self.cell(Some(message.kind.name()))?;
        self.cell(message.subject.as_deref())?;
        self.cell(message.text())?;
        self.cell(message.reply_to.as_ref().map(|r| r.guid.as_str()))?;
        self.list(&message.tapbacks, |json, tapback| json.tapback(tapback))?;
        self.list(&message.attachments, |json, attachment| json.attachment(attachment))?;
        self.list(&message.edits, |json, edit| json.edit(edit))?;
        self.cell(message.effect.as_ref().map(Effect::name))?;
        self.cell(message.balloon.as_ref().map(|b| b.kind.name()))?;
        self.cell(message.announcement.as_ref().map(|a| a.kind.name()))?;
        self.date(message.date_delivered)?;
        self.date(message.date_read)?;
        self.status(message)?;
        self.scratch.clear();
        Json { to: &mut self.scratch, clock: &mut self.clock }.number(message.rowid);
        self.csv.write_field(&self.scratch)?;
        self.deletion(message.deleted)?;
        self.taking_back(message)?;
        self.list(message.altered.as_deref().unwrap_or_default(), |json, text| {
            json.text(text);
        })?;
        self.list(&message.was, |json, was| json.otherwise(was))?;
        self.list(&message.damaged, |json, what| {
            json.text(what);
        })?;
        self.csv.write_record(None::<&[u8]>)
    }

    fn deletion(&mut self, deleted: Option<Deleted>) -> csv::Result<()> {
        self.cell(deleted.map(|deleted| if deleted.part { "part" } else { "all" }))?;
        self.cell(deleted.map(|deleted| deleted.reason.name()))?;
        self.cell(deleted.filter(|deleted| deleted.guessed).map(|_| "true"))?;
        self.date(deleted.and_then(|deleted| deleted.date))?;
        self.date(deleted.and_then(|deleted| deleted.last_seen))?;
        self.date(deleted.and_then(|deleted| deleted.gone))
    }

    fn taking_back(&mut self, message: &Message) -> csv::Result<()> {
        self.cell(message.unsent.map(Unsent::name))?;
        let dates = message.parts.iter().filter_map(|part| match part.content {
            PartContent::Unsent { date } => date,
            _ => None,
        });
        self.date(dates.max())
    }

    fn cell(&mut self, text: Option<&str>) -> csv::Result<()> {
        let text = text.unwrap_or_default();
        if self.excel && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            self.scratch.clear();
            self.scratch.push(b'\'');
            self.scratch.extend_from_slice(text.as_bytes());
            return self.csv.write_field(&self.scratch);
        }
        self.csv.write_field(text)
    }

    fn date(&mut self, instant: Option<Instant>) -> csv::Result<()> {
        self.scratch.clear();
        if let Some(instant) = instant {
            self.clock.rfc3339(instant, &mut self.scratch);
        }
        self.csv.write_field(&self.scratch)
    }

    fn list<'l, T>(&mut self, items: &'l [T], mut each: impl FnMut(&mut Json<'_>, &'l T)) -> csv::Result<()> {
        self.scratch.clear();
        if !items.is_empty() {
            let mut json = Json { to: &mut self.scratch, clock: &mut self.clock };
            json.array(items, |json, item| each(json, item));
        }
        self.csv.write_field(&self.scratch)
    }

    fn status(&mut self, message: &Message) -> csv::Result<()> {
        let states = [
            (message.deleted.is_some(), "deleted"),
            (message.unsent.is_some(), "unsent"),
            (message.is_edited(), "edited"),
            (message.scheduled.is_some(), "scheduled"),
            (message.error.is_some(), "failed"),
            (message.junk, "junk"),
            (message.altered.is_some() || message.was.iter().any(|was| !was.elsewhere), "altered"),
            (message.was.iter().any(|was| was.elsewhere), "differs"),
            (!message.damaged.is_empty(), "damaged"),
        ];
        self.scratch.clear();
        for (_, name) in states.iter().filter(|(is, _)| *is) {
            if !self.scratch.is_empty() {
                self.scratch.push(b';');
            }
            self.scratch.extend_from_slice(name.as_bytes());
        }
        self.csv.write_field(&self.scratch)
    }
}
