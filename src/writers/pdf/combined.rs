//! One document of all conversations, a chapter each, in the order of their titles.
//!
//! **Must never**: hold a conversation's messages, or begin one before the one before it is complete.

use std::io;

use crate::disk::{FileRecord, HashedFile};
use crate::model::Conversation;
use crate::pipeline::RowCounts;
use crate::pipeline::crew::lock;
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError};
use crate::writers::contents::Contents;
use crate::writers::phrase;

use super::chapter::{Chapter, Plan};
use super::document::{Complete, Document};
use super::ending::Ending;
use super::front;
use super::furniture::Running;
use super::index::Listed;
use super::layout::Engine;
use super::options::Bates;
use super::overview::{self, Begins, Outcome};
use super::pages::Free;
use super::parts::writing;
use super::places::Place;

use super::tags::{Depth, Reading};
use super::{PdfWriter, Window, failed};

/// The name of the file.
pub const FILE: &str = "conversations.pdf";

/// The document in the making.
pub struct Combined {
    document: Document<HashedFile>,
    title: String,
    bates: Option<Bates>,
    /// For the cover.
    free: Option<Free>,
    begins: Vec<Begins>,
    index: Vec<Listed>,
    contents: Contents,
    rows: RowCounts,
}

impl Combined {
    /// Leaves room for a cover of these conversations.
    fn begin(writer: &PdfWriter) -> Result<Combined, WriteError> {
        let title = phrase::all_of(&writer.options.me);
        let mut document = writer.document(FILE, title.clone())?;
        let mut free = None;
        if writer.options.document.cover {
            let coming = lock(&writer.coming).clone();
            let blocks = writer.with_engine(|engine| {
                overview::blocks(&coming, &writer.options, &Outcome::default(), engine)
            });
            let pages = front::pages(blocks, &writer.style).map_err(writing(FILE))?;
            free = Some(document.leave_free(pages));
        }
        Ok(Combined {
            document,
            title,
            bates: lock(&writer.bates).clone(),
            free,
            begins: Vec::new(),
            index: Vec::new(),
            contents: Contents::default(),
            rows: RowCounts::default(),
        })
    }

    /// Completes the document, once all conversations are.
    pub fn finish(self, writer: &PdfWriter) -> Result<FileRecord, WriteError> {
        let closed = writer.with_engine(|engine| self.close(writer, engine));
        writer.keep(FILE, closed.map_err(writing(FILE))?)
    }

    fn close(self, writer: &PdfWriter, engine: &mut Engine) -> io::Result<Complete<HashedFile>> {
        let Combined { mut document, title, bates, free, begins, index, contents, rows } = self;
        let options = &writer.options;
        let ending = Ending::new(&title, bates.clone(), options);
        ending.index(&mut document, &index, engine)?;
        if let Some(free) = free {
            document.begin_section(Depth::Document, Reading::First)?;
            document.mark(phrase::CONTENTS, Place::FIRST);
            document.turn_to(free)?;
            let running = Running::new(title, options, bates);
            let outcome =
                Outcome { begins: &begins, contents: contents.clone(), rows: Some(rows), is_final: true };
            let coming = lock(&writer.coming).clone();
            for block in overview::blocks(&coming, options, &outcome, engine) {
                document.place(block, &mut |end| running.on(end.number, phrase::CONTENTS, engine))?;
            }
            document.turn_back(&mut |end| running.on(end.number, phrase::CONTENTS, engine))?;
        }
        ending.finish(document, &contents, engine)
    }
}

/// Writes a conversation into it.
pub struct CombinedChapter<'w> {
    writer: &'w PdfWriter,
    conversation: &'w Conversation,
    place: Place,
    chapter: Chapter,
}

impl<'w> CombinedChapter<'w> {
    /// Begins the document, too, with the first one.
    pub fn begin(
        writer: &'w PdfWriter,
        conversation: &'w Conversation,
    ) -> Result<CombinedChapter<'w>, WriteError> {
        let mut slot = lock(&writer.combined);
        let combined = match &mut *slot {
            Some(combined) => combined,
            None => slot.insert(Combined::begin(writer)?),
        };
        let plan = plan(writer, conversation, combined.bates.clone());
        let place = Place { page: combined.document.page_number(), y: 0 };
        let depth = if writer.options.document.cover { Depth::Chapter } else { Depth::Document };
        combined.document.begin_chapter(&plan.title, place);
        let begun = combined.document.begin_section(depth, Reading::InOrder).and_then(|()| {
            writer.with_engine(|engine| Chapter::begin(&mut combined.document, &plan, engine))
        });
        Ok(CombinedChapter { writer, conversation, place, chapter: begun.map_err(writing(FILE))? })
    }
}

impl ConversationWriter for CombinedChapter<'_> {
    fn append(&mut self, prepared: Prepared) -> Result<(), WriteError> {
        let window: Box<Window> =
            prepared.downcast().map_err(|_| failed("a window of another writer was appended"))?;
        let mut slot = lock(&self.writer.combined);
        let Some(Combined { document, .. }) = &mut *slot else { return Ok(()) };
        let appended = self.writer.with_engine(|engine| {
            window.0.into_iter().try_for_each(|laid| self.chapter.message(document, laid, engine))
        });
        appended.map_err(writing(FILE))
    }

    fn finish(self: Box<Self>, done: &Finished) -> Result<Vec<FileRecord>, WriteError> {
        let CombinedChapter { writer, conversation, place, chapter } = *self;
        let mut slot = lock(&writer.combined);
        let Some(combined) = &mut *slot else { return Ok(Vec::new()) };
        let plan = plan(writer, &done.conversation, combined.bates.clone());
        let ended = writer.with_engine(|engine| {
            let written = chapter.end(&mut combined.document, &plan, Some(done.rows), engine)?;
            combined.document.end_chapter()?;
            Ok(written)
        });
        let written = ended.map_err(writing(FILE))?;
        combined.begins.push(Begins {
            place,
            messages: written.contents.messages,
            period: phrase::period(&written.contents),
        });
        let heading = Some(phrase::one_line(&conversation.title).into_owned());
        combined.index.push(Listed { heading, entries: written.index });
        combined.contents.merge(&written.contents);
        combined.rows.add(&done.rows);
        Ok(Vec::new())
    }
}

fn plan<'p>(writer: &'p PdfWriter, conversation: &'p Conversation, bates: Option<Bates>) -> Plan<'p> {
    let title = phrase::one_line(&conversation.title).into_owned();
    Plan { conversation, options: &writer.options, title, bates, part: None, says_origin: false }
}
