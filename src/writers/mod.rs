//! The model → files. One row in [`FORMATS`] and one file or folder of code a format.
//!
//! **Must never**: import `source` (but for what the pipeline's traits carry), see a row id beyond a message's
//! `rowid`, ask a question while rendering, or trust a text.

pub mod assets;
pub mod clock;
pub mod comparison;
pub mod contents;
mod csv;
pub mod derived;
pub mod export;
mod json;
pub mod jsonl;
pub mod keep_up;
mod making;
pub mod manifest;
mod open_in_messages;
pub mod pdf;
pub mod phrase;
pub mod provenance;
pub mod storage;
mod strokes;
pub mod svg;
mod text;
pub mod work_list;
mod xml;

use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::{FileRecord, HashedFile, Staging, portable_name};
use crate::model::Conversation;
use crate::pipeline::writer::{ConversationWriter, Finished, Prepared, WriteError, Writer};

/// One output format.
#[derive(Debug)]
pub struct Format {
    /// What `--format` takes.
    pub name: &'static str,
    /// Without the dot.
    pub extension: &'static str,
    /// One line for help and README.
    pub summary: &'static str,
    /// Its files say which bytes of the source were read, for which all of them are hashed: that takes a tenth of the
    /// time of a text format.
    pub shows_digest: bool,
    pub open: OpenWriter,
}

/// Starts a format over an export in the making.
pub type OpenWriter = fn(Arc<Staging>, &WriterOptions) -> Result<Box<dyn Writer>, WriteError>;

/// Every format there is.
pub const FORMATS: &[Format] = &[
    Format {
        name: "pdf",
        extension: "pdf",
        summary: "documents to read, print and search, with pictures and emoji",
        shows_digest: true,
        open: pdf::open,
    },
    Format {
        name: "txt",
        extension: "txt",
        summary: "a transcript to read in any terminal or editor",
        shows_digest: false,
        open: text::open,
    },
    Format {
        name: "csv",
        extension: "csv",
        summary: "a table, one row a message, exact; --excel for spreadsheets",
        shows_digest: false,
        open: csv::open,
    },
    Format {
        name: "jsonl",
        extension: "jsonl",
        summary: "one JSON object a message, with everything there is, for programs",
        shows_digest: false,
        open: jsonl::open,
    },
];

/// How things are to be shown.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// All times are shown in it.
    pub zone: chrono_tz::Tz,
    /// How the owner is named.
    pub me: String,
    /// Such as `msgarchive 0.1.0`.
    pub tool: String,
    /// Worker threads a format may use for itself.
    pub jobs: usize,
    /// CSV for spreadsheets: BOM, CRLF, formulas defused.
    pub excel: bool,
    /// What is around the messages of a document.
    pub document: pdf::DocumentOptions,
    /// Folders with further fonts, before the bundled ones.
    pub font_dirs: Vec<PathBuf>,
    /// Also use the system's fonts, after the bundled ones.
    pub system_fonts: bool,
    /// Where the export comes from, for those that say so.
    pub provenance: Option<Arc<provenance::Provenance>>,
    /// How PDF looks.
    pub pdf: pdf::PdfOptions,
    /// The pictures that all formats of a run make and share. A format that gets none has its own.
    pub derived: Option<Arc<derived::Derived>>,
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions {
            zone: chrono_tz::UTC,
            me: "Me".into(),
            tool: concat!("msgarchive ", env!("CARGO_PKG_VERSION")).into(),
            jobs: 1,
            excel: false,
            document: pdf::DocumentOptions::default(),
            font_dirs: Vec::new(),
            system_fonts: false,
            provenance: None,
            pdf: pdf::PdfOptions::default(),
            derived: None,
        }
    }
}

/// The name of a conversation's file: its title, made portable, and its id. `ending` is `txt`, or for one file of
/// several such as `2024.pdf`.
pub fn conversation_file(conversation: &Conversation, ending: &str) -> String {
    portable_name(&conversation.title, &format!(" [{}].{ending}", conversation.id))
}

/// A file of finished lines: what the formats write that have nothing to add when windows are put in order.
struct Lines {
    file: HashedFile,
}

impl Lines {
    fn begin<'w>(
        staging: &Staging,
        name: &str,
        header: &[u8],
    ) -> Result<Box<dyn ConversationWriter + 'w>, WriteError> {
        let mut file = staging.create(name)?;
        file.put(header)?;
        Ok(Box::new(Lines { file }))
    }
}

impl ConversationWriter for Lines {
    fn append(&mut self, prepared: Prepared) -> Result<(), WriteError> {
        let lines = prepared.downcast::<Vec<u8>>().map_err(|_| mistaken(self.file.relative()))?;
        Ok(self.file.put(&lines)?)
    }

    fn finish(self: Box<Self>, _: &Finished) -> Result<Vec<FileRecord>, WriteError> {
        Ok(vec![self.file.finish()?])
    }
}

/// A writer was handed what another one prepared.
fn mistaken(file: &str) -> WriteError {
    WriteError::Format { format: "lines", what: format!("{file}: a window that another format prepared") }
}
