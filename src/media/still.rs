//! Still pictures → pixels: HEIC, PNG, JPEG, GIF and WebP, by what their bytes are. Of an animation the first frame.
//!
//! The decoders are other people's and the bytes are anybody's: every call is fenced against panics, the size is looked
//! at before a pixel is decoded, and all workers together hold a bounded number of bytes.
//!
//! **Must never**: trust a name, decode more pixels than [`MOST_PIXELS`], or allocate by a size that so few bytes
//! cannot mean.

mod gif;
mod heif;
mod jpeg;
mod kind;
mod png;
mod tiles;
mod webp;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::budget::PICTURES;
use super::color::{Space, to_srgb};
use super::exif::Orientation;
use super::{Decoded, Pixels, Undecodable, fenced};

pub use kind::{HEAD, Kind, kind};

/// Larger pictures are not decoded; where they carry a smaller one of themselves, that is taken.
pub const MOST_PIXELS: u64 = 120_000_000;
/// So many pixels may come from however few bytes: an even surface takes next to none.
const ALWAYS: u64 = 25_000_000;
/// More come from at least a byte for so many. A 48-megapixel photo has a byte for some ten.
const MOST_PIXELS_A_BYTE: u64 = 4_096;
/// Bytes a pixel of a HEIC that is not made of tiles, or not only: turned, or with a transparency of its own.
const UNTILED: u64 = 14;
/// Bytes of what grows little with a picture: tables, a few rows, a profile.
const BESIDE: u64 = 500_000;

/// What a decoder gives: pixels as stored, and what it takes to show them.
struct Raw {
    width: u32,
    height: u32,
    samples: Samples,
    space: Space,
    orientation: Orientation,
}

/// What a decoder gives of each pixel. Photos stay without alpha until they are small: large as they are, a third more of
/// them, and a second copy, would be most of what is held.
enum Samples {
    Rgb(Vec<u8>),
    Rgba(Vec<u8>),
}

impl Samples {
    fn bytes(&self) -> (&[u8], PixelType) {
        match self {
            Samples::Rgb(bytes) => (bytes, PixelType::U8x3),
            Samples::Rgba(bytes) => (bytes, PixelType::U8x4),
        }
    }

    fn is_opaque(&self) -> bool {
        match self {
            Samples::Rgb(_) => true,
            Samples::Rgba(bytes) => bytes.as_chunks::<4>().0.iter().all(|[.., alpha]| *alpha == 255),
        }
    }

    fn into_rgba(self) -> Vec<u8> {
        match self {
            Samples::Rgba(bytes) => bytes,
            Samples::Rgb(bytes) => {
                bytes.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect()
            }
        }
    }
}

/// Decodes a picture, not larger than `edge` pixels in width and height where one is given. Waits while others hold much.
///
/// # Errors
/// [`Undecodable`].
pub fn decode(bytes: &[u8], edge: Option<u32>) -> Result<Decoded, Undecodable> {
    let plan = plan(bytes)?;
    let claim = PICTURES.claim(plan.most(edge));
    let raw = fenced(|| match plan.kind {
        Kind::Heif if plan.is_thumbnail => heif::thumbnail(bytes),
        Kind::Heif => heif::decode(bytes, plan.width, plan.height),
        Kind::Png => png::decode(bytes),
        Kind::Jpeg => jpeg::decode(bytes),
        Kind::Gif => gif::decode(bytes),
        Kind::WebP => webp::decode(bytes),
        other => Err(Undecodable::Unknown(other.words())),
    })?;
    Ok(Decoded::new(finish(raw, edge)?, claim))
}

/// How many bytes [`decode`] holds at most, beside those that it is given, and what is made of its pixels then.
///
/// # Errors
/// [`Undecodable`], as far as the beginning of a picture says that it is.
pub fn most_held(bytes: &[u8], edge: Option<u32>) -> Result<u64, Undecodable> {
    plan(bytes).map(|plan| plan.most(edge))
}

/// Looks at what a picture says of itself. What is not decoded is refused, before anything is allocated for it.
fn plan(bytes: &[u8]) -> Result<Plan, Undecodable> {
    let kind = kind(bytes).ok_or(Undecodable::OtherKind)?;
    let (width, height) = fenced(|| match kind {
        Kind::Heif => heif::size(bytes),
        Kind::Png => png::size(bytes),
        Kind::Jpeg => jpeg::size(bytes),
        Kind::Gif => gif::size(bytes),
        Kind::WebP => webp::size(bytes),
        other => Err(Undecodable::Unknown(other.words())),
    })?;
    let pixels = u64::from(width) * u64::from(height);
    let mut plan = Plan { kind, width, height, is_thumbnail: false, decoding: 0, channels: 4 };
    if pixels == 0 {
        return Err(Undecodable::Damaged);
    }
    if pixels > MOST_PIXELS {
        plan.is_thumbnail = kind == Kind::Heif;
        plan.decoding = heif::THUMBNAIL * UNTILED;
        return if plan.is_thumbnail { Ok(plan) } else { Err(Undecodable::TooLarge) };
    }
    if pixels > ALWAYS && pixels / MOST_PIXELS_A_BYTE > bytes.len() as u64 {
        return Err(Undecodable::Damaged);
    }
    (plan.decoding, plan.channels) = fenced(|| {
        Ok(match kind {
            Kind::Heif => match tiles::one(bytes) {
                Some(tile) => (3 * pixels + tile, 3),
                None => (UNTILED * pixels, 4),
            },
            Kind::Jpeg => (3 * pixels + jpeg::coefficients(bytes), 3),
            Kind::Gif => (5 * pixels + gif::frame(bytes), 4),
            // Gray becomes colors; some WebP is decoded into another picture first.
            _ => (8 * pixels, 4),
        })
    })?;
    Ok(plan)
}

/// What is to be decoded, and what it takes.
struct Plan {
    kind: Kind,
    width: u32,
    height: u32,
    /// The smaller picture in it is taken.
    is_thumbnail: bool,
    /// Bytes that the decoder holds, with what it gives.
    decoding: u64,
    /// Bytes of each pixel that it gives.
    channels: u64,
}

impl Plan {
    /// The most bytes at any time.
    fn most(&self, edge: Option<u32>) -> u64 {
        let Plan { width, height, .. } = *self;
        if self.is_thumbnail {
            return self.decoding;
        }
        let pixels = u64::from(width) * u64::from(height);
        let (smaller_width, smaller_height) = fitted(width, height, edge).unwrap_or((width, height));
        let smaller = u64::from(smaller_width) * u64::from(smaller_height);
        let finishing = if (smaller_width, smaller_height) == (width, height) {
            // Turned, or given an alpha.
            8 * pixels
        } else {
            // Its pixels, those with alpha once more; rows that are made narrower before they become fewer; those.
            let again = if self.channels == 4 { 4 * pixels } else { 0 };
            self.channels * (pixels + u64::from(smaller_width) * u64::from(height) + smaller) + again
        };
        self.decoding.max(finishing).max(smaller * Decoded::MAKING) + BESIDE
    }
}

/// Pixels → JPEG, `quality` from 1 to 100, with `exif` (a TIFF structure) where that fits. Transparency is lost.
///
/// # Errors
/// [`Undecodable::TooLarge`] where a JPEG has no room for so many columns or rows.
pub fn to_jpeg(pixels: &Pixels, quality: u8, exif: Option<&[u8]>) -> Result<Vec<u8>, Undecodable> {
    fenced(|| jpeg::encode(pixels, quality, exif).ok_or(Undecodable::TooLarge))
}

/// Pixels → PNG.
///
/// # Errors
/// [`Undecodable::TooLarge`] where a PNG has no room for them.
pub fn to_png(pixels: &Pixels) -> Result<Vec<u8>, Undecodable> {
    fenced(|| png::encode(pixels).ok_or(Undecodable::TooLarge))
}

/// Whether a HEIC has transparency of its own.
pub(super) fn heif_has_alpha(bytes: &[u8]) -> bool {
    fenced(|| Ok(heif::has_alpha(bytes))).unwrap_or(false)
}

/// The EXIF data of a HEIC, as a TIFF structure.
pub(super) fn heif_exif(bytes: &[u8]) -> Option<Vec<u8>> {
    fenced(|| Ok(heif::exif(bytes))).ok().flatten()
}

/// Smaller first: all that follows is then cheap.
fn finish(raw: Raw, edge: Option<u32>) -> Result<Pixels, Undecodable> {
    let Raw { mut width, mut height, mut samples, space, orientation } = raw;
    let (bytes, kind) = samples.bytes();
    let length = u64::from(width) * u64::from(height) * kind.size() as u64;
    if length == 0 || bytes.len() as u64 != length {
        return Err(Undecodable::Damaged);
    }
    let opaque = samples.is_opaque();
    if let Some((smaller_width, smaller_height)) = fitted(width, height, edge) {
        samples = fenced(|| resize(samples, (width, height), (smaller_width, smaller_height), opaque))?;
        (width, height) = (smaller_width, smaller_height);
    }
    let mut rgba = samples.into_rgba();
    // Not fenced by `to_srgb` itself: a profile is as hostile as the rest.
    fenced(|| {
        to_srgb(&mut rgba, &space);
        Ok(())
    })?;
    Ok(orientation.apply(Pixels { width, height, rgba, opaque }))
}

/// The size of a picture with no side longer than `edge`; `None` where it has that.
fn fitted(width: u32, height: u32, edge: Option<u32>) -> Option<(u32, u32)> {
    let edge = edge.filter(|edge| width.max(height) > *edge)?;
    let scale = f64::from(edge.max(1)) / f64::from(width.max(height));
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    Some((side(width), side(height)))
}

fn resize(samples: Samples, from: (u32, u32), to: (u32, u32), opaque: bool) -> Result<Samples, Undecodable> {
    let (bytes, kind) = samples.bytes();
    let source = ImageRef::new(from.0, from.1, bytes, kind).map_err(|_| Undecodable::Damaged)?;
    let mut target = Image::new(to.0, to.1, kind);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        // Else the colors of what cannot be seen would bleed into what can.
        .use_alpha(!opaque);
    Resizer::new().resize(&source, &mut target, &options).map_err(|_| Undecodable::Damaged)?;
    let smaller = target.into_vec();
    Ok(match samples {
        Samples::Rgb(_) => Samples::Rgb(smaller),
        Samples::Rgba(_) => Samples::Rgba(smaller),
    })
}
