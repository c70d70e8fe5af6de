use std::io;
use std::sync::Arc;

use super::store::{Backup, Blob};
use super::{ADDRESS_BOOK, HOME};
use crate::source::contacts::{self, Contact, ContactsError};
use crate::source::database::Log;
use crate::source::{
    Deletions, RawChat, RawHandle, Says, Scale, Session, Source, SourceDigest, SourceError, SourceInfo,
};

/// The address book of a device, with what its log has.
fn of_device(book: &Blob, log: Option<&Blob>) -> Result<Vec<Contact>, ContactsError> {
    let Some(path) = book.path() else { return Ok(Vec::new()) };
    let mut plain = book.open().map_err(SourceError::io(path))?;
    let open = || log.map_or(Err(io::ErrorKind::NotFound.into()), Blob::open);
    let log = log.and_then(Blob::path).map(|path| Log { path, open: &open });
    contacts::of_device(path, &mut plain, log)
}

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
        let (book, log) = match (self.backup.file(HOME, ADDRESS_BOOK), self.backup.log(ADDRESS_BOOK)) {
            (Ok(book), Ok(log)) => (book?, log),
            (Err(error), _) | (_, Err(error)) => return Some(Err(error.into())),
        };
        Some(match (&book, &log) {
            (Blob::Plain(path), None | Some(Blob::Lost)) => contacts::load(path),
            (Blob::Lost, _) => {
                let what = "the key of its contacts is missing or damaged";
                Err(SourceError::KeyBag { path: self.backup.folder.clone(), what }.into())
            }
            (book, log) => of_device(book, log.as_ref()),
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
