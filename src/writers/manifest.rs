//! `manifest.json`: what an export is, what went into it, and every file of it with its hash.
//!
//! **Must never**: hold the time of day, the number of jobs or anything else that differs between two runs over the
//! same source with the same options.

use serde_json::{Map, Value, json};

use super::export::ExportRequest;
use crate::disk::{FileRecord, MANIFEST, Staging};
use crate::pipeline::Report;
use crate::pipeline::writer::WriteError;
use crate::source::{SourceInfo, SourceKind};

/// Writes the manifest of a run whose files are all in `staging`.
///
/// # Errors
/// [`WriteError::Disk`].
pub fn write(
    staging: &Staging,
    source: &SourceInfo,
    request: &ExportRequest,
    report: &Report,
    files: &[FileRecord],
) -> Result<FileRecord, WriteError> {
    let rows = &report.rows;
    let attachments = &report.attachments;
    let options: Map<String, Value> =
        request.options.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let mut manifest = json!({
        "schema": 1,
        "tool": request.writer.tool,
        "source": {
            "kind": match source.kind { SourceKind::Library => "library", SourceKind::Device => "device" },
            "path": source.path.to_string_lossy(),
            "schema_version": source.schema_version,
        },
        "options": options,
        "time_zone": request.writer.zone.name(),
        "rows": {
            "read": rows.read, "messages": rows.messages, "tapbacks": rows.tapbacks, "votes": rows.votes,
            "updates": rows.updates, "filtered": rows.filtered, "duplicates": rows.duplicates,
            "failed": rows.failed,
        },
        "conversations": report.conversations.len(),
        "attachments": {
            "referenced": attachments.referenced, "copied": attachments.copied,
            "in_icloud": attachments.in_icloud, "missing": attachments.missing, "expired": attachments.expired,
        },
        "files": files.iter().map(record).collect::<Vec<_>>(),
        "defects": report.defects.iter().map(|d| json!({"guid": d.guid, "what": d.what})).collect::<Vec<_>>(),
    });
    // Files of earlier runs into the same folder that this one did not write. They are ours all the same.
    let kept = staging.kept(files);
    if !kept.is_empty()
        && let Some(manifest) = manifest.as_object_mut()
    {
        manifest.insert("kept".into(), kept.iter().map(record).collect());
    }
    let mut file = staging.create(MANIFEST)?;
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|e| WriteError::Format { format: "manifest", what: e.to_string() })?;
    text.push(b'\n');
    file.put(&text)?;
    Ok(file.finish()?)
}

fn record(file: &FileRecord) -> Value {
    json!({"path": file.path, "bytes": file.bytes, "sha256": file.sha256})
}
