//! The decoders on damaged and hostile bytes: a result with a defect or without, soon, and never a panic.

use std::fs;
use std::time::{Duration, Instant};

use msgarchive::pipeline::decode::balloons::balloon;
use msgarchive::pipeline::decode::body::body;
use msgarchive::pipeline::decode::summary::summary;
use plist::{Dictionary, Uid, Value};

use crate::decode_samples::samples;
use crate::support::typedstream::{self, AttributedString, FILE_NAME, FILE_TRANSFER, LINK, PART};
use crate::support::{AppTemplate, UrlPreview, drawings, keyed};

type Decode = fn(&[u8]);

fn as_body(blob: &[u8]) {
    let body = body(Some(blob), None);
    // Whatever is made of it: every character of the text is in a piece, or is an object.
    let length = body.text().map_or(0, |text| text.chars().count());
    assert!(body.pieces.len() <= length);
}

fn as_summary(blob: &[u8]) {
    summary(blob);
}

fn as_balloon(blob: &[u8]) {
    balloon("com.apple.messages.URLBalloonProvider", Some(blob), None);
    balloon("org.example.app", Some(blob), None);
}

fn as_drawing(blob: &[u8]) {
    balloon("com.apple.Handwriting.HandwritingProvider", Some(blob), None);
    balloon("com.apple.DigitalTouchBalloonProvider", Some(blob), None);
}

/// Cuts the bytes off at every place, and changes every byte in two ways.
fn harass(blob: &[u8], decode: Decode) {
    for end in 0..blob.len() {
        decode(&blob[..end]);
    }
    let mut bytes = blob.to_vec();
    for at in 0..bytes.len() {
        let byte = bytes[at];
        let tag = [0x81, 0x84, 0x85, 0x86, 0x92][at % 5];
        for changed in [byte ^ 1 << (at % 8), tag] {
            bytes[at] = changed;
            decode(&bytes);
        }
        bytes[at] = byte;
    }
}

fn styled_body() -> Vec<u8> {
    let part = |n| (PART, typedstream::Value::Int(n));
    AttributedString { mutable: true, ..AttributedString::default() }
        .with("\u{FFFC}", vec![part(0), (FILE_TRANSFER, "at_0_X".into()), (FILE_NAME, "a.heic".into())])
        .with("look 😀 ", vec![part(1), ("__kIMTextBoldAttributeName", typedstream::Value::Int(1))])
        .with("there", vec![part(1), (LINK, typedstream::Value::Url("https://example.com".into()))])
        .with("!", vec![part(1), ("__kIMMoneyAttributeName", typedstream::Value::Data(vec![1; 300]))])
        .encode()
}

fn edited() -> Vec<u8> {
    let version = |text: &str, date: f64| {
        dictionary(&[("t", Value::Data(AttributedString::plain(text).encode())), ("d", date.into())])
    };
    let versions = Value::Array(vec![version("one", 6.9e8), version("two", 6.9e8 + 60.0)]);
    let range = dictionary(&[("lo", 0.into()), ("le", 3.into())]);
    keyed::binary(&dictionary(&[
        ("ec", dictionary(&[("0", versions)])),
        ("ep", Value::Array(vec![0.into()])),
        ("otr", dictionary(&[("0", range.clone()), ("1", range)])),
        ("rp", Value::Array(vec![1.into()])),
    ]))
}

fn dictionary(entries: &[(&str, Value)]) -> Value {
    Value::Dictionary(entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<Dictionary>())
}

#[test]
fn synthetic_blobs_cut_and_changed() {
    harass(&styled_body(), as_body);
    harass(&AttributedString::plain("hello").encode(), as_body);
    harass(&edited(), as_summary);
    harass(&UrlPreview::new("https://example.com").title("A page").encode(), as_balloon);
    harass(&AppTemplate::new("App").caption("Arrived").encode(), as_balloon);
}

#[test]
fn drawings_cut_and_changed() {
    let ink = vec![vec![[100, 200, 3]; 20], vec![[30_000, 31_000, 24]]];
    for compressed in [true, false] {
        let note = drawings::Handwriting { strokes: ink.clone(), compressed, ..Default::default() };
        harass(&note.encode(), as_drawing);
    }
    let places = [(1, 2), (60_000, 50_000)];
    let sketch = drawings::sketch(&[places.to_vec(), vec![(7, 7)]], &[[9; 4], [8; 4]]);
    let taps = drawings::taps(&places, &[0, 300], &[[9; 4], [8; 4]]);
    harass(&drawings::media(1, &[sketch.clone(), taps.clone()]), as_drawing);
    for payload in
        [sketch, taps, drawings::heartbeat(64.0, 5, 1.0), drawings::kisses(&places, &[0, 9], &[0, 1])]
    {
        harass(&payload, as_drawing);
    }
    harass(&drawings::fireball(1.0, (0.5, -0.5), &places, &[0, 16]), as_drawing);
}

/// One picture's archive names the same sketch again and again.
#[test]
fn one_sketch_many_times() {
    let sketch = drawings::sketch(&[vec![(1, 1); 60_000]], &[[9; 4]]);
    let item = Value::Uid(Uid::new(2));
    let list = dictionary(&[("NS.objects", Value::Array(vec![item; 50_000]))]);
    let objects = Value::Array(vec!["$null".into(), list, Value::Data(sketch)]);
    let top = dictionary(&[("root", Value::Uid(Uid::new(1)))]);
    let archive = keyed::binary(&dictionary(&[("$top", top), ("$objects", objects)]));
    let inner = drawings::Protobuf::default().bytes(2, archive).integer(4, 1);
    let payload = drawings::touch(6, inner);
    let id = "com.apple.DigitalTouchBalloonProvider";
    let (card, defects) = soon("sketches", || balloon(id, Some(&payload), None));
    assert_eq!(defects, ["Digital Touch message not understood: more is drawn on it than can be shown"]);
    assert!(card.lines.len() < 10, "{}", card.lines.len());
}

#[test]
fn real_samples_cut_and_changed() {
    let folders: [(&str, Decode); 5] = [
        ("bodies", as_body),
        ("bodies/foundation", as_body),
        ("summaries", as_summary),
        ("payloads", as_balloon),
        ("digital_touch", as_drawing),
    ];
    for (folder, decode) in folders {
        let Some(folder) = samples(folder) else { continue };
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                harass(&fs::read(path).unwrap(), decode);
            }
        }
    }
}

/// A second is much more than any of these takes; without a bound they would take hours.
fn soon<T>(what: &str, decode: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = decode();
    assert!(start.elapsed() < Duration::from_secs(20), "{what} took {:?}", start.elapsed());
    result
}

const HEADER: &[u8] = b"\x04\x0bstreamtyped\x81\xe8\x03";

/// An attributed string up to its runs.
fn stream_of(text: &[u8]) -> Vec<u8> {
    let mut blob = HEADER.to_vec();
    blob.extend(b"\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84\x08NSObject\x00\x85");
    blob.extend(b"\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+\x82");
    blob.extend((text.len() as u32).to_le_bytes());
    blob.extend(text);
    blob.push(0x86);
    blob
}

#[test]
fn streams_of_tags() {
    for byte in 0..=255 {
        let mut blob = HEADER.to_vec();
        blob.extend([byte; 5000]);
        soon("tags", || as_body(&blob));
        as_body(&vec![byte; 5000]);
    }
}

#[test]
fn lengths_of_four_gigabytes() {
    let mut blob = HEADER.to_vec();
    blob.extend(b"\x84\x82\xff\xff\xff\xff@");
    as_body(&blob);
    let mut blob = stream_of(b"text");
    blob.extend(b"\x84\x02iI\x01\x82\xff\xff\xff\xff\x86");
    assert_eq!(body(Some(&blob), None).text(), Some("text"));
    // An array of 4,294,967,295 elements that take no bytes.
    let mut blob = HEADER.to_vec();
    blob.extend(b"\x84\x0d[4294967295!]");
    soon("an array of nothing", || as_body(&blob));
    let mut blob = HEADER.to_vec();
    blob.extend(b"\x84\x15[9999[9999[9999[9!]]]]\x00");
    soon("arrays of nothing", || as_body(&blob));
}

#[test]
fn encodings_that_take_no_bytes() {
    // One encoding of 30,000 placeholders, named 200,000 times.
    let mut blob = HEADER.to_vec();
    blob.extend(b"\x84\x01@\x84\x84\x84\x01X\x00\x85\x84\x81\x30\x75");
    blob.extend([b'!'; 30_000]);
    blob.extend([0x94; 200_000]);
    let defects = soon("placeholders", || body(Some(&blob), None)).defects;
    assert!(defects[0].contains("type encodings without end"), "{defects:?}");
}

#[test]
fn objects_inside_objects() {
    let mut blob = HEADER.to_vec();
    blob.extend(b"\x84\x01@\x84\x84\x84\x01X\x00\x85");
    for _ in 0..100_000 {
        blob.extend(b"\x92\x84\x93");
    }
    let defects = soon("depth", || body(Some(&blob), None)).defects;
    assert!(defects[0].contains("objects too deep"), "{defects:?}");
    let mut blob = HEADER.to_vec();
    blob.extend(b"\x84\x82\x40\x0d\x03\x00");
    blob.extend([b'{'; 200_000]);
    let defects = soon("structs", || body(Some(&blob), None)).defects;
    assert!(defects[0].contains("types too deep"), "{defects:?}");
}

/// A link of 400 kB, named by each of 100,000 runs.
#[test]
fn a_long_target_in_many_runs() {
    let long = vec![b'x'; 400_000];
    let mut blob = stream_of(&[b'a'; 100_000]);
    // Two sets with one link each, taking turns. 0x92 … name what came before: 0x97 the type iI, 0x98 the class
    // NSDictionary, 0x99 the type i, 0x96 the class NSString and the type +.
    for (number, run, dictionary) in [
        (1, &b"\x84\x02iI"[..], &b"\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x01"[..]),
        (2, b"\x97", b"\x84\x98\x99\x01"),
    ] {
        blob.extend(run);
        blob.extend([number, 1, 0x92]);
        blob.extend(dictionary);
        blob.extend(b"\x92\x84\x96\x96\x16__kIMLinkAttributeName\x86\x92\x84\x96\x96\x82");
        blob.extend((long.len() as u32).to_le_bytes());
        blob.extend(&long);
        blob.extend(b"\x86\x86");
    }
    for i in 0..99_000_u32 {
        blob.extend([0x97, 1 + (i % 2) as u8, 1]);
    }
    blob.push(0x86);
    let body = soon("targets", || body(Some(&blob), None));
    assert_eq!(body.text().map(|text| text.len()), Some(100_000));
    let styles: usize = body.pieces.iter().map(|piece| format!("{:?}", piece.content).len()).sum();
    assert!((1_000_000..40_000_000).contains(&styles), "{styles}");
    assert_eq!(body.defects, ["attributes repeated beyond measure were left out"]);
}

/// One array names one object many times, on 60 levels.
#[test]
fn archives_that_would_unfold() {
    let mut objects = vec![Value::from("$null")];
    for level in 1..=60_u64 {
        let next = Value::Uid(Uid::new(level + 1));
        let list = Value::Array(vec![next.clone(); 32]);
        objects.push(dictionary(&[("NS.keys", list.clone()), ("NS.objects", list), ("NS.base", next)]));
    }
    objects.push(Value::from("end"));
    let top = dictionary(&[("root", Value::Uid(Uid::new(1)))]);
    let archive = dictionary(&[("$top", top), ("$objects", Value::Array(objects))]);
    let blob = keyed::binary(&archive);
    soon("a bomb of references", || as_balloon(&blob));
    let nested = keyed::binary(&dictionary(&[("tmp", Value::Data(blob.clone()))]));
    soon("a bomb of translations", || as_summary(&nested));
    soon("a bomb of a body", || as_body(&blob));
}

/// The list itself, without an archive: 40 arrays, each of which is the element of the last, many times.
#[test]
fn lists_that_would_unfold() {
    let mut blob = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for level in 0..40_u8 {
        offsets.push(blob.len() as u8);
        blob.extend([0xA3, level + 1, level + 1, level + 1]);
    }
    offsets.push(blob.len() as u8);
    blob.push(0x08);
    let table = blob.len() as u64;
    blob.extend(&offsets);
    blob.extend([0, 0, 0, 0, 0, 0, 1, 1]);
    for word in [offsets.len() as u64, 0, table] {
        blob.extend(word.to_be_bytes());
    }
    for decode in [as_balloon, as_summary, as_body] {
        soon("a list bomb", || decode(&blob));
    }
}

/// A tree so deep fills the stack of whoever takes it down.
#[test]
fn xml_inside_xml() {
    let levels = [
        ("<array>", "</array>"),
        ("<dict><key>k</key>", "</dict>"),
        ("<array foo='</array>'>", "</array>"),
        ("<p:array>", "</p:array>"),
        ("<array><!--</array>-->", "</array>"),
        ("<array><![CDATA[</array>]]>", "</array>"),
        ("<array><?x </array>?>", "</array>"),
    ];
    for (open, close) in levels {
        let inside = [open.repeat(100_000), "<true/>".into(), close.repeat(100_000)].concat();
        let blob = format!("<?xml version=\"1.0\"?><plist>{inside}</plist>");
        soon("deep XML", || as_balloon(blob.as_bytes()));
    }
}

/// Lists beside each other, of which many are empty, are no lists in each other.
#[test]
fn xml_beside_xml() {
    let empty = "<array/><dict/>".repeat(100);
    let blob = format!(
        "<plist><dict><key>ldtext</key><string>Hello</string><key>x</key><array>{empty}</array></dict></plist>"
    );
    let (card, defects) = balloon("org.example.app", Some(blob.as_bytes()), None);
    assert_eq!((card.summary.as_deref(), defects.len()), (Some("Hello"), 0));
}
