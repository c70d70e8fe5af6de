//! What `history --deleted` tells: every message that a source has no more, why, and where it is still.
//!
//! **Must never**: name a reason that exports name otherwise ([`Reason::weight`]).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

use super::ArchiveError;
use super::absence::Reason;
use super::conversations::{Conversations, columns_or_null};
use super::deleted_parts::DELETED_PARTS;
use super::deletions::{GONE, Having, RECOVERABLE, StillThere};
use super::guess::is_guessed;
use super::history::{body_columns, text};
use super::open::look_into;
use super::places::number;
use super::recovered::PARTS;
use super::replaced::Replacing;
use super::row::text_at;
use super::schema::has_table;
use crate::model::Instant;
use crate::pipeline::decode::body;
use crate::pipeline::decode::date::instant;
use crate::source::contacts::cards;

/// A message that a source has no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    pub guid: String,
    /// Its id and title; `None` for a message in no chat.
    pub conversation: Option<(String, String)>,
    pub date: Option<Instant>,
    /// Only this part of it is in Recently Deleted, or was; the rest is where it was.
    pub part: Option<i64>,
    /// The sources that have it no more; never none. The one whose reason counts ([`Reason::weight`]) is the first. Of a part,
    /// the one that the message is shown of.
    pub gone_from: Vec<Lost>,
    /// Since when it is not in Recently Deleted of any of them any more, where it was.
    pub gone: Option<Instant>,
    /// The paths of those that have it still, as far as is known of the time since it was deleted.
    pub still_in: Vec<String>,
    /// The paths of those that had it still when they were read last, and are gone for good.
    pub was_in: Vec<String>,
    /// Its text, as it is shown; of a part, that of the part.
    pub text: Option<String>,
    /// What it said before its sender unsent it.
    pub text_before: Option<String>,
    /// The GUID of the tapback that took its place: Messages keeps only the last one of a person.
    pub replaced_by: Option<String>,
}

/// A source has a message no more, or in Recently Deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The path of the source.
    pub source: String,
    /// When it was deleted there, or its absence noticed.
    pub since: Option<Instant>,
    /// As [`super::Reason::name`] has it.
    pub reason: String,
    /// That is a guess.
    pub is_guessed: bool,
    /// Since when it is not in Recently Deleted any more, where it was.
    pub gone: Option<Instant>,
    /// It is there now, and can be had again.
    pub is_recoverable: bool,
}

/// Every message that some source has no more, each once, and every part of a message that was deleted by itself, by the date
/// of its absence.
///
/// # Errors
/// [`ArchiveError`].
pub fn gone(path: &Path) -> Result<Vec<Gone>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Vec<Gone>> {
        let conversations = Conversations::read(&connection, &cards(&connection)?)?;
        let body = body_columns(&connection, "message", "m")?;
        let replacing = Replacing::new(&connection, None);
        let mut message = connection
            .prepare(&format!("SELECT m.guid, m.date, {body} FROM message m WHERE m.ROWID = ?1"))?;
        let mut still_there = StillThere::new(&connection)?;
        let mut gone = Vec::new();
        for (id, LastLost { date, run, from: gone_from, gone: from_everywhere }) in lost(&connection)? {
            let conversation = conversations.of(&connection, id)?;
            let is_deleted =
                gone_from.iter().any(|lost| Reason::named(&lost.reason) == Some(Reason::Deleted));
            let replaced_by = match is_deleted {
                true => replacing.by(id)?,
                false => None,
            };
            let Having { still: still_in, before_it_was_gone: was_in } = still_there.of(id, date, run)?;
            let told = message
                .query_row([id], |row| {
                    let text = text(row, 2)?;
                    Ok(Gone {
                        guid: text_at(row, 0)?.unwrap_or_default(),
                        conversation: conversation.map(|c| (c.id.clone(), c.title.clone())),
                        date: instant(number(row.get_ref(1)?)),
                        part: None,
                        gone_from,
                        gone: from_everywhere,
                        still_in,
                        was_in,
                        text_before: match text {
                            Some(_) => None,
                            None => text_before(&connection, id)?,
                        },
                        text,
                        replaced_by,
                    })
                })
                .optional()?;
            gone.extend(told);
        }
        gone.extend(parts(&connection, &conversations)?);
        let since = |gone: &Gone| gone.gone_from.first().and_then(|lost| lost.since);
        gone.sort_by(|a, b| (since(a), a.date, &a.guid).cmp(&(since(b), b.date, &b.guid)));
        Ok(gone)
    };
    read().map_err(ArchiveError::database(folder.database()))
}

/// When a message was lost last (Apple's date), by which run that was noticed, and from where all it is lost.
struct LastLost {
    date: i64,
    run: i64,
    from: Vec<Lost>,
    gone: Option<Instant>,
}

/// What is lost, by message.
fn lost(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, LastLost>> {
    let is_guessed = is_guessed(connection)?;
    let mut statement = connection.prepare(&format!(
        "SELECT a.message, a.date, a.run, a.reason, o.path, g.date, {GONE}, {RECOVERABLE}, {is_guessed} FROM msgarchive_absence a \
         JOIN msgarchive_source o ON o.source = a.source LEFT JOIN msgarchive_run g ON g.run = a.gone \
         WHERE a.returned IS NULL ORDER BY a.message, a.date DESC, a.source"
    ))?;
    let mut rows = statement.query([])?;
    let mut lost: BTreeMap<i64, LastLost> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (date, run) = (number(row.get_ref(1)?), row.get(2)?);
        let reason = text_at(row, 3)?.unwrap_or_default();
        let was_there = Reason::named(&reason) == Some(Reason::RecentlyDeleted);
        let gone = text_at(row, 5)?.filter(|_| was_there).and_then(|date| date.parse().ok());
        let source = text_at(row, 4)?.unwrap_or_default();
        let of =
            lost.entry(row.get(0)?).or_insert_with(|| LastLost { date, run, from: Vec::new(), gone: None });
        let from_everywhere = row.get_ref(6)?;
        if from_everywhere != ValueRef::Null {
            of.gone = instant(number(from_everywhere));
        }
        let (is_recoverable, is_guessed) = (row.get(7)?, row.get(8)?);
        of.from.push(Lost { source, since: instant(date), reason, is_guessed, gone, is_recoverable });
    }
    for of in lost.values_mut() {
        let reason = |lost: &Lost| Reason::named(&lost.reason).unwrap_or(Reason::Unexplained);
        of.from.sort_by_key(|lost| {
            Reverse(reason(lost).weight(lost.is_guessed, lost.is_recoverable, lost.since))
        });
    }
    Ok(lost)
}

/// What a message said last, of which nothing is left.
fn text_before(connection: &Connection, message: i64) -> rusqlite::Result<Option<String>> {
    let body = body_columns(connection, "msgarchive_message_version", "v")?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {body} FROM msgarchive_message_version v WHERE msgarchive_id = ?1 ORDER BY msgarchive_version DESC"
    ))?;
    let mut rows = statement.query([message])?;
    while let Some(row) = rows.next()? {
        if let Some(said) = text(row, 0)? {
            return Ok(Some(said));
        }
    }
    Ok(None)
}

/// The parts of messages that were deleted by themselves (`messages-format.md` 13.1).
fn parts(connection: &Connection, conversations: &Conversations) -> rusqlite::Result<Vec<Gone>> {
    if !has_table(connection, PARTS)? {
        return Ok(Vec::new());
    }
    // Each has its name, though it may not be there.
    let column = |name: &&str| Ok(format!("{} AS {name}", columns_or_null(connection, PARTS, &[*name])?));
    let columns = ["message_id", "part_index", "delete_date", "part_text"].iter().map(column);
    let columns = columns.collect::<rusqlite::Result<Vec<String>>>()?.join(", ");
    // Archives that were made earlier do not tell.
    let gone_since = match has_table(connection, DELETED_PARTS)? {
        true => {
            "(SELECT gone FROM msgarchive_gone_part g WHERE g.message = p.message_id AND g.part = p.part_index)"
        }
        false => "NULL",
    };
    // In each chat that the message is in, Messages lists the part again.
    let mut statement = connection.prepare(&format!(
        "SELECT m.guid, m.date, o.path, m.ROWID, p.*, {gone_since} \
         FROM (SELECT message_id, part_index, min(delete_date) AS delete_date, part_text FROM (SELECT {columns} FROM {PARTS}) \
                GROUP BY message_id, part_index, part_text) p \
         JOIN message m ON m.ROWID = p.message_id JOIN msgarchive_message b ON b.id = m.ROWID \
         JOIN msgarchive_source o ON o.source = b.source ORDER BY m.ROWID, 6"
    ))?;
    let mut rows = statement.query([])?;
    let mut gone = Vec::new();
    while let Some(row) = rows.next()? {
        let conversation = conversations.of(connection, row.get(3)?)?;
        let said = row.get_ref(7)?.as_bytes_or_null().ok().flatten();
        let since = row.get::<_, Option<i64>>(8)?.and_then(instant);
        gone.push(Gone {
            guid: text_at(row, 0)?.unwrap_or_default(),
            conversation: conversation.map(|c| (c.id.clone(), c.title.clone())),
            date: instant(number(row.get_ref(1)?)),
            part: Some(number(row.get_ref(5)?)),
            gone_from: vec![Lost {
                source: text_at(row, 2)?.unwrap_or_default(),
                since: instant(number(row.get_ref(6)?)),
                reason: Reason::RecentlyDeleted.name().to_owned(),
                is_guessed: false,
                gone: since,
                is_recoverable: since.is_none(),
            }],
            gone: since,
            still_in: Vec::new(),
            was_in: Vec::new(),
            text: body::body_without_data(said, None).text().map(str::to_owned),
            text_before: None,
            replaced_by: None,
        });
    }
    Ok(gone)
}
