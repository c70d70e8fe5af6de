use std::io;
use std::path::PathBuf;

use crate::disk::DiskError;

/// Why a schedule could not be planned, installed, run or looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// No file of a scheduler can hold it.
    #[error("{path:?} cannot be scheduled: {why}")]
    Path { path: String, why: &'static str },
    /// An archive cannot be there.
    #[error("{} is neither empty nor an archive", path.display())]
    Foreign { path: PathBuf },
    /// Wanted: hours and minutes.
    #[error("{0:?} is no time of day such as 02:30")]
    Time(String),
    #[error("no schedule is installed")]
    NotInstalled,
    #[error("{} is not the job of a schedule: {what}", path.display())]
    Job { path: PathBuf, what: String },
    /// Another run of the schedule has not ended.
    #[error("another run of the schedule is still going on")]
    Busy,
    #[error("cannot start {program}")]
    Start { program: String, source: io::Error },
    /// A scheduler's program said no.
    #[error("`{command}` failed: {said}")]
    Refused { command: String, said: String },
    /// Somebody took away one of the two marks that our lines stand between.
    #[error("the crontab has lost one of the marks of msgarchive's line")]
    Marks,
    #[error("cron starts nothing on request")]
    NoRequests,
    /// The scheduler started the program, which did not even begin.
    #[error("the program did not begin: {why}")]
    NotBegun { why: String },
    /// The scheduler leaves it for when there is power.
    #[error("the machine is on battery, and is not to be drained for this: nothing was started")]
    OnBattery,
    /// It was asked, and did not begin.
    #[error("the scheduler has not started the run within {seconds} seconds")]
    NotStarted { seconds: u64 },
    #[error("cannot fill in a template")]
    Template(#[from] askama::Error),
    #[error(transparent)]
    Disk(#[from] DiskError),
}
