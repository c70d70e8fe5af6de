//! PDF: a conversation as a document that people read, print, search and keep.
//!
//! `prepare` lays messages out, on any worker (`layout`, `blocks`); `append` fills pages in order
//! (`chapter`, `document`), which encoders turn into content (`delivery`, `encode`, printpdf) and `file` writes front
//! to back. A document is a conversation, a part of one (`parts`), or all of them (`combined`). Memory does not grow with the history but for a few bytes a page and a message.
//!
//! **Must never**: hold a document in memory, decode a picture whose bytes can be passed through, or decode one while it holds up the order of pages, write the time of
//! day, or let one message's text decide how another one's looks.

mod annotations;
mod attached;
mod blocks;
mod bundle;
mod chapter;
mod chart;
mod combined;
mod cover;
mod delivery;
mod document;
mod element;
mod emoji;
mod encode;
mod ending;
mod file;
mod fonts;
mod front;
mod furniture;
mod gallery;
mod glyphs;
mod icc;
mod image;
mod index;
mod jpeg;
mod kept;
mod labels;
mod language;
mod layout;
mod lines;
mod link;
mod metadata;
mod options;
mod outline;
mod overview;
mod page;
mod pages;
mod parts;
mod placer;
mod places;
mod png;
mod properties;
mod scripts;
mod shape;
pub mod sheet;
mod show;
mod stickers;
mod structure;
mod style;
mod styled;
mod tags;
mod tapbacks;
mod turn;
mod vector;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::disk::{FileRecord, HashedFile, Staging};
use crate::model::{Conversation, Message};
use crate::pipeline::Defect;
use crate::pipeline::crew::lock;
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError, Writer};
use crate::writers::WriterOptions;
use crate::writers::clock::Clock;
use crate::writers::derived::Derived;
use crate::writers::phrase::{self, Phrases};

use blocks::{Composer, Laid};
use chapter::style_of;
use combined::{Combined, CombinedChapter};
use delivery::Spawn;
use document::{Complete, Document};
use encode::{PageEncoder, PrintpdfEncoder};
use fonts::FontSet;
use gallery::Gallery;
use layout::{Boxes, Engine};
use metadata::About;
pub use options::{Bates, Division, DocumentOptions, LONGEST_EDGE, Split};
use parts::PdfConversation;
use style::Style;
pub use style::{FONT_SIZES, Paper, PdfOptions, Theme, Times};

/// Starts the format.
pub fn open(staging: Arc<Staging>, options: &WriterOptions) -> Result<Box<dyn Writer>, WriteError> {
    Ok(Box::new(PdfWriter::new(staging, options)?))
}

/// Writes the PDFs of conversations.
struct PdfWriter {
    staging: Arc<Staging>,
    options: WriterOptions,
    phrases: Phrases,
    fonts: Arc<FontSet>,
    engines: Mutex<Vec<Engine>>,
    gallery: Arc<Gallery>,
    boxes: Mutex<Boxes>,
    style: Style,
    encoder: Arc<dyn PageEncoder>,
    spawn: Spawn,
    /// The number of the next document's first page.
    bates: Mutex<Option<Bates>>,
    /// Where all conversations are one document: those that will come, and the document.
    coming: Mutex<Arc<Vec<Finished>>>,
    combined: Mutex<Option<Combined>>,
    /// Files of more objects than PDF/A allows.
    too_large: Mutex<BTreeSet<String>>,
}

/// What `prepare` hands to `append`.
struct Window(Vec<Laid>);

fn failed(what: impl ToString) -> WriteError {
    WriteError::Format { format: "pdf", what: what.to_string() }
}

fn too_large(name: &str) -> String {
    format!("{name} has more objects than PDF/A allows, 8,388,607: --split makes smaller documents")
}

impl PdfWriter {
    fn new(staging: Arc<Staging>, options: &WriterOptions) -> Result<PdfWriter, WriteError> {
        let fonts = FontSet::new(&options.font_dirs, options.system_fonts, options.document.archival)
            .map_err(failed)?;
        let spawn = delivery::workers(options.jobs).map_err(failed)?;
        let style = Style::new(options.pdf);
        let derived = match &options.derived {
            Some(shared) => shared.clone(),
            None => Arc::new(Derived::new(&staging)?),
        };
        let gallery = Gallery::new(derived, options.document.longest_edge, options.jobs).map_err(failed)?;
        Ok(PdfWriter {
            staging,
            phrases: Phrases::new(&options.me),
            options: options.clone(),
            fonts: Arc::new(fonts),
            engines: Mutex::default(),
            gallery: Arc::new(gallery),
            boxes: Mutex::default(),
            style,
            encoder: Arc::new(PrintpdfEncoder { style }),
            spawn,
            bates: Mutex::new(options.document.bates.clone()),
            coming: Mutex::default(),
            combined: Mutex::default(),
            too_large: Mutex::default(),
        })
    }

    /// Begins a file.
    fn document(&self, name: &str, title: String) -> Result<Document<HashedFile>, WriteError> {
        let about = About { title, tool: self.options.tool.clone(), period: None, archival: true };
        let file = self.staging.create(name)?;
        Document::new(file, about, self.style, self.encoder.clone(), self.spawn.clone())
            .map_err(parts::writing(name))
    }

    /// A document is complete. One that is too large for PDF/A is told of, or refused.
    fn keep(&self, name: &str, complete: Complete<HashedFile>) -> Result<FileRecord, WriteError> {
        if complete.is_too_large {
            if self.options.document.archival {
                return Err(failed(too_large(name)));
            }
            lock(&self.too_large).insert(too_large(name));
        }
        Ok(complete.out.finish()?)
    }

    fn is_combined(&self) -> bool {
        self.options.document.division == Division::All
    }

    /// Lends an engine; it keeps its caches from one use to the next.
    fn with_engine<T>(&self, work: impl FnOnce(&mut Engine) -> T) -> T {
        let mut engine = lock(&self.engines).pop().unwrap_or_else(|| Engine::new(self.fonts.clone()));
        let result = work(&mut engine);
        let boxes = std::mem::take(&mut engine.boxes);
        if !boxes.is_empty() {
            let mut all = lock(&self.boxes);
            for (script, count) in boxes {
                *all.entry(script).or_default() += count;
            }
        }
        lock(&self.engines).push(engine);
        result
    }
}

impl Writer for PdfWriter {
    fn one_by_one(&self) -> bool {
        self.options.document.bates.is_some() || self.is_combined()
    }

    /// The cover of all conversations has their names on it.
    fn looks_ahead(&self) -> bool {
        self.is_combined() && self.options.document.cover
    }

    fn expect(&self, conversations: &[Finished]) -> Result<(), WriteError> {
        *lock(&self.coming) = Arc::new(conversations.to_vec());
        Ok(())
    }

    fn begin<'w>(
        &'w self,
        conversation: &'w Conversation,
    ) -> Result<Box<dyn ConversationWriter + 'w>, WriteError> {
        if self.is_combined() {
            return Ok(Box::new(CombinedChapter::begin(self, conversation)?));
        }
        Ok(Box::new(PdfConversation::new(self, conversation)))
    }

    fn prepare(&self, conversation: &Conversation, messages: &[Message]) -> Result<Prepared, WriteError> {
        self.gallery.look_at(&conversation.id, messages);
        let laid = self.with_engine(|engine| {
            let mut composer = Composer {
                engine,
                clock: Clock::new(self.options.zone),
                phrases: &self.phrases,
                gallery: &self.gallery,
                style: style_of(conversation, &self.options),
            };
            messages.iter().map(|message| composer.message(message)).collect()
        });
        Ok(Box::new(Window(laid)))
    }

    fn finish(&self, _: &[Finished]) -> Result<Vec<FileRecord>, WriteError> {
        let combined = lock(&self.combined).take();
        combined.map(|combined| combined.finish(self)).into_iter().collect()
    }

    fn defects(&self) -> (Vec<Defect>, u64) {
        self.gallery.defects()
    }

    fn unread(&self) -> BTreeSet<String> {
        self.gallery.unread()
    }

    fn notes(&self) -> Vec<String> {
        let line = |(script, count): (&String, &u64)| {
            let count = phrase::count(*count, "character", "characters");
            format!(
                "PDF: no font has {count} of the script {script}: drawn as boxes, still found by searching"
            )
        };
        let boxes = lock(&self.boxes).iter().map(line).collect::<Vec<_>>();
        let forbidding = self.fonts.forbidding().into_iter().map(|font| {
            format!("PDF: the font {font} forbids to be embedded: documents that show it are not PDF/A")
        });
        let too_large = lock(&self.too_large).iter().map(|note| format!("PDF: {note}")).collect::<Vec<_>>();
        boxes.into_iter().chain(forbidding).chain(too_large).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Others, Staging};

    #[test]
    fn a_document_too_large_for_pdf_a_is_told_of_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Arc::new(Staging::begin(&folder.path().join("out"), Others::Refused).unwrap());
        for archival in [false, true] {
            let document = DocumentOptions { archival, ..DocumentOptions::default() };
            let options = WriterOptions { document, ..WriterOptions::default() };
            let writer = PdfWriter::new(staging.clone(), &options).unwrap();
            let name = format!("{archival}.pdf");
            let out = staging.create(&name).unwrap();
            let kept = writer.keep(&name, Complete { out, pages: 3_000_000, is_too_large: true });
            if archival {
                let refused = kept.unwrap_err().to_string();
                assert!(refused.contains("--split makes smaller documents"), "{refused}");
            } else {
                kept.unwrap();
                assert!(
                    writer.notes()[0].starts_with("PDF: false.pdf has more objects"),
                    "{:?}",
                    writer.notes()
                );
            }
        }
    }
}
