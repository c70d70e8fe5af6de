//! What a run that publishes an export has put aside of the one before, each under its path: where neither the run nor
//! the disk let it come back, the next run sees to it.
//!
//! **Must never**: put something where there is something, or through a symbolic link.

use std::fs;
use std::io;
use std::path::Path;

use super::earlier::parents;
use super::publish::kind_of;
use super::{ASIDE, DiskError, PLAN, private_folder, remove_folder};

/// Where it waits in a hidden folder, beside what else is not published.
pub(super) const BEFORE: &str = "before";

/// Moves what the run of this hidden folder put aside back to its place in the export folder, where nothing is in it now.
/// Of a run that is done, or did not begin to publish, nothing is missing.
pub(super) fn put_back(hidden: &Path, out: &Path) -> Result<(), DiskError> {
    let plan = hidden.join(PLAN);
    if !plan.try_exists().map_err(DiskError::reading(&plan))? {
        return Ok(());
    }
    each_file(&hidden.join(ASIDE).join(BEFORE), "", &mut |before, relative| {
        for parent in parents(relative) {
            let folder = out.join(parent);
            match kind_of(&folder)? {
                Some(kind) if kind.is_dir() => {}
                Some(_) => return Ok(()),
                None => private_folder(&folder)?,
            }
        }
        let place = out.join(relative);
        match kind_of(&place)? {
            None => fs::rename(before, &place).map_err(DiskError::writing(place)),
            Some(_) => Ok(()),
        }
    })
}

/// Removes what was put aside or is not published, but for what waits for its place.
pub(super) fn clear(hidden: &Path) -> Result<(), DiskError> {
    let aside = hidden.join(ASIDE);
    let mut waiting = false;
    each_file(&aside.join(BEFORE), "", &mut |_, _| {
        waiting = true;
        Ok(())
    })?;
    if !waiting {
        return remove_folder(&aside).map(drop);
    }
    for entry in fs::read_dir(&aside).map_err(DiskError::reading(&aside))? {
        let entry = entry.map_err(DiskError::reading(&aside))?;
        if entry.file_name() != BEFORE {
            remove_folder(&entry.path())?;
        }
    }
    Ok(())
}

/// Every file below a folder, and its path there with `/`. What is no file is passed over.
fn each_file(
    folder: &Path,
    relative: &str,
    each: &mut dyn FnMut(&Path, &str) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(DiskError::reading(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(DiskError::reading(folder))?;
        let (path, name) = (entry.path(), entry.file_name());
        // We gave it that name; any other is somebody else's.
        let Some(name) = name.to_str() else { continue };
        let relative = if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
        let kind = entry.file_type().map_err(DiskError::reading(&path))?;
        if kind.is_dir() {
            each_file(&path, &relative, each)?;
        } else if kind.is_file() {
            each(&path, &relative)?;
        }
    }
    Ok(())
}
