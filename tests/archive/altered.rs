//! Messages that say something else, and Messages notes no edit: nobody is said to have edited them.

use rusqlite::params;
use serde_json::Value;

use super::device::DAY;
use super::past::exported;
use super::{add, device::Device};
use crate::program::Program;
use crate::support::typedstream::AttributedString;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

fn json(program: &Program, arguments: &[&str]) -> Value {
    let told = program.run(&[arguments, &["--json"]].concat()).with_code(0).out;
    serde_json::from_str(&told).unwrap()
}

fn what(told: &Value) -> Vec<&str> {
    told["messages"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect()
}

/// With any tool for SQLite, as somebody might who wants another history.
#[test]
fn a_row_that_was_tampered_with_is_no_edit_of_its_sender() {
    for tampered in [Some("I agreed to that"), None] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        for (guid, text) in [("A", "I never agreed to that"), ("B", "hello")] {
            mac.receive(guid, 0, START, text);
        }
        let archive = program.path().join("archive");
        add(&archive, &[&mac.folder], START + DAY).unwrap();
        mac.run("UPDATE message SET text = ?1 WHERE guid = 'A'", params![tampered]);
        let record = add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
        assert_eq!(record.counts.changed, 1);

        let changed = json(&program, &["history", "archive", "--changed"]);
        assert_eq!(what(&changed), ["changed"]);
        let one = &changed["messages"][0];
        assert_eq!((&one["before"], &one["changed"]), (&"I never agreed to that".into(), &Value::Null));
        let words = program.run(&["history", "archive", "--changed"]).with_code(0).out;
        assert!(!words.contains("edited by") && words.contains("Messages notes no edit"), "{words}");
        assert!(words.contains("0 edited, 0 unsent, 1 changed without an edit"), "{words}");
        let versions = json(&program, &["history", "archive", "--message", "A"]);
        assert_eq!(versions["versions"][1]["what"], "changed");

        // What it said is in every export, and found.
        let messages = exported(&program, "out", &[]);
        assert_eq!((&messages[0]["text"], &messages[0]["edits"]), (&tampered.into(), &Value::Array(vec![])));
        assert_eq!(messages[0]["altered"], serde_json::json!(["I never agreed to that"]));
        assert_eq!(messages[1].get("altered"), None);
        // An export that is read back says it, too.
        program
            .run(&["export", "-s", "out", "-f", "jsonl", "-o", "again", "--contacts", "none"])
            .with_code(0);
        let again = tree::print(&program.path().join("again"));
        assert!(again.contains("\"altered\":[\"I never agreed to that\"]"), "{again}");
        program
            .run(&["export", "-s", "archive", "-f", "txt", "-o", "txt", "--contacts", "none"])
            .with_code(0);
        let text = tree::print(&program.path().join("txt"));
        assert!(text.contains("notes no edit: “I never agreed to that”"), "{text}");
        let found = json(&program, &["search", "archive", "never agreed"]);
        assert_eq!(found["hits"][0]["guid"], "A");
        let exported = program.run(&["list", "-s", "archive", "--text", "never agreed"]).with_code(0).out;
        assert!(exported.contains("1 message "), "{exported}");
    }
}

/// The words of a message that has a picture, too, are moved to Recently Deleted, and are purged from there later.
#[test]
fn a_part_that_its_owner_deletes_is_deleted_and_not_edited() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let text = "secret words";
    mac.receive("A", 0, START, text);
    mac.attach("A", "a.png");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run(
        "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
         SELECT chat_id, message_id, 0, ?1, ?2 FROM chat_message_join",
        params![(START + DAY + 60) * 1_000_000_000, AttributedString::plain(text).encode()],
    );
    mac.run("UPDATE message SET text = '\u{fffc}' WHERE guid = 'A'", []);
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    for purged in [false, true] {
        if purged {
            mac.run("DELETE FROM recoverable_message_part", []);
            add(&archive, &[&mac.folder], START + 40 * DAY).unwrap();
        }
        assert!(what(&json(&program, &["history", "archive", "--changed"])).is_empty());
        let versions = json(&program, &["history", "archive", "--message", "A"]);
        assert_eq!(versions["versions"][1]["what"], "changed");
        let deleted = json(&program, &["history", "archive", "--deleted"]);
        let one = &deleted["messages"][0];
        assert_eq!(
            ["guid", "reason", "text", "part"].map(|key| one[key].clone()),
            ["A".into(), "recently_deleted".into(), text.into(), Value::from(0)]
        );
        assert!(one["gone_from"][0]["source"].as_str().unwrap().ends_with("mac/chat.db"));
        let words = program.run(&["history", "archive", "--deleted"]).with_code(0).out;
        assert!(words.contains("A part of it: Moved to Recently Deleted"), "{words}");
        let out = format!("purged {purged}");
        let message = &exported(&program, &out, &[])[0];
        assert_eq!((&message["deleted"]["part"], &message["edits"]), (&true.into(), &Value::Array(vec![])));
        assert_eq!(message.get("altered"), None);
    }
}

/// Two devices call the same chat by two GUIDs, so that an archive has the message in two chats.
#[test]
fn a_part_that_is_deleted_in_one_of_two_chats_of_a_message_is_shown() {
    for phone_first in [true, false] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
        phone.receive("P", 0, START, "so that the row ids are others");
        phone.run("UPDATE chat SET guid = 'any' || substr(guid, 9)", []);
        for device in [&mut mac, &mut phone] {
            device.receive("A", 0, START + 60, "stays");
        }
        mac.run(
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
             SELECT chat_id, message_id, 1, ?1, ?2 FROM chat_message_join",
            params![(START + 120) * 1_000_000_000, AttributedString::plain(" goes").encode()],
        );
        let order = if phone_first { [&*phone.folder, &*mac.folder] } else { [&*mac.folder, &*phone.folder] };
        add(&program.path().join("archive"), &order, START + DAY).unwrap();
        let message = exported(&program, "out", &[]).remove(0);
        assert_eq!(
            (&message["guid"], &message["text"]),
            (&"A".into(), &"stays goes".into()),
            "{phone_first}"
        );
        assert_eq!(message["deleted"]["part"], true);
    }
}
