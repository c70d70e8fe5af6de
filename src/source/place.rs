use std::path::{Path, PathBuf};

use super::backup::{DeviceFolder, Password};
use super::database::{Opened, opened_still};
use super::exported::{Exported, Manifest};
use super::tables::Tables;
use super::{OpenOptions, Source, SourceError, open_opened, own_folder};

/// What lies at a path, before it is opened: an encrypted backup has to be unlocked first, perhaps at the second try.
#[derive(Debug)]
pub struct Place(What);

#[derive(Debug)]
enum What {
    Backup(Box<DeviceFolder>),
    Export(PathBuf, Box<Manifest>),
    /// A database, or a folder with one.
    Database(PathBuf),
}

impl Place {
    /// Looks at a path, and reads a backup's property lists, or the manifest of an export.
    ///
    /// # Errors
    /// [`SourceError::SeveralBackups`]; [`SourceError::Export`] of a damaged manifest.
    pub fn find(path: &Path) -> Result<Place, SourceError> {
        if let Some(folder) = DeviceFolder::find(path)? {
            return Ok(Place(What::Backup(Box::new(folder))));
        }
        Ok(Place(match Manifest::find(path)? {
            Some(manifest) => What::Export(path.to_owned(), Box::new(manifest)),
            None => What::Database(path.to_owned()),
        }))
    }

    /// The folder that belongs to it as a whole, where nothing of ours is put: Messages' own, a backup, an archive, an export.
    /// `None` for a copy of a library, which is its owner's, as is what lies beside it.
    pub fn own_folder(&self) -> Option<PathBuf> {
        match &self.0 {
            What::Backup(folder) => Some(folder.path().to_owned()),
            What::Export(path, _) => Some(path.clone()),
            What::Database(path) => own_folder::of_database(path),
        }
    }

    /// The backup that has to be unlocked; `None` where nothing has, or no more.
    ///
    /// # Errors
    /// [`SourceError::KeyBag`]: no password would help.
    pub fn locked(&self) -> Result<Option<&Path>, SourceError> {
        match &self.0 {
            What::Backup(folder) => folder.locked(),
            What::Export(..) | What::Database(_) => Ok(None),
        }
    }

    /// Derives the keys of a backup; may take some seconds. Does nothing where nothing is locked.
    ///
    /// # Errors
    /// [`SourceError::WrongPassword`]: another may be tried. [`SourceError::KeyBag`].
    pub fn unlock(&mut self, password: &Password) -> Result<(), SourceError> {
        match &mut self.0 {
            What::Backup(folder) if folder.locked()?.is_some() => folder.unlock(password),
            What::Backup(_) | What::Export(..) | What::Database(_) => Ok(()),
        }
    }

    /// Opens its tables, row by row, without counting what is in them.
    ///
    /// # Errors
    /// As [`Place::open`]; [`SourceError::WithoutGuids`] of a store of iOS 5 or older; [`SourceError::OnlyExported`].
    pub fn tables(&self, options: &OpenOptions) -> Result<Tables, SourceError> {
        match &self.0 {
            What::Backup(folder) => {
                let (opened, backup) = folder.unpacked(options)?;
                Tables::of(opened, Some(backup), options)
            }
            What::Export(path, _) => Err(SourceError::OnlyExported { path: path.clone() }),
            What::Database(path) => {
                opened_still(path, || Tables::of(Opened::new(path, options)?, None, options))
            }
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`SourceError::PasswordNeeded`] where it is locked; else [`SourceError`] saying what the path is instead.
    pub fn open(&self, options: &OpenOptions) -> Result<Box<dyn Source>, SourceError> {
        match &self.0 {
            What::Backup(folder) => folder.open(options),
            What::Export(path, manifest) => Ok(Box::new(Exported::open(path, manifest, options)?)),
            What::Database(path) => opened_still(path, || open_opened(Opened::new(path, options)?, options)),
        }
    }
}
