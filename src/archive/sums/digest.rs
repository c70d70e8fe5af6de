//! Whether the sums of a table are those of its rows, told without keeping any of them: however many rows there are.
//!
//! The sums are added up, and, each times a number that is made of what it is about, once more: as rows add to their sums, so they
//! add to both, in any order.
//!
//! **Must never**: say which sum is another one.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{Notes, SUMS};
use crate::archive::fingerprint::Fingerprints;
use crate::archive::schema::has_table;

/// What the sums of a table come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    /// As records have it.
    pub total: i64,
    /// With what each is about.
    named: i64,
}

impl Digest {
    fn add(&mut self, names: &Fingerprints, about: &[u8], sum: i64) {
        self.total = self.total.wrapping_add(sum);
        let name = names.exactly(0, ValueRef::Text(about)) | 1;
        self.named = self.named.wrapping_add(sum.wrapping_mul(name));
    }
}

fn names() -> Fingerprints {
    Fingerprints::new(SUMS, &["about"])
}

impl Notes {
    /// Of the rows that are there.
    pub fn digest(&self, connection: &Connection) -> rusqlite::Result<Digest> {
        let (names, mut digest) = (names(), Digest::default());
        self.each_sum(connection, |about, sum| digest.add(&names, about.as_bytes(), sum))?;
        Ok(digest)
    }
}

/// Of the sums that runs wrote down, by table; `None` where they are gone.
pub fn written_digests(connection: &Connection) -> rusqlite::Result<Option<BTreeMap<String, Digest>>> {
    if !has_table(connection, SUMS)? {
        return Ok(None);
    }
    let names = names();
    let mut digests: BTreeMap<String, Digest> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT tbl, about, sum FROM msgarchive_sum")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = |at: usize| row.get_ref(at).map(|value| value.as_bytes().unwrap_or_default());
        let (table, sum) = (bytes(0)?, row.get_ref(2)?.as_i64().unwrap_or_default());
        let table = String::from_utf8_lossy(table);
        match digests.get_mut(&*table) {
            Some(digest) => digest.add(&names, bytes(1)?, sum),
            None => digests.entry(table.into_owned()).or_default().add(&names, bytes(1)?, sum),
        }
    }
    Ok(Some(digests))
}
