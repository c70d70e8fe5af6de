//! What Messages takes in iCloud, and what a Keep Messages setting would purge.
//!
//! The rows of a store say how large an attachment is also where its bytes are not on this disk; they do not say what
//! iCloud makes of it. So every figure is a range: at least what is synchronized, shown and unlike everything else; at
//! most everything there is, each time a message has it. What the ranges rest on is said beside them
//! ([`Assumption`]).
//!
//! One pass over the attachments, one over the messages; nothing is kept of a message but its sums.
//!
//! **Must never**: decode a body, read a content that nobody asked to be read, print an unknown as zero, or say how
//! anything looks.

mod amount;
mod assumption;
mod calendar;
mod category;
mod contents;
mod gate;
mod groups;
mod items;
mod keep;
mod known_hashes;
mod ledger;
mod reading;
mod repeated;
mod sentence;
mod size;
mod summing;
mod what_if;

use std::path::{Path, PathBuf};

use chrono_tz::Tz;

pub use amount::Amount;
pub use assumption::Assumption;
pub use category::Category;
pub use contents::Read;
pub use gate::{Blocked, Gate, Passage, Why};
pub use groups::Who;
pub use items::Large;
pub use keep::{Kept, NotArchived, Setting};
pub use sentence::parse_what_if;
pub use size::parse_bytes;
pub use what_if::{Freed, WhatIf};

use crate::archive::ArchiveError;
use crate::archive::holding::Holding;
use crate::disk::DiskError;
use crate::model::{Conversation, Instant};
use crate::pipeline::Progress;
use crate::pipeline::roster::Roster;
use crate::pipeline::select::NoMatch;
use crate::source::contacts::Contact;
use crate::source::{Source, SourceError, SourceInfo, while_still};
use calendar::Calendar;
use contents::Contents;
use gate::Watch;
use groups::{Groups, Senders};
use items::{Items, Retained};
use keep::Purge;
use known_hashes::KnownHashes;
use ledger::{Counts, Ledger};
use repeated::Repeated;
use summing::Summing;
use what_if::Filter;

/// What to find out.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// Years begin in it.
    pub zone: Tz,
    /// What Keep Messages counts back from.
    pub now: Instant,
    /// What deleting some of it would free.
    pub what_if: Option<WhatIf>,
    /// What Apple's own screen says.
    pub icloud_total: Option<u64>,
    /// An archive that may have what would go.
    pub archive: Option<&'a Path>,
    /// What has to be in that archive.
    pub gate: Option<Gate<'a>>,
    /// Whether contents are read to tell them apart.
    pub exact: Option<Exact<'a>>,
    /// Worker threads that read contents; at least 1.
    pub jobs: usize,
}

/// How contents are read.
#[derive(Debug, Clone, Copy)]
pub struct Exact<'a> {
    /// A file that remembers their hashes until the next time.
    pub known: Option<&'a Path>,
}

/// What Messages takes in iCloud, as far as a store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    pub source: SourceInfo,
    /// What Keep Messages was counted back from.
    pub now: Instant,
    pub total: Amount,
    /// Every category, in its order.
    pub categories: Vec<(Category, Amount)>,
    /// By the upper figure, the largest first; those without messages are not there.
    pub conversations: Vec<ConversationAmount>,
    /// The oldest first, what has no date last.
    pub years: Vec<(Option<i32>, Amount)>,
    /// By the upper figure, the largest first.
    pub senders: Vec<(Who, Amount)>,
    /// The largest first.
    pub largest: Vec<Large>,
    pub places: Places,
    /// What is in Recently Deleted; `None` where the schema does not know it.
    pub recently_deleted: Option<Deleted>,
    pub plans: Vec<Plan>,
    pub keep: [Kept; 3],
    pub freed: Option<Freed>,
    pub icloud: Option<ICloud>,
    /// Whether what would go is safe in an archive, where that was asked for.
    pub gate: Option<Passage>,
    /// What was read to tell contents apart, where that was asked for.
    pub read: Option<Read>,
    pub assumptions: Vec<Assumption>,
}

/// What one conversation takes. `None`: attachments that no message has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationAmount {
    pub conversation: Option<Conversation>,
    pub amount: Amount,
}

/// Where the bytes are that the upper figure counts. What is in iCloud is not known of a store that says nothing of
/// synchronization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places {
    pub here: u64,
    pub not_here: u64,
    pub states: Option<States>,
}

/// The same, by what is synchronized.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct States {
    pub here_and_icloud: u64,
    pub icloud_only: u64,
    /// Not synchronized yet.
    pub here_only: u64,
    /// Neither here nor, by what is known, in iCloud.
    pub lost: u64,
}

/// What is in Recently Deleted: messages, and attachments each time one has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    pub items: u64,
    pub bytes: u64,
}

/// A plan of iCloud, by the bytes that Apple sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub bytes: u64,
    pub low: u64,
    pub high: u64,
}

/// Apple's own figure beside this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ICloud {
    pub total: u64,
    /// What nothing here explains; below 0: more is here than Apple counts.
    pub unexplained_low: i128,
    pub unexplained_high: i128,
}

/// What Apple sells: 5 GB come free.
pub const PLANS: [u64; 6] = [
    5_000_000_000,
    50_000_000_000,
    200_000_000_000,
    2_000_000_000_000,
    6_000_000_000_000,
    12_000_000_000_000,
];

/// Why nothing could be found out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    NoMatch(#[from] NoMatch),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("cannot use {} to remember hashes in", path.display())]
    Known { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("interrupted")]
    Interrupted,
}

/// Adds up a store.
///
/// # Errors
/// [`StorageError`].
pub fn estimate(
    source: &dyn Source,
    contacts: &[Contact],
    options: &Options<'_>,
    progress: &dyn Progress,
) -> Result<Estimate, StorageError> {
    while_still(&[source], || add_up(source, contacts, options, progress))
}

fn add_up(
    source: &dyn Source,
    contacts: &[Contact],
    options: &Options<'_>,
    progress: &dyn Progress,
) -> Result<Estimate, StorageError> {
    let archive = options.archive.map(Holding::read).transpose()?;
    let watch = Watch::new(options, options.archive)?;
    let retained = Retained {
        contents: options.gate.is_some() || options.exact.is_some(),
        names: options.gate.is_some(),
    };
    let chats = source.chats()?;
    let roster = Roster::new(&source.handles()?, &chats, contacts);
    let conversations = roster.conversations.len();
    let repeated = Repeated::read(source, &roster, options.jobs, progress)?;
    progress.begin(chats.iter().map(|chat| chat.rows).sum());
    progress.phase("Weighing");
    let mut ledger = Ledger {
        roster: &roster,
        progress,
        repeated,
        archive: archive.as_ref(),
        filter: Filter::new(options.what_if.as_ref(), &roster)?,
        calendar: Calendar::new(options.zone),
        groups: Groups::new(conversations),
        senders: Senders::default(),
        items: Items::retaining(retained, !source.info().with.is_empty()),
        watch,
        purge: Purge::new(options.now, conversations, archive.is_some()),
        selected: Amount::default(),
        deleted: Amount::default(),
        counts: Counts::default(),
        laid: 0,
        interrupted: false,
    };
    source.weigh(&mut ledger)?;
    if ledger.interrupted {
        return Err(StorageError::Interrupted);
    }
    source.unchanged()?;
    ledger.items.settle();
    let (contents, read) = match options.exact {
        Some(exact) => {
            let (contents, read) = read_contents(&ledger.items, exact, options.jobs, progress)?;
            (contents, Some(read))
        }
        None => (Contents::default(), None),
    };
    let watch = std::mem::take(&mut ledger.watch);
    let blocked = match (options.archive, archive.as_ref()) {
        (Some(path), Some(archive)) => watch.finish(&ledger.items, archive, path, options, progress)?,
        _ => Vec::new(),
    };
    Ok(Summing { ledger, contents, read, blocked, says: source.says() }.finish(source.info(), options))
}

fn read_contents(
    items: &Items,
    exact: Exact<'_>,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<(Contents, Read), StorageError> {
    let open = |path: &Path| {
        KnownHashes::open(path).map_err(|source| StorageError::Known { path: path.to_owned(), source })
    };
    let mut known = exact.known.map_or_else(|| Ok(KnownHashes::default()), open)?;
    let read = Contents::read(items, &mut known, jobs, progress);
    // Also of one that was interrupted: the next one goes on from there.
    known.write()?;
    if progress.interrupted() { Err(StorageError::Interrupted) } else { Ok(read) }
}
