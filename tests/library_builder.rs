//! The test builder itself: it writes what Messages would.

use rusqlite::Connection;

use crate::support::crowd::Crowd;
use crate::support::typedstream::{AttributedString, PART, Value, WRITING_DIRECTION};
use crate::support::{AppTemplate, Library, MessageBuilder, Schema, Tapback, UrlPreview};

/// A one-part body as it arrives, byte for byte, spelled out in `messages-format.md` 4.5.
#[test]
fn a_received_body_is_what_apple_writes() {
    let mut body = AttributedString::plain("hello test");
    body.mutable = true;
    let expected = [
        b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x19NSMutableAttributedString\0".as_slice(),
        b"\x84\x84\x12NSAttributedString\0\x84\x84\x08NSObject\0\x85\x92\x84\x84\x84\x0fNSMutableString\x01",
        b"\x84\x84\x08NSString\x01\x95\x84\x01+\x0ahello test\x86\x84\x02iI\x01\x0a\x92",
        b"\x84\x84\x84\x0cNSDictionary\0\x95\x84\x01i\x01\x92\x84\x98\x98\x1d__kIMMessagePartAttributeName\x86",
        b"\x92\x84\x84\x84\x08NSNumber\0\x84\x84\x07NSValue\0\x95\x84\x01*\x84\x9b\x9b\0\x86\x86\x86",
    ]
    .concat();
    assert_eq!(body.encode(), expected);
}

/// Lengths over 127 take two bytes, over 32,767 four; a number over 127 too.
#[test]
fn long_lengths_are_tagged() {
    for (length, tag) in [
        (127, vec![0x7f]),
        (128, vec![0x81, 0x80, 0x00]),
        (300, vec![0x81, 0x2c, 0x01]),
        (40_000, vec![0x82, 0x40, 0x9c, 0x00, 0x00]),
    ] {
        let bytes = AttributedString::plain(&"x".repeat(length)).encode();
        let mut expected = b"\x84\x01+".to_vec();
        expected.extend(tag);
        expected.extend(b"xxxx");
        assert!(bytes.windows(expected.len()).any(|w| w == expected), "{length}");
    }
}

/// The bodies of `../shared/data`, rebuilt: the encoder repeats Apple's bytes.
#[test]
fn real_bodies_are_reproduced() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/bodies");
    if !folder.is_dir() {
        eprintln!("no real samples beside this checkout: only our own bodies are checked");
        return;
    }
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a sample");
    let big_small = AttributedString::default()
        .with("Big small", vec![(WRITING_DIRECTION, Value::Long(-1)), (PART, Value::Long(0))]);
    assert_eq!(big_small.encode(), read("Formatted"));
    let mut noter = AttributedString::plain("Noter test");
    noter.mutable = true;
    assert_eq!(noter.encode(), read("AttributedBodyTextOnly"));
}

/// What the builder describes is in the tables of every era that has it.
#[test]
fn every_schema_takes_messages_and_attachments() {
    for schema in Schema::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lib = Library::new(schema);
        let ana = lib.handle("+12025550143", "iMessage");
        let chat = lib.direct(ana);
        let photo = lib.attachment("IMG_0001.jpg").bytes("not really").id();
        lib.message(chat).from(ana).at("2013-05-01T11:30:00Z").text("look").attachment(photo);
        lib.message(chat).from_me().text("nice");
        let path = lib.write(folder.path());
        let db = Connection::open(path).expect("the database");
        let count = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0)).expect(sql);
        assert_eq!(count("SELECT count(*) FROM chat_message_join"), 2, "{}", schema.name);
        assert_eq!(count("SELECT count(*) FROM message_attachment_join"), 1);
        assert_eq!(count("SELECT cache_has_attachments FROM message WHERE ROWID = 1"), 1);
        assert_eq!(count("SELECT count(*) FROM message WHERE attributedBody IS NOT NULL"), 2);
        let date = count("SELECT date FROM message WHERE ROWID = 1");
        let unit = if schema.nanoseconds { 1_000_000_000 } else { 1 };
        assert_eq!(date, 389_100_600 * unit, "{}", schema.name);
        assert!(folder.path().join("Attachments").is_dir());
        let file: String =
            db.query_row("SELECT filename FROM attachment", [], |row| row.get(0)).expect("a path");
        assert!(file.starts_with(schema.home()), "{file}");
    }
}

/// The same calls give the same database.
#[test]
fn a_library_is_deterministic() {
    let build = || {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lib = Library::new(Schema::MACOS_26);
        let ana = lib.handle("+12025550143", "iMessage");
        let chat = lib.direct(ana);
        let look = lib.message(chat).from(ana).text("lok").edit("2024-01-01T00:01:00Z", "look").id();
        lib.message(chat).from_me().tapback(look, Tapback::Emoji("🥐"));
        lib.message(chat).url_preview(&UrlPreview::new("https://example.com/").title("Bread"));
        lib.message(chat).app("com.example.game", &AppTemplate::new("Game").caption("Your move"));
        std::fs::read(lib.write(folder.path())).expect("the database")
    };
    assert!(build() == build());
}

/// A row that needs what the schema lacks is a mistake in the test, not a plainer row.
#[test]
#[should_panic(expected = "this schema has no column message.associated_message_guid")]
fn a_tapback_needs_a_schema_that_has_tapbacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lib = Library::new(Schema::IOS_6);
    let ana = lib.handle("+12025550143", "iMessage");
    let chat = lib.direct(ana);
    let look = lib.message(chat).text("look").id();
    let _: MessageBuilder = lib.message(chat).from_me().tapback(look, Tapback::Loved);
    lib.write(folder.path());
}

/// All rows in the WAL: a reader that overlooks it sees an empty library.
#[test]
fn a_library_can_lie_in_its_wal() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lib = Library::new(Schema::MACOS_15);
    lib.wal();
    let ana = lib.handle("+12025550143", "iMessage");
    let chat = lib.direct(ana);
    lib.message(chat).text("only in the WAL");
    let path = lib.write(folder.path());
    let bare = folder.path().join("bare.db");
    std::fs::copy(&path, &bare).expect("a copy");
    let count = |path| {
        Connection::open(path)
            .and_then(|db| db.query_row("SELECT count(*) FROM message", [], |r| r.get::<_, i64>(0)))
            .expect("a count")
    };
    assert_eq!(count(&bare), 0);
    assert_eq!(count(&path), 1);
}

/// A generated library has as many rows as asked for, some of each kind, and is the same every time.
#[test]
fn a_crowd_writes_what_was_asked_for() {
    let build = || {
        let folder = tempfile::tempdir().expect("a folder");
        let crowd = Crowd { messages: 3000, conversations: 20, files: true };
        let path = crowd.write(folder.path()).expect("a library");
        let db = Connection::open(&path).expect("the database");
        let count = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0)).expect(sql);
        assert_eq!(count("SELECT count(*) FROM message"), 3000);
        assert_eq!(count("SELECT count(*) FROM chat_message_join"), 3000);
        assert_eq!(count("SELECT count(*) FROM chat"), 20);
        for (kind, least) in [
            ("associated_message_type >= 2000", 250),
            ("cache_has_attachments", 120),
            ("thread_originator_guid IS NOT NULL", 50),
            ("message_summary_info IS NOT NULL", 5),
            ("text IS NULL", 500),
        ] {
            let sql = format!("SELECT count(*) FROM message WHERE {kind}");
            let rows = db.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("a count");
            assert!(rows >= least, "{kind}: {rows}");
        }
        assert!(folder.path().join("Attachments").is_dir());
        std::fs::read(path).expect("the database")
    };
    assert!(build() == build());
}
