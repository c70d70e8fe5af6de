//! Which record of one side is which of the other.
//!
//! **Must never**: give one record two counterparts.

use std::cmp::Ordering;

use super::links::{self, Seen};
use super::reason::Reason;
use super::record::{Lists, Marks, Place, Record, Verdict};

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// How many messages are the same under different GUIDs.
    pub restored: u64,
    /// Which records of the left and of the right side are of one message that differs: by the left.
    pub different: Vec<(u32, u32)>,
}

/// A side's records, sorted and each GUID once, and what they point at.
pub(super) type Rows<'r> = (&'r mut [Record], &'r Lists);

/// Matches records: by GUID, then by conversation and content.
pub(super) fn match_up(mut left: Rows<'_>, mut right: Rows<'_>) -> Matched {
    let mut matched = Matched::default();
    by_guid(&mut left, &mut right, &mut matched);
    by_content(&mut left, &mut right, &mut matched);
    matched.different.sort_unstable();
    pass_over(left.0, right.0);
    pass_over(right.0, left.0);
    matched
}

/// What an export cannot show is no gap of it.
fn pass_over(records: &mut [Record], other: &[Record]) {
    if !other.iter().any(|record| record.is(Marks::TOLD)) {
        return;
    }
    let folded = |record: &&mut Record| {
        record.is(Marks::FOLDS) && !record.is(Marks::TOLD) && record.verdict == Verdict::Alone
    };
    records.iter_mut().filter(folded).for_each(|record| record.verdict = Verdict::Counterpart);
}

fn by_guid(left: &mut Rows<'_>, right: &mut Rows<'_>, matched: &mut Matched) {
    let (mut at_left, mut at_right) = (0, 0);
    while let (Some(l), Some(r)) = (left.0.get(at_left), right.0.get(at_right)) {
        match l.guid.cmp(&r.guid) {
            Ordering::Less => at_left += 1,
            Ordering::Greater => at_right += 1,
            Ordering::Equal => {
                if l.guid != [0; 2] {
                    settle(left, at_left, right, at_right, matched);
                }
                at_left += 1;
                at_right += 1;
            }
        }
    }
}

/// What two records have to agree in, and the order in which they are paired where several do.
fn content(record: &Record) -> impl Ord + use<> {
    (record.conversation, record.content, record.kind, record.date, record.guid)
}

fn by_content(left: &mut Rows<'_>, right: &mut Rows<'_>, matched: &mut Matched) {
    let alone = |records: &[Record]| -> Vec<u32> {
        let mut alone: Vec<u32> = (0..)
            .zip(records)
            .filter(|(_, record)| record.verdict == Verdict::Alone)
            .map(|(at, _)| at)
            .collect();
        alone.sort_unstable_by_key(|at| (records.get(*at as usize).map(content), *at));
        alone
    };
    let (lefts, rights) = (alone(left.0), alone(right.0));
    let (mut lefts, mut rights) = (lefts.into_iter().peekable(), rights.into_iter().peekable());
    while let (Some(&at_left), Some(&at_right)) = (lefts.peek(), rights.peek()) {
        let (at_left, at_right) = (at_left as usize, at_right as usize);
        let (Some(l), Some(r)) = (left.0.get(at_left), right.0.get(at_right)) else {
            break;
        };
        let same = |record: &Record| (record.conversation, record.content, record.kind);
        match same(l).cmp(&same(r)) {
            Ordering::Less => drop(lefts.next()),
            Ordering::Greater => drop(rights.next()),
            Ordering::Equal => {
                matched.restored += u64::from(!l.hangs());
                settle(left, at_left, right, at_right, matched);
                lefts.next();
                rights.next();
            }
        }
    }
}

/// Says of two records of one message how it is with it.
fn settle(left: &mut Rows<'_>, at_left: usize, right: &mut Rows<'_>, at_right: usize, matched: &mut Matched) {
    let (Some(&l), Some(&r)) = (left.0.get(at_left), right.0.get(at_right)) else {
        return;
    };
    let mut is_selected = l.is(Marks::SELECTED);
    let (of_left, of_right) = match (l.place, r.place) {
        (Place::There, Place::RecentlyDeleted) => {
            (Verdict::Only(Reason::RecentlyDeleted), Verdict::Counterpart)
        }
        (Place::RecentlyDeleted, Place::There) => {
            (Verdict::Counterpart, Verdict::Only(Reason::RecentlyDeleted))
        }
        // An archive has it, whatever became of it elsewhere.
        _ => {
            let elsewhere = links::differ((&l, seen(left)), (&r, seen(right)));
            let what = l.differences(left.1, &r, right.1, elsewhere);
            is_selected |= r.is(Marks::SELECTED);
            if what.is_empty() {
                (Verdict::Same, Verdict::Counterpart)
            } else {
                matched.different.push((at_left as u32, at_right as u32));
                (Verdict::Different(what), Verdict::Counterpart)
            }
        }
    };
    if let Some(l) = left.0.get_mut(at_left) {
        l.verdict = of_left;
        if is_selected {
            l.mark(Marks::SELECTED);
        }
    }
    if let Some(r) = right.0.get_mut(at_right) {
        r.verdict = of_right;
    }
}

fn seen<'r>(rows: &'r Rows<'_>) -> Seen<'r> {
    Seen { records: rows.0, lists: rows.1 }
}
