//! Dividing a conversation into windows.

use rusqlite::{CachedStatement, OptionalExtension, params};

use super::census::ChatRows;
use super::session::Reader;
use crate::source::database::{Columns, damaged};
use crate::source::timeline::{Listed, Moment, Sample};
use crate::source::{ChatId, SourceError, Timeline};

impl Reader<'_> {
    /// By ranges of the join's dates, where those are the rows' own and in the order of the instants they mean;
    /// else by a list of the rows, 24 bytes each.
    pub(super) fn divide(&mut self, chats: &[ChatId], size: usize) -> Result<Timeline, SourceError> {
        let size = size.max(1);
        let mut timeline = Timeline { chats: chats.to_vec(), ..Timeline::default() };
        let nothing = ChatRows::default();
        let census = self.census();
        let rows_of = |chat: &ChatId| census.chats.get(&chat.0).unwrap_or(&nothing);
        let by_range = self.db.joins_have_own_dates && self.dates_ascend(chats)?;
        for (index, chat) in (0..).zip(chats) {
            let listed = |rowid, deleted| Listed { date: 0, rowid, chat: index, deleted };
            if *chat == ChatId::ORPHANS {
                let orphans = census.orphans.iter().map(|rowid| listed(rowid, false));
                timeline.listed.extend(orphans);
                continue;
            }
            let rows = rows_of(chat);
            timeline.rows += rows.len();
            if !by_range {
                let joined = rows.joined.iter().map(|rowid| listed(rowid, false));
                timeline.listed.extend(joined);
            } else if !rows.joined.is_empty() {
                timeline.joined.push(chat.0);
            }
            let deleted = rows.deleted.iter().map(|(rowid, _)| listed(*rowid, true));
            timeline.listed.extend(deleted);
        }
        if chats.contains(&ChatId::ORPHANS) {
            timeline.rows += census.orphans.len();
        }
        self.date(&mut timeline.listed)?;
        timeline.listed.sort_unstable_by_key(|row| (row.moment(), row.rowid, row.chat, row.deleted));
        if timeline.rows > 0 {
            let samples = self.samples(&timeline, size)?;
            timeline.cut(samples, size);
        }
        Ok(timeline)
    }

    /// Do the dates in the join order these chats' rows as the instants they mean do? Not so where rows have no
    /// date, or where old rows in seconds and new ones in nanoseconds overlap.
    fn dates_ascend(&self, chats: &[ChatId]) -> Result<bool, SourceError> {
        let queries = self.queries();
        let (Some(undated), Some(units)) = (&queries.undated, &queries.units) else {
            return Ok(false);
        };
        let read = || -> rusqlite::Result<bool> {
            let mut undated = self.connection().prepare_cached(undated)?;
            let mut units = self.connection().prepare_cached(units)?;
            let (mut last_second, mut first_nano) = (None, None);
            for chat in chats.iter().filter(|chat| **chat != ChatId::ORPHANS) {
                if undated.query_row([chat.0], |row| row.get(0))? {
                    return Ok(false);
                }
                let (seconds, nanos) = units.query_row([chat.0], |row| {
                    let mut c = Columns::from(row, 0);
                    Ok((c.maybe_number(), c.maybe_number()))
                })?;
                last_second = last_second.max(seconds.map(Moment::of));
                let nanos = nanos.map(Moment::of);
                first_nano = match (first_nano, nanos) {
                    (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
                    (a, b) => a.or(b),
                };
            }
            Ok(match (last_second, first_nano) {
                (Some(last), Some(first)) => last < first,
                _ => true,
            })
        };
        read().map_err(self.failed())
    }

    /// Gives listed rows their own dates.
    fn date(&self, listed: &mut [Listed]) -> Result<(), SourceError> {
        // A seek costs about what a scan of the index spends on 50 rows.
        if (listed.len() as u64).saturating_mul(50) > self.census().messages {
            let dates = self.dates()?;
            for row in listed {
                if let Ok(at) = dates.binary_search_by_key(&row.rowid, |(rowid, _)| *rowid) {
                    row.date = dates.get(at).map_or(0, |(_, date)| *date);
                }
            }
            return Ok(());
        }
        let read = || -> rusqlite::Result<()> {
            let mut statement = self.connection().prepare_cached(&self.queries().date)?;
            for row in listed {
                let dated = self.db.disk.ask(self.connection(), || date(&mut statement, row.rowid));
                row.date = match dated {
                    // The page shows it as unreadable.
                    Err(error) if damaged(&error) => 0,
                    date => date?,
                };
            }
            Ok(())
        };
        read().map_err(self.failed())
    }

    /// Every so many rows, a date: from each chat's index, and from the listed rows.
    fn samples(&self, timeline: &Timeline, size: usize) -> Result<Vec<Sample>, SourceError> {
        let streams = timeline.joined.len() + usize::from(!timeline.listed.is_empty());
        // One stream can be cut exactly; of several, each may be a step off.
        let step = if streams <= 1 { size } else { (size / (2 * streams)).max(1) };
        let mut samples = timeline.listed_samples(step);
        let Some(sql) = &self.queries().sample else {
            return Ok(samples);
        };
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection().prepare_cached(sql)?;
            for chat in &timeline.joined {
                let mut after = i64::MIN;
                let further = i64::try_from(step - 1).unwrap_or(i64::MAX);
                let rows = self.census().chats.get(chat).map_or(0, |rows| rows.joined.len());
                // A fraction in the index may be met twice; more often than that only in a damaged index, which could
                // go on for ever.
                for _ in 0..2 * (rows / step as u64) + 2 {
                    let date = statement
                        .query_row(params![chat, after, further], |row| Ok(Columns::from(row, 0).number()))
                        .optional()?;
                    let Some(date) = date else { break };
                    // A fraction in the index would read as the number before.
                    let date = date.max(after.saturating_add(1));
                    samples.push(Sample { moment: Moment::of(date), date, amount: step });
                    after = date;
                }
            }
            Ok(())
        };
        read().map_err(self.failed())?;
        samples.sort_unstable_by_key(|sample| sample.moment);
        Ok(samples)
    }
}

fn date(statement: &mut CachedStatement<'_>, rowid: i64) -> rusqlite::Result<i64> {
    let date = statement.query_row([rowid], |row| Ok(Columns::from(row, 0).number())).optional()?;
    Ok(date.unwrap_or(0))
}
