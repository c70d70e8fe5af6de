//! Takes rows of one table of one source into the archive: as new ones, as other states of rows that are there, or as
//! the rows that are there.
//!
//! **Must never**: lose a state of a row. What is shown of it may be replaced; it is kept all the same.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use super::absence::predecessors;
use super::aliases::Aliases;
use super::damage::{Damaged, UncertainNotes};
use super::further::{Beside, beside};
use super::had;
use super::incoming::Incoming;
use super::kind::Kind;
use super::participants::MEMBERS;
use super::restored::Restored;
use super::row::Owned;
use super::schema::{Columns, has_versions};
use super::spelling::{Spelled, Spelling, is_made_here};
use super::states::{States, Taken};
use super::vanished::VanishedRows;
use super::visit::Visit;

/// The source has a row no more: kind, source, row id.
pub const FORGET: &str =
    "DELETE FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3";

/// A row may stay as it is, and not all of it was taken: it is looked at by the next run as if it were news.
pub const LOOK_AGAIN: &str =
    "UPDATE msgarchive_sighting SET fingerprint = NULL WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3";

/// What a source had under a row id.
struct Seen {
    id: i64,
    since: i64,
    fingerprint: Option<i64>,
}

/// The source had the same row before.
#[derive(Clone, Copy)]
struct Before {
    /// By how much its fingerprint there was another.
    difference: Option<i64>,
}

/// Takes the rows of one kind.
pub struct Taker<'c> {
    states: States<'c>,
    connection: &'c Connection,
    kind: Kind,
    visit: Visit<'c>,
    /// Nothing needs to be looked up. Of what there is little of, it always is.
    first: bool,
    spelling: &'c Spelling<'c>,
    damaged: &'c Damaged,
    /// Rows whose hashes may be what is damaged.
    doubtful_hashes: Option<&'c UncertainNotes>,
    /// Finds messages by what they say, where there may be some.
    restored: Option<Restored<'c>>,
    aliases: Aliases<'c>,
    /// The sources that this one took the place of.
    predecessors: Vec<i64>,
    /// (row id, id in the archive) of rows that were seen under a row id that another one has now.
    pub displaced: Vec<(i64, i64)>,
    given_up: Vec<i64>,
    find: Statement<'c>,
    sight: Statement<'c>,
    seen: Statement<'c>,
    forget: Statement<'c>,
}

impl<'c> Taker<'c> {
    pub fn new(
        connection: &'c Connection,
        columns: &Columns,
        spelling: &'c Spelling<'c>,
        visit: Visit<'c>,
        damaged: &'c Damaged,
    ) -> rusqlite::Result<Taker<'c>> {
        let kind = spelling.kind;
        let table = kind.table();
        let condition: Vec<String> =
            kind.key().iter().enumerate().map(|(at, name)| format!("{name} IS ?{}", at + 1)).collect();
        Ok(Taker {
            states: States::new(connection, columns, spelling, visit, damaged)?,
            connection,
            kind,
            spelling,
            visit,
            first: visit.first && kind == Kind::Message,
            damaged,
            doubtful_hashes: None,
            restored: None,
            aliases: Aliases::new(connection, spelling)?,
            predecessors: predecessors(connection, visit.source, visit.run)?,
            displaced: Vec::new(),
            given_up: Vec::new(),
            find: connection.prepare(&format!("SELECT ROWID FROM {table} WHERE {}", condition.join(" AND ")))?,
            sight: connection.prepare(
                "INSERT OR REPLACE INTO msgarchive_sighting (kind, source, source_rowid, id, fingerprint, since) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            seen: connection.prepare(
                "SELECT id, since, fingerprint FROM msgarchive_sighting \
                 WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?,
            forget: connection.prepare(FORGET)?,
        })
    }

    /// Looks for messages that came again under other GUIDs, too.
    pub fn look_for(&mut self, restored: Restored<'c>) {
        self.restored = Some(restored);
    }

    /// Looks for rows of which neither they nor their hashes are there, too.
    pub fn look_for_vanished(&mut self, vanished: &'c VanishedRows) {
        self.states.vanished = Some(vanished);
    }

    /// Takes the hashes of these rows for what may be damaged of them.
    pub fn doubt_hashes(&mut self, doubtful: &'c UncertainNotes) {
        self.doubtful_hashes = Some(doubtful);
    }

    /// Takes a row. `None`: it may be one that came again under another GUID; that can only be told, and the row be taken,
    /// once all others were: `last`.
    pub fn take(
        &mut self,
        Incoming { rowid, fingerprint, given_up, mut row }: Incoming<'_>,
        last: bool,
    ) -> rusqlite::Result<Option<(i64, Taken)>> {
        let seen = match self.first {
            true => None,
            false => {
                let of = params![self.kind.number(), self.visit.source, rowid];
                let seen = |row: &Row<'_>| {
                    Ok(Seen { id: row.get(0)?, since: row.get(1)?, fingerprint: row.get(2)? })
                };
                self.seen.query_row(of, seen).optional()?
            }
        };
        let mut found = self.find(&row.values, seen.as_ref().map(|seen| seen.id))?;
        let mut under_another = match (&found, &seen) {
            (None, Some(seen)) => match self.without_a_guid(seen.id, &row.values)? {
                None => self.by_its_alias(&row.values)?.filter(|known| *known == seen.id),
                known => known,
            },
            (Some(id), _) if self.damaged.contains(id) => self.damaged_under_another(*id, &row.values)?,
            _ => None,
        };
        let under_its_guid;
        let is_unknown = found.is_none() && under_another.is_none();
        if is_unknown && self.restored.is_some() && !last {
            // What was under this row id may be what comes again under another GUID.
            if let Some(seen) = seen {
                self.displace(rowid, seen.id)?;
                self.forget.execute(params![self.kind.number(), self.visit.source, rowid])?;
            }
            return Ok(None);
        }
        if is_unknown {
            under_another = self.under_another_guid(rowid, &row.values)?;
        }
        let referred = self.aliases.referred(&row)?;
        row.refer(&referred, self.spelling);
        if let Some(id) = under_another {
            // It goes on under the GUID that it has here, unless nobody knows that any more.
            under_its_guid = self.guid_of(id)?;
            let there = self.spelling.guid(&row.values);
            if let Some(guid) = &under_its_guid {
                row.rename(guid, self.spelling);
            }
            if let Some(ValueRef::Text(there)) = there
                && self.is_guid_damaged(id, &row)?
            {
                row.rename(there, self.spelling);
            }
            found = Some(id);
        }
        if let Some(other) = seen.as_ref().filter(|seen| Some(seen.id) != found) {
            self.displace(rowid, other.id)?;
        }
        let seen = seen.filter(|seen| Some(seen.id) == found);
        let since = seen.as_ref().map_or(self.visit.run, |seen| seen.since);
        let (id, taken) = match found {
            None => {
                let (id, taken) = self.states.insert(&row)?;
                if let Some(was) = given_up.filter(|_| taken == Taken::New) {
                    self.states.give_up(id, was)?;
                    self.given_up.push(id);
                }
                (id, taken)
            }
            // What lies there damaged is nothing to what is known here.
            Some(id) if given_up.is_some() => (id, Taken::Same),
            Some(id) => {
                let before = seen.map(|seen| Before {
                    difference: seen.fingerprint.map(|was| was.wrapping_sub(fingerprint)),
                });
                (id, self.compare(id, &row, before)?)
            }
        };
        let Visit { source, .. } = self.visit;
        self.sight.execute(params![self.kind.number(), source, rowid, id, fingerprint, since])?;
        Ok(Some((id, taken)))
    }

    /// What was seen under a row id is another one there now, or is gone.
    fn displace(&mut self, rowid: i64, id: i64) -> rusqlite::Result<()> {
        if self.kind == Kind::Message {
            had::note(self.connection, self.visit, rowid)?;
        }
        self.displaced.push((rowid, id));
        Ok(())
    }

    /// Rows that are new, and were given up where they come from.
    pub fn given_up(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.given_up)
    }

    /// Rows that were not what was written of them, and became former states.
    pub fn overwritten(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.states.overwritten)
    }

    /// Takes over a former state of a row, unless it is known. It is not shown.
    pub fn inherit(&mut self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<bool> {
        let unknown = !self.states.is_known(id, &row.values)?;
        if unknown {
            self.states.keep_beside(id, row)?;
        }
        Ok(unknown)
    }

    /// The row that is known by this.
    fn by_its_key(&mut self, values: &[ValueRef<'_>]) -> rusqlite::Result<Option<i64>> {
        for (at, position) in self.spelling.key.iter().enumerate() {
            let value = position.and_then(|at| values.get(at)).copied().unwrap_or(ValueRef::Null);
            self.find.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))?;
        }
        match self.find.raw_query().next()? {
            Some(row) => Ok(Some(row.get(0)?)),
            None => Ok(None),
        }
    }

    fn find(&mut self, values: &[ValueRef<'_>], seen: Option<i64>) -> rusqlite::Result<Option<i64>> {
        if self.first {
            return Ok(None);
        }
        let found = self.by_its_key(values)?;
        match (found, self.kind, seen) {
            // What it is known by may be what is damaged.
            (None, _, Some(seen))
                if self.damaged.contains(&seen) && !self.is_of_another_time(seen, values)? =>
            {
                Ok(Some(seen))
            }
            // It lies where another one lay, which comes from where that was seen.
            (Some(found), _, Some(seen))
                if found != seen
                    && self.damaged.contains(&found)
                    && self.damaged.contains(&seen)
                    && !self.states.is_whole(seen)? =>
            {
                Ok(Some(seen))
            }
            // macOS 26 gave chats other GUIDs; a chat of this row id and identifier is the one that it was.
            (None, Kind::Chat, Some(seen)) => Ok(self.is_renamed(seen, values)?.then_some(seen)),
            (found, ..) => Ok(found),
        }
    }

    /// A row that was damaged here was mended already, and what lies there was sent at another time: it is another one.
    fn is_of_another_time(&self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<bool> {
        let Some(at) = self.spelling.wanted.lower.iter().position(|name| name == "date") else {
            return Ok(false);
        };
        if self.kind != Kind::Message || !self.states.is_whole(id)? {
            return Ok(false);
        }
        let shown = self.states.shown(id)?;
        Ok(values.get(at) != Some(&self.states.value_of("date", &shown)))
    }

    /// What was seen under the row id of a row that has no GUID, and had none then: that it says something else now makes it
    /// no other one.
    fn without_a_guid(&self, seen: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<Option<i64>> {
        match self.spelling.guid(values) {
            Some(ValueRef::Text(guid)) if is_made_here(guid) => {}
            _ => return Ok(None),
        }
        let was = self.guid_of(seen)?;
        Ok(was.filter(|guid| is_made_here(guid)).map(|_| seen))
    }

    /// The message that is known to have come again under the GUID of this row.
    fn by_its_alias(&mut self, values: &[ValueRef<'_>]) -> rusqlite::Result<Option<i64>> {
        match self.spelling.guid(values) {
            Some(ValueRef::Text(guid)) => self.aliases.message(&String::from_utf8_lossy(guid)),
            _ => Ok(None),
        }
    }

    /// A row that is damaged here, and was found by its row id: where the source has it under another GUID; or where a source
    /// that this run read before it did, and it was mended from that.
    fn damaged_under_another(&mut self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<Option<i64>> {
        let known = self.by_its_alias(values)?;
        if known.is_some() || self.kind != Kind::Message {
            return Ok(known.filter(|known| *known == id));
        }
        match self.spelling.guid(values) {
            Some(ValueRef::Text(guid))
                if self.guid_of(id)?.is_some_and(|here| here != guid) && self.states.is_whole(id)? =>
            {
                self.aliases.note(&String::from_utf8_lossy(guid), id, self.visit.run)?;
                Ok(Some(id))
            }
            _ => Ok(None),
        }
    }

    /// `row`: under the GUID that the message has here. That is what is damaged of it, if all else is as the source has it.
    fn is_guid_damaged(&self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<bool> {
        let is_hash_certain = self.doubtful_hashes.is_some_and(|doubtful| !doubtful.has(id));
        Ok(self.damaged.contains(&id)
            && is_hash_certain
            && !self.states.is_whole(id)?
            && self.states.hash_as_it_is(id)? == Some(row.hash))
    }

    /// The message that this row is by what it says; and from now on by its GUID, too.
    fn under_another_guid(&mut self, rowid: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<Option<i64>> {
        let Some(restored) = &mut self.restored else { return Ok(None) };
        let guid = match self.spelling.guid(values) {
            Some(ValueRef::Text(guid)) => String::from_utf8_lossy(guid).into_owned(),
            _ => return Ok(None),
        };
        if let Some(known) = self.aliases.message(&guid)? {
            return Ok(Some(known));
        }
        let found = restored.find(rowid, &self.spelling.wanted.lower, values)?;
        if let Some(message) = found {
            self.aliases.note(&guid, message, self.visit.run)?;
        }
        Ok(found)
    }

    /// Which may be no UTF-8.
    fn guid_of(&self, id: i64) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = format!("SELECT guid FROM {} WHERE ROWID = ?1", self.kind.table());
        let mut guid = self.connection.prepare_cached(&sql)?;
        let guid = guid.query_row([id], |row| row.get_ref(0).map(Owned::of)).optional()?;
        Ok(guid.and_then(|guid| match guid {
            Owned::Text(guid) => Some(guid),
            _ => None,
        }))
    }

    fn is_renamed(&self, chat: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<bool> {
        let Some(at) = self.spelling.wanted.lower.iter().position(|name| name == "chat_identifier") else {
            return Ok(false);
        };
        let shown = self.states.shown(chat)?;
        let identifier = self.states.value_of("chat_identifier", &shown);
        Ok(identifier != ValueRef::Null && values.get(at) == Some(&identifier))
    }

    /// The row is there: as this one, as another state of it, or as a state that it once had.
    fn compare(&mut self, id: i64, row: &Spelled<'_>, before: Option<Before>) -> rusqlite::Result<Taken> {
        if self.damaged.contains(&id) {
            if !self.states.is_whole(id)? {
                // It may lie in the place of another damaged one.
                let elsewhere = self.by_its_key(&row.values)?.filter(|other| *other != id);
                if let Some(other) = elsewhere.filter(|other| self.damaged.contains(other)) {
                    self.states.remove(other)?;
                }
                let changed = self.states.mend(id, row)?;
                return Ok(if changed { Taken::Changed } else { Taken::Same });
            }
            self.states.show_filename(id, &row.values)?;
        }
        let shown = self.states.shown(id)?;
        let incoming = self.spelling.material_hash(&row.values);
        if !has_versions(self.kind) || incoming == self.states.material_of(&shown) {
            return Ok(Taken::Same);
        }
        let columns = &self.spelling.wanted.lower;
        let beside = beside(self.kind, columns, &row.values, |name| self.states.value_of(name, &shown));
        if self.states.was_once(id, incoming)?
            && (beside == Beside::Earlier || !self.had(id, &shown, row, before)?)
        {
            return Ok(Taken::Same);
        }
        let has_changed = before.is_some_and(|before| before.difference != Some(0));
        let is_shown = match beside {
            Beside::Later | Beside::More => true,
            _ if self.states.is_given_up(id)? => true,
            Beside::Earlier => false,
            // Of another source, which never knew what this one's row did not say before either.
            Beside::Less => has_changed && self.states.source(id)? == Some(self.visit.source),
            Beside::Other { further } if before.is_none() => {
                further || self.is_of_its_own(id)? || self.is_begun_anew(id)?
            }
            Beside::Other { .. } => has_changed,
        };
        if is_shown {
            self.states.replace(id, row)?;
        } else {
            self.states.keep_beside(id, row)?;
        }
        Ok(Taken::Changed)
    }

    /// The state that is shown was brought by this source, or by one that it took the place of: what it says now came after that.
    fn is_of_its_own(&mut self, id: i64) -> rusqlite::Result<bool> {
        let brought_by = self.states.source(id)?;
        Ok(brought_by
            .is_some_and(|source| source == self.visit.source || self.predecessors.contains(&source)))
    }

    /// A conversation that the source had before under another row id: it was deleted there, and is a new one since.
    fn is_begun_anew(&self, id: i64) -> rusqlite::Result<bool> {
        if self.kind != Kind::Chat {
            return Ok(false);
        }
        self.connection
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {MEMBERS} WHERE source = ?1 AND chat = ?2)"
            ))?
            .query_row([self.visit.source, id], |row| row.get(0))
    }

    /// This source had the state that is shown, as it brought it or by its fingerprint, and has another one now: a group may
    /// get its old name back. One that only comes to know what others knew before had an older one.
    fn had(
        &self,
        id: i64,
        shown: &[Owned],
        row: &Spelled<'_>,
        before: Option<Before>,
    ) -> rusqlite::Result<bool> {
        let Some(difference) = before.and_then(|before| before.difference) else { return Ok(false) };
        // It may be in another place now: a part that is restored leaves Recently Deleted.
        if self.states.source(id)? == Some(self.visit.source) {
            return Ok(true);
        }
        let columns = self.spelling.wanted.lower.iter();
        let of_shown: Vec<ValueRef<'_>> = columns.map(|name| self.states.value_of(name, shown)).collect();
        let now = self.spelling.fingerprint(&row.values);
        // What has another name here, and where the row is, is the same in both.
        Ok(self.spelling.fingerprint(&of_shown).wrapping_sub(now) == difference)
    }
}
