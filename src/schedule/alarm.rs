use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::account::Folder;
use super::archive_runs::{self, ArchiveRun};
use super::attempt::Attempts;
use super::not_begun::NotBegun;
use super::raised::{clock_ahead, emptied, given_up, still_damaged};
use super::{Attempt, Job, System, clock, run, slot};
use crate::disk::archive_folder::is_archive;

/// A run may begin this late: schedulers spread them, and wait for a machine to wake.
const GRACE: TimeDelta = TimeDelta::hours(1);
/// What was sent so shortly before a run may have come after it.
const MARGIN: TimeDelta = TimeDelta::hours(1);
/// Periods without a good run after which there is an alarm.
const PERIODS: u32 = 2;

/// What people do about most of it.
const TRY_AGAIN: &str = "once that is mended, `msgarchive schedule run` tries it again";
const SAYS_WHY: &str = "`msgarchive schedule run` says what is in the way";

/// What is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub kind: AlarmKind,
    /// For people: what it is, and what to do about it.
    pub what: String,
}

/// In the order of their weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmKind {
    /// The scheduler does not know the job.
    NotLoaded,
    /// The archive is not where it was.
    NoArchive,
    /// The program is not where the scheduler looks for it.
    NoProgram,
    /// The archive was verified, and something in it is damaged; or a run could not put right what was.
    Damaged,
    /// The last run failed.
    Failing,
    /// The last run fed the archive, and could not export it.
    ExportFailing,
    /// The last run could not read everything.
    Incomplete,
    /// The command that was to tell somebody of a failure failed, too.
    Unheard,
    /// The last run was ended from outside.
    Interrupted,
    /// A run is dated later than it can be.
    Clock,
    /// At its time the scheduler started the program, and it did not even begin.
    NotBegun,
    /// A time has passed without a run.
    Missed,
    /// The last good run is older than two periods.
    Old,
    /// A source is empty that was not.
    Emptied,
    /// Runs add nothing, and the source holds messages that they should have seen.
    Stale,
}

impl AlarmKind {
    /// Every value, with the word for it in JSON.
    pub const NAMES: &[(&str, AlarmKind)] = &[
        ("not_loaded", AlarmKind::NotLoaded),
        ("no_archive", AlarmKind::NoArchive),
        ("no_program", AlarmKind::NoProgram),
        ("damaged", AlarmKind::Damaged),
        ("failing", AlarmKind::Failing),
        ("export_failing", AlarmKind::ExportFailing),
        ("incomplete", AlarmKind::Incomplete),
        ("unheard", AlarmKind::Unheard),
        ("interrupted", AlarmKind::Interrupted),
        ("clock", AlarmKind::Clock),
        ("not_begun", AlarmKind::NotBegun),
        ("missed", AlarmKind::Missed),
        ("old", AlarmKind::Old),
        ("emptied", AlarmKind::Emptied),
        ("stale", AlarmKind::Stale),
    ];

    /// The word for it in JSON.
    pub fn name(self) -> &'static str {
        AlarmKind::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// How many messages the sources hold between two moments (without the second); `None` where they cannot be read.
/// Without a first moment: from the beginning.
pub type Census<'a> = &'a dyn Fn(&Job, Option<DateTime<Utc>>, DateTime<Utc>) -> Option<u64>;

/// What alarms are made of.
pub(super) struct Evidence<'a> {
    pub job: &'a Job,
    pub folder: &'a Folder,
    pub attempts: &'a Attempts,
    pub is_loaded: bool,
    pub is_running: bool,
    /// Why the program did not even begin when the scheduler started it after a moment, where something tells.
    pub why_not_begun: &'a dyn Fn(DateTime<Utc>) -> Option<NotBegun>,
    pub now: DateTime<Utc>,
    pub zone: Tz,
}

impl Evidence<'_> {
    /// Everything that is wrong, the gravest first.
    pub fn alarms(&self, census: Census<'_>) -> Vec<Alarm> {
        let gravest = [self.not_loaded(), self.no_archive(), self.no_program(), self.damaged()];
        let others = [
            still_damaged(self.job),
            self.failing(),
            self.export_failing(),
            self.incomplete(),
            self.unheard(),
            self.interrupted(),
            clock_ahead(self.job, self.attempts, self.now, self.zone),
            self.missed(),
            self.old(),
            emptied(self.job),
            self.stale(census),
        ];
        let given_up = given_up(self.job, self.now, self.zone).into_iter().map(Some);
        gravest.into_iter().chain(given_up).chain(others).flatten().collect()
    }

    fn not_loaded(&self) -> Option<Alarm> {
        let what = || {
            format!(
                "{} does not know the job; `msgarchive schedule install` mends it",
                self.job.system.name()
            )
        };
        (!self.is_loaded).then(|| alarm(AlarmKind::NotLoaded, what()))
    }

    fn no_archive(&self) -> Option<Alarm> {
        if !self.attempts.may_have_fed(self.job) {
            return None;
        }
        let what =
            || format!("there is no archive at {}: is its disk connected?", self.job.archive.display());
        (!is_archive(&self.job.archive).unwrap_or(false)).then(|| alarm(AlarmKind::NoArchive, what()))
    }

    fn no_program(&self) -> Option<Alarm> {
        let what = || {
            let program = self.job.program.display();
            format!(
                "there is no program at {program}; `msgarchive schedule install`, as before, names the one that runs it"
            )
        };
        (!self.job.program.is_file()).then(|| alarm(AlarmKind::NoProgram, what()))
    }

    fn damaged(&self) -> Option<Alarm> {
        let last = self.attempts.last_verification(self.job)?;
        let problem = last.problem.as_ref()?;
        let what = format!(
            "the archive was verified on {}, and {problem}; the next run puts right what its sources or the archive itself have, \
             and `msgarchive verify` names all",
            self.local(last.date)
        );
        Some(alarm(AlarmKind::Damaged, what))
    }

    fn failing(&self) -> Option<Alarm> {
        let is_failed = |attempt: &&Attempt| {
            let is_of_the_export = attempt.export.as_ref().is_some_and(|export| export.failure.is_some());
            attempt.finished.is_some() && !attempt.is_good() && !is_of_the_export
        };
        let (runs, last) = self.all_of_late(is_failed)?;
        let access = match self.is_forbidden(&last.message) {
            true => format!(
                "; give {} Full Disk Access: System Settings > Privacy & Security > Full Disk Access > +",
                self.job.program.display()
            ),
            false => String::new(),
        };
        let what = format!("{runs} failed: {}{access}; {TRY_AGAIN}", last.message);
        Some(alarm(AlarmKind::Failing, what))
    }

    fn export_failing(&self) -> Option<Alarm> {
        let failure = self.attempts.last_export(self.job)?.failure.as_ref()?;
        let out = self.job.export.as_ref()?.out.display();
        let last = match self.attempts.last_exported(self.job) {
            Some(last) => format!("has been up to date last on {}", self.local(last.started)),
            None => "has never been made".into(),
        };
        let what = format!("the export in {out} fails, and {last}: {failure}; {TRY_AGAIN}");
        Some(alarm(AlarmKind::ExportFailing, what))
    }

    fn incomplete(&self) -> Option<Alarm> {
        let (runs, last) = self.all_of_late(|attempt| attempt.incomplete.is_some())?;
        let what = last.incomplete.as_ref()?;
        let what = format!("{runs} could not read everything: {what}; each run tries it again");
        Some(alarm(AlarmKind::Incomplete, what))
    }

    fn unheard(&self) -> Option<Alarm> {
        let how = self.attempts.last()?.unheard.as_ref()?;
        let what =
            format!("the --on-failure command {how}; what it said is in {}", self.folder.log().display());
        Some(alarm(AlarmKind::Unheard, what))
    }

    /// The last runs, as far as all of them are so: how many in words, and the last one; `None` where the last one is not.
    fn all_of_late(&self, is_so: impl Fn(&&Attempt) -> bool) -> Option<(String, &Attempt)> {
        let last = self.attempts.last().filter(&is_so)?;
        let runs = match self.attempts.list().iter().rev().take_while(&is_so).count() {
            1 => "the last run".to_owned(),
            runs => format!("the last {runs} runs"),
        };
        Some((runs, last))
    }

    /// macOS says so (`EPERM`) where Full Disk Access is missing.
    fn is_forbidden(&self, message: &str) -> bool {
        self.job.system == System::Launchd && message.contains("Operation not permitted")
    }

    fn interrupted(&self) -> Option<Alarm> {
        let last = self.attempts.last().filter(|last| last.finished.is_none() && !self.is_running)?;
        let what = format!(
            "the run of {} was ended before it was done; nothing is lost by that, and `msgarchive schedule run` goes on with \
             it now",
            self.local(last.started)
        );
        Some(alarm(AlarmKind::Interrupted, what))
    }

    fn missed(&self) -> Option<Alarm> {
        let slot = slot::previous(self.job.when, self.now, self.zone)?;
        let latest = clock::latest(self.now);
        let begun = self.attempts.last_until(latest).is_some_and(|last| last.started >= slot);
        if begun || self.is_running || run::installed_at(self.folder) >= slot {
            return None;
        }
        let time = self.local(slot);
        let missed = match (self.why_not_begun)(slot) {
            Some(NotBegun::Failed(why)) => {
                return Some(alarm(AlarmKind::NotBegun, format!("nothing ran at {time}: {why}")));
            }
            Some(NotBegun::OnBattery) => {
                "the machine was on battery; `msgarchive schedule run` makes up for it"
            }
            None => {
                "was the machine off, asleep, on battery, or nobody logged in? `msgarchive schedule run` makes up for it"
            }
        };
        (self.now - slot > GRACE)
            .then(|| alarm(AlarmKind::Missed, format!("nothing ran at {time}: {missed}")))
    }

    fn old(&self) -> Option<Alarm> {
        let last = self.last_good();
        let since = last.unwrap_or_else(|| run::installed_at(self.folder));
        let most = TimeDelta::days((PERIODS * self.job.when.every.days()).into());
        let what = || match last {
            Some(last) => {
                format!(
                    "the last good run is of {}; there should have been two since; {SAYS_WHY}",
                    self.local(last)
                )
            }
            None => format!(
                "no run was good since the schedule was installed on {}; {SAYS_WHY}",
                self.local(since)
            ),
        };
        (self.now - since > most).then(|| alarm(AlarmKind::Old, what()))
    }

    fn stale(&self, census: Census<'_>) -> Option<Alarm> {
        let (idle, since) = self.idle()?;
        let found = census(self.job, since, idle - MARGIN).filter(|found| *found > 0)?;
        let since = since.map_or_else(String::new, |since| format!(" since {}", self.local(since)));
        let what = format!(
            "runs have added nothing{since}, and the source has had newer messages at the last of them ({found}); \
             `msgarchive doctor` says how a source is"
        );
        Some(alarm(AlarmKind::Stale, what))
    }

    /// The last run, which added nothing, and the last one before it that did.
    fn idle(&self) -> Option<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        let mut runs = archive_runs::newest_until(&self.job.archive, clock::latest(self.now));
        let last = runs.next().filter(|run| run.added == 0)?;
        Some((last.started, runs.find(|run: &ArchiveRun| run.added > 0).map(|run| run.started)))
    }

    /// Also one that was not scheduled.
    pub fn last_good(&self) -> Option<DateTime<Utc>> {
        let latest = clock::latest(self.now);
        let scheduled = self.attempts.last_fed_until(self.job, latest).map(|attempt| attempt.started);
        scheduled.max(archive_runs::newest_until(&self.job.archive, latest).next().map(|run| run.started))
    }

    fn local(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string()
    }
}

fn alarm(kind: AlarmKind, what: String) -> Alarm {
    Alarm { kind, what }
}
