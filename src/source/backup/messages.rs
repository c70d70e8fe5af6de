use std::sync::Arc;

use super::store::{Backup, Blob};
use super::{ADDRESS_BOOK, HOME};
use crate::source::contacts::{self, Contact, ContactsError};
use crate::source::{Deletions, RawChat, RawHandle, Session, Source, SourceDigest, SourceError, SourceInfo};

/// The Messages of a backup.
pub(super) struct BackupSource {
    pub messages: Box<dyn Source>,
    pub backup: Arc<Backup>,
}

impl Source for BackupSource {
    fn info(&self) -> &SourceInfo {
        self.messages.info()
    }

    fn contacts(&self) -> Option<Result<Vec<Contact>, ContactsError>> {
        let book = match self.backup.file(HOME, ADDRESS_BOOK) {
            Ok(book) => book?,
            Err(error) => return Some(Err(error.into())),
        };
        Some(match &book {
            Blob::Plain(path) => contacts::load(path),
            Blob::Lost => {
                let what = "the key of its contacts is missing or damaged";
                Err(SourceError::KeyBag { path: self.backup.folder.clone(), what }.into())
            }
            Blob::Sealed(sealed) => sealed
                .plain()
                .map_err(ContactsError::from)
                .and_then(|mut plain| contacts::of_device(sealed.path(), &mut plain)),
        })
    }

    fn handles(&self) -> Result<Vec<RawHandle>, SourceError> {
        self.messages.handles()
    }

    fn chats(&self) -> Result<Vec<RawChat>, SourceError> {
        self.messages.chats()
    }

    fn deletions(&self) -> Result<Deletions, SourceError> {
        self.messages.deletions()
    }

    fn session(&self) -> Result<Box<dyn Session + '_>, SourceError> {
        self.messages.session()
    }

    fn digest(&self) -> Option<SourceDigest> {
        self.messages.digest()
    }

    fn unchanged(&self) -> Result<(), SourceError> {
        self.messages.unchanged()
    }

    fn undamaged(&self) -> Result<(), SourceError> {
        self.messages.undamaged()
    }
}
