use super::*;
use plist::{Dictionary, Uid, Value as Plist};

const HEADER: &[u8] = b"\x04\x0bstreamtyped\x81\xe8\x03";
const STRING: &[u8] = b"\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84\x08NSObject\x00\x85\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+";

/// An attributed string of this text, up to its runs.
fn stream(text: &[u8]) -> Vec<u8> {
    let mut blob = [HEADER, STRING, &[0x82]].concat();
    blob.extend((text.len() as u32).to_le_bytes());
    blob.extend(text);
    blob.push(0x86);
    blob
}

fn texts(body: &Body) -> (Option<&str>, usize) {
    (body.text(), body.defects.len())
}

#[test]
fn which_column_wins() {
    let blob = [stream(b"of the blob"), vec![0x86]].concat();
    assert_eq!(texts(&body(Some(&blob), Some("of the column"))), (Some("of the blob"), 0));
    assert_eq!(texts(&body(None, Some("of the column"))), (Some("of the column"), 0));
    assert_eq!(texts(&body(Some(&[]), Some("of the column"))), (Some("of the column"), 0));
    let empty = [stream(b""), vec![0x86]].concat();
    assert_eq!(texts(&body(Some(&empty), Some("of the column"))), (Some("of the column"), 0));
    assert_eq!(texts(&body(Some(&empty), None)), (Some(""), 0));
    assert_eq!(texts(&body(Some(b"\x04\x0b\xFF"), Some("of the column"))), (Some("of the column"), 1));
    assert_eq!(body(None, None), Body::default());
}

#[test]
fn text_is_kept_as_it_is() {
    let text = "NUL \0, \u{FFFC}, \u{FFFD}, \u{2184}, \u{202E}, \r\n";
    let blob = [stream(text.as_bytes()), vec![0x86]].concat();
    assert_eq!(texts(&body(Some(&blob), None)), (Some(text), 0));
}

#[test]
fn text_that_is_no_utf8_is_a_defect() {
    let blob = [stream(b"a\xFFb"), vec![0x86]].concat();
    assert_eq!(texts(&body(Some(&blob), None)), (Some("a\u{FFFD}b"), 1));
}

#[test]
fn a_stream_that_ends_behind_its_text() {
    let blob = stream("whole".as_bytes());
    let body = body(Some(&blob), Some("other"));
    assert_eq!(texts(&body), (Some("whole"), 1));
    assert!(body.defects[0].starts_with("the body is damaged: the stream ends early"), "{:?}", body.defects);
}

#[test]
fn the_scan_goes_by_the_length() {
    // The header is damaged; the text holds the marks that end a string, in "ↄ" and alone.
    let text = "a\u{2184}b";
    let mut blob = [&b"\x04\x0bstreamtypfd\x81\xe8\x03"[..], STRING, &[text.len() as u8]].concat();
    blob.extend(text.as_bytes());
    blob.extend(b"\x86\x84\x02iI");
    assert_eq!(texts(&body(Some(&blob), None)), (Some(text), 1));
    // 130 bytes: `81 82 00`, not `81` and one byte.
    let long = "x".repeat(130);
    let mut blob = [&b"\x81\x84\x01+\x81\x82\x00"[..], long.as_bytes()].concat();
    blob.extend(b"\x86\x84");
    assert_eq!(texts(&body(Some(&blob), None)), (Some(long.as_str()), 1));
    // Only a length beyond the end makes the marks count.
    let cut = b"\x84\x01+\x81\x82\x00short\x86\x84\x02iI";
    assert_eq!(texts(&body(Some(cut), None)), (Some("short"), 1));
}

#[test]
fn blobs_that_are_text() {
    assert_eq!(texts(&body(Some("plain ünd simple".as_bytes()), None)), (Some("plain ünd simple"), 1));
    assert_eq!(texts(&body(Some(b"\xFF\xFEh\0i\0"), None)), (Some("hi"), 1));
    assert_eq!(texts(&body(Some(b"\xFE\xFF\0h\0i"), None)), (Some("hi"), 1));
    assert_eq!(texts(&body(Some(b"\xEF\xBB\xBFhi"), None)), (Some("hi"), 1));
    assert_eq!(texts(&body(Some(b"junk \xC3("), None)), (Some("junk \u{FFFD}("), 1));
}

#[test]
fn archives_of_something_else() {
    let array = [HEADER, b"\x84\x01@\x84\x84\x84\x07NSArray\x00\x84\x84\x08NSObject\x00\x85\x84\x01i\x01\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+\x01a\x86\x86"].concat();
    assert_eq!(texts(&body(Some(&array), None)), (None, 1));
    assert_eq!(texts(&body(Some(HEADER), None)), (None, 1));
    assert_eq!(texts(&body(Some(b"bplist00"), None)), (None, 1));
}

#[test]
fn attribute_sets_are_used_again() {
    let mut blob = stream(b"abcd");
    // Sets 1 and 2, 1 again; a number that is not the next one; one that nothing defines.
    let set = |key: &str| {
        [&b"\x84\x98\x99\x01\x92\x84\x96\x96"[..], &[key.len() as u8], key.as_bytes(), b"\x86\x92\x92\x86"]
            .concat()
    };
    let bold = "__kIMTextBoldAttributeName";
    blob.extend(b"\x84\x02iI\x01\x01\x92\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x00\x86");
    blob.extend(b"\x97\x09\x01\x92");
    blob.extend(set(bold));
    blob.extend(b"\x97\x01\x01\x97\x09\x01\x86");
    let body = body(Some(&blob), None);
    assert_eq!(body.defects, [""; 0]);
    let bold: Vec<bool> = body
        .pieces
        .iter()
        .map(|piece| matches!(&piece.content, PieceContent::Text { styles, .. } if !styles.is_empty()))
        .collect();
    assert_eq!(bold, [false, true, false, true]);
}

fn dictionary(entries: &[(&str, Plist)]) -> Plist {
    Plist::Dictionary(entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<Dictionary>())
}

#[test]
fn a_keyed_archive_of_an_attributed_string() {
    let uid = |n| Plist::Uid(Uid::new(n));
    let set = |key, value| {
        dictionary(&[
            ("NS.keys", Plist::Array(vec![uid(key)])),
            ("NS.objects", Plist::Array(vec![uid(value)])),
        ])
    };
    let archive = dictionary(&[
        ("$top", dictionary(&[("root", uid(1))])),
        (
            "$objects",
            Plist::Array(vec![
                "$null".into(),
                dictionary(&[("NSString", uid(2)), ("NSAttributes", uid(3)), ("NSAttributeInfo", uid(4))]),
                dictionary(&[("NS.string", "bold 😀 not".into())]),
                dictionary(&[("NS.objects", Plist::Array(vec![uid(5), uid(6)]))]),
                dictionary(&[("NS.data", Plist::Data(vec![4, 0, 0x87, 0, 1]))]),
                set(7, 9),
                set(8, 9),
                "__kIMTextBoldAttributeName".into(),
                "__kIMMessagePartAttributeName".into(),
                1.into(),
            ]),
        ),
    ]);
    let mut blob = Vec::new();
    archive.to_writer_binary(&mut blob).unwrap();
    let body = body(Some(&blob), None);
    assert_eq!(texts(&body), (Some("bold 😀 not"), 0));
    assert_eq!(body.pieces.len(), 2);
    assert_eq!(body.pieces[1].part, 1);
    assert!(
        matches!(&body.pieces[0].content, PieceContent::Text { text, styles } if text == "bold" && styles.len() == 1)
    );
}
