//! Which of the messages that say what is searched for are wanted.

use super::ArchiveError;
use super::conversations::Conversations;
use super::search::Query;
use crate::model::Message;
use crate::pipeline::select::{Selection, Without};

/// What a query asks for, beside words.
pub struct Wanted<'q> {
    pub query: &'q Query,
    /// Sorted; `None`: any, and none at all.
    conversations: Option<Vec<usize>>,
}

impl<'q> Wanted<'q> {
    /// Finds the conversations that are meant.
    ///
    /// # Errors
    /// [`ArchiveError::NoMatch`]: there is none.
    pub fn of(query: &'q Query, conversations: &Conversations) -> Result<Wanted<'q>, ArchiveError> {
        let scope = &query.selection;
        let lists = [&scope.conversations, &scope.only, &scope.with, &scope.exclude];
        let all = lists.iter().all(|list| list.is_empty());
        let chosen = if all { None } else { Some(scope.conversations(&conversations.0)?) };
        Ok(Wanted { query, conversations: chosen })
    }

    /// Whatever says the words is wanted.
    pub fn is_everything(&self) -> bool {
        self.query.from_me.is_none() && self.query.selection == Selection::default()
    }

    /// It is in a conversation that is meant.
    pub fn takes_conversation(&self, conversation: Option<usize>) -> bool {
        let there = |chosen: &Vec<usize>| conversation.is_some_and(|at| chosen.binary_search(&at).is_ok());
        self.conversations.as_ref().is_none_or(there)
    }

    /// It was sent in the right direction, and is one that an export of the selection has.
    pub fn takes(&self, message: &Message) -> bool {
        self.query.from_me.is_none_or(|from_me| message.from_me == from_me)
            && self.query.selection.takes(message)
    }

    /// Parts that are in Recently Deleted count, too.
    pub fn takes_deleted(&self) -> bool {
        !self.query.selection.without.contains(&Without::Deleted)
    }
}
