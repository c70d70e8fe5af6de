//! What groups were called and who was in them, as the runs found it.
//!
//! **Must never**: say when somebody came or left. By the date of a run it was so; the announcements among the messages
//! have the moment, where there are any.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::conversations::{Conversations, columns_or_null};
use super::history::{find, run_named};
use super::moves::FORMER_PLACES;
use super::open::look_into;
use super::participants::PARTICIPANTS;
use super::row::text_at;
use super::schema::has_table;
use crate::model::Sender;
use crate::source::ChatId;
use crate::source::contacts::cards;

/// A conversation whose name or people changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id, and its title as it is now.
    pub id: String,
    pub title: String,
    /// As the runs found them, never none.
    pub changes: Vec<GroupChange>,
}

/// Something that was otherwise when the run before looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// The name and the date (RFC 3339) of the run that found it.
    pub run: (String, String),
    pub what: WhatChanged,
}

/// What it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhatChanged {
    /// `None`: without a name.
    Name { before: Option<String>, after: Option<String> },
    /// A name that it had in another source, or in another archive before that was read; it was not shown by it here.
    OtherName(String),
    /// Who is in it since.
    Came(Person),
    /// Who is not in it any more.
    Left(Person),
}

impl WhatChanged {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            WhatChanged::Name { .. } => "named",
            WhatChanged::OtherName(_) => "other_name",
            WhatChanged::Came(_) => "came",
            WhatChanged::Left(_) => "left",
        }
    }
}

/// Somebody in a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// `None` where the row that says it is lost.
    pub handle: Option<String>,
    /// As the archive's cards name them.
    pub name: Option<String>,
}

impl Person {
    fn of(sender: Option<&Sender>) -> Person {
        sender.map_or_else(Person::default, |Sender { handle, name }| Person {
            handle: handle.clone(),
            name: name.clone(),
        })
    }

    /// The name, else the handle, else "somebody unknown".
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.handle.as_deref()).unwrap_or("somebody unknown")
    }
}

/// A conversation as it was when the archive first had one of its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsItWas {
    /// The name and the date (RFC 3339) of that run.
    pub run: (String, String),
    /// The id and the title of the conversation that it was in, where that is not the one that it is in now.
    pub elsewhere: Option<(String, String)>,
    /// `None`: without a name.
    pub name: Option<String>,
    /// Without the owner.
    pub people: Vec<Person>,
}

/// Every conversation whose name or people changed, by title.
///
/// # Errors
/// [`ArchiveError`].
pub fn groups(path: &Path) -> Result<Vec<Group>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Vec<Group>> {
        let conversations = Conversations::read(&connection, &cards(&connection)?)?;
        let mut changes: BTreeMap<usize, BTreeSet<(i64, WhatChanged)>> = BTreeMap::new();
        let mut note = |chat, run, what| {
            if let Some(place) = conversations.0.conversation_of(ChatId(chat)) {
                // Of a conversation that has several chats each one says it.
                changes.entry(place).or_default().insert((run, what));
            }
        };
        for (chat, names) in names(&connection, None)? {
            names_changed(&names).into_iter().for_each(|(run, what)| note(chat, run, what));
        }
        for Stay { chat, handle, since, until, is_first } in stays(&connection, None)? {
            let person = Person::of(conversations.0.sender(handle).map(AsRef::as_ref));
            if !is_first {
                note(chat, since, WhatChanged::Came(person.clone()));
            }
            if let Some(until) = until {
                note(chat, until, WhatChanged::Left(person));
            }
        }
        let mut groups = Vec::new();
        for (place, changes) in changes {
            let Some(conversation) = conversations.at(place) else { continue };
            let changes = changes
                .into_iter()
                .map(|(run, what)| Ok(GroupChange { run: run_named(&connection, run)?, what }));
            groups.push(Group {
                id: conversation.id.clone(),
                title: conversation.title.clone(),
                changes: changes.collect::<rusqlite::Result<_>>()?,
            });
        }
        groups.sort_by(|a, b| (&a.title, &a.id).cmp(&(&b.title, &b.id)));
        Ok(groups)
    };
    read().map_err(ArchiveError::database(folder.database()))
}

/// What the conversation of a message was called, and who was in it, when the archive first had that message. `None` where that
/// is as it is now, or there is no such message.
///
/// # Errors
/// [`ArchiveError`].
pub fn as_it_was(path: &Path, guid: &str) -> Result<Option<AsItWas>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Option<AsItWas>> {
        let Some(message) = find(&connection, guid)? else { return Ok(None) };
        let sql = "SELECT min(j.chat_id), b.added FROM chat_message_join j \
             JOIN msgarchive_message b ON b.id = j.message_id WHERE j.message_id = ?1";
        let (Some(shown), Some(run)) = connection.query_row(sql, [message], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
        })?
        else {
            return Ok(None);
        };
        let conversations = Conversations::read(&connection, &cards(&connection)?)?;
        let place = |chat| conversations.0.conversation_of(ChatId(chat));
        let first = first_place(&connection, message)?.filter(|first| place(*first) != place(shown));
        let chat = first.unwrap_or(shown);
        let names = names(&connection, Some(chat))?.remove(&chat).unwrap_or_default();
        let was = |name: &&Name| name.since <= run && name.until.is_none_or(|until| until > run);
        let now = names.last().and_then(|name| name.name.clone());
        let name = names.iter().find(was).map_or_else(|| now.clone(), |name| name.name.clone());
        let stays = stays(&connection, Some(chat))?;
        let handles = |was: &dyn Fn(&Stay) -> bool| -> BTreeSet<i64> {
            stays.iter().filter(|stay| was(stay)).map(|stay| stay.handle).collect()
        };
        let then = handles(&|stay| stay.since <= run && stay.until.is_none_or(|until| until > run));
        if first.is_none() && name == now && then == handles(&|stay| stay.until.is_none()) {
            return Ok(None);
        }
        let person = |handle| Person::of(conversations.0.sender(handle).map(AsRef::as_ref));
        Ok(Some(AsItWas {
            run: run_named(&connection, run)?,
            elsewhere: first
                .and_then(place)
                .and_then(|place| conversations.at(place))
                .map(|one| (one.id.clone(), one.title.clone())),
            name,
            people: then.into_iter().map(person).collect(),
        }))
    };
    read().map_err(ArchiveError::database(folder.database()))
}

/// The chat that a message was in first, where it is in another one now; archives that were made earlier do not tell.
fn first_place(connection: &Connection, message: i64) -> rusqlite::Result<Option<i64>> {
    if !has_table(connection, FORMER_PLACES)? {
        return Ok(None);
    }
    let sql =
        format!("SELECT chat FROM {FORMER_PLACES} WHERE message = ?1 ORDER BY since, until, chat LIMIT 1");
    connection.query_row(&sql, [message], |row| row.get(0)).optional()
}

/// A name of a chat, and from which run on until which one.
struct Name {
    since: i64,
    /// `None` of the one that is shown. One that was never shown ends where it begins.
    until: Option<i64>,
    name: Option<String>,
}

/// The names of a chat, or of all, as they came; the one that is shown is the last.
fn names(connection: &Connection, chat: Option<i64>) -> rusqlite::Result<BTreeMap<i64, Vec<Name>>> {
    let mut names: BTreeMap<i64, Vec<Name>> = BTreeMap::new();
    let [former, shown] = ["msgarchive_chat_version", "chat"]
        .map(|table| columns_or_null(connection, table, &["display_name"]));
    for sql in [
        format!(
            "SELECT msgarchive_id, msgarchive_since, msgarchive_until, {} FROM msgarchive_chat_version \
             WHERE (?1 IS NULL OR msgarchive_id = ?1) AND msgarchive_since <= msgarchive_until \
             ORDER BY msgarchive_version",
            former?
        ),
        format!(
            "SELECT c.ROWID, b.since, NULL, {} FROM chat c JOIN msgarchive_chat b ON b.id = c.ROWID \
             WHERE ?1 IS NULL OR c.ROWID = ?1",
            shown?
        ),
    ] {
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([chat])?;
        while let Some(row) = rows.next()? {
            let name = text_at(row, 3)?.filter(|name| !name.is_empty());
            names.entry(row.get(0)?).or_default().push(Name { since: row.get(1)?, until: row.get(2)?, name });
        }
    }
    Ok(names)
}

fn names_changed(names: &[Name]) -> Vec<(i64, WhatChanged)> {
    let (was_shown, others): (Vec<&Name>, Vec<&Name>) =
        names.iter().partition(|name| name.until.is_none_or(|until| until > name.since));
    let pairs = was_shown.iter().zip(was_shown.iter().skip(1));
    let mut changed: Vec<(i64, WhatChanged)> = pairs
        .filter(|(before, after)| before.name != after.name)
        .map(|(before, after)| {
            (after.since, WhatChanged::Name { before: before.name.clone(), after: after.name.clone() })
        })
        .collect();
    let mut known: BTreeSet<&Option<String>> = was_shown.iter().map(|name| &name.name).collect();
    for other in others {
        if let (Some(name), true) = (&other.name, known.insert(&other.name)) {
            changed.push((other.since, WhatChanged::OtherName(name.clone())));
        }
    }
    changed
}

/// Between which runs somebody was in a chat.
struct Stay {
    chat: i64,
    handle: i64,
    since: i64,
    until: Option<i64>,
    /// They were in it when the archive first had it.
    is_first: bool,
}

/// Of a chat, or of all; none of archives that were made before this was noted.
fn stays(connection: &Connection, chat: Option<i64>) -> rusqlite::Result<Vec<Stay>> {
    if !has_table(connection, PARTICIPANTS)? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(&format!(
        "SELECT p.chat, p.handle, p.since, p.until, p.since <= coalesce(b.added, p.since) FROM {PARTICIPANTS} p \
         LEFT JOIN msgarchive_chat b ON b.id = p.chat WHERE ?1 IS NULL OR p.chat = ?1 ORDER BY p.since, p.rowid"
    ))?;
    let stays = statement.query_map(params![chat], |row| {
        Ok(Stay {
            chat: row.get(0)?,
            handle: row.get(1)?,
            since: row.get(2)?,
            until: row.get(3)?,
            is_first: row.get(4)?,
        })
    })?;
    stays.collect()
}
