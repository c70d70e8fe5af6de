//! A message's body: what `attributedBody` and `text` hold between them (`messages-format.md` 4.1, 4.9, 4.10).
//!
//! **Must never**: throw text away because its attributes are damaged, or fall back without saying so.

mod shapes;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::attributes::{Allowance, AttributeValue, Attributes};
use super::foundation::Kind;
use super::keyed;
use super::pieces::{OBJECT, Pieces};
use super::typedstream::{self, Value};
use crate::model::StyleSpan;
use crate::property_list::unicode;

/// A message's body, decoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// The text of a body that is not one text piece alone: see [`Body::text`].
    pub joined_text: Option<String>,
    /// In the order of the text; pieces of one part are neighbours (unless a damaged body names its parts in no order).
    pub pieces: Vec<Piece>,
    /// The body is one single link and nothing else: its target (`messages-format.md` 4.9, step 5).
    pub single_link: Option<String>,
    /// Troubles, in words.
    pub defects: Vec<String>,
}

impl Body {
    /// Text without attributes or objects, as one piece of this part.
    fn of_text(text: &str, part: u32) -> Body {
        let content = PieceContent::Text { text: text.to_owned(), styles: Vec::new() };
        Body { pieces: vec![Piece { part, content }], ..Body::default() }
    }

    /// The whole text, U+FFFC for objects; `None` when the row has no text at all.
    pub fn text(&self) -> Option<&str> {
        match (&self.joined_text, self.pieces.as_slice()) {
            (None, [Piece { content: PieceContent::Text { text, .. }, .. }]) => Some(text),
            (joined, _) => joined.as_deref(),
        }
    }

    /// As [`Body::text`].
    pub fn into_text(self) -> Option<String> {
        match (self.joined_text, self.pieces.into_iter().next()) {
            (None, Some(Piece { content: PieceContent::Text { text, .. }, .. })) => Some(text),
            (joined, _) => joined,
        }
    }
}

/// A run of text, or an object, of one part.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The part's number: the attribute's value, not the position. Text without that attribute takes its position, or
    /// the lowest number that is free.
    pub part: u32,
    pub content: PieceContent,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PieceContent {
    Text {
        text: String,
        styles: Vec<StyleSpan>,
    },
    /// A U+FFFC, or text that a file transfer GUID covers.
    Object {
        /// `__kIMFileTransferGUIDAttributeName`; `None` for a bare U+FFFC.
        attachment: Option<String>,
        name: Option<String>,
        transcription: Option<String>,
    },
}

/// Decodes `message.attributedBody` and `message.text` as `messages-format.md` 4.1 and 4.9 say: typedstream, keyed
/// archive, `text`, plain text, the length-guided scan of a damaged stream.
///
/// Contiguous runs of one part make one text piece with styles. `text` alone has no part numbers: its stretches of
/// text and its objects are parts 0, 1, 2, …
pub fn body(attributed_body: Option<&[u8]>, text: Option<&str>) -> Body {
    read(attributed_body, text, true)
}

/// As [`body`], where only the text is wanted: of what data detectors found it has the marks alone.
pub fn body_without_data(attributed_body: Option<&[u8]>, text: Option<&str>) -> Body {
    read(attributed_body, text, false)
}

fn read(attributed_body: Option<&[u8]>, text: Option<&str>, data: bool) -> Body {
    let Some(blob) = attributed_body.filter(|blob| !blob.is_empty()) else {
        return plain(text);
    };
    let allowance = match data {
        true => Allowance::new(blob.len()),
        false => Allowance::new(blob.len()).without_data(),
    };
    let trouble = match decode(blob, allowance) {
        Ok(body) if body.text() == Some("") && text.is_some_and(|t| !t.is_empty()) => {
            return plain(text);
        }
        Ok(body) => return body,
        Err(trouble) => trouble,
    };
    let (mut body, instead) = match (text, &trouble) {
        (Some(_), _) => (plain(text), "the plain text column was used"),
        (None, Trouble::Damage(_)) => salvage(blob),
        // Whole, but not a text: its first string would be one of any meaning.
        (None, Trouble::NoText) => (Body::default(), "it holds no text"),
    };
    let trouble = match trouble {
        Trouble::Damage(damage) => damage,
        Trouble::NoText => "an archive of something else".into(),
    };
    body.defects.push(format!("body not understood ({trouble}): {instead}"));
    body
}

/// Why a blob has no body to give.
enum Trouble {
    /// In words.
    Damage(String),
    NoText,
}

/// Text that has no attributes.
fn plain(text: Option<&str>) -> Body {
    match text {
        Some(text) if !text.is_empty() && !text.contains(OBJECT) => Body::of_text(text, 0),
        Some(text) => Pieces::new(text.to_owned(), 0).finish(),
        None => Body::default(),
    }
}

/// The body in an archive of either kind.
fn decode(blob: &[u8], allowance: Allowance) -> Result<Body, Trouble> {
    if let Some(body) = shapes::known(blob) {
        return Ok(body);
    }
    let body = decode_whole(blob, allowance)?;
    shapes::learn(blob, &body, |probe| decode_whole(probe, Allowance::new(probe.len())).ok());
    Ok(body)
}

/// The same, by the grammar alone.
fn decode_whole(blob: &[u8], allowance: Allowance) -> Result<Body, Trouble> {
    if blob.starts_with(b"bplist00") {
        let archive = keyed::Archive::read(blob).map_err(|d| Trouble::Damage(d.to_string()))?;
        return from_keyed(archive.root(), blob.len(), allowance).ok_or(Trouble::NoText);
    }
    let read =
        typedstream::read(blob, |root, damage| match (from_stream(root, blob.len(), allowance), damage) {
            (Some(mut body), Some(damage)) => {
                let what = format!("the body is damaged: {damage}; what could be read is shown");
                body.defects.push(what);
                Ok(body)
            }
            (Some(body), None) => Ok(body),
            (None, Some(damage)) => Err(Trouble::Damage(damage.to_string())),
            (None, None) => Err(Trouble::NoText),
        });
    read.unwrap_or_else(|damage| Err(Trouble::Damage(damage.to_string())))
}

impl AttributeValue for Value<'_> {
    fn number(&self) -> Option<i64> {
        self.integer()
    }

    fn text(&self) -> Option<String> {
        match self.string() {
            Some(text) => Some(text.into_owned()),
            None => self.url(),
        }
    }

    fn data(&self) -> Option<&[u8]> {
        Value::data(*self)
    }

    fn member(&self, key: &str, allowance: &mut Allowance) -> Option<String> {
        let (_, value) = self
            .entries()
            .take_while(|_| allowance.spend(1, 0))
            .find(|(name, _)| name.string_bytes() == Some(key.as_bytes()))?;
        value.string().map(Cow::into_owned)
    }
}

/// An attributed string, or a bare one.
fn from_stream(root: Value<'_>, size: usize, mut allowance: Allowance) -> Option<Body> {
    if let Some(text) = root.string() {
        return Some(pieces_of(text, size).finish());
    }
    let string = root.object(Kind::AttributedString)?;
    let mut values = string.values().peekable();
    let mut pieces = pieces_of(values.next()?.string()?, size);
    let mut sets = AttributeSets::default();
    let none = Attributes::default();
    // Runs: an attribute set's number and a length in UTF-16 units; then, where the number is new, the set.
    while let (Some(number), Some(units)) =
        (values.next().and_then(Value::integer), values.next().and_then(Value::integer))
    {
        let new = values.next_if(|value| matches!(value, Value::Object(_) | Value::Nil));
        if let Some(set) = new {
            let entries = set.entries().filter_map(|(key, value)| Some((key.string_bytes()?, value)));
            match Attributes::read(entries, &mut allowance) {
                Some(set) => sets.add(number, set),
                None => {
                    pieces.defect(BEYOND_MEASURE.into());
                    break;
                }
            }
        }
        let units = u64::try_from(units).unwrap_or(0);
        pieces.run(units, sets.get(number).unwrap_or(&none));
    }
    Some(pieces.finish())
}

/// Pieces of a string that was borrowed if it was well.
fn pieces_of(text: Cow<'_, str>, size: usize) -> Pieces {
    let damaged = matches!(text, Cow::Owned(_));
    let mut pieces = Pieces::new(text.into_owned(), size);
    if damaged {
        pieces.defect("the text holds bytes that are no characters".into());
    }
    pieces
}

const BEYOND_MEASURE: &str = "attributes repeated beyond measure were left out";

/// The attribute sets of one string, by number. Messages numbers them 1, 2, 3, …
#[derive(Default)]
struct AttributeSets {
    sets: Vec<Attributes>,
    /// The place of those with another number than that.
    odd: BTreeMap<i64, usize>,
}

impl AttributeSets {
    fn add(&mut self, number: i64, set: Attributes) {
        let place = self.sets.len();
        self.sets.push(set);
        if place_of(number) != Some(place) || !self.odd.is_empty() {
            self.odd.insert(number, place);
        }
    }

    fn get(&self, number: i64) -> Option<&Attributes> {
        let place = self.odd.get(&number).copied().or_else(|| place_of(number));
        self.sets.get(place?)
    }
}

fn place_of(number: i64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

impl AttributeValue for keyed::Node<'_> {
    fn number(&self) -> Option<i64> {
        self.integer()
    }

    fn text(&self) -> Option<String> {
        self.url()
    }

    fn data(&self) -> Option<&[u8]> {
        keyed::Node::data(*self)
    }

    fn member(&self, key: &str, allowance: &mut Allowance) -> Option<String> {
        allowance.spend(self.len(), 0).then(|| self.get(key))??.text()
    }
}

/// An NSAttributedString of a keyed archive: `NSString`, `NSAttributes` (one dictionary, or an array of them) and
/// `NSAttributeInfo` (pairs of run length and index into that array, each a LEB128 number).
pub(super) fn from_keyed(root: keyed::Node<'_>, size: usize, mut allowance: Allowance) -> Option<Body> {
    let mut pieces = Pieces::new(root.string()?.into_owned(), size);
    let mut read = |set: keyed::Node<'_>| {
        if !allowance.spend(1 + set.len(), 0) {
            return None;
        }
        let entries = set.entries().filter_map(|(key, value)| {
            let key = key.stored_text().filter(|key| key.size() < 256)?;
            Some((key.decode().into_owned(), value))
        });
        Attributes::read(entries, &mut allowance)
    };
    let runs = root.get("NSAttributeInfo");
    match (root.get("NSAttributes"), runs.and_then(|runs| runs.data())) {
        (Some(sets), Some(mut runs)) => {
            let sets: Option<Vec<Attributes>> = sets.items().map(read).collect();
            if sets.is_none() {
                pieces.defect(BEYOND_MEASURE.into());
            }
            let (sets, none) = (sets.unwrap_or_default(), Attributes::default());
            while let (Some(units), Some(set)) = (leb128(&mut runs), leb128(&mut runs)) {
                let set = usize::try_from(set).ok().and_then(|set| sets.get(set));
                pieces.run(units, set.unwrap_or(&none));
            }
        }
        (Some(only), None) => match read(only) {
            Some(set) => pieces.run(u64::MAX, &set),
            None => pieces.defect(BEYOND_MEASURE.into()),
        },
        (None, _) => {}
    }
    Some(pieces.finish())
}

fn leb128(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The text of a blob that is no whole archive, and how it was found.
fn salvage(blob: &[u8]) -> (Body, &'static str) {
    if let Some(text) = scan(blob) {
        let body = Pieces::new(text, blob.len()).finish();
        return (body, "the text was found without its attributes");
    }
    if blob.starts_with(b"bplist00") || typedstream::is_typedstream(blob) {
        return (Body::default(), "it holds no text");
    }
    let (text, how) = match blob {
        [0xFF, 0xFE, text @ ..] => (unicode::utf16(text, false), "it was read as UTF-16"),
        [0xFE, 0xFF, text @ ..] => (unicode::utf16(text, true), "it was read as UTF-16"),
        [0xEF, 0xBB, 0xBF, text @ ..] | text => {
            (unicode::utf8(text).into_owned(), "it was read as plain text")
        }
    };
    (Pieces::new(text, blob.len()).finish(), how)
}

/// The first string of a damaged typedstream (`messages-format.md` 4.9): behind the type `+`, a length and as many bytes. Only where
/// the stream has not that many does the string end at the marks that follow one: they may be part of a character.
fn scan(blob: &[u8]) -> Option<String> {
    let (_, rest) = split_at_pair(blob, *b"\x01+")?;
    let (length, text) = number_at(rest)?;
    let whole = usize::try_from(length).ok().and_then(|length| text.get(..length));
    let text = whole.unwrap_or_else(|| split_at_pair(text, [0x86, 0x84]).map_or(text, |(text, _)| text));
    Some(unicode::utf8(text).into_owned())
}

/// The unsigned number that these bytes of a little-endian typedstream begin with, and what follows it.
fn number_at(bytes: &[u8]) -> Option<(u64, &[u8])> {
    Some(match bytes {
        [0x81, a, b, rest @ ..] => (u16::from_le_bytes([*a, *b]).into(), rest),
        [0x82, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]).into(), rest),
        [0x80..=0x91, ..] | [] => return None,
        [number, rest @ ..] => ((*number).into(), rest),
    })
}

fn split_at_pair(bytes: &[u8], pair: [u8; 2]) -> Option<(&[u8], &[u8])> {
    let at = bytes.windows(2).position(|two| two == pair)?;
    Some((bytes.get(..at)?, bytes.get(at + 2..)?))
}
