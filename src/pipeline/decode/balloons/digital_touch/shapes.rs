//! What Digital Touch looks like, on black: rings, hearts, lips and fire.
//!
//! All colors are opaque, glows are layers that are mixed with the black beforehand: so they look the same wherever they
//! are drawn.

use std::f32::consts::TAU;

use crate::model::{Mark, PenPoint, Point, Rgba, Segment};

/// For what has no color of its own.
pub const WHITE: Rgba = Rgba { r: 255, g: 255, b: 255, a: 255 };
const HEART: Rgba = Rgba { r: 255, g: 45, b: 85, a: 255 };
const UPPER_LIP: Rgba = Rgba { r: 214, g: 36, b: 82, a: 255 };
const LOWER_LIP: Rgba = Rgba { r: 240, g: 58, b: 104, a: 255 };
/// From the outermost light to the core, with its radius.
const FIRE: [(Rgba, f32); 5] = [
    (Rgba { r: 46, g: 10, b: 2, a: 255 }, 54.0),
    (Rgba { r: 110, g: 26, b: 4, a: 255 }, 42.0),
    (Rgba { r: 224, g: 74, b: 8, a: 255 }, 30.0),
    (Rgba { r: 255, g: 168, b: 30, a: 255 }, 20.0),
    (Rgba { r: 255, g: 244, b: 200, a: 255 }, 10.0),
];
/// Half the size of a heart, and of a kiss.
const HEART_SIZE: f32 = 105.0;
const KISS_SIZE: f32 = 62.0;
/// A fire's points closer than this to the one before add nothing to the eye.
const CLOSE: f32 = 2.0;

/// A piece of an outline around the origin: where it ends, with its control points. One unit is half the size.
type Piece = [(f32, f32); 3];

/// From the dip at the top to the tip, on the left.
const HEART_LEFT: [Piece; 2] =
    [[(-0.16, -0.92), (-1.0, -1.02), (-1.0, -0.32)], [(-1.0, 0.24), (-0.34, 0.54), (0.0, 0.94)]];
const DIP: (f32, f32) = (0.0, -0.5);
/// From the tip to the dip.
const CRACK: [(f32, f32); 5] = [(-0.07, 0.62), (0.15, 0.34), (-0.13, 0.06), (0.14, -0.22), DIP];

/// A disc, and rings that spread; `age` from 0 (just now) to 1.
pub fn tap(center: Point, color: Rgba, age: f32) -> [Mark; 3] {
    let spread = 1.0 + 0.6 * age;
    let ring = |radius: f32, width, strength| Mark::Ring {
        center,
        radius: radius * spread,
        width,
        color: dimmed(color, strength),
    };
    [ring(46.0, 2.0, 0.3), ring(33.0, 3.5, 0.6), Mark::Disc { center, radius: 20.0, color }]
}

/// A heart that glows.
pub fn heart(center: Point) -> Vec<Mark> {
    [(1.26, 0.18), (1.13, 0.4), (1.0, 1.0)]
        .map(|(size, strength)| {
            let placed = Placed { center, size: HEART_SIZE * size, rotation: 0.0, mirrored: false };
            let mut outline = placed.begin(DIP);
            outline.extend(HEART_LEFT.map(|piece| placed.curve(piece)));
            let right = Placed { mirrored: true, ..placed };
            let [upper, lower] = HEART_LEFT;
            // The right side goes upwards: the same curves, the other way round.
            outline.push(right.curve([lower[1], lower[0], upper[2]]));
            outline.push(right.curve([upper[1], upper[0], DIP]));
            Mark::Shape { outline, color: dimmed(HEART, strength) }
        })
        .into()
}

/// A heart in two halves.
pub fn broken_heart(center: Point) -> Vec<Mark> {
    [-1.0_f32, 1.0]
        .map(|side| {
            let apart = Point { x: center.x + side * 9.0, y: center.y };
            let mirrored = side > 0.0;
            let placed = Placed { center: apart, size: HEART_SIZE, rotation: side * 0.1, mirrored };
            let mut outline = placed.begin(DIP);
            outline.extend(HEART_LEFT.map(|piece| placed.curve(piece)));
            // One crack for both: it must not be mirrored with the right half.
            let crack = Placed { mirrored: false, ..placed };
            outline.extend(CRACK.map(|corner| Segment::Line(crack.at(corner))));
            let color = if mirrored { dimmed(HEART, 0.82) } else { HEART };
            Mark::Shape { outline, color }
        })
        .into()
}

/// Lips, turned by `rotation` (radians, clockwise).
pub fn kiss(center: Point, rotation: f32) -> [Mark; 2] {
    const UPPER: [Piece; 6] = [
        [(-0.7, -0.16), (-0.42, -0.5), (-0.2, -0.47)],
        [(-0.1, -0.46), (-0.05, -0.38), (0.0, -0.36)],
        [(0.05, -0.38), (0.1, -0.46), (0.2, -0.47)],
        [(0.42, -0.5), (0.7, -0.16), (1.0, 0.0)],
        [(0.66, -0.02), (0.34, -0.12), (0.0, -0.05)],
        [(-0.34, -0.12), (-0.66, -0.02), (-1.0, 0.0)],
    ];
    const LOWER: [Piece; 4] = [
        [(-0.6, 0.05), (-0.3, -0.02), (0.0, 0.05)],
        [(0.3, -0.02), (0.6, 0.05), (0.94, 0.05)],
        [(0.66, 0.36), (0.34, 0.54), (0.0, 0.54)],
        [(-0.34, 0.54), (-0.66, 0.36), (-0.94, 0.05)],
    ];
    let placed = Placed { center, size: KISS_SIZE, rotation, mirrored: false };
    let lip = |begin, pieces: &[Piece], color| {
        let mut outline = placed.begin(begin);
        outline.extend(pieces.iter().map(|piece| placed.curve(*piece)));
        Mark::Shape { outline, color }
    };
    [lip((-1.0, 0.0), &UPPER, UPPER_LIP), lip((-0.94, 0.05), &LOWER, LOWER_LIP)]
}

/// A ball of fire with its trail, along the path it was drawn on.
pub fn fireball(path: &[Point]) -> Vec<Mark> {
    let mut kept: Vec<Point> = Vec::new();
    for at in path {
        let is_new = kept.last().is_none_or(|last| (at.x - last.x).hypot(at.y - last.y) >= CLOSE);
        if is_new {
            kept.push(*at);
        }
    }
    let Some(end) = kept.last().copied() else { return Vec::new() };
    let last = kept.len().saturating_sub(1).max(1) as f32;
    let layer = |(color, radius): (Rgba, f32)| {
        // The trail grows towards the ball.
        let points = kept.iter().enumerate().map(|(number, at)| {
            let grown = 0.25 + 0.5 * (number as f32 / last);
            PenPoint { at: *at, width: 2.0 * radius * grown }
        });
        [Mark::Stroke { points: points.collect(), color }, Mark::Disc { center: end, radius, color }]
    };
    // Layer by layer, so that no light lies on a core.
    FIRE.into_iter().flat_map(layer).collect()
}

/// Where a shape lies, how large and how it is turned.
#[derive(Clone, Copy)]
struct Placed {
    center: Point,
    size: f32,
    rotation: f32,
    mirrored: bool,
}

impl Placed {
    fn at(self, (x, y): (f32, f32)) -> Point {
        let x = if self.mirrored { -x } else { x };
        let (sin, cos) = (self.rotation % TAU).sin_cos();
        Point {
            x: self.center.x + self.size * (x * cos - y * sin),
            y: self.center.y + self.size * (x * sin + y * cos),
        }
    }

    fn begin(self, at: (f32, f32)) -> Vec<Segment> {
        vec![Segment::Move(self.at(at))]
    }

    fn curve(self, [first, second, end]: Piece) -> Segment {
        Segment::Curve(self.at(first), self.at(second), self.at(end))
    }
}

/// A color so strong, on black.
fn dimmed(color: Rgba, strength: f32) -> Rgba {
    let dim = |part: u8| (f32::from(part) * strength) as u8;
    Rgba { r: dim(color.r), g: dim(color.g), b: dim(color.b), a: color.a }
}
