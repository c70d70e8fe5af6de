use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use super::account::Folder;
use super::attempt::{Attempt, Attempts};
use super::log::Log;
use super::{Account, Job, ScheduleError, archive_runs, perform, plan, slot};
use crate::disk::{DiskError, private_file};

/// Set in the environment of what a schedule starts: nobody is looking on.
pub const SCHEDULED: &str = "MSGARCHIVE_SCHEDULED";
/// A run record is shorter; what an error says, too.
const LONGEST_WORDS: usize = 64 * 1024;
/// For a scheduler to begin what it was asked for.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// Whether a run has to be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Now,
    /// Where the scheduler starts it at other times, too: only if a time has come since the last good run.
    IfDue,
}

/// Does what is scheduled: feeds the archive in a process of its own, writes down how it went, and calls for help where
/// it failed. `None`: nothing is due.
///
/// # Errors
/// [`ScheduleError::Busy`] while another one is going on; [`ScheduleError::Disk`] where nothing could be written down.
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
    if start == Start::IfDue && !is_due(&job, &folder, &attempts, now(), zone) {
        return Ok(None);
    }
    let fed_before = attempts.last_good().is_some();
    let mut attempt = attempts.begin(now())?;
    let mut log = Log::open(&folder)?;
    log.line(attempt.started, &format!("run {} begins: {}", attempt.number, job.archive.display()));
    // An archive on a disk that is elsewhere must not be begun anew where the disk should be.
    let fed = if fed_before && !archive_runs::is_there(&job.archive) {
        let message = format!("there is no archive at {}: is its disk connected?", job.archive.display());
        Fed { exit: 1, message, added: None }
    } else {
        feed(&job, &mut log)
    };
    attempt.finished = Some(now());
    (attempt.exit, attempt.message, attempt.added) = (Some(fed.exit), fed.message, fed.added);
    attempts.end(&attempt)?;
    log.line(now(), &format!("run {} ended with {}: {}", attempt.number, fed.exit, attempt.message));
    if let Some(command) = job.on_failure.as_deref().filter(|_| !attempt.is_good()) {
        call_for_help(command, &job, &folder, &attempt, &mut log, now);
    }
    Ok(Some(attempt))
}

/// Has the scheduler start a run, which finds out what it may do where nobody looks on; waits for its end.
///
/// # Errors
/// [`ScheduleError::NotInstalled`], [`ScheduleError::NoRequests`], [`ScheduleError::NotStarted`], and what the scheduler
/// said.
pub fn through_scheduler(account: &Account) -> Result<Attempt, ScheduleError> {
    let job = perform::installed(account)?.ok_or(ScheduleError::NotInstalled)?;
    let folder = Folder::new(account.folder(job.system));
    let start = plan::start(job.system, account).ok_or(ScheduleError::NoRequests)?;
    drop(lock(&folder)?);
    let last = |folder: &Folder| Attempts::read(&folder.attempts()).last().cloned();
    let before = last(&folder).map(|attempt| attempt.number);
    private_file(&folder.asked())?;
    let started = perform::tell(&start).and_then(|_| {
        let polls = PATIENCE.as_millis() / POLL.as_millis();
        let begun = || last(&folder).is_some_and(|attempt| Some(attempt.number) != before);
        (0..polls)
            .any(|_| {
                begun() || {
                    std::thread::sleep(POLL);
                    false
                }
            })
            .then_some(())
            .ok_or(ScheduleError::NotStarted { seconds: PATIENCE.as_secs() })
    });
    let _ = fs::remove_file(folder.asked());
    started?;
    while is_running(&folder) {
        std::thread::sleep(POLL);
    }
    last(&folder).ok_or(ScheduleError::NotStarted { seconds: PATIENCE.as_secs() })
}

/// True while a run is going on.
pub(super) fn is_running(folder: &Folder) -> bool {
    folder.lock().is_file() && matches!(lock(folder), Err(ScheduleError::Busy))
}

/// Since when the job is what it is.
pub(super) fn installed_at(folder: &Folder) -> DateTime<Utc> {
    let modified = fs::metadata(folder.job()).and_then(|metadata| metadata.modified());
    modified.unwrap_or(SystemTime::UNIX_EPOCH).into()
}

/// The system lets go of it, whatever ends the program.
fn lock(folder: &Folder) -> Result<File, ScheduleError> {
    let path = folder.lock();
    let file = private_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ScheduleError::Busy),
        Err(TryLockError::Error(error)) => Err(DiskError::writing(path)(error).into()),
    }
}

fn is_due(job: &Job, folder: &Folder, attempts: &Attempts, now: DateTime<Utc>, zone: Tz) -> bool {
    if fs::remove_file(folder.asked()).is_ok() {
        return true;
    }
    let last = attempts.last_good().map_or_else(|| installed_at(folder), |attempt| attempt.started);
    slot::previous(job.when, now, zone).is_some_and(|slot| last < slot)
}

/// How feeding the archive went.
struct Fed {
    exit: i32,
    message: String,
    added: Option<u64>,
}

/// What is of interest in the record that `archive --json` prints.
#[derive(Deserialize)]
struct Printed {
    added: u64,
    export: Option<PrintedExport>,
}

#[derive(Deserialize)]
struct PrintedExport {
    /// Conversations.
    written: Option<u64>,
}

fn feed(job: &Job, log: &mut Log) -> Fed {
    let child = Command::new(&job.program)
        .args(job.arguments())
        .env(SCHEDULED, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let program = job.program.display();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            return Fed { exit: 1, message: format!("cannot start {program}: {error}"), added: None };
        }
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (printed, said) = std::thread::scope(|scope| {
        let printed = scope.spawn(|| stdout.map(|stdout| collect(stdout, |_| ())).unwrap_or_default());
        let said = stderr.map(|stderr| collect(stderr, |bytes| log.put(bytes))).unwrap_or_default();
        (printed.join().unwrap_or_default(), said)
    });
    let status = match child.wait() {
        Ok(status) => status,
        Err(error) => {
            return Fed { exit: 1, message: format!("lost sight of {program}: {error}"), added: None };
        }
    };
    let printed = serde_json::from_slice::<Printed>(&printed).ok();
    let added = printed.as_ref().map(|printed| printed.added);
    let exported = printed.and_then(|printed| printed.export?.written);
    let exit = code(status);
    let message = match (exit, added) {
        (0, Some(added)) => match exported {
            Some(written) => format!("new messages: {added}; exported conversations: {written}"),
            None => format!("new messages: {added}"),
        },
        (0, None) => "done".into(),
        (3, _) => format!("done, but: {}", reason(&said, status)),
        _ => reason(&said, status),
    };
    Fed { exit, message, added }
}

/// Reads to the end, passes everything on, and keeps the end of it.
fn collect(mut from: impl Read, mut each: impl FnMut(&[u8])) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return kept,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return kept,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
        };
        each(read);
        kept.extend_from_slice(read);
        let surplus = kept.len().saturating_sub(LONGEST_WORDS);
        kept.drain(..surplus);
    }
}

/// As a shell has it: 128 and the number of the signal.
fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
    #[cfg(not(unix))]
    {
        status.code().unwrap_or(1)
    }
}

/// What the program said failed, with the causes; else how it ended.
fn reason(said: &[u8], status: ExitStatus) -> String {
    let text = String::from_utf8_lossy(said);
    let after = |mark: &str| {
        let lines = text.lines();
        lines
            .filter_map(|line| line.strip_prefix(mark))
            .map(|words| words.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let mut words = after("error:");
    words.extend(after("caused by:"));
    if words.is_empty() {
        words = after("warning:");
    }
    match words.is_empty() {
        true => format!("archive ended with {status}"),
        false => words.join(": ").replace('\0', ""),
    }
}

/// Runs the command that was asked for, in the shell.
fn call_for_help(
    command: &str,
    job: &Job,
    folder: &Folder,
    attempt: &Attempt,
    log: &mut Log,
    now: &dyn Fn() -> DateTime<Utc>,
) {
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let called = Command::new(shell)
        .args([option, command])
        .env(SCHEDULED, "1")
        .env("MSGARCHIVE_REASON", &attempt.message)
        .env("MSGARCHIVE_EXIT", attempt.exit.unwrap_or(1).to_string())
        .env("MSGARCHIVE_ARCHIVE", &job.archive)
        .env("MSGARCHIVE_LOG", folder.log())
        .stdin(Stdio::null())
        .output();
    match called {
        Ok(output) => {
            log.put(&output.stdout);
            log.put(&output.stderr);
            log.line(now(), &format!("--on-failure ended with {}", code(output.status)));
        }
        Err(error) => log.line(now(), &format!("--on-failure could not be started: {error}")),
    }
}
