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

/// Bytes that the decoder holds beside the pixels: all coefficients, where they come in more than one scan.
pub fn coefficients(bytes: &[u8]) -> u64 {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let (mut all, mut components, mut progressive) = (0, 0, false);
    while let Some(([0xff, marker], after)) = rest.split_first_chunk::<2>() {
        if *marker == 0xff {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let length = after.first_chunk().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
        let Some(segment) = after.get(2..length) else { break };
        match (*marker, segment) {
            // A frame (ITU-T T.81, B.2.2).
            (0xc0..=0xc2, [_, h1, h0, w1, w0, count, each @ ..]) => {
                let side =
                    |high: &u8, low: &u8| u64::from(u16::from_be_bytes([*high, *low])).next_multiple_of(32);
                components = *count;
                progressive = *marker == 0xc2;
                let each = each.as_chunks().0.get(..usize::from(components)).unwrap_or_default();
                // Two bytes for each sample; of most components there are fewer than pixels.
                let most = each.iter().map(|[_, by, _]| density(*by)).max().unwrap_or(1).max(1);
                let sum: u64 = each.iter().map(|[_, by, _]| density(*by)).sum();
                all = side(h1, h0) * side(w1, w0) * 2 * sum / most;
            }
            // The first scan.
            (0xda, [count, ..]) => return if progressive || *count < components { all } else { 0 },
            _ => {}
        }
        rest = after.get(length..).unwrap_or_default();
    }
    all
}

/// Samples in a block, of a component's two sampling factors.
fn density(factors: u8) -> u64 {
    u64::from(factors >> 4) * u64::from(factors & 15)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a JPEG of 320 × 64 pixels: a frame of three components, and a scan of so many.
    fn head(frame: u8, sampling: u8, scanned: u8) -> Vec<u8> {
        let mut head = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xff, frame, 0, 17, 8, 0, 64, 1, 64, 3];
        head.extend([1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xda, 0, 6, scanned, 0, 0, 0]);
        head
    }

    #[test]
    fn coefficients_are_held_where_they_come_in_scans() {
        let pixels = 320 * 64;
        assert_eq!(coefficients(&head(0xc0, 0x22, 3)), 0);
        assert_eq!(coefficients(&head(0xc0, 0x22, 1)), pixels * 3);
        assert_eq!(coefficients(&head(0xc2, 0x22, 3)), pixels * 3);
        assert_eq!(coefficients(&head(0xc2, 0x21, 1)), pixels * 4);
        assert_eq!(coefficients(&head(0xc2, 0x11, 1)), pixels * 6);
        for cut in 0..head(0xc2, 0x11, 1).len() {
            coefficients(&head(0xc2, 0x11, 1)[..cut]);
        }
    }
}
