//! What one reading of all rows of a source leaves: counts, and of each row some numbers.

use std::collections::{BTreeMap, HashSet};

use crate::model::{Availability, Conversation, Instant};
use crate::pipeline::decode::date::instant;
use crate::source::RawChat;

/// What was read of a source.
#[derive(Debug, Default)]
pub struct Facts {
    /// Rows of every kind, each once.
    pub rows: u64,
    /// Rows in no chat.
    pub orphans: u64,
    /// Rows that could not be read for damage of the file.
    pub unreadable: u64,
    /// Bodies that could not be read as they should be.
    pub damaged_bodies: u64,
    /// Messages that say again what another one of their conversation says: same sender, second and words.
    pub duplicates: u64,
    /// Messages by month, in the zone of the examination; without those in Recently Deleted.
    pub months: BTreeMap<crate::compare::Month, u64>,
    pub first: Option<Instant>,
    pub last: Option<Instant>,
    /// Dates of all of them.
    pub all: Dates,
    /// Dates of SMS, MMS and RCS.
    pub texts: Dates,
    /// Dates of iMessages.
    pub imessages: Dates,
    /// How rows stand in Messages in iCloud.
    pub sync: Sync,
    /// The owner's addresses, and in how many rows each is.
    pub addresses: BTreeMap<String, u64>,
    /// The Apple Accounts that iMessage chats were held with, by their addresses, and how many chats each has.
    pub accounts: BTreeMap<String, u64>,
    /// Runs of row ids that are missing between those that are there.
    pub missing_rowids: RowIdGaps,
    /// The files that hang on messages.
    pub held: Held,
    /// Files that people see and that are not here, by conversation, then by date.
    pub kept_elsewhere: Vec<(Conversation, Vec<Kept>)>,
    /// GUIDs of those that were awaited, and are here.
    pub arrived: HashSet<String>,
}

/// When messages of a sort were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dates {
    pub count: u64,
    pub first: Option<Instant>,
    pub last: Option<Instant>,
    /// The longest time without one, between two.
    pub longest_silence_days: u64,
}

/// How rows stand in Messages in iCloud.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sync {
    /// Rows of which something is known.
    pub known: u64,
    /// Rows that have a record in iCloud.
    pub with_record: u64,
    /// Rows whose record was emptied by a reset.
    pub emptied: u64,
    /// Of the rows that are to go up: by `ck_sync_state`.
    pub by_state: BTreeMap<i64, u64>,
    /// Of those in state 0 with a date: the dates, oldest first.
    pub waiting: Vec<Instant>,
    /// The schema has columns for where attachments stand in iCloud.
    pub of_attachments: bool,
    /// Of files that people see: by `ck_sync_state`.
    pub attachments_by_state: BTreeMap<i64, u64>,
    /// Rows of which iCloud does not know what was shared of them.
    pub ranges_pending: u64,
}

/// Missing row ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowIdGaps {
    pub missing: u64,
    pub runs: u64,
    pub longest: u64,
}

/// So many files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Files {
    pub items: u64,
    pub bytes: u64,
}

impl Files {
    pub(super) fn add(&mut self, bytes: u64) {
        self.items += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The files that hang on messages, each once, by where their bytes are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    pub here: Files,
    /// Those that people see, in iCloud and not here.
    pub in_icloud: Files,
    /// Of these, what Apple's own index has for swapped for a placeholder: `hide_attachment` 0, `transfer_state` 0,
    /// `ck_sync_state` 1 or 4.
    pub purged: u64,
    /// Those that people see, neither here nor known to be in iCloud.
    pub lost: Files,
    /// Of these, the ones whose transfer never finished.
    pub unfinished: u64,
    /// Audio messages that Messages removed after they were played.
    pub expired: Files,
    /// Of what people do not see, such as pictures of link previews: not here.
    pub hidden: Files,
    /// Of rows in no chat.
    pub of_orphans: Files,
    /// Of messages that say again what another one says.
    pub of_duplicates: Files,
}

/// A file that is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// `attachment.guid`.
    pub guid: Option<String>,
    /// The message it hangs on.
    pub message: Option<String>,
    pub date: Option<Instant>,
    /// Hostile text.
    pub name: Option<String>,
    /// 0: not known.
    pub bytes: u64,
    pub availability: Availability,
}

/// Whose iMessage chats they are: a chat's login is `E:` and the account's address, or `P:` and a number, which says
/// nothing of the account.
pub(super) fn accounts_of(chats: &[RawChat]) -> BTreeMap<String, u64> {
    let mut accounts = BTreeMap::new();
    for chat in chats.iter().filter(|chat| chat.service_name.as_deref() == Some("iMessage")) {
        let address = chat.account_login.as_deref().and_then(|login| login.strip_prefix("E:"));
        if let Some(address) = address.map(str::trim).filter(|address| !address.is_empty()) {
            *accounts.entry(address.to_lowercase()).or_default() += 1;
        }
    }
    accounts
}

/// The instant of nanoseconds since 2001.
pub(super) fn of_nanoseconds(nanoseconds: i64) -> Option<Instant> {
    // Seconds, where so few nanoseconds would be taken for them.
    match nanoseconds.unsigned_abs() {
        1_000_000_000_000.. => instant(nanoseconds),
        _ => instant(nanoseconds.div_euclid(1_000_000_000)),
    }
}

impl Dates {
    /// Of nanoseconds since 2001, sorted.
    pub(super) fn of(sorted: &[i64]) -> Dates {
        const DAY: i64 = 86_400_000_000_000;
        let silence = sorted.windows(2).map(|pair| match pair {
            [a, b] => b.saturating_sub(*a),
            _ => 0,
        });
        Dates {
            count: sorted.len() as u64,
            first: sorted.first().copied().and_then(of_nanoseconds),
            last: sorted.last().copied().and_then(of_nanoseconds),
            longest_silence_days: (silence.max().unwrap_or(0) / DAY) as u64,
        }
    }
}

impl RowIdGaps {
    /// Of row ids, sorted.
    pub(super) fn of(sorted: &[i64]) -> RowIdGaps {
        let mut gaps = RowIdGaps::default();
        for pair in sorted.windows(2) {
            let [a, b] = pair else { continue };
            let missing = b.abs_diff(*a).saturating_sub(1);
            gaps.missing = gaps.missing.saturating_add(missing);
            gaps.runs += u64::from(missing > 0);
            gaps.longest = gaps.longest.max(missing);
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_says_whose_a_chat_is() {
        let chat = |service: &str, login: &str| RawChat {
            service_name: Some(service.into()),
            account_login: Some(login.into()),
            ..RawChat::default()
        };
        let chats = [
            chat("iMessage", "E:Me@example.com"),
            chat("iMessage", "E:me@example.com "),
            chat("iMessage", "E:"),
            chat("iMessage", "P:+12025550100"),
            chat("SMS", "E:other@example.com"),
        ];
        assert_eq!(accounts_of(&chats), BTreeMap::from([("me@example.com".into(), 2)]));
    }

    #[test]
    fn missing_row_ids_are_counted_in_runs() {
        assert_eq!(RowIdGaps::of(&[1, 2, 5, 6, 10]), RowIdGaps { missing: 5, runs: 2, longest: 3 });
        assert_eq!(RowIdGaps::of(&[]), RowIdGaps::default());
        assert_eq!(RowIdGaps::of(&[i64::MIN, i64::MAX]).runs, 1);
    }
}
