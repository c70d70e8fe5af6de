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
use super::history::{State, body_columns, brought, column, in_order, run_named};
use super::open::look_into;
use super::said::Saying;
use super::schema::has_table;
use super::sums::FORMERLY_PLACED;
use crate::model::{Instant, Message, Otherwise, Was};
use crate::pipeline::Shown;
use crate::pipeline::altered::bare;
use crate::pipeline::decode::date::instant;
use crate::pipeline::decode::summary::{Summary, summary};

/// What was done to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// By its sender, as Messages notes it.
    Edited,
    /// By its sender, as Messages notes it.
    Unsent,
    /// It says something else, or is from somebody else or of another time, and Messages notes no edit: some other program changed the row, or what it said was lost.
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
    /// What it was, of what changed beside its words.
    pub was: Option<Otherwise>,
}

/// Every change, by its date; those without one by that of the run that found it.
///
/// # Errors
/// [`ArchiveError`].
pub fn changes(path: &Path) -> Result<Vec<Changed>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Vec<Changed>> {
        let facts = Facts::of(&connection)?;
        let saying = Saying::of(&connection, folder.path(), facts.conversations())?;
        let mut changed = Vec::new();
        for message in candidates(&connection)? {
            let steps = steps(&connection, &saying, message)?;
            if steps.is_empty() {
                continue;
            }
            let about = facts.about(message)?;
            for Step { what, date, run, before, after, was } in steps {
                let run = run_named(&connection, run)?;
                changed.push(Changed { message: about.clone(), what, date, run, before, after, was });
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

/// What other programs may have changed of a message, beside its words.
const FACTS: [&str; 6] =
    ["is_from_me", "handle_id", "date", "date_read", "date_delivered", "associated_message_type"];

/// The messages that somebody may have changed.
fn candidates(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let [edited, retracted] =
        ["date_edited", "date_retracted"].map(|column| columns_or_null(connection, "message", &[column]));
    // `ec`, `ep` or `rp` as a key of a binary plist: it may tell of an edit that has no date in its column.
    let summary = columns_or_null(connection, "message", &["message_summary_info"])?;
    let listed = ["526563", "526570", "527270"].map(|key| format!("instr({summary}, x'{key}')"));
    let listed = listed.join(" OR ");
    let [former, shown] = [("msgarchive_message_version", "v"), ("message", "m")].map(|(table, alias)| {
        let body = body_columns(connection, table, alias)?;
        let columns = FACTS.map(|name| column(connection, table, alias, name));
        let columns = columns.into_iter().collect::<rusqlite::Result<Vec<String>>>()?;
        Ok::<_, rusqlite::Error>(format!("{body}, {}", columns.join(", ")))
    });
    let files = match has_table(connection, FORMERLY_PLACED)? {
        true => format!(
            "UNION SELECT j.message_id FROM message_attachment_join j JOIN message m ON m.ROWID = j.message_id \
               JOIN {FORMERLY_PLACED} f ON f.attachment = j.attachment_id"
        ),
        false => String::new(),
    };
    let mut statement = connection.prepare(&format!(
        "SELECT ROWID FROM message WHERE coalesce({}, 0) <> 0 OR coalesce({}, 0) <> 0 OR {listed} \
         UNION SELECT v.msgarchive_id FROM msgarchive_message_version v JOIN message m ON m.ROWID = v.msgarchive_id \
         WHERE ({}) IS NOT ({}) {files} ORDER BY 1",
        edited?, retracted?, former?, shown?
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
    was: Option<Otherwise>,
}

fn steps(connection: &Connection, saying: &Saying<'_>, message: i64) -> rusqlite::Result<Vec<Step>> {
    let mut states = in_order(connection, message)?;
    // Of what lies there damaged nobody knows whose words it has.
    if states.iter().any(|state| state.damaged && state.shown) {
        return Ok(Vec::new());
    }
    states.retain(|state| !state.damaged);
    let shown = match saying.message(message, true)? {
        Some(Shown::AsMessage(message)) => *message,
        Some(Shown::With(_)) | None => Message::default(),
    };
    let mut steps = by_people(&states, &summary_of(connection, message)?, &shown);
    steps.extend(by_others(connection, &states, shown)?);
    Ok(steps)
}

/// What its sender did, as Messages notes it.
fn by_people(states: &[State], summary: &Summary, shown: &Message) -> Vec<Step> {
    let mut steps = listed(summary, states);
    let is_listed = !steps.is_empty();
    let last = states.iter().find(|state| state.shown);
    let mut before: Option<&State> = None;
    for (state, what) in states.iter().zip(brought(states)) {
        let is = |word: &str| what.split(',').any(|what| what == word);
        let began_so = before.is_none();
        // That it was unsent may stand in its summary alone.
        let noted = |state: &State| (state.edited, state.noted);
        let is_the_last = last.is_some_and(|last| noted(last) == noted(state))
            && before.is_none_or(|before| noted(before) != noted(state));
        // Another source's state, of before it was edited, is no edit.
        let is_later = before.is_some_and(|before| noted(state) > noted(before));
        let is_unsent = is("unsent")
            || began_so && state.retracted_at != 0 && state.text.is_none()
            || shown.unsent.is_some() && noted(state) != (0, 0) && is_the_last;
        let was = before.and_then(|before| before.text.clone());
        let mut step = |what, raw: i64| {
            let (before, after) = (was.clone(), state.text.clone());
            steps.push(Step { what, date: instant(raw), run: state.run, before, after, was: None });
        };
        if is_unsent {
            step(Change::Unsent, if state.retracted_at != 0 { state.retracted_at } else { state.edited });
        } else if !is_listed && (is("edited") && is_later || began_so && state.edited != 0) {
            step(Change::Edited, state.edited);
        }
        before = Some(state);
    }
    if let (Some(last), Some(_)) = (last, shown.unsent)
        && steps.iter().all(|step| step.what != Change::Unsent)
    {
        let date = instant(last.edited).filter(|_| last.edited != 0);
        let after = last.text.clone();
        steps.push(Step { what: Change::Unsent, date, run: last.run, before: None, after, was: None });
    }
    steps
}

/// What was done to it otherwise.
fn by_others(connection: &Connection, states: &[State], shown: Message) -> rusqlite::Result<Vec<Step>> {
    let now = states.iter().find(|state| state.shown).and_then(|state| state.text.clone());
    let mut steps = Vec::new();
    for text in shown.altered.iter().flatten() {
        let run = since(states, |state| state.text.as_deref().is_some_and(|said| bare(said) == bare(text)));
        let (before, after) = (Some(text.clone()), now.clone());
        steps.push(Step { what: Change::Altered, date: None, run, before, after, was: None });
    }
    for was in shown.was {
        let run = match &was.was {
            Was::FromMe => since(states, |state| state.from_me),
            Was::From(_) => {
                let now = states.iter().find(|state| state.shown).map(|state| (state.from_me, state.handle));
                since(states, |state| Some((state.from_me, state.handle)) != now)
            }
            Was::Dated(date) => since(states, |state| instant(state.date) == *date),
            Was::Read(date) => since(states, |state| instant(state.read) == Some(*date)),
            Was::Delivered(date) => since(states, |state| instant(state.delivered) == Some(*date)),
            Was::Attached { path, .. } => replaced(connection, path)?,
            Was::Said(text) => {
                let says =
                    |state: &&State| state.text.as_deref().is_some_and(|said| bare(said) == bare(text));
                states.iter().find(says).or(states.last()).map_or(0, |state| state.run)
            }
            // It is told of the message that it was.
            Was::Answered(_) => continue,
            Was::Kind(_) => {
                let now = states.iter().find(|state| state.shown).map(|state| state.associated);
                since(states, |state| Some(state.associated) != now)
            }
        };
        steps.push(Step {
            what: Change::Altered,
            date: None,
            run,
            before: None,
            after: now.clone(),
            was: Some(was),
        });
    }
    Ok(steps)
}

/// The run since which an attachment has other bytes than those at this path of the archive.
fn replaced(connection: &Connection, path: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT max(until) FROM msgarchive_former_content WHERE path = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([path], |row| row.get::<_, Option<i64>>(0))?
        .unwrap_or_default())
}

/// The run since which a state is not so any more.
fn since(states: &[State], was: impl Fn(&State) -> bool) -> i64 {
    let last = states.iter().rposition(was);
    let next = last.and_then(|last| states.get(last + 1)).or(states.last());
    next.map_or(0, |state| state.run)
}

/// What Messages' own list of versions says, and which run first had each.
fn listed(summary: &Summary, states: &[State]) -> Vec<Step> {
    let since = |date: Option<Instant>| {
        let had = |state: &&State| {
            let edited = instant(in_nanoseconds(state.edited)).filter(|_| state.edited != 0);
            edited.max(state.noted_at) >= date
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
        was: None,
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
