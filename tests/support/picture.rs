//! Pictures drawn by code, as PNG and as baseline JPEG.

/// Red, green, blue.
pub type Color = [u8; 3];

/// An RGB picture to paint on; coordinates are in pixels, the origin is at the top left.
#[derive(Debug, Clone)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pixels: Vec<Color>,
}

impl Canvas {
    pub fn new(width: usize, height: usize, color: Color) -> Self {
        Self { width, height, pixels: vec![color; width * height] }
    }

    /// Covers the rows from `top` to `bottom` with a vertical gradient.
    pub fn gradient(&mut self, top: usize, bottom: usize, from: Color, to: Color) -> &mut Self {
        for y in top..bottom.min(self.height) {
            let t = (y - top) as f32 / (bottom - top).max(1) as f32;
            let color = blend(from, to, t);
            self.pixels[y * self.width..(y + 1) * self.width].fill(color);
        }
        self
    }

    /// Paints wherever `inside` is at least 0, which is the distance to the edge in pixels: edges come out smooth.
    pub fn fill(&mut self, color: Color, inside: impl Fn(f32, f32) -> f32) -> &mut Self {
        for y in 0..self.height {
            for x in 0..self.width {
                let cover = (inside(x as f32 + 0.5, y as f32 + 0.5) + 0.5).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let pixel = &mut self.pixels[y * self.width + x];
                    *pixel = blend(*pixel, color, cover);
                }
            }
        }
        self
    }

    pub fn circle(&mut self, color: Color, x: f32, y: f32, radius: f32) -> &mut Self {
        self.fill(color, |px, py| radius - length(px - x, py - y))
    }

    pub fn ring(&mut self, color: Color, x: f32, y: f32, radius: f32, width: f32) -> &mut Self {
        self.fill(color, |px, py| width / 2.0 - (length(px - x, py - y) - radius).abs())
    }

    pub fn ellipse(&mut self, color: Color, x: f32, y: f32, rx: f32, ry: f32) -> &mut Self {
        self.fill(color, |px, py| (1.0 - length((px - x) / rx, (py - y) / ry)) * rx.min(ry))
    }

    pub fn rectangle(&mut self, color: Color, x: f32, y: f32, width: f32, height: f32) -> &mut Self {
        self.fill(color, |px, py| (px - x).min(x + width - px).min((py - y).min(y + height - py)))
    }

    /// A line with round ends.
    pub fn line(&mut self, color: Color, from: (f32, f32), to: (f32, f32), width: f32) -> &mut Self {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let square = (dx * dx + dy * dy).max(1e-6);
        self.fill(color, |px, py| {
            let t = (((px - from.0) * dx + (py - from.1) * dy) / square).clamp(0.0, 1.0);
            width / 2.0 - length(px - from.0 - t * dx, py - from.1 - t * dy)
        })
    }

    /// A convex polygon, its corners in clockwise order as seen.
    pub fn polygon(&mut self, color: Color, corners: &[(f32, f32)]) -> &mut Self {
        self.fill(color, |px, py| {
            let mut inside = f32::MAX;
            for (index, (x, y)) in corners.iter().enumerate() {
                let (nx, ny) = corners[(index + 1) % corners.len()];
                let (dx, dy) = (nx - x, ny - y);
                inside = inside.min((dx * (py - y) - dy * (px - x)) / length(dx, dy));
            }
            inside
        })
    }

    /// 8-bit RGB.
    pub fn to_png(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().expect("a header in memory");
        writer.write_image_data(self.pixels.as_flattened()).expect("pixels in memory");
        writer.finish().expect("an end in memory");
        out
    }

    /// Baseline JPEG, 4:4:4, with the tables of the standard's annex K; quality from 1 to 100.
    pub fn to_jpeg(&self, quality: u32) -> Vec<u8> {
        Jpeg::new(quality).encode(self)
    }

    /// Y, Cb, Cr around 0 of a pixel; those over the edge repeat it.
    fn ycc(&self, x: usize, y: usize) -> [f32; 3] {
        let at = y.min(self.height - 1) * self.width + x.min(self.width - 1);
        let [r, g, b] = self.pixels[at].map(f32::from);
        [
            0.299 * r + 0.587 * g + 0.114 * b - 128.0,
            -0.168_736 * r - 0.331_264 * g + 0.5 * b,
            0.5 * r - 0.418_688 * g - 0.081_312 * b,
        ]
    }
}

// Only arithmetic that every machine rounds alike, so that the same picture has the same bytes everywhere:
// no `hypot`, no `cos`.

fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// cos(n π / 16).
fn cosine(n: usize) -> f32 {
    const QUARTER: [f32; 9] = [
        1.0,
        0.980_785_3,
        0.923_879_5,
        0.831_469_6,
        0.707_106_77,
        0.555_570_24,
        0.382_683_43,
        0.195_090_32,
        0.0,
    ];
    match n % 32 {
        n @ 0..=8 => QUARTER[n],
        n @ 9..=16 => -QUARTER[16 - n],
        n @ 17..=24 => -QUARTER[n - 16],
        n => QUARTER[32 - n],
    }
}

fn blend(from: Color, to: Color, t: f32) -> Color {
    std::array::from_fn(|i| (f32::from(from[i]) + (f32::from(to[i]) - f32::from(from[i])) * t).round() as u8)
}

const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];
const LUMA: [u32; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17,
    22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78,
    87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
/// Codes of each length from 1 to 16, for the DC table.
const DC_LENGTHS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_VALUES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const AC_LENGTHS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d];
const AC_VALUES: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
    0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33,
    0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34,
    0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
    0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76,
    0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5,
    0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4,
    0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1,
    0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

/// A tiny baseline encoder: one quantization table and one pair of Huffman tables for all three channels.
struct Jpeg {
    quantum: [u8; 64],
    dc: [(u16, u8); 256],
    ac: [(u16, u8); 256],
    cosine: [[f32; 8]; 8],
    out: Vec<u8>,
    bits: u32,
    count: u32,
}

impl Jpeg {
    fn new(quality: u32) -> Self {
        let quality = quality.clamp(1, 100);
        let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        Self {
            quantum: LUMA.map(|q| ((q * scale + 50) / 100).clamp(1, 255) as u8),
            dc: codes(&DC_LENGTHS, &DC_VALUES),
            ac: codes(&AC_LENGTHS, &AC_VALUES),
            cosine: std::array::from_fn(|u| {
                std::array::from_fn(|x| {
                    let norm = if u == 0 { 0.353_553_4 } else { 0.5 };
                    norm * cosine((2 * x + 1) * u)
                })
            }),
            out: Vec::new(),
            bits: 0,
            count: 0,
        }
    }

    fn encode(mut self, picture: &Canvas) -> Vec<u8> {
        self.segment(0xd8, None);
        self.segment(0xe0, Some(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"));
        let mut table = vec![0];
        table.extend(ZIGZAG.map(|i| self.quantum[i as usize]));
        self.segment(0xdb, Some(&table));
        let (w, h) = ((picture.width as u16).to_be_bytes(), (picture.height as u16).to_be_bytes());
        let frame = [8, h[0], h[1], w[0], w[1], 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
        self.segment(0xc0, Some(&frame));
        self.segment(0xc4, Some(&[&[0x00][..], &DC_LENGTHS, &DC_VALUES].concat()));
        self.segment(0xc4, Some(&[&[0x10][..], &AC_LENGTHS, &AC_VALUES].concat()));
        self.segment(0xda, Some(&[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]));
        let mut previous = [0; 3];
        for top in (0..picture.height).step_by(8) {
            for left in (0..picture.width).step_by(8) {
                let pixels: [[f32; 3]; 64] = std::array::from_fn(|i| picture.ycc(left + i % 8, top + i / 8));
                for (channel, previous) in previous.iter_mut().enumerate() {
                    self.block(&pixels.map(|p| p[channel]), previous);
                }
            }
        }
        self.write(0x7f, 7);
        self.segment(0xd9, None);
        self.out
    }

    fn segment(&mut self, marker: u8, content: Option<&[u8]>) {
        self.out.extend([0xff, marker]);
        if let Some(content) = content {
            self.out.extend((content.len() as u16 + 2).to_be_bytes());
            self.out.extend(content);
        }
    }

    fn block(&mut self, pixels: &[f32; 64], previous: &mut i32) {
        let transform = |rows: &[f32; 64], cosine: &[[f32; 8]; 8]| -> [f32; 64] {
            // Transforms the rows and turns the square: twice makes both directions.
            std::array::from_fn(|i| (0..8).map(|x| cosine[i / 8][x] * rows[(i % 8) * 8 + x]).sum())
        };
        let frequencies = transform(&transform(pixels, &self.cosine), &self.cosine);
        let value = |i: u8| (frequencies[i as usize] / f32::from(self.quantum[i as usize])).round() as i32;
        let values = ZIGZAG.map(value);
        let (dc, ac) = (self.dc, self.ac);
        self.coefficient(&dc, 0, values[0] - *previous);
        *previous = values[0];
        let last = values.iter().rposition(|v| *v != 0).unwrap_or(0);
        let mut zeros = 0;
        for value in values.iter().take(last + 1).skip(1) {
            if *value == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 {
                self.code(&ac, 0xf0);
                zeros -= 16;
            }
            self.coefficient(&ac, zeros, *value);
            zeros = 0;
        }
        if last < 63 {
            self.code(&ac, 0);
        }
    }

    /// A run of zeros and a value: the code of both lengths, then the value's bits.
    fn coefficient(&mut self, table: &[(u16, u8); 256], zeros: usize, value: i32) {
        let length = 32 - value.unsigned_abs().leading_zeros();
        self.code(table, zeros << 4 | length as usize);
        let bits = if value < 0 { value - 1 } else { value };
        self.write(bits as u32 & ((1 << length) - 1), length);
    }

    fn code(&mut self, table: &[(u16, u8); 256], symbol: usize) {
        let (code, length) = table[symbol];
        self.write(u32::from(code), u32::from(length));
    }

    fn write(&mut self, bits: u32, count: u32) {
        self.bits = self.bits << count | bits;
        self.count += count;
        while self.count >= 8 {
            let byte = (self.bits >> (self.count - 8)) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
            self.count -= 8;
        }
    }
}

/// Huffman codes from their lengths, by symbol: (code, length).
fn codes(lengths: &[u8; 16], values: &[u8]) -> [(u16, u8); 256] {
    let mut table = [(0, 0); 256];
    let (mut code, mut next) = (0_u16, 0);
    for (index, count) in lengths.iter().enumerate() {
        for _ in 0..*count {
            table[values[next] as usize] = (code, index as u8 + 1);
            code += 1;
            next += 1;
        }
        code <<= 1;
    }
    table
}
