//! Does the other source have more: what it has, this one lacks, and no other check explains.

use crate::compare::{Gap, Reason};
use crate::doctor::{Fact, Other, Patient, Verdict};
use crate::source::KeepMessages;
use crate::writers::comparison::words::{months, reasons};
use crate::writers::phrase;
use crate::writers::phrase::one_line;

/// Conversations that are named.
const NAMED: usize = 3;

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let Some(other) = patient.other else { return Verdict::unknown(super::ONE_SOURCE) };
    let lacking = other.lacking();
    let evidence = vec![
        ("both", other.gaps().messages.both.into()),
        ("lacking", other.gaps().messages.only(other.side).into()),
        (
            "why",
            Fact::Counts(lacking.iter().map(|(reason, count)| (reason.name().to_owned(), *count)).collect()),
        ),
        ("months", months(other.gaps(), |counts| counts.only(other.side)).into()),
    ];
    verdict(patient, &other, &lacking).because(evidence)
}

fn verdict(patient: &Patient<'_>, other: &Other<'_>, lacking: &[(Reason, u64)]) -> Verdict {
    let all = other.gaps().messages.only(other.side);
    let of = |wanted: &[Reason]| -> u64 {
        lacking.iter().filter(|(reason, _)| wanted.contains(reason)).map(|(_, count)| count).sum()
    };
    let unexplained = of(&[Reason::Unexplained, Reason::NeverSynced]);
    // What this device removed by age is the fault of its setting.
    let removed_by_age = matches!(patient.info.keep_messages, Some(KeepMessages::Days(_)));
    let outside = of(&[Reason::Newer]) + if removed_by_age { 0 } else { of(&[Reason::AgedOut]) };
    let sentence = || {
        format!(
            "{} of {} {} lacking here ({}): {}. {}",
            phrase::count(all, "message", "messages"),
            other.name(),
            if all == 1 { "is" } else { "are" },
            months(other.gaps(), |counts| counts.only(other.side)),
            reasons(other.gaps(), other.side),
            conversations(other),
        )
    };
    if unexplained > 0 {
        return Verdict::problem(
            sentence(),
            "Keep both in one archive: `msgarchive archive DIR -s A -s B`. `msgarchive compare A B --html FILE` shows where \
             the gaps are.",
        );
    }
    if outside > 0 {
        return Verdict::warning(
            sentence(),
            "Keep both in one archive: `msgarchive archive DIR -s A -s B`; it has what either has.",
        );
    }
    match all {
        0 => Verdict::ok(format!("Nothing of {} is lacking here.", other.name())),
        all => Verdict::ok(format!(
            "{} lacking here that {} has, and it is known why: {}.",
            phrase::count(all, "message is", "messages are"),
            other.name(),
            reasons(other.gaps(), other.side)
        )),
    }
}

/// Those that lack most.
fn conversations(other: &Other<'_>) -> String {
    let count = |gap: &Gap| gap.gaps.messages.only(other.side);
    let mut lacking: Vec<&Gap> = other.compared.conversations.iter().filter(|gap| count(gap) > 0).collect();
    lacking.sort_by(|a, b| count(b).cmp(&count(a)).then_with(|| a.conversation.id.cmp(&b.conversation.id)));
    let named: Vec<String> = lacking
        .iter()
        .take(NAMED)
        .map(|gap| format!("{} ({})", one_line(&gap.conversation.title), count(gap)))
        .collect();
    let more = match lacking.len().saturating_sub(NAMED) as u64 {
        0 => String::new(),
        more => format!(" and {}", phrase::count(more, "more conversation", "more conversations")),
    };
    format!("By conversation: {}{more}.", named.join(", "))
}
