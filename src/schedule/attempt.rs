use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{Job, ScheduleError, Verification};
use crate::disk::{self, DiskError};

/// Records that are kept, and a few older ones.
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
    /// What could not be read of a run that went well otherwise, in words.
    pub incomplete: Option<String>,
    /// What was fed.
    #[serde(default)]
    pub archive: PathBuf,
    /// `None` where there is no export, and where it did not come to that.
    pub export: Option<ExportEnd>,
    /// `None` where the archive was not verified after it.
    #[serde(default)]
    pub verified: Option<Verification>,
    /// What is wrong though it went well, in words: damage that could not be put right, a source that is suddenly empty, a
    /// clock that was wrong.
    #[serde(default)]
    pub raised: Option<String>,
    /// How `--on-failure` failed; `None` where it did not, and where it was not called.
    pub unheard: Option<String>,
}

/// How the export after a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExportEnd {
    pub out: PathBuf,
    /// `None`: it is up to date.
    pub failure: Option<String>,
}

impl Attempt {
    /// Everything was archived and exported, as far (3) as it could be read.
    pub fn is_good(&self) -> bool {
        matches!(self.exit, Some(0 | 3))
    }

    /// The exit status of all of it: where the archive was found damaged it is not well.
    pub fn status(&self) -> i32 {
        match self.exit {
            Some(0) if self.problem().is_some() => 3,
            exit => exit.unwrap_or(1),
        }
    }

    /// What is wrong with the archive, in words, where it was verified and something is.
    pub fn problem(&self) -> Option<&str> {
        self.verified.as_ref()?.problem.as_deref()
    }

    /// Everything was archived, whatever became of the export.
    pub fn has_fed(&self) -> bool {
        self.is_good() || self.export.is_some()
    }

    /// How the export ended, where it was this one.
    pub fn export_of(&self, job: &Job) -> Option<&ExportEnd> {
        let out = &job.export.as_ref()?.out;
        self.export.as_ref().filter(|export| export.out == *out)
    }
}

/// The records of the last runs, oldest first.
#[derive(Debug)]
pub(super) struct Attempts {
    path: PathBuf,
    list: Vec<Attempt>,
    /// There were others, which were damaged; none since was good.
    forgotten: bool,
    /// The disk does not give them up: what they are is not known, and they are not written over.
    unread: Option<io::Error>,
}

#[derive(Deserialize)]
struct Stored {
    attempts: Vec<Attempt>,
    #[serde(default)]
    forgotten: bool,
}

impl Attempts {
    /// None where there is no file, or something else in it: no run must fail for that. But then nobody knows what was before.
    pub fn read(path: &Path) -> Attempts {
        let (text, unread) = match disk::twice(|| fs::read(path)) {
            Ok(text) => (text, None),
            Err(error) if disk::is_gone(&error) || error.kind() == io::ErrorKind::IsADirectory => {
                (Vec::new(), None)
            }
            Err(error) => (Vec::new(), Some(error)),
        };
        let (list, forgotten) = match serde_json::from_slice::<Stored>(&text) {
            Ok(Stored { attempts, forgotten }) => (attempts, forgotten),
            Err(_) => (Vec::new(), !text.is_empty()),
        };
        Attempts { path: path.to_owned(), list, forgotten, unread }
    }

    /// They could be read, or there are none.
    ///
    /// # Errors
    /// [`ScheduleError::Disk`].
    pub fn are_known(&self) -> Result<(), ScheduleError> {
        match &self.unread {
            Some(error) => Err(DiskError::reading(&self.path)(error.kind().into()).into()),
            None => Ok(()),
        }
    }

    /// Whether the archive of this job was ever fed, for all that is known.
    pub fn may_have_fed(&self, job: &Job) -> bool {
        self.unread.is_some() || self.forgotten || self.last_fed(job).is_some()
    }

    /// The same of the export.
    pub fn may_have_exported(&self, job: &Job) -> bool {
        self.unread.is_some() || self.forgotten || self.last_exported(job).is_some()
    }

    pub fn list(&self) -> &[Attempt] {
        &self.list
    }

    pub fn last(&self) -> Option<&Attempt> {
        self.list.last()
    }

    /// The last one that may have begun until a moment, however it ended.
    pub fn last_until(&self, latest: DateTime<Utc>) -> Option<&Attempt> {
        self.list.iter().rev().find(|attempt| attempt.started <= latest)
    }

    /// The last one by which everything was as it should be, in the archive of this job, of those until a moment.
    pub fn last_good_until(&self, job: &Job, latest: DateTime<Utc>) -> Option<&Attempt> {
        let is_of_job = |attempt: &&Attempt| attempt.archive == job.archive && attempt.started <= latest;
        self.list.iter().rev().filter(is_of_job).find(|attempt| attempt.is_good())
    }

    /// The last one that fed the archive of this job, of those until a moment.
    pub fn last_fed_until(&self, job: &Job, latest: DateTime<Utc>) -> Option<&Attempt> {
        let is_of_job = |attempt: &&Attempt| attempt.archive == job.archive && attempt.started <= latest;
        self.list.iter().rev().filter(is_of_job).find(|attempt| attempt.has_fed())
    }

    /// Somebody has to be told of this one: it failed, or could not read something, or found the archive damaged, a source emptied
    /// or a clock wrong, and that was not the same the time before. (What cannot be read tonight cannot be read every night, as a rule.)
    pub fn calls_for_help(&self, attempt: &Attempt) -> bool {
        let before = self.list.iter().rev().find(|before| before.number != attempt.number);
        let is_news = |what: fn(&Attempt) -> Option<&str>| {
            what(attempt).is_some() && before.map(what) != Some(what(attempt))
        };
        // Of several things that were wrong one may be so no more.
        let is_raised_anew = attempt.raised.as_deref().is_some_and(|now| {
            let then = before.and_then(|before| before.raised.as_deref());
            !then.is_some_and(|then| then.contains(now))
        });
        !attempt.is_good()
            || is_news(|attempt| attempt.incomplete.as_deref())
            || is_news(|attempt| attempt.problem())
            || is_raised_anew
    }

    /// The last one that fed the archive of this job.
    pub fn last_fed(&self, job: &Job) -> Option<&Attempt> {
        self.last_fed_until(job, DateTime::<Utc>::MAX_UTC)
    }

    /// The first one that fed it, of those that are known.
    pub fn first_fed(&self, job: &Job) -> Option<&Attempt> {
        self.list.iter().find(|attempt| attempt.archive == job.archive && attempt.has_fed())
    }

    /// How the last look at the archive of this job went.
    pub fn last_verification(&self, job: &Job) -> Option<&Verification> {
        let of_job = self.list.iter().rev().filter(|attempt| attempt.archive == job.archive);
        of_job.filter_map(|attempt| attempt.verified.as_ref()).next()
    }

    /// The last one that came to the export of this job.
    pub fn last_export(&self, job: &Job) -> Option<&ExportEnd> {
        self.list.iter().rev().find_map(|attempt| attempt.export_of(job))
    }

    /// The last one that brought the export of this job up to date.
    pub fn last_exported(&self, job: &Job) -> Option<&Attempt> {
        let is_up_to_date = |export: &ExportEnd| export.failure.is_none();
        self.list.iter().rev().find(|attempt| attempt.export_of(job).is_some_and(is_up_to_date))
    }

    /// One begins.
    pub fn begin(&mut self, job: &Job, now: DateTime<Utc>) -> Attempt {
        let number = self.last().map_or(0, |last| last.number).saturating_add(1);
        let attempt = Attempt {
            number,
            started: now,
            finished: None,
            exit: None,
            message: "it was ended before it was done".into(),
            added: None,
            incomplete: None,
            archive: job.archive.clone(),
            export: None,
            verified: None,
            raised: None,
            unheard: None,
        };
        self.list.push(attempt.clone());
        attempt
    }

    /// How the last one ended.
    pub fn end(&mut self, attempt: &Attempt) {
        self.forgotten &= !attempt.is_good();
        self.list.pop();
        self.list.push(attempt.clone());
    }

    /// By none of those after it its archive was fed, or its export brought up to date: by it is known that they were there.
    /// However long a disk is away, they must not be begun anew where it should be.
    fn is_last_good(&self, at: usize) -> bool {
        let (attempt, later) = (&self.list[at], &self.list[at + 1..]);
        let exported = |attempt: &Attempt| {
            attempt.export.as_ref().filter(|export| export.failure.is_none()).map(|export| export.out.clone())
        };
        let has_fed_later = || later.iter().any(|later| later.has_fed() && later.archive == attempt.archive);
        let has_exported_later =
            |out: &PathBuf| later.iter().any(|later| exported(later).as_ref() == Some(out));
        attempt.has_fed() && !has_fed_later()
            || exported(attempt).is_some_and(|out| !has_exported_later(&out))
    }

    /// Writes all down.
    ///
    /// # Errors
    /// [`ScheduleError::Disk`]: also where those before could not be read.
    pub fn save(&mut self) -> Result<(), ScheduleError> {
        self.are_known()?;
        let first = self.list.len().saturating_sub(MOST);
        let kept: Vec<Attempt> =
            (0..first).filter(|at| self.is_last_good(*at)).map(|at| self.list[at].clone()).collect();
        self.list.splice(..first, kept);
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
                    "incomplete": attempt.incomplete,
                    "archive": attempt.archive,
                    "export": attempt.export.as_ref().map(|export| json!({
                        "out": export.out, "failure": export.failure,
                    })),
                    "verified": attempt.verified.as_ref().map(Verification::to_json),
                    "raised": attempt.raised,
                    "unheard": attempt.unheard,
                })
            })
            .collect();
        let text =
            format!("{:#}\n", json!({ "schema": 1, "attempts": attempts, "forgotten": self.forgotten }));
        Ok(disk::replace(&self.path, text.as_bytes())?)
    }
}
