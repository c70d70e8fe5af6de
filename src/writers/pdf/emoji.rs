//! Color emoji as Type 3 fonts: each glyph is a small drawing, the layers of the color font with flat colors.
//!
//! A code is given for a glyph *and* a text, so every sequence is found again as it was written. 254 codes make a
//! font; the code 255 is a dummy named `m`, from whose width poppler guesses the size of a Type 3 font.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use pdf_writer::types::{SystemInfo, UnicodeCmap};
use pdf_writer::{Chunk, Finish as _, Name, Rect, Ref, Str};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::TableProvider as _;
use skrifa::{FontRef, GlyphId, MetadataProvider as _};

use super::file::{PdfFile, deflate};
use super::fonts::Face;
use super::glyphs::{speakable, write_cmap};
use super::page::TextRun;

const CODES: usize = 254;
const DUMMY: u8 = 255;

/// The resource name of a Type 3 font.
pub fn color_font_name(number: u32) -> String {
    format!("E{number}")
}

/// The font's number and the byte that shows the glyph.
pub fn split_code(id: u32) -> (u32, u8) {
    (id >> 8, id as u8)
}

struct Entry {
    face: Arc<Face>,
    glyph: u32,
    text: Box<str>,
}

/// The color glyphs of one document.
#[derive(Default)]
pub struct ColorFonts {
    codes: HashMap<(usize, u32, Box<str>), u32>,
    entries: Vec<Entry>,
}

impl ColorFonts {
    /// Replaces glyph ids by codes. The glyphs of one cluster say its text with the first.
    pub fn take_in(&mut self, run: &mut TextRun) {
        for at in 0..run.glyphs.len() {
            let Some(glyph) = run.glyphs.get(at).copied() else { break };
            let text: Box<str> = run.text_of(&glyph).into();
            let key = (run.face.key, glyph.id, text);
            let code = match self.codes.get(&key) {
                Some(code) => *code,
                None => {
                    let number = self.entries.len();
                    let code = ((number / CODES) << 8 | (number % CODES)) as u32;
                    let text = key.2.clone();
                    self.entries.push(Entry { face: run.face.clone(), glyph: glyph.id, text });
                    self.codes.insert(key, code);
                    code
                }
            };
            if let Some(glyph) = run.glyphs.get_mut(at) {
                glyph.id = code;
                glyph.explicit = false;
                glyph.cluster = 1;
            }
        }
    }

    /// Writes the fonts; returns their resource names with the objects.
    pub fn write<W: Write>(&self, file: &mut PdfFile<W>) -> io::Result<Vec<(String, Ref)>> {
        let mut drawings: HashMap<(usize, u32), Ref> = HashMap::new();
        let mut written = Vec::new();
        for (number, entries) in self.entries.chunks(CODES).enumerate() {
            let mut procs = Vec::with_capacity(entries.len());
            for entry in entries {
                let drawing = match drawings.get(&(entry.face.key, entry.glyph)) {
                    Some(drawing) => *drawing,
                    None => {
                        let id = file.reserve();
                        let content = draw(&entry.face, entry.glyph);
                        file.stream(id, "/Filter /FlateDecode", &deflate(content.as_bytes())?)?;
                        drawings.insert((entry.face.key, entry.glyph), id);
                        id
                    }
                };
                procs.push(drawing);
            }
            let font = write_font(file, entries, &procs)?;
            written.push((color_font_name(number as u32), font));
        }
        Ok(written)
    }
}

fn write_font<W: Write>(file: &mut PdfFile<W>, entries: &[Entry], procs: &[Ref]) -> io::Result<Ref> {
    let [font, unicode, dummy] = [(); 3].map(|()| file.reserve());
    file.stream(dummy, "", b"600 0 d0")?;

    let info = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
    let mut cmap = UnicodeCmap::<u8>::new(Name(b"msgarchive-UCS"), info);
    for (code, entry) in entries.iter().enumerate() {
        cmap.pair_with_multiple(code as u8, speakable(&entry.text).chars());
    }
    write_cmap(file, unicode, &cmap.finish())?;

    // Glyph space is thousandths of an em for all faces, so that one font can hold glyphs of several.
    let names: Vec<String> = (0..entries.len()).map(|code| format!("g{code}")).collect();
    let mut chunk = Chunk::new();
    let mut type3 = chunk.type3_font(font);
    type3.bbox(Rect::new(-100.0, -300.0, 1500.0, 1100.0));
    type3.matrix([0.001, 0.0, 0.0, 0.001, 0.0, 0.0]);
    type3.first_char(0).last_char(DUMMY).to_unicode(unicode);
    type3.widths((0..=DUMMY).map(|code| match entries.get(usize::from(code)) {
        Some(entry) => entry.face.width(entry.glyph),
        None if code == DUMMY => 600.0,
        None => 0.0,
    }));
    type3.resources().finish();
    let mut char_procs = type3.char_procs();
    for (name, id) in names.iter().zip(procs) {
        char_procs.pair(Name(name.as_bytes()), *id);
    }
    char_procs.pair(Name(b"m"), dummy);
    char_procs.finish();
    let mut encoding = type3.encoding_custom();
    let mut differences = encoding.differences();
    differences.consecutive(0, names.iter().map(|name| Name(name.as_bytes())));
    differences.consecutive(DUMMY, [Name(b"m")]);
    differences.finish();
    encoding.finish();
    type3.finish();
    file.object(font, &chunk)?;
    Ok(font)
}

/// The content stream that draws a glyph: its layers from back to front, else its outline in the text's color.
fn draw(face: &Face, glyph: u32) -> String {
    let mut content = format!("{} 0 d0\n", face.width(glyph));
    if let Some(font) = face.font()
        && layers(&font, face, glyph, &mut content).is_none()
    {
        outline(&font, face, glyph, &mut content);
    }
    content
}

fn layers(font: &FontRef<'_>, face: &Face, glyph: u32, content: &mut String) -> Option<()> {
    let colr = font.colr().ok()?;
    let range = colr.v0_base_glyph(GlyphId::new(glyph)).ok()??;
    let palettes = font.color_palettes();
    let palette = palettes.get(0)?;
    let colors = palette.colors();
    let mut last = None;
    for layer in range {
        let (part, index) = colr.v0_layer(layer).ok()?;
        let color = colors.get(usize::from(index)).map_or([0x1c, 0x1c, 0x1e], |c| [c.red, c.green, c.blue]);
        if last != Some(color) {
            let [r, g, b] = color.map(|c| f32::from(c) / 255.0);
            let _ = writeln!(content, "{r:.3} {g:.3} {b:.3} rg");
            last = Some(color);
        }
        outline(font, face, part.into(), content);
    }
    Some(())
}

fn outline(font: &FontRef<'_>, face: &Face, glyph: u32, content: &mut String) {
    let mut pen = PathPen { scale: 1000.0 / face.units_per_em, at: (0.0, 0.0), path: String::new() };
    if let Some(outline) = font.outline_glyphs().get(GlyphId::new(glyph)) {
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        if outline.draw(settings, &mut pen).is_ok() && !pen.path.is_empty() {
            content.push_str(&pen.path);
            content.push_str("f\n");
        }
    }
}

struct PathPen {
    scale: f32,
    at: (f32, f32),
    path: String,
}

impl PathPen {
    fn put(&mut self, points: &[(f32, f32)], operator: &str) {
        for (x, y) in points {
            let _ = write!(self.path, "{} {} ", (x * self.scale).round(), (y * self.scale).round());
        }
        self.path.push_str(operator);
        self.path.push('\n');
        if let Some(last) = points.last() {
            self.at = *last;
        }
    }
}

impl OutlinePen for PathPen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.put(&[(x, y)], "m");
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.put(&[(x, y)], "l");
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        // PDF knows cubic curves only.
        let third = |from: f32, control: f32| from + (control - from) * 2.0 / 3.0;
        let first = (third(self.at.0, cx), third(self.at.1, cy));
        let second = (third(x, cx), third(y, cy));
        self.put(&[first, second, (x, y)], "c");
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.put(&[(cx0, cy0), (cx1, cy1), (x, y)], "c");
    }

    fn close(&mut self) {
        self.path.push_str("h\n");
    }
}
