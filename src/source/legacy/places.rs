//! With whom each row is: what old databases say row by row, as the handles and chats of later ones.
//!
//! **Must never**: lose a row for want of a place, or take two people for one (whose addresses are the same is the
//! pipeline's to say).

use std::collections::{BTreeSet, HashMap, HashSet};

use roaring::RoaringTreemap;
use rusqlite::Connection;

use super::addresses::addresses;
use super::query::Queries;
use super::rows::{self, Place};
use crate::source::database::{Columns, damaged, scan};
use crate::source::timeline::Moment;
use crate::source::{ChatId, RawChat, RawHandle};

/// What a row, a group or a chat says of where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// `msg_group.ROWID`.
    Group(i64),
    /// One person, by address and service.
    Direct(String, String),
    /// `madrid_roomname`.
    Room(String),
    /// Several people, sorted: recipients of a text that is in no group.
    Several(Vec<String>),
}

/// A row as far as order goes: its date (as later databases have it), and its row id.
pub(super) type Dated = (i64, i64);

/// Handles and chats, made from what the rows say. Costs 16 bytes a row.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By row id: 1, 2, …
    pub handles: Vec<RawHandle>,
    /// By row id: 1, 2, …
    pub chats: Vec<RawChat>,
    /// Of each chat, in the order of their instants.
    rows: Vec<Vec<Dated>>,
    orphans: Vec<Dated>,
    handle_ids: HashMap<(String, String), i64>,
}

impl Places {
    /// Reads every table that says with whom.
    pub fn take(connection: &Connection, queries: &Queries) -> rusqlite::Result<Places> {
        let mut places = Drafts::default();
        scan(connection, queries.groups.as_deref(), |c| {
            let (group, kind) = (c.number(), c.maybe_number());
            places.draft(Key::Group(group)).kind = kind;
        })?;
        scan(connection, queries.members.as_deref(), |c| {
            let (group, address, country) = (c.number(), c.text(), c.text());
            if let Some(address) = address.filter(|address| group > 0 && !address.trim().is_empty()) {
                let handle = places.handle(&address, "SMS", country);
                places.draft(Key::Group(group)).member(handle);
            }
        })?;
        scan(connection, queries.chats.as_deref(), |c| {
            let (chat, participants) = rows::chat(c);
            places.chat(chat, participants.as_deref());
        })?;
        let mut seen = RoaringTreemap::new();
        let scanned = scan(connection, Some(&queries.places), |c| {
            let place = rows::place(c);
            seen.insert(place.rowid as u64);
            places.row(place);
        });
        match scanned {
            Err(error) if damaged(&error) => places.one_by_one(connection, queries, &seen)?,
            scanned => scanned?,
        }
        Ok(places.finish())
    }

    /// The row id of the handle with this address on this service.
    pub fn handle_id(&self, address: &str, service: &str) -> Option<i64> {
        self.handle_ids.get(&(address.to_owned(), service.to_owned())).copied()
    }

    /// The rows of a chat, in the order of their instants.
    pub fn rows(&self, chat: ChatId) -> &[Dated] {
        if chat == ChatId::ORPHANS {
            return &self.orphans;
        }
        let index = usize::try_from(chat.0).ok().and_then(|rowid| rowid.checked_sub(1));
        index.and_then(|index| self.rows.get(index)).map_or(&[], Vec::as_slice)
    }

    /// A chat by its row id.
    pub fn chat(&self, chat: ChatId) -> Option<&RawChat> {
        self.chats.get(usize::try_from(chat.0).ok()?.checked_sub(1)?)
    }
}

/// A chat in the making.
#[derive(Debug, Default)]
struct Draft {
    chat: RawChat,
    /// `msg_group.type`: 0 one recipient, 1 several.
    kind: Option<i64>,
    members: HashSet<i64>,
    /// Each once, in the order of their first rows.
    senders: Vec<i64>,
    known_senders: HashSet<i64>,
    rows: Vec<Dated>,
}

impl Draft {
    fn member(&mut self, handle: i64) {
        if self.members.insert(handle) {
            self.chat.handle_ids.push(handle);
        }
    }
}

#[derive(Default)]
struct Drafts {
    handles: Vec<RawHandle>,
    handle_ids: HashMap<(String, String), i64>,
    drafts: Vec<(Key, Draft)>,
    by_key: HashMap<Key, usize>,
    orphans: Vec<Dated>,
}

impl Drafts {
    fn handle(&mut self, address: &str, service: &str, country: Option<String>) -> i64 {
        let next = self.handles.len() as i64 + 1;
        let id = *self.handle_ids.entry((address.to_owned(), service.to_owned())).or_insert(next);
        if id == next {
            self.handles.push(RawHandle {
                rowid: id,
                id: address.to_owned(),
                service: Some(service.to_owned()),
                ..RawHandle::default()
            });
        }
        if let Some(handle) = self.handles.get_mut(id as usize - 1) {
            handle.country = handle.country.take().or(country.filter(|country| !country.is_empty()));
        }
        id
    }

    fn index(&mut self, key: Key) -> usize {
        match self.by_key.get(&key) {
            Some(index) => *index,
            None => {
                self.by_key.insert(key.clone(), self.drafts.len());
                self.drafts.push((key, Draft::default()));
                self.drafts.len() - 1
            }
        }
    }

    fn draft(&mut self, key: Key) -> &mut Draft {
        let index = self.index(key);
        // It was found or made just now.
        &mut self.drafts[index].1
    }

    /// A row of `madrid_chat`.
    fn chat(&mut self, chat: RawChat, participants: Option<&[u8]>) {
        let service = chat.service_name.clone().unwrap_or_default();
        let identifier = chat.chat_identifier.clone().filter(|id| !id.is_empty());
        let key = match (&chat.room_name, identifier) {
            (Some(room), _) => Key::Room(room.clone()),
            (None, Some(identifier)) if chat.style == Some(43) => Key::Room(identifier),
            (None, Some(identifier)) => Key::Direct(identifier, service.clone()),
            (None, None) => return,
        };
        let members: Vec<i64> = addresses(participants.unwrap_or_default())
            .iter()
            .map(|address| self.handle(address, &service, None))
            .collect();
        let draft = self.draft(key);
        if draft.chat.guid.is_empty() {
            draft.chat = RawChat { handle_ids: std::mem::take(&mut draft.chat.handle_ids), ..chat };
        }
        for member in members {
            draft.member(member);
        }
    }

    /// A row of `message`.
    fn row(&mut self, place: Place) {
        let Place { rowid, date, service, address, country, group, room, recipients, .. } = place;
        let sender = address.as_deref().map(|address| self.handle(address, &service, country));
        let key = match (group, room, address) {
            (Some(group), ..) => Key::Group(group),
            (None, Some(room), _) => Key::Room(room),
            (None, None, Some(address)) => Key::Direct(address, service.clone()),
            (None, None, None) => {
                let mut all = addresses(recipients.as_deref().unwrap_or_default());
                all.sort_unstable();
                match all.as_slice() {
                    [] => {
                        self.orphans.push((date, rowid));
                        return;
                    }
                    [one] => Key::Direct(one.clone(), service.clone()),
                    _ => Key::Several(all),
                }
            }
        };
        let draft = self.draft(key);
        draft.rows.push((date, rowid));
        if let Some(sender) = sender
            && draft.known_senders.insert(sender)
        {
            draft.senders.push(sender);
        }
    }

    /// Rows that a scan did not reach over a damaged place of the file.
    fn one_by_one(
        &mut self,
        connection: &Connection,
        queries: &Queries,
        seen: &RoaringTreemap,
    ) -> rusqlite::Result<()> {
        let mut left = Vec::new();
        scan(connection, Some(&queries.rowids), |c| {
            let rowid = c.number();
            if !seen.contains(rowid as u64) {
                left.push(rowid);
            }
        })?;
        let mut statement = connection.prepare(&queries.place)?;
        for rowid in left {
            let place = statement.query_row([rowid], |row| Ok(rows::place(&mut Columns::from(row, 0))));
            match place {
                Ok(place) => self.row(place),
                // The page shows it as unreadable.
                Err(error) if damaged(&error) => self.orphans.push((0, rowid)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Places {
        let mut places = Places::default();
        for (key, mut draft) in std::mem::take(&mut self.drafts) {
            match key {
                Key::Group(_) => self.finish_group(&mut draft),
                Key::Several(all) => {
                    for address in &all {
                        let handle = self.handle(address, "SMS", None);
                        draft.member(handle);
                    }
                    self.finish_group(&mut draft);
                }
                Key::Direct(address, service) => {
                    let handle = self.handle(&address, &service, None);
                    draft.member(handle);
                    draft.chat.style = draft.chat.style.or(Some(45));
                    draft.chat.chat_identifier = Some(address);
                    draft.chat.service_name = Some(service);
                }
                Key::Room(room) => {
                    draft.chat.style = draft.chat.style.or(Some(43));
                    draft.chat.room_name.get_or_insert_with(|| room.clone());
                    draft.chat.chat_identifier.get_or_insert(room);
                    draft.chat.service_name.get_or_insert_with(|| "iMessage".into());
                }
            }
            let Draft { mut chat, members, senders, mut rows, .. } = draft;
            let mut services: BTreeSet<String> = chat.service_name.iter().cloned().collect();
            for id in chat.handle_ids.iter().chain(&senders) {
                let handle = self.handles.get(*id as usize - 1);
                services.extend(handle.and_then(|handle| handle.service.clone()));
            }
            chat.rowid = places.chats.len() as i64 + 1;
            chat.senders = senders.into_iter().filter(|id| !members.contains(id)).collect();
            chat.services = services.into_iter().collect();
            chat.rows = rows.len() as u64;
            sort(&mut rows);
            chat.last = rows.last().map_or(0, |(date, _)| *date);
            places.chats.push(chat);
            places.rows.push(rows);
        }
        if !self.orphans.is_empty() {
            sort(&mut self.orphans);
            places.chats.push(RawChat {
                rowid: ChatId::ORPHANS.0,
                orphans: true,
                rows: self.orphans.len() as u64,
                ..RawChat::default()
            });
        }
        Places { handles: self.handles, handle_ids: self.handle_ids, orphans: self.orphans, ..places }
    }

    /// Old groups have no name: they are who is in them.
    fn finish_group(&self, draft: &mut Draft) {
        if draft.chat.handle_ids.is_empty() {
            draft.chat.handle_ids.clone_from(&draft.senders);
            draft.members.extend(&draft.senders);
        }
        let handles = draft.chat.handle_ids.iter().filter_map(|id| self.handles.get(*id as usize - 1));
        let mut members: Vec<&str> = handles.map(|handle| handle.id.as_str()).collect();
        members.sort_unstable();
        let one = members.len() <= 1 && draft.kind.is_none_or(|kind| kind == 0);
        draft.chat.style = Some(if one { 45 } else { 43 });
        draft.chat.chat_identifier = Some(members.join(", ")).filter(|members| !members.is_empty());
        draft.chat.service_name = Some("SMS".into());
    }
}

fn sort(rows: &mut [Dated]) {
    rows.sort_unstable_by_key(|(date, rowid)| (Moment::of(*date), *rowid));
}
