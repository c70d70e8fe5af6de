//! Takes rows of one table of one source into the archive: as new ones, as other states of rows that are there, or as
//! the rows that are there.
//!
//! **Must never**: lose a state of a row. What is shown of it may be replaced; it is kept all the same.

use std::collections::HashMap;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Statement, params};

use super::aliases::Aliases;
use super::folder::HOME;
use super::incoming::Incoming;
use super::insert::Insert;
use super::kind::Kind;
use super::restored::Restored;
use super::row::{self, Owned, RowHash, owned};
use super::schema::{Columns, has_versions, version_table};
use super::spelling::{Spelled, Spelling};
use crate::source::tables::quoted;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    New,
    Changed,
    Same,
}

/// Source row id → id in the archive, of one kind.
pub type Ids = HashMap<i64, i64>;

/// Which run takes rows of which source.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The archive's id.
    pub archive: &'a str,
    pub source: i64,
    pub run: i64,
    /// The archive was empty: nothing needs to be looked up.
    pub first: bool,
}

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

/// Rows of the archive that were found damaged: they are written anew.
pub type Damaged = std::collections::HashSet<i64>;

/// Takes the rows of one kind.
pub struct Taker<'c> {
    connection: &'c Connection,
    kind: Kind,
    visit: Visit<'c>,
    /// Nothing needs to be looked up. Of what there is little of, it always is.
    first: bool,
    spelling: &'c Spelling<'c>,
    filename: Option<usize>,
    /// Of the archive's table: lower case, sorted.
    columns: Vec<String>,
    /// Those of them that hashes close over.
    hashed: Vec<String>,
    next: i64,
    damaged: &'c Damaged,
    /// Finds messages by what they say, where there may be some.
    restored: Option<Restored<'c>>,
    aliases: Aliases<'c>,
    /// Rows of the archive that were seen under a row id that another one has now.
    pub displaced: Vec<i64>,
    find: Statement<'c>,
    insert: Insert<'c>,
    keep_book: Statement<'c>,
    sight: Statement<'c>,
    seen: Statement<'c>,
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
        let position = |name: &str| spelling.wanted.lower.iter().position(|own| own == name);
        let condition: Vec<String> =
            kind.key().iter().enumerate().map(|(at, name)| format!("{name} IS ?{}", at + 1)).collect();
        // Of a row, too, that lost its hash.
        let next = connection.query_row(
            &format!(
                "SELECT max((SELECT coalesce(max(id), 0) FROM msgarchive_{table}), \
                            (SELECT coalesce(max(ROWID), 0) FROM {table})) + 1"
            ),
            [],
            |row| row.get(0),
        )?;
        Ok(Taker {
            connection,
            kind,
            spelling,
            visit,
            first: visit.first && kind == Kind::Message,
            filename: (kind == Kind::Attachment).then(|| position("filename")).flatten(),
            columns: columns.of(table),
            hashed: columns.hashed(kind),
            next,
            damaged,
            restored: None,
            aliases: Aliases::new(connection, spelling)?,
            displaced: Vec::new(),
            find: connection.prepare(&format!("SELECT ROWID FROM {table} WHERE {}", condition.join(" AND ")))?,
            insert: Insert::new(connection, table, &spelling.wanted.lower)?,
            keep_book: connection.prepare(&format!(
                "INSERT OR REPLACE INTO msgarchive_{table} (id, hash, added, since, source) VALUES (?1, ?2, ?3, ?4, ?5)"
            ))?,
            sight: connection.prepare(
                "INSERT OR REPLACE INTO msgarchive_sighting (kind, source, source_rowid, id, fingerprint, since) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            seen: connection.prepare(
                "SELECT id, since, fingerprint FROM msgarchive_sighting \
                 WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?,
        })
    }

    /// Looks for messages that came again under other GUIDs, too.
    pub fn look_for(&mut self, restored: Restored<'c>) {
        self.restored = Some(restored);
    }

    /// Takes a row. `None`: it may be one that came again under another GUID; that can only be told, and the row be taken,
    /// once all others were: `last`.
    pub fn take(
        &mut self,
        Incoming { rowid, fingerprint, mut row }: Incoming<'_>,
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
        let under_its_guid;
        if found.is_none() && self.restored.is_some() && !last {
            return Ok(None);
        }
        if found.is_none()
            && let Some(id) = self.under_another_guid(rowid, &row.values)?
        {
            // It goes on under the GUID that it has here, unless nobody knows that any more.
            under_its_guid = self.guid_of(id)?;
            if let Some(guid) = &under_its_guid {
                row.rename(guid, self.spelling);
            }
            found = Some(id);
        }
        let referred = self.aliases.referred(&row)?;
        row.refer(&referred, self.spelling);
        self.displaced.extend(seen.as_ref().map(|seen| seen.id).filter(|seen| Some(*seen) != found));
        let seen = seen.filter(|seen| Some(seen.id) == found);
        let since = seen.as_ref().map_or(self.visit.run, |seen| seen.since);
        let (id, taken) = match found {
            None => (self.insert_new(&row)?, Taken::New),
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

    /// Takes over a former state of a row, unless it is known. It is not shown.
    pub fn inherit(&mut self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<bool> {
        let unknown = !self.is_known(id, &row.values)?;
        if unknown {
            self.keep_beside(id, row)?;
        }
        Ok(unknown)
    }

    fn find(&mut self, values: &[ValueRef<'_>], seen: Option<i64>) -> rusqlite::Result<Option<i64>> {
        if self.first {
            return Ok(None);
        }
        for (at, position) in self.spelling.key.iter().enumerate() {
            let value = position.and_then(|at| values.get(at)).copied().unwrap_or(ValueRef::Null);
            self.find.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))?;
        }
        let found = match self.find.raw_query().next()? {
            Some(row) => Some(row.get(0)?),
            None => None,
        };
        match (found, self.kind, seen) {
            // What it is known by may be what is damaged.
            (None, _, Some(seen)) if self.damaged.contains(&seen) => Ok(Some(seen)),
            // macOS 26 gave chats other GUIDs; a chat of this row id and identifier is the one that it was.
            (None, Kind::Chat, Some(seen)) => Ok(self.is_renamed(seen, values)?.then_some(seen)),
            (found, ..) => Ok(found),
        }
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

    fn guid_of(&self, message: i64) -> rusqlite::Result<Option<String>> {
        let mut guid = self.cached("SELECT guid FROM message WHERE ROWID = ?1")?;
        guid.query_row([message], |row| row.get(0)).optional()
    }

    fn is_renamed(&self, chat: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<bool> {
        let Some(at) = self.spelling.wanted.lower.iter().position(|name| name == "chat_identifier") else {
            return Ok(false);
        };
        let shown = self.shown(chat)?;
        let identifier = self.columns.iter().position(|name| name == "chat_identifier");
        let identifier = identifier.and_then(|at| shown.get(at)).map(Owned::value);
        Ok(identifier.is_some()
            && identifier == values.get(at).copied()
            && identifier != Some(ValueRef::Null))
    }

    fn insert_new(&mut self, row: &Spelled<'_>) -> rusqlite::Result<i64> {
        let id = self.next;
        self.next += 1;
        self.insert.put(id, &row.values)?;
        let Visit { run, source, .. } = self.visit;
        self.keep_book.execute(params![id, row.hash, run, run, source])?;
        Ok(id)
    }

    /// The row is in this state, or was once.
    fn is_known(&self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<bool> {
        let incoming = self.spelling.material_hash(values);
        Ok(incoming == self.material_of(&self.shown(id)?) || self.was_once(id, incoming)?)
    }

    /// The row was in this state before the one that is shown, or beside it.
    fn was_once(&self, id: i64, incoming: RowHash) -> rusqlite::Result<bool> {
        let sql =
            format!("SELECT {} FROM {} WHERE msgarchive_id = ?1", self.list(), version_table(self.kind));
        let mut versions = self.cached(&sql)?;
        let mut rows = versions.query([id])?;
        while let Some(row) = rows.next()? {
            if self.material_of(&owned(row, self.columns.len())?) == incoming {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts a row; an attachment's filename goes on to say where its bytes are here.
    fn put_with_content(&mut self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        let path = match self.kind {
            Kind::Attachment => self
                .cached("SELECT path FROM msgarchive_content WHERE attachment = ?1")?
                .query_row([id], |row| row.get::<_, String>(0))
                .optional()?
                .map(|path| format!("{HOME}{path}")),
            _ => None,
        };
        let mut values = values.to_vec();
        if let Some(path) = &path
            && let Some(value) = self.filename.and_then(|at| values.get_mut(at))
        {
            *value = ValueRef::Text(path.as_bytes());
        }
        self.insert.put(id, &values)
    }

    /// The row is there: as this one, as another state of it, or as a state that it once had.
    fn compare(&mut self, id: i64, row: &Spelled<'_>, before: Option<Before>) -> rusqlite::Result<Taken> {
        if self.damaged.contains(&id) {
            if !self.is_whole(id)? {
                return self.mend(id, row);
            }
            self.show_filename(id, &row.values)?;
        }
        let shown = self.shown(id)?;
        let incoming = self.spelling.material_hash(&row.values);
        if !has_versions(self.kind) || incoming == self.material_of(&shown) {
            return Ok(Taken::Same);
        }
        let edited = |of: Option<ValueRef<'_>>| match of {
            Some(ValueRef::Integer(date)) => date,
            _ => 0,
        };
        let at = |names: &[String]| names.iter().position(|name| name == "date_edited");
        let was = edited(at(&self.columns).and_then(|at| shown.get(at)).map(Owned::value));
        let is = edited(at(&self.spelling.wanted.lower).and_then(|at| row.values.get(at)).copied());
        if self.was_once(id, incoming)? && (is < was || !self.had(&shown, row, before)) {
            return Ok(Taken::Same);
        }
        if is > was || is == was && before.is_some_and(|before| before.difference != Some(0)) {
            self.replace(id, row)?;
        } else {
            self.keep_beside(id, row)?;
        }
        Ok(Taken::Changed)
    }

    /// This source had the state that is shown, and has another one now: a group may get its old name back. One that only
    /// comes to know what others knew before had an older one.
    fn had(&self, shown: &[Owned], row: &Spelled<'_>, before: Option<Before>) -> bool {
        let Some(difference) = before.and_then(|before| before.difference) else { return false };
        let of_shown = |name| {
            let at = self.columns.binary_search(name).ok();
            at.and_then(|at| shown.get(at)).map_or(ValueRef::Null, Owned::value)
        };
        let of_shown: Vec<ValueRef<'_>> = self.spelling.wanted.lower.iter().map(of_shown).collect();
        let now = self.spelling.fingerprint(&row.values);
        // What has another name here, and where the row is, is the same in both.
        self.spelling.fingerprint(&of_shown).wrapping_sub(now) == difference
    }

    /// Says anew where the file of an attachment is: the one thing that no hash closes over.
    fn show_filename(&self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        if let Some(filename) = self.filename.and_then(|at| values.get(at)) {
            self.cached(&format!(
                "UPDATE attachment SET filename = \
                   coalesce((SELECT '{HOME}' || path FROM msgarchive_content WHERE attachment = ?1), ?2) WHERE ROWID = ?1"
            ))?
            .execute(params![id, ToSqlOutput::Borrowed(*filename)])?;
        }
        Ok(())
    }

    /// The row is what its hash says: it was mended meanwhile.
    fn is_whole(&self, id: i64) -> rusqlite::Result<bool> {
        let was: Option<Vec<u8>> = self
            .cached(&format!("SELECT hash FROM msgarchive_{} WHERE id = ?1", self.kind.table()))?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(was.is_some() && was == self.hash_as_it_is(id)?.map(Vec::from))
    }

    /// The hash of the row as it lies in the archive.
    fn hash_as_it_is(&self, id: i64) -> rusqlite::Result<Option<RowHash>> {
        let list: Vec<String> = self.hashed.iter().map(|name| quoted(name)).collect();
        let sql = format!("SELECT {} FROM {} WHERE ROWID = ?1", list.join(", "), self.kind.table());
        self.cached(&sql)?.query_row([id], |row| row::hash_of(row, 0, &self.hashed)).optional()
    }

    /// Writes a damaged row anew. Where it is not what it was when it was written, that state is lost for good.
    fn mend(&mut self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<Taken> {
        let table = self.kind.table();
        let hash = row.hash;
        let Visit { run, source, .. } = self.visit;
        // Where the row is as the source has it, its hash is what is damaged.
        let only_its_hash = self.hash_as_it_is(id)? == Some(hash);
        let before: Option<(Vec<u8>, i64)> = self
            .cached(&format!("SELECT hash, since FROM msgarchive_{table} WHERE id = ?1"))?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        self.cached(&format!("DELETE FROM {table} WHERE ROWID = ?1"))?.execute([id])?;
        self.put_with_content(id, &row.values)?;
        let since = match before {
            None => run,
            Some((was, _)) if was == hash => return Ok(Taken::Same),
            Some((_, since)) if only_its_hash => since,
            Some((was, since)) => {
                self.cached(
                    "INSERT OR IGNORE INTO msgarchive_lost (kind, id, since, hash, run) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![self.kind.number(), id, since, was, run])?;
                run
            }
        };
        self.cached(&format!(
            "INSERT INTO msgarchive_{table} (id, hash, added, since, source) VALUES (?1, ?2, ?3, ?3, ?4) \
             ON CONFLICT (id) DO UPDATE SET hash = ?2, since = ?3, source = ?4"
        ))?
        .execute(params![id, hash, since, source])?;
        Ok(if only_its_hash { Taken::Same } else { Taken::Changed })
    }

    /// Shows these values; what was shown becomes a version.
    fn replace(&mut self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<()> {
        let table = self.kind.table();
        let Visit { run, source, .. } = self.visit;
        let list = self.list();
        self.book(id)?;
        self.cached(&format!(
            "INSERT INTO {} (msgarchive_id, msgarchive_since, msgarchive_until, msgarchive_source, msgarchive_hash, {list}) \
             SELECT b.id, b.since, ?2, b.source, b.hash, {list} FROM {table} t JOIN msgarchive_{table} b ON b.id = t.ROWID \
             WHERE t.ROWID = ?1",
            version_table(self.kind)
        ))?
        .execute([id, run])?;
        self.cached(&format!("DELETE FROM {table} WHERE ROWID = ?1"))?.execute([id])?;
        self.put_with_content(id, &row.values)?;
        self.cached(&format!(
            "UPDATE msgarchive_{table} SET hash = ?2, since = ?3, source = ?4 WHERE id = ?1"
        ))?
        .execute(params![id, row.hash, run, source])?;
        Ok(())
    }

    /// Sees to it that a row that lost its book has one: else the state that it is in would be told by nobody.
    fn book(&self, id: i64) -> rusqlite::Result<()> {
        let table = self.kind.table();
        let is_booked: bool = self
            .cached(&format!("SELECT EXISTS (SELECT 1 FROM msgarchive_{table} WHERE id = ?1)"))?
            .query_row([id], |row| row.get(0))?;
        if is_booked {
            return Ok(());
        }
        let Some(hash) = self.hash_as_it_is(id)? else { return Ok(()) };
        let sightings = "FROM msgarchive_sighting WHERE kind = ?3 AND id = ?1";
        self.cached(&format!(
            "INSERT INTO msgarchive_{table} (id, hash, added, since, source) \
             SELECT ?1, ?2, coalesce(min(since), ?4), coalesce(min(since), ?4), coalesce(min(source), 0) {sightings}"
        ))?
        .execute(params![id, hash, self.kind.number(), self.visit.run])?;
        Ok(())
    }

    /// Keeps these values as a version that is not shown: another source has a later one.
    fn keep_beside(&self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<()> {
        let names: Vec<String> = self.spelling.wanted.lower.iter().map(|name| quoted(name)).collect();
        let Visit { run, source, .. } = self.visit;
        let mut insert = self.cached(&format!(
            "INSERT INTO {} (msgarchive_id, msgarchive_since, msgarchive_until, msgarchive_source, msgarchive_hash, {}) \
             VALUES (?, ?, ?, ?, ?, {})",
            version_table(self.kind),
            names.join(", "),
            vec!["?"; names.len()].join(", ")
        ))?;
        for (at, number) in [id, run, run, source].into_iter().enumerate() {
            insert.raw_bind_parameter(at + 1, number)?;
        }
        insert.raw_bind_parameter(5, row.hash)?;
        for (at, value) in row.values.iter().enumerate() {
            insert.raw_bind_parameter(at + 6, ToSqlOutput::Borrowed(*value))?;
        }
        insert.raw_execute()?;
        Ok(())
    }

    /// All columns of the row that is shown.
    fn shown(&self, id: i64) -> rusqlite::Result<Vec<Owned>> {
        let sql = format!("SELECT {} FROM {} WHERE ROWID = ?1", self.list(), self.kind.table());
        let row = self.cached(&sql)?.query_row([id], |row| owned(row, self.columns.len())).optional()?;
        Ok(row.unwrap_or_default())
    }

    fn list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        names.join(", ")
    }

    fn cached(&self, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
        self.connection.prepare_cached(sql)
    }

    fn material_of(&self, shown: &[Owned]) -> RowHash {
        let columns = self.columns.iter().zip(shown);
        let material = columns.filter(|(name, _)| !self.kind.immaterial().contains(&name.as_str()));
        row::hash(material.map(|(name, value)| (name.as_str(), value.value())))
    }
}
