//! Which row is which: by GUID, by content, and what counts.

use super::{Two, ana, counts, found, remove};
use crate::support::{Library, Schema, Tapback};

/// New GUIDs and row ids, dates of whole seconds.
const RESTORE: &str = "
    UPDATE message SET guid = 'RESTORED-' || ROWID, date = date / 1000000000 * 1000000000;
    UPDATE chat_message_join SET message_date = message_date / 1000000000 * 1000000000;
    UPDATE message SET ROWID = ROWID + 5000; UPDATE chat_message_join SET message_id = message_id + 5000;";

#[test]
fn rows_that_were_restored_are_the_same() {
    let object = Two::changed(&ana(), RESTORE).json(&[]);
    assert_eq!((counts(&object), object["restored"].as_u64()), ([4, 0, 0, 0], Some(4)));
}

#[test]
fn as_many_equal_rows_as_the_other_side_has_are_the_same() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for nanos in ["1", "2", "3"] {
        library.message(chat).at(&format!("2024-05-01T10:00:00.{nanos}Z")).text("ok");
    }
    library.message(chat).at("2024-05-02T10:00:00Z").text("later");
    let object = Two::changed(&library, &format!("{RESTORE} {}", remove("5002"))).json(&[]);
    assert_eq!((counts(&object), object["restored"].as_u64()), ([3, 1, 0, 0], Some(3)));
}

#[test]
fn a_restored_row_that_differs_is_another_one() {
    for change in [
        "UPDATE message SET attributedBody = NULL, text = 'TWO' WHERE ROWID = 5002",
        "UPDATE message SET service = 'SMS' WHERE ROWID = 5002",
        "UPDATE message SET is_from_me = 1 WHERE ROWID = 5002",
        "UPDATE message SET date = date + 1000000000 WHERE ROWID = 5002;
         UPDATE chat_message_join SET message_date = message_date + 1000000000 WHERE message_id = 5002",
    ] {
        let object = Two::changed(&ana(), &format!("{RESTORE} {change}")).json(&[]);
        assert_eq!(counts(&object), [3, 1, 1, 0], "{change}");
    }
}

#[test]
fn an_edit_does_not_make_a_restored_row_another_one() {
    let library = |edited: bool| {
        let mut library = Library::new(Schema::MACOS_15);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let message = library.message(chat).at("2024-05-01T10:00:00Z").text("lok");
        if edited {
            message.edit("2024-05-01T10:01:00Z", "look");
        }
        library
    };
    let two = Two::of(&library(true), &library(false));
    two.change("right", RESTORE);
    let object = two.json(&[]);
    assert_eq!((counts(&object), found(&object)), ([1, 0, 0, 1], vec!["both edited".to_owned()]));
}

#[test]
fn one_conversation_under_other_guids_identifiers_and_handles() {
    let library = |turned: bool| {
        let mut library = Library::new(Schema::MACOS_15);
        if turned {
            // Row ids of chats and handles are others.
            let other = library.handle("other@example.com", "iMessage");
            library.direct(other);
        }
        let ana = library.handle("+12025550143", if turned { "SMS" } else { "iMessage" });
        let ben = library.handle("ben@example.com", "iMessage");
        let group = library.group(&[ana, ben], "Family");
        let chat = library.direct(ana);
        library.message(group).from(ana).at("2024-05-01T10:00:00Z").service("iMessage").text("to all");
        library.message(chat).from(ana).at("2024-05-02T10:00:00Z").service("iMessage").text("to you");
        library
    };
    let two = Two::of(&library(false), &library(true));
    let ids = "UPDATE chat SET guid = 'iMessage;+;chat77', chat_identifier = 'chat77', room_name = 'chat77', \
               group_id = 'G', original_group_id = 'G' WHERE style = 43;";
    two.change("right", &format!("{ids} {RESTORE}"));
    let object = two.json(&[]);
    assert_eq!((counts(&object), object["restored"].as_u64()), ([2, 0, 0, 0], Some(2)));
    assert_eq!(object["conversations"].as_array().unwrap().len(), 2);
}

#[test]
fn a_row_counts_once_wherever_it_lies() {
    // In two chats on the left, in none on the right.
    let mut library = ana();
    let ben = library.handle("ben@example.com", "iMessage");
    let other = library.direct(ben);
    library.message(crate::support::ChatId(1)).at("2024-05-08T10:00:00Z").text("to both").also_in(other);
    let two = Two::changed(&library, "DELETE FROM chat_message_join WHERE message_id = 5");
    assert_eq!(counts(&two.json(&[])), [5, 0, 0, 0]);
}

#[test]
fn tapbacks_are_counted_apart() {
    let mut library = ana();
    let chat = crate::support::ChatId(1);
    let first = crate::support::MessageId(1);
    library.message(chat).from_me().tapback(first, Tapback::Loved);
    library.message(chat).from_me().tapback(first, Tapback::Emoji("🦀"));
    let two = Two::changed(&library, &remove("6"));
    let object = two.json(&[]);
    assert_eq!(counts(&object), [4, 0, 0, 0]);
    assert_eq!((&object["tapbacks"]["both"], &object["tapbacks"]["only_left"]), (&1.into(), &1.into()));
    assert_eq!(object["messages"][0]["kind"], "tapback");
    let ran = two.run(&[]).with_code(3);
    assert!(ran.out.contains("Both sides have the same messages; 1 tapback or vote"), "{}", ran.out);
    // Its sentence is in another language on another device, and it may be restored, too.
    let restored =
        format!("UPDATE message SET text = 'Herz', attributedBody = NULL WHERE ROWID = 5; {RESTORE}");
    let object = Two::changed(&library, &restored).json(&[]);
    assert_eq!((counts(&object), &object["equal"]), ([4, 0, 0, 0], &true.into()));
}

#[test]
fn announcements_count_as_messages() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let ben = library.handle("ben@example.com", "iMessage");
    let group = library.group(&[ana, ben], "");
    library.message(group).from(ana).at("2024-05-01T10:00:00Z").text("hello");
    library.message(group).from(ana).at("2024-05-02T10:00:00Z").renamed("Family");
    library.message(group).from(ana).at("2024-05-03T10:00:00Z").text("bye");
    assert_eq!(counts(&Two::changed(&library, &remove("2")).json(&[])), [2, 1, 0, 0]);
    let renamed = format!("{RESTORE} UPDATE message SET group_title = 'Other' WHERE ROWID = 5002");
    assert_eq!(counts(&Two::changed(&library, &renamed).json(&[])), [2, 1, 1, 0]);
}

#[test]
fn guids_are_shown_as_they_are() {
    let library = ana();
    let two = Two::changed(&library, &remove("1, 2, 3"));
    two.change("left", "UPDATE message SET guid = lower(guid) WHERE ROWID = 1; UPDATE message SET guid = 'p\"<x>' WHERE ROWID = 2");
    let object = two.json(&[]);
    let guids: Vec<&str> =
        object["messages"].as_array().unwrap().iter().map(|m| m["guid"].as_str().unwrap()).collect();
    let as_built = |row| library.message_guid(crate::support::MessageId(row));
    assert_eq!(guids, [as_built(1).to_lowercase(), "p\"<x>".to_owned(), as_built(3)]);
}

#[test]
fn a_damaged_side_is_said_to_be() {
    let mut library = ana();
    let chat = crate::support::ChatId(1);
    for n in 0..400 {
        library.message(chat).text(&format!("{n} {}", "long ".repeat(60)));
    }
    let two = Two::of(&library, &library);
    let path = two.program.path().join("right/chat.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(8).position(|window| window == b"100 long").unwrap();
    let page = at / 4096 * 4096;
    bytes[page..page + 4096].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    let ran = two.run(&["--json"]).with_code(3);
    let object: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(object["right"]["unreadable"].as_u64().unwrap() > 0, "{}", ran.out);
    assert_eq!((&object["complete"], &object["left"]["unreadable"]), (&false.into(), &0.into()));
}
