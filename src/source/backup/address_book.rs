use std::io;

use super::store::{Backup, Blob};
use super::{ADDRESS_BOOK, HOME};
use crate::source::SourceError;
use crate::source::contacts::{self, Contact, ContactsError};
use crate::source::database::Log;

impl Backup {
    /// The cards of the device's address book; `None` where the backup has none.
    pub fn contacts(&self) -> Option<Result<Vec<Contact>, ContactsError>> {
        let (book, log) = match (self.file(HOME, ADDRESS_BOOK), self.log(ADDRESS_BOOK)) {
            (Ok(book), Ok(log)) => (book?, log),
            (Err(error), _) | (_, Err(error)) => return Some(Err(error.into())),
        };
        Some(match (&book, &log) {
            (Blob::Plain(path), None | Some(Blob::Lost)) => contacts::load(path),
            (Blob::Lost, _) => {
                let what = "the key of its contacts is missing or damaged";
                Err(SourceError::KeyBag { path: self.folder.clone(), what }.into())
            }
            (book, log) => of_device(book, log.as_ref()),
        })
    }
}

/// The address book of a device, with what its log has.
fn of_device(book: &Blob, log: Option<&Blob>) -> Result<Vec<Contact>, ContactsError> {
    let Some(path) = book.path() else { return Ok(Vec::new()) };
    let mut plain = book.open().map_err(SourceError::io(path))?;
    let open = || log.map_or(Err(io::ErrorKind::NotFound.into()), Blob::open);
    let log = log.and_then(Blob::path).map(|path| Log { path, open: &open });
    contacts::of_device(path, &mut plain, log)
}
