//! PDF: a conversation as a document that people read, print, search and keep.
//!
//! `prepare` lays messages out, on any worker (`layout`, `blocks`); `append` fills pages in order
//! (`conversation`, `document`), which encoders turn into content (`encode`, printpdf) and `file` writes front
//! to back. Memory does not grow with the history but for a few bytes a page and a message.
//!
//! **Must never**: hold a document in memory, decode a picture whose bytes can be passed through, or decode one while it holds up the order of pages, write the time of
//! day, or let one message's text decide how another one's looks.

mod annotations;
mod attached;
mod blocks;
mod bundle;
mod chart;
mod conversation;
mod document;
mod emoji;
mod encode;
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
mod layout;
mod lines;
mod link;
mod metadata;
mod options;
mod outline;
mod page;
mod parts;
mod placer;
mod places;
mod png;
mod scripts;
mod shape;
mod show;
mod stickers;
mod structure;
mod style;
mod styled;
mod tags;
mod tapbacks;
mod turn;
mod vector;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{FileRecord, Staging};
use crate::model::{Conversation, Message};
use crate::pipeline::Defect;
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError, Writer};
use crate::writers::WriterOptions;
use crate::writers::clock::Clock;
use crate::writers::derived::Derived;
use crate::writers::phrase::{self, Phrases};

use blocks::{Composer, Laid};
use conversation::style_of;
use document::Spawn;
use encode::{PageEncoder, PrintpdfEncoder};
use fonts::FontSet;
use gallery::Gallery;
use layout::{Boxes, Engine};
pub use options::{Bates, DocumentOptions, LONGEST_EDGE, Split};
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
}

/// What `prepare` hands to `append`.
struct Window(Vec<Laid>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(what: impl ToString) -> WriteError {
    WriteError::Format { format: "pdf", what: what.to_string() }
}

impl PdfWriter {
    fn new(staging: Arc<Staging>, options: &WriterOptions) -> Result<PdfWriter, WriteError> {
        let fonts = FontSet::new(&options.font_dirs, options.system_fonts, options.document.archival)
            .map_err(failed)?;
        let spawn: Spawn = if options.jobs > 1 {
            // Threads of their own: `append` waits for them, and may itself run on any thread.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build().map_err(failed)?;
            Arc::new(move |work| pool.spawn(work))
        } else {
            Arc::new(|work| work())
        };
        let style = Style::new(options.pdf);
        let derived = match &options.derived {
            Some(shared) => shared.clone(),
            None => Arc::new(Derived::new(&staging)?),
        };
        Ok(PdfWriter {
            staging,
            phrases: Phrases::new(&options.me),
            options: options.clone(),
            fonts: Arc::new(fonts),
            engines: Mutex::default(),
            gallery: Arc::new(Gallery::new(derived, options.document.longest_edge)),
            boxes: Mutex::default(),
            style,
            encoder: Arc::new(PrintpdfEncoder { style }),
            spawn,
            bates: Mutex::new(options.document.bates.clone()),
        })
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
        self.options.document.bates.is_some()
    }

    fn begin<'w>(
        &'w self,
        conversation: &'w Conversation,
    ) -> Result<Box<dyn ConversationWriter + 'w>, WriteError> {
        Ok(Box::new(PdfConversation::new(self, conversation)))
    }

    fn prepare(&self, conversation: &Conversation, messages: &[Message]) -> Result<Prepared, WriteError> {
        self.gallery.look_at(messages, &self.spawn);
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
        Ok(Vec::new())
    }

    fn defects(&self) -> (Vec<Defect>, u64) {
        self.gallery.defects()
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
        boxes.into_iter().chain(forbidding).collect()
    }
}
