//! What joins rows: put in once, each with its hash in a book of its own, so that one that is damaged or gone can be named.
//!
//! A row of a join has no name but what it joins: so that is what the book is kept by, and what makes a row new.
//!
//! **Must never**: take a row away, but one that no run wrote, or that the source at hand gives anew, or says more of; or of
//! which [`participants`](super::participants) knows that it was there.

use std::collections::HashSet;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Statement};

use super::damage::Damaged;
use super::kind::{JOINS, Join, PLACES};
use super::moves::MOVED;
use super::row::{self, RowHash};
use super::schema::{Columns, has_table};
use super::visit::Visit;
use crate::source::tables::quoted;

/// Makes the books that are missing, of what there is.
pub fn make_books(connection: &Connection) -> rusqlite::Result<()> {
    let columns = Columns::read(connection)?;
    for join in &JOINS {
        let (book, identity) = (join.book(), join.identity().join(", "));
        if has_table(connection, &book)? {
            continue;
        }
        connection.execute_batch(&format!(
            "CREATE TABLE {book} ({identity}, hash BLOB NOT NULL, PRIMARY KEY ({identity})) WITHOUT ROWID"
        ))?;
        let mut note = Note::new(connection, join, "IGNORE")?;
        each_hash(connection, join, &columns, "", [], |identity, hash| note.down(identity, &hash).map(drop))?;
    }
    Ok(())
}

/// Calls `each` with what identifies a row of a join, and its hash, for all rows that a clause chooses: as they lie in
/// the table, whatever an index says of them.
pub fn each_hash(
    connection: &Connection,
    join: &Join,
    columns: &Columns,
    clause: &str,
    parameters: impl rusqlite::Params,
    mut each: impl FnMut(&[ValueRef<'_>], RowHash) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let identity = join.identity();
    let names = columns.of(join.table);
    let list: Vec<String> =
        identity.iter().map(|name| quoted(name)).chain(names.iter().map(|name| quoted(name))).collect();
    let scan = if clause.is_empty() { "NOT INDEXED" } else { "" };
    let sql = format!("SELECT {} FROM {} {scan} {clause}", list.join(", "), join.table);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        let values = (0..identity.len()).map(|at| row.get_ref(at)).collect::<rusqlite::Result<Vec<_>>>()?;
        each(&values, row::hash_of(row, identity.len(), &names)?)?;
    }
    Ok(())
}

/// A condition: two aliases have rows of the same identity.
pub fn same(join: &Join, row: &str, booked: &str) -> String {
    let same = join.identity().into_iter().map(|name| match join.key.contains(&name) {
        true => format!("coalesce({row}.{name}, '') = {booked}.{name}"),
        // That of a row is always a number: so that an index serves.
        false => format!("{row}.{name} = {booked}.{name}"),
    });
    same.collect::<Vec<_>>().join(" AND ")
}

/// Notes rows down in a join's book.
pub struct Note<'c>(Statement<'c>);

impl<'c> Note<'c> {
    /// `otherwise`: what to do where the row is in the book already.
    pub fn new(connection: &'c Connection, join: &Join, otherwise: &str) -> rusqlite::Result<Note<'c>> {
        let identity = join.identity();
        let sql = format!(
            "INSERT OR {otherwise} INTO {} ({}, hash) VALUES ({})",
            join.book(),
            identity.join(", "),
            vec!["?"; identity.len() + 1].join(", ")
        );
        Ok(Note(connection.prepare(&sql)?))
    }

    /// Whether it was not there.
    pub fn down(&mut self, identity: &[ValueRef<'_>], hash: &RowHash) -> rusqlite::Result<bool> {
        bind_identity(&mut self.0, identity)?;
        self.0.raw_bind_parameter(identity.len() + 1, hash)?;
        Ok(self.0.raw_execute()? > 0)
    }
}

fn bind_identity(statement: &mut Statement<'_>, identity: &[ValueRef<'_>]) -> rusqlite::Result<()> {
    for (at, value) in identity.iter().enumerate() {
        let value = if *value == ValueRef::Null { ValueRef::Text(b"") } else { *value };
        statement.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))?;
    }
    Ok(())
}

/// Puts rows of a join into the archive.
pub struct Joining<'c> {
    connection: &'c Connection,
    join: &'static Join,
    /// Positions among the values.
    identity: Vec<Option<usize>>,
    /// The columns in lower case, with their positions, in the order in which rows are hashed.
    hashed: Vec<(String, usize)>,
    damaged: &'c Damaged,
    note: Note<'c>,
    insert: Statement<'c>,
    /// Notes since when a message is where it was not at first; and the run.
    moved: Option<(Statement<'c>, i64)>,
}

impl<'c> Joining<'c> {
    /// `names`: the columns of the rows that will come. `damaged`: of the rows that these say something of, those of
    /// which something is damaged or gone.
    pub fn new(
        connection: &'c Connection,
        join: &'static Join,
        names: &[&str],
        damaged: &'c Damaged,
        visit: Visit<'_>,
    ) -> rusqlite::Result<Joining<'c>> {
        let position = |column: &&str| names.iter().position(|name| name.eq_ignore_ascii_case(column));
        let mut hashed: Vec<(String, usize)> =
            names.iter().enumerate().map(|(at, name)| (name.to_ascii_lowercase(), at)).collect();
        hashed.sort_unstable();
        let list: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        let sql = format!(
            "INSERT OR REPLACE INTO {} ({}) VALUES ({})",
            join.table,
            list.join(", "),
            vec!["?"; list.len()].join(", ")
        );
        let moved = format!(
            "INSERT OR IGNORE INTO {MOVED} (message, chat, run) \
             SELECT id, ?2, ?3 FROM msgarchive_message WHERE id = ?1 AND added < ?3"
        );
        Ok(Joining {
            connection,
            join,
            identity: join.identity().iter().map(position).collect(),
            hashed,
            damaged,
            note: Note::new(connection, join, "IGNORE")?,
            insert: connection.prepare(&sql)?,
            moved: match join.table == PLACES && !visit.first {
                true => Some((connection.prepare(&moved)?, visit.run)),
                false => None,
            },
        })
    }

    /// Rows may come again that were there before: that moves no message.
    pub fn move_nothing(&mut self) {
        self.moved = None;
    }

    /// Puts a row in, unless it is there.
    pub fn put(&mut self, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        let value = |at: usize| values.get(at).copied().unwrap_or(ValueRef::Null);
        let identity = self.identity(values);
        let is_damaged =
            matches!(identity.first(), Some(ValueRef::Integer(owner)) if self.damaged.contains(owner));
        if is_damaged {
            self.remove(&identity)?;
        }
        let hash = row::hash(self.hashed.iter().map(|(name, at)| (name.as_str(), value(*at))));
        if !self.note.down(&identity, &hash)? {
            return Ok(());
        }
        for (at, value) in values.iter().enumerate() {
            self.insert.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(*value))?;
        }
        self.insert.raw_execute()?;
        if !is_damaged
            && let Some((moved, run)) = &mut self.moved
            && let [ValueRef::Integer(message), ValueRef::Integer(chat)] = identity[..]
        {
            moved.execute([message, chat, *run])?;
        }
        Ok(())
    }

    /// Takes a row away that said less: it names nobody, and now there is somebody.
    pub fn let_go(&self, values: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        self.remove(&self.identity(values))
    }

    fn identity<'v>(&self, values: &[ValueRef<'v>]) -> Vec<ValueRef<'v>> {
        let value = |at: &Option<usize>| at.and_then(|at| values.get(at)).copied().unwrap_or(ValueRef::Null);
        self.identity.iter().map(value).collect()
    }

    /// Takes a row away: what is there of it is damaged, or may be; or it is noted elsewhere that it was there.
    pub fn remove(&self, identity: &[ValueRef<'_>]) -> rusqlite::Result<()> {
        let same = self.join.identity().into_iter().map(|name| match self.join.key.contains(&name) {
            true => format!("coalesce({name}, '') = ?"),
            false => format!("{name} = ?"),
        });
        let same = same.collect::<Vec<_>>().join(" AND ");
        for table in [self.join.table, &self.join.book()] {
            let mut remove = self.connection.prepare(&format!("DELETE FROM {table} WHERE {same}"))?;
            bind_identity(&mut remove, identity)?;
            remove.raw_execute()?;
        }
        Ok(())
    }

    /// All that the source has of these `owners` was put in: what else is there of them where they are damaged, and no
    /// run wrote, goes; and so does what the book has under the hash of another row, which is damaged itself. Of an owner
    /// that is no row at all there is nothing to ask for.
    pub fn sweep(&self, owners: &HashSet<i64>) -> rusqlite::Result<()> {
        let ((owner, kind), table, book) = (self.join.owner(), self.join.table, self.join.book());
        let of_no_run = format!(
            "DELETE FROM {table} AS t WHERE {owner} = ?1 AND NOT EXISTS (SELECT 1 FROM {book} b WHERE {})",
            same(self.join, "t", "b")
        );
        let of_another = format!(
            "DELETE FROM {book} AS b WHERE {owner} = ?1 AND NOT EXISTS (SELECT 1 FROM {table} t WHERE {}) \
             AND (SELECT count(*) FROM {book} o WHERE o.hash = b.hash) > 1",
            same(self.join, "t", "b")
        );
        let mut known = self.connection.prepare(&format!(
            "SELECT EXISTS (SELECT 1 FROM msgarchive_{0} WHERE id = ?1) \
                 OR EXISTS (SELECT 1 FROM {0} WHERE ROWID = ?1)",
            kind.table()
        ))?;
        for owner in self.damaged {
            if !owners.contains(owner) && known.query_row([owner], |row| row.get(0))? {
                continue;
            }
            self.connection.execute(&of_no_run, [owner])?;
            self.connection.execute(&of_another, [owner])?;
        }
        Ok(())
    }
}

/// The places of a message have its date, too: which may have changed. What is damaged stays so.
pub fn follow_date(connection: &Connection, columns: &Columns, message: i64) -> rusqlite::Result<()> {
    let Some(places) = JOINS.iter().find(|join| join.table == PLACES) else { return Ok(()) };
    let date = "(SELECT date FROM message WHERE ROWID = ?1)";
    let of_another = format!("message_id = ?1 AND message_date IS NOT {date}");
    let book = places.book();
    let mut whole = Vec::new();
    let mut booked = connection
        .prepare_cached(&format!("SELECT hash FROM {book} WHERE message_id = ?1 AND chat_id = ?2"))?;
    each_hash(connection, places, columns, &format!("WHERE {of_another}"), [message], |identity, hash| {
        if let [_, ValueRef::Integer(chat)] = identity
            // One that no run wrote is in no book.
            && booked
                .query_row([message, *chat], |row| Ok(row.get_ref(0)?.as_blob() == Ok(&hash[..])))
                .optional()?
                .unwrap_or(false)
        {
            whole.push(*chat);
        }
        Ok(())
    })?;
    if whole.is_empty() {
        return Ok(());
    }
    let mut note = Note::new(connection, places, "REPLACE")?;
    for chat in whole {
        connection
            .prepare_cached(&format!(
                "UPDATE {PLACES} SET message_date = {date} WHERE message_id = ?1 AND chat_id = ?2"
            ))?
            .execute([message, chat])?;
        let clause = "WHERE message_id = ?1 AND chat_id = ?2";
        each_hash(connection, places, columns, clause, [message, chat], |identity, hash| {
            note.down(identity, &hash).map(drop)
        })?;
    }
    Ok(())
}
