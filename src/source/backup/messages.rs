use std::sync::Arc;

use super::store::Backup;
use crate::source::contacts::{Contact, ContactsError};
use crate::source::{
    Deletions, RawChat, RawHandle, Says, Scale, Session, Source, SourceDigest, SourceError, SourceInfo,
};

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
        self.backup.contacts()
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

    fn says(&self) -> Says {
        self.messages.says()
    }

    fn weigh(&self, scale: &mut dyn Scale) -> Result<(), SourceError> {
        self.messages.weigh(scale)
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
