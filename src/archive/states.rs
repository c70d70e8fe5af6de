//! The states of the archive's rows of one kind: the one that is shown, those before it, and those that another source had
//! beside it.
//!
//! **Must never**: lose a state of a row. What is shown of it may be replaced; it is kept all the same.

use std::collections::HashMap;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Statement, params};

use super::damage::Damaged;
use super::folder::{filename_at, filename_of};
use super::insert::Insert;
use super::kind::Kind;
use super::lost_state;
use super::row::{self, Owned, RowHash, owned};
use super::schema::{Columns, version_table};
use super::spelling::{BEYOND, Spelled, Spelling};
use super::vanished::{VanishedRows, highest};
use super::visit::Visit;
use crate::source::tables::quoted;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    New,
    Changed,
    Same,
}

/// Reads and writes them, for one source's rows.
pub struct States<'c> {
    connection: &'c Connection,
    kind: Kind,
    visit: Visit<'c>,
    spelling: &'c Spelling<'c>,
    /// Where an attachment's filename is, in the source's rows.
    filename: Option<usize>,
    /// Of the archive's table: lower case, sorted.
    pub columns: Vec<String>,
    /// Those of them that hashes close over.
    hashed: Vec<String>,
    next: i64,
    /// Rows that are gone from here, by the hashes of what they were last.
    gone: HashMap<RowHash, Gone>,
    /// Rows that are gone from here with their hashes.
    pub vanished: Option<&'c VanishedRows>,
    /// Rows that were not what their hashes say, and became former states.
    pub overwritten: Vec<i64>,
    insert: Insert<'c>,
    keep_book: Statement<'c>,
}

impl<'c> States<'c> {
    pub fn new(
        connection: &'c Connection,
        columns: &Columns,
        spelling: &'c Spelling<'c>,
        visit: Visit<'c>,
        damaged: &Damaged,
    ) -> rusqlite::Result<States<'c>> {
        let kind = spelling.kind;
        let table = kind.table();
        let position = |name: &str| spelling.wanted.lower.iter().position(|own| own == name);
        // Of a row, too, that lost its hash.
        let next: i64 = connection.query_row(
            &format!(
                "SELECT max((SELECT coalesce(max(id), 0) FROM msgarchive_{table}), \
                            (SELECT coalesce(max(ROWID), 0) FROM {table}), \
                            (SELECT coalesce(max(id), 0) FROM msgarchive_lost WHERE kind = ?1)) + 1"
            ),
            [kind.number()],
            |row| row.get(0),
        )?;
        let found = damaged.iter().copied().filter(|id| *id < BEYOND).max().unwrap_or_default();
        Ok(States {
            connection,
            kind,
            visit,
            spelling,
            filename: (kind == Kind::Attachment).then(|| position("filename")).flatten(),
            columns: columns.of(table),
            hashed: columns.hashed(kind),
            // What is left of a row must not speak of another one.
            next: next.max(highest(connection, kind)?.max(found) + 1),
            gone: gone(connection, kind, damaged)?,
            vanished: None,
            overwritten: Vec::new(),
            insert: Insert::new(connection, table, &spelling.wanted.lower)?,
            keep_book: connection.prepare(&format!(
                "INSERT OR REPLACE INTO msgarchive_{table} (id, hash, added, since, source) VALUES (?1, ?2, ?3, ?4, ?5)"
            ))?,
        })
    }

    /// Puts a row that the archive does not have, and says under which id: under the one that it had, where damage took it, as
    /// what is left of it speaks of that; such a row is not new.
    pub fn insert(&mut self, row: &Spelled<'_>) -> rusqlite::Result<(i64, Taken)> {
        let Visit { run, source, .. } = self.visit;
        let gone = match self.gone.remove(&row.hash) {
            None => self.vanished_as(row)?.map(|id| Gone { id, has_hash: false }),
            gone => gone,
        };
        let id = match gone {
            Some(Gone { id, .. }) => {
                self.put_with_content(id, &row.values)?;
                id
            }
            None => {
                let id = self.next;
                self.next += 1;
                self.insert.put(id, &row.values)?;
                id
            }
        };
        if !gone.is_some_and(|gone| gone.has_hash) {
            self.keep_book.execute(params![id, row.hash, run, run, source])?;
        }
        Ok((id, if gone.is_some() { Taken::Same } else { Taken::New }))
    }

    /// The id of the row that this one is, where not even its hash is left; and that nothing took the place of meanwhile.
    fn vanished_as(&self, row: &Spelled<'_>) -> rusqlite::Result<Option<i64>> {
        let names = &self.spelling.wanted.lower;
        let value =
            |name: &str| names.iter().position(|own| own == name).and_then(|at| row.values.get(at)).copied();
        let known = self.vanished.and_then(|vanished| vanished.known_again(self.kind, row.hash, value));
        let Some(id) = known else { return Ok(None) };
        let is_there: bool = self
            .cached(&format!("SELECT EXISTS (SELECT 1 FROM {} WHERE ROWID = ?1)", self.kind.table()))?
            .query_row([id], |row| row.get(0))?;
        Ok((!is_there).then_some(id))
    }

    /// All columns of the row that is shown.
    pub fn shown(&self, id: i64) -> rusqlite::Result<Vec<Owned>> {
        let sql = format!("SELECT {} FROM {} WHERE ROWID = ?1", self.list(), self.kind.table());
        let row = self.cached(&sql)?.query_row([id], |row| owned(row, self.columns.len())).optional()?;
        Ok(row.unwrap_or_default())
    }

    /// The row is in this state, or was once.
    pub fn is_known(&self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<bool> {
        let incoming = self.spelling.material_hash(values);
        Ok(incoming == self.material_of(&self.shown(id)?) || self.was_once(id, incoming)?)
    }

    /// The row was in this state before the one that is shown, or beside it.
    pub fn was_once(&self, id: i64, incoming: RowHash) -> rusqlite::Result<bool> {
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

    /// What the row that is shown says in a column; NULL where it has none.
    pub fn value_of<'s>(&self, name: &str, shown: &'s [Owned]) -> ValueRef<'s> {
        let at = self.columns.binary_search_by(|own| own.as_str().cmp(name)).ok();
        at.and_then(|at| shown.get(at)).map_or(ValueRef::Null, Owned::value)
    }

    /// What two states are told apart by, of the columns of a row.
    pub fn material_of(&self, shown: &[Owned]) -> RowHash {
        let columns = self.columns.iter().zip(shown);
        let material = columns.filter(|(name, _)| !self.kind.immaterial().contains(&name.as_str()));
        row::hash(material.map(|(name, value)| (name.as_str(), value.value())))
    }

    /// The row is what its hash says: it was mended meanwhile.
    pub fn is_whole(&self, id: i64) -> rusqlite::Result<bool> {
        let was: Option<Vec<u8>> = self
            .cached(&format!("SELECT hash FROM msgarchive_{} WHERE id = ?1", self.kind.table()))?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(was.is_some() && was == self.hash_as_it_is(id)?.map(Vec::from))
    }

    /// The hash of the row as it lies in the archive.
    pub fn hash_as_it_is(&self, id: i64) -> rusqlite::Result<Option<RowHash>> {
        let list: Vec<String> = self.hashed.iter().map(|name| quoted(name)).collect();
        let sql = format!("SELECT {} FROM {} WHERE ROWID = ?1", list.join(", "), self.kind.table());
        self.cached(&sql)?.query_row([id], |row| row::hash_of(row, 0, &self.hashed)).optional()
    }

    /// What is shown of a row lies there since what it was was given up: whatever a source says of it takes its place.
    pub fn is_given_up(&self, id: i64) -> rusqlite::Result<bool> {
        Ok(lost_state::shown_instead(self.connection, self.kind, id)?.is_some())
    }

    /// Shows these values; what was shown becomes a version: with the hash that was written of it, so that one that somebody
    /// altered is found. One that lies there since what it was was given up is nobody's words as a version, too: it ends before it
    /// began ([`lost_state::until`]).
    pub fn replace(&mut self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<()> {
        let table = self.kind.table();
        let Visit { run, source, .. } = self.visit;
        let list = self.list();
        self.book(id)?;
        if !self.is_whole(id)? {
            self.overwritten.push(id);
        }
        let was = lost_state::shown_instead(self.connection, self.kind, id)?;
        let until = was.map_or(run, lost_state::until);
        self.cached(&format!(
            "INSERT INTO {} (msgarchive_id, msgarchive_since, msgarchive_until, msgarchive_source, msgarchive_hash, {list}) \
             SELECT b.id, b.since, ?2, b.source, b.hash, {list} FROM {table} t JOIN msgarchive_{table} b ON b.id = t.ROWID \
             WHERE t.ROWID = ?1",
            version_table(self.kind)
        ))?
        .execute([id, until])?;
        self.cached(&format!("DELETE FROM {table} WHERE ROWID = ?1"))?.execute([id])?;
        self.put_with_content(id, &row.values)?;
        self.cached(&format!(
            "UPDATE msgarchive_{table} SET hash = ?2, since = ?3, source = ?4 WHERE id = ?1"
        ))?
        .execute(params![id, row.hash, run, source])?;
        Ok(())
    }

    /// Keeps these values as a version that is not shown: another source has a later one. Where they are what a version was
    /// that is damaged, they are that version again.
    pub fn keep_beside(&self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<()> {
        if self.is_former_again(id, row)? {
            return Ok(());
        }
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

    /// Writes a version anew that has this hash, as a row does that is not in that state: it was damaged.
    fn is_former_again(&self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<bool> {
        let versions = version_table(self.kind);
        let damaged: Option<i64> = self
            .cached(&format!(
                "SELECT msgarchive_version FROM {versions} WHERE msgarchive_id = ?1 AND msgarchive_hash = ?2"
            ))?
            .query_row(params![id, row.hash], |row| row.get(0))
            .optional()?;
        let Some(version) = damaged else { return Ok(false) };
        let names = &self.spelling.wanted.lower;
        let set: Vec<String> = self
            .columns
            .iter()
            .map(|column| match names.iter().position(|name| name == column) {
                Some(at) => format!("{} = ?{}", quoted(column), at + 2),
                None => format!("{} = NULL", quoted(column)),
            })
            .collect();
        let sql = format!("UPDATE {versions} SET {} WHERE msgarchive_version = ?1", set.join(", "));
        let mut write = self.cached(&sql)?;
        write.raw_bind_parameter(1, version)?;
        for (at, value) in row.values.iter().enumerate() {
            write.raw_bind_parameter(at + 2, ToSqlOutput::Borrowed(*value))?;
        }
        write.raw_execute()?;
        Ok(true)
    }

    /// Writes a damaged row anew, and says whether it is in another state now. Where it is not what it was when it was
    /// written, that state is lost for good.
    pub fn mend(&mut self, id: i64, row: &Spelled<'_>) -> rusqlite::Result<bool> {
        let table = self.kind.table();
        let hash = row.hash;
        let Visit { run, source, .. } = self.visit;
        // Where the row is as the source has it, its hash is what is damaged.
        let only_its_hash = self.hash_as_it_is(id)? == Some(hash);
        let before: Option<(Vec<u8>, i64)> = self
            .cached(&format!("SELECT hash, since FROM msgarchive_{table} WHERE id = ?1"))?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        self.remove(id)?;
        self.put_with_content(id, &row.values)?;
        let since = match before {
            None => run,
            Some((was, _)) if was == hash => return Ok(false),
            Some((_, since)) if only_its_hash => since,
            Some((was, since)) => {
                let found_so = lost_state::for_another(run);
                lost_state::note(self.connection, (self.kind, id), since, &was, found_so)?;
                run
            }
        };
        self.cached(&format!(
            "INSERT INTO msgarchive_{table} (id, hash, added, since, source) VALUES (?1, ?2, ?3, ?3, ?4) \
             ON CONFLICT (id) DO UPDATE SET hash = ?2, since = ?3, source = ?4"
        ))?
        .execute(params![id, hash, since, source])?;
        Ok(!only_its_hash)
    }

    /// Removes what lies in the place of a row that is damaged, and is another one's.
    pub fn remove(&self, id: i64) -> rusqlite::Result<()> {
        self.cached(&format!("DELETE FROM {} WHERE ROWID = ?1", self.kind.table()))?.execute([id]).map(drop)
    }

    /// Notes that a row that came in this run was something else, which is lost. `was`: the hash of that.
    pub fn give_up(&self, id: i64, was: RowHash) -> rusqlite::Result<()> {
        let run = self.visit.run;
        lost_state::note(self.connection, (self.kind, id), run, &was, run)
    }

    /// The source that brought the state that is shown.
    pub fn source(&self, id: i64) -> rusqlite::Result<Option<i64>> {
        self.cached(&format!("SELECT source FROM msgarchive_{} WHERE id = ?1", self.kind.table()))?
            .query_row([id], |row| row.get(0))
            .optional()
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

    /// Puts a row; an attachment's filename goes on to say where its bytes are here.
    fn put_with_content(&mut self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        let path = match self.kind {
            Kind::Attachment => self
                .cached("SELECT path FROM msgarchive_content WHERE attachment = ?1")?
                .query_row([id], |row| row.get::<_, String>(0))
                .optional()?
                .map(|path| filename_of(&path)),
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

    /// Says anew where the file of an attachment is: the one thing that no hash closes over.
    pub fn show_filename(&self, id: i64, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        if let Some(filename) = self.filename.and_then(|at| values.get(at)) {
            self.cached(&format!(
                "UPDATE attachment SET filename = \
                   coalesce((SELECT {} FROM msgarchive_content WHERE attachment = ?1), ?2) WHERE ROWID = ?1",
                filename_at("path")
            ))?
            .execute(params![id, ToSqlOutput::Borrowed(*filename)])?;
        }
        Ok(())
    }

    fn list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        names.join(", ")
    }

    fn cached(&self, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
        self.connection.prepare_cached(sql)
    }
}

/// A row that damage took.
#[derive(Clone, Copy)]
struct Gone {
    id: i64,
    /// It has its hash still: no run has taken it for lost.
    has_hash: bool,
}

/// Where no row is any more that was there. `damaged`: of which that was found.
fn gone(connection: &Connection, kind: Kind, damaged: &Damaged) -> rusqlite::Result<HashMap<RowHash, Gone>> {
    let table = kind.table();
    let is_gone = format!("NOT EXISTS (SELECT 1 FROM {table} t WHERE t.ROWID = g.id)");
    let mut gone = HashMap::new();
    let mut add = |row: &Row<'_>, has_hash| -> rusqlite::Result<()> {
        if let Some(hash) = row.get_ref(0)?.as_blob().ok().and_then(|hash| hash.try_into().ok()) {
            gone.insert(hash, Gone { id: row.get(1)?, has_hash });
        }
        Ok(())
    };
    let sql = format!("SELECT hash, id FROM msgarchive_lost g WHERE kind = ?1 AND {is_gone}");
    let mut lost = connection.prepare(&sql)?;
    let mut rows = lost.query([kind.number()])?;
    while let Some(row) = rows.next()? {
        add(row, false)?;
    }
    let sql = format!("SELECT hash, id FROM msgarchive_{table} g WHERE id = ?1 AND {is_gone}");
    let mut booked = connection.prepare(&sql)?;
    for id in damaged {
        let mut rows = booked.query([id])?;
        while let Some(row) = rows.next()? {
            add(row, true)?;
        }
    }
    Ok(gone)
}
