//! The archive that a schedule feeds.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::account::Folder;
use super::attempt::Attempts;
use super::{Account, ScheduleError, archive_runs, perform};

/// What is known of it without looking at it: its disk may be elsewhere, and before its first run there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedArchive {
    pub path: PathBuf,
    /// When it was last fed, scheduled or not; `None` before the first run.
    pub last_run: Option<DateTime<Utc>>,
}

/// The archive of an account's schedule; `None` where no schedule is installed.
///
/// # Errors
/// As [`installed`](super::installed).
pub fn fed_archive(account: &Account) -> Result<Option<FedArchive>, ScheduleError> {
    let Some(job) = perform::installed(account)? else { return Ok(None) };
    let folder = Folder::new(account.folder(job.system));
    // What it cannot say itself while its disk is elsewhere.
    let scheduled = || Attempts::read(&folder.attempts()).last_good().map(|attempt| attempt.started);
    let newest = archive_runs::newest_first(&job.archive).next().map(|run| run.started);
    Ok(Some(FedArchive { last_run: newest.or_else(scheduled), path: job.archive }))
}
