//! Bodies that differ in their text only.
//!
//! Nearly all typedstreams of a history are a text under one run of attributes that name its part and nothing else: byte
//! for byte the same, but for the text and its lengths. Each thread keeps the *shapes* that the grammar has read, and
//! takes the text out of the next stream of such a shape without reading all of it again. That is no guess: nothing in a
//! stream depends on what its strings say or on where its bytes stand.
//!
//! **Must never**: know a shape that the grammar has not read, or give another body than the grammar would.

use std::cell::Cell;

use super::{Body, Piece, PieceContent, number_at, split_at_pair};
use crate::pipeline::decode::attributes::Attributes;
use crate::pipeline::decode::pieces::{OBJECT, Pieces};

/// Shapes that a thread keeps: Messages wrote a few, from version to version and for its two classes of string.
const KEPT: usize = 8;
/// Bytes around the text of a shape that is kept: Messages' own have about 250.
const MOST_AROUND: usize = 1024;
/// How often a thread learns: a history of nothing but odd streams is not worth it.
const LESSONS: u32 = 256;
/// Between the text and its run: the string's end, the type of a run, and the number of a new attribute set.
const RUN: &[u8] = b"\x86\x84\x02iI\x01";
const LITTLE_ENDIAN: &[u8] = b"\x04\x0bstreamtyped";

/// What stands around a text.
#[derive(Clone, PartialEq)]
struct Shape {
    /// Up to the text's length.
    before: Vec<u8>,
    /// From behind the run's length on.
    after: Vec<u8>,
    /// The part that the run names.
    part: u32,
}

#[derive(Default)]
struct Shapes {
    /// The last one used is the first.
    kept: Vec<Shape>,
    lessons: u32,
}

thread_local! {
    static SHAPES: Cell<Shapes> = const { Cell::new(Shapes { kept: Vec::new(), lessons: 0 }) };
}

/// The body of a stream whose shape is known.
pub(super) fn known(blob: &[u8]) -> Option<Body> {
    let mut shapes = SHAPES.take();
    let found = shapes.kept.iter().enumerate().find_map(|(at, shape)| {
        let text = shape.text_in(blob)?;
        Some((at, text, shape.part))
    });
    if let Some((at, ..)) = found {
        shapes.kept.swap(0, at);
    }
    SHAPES.set(shapes);
    let (_, text, part) = found?;
    if !text.contains(OBJECT) {
        return Some(Body::of_text(text, part));
    }
    let mut pieces = Pieces::new(text.to_owned(), blob.len());
    pieces.run(u64::MAX, &Attributes { part: Some(part), ..Attributes::default() });
    Some(pieces.finish())
}

/// Keeps the shape of a stream that was read as `body`, if it is of that kind. `grammar` reads a stream.
pub(super) fn learn(blob: &[u8], body: &Body, grammar: impl Fn(&[u8]) -> Option<Body>) {
    let [Piece { part, content: PieceContent::Text { styles, .. } }] = body.pieces.as_slice() else { return };
    let Some((before, text, after)) = taken_apart(blob) else { return };
    if !styles.is_empty()
        || !blob.starts_with(LITTLE_ENDIAN)
        || before.len() + after.len() > MOST_AROUND
        || body.text() != Some(text)
    {
        return;
    }
    let mut shapes = SHAPES.take();
    if shapes.lessons < LESSONS {
        shapes.lessons += 1;
        let shape = Shape { before: before.to_vec(), after: after.to_vec(), part: *part };
        if shape.holds(grammar) && !shapes.kept.contains(&shape) {
            shapes.kept.truncate(KEPT - 1);
            shapes.kept.insert(0, shape);
        }
    }
    SHAPES.set(shapes);
}

impl Shape {
    fn text_in<'b>(&self, blob: &'b [u8]) -> Option<&'b str> {
        // The end first: it is where streams of one beginning differ.
        let rest = blob.strip_suffix(self.after.as_slice())?.strip_prefix(self.before.as_slice())?;
        match text_and_run(rest)? {
            (text, []) => Some(text),
            _ => None,
        }
    }

    /// Whether the grammar reads other texts of this shape as this part and nothing else: the shortest one, for
    /// which its limits are the narrowest, and one with an object, which would be a part of its own in a run that
    /// names none.
    fn holds(&self, grammar: impl Fn(&[u8]) -> Option<Body>) -> bool {
        let text = |text: &str| PieceContent::Text { text: text.into(), styles: Vec::new() };
        let object = PieceContent::Object { attachment: None, name: None, transcription: None };
        let probes = [(".", vec![text(".")]), ("a\u{FFFC}b", vec![text("a"), object, text("b")])];
        probes.into_iter().all(|(text, contents)| {
            let (bytes, units) = (text.len() as u8, units_of(text) as u8);
            let stream =
                [&self.before, &[bytes][..], text.as_bytes(), RUN, &[units], self.after.as_slice()].concat();
            let part = |content| Piece { part: self.part, content };
            let expected = Body {
                joined_text: (contents.len() != 1).then(|| text.into()),
                pieces: contents.into_iter().map(part).collect(),
                ..Body::default()
            };
            grammar(&stream) == Some(expected)
        })
    }
}

/// A stream, in what stands before its text's length, the text, and what stands behind its run's length.
fn taken_apart(blob: &[u8]) -> Option<(&[u8], &str, &[u8])> {
    let (before, rest) = split_at_pair(blob, *b"\x01+")?;
    let (text, after) = text_and_run(rest)?;
    Some((blob.get(..before.len() + 2)?, text, after))
}

/// A text that is not empty, with its length before it and one run over all of it behind; and the rest.
fn text_and_run(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = number_at(bytes)?;
    let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let (units, rest) = number_at(rest.strip_prefix(RUN)?)?;
    let text = std::str::from_utf8(text).ok().filter(|text| !text.is_empty())?;
    (units_of(text) == units).then_some((text, rest))
}

/// Its length as a run counts it.
fn units_of(text: &str) -> u64 {
    match text.is_ascii() {
        true => text.len() as u64,
        false => text.encode_utf16().count() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::decode::attributes::Allowance;
    use crate::pipeline::decode::body::decode_whole;

    const BEFORE: &[u8] = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\
        \x84\x84\x08NSObject\x00\x85\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+";
    const NO_PART: &[u8] = b"\x92\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x00\x86\x86";

    /// Behind the run's length: a dictionary that names a part.
    fn naming(part: u8) -> Vec<u8> {
        let name = b"__kIMMessagePartAttributeName";
        [
            &b"\x92\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x01\x92\x84\x96\x96\x1d"[..],
            name,
            b"\x86\x92\x84\x84\x84\x08NSNumber\x00\x84\x84\x07NSValue\x00\x94\x84\x01*\x84\x99\x99",
            &[part],
            b"\x86\x86\x86",
        ]
        .concat()
    }

    fn number(number: usize) -> Vec<u8> {
        match number {
            0..0x80 => vec![number as u8],
            _ => [&[0x81][..], &(number as u16).to_le_bytes()].concat(),
        }
    }

    fn stream(text: &[u8], units: usize, after: &[u8]) -> Vec<u8> {
        [BEFORE, &number(text.len()), text, RUN, &number(units), after].concat()
    }

    fn grammar(blob: &[u8]) -> Option<Body> {
        decode_whole(blob, Allowance::new(blob.len())).ok()
    }

    fn teach(blob: &[u8]) {
        learn(blob, &grammar(blob).unwrap(), grammar);
    }

    #[test]
    fn the_next_stream_of_a_shape_is_known_and_read_as_the_grammar_reads_it() {
        let first = stream(b"first", 5, &naming(0));
        assert_eq!(known(&first), None);
        teach(&first);
        let long = "x".repeat(300);
        for text in ["x", "second", "é😀", "a\u{FFFC}b", "\u{FFFC}", "\x01+\x01i", "\0", &long] {
            let blob = stream(text.as_bytes(), text.encode_utf16().count(), &naming(0));
            let body = known(&blob);
            assert!(body.is_some(), "{text:?}");
            assert_eq!(body, grammar(&blob), "{text:?}");
        }
        assert_eq!(known(&stream(b"other", 5, &naming(1))), None);
        teach(&stream(b"first", 5, &naming(1)));
        assert_eq!(known(&stream(b"other", 5, &naming(1))).unwrap().pieces[0].part, 1);
    }

    #[test]
    fn a_stream_that_is_not_just_so_is_left_to_the_grammar() {
        teach(&stream(b"first", 5, &naming(0)));
        let cut = stream(b"first", 5, &naming(0));
        let cut = &cut[..cut.len() - 1];
        let much = [stream(b"first", 5, &naming(0)), vec![0x86]].concat();
        for blob in [
            &stream(b"", 0, &naming(0)),
            &stream(b"short", 4, &naming(0)),
            &stream(b"a\xFFb", 3, &naming(0)),
            &stream("é".as_bytes(), 2, &naming(0)),
            cut,
            &much,
            b"",
        ] {
            assert_eq!(known(blob), None, "{}", String::from_utf8_lossy(blob));
        }
    }

    #[test]
    fn what_names_no_part_or_more_than_that_is_no_shape() {
        let mut styled = naming(0);
        let name = b"__kIMMessagePartAttributeName";
        let at = styled.windows(name.len()).position(|bytes| bytes == name).unwrap();
        styled.splice(at - 1..at + name.len(), *b"\x1a__kIMTextBoldAttributeName");
        for after in [NO_PART.to_vec(), styled] {
            let blob = stream(b"first", 5, &after);
            assert_eq!(grammar(&blob).unwrap().defects, [""; 0]);
            teach(&blob);
            assert_eq!(known(&blob), None);
        }
    }

    #[test]
    fn few_shapes_are_kept_and_lessons_end() {
        for part in 0..20 {
            teach(&stream(b"first", 5, &naming(part)));
        }
        let kept = (0..20).filter(|part| known(&stream(b"first", 5, &naming(*part))).is_some()).count();
        assert_eq!(kept, KEPT);
        for _ in 0..=LESSONS {
            teach(&stream(b"first", 5, &naming(1)));
        }
        teach(&stream(b"first", 5, &naming(99)));
        assert_eq!(known(&stream(b"first", 5, &naming(99))), None, "the lessons are over");
    }
}
