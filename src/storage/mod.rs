//! What Messages takes in iCloud, and what a Keep Messages setting would purge.
//!
//! The rows of a store say how large an attachment is also where its bytes are not on this disk; they do not say what
//! iCloud makes of it. So every figure is a range: at least what is synchronized, shown and unlike everything else; at
//! most everything there is, each time a message has it. What the ranges rest on is said beside them
//! ([`Assumption`]).
//!
//! One pass over the attachments, one over the messages; nothing is kept of a message but its sums.
//!
//! **Must never**: decode a body, read a content that nobody asked to be read, print an unknown as zero, or say how
//! anything looks.

mod amount;
mod assumption;
mod calendar;
mod category;
mod groups;
mod items;
mod keep;
mod ledger;
mod size;
mod what_if;

use std::path::Path;

use chrono_tz::Tz;

pub use amount::Amount;
pub use assumption::Assumption;
pub use category::Category;
pub use groups::Who;
pub use items::Large;
pub use keep::{Kept, NotArchived, Setting};
pub use size::parse_bytes;
pub use what_if::{Freed, WhatIf};

use crate::archive::ArchiveError;
use crate::archive::holding::Holding;
use crate::model::{Availability, Conversation, Instant};
use crate::pipeline::Progress;
use crate::pipeline::roster::Roster;
use crate::pipeline::select::NoMatch;
use crate::source::contacts::Contact;
use crate::source::{Says, Source, SourceError, SourceInfo, SourceKind};
use calendar::Calendar;
use groups::{Groups, Place, Senders};
use items::{Contents, Items};
use keep::Purge;
use ledger::{Counts, Ledger};
use what_if::Filter;

/// What to find out.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// Years begin in it.
    pub zone: Tz,
    /// What Keep Messages counts back from.
    pub now: Instant,
    /// What deleting some of it would free.
    pub what_if: Option<WhatIf>,
    /// What Apple's own screen says.
    pub icloud_total: Option<u64>,
    /// An archive that may have what would go.
    pub archive: Option<&'a Path>,
}

/// What Messages takes in iCloud, as far as a store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    pub source: SourceInfo,
    /// What Keep Messages was counted back from.
    pub now: Instant,
    pub total: Amount,
    /// Every category, in its order.
    pub categories: Vec<(Category, Amount)>,
    /// By the upper figure, the largest first; those without messages are not there.
    pub conversations: Vec<ConversationAmount>,
    /// The oldest first, what has no date last.
    pub years: Vec<(Option<i32>, Amount)>,
    /// By the upper figure, the largest first.
    pub senders: Vec<(Who, Amount)>,
    /// The largest first.
    pub largest: Vec<Large>,
    pub places: Places,
    /// What is in Recently Deleted; `None` where the schema does not know it.
    pub recently_deleted: Option<Deleted>,
    pub plans: Vec<Plan>,
    pub keep: [Kept; 3],
    pub freed: Option<Freed>,
    pub icloud: Option<ICloud>,
    pub assumptions: Vec<Assumption>,
}

/// What one conversation takes. `None`: attachments that no message has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationAmount {
    pub conversation: Option<Conversation>,
    pub amount: Amount,
}

/// Where the bytes are that the upper figure counts. What is in iCloud is not known of a store that says nothing of
/// synchronization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places {
    pub here: u64,
    pub not_here: u64,
    pub states: Option<States>,
}

/// The same, by what is synchronized.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct States {
    pub here_and_icloud: u64,
    pub icloud_only: u64,
    /// Not synchronized yet.
    pub here_only: u64,
    /// Neither here nor, by what is known, in iCloud.
    pub lost: u64,
}

/// What is in Recently Deleted: messages, and attachments each time one has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    pub items: u64,
    pub bytes: u64,
}

/// A plan of iCloud, by the bytes that Apple sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub bytes: u64,
    pub low: u64,
    pub high: u64,
}

/// Apple's own figure beside this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ICloud {
    pub total: u64,
    /// What nothing here explains; below 0: more is here than Apple counts.
    pub unexplained_low: i128,
    pub unexplained_high: i128,
}

/// What Apple sells: 5 GB come free.
pub const PLANS: [u64; 6] = [
    5_000_000_000,
    50_000_000_000,
    200_000_000_000,
    2_000_000_000_000,
    6_000_000_000_000,
    12_000_000_000_000,
];

/// Why nothing could be found out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    NoMatch(#[from] NoMatch),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("interrupted")]
    Interrupted,
}

/// Adds up a store.
///
/// # Errors
/// [`StorageError`].
pub fn estimate(
    source: &dyn Source,
    contacts: &[Contact],
    options: &Options<'_>,
    progress: &dyn Progress,
) -> Result<Estimate, StorageError> {
    let archive = options.archive.map(Holding::read).transpose()?;
    let chats = source.chats()?;
    let roster = Roster::new(&source.handles()?, &chats, contacts);
    let conversations = roster.conversations.len();
    progress.begin(chats.iter().map(|chat| chat.rows).sum());
    progress.phase("Weighing");
    let mut ledger = Ledger {
        roster: &roster,
        progress,
        archive: archive.as_ref(),
        filter: Filter::new(options.what_if.as_ref(), &roster)?,
        calendar: Calendar::new(options.zone),
        groups: Groups::new(conversations),
        senders: Senders::default(),
        items: Items::default(),
        purge: Purge::new(options.now, conversations, archive.is_some()),
        selected: Amount::default(),
        deleted: Amount::default(),
        counts: Counts::default(),
        laid: 0,
        interrupted: false,
    };
    source.weigh(&mut ledger)?;
    if ledger.interrupted {
        return Err(StorageError::Interrupted);
    }
    source.unchanged()?;
    ledger.items.settle();
    Ok(Summing { ledger, contents: Contents::default(), says: source.says() }.finish(source.info(), options))
}

/// What was taken down, being added up.
struct Summing<'a> {
    ledger: Ledger<'a>,
    contents: Contents,
    says: Says,
}

impl Summing<'_> {
    fn finish(mut self, source: &SourceInfo, options: &Options<'_>) -> Estimate {
        let deleted = self.add_attachments();
        let assumptions = self.assumptions(source);
        let places = self.places();
        let Ledger { archive, filter, groups, senders, items, purge, selected, .. } = self.ledger;
        let total = groups.total;
        let keep = purge.finish(&items, |item| {
            archive.map(|archive| {
                item.availability == Availability::Expired || archive.content_of(item.guid).is_some()
            })
        });
        let (conversations, numbers) = by_conversation(self.ledger.roster, &groups);
        let mut largest = items.largest();
        for large in &mut largest {
            large.conversation = large.conversation.and_then(|number| numbers.get(number).copied().flatten());
        }
        let mut of_senders: Vec<(Who, Amount)> =
            senders.all.into_iter().zip(groups.senders).filter(|(_, amount)| amount.items > 0).collect();
        of_senders.sort_by_key(|(_, amount)| std::cmp::Reverse((amount.high, amount.low, amount.items)));
        // `None` sorts before every year.
        let (undated, mut years): (Vec<_>, Vec<_>) =
            groups.years.into_iter().partition(|(year, _)| year.is_none());
        years.extend(undated);
        Estimate {
            source: source.clone(),
            now: options.now,
            total,
            categories: Category::ALL
                .map(|category| (category, groups.categories.get(&category).copied().unwrap_or_default()))
                .to_vec(),
            conversations,
            years,
            senders: of_senders,
            largest,
            places,
            recently_deleted: self.says.recently_deleted.then_some(deleted),
            plans: PLANS.map(|bytes| Plan { bytes, low: total.low, high: total.high }).to_vec(),
            keep,
            freed: filter.freed(selected, &items, &self.contents),
            icloud: options.icloud_total.map(|icloud| ICloud {
                total: icloud,
                unexplained_low: i128::from(icloud) - i128::from(total.high),
                unexplained_high: i128::from(icloud) - i128::from(total.low),
            }),
            assumptions,
        }
    }

    /// Adds each attachment where a message has it, and those that none has; gives what is in Recently Deleted.
    fn add_attachments(&mut self) -> Deleted {
        let Ledger { items, groups, calendar, deleted, .. } = &mut self.ledger;
        let mut all = Deleted { items: deleted.items, bytes: deleted.high };
        let counted = self.contents.counted(items);
        for (at, reference) in items.references.iter().enumerate() {
            let Some(item) = items.of(reference) else { continue };
            let low = if counted.contains(&at) { item.bytes } else { 0 };
            groups.add(reference.place, item.category, Amount { items: 1, low, high: item.bytes });
            if reference.deleted {
                all.items += 1;
                all.bytes = all.bytes.saturating_add(item.bytes);
            }
        }
        for item in items.all.iter().filter(|item| item.messages == 0) {
            let year = item.created.map(|date| calendar.year(date));
            let place = Place::nowhere(year);
            groups.add(place, item.category, Amount { items: 1, low: 0, high: item.bytes });
        }
        all
    }

    fn places(&self) -> Places {
        let counts = &self.ledger.counts;
        let mut places = Places { here: counts.synced_bytes + counts.unsynced_bytes, ..Places::default() };
        let mut states = States {
            here_and_icloud: counts.synced_bytes,
            here_only: counts.unsynced_bytes,
            ..States::default()
        };
        if !self.says.sync {
            places.here = self.ledger.groups.categories.get(&Category::Messages).map_or(0, |sum| sum.high);
        }
        for item in &self.ledger.items.all {
            let bytes = item.bytes.saturating_mul(u64::from(item.messages.max(1)));
            let local = item.availability == Availability::Local;
            *if local { &mut places.here } else { &mut places.not_here } += bytes;
            *match (local, item.synced == Some(true), item.availability) {
                (true, true, _) => &mut states.here_and_icloud,
                (true, false, _) => &mut states.here_only,
                (false, _, Availability::InICloud) => &mut states.icloud_only,
                (false, ..) => &mut states.lost,
            } += bytes;
        }
        Places { states: self.says.sync.then_some(states), ..places }
    }

    fn assumptions(&self, source: &SourceInfo) -> Vec<Assumption> {
        let Ledger { items, counts, .. } = &self.ledger;
        let attachments = |wanted: &dyn Fn(&items::Item) -> bool| {
            items.all.iter().filter(|item| wanted(item)).count() as u64
        };
        let synced = counts.synced + attachments(&|item| item.synced == Some(true));
        let unsynced = attachments(&|item| item.synced == Some(false) && !item.hidden);
        let unknown = attachments(&|item| item.bytes == 0);
        let mut assumptions = vec![Assumption::Duplicates { read: false }, Assumption::HiddenAndDeleted];
        if !self.says.sync {
            assumptions.push(Assumption::SyncUnknown);
        } else if synced == 0 {
            assumptions.push(Assumption::NeverSynced);
        } else if counts.unsynced + unsynced > 0 {
            assumptions.push(Assumption::NotSynced { messages: counts.unsynced, attachments: unsynced });
        }
        let of = |there: bool, assumption: Assumption| there.then_some(assumption);
        assumptions.extend(
            [
                of(unknown > 0, Assumption::SizeUnknown { attachments: unknown }),
                of(!self.says.recently_deleted, Assumption::RecentlyDeletedUnknown),
                of(source.kind == SourceKind::Archive, Assumption::Archive),
                Some(Assumption::Texts),
                Some(Assumption::OtherDevices),
                Some(Assumption::Purge),
                of(counts.undated > 0, Assumption::Undated { messages: counts.undated }),
                of(counts.unreadable > 0, Assumption::Unreadable { messages: counts.unreadable }),
            ]
            .into_iter()
            .flatten(),
        );
        assumptions
    }
}

/// Conversations by what they take; and the place of each, by its number in the roster.
fn by_conversation(roster: &Roster, groups: &Groups) -> (Vec<ConversationAmount>, Vec<Option<usize>>) {
    let entries = roster.conversations.iter().map(|entry| Some(&entry.conversation)).chain([None]);
    let mut all: Vec<(usize, Option<&Conversation>, Amount)> = entries
        .zip(&groups.conversations)
        .enumerate()
        .map(|(number, (conversation, amount))| (number, conversation, *amount))
        .filter(|(_, _, amount)| amount.items > 0)
        .collect();
    all.sort_by_key(|(number, _, amount)| {
        (std::cmp::Reverse((amount.high, amount.low, amount.items)), *number)
    });
    let mut numbers = vec![None; groups.conversations.len()];
    for (at, (number, ..)) in all.iter().enumerate() {
        if let Some(place) = numbers.get_mut(*number) {
            *place = Some(at);
        }
    }
    let amounts = all
        .into_iter()
        .map(|(_, conversation, amount)| ConversationAmount { conversation: conversation.cloned(), amount });
    (amounts.collect(), numbers)
}
