use std::env;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::builder::TypedValueParser;
use msgarchive::model::Instant;
use msgarchive::pipeline::select::{Has, Selection};
use msgarchive::storage::{self, Estimate, Exact, Gate, Options, Setting, WhatIf, estimate};
use msgarchive::writers::storage::sheet::Sheet;
use msgarchive::writers::storage::{html, json, table};
use msgarchive::writers::{WriterOptions, pdf};

use super::progress::{Watch, When};
use super::selection_options::{ScopeOptions, has, named};
use super::source_options::SourceOptions;
use super::storage_tables::{Shown, tables as tables_of};
use super::{Failure, Outcome, moment, page, terminal};

/// Find out what Messages takes in iCloud, and what a Keep Messages setting would purge.
///
/// Every figure is a range, with what it rests on: at least what is marked as synchronized, shown and unlike everything
/// else; at most everything there is. Nothing is changed, and no text is read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct StorageArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Also write every figure as a table for spreadsheets and scripts
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Also write one page with charts, to look at and send
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write the same as PDF, to print and keep
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// What Settings > iCloud says that Messages takes, such as 37.2GB: shows what nothing here explains
    #[arg(long, value_name = "SIZE", value_parser = storage::parse_bytes)]
    icloud_total: Option<u64>,
    /// An archive: counts what a Keep Messages setting would purge and the archive does not have
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Exit with 0 only if everything that this Keep Messages setting would purge, 30d or 1y, is in the archive and
    /// verified to the last byte; else with 3, and the list
    #[arg(long, value_name = "30d|1y", requires = "archive", hide_possible_values = true, value_parser = gate())]
    gate: Option<Setting>,
    /// Read attachments that are here and share their size, to count equal contents once in the lower figure
    #[arg(long)]
    exact: bool,
    /// Where --exact remembers what it read, for the next time [default: a file in the user's cache folder]
    #[arg(long, value_name = "FILE|none", requires = "exact")]
    hashes: Option<PathBuf>,
    /// Show progress
    #[arg(long, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true)]
    progress: When,
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    freed: FreedOptions,
}

/// What deleting some of it would free.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What if (says what deleting the selected would free)")]
struct FreedOptions {
    /// Only attachments of these kinds: image, video, audio, document, link
    #[arg(long, value_name = "WHAT", value_delimiter = ',', hide_possible_values = true, value_parser = has())]
    has: Vec<Has>,
    /// Only attachments that are larger, such as 50MB
    #[arg(long, value_name = "SIZE", value_parser = storage::parse_bytes)]
    larger: Option<u64>,
    /// The same in a sentence, such as "videos larger than 50MB older than 2y with Ana Abbott"
    #[arg(long, value_name = "SENTENCE", conflicts_with_all = ["has", "larger", "since", "until", "with", "conversation"])]
    reclaim: Option<String>,
    #[command(flatten)]
    scope: ScopeOptions,
}

const EXAMPLES: &str = "\
Examples:
  What is it that fills iCloud, and what does Apple's figure leave open:
    msgarchive storage --icloud-total 37.2GB
  What would Keep Messages: 1 Year remove that the archive does not have:
    msgarchive storage --archive ~/Archive
  May Keep Messages be switched to 1 Year:
    msgarchive storage --archive ~/Archive --gate 1y
  What would deleting old, large videos free:
    msgarchive storage --has video --larger 50MB --until 2y
    msgarchive storage --reclaim \"videos larger than 50MB older than 2y\"

Exit status: 0 done, 1 failed, 2 wrong command line, 3 what --gate names is not safe, 130 interrupted.";

/// The settings that purge something.
fn gate() -> impl TypedValueParser<Value = Setting> {
    named(&[("30d", Setting::Days30), ("1y", Setting::OneYear)])
}

pub fn run(args: StorageArgs) -> Result<Outcome, Failure> {
    let zone = args.source.reading.zone()?;
    let now = moment::of_reading()?;
    let what_if = args.freed.what_if(zone, now)?;
    let watch = Watch::new(args.progress);
    if args.gate.is_some() && args.source.is_of_the_past() {
        return Err(Failure::Usage("--gate is for what there is now: not with --as-of".into()));
    }
    let opened = args.source.open(args.progress)?;
    let tables = args.gate.map(|_| opened.tables()).transpose()?;
    let known = match &args.hashes {
        Some(none) if none.as_os_str() == "none" => None,
        Some(path) => Some(path.clone()),
        // What was unpacked for a while lies elsewhere the next time.
        None => remembered().filter(|_| args.exact && !args.source.is_sample()),
    };
    let options = Options {
        zone,
        now,
        what_if,
        icloud_total: args.icloud_total,
        archive: args.archive.as_deref(),
        gate: args.gate.zip(tables.as_ref()).map(|(setting, tables)| Gate { setting, tables }),
        exact: args.exact.then_some(Exact { known: known.as_deref() }),
        jobs: args.source.reading.jobs(),
    };
    let found = estimate(opened.source.as_ref(), &opened.contacts, &options, &watch);
    drop(watch);
    let found = found?;
    args.write(&found, zone)?;
    let printed = match args.json {
        true => json::object(&found, zone),
        false => tables_of(&found, &Shown { zone, me: &args.source.reading.me, width: terminal::width() }),
    };
    terminal::print(&printed)?;
    Ok(match &found.gate {
        Some(passage) if !passage.is_open() => Outcome::Unsafe,
        _ => Outcome::Complete,
    })
}

impl FreedOptions {
    /// `None`: nothing is asked of.
    fn what_if(&self, zone: Tz, now: Instant) -> Result<Option<WhatIf>, Failure> {
        let selection = self.scope.selection(zone)?;
        let Some(sentence) = &self.reclaim else {
            let what = WhatIf { selection, has: self.has.clone(), larger: self.larger };
            return Ok((!what.is_empty()).then_some(what));
        };
        let said = storage::parse_what_if(sentence, zone, now);
        let said = said.map_err(|why| Failure::Usage(format!("--reclaim: {why}")))?;
        // Who is left out, and over which service, the sentence does not say.
        let Selection { only, exclude, services, .. } = selection;
        let selection = Selection { only, exclude, services, ..said.selection };
        Ok(Some(WhatIf { selection, ..said }))
    }
}

impl StorageArgs {
    /// The files that were asked for.
    fn write(&self, found: &Estimate, zone: Tz) -> Result<(), Failure> {
        let me = &self.source.reading.me;
        if let Some(path) = &self.csv {
            page::write(path, |file| table::write(found, zone, me, file))?;
        }
        let tool = concat!("msgarchive ", env!("CARGO_PKG_VERSION"));
        let sheet = Sheet::of(found, zone, me, tool);
        if let Some(path) = &self.html {
            page::write(path, |file| html::write(&sheet, file))?;
        }
        if let Some(path) = &self.pdf {
            let options = WriterOptions { zone, tool: tool.into(), ..WriterOptions::default() };
            page::write(path, |file| pdf::sheet::write(&sheet, &options, file))?;
        }
        Ok(())
    }
}

/// Where programs of this system keep what they can work out again.
fn remembered() -> Option<PathBuf> {
    let named = |variable: &str| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::home_dir();
    let caches = if cfg!(target_os = "macos") {
        home()?.join("Library/Caches")
    } else if cfg!(windows) {
        named("LOCALAPPDATA")?
    } else {
        named("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")))?
    };
    Some(caches.join("msgarchive").join("hashes"))
}
