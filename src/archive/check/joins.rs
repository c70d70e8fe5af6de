//! Whether what joins rows is as it was put in: the same hashes in a join and in its book; where not, which row of it.

use std::sync::atomic::Ordering;

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

use super::{Check, Problem, holders, stored_hash};
use crate::archive::fingerprint::Fingerprints;
use crate::archive::joins::{each_hash, same};
use crate::archive::kind::{Join, Kind};
use crate::archive::named::name;
use crate::archive::places::number;
use crate::archive::row::{Owned, RowHash, owned};
use crate::archive::schema::{Columns, has_table};
use crate::pipeline::crew::lock;

/// What can be wrong with a row of a join.
const DAMAGED: &str = "is damaged";
const GONE: &str = "is gone";
const TWICE: &str = "is there twice";
const OF_NO_RUN: &str = "was written by no run";

impl Check<'_> {
    /// Every row of a join against its hash.
    pub(super) fn rows_of_join(
        &self,
        connection: &Connection,
        join: &Join,
        columns: &Columns,
    ) -> rusqlite::Result<()> {
        let book = join.book();
        if !has_table(connection, &book)? {
            let what = format!("{book} is gone; the next `archive` run makes it of what there is then");
            self.found(Problem::of("join", what));
            return Ok(());
        }
        // That they are the same is told without looking for any of them.
        let identity = join.identity();
        let fingerprints = Fingerprints::new(&self.folder.id, &identity);
        let weight = |identity: &[ValueRef<'_>], hash: RowHash| -> u128 {
            let sum = identity.iter().enumerate().fold(0i64, |sum, (at, value)| {
                // What has no NULL has nothing instead.
                let value = if *value == ValueRef::Null { ValueRef::Text(b"") } else { *value };
                sum.wrapping_add(fingerprints.of(at, value))
            });
            u128::from_le_bytes(hash).wrapping_mul(u128::from(sum as u64) << 1 | 1)
        };
        let (mut checked, mut there, mut booked, mut written) = (0, 0u128, 0, 0u128);
        each_hash(connection, join, columns, "", [], |identity, hash| {
            checked += 1;
            there = there.wrapping_add(weight(identity, hash));
            Ok(())
        })?;
        self.rows.fetch_add(checked, Ordering::Relaxed);
        let mut statement =
            connection.prepare(&format!("SELECT hash, {} FROM {book}", identity.join(", ")))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            booked += 1;
            let hash = stored_hash(row.get_ref(0)?).unwrap_or_default();
            let values = (1..=identity.len()).map(|at| row.get_ref(at));
            let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
            written = written.wrapping_add(weight(&values, hash));
        }
        if (checked, there) != (booked, written) {
            self.name_damaged(connection, join, columns)?;
        }
        Ok(())
    }

    fn name_damaged(&self, connection: &Connection, join: &Join, columns: &Columns) -> rusqlite::Result<()> {
        let (table, book) = (join.table, join.book());
        let identity = join.identity();
        let list = |alias: &str| -> String {
            let names = identity.iter().map(|name| format!("{alias}.{name}"));
            names.collect::<Vec<_>>().join(", ")
        };
        let condition =
            identity.iter().enumerate().map(|(at, name)| format!("{name} = coalesce(?{}, '')", at + 1));
        let condition = condition.collect::<Vec<_>>().join(" AND ");
        let mut booked = connection.prepare(&format!("SELECT hash FROM {book} WHERE {condition}"))?;
        let mut wrong: Vec<(Vec<Owned>, &str)> = Vec::new();
        each_hash(connection, join, columns, "", [], |identity, hash| {
            let asked = identity.iter().map(|value| ToSqlOutput::Borrowed(*value));
            let mut rows = booked.query(rusqlite::params_from_iter(asked))?;
            let identity = || identity.iter().map(|value| Owned::of(*value)).collect();
            match rows.next()? {
                None => wrong.push((identity(), OF_NO_RUN)),
                Some(row) if stored_hash(row.get_ref(0)?) != Some(hash) => wrong.push((identity(), DAMAGED)),
                Some(_) => {}
            }
            Ok(())
        })?;
        let gone = format!(
            "SELECT {} FROM {book} b WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {})",
            list("b"),
            same(join, "t", "b")
        );
        let twice = format!("SELECT {0} FROM {table} t GROUP BY {0} HAVING count(*) > 1", list("t"));
        for (sql, what) in [(gone, GONE), (twice, TWICE)] {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                wrong.push((owned(row, identity.len())?, what));
            }
        }
        for (identity, what) in wrong {
            let identity: Vec<ValueRef<'_>> = identity.iter().map(Owned::value).collect();
            self.join_is_damaged(connection, join, &identity, what)?;
        }
        Ok(())
    }

    fn join_is_damaged(
        &self,
        connection: &Connection,
        join: &Join,
        identity: &[ValueRef<'_>],
        what: &str,
    ) -> rusqlite::Result<()> {
        let Some((owner, rest)) = identity.split_first() else { return Ok(()) };
        let (kind, owner) = (join.owner().1, number(*owner));
        let of_row = |kind: Kind, id: i64| name(connection, kind, id);
        let other = match (join.other(), rest.first()) {
            (Some((_, kind)), Some(other)) => of_row(kind, number(*other))?,
            (_, Some(ValueRef::Text(text))) => String::from_utf8_lossy(text).into_owned(),
            _ => "of an unknown sort".into(),
        };
        let what = format!("of {}, {} {other} (in {}) {what}", kind.in_words(), join.says, join.table);
        let guid = Some(of_row(kind, owner)?);
        let holder = holders::of_row(connection, (kind, owner), &self.gone)?;
        self.found(Problem { guid, ..Problem::of("join", what) }.held_by(holder));
        lock(&self.damaged).joined.push((kind, owner));
        Ok(())
    }
}
