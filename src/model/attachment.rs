use std::sync::Arc;

use super::{Bytes, Media, Sticker};

/// A file that belongs to a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attachment {
    /// `attachment.guid`; `None` only for an object character in a body that no attachment row explains.
    pub guid: Option<String>,
    /// The name as it was sent, for display. Hostile text: never a path.
    pub name: Option<String>,
    pub mime: Option<String>,
    /// Apple's type identifier, such as `public.heic`.
    pub uti: Option<String>,
    /// Size in bytes: of the file where it is here, else what the database says, where that is plausible (> 0).
    pub bytes: Option<u64>,
    pub availability: Availability,
    /// Where the copy lies, relative to the export folder, with `/`. `None` when nothing was copied.
    pub path: Option<String>,
    /// SHA-256 of the copied bytes, lower-case hexadecimal; `None` when nothing was copied.
    pub sha256: Option<String>,
    /// The same in a form that more programs open (`--attachments convert`), relative to the export folder, with `/`.
    pub converted: Option<String>,
    pub sticker: bool,
    /// What kind of sticker, and where it lies on the message it was placed on; only where `sticker`.
    pub sticker_facts: Option<Box<Sticker>>,
    /// What the file's own bytes say of it. `None` when it is not here, or says nothing.
    pub media: Option<Box<Media>>,
    /// The moving half of a Live Photo, beside the export, relative to its folder. It has no row of its own.
    pub motion: Option<String>,
    /// Apple's transcription of an audio message.
    pub transcription: Option<String>,
    /// What it shows, in words: a Genmoji's prompt, an accessibility label.
    pub description: Option<String>,
    /// Not shown as an attachment of its own: the picture of a link preview and other helper files of balloons.
    pub hidden: bool,
    /// These bytes, for writers that embed pictures: the copy beside the export where there is one, else the source's
    /// own; of a Live Photo's bundle its picture, of other bundles none. Only set when `availability` is `Local`.
    pub content: Option<Arc<dyn Bytes>>,
}

/// Where an attachment's bytes are, by Apple's own definition
/// (`messages-format.md` 11.6: the partial index of purged attachments).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Availability {
    /// The bytes were here.
    Local,
    /// Synced to iCloud and not on this disk.
    InICloud,
    /// They should be here and are not.
    #[default]
    Missing,
    /// An audio message that Messages removed after it was played, or a transfer that ran out.
    Expired,
}
