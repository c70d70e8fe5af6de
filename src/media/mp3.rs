//! MP3: its length is in the first frame where an encoder put it there; else the rate of that frame stands for all.

use std::io::{Read, Seek};
use std::time::Duration;

use super::file_bytes::{self, BigEndian, FileBytes};

/// Kilobits a second, by the number in a header; for version 1 and for versions 2 and 2.5.
const RATES_1: [u32; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
const RATES_2: [u32; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];

/// How long it sounds. Without a count of frames an estimate, exact where the rate does not vary.
pub(super) fn duration(file: &mut FileBytes<impl Read + Seek>) -> Option<Duration> {
    /// How far behind its tag the first frame is looked for.
    const FAR: u64 = 4096;
    let begin = match file.array::<10>(0)? {
        // A tag before the sound; its size is in four times seven bits.
        [b'I', b'D', b'3', _, _, flags, size @ ..] => {
            let size = size.iter().fold(0u64, |sum, b| sum << 7 | u64::from(b & 0x7f));
            10 + size + if flags & 0x10 != 0 { 10 } else { 0 }
        }
        _ => 0,
    };
    let piece = file.up_to(begin, FAR)?;
    let (at, frame) = (0..piece.len()).find_map(|at| Some((at, Frame::parse(piece.get(at..)?)?)))?;
    let frames = frame.frames(piece.get(at..)?);
    let samples = if frame.version_1 { 1152 } else { 576 };
    match frames {
        Some(frames) => file_bytes::duration(u64::from(frames) * samples, f64::from(frame.sample_rate)),
        None => {
            let bytes = file.len().saturating_sub(begin + at as u64);
            file_bytes::duration(bytes, f64::from(frame.kilobits) * 125.0)
        }
    }
}

/// A frame's header.
struct Frame {
    version_1: bool,
    mono: bool,
    kilobits: u32,
    sample_rate: u32,
}

impl Frame {
    fn parse(bytes: &[u8]) -> Option<Frame> {
        let [0xff, second, third, fourth, ..] = *bytes else { return None };
        // The rest of the sync word, and layer III.
        if second & 0xe6 != 0xe2 {
            return None;
        }
        let (version_1, halvings) = match second >> 3 & 3 {
            3 => (true, 0),
            2 => (false, 1),
            0 => (false, 2),
            _ => return None,
        };
        let rates = if version_1 { RATES_1 } else { RATES_2 };
        let kilobits = rates.get(usize::from(third >> 4)).copied().filter(|rate| *rate > 0)?;
        let sample_rate = [44_100u32, 48_000, 32_000].get(usize::from(third >> 2 & 3))? >> halvings;
        Some(Frame { version_1, mono: fourth >> 6 == 3, kilobits, sample_rate })
    }

    /// The number of frames that a `Xing`, `Info` or `VBRI` header in this first one gives.
    fn frames(&self, bytes: &[u8]) -> Option<u32> {
        let side = match (self.version_1, self.mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        let header = bytes.get(4 + side..)?;
        if (header.starts_with(b"Xing") || header.starts_with(b"Info")) && header.u32_at(4)? & 1 != 0 {
            return header.u32_at(8);
        }
        let header = bytes.get(36..)?;
        if header.starts_with(b"VBRI") { header.u32_at(14) } else { None }
    }
}
