//! What may stand on a side, and what may not.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use super::{Two, ana, counts, found, remove, text};
use crate::program::Program;
use crate::support::backup::{Layout, wrap};
use crate::support::{Library, Schema};

#[test]
fn a_mac_and_an_encrypted_backup() {
    let two = Two::changed(&ana(), &remove("4"));
    let book = two.program.path().join("AddressBook.sqlitedb");
    Connection::open(&book)
        .unwrap()
        .execute_batch(
            "CREATE TABLE ABPerson (ROWID INTEGER PRIMARY KEY, First TEXT, Last TEXT);
             CREATE TABLE ABMultiValue (UID INTEGER PRIMARY KEY, record_id INTEGER, property INTEGER, value TEXT);
             INSERT INTO ABPerson VALUES (1, 'Ana', 'Abbott');
             INSERT INTO ABMultiValue VALUES (1, 1, 3, '(202) 555-0143');",
        )
        .unwrap();
    let backup = two.program.path().join("backup");
    wrap(
        &two.program.path().join("right"),
        Some(&book),
        &backup,
        Layout { password: Some("secret"), ..Layout::default() },
    );
    let password = two.program.path().join("password");
    fs::write(&password, "secret\n").unwrap();
    let arguments = ["compare", "left", "backup", "--json", "--password-file", text(&password)];
    let ran = two.program.run(&arguments).with_code(3);
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(counts(&object), [3, 1, 0, 0]);
    // Names come from the book in the backup, for both.
    assert_eq!(object["conversations"][0]["title"], "Ana Abbott");
    let right = &object["right"];
    assert_eq!(
        (&right["kind"], &right["device"], &right["os"]),
        (&"backup".into(), &"Ana's iPhone".into(), &"18.1".into())
    );
    assert_eq!(
        (&right["encrypted"], &right["date"]),
        (&true.into(), &"2024-05-01T12:00:00.000000000+02:00".into())
    );
    assert!(two.program.left_in_tmp().is_empty());
}

#[test]
fn two_backups_with_two_passwords() {
    let two = Two::of(&ana(), &ana());
    for side in ["left", "right"] {
        let layout = Layout { password: Some(side), ..Layout::default() };
        wrap(
            &two.program.path().join(side),
            None,
            &two.program.path().join(format!("{side}-backup")),
            layout,
        );
        fs::write(two.program.path().join(format!("{side}-password")), side).unwrap();
    }
    let compare = |files: &[&str]| {
        let mut arguments = vec!["compare", "left-backup", "right-backup"];
        files.iter().for_each(|file| arguments.extend(["--password-file", file]));
        two.program.run(&arguments)
    };
    compare(&["left-password", "right-password"]).with_code(0);
    let ran = compare(&["left-password"]).with_code(1);
    assert!(ran.err.contains("not the password of the backup right-backup"), "{}", ran.err);
    let ran = compare(&["right-password", "left-password"]).with_code(1);
    assert!(ran.err.contains("not the password of the backup left-backup"), "{}", ran.err);
    compare(&[]).with_code(1);
}

#[test]
fn attachments_may_lie_elsewhere_than_beside_a_side() {
    let mut library = ana();
    let ben = library.handle("ben@example.com", "iMessage");
    let chat = library.direct(ben);
    let photo = library.attachment("photo.jpeg").bytes("a photo").id();
    library.message(chat).at("2024-05-08T10:00:00Z").text("look").attachment(photo);
    let two = Two::of(&library, &library);
    fs::rename(two.program.path().join("right/Attachments"), two.program.path().join("elsewhere")).unwrap();
    assert_eq!(found(&two.json(&[])), ["both attachment"]);
    fs::create_dir(two.program.path().join("moved")).unwrap();
    fs::rename(two.program.path().join("elsewhere"), two.program.path().join("moved/Attachments")).unwrap();
    two.run(&["--attachments-root", "left", "--attachments-root", "moved"]).with_code(0);
    let ran = two.run(&["--attachments-root", "moved"]).with_code(2);
    assert!(ran.err.contains("once for each, in their order"), "{}", ran.err);
}

/// Texts had no GUIDs then: they match by what they say.
#[test]
fn a_phone_of_another_time() {
    let mut library = Library::new(Schema::MACOS_27);
    let ana = library.handle("+12025550143", "SMS");
    let chat = library.direct(ana);
    library.message(chat).at("2011-05-01T10:00:00.25Z").text("hello");
    library.message(chat).from_me().at("2011-05-01T10:01:00Z").text("mine");
    library.message(chat).at("2014-05-01T10:00:00Z").text("again");
    let two = Two { program: Program::new() };
    library.write(&two.program.path().join("right"));
    let left = two.program.path().join("left");
    fs::create_dir(&left).unwrap();
    let old = Connection::open(left.join("sms.db")).unwrap();
    old.execute_batch(include_str!("../../fixtures/schema/ios-5.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO message (address, date, text, flags) VALUES
         ('(202) 555-0143', 1304244000, 'hello', 2), ('(202) 555-0143', 1304244060, 'mine', 3)",
    )
    .unwrap();
    old.close().unwrap();
    let object = two.json(&[]);
    assert_eq!((counts(&object), object["restored"].as_u64()), ([2, 0, 1, 0], Some(2)));
    assert_eq!(found(&object), ["right newer"]);
    assert_eq!(object["conversations"].as_array().unwrap().len(), 1);
}

#[test]
fn the_sample_can_stand_on_the_left() {
    let program = Program::new();
    msgarchive::sample::unpack(&program.path().join("copy")).unwrap();
    let arguments = ["compare", "--sample", "copy", "--contacts", "copy/contacts.vcf"];
    let ran = program.run(&arguments).with_code(0);
    assert!(ran.out.contains("(sample)"), "{}", ran.out);
    program.run(&["compare", "--sample", "copy", "copy"]).with_code(2);
}

#[test]
fn one_source_twice_is_a_mistake() {
    let two = Two::of(&ana(), &ana());
    for other in ["left", "left/chat.db", "./left/../left"] {
        let ran = two.program.run(&["compare", "left", other]).with_code(2);
        assert!(ran.err.contains("both sides are the same source"), "{}", ran.err);
        assert!(ran.err.contains("hint: name two different ones"), "{}", ran.err);
    }
    two.program.run(&["compare", "left"]).with_code(2);
    two.program.run(&["compare"]).with_code(2);
}

#[test]
fn what_is_no_source_is_said_to_be_none() {
    let two = Two::of(&ana(), &ana());
    let ran = two.program.run(&["compare", "left", "nowhere"]).with_code(1);
    assert!(ran.err.contains("there is nothing at nowhere"), "{}", ran.err);
    fs::write(two.program.path().join("notes.txt"), "hello").unwrap();
    let ran = two.program.run(&["compare", "notes.txt", "right"]).with_code(1);
    assert!(ran.err.contains("is not a Messages database but a text file"), "{}", ran.err);
    let ran = two.program.run(&["compare", "left", "."]).with_code(1);
    assert!(ran.err.contains("holds no chat.db"), "{}", ran.err);
}
