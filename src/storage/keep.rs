//! What a Keep Messages setting would purge: each row by its own date, and an attachment once no message has it.
//!
//! That is what deleting those rows does by Apple's own triggers (`messages-format.md` 2.7): tapbacks of a deleted
//! message stay behind, answers stay without what they answer, and a shared attachment goes with its last message.

use chrono::TimeDelta;

use super::items::Items;
use crate::model::Instant;
use crate::pipeline::is_tapback;
use crate::source::WeighedMessage;

/// How long messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    Days30,
    OneYear,
    Forever,
}

impl Setting {
    /// Every one, with its name.
    pub const NAMES: [(&str, Setting); 3] =
        [("30d", Setting::Days30), ("1y", Setting::OneYear), ("forever", Setting::Forever)];

    /// Days, as Apple's settings store them.
    pub fn days(self) -> Option<i64> {
        match self {
            Setting::Days30 => Some(30),
            Setting::OneYear => Some(365),
            Setting::Forever => None,
        }
    }
}

/// What a setting would purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub setting: Setting,
    /// What is older goes; `None`: nothing does.
    pub before: Option<Instant>,
    /// Rows, tapbacks included.
    pub messages: u64,
    pub tapbacks: u64,
    /// Conversations that lose messages.
    pub conversations: u64,
    /// Of them, those of which nothing stays.
    pub emptied: u64,
    pub attachments: u64,
    pub message_bytes: u64,
    pub attachment_bytes: u64,
    /// The date of the oldest message that stays; none that waits for its day yet.
    pub oldest_kept: Option<Instant>,
    /// Of those that would go; `None`: no archive was named.
    pub not_in_archive: Option<NotArchived>,
}

/// What an archive does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotArchived {
    pub messages: u64,
    pub attachments: u64,
}

impl Kept {
    /// All that goes.
    pub fn bytes(&self) -> u64 {
        self.message_bytes.saturating_add(self.attachment_bytes)
    }
}

/// Adds up what would go.
#[derive(Debug)]
pub(super) struct Purge {
    now: Instant,
    before: [Instant; 2],
    kept: [Kept; 3],
    /// Rows of each conversation that would go, by setting, and all.
    conversations: Vec<[u64; 3]>,
}

impl Purge {
    /// `archive`: there is one to look into.
    pub fn new(now: Instant, conversations: usize, archive: bool) -> Purge {
        let before = |setting: Setting| {
            let days = setting.days().and_then(TimeDelta::try_days);
            days.and_then(|days| now.checked_sub_signed(days)).unwrap_or(Instant::MIN_UTC)
        };
        let kept = |setting: Setting| Kept {
            setting,
            before: setting.days().map(|_| before(setting)),
            messages: 0,
            tapbacks: 0,
            conversations: 0,
            emptied: 0,
            attachments: 0,
            message_bytes: 0,
            attachment_bytes: 0,
            oldest_kept: None,
            not_in_archive: archive.then(NotArchived::default),
        };
        Purge {
            now,
            before: [before(Setting::Days30), before(Setting::OneYear)],
            kept: Setting::NAMES.map(|(_, setting)| kept(setting)),
            conversations: vec![[0; 3]; conversations + 1],
        }
    }

    /// Which settings a message of this date would go with. One without a date is older than everything.
    pub fn takes(&self, date: Option<Instant>) -> [bool; 2] {
        self.before.map(|before| date.is_none_or(|date| date < before))
    }

    /// Adds a message; `archived`: whether the archive has it, where there is one.
    pub fn add(
        &mut self,
        message: &WeighedMessage<'_>,
        date: Option<Instant>,
        conversation: Option<usize>,
        archived: Option<bool>,
    ) {
        let [days, year] = self.takes(date);
        let tapback = is_tapback(message.associated_message_type);
        let bytes = message.text + message.body + message.payload + message.summary;
        let nowhere = self.conversations.len() - 1;
        let rows = self.conversations.get_mut(conversation.unwrap_or(nowhere).min(nowhere));
        if let Some([days_rows, year_rows, all]) = rows {
            *days_rows += u64::from(days);
            *year_rows += u64::from(year);
            *all += 1;
        }
        // One of Send Later, or of a clock that is wrong.
        let date = date.filter(|date| *date <= self.now);
        for (kept, goes) in self.kept.iter_mut().zip([days, year, false]) {
            if !goes {
                kept.oldest_kept = match (kept.oldest_kept, date) {
                    (Some(known), Some(date)) => Some(known.min(date)),
                    (known, date) => known.or(date),
                };
                continue;
            }
            kept.messages += 1;
            kept.tapbacks += u64::from(tapback);
            kept.message_bytes = kept.message_bytes.saturating_add(bytes);
            if let Some(archived) = archived {
                kept.not_in_archive.get_or_insert_default().messages += u64::from(!archived);
            }
        }
    }

    /// Adds the attachments, and counts conversations. `archived`: whether the archive has an attachment's content,
    /// where there is one.
    pub fn finish(
        mut self,
        items: &Items,
        archived: impl Fn(&super::items::Item) -> Option<bool>,
    ) -> [Kept; 3] {
        for (setting, kept) in self.kept.iter_mut().enumerate().take(2) {
            for item in items.all.iter().filter(|item| item.goes(setting)) {
                kept.attachments += 1;
                kept.attachment_bytes = kept.attachment_bytes.saturating_add(item.bytes);
                if let Some(archived) = archived(item) {
                    kept.not_in_archive.get_or_insert_default().attachments += u64::from(!archived);
                }
            }
            let losing =
                || self.conversations.iter().filter_map(|rows| Some((*rows.get(setting)?, *rows.get(2)?)));
            kept.conversations = losing().filter(|(going, _)| *going > 0).count() as u64;
            kept.emptied = losing().filter(|(going, all)| *going > 0 && going == all).count() as u64;
        }
        self.kept
    }
}
