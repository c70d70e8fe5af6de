//! Handwriting: a protocol buffer with strokes, compressed as a rule (`messages-format.md` 10.12).
//!
//! In the samples the strokes keep the same distance to all four edges when 0 to 32767 is taken as the frame's width and
//! height, so that is how they are scaled.

use std::io::Read;

use lzma_rust2::XzReader;

use crate::model::{Balloon, Drawing, Mark, PenPoint, Point, Rgba, Value};
use crate::pipeline::decode::date::from_milliseconds;
use crate::pipeline::decode::protobuf;

/// Bytes that compressed strokes may unpack to.
const MAX_UNPACKED: usize = 32 << 20;
/// Memory for unpacking, in KiB: the largest window that the format's own presets have, and some.
const MAX_MEMORY: u32 = 66 << 10;
/// Points that are drawn; a page full of writing has some thousands.
const MOST_POINTS: usize = 100_000;
/// A coordinate at the frame's right or lower edge.
const FULL: f32 = 32767.0;
/// Pen widths as stored go from 1 to about 24, and are drawn from 1 to 10 units.
const PEN_FULL: f32 = 24.0;
const PEN: (f32, f32) = (1.0, 10.0);
/// For a message without a usable frame.
const FRAME: (u16, u16) = (400, 400);

#[derive(Clone, PartialEq, prost::Message)]
struct Base {
    /// Milliseconds since 2001.
    #[prost(sfixed64, optional, tag = "2")]
    created: Option<i64>,
    #[prost(string, optional, tag = "3")]
    id: Option<String>,
    #[prost(bytes = "vec", optional, tag = "4")]
    handwriting: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Handwriting {
    #[prost(bytes = "vec", optional, tag = "3")]
    frame: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "5")]
    compression: Option<i32>,
    #[prost(int64, optional, tag = "6")]
    unpacked: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "8")]
    strokes: Option<Vec<u8>>,
}

/// Fills the card of a handwritten message; returns its defects.
pub fn fill(payload: &[u8], card: &mut Balloon) -> Vec<String> {
    let mut defects = Vec::new();
    let mut damaged = |what: &str| defects.push(format!("handwriting is damaged: {what}"));
    let (base, damage) = protobuf::read::<Base>(payload);
    damage.iter().for_each(|what| damaged(what));
    card.title = Some("Handwritten message".into());
    card.data.extend(base.id.filter(|id| !id.is_empty()).map(|id| ("id", Value::Text(id))));
    let created = base.created.and_then(from_milliseconds);
    card.data.extend(created.map(|date| ("created", Value::Date(date))));
    let Some(handwriting) = base.handwriting else {
        if damage.is_none() {
            damaged("there are no strokes");
        }
        return defects;
    };
    let (handwriting, damage) = protobuf::read::<Handwriting>(&handwriting);
    damage.iter().for_each(|what| damaged(what));

    let frame = handwriting.frame.as_deref().and_then(frame);
    if let Some([x, y, width, height]) = frame {
        let side = |name: &str, value: i64| (name.to_owned(), Value::Integer(value));
        let place = |value: u16| i64::from(value as i16);
        let sides = [
            side("x", place(x)),
            side("y", place(y)),
            side("width", width.into()),
            side("height", height.into()),
        ];
        card.data.push(("frame", Value::Map(sides.into())));
    }
    let size = frame.map(|[.., width, height]| (width, height)).filter(|(w, h)| *w > 0 && *h > 0);
    if size.is_none() {
        damaged("it has no frame");
    }

    let stored = handwriting.strokes.unwrap_or_default();
    let (bytes, damage) = unpack(&stored, handwriting.compression.unwrap_or_default());
    damage.iter().for_each(|what| damaged(what));
    if damage.is_none() && handwriting.unpacked.is_some_and(|n| n != 0 && n != bytes.len() as i64) {
        damaged("the strokes have another length than it says");
    }
    let (drawing, damage) = draw(&bytes, size.unwrap_or(FRAME));
    damage.iter().for_each(|what| damaged(what));
    let points: usize = drawing.marks.iter().map(|mark| pen_points(mark).len()).sum();
    card.data.push(("strokes", Value::Integer(drawing.marks.len() as i64)));
    card.data.push(("points", Value::Integer(points as i64)));
    if !drawing.marks.is_empty() {
        card.drawing = Some(Box::new(drawing));
    } else if damage.is_none() {
        damaged("there are no strokes");
    }
    defects
}

fn pen_points(mark: &Mark) -> &[PenPoint] {
    if let Mark::Stroke { points, .. } = mark { points } else { &[] }
}

/// All numbers are 16 bits, little-endian, with the highest bit turned over.
fn number(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.first_chunk()?) ^ 0x8000)
}

/// X, Y, width and height.
fn frame(bytes: &[u8]) -> Option<[u16; 4]> {
    let mut frame = [0; 4];
    for (value, stored) in frame.iter_mut().zip(bytes.chunks(2)) {
        *value = number(stored)?;
    }
    (bytes.len() >= 8).then_some(frame)
}

/// What could be unpacked, and what went wrong.
fn unpack(stored: &[u8], compression: i32) -> (Vec<u8>, Option<String>) {
    if !stored.starts_with(b"\xFD7zXZ\0") {
        return match compression {
            0 | 1 => (stored.to_vec(), None),
            4 => (Vec::new(), Some("the strokes cannot be unpacked".into())),
            other => (Vec::new(), Some(format!("compression {other} is not known"))),
        };
    }
    let mut unpacked = Vec::new();
    let reader = XzReader::new_mem_limit(stored, false, MAX_MEMORY);
    let damage = match reader.take(MAX_UNPACKED as u64 + 1).read_to_end(&mut unpacked) {
        Ok(length) if length > MAX_UNPACKED => {
            unpacked.truncate(MAX_UNPACKED);
            Some("the strokes unpack to too much".into())
        }
        Ok(_) => None,
        Err(error) => Some(format!("the strokes cannot be unpacked: {error}")),
    };
    (unpacked, damage)
}

/// A stroke is the number of its points, and eight bytes a point: X, Y, the pen's width, and nothing known.
fn draw(mut bytes: &[u8], (width, height): (u16, u16)) -> (Drawing, Option<String>) {
    let (width, height) = (f32::from(width), f32::from(height));
    let mut drawing = Drawing { width, height, background: None, marks: Vec::new(), path: None };
    let mut damage = None;
    let mut drawn = 0;
    while let Some((count, rest)) = bytes.split_first_chunk::<2>() {
        let count = usize::from(u16::from_le_bytes(*count));
        let stroke = rest.get(..count * 8).unwrap_or(rest);
        bytes = rest.get(count * 8..).unwrap_or_default();
        if drawn + count > MOST_POINTS {
            return (drawing, Some("it has more points than can be drawn".into()));
        }
        drawn += count;
        let points: Vec<PenPoint> =
            stroke.chunks_exact(8).filter_map(|at| point(at, width, height)).collect();
        if points.len() < count {
            damage = Some("a stroke is cut off".into());
        }
        if !points.is_empty() {
            drawing.marks.push(Mark::Stroke { points, color: Rgba::BLACK });
        }
    }
    if bytes.len() == 1 {
        damage = Some("a stroke is cut off".into());
    }
    take_in_all(&mut drawing);
    (drawing, damage)
}

/// Makes room for ink beyond the frame.
fn take_in_all(drawing: &mut Drawing) {
    let (mut left, mut top, mut right, mut bottom) = (0.0_f32, 0.0_f32, drawing.width, drawing.height);
    for PenPoint { at, width } in drawing.marks.iter().flat_map(pen_points) {
        left = left.min(at.x - width / 2.0);
        top = top.min(at.y - width / 2.0);
        right = right.max(at.x + width / 2.0);
        bottom = bottom.max(at.y + width / 2.0);
    }
    (drawing.width, drawing.height) = (right - left, bottom - top);
    for mark in &mut drawing.marks {
        if let Mark::Stroke { points, .. } = mark {
            for point in points {
                point.at = Point { x: point.at.x - left, y: point.at.y - top };
            }
        }
    }
}

fn point(bytes: &[u8], width: f32, height: f32) -> Option<PenPoint> {
    let part = |at: usize| number(bytes.get(at..)?);
    let (x, y, pen) = (part(0)? as i16, part(2)? as i16, part(4)?);
    let pen = f32::from(pen).min(PEN_FULL) / PEN_FULL;
    let at = Point { x: f32::from(x) / FULL * width, y: f32::from(y) / FULL * height };
    Some(PenPoint { at, width: PEN.0 + (PEN.1 - PEN.0) * pen })
}
