use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use msgarchive::archive::{ArchiveError, Damage, damage_of};
use msgarchive::disk::archive_folder::is_archive;
use msgarchive::disk::{MANIFEST, Others};
use msgarchive::model::Instant;
use msgarchive::pipeline::Report;
use msgarchive::source::{OpenOptions, SourceKind};
use msgarchive::writers::clock::Clock;
use msgarchive::writers::export::{AttachmentMode, ExportRequest, export_folder};
use msgarchive::writers::phrase::{self, count, size};
use msgarchive::writers::{FORMATS, Format, WriterOptions};
use serde_json::json;

use super::document_options::DocumentOptions;
use super::pdf_options::PdfOptions;
use super::progress::{Watch, When};
use super::selection_options::{SelectionOptions, explain, named};
use super::source_options::SourceOptions;

use super::terminal::wrap;
use super::{Failure, Outcome, guard, moment, report, terminal};

/// Write conversations as files: PDF, CSV, JSON Lines, text.
///
/// Writes one file a conversation and format, the attachments beside them, and manifest.json, which lists every
/// file with its SHA-256 and accounts for every row read. Running again into the same folder replaces what
/// changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    /// What to write, separated by commas
    #[arg(short, long, value_name = "FORMAT", required = true, value_delimiter = ',', value_parser = formats())]
    format: Vec<&'static Format>,
    /// The folder to write into
    #[arg(short, long, value_name = "DIR", default_value = "msgarchive-export")]
    out: PathBuf,
    /// Copy attachments beside the export, make hard links, copy and also convert HEIC pictures to JPEG, or leave
    /// them out
    #[arg(long, value_name = "copy|link|convert|none", default_value = "copy", hide_possible_values = true,
        value_parser = named(AttachmentMode::NAMES))]
    attachments: AttachmentMode,
    /// Allow a folder that holds other files too; they are not touched
    #[arg(long)]
    into_existing: bool,
    /// CSV for spreadsheets: a byte order mark, CRLF, and formulas made harmless
    #[arg(long)]
    excel: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
    /// Show progress
    #[arg(long, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true)]
    progress: When,
    #[command(flatten)]
    document: DocumentOptions,
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    selection: SelectionOptions,
    #[command(flatten)]
    pdf: PdfOptions,
}

const EXAMPLES: &str = "\
Examples:
  Everything, as documents and as data:
    msgarchive export --format pdf,jsonl --out Messages
  One person, one year:
    msgarchive export --format pdf --only \"Ana Abbott\" \\
      --since 2024-01-01 --until 2025-01-01
  A copied library, for a spreadsheet, without attachments:
    msgarchive export --source ~/Desktop/Messages --format csv --excel \\
      --attachments none
  For a court: pages numbered ABC000001 on, through all documents:
    msgarchive export --format pdf --with \"Ana Abbott\" --bates ABC
  The built-in sample:
    msgarchive export --sample --format pdf,csv,txt,jsonl --out sample-export

Exit status: 0 done and complete, 1 failed (nothing new appeared), 2 wrong command line, 3 done but something could not be read completely, 130 interrupted (no partial files).";

/// The words of [`FORMATS`].
pub fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let names = FORMATS.iter().map(|f| PossibleValue::new(f.name).help(f.summary));
    PossibleValuesParser::new(names)
        .try_map(|name| FORMATS.iter().find(|f| f.name == name).ok_or("there is no such format"))
}

pub fn run(args: ExportArgs) -> Result<Outcome, Failure> {
    let zone = args.source.reading.zone()?;
    let selection = args.selection.selection(zone)?;
    let read_at = moment::of_reading()?;
    let pdf = args.pdf.look(&args.format)?;
    let document = args.document.options(&args.format)?;
    let watch = Watch::new(args.progress);
    let (jobs, mut defects) = (args.source.reading.jobs(), Vec::new());
    let opened = args.source.open_once(args.progress, &mut |path, options| {
        defects.extend(look_for_damage(path, options, jobs, &watch)?);
        Ok(())
    })?;
    // Of an archive that is said already.
    let cut_off = opened.source.info().cut_off().filter(|(info, _)| info.kind != SourceKind::Archive);
    defects.extend(cut_off.map(|(info, what)| format!("{}: {what}", info.path.display())));
    let request = ExportRequest {
        out: args.out.clone(),
        formats: each_once(&args.format),
        attachments: args.attachments,
        others: if args.into_existing { Others::Allowed } else { Others::Refused },
        selection,
        writer: WriterOptions {
            zone,
            me: args.source.reading.me.clone(),
            jobs: args.source.reading.jobs(),
            excel: args.excel,
            font_dirs: args.pdf.font_dir.clone(),
            system_fonts: args.pdf.system_fonts,
            pdf,
            document,
            ..WriterOptions::default()
        },
        jobs: args.source.reading.jobs(),
        read_at: Some(read_at),
        guard: Some(guard::over),
        options: args.as_given(),
        defects,
    };
    let done = export_folder(opened.source.as_ref(), &opened.contacts, &request, &watch);
    drop(watch);
    let mut done =
        done.map_err(|failure| explain(failure, &opened, &request.selection, request.jobs, zone))?;
    done.notes.extend(report::without_permissions(&[(&request.out, request.out.join(MANIFEST))]));
    let then = opened.source.info().as_of();
    let printed = if args.json { as_json(&request, &done, then) } else { in_words(&request, &done, then) };
    terminal::print(&printed)?;
    Ok(report::outcome(&done))
}

/// What of an archive is not what was archived, in words; its messages are shown as damaged.
fn look_for_damage(
    path: &Path,
    options: &mut OpenOptions,
    jobs: usize,
    watch: &Watch,
) -> Result<Vec<String>, Failure> {
    // It may have been named by its database.
    let path = if path.is_file() { path.parent().unwrap_or(path) } else { path };
    // Whatever cannot be looked at now opening it tells.
    if !is_archive(path).unwrap_or(false) {
        return Ok(Vec::new());
    }
    let shown = path.display();
    match damage_of(path, jobs, watch) {
        Ok(Damage { messages, former, words }) => {
            (options.damaged, options.damaged_former) = (messages, former);
            let told = |what| format!("in the archive {shown}: {what}. `msgarchive verify` says what to do");
            Ok(words.into_iter().map(told).collect())
        }
        Err(ArchiveError::Interrupted) => Err(ArchiveError::Interrupted.into()),
        Err(why) => Ok(vec![format!("the archive {shown} could not be verified: {why}")]),
    }
}

impl ExportArgs {
    /// What shapes the export, for the manifest. Not among it: what leaves every byte the same, such as `--jobs`.
    fn as_given(&self) -> Vec<(String, String)> {
        let mut given = self.selection.as_given();
        given.extend(self.source.as_given());
        let names: Vec<&str> = each_once(&self.format).iter().map(|f| f.name).collect();
        given.push(("format".into(), names.join(",")));
        let mode = AttachmentMode::NAMES.iter().find(|(_, mode)| *mode == self.attachments);
        given.push(("attachments".into(), mode.map_or("", |(name, _)| name).into()));
        given.push(("me".into(), self.source.reading.me.clone()));
        given.extend(self.document.as_given());
        if self.excel {
            given.push(("excel".into(), "true".into()));
        }
        given.extend(self.pdf.as_given());
        given
    }
}

/// Each format once, in the order in which they were first named.
pub fn each_once(formats: &[&'static Format]) -> Vec<&'static Format> {
    let mut once: Vec<&'static Format> = Vec::new();
    for format in formats {
        if !once.iter().any(|f| f.name == format.name) {
            once.push(format);
        }
    }
    once
}

fn in_words(request: &ExportRequest, done: &Report, then: Option<Instant>) -> String {
    let width = terminal::width();
    let mut words = format!("Exported to {}\n", terminal::plain(&request.out.display().to_string()));
    let names: Vec<&str> = request.formats.iter().map(|f| f.name).collect();
    let bytes = done.files.iter().map(|f| f.bytes).sum();
    let _ = writeln!(
        words,
        "  {} in {}{}",
        count(done.rows.messages, "message", "messages"),
        count(done.conversations.len() as u64, "conversation", "conversations"),
        report::period(done, request.writer.zone),
    );
    let _ = writeln!(
        words,
        "  {} ({}) as {}; all times in {}",
        count(done.files.len() as u64, "file", "files"),
        size(bytes),
        names.join(", "),
        request.writer.zone.name(),
    );
    if let Some(then) = then {
        let then = phrase::as_of(then, &mut Clock::new(request.writer.zone));
        let _ = writeln!(words, "{}", wrap("  ", &then, width));
    }
    words.push_str(&report::rows(done));
    words.push_str(&report::attachments(done, request.attachments));
    words.push_str(&report::troubles(done, width));
    words
}

fn as_json(request: &ExportRequest, done: &Report, then: Option<Instant>) -> String {
    let object = json!({
        "schema": 1,
        "out": request.out.to_string_lossy(),
        "time_zone": request.writer.zone.name(),
        "as_of": then.map(|then| then.with_timezone(&request.writer.zone).to_rfc3339()),
        "complete": report::outcome(done) == Outcome::Complete,
        "rows": report::rows_as_json(done),
        "conversations": done.conversations.len(),
        "attachments": report::attachments_as_json(done),
        "files": done.files.len(),
        "bytes": done.files.iter().map(|f| f.bytes).sum::<u64>(),
        "lost": report::lost_as_json(done),
        "defect_count": done.defect_count,
        "defects": done.defects.iter().map(|d| json!({"guid": d.guid, "what": d.what})).collect::<Vec<_>>(),
        "notes": done.notes,
    });
    format!("{object}\n")
}
