//! A place for a run of which nothing is kept: what a run reads of an archive, copied.
//!
//! **Must never**: write to the archive, or hold up who does.

use std::any::Any;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::ArchiveError;
use super::folder::{ABOUT, DATABASE, FOUND_DAMAGED, Folder};
use super::open::look_at;
use crate::disk::archive_folder::{is_archive, is_free};
use crate::disk::{Guard, HiddenFolder, private_file};

/// A private folder, gone when this is dropped.
pub struct Rehearsal {
    place: PathBuf,
    // In the order in which they have to go.
    _folder: HiddenFolder,
    _guard: Option<Box<dyn Any>>,
}

impl Rehearsal {
    /// Of a run that adds to the archive at `path`, or makes it.
    ///
    /// # Errors
    /// [`ArchiveError::Foreign`] where such a run would be refused; what reading the archive said.
    pub fn of(path: &Path, guard: Option<Guard>) -> Result<Rehearsal, ArchiveError> {
        let folder = HiddenFolder::for_a_while()?;
        let guard = guard.map(|guard| guard(folder.path()));
        let place = folder.aside("archive")?;
        let rehearsal = Rehearsal { place, _folder: folder, _guard: guard };
        let place = rehearsal.path();
        if !is_archive(path).map_err(ArchiveError::reading(path))? {
            return match is_free(path).map_err(ArchiveError::reading(path))? {
                true => Ok(rehearsal),
                false => Err(ArchiveError::Foreign { path: path.to_owned() }),
            };
        }
        let archive = Folder::open(path)?;
        // Nobody writes to it as long as this reads.
        let database = archive.database();
        let reading = if database.is_file() { Some(look_at(&archive)?) } else { None };
        for name in [ABOUT, FOUND_DAMAGED, DATABASE] {
            let from = path.join(name);
            if from.is_file() {
                // Not with its mode: it may be one of a folder that is read-only.
                let mut to = private_file(&place.join(name))?;
                let mut from = File::open(&from).map_err(ArchiveError::reading(&from))?;
                io::copy(&mut from, &mut to).map_err(ArchiveError::writing(place))?;
            }
        }
        drop(reading);
        archive.name_again(place)?;
        Ok(rehearsal)
    }

    /// Where the run is to be.
    pub fn path(&self) -> &Path {
        &self.place
    }
}
