//! Messages that are as they were, and name a row that came after them: their sender, their chat, what they carry. Until then
//! they name nobody ([`dangling`](super::spelling::dangling)); now they are news.
//!
//! **Must never**: ask anything of a source to which no such row came.

use std::collections::HashSet;

use super::ArchiveError;
use super::kind::{JOINS, Kind, RECENTLY_DELETED};
use super::places::number;
use super::scan::Scan;
use crate::source::tables::Tables;

/// The messages of a source, by row id, that name rows which it had not when it was read last. `scans`: of all that can be
/// named.
pub fn naming(tables: &Tables, scans: &[(Kind, Scan)]) -> Result<HashSet<i64>, ArchiveError> {
    let mut naming = HashSet::new();
    for (kind, scan) in scans {
        let came = &scan.came;
        if came.is_empty() {
            continue;
        }
        // A table, its columns that name such a row, and the one that names the message; `None`: its own row id.
        let mut tables_naming: Vec<(&str, Vec<&str>, Option<&str>)> = Vec::new();
        if *kind == Kind::Handle {
            tables_naming.push((Kind::Message.table(), Kind::Message.refers_to_handles().to_vec(), None));
        }
        for join in JOINS.iter().filter(|join| join.of_messages()) {
            if let Some((column, _)) = join.other().filter(|(_, other)| other == kind) {
                tables_naming.push((join.table, vec![column], Some(join.owner().0)));
            }
        }
        if *kind == Kind::Chat {
            tables_naming.push((RECENTLY_DELETED, vec!["chat_id"], Some("message_id")));
        }
        for (name, mut columns, message) in tables_naming {
            let Some(table) = tables.table(name) else { continue };
            columns.retain(|column| table.column(column).is_some());
            let named = columns.len();
            columns.extend(message);
            if columns.iter().any(|column| table.column(column).is_none()) {
                continue;
            }
            tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
                if (0..named).any(|at| came.binary_search(&number(row.value(at))).is_ok()) {
                    naming.insert(message.map_or_else(|| row.rowid(), |_| number(row.value(named))));
                }
                Ok::<(), ArchiveError>(())
            })?;
        }
    }
    Ok(naming)
}
