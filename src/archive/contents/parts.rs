//! The files that a content is made of, and what a bundle of them is known by.

use std::path::Path;
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
