//! Alarms for which nobody has to look at a schedule: a run that went well knows of them when it ends, and calls for help.
//!
//! **Must never**: know of something that [`status`](super::status) would not say at the same moment.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::archive_runs::{self, ArchiveRun};
use super::attempt::Attempts;
use super::{Alarm, AlarmKind, Job, clock};

/// So long it is told that something was given up for lost: no run after that can tell of it, and nobody looks every day.
const TOLD: TimeDelta = TimeDelta::days(7);
/// Things of which a sentence tells.
const MOST_NAMED: usize = 3;

/// What they say, in a sentence; `None`: there are none.
pub fn in_words(alarms: impl IntoIterator<Item = Alarm>) -> Option<String> {
    let words: Vec<String> = alarms.into_iter().map(|alarm| alarm.what).collect();
    (!words.is_empty()).then(|| words.join("; ").replace('\0', ""))
}

/// The last run, or the last one that the archive knows of, is of a clock that was ahead; or this one is behind.
pub fn clock_ahead(job: &Job, attempts: &Attempts, now: DateTime<Utc>, zone: Tz) -> Option<Alarm> {
    let scheduled = attempts.last().map(|last| last.started);
    let fed = archive_runs::newest_first(&job.archive).next().map(|run| run.started);
    let dated = scheduled.max(fed).filter(|dated| *dated > clock::latest(now))?;
    let what = format!(
        "a run is dated {}, which is still to come: the clock was wrong then, or it is now; that run counts as none",
        dated.with_timezone(&zone).format("%Y-%m-%d %H:%M")
    );
    Some(Alarm { kind: AlarmKind::Clock, what })
}

/// What the last run, which has fed the archive, knows of.
pub fn of_last_run(job: &Job, zone: Tz) -> Vec<Alarm> {
    let lost = archive_runs::newest_first(&job.archive).next().and_then(|last| lost(&last, zone));
    [lost, still_damaged(job), emptied(job)].into_iter().flatten().collect()
}

/// Damage took something that nothing had any more. The archive is whole without it from then on: so it is told for a while.
pub fn given_up(job: &Job, now: DateTime<Utc>, zone: Tz) -> Vec<Alarm> {
    let runs = archive_runs::newest_until(&job.archive, clock::latest(now));
    runs.take_while(|run| now - run.started < TOLD).filter_map(|run| lost(&run, zone)).collect()
}

fn lost(run: &ArchiveRun, zone: Tz) -> Option<Alarm> {
    let what = format!(
        "the run of {} found damage that neither a source nor the archive could put right: {}; it is given up, and what is left \
         is kept; `msgarchive verify` names all",
        run.started.with_timezone(&zone).format("%Y-%m-%d %H:%M"),
        named(&run.lost)?
    );
    Some(Alarm { kind: AlarmKind::Damaged, what })
}

/// Something in the archive is damaged, and a source that the last run did not read may have it.
pub fn still_damaged(job: &Job) -> Option<Alarm> {
    let last = archive_runs::newest_first(&job.archive).next()?;
    let what = format!(
        "the last run could not put right what is damaged: {}; `msgarchive archive` with that source does, if it still has it; if that \
         source is gone for good, `msgarchive archive --gone` with its path says so",
        named(&last.still_damaged)?
    );
    Some(Alarm { kind: AlarmKind::Damaged, what })
}

/// The first of them in a sentence, and how many more there are; `None`: there are none.
fn named(all: &[String]) -> Option<String> {
    let mut words: Vec<String> = all.iter().take(MOST_NAMED).cloned().collect();
    match all.len().saturating_sub(MOST_NAMED) {
        0 => {}
        more => words.push(format!("and {more} more")),
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// A source had messages, and has none any more.
pub fn emptied(job: &Job) -> Option<Alarm> {
    let last = archive_runs::newest_first(&job.archive).next()?;
    let emptied: Vec<String> = last
        .sources
        .iter()
        .filter_map(|source| Some(format!("{} held no messages, where it had {}", source.path, source.had?)))
        .collect();
    let what = || {
        format!(
            "at the last run {}: was the account signed out? The archive keeps them",
            emptied.join("; and ")
        )
    };
    (!emptied.is_empty()).then(|| Alarm { kind: AlarmKind::Emptied, what: what() })
}
