use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::json;

use super::ScheduleError;
use crate::disk;

/// Records that are kept.
const MOST: usize = 100;

/// A run of the schedule, as it was written down when it began and when it ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// From 1 on.
    pub number: u64,
    pub started: DateTime<Utc>,
    /// `None` while it is going on, and when it was ended from outside.
    pub finished: Option<DateTime<Utc>>,
    /// The exit status of `archive`.
    pub exit: Option<i32>,
    /// What happened, in a sentence.
    pub message: String,
    /// Messages that were new.
    pub added: Option<u64>,
}

impl Attempt {
    /// Everything was archived; perhaps (3) an attachment could not be read.
    pub fn is_good(&self) -> bool {
        matches!(self.exit, Some(0 | 3))
    }
}

/// The records of the last runs, oldest first.
#[derive(Debug)]
pub(super) struct Attempts {
    path: PathBuf,
    list: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Stored {
    attempts: Vec<Attempt>,
}

impl Attempts {
    /// None where there is no file, or something else in it: no run must fail for that.
    pub fn read(path: &Path) -> Attempts {
        let stored = fs::read(path).ok().and_then(|text| serde_json::from_slice::<Stored>(&text).ok());
        Attempts { path: path.to_owned(), list: stored.map(|stored| stored.attempts).unwrap_or_default() }
    }

    pub fn list(&self) -> &[Attempt] {
        &self.list
    }

    pub fn last(&self) -> Option<&Attempt> {
        self.list.last()
    }

    pub fn last_good(&self) -> Option<&Attempt> {
        self.list.iter().rev().find(|attempt| attempt.is_good())
    }

    /// Writes down that one begins.
    pub fn begin(&mut self, now: DateTime<Utc>) -> Result<Attempt, ScheduleError> {
        let number = self.last().map_or(0, |last| last.number).saturating_add(1);
        let attempt = Attempt {
            number,
            started: now,
            finished: None,
            exit: None,
            message: "it was ended before it was done".into(),
            added: None,
        };
        self.list.push(attempt.clone());
        self.save()?;
        Ok(attempt)
    }

    /// Writes down how the last one ended.
    pub fn end(&mut self, attempt: &Attempt) -> Result<(), ScheduleError> {
        self.list.pop();
        self.list.push(attempt.clone());
        self.save()
    }

    fn save(&mut self) -> Result<(), ScheduleError> {
        let first = self.list.len().saturating_sub(MOST);
        self.list.drain(..first);
        let date = |date: DateTime<Utc>| date.to_rfc3339_opts(SecondsFormat::Secs, true);
        let attempts: Vec<_> = self
            .list
            .iter()
            .map(|attempt| {
                json!({
                    "number": attempt.number,
                    "started": date(attempt.started),
                    "finished": attempt.finished.map(date),
                    "exit": attempt.exit,
                    "message": attempt.message,
                    "added": attempt.added,
                })
            })
            .collect();
        let text = format!("{:#}\n", json!({ "schema": 1, "attempts": attempts }));
        Ok(disk::replace(&self.path, text.as_bytes())?)
    }
}
