//! How far back a source goes, by Keep Messages: what is older went by its age.
//!
//! | the setting | what went by its age |
//! |---|---|
//! | is known | what is older, where nothing that the source has is too old for it |
//! | is not | what is older than 30 days, or else than a year, where nothing that the source has is too old for that, nor anything that goes now was when the source was read before: then Messages would have removed it |
//! | is not, and something was | that, nevertheless, where the tails of several conversations that go on went at once: Messages began to remove what is old |
//!
//! What is read rarely had nothing that was too old when it was read before, so it goes by its age. Where few went that had been
//! too old, or those of one conversation, nobody knows by whom, and what the source lists counts.
//!
//! **Must never**: take what nobody sees for something that was kept: what is in Recently Deleted, or in no chat.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::ArchiveError;
use super::absence::{Conversations, in_nanoseconds};
use super::deletions::state_before;
use super::places::{Places, number};
use crate::source::KeepMessages;
use crate::source::tables::Tables;

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
        Ok(Going { connection, conversations, until, messages })
    }

    /// Whether it bears out that Messages removes what is older than `kept`, which is what was before `horizon`.
    fn bears_out(&self, kept: i64, horizon: i64) -> rusqlite::Result<bool> {
        let (Some(until), Some((oldest, _))) = (self.until, self.messages.first()) else { return Ok(true) };
        let was_too_old = until.saturating_sub(*oldest) > kept.saturating_add(LATE);
        Ok(!was_too_old || self.is_the_tail(horizon)?)
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

/// The date before which Keep Messages removed everything; `None` where nothing went by its age. `now`: when the source was as
/// it is.
pub fn horizon(
    tables: &Tables,
    places: &Places,
    now: i64,
    going: &Going<'_, '_>,
) -> Result<Option<i64>, ArchiveError> {
    let of_days = |days: &u32| i64::from(*days).saturating_mul(DAY);
    let (settings, is_known): (Vec<i64>, bool) = match tables.info().keep_messages {
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
        if is_known || going.bears_out(kept, horizon).map_err(ArchiveError::of(going.connection))? {
            return Ok(Some(horizon));
        }
    }
    Ok(None)
}
