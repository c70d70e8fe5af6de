//! A folder that this program exported to JSON Lines, as a [`Source`] again: for a library that is no more.
//!
//! What Messages kept as bytes of its own is not in it. A row says [what it means](super::RawMessage::exported) instead, as
//! schema 1 has it, and its tapbacks are rows again. Votes and later states of an app's message are in the card they made,
//! and nowhere else; which messages were read by their owner, and what was deleted, an export does not say.
//!
//! A line that cannot be read is an unreadable row, and said with its file and number.
//!
//! **Must never**: follow a path out of the folder, hold more of a history than where its lines are, or make up what an
//! export does not say.

mod attachment;
mod card;
mod files;
mod index;
mod line;
mod list;
mod manifest;
mod message;
mod people;
mod session;

use std::path::{Path, PathBuf};

use files::Files;
use index::Index;
use people::People;
use session::Reader;

pub(super) use manifest::Manifest;

use super::contacts::{Contact, ContactsError};
use super::{
    DigestedFile, OpenOptions, RawChat, RawHandle, Scale, Session, Source, SourceDigest, SourceError,
    SourceInfo, SourceKind,
};
use crate::disk::{MANIFEST, hash_file, hexadecimal};

/// The list of conversations, beside their files.
const CONVERSATIONS: &str = "conversations.jsonl";

/// An exported folder, at the moment when its lines were counted.
#[derive(Debug)]
pub struct Exported {
    info: SourceInfo,
    people: People,
    index: Index,
    files: Files,
}

impl Exported {
    /// Reads who is who, and where each line lies.
    ///
    /// # Errors
    /// [`SourceError::Export`] naming the file and the line; [`SourceError::NoLines`] of an export without JSON Lines.
    pub(super) fn open(
        folder: &Path,
        manifest: &Manifest,
        options: &OpenOptions,
    ) -> Result<Exported, SourceError> {
        if options.as_of.is_some() {
            return Err(SourceError::NoPast { path: folder.to_owned() });
        }
        manifest.readable(folder)?;
        let listed = list::read(folder)?;
        let mut people = People::of(&listed);
        let index = Index::of(folder, &listed, &mut people)?;
        let warnings = manifest.warning(folder).into_iter().chain(index.warnings(folder)).collect();
        let root = options.attachments_root.as_deref().unwrap_or(folder);
        let info = SourceInfo {
            kind: SourceKind::Export,
            path: options.shown_as.clone().unwrap_or_else(|| folder.to_owned()),
            schema_version: manifest.schema_version.clone(),
            warnings,
            ..SourceInfo::default()
        };
        Ok(Exported { info, people, index, files: Files::below(root) })
    }

    /// The only file whose hash holds all others', where there is one.
    fn manifest(&self) -> PathBuf {
        self.index.folder.join(MANIFEST)
    }
}

impl Source for Exported {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn contacts(&self) -> Option<Result<Vec<Contact>, ContactsError>> {
        Some(Ok(self.people.contacts.clone()))
    }

    fn handles(&self) -> Result<Vec<RawHandle>, SourceError> {
        Ok(self.people.handles.clone())
    }

    fn chats(&self) -> Result<Vec<RawChat>, SourceError> {
        Ok(self.people.chats.clone())
    }

    /// # Errors
    /// Always [`SourceError::OnlyExported`]: what its rows took up in Messages is not in it.
    fn weigh(&self, _: &mut dyn Scale) -> Result<(), SourceError> {
        Err(SourceError::OnlyExported { path: self.info.path.clone() })
    }

    fn session(&self) -> Result<Box<dyn Session + '_>, SourceError> {
        Ok(Box::new(Reader::new(self)))
    }

    fn digest(&self) -> Option<SourceDigest> {
        let copy = hash_file(&self.manifest()).ok()?;
        let sha256 = hexadecimal(&copy.sha256);
        let files = vec![DigestedFile { name: MANIFEST.to_owned(), bytes: copy.bytes, sha256 }];
        Some(SourceDigest { files, of_copy: false })
    }

    fn unchanged(&self) -> Result<(), SourceError> {
        self.index.unchanged()
    }

    fn undamaged(&self) -> Result<(), SourceError> {
        self.index.unchanged()
    }
}
