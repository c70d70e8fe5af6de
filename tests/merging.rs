//! Several sources as one history: each message once, and all that any of them knows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use msgarchive::sample;
use rusqlite::Connection;
use serde_json::Value;

use crate::program::{Program, Ran, ran};
use crate::support::backup::{Layout, wrap};
use crate::support::{Library, Schema, Tapback, tree};

const PASSWORD: &str = "correct horse";

fn run(program: &Program, arguments: &[&str]) -> Ran {
    ran(program.command(arguments).env("MSGARCHIVE_PASSWORD", PASSWORD).output().unwrap())
}

/// Exports sources, and gives the files of the export; with the manifest apart.
#[track_caller]
fn exported(program: &Program, sources: &[&str], formats: &str) -> (BTreeMap<String, Vec<u8>>, Value) {
    let mut arguments = vec!["export", "--contacts", "none", "--format", formats, "--out", "out"];
    sources.iter().for_each(|source| arguments.extend(["--source", source]));
    let ran = run(program, &arguments);
    assert!(matches!(ran.code, Some(0 | 3)), "{sources:?}: {ran:?}");
    let out = program.path().join("out");
    let mut files: BTreeMap<String, Vec<u8>> = tree::files(&out).into_iter().collect();
    fs::remove_dir_all(&out).unwrap();
    let manifest = serde_json::from_slice(&files.remove("manifest.json").unwrap()).unwrap();
    (files, manifest)
}

fn altered(folder: &Path, sql: &str) {
    Connection::open(folder.join("chat.db")).unwrap().execute_batch(sql).unwrap();
}

/// The messages of a source's only conversation, by text.
#[track_caller]
fn messages(program: &Program, sources: &[&str]) -> (BTreeMap<String, Value>, Value) {
    let (files, manifest) = exported(program, sources, "jsonl");
    let mut messages = BTreeMap::new();
    for (name, bytes) in
        files.iter().filter(|(name, _)| name.ends_with(".jsonl") && *name != "conversations.jsonl")
    {
        for line in String::from_utf8(bytes.clone()).unwrap().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            let text = message["text"].as_str().unwrap_or("-").to_owned();
            assert!(messages.insert(text.clone(), message).is_none(), "{name}: {text} twice");
        }
    }
    (messages, manifest)
}

fn written_twice(library: &Library) -> Program {
    let program = Program::new();
    for name in ["mac", "phone"] {
        let folder = program.path().join(name);
        fs::create_dir(&folder).unwrap();
        library.write(&folder);
    }
    program
}

fn same(got: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in expected {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (got, expected) = (text(&got[name]), text(bytes));
        for (got, expected) in got.lines().zip(expected.lines()) {
            assert_eq!(got, expected, "{what}: {name}");
        }
        assert!(got == expected, "{what}: {name}");
    }
}

/// The sample has everything that Messages knows.
#[test]
fn a_history_and_its_copy_are_that_history() {
    let program = Program::new();
    let library = program.path().join("mac");
    fs::create_dir(&library).unwrap();
    sample::unpack(&library).unwrap();
    wrap(
        &library,
        None,
        &program.path().join("phone"),
        Layout { password: Some(PASSWORD), ..Layout::default() },
    );
    let (alone, manifest) = exported(&program, &["mac"], "txt,csv");
    let (both, merged) = exported(&program, &["mac", "phone"], "txt,csv");
    same(&both, &alone, "both");
    let rows = |manifest: &Value, what: &str| manifest["rows"][what].as_u64().unwrap();
    assert_eq!(rows(&merged, "read"), 2 * rows(&manifest, "read"));
    for what in ["messages", "tapbacks", "votes", "updates"] {
        assert_eq!(rows(&merged, what), rows(&manifest, what), "{what}");
    }
    assert_eq!(
        rows(&merged, "duplicates"),
        rows(&manifest, "read") + 2 * rows(&manifest, "duplicates") - rows(&manifest, "duplicates")
    );
    let sources = merged["sources"].as_array().unwrap();
    assert_eq!((&sources[0]["kind"], &sources[1]["kind"]), (&"library".into(), &"backup".into()));
}

#[test]
fn what_either_lacks_comes_from_the_other() {
    let program = Program::new();
    for name in ["whole", "mac", "phone"] {
        let folder = program.path().join(name);
        fs::create_dir(&folder).unwrap();
        sample::unpack(&folder).unwrap();
    }
    let (whole, _) = exported(&program, &["whole"], "txt");
    let without = |rows: &str| {
        format!(
            "CREATE TEMP TABLE gone AS {rows};
             DELETE FROM chat_message_join WHERE message_id IN (SELECT ROWID FROM gone);
             DELETE FROM chat_recoverable_message_join WHERE message_id IN (SELECT ROWID FROM gone);
             DELETE FROM message WHERE ROWID IN (SELECT ROWID FROM gone);"
        )
    };
    let own = |third: i64| {
        format!("SELECT ROWID FROM message WHERE associated_message_guid IS NULL AND ROWID % 3 = {third}")
    };
    let hanging_on = |third: i64| {
        format!(
            "SELECT t.ROWID FROM message t JOIN message m ON t.associated_message_guid LIKE '%' || m.guid
                 WHERE t.associated_message_type BETWEEN 2000 AND 3999 AND m.ROWID IN ({})",
            own(third)
        )
    };
    // Of some messages one has what the other lacks; of others one has the tapbacks alone.
    altered(&program.path().join("mac"), &without(&own(0)));
    altered(&program.path().join("phone"), &without(&format!("{} UNION {}", own(1), hanging_on(0))));
    let (both, manifest) = exported(&program, &["mac", "phone"], "txt");
    same(&both, &whole, "both");
    assert!(manifest["rows"]["duplicates"].as_u64().unwrap() > 0);
    // Whichever comes first.
    same(&exported(&program, &["phone", "mac"], "txt").0, &whole, "the other way round");
}

#[test]
fn rows_that_were_restored_under_new_guids_are_known_by_what_they_say() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let first = library.message(chat).from(ana).text("first").id();
    library.message(chat).from_me().text("second").read("2030-01-01T00:00:00Z");
    library.message(chat).tapback(first, Tapback::Loved);
    library.message(chat).from(ana).text("only here");
    let program = written_twice(&library);
    altered(
        &program.path().join("phone"),
        "UPDATE message SET associated_message_guid = substr(associated_message_guid, 1, 4) || 'NEW' ||
             substr(associated_message_guid, 8) WHERE associated_message_guid IS NOT NULL;
         UPDATE message SET guid = 'NEW' || substr(guid, 4), date = date / 1000000000 * 1000000000,
             date_read = 0;
         UPDATE message SET guid = substr(guid, 1, 34) || 'XX', text = 'only there', attributedBody = NULL
             WHERE ROWID = (SELECT max(ROWID) FROM message);
         UPDATE chat_message_join SET message_date = (SELECT date FROM message WHERE ROWID = message_id);",
    );
    for (sources, place) in [(["mac", "phone"], [0, 1]), (["phone", "mac"], [1, 0])] {
        let (messages, manifest) = messages(&program, &sources);
        assert_eq!(messages.keys().collect::<Vec<_>>(), ["first", "only here", "only there", "second"]);
        assert_eq!(messages["first"]["tapbacks"].as_array().unwrap().len(), 1);
        assert_eq!(messages["first"]["source"]["in"], serde_json::json!([0, 1]));
        assert_eq!(messages["only here"]["source"]["in"], serde_json::json!([place[0]]));
        assert_eq!(messages["only there"]["source"]["in"], serde_json::json!([place[1]]));
        assert!(messages["second"]["date_read"].as_str().unwrap().starts_with("2030"));
        assert_eq!(manifest["rows"]["duplicates"], 3);
    }
}

#[test]
fn the_better_copy_of_an_attachment_is_taken() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for name in ["gone.jpg", "cut.jpg", "cloud.jpg"] {
        let picture = library.attachment(name).bytes(*b"all of its bytes").id();
        library.message(chat).from(ana).text(name).attachment(picture);
    }
    let program = written_twice(&library);
    let mac = program.path().join("mac");
    let file = |name: &str| {
        let files = tree::files(&mac).into_iter();
        mac.join(files.map(|(path, _)| path).find(|path| path.ends_with(name)).unwrap())
    };
    fs::remove_file(file("gone.jpg")).unwrap();
    fs::write(file("cut.jpg"), "all of").unwrap();
    fs::remove_file(file("cloud.jpg")).unwrap();
    altered(
        &mac,
        "UPDATE attachment SET ck_sync_state = 1, transfer_state = 0 WHERE transfer_name = 'cloud.jpg'",
    );
    for sources in [["mac", "phone"], ["phone", "mac"]] {
        let (files, manifest) = exported(&program, &sources, "jsonl");
        for name in ["gone.jpg", "cut.jpg", "cloud.jpg"] {
            let copy = files.iter().find(|(path, _)| path.ends_with(name)).unwrap();
            assert_eq!(copy.1, b"all of its bytes", "{name} of {sources:?}");
        }
        assert_eq!(manifest["attachments"]["copied"], 3);
        assert_eq!(manifest["attachments"]["referenced"], 3);
    }
}

#[test]
fn edits_and_unsent_words_of_either_side_are_kept() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let edited = library.message(chat).from(ana).text("as sent").edit_after(60, "as edited").id();
    let unsent = library.message(chat).from(ana).text("a secret").unsend_part_after(0, 60).id();
    let program = written_twice(&library);
    let (edited, unsent) = (library.message_guid(edited), library.message_guid(unsent));
    // The phone's backup is older than both.
    altered(
        &program.path().join("phone"),
        &format!(
            "UPDATE message SET message_summary_info = NULL, date_edited = 0, date_retracted = 0, attributedBody = NULL;
             UPDATE message SET text = 'as sent' WHERE guid = '{edited}';
             UPDATE message SET text = 'a secret' WHERE guid = '{unsent}';"
        ),
    );
    for sources in [["mac", "phone"], ["phone", "mac"]] {
        let (messages, _) = messages(&program, &sources);
        let by_guid = |guid: &str| messages.values().find(|message| message["guid"] == guid).unwrap();
        assert_eq!(by_guid(&edited)["text"], "as edited", "{sources:?}");
        assert_eq!(by_guid(&edited)["edits"].as_array().unwrap().len(), 2);
        assert_eq!(by_guid(&unsent)["unsent"], "all", "{sources:?}");
        assert_eq!(by_guid(&unsent)["text"], Value::Null, "{sources:?}");
        assert_eq!(by_guid(&unsent)["edits"][0]["text"], "a secret", "{sources:?}");
    }
}

/// One device has it that all of it was taken back, another one only a part, or nothing: all of it was. What that says still is
/// what it said before.
#[test]
fn what_was_unsent_as_a_whole_is_so_whichever_source_comes_first() {
    let library = |unsent: &[u32]| {
        let mut library = Library::new(Schema::MACOS_15);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let message = library.message(chat).from(ana).text("stays").text(" goes").part(1);
        let _ = (0..)
            .zip(unsent)
            .fold(message, |message, (nth, part)| message.unsend_part_after(*part, 60 + nth));
        library
    };
    for (less, text, part) in [(&[1][..], "stays", Value::Null), (&[], "stays goes", " goes".into())] {
        let program = Program::new();
        for (name, unsent) in [("mac", &[0, 1][..]), ("phone", less)] {
            fs::create_dir(program.path().join(name)).unwrap();
            library(unsent).write(&program.path().join(name));
        }
        let alone = messages(&program, &["phone"]).0;
        assert!(alone.contains_key(text), "{alone:?}");
        for sources in [["mac", "phone"], ["phone", "mac"]] {
            let (messages, _) = messages(&program, &sources);
            let message = messages.values().next().unwrap();
            assert_eq!((messages.len(), &message["unsent"]), (1, &"all".into()), "{message}");
            let said = |part: usize| {
                let mut edits = message["edits"].as_array().unwrap().iter();
                edits.find(|edit| edit["part"] == part).map_or(Value::Null, |edit| edit["text"].clone())
            };
            assert_eq!((said(0), said(1)), ("stays".into(), part.clone()), "{message}");
            let (files, _) = exported(&program, &sources, "txt");
            let told: String =
                files.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
            assert!(told.contains("stays"), "{told}");
        }
    }
}
