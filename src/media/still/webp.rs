//! WebP: the picture, or the first frame.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::super::color::Space;
use super::super::exif;
use super::{MOST_PIXELS, Raw, Samples, Undecodable};

/// Width and height as stored.
pub fn size(bytes: &[u8]) -> Result<(u32, u32), Undecodable> {
    Ok(open(bytes)?.dimensions())
}

fn open(bytes: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>, Undecodable> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| Undecodable::Damaged)?;
    decoder.set_memory_limit(64 << 20);
    Ok(decoder)
}

pub fn decode(bytes: &[u8]) -> Result<Raw, Undecodable> {
    let mut decoder = open(bytes)?;
    let (width, height) = decoder.dimensions();
    let size = decoder.output_buffer_size().ok_or(Undecodable::TooLarge)?;
    if size as u64 > MOST_PIXELS * 4 {
        return Err(Undecodable::TooLarge);
    }
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels).map_err(|_| Undecodable::Damaged)?;
    let samples = if decoder.has_alpha() { Samples::Rgba(pixels) } else { Samples::Rgb(pixels) };
    let space = match decoder.icc_profile() {
        Ok(Some(icc)) => Space::Icc(icc),
        _ => Space::Standard,
    };
    let orientation = match decoder.exif_metadata() {
        Ok(Some(tiff)) => exif::orientation(tiff.strip_prefix(b"Exif\0\0").unwrap_or(&tiff)),
        _ => exif::Orientation::default(),
    };
    Ok(Raw { width, height, samples, space, orientation })
}
