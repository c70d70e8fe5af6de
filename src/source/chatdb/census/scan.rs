//! The scans that a census is taken from: small tables, and indexes of `message`.
//!
//! **Must never**: read the messages themselves, unless a damaged index leaves no other way.

use std::collections::{HashMap, HashSet};

use roaring::RoaringTreemap;
use rusqlite::{Connection, OptionalExtension};

use super::{DateSum, RowIds};
use crate::source::chatdb::guids::{GuidIndex, target_of};
use crate::source::chatdb::query::Queries;
use crate::source::database::{Columns, Disk, damaged, scan};

/// Rows by chat or by handle, in whatever order a scan yields them: a table has them by time, its index by key.
#[derive(Default)]
struct Grouped(foldhash::HashMap<i64, Group>);

#[derive(Default)]
struct Group {
    rows: RowIds,
    /// Rows that are not in `rows` yet.
    waiting: Vec<u64>,
}

impl Grouped {
    fn insert(&mut self, key: i64, rowid: i64) {
        let group = self.0.entry(key).or_default();
        group.waiting.push(rowid as u64);
        if group.waiting.len() == Group::WAITING {
            group.settle();
        }
    }

    fn finish(self) -> HashMap<i64, RowIds> {
        let settled = self.0.into_iter().map(|(key, mut group)| {
            group.settle();
            (key, group.rows)
        });
        settled.collect()
    }
}

impl Group {
    /// Sorted rows enter a set many times faster than single ones; so many are kept until then.
    const WAITING: usize = 1 << 10;

    fn settle(&mut self) {
        self.waiting.sort_unstable();
        self.waiting.dedup();
        let rows = &mut self.rows.0;
        // Only rows behind those that are there can be appended.
        if rows.append(self.waiting.iter().copied()).is_err() {
            rows.extend(self.waiting.iter().copied());
        }
        self.waiting.clear();
    }
}

/// What the small tables say.
pub(super) struct Joins {
    pub joined: HashMap<i64, RowIds>,
    /// The latest date of each chat; 0 where there is none.
    pub last: foldhash::HashMap<i64, i64>,
    pub dates: DateSum,
    pub recoverable: Vec<(i64, i64, i64)>,
    pub members: HashMap<i64, Vec<i64>>,
    pub has_attachments: RowIds,
    pub attachments: Vec<(i64, i64)>,
    pub deleted_parts: RowIds,
}

impl Joins {
    pub fn scan(connection: &Connection, queries: &Queries) -> rusqlite::Result<Joins> {
        let mut joined = Grouped::default();
        let mut dates = DateSum::default();
        let mut last: foldhash::HashMap<i64, i64> = foldhash::HashMap::default();
        scan(connection, queries.joined.as_deref(), |c| {
            if let (Some(chat), Some(message)) = (c.maybe_number(), c.maybe_number()) {
                let date = c.number();
                joined.insert(chat, message);
                dates.add(message, date);
                // Nanoseconds are larger numbers than the older seconds.
                let latest = last.entry(chat).or_default();
                *latest = date.max(*latest);
            }
        })?;
        let mut recoverable = Vec::new();
        scan(connection, queries.recoverable.as_deref(), |c| {
            if let (Some(chat), Some(message)) = (c.maybe_number(), c.maybe_number()) {
                recoverable.push((chat, message, c.number()));
            }
        })?;
        let mut members: HashMap<i64, Vec<i64>> = HashMap::new();
        let mut seen = HashSet::new();
        scan(connection, queries.members.as_deref(), |c| {
            if let (Some(chat), Some(handle)) = (c.maybe_number(), c.maybe_number())
                && seen.insert((chat, handle))
            {
                members.entry(chat).or_default().push(handle);
            }
        })?;
        let mut has_attachments = RowIds::default();
        let mut attachments = Vec::new();
        scan(connection, queries.attached.as_deref(), |c| {
            if let (Some(message), Some(attachment)) = (c.maybe_number(), c.maybe_number()) {
                has_attachments.insert(message);
                attachments.push((message, attachment));
            }
        })?;
        attachments.sort_by_key(|(message, _)| *message);
        attachments.shrink_to_fit();
        let mut deleted_parts = RowIds::default();
        scan(connection, queries.recoverable_parts.as_deref(), |c| {
            deleted_parts.insert(c.number());
        })?;
        Ok(Joins {
            joined: joined.finish(),
            last,
            dates,
            recoverable,
            members,
            has_attachments,
            attachments,
            deleted_parts,
        })
    }
}

/// What indexes of `message` say.
pub(super) struct Rows {
    pub by_handle: HashMap<i64, RowIds>,
    pub dates: DateSum,
    pub associated: GuidIndex,
    pub guids: Option<GuidIndex>,
}

impl Rows {
    pub fn scan(connection: &Connection, queries: &Queries) -> rusqlite::Result<Rows> {
        let mut by_handle = Grouped::default();
        let mut dates = DateSum::default();
        scan(connection, Some(&queries.messages), |c| {
            let rowid = c.number();
            by_handle.insert(c.number(), rowid);
            dates.add(rowid, c.number());
        })?;
        let mut associated = Vec::new();
        scan(connection, queries.associated.as_deref(), |c| {
            let rowid = c.number();
            c.with_text(|guid| associated.push((GuidIndex::hash(target_of(guid)), rowid)));
        })?;
        let guids = match &queries.guids {
            None => None,
            Some(sql) => {
                let mut guids = Vec::new();
                scan(connection, Some(sql), |c| {
                    let rowid = c.number();
                    c.with_text(|guid| guids.push((GuidIndex::hash(guid), rowid)));
                })?;
                Some(GuidIndex::new(guids))
            }
        };
        Ok(Rows { by_handle: by_handle.finish(), dates, associated: GuidIndex::new(associated), guids })
    }

    pub fn all(&self) -> RoaringTreemap {
        let mut all = RoaringTreemap::new();
        for of_handle in self.by_handle.values() {
            all |= &of_handle.0;
        }
        all
    }

    /// A join speaks of a row that the scan did not meet: as a rule the row is gone, and in a file with a damaged index
    /// it is there all the same.
    pub fn find_missed(
        &mut self,
        joins: &Joins,
        connection: &Connection,
        queries: &Queries,
    ) -> rusqlite::Result<()> {
        let mut missed = RoaringTreemap::new();
        for rows in joins.joined.values() {
            missed |= &rows.0;
        }
        missed.extend(joins.recoverable.iter().map(|(_, rowid, _)| *rowid as u64));
        missed -= self.all();
        let disk = Disk::default();
        let mut statement = connection.prepare(&queries.handle_and_date)?;
        for rowid in missed.iter().map(|rowid| rowid as i64) {
            let found = disk.ask(connection, || {
                let found = statement.query_row([rowid], |row| {
                    let mut c = Columns::from(row, 0);
                    Ok((c.number(), c.number()))
                });
                found.optional()
            });
            match found {
                Ok(None) => {}
                Ok(Some((handle, date))) => {
                    self.by_handle.entry(handle).or_default().insert(rowid);
                    self.dates.add(rowid, date);
                }
                // Whether it is there cannot be known. Its page says what can be read of it.
                Err(error) if damaged(&error) => {
                    self.by_handle.entry(0).or_default().insert(rowid);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
