//! What the sources of another archive lost, and have again.
//!
//! **Must never**: take it for news that somebody has a message who has it from here.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};

use super::{Heir, RUNS};
use crate::archive::ArchiveError;
use crate::archive::absence::Reason;
use crate::archive::deletions::STATES;
use crate::archive::guess::{self, Guesses};
use crate::archive::kind::Kind;
use crate::archive::places::number;
use crate::archive::row::text_at;
use crate::archive::sums::{ABSENCES, SIGHTINGS, SOURCES};
use crate::archive::visit::Visit;
use crate::source::SourceKind;

/// What is read of an absence.
pub(super) const ABSENCE: [&str; 7] = ["message", "source", "run", "reason", "date", "gone", "returned"];

/// An absence that is open: since which run and date, why, and the run here that noted that the row is gone.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) source: i64,
    pub(super) run: i64,
    pub(super) date: i64,
    pub(super) reason: Reason,
    pub(super) is_guessed: bool,
    pub(super) gone: Option<i64>,
}

impl Open {
    /// Of a row of another archive; `None` of one that came back. `guesses`: of that archive; `run`: the one that is going on here.
    pub(super) fn of(
        [message, source, noted, reason, date, gone, returned]: [ValueRef<'_>; 7],
        guesses: &Guesses,
        run: i64,
    ) -> Option<Open> {
        let ValueRef::Text(name) = reason else { return None };
        let reason = Reason::named(&String::from_utf8_lossy(name)).filter(|_| returned == ValueRef::Null)?;
        let gone = (gone != ValueRef::Null).then_some(run);
        let is_guessed = reason == Reason::AgedOut && guesses.has([message, source, noted]);
        let (source, run, date) = (number(source), number(noted), number(date));
        Some(Open { source, run, date, reason, is_guessed, gone })
    }

    /// Of several, the greatest is why a message is deleted.
    fn weight(&self) -> impl Ord + use<> {
        let is_recoverable = self.reason == Reason::RecentlyDeleted && self.gone.is_none();
        self.reason.weight(self.is_guessed, is_recoverable, self.date)
    }
}

/// What its sources lost: row id of a message there → absences.
pub(super) type Lost = BTreeMap<i64, Vec<Open>>;

/// When a source had a message last: by date, where that is known, or else by run.
#[derive(Clone, Copy)]
pub(super) struct There {
    date: i64,
    run: i64,
}

impl There {
    /// Whether that is of the time since another source lost it.
    fn since(&self, absence: &Open) -> bool {
        self.date >= absence.date || self.run >= absence.run
    }

    /// Whether that is known to be of the time before a date.
    pub(super) fn is_before(&self, date: i64) -> bool {
        self.run == i64::MIN && self.date < date
    }

    /// The later one of two.
    pub(super) fn or_later(self, other: There) -> There {
        There { date: self.date.max(other.date), run: self.run.max(other.run) }
    }
}

impl Heir<'_> {
    /// What its sources lost, and none of them has since; and have again. What it only repeats is [asked](Heir::held) once all
    /// sources are in.
    pub(super) fn absences(&self) -> Result<(), ArchiveError> {
        self.follow_devices()?;
        let lost = self.lost()?;
        let there = match lost.values().all(Vec::is_empty) {
            true => None,
            false => self.there(&lost, |_| false)?,
        };
        for (id, lost) in self.lost_for_good(lost, &there.unwrap_or_default())? {
            let follow = || -> rusqlite::Result<()> {
                match lost.is_empty() && !self.is_copy() && self.repeats(id)? {
                    true => Ok(()),
                    false => self.follow(id, &lost),
                }
            };
            follow().map_err(self.failed())?;
        }
        Ok(())
    }

    /// What its sources lost, or lost once; but for what this very archive knew before the two parted.
    pub(super) fn lost(&self) -> Result<Lost, ArchiveError> {
        let mut open = Lost::new();
        let Some(table) = self.tables.table(ABSENCES) else { return Ok(open) };
        let devices = self.devices()?;
        let guesses = Guesses::read(self.tables)?;
        self.tables.reader().rows(table, &ABSENCE, i64::MIN..=i64::MAX, |row| {
            let run = number(row.value(2));
            // Of a device that both know, what was read last counts.
            if run <= self.shared || devices.contains_key(&number(row.value(1))) {
                return Ok(());
            }
            let of = open.entry(number(row.value(0))).or_default();
            of.extend(Open::of(std::array::from_fn(|at| row.value(at)), &guesses, self.visit.run));
            Ok::<(), ArchiveError>(())
        })?;
        Ok(open)
    }

    /// By where the messages are here: without what one of its sources has still, which is not deleted there.
    pub(super) fn lost_for_good(
        &self,
        lost: Lost,
        there: &HashMap<i64, There>,
    ) -> Result<Lost, ArchiveError> {
        let mut here = Lost::new();
        for (message, mut lost) in lost {
            lost.retain(|absence| there.get(&message).is_none_or(|there| !there.since(absence)));
            if let Some(id) = self.here(Kind::Message, message).map_err(self.failed())? {
                here.entry(id).or_default().extend(lost);
            }
        }
        Ok(here)
    }

    /// Archives that feed it, and have each message under the row id that it has here: this one, or a copy. What it read before
    /// there was this one is neither, but what this one may have its row ids from.
    fn itself(&self) -> Result<&HashSet<i64>, ArchiveError> {
        match self.itself.get() {
            Some(itself) => Ok(itself),
            None => {
                let itself = self.sources_that_are_this_one()?;
                Ok(self.itself.get_or_init(|| itself))
            }
        }
    }

    fn sources_that_are_this_one(&self) -> Result<HashSet<i64>, ArchiveError> {
        let mut itself = HashSet::new();
        let (Some(sources), Some(sightings)) = (self.tables.table(SOURCES), self.tables.table(SIGHTINGS))
        else {
            return Ok(itself);
        };
        let earlier = self.runs_before_this_one()?;
        let reader = self.tables.reader();
        reader.rows(sources, &["source", "kind", "first_run"], i64::MIN..=i64::MAX, |row| {
            let is_archive = row.value(1) == ValueRef::Text(SourceKind::Archive.name().as_bytes());
            if is_archive && !earlier.contains(&number(row.value(2))) {
                itself.insert(number(row.value(0)));
            }
            Ok::<(), ArchiveError>(())
        })?;
        if itself.is_empty() {
            return Ok(itself);
        }
        let here = self.all_here(Kind::Message).map_err(self.failed())?;
        let mut agreeing = HashSet::new();
        reader.all(sightings, &["kind", "source", "id", "source_rowid"], |row| {
            let source = number(row.value(1));
            if number(row.value(0)) == Kind::Message.number() && itself.contains(&source) {
                match here.get(&number(row.value(2))) == Some(&number(row.value(3))) {
                    true => drop(agreeing.insert(source)),
                    false => drop(itself.remove(&source)),
                }
            }
            Ok::<(), ArchiveError>(())
        })?;
        itself.retain(|source| agreeing.contains(source));
        Ok(itself)
    }

    /// Its runs from before the first one of this archive.
    fn runs_before_this_one(&self) -> Result<HashSet<i64>, ArchiveError> {
        let mut earlier = HashSet::new();
        let Some(runs) = self.tables.table(RUNS) else { return Ok(earlier) };
        let first: Option<String> = self
            .connection
            .query_row("SELECT min(date) FROM msgarchive_run", [], |row| text_at(row, 0))
            .map_err(self.failed())?;
        self.tables.reader().rows(runs, &["date"], i64::MIN..=i64::MAX, |row| {
            if let ValueRef::Text(date) = row.value(0)
                && first.as_ref().is_none_or(|first| date < first.as_bytes())
            {
                earlier.insert(row.rowid());
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(earlier)
    }

    /// Of messages that a source of it lost, and of others that are `wanted`: when another source had them last, of those that
    /// have it not from here. `None`: it does not tell.
    pub(super) fn there(
        &self,
        lost: &Lost,
        wanted: impl Fn(i64) -> bool,
    ) -> Result<Option<HashMap<i64, There>>, ArchiveError> {
        let mut there: HashMap<i64, There> = HashMap::new();
        let (Some(sources), Some(sightings)) = (self.tables.table(SOURCES), self.tables.table(SIGHTINGS))
        else {
            return Ok(None);
        };
        // That this very archive has something is no news to it.
        let itself = self.itself()?;
        let reader = self.tables.reader();
        let mut known: HashMap<i64, There> = HashMap::new();
        reader.rows(sources, &["source", "last_run"], i64::MIN..=i64::MAX, |row| {
            let of_run = There { date: i64::MIN, run: number(row.value(1)) };
            known.insert(number(row.value(0)), of_run);
            Ok::<(), ArchiveError>(())
        })?;
        let dated = |(source, date)| (source, There { date, run: i64::MIN });
        known.extend(self.states_there()?.into_iter().map(dated));
        known.retain(|source, _| !itself.contains(source));
        if known.is_empty() {
            return Ok(Some(there));
        }
        reader.all(sightings, &["kind", "source", "id"], |row| {
            let (source, message) = (number(row.value(1)), number(row.value(2)));
            if number(row.value(0)) == Kind::Message.number()
                && let Some(of) = known.get(&source)
                && match lost.get(&message) {
                    Some(absences) => absences.iter().all(|absence| absence.source != source),
                    None => wanted(message),
                }
            {
                let last = there.entry(message).or_insert(*of);
                *last = last.or_later(*of);
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(Some(there))
    }

    /// Until when its sources are known to have been as it read them: Apple's date. `None`: it does not tell.
    pub fn until(&self) -> Result<Option<i64>, ArchiveError> {
        if !self.notes.are_written(STATES)? {
            return Ok(None);
        }
        let itself = self.itself()?;
        let of_others = self.states_there()?.into_iter().filter(|(source, _)| !itself.contains(source));
        Ok(of_others.map(|(_, date)| date).max())
    }

    /// Until when each of its sources is known to have been as it read it last: Apple's date. One that an earlier program wrote
    /// tells of none.
    pub(super) fn states_there(&self) -> Result<BTreeMap<i64, i64>, ArchiveError> {
        let mut last: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        if let Some(states) = self.tables.table(STATES) {
            self.tables.reader().all(states, &["source", "run", "date"], |row| {
                let (run, date) = (number(row.value(1)), number(row.value(2)));
                let of = last.entry(number(row.value(0))).or_insert((run, date));
                *of = (run, date).max(*of);
                Ok::<(), ArchiveError>(())
            })?;
        }
        Ok(last.into_iter().map(|(source, (_, date))| (source, date)).collect())
    }

    /// `lost`: by which sources a message is lost, the first to note it first.
    pub(super) fn follow(&self, id: i64, lost: &[Open]) -> rusqlite::Result<()> {
        self.follow_as(self.visit.source, id, lost)
    }

    /// The same, of one of the devices that both know.
    pub(super) fn follow_as(&self, source: i64, id: i64, lost: &[Open]) -> rusqlite::Result<()> {
        let Visit { run, .. } = self.visit;
        let known = self
            .connection
            .prepare_cached(
                "SELECT rowid, reason, date, gone IS NOT NULL FROM msgarchive_absence \
                 WHERE message = ?1 AND source = ?2 AND returned IS NULL",
            )?
            .query_row([id, source], |row| {
                let (reason, date) = (text_at(row, 1)?.unwrap_or_default(), row.get::<_, i64>(2)?);
                Ok((row.get::<_, i64>(0)?, reason, date, row.get::<_, bool>(3)?))
            })
            .optional()?;
        if let Some((rowid, reason, date, is_gone)) = known {
            let same = |open: &&Open| open.date == date && open.reason.name() == reason;
            if let Some(open) = lost.iter().find(same) {
                if open.gone.is_some() != is_gone {
                    self.connection
                        .prepare_cached("UPDATE msgarchive_absence SET gone = ?2 WHERE rowid = ?1")?
                        .execute(params![rowid, open.gone])?;
                }
                return Ok(());
            }
            // It came back, and may have been deleted again.
            self.connection
                .prepare_cached("UPDATE msgarchive_absence SET returned = ?2 WHERE rowid = ?1")?
                .execute([rowid, run])?;
        }
        // Of the same weight, the first.
        let why = lost.iter().rev().max_by_key(|absence| absence.weight());
        if let Some(Open { reason, date, is_guessed, gone, .. }) = why {
            self.connection
                .prepare_cached(
                    "INSERT INTO msgarchive_absence (message, source, run, reason, date, gone) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![id, source, run, reason.name(), date, gone])?;
            if *is_guessed {
                guess::note(self.connection, id, source, run)?;
            }
        }
        Ok(())
    }
}
