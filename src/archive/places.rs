//! Where the messages of a source are: chats, Recently Deleted, their attachments. It goes into their fingerprints.

use std::collections::HashMap;

use roaring::RoaringTreemap;
use rusqlite::types::ValueRef;

use super::ArchiveError;
use super::fingerprint::mixed;
use super::kind::{CARRIED, PLACES, RECENTLY_DELETED};
use super::shares::in_shares;
use crate::source::tables::Tables;

/// Where every message of a source is, compactly: 16 bytes a row of a join.
#[derive(Debug, Default)]
pub struct Places {
    /// (message, what a row of a join adds to its fingerprint), by message.
    rows: Vec<(i64, i64)>,
    /// Messages that are in Recently Deleted and in no chat, with the delete date.
    pub recently_deleted: HashMap<i64, i64>,
    /// Messages that are in a chat; `None` where the source does not say.
    in_chats: Option<RoaringTreemap>,
}

impl Places {
    /// Reads the joins of a source, with `workers` at once.
    pub fn read(tables: &Tables, workers: usize) -> Result<Places, ArchiveError> {
        let mut places = Places::default();
        let joins = [
            (PLACES, "chat_id", None),
            (CARRIED, "attachment_id", None),
            ("recoverable_message_part", "part_index", Some("delete_date")),
            (RECENTLY_DELETED, "chat_id", Some("delete_date")),
        ];
        for (salt, (name, other, date)) in (1i64..).zip(joins) {
            let Some(table) = tables.table(name) else { continue };
            let mut columns = vec!["message_id", other];
            columns.extend(date);
            if columns.iter().any(|column| table.column(column).is_none()) {
                continue;
            }
            let shares = in_shares(tables, table, vec![(); workers.max(1)], |(), share, reader| {
                let mut part = Places::default();
                reader.rows(table, &columns, share, |row| {
                    let message = number(row.value(0));
                    let date = date.map_or(0, |_| number(row.value(2)));
                    match name {
                        RECENTLY_DELETED => drop(part.recently_deleted.insert(message, date)),
                        PLACES => drop(part.in_chats.get_or_insert_default().insert(message.cast_unsigned())),
                        _ => {}
                    }
                    let there = mixed(number(row.value(1)).wrapping_add(mixed(date.wrapping_add(salt))));
                    part.rows.push((message, there));
                    Ok::<(), ArchiveError>(())
                })?;
                Ok(part)
            })?;
            for part in shares {
                places.rows.extend(part.rows);
                places.recently_deleted.extend(part.recently_deleted);
                if let Some(in_chats) = part.in_chats {
                    *places.in_chats.get_or_insert_default() |= in_chats;
                }
            }
            if name == PLACES {
                places.in_chats.get_or_insert_default();
            }
            if name == PLACES && !places.rows.is_sorted() {
                places.rows.sort_unstable();
            }
        }
        if !places.rows.is_sorted() {
            places.rows.sort_unstable();
        }
        Ok(places)
    }

    /// Whether a message is in no chat, be it in Recently Deleted or nowhere at all: left from a chat that is gone. Thousands
    /// of those are normal (`messages-format.md` 13.3).
    pub fn is_in_no_chat(&self, message: i64) -> bool {
        self.in_chats.as_ref().is_some_and(|there| !there.contains(message.cast_unsigned()))
    }

    /// The places from this message on, to be asked of rows in their order.
    pub fn from(&self, message: i64) -> PlacesFrom<'_> {
        let start = self.rows.partition_point(|(of, _)| *of < message);
        PlacesFrom(self.rows.get(start..).unwrap_or_default())
    }
}

/// Goes through the places, message by message.
pub struct PlacesFrom<'p>(&'p [(i64, i64)]);

impl PlacesFrom<'_> {
    /// What the places of a message add to its fingerprint, whatever their order.
    pub fn of(&mut self, message: i64) -> i64 {
        let mut sum = 0i64;
        while let Some(((of, there), rest)) = self.0.split_first()
            && *of <= message
        {
            if *of == message {
                sum = sum.wrapping_add(*there);
            }
            self.0 = rest;
        }
        sum
    }
}

/// A number where one is expected, if it is stored as a text, too; 0 for anything else.
pub fn number(value: ValueRef<'_>) -> i64 {
    match value {
        ValueRef::Integer(number) => number,
        ValueRef::Text(text) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}
