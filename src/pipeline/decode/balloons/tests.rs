use super::*;
use plist::{Dictionary, Uid, Value};

fn dictionary(entries: &[(&str, Value)]) -> Value {
    Value::Dictionary(entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<Dictionary>())
}

fn binary(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.to_writer_binary(&mut bytes).unwrap();
    bytes
}

/// A bare dictionary, as some rows have it.
fn bare(entries: &[(&str, Value)]) -> Vec<u8> {
    binary(&dictionary(entries))
}

fn archive(objects: Vec<Value>) -> Vec<u8> {
    binary(&dictionary(&[
        ("$archiver", "NSKeyedArchiver".into()),
        ("$top", dictionary(&[("root", Value::Uid(Uid::new(1)))])),
        ("$objects", Value::Array(objects)),
    ]))
}

const POLLS: &str = "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.messages.Polls";

#[test]
fn effective_ids() {
    assert_eq!(effective_id(POLLS), "com.apple.messages.Polls");
    assert_eq!(
        effective_id("com.apple.messages.URLBalloonProvider"),
        "com.apple.messages.URLBalloonProvider"
    );
    let (card, _) = balloon(POLLS, None, Some("\u{FFFC}"));
    assert_eq!(card.kind, BalloonKind::Poll);
    assert_eq!(card.bundle_id.as_deref(), Some("com.apple.messages.Polls"));
    assert_eq!(card.app.as_deref(), Some("Polls"));
    assert_eq!(card.summary, None);
}

#[test]
fn the_template_of_an_app() {
    let payload = bare(&[
        ("an", "Check\u{A0}In".into()),
        ("ldtext", "Ana checked in".into()),
        ("URL", "https://example.com/x".into()),
        (
            "userInfo",
            dictionary(&[
                ("caption", "Arrived".into()),
                ("subcaption", "".into()),
                ("secondary-subcaption", "19:45".into()),
                ("tertiary-subcaption", "on time".into()),
                ("image-title", "Home".into()),
                ("image-subtitle", "".into()),
            ]),
        ),
    ]);
    let (card, defects) = balloon("org.example.app", Some(&payload), Some("\u{FFFC}"));
    assert_eq!(defects, [""; 0]);
    assert_eq!(card.kind, BalloonKind::App);
    assert_eq!(card.app.as_deref(), Some("Check\u{A0}In"));
    assert_eq!(card.title.as_deref(), Some("Arrived"));
    assert_eq!(card.subtitle, None);
    assert_eq!(card.summary.as_deref(), Some("Ana checked in"));
    assert_eq!(card.url.as_deref(), Some("https://example.com/x"));
    assert_eq!(card.lines, ["Home", "19:45", "on time"]);
}

#[test]
fn games_are_known_by_their_url() {
    let payload = bare(&[("URL", "data:?ver=1&data=abc".into())]);
    assert_eq!(balloon("org.example.dice", Some(&payload), None).0.kind, BalloonKind::Game);
    let payload = bare(&[("URL", "data:?ver=1".into())]);
    assert_eq!(balloon("org.example.dice", Some(&payload), None).0.kind, BalloonKind::App);
}

const URL: &str = "com.apple.messages.URLBalloonProvider";

/// A preview, with its class and an NSURL whose relative part is a dictionary of its own.
fn preview(placeholder: bool) -> Vec<u8> {
    let uid = |n| Value::Uid(Uid::new(n));
    archive(vec![
        "$null".into(),
        dictionary(&[("richLinkIsPlaceholder", placeholder.into()), ("richLinkMetadata", uid(2))]),
        dictionary(&[
            ("originalURL", uid(3)),
            ("URL", uid(4)),
            ("title", "A page".into()),
            ("summary", uid(0)),
            ("siteName", uid(5)),
        ]),
        dictionary(&[("NS.base", uid(0)), ("NS.relative", "https://example.com/short".into())]),
        dictionary(&[("URL", dictionary(&[("URL", "https://example.com/long".into())]))]),
        dictionary(&[("NS.string", "Example".into())]),
    ])
}

#[test]
fn a_link_preview() {
    let (card, defects) = balloon(URL, Some(&preview(false)), Some("https://example.com/short"));
    assert_eq!(defects, [""; 0]);
    assert_eq!(card.title.as_deref(), Some("A page"));
    assert_eq!(card.subtitle.as_deref(), Some("Example"));
    assert_eq!(card.summary, None);
    assert_eq!(card.url.as_deref(), Some("https://example.com/short"));
    assert_eq!(card.lines, ["https://example.com/long"]);
}

#[test]
fn a_placeholder_is_its_url() {
    let (card, defects) = balloon(URL, Some(&preview(true)), None);
    assert_eq!(defects, [""; 0]);
    assert_eq!(card.title, None);
    assert_eq!(card.url.as_deref(), Some("https://example.com/short"));
}

#[test]
fn without_a_payload_the_text_is_the_link() {
    let (card, defects) = balloon(URL, None, Some("\u{FFFC}https://example.com/a "));
    assert_eq!((card.url.as_deref(), defects.len()), (Some("https://example.com/a"), 0));
    assert_eq!(balloon(URL, None, Some("no link: at all")).0.url, None);
}

#[test]
fn payloads_that_are_not_understood() {
    for payload in [&b"junk"[..], &bare(&[("x", 1.into())]), b"bplist00", &[0x1F, 0x8B, 0]] {
        let (card, defects) = balloon("org.example.app", Some(payload), Some("see attached"));
        assert_eq!(defects.len(), 1, "{payload:?}");
        assert_eq!(card.summary.as_deref(), Some("see attached"));
    }
}

#[test]
fn words_around_a_link_are_kept() {
    let id = "com.apple.messages.URLBalloonProvider";
    let page = bare(&[(
        "richLinkMetadata",
        dictionary(&[("URL", "https://example.com/a".into()), ("title", "Bread".into())]),
    )]);
    let lines = |text| balloon(id, Some(&page), Some(text)).0.lines;
    assert_eq!(lines("look: https://example.com/a !"), ["look: https://example.com/a !"]);
    for nothing_new in ["", "\u{FFFC}", " https://example.com/a", "example.com/a", "Bread"] {
        assert!(lines(nothing_new).is_empty(), "{nothing_new}");
    }
}

#[test]
fn handwriting_is_no_archive() {
    let id = "com.apple.Handwriting.HandwritingProvider";
    let (card, defects) = balloon(id, Some(&[0x11, 1, 2, 3]), None);
    assert_eq!((card.kind, defects.len()), (BalloonKind::Handwriting, 1));
    assert!(defects[0].starts_with("handwriting is damaged: "), "{defects:?}");
    assert_eq!(card.app.as_deref(), Some("Handwriting"));
}

#[test]
fn xml_and_compressed_payloads() {
    let mut xml = Vec::new();
    dictionary(&[("ldtext", "Ünïcödé 😀".into())]).to_writer_xml(&mut xml).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &xml).unwrap();
    for payload in [xml, gzip.finish().unwrap()] {
        let (card, defects) = balloon("org.example.app", Some(&payload), None);
        assert_eq!((card.summary.as_deref(), defects.len()), (Some("Ünïcödé 😀"), 0));
    }
}

#[test]
fn a_compressed_bomb_is_a_defect() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b' '), 64 << 20), &mut gzip).unwrap();
    let bomb = gzip.finish().unwrap();
    let (_, defects) = balloon("org.example.app", Some(&bomb), None);
    assert_eq!(defects, ["balloon payload not understood: compressed data that cannot be unpacked"]);
}

#[test]
fn archives_that_go_round_in_circles() {
    let uid = |n| Value::Uid(Uid::new(n));
    let round = dictionary(&[
        ("URL", uid(1)),
        ("an", uid(1)),
        ("userInfo", uid(1)),
        ("NS.keys", uid(1)),
        ("NS.objects", uid(1)),
        ("NS.base", uid(1)),
        ("NS.relative", uid(1)),
        ("NS.string", uid(1)),
        ("NS.time", uid(1)),
        ("metadata", uid(1)),
        ("$class", uid(1)),
    ]);
    let payload = archive(vec!["$null".into(), round]);
    assert_eq!(balloon(URL, Some(&payload), None).0.url, None);
    assert_eq!(balloon("org.example.app", Some(&payload), None).0.url, None);
    let (card, defects) = balloon("x", Some(&archive(vec!["$null".into(), uid(1)])), None);
    assert_eq!((card.title, defects.len()), (None, 1));
}
