//! Whether every row, and every former state of one, is as it was written: against its hash.
//!
//! **Must never**: let what is damaged of one table say anything of another.

use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::{Check, Problem, holders, stored_hash};
use crate::archive::kind::{JOINS, Kind};
use crate::archive::named::{guid_of, lost_of};
use crate::archive::schema::{Columns, has_versions, version_table};
use crate::archive::{ArchiveError, people, row};
use crate::pipeline::crew::lock;
use crate::source::tables::quoted;

impl Check<'_> {
    /// Every row that is shown, and every version, against its hash.
    pub(super) fn rows(&self, connection: &Connection) -> Result<(), ArchiveError> {
        let columns = self.as_far_as_read(Columns::read(connection))?;
        // What is damaged of one table says nothing of another.
        for kind in Kind::ALL {
            self.as_far_as_read(self.rows_of(connection, kind, &columns.hashed(kind)))?;
        }
        for join in &JOINS {
            self.as_far_as_read(self.rows_of_join(connection, join, &columns))?;
        }
        for name in self.as_far_as_read(people::damaged(connection))? {
            let what = format!(
                "the card of {name:?} in the address book is damaged; an `archive` run with it writes it anew"
            );
            self.found(Problem::of("card", what));
        }
        Ok(())
    }

    fn rows_of(&self, connection: &Connection, kind: Kind, hashed: &[String]) -> rusqlite::Result<()> {
        let list = |alias: &str| -> String {
            hashed.iter().map(|name| format!("{alias}.{}", quoted(name))).collect::<Vec<_>>().join(", ")
        };
        let table = kind.table();
        // Rows without a hash were not written by us; hashes without a row are rows that were lost.
        let sql = format!(
            "SELECT b.hash, t.ROWID, b.id, {} FROM msgarchive_{table} b LEFT JOIN {table} t ON t.ROWID = b.id ORDER BY b.id",
            list("t")
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.rows.fetch_add(1, Ordering::Relaxed);
            let id: i64 = row.get(2)?;
            let there = row.get_ref(1)?.as_i64().is_ok();
            let hash = row::hash_of(row, 3, hashed)?;
            if !there || stored_hash(row.get_ref(0)?) != Some(hash) {
                self.row_is_damaged(connection, kind, id, there)?;
            }
        }
        let strays = format!(
            "SELECT t.ROWID FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM msgarchive_{table} b WHERE b.id = t.ROWID)"
        );
        let strays: Vec<i64> =
            connection.prepare(&strays)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        if !strays.is_empty() {
            let strange = strays.len();
            self.found(Problem::of("count", format!("{strange} rows of {table} were not written by a run")));
            lock(&self.damaged).strays.extend(strays.into_iter().map(|id| (kind, id)));
        }
        if !has_versions(kind) {
            return Ok(());
        }
        let sql = format!(
            "SELECT v.msgarchive_hash, v.msgarchive_id, v.msgarchive_version, {} FROM {} v",
            list("v"),
            version_table(kind)
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.rows.fetch_add(1, Ordering::Relaxed);
            let hash = row::hash_of(row, 3, hashed)?;
            if stored_hash(row.get_ref(0)?) != Some(hash) {
                let id = row.get(1)?;
                lock(&self.damaged).former.push((kind, row.get(2)?));
                let what = format!("a former state of {} is damaged", kind.in_words());
                self.found(Problem {
                    guid: guid_of(connection, kind, id)?,
                    lost: true,
                    ..Problem::of("version", what)
                });
            }
        }
        Ok(())
    }

    pub(super) fn row_is_damaged(
        &self,
        connection: &Connection,
        kind: Kind,
        id: i64,
        there: bool,
    ) -> rusqlite::Result<()> {
        let what = if there { "damaged" } else { "gone" };
        let mut what = format!("{} (row {id} of {}) is {what}", kind.in_words(), kind.table());
        if !there && kind == Kind::Message {
            let of = lost_of(connection, kind.table(), (kind, id), None)?;
            if let (Some(date), Some(conversation)) = (of.date, of.conversation) {
                what.push_str(&format!("; it was sent {date}, in {conversation}"));
            }
        }
        let guid = guid_of(connection, kind, id)?;
        let holder = match holders::of_row(connection, (kind, id), &self.gone)? {
            None if !there => holders::uncertain(connection, kind, &lock(&self.damaged).sums, &self.gone)?,
            holder => holder,
        };
        self.found(Problem { guid, ..Problem::of("row", what) }.held_by(holder));
        if let Ok(mut damaged) = self.damaged.lock() {
            damaged.rows.push((kind, id));
        }
        Ok(())
    }
}
