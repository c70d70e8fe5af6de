//! Messages by their dates, the newest first, for who wants only some of many.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _};

use super::absence::in_nanoseconds;
use super::places::number;

/// Of so many, each is looked up; of more, all there are are gone through until enough of these were met.
const FEW: usize = 2000;
/// Dates below are in seconds (`messages-format.md` 3.1).
const IN_SECONDS: i64 = 1_000_000_000_000;

/// Calls `each` with these messages and their dates in nanoseconds, the newest first, until it has enough: then it says
/// `false`.
pub fn newest_first(
    connection: &Connection,
    ids: Vec<i64>,
    each: impl FnMut(i64, i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    match ids.len() <= FEW {
        true => sorted(connection, ids, each),
        false => met(connection, ids, each),
    }
}

fn sorted(
    connection: &Connection,
    ids: Vec<i64>,
    mut each: impl FnMut(i64, i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut date = connection.prepare("SELECT date FROM message WHERE ROWID = ?1")?;
    let mut dated = Vec::with_capacity(ids.len());
    for id in ids {
        let date = date.query_row([id], |row| Ok(number(row.get_ref(0)?))).optional()?;
        dated.push((date.map_or(0, in_nanoseconds), id));
    }
    dated.sort_unstable();
    for (date, id) in dated.into_iter().rev() {
        if !each(id, date)? {
            break;
        }
    }
    Ok(())
}

/// Goes through the index of dates: those in nanoseconds and those in seconds are each in their order.
fn met(
    connection: &Connection,
    ids: Vec<i64>,
    mut each: impl FnMut(i64, i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut left: HashSet<i64> = ids.into_iter().collect();
    let walk = |which: &str| {
        connection
            .prepare(&format!("SELECT date, ROWID FROM message WHERE {which} ORDER BY date DESC, ROWID DESC"))
    };
    let mut statements = [walk(&format!("date >= {IN_SECONDS}"))?, walk(&format!("date < {IN_SECONDS}"))?];
    let [nanoseconds, seconds] = &mut statements;
    let mut walks = [nanoseconds.query([])?, seconds.query([])?];
    let mut next = |at: usize| -> rusqlite::Result<Option<(i64, i64)>> {
        let Some(row) = walks.get_mut(at).map(|walk| walk.next()).transpose()?.flatten() else {
            return Ok(None);
        };
        Ok(Some((in_nanoseconds(number(row.get_ref(0)?)), row.get(1)?)))
    };
    let mut heads = [next(0)?, next(1)?];
    while !left.is_empty() {
        let newer = usize::from(heads[0] < heads[1]);
        let Some((date, id)) = heads[newer] else { break };
        heads[newer] = next(newer)?;
        if left.remove(&id) && !each(id, date)? {
            return Ok(());
        }
    }
    // Those without a date.
    let mut left: Vec<i64> = left.into_iter().collect();
    left.sort_unstable();
    for id in left.into_iter().rev() {
        if !each(id, 0)? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_in_whatever_unit_their_dates_are() {
        let db = Connection::open_in_memory().unwrap();
        let second = 1_000_000_000_i64;
        db.execute_batch(&format!(
            "CREATE TABLE message (date INTEGER); CREATE INDEX message_idx_date ON message (date);
             INSERT INTO message (ROWID, date) VALUES (1, 400), (2, 1100 * {second}), (3, NULL), (4, 5000 * {second}),
                 (5, 600), (6, 5500 * {second}), (7, 0), (8, 5200 * {second})"
        ))
        .unwrap();
        for few in [true, false] {
            let mut found = Vec::new();
            let each = |id, _| {
                found.push(id);
                Ok(found.len() < 6)
            };
            let ids = vec![1, 2, 3, 4, 5, 6, 7];
            let done = if few { sorted(&db, ids, each) } else { met(&db, ids, each) };
            done.unwrap();
            assert_eq!(found, [6, 4, 2, 5, 1, 7]);
        }
    }
}
