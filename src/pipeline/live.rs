//! Live Photos that are one attachment: a `.pvt` bundle with a picture, its film and a description of both.
//!
//! **Must never**: take such a bundle apart. It is copied whole; this only says where in it the halves lie.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::{Content, StoredBundle};

/// Entries of a bundle that are looked at. Real ones have three.
const MOST_ENTRIES: usize = 100;
const PICTURES: &[&str] = &["heic", "heif", "jpg", "jpeg"];
const FILMS: &[&str] = &["mov", "mp4"];

/// Is this folder such a bundle?
pub fn is_bundle(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pvt"))
}

/// The picture and the film in it, each where there is one: files, no links.
pub fn halves(bundle: &Path) -> (Option<PathBuf>, Option<PathBuf>) {
    let entries = fs::read_dir(bundle).into_iter().flatten().flatten().take(MOST_ENTRIES);
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|e| e.path())
        .collect();
    files.sort();
    let of = |extensions: &[&str]| files.iter().find(|path| has(path, extensions)).cloned();
    (of(PICTURES), of(FILMS))
}

/// The picture in such a bundle of a source, as itself.
pub fn picture(bundle: &Content) -> Option<Content> {
    match bundle {
        Content::Folder { path } => {
            let path = halves(path).0?;
            let bytes = fs::metadata(&path).ok()?.len();
            Some(Content::File { path, bytes })
        }
        Content::Bundle(stored) => picture_of(stored),
        Content::File { .. } | Content::Value(_) | Content::Sealed(_) | Content::OutOfReach(_) => None,
    }
}

fn picture_of(bundle: &StoredBundle) -> Option<Content> {
    let files = bundle.files().ok()?.into_iter().take(MOST_ENTRIES);
    let mut pictures: Vec<_> =
        files.filter(|file| !file.path.contains('/') && has(Path::new(&file.path), PICTURES)).collect();
    pictures.sort_by(|a, b| a.path.cmp(&b.path));
    pictures.into_iter().next().map(|file| file.content)
}

fn has(path: &Path, extensions: &[&str]) -> bool {
    let own = path.extension().unwrap_or(OsStr::new(""));
    extensions.iter().any(|extension| own.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_has_a_picture_and_a_film() {
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("IMG_1.pvt");
        fs::create_dir(&bundle).unwrap();
        assert!(is_bundle(&bundle) && !is_bundle(folder.path()));
        assert_eq!(halves(&bundle), (None, None));
        for name in ["IMG_1.HEIC", "IMG_1.MOV", "metadata.plist"] {
            fs::write(bundle.join(name), b"x").unwrap();
        }
        assert_eq!(halves(&bundle), (Some(bundle.join("IMG_1.HEIC")), Some(bundle.join("IMG_1.MOV"))));
        assert_eq!(halves(&folder.path().join("none")), (None, None));
    }
}
