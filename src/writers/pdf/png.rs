//! PNG: its structure, to pass the compressed rows on as they are, and its pixels where that cannot be done.

use std::io::Cursor;
use std::ops::Range;

/// The first eight bytes.
pub const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// Larger pictures are not decoded.
const MOST_PIXELS: u64 = 50_000_000;

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
    /// Where the compressed rows are.
    data: Vec<Range<usize>>,
}

/// Pixels, 8 bits a sample.
#[derive(Debug)]
pub struct Decoded {
    pub width: u32,
    pub height: u32,
    pub gray: bool,
    /// One or three bytes a pixel.
    pub color: Vec<u8>,
    /// One byte a pixel, where not all are opaque.
    pub alpha: Option<Vec<u8>>,
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

    /// A part of the image dictionary.
    pub fn color_space(&self) -> String {
        match self.color {
            0 => " /ColorSpace /DeviceGray".into(),
            3 => {
                let colors: String = self.palette.iter().map(|byte| format!("{byte:02x}")).collect();
                let last = (self.palette.len() / 3).saturating_sub(1);
                format!(" /ColorSpace [/Indexed /DeviceRGB {last} <{colors}>]")
            }
            _ => " /ColorSpace /DeviceRGB".into(),
        }
    }

    /// The compressed rows, out of the file's bytes.
    pub fn data(&self, bytes: &[u8]) -> Vec<u8> {
        self.data.iter().filter_map(|range| bytes.get(range.clone())).flatten().copied().collect()
    }
}

/// Walks through the chunks and checks them; the error says what is wrong, for people.
pub fn parse(bytes: &[u8]) -> Result<Png, &'static str> {
    const DAMAGED: &str = "the picture is damaged";
    let mut png: Option<Png> = None;
    let mut at = SIGNATURE.len();
    loop {
        let head: [u8; 8] = bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).ok_or(DAMAGED)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = &head[4..];
        let body = at + 8..at + 8 + length;
        let content = bytes.get(body.clone()).ok_or("the picture is damaged: its end is missing")?;
        let sum = bytes.get(body.end..body.end + 4).ok_or(DAMAGED)?;
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(content);
        if crc.sum().to_be_bytes() != sum {
            return Err(DAMAGED);
        }
        match (kind, &mut png) {
            (b"IHDR", None) => png = Some(header(content).ok_or(DAMAGED)?),
            (b"CgBI", None) => return Err("pictures of this kind of PNG cannot be shown here"),
            (b"PLTE", Some(png)) if content.len() <= 768 => png.palette = content.to_vec(),
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
        return Err("the picture is damaged: its end is missing");
    }
    if !png.passes_through() && pixels > MOST_PIXELS {
        return Err("the picture is too large to be shown here");
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
        data: Vec::new(),
    })
}

/// Decodes the pixels. `None` when they are damaged.
pub fn decode(bytes: &[u8]) -> Option<Decoded> {
    let limits = png::Limits { bytes: 512 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().ok()?;
    let size = reader.output_buffer_size()?;
    if size as u64 > MOST_PIXELS * 4 {
        return None;
    }
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).ok()?;
    pixels.truncate(info.buffer_size());
    let gray = matches!(info.color_type, png::ColorType::Grayscale | png::ColorType::GrayscaleAlpha);
    let alpha = matches!(info.color_type, png::ColorType::Rgba | png::ColorType::GrayscaleAlpha);
    let channels = if gray { 1 } else { 3 };
    let (color, alpha) = if alpha {
        let mut color = Vec::with_capacity(pixels.len() / (channels + 1) * channels);
        let mut mask = Vec::with_capacity(pixels.len() / (channels + 1));
        for pixel in pixels.chunks_exact(channels + 1) {
            color.extend_from_slice(pixel.get(..channels)?);
            mask.extend_from_slice(pixel.get(channels..)?);
        }
        let opaque = mask.iter().all(|a| *a == 255);
        (color, (!opaque).then_some(mask))
    } else {
        (pixels, None)
    };
    Some(Decoded { width: info.width, height: info.height, gray, color, alpha })
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
    fn opaque_ones_pass_through_and_others_are_decoded() {
        let opaque = parse(&sample(png::ColorType::Rgb, &[9; 12])).unwrap();
        assert!(opaque.passes_through());
        assert_eq!(opaque.channels(), 3);
        let bytes = sample(png::ColorType::Rgba, &[1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 255]);
        assert!(!parse(&bytes).unwrap().passes_through());
        let decoded = decode(&bytes).unwrap();
        assert_eq!(decoded.alpha.unwrap(), [4, 4, 4, 255]);
        assert_eq!(decoded.color.len(), 12);
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
