//! What deleting some of it would free.

use std::collections::HashSet;

use super::contents::{ContentKey, Contents, is_counted};
use super::items::Items;
use super::{Amount, Category};
use crate::model::Instant;
use crate::pipeline::roster::Roster;
use crate::pipeline::select::{Has, NoMatch, Selection};
use crate::source::WeighedMessage;

/// Which messages, or which of their attachments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WhatIf {
    /// Conversations, dates and services.
    pub selection: Selection,
    /// Only attachments of these kinds.
    pub has: Vec<Has>,
    /// Only attachments with more bytes than these.
    pub larger: Option<u64>,
}

impl WhatIf {
    /// Asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == WhatIf::default()
    }
}

/// What deleting it would free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freed {
    /// Whole messages; 0 where only attachments are asked for.
    pub messages: u64,
    /// Attachments, each time a message has one.
    pub attachments: u64,
    pub low: u64,
    pub high: u64,
}

/// A [`WhatIf`] for the conversations of a roster.
#[derive(Debug)]
pub(super) struct Filter {
    what: Option<WhatIf>,
    /// By the number of the conversation.
    conversations: Vec<bool>,
}

impl Filter {
    pub fn new(what: Option<&WhatIf>, roster: &Roster) -> Result<Filter, NoMatch> {
        let mut conversations = vec![false; roster.conversations.len()];
        if let Some(what) = what {
            for number in what.selection.conversations(roster)? {
                if let Some(selected) = conversations.get_mut(number) {
                    *selected = true;
                }
            }
        }
        Ok(Filter { what: what.cloned(), conversations })
    }

    pub fn takes_message(
        &self,
        message: &WeighedMessage<'_>,
        date: Option<Instant>,
        conversation: Option<usize>,
    ) -> bool {
        let Some(what) = &self.what else { return false };
        let services = &what.selection.services;
        let service = message.service.unwrap_or_default();
        conversation.and_then(|number| self.conversations.get(number)).is_some_and(|selected| *selected)
            && !what.selection.rules_out_date(date)
            && (services.is_empty() || services.iter().any(|wanted| wanted.eq_ignore_ascii_case(service)))
    }

    /// Not only of their attachments.
    pub fn takes_whole_messages(&self) -> bool {
        self.what.as_ref().is_some_and(|what| what.has.is_empty() && what.larger.is_none())
    }

    fn takes_attachment(&self, category: Category, bytes: u64) -> bool {
        self.what.as_ref().is_some_and(|what| {
            (what.has.is_empty() || what.has.iter().any(|kind| category.is(*kind)))
                && what.larger.is_none_or(|larger| bytes > larger)
        })
    }

    /// What is freed; `messages`: the whole messages that were taken.
    pub fn freed(&self, messages: Amount, items: &Items, contents: &Contents) -> Option<Freed> {
        self.what.as_ref()?;
        let mut freed =
            Freed { messages: messages.items, attachments: 0, low: messages.low, high: messages.high };
        let mut staying = Staying::default();
        let mut going = Vec::new();
        for reference in &items.references {
            let Some(item) = items.of(reference) else { continue };
            let key = contents.key(reference.item, item);
            if !reference.selected || !self.takes_attachment(item.category, item.bytes) {
                staying.add(key, item.bytes);
                continue;
            }
            freed.attachments += 1;
            freed.high = freed.high.saturating_add(item.bytes);
            if is_counted(item, reference) {
                going.push((key, item.bytes));
            }
        }
        let alone = items.all.iter().zip(0..).filter(|(item, _)| item.messages == 0);
        alone.for_each(|(item, number)| staying.add(contents.key(number, item), item.bytes));
        let unread = going.iter().filter(|(key, _)| !key.is_known());
        let unread: HashSet<u64> = unread.map(|(_, bytes)| *bytes).collect();
        let mut counted = HashSet::new();
        for (key, bytes) in going {
            // What was not read may be one of those that were.
            let once = if unread.contains(&bytes) { ContentKey::Size(bytes) } else { key };
            if !staying.has(key, bytes) && counted.insert(once) {
                freed.low = freed.low.saturating_add(bytes);
            }
        }
        Some(freed)
    }
}

/// Contents of which something stays, so that nothing is freed for certain.
#[derive(Debug, Default)]
struct Staying {
    keys: HashSet<ContentKey>,
    /// Of all, and of those that were not read.
    sizes: HashSet<u64>,
    unread: HashSet<u64>,
}

impl Staying {
    fn add(&mut self, key: ContentKey, bytes: u64) {
        self.keys.insert(key);
        self.sizes.insert(bytes);
        if !key.is_known() {
            self.unread.insert(bytes);
        }
    }

    fn has(&self, key: ContentKey, bytes: u64) -> bool {
        match key.is_known() {
            true => self.keys.contains(&key) || self.unread.contains(&bytes),
            false => self.sizes.contains(&bytes),
        }
    }
}
