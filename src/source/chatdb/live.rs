//! Live Photos: a picture has a row, its film has none. It lies beside the picture, with its name and another extension.

use std::fs;
use std::path::Path;

use crate::disk::{is_gone, twice};
use crate::source::locate::Locator;
use crate::source::{Content, OutOfReach, RawAttachment};

/// Extensions of pictures that may have a film.
const PICTURES: [&str; 4] = ["heic", "heif", "jpg", "jpeg"];

/// The film of the picture that has this path in the database, whether or not the picture's own bytes were found.
pub(in crate::source) fn film(
    filename: &str,
    picture: Option<&Content>,
    locator: &mut Locator,
) -> Option<Content> {
    match picture {
        Some(Content::File { path, .. }) if is_picture(path) => film_beside(path),
        // Where files do not lie under their names, the film is asked for by its own.
        _ => film_of(filename).and_then(|film| Some(locator.find(&film)?.content)),
    }
}

/// May this file be the picture of a Live Photo? By its extension.
fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|own| PICTURES.iter().any(|known| own.eq_ignore_ascii_case(known)))
}

/// The film beside a picture that was found: a file, no link. Its extension is `MOV` as cameras write it, or `mov`; a
/// folder is not listed for any other spelling, since most pictures have no film.
fn film_beside(picture: &Path) -> Option<Content> {
    ["MOV", "mov"].into_iter().find_map(|extension| {
        let path = picture.with_extension(extension);
        let look = || match fs::symlink_metadata(&path) {
            // Most have none: that is asked for once.
            Err(error) if is_gone(&error) => Ok(None),
            about => about.map(Some),
        };
        match twice(look) {
            Ok(about) => {
                let about = about.filter(fs::Metadata::is_file)?;
                Some(Content::File { path, bytes: about.len() })
            }
            Err(error) => OutOfReach::because(&path, &error).map(Content::OutOfReach),
        }
    })
}

/// What was found beside a picture may be a film: a folder is none, nor is a file with nothing in it.
pub(in crate::source) fn may_be_film(found: &Content) -> bool {
    !found.is_bundle() && found.bytes() != Some(0)
}

/// Where the film of a picture at this path would lie, should the picture itself be gone; `None` for what is no picture
/// that may have one. Whoever looks must not mind the letters' case.
fn film_of(filename: &str) -> Option<String> {
    let (stem, _) = filename.rsplit_once('.')?;
    let named = !stem.is_empty() && !stem.ends_with('/');
    (named && is_picture(Path::new(filename))).then(|| format!("{stem}.MOV"))
}

/// A film that is an attachment of its own is nobody's companion. Nor is a folder.
pub(super) fn without_own_rows(attachments: &mut [RawAttachment]) {
    for i in 0..attachments.len() {
        let Some(companion) = attachments.get(i).and_then(|a| a.companion.as_ref()) else {
            continue;
        };
        let own =
            attachments.iter().any(|a| a.content.as_ref().is_some_and(|c| c.path() == companion.path()));
        let is_film = !own && matches!(companion, Content::File { bytes: 1.., .. } | Content::OutOfReach(_));
        if let Some(attachment) = attachments.get_mut(i).filter(|_| !is_film) {
            attachment.companion = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_may_have_films() {
        assert_eq!(film_of("~/Library/SMS/a/IMG_1.HEIC").as_deref(), Some("~/Library/SMS/a/IMG_1.MOV"));
        assert_eq!(film_of("a/b.jpeg").as_deref(), Some("a/b.MOV"));
        for other in ["a/b.png", "a/b.mov", "a/b", "a.heic/b", "a/.heic", ""] {
            assert_eq!(film_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_film_lies_beside_its_picture() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a.HEIC", "a.MOV", "b.jpg", "b.mov", "c.heic", "e.heic"] {
            fs::write(at(name), b"123").unwrap();
        }
        fs::create_dir(at("c.MOV")).unwrap();
        let film = |name: &str| film_beside(&at(name)).map(|film| film.path().to_owned());
        assert_eq!((film("a.HEIC"), film("b.jpg")), (Some(at("a.MOV")), Some(at("b.mov"))));
        assert_eq!((film("c.heic"), film("e.heic")), (None, None));
        assert!(is_picture(&at("a.HEIC")) && !is_picture(&at("a.MOV")) && !is_picture(&at("a")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_no_film() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), b"123").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), folder.path().join("a.MOV")).unwrap();
        assert_eq!(film_beside(&folder.path().join("a.heic")), None);
    }

    #[test]
    fn a_film_with_a_row_is_no_companion() {
        let film = Content::File { path: "a/b.MOV".into(), bytes: 1 };
        let picture = RawAttachment { companion: Some(film.clone()), ..RawAttachment::default() };
        let mut alone = [picture.clone()];
        without_own_rows(&mut alone);
        assert!(alone[0].companion.is_some());
        let own = RawAttachment { content: Some(film), ..RawAttachment::default() };
        let mut both = [picture, own];
        without_own_rows(&mut both);
        assert_eq!(both[0].companion, None);
    }
}
