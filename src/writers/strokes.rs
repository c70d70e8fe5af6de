//! A stroke of a pen whose line is not everywhere equally wide → lines that are: what every format can draw.

use crate::model::{PenPoint, Point};

/// Pieces that one step of the pen is divided into at most.
const MOST_PIECES: f32 = 6.0;
/// Points that simplifying skips at most, one after the other: bounds the work.
const MOST_SKIPPED: usize = 32;

/// A piece of a stroke, equally wide; with round ends it joins the next one. One point is a dot.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub width: f32,
    pub points: Vec<Point>,
}

/// Divides a stroke into lines; widths are rounded to multiples of `step`, which is more than 0. Where a line grows or
/// shrinks between two points by more than that, it does so little by little.
pub fn lines(stroke: &[PenPoint], step: f32) -> Vec<Line> {
    let rounded = |width: f32| (width / step).round().max(1.0) * step;
    let mut lines: Vec<Line> = Vec::new();
    for pair in stroke.windows(2) {
        let [from, to] = pair else { continue };
        let pieces = ((to.width - from.width).abs() / step).ceil().clamp(1.0, MOST_PIECES);
        let between = |from: f32, to: f32, piece: f32| from + (to - from) * (piece / pieces);
        let place = |piece: f32| Point {
            x: between(from.at.x, to.at.x, piece),
            y: between(from.at.y, to.at.y, piece),
        };
        for piece in (0..pieces as u32).map(|piece| piece as f32) {
            let width = rounded(between(from.width, to.width, piece + 0.5));
            let end = if piece + 1.0 == pieces { to.at } else { place(piece + 1.0) };
            match lines.last_mut().filter(|line| line.width == width) {
                Some(line) => line.points.push(end),
                None => lines.push(Line { width, points: vec![place(piece), end] }),
            }
        }
    }
    match stroke {
        [only] => vec![Line { width: rounded(only.width), points: vec![only.at] }],
        _ => lines,
    }
}

/// Leaves out points that are no further than `tolerance` from the line without them.
pub fn simplified(points: &[Point], tolerance: f32) -> Vec<Point> {
    let Some((first, rest)) = points.split_first() else { return Vec::new() };
    let mut kept = vec![*first];
    let mut from = *first;
    let mut skipped: Vec<Point> = Vec::new();
    for pair in rest.windows(2) {
        let [this, next] = pair else { continue };
        skipped.push(*this);
        let far = skipped.iter().any(|point| distance(*point, from, *next) > tolerance);
        if far || skipped.len() > MOST_SKIPPED {
            skipped.clear();
            kept.push(*this);
            from = *this;
        }
    }
    kept.extend(rest.last());
    kept
}

/// Of a point to the piece of line between two others.
fn distance(point: Point, from: Point, to: Point) -> f32 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx * dx + dy * dy;
    let along = ((point.x - from.x) * dx + (point.y - from.y) * dy) / length;
    let along = if length > 0.0 { along.clamp(0.0, 1.0) } else { 0.0 };
    (point.x - from.x - along * dx).hypot(point.y - from.y - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pen(x: f32, y: f32, width: f32) -> PenPoint {
        PenPoint { at: Point { x, y }, width }
    }

    #[test]
    fn a_line_for_each_width() {
        let stroke = [pen(0.0, 0.0, 1.0), pen(1.0, 0.0, 1.0), pen(2.0, 0.0, 3.0), pen(3.0, 0.0, 3.2)];
        let widths: Vec<(f32, usize)> =
            lines(&stroke, 1.0).iter().map(|l| (l.width, l.points.len())).collect();
        assert_eq!(widths, [(1.0, 2), (2.0, 2), (3.0, 3)]);
        assert_eq!(lines(&stroke[..1], 0.5), [Line { width: 1.0, points: vec![Point { x: 0.0, y: 0.0 }] }]);
        assert_eq!(lines(&[pen(0.0, 0.0, 0.0), pen(1.0, 1.0, 0.0)], 0.25)[0].width, 0.25);
        assert_eq!(lines(&[], 1.0), []);
    }

    #[test]
    fn only_what_nobody_sees_is_left_out() {
        let circle: Vec<Point> = (0..=1000)
            .map(|i| (i as f32 / 1000.0 * std::f32::consts::TAU).sin_cos())
            .map(|(y, x)| Point { x: 100.0 * x, y: 100.0 * y })
            .collect();
        let kept = simplified(&circle, 0.1);
        assert!(kept.len() < 120, "{}", kept.len());
        assert_eq!((kept.first(), kept.last()), (circle.first(), circle.last()));
        let nearest = |point: &Point| {
            let pieces = kept.windows(2).map(|ends| distance(*point, ends[0], ends[1]));
            pieces.fold(f32::MAX, f32::min)
        };
        assert!(circle.iter().all(|point| nearest(point) <= 0.1));
    }

    #[test]
    fn there_and_back_is_not_a_line_between_its_ends() {
        let point = |x| Point { x, y: 0.0 };
        let kept = simplified(&[point(0.0), point(50.0), point(1.0)], 0.5);
        assert_eq!(kept.len(), 3);
        assert_eq!(simplified(&[point(0.0), point(0.0), point(0.0)], 0.5).len(), 2);
        assert!(simplified(&[], 0.5).is_empty());
    }
}
