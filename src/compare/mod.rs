//! Two sources side by side: what only one of them has, what differs, and why, as far as the evidence goes.
//!
//! 1. The handles and chats of both are seen as of one source ([`Several`]), so that one roster says which
//!    chats are one conversation.
//! 2. Each side is read once, window by window, by all workers; of each row a short record stays (64 bytes), and
//!    an aside (56 bytes) of one that has attachments, a subject or an effect, was changed by its sender, or hangs on
//!    another one.
//! 3. The records are matched by GUID, and what is left by [content](crate::pipeline::fingerprint): rows that were
//!    restored under new GUIDs.
//! 4. What has no counterpart gets a [`Reason`].
//!
//! **What counts.** A row counts once a side, however many chats it is in. Messages and announcements count as messages.
//! Tapbacks, stickers, votes and later states of an app's message are matched the same way and counted apart
//! ([`Gaps::hanging`]): they hang on a message, and Messages keeps only the latest of each. A row that one side has only
//! in Recently Deleted is not there, unless the other side has it only there, too.
//!
//! **What differs** in a message that both have: who sent it, when, over which service, with which subject; its text, or
//! whether and how it was edited; the parts that were taken back; how many attachments it has, how many of them are there,
//! their sizes, and their bytes where these are known or were asked for; whether it was read; which message it answers; the
//! effect it was sent with; whether it went out. Of what hangs on a message, on which. Of its other columns devices
//! keep different things. Two spellings of an address, or two addresses of one person by the roster of both sides, are one
//! sender; a second is what dates are compared by; satellites carry the messages of another service.
//!
//! A selection shapes what is reported, not what is read: the reasons need all of both sides.
//!
//! **Must never**: hold a message, decide for people what a difference means to them, or call a gap a deletion without
//! a record of it.

mod differences;
mod facts;
mod findings;
mod hashing;
mod links;
mod matching;
mod quotes;
mod reason;
mod record;
mod survey;
mod tally;

use std::sync::Arc;

use chrono_tz::Tz;

use crate::model::{Instant, Sender};
use crate::pipeline::Progress;
use crate::pipeline::roster::Roster;
use crate::pipeline::select::{NoMatch, Selection};
use crate::source::contacts::Contact;
use crate::source::{Several, Source, SourceError, SourceInfo, while_still};

pub use differences::{Difference, What};
pub use findings::{Finding, Found, Says};
pub use quotes::{File, On, Quote, Words};
pub(crate) use reason::FIRST_IPHONE;
pub use reason::Reason;
pub use tally::{Counts, Gap, Gaps, Month};

use findings::Findings;
use matching::Matched;
use reason::Evidence;
use survey::Surveyed;
use tally::Tally;

/// How to compare.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is reported: conversations, period and services of it are used.
    pub selection: Selection,
    /// The zone in which months begin.
    pub zone: Tz,
    /// Worker threads; at least 1. [`crate::source::OpenOptions::sessions`] of both sources must not be less.
    pub jobs: usize,
    /// Read the bytes of all attachments that are there, and compare them; else only what is known of them without.
    pub deep: bool,
    /// Of how many messages that differ it is read again what both sides say.
    pub quotes: usize,
}

/// One of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Left,
    Right,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Side::Left => "left",
            Side::Right => "right",
        }
    }

    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

/// What a side is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    pub source: SourceInfo,
    /// All messages it has, each once; those in Recently Deleted, too.
    pub messages: u64,
    /// Tapbacks, votes and updates.
    pub hanging: u64,
    /// The first and the last date.
    pub first: Option<Instant>,
    pub last: Option<Instant>,
    /// Rows that could not be read for damage of the file: of them nothing is known.
    pub unreadable: u64,
    /// Attachments whose bytes were to be compared, and could not be read.
    pub unread_files: u64,
}

/// Two sources, compared.
#[derive(Debug)]
pub struct Comparison {
    pub left: About,
    pub right: About,
    /// Of all selected conversations.
    pub total: Gaps,
    /// Those that matter first: with the most missing, then with the most that differs, then the longest.
    pub conversations: Vec<Gap>,
    /// Messages that are the same under different GUIDs.
    pub restored: u64,
    /// What both sides say of messages that differ: of the first, and first of those in which they contradict each other.
    pub quotes: Vec<Quote>,
    findings: Findings,
}

impl Comparison {
    /// Both have the same.
    pub fn is_equal(&self) -> bool {
        self.total.is_equal()
    }

    /// Everything was read.
    pub fn is_complete(&self) -> bool {
        [&self.left, &self.right].iter().all(|side| side.unreadable == 0 && side.unread_files == 0)
    }

    /// Every message that only one side has or that differs: by conversation, as they are listed, then by date.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.findings.iter()
    }
}

/// Why two sources could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    NoMatch(#[from] NoMatch),
    #[error("interrupted")]
    Interrupted,
}

/// Compares two sources. `contacts`: of both, as one list.
///
/// # Errors
/// [`CompareError`].
pub fn compare(
    left: &dyn Source,
    right: &dyn Source,
    contacts: &[Contact],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    while_still(&[left, right], || side_by_side([left, right], contacts, options, progress))
}

fn side_by_side(
    sources @ [left, right]: [&dyn Source; 2],
    contacts: &[Contact],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    let several = Several::of(&sources)?;
    let roster = Roster::new(&several.handles, &several.chats, contacts);
    let selected = options.selection.conversations(&roster)?;
    let handles = several.handles.iter();
    let senders = handles.map(|handle| (handle.rowid, roster.address_key(&handle.id))).collect();
    progress.begin(roster.conversations.iter().map(|entry| entry.rows).sum());

    let survey = |place: usize| {
        let source = sources.get(place).copied().unwrap_or(left);
        let (several, roster, senders) = (&several, &roster, &senders);
        let keeps = source.info().has_archive();
        survey::Survey { place, source, keeps, several, roster, senders, options, progress }
    };
    let surveys = [survey(0), survey(1)];
    let read = |survey: &survey::Survey<'_>, side: Side| {
        progress.phase(&format!("Reading {}", side.name()));
        survey.run()
    };
    let [of_left, of_right] = &surveys;
    let (mut left_rows, mut right_rows) = (read(of_left, Side::Left)?, read(of_right, Side::Right)?);
    progress.phase("Comparing");
    let evidence_of = |source: &dyn Source, rows: &Surveyed| -> Result<Evidence, CompareError> {
        Ok(Evidence::of(rows, source.deletions()?, &roster))
    };
    let (left_evidence, right_evidence) = (evidence_of(left, &left_rows)?, evidence_of(right, &right_rows)?);
    let Matched { restored, different } = matching::match_up(
        (&mut left_rows.records, &left_rows.lists),
        (&mut right_rows.records, &right_rows.lists),
    );
    right_evidence.explain(&left_evidence, &mut left_rows.records);
    left_evidence.explain(&right_evidence, &mut right_rows.records);
    let mut tally = Tally::new(options.zone, &roster, &selected);
    tally.count(Side::Left, &left_rows.records);
    tally.count(Side::Right, &right_rows.records);
    let about = |source: &dyn Source, rows: &Surveyed| About {
        source: source.info().clone(),
        messages: rows.messages(),
        hanging: rows.records.len() as u64 - rows.messages(),
        first: rows.dates().min().and_then(record::instant_of),
        last: rows.dates().max().and_then(record::instant_of),
        unreadable: rows.unreadable,
        unread_files: rows.unread_files,
    };
    let (left, right) = (about(left, &left_rows), about(right, &right_rows));
    let (total, conversations) = tally.finish();
    let people = people_of(&several, &roster);
    let findings = Findings::of(left_rows, right_rows, &different, people, &conversations);
    let quotes = quotes::quotes(&findings, &surveys, options.quotes)?;
    for source in sources {
        source.unchanged()?;
    }
    Ok(Comparison { left, right, total, conversations, restored, quotes, findings })
}

/// The roster's people, by number.
fn people_of(several: &Several, roster: &Roster) -> Vec<Arc<Sender>> {
    let mut people: Vec<Arc<Sender>> = Vec::new();
    for handle in &several.handles {
        let Some((number, person)) = roster.person(handle.rowid) else { continue };
        if people.len() <= number {
            people.resize_with(number + 1, || Arc::new(Sender { handle: None, name: None }));
        }
        if let Some(entry) = people.get_mut(number) {
            let first = person.handles.first().cloned();
            *entry = Arc::new(Sender { handle: first, name: person.name.clone() });
        }
    }
    people
}
