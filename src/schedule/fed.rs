//! The archive that a schedule feeds.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::account::Folder;
use super::attempt::Attempts;
use super::{Account, ExportJob, Job, ScheduleError, archive_runs, perform};

/// What is known of it without looking at it: its disk may be elsewhere, and before its first run there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedArchive {
    pub path: PathBuf,
    /// When it was last fed, scheduled or not; `None` before the first run.
    pub last_run: Option<DateTime<Utc>>,
    pub export: Option<KeptExport>,
}

/// An export that the schedule keeps up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptExport {
    pub job: ExportJob,
    /// When the schedule last brought it up to date; `None` where it never has.
    pub last_good: Option<DateTime<Utc>>,
    /// Why it could not, the last time that it came to that; `None` where it could.
    pub failure: Option<String>,
}

/// The archive of an account's schedule; `None` where no schedule is installed.
///
/// # Errors
/// As [`installed`](super::installed).
pub fn fed_archive(account: &Account) -> Result<Option<FedArchive>, ScheduleError> {
    let Some(job) = perform::installed(account)? else { return Ok(None) };
    let attempts = Attempts::read(&Folder::new(account.folder(job.system)).attempts());
    attempts.are_known()?;
    let (last_run, export) =
        (last_run(&job, &attempts, DateTime::<Utc>::MAX_UTC), kept_export(&job, &attempts));
    Ok(Some(FedArchive { path: job.archive, last_run, export }))
}

/// When the archive of a job was last fed until a moment, by itself; by the records of the schedule where its disk is
/// elsewhere.
pub(super) fn last_run(job: &Job, attempts: &Attempts, latest: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let newest = archive_runs::newest_until(&job.archive, latest).next().map(|run| run.started);
    newest.or_else(|| attempts.last_fed_until(job, latest).map(|attempt| attempt.started))
}

/// How the export of a job is, by the records of its runs.
pub(super) fn kept_export(job: &Job, attempts: &Attempts) -> Option<KeptExport> {
    Some(KeptExport {
        job: job.export.clone()?,
        last_good: attempts.last_exported(job).map(|attempt| attempt.started),
        failure: attempts.last_export(job).and_then(|export| export.failure.clone()),
    })
}
