//! Which attachments are not here: swapped for a placeholder by Apple's own definition, or nowhere to be found.

use crate::doctor::{Fact, Patient, Verdict};
use crate::writers::phrase;
use crate::writers::phrase::size;

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let held = &patient.facts.held;
    // A column that is not there is no zero.
    let known = |fact: Fact| if patient.facts.sync.of_attachments { fact } else { Fact::Unknown };
    let evidence = vec![
        ("here", held.here.items.into()),
        ("here_bytes", Fact::Bytes(held.here.bytes)),
        ("only_in_icloud", known(held.in_icloud.items.into())),
        ("only_in_icloud_bytes", known(Fact::Bytes(held.in_icloud.bytes))),
        ("purged_by_apples_definition", known(held.purged.into())),
        ("not_here_nor_known_to_be_in_icloud", held.lost.items.into()),
        ("not_here_nor_known_to_be_in_icloud_bytes", Fact::Bytes(held.lost.bytes)),
        ("of_these_transfer_unfinished", held.unfinished.into()),
        ("removed_by_messages", held.expired.items.into()),
        ("hidden_not_here", held.hidden.items.into()),
    ];
    verdict(patient).because(evidence)
}

fn verdict(patient: &Patient<'_>) -> Verdict {
    let held = &patient.facts.held;
    let conversations = patient.facts.kept_elsewhere.len() as u64;
    let of = phrase::count(conversations, "conversation", "conversations");
    let list = "`msgarchive doctor --attachments DIR` lists them by conversation, with links that open each message, so \
                that it downloads.";
    match (held.in_icloud.items, held.lost.items) {
        (0, 0) => {
            let all = phrase::count(held.here.items, "attachment is", "attachments are");
            Verdict::ok(format!("{all} here, and none is missing.")).by_definition()
        }
        (icloud, 0) => {
            let attachments = phrase::count(icloud, "attachment of", "attachments of");
            let is = if icloud == 1 { "is" } else { "are" };
            let bytes = size(held.in_icloud.bytes);
            Verdict::warning(
                format!("{attachments} {of} {is} only in iCloud ({bytes}), and not on this disk."),
                list,
            )
            .by_definition()
        }
        (0, lost) => {
            let attachments = phrase::count(lost, "attachment of", "attachments of");
            let is = if lost == 1 { "is" } else { "are" };
            let cloud = match patient.facts.sync.of_attachments {
                true => "nothing says that iCloud has a copy",
                false => "this database has no column that says whether iCloud has a copy",
            };
            Verdict::warning(
                format!("{attachments} {of} {is} not here, and {cloud}."),
                "Look in another source: a backup of the phone, another Mac. `msgarchive archive` takes from each what it \
                 has.",
            )
            .by_definition()
        }
        (icloud, lost) => {
            let attachments = phrase::count(icloud + lost, "attachment of", "attachments of");
            let only = phrase::count(icloud, "is", "are");
            let bytes = size(held.in_icloud.bytes);
            let finding = format!(
                "{attachments} {of} are not on this disk: {only} only in iCloud ({bytes}), and of {} nothing says that \
                 iCloud has a copy.",
                phrase::count(lost, "other", "others")
            );
            Verdict::warning(finding, list).by_definition()
        }
    }
}
