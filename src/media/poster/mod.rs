//! A film's poster: its first picture that needs no other, decoded in the program.
//!
//! HEVC (Main, Main 10) and H.264 (4:2:0, 8 bits): what iPhones record and what Messages makes of it for others.

mod h264;
mod hevc;
mod nal;
mod picture;
mod tone;

use std::io::{Read, Seek};

use self::picture::Planes;
use super::file_bytes::FileBytes;
use super::movie::{self, Track};
use super::{Pixels, Undecodable, fenced};

/// Pixels of a picture at most: more than 4K films have, less than 8K.
const MOST_PIXELS: u64 = 17_000_000;
/// The longer side of a poster at most.
const LONGEST_SIDE: usize = 1920;

/// The first picture of a film or of a sequence of pictures (an animated sticker, without its transparency), upright, in sRGB; at most 1920 pixels long. Of the file only the tables and that one
/// picture are read.
///
/// # Errors
/// [`Undecodable`]: no film, another codec, damage.
pub fn poster(file: impl Read + Seek) -> Result<Pixels, Undecodable> {
    let mut file = FileBytes::new(file).ok_or(Undecodable::Unreadable)?;
    let head = file.up_to(0, 16).ok_or(Undecodable::Unreadable)?;
    // Animated stickers are sequences, in files that may call themselves stills.
    let is_boxes = movie::is_one(&head) || head.get(4..8) == Some(b"ftyp");
    if !is_boxes {
        return Err(Undecodable::OtherKind);
    }
    let film = movie::read(&mut file).ok_or(Undecodable::OtherKind)?;
    let track = film.picture().ok_or(Undecodable::OtherKind)?;
    let decode: fn(&Track, &[u8]) -> Result<Planes, Undecodable> = match &track.codec {
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => hevc::decode,
        b"avc1" | b"avc3" => h264::decode,
        _ => return Err(Undecodable::OtherKind),
    };
    let keyframe = track.keyframe(&mut file).ok_or(Undecodable::Damaged)?;
    // The decoders are young, and what they are given comes from strangers.
    let planes = fenced(|| decode(track, &keyframe.bytes))?;
    planes.pixels(track.orientation, LONGEST_SIDE).ok_or(Undecodable::Damaged)
}

/// Refuses a picture of a size that is not decoded, before anything is allocated for it.
fn check_size(width: u64, height: u64) -> Result<(), Undecodable> {
    match width.checked_mul(height) {
        Some(0) => Err(Undecodable::Damaged),
        Some(1..=MOST_PIXELS) => Ok(()),
        _ => Err(Undecodable::TooLarge),
    }
}
