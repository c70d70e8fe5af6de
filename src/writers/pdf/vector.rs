//! Drawings as the page's own lines and shapes.
//!
//! Pages have no transparency: what is not opaque is mixed with what it is drawn on beforehand.

use std::sync::Arc;

use printpdf::{
    Line, LineCapStyle, LineJoinStyle, LinePoint, Op, PaintMode, Polygon, PolygonRing, Pt, WindingOrder,
};

use super::encode::{KAPPA, fine, pdf_color, rounded};
use super::link;
use super::page::{Color, Item, Row, Target};
use super::shape::{Form, Rectangle, Shape};
use super::style::Style;
use crate::model::{Balloon, Drawing, Mark, Point, Rgba, Segment};
use crate::writers::phrase;
use crate::writers::strokes;

/// Details smaller than this are not seen, in points.
const TOLERANCE: f32 = 0.06;
/// The steps in which lines grow wider, in points.
const WIDTH_STEP: f32 = 0.2;
/// The corners of a drawing on a ground of its own.
const RADIUS: f32 = 8.0;

/// A drawing at the size it has on the page.
#[derive(Debug)]
pub struct VectorPicture {
    /// What stands for it where it cannot be seen.
    pub title: String,
    width: f32,
    height: f32,
    background: Option<[u8; 3]>,
    paints: Vec<Paint>,
}

/// Something opaque, in points from the drawing's upper left corner.
#[derive(Debug)]
enum Paint {
    Line {
        points: Vec<Point>,
        width: f32,
        color: [u8; 3],
    },
    Shape {
        outline: Vec<Segment>,
        color: [u8; 3],
    },
    /// An outline that is a line.
    Outline {
        outline: Vec<Segment>,
        width: f32,
        color: [u8; 3],
    },
}

/// A card's drawing, with a link to its file.
pub fn row(drawing: &Drawing, balloon: &Balloon, x: f32, style: &Style) -> Row {
    let title = balloon.title.as_deref().map(phrase::one_line).unwrap_or_default();
    let picture = VectorPicture::new(drawing, &title, style);
    let (width, height) = (picture.width, picture.height);
    let y = 4.0;
    let at = Rectangle { x, y, width, height };
    let mut items = vec![Item::Shape(Shape { at, form: Form::Drawing(Arc::new(picture)) })];
    if let Some(uri) = drawing.path.as_deref().and_then(link::relative) {
        items.push(Item::Link { at, target: Target::Uri(uri) });
    }
    Row { height: height + 2.0 * y, items }
}

impl VectorPicture {
    /// As large as it was drawn, at most as large as a picture may be.
    fn new(drawing: &Drawing, title: &str, style: &Style) -> VectorPicture {
        let (wide, high) = (style.picture_width, style.picture_height);
        let scale = (wide / drawing.width).min(high / drawing.height).min(1.0);
        let [r, g, b] = style.rgb(Color::Paper);
        let ground = drawing.background.map_or([r, g, b], |color| mixed(color, [255; 3]));
        let paints = drawing.marks.iter().flat_map(|mark| paints(mark, scale, ground)).collect();
        VectorPicture {
            title: title.to_owned(),
            // However long and thin, something is to be seen.
            width: (drawing.width * scale).max(4.0),
            height: (drawing.height * scale).max(4.0),
            background: drawing.background.map(|_| ground),
            paints,
        }
    }

    /// Draws it; its upper left corner is at `x`, and `top` up from the page's bottom. Leaves the graphics state
    /// changed.
    pub fn ops(&self, x: f32, top: f32) -> Vec<Op> {
        let corners = if self.background.is_some() { RADIUS } else { 0.0 };
        let area =
            vec![PolygonRing { points: rounded(x, top - self.height, self.width, self.height, corners) }];
        let mut pen = Pen { ops: vec![polygon(area.clone(), PaintMode::Clip)], ..Pen::default() };
        if let Some(color) = self.background {
            pen.fill(color);
            pen.ops.push(polygon(area, PaintMode::Fill));
        }
        pen.ops.push(Op::SetLineCapStyle { cap: LineCapStyle::Round });
        pen.ops.push(Op::SetLineJoinStyle { join: LineJoinStyle::Round });
        for paint in &self.paints {
            match paint {
                Paint::Line { points, width, color } => {
                    pen.stroke(*color, *width);
                    let on = |at: &Point| LinePoint { p: point(x + at.x, top - at.y), bezier: false };
                    let line = Line { points: points.iter().map(on).collect(), is_closed: false };
                    pen.ops.push(Op::DrawLine { line });
                }
                Paint::Shape { outline, color } => {
                    pen.fill(*color);
                    pen.ops.push(polygon(rings(outline, x, top), PaintMode::Fill));
                }
                Paint::Outline { outline, width, color } => {
                    pen.stroke(*color, *width);
                    pen.ops.push(polygon(rings(outline, x, top), PaintMode::Stroke));
                }
            }
        }
        pen.ops
    }
}

/// Leaves out what is already set.
#[derive(Default)]
struct Pen {
    ops: Vec<Op>,
    fill: Option<[u8; 3]>,
    stroke: Option<[u8; 3]>,
    width: Option<f32>,
}

impl Pen {
    fn fill(&mut self, color: [u8; 3]) {
        if self.fill.replace(color) != Some(color) {
            self.ops.push(Op::SetFillColor { col: pdf_color(color) });
        }
    }

    fn stroke(&mut self, color: [u8; 3], width: f32) {
        if self.stroke.replace(color) != Some(color) {
            self.ops.push(Op::SetOutlineColor { col: pdf_color(color) });
        }
        if self.width.replace(width) != Some(width) {
            self.ops.push(Op::SetOutlineThickness { pt: Pt(fine(width)) });
        }
    }
}

fn paints(mark: &Mark, scale: f32, ground: [u8; 3]) -> Vec<Paint> {
    let scaled = |at: &Point| Point { x: at.x * scale, y: at.y * scale };
    match mark {
        Mark::Stroke { points, color } => {
            let color = mixed(*color, ground);
            let paint = |line: strokes::Line| {
                let width = line.width * scale;
                let points: Vec<Point> = line.points.iter().map(scaled).collect();
                match points.as_slice() {
                    // Not every reader draws a line that goes nowhere.
                    [dot] => Paint::Shape { outline: circle(*dot, width / 2.0), color },
                    points => Paint::Line { points: strokes::simplified(points, TOLERANCE), width, color },
                }
            };
            strokes::lines(points, WIDTH_STEP / scale).into_iter().map(paint).collect()
        }
        Mark::Disc { center, radius, color } => {
            let outline = circle(scaled(center), radius * scale);
            vec![Paint::Shape { outline, color: mixed(*color, ground) }]
        }
        Mark::Ring { center, radius, width, color } => {
            let outline = circle(scaled(center), radius * scale);
            vec![Paint::Outline { outline, width: width * scale, color: mixed(*color, ground) }]
        }
        Mark::Shape { outline, color } => {
            let outline = outline.iter().map(|segment| match segment {
                Segment::Move(to) => Segment::Move(scaled(to)),
                Segment::Line(to) => Segment::Line(scaled(to)),
                Segment::Curve(first, second, end) => {
                    Segment::Curve(scaled(first), scaled(second), scaled(end))
                }
            });
            vec![Paint::Shape { outline: outline.collect(), color: mixed(*color, ground) }]
        }
    }
}

fn circle(center: Point, radius: f32) -> Vec<Segment> {
    let k = KAPPA;
    let at = |x: f32, y: f32| Point { x: center.x + x * radius, y: center.y + y * radius };
    vec![
        Segment::Move(at(1.0, 0.0)),
        Segment::Curve(at(1.0, k), at(k, 1.0), at(0.0, 1.0)),
        Segment::Curve(at(-k, 1.0), at(-1.0, k), at(-1.0, 0.0)),
        Segment::Curve(at(-1.0, -k), at(-k, -1.0), at(0.0, -1.0)),
        Segment::Curve(at(k, -1.0), at(1.0, -k), at(1.0, 0.0)),
    ]
}

fn rings(outline: &[Segment], x: f32, top: f32) -> Vec<PolygonRing> {
    let to = |at: &Point, bezier| LinePoint { p: point(x + at.x, top - at.y), bezier };
    let mut rings: Vec<PolygonRing> = Vec::new();
    for segment in outline {
        if matches!(segment, Segment::Move(_)) || rings.is_empty() {
            rings.push(PolygonRing { points: Vec::new() });
        }
        let Some(ring) = rings.last_mut() else { continue };
        match segment {
            Segment::Move(end) | Segment::Line(end) => ring.points.push(to(end, false)),
            Segment::Curve(first, second, end) => {
                ring.points.extend([to(first, true), to(second, true), to(end, false)]);
            }
        }
    }
    rings
}

fn polygon(rings: Vec<PolygonRing>, mode: PaintMode) -> Op {
    Op::DrawPolygon { polygon: Polygon { rings, mode, winding_order: WindingOrder::NonZero } }
}

fn point(x: f32, y: f32) -> printpdf::Point {
    printpdf::Point { x: Pt(fine(x)), y: Pt(fine(y)) }
}

/// A color on an opaque ground.
fn mixed(Rgba { r, g, b, a }: Rgba, [under_r, under_g, under_b]: [u8; 3]) -> [u8; 3] {
    let mix = |over: u8, under: u8| {
        let (over, under, alpha) = (u32::from(over), u32::from(under), u32::from(a));
        ((over * alpha + under * (255 - alpha) + 127) / 255) as u8
    };
    [mix(r, under_r), mix(g, under_g), mix(b, under_b)]
}
