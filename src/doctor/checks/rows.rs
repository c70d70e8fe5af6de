//! Are the rows sound: rows in no conversation, messages that are there twice, bodies that cannot be read.

use crate::doctor::{Fact, Patient, Verdict};
use crate::writers::phrase;
use crate::writers::phrase::size;

/// Messages that say the same within a second are repeated by people, too.
const FEW_DUPLICATES: u64 = 10;
/// Rows in no chat are normal on a Mac: 2 or 3 of 100 were seen.
const FEW_ORPHANS: u64 = 20;
const USUAL_ORPHANS_PERCENT: u64 = 5;

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let facts = patient.facts;
    let (orphans, duplicates) = (facts.held.of_orphans, facts.held.of_duplicates);
    let evidence = vec![
        ("rows", facts.rows.into()),
        ("orphans", facts.orphans.into()),
        ("orphans_attachments_bytes", Fact::Bytes(orphans.bytes)),
        ("duplicates", facts.duplicates.into()),
        ("duplicates_attachments_bytes", Fact::Bytes(duplicates.bytes)),
        ("damaged_bodies", facts.damaged_bodies.into()),
    ];
    let mut found = Vec::new();
    if facts.damaged_bodies > 0 {
        found.push(phrase::count(
            facts.damaged_bodies,
            "message whose text is damaged",
            "messages whose text is damaged",
        ));
    }
    if facts.duplicates >= FEW_DUPLICATES {
        let messages =
            phrase::count(facts.duplicates, "message that is there twice", "messages that are there twice");
        found.push(format!("{messages} (attachments: {})", size(duplicates.bytes)));
    }
    let many_orphans = facts.orphans.saturating_mul(100) > facts.rows.saturating_mul(USUAL_ORPHANS_PERCENT);
    if facts.orphans >= FEW_ORPHANS && many_orphans {
        let rows = phrase::count(facts.orphans, "row in no conversation", "rows in no conversation");
        found.push(format!("{rows} (attachments: {})", size(orphans.bytes)));
    }
    let verdict = match found.is_empty() {
        true => Verdict::ok("None is damaged, and no more are astray or twice than usual."),
        false => Verdict::warning(
            format!("There are {}.", found.join("; ")),
            "Nothing has to be done: an export shows each of them and marks what is damaged. An older backup may have \
             damaged ones whole.",
        ),
    };
    verdict.because(evidence)
}
