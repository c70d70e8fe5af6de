//! Live Photos: a picture has a row, its film has none. It lies beside the picture, with its name and another extension.

use crate::source::{Content, RawAttachment};

/// Where the film of a picture at this path would lie; `None` for what is no picture that may have one. The letters'
/// case is not known (`IMG_0042.HEIC` goes with `.MOV`, but converted pictures have lower-case extensions): whoever
/// looks must not mind it.
pub(super) fn film_of(filename: &str) -> Option<String> {
    let (stem, extension) = filename.rsplit_once('.')?;
    let named = !stem.is_empty() && !stem.ends_with('/');
    let picture = ["heic", "heif", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    (named && picture).then(|| format!("{stem}.MOV"))
}

/// A film that is an attachment of its own is nobody's companion. Nor is a folder.
pub(super) fn without_own_rows(attachments: &mut [RawAttachment]) {
    for i in 0..attachments.len() {
        let Some(companion) = attachments.get(i).and_then(|a| a.companion.as_ref()) else {
            continue;
        };
        let own =
            attachments.iter().any(|a| a.content.as_ref().is_some_and(|c| c.path() == companion.path()));
        let is_film = !own && matches!(companion, Content::File { bytes: 1.., .. });
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
