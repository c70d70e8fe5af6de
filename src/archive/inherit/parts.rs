//! Which parts of messages the sources of another archive have in Recently Deleted.
//!
//! **Must never**: take for evidence what repeats another source. Archives that repeat one another would keep it for ever.

use std::collections::{HashMap, HashSet};

use rusqlite::types::ValueRef;

use super::Heir;
use crate::archive::ArchiveError;
use crate::archive::deleted_parts::{DELETED_PARTS, DeletedParts, Known};
use crate::archive::kind::Kind;
use crate::archive::places::number;
use crate::archive::sums::SOURCES;
use crate::source::SourceKind;
use crate::source::tables::text;

impl Heir<'_> {
    /// Which parts its sources have in Recently Deleted, and have there no more; but for what this very archive knew before
    /// the two parted. What others repeat of them is no evidence that somebody has them still.
    pub(super) fn deleted_parts(&self) -> Result<(), ArchiveError> {
        let (Some(table), Some(sources)) = (self.tables.table(DELETED_PARTS), self.tables.table(SOURCES))
        else {
            return Ok(());
        };
        let (mut archives, mut last, mut lying) = (HashSet::new(), HashMap::new(), HashMap::new());
        let reader = self.tables.reader();
        reader.rows(sources, &["source", "kind", "path", "last_run"], i64::MIN..=i64::MAX, |row| {
            let (source, run) = (number(row.value(0)), number(row.value(3)));
            if row.value(1) == ValueRef::Text(SourceKind::Archive.name().as_bytes()) {
                archives.insert(source);
            }
            let path = text(row.value(2)).unwrap_or_default();
            let of_path = last.entry(path.clone()).or_insert(run);
            *of_path = run.max(*of_path);
            lying.insert(source, (path, run));
            Ok::<(), ArchiveError>(())
        })?;
        // Another one took its place.
        let is_replaced = |source: i64| {
            let lies = lying.get(&source);
            lies.is_some_and(|(path, run)| last.get(path).is_some_and(|last| last > run))
        };
        let mut known = Known::new();
        reader.all(table, &["message", "part", "source", "since", "gone"], |row| {
            let [message, part, source, since] = [0, 1, 2, 3].map(|at| number(row.value(at)));
            let is_there = row.value(4) == ValueRef::Null;
            let noted = if is_there { since } else { number(row.value(4)) };
            if noted <= self.shared || is_there && (archives.contains(&source) || is_replaced(source)) {
                return Ok(());
            }
            if let Some(message) = self.here(Kind::Message, message).map_err(self.failed())? {
                *known.entry((message, part)).or_default() |= is_there;
            }
            Ok::<(), ArchiveError>(())
        })?;
        DeletedParts::new(self.connection, self.visit).inherit(&known).map_err(self.failed())
    }
}
