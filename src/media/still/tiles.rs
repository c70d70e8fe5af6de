//! A HEIC of tiles, as iPhones make it, tile by tile: as colors alone, and turned only when it is smaller.
//!
//! Decoded as a whole, a photo is held with an alpha that it does not have, and once more while it is turned: almost three
//! times as much.
//!
//! **Must never**: decode a tile of more pixels than [`MOST_PIXELS`].

use heifer::color::{ColorParams, frame_to_rgba_into};
use heifer::heifer_hevc_dec::decoder::{DecodeOptions, decode_picture};
use heifer::heifer_isobmff::boxes::{ColorInfo, Property};
use heifer::heifer_isobmff::{HeifFile, ItemId};

use super::heif;
use super::{Orientation, Undecodable};

/// Of one tile. Those of iPhones have 512 × 512.
const MOST_PIXELS: u64 = 1_024 * 1_024;
/// Bytes of a pixel of one while it is decoded: samples of two bytes, what the decoder knows of them, and colors.
const HELD: u64 = 14;

/// A picture whose tiles are all of one size, with nothing to them but color.
pub struct Tiles<'f> {
    file: &'f HeifFile<'f>,
    ids: &'f [ItemId],
    columns: usize,
    /// Of a tile.
    tile: (usize, usize),
    /// Of the picture.
    size: (usize, usize),
    orientation: Orientation,
}

/// Bytes that are held of one tile of the picture in these bytes, if it is of tiles.
pub fn one(bytes: &[u8]) -> Option<u64> {
    let file = heif::open(bytes).ok()?;
    let (width, height) = of(&file)?.tile;
    Some((width as u64 + 64) * (height as u64 + 64) * HELD)
}

/// The tiles of a file's picture. `None`: it has none, or is more than that.
pub fn of<'f>(file: &'f HeifFile<'f>) -> Option<Tiles<'f>> {
    let whole = file.primary_id;
    let grid = file.grid(whole).ok()?;
    let ids = file.referenced_items(whole, b"dimg");
    let is_whole = ids.len() == usize::from(grid.rows) * usize::from(grid.columns);
    let (width, height) = file.image_size(*ids.first()?).ok()??;
    let small = (1..=MOST_PIXELS).contains(&(u64::from(width) * u64::from(height)));
    let alike =
        |id: &ItemId| is_plain(file, *id) && file.image_size(*id).ok().flatten() == Some((width, height));
    // Every pixel lies in a tile.
    let covered = u64::from(grid.columns) * u64::from(width) >= u64::from(grid.output_width)
        && u64::from(grid.rows) * u64::from(height) >= u64::from(grid.output_height);
    if !is_whole || !small || !covered || has_more(file, whole) || !ids.iter().all(alike) {
        return None;
    }
    Some(Tiles {
        file,
        ids,
        columns: grid.columns.into(),
        tile: (width as usize, height as usize),
        size: (grid.output_width as usize, grid.output_height as usize),
        orientation: orientation(file, whole)?,
    })
}

/// Whether a picture has others to it that change how it looks: transparency.
fn has_more(file: &HeifFile<'_>, id: ItemId) -> bool {
    !file.referencing_items(id, b"auxl").iter().all(|other| {
        file.item_properties(*other).is_ok_and(|mut properties| {
            properties.any(|property| match property {
                Property::AuxiliaryType(kind) => !heif::is_alpha(kind),
                _ => false,
            })
        })
    })
}

fn is_plain(file: &HeifFile<'_>, id: ItemId) -> bool {
    file.item(id).is_ok_and(|item| item.item_type.0 == *b"hvc1")
        && file.referencing_items(id, b"auxl").is_empty()
        && orientation(file, id) == Some(Orientation::default())
}

/// What the container turns. `None` for what is not one turn alone.
fn orientation(file: &HeifFile<'_>, id: ItemId) -> Option<Orientation> {
    let mut turns = file.item_properties(id).ok()?.filter_map(|property| match property {
        Property::CleanAperture { .. } => Some(None),
        // Anticlockwise, in quarters.
        Property::Rotation(0) => None,
        Property::Rotation(1) => Some(Some(8)),
        Property::Rotation(2) => Some(Some(3)),
        Property::Rotation(3) => Some(Some(6)),
        Property::Rotation(_) => Some(None),
        Property::Mirror(true) => Some(Some(4)),
        Property::Mirror(false) => Some(Some(2)),
        _ => None,
    });
    match (turns.next(), turns.next()) {
        (None, _) => Some(Orientation::default()),
        (Some(turn), None) => turn.map(Orientation::from_exif),
        _ => None,
    }
}

impl Tiles<'_> {
    /// Red, green, blue of each pixel, and how they are turned.
    pub fn decode(&self) -> Result<(Vec<u8>, Orientation), Undecodable> {
        let ((width, height), (tile_width, tile_height)) = (self.size, self.tile);
        let mut rgb = vec![0; width * height * 3];
        let mut rgba = vec![0; tile_width * tile_height * 4];
        for (number, id) in self.ids.iter().enumerate() {
            let (left, top) = (number % self.columns * tile_width, number / self.columns * tile_height);
            if left >= width || top >= height {
                continue;
            }
            // What is coded beyond the picture leaves no trace in it.
            let (columns, lines) = (tile_width.min(width - left), tile_height.min(height - top));
            self.tile(*id, (columns, lines), &mut rgba)?;
            let rows = rgb.chunks_exact_mut(width * 3).skip(top).take(lines);
            for (to, from) in rows.zip(rgba.chunks_exact(tile_width * 4)) {
                let to = to.get_mut(left * 3..(left + columns) * 3).unwrap_or_default();
                for (to, [colors @ .., _]) in
                    to.as_chunks_mut::<3>().0.iter_mut().zip(from.as_chunks::<4>().0)
                {
                    *to = *colors;
                }
            }
        }
        Ok((rgb, self.orientation))
    }

    /// Decodes so much of one tile into these rows, which have room for all of it.
    fn tile(&self, id: ItemId, (columns, lines): (usize, usize), rgba: &mut [u8]) -> Result<(), Undecodable> {
        let (width, height) = self.tile;
        let stream = self.file.hevc_bitstream(id).map_err(|_| Undecodable::Damaged)?;
        // HEVC codes whole blocks: a little more than what is declared.
        let max_pixels = (width as u64 + 128) * (height as u64 + 128);
        let options = DecodeOptions { max_pixels, ..DecodeOptions::default() };
        let frame = decode_picture(&stream, options).map_err(|why| heif::trouble(why.into()))?;
        if (frame.widths[0] as usize) < width || (frame.heights[0] as usize) < height {
            return Err(Undecodable::Damaged);
        }
        let named = self.file.item_properties(id).ok().and_then(|mut properties| {
            properties.find_map(|property| match property {
                Property::Color(ColorInfo::Nclx { matrix, full_range, .. }) => {
                    Some(ColorParams { matrix: *matrix, full_range: *full_range })
                }
                _ => None,
            })
        });
        let colors = named.unwrap_or_else(|| ColorParams::from_frame(&frame));
        let mut rows: Vec<&mut [u8]> = rgba.chunks_exact_mut(width * 4).collect();
        frame_to_rgba_into(&frame, colors, &mut rows, columns, lines);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Pixels;

    const QUICK: heifer::EncodeOptions = heifer::EncodeOptions { quality: 90, max_threads: 1 };

    /// Every pixel another one.
    fn colors(width: u32, height: u32) -> Vec<u8> {
        let at =
            |x: u32, y: u32| [(x * 255 / width) as u8, (y * 255 / height) as u8, (x * y % 97) as u8, 255];
        (0..height).flat_map(|y| (0..width).flat_map(move |x| at(x, y))).collect()
    }

    #[test]
    fn tiles_make_the_picture_that_the_decoder_makes() {
        let (width, height) = (1_100, 600);
        let bytes = heifer::encode_rgba8(width, height, &colors(width, height), &QUICK).unwrap();
        let file = heif::open(&bytes).unwrap();
        let (rgb, orientation) = of(&file).expect("made of tiles").decode().unwrap();
        assert_eq!(orientation, Orientation::default());
        let whole = heifer::decode_rgba8(&bytes, &heifer::Options::default()).unwrap();
        let expected: Vec<u8> =
            whole.data.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
        assert!(rgb == expected, "other pixels");
        assert_eq!(one(&bytes), Some((512 + 64) * (512 + 64) * HELD));
    }

    #[test]
    fn turned_as_the_decoder_turns() {
        let (width, height) = (40, 24);
        let bytes = heifer::encode_rgba8(width, height, &colors(width, height), &QUICK).unwrap();
        assert_eq!(one(&bytes), None);
        let decoded = |bytes: &[u8]| {
            let image = heifer::decode_rgba8(bytes, &heifer::Options::default()).unwrap();
            Pixels { width: image.width, height: image.height, rgba: image.data, opaque: true }
        };
        let upright = decoded(&bytes);
        // `pixi` says nothing that the decoder needs.
        let at = bytes.windows(4).position(|name| name == b"pixi").unwrap();
        for (name, value) in
            [(b"irot", 0), (b"irot", 1), (b"irot", 2), (b"irot", 3), (b"imir", 0), (b"imir", 1)]
        {
            let mut turned = bytes.clone();
            turned[at..at + 4].copy_from_slice(name);
            turned[at + 4] = value;
            let file = heif::open(&turned).unwrap();
            let orientation = orientation(&file, file.primary_id).unwrap();
            assert_eq!(orientation.apply(upright.clone()), decoded(&turned), "{value}");
        }
    }
}
