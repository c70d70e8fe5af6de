//! What joins rows, once all sources of the run were asked: what nothing has any more, and what a source may have that was not
//! asked.
//!
//! **Must never**: take for lost what a source gave again.

use serde_json::Value;

use super::joins::booked;
use super::{GivenUp, Mending};
use crate::archive::gone_for_good::GoneForGood;
use crate::archive::joins::{Note, each_hash, same};
use crate::archive::kind::{Join, Kind};
use crate::archive::lost_thing::{LostOf, LostThing};
use crate::archive::named::{lost_of, name};
use crate::archive::record;
use crate::archive::row::Owned;
use crate::archive::schema::Columns;

impl Mending<'_> {
    /// What joins a row; of one that a source has which was not asked, only that is told.
    pub(super) fn give_up_joins(
        &self,
        (join, owner): (&Join, i64),
        columns: &Columns,
        gone: &GoneForGood,
        given_up: &mut GivenUp,
    ) -> rusqlite::Result<()> {
        let (column, kind) = join.owner();
        let (table, book) = (join.table, join.book());
        let before = booked(self.connection, join, owner)?;
        let (mut there, mut of_no_run) = (Vec::new(), 0);
        let clause = format!("WHERE {column} = ?1");
        each_hash(self.connection, join, columns, &clause, [owner], |identity, hash| {
            let identity = || identity.iter().map(|value| Owned::of(*value));
            let is_booked =
                before.iter().any(|(booked, _)| booked.iter().cloned().eq(identity().map(in_book)));
            there.push(hash);
            of_no_run += usize::from(!is_booked);
            Ok(())
        })?;
        let lost = before.iter().filter(|(_, hash)| !there.contains(hash)).count();
        let name = name(self.connection, kind, owner)?;
        let what = format!("of {}, {}", kind.in_words(), join.says);
        if let Some(source) = self.not_asked(kind, owner, gone)? {
            let what = format!("{what} ({name}, in {table})");
            let of = lost_of(self.connection, table, (kind, owner), None)?;
            (0..lost).for_each(|_| given_up.stays_damaged(&what, of.clone(), source.clone()));
            return Ok(());
        }
        if lost > 0 {
            self.look_again(kind, owner, gone)?;
        }
        let mut note = Note::new(self.connection, join, "REPLACE")?;
        each_hash(self.connection, join, columns, &clause, [owner], |identity, hash| {
            note.down(identity, &hash).map(drop)
        })?;
        let gone = format!(
            "DELETE FROM {book} AS b WHERE {column} = ?1 AND NOT EXISTS (SELECT 1 FROM {table} t WHERE {})",
            same(join, "t", "b")
        );
        self.connection.execute(&gone, [owner])?;
        let gone = std::iter::repeat_n(format!("{what} ({name}, in {table})"), lost);
        let found = format!(
            "{what} that no run is known to have written: it is kept as it was found ({name}, in {table})"
        );
        let all: Vec<String> = gone.chain(std::iter::repeat_n(found, of_no_run)).collect();
        if !all.is_empty() {
            let of = lost_of(self.connection, table, (kind, owner), None)?;
            given_up.lost.extend(all.into_iter().map(|what| LostThing { what, of: Some(of.clone()) }));
        }
        Ok(())
    }

    /// Rows of a join that were gone with their hashes, and that no source gave again.
    pub(super) fn give_up_wanting(&self, join: &Join) -> rusqlite::Result<Option<LostThing>> {
        let (table, (owner, kind)) = (join.table, join.owner());
        let record = record::latest(self.connection)?.map(|(_, text)| text).unwrap_or_default();
        let record: Value = serde_json::from_str(&record).unwrap_or_default();
        let were = record.get("totals").and_then(|totals| totals.get(table)).and_then(Value::as_i64);
        // Of rows that were there before this run.
        let are: i64 = self.connection.query_row(
            &format!(
                "SELECT count(*) FROM {table} t WHERE NOT EXISTS \
                   (SELECT 1 FROM msgarchive_{} b WHERE b.id = t.{owner} AND b.added = ?1)",
                kind.table()
            ),
            [self.run],
            |row| row.get(0),
        )?;
        let gone = were.unwrap_or_default() - are;
        let what = kind.in_words();
        Ok((gone > 0).then(|| {
            let what =
                format!("of {what}, {} ({gone} times, of which nothing else tells, in {table})", join.says);
            LostThing { what, of: Some(LostOf { table: table.to_owned(), ..LostOf::default() }) }
        }))
    }

    /// The source that was read last of those that have a row, were not read by this run, and are not gone for good.
    fn not_asked(&self, kind: Kind, id: i64, gone: &GoneForGood) -> rusqlite::Result<Option<String>> {
        let mut sources = self.connection.prepare_cached(
            "SELECT o.source, o.path FROM msgarchive_sighting s JOIN msgarchive_source o ON o.source = s.source \
             WHERE s.kind = ?1 AND s.id = ?2 AND o.last_run < ?3 ORDER BY o.last_run DESC",
        )?;
        let mut sources = sources.query([kind.number(), id, self.run])?;
        while let Some(row) = sources.next()? {
            if !gone.has(row.get(0)?) {
                return row.get(1).map(Some);
            }
        }
        Ok(None)
    }
}

/// As a book has it.
fn in_book(value: Owned) -> Owned {
    if value == Owned::Null { Owned::Text(Vec::new()) } else { value }
}
