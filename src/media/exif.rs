//! EXIF: which way is up (EXIF 2.3, 4.6.4, tag 274; TIFF 6.0 for the structure).

use std::ops::Range;

use super::Pixels;

const ORIENTATION: u16 = 274;

/// How a stored picture must be turned to be upright: EXIF's values 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Default for Orientation {
    fn default() -> Self {
        Orientation(1)
    }
}

impl Orientation {
    /// `value` is EXIF's, 1 to 8; anything else is taken for upright.
    pub fn from_exif(value: u16) -> Orientation {
        Orientation(u8::try_from(value).ok().filter(|v| (1..=8).contains(v)).unwrap_or(1))
    }

    /// EXIF's value.
    pub fn value(self) -> u8 {
        self.0
    }

    /// Whether width and height change places.
    pub fn swaps(self) -> bool {
        self.0 >= 5
    }

    /// The picture turned upright.
    pub(super) fn apply(self, pixels: Pixels) -> Pixels {
        if self.0 == 1 {
            return pixels;
        }
        let (w, h) = (pixels.width as usize, pixels.height as usize);
        let (width, height) = if self.swaps() { (h, w) } else { (w, h) };
        let mut rgba = Vec::with_capacity(pixels.rgba.len());
        let (stored, _) = pixels.rgba.as_chunks::<4>();
        for y in 0..height {
            for x in 0..width {
                let (mirrored_x, mirrored_y) = (width - 1 - x, height - 1 - y);
                let (column, row) = match self.0 {
                    2 => (mirrored_x, y),
                    3 => (mirrored_x, mirrored_y),
                    4 => (x, mirrored_y),
                    5 => (y, x),
                    6 => (y, mirrored_x),
                    7 => (mirrored_y, mirrored_x),
                    _ => (mirrored_y, x),
                };
                rgba.extend_from_slice(stored.get(row * w + column).unwrap_or(&[0; 4]));
            }
        }
        Pixels { width: width as u32, height: height as u32, rgba, opaque: pixels.opaque }
    }
}

/// The orientation that a TIFF structure (what follows `Exif\0\0` in a JPEG) tells; upright where it tells none.
pub fn orientation(tiff: &[u8]) -> Orientation {
    let value = place(tiff).and_then(|(at, little)| {
        let pair: [u8; 2] = tiff.get(at)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    });
    value.map_or_else(Orientation::default, Orientation::from_exif)
}

/// Changes the orientation to upright, where there is one: for pixels that were turned.
pub(super) fn make_upright(tiff: &mut [u8]) {
    if let Some((at, little)) = place(tiff)
        && let Some(pair) = tiff.get_mut(at)
    {
        pair.copy_from_slice(&if little { [1, 0] } else { [0, 1] });
    }
}

/// Where the value is, and whether the low byte comes first.
fn place(tiff: &[u8]) -> Option<(Range<usize>, bool)> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let pair: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let word: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let directory = if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) };
    let directory = usize::try_from(directory).ok()?;
    let entries = usize::from(short(directory)?);
    (0..entries).find_map(|entry| {
        let at = directory.checked_add(2)?.checked_add(entry * 12)?;
        (short(at)? == ORIENTATION).then(|| at.checked_add(8)).flatten().map(|at| (at..at + 2, little))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIFF: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

    #[test]
    fn read_and_made_upright() {
        assert_eq!(orientation(TIFF).value(), 6);
        let mut tiff = TIFF.to_vec();
        make_upright(&mut tiff);
        assert_eq!(orientation(&tiff).value(), 1);
        for cut in 0..19 {
            assert_eq!(orientation(&TIFF[..cut]).value(), 1, "cut at {cut}");
        }
    }

    #[test]
    fn every_way_up() {
        // 1 2 3
        // 4 5 6
        let rgba = (1..=6).flat_map(|n| [n, n, n, 255]).collect();
        let stored = Pixels { width: 3, height: 2, rgba, opaque: true };
        let expected: [&[u8]; 8] = [
            &[1, 2, 3, 4, 5, 6],
            &[3, 2, 1, 6, 5, 4],
            &[6, 5, 4, 3, 2, 1],
            &[4, 5, 6, 1, 2, 3],
            &[1, 4, 2, 5, 3, 6],
            &[4, 1, 5, 2, 6, 3],
            &[6, 3, 5, 2, 4, 1],
            &[3, 6, 2, 5, 1, 4],
        ];
        for (value, expected) in (1..).zip(expected) {
            let upright = Orientation::from_exif(value).apply(stored.clone());
            let seen: Vec<u8> = upright.rgba.chunks(4).map(|pixel| pixel[0]).collect();
            assert_eq!(seen, expected, "orientation {value}");
            assert_eq!(upright.width, if value < 5 { 3 } else { 2 });
        }
    }
}
