use std::path::{Path, PathBuf};

use msgarchive::source::Place;
use msgarchive::source::contacts::{self, Contact, ContactsError};

use super::progress::When;
use super::{Failure, account, password, report};

/// What belongs to a source: the password of a backup, the names of its people.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source")]
pub struct AccessOptions {
    /// An AddressBook folder, .abcddb, .sqlitedb or .vcf, or none [default: found beside the
    /// source, else this user's]
    #[arg(long, value_name = "PATH|none")]
    contacts: Option<PathBuf>,
    /// A file whose first line is the password of an encrypted backup; of several sources, once for all or
    /// once for each, in their order [default: MSGARCHIVE_PASSWORD, else you are asked]
    #[arg(long, value_name = "PATH")]
    password_file: Vec<PathBuf>,
}

impl AccessOptions {
    /// What lies at a path, unlocked where it has to be; `number`: which of several sources it is, from 0 on.
    pub fn place(&self, path: &Path, number: usize, progress: When) -> Result<Place, Failure> {
        let mut place = Place::find(path)?;
        password::unlock(&mut place, self.password_file(number), progress)?;
        Ok(place)
    }

    fn password_file(&self, number: usize) -> Option<&Path> {
        match self.password_file.as_slice() {
            [for_all] => Some(for_all),
            for_each => for_each.get(number).map(PathBuf::as_path),
        }
    }

    /// The cards for the people of a source: `own`, those that it holds itself, unless others were named. `database`: where
    /// it lies.
    ///
    /// An address book that was named has to be readable; one that was found is worth a warning at most.
    pub fn contacts(
        &self,
        own: Option<Result<Vec<Contact>, ContactsError>>,
        database: &Path,
    ) -> Result<Vec<Contact>, Failure> {
        match (&self.contacts, own) {
            (Some(none), _) if none.as_os_str() == "none" => Ok(Vec::new()),
            (Some(path), _) => Ok(contacts::load(path)?),
            (None, Some(own)) => Ok(own.unwrap_or_else(|error| {
                report::warning(&error);
                Vec::new()
            })),
            (None, None) => {
                let beside = contacts::beside(database, account::home().ok().as_deref());
                let (contacts, errors) = beside.map(|path| contacts::load_all(&path)).unwrap_or_default();
                errors.iter().for_each(|error| report::warning(error));
                Ok(contacts)
            }
        }
    }
}
