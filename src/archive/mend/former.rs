//! Former states that are not what was written of them: given up, where no source has them, and put where they were, once one
//! has.
//!
//! **Must never**: take what lies there for what was said.

use rusqlite::{OptionalExtension, params};

use super::lost::Loss;
use super::{Mending, hash_of_row};
use crate::archive::kind::Kind;
use crate::archive::lost_state;
use crate::archive::lost_thing::LostThing;
use crate::archive::row::RowHash;
use crate::archive::schema::{Columns, has_versions, version_table};

impl Mending<'_> {
    /// Puts a former state where it was, in place of what that run gave up, if that is one.
    pub(super) fn takes_its_place(
        &self,
        kind: Kind,
        (id, by): (i64, i64),
        version: i64,
    ) -> rusqlite::Result<bool> {
        let versions = version_table(kind);
        let sql = format!(
            "SELECT msgarchive_version, msgarchive_until, msgarchive_hash FROM {versions} \
             WHERE msgarchive_id = ?1 AND msgarchive_since = ?2 AND msgarchive_until < ?2"
        );
        let mut given_up = self.connection.prepare(&sql)?;
        let given_up: Vec<(i64, i64, Vec<u8>)> = given_up
            .query_map([id, by], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        // Which of several it was nobody knows.
        if let [(place, until, hash)] = &given_up[..]
            && !lost_state::is_noted(self.connection, (kind, id), by)?
        {
            // It was shown until another one took its place.
            let until = if *until < 0 { &self.next_after(kind, (id, by))? } else { until };
            // The record of that run closes over it.
            lost_state::note(self.connection, (kind, id), by, hash, lost_state::IN_NO_RECORD)?;
            self.connection
                .execute(&format!("DELETE FROM {versions} WHERE msgarchive_version = ?1"), [place])?;
            let put = format!(
                "UPDATE {versions} SET msgarchive_version = ?2, msgarchive_until = ?3 WHERE msgarchive_version = ?1"
            );
            self.connection.execute(&put, params![version, place, until])?;
        }
        Ok(!given_up.is_empty())
    }

    /// What is shown was lost since some run, and is here again: what was shown instead, since it was given up `by` a run, says
    /// nothing to anybody.
    pub(super) fn without_what_was_shown(
        &self,
        kind: Kind,
        (id, by): (i64, i64),
        since: i64,
    ) -> rusqlite::Result<()> {
        if !has_versions(kind) || lost_state::is_noted(self.connection, (kind, id), by)? {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM {} WHERE msgarchive_id = ?1 AND msgarchive_since = ?2 AND msgarchive_until = ?3 \
             RETURNING msgarchive_hash",
            version_table(kind)
        );
        let hash: Option<Vec<u8>> = self
            .connection
            .query_row(&sql, [id, by, lost_state::until(since)], |row| row.get(0))
            .optional()?;
        match hash {
            Some(hash) => lost_state::note(self.connection, (kind, id), by, &hash, lost_state::IN_NO_RECORD),
            None => Ok(()),
        }
    }

    /// The run that brought the state that came next.
    fn next_after(&self, kind: Kind, (id, by): (i64, i64)) -> rusqlite::Result<i64> {
        let sql = format!(
            "SELECT coalesce(min(since), ?3) FROM ( \
               SELECT since FROM msgarchive_{} WHERE id = ?1 UNION ALL \
               SELECT msgarchive_since FROM {} WHERE msgarchive_id = ?1) WHERE since > ?2",
            kind.table(),
            version_table(kind)
        );
        self.connection.query_row(&sql, [id, by, self.run], |row| row.get(0))
    }

    /// A former state that nothing has any more. It is kept as it lies there, as one that is of this run, which is later than any
    /// that had it: so nobody takes it for what was said.
    pub(super) fn give_up_former(
        &self,
        kind: Kind,
        version: i64,
        columns: &Columns,
    ) -> rusqlite::Result<Option<LostThing>> {
        let versions = version_table(kind);
        let written: Option<(i64, i64, Option<RowHash>)> = self
            .connection
            .query_row(
                &format!(
                    "SELECT msgarchive_id, msgarchive_since, msgarchive_hash FROM {versions} WHERE msgarchive_version = ?1"
                ),
                [version],
                |row| Ok((row.get(0)?, row.get(1)?, row.get_ref(2)?.as_blob().ok().and_then(|hash| hash.try_into().ok()))),
            )
            .optional()?;
        let is = hash_of_row(self.connection, kind, &versions, columns, version)?;
        let (Some((id, since, hash)), Some(is)) = (written, is) else { return Ok(None) };
        if hash == Some(is) {
            return Ok(None);
        }
        lost_state::note(self.connection, (kind, id), since, &hash.unwrap_or_default(), self.run)?;
        let note = format!(
            "UPDATE {versions} SET msgarchive_hash = ?2, msgarchive_since = ?3 WHERE msgarchive_version = ?1"
        );
        self.connection.execute(&note, params![version, is, self.run])?;
        self.lost(Loss::FormerState, (kind, id), since).map(Some)
    }
}
