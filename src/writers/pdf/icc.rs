//! Color profiles that pictures carry: each is in a document once, whatever the number of its pictures.
//!
//! **Must never**: put a profile into a document that is not one, or hold profiles in memory.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use flate2::read::ZlibDecoder;
use pdf_writer::Ref;
use sha2::{Digest as _, Sha256};

use super::file::PdfFile;
use crate::media;
use crate::writers::derived::Derived;

/// Bytes of a profile at most. Those of cameras and screens have a few hundred.
const MOST: usize = 1 << 20;

/// A profile of a picture whose bytes are passed on; it lies among the run's [`Derived`] files.
#[derive(Debug)]
pub struct Profile {
    path: PathBuf,
    hash: [u8; 32],
    /// 1 for gray, 3 for red, green and blue.
    channels: u8,
}

impl Profile {
    /// Takes a profile for pictures of so many channels. `None` is one that says nothing of such colors.
    pub fn keep(bytes: &[u8], channels: u8, derived: &Derived) -> Option<Profile> {
        let bytes = media::profile(bytes, channels).filter(|bytes| bytes.len() <= MOST)?;
        let hash = Sha256::digest(bytes).into();
        let path = derived.get(&hash, "icc", || Ok(bytes.to_vec())).ok()?;
        Some(Profile { path, hash, channels })
    }
}

/// The profiles of a document.
#[derive(Debug, Default)]
pub struct Profiles(HashMap<[u8; 32], Ref>);

impl Profiles {
    /// Writes the profile that says how colors without one look: those of the pages.
    pub fn standard<W: Write>(file: &mut PdfFile<W>) -> io::Result<Ref> {
        let srgb = media::srgb_profile().ok_or_else(|| io::Error::other("there is no profile of sRGB"))?;
        let id = file.reserve();
        file.compressed(id, "/N 3", &srgb)?;
        Ok(id)
    }

    /// The color space that a profile makes of a picture's numbers; the profile is written when it is first used.
    pub fn color_space<W: Write>(
        &mut self,
        profile: Option<&Profile>,
        channels: u8,
        file: &mut PdfFile<W>,
    ) -> io::Result<String> {
        let device = if channels == 1 { "/DeviceGray" } else { "/DeviceRGB" };
        let Some(profile) = profile else { return Ok(device.into()) };
        let id = match self.0.get(&profile.hash) {
            Some(id) => *id,
            None => {
                let Ok(bytes) = std::fs::read(&profile.path) else { return Ok(device.into()) };
                let id = file.reserve();
                let dict = format!("/N {} /Alternate {device}", profile.channels);
                file.compressed(id, &dict, &bytes)?;
                self.0.insert(profile.hash, id);
                id
            }
        };
        Ok(format!("[/ICCBased {} 0 R]", id.get()))
    }
}

/// The profile in a JPEG's APP2 segments, which may come in any order (ICC.1:2022, B.4).
#[derive(Debug, Default)]
pub struct Segments<'b> {
    pieces: BTreeMap<u8, &'b [u8]>,
    count: u8,
    bytes: usize,
    broken: bool,
}

impl<'b> Segments<'b> {
    /// Takes the content of a segment, if it is one of them.
    pub fn add(&mut self, segment: &'b [u8]) {
        let Some([number, count, data @ ..]) = segment.strip_prefix(b"ICC_PROFILE\0") else { return };
        let other_count = self.count != 0 && self.count != *count;
        self.count = *count;
        self.bytes += data.len();
        self.broken |= other_count || self.pieces.insert(*number, data).is_some();
    }

    /// The whole profile. `None`: there is none, or a piece is missing.
    pub fn whole(self) -> Option<Vec<u8>> {
        let complete = self.pieces.keys().copied().eq(1..=self.count);
        (complete && !self.broken && self.bytes <= MOST && self.bytes > 0)
            .then(|| self.pieces.into_values().flatten().copied().collect())
    }
}

/// The profile in a PNG's `iCCP` chunk (PNG 3, 11.3.2.3): a name, a zero, the method, compressed bytes.
pub fn of_png(chunk: &[u8]) -> Option<Vec<u8>> {
    let end = chunk.iter().take(80).position(|byte| *byte == 0)?;
    let (method, compressed) = chunk.get(end + 1..)?.split_first()?;
    let mut bytes = Vec::new();
    ZlibDecoder::new(compressed).take(MOST as u64 + 1).read_to_end(&mut bytes).ok()?;
    (*method == 0 && bytes.len() <= MOST).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(number: u8, count: u8, data: &[u8]) -> Vec<u8> {
        [b"ICC_PROFILE\0", &[number, count][..], data].concat()
    }

    fn whole(segments: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut all = Segments::default();
        segments.iter().for_each(|segment| all.add(segment));
        all.whole()
    }

    #[test]
    fn pieces_come_in_any_order_and_all_of_them() {
        let [one, two] = [segment(1, 2, b"ab"), segment(2, 2, b"cd")];
        assert_eq!(whole(&[two.clone(), b"MPF\0".to_vec(), one.clone()]).as_deref(), Some(&b"abcd"[..]));
        assert_eq!(whole(std::slice::from_ref(&one)), None);
        assert_eq!(whole(&[one.clone(), one.clone(), two]), None);
        assert_eq!(whole(&[one, segment(2, 3, b"cd")]), None);
        assert_eq!(whole(&[]), None);
        assert_eq!(whole(&[segment(0, 0, b"ab")]), None);
    }

    #[test]
    fn a_chunk_that_unpacks_to_too_much_is_none() {
        let chunk = |method, bytes: &[u8]| {
            [b"name\0", &[method][..], &super::super::file::deflate(bytes).unwrap()].concat()
        };
        assert_eq!(of_png(&chunk(0, b"profile")).as_deref(), Some(&b"profile"[..]));
        assert_eq!(of_png(&chunk(1, b"profile")), None);
        assert_eq!(of_png(&chunk(0, &vec![0; MOST + 1])), None);
        assert_eq!(of_png(b"no end"), None);
    }
}
