//! Once a week the archive is verified after it was fed: one that nobody looks at would go on being fed for years while its
//! disk goes bad, and its sources lose what could mend it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Job;
use super::attempt::Attempts;
use super::child;
use super::clock;
use super::log::Log;

/// How long one is good for.
const PERIOD: TimeDelta = TimeDelta::days(7);

/// How a look at the archive went.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Verification {
    pub date: DateTime<Utc>,
    /// What is wrong, in words; `None`: it is whole.
    pub problem: Option<String>,
}

impl Verification {
    /// Whether the archive of this job is to be looked at: the last look is a week old, or found something that the run since
    /// may have mended.
    pub(super) fn is_due(job: &Job, attempts: &Attempts, now: DateTime<Utc>) -> bool {
        // What is dated later than it can be says nothing.
        let is_over = |since: DateTime<Utc>| now - since >= PERIOD || since > clock::latest(now);
        match attempts.last_verification(job) {
            Some(last) => last.problem.is_some() || is_over(last.date),
            None => attempts.first_fed(job).is_some_and(|first| is_over(first.started)),
        }
    }

    /// Looks at it. What is found is noted in the archive, and mended by the next run.
    pub(super) fn make(job: &Job, now: DateTime<Utc>, log: &mut Log) -> Verification {
        let arguments = ["verify", "--json", "--progress", "never", "--"].map(AsRef::as_ref);
        let arguments = arguments.into_iter().chain([job.archive.as_os_str()]);
        let problem = match child::start(&job.program, arguments, log) {
            Err(words) => Some(words),
            Ok(ended) => match ended.exit() {
                0 => None,
                3 => Some(named(&ended.printed).unwrap_or_else(|| ended.reason())),
                _ => Some(format!("it could not be verified: {}", ended.reason())),
            },
        };
        Verification { date: now, problem }
    }

    pub(super) fn to_json(&self) -> Value {
        let date = self.date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        json!({ "date": date, "problem": self.problem })
    }
}

/// What `verify --json` prints, as far as it names what is wrong.
#[derive(Deserialize)]
struct Printed {
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    path: Option<String>,
    guid: Option<String>,
    what: String,
}

/// How many things are wrong, and the first of them.
fn named(printed: &[u8]) -> Option<String> {
    let Printed { problems } = serde_json::from_slice(printed).ok()?;
    let Problem { path, guid, what } = problems.first()?;
    let first = match path.as_ref().or(guid.as_ref()) {
        Some(name) => format!("{name}: {what}"),
        None => what.clone(),
    };
    let words = match problems.len() {
        1 => format!("it is damaged: {first}"),
        many => format!("{many} things in it are damaged, such as {first}"),
    };
    Some(words.replace('\0', ""))
}
