//! What neither the archive nor any source has any more: taken for lost once the sources were asked, and told in the record.
//! What is left of it goes on being shown.
//!
//! **Must never**: take for lost what a source is known to have.

use rusqlite::{OptionalExtension, params};

use super::{Mended, Mending, hash_of_row};
use crate::archive::gone_for_good::GoneForGood;
use crate::archive::kind::{JOINS, Kind};
use crate::archive::lost_content::LostContents;
use crate::archive::lost_state;
use crate::archive::lost_thing::{self, LostOf, LostThing};
use crate::archive::named::{lost_of, name};
use crate::archive::prepared::Prepared;
use crate::archive::records::in_database;
use crate::archive::row::{RowHash, text_at};
use crate::archive::schema::{Columns, has_table, has_versions, version_table};
use crate::archive::vanished::is_given_up;
use crate::source::tables::quoted;

/// What is lost of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Loss {
    Row,
    LastState,
    WhatItSaid,
    FormerState,
}

impl Loss {
    /// Of what is shown of it.
    const SHOWN: [Loss; 3] = [Loss::Row, Loss::LastState, Loss::WhatItSaid];

    /// As records have it. `name`: what the row is known by.
    pub(super) fn in_words(self, kind: Kind, id: i64, name: &str) -> String {
        let what = kind.in_words();
        match self {
            Loss::Row => format!("{what} (row {id} of {})", kind.table()),
            Loss::LastState => {
                format!("{what}, as it was last: it is shown as it was before that ({name})")
            }
            Loss::WhatItSaid => {
                format!("{what}, as it was: it is shown as it lies there, damaged ({name})")
            }
            Loss::FormerState => {
                format!("{what}, as it was once before: that is kept as it lies there, damaged ({name})")
            }
        }
    }
}

/// What of all that was found damaged a run did not put right, in words; and what is here again of what was given up.
#[derive(Debug, Default)]
pub struct GivenUp {
    /// Nothing has it any more.
    pub lost: Vec<LostThing>,
    /// A source may have it that was not read, or could not tell: it stays noted as damaged.
    pub still_damaged: Vec<LostThing>,
    /// As it was said to be lost: a source had it after all.
    pub found_again: Vec<LostThing>,
}

impl GivenUp {
    /// `source`: the path of the one that may have it.
    pub(super) fn stays_damaged(&mut self, what: &str, of: LostOf, source: String) {
        let what = format!("{what}: {source} may have it");
        self.still_damaged.push(LostThing { what, of: Some(LostOf { source: Some(source), ..of }) });
    }
}

impl Mending<'_> {
    /// Takes for lost what nothing has any more, once all sources of the run were asked. `mended`: what there was before that;
    /// `visits`: the sources; `gone`: those that nothing waits for.
    pub fn give_up(
        &self,
        columns: &Columns,
        Mended { doubtful, vanished, .. }: &Mended,
        (visits, gone): (&[Prepared<'_>], &GoneForGood),
    ) -> rusqlite::Result<GivenUp> {
        vanished.keep_again(self.connection, self.run)?;
        let said = self.said_to_be_lost()?;
        let mut given_up = GivenUp { found_again: self.found_again(&said)?, ..GivenUp::default() };
        let (mut rows, mut joined) = (self.found.rows.clone(), self.found.joined.clone());
        rows.sort_unstable();
        rows.dedup();
        joined.sort_unstable();
        joined.dedup();
        for (kind, id) in rows {
            match vanished.ids(kind).any(|vanished| vanished == id) {
                true => self.give_up_vanished((kind, id), columns, gone, &mut given_up)?,
                false => self.give_up_row((kind, id), columns, gone, &mut given_up)?,
            }
        }
        for (kind, version) in self.found.former.iter().filter(|(kind, _)| has_versions(*kind)) {
            given_up.lost.extend(self.give_up_former(*kind, *version, columns)?);
        }
        for (kind, id) in &self.found.strays {
            given_up.lost.extend(self.taken_as_found(*kind, *id)?);
        }
        for join in JOINS.iter().filter(|join| has_table(self.connection, &join.book()).unwrap_or(false)) {
            let owners = joined.iter().filter(|(kind, _)| *kind == join.owner().1);
            for (_, owner) in owners {
                self.give_up_joins((join, *owner), columns, gone, &mut given_up)?;
            }
        }
        for join in JOINS.iter().filter(|join| self.found.wanting.iter().any(|table| table == join.table)) {
            given_up.lost.extend(self.give_up_wanting(join)?);
        }
        given_up.lost.extend(self.give_up_notes(doubtful, visits)?);
        let said = LostContents::of(said.iter());
        self.contents_given_up((visits, gone), &said, &mut given_up)?;
        Ok(given_up)
    }

    /// What earlier runs said was lost, and no later one found again; nothing where nobody asks.
    fn said_to_be_lost(&self) -> rusqlite::Result<Vec<LostThing>> {
        let is_any_row: bool =
            self.connection
                .query_row("SELECT EXISTS (SELECT 1 FROM msgarchive_lost)", [], |row| row.get(0))?;
        if !is_any_row && self.found.contents.is_empty() {
            return Ok(Vec::new());
        }
        let records = in_database(self.connection)?;
        Ok(lost_thing::after_all(records.iter().map(|record| record.text.as_str())))
    }

    /// Tells of all rows that were taken for lost and are here again, in the words in which that was said.
    fn found_again(&self, said: &[LostThing]) -> rusqlite::Result<Vec<LostThing>> {
        let mut lost = self.connection.prepare(
            "SELECT kind, id, since, hash, run FROM msgarchive_lost WHERE abs(run) BETWEEN 1 AND ?1 - 1 AND length(hash) = 16",
        )?;
        let lost: Vec<(i64, i64, i64, RowHash, i64)> = lost
            .query_map([self.run], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut again = Vec::new();
        for (number, id, since, hash, by) in lost {
            let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.number() == number) else { continue };
            let losses = self.is_here_again(kind, (id, since, by), hash)?;
            if !losses.is_empty() {
                self.connection.execute(
                    "DELETE FROM msgarchive_lost WHERE kind = ?1 AND id = ?2 AND since = ?3",
                    [number, id, since],
                )?;
                let name = name(self.connection, kind, id)?;
                let words: Vec<String> = losses.iter().map(|loss| loss.in_words(kind, id, &name)).collect();
                let is_it = |thing: &&LostThing| match &thing.of {
                    Some(of) => (&*of.table, of.row, of.since) == (kind.table(), Some(id), Some(since)),
                    None => words.contains(&thing.what) && !again.contains(*thing),
                };
                let found = said.iter().find(is_it).cloned();
                again.extend(found);
            }
        }
        Ok(again)
    }

    /// What may have been said of a state of a row that was lost since some run, where this run brought it; it is of the run then
    /// that had brought it first. `by`: the run that gave it up.
    fn is_here_again(
        &self,
        kind: Kind,
        (id, since, by): (i64, i64, i64),
        hash: RowHash,
    ) -> rusqlite::Result<&'static [Loss]> {
        let table = kind.table();
        let shown = format!(
            "UPDATE msgarchive_{table} SET since = ?3, added = min(added, ?3) WHERE id = ?1 AND hash = ?2 \
             AND since = ?4 AND EXISTS (SELECT 1 FROM {table} WHERE ROWID = ?1)"
        );
        if self.connection.execute(&shown, params![id, hash, since, self.run])? > 0 {
            self.without_what_was_shown(kind, (id, by), since)?;
            return Ok(&Loss::SHOWN);
        }
        if !has_versions(kind) {
            return Ok(&[]);
        }
        let versions = version_table(kind);
        let former = format!(
            "UPDATE {versions} SET msgarchive_since = ?3 WHERE msgarchive_version = \
             (SELECT min(msgarchive_version) FROM {versions} \
              WHERE msgarchive_id = ?1 AND msgarchive_hash = ?2 AND msgarchive_since = ?4) RETURNING msgarchive_version"
        );
        let version: Option<i64> = self
            .connection
            .query_row(&former, params![id, hash, since, self.run], |row| row.get(0))
            .optional()?;
        match version {
            None => Ok(&[]),
            Some(version) if self.takes_its_place(kind, (id, by), version)? => Ok(&[Loss::FormerState]),
            Some(_) => Ok(&Loss::SHOWN),
        }
    }

    /// A state of a row that is lost; since which run it was there.
    pub(super) fn lost(
        &self,
        loss: Loss,
        (kind, id): (Kind, i64),
        since: i64,
    ) -> rusqlite::Result<LostThing> {
        let of = lost_of(self.connection, kind.table(), (kind, id), Some(since))?;
        let what = loss.in_words(kind, id, &name(self.connection, kind, id)?);
        Ok(LostThing { what, of: Some(of) })
    }

    /// A row that came in this run, and was given up where it comes from.
    pub fn lost_elsewhere(&self, row: (Kind, i64)) -> rusqlite::Result<LostThing> {
        self.lost(Loss::WhatItSaid, row, self.run)
    }

    /// A row of which nothing tells that a run wrote it, and that no source has: it may have lost its hash, or somebody
    /// may have put it there. It is kept, and that is said from now on.
    fn taken_as_found(&self, kind: Kind, id: i64) -> rusqlite::Result<Option<LostThing>> {
        let is_now_ours: bool = self.connection.query_row(
            &format!(
                "SELECT EXISTS (SELECT 1 FROM msgarchive_{} WHERE id = ?1 AND added = ?2) \
                 AND NOT EXISTS (SELECT 1 FROM msgarchive_sighting WHERE kind = ?3 AND id = ?1)",
                kind.table()
            ),
            [id, self.run, kind.number()],
            |row| row.get(0),
        )?;
        if !is_now_ours {
            return Ok(None);
        }
        let (what, name) = (kind.in_words(), name(self.connection, kind, id)?);
        let what =
            format!("{what} that no run is known to have written: it is kept as it was found ({name})");
        Ok(Some(LostThing { what, of: Some(lost_of(self.connection, kind.table(), (kind, id), None)?) }))
    }

    fn give_up_row(
        &self,
        (kind, id): (Kind, i64),
        columns: &Columns,
        gone: &GoneForGood,
        given_up: &mut GivenUp,
    ) -> rusqlite::Result<()> {
        let (table, book) = (kind.table(), format!("msgarchive_{}", kind.table()));
        let written: Option<(Option<RowHash>, i64)> = self
            .connection
            .query_row(&format!("SELECT hash, since FROM {book} WHERE id = ?1"), [id], |row| {
                Ok((row.get_ref(0)?.as_blob().ok().and_then(|hash| hash.try_into().ok()), row.get(1)?))
            })
            .optional()?;
        let Some((hash, since)) = written else { return Ok(()) };
        let is = hash_of_row(self.connection, kind, table, columns, id)?;
        if is.is_some() && is == hash {
            return Ok(());
        }
        if self.may_be_had((kind, id), gone, given_up)? {
            return Ok(());
        }
        self.look_again(kind, id, gone)?;
        lost_state::note(self.connection, (kind, id), since, &hash.unwrap_or_default(), self.run)?;
        let loss = match (self.show_former(kind, id, columns)?, is) {
            (true, _) => Loss::LastState,
            (false, Some(is)) => {
                let note = format!("UPDATE {book} SET hash = ?2, since = ?3 WHERE id = ?1");
                self.connection.execute(&note, params![id, is, self.run])?;
                Loss::WhatItSaid
            }
            (false, None) => {
                self.connection.execute(&format!("DELETE FROM {book} WHERE id = ?1"), [id])?;
                Loss::Row
            }
        };
        given_up.lost.push(self.lost(loss, (kind, id), since)?);
        Ok(())
    }

    /// A row of which not even the hash was left.
    fn give_up_vanished(
        &self,
        (kind, id): (Kind, i64),
        columns: &Columns,
        gone: &GoneForGood,
        given_up: &mut GivenUp,
    ) -> rusqlite::Result<()> {
        // Until somebody verifies it stays noted that it was damaged.
        let is_settled = format!(
            "SELECT EXISTS (SELECT 1 FROM msgarchive_{} WHERE id = ?1) OR {}",
            kind.table(),
            is_given_up(kind, "?1")
        );
        if self.connection.query_row(&is_settled, [id], |row| row.get(0))? {
            return Ok(());
        }
        if self.may_be_had((kind, id), gone, given_up)? {
            return Ok(());
        }
        self.look_again(kind, id, gone)?;
        // Which state it was nobody knows; that there was one, and that it is told of, the record of this run closes over.
        lost_state::note(self.connection, (kind, id), self.run, &[], self.run)?;
        let loss = if self.show_former(kind, id, columns)? { Loss::LastState } else { Loss::Row };
        given_up.lost.push(self.lost(loss, (kind, id), self.run)?);
        Ok(())
    }

    /// Whether a source may have a row that this run did not bring: then it stays noted as damaged.
    fn may_be_had(
        &self,
        (kind, id): (Kind, i64),
        gone: &GoneForGood,
        given_up: &mut GivenUp,
    ) -> rusqlite::Result<bool> {
        let Some(source) = self.seen_in(kind, id, gone)? else { return Ok(false) };
        let what = format!("{} ({})", kind.in_words(), name(self.connection, kind, id)?);
        let since = format!("SELECT since FROM msgarchive_{} WHERE id = ?1", kind.table());
        let since = self.connection.query_row(&since, [id], |row| row.get(0)).optional()?;
        let of = lost_of(self.connection, kind.table(), (kind, id), since)?;
        given_up.stays_damaged(&what, of, source);
        Ok(true)
    }

    /// The source that was read last of those that have a row, and are not gone for good: one of this run brought what it has.
    fn seen_in(&self, kind: Kind, id: i64, gone: &GoneForGood) -> rusqlite::Result<Option<String>> {
        let mut sources = self.connection.prepare_cached(
            "SELECT s.source, o.path FROM msgarchive_sighting s LEFT JOIN msgarchive_source o ON o.source = s.source \
             WHERE s.kind = ?1 AND s.id = ?2 ORDER BY o.last_run DESC",
        )?;
        let mut sources = sources.query([kind.number(), id])?;
        while let Some(row) = sources.next()? {
            if !gone.has(row.get(0)?) {
                return Ok(Some(text_at(row, 1)?.unwrap_or_else(|| "a source".into())));
            }
        }
        Ok(None)
    }

    /// Should a source that is gone for good be read after all, what it has of a row is looked at as if it were news.
    pub(super) fn look_again(&self, kind: Kind, id: i64, gone: &GoneForGood) -> rusqlite::Result<()> {
        for source in gone.sources() {
            let again = "UPDATE msgarchive_sighting SET fingerprint = NULL WHERE kind = ?1 AND id = ?2 AND source = ?3";
            self.connection.prepare_cached(again)?.execute([kind.number(), id, source])?;
        }
        Ok(())
    }

    /// Shows the last former state of a row that is whole, if there is one.
    fn show_former(&self, kind: Kind, id: i64, columns: &Columns) -> rusqlite::Result<bool> {
        if !has_versions(kind) {
            return Ok(false);
        }
        let (table, versions) = (kind.table(), version_table(kind));
        let sql = format!(
            "SELECT msgarchive_version, msgarchive_hash FROM {versions} WHERE msgarchive_id = ?1 \
             ORDER BY msgarchive_version DESC"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let all: Vec<(i64, Vec<u8>)> = statement
            .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (version, hash) in all {
            if hash_of_row(self.connection, kind, &versions, columns, version)?.map(Vec::from) != Some(hash) {
                continue;
            }
            let list: Vec<String> = columns.of(table).iter().map(|name| quoted(name)).collect();
            let list = list.join(", ");
            self.connection.execute(
                &format!(
                    "INSERT OR REPLACE INTO {table} (ROWID, {list}) \
                     SELECT msgarchive_id, {list} FROM {versions} WHERE msgarchive_version = ?1"
                ),
                [version],
            )?;
            self.connection.execute(
                &format!(
                    "INSERT INTO msgarchive_{table} (id, hash, added, since, source) \
                     SELECT msgarchive_id, msgarchive_hash, msgarchive_since, msgarchive_since, msgarchive_source \
                     FROM {versions} WHERE msgarchive_version = ?1 \
                     ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, since = excluded.since, source = excluded.source"
                ),
                [version],
            )?;
            self.connection
                .execute(&format!("DELETE FROM {versions} WHERE msgarchive_version = ?1"), [version])?;
            if kind == Kind::Attachment {
                self.filename(id)?;
            }
            return Ok(true);
        }
        Ok(false)
    }
}
