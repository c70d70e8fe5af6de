//! An archive as it was: a private copy, in which what later runs did is taken back.
//!
//! **Must never**: be let near the archive itself.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::contacts::CARDS;
use super::tables::quoted;
use crate::disk::archive_folder::filename_at;

/// The kinds of rows that an archive keeps, and whether it keeps former states of them.
const KINDS: [(&str, bool); 4] = [("handle", false), ("chat", true), ("attachment", true), ("message", true)];

/// The table by which an archive's database is known.
pub(super) const RUNS: &str = "msgarchive_run";

/// Which source has which part of a message in Recently Deleted, since and until which run; of those that none has there any
/// more there is a view.
pub(super) const DELETED_PARTS: &str = "msgarchive_deleted_part";

/// In which chat a message was, since and until which run.
const FORMER_PLACES: &str = "msgarchive_former_place";

/// An expression: a raw date in nanoseconds, whichever unit it is in (`messages-format.md` 3.1); what is no date is early.
fn in_nanoseconds(date: &str) -> String {
    format!(
        "CASE WHEN typeof({date}) <> 'integer' THEN 0
         WHEN {date} BETWEEN -999999999999 AND 999999999999 THEN {date} * 1000000000 ELSE {date} END"
    )
}

/// Takes back what was done after `date` (RFC 3339, UTC) in a copy of an archive's database; one that is none stays.
/// `damaged`: former states of messages, by their numbers, that are not what was archived.
pub(super) fn take_back(copy: &Connection, date: &str, damaged: &BTreeSet<i64>) -> rusqlite::Result<()> {
    if !copy.table_exists(None, RUNS)? {
        return Ok(());
    }
    // Apple's date of the moment, as far as it has one.
    let moment = "SELECT max(-9223372036, min(9223372036, unixepoch(?1) - 978307200)) * 1000000000";
    let moment: i64 = copy.query_row(moment, [date], |row| row.get(0))?;
    let run: i64 =
        copy.query_row("SELECT coalesce(max(run), 0) FROM msgarchive_run WHERE date <= ?1", [date], |row| {
            row.get(0)
        })?;
    note_what_is_lost(copy, (run, moment), damaged)?;
    for (kind, has_versions) in KINDS {
        if has_versions {
            show_former(copy, kind, run)?;
        }
        copy.execute_batch(&format!(
            "DELETE FROM {kind} WHERE ROWID IN (SELECT id FROM msgarchive_{kind} WHERE added > {run});"
        ))?;
    }
    show_participants(copy, run)?;
    show_identifiers(copy, run)?;
    show_places(copy, run)?;
    show_names(copy, run)?;
    // Where there were others, those.
    let others = match copy.table_exists(None, "msgarchive_former_content")? {
        true => format!(
            "UPDATE attachment SET filename = {} FROM msgarchive_former_content f
                 WHERE f.attachment = attachment.ROWID AND f.run <= {run} AND f.until > {run};",
            filename_at("f.path")
        ),
        false => String::new(),
    };
    // What came back since was deleted.
    let parts = match copy.table_exists(None, "msgarchive_former_part")? {
        true => format!(
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
                 SELECT chat, message, part, delete_date, part_text FROM msgarchive_former_part AS f
                 WHERE until > {run} AND delete_date = (SELECT min(delete_date) FROM msgarchive_former_part o
                     WHERE o.message = f.message AND o.chat = f.chat AND o.part = f.part AND o.until > {run});"
        ),
        false => String::new(),
    };
    let deleted_parts = match copy.table_exists(None, DELETED_PARTS)? {
        true => format!(
            "DELETE FROM {DELETED_PARTS} WHERE since > {run};
             UPDATE {DELETED_PARTS} SET gone = NULL WHERE gone > {run};"
        ),
        false => String::new(),
    };
    let deleted = in_nanoseconds("delete_date");
    let states = match copy.table_exists(None, "msgarchive_state")? {
        true => format!("DELETE FROM msgarchive_state WHERE run > {run};"),
        false => String::new(),
    };
    copy.execute_batch(&format!(
        "DELETE FROM chat_message_join WHERE message_id NOT IN (SELECT ROWID FROM message)
                 AND message_id NOT IN (SELECT message FROM {THEN} WHERE what = {WAS_LOST})
             OR chat_id NOT IN (SELECT ROWID FROM chat);
         DELETE FROM message_attachment_join WHERE message_id NOT IN (SELECT ROWID FROM message)
             OR attachment_id NOT IN (SELECT ROWID FROM attachment);
         DELETE FROM chat_handle_join WHERE chat_id NOT IN (SELECT ROWID FROM chat)
             OR handle_id NOT IN (SELECT ROWID FROM handle);
         DELETE FROM chat_lookup WHERE chat NOT IN (SELECT ROWID FROM chat);
         DELETE FROM chat_service WHERE chat NOT IN (SELECT ROWID FROM chat);
         {parts}
         DELETE FROM recoverable_message_part WHERE message_id NOT IN (SELECT ROWID FROM message)
             OR {deleted} > {moment};
         -- Bytes that came later were not here.
         UPDATE attachment SET filename = c.original FROM msgarchive_content c
             WHERE c.attachment = attachment.ROWID AND c.run > {run};
         {others}
"
    ))?;
    see_what_was_lost(copy, run)?;
    copy.execute_batch(&format!(
        "DELETE FROM msgarchive_absence WHERE run > {run};
         UPDATE msgarchive_absence SET returned = NULL WHERE returned > {run};
         UPDATE msgarchive_absence SET gone = NULL WHERE gone > {run};
         {states}
         {deleted_parts}
         -- A source was read last when a record says so; where those are lost, it is certain only of the first time.
         UPDATE msgarchive_source SET last_run = coalesce(
             (SELECT max(r.run) FROM msgarchive_run r,
                  json_each(iif(json_valid(r.record), r.record, '{{}}'), '$.sources') s
              WHERE r.run <= {run}
                  AND json_extract(r.record, s.fullkey || '.source') = msgarchive_source.source),
             first_run) WHERE last_run > {run};
         -- One that came later took no other one's place yet.
         DELETE FROM msgarchive_source WHERE first_run > {run};
         DELETE FROM msgarchive_run WHERE run > {run};"
    ))
}

/// Of which messages what they were after the run is not what is shown, or not what lies there now. [`WAS_LOST`] and so on.
pub(super) const THEN: &str = "msgarchive_then";

/// What a message was then is lost: it is shown as it was at another time.
pub(super) const WAS_LOST: i64 = 1;
/// It is shown as it was then, and that is damaged.
pub(super) const IS_DAMAGED: i64 = 2;
/// It is shown as it was then, and that is whole, whatever became of it.
pub(super) const IS_WHOLE: i64 = 3;
/// What it had been last by then was lost by then, too: it is shown as it was before that, as it was then.
pub(super) const LAST_WAS_LOST: i64 = 4;

/// Notes in [`THEN`] of which messages damage took what they were after the run. A state that was given up has the run that did so:
/// which one it was `msgarchive_lost` tells.
fn note_what_is_lost(
    copy: &Connection,
    (run, moment): (i64, i64),
    damaged: &BTreeSet<i64>,
) -> rusqlite::Result<()> {
    copy.execute_batch(&format!(
        "DROP TABLE IF EXISTS {THEN}; CREATE TABLE {THEN} (message INTEGER PRIMARY KEY, what INTEGER NOT NULL);"
    ))?;
    let versions = "msgarchive_message_version";
    let shown = format!("v.msgarchive_since <= {run} AND v.msgarchive_until > {run}");
    // Archives that were made earlier do not know which run gave something up.
    if copy.column_exists(None, "msgarchive_lost", "run")? {
        copy.execute_batch(&format!(
            "INSERT INTO {THEN} SELECT DISTINCT l.id, {IS_WHOLE} FROM msgarchive_lost l
                 JOIN {versions} v ON v.msgarchive_id = l.id WHERE l.kind = {MESSAGES} AND {shown};
             INSERT OR REPLACE INTO {THEN} SELECT l.id, {WAS_LOST} FROM msgarchive_lost l
                 WHERE l.kind = {MESSAGES} AND l.since <= {run} AND l.run <> 0 AND NOT EXISTS (
                     SELECT 1 FROM {versions} v WHERE v.msgarchive_id = l.id AND {shown} AND v.msgarchive_since >= l.since)
                 AND NOT EXISTS (
                     SELECT 1 FROM msgarchive_message b WHERE b.id = l.id AND b.since BETWEEN l.since AND {run})
                 -- What was given up by then was shown as it is now, unless something else took its place since.
                 AND (abs(l.run) > {run} OR NOT EXISTS (SELECT 1 FROM msgarchive_message b WHERE b.id = l.id AND b.since <= {run})
                     AND NOT EXISTS (SELECT 1 FROM {versions} v WHERE v.msgarchive_id = l.id AND {shown}));
             INSERT OR IGNORE INTO {THEN} SELECT l.id, {WAS_LOST} FROM msgarchive_lost l
                 JOIN chat_message_join j ON j.message_id = l.id
                 -- Since when it was there went with its hash: it was not before it was sent.
                 WHERE l.kind = {MESSAGES} AND l.run > {run} AND length(l.hash) = 0 AND {} <= {moment}
                 AND NOT EXISTS (SELECT 1 FROM msgarchive_message b WHERE b.id = l.id)
                 AND NOT EXISTS (SELECT 1 FROM {versions} v WHERE v.msgarchive_id = l.id);
             INSERT OR REPLACE INTO {THEN} SELECT l.id, {LAST_WAS_LOST} FROM msgarchive_lost l
                 WHERE l.kind = {MESSAGES} AND l.run BETWEEN 1 AND {run} AND l.since > coalesce(
                     (SELECT max(v.msgarchive_since) FROM {versions} v WHERE v.msgarchive_id = l.id AND {shown}),
                     (SELECT b.since FROM msgarchive_message b WHERE b.id = l.id AND b.since <= {run}), l.since);",
            in_nanoseconds("j.message_date")
        ))?;
    }
    let mut is_damaged = copy.prepare(&format!(
        "INSERT OR REPLACE INTO {THEN} SELECT v.msgarchive_id, {IS_DAMAGED} FROM {versions} v
             WHERE v.msgarchive_version = ?1 AND {shown}"
    ))?;
    damaged.iter().try_for_each(|version| is_damaged.execute([version]).map(drop))
}

/// The number of messages in the table of sightings (`archive/schema.sql`).
const MESSAGES: i64 = 3;

/// Shows that a source had what it lost after the run, if it had it by then: since it came, where that is known, or since the
/// source was first read; and had not what came later. What it lost it has under a row id that nothing else of it has.
fn see_what_was_lost(copy: &Connection, run: i64) -> rusqlite::Result<()> {
    // Archives that were made earlier do not know since when a source had what it lost.
    let had = match copy.table_exists(None, "msgarchive_had")? {
        true => {
            "(SELECT h.since FROM msgarchive_had h WHERE h.message = a.message AND h.source = a.source AND h.until = a.gone)"
        }
        false => "NULL",
    };
    let lost = format!(
        "SELECT a.source, a.message, a.run FROM msgarchive_absence a
         JOIN msgarchive_source s ON s.source = a.source
         WHERE a.run > ?1 AND coalesce(
             (SELECT min(t.since) FROM msgarchive_sighting t
              WHERE t.kind = {MESSAGES} AND t.id = a.message AND t.source = a.source AND t.since <= a.run),
             {had}, s.first_run) <= ?1"
    );
    let lost: Vec<(i64, i64, i64)> = copy
        .prepare(&lost)?
        .query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    copy.execute("DELETE FROM msgarchive_sighting WHERE since > ?1", [run])?;
    let mut see = copy.prepare(
        "INSERT OR IGNORE INTO msgarchive_sighting (kind, source, source_rowid, id, since) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut free = -1i64;
    for (source, message, since) in lost {
        // Some programs give negative row ids, but none all of them.
        while see.execute([MESSAGES, source, free, message, since])? == 0 {
            free -= 1;
        }
        free -= 1;
    }
    Ok(())
}

/// Shows messages in the chats in which they were after the run; at least in one. Archives that were made earlier do not
/// know what came to be in a chat when.
fn show_places(copy: &Connection, run: i64) -> rusqlite::Result<()> {
    if !copy.table_exists(None, "msgarchive_moved")? {
        return Ok(());
    }
    if copy.table_exists(None, FORMER_PLACES)? {
        copy.execute_batch(&format!(
            "INSERT INTO chat_message_join (chat_id, message_id, message_date)
                 SELECT DISTINCT f.chat, f.message, m.date FROM {FORMER_PLACES} f JOIN message m ON m.ROWID = f.message
                 WHERE f.since <= {run} AND f.until > {run} AND NOT EXISTS (
                     SELECT 1 FROM chat_message_join j WHERE j.message_id = f.message AND j.chat_id = f.chat);"
        ))?;
    }
    copy.execute_batch(&format!(
        "DELETE FROM chat_message_join WHERE rowid IN (
             SELECT j.rowid FROM msgarchive_moved m
             JOIN chat_message_join j ON j.message_id = m.message AND j.chat_id = m.chat
             WHERE m.run > {run} AND EXISTS (
                 SELECT 1 FROM chat_message_join o
                 LEFT JOIN msgarchive_moved n ON n.message = o.message_id AND n.chat = o.chat_id
                 WHERE o.message_id = m.message AND (n.run IS NULL OR n.run <= {run})));"
    ))
}

/// Names people as they were named after the run; those of an address book that was read for the first time later, as
/// that named them first.
fn show_names(copy: &Connection, run: i64) -> rusqlite::Result<()> {
    if !copy.table_exists(None, CARDS)? {
        return Ok(());
    }
    copy.execute_batch(&format!(
        "DELETE FROM {CARDS} AS c WHERE since > max({run}, (SELECT min(since) FROM {CARDS} f WHERE f.source = c.source));
         UPDATE {CARDS} SET until = NULL WHERE until > {run};"
    ))
}

/// Shows who was in each chat after the run. Archives that were made earlier do not know who left when.
fn show_participants(copy: &Connection, run: i64) -> rusqlite::Result<()> {
    if !copy.table_exists(None, "msgarchive_participant")? {
        return Ok(());
    }
    copy.execute_batch(&format!(
        "DELETE FROM chat_handle_join WHERE EXISTS (SELECT 1 FROM msgarchive_participant);
         INSERT INTO chat_handle_join (chat_id, handle_id) SELECT chat, handle FROM msgarchive_participant
             WHERE since <= {run} AND (until IS NULL OR until > {run}) ORDER BY since, rowid;"
    ))
}

/// Shows which identifiers led to each chat after the run. Archives that were made earlier do not know which did when.
fn show_identifiers(copy: &Connection, run: i64) -> rusqlite::Result<()> {
    if !copy.table_exists(None, "msgarchive_identifier")? {
        return Ok(());
    }
    let same =
        "l.chat = i.chat AND coalesce(l.domain, '') = i.domain AND coalesce(l.identifier, '') = i.identifier";
    copy.execute_batch(&format!(
        "DELETE FROM chat_lookup AS l WHERE EXISTS (
             SELECT 1 FROM msgarchive_identifier i WHERE {same} AND i.until IS NULL AND i.since > {run});
         INSERT INTO chat_lookup (identifier, domain, chat, priority)
             SELECT i.identifier, i.domain, i.chat, i.priority FROM msgarchive_identifier i
             WHERE i.since <= {run} AND i.until > {run} AND NOT EXISTS (SELECT 1 FROM chat_lookup l WHERE {same});"
    ))
}

/// How many runs the archive has had; `None` where it is no archive.
pub(super) fn runs(copies: &[Connection]) -> rusqlite::Result<Option<i64>> {
    match copies.first() {
        Some(copy) if copy.table_exists(None, RUNS)? => {
            Ok(Some(copy.query_row("SELECT count(*) FROM msgarchive_run", [], |row| row.get(0))?))
        }
        _ => Ok(None),
    }
}

/// Shows every row as the run before last showed it: of what came again after it was given up, until when it was there is not always
/// known, but since when is.
fn show_former(copy: &Connection, kind: &str, run: i64) -> rusqlite::Result<()> {
    let versions = format!("msgarchive_{kind}_version");
    let mut statement = copy
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE name NOT LIKE 'msgarchive\\_%' ESCAPE '\\'")?;
    let columns = statement.query_map([&versions], |row| row.get::<_, String>(0))?;
    let columns: Vec<String> = columns.collect::<rusqlite::Result<_>>()?;
    let list = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    copy.execute_batch(&format!(
        "INSERT OR REPLACE INTO {kind} (ROWID, {list})
             SELECT msgarchive_id, {list} FROM {versions} v
             WHERE msgarchive_since <= {run} AND msgarchive_until > {run} AND NOT EXISTS (
                 SELECT 1 FROM msgarchive_{kind} b
                 WHERE b.id = v.msgarchive_id AND b.since <= {run} AND b.since > v.msgarchive_since)
             ORDER BY msgarchive_since;
         DELETE FROM {versions} WHERE msgarchive_until > {run};"
    ))
}
