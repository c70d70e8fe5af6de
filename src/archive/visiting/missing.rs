//! What a source has no more, or has in Recently Deleted: noted with what the source says of it.
//!
//! **Must never**: take for gone what the source was never seen to have, nor the device that it was before it was restored.

use super::Visiting;
use crate::archive::ArchiveError;
use crate::archive::absence::{Evidence, predecessors};
use crate::archive::deleted_parts::DeletedParts;
use crate::archive::prepared::Prepared;
use crate::archive::visit::Visit;

impl Visiting<'_> {
    /// `touched`: the messages that are news (row id, id in the archive); `gone`: ids of those that were not found where they
    /// had been; `chats_gone`: of chats, likewise.
    pub(super) fn note_absences(
        &self,
        touched: &[(i64, i64)],
        gone: &[i64],
        chats_gone: &[i64],
    ) -> Result<(), ArchiveError> {
        let Prepared { tables, places, kept, now, .. } = self.prepared;
        let now = *now;
        let Visit { source, run, first, .. } = self.visit;
        let before = match self.prepared.new && !self.is_archive() {
            true => predecessors(self.connection, source, run).map_err(self.failed())?,
            false => Vec::new(),
        };
        let has_all = gone.is_empty()
            && chats_gone.is_empty()
            && self.uncertain_absences.are_none()
            && before.is_empty();
        let mut evidence = match has_all {
            true => Evidence::none(self.connection, source),
            false => Evidence::read(self.connection, tables, source)?,
        };
        let deleted_since = evidence.deleted_since(&before).map_err(self.failed())?;
        if !has_all {
            let lost: Vec<i64> = gone.iter().chain(&deleted_since).copied().collect();
            let lost = evidence.newly_gone(&lost).map_err(self.failed())?;
            evidence.read_horizon((tables, places, *kept), (&before, run), &lost, now)?;
        }
        for (rowid, id) in touched {
            let deleted = places.recently_deleted.get(rowid).copied();
            if deleted.is_none() && !self.is_archive() && places.is_in_no_chat(*rowid) {
                evidence.note_left(*id, Some(chats_gone), now, run)?;
                continue;
            }
            // Another archive says itself what came back.
            if deleted.is_some() || !first && !self.is_archive() {
                evidence.note_there(*id, deleted, run).map_err(self.failed())?;
            }
        }
        let parts = DeletedParts::new(self.connection, self.visit);
        for id in gone {
            if !evidence.is_seen(*id).map_err(self.failed())? {
                evidence.note_gone(*id, now, run)?;
                parts.note_gone(*id).map_err(self.failed())?;
            }
        }
        for id in deleted_since {
            evidence.note_gone(id, now, run)?;
        }
        for id in evidence.uncertain(self.uncertain_absences, places).map_err(self.failed())? {
            match evidence.seen_at(id).map_err(self.failed())? {
                Some(rowid) => {
                    let deleted = places.recently_deleted.get(&rowid).copied();
                    if deleted.is_some() {
                        evidence.note_there(id, deleted, run).map_err(self.failed())?;
                    } else if !self.is_archive() && places.is_in_no_chat(rowid) {
                        evidence.note_left(id, None, now, run)?;
                    }
                }
                None if evidence.has_to_be_gone(id).map_err(self.failed())? => {
                    evidence.note_gone(id, now, run)?;
                }
                None => {}
            }
        }
        Ok(())
    }
}
