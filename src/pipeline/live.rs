//! Live Photos that are one attachment: a `.pvt` bundle with a picture, its film and a description of both.
//!
//! **Must never**: take such a bundle apart. It is copied whole; this only says where in it the halves lie.

use std::fs;
use std::path::{Path, PathBuf};

/// Entries of a bundle that are looked at. Real ones have three.
const MOST_ENTRIES: usize = 100;

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
    let of = |extensions: &[&str]| {
        let is = |path: &&PathBuf| {
            let own = path.extension().unwrap_or_default();
            extensions.iter().any(|extension| own.eq_ignore_ascii_case(extension))
        };
        files.iter().find(is).cloned()
    };
    (of(&["heic", "heif", "jpg", "jpeg"]), of(&["mov", "mp4"]))
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
