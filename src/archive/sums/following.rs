//! Follows what a run writes to the tables that are vouched for by sums, row by row.
//!
//! **Must never**: make a sum anew that nobody found to be wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::{
    NOTES, Notes, OBJECTS, Sums, Totals, WrongSum, objects, read, total, without_strange_names, write,
};
use crate::pipeline::crew::lock;

/// What was added to sums: by the table's place in [`NOTES`], and by what its rows speak of.
type Changes = HashMap<(usize, String), i64>;

/// Follows all that a connection writes to these tables.
pub struct Following {
    changes: Arc<Mutex<Changes>>,
    /// Of what the database was made of before.
    objects: Sums,
}

/// The SQL function that is told of rows.
const FOLLOW: &str = "msgarchive_follow";

impl Following {
    /// Begins. Triggers tell of rows: temporary ones, of this connection alone.
    ///
    /// `objects`: what the database was made of before anything was changed.
    pub fn begin(connection: &Connection, objects: Sums) -> rusqlite::Result<Following> {
        let changes: Arc<Mutex<Changes>> = Arc::default();
        let told = Arc::clone(&changes);
        let hashes = NOTES.each_ref().map(Notes::hashes);
        connection.create_scalar_function(FOLLOW, -1, FunctionFlags::SQLITE_UTF8, move |row| {
            let at = usize::try_from(row.get::<i64>(0)?).unwrap_or(usize::MAX);
            if let (Some(notes), Some(hashes)) = (NOTES.get(at), hashes.get(at)) {
                let value = |at: usize| row.get_raw(at + 2);
                let mut about = String::new();
                notes.about(value, &mut about);
                let weight = notes.weight(hashes, value).wrapping_mul(row.get(1)?);
                let mut told = lock(&told);
                let change = told.entry((at, about)).or_default();
                *change = change.wrapping_add(weight);
            }
            Ok(None::<i64>)
        })?;
        // Rows that others replace are told of, too.
        connection.execute_batch("PRAGMA recursive_triggers = ON")?;
        for (at, notes) in NOTES.iter().enumerate() {
            let table = notes.table;
            let told = |sign: i64, of: &str| format!("SELECT {FOLLOW} ({at}, {sign}, {});", notes.list(of));
            let (comes, goes) = (told(1, "NEW."), told(-1, "OLD."));
            for (event, tell) in
                [("INSERT", comes.clone()), ("DELETE", goes.clone()), ("UPDATE", format!("{goes} {comes}"))]
            {
                connection.execute_batch(&format!(
                    "CREATE TEMP TRIGGER follow_{table}_{event} AFTER {event} ON main.{table} BEGIN {tell} END"
                ))?;
            }
        }
        Ok(Following { changes, objects })
    }

    /// Writes down what the sums are now. `totals`: of the record before; `wrong`: sums that are made anew.
    pub fn end(
        self,
        connection: &Connection,
        mut totals: Totals,
        wrong: &[WrongSum],
    ) -> rusqlite::Result<Totals> {
        let mut change = |table: &str, about: &str, by: i64| -> rusqlite::Result<()> {
            if by != 0 {
                write(connection, table, about, read(connection, table, about)?.wrapping_add(by))?;
                totals.change(table, by);
            }
            Ok(())
        };
        for ((at, about), by) in lock(&self.changes).drain() {
            if let Some(notes) = NOTES.get(at) {
                change(notes.table, &about, by)?;
            }
        }
        let objects = objects(connection)?;
        for name in self.objects.keys().chain(objects.keys().filter(|name| !self.objects.contains_key(*name)))
        {
            let of = |sums: &Sums| sums.get(name).copied().unwrap_or_default();
            change(OBJECTS, name, of(&objects).wrapping_sub(of(&self.objects)))?;
        }
        for of_table in wrong.chunk_by(|a, b| a.table == b.table) {
            let Some(WrongSum { table, .. }) = of_table.first() else { continue };
            let there = match NOTES.iter().find(|notes| notes.table == table) {
                Some(notes) => notes.there(connection)?,
                None if table == OBJECTS => objects.clone(),
                None => continue,
            };
            for about in of_table.iter().filter_map(|wrong| wrong.about.as_ref()) {
                write(connection, table, about, there.get(about).copied().unwrap_or_default())?;
                if about.contains(char::REPLACEMENT_CHARACTER) {
                    without_strange_names(connection, table)?;
                }
            }
            if of_table.iter().any(|wrong| wrong.about.is_none()) {
                connection.execute("DELETE FROM msgarchive_sum WHERE tbl = ?1", [table])?;
                for (about, sum) in &there {
                    write(connection, table, about, *sum)?;
                }
            }
            totals.set(table, total(&there));
        }
        Ok(totals)
    }
}
