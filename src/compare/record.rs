//! What stays of a row when its window was read.

use chrono::DateTime;

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
    /// The start of a hash of its text as it is now; 0 where it has none.
    pub text: u32,
    /// The owner's addresses in it: a number from 1 on; 0 where it says none.
    pub account: u16,
    pub kind: RowKind,
    /// Attachments that people see, and how many of them are there.
    pub attachments: u8,
    pub present: u8,
    pub edited: bool,
    /// The start of a hash of which parts were taken back; 0 where none were.
    pub unsent: u8,
    pub read: Read,
    /// Sent over SMS or RCS, by the phone itself.
    pub text_message: bool,
    /// Messages in iCloud never had it from this side.
    pub unsynced: bool,
    /// Of an export: of what it does not say nothing is known.
    pub told: bool,
    /// An export shows it only in what it became part of: a vote, a later state of an app's message, what takes a
    /// tapback back.
    pub folds: bool,
    /// In the period and over the services that are asked for.
    pub selected: bool,
    pub verdict: Verdict,
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

/// Something that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    Edited,
    Unsent,
    /// Attachments that one side has more of, or has the bytes of.
    Attachment,
    Read,
}

impl Difference {
    /// Each, with its word.
    pub const NAMES: [(&'static str, Difference); 4] = [
        ("edited", Difference::Edited),
        ("unsent", Difference::Unsent),
        ("attachment", Difference::Attachment),
        ("read", Difference::Read),
    ];
}

/// All that differs in one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct What(u8);

impl What {
    fn add(&mut self, difference: Difference, when: bool) {
        self.0 |= u8::from(when) << difference as u8;
    }

    /// True when this is among it.
    pub fn has(self, difference: Difference) -> bool {
        self.0 >> (difference as u8) & 1 == 1
    }

    /// True when nothing differs.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Record {
    /// Shown under another message.
    pub fn hangs(&self) -> bool {
        self.kind != RowKind::Own
    }

    /// What is not the same in two records of one message.
    pub fn differences(&self, other: &Record) -> What {
        let mut what = What::default();
        if self.hangs() || other.hangs() {
            return what;
        }
        let other_text = self.text != other.text && self.text != 0 && other.text != 0;
        let unsent = self.unsent != other.unsent;
        what.add(Difference::Unsent, unsent);
        // What was taken back is missing in the text.
        let told = self.told || other.told;
        // An export has the versions of what was edited, and not that something was whose versions are lost.
        let is_known = |record: &Record| record.edited || !record.told;
        let edited = self.edited != other.edited && is_known(self) && is_known(other);
        what.add(Difference::Edited, edited || other_text && !unsent);
        // It lists attachments of which only a body speaks, too.
        let attachments = self.attachments != other.attachments && !told || self.present != other.present;
        what.add(Difference::Attachment, attachments && !unsent);
        let both_known = self.read != Read::Unknown && other.read != Read::Unknown;
        what.add(Difference::Read, both_known && self.read != other.read);
        what
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
        assert!(size_of::<Record>() <= 56, "{}", size_of::<Record>());
    }
}
