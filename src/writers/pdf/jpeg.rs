//! What must be known of a JPEG to pass its bytes on: size, components, orientation (ITU-T T.81; EXIF 2.3).

use super::icc::Segments;
use super::image::Undrawable;
use crate::media::exif::{self, Orientation};

/// Decoders refuse longer sides (libjpeg's `JPEG_MAX_DIMENSION`).
const LONGEST_SIDE: u32 = 65_500;

/// A JPEG that PDF readers can show.
#[derive(Debug, PartialEq, Eq)]
pub struct Jpeg {
    /// In pixels, as stored.
    pub width: u32,
    pub height: u32,
    /// Samples a pixel.
    pub components: u8,
    pub orientation: Orientation,
    /// The color profile, as it lies in the file.
    pub icc: Option<Vec<u8>>,
}

impl Jpeg {
    /// Not the four inks of a printer: what they look like would be the reader's guess, and PDF/A does not allow them
    /// beside an output intent for screens.
    pub fn passes_through(&self) -> bool {
        self.components < 4
    }
}

/// Reads the headers up to the picture's data.
pub fn parse(bytes: &[u8]) -> Result<Jpeg, Undrawable> {
    const DAMAGED: Undrawable = Undrawable::Damaged("the picture is damaged");
    const CUT: Undrawable = Undrawable::Damaged("the picture is damaged: its end is missing");
    // 12 bits a sample, arithmetic coding, no loss: seen in medicine, not in messages.
    let other_kind = || Err(Undrawable::NotShown("JPEG images of this kind cannot be shown here".into()));
    let mut at = 2;
    let mut frame = None;
    let mut orientation = Orientation::default();
    let mut profile = Segments::default();
    loop {
        // Any number of 0xFF may stand before a marker.
        let marker = match (bytes.get(at), bytes.get(at + 1)) {
            (Some(0xff), Some(0xff)) => {
                at += 1;
                continue;
            }
            (Some(0xff), Some(marker)) => *marker,
            _ => return Err(DAMAGED),
        };
        at += 2;
        if matches!(marker, 0x01 | 0xd0..=0xd7) {
            continue;
        }
        let length =
            bytes.get(at..at + 2).map(|b| usize::from(b[0]) << 8 | usize::from(b[1])).ok_or(DAMAGED)?;
        let segment = bytes.get(at + 2..at + length.max(2)).ok_or(DAMAGED)?;
        match marker {
            0xc0..=0xc2 => {
                let [depth, h1, h0, w1, w0, components, ..] = *segment else { return Err(DAMAGED) };
                if depth != 8 || !matches!(components, 1 | 3 | 4) {
                    return other_kind();
                }
                let height = u32::from(h1) << 8 | u32::from(h0);
                let width = u32::from(w1) << 8 | u32::from(w0);
                if width == 0 || height == 0 {
                    return Err(DAMAGED);
                }
                if width.max(height) > LONGEST_SIDE {
                    return Err(Undrawable::NotShown("the picture is too large to be shown here".into()));
                }
                frame = Some((width, height, components));
            }
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return other_kind();
            }
            0xe1 => {
                if let Some(tiff) = segment.strip_prefix(b"Exif\0\0") {
                    orientation = exif::orientation(tiff);
                }
            }
            0xe2 => profile.add(segment),
            0xda => break,
            0xd9 => return Err(DAMAGED),
            _ => {}
        }
        at += length.max(2);
    }
    let (width, height, components) = frame.ok_or(DAMAGED)?;
    let data = bytes.get(at..).unwrap_or_default();
    if !data.windows(2).rev().any(|pair| pair == [0xff, 0xd9]) {
        return Err(CUT);
    }
    Ok(Jpeg { width, height, components, orientation, icc: profile.whole() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(orientation: Option<u8>, sof: &[u8], end: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        if let Some(value) = orientation {
            let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
            exif.extend([value, 0, 0, 0, 0, 0, 0]);
            bytes.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
            bytes.extend(exif);
        }
        bytes.extend(sof);
        bytes.extend([0xff, 0xda, 0, 2, 1, 2, 3]);
        bytes.extend(end);
        bytes
    }

    const SOF: [u8; 12] = [0xff, 0xc2, 0, 10, 8, 0, 30, 0, 40, 3, 0, 0];
    const END: [u8; 2] = [0xff, 0xd9];

    #[test]
    fn size_and_orientation() {
        let jpeg = parse(&sample(Some(6), &SOF, &END)).unwrap();
        assert_eq!((jpeg.width, jpeg.height, jpeg.components), (40, 30, 3));
        assert!(jpeg.orientation.swaps());
        assert!(!parse(&sample(None, &SOF, &END)).unwrap().orientation.swaps());
    }

    #[test]
    fn damage_is_noticed_wherever_it_is_cut() {
        let whole = sample(Some(6), &SOF, &END);
        for cut in 2..whole.len() - 1 {
            assert!(parse(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn sides_that_no_decoder_takes_are_refused() {
        let sof = |width: u16| {
            let [high, low] = width.to_be_bytes();
            [0xff, 0xc0, 0, 10, 8, 0, 30, high, low, 3, 0, 0]
        };
        assert!(parse(&sample(None, &sof(65_500), &END)).is_ok());
        assert!(parse(&sample(None, &sof(65_501), &END)).is_err());
    }

    #[test]
    fn every_changed_byte_is_survived() {
        let whole = sample(Some(6), &SOF, &END);
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let _ = parse(&bytes);
            }
        }
    }
}
