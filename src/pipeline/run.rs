//! One run, from what is asked for to the account at the end: in what order conversations come, and how often they are
//! read.
//!
//! **Must never**: read a row; that is [`super::workers`]'.

use std::collections::{BTreeSet, HashSet};

use super::Progress;
use super::count::{AttachmentCounts, Defect, RowCounts};
use super::roster::{Roster, RosterEntry};
use super::select::Selection;
use super::tally::Total;
use super::workers::Pass;
use super::writer::{AssetSink, Finished, WriteError, Writer};
use crate::disk::{FileRecord, folded};
use crate::model::Conversation;
use crate::source::{ChatId, Source, SourceError};

/// How to run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub selection: Selection,
    /// Worker threads; at least 1. [`crate::source::OpenOptions::sessions`] must not be less.
    pub jobs: usize,
    /// Chats filed as junk: their messages are marked.
    pub junk_chats: HashSet<ChatId>,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub rows: RowCounts,
    /// What was written, by id.
    pub conversations: Vec<Finished>,
    pub attachments: AttachmentCounts,
    /// The files the writers made, by path; attachments are not among them.
    pub files: Vec<FileRecord>,
    /// Attachments beside the export, by path, with their bytes and SHA-256 (empty for a bundle).
    pub copies: Vec<FileRecord>,
    /// Sorted; the first ten thousand.
    pub defects: Vec<Defect>,
    pub defect_count: u64,
    /// Attachments whose bytes should have been copied and could not be read.
    pub unreadable: u64,
    /// Conversations with such, and those of which a writer could not read something, by id: it may be when it is tried
    /// again.
    pub unread: BTreeSet<String>,
    /// What is lost of the conversations that were selected, in the time that was; by id. Also of those of which nothing else
    /// is there, so that they were not written; and of those of which nothing tells in which conversation they were.
    pub lost: Vec<LostMessages>,
    /// Things to tell the user once.
    pub notes: Vec<String>,
}

/// Of a conversation of an archive: how many of its messages nothing has any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostMessages {
    /// The conversation's id; `None` where nothing tells in which conversations they were.
    pub conversation: Option<String>,
    /// Its title. Hostile text.
    pub title: String,
    /// More than 0; where nothing tells in which conversations they were, at least so many.
    pub messages: u64,
}

impl LostMessages {
    /// Of all conversations of which messages are [lost](Conversation::lost), by id; `anywhere`: of how many nothing tells where
    /// they were.
    pub(super) fn of<'c>(
        conversations: impl Iterator<Item = &'c Conversation>,
        anywhere: u64,
    ) -> Vec<LostMessages> {
        let of = |conversation: &Conversation| LostMessages {
            conversation: Some(conversation.id.clone()),
            title: conversation.title.clone(),
            messages: conversation.lost.len() as u64,
        };
        let mut lost: Vec<LostMessages> = conversations.map(of).collect();
        lost.push(LostMessages { conversation: None, title: String::new(), messages: anywhere });
        lost.retain(|of| of.messages > 0);
        lost.sort_by(|a, b| a.conversation.cmp(&b.conversation));
        lost
    }
}

/// Why a run ended early. Nothing of it appears.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    NoMatch(#[from] super::select::NoMatch),
    /// `lost`: what is lost of what was selected.
    #[error("no message matches the selection")]
    NothingSelected { lost: Vec<LostMessages> },
    #[error("interrupted")]
    Interrupted,
    /// Of a run that reads conversations a second time.
    #[error("{title} was not the same when it was read again")]
    Unlike { title: String },
    #[error("the account does not balance: {lost} of {} rows read are not accounted for", rows.read)]
    Unbalanced { rows: RowCounts, lost: i128 },
}

/// What is to be read, and how; once or several times.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub source: &'a dyn Source,
    pub roster: &'a Roster,
    pub options: &'a Options,
    pub progress: &'a dyn Progress,
}

/// What is read a second time.
#[derive(Clone, Copy)]
pub struct Again<'a> {
    /// What reading all that is selected gave.
    pub known: &'a Report,
    /// By id.
    pub wanted: &'a dyn Fn(&str) -> bool,
}

impl Job<'_> {
    /// Reads the selected conversations, normalizes their messages and hands them to the writers; with no writers it
    /// only counts.
    ///
    /// # Errors
    /// [`ExportError`]; then the writers' files are gone again.
    pub fn run(
        &self,
        writers: &[Box<dyn Writer>],
        assets: Option<&dyn AssetSink>,
    ) -> Result<Report, ExportError> {
        let chosen = self.options.selection.conversations(self.roster)?;
        let rows: u64 = self.entries(&chosen).map(|entry| entry.rows).sum();
        let looking_ahead: Vec<&dyn Writer> =
            writers.iter().map(AsRef::as_ref).filter(|writer| writer.looks_ahead()).collect();
        if looking_ahead.is_empty() {
            self.progress.begin(rows);
            return self.read(&chosen, None, writers, assets);
        }
        self.progress.begin(rows.saturating_mul(2));
        let mut coming = self.read(&chosen, None, &[], None)?.conversations;
        coming.sort_by_cached_key(|finished| by_title(&finished.conversation));
        for writer in looking_ahead {
            writer.expect(&coming)?;
        }
        self.read(&chosen, None, writers, assets)
    }

    /// Reads some conversations once more, for these writers. The account stays the one that was closed, and writers
    /// that speak of all conversations hear of all. The files of the report are those that were written now.
    ///
    /// # Errors
    /// As [`Job::run`], and [`ExportError::Unlike`].
    pub fn run_again(
        &self,
        again: Again<'_>,
        writers: &[Box<dyn Writer>],
        assets: Option<&dyn AssetSink>,
    ) -> Result<Report, ExportError> {
        let chosen = self.options.selection.conversations(self.roster)?;
        let entries = self.entries(&chosen).filter(|entry| (again.wanted)(&entry.conversation.id));
        self.progress.begin(entries.map(|entry| entry.rows).sum());
        self.read(&chosen, Some(again), writers, assets)
    }

    fn entries<'c>(&'c self, chosen: &'c [usize]) -> impl Iterator<Item = &'c RosterEntry> {
        chosen.iter().filter_map(|i| self.roster.conversations.get(*i))
    }

    /// Reads everything chosen once, or of that what is read `again`.
    fn read(
        &self,
        chosen: &[usize],
        again: Option<Again<'_>>,
        writers: &[Box<dyn Writer>],
        assets: Option<&dyn AssetSink>,
    ) -> Result<Report, ExportError> {
        let Job { source, roster, options, progress } = *self;

        let mut selected = vec![false; roster.conversations.len()];
        for &i in chosen {
            if let Some(flag) = selected.get_mut(i) {
                *flag = true;
            }
        }
        let mut total = Total::default();
        for (entry, _) in roster.conversations.iter().zip(&selected).filter(|(_, selected)| !**selected) {
            total.rows.read += entry.rows;
            total.rows.filtered += entry.rows;
        }
        // Longest first, so that no worker is left with a long one at the end.
        let mut order: Vec<&RosterEntry> = self.entries(chosen).collect();
        if let Some(Again { wanted, .. }) = again {
            order.retain(|entry| wanted(&entry.conversation.id));
        }
        order.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.conversation.id.cmp(&b.conversation.id)));
        let one_by_one = writers.iter().any(|writer| writer.one_by_one());
        if one_by_one {
            // A long one at the end keeps all workers busy, too: they share its windows.
            order.sort_by_cached_key(|entry| by_title(&entry.conversation));
        }
        let pass = Pass {
            source,
            roster,
            writers,
            assets,
            options,
            progress,
            selected,
            order,
            one_by_one,
            again: again.map(|again| again.known),
        };
        pass.run(total)
    }
}

/// The order in which conversations come that are written one by one.
fn by_title(conversation: &Conversation) -> (String, String) {
    (folded(&conversation.title), conversation.id.clone())
}
