//! Can the schedule read it, where nobody looks on: macOS gives Full Disk Access to the program that the scheduler starts, not to
//! the terminal in which this runs.

use crate::doctor::{Patient, Trial, Verdict};

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let Some(nightly) = patient.nightly else {
        return Verdict::unknown(match patient.info.is_own {
            true => {
                "No schedule does: `msgarchive schedule install --archive DIR` has it archived every night."
            }
            false => "No schedule does.",
        });
    };
    let scheduler = nightly.scheduler;
    let verdict = match &nightly.trial {
        Trial::Read => Verdict::ok(format!("{scheduler} started the program, and it could.")),
        Trial::Failed { said, remedy } => Verdict::problem(
            format!("{scheduler} started the program, and it failed: {said}."),
            remedy.as_deref().unwrap_or("`msgarchive schedule status` says how the nights went."),
        ),
        Trial::Untried { why } => Verdict::unknown(format!("{scheduler} could not be asked: {why}.")),
    };
    let said = match &nightly.trial {
        Trial::Read => None,
        Trial::Failed { said: words, .. } | Trial::Untried { why: words } => Some(words.clone()),
    };
    verdict.by_definition().because(vec![("scheduler", scheduler.into()), ("said", said.into())])
}
