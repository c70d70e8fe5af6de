//! An archive as it was: a private copy, in which what later runs did is taken back.
//!
//! **Must never**: be let near the archive itself.

use rusqlite::Connection;

use crate::disk::archive_folder::HOME;

/// The kinds of rows that an archive keeps, and whether it keeps former states of them.
const KINDS: [(&str, bool); 4] = [("handle", false), ("chat", true), ("attachment", true), ("message", true)];

/// The table by which an archive's database is known.
pub(super) const RUNS: &str = "msgarchive_run";

/// Takes back what was done after `date` (RFC 3339, UTC) in a copy of an archive's database; one that is none stays.
pub(super) fn take_back(copy: &Connection, date: &str) -> rusqlite::Result<()> {
    if !copy.table_exists(None, RUNS)? {
        return Ok(());
    }
    let run: i64 =
        copy.query_row("SELECT coalesce(max(run), 0) FROM msgarchive_run WHERE date <= ?1", [date], |row| {
            row.get(0)
        })?;
    for (kind, has_versions) in KINDS {
        if has_versions {
            show_former(copy, kind, run)?;
        }
        copy.execute_batch(&format!(
            "DELETE FROM {kind} WHERE ROWID IN (SELECT id FROM msgarchive_{kind} WHERE added > {run});"
        ))?;
    }
    show_participants(copy, run)?;
    // Where there were others, those.
    let others = match copy.table_exists(None, "msgarchive_former_content")? {
        true => format!(
            "UPDATE attachment SET filename = '{HOME}' || f.path FROM msgarchive_former_content f
                 WHERE f.attachment = attachment.ROWID AND f.run <= {run} AND f.until > {run};"
        ),
        false => String::new(),
    };
    copy.execute_batch(&format!(
        "DELETE FROM chat_message_join WHERE message_id NOT IN (SELECT ROWID FROM message)
             OR chat_id NOT IN (SELECT ROWID FROM chat);
         DELETE FROM message_attachment_join WHERE message_id NOT IN (SELECT ROWID FROM message)
             OR attachment_id NOT IN (SELECT ROWID FROM attachment);
         DELETE FROM chat_handle_join WHERE chat_id NOT IN (SELECT ROWID FROM chat)
             OR handle_id NOT IN (SELECT ROWID FROM handle);
         DELETE FROM chat_lookup WHERE chat NOT IN (SELECT ROWID FROM chat);
         DELETE FROM chat_service WHERE chat NOT IN (SELECT ROWID FROM chat);
         DELETE FROM recoverable_message_part WHERE message_id NOT IN (SELECT ROWID FROM message);
         -- Bytes that came later were not here.
         UPDATE attachment SET filename = c.original FROM msgarchive_content c
             WHERE c.attachment = attachment.ROWID AND c.run > {run};
         {others}
         -- What was lost later was there.
         DELETE FROM msgarchive_sighting WHERE since > {run};
         INSERT INTO msgarchive_sighting (kind, source, source_rowid, id, since)
             SELECT 3, source, -rowid, message, run FROM msgarchive_absence WHERE run > {run};
         DELETE FROM msgarchive_absence WHERE run > {run};
         UPDATE msgarchive_absence SET returned = NULL WHERE returned > {run};
         UPDATE msgarchive_source SET last_run = {run} WHERE last_run > {run};
         DELETE FROM msgarchive_run WHERE run > {run};"
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

/// How many runs the archive has had; `None` where it is no archive.
pub(super) fn runs(copies: &[Connection]) -> rusqlite::Result<Option<i64>> {
    match copies.first() {
        Some(copy) if copy.table_exists(None, RUNS)? => {
            Ok(Some(copy.query_row("SELECT count(*) FROM msgarchive_run", [], |row| row.get(0))?))
        }
        _ => Ok(None),
    }
}

/// Shows every row as the run before last showed it.
fn show_former(copy: &Connection, kind: &str, run: i64) -> rusqlite::Result<()> {
    let versions = format!("msgarchive_{kind}_version");
    let mut statement = copy
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE name NOT LIKE 'msgarchive\\_%' ESCAPE '\\'")?;
    let columns = statement.query_map([&versions], |row| row.get::<_, String>(0))?;
    let columns: Vec<String> = columns.collect::<rusqlite::Result<_>>()?;
    let columns: Vec<String> =
        columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let list = columns.join(", ");
    copy.execute_batch(&format!(
        "INSERT OR REPLACE INTO {kind} (ROWID, {list})
             SELECT msgarchive_id, {list} FROM {versions}
             WHERE msgarchive_since <= {run} AND msgarchive_until > {run};
         DELETE FROM {versions} WHERE msgarchive_until > {run};"
    ))
}
