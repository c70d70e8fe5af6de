use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::account::Folder;
use super::alarm::{Census, Evidence};
use super::attempt::Attempts;
use super::clock;
use super::fed::{KeptExport, kept_export, last_run};
use super::not_begun::NotBegun;
use super::{Account, Alarm, Attempt, Job, ScheduleError, System, Verification, perform, run, slot, systemd};

/// How a schedule is.
#[derive(Debug, Clone)]
pub struct Status {
    pub job: Job,
    /// A run is going on.
    pub is_running: bool,
    /// `None` where the scheduler does not know the job.
    pub next: Option<DateTime<Utc>>,
    pub last: Option<Attempt>,
    /// Since the last run of the archive, scheduled or not; `None` where there was none, or only of a clock that was ahead.
    pub archive_age: Option<TimeDelta>,
    /// How the last look at the archive went; `None` where there was none yet.
    pub verified: Option<Verification>,
    /// How the export of the archive is; `None` where there is none.
    pub export: Option<KeptExport>,
    /// The gravest first.
    pub alarms: Vec<Alarm>,
    /// False where the user's timers stop when nobody is logged in; `None` where that is not known.
    pub lingers: Option<bool>,
    /// What the runs said.
    pub log: PathBuf,
}

/// Looks at the schedule of an account; `None` where there is none.
///
/// # Errors
/// As [`installed`](super::installed).
pub fn status(
    account: &Account,
    now: DateTime<Utc>,
    zone: Tz,
    census: Census<'_>,
) -> Result<Option<Status>, ScheduleError> {
    let Some(job) = perform::installed(account)? else { return Ok(None) };
    let folder = Folder::new(account.folder(job.system));
    let attempts = Attempts::read(&folder.attempts());
    attempts.are_known()?;
    let is_loaded = perform::is_loaded(job.system, account);
    let is_running = run::is_running(&folder);
    let why_not_begun = |since| NotBegun::why(job.system, &folder, since);
    let why_not_begun = &why_not_begun;
    let evidence = Evidence {
        why_not_begun,
        job: &job,
        folder: &folder,
        attempts: &attempts,
        is_loaded,
        is_running,
        now,
        zone,
    };
    Ok(Some(Status {
        is_running,
        next: slot::next(job.when, now, zone).filter(|_| is_loaded),
        last: attempts.last().cloned(),
        archive_age: last_run(&job, &attempts, clock::latest(now))
            .map(|last| (now - last).max(TimeDelta::zero())),
        verified: attempts.last_verification(&job).cloned(),
        export: kept_export(&job, &attempts),
        alarms: evidence.alarms(census),
        lingers: lingers(job.system, account),
        log: folder.log(),
        job,
    }))
}

/// Whether the user's timers run while nobody is logged in; `None` where that is no question, or not known.
pub fn lingers(system: System, account: &Account) -> Option<bool> {
    let question = (system == System::Systemd).then(|| systemd::lingering(account))?;
    match perform::tell(&question).ok()?.trim() {
        "Linger=yes" => Some(true),
        "Linger=no" => Some(false),
        _ => None,
    }
}
