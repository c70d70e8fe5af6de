//! Alarms for which nobody has to look at a schedule: a run that went well knows of them when it ends, and calls for help.
//!
//! **Must never**: know of something that [`status`](super::status) would not say at the same moment.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::attempt::Attempts;
use super::{Alarm, AlarmKind, Job, archive_runs, clock};

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
