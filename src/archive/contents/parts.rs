//! The files that a content is made of, and what a bundle of them is known by.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use sha2::{Digest, Sha256};

use crate::archive::ArchiveError;
use crate::disk::{DiskError, hash_all, hexadecimal};
use crate::source::Content;

/// The files of a content by their paths in it, sorted; one without a path for what is no bundle. Links are none.
pub fn parts(content: &Content) -> Result<Vec<(String, Content)>, ArchiveError> {
    let mut parts = Vec::new();
    match content {
        Content::Bundle(bundle) => {
            let files = bundle.files().map_err(DiskError::reading(&bundle.path))?;
            parts.extend(files.into_iter().map(|file| (file.path, file.content)));
        }
        Content::Folder { path } => {
            list(path, "", &mut parts).map_err(DiskError::reading(path))?;
        }
        content => parts.push((String::new(), content.clone())),
    }
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(parts)
}

fn list(folder: &Path, below: &str, parts: &mut Vec<(String, Content)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name =
            name.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a name is no text"))?;
        let inside = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(&entry.path(), &inside, parts)?;
        } else if kind.is_file() {
            let bytes = entry.metadata()?.len();
            parts.push((inside, Content::File { path: entry.path(), bytes }));
        }
    }
    Ok(())
}

/// What can be told of a bundle without reading its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Of all its files.
    pub bytes: u64,
    /// When one of them, or of the folders that they lie in, was written to last; `None` where nothing says so.
    pub written: Option<SystemTime>,
}

/// Looks at all that a bundle is made of: its own folder says nothing of what is further down.
///
/// # Errors
/// It cannot be listed.
pub fn look_at(bundle: &Content) -> Result<Look, ArchiveError> {
    let parts = parts(bundle)?;
    let mut places: BTreeSet<PathBuf> = parts.iter().map(|(_, part)| part.path().to_owned()).collect();
    if let Content::Folder { path } = bundle {
        let folders = parts.iter().flat_map(|(inside, _)| Path::new(inside).ancestors().skip(1));
        places.extend(folders.map(|folder| path.join(folder)));
    }
    Ok(Look {
        bytes: parts.iter().filter_map(|(_, part)| part.bytes()).fold(0, u64::saturating_add),
        written: places.iter().filter_map(|place| written(place)).max(),
    })
}

/// When a file or a folder was written to last.
pub fn written(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// The hash of the bytes of one that is no bundle.
pub fn hash_of(content: &Content) -> Result<[u8; 32], ArchiveError> {
    let reading = || DiskError::reading(content.path());
    let mut bytes = content.open().map_err(reading())?;
    Ok(hash_all(&mut bytes).map_err(reading())?.sha256)
}

/// A bundle is known by the hash of the list of its parts.
pub fn list_part(list: &mut Sha256, sha256: &[u8; 32], inside: &str) {
    list.update(format!("{} {inside}\n", hexadecimal(sha256)));
}

/// What this bundle is known by.
pub fn list_of(bundle: &Content) -> Result<String, ArchiveError> {
    let mut list = Sha256::new();
    for (inside, content) in parts(bundle)? {
        list_part(&mut list, &hash_of(&content)?, &inside);
    }
    Ok(hexadecimal(&list.finalize()))
}
