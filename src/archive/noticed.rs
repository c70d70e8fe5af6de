//! What a run noticed of what is gone and of what came back, in numbers: of messages, however many sources tell of one.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;

use super::absence::Reason;
use super::guess::IS_GUESSED;
use super::record::Counts;
use super::replaced::Replacing;
use super::row::text_at;

/// Counts what a run wrote down of absences, in one look at all of them.
pub fn count(connection: &Connection, run: i64, counts: &mut Counts) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!(
        "SELECT message, reason, run = ?1, gone = ?1, returned = ?1, {IS_GUESSED} FROM msgarchive_absence a \
         WHERE run = ?1 OR gone = ?1 OR returned = ?1"
    ))?;
    let mut rows = statement.query([run])?;
    // Of several reasons, the one that says most.
    let mut absent: BTreeMap<i64, (Reason, bool)> = BTreeMap::new();
    let (mut gone, mut returned) = (HashSet::new(), HashSet::new());
    while let Some(row) = rows.next()? {
        let is = |at| Ok::<bool, rusqlite::Error>(row.get::<_, Option<bool>>(at)?.unwrap_or(false));
        let message = row.get(0)?;
        let reason = Reason::named(&text_at(row, 1)?.unwrap_or_default()).unwrap_or(Reason::Unexplained);
        if is(4)? {
            returned.insert(message);
        } else if is(2)? {
            let why = (reason, is(5)?);
            let of = absent.entry(message).or_insert(why);
            *of = why.min(*of);
        } else if is(3)? {
            gone.insert(message);
        }
    }
    for (reason, is_guessed) in absent.values() {
        *counts.absent.entry(*reason).or_default() += 1;
        counts.guessed += u64::from(*is_guessed);
    }
    let replacing = Replacing::new(connection, None);
    for (message, _) in absent.iter().filter(|(_, (reason, _))| *reason == Reason::Deleted) {
        counts.tapbacks_replaced += u64::from(replacing.by(*message)?.is_some());
    }
    counts.gone = gone.iter().filter(|message| !absent.contains_key(message)).count() as u64;
    // One that was deleted again is no more there than it was.
    counts.returned = returned.iter().filter(|message| !absent.contains_key(message)).count() as u64;
    Ok(())
}
