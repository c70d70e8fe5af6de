//! What a message answers, what a tapback hangs on, how a message was sent to appear and whether it went out.

use super::{Two, found};
use crate::support::{ChatId, HandleId, Library, MessageId, Schema, Tapback};

/// Two messages of Ana's, an answer to the first, and a heart on it; the owner's own last one.
fn talk(schema: Schema) -> Library {
    let mut library = Library::new(schema);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    library.message(chat).at("2024-05-01T10:00:00Z").text("shall we go?");
    library.message(chat).at("2024-05-01T10:01:00Z").text("or stay?").raw("is_sent", 0);
    library.message(chat).from_me().at("2024-05-01T10:02:00Z").text("yes").raw("is_sent", 1);
    library.message(chat).from_me().at("2024-05-01T10:03:00Z").tapback(MessageId(1), Tapback::Loved);
    library
}

/// The same; the owner's words answer the first message, and were sent loud.
fn answered() -> Library {
    let mut library = talk(Schema::MACOS_26);
    let at = "2024-05-01T10:04:00Z";
    library
        .message(ChatId(1))
        .from_me()
        .at(at)
        .text("let us go")
        .raw("is_sent", 1)
        .reply_to(MessageId(1))
        .effect("com.apple.MobileSMS.expressivesend.loud");
    library
}

const SECOND: &str = "(SELECT guid FROM message WHERE ROWID = 2)";

#[track_caller]
fn check(sql: &str, expect: &[&str]) {
    assert_eq!(found(&Two::changed(&answered(), sql).json(&[])), expect, "{sql}");
}

#[test]
fn a_heart_on_another_message_or_part_is_another() {
    let on = "UPDATE message SET associated_message_guid =";
    check(&format!("{on} 'p:0/' || {SECOND} WHERE ROWID = 4"), &["both target"]);
    check(&format!("{on} 'p:1/' || substr(associated_message_guid, 5) WHERE ROWID = 4"), &["both target"]);
    check(&format!("{on} 'p:0/0F0B3C7E-1111-4222-8333-ABCDEFABCDEF' WHERE ROWID = 4"), &["both target"]);
    // Nothing is said of which part it is, or in other letters.
    check(&format!("{on} substr(associated_message_guid, 5) WHERE ROWID = 4"), &[]);
    check(&format!("{on} 'bp:' || substr(associated_message_guid, 5) WHERE ROWID = 4"), &[]);
    check(&format!("{on} 'p:0/' || lower(substr(associated_message_guid, 5)) WHERE ROWID = 4"), &[]);
    // A row that hangs somewhere hangs on something.
    check(&format!("{on} '' WHERE ROWID = 4"), &[]);
    let object = Two::changed(&answered(), &format!("{on} 'p:0/' || {SECOND} WHERE ROWID = 4")).json(&[]);
    assert_eq!((&object["tapbacks"]["different"], &object["different"]), (&1.into(), &0.into()));
}

#[test]
fn an_answer_to_another_message_or_to_none_is_another() {
    let to = "UPDATE message SET thread_originator_guid =";
    check(&format!("{to} {SECOND} WHERE ROWID = 5"), &["both reply"]);
    check(&format!("{to} NULL, thread_originator_part = NULL WHERE ROWID = 5"), &["both reply"]);
    check(&format!("{to} {SECOND}, thread_originator_part = '0:0:8' WHERE ROWID = 3"), &["both reply"]);
    check("UPDATE message SET thread_originator_part = '1:0:4' WHERE ROWID = 5", &["both reply"]);
    check("UPDATE message SET thread_originator_part = '0:9223372036854775807:0' WHERE ROWID = 5", &[]);
    check("UPDATE message SET thread_originator_part = NULL WHERE ROWID = 5", &[]);
    check(&format!("{to} lower(thread_originator_guid) WHERE ROWID = 5"), &[]);
    // The message before it: no reply that people see.
    check(&format!("UPDATE message SET reply_to_guid = {SECOND}"), &[]);
}

#[test]
fn another_effect_is_another_and_when_it_was_played_is_not() {
    let effect = "UPDATE message SET expressive_send_style_id =";
    check(&format!("{effect} 'com.apple.messages.effect.CKEchoEffect' WHERE ROWID = 5"), &["both effect"]);
    check(&format!("{effect} NULL WHERE ROWID = 5"), &["both effect"]);
    check(&format!("{effect} 'com.example.new' WHERE ROWID = 1"), &["both effect"]);
    check(&format!("{effect} '' WHERE ROWID = 1"), &[]);
    check("UPDATE message SET time_expressive_send_played = 736000000000000000", &[]);
}

#[test]
fn what_failed_here_and_went_out_there_is_told_and_what_a_device_was_not_told_is_not() {
    let failed = "UPDATE message SET error = 22, is_sent = 0";
    check(&format!("{failed} WHERE ROWID = 3"), &["both error"]);
    check(&format!("{failed}, is_delivered = 1 WHERE ROWID = 3"), &["both error"]);
    // iCloud hands on the message, and not that it failed.
    let two = Two::changed(&answered(), &format!("{failed} WHERE ROWID = 3"));
    two.change("left", "UPDATE message SET is_sent = 0 WHERE ROWID = 3");
    assert_eq!(found(&two.json(&[])), [""; 0]);
    two.change("left", "UPDATE message SET date_delivered = 736000000000000000 WHERE ROWID = 3");
    assert_eq!(found(&two.json(&[])), ["both error"]);
    // Each device has a reason of its own.
    two.change("left", "UPDATE message SET error = 4, date_delivered = 0 WHERE ROWID = 3");
    assert_eq!(found(&two.json(&[])), [""; 0]);
    // What came could not be decrypted, or its attachment fetched: here.
    check("UPDATE message SET error = 27 WHERE ROWID = 1", &[]);
}

#[test]
fn systems_that_note_no_replies_and_effects_say_nothing_of_them() {
    let library = |schema| {
        let mut library = Library::new(schema);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        library.message(chat).at("2024-05-01T10:00:00Z").text("shall we go?");
        library.message(chat).from_me().at("2024-05-01T10:02:00Z").text("yes");
        library
    };
    let answers = "UPDATE message SET thread_originator_guid = (SELECT guid FROM message WHERE ROWID = 1) WHERE ROWID = 2";
    let loud = "UPDATE message SET expressive_send_style_id = 'com.apple.MobileSMS.expressivesend.loud'";
    for (old, change, expect) in [
        (Schema::MACOS_10_13, answers, &[][..]),
        (Schema::MACOS_10_13, loud, &["both effect", "both effect"]),
        (Schema::OSX_10_10, loud, &[]),
        (Schema::OSX_10_10, answers, &[]),
        (Schema::MACOS_13, answers, &["both reply"]),
    ] {
        let two = Two::of(&library(old), &library(Schema::MACOS_26));
        two.change("right", change);
        assert_eq!(found(&two.json(&[])), expect, "{change}");
        two.program.run(&["compare", "right", "left"]).with_code(if expect.is_empty() { 0 } else { 3 });
    }
}

#[test]
fn a_history_that_was_restored_under_new_guids_hangs_together_as_before() {
    let restored = "
        UPDATE message SET guid = '00000000-0000-4000-8000-00000000000' || ROWID WHERE ROWID IN (1, 2);
        UPDATE message SET associated_message_guid = 'p:0/00000000-0000-4000-8000-000000000001' WHERE ROWID = 4;
        UPDATE message SET thread_originator_guid = '00000000-0000-4000-8000-000000000001' WHERE ROWID = 5;";
    check(restored, &[]);
    // All rows have new ones, and some name what was there before.
    let everything = "UPDATE message SET guid = '00000000-0000-4000-8000-00000000000' || ROWID;";
    check(everything, &[]);
    let other =
        "UPDATE message SET thread_originator_guid = '00000000-0000-4000-8000-000000000002' WHERE ROWID = 5;";
    check(&format!("{restored} {other}"), &["both reply"]);
    check(&format!("{everything} {other}"), &["both reply"]);
}

#[test]
fn of_two_messages_that_say_the_same_in_a_second_each_is_its_own() {
    let mut library = answered();
    let at = "2024-05-01T10:00:00.7Z";
    library.message(ChatId(1)).from(HandleId(1)).at(at).text("shall we go?");
    let other =
        "UPDATE message SET associated_message_guid = 'p:0/' || (SELECT guid FROM message WHERE ROWID = 6)
        WHERE ROWID = 4";
    assert_eq!(found(&Two::changed(&library, other).json(&[])), ["both target"]);
}

/// What is fed from a library, or told by an export of it, is no other.
#[test]
fn archives_and_exports_of_a_library_differ_in_nothing() {
    let two = Two::of(&answered(), &answered());
    for side in ["left", "right"] {
        let sql = "UPDATE message SET error = 22, is_sent = 0 WHERE ROWID = 3";
        two.change(side, sql);
    }
    let program = &two.program;
    program.run(&["archive", "kept", "-s", "left", "--contacts", "none"]).with_code(0);
    program.run(&["export", "-s", "left", "-f", "jsonl", "-o", "told", "--contacts", "none"]).with_code(0);
    for side in ["kept", "told"] {
        program.run(&["compare", side, "right"]).with_code(0);
        program.run(&["compare", "right", side]).with_code(0);
    }
    two.change("right", &format!("UPDATE message SET thread_originator_guid = {SECOND} WHERE ROWID = 5"));
    two.change("right", "UPDATE message SET expressive_send_style_id = NULL");
    two.change("right", "UPDATE message SET error = 0, is_sent = 1");
    two.change(
        "right",
        &format!("UPDATE message SET associated_message_guid = 'p:0/' || {SECOND} WHERE ROWID = 4"),
    );
    for side in ["kept", "told"] {
        let out = program.run(&["compare", side, "right", "--json"]).with_code(3).out;
        let object = serde_json::from_str(&out).unwrap();
        assert_eq!(found(&object), ["both error", "both target", "both reply+effect"], "{side}");
    }
}

#[test]
fn a_terminal_shows_them_in_plain_words() {
    let sql = format!(
        "UPDATE message SET thread_originator_guid = {SECOND}, expressive_send_style_id = NULL WHERE ROWID = 5;
         UPDATE message SET error = 22, is_sent = 0, thread_originator_guid = '0F0B3C7E-1111-4222-8333-ABCDEFABCDEF',
             thread_originator_part = '1:0:4' WHERE ROWID = 3;
         UPDATE message SET associated_message_guid = 'p:0/' || {SECOND} WHERE ROWID = 4;"
    );
    let two = Two::changed(&answered(), &sql);
    let out = two.run(&[]).with_code(3).out;
    assert!(out.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{out}");
    insta::assert_snapshot!(out);
}
