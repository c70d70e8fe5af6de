//! The decoders on bytes that Apple's software wrote: `../shared/data`, where a checkout has that folder beside it.
//!
//! What is expected was read off the bytes by hand. Texts stand here as their length and the start of their SHA-256.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use msgarchive::model::{Detected, Style};
use msgarchive::pipeline::decode::balloons::balloon;
use msgarchive::pipeline::decode::body::{Body, PieceContent, body};
use msgarchive::pipeline::decode::foundation::Kind;
use msgarchive::pipeline::decode::summary::{Summary, summary};
use msgarchive::pipeline::decode::typedstream::{self, Value};

/// A folder of samples; `None`, said aloud, where they are not here.
pub fn samples(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    if !path.is_dir() {
        println!("no samples in {}: not tested against them", path.display());
        return None;
    }
    Some(path)
}

/// `10 84d89877: 0 text 10 [strikethrough 0..6, …]; 1 object …`. In a target the text under it is `*`.
fn show(body: &Body) -> String {
    let mut out = match body.text() {
        Some(text) => digest(text),
        None => "no text".into(),
    };
    for piece in &body.pieces {
        write!(out, "; {} ", piece.part).unwrap();
        match &piece.content {
            PieceContent::Text { text, styles } => {
                write!(out, "text {}", text.chars().count()).unwrap();
                for span in styles {
                    let covered: String =
                        text.chars().take(span.end as usize).skip(span.start as usize).collect();
                    let style = match &span.style {
                        Style::Link { target } => format!("link({})", target.replace(&covered, "*")),
                        Style::Mention { target } => format!("mention({target})"),
                        Style::Data(_) => "data".into(),
                        Style::OneTimeCode { .. } => "onetimecode".into(),
                        style => format!("{style:?}").to_lowercase(),
                    };
                    write!(out, " {style} {}..{}", span.start, span.end).unwrap();
                }
            }
            PieceContent::Object { attachment, name, transcription } => {
                let start =
                    |text: &Option<String>| text.as_ref().map(|t| t.chars().take(10).collect::<String>());
                let start = [attachment, name, transcription].map(start);
                write!(out, "object {}", start.into_iter().flatten().collect::<Vec<_>>().join(", ")).unwrap();
            }
        }
    }
    for defect in &body.defects {
        write!(out, "; {defect}").unwrap();
    }
    out
}

fn digest(text: &str) -> String {
    let hash: String = Sha256::digest(text.as_bytes()).iter().take(4).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    format!("{} {hash}", text.chars().count())
}

#[test]
fn bodies() {
    let Some(folder) = samples("bodies") else { return };
    let expected = [
        ("0123456789", "10 84d89877; 0 text 10 strikethrough 0..6 link(tel:*) 0..10 data 0..10 italic 6..10"),
        ("Address", "37 540a64df; 0 text 37 data 0..37"),
        ("AnimatedStickerOnly", "1 cd2822e8; 0 object 92EA5F8F-0"),
        ("AppleMusicLyrics", "145 4c561c23; 0 text 145 link(*) 0..145 data 0..145"),
        ("Attachment", "78 20edcab8; 0 object at_0_2E5F1, Messages I; 1 text 77"),
        ("AttributedBodyTextOnly", "10 66eaaf4e; 0 text 10"),
        ("Blank", "0 e3b0c442"),
        ("Currency", "18 03d63aa0; 0 text 18 data 15..18"),
        ("CurrencyTemperatureVolumeWeight", "30 b833172b; 0 text 30 data 6..9 data 11..13 data 24..30"),
        ("Date", "26 e5b3741f; 0 text 26 data 17..25"),
        ("Email", "31 d8bd18d2; 0 text 31 link(mailto:*) 0..20 data 0..20"),
        (
            "ExtraData",
            "17 242862c1; 0 text 17; body not understood (a length beyond the end at byte 124): the text was found without its attributes",
        ),
        ("Formatted", "9 f99e1939; 0 text 9"),
        ("LongMessage", "2359 21f7bb02; 0 text 2359"),
        ("MemojiWithText", "9 cc11a361; 0 text 8; 0 object 31C086FD-E"),
        (
            "MultiAttachment",
            "19 41b3b8d3; 0 object at_0_48B9C; 1 object at_1_48B9C; 2 object at_2_48B9C; 3 object at_3_48B9C; 4 object at_4_48B9C; 5 object at_5_48B9C; 6 object at_6_48B9C; 7 object at_7_48B9C; 8 object at_8_48B9C; 9 object at_9_48B9C; 10 object at_10_48B9; 11 object at_11_48B9; 12 object at_12_48B9; 13 object at_13_48B9; 14 object at_14_48B9; 15 object at_15_48B9; 16 object at_16_48B9; 17 object at_17_48B9; 18 object at_18_48B9",
        ),
        ("MultiPartWithDeleted", "61 2e8eeaa8; 0 text 28; 1 object D0551D89-4; 2 text 32"),
        ("OverlappingFormat", "7 100be357; 0 text 7 bold 0..1 data 0..7 underline 2..4 italic 5..7"),
        ("SingleLink", "84 fa2daca8; 0 text 84 link(*) 0..84 data 0..84"),
        ("StyledLink", "61 cec6ea33; 0 text 61 big 0..61 link(*) 0..61 data 0..61"),
        (
            "TextStyles",
            "44 7818bd6c; 0 text 44 bold 0..4 underline 5..14 italic 15..21 strikethrough 22..35 bold 40..44 italic 40..44 underline 40..44 strikethrough 40..44",
        ),
        (
            "TextStylesSingleRange",
            "10 75304cf7; 0 text 10 bold 0..10 italic 0..10 underline 0..10 strikethrough 0..10",
        ),
        ("Transcription", "1 cd2822e8; 0 object 4C339597-E, This is a "),
        ("URL", "34 785accba; 0 text 34 link(*) 0..34 data 0..34"),
        ("WeirdText", "11 c4dadecf; 0 text 11"),
    ];
    for (name, expected) in expected {
        let blob = fs::read(folder.join(name)).unwrap();
        assert_eq!(show(&body(Some(&blob), None)), expected, "{name}");
    }
    // None without an expectation.
    let files = fs::read_dir(folder).unwrap().filter(|f| f.as_ref().unwrap().path().is_file()).count();
    assert_eq!(files, expected.len());
}

fn root<T>(name: &str, then: impl FnOnce(Value<'_>) -> T) -> Option<T> {
    let blob = fs::read(samples("bodies/foundation")?.join(name)).unwrap();
    Some(
        typedstream::read(&blob, |root, damage| {
            assert_eq!(damage, None, "{name}");
            then(root)
        })
        .unwrap(),
    )
}

/// Containers and scalars as text, to any depth.
fn plain(value: Value<'_>) -> String {
    let list = |items: Vec<String>| items.join(" ");
    match value {
        Value::Object(object) => match object.kind() {
            Kind::String => value.string().unwrap().into_owned(),
            Kind::Number | Kind::Date => value.real().unwrap().to_string(),
            Kind::Url => format!("<{}>", value.url().unwrap()),
            Kind::Null => "null".into(),
            Kind::Array => format!("[{}]", list(value.elements().map(plain).collect())),
            Kind::Set => format!("({})", list(value.elements().map(plain).collect())),
            Kind::Dictionary => {
                let entries = value.entries().map(|(k, v)| format!("{}={}", plain(k), plain(v)));
                format!("{{{}}}", list(entries.collect()))
            }
            kind => format!("{kind:?}"),
        },
        other => format!("{other:?}"),
    }
}

#[test]
fn foundation_objects() {
    let expected = [
        ("NSArray", "[a 1 b]"),
        ("NSArrayNested", "[top [1 2]]"),
        ("NSAttributedString", "AttributedString"),
        ("NSDate", "21692800"),
        ("NSDictionary", "{k2=v k1=1}"),
        ("NSMutableArray", "[x 2]"),
        ("NSMutableDictionary", "{key=9}"),
        ("NSMutableString", "Hello, world"),
        ("NSString", "Hello, world"),
        ("NSURLRelative", "<https://example.com/dir/page.html>"),
        ("NestedContainers", "[[1 2] [3] [] {k=9} {mk=8} (s) (ms)]"),
        (
            "NestedScalars",
            "[21692800 <https://example.com/path?q=1> <https://example.com/dir/page.html> null]",
        ),
        ("NumberBool", "1"),
        ("NumberFloat", "3.5"),
        ("NumberInt64", "-9000000000"),
    ];
    for (name, expected) in expected {
        if let Some(found) = root(name, plain) {
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn summaries() {
    let Some(folder) = samples("summaries") else { return };
    let read = |name| {
        let summary = summary(&fs::read(folder.join(name)).unwrap());
        assert_eq!(summary.defects, [""; 0], "{name}");
        summary
    };
    let versions = |summary: &Summary, part| -> Vec<String> {
        let versions = summary.edits.get(&part).into_iter().flatten();
        versions
            .map(|v| format!("{} {}", v.date.unwrap().format("%Y-%m-%dT%H:%M:%S%.3f"), digest(&v.text)))
            .collect()
    };

    let deleted = read("Deleted.plist");
    assert_eq!((deleted.unsent.as_slice(), deleted.parts, deleted.edits.len()), (&[0][..], Some(1), 0));

    let edited = read("Edited.plist");
    assert_eq!((edited.unsent.len(), edited.parts, edited.edits.len()), (0, Some(1), 1));
    assert_eq!(edited.edited, [0]);
    let texts: Vec<_> = edited.edits[&0].iter().map(|v| v.text.as_str()).collect();
    assert_eq!(texts, ["First message  ", "Edit 1", "Edit 2", "Edited message"]);
    let dates = versions(&edited, 0);
    assert!(dates[0].starts_with("2022-11-19T01:17:54.272"), "{dates:?}");
    assert!(dates[3].starts_with("2022-11-19T01:18:14.012"), "{dates:?}");

    let link = read("EditedToLink.plist");
    assert_eq!((link.unsent.len(), link.parts, link.edited.as_slice()), (0, Some(2), &[1][..]));
    assert_eq!(versions(&link, 0).len(), 0);
    assert_eq!(link.edits[&1].len(), 2);
    assert_eq!(link.edits[&1][0].text, "here we go!");
    assert!(link.edits[&1][1].text.starts_with("https://"));

    let part = read("MultiPartOneDeleted.plist");
    assert_eq!((part.unsent.as_slice(), part.parts, part.edits.len()), (&[3][..], Some(4), 0));

    let translation = read("Translation.plist").translation.unwrap();
    assert_eq!(translation.language.as_deref(), Some("fr_FR"));
    assert_eq!(translation.source_language.as_deref(), Some("en_US"));
    assert_eq!(translation.text.chars().count(), 37);
    assert!(translation.text.ends_with("j'ai envoyé !"));
}

#[test]
fn handwriting_and_digital_touch_are_cards() {
    for (folder, id, name) in [
        ("handwriting", "com.apple.Handwriting.HandwritingProvider", "hello.bin"),
        ("digital_touch", "com.apple.DigitalTouchBalloonProvider", "tap.bin"),
    ] {
        let Some(folder) = samples(folder) else { return };
        let (card, defects) = balloon(id, Some(&fs::read(folder.join(name)).unwrap()), None);
        assert_eq!(defects, [""; 0]);
        assert!(card.app.is_some());
    }
}

/// `Kind text=value [parts]`; a text that is the whole that was found is `*`.
fn show_detected(detected: &Detected, whole: &str) -> String {
    let mut out = detected.kind.clone();
    for (sign, text) in [(' ', &detected.text), ('=', &detected.value)] {
        if let Some(text) = text {
            write!(out, "{sign}{}", if text == whole { "*" } else { text }).unwrap();
        }
    }
    if !detected.parts.is_empty() {
        let parts: Vec<String> = detected.parts.iter().map(|part| show_detected(part, whole)).collect();
        write!(out, " [{}]", parts.join(", ")).unwrap();
    }
    out
}

#[test]
fn detected_data() {
    let Some(folder) = samples("bodies") else { return };
    const DOLLARS: &str = "USD-CAD-AUD-HKD-TWD-SGD-KYD-BBD-BMD-BND-BSD-BZD-FJD-GYD-JMD-LRD-NAD-NZD-SBD-SRD-TTD-TVD-XCD-MXN-ARS-CLP-COP";
    let expected = [
        ("0123456789", "PhoneNumber * [Value *]"),
        (
            "Address",
            "FullAddress * [Street 1 Apple Park Way [StreetNumber 1, StreetName Apple Park Way], City Cupertino, State CA, ZipCode 95014]",
        ),
        ("AppleMusicLyrics", "HttpURL *"),
        ("Currency", &format!("Money * [Currency $={DOLLARS}, IntegralValue 16]")),
        ("CurrencyTemperatureVolumeWeight", "PhysicalAmount * [IntegralValue 75, Unit ℉=fahrenheit]"),
        ("CurrencyTemperatureVolumeWeight", "PhysicalAmount * [IntegralValue 1, Unit L=liter]"),
        ("CurrencyTemperatureVolumeWeight", "PhysicalAmount * [IntegralValue 225, Unit lbs=pound]"),
        ("Date", "Date * [RelativeDay *=1]"),
        ("Email", "Email * [Value *]"),
        ("OverlappingFormat", "Time * [Hours 8, Minutes 00, Meridian pm=pm]"),
        ("SingleLink", "HttpURL *"),
        ("StyledLink", "HttpURL *"),
        ("URL", "HttpURL *"),
    ];
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        for piece in body(Some(&fs::read(file).unwrap()), None).pieces {
            let PieceContent::Text { text, styles } = piece.content else { continue };
            for span in styles {
                let Style::Data(data) = span.style else { continue };
                let data = data.unwrap_or_else(|| panic!("{name}: a mark without data"));
                let covered: String =
                    text.chars().take(span.end as usize).skip(span.start as usize).collect();
                assert_eq!(data.text.as_deref(), Some(covered.as_str()), "{name}");
                found.push((name.clone(), show_detected(&data, &covered)));
            }
        }
    }
    let found: Vec<_> = found.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
    assert_eq!(found, expected);
}
