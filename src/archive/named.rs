//! What rows are called, for people: as far as anything here still tells of one that is damaged or gone.
//!
//! **Must never**: guess.

use rusqlite::{Connection, OptionalExtension};

use super::kind::{CARRIED, Kind, PLACES};
use super::lost_thing::LostOf;
use super::places::number;
use super::row::{Owned, text_at};
use super::schema::{has_versions, version_table};
use crate::pipeline::decode::date::instant;

/// Things of one sort that are named, in a record or by `verify`; of more there is one cause.
pub const NAMED: usize = 100;

/// What a row is known by: as it is shown, or, where it is gone, as it was before.
pub fn guid_of(connection: &Connection, kind: Kind, id: i64) -> rusqlite::Result<Option<String>> {
    let key = kind.key().first().copied().unwrap_or("guid");
    let ask = |sql: String| {
        connection.prepare_cached(&sql)?.query_row([id], |row| row.get_ref(0).map(Owned::of)).optional()
    };
    let shown = ask(format!("SELECT {key} FROM {} WHERE ROWID = ?1", kind.table()))?;
    let known = match shown {
        None if has_versions(kind) => ask(format!(
            "SELECT {key} FROM {} WHERE msgarchive_id = ?1 ORDER BY msgarchive_version DESC LIMIT 1",
            version_table(kind)
        ))?,
        shown => shown,
    };
    Ok(match known {
        Some(Owned::Text(text)) => Some(String::from_utf8_lossy(&text).into_owned()),
        _ => None,
    })
}

/// The same, or which row of which table it is.
pub fn name(connection: &Connection, kind: Kind, id: i64) -> rusqlite::Result<String> {
    Ok(guid_of(connection, kind, id)?.unwrap_or_else(|| format!("row {id} of {}", kind.table())))
}

/// What people call a conversation.
pub fn title(connection: &Connection, chat: i64) -> rusqlite::Result<String> {
    for column in ["display_name", "chat_identifier"] {
        // Of a library that has no such column there is none.
        let sql = format!("SELECT {column} FROM chat WHERE ROWID = ?1 AND {column} <> ''");
        let Ok(mut statement) = connection.prepare(&sql) else { continue };
        if let Some(title) = statement.query_row([chat], |row| text_at(row, 0)).optional()?.flatten() {
            return Ok(title);
        }
    }
    name(connection, Kind::Chat, chat)
}

/// Of what something is lost: a row, or something that `table` says of it. What says where a message is says when it was sent, too.
pub fn lost_of(
    connection: &Connection,
    table: &str,
    (kind, id): (Kind, i64),
    since: Option<i64>,
) -> rusqlite::Result<LostOf> {
    let message = match kind {
        Kind::Message => Some(id),
        Kind::Attachment => connection
            .prepare_cached(&format!("SELECT message_id FROM {CARRIED} WHERE attachment_id = ?1"))?
            .query_row([id], |row| row.get_ref(0).map(number))
            .optional()?,
        Kind::Handle | Kind::Chat => None,
    };
    let guid = guid_of(connection, kind, id)?;
    let mut of = LostOf { table: table.to_owned(), row: Some(id), since, guid, ..LostOf::default() };
    if kind == Kind::Chat {
        of.conversation = Some(title(connection, id)?);
    }
    let Some(message) = message else { return Ok(of) };
    let place = connection
        .prepare_cached(&format!("SELECT chat_id, message_date FROM {PLACES} WHERE message_id = ?1"))?
        .query_row([message], |row| Ok((row.get_ref(0).map(number)?, row.get_ref(1).map(number)?)))
        .optional()?;
    let sent = connection
        .prepare_cached(
            "SELECT m.date, m.is_from_me, h.id FROM message m LEFT JOIN handle h ON h.ROWID = m.handle_id \
             WHERE m.ROWID = ?1",
        )?
        .query_row([message], |row| {
            let from_me = row.get_ref(1).map(number)? != 0;
            Ok((row.get_ref(0).map(number)?, text_at(row, 2)?.filter(|_| !from_me)))
        })
        .optional()?;
    let date = sent.as_ref().map(|(date, _)| *date).or(place.map(|(_, date)| date)).unwrap_or_default();
    of.conversation = place.map(|(chat, _)| title(connection, chat)).transpose()?;
    of.date = instant(date).map(|at| at.to_rfc3339());
    of.sender = sent.and_then(|(_, sender)| sender);
    Ok(of)
}
