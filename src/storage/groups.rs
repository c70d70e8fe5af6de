//! What is added up, in every way at once: each thing is in exactly one group of each kind.

use std::collections::{BTreeMap, HashMap};

use super::{Amount, Category};
use crate::model::Participant;
use crate::pipeline::roster::Roster;

/// No conversation.
const NONE: u32 = u32::MAX;

/// Where a thing is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    conversation: u32,
    sender: u32,
    /// `None`: no date.
    year: Option<i32>,
}

impl Place {
    /// Of what no message has.
    pub fn nowhere(year: Option<i32>) -> Place {
        Place { conversation: NONE, sender: UNKNOWN, year }
    }

    pub fn new(conversation: Option<usize>, sender: u32, year: Option<i32>) -> Place {
        Place { conversation: conversation.map_or(NONE, |number| number as u32), sender, year }
    }

    pub fn conversation(self) -> Option<usize> {
        (self.conversation != NONE).then_some(self.conversation as usize)
    }
}

/// Who sent something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Me,
    Person(Participant),
    /// Nobody, or nobody known: announcements, attachments that no message has.
    Unknown,
}

/// Senders, numbered as they are met.
#[derive(Debug)]
pub(super) struct Senders {
    pub all: Vec<Who>,
    of_handle: HashMap<i64, u32>,
    of_person: HashMap<usize, u32>,
}

const ME: u32 = 0;
const UNKNOWN: u32 = 1;

impl Default for Senders {
    fn default() -> Senders {
        Senders { all: vec![Who::Me, Who::Unknown], of_handle: HashMap::new(), of_person: HashMap::new() }
    }
}

impl Senders {
    pub fn number(&mut self, from_me: bool, handle_id: i64, roster: &Roster) -> u32 {
        if from_me {
            return ME;
        }
        if let Some(number) = self.of_handle.get(&handle_id) {
            return *number;
        }
        let number = match roster.person(handle_id) {
            None => UNKNOWN,
            Some((person, participant)) => *self.of_person.entry(person).or_insert_with(|| {
                self.all.push(Who::Person(participant.clone()));
                self.all.len() as u32 - 1
            }),
        };
        self.of_handle.insert(handle_id, number);
        number
    }
}

/// The sums.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub total: Amount,
    pub categories: BTreeMap<Category, Amount>,
    /// By the number of the conversation; the last one is of what is in none.
    pub conversations: Vec<Amount>,
    pub senders: Vec<Amount>,
    pub years: BTreeMap<Option<i32>, Amount>,
}

impl Groups {
    pub fn new(conversations: usize) -> Groups {
        Groups { conversations: vec![Amount::default(); conversations + 1], ..Groups::default() }
    }

    pub fn add(&mut self, place: Place, category: Category, amount: Amount) {
        self.total += amount;
        *self.categories.entry(category).or_default() += amount;
        let nowhere = self.conversations.len() - 1;
        let conversation = (place.conversation as usize).min(nowhere);
        if let Some(sum) = self.conversations.get_mut(conversation) {
            *sum += amount;
        }
        let sender = place.sender as usize;
        if self.senders.len() <= sender {
            self.senders.resize(sender + 1, Amount::default());
        }
        if let Some(sum) = self.senders.get_mut(sender) {
            *sum += amount;
        }
        *self.years.entry(place.year).or_default() += amount;
    }
}
