use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use msgarchive::pipeline::select::Selection;
use msgarchive::schedule::{self, Alarm, AlarmKind, Attempt, Every, Job, KeptExport, Status};
use msgarchive::source::{OpenOptions, Place};
use msgarchive::writers::export;
use msgarchive::writers::phrase::count;
use serde_json::{Value, json};

use super::super::account::account;
use super::super::progress::When;
use super::super::terminal::{plain, wrap};
use super::super::{Failure, Outcome, moment, password, source_options, terminal, zone};
use super::{local, shown_export};

/// Say how the schedule is: next run, last run, the archive's age, and what is wrong.
///
/// Exits with 3 where something is wrong: the scheduler does not know the job, the archive is not there or was found damaged (it is
/// verified once a week, after a run), a run of the last week gave up for lost what damage took, the last run could not put
/// damage right, the last run failed, was interrupted or could not read everything, its export failed, a time was missed,
/// a run is dated later than it can be, the last good run is older than two periods, a source is empty that was not, or runs add nothing while the source
/// holds newer messages; also where the program or the --on-failure
/// command does not work any more.
#[derive(Debug, clap::Args)]
#[command(after_help = MONITORS)]
pub struct StatusArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const MONITORS: &str = "\
For monitors, --json has, among others:
  installed         false where there is no schedule
  alarm, alarms     what is wrong, the gravest and all: kind, and words
  last              the last run: started, finished, message, and exit (3: not
                    complete, 1: failed)
  next              when the next one is; null where the scheduler does not know
                    the job
  archive_age_days  days since the archive's last run, scheduled or not

Kinds: not_loaded, no_archive, no_program, damaged, failing, export_failing, incomplete, unheard, interrupted, clock, not_begun, \
missed, old, emptied, stale. The README says what each of them means.

Exit status: 0 all is well, or no schedule is installed, 1 it could not be looked at, 2 wrong command line, 3 there is an alarm.";

pub fn run(args: &StatusArgs) -> Result<Outcome, Failure> {
    let (account, zone) = (account()?, zone::of_the_system()?);
    let found = schedule::status(&account, moment::of_reading()?, zone, &messages_between)?;
    let printed = match (&found, args.json) {
        (found, true) => format!("{}\n", as_json(found.as_ref())),
        (Some(status), false) => in_words(status, zone),
        (None, false) => "No schedule is installed.\n".to_owned(),
    };
    terminal::print(&printed)?;
    let alarmed = found.is_some_and(|status| !status.alarms.is_empty());
    Ok(if alarmed { Outcome::Incomplete } else { Outcome::Complete })
}

/// Counts what the job's sources hold. A source that cannot be read from here may be readable for the job.
fn messages_between(job: &Job, since: Option<DateTime<Utc>>, until: DateTime<Utc>) -> Option<u64> {
    let paths = match job.sources.is_empty() {
        true => vec![source_options::default_source().ok()?],
        false => job.sources.clone(),
    };
    let selection = Selection { since, until: Some(until), ..Selection::default() };
    let mut found = 0;
    for path in paths {
        let mut place = Place::find(&path).ok()?;
        if place.locked().ok()?.is_some() {
            // Nobody is asked for a password only to see how things are.
            password::unlock(&mut place, Some(job.password_file.as_deref()?), When::Auto).ok()?;
        }
        let source = place.open(&OpenOptions { sessions: 1, ..OpenOptions::default() }).ok()?;
        found += export::list(source.as_ref(), &[], &selection, 1, &()).ok()?.rows.messages;
    }
    Some(found)
}

fn in_words(status: &Status, zone: Tz) -> String {
    let width = terminal::width();
    let job = &status.job;
    let period = match job.when.every {
        Every::Day => "every day",
        Every::Week => "every Sunday",
    };
    let mut words = format!("{period} at {}, through {}\n", job.when.at, job.system.name());
    let mut line = |name: &str, what: &str| {
        let _ = writeln!(words, "{}", wrap(&format!("  {name:<10} "), &plain(what), width));
    };
    line("archive", &job.archive.display().to_string());
    match status.archive_age {
        Some(age) => {
            let days = days(age);
            line(
                "its age",
                &match days {
                    0.0 => "less than 2 hours since its last run".to_owned(),
                    1.0 => "1 day since its last run".to_owned(),
                    days => format!("{days} days since its last run"),
                },
            );
        }
        None if status.alarms.iter().any(|alarm| alarm.kind == AlarmKind::Clock) => {
            line(
                "its age",
                "not known: its last run was made by a clock that was ahead, or this one is behind",
            );
        }
        None => line("its age", "it has had no run yet"),
    }
    if let Some(verified) = &status.verified {
        let how = if verified.problem.is_none() { "whole" } else { "damaged" };
        line("verified", &format!("{}: {how}", local(verified.date, zone)));
    }
    for source in &job.sources {
        line("source", &source.display().to_string());
    }
    if let Some(export) = &status.export {
        line("export", &shown_export(&export.job));
        // Why is said by the alarm.
        let failed = if export.failure.is_some() { "; the last time it failed" } else { "" };
        line("exported", &format!("{}{failed}", last_export(export, zone)));
    }
    match (status.is_running, status.next) {
        (true, _) => {
            let since = status.last.as_ref().map(|last| format!(", since {}", local(last.started, zone)));
            line("next run", &format!("it is going on{}", since.unwrap_or_default()));
        }
        (false, Some(next)) => line("next run", &local(next, zone)),
        (false, None) => line("next run", "none"),
    }
    match &status.last {
        Some(last) => {
            line("last run", &format!("{}: {}", local(last.started, zone), message(status, last)));
        }
        None => line("last run", "none yet"),
    }
    if let Some(command) = &job.on_failure {
        line("on failure", command);
    }
    line("log", &status.log.display().to_string());
    if status.lingers == Some(false) {
        line("note", "it runs only while you are logged in: lingering is off (`loginctl enable-linger`)");
    }
    if !status.alarms.is_empty() {
        let _ = writeln!(words, "\n{}:", count(status.alarms.len() as u64, "alarm", "alarms"));
    }
    for alarm in &status.alarms {
        let _ = writeln!(words, "{}", wrap("  - ", &plain(&alarm.what), width));
    }
    words
}

/// What became of the last run, in words. Of one that is going on nobody knows yet.
fn message<'s>(status: &Status, last: &'s Attempt) -> &'s str {
    if status.is_running && last.finished.is_none() { "it is going on" } else { &last.message }
}

/// When it was last brought up to date.
pub fn last_export(export: &KeptExport, zone: Tz) -> String {
    export.last_good.map_or_else(|| "never yet".to_owned(), |last| local(last, zone))
}

/// An export that is kept up to date, and how it is.
pub fn export_as_json(export: &KeptExport) -> Value {
    json!({
        "formats": export.job.formats,
        "out": export.job.out,
        "options": export.job.options,
        "last_good": export.last_good.map(date),
        "failure": export.failure,
    })
}

fn date(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn as_json(status: Option<&Status>) -> Value {
    let Some(status) = status else {
        let last: Option<()> = None;
        return json!({
            "schema": 1, "installed": false, "next": last, "last": last, "archive_age_days": last, "alarm": last,
            "alarms": [],
        });
    };
    let alarm = |alarm: &Alarm| json!({ "kind": alarm.kind.name(), "what": alarm.what });
    let last = status.last.as_ref().map(|last| {
        json!({
            "started": date(last.started),
            "finished": last.finished.map(date),
            "exit": last.exit,
            "added": last.added,
            "incomplete": last.incomplete,
            "message": message(status, last),
            "exported": last.export.as_ref().map(|export| export.failure.is_none()),
        })
    });
    json!({
        "schema": 1,
        "installed": true,
        "next": status.next.map(date),
        "last": last,
        "archive_age_days": status.archive_age.map(days),
        "alarm": status.alarms.first().map(alarm),
        "alarms": status.alarms.iter().map(alarm).collect::<Vec<_>>(),
        "system": status.job.system.name(),
        "archive": status.job.archive,
        "sources": status.job.sources,
        "verified": status.verified.as_ref().map(|verified| {
            json!({ "date": date(verified.date), "problem": verified.problem })
        }),
        "export": status.export.as_ref().map(export_as_json),
        "every": status.job.when.every.name(),
        "at": status.job.when.at.to_string(),
        "running": status.is_running,
        "on_failure": status.job.on_failure,
        "log": status.log,
    })
}

/// With one place after the point.
fn days(age: chrono::TimeDelta) -> f64 {
    (age.num_seconds() as f64 / 8640.0).round() / 10.0
}
