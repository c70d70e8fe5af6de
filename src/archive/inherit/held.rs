//! Until when another archive had what other sources lost: as long as its own sources did.
//!
//! An archive lets go of nothing, so that it has a message says nothing of the time since its own sources were read. What none
//! of them had since another source lost it is noted as lost there, too, for the same reason and of the same date; and is there
//! again once one of them has it of the time since.
//!
//! **Must never**: take for evidence what repeats another source's absence. Archives that repeat one another would keep it for
//! ever.

use std::collections::{BTreeMap, HashMap};

use rusqlite::params;

use super::Heir;
use super::lost::{Lost, Open, There};
use crate::archive::ArchiveError;
use crate::archive::absence::Reason;
use crate::archive::deletions::{STATES, state};
use crate::archive::guess::{GUESSED, IS_GUESSED};
use crate::archive::kind::Kind;
use crate::archive::row::text_at;
use crate::archive::sums::ABSENCES;

/// Whether the absence `a` repeats an earlier one of another source. SQL.
const REPEATS: &str = "EXISTS (
      SELECT 1 FROM msgarchive_absence b
      WHERE b.message = a.message AND b.source <> a.source AND b.date = a.date AND b.reason = a.reason
        AND (b.run, b.rowid) < (a.run, a.rowid))";

/// What other sources lost of what it has.
#[derive(Default)]
struct Elsewhere {
    /// Id here → absences; none where only it itself repeats one.
    lost: Lost,
    /// Row id there → id here.
    ids: HashMap<i64, i64>,
}

impl Heir<'_> {
    /// What none of its sources had since another source lost it; and has again of that. Once all sources of the run are in.
    ///
    /// # Errors
    /// What SQLite says, of this archive or of the other one.
    pub fn held(&self) -> Result<(), ArchiveError> {
        // A copy of this archive says nothing of its own.
        if self.is_copy() {
            return Ok(());
        }
        for table in [ABSENCES, STATES, GUESSED] {
            if !self.notes.are_written(table)? {
                return Ok(());
            }
        }
        let Elsewhere { lost, ids } = self.elsewhere().map_err(self.failed())?;
        if ids.is_empty() {
            return Ok(());
        }
        let its_own = self.lost()?;
        let Some(there) = self.there(&its_own, |message| ids.contains_key(&message))? else { return Ok(()) };
        let its_own = self.lost_for_good(its_own, &there)?;
        let mut last: BTreeMap<i64, There> = BTreeMap::new();
        for (message, id) in &ids {
            if let Some(there) = there.get(message) {
                last.entry(*id).and_modify(|last| *last = last.or_later(*there)).or_insert(*there);
            }
        }
        let until = state(self.connection, self.visit.source).map_err(self.failed())?;
        // Where all that it has is of before, nobody takes it for evidence of the time since.
        let is_of_since = |date: i64| until.is_none_or(|until| until >= date);
        for (id, mut lost) in lost {
            if its_own.get(&id).is_none_or(Vec::is_empty) {
                lost.retain(|Open { date, .. }| {
                    is_of_since(*date) && last.get(&id).is_none_or(|last| last.is_before(*date))
                });
                self.follow(id, &lost).map_err(self.failed())?;
            }
        }
        Ok(())
    }

    /// Whether what is noted here of a message as lost there repeats what another source lost.
    pub(super) fn repeats(&self, id: i64) -> rusqlite::Result<bool> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM msgarchive_absence a \
             WHERE a.message = ?1 AND a.source = ?2 AND a.returned IS NULL AND {REPEATS})"
        );
        self.connection.prepare_cached(&sql)?.query_row([id, self.visit.source], |row| row.get(0))
    }

    fn elsewhere(&self) -> rusqlite::Result<Elsewhere> {
        let mut elsewhere = Elsewhere::default();
        let sql = format!(
            "SELECT s.source_rowid, a.message, a.source = ?1, {REPEATS}, a.source, a.run, a.date, a.reason, a.gone, {IS_GUESSED} \
             FROM msgarchive_absence a \
             CROSS JOIN msgarchive_sighting s ON s.kind = ?2 AND s.id = a.message AND s.source = ?1 \
             WHERE a.returned IS NULL ORDER BY a.rowid"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params![self.visit.source, Kind::Message.number()])?;
        while let Some(row) = rows.next()? {
            let (message, id): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (is_its_own, repeats): (bool, bool) = (row.get(2)?, row.get(3)?);
            // What it itself noted first is its own, and what another one repeats is no evidence.
            if is_its_own != repeats {
                continue;
            }
            elsewhere.ids.insert(message, id);
            let lost = elsewhere.lost.entry(id).or_default();
            if let (false, Some(reason)) = (is_its_own, Reason::named(&text_at(row, 7)?.unwrap_or_default()))
            {
                lost.push(Open {
                    source: row.get(4)?,
                    run: row.get(5)?,
                    date: row.get(6)?,
                    reason,
                    is_guessed: row.get(9)?,
                    // It is not in Recently Deleted there, whoever has it there.
                    gone: row.get::<_, Option<i64>>(8)?.or(Some(self.visit.run)),
                });
            }
        }
        Ok(elsewhere)
    }
}
