use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use msgarchive::archive::{Wanting, noted_damage};
use msgarchive::disk::{Others, OthersFiles, Whose, check_outside, check_outside_archives};
use msgarchive::pipeline::writer::WriteError;
use msgarchive::pipeline::{ExportError, Progress};
use msgarchive::schedule::ExportJob;
use msgarchive::source::{OpenOptions, Place};
use msgarchive::writers::export::{AttachmentMode, ExportRequest};
use msgarchive::writers::keep_up::{KeptUp, keep_up};
use msgarchive::writers::pdf::PdfOptions as Look;
use msgarchive::writers::phrase::{self, count};
use msgarchive::writers::{Format, WriterOptions};
use serde_json::{Value, json};

use super::access_options::AccessOptions;
use super::export::{each_once, formats};
use super::pdf_options::PdfOptions;
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, report, terminal, zone};

/// How people are named who do not say how.
const ME: &str = "Me";

/// An export of an archive that is brought up to date after a run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Export")]
pub struct KeepingUpOptions {
    /// Also keep an export of the archive up to date, in these formats: what changed since the last time is written
    #[arg(long, value_name = "FORMAT", requires = "out", value_delimiter = ',', value_parser = formats())]
    export: Vec<&'static Format>,
    /// The folder of that export
    #[arg(long, value_name = "DIR", requires = "export")]
    out: Option<PathBuf>,
    /// Of the export: how you are named
    #[arg(long, value_name = "NAME", default_value = ME, requires = "export",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    me: String,
    /// Of the export: time zone for all dates, as an IANA name [default: the system's]
    #[arg(long, value_name = "ZONE", requires = "export", value_parser = zone::parse)]
    time_zone: Option<Tz>,
    #[command(flatten)]
    pdf: PdfOptions,
}

/// What is to be exported, and where to.
pub struct KeepingUp<'a> {
    options: &'a KeepingUpOptions,
    pub out: &'a Path,
    zone: Tz,
    look: Look,
}

impl KeepingUpOptions {
    /// `None`: nothing was asked for.
    pub fn wanted(&self) -> Result<Option<KeepingUp<'_>>, Failure> {
        let Some(out) = self.out.as_deref() else {
            return match self.pdf.as_given().first() {
                Some((name, _)) => {
                    Err(Failure::Usage(format!("--{name} is of an export: say --export pdf --out DIR, too")))
                }
                None => Ok(None),
            };
        };
        let zone = self.time_zone.map_or_else(zone::of_the_system, Ok)?;
        let look = self.pdf.look(&each_once(&self.export))?;
        Ok(Some(KeepingUp { options: self, out, zone, look }))
    }

    /// The same, for a command line that is run from somewhere else.
    pub fn job(
        &self,
        absolute: impl Fn(&Path) -> Result<PathBuf, Failure>,
    ) -> Result<Option<ExportJob>, Failure> {
        let Some(KeepingUp { out, .. }) = self.wanted()? else { return Ok(None) };
        let formats: Vec<&str> = each_once(&self.export).iter().map(|format| format.name).collect();
        let mut options = vec![("me".to_owned(), self.me.clone())];
        options.retain(|(_, me)| me != ME);
        options.extend(self.time_zone.map(|zone| ("time-zone".to_owned(), zone.name().to_owned())));
        options.extend(self.pdf.as_given());
        // Of those that are on or off, the name says all.
        let word = |(name, value): (String, String)| match &*value {
            "true" => format!("--{name}"),
            value => format!("--{name}={value}"),
        };
        let mut options: Vec<String> = options.into_iter().map(word).collect();
        for folder in &self.pdf.font_dir {
            let folder = absolute(folder)?;
            let path = folder.to_str().ok_or_else(|| {
                Failure::Usage(format!(
                    "the name of {:?} is not UTF-8: no schedule can carry it",
                    folder.display().to_string()
                ))
            })?;
            options.push(format!("--font-dir={path}"));
        }
        Ok(Some(ExportJob { formats: formats.join(","), out: absolute(out)?, options }))
    }
}

impl KeepingUp<'_> {
    /// Refuses a folder for the export that belongs to something else, before anything is archived. `read`: the folders
    /// that belong to the archive's sources.
    pub fn check_place(&self, archive: &Path, read: &[PathBuf]) -> Result<(), Failure> {
        let read = read.iter().map(|folder| (self.out, &**folder, Whose::Source));
        let mut places =
            read.chain([(self.out, archive, Whose::Archive), (archive, self.out, Whose::Export)]);
        let checked = places.try_for_each(|(place, folder, whose)| check_outside(place, folder, whose));
        let checked = checked.and_then(|()| check_outside_archives(self.out));
        Ok(checked.map_err(|error| ExportError::from(WriteError::from(error)))?)
    }

    /// Brings the export of this archive up to date.
    pub fn bring_up(
        &self,
        archive: &Path,
        access: &AccessOptions,
        jobs: usize,
        progress: &dyn Progress,
    ) -> Result<KeptUp, Failure> {
        let KeepingUpOptions { export, me, pdf, .. } = self.options;
        // However it was given: a cover says where the archive is.
        let archive = std::path::absolute(archive).unwrap_or_else(|_| archive.to_owned());
        let damaged = noted_damage(&archive)?;
        let source = Place::find(&archive)?.open(&OpenOptions {
            sessions: jobs,
            damaged,
            ..OpenOptions::default()
        })?;
        source.info().warnings.iter().for_each(|words| report::warn(words));
        let contacts = access.contacts(source.contacts(), &source.info().path)?;
        let formats = each_once(export);
        let names: Vec<&str> = formats.iter().map(|format| format.name).collect();
        let mut options = vec![("format".into(), names.join(",")), ("me".into(), me.clone())];
        options.extend(pdf.as_given());
        let request = ExportRequest {
            out: self.out.to_owned(),
            options,
            formats,
            attachments: AttachmentMode::Copy,
            others: Others::BesideAnExport,
            selection: Default::default(),
            writer: WriterOptions {
                zone: self.zone,
                me: me.clone(),
                jobs,
                font_dirs: pdf.font_dir.clone(),
                system_fonts: pdf.system_fonts,
                pdf: self.look,
                ..WriterOptions::default()
            },
            jobs,
            read_at: None,
            guard: None,
            defects: Vec::new(),
        };
        let wanting = Wanting::of(&archive);
        Ok(keep_up(source.as_ref(), &contacts, &request, &|sha256| wanting.is(sha256), progress)?)
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
        let sentence = format!(
            "{files} went that are no part of it any more: of conversations with other names, or in other formats."
        );
        words += &format!("{}\n", wrap("", &sentence, width));
    }
    if done.spared > 0 {
        let files = match done.spared {
            1 => "1 attachment stays".to_owned(),
            many => format!("{} attachments stay", phrase::grouped(many)),
        };
        let sentence = format!(
            "{files} in {out} though the archive has lost the bytes: these may be the last copies. `msgarchive verify` of the \
             archive tells it, and the next run takes them again from there."
        );
        words += &format!("{}\n", wrap("", &sentence, width));
    }
    words += &beside(&out, &done.others, width);
    words + &report::troubles(&done.report, width)
}

/// That somebody else's files lie there is nothing to worry about.
fn beside(out: &str, others: &OthersFiles, width: usize) -> String {
    let first = plain(&others.first);
    let sentence = match others.count {
        0 => return String::new(),
        1 => format!("1 file in {out} is none of this export: {first}. It stays as it is."),
        many => {
            let many = phrase::grouped(many);
            format!("{many} files in {out} are none of this export, such as {first}. They stay as they are.")
        }
    };
    format!("{}\n", wrap("", &sentence, width))
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
        "spared": done.spared,
        "others": done.others.count,
        "defect_count": done.report.defect_count,
        "notes": done.report.notes,
    })
}

pub fn outcome(done: &KeptUp) -> Outcome {
    report::outcome(&done.report)
}

#[cfg(test)]
mod tests {
    use msgarchive::pipeline::Report;

    use super::*;

    #[test]
    fn what_is_noted_is_told_to_people_and_to_programs() {
        let notes = vec!["the export is complete, but …".to_owned()];
        let report = Report { notes: notes.clone(), ..Report::default() };
        let done = KeptUp { report, written: 0, removed: 0, spared: 0, others: OthersFiles::default() };
        assert!(in_words(Path::new("out"), &done).contains("Note: the export is complete, but …"));
        assert_eq!(as_json(Path::new("out"), &done)["notes"], json!(notes));
    }
}
