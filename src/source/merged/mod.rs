//! Several sources read as one history, each message once: a Mac and its iPhone, a library and an old backup of it.
//!
//! Rows are the same by their GUID, else by their content, as an [`Identity`] says. The first source that has a row gives
//! it; the others add what it lacks. Rows that were united with another one still come, marked
//! [`repeats`](RawMessage::repeats), so that every row of every source is accounted for.
//!
//! **Must never**: hold a history, decide who is who, or lose what only one source has.

mod plan;
mod session;
mod unite;
mod weighing;

pub(super) use plan::Plan;
use session::MergedSession;

use super::{
    RawChat, RawHandle, RawMessage, Says, Scale, Session, Several, Source, SourceDigest, SourceError,
    SourceInfo,
};

/// What has to be understood of rows to unite them.
pub trait Identity: Sync {
    /// The same for the same GUID, however it is spelled.
    fn guid(&self, guid: &str) -> u128;
    /// The same for rows of one conversation that are one message by what they say.
    fn content(&self, row: &RawMessage) -> u128;
    /// It belongs to another row: a tapback, a vote, an update.
    fn hangs(&self, row: &RawMessage) -> bool;
    /// How many versions its sender made of its parts.
    fn edits(&self, row: &RawMessage) -> usize;
    /// How many of its parts its sender took back.
    fn unsent(&self, row: &RawMessage) -> usize;
    /// Its sender took all of it back: nothing of it is left.
    fn is_all_unsent(&self, row: &RawMessage) -> bool;
}

/// Several sources, seen as one.
pub struct Merged {
    sources: Vec<Box<dyn Source>>,
    several: Several,
    chats: Vec<RawChat>,
    identity: Box<dyn Identity>,
    info: SourceInfo,
}

impl Merged {
    /// `several`: of these sources. Where they contradict each other, an earlier one is believed.
    pub fn new(sources: Vec<Box<dyn Source>>, several: Several, identity: Box<dyn Identity>) -> Merged {
        let mut chats: Vec<RawChat> = several.chats.iter().filter(|chat| !chat.orphans).cloned().collect();
        let orphans = several.chats.iter().filter(|chat| chat.orphans).cloned();
        chats.extend(orphans.reduce(|mut all, more| {
            all.rows += more.rows;
            all.senders.extend(more.senders);
            all.services.extend(more.services);
            all.services.sort_unstable();
            all.services.dedup();
            all.last = all.last.max(more.last);
            all
        }));
        let mut infos = sources.iter().map(|source| source.info().clone());
        let first = infos.next().unwrap_or_default();
        let info = SourceInfo { with: infos.collect(), ..first };
        Merged { sources, several, chats, identity, info }
    }
}

impl Source for Merged {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn handles(&self) -> Result<Vec<RawHandle>, SourceError> {
        Ok(self.several.handles.clone())
    }

    fn chats(&self) -> Result<Vec<RawChat>, SourceError> {
        Ok(self.chats.clone())
    }

    fn says(&self) -> Says {
        let says = self.sources.iter().map(|source| source.says());
        // What one of them cannot say is not known of all.
        let everything = Says { sync: true, recently_deleted: true, replies: true, effects: true };
        says.fold(everything, |all, one| Says {
            sync: all.sync && one.sync,
            recently_deleted: all.recently_deleted && one.recently_deleted,
            replies: all.replies && one.replies,
            effects: all.effects && one.effects,
        })
    }

    fn weigh(&self, scale: &mut dyn Scale) -> Result<(), SourceError> {
        self.weigh_all(scale)
    }

    fn session(&self) -> Result<Box<dyn Session + '_>, SourceError> {
        let sessions = self.sources.iter().map(|source| source.session());
        Ok(Box::new(MergedSession { merged: self, sessions: sessions.collect::<Result<_, _>>()? }))
    }

    fn digest(&self) -> Option<SourceDigest> {
        let mut all = SourceDigest { files: Vec::new(), of_copy: false };
        for source in &self.sources {
            let digest = source.digest()?;
            all.files.extend(digest.files);
            all.of_copy |= digest.of_copy;
        }
        Some(all)
    }

    fn unchanged(&self) -> Result<(), SourceError> {
        self.sources.iter().try_for_each(|source| source.unchanged())
    }

    fn undamaged(&self) -> Result<(), SourceError> {
        self.sources.iter().try_for_each(|source| source.undamaged())
    }
}
