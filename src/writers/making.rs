//! An export in the making: its hidden folder, its writers, its attachments.

use std::any::Any;
use std::error::Error as _;
use std::sync::Arc;

use super::assets::{AssetFolder, AssetMode};
use super::derived::Derived;
use super::export::{AttachmentMode, ExportRequest};
use super::manifest::{self, Extent};
use super::provenance::Provenance;
use super::{Format, WriterOptions};
use crate::disk::{FileRecord, Staging, Whose, check_outside};
use crate::pipeline::writer::{AssetSink, WriteError, Writer};
use crate::pipeline::{ExportError, Report};
use crate::source::Source;

/// Everything of one, in the order in which it has to go.
pub(super) struct Making {
    writers: Vec<Box<dyn Writer>>,
    assets: Option<AssetFolder>,
    provenance: Arc<Provenance>,
    pub staging: Arc<Staging>,
    _guard: Option<Box<dyn Any>>,
}

impl Making {
    /// `is_kept_up`: see [`Provenance`].
    pub fn begin(
        source: &dyn Source,
        request: &ExportRequest,
        is_kept_up: bool,
    ) -> Result<Making, WriteError> {
        for folder in source.info().own_folders() {
            check_outside(&request.out, &folder, Whose::Source)?;
        }
        let staging = Arc::new(Staging::begin(&request.out, request.others)?);
        let guard = request.guard.filter(|_| source.info().is_encrypted());
        let guard = guard.map(|guard| guard(staging.hidden()));
        let provenance = Arc::new(Provenance::new(
            source.info().clone(),
            request.selection.clone(),
            request.attachments,
            request.read_at,
            is_kept_up,
        ));
        let options = WriterOptions {
            derived: Some(Arc::new(Derived::new(&staging)?)),
            provenance: Some(provenance.clone()),
            ..request.writer.clone()
        };
        let open = |format: &&Format| (format.open)(Arc::clone(&staging), &options);
        let writers = request.formats.iter().map(open).collect::<Result<_, _>>()?;
        let mode = match request.attachments {
            AttachmentMode::None => None,
            AttachmentMode::Copy => Some(AssetMode::Copy),
            AttachmentMode::Link => Some(AssetMode::Link),
            AttachmentMode::Convert => Some(AssetMode::Convert),
        };
        let folder = |mode| AssetFolder::new(Arc::clone(&staging), mode, request.writer.zone);
        let assets = mode.map(folder).transpose()?;
        Ok(Making { writers, assets, provenance, staging, _guard: guard })
    }

    /// Has the source read for the writers, and its bytes hashed beside it where a format shows which they were.
    pub fn run(
        &self,
        source: &dyn Source,
        request: &ExportRequest,
        read: impl FnOnce(&[Box<dyn Writer>], Option<&dyn AssetSink>) -> Result<Report, ExportError>,
    ) -> Result<Report, ExportError> {
        let provenance = &self.provenance;
        let is_shown = !provenance.is_kept_up && request.formats.iter().any(|format| format.shows_digest);
        std::thread::scope(|scope| {
            // Beside the workers: it reads all that they read, and is wanted at the end only.
            scope.spawn(move || provenance.set_digest(is_shown.then(|| source.digest()).flatten()));
            read(&self.writers, self.assets.as_ref().map(|assets| assets as &dyn AssetSink))
        })
    }

    /// All files that were made for a report, by path.
    pub fn files(&self, report: &Report) -> Vec<FileRecord> {
        let mut files = report.files.clone();
        files.extend(report.copies.iter().filter(|copy| !copy.sha256.is_empty()).cloned());
        files.extend(self.assets.iter().flat_map(AssetFolder::bundle_files));
        files.sort();
        files
    }

    /// Clears away what was needed to make it. What to tell the user where that fails: the export is there all the same.
    pub fn close(self) -> Option<String> {
        let Making { writers, assets, provenance: _, staging, _guard } = self;
        drop((writers, assets));
        let folder = staging.hidden().to_owned();
        let error = Arc::try_unwrap(staging).ok()?.close().err()?;
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Some(format!(
            "the export is complete, but {}, in which it was made, could not be cleared away ({why}). The next export into this \
             folder clears it away, or you can delete it.",
            folder.display()
        ))
    }

    /// Writes the manifest.
    pub fn write_manifest(
        &self,
        request: &ExportRequest,
        report: &Report,
        extent: &Extent<'_>,
    ) -> Result<FileRecord, WriteError> {
        manifest::write(&self.staging, &self.provenance, request, report, extent)
    }
}

/// The order of appearance: what others refer to first, the manifest last.
pub(super) fn rank(path: &str) -> u8 {
    match path {
        "manifest.json" => 3,
        path if path.starts_with("attachments/") => 0,
        path if !path.contains('/') && (path == "index.txt" || path == "conversations.jsonl") => 2,
        _ => 1,
    }
}
