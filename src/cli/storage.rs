use std::path::PathBuf;

use msgarchive::pipeline::select::Has;
use msgarchive::storage::{self, Options, WhatIf, estimate};
use msgarchive::writers::storage::json;

use super::progress::{Watch, When};
use super::selection_options::{ScopeOptions, has};
use super::source_options::SourceOptions;
use super::storage_tables::{Shown, tables};
use super::{Failure, Outcome, moment, terminal};

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
    /// What Settings > iCloud says that Messages takes, such as 37.2GB: shows what nothing here explains
    #[arg(long, value_name = "SIZE", value_parser = storage::parse_bytes)]
    icloud_total: Option<u64>,
    /// An archive: counts what a Keep Messages setting would purge and the archive does not have
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
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
    #[command(flatten)]
    scope: ScopeOptions,
}

const EXAMPLES: &str = "\
Examples:
  What is it that fills iCloud, and what does Apple's figure leave open:
    msgarchive storage --icloud-total 37.2GB
  What would Keep Messages: 1 Year remove that the archive does not have:
    msgarchive storage --archive ~/Archive
  What would deleting old, large videos free:
    msgarchive storage --has video --larger 50MB --until 2y

Exit status: 0 done, 1 failed, 2 wrong command line, 130 interrupted.";

pub fn run(args: StorageArgs) -> Result<Outcome, Failure> {
    let zone = args.source.reading.zone()?;
    let now = moment::of_reading()?;
    let what_if = WhatIf {
        selection: args.freed.scope.selection(zone)?,
        has: args.freed.has.clone(),
        larger: args.freed.larger,
    };
    let watch = Watch::new(args.progress);
    let opened = args.source.open()?;
    let options = Options {
        zone,
        now,
        what_if: (!what_if.is_empty()).then_some(what_if),
        icloud_total: args.icloud_total,
        archive: args.archive.as_deref(),
    };
    let found = estimate(opened.source.as_ref(), &opened.contacts, &options, &watch);
    drop(watch);
    let found = found?;
    let printed = match args.json {
        true => json::object(&found, zone),
        false => tables(&found, &Shown { zone, me: &args.source.reading.me, width: terminal::width() }),
    };
    terminal::print(&printed)?;
    Ok(Outcome::Complete)
}
