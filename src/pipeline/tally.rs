//! The account of a run: every row that was read went somewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::count::{AttachmentCounts, Defect, Hanging, RowCounts};
use super::roster::RosterEntry;
use super::run::{ExportError, Report};
use super::writer::Finished;
use crate::disk::FileRecord;
use crate::model::{Instant, Message};

/// Defects kept with their words; more are only counted.
pub const DEFECTS_KEPT: usize = 10_000;

/// What a window, then a conversation, adds to the account.
#[derive(Default)]
pub(super) struct Tally {
    pub rows: RowCounts,
    /// Hanging rows met whose message is in a selected conversation.
    pub met: Hanging,
    /// Hanging rows of messages that were written, and of messages that were filtered out.
    pub shown: Hanging,
    pub hidden: Hanging,
    /// Hanging rows of several sources that are one.
    pub again: Hanging,
    attachments: AttachmentCounts,
    defects: Vec<Defect>,
    pub unreadable: u64,
    pub copies: Vec<FileRecord>,
    services: BTreeSet<String>,
    first: Option<Instant>,
    last: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Total {
    pub rows: RowCounts,
    pub met: Hanging,
    pub shown: Hanging,
    pub hidden: Hanging,
    pub again: Hanging,
    pub report: Report,
}

impl Tally {
    /// Counts a message as it will be written.
    pub fn observe(&mut self, message: &Message) {
        self.attachments.count(message);
        // What is yet to be sent says nothing of when people last wrote (`messages-format.md` 13.5).
        if message.scheduled.is_none() {
            self.first = earliest(self.first, message.date);
            self.last = self.last.max(message.date);
        }
        if let Some(service) = &message.service
            && !service.is_empty()
            && !self.services.contains(service)
        {
            self.services.insert(service.clone());
        }
        let defects = message.damaged.iter().chain(&message.defects);
        self.defects.extend(defects.map(|what| Defect { guid: message.guid.clone(), what: what.clone() }));
    }

    pub fn add(&mut self, other: Tally) {
        self.rows.add(&other.rows);
        self.met.add(&other.met);
        self.shown.add(&other.shown);
        self.hidden.add(&other.hidden);
        self.again.add(&other.again);
        self.attachments.add(&other.attachments);
        self.defects.extend(other.defects);
        self.unreadable += other.unreadable;
        self.copies.extend(other.copies);
        self.services.extend(other.services);
        self.first = earliest(self.first, other.first);
        self.last = self.last.max(other.last);
    }
}

impl Tally {
    /// A conversation is complete: what is known of it now.
    pub fn close(&mut self, entry: &RosterEntry) -> Finished {
        let mut conversation = entry.conversation.clone();
        let lost = entry.rows.saturating_sub(self.rows.read);
        if lost > 0 {
            // Counted when the source was opened, and then not found: only in a damaged database.
            self.rows.read += lost;
            self.rows.failed += lost;
            let what = format!(
                "the database is damaged: {lost} of the {} rows of {} cannot be found",
                entry.rows, conversation.id
            );
            self.defects.push(Defect { guid: None, what });
        }
        self.services.extend(conversation.services);
        conversation.services = std::mem::take(&mut self.services).into_iter().collect();
        let mut rows = self.rows;
        rows.enter(&self.met, &self.hidden);
        rows.unite(&self.again);
        Finished { conversation, rows, attachments: self.attachments, first: self.first, last: self.last }
    }
}

impl Total {
    fn add(&mut self, tally: Tally) {
        self.rows.add(&tally.rows);
        self.met.add(&tally.met);
        self.shown.add(&tally.shown);
        self.hidden.add(&tally.hidden);
        self.again.add(&tally.again);
        let report = &mut self.report;
        report.attachments.add(&tally.attachments);
        report.unreadable += tally.unreadable;
        report.copies.extend(tally.copies);
        report.defect_count += tally.defects.len() as u64;
        report.defects.extend(tally.defects);
        // Which are kept must not depend on who came first: sort before cutting.
        if report.defects.len() > 2 * DEFECTS_KEPT {
            report.defects.sort();
            report.defects.truncate(DEFECTS_KEPT);
        }
    }

    /// A conversation is complete.
    pub fn complete(&mut self, done: Finished, tally: Tally) {
        if tally.unreadable > 0 {
            self.report.unread.insert(done.conversation.id.clone());
        }
        if done.rows.messages > 0 {
            self.report.conversations.push(done);
        }
        self.add(tally);
    }

    /// Closes the account of conversations that were read before: each must be what it was.
    ///
    /// # Errors
    /// [`ExportError::Unlike`].
    pub fn balance_again(self, known: &Report) -> Result<Report, ExportError> {
        let mut report = self.report;
        let mut all: BTreeMap<&str, &Finished> =
            known.conversations.iter().map(|finished| (&*finished.conversation.id, finished)).collect();
        for again in &report.conversations {
            let id = &*again.conversation.id;
            match all.insert(id, again) {
                Some(before) if before.is_like(again) => {}
                _ => return Err(ExportError::Unlike { title: again.conversation.title.clone() }),
            }
        }
        let conversations: Vec<Finished> = all.into_values().cloned().collect();
        report.attachments = AttachmentCounts::default();
        conversations.iter().for_each(|finished| report.attachments.add(&finished.attachments));
        report.conversations = conversations;
        report.rows = known.rows;
        report.copies.sort();
        report.defects.sort();
        report.defects.truncate(DEFECTS_KEPT);
        Ok(report)
    }

    /// Closes the account.
    ///
    /// # Errors
    /// [`ExportError::Unbalanced`] when a row was read and went nowhere.
    pub fn balance(self) -> Result<Report, ExportError> {
        let Total { mut rows, met, shown, hidden, again, mut report } = self;
        let kept = rows.enter(&met, &hidden);
        rows.unite(&again);
        let lost = i128::from(kept.less(&shown).total()) + rows.balance().abs();
        if lost != 0 {
            return Err(ExportError::Unbalanced { rows, lost });
        }
        report.rows = rows;
        report.conversations.sort_by(|a, b| a.conversation.id.cmp(&b.conversation.id));
        report.copies.sort();
        report.defects.sort();
        report.defects.truncate(DEFECTS_KEPT);
        Ok(report)
    }
}

/// `None` is no instant, not an early one.
fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Conversation, ConversationKind};

    #[test]
    fn rows_that_were_counted_and_not_found_have_failed() {
        let conversation = Conversation {
            id: "c-1f3a9b2c".into(),
            title: "Ana".into(),
            kind: ConversationKind::Direct,
            chat_guids: Vec::new(),
            participants: Vec::new(),
            services: Vec::new(),
            lost: Vec::new(),
        };
        let entry = RosterEntry { conversation, chats: Vec::new(), former_names: Vec::new(), rows: 5 };
        let mut tally = Tally::default();
        tally.rows.read = 3;
        tally.rows.messages = 3;
        let done = tally.close(&entry);
        assert_eq!((done.rows.read, done.rows.failed, done.rows.balance()), (5, 2, 0));
        let mut total = Total::default();
        total.complete(done, tally);
        let report = total.balance().unwrap();
        assert_eq!((report.rows.read, report.rows.failed), (5, 2));
        assert_eq!(report.defect_count, 1);
        assert!(report.defects[0].what.contains("2 of the 5 rows of c-1f3a9b2c"), "{:?}", report.defects);
    }
}
