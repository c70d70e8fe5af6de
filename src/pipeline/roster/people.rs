//! Handles → people.

use std::collections::HashMap;
use std::sync::Arc;

use super::address::{Address, Numbering};
use super::book::Book;
use super::sets::Sets;
use crate::model::{Participant, Sender};
use crate::source::RawHandle;
use crate::source::contacts::Contact;

/// Everybody in the library.
#[derive(Debug, Default)]
pub(super) struct People {
    /// By the row id of their first handle.
    pub all: Vec<Participant>,
    by_row: HashMap<i64, (usize, Arc<Sender>)>,
    by_handle: HashMap<String, usize>,
    by_key: HashMap<String, usize>,
    numbering: Numbering,
    book: Book,
}

impl People {
    /// `strays` are addresses of one-to-one chats that have no handle; they come after the handles.
    pub fn new(handles: &[RawHandle], strays: &[&str], contacts: &[Contact]) -> People {
        let numbering = Numbering::of(handles);
        let book = Book::new(contacts, &numbering);
        let mut rows: Vec<&RawHandle> = handles.iter().collect();
        rows.sort_by_key(|h| h.rowid);
        let mut known: Vec<Known> = rows
            .iter()
            .map(|h| Known::new(&h.id, numbering.read(&h.id, h.country.as_deref()), &book))
            .collect();
        known.extend(strays.iter().map(|id| Known::new(id, numbering.read(id, None), &book)));

        let mut merge = Merge::new(known);
        merge.equal_addresses();
        merge.earlier_spellings(&rows, &numbering);
        merge.contacts();
        merge.person_ids(&rows);
        let Merge { known, mut sets, owners, .. } = merge;

        let mut people = People { numbering, book, ..People::default() };
        let mut person_of: HashMap<usize, usize> = HashMap::new();
        for (i, handle) in known.iter().enumerate() {
            let set = sets.find(i);
            let person = *person_of.entry(set).or_insert_with(|| {
                let name = people.book.name(&owners[set]).map(str::to_owned);
                people.all.push(Participant { name, handles: Vec::new() });
                people.all.len() - 1
            });
            if !people.by_handle.contains_key(handle.id) {
                people.by_handle.insert(handle.id.to_owned(), person);
                people.all[person].handles.push(handle.id.to_owned());
            }
            people.by_key.entry(handle.address.key.clone()).or_insert(person);
            if let Some(row) = rows.get(i) {
                let name = people.all[person].name.clone();
                let sender = Arc::new(Sender { handle: Some(row.id.clone()), name });
                people.by_row.insert(row.rowid, (person, sender));
            }
        }
        people
    }

    /// The person behind a row of `handle`.
    pub fn of_row(&self, handle_id: i64) -> Option<usize> {
        self.by_row.get(&handle_id).map(|(person, _)| *person)
    }

    pub fn sender(&self, handle_id: i64) -> Option<&Arc<Sender>> {
        self.by_row.get(&handle_id).map(|(_, sender)| sender)
    }

    /// The person with this address, in any spelling.
    pub fn of_address(&self, text: &str) -> Option<usize> {
        self.by_handle
            .get(text)
            .copied()
            .or_else(|| self.numbering.read(text, None).keys().find_map(|key| self.by_key.get(key)).copied())
    }

    /// Equal for all spellings of an address.
    pub fn address_key(&self, text: &str) -> String {
        self.numbering.read(text, None).key
    }

    /// The name for any address: a participant's, else a contact's.
    pub fn name_of_address(&self, text: &str) -> Option<&str> {
        match self.of_address(text) {
            Some(person) => self.all.get(person)?.name.as_deref(),
            None => self.book.name(self.book.owners(&self.numbering.read(text, None))),
        }
    }
}

/// A handle, read.
struct Known<'a> {
    id: &'a str,
    address: Address,
    /// The contacts that have this address.
    owners: Vec<usize>,
}

impl Known<'_> {
    fn new<'a>(id: &'a str, address: Address, book: &Book) -> Known<'a> {
        let owners = book.owners(&address).to_vec();
        Known { id, address, owners }
    }
}

/// Joins handles by the evidence of `messages-format.md` 12.1.
struct Merge<'a> {
    known: Vec<Known<'a>>,
    sets: Sets,
    /// By a set's lowest member: the contacts that it can be, sorted; empty where nothing is known.
    owners: Vec<Vec<usize>>,
}

impl<'a> Merge<'a> {
    fn new(known: Vec<Known<'a>>) -> Merge<'a> {
        let owners = known.iter().map(|k| k.owners.clone()).collect();
        Merge { sets: Sets::new(known.len()), known, owners }
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.sets.find(a), self.sets.find(b));
        let both: Vec<usize> =
            self.owners[a].iter().filter(|o| self.owners[b].binary_search(o).is_ok()).copied().collect();
        let set = self.sets.join(a, b);
        self.owners[set] = match (both.is_empty(), self.owners[a].is_empty()) {
            (false, _) => both,
            (true, false) => std::mem::take(&mut self.owners[a]),
            (true, true) => std::mem::take(&mut self.owners[b]),
        };
    }

    /// True where the contacts say that these are two people.
    fn differ(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.sets.find(a), self.sets.find(b));
        let (a, b) = (&self.owners[a], &self.owners[b]);
        !a.is_empty() && !b.is_empty() && !a.iter().any(|owner| b.binary_search(owner).is_ok())
    }

    /// (a) One address, on several services and in several spellings.
    fn equal_addresses(&mut self) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for i in 0..self.known.len() {
            let same = *first.entry(self.known[i].address.key.clone()).or_insert(i);
            self.join(same, i);
        }
    }

    /// (a) `uncanonicalized_id`: what a handle was before Messages completed it. It is another handle's address
    /// only where it can be just one: a local number was completed differently in different places.
    fn earlier_spellings(&mut self, rows: &[&RawHandle], numbering: &Numbering) {
        let mut completed: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, row) in rows.iter().enumerate() {
            let Some(earlier) = row.uncanonicalized_id.as_deref() else { continue };
            let earlier = numbering.read(earlier, row.country.as_deref());
            if earlier.personal && earlier.key != self.known[i].address.key {
                completed.entry(earlier.key).or_default().push(i);
            }
        }
        for i in 0..self.known.len() {
            let Some(to) = completed.get(&self.known[i].address.key) else { continue };
            let Some(&one) = to.first() else { continue };
            let set = self.sets.find(one);
            let unclear = to.iter().any(|other| self.sets.find(*other) != set) || self.differ(i, one);
            let two_numbers = [i, one].iter().all(|at| self.known[*at].address.key.starts_with('+'));
            if !unclear && !two_numbers {
                self.join(i, one);
            }
        }
    }

    /// (c) Addresses of exactly one and the same contact. An address that several share joins nothing.
    fn contacts(&mut self) {
        let mut first: HashMap<usize, usize> = HashMap::new();
        for i in 0..self.known.len() {
            if let [owner] = self.known[i].owners[..] {
                let same = *first.entry(owner).or_insert(i);
                self.join(same, i);
            }
        }
    }

    /// (b) Equal `person_centric_id`, which is known to be wrong at times: not against the contacts.
    fn person_ids(&mut self, rows: &[&RawHandle]) {
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (i, row) in rows.iter().enumerate() {
            let Some(id) = row.person_centric_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) else {
                continue;
            };
            let same = *first.entry(id).or_insert(i);
            if !self.differ(same, i) {
                self.join(same, i);
            }
        }
    }
}
