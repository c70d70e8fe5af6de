//! Payloads of handwriting and Digital Touch, written field by field (`messages-format.md` 10.12, 10.13).

use std::io::Write as _;

use super::keyed::Archiver;

/// A protocol buffer.
#[derive(Debug, Clone, Default)]
pub struct Protobuf(Vec<u8>);

impl Protobuf {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    pub fn integer(mut self, field: u64, value: u64) -> Self {
        self.tag(field, 0);
        self.varint(value);
        self
    }

    pub fn fixed64(mut self, field: u64, value: i64) -> Self {
        self.tag(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn fixed32(mut self, field: u64, value: u32) -> Self {
        self.tag(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn float(self, field: u64, value: f32) -> Self {
        self.fixed32(field, value.to_bits())
    }

    pub fn bytes(mut self, field: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.tag(field, 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend(bytes.as_ref());
        self
    }

    pub fn encode(self) -> Vec<u8> {
        self.0
    }
}

/// A point of handwriting: X and Y from 0 to 32767 across the frame, and the pen's width from 1 to 24.
pub type InkPoint = [i16; 3];

/// A handwritten message.
#[derive(Debug, Clone)]
pub struct Handwriting {
    pub strokes: Vec<Vec<InkPoint>>,
    /// X, Y, width, height.
    pub frame: [i16; 4],
    pub compressed: bool,
    /// Milliseconds since 2001.
    pub created: i64,
    pub id: String,
}

impl Default for Handwriting {
    fn default() -> Self {
        Handwriting {
            strokes: Vec::new(),
            frame: [40, 30, 400, 160],
            compressed: true,
            created: 735_000_000_500,
            id: "0D0E1C52-8F30-4B0A-9D57-2B3F5D1F7A10".into(),
        }
    }
}

impl Handwriting {
    /// The strokes as stored, not compressed.
    pub fn ink(&self) -> Vec<u8> {
        let mut ink = Vec::new();
        for stroke in &self.strokes {
            ink.extend((stroke.len() as u16).to_le_bytes());
            for [x, y, width] in stroke {
                ink.extend([*x, *y, *width, -1].into_iter().flat_map(stored));
            }
        }
        ink
    }

    /// The payload around strokes that are stored in some way.
    pub fn around(&self, stored_strokes: &[u8], compression: u64, unpacked: Option<usize>) -> Vec<u8> {
        let frame: Vec<u8> = self.frame.into_iter().flat_map(stored).collect();
        let inner = Protobuf::default().bytes(2, [0xF2, 0x84, 5, 0x81]).bytes(3, frame);
        let mut inner = inner.integer(4, self.strokes.len() as u64).integer(5, compression);
        if let Some(length) = unpacked {
            inner = inner.integer(6, length as u64);
        }
        let inner = inner.integer(7, 4).bytes(8, stored_strokes).encode();
        Protobuf::default().fixed64(2, self.created).bytes(3, &self.id).bytes(4, inner).encode()
    }

    pub fn encode(&self) -> Vec<u8> {
        let ink = self.ink();
        match self.compressed {
            true => self.around(&xz(&ink), 4, Some(ink.len())),
            false => self.around(&ink, 1, None),
        }
    }
}

fn stored(value: i16) -> [u8; 2] {
    (value as u16 ^ 0x8000).to_le_bytes()
}

/// An .xz file.
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A Digital Touch message: its kind and what is in it.
pub fn touch(kind: u64, inner: Protobuf) -> Vec<u8> {
    let base = Protobuf::default().integer(1, kind).fixed64(2, 0).bytes(3, inner.encode());
    let base = base.fixed32(4, 0xFF_CC_00_FF).bytes(5, "5F9A2B1C-7A5D-4E44-8F0B-6C0B7B1E9D21");
    base.integer(6, 0).fixed64(7, 0).encode()
}

fn numbers(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// X and Y in 65,535ths from the lower left corner.
fn points(points: &[(u16, u16)]) -> Vec<u8> {
    points.iter().flat_map(|(x, y)| numbers(&[*x, *y])).collect()
}

/// Delays are in milliseconds, colors red, green, blue, alpha.
pub fn taps(places: &[(u16, u16)], delays: &[u16], colors: &[[u8; 4]]) -> Vec<u8> {
    let inner = Protobuf::default().bytes(2, numbers(delays)).bytes(3, points(places));
    touch(1, inner.bytes(4, colors.concat()))
}

/// `broken_at`: 0 for a heart that does not break.
pub fn heartbeat(bpm: f32, duration: u64, broken_at: f32) -> Vec<u8> {
    let inner = Protobuf::default().float(1, bpm).integer(2, duration).float(3, 0.0);
    touch(3, inner.float(6, broken_at))
}

pub fn sketch(strokes: &[Vec<(u16, u16)>], colors: &[[u8; 4]]) -> Vec<u8> {
    let stored =
        strokes.iter().flat_map(|stroke| [numbers(&[0, stroke.len() as u16]), points(stroke)].concat());
    let inner = Protobuf::default().integer(1, strokes.len() as u64).bytes(2, stored.collect::<Vec<u8>>());
    touch(4, inner.bytes(3, colors.concat()))
}

/// Rotations are in thousandths of a radian.
pub fn kisses(places: &[(u16, u16)], delays: &[u16], rotations: &[u16]) -> Vec<u8> {
    let inner = Protobuf::default().bytes(1, numbers(delays)).bytes(2, points(places));
    touch(7, inner.bytes(3, numbers(rotations)))
}

pub fn fireball(duration: f32, start: (f32, f32), places: &[(u16, u16)], delays: &[u16]) -> Vec<u8> {
    let inner = Protobuf::default().float(1, duration).float(2, start.0).float(3, start.1);
    touch(8, inner.bytes(4, numbers(delays)).bytes(5, points(places)))
}

/// `kind`: 1 video, 2 picture; with the messages that were drawn on it.
pub fn media(kind: u64, overlays: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = Archiver::default();
    let items: Vec<_> =
        overlays.iter().map(|overlay| archive.add(plist::Value::Data(overlay.clone()))).collect();
    let root = archive.array(items);
    let archive = archive.finish(&[("root", plist::Value::Uid(root))]);
    touch(6, Protobuf::default().bytes(2, archive).integer(4, kind))
}
