//! Which record of one side is which of the other.
//!
//! **Must never**: give one record two counterparts.

use std::cmp::Ordering;

use super::reason::Reason;
use super::record::{Place, Record, Verdict};

/// Matches records that are sorted, and have each GUID once: by GUID, then by conversation and content. Returns how many
/// messages are the same under different GUIDs.
pub(super) fn match_up(left: &mut [Record], right: &mut [Record]) -> u64 {
    by_guid(left, right);
    let restored = by_content(left, right);
    pass_over(left, right);
    pass_over(right, left);
    restored
}

/// What an export cannot show is no gap of it.
fn pass_over(records: &mut [Record], other: &[Record]) {
    if !other.iter().any(|record| record.told) {
        return;
    }
    let folded = |record: &&mut Record| record.folds && !record.told && record.verdict == Verdict::Alone;
    records.iter_mut().filter(folded).for_each(|record| record.verdict = Verdict::Counterpart);
}

fn by_guid(left: &mut [Record], right: &mut [Record]) {
    let (mut lefts, mut rights) = (left.iter_mut().peekable(), right.iter_mut().peekable());
    while let (Some(l), Some(r)) = (lefts.peek(), rights.peek()) {
        match l.guid.cmp(&r.guid) {
            Ordering::Less => drop(lefts.next()),
            Ordering::Greater => drop(rights.next()),
            Ordering::Equal => {
                if let (Some(l), Some(r)) = (lefts.next(), rights.next())
                    && l.guid != [0; 2]
                {
                    settle(l, r);
                }
            }
        }
    }
}

/// What two records have to agree in, and the order in which they are paired where several do.
fn content(record: &Record) -> impl Ord + use<> {
    (record.conversation, record.content, record.kind, record.date, record.guid)
}

fn by_content(left: &mut [Record], right: &mut [Record]) -> u64 {
    let alone = |records: &[Record]| -> Vec<u32> {
        let mut alone: Vec<u32> = (0..)
            .zip(records)
            .filter(|(_, record)| record.verdict == Verdict::Alone)
            .map(|(at, _)| at)
            .collect();
        alone.sort_unstable_by_key(|at| (records.get(*at as usize).map(content), *at));
        alone
    };
    let (lefts, rights) = (alone(left), alone(right));
    let (mut lefts, mut rights) = (lefts.into_iter().peekable(), rights.into_iter().peekable());
    let mut restored = 0;
    while let (Some(&at_left), Some(&at_right)) = (lefts.peek(), rights.peek()) {
        let (Some(l), Some(r)) = (left.get_mut(at_left as usize), right.get_mut(at_right as usize)) else {
            break;
        };
        let same = |record: &Record| (record.conversation, record.content, record.kind);
        match same(l).cmp(&same(r)) {
            Ordering::Less => drop(lefts.next()),
            Ordering::Greater => drop(rights.next()),
            Ordering::Equal => {
                settle(l, r);
                restored += u64::from(!l.hangs());
                lefts.next();
                rights.next();
            }
        }
    }
    restored
}

/// Says of two records of one message how it is with it.
fn settle(left: &mut Record, right: &mut Record) {
    (left.verdict, right.verdict) = match (left.place, right.place) {
        (Place::There, Place::RecentlyDeleted) => {
            (Verdict::Only(Reason::RecentlyDeleted), Verdict::Counterpart)
        }
        (Place::RecentlyDeleted, Place::There) => {
            (Verdict::Counterpart, Verdict::Only(Reason::RecentlyDeleted))
        }
        // An archive has it, whatever became of it elsewhere.
        _ => {
            let what = left.differences(right);
            left.selected |= right.selected;
            let verdict = if what.is_empty() { Verdict::Same } else { Verdict::Different(what) };
            (verdict, Verdict::Counterpart)
        }
    };
}
