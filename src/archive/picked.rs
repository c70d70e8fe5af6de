//! Rows of a source, picked by their row ids.

use super::ArchiveError;
use crate::source::tables::{Table, TableRow, Tables};

/// How far apart row ids may be to be read together.
const APART: i64 = 64;

/// Calls `each` for the rows with these row ids, which are sorted.
pub fn each_of(
    tables: &Tables,
    table: &Table,
    columns: &[&str],
    rowids: &[i64],
    mut each: impl FnMut(&TableRow<'_, '_>) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let reader = tables.reader();
    for near in rowids.chunk_by(|a, b| b.saturating_sub(*a) <= APART) {
        let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
        let mut wanted = near.iter().peekable();
        reader.rows(table, columns, *first..=*last, |row| {
            let rowid = row.rowid();
            while wanted.next_if(|next| **next < rowid).is_some() {}
            match wanted.peek() {
                Some(next) if **next == rowid => each(row),
                _ => Ok(()),
            }
        })?;
    }
    Ok(())
}
