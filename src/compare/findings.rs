//! The messages that make a difference, one by one.

use std::collections::HashMap;
use std::sync::Arc;

use super::Side;
use super::differences::What;
use super::links::Seen;
use super::reason::Reason;
use super::record::{Author, Lists, Marks, Record, Verdict, instant_of};
use super::survey::{Surveyed, key_of};
use super::tally::Gap;
use crate::model::{Instant, Sender};
use crate::pipeline::RowKind;
use crate::pipeline::fingerprint::GuidKey;

/// A message (or what hangs on one) that only one side has, or that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// As the left side spells it, where both have it; `None`: the row has none.
    pub guid: Option<String>,
    /// Which of the comparison's conversations.
    pub conversation: usize,
    pub date: Option<Instant>,
    /// What sort of row it is.
    pub row: RowKind,
    pub found: Found,
}

/// What is found of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Only this side has it, for this reason; and whether that is a guess of the archive that has it.
    Only(Side, Reason, bool),
    /// Both have it; what the left and the right say of it.
    Different(What, Box<[Says; 2]>),
}

/// What a side says of a message, beside its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    /// The owner sent it.
    pub from_me: bool,
    /// Who else did; `None` where nobody is known.
    pub sender: Option<Arc<Sender>>,
    pub date: Option<Instant>,
    /// As it is stored.
    pub service: Option<String>,
}

/// The records that make a difference, in order.
#[derive(Debug)]
pub(super) struct Findings {
    left: Remaining,
    right: Remaining,
    /// What is to be known of those that both have and that differ, beside the record of the left side.
    others: Vec<Other>,
    /// The roster's people, by number.
    people: Vec<Arc<Sender>>,
    /// The place of each of the roster's conversations in the comparison's list.
    places: HashMap<u32, usize>,
}

/// Those of one side.
#[derive(Debug)]
struct Remaining {
    records: Vec<One>,
    lists: Lists,
    odd_guids: HashMap<u128, Box<str>>,
}

/// What the right side has of a message, and what it hangs on, or answers, on each side, where that is there.
#[derive(Debug)]
struct Other {
    record: Record,
    on: [Option<Record>; 2],
}

/// A message that both sides have, and that differs.
pub(super) struct InBoth {
    pub finding: Finding,
    pub records: [Record; 2],
    /// What it hangs on, or answers, on each side, where that is there.
    pub on: [Option<Record>; 2],
}

/// A record, and which of [`Findings::others`] is of the same message.
#[derive(Debug, Clone, Copy)]
struct One {
    record: Record,
    other: u32,
}

/// No other.
const ALONE: u32 = u32::MAX;

impl Findings {
    /// `different`: which records of both are of one message and differ, by the left.
    pub fn of(
        left: Surveyed,
        right: Surveyed,
        different: &[(u32, u32)],
        people: Vec<Arc<Sender>>,
        conversations: &[Gap],
    ) -> Findings {
        let listed = conversations.iter().enumerate();
        let places: HashMap<u32, usize> = listed.map(|(place, gap)| (gap.index, place)).collect();
        let sides = [&left, &right].map(|side| Seen { records: &side.records, lists: &side.lists });
        let on = |seen: Seen<'_>, record: &Record| seen.row(&seen.lists.aside(record).link).copied();
        let others = different.iter().filter_map(|(left_at, right_at)| {
            let records = [left.records.get(*left_at as usize)?, right.records.get(*right_at as usize)?];
            let on = [on(sides[0], records[0]), on(sides[1], records[1])];
            Some(Other { record: *records[1], on })
        });
        let others = others.collect();
        let left = Remaining::of(left, different, &places);
        let right = Remaining::of(right, &[], &places);
        Findings { left, right, others, people, places }
    }

    /// By conversation, date and GUID; what both sides have, or only the left, first.
    pub fn iter(&self) -> impl Iterator<Item = Finding> {
        self.records().filter_map(|(side, one)| self.finding(side, one))
    }

    /// What both have and differs: first where they contradict each other.
    pub fn in_both(&self) -> impl Iterator<Item = InBoth> {
        let contradict = |one: &One| match one.record.verdict {
            Verdict::Different(what) => what.each().any(|difference| !difference.is_knowledge()),
            _ => false,
        };
        let first = self.left.records.iter().filter(move |one| contradict(one));
        let then = self.left.records.iter().filter(move |one| !contradict(one));
        first.chain(then).filter_map(|one| {
            let other = self.others.get(one.other as usize)?;
            let finding = self.finding(Side::Left, one)?;
            Some(InBoth { finding, records: [one.record, other.record], on: other.on })
        })
    }

    fn records(&self) -> impl Iterator<Item = (Side, &One)> {
        let mut left = self.left.records.iter().peekable();
        let mut right = self.right.records.iter().peekable();
        std::iter::from_fn(move || {
            let left_is_next = match (left.peek(), right.peek()) {
                (Some(l), Some(r)) => order(&l.record, &self.places) <= order(&r.record, &self.places),
                (l, _) => l.is_some(),
            };
            match left_is_next {
                true => left.next().map(|one| (Side::Left, one)),
                false => right.next().map(|one| (Side::Right, one)),
            }
        })
    }

    fn finding(&self, side: Side, One { record, other }: &One) -> Option<Finding> {
        let remaining = match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        };
        let found = match record.verdict {
            Verdict::Only(reason) => Found::Only(side, reason, record.is(Marks::GUESSED)),
            Verdict::Different(what) => {
                let other = self.others.get(*other as usize)?;
                let said = [self.says(record, &self.left.lists), self.says(&other.record, &self.right.lists)];
                Found::Different(what, Box::new(said))
            }
            Verdict::Alone | Verdict::Counterpart | Verdict::Same => return None,
        };
        let key = key_of(record);
        let odd_guid = || remaining.odd_guids.get(&key).map(|guid| guid.to_string());
        Some(Finding {
            guid: (key != 0).then(|| odd_guid().unwrap_or_else(|| GuidKey(key).as_uuid())),
            conversation: self.places.get(&record.conversation).copied()?,
            date: instant_of(record.date),
            row: record.kind,
            found,
        })
    }

    fn says(&self, record: &Record, lists: &Lists) -> Says {
        Says {
            from_me: record.author == Author::OWNER,
            sender: record.author.number().and_then(|number| self.people.get(number)).cloned(),
            date: instant_of(record.date),
            service: lists.service(record).map(str::to_owned),
        }
    }
}

impl Remaining {
    fn of(side: Surveyed, different: &[(u32, u32)], places: &HashMap<u32, usize>) -> Remaining {
        let Surveyed { records, lists, odd_guids, .. } = side;
        let mut others = different.iter().map(|(at, _)| *at).zip(0..).peekable();
        let mut remaining = Vec::new();
        for (at, record) in (0..).zip(records) {
            let other = others.next_if(|(left, _)| *left == at).map_or(ALONE, |(_, other)| other);
            let is_told = record.is(Marks::SELECTED)
                && matches!(record.verdict, Verdict::Only(_) | Verdict::Different(_))
                && places.contains_key(&record.conversation);
            if is_told {
                remaining.push(One { record, other });
            }
        }
        remaining.shrink_to_fit();
        remaining.sort_unstable_by_key(|one| (order(&one.record, places), one.record));
        Remaining { records: remaining, lists, odd_guids }
    }
}

fn order(record: &Record, places: &HashMap<u32, usize>) -> impl Ord + use<> {
    (places.get(&record.conversation).copied(), record.date, record.guid)
}
