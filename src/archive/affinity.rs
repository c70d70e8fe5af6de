//! What SQLite does to the values of a column, by its declared type (`datatype3.html`, 3.1).

/// How values are stored in a column, where they can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    Integer,
    Text,
    /// Declared to have bytes: all is stored as it is.
    Blob,
    /// Declared to have anything: the same.
    Anything,
    Real,
    Numeric,
}

impl Affinity {
    pub fn of(declared: &str) -> Affinity {
        let declared = declared.to_ascii_uppercase();
        let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        match () {
            () if says(&["INT"]) => Affinity::Integer,
            () if says(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
            () if says(&["BLOB"]) => Affinity::Blob,
            // A STRICT table does nothing to ANY.
            () if ["", "ANY"].contains(&&*declared) => Affinity::Anything,
            () if says(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
            () => Affinity::Numeric,
        }
    }

    /// The types of values that it changes, or may.
    pub fn changes(self) -> &'static [&'static str] {
        match self {
            Affinity::Blob | Affinity::Anything => &[],
            Affinity::Text => &["integer", "real"],
            Affinity::Integer | Affinity::Numeric => &["text", "real"],
            Affinity::Real => &["integer", "text"],
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

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
