//! Every message that says something else than it once did, with what it said before and after: most were edited or unsent by
//! their senders.
//!
//! Messages keeps a list of the versions of what was edited, with their dates; the archive keeps the states that it saw.
//! What the list has is told as it stands there, the rest as the runs found it.
//!
//! **Must never**: call it a change of a message that somebody read it, or lay to its sender what Messages does not.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

use super::ArchiveError;
use super::about::{About, Facts};
use super::absence::in_nanoseconds;
use super::conversations::columns_or_null;
use super::history::{Brought, State, body_columns, brought, in_order, run_named};
use super::open::look_into;
use super::recovered::{FORMER_PARTS, PARTS};
use super::schema::has_table;
use crate::model::Instant;
use crate::pipeline::decode::date::instant;
use crate::pipeline::decode::summary::{Summary, summary};

/// What was done to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// By its sender, as Messages notes it.
    Edited,
    /// By its sender, as Messages notes it.
    Unsent,
    /// It says something else, and Messages notes no edit: some other program changed the row, or what it said was lost.
    Altered,
}

impl Change {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Change::Edited => "edited",
            Change::Unsent => "unsent",
            Change::Altered => "changed",
        }
    }
}

/// A change of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub message: About,
    pub what: Change,
    /// When it was, as Messages says; `None` where it does not.
    pub date: Option<Instant>,
    /// The name and the date of the run that first had it so.
    pub run: (String, String),
    /// `None` where nobody has it any more; of an unsent message that was unsent before the archive first saw it.
    pub before: Option<String>,
    /// `None` of what was unsent as a whole.
    pub after: Option<String>,
}

/// Every change, by its date; those without one by that of the run that found it.
///
/// # Errors
/// [`ArchiveError`].
pub fn changes(path: &Path) -> Result<Vec<Changed>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Vec<Changed>> {
        let facts = Facts::of(&connection)?;
        let mut changed = Vec::new();
        for message in candidates(&connection)? {
            let steps = steps(&connection, message)?;
            if steps.is_empty() {
                continue;
            }
            let about = facts.about(message)?;
            for Step { what, date, run, before, after } in steps {
                let run = run_named(&connection, run)?;
                changed.push(Changed { message: about.clone(), what, date, run, before, after });
            }
        }
        changed.sort_by_cached_key(|one| {
            let found = one.run.1.parse::<Instant>().ok();
            (one.date.or(found), one.message.guid.clone())
        });
        Ok(changed)
    };
    read().map_err(ArchiveError::database(folder.database()))
}

/// The messages that somebody may have changed.
fn candidates(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let [edited, retracted] =
        ["date_edited", "date_retracted"].map(|column| columns_or_null(connection, "message", &[column]));
    let former = body_columns(connection, "msgarchive_message_version", "v")?;
    let shown = body_columns(connection, "message", "m")?;
    let mut statement = connection.prepare(&format!(
        "SELECT ROWID FROM message WHERE coalesce({}, 0) <> 0 OR coalesce({}, 0) <> 0 \
         UNION SELECT v.msgarchive_id FROM msgarchive_message_version v JOIN message m ON m.ROWID = v.msgarchive_id \
         WHERE ({former}) IS NOT ({shown}) ORDER BY 1",
        edited?, retracted?
    ))?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// A change, before it is known of which message.
struct Step {
    what: Change,
    date: Option<Instant>,
    run: i64,
    before: Option<String>,
    after: Option<String>,
}

fn steps(connection: &Connection, message: i64) -> rusqlite::Result<Vec<Step>> {
    let states = in_order(connection, message)?;
    // Of what lies there damaged nobody knows whose words it has.
    if states.iter().any(|state| state.damaged) {
        return Ok(Vec::new());
    }
    let mut steps = listed(&summary_of(connection, message)?, &states);
    let is_listed = !steps.is_empty();
    let mut before: Option<&State> = None;
    for (state, Brought { what, before: shown_before }) in states.iter().zip(brought(&states)) {
        let is = |word: &str| what.split(',').any(|what| what == word);
        let began_so = before.is_none();
        let is_unsent = is("unsent") || began_so && state.retracted_at != 0 && state.text.is_none();
        let was = before.and_then(|before| before.text.clone());
        let mut step = |what, raw: i64| {
            let (before, after) = (was.clone(), state.text.clone());
            steps.push(Step { what, date: instant(raw), run: state.run, before, after });
        };
        if is_unsent {
            step(Change::Unsent, if state.retracted_at != 0 { state.retracted_at } else { state.edited });
        } else if !is_listed && (is("edited") || began_so && state.edited != 0) {
            step(Change::Edited, state.edited);
        } else if let Some(was) = shown_before.filter(|_| is("changed"))
            && was.text.is_some()
            && was.text != state.text
            && !had_parts_deleted(connection, message)?
        {
            let (before, after) = (was.text.clone(), state.text.clone());
            steps.push(Step { what: Change::Altered, date: None, run: state.run, before, after });
        }
        before = Some(state);
    }
    Ok(steps)
}

/// Its owner deleted a part of it, and may have taken it back: that is no change of what the sender said.
fn had_parts_deleted(connection: &Connection, message: i64) -> rusqlite::Result<bool> {
    for (table, column) in [(PARTS, "message_id"), (FORMER_PARTS, "message")] {
        if has_table(connection, table)? {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {column} = ?1)");
            if connection.prepare_cached(&sql)?.query_row([message], |row| row.get(0))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What Messages' own list of versions says, and which run first had each.
fn listed(summary: &Summary, states: &[State]) -> Vec<Step> {
    let since = |date: Option<Instant>| {
        let had = |state: &&State| {
            let edited = instant(in_nanoseconds(state.edited)).filter(|_| state.edited != 0);
            edited >= date
        };
        states.iter().find(had).or(states.last()).map_or(0, |state| state.run)
    };
    let pairs = summary.edits.values().flat_map(|versions| versions.iter().zip(versions.iter().skip(1)));
    let step = pairs.map(|(before, after)| Step {
        what: Change::Edited,
        date: after.date,
        run: since(after.date),
        before: Some(before.text.clone()),
        after: Some(after.text.clone()),
    });
    step.collect()
}

/// As the message is shown.
fn summary_of(connection: &Connection, message: i64) -> rusqlite::Result<Summary> {
    let list = columns_or_null(connection, "message", &["message_summary_info"])?;
    let mut statement = connection.prepare_cached(&format!("SELECT {list} FROM message WHERE ROWID = ?1"))?;
    let read = statement.query_row([message], |row| match row.get_ref(0)? {
        ValueRef::Blob(list) => Ok(summary(list)),
        _ => Ok(Summary::default()),
    });
    Ok(read.optional()?.unwrap_or_default())
}
