//! A whole export: a source in, a folder out.
//!
//! **Must never**: let anything appear before all of it is there, or claim success for an account that does not
//! balance (the pipeline checks it).

use std::any::Any;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::assets::{AssetFolder, AssetMode};
use super::derived::Derived;
use super::provenance::Provenance;
use super::{Format, WriterOptions, manifest};
use crate::disk::Staging;
use crate::model::Instant;
use crate::pipeline::roster::Roster;
use crate::pipeline::select::Selection;
use crate::pipeline::writer::{AssetSink, WriteError, Writer};
use crate::pipeline::{self, ExportError, Options, Progress, Report};
use crate::source::contacts::Contact;
use crate::source::{ChatId, RawChat, Source};

/// What to export, and how.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The export folder; made where there is none.
    pub out: PathBuf,
    /// At least one.
    pub formats: Vec<&'static Format>,
    pub attachments: AttachmentMode,
    /// Allow a folder that holds files of somebody else's. They are not touched.
    pub into_existing: bool,
    pub selection: Selection,
    pub writer: WriterOptions,
    /// Worker threads; at least 1, at most the source's sessions.
    pub jobs: usize,
    /// When the source was opened, for what says so: the only thing that differs between two runs over one source.
    pub read_at: Option<Instant>,
    /// Keeps watch where a source is encrypted: what is made of it lies in clear until it appears.
    pub guard: Option<Guard>,
    /// The options as given, for the manifest: name and value.
    pub options: Vec<(String, String)>,
}

/// Hears of the hidden folder in which an export is made, before anything is in it. What it returns is dropped when the
/// folder is gone. A program can have the folder cleared away if it is killed ([`clear_away`](crate::disk::clear_away)).
pub type Guard = fn(&Path) -> Box<dyn Any>;

/// What becomes of attachments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AttachmentMode {
    /// Copied beside the export.
    #[default]
    Copy,
    /// Hard links to the source's files, where the file system can; copies elsewhere.
    Link,
    /// Copied, and what only Apple's programs open well (HEIC) once more in a form that all do.
    Convert,
    /// Left where they are.
    None,
}

impl AttachmentMode {
    /// Every value, with the word for it on the command line.
    pub const NAMES: &[(&str, AttachmentMode)] = &[
        ("copy", AttachmentMode::Copy),
        ("link", AttachmentMode::Link),
        ("convert", AttachmentMode::Convert),
        ("none", AttachmentMode::None),
    ];
}

/// Exports a source.
///
/// # Errors
/// [`ExportError`]; nothing new appears in the folder then.
pub fn export_folder(
    source: &dyn Source,
    contacts: &[Contact],
    request: &ExportRequest,
    progress: &dyn Progress,
) -> Result<Report, ExportError> {
    progress.phase("Reading who is who");
    let (mut roster, options) = prepare(source, contacts, &request.selection, request.jobs)?;
    // With the default name, sentences say "You".
    roster.owner = Some(request.writer.me.clone()).filter(|me| !matches!(me.as_str(), "Me" | ""));
    // A selector that matches nothing must not leave a folder behind.
    request.selection.conversations(&roster)?;

    // Dropped last.
    let _guard;
    let staging = Arc::new(Staging::begin(&request.out, request.into_existing).map_err(WriteError::from)?);
    _guard = request.guard.filter(|_| source.info().is_encrypted()).map(|guard| guard(staging.hidden()));
    let derived = Some(Arc::new(Derived::new(&staging).map_err(WriteError::from)?));
    let provenance = Arc::new(Provenance::new(
        source.info().clone(),
        request.selection.clone(),
        request.attachments,
        request.read_at,
    ));
    let options_of_writers =
        WriterOptions { derived, provenance: Some(provenance.clone()), ..request.writer.clone() };
    let writers = request
        .formats
        .iter()
        .map(|format| (format.open)(Arc::clone(&staging), &options_of_writers))
        .collect::<Result<Vec<Box<dyn Writer>>, WriteError>>()?;
    let assets = match request.attachments {
        AttachmentMode::None => None,
        AttachmentMode::Copy => Some(AssetMode::Copy),
        AttachmentMode::Link => Some(AssetMode::Link),
        AttachmentMode::Convert => Some(AssetMode::Convert),
    };
    let assets = assets
        .map(|mode| AssetFolder::new(Arc::clone(&staging), mode, request.writer.zone))
        .transpose()
        .map_err(WriteError::from)?;
    progress.phase("Exporting");
    let sink = assets.as_ref().map(|a| a as &dyn AssetSink);
    let hashed = &provenance;
    let mut report = std::thread::scope(|scope| {
        // Beside the workers: it reads all that they read, and is wanted at the end only.
        let is_shown = request.formats.iter().any(|format| format.shows_digest);
        scope.spawn(move || hashed.set_digest(is_shown.then(|| source.digest()).flatten()));
        pipeline::run(source, &roster, &writers, sink, &options, progress)
    })?;
    source.unchanged()?;
    if progress.interrupted() {
        return Err(ExportError::Interrupted);
    }
    progress.phase("Putting everything in its place");
    let mut files = report.files.clone();
    files.extend(report.copies.iter().filter(|copy| !copy.sha256.is_empty()).cloned());
    files.extend(assets.iter().flat_map(AssetFolder::bundle_files));
    files.sort();
    report.files.push(manifest::write(&staging, &provenance, request, &report, &files)?);
    staging.publish(rank).map_err(WriteError::from)?;
    Ok(report)
}

/// What every selected conversation holds, without writing anything.
///
/// # Errors
/// [`ExportError`].
pub fn list(
    source: &dyn Source,
    contacts: &[Contact],
    selection: &Selection,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Report, ExportError> {
    let (roster, options) = prepare(source, contacts, selection, jobs)?;
    let report = pipeline::run(source, &roster, &[], None, &options, progress)?;
    source.unchanged()?;
    Ok(report)
}

fn prepare(
    source: &dyn Source,
    contacts: &[Contact],
    selection: &Selection,
    jobs: usize,
) -> Result<(Roster, Options), ExportError> {
    let handles = source.handles()?;
    let chats = source.chats()?;
    let roster = Roster::new(&handles, &chats, contacts);
    let options = Options { selection: selection.clone(), jobs: jobs.max(1), junk_chats: junk_chats(&chats) };
    Ok((roster, options))
}

/// Chats filed as junk: `is_filtered` 2 (`messages-format.md` 12.7).
fn junk_chats(chats: &[RawChat]) -> HashSet<ChatId> {
    chats.iter().filter(|chat| chat.is_filtered == 2).map(RawChat::id).collect()
}

/// The order of appearance: what others refer to first, the manifest last.
fn rank(path: &str) -> u8 {
    match path {
        "manifest.json" => 3,
        path if path.starts_with("attachments/") => 0,
        path if !path.contains('/') && (path == "index.txt" || path == "conversations.jsonl") => 2,
        _ => 1,
    }
}
