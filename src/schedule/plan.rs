use std::path::Path;

use super::account::Folder;
use super::{Account, Invocation, Job, ScheduleError, Step, System};
use super::{cron, launchd, systemd, task_scheduler};

/// What a schedule needs, as data: nothing here looks at the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// To be done in this order: files, then what the scheduler is told.
    pub steps: Vec<Step>,
}

impl Plan {
    /// What installing a job takes.
    ///
    /// # Errors
    /// [`ScheduleError::Path`] for a path that the scheduler cannot be told.
    pub fn install(job: &Job, account: &Account) -> Result<Plan, ScheduleError> {
        job.check()?;
        let folder = Folder::new(account.folder(job.system));
        super::job::words(folder.path())?;
        let mut steps = vec![Step::Folder(folder.path().to_owned()), Step::Folder(job.archive.clone())];
        // A service that is hardened can make no folder beside those that it writes to.
        steps.extend(job.export.as_ref().map(|export| Step::Folder(export.out.clone())));
        steps.push(Step::Write { path: folder.job(), bytes: job.to_json() });
        steps.extend(match job.system {
            System::Launchd => launchd::install(job, account, &folder)?,
            System::Systemd => systemd::install(job, account, &folder)?,
            System::TaskScheduler => task_scheduler::install(job, &folder)?,
            System::Cron => cron::install(job, &folder)?,
        });
        Ok(Plan { steps })
    }

    /// What has a scheduler forget the job. What is the schedule's own stays: another scheduler may go on with it.
    pub fn withdraw(system: System, account: &Account) -> Plan {
        let (mut steps, folder) = match system {
            System::Launchd => (launchd::remove(account), account.agent().parent().map(Path::to_owned)),
            System::Systemd => (systemd::remove(account), Some(account.units())),
            System::TaskScheduler => (task_scheduler::remove(), None),
            System::Cron => (vec![Step::Crontab(None)], None),
        };
        steps.extend(folder.iter().flat_map(|folder| leading_to(folder, account)));
        Plan { steps }
    }

    /// What leaves nothing behind of a schedule that these systems have, or may have. The archive and its export stay, unless
    /// nothing has come into them yet.
    pub fn remove(systems: &[System], job: Option<&Job>, account: &Account) -> Plan {
        // What they were told comes first: as long as one of them refuses to forget it, the job is there for another try.
        let mut steps: Vec<Step> =
            systems.iter().flat_map(|system| Plan::withdraw(*system, account).steps).collect();
        let fed =
            |job: &Job| [Some(job.archive.clone()), job.export.as_ref().map(|export| export.out.clone())];
        let folders: Vec<Folder> =
            systems.iter().map(|system| Folder::new(account.folder(*system))).collect();
        steps.extend(folders.iter().flat_map(Folder::files).map(Step::Delete));
        steps.extend(job.into_iter().flat_map(fed).flatten().map(Step::DeleteFolder));
        for folder in &folders {
            let own = folder.path().ancestors().take(2);
            steps.extend(own.map(|folder| Step::DeleteFolder(folder.to_owned())));
            steps.extend(leading_to(folder.path(), account));
        }
        Plan { steps: each_once(steps) }
    }
}

/// A folder to which several things led is empty when the last of them is gone.
fn each_once(steps: Vec<Step>) -> Vec<Step> {
    let mut once: Vec<Step> = Vec::new();
    for step in steps.into_iter().rev() {
        if !once.contains(&step) {
            once.push(step);
        }
    }
    once.reverse();
    once
}

/// The folders that lead to what a schedule wrote were perhaps made for it: they go where nothing else is in them.
fn leading_to<'p>(folder: &'p Path, account: &'p Account) -> impl Iterator<Item = Step> + 'p {
    let below_home = |path: &&Path| path.starts_with(&account.home) && *path != account.home;
    folder.ancestors().take_while(below_home).map(|path| Step::DeleteFolder(path.to_owned()))
}

/// By what the scheduler says whether it knows the job; `None` for cron, whose crontab is looked at.
pub(super) fn is_loaded(system: System, account: &Account) -> Option<Invocation> {
    match system {
        System::Launchd => Some(launchd::tell(account, "print", &[])),
        System::Systemd => Some(systemd::tell(["is-active", "--quiet", systemd::TIMER])),
        System::TaskScheduler => Some(task_scheduler::tell("/Query", [])),
        System::Cron => None,
    }
}

/// What has the scheduler start the job now; `None` where it does nothing on request.
pub(super) fn start(system: System, account: &Account) -> Option<Invocation> {
    match system {
        System::Launchd => Some(launchd::tell(account, "kickstart", &[])),
        System::Systemd => Some(systemd::start()),
        System::TaskScheduler => Some(task_scheduler::tell("/Run", [])),
        System::Cron => None,
    }
}

/// The words of the command that the scheduler starts.
pub(super) fn command(job: &Job, folder: &Folder) -> Result<Vec<String>, ScheduleError> {
    let job_file = folder.job();
    let words = [super::job::words(&job.program)?, "schedule", "run", "--job", super::job::words(&job_file)?];
    Ok(words.map(str::to_owned).to_vec())
}

/// A word that stands for itself wherever it is written.
pub(super) fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b))
}
