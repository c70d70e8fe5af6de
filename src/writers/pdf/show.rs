//! Runs of text → show operators: as few and as short ones as place every glyph.

use printpdf::{DictItem, FontId, Op, PdfFontHandle, Point, Pt, TextMatrix, TextRenderingMode};

use super::emoji::{color_font_name, split_code};
use super::encode::{Pen, fine, tenth};
use super::glyphs::{FontUse, text_font_name};
use super::language::language;
use super::page::{Glyph, TextRun};

/// The slant that stands in for an italic: 12 degrees.
const SLANT: f32 = 0.2126;

/// What is set while text is shown.
#[derive(Default)]
pub struct TextState {
    /// Where the line begins, inside a text object; `None` outside one.
    line: Option<(f32, f32)>,
    /// The line is slanted.
    skew: bool,
    font: Option<(String, f32)>,
    bold: bool,
    rise: f32,
}

impl TextState {
    /// A text object is open.
    pub fn is_open(&self) -> bool {
        self.line.is_some()
    }
}

impl Pen {
    pub fn text(&mut self, font: FontUse, run: &TextRun) {
        self.begin_run(font, run);
        // Inside of what the structure counts: an element of its own would cost three times the bytes.
        let language = language(&run.text);
        if let Some(language) = language {
            self.begin_language(language);
        }
        let mut show = Show::default();
        let mut open = 0;
        for glyph in &run.glyphs {
            if open == 0 && glyph.explicit && glyph.len > 0 {
                self.flush(&mut show);
                self.begin_actual_text(run.text_of(glyph));
                open = glyph.cluster.max(1);
            }
            if let FontUse::Color = font {
                let name = color_font_name(split_code(glyph.id).0);
                if self.text.font.as_ref().is_none_or(|(n, s)| *n != name || *s != run.size) {
                    self.flush(&mut show);
                    self.font(name, run.size);
                }
            }
            let rise = fine(glyph.dy);
            if rise != self.text.rise {
                self.flush(&mut show);
                self.rise(rise);
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
        if language.is_some() {
            self.ops.push(Op::EndMarkedContent);
        }
        if self.text.rise != 0.0 {
            self.rise(0.0);
        }
    }

    /// Sets the color, the font and the place.
    fn begin_run(&mut self, font: FontUse, run: &TextRun) {
        self.fill(run.color);
        if run.embolden != self.text.bold {
            self.text.bold = run.embolden;
            let mode = if run.embolden { TextRenderingMode::FillStroke } else { TextRenderingMode::Fill };
            self.ops.push(Op::SetTextRenderingMode { mode });
        }
        if run.embolden {
            self.stroke(run.color, fine(run.size * 0.03));
        }
        if let FontUse::Text(number) = font {
            self.font(text_font_name(number), run.size);
        }
        let (x, y) = (tenth(run.x), tenth(self.up(run.y)));
        if run.skew || self.text.skew {
            let slant = if run.skew { SLANT } else { 0.0 };
            let matrix = TextMatrix::Raw([1.0, 0.0, slant, 1.0, x, y]);
            self.ops.push(Op::SetTextMatrix { matrix });
        } else {
            // From line to line: the same steps again and again make pages that compress far better than places do.
            let (from_x, from_y) = self.text.line.unwrap_or_default();
            let pos = Point { x: Pt(tenth(x - from_x)), y: Pt(tenth(y - from_y)) };
            self.ops.push(Op::SetTextCursor { pos });
        }
        self.text.skew = run.skew;
        self.text.line = Some((x, y));
    }

    /// Begins a text object, if none is open.
    pub fn begin_text(&mut self) {
        if !self.text.is_open() {
            self.ops.push(Op::StartTextSection);
            self.text.line = Some((0.0, 0.0));
            self.text.skew = false;
        }
    }

    pub fn end_text(&mut self) {
        if self.text.line.take().is_some() {
            self.ops.push(Op::EndTextSection);
        }
    }

    fn font(&mut self, name: String, size: f32) {
        if self.text.font.as_ref().is_none_or(|(n, s)| *n != name || *s != size) {
            let font = PdfFontHandle::External(FontId(name.clone()));
            self.ops.push(Op::SetFont { font, size: Pt(fine(size)) });
            self.text.font = Some((name, size));
        }
    }

    fn rise(&mut self, rise: f32) {
        self.text.rise = rise;
        self.ops.push(Op::SetLineOffset { multiplier: rise });
    }

    /// Shows what was collected, with the operator itself rather than `Op::ShowText`: that makes one string of every
    /// glyph, which costs three times the time.
    fn flush(&mut self, show: &mut Show) {
        let parts = show.take();
        match parts.as_slice() {
            [] => {}
            [DictItem::String { .. }] => self.ops.push(Op::Unknown { key: "Tj".into(), value: parts }),
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
            self.end_string();
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

    fn end_string(&mut self) {
        if !self.bytes.is_empty() {
            // As bytes: hexadecimal digits are twice as many, and a twentieth more when compressed.
            let data = std::mem::take(&mut self.bytes);
            self.parts.push(DictItem::String { data, literal: true });
        }
    }

    fn take(&mut self) -> Vec<DictItem> {
        self.end_string();
        std::mem::take(&mut self.parts)
    }
}
