//! What macOS 26 and 27 brought: each is kept, and none gets in the way.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{Library, Schema};

const BOTH: [Schema; 2] = [Schema::MACOS_26, Schema::MACOS_27];

/// The lines of all conversations, by row id; and of `conversations.jsonl`.
fn exported(program: &Program, library: &Library) -> (Vec<Value>, Vec<Value>) {
    let folder = program.path().join("Messages");
    library.write(&folder);
    program.run(&["export", "-s", folder.to_str().unwrap(), "-f", "jsonl", "--out", "out"]).with_code(0);
    let lines = |path: &Path| -> Vec<Value> {
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let out = program.path().join("out");
    let mut messages = Vec::new();
    for entry in fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with("].jsonl") {
            messages.extend(lines(&path));
        }
    }
    messages.sort_by_key(|line| line["source"]["rowid"].as_i64());
    (messages, lines(&out.join("conversations.jsonl")))
}

/// A chat's wallpaper lies in its properties; that it changed is a row.
#[test]
fn transcript_backgrounds() {
    for schema in BOTH {
        let program = Program::new();
        let mut library = Library::new(schema);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        library.message(chat).from(ana).background_changed();
        library.message(chat).from(ana).background_removed();
        library.message(chat).from(ana).text("better").id();
        let mut background = plist::Dictionary::new();
        for key in ["trabar", "trabaid", "traboid"] {
            background.insert(key.into(), "https://example.com/background".into());
        }
        background.insert("refreshDate".into(), plist::Value::Integer(7.into()));
        let mut properties = plist::Dictionary::new();
        properties.insert("backgroundProperties".into(), plist::Value::Dictionary(background));
        let mut bytes = Vec::new();
        plist::Value::Dictionary(properties).to_writer_binary(&mut bytes).unwrap();
        library.chat_raw(chat, "properties", bytes);
        let (lines, conversations) = exported(&program, &library);
        let kinds: Vec<&str> =
            lines.iter().map(|line| line["announcement"]["type"].as_str().unwrap_or("")).collect();
        assert_eq!(kinds, ["background_changed", "background_removed", ""], "{}", schema.name);
        assert_eq!(conversations.len(), 1);
    }
}

/// Properties of real chats, with and without a background, change nothing about their conversations.
#[test]
fn real_properties() {
    let Some(folder) = crate::decode_samples::samples("chat_properties") else { return };
    let program = Program::new();
    let mut library = Library::new(Schema::MACOS_26);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let people = ["ana@example.com", "ben@example.com", "cleo@example.com"];
    for (file, person) in files.iter().zip(people) {
        let handle = library.handle(person, "iMessage");
        let other = library.handle("+12025550143", "iMessage");
        let group = library.group(&[handle, other], "");
        library.chat_raw(group, "properties", fs::read(file).unwrap());
        library.message(group).from(handle).text("hello").id();
    }
    let (lines, conversations) = exported(&program, &library);
    assert_eq!(lines.len(), 3);
    assert_eq!(conversations.len(), 3, "three groups of different people");
}

/// `any;-;` and `any;+;` say nothing of a service: that is the messages' own.
#[test]
fn chats_of_any_service() {
    for schema in BOTH {
        let program = Program::new();
        let mut library = Library::new(schema);
        let ana = library.handle("+12025550143", "iMessage");
        let by_text = library.handle("+12025550143", "SMS");
        let ben = library.handle("ben@example.com", "iMessage");
        let direct = library.direct(ana);
        let group = library.group(&[ana, ben], "Lunch");
        library.chat_raw(direct, "service_name", "any");
        library.message(direct).from(ana).text("one").id();
        library.message(direct).from(by_text).text("two").raw("service", "SMS").id();
        library.message(direct).from(by_text).text("three").raw("service", "RCS").id();
        library.message(group).from(ben).text("four").id();
        library.lookup("+12025550143", "phone", direct);
        let (lines, conversations) = exported(&program, &library);
        let services: Vec<&str> = lines.iter().map(|line| line["service"].as_str().unwrap()).collect();
        assert_eq!(services, ["iMessage", "SMS", "RCS", "iMessage"], "{}", schema.name);
        let mut of_conversations: Vec<(&str, Value, &str)> = conversations
            .iter()
            .map(|c| {
                let guid = c["chat_guids"][0].as_str().unwrap();
                (c["kind"].as_str().unwrap(), c["services"].clone(), guid.get(..6).unwrap())
            })
            .collect();
        of_conversations.sort_by_key(|(kind, ..)| *kind);
        assert_eq!(
            of_conversations,
            [
                ("direct", json!(["RCS", "SMS", "iMessage"]), "any;-;"),
                ("group", json!(["iMessage"]), "any;+;")
            ],
            "{}",
            schema.name
        );
    }
}

/// By satellite, in an emergency, from somebody unknown: messages like others.
#[test]
fn satellites_emergencies_and_strangers() {
    for schema in BOTH {
        let program = Program::new();
        let mut library = Library::new(schema);
        let relay = library.handle("+12025550143", "SatelliteSMS");
        let chat = library.direct(relay);
        library.chat_raw(chat, "is_pending_review", 1);
        library.message(chat).from(relay).text("where are you?").raw("is_stewie", 1).id();
        let lite = library.message(chat).from_me().text("on the ridge").raw("service", "iMessageLite");
        lite.raw("is_sos", 1).raw("is_pending_satellite_send", 1).raw("sent_or_received_off_grid", 1).id();
        library.message(chat).from(relay).text("help comes").raw("is_critical", 1).id();
        let (lines, conversations) = exported(&program, &library);
        let shown: Vec<_> = lines
            .iter()
            .map(|line| (line["service"].as_str().unwrap(), line["text"].as_str().unwrap(), &line["junk"]))
            .collect();
        let no = json!(false);
        assert_eq!(
            shown,
            [
                ("SatelliteSMS", "where are you?", &no),
                ("iMessageLite", "on the ridge", &no),
                ("SatelliteSMS", "help comes", &no)
            ],
            "{}",
            schema.name
        );
        assert_eq!(conversations[0]["services"], json!(["SatelliteSMS", "iMessageLite"]));
    }
}

/// Filters of macOS 27: on the message, and on its join with the chat, which counts where it says something.
#[test]
fn filters_mark_and_file() {
    // Rows without a date of their own are read row by row, not as a range of the index.
    for by_row in [false, true] {
        let program = Program::new();
        let mut library = Library::new(Schema::MACOS_27);
        let shop = library.handle("+12025550143", "SMS");
        let chat = library.direct(shop);
        let cases = [
            ((0, 0), (0, 0), false, json!(null)),
            ((1, 0), (0, 0), false, json!(null)),
            ((2, 0), (0, 0), true, json!(null)),
            ((0, 0), (2, 0), true, json!(null)),
            ((2, 0), (1, 0), false, json!(null)),
            ((3, 20_002), (0, 0), false, json!({"type": "promotion", "detail": "coupons"})),
            ((0, 0), (4, 10_001), false, json!({"type": "transaction", "detail": "finance"})),
            ((4, 10_000), (4, 10_000), false, json!({"type": "transaction", "detail": null})),
            ((99, 99), (0, 0), false, json!(null)),
        ];
        for (row, ((action, sub_action), (of_join, sub_of_join), ..)) in (1..).zip(&cases) {
            let message = library.message(chat).from(shop).text("buy").raw("filter_action", *action);
            message.raw("filter_sub_action", *sub_action).id();
            library.sql(&format!(
                "UPDATE chat_message_join SET filter_action = {of_join}, filter_sub_action = {sub_of_join}
                 WHERE message_id = {row}"
            ));
        }
        if by_row {
            library.sql("UPDATE chat_message_join SET message_date = 0");
        }
        let (lines, _) = exported(&program, &library);
        assert_eq!(lines.len(), cases.len());
        for (line, (of_row, of_join, junk, category)) in lines.iter().zip(&cases) {
            assert_eq!(line["junk"], *junk, "{of_row:?} {of_join:?} {by_row}");
            assert_eq!(line["category"], *category, "{of_row:?} {of_join:?} {by_row}");
            assert_eq!(line.get("category").is_some(), !category.is_null(), "only where there is one");
        }
    }
}

/// Columns that say nothing that is shown: with anything in them the message is the same.
#[test]
fn columns_of_previews_and_updates() {
    let export = |change: &str| {
        let program = Program::new();
        let mut library = Library::new(Schema::MACOS_27);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        library.message(chat).from(ana).text("hello").id();
        library.sql(change);
        exported(&program, &library).0
    };
    let changed = export(
        "UPDATE message SET is_preview_sent = 1, is_preview_delivered = 1, date_preview_sent = 7,
             date_preview_delivered = -1, date_updated = 'x', retry_count = 9",
    );
    assert_eq!(changed, export("SELECT 1"));
}
