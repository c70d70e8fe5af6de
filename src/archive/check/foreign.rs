//! Files among the contents that are none: put there by a person or a file manager, or left by a run that was killed.
//!
//! **Must never**: take one for damage, or touch it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::Path;

use rusqlite::Connection;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::Check;
use crate::archive::contents::KeptFile;
use crate::archive::folder::CONTENTS;
use crate::disk::archive_folder::holder;
use crate::disk::is_gone;

impl Check<'_> {
    /// The paths of all of them, sorted. `files`: what is to be there. `None` while a run is adding: what it has brought, and not
    /// noted yet, cannot be told from them.
    pub(super) fn foreign(
        &self,
        connection: &Connection,
        files: &[KeptFile],
    ) -> rusqlite::Result<Option<Vec<String>>> {
        let ours: HashSet<Cow<'_, str>> = files.iter().map(|file| composed(&file.path)).collect();
        let mut foreign = Vec::new();
        let mut folders = vec![(self.folder.path().join(CONTENTS), CONTENTS.to_owned())];
        while let Some((folder, shown)) = folders.pop() {
            if self.progress.interrupted() {
                return Ok(None);
            }
            let entries = match list(&folder) {
                Ok(entries) => entries,
                // That what should be in it is gone has been said.
                Err(error) if is_gone(&error) => continue,
                Err(error) => {
                    self.unread(shown, &error);
                    continue;
                }
            };
            for (name, kind) in entries {
                let path = format!("{shown}/{}", name.to_string_lossy());
                match kind.is_dir() {
                    true => folders.push((folder.join(name), path)),
                    false if ours.contains(&composed(&path)) => {}
                    false => foreign.push(path),
                }
            }
        }
        if holder(self.folder.path()).is_some() {
            return Ok(None);
        }
        // Of a run that has ended meanwhile all is noted.
        let mut noted =
            connection.prepare("SELECT EXISTS (SELECT 1 FROM msgarchive_file WHERE path = ?1)")?;
        let mut left = Vec::new();
        for path in foreign {
            if !noted.query_row([&path], |row| row.get::<_, bool>(0))? {
                left.push(path);
            }
        }
        left.sort();
        Ok(Some(left))
    }
}

fn list(folder: &Path) -> io::Result<Vec<(OsString, FileType)>> {
    let entries = fs::read_dir(folder)?;
    entries
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name(), entry.file_type()?))
        })
        .collect()
}

/// As one name is written: HFS+ says names of files otherwise than they were given.
fn composed(path: &str) -> Cow<'_, str> {
    match is_nfc_quick(path.chars()) {
        IsNormalized::Yes => Cow::Borrowed(path),
        _ => Cow::Owned(path.nfc().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_a_disk_says_it() {
        assert_eq!(composed("Attachments/ab/Zoe\u{308}.png"), "Attachments/ab/Zo\u{eb}.png");
        assert!(matches!(composed("Attachments/ab/Zo\u{eb}.png"), Cow::Borrowed(_)));
    }
}
