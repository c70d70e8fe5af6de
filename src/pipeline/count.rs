//! What a run counts, and how it proves that nothing was lost.

use super::normalize::RowKind;
use crate::model::{Availability, Message};

/// What became of every row that was read. See [`RowCounts::balance`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows of all chats, those not selected included; a row that is in two chats counts twice.
    pub read: u64,
    /// Lines of the export.
    pub messages: u64,
    /// Rows shown under the message they belong to, by what they are.
    pub tapbacks: u64,
    pub votes: u64,
    pub updates: u64,
    /// Not selected.
    pub filtered: u64,
    /// The same row, met again in another chat of the same conversation, or in another source.
    pub duplicates: u64,
    /// Rows that could not be written.
    pub failed: u64,
}

impl RowCounts {
    /// Rows read less rows accounted for; 0 when all is well.
    pub fn balance(&self) -> i128 {
        let accounted = [
            self.messages,
            self.tapbacks,
            self.votes,
            self.updates,
            self.filtered,
            self.duplicates,
            self.failed,
        ];
        i128::from(self.read) - accounted.iter().map(|n| i128::from(*n)).sum::<i128>()
    }

    /// Enters the hanging rows that were `met`: those of messages that were filtered out were filtered with them. Where a
    /// message is in two conversations its tapbacks are shown more often than they are met. Returns those that are shown.
    pub(super) fn enter(&mut self, met: &Hanging, hidden: &Hanging) -> Hanging {
        let filtered = hidden.within(met);
        self.filtered += filtered.total();
        let kept = met.less(&filtered);
        (self.tapbacks, self.votes, self.updates) = (kept.tapbacks, kept.votes, kept.updates);
        kept
    }

    /// Of the hanging rows that were entered, these say again what others of them say.
    pub(super) fn unite(&mut self, again: &Hanging) {
        let kept = Hanging { tapbacks: self.tapbacks, votes: self.votes, updates: self.updates };
        let again = again.within(&kept);
        self.duplicates += again.total();
        let kept = kept.less(&again);
        (self.tapbacks, self.votes, self.updates) = (kept.tapbacks, kept.votes, kept.updates);
    }

    /// Adds another's.
    pub fn add(&mut self, other: &RowCounts) {
        self.read += other.read;
        self.messages += other.messages;
        self.tapbacks += other.tapbacks;
        self.votes += other.votes;
        self.updates += other.updates;
        self.filtered += other.filtered;
        self.duplicates += other.duplicates;
        self.failed += other.failed;
    }
}

/// Rows that hang on a message, by kind. They are counted twice over: where they are met as rows, and where they
/// are shown. A row that was met and never shown was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hanging {
    pub tapbacks: u64,
    pub votes: u64,
    pub updates: u64,
}

impl Hanging {
    pub fn count(&mut self, kind: RowKind) {
        match kind {
            RowKind::Tapback => self.tapbacks += 1,
            RowKind::Vote => self.votes += 1,
            RowKind::Update => self.updates += 1,
            RowKind::Own => {}
        }
    }

    /// As many of each kind as there are here, but no more than in `limit`.
    pub fn within(&self, limit: &Hanging) -> Hanging {
        Hanging {
            tapbacks: self.tapbacks.min(limit.tapbacks),
            votes: self.votes.min(limit.votes),
            updates: self.updates.min(limit.updates),
        }
    }

    /// What is here beyond `other`.
    pub fn less(&self, other: &Hanging) -> Hanging {
        Hanging {
            tapbacks: self.tapbacks.saturating_sub(other.tapbacks),
            votes: self.votes.saturating_sub(other.votes),
            updates: self.updates.saturating_sub(other.updates),
        }
    }

    pub fn total(&self) -> u64 {
        self.tapbacks + self.votes + self.updates
    }

    pub fn add(&mut self, other: &Hanging) {
        self.tapbacks += other.tapbacks;
        self.votes += other.votes;
        self.updates += other.updates;
    }
}

/// The attachments of the messages that were written, each as often as a message refers to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttachmentCounts {
    pub referenced: u64,
    /// Beside the export now.
    pub copied: u64,
    pub in_icloud: u64,
    pub missing: u64,
    pub expired: u64,
    /// Bytes of those that are here or whose size is known.
    pub bytes: u64,
    /// Bytes beside the export, each reference counted.
    pub copied_bytes: u64,
}

impl AttachmentCounts {
    pub(super) fn count(&mut self, message: &Message) {
        for a in &message.attachments {
            self.referenced += 1;
            self.bytes += a.bytes.unwrap_or(0);
            match a.availability {
                Availability::Local if a.path.is_some() => {
                    self.copied += 1;
                    self.copied_bytes += a.bytes.unwrap_or(0);
                }
                Availability::Local => {}
                Availability::InICloud => self.in_icloud += 1,
                Availability::Missing => self.missing += 1,
                Availability::Expired => self.expired += 1,
            }
        }
    }

    pub(super) fn add(&mut self, other: &AttachmentCounts) {
        self.referenced += other.referenced;
        self.copied += other.copied;
        self.in_icloud += other.in_icloud;
        self.missing += other.missing;
        self.expired += other.expired;
        self.bytes += other.bytes;
        self.copied_bytes += other.copied_bytes;
    }
}

/// Trouble with one message. It was written all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    pub guid: Option<String>,
    pub what: String,
}
