//! An export that is kept up with its source: only what changed is written.
//!
//! Rendering never asks: a conversation's files follow from its messages as they are handed to a writer, from the
//! conversation and from the options. So a first reading, which writes nothing, takes a fingerprint of exactly that of
//! every conversation. Where `manifest.json` has the same one and the files are there, they are what a whole export would
//! write, and stay; of all others the messages are read again, for the writers.
//!
//! **Must never**: keep a file that a whole export would write otherwise, remove one that this tool did not write, or let go
//! of an attachment whose bytes the source has lost.

mod fingerprints;
mod plan;
mod spared;
mod standins;

use self::fingerprints::{Fingerprints, Found, salt};
use self::plan::{Earlier, Plan};
pub use self::spared::IsWanting;
use self::spared::spared;
use self::standins::StandIns;
use super::export::{AttachmentMode, ExportRequest, prepare};
use super::making::{Making, rank};
use super::manifest::Extent;
use super::phrase;
use crate::disk::{FileRecord, OthersFiles, is_unfinished};
use crate::pipeline::writer::{AssetSink, WriteError, Writer};
use crate::pipeline::{Again, DEFECTS_KEPT, Defect, ExportError, Job, Progress, Report};
use crate::source::contacts::Contact;
use crate::source::{Source, while_still};

/// What bringing an export up to date did.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptUp {
    /// Of the whole export. Its `files` are those that were written now.
    pub report: Report,
    /// Conversations whose files were written.
    pub written: u64,
    /// Files that went: of conversations that are called otherwise now, or are part of another one.
    pub removed: u64,
    /// Attachments that stayed, though no message names them any more: the source should have their bytes, and has them not.
    pub spared: u64,
    /// What lies beside it that is somebody else's, and stays as it is.
    pub others: OthersFiles,
}

impl KeptUp {
    /// Everything was as it should be; nothing was touched.
    pub fn is_unchanged(&self) -> bool {
        self.report.files.is_empty()
    }
}

/// Brings the export in [`ExportRequest::out`] up to date, or makes it. The files of its conversations are afterwards
/// what a whole export that is kept up would write. Documents say nothing of when the source was read. `is_wanting`: see
/// [`IsWanting`].
///
/// # Errors
/// [`ExportError`]; the folder is as it was then.
pub fn keep_up(
    source: &dyn Source,
    contacts: &[Contact],
    request: &ExportRequest,
    is_wanting: IsWanting<'_>,
    progress: &dyn Progress,
) -> Result<KeptUp, ExportError> {
    while_still(&[source], || bring_up(source, contacts, request, is_wanting, progress))
}

fn bring_up(
    source: &dyn Source,
    contacts: &[Contact],
    request: &ExportRequest,
    is_wanting: IsWanting<'_>,
    progress: &dyn Progress,
) -> Result<KeptUp, ExportError> {
    progress.phase("Looking for what changed");
    let request = &ExportRequest { read_at: None, ..request.clone() };
    let (roster, options) = prepare(source, contacts, request)?;
    let mut earlier = Earlier::read(&request.out);
    let fingerprints = Fingerprints::new(salt(request, source.info()), earlier.guids_with_defects());
    let looking: [Box<dyn Writer>; 1] = [fingerprints.writer()];
    let stand_ins = StandIns;
    let sink = (request.attachments != AttachmentMode::None).then_some(&stand_ins as &dyn AssetSink);
    let job = Job { source, roster: &roster, options: &options, progress };
    let mut whole = job.run(&looking, sink)?;
    // Nothing was copied.
    whole.copies = Vec::new();
    source.unchanged()?;
    let found = fingerprints.found();
    let mut plan = Plan::of(&earlier, &found, &request.out);
    if plan.is_nothing() && !is_unfinished(&request.out) {
        let mut report = whole;
        with_earlier_defects(&mut report, &[], &plan);
        report.notes.extend(phrase::what_is_lost(&report.lost, source.info().with.is_empty()));
        let others = OthersFiles::beside(&request.out).map_err(WriteError::from)?;
        return Ok(KeptUp { report, written: 0, removed: 0, spared: 0, others });
    }

    let making = Making::begin(source, request, true)?;
    // Nobody else writes here now; until now somebody may have.
    let now = Earlier::read(&request.out);
    if now != earlier {
        earlier = now;
        plan = Plan::of(&earlier, &found, &request.out);
    }
    progress.phase("Exporting what changed");
    let wanted = |id: &str| plan.changed.contains(id);
    let again = Again { known: &whole, wanted: &wanted };
    let mut report = making.run(source, request, |writers, sink| job.run_again(again, writers, sink))?;
    source.unchanged()?;
    if progress.interrupted() {
        return Err(ExportError::Interrupted);
    }
    progress.phase("Putting everything in its place");
    with_earlier_defects(&mut report, &whole.defects, &plan);
    let mut files = making.files(&report);
    files.extend(plan.kept.iter().cloned());
    files.sort();
    let mut stale = earlier.stale(&making.staging.kept(&files));
    let spared =
        spared(&earlier, &files, &mut stale, &making.staging, is_wanting).map_err(WriteError::from)?;
    files.extend(spared.iter().cloned());
    files.sort();
    // What could not be read may be the next time: without a fingerprint it is tried again.
    let is_read = |(id, _): &(&String, &Found)| !report.unread.contains(*id);
    let list: Vec<(&str, &str)> =
        found.iter().filter(is_read).map(|(id, found)| (&**id, &*found.fingerprint)).collect();
    let extent = Extent { files: &files, stale: &stale, fingerprints: Some(&list) };
    report.files.push(making.write_manifest(request, &report, &extent)?);
    let others = making.staging.others().map_err(WriteError::from)?;
    making.staging.publish_without(&stale, rank).map_err(WriteError::from)?;
    report.notes.extend(phrase::what_is_lost(&report.lost, source.info().with.is_empty()));
    report.notes.extend(making.close());
    let [written, removed, spared] =
        [plan.changed.len(), stale.len(), spared.len()].map(|count| count as u64);
    Ok(KeptUp { report, written, removed, spared, others })
}

/// Adds the defects that only the first reading met, and those that only writing can find, in what was not written now.
fn with_earlier_defects(report: &mut Report, of_whole: &[Defect], plan: &Plan<'_>) {
    report.defects.extend(of_whole.iter().chain(&plan.defects).cloned());
    report.defects.sort();
    report.defects.dedup();
    report.defect_count = report.defect_count.max(report.defects.len() as u64);
    report.defects.truncate(DEFECTS_KEPT);
}

/// The file of a conversation, or of an attachment of one, says in its name whose it is.
fn conversation_of(file: &FileRecord) -> Option<&str> {
    let mut names = file.path.split('/');
    let name = match names.next()? {
        super::assets::FOLDER => names.next()?,
        name => name,
    };
    let (_, id) = name.rsplit_once('[')?;
    id.split_once(']').map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_whose_a_file_is() {
        for (path, id) in [
            ("Ana [c-1f3a9b2c].pdf", Some("c-1f3a9b2c")),
            ("Ana [the [c-00000000] one] [c-1f3a9b2c].2024.pdf", Some("c-1f3a9b2c")),
            ("attachments/Ana [c-1f3a9b2c]/2024-05-01 [x] IMG.heic", Some("c-1f3a9b2c")),
            ("conversations.jsonl", None),
            ("manifest.json", None),
            ("attachments/x.heic", None),
        ] {
            let file = FileRecord { path: path.into(), bytes: 0, sha256: String::new() };
            assert_eq!(conversation_of(&file), id, "{path}");
        }
    }
}
