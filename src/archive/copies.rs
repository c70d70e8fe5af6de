//! Damaged contents, taken in again from copies of them: an export that is kept up has one of every attachment, and its
//! manifest the hash of each.
//!
//! **Must never**: take in bytes that are not those which were lost, or fail a run for a copy that is none.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use super::ArchiveError;
use super::contents::UNFINISHED;
use super::folder::{CONTENTS, Folder};
use super::own_file;
use super::whereabouts::whole;
use crate::disk::{MANIFEST, copy_hashed, hash_file, hexadecimal, is_inside, private_folders, sync_folder};

/// Takes these contents in again that are not whole, as far as `export` has them; says which were, in words. `contents`: paths
/// relative to the archive's folder.
///
/// # Errors
/// Where the archive cannot be read or written. A copy that cannot be read, or is another, is none.
pub fn take_again<'p>(
    folder: &Folder,
    connection: &Connection,
    contents: impl Iterator<Item = &'p str>,
    export: &Path,
) -> Result<Vec<String>, ArchiveError> {
    let failed = || ArchiveError::database(folder.database());
    let mut wanted: Vec<(&str, String)> = Vec::new();
    let mut hash =
        connection.prepare("SELECT sha256 FROM msgarchive_file WHERE path = ?1").map_err(failed())?;
    for path in contents.filter(|path| is_inside(path) && path.starts_with(CONTENTS)) {
        let hash: Option<String> = hash.query_row([path], |row| row.get(0)).optional().map_err(failed())?;
        // Somebody may have put it back.
        let is_whole = |hash: &String| {
            hash_file(&folder.path().join(path)).is_ok_and(|there| hexadecimal(&there.sha256) == *hash)
        };
        wanted.extend(hash.filter(|hash| !is_whole(hash)).map(|hash| (path, hash)));
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    // So that it means the same tomorrow.
    let copies = copies(&whole(export), &wanted.iter().map(|(_, hash)| hash.as_str()).collect());
    let mut taken = Vec::new();
    for (path, hash) in wanted {
        for copy in copies.get(&hash).into_iter().flatten() {
            if take(folder.path(), path, &hash, copy)? {
                taken.push(format!(
                    "the file of an attachment ({path}) is taken again from {}",
                    copy.display()
                ));
                break;
            }
        }
    }
    Ok(taken)
}

/// Where an export should have files with these hashes.
fn copies(export: &Path, wanted: &HashSet<&str>) -> HashMap<String, Vec<PathBuf>> {
    let mut copies: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let manifest = fs::read(export.join(MANIFEST)).ok();
    let manifest: Value = serde_json::from_slice(&manifest.unwrap_or_default()).unwrap_or_default();
    for file in manifest.get("files").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| file.get(key).and_then(Value::as_str);
        if let (Some(path), Some(sha256)) = (text("path"), text("sha256"))
            && wanted.contains(sha256)
            && is_inside(path)
        {
            copies.entry(sha256.to_owned()).or_default().push(export.join(path));
        }
    }
    copies
}

/// Whether the copy is what was lost: then it is in its place.
fn take(archive: &Path, path: &str, hash: &str, copy: &Path) -> Result<bool, ArchiveError> {
    let waiting = archive.join(CONTENTS).join(format!("{UNFINISHED}copy"));
    let _ = fs::remove_file(&waiting);
    let is_it = copy_hashed(copy, &waiting).is_ok_and(|copied| hexadecimal(&copied.sha256) == hash);
    if !is_it {
        let _ = fs::remove_file(&waiting);
        return Ok(false);
    }
    File::open(&waiting).and_then(|file| file.sync_all()).map_err(ArchiveError::writing(&waiting))?;
    let to = archive.join(path);
    let within = to.parent().unwrap_or(archive);
    private_folders(within)?;
    // No link leads out of the archive.
    let below = Path::new(path).ancestors().skip(1).filter(|below| below.components().count() > 1);
    for below in below {
        let below = archive.join(below);
        if !own_file::is_folder(&below).map_err(ArchiveError::reading(&below))? {
            let _ = fs::remove_file(&waiting);
            return Ok(false);
        }
    }
    own_file::make_way(archive, &to)?;
    fs::rename(&waiting, &to).map_err(ArchiveError::writing(&to))?;
    sync_folder(&to)?;
    Ok(true)
}
