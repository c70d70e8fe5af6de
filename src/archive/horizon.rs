//! How far back a source goes, by Keep Messages: what is older went by its age.
//!
//! **Must never**: take what nobody sees for something that was kept: what is in Recently Deleted, or in no chat.

use roaring::RoaringTreemap;

use super::ArchiveError;
use super::absence::in_nanoseconds;
use super::kind::PLACES;
use super::places::{Places, number};
use crate::source::KeepMessages;
use crate::source::tables::Tables;

const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
/// The days that Keep Messages can be set to.
const KEPT: [u32; 2] = [30, 365];
/// Messages removes what is too old once in a while.
const LATE: i64 = 3 * DAY;

/// The date before which Keep Messages removed everything; `None` where the source has something that is too old for what it
/// is set to, or for anything that it can be set to.
pub fn horizon(tables: &Tables, places: &Places, now: i64) -> Result<Option<i64>, ArchiveError> {
    let of_days = |days: &u32| i64::from(*days).saturating_mul(DAY);
    let settings: Vec<i64> = match tables.info().keep_messages {
        Some(KeepMessages::Forever) => return Ok(None),
        Some(KeepMessages::Days(days)) => vec![of_days(&days)],
        None => KEPT.iter().map(of_days).collect(),
    };
    let Some(message) = tables.table("message").filter(|table| table.column("date").is_some()) else {
        return Ok(None);
    };
    let in_chats = in_chats(tables)?;
    let is_nowhere = |rowid: i64| {
        places.recently_deleted.contains_key(&rowid)
            || in_chats.as_ref().is_some_and(|there| !there.contains(rowid.cast_unsigned()))
    };
    let oldest = tables.reader().earliest(message, "date", is_nowhere)?;
    let Some(oldest) = oldest.map(in_nanoseconds) else { return Ok(None) };
    let kept = settings.into_iter().find(|kept| now.saturating_sub(oldest) <= kept.saturating_add(LATE));
    // Something older that is still there was not too old; nor is what has not been there for so long.
    Ok(kept.map(|kept| oldest.min(now.saturating_sub(kept))))
}

/// The messages that are in a chat; `None` where the source does not say. What is in none is left from chats that are gone,
/// and thousands of them are normal (`messages-format.md` 13.3).
fn in_chats(tables: &Tables) -> Result<Option<RoaringTreemap>, ArchiveError> {
    let Some(table) = tables.table(PLACES).filter(|table| table.column("message_id").is_some()) else {
        return Ok(None);
    };
    let mut there = RoaringTreemap::new();
    tables.reader().rows(table, &["message_id"], i64::MIN..=i64::MAX, |row| {
        there.insert(number(row.value(0)).cast_unsigned());
        Ok::<(), ArchiveError>(())
    })?;
    Ok(Some(there))
}
