//! PNG: its structure, to pass the compressed rows on as they are.

use std::ops::Range;

use super::icc;
use super::image::Undrawable;

/// The first eight bytes.
const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
const DAMAGED: Undrawable = Undrawable::Damaged("the picture is damaged");

/// No byte of deflated data stands for more bytes than this (zlib's technical details).
const DEFLATE_MOST: u64 = 1_032;

/// A PNG that can be drawn.
#[derive(Debug)]
pub struct Png {
    pub width: u32,
    pub height: u32,
    /// Bits a sample.
    pub depth: u8,
    color: u8,
    interlaced: bool,
    transparent: bool,
    palette: Vec<u8>,
    /// The color profile, unpacked.
    pub icc: Option<Vec<u8>>,
    /// Where the compressed rows are.
    data: Vec<Range<usize>>,
}

impl Png {
    /// PDF knows PNG's compression and filters, but neither interlacing nor transparency.
    pub fn passes_through(&self) -> bool {
        !self.interlaced && !self.transparent && matches!(self.color, 0 | 2 | 3)
    }

    /// Samples a pixel.
    pub fn channels(&self) -> u8 {
        if self.color == 2 { 3 } else { 1 }
    }

    /// The channels of its colors, which a palette has three of.
    pub fn color_channels(&self) -> u8 {
        if self.color == 0 { 1 } else { 3 }
    }

    /// The color space, where the colors themselves are in `base`.
    pub fn color_space(&self, base: &str) -> String {
        match self.color {
            3 => {
                let colors: String = self.palette.iter().map(|byte| format!("{byte:02x}")).collect();
                let last = (self.palette.len() / 3).saturating_sub(1);
                format!("[/Indexed {base} {last} <{colors}>]")
            }
            _ => base.into(),
        }
    }

    /// The compressed rows, out of the file's bytes.
    pub fn data(&self, bytes: &[u8]) -> Vec<u8> {
        self.data.iter().filter_map(|range| bytes.get(range.clone())).flatten().copied().collect()
    }
}

/// Walks through the chunks and checks them.
pub fn parse(bytes: &[u8]) -> Result<Png, Undrawable> {
    const CUT: Undrawable = Undrawable::Damaged("the picture is damaged: its end is missing");
    let mut png: Option<Png> = None;
    let mut at = SIGNATURE.len();
    loop {
        let head: [u8; 8] = bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).ok_or(DAMAGED)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = &head[4..];
        let body = at + 8..at + 8 + length;
        let content = bytes.get(body.clone()).ok_or(CUT)?;
        let sum = bytes.get(body.end..body.end + 4).ok_or(DAMAGED)?;
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(content);
        if crc.sum().to_be_bytes() != sum {
            return Err(DAMAGED);
        }
        match (kind, &mut png) {
            (b"IHDR", None) => png = Some(header(content).ok_or(DAMAGED)?),
            (b"CgBI", None) => {
                return Err(Undrawable::NotShown("PNG images of this kind cannot be shown here".into()));
            }
            (b"PLTE", Some(png)) if content.len() <= 768 => png.palette = content.to_vec(),
            (b"iCCP", Some(png)) => png.icc = icc::of_png(content),
            (b"tRNS", Some(png)) => png.transparent = true,
            (b"IDAT", Some(png)) => png.data.push(body.clone()),
            (b"IEND", _) => break,
            (_, None) => return Err(DAMAGED),
            _ => {}
        }
        at = body.end + 4;
    }
    let png = png.filter(|png| !png.data.is_empty()).ok_or(DAMAGED)?;
    if png.color == 3 && png.palette.len() < 3 {
        return Err(DAMAGED);
    }
    let pixels = u64::from(png.width) * u64::from(png.height);
    let compressed: u64 = png.data.iter().map(|range| range.len() as u64).sum();
    if pixels / 8 > compressed.saturating_mul(DEFLATE_MOST) {
        return Err(CUT);
    }
    Ok(png)
}

fn header(content: &[u8]) -> Option<Png> {
    let [w3, w2, w1, w0, h3, h2, h1, h0, depth, color, 0, 0, interlace] = *content else { return None };
    let (width, height) = (u32::from_be_bytes([w3, w2, w1, w0]), u32::from_be_bytes([h3, h2, h1, h0]));
    let allowed = match color {
        0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
        3 => matches!(depth, 1 | 2 | 4 | 8),
        2 | 4 | 6 => matches!(depth, 8 | 16),
        _ => false,
    };
    let side = 1..=100_000;
    (allowed && interlace <= 1 && side.contains(&width) && side.contains(&height)).then(|| Png {
        width,
        height,
        depth,
        color,
        interlaced: interlace == 1,
        transparent: matches!(color, 4 | 6),
        palette: Vec::new(),
        icc: None,
        data: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(color: png::ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
        encoder.set_color(color);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        bytes
    }

    #[test]
    fn opaque_ones_pass_through() {
        let opaque = parse(&sample(png::ColorType::Rgb, &[9; 12])).unwrap();
        assert!(opaque.passes_through());
        assert_eq!(opaque.channels(), 3);
        assert!(!parse(&sample(png::ColorType::Rgba, &[9; 16])).unwrap().passes_through());
    }

    #[test]
    fn a_size_that_the_data_cannot_fill_is_damage() {
        let mut bytes = sample(png::ColorType::Rgb, &[9; 12]);
        bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        assert!(parse(&bytes).is_err());
    }

    #[test]
    fn damage_is_noticed() {
        let whole = sample(png::ColorType::Rgb, &[9; 12]);
        for cut in 8..whole.len() {
            assert!(parse(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for at in 8..whole.len() - 12 {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            assert!(parse(&bytes).is_err(), "changed at {at}");
        }
    }
}
