//! What was taken down, added up.

use std::cmp::Reverse;

use super::contents::Contents;
use super::groups::{Groups, Place};
use super::items;
use super::ledger::Ledger;
use super::{
    Amount, Assumption, Blocked, Category, ConversationAmount, Deleted, Estimate, ICloud, Options, PLANS,
    Passage, Places, Plan, Read, States, Who,
};
use crate::model::{Availability, Conversation};
use crate::pipeline::roster::Roster;
use crate::source::{Says, SourceInfo, SourceKind};

/// What was taken down, being added up.
pub(super) struct Summing<'a> {
    pub ledger: Ledger<'a>,
    pub contents: Contents,
    pub read: Option<Read>,
    pub blocked: Vec<Blocked>,
    pub says: Says,
}

impl Summing<'_> {
    pub fn finish(mut self, source: &SourceInfo, options: &Options<'_>) -> Estimate {
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
        let mut blocked = self.blocked;
        for one in &mut blocked {
            one.conversation = one.conversation.and_then(|number| numbers.get(number).copied().flatten());
        }
        let passage = options.gate.as_ref().map(|gate| {
            let kept = keep.iter().find(|kept| kept.setting == gate.setting);
            Passage {
                setting: gate.setting,
                messages: kept.map_or(0, |kept| kept.messages),
                attachments: kept.map_or(0, |kept| kept.attachments),
                blocked,
            }
        });
        let mut of_senders: Vec<(Who, Amount)> =
            senders.all.into_iter().zip(groups.senders).filter(|(_, amount)| amount.items > 0).collect();
        of_senders.sort_by_key(|(_, amount)| Reverse((amount.high, amount.low, amount.items)));
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
            gate: passage,
            read: self.read,
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
            let place = if local { &mut places.here } else { &mut places.not_here };
            *place = place.saturating_add(bytes);
            let state = match (local, item.synced == Some(true), item.availability) {
                (true, true, _) => &mut states.here_and_icloud,
                (true, false, _) => &mut states.here_only,
                (false, _, Availability::InICloud) => &mut states.icloud_only,
                (false, ..) => &mut states.lost,
            };
            *state = state.saturating_add(bytes);
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
        let mut assumptions =
            vec![Assumption::Duplicates { read: self.read.is_some() }, Assumption::HiddenAndDeleted];
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
    all.sort_by_key(|(number, _, amount)| (Reverse((amount.high, amount.low, amount.items)), *number));
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
