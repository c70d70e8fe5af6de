use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use msgarchive::source::KeepMessages;
use msgarchive::source::discover::{Found, FoundKind, discover};
use msgarchive::writers::phrase::{self, size};
use serde_json::{Value, json};

use super::progress::{When, working};
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, terminal, zone};

/// List the Messages libraries and the iPhone or iPad backups on this machine.
///
/// Looks in the usual places of the home folder: those of Messages, Finder, iTunes and Apple Devices.
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
    let found = discover(&home, app_data().as_deref());
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
        let sentence =
            format!("No Messages library and no iPhone or iPad backup was found in {}.", plain(&home));
        wrap("", &sentence, terminal::width()) + "\n"
    } else {
        let zone = zone::of_the_system()?;
        found.iter().map(|(found, size)| in_words(found, *size, zone)).collect::<Vec<_>>().join("\n")
    };
    terminal::print(&printed)?;
    Ok(Outcome::Complete)
}

/// The user's home folder.
pub fn home() -> Result<std::path::PathBuf, Failure> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).ok_or(Failure::NoHome)
}

/// Where Windows has programs keep what goes with the user, unless that is in the home folder.
pub fn app_data() -> Option<std::path::PathBuf> {
    std::env::var_os("APPDATA").map(Into::into)
}

fn in_words(found: &Found, bytes: Option<u64>, zone: Tz) -> String {
    let what = match found.kind {
        FoundKind::Library => "Messages library",
        FoundKind::Backup if found.encrypted => "Backup (encrypted)",
        FoundKind::Backup => "Backup",
    };
    let mut words = format!("{what}: {}\n", plain(&found.path.display().to_string()));
    let known = [found.device.as_deref(), found.os.as_deref()];
    let date = found.date.map(|date| {
        let local = DateTime::<Utc>::from(date).with_timezone(&zone);
        format!("last changed {}", local.format("%Y-%m-%d %H:%M"))
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
