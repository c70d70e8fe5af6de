//! A whole export: a source in, a folder out.
//!
//! **Must never**: let anything appear before all of it is there, or claim success for an account that does not
//! balance (the pipeline checks it).

use std::collections::HashSet;
use std::path::PathBuf;

use super::making::{Making, rank};
use super::manifest::Extent;
use super::phrase;
use super::{Format, WriterOptions};
use crate::disk::{Guard, Others};
use crate::model::Instant;
use crate::pipeline::roster::Roster;
use crate::pipeline::select::Selection;
use crate::pipeline::writer::WriteError;
use crate::pipeline::{Defect, ExportError, Job, Options, Progress, Report};
use crate::source::contacts::Contact;
use crate::source::{ChatId, RawChat, Source, while_still};

/// What to export, and how.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The export folder; made where there is none.
    pub out: PathBuf,
    /// At least one.
    pub formats: Vec<&'static Format>,
    pub attachments: AttachmentMode,
    /// Whether a folder will do that holds files of somebody else's.
    pub others: Others,
    pub selection: Selection,
    pub writer: WriterOptions,
    /// Worker threads; at least 1, at most the source's sessions.
    pub jobs: usize,
    /// When the source was opened, for what says so: the only thing that differs between two runs over one source.
    pub read_at: Option<Instant>,
    /// Keeps watch over the hidden folder where a source is encrypted: what is made of it lies in clear until it appears.
    pub guard: Option<Guard>,
    /// The options as given, for the manifest: name and value.
    pub options: Vec<(String, String)>,
    /// What is known of the source already that is not as it should be, in words, for the manifest.
    pub defects: Vec<String>,
}

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
    while_still(&[source], || write_folder(source, contacts, request, progress))
}

fn write_folder(
    source: &dyn Source,
    contacts: &[Contact],
    request: &ExportRequest,
    progress: &dyn Progress,
) -> Result<Report, ExportError> {
    progress.phase("Reading who is who");
    let (roster, options) = prepare(source, contacts, request)?;
    let making = Making::begin(source, request, false)?;
    progress.phase("Exporting");
    let job = Job { source, roster: &roster, options: &options, progress };
    let mut report = making.run(source, request, |writers, sink| job.run(writers, sink))?;
    source.unchanged()?;
    if progress.interrupted() {
        return Err(ExportError::Interrupted);
    }
    progress.phase("Putting everything in its place");
    let defects = request.defects.iter().map(|what| Defect { guid: None, what: what.clone() });
    report.defects.extend(defects);
    report.defect_count += request.defects.len() as u64;
    let extent = Extent { files: &making.files(&report), stale: &[], fingerprints: None };
    report.files.push(making.write_manifest(request, &report, &extent)?);
    making.staging.publish(rank).map_err(WriteError::from)?;
    report.notes.extend(phrase::what_is_lost(&report.lost, source.info().with.is_empty()));
    report.notes.extend(making.close());
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
    while_still(&[source], || {
        let (roster, options) = read_roster(source, contacts, selection, jobs)?;
        let mut report = Job { source, roster: &roster, options: &options, progress }.run(&[], None)?;
        source.unchanged()?;
        report.notes.extend(phrase::what_is_lost(&report.lost, source.info().with.is_empty()));
        Ok(report)
    })
}

/// Who is who, and what is to be read.
pub(super) fn prepare(
    source: &dyn Source,
    contacts: &[Contact],
    request: &ExportRequest,
) -> Result<(Roster, Options), ExportError> {
    let (mut roster, options) = read_roster(source, contacts, &request.selection, request.jobs)?;
    // With the default name, sentences say "You".
    roster.owner = Some(request.writer.me.clone()).filter(|me| !matches!(me.as_str(), "Me" | ""));
    // A selector that matches nothing must not leave a folder behind.
    request.selection.conversations(&roster)?;
    Ok((roster, options))
}

fn read_roster(
    source: &dyn Source,
    contacts: &[Contact],
    selection: &Selection,
    jobs: usize,
) -> Result<(Roster, Options), ExportError> {
    let handles = source.handles()?;
    let chats = source.chats()?;
    let mut roster = Roster::new(&handles, &chats, contacts);
    for entry in &mut roster.conversations {
        // What was sent at any time may have been sent in this one.
        entry.conversation.lost.retain(|sent| sent.is_none() || !selection.rules_out_date(*sent));
    }
    let options = Options { selection: selection.clone(), jobs: jobs.max(1), junk_chats: junk_chats(&chats) };
    Ok((roster, options))
}

/// Chats filed as junk: `is_filtered` 2 (`messages-format.md` 12.7).
fn junk_chats(chats: &[RawChat]) -> HashSet<ChatId> {
    chats.iter().filter(|chat| chat.is_filtered == 2).map(RawChat::id).collect()
}
