//! Which conversations became one, and which came apart again, because what leads to them was given to somebody else or back, as
//! the runs found it.
//!
//! **Must never**: tell of a conversation that only got a chat which the archive did not have before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use rusqlite::Connection;

use super::ArchiveError;
use super::conversations::{chats, handles};
use super::history::run_named;
use super::identifiers::IDENTIFIERS;
use super::open::look_into;
use super::row::text_at;
use super::schema::has_table;
use crate::pipeline::roster::Roster;
use crate::source::contacts::cards;
use crate::source::{ChatId, RawChat};

/// Conversations that are others than they were before a run, with all the messages in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct United {
    /// The name and the date (RFC 3339) of the run that found it.
    pub run: (String, String),
    /// The ids and titles of several that are one since; or of the one that is several.
    pub before: Vec<(String, String)>,
    /// Of the one, or of the several.
    pub after: Vec<(String, String)>,
}

impl United {
    /// They are one since; else they came apart.
    pub fn are_one(&self) -> bool {
        self.after.len() == 1
    }
}

/// All that became one, or came apart: by run.
///
/// # Errors
/// [`ArchiveError`].
pub fn united(path: &Path) -> Result<Vec<United>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let read = || -> rusqlite::Result<Vec<United>> {
        // Archives that were made earlier do not tell.
        if !has_table(&connection, IDENTIFIERS)? {
            return Ok(Vec::new());
        }
        let led = led(&connection)?;
        let (handles, cards) = (handles(&connection)?, cards(&connection)?);
        let chats: Vec<(i64, RawChat)> = with_run(&connection, chats(&connection)?)?;
        let mut all = Vec::new();
        for run in runs(&chats, &led) {
            let there: Vec<&RawChat> =
                chats.iter().filter(|(added, _)| *added < run).map(|(_, chat)| chat).collect();
            let then = |run| Roster::new(&handles, &as_led(&there, &led, run), &cards);
            for (before, after) in differences(&there, &then(run - 1), &then(run)) {
                all.push(United { run: run_named(&connection, run)?, before, after });
            }
        }
        Ok(all)
    };
    read().map_err(ArchiveError::database(folder.database()))
}

/// What led to a chat, from which run on, until which one.
struct Led {
    since: i64,
    until: Option<i64>,
    /// Domain and identifier.
    lead: (String, String),
}

/// By chat.
fn led(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, Vec<Led>>> {
    let mut led: BTreeMap<i64, Vec<Led>> = BTreeMap::new();
    let sql = format!("SELECT chat, since, until, domain, identifier FROM {IDENTIFIERS}");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let (Some(domain), Some(identifier)) = (text_at(row, 3)?, text_at(row, 4)?) {
            let one = Led { since: row.get(1)?, until: row.get(2)?, lead: (domain, identifier) };
            led.entry(row.get(0)?).or_default().push(one);
        }
    }
    Ok(led)
}

/// The runs that found something else leading to a chat that the archive had, which may lead to another one, too.
fn runs(chats: &[(i64, RawChat)], led: &BTreeMap<i64, Vec<Led>>) -> BTreeSet<i64> {
    let led_to = |chat: &RawChat| led.get(&chat.rowid).into_iter().flatten();
    // `None`: of several.
    let mut of: HashMap<&str, Option<i64>> = HashMap::new();
    for (_, chat) in chats {
        let own = [&chat.chat_identifier, &chat.group_id, &chat.original_group_id, &chat.room_name];
        let own = own.into_iter().flatten().chain([&chat.guid]);
        for id in own.chain(led_to(chat).map(|one| &one.lead.1)) {
            let one = of.entry(end(id)).or_insert(Some(chat.rowid));
            *one = one.filter(|one| *one == chat.rowid);
        }
    }
    let mut runs = BTreeSet::new();
    for (added, chat) in chats {
        // A group has more ids than these.
        let may_be_shared = |one: &Led| chat.style != Some(DIRECT) || of.get(end(&one.lead.1)) == Some(&None);
        for one in led_to(chat).filter(|one| may_be_shared(one)) {
            runs.extend([Some(one.since), one.until].into_iter().flatten().filter(|run| run > added));
        }
    }
    runs
}

/// `chat.style` of a conversation of two.
const DIRECT: i64 = 45;

/// `iMessage;-;x` is `x`, wherever it stands.
fn end(id: &str) -> &str {
    id.rsplit(';').next().unwrap_or(id).trim()
}

/// Each with the run that brought it.
fn with_run(connection: &Connection, chats: Vec<RawChat>) -> rusqlite::Result<Vec<(i64, RawChat)>> {
    let mut statement = connection.prepare("SELECT id, added FROM msgarchive_chat")?;
    let added = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let added: BTreeMap<i64, i64> = added.collect::<rusqlite::Result<_>>()?;
    let of = |chat: RawChat| Some((*added.get(&chat.rowid)?, chat));
    Ok(chats.into_iter().filter_map(of).collect())
}

/// Chats with what led to them after a run; in all else as they are.
fn as_led(chats: &[&RawChat], led: &BTreeMap<i64, Vec<Led>>, run: i64) -> Vec<RawChat> {
    let led_then = |chat: &RawChat| -> Vec<(String, String)> {
        let all = led.get(&chat.rowid).into_iter().flatten();
        let then = all.filter(|one| one.since <= run && one.until.is_none_or(|until| until > run));
        then.map(|one| one.lead.clone()).collect()
    };
    chats.iter().map(|chat| RawChat { lookups: led_then(chat), ..(*chat).clone() }).collect()
}

/// Ids and titles.
type Named = Vec<(String, String)>;

/// What was several and is one, and what was one and is several.
fn differences(chats: &[&RawChat], before: &Roster, after: &Roster) -> Vec<(Named, Named)> {
    let (mut became, mut was): (BTreeMap<usize, BTreeSet<usize>>, BTreeMap<usize, BTreeSet<usize>>) =
        Default::default();
    for chat in chats {
        let chat = ChatId(chat.rowid);
        if let (Some(then), Some(now)) = (before.conversation_of(chat), after.conversation_of(chat)) {
            became.entry(then).or_default().insert(now);
            was.entry(now).or_default().insert(then);
        }
    }
    let named = |roster: &Roster, places: &BTreeSet<usize>| -> Named {
        let all = places.iter().filter_map(|place| roster.conversations.get(*place));
        let mut named: Named =
            all.map(|entry| (entry.conversation.id.clone(), entry.conversation.title.clone())).collect();
        named.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
        named
    };
    let one = |place: &usize| BTreeSet::from([*place]);
    let joined = was.iter().filter(|(_, several)| several.len() > 1);
    let apart = became.iter().filter(|(_, several)| several.len() > 1);
    joined
        .map(|(now, several)| (named(before, several), named(after, &one(now))))
        .chain(apart.map(|(then, several)| (named(before, &one(then)), named(after, several))))
        .collect()
}
