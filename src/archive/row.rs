//! A row in one form, whatever the order of its columns: what its hashes are made of.
//!
//! Columns come by their names in lower case, sorted. What is NULL or 0 is left out: to Apple the two mean the same, and
//! a column that a later system added changes no hash of the rows before it.

use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use crate::source::tables::text;

/// The first half of a SHA-256.
pub type RowHash = [u8; 16];

/// Hashes columns one after the other.
pub struct Hasher(Vec<u8>);

/// Most rows fit.
const ROOM: usize = 2048;

impl Hasher {
    pub fn new() -> Hasher {
        Hasher(Vec::with_capacity(ROOM))
    }

    /// Takes a column; `name` in lower case, in order.
    pub fn column(&mut self, name: &str, value: ValueRef<'_>) {
        let (sort, bytes): (u8, &[u8]) = match &value {
            ValueRef::Null | ValueRef::Integer(0) => return,
            ValueRef::Integer(number) => (1, &number.to_le_bytes()),
            ValueRef::Real(number) => (2, &number.to_bits().to_le_bytes()),
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        // Lengths before what they measure: no two rows are spelled alike.
        let mut head = [0; 10];
        head[0] = name.len() as u8;
        head[1] = sort;
        head[2..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(&head);
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// The hash of all columns.
    pub fn finish(self) -> RowHash {
        let mut half = RowHash::default();
        half.copy_from_slice(&Sha256::digest(&self.0)[..16]);
        half
    }
}

/// A value that was taken out of a database; texts as their bytes, which may be no UTF-8.
#[derive(Debug, Clone, PartialEq)]
pub enum Owned {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Owned {
    pub fn of(value: ValueRef<'_>) -> Owned {
        match value {
            ValueRef::Null => Owned::Null,
            ValueRef::Integer(number) => Owned::Integer(number),
            ValueRef::Real(number) => Owned::Real(number),
            ValueRef::Text(text) => Owned::Text(text.to_vec()),
            ValueRef::Blob(bytes) => Owned::Blob(bytes.to_vec()),
        }
    }

    pub fn value(&self) -> ValueRef<'_> {
        match self {
            Owned::Null => ValueRef::Null,
            Owned::Integer(number) => ValueRef::Integer(*number),
            Owned::Real(number) => ValueRef::Real(*number),
            Owned::Text(text) => ValueRef::Text(text),
            Owned::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }
}

/// The first columns of a row, taken out of it.
pub fn owned(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Vec<Owned>> {
    (0..columns).map(|at| row.get_ref(at).map(Owned::of)).collect()
}

/// What a column says, whatever it is stored as: hostile rows are read, too.
pub fn text_at(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    row.get_ref(at).map(text)
}

/// The hash of what a statement gives from column `first` on: `names`, in order.
pub fn hash_of(row: &rusqlite::Row<'_>, first: usize, names: &[String]) -> rusqlite::Result<RowHash> {
    let mut hasher = Hasher::new();
    for (at, name) in names.iter().enumerate() {
        hasher.column(name, row.get_ref(first + at)?);
    }
    Ok(hasher.finish())
}

/// The hash of a whole row, its columns in order.
pub fn hash<'v>(columns: impl IntoIterator<Item = (&'v str, ValueRef<'v>)>) -> RowHash {
    let mut hasher = Hasher::new();
    for (name, value) in columns {
        hasher.column(name, value);
    }
    hasher.finish()
}
