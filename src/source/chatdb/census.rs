//! What is counted and indexed when a database is opened: index scans only, in compact form.
//!
//! 1,000,000 messages take about 10 MB here, so that nothing needs to be asked of the database for the many rows
//! on which nothing hangs.

mod scan;

use std::collections::{BTreeMap, HashMap};

use roaring::RoaringTreemap;
use rusqlite::Connection;

use super::guids::GuidIndex;
use super::query::Queries;
use crate::source::ChatId;
use scan::{Joins, Rows};

/// A set of row ids.
#[derive(Debug, Default)]
pub(super) struct RowIds(RoaringTreemap);

impl RowIds {
    pub fn insert(&mut self, rowid: i64) -> bool {
        self.0.insert(rowid as u64)
    }

    pub fn contains(&self, rowid: i64) -> bool {
        self.0.contains(rowid as u64)
    }

    pub fn len(&self) -> u64 {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().map(|rowid| rowid as i64)
    }
}

/// The rows of one chat.
#[derive(Debug, Default)]
pub(super) struct ChatRows {
    /// In `chat_message_join`, and in `message`.
    pub joined: RowIds,
    /// In `chat_recoverable_message_join`, and in `message`: (row id, delete date).
    pub deleted: Vec<(i64, i64)>,
    /// Handles of the chat's rows that are not members.
    pub senders: Vec<i64>,
    /// The latest date in `chat_message_join`, raw; 0 where that has none.
    pub last: i64,
}

impl ChatRows {
    pub fn len(&self) -> u64 {
        self.joined.0.len() + self.deleted.len() as u64
    }
}

/// A sum over pairs of row id and date, in any order: two that are equal were made of the same pairs, but for a chance
/// of 1 in 2⁶⁴.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct DateSum(u64);

impl DateSum {
    fn add(&mut self, rowid: i64, date: i64) {
        self.multiply(rowid, date, 2);
    }

    /// What was added once counts `times` times from now on.
    fn multiply(&mut self, rowid: i64, date: i64, times: usize) {
        let pair = mixed((rowid as u64).wrapping_add(mixed(date as u64)));
        self.0 = self.0.wrapping_add(pair.wrapping_mul((times as u64).wrapping_sub(1)));
    }
}

/// Spreads a number over all 64 bits: the last step of SplitMix64.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The dates of joins and of rows, to be compared.
#[derive(Debug)]
struct DateSums {
    joins: DateSum,
    rows: DateSum,
    /// Rows that are not in exactly one join.
    uneven: RowIds,
}

#[derive(Debug)]
pub(super) struct Census {
    /// How many rows `message` has.
    pub messages: u64,
    /// Every chat that a join speaks of.
    pub chats: BTreeMap<i64, ChatRows>,
    /// `chat_handle_join`, in row order.
    pub members: HashMap<i64, Vec<i64>>,
    /// In no chat.
    pub orphans: RowIds,
    /// In more than one chat.
    shared: RowIds,
    /// See [`Census::joins_have_own_dates`].
    dates: DateSums,
    /// The associated rows, by the GUID they point at.
    pub associated: GuidIndex,
    /// All rows by GUID, where the database has no index for that.
    pub guids: Option<GuidIndex>,
    /// Messages with attachments.
    has_attachments: RowIds,
    /// (message, attachment), by message, then in row order.
    attachments: Vec<(i64, i64)>,
    /// Messages of which parts are in Recently Deleted.
    pub deleted_parts: RowIds,
}

impl Census {
    /// Through two connections to the same moment, at the same time.
    pub fn take(
        first: &mut Connection,
        second: &mut Connection,
        queries: &Queries,
    ) -> rusqlite::Result<Census> {
        let (joins, rows) = std::thread::scope(|scope| {
            let joins = scope.spawn(move || Joins::scan(second, queries));
            let rows = Rows::scan(first, queries);
            (joins.join(), rows)
        });
        // A panic in there would be a bug; it goes on here.
        let joins = joins.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut rows = rows?;
        rows.find_missed(&joins, first, queries)?;
        Ok(Census::of(joins, rows))
    }

    fn of(joins: Joins, rows: Rows) -> Census {
        let messages = rows.all();
        let mut chats: BTreeMap<i64, ChatRows> = BTreeMap::new();
        for (chat, mut joined) in joins.joined {
            // A join may speak of rows that are gone.
            joined.0 &= &messages;
            chats.entry(chat).or_default().joined = joined;
        }
        for (chat, last) in joins.last {
            chats.entry(chat).or_default().last = last;
        }
        for (chat, rowid, date) in joins.recoverable {
            let rows = chats.entry(chat).or_default();
            if messages.contains(rowid as u64) {
                rows.deleted.push((rowid, date));
            }
        }
        let mut orphans = messages.clone();
        let mut placed = RoaringTreemap::new();
        let mut shared = RoaringTreemap::new();
        let mut joined_once = RoaringTreemap::new();
        let mut joined_more = RoaringTreemap::new();
        for rows in chats.values_mut() {
            joined_more |= &joined_once & &rows.joined.0;
            joined_once |= &rows.joined.0;
            rows.deleted.sort_unstable();
            rows.deleted.dedup_by_key(|(rowid, _)| *rowid);
            let all = rows.all();
            shared |= &placed & &*all;
            orphans -= &*all;
            placed |= &*all;
        }
        let mut census = Census {
            messages: messages.len(),
            chats,
            members: joins.members,
            orphans: RowIds(orphans),
            shared: RowIds(shared),
            dates: DateSums {
                joins: joins.dates,
                rows: rows.dates,
                uneven: RowIds(&messages - (joined_once - joined_more)),
            },
            associated: rows.associated,
            guids: rows.guids,
            has_attachments: joins.has_attachments,
            attachments: joins.attachments,
            deleted_parts: joins.deleted_parts,
        };
        census.find_senders(rows.by_handle);
        census
    }

    /// Most handles write only in chats that they are members of: only what is left over is looked for in every chat.
    fn find_senders(&mut self, by_handle: HashMap<i64, RowIds>) {
        let mut chats_of: HashMap<i64, Vec<i64>> = HashMap::new();
        for (chat, members) in &self.members {
            for member in members {
                chats_of.entry(*member).or_default().push(*chat);
            }
        }
        // 0 and -1 are the owner, or nobody.
        let mut handles: Vec<_> = by_handle.into_iter().filter(|(h, _)| *h > 0).collect();
        handles.sort_unstable_by_key(|(handle, _)| *handle);
        for (handle, RowIds(mut left)) in handles {
            let chats = chats_of.remove(&handle).unwrap_or_default();
            for rows in chats.iter().filter_map(|chat| self.chats.get(chat)) {
                left -= &*rows.all();
            }
            left -= &self.orphans.0;
            for (chat, rows) in &mut self.chats {
                if left.is_empty() {
                    break;
                }
                let all = rows.all();
                // A row may be in a chat of which its sender is a member, and in another one too.
                if !chats.contains(chat) && !left.is_disjoint(&all) {
                    rows.senders.push(handle);
                }
            }
        }
    }

    /// Is the date in every join the date of its row? Apple's triggers see to that; other programs that made or
    /// changed the database may not have. `false` also where too many rows are in no chat, or in several, to tell
    /// cheaply.
    pub fn joins_have_own_dates(
        &self,
        mut date_of: impl FnMut(i64) -> rusqlite::Result<i64>,
    ) -> rusqlite::Result<bool> {
        let DateSums { joins, rows, uneven } = &self.dates;
        if uneven.len() > (self.messages / 50).max(1_000) {
            return Ok(false);
        }
        let mut rows = *rows;
        for rowid in uneven.iter() {
            let date = date_of(rowid)?;
            let joins = self.chats.values().filter(|chat| chat.joined.contains(rowid)).count();
            rows.multiply(rowid, date, joins);
        }
        Ok(rows == *joins)
    }

    /// Where a row is; its chat with the lowest row id, where it is in several. `known`: one of its chats.
    pub fn chat_of(&self, rowid: i64, known: Option<ChatId>) -> ChatId {
        match known {
            Some(chat) if !self.shared.contains(rowid) => chat,
            _ => self
                .chats
                .iter()
                .find(|(_, rows)| rows.contains(rowid))
                .map_or(ChatId::ORPHANS, |(chat, _)| ChatId(*chat)),
        }
    }

    /// A message's attachments, in the order of the join.
    pub fn attachments_of(&self, message: i64) -> impl Iterator<Item = i64> + '_ {
        let of_message = if self.has_attachments.contains(message) {
            let start = self.attachments.partition_point(|(m, _)| *m < message);
            self.attachments.get(start..).unwrap_or_default()
        } else {
            &[]
        };
        of_message.iter().take_while(move |(m, _)| *m == message).map(|(_, attachment)| *attachment)
    }
}

impl ChatRows {
    fn all(&self) -> std::borrow::Cow<'_, RoaringTreemap> {
        if self.deleted.is_empty() {
            return std::borrow::Cow::Borrowed(&self.joined.0);
        }
        let mut all = self.joined.0.clone();
        all.extend(self.deleted.iter().map(|(rowid, _)| *rowid as u64));
        std::borrow::Cow::Owned(all)
    }

    fn contains(&self, rowid: i64) -> bool {
        self.joined.contains(rowid) || self.delete_date(rowid).is_some()
    }

    /// When a row came to Recently Deleted, raw; `None` where it is not there.
    pub fn delete_date(&self, rowid: i64) -> Option<i64> {
        let at = self.deleted.binary_search_by_key(&rowid, |(rowid, _)| *rowid).ok()?;
        self.deleted.get(at).map(|(_, date)| *date)
    }
}
