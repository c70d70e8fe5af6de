//! Pictures: what they are by their own bytes, never by their names, and how they get into the file.
//!
//! A JPEG's bytes are passed through, and so are those of a PNG without transparency. Other PNGs are decoded, within a
//! budget, and compressed anew. Everything else is not a picture to this module.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pdf_writer::Ref;
use sha2::{Digest as _, Sha256};

use super::file::{PdfFile, deflate};
use super::jpeg::{self, Jpeg};
use super::png::{self, Png};

/// Larger files are not looked into.
const LARGEST_FILE: u64 = 128 << 20;
/// More pixels than this are decoded one picture at a time.
const MODEST: u64 = 4_000_000;

/// How a picture must be turned to be upright (EXIF 2.3, 4.6.4, tag 274).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// `value` is EXIF's, 1 to 8; anything else is taken for upright.
    pub fn from_exif(value: u16) -> Orientation {
        Orientation(u8::try_from(value).ok().filter(|v| (1..=8).contains(v)).unwrap_or(1))
    }

    /// Whether width and height change places.
    pub fn swaps(self) -> bool {
        self.0 >= 5
    }

    /// Places PDF's unit square, upright, into a rectangle whose lower left corner is `x`, `y`.
    pub fn matrix(self, x: f32, y: f32, w: f32, h: f32) -> [f32; 6] {
        match self.0 {
            2 => [-w, 0.0, 0.0, h, x + w, y],
            3 => [-w, 0.0, 0.0, -h, x + w, y + h],
            4 => [w, 0.0, 0.0, -h, x, y + h],
            5 => [0.0, -h, -w, 0.0, x + w, y + h],
            6 => [0.0, -h, w, 0.0, x, y + h],
            7 => [0.0, h, w, 0.0, x, y],
            8 => [0.0, h, -w, 0.0, x + w, y],
            _ => [w, 0.0, 0.0, h, x, y],
        }
    }
}

/// A picture that can be drawn.
#[derive(Debug)]
pub struct Picture {
    path: PathBuf,
    /// SHA-256: one picture of this document for each.
    pub hash: [u8; 32],
    format: Format,
    /// Pixels as stored.
    width: u32,
    height: u32,
    pub orientation: Orientation,
}

#[derive(Debug)]
enum Format {
    Jpeg(Jpeg),
    Png(Png),
}

/// Why a file is not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undrawable {
    /// No picture of a kind that is drawn.
    OtherKind,
    /// It should be one; in words for the reader.
    Damaged(&'static str),
}

impl Picture {
    /// Looks at a file's bytes.
    pub fn inspect(path: &Path) -> Result<Picture, Undrawable> {
        let mut file = File::open(path).map_err(|_| Undrawable::Damaged("the file cannot be read"))?;
        let mut magic = [0; 8];
        let read = read_up_to(&mut file, &mut magic);
        let (is_jpeg, is_png) = (magic.starts_with(&[0xff, 0xd8, 0xff]), magic == *png::SIGNATURE);
        if !is_jpeg && !is_png {
            return Err(Undrawable::OtherKind);
        }
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if size > LARGEST_FILE {
            return Err(Undrawable::Damaged("the picture is too large to be shown here"));
        }
        let mut bytes = magic.get(..read).unwrap_or_default().to_vec();
        file.take(LARGEST_FILE)
            .read_to_end(&mut bytes)
            .map_err(|_| Undrawable::Damaged("the file cannot be read"))?;
        let hash = Sha256::digest(&bytes).into();
        let path = path.to_owned();
        if is_jpeg {
            let jpeg = jpeg::parse(&bytes).map_err(Undrawable::Damaged)?;
            let (width, height, orientation) = (jpeg.width, jpeg.height, jpeg.orientation);
            Ok(Picture { path, hash, format: Format::Jpeg(jpeg), width, height, orientation })
        } else {
            let png = png::parse(&bytes).map_err(Undrawable::Damaged)?;
            let (width, height) = (png.width, png.height);
            let orientation = Orientation::from_exif(1);
            Ok(Picture { path, hash, format: Format::Png(png), width, height, orientation })
        }
    }

    /// Width and height in pixels, upright.
    pub fn size(&self) -> (u32, u32) {
        if self.orientation.swaps() { (self.height, self.width) } else { (self.width, self.height) }
    }

    /// The expensive part of writing it, for a worker. `None` when there is none.
    pub fn decode(&self) -> Option<Raster> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Format::Png(png) = &self.format else { return None };
        if png.passes_through() {
            return None;
        }
        let large = u64::from(self.width) * u64::from(self.height) > MODEST;
        let _turn = large.then(|| ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner));
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        let decoded = png::decode(&bytes).unwrap_or_else(|| png::Decoded {
            width: 1,
            height: 1,
            gray: true,
            color: vec![0xdd],
            alpha: None,
        });
        Raster::compress(&decoded).ok()
    }

    /// Writes the picture as an image object.
    pub fn write<W: Write>(&self, id: Ref, raster: Option<Raster>, file: &mut PdfFile<W>) -> io::Result<()> {
        let size = |w: u32, h: u32| format!("/Type /XObject /Subtype /Image /Width {w} /Height {h}");
        if let Some(raster) = raster {
            let space = if raster.gray { "/DeviceGray" } else { "/DeviceRGB" };
            let columns = |colors: u8| predictor(colors, 8, raster.width);
            let mut dict = format!("{} /ColorSpace {space}", size(raster.width, raster.height));
            dict += &columns(if raster.gray { 1 } else { 3 });
            if let Some(alpha) = &raster.alpha {
                let mask = file.reserve();
                let dict2 =
                    format!("{} /ColorSpace /DeviceGray{}", size(raster.width, raster.height), columns(1));
                file.stream(mask, &dict2, alpha)?;
                dict += &format!(" /SMask {} 0 R", mask.get());
            }
            return file.stream(id, &dict, &raster.color);
        }
        let mut dict = size(self.width, self.height);
        match &self.format {
            Format::Jpeg(jpeg) => {
                dict += jpeg.color_space();
                let length = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
                let content: Box<dyn Read> = match File::open(&self.path) {
                    Ok(content) => Box::new(content),
                    Err(_) => Box::new(io::empty()),
                };
                file.stream_from(id, &dict, length, content)
            }
            Format::Png(png) => {
                dict += &png.color_space();
                dict += &predictor(png.channels(), png.depth, png.width);
                let bytes = std::fs::read(&self.path).unwrap_or_default();
                file.stream(id, &dict, &png.data(&bytes))
            }
        }
    }
}

/// The rest of the dictionary of an image whose rows have PNG filters.
fn predictor(colors: u8, depth: u8, columns: u32) -> String {
    format!(
        " /BitsPerComponent {depth} /Filter /FlateDecode /DecodeParms \
         <</Predictor 15 /Colors {colors} /BitsPerComponent {depth} /Columns {columns}>>"
    )
}

/// A decoded picture, compressed for the file.
#[derive(Debug)]
pub struct Raster {
    width: u32,
    height: u32,
    gray: bool,
    color: Vec<u8>,
    alpha: Option<Vec<u8>>,
}

impl Raster {
    fn compress(decoded: &png::Decoded) -> io::Result<Raster> {
        let width = decoded.width as usize;
        let channels = if decoded.gray { 1 } else { 3 };
        let alpha = match &decoded.alpha {
            Some(alpha) => Some(deflate(&filter_up(alpha, width))?),
            None => None,
        };
        Ok(Raster {
            width: decoded.width,
            height: decoded.height,
            gray: decoded.gray,
            color: deflate(&filter_up(&decoded.color, width * channels))?,
            alpha,
        })
    }
}

/// PNG's filter 2 on every row: the difference to the row above.
fn filter_up(bytes: &[u8], row: usize) -> Vec<u8> {
    let mut filtered = Vec::with_capacity(bytes.len() + bytes.len() / row.max(1) + 1);
    let mut above: &[u8] = &[];
    for this in bytes.chunks(row.max(1)) {
        filtered.push(2);
        let above_bytes = above.iter().copied().chain(std::iter::repeat(0));
        filtered.extend(this.iter().zip(above_bytes).map(|(byte, above)| byte.wrapping_sub(above)));
        above = this;
    }
    filtered
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match file.read(space) {
            Ok(0) | Err(_) => break,
            Ok(read) => filled += read,
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_fills_the_same_rectangle() {
        for value in 0..=9 {
            let [a, b, c, d, e, f] = Orientation::from_exif(value).matrix(10.0, 20.0, 300.0, 200.0);
            let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
                .map(|(x, y)| (a * x + c * y + e, b * x + d * y + f));
            let min = |i: fn(&(f32, f32)) -> f32| corners.iter().map(i).fold(f32::MAX, f32::min);
            let max = |i: fn(&(f32, f32)) -> f32| corners.iter().map(i).fold(f32::MIN, f32::max);
            assert_eq!((min(|c| c.0), max(|c| c.0)), (10.0, 310.0), "orientation {value}");
            assert_eq!((min(|c| c.1), max(|c| c.1)), (20.0, 220.0), "orientation {value}");
        }
    }

    #[test]
    fn orientation_six_turns_clockwise() {
        // The stored top left corner (PDF: 0, 1) is shown at the top right.
        let [a, b, c, d, e, f] = Orientation::from_exif(6).matrix(0.0, 0.0, 2.0, 3.0);
        assert_eq!((a * 0.0 + c * 1.0 + e, b * 0.0 + d * 1.0 + f), (2.0, 3.0));
    }

    #[test]
    fn rows_are_differences() {
        assert_eq!(filter_up(&[1, 2, 3, 5], 2), [2, 1, 2, 2, 2, 3]);
    }
}
