//! Archives that are fed by themselves: what launchd, systemd, Task Scheduler or cron have to know for it.
//!
//! A schedule is planned ([`Plan`]) before anything is done ([`install`], [`remove`]), so that every system's files can be shown and
//! tested anywhere. The system's scheduler starts `msgarchive schedule run`, which reads the [`Job`] from a file, feeds the
//! archive in a process of its own, and keeps a record of the attempt where [`status`] finds it. Everything that a
//! schedule writes, but for the system's own files, lies in one private folder ([`Account::folder`]): the job, the
//! records, the log, all of bounded size.
//!
//! **Must never**: know about messages; change a line of a crontab that is not its own; lose what a run said; tell a
//! scheduler a path in a form that it would read as another.

mod account;
mod alarm;
mod archive_runs;
mod attempt;
mod child;
mod clock;
mod cron;
mod error;
mod fed;
mod feed;
mod job;
mod launchd;
mod log;
mod not_begun;
mod on_failure;
mod other_run;
mod perform;
mod plan;
mod printed;
mod raised;
mod request;
mod run;
mod slot;
mod status;
mod step;
mod system;
mod systemd;
mod task_scheduler;
mod verification;

pub use account::Account;
pub use alarm::{Alarm, AlarmKind, Census};
pub use attempt::{Attempt, ExportEnd};
pub use error::ScheduleError;
pub use fed::{FedArchive, KeptExport, fed_archive};
pub use job::{Every, ExportJob, Job, Periodicity, WallTime};
pub use perform::{Changed, install, installed, remove};
pub use plan::Plan;
pub use request::{Tried, through_scheduler, try_out};
pub use run::{SCHEDULED, Start, run};
pub use slot::{next, previous};
pub use status::{Status, lingers, status};
pub use step::{Invocation, Step};
pub use system::System;
pub use verification::Verification;

/// What the job is called in every scheduler.
pub const NAME: &str = "msgarchive-schedule";

fn text_of(template: &impl askama::Template) -> Result<String, ScheduleError> {
    // A template's own last line end is not in it.
    Ok(template.render()? + "\n")
}
