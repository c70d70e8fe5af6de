//! What stays of a row when its window was read.

use chrono::DateTime;

use super::differences::What;
use super::links::Link;
use super::reason::Reason;
use crate::model::{DeletionReason, Instant};
use crate::pipeline::RowKind;

/// Seconds from the Unix epoch to Apple's.
const APPLE_EPOCH: i64 = 978_307_200;
const NANOSECONDS: i64 = 1_000_000_000;

/// A row, in short. Ordered so that the rows of one GUID stand together, and the one that is not deleted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    /// The bits of a [`GuidKey`](crate::pipeline::fingerprint::GuidKey), high and low; 0 where the row has none.
    pub guid: [u64; 2],
    /// Whether it is where it was.
    pub place: Place,
    /// An index into the roster's conversations.
    pub conversation: u32,
    /// Nanoseconds since 2001; [`NO_DATE`] where there is none.
    pub date: i64,
    /// The start of its [`Fingerprint`](crate::pipeline::fingerprint::Fingerprint).
    pub content: u64,
    /// The start of a hash of what it says now: its text, the new title of a group, the sort of a tapback; 0 where it says
    /// nothing.
    pub text: u32,
    pub author: Author,
    /// The owner's addresses in it: a number from 1 on; 0 where it says none.
    pub account: u16,
    pub kind: RowKind,
    /// A number of its side's services from 1 on; 0 where it says none.
    pub service: u8,
    pub read: Read,
    pub sending: Sending,
    pub marks: Marks,
    pub verdict: Verdict,
    /// Which window of its conversation it was read in.
    pub window: u32,
    /// What most rows have nothing of: a number of its side's asides from 1 on.
    pub aside: u32,
}

/// Who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Author(u32);

impl Author {
    /// Nobody is named, or nobody is known under that name.
    pub const UNKNOWN: Author = Author(0);
    pub const OWNER: Author = Author(1);

    /// One of the roster's people.
    pub fn person(number: usize) -> Author {
        u32::try_from(number).ok().and_then(|number| number.checked_add(2)).map_or(Author::UNKNOWN, Author)
    }

    /// Which of the roster's people.
    pub fn number(self) -> Option<usize> {
        self.0.checked_sub(2).map(|number| number as usize)
    }
}

/// What is so of a row, or is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marks(u8);

impl Marks {
    /// Sent over SMS or RCS, by the phone itself.
    pub const TEXT_MESSAGE: u8 = 1;
    /// Messages in iCloud never had it from this side.
    pub const UNSYNCED: u8 = 1 << 1;
    /// Of an export: of what it does not say nothing is known.
    pub const TOLD: u8 = 1 << 2;
    /// An export shows it only in what it became part of: a vote, a later state of an app's message, what takes a
    /// tapback back.
    pub const FOLDS: u8 = 1 << 3;
    /// To be sent later, or it was: it is dated anew when it goes.
    pub const SCHEDULED: u8 = 1 << 4;
    /// It is no message, but an event of its conversation.
    pub const ANNOUNCES: u8 = 1 << 5;
    /// In the period and over the services that are asked for.
    pub const SELECTED: u8 = 1 << 6;
    /// Why it is not where the archive has it from is a guess.
    pub const GUESSED: u8 = 1 << 7;

    /// Those of these that hold.
    pub fn of(marks: &[(u8, bool)]) -> Marks {
        Marks(marks.iter().filter(|(_, holds)| *holds).fold(0, |all, (mark, _)| all | mark))
    }
}

/// What few rows have: attachments, a subject, edits, parts that were taken back, an effect, a message that they answer or
/// hang on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Aside {
    /// The start of a hash of it; 0 where there is none.
    pub subject: u32,
    /// The sender changed it.
    pub edited: bool,
    /// The start of a hash of the text as it was first sent; 0 where that is what it says now, or is not known.
    pub first: u32,
    /// The start of a hash of all versions; 0 where they are not known.
    pub versions: u32,
    /// The start of a hash of which parts were taken back; of what takes a tapback back 1; 0 where nothing was.
    pub unsent: u8,
    pub files: Files,
    /// The start of a hash of how it was sent to appear; 0 where that is nothing special.
    pub effect: u32,
    pub link: Link,
}

/// The attachments of a row that people see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Files {
    pub all: u8,
    /// How many of them are there.
    pub present: u8,
    /// Of how many the size is known, and a sum that is the same for the same sizes in any order.
    pub sized: u8,
    pub sizes: u32,
    /// Of how many the hash of the bytes is known, and a sum of these.
    pub hashed: u8,
    pub hashes: u32,
}

impl Files {
    /// As many, and as many there, and yet not the same.
    pub fn have_other_bytes(&self, other: &Files) -> bool {
        let same_number = self.all == other.all && self.present == other.present;
        let sizes = self.sized == other.sized && self.sizes != other.sizes;
        let hashes = self.hashed == other.hashed && self.hashes != other.hashes;
        same_number && (sizes || hashes)
    }
}

/// What records of one side point at.
#[derive(Debug, Default)]
pub(super) struct Lists {
    asides: Vec<Aside>,
    services: Vec<String>,
    /// The side is an export: its tapbacks, too, are as it tells them.
    pub is_told: bool,
    pub knows: Knows,
}

/// What a side's system notes at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Knows {
    pub replies: bool,
    pub effects: bool,
}

impl Lists {
    pub fn new(asides: Vec<Aside>, services: Vec<String>, is_told: bool, knows: Knows) -> Lists {
        Lists { asides, services, is_told, knows }
    }

    pub fn aside(&self, record: &Record) -> Aside {
        let at = (record.aside as usize).checked_sub(1);
        at.and_then(|at| self.asides.get(at)).copied().unwrap_or_default()
    }

    /// As the side spells it.
    pub fn service(&self, record: &Record) -> Option<&str> {
        let at = usize::from(record.service).checked_sub(1);
        at.and_then(|at| self.services.get(at)).map(String::as_str)
    }
}

/// Whether a record's row is where it was. What is there comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    There,
    /// Only in Recently Deleted.
    RecentlyDeleted,
    /// It is not where the archive has it from, and the archive says why.
    Kept(DeletionReason),
}

impl Place {
    /// Why the other side has it no more.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Place::There => None,
            Place::RecentlyDeleted | Place::Kept(DeletionReason::Deleted) => Some(Reason::Deleted),
            Place::Kept(DeletionReason::RecentlyDeleted) => Some(Reason::RecentlyDeleted),
            Place::Kept(DeletionReason::ConversationDeleted) => Some(Reason::ConversationDeleted),
            Place::Kept(DeletionReason::AgedOut) => Some(Reason::AgedOut),
            Place::Kept(DeletionReason::Unexplained) => Some(Reason::Unexplained),
        }
    }
}

/// The date of what has none.
pub(super) const NO_DATE: i64 = i64::MIN;

/// A raw date as nanoseconds since 2001; nonsense far away stays far away.
pub(super) fn nanoseconds(raw: i64) -> i64 {
    match raw {
        0 => NO_DATE,
        _ if raw.unsigned_abs() >= 1_000_000_000_000 => raw.max(NO_DATE + 1),
        seconds => seconds.saturating_mul(NANOSECONDS).max(NO_DATE + 1),
    }
}

/// The instant of nanoseconds since 2001.
pub(super) fn instant_of(nanoseconds: i64) -> Option<Instant> {
    if nanoseconds == NO_DATE {
        return None;
    }
    let seconds = APPLE_EPOCH + nanoseconds.div_euclid(NANOSECONDS);
    DateTime::from_timestamp(seconds, nanoseconds.rem_euclid(NANOSECONDS) as u32)
}

/// Whether a message was read: one that was received by the owner, one that was sent by whoever got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Read {
    Unknown,
    No,
    Yes,
}

/// Whether what the owner sent went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sending {
    /// Somebody else's, or nothing says it: iCloud hands on that a message is there, and not that it failed elsewhere.
    Unknown,
    Failed,
    Sent,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Not matched yet.
    Alone,
    /// The other side has it, and the record there says how.
    Counterpart,
    Same,
    Different(What),
    Only(Reason),
}

impl Record {
    /// Shown under another message.
    pub fn hangs(&self) -> bool {
        self.kind != RowKind::Own
    }

    /// True when this is so.
    pub fn is(&self, mark: u8) -> bool {
        self.marks.0 & mark != 0
    }

    pub fn mark(&mut self, mark: u8) {
        self.marks.0 |= mark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_both_units_mean_the_same_instant() {
        assert_eq!(nanoseconds(700_000_000), nanoseconds(700_000_000_000_000_000));
        assert_eq!(nanoseconds(0), NO_DATE);
        assert_eq!(instant_of(nanoseconds(-1)).unwrap().to_rfc3339(), "2000-12-31T23:59:59+00:00");
        assert_eq!(instant_of(NO_DATE), None);
        assert!(instant_of(nanoseconds(i64::MIN)).is_some() && instant_of(nanoseconds(i64::MAX)).is_some());
    }

    #[test]
    fn a_record_is_short() {
        assert!(size_of::<Record>() <= 64, "{}", size_of::<Record>());
    }
}
