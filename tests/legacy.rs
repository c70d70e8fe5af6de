//! Databases of iPhone OS 1 to iOS 5: in no shape that later ones have, in the same files in the end.

use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::source::legacy::LegacyDb;
use msgarchive::source::{self, ChatId, Content, OpenOptions, RawChat, RawMessage, Source};
use rusqlite::{Connection, params};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::Program;
use crate::support::typedstream::{AttributedString, FILE_TRANSFER, PART, Value::Int};

const IPHONE_1_0: &str = include_str!("../fixtures/schema/iphone-1.0.sql");
const IPHONE_1_1_3: &str = include_str!("../fixtures/schema/iphone-1.1.3.sql");
const IOS_4: &str = include_str!("../fixtures/schema/ios-4.sql");
const IOS_5: &str = include_str!("../fixtures/schema/ios-5.sql");

/// Seconds from 1970 to 2001.
const EPOCH: i64 = 978_307_200;

fn database(folder: &Path, schema: &str, rows: &str) -> PathBuf {
    let path = folder.join("sms.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(schema).unwrap();
    db.execute_batch(rows).unwrap();
    path
}

fn open(path: &Path) -> Box<dyn Source> {
    source::open(path, &OpenOptions { sessions: 2, ..OpenOptions::default() })
        .unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

fn rows(source: &dyn Source, chats: &[ChatId], size: usize) -> Vec<RawMessage> {
    let mut session = source.session().unwrap();
    let timeline = session.timeline(chats, size).unwrap();
    let rows: Vec<_> =
        (0..timeline.len()).flat_map(|window| session.page(&timeline, window).unwrap()).collect();
    assert_eq!(rows.len() as u64, timeline.rows());
    rows
}

fn all(source: &dyn Source) -> Vec<(RawChat, Vec<RawMessage>)> {
    let chats = source.chats().unwrap().into_iter();
    chats
        .map(|chat| {
            let rows = rows(source, &[chat.id()], 3);
            assert_eq!(rows.len() as u64, chat.rows);
            (chat, rows)
        })
        .collect()
}

fn texts(rows: &[RawMessage]) -> Vec<&str> {
    rows.iter().map(|row| row.text.as_deref().unwrap_or("")).collect()
}

fn plist(addresses: &[&str]) -> Vec<u8> {
    let list = addresses.iter().map(|address| plist::Value::String((*address).to_owned())).collect();
    let mut bytes = Vec::new();
    plist::Value::Array(list).to_writer_binary(&mut bytes).unwrap();
    bytes
}

/// The lines of one conversation's file, by a word in its title.
fn exported(program: &Program, source: &Path, title: &str) -> Vec<Value> {
    let out = program.path().join("json");
    let arguments = ["export", "-s", source.to_str().unwrap(), "-f", "jsonl", "--out", "json", "--time-zone"];
    program.run(&[&arguments[..], &["UTC"]].concat()).with_code(0);
    let file = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.contains(title) && name.ends_with(".jsonl")
    });
    let file = file.unwrap_or_else(|| panic!("no conversation {title} in {}", out.display()));
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_table_is_enough() {
    let folder = TempDir::new().unwrap();
    let path = database(
        folder.path(),
        IPHONE_1_0,
        "INSERT INTO message (address, date, text, flags) VALUES
             ('(202) 555-0143', 1190000200, 'second', 3), ('(202) 555-0143', 1190000100, 'first', 2),
             ('+12025550144', 1190000300, 'other', 2), (NULL, 0, 'nobody', 2), ('+12025550144', NULL, NULL, NULL);",
    );
    let source = open(&path);
    let all = all(&*source);
    let found: Vec<_> = all.iter().map(|(chat, rows)| (chat.style, texts(rows))).collect();
    assert_eq!(
        found,
        [(Some(45), vec!["first", "second"]), (Some(45), vec!["", "other"]), (None, vec!["nobody"])]
    );
    assert!(all[2].0.orphans);
    let first = &all[0].1[0];
    assert_eq!((first.date, first.is_from_me, first.handle_id), (1_190_000_100 - EPOCH, false, 1));
    assert_eq!(first.guid, None);
    assert_eq!(first.service.as_deref(), Some("SMS"));
    assert!(all[0].1[1].is_from_me);
    source.unchanged().unwrap();
}

#[test]
fn groups_are_who_is_in_them() {
    let folder = TempDir::new().unwrap();
    let path = database(
        folder.path(),
        IPHONE_1_1_3,
        "INSERT INTO msg_group (ROWID, type) VALUES (1, 0), (2, 1), (9, 0);
         INSERT INTO group_member (group_id, address) VALUES (1, '+12025550143'), (2, '+12025550143'),
             (2, '+12025550144'), (7, '+12025550145');
         INSERT INTO message (address, date, text, flags, group_id) VALUES
             ('+12025550143', 1220000100, 'to one', 3, 1), (NULL, 1220000200, 'from one', 2, 1),
             ('+12025550144', 1220000300, 'to all', 3, 2), ('+12025550144', 1220000400, 'from one of all', 2, 2),
             ('+12025550145', 1220000500, 'group row lost', 2, 7),
             ('+12025550146', 1220000600, 'group lost', 2, 8), ('+12025550147', 1220000700, 'with', 2, 8);",
    );
    let source = open(&path);
    let handles = source.handles().unwrap();
    let all = all(&*source);
    let found: Vec<_> = all
        .iter()
        .map(|(chat, rows)| (chat.style.unwrap(), chat.chat_identifier.as_deref().unwrap_or(""), rows.len()))
        .collect();
    assert_eq!(
        found,
        [
            (45, "+12025550143", 2),
            (43, "+12025550143, +12025550144", 2),
            (45, "", 0),
            (45, "+12025550145", 1),
            (43, "+12025550146, +12025550147", 2)
        ]
    );
    let address = |id: i64| handles.iter().find(|handle| handle.rowid == id).map(|handle| handle.id.as_str());
    assert_eq!(address(all[0].1[1].handle_id), Some("+12025550143"), "who else");
    assert_eq!(address(all[1].1[1].handle_id), Some("+12025550144"));
}

/// The library of iOS 5: texts and iMessages with one person, an iMessage group, failures, MMS.
pub fn ios_5(folder: &Path) -> PathBuf {
    let path = database(
        folder,
        IOS_5,
        "INSERT INTO _SqliteDatabaseProperties VALUES ('_ClientVersion', '39');
         INSERT INTO msg_group (ROWID, type) VALUES (1, 0);
         INSERT INTO group_member (group_id, address, country) VALUES (1, '+12025550143', 'us');
         INSERT INTO message (ROWID, address, date, text, flags, group_id) VALUES
             (1, '+12025550143', 1320000000, 'a text', 2, 1), (2, '+12025550143', 1320000200, 'failed', 33, 1),
             (3, '+12025550143', 1320000300, 'deleted', 129, 1), (4, '+12025550143', 1320000400, 'nobody', 131, 1);
         INSERT INTO message (ROWID, date, text, is_madrid, madrid_handle, madrid_guid, madrid_service, madrid_flags,
                 madrid_date_read, madrid_date_delivered, madrid_error) VALUES
             (5, 341692900, 'an iMessage', 1, '+12025550143', 'G-5', 'Madrid', 12289, 341692950, 0, 0),
             (6, 341693150, 'sent', 1, '+12025550143', 'G-6', 'iMessage', 45061, 341693170, 341693160, 0),
             (7, 341693250, 'not sent', 1, '+12025550143', NULL, 'iMessage', 32773, 0, 0, 22);
         INSERT INTO madrid_chat (style, chat_identifier, service_name, guid) VALUES
             (45, '+12025550143', 'iMessage', 'iMessage;-;+12025550143');",
    );
    let db = Connection::open(&path).unwrap();
    let room = "INSERT INTO madrid_chat (style, chat_identifier, room_name, service_name, guid, participants)
                VALUES (43, 'chat99', 'chat99', 'iMessage', 'iMessage;+;chat99', ?1)";
    db.execute(room, [plist(&["+12025550143", "ben@example.com"])]).unwrap();
    let body = AttributedString::default()
        .with("look ", vec![(PART, Int(0))])
        .with("\u{fffc}", vec![(PART, Int(1)), (FILE_TRANSFER, "AT-1".into())]);
    db.execute(
        "INSERT INTO message (ROWID, date, text, is_madrid, madrid_handle, madrid_roomname, madrid_guid,
             madrid_service, madrid_flags, madrid_attributedBody)
         VALUES (8, 341700000, 'look', 1, 'ben@example.com', 'chat99', 'G-8', 'iMessage', 4097, ?1)",
        [body.encode()],
    )
    .unwrap();
    db.execute_batch(
        "INSERT INTO madrid_attachment (attachment_guid, filename, uti_type, mime_type, transfer_state, message_id)
         VALUES ('AT-1', '/var/mobile/Library/SMS/Attachments/0a/10/AT-1/IMG_1.JPG', 'public.jpeg', 'image/jpeg', 5, 8)",
    )
    .unwrap();
    let attachment = folder.join("Attachments/0a/10/AT-1");
    fs::create_dir_all(&attachment).unwrap();
    fs::write(attachment.join("IMG_1.JPG"), b"a picture").unwrap();

    // An MMS from Ana, in two files and words; and one to two people who are in no group.
    db.execute_batch(
        "INSERT INTO message (ROWID, address, date, flags, group_id, subject) VALUES
            (1166, '+12025550143', 1320000500, 2, 1, 'Lake')",
    )
    .unwrap();
    let mut piece = db
        .prepare(
            "INSERT INTO msg_pieces (message_id, part_id, content_type, content_loc, data)
             VALUES (1166, ?1, ?2, ?3, ?4)",
        )
        .unwrap();
    for (part, kind, name, data) in [
        (3, "text/plain;charset=utf-8", None, Some("the lake – at nine".as_bytes())),
        (1, "application/smil", Some("0.smil"), Some(&b"<smil/>"[..])),
        (2, "image/jpeg", Some("lake.jpg"), Some(b"inline")),
        (0, "image/jpeg", None, None),
        (4, "audio/amr", None, None),
        (5, "text/plain", None, Some(b"caf\xe9")),
    ] {
        piece.execute(params![part, kind, name, data]).unwrap();
    }
    drop(piece);
    let parts = folder.join("Parts/a5/14");
    fs::create_dir_all(&parts).unwrap();
    fs::write(parts.join("1166-0.JPG"), b"in a file").unwrap();
    fs::write(parts.join("1166-0-preview.JPG"), b"smaller").unwrap();
    db.execute(
        "INSERT INTO message (ROWID, date, text, flags, recipients) VALUES (1167, 1320000600, 'both of you', 3, ?1)",
        [plist(&["+12025550144", "+12025550143"])],
    )
    .unwrap();
    path
}

/// Dates of two epochs in one table: one order.
#[test]
fn texts_and_imessages_are_in_one_order() {
    let folder = TempDir::new().unwrap();
    let source = open(&ios_5(folder.path()));
    assert_eq!(source.info().schema_version.as_deref(), Some("39"));
    let chats: Vec<ChatId> = source.chats().unwrap().iter().map(RawChat::id).collect();
    for size in [1, 2, 100] {
        let rows = rows(&*source, &chats, size);
        let order: Vec<i64> = rows.iter().map(|row| row.rowid).collect();
        assert_eq!(order, [1, 5, 2, 3, 6, 4, 7, 1166, 1167, 8]);
        assert!(rows.is_sorted_by_key(|row| row.date));
    }
}

#[test]
fn what_a_row_says_is_shown() {
    let program = Program::new();
    let path = ios_5(program.path());
    let ana = exported(&program, &path, "+12025550143 [");
    let line = |rowid: i64| ana.iter().find(|line| line["source"]["rowid"] == rowid).unwrap();
    assert_eq!(ana.len(), 8, "texts and iMessages with one person are one conversation");
    assert_eq!(line(1)["date"], "2011-10-30T18:40:00.000000000+00:00");
    assert_eq!(line(1)["guid"], Value::Null);
    assert_eq!(line(1)["service"], "SMS");
    assert_eq!(line(1)["sender"]["handle"], "+12025550143");
    assert_eq!(line(2)["error"], 4);
    assert_eq!(line(3)["deleted"]["date"], Value::Null);
    assert!(line(3)["deleted"].is_object());
    assert_eq!(line(4)["error"], 21);
    assert_eq!(line(5)["service"], "iMessage");
    assert_eq!(line(5)["guid"], "G-5");
    assert_eq!(line(5)["from_me"], false);
    assert_eq!(line(5)["date_read"], "2011-10-30T18:42:30.000000000+00:00");
    assert_eq!(line(6)["from_me"], true);
    assert_eq!(line(6)["date_delivered"], "2011-10-30T18:46:00.000000000+00:00");
    assert_eq!(line(7)["error"], 22);

    let room = exported(&program, &path, "ben@example.com");
    let [look] = room.as_slice() else { panic!("{room:?}") };
    assert_eq!(look["sender"]["handle"], "ben@example.com");
    assert_eq!(look["text"], "look \u{fffc}");
    assert_eq!(look["attachments"][0]["guid"], "AT-1");
    assert_eq!(look["attachments"][0]["bytes"], 9);
    assert_eq!(look["attachments"][0]["availability"], "local");

    let conversations = fs::read_to_string(program.path().join("json/conversations.jsonl")).unwrap();
    let guids: Vec<Value> = conversations
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["chat_guids"].clone())
        .collect();
    assert!(guids.contains(&serde_json::json!(["iMessage;-;+12025550143"])), "{guids:?}");
    assert!(guids.contains(&serde_json::json!([])), "a group of texts has no GUID: {guids:?}");
}

#[test]
fn an_mms_is_its_parts() {
    let program = Program::new();
    let path = ios_5(program.path());
    let ana = exported(&program, &path, "+12025550143 [");
    let mms = ana.iter().find(|line| line["source"]["rowid"] == 1166).unwrap();
    assert_eq!(mms["subject"], "Lake");
    assert_eq!(mms["text"], "\u{fffc}\u{fffc}the lake – at nine\u{fffc}\u{fffc}");
    let files: Vec<_> = mms["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["name"].as_str().unwrap(), a["availability"].as_str().unwrap(), a["bytes"].as_u64()))
        .collect();
    assert_eq!(
        files,
        [
            ("1166-0.JPG", "local", Some(9)),
            ("0.smil", "local", Some(7)),
            ("lake.jpg", "local", Some(6)),
            ("1166-4.amr", "missing", None),
            ("1166-5.txt", "local", Some(4)),
        ]
    );
    let kinds: Vec<_> =
        mms["parts"].as_array().unwrap().iter().map(|p| p["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["attachment", "attachment", "text", "attachment", "attachment"], "SMIL is not shown");
    let copied = |i: usize| {
        let path = mms["attachments"][i]["path"].as_str().unwrap();
        fs::read(program.path().join("json").join(path)).unwrap()
    };
    assert_eq!(copied(0), b"in a file");
    assert_eq!(copied(2), b"inline");
    assert_eq!(copied(4), b"caf\xe9");
}

#[test]
fn a_voice_memo_in_the_database_says_how_long_it_is() {
    let program = Program::new();
    let path = ios_5(program.path());
    let mut memo = b"#!AMR\n".to_vec();
    memo.extend([0x04; 13 * 50]);
    let db = Connection::open(&path).unwrap();
    db.execute("UPDATE msg_pieces SET data = ?1 WHERE part_id = 4", [memo]).unwrap();
    drop(db);
    let ana = exported(&program, &path, "+12025550143 [");
    let mms = ana.iter().find(|line| line["source"]["rowid"] == 1166).unwrap();
    assert_eq!(mms["attachments"][3]["media"]["duration"], 1.0, "{}", mms["attachments"][3]);
}

#[test]
fn inline_parts_are_read_when_they_are_wanted() {
    let folder = TempDir::new().unwrap();
    let source = open(&ios_5(folder.path()));
    let all = all(&*source);
    let mms = all.iter().flat_map(|(_, rows)| rows).find(|row| row.rowid == 1166).unwrap();
    let inline = mms.attachments.iter().find(|a| a.transfer_name.as_deref() == Some("lake.jpg")).unwrap();
    let content = inline.content.as_ref().unwrap();
    assert!(matches!(content, Content::Value(_)));
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut content.open().unwrap(), &mut bytes).unwrap();
    assert_eq!(bytes, b"inline");
    assert!(content.path().ends_with("sms.db"));
}

/// Every format, the same for any number of workers, every row accounted for, and the database as it was.
#[test]
fn every_format_is_written() {
    let program = Program::new();
    let path = ios_5(program.path());
    let before = fs::read(&path).unwrap();
    let names: Vec<&str> = msgarchive::writers::FORMATS.iter().map(|format| format.name).collect();
    let files = |jobs: &str| {
        let out = format!("out-{jobs}");
        let formats = names.join(",");
        let arguments =
            ["export", "-s", path.to_str().unwrap(), "-f", &formats, "--out", &out, "--jobs", jobs];
        program.run(&arguments).with_code(0);
        let out = program.path().join(out);
        let manifest: Value =
            serde_json::from_str(&fs::read_to_string(out.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["rows"]["read"], 10);
        assert_eq!(manifest["rows"]["messages"], 10);
        manifest["files"].clone()
    };
    let one = files("1");
    assert_eq!(one, files("4"));
    assert!(one.as_array().unwrap().len() > 12, "{one}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let listed = program.run(&["list", "-s", path.to_str().unwrap(), "--json"]).with_code(0).out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 3);
}

/// A row with a damaged part of its text is still a row; the others are whole.
#[test]
fn rows_beside_a_damaged_page_are_read() {
    let folder = TempDir::new().unwrap();
    let path = database(folder.path(), IOS_4, "");
    let db = Connection::open(&path).unwrap();
    for n in 0..200 {
        db.execute(
            "INSERT INTO message (address, date, text, flags) VALUES ('+12025550143', ?1, ?2, 2)",
            params![1_300_000_000 + n, format!("{n:04} {}", "needle".repeat(50))],
        )
        .unwrap();
    }
    db.execute_batch("CREATE INDEX message_flags_index ON message(flags)").unwrap();
    drop(db);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(11).position(|window| window == b"0100 needle").unwrap();
    let page = at / 4096 * 4096;
    bytes[page..page + 4096].fill(0xee);
    fs::write(&path, bytes).unwrap();

    let all = all(&*open(&path));
    let (known, lost) = (&all[0].1, &all[1].1);
    assert_eq!(known.len() + lost.len(), 200);
    assert!((1..20).contains(&lost.len()), "{}", lost.len());
    assert!(lost.iter().all(|row| row.unreadable));
    assert!(known.iter().all(|row| row.text.is_some()));
}

/// Bits flipped all over the file: rows or an error, never a panic, never without end.
#[test]
fn damaged_files_do_no_harm() {
    let folder = TempDir::new().unwrap();
    let whole = fs::read(ios_5(folder.path())).unwrap();
    let damaged = folder.path().join("damaged.db");
    let mut errors = 0;
    for round in 0..150_usize {
        let mut bytes = whole.clone();
        let mut at = round * 7919 + 100;
        for _ in 0..1 + round % 40 {
            at = (at * 31 + 17) % bytes.len();
            bytes[at] ^= 1 << (at % 8);
        }
        fs::write(&damaged, bytes).unwrap();
        let Ok(source) = source::open(&damaged, &OpenOptions::default()) else {
            errors += 1;
            continue;
        };
        for chat in source.chats().unwrap() {
            let mut session = source.session().unwrap();
            let timeline = session.timeline(&[chat.id()], 2).unwrap();
            for window in 0..timeline.len() {
                errors += usize::from(session.page(&timeline, window).is_err());
            }
        }
    }
    assert!(errors > 0, "some of it must have been noticed");
}

#[test]
fn any_type_in_any_column() {
    let values = ["NULL", "7", "1.5", "'text'", "x'00ff80'", "9e999", "''", "-9223372036854775808"];
    for value in values {
        let folder = TempDir::new().unwrap();
        let path = ios_5(folder.path());
        let db = Connection::open(&path).unwrap();
        for table in
            ["message", "msg_group", "group_member", "msg_pieces", "madrid_attachment", "madrid_chat"]
        {
            let mut names = db.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
            let names: Vec<String> =
                names.query_map([table], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
            for name in names.iter().filter(|name| *name != "ROWID" && *name != "message_id") {
                db.execute_batch(&format!("UPDATE {table} SET {name} = {value}")).unwrap();
            }
        }
        drop(db);
        let found = all(&*open(&path));
        assert_eq!(found.iter().map(|(_, rows)| rows.len()).sum::<usize>(), 10, "{value}");
    }
}

/// What an upgrade to iOS 6 left when it was interrupted before it made its own tables; and afterwards.
#[test]
fn interrupted_upgrades() {
    let folder = TempDir::new().unwrap();
    let path = ios_5(folder.path());
    let db = Connection::open(&path).unwrap();
    for table in ["message", "msg_group", "group_member", "msg_pieces", "madrid_attachment", "madrid_chat"] {
        db.execute_batch(&format!("ALTER TABLE {table} RENAME TO {table}_legacy")).unwrap();
    }
    drop(db);
    let before: usize = all(&*open(&path)).iter().map(|(_, rows)| rows.len()).sum();
    assert_eq!(before, 10);

    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE message (guid TEXT, text TEXT, date INTEGER, is_from_me INTEGER, handle_id INTEGER);
         INSERT INTO message VALUES ('A', 'converted', 500000000, 0, 0);",
    )
    .unwrap();
    drop(db);
    let after = all(&*open(&path));
    assert_eq!(after.iter().flat_map(|(_, rows)| texts(rows)).collect::<Vec<_>>(), ["converted"]);
}

/// Rows are found by their row ids; what hangs on them likewise.
#[test]
fn statements_of_one_row_search() {
    let folder = TempDir::new().unwrap();
    let path = ios_5(folder.path());
    let source = LegacyDb::open(&path, &OpenOptions::default()).unwrap();
    let db = Connection::open(&path).unwrap();
    let mut seen = 0;
    for (name, sql) in source.statements() {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = vec![1_i64; explain.parameter_count()];
        let of_one_row = !parameters.is_empty();
        let steps =
            explain.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(3)).unwrap();
        for step in steps.map(Result::unwrap) {
            assert!(!step.contains("TEMP B-TREE"), "{name}: {step}");
            assert!(!of_one_row || step.ends_with("USING INTEGER PRIMARY KEY (rowid=?)"), "{name}: {step}");
            seen += 1;
        }
    }
    assert_eq!(seen, 12);
}
