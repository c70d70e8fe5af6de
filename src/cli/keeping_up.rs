use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use msgarchive::pipeline::Progress;
use msgarchive::source::{OpenOptions, Place};
use msgarchive::writers::export::{AttachmentMode, ExportRequest};
use msgarchive::writers::keep_up::{KeptUp, keep_up};
use msgarchive::writers::phrase::{self, count};
use msgarchive::writers::{Format, WriterOptions};
use serde_json::{Value, json};

use super::access_options::AccessOptions;
use super::export::{each_once, formats};
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, report, terminal, zone};

/// An export of an archive that is brought up to date after a run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Export")]
pub struct KeepingUpOptions {
    /// Also keep an export of the archive up to date, in these formats: what changed since the last time is written
    #[arg(long, value_name = "FORMAT", requires = "out", conflicts_with = "dry_run", value_delimiter = ',',
        value_parser = formats())]
    export: Vec<&'static Format>,
    /// The folder of that export
    #[arg(long, value_name = "DIR", requires = "export")]
    out: Option<PathBuf>,
    /// Of the export: how you are named
    #[arg(long, value_name = "NAME", default_value = "Me", requires = "export",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    me: String,
    /// Of the export: time zone for all dates, as an IANA name [default: the system's]
    #[arg(long, value_name = "ZONE", requires = "export", value_parser = zone::parse)]
    time_zone: Option<Tz>,
}

/// What is to be exported, and where to.
pub struct KeepingUp<'a> {
    options: &'a KeepingUpOptions,
    pub out: &'a Path,
    zone: Tz,
}

impl KeepingUpOptions {
    /// `None`: nothing was asked for.
    pub fn wanted(&self) -> Result<Option<KeepingUp<'_>>, Failure> {
        let Some(out) = self.out.as_deref() else { return Ok(None) };
        let zone = self.time_zone.map_or_else(zone::of_the_system, Ok)?;
        Ok(Some(KeepingUp { options: self, out, zone }))
    }
}

impl KeepingUp<'_> {
    /// Brings the export of this archive up to date.
    pub fn bring_up(
        &self,
        archive: &Path,
        access: &AccessOptions,
        jobs: usize,
        progress: &dyn Progress,
    ) -> Result<KeptUp, Failure> {
        let KeepingUpOptions { export, me, .. } = self.options;
        // However it was given: a cover says where the archive is.
        let archive = std::path::absolute(archive).unwrap_or_else(|_| archive.to_owned());
        let source =
            Place::find(&archive)?.open(&OpenOptions { sessions: jobs, ..OpenOptions::default() })?;
        source.info().warnings.iter().for_each(|words| report::warn(words));
        let contacts = access.contacts(source.contacts(), &source.info().path)?;
        let formats = each_once(export);
        let names: Vec<&str> = formats.iter().map(|format| format.name).collect();
        let request = ExportRequest {
            out: self.out.to_owned(),
            options: vec![("format".into(), names.join(",")), ("me".into(), me.clone())],
            formats,
            attachments: AttachmentMode::Copy,
            into_existing: false,
            selection: Default::default(),
            writer: WriterOptions { zone: self.zone, me: me.clone(), jobs, ..WriterOptions::default() },
            jobs,
            read_at: None,
            guard: None,
        };
        Ok(keep_up(source.as_ref(), &contacts, &request, progress)?)
    }
}

/// What became of it, in a paragraph.
pub fn in_words(out: &Path, done: &KeptUp) -> String {
    let width = terminal::width();
    let out = plain(&out.display().to_string());
    let there = done.report.conversations.len() as u64;
    let all = count(there, "conversation", "conversations");
    let sentence = match (done.is_unchanged(), done.written) {
        (false, written) if written == there => format!("Exported to {out}: all of {all} were written."),
        (true, _) => format!("The export in {out} is up to date ({all}): nothing was written."),
        (false, 0) => format!("The export in {out} is up to date again: no conversation of {all} changed."),
        (false, 1) => format!("Exported to {out}: 1 of {all} changed and was written."),
        (false, written) => {
            format!("Exported to {out}: {} of {all} changed and were written.", phrase::grouped(written))
        }
    };
    let mut words = format!("\n{}\n", wrap("", &sentence, width));
    if done.removed > 0 {
        let files = count(done.removed, "file", "files");
        let sentence = format!("{files} of conversations that are called otherwise now went.");
        words += &format!("{}\n", wrap("", &sentence, width));
    }
    words + &report::troubles(&done.report, width)
}

/// What became of it, for the object of the run.
pub fn as_json(out: &Path, done: &KeptUp) -> Value {
    json!({
        "out": out.to_string_lossy(),
        "complete": outcome(done) == Outcome::Complete,
        "conversations": done.report.conversations.len(),
        "written": done.written,
        "files": done.report.files.len() + done.report.copies.len(),
        "removed": done.removed,
        "defect_count": done.report.defect_count,
    })
}

pub fn outcome(done: &KeptUp) -> Outcome {
    report::outcome(&done.report)
}
