//! Address → whose it is, by the contacts.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::address::{Address, Numbering};
use super::matching::fold;
use super::sets::Sets;
use crate::source::contacts::{Contact, FAMILY_RANK};

/// The contacts, by address.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// One name a person.
    names: Vec<Name>,
    /// The people who have this address, each once, in order.
    owners: HashMap<String, Vec<usize>>,
}

/// The name of a person, and how much it is worth.
#[derive(Debug, Clone)]
struct Name {
    text: String,
    full: bool,
    worth: Worth,
}

/// Smaller is better (15.4.6 to 15.4.8): not the owner's own card, the better book, first and last name, more on
/// the card.
type Worth = (bool, u32, bool, Reverse<usize>);

impl Book {
    /// Cards of one person become one name; so do cards with the same first and last name and an address in
    /// common, which are the same person in two books.
    pub fn new(contacts: &[Contact], numbering: &Numbering) -> Book {
        let mut index: HashMap<&str, usize> = HashMap::new();
        let mut names: Vec<Name> = Vec::new();
        let mut owners: HashMap<String, Vec<usize>> = HashMap::new();
        for card in contacts.iter().filter(|c| !c.name.trim().is_empty()) {
            let name = Name {
                text: card.name.trim().to_owned(),
                full: card.full_name,
                worth: (
                    card.is_me,
                    card.rank,
                    !card.full_name,
                    Reverse(card.phones.len() + card.emails.len()),
                ),
            };
            let person = match index.get(card.person.as_str()) {
                Some(&person) => {
                    if name.order(&names[person]).is_lt() {
                        names[person] = name;
                    }
                    person
                }
                None => {
                    index.insert(&card.person, names.len());
                    names.push(name);
                    names.len() - 1
                }
            };
            for text in card.phones.iter().chain(&card.emails) {
                let address = numbering.read(text, None);
                for key in address.keys().filter(|_| address.personal) {
                    owners.entry(key.to_owned()).or_default().push(person);
                }
            }
        }
        let mut book = Book { names, owners };
        book.join_copies();
        book
    }

    fn join_copies(&mut self) {
        let mut sets = Sets::new(self.names.len());
        let folded: Vec<Option<String>> =
            self.names.iter().map(|name| name.full.then(|| fold(&name.text))).collect();
        for people in self.owners.values().filter(|people| people.len() > 1) {
            let mut named: HashMap<&str, usize> = HashMap::new();
            for &person in people {
                if let Some(name) = &folded[person] {
                    sets.join(*named.entry(name).or_insert(person), person);
                }
            }
        }
        for person in 0..self.names.len() {
            let one = sets.find(person);
            if self.names[person].order(&self.names[one]).is_lt() {
                self.names[one] = self.names[person].clone();
            }
        }
        for people in self.owners.values_mut() {
            people.iter_mut().for_each(|person| *person = sets.find(*person));
            people.sort_unstable();
            people.dedup();
            // A family member's book calls the same people by other names.
            let known = people.iter().any(|p| self.names[*p].worth.1 < FAMILY_RANK);
            people.retain(|p| !known || self.names[*p].worth.1 < FAMILY_RANK);
        }
    }

    /// Everybody who has this address: nobody, one, or several who share it.
    pub fn owners(&self, address: &Address) -> &[usize] {
        if !address.personal {
            return &[];
        }
        address.keys().find_map(|key| self.owners.get(key)).map_or(&[], Vec::as_slice)
    }

    /// The name to show for an address of these people.
    pub fn name(&self, people: &[usize]) -> Option<&str> {
        let names = people.iter().filter_map(|p| self.names.get(*p));
        names.min_by(|a, b| a.order(b)).map(|name| name.text.as_str())
    }
}

impl Name {
    fn order(&self, other: &Name) -> std::cmp::Ordering {
        self.worth.cmp(&other.worth).then_with(|| self.text.cmp(&other.text))
    }
}
