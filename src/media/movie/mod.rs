//! QuickTime and MP4 files (ISO/IEC 14496-12; Apple's “QuickTime File Format”): how long a film is, how large, which way
//! up, and where its first picture lies. Nothing but the boxes that say so is read.
//!
//! A film of an iPhone has its `moov` at the end, and the film of a Live Photo may have no `ftyp`.

mod boxes;
mod sample;
mod track;

use std::io::{Read, Seek};
use std::time::Duration;

use self::boxes::{Atom, children};
use self::track::mvhd;
pub(super) use self::track::{Color, Orientation, Track};
use super::file_bytes::FileBytes;

/// Tracks that are looked at.
const MOST_TRACKS: usize = 64;

/// What a file's `moov` says.
#[derive(Debug, Default)]
pub(super) struct Movie {
    pub duration: Option<Duration>,
    pub tracks: Vec<Track>,
}

impl Movie {
    /// The track whose pictures are seen: the first that is switched on, else the first.
    pub fn picture(&self) -> Option<&Track> {
        let mut pictures = self.tracks.iter().filter(|t| matches!(&t.handler, b"vide" | b"pict"));
        let first = pictures.clone().next();
        pictures.find(|t| t.is_enabled).or(first)
    }
}

/// Does a file that begins like this consist of boxes, of which one may be a `moov`? Still pictures (HEIC, AVIF) do not
/// count, sequences do.
pub fn is_one(head: &[u8]) -> bool {
    match head.get(4..8) {
        Some(b"ftyp") => !matches!(head.get(8..12), Some(b"heic" | b"heix" | b"mif1" | b"avif" | b"crx ")),
        Some(b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot") => true,
        _ => false,
    }
}

/// Reads the `moov`. `None` where there is none.
pub(super) fn read(file: &mut FileBytes<impl Read + Seek>) -> Option<Movie> {
    let whole = Atom { kind: *b"file", body: 0..file.len() };
    let moov = children(file, &whole).into_iter().find(|atom| atom.kind == *b"moov")?;
    let mut movie = Movie::default();
    let mut fragments = None;
    for atom in children(file, &moov) {
        match &atom.kind {
            b"mvhd" => movie.duration = mvhd(file, &atom),
            b"trak" if movie.tracks.len() < MOST_TRACKS => movie.tracks.extend(Track::read(file, &atom)),
            // Of a film in fragments, `mvhd` speaks of the part before them.
            b"mvex" => fragments = track::mehd(file, &atom, &moov),
            _ => {}
        }
    }
    let longest = movie.tracks.iter().filter_map(|track| track.duration).max();
    movie.duration = movie.duration.max(fragments).filter(|d| !d.is_zero()).or(longest);
    movie.duration = movie.duration.filter(|d| !d.is_zero());
    Some(movie)
}
