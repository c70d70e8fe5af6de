use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::account::Folder;
use super::attempt::{Attempt, Attempts};
use super::feed::{feed, try_out};
use super::log::Log;
use super::request::{Request, Tried};
use super::{Job, ScheduleError, Verification, clock, on_failure, raised, slot};
use crate::disk::{DiskError, is_locked, lock_alone, open_file, private_file};

/// Set in the environment of what a schedule starts: nobody is looking on.
pub const SCHEDULED: &str = "MSGARCHIVE_SCHEDULED";
/// A run that failed is tried again where the scheduler comes by later, but not at once: it would call for help twice.
const BEFORE_TRYING_AGAIN: TimeDelta = TimeDelta::hours(2);

/// Whether a run has to be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Now,
    /// Where the scheduler starts it at other times, too: only if a time has come since the last good run.
    IfDue,
}

/// Does what is scheduled: feeds the archive in a process of its own, writes down how it went, and calls for help where
/// it failed. `None`: nothing is due, or it was only to be tried.
///
/// # Errors
/// [`ScheduleError::Busy`] while another one is going on; [`ScheduleError::Disk`], [`ScheduleError::Job`] where what is to be
/// done cannot be read.
pub fn run(
    job_file: &Path,
    start: Start,
    zone: Tz,
    now: &dyn Fn() -> DateTime<Utc>,
) -> Result<Option<Attempt>, ScheduleError> {
    let job = Job::read(job_file)?;
    let folder = Folder::of_job(job_file);
    let _lock = lock(&folder)?;
    let mut attempts = Attempts::read(&folder.attempts());
    let request = Request::take(&folder);
    if request == Some(Request::Trial) {
        let mut log = Log::open(&folder);
        log.line(now(), &format!("a run is tried: {}", job.archive.display()));
        let fed = try_out(&job, &attempts, &mut log);
        log.line(now(), &format!("it would end with {}: {}", fed.exit, fed.message));
        Tried::note(&folder, &fed)?;
        return Ok(None);
    }
    if start == Start::IfDue && request.is_none() && !is_due(&job, &folder, &attempts, now(), zone) {
        return Ok(None);
    }
    // Afterwards the last run is this one.
    let clock = raised::clock_ahead(&job, &attempts, now(), zone);
    let mut attempt = attempts.begin(&job, now());
    // What cannot be written down now can be perhaps when it is done; a full disk here is none there.
    let _ = attempts.save();
    let mut log = Log::open(&folder);
    log.line(attempt.started, &format!("run {} begins: {}", attempt.number, job.archive.display()));
    let fed = feed(&job, &attempts, now, &mut log);
    attempt.finished = Some(now());
    (attempt.exit, attempt.message, attempt.added) = (Some(fed.exit), fed.message, fed.added);
    (attempt.incomplete, attempt.export) = (fed.incomplete, fed.export);
    let of_run = if attempt.has_fed() { raised::of_last_run(&job, zone) } else { Vec::new() };
    attempt.raised = raised::in_words(clock.into_iter().chain(of_run));
    if let Some(words) = &attempt.raised {
        attempt.message += &format!("; {words}");
    }
    attempts.end(&attempt);
    if attempt.has_fed() && Verification::is_due(&job, &attempts, now()) {
        log.line(now(), "the archive is verified");
        let verified = Verification::make(&job, now(), &mut log);
        if let Some(problem) = &verified.problem {
            attempt.message += &format!("; the archive was verified, and {problem}");
        }
        attempt.verified = Some(verified);
        attempts.end(&attempt);
    }
    if job_file.try_exists().is_ok_and(|is_there| !is_there) {
        // The schedule was taken away meanwhile, and nothing of it is to be left.
        return Ok(Some(attempt));
    }
    if let Err(error) = attempts.save() {
        attempt.exit = attempt.exit.filter(|_| !attempt.is_good()).or(Some(1));
        attempt.message += &format!("; but it could not be written down: {}", in_full(&error));
    }
    log.line(now(), &format!("run {} ended with {}: {}", attempt.number, fed.exit, attempt.message));
    if let Some(command) = job.on_failure.as_deref().filter(|_| attempts.calls_for_help(&attempt)) {
        let called = on_failure::call(command, &job, &attempt, &folder, on_failure::PATIENCE, &mut log);
        let words = called.as_ref().err().map_or("is done", |how| how);
        log.line(now(), &format!("--on-failure {words}"));
        attempt.unheard = called.err();
        attempts.end(&attempt);
        let _ = attempts.save();
    }
    Ok(Some(attempt))
}

/// True while a run is going on.
pub(super) fn is_running(folder: &Folder) -> bool {
    open_file(&folder.lock()).and_then(|lock| is_locked(&lock)).unwrap_or(false)
}

/// Since when the job is what it is.
pub(super) fn installed_at(folder: &Folder) -> DateTime<Utc> {
    let modified = fs::metadata(folder.job()).and_then(|metadata| metadata.modified());
    modified.unwrap_or(SystemTime::UNIX_EPOCH).into()
}

/// The system lets go of it, whatever ends the program.
pub(super) fn lock(folder: &Folder) -> Result<File, ScheduleError> {
    let path = folder.lock();
    let file = private_file(&path)?;
    match lock_alone(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ScheduleError::Busy),
        Err(TryLockError::Error(error)) => Err(DiskError::writing(path)(error).into()),
    }
}

fn is_due(job: &Job, folder: &Folder, attempts: &Attempts, now: DateTime<Utc>, zone: Tz) -> bool {
    let Some(slot) = slot::previous(job.when, now, zone) else { return false };
    let latest = clock::latest(now);
    let has_just_failed = |last: &Attempt| {
        let is_recent =
            last.finished.is_some_and(|ended| ended <= latest && now - ended < BEFORE_TRYING_AGAIN);
        last.archive == job.archive && last.started >= slot && is_recent
    };
    let last_good = match attempts.last_good_until(job, latest) {
        Some(attempt) => attempt.started,
        None => installed_at(folder),
    };
    let is_done = (slot..=latest).contains(&last_good);
    !is_done && !attempts.last().is_some_and(has_just_failed)
}

/// With what led to it.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
