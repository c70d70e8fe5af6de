//! What the scheduler is asked to start out of turn: a run, or a trial of one, which finds out what may be read where nobody
//! looks on and changes nothing.
//!
//! The request lies in the schedule's folder; the run that begins takes it away.

use std::fs;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::json;

use super::account::Folder;
use super::attempt::{Attempt, Attempts};
use super::feed::Fed;
use super::not_begun::NotBegun;
use super::run::{is_running, lock};
use super::{Account, Job, ScheduleError, perform, plan};
use crate::disk;

/// For a scheduler to begin what it was asked for.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Run,
    Trial,
}

impl Request {
    const TRIAL: &str = "trial";

    fn put(self, folder: &Folder) -> Result<(), ScheduleError> {
        let word = match self {
            Request::Run => "run",
            Request::Trial => Request::TRIAL,
        };
        Ok(disk::replace(&folder.asked(), word.as_bytes())?)
    }

    /// What somebody waits for, if anybody does; it is taken on now.
    pub fn take(folder: &Folder) -> Option<Request> {
        let word = fs::read_to_string(folder.asked()).unwrap_or_default();
        fs::remove_file(folder.asked()).ok()?;
        Some(if word == Request::TRIAL { Request::Trial } else { Request::Run })
    }
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tried {
    /// The exit status of `archive --dry-run`.
    pub exit: i32,
    /// What happened, in a sentence.
    pub message: String,
}

impl Tried {
    /// A run would do what it has to.
    pub fn is_good(&self) -> bool {
        matches!(self.exit, 0 | 3)
    }

    /// Writes down how it went, for whoever waits for it.
    pub(super) fn note(folder: &Folder, fed: &Fed) -> Result<(), ScheduleError> {
        let text = json!({ "exit": fed.exit, "message": fed.message }).to_string();
        Ok(disk::replace(&folder.tried(), text.as_bytes())?)
    }
}

/// Has the scheduler start a run, which finds out what it may do where nobody looks on; waits for its end.
///
/// # Errors
/// [`ScheduleError::NotInstalled`], [`ScheduleError::NoRequests`], [`ScheduleError::NotStarted`], [`ScheduleError::Busy`], and
/// what the scheduler said.
pub fn through_scheduler(account: &Account) -> Result<Attempt, ScheduleError> {
    let (job, folder) = installed(account)?;
    let last = || Attempts::read(&folder.attempts()).last().cloned();
    let before = last().map(|attempt| attempt.number);
    ask(account, &job, &folder, Request::Run)?;
    last().filter(|attempt| Some(attempt.number) != before).ok_or(NOT_STARTED)
}

/// Has the scheduler start a run that reads all that is to be archived and changes nothing; waits for its end.
///
/// # Errors
/// As [`through_scheduler`].
pub fn try_out(account: &Account) -> Result<Tried, ScheduleError> {
    let (job, folder) = installed(account)?;
    let _ = fs::remove_file(folder.tried());
    ask(account, &job, &folder, Request::Trial)?;
    let tried = fs::read(folder.tried()).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let _ = fs::remove_file(folder.tried());
    tried.ok_or(NOT_STARTED)
}

const NOT_STARTED: ScheduleError = ScheduleError::NotStarted { seconds: PATIENCE.as_secs() };

fn installed(account: &Account) -> Result<(Job, Folder), ScheduleError> {
    let job = perform::installed(account)?.ok_or(ScheduleError::NotInstalled)?;
    let folder = Folder::new(account.folder(job.system));
    Ok((job, folder))
}

/// Waits until it is done.
fn ask(account: &Account, job: &Job, folder: &Folder, request: Request) -> Result<(), ScheduleError> {
    let start = plan::start(job.system, account).ok_or(ScheduleError::NoRequests)?;
    drop(lock(folder)?);
    request.put(folder)?;
    let asked_at = fs::metadata(folder.asked()).and_then(|asked| asked.modified());
    let asked_at = asked_at.unwrap_or(SystemTime::UNIX_EPOCH).into();
    // Some wait for the end, and take a run that failed for a failure of theirs.
    let told = perform::tell(&start);
    // Or know at once that there is nothing to wait for.
    let mut why = if folder.asked().exists() { NotBegun::why(job.system, folder, asked_at) } else { None };
    let may_begin = told.is_ok() && why.is_none();
    let mut polls = if may_begin { PATIENCE.as_millis() / POLL.as_millis() } else { 0 };
    while folder.asked().exists() && polls > 0 {
        std::thread::sleep(POLL);
        polls -= 1;
    }
    if folder.asked().exists() {
        let _ = fs::remove_file(folder.asked());
        why = why.or_else(|| NotBegun::why(job.system, folder, asked_at));
        return Err(match (why, told) {
            (Some(NotBegun::OnBattery), _) => ScheduleError::OnBattery,
            (Some(NotBegun::Failed(why)), _) => ScheduleError::NotBegun { why },
            (None, Err(error)) => error,
            (None, Ok(_)) => NOT_STARTED,
        });
    }
    while is_running(folder) {
        std::thread::sleep(POLL);
    }
    Ok(())
}
