//! Which rows of several sources are the same: they are read as the one history that an export shows, and what it shows
//! once counts once.
//!
//! **Must never**: have an idea of its own of what is the same.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::StorageError;
use crate::pipeline::Progress;
use crate::pipeline::crew::{self, Claims, lock};
use crate::pipeline::roster::{Roster, RosterEntry};
use crate::source::{RawMessage, Source, Timeline};

/// Rows in a window.
const WINDOW: usize = 512;

/// Which of several sources, and the row id there.
pub(super) type RowOf = (u16, i64);

/// Rows that an earlier source has as well.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    messages: HashSet<RowOf>,
    /// Attachments, and the row of the first source that has them.
    attachments: HashMap<RowOf, RowOf>,
}

impl Repeated {
    /// Reads all of several sources; nothing of one alone.
    pub fn read(
        source: &dyn Source,
        roster: &Roster,
        jobs: usize,
        progress: &dyn Progress,
    ) -> Result<Repeated, StorageError> {
        if source.info().with.is_empty() {
            return Ok(Repeated::default());
        }
        progress.begin(roster.conversations.iter().map(|entry| entry.rows).sum());
        progress.phase("Reading together");
        let claims: Claims<&RosterEntry, Timeline> = Claims::of(roster.conversations.iter().collect());
        let all = Mutex::new(Repeated::default());
        crew::work(jobs, &claims.stop, || -> Result<(), StorageError> {
            let mut session = source.session()?;
            loop {
                if progress.interrupted() {
                    return Err(StorageError::Interrupted);
                }
                let claimed = claims.next(|entry| -> Result<_, StorageError> {
                    let timeline = session.timeline(&entry.chats, WINDOW)?;
                    let windows = timeline.len();
                    Ok((timeline, windows))
                })?;
                let Some((timeline, window)) = claimed else { return Ok(()) };
                let rows = session.page(&timeline, window)?;
                progress.advance(rows.len() as u64);
                let mut all = lock(&all);
                rows.iter().for_each(|row| all.take_in(row));
            }
        })?;
        Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_in(&mut self, row: &RawMessage) {
        for again in std::iter::once(row).filter(|row| row.repeats).chain(&row.again) {
            self.messages.extend(again.sources.first().map(|source| (*source, again.rowid)));
        }
        let hanging = row.associated.iter().flat_map(|row| &row.attachments);
        for attachment in row.attachments.iter().chain(hanging) {
            let Some(first) = attachment.rows.iter().min() else { continue };
            let others = attachment.rows.iter().filter(|row| *row != first);
            self.attachments.extend(others.map(|row| (*row, *first)));
        }
    }

    /// Whether an earlier source gives this message.
    pub fn has(&self, message: RowOf) -> bool {
        self.messages.contains(&message)
    }

    /// The attachment of an earlier source that this one is.
    pub fn first(&self, attachment: RowOf) -> Option<RowOf> {
        self.attachments.get(&attachment).copied()
    }
}
