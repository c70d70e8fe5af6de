//! Chats → conversations.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::earlier_ids::earlier_ids;
use super::people::People;
use super::sets::Sets;
use crate::model::{Conversation, ConversationKind, Instant};
use crate::pipeline::decode::date::instant;
use crate::source::{RawChat, RawHandle};

/// The rows of no chat.
pub(super) const ORPHANS_TITLE: &str = "Messages in no conversation";

/// Members' names in the title of a group without a name; the rest is counted.
const NAMES_IN_TITLE: usize = 8;

/// A row of `chat`, understood.
struct Chat<'a> {
    raw: &'a RawChat,
    direct: bool,
    identifier: &'a str,
    /// The people it is joined to now, sorted; for a one-to-one chat also the one it is named after.
    members: Vec<usize>,
    /// The other person of a one-to-one chat.
    person: Option<usize>,
    /// The name that people gave to a group.
    name: Option<&'a str>,
}

/// A conversation before it has an id.
pub(super) struct Thread<'a> {
    /// By row id; not empty.
    pub chats: Vec<&'a RawChat>,
    /// Indices into [`People::all`], sorted.
    pub people: Vec<usize>,
    /// The id of the conversation is empty.
    pub conversation: Conversation,
    /// What the id is made from: the same from run to run, with more chats later, with and without contacts.
    pub key: String,
}

/// The addresses of one-to-one chats that are joined to no handle (`messages-format.md` 12.4).
pub(super) fn stray_addresses<'a>(handles: &[RawHandle], chats: &'a [RawChat]) -> Vec<&'a str> {
    let rows: HashSet<i64> = handles.iter().map(|h| h.rowid).collect();
    let mut seen: HashSet<&str> = handles.iter().map(|h| h.id.as_str()).collect();
    let alone = |chat: &&RawChat| !chat.orphans && !chat.handle_ids.iter().any(|id| rows.contains(id));
    let direct = chats.iter().filter(alone).filter(|chat| is_direct(chat, 0));
    direct.map(identifier).filter(|id| !id.is_empty() && seen.insert(*id)).collect()
}

/// Every conversation, by the row id of its first chat; rows of no chat come last.
pub(super) fn threads<'a>(raw: &'a [RawChat], people: &People) -> Vec<Thread<'a>> {
    let mut chats: Vec<Chat> = raw.iter().filter(|c| !c.orphans).map(|c| Chat::new(c, people)).collect();
    chats.sort_by_key(|chat| chat.raw.rowid);
    let mut sets = merge(&chats, people);
    let mut merged: BTreeMap<usize, Vec<&Chat>> = BTreeMap::new();
    for (i, chat) in chats.iter().enumerate() {
        merged.entry(sets.find(i)).or_default().push(chat);
    }
    let mut threads: Vec<Thread> = merged.into_values().map(|chats| thread(&chats, people)).collect();
    let orphans: Vec<&RawChat> = raw.iter().filter(|c| c.orphans).collect();
    if !orphans.is_empty() {
        threads.push(orphaned(orphans, people));
    }
    threads
}

/// By the evidence of `messages-format.md` 12.5. A one-to-one chat and a group are never one conversation.
fn merge(chats: &[Chat], people: &People) -> Sets {
    let mut sets = Sets::new(chats.len());
    let mut of_person: HashMap<usize, usize> = HashMap::new();
    let mut of_id: HashMap<(bool, String), usize> = HashMap::new();
    for (i, chat) in chats.iter().enumerate() {
        if let Some(person) = chat.person {
            let same = *of_person.entry(person).or_insert(i);
            sets.join(same, i);
        }
        if !chat.identifier.is_empty() {
            let same = *of_id.entry((chat.direct, chat.identifier.to_owned())).or_insert(i);
            sets.join(same, i);
        }
    }
    for (i, chat) in chats.iter().enumerate() {
        for id in chat.other_ids() {
            let same = *of_id.entry((chat.direct, id)).or_insert(i);
            if !two_names(chat, &chats[same], people) {
                sets.join(same, i);
            }
        }
    }
    same_members(chats, &mut sets);
    sets
}

/// One-to-one chats with two people whom Contacts knows under different names: no id is better evidence.
fn two_names(a: &Chat, b: &Chat, people: &People) -> bool {
    let name = |chat: &Chat| people.all.get(chat.person?)?.name.clone();
    match (name(a), name(b)) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    }
}

/// Groups of the same people are one conversation where their names are equal; those without a name go with the
/// first that has one. Two different names stay apart.
fn same_members(chats: &[Chat], sets: &mut Sets) {
    let groups = || chats.iter().enumerate().filter(|(_, c)| !c.direct && !c.members.is_empty());
    let mut named: HashMap<(&[usize], &str), usize> = HashMap::new();
    let mut first_named: HashMap<&[usize], usize> = HashMap::new();
    for (i, chat) in groups() {
        if let Some(name) = chat.name {
            let same = *named.entry((&chat.members, name)).or_insert(i);
            sets.join(same, i);
            first_named.entry(&chat.members).or_insert(i);
        }
    }
    let mut has_name: HashSet<usize> = HashSet::new();
    for (i, _) in chats.iter().enumerate().filter(|(_, c)| c.name.is_some()) {
        has_name.insert(sets.find(i));
    }
    let mut unnamed: HashMap<&[usize], usize> = HashMap::new();
    for (i, chat) in groups() {
        if has_name.contains(&sets.find(i)) {
            continue;
        }
        let same = match first_named.get(&chat.members[..]) {
            Some(&named) => named,
            None => *unnamed.entry(&chat.members).or_insert(i),
        };
        let with_name = has_name.contains(&sets.find(same));
        let set = sets.join(same, i);
        if with_name {
            has_name.insert(set);
        }
    }
}

impl<'a> Chat<'a> {
    fn new(raw: &'a RawChat, people: &People) -> Chat<'a> {
        let mut members: Vec<usize> = raw.handle_ids.iter().filter_map(|id| people.of_row(*id)).collect();
        let first = members.first().copied();
        members.sort_unstable();
        members.dedup();
        let direct = is_direct(raw, members.len());
        let identifier = identifier(raw);
        let mut person = None;
        if direct {
            person = people.of_address(identifier).or(first);
            members.extend(person);
            members.sort_unstable();
            members.dedup();
        }
        let name = raw.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty() && !direct);
        Chat { raw, direct, identifier, members, person, name }
    }

    /// Everything else that leads to this chat: Messages' own look-up table, ids of the group now and earlier.
    fn other_ids(&self) -> Vec<String> {
        let raw = self.raw;
        let own = [&raw.group_id, &raw.original_group_id].into_iter().flatten().map(String::as_str);
        let looked_up = raw.lookups.iter().map(|(_, identifier)| without_service(identifier));
        let mut ids: Vec<String> =
            own.chain(looked_up).map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
        if let Some(properties) = raw.properties.as_deref().filter(|_| !self.direct) {
            ids.extend(earlier_ids(properties).into_iter().filter(|id| !id.trim().is_empty()));
        }
        ids
    }
}

/// `people` decides where the row itself does not say.
fn is_direct(chat: &RawChat, people: usize) -> bool {
    let room = chat.room_name.as_deref().is_some_and(|room| !room.is_empty());
    match chat.style {
        Some(45) => true,
        Some(43) => false,
        _ if chat.guid.contains(";-;") => true,
        _ if chat.guid.contains(";+;") || room => false,
        _ => people <= 1 && !identifier(chat).starts_with("chat"),
    }
}

/// What stands in `chat_identifier`, or at the end of the guid, or the guid: it outlives a change of the guid's
/// first part (macOS 26 writes `any;-;…` over `iMessage;-;…`).
fn identifier(chat: &RawChat) -> &str {
    match chat.chat_identifier.as_deref().map(str::trim) {
        Some(identifier) if !identifier.is_empty() => identifier,
        _ => without_service(chat.guid.trim()),
    }
}

/// `iMessage;-;x` → `x`.
fn without_service(guid: &str) -> &str {
    let tail = guid.split_once(";-;").or_else(|| guid.split_once(";+;"));
    tail.map(|(_, tail)| tail).filter(|tail| !tail.is_empty()).unwrap_or(guid)
}

fn thread<'a>(chats: &[&Chat<'a>], people: &People) -> Thread<'a> {
    let direct = chats.first().is_some_and(|chat| chat.direct);
    let mut everyone: Vec<usize> = chats.iter().flat_map(|c| c.members.iter().copied()).collect();
    everyone.extend(chats.iter().flat_map(|c| &c.raw.senders).filter_map(|id| people.of_row(*id)));
    everyone.sort_unstable();
    everyone.dedup();
    let label = |person: usize| people.all.get(person).map_or("", |p| p.label());
    let title = if direct {
        let mut persons = chats.iter().filter_map(|c| c.person);
        let named = persons.clone().find(|p| people.all.get(*p).is_some_and(|p| p.name.is_some()));
        named.or_else(|| persons.next()).map(|p| label(p).to_owned())
    } else {
        // The name of the chat that people wrote in last (of the latest one, where dates do not tell); members' names else.
        let named = chats.iter().filter(|chat| chat.name.is_some());
        let name =
            named.max_by_key(|chat| instant(chat.raw.last)).and_then(|chat| chat.name).map(str::to_owned);
        name.or_else(|| names(&everyone.iter().map(|p| label(*p)).collect::<Vec<_>>()))
    };
    let identifiers = chats.iter().map(|c| c.identifier.to_owned());
    let title = title.into_iter().chain(identifiers).find(|title| !title.trim().is_empty());
    let key = match chats.first() {
        Some(chat) if !chat.identifier.is_empty() => {
            format!("{}\0{}", if direct { "direct" } else { "group" }, chat.identifier)
        }
        chat => format!("row\0{}", chat.map_or(0, |c| c.raw.rowid)),
    };
    let kind = if direct { ConversationKind::Direct } else { ConversationKind::Group };
    let chats = chats.iter().map(|c| c.raw).collect();
    assemble(chats, kind, title.unwrap_or_else(|| "Unknown".to_owned()), everyone, key, people)
}

fn orphaned<'a>(chats: Vec<&'a RawChat>, people: &People) -> Thread<'a> {
    let mut senders: Vec<usize> =
        chats.iter().flat_map(|c| &c.senders).filter_map(|id| people.of_row(*id)).collect();
    senders.sort_unstable();
    senders.dedup();
    let title = ORPHANS_TITLE.to_owned();
    assemble(chats, ConversationKind::Orphaned, title, senders, "orphans".to_owned(), people)
}

fn assemble<'a>(
    chats: Vec<&'a RawChat>,
    kind: ConversationKind,
    title: String,
    everyone: Vec<usize>,
    key: String,
    people: &People,
) -> Thread<'a> {
    let services = chats.iter().flat_map(|c| c.services.iter().chain(&c.service_name));
    let services: BTreeSet<&str> =
        services.map(|s| s.trim()).filter(|s| !s.is_empty() && !s.eq_ignore_ascii_case("any")).collect();
    // Several sources have the same chat.
    let mut seen = HashSet::new();
    let named = chats.iter().filter(|c| !c.orphans && !c.guid.is_empty() && seen.insert(c.guid.as_str()));
    let conversation = Conversation {
        id: String::new(),
        title,
        kind,
        chat_guids: named.map(|c| c.guid.clone()).collect(),
        participants: everyone.iter().filter_map(|p| people.all.get(*p)).cloned().collect(),
        services: services.into_iter().map(str::to_owned).collect(),
        lost: lost(&chats),
    };
    Thread { chats, people: everyone, conversation, key }
}

/// When what is lost of some chats was sent; several of them may tell of one message.
fn lost(chats: &[&RawChat]) -> Vec<Option<Instant>> {
    let rows: BTreeSet<(i64, i64)> =
        chats.iter().flat_map(|chat| &chat.lost).map(|row| (row.rowid, row.date)).collect();
    let mut dates: Vec<Option<Instant>> = rows.into_iter().map(|(_, date)| instant(date)).collect();
    dates.sort_unstable();
    dates
}

fn names(labels: &[&str]) -> Option<String> {
    let (shown, rest) = labels.split_at(labels.len().min(NAMES_IN_TITLE));
    let title = shown.join(", ");
    match rest.len() {
        _ if shown.is_empty() => None,
        0 => Some(title),
        more => Some(format!("{title} and {more} more")),
    }
}
