//! Columns of the archive that lose their declared type, because a source has values that it would change.
//!
//! SQLite turns a number into a text where a column is declared to have texts, and a text that looks like a number into one where
//! it is declared to have numbers. Apple's columns have the values that they are declared for. A source that another program
//! made may have others: the archive's column is then declared to have anything, and keeps them as they are.
//!
//! **Must never**: change a value.

use rusqlite::Connection;

use super::ArchiveError;
use super::kind::{JOINS, Kind};
use super::schema::{columns_of, has_versions, version_table};
use crate::source::SourceError;
use crate::source::tables::{Tables, quoted};

/// What SQLite does to the values of a column, by its declared type (`datatype3.html`, 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Affinity {
    Integer,
    Text,
    Anything,
    Real,
    Numeric,
}

impl Affinity {
    fn of(declared: &str) -> Affinity {
        let declared = declared.to_ascii_uppercase();
        let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        match () {
            () if says(&["INT"]) => Affinity::Integer,
            () if says(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
            // A STRICT table does nothing to ANY.
            () if says(&["BLOB"]) || ["", "ANY"].contains(&&*declared) => Affinity::Anything,
            () if says(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
            () => Affinity::Numeric,
        }
    }

    /// The types of values that it changes, or may.
    fn changes(self) -> &'static [&'static str] {
        match self {
            Affinity::Anything => &[],
            Affinity::Text => &["integer", "real"],
            Affinity::Integer | Affinity::Numeric => &["text", "real"],
            Affinity::Real => &["integer", "text"],
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_type_does_what_sqlite_does() {
        let db = Connection::open_in_memory().unwrap();
        for declared in [
            "TEXT", "VARCHAR", "INTEGER", "BIGINT", "POINT", "REAL", "FLOAT", "DOUBLE", "BLOB", "",
            "NUMERIC", "DATE",
        ] {
            db.execute_batch(&format!(
                "CREATE TABLE t (c {declared}); INSERT INTO t VALUES (1), ('1'), (1.0), (x'31')"
            ))
            .unwrap();
            let mut statement = db.prepare("SELECT typeof(c) FROM t ORDER BY rowid").unwrap();
            let types: Vec<String> =
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let changes = Affinity::of(declared).changes();
            for (was, is) in ["integer", "text", "real", "blob"].into_iter().zip(&types) {
                assert_eq!(changes.contains(&was), was != is, "{declared}: {was} is {is}");
            }
            drop(statement);
            db.execute_batch("DROP TABLE t").unwrap();
        }
    }
}
