//! Two copies of one message that contradict each other: each thing in which they do has its word, and what two devices of
//! one owner only write down differently has none.

use std::fs;

use serde_json::Value;

use super::{Two, ana, counts, found, text};
use crate::support::{ChatId, Library, MessageId, Schema, Tapback};

#[track_caller]
fn check(library: &Library, sql: &str, expect: &[&str]) {
    let object = Two::changed(library, sql).json(&[]);
    assert_eq!(found(&object), expect, "{sql}");
}

/// Ana and Ben talk with the owner.
fn group() -> Library {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let ben = library.handle("ben@example.com", "iMessage");
    let chat = library.group(&[ana, ben], "Family");
    library.message(chat).from(ana).at("2024-05-01T10:00:00.5Z").text("I did not do it");
    library.message(chat).from_me().at("2024-05-02T10:00:00.5Z").text("nor did I");
    library.message(chat).from(ben).at("2024-05-03T10:00:00.5Z").text("bye");
    library
}

#[test]
fn who_when_what_and_how_are_told_apart() {
    for (sql, expect) in [
        ("UPDATE message SET is_from_me = 1, handle_id = 0, is_read = 1 WHERE ROWID = 1", "both sender"),
        ("UPDATE message SET is_from_me = 0, handle_id = 1, is_read = 1 WHERE ROWID = 2", "both sender"),
        ("UPDATE message SET handle_id = 2 WHERE ROWID = 1", "both sender"),
        ("UPDATE message SET handle_id = 0 WHERE ROWID = 1", "both sender"),
        ("UPDATE message SET date = date + 86400000000000 WHERE ROWID = 1", "both date"),
        ("UPDATE message SET date = date + 1000000000 WHERE ROWID = 1", "both date"),
        ("UPDATE message SET date = 0 WHERE ROWID = 1", "both date"),
        ("UPDATE message SET subject = 'S' WHERE ROWID = 1", "both subject"),
        ("UPDATE message SET service = 'SMS' WHERE ROWID = 1", "both service"),
        ("UPDATE message SET service = 'RCS' WHERE ROWID = 1", "both service"),
        ("UPDATE message SET text = 'I did it', attributedBody = NULL WHERE ROWID = 1", "both text"),
        ("UPDATE message SET text = NULL, attributedBody = NULL WHERE ROWID = 1", "both text"),
        (
            "UPDATE message SET text = 'I did it', attributedBody = NULL, is_from_me = 1 WHERE ROWID = 1",
            "both sender+text",
        ),
    ] {
        check(&group(), sql, &[expect]);
    }
}

#[test]
fn what_devices_write_down_differently_is_no_difference() {
    for sql in [
        // Before High Sierra, and restored: whole seconds.
        "UPDATE message SET date = date / 1000000000 * 1000000000",
        "UPDATE message SET date = date / 1000000000",
        // Rounded, and not cut off.
        "UPDATE message SET date = date + 500000000",
        // Another handle row, another spelling, another service of one number.
        "INSERT INTO handle (ROWID, id, service) VALUES (50, '+12025550143', 'SMS');
         UPDATE message SET handle_id = 50 WHERE ROWID = 1",
        "UPDATE handle SET id = '(202) 555-0143', country = 'us' WHERE ROWID = 1",
        "UPDATE handle SET id = 'Ben@Example.COM' WHERE ROWID = 2",
        // In a conversation of two, and in groups.
        "UPDATE message SET handle_id = 2 WHERE ROWID = 2",
        "UPDATE message SET service = 'iMessageLite'",
        "UPDATE message SET service = 'imessage'",
        "UPDATE message SET service = NULL",
        "UPDATE message SET service = 'any'",
        "UPDATE message SET subject = ''",
        "UPDATE message SET text = 'I did not do it ', attributedBody = NULL WHERE ROWID = 1",
        "UPDATE message SET account = 'P:+12025550100', destination_caller_id = '+12025550100' WHERE ROWID = 1",
        "UPDATE message SET is_delivered = 1, is_sent = 1, error = 0, date_delivered = 1",
        "UPDATE message SET ROWID = ROWID + 50; UPDATE chat_message_join SET message_id = message_id + 50",
    ] {
        check(&group(), sql, &[]);
    }
}

#[test]
fn two_addresses_of_one_person_are_one_sender() {
    let library = |address: &str| {
        let mut library = Library::new(Schema::MACOS_26);
        let ana = library.handle(address, "iMessage");
        let ben = library.handle("ben@example.com", "iMessage");
        let chat = library.group(&[ana, ben], "Family");
        library.message(chat).from(ana).at("2024-05-01T10:00:00Z").text("hello");
        library
    };
    let two = Two::of(&library("+12025550143"), &library("ana@example.com"));
    let card =
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ana Abbott\nTEL:+1 (202) 555-0143\nEMAIL:ANA@example.com\nEND:VCARD\n";
    let cards = two.program.path().join("cards.vcf");
    fs::write(&cards, card).unwrap();
    assert_eq!(found(&two.json(&[])), ["both sender"], "nothing says that it is one person");
    assert_eq!(found(&two.json(&["--contacts", text(&cards)])), [""; 0]);
}

#[test]
fn an_edit_is_one_only_where_somebody_notes_it() {
    let library = |first: &str, edits: &[&str]| {
        let mut library = Library::new(Schema::MACOS_26);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let message = library.message(chat).at("2024-05-01T10:00:00Z").text(first);
        (1..).zip(edits).fold(message, |message, (minute, text)| {
            message.edit(&format!("2024-05-01T10:0{minute}:00Z"), text)
        });
        library
    };
    for (left, right, expect) in [
        (library("lok", &["look"]), library("lok", &[]), "both edited"),
        (library("lok", &["look"]), library("lok", &["look", "look!"]), "both edited"),
        (library("lok", &["luck", "look"]), library("lok", &["look"]), "both edited"),
        (library("lok", &["look"]), library("leek", &["look"]), "both edited+text"),
        (library("lok", &["look"]), library("leek", &[]), "both edited+text"),
        (library("lok", &[]), library("leek", &[]), "both text"),
    ] {
        assert_eq!(found(&Two::of(&left, &right).json(&[])), [expect]);
    }
}

#[test]
fn what_is_scheduled_is_dated_anew_when_it_goes() {
    let later = "UPDATE message SET date = date + 86400000000000, schedule_type = 0, schedule_state = 0 WHERE ROWID = 2";
    let two = Two::changed(&group(), later);
    two.change("left", "UPDATE message SET schedule_type = 2, schedule_state = 1 WHERE ROWID = 2");
    assert_eq!(found(&two.json(&[])), [""; 0]);
}

#[test]
fn announcements_and_tapbacks_contradict_each_other_too() {
    let mut library = group();
    let chat = ChatId(1);
    let ana = crate::support::HandleId(1);
    library.message(chat).from(ana).at("2024-05-04T10:00:00Z").renamed("The family");
    library.message(chat).from(ana).at("2024-05-05T10:00:00Z").tapback(MessageId(2), Tapback::Loved);
    check(&library, "UPDATE message SET group_title = 'Others' WHERE ROWID = 4", &["both text"]);
    check(&library, "UPDATE message SET handle_id = 2 WHERE ROWID = 4", &["both sender"]);
    check(&library, "UPDATE message SET handle_id = 2 WHERE ROWID = 5", &["both sender"]);
    let back = "UPDATE message SET associated_message_type = 3000 WHERE ROWID = 5";
    check(&library, back, &["both unsent"]);
    let other = "UPDATE message SET associated_message_type = 2002 WHERE ROWID = 5";
    let two = Two::changed(&library, other);
    let object = two.json(&[]);
    assert_eq!((found(&object), counts(&object)), (vec!["both text".to_owned()], [4, 0, 0, 0]));
    assert_eq!(object["tapbacks"]["different"], 1);
    let out = two.run(&[]).with_code(3).out;
    assert!(
        out.contains("Both sides have the same messages; 1 tapback or vote that both have differs."),
        "{out}"
    );
}

fn with_pictures() -> Library {
    let mut library = group();
    let chat = ChatId(1);
    let red = library.attachment("red.png").bytes(*b"red!").id();
    let blue = library.attachment("blue.png").bytes(*b"blue").id();
    library.message(chat).at("2024-05-04T10:00:00Z").attachment(red).attachment(blue);
    library
}

/// The file of an attachment.
fn file(two: &Two, side: &str, name: &str) -> std::path::PathBuf {
    let mut folders = vec![two.program.path().join(side)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false if entry.file_name() == name => return entry.path(),
                false => {}
            }
        }
    }
    panic!("{name}")
}

#[test]
fn attachments_of_another_size_differ_and_of_other_bytes_where_they_are_read() {
    let two = Two::of(&with_pictures(), &with_pictures());
    fs::write(file(&two, "right", "red.png"), b"rot!").unwrap();
    assert_eq!(found(&two.json(&[])), [""; 0]);
    assert_eq!(found(&two.json(&["--deep"])), ["both bytes"]);
    let out = two.run(&["--deep"]).with_code(3).out;
    assert!(out.contains("red.png (4 bytes), blue.png (4 bytes): other bytes"), "{out}");
    fs::write(file(&two, "right", "red.png"), b"redder").unwrap();
    assert_eq!(found(&two.json(&[])), ["both bytes"]);
    let out = two.run(&[]).with_code(3).out;
    assert!(
        out.contains("bytes     left:  red.png (4 bytes)") && out.contains("right: red.png (6 bytes)"),
        "{out}"
    );
    // What the columns say of a file that is there is not its size.
    let two = Two::changed(&with_pictures(), "UPDATE attachment SET total_bytes = total_bytes + 1");
    assert_eq!(found(&two.json(&["--deep"])), [""; 0]);
}

#[test]
fn what_is_in_icloud_has_the_size_that_its_row_says() {
    let cloud =
        "UPDATE attachment SET filename = NULL, transfer_state = 0, ck_sync_state = 1, total_bytes = 1000;";
    let two = Two::changed(
        &with_pictures(),
        &format!("{cloud} UPDATE attachment SET total_bytes = 999 WHERE ROWID = 1"),
    );
    two.change("left", cloud);
    assert_eq!(found(&two.json(&[])), ["both bytes"]);
    two.change("right", "UPDATE attachment SET total_bytes = 0 WHERE ROWID = 1");
    assert_eq!(found(&two.json(&[])), [""; 0], "what is not known is no difference");
}

/// An archive knows the hashes of what it keeps.
#[test]
fn archives_compare_the_bytes_of_attachments_without_reading_them() {
    let two = Two::of(&with_pictures(), &with_pictures());
    fs::write(file(&two, "right", "red.png"), b"rot!").unwrap();
    for side in ["left", "right"] {
        let archive = format!("archive-{side}");
        two.program.run(&["archive", &archive, "-s", side, "--contacts", "none"]).with_code(0);
    }
    let compared = |sides: [&str; 2], more: &[&str], code| -> Value {
        let arguments = [&["compare", sides[0], sides[1], "--json"], more].concat();
        serde_json::from_str(&two.program.run(&arguments).with_code(code).out).unwrap()
    };
    assert_eq!(found(&compared(["archive-left", "archive-right"], &[], 3)), ["both bytes"]);
    assert_eq!(found(&compared(["archive-left", "left"], &["--deep"], 0)), [""; 0]);
    assert_eq!(found(&compared(["archive-left", "right"], &["--deep"], 3)), ["both bytes"]);
    assert_eq!(found(&compared(["archive-left", "right"], &[], 0)), [""; 0]);
}

#[test]
fn a_folder_is_not_the_file_of_that_name() {
    let two = Two::of(&with_pictures(), &with_pictures());
    let picture = file(&two, "right", "red.png");
    fs::remove_file(&picture).unwrap();
    fs::create_dir(&picture).unwrap();
    fs::write(picture.join("red.png"), b"red!").unwrap();
    assert_eq!(found(&two.json(&[])), ["both bytes"]);
}

/// Both values of each, in plain words.
#[test]
fn a_terminal_shows_what_both_sides_say() {
    let changes = [
        "handle_id = 2 WHERE ROWID = 1",
        "date = date + 86400000000000 WHERE ROWID = 1",
        "subject = 'Re' || char(10) || 'this', service = 'SMS' WHERE ROWID = 2",
        "text = 'never ' || char(27) || '[31m', attributedBody = NULL, is_read = 1 - is_read WHERE ROWID = 3",
    ];
    let sql: String = changes.iter().map(|change| format!("UPDATE message SET {change};")).collect();
    let two = Two::changed(&group(), &sql);
    let out = two.run(&[]).with_code(3).out;
    assert!(!out.contains('\u{1b}'), "{out:?}");
    assert!(out.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{out}");
    insta::assert_snapshot!(out);
}

#[test]
fn what_is_not_shown_is_counted() {
    let mut library = ana();
    for day in 1..=28 {
        library.message(ChatId(1)).at(&format!("2024-06-{day:02}T10:00:00Z")).text("x");
    }
    let two = Two::changed(&library, "UPDATE message SET subject = 'S'; UPDATE message SET is_read = 0");
    let out = two.run(&[]).with_code(3).out;
    assert!(out.contains("12 more messages differ: --json names all."), "{out}");
}
