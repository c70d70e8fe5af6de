//! Counts: in all, by conversation, by month.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::Datelike as _;
use chrono_tz::Tz;

use super::Side;
use super::differences::Difference;
use super::reason::Reason;
use super::record::{Marks, Record, Verdict, instant_of};
use crate::model::Conversation;
use crate::pipeline::roster::Roster;

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Both sides have it.
    pub both: u64,
    pub only_left: u64,
    pub only_right: u64,
    /// Of those that both have.
    pub different: u64,
}

impl Counts {
    /// What only one of them has.
    pub fn missing(&self) -> u64 {
        self.only_left + self.only_right
    }

    /// What only this one has.
    pub fn only(&self, side: Side) -> u64 {
        match side {
            Side::Left => self.only_left,
            Side::Right => self.only_right,
        }
    }

    /// Nothing is missing and nothing differs.
    pub fn is_equal(&self) -> bool {
        self.missing() == 0 && self.different == 0
    }

    fn count(&mut self, side: Side, verdict: Verdict) {
        match (verdict, side) {
            (Verdict::Same, _) => self.both += 1,
            (Verdict::Different(_), _) => {
                self.both += 1;
                self.different += 1;
            }
            (Verdict::Only(_), Side::Left) => self.only_left += 1,
            (Verdict::Only(_), Side::Right) => self.only_right += 1,
            (Verdict::Alone | Verdict::Counterpart, _) => {}
        }
    }

    fn add(&mut self, other: &Counts) {
        self.both += other.both;
        self.only_left += other.only_left;
        self.only_right += other.only_right;
        self.different += other.different;
    }
}

/// A month by the calendar of the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
}

impl std::fmt::Display for Month {
    /// `2024-05`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// How both sides differ in one conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    pub conversation: Conversation,
    pub gaps: Gaps,
    /// Which of the roster's conversations.
    pub(super) index: u32,
}

/// How both sides differ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gaps {
    /// Messages and announcements.
    pub messages: Counts,
    /// Tapbacks, stickers, votes and updates of apps.
    pub hanging: Counts,
    /// The messages by month; `None`: without a date.
    pub months: BTreeMap<Option<Month>, Counts>,
    /// Of the messages that only one side has, how many for which reason: by side, then by reason.
    reasons: [[u64; Reason::NAMES.len()]; 2],
    differences: [u64; Difference::NAMES.len()],
}

impl Gap {
    /// Those that matter first.
    fn by_weight(&self, other: &Gap) -> Ordering {
        let weight = |gap: &Gap| {
            let Gaps { messages, hanging, .. } = &gap.gaps;
            (messages.missing(), messages.different, hanging.missing(), messages.both)
        };
        weight(other).cmp(&weight(self)).then_with(|| self.conversation.id.cmp(&other.conversation.id))
    }
}

impl Gaps {
    /// Both sides have the same.
    pub fn is_equal(&self) -> bool {
        self.messages.is_equal() && self.hanging.is_equal()
    }

    /// Why the other side lacks what only `side` has: each reason that there is, the most frequent first.
    pub fn reasons(&self, side: Side) -> Vec<(Reason, u64)> {
        let counts = self.reasons.get(side as usize).into_iter().flatten();
        let mut reasons: Vec<(Reason, u64)> = Reason::NAMES
            .iter()
            .zip(counts)
            .filter(|(_, count)| **count > 0)
            .map(|((_, reason), count)| (*reason, *count))
            .collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        reasons
    }

    /// What differs in how many messages, each that there is.
    pub fn differences(&self) -> Vec<(Difference, u64)> {
        let all = Difference::NAMES.iter().zip(self.differences);
        all.filter(|(_, count)| *count > 0).map(|((_, difference), count)| (*difference, count)).collect()
    }

    fn count(&mut self, side: Side, record: &Record, month: Option<Month>) {
        if record.hangs() {
            self.hanging.count(side, record.verdict);
            return;
        }
        self.messages.count(side, record.verdict);
        self.months.entry(month).or_default().count(side, record.verdict);
        match record.verdict {
            Verdict::Only(reason) => {
                let count = self.reasons.get_mut(side as usize).and_then(|r| r.get_mut(reason as usize));
                if let Some(count) = count {
                    *count += 1;
                }
            }
            Verdict::Different(what) => {
                for ((_, difference), count) in Difference::NAMES.iter().zip(&mut self.differences) {
                    *count += u64::from(what.has(*difference));
                }
            }
            Verdict::Alone | Verdict::Counterpart | Verdict::Same => {}
        }
    }

    fn add(&mut self, other: &Gaps) {
        self.messages.add(&other.messages);
        self.hanging.add(&other.hanging);
        for (month, counts) in &other.months {
            self.months.entry(*month).or_default().add(counts);
        }
        let reasons = self.reasons.iter_mut().flatten().zip(other.reasons.iter().flatten());
        let differences = self.differences.iter_mut().zip(&other.differences);
        reasons.chain(differences).for_each(|(sum, count)| *sum += count);
    }
}

/// Counts in the making.
pub(super) struct Tally {
    zone: Tz,
    gaps: Vec<Option<Gap>>,
}

impl Tally {
    /// For these of the roster's conversations.
    pub fn new(zone: Tz, roster: &Roster, selected: &[usize]) -> Tally {
        let mut gaps = vec![None; roster.conversations.len()];
        for index in selected {
            if let (Some(gap), Some(entry)) = (gaps.get_mut(*index), roster.conversations.get(*index)) {
                let conversation = entry.conversation.clone();
                *gap = Some(Gap { conversation, gaps: Gaps::default(), index: *index as u32 });
            }
        }
        Tally { zone, gaps }
    }

    /// Counts the records of a side that have their verdicts.
    pub fn count(&mut self, side: Side, records: &[Record]) {
        let counted = |record: &&Record| record.is(Marks::SELECTED) && record.verdict != Verdict::Counterpart;
        for record in records.iter().filter(counted) {
            if let Some(Some(gap)) = self.gaps.get_mut(record.conversation as usize) {
                let local = instant_of(record.date).map(|instant| instant.with_timezone(&self.zone));
                let month = local.map(|local| Month { year: local.year(), month: local.month() as u8 });
                gap.gaps.count(side, record, month);
            }
        }
    }

    /// The sum, and every conversation that has something to count: those that matter first.
    pub fn finish(self) -> (Gaps, Vec<Gap>) {
        let nothing = Gaps::default();
        let mut gaps: Vec<Gap> = self.gaps.into_iter().flatten().filter(|gap| gap.gaps != nothing).collect();
        gaps.sort_by(Gap::by_weight);
        let mut total = nothing;
        gaps.iter().for_each(|gap| total.add(&gap.gaps));
        (total, gaps)
    }
}
