//! Attachments that an export goes on keeping: their source should have the bytes and has them no more, so that these may be
//! the last.
//!
//! **Must never**: let the last copy of an attachment go, or be written over.

use std::collections::HashSet;

use super::plan::Earlier;
use crate::disk::{DiskError, FileRecord, Staging, copy_hashed, folded, hexadecimal, portable_name};
use crate::writers::assets::FOLDER;

/// Whether the source should have the bytes with this SHA-256 and cannot give them now.
pub type IsWanting<'a> = &'a dyn Fn(&str) -> bool;

/// The files of an earlier run that stay, though no message of this one names them. `files`: of this run. `stale`: what would
/// go; it loses those that stay where they are. What would be written over is put beside that, into the staging.
///
/// # Errors
/// [`DiskError`] where what would be written over cannot be kept.
pub fn spared(
    earlier: &Earlier,
    files: &[FileRecord],
    stale: &mut Vec<String>,
    staging: &Staging,
    is_wanting: IsWanting<'_>,
) -> Result<Vec<FileRecord>, DiskError> {
    let here: HashSet<&str> = files.iter().map(|file| &*file.sha256).collect();
    let mut taken: HashSet<String> = files.iter().map(|file| folded(&file.path)).collect();
    let goes: HashSet<String> = stale.iter().cloned().collect();
    let mut spared: Vec<FileRecord> = Vec::new();
    let (mut asked, mut stays): (HashSet<&str>, HashSet<&str>) = Default::default();
    let is_gone = |file: &&FileRecord| is_attachment(file) && !here.contains(&*file.sha256);
    for file in earlier.files().iter().filter(is_gone) {
        let stays_where_it_is = goes.contains(&file.path);
        let is_there = stays_where_it_is
            || taken.contains(&folded(&file.path)) && staging.published(&file.path).is_file();
        if !is_there || !asked.insert(&file.sha256) || !is_wanting(&file.sha256) {
            continue;
        }
        if stays_where_it_is {
            stays.insert(&file.path);
            taken.insert(folded(&file.path));
            spared.push(file.clone());
            continue;
        }
        // Another one has its name now.
        let path = free(&file.path, &taken);
        let to = staging.path(&path)?;
        let copy = copy_hashed(&staging.published(&file.path), &to)?;
        taken.insert(folded(&path));
        spared.push(FileRecord { path, bytes: copy.bytes, sha256: hexadecimal(&copy.sha256) });
    }
    stale.retain(|path| !stays.contains(path.as_str()));
    Ok(spared)
}

/// What a bundle consists of has a hash, too.
fn is_attachment(file: &FileRecord) -> bool {
    !file.sha256.is_empty() && file.path.split_once('/').is_some_and(|(folder, _)| folder == FOLDER)
}

/// The first of `name (2).jpg`, `name (3).jpg`, … that is free.
fn free(path: &str, taken: &HashSet<String>) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let mut number: u64 = 2;
    loop {
        let path = format!("{folder}/{}", portable_name(stem, &format!(" ({number}){extension}")));
        if !taken.contains(&folded(&path)) {
            return path;
        }
        number += 1;
    }
}
