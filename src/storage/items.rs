//! Attachments, and the messages that have them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::Category;
use super::groups::Place;
use super::repeated::RowOf;
use crate::model::{Availability, Instant};
use crate::pipeline::fingerprint::GuidKey;
use crate::pipeline::{availability, is_hidden, name_of};
use crate::source::{Content, WeighedAttachment, is_attachment_synced};

/// An attachment.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The first of several sources that has it.
    pub source: u16,
    /// 0 of one without a GUID.
    pub guid: u128,
    /// 0 where nothing says it.
    pub bytes: u64,
    pub category: Category,
    pub availability: Availability,
    pub hidden: bool,
    /// `None`: nothing says it.
    pub synced: Option<bool>,
    /// When it was made, for one that no message has.
    pub created: Option<Instant>,
    /// How many messages have it; and how many of them would go, by setting.
    pub messages: u32,
    pub going: [u32; 2],
}

impl Item {
    /// All messages that have it would go with a setting, so that it would, too.
    pub fn goes(&self, setting: usize) -> bool {
        self.messages > 0 && self.going.get(setting) == Some(&self.messages)
    }
}

/// A message that has an attachment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference {
    pub item: u32,
    pub message: RowOf,
    pub date: Option<Instant>,
    pub place: Place,
    pub deleted: bool,
    /// In what is asked of by "what if".
    pub selected: bool,
}

/// One of the largest attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Large {
    pub guid: Option<String>,
    pub name: Option<String>,
    pub category: Category,
    pub bytes: u64,
    pub availability: Availability,
    /// Of the oldest message that has it.
    pub date: Option<Instant>,
    /// Of that message.
    pub message: Option<String>,
    /// Of that message: an index into [`Estimate::conversations`](super::Estimate::conversations).
    pub conversation: Option<usize>,
}

/// What is kept of an attachment beside its figures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Retained {
    pub contents: bool,
    pub names: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub all: Vec<Item>,
    pub references: Vec<Reference>,
    /// Where the bytes are that are here; kept where they will be read.
    pub contents: HashMap<u32, Content>,
    /// GUIDs and names; kept where each may have to be named.
    pub names: HashMap<u32, (Option<String>, Option<String>)>,
    retained: Retained,
    numbers: HashMap<RowOf, u32>,
    /// The same, by GUID; filled where there are several sources.
    guids: Option<HashMap<u128, u32>>,
    largest: BTreeMap<(Reverse<u64>, u32), Large>,
}

/// How many of the largest are named.
const LARGEST: usize = 25;

impl Items {
    /// `several`: they are of several sources, some of which may have the same ones.
    pub fn retaining(retained: Retained, several: bool) -> Items {
        Items { retained, guids: several.then(HashMap::new), ..Items::default() }
    }

    /// Takes one in. `first`: the one of an earlier source that it is, where that is known.
    pub fn add(&mut self, attachment: WeighedAttachment, first: Option<RowOf>, created: Option<Instant>) {
        let row = &attachment.row;
        let place = (attachment.source, row.rowid);
        let stated = u64::try_from(row.total_bytes).ok().filter(|bytes| *bytes > 0);
        let here = row.content.as_ref().and_then(Content::bytes);
        let bytes = stated.or(here).unwrap_or(0);
        let guid = row.guid.as_deref().filter(|guid| !guid.is_empty());
        let key = guid.map_or(0, |guid| GuidKey::of(guid).0);
        let known = first.and_then(|first| self.numbers.get(&first));
        let known = known.or_else(|| self.guids.as_ref().filter(|_| key != 0)?.get(&key));
        if let Some(&known) = known {
            self.numbers.insert(place, known);
            self.complete(known, attachment);
            return;
        }
        let item = Item {
            source: attachment.source,
            guid: key,
            bytes,
            category: Category::of(row),
            availability: availability(row, false),
            hidden: is_hidden(row),
            synced: attachment.sync.map(is_attachment_synced),
            created,
            messages: 0,
            going: [0; 2],
        };
        let number = self.all.len() as u32;
        self.numbers.insert(place, number);
        if let Some(guids) = &mut self.guids {
            guids.insert(key, number);
        }
        let smallest = self.largest.keys().next_back().filter(|_| self.largest.len() >= LARGEST);
        let key = (Reverse(bytes), number);
        if bytes > 0 && smallest.is_none_or(|smallest| key < *smallest) {
            let large = Large {
                guid: guid.map(str::to_owned),
                name: name_of(row).map(str::to_owned),
                category: item.category,
                bytes,
                availability: item.availability,
                date: None,
                message: None,
                conversation: None,
            };
            self.largest.insert(key, large);
            if self.largest.len() > LARGEST {
                self.largest.pop_last();
            }
        }
        if self.retained.names {
            self.names.insert(number, (guid.map(str::to_owned), name_of(row).map(str::to_owned)));
        }
        if self.retained.contents
            && let Some(content) = attachment.row.content
        {
            self.contents.insert(number, content);
        }
        self.all.push(item);
    }

    /// What is here in one of several sources is here.
    fn complete(&mut self, number: u32, attachment: WeighedAttachment) {
        let Some(item) = self.all.get_mut(number as usize) else { return };
        if item.availability == Availability::Local
            || availability(&attachment.row, false) != Availability::Local
        {
            return;
        }
        item.availability = Availability::Local;
        if let Some(large) = self.largest.get_mut(&(Reverse(item.bytes), number)) {
            large.availability = Availability::Local;
        }
        if let Some(content) = attachment.row.content.filter(|_| self.retained.contents) {
            self.contents.insert(number, content);
        }
    }

    /// Whether a message's attachment is counted with that of an earlier source.
    pub fn is_repeated(&self, attachment: RowOf) -> bool {
        let number = self.numbers.get(&attachment);
        number
            .and_then(|number| self.all.get(*number as usize))
            .is_none_or(|item| item.source != attachment.0)
    }

    /// Says that a message has an attachment. `expired`: Messages removed its bytes.
    pub fn refer(
        &mut self,
        attachment: RowOf,
        reference: Reference,
        guid: Option<&str>,
        expired: bool,
        going: [bool; 2],
    ) {
        let Some(&number) = self.numbers.get(&attachment) else { return };
        let Some(item) = self.all.get_mut(number as usize) else { return };
        item.messages += 1;
        for (count, going) in item.going.iter_mut().zip(going) {
            *count += u32::from(going);
        }
        if expired && item.availability != Availability::Local {
            item.availability = Availability::Expired;
        }
        if let Some(large) = self.largest.get_mut(&(Reverse(item.bytes), number)) {
            large.availability = item.availability;
            let earlier = match (reference.date, large.date) {
                (Some(date), Some(known)) => date < known,
                (known, None) => large.message.is_none() || known.is_some(),
                (None, Some(_)) => false,
            };
            if earlier {
                large.date = reference.date;
                large.message = guid.map(str::to_owned);
                large.conversation = reference.place.conversation();
            }
        }
        self.references.push(Reference { item: number, ..reference });
    }

    /// What was said of all of them, in the order of their dates.
    pub fn settle(&mut self) {
        self.references.sort_by_key(|reference| (reference.date, reference.message, reference.item));
    }

    pub fn largest(&self) -> Vec<Large> {
        self.largest.values().cloned().collect()
    }

    pub fn of(&self, reference: &Reference) -> Option<&Item> {
        self.all.get(reference.item as usize)
    }
}
