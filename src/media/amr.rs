//! AMR, in which telephones send voice notes: frames of 20 milliseconds (RFC 4867, section 5).

use std::io::{Read, Seek};
use std::time::Duration;

use super::file_bytes::FileBytes;

/// Bytes behind a frame's first one, by its type: 0 to 8 are speech and comfort noise, 14 and 15 lost and silent.
const NARROW: [u8; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
const WIDE: [u8; 16] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];

/// Bytes that are read at once.
const PIECE: u64 = 1 << 16;
/// Bytes of frames that are counted: more than three hours at the highest rate. A longer file is no voice note.
const MOST: u64 = 32 << 20;

/// How long it sounds: its frames, counted.
pub(super) fn duration(file: &mut FileBytes<impl Read + Seek>) -> Option<Duration> {
    let head = file.up_to(0, 9)?;
    let (sizes, mut at) = match head.as_slice() {
        [b'#', b'!', b'A', b'M', b'R', b'\n', ..] => (&NARROW, 6),
        [b'#', b'!', b'A', b'M', b'R', b'-', b'W', b'B', b'\n'] => (&WIDE, 9),
        _ => return None,
    };
    if file.len() > MOST {
        return None;
    }
    let mut frames = 0u64;
    while at < file.len() {
        let piece = file.up_to(at, PIECE)?;
        let mut within = 0usize;
        while let Some(first) = piece.get(within) {
            let size = sizes.get(usize::from(first >> 3) & 15).copied().unwrap_or(0);
            within += 1 + usize::from(size);
            // A frame that is cut off is not heard.
            frames += u64::from(at + within as u64 <= file.len());
        }
        at += within as u64;
    }
    super::file_bytes::duration(frames, 50.0)
}
