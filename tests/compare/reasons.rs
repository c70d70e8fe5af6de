//! Every reason, by planting its evidence.

use serde_json::Value;

use super::{Two, ana, counts, found, remove};
use crate::support::{Library, Schema};

/// Of a library whose right copy was changed: what is found.
#[track_caller]
fn check(library: &Library, sql: &str, expect: &[&str]) -> Value {
    let object = Two::changed(library, sql).json(&[]);
    assert_eq!(found(&object), expect);
    object
}

#[test]
fn what_nothing_is_known_of_is_unexplained() {
    let object = check(&ana(), &remove("2"), &["left unexplained"]);
    assert_eq!(object["reasons"]["left"]["unexplained"], 1);
    assert_eq!(object["messages"][0]["date"], "2024-05-03T12:00:00.500000000+02:00");
    assert_eq!(counts(&object), [3, 1, 0, 0]);
}

#[test]
fn a_list_of_deletions_says_deleted() {
    for table in ["deleted_messages", "sync_deleted_messages"] {
        let sql = format!(
            "INSERT INTO {table} (guid) SELECT lower(guid) FROM message WHERE ROWID = 2; {}",
            remove("2")
        );
        check(&ana(), &sql, &["left deleted"]);
    }
    let removed = "INSERT INTO unsynced_removed_recoverable_messages (chat_guid, message_guid)
                   SELECT 'x', guid FROM message WHERE ROWID = 2;";
    check(&ana(), &format!("{removed} {}", remove("2")), &["left deleted"]);
}

#[test]
fn a_conversation_that_was_deleted_says_it_of_its_messages() {
    let sql = format!(
        "INSERT INTO sync_deleted_chats (guid) SELECT guid FROM chat; DELETE FROM chat; {}",
        remove("1, 2, 3, 4")
    );
    check(&ana(), &sql, &["left deleted"; 4]);
}

#[test]
fn recently_deleted_is_not_there_but_can_be_had_again() {
    let move_away = "INSERT INTO chat_recoverable_message_join (chat_id, message_id, delete_date)
                     VALUES (1, 2, 736000000000000000); DELETE FROM chat_message_join WHERE message_id = 2;";
    let object = check(&ana(), move_away, &["left recently_deleted"]);
    assert_eq!(counts(&object), [3, 1, 0, 0]);

    // In the bin on both sides it is the same.
    let two = Two::changed(&ana(), move_away);
    two.change("left", move_away);
    assert_eq!(counts(&two.json(&[])), [4, 0, 0, 0]);

    // In the bin here, and no more there: the owner deleted it.
    let two = Two::changed(&ana(), &remove("2"));
    two.change("left", move_away);
    assert_eq!(found(&two.json(&[])), ["left deleted"]);
}

#[test]
fn what_is_older_or_newer_than_everything_there_says_so() {
    check(&ana(), &remove("1, 2"), &["left aged_out"; 2]);
    check(&ana(), &remove("3, 4"), &["left newer"; 2]);
    check(&ana(), &remove("1, 4"), &["left aged_out", "left newer"]);
    // A clock that lost the time says nothing of where a history begins: neither there nor here.
    for bogus in ["1", "0", "43200000000000"] {
        let sql = |rows: &str| format!("UPDATE message SET date = {bogus} WHERE ROWID = 3; {}", remove(rows));
        check(&ana(), &sql("1, 2"), &["left aged_out", "left aged_out", "both date"]);
        let two = Two::changed(&ana(), &remove("3"));
        two.change("left", &format!("UPDATE message SET date = {bogus} WHERE ROWID = 3;"));
        assert_eq!(found(&two.json(&[])), ["left unexplained"], "{bogus}");
    }
    // Of a side without any messages nothing can be said.
    check(&ana(), &remove("1, 2, 3, 4"), &["left unexplained"; 4]);
}

#[test]
fn an_address_that_is_not_in_use_there_says_other_account() {
    let mut library = ana();
    let ben = library.handle("ben@example.com", "iMessage");
    let chat = library.direct(ben);
    let work = library.message(chat).at("2024-05-04T10:00:00Z").text("at work");
    work.raw("account", "E:work@example.com").raw("destination_caller_id", "mailto:Work@example.com");
    check(&library, &remove("5"), &["left other_account"]);
    // The same number, spelled otherwise, is no other one.
    let mut library = ana();
    let ben = library.handle("ben@example.com", "iMessage");
    let chat = library.direct(ben);
    for (day, account) in [(4, "P:+12025550199"), (5, "+1 (202) 555-0199")] {
        let message = library.message(chat).at(&format!("2024-05-{day:02}T10:00:00Z")).text("hello");
        message.raw("account", account).raw("destination_caller_id", "").raw("ck_sync_state", 1);
    }
    check(&library, &remove("5"), &["left unexplained"]);
}

#[test]
fn texts_that_the_phone_kept_to_itself_say_not_forwarded() {
    let mut library = ana();
    let ben = library.handle("+12025550188", "SMS");
    let chat = library.direct(ben);
    for (day, service) in [(2, "SMS"), (4, "SMS"), (6, "RCS")] {
        let message = library.message(chat).at(&format!("2024-05-{day:02}T10:00:00Z")).text("text");
        message.service(service).raw("ck_sync_state", 1);
    }
    check(&library, &remove("6, 7"), &["left not_forwarded"; 2]);
    check(&library, &remove("5, 6, 7"), &["left not_forwarded"; 3]);
    // There are later ones: forwarding was on.
    check(&library, &remove("6"), &["left unexplained"]);
}

#[test]
fn what_icloud_never_had_says_never_synced() {
    for (state, record, expect) in [
        ("0", "NULL", "left never_synced"),
        ("2", "''", "left never_synced"),
        // A reset of synchronization: nothing is known.
        ("0", "''", "left unexplained"),
        ("8", "'r'", "left unexplained"),
    ] {
        let two = Two::changed(&ana(), &remove("2"));
        two.change("left", &format!("UPDATE message SET ck_sync_state = {state}, ck_record_id = {record}"));
        assert_eq!(found(&two.json(&[])), [expect], "{state} {record}");
    }
    // Old systems say nothing of it.
    let mut library = Library::new(Schema::OSX_10_10);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    for day in 1..4 {
        library.message(chat).at(&format!("2014-05-{day:02}T10:00:00Z")).text("hello");
    }
    check(&library, &remove("2"), &["left unexplained"]);
}

#[test]
fn both_sides_have_their_reasons() {
    let two = Two::changed(&ana(), &remove("4"));
    two.change("left", &remove("1"));
    let object = two.json(&[]);
    assert_eq!(found(&object), ["right aged_out", "left newer"]);
    assert_eq!(counts(&object), [2, 1, 1, 0]);
    assert_eq!(
        (&object["reasons"]["left"]["newer"], &object["reasons"]["right"]["aged_out"]),
        (&1.into(), &1.into())
    );
}
