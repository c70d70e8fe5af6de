//! `manifest.json`: what an export is, what went into it, and every file of it with its hash.
//!
//! One file or defect a line, written as it comes: an export can have a great many attachments.
//!
//! **Must never**: hold the time of day, the number of jobs or anything else that differs between two runs over the
//! same source with the same options.

use super::clock::Clock;
use super::export::ExportRequest;
use super::json::Json;
use super::provenance::Provenance;
use crate::disk::{FileRecord, HashedFile, MANIFEST, Staging};
use crate::pipeline::Report;
use crate::pipeline::writer::WriteError;
use crate::source::{KeepMessages, SourceInfo};

/// What an export consists of.
#[derive(Debug, Clone, Copy)]
pub struct Extent<'a> {
    /// By path; those that stay as they are, too.
    pub files: &'a [FileRecord],
    /// Files of earlier runs that go now.
    pub stale: &'a [String],
    /// Of an export that is kept up: its conversations' ids and what their files were made of, by id.
    pub fingerprints: Option<&'a [(&'a str, &'a str)]>,
}

/// Writes the manifest of a run whose new files are all in `staging`.
///
/// # Errors
/// [`WriteError::Disk`].
pub fn write(
    staging: &Staging,
    provenance: &Provenance,
    request: &ExportRequest,
    report: &Report,
    extent: &Extent<'_>,
) -> Result<FileRecord, WriteError> {
    let Extent { files, stale, fingerprints } = *extent;
    let mut page = Page { file: staging.create(MANIFEST)?, clock: Clock::new(request.writer.zone) };
    page.put(|json| {
        head(json, provenance, request);
        counts(json, report);
        lost(json, report);
    })?;
    page.list(",\n\"files\":", files, |json, file| json.file(file))?;
    page.list(",\n\"defects\":", &report.defects, |json, defect| {
        json.raw("{\"guid\":").maybe(defect.guid.as_deref()).raw(",\"what\":").text(&defect.what).raw("}");
    })?;
    // The list has an end, the count is exact.
    if report.defect_count > report.defects.len() as u64 {
        page.put(|json| {
            json.raw(",\n\"defect_count\":").number(report.defect_count);
        })?;
    }
    // Files of earlier runs into the same folder that this one did not write. They are ours all the same.
    let mut kept = staging.kept(files);
    kept.retain(|file| !stale.contains(&file.path));
    if !kept.is_empty() {
        page.list(",\n\"kept\":", &kept, |json, file| json.file(file))?;
    }
    if let Some(fingerprints) = fingerprints {
        page.list(",\n\"fingerprints\":", fingerprints, |json, (conversation, sha256)| {
            json.raw("{\"conversation\":").text(conversation).raw(",\"sha256\":").text(sha256).raw("}");
        })?;
    }
    page.put(|json| {
        json.raw("}\n");
    })?;
    Ok(page.file.finish()?)
}

fn head(json: &mut Json<'_>, provenance: &Provenance, request: &ExportRequest) {
    let source = &provenance.source;
    json.raw("{\"schema\":1,\n\"tool\":").text(&request.writer.tool);
    json.raw(",\n\"source\":{");
    identity(json, source);
    custody(json, source, provenance);
    // Where it was asked for, and could be had.
    if let Some(digest) = provenance.digest() {
        json.raw(",\"in_use\":").boolean(digest.of_copy);
        json.raw(",\"files\":").array(&digest.files, |json, file| {
            json.raw("{\"name\":").text(&file.name);
            json.raw(",\"bytes\":").number(file.bytes);
            json.raw(",\"sha256\":").text(&file.sha256).raw("}");
        });
    }
    json.raw("}");
    if !source.with.is_empty() {
        json.raw(",\n\"sources\":").array(std::iter::once(source).chain(&source.with), |json, one| {
            json.raw("{");
            identity(json, one);
            custody(json, one, provenance);
            json.raw("}");
        });
    }
    json.raw(",\n\"options\":{");
    options(json, &request.options);
    json.raw("},\n\"time_zone\":").text(request.writer.zone.name());
}

/// What a source is. Messages name those of several by their place in the list, from 0 on.
fn identity(json: &mut Json<'_>, source: &SourceInfo) {
    json.raw("\"kind\":").text(source.kind.name());
    json.raw(",\"path\":").text(&source.path.to_string_lossy());
    json.raw(",\"schema_version\":").maybe(source.schema_version.as_deref());
    json.raw(",\"keep_messages\":");
    match source.keep_messages {
        Some(KeepMessages::Days(days)) => json.raw("{\"days\":").number(days).raw("}"),
        Some(KeepMessages::Forever) => json.raw("{\"days\":null}"),
        None => json.raw("null"),
    };
}

/// Where an archive has its messages from. An export that is kept up does not say what changes with every run.
fn custody(json: &mut Json<'_>, source: &SourceInfo, provenance: &Provenance) {
    let Some(custody) = source.custody.as_ref().filter(|_| !provenance.is_kept_up) else { return };
    json.raw(",\n\"archive\":{\"as_of\":").date(custody.as_of);
    json.raw(",\"runs\":").number(custody.runs);
    json.raw(",\"first\":").date(custody.first);
    json.raw(",\"last\":").date(custody.last);
    json.raw(",\"record\":");
    match &custody.record {
        Some(record) => {
            json.raw("{\"name\":").text(&record.name).raw(",\"sha256\":").text(&record.sha256).raw("}")
        }
        None => json.raw("null"),
    };
    json.raw(",\"sources\":").array(&custody.sources, |json, fed| {
        json.raw("{\"kind\":").text(&fed.kind);
        json.raw(",\"path\":").text(&fed.path);
        json.raw(",\"device\":").maybe(fed.device.as_deref());
        json.raw(",\"first\":").date(fed.first);
        json.raw(",\"last\":").date(fed.last).raw("}");
    });
    json.raw("}");
}

/// In the order given; what was given more than once is an array.
fn options(json: &mut Json<'_>, options: &[(String, String)]) {
    let mut separator = "";
    for (i, (name, value)) in options.iter().enumerate() {
        let is_this = |(other, _): &&(String, String)| other == name;
        if options.iter().take(i).any(|option| is_this(&option)) {
            continue;
        }
        json.raw(separator).text(name).raw(":");
        separator = ",";
        match options.iter().filter(is_this).count() {
            1 => json.text(value),
            _ => json.texts(options.iter().filter(is_this).map(|(_, value)| value)),
        };
    }
}

fn counts(json: &mut Json<'_>, report: &Report) {
    let rows = &report.rows;
    json.raw(",\n\"rows\":{\"read\":").number(rows.read);
    json.raw(",\"messages\":").number(rows.messages);
    json.raw(",\"tapbacks\":").number(rows.tapbacks);
    json.raw(",\"votes\":").number(rows.votes);
    json.raw(",\"updates\":").number(rows.updates);
    json.raw(",\"filtered\":").number(rows.filtered);
    json.raw(",\"duplicates\":").number(rows.duplicates);
    json.raw(",\"failed\":").number(rows.failed);
    json.raw("},\n\"conversations\":").number(report.conversations.len() as u64);
    let attachments = &report.attachments;
    json.raw(",\n\"attachments\":{\"referenced\":").number(attachments.referenced);
    json.raw(",\"copied\":").number(attachments.copied);
    json.raw(",\"in_icloud\":").number(attachments.in_icloud);
    json.raw(",\"missing\":").number(attachments.missing);
    json.raw(",\"expired\":").number(attachments.expired).raw("}");
}

/// Messages of an archive that nothing has any more, by conversation; `null`: nothing tells which. Only where there are some.
fn lost(json: &mut Json<'_>, report: &Report) {
    if !report.lost.is_empty() {
        json.raw(",\n\"lost\":").array(&report.lost, |json, of| {
            json.raw("{\"conversation\":").maybe(of.conversation.as_deref());
            json.raw(",\"messages\":").number(of.messages).raw("}");
        });
    }
}

struct Page {
    file: HashedFile,
    clock: Clock,
}

impl Page {
    fn put(&mut self, write: impl FnOnce(&mut Json<'_>)) -> Result<(), WriteError> {
        let mut text = Vec::new();
        write(&mut Json { to: &mut text, clock: &mut self.clock });
        Ok(self.file.put(&text)?)
    }

    fn list<T>(
        &mut self,
        key: &str,
        items: &[T],
        each: impl Fn(&mut Json<'_>, &T),
    ) -> Result<(), WriteError> {
        self.file.put(key.as_bytes())?;
        let mut separator = "[\n";
        for item in items {
            self.put(|json| {
                json.raw(separator);
                each(json, item);
            })?;
            separator = ",\n";
        }
        Ok(self.file.put(if items.is_empty() { b"[]" } else { b"\n]" })?)
    }
}
