use super::*;

const HEADER: &[u8] = b"\x04\x0bstreamtyped\x81\xe8\x03";

fn stream(parts: &[&[u8]]) -> Vec<u8> {
    [HEADER].iter().chain(parts).flat_map(|part| part.iter().copied()).collect()
}

/// The values of the first group, of objects their contents too.
fn show(blob: &[u8]) -> String {
    fn text_of(value: Value<'_>, depth: u32) -> String {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        match value {
            Value::Object(object) if depth < 4 => {
                let contents: Vec<_> = object.values().map(|v| text_of(v, depth + 1)).collect();
                format!("{}({})", text(object.class_name()), contents.join(" "))
            }
            Value::Object(_) => "…".into(),
            Value::Nil => "nil".into(),
            Value::Int(i) => format!("{i}"),
            Value::Unsigned(u) => format!("{u}u"),
            Value::Real(r) => format!("{r:?}"),
            Value::Bytes(bytes) => format!("\"{}\"", text(bytes)),
            Value::Name(name) => format!("'{}'", text(name)),
            Value::Class(name) => format!("class {}", text(name)),
        }
    }
    let shown = read(blob, |root, damage| match damage {
        Some(damage) => format!("{} | {damage}", text_of(root, 0)),
        None => text_of(root, 0),
    });
    shown.unwrap_or_else(|damage| format!("| {damage}"))
}

/// One value of a type, in an object of a class X.
fn one(encoding: &str, bytes: &[u8]) -> String {
    let object = [&b"\x84\x01@\x84\x84\x84\x01X\x00\x85\x84"[..], &[encoding.len() as u8]].concat();
    let shown = show(&stream(&[&object, encoding.as_bytes(), bytes, b"\x86"]));
    match shown.strip_prefix("X(").and_then(|shown| shown.strip_suffix(')')) {
        Some(shown) => shown.to_owned(),
        None => shown,
    }
}

#[test]
fn the_worked_example() {
    // `messages-format.md` 4.5
    let blob = stream(&[
        b"\x84\x01@\x84\x84\x84\x19NSMutableAttributedString\x00\x84\x84\x12NSAttributedString\x00",
        b"\x84\x84\x08NSObject\x00\x85\x92\x84\x84\x84\x0fNSMutableString\x01\x84\x84\x08NSString\x01",
        b"\x95\x84\x01+\x0aNoter test\x86\x84\x02iI\x01\x0a\x92\x84\x84\x84\x0cNSDictionary\x00\x95",
        b"\x84\x01i\x01\x92\x84\x98\x98\x1d__kIMMessagePartAttributeName\x86\x92\x84\x84\x84\x08NSNumber\x00",
        b"\x84\x84\x07NSValue\x00\x95\x84\x01*\x84\x9b\x9b\x00\x86\x86\x86",
    ]);
    let string = "NSMutableString(\"Noter test\")";
    let number = "NSNumber('i' 0)";
    let attributes = format!("NSDictionary(1 NSString(\"__kIMMessagePartAttributeName\") {number})");
    assert_eq!(show(&blob), format!("NSMutableAttributedString({string} 1 10u {attributes})"));
    let kind = read(&blob, |root, _| root.object(Kind::AttributedString).is_some());
    assert_eq!(kind, Ok(true));
    // What comes behind the root does not matter.
    assert_eq!(show(&[blob.as_slice(), b"\xff\xff"].concat()), show(&blob));
}

#[test]
fn integers() {
    for (encoding, bytes, shown) in [
        ("i", &b"\x05"[..], "5"),
        ("i", b"\x92", "-110"),
        ("I", b"\x92", "146u"),
        ("i", b"\x81\x96\x00", "150"),
        ("s", b"\x81\xff\xff", "-1"),
        ("S", b"\x81\xff\xff", "65535u"),
        ("l", b"\x82\x00\x00\x00\x80", "-2147483648"),
        ("L", b"\x82\x00\x00\x00\x80", "2147483648u"),
        ("q", b"\x87\x00\xe6\x8e\xe7\xfd\xff\xff\xff", "-9000000000"),
        ("Q", b"\x87\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615u"),
        ("c", b"\x84", "-124"),
        ("C", b"\x84", "132u"),
        ("B", b"\x01", "1u"),
        ("d", b"\x07", "7"),
        ("f", b"\x83\x00\x00\x60\x40", "3.5"),
        ("d", b"\x83\x00\x00\x00\x00\x00\x00\xe0\x3f", "0.5"),
    ] {
        assert_eq!(one(encoding, bytes), shown, "{encoding}");
    }
    for tag in [0x80, 0x83, 0x84, 0x85, 0x86, 0x88, 0x91] {
        assert!(one("i", &[tag]).ends_with("| a tag where a number belongs at byte 30"), "{tag:x}");
    }
}

#[test]
fn strings_names_and_classes() {
    assert_eq!(one("+", b"\x03a\x00b"), "\"a\0b\"");
    assert_eq!(one("+", b"\x85"), "nil");
    // The string table: 0 "@", 1 "X", 2 the encoding, then what is new here.
    assert_eq!(one("%%%", b"\x84\x02ok\x95\x85"), "'ok' 'ok' nil");
    assert_eq!(one(":", b"\x84\x04init"), "'init'");
    // The object table: 0 the object, 1 class X, then the C string.
    assert_eq!(one("***", b"\x84\x84\x02ok\x94\x85"), "'ok' 'ok' nil");
    assert_eq!(
        one("*@", b"\x84\x84\x02ok\x94"),
        "X('ok') | a reference to something else than an object at byte 36"
    );
    assert_eq!(one("##", b"\x84\x84\x01Y\x00\x93\x94"), "class Y class Y");
    assert_eq!(one("#", b"\x85"), "nil");
}

#[test]
fn arrays_and_structs_lie_flat() {
    assert_eq!(one("[4c]", b"ab\x84\x86"), "\"ab\u{FFFD}\u{FFFD}\"");
    assert_eq!(one("[3i]i", b"\x01\x02\x03\x04"), "1 2 3 4");
    assert_eq!(one("[0{a=[2i]}]i", b"\x09"), "9");
    assert_eq!(one("{_NSRange=QQ}i", b"\x01\x02\x03"), "1u 2u 3");
    assert_eq!(one("{CGRect={CGPoint=dd}{CGSize=dd}}", b"\x01\x02\x03\x04"), "1 2 3 4");
    assert_eq!(one("{ic}", b"\x01\x02"), "1 2");
    assert_eq!(one("[2{?=ic}]", b"\x01\x02\x03\x04"), "1 2 3 4");
    assert_eq!(one("!i", b"\x05"), "5");
    for broken in ["[", "[3", "[i]", "{", "{a=i", "[2i", "^i", "}", "b4", "(ai)"] {
        assert!(one(broken, &[1; 8]).contains(" | "), "{broken}");
    }
}

#[test]
fn objects_refer_to_themselves() {
    assert_eq!(one("@", b"\x92"), "X(X(X(…)))");
    assert_eq!(one("@@", b"\x85\x84\x93\x86"), "nil X()");
}

#[test]
fn private_subclasses_are_what_they_descend_from() {
    let blob =
        stream(&[b"\x84\x01@\x84\x84\x84\x09__MyName_\x00\x84\x84\x08NSString\x01\x85\x84\x01+\x02ok\x86"]);
    assert_eq!(read(&blob, |root, _| root.string().map(|s| s.into_owned())), Ok(Some("ok".into())));
}

#[test]
fn wide_references() {
    // 300 C strings, then the last and the 240th of them: 0 and 1 are the object and its class.
    let mut bytes = Vec::new();
    for i in 0..300 {
        bytes.extend(b"\x84\x84\x03");
        bytes.extend(format!("{i:03}").bytes());
    }
    bytes.extend(b"\x81");
    bytes.extend((301_i16 - 110).to_le_bytes());
    bytes.extend(b"\x82");
    bytes.extend((241_i32 - 110).to_le_bytes());
    // 110 and on follow 0xFF as 0x00, 0x01, …
    bytes.push(0x00);
    let shown = one("[303*]", &bytes);
    assert!(shown.ends_with("'299' '299' '239' '108'"), "{shown}");
}

#[test]
fn big_endian_and_older_streams() {
    let blob = b"\x03\x0btypedstream\x81\x03\xe8\x84\x01i\x82\x00\x00\x01\x00";
    assert_eq!(show(blob), "256");
    let blob = b"\x04\x0btypedstream\x81\x03\xe8\x84\x01d\x83\x3f\xe0\x00\x00\x00\x00\x00\x00";
    assert_eq!(show(blob), "0.5");
    assert_eq!(show(b"\x05\x0bstreamtyped\x81\xe8\x03"), "| no typedstream header at byte 0");
    assert_eq!(show(b""), "| no typedstream header at byte 0");
}

#[test]
fn what_was_read_before_the_damage_stays() {
    let shown = one("i@", b"\x05\x84\x93\x93");
    assert_eq!(shown, "X(5 X()) | an unknown type at byte 34");
}
