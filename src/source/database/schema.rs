//! What a database can: its tables, columns and indexes, probed once.
//!
//! Schemas of one OS release differ from machine to machine (fresh or migrated), so nothing is decided by version.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

/// Every table with its columns and indexes; all names in lower case.
#[derive(Debug, Default)]
pub(in crate::source) struct Schema {
    tables: HashMap<String, Table>,
    /// `_ClientVersion`, for reporting.
    pub version: Option<String>,
}

#[derive(Debug, Default)]
struct Table {
    columns: HashSet<String>,
    /// The columns of each index that covers every row, in order.
    indexes: Vec<Vec<String>>,
    /// Columns of which no two rows share a value.
    unique: HashSet<String>,
}

impl Schema {
    pub fn probe(connection: &Connection) -> rusqlite::Result<Schema> {
        let mut schema = Schema::default();
        let mut names = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        let mut rows = names.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let table = Table::probe(connection, &name)?;
            schema.tables.insert(name.to_lowercase(), table);
        }
        if schema.has("_sqlitedatabaseproperties", "key") && schema.has("_sqlitedatabaseproperties", "value")
        {
            schema.version = connection
                .query_row(
                    "SELECT CAST(value AS TEXT) FROM _SqliteDatabaseProperties WHERE key = '_ClientVersion'",
                    [],
                    |row| row.get(0),
                )
                .unwrap_or(None);
        }
        Ok(schema)
    }

    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    pub fn has_table(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// `column` in lower case.
    pub fn has(&self, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|t| t.columns.contains(column))
    }

    /// The column of an aliased table for a statement; NULL where there is none.
    pub fn column(&self, table: &str, alias: &str, name: &str) -> String {
        if name == "rowid" || self.has(table, name) { format!("{alias}.{name}") } else { "NULL".into() }
    }

    pub fn has_all(&self, table: &str, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.has(table, column))
    }

    /// Is there an index of all rows whose first columns are these?
    pub fn indexed(&self, table: &str, columns: &[&str]) -> bool {
        self.tables.get(table).is_some_and(|t| {
            t.indexes
                .iter()
                .any(|index| index.len() >= columns.len() && index.iter().zip(columns).all(|(a, b)| a == b))
        })
    }

    /// Is there an index that keeps two rows from sharing a value of this column?
    pub fn unique(&self, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|t| t.unique.contains(column))
    }
}

impl Table {
    fn probe(connection: &Connection, name: &str) -> rusqlite::Result<Table> {
        let mut table = Table::default();
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let mut rows = statement.query([name])?;
        while let Some(row) = rows.next()? {
            table.columns.insert(row.get::<_, String>(0)?.to_lowercase());
        }
        let mut statement =
            connection.prepare(r#"SELECT name, "unique" FROM pragma_index_list(?1) WHERE partial = 0"#)?;
        let mut columns = connection.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
        let mut rows = statement.query([name])?;
        while let Some(row) = rows.next()? {
            let index: String = row.get(0)?;
            // An index on an expression has a column without a name.
            let names = columns.query_map([index], |row| row.get::<_, Option<String>>(0))?;
            let names: rusqlite::Result<Vec<Option<String>>> = names.collect();
            let names: Vec<String> =
                names?.into_iter().map(|name| name.unwrap_or_default().to_lowercase()).collect();
            if let [column] = names.as_slice()
                && row.get::<_, bool>(1)?
            {
                table.unique.insert(column.clone());
            }
            table.indexes.push(names);
        }
        Ok(table)
    }
}
