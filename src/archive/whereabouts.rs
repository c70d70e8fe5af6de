//! Where a source lies, said so that it means the same tomorrow and from another folder.
//!
//! **Must never**: take a place for a proof of what lies there; that is [`known_source`](super::known_source)'s.

use std::path::{Component, Path, PathBuf};

/// The whole path of a source. What lies nowhere is a name, such as that of the built-in sample, and stays one.
pub fn whole(path: &Path) -> PathBuf {
    match path.try_exists() {
        Ok(false) => path.to_owned(),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

/// Whether a source was in this place when it was read, as far as that was written down: programs before this one wrote a
/// path as it was typed, which says only how it ends.
pub fn was_at(written: &Path, place: &Path) -> bool {
    if written.is_absolute() || written == place {
        return written == place;
    }
    let ending: PathBuf = written.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    ending.components().next().is_some() && place.ends_with(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_recognized_by_its_end() {
        let was_at = |written: &str| was_at(Path::new(written), Path::new("/home/ana/Messages/chat.db"));
        assert!(
            was_at("/home/ana/Messages/chat.db")
                && was_at("Messages/chat.db")
                && was_at("../ana/./Messages/chat.db")
        );
        assert!(
            !was_at("/mnt/Messages/chat.db") && !was_at("essages/chat.db") && !was_at("..") && !was_at("")
        );
    }

    #[test]
    fn a_name_stays_one() {
        assert_eq!(whole(Path::new("(sample)")), Path::new("(sample)"));
        assert!(whole(Path::new("Cargo.toml")).is_absolute());
    }
}
