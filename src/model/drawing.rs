/// What somebody drew or tapped: handwriting, Digital Touch. Vectors, so that every visual format draws it in its own
/// way and in any size.
///
/// Coordinates are in units of the drawing, from its upper left corner, x to the right and y down.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// More than 0, finite.
    pub width: f32,
    /// More than 0, finite.
    pub height: f32,
    /// What it is drawn on; `None`: on nothing, as ink on paper.
    pub background: Option<Rgba>,
    /// In the order in which they were drawn: later ones lie on top.
    pub marks: Vec<Mark>,
    /// Where its picture lies, relative to the export folder, with `/`. `None` when none was written.
    pub path: Option<String>,
}

/// One stroke of a pen, or one shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A line with round ends and joins, as wide as each of its points says. At least one point; one is a dot.
    Stroke { points: Vec<PenPoint>, color: Rgba },
    /// A filled disc.
    Disc { center: Point, radius: f32, color: Rgba },
    /// A circle's line.
    Ring { center: Point, radius: f32, width: f32, color: Rgba },
    /// A filled outline, closed.
    Shape { outline: Vec<Segment>, color: Rgba },
}

/// A place in a drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// A place where a pen was, and how wide its line is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PenPoint {
    pub at: Point,
    pub width: f32,
}

/// A piece of an outline. The first is a `Move`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Segment {
    Move(Point),
    Line(Point),
    /// A cubic Bézier curve: two control points, and where it ends.
    Curve(Point, Point, Point),
}

/// A color in sRGB. 255 is full, and opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rgba {
    pub r: u8,
    pub g: u8,
    pub b: u8,
    pub a: u8,
}

impl Rgba {
    /// Opaque black.
    pub const BLACK: Rgba = Rgba { r: 0, g: 0, b: 0, a: 255 };
}
