//! The devices that this archive and a copy of it both know, from before the two parted: of each, what was read of it last
//! counts, whichever of the two read it.
//!
//! A copy has the sources of before under the numbers that they have here.
//!
//! **Must never**: take over what the copy knows of a device that was read here later.

use std::collections::BTreeMap;

use rusqlite::params;

use super::Heir;
use super::lost::{ABSENCE, Open};
use crate::archive::ArchiveError;
use crate::archive::deletions::{STATES, state};
use crate::archive::guess::Guesses;
use crate::archive::kind::Kind;
use crate::archive::places::number;
use crate::archive::sums::{ABSENCES, SIGHTINGS, SOURCES};
use crate::source::SourceKind;
use crate::source::tables::text;

/// Source → until when the copy knows it to have been as it read it last (Apple's date), if that is later than here.
pub(super) type Devices = BTreeMap<i64, Option<i64>>;

impl Heir<'_> {
    /// Those that both know, where both say until when; none of what is no copy.
    pub(super) fn devices(&self) -> Result<&Devices, ArchiveError> {
        if self.devices.get().is_none() {
            let _ = self.devices.set(self.read_devices()?);
        }
        Ok(self.devices.get_or_init(Devices::new))
    }

    fn read_devices(&self) -> Result<Devices, ArchiveError> {
        let mut devices = Devices::new();
        let Some(sources) = self.tables.table(SOURCES).filter(|_| self.is_copy()) else {
            return Ok(devices);
        };
        let last = self.states_there()?;
        let columns = ["source", "kind", "first_run"];
        self.tables.reader().rows(sources, &columns, i64::MIN..=i64::MAX, |row| {
            let (source, first) = (number(row.value(0)), number(row.value(2)));
            let kind = text(row.value(1)).filter(|kind| kind != SourceKind::Archive.name());
            if let (Some(kind), Some(there)) = (kind.filter(|_| first <= self.shared), last.get(&source)) {
                let is_here = self.is_source(source, &kind, first).map_err(self.failed())?;
                if let Some(here) = state(self.connection, source).map_err(self.failed())?.filter(|_| is_here)
                {
                    devices.insert(source, Some(*there).filter(|there| *there > here));
                }
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(devices)
    }

    fn is_source(&self, source: i64, kind: &str, first: i64) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM msgarchive_source WHERE source = ?1 AND kind = ?2 AND first_run = ?3)";
        self.connection.prepare_cached(sql)?.query_row(params![source, kind, first], |row| row.get(0))
    }

    /// Takes over what the copy knows of those that it read later: what each lost, what it has again, and until when it was so.
    pub(super) fn follow_devices(&self) -> Result<(), ArchiveError> {
        let later: BTreeMap<i64, i64> =
            self.devices()?.iter().filter_map(|(source, date)| Some((*source, (*date)?))).collect();
        let (Some(absences), Some(sightings)) = (self.tables.table(ABSENCES), self.tables.table(SIGHTINGS))
        else {
            return Ok(());
        };
        if later.is_empty() {
            return Ok(());
        }
        // What it has that is not known to be there: to be looked at when it is read again.
        let here = self.all_here(Kind::Message).map_err(self.failed())?;
        let mut sight = self
            .connection
            .prepare(
                "INSERT OR IGNORE INTO msgarchive_sighting (kind, source, source_rowid, id, since) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .map_err(self.failed())?;
        self.tables.reader().all(sightings, &["kind", "source", "source_rowid", "id"], |row| {
            let [kind, source, rowid, message] = [0, 1, 2, 3].map(|at| number(row.value(at)));
            if let (true, Some(id)) =
                (kind == Kind::Message.number() && later.contains_key(&source), here.get(&message))
            {
                sight.execute([kind, source, rowid, *id, self.visit.run]).map_err(self.failed())?;
            }
            Ok::<(), ArchiveError>(())
        })?;
        let guesses = Guesses::read(self.tables)?;
        let mut lost: BTreeMap<(i64, i64), Option<Open>> = BTreeMap::new();
        self.tables.reader().rows(absences, &ABSENCE, i64::MIN..=i64::MAX, |row| {
            let source = number(row.value(1));
            if let (true, Some(id)) = (later.contains_key(&source), here.get(&number(row.value(0)))) {
                let of = lost.entry((source, *id)).or_default();
                *of = Open::of(std::array::from_fn(|at| row.value(at)), &guesses, self.visit.run).or(*of);
            }
            Ok::<(), ArchiveError>(())
        })?;
        for ((source, id), open) in lost {
            self.follow_as(source, id, open.as_slice()).map_err(self.failed())?;
        }
        let mut note = self
            .connection
            .prepare(&format!("INSERT OR REPLACE INTO {STATES} (source, run, date) VALUES (?1, ?2, ?3)"))
            .map_err(self.failed())?;
        for (source, date) in later {
            note.execute([source, self.visit.run, date]).map_err(self.failed())?;
        }
        Ok(())
    }
}
