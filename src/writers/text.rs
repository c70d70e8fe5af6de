//! A transcript to read.
//!
//! ```text
//! ───── Wednesday, 1 May 2024 ──────────────────────────────────────────────────
//!
//! [13:30:05] Ana Abbott: Look at this!
//!            Second line.
//!          ■ IMG_0042.heic (HEIC image, 1.8 MB)
//!          → attachments/Ana Abbott [c-1f3a9b2c]/2024-05-01 IMG_0042.heic
//!          ❤️ Loved by you
//! ```
//!
//! What a message says begins in the twelfth column at the earliest, what is said about it in the tenth, a message
//! in the first: so no text can pass itself off as a message, a tapback or an edit. Lines are not wrapped: a text
//! stays in one piece for whoever searches it. When messages were read is left to the other formats.
//!
//! **Must never**: let a text send anything to the terminal.

use std::sync::Arc;

use super::clock::{Clock, Local};
use super::phrase::{self, CardLine, Phrases, count, one_line, visible_lines};
use super::{WriterOptions, conversation_file, mistaken};
use crate::disk::{FileRecord, HashedFile, Staging, folded};
use crate::model::{Attachment, Conversation, Message, MessageKind, Part, PartContent, Unsent};
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError, Writer};

/// The list of conversations.
pub const INDEX: &str = "index.txt";
const EXTENSION: &str = "txt";
/// A terminal has 80; some editors number lines.
const COLUMNS: usize = 78;
/// Where what is known of a conversation begins, beside what it is.
const INDENT: usize = 14;
/// Before what a message says, after the first line.
const TEXT_LINE: &str = "\n           ";
/// Before what is said about it.
const NOTE_LINE: &str = "\n         ";

struct Text {
    staging: Arc<Staging>,
    options: WriterOptions,
    phrases: Phrases,
}

/// Opens the format `txt`.
///
/// # Errors
/// None yet.
pub fn open(staging: Arc<Staging>, options: &WriterOptions) -> Result<Box<dyn Writer>, WriteError> {
    Ok(Box::new(Text { staging, phrases: Phrases::new(&options.me), options: options.clone() }))
}

/// Some messages as text, without what depends on the message before the first.
struct Window {
    text: String,
    first: State,
    last: State,
}

/// What is only said when it changes.
#[derive(Default)]
struct State {
    at: Option<Local>,
    service: Option<String>,
}

struct Transcript {
    file: HashedFile,
    /// Of the message written last; at the start, none and the conversation's only service.
    state: State,
    is_empty: bool,
}

impl Writer for Text {
    fn begin<'w>(
        &'w self,
        conversation: &'w Conversation,
    ) -> Result<Box<dyn ConversationWriter + 'w>, WriteError> {
        let mut file = self.staging.create(&conversation_file(conversation, EXTENSION))?;
        file.put(self.title(conversation).as_bytes())?;
        let service = match conversation.services.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        Ok(Box::new(Transcript { file, state: State { at: None, service }, is_empty: true }))
    }

    fn prepare(&self, _: &Conversation, messages: &[Message]) -> Result<Prepared, WriteError> {
        let mut clock = Clock::new(self.options.zone);
        let mut page = Page {
            to: String::with_capacity(messages.len() * 128),
            clock: &mut clock,
            phrases: &self.phrases,
        };
        let mut first = None;
        let mut before: (Option<Local>, Option<&str>) = (None, None);
        for message in messages {
            let now = (message.date.map(|d| page.clock.local(d)), message.service.as_deref());
            if first.is_none() {
                first = Some(state(now));
            } else {
                say_changes(&mut page.to, before, now, false);
            }
            page.message(message, now.0.as_ref());
            before = now;
        }
        let text = page.to;
        Ok(Box::new(Window { text, first: first.unwrap_or_default(), last: state(before) }))
    }

    fn finish(&self, conversations: &[Finished]) -> Result<Vec<FileRecord>, WriteError> {
        let mut file = self.staging.create(INDEX)?;
        file.put(self.index(conversations).as_bytes())?;
        Ok(vec![file.finish()?])
    }
}

impl ConversationWriter for Transcript {
    fn append(&mut self, prepared: Prepared) -> Result<(), WriteError> {
        let window = prepared.downcast::<Window>().map_err(|_| mistaken(self.file.relative()))?;
        if window.text.is_empty() {
            return Ok(());
        }
        let mut changes = String::new();
        let before = (self.state.at, self.state.service.as_deref());
        say_changes(&mut changes, before, (window.first.at, window.first.service.as_deref()), self.is_empty);
        self.file.put(changes.as_bytes())?;
        self.file.put(window.text.as_bytes())?;
        self.state = window.last;
        self.is_empty = false;
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Finished) -> Result<Vec<FileRecord>, WriteError> {
        Ok(vec![self.file.finish()?])
    }
}

fn state((at, service): (Option<Local>, Option<&str>)) -> State {
    State { at, service: service.map(str::to_owned) }
}

/// A heading for a new day, a note for a new service or when the clocks are changed.
fn say_changes(
    to: &mut String,
    before: (Option<Local>, Option<&str>),
    now: (Option<Local>, Option<&str>),
    is_first: bool,
) {
    let day = |at: Option<Local>| at.map(|at| at.day_number());
    if is_first || day(before.0) != day(now.0) {
        to.push('\n');
        let heading = now.0.map_or_else(|| "Without a date".into(), |at| phrase::day_heading(&at));
        rule(to, &heading);
        to.push('\n');
    } else if let (Some(before), Some(now)) = (before.0, now.0)
        && before.offset != now.offset
    {
        note(to, &format!("The clocks changed: UTC{} from here on", offset(now.offset)));
    }
    if let Some(service) = now.1.filter(|s| !s.is_empty() && before.1 != now.1) {
        note(to, &one_line(service));
    }
}

/// A line between messages, where no text begins.
fn note(to: &mut String, text: &str) {
    to.push_str("  — ");
    to.push_str(text);
    to.push_str(" —\n");
}

fn offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '−' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
}

/// Words of ours in lines of so many columns.
fn lines(sentence: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A line across the page with words in it.
fn rule(to: &mut String, words: &str) {
    let begin = to.len();
    to.push_str("───── ");
    to.push_str(words);
    to.push(' ');
    let width = to.get(begin..).map_or(0, |line| line.chars().count());
    to.extend(std::iter::repeat_n('─', COLUMNS.saturating_sub(width)));
    to.push('\n');
}

impl Text {
    fn title(&self, conversation: &Conversation) -> String {
        let mut to = one_line(&conversation.title).into_owned();
        to.push('\n');
        to.extend(std::iter::repeat_n('═', COLUMNS));
        to.push('\n');
        let mut fact = |name: &str, value: &str| {
            to.push_str(&format!("{name:<INDENT$}{value}\n"));
        };
        fact("Conversation", &conversation.id);
        let people = conversation.participants.iter().map(phrase::participant);
        for (i, person) in people.chain([self.phrases.me().to_owned()]).enumerate() {
            fact(if i == 0 { "People" } else { "" }, &person);
        }
        if !conversation.services.is_empty() {
            fact("Services", &one_line(&conversation.services.join(", ")));
        }
        fact("Times", self.options.zone.name());
        if let Some(as_of) = self.as_of() {
            fact("Shown", &as_of);
        }
        let mut clock = Clock::new(self.options.zone);
        let lost = phrase::lost_of(conversation, self.options.provenance.as_deref(), &mut clock);
        for (number, line) in lost.iter().flat_map(|sentence| lines(sentence, COLUMNS - INDENT)).enumerate() {
            fact(if number == 0 { "Incomplete" } else { "" }, &line);
        }
        to
    }

    /// Of an archive that is shown as it was.
    fn as_of(&self) -> Option<String> {
        let then = self.options.provenance.as_ref()?.as_of()?;
        Some(phrase::as_of(then, &mut Clock::new(self.options.zone)))
    }

    fn index(&self, conversations: &[Finished]) -> String {
        let mut clock = Clock::new(self.options.zone);
        let mut list: Vec<&Finished> = conversations.iter().collect();
        list.sort_by_cached_key(|f| (folded(&f.conversation.title), f.conversation.id.clone()));
        let messages = conversations.iter().map(|f| f.rows.messages).sum();
        let mut to = format!(
            "{}, {}\n",
            count(conversations.len() as u64, "conversation", "conversations"),
            count(messages, "message", "messages")
        );
        if let Some(as_of) = self.as_of() {
            to.push_str(&as_of);
            to.push('\n');
        }
        let all = conversations.iter().map(|finished| &finished.conversation);
        for sentence in phrase::lost_of_all(all, self.options.provenance.as_deref(), &mut clock) {
            for line in lines(&sentence, COLUMNS) {
                to.push_str(&line);
                to.push('\n');
            }
        }
        to.extend(std::iter::repeat_n('═', COLUMNS));
        to.push('\n');
        for Finished { conversation, rows, first, last, .. } in list {
            to.push('\n');
            to.push_str(&one_line(&conversation.title));
            to.push_str(&format!("\n    {}", count(rows.messages, "message", "messages")));
            let mut day = |date| phrase::short_date(&clock.local(date));
            match (first.map(&mut day), last.map(&mut day)) {
                (Some(first), Some(last)) if first != last => to.push_str(&format!(", {first} to {last}")),
                (Some(day), _) | (_, Some(day)) => to.push_str(&format!(", {day}")),
                (None, None) => {}
            }
            to.push_str(&format!("\n    {}\n", conversation_file(conversation, EXTENSION)));
        }
        to
    }
}

struct Page<'p> {
    to: String,
    clock: &'p mut Clock,
    phrases: &'p Phrases,
}

impl Page<'_> {
    fn message(&mut self, message: &Message, at: Option<&Local>) {
        self.time(at);
        if let Some(event) = self.phrases.event(message) {
            self.to.push_str("— ");
            self.to.push_str(&event);
            self.parts(message, at, false);
        } else {
            self.to.push_str(&one_line(self.phrases.sender(message)));
            self.to.push(':');
            self.parts(message, at, true);
        }
        if let Some(subject) = message.subject.as_deref().filter(|s| !s.is_empty()) {
            self.marked('·', &format!("Subject: {}", one_line(subject)));
        }
        if let Some(reply) = &message.reply_to {
            let reply = self.phrases.reply(reply, at, self.clock);
            self.marked('↳', &reply);
        }
        if !message.edits.is_empty() {
            for line in phrase::edits(message, at, self.clock) {
                self.marked('~', &line);
            }
        }
        for line in phrase::statuses(message, self.clock) {
            self.marked('·', &line);
        }
        for defect in &message.defects {
            self.marked('!', &one_line(defect));
        }
        self.to.push('\n');
    }

    /// `[13:30:05] `.
    fn time(&mut self, at: Option<&Local>) {
        let Some(at) = at else {
            return self.to.push_str("[--:--:--] ");
        };
        let mut sign = '[';
        for number in [at.hour, at.minute, at.second] {
            self.to.push(sign);
            self.to.push(char::from(b'0' + number / 10));
            self.to.push(char::from(b'0' + number % 10));
            sign = ':';
        }
        self.to.push_str("] ");
    }

    /// What the message says, part by part, each with its tapbacks. The first text goes on the line of the sender.
    fn parts(&mut self, message: &Message, at: Option<&Local>, mut on_first_line: bool) {
        let mut balloon_is_shown = message.balloon.is_none();
        let mut parts = message.parts.iter().peekable();
        if message.parts.is_empty()
            && let Some(text) = message.text()
        {
            self.text(text, on_first_line);
        }
        while let Some(Part { index, content }) = parts.next() {
            match content {
                PartContent::Text { text, .. } => self.text(text, on_first_line),
                PartContent::Attachment(i) => {
                    if let Some(attachment) = message.attachments.get(*i) {
                        self.attachment(attachment);
                    }
                }
                PartContent::Balloon => {
                    self.balloon(message, at);
                    balloon_is_shown = true;
                }
                PartContent::Unsent { date } => {
                    let date = date.map(|d| self.clock.local(d));
                    let what = message.unsent.unwrap_or(Unsent::Part);
                    let line = phrase::unsent(self.phrases, message, what, date.as_ref(), at);
                    self.marked('·', &line);
                }
            }
            on_first_line = false;
            if parts.peek().is_none_or(|next| next.index != *index) {
                self.tapbacks(message, Some(*index));
            }
        }
        if !balloon_is_shown {
            self.balloon(message, at);
        }
        if message.parts.is_empty() && message.text().is_none() && message.balloon.is_none() && on_first_line
        {
            self.marked('·', "Empty message");
        }
        self.stray_tapbacks(message);
    }

    fn text(&mut self, text: &str, on_first_line: bool) {
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.is_empty() {
            self.to.push_str(if on_first_line { " " } else { TEXT_LINE });
            visible_lines(text, TEXT_LINE, &mut self.to);
        }
    }

    /// A line about the message.
    fn marked(&mut self, mark: char, line: &str) {
        self.to.push_str(NOTE_LINE);
        self.to.push(mark);
        self.to.push(' ');
        self.to.push_str(line);
    }

    fn attachment(&mut self, attachment: &Attachment) {
        self.marked('■', &phrase::attachment(attachment));
        if let Some(path) = &attachment.path {
            self.marked('→', path);
        }
        if let Some(path) = &attachment.motion {
            self.marked('→', path);
        }
        if let Some(words) = &attachment.transcription {
            self.marked('·', &format!("Transcription: {}", one_line(words)));
        }
        if let Some(words) = &attachment.description {
            self.marked('·', &format!("Shows: {}", one_line(words)));
        }
    }

    fn balloon(&mut self, message: &Message, at: Option<&Local>) {
        let Some(balloon) = &message.balloon else {
            return;
        };
        self.marked('□', &phrase::balloon_label(balloon));
        for line in self.phrases.balloon_lines(balloon, at, self.clock) {
            match line {
                CardLine::Text(line) => self.marked('│', &line),
                CardLine::Option(option) => self.marked('│', &self.phrases.option(option)),
            }
        }
        if let Some(path) = balloon.drawing.as_ref().and_then(|drawing| drawing.path.as_deref()) {
            self.marked('→', path);
        }
        let is_a_part =
            |i: usize| message.parts.iter().any(|part| part.content == PartContent::Attachment(i));
        for i in balloon.attachments.iter().filter(|i| !is_a_part(**i)) {
            if let Some(attachment) = message.attachments.get(*i).filter(|attachment| !attachment.hidden) {
                self.attachment(attachment);
            }
        }
    }

    fn tapbacks(&mut self, message: &Message, part: Option<u32>) {
        if message.tapbacks.is_empty() {
            return;
        }
        for line in self.phrases.tapbacks(&message.tapbacks, part) {
            self.to.push_str(NOTE_LINE);
            self.to.push_str(&line);
        }
    }

    /// Those on parts that the message does not have; a lone one is the message itself.
    fn stray_tapbacks(&mut self, message: &Message) {
        let is_stray = |part: u32| message.parts.iter().all(|p| p.index != part);
        if message.kind == MessageKind::Tapback || !message.tapbacks.iter().any(|t| is_stray(t.part)) {
            return;
        }
        let strays: Vec<_> = message.tapbacks.iter().filter(|t| is_stray(t.part)).cloned().collect();
        for line in self.phrases.tapbacks(&strays, None) {
            self.to.push_str(NOTE_LINE);
            self.to.push_str(&line);
        }
    }
}
