//! Messages by their dates, the newest first, for who wants only some of many.

use rusqlite::{Connection, OptionalExtension as _};

use super::absence::in_nanoseconds;
use super::places::number;

/// Of so many, each is looked up; of more, all there are are gone through until enough of these were met.
const FEW: usize = 2000;
/// Dates below are in seconds (`messages-format.md` 3.1).
const IN_SECONDS: i64 = 1_000_000_000_000;

/// The dates that are wanted, in nanoseconds: from the first on, up to the second; `None` where there is no bound.
pub type Period = (Option<i64>, Option<i64>);

/// Calls `each` with these messages (ascending) and their dates in nanoseconds, the newest first, until it has enough: then it says
/// `false`. Messages out of the period may be left out, and those without a date are in none.
pub fn newest_first(
    connection: &Connection,
    ids: Vec<i64>,
    period: Period,
    each: impl FnMut(i64, i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    match ids.len() <= FEW {
        true => sorted(connection, ids, each),
        false => met(connection, ids, period, each),
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
    (since, until): Period,
    mut each: impl FnMut(i64, i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let (mut met, mut left) = (vec![false; ids.len()], ids.len());
    let walk = |mut which: String, unit: i64| {
        for (sign, bound) in [(">=", since), ("<=", until)] {
            if let Some(bound) = bound {
                which += &format!(" AND date {sign} {}", bound.div_euclid(unit));
            }
        }
        connection
            .prepare(&format!("SELECT date, ROWID FROM message WHERE {which} ORDER BY date DESC, ROWID DESC"))
    };
    let mut statements =
        [walk(format!("date >= {IN_SECONDS}"), 1)?, walk(format!("date < {IN_SECONDS}"), 1_000_000_000)?];
    let [nanoseconds, seconds] = &mut statements;
    let mut walks = [nanoseconds.query([])?, seconds.query([])?];
    let mut next = |at: usize| -> rusqlite::Result<Option<(i64, i64)>> {
        let Some(row) = walks.get_mut(at).map(|walk| walk.next()).transpose()?.flatten() else {
            return Ok(None);
        };
        Ok(Some((in_nanoseconds(number(row.get_ref(0)?)), row.get(1)?)))
    };
    let mut heads = [next(0)?, next(1)?];
    while left > 0 {
        let newer = usize::from(heads[0] < heads[1]);
        let Some((date, id)) = heads[newer] else { break };
        heads[newer] = next(newer)?;
        let Ok(place) = ids.binary_search(&id) else { continue };
        if let Some(met) = met.get_mut(place) {
            *met = true;
        }
        left -= 1;
        if !each(id, date)? {
            return Ok(());
        }
    }
    if since.is_some() || until.is_some() {
        return Ok(());
    }
    // Those without a date.
    for (id, _) in ids.into_iter().zip(met).rev().filter(|(_, met)| !met) {
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
            let done = if few { sorted(&db, ids, each) } else { met(&db, ids, (None, None), each) };
            done.unwrap();
            assert_eq!(found, [6, 4, 2, 5, 1, 7]);
        }
        let within = |period| {
            let mut found = Vec::new();
            met(&db, vec![1, 2, 3, 4, 5, 6, 7], period, |id, _| {
                found.push(id);
                Ok(true)
            })
            .unwrap();
            found
        };
        assert_eq!(within((Some(600 * second), Some(5000 * second))), [4, 2, 5]);
        assert_eq!(within((Some(5100 * second), None)), [6]);
        assert_eq!(within((None, Some(600 * second))), [5, 1, 7]);
    }
}
