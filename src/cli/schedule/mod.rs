mod status;

pub use status::{export_as_json, last_export};

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Subcommand;
use msgarchive::archive::{self, ArchiveError};
use msgarchive::schedule::{
    self, Changed, Every, ExportJob, Job, Periodicity, Plan, ScheduleError, Start, Step, System, WallTime,
};

use msgarchive::source::Place;

use super::account::account;
use super::keeping_up::KeepingUpOptions;
use super::selection_options::named;
use super::source_options::default_source;
use super::terminal::{plain, wrap};
use super::{Failure, Outcome, moment, report, terminal, zone};

/// Feed an archive every night: through launchd, systemd, Task Scheduler or cron.
///
/// `install` tells the system's scheduler; from then on it starts `schedule run`, which runs `archive` and keeps a record
/// of how that went. There is one schedule for each user.
#[derive(Debug, clap::Args)]
pub struct ScheduleArgs {
    #[command(subcommand)]
    command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    Install(JobArgs),
    Status(status::StatusArgs),
    Run(RunArgs),
    Remove(RemoveArgs),
    Print(PrintArgs),
}

/// Write the scheduler's files and load them.
///
/// Installing again changes what is different now, and nothing else.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct JobArgs {
    /// The archive to feed; made with the first run
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The time of day
    #[arg(long, value_name = "HH:MM", default_value = "02:30")]
    at: WallTime,
    /// How often: every day, or every week, on Sundays
    #[arg(long, value_name = "day|week", default_value = "day", hide_possible_values = true,
        value_parser = named(Every::NAMES))]
    every: Every,
    /// What to read, as for `archive`; may be given several times [default: what `archive` finds by itself]
    #[arg(short, long, value_name = "PATH")]
    source: Vec<PathBuf>,
    /// A file whose first line is the password of encrypted backups; nobody can be asked at night
    #[arg(long, value_name = "PATH")]
    password_file: Option<PathBuf>,
    /// An AddressBook folder, .abcddb, .sqlitedb or .vcf, or none, as for `archive` [default: what it finds by itself]
    #[arg(long, value_name = "PATH|none")]
    contacts: Option<PathBuf>,
    /// A command for the system's shell when a run fails, cannot read something else than the one before, finds the
    /// archive damaged, a source suddenly empty or the clock wrong, or cannot put right what is damaged; MSGARCHIVE_REASON says why, MSGARCHIVE_EXIT,
    /// MSGARCHIVE_ARCHIVE and MSGARCHIVE_LOG the rest
    #[arg(long, value_name = "COMMAND")]
    on_failure: Option<String>,
    /// The scheduler [default: what this machine has]
    #[arg(long, value_name = "launchd|systemd|task-scheduler|cron", hide_possible_values = true,
        value_parser = named(System::NAMES))]
    system: Option<System>,
    #[command(flatten)]
    keeping_up: KeepingUpOptions,
}

const EXAMPLES: &str = "\
Examples:
  This Mac's library, every night at half past two:
    msgarchive schedule install --archive ~/MessagesArchive
  A backup, on Sundays, with a call for help:
    msgarchive schedule install --archive ~/MessagesArchive --every week \\
      --source ~/iPhoneBackup --password-file ~/.backup-password \\
      --on-failure 'mail -s \"$MSGARCHIVE_REASON\" ana@example.com'
  Does it work where nobody looks on?
    msgarchive schedule run --through-scheduler

Exit status: 0 done, or it was already, 1 failed (all is as it was), 2 wrong command line.";

const RUNS: &str = "\
An `archive` that somebody started by hand is waited for, up to four hours.

Exit status: 0 done, or nothing was due, 1 failed, or could not begin, 2 wrong command line, 3 done, but something could not be read completely, or the archive is damaged.";

const REMOVING: &str = "\
Exit status: 0 nothing of it is left, 1 failed (run it again), 2 wrong command line.";

/// Do now what the schedule does.
#[derive(Debug, clap::Args)]
#[command(after_help = RUNS)]
struct RunArgs {
    /// Have the scheduler start it, and wait for it: finds out what it may read where nobody looks on
    #[arg(long, conflicts_with_all = ["job", "if_due"])]
    through_scheduler: bool,
    /// Only if a time has come since the last good run: for schedulers that start it at other times, too
    #[arg(long)]
    if_due: bool,
    /// What `install` wrote [default: where it writes it]
    #[arg(long, value_name = "PATH")]
    job: Option<PathBuf>,
}

/// Take the schedule away: the scheduler's files, the records and the logs. The archive stays.
#[derive(Debug, clap::Args)]
#[command(after_help = REMOVING)]
struct RemoveArgs {}

/// Show what `install` would write and do, for any system, without touching anything.
#[derive(Debug, clap::Args)]
struct PrintArgs {
    #[command(flatten)]
    job: JobArgs,
}

pub fn run(args: ScheduleArgs) -> Result<Outcome, Failure> {
    match args.command {
        ScheduleCommand::Install(args) => install(&args),
        ScheduleCommand::Status(args) => status::run(&args),
        ScheduleCommand::Run(args) => run_now(&args),
        ScheduleCommand::Remove(RemoveArgs {}) => remove(),
        ScheduleCommand::Print(PrintArgs { job }) => print(&job),
    }
}

impl JobArgs {
    fn job(&self) -> Result<Job, Failure> {
        Ok(Job {
            system: self.system.unwrap_or_else(System::of_this_machine),
            program: program()?,
            archive: absolute(&self.archive)?,
            sources: self.source.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?,
            password_file: self.password_file.as_deref().map(absolute).transpose()?,
            contacts: self.contacts.as_deref().map(contacts).transpose()?,
            export: self.keeping_up.job(absolute)?,
            when: Periodicity { every: self.every, at: self.at },
            on_failure: self.on_failure.clone(),
        })
    }
}

/// `none` is a word, not a path.
fn contacts(path: &Path) -> Result<PathBuf, Failure> {
    if path.as_os_str() == "none" { Ok(path.to_owned()) } else { absolute(path) }
}

/// As it is found by its name, where that leads to this program: a package manager's next version will be there, too.
fn program() -> Result<PathBuf, Failure> {
    let this = std::env::current_exe().map_err(Failure::Program)?;
    let same = |path: &PathBuf| path.is_absolute() && path.canonicalize().ok() == this.canonicalize().ok();
    let name = this.file_name().unwrap_or_default();
    let found = std::env::var_os("PATH")
        .and_then(|folders| std::env::split_paths(&folders).map(|folder| folder.join(name)).find(same));
    Ok(found.unwrap_or(this))
}

/// The scheduler runs elsewhere. `..` goes, as far as the path is there: not every scheduler takes it.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let whole = std::path::absolute(path)
        .map_err(|_| Failure::Usage(format!("{:?} is no path", path.display().to_string())))?;
    if !whole.components().any(|part| part == Component::ParentDir) {
        return Ok(whole);
    }
    let (parent, name) = (whole.parent().map(Path::canonicalize), whole.file_name());
    match (whole.canonicalize(), parent, name) {
        (Ok(path), ..) => Ok(path),
        (_, Some(Ok(parent)), Some(name)) => Ok(parent.join(name)),
        _ => Err(Failure::Usage(format!("there is no {}", plain(&whole.display().to_string())))),
    }
}

fn install(args: &JobArgs) -> Result<Outcome, Failure> {
    let (job, account) = (args.job()?, account()?);
    let read = own_folders(&job);
    archive::check_place(&job.archive, &read).map_err(ArchiveError::from)?;
    if let Some(wanted) = args.keeping_up.wanted()? {
        wanted.check_place(&job.archive, &read)?;
    }
    for path in job.sources.iter().chain(&job.password_file).filter(|path| !path.exists()) {
        report::warn(&format!("there is nothing at {} now", path.display()));
    }
    for path in job.sources.iter().filter(|path| job.password_file.is_none() && is_locked(path)) {
        let path = path.display();
        report::warn(&format!(
            "{path} is encrypted, and nobody can be asked at night: name a --password-file"
        ));
    }
    let zone = zone::of_the_system()?;
    let changed = schedule::install(&job, &account)?;
    let width = terminal::width();
    let mut words = match changed {
        Changed::Nothing => format!("The schedule was installed already, through {}.\n", job.system.name()),
        Changed::Something => format!("Installed, through {}.\n", job.system.name()),
    };
    if let Some(next) = schedule::next(job.when, moment::of_reading()?, zone) {
        let _ = writeln!(words, "  next run  {}", local(next, zone));
    }
    let _ = writeln!(words, "  archive   {}", plain(&job.archive.display().to_string()));
    if let Some(export) = &job.export {
        let _ = writeln!(words, "  export    {}", plain(&shown_export(export)));
    }
    for note in notes(&job, schedule::lingers(job.system, &account)) {
        let _ = writeln!(words, "\n{}", wrap("", &plain(&note), width));
    }
    terminal::print(&words)?;
    Ok(Outcome::Complete)
}

/// The folders that belong to what will be read, as far as it is there now.
fn own_folders(job: &Job) -> Vec<PathBuf> {
    let found = if job.sources.is_empty() { default_source().ok() } else { None };
    let sources = job.sources.iter().chain(&found);
    sources.filter_map(|path| Place::find(path).ok()?.own_folder()).collect()
}

/// An encrypted backup.
fn is_locked(source: &Path) -> bool {
    Place::find(source).and_then(|place| Ok(place.locked()?.is_some())).unwrap_or(false)
}

/// `pdf,csv in /home/ana/Messages, --theme=plain`.
pub fn shown_export(export: &ExportJob) -> String {
    let options: String = export.options.iter().map(|option| format!(", {option}")).collect();
    format!("{} in {}{options}", export.formats, export.out.display())
}

/// What people have to know of a system's schedule.
fn notes(job: &Job, lingers: Option<bool>) -> Vec<String> {
    let mut notes = Vec::new();
    match job.system {
        System::Launchd => notes.push(format!(
            "macOS lets a program read Messages only with Full Disk Access, and at night that belongs to the program \
             itself, not to your terminal app: System Settings > Privacy & Security > Full Disk Access > + > {}.",
            job.program.display()
        )),
        System::Systemd if lingers == Some(false) => notes.push(
            "It runs only while you are logged in: lingering is off. `loginctl enable-linger` changes that.".into(),
        ),
        System::TaskScheduler => notes.push("It runs only while you are logged in.".into()),
        System::Cron => notes.push(
            "It runs only if the machine is on at that time: cron makes up for nothing. Whether a cron is running at \
             all is not looked at."
                .into(),
        ),
        System::Systemd => {}
    }
    if job.system != System::Cron {
        notes.push("To see now whether it works: msgarchive schedule run --through-scheduler".into());
    }
    notes
}

fn print(args: &JobArgs) -> Result<Outcome, Failure> {
    let job = args.job()?;
    let plan = Plan::install(&job, &account()?)?;
    let mut words = String::new();
    for step in &plan.steps {
        match step {
            Step::Write { path, bytes } => {
                let _ = write!(words, "# {}\n{}\n", plain(&path.display().to_string()), shown(bytes));
            }
            Step::Folder(path) => {
                let _ = writeln!(words, "# {}: a private folder\n", plain(&path.display().to_string()));
            }
            Step::Begin(path) => {
                let _ = writeln!(words, "# {}: empty\n", plain(&path.display().to_string()));
            }
            // Only removing does that.
            Step::Delete(_) | Step::DeleteFolder(_) => {}
            Step::Tell(what) => {
                let _ = writeln!(words, "$ {}", plain(&what.to_string()));
            }
            Step::Crontab(line) => {
                let _ = write!(words, "# crontab\n{}", line.as_deref().unwrap_or_default());
            }
        }
    }
    terminal::print(&words)?;
    Ok(Outcome::Complete)
}

/// A file's text, whichever of the two encodings it is in.
fn shown(bytes: &[u8]) -> String {
    match bytes.strip_prefix(&[0xFF, 0xFE]) {
        Some(wide) => {
            let units =
                wide.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
            String::from_utf16_lossy(&units.collect::<Vec<u16>>()).replace('\r', "")
        }
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn remove() -> Result<Outcome, Failure> {
    let account = account()?;
    let words = match schedule::remove(&account)? {
        Changed::Something => "Removed. The archive stays.\n",
        Changed::Nothing => "No schedule was installed.\n",
    };
    terminal::print(words)?;
    Ok(Outcome::Complete)
}

fn run_now(args: &RunArgs) -> Result<Outcome, Failure> {
    let account = account()?;
    let attempt = if args.through_scheduler {
        Some(schedule::through_scheduler(&account)?)
    } else {
        let job = match &args.job {
            Some(path) => path.clone(),
            None => {
                let job = schedule::installed(&account)?.ok_or(ScheduleError::NotInstalled)?;
                account.folder(job.system).join("schedule.json")
            }
        };
        // Asked once before anything begins, so that the clock cannot fail later.
        let fixed = moment::of_reading()?;
        let now = || moment::of_reading().unwrap_or(fixed);
        let start = if args.if_due { Start::IfDue } else { Start::Now };
        schedule::run(&job, start, zone::of_the_system()?, &now)?
    };
    match attempt {
        None => Ok(Outcome::Complete),
        Some(attempt) if attempt.is_good() => {
            terminal::print(&format!(
                "{}\n",
                wrap("", &plain(&attempt.message), terminal::width_of_sentences())
            ))?;
            Ok(if attempt.status() == 0 { Outcome::Complete } else { Outcome::Incomplete })
        }
        Some(attempt) => Err(Failure::Scheduled { reason: attempt.message }),
    }
}

fn local(instant: DateTime<Utc>, zone: Tz) -> String {
    instant.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}
