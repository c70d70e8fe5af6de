//! A page's marks → its content stream.
//!
//! printpdf draws: every mark is printpdf `Op`s, encoded on a throw-away document of one page. It never sees fonts or
//! pictures, only their names: its own document would hold the whole history in memory, so the file is written by
//! [`super::file`].

use printpdf::{
    Color as PdfColor, CurTransMat, DictItem, LineJoinStyle, LinePoint, Op, PaintMode, PdfDocument, PdfPage,
    PdfSaveOptions, Point, Polygon, PolygonRing, Pt, Rect, Rgb, WindingOrder,
};

use super::glyphs::FontUse;
use super::image;
use super::page::{Color, Setting, TextRun};
use super::properties::PAGINATION;
use super::shape::{Form, Rectangle, Shape};
use super::show::TextState;
use super::style::Style;
use super::tags::Tag;
use crate::media::exif::Orientation;

/// How far a circle's control points are from its quarter points.
pub const KAPPA: f32 = 0.5523;
/// The thickness of outlines.
const LINE: f32 = 0.6;
/// The corners of photos.
const PHOTO_RADIUS: f32 = 8.0;

/// Something to draw; `y` counts down from the page's top.
#[derive(Debug)]
pub enum Mark {
    Shape(Shape),
    Image {
        name: String,
        orientation: Orientation,
        at: Rectangle,
        setting: Setting,
    },
    Text {
        font: FontUse,
        run: TextRun,
    },
    /// A form whose origin is on a baseline.
    Form {
        name: String,
        x: f32,
        y: f32,
    },
}

/// Makes content streams. An implementation of our own could replace printpdf's, or check it.
pub trait PageEncoder: Send + Sync {
    /// The content stream, not compressed.
    fn encode(&self, marks: &[(Tag, Mark)]) -> Vec<u8>;
}

/// printpdf's.
#[derive(Debug)]
pub struct PrintpdfEncoder {
    pub style: Style,
}

impl PageEncoder for PrintpdfEncoder {
    fn encode(&self, marks: &[(Tag, Mark)]) -> Vec<u8> {
        let mut pen = Pen::new(self.style);
        for (tag, mark) in marks {
            pen.tag(*tag, matches!(mark, Mark::Text { .. }));
            pen.mark(mark);
        }
        pen.end();
        let mut document = PdfDocument::new("");
        document.with_pages(vec![PdfPage::new(
            Pt(self.style.page_width).into(),
            Pt(self.style.page_height).into(),
            pen.ops,
        )]);
        let options = PdfSaveOptions {
            optimize: false,
            subset_fonts: false,
            // Lets through the show operators that `Pen::flush` makes.
            secure: false,
            image_optimization: None,
        };
        let encoded = document.to_lopdf_document(&options, &mut Vec::new());
        let page = encoded.get_pages().into_values().next();
        page.map(|page| encoded.get_page_content(page)).unwrap_or_default()
    }
}

/// Two decimals are a hundredth of a point: enough for any printer.
pub fn fine(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

/// A tenth of a point is enough for a bubble's corner and for where a line begins, and makes pages much smaller.
pub fn tenth(value: f32) -> f32 {
    (value * 10.0).round() / 10.0
}

/// With two decimals, a step of 255 and a bit: no eye sees the third, and pages name colors often.
pub fn pdf_color(rgb: [u8; 3]) -> PdfColor {
    let [r, g, b] = rgb.map(|c| fine(f32::from(c) / 255.0));
    PdfColor::Rgb(Rgb { r, g, b, icc_profile: None })
}

/// Collects operators, leaving out what is already set.
pub struct Pen {
    style: Style,
    pub ops: Vec<Op>,
    fill: Option<Color>,
    stroke: Option<Color>,
    thickness: f32,
    round: bool,
    pub text: TextState,
    /// Of the sequence of marked content that is open.
    tag: Option<Tag>,
}

impl Pen {
    fn new(style: Style) -> Pen {
        Pen {
            style,
            ops: Vec::new(),
            fill: None,
            stroke: None,
            thickness: 1.0,
            round: false,
            text: TextState::default(),
            tag: None,
        }
    }

    /// A height from the page's top as one from its bottom.
    pub fn up(&self, y: f32) -> f32 {
        self.style.page_height - y
    }

    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Text { font, run } => self.text(*font, run),
            Mark::Shape(Shape { at, form }) => self.shape(at, form),
            Mark::Image { name, orientation, at, setting } => self.image(name, *orientation, at, *setting),
            Mark::Form { name, x, y } => {
                self.ops.push(Op::SaveGraphicsState);
                self.object([1.0, 0.0, 0.0, 1.0, fine(*x), fine(self.up(*y))], name);
                self.ops.push(Op::RestoreGraphicsState);
            }
        }
    }

    fn shape(&mut self, at: &Rectangle, form: &Form) {
        match form {
            Form::Bar(color) => {
                self.fill(*color);
                self.rectangle(at, PaintMode::Fill);
            }
            Form::Panel { radius, fill: Some(fill), stroke: None } => self.solid(at, *radius, *fill),
            Form::Panel { radius, fill, stroke: Some(line) } => self.outline(at, *radius, *fill, *line),
            Form::Panel { fill: None, stroke: None, .. } => {}
            Form::Triangle(color) => {
                self.fill(*color);
                let corners = [(at.x, at.y), (at.x + at.width, at.y + at.height / 2.0), (at.x, at.bottom())];
                let points = corners.map(|(x, y)| LinePoint { p: corner(x, self.up(y)), bezier: false });
                self.polygon(points.to_vec(), PaintMode::Fill);
            }
            Form::Drawing(picture) => {
                self.ops.push(Op::SaveGraphicsState);
                self.ops.extend(picture.ops(at.x, self.up(at.y)));
                self.ops.push(Op::RestoreGraphicsState);
            }
        }
    }

    /// A filled rectangle with round corners: a smaller one, drawn with a line as thick as the corners are round.
    /// A tenth of the bytes that four curves take, which were a third of a page's.
    fn solid(&mut self, at: &Rectangle, radius: f32, color: Color) {
        // Some rectangle is left: not every reader draws one that is a line or a point.
        let radius = tenth(radius).min((at.width.min(at.height) - 0.2) / 2.0);
        if radius < 0.1 {
            self.fill(color);
            return self.rectangle(at, PaintMode::Fill);
        }
        let within = at.inset(radius);
        // The line reaches inwards, too: it alone covers all of a bubble with a line or two.
        let covered = within.width.min(within.height) < 1.8 * radius;
        if !covered {
            self.fill(color);
        }
        if !std::mem::replace(&mut self.round, true) {
            self.ops.push(Op::SetLineJoinStyle { join: LineJoinStyle::Round });
        }
        self.stroke(color, fine(radius * 2.0));
        self.rectangle(&within, if covered { PaintMode::Stroke } else { PaintMode::FillStroke });
    }

    fn outline(&mut self, at: &Rectangle, radius: f32, fill: Option<Color>, line: Color) {
        if let Some(color) = fill {
            self.fill(color);
        }
        self.stroke(line, LINE);
        let mode = if fill.is_some() { PaintMode::FillStroke } else { PaintMode::Stroke };
        self.polygon(self.rounded(at, radius), mode);
    }

    fn rounded(&self, at: &Rectangle, radius: f32) -> Vec<LinePoint> {
        rounded(at.x, self.up(at.bottom()), at.width, at.height, radius)
    }

    fn image(&mut self, name: &str, orientation: Orientation, at: &Rectangle, setting: Setting) {
        self.ops.push(Op::SaveGraphicsState);
        if setting == Setting::Framed {
            self.polygon(self.rounded(at, photo_radius(at)), PaintMode::Clip);
        }
        let matrix = match setting {
            Setting::Stuck { turn } => {
                let (width, height) = (at.width, at.height);
                let upright = image::matrix(orientation, -width / 2.0, -height / 2.0, width, height);
                image::turned(upright, turn, at.x + width / 2.0, self.up(at.y + height / 2.0))
            }
            _ => image::matrix(orientation, at.x, self.up(at.bottom()), at.width, at.height),
        };
        self.object(matrix.map(fine), name);
        self.ops.push(Op::RestoreGraphicsState);
        if setting == Setting::Framed {
            self.outline(at, photo_radius(at), None, Color::Hairline);
        }
    }

    fn object(&mut self, matrix: [f32; 6], name: &str) {
        self.ops.push(Op::SetTransformationMatrix { matrix: CurTransMat::Raw(matrix) });
        // The operator itself: `Op::UseXobject` has a matrix of its own around it.
        self.ops.push(Op::Unknown { key: "Do".into(), value: vec![DictItem::Name(name.into())] });
    }

    fn rectangle(&mut self, at: &Rectangle, mode: PaintMode) {
        let [x, y] = [at.x, self.up(at.bottom())].map(|value| Pt(tenth(value)));
        let [width, height] = [at.width, at.height].map(|value| Pt(tenth(value)));
        let (mode, winding_order) = (Some(mode), None);
        self.ops.push(Op::DrawRectangle { rectangle: Rect { x, y, width, height, mode, winding_order } });
    }

    fn polygon(&mut self, points: Vec<LinePoint>, mode: PaintMode) {
        let rings = vec![PolygonRing { points }];
        self.ops
            .push(Op::DrawPolygon { polygon: Polygon { rings, mode, winding_order: WindingOrder::NonZero } });
    }

    pub fn fill(&mut self, color: Color) {
        if self.fill.replace(color) != Some(color) {
            self.ops.push(Op::SetFillColor { col: pdf_color(self.style.rgb(color)) });
        }
    }

    pub fn stroke(&mut self, color: Color, thickness: f32) {
        if self.stroke.replace(color) != Some(color) {
            self.ops.push(Op::SetOutlineColor { col: pdf_color(self.style.rgb(color)) });
        }
        if self.thickness != thickness {
            self.thickness = thickness;
            self.ops.push(Op::SetOutlineThickness { pt: Pt(thickness) });
        }
    }

    /// What comes now is of this: begins a sequence of marked content where it is of something else than what came
    /// before; inside a text object if it is text.
    fn tag(&mut self, tag: Tag, text: bool) {
        if self.tag == Some(tag) && self.text.is_open() == text {
            return;
        }
        if self.tag.replace(tag).is_some() {
            self.ops.push(Op::EndMarkedContent);
        }
        if text {
            self.begin_text()
        } else {
            self.end_text()
        }
        match tag {
            Tag::Decoration => self.ops.push(Op::BeginMarkedContent { tag: "Artifact".into() }),
            Tag::Pagination => self.begin_named("Artifact", PAGINATION),
            Tag::Content(number) => self.begin_marked("P", "MCID", DictItem::Int(number.into())),
        }
    }

    /// Says what stands here, instead of the glyphs.
    pub fn begin_actual_text(&mut self, text: &str) {
        let mut data = vec![0xfe, 0xff];
        data.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        self.begin_marked("Span", "ActualText", DictItem::String { data, literal: false });
    }

    /// Says what language (BCP 47) comes now.
    pub fn begin_language(&mut self, language: &str) {
        self.begin_named("Span", language);
    }

    /// Says of what comes now what stands in the document under this name ([`super::properties`]), with the operator
    /// itself: printpdf's `Op` spells it out.
    fn begin_named(&mut self, tag: &str, properties: &str) {
        let value = [tag, properties].map(|name| DictItem::Name(name.into())).into();
        self.ops.push(Op::Unknown { key: "BDC".into(), value });
    }

    fn begin_marked(&mut self, tag: &str, key: &str, value: DictItem) {
        let map = [(key.to_owned(), value)].into();
        let properties = DictItem::Dict { map };
        self.ops.push(Op::BeginMarkedContentWithProperties { tag: tag.into(), properties });
    }

    fn end(&mut self) {
        if self.tag.take().is_some() {
            self.ops.push(Op::EndMarkedContent);
        }
        self.end_text();
    }
}

fn corner(x: f32, y: f32) -> Point {
    Point { x: Pt(tenth(x)), y: Pt(tenth(y)) }
}

/// Of what is small or narrow almost nothing is cut off.
fn photo_radius(at: &Rectangle) -> f32 {
    PHOTO_RADIUS.min(at.width.min(at.height) / 8.0)
}

/// A rectangle with round corners; `y` of its lower edge, from the page's bottom.
pub fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Vec<LinePoint> {
    let r = radius.min(width / 2.0).min(height / 2.0);
    let k = r * (1.0 - KAPPA);
    let (x1, y1) = (x + width, y + height);
    let on = |x: f32, y: f32| LinePoint { p: corner(x, y), bezier: false };
    let off = |x: f32, y: f32| LinePoint { p: corner(x, y), bezier: true };
    vec![
        on(x + r, y),
        on(x1 - r, y),
        off(x1 - k, y),
        off(x1, y + k),
        on(x1, y + r),
        on(x1, y1 - r),
        off(x1, y1 - k),
        off(x1 - k, y1),
        on(x1 - r, y1),
        on(x + r, y1),
        off(x + k, y1),
        off(x, y1 - k),
        on(x, y1 - r),
        on(x, y + r),
        off(x, y + k),
        off(x + k, y),
        on(x + r, y),
    ]
}
