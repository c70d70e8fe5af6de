//! What stands in a database stands in the export: rules of `messages-format.md` that are easy to miss, from the
//! database to the JSON Lines.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{AppTemplate, ChatId, HandleId, Library, Schema, Tapback};

/// A library with one conversation.
fn library() -> (Library, HandleId, ChatId) {
    let mut library = Library::new(Schema::MACOS_27);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    (library, ana, chat)
}

/// The messages of an export by their text (`-` where there is none), and its conversations.
fn exported(
    library: &Library,
    sql: &str,
    options: &[&str],
) -> (BTreeMap<String, Value>, BTreeMap<String, Value>) {
    let program = Program::new();
    let folder = program.path().join("Messages");
    fs::create_dir(&folder).unwrap();
    let database = library.write(&folder);
    Connection::open(&database).unwrap().execute_batch(sql).unwrap();
    let arguments = ["export", "-s", database.to_str().unwrap(), "-f", "jsonl", "--contacts", "none"];
    let ran = program.run(&[&arguments[..], options].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.err);
    let out = program.path().join("msgarchive-export");
    let lines = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(out.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut messages = BTreeMap::new();
    let mut conversations = BTreeMap::new();
    for conversation in lines("conversations.jsonl") {
        for message in lines(conversation["file"].as_str().unwrap()) {
            let text = message["text"].as_str().unwrap_or("-").to_owned();
            assert!(messages.insert(text, message).is_none(), "two messages of one text");
        }
        conversations.insert(conversation["title"].as_str().unwrap().to_owned(), conversation);
    }
    (messages, conversations)
}

#[test]
fn a_reply_names_the_part_that_was_meant() {
    let (mut library, ana, chat) = library();
    let three = library.message(chat).from(ana).text("a").text("b").text("c").unsend_part_after(1, 60).id();
    let later = library.message(chat).from(ana).text("later").part(4).id();
    library.message(chat).text("to the unsent").reply_to_part(three, 1).id();
    library.message(chat).text("to the third").reply_to_part(three, 2).id();
    library.message(chat).text("to none that is there").reply_to_part(three, 7).id();
    library.message(chat).text("by position").reply_to_part(later, 0).id();
    let (messages, _) = exported(&library, "", &[]);
    for (text, part) in
        [("to the unsent", 1), ("to the third", 2), ("to none that is there", 7), ("by position", 4)]
    {
        assert_eq!(messages[text]["reply_to"]["part"], part, "{text}");
    }
}

#[test]
fn an_emoji_that_a_row_does_not_name_is_unknown() {
    let (mut library, ana, chat) = library();
    let look = library.message(chat).text("look").id();
    library
        .message(chat)
        .from(ana)
        .tapback(look, Tapback::Emoji("🎉"))
        .raw("associated_message_emoji", None::<()>);
    let (messages, _) = exported(&library, "", &[]);
    assert_eq!(messages["look"]["tapbacks"][0]["type"], "emoji");
    assert_eq!(messages["look"]["tapbacks"][0]["emoji"], Value::Null);
}

#[test]
fn what_is_yet_to_be_sent_is_not_the_last_message() {
    let (mut library, _, chat) = library();
    library.message(chat).at("2024-05-01T10:00:00Z").text("now");
    library.message(chat).at("2031-05-01T10:00:00Z").text("then").scheduled(2);
    let (messages, conversations) = exported(&library, "", &[]);
    assert_eq!(messages["then"]["scheduled"], json!({"state": 2}));
    let conversation = &conversations["+12025550143"];
    assert_eq!(conversation["messages"], 2);
    assert_eq!(conversation["last"], conversation["first"]);
    assert!(conversation["last"].as_str().unwrap().starts_with("2024-05-01"), "{conversation}");
}

#[test]
fn leaving_out_the_deleted_leaves_the_rest_of_the_message() {
    let (mut library, ana, chat) = library();
    library.message(chat).from(ana).text("stays").text(" goes").deleted_part(1, "2024-06-01T00:00:00Z");
    library.message(chat).from(ana).text("all of it").deleted("2024-06-01T00:00:00Z");
    let (everything, _) = exported(&library, "", &[]);
    assert!(everything.contains_key("stays goes") && everything.contains_key("all of it"));
    let (rest, _) = exported(&library, "", &["--without", "deleted"]);
    assert_eq!(rest.keys().collect::<Vec<_>>(), ["stays"]);
    assert_eq!(rest["stays"]["deleted"], Value::Null);
}

#[test]
fn an_attachment_that_is_joined_twice_is_one() {
    let (mut library, ana, chat) = library();
    let picture = library.attachment("a.jpg").id();
    library.message(chat).from(ana).attachment(picture).text("look");
    // A join without a key: tables that other programs made.
    let sql = "CREATE TABLE copy AS SELECT * FROM message_attachment_join; \
               DROP TABLE message_attachment_join; \
               ALTER TABLE copy RENAME TO message_attachment_join; \
               INSERT INTO message_attachment_join SELECT * FROM message_attachment_join;";
    let (messages, _) = exported(&library, sql, &[]);
    assert_eq!(messages["\u{fffc}look"]["attachments"].as_array().unwrap().len(), 1);
}

#[test]
fn an_apps_message_that_was_unsent_is_no_balloon() {
    let (mut library, ana, chat) = library();
    library
        .message(chat)
        .from(ana)
        .text("gone")
        .unsend_part_after(0, 60)
        .raw("balloon_bundle_id", "com.apple.messages.URLBalloonProvider");
    let (messages, _) = exported(&library, "", &[]);
    assert_eq!(messages["-"]["unsent"], "all");
    assert_eq!(messages["-"]["balloon"], Value::Null);
    assert_eq!(messages["-"]["parts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_part_whose_content_is_lost_was_not_unsent() {
    let (mut library, ana, chat) = library();
    library.message(chat).from(ana).text("gone").text("lost").unsend_part_after(0, 60);
    let (messages, _) = exported(&library, "UPDATE message SET attributedBody = NULL, text = NULL", &[]);
    assert_eq!(messages["-"]["unsent"], "part");
}

#[test]
fn only_an_apps_message_is_a_later_state_of_one() {
    let (mut library, ana, chat) = library();
    let game =
        library.message(chat).app("x:y:com.example.game", &AppTemplate::new("Game").caption("one")).id();
    library
        .message(chat)
        .from(ana)
        .app("x:y:com.example.game", &AppTemplate::new("Game").caption("two"))
        .associated(game, 2);
    library.message(chat).from(ana).text("a word of its own").associated(game, 2);
    library.message(chat).from(ana).renamed("New").associated(game, 2);
    let (messages, _) = exported(&library, "", &[]);
    assert_eq!(messages["\u{fffc}"]["balloon"]["title"], "two");
    assert_eq!(messages["a word of its own"]["kind"], "message");
    assert_eq!(messages["-"]["announcement"]["title"], "New");
    assert_eq!(messages.len(), 3);
}

/// Whatever is wrong with the dates: in 1708 Berlin was 53 minutes and 28 seconds east of Greenwich.
#[test]
fn list_shows_what_the_export_shows() {
    let (mut library, ana, chat) = library();
    library.message(chat).from(ana).date_raw(i64::MIN).text("1708");
    library.message(chat).from(ana).date_raw(0).text("never");
    library.message(chat).from(ana).date_raw(999_999_999_999).text("33689");
    let program = Program::new();
    let database = library.write(program.path());
    let source = ["-s", database.to_str().unwrap(), "--contacts", "none"];
    let listed = program.run(&[&["list", "--json"], &source[..]].concat()).with_code(0).out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    program.run(&[&["export", "-f", "jsonl", "-o", "out"], &source[..]].concat()).with_code(0);
    let written = fs::read_to_string(program.path().join("out/conversations.jsonl")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    for (key, value) in written.as_object().unwrap() {
        let expected = if key == "file" { &Value::Null } else { value };
        assert_eq!(&listed["conversations"][0][key], expected, "{key}");
    }
}

#[test]
fn a_group_has_the_name_of_the_chat_that_people_wrote_in_last() {
    let (mut library, ana, _) = library();
    let ben = library.handle("ben@example.com", "iMessage");
    let old = library.group(&[ana, ben], "In use");
    let new = library.group(&[ana, ben], "Given up");
    for chat in [old, new] {
        library.chat_raw(chat, "group_id", "D2A3B0A4-0000-4000-8000-000000000001");
    }
    library.message(new).from(ana).at("2024-05-01T10:00:00Z").text("early");
    library.message(old).from(ana).at("2024-06-01T10:00:00Z").text("late");
    let (messages, conversations) = exported(&library, "", &[]);
    assert_eq!(messages.len(), 2);
    assert_eq!(conversations.keys().collect::<Vec<_>>(), ["In use"]);
}
