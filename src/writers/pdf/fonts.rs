//! The faces that text is set in: those bundled with the program, the user's, and, when asked, the system's.
//!
//! A bundled face is unpacked when a text first needs it. Which faces a text may use depends on that text alone, never
//! on what was unpacked before, so the same text always looks the same.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fontique::{Blob, Collection, CollectionOptions, FontInfoOverride};
use skrifa::instance::{LocationRef, Size};
use skrifa::raw::TableProvider as _;
use skrifa::{FontRef, MetadataProvider as _};

use super::bundle::{BOX, BUNDLE, Faces, LATIN};

/// No embedding without the owner's permission.
const RESTRICTED: u16 = 2;

/// How a face's glyphs get into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlines {
    /// TrueType.
    Glyf,
    /// PostScript.
    Cff,
    /// Layers of flat colors (COLR version 0) over TrueType outlines.
    Layers,
}

/// One face, ready to be measured and embedded.
#[derive(Debug)]
pub struct Face {
    /// Tells faces apart within one run of the program; says nothing else.
    pub key: usize,
    pub data: Blob<u8>,
    /// In a collection of faces.
    pub index: u32,
    pub postscript_name: String,
    pub outlines: Outlines,
    pub units_per_em: f32,
    /// In thousandths of an em, as PDF counts.
    pub ascent: f32,
    pub descent: f32,
    pub cap_height: f32,
    pub bbox: [f32; 4],
    pub italic_angle: f32,
    pub bold: bool,
    /// Its license forbids that a document holds it (OpenType, OS/2, `fsType`).
    pub forbids_embedding: bool,
    /// The glyph of a space, in a face of text.
    pub space: Option<u32>,
    /// Advance widths by glyph id, in thousandths of an em.
    pub widths: Vec<u16>,
}

impl Face {
    /// `None` when it is broken or has no outlines to embed.
    fn read(key: usize, data: Blob<u8>, index: u32) -> Option<Face> {
        let font = FontRef::from_index(data.as_ref(), index).ok()?;
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        let units_per_em = f32::from(metrics.units_per_em.max(1));
        let per_mille = |units: f32| units * 1000.0 / units_per_em;
        let layered = font.colr().is_ok_and(|colr| colr.num_base_glyph_records() > 0);
        let outlines = match (font.glyf().is_ok(), font.cff().is_ok()) {
            (true, _) if layered => Outlines::Layers,
            (true, _) => Outlines::Glyf,
            (_, true) => Outlines::Cff,
            _ => return None,
        };
        // Better found out now than when a document is complete.
        subsetter::subset(data.as_ref(), index, &subsetter::GlyphRemapper::new()).ok()?;
        let advances = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let space = font.charmap().map(' ').filter(|_| !layered).map(|glyph| glyph.to_u32());
        let widths = (0..metrics.glyph_count)
            .map(|gid| per_mille(advances.advance_width(gid.into()).unwrap_or_default()).round() as u16)
            .collect();
        let name = font
            .localized_strings(skrifa::string::StringId::POSTSCRIPT_NAME)
            .english_or_first()
            .map(|name| name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect())
            .filter(|name: &String| !name.is_empty())
            .unwrap_or_else(|| "Font".into());
        let bounds = metrics.bounds.unwrap_or_default();
        Some(Face {
            key,
            index,
            postscript_name: name,
            outlines,
            units_per_em,
            ascent: per_mille(metrics.ascent),
            descent: per_mille(metrics.descent),
            cap_height: per_mille(metrics.cap_height.unwrap_or(metrics.ascent * 0.7)),
            bbox: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(per_mille),
            italic_angle: metrics.italic_angle,
            bold: font.attributes().weight.value() >= 600.0,
            forbids_embedding: font.os2().is_ok_and(|os2| os2.fs_type() & 0xf == RESTRICTED),
            space,
            widths,
            data,
        })
    }

    /// The parsed face; cheap.
    pub fn font(&self) -> Option<FontRef<'_>> {
        FontRef::from_index(self.data.as_ref(), self.index).ok()
    }

    /// In thousandths of an em.
    pub fn width(&self, glyph: u32) -> f32 {
        self.widths.get(glyph as usize).copied().unwrap_or_default().into()
    }
}

/// Every face there is for this run, shared by all workers.
pub struct FontSet {
    bundled: Vec<OnceLock<Blob<u8>>>,
    user: Vec<Blob<u8>>,
    system: bool,
    /// Only faces that may be embedded by anybody.
    archival: bool,
    faces: Mutex<HashMap<(u64, u32), Arc<Face>>>,
    latin: OnceLock<Vec<u64>>,
}

impl std::fmt::Debug for FontSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FontSet").field("user", &self.user.len()).field("system", &self.system).finish()
    }
}

impl FontSet {
    /// Reads the font files in `folders` (and in theirs, three levels down). With `archival`, only fonts that PDF/A
    /// allows are used: one in the folders that forbids to be embedded is an error, those of the system are left out.
    /// The error names the folder or the file.
    pub fn new(folders: &[PathBuf], system: bool, archival: bool) -> Result<FontSet, String> {
        let mut files = Vec::new();
        for folder in folders {
            find_fonts(folder, 3, &mut files)
                .map_err(|error| format!("cannot read the fonts in {}: {error}", folder.display()))?;
        }
        files.sort();
        let mut user = Vec::new();
        for file in files {
            let bytes = std::fs::read(&file)
                .map_err(|error| format!("cannot read the font {}: {error}", file.display()))?;
            let blob = Blob::new(Arc::new(bytes));
            if archival && Face::read(0, blob.clone(), 0).is_some_and(|face| face.forbids_embedding) {
                let file = file.display();
                return Err(format!("the font {file} forbids to be embedded, and so cannot be in PDF/A"));
            }
            user.push(blob);
        }
        Ok(FontSet {
            bundled: BUNDLE.iter().map(|_| OnceLock::new()).collect(),
            user,
            system,
            archival,
            faces: Mutex::default(),
            latin: OnceLock::new(),
        })
    }

    /// A bundled face's bytes, unpacked on first use.
    fn unpacked(&self, number: usize) -> Option<Blob<u8>> {
        let face = BUNDLE.get(number)?;
        let blob = self.bundled.get(number)?.get_or_init(|| {
            let mut bytes = Vec::new();
            let mut unpacker = flate2::read::ZlibDecoder::new(face.packed);
            // Our own data: a failure would be a damaged program, and shows as missing glyphs.
            let _ = unpacker.read_to_end(&mut bytes);
            Blob::new(Arc::new(bytes))
        });
        Some(blob.clone())
    }

    /// The one [`Face`] for a font that layout chose.
    pub fn face(&self, data: &Blob<u8>, index: u32) -> Option<Arc<Face>> {
        let mut faces = self.faces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(face) = faces.get(&(data.id(), index)) {
            return Some(face.clone());
        }
        let face = Face::read(faces.len(), data.clone(), index)?;
        if self.archival && face.forbids_embedding {
            return None;
        }
        let face = Arc::new(face);
        faces.insert((data.id(), index), face.clone());
        Some(face)
    }

    /// The fonts that were used, or were to be, and forbid to be embedded.
    pub fn forbidding(&self) -> Vec<String> {
        let faces = self.faces.lock().unwrap_or_else(PoisonError::into_inner);
        let forbidding = faces.values().filter(|face| face.forbids_embedding);
        let mut names: Vec<_> = forbidding.map(|face| face.postscript_name.clone()).collect();
        names.sort();
        names
    }

    /// Whether the Latin faces have the character.
    pub fn is_latin(&self, c: char) -> bool {
        let map = self.latin.get_or_init(|| {
            let mut map = vec![0u64; 0x1_0000 / 64];
            if let Some(blob) = self.unpacked(LATIN)
                && let Ok(font) = FontRef::from_index(blob.as_ref(), 0)
            {
                for (c, _) in font.charmap().mappings() {
                    if let Some(word) = map.get_mut(c as usize / 64) {
                        *word |= 1 << (c % 64);
                    }
                }
            }
            map
        });
        map.get(c as usize / 64).is_some_and(|word| word & (1 << (c as u32 % 64)) != 0)
    }
}

fn find_fonts(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            find_fonts(&path, depth - 1, files)?;
        } else if kind.is_file() {
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if ["ttf", "otf", "ttc", "otc"].iter().any(|known| extension.eq_ignore_ascii_case(known)) {
                files.push(path);
            }
        }
    }
    Ok(())
}

/// One worker's view of the faces: what parley needs, filled as texts need it.
pub struct Library {
    pub context: parley::FontContext,
    set: Arc<FontSet>,
    loaded: Faces,
    user_families: Vec<String>,
    faces: HashMap<(u64, u32), Option<Arc<Face>>>,
}

/// The name under which a bundled face is known to parley; the four Latin ones share one.
pub fn family_name(number: usize) -> String {
    format!("bundled {}", if BUNDLE.get(number).is_some_and(|f| f.latin) { LATIN } else { number })
}

impl Library {
    pub fn new(set: Arc<FontSet>) -> Library {
        let collection = Collection::new(CollectionOptions { shared: false, system_fonts: set.system });
        let context = parley::FontContext { collection, source_cache: Default::default() };
        let mut library =
            Library { context, set, loaded: 0, user_families: Vec::new(), faces: HashMap::new() };
        for (number, blob) in library.set.user.clone().into_iter().enumerate() {
            if library.set.face(&blob, 0).is_none() {
                continue;
            }
            let name = format!("user {number}");
            let info = FontInfoOverride { family_name: Some(&name), ..empty_override() };
            if !library.context.collection.register_fonts(blob, Some(info)).is_empty() {
                library.user_families.push(name);
            }
        }
        for (number, face) in BUNDLE.iter().enumerate() {
            if face.latin {
                library.load(number);
            }
        }
        library
    }

    fn load(&mut self, number: usize) {
        if self.loaded & (1 << number) != 0 {
            return;
        }
        self.loaded |= 1 << number;
        if let Some(blob) = self.set.unpacked(number) {
            let name = family_name(number);
            let info = FontInfoOverride { family_name: Some(&name), ..empty_override() };
            self.context.collection.register_fonts(blob, Some(info));
        }
    }

    /// The families for a text that needs these bundled faces, in order of preference.
    pub fn families(&mut self, needed: Faces) -> Vec<String> {
        let mut families = self.user_families.clone();
        families.push(family_name(LATIN));
        for number in 0..BUNDLE.len() {
            if needed & (1 << number) != 0 {
                self.load(number);
                families.push(family_name(number));
            }
        }
        families
    }

    pub fn is_latin(&self, c: char) -> bool {
        self.set.is_latin(c)
    }

    /// The face that layout chose. `None`: it cannot be embedded.
    pub fn face(&mut self, data: &Blob<u8>, index: u32) -> Option<Arc<Face>> {
        let set = &self.set;
        let known = self.faces.entry((data.id(), index));
        known.or_insert_with(|| set.face(data, index)).clone()
    }

    /// What is drawn for a character that no face has: a face and its glyph `▯`. (PDF/A does not allow the glyph that
    /// every face has for this purpose.)
    pub fn missing(&mut self) -> Option<(Arc<Face>, u32)> {
        let face = self.set.face(&self.set.unpacked(BOX)?, 0)?;
        let glyph = face.font()?.charmap().map('▯')?.to_u32();
        Some((face, glyph))
    }
}

fn empty_override<'a>() -> FontInfoOverride<'a> {
    FontInfoOverride { family_name: None, width: None, style: None, weight: None, axes: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_box_for_what_no_face_has() {
        let mut library = Library::new(Arc::new(FontSet::new(&[], false, false).unwrap()));
        let (face, glyph) = library.missing().unwrap();
        assert!(glyph != 0 && face.width(glyph) > 200.0, "{} {glyph}", face.postscript_name);
    }
}
