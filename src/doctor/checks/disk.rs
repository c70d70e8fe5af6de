//! Is there room: for what an export or an archive would write, and for what Messages would download.

use crate::doctor::{Fact, Patient, Verdict};
use crate::writers::phrase::size;

/// With less than this Messages stops synchronizing.
const FULL: u64 = 500_000_000;
/// What an export takes for a row beside the attachments, about.
const FOR_A_ROW: u64 = 1000;

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let facts = patient.facts;
    let export = facts.held.here.bytes.saturating_add(facts.rows.saturating_mul(FOR_A_ROW));
    let download = facts.held.in_icloud.bytes;
    let here = patient.around.free_here;
    let evidence = vec![
        ("free_on_its_disk", patient.free.map(Fact::Bytes).unwrap_or(Fact::Unknown)),
        ("free_here", here.map(Fact::Bytes).unwrap_or(Fact::Unknown)),
        ("export_or_archive_needs", Fact::Bytes(export)),
        ("full_download_needs", Fact::Bytes(download)),
    ];
    let make_room = "Make room on this disk, or let attachments stay in iCloud: Optimize Mac Storage.";
    let verdict = match (patient.free, here) {
        (Some(free), _) if patient.info.is_own && free < FULL => {
            Verdict::problem(format!("The library's disk is full: {} are free.", size(free)), make_room)
                .by_report()
        }
        (Some(free), _) if patient.info.is_own && free < download => Verdict::warning(
            format!(
                "{} are free, and what is only in iCloud takes {}: it does not fit.",
                size(free),
                size(download)
            ),
            make_room,
        ),
        (_, Some(here)) if here < export => Verdict::warning(
            format!(
                "{} are free here, and an export or an archive takes about {}.",
                size(here),
                size(export)
            ),
            "Write to another disk with --out DIR, or make room here.",
        ),
        (_, Some(here)) => Verdict::ok(format!(
            "{} are free; an export or an archive takes about {}.",
            size(here),
            size(export)
        )),
        (_, None) => Verdict::unknown("This system does not say how much room there is."),
    };
    verdict.because(evidence)
}
