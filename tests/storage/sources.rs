//! Whatever the source is: a backup says what its library says, an archive what it was fed, several what any of them has.

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use super::rich;
use crate::program::{Program, ran};
use crate::support::backup::{Layout, wrap};

const PASSWORD: &str = "correct horse";

fn storage(program: &Program, arguments: &[&str]) -> Value {
    let mut command = program.command(&[&["storage", "--json", "--contacts", "none"], arguments].concat());
    command.env("SOURCE_DATE_EPOCH", "1718452800").env("MSGARCHIVE_PASSWORD", PASSWORD);
    let out = ran(command.output().unwrap()).with_code(0).out;
    let mut json: Value = serde_json::from_str(&out).unwrap();
    json.as_object_mut().unwrap().remove("source");
    json
}

fn library(program: &Program) -> PathBuf {
    let folder = program.path().join("library");
    rich(&folder);
    folder
}

#[test]
fn a_backup_says_what_its_library_says() {
    let program = Program::new();
    let library = library(&program);
    let expected = storage(&program, &["-s", "library"]);
    for (number, password) in [None, Some(PASSWORD)].into_iter().enumerate() {
        let backup = format!("backup-{number}");
        wrap(&library, None, &program.path().join(&backup), Layout { password, ..Layout::default() });
        assert_eq!(storage(&program, &["-s", &backup]), expected);
        // Encrypted files are read for their hashes, too.
        let exact = storage(&program, &["-s", &backup, "--exact"]);
        assert_eq!(exact, storage(&program, &["-s", "library", "--exact"]));
        assert!(exact["exact"]["read"].as_u64() > Some(0));
    }
}

#[test]
fn an_archive_says_what_it_was_fed() {
    let program = Program::new();
    library(&program);
    let expected = storage(&program, &["-s", "library"]);
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    let archived = storage(&program, &["-s", "archive"]);
    for key in ["categories", "senders", "years"] {
        let high = |json: &Value| -> Vec<u64> {
            json[key].as_array().unwrap().iter().map(|row| row["high"].as_u64().unwrap()).collect()
        };
        let (mut archived, mut expected) = (high(&archived), high(&expected));
        archived.sort_unstable();
        expected.sort_unstable();
        // Attachments that no message has are not archived.
        assert!(archived.iter().zip(&expected).all(|(archived, expected)| archived <= expected), "{key}");
    }
    for setting in ["30d", "1y"] {
        for key in ["messages", "tapbacks", "attachments"] {
            assert_eq!(archived["keep"][setting][key], expected["keep"][setting][key], "{setting} {key}");
        }
    }
    let with = storage(&program, &["-s", "library", "--archive", "archive"]);
    assert_eq!(with["keep"]["1y"]["messages_not_in_archive"], 0);
    // What has no bytes here has none there.
    assert!(with["keep"]["1y"]["attachments_not_in_archive"].as_u64() > Some(0));
}

#[test]
fn several_sources_count_once_what_they_share() {
    let program = Program::new();
    let library = library(&program);
    let expected = storage(&program, &["-s", "library"]);
    let copy = program.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(library.join("chat.db"), copy.join("chat.db")).unwrap();
    let both = storage(&program, &["-s", "library", "-s", "copy"]);
    for key in ["total", "categories", "years", "keep", "where"] {
        assert_eq!(both[key], expected[key], "{key}");
    }
    // What is here in one of them is here, whichever comes first.
    let both = storage(&program, &["-s", "copy", "-s", "library"]);
    for key in ["total", "where"] {
        assert_eq!(both[key], expected[key], "{key}");
    }
    // A restored device may have given all of them other GUIDs: they are the same by content.
    let restored = program.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(library.join("chat.db"), restored.join("chat.db")).unwrap();
    let db = Connection::open(restored.join("chat.db")).unwrap();
    db.execute_batch(
        "DELETE FROM attachment WHERE ROWID NOT IN (SELECT attachment_id FROM message_attachment_join);
         UPDATE message SET guid = 'NEW-' || guid, associated_message_guid =
             CASE WHEN associated_message_guid > '' THEN replace(associated_message_guid, '/', '/NEW-') END,
             thread_originator_guid = 'NEW-' || thread_originator_guid;
         UPDATE attachment SET guid = 'NEW-' || guid, original_guid = 'NEW-' || original_guid",
    )
    .unwrap();
    let both = storage(&program, &["-s", "library", "-s", "restored"]);
    for key in ["total", "categories", "years", "keep", "where"] {
        assert_eq!(both[key], expected[key], "{key}");
    }
    // What only one has comes in addition.
    let db = Connection::open(copy.join("chat.db")).unwrap();
    db.execute_batch(
        "INSERT INTO message (ROWID, guid, text, date, is_from_me) VALUES (9000, 'only here', 'twelve bytes', 1, 1);
         INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (1, 9000, 1)",
    )
    .unwrap();
    let more = storage(&program, &["-s", "library", "-s", "copy"]);
    let number = |json: &Value, key: &str| json["total"][key].as_u64().unwrap();
    assert_eq!(number(&more, "items"), number(&expected, "items") + 1);
    assert_eq!(number(&more, "high"), number(&expected, "high") + 12);
}
