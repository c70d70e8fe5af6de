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
use super::budget::{Claim, PICTURES};
use super::file_bytes::FileBytes;
use super::movie::{self, Track};
use super::{Decoded, Undecodable, fenced};

/// Pixels of a picture at most: more than 4K films have, less than 8K.
const MOST_PIXELS: u64 = 17_000_000;
/// Bytes of a pixel while one is decoded: samples of two bytes in 4:2:0, twice, and what the decoder knows of them.
const HELD: u64 = 8;
/// The longer side of a poster at most.
const LONGEST_SIDE: usize = 1920;

/// The first picture of a film or of a sequence of pictures (an animated sticker, without its transparency), upright, in sRGB; at most 1920 pixels long. Of the file only the tables and that one
/// picture are read.
///
/// # Errors
/// [`Undecodable`]: no film, another codec, damage.
pub fn poster(file: impl Read + Seek) -> Result<Decoded, Undecodable> {
    let mut file = FileBytes::new(file).ok_or(Undecodable::Unreadable)?;
    let head = file.up_to(0, 16).ok_or(Undecodable::Unreadable)?;
    // Animated stickers are sequences, in files that may call themselves stills.
    let is_boxes = movie::is_one(&head) || head.get(4..8) == Some(b"ftyp");
    if !is_boxes {
        return Err(Undecodable::OtherKind);
    }
    let film = movie::read(&mut file).ok_or(Undecodable::OtherKind)?;
    let track = film.picture().ok_or(Undecodable::OtherKind)?;
    let decode: fn(&Track, &[u8]) -> Decoding = match &track.codec {
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => hevc::decode,
        b"avc1" | b"avc3" => h264::decode,
        _ => return Err(Undecodable::OtherKind),
    };
    let keyframe = track.keyframe(&mut file).ok_or(Undecodable::Damaged)?;
    // The decoders are young, and what they are given comes from strangers.
    let (planes, claim) = fenced(|| decode(track, &keyframe.bytes))?;
    let pixels = planes.pixels(track.orientation, LONGEST_SIDE).ok_or(Undecodable::Damaged)?;
    Ok(Decoded::new(pixels, claim))
}

/// A picture in planes, with the right to hold them.
type Decoding = Result<(Planes, Claim), Undecodable>;

/// How large a film's pictures are: the largest that its parameters say.
#[derive(Default)]
struct Size(u64);

impl Size {
    /// Takes in what one set of parameters says. What is not decoded is refused, before anything is allocated for it.
    fn see(&mut self, width: u64, height: u64) -> Result<(), Undecodable> {
        match width.checked_mul(height) {
            Some(0) => Err(Undecodable::Damaged),
            Some(pixels @ 1..=MOST_PIXELS) => {
                self.0 = self.0.max(pixels);
                Ok(())
            }
            _ => Err(Undecodable::TooLarge),
        }
    }

    /// The right to decode one: the decoder's own, and ours.
    fn claim(&self) -> Claim {
        PICTURES.claim(self.0 * HELD)
    }
}
