//! The people and conversations of an export, as tables of Messages have them.
//!
//! A conversation was made of chats; here its first one has all the rows, and the others only their GUIDs, so that they
//! find those of another source.

use std::collections::{HashMap, HashSet};

use super::list::{Listed, Participant};
use crate::model::ConversationKind;
use crate::source::contacts::Contact;
use crate::source::dates::raw_of;
use crate::source::{ChatId, LostRow, RawChat, RawHandle};

/// One-to-one, and group (`messages-format.md` 12.4).
const DIRECT: i64 = 45;
const GROUP: i64 = 43;

/// Who is in an export.
#[derive(Debug, Default)]
pub struct People {
    pub handles: Vec<RawHandle>,
    pub chats: Vec<RawChat>,
    /// Those whom the export calls by a name.
    pub contacts: Vec<Contact>,
    /// By address.
    rows: HashMap<String, i64>,
    /// By conversation: which of the chats has its rows.
    homes: Vec<usize>,
}

impl People {
    pub fn of(listed: &[Listed]) -> People {
        let mut people = People::default();
        let mut known: HashSet<&Participant> = HashSet::new();
        for conversation in listed {
            for person in &conversation.participants {
                if known.insert(person) {
                    people.add(person, known.len());
                }
            }
        }
        for conversation in listed {
            people.add_chats(conversation);
        }
        people
    }

    fn add(&mut self, person: &Participant, number: usize) {
        let first = person.handles.first();
        for address in &person.handles {
            let row = self.handle(address);
            // One person under several addresses, though no book of contacts says so.
            let at = usize::try_from(row - 1).ok().and_then(|at| self.handles.get_mut(at));
            if let Some(handle) = at.filter(|_| person.handles.len() > 1) {
                handle.person_centric_id = first.map(|first| format!("export {first}"));
            }
        }
        let Some(name) = &person.name else { return };
        let (emails, phones) = person.handles.iter().cloned().partition(|address| address.contains('@'));
        self.contacts.push(Contact {
            person: format!("export {number}"),
            name: name.clone(),
            full_name: name.trim().contains(' '),
            phones,
            emails,
            ..Contact::default()
        });
    }

    fn add_chats(&mut self, conversation: &Listed) {
        let handle_ids: Vec<i64> = {
            let addresses = conversation.participants.iter().flat_map(|person| &person.handles);
            addresses.map(|address| self.handle(address)).collect()
        };
        let home = self.chats.len();
        self.homes.push(home);
        let services = conversation.services.clone();
        let kind = conversation.kind();
        if kind == ConversationKind::Orphaned {
            let rowid = ChatId::ORPHANS.0;
            self.chats.push(RawChat { rowid, orphans: true, senders: handle_ids, ..RawChat::default() });
            return;
        }
        let group = kind == ConversationKind::Group;
        let first = conversation.participants.first().and_then(|person| person.handles.first());
        let nameless = vec![String::new()];
        let guids = Some(&conversation.chat_guids).filter(|guids| !guids.is_empty()).unwrap_or(&nameless);
        for guid in guids {
            let identifier = match (guid.is_empty(), group) {
                (false, _) => None,
                (true, false) => first.cloned(),
                (true, true) => Some(conversation.id.clone()),
            };
            self.chats.push(RawChat {
                rowid: self.chats.len() as i64 + 1,
                guid: guid.clone(),
                style: Some(if group { GROUP } else { DIRECT }),
                chat_identifier: identifier,
                display_name: group.then(|| conversation.title.clone()),
                // They are one conversation, whatever else they have in common.
                group_id: Some(conversation.id.clone()),
                handle_ids: handle_ids.clone(),
                services: services.clone(),
                ..RawChat::default()
            });
        }
        if let Some(chat) = self.chats.get_mut(home) {
            let lost = conversation.lost.iter().zip(1..);
            chat.lost = lost.map(|(sent, rowid)| LostRow { rowid, date: raw_of(sent.as_deref()) }).collect();
        }
    }

    /// The row of an address, which is made where there is none.
    pub fn handle(&mut self, address: &str) -> i64 {
        if let Some(row) = self.rows.get(address) {
            return *row;
        }
        let rowid = self.handles.len() as i64 + 1;
        self.handles.push(RawHandle { rowid, id: address.to_owned(), ..RawHandle::default() });
        self.rows.insert(address.to_owned(), rowid);
        rowid
    }

    /// The row of an address; 0, as of nobody, where there is none.
    pub fn row_of(&self, address: &str) -> i64 {
        self.rows.get(address).copied().unwrap_or(0)
    }

    /// The chat that has the rows of a conversation, by its number in the list.
    pub fn home(&mut self, conversation: usize) -> Option<&mut RawChat> {
        self.chats.get_mut(*self.homes.get(conversation)?)
    }
}
