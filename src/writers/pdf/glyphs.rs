//! One document's fonts: glyphs get their codes when they are first shown, so pages can be written before the
//! fonts are; the fonts, cut down to what was shown, are written at the end.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Chunk, Finish as _, Name, Rect, Ref, Str};
use skrifa::MetadataProvider as _;
use subsetter::GlyphRemapper;

use super::emoji::ColorFonts;
use super::file::{PdfFile, deflate};
use super::fonts::{Face, Outlines};
use super::page::{Glyph, TextRun};

const SYSTEM_INFO: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// Which font of the document a run is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FontUse {
    /// The text font with this number; codes have two bytes.
    Text(usize),
    /// Color glyphs: each code names its font, too ([`super::emoji::split_code`]).
    Color,
}

/// The resource name of a text font. (printpdf takes `F1` to `F14` for the standard fonts.)
pub fn text_font_name(number: usize) -> String {
    format!("T{number}")
}

struct TextFont {
    face: Arc<Face>,
    remapper: GlyphRemapper,
    /// Codes by glyph id; 0 means none yet. Faster than asking the remapper for every glyph.
    codes: Vec<u16>,
    /// What each code stands for.
    texts: Vec<Option<Box<str>>>,
}

/// All fonts of a document.
#[derive(Default)]
pub struct DocumentFonts {
    by_face: HashMap<usize, usize>,
    text: Vec<TextFont>,
    color: ColorFonts,
}

impl DocumentFonts {
    /// Replaces a run's glyph ids by codes of this document. Where a code already stands for another text, the glyph
    /// is marked as one whose text must be said.
    pub fn take_in(&mut self, run: &mut TextRun) -> FontUse {
        if run.face.outlines == Outlines::Layers {
            self.color.take_in(run);
            return FontUse::Color;
        }
        let number = match self.by_face.get(&run.face.key) {
            Some(number) => *number,
            None => {
                let number = self.text.len();
                self.by_face.insert(run.face.key, number);
                self.text.push(TextFont {
                    face: run.face.clone(),
                    remapper: GlyphRemapper::new(),
                    codes: vec![0; run.face.widths.len()],
                    texts: vec![None],
                });
                number
            }
        };
        let Some(font) = self.text.get_mut(number) else { return FontUse::Color };
        let TextRun { text, glyphs, .. } = run;
        glyphs.iter_mut().for_each(|glyph| font.take_in(glyph, glyph.of(text)));
        FontUse::Text(number)
    }

    /// Puts a space at the end of a run that was taken in; false where there can be none.
    pub fn end_with_space(&mut self, font: FontUse, run: &mut TextRun) -> bool {
        let FontUse::Text(number) = font else { return false };
        let (Some(font), Some(mut space)) = (self.text.get_mut(number), run.space_after()) else {
            return false;
        };
        font.take_in(&mut space, " ");
        run.text.push(' ');
        run.glyphs.push(space);
        true
    }

    /// Whether PDF/A allows all of them.
    pub fn may_be_embedded(&self) -> bool {
        self.text.iter().all(|font| !font.face.forbids_embedding)
    }

    /// Writes all fonts; returns the resource names with the objects.
    pub fn write<W: Write>(&self, file: &mut PdfFile<W>) -> io::Result<Vec<(String, Ref)>> {
        let mut written = Vec::new();
        for (number, font) in self.text.iter().enumerate() {
            written.push((text_font_name(number), font.write(number, file)?));
        }
        written.extend(self.color.write(file)?);
        Ok(written)
    }
}

impl TextFont {
    /// Replaces a glyph's id by its code, and says whether the code tells the text.
    fn take_in(&mut self, glyph: &mut Glyph, text: &str) {
        let code = self.code(glyph.id);
        if glyph.len > 0 && !glyph.explicit {
            match self.texts.get_mut(usize::from(code)) {
                Some(Some(known)) => glyph.explicit = **known != *text,
                Some(unknown) => *unknown = Some(text.into()),
                None => glyph.explicit = true,
            }
        }
        glyph.id = code.into();
    }

    fn code(&mut self, glyph: u32) -> u16 {
        let Some(slot) = self.codes.get_mut(glyph as usize) else { return 0 };
        if *slot == 0 && glyph != 0 {
            *slot = self.remapper.remap(u16::try_from(glyph).unwrap_or_default());
            self.texts.resize(usize::from(*slot) + 1, None);
        }
        *slot
    }

    /// What each code from 1 on stands for. Glyphs that only ever stood for something together with others, whose text
    /// was said beside them, have a text too: PDF/A asks for one for each.
    fn code_texts(&self) -> Vec<Box<str>> {
        let mut alone: HashMap<u16, char> = HashMap::new();
        if self.texts.iter().skip(1).any(Option::is_none)
            && let Some(font) = self.face.font()
        {
            for (c, glyph) in font.charmap().mappings() {
                if let (Ok(glyph), Some(c)) = (u16::try_from(glyph.to_u32()), char::from_u32(c)) {
                    alone.entry(glyph).or_insert(c);
                }
            }
        }
        let codes = self.texts.iter().zip(self.remapper.remapped_gids()).skip(1);
        codes
            .map(|(text, glyph)| match text {
                Some(text) => speakable(text),
                None => speakable(&alone.get(&glyph).map(char::to_string).unwrap_or_default()),
            })
            .collect()
    }

    fn write<W: Write>(&self, number: usize, file: &mut PdfFile<W>) -> io::Result<Ref> {
        let face = &self.face;
        let [font, descendant, descriptor, program, unicode] = [(); 5].map(|()| file.reserve());
        let tag: String = (0..6).map(|i| char::from(b'A' + (number / 26usize.pow(i) % 26) as u8)).collect();
        let base = format!("{tag}+{}", face.postscript_name);
        let base = Name(base.as_bytes());

        let subset = subsetter::subset(face.data.as_ref(), face.index, &self.remapper)
            .map_err(|error| io::Error::other(format!("font {}: {error}", face.postscript_name)))?;
        let cff = face.outlines == Outlines::Cff;
        if cff {
            let table = bare_cff(&subset).unwrap_or(&subset);
            file.compressed(program, "/Subtype /CIDFontType0C", table)?;
        } else {
            file.compressed(program, &format!("/Length1 {}", subset.len()), &subset)?;
        }

        let mut cmap = UnicodeCmap::new(Name(b"msgarchive-UCS"), SYSTEM_INFO);
        for (code, text) in (1u16..).zip(self.code_texts()) {
            cmap.pair_with_multiple(code, text.chars());
        }
        write_cmap(file, unicode, &cmap.finish())?;

        let mut chunk = Chunk::new();
        let mut flags = FontFlags::NON_SYMBOLIC;
        flags.set(FontFlags::ITALIC, face.italic_angle != 0.0);
        let [x0, y0, x1, y1] = face.bbox;
        let mut d = chunk.font_descriptor(descriptor);
        d.name(base).flags(flags).bbox(Rect::new(x0, y0, x1, y1));
        d.italic_angle(face.italic_angle).ascent(face.ascent).descent(face.descent);
        d.cap_height(face.cap_height).stem_v(if face.bold { 140.0 } else { 80.0 });
        if cff {
            d.font_file3(program);
        } else {
            d.font_file2(program);
        }
        d.finish();
        file.object(descriptor, &chunk)?;

        let mut chunk = Chunk::new();
        let mut cid = chunk.cid_font(descendant);
        cid.subtype(if cff { CidFontType::Type0 } else { CidFontType::Type2 });
        cid.base_font(base).system_info(SYSTEM_INFO).font_descriptor(descriptor).default_width(0.0);
        if !cff {
            cid.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let widths = self.remapper.remapped_gids().map(|gid| face.width(gid.into()));
        cid.widths().consecutive(0, widths);
        cid.finish();
        file.object(descendant, &chunk)?;

        let mut chunk = Chunk::new();
        chunk
            .type0_font(font)
            .base_font(base)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(descendant)
            .to_unicode(unicode);
        file.object(font, &chunk)?;
        Ok(font)
    }
}

/// A text that a ToUnicode map may hold: not empty, without what stands for nothing (ISO 19005-2, 6.2.11.7.2).
pub fn speakable(text: &str) -> Box<str> {
    let text: String = text.chars().filter(|c| !matches!(c, '\0' | '\u{feff}' | '\u{fffe}')).collect();
    if text.is_empty() { "\u{2060}".into() } else { text.into() }
}

/// Writes a ToUnicode map.
pub fn write_cmap<W: Write>(file: &mut PdfFile<W>, id: Ref, cmap: &[u8]) -> io::Result<()> {
    file.stream(id, "/Filter /FlateDecode", &deflate(cmap)?)
}

/// The `CFF ` table of an OpenType font: what `/CIDFontType0C` wants.
fn bare_cff(sfnt: &[u8]) -> Option<&[u8]> {
    use skrifa::raw::{FontRef, TableProvider as _};
    let font = FontRef::new(sfnt).ok()?;
    font.cff().ok()?;
    font.table_data(skrifa::Tag::new(b"CFF ")).map(|data| data.as_bytes())
}
