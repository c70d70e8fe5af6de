//! What went to Recently Deleted, and is gone from there as another archive knows, or does not know yet.
//!
//! Archives may be fed by one device, and be read here by turns. Whether it is one device nobody can tell for certain; but what
//! two have in Recently Deleted since the same instant was deleted once, and goes from there once: so what is known of the
//! later time counts, whichever of the two was fed then.
//!
//! **Must never**: say of a device that is read here itself what it does not say; or take for evidence an archive that only
//! repeats what another source lost, and is noted as if it were gone there.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::Heir;
use super::held::REPEATS;
use super::lost::{Lost, Open};
use crate::archive::ArchiveError;
use crate::archive::absence::Reason;
use crate::archive::deletions::state;
use crate::source::SourceKind;

/// What a source here says of a deletion.
struct Said {
    absence: i64,
    source: i64,
    is_archive: bool,
    is_gone: bool,
    /// It may say nothing of its own.
    repeats: bool,
}

impl Heir<'_> {
    /// Of what it lost, by where it is here: what it has in Recently Deleted still is gone from there where somebody knows so of a
    /// later time; and what it knows to be gone is gone of other archives, too, that were fed earlier.
    pub(super) fn settle_recently_deleted(&self, lost: &mut Lost) -> Result<(), ArchiveError> {
        // An instant that nobody knows is none that two have in common.
        let was_there = |open: &Open| open.reason == Reason::RecentlyDeleted && open.date > 0;
        if !lost.values().flatten().any(was_there) {
            return Ok(());
        }
        let states = self.states_there()?;
        for (id, lost) in lost {
            let dates: BTreeSet<i64> =
                lost.iter().filter(|open| was_there(open)).map(|open| open.date).collect();
            for date in dates {
                let of_it = lost.iter_mut().filter(|open| was_there(open) && open.date == date);
                self.settle(*id, date, of_it.collect(), &states).map_err(self.failed())?;
            }
        }
        Ok(())
    }

    /// One deletion; `of_it`: what its sources say of that.
    fn settle(
        &self,
        id: i64,
        date: i64,
        mut of_it: Vec<&mut Open>,
        states: &BTreeMap<i64, i64>,
    ) -> rusqlite::Result<()> {
        let is_there = of_it.iter().any(|open| open.gone.is_none());
        of_it.retain(|open| open.gone.is_none() == is_there);
        let until: Option<Vec<i64>> = of_it.iter().map(|open| states.get(&open.source).copied()).collect();
        let until = match until.and_then(|until| until.into_iter().max()) {
            // One that an earlier program wrote does not tell.
            None => state(self.connection, self.visit.source)?,
            told => told,
        };
        let Some(until) = until else { return Ok(()) };
        let (own, others): (Vec<Said>, Vec<Said>) =
            self.said_of(id, date)?.into_iter().partition(|said| said.source == self.visit.source);
        let was_found_gone = own.iter().any(|own| own.is_gone);
        for said in others.into_iter().filter(|said| said.is_gone == is_there) {
            let Some(known) = state(self.connection, said.source)? else { continue };
            if is_there && known > until && (!said.is_archive || !said.repeats || was_found_gone) {
                of_it.iter_mut().for_each(|open| open.gone = Some(self.visit.run));
            }
            if !is_there && known < until && said.is_archive {
                self.connection
                    .prepare_cached("UPDATE msgarchive_absence SET gone = ?2 WHERE rowid = ?1")?
                    .execute([said.absence, self.visit.run])?;
            }
        }
        Ok(())
    }

    /// What every source here says of a message that went to Recently Deleted at `date` (Apple's), and did not come back.
    fn said_of(&self, id: i64, date: i64) -> rusqlite::Result<Vec<Said>> {
        let sql = format!(
            "SELECT a.rowid, a.source, o.kind = ?4, a.gone IS NOT NULL, {REPEATS} \
             FROM msgarchive_absence a JOIN msgarchive_source o ON o.source = a.source \
             WHERE a.message = ?1 AND a.reason = ?2 AND a.date = ?3 AND a.returned IS NULL ORDER BY a.rowid"
        );
        let mut said = self.connection.prepare_cached(&sql)?;
        let of = params![id, Reason::RecentlyDeleted.name(), date, SourceKind::Archive.name()];
        let said = said.query_map(of, |row| {
            Ok(Said {
                absence: row.get(0)?,
                source: row.get(1)?,
                is_archive: row.get(2)?,
                is_gone: row.get(3)?,
                repeats: row.get(4)?,
            })
        })?;
        said.collect()
    }
}
