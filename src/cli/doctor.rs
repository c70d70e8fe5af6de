use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Style};
use msgarchive::compare::CompareError;
use msgarchive::disk::free_space;
use msgarchive::doctor::work_list::{self, Listed};
use msgarchive::doctor::{self, Checkup, Confidence, Fact, Presented, Report, Status, Surroundings, Verdict};
use msgarchive::source::{SourceError, SourceInfo, SourceKind, contacts_of_several};
use msgarchive::writers::clock::Clock;
use msgarchive::writers::phrase::{self, count, grouped, size};
use msgarchive::writers::work_list::WorkList;

use super::compare::same_file;
use super::nightly::nightly;
use super::progress::{Watch, When};
use super::reading_options::{Opened, Wanted};
use super::source_options::{SourceOptions, Tried};
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, hints, moment, terminal};

/// Say what is wrong with a Messages library or backup, and the one step that mends it.
///
/// Looks at permission, completeness, Messages in iCloud, attachments that are not here, holes in time, Keep Messages,
/// damage and disk space. With two sources, each is seen beside the other: what one lacks, and why. Says how sure each
/// finding is. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Show the raw values behind each finding
    #[arg(long)]
    verbose: bool,
    /// Write the list of attachments that are only in iCloud into this folder, as text, as a table and as a page,
    /// by conversation, with links that open each message; run again, it ticks off what has arrived
    #[arg(long, value_name = "DIR")]
    attachments: Option<PathBuf>,
    /// Show progress
    #[arg(long, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true)]
    progress: When,
    #[command(flatten)]
    source: SourceOptions,
}

const EXAMPLES: &str = "\
Examples:
  This Mac's library:
    msgarchive doctor
  Why does the Mac not show what the iPhone shows?
    msgarchive doctor --source ~/Library/Messages \\
      --source ~/Backups/00008110-0012
  What is only in iCloud, to fetch it one by one:
    msgarchive doctor --attachments only-in-icloud
  What is wrong, for a script:
    msgarchive doctor --json |
      jq -r '.checks[] | select(.status == \"problem\") | .finding'

Exit status: 0 nothing is wrong, 3 something was found, 1 failed, 2 wrong command line, 130 interrupted.";

pub fn run(args: DoctorArgs) -> Result<Outcome, Failure> {
    let zone = args.source.reading.zone()?;
    let before = args.attachments.as_deref().map(work_list::read).transpose()?;
    let around = Surroundings {
        now: moment::of_reading()?,
        zone,
        free_here: free_space(Path::new(".")),
        awaited: before.as_ref().map(work_list::guids).unwrap_or_default(),
        jobs: args.source.reading.jobs(),
    };
    let checkup = examined(&args, &around)?;
    let list = match (&args.attachments, before) {
        (Some(folder), Some(before)) => listed(&checkup, folder, before, &around)?,
        _ => None,
    };
    match args.json {
        true => terminal::print(&doctor::json::object(&checkup, list.as_ref(), zone))?,
        false => {
            let mut words = in_words(&checkup, &around, args.verbose);
            let sentence = match &list {
                Some(list) => {
                    Some(format!("Only in iCloud: {}. {}", list.counts.words(), list.page.display()))
                }
                None => args.attachments.as_ref().map(|_| NO_LIST.to_owned()),
            };
            if let Some(sentence) = sentence {
                let _ = writeln!(words, "\n{}", wrap("", &plain(&sentence), terminal::width()));
            }
            terminal::print_styled(&words)?;
        }
    }
    Ok(if checkup.is_healthy() { Outcome::Complete } else { Outcome::Unhealthy })
}

const NO_LIST: &str =
    "No list was written: the library cannot be read, or has no column that says what is in iCloud.";

/// Writes what is only in iCloud; nothing where that cannot be known.
fn listed(
    checkup: &Checkup,
    folder: &Path,
    before: WorkList,
    around: &Surroundings,
) -> Result<Option<Listed>, Failure> {
    let facts = checkup.reports.first().and_then(|report| report.facts.as_ref());
    let Some(facts) = facts.filter(|facts| facts.sync.of_attachments) else { return Ok(None) };
    let list = work_list::update(before, facts, around.now);
    let tool = concat!("msgarchive ", env!("CARGO_PKG_VERSION"));
    work_list::write(&list, folder, around.zone, tool)?;
    Ok(Some(Listed::of(&list, folder)))
}

fn examined(args: &DoctorArgs, around: &Surroundings) -> Result<Checkup, Failure> {
    let mut opened: Vec<Opened> = Vec::new();
    for Tried { wanted, opened: source } in args.source.open_each(args.progress)? {
        match source {
            Ok(one) if one.source.info().kind == SourceKind::Export => {
                let path = one.source.info().path.clone();
                return Err(SourceError::OnlyExported { path }.into());
            }
            Ok(source) => opened.push(source),
            Err(Failure::Source(error)) if is_finding(&error) => {
                let path = match wanted {
                    Wanted::At(path) => path,
                    Wanted::Sample => PathBuf::new(),
                };
                return Ok(unreadable(SourceInfo { path, ..SourceInfo::default() }, &error));
            }
            Err(failure) => return Err(failure),
        }
    }
    if args.attachments.is_some() && opened.len() > 1 {
        return Err(Failure::Usage("--attachments is for one source".into()));
    }
    if let [one, other] = opened.as_slice() {
        let [path, other] = [one, other].map(|opened| &opened.source.info().path);
        if path == other || same_file(path, other) {
            return Err(Failure::SameSource { path: path.clone() });
        }
    }
    if opened.len() > 2 {
        return Err(Failure::Usage("two sources at most are seen side by side".into()));
    }
    let contacts =
        contacts_of_several(opened.iter_mut().map(|one| std::mem::take(&mut one.contacts)).collect());
    let presented: Vec<Presented<'_>> = opened
        .iter()
        .map(|one| {
            let info = one.source.info();
            Presented {
                source: one.source.as_ref(),
                free: free_space(&info.path),
                nightly: nightly(info, args.progress),
            }
        })
        .collect();
    let watch = Watch::new(args.progress);
    let checkup = doctor::examine(&presented, &contacts, around, &watch);
    drop(watch);
    match (checkup, presented.as_slice()) {
        // Damage that is met on the way.
        (Err(CompareError::Source(error)), [one]) if is_finding(&error) => {
            Ok(unreadable(one.source.info().clone(), &error))
        }
        (checkup, _) => Ok(checkup?),
    }
}

/// A source that cannot be opened, or not be read to its end, with what to do about it.
fn unreadable(source: SourceInfo, error: &SourceError) -> Checkup {
    let remedy = hints::for_source(error).into_iter().next().map(hints::sentence);
    Checkup::unreadable(source, error, remedy)
}

/// What a check is for; anything else says that something else was meant.
fn is_finding(error: &SourceError) -> bool {
    matches!(
        error,
        SourceError::Forbidden { .. }
            | SourceError::Damaged { .. }
            | SourceError::Empty { .. }
            | SourceError::IncompleteBackup { .. }
            | SourceError::KeyBag { .. }
            | SourceError::UnsupportedKeyBag { .. }
            | SourceError::Locked { .. }
            | SourceError::NoMessages { .. }
            | SourceError::Snapshot { .. }
    )
}

/// Before each line of a finding.
const LABEL: usize = 9;

fn in_words(checkup: &Checkup, around: &Surroundings, verbose: bool) -> String {
    let width = terminal::width();
    let mut clock = Clock::new(around.zone);
    let mut text = String::new();
    for (number, report) in checkup.reports.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", wrap("", &plain(&about(report, &mut clock)), width));
        let _ = writeln!(text, "{}\n", summary(report));
        for (check, verdict) in &report.verdicts {
            let style = style(verdict.status);
            let label = format!("{:<LABEL$}", verdict.status.name());
            let words = format!("{}? {}", check.question, plain(&verdict.finding));
            let wrapped = wrap(&label, &words, width);
            let _ =
                writeln!(text, "{style}{label}{style:#}{}", wrapped.get(label.len()..).unwrap_or_default());
            details(&mut text, verdict, width);
            if verbose {
                evidence(&mut text, verdict, &mut clock, width);
            }
        }
    }
    text
}

/// What it is: `Messages library of a Mac, or a copy of one: /a/chat.db; 1 to 3 May 2024`.
fn about(report: &Report, clock: &mut Clock) -> String {
    let path = report.source.path.display();
    let Some(facts) = &report.facts else { return path.to_string() };
    let period = match (facts.first, facts.last) {
        (Some(first), Some(last)) => format!("; {}", phrase::days(&clock.local(first), &clock.local(last))),
        _ => String::new(),
    };
    format!("{}: {path}{period}", phrase::source_kind(&report.source, clock))
}

fn summary(report: &Report) -> String {
    let with = |status: Status| {
        report.verdicts.iter().filter(|(_, verdict)| verdict.status == status).count() as u64
    };
    match (with(Status::Problem), with(Status::Warning)) {
        (0, 0) => "Healthy: nothing is wrong.".into(),
        (0, warnings) => format!("{}.", count(warnings, "warning", "warnings")),
        (problems, 0) => format!("{}.", count(problems, "problem", "problems")),
        (problems, warnings) => {
            format!("{}, {}.", count(problems, "problem", "problems"), count(warnings, "warning", "warnings"))
        }
    }
}

fn style(status: Status) -> Style {
    let color = match status {
        Status::Ok => AnsiColor::Green,
        Status::Warning => AnsiColor::Yellow,
        Status::Problem => AnsiColor::Red,
        Status::Unknown => return Style::new().dimmed(),
    };
    Style::new().bold().fg_color(Some(color.into()))
}

/// The next step, and how sure the finding is.
fn details(text: &mut String, verdict: &Verdict, width: usize) {
    let Some(remedy) = &verdict.remedy else { return };
    let indent = " ".repeat(LABEL);
    let _ = writeln!(text, "{}", wrap(&format!("{indent}Next: "), &plain(remedy), width));
    if !verdict.then.is_empty() {
        let _ = writeln!(text, "{indent}Then, in this order:");
        for (step, number) in verdict.then.iter().zip(1..) {
            let _ = writeln!(text, "{}", wrap(&format!("{indent}  {number}. "), step, width));
        }
    }
    let sure = match verdict.confidence {
        Confidence::Defined => "by Apple's own definition",
        Confidence::Observed => "seen in the data; other explanations are possible",
        Confidence::Reported => "by what few people have reported",
    };
    let _ = writeln!(text, "{}", wrap(&format!("{indent}Sure: "), &format!("{sure}."), width));
}

fn evidence(text: &mut String, verdict: &Verdict, clock: &mut Clock, width: usize) {
    let indent = " ".repeat(LABEL);
    for (name, fact) in &verdict.evidence.0 {
        let value = match fact {
            Fact::Unknown => "unknown".into(),
            Fact::Number(number) => grouped(*number),
            Fact::Bytes(number) => size(*number),
            Fact::Flag(flag) => if *flag { "yes" } else { "no" }.into(),
            Fact::Date(date) => {
                let mut written = Vec::new();
                clock.rfc3339(*date, &mut written);
                String::from_utf8_lossy(&written).into_owned()
            }
            Fact::Text(text) => plain(text),
            Fact::Counts(counts) => {
                let each = counts.iter().map(|(name, n)| format!("{} {}", plain(name), grouped(*n)));
                each.collect::<Vec<_>>().join(", ")
            }
        };
        let _ = writeln!(text, "{}", wrap(&format!("{indent}  {name}: "), &value, width));
    }
}
