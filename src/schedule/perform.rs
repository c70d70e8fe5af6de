use std::fs;
use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::account::Folder;
use super::{Account, Invocation, Job, Plan, ScheduleError, Step, System, cron, plan};
use crate::disk::archive_folder::{is_archive, is_free};
use crate::disk::{self, DiskError};

/// For a scheduler that is still busy with what it was told before.
const BETWEEN_TRIES: Duration = Duration::from_millis(300);

/// Whether anything had to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Everything was as it should be.
    Nothing,
    Something,
}

/// Does what a plan of installing says. A schedule of another system is taken away then: the archive needs one.
///
/// # Errors
/// [`ScheduleError`]: there is the schedule then that there was, or none where there was none. Of one that was to be
/// changed some is done, and installing again goes on.
pub fn install(job: &Job, account: &Account) -> Result<Changed, ScheduleError> {
    let wanted = Plan::install(job, account)?;
    check_places(job)?;
    let before = installed(account).ok().flatten();
    let done = put_in_place(job, &wanted, account);
    match (&done, before) {
        (Ok(_), Some(before)) if before.system != job.system => {
            take_away(before.system, job.system, account)?;
        }
        (Err(_), Some(before)) if before.system != job.system => {
            // As well as it can be done: why it could not be installed is what is told.
            let _ = take_away(job.system, before.system, account);
            let path = Folder::new(account.folder(before.system)).job();
            let _ = perform(&Step::Write { path, bytes: before.to_json() });
        }
        (Err(_), None) => {
            let _ = undo(&Plan::remove(&[job.system], Some(job), account));
        }
        _ => {}
    }
    done
}

/// What every run would refuse is refused at once.
fn check_places(job: &Job) -> Result<(), ScheduleError> {
    let path = &job.archive;
    let can_be = is_archive(path).and_then(|is_one| Ok(is_one || is_free(path)?));
    if !can_be.map_err(DiskError::reading(path))? {
        return Err(ScheduleError::Foreign { path: path.clone() });
    }
    job.export.as_ref().map_or(Ok(()), |export| Ok(disk::Staging::may_begin(&export.out)?))
}

/// Takes a system's schedule away, but for what is of another system's one, too.
fn take_away(system: System, but: System, account: &Account) -> Result<(), ScheduleError> {
    let plan = match account.folder(system) == account.folder(but) {
        true => Plan::withdraw(system, account),
        false => Plan::remove(&[system], None, account),
    };
    undo(&plan).map(drop)
}

fn put_in_place(job: &Job, wanted: &Plan, account: &Account) -> Result<Changed, ScheduleError> {
    let (tell, files): (Vec<&Step>, Vec<&Step>) =
        wanted.steps.iter().partition(|step| matches!(step, Step::Tell(_)));
    let mut changed = false;
    for step in files {
        changed |= perform(step)?;
    }
    if !changed && is_loaded(job.system, account) {
        return Ok(Changed::Nothing);
    }
    tell.into_iter().try_for_each(|step| perform(step).map(drop))?;
    Ok(Changed::Something)
}

/// Leaves nothing of a schedule behind but the archive. Of a job that cannot be read any more nobody knows which system has it:
/// each one forgets it that may.
///
/// # Errors
/// [`ScheduleError`].
pub fn remove(account: &Account) -> Result<Changed, ScheduleError> {
    let installed = installed(account);
    let systems = match &installed {
        Ok(Some(job)) => vec![job.system],
        Ok(None) => vec![System::of_this_machine()],
        Err(_) => System::NAMES
            .iter()
            .map(|(_, system)| *system)
            .filter(|system| has_job(*system, account))
            .collect(),
    };
    undo(&Plan::remove(&systems, installed.ok().flatten().as_ref(), account))
}

/// There is a job, or nobody can tell.
fn has_job(system: System, account: &Account) -> bool {
    !matches!(Folder::new(account.folder(system)).job().try_exists(), Ok(false))
}

fn undo(plan: &Plan) -> Result<Changed, ScheduleError> {
    let mut changed = Changed::Nothing;
    for step in &plan.steps {
        if perform(step)? && !matches!(step, Step::Tell(_)) {
            changed = Changed::Something;
        }
    }
    Ok(changed)
}

/// The job that is installed, of whichever system.
///
/// # Errors
/// [`ScheduleError::Job`], [`ScheduleError::Disk`] where its file cannot be understood.
pub fn installed(account: &Account) -> Result<Option<Job>, ScheduleError> {
    for (_, system) in System::NAMES {
        let path = Folder::new(account.folder(*system)).job();
        match fs::metadata(&path) {
            Ok(about) if about.is_file() => return Job::read(&path).map(Some),
            Err(error) if !disk::is_gone(&error) => return Err(DiskError::reading(path)(error).into()),
            _ => {}
        }
    }
    Ok(None)
}

/// True where the scheduler knows the job.
pub(super) fn is_loaded(system: System, account: &Account) -> bool {
    match plan::is_loaded(system, account) {
        Some(question) => output(&question).is_ok_and(|output| output.status.success()),
        None => crontab().is_ok_and(|crontab| cron::has_ours(&crontab)),
    }
}

/// Tells the scheduler something, and hears what it has to say.
///
/// # Errors
/// [`ScheduleError::Start`], [`ScheduleError::Refused`].
pub(super) fn tell(what: &Invocation) -> Result<String, ScheduleError> {
    let mut output = output(what)?;
    for _ in 1..what.tries {
        if output.status.success() {
            break;
        }
        std::thread::sleep(BETWEEN_TRIES);
        output = self::output(what)?;
    }
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(ScheduleError::Refused { command: what.to_string(), said: said(&output) }),
    }
}

/// Does one thing; false where nothing had to be done.
fn perform(step: &Step) -> Result<bool, ScheduleError> {
    match step {
        Step::Folder(path) if path.is_dir() => Ok(false),
        Step::Folder(path) => Ok(disk::private_folders(path).map(|()| true)?),
        Step::Write { path, bytes } if fs::read(path).is_ok_and(|there| there == *bytes) => Ok(false),
        Step::Write { path, bytes } => Ok(disk::replace(path, bytes).map(|()| true)?),
        Step::Begin(path) if path.is_file() => Ok(false),
        Step::Begin(path) => Ok(disk::private_file(path).map(|_| true)?),
        Step::Delete(path) => Ok(disk::remove_file(path)?),
        Step::DeleteFolder(path) => Ok(disk::remove_empty_folder(path)?),
        Step::Tell(what) => match tell(what) {
            Err(_) if what.may_fail => Ok(false),
            told => told.map(|_| true),
        },
        Step::Crontab(line) => edit_crontab(line.as_deref()),
    }
}

fn edit_crontab(line: Option<&str>) -> Result<bool, ScheduleError> {
    let before = match (crontab(), line) {
        // Where there is no cron there is no line of ours.
        (Err(ScheduleError::Start { source, .. }), None) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(false);
        }
        (before, _) => before?,
    };
    let after = cron::edited(&before, line)?;
    if after == before {
        return Ok(false);
    }
    if after.is_empty() {
        tell(&Invocation::new("crontab", ["-r"]))?;
        return Ok(true);
    }
    let install = Invocation::new("crontab", ["-"]);
    let failed = |source| ScheduleError::Start { program: "crontab".into(), source };
    let mut child = command(&install)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // What it does not read it will complain about itself.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(&after));
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(ScheduleError::Refused { command: install.to_string(), said: said(&output) });
    }
    Ok(true)
}

/// The user's crontab; empty where there is none. A crontab that cannot be read must not be taken for an empty one.
fn crontab() -> Result<Vec<u8>, ScheduleError> {
    let list = Invocation::new("crontab", ["-l"]);
    let output = output(&list)?;
    let said = said(&output);
    match output.status.success() {
        true => Ok(output.stdout),
        false if said.contains("no crontab for") => Ok(Vec::new()),
        false => Err(ScheduleError::Refused { command: list.to_string(), said }),
    }
}

fn command(what: &Invocation) -> Command {
    let mut command = Command::new(what.program);
    // Their words are read, and their dates.
    command.args(&what.arguments).stdin(Stdio::null()).env("LC_ALL", "C").env("TZ", "UTC");
    command
}

fn output(what: &Invocation) -> Result<Output, ScheduleError> {
    command(what).output().map_err(|source| ScheduleError::Start { program: what.program.into(), source })
}

fn said(output: &Output) -> String {
    let words = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    match String::from_utf8_lossy(words).trim() {
        "" => format!("it ended with {}", output.status),
        words => words.to_owned(),
    }
}
