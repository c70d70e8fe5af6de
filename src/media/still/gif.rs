//! GIF: the first frame, on its canvas.

use std::io::Cursor;
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Decoder, MemoryLimit};

use super::super::color::Space;
use super::{ALWAYS, MOST_PIXELS, Orientation, Raw, Samples, Undecodable};

fn open(bytes: &[u8], most_pixels: u64) -> Result<Decoder<Cursor<&[u8]>>, Undecodable> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::MIN.saturating_add(most_pixels * 4)));
    options.read_info(Cursor::new(bytes)).map_err(|_| Undecodable::Damaged)
}

/// Width and height of the canvas; of the first frame where the canvas has none.
pub fn size(bytes: &[u8]) -> Result<(u32, u32), Undecodable> {
    let Some([w0, w1, h0, h1]) = bytes.get(6..10) else { return Err(Undecodable::Damaged) };
    let (width, height) = (u16::from_le_bytes([*w0, *w1]), u16::from_le_bytes([*h0, *h1]));
    if width > 0 && height > 0 {
        return Ok((width.into(), height.into()));
    }
    let mut decoder = open(bytes, MOST_PIXELS)?;
    let frame = decoder.next_frame_info().ok().flatten().ok_or(Undecodable::Damaged)?;
    Ok((frame.width.into(), frame.height.into()))
}

/// Bytes of the first frame, which may be larger than its canvas.
pub fn frame(bytes: &[u8]) -> u64 {
    let mut decoder = open(bytes, MOST_PIXELS).ok();
    let frame = decoder.as_mut().and_then(|decoder| decoder.next_frame_info().ok().flatten());
    frame.map_or(0, |frame| u64::from(frame.width) * u64::from(frame.height) * 4)
}

pub fn decode(bytes: &[u8]) -> Result<Raw, Undecodable> {
    let (width, height) = size(bytes)?;
    // A frame larger than its canvas is cut, and need not be very much larger.
    let mut decoder = open(bytes, (u64::from(width) * u64::from(height)).max(ALWAYS))?;
    let frame = decoder.read_next_frame().ok().flatten().ok_or(Undecodable::Damaged)?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let row_bytes = width as usize * 4;
    let mut rgba = vec![0; row_bytes * height as usize];
    if frame.width > 0 {
        let rows = rgba.chunks_exact_mut(row_bytes).skip(top);
        for (to, from) in rows.zip(frame.buffer.chunks_exact(usize::from(frame.width) * 4)) {
            let to = to.get_mut(left * 4..).unwrap_or_default();
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
    }
    let samples = Samples::Rgba(rgba);
    Ok(Raw { width, height, samples, space: Space::Standard, orientation: Orientation::default() })
}
