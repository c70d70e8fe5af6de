//! Handles → participants, chats → conversations.
//!
//! **Must never**: take two people for one because their numbers end alike or because they share a number; lose a
//! chat; make an id that changes from run to run.

mod address;
mod book;
mod conversations;
mod earlier_ids;
mod ids;
mod matching;
mod people;
mod sets;

use std::collections::HashMap;
use std::sync::Arc;

use self::people::People;
use crate::model::{Conversation, ConversationKind, Participant, Sender};
use crate::source::contacts::Contact;
use crate::source::{ChatId, RawChat, RawHandle};

/// Who is who, and which chats are one conversation.
#[derive(Debug, Default)]
pub struct Roster {
    /// Sorted by id.
    pub conversations: Vec<RosterEntry>,
    /// How the owner is named inside texts that name people; `None`: "You".
    pub owner: Option<String>,
    people: People,
    /// The people of each conversation.
    members: Vec<Vec<usize>>,
    of_chat: HashMap<ChatId, usize>,
}

/// A conversation and the chats it was merged from.
#[derive(Debug, Clone)]
pub struct RosterEntry {
    pub conversation: Conversation,
    /// By row id; [`ChatId::ORPHANS`] alone for the orphaned rows.
    pub chats: Vec<ChatId>,
    /// What it was called before, where an archive knows.
    pub former_names: Vec<String>,
    /// Rows in these chats.
    pub rows: u64,
}

impl Roster {
    /// Merges handles into people and chats into conversations (`messages-format.md` 12.1, 12.5, 15.4).
    pub fn new(handles: &[RawHandle], chats: &[RawChat], contacts: &[Contact]) -> Roster {
        let strays = conversations::stray_addresses(handles, chats);
        let people = People::new(handles, &strays, contacts);
        let mut threads = conversations::threads(chats, &people);
        let keys: Vec<String> = threads.iter_mut().map(|thread| std::mem::take(&mut thread.key)).collect();
        for (thread, id) in threads.iter_mut().zip(ids::ids(&keys)) {
            thread.conversation.id = id;
        }
        threads.sort_by(|a, b| a.conversation.id.cmp(&b.conversation.id));

        let mut roster = Roster { people, ..Roster::default() };
        for thread in threads {
            let chats: Vec<ChatId> = thread.chats.iter().map(|chat| chat.id()).collect();
            let former_names = thread.chats.iter().flat_map(|chat| chat.former_names.clone()).collect();
            let rows = thread.chats.iter().map(|chat| chat.rows).fold(0, u64::saturating_add);
            roster.of_chat.extend(chats.iter().map(|chat| (*chat, roster.conversations.len())));
            roster.conversations.push(RosterEntry {
                conversation: thread.conversation,
                chats,
                former_names,
                rows,
            });
            roster.members.push(thread.people);
        }
        roster
    }

    /// The person behind `handle.ROWID`; `None` for 0, -1 and row ids that are not in the table.
    pub fn sender(&self, handle_id: i64) -> Option<&Arc<Sender>> {
        self.people.sender(handle_id)
    }

    /// The person behind `handle.ROWID`, and their number among all people; `None` as for [`Roster::sender`].
    pub fn person(&self, handle_id: i64) -> Option<(usize, &Participant)> {
        let person = self.people.of_row(handle_id)?;
        Some((person, self.people.all.get(person)?))
    }

    /// The name for a phone number or an address as it stands in a mention or an announcement, in any spelling;
    /// `None` where Contacts knows nobody.
    pub fn name_of(&self, address: &str) -> Option<&str> {
        self.people.name_of_address(address)
    }

    /// The participant with a phone number or an address, in any spelling.
    pub fn participant(&self, address: &str) -> Option<&Participant> {
        self.people.all.get(self.people.of_address(address)?)
    }

    /// True when both are the same person, perhaps under different handles.
    pub fn same_person(&self, a: &Sender, b: &Sender) -> bool {
        if a.handle == b.handle {
            return a.handle.is_some() || a == b;
        }
        let person = |sender: &Sender| self.people.of_address(sender.handle.as_deref()?);
        person(a).is_some_and(|a| person(b) == Some(a))
    }

    /// Equal for all spellings of an address.
    pub fn address_key(&self, address: &str) -> String {
        self.people.address_key(address)
    }

    /// Which conversation a chat is part of: an index into `conversations`.
    pub fn conversation_of(&self, chat: ChatId) -> Option<usize> {
        self.of_chat.get(&chat).copied()
    }

    /// The conversations that a person takes part in, as indices into `conversations`; with `direct_only` those
    /// with nobody else.
    ///
    /// A person is said by a number or an address in any spelling, or by name without regard to case and accents:
    /// the whole name, or some whole words of it where only one person has them.
    pub fn with_person(&self, query: &str, direct_only: bool) -> Vec<usize> {
        let meant = matching::people_named(&self.people, query);
        let entries = self.conversations.iter().zip(&self.members).enumerate();
        entries
            .filter(|(_, (entry, _))| !direct_only || entry.conversation.kind == ConversationKind::Direct)
            .filter(|(_, (_, members))| meant.iter().any(|person| members.binary_search(person).is_ok()))
            .map(|(i, _)| i)
            .collect()
    }

    /// The titles, names, handles and ids nearest to what somebody typed, best first; empty when nothing is near.
    pub fn suggest(&self, query: &str) -> Vec<String> {
        let titles = self.conversations.iter().map(|entry| entry.conversation.title.as_str());
        let former = self.conversations.iter().flat_map(|entry| &entry.former_names).map(String::as_str);
        let names = self.people.all.iter().filter_map(|person| person.name.as_deref());
        let handles = self.people.all.iter().flat_map(|person| person.handles.iter().map(String::as_str));
        let ids = self.conversations.iter().map(|entry| entry.conversation.id.as_str());
        matching::nearest(query, titles.chain(former).chain(names).chain(handles).chain(ids))
    }
}
