//! What is written lies outside of what belongs to others: by where folders really are, whichever way they are named.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::{DiskError, archive_folder};

/// Whose a folder is in which nothing else is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Messages', or that of whatever made a backup.
    Source,
    Archive,
    Export,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Whose::Source => "what is read is never written to",
            Whose::Archive => "an archive holds nothing but what its runs put there",
            Whose::Export => "an export holds nothing else",
        })
    }
}

/// Refuses a place for something that is to be written where it is this folder, or lies in it.
///
/// # Errors
/// [`DiskError::Within`].
pub fn check_outside(place: &Path, folder: &Path, whose: Whose) -> Result<(), DiskError> {
    if !real(place).starts_with(real(folder)) {
        return Ok(());
    }
    Err(DiskError::Within { path: place.to_owned(), folder: folder.to_owned(), whose })
}

/// Refuses a place for something that is to be written where it is an archive, or lies in one.
///
/// # Errors
/// [`DiskError::Within`].
pub fn check_outside_archives(place: &Path) -> Result<(), DiskError> {
    match archive_folder::around(&real(place)) {
        Some(folder) => Err(DiskError::Within { path: place.to_owned(), folder, whose: Whose::Archive }),
        None => Ok(()),
    }
}

/// The same for an archive, which may be there.
///
/// # Errors
/// [`DiskError::Within`].
pub fn check_outside_other_archives(archive: &Path) -> Result<(), DiskError> {
    match real(archive).parent().and_then(archive_folder::around) {
        Some(folder) => Err(DiskError::Within { path: archive.to_owned(), folder, whose: Whose::Archive }),
        None => Ok(()),
    }
}

/// Where a path leads: links are followed as far as it is there, and `..` leads from where they lead to.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            part => real.push(part),
        }
        real = real.canonicalize().unwrap_or(real);
    }
    real
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn where_a_path_leads() {
        let place = tempfile::tempdir().unwrap();
        let here = place.path().canonicalize().unwrap();
        fs::create_dir_all(here.join("a/b")).unwrap();
        symlink(here.join("a/b"), here.join("link")).unwrap();
        for (named, leads_to) in [
            ("a/b/new/newer", "a/b/new/newer"),
            ("link/new", "a/b/new"),
            ("link/../new", "a/new"),
            ("gone/../a/./b", "a/b"),
            ("gone/../link/../../x", "x"),
        ] {
            assert_eq!(real(&here.join(named)), here.join(leads_to), "{named}");
        }
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another_one() {
        let place = tempfile::tempdir().unwrap();
        let within =
            |path: &str| check_outside(&place.path().join(path), &place.path().join("a"), Whose::Source);
        assert!(within("ab").is_ok() && within("").is_ok() && within("a/../b").is_ok());
        assert!(within("a").is_err() && within("a/b").is_err() && within("b/../a/b").is_err());
    }
}
