//! Holes in time: months without a message between months with many. Missing row ids are evidence only: deleting, drafts
//! and failed sends leave them, too.

use std::collections::BTreeMap;

use crate::compare::Month;
use crate::doctor::{Fact, Patient, Verdict};

/// Messages a month, on both sides of a hole, before one without any is a hole.
const MANY: u64 = 10;
/// The months on each side that are looked at.
const BESIDE: i64 = 3;

/// Months without a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hole {
    first: Month,
    last: Month,
}

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let facts = patient.facts;
    let holes = holes(&facts.months);
    let words: Vec<String> = holes.iter().map(Hole::words).collect();
    let gaps = facts.missing_rowids;
    let evidence = vec![
        ("months_with_messages", (facts.months.len() as u64).into()),
        ("holes", Fact::Text(words.join(", "))),
        ("missing_row_ids", gaps.missing.into()),
        ("runs_of_missing_row_ids", gaps.runs.into()),
        ("longest_run_of_missing_row_ids", gaps.longest.into()),
    ];
    let verdict = match (facts.first, words.as_slice()) {
        (None, _) => Verdict::unknown("There is no message with a date."),
        (Some(_), []) => Verdict::ok("No month is empty between months with many messages."),
        (Some(_), words) => Verdict::warning(
            format!("There is not one message in {}, and there are many before and after.", listed(words)),
            "Look for a source that has them: a backup of the phone, another Mac, an old copy. `msgarchive compare` shows \
             what it has.",
        ),
    };
    verdict.because(evidence)
}

fn listed(words: &[String]) -> String {
    const NAMED: usize = 4;
    let named = words.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(NAMED) {
        0 => named,
        1 => format!("{named} and 1 more stretch"),
        more => format!("{named} and {more} more stretches"),
    }
}

impl Hole {
    /// `2019-03`, `2019-03 to 2019-05`.
    fn words(&self) -> String {
        match self.first == self.last {
            true => self.first.to_string(),
            false => format!("{} to {}", self.first, self.last),
        }
    }
}

/// Months since year 0.
fn number(month: &Month) -> i64 {
    i64::from(month.year) * 12 + i64::from(month.month) - 1
}

fn month(number: i64) -> Month {
    Month { year: number.div_euclid(12) as i32, month: number.rem_euclid(12) as u8 + 1 }
}

fn holes(months: &BTreeMap<Month, u64>) -> Vec<Hole> {
    let with: Vec<i64> = months.keys().map(number).collect();
    let many = |from: i64| {
        let messages: u64 = months.range(month(from)..month(from + BESIDE)).map(|(_, count)| *count).sum();
        messages >= MANY * BESIDE as u64
    };
    let mut holes = Vec::new();
    for pair in with.windows(2) {
        let [before, after] = pair else { continue };
        if after - before > 1 && many(before + 1 - BESIDE) && many(*after) {
            holes.push(Hole { first: month(before + 1), last: month(after - 1) });
        }
    }
    holes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: &[u64], expect: &[&str]) {
        let months = counts.iter().zip(0..).filter(|(count, _)| **count > 0);
        let months = months.map(|(count, at)| (month(2019 * 12 + at), *count)).collect();
        let found: Vec<String> = holes(&months).iter().map(Hole::words).collect();
        assert_eq!(found, expect, "{counts:?}");
    }

    #[test]
    fn a_hole_lies_between_months_with_many() {
        check(&[20, 20, 20, 0, 0, 0, 20, 20, 20], &["2019-04 to 2019-06"]);
        check(&[20, 20, 20, 0, 20, 20, 20], &["2019-04"]);
        check(&[90, 0, 0, 0, 90], &["2019-02 to 2019-04"]);
        // Who writes little may write nothing.
        check(&[2, 2, 2, 0, 0, 0, 20, 20, 20], &[]);
        check(&[20, 20, 20, 0, 0, 0, 2, 2, 2], &[]);
        // Before the first and after the last month is no hole.
        check(&[0, 0, 20, 20, 20, 0, 0], &[]);
        check(&[], &[]);
    }
}
