//! Is the copy complete: the newest messages may be in the write-ahead log alone, and a copy without it is old.

use crate::doctor::{Fact, Patient, Verdict};
use crate::source::{LogState, SourceKind};

/// The latest `_ClientVersion` that this program was tested with: macOS 27.
const NEWEST_VERSION: u64 = 20_999;

const COPY_AGAIN: &str = "Copy the whole folder again while Messages is closed: chat.db, chat.db-wal and chat.db-shm \
                          belong together.";

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let info = patient.info;
    let problem = info.backup.as_ref().and_then(|backup| backup.problem.clone());
    let mut evidence = of(info.log);
    evidence.extend([
        ("schema_version", info.schema_version.clone().into()),
        ("backup_problem", problem.clone().into()),
    ]);
    verdict(patient, problem).because(evidence)
}

/// What is wrong with a log that is there; `None`: nothing.
pub(in crate::doctor) fn of_log(log: LogState) -> Option<Verdict> {
    let verdict = match log {
        LogState::Unusable => {
            let finding = "A write-ahead log lies beside the database, and nothing in it is valid: the newest messages \
                           are missing.";
            Verdict::problem(finding, COPY_AGAIN).by_definition()
        }
        LogState::Stale => {
            let finding = "The write-ahead log is older than the database beside it: they were not copied together, and \
                           what is read with it is old, damaged or both.";
            Verdict::problem(finding, COPY_AGAIN)
        }
        LogState::Absent | LogState::Unneeded | LogState::Whole { .. } => return None,
    };
    Some(verdict.because(of(log)))
}

fn of(log: LogState) -> Vec<(&'static str, Fact)> {
    let (name, frames) = match log {
        LogState::Unneeded => ("unneeded", None),
        LogState::Absent => ("absent", None),
        LogState::Whole { frames } => ("whole", Some(frames)),
        LogState::Unusable => ("unusable", None),
        LogState::Stale => ("stale", None),
    };
    vec![("log", name.into()), ("log_pages", frames.into())]
}

fn verdict(patient: &Patient<'_>, problem: Option<String>) -> Verdict {
    let info = patient.info;
    if let Some(problem) = problem {
        let finding = format!("The backup is not whole: {problem}.");
        return Verdict::problem(finding, "Make the backup again, or copy its folder again, whole.")
            .by_definition();
    }
    if let Some(verdict) = of_log(info.log) {
        return verdict;
    }
    let is_copy = !info.is_own && matches!(info.kind, SourceKind::Library | SourceKind::Device);
    if info.log == LogState::Absent && is_copy {
        let finding = "The database keeps a write-ahead log, and none lies beside it. If it was copied while Messages \
                       was open, its newest messages are missing.";
        return Verdict::warning(finding, COPY_AGAIN);
    }
    if let Some(warning) = info.warnings.first() {
        return Verdict::warning(
            format!("Something of it is missing: {warning}."),
            "Make the copy or the backup again.",
        );
    }
    let version = info.schema_version.as_deref().and_then(|version| version.trim().parse::<u64>().ok());
    if version.is_some_and(|version| version > NEWEST_VERSION) {
        let finding = "It is of a system that is newer than this program: what it knows is read, and what is new may be \
                       left out.";
        return Verdict::warning(finding, "Update msgarchive.").by_report();
    }
    match info.log {
        LogState::Whole { frames: 1.. } => {
            Verdict::ok("The write-ahead log with the newest messages was read along.").by_definition()
        }
        _ => Verdict::ok("Nothing is missing beside the database.").by_definition(),
    }
}
