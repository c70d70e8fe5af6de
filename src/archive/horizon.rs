//! How far back a source goes, by Keep Messages: what is older went by its age.
//!
//! | the setting | what went by its age |
//! |---|---|
//! | is known | what is older, where nothing that the source has is too old for it; but for what survived: it was there when the setting had long been in force that would have removed it |
//! | is known, and something survived | that, nevertheless, where the tails of several conversations that go on went at once: Messages began to remove what is old |
//! | is not | what is older than 30 days, or else than a year, where nothing that the source has is too old for that, nor anything that goes now was when the source was read before: then Messages would have removed it |
//! | is not, and something was | that, nevertheless, as above |
//!
//! What is read rarely had nothing that was too old when it was read before, so it goes by its age. Where few went that had been
//! too old, or those of one conversation, nobody knows by whom, and what the source lists counts.
//!
//! **Must never**: take what nobody sees for something that was kept: what is in Recently Deleted, or in no chat.

use std::collections::HashSet;
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension};

use super::ArchiveError;
use super::absence::{Conversations, in_nanoseconds};
use super::deletions::{state_before, states_before};
use super::kept::Kept;
use super::places::{Places, number};
use crate::source::tables::Tables;
use crate::source::{KeepMessages, apple_date};

const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
/// The days that Keep Messages can be set to.
const KEPT: [u32; 2] = [30, 365];
/// Messages removes what is too old once in a while.
const LATE: i64 = 3 * DAY;
/// As many as nobody picks out by their age, in several conversations.
const TAIL: usize = 10;

/// What a source loses at once, as far as it tells whether that went by its age.
pub struct Going<'g, 'c> {
    connection: &'c Connection,
    conversations: &'g Conversations<'c>,
    /// Until when the source is known to have had all of it (Apple's date); `None`: it was not read before.
    until: Option<i64>,
    /// The source as it was before, unless it was restored since: then the setting may have been another one.
    read: Option<(i64, i64)>,
    /// (date, id), the oldest first; those without a date are none.
    messages: Vec<(i64, i64)>,
}

impl<'g, 'c> Going<'g, 'c> {
    /// `before`: the sources that it was until it was restored; `ids`: what it has no more.
    pub fn of(
        connection: &'c Connection,
        conversations: &'g Conversations<'c>,
        (source, before, run): (i64, &[i64], i64),
        ids: &[i64],
    ) -> rusqlite::Result<Going<'g, 'c>> {
        let mut until = None;
        for source in before.iter().chain([&source]) {
            until = until.max(state_before(connection, *source, run)?);
        }
        let mut date = connection.prepare("SELECT date FROM message WHERE ROWID = ?1")?;
        let mut messages = Vec::with_capacity(ids.len());
        for id in ids {
            let date = date.query_row([id], |row| Ok(number(row.get_ref(0)?))).optional()?;
            messages.extend(date.filter(|date| *date != 0).map(|date| (in_nanoseconds(date), *id)));
        }
        messages.sort_unstable();
        messages.dedup();
        let read = before.is_empty().then_some((source, run));
        Ok(Going { connection, conversations, until, read, messages })
    }

    /// Whether it bears out that Messages removes what is older than `kept`, which is what was before `horizon`.
    fn bears_out(&self, kept: i64, horizon: i64) -> rusqlite::Result<bool> {
        let (Some(until), Some((oldest, _))) = (self.until, self.messages.first()) else { return Ok(true) };
        let was_too_old = until.saturating_sub(*oldest) > kept.saturating_add(LATE);
        Ok(!was_too_old || self.is_the_tail(horizon)?)
    }

    /// The date before which what goes survived a setting; `i64::MIN` where nothing did, or all of it went now nevertheless.
    /// `since`: it is in force (Apple's date).
    fn survived(&self, kept: i64, since: Option<i64>) -> rusqlite::Result<i64> {
        let (Some(until), Some((source, run))) = (self.until, self.read) else { return Ok(i64::MIN) };
        // A Mac that was off, and a setting that was changed, have some days left to remove what is too old.
        let states = states_before(self.connection, source, run)?;
        let settled = states.iter().rfind(|state| **state <= until.saturating_sub(LATE));
        let seen = match since {
            None => settled.or(states.first()),
            Some(since) => settled.filter(|settled| **settled >= since),
        };
        let Some(seen) = seen else { return Ok(i64::MIN) };
        let survived = seen.saturating_sub(kept).saturating_sub(LATE);
        Ok(if self.is_the_tail(survived)? { i64::MIN } else { survived })
    }

    /// Many went, of several conversations that go on.
    fn is_the_tail(&self, horizon: i64) -> rusqlite::Result<bool> {
        let (mut went, mut of) = (0, HashSet::new());
        for (date, id) in self.messages.iter().take_while(|(date, _)| *date < horizon) {
            if let Some(conversation) = self.conversations.going_on(*id, *date)? {
                went += 1;
                of.insert(conversation);
            }
            if went >= TAIL && of.len() > 1 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The dates of what Keep Messages removed; `None` where nothing went by its age. `now`: when the source was as it is.
pub fn aged_out(
    (tables, places, setting): (&Tables, &Places, Kept),
    now: i64,
    going: &Going<'_, '_>,
) -> Result<Option<Range<i64>>, ArchiveError> {
    let failed = || ArchiveError::of(going.connection);
    let of_days = |days: &u32| i64::from(*days).saturating_mul(DAY);
    let (settings, is_known): (Vec<i64>, bool) = match setting.setting {
        Some(KeepMessages::Forever) => return Ok(None),
        Some(KeepMessages::Days(days)) => (vec![of_days(&days)], true),
        None => (KEPT.iter().map(of_days).collect(), false),
    };
    let Some(message) = tables.table("message").filter(|table| table.column("date").is_some()) else {
        return Ok(None);
    };
    let is_nowhere = |rowid: i64| places.recently_deleted.contains_key(&rowid) || places.is_in_no_chat(rowid);
    let oldest = tables.reader().earliest(message, "date", is_nowhere)?;
    let Some(oldest) = oldest.map(in_nanoseconds) else { return Ok(None) };
    let is_old_enough = |kept: &i64| now.saturating_sub(oldest) <= kept.saturating_add(LATE);
    for kept in settings.into_iter().filter(is_old_enough) {
        // Something older that is still there was not too old; nor is what has not been there for so long.
        let horizon = oldest.min(now.saturating_sub(kept));
        if is_known {
            let survived = going.survived(kept, setting.since.map(apple_date)).map_err(failed())?;
            return Ok(Some(survived..horizon));
        }
        if going.bears_out(kept, horizon).map_err(failed())? {
            return Ok(Some(i64::MIN..horizon));
        }
    }
    Ok(None)
}
