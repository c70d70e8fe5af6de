//! What joins rows, from the books that say what there was; and the books, from what there is.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use super::Mending;
use crate::archive::joins::{Note, each_hash, same};
use crate::archive::kind::{JOINS, Join, PLACES};
use crate::archive::record;
use crate::archive::row::{Owned, RowHash, owned};
use crate::archive::schema::{Columns, has_table};

impl Mending<'_> {
    /// Puts rows of joins right without any source: what a book is kept by is nearly all that a row says, and its hash
    /// tells whether it was all.
    pub(super) fn joins(&self, columns: &Columns) -> rusqlite::Result<()> {
        if self.found.joined.is_empty() {
            return Ok(());
        }
        let last = record::latest(self.connection)?.map(|(_, text)| text).unwrap_or_default();
        let last: Value = serde_json::from_str(&last).unwrap_or_default();
        for join in JOINS.iter().filter(|join| has_table(self.connection, &join.book()).unwrap_or(false)) {
            let total = last.get("totals").and_then(|totals| totals.get(join.table)).and_then(Value::as_i64);
            self.note_again(join, columns, total)?;
            for (_, owner) in self.found.joined.iter().filter(|(kind, _)| *kind == join.owner().1) {
                for (identity, hash) in booked(self.connection, join, *owner)? {
                    self.put_again(join, columns, &identity, hash)?;
                }
            }
        }
        Ok(())
    }

    /// Where there are as many rows as there were, and none is wanting, it is the book that has lost some.
    fn note_again(&self, join: &Join, columns: &Columns, total: Option<i64>) -> rusqlite::Result<()> {
        let (table, book) = (join.table, join.book());
        let count = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let rows = count(&format!("SELECT count(*) FROM {table}"))?;
        let wanting = format!(
            "SELECT count(*) FROM {book} b WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {})",
            same(join, "t", "b")
        );
        if Some(rows) != total || count(&wanting)? > 0 {
            return Ok(());
        }
        let mut note = Note::new(self.connection, join, "IGNORE")?;
        each_hash(self.connection, join, columns, "", [], |identity, hash| {
            note.down(identity, &hash).map(drop)
        })
    }

    /// Puts the row in that has this identity, if that makes it what its hash says, and it is not there.
    fn put_again(
        &self,
        join: &Join,
        columns: &Columns,
        identity: &[Owned],
        hash: RowHash,
    ) -> rusqlite::Result<()> {
        let names = join.identity();
        let condition: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(at, name)| format!("coalesce({name}, '') = ?{}", at + 1))
            .collect();
        let clause = format!("WHERE {}", condition.join(" AND "));
        let values = || params_from_iter(identity.iter().map(|value| ToSqlOutput::Borrowed(value.value())));
        let is_there = || -> rusqlite::Result<bool> {
            let mut hashes = Vec::new();
            each_hash(self.connection, join, columns, &clause, values(), |_, own| {
                hashes.push(own);
                Ok(())
            })?;
            Ok(hashes == [hash])
        };
        if is_there()? {
            return Ok(());
        }
        self.connection.execute_batch("SAVEPOINT again")?;
        self.connection.execute(&format!("DELETE FROM {} {clause}", join.table), values())?;
        let (mut list, mut marks) = (names.join(", "), vec!["?"; names.len()].join(", "));
        if join.table == PLACES {
            list.push_str(", message_date");
            marks.push_str(", (SELECT date FROM message WHERE ROWID = ?1)");
        }
        let put = format!("INSERT INTO {} ({list}) VALUES ({marks})", join.table);
        self.connection.execute(&put, values())?;
        let undo = if is_there()? { "" } else { "ROLLBACK TO again; " };
        self.connection.execute_batch(&format!("{undo}RELEASE again"))
    }
}

/// What the book has of an owner: by what identifies a row, and its hash.
pub(super) fn booked(
    connection: &Connection,
    join: &Join,
    owner: i64,
) -> rusqlite::Result<Vec<(Vec<Owned>, RowHash)>> {
    let names = join.identity();
    let sql = format!("SELECT {}, hash FROM {} WHERE {} = ?1", names.join(", "), join.book(), join.owner().0);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([owner])?;
    let mut booked = Vec::new();
    while let Some(row) = rows.next()? {
        let hash = match row.get_ref(names.len())? {
            ValueRef::Blob(hash) => hash.try_into().unwrap_or_default(),
            _ => RowHash::default(),
        };
        booked.push((owned(row, names.len())?, hash));
    }
    Ok(booked)
}
