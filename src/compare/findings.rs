//! The messages that make a difference, one by one.

use std::collections::HashMap;

use super::Side;
use super::reason::Reason;
use super::record::{Record, Verdict, What, instant_of};
use super::survey::{Surveyed, key_of};
use super::tally::Gap;
use crate::model::Instant;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Only this side has it, for this reason.
    Only(Side, Reason),
    /// Both have it.
    Different(What),
}

/// The records that make a difference, in order.
#[derive(Debug)]
pub(super) struct Findings {
    left: Remaining,
    right: Remaining,
    /// The place of each of the roster's conversations in the comparison's list.
    places: HashMap<u32, usize>,
}

/// Those of one side.
#[derive(Debug)]
struct Remaining {
    records: Vec<Record>,
    odd_guids: HashMap<u128, Box<str>>,
}

impl Findings {
    pub fn of(left: Surveyed, right: Surveyed, conversations: &[Gap]) -> Findings {
        let listed = conversations.iter().enumerate();
        let places: HashMap<u32, usize> = listed.map(|(place, gap)| (gap.index, place)).collect();
        let [left, right] = [left, right].map(|side| Remaining::of(side, &places));
        Findings { left, right, places }
    }

    /// By conversation, date and GUID; what both sides have, or only the left, first.
    pub fn iter(&self) -> impl Iterator<Item = Finding> {
        let mut left = self.left.records.iter().peekable();
        let mut right = self.right.records.iter().peekable();
        std::iter::from_fn(move || {
            let left_is_next = match (left.peek(), right.peek()) {
                (Some(l), Some(r)) => order(l, &self.places) <= order(r, &self.places),
                (l, _) => l.is_some(),
            };
            if left_is_next {
                left.next().and_then(|record| self.finding(Side::Left, record))
            } else {
                right.next().and_then(|record| self.finding(Side::Right, record))
            }
        })
    }

    fn finding(&self, side: Side, record: &Record) -> Option<Finding> {
        let found = match record.verdict {
            Verdict::Only(reason) => Found::Only(side, reason),
            Verdict::Different(what) => Found::Different(what),
            Verdict::Alone | Verdict::Counterpart | Verdict::Same => return None,
        };
        let odd_guids = match side {
            Side::Left => &self.left.odd_guids,
            Side::Right => &self.right.odd_guids,
        };
        let key = key_of(record);
        let spelled = || odd_guids.get(&key).map_or_else(|| GuidKey(key).as_uuid(), |guid| guid.to_string());
        Some(Finding {
            guid: (key != 0).then(spelled),
            conversation: self.places.get(&record.conversation).copied()?,
            date: instant_of(record.date),
            row: record.kind,
            found,
        })
    }
}

impl Remaining {
    fn of(side: Surveyed, places: &HashMap<u32, usize>) -> Remaining {
        let Surveyed { mut records, odd_guids, .. } = side;
        records.retain(|record| {
            record.selected
                && matches!(record.verdict, Verdict::Only(_) | Verdict::Different(_))
                && places.contains_key(&record.conversation)
        });
        records.shrink_to_fit();
        records.sort_unstable_by_key(|record| (order(record, places), *record));
        Remaining { records, odd_guids }
    }
}

fn order(record: &Record, places: &HashMap<u32, usize>) -> impl Ord + use<> {
    (places.get(&record.conversation).copied(), record.date, record.guid)
}
