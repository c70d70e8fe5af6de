//! What a sound or a film says of itself: how long it is, how large.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use super::file_bytes::FileBytes;
use super::{amr, caf, movie, mp3, riff};
use crate::model::Media;

/// The facts of a sound or a film: duration, and the upright size of a film's picture. By its magic bytes; only the
/// places where the facts lie are read. `None`: no such file, or one that says nothing.
pub fn facts(path: &Path) -> Option<Media> {
    facts_of(File::open(path).ok()?)
}

/// As [`facts`], of anything that can be read.
pub fn facts_of(file: impl Read + Seek) -> Option<Media> {
    let mut file = FileBytes::new(file)?;
    let head = file.up_to(0, 16)?;
    let sound = |duration| Media { duration: Some(duration), ..Media::default() };
    match head.as_slice() {
        [b'c', b'a', b'f', b'f', ..] => caf::duration(&mut file).map(sound),
        [b'#', b'!', b'A', b'M', b'R', ..] => amr::duration(&mut file).map(sound),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => riff::wave(&mut file).map(sound),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => {
            riff::aiff(&mut file).map(sound)
        }
        [b'I', b'D', b'3', ..] => mp3::duration(&mut file).map(sound),
        // The sync word of MPEG audio, layer III.
        [0xff, second, ..] if second & 0xe6 == 0xe2 => mp3::duration(&mut file).map(sound),
        _ if movie::is_one(&head) => {
            let film = movie::read(&mut file)?;
            let (duration, pixels) = (film.duration, film.picture().and_then(|track| track.pixels()));
            (duration.is_some() || pixels.is_some()).then_some(Media { duration, pixels, contact: None })
        }
        _ => None,
    }
}
