use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use chrono_tz::Tz;
use msgarchive::archive;
use msgarchive::archive::LostThing;
use msgarchive::archive::about::{About, about};
use msgarchive::archive::changes::changes;
use msgarchive::archive::groups::{AsItWas, as_it_was, groups};
use msgarchive::archive::history::{self, Version};
use msgarchive::archive::sources::KnownSource;
use msgarchive::archive::united::{United, united};
use msgarchive::model::{DeletionReason, Instant};
use msgarchive::schedule::{self, KeptExport};
use msgarchive::writers::phrase::{count, grouped, reason_of_absence};
use serde_json::{Value, json};

use super::account::account;
use super::changed::{SECONDS, moment};
use super::schedule::{export_as_json, last_export, shown_export};
use super::terminal::{fit, plain, said, wrap};
use super::{Failure, Outcome, changed, gone, groups, lost, report, terminal, united, zone};

/// Show what an archive knows of the past: its runs, what groups were called and who was in them, what was deleted and why,
/// what was edited or unsent, every version of a message.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  msgarchive history ~/MessagesArchive
  msgarchive history ~/MessagesArchive --deleted
  msgarchive history ~/MessagesArchive --changed --time-zone Europe/Berlin
  msgarchive history ~/MessagesArchive \\
    --message 0F0B3C7E-1111-4222-8333-ABCDEFABCDEF")]
pub struct HistoryArgs {
    /// The folder of the archive
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Messages that a source has no more, with date and reason
    #[arg(long, conflicts_with = "message")]
    deleted: bool,
    /// Messages that were edited or unsent, or say something else without that: when, and what they said before and after
    #[arg(long, conflicts_with_all = ["message", "deleted"])]
    changed: bool,
    /// Every version of the message with this GUID
    #[arg(long, value_name = "GUID")]
    message: Option<String>,
    /// Time zone for all dates, as an IANA name [default: the system's]
    #[arg(long, value_name = "ZONE", value_parser = zone::parse)]
    time_zone: Option<Tz>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: HistoryArgs) -> Result<Outcome, Failure> {
    let zone = args.time_zone.map_or_else(zone::of_the_system, Ok)?;
    let printed = if let Some(guid) = &args.message {
        let (message, versions) = (about(&args.dir, guid)?, history::versions(&args.dir, guid)?);
        let then = as_it_was(&args.dir, guid)?;
        match args.json {
            true => versions_as_json(&message, then.as_ref(), &versions, zone),
            false => {
                changed::about_in_words(&message, then.as_ref(), zone) + &versions_in_words(&versions, zone)
            }
        }
    } else if args.changed {
        let changed = changes(&args.dir)?;
        if args.json { changed::as_json(&changed, zone) } else { changed::in_words(&changed, zone) }
    } else if args.deleted {
        let messages = archive::gone::gone(&args.dir)?;
        match args.json {
            true => gone::as_json(&messages, zone),
            false => {
                let lost = history::lost(&args.dir)?.len();
                match messages.is_empty() {
                    true => gone::nothing(&archive::sources::sources(&args.dir)?, lost),
                    false => gone::in_words(&messages, lost, zone),
                }
            }
        }
    } else {
        let runs: Vec<Value> =
            history::runs(&args.dir)?.iter().filter_map(|record| serde_json::from_str(record).ok()).collect();
        let sources = archive::sources::sources(&args.dir)?;
        let (changed, united) = (groups(&args.dir)?, united(&args.dir)?);
        let export = kept_export(&args.dir);
        if args.json {
            let export = export.as_ref().map(export_as_json);
            let sources: Vec<Value> = sources.iter().map(source_as_json).collect();
            let groups = groups::as_json(&changed);
            let object = json!({
                "schema": 1, "runs": runs, "sources": sources, "groups": groups, "conversations": united::as_json(&united),
                "export": export,
            });
            format!("{object}\n")
        } else {
            runs_in_words(&runs, &united)
                + &sources_in_words(&sources, zone)
                + &groups::in_words(&changed, zone)
                + &export.map_or_else(String::new, |export| export_in_words(&export, zone))
        }
    };
    terminal::print(&printed)?;
    report::warn_of_end(&args.dir)
}

/// The export of this archive that the schedule keeps up to date, where it does. A schedule that cannot be read is one of
/// another archive, for all that is known.
fn kept_export(dir: &Path) -> Option<KeptExport> {
    let fed = schedule::fed_archive(&account().ok()?).ok()??;
    let is_this = fed.path.canonicalize().ok()? == dir.canonicalize().ok()?;
    fed.export.filter(|_| is_this)
}

fn export_in_words(export: &KeptExport, zone: Tz) -> String {
    let (what, last) = (shown_export(&export.job), last_export(export, zone));
    let failure = export.failure.as_ref();
    let failed = failure.map_or_else(String::new, |failure| format!("; the last time it failed: {failure}"));
    let sentence = format!("Exported by the schedule: {what}; last: {last}{failed}");
    format!("\n{}\n", wrap("", &plain(&sentence), terminal::width()))
}

fn runs_in_words(runs: &[Value], united: &[United]) -> String {
    let fits = terminal::width() >= TABLE;
    let mut words = match fits {
        true => {
            format!("{:25}  {:>9}  {:>7}  {:>6}  {:>11}\n", "RUN", "NEW", "CHANGED", "GONE", "ATTACHMENTS")
        }
        false => String::new(),
    };
    for run in runs {
        let number = |path: &str| run.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let name = plain(run.get("run").and_then(Value::as_str).unwrap_or_default());
        let absent = run.get("absent").and_then(Value::as_object);
        let absent = absent.into_iter().flat_map(|reasons| reasons.values()).filter_map(Value::as_u64).sum();
        let attachments = ["stored", "filled_in", "replaced"];
        let attachments = attachments.map(|how| number(&format!("/attachments/{how}"))).iter().sum();
        let [new, changed, gone, attachments] =
            [number("/added"), number("/changed"), absent, attachments].map(grouped);
        let _ = match fits {
            true => {
                writeln!(words, "{}  {new:>9}  {changed:>7}  {gone:>6}  {attachments:>11}", fit(&name, 25))
            }
            false => {
                let line = format!("{new} new, {changed} changed, {gone} gone, {attachments} attachments");
                writeln!(words, "{name}\n{}", wrap("    ", &line, terminal::width()))
            }
        };
        for line in united::of_run(united, run.get("run").and_then(Value::as_str).unwrap_or_default()) {
            let _ = writeln!(words, "{}", wrap("    ", &line, terminal::width()));
        }
        for (key, what) in [("lost", "lost"), ("found_again", "found again")] {
            let all = LostThing::all_of(run, key);
            let all = lost::all_in_words(all.iter().map(|thing| (&*thing.what, thing.of.as_ref())));
            let mut line = |text: &str| {
                let _ = writeln!(words, "{}", wrap("    ", &format!("{what}: {text}"), terminal::width()));
            };
            all.iter().take(NAMED).for_each(|words| line(words));
            if all.len() > NAMED {
                line(&format!("{} more; --json has all of them", grouped((all.len() - NAMED) as u64)));
            }
        }
    }
    words
}

/// So many things that are lost are named of a run.
const NAMED: usize = 20;

fn sources_in_words(sources: &[KnownSource], zone: Tz) -> String {
    let mut words = String::from("\nSources:\n");
    for source in sources {
        let device =
            source.device.as_deref().map(|device| format!("{}, ", plain(device))).unwrap_or_default();
        let (first, last) = (read_at(&source.first_read, zone), read_at(&source.last_read, zone));
        let read = if first == last { last } else { format!("{first} to {last}") };
        let messages = count(source.messages, "message", "messages");
        let gone = source.gone_for_good.as_ref().map(|_| read_at(&source.gone_for_good, zone));
        let gone = gone.map_or_else(String::new, |at| format!("; gone for good, as was said {at}"));
        let line = format!(
            "{device}{} ({}): {messages}; read {read}{gone}",
            plain(&source.path),
            plain(&source.kind)
        );
        let _ = writeln!(words, "{}", wrap("  ", &line, terminal::width()));
    }
    words
}

/// When a run was that read a source, by its record.
fn read_at(date: &Option<String>, zone: Tz) -> String {
    let date = date.as_deref().and_then(|date| DateTime::parse_from_rfc3339(date).ok());
    date.map_or("at an unknown time".into(), |at| {
        at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
    })
}

fn source_as_json(source: &KnownSource) -> Value {
    json!({
        "kind": source.kind,
        "path": source.path,
        "device": source.device,
        "first_read": source.first_read,
        "last_read": source.last_read,
        "messages": source.messages,
        "gone_for_good": source.gone_for_good,
    })
}

/// Columns of the table of runs; where there are fewer, each run is a paragraph.
const TABLE: usize = 66;

/// What became of a message, in words.
pub fn told(what: &str, is_guessed: bool) -> String {
    match what {
        "gone" => return "Gone from Recently Deleted".into(),
        "bytes" => return "Other bytes of an attachment".into(),
        "damaged" => return "found damaged, and what it was is lost; as it lies there".into(),
        _ => {}
    }
    DeletionReason::named(what)
        .map_or_else(|| plain(what), |reason| reason_of_absence(reason, is_guessed).into())
}

/// The same, where the rest of the message is what it was.
pub fn of_a_part(told: &str) -> String {
    let mut letters = told.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    format!("A part of it: {}{}", first.collect::<String>(), letters.as_str())
}

/// A paragraph whose later lines are indented.
pub fn hanging(text: &str, width: usize) -> String {
    wrap("", text, width.saturating_sub(4)).replace('\n', "\n    ")
}

/// Says so of a guess, and nothing of what is known.
pub fn or_guessed(mut told: Value, is_guessed: bool) -> Value {
    if is_guessed {
        told["guessed"] = true.into();
    }
    told
}

fn versions_in_words(versions: &[Version], zone: Tz) -> String {
    let width = terminal::width();
    let mut words = String::new();
    // From whom it is, and of when, is said above all of them where it always was so.
    let facts = |version: &Version| (version.from_me, version.sender.clone(), version.sent);
    let mut states = versions.iter().filter(|version| version.from_me.is_some()).map(facts);
    let differ = states.next().is_some_and(|first| states.any(|other| other != first));
    for version in versions {
        let shown = if version.shown { ", shown" } else { "" };
        let what =
            version.what.split(',').map(|what| told(what, version.is_guessed)).collect::<Vec<_>>().join(", ");
        let what = if version.part.is_some() { of_a_part(&what) } else { what };
        let at = version.date.parse::<Instant>().ok();
        let at =
            at.map(|at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M, ").to_string()).unwrap_or_default();
        let (run, source) = (plain(&version.run), plain(&version.source));
        let source = if source.is_empty() { source } else { format!(", {source}") };
        let line = format!("{at}{what}{shown}  (run {run}{source})");
        let _ = writeln!(words, "{}", hanging(&line, width));
        if differ && version.from_me.is_some() {
            let from = match (version.from_me, &version.sender) {
                (Some(true), _) => "you".into(),
                (_, sender) => sender.as_deref().map_or("somebody unknown".into(), plain),
            };
            let sent = moment(version.sent, zone, SECONDS).unwrap_or_else(|| "without a date".into());
            let _ = writeln!(words, "{}", wrap("    ", &format!("from {from}, sent {sent}"), width));
        }
        if let Some(text) = &version.text {
            let _ = writeln!(words, "{}", wrap("    ", &said(Some(text)), width));
        }
    }
    words
}

fn versions_as_json(message: &About, then: Option<&AsItWas>, versions: &[Version], zone: Tz) -> String {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            let told = json!({
                "run": version.run,
                "date": version.date,
                "text": version.text,
                "from_me": version.from_me,
                "sender": version.sender,
                "sent": version.sent.map(|sent| sent.with_timezone(&zone).to_rfc3339()),
                "what": version.what,
                "source": version.source,
                "shown": version.shown,
                "part": version.part,
            });
            or_guessed(told, version.is_guessed)
        })
        .collect();
    let message = changed::about_as_json(message, zone);
    let then = then.map(groups::then_as_json);
    format!("{}\n", json!({ "schema": 1, "message": message, "then": then, "versions": versions }))
}
