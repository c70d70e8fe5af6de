//! What is wrong with a message history, and the one next step: permission, completeness, synchronization.
//!
//! Each check looks at what was read of a source once ([`Facts`]) and says what it found: evidence → finding → remedy, and
//! how sure it is. [`CHECKS`] says which there are, and in which order a person would make them.
//!
//! A source that cannot be opened is a finding, too ([`Checkup::unreadable`]). With two sources each is seen beside the
//! other: what [`crate::compare`] explains belongs to the check whose fault it is, and the rest to
//! `other_source`.
//!
//! **Must never**: change anything, take a column that is not there for a zero, or claim to know what iCloud has: the
//! database says what this device believes.

mod checks;
mod facts;
pub mod json;
mod patient;
mod reading;
mod verdict;
pub mod work_list;

use std::collections::HashSet;

use chrono_tz::Tz;

use crate::compare::{self, CompareError, Side, compare};
use crate::model::Instant;
use crate::pipeline::Progress;
use crate::pipeline::roster::Roster;
use crate::source::contacts::Contact;
use crate::source::{LogState, Source, SourceError, SourceInfo, while_still};

pub use checks::{CHECKS, Check};
pub use facts::{Dates, Facts, Files, Held, Kept, RowIdGaps, Sync};
pub use patient::{Other, Patient};
pub use verdict::{Confidence, Evidence, Fact, Status, Verdict};

/// What the library cannot know by itself.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The time of day.
    pub now: Instant,
    /// The zone in which days and months begin.
    pub zone: Tz,
    /// Free bytes where an export or an archive would go; `None`: not known.
    pub free_here: Option<u64>,
    /// GUIDs of attachments that were not here before: [`Facts::arrived`] says which are.
    pub awaited: HashSet<String>,
    /// Worker threads; at least 1. [`crate::source::OpenOptions::sessions`] of the sources must not be less.
    pub jobs: usize,
}

/// A source that is examined.
pub struct Presented<'s> {
    pub source: &'s dyn Source,
    /// Free bytes on the disk that it lies on; `None`: not known.
    pub free: Option<u64>,
    /// The schedule that reads it; `None`: none does.
    pub nightly: Option<Nightly>,
}

/// A schedule that has a source archived, and whether it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nightly {
    /// Who starts the program: `launchd`, `systemd`, …
    pub scheduler: &'static str,
    pub trial: Trial,
}

/// What came of having the scheduler try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// All that goes into the archive could be read.
    Read,
    /// What the program said. `remedy`: the next step, as far as there is one.
    Failed { said: String, remedy: Option<String> },
    /// The scheduler did not start the program.
    Untried { why: String },
}

/// What was found in one source.
#[derive(Debug)]
pub struct Report {
    pub source: SourceInfo,
    /// `None`: it could not be opened.
    pub facts: Option<Facts>,
    /// In the order of [`CHECKS`], each.
    pub verdicts: Vec<(&'static Check, Verdict)>,
}

/// What was found in all of them.
#[derive(Debug)]
pub struct Checkup {
    pub reports: Vec<Report>,
}

impl Checkup {
    /// Nothing was found that is wrong.
    pub fn is_healthy(&self) -> bool {
        let mut verdicts = self.reports.iter().flat_map(|report| &report.verdicts);
        !verdicts.any(|(_, verdict)| matches!(verdict.status, Status::Warning | Status::Problem))
    }

    /// Of one source that cannot be opened. `remedy`: the next step, as far as there is one.
    pub fn unreadable(source: SourceInfo, error: &SourceError, remedy: Option<String>) -> Checkup {
        // With a log of another time the best database reads as damaged.
        let log = match error {
            SourceError::Damaged { path, .. } => LogState::beside(path, true),
            _ => LogState::Unneeded,
        };
        let of_the_log = checks::complete::of_log(log);
        let blamed = if of_the_log.is_some() { "complete" } else { "readable" };
        let verdicts = CHECKS.iter().map(|check| {
            let verdict = match (check.name == blamed, &of_the_log) {
                (true, Some(verdict)) => verdict.clone(),
                (true, None) => checks::readable::failed(error, remedy.clone()),
                (false, _) => Verdict::unknown("It could not be read."),
            };
            (check, verdict)
        });
        Checkup { reports: vec![Report { source, facts: None, verdicts: verdicts.collect() }] }
    }
}

/// Examines one source, or two side by side. `contacts`: of all of them, as one list.
///
/// # Errors
/// What reading or comparing said.
pub fn examine(
    presented: &[Presented<'_>],
    contacts: &[Contact],
    around: &Surroundings,
    progress: &dyn Progress,
) -> Result<Checkup, CompareError> {
    let sources: Vec<&dyn Source> = presented.iter().map(|one| one.source).collect();
    while_still(&sources, || look_at(presented, contacts, around, progress))
}

fn look_at(
    presented: &[Presented<'_>],
    contacts: &[Contact],
    around: &Surroundings,
    progress: &dyn Progress,
) -> Result<Checkup, CompareError> {
    let mut read = Vec::new();
    for one in presented {
        progress.phase("Reading");
        let chats = one.source.chats()?;
        let roster = Roster::new(&one.source.handles()?, &chats, contacts);
        let mut facts = reading::read(one.source, &roster, around, progress)?;
        facts.accounts = facts::accounts_of(&chats);
        read.push((facts, one.source.deletions()?));
        one.source.unchanged()?;
    }
    let compared = match presented {
        [left, right] => {
            let options = compare::Options {
                selection: Default::default(),
                zone: around.zone,
                jobs: around.jobs,
                deep: false,
                quotes: 0,
            };
            Some(compare(left.source, right.source, contacts, &options, progress)?)
        }
        _ => None,
    };
    let patients: Vec<Patient<'_>> = presented
        .iter()
        .zip(&read)
        .enumerate()
        .map(|(at, (one, (facts, deletions)))| Patient {
            info: one.source.info(),
            facts,
            deletions,
            free: one.free,
            nightly: one.nightly.as_ref(),
            around,
            other: compared.as_ref().zip(read.get(1 - at.min(1))).map(|(compared, (facts, _))| {
                Other::of(compared, if at == 0 { Side::Left } else { Side::Right }, facts)
            }),
        })
        .collect();
    let verdicts: Vec<Vec<(&Check, Verdict)>> = patients
        .iter()
        .map(|patient| CHECKS.iter().map(|check| (check, (check.look)(patient))).collect())
        .collect();
    let reports = presented.iter().zip(read).zip(verdicts).map(|((one, (facts, _)), verdicts)| Report {
        source: one.source.info().clone(),
        facts: Some(facts),
        verdicts,
    });
    Ok(Checkup { reports: reports.collect() })
}
