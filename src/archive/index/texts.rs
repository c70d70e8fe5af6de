//! The texts that an index is made of.
//!
//! Most messages say nothing but a text, and perhaps a subject: these are read as they lie there. Only what has more to it
//! is made into a message, as for an export.
//!
//! **Must never**: index what no export shows as a message: what was said of one by a tap is found with no words.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::archive::conversations::{Conversations, columns_or_null};
use crate::archive::deleted_parts::with_part_deleted_since;
use crate::archive::history::text;
use crate::archive::places::number;
use crate::archive::said::Saying;
use crate::archive::schema::has_table;
use crate::pipeline::said::{before, now};
use crate::pipeline::{Shown, is_tapback, mentions_more_than_ranges};
use crate::source::contacts::cards;

/// Messages that a run brought, or showed otherwise: also for a file of theirs, whose name may be news, and for a part of
/// theirs that is in Recently Deleted now: the row itself may be what it was.
fn changed(connection: &Connection) -> rusqlite::Result<String> {
    let parts = with_part_deleted_since(connection)?;
    Ok(format!(
        "(SELECT id FROM msgarchive_message WHERE since > ?1 UNION {parts} \
         UNION SELECT msgarchive_id FROM msgarchive_message_version WHERE msgarchive_since > ?1 \
         UNION SELECT message_id FROM message_attachment_join \
           WHERE attachment_id IN (SELECT id FROM msgarchive_attachment WHERE since > ?1))"
    ))
}

/// Calls `each` with the texts of every message that changed after a run, until it has enough: each text on lines of its own,
/// as they are written there.
pub fn each_text(
    connection: &Connection,
    folder: &Path,
    after: i64,
    mut each: impl FnMut(i64, String) -> bool,
) -> rusqlite::Result<()> {
    let conversations = Conversations::read(connection, &cards(connection)?)?;
    let saying = Saying::of(connection, folder, &conversations)?;
    let laden = laden(connection)?;
    let kept = Kept::after(connection, after)?;
    let columns = columns(connection, "message")?;
    let which = if after == 0 { "?1 = 0" } else { &format!("ROWID IN {}", changed(connection)?) };
    let mut statement =
        connection.prepare(&format!("SELECT ROWID, {columns} FROM message WHERE {which} ORDER BY ROWID"))?;
    let mut rows = statement.query([after])?;
    // What is shown with another message changes that one.
    let mut roots = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if is_tapback(number(row.get_ref(1)?)) {
            continue;
        }
        let mut said = String::new();
        let mut say = |text: &str| said.extend([text, "\n"]);
        if laden.binary_search(&id).is_err() && is_plain(row)? {
            plain(row)?.iter().flatten().for_each(|text| say(text));
        } else if let Some(root) = of_message(&saying, id, &mut say)? {
            roots.insert(root);
            // It may have been there before that message was.
            if after > 0 && !each(id, String::new()) {
                return Ok(());
            }
            continue;
        }
        kept.of(&saying, id, &mut say)?;
        if (!said.is_empty() || after > 0) && !each(id, said) {
            return Ok(());
        }
    }
    for root in roots.into_iter().filter(|_| after > 0) {
        let mut said = String::new();
        let mut say = |text: &str| said.extend([text, "\n"]);
        if of_message(&saying, root, &mut say)?.is_some() {
            continue;
        }
        saying.kept(root)?.iter().for_each(|text| say(text));
        if !each(root, said) {
            break;
        }
    }
    Ok(())
}

/// Says what a message says and said, as an export shows it. `Some`: it is shown with this other one.
fn of_message(saying: &Saying<'_>, id: i64, say: &mut impl FnMut(&str)) -> rusqlite::Result<Option<i64>> {
    match saying.message(id, true)? {
        Some(Shown::With(root)) => return Ok(Some(root)),
        Some(Shown::AsMessage(message)) => {
            now(&message).into_iter().chain(before(&message)).for_each(say);
        }
        None => {}
    }
    Ok(None)
}

/// What [`is_plain`] and [`plain`] read of a table with messages, after a message's id.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let has = |name: &str| columns_or_null(connection, table, &[name]);
    let simple = columns_or_null(
        connection,
        table,
        &["associated_message_type", "text", "attributedbody", "subject", "message_summary_info"],
    )?;
    // Any other value, of whatever type, says that it may have more to it.
    let more: Vec<String> = ["associated_message_type", "item_type", "date_edited", "date_retracted"]
        .iter()
        .map(|name| Ok(format!("coalesce({}, 0) IS NOT 0", has(name)?)))
        .collect::<rusqlite::Result<_>>()?;
    Ok(format!(
        "{simple}, {} OR {} IS NOT NULL OR {} IS NOT NULL",
        more.join(" OR "),
        has("balloon_bundle_id")?,
        has("payload_data")?
    ))
}

/// It says nothing but a text and a subject, as far as its row tells.
fn is_plain(row: &Row<'_>) -> rusqlite::Result<bool> {
    let has_more = number(row.get_ref(6)?) != 0;
    Ok(!has_more
        && match row.get_ref(5)? {
            ValueRef::Blob(summary) => !mentions_more_than_ranges(summary),
            _ => true,
        })
}

fn plain(row: &Row<'_>) -> rusqlite::Result<[Option<String>; 2]> {
    let subject = row.get_ref(4)?.as_bytes_or_null().ok().flatten();
    Ok([text(row, 2)?, subject.map(|subject| String::from_utf8_lossy(subject).into_owned())])
}

/// The messages that have a file, or parts in Recently Deleted; ascending.
fn laden(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut laden = Vec::new();
    for table in ["message_attachment_join", "recoverable_message_part"] {
        if has_table(connection, table)? {
            let mut statement = connection.prepare(&format!("SELECT message_id FROM {table}"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                laden.push(number(row.get_ref(0)?));
            }
        }
    }
    laden.sort_unstable();
    laden.dedup();
    Ok(laden)
}

/// What changed messages said in the states that the archive kept.
struct Kept {
    plain: HashMap<i64, Vec<String>>,
    /// Messages of which a state had more to it.
    others: HashSet<i64>,
}

impl Kept {
    fn after(connection: &Connection, after: i64) -> rusqlite::Result<Kept> {
        let (columns, changed) = (columns(connection, "msgarchive_message_version")?, changed(connection)?);
        let mut kept = Kept { plain: HashMap::new(), others: HashSet::new() };
        let mut statement = connection.prepare(&format!(
            "SELECT msgarchive_id, {columns} FROM msgarchive_message_version WHERE msgarchive_id IN {changed}"
        ))?;
        let mut rows = statement.query([after])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            if !is_plain(row)? {
                kept.others.insert(id);
                continue;
            }
            let texts = kept.plain.entry(id).or_default();
            for text in plain(row)?.into_iter().flatten() {
                // Most states differ in something else.
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        Ok(kept)
    }

    fn of(&self, saying: &Saying<'_>, id: i64, say: &mut impl FnMut(&str)) -> rusqlite::Result<()> {
        if self.others.contains(&id) {
            saying.kept(id)?.iter().for_each(|text| say(text));
        } else if let Some(texts) = self.plain.get(&id) {
            texts.iter().for_each(|text| say(text));
        }
        Ok(())
    }
}
