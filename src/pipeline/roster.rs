//! Handles → participants, chats → conversations.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Conversation, Sender};
use crate::source::contacts::Contact;
use crate::source::{ChatId, RawChat, RawHandle};

/// Who is who, and which chats are one conversation.
#[derive(Debug, Default)]
pub struct Roster {
    /// Sorted by id.
    pub conversations: Vec<RosterEntry>,
    senders: HashMap<i64, Arc<Sender>>,
}

/// A conversation and the chats it was merged from.
#[derive(Debug, Clone)]
pub struct RosterEntry {
    pub conversation: Conversation,
    /// By row id; [`ChatId::ORPHANS`] alone for the orphaned rows.
    pub chats: Vec<ChatId>,
    /// Rows in these chats.
    pub rows: u64,
}

impl Roster {
    /// Merges handles into people and chats into conversations (`messages-format.md` 12.1, 12.5, 15.4).
    pub fn new(handles: &[RawHandle], chats: &[RawChat], contacts: &[Contact]) -> Roster {
        let _ = (handles, chats, contacts);
        Roster::default()
    }

    /// The person behind `handle.ROWID`; `None` for 0, -1 and row ids that are not in the table.
    pub fn sender(&self, handle_id: i64) -> Option<&Arc<Sender>> {
        self.senders.get(&handle_id)
    }

    /// STUB
    pub fn with_person(&self, query: &str, direct_only: bool) -> Vec<usize> {
        let _ = (query, direct_only);
        Vec::new()
    }
    /// STUB
    pub fn suggest(&self, query: &str) -> Vec<String> {
        let _ = query;
        Vec::new()
    }
    /// STUB
    pub fn same_person(&self, a: &Sender, b: &Sender) -> bool {
        a == b
    }
    /// Which conversation a chat is part of: an index into `conversations`.
    pub fn conversation_of(&self, chat: ChatId) -> Option<usize> {
        self.conversations.iter().position(|e| e.chats.contains(&chat))
    }
}
