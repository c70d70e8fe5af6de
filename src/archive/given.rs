//! What a run is given: the sources, and how to run.

use std::path::{Path, PathBuf};

use crate::disk::Guard;
use crate::model::Instant;
use crate::source::contacts::Contact;
use crate::source::tables::Tables;

/// How to run.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveOptions<'a> {
    /// When the sources are read.
    pub now: Instant,
    /// Worker threads; at least 1.
    pub jobs: usize,
    /// Says what a run would do, and does nothing: the run itself, of which nothing is kept.
    pub dry_run: bool,
    /// Keeps watch over what such a run copies of the archive.
    pub guard: Option<Guard>,
    /// Sources that should be read, too, and are not there, with the reason: the record says so.
    pub away: &'a [String],
    /// Where sources lay that are gone for good: nothing waits for them any more.
    pub gone: &'a [PathBuf],
    /// An export of the archive: contents that are damaged, and that no source has, are taken again from there.
    pub copies: Option<&'a Path>,
}

/// A source, and the cards of the address book that belongs to it.
#[derive(Debug)]
pub struct Feed {
    pub tables: Tables,
    pub contacts: Vec<Contact>,
}
