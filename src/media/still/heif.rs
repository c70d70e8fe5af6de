//! HEIC and HEIF (ISO/IEC 23008-12).
//!
//! The container's own crop, rotation and mirroring are applied by the decoder. The EXIF orientation must then not be
//! looked at: cameras write both, for the same turn.

use heifer::heifer_isobmff::boxes::{ColorInfo, Property};
use heifer::heifer_isobmff::{HeifFile, ItemId};
use heifer::{Error, Image, Options};

use super::super::color::Space;
use super::{MOST_PIXELS, Orientation, Raw, Samples, Undecodable, tiles};

/// A picture smaller than its tiles is decoded tile by tile all the same.
const LARGEST_TILE: u64 = 2_048 * 2_048;
/// Pixels of the smaller picture inside that is taken.
pub const THUMBNAIL: u64 = 4_000_000;

pub(super) fn trouble(error: Error) -> Undecodable {
    match error {
        Error::Unsupported(_) => Undecodable::Unknown("HEIC images of this kind"),
        _ => Undecodable::Damaged,
    }
}

pub(super) fn open(bytes: &[u8]) -> Result<HeifFile<'_>, Undecodable> {
    HeifFile::parse(bytes).map_err(|_| match has_still(bytes) {
        true => Undecodable::Damaged,
        false => Undecodable::Unknown("HEIC animations without a still picture"),
    })
}

/// Whether there is a `meta` box, at least where the boxes lead.
fn has_still(bytes: &[u8]) -> bool {
    let mut at = 0_usize;
    loop {
        let Some([s3, s2, s1, s0, name @ ..]) = bytes.get(at..at.saturating_add(8)) else { return false };
        let size = u32::from_be_bytes([*s3, *s2, *s1, *s0]) as usize;
        match name {
            b"meta" => return true,
            b"moov" => return false,
            // To the end, or 64 bits of size: whatever follows is too much to be looked for.
            _ if size < 8 => return true,
            _ => at = at.saturating_add(size),
        }
    }
}

/// Width and height as declared, not turned, not cropped.
pub fn size(bytes: &[u8]) -> Result<(u32, u32), Undecodable> {
    let file = open(bytes)?;
    let id = file.primary_id;
    let (width, height) = file.image_size(id).ok().flatten().ok_or(Undecodable::Damaged)?;
    match file.grid(id) {
        Ok(grid) => Ok((width.max(grid.output_width), height.max(grid.output_height))),
        Err(_) => Ok((width, height)),
    }
}

/// `width` and `height` are what [`size`] gave.
pub fn decode(bytes: &[u8], width: u32, height: u32) -> Result<Raw, Undecodable> {
    if let Some(tiles) = tiles::of(&open(bytes)?) {
        let (rgb, orientation) = tiles.decode()?;
        return Ok(Raw { orientation, ..raw(bytes, width, height, Samples::Rgb(rgb)) });
    }
    // HEVC codes whole blocks: a little more than what is declared, and not more than that.
    let coded = u64::from(width).saturating_add(128).saturating_mul(u64::from(height).saturating_add(128));
    let max_pixels = coded.clamp(LARGEST_TILE, MOST_PIXELS + MOST_PIXELS / 8);
    // One thread: the workers are busy with other pictures.
    let options = Options { max_threads: 1, max_pixels };
    let Image { width, height, data, .. } = heifer::decode_rgba8(bytes, &options).map_err(trouble)?;
    Ok(raw(bytes, width, height, Samples::Rgba(data)))
}

/// The smaller picture inside, where the picture itself is too large.
pub fn thumbnail(bytes: &[u8]) -> Result<Raw, Undecodable> {
    let file = open(bytes)?;
    let thumbnails = file.referencing_items(file.primary_id, b"thmb");
    let fits = |id: &ItemId| {
        let size = file.image_size(*id).ok().flatten();
        size.is_some_and(|(w, h)| u64::from(w) * u64::from(h) <= THUMBNAIL)
    };
    if thumbnails.is_empty() || !thumbnails.iter().all(fits) {
        return Err(Undecodable::TooLarge);
    }
    let small = heifer::decode_thumbnail(bytes).map_err(trouble)?.ok_or(Undecodable::TooLarge)?;
    let (width, height) = (small.width, small.height);
    Ok(raw(bytes, width, height, Samples::Rgba(small.to_rgba8())))
}

fn raw(bytes: &[u8], width: u32, height: u32, samples: Samples) -> Raw {
    let space = open(bytes).map(|file| space(&file)).unwrap_or_default();
    Raw { width, height, samples, space, orientation: Orientation::default() }
}

fn space(file: &HeifFile<'_>) -> Space {
    let id = file.primary_id;
    if let Ok(Some(icc)) = file.icc_profile(id) {
        return Space::Icc(icc.to_vec());
    }
    let primaries = file.item_properties(id).ok().and_then(|mut properties| {
        properties.find_map(|property| match property {
            Property::Color(ColorInfo::Nclx { primaries, .. }) => Some(*primaries),
            _ => None,
        })
    });
    // ITU-T H.273, table 2: SMPTE EG 432-1, which is Display P3.
    if primaries == Some(12) { Space::DisplayP3 } else { Space::Standard }
}

/// Whether the picture has a transparency of its own.
pub fn has_alpha(bytes: &[u8]) -> bool {
    let Ok(file) = open(bytes) else { return false };
    let is_alpha = |id: &ItemId| {
        file.item_properties(*id).is_ok_and(|mut properties| {
            properties.any(|property| matches!(property, Property::AuxiliaryType(kind) if is_alpha(kind)))
        })
    };
    file.referencing_items(file.primary_id, b"auxl").iter().any(is_alpha)
}

/// Whether an auxiliary picture of this type is the transparency of another.
pub(super) fn is_alpha(kind: &str) -> bool {
    matches!(kind, "urn:mpeg:hevc:2015:auxid:1" | "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
}

/// The EXIF data, as a TIFF structure.
pub fn exif(bytes: &[u8]) -> Option<Vec<u8>> {
    heifer::read_metadata(bytes).ok()?.exif
}
