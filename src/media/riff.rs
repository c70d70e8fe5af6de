//! WAVE and AIFF: chunks, one with the format, one with the sound.

use std::io::{Read, Seek};
use std::time::Duration;

use super::file_bytes::{self, BigEndian, FileBytes};

/// Chunks that are looked at.
const MOST_CHUNKS: usize = 1000;

/// How long a WAVE file sounds: the bytes of its sound by the bytes of a second.
pub(super) fn wave(file: &mut FileBytes<impl Read + Seek>) -> Option<Duration> {
    let mut per_second = None;
    let mut at = 12;
    for _ in 0..MOST_CHUNKS {
        let head = file.array::<8>(at)?;
        let (kind, size) = head.split_first_chunk::<4>()?;
        let size = u64::from(u32::from_le_bytes(*size.first_chunk()?));
        match (kind, per_second) {
            (b"fmt ", _) => per_second = Some(u32::from_le_bytes(file.array(at + 16)?)),
            (b"data", Some(per_second)) => {
                let bytes = size.min(file.len().saturating_sub(at + 8));
                return file_bytes::duration(bytes, f64::from(per_second));
            }
            _ => {}
        }
        // Chunks begin at even places.
        at += 8 + size + (size & 1);
    }
    None
}

/// How long an AIFF file sounds: what its `COMM` chunk says.
pub(super) fn aiff(file: &mut FileBytes<impl Read + Seek>) -> Option<Duration> {
    let mut at = 12;
    for _ in 0..MOST_CHUNKS {
        let head = file.array::<8>(at)?;
        let size = u64::from(head.u32_at(4)?);
        if head.starts_with(b"COMM") {
            let comm = file.array::<18>(at + 8)?;
            return file_bytes::duration(comm.u32_at(2)?.into(), extended(*comm.last_chunk()?));
        }
        at += 8 + size + (size & 1);
    }
    None
}

/// An 80-bit number of the 68881: a sign, 15 bits of exponent, 64 of fraction with its leading 1.
fn extended(bytes: [u8; 10]) -> f64 {
    let exponent = bytes.u16_at(0).unwrap_or(0) & 0x7fff;
    let fraction = bytes.u64_at(2).unwrap_or(0);
    fraction as f64 * 2f64.powi(i32::from(exponent) - 16383 - 63)
}
