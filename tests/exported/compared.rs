//! An export on one side of `compare`.

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use serde_json::{Value, json};

use super::{Kept, ana, everything};
use crate::program::Program;
use crate::support::crowd::Crowd;
use crate::support::{Library, Schema};

/// Changes a library against Messages' own rules.
fn change(kept: &Kept, sql: &str) {
    let db = Connection::open(kept.path("library/chat.db")).unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
}

fn counts(object: &Value) -> [u64; 4] {
    ["both", "only_left", "only_right", "different"].map(|key| object[key].as_u64().unwrap())
}

#[track_caller]
fn is_equal(object: &Value) {
    assert_eq!(object["equal"], true, "{:#}", object["messages"]);
    assert_eq!(object["messages"], json!([]));
    assert!(object["both"].as_u64().unwrap() > 3);
}

#[test]
fn an_export_has_what_its_library_has() {
    for options in
        [&[][..], &["--attachments", "none"], &["--contacts", "none"], &["--time-zone", "Asia/Tokyo"]]
    {
        let kept = Kept::of(&everything(), options);
        is_equal(&kept.compared("library", "export"));
        is_equal(&kept.compared("export", "library"));
        kept.export("export", "again", &[]);
        is_equal(&kept.compared("export", "again"));
        is_equal(&kept.compared("library", "again"));
    }
}

#[test]
fn so_has_that_of_the_sample_and_of_a_crowd() {
    let program = Program::new();
    program.run(&["export", "--sample", "-f", "jsonl", "--out", "export"]).with_code(0);
    let ran = program.run(&["compare", "--sample", "export"]).with_code(0);
    assert!(ran.out.contains("export made by msgarchive: export"), "{}", ran.out);
    assert!(ran.out.contains("Both sides have the same 289 messages."), "{}", ran.out);

    Crowd { messages: 4_000, conversations: 12, files: true }.write(&program.path().join("crowd")).unwrap();
    let ran = program.run(&["export", "-s", "crowd", "-f", "jsonl", "--out", "of-crowd"]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let outputs = ["1", "2", "8"].map(|jobs| {
        program.run(&["compare", "crowd", "of-crowd", "--json", "--jobs", jobs]).with_code(0).out
    });
    assert!(outputs[0] == outputs[1] && outputs[0] == outputs[2]);
}

#[test]
fn an_export_from_before_tells_what_became_of_it() {
    let mut library = ana();
    let photo = library.attachment("a.jpg").bytes(*b"photo").id();
    let ben = library.handle("ben@example.com", "iMessage");
    let chat = library.direct(ben);
    library.message(chat).at("2024-05-08T10:00:00Z").attachment(photo);
    library.message(chat).at("2024-05-09T10:00:00Z").text("read").raw("is_read", 0);
    let kept = Kept::of(&library, &["--contacts", "none"]);

    let now = |library: &mut Library| {
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        library.message(chat).at("2024-05-01T10:00:00.5Z").text("one");
        library.message(chat).at("2024-05-03T10:00:00.5Z").text("two").edit("2024-05-04T10:00:00Z", "2");
        library.message(chat).at("2024-05-05T10:00:00.5Z").text("three").unsend("2024-05-05T10:01:00Z");
        library.message(chat).at("2024-05-07T10:00:00.5Z").text("four");
        let photo = library.attachment("a.jpg").in_icloud().id();
        let ben = library.handle("ben@example.com", "iMessage");
        let chat = library.direct(ben);
        library.message(chat).at("2024-05-08T10:00:00Z").attachment(photo);
        library.message(chat).at("2024-05-09T10:00:00Z").text("read").raw("is_read", 1);
        library.message(chat).at("2024-06-01T10:00:00Z").text("new");
    };
    let mut later = Library::new(Schema::MACOS_15);
    now(&mut later);
    std::fs::remove_dir_all(kept.path("library")).unwrap();
    later.write(&kept.path("library"));
    change(
        &kept,
        "DELETE FROM chat_message_join WHERE message_id = 1; DELETE FROM message WHERE ROWID = 1;
         INSERT INTO deleted_messages (guid) SELECT guid FROM message WHERE 0;",
    );
    let object = kept.compared("export", "library");
    let said = |message: &Value| {
        let what: Vec<&str> =
            message["what"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
        let reason = message["reason"].as_str().unwrap_or_default();
        format!("{} {}{reason}", message["side"].as_str().unwrap(), what.join("+"))
    };
    let mut found: Vec<String> = object["messages"].as_array().unwrap().iter().map(said).collect();
    found.sort();
    let expected =
        ["both attachment", "both edited", "both unsent", "left aged_out", "right newer"].map(String::from);
    assert_eq!(found, expected, "{:#}", object["messages"]);
    assert_eq!(counts(&object), [5, 1, 1, 3]);
}

#[test]
fn rows_under_new_guids_are_found_by_what_they_say() {
    let kept = Kept::of(&everything(), &[]);
    change(&kept, "UPDATE message SET guid = 'NEW-' || ROWID WHERE associated_message_guid IS NULL;");
    let object = kept.compared("library", "export");
    assert!(object["restored"].as_u64().unwrap() > 150, "{}", object["restored"]);
}

#[test]
fn a_selection_is_said_to_be_one() {
    let kept = Kept::of(&ana(), &["--since", "2024-05-04"]);
    let ran = kept.program.run(&["compare", "library", "export"]).with_code(3);
    let words = "export was made with --since \"2024-05-04\": what that left out of it is not in it";
    assert!(ran.err.replace("\n", " ").contains(words), "{}", ran.err);
}
