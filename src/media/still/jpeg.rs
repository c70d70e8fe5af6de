//! JPEG, in and out.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::super::color::Space;
use super::super::exif;
use super::{Raw, Samples, Undecodable};
use crate::media::Pixels;

fn open(bytes: &[u8]) -> Result<JpegDecoder<ZCursor<&[u8]>>, Undecodable> {
    let options = DecoderOptions::default()
        .set_max_width(65_535)
        .set_max_height(65_535)
        // Not RGBA: for CMYK that comes out garbled (zune-jpeg 0.5.15).
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| Undecodable::Damaged)?;
    Ok(decoder)
}

/// Width and height as stored.
pub fn size(bytes: &[u8]) -> Result<(u32, u32), Undecodable> {
    let info = open(bytes)?.info().ok_or(Undecodable::Damaged)?;
    Ok((info.width.into(), info.height.into()))
}

pub fn decode(bytes: &[u8]) -> Result<Raw, Undecodable> {
    let mut decoder = open(bytes)?;
    let info = decoder.info().ok_or(Undecodable::Damaged)?;
    let samples = Samples::Rgb(decoder.decode().map_err(|_| Undecodable::Damaged)?);
    let space = match decoder.icc_profile() {
        Some(icc) => Space::Icc(icc),
        None => Space::Standard,
    };
    let orientation = decoder.exif().map(|tiff| exif::orientation(tiff)).unwrap_or_default();
    Ok(Raw { width: info.width.into(), height: info.height.into(), samples, space, orientation })
}

/// `None` where the picture is too large for a JPEG.
pub fn encode(pixels: &Pixels, quality: u8, exif: Option<&[u8]>) -> Option<Vec<u8>> {
    let (width, height) = (u16::try_from(pixels.width).ok()?, u16::try_from(pixels.height).ok()?);
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
    if let Some(exif) = exif {
        // One segment has room for 64 KB. A picture without its EXIF is better than none.
        let _ = encoder.add_exif_metadata(exif);
    }
    encoder.encode(&pixels.rgba, width, height, jpeg_encoder::ColorType::Rgba).ok()?;
    Some(bytes)
}
