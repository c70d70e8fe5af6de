//! What a writer is, to the pipeline.
//!
//! A window of messages goes through a writer in two halves: [`Writer::prepare`] runs on any worker, in any order,
//! and does the expensive part (laying out, encoding); [`ConversationWriter::append`] gets the prepared windows one
//! by one, oldest first, and should do little. So one giant conversation keeps all cores busy, and the bytes do not
//! depend on their number.

use std::any::Any;
use std::collections::BTreeSet;

use super::count::{AttachmentCounts, Defect, RowCounts};
use crate::disk::{DiskError, FileRecord};
use crate::model::{Conversation, Drawing, Instant, Message};
use crate::source::Content;

/// One output format at work.
pub trait Writer: Sync {
    /// What is written of a conversation depends on those before it, such as numbers that run through all of them: they
    /// come by title, and one begins when the one before it is complete.
    fn one_by_one(&self) -> bool {
        false
    }
    /// What is written begins with what comes later, such as contents: all conversations are read twice, and
    /// [`Writer::expect`] hears of them the first time.
    fn looks_ahead(&self) -> bool {
        false
    }
    /// Before the first conversation, of who looks ahead: all that will come, in the order in which they come where they
    /// come one by one.
    fn expect(&self, conversations: &[Finished]) -> Result<(), WriteError> {
        let _ = conversations;
        Ok(())
    }
    /// It shows what attachments' own bytes say of them, for which their files are opened.
    fn shows_facts(&self) -> bool {
        true
    }
    /// Starts a conversation's file.
    fn begin<'w>(
        &'w self,
        conversation: &'w Conversation,
    ) -> Result<Box<dyn ConversationWriter + 'w>, WriteError>;
    /// The parallel half: a pure function of its arguments.
    fn prepare(&self, conversation: &Conversation, messages: &[Message]) -> Result<Prepared, WriteError>;
    /// After the last conversation: writes what speaks of all of them (an index). In the order of the conversations' ids.
    fn finish(&self, conversations: &[Finished]) -> Result<Vec<FileRecord>, WriteError>;
    /// What only this format can find out, such as a picture whose pixels are damaged: sorted, the first ten thousand,
    /// and how many there were.
    fn defects(&self) -> (Vec<Defect>, u64) {
        (Vec::new(), 0)
    }
    /// Conversations of which something could not be read, by id: it may be when it is tried again.
    fn unread(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }
    /// Things to tell the user once at the end, such as scripts that no font has.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One conversation's file in the making. Dropping it without `finish` leaves nothing behind.
pub trait ConversationWriter: Send {
    /// The ordered half.
    fn append(&mut self, prepared: Prepared) -> Result<(), WriteError>;
    /// Completes the file (or files). `done` is all that the run knows of the conversation now.
    fn finish(self: Box<Self>, done: &Finished) -> Result<Vec<FileRecord>, WriteError>;
}

/// What one writer's `prepare` hands to its own `append`.
pub type Prepared = Box<dyn Any + Send>;

/// A conversation that was written, with what only writing it could tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub conversation: Conversation,
    /// What became of its rows; its messages are the lines of its file.
    pub rows: RowCounts,
    pub attachments: AttachmentCounts,
    /// The first and last instant of the messages written that have one.
    pub first: Option<Instant>,
    pub last: Option<Instant>,
}

impl Finished {
    /// The same conversation with the same rows, wherever its attachments are by now.
    pub(super) fn is_like(&self, other: &Finished) -> bool {
        let Finished { conversation, rows, attachments: _, first, last } = self;
        (conversation, rows, first, last) == (&other.conversation, &other.rows, &other.first, &other.last)
    }
}

/// Where attachments go beside an export.
pub trait AssetSink: Sync {
    /// The parallel half: takes the bytes in and hashes them, under no name yet.
    fn take(&self, content: &Content) -> Result<TakenAsset, WriteError>;
    /// The parallel half for what no source has as a file: makes an SVG picture of a drawing. `title` and `description`
    /// say what it shows; they are hostile.
    fn draw(&self, drawing: &Drawing, title: &str, description: &str) -> Result<TakenAsset, WriteError>;
    /// The ordered half: names it in the conversation's folder. `name` is hostile.
    fn place(
        &self,
        conversation: &Conversation,
        taken: TakenAsset,
        name: &str,
        date: Option<Instant>,
    ) -> Result<PlacedAsset, WriteError>;
    /// Names it after another that was placed, with this extension: `2024-05-01 IMG_0042.mov` beside
    /// `2024-05-01 IMG_0042.heic`.
    fn place_beside(
        &self,
        conversation: &Conversation,
        taken: TakenAsset,
        other: &PlacedAsset,
        extension: &str,
        date: Option<Instant>,
    ) -> Result<PlacedAsset, WriteError>;
    /// The conversation gets no more attachments: what was kept for it can go.
    fn close(&self, conversation: &Conversation) {
        let _ = conversation;
    }
}

/// Bytes that were taken in and wait for a name.
#[derive(Debug)]
pub struct TakenAsset {
    /// Where they wait: a file (or, for a bundle, a folder) in the staging folder.
    pub waiting: std::path::PathBuf,
    pub bytes: u64,
    /// Lower-case hexadecimal; `None` for a bundle.
    pub sha256: Option<String>,
    /// The same in a form that more programs open, where that is wanted; the error is for people.
    pub converted: Option<Result<Box<ConvertedAsset>, String>>,
}

/// A converted copy that waits for its name.
#[derive(Debug)]
pub struct ConvertedAsset {
    /// Without the dot.
    pub extension: &'static str,
    pub taken: TakenAsset,
}

/// An attachment beside the export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedAsset {
    /// Relative to the export folder, with `/`.
    pub path: String,
    /// Readable now (it lies in the staging folder until the export is published).
    pub file: std::path::PathBuf,
    pub bytes: u64,
    pub sha256: Option<String>,
}

/// Why an export cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An attachment's bytes cannot be read: the export goes on, the attachment becomes a defect.
    #[error("cannot read {}", path.display())]
    Unreadable { path: std::path::PathBuf, source: std::io::Error },
    /// A format could not encode something.
    #[error("cannot write {format}: {what}")]
    Format { format: &'static str, what: String },
}
