//! The name of a content of an archive: what it is known by, and how it is read off a path.
//!
//! **Must never**: take bytes for what a name says without their hash.

use super::archive_folder::CONTENTS;
use super::hexadecimal;

/// `ab12….heic`: the hash of the bytes, and the extension that the attachment's file had. Of a Live Photo, `ab12…-cd34….heic`
/// and `ab12…-cd34….mov`: the hash of the picture, and the beginning of that of its film. Of a bundle, the hash of the list of
/// what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentName<'n> {
    /// In hexadecimal.
    pub hash: &'n str,
    /// The beginning of the film's hash, as [`short_hash`] makes it.
    pub film: Option<&'n str>,
    /// With its dot; may be empty.
    pub extension: &'n str,
}

impl<'n> ContentName<'n> {
    /// Of a content that has this path in an archive.
    pub fn of(path: &'n str) -> ContentName<'n> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.split_at(name.find('.').unwrap_or(name.len()));
        match stem.split_once('-') {
            Some((hash, film)) => ContentName { hash, film: Some(film), extension },
            None => ContentName { hash: stem, film: None, extension },
        }
    }

    /// The folder that it lies in, in an archive.
    pub fn folder(&self) -> String {
        format!("{CONTENTS}/{}", self.hash.get(..2).unwrap_or_default())
    }

    /// Where it lies in an archive.
    pub fn path(&self) -> String {
        let film = self.film.map(|film| format!("-{film}")).unwrap_or_default();
        format!("{}/{}{film}{}", self.folder(), self.hash, self.extension)
    }
}

/// What the name of a picture has of the hash of its film.
pub fn short_hash(film: &[u8; 32]) -> String {
    hexadecimal(&film[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_off_its_path() {
        for (path, hash, film, extension) in [
            ("Attachments/ab/ab12.heic", "ab12", None, ".heic"),
            ("Attachments/ab/ab12-cd34.mov", "ab12", Some("cd34"), ".mov"),
            ("Attachments/ab/ab12", "ab12", None, ""),
        ] {
            let name = ContentName::of(path);
            assert_eq!(name, ContentName { hash, film, extension });
            assert_eq!(name.path(), path);
        }
    }

    #[test]
    fn a_path_that_is_none_names_nothing() {
        for (path, hash) in [("", ""), ("/", ""), ("-", ""), (".", ""), ("é", "é"), ("a/b/", "")] {
            assert_eq!(ContentName::of(path).hash, hash, "{path}");
            ContentName::of(path).path();
        }
    }
}
