//! Rows of a source on their way into the archive: one thread reads, spells and hashes them, who takes them only writes.
//!
//! They travel in batches, a few at a time, so that memory is bounded however many there are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::{SyncSender, sync_channel};

use rusqlite::types::ValueRef;

use super::ArchiveError;
use super::attested::{Attested, name_of};
use super::kind::Kind;
use super::picked::each_of;
use super::places::Places;
use super::row::RowHash;
use super::spelling::{Spelled, Spelling};
use crate::source::tables::{Table, Tables};

/// A row of a source, as the archive spells it.
pub struct Incoming<'b> {
    /// In the source.
    pub rowid: i64,
    /// Of the row as the source has it, and of where it is there.
    pub fingerprint: i64,
    /// In another archive the row was given up, and lies there damaged: the hash of what it was.
    pub given_up: Option<RowHash>,
    pub row: Spelled<'b>,
}

/// A batch is handed on once it has so many rows or bytes; so many may wait.
const ROWS: usize = 512;
const BYTES: usize = 1 << 20;
const WAITING: usize = 4;

/// Calls `take` for the rows with these row ids, which are sorted; in their order. Gives back what those say that they are
/// which an archive once wrote otherwise: they are not taken.
///
/// # Errors
/// What SQLite says of the source; or `take`.
pub fn each(
    (tables, table, places): (&Tables, &Table, &Places),
    spelling: &Spelling<'_>,
    rowids: &[i64],
    mut take: impl FnMut(Incoming<'_>) -> Result<(), ArchiveError>,
) -> Result<Vec<String>, ArchiveError> {
    let (batches, incoming) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read((tables, table, places), spelling, rowids, &batches));
        let taken = incoming.iter().try_for_each(|batch: Batch| batch.rows().try_for_each(&mut take));
        // Whoever still reads finds that nobody takes it.
        drop(incoming);
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        taken.and(read)
    })
}

fn read(
    (tables, table, places): (&Tables, &Table, &Places),
    spelling: &Spelling<'_>,
    rowids: &[i64],
    batches: &SyncSender<Batch>,
) -> Result<Vec<String>, ArchiveError> {
    let attested = Attested::read(tables, spelling.kind, rowids)?;
    let mut unattested = Vec::new();
    let names: Vec<&str> = spelling.wanted.names.iter().map(String::as_str).collect();
    let mut places = places.from(i64::MIN);
    let mut batch = Batch::default();
    // The error of who takes them is the one that counts.
    let send = |batch| batches.send(batch).map_err(|_| ArchiveError::Interrupted);
    each_of(tables, table, &names, rowids, |row| {
        let rowid = row.rowid();
        let place = if spelling.kind == Kind::Message { places.of(rowid) } else { 0 };
        let values: Vec<ValueRef<'_>> = (0..names.len()).map(|at| row.value(at)).collect();
        if !attested.vouches_for(rowid, spelling.kind, &spelling.wanted, &values) {
            unattested.push(name_of(spelling.kind, &spelling.wanted, &values));
            return Ok(());
        }
        batch.push(rowid, values, place, spelling);
        if let Some(was) = attested.given_up(rowid) {
            batch.given_up.insert(rowid, was);
        }
        match batch.is_full() {
            true => send(std::mem::take(&mut batch)),
            false => Ok(()),
        }
    })?;
    send(batch)?;
    Ok(unattested)
}

/// Rows, compactly.
#[derive(Default)]
struct Batch {
    /// (row id, fingerprint, hash).
    heads: Vec<(i64, i64, RowHash)>,
    /// By row id, of those that were given up.
    given_up: BTreeMap<i64, RowHash>,
    /// Of all rows, one after the other.
    cells: Vec<Cell>,
    /// Of texts and blobs.
    bytes: Vec<u8>,
}

enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Range<usize>),
    Blob(Range<usize>),
}

impl Batch {
    fn push(&mut self, rowid: i64, values: Vec<ValueRef<'_>>, place: i64, spelling: &Spelling<'_>) {
        let fingerprint = spelling.fingerprint(&values).wrapping_add(place);
        spelling.spell(values, |spelled| self.add(rowid, fingerprint, spelled));
    }

    fn add(&mut self, rowid: i64, fingerprint: i64, row: &Spelled<'_>) {
        self.heads.push((rowid, fingerprint, row.hash));
        for value in &row.values {
            let cell = match *value {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Integer(number),
                ValueRef::Real(number) => Cell::Real(number),
                ValueRef::Text(text) => Cell::Text(self.keep(text)),
                ValueRef::Blob(blob) => Cell::Blob(self.keep(blob)),
            };
            self.cells.push(cell);
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn is_full(&self) -> bool {
        self.heads.len() >= ROWS || self.bytes.len() >= BYTES
    }

    fn rows(&self) -> impl Iterator<Item = Incoming<'_>> {
        let columns = self.cells.len().checked_div(self.heads.len()).unwrap_or(0);
        let mut cells = self.cells.iter();
        self.heads.iter().map(move |&(rowid, fingerprint, hash)| Incoming {
            rowid,
            fingerprint,
            given_up: self.given_up.get(&rowid).copied(),
            row: Spelled {
                values: cells.by_ref().take(columns).map(|cell| self.value(cell)).collect(),
                hash,
            },
        })
    }

    fn value(&self, cell: &Cell) -> ValueRef<'_> {
        let bytes = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        match cell {
            Cell::Null => ValueRef::Null,
            Cell::Integer(number) => ValueRef::Integer(*number),
            Cell::Real(number) => ValueRef::Real(*number),
            Cell::Text(range) => ValueRef::Text(bytes(range)),
            Cell::Blob(range) => ValueRef::Blob(bytes(range)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_as_they_went_in() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        let rows = [
            [Null, Integer(-1), Text(b"a"), Blob(b"\xff\0")],
            [Text(b""), Blob(b""), Real(0.5), Null],
            [Text(b"not \xff UTF-8"), Null, Null, Integer(i64::MAX)],
        ];
        let mut batch = Batch::default();
        for (rowid, values) in (7..).zip(rows) {
            batch.add(rowid, -rowid, &Spelled { values: values.to_vec(), hash: [rowid as u8; 16] });
        }
        let out: Vec<Incoming<'_>> = batch.rows().collect();
        assert_eq!(out.len(), rows.len());
        for ((rowid, values), incoming) in (7..).zip(rows).zip(&out) {
            assert_eq!((incoming.rowid, incoming.fingerprint), (rowid, -rowid));
            assert_eq!((incoming.row.hash, &incoming.row.values[..]), ([rowid as u8; 16], &values[..]));
        }
    }

    #[test]
    fn rows_without_a_column_are_rows() {
        let mut batch = Batch::default();
        for rowid in 0..3 {
            batch.add(rowid, 0, &Spelled { values: Vec::new(), hash: [0; 16] });
        }
        assert_eq!(batch.rows().map(|incoming| incoming.rowid).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_batch_is_full_by_rows_or_by_bytes() {
        let mut batch = Batch::default();
        let row = |bytes| Spelled { values: vec![ValueRef::Text(bytes)], hash: [0; 16] };
        for rowid in 1..ROWS as i64 {
            batch.add(rowid, 0, &row(b"short"));
        }
        assert!(!batch.is_full());
        batch.add(0, 0, &row(b"short"));
        assert!(batch.is_full());
        let mut batch = Batch::default();
        batch.add(0, 0, &row(&[b'x'; BYTES]));
        assert!(batch.is_full());
    }
}
