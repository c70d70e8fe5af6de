//! Every row, taken down as it comes.

use std::ops::ControlFlow;

use super::calendar::Calendar;
use super::gate::Watch;
use super::groups::{Groups, Place, Senders};
use super::items::{Items, Reference};
use super::keep::Purge;
use super::repeated::Repeated;
use super::what_if::Filter;
use super::{Amount, Category};
use crate::archive::holding::Holding;
use crate::model::Instant;
use crate::pipeline::Progress;
use crate::pipeline::decode::date::instant;
use crate::pipeline::roster::Roster;
use crate::source::{Scale, WeighedAttachment, WeighedMessage};

/// Rows between two looks at whether to stop.
const BEAT: u64 = 4096;

pub(super) struct Ledger<'a> {
    pub roster: &'a Roster,
    pub progress: &'a dyn Progress,
    pub repeated: Repeated,
    pub archive: Option<&'a Holding>,
    pub filter: Filter,
    pub calendar: Calendar,
    pub groups: Groups,
    pub senders: Senders,
    pub items: Items,
    pub purge: Purge,
    pub watch: Watch,
    /// Of what is asked of by "what if": the messages themselves.
    pub selected: Amount,
    /// Messages in Recently Deleted.
    pub deleted: Amount,
    pub counts: Counts,
    /// Rows of both tables.
    pub laid: u64,
    pub interrupted: bool,
}

/// What is only counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub messages: u64,
    pub undated: u64,
    pub unreadable: u64,
    pub synced: u64,
    pub unsynced: u64,
    /// Bytes of messages: synchronized, and not.
    pub synced_bytes: u64,
    pub unsynced_bytes: u64,
}

impl Scale for Ledger<'_> {
    fn attachment(&mut self, attachment: WeighedAttachment) -> ControlFlow<()> {
        let created = instant(attachment.created);
        let first = self.repeated.first((attachment.source, attachment.row.rowid));
        self.items.add(attachment, first, created);
        self.beat()
    }

    fn message(&mut self, message: &WeighedMessage<'_>) -> ControlFlow<()> {
        let date = instant(message.date);
        let conversation = message.chat.and_then(|chat| self.roster.conversation_of(chat));
        let sender = self.senders.number(message.is_from_me, message.handle_id, self.roster);
        let place = Place::new(conversation, sender, date.map(|date| self.calendar.year(date)));
        let selected = self.filter.takes_message(message, date, conversation);
        let (going, row) = (self.purge.takes(date), (message.source, message.rowid));
        self.watch.message(row, message.guid, date, place, going);
        let repeats = self.repeated.has(row);
        for rowid in message.attachments {
            let attachment = (message.source, *rowid);
            // What only this source has of a message that an earlier one gives.
            if !repeats || !self.items.is_repeated(attachment) {
                let deleted = message.deleted;
                let reference = Reference { item: 0, message: row, date, place, deleted, selected };
                self.items.refer(attachment, reference, message.guid, message.expired, going);
            }
        }
        if repeats {
            return self.beat();
        }

        let synced = message.sync.map(|state| matches!(state, 1 | 8 | 9));
        let high = message.text + message.body + message.payload + message.summary;
        // A text is in both columns; the larger one holds it with its styles.
        let low = if message.text > 0 { message.text } else { message.body } + message.payload;
        let low = if message.deleted || synced == Some(false) { 0 } else { low };
        let amount = Amount { items: 1, low, high };
        self.groups.add(place, Category::Messages, amount);
        if selected && self.filter.takes_whole_messages() {
            self.selected += amount;
        }
        if message.deleted {
            self.deleted += amount;
        }
        self.counts.add(date, synced, high, message.unreadable);

        let archived = self.archive.map(|archive| message.guid.is_some_and(|guid| archive.has_message(guid)));
        self.purge.add(message, date, conversation, archived);
        self.beat()
    }
}

impl Ledger<'_> {
    /// Now and then tells how far it is, and asks whether to stop.
    fn beat(&mut self) -> ControlFlow<()> {
        self.laid += 1;
        if !self.laid.is_multiple_of(BEAT) {
            return ControlFlow::Continue(());
        }
        self.progress.advance(BEAT);
        self.interrupted = self.progress.interrupted();
        if self.interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Counts {
    fn add(&mut self, date: Option<Instant>, synced: Option<bool>, bytes: u64, unreadable: bool) {
        self.messages += 1;
        self.undated += u64::from(date.is_none());
        self.unreadable += u64::from(unreadable);
        match synced {
            Some(true) => {
                self.synced += 1;
                self.synced_bytes += bytes;
            }
            Some(false) => {
                self.unsynced += 1;
                self.unsynced_bytes += bytes;
            }
            None => {}
        }
    }
}
