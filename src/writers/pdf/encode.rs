//! A page's marks → its content stream.
//!
//! printpdf draws: every mark is printpdf `Op`s, encoded on a throw-away document of one page. It never sees fonts or
//! pictures, only their names: its own document would hold the whole history in memory, so the file is written by
//! [`super::file`].

use std::sync::Arc;

use printpdf::{
    Color as PdfColor, CurTransMat, DictItem, FontId, LinePoint, Op, PaintMode, PdfDocument, PdfFontHandle,
    PdfPage, PdfSaveOptions, Point, Polygon, PolygonRing, Pt, Rgb, TextMatrix, TextRenderingMode,
    WindingOrder, XObjectId, XObjectTransform,
};

use super::emoji::{color_font_name, split_code};
use super::glyphs::{FontUse, text_font_name};
use super::image;
use super::page::{Color, Glyph, TextRun};
use super::style::Style;
use super::vector::VectorPicture;
use crate::media::exif::Orientation;

/// How far a circle's control points are from its quarter points.
pub const KAPPA: f32 = 0.5523;
/// The slant that stands in for an italic: 12 degrees.
const SLANT: f32 = 0.2126;

/// Something to draw; `y` counts down from the page's top.
#[derive(Debug)]
pub enum Mark {
    Bar {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        color: Color,
    },
    Panel {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        radius: f32,
        fill: Option<Color>,
        stroke: Option<Color>,
    },
    Picture {
        name: String,
        orientation: Orientation,
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        framed: bool,
    },
    /// With its tip to the right.
    Triangle {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        color: Color,
    },
    /// `x` and `y` of its center; turned clockwise, in radians.
    Sticker {
        name: String,
        orientation: Orientation,
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        turn: f32,
    },
    Drawing {
        picture: Arc<VectorPicture>,
        x: f32,
        y: f32,
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
    fn encode(&self, marks: &[Mark]) -> Vec<u8>;
}

/// printpdf's.
#[derive(Debug)]
pub struct PrintpdfEncoder {
    pub style: Style,
}

impl PageEncoder for PrintpdfEncoder {
    fn encode(&self, marks: &[Mark]) -> Vec<u8> {
        let mut pen = Pen::new(self.style);
        for mark in marks {
            pen.mark(mark);
        }
        pen.end_text();
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

/// A corner of a bubble or a bar: a tenth of a point is enough for these, and they are a third of a page's bytes.
fn corner(x: f32, y: f32) -> Point {
    let tenth = |value: f32| (value * 10.0).round() / 10.0;
    Point { x: Pt(tenth(x)), y: Pt(tenth(y)) }
}

pub fn pdf_color(rgb: [u8; 3]) -> PdfColor {
    let [r, g, b] = rgb.map(|c| (f32::from(c) / 255.0 * 1000.0).round() / 1000.0);
    PdfColor::Rgb(Rgb { r, g, b, icc_profile: None })
}

/// Collects operators, leaving out what is already set.
struct Pen {
    style: Style,
    ops: Vec<Op>,
    fill: Option<Color>,
    stroke: Option<Color>,
    thickness: f32,
    font: Option<(String, f32)>,
    in_text: bool,
    bold: bool,
    rise: f32,
}

impl Pen {
    fn new(style: Style) -> Pen {
        Pen {
            style,
            ops: Vec::new(),
            fill: None,
            stroke: None,
            thickness: 1.0,
            font: None,
            in_text: false,
            bold: false,
            rise: 0.0,
        }
    }

    /// A height from the page's top as one from its bottom.
    fn up(&self, y: f32) -> f32 {
        self.style.page_height - y
    }

    fn mark(&mut self, mark: &Mark) {
        if !matches!(mark, Mark::Text { .. }) {
            self.end_text();
        }
        match mark {
            Mark::Text { font, run } => self.text(*font, run),
            Mark::Bar { x, y, width, height, color } => {
                self.fill(*color);
                let corners = [(*x, *y), (x + width, *y), (x + width, y + height), (*x, y + height)];
                let points = corners
                    .iter()
                    .map(|(x, y)| LinePoint { p: corner(*x, self.up(*y)), bezier: false })
                    .collect();
                self.polygon(points, PaintMode::Fill);
            }
            Mark::Panel { x, y, width, height, radius, fill, stroke } => {
                let mode = match (fill, stroke) {
                    (Some(_), Some(_)) => PaintMode::FillStroke,
                    (Some(_), None) => PaintMode::Fill,
                    (None, Some(_)) => PaintMode::Stroke,
                    (None, None) => return,
                };
                if let Some(color) = fill {
                    self.fill(*color);
                }
                if let Some(color) = stroke {
                    self.stroke(*color, 0.6);
                }
                self.polygon(rounded(*x, self.up(y + height), *width, *height, *radius), mode);
            }
            Mark::Picture { name, orientation, x, y, width, height, framed } => {
                self.ops.push(Op::SaveGraphicsState);
                if *framed {
                    self.polygon(rounded(*x, self.up(y + height), *width, *height, 8.0), PaintMode::Clip);
                }
                let bottom = self.up(y + height);
                let matrix = image::matrix(*orientation, *x, bottom, *width, *height).map(fine);
                self.object(matrix, name);
                self.ops.push(Op::RestoreGraphicsState);
                if *framed {
                    self.stroke(Color::Hairline, 0.6);
                    self.polygon(rounded(*x, self.up(y + height), *width, *height, 8.0), PaintMode::Stroke);
                }
            }
            Mark::Triangle { x, y, width, height, color } => {
                self.fill(*color);
                let corners = [(*x, *y), (x + width, y + height / 2.0), (*x, y + height)];
                let points = corners
                    .iter()
                    .map(|(x, y)| LinePoint { p: corner(*x, self.up(*y)), bezier: false })
                    .collect();
                self.polygon(points, PaintMode::Fill);
            }
            Mark::Sticker { name, orientation, x, y, width, height, turn } => {
                self.ops.push(Op::SaveGraphicsState);
                let upright = image::matrix(*orientation, -width / 2.0, -height / 2.0, *width, *height);
                let matrix = image::turned(upright, *turn, *x, self.up(*y)).map(fine);
                self.object(matrix, name);
                self.ops.push(Op::RestoreGraphicsState);
            }
            Mark::Drawing { picture, x, y } => {
                self.begin_span("Alt", &picture.title);
                self.ops.push(Op::SaveGraphicsState);
                self.ops.extend(picture.ops(*x, self.up(*y)));
                self.ops.push(Op::RestoreGraphicsState);
                self.ops.push(Op::EndMarkedContent);
            }
            Mark::Form { name, x, y } => {
                self.ops.push(Op::SaveGraphicsState);
                self.object([1.0, 0.0, 0.0, 1.0, fine(*x), fine(self.up(*y))], name);
                self.ops.push(Op::RestoreGraphicsState);
            }
        }
    }

    fn object(&mut self, matrix: [f32; 6], name: &str) {
        self.ops.push(Op::SetTransformationMatrix { matrix: CurTransMat::Raw(matrix) });
        let transform = XObjectTransform { no_auto_scale: true, ..Default::default() };
        self.ops.push(Op::UseXobject { id: XObjectId(name.into()), transform });
    }

    fn polygon(&mut self, points: Vec<LinePoint>, mode: PaintMode) {
        let rings = vec![PolygonRing { points }];
        self.ops
            .push(Op::DrawPolygon { polygon: Polygon { rings, mode, winding_order: WindingOrder::NonZero } });
    }

    fn fill(&mut self, color: Color) {
        if self.fill.replace(color) != Some(color) {
            self.ops.push(Op::SetFillColor { col: pdf_color(self.style.rgb(color)) });
        }
    }

    fn stroke(&mut self, color: Color, thickness: f32) {
        if self.stroke.replace(color) != Some(color) {
            self.ops.push(Op::SetOutlineColor { col: pdf_color(self.style.rgb(color)) });
        }
        if self.thickness != thickness {
            self.thickness = thickness;
            self.ops.push(Op::SetOutlineThickness { pt: Pt(thickness) });
        }
    }

    fn end_text(&mut self) {
        if std::mem::take(&mut self.in_text) {
            self.ops.push(Op::EndTextSection);
        }
    }

    fn font(&mut self, name: String, size: f32) {
        if self.font.as_ref().is_none_or(|(n, s)| *n != name || *s != size) {
            let font = PdfFontHandle::External(FontId(name.clone()));
            self.ops.push(Op::SetFont { font, size: Pt(fine(size)) });
            self.font = Some((name, size));
        }
    }

    fn text(&mut self, font: FontUse, run: &TextRun) {
        if !std::mem::replace(&mut self.in_text, true) {
            self.ops.push(Op::StartTextSection);
        }
        self.fill(run.color);
        if run.embolden != self.bold {
            self.bold = run.embolden;
            let mode = if run.embolden { TextRenderingMode::FillStroke } else { TextRenderingMode::Fill };
            self.ops.push(Op::SetTextRenderingMode { mode });
        }
        if run.embolden {
            self.stroke(run.color, fine(run.size * 0.03));
        }
        if let FontUse::Text(number) = font {
            self.font(text_font_name(number), run.size);
        }
        let slant = if run.skew { SLANT } else { 0.0 };
        let matrix = [1.0, 0.0, slant, 1.0, fine(run.x), fine(self.up(run.y))];
        self.ops.push(Op::SetTextMatrix { matrix: TextMatrix::Raw(matrix) });

        let mut show = Show::default();
        let mut open = 0;
        for glyph in &run.glyphs {
            if open == 0 && glyph.explicit && glyph.len > 0 {
                self.flush(&mut show);
                self.begin_span("ActualText", run.text_of(glyph));
                open = glyph.cluster.max(1);
            }
            if let FontUse::Color = font {
                let name = color_font_name(split_code(glyph.id).0);
                if self.font.as_ref().is_none_or(|(n, s)| *n != name || *s != run.size) {
                    self.flush(&mut show);
                    self.font(name, run.size);
                }
            }
            let rise = fine(glyph.dy);
            if rise != self.rise {
                self.flush(&mut show);
                self.rise = rise;
                self.ops.push(Op::SetLineOffset { multiplier: rise });
            }
            show.glyph(font, glyph, run.size);
            if open > 0 {
                open -= 1;
                if open == 0 {
                    self.flush(&mut show);
                    self.ops.push(Op::EndMarkedContent);
                }
            }
        }
        self.flush(&mut show);
        if open > 0 {
            self.ops.push(Op::EndMarkedContent);
        }
        if self.rise != 0.0 {
            self.rise = 0.0;
            self.ops.push(Op::SetLineOffset { multiplier: 0.0 });
        }
    }

    /// Says what stands here: `ActualText` instead of the glyphs, `Alt` beside a picture.
    fn begin_span(&mut self, key: &str, text: &str) {
        let mut data = vec![0xfe, 0xff];
        data.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        let map = [(key.to_owned(), DictItem::String { data, literal: false })].into();
        self.ops.push(Op::BeginMarkedContentWithProperties {
            tag: "Span".into(),
            properties: DictItem::Dict { map },
        });
    }

    /// Shows what was collected, with the operator itself rather than `Op::ShowText`: that makes one string of every
    /// glyph, which costs three times the time.
    fn flush(&mut self, show: &mut Show) {
        let mut parts = std::mem::take(&mut show.parts);
        if !show.bytes.is_empty() {
            parts.push(DictItem::Bytes(std::mem::take(&mut show.bytes)));
        }
        match parts.as_slice() {
            [] => {}
            [DictItem::Bytes(_)] => self.ops.push(Op::Unknown { key: "Tj".into(), value: parts }),
            _ => self.ops.push(Op::Unknown { key: "TJ".into(), value: vec![DictItem::Array(parts)] }),
        }
    }
}

/// Codes and the shifts between them, on their way to a show operator.
#[derive(Default)]
struct Show {
    parts: Vec<DictItem>,
    bytes: Vec<u8>,
    /// Where the reader's pen is and where it should be, in thousandths of an em.
    pen: f32,
    target: f32,
}

impl Show {
    fn glyph(&mut self, font: FontUse, glyph: &Glyph, size: f32) {
        let per_mille = 1000.0 / size;
        let shift = (self.pen - self.target - glyph.dx * per_mille).round();
        if shift.abs() >= 2.0 {
            if !self.bytes.is_empty() {
                self.parts.push(DictItem::Bytes(std::mem::take(&mut self.bytes)));
            }
            self.parts.push(DictItem::Int(shift as i64));
            self.pen -= shift;
        }
        match font {
            FontUse::Text(_) => self.bytes.extend_from_slice(&(glyph.id as u16).to_be_bytes()),
            FontUse::Color => self.bytes.push(split_code(glyph.id).1),
        }
        self.pen += glyph.natural;
        self.target += glyph.advance * per_mille;
    }
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
