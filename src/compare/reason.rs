//! Why one side lacks what the other has, as far as the evidence goes.
//!
//! **Must never**: guess. What nothing is known of is [`Reason::Unexplained`].

use std::collections::HashSet;

use super::record::{Marks, Record, Verdict};
use super::survey::{Surveyed, is_dated, key_of};
use crate::pipeline::fingerprint::GuidKey;
use crate::pipeline::roster::Roster;
use crate::source::Deletions;

/// The day the first iPhone was sold, in nanoseconds since 2001. An earlier date was written by a clock that had lost the
/// time, and tells nothing of where a history begins.
pub(crate) const FIRST_IPHONE: i64 = (6 * 365 + 1 + 179) * 86_400 * 1_000_000_000;

/// Why a message is on one side only. The first that the evidence is there for, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The other side has it in Recently Deleted only; or has it no more, and the side that has it is an archive that says
    /// so of it.
    RecentlyDeleted,
    /// It was deleted: the other side still lists its GUID, or its conversation's, as deleted; or the side that has it
    /// has it in Recently Deleted only, and the other one no more; or an archive says so.
    Deleted,
    /// It was deleted with its conversation, as an archive says that has it.
    ConversationDeleted,
    /// Older than every message of the other side: Keep Messages removed all that were older there, or its history begins
    /// later; or an archive that has it says so.
    AgedOut,
    /// Younger than every message of the other side, which was not written to since: an older backup, a copy.
    Newer,
    /// It came to, or was sent from, an address of the owner that no message of the other side has.
    OtherAccount,
    /// SMS or RCS, and the other side has none of either since: its phone passed none on.
    NotForwarded,
    /// The side that has it has no record of it in iCloud, and never had one since synchronization was last reset.
    NeverSynced,
    /// Nothing that was found explains it.
    Unexplained,
}

impl Reason {
    /// Each, with its word.
    pub const NAMES: [(&'static str, Reason); 9] = [
        ("recently_deleted", Reason::RecentlyDeleted),
        ("deleted", Reason::Deleted),
        ("conversation_deleted", Reason::ConversationDeleted),
        ("aged_out", Reason::AgedOut),
        ("newer", Reason::Newer),
        ("other_account", Reason::OtherAccount),
        ("not_forwarded", Reason::NotForwarded),
        ("never_synced", Reason::NeverSynced),
        ("unexplained", Reason::Unexplained),
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        Reason::NAMES.get(self as usize).map_or("", |(name, _)| name)
    }
}

/// What one side knows that explains what it lacks.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Sorted.
    deleted: Vec<u128>,
    /// By conversation: one of its chats was deleted here.
    deleted_conversations: Vec<bool>,
    /// The first and the last date, without what is only in Recently Deleted.
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// The date of the last SMS or RCS.
    last_text_message: Option<i64>,
    /// The owner's addresses, in their one spelling.
    addresses: HashSet<String>,
    /// The same by account, as records number them.
    accounts: Vec<Vec<String>>,
}

impl Evidence {
    /// What a side says of itself.
    pub fn of(side: &Surveyed, deletions: Deletions, roster: &Roster) -> Evidence {
        let mut deleted: Vec<u128> = deletions.messages.iter().map(|guid| GuidKey::of(guid).0).collect();
        deleted.sort_unstable();
        let chats: HashSet<&str> = deletions.chats.iter().map(String::as_str).collect();
        let deleted_conversations = roster
            .conversations
            .iter()
            .map(|entry| entry.conversation.chat_guids.iter().any(|guid| chats.contains(guid.as_str())))
            .collect();
        let dates = || side.records.iter().filter(|record| is_believed(record));
        let accounts: Vec<_> = side.accounts.iter().map(|account| account_keys(account, roster)).collect();
        Evidence {
            deleted,
            deleted_conversations,
            first: dates().map(|record| record.date).min(),
            last: dates().map(|record| record.date).max(),
            last_text_message: dates().filter(|r| r.is(Marks::TEXT_MESSAGE)).map(|record| record.date).max(),
            addresses: accounts.iter().flatten().cloned().collect(),
            accounts,
        }
    }

    /// Says of all records of the other side that have no counterpart here why.
    pub fn explain(&self, other: &Evidence, records: &mut [Record]) {
        let is_foreign = |keys: &Vec<String>| {
            !keys.is_empty()
                && !self.addresses.is_empty()
                && !keys.iter().any(|key| self.addresses.contains(key))
        };
        let is_foreign: Vec<bool> = other.accounts.iter().map(is_foreign).collect();
        for record in records.iter_mut().filter(|record| record.verdict == Verdict::Alone) {
            record.verdict = Verdict::Only(self.reason(record, &is_foreign));
        }
    }

    fn reason(&self, record: &Record, is_foreign: &[bool]) -> Reason {
        let dated = is_believed(record);
        let since = |date: Option<i64>| dated && date.is_none_or(|date| record.date > date);
        let conversation = record.conversation as usize;
        // Who kept it knows best.
        if let Some(reason) = record.place.reason() {
            reason
        } else if self.deleted.binary_search(&key_of(record)).is_ok()
            || self.deleted_conversations.get(conversation) == Some(&true)
        {
            Reason::Deleted
        } else if dated && self.first.is_some_and(|first| record.date < first) {
            Reason::AgedOut
        } else if self.last.is_some() && since(self.last) {
            Reason::Newer
        } else if usize::from(record.account).checked_sub(1).and_then(|at| is_foreign.get(at)) == Some(&true)
        {
            Reason::OtherAccount
        } else if record.is(Marks::TEXT_MESSAGE) && since(self.last_text_message) {
            Reason::NotForwarded
        } else if record.is(Marks::UNSYNCED) {
            Reason::NeverSynced
        } else {
            Reason::Unexplained
        }
    }
}

/// It has a date, and one at which there was a message to send.
fn is_believed(record: &Record) -> bool {
    is_dated(record) && record.date >= FIRST_IPHONE
}

/// `E:me@example.com`, `P:+12025550101`, `+12025550101` → what they are compared by.
fn account_keys(addresses: &[String], roster: &Roster) -> Vec<String> {
    let bare = addresses.iter().map(|address| match address.split_at_checked(2) {
        Some((sort, rest)) if sort.eq_ignore_ascii_case("e:") || sort.eq_ignore_ascii_case("p:") => rest,
        _ => address,
    });
    bare.map(str::trim).filter(|address| !address.is_empty()).map(|a| roster.address_key(a)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_word() {
        for (name, reason) in Reason::NAMES {
            assert_eq!(reason.name(), name);
        }
    }

    #[test]
    fn the_first_iphone_came_in_june_2007() {
        let date = super::super::record::instant_of(FIRST_IPHONE).unwrap();
        assert_eq!(date.to_rfc3339(), "2007-06-29T00:00:00+00:00");
    }

    #[test]
    fn accounts_are_compared_without_their_sort() {
        let roster = Roster::default();
        let keys = |address: &str| account_keys(&[address.to_owned()], &roster);
        assert_eq!(keys("E:Me@Example.com"), keys("me@example.com"));
        assert_eq!(keys("P:+1 (202) 555-0101"), keys("+12025550101"));
        assert!(keys("e:").is_empty());
    }
}
