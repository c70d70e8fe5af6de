//! PNG, in and out. Of an animated one the still picture that all programs show.

use std::io::Cursor;

use super::super::color::Space;
use super::super::exif;
use super::{MOST_PIXELS, Raw, Samples, Undecodable};
use crate::media::Pixels;

type Reader<'b> = png::Reader<Cursor<&'b [u8]>>;

fn open(bytes: &[u8]) -> Result<Reader<'_>, Undecodable> {
    let limits = png::Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    decoder.read_info().map_err(|error| match error {
        png::DecodingError::LimitsExceeded => Undecodable::TooLarge,
        _ => Undecodable::Damaged,
    })
}

/// Width and height as stored.
pub fn size(bytes: &[u8]) -> Result<(u32, u32), Undecodable> {
    // The header is the first chunk, always: no need to read all those that follow.
    let (_, header) = bytes.split_at_checked(8).ok_or(Undecodable::Damaged)?;
    match header.first_chunk::<16>() {
        Some([_, _, _, _, b'I', b'H', b'D', b'R', w3, w2, w1, w0, h3, h2, h1, h0]) => {
            Ok((u32::from_be_bytes([*w3, *w2, *w1, *w0]), u32::from_be_bytes([*h3, *h2, *h1, *h0])))
        }
        _ => Err(Undecodable::Damaged),
    }
}

pub fn decode(bytes: &[u8]) -> Result<Raw, Undecodable> {
    let mut reader = open(bytes)?;
    let size = reader.output_buffer_size().ok_or(Undecodable::TooLarge)?;
    if size as u64 > MOST_PIXELS * 4 {
        return Err(Undecodable::TooLarge);
    }
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(|_| Undecodable::Damaged)?;
    pixels.truncate(frame.buffer_size());
    let info = reader.info();
    let space = match &info.icc_profile {
        // sRGB said in words comes first (PNG 3, 4.3).
        Some(icc) if info.srgb.is_none() => Space::Icc(icc.to_vec()),
        _ => Space::Standard,
    };
    let orientation = info.exif_metadata.as_deref().map(exif::orientation).unwrap_or_default();
    let samples = match frame.color_type {
        png::ColorType::Rgba => Samples::Rgba(pixels),
        png::ColorType::Rgb => Samples::Rgb(pixels),
        png::ColorType::Grayscale => Samples::Rgb(pixels.iter().flat_map(|g| [*g; 3]).collect()),
        png::ColorType::GrayscaleAlpha => {
            Samples::Rgba(pixels.as_chunks::<2>().0.iter().flat_map(|[g, a]| [*g, *g, *g, *a]).collect())
        }
        png::ColorType::Indexed => return Err(Undecodable::Damaged),
    };
    Ok(Raw { width: frame.width, height: frame.height, samples, space, orientation })
}

/// Pixels → PNG. `None` where they do not fit into one.
pub fn encode(pixels: &Pixels) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels.rgba).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}
