//! Pictures: what they are by their own bytes, never by their names, and how they get into the file.
//!
//! A JPEG's bytes are passed through, and so are those of a PNG without transparency, where they have no more pixels than
//! are wanted. Everything else that
//! [`still`](crate::media::still) decodes is made smaller, once for each content, into the run's [`Derived`] files: a
//! JPEG, or compressed rows and a mask where there is transparency. Of a film, the first picture. What cannot be decoded is found out before it has a
//! place on a page.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use pdf_writer::Ref;
use sha2::{Digest as _, Sha256};

use super::file::{PdfFile, deflate};
use super::icc::{Profile, Profiles};
use super::jpeg::{Jpeg, parse as parse_jpeg};
use super::png::{Png, parse as parse_png};
use crate::media::exif::Orientation;
use crate::media::still::{self, Kind};
use crate::media::{self, Pixels, Undecodable};
use crate::model::{Bytes, ReadSeek};
use crate::writers::derived::Derived;

/// Larger files are not looked into.
const LARGEST_FILE: u64 = 128 << 20;
/// Of JPEGs that are made for the page.
const QUALITY: u8 = 82;
/// Changes with anything that changes what is made from the same picture.
const VERSION: u32 = 2;

const UNREADABLE: &str = "the file cannot be read";

/// Places PDF's unit square, upright, into a rectangle whose lower left corner is `x`, `y`.
pub fn matrix(orientation: Orientation, x: f32, y: f32, w: f32, h: f32) -> [f32; 6] {
    match orientation.value() {
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

/// Then turns it clockwise around the origin, by radians, and moves it to `x`, `y`.
pub fn turned([a, b, c, d, e, f]: [f32; 6], turn: f32, x: f32, y: f32) -> [f32; 6] {
    let (sin, cos) = turn.sin_cos();
    let turn = |x: f32, y: f32| (x * cos + y * sin, y * cos - x * sin);
    let ((a, b), (c, d), (e, f)) = (turn(a, b), turn(c, d), turn(e, f));
    [a, b, c, d, e + x, f + y]
}

/// A picture that can be drawn.
#[derive(Debug)]
pub struct Picture {
    drawn: Drawn,
    /// SHA-256 of the picture itself, or of what was made from a film: one picture of this document for each.
    pub hash: [u8; 32],
    form: Form,
    /// Pixels as stored in `drawn`.
    width: u32,
    height: u32,
    pub orientation: Orientation,
    /// Of bytes that are passed on; what is made here is in sRGB.
    profile: Option<Profile>,
    /// It stands for a film.
    pub film: bool,
}

/// The bytes that go into the document.
#[derive(Debug)]
enum Drawn {
    /// The picture's own.
    Itself(Arc<dyn Bytes>),
    /// A file that was made from them.
    Made(PathBuf),
}

impl Drawn {
    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        match self {
            Drawn::Itself(bytes) => bytes.open(),
            Drawn::Made(path) => Ok(Box::new(File::open(path)?)),
        }
    }

    /// In bytes.
    fn length(&self) -> io::Result<u64> {
        self.open()?.seek(SeekFrom::End(0))
    }
}

#[derive(Debug)]
enum Form {
    /// As it is.
    Jpeg(Jpeg),
    /// As it is.
    Png(Png),
    /// A JPEG that was made here.
    Shrunk,
    /// Rows that were made here.
    Rows(Rows),
}

/// Why a file is not drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undrawable {
    /// No picture.
    OtherKind,
    /// One that cannot be shown, though nothing is wrong with it; in words for the reader.
    NotShown(String),
    /// It should be a picture, and something is wrong; in words for the reader.
    Damaged(&'static str),
    /// Its file cannot be read; perhaps it can be the next time.
    Unreadable,
}

impl Undrawable {
    /// What is to be said of it.
    pub fn words(&self) -> Option<&str> {
        match self {
            Undrawable::OtherKind => None,
            Undrawable::NotShown(what) => Some(what),
            Undrawable::Damaged(what) => Some(what),
            Undrawable::Unreadable => Some(UNREADABLE),
        }
    }
}

impl From<Undecodable> for Undrawable {
    fn from(why: Undecodable) -> Undrawable {
        match why {
            Undecodable::OtherKind => Undrawable::OtherKind,
            Undecodable::Damaged => Undrawable::Damaged("the picture is damaged"),
            Undecodable::Unreadable => Undrawable::Unreadable,
            why @ (Undecodable::TooLarge | Undecodable::Unknown(_)) => Undrawable::NotShown(why.to_string()),
        }
    }
}

impl Picture {
    /// Looks at these bytes, and makes of them what can be drawn. This is the expensive part, for any worker.
    /// `hash` is the SHA-256 of them where it is known: films are large, and are not read for it. `edge`: how many
    /// pixels the longer side may have; `None` for as many as there are.
    pub fn inspect(
        content: &Arc<dyn Bytes>,
        hash: Option<&str>,
        edge: Option<u32>,
        derived: &Derived,
    ) -> Result<Picture, Undrawable> {
        let unreadable = |_| Undrawable::Unreadable;
        let mut file = content.open().map_err(unreadable)?;
        let mut head = Vec::new();
        Read::by_ref(&mut file).take(still::HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
        let Some(kind) = still::kind(&head) else {
            let film = media::may_be_film(&head);
            return if film {
                Picture::poster(content.as_ref(), hash, derived)
            } else {
                Err(Undrawable::OtherKind)
            };
        };
        let bytes = media::read_whole(file, LARGEST_FILE)?;
        let hash = Sha256::digest(&*bytes).into();
        let as_is = |form, (width, height), orientation, profile| Picture {
            drawn: Drawn::Itself(content.clone()),
            hash,
            form,
            width,
            height,
            orientation,
            profile,
            film: false,
        };
        let as_it_is = match kind {
            Kind::Jpeg => {
                let mut jpeg = parse_jpeg(&bytes)?;
                jpeg.passes_through().then(|| {
                    let (size, orientation) = ((jpeg.width, jpeg.height), jpeg.orientation);
                    let icc = jpeg.icc.take();
                    let profile = icc.and_then(|icc| Profile::keep(&icc, jpeg.components, derived));
                    as_is(Form::Jpeg(jpeg), size, orientation, profile)
                })
            }
            Kind::Png => {
                let mut png = parse_png(&bytes)?;
                png.passes_through().then(|| {
                    let size = (png.width, png.height);
                    let icc = png.icc.take();
                    let profile = icc.and_then(|icc| Profile::keep(&icc, png.color_channels(), derived));
                    as_is(Form::Png(png), size, Orientation::default(), profile)
                })
            }
            _ => None,
        };
        match as_it_is {
            Some(picture) if edge.is_none_or(|edge| picture.width.max(picture.height) <= edge) => Ok(picture),
            // Unless that makes more of it: what fewer pixels cannot make shorter, and what cannot be decoded, stays.
            Some(picture) => {
                let smaller = Picture::derive(&bytes, kind, hash, edge, derived).ok();
                Ok(smaller.filter(|smaller| smaller.length() < bytes.len() as u64).unwrap_or(picture))
            }
            None => Picture::derive(&bytes, kind, hash, edge, derived),
        }
    }

    fn derive(
        bytes: &[u8],
        kind: Kind,
        hash: [u8; 32],
        edge: Option<u32>,
        derived: &Derived,
    ) -> Result<Picture, Undrawable> {
        let form = format!("{}-v{VERSION}", edge.unwrap_or(0));
        let path = derived.get(&hash, &form, || {
            let pixels = match still::decode(bytes, edge) {
                // An animated sticker may have no still picture: its first frame.
                Err(why @ Undecodable::Unknown(_)) if kind == Kind::Heif => {
                    media::poster(Cursor::new(bytes)).map_err(|_| why)?
                }
                decoded => decoded?,
            };
            // What was stored without loss is drawn without loss.
            if pixels.opaque && kind != Kind::Png {
                still::to_jpeg(&pixels, QUALITY, None)
            } else {
                Rows::of(&pixels).map_err(|_| Undecodable::Damaged)
            }
        })?;
        let mut head = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(Rows::HEAD as u64).read_to_end(&mut head))
            .map_err(|_| Undrawable::Unreadable)?;
        let (form, width, height) = match Rows::read(&head) {
            Some(rows) => {
                let (width, height) = (rows.width, rows.height);
                (Form::Rows(rows), width, height)
            }
            None => {
                let made = std::fs::read(&path).map_err(|_| Undrawable::Unreadable)?;
                let jpeg = parse_jpeg(&made)?;
                (Form::Shrunk, jpeg.width, jpeg.height)
            }
        };
        Ok(Picture::made(path, hash, form, (width, height)))
    }

    /// The first picture of a film; of a film that is not decoded, why.
    fn poster(content: &dyn Bytes, hash: Option<&str>, derived: &Derived) -> Result<Picture, Undrawable> {
        let name = content.name();
        let name = hash.map_or(name.as_os_str().as_encoded_bytes(), str::as_bytes);
        let made = derived.get(&Sha256::digest(name).into(), &format!("poster-v{VERSION}"), || {
            let film = content.open().map_err(|_| Undecodable::Unreadable)?;
            let pixels = media::poster(film)?;
            still::to_jpeg(&pixels, QUALITY, None)
        });
        let made = made.map_err(|why| match why {
            Undecodable::Damaged => Undrawable::Damaged("the film is damaged"),
            Undecodable::TooLarge => Undrawable::NotShown("the film is too large to be shown here".into()),
            why => why.into(),
        })?;
        let bytes = std::fs::read(&made).map_err(|_| Undrawable::Unreadable)?;
        let jpeg = parse_jpeg(&bytes)?;
        let hash = Sha256::digest(&bytes).into();
        Ok(Picture { film: true, ..Picture::made(made, hash, Form::Shrunk, (jpeg.width, jpeg.height)) })
    }

    /// Of a file that was made here.
    fn made(path: PathBuf, hash: [u8; 32], form: Form, (width, height): (u32, u32)) -> Picture {
        let (orientation, profile, film) = (Orientation::default(), None, false);
        let drawn = Drawn::Made(path);
        Picture { drawn, hash, form, width, height, orientation, profile, film }
    }

    /// Bytes of what goes into the document.
    fn length(&self) -> u64 {
        self.drawn.length().unwrap_or(u64::MAX)
    }

    /// Width and height in pixels, upright.
    pub fn size(&self) -> (u32, u32) {
        if self.orientation.swaps() { (self.height, self.width) } else { (self.width, self.height) }
    }

    /// Writes the picture as an image object.
    pub fn write<W: Write>(&self, id: Ref, profiles: &mut Profiles, file: &mut PdfFile<W>) -> io::Result<()> {
        let mut dict =
            format!("/Type /XObject /Subtype /Image /Width {} /Height {}", self.width, self.height);
        // What cannot be read any more is filled up with zeros.
        let content = |from: u64| -> Box<dyn Read> {
            let opened = self.drawn.open().and_then(|mut content| {
                content.seek(SeekFrom::Start(from))?;
                Ok(content)
            });
            match opened {
                Ok(content) => Box::new(content),
                Err(_) => Box::new(io::empty()),
            }
        };
        match &self.form {
            Form::Jpeg(_) | Form::Shrunk => {
                let channels = if let Form::Jpeg(jpeg) = &self.form { jpeg.components } else { 3 };
                let space = profiles.color_space(self.profile.as_ref(), channels, file)?;
                dict += &format!(" /ColorSpace {space} /BitsPerComponent 8 /Filter /DCTDecode");
                let length = self.drawn.length().unwrap_or(0);
                file.stream_from(id, &dict, length, content(0))
            }
            Form::Png(png) => {
                let base = profiles.color_space(self.profile.as_ref(), png.color_channels(), file)?;
                dict += &format!(" /ColorSpace {}", png.color_space(&base));
                dict += &predictor(png.channels(), png.depth, png.width);
                let mut bytes = Vec::new();
                if content(0).read_to_end(&mut bytes).is_err() {
                    bytes.clear();
                }
                file.stream(id, &dict, &png.data(&bytes))
            }
            Form::Rows(rows) => {
                let colors_at = Rows::HEAD as u64;
                if rows.mask > 0 {
                    let mask = file.reserve();
                    let mask_dict = format!("{dict} /ColorSpace /DeviceGray{}", predictor(1, 8, rows.width));
                    file.stream_from(mask, &mask_dict, rows.mask, content(colors_at + rows.colors))?;
                    dict += &format!(" /SMask {} 0 R", mask.get());
                }
                dict += if rows.gray { " /ColorSpace /DeviceGray" } else { " /ColorSpace /DeviceRGB" };
                dict += &predictor(if rows.gray { 1 } else { 3 }, 8, rows.width);
                file.stream_from(id, &dict, rows.colors, content(colors_at))
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

/// A derived file of compressed rows: this head, then the colors, then the mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rows {
    width: u32,
    height: u32,
    gray: bool,
    /// Bytes of the compressed colors.
    colors: u64,
    /// Bytes of the compressed mask; 0 where everything is opaque.
    mask: u64,
}

impl Rows {
    const MAGIC: &[u8; 7] = b"msgrows";
    /// Bytes of the head.
    const HEAD: usize = 32;

    /// Makes such a file.
    fn of(pixels: &Pixels) -> io::Result<Vec<u8>> {
        let width = pixels.width as usize;
        let (rgba, _) = pixels.rgba.as_chunks::<4>();
        // Of what cannot be seen the color does not matter, and black is short.
        let seen = |[r, g, b, a]: &[u8; 4]| if *a == 0 { [0; 3] } else { [*r, *g, *b] };
        let gray = rgba.iter().map(seen).all(|[r, g, b]| r == g && g == b);
        let colors = if gray {
            let bytes: Vec<u8> = rgba.iter().map(|pixel| seen(pixel)[0]).collect();
            deflate(&filter_up(&bytes, width))?
        } else {
            let bytes: Vec<u8> = rgba.iter().flat_map(seen).collect();
            deflate(&filter_up(&bytes, width * 3))?
        };
        let mask = if pixels.opaque {
            Vec::new()
        } else {
            let bytes: Vec<u8> = rgba.iter().map(|[.., a]| *a).collect();
            deflate(&filter_up(&bytes, width))?
        };
        let mut file = Vec::with_capacity(Rows::HEAD + colors.len() + mask.len());
        file.extend_from_slice(Rows::MAGIC);
        file.push(u8::from(gray));
        file.extend_from_slice(&pixels.width.to_le_bytes());
        file.extend_from_slice(&pixels.height.to_le_bytes());
        file.extend_from_slice(&(colors.len() as u64).to_le_bytes());
        file.extend_from_slice(&(mask.len() as u64).to_le_bytes());
        file.extend_from_slice(&colors);
        file.extend_from_slice(&mask);
        Ok(file)
    }

    /// Reads the head. `None` is something else.
    fn read(head: &[u8]) -> Option<Rows> {
        let (gray, numbers) = head.strip_prefix(Rows::MAGIC)?.split_first()?;
        let (width, numbers) = numbers.split_first_chunk()?;
        let (height, numbers) = numbers.split_first_chunk()?;
        let (colors, numbers) = numbers.split_first_chunk()?;
        let mask = numbers.first_chunk()?;
        Some(Rows {
            width: u32::from_le_bytes(*width),
            height: u32::from_le_bytes(*height),
            gray: *gray == 1,
            colors: u64::from_le_bytes(*colors),
            mask: u64::from_le_bytes(*mask),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_fills_the_same_rectangle() {
        for value in 0..=9 {
            let [a, b, c, d, e, f] = matrix(Orientation::from_exif(value), 10.0, 20.0, 300.0, 200.0);
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
        let [a, b, c, d, e, f] = matrix(Orientation::from_exif(6), 0.0, 0.0, 2.0, 3.0);
        assert_eq!((a * 0.0 + c * 1.0 + e, b * 0.0 + d * 1.0 + f), (2.0, 3.0));
    }

    #[test]
    fn a_quarter_turn_clockwise() {
        // The upper left corner comes to the upper right, around the center.
        let upright = matrix(Orientation::default(), -2.0, -1.0, 4.0, 2.0);
        let [a, b, c, d, e, f] = turned(upright, std::f32::consts::FRAC_PI_2, 10.0, 20.0);
        let at = |x: f32, y: f32| [a * x + c * y + e, b * x + d * y + f].map(|v| (v * 100.0).round() / 100.0);
        assert_eq!((at(0.0, 1.0), at(1.0, 1.0), at(0.0, 0.0)), ([11.0, 22.0], [11.0, 18.0], [9.0, 22.0]));
    }

    #[test]
    fn a_head_says_where_the_rows_are() {
        let rgba = vec![7, 7, 7, 255, 1, 2, 3, 0, 9, 9, 9, 128, 8, 8, 8, 255];
        let file = Rows::of(&Pixels { width: 2, height: 2, rgba, opaque: false }).unwrap();
        let rows = Rows::read(&file[..Rows::HEAD]).unwrap();
        assert_eq!((rows.width, rows.height, rows.gray), (2, 2, true));
        assert!(rows.mask > 0);
        assert_eq!(Rows::HEAD as u64 + rows.colors + rows.mask, file.len() as u64);
        assert_eq!(Rows::read(&[0xff; 64]), None);
        assert_eq!(Rows::read(&file[..20]), None);
    }

    #[test]
    fn rows_are_differences() {
        assert_eq!(filter_up(&[1, 2, 3, 5], 2), [2, 1, 2, 2, 2, 3]);
    }
}
