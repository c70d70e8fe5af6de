//! Columns of the archive that lose their declared type, because a source has values that it would change.
//!
//! SQLite turns a number into a text where a column is declared to have texts, and a text that looks like a number into one where
//! it is declared to have numbers. Apple's columns have the values that they are declared for. A source that another program
//! made may have others: the archive's column is then declared to have anything, and keeps them as they are.
//!
//! **Must never**: change a value.

use rusqlite::Connection;

use super::ArchiveError;
use super::affinity::Affinity;
use super::kind::{JOINS, Kind};
use super::schema::{columns_of, has_versions, version_table};
use crate::source::SourceError;
use crate::source::tables::{Tables, quoted};

/// Takes the type off all columns that would change values of this source. All its columns are in the archive already.
///
/// # Errors
/// [`SourceError::Odd`]: by such a column rows are known.
pub fn untype(connection: &Connection, tables: &Tables) -> Result<(), ArchiveError> {
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (kind.table(), kind.key(), has_versions(*kind).then(|| version_table(*kind))));
    let joins = JOINS.iter().map(|join| (join.table, join.key, None));
    for (table, key, versions) in kinds.chain(joins) {
        let Some(of_source) = tables.table(table) else { continue };
        for (name, declared) in columns_of(connection, table).map_err(ArchiveError::of(connection))? {
            let Some(column) = of_source.column(&name) else { continue };
            let here = Affinity::of(&declared);
            if here == Affinity::of(&column.declared)
                || !tables.reader().has_any(of_source, &column.name, here.changes())?
            {
                continue;
            }
            if key.iter().any(|key| key.eq_ignore_ascii_case(&name)) {
                return Err(SourceError::odd(
                    &tables.info().path,
                    table,
                    format!("has other values than texts in {name}, by which its rows are known"),
                )
                .into());
            }
            for table in [Some(table), versions.as_deref()].into_iter().flatten() {
                take_off(connection, table, &name).map_err(ArchiveError::of(connection))?;
            }
        }
    }
    Ok(())
}

fn take_off(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<()> {
    let mut indexes = connection.prepare(
        "SELECT l.name FROM pragma_index_list(?1) l, pragma_index_info(l.name) i WHERE i.name = ?2 AND l.origin = 'c'",
    )?;
    let indexes = indexes.query_map([table, column], |row| row.get::<_, String>(0))?;
    // They are made again by the run.
    for index in indexes.collect::<rusqlite::Result<Vec<String>>>()? {
        connection.execute_batch(&format!("DROP INDEX {}", quoted(&index)))?;
    }
    let (column, typed) = (quoted(column), "msgarchive_typed");
    connection.execute_batch(&format!(
        "ALTER TABLE {table} RENAME COLUMN {column} TO {typed};
         ALTER TABLE {table} ADD COLUMN {column};
         UPDATE {table} SET {column} = {typed};
         ALTER TABLE {table} DROP COLUMN {typed};"
    ))
}
