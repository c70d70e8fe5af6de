//! What data detectors found, and one-time codes: from the body to JSON.

use msgarchive::model::{Detected, Style, StyleSpan};
use msgarchive::pipeline::decode::body::{Body, PieceContent, body, body_without_data};
use serde_json::{Value as Json, json};

use crate::program::Program;
use crate::support::typedstream::{AttributedString, PART, Value};
use crate::support::{Library, Schema, keyed};

fn found(kind: &str, text: &str, value: Option<&str>, parts: Vec<Detected>) -> Detected {
    Detected { kind: kind.into(), text: Some(text.into()), value: value.map(Into::into), parts }
}

fn styles(body: &Body) -> Vec<StyleSpan> {
    let of_piece = |content: &PieceContent| match content {
        PieceContent::Text { styles, .. } => styles.clone(),
        PieceContent::Object { .. } => Vec::new(),
    };
    body.pieces.iter().flat_map(|piece| of_piece(&piece.content)).collect()
}

/// A body that is one hit under an attribute.
fn hit(key: &'static str, text: &str, archive: Vec<u8>) -> Vec<u8> {
    AttributedString::default().with(text, vec![(PART, Value::Int(0)), (key, Value::Data(archive))]).encode()
}

/// `messages-format.md` 4.8: kinds that no sample here has.
#[test]
fn every_kind_is_read() {
    type Case = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);
    let cases: [Case; 6] = [
        (
            "__kIMDataDetectedAttributeName",
            "FlightInformation",
            "XX 1234",
            &[("AirlineCode", "XX"), ("FlightNumber", "1234")],
        ),
        (
            "__kIMDataDetectedAttributeName",
            "TrackingNumber",
            "1Z0000000000000000",
            &[("UPS", "1Z0000000000000000")],
        ),
        ("__kIMDataDetectedAttributeName", "AuthCode", "234200", &[]),
        ("__kIMMoneyAttributeName", "Money", "€5", &[("Currency", "EUR")]),
        ("__kIMPhoneNumberAttributeName", "PhoneNumber", "+1 202 555 0143", &[("Value", "+12025550143")]),
        ("__kIMDataDetectorResultAttributeName", "Email", "ana@example.com", &[("Value", "ana@example.com")]),
    ];
    for (key, kind, text, parts) in cases {
        let blob = hit(key, text, keyed::data_detector(kind, text, 0, parts));
        let parts = parts.iter().map(|(kind, value)| found(kind, value, Some(value), Vec::new())).collect();
        let expected = Style::Data(Some(Box::new(found(kind, text, None, parts))));
        let end = text.chars().count() as u32;
        assert_eq!(
            styles(&body(Some(&blob), None)),
            [StyleSpan { start: 0, end, style: expected }],
            "{kind}"
        );
        let mark = StyleSpan { start: 0, end, style: Style::Data(None) };
        assert_eq!(styles(&body_without_data(Some(&blob), None)), [mark], "{kind}");
    }
}

#[test]
fn what_cannot_be_read_stays_a_mark() {
    for archive in [Vec::new(), vec![1; 300], b"bplist00".to_vec(), keyed::binary(&plist::Value::from("x"))] {
        let blob = hit("__kIMMoneyAttributeName", "$5", archive);
        let body = body(Some(&blob), None);
        assert_eq!(styles(&body), [StyleSpan { start: 0, end: 2, style: Style::Data(None) }]);
        assert_eq!(body.defects, Vec::<String>::new());
    }
    // Of two attributes of one run, the one that can be read counts, whichever comes first.
    let money = Value::Data(keyed::data_detector("Money", "$5", 0, &[]));
    let (broken, whole) =
        (("__kIMMoneyAttributeName", Value::Data(vec![1])), ("__kIMDataDetectedAttributeName", money));
    for attributes in [vec![broken.clone(), whole.clone()], vec![whole, broken]] {
        let body = body(Some(&AttributedString::default().with("$5", attributes).encode()), None);
        let expected = Style::Data(Some(Box::new(found("Money", "$5", None, Vec::new()))));
        assert_eq!(styles(&body), [StyleSpan { start: 0, end: 2, style: expected }]);
    }
}

/// A hit of many parts under every other character: it is copied as often as an honest body could hold it.
#[test]
fn a_hit_again_and_again_is_bounded() {
    let parts = vec![("Part", "value"); 500];
    let archive = keyed::data_detector("FullAddress", "a", 0, &parts);
    let mut text = AttributedString::default();
    for _ in 0..5_000 {
        text.push(
            "a",
            vec![(PART, Value::Int(0)), ("__kIMAddressAttributeName", Value::Data(archive.clone()))],
        );
        text.push("b", vec![(PART, Value::Int(0))]);
    }
    let blob = text.encode();
    let body = body(Some(&blob), None);
    let copies = styles(&body).len();
    assert!((1..5_000).contains(&copies), "{copies}");
    assert_eq!(body.defects, ["attributes repeated beyond measure were left out"]);
    assert_eq!(body.text().map(|text| text.len()), Some(10_000));
}

#[test]
fn json_has_them() {
    let program = Program::new();
    let mut library = Library::new(Schema::MACOS_26);
    let ferry = library.handle("+12025550143", "SMS");
    let chat = library.direct(ferry);
    library.message(chat).from(ferry).text("Your code is 234200").one_time_code(13..19, "234200").id();
    library.message(chat).from(ferry).text("At 8 tomorrow").detected(5..13, "Date").id();
    let folder = program.path().join("Messages");
    library.write(&folder);
    program.run(&["export", "-s", folder.to_str().unwrap(), "-f", "jsonl", "--out", "out"]).with_code(0);
    let file = std::fs::read_dir(program.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().ends_with("].jsonl"))
        .unwrap();
    let lines = std::fs::read_to_string(file).unwrap();
    let styles: Vec<Json> = lines
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["parts"][0]["styles"].clone())
        .collect();
    assert_eq!(
        styles,
        [
            json!([{"start": 13, "end": 19, "style": "one_time_code", "code": "234200"}]),
            json!([{"start": 5, "end": 13, "style": "data",
                    "data": {"kind": "Date", "text": "tomorrow", "value": null, "parts": []}}]),
        ]
    );
}
