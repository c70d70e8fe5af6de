//! A conversation's documents: one, or several that follow each other and name their neighbors.

use std::io;

use crate::disk::{DiskError, FileRecord, HashedFile};
use crate::model::Conversation;
use crate::pipeline::crew::lock;
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError};
use crate::writers::{conversation_file, phrase};

use super::blocks::Laid;
use super::chapter::{Chapter, Plan};
use super::document::Document;
use super::ending::Ending;
use super::index::Listed;
use super::options::{Bates, Division, Split};
use super::places::Place;
use super::tags::{Depth, Reading};
use super::{PdfWriter, Window, failed};

/// Where a document stands among the parts of its conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbors {
    /// What tells it from the others, such as `2024`.
    pub label: String,
    /// The names of the files before and after it.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What the messages of a part have in common; those that come later have a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    All,
    /// Messages without a date come first.
    Undated,
    Month(i64, u8),
    Number(u64),
}

impl Key {
    fn label(self) -> String {
        match self {
            Key::All => String::new(),
            Key::Undated => "undated".into(),
            Key::Month(year, 0) => format!("{year:04}"),
            Key::Month(year, month) => format!("{year:04}-{month:02}"),
            Key::Number(number) => format!("{number:03}"),
        }
    }
}

struct Part {
    key: Key,
    name: String,
    before: Option<String>,
    messages: u64,
    bates: Option<Bates>,
    document: Document<HashedFile>,
    chapter: Chapter,
}

/// Writes a conversation.
pub struct PdfConversation<'w> {
    writer: &'w PdfWriter,
    conversation: &'w Conversation,
    part: Option<Part>,
    written: Vec<FileRecord>,
}

impl<'w> PdfConversation<'w> {
    pub fn new(writer: &'w PdfWriter, conversation: &'w Conversation) -> PdfConversation<'w> {
        PdfConversation { writer, conversation, part: None, written: Vec::new() }
    }

    /// The part that the next message belongs to.
    fn key(&self, laid: &Laid) -> Key {
        let current = self.part.as_ref().map(|part| part.key);
        let dated = |month: bool| match &laid.at {
            Some(at) => Key::Month(at.year, if month { at.month } else { 0 }),
            None => Key::Undated,
        };
        let Division::Parts(split) = self.writer.options.document.division else { return Key::All };
        let next = match split {
            Split::Year => dated(false),
            Split::Month => dated(true),
            Split::Messages(most) => match &self.part {
                Some(Part { key: Key::Number(number), messages, .. }) if *messages >= most => {
                    Key::Number(number + 1)
                }
                Some(part) => part.key,
                None => Key::Number(1),
            },
        };
        // What is out of order stays where it is: a part is never opened again.
        current.map_or(next, |current| current.max(next))
    }

    fn name(&self, key: Key) -> String {
        match key {
            Key::All => conversation_file(self.conversation, "pdf"),
            key => conversation_file(self.conversation, &format!("{}.pdf", key.label())),
        }
    }

    fn plan<'p>(&'p self, key: Key, conversation: &'p Conversation, bates: Option<Bates>) -> Plan<'p> {
        let title = phrase::one_line(&conversation.title);
        let title = match key {
            Key::All => title.into_owned(),
            key => format!("{title}, {}", key.label()),
        };
        Plan { conversation, options: &self.writer.options, title, bates, part: None, says_origin: true }
    }

    fn open(&mut self, key: Key, before: Option<String>) -> Result<(), WriteError> {
        let writer = self.writer;
        let name = self.name(key);
        let bates = lock(&writer.bates).clone();
        let part = neighbors(key, before.clone(), None);
        let plan = Plan { part, ..self.plan(key, self.conversation, bates.clone()) };
        let mut document = writer.document(&name, plan.title.clone())?;
        let begun = document
            .begin_section(Depth::Document, Reading::InOrder)
            .and_then(|()| writer.with_engine(|engine| Chapter::begin(&mut document, &plan, engine)));
        let chapter = begun.map_err(writing(&name))?;
        self.part = Some(Part { key, name, before, messages: 0, bates, document, chapter });
        Ok(())
    }

    /// Completes the part that is being written; `done` is only known with the last.
    fn close(&mut self, after: Option<String>, done: Option<&Finished>) -> Result<(), WriteError> {
        let Some(Part { key, name, before, bates, mut document, chapter, .. }) = self.part.take() else {
            return Ok(());
        };
        let writer = self.writer;
        let conversation = done.map_or(self.conversation, |done| &done.conversation);
        let part = neighbors(key, before, after);
        let plan = Plan { part, ..self.plan(key, conversation, bates.clone()) };
        let closed = writer.with_engine(|engine| {
            if plan.options.document.cover {
                document.mark(phrase::COVER, Place::FIRST);
            }
            let written = chapter.end(&mut document, &plan, done.map(|done| done.rows), engine)?;
            let listed = [Listed { heading: None, entries: written.index }];
            let ending = Ending::new(&plan.title, bates, &writer.options);
            ending.index(&mut document, &listed, engine)?;
            ending.finish(document, &written.contents, engine)
        });
        let complete = closed.map_err(writing(&name))?;
        if let Some(bates) = &mut *lock(&writer.bates) {
            bates.number = bates.number.saturating_add(u64::from(complete.pages));
        }
        self.written.push(writer.keep(&name, complete)?);
        Ok(())
    }

    fn message(&mut self, laid: Laid) -> Result<(), WriteError> {
        let key = self.key(&laid);
        if self.part.as_ref().is_none_or(|part| part.key != key) {
            let before = self.part.as_ref().map(|part| part.name.clone());
            self.close(Some(self.name(key)), None)?;
            self.open(key, before)?;
        }
        let Some(Part { name, messages, document, chapter, .. }) = &mut self.part else { return Ok(()) };
        *messages += 1;
        self.writer.with_engine(|engine| chapter.message(document, laid, engine)).map_err(writing(name))
    }
}

impl ConversationWriter for PdfConversation<'_> {
    fn append(&mut self, prepared: Prepared) -> Result<(), WriteError> {
        let window: Box<Window> =
            prepared.downcast().map_err(|_| failed("a window of another writer was appended"))?;
        window.0.into_iter().try_for_each(|laid| self.message(laid))
    }

    fn finish(mut self: Box<Self>, done: &Finished) -> Result<Vec<FileRecord>, WriteError> {
        // A conversation without messages is a document all the same.
        if self.part.is_none() {
            self.open(Key::All, None)?;
        }
        self.close(None, Some(done))?;
        Ok(self.written)
    }
}

/// A document that is all of its conversation has none.
fn neighbors(key: Key, before: Option<String>, after: Option<String>) -> Option<Neighbors> {
    (key != Key::All).then(|| Neighbors { label: key.label(), before, after })
}

/// The error of a file that cannot be written.
pub fn writing(name: &str) -> impl FnOnce(io::Error) -> WriteError + '_ {
    move |error| DiskError::writing(name)(error).into()
}
