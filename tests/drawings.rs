//! Handwriting and Digital Touch, from the payload to the files.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use msgarchive::model::{Balloon, Drawing, Mark, PenPoint, Point, Rgba, Value};
use msgarchive::pipeline::decode::balloons::balloon;
use msgarchive::writers::svg::svg;

use crate::decode_samples::samples;
use crate::determinism::same_for_any_number_of_workers;
use crate::program::Program;
use crate::support::drawings::{self, Handwriting, Protobuf, touch};
use crate::support::{Library, Schema};

pub const HANDWRITING: &str = "com.apple.Handwriting.HandwritingProvider";
pub const DIGITAL_TOUCH: &str = "com.apple.DigitalTouchBalloonProvider";

fn written(payload: &[u8]) -> (Balloon, Vec<String>) {
    balloon(HANDWRITING, Some(payload), Some("\u{FFFC}"))
}

fn touched(payload: &[u8]) -> (Balloon, Vec<String>) {
    balloon(DIGITAL_TOUCH, Some(payload), Some("\u{FFFC}"))
}

/// A card without defects.
#[track_caller]
fn whole((card, defects): (Balloon, Vec<String>)) -> Balloon {
    assert_eq!(defects, [""; 0]);
    card
}

fn value<'b>(card: &'b Balloon, name: &str) -> Option<&'b Value> {
    card.data.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[track_caller]
fn integer(card: &Balloon, name: &str) -> i64 {
    match value(card, name) {
        Some(Value::Integer(number)) => *number,
        other => panic!("{name} is {other:?}"),
    }
}

fn marks(card: &Balloon) -> &[Mark] {
    card.drawing.as_ref().map_or(&[], |drawing| &drawing.marks)
}

fn strokes(card: &Balloon) -> Vec<&[PenPoint]> {
    let strokes = marks(card).iter().filter_map(|mark| match mark {
        Mark::Stroke { points, .. } => Some(points.as_slice()),
        _ => None,
    });
    strokes.collect()
}

fn centers(card: &Balloon) -> Vec<Point> {
    let discs = marks(card).iter().filter_map(|mark| match mark {
        Mark::Disc { center, .. } => Some(*center),
        _ => None,
    });
    discs.collect()
}

/// All corners and control points of a drawing.
fn extent(drawing: &Drawing) -> [f32; 4] {
    use msgarchive::model::Segment::*;
    let mut points = Vec::new();
    for mark in &drawing.marks {
        match mark {
            Mark::Stroke { points: pen, .. } => points.extend(pen.iter().map(|p| p.at)),
            Mark::Disc { center, .. } | Mark::Ring { center, .. } => points.push(*center),
            Mark::Shape { outline, .. } => points.extend(outline.iter().flat_map(|segment| match segment {
                Move(to) | Line(to) => vec![*to],
                Curve(a, b, c) => vec![*a, *b, *c],
            })),
        }
    }
    points.iter().fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |[l, t, r, b], at| {
        [l.min(at.x), t.min(at.y), r.max(at.x), b.max(at.y)]
    })
}

fn note() -> Handwriting {
    let stroke = vec![[0, 0, 1], [16384, 16384, 12], [32767, 32767, 24]];
    Handwriting { strokes: vec![stroke, vec![[8192, 30000, 8]]], ..Handwriting::default() }
}

#[test]
fn a_handwritten_message() {
    for compressed in [true, false] {
        let card = whole(written(&Handwriting { compressed, ..note() }.encode()));
        assert_eq!(card.title.as_deref(), Some("Handwritten message"));
        assert_eq!((integer(&card, "strokes"), integer(&card, "points")), (2, 4));
        assert_eq!(value(&card, "id"), Some(&Value::Text("0D0E1C52-8F30-4B0A-9D57-2B3F5D1F7A10".into())));
        let created = "2024-04-16T22:40:00.500Z".parse().unwrap();
        assert_eq!(value(&card, "created"), Some(&Value::Date(created)));
        let side = |name: &str, value| (name.to_owned(), Value::Integer(value));
        let frame = [side("x", 40), side("y", 30), side("width", 400), side("height", 160)];
        assert_eq!(value(&card, "frame"), Some(&Value::Map(frame.into())));

        // Room for the pen at the edges: half of its width at the corners.
        let drawing = card.drawing.as_deref().unwrap();
        assert_eq!(drawing.background, None);
        let margin = (1.0 + 9.0 / 24.0) / 2.0;
        assert!((drawing.width - (400.0 + margin + 5.0)).abs() < 0.01, "{}", drawing.width);
        assert!((drawing.height - (160.0 + margin + 5.0)).abs() < 0.01, "{}", drawing.height);
        let strokes = strokes(&card);
        let [first, middle, last] = strokes[0] else { panic!("{strokes:?}") };
        assert!(
            (middle.at.x - first.at.x - 200.0).abs() < 0.1 && (middle.at.y - first.at.y - 80.0).abs() < 0.1
        );
        assert!((last.at.x - first.at.x - 400.0).abs() < 0.1);
        assert_eq!((middle.width, last.width, strokes[1].len()), (5.5, 10.0, 1));
    }
}

#[test]
fn damaged_handwriting_keeps_what_can_be_read() {
    let whole = note();
    let ink = whole.ink();
    // The last point is cut.
    let (card, defects) = written(&whole.around(&ink[..ink.len() - 3], 1, None));
    assert_eq!(defects, ["handwriting is damaged: a stroke is cut off"]);
    assert_eq!(integer(&card, "points"), 3);

    let (card, defects) = written(&whole.around(&ink, 1, Some(ink.len() + 1)));
    assert_eq!(defects, ["handwriting is damaged: the strokes have another length than it says"]);
    assert_eq!(integer(&card, "points"), 4);

    let (card, defects) = written(&whole.around(&ink, 3, None));
    assert_eq!((defects.len(), marks(&card).len()), (2, 0));
    assert_eq!(defects[0], "handwriting is damaged: compression 3 is not known");

    let packed = drawings::xz(&ink);
    let (card, defects) = written(&whole.around(&packed[..packed.len() - 20], 4, Some(ink.len())));
    assert!(defects[0].contains("cannot be unpacked"), "{defects:?}");
    assert_eq!(card.title.as_deref(), Some("Handwritten message"));
    assert!(value(&card, "created").is_some());

    let (card, defects) = written(b"\x11junk");
    assert_eq!((card.title.as_deref(), defects.len()), (Some("Handwritten message"), 1));
    // What could not be read is there as it is; of a whole one nothing is there twice.
    assert_eq!(value(&card, "raw"), Some(&Value::Bytes(b"\x11junk".into())));
    assert_eq!(value(&written(&whole.around(&ink, 1, None)).0, "raw"), None);
    let (card, defects) = written(&[]);
    assert_eq!((card.app.as_deref(), defects.len()), (Some("Handwriting"), 0));

    let far = Handwriting { strokes: vec![vec![[-32767, -1, 3], [5, 5, i16::MAX]]], ..note() };
    let (card, _) = written(&far.encode());
    let drawing = card.drawing.as_deref().unwrap();
    let [left, top, right, bottom] = extent(drawing);
    assert!(left >= 0.0 && top >= 0.0 && right <= drawing.width && bottom <= drawing.height);
}

#[test]
fn handwriting_that_unpacks_to_too_much() {
    let note = note();
    let bomb = drawings::xz(&vec![0; 33 << 20]);
    let (card, defects) = written(&note.around(&bomb, 4, None));
    assert!(defects.iter().any(|d| d.contains("unpack to too much")), "{defects:?}");
    assert!(card.drawing.is_none());
    // As many points as will go into the limit, from some hundred bytes.
    let stroke = [&[255, 255][..], &[1, 0x80].repeat(4 * 65_535)].concat();
    let (card, defects) = written(&note.around(&drawings::xz(&stroke.repeat(5)), 4, None));
    assert!(defects.iter().any(|d| d.contains("more points than can be drawn")), "{defects:?}");
    assert_eq!(marks(&card).len(), 1);
    // A window of four gigabytes.
    let mut greedy = drawings::xz(&note.ink());
    assert_eq!(greedy[12..16], [2, 0, 0x21, 1], "the encoder wrote another header");
    greedy[16] = 40;
    let header = crc32(&greedy[12..20]);
    greedy[20..24].copy_from_slice(&header.to_le_bytes());
    let (_, defects) = written(&note.around(&greedy, 4, None));
    assert!(defects[0].contains("memory"), "{defects:?}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

const RED: [u8; 4] = [255, 0, 0, 255];

#[test]
fn taps() {
    let card =
        whole(touched(&drawings::taps(&[(0, 0), (65_535, 65_535), (32_768, 0)], &[0, 350, 500], &[RED])));
    assert_eq!(card.title.as_deref(), Some("3 taps"));
    let delays = [0, 350, 500].map(Value::Integer);
    assert_eq!(value(&card, "delays"), Some(&Value::List(delays.into())));
    assert_eq!(value(&card, "color"), Some(&Value::Text("#ffcc00ff".into())));
    // The origin is at the lower left.
    let [first, second, third] = centers(&card)[..] else { panic!("{:?}", marks(&card)) };
    assert_eq!((first.x, first.y, second.x, second.y), (0.0, 500.0, 400.0, 0.0));
    assert!((third.x - 200.0).abs() < 0.1);
    let colors: Vec<Rgba> = marks(&card)
        .iter()
        .filter_map(|mark| if let Mark::Disc { color, .. } = mark { Some(*color) } else { None })
        .collect();
    // The first has a color of its own, the others the message's.
    let message = Rgba { r: 255, g: 0xCC, b: 0, a: 255 };
    assert_eq!(colors, [Rgba { r: 255, g: 0, b: 0, a: 255 }, message, message]);

    assert_eq!(whole(touched(&drawings::taps(&[(1, 1)], &[0], &[RED]))).title.as_deref(), Some("1 tap"));
    let uneven = drawings::taps(&[(1, 1), (2, 2)], &[0], &[RED, RED]);
    let (card, defects) = touched(&uneven);
    assert_eq!(defects, ["Digital Touch message not understood: 2 points and 1 delays"]);
    assert_eq!(centers(&card).len(), 2);
    assert_eq!(value(&card, "raw"), Some(&Value::Bytes(uneven)));
}

#[test]
fn hearts() {
    let card = whole(touched(&drawings::heartbeat(64.0, 5, 0.0)));
    assert_eq!(card.title.as_deref(), Some("Heartbeat, 64 beats a minute for 5 s"));
    assert_eq!(value(&card, "bpm"), Some(&Value::Real(64.0)));
    assert_eq!((integer(&card, "duration"), value(&card, "broken_at")), (5, None));
    let broken = whole(touched(&drawings::heartbeat(71.5, 4, 2.25)));
    let title = "Broken heart, 71.5 beats a minute for 4 s, broken after 2.25 s";
    assert_eq!(broken.title.as_deref(), Some(title));
    assert_eq!(value(&broken, "broken_at"), Some(&Value::Real(2.25)));
    for (card, shapes) in [(card, 3), (broken, 2)] {
        assert_eq!(marks(&card).len(), shapes);
        let [left, top, right, bottom] = extent(card.drawing.as_deref().unwrap());
        assert!(left > 0.0 && top > 0.0 && right < 400.0 && bottom < 500.0);
        // As high as wide, in the middle.
        assert!(((left + right) / 2.0 - 200.0).abs() < 12.0, "{left} {right}");
    }
    let nonsense = whole(touched(&drawings::heartbeat(f32::NAN, u64::MAX, f32::INFINITY)));
    assert_eq!(nonsense.title.as_deref(), Some("Heartbeat for 18446744073709551615 s"));
}

#[test]
fn sketches() {
    let strokes = [vec![(0, 0), (65_535, 0)], vec![(32_768, 65_535)]];
    let card = whole(touched(&drawings::sketch(&strokes, &[RED, [1, 2, 3, 4]])));
    assert_eq!(card.title.as_deref(), Some("Sketch"));
    assert_eq!((integer(&card, "strokes"), integer(&card, "points")), (2, 3));
    let drawn = self::strokes(&card);
    let place = |p: &PenPoint| (p.at.x.round(), p.at.y.round());
    assert_eq!((place(&drawn[0][0]), place(&drawn[0][1])), ((0.0, 500.0), (400.0, 500.0)));
    assert_eq!(place(&drawn[1][0]), (200.0, 0.0));
    let Mark::Stroke { color, .. } = &marks(&card)[1] else { panic!() };
    assert_eq!(*color, Rgba { r: 1, g: 2, b: 3, a: 4 });

    // A stroke that says it has more points than there are.
    let inner = Protobuf::default().integer(1, 9).bytes(2, [0, 0, 200, 0, 1, 0, 2, 0, 3]);
    let (card, defects) = touched(&touch(4, inner));
    assert_eq!(defects, ["Digital Touch message not understood: a stroke is cut off"]);
    assert_eq!(integer(&card, "points"), 1);
}

#[test]
fn kisses_and_fireballs() {
    let places = [(20_000, 20_000), (40_000, 50_000)];
    let card = whole(touched(&drawings::kisses(&places, &[0, 900], &[1571, 0])));
    assert_eq!((card.title.as_deref(), marks(&card).len()), (Some("2 kisses"), 4));
    let rotations = [1571, 0].map(Value::Integer);
    assert_eq!(value(&card, "rotations"), Some(&Value::List(rotations.into())));
    // A quarter turn: higher than wide.
    let one = |marks: &[Mark]| {
        let drawing = Drawing { marks: marks.to_vec(), ..card.drawing.as_deref().unwrap().clone() };
        let [left, top, right, bottom] = extent(&drawing);
        (right - left, bottom - top)
    };
    let ((turned, high), (wide, flat)) = (one(&marks(&card)[..2]), one(&marks(&card)[2..]));
    assert!((turned - flat).abs() < 0.5 && (high - wide).abs() < 0.5 && wide > flat);
    assert_eq!(whole(touched(&drawings::kisses(&places[..1], &[0], &[]))).title.as_deref(), Some("Kiss"));

    let card = whole(touched(&drawings::fireball(2.5, (0.0, -1.0), &places, &[0, 16])));
    assert_eq!(card.title.as_deref(), Some("Fireball for 2.5 s"));
    let start = strokes(&card)[0][0].at;
    assert_eq!((start.x, start.y), (200.0, 500.0));
    let end = centers(&card)[0];
    assert!((end.x - 244.1).abs() < 0.2 && (end.y - 118.5).abs() < 0.2, "{end:?}");
}

#[test]
fn what_is_drawn_on_a_picture() {
    let sketch = drawings::sketch(&[vec![(1, 1), (2, 2)]], &[RED]);
    let overlays = [sketch, drawings::taps(&[(9, 9)], &[0], &[RED])];
    let card = whole(touched(&drawings::media(1, &overlays)));
    assert_eq!(card.title.as_deref(), Some("Digital Touch video"));
    assert_eq!(card.lines, ["Sketch", "1 tap"]);
    assert_eq!((strokes(&card).len(), centers(&card).len()), (1, 1));
    let Some(Value::List(data)) = value(&card, "overlays") else { panic!("{:?}", card.data) };
    assert_eq!(data.len(), 2);

    let card = whole(touched(&drawings::media(2, &[])));
    assert_eq!((card.title.as_deref(), card.drawing), (Some("Digital Touch picture"), None));
    // Media on media, without end, is not followed.
    let (_, defects) = touched(&drawings::media(2, &[drawings::media(2, &overlays)]));
    assert_eq!(defects, ["Digital Touch message not understood: kind 6 is not known"]);
}

#[test]
fn kinds_that_are_not_known() {
    for kind in [2, 5, 99] {
        let payload = touch(kind, Protobuf::default().integer(1, 7));
        let (card, defects) = touched(&payload);
        assert_eq!(defects, [format!("Digital Touch message not understood: kind {kind} is not known")]);
        assert_eq!(card.title.as_deref(), Some("Digital Touch of an unknown kind"));
        assert_eq!(value(&card, "raw"), Some(&Value::Bytes(payload)));
    }
}

#[test]
fn real_digital_touch() {
    let Some(folder) = samples("digital_touch") else { return };
    let real = |name: &str| whole(touched(&fs::read(folder.join(name)).unwrap()));
    let titles =
        ["heartbeat.bin", "sketch.bin", "tap.bin", "video.bin"].map(|name| real(name).title.unwrap());
    assert_eq!(titles, ["Heartbeat, 84 beats a minute for 2 s", "Sketch", "1 tap", "Digital Touch video"]);
    let sketch = real("sketch.bin");
    assert_eq!((integer(&sketch, "strokes"), integer(&sketch, "points")), (1, 81));
    let tap = centers(&real("tap.bin"))[0];
    // 0x7859 and 0x922A of 0xFFFF.
    assert!((tap.x - 188.0).abs() < 0.1 && (tap.y - 214.5).abs() < 0.1, "{tap:?}");
    let id = Value::Text("E3F4E72A-A863-43C3-8277-E17680251B06".into());
    assert_eq!(value(&real("tap.bin"), "id"), Some(&id));
}

/// The picture that another reader makes of a handwritten message: strokes of points and widths.
fn other_readers(svg: &str) -> Vec<Vec<(f32, f32, f32)>> {
    let mut strokes: Vec<Vec<(f32, f32, f32)>> = Vec::new();
    let attribute = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    for line in svg.lines().filter(|line| line.starts_with("<polyline")) {
        let width = attribute(line, "stroke-width").parse().unwrap();
        let points = attribute(line, "points");
        let mut points = points.split(' ').map(|point| {
            let (x, y) = point.split_once(',').unwrap();
            (x.parse().unwrap(), y.parse().unwrap(), width)
        });
        let first: (f32, f32, f32) = points.next().unwrap();
        // A polyline that begins where the last one ended goes on with its stroke.
        match strokes.last_mut() {
            Some(stroke) if stroke.last().is_some_and(|last| (last.0, last.1) == (first.0, first.1)) => {
                stroke.extend(points);
            }
            _ => strokes.push([first].into_iter().chain(points).collect()),
        }
    }
    strokes
}

#[test]
fn real_handwriting_lies_where_another_reader_draws_it() {
    let Some(folder) = samples("handwriting") else { return };
    for (name, counts) in [("hello", &[265][..]), ("test", &[1165, 37, 41])] {
        let card = whole(written(&fs::read(folder.join(format!("{name}.bin"))).unwrap()));
        let ours = strokes(&card);
        assert_eq!(ours.iter().map(|stroke| stroke.len()).collect::<Vec<_>>(), counts);
        let drawing = card.drawing.as_deref().unwrap();

        let theirs = other_readers(&fs::read_to_string(folder.join(format!("{name}.svg"))).unwrap());
        // Each stroke's last point twice.
        assert_eq!(theirs.iter().map(|stroke| stroke.len() - 1).collect::<Vec<_>>(), counts);
        // They stretch the ink to the frame's right and lower edges; at both ends it keeps the same distance in ours.
        let [left, top, right, bottom] = extent(drawing);
        assert!((left - (drawing.width - right)).abs() < 2.5, "{left} {right} of {}", drawing.width);
        assert!((top - (drawing.height - bottom)).abs() < 2.5, "{top} {bottom} of {}", drawing.height);
        let (x_scale, y_scale) = (drawing.width / right, drawing.height / bottom);
        assert!((1.0..1.06).contains(&x_scale) && (1.0..1.06).contains(&y_scale), "{x_scale} {y_scale}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            for (at, (pen, (x, y, width))) in ours.iter().zip(theirs).enumerate() {
                let off = (pen.at.x * x_scale - x).abs().max((pen.at.y * y_scale - y).abs());
                assert!(off <= 1.1, "{name}: point {at} is off by {off}");
                // Theirs is the width of the whole line to the point: that of where it begins.
                let wide = ours[at.saturating_sub(1)].width;
                assert!((wide - width).abs() <= 1.0, "{name}: point {at} is {wide} wide, there {width}");
            }
        }

        let ascii = fs::read_to_string(folder.join(format!("{name}.ascii"))).unwrap();
        let lines: Vec<&str> = ascii.trim_end_matches('\n').lines().collect();
        let stars: Vec<(f32, f32)> = lines
            .iter()
            .enumerate()
            .flat_map(|(row, line)| {
                line.char_indices().map(move |(column, c)| (column as f32, row as f32, c))
            })
            .filter(|(.., c)| *c == '*')
            .map(|(column, row, _)| (column, row))
            .collect();
        let most =
            stars.iter().fold((0.0_f32, 0.0_f32), |most, star| (most.0.max(star.0), most.1.max(star.1)));
        let ink: Vec<(f32, f32)> = ours
            .iter()
            .flat_map(|stroke| stroke.iter())
            .map(|pen| (pen.at.x / right * most.0, pen.at.y / bottom * most.1))
            .collect();
        let near = |point: &(f32, f32), others: &[(f32, f32)]| {
            others.iter().map(|o| (o.0 - point.0).hypot(o.1 - point.1)).fold(f32::MAX, f32::min)
        };
        let worst = stars.iter().map(|star| near(star, &ink)).chain(ink.iter().map(|at| near(at, &stars)));
        let worst = worst.fold(0.0, f32::max);
        assert!(worst < 1.6, "{name}: {worst} letters off");
    }
}

/// Every drawing there is becomes a picture. To look at them, and at a library with drawings, in an empty folder:
/// `MSGARCHIVE_LOOK=folder cargo test look_at`.
#[test]
fn look_at_drawings() {
    let places = [(12_000, 50_000), (33_000, 20_000), (50_000, 44_000)];
    let path: Vec<(u16, u16)> = (0..80)
        .map(|i| {
            let t = f64::from(i) / 80.0;
            ((8_000.0 + 48_000.0 * t) as u16, (32_000.0 + 20_000.0 * (t * 9.0).sin()) as u16)
        })
        .collect();
    let mut all = vec![
        (
            "taps".to_owned(),
            touched(&drawings::taps(&places, &[0, 1, 2], &[RED, [0, 200, 255, 255], [255; 4]])),
        ),
        ("heart".into(), touched(&drawings::heartbeat(64.0, 5, 0.0))),
        ("broken".into(), touched(&drawings::heartbeat(64.0, 5, 2.0))),
        ("kisses".into(), touched(&drawings::kisses(&places, &[0, 1, 2], &[0, 500, 5800]))),
        ("fireball".into(), touched(&drawings::fireball(2.0, (-0.7, 0.0), &path, &[0; 80]))),
        ("note".into(), written(&note().encode())),
    ];
    for (kind, folder) in [(HANDWRITING, "handwriting"), (DIGITAL_TOUCH, "digital_touch")] {
        for entry in samples(folder).into_iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "bin") {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                all.push((name, balloon(kind, Some(&fs::read(path).unwrap()), None)));
            }
        }
    }
    if let Some(folder) = std::env::var_os("MSGARCHIVE_LOOK") {
        library(Path::new(&folder));
    }
    for (name, (card, _)) in all {
        let Some(drawing) = &card.drawing else { continue };
        let svg = svg(drawing, card.title.as_deref().unwrap(), "");
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{name}");
        if let Some(folder) = std::env::var_os("MSGARCHIVE_LOOK") {
            fs::write(Path::new(&folder).join(format!("{name}.svg")), svg).unwrap();
        }
    }
}

/// A conversation with drawings of every kind, with the same one twice, in a folder of its own.
fn library(in_folder: &Path) -> String {
    let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let kisses = drawings::kisses(&[(20_000, 40_000)], &[0], &[500]);
    let video = drawings::media(1, &[drawings::sketch(&[vec![(9, 9), (50_000, 40_000)]], &[RED])]);
    let payloads = [
        (HANDWRITING, note().encode()),
        (HANDWRITING, note().encode()),
        (
            DIGITAL_TOUCH,
            drawings::taps(&[(9_000, 9_000), (30_000, 30_000)], &[0, 400], &[RED, [0, 255, 0, 90]]),
        ),
        (DIGITAL_TOUCH, drawings::heartbeat(64.0, 5, 0.0)),
        (DIGITAL_TOUCH, drawings::heartbeat(64.0, 5, 2.0)),
        (DIGITAL_TOUCH, kisses),
        (DIGITAL_TOUCH, drawings::fireball(1.0, (0.0, 0.0), &[(1, 1), (50_000, 40_000)], &[0, 9])),
        (DIGITAL_TOUCH, touch(5, Protobuf::default())),
    ];
    for (minute, (bundle_id, payload)) in payloads.into_iter().enumerate() {
        let at = format!("2024-05-01T11:{:02}:00Z", 10 + minute);
        library.message(chat).from(ana).at(&at).text("\u{FFFC}").payload(bundle_id, payload);
    }
    let file = library.attachment("touch.mov").bytes(*b"moving").id();
    let message = library.message(chat).from(ana).at("2024-05-01T11:31:00Z").text("\u{FFFC}");
    message.payload(DIGITAL_TOUCH, video).joined(file);
    let folder = in_folder.join("Messages");
    fs::create_dir(&folder).unwrap();
    library.write(&folder);
    folder.to_str().unwrap().to_owned()
}

fn only_file(folder: &Path, extension: &str) -> std::path::PathBuf {
    let found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = found.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    found.retain(|path| !path.ends_with("index.txt") && !path.ends_with("conversations.jsonl"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn tool(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(name).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{name} is needed for this test: {error}"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_export_with_drawings() {
    let program = Program::new();
    let source = library(program.path());
    let run = ["export", "-s", &source, "-f", "pdf,txt,csv,jsonl", "--out", "out"];
    program.run(&run).with_code(3);
    let out = program.path().join("out");
    let jsonl = fs::read_to_string(only_file(&out, "jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 9);
    let drawing = |line: &serde_json::Value| line["balloon"]["data"]["drawing"].clone();
    let paths: Vec<Option<String>> =
        lines.iter().map(|line| drawing(line)["path"].as_str().map(str::to_owned)).collect();
    let folder = Path::new(paths[0].as_deref().unwrap()).parent().unwrap().to_str().unwrap().to_owned();
    assert!(folder.starts_with("attachments/+12025550143 [c-"), "{folder}");
    let names: Vec<Option<&str>> =
        paths.iter().map(|path| path.as_deref()?.strip_prefix(&folder)?.strip_prefix('/')).collect();
    assert_eq!(
        names,
        [
            Some("2024-05-01 Handwriting.svg"),
            Some("2024-05-01 Handwriting (2).svg"),
            Some("2024-05-01 Digital Touch.svg"),
            Some("2024-05-01 Digital Touch (2).svg"),
            Some("2024-05-01 Digital Touch (3).svg"),
            Some("2024-05-01 Digital Touch (4).svg"),
            Some("2024-05-01 Digital Touch (5).svg"),
            None,
            Some("2024-05-01 Digital Touch (6).svg"),
        ]
    );
    assert_eq!(drawing(&lines[0])["marks"], 2);
    assert_eq!(lines[0]["balloon"]["data"]["created"], "2024-04-17T00:40:00.500000000+02:00");
    assert_eq!(lines[8]["attachments"][0]["path"], format!("{folder}/2024-05-01 touch.mov"));

    // Every file is in the manifest, with its hash.
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("manifest.json")).unwrap()).unwrap();
    for path in paths.iter().flatten() {
        let bytes = fs::read(out.join(path)).unwrap();
        let listed = manifest["files"].as_array().unwrap().iter().find(|file| file["path"] == path.as_str());
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(listed.unwrap()["sha256"], hash);
        let svg = String::from_utf8(bytes).unwrap();
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }
    assert_eq!(
        fs::read(out.join(paths[0].as_ref().unwrap())).unwrap(),
        fs::read(out.join(paths[1].as_ref().unwrap())).unwrap()
    );
    assert_eq!(manifest["attachments"]["referenced"], 1);
    assert_eq!(manifest["defects"].as_array().unwrap().len(), 1);

    let text = fs::read_to_string(only_file(&out, "txt")).unwrap();
    for path in paths.iter().flatten() {
        assert!(text.contains(&format!("\n         → {path}\n")), "{path} is not in\n{text}");
    }
    for words in ["│ Handwritten message", "│ 2 taps", "│ Kiss", "■ touch.mov", "│ Digital Touch video"]
    {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let csv = fs::read_to_string(only_file(&out, "csv")).unwrap();
    assert_eq!((csv.matches(",handwriting,").count(), csv.matches(",digital_touch,").count()), (2, 7));

    let pdf = only_file(&out, "pdf");
    let pdf = pdf.to_str().unwrap();
    tool("qpdf", &["--check", pdf]);
    let said = tool("pdftotext", &["-layout", pdf, "-"]);
    for words in ["Handwritten message", "2 taps", "Broken heart, 64 beats a minute", "Fireball for 1 s"] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    // Drawn, not pasted; with a link to each file, and words for who cannot see it.
    assert_eq!(tool("pdfimages", &["-list", pdf]).lines().count(), 2);
    let plain = program.path().join("plain.pdf");
    tool("qpdf", &["--qdf", "--object-streams=disable", pdf, plain.to_str().unwrap()]);
    let plain = String::from_utf8_lossy(&fs::read(plain).unwrap()).into_owned();
    assert_eq!(plain.matches(".svg)").count(), 8);
    // And for the chart on the cover.
    assert_eq!(plain.matches("/Alt").count(), 8 + 1);
}

#[test]
fn without_attachments_there_are_no_files() {
    let program = Program::new();
    let source = library(program.path());
    let run = ["export", "-s", &source, "-f", "pdf,txt,jsonl", "--attachments", "none", "--out", "out"];
    program.run(&run).with_code(3);
    let out = program.path().join("out");
    assert!(!out.join("attachments").exists());
    let jsonl = fs::read_to_string(only_file(&out, "jsonl")).unwrap();
    assert_eq!(jsonl.matches("\"drawing\":{\"marks\":2,\"path\":null}").count(), 4);
    assert!(!fs::read_to_string(only_file(&out, "txt")).unwrap().contains(".svg"));
    tool("qpdf", &["--check", only_file(&out, "pdf").to_str().unwrap()]);
}

#[test]
fn drawings_are_the_same_for_any_number_of_workers() {
    let program = Program::new();
    let source = library(program.path());
    let files = same_for_any_number_of_workers(&program, &["--source", &source]);
    assert!(files > 12, "{files}");
}
