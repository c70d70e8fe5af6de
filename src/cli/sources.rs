use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use msgarchive::schedule;
use msgarchive::source::KeepMessages;
use msgarchive::source::discover::{self, Found, FoundKind, discover};
use msgarchive::writers::phrase::{self, size};
use serde_json::{Value, json};

use super::account::{account, app_data, home};
use super::progress::{When, working};
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, report, terminal, zone};

/// The archive that every example makes, in the home folder.
const USUAL_ARCHIVE: &str = "MessagesArchive";

/// List the Messages libraries, the iPhone or iPad backups and the archives on this machine.
///
/// Looks in the usual places of the home folder: those of Messages, Finder, iTunes and Apple Devices. Archives are that
/// which `msgarchive schedule` feeds, wherever it is, and ~/MessagesArchive; no command reads them unless --source names them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  msgarchive sources --json | jq -r '.sources[].path'")]
pub struct SourcesArgs {
    /// Say how large each is; that takes a while
    #[arg(long)]
    size: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: SourcesArgs) -> Result<Outcome, Failure> {
    let home = home()?;
    let mut found = discover(&home, app_data().as_deref());
    found.extend(archives(&home));
    let sized = |found: Found| {
        let bytes = args.size.then(|| working(When::Auto, "Adding up…", || found.bytes()));
        (found, bytes)
    };
    let found: Vec<(Found, Option<u64>)> = found.into_iter().map(sized).collect();
    let printed = if args.json {
        let sources: Vec<Value> = found.iter().map(|(found, bytes)| as_json(found, *bytes)).collect();
        format!("{}\n", json!({ "schema": 1, "sources": sources }))
    } else if found.is_empty() {
        let home = home.display().to_string();
        let sentence = format!(
            "No Messages library, no iPhone or iPad backup and no archive was found in {}.",
            plain(&home)
        );
        wrap("", &sentence, terminal::width()) + "\n"
    } else {
        let zone = zone::of_the_system()?;
        found.iter().map(|(found, size)| in_words(found, *size, zone)).collect::<Vec<_>>().join("\n")
    };
    terminal::print(&printed)?;
    Ok(Outcome::Complete)
}

/// What the schedule feeds, then what lies at the usual place; once where that is the same.
fn archives(home: &Path) -> Vec<Found> {
    let whole = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut archives: Vec<Found> = fed_archive().into_iter().collect();
    let usual = discover::archive(&home.join(USUAL_ARCHIVE));
    archives.extend(usual.filter(|usual| archives.iter().all(|fed| whole(&fed.path) != whole(&usual.path))));
    archives
}

/// A schedule that cannot be read hides none of the others.
fn fed_archive() -> Option<Found> {
    let fed = match account().and_then(|account| Ok(schedule::fed_archive(&account)?)) {
        Ok(fed) => fed?,
        Err(error) => {
            report::warn(&format!("which archive the schedule feeds is not known: {error}"));
            return None;
        }
    };
    let last_run = fed.last_run.map(SystemTime::from);
    let found = discover::archive(&fed.path).map(|found| Found { date: last_run.or(found.date), ..found });
    Some(found.unwrap_or_else(|| Found {
        kind: FoundKind::Archive,
        device: None,
        os: None,
        date: last_run,
        encrypted: false,
        keep_messages: None,
        complete: false,
        problem: Some(match last_run {
            Some(_) => {
                "it is not there: connect its disk, or bring it back; until then its schedule fails".into()
            }
            None => "it has had no run yet: `msgarchive schedule run` makes it now".into(),
        }),
        path: fed.path,
    }))
}

fn in_words(found: &Found, bytes: Option<u64>, zone: Tz) -> String {
    let what = match found.kind {
        FoundKind::Library => "Messages library",
        FoundKind::Backup if found.encrypted => "Backup (encrypted)",
        FoundKind::Backup => "Backup",
        FoundKind::Archive => "Archive",
    };
    let of_its_date = if found.kind == FoundKind::Archive { "last run" } else { "last changed" };
    let mut words = format!("{what}: {}\n", plain(&found.path.display().to_string()));
    let known = [found.device.as_deref(), found.os.as_deref()];
    let date = found.date.map(|date| {
        let local = DateTime::<Utc>::from(date).with_timezone(&zone);
        format!("{of_its_date} {}", local.format("%Y-%m-%d %H:%M"))
    });
    let kept = found.keep_messages.map(|setting| format!("keeps messages {}", phrase::kept_for(setting)));
    let facts: Vec<String> =
        known.into_iter().flatten().map(plain).chain(date).chain(kept).chain(bytes.map(size)).collect();
    if !facts.is_empty() {
        let _ = writeln!(words, "  {}", facts.join(", "));
    }
    if let Some(problem) = &found.problem {
        let _ = writeln!(words, "{}", wrap("  ", &plain(problem), terminal::width()));
    }
    words
}

/// `bytes` is a key only where it was asked for.
fn as_json(found: &Found, bytes: Option<u64>) -> Value {
    let date = |date: SystemTime| DateTime::<Utc>::from(date).to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut source = json!({
        "kind": match found.kind {
            FoundKind::Library => "library",
            FoundKind::Backup => "backup",
            FoundKind::Archive => "archive",
        },
        "path": found.path.to_string_lossy(),
        "device": found.device,
        "os": found.os,
        "date": found.date.map(date),
        "encrypted": found.encrypted,
        "keep_messages": found.keep_messages.map(|setting| match setting {
            KeepMessages::Days(days) => json!({ "days": days }),
            KeepMessages::Forever => json!({ "days": null }),
        }),
        "complete": found.complete,
        "problem": found.problem,
    });
    if let (Some(bytes), Some(source)) = (bytes, source.as_object_mut()) {
        source.insert("bytes".into(), bytes.into());
    }
    source
}
