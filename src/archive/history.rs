//! What an archive knows of the past: its runs, what is gone where it came from, what a message was before.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use super::ArchiveError;
use super::absence::Reason;
use super::conversations::columns_or_null;
use super::deleted_parts::{PartGone, parts_gone};
use super::guess::is_guessed;
use super::kind::{CARRIED, Kind};
use super::lost_thing::{self, LostThing};
use super::open::look_into;
use super::places::number;
use super::row::{self, text_at};
use super::schema::{Columns, has_table};
use super::sums::{FILES, FORMERLY_PLACED, PLACED};
use crate::model::Instant;
use crate::pipeline::changes_noted;
use crate::pipeline::decode::body;
use crate::pipeline::decode::date::instant;
use crate::pipeline::decode::summary::summary;
use crate::source::tables::quoted;

/// A state of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// The name of the run that brought it.
    pub run: String,
    /// When that was.
    pub date: String,
    pub text: Option<String>,
    /// Of a state: whether the owner sent it.
    pub from_me: Option<bool>,
    /// Of a state that somebody else sent: from where, as Messages stores it. Hostile text.
    pub sender: Option<String>,
    /// Of a state: when it was sent.
    pub sent: Option<Instant>,
    /// `bytes`: other bytes of the attachment that `text` names came from there; `damaged`, where what it was is lost, and nobody brought what is there; else `added`, `edited`, `unsent`, `read`, `changed`, several of these joined by `,`; the reason of an absence, as
    /// [`super::Reason::name`] has it; `gone` from Recently Deleted; `restored`.
    pub what: String,
    /// Of an absence: its reason is a guess.
    pub is_guessed: bool,
    /// The path; empty where nobody brought it.
    pub source: String,
    /// It is the one that is shown.
    pub shown: bool,
    /// Only of this part: it was deleted by itself (`recently_deleted`, with what it says), is `gone` from there, or back (`restored`).
    pub part: Option<i64>,
}

/// The records of all runs, oldest first: their texts, each a JSON object.
///
/// # Errors
/// [`ArchiveError`].
pub fn runs(path: &Path) -> Result<Vec<String>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare("SELECT record FROM msgarchive_run ORDER BY run")?
            .query_map([], |row| Ok(text_at(row, 0)?.unwrap_or_default()))?
            .collect()
    };
    read().map_err(ArchiveError::database(folder.database()))
}

/// What damage took for good, by the records of all runs: the first that was lost first. What a later one found again is not.
///
/// # Errors
/// [`ArchiveError`].
pub fn lost(path: &Path) -> Result<Vec<LostThing>, ArchiveError> {
    Ok(lost_thing::after_all(runs(path)?.iter().map(String::as_str)))
}

/// Every state of a message, oldest first.
///
/// # Errors
/// [`ArchiveError::NoSuchMessage`].
pub fn versions(path: &Path, guid: &str) -> Result<Vec<Version>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Option<Vec<Version>>> {
        find(&connection, guid)?.map(|message| states(&connection, message)).transpose()
    };
    let found = read().map_err(ArchiveError::database(folder.database()))?;
    found.ok_or_else(|| ArchiveError::NoSuchMessage { guid: guid.to_owned() })
}

/// The message with a GUID, or that once had it.
pub(super) fn find(connection: &Connection, guid: &str) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT ROWID FROM message WHERE guid = ?1 COLLATE NOCASE \
         UNION SELECT message FROM msgarchive_alias WHERE guid = ?1 COLLATE NOCASE";
    connection.query_row(sql, [guid], |row| row.get(0)).optional()
}

/// The name and the date of a run, whose record may be lost.
pub(super) fn run_named(connection: &Connection, run: i64) -> rusqlite::Result<(String, String)> {
    let sql = "SELECT name, date FROM msgarchive_run WHERE run = ?1";
    let known = connection
        .query_row(sql, [run], |row| {
            Ok((text_at(row, 0)?.unwrap_or_default(), text_at(row, 1)?.unwrap_or_default()))
        })
        .optional()?;
    Ok(known.unwrap_or_else(|| (format!("run {run}"), String::new())))
}

/// A state before it is compared with the one before it.
pub(super) struct State {
    pub run: i64,
    /// Until which run it was shown; that of a source that only had it beside what was shown ends where it begins.
    until: i64,
    source: i64,
    pub shown: bool,
    pub text: Option<String>,
    pub edited: i64,
    /// How much its summary says that its sender did, and when it says that was last.
    pub noted: usize,
    pub noted_at: Option<Instant>,
    /// Raw, as all that follow.
    pub read: i64,
    pub delivered: i64,
    pub date: i64,
    pub from_me: bool,
    /// The row id of who sent it.
    pub handle: i64,
    pub associated: i64,
    /// 0 where it was not.
    pub retracted_at: i64,
    /// It is not what that run wrote, or a run found it damaged, and it lies there as it was found.
    pub damaged: bool,
}

/// What is asked of a state beside its words.
const OF_STATES: [&str; 9] = [
    "date_edited",
    "date_read",
    "date_retracted",
    "date_delivered",
    "date",
    "is_from_me",
    "handle_id",
    "associated_message_type",
    "message_summary_info",
];

/// The states of a message, as they came: run by run, and in each, source by source.
pub(super) fn in_order(connection: &Connection, message: i64) -> rusqlite::Result<Vec<State>> {
    let mut states = Vec::new();
    // What another archive handed on of the past comes before what it shows. A former state that was given up has the run that
    // did so, which is later than any that had it.
    let of_version = "SELECT coalesce(( \
          SELECT l.since FROM msgarchive_lost l WHERE l.kind = 3 AND l.id = v.msgarchive_id \
          AND l.run = v.msgarchive_since AND l.run > v.msgarchive_until), msgarchive_since), \
        msgarchive_until, msgarchive_source, 0, msgarchive_since > msgarchive_until, {} \
        FROM msgarchive_message_version v WHERE msgarchive_id = ?1 ORDER BY msgarchive_version";
    let of_shown = "SELECT b.since, NULL, b.source, 1, ( \
          SELECT count(*) FROM msgarchive_lost l WHERE l.kind = 3 AND l.id = b.id AND l.run = b.since) > ( \
          SELECT count(*) FROM msgarchive_message_version d WHERE d.msgarchive_id = b.id \
            AND d.msgarchive_since = b.since AND d.msgarchive_until < b.since), {} FROM message v JOIN msgarchive_message b ON b.id = v.ROWID \
        WHERE v.ROWID = ?1";
    let hashed = Columns::read(connection)?.hashed(Kind::Message);
    for (table, sql) in [("msgarchive_message_version", of_version), ("message", of_shown)] {
        let mut list = body_columns(connection, table, "v")?;
        for name in OF_STATES {
            list.push_str(", ");
            list.push_str(&column(connection, table, "v", name)?);
        }
        // Nobody may have verified it yet.
        let is_former = table != Kind::Message.table();
        if is_former {
            list.push_str(", v.msgarchive_hash");
            hashed.iter().for_each(|name| list.extend([", v.", &quoted(name)]));
        }
        let mut statement = connection.prepare(&sql.replace("{}", &list))?;
        let mut rows = statement.query([message])?;
        while let Some(row) = rows.next()? {
            let number = |at| row.get_ref(at).map(number);
            let is_other = is_former
                && row.get_ref(OF_STATES.len() + 7)?.as_blob().ok()
                    != Some(&row::hash_of(row, OF_STATES.len() + 8, &hashed)?[..]);
            let summary = row.get_ref(15)?.as_blob_or_null().ok().flatten().unwrap_or_default();
            let noted = changes_noted(summary);
            states.push(State {
                noted,
                noted_at: (noted > 0).then(|| last_edit(summary)).flatten(),
                run: row.get(0)?,
                until: row.get::<_, Option<i64>>(1)?.unwrap_or(i64::MAX),
                source: row.get(2)?,
                shown: row.get(3)?,
                damaged: row.get::<_, bool>(4)? || is_other,
                text: text(row, 5)?,
                edited: number(7)?,
                read: number(8)?,
                retracted_at: number(9)?,
                delivered: number(10)?,
                date: number(11)?,
                from_me: number(12)? != 0,
                handle: number(13)?,
                associated: number(14)?,
            });
        }
    }
    let mut visits: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for run in states.iter().map(|state| state.run) {
        visits.insert(run, sources_of(connection, run)?);
    }
    states.sort_by_key(|state| {
        let visited = visits.get(&state.run).and_then(|of| of.iter().position(|of| *of == state.source));
        (state.run, visited)
    });
    Ok(states)
}

/// When the last of the edits was that a summary lists.
fn last_edit(list: &[u8]) -> Option<Instant> {
    summary(list).edits.values().flatten().filter_map(|version| version.date).max()
}

/// The sources of a run, as they were read; none where its record is lost.
fn sources_of(connection: &Connection, run: i64) -> rusqlite::Result<Vec<i64>> {
    let record = connection
        .prepare_cached("SELECT record FROM msgarchive_run WHERE run = ?1")?
        .query_row([run], |row| text_at(row, 0))
        .optional()?
        .flatten();
    let record: Value = serde_json::from_str(&record.unwrap_or_default()).unwrap_or_default();
    let sources = record.get("sources").and_then(Value::as_array).into_iter().flatten();
    Ok(sources.filter_map(|source| source.get("source")?.as_i64()).collect())
}

/// What each state brought, in the words of [`Version::what`]: compared with what was shown before it. One that a source had beside that changed nothing of
/// what is shown.
pub(super) fn brought(states: &[State]) -> Vec<String> {
    let mut brought = Vec::new();
    let mut before: Option<&State> = None;
    for (state, next) in states.iter().zip(states.iter().skip(1).map(Some).chain([None])) {
        let what = match before {
            _ if state.damaged => "damaged".to_owned(),
            Some(before) => difference(before, state),
            None => "added".to_owned(),
        };
        brought.push(what);
        // Another archive hands on several of a run.
        let goes_on = next.is_some_and(|next| (next.run, next.source) == (state.run, state.source));
        if before.is_none() || state.until > state.run || goes_on {
            before = Some(state);
        }
    }
    brought
}

fn states(connection: &Connection, message: i64) -> rusqlite::Result<Vec<Version>> {
    let states = in_order(connection, message)?;
    let run = |run: i64| run_named(connection, run);
    let path = |source: i64| -> rusqlite::Result<String> {
        let sql = "SELECT path FROM msgarchive_source WHERE source = ?1";
        Ok(connection
            .query_row(sql, [source], |row| text_at(row, 0))
            .optional()?
            .flatten()
            .unwrap_or_default())
    };
    let handle = |id: i64| -> rusqlite::Result<Option<String>> {
        let sql = "SELECT id FROM handle WHERE ROWID = ?1";
        Ok(connection.query_row(sql, [id], |row| text_at(row, 0)).optional()?.flatten())
    };
    let mut versions: Vec<(i64, Version)> = Vec::new();
    for (state, what) in states.iter().zip(brought(&states)) {
        let (name, date) = run(state.run)?;
        versions.push((
            state.run,
            Version {
                run: name,
                date,
                text: state.text.clone(),
                from_me: Some(state.from_me),
                sender: if state.from_me { None } else { handle(state.handle)? },
                sent: instant(state.date),
                what,
                is_guessed: false,
                source: if state.damaged { String::new() } else { path(state.source)? },
                shown: state.shown,
                part: None,
            },
        ));
    }
    let is_guessed = is_guessed(connection)?;
    let mut absences = connection.prepare(&format!(
        "SELECT run, source, reason, gone, returned, {is_guessed} FROM msgarchive_absence a \
         WHERE message = ?1 ORDER BY rowid"
    ))?;
    let mut rows = absences.query([message])?;
    while let Some(row) = rows.next()? {
        let (noticed, source, reason): (i64, i64, String) =
            (row.get(0)?, row.get(1)?, text_at(row, 2)?.unwrap_or_default());
        let was_there = Reason::named(&reason) == Some(Reason::RecentlyDeleted);
        let gone = row.get::<_, Option<i64>>(3)?.filter(|_| was_there);
        let gone = gone.map(|gone| (gone, "gone".to_owned(), false));
        let back = row.get::<_, Option<i64>>(4)?.map(|returned| (returned, "restored".to_owned(), false));
        let noticed = Some((noticed, reason, row.get(5)?));
        for (number, what, is_guessed) in [noticed, gone, back].into_iter().flatten() {
            let (name, date) = run(number)?;
            let source = path(source)?;
            let event = Version { run: name, date, what, is_guessed, source, ..Version::default() };
            versions.push((number, event));
        }
    }
    for PartGone { part, text, source, since, gone, is_back } in parts_gone(connection, message)? {
        let deleted = (since, Reason::RecentlyDeleted.name(), text);
        let gone = gone.map(|gone| (gone, if is_back { "restored" } else { "gone" }, None));
        for (number, what, text) in [Some(deleted), gone].into_iter().flatten() {
            let (name, date) = run(number)?;
            let (what, source) = (what.to_owned(), path(source)?);
            let event =
                Version { run: name, date, what, source, text, part: Some(part), ..Version::default() };
            versions.push((number, event));
        }
    }
    for (number, source, name) in other_bytes(connection, message)? {
        let (run, date) = run(number)?;
        let (what, source, text) = ("bytes".to_owned(), path(source)?, Some(name));
        versions.push((number, Version { run, date, what, source, text, ..Version::default() }));
    }
    versions.sort_by_key(|(run, _)| *run);
    Ok(versions.into_iter().map(|(_, version)| version).collect())
}

/// Which run found other bytes of an attachment of a message than there were, from which source, and what its file is called.
fn other_bytes(connection: &Connection, message: i64) -> rusqlite::Result<Vec<(i64, i64, String)>> {
    if !has_table(connection, FORMERLY_PLACED)? {
        return Ok(Vec::new());
    }
    let name = columns_or_null(connection, "attachment", &["transfer_name"])?;
    // The first ones are no others; nor is a picture another one that got a film.
    let mut others = connection.prepare(&format!(
        "SELECT run, source, name FROM ( \
           SELECT p.run, p.source, coalesce({name}, filename, guid) AS name, \
             row_number() OVER (PARTITION BY p.attachment ORDER BY p.run, p.is_former) AS nth \
           FROM {CARRIED} j JOIN attachment a ON a.ROWID = j.attachment_id \
           JOIN (SELECT attachment, min(c.run) AS run, source, is_former FROM ( \
               SELECT attachment, path, run, source, 0 AS is_former FROM {PLACED} \
               UNION ALL SELECT attachment, path, run, source, 1 FROM {FORMERLY_PLACED}) c \
             LEFT JOIN {FILES} f ON f.path = c.path \
             WHERE attachment IN (SELECT attachment_id FROM {CARRIED} WHERE message_id = ?1) \
             GROUP BY attachment, coalesce(f.sha256, c.path)) p ON p.attachment = j.attachment_id \
           WHERE j.message_id = ?1) \
         WHERE nth > 1 ORDER BY run, name"
    ))?;
    let other =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, text_at(row, 2)?.unwrap_or_default()));
    others.query_map([message], other)?.collect()
}

fn difference(before: &State, after: &State) -> String {
    let mut what = Vec::new();
    if after.text.is_none()
        && before.text.is_some()
        && (after.retracted_at != 0 || after.edited > before.edited || after.noted > before.noted)
    {
        what.push("unsent");
    } else if (after.edited, after.noted) != (before.edited, before.noted) {
        what.push("edited");
    }
    // Another source's state may be of somebody who has not read it: that takes nothing back.
    if after.read != before.read && after.read != 0 {
        what.push("read");
    }
    // Without an edit: another program did it, or its owner deleted a part.
    if what.is_empty()
        || after.text != before.text && !what.iter().any(|what| ["edited", "unsent"].contains(what))
    {
        what.push("changed");
    }
    what.join(",")
}

pub(super) fn column(
    connection: &Connection,
    table: &str,
    alias: &str,
    name: &str,
) -> rusqlite::Result<String> {
    let there: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE lower(name) = ?2)")?
        .query_row([table, name], |row| row.get(0))?;
    Ok(if there { format!("{alias}.{name}") } else { "NULL".into() })
}

/// The columns that [`text`] reads.
pub(super) fn body_columns(connection: &Connection, table: &str, alias: &str) -> rusqlite::Result<String> {
    let text = column(connection, table, alias, "text")?;
    Ok(format!("{text}, {}", column(connection, table, alias, "attributedbody")?))
}

/// What a row says, from these two columns on.
pub(super) fn text(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Option<String>> {
    let text = row.get_ref(first)?.as_bytes_or_null().ok().flatten().map(String::from_utf8_lossy);
    let body = row.get_ref(first + 1)?.as_bytes_or_null().ok().flatten();
    Ok(body::body_without_data(body, text.as_deref()).text().map(str::to_owned))
}
