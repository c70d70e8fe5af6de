//! Which messages are deleted: what some source lost, and no other has, as far as that is known of the time since.
//!
//! What a source has says something only of when it was as it is. A backup from before a deletion has the message still,
//! however often it is read, and so has the library of a device that was off since; neither says that it is not deleted. So
//! a date is kept with every source: until when it is known to have been as it was read last.
//!
//! | source | was as it is |
//! |---|---|
//! | a backup | when it was made |
//! | another archive | when its sources were as they are, as far as it tells |
//! | what is read for the first time | when its newest message came, or the last one was recovered or went to Recently Deleted |
//! | what changed since it was read before | now |
//! | what did not | as before |
//! | a copy of this very archive | never: it repeats what was said here |
//!
//! **Must never**: decide that a message is gone from a source; that is [`absence`](super::absence)'s.

use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use super::absence::in_nanoseconds;
use super::deleted_parts::GONE_PARTS;
use super::gone_for_good::GoneForGood;
use super::guess::IS_GUESSED;
use super::kind::Kind;
use super::places::number;
use super::prepared::Prepared;
use super::row::text_at;
use super::schema::{has_column, has_table};
use crate::model::Instant;
use crate::source::apple_date;

/// Until when each source is known to have been as it was read.
pub const STATES: &str = "msgarchive_state";

/// Since when a message of the absence `a` is not in Recently Deleted of any source any more (Apple's date); NULL where one
/// has it there. One that another one took the place of, which lies where it lay, has nothing any more.
pub const GONE: &str = "CASE a.reason WHEN 'recently_deleted' THEN
    (SELECT CASE WHEN count(*) = count(b.gone) THEN max((CAST(strftime('%s', r.date) AS INTEGER) - 978307200) * 1000000000) END
     FROM msgarchive_absence b LEFT JOIN msgarchive_run r ON r.run = b.gone
     WHERE b.message = a.message AND b.returned IS NULL AND b.reason = 'recently_deleted' AND (b.gone IS NOT NULL OR NOT EXISTS (
       SELECT 1 FROM msgarchive_source was JOIN msgarchive_source now ON now.path = was.path AND now.last_run > was.last_run
       WHERE was.source = b.source))) END";

/// Whether the source of the absence `a` has the message in Recently Deleted, where it can be recovered.
pub const RECOVERABLE: &str = "a.reason = 'recently_deleted' AND a.gone IS NULL AND NOT EXISTS (
    SELECT 1 FROM msgarchive_source was JOIN msgarchive_source now ON now.path = was.path AND now.last_run > was.last_run
    WHERE was.source = a.source)";

/// The view of what is deleted. `gone`: since when Recently Deleted does not have it any more either; `recoverable`: that of
/// the source which tells so has it; `guessed`: the reason is. Dates are Apple's.
fn view() -> String {
    let has_it_still = has_still("a.message", "a.date", "a.run", NEWEST_STATE);
    format!(
        "VIEW msgarchive_deleted (message, date, reason, gone, recoverable, guessed) AS
  SELECT a.message, a.date, a.reason, {GONE}, {RECOVERABLE}, {IS_GUESSED}
  FROM msgarchive_absence a
  WHERE a.returned IS NULL AND NOT EXISTS (
    SELECT 1 FROM msgarchive_sighting s JOIN msgarchive_source o ON o.source = s.source
    WHERE {has_it_still})"
    )
}

/// Until when the source of a sighting `s` is known to have been as it was read.
const NEWEST_STATE: &str =
    "(SELECT n.date FROM msgarchive_state n WHERE n.source = s.source ORDER BY n.run DESC LIMIT 1)";

/// Whether the source `o` of a sighting `s` has a message still that another one lost: it is known to have been as it is since
/// that date (Apple's), or was read by that run where nothing says of when it is. All are SQL.
fn has_still(message: &str, date: &str, run: &str, state: &str) -> String {
    format!(
        "s.kind = 3 AND s.id = {message} AND coalesce(
      {state} >= {date},
      o.last_run >= {run}) AND NOT EXISTS (
      SELECT 1 FROM msgarchive_absence b
      WHERE b.message = {message} AND b.source = s.source AND b.returned IS NULL)"
    )
}

/// Makes the views where there are none, or those of an earlier program.
pub fn show(connection: &Connection) -> rusqlite::Result<()> {
    for (name, view) in [("msgarchive_deleted", &*view()), ("msgarchive_gone_part", GONE_PARTS)] {
        let wanted = format!("CREATE {view}");
        let is = connection
            .query_row("SELECT sql FROM sqlite_master WHERE name = ?1", [name], |row| text_at(row, 0))
            .optional()?
            .flatten();
        if is.is_none_or(|is| is != wanted) {
            connection.execute_batch(&format!("DROP VIEW IF EXISTS {name}; {wanted}"))?;
        }
    }
    Ok(())
}

/// Asks which sources have a message still that another one lost.
pub struct StillThere<'c> {
    sources: Statement<'c>,
    gone: GoneForGood,
}

/// The paths of sources that have a message still that another one lost, as far as is known of the time since then.
#[derive(Debug, Default)]
pub struct Having {
    pub still: Vec<String>,
    /// Of those that are gone for good: they had it when they were read last. That is no deletion.
    pub before_it_was_gone: Vec<String>,
}

impl<'c> StillThere<'c> {
    pub fn new(connection: &'c Connection) -> rusqlite::Result<StillThere<'c>> {
        let state = if has_table(connection, STATES)? { NEWEST_STATE } else { "NULL" };
        let statement = connection.prepare(&format!(
            "SELECT DISTINCT o.source, o.path FROM msgarchive_sighting s \
             JOIN msgarchive_source o ON o.source = s.source WHERE {} ORDER BY o.source",
            has_still("?1", "?2", "?3", state)
        ))?;
        Ok(StillThere { sources: statement, gone: GoneForGood::read(connection)? })
    }

    /// Those that have it since that date (Apple's), or by that run where nothing says of when they are.
    pub fn of(&mut self, message: i64, date: i64, run: i64) -> rusqlite::Result<Having> {
        let mut having = Having::default();
        let mut sources = self.sources.query([message, date, run])?;
        while let Some(row) = sources.next()? {
            let having = match self.gone.has(row.get(0)?) {
                true => &mut having.before_it_was_gone,
                false => &mut having.still,
            };
            having.push(text_at(row, 1)?.unwrap_or_default());
        }
        Ok(having)
    }
}

/// What is told of a source, beside what it has.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// It is a copy of this archive.
    pub is_own_copy: bool,
    /// When another archive says that its sources were as they are.
    pub until: Option<i64>,
    /// It was read for what is new in it, and not also for what was damaged here or there.
    pub for_news: bool,
}

/// Until when a source is known to have been as it was read last: Apple's date. `None`: nothing says.
pub fn state(connection: &Connection, source: i64) -> rusqlite::Result<Option<i64>> {
    state_before(connection, source, i64::MAX)
}

/// The same, as it was known before a run.
pub fn state_before(connection: &Connection, source: i64, run: i64) -> rusqlite::Result<Option<i64>> {
    let sql = format!("SELECT date FROM {STATES} WHERE source = ?1 AND run < ?2 ORDER BY run DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([source, run], |row| row.get(0)).optional()
}

/// Until when a source was known to have been as each run before this one read it (Apple's dates), run by run: those that found
/// it changed.
pub fn states_before(connection: &Connection, source: i64, run: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = format!("SELECT date FROM {STATES} WHERE source = ?1 AND run < ?2 ORDER BY run");
    connection.prepare_cached(&sql)?.query_map([source, run], |row| row.get(0))?.collect()
}

/// Notes when a source was as it is, once it is read.
pub fn note_state(
    connection: &Connection,
    prepared: &Prepared<'_>,
    Told { is_own_copy, until, for_news }: Told,
    run: i64,
    now: Instant,
) -> rusqlite::Result<()> {
    let source = prepared.source;
    let of_backup = prepared.tables.info().backup.as_ref().and_then(|backup| backup.date).map(Instant::from);
    let before = state(connection, source)?;
    let date = match of_backup.map(apple_date).or(until) {
        _ if is_own_copy => 0,
        Some(date) => date,
        None if before.is_none() => newest(connection, prepared, apple_date(now))?,
        None if for_news && prepared.is_changed() => apple_date(now),
        None => return Ok(()),
    };
    if before != Some(date) {
        let note = format!("INSERT OR REPLACE INTO {STATES} (source, run, date) VALUES (?1, ?2, ?3)");
        connection.execute(&note, [source, run, date])?;
    }
    Ok(())
}

/// The last date that a source knows of, but for those of the future (Send Later, a clock that was wrong); 0 where there is
/// none: of its newest message, of what is in Recently Deleted, and of what was recovered of what another source lost.
fn newest(connection: &Connection, prepared: &Prepared<'_>, now: i64) -> rusqlite::Result<i64> {
    let of = params![Kind::Message.number(), prepared.source, now];
    let raw = |row: &Row<'_>| Ok(in_nanoseconds(number(row.get_ref(0)?)));
    let message = connection
        .prepare(
            "SELECT m.date FROM message m WHERE m.date BETWEEN 1 AND ?3 AND EXISTS ( \
               SELECT 1 FROM msgarchive_sighting s WHERE s.kind = ?1 AND s.id = m.ROWID AND s.source = ?2) \
             ORDER BY m.date DESC LIMIT 1",
        )?
        .query_row(of, raw)
        .optional()?;
    let recovered = match has_column(connection, "message", "date_recovered")? {
        true => connection
            .prepare(
                "SELECT max(m.date_recovered) FROM msgarchive_absence a JOIN message m ON m.ROWID = a.message \
                 WHERE a.source <> ?2 AND m.date_recovered BETWEEN 1 AND ?3 AND EXISTS ( \
                   SELECT 1 FROM msgarchive_sighting s WHERE s.kind = ?1 AND s.id = m.ROWID AND s.source = ?2)",
            )?
            .query_row(of, raw)
            .optional()?,
        false => None,
    };
    let deleted = prepared.places.recently_deleted.values().map(|date| in_nanoseconds(*date));
    Ok(message.into_iter().chain(recovered).chain(deleted.filter(|date| *date <= now)).max().unwrap_or(0))
}
