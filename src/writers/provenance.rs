//! Where an export comes from and how it was made: what its manifest and a cover say of it.
//!
//! **Must never**: ask what time it is. Whoever opened the source knows.

use std::sync::OnceLock;

use super::export::AttachmentMode;
use crate::model::Instant;
use crate::pipeline::select::Selection;
use crate::source::{SourceDigest, SourceInfo};

/// An export's origin.
#[derive(Debug)]
pub struct Provenance {
    pub source: SourceInfo,
    pub selection: Selection,
    pub attachments: AttachmentMode,
    /// When the source was read, where whoever did says so.
    pub read_at: Option<Instant>,
    /// The export is kept up with its source: a document stays what it is as long as its conversation does, so it says
    /// nothing of the whole source's bytes.
    pub is_kept_up: bool,
    digest: OnceLock<Option<SourceDigest>>,
}

impl Provenance {
    pub fn new(
        source: SourceInfo,
        selection: Selection,
        attachments: AttachmentMode,
        read_at: Option<Instant>,
        is_kept_up: bool,
    ) -> Provenance {
        Provenance { source, selection, attachments, read_at, is_kept_up, digest: OnceLock::new() }
    }

    /// As of when an archive is shown, where it is not as it is.
    pub fn as_of(&self) -> Option<Instant> {
        self.source.as_of()
    }

    /// Says which bytes were read: `None` where they could not be hashed, or nothing shows it. To be called once; others may be waiting.
    pub fn set_digest(&self, digest: Option<SourceDigest>) {
        self.digest.get_or_init(|| digest);
    }

    /// Which bytes were read; waits until somebody knows.
    pub fn digest(&self) -> Option<&SourceDigest> {
        self.digest.wait().as_ref()
    }
}
