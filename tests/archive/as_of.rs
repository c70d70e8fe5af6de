//! An archive as it was, and the versions of its messages, where several sources tell of them.

use std::fs;

use msgarchive::source::contacts::Contact;
use rusqlite::Connection;
use serde_json::Value;

use super::device::{DAY, Device};
use super::past::{exported, exported_with};
use super::{add, add_naming};
use crate::program::Program;
use crate::support::{Library, Schema};

const START: i64 = 700_000_000;

/// What another source still has counts only if that source was read after the loss, and is of the time since: at the time
/// that is asked for, too.
#[test]
fn as_it_was_before_another_source_was_read_again() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "stays");
    mac.receive("B", 0, START + 1, "goes");
    let older = program.path().join("older");
    fs::create_dir(&older).unwrap();
    fs::copy(mac.folder.join("chat.db"), older.join("chat.db")).unwrap();
    mac.receive("C", 0, START + 2, "later");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder, &older], START + 3600).unwrap();
    mac.remove("B", true, "deleted");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let is_deleted =
        |out: &str, more: &[&str]| -> bool { !exported(&program, out, more)[1]["deleted"].is_null() };
    let then = ["--as-of", "2023-03-10T12:00"];
    assert!(is_deleted("before", &[]) && is_deleted("before-then", &then));
    add(&archive, &[&older], START + 4 * DAY).unwrap();
    assert!(is_deleted("as it was", &[]));
    let alive = Connection::open(older.join("chat.db")).unwrap();
    alive.execute("UPDATE message SET is_read = 1, date_read = 1 WHERE guid = 'A'", []).unwrap();
    add(&archive, &[&older], START + 5 * DAY).unwrap();
    assert!(!is_deleted("now", &[]));
    assert!(is_deleted("then", &then));
    // The records of the runs say when it was read; where one says nothing more, the others do.
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.execute("UPDATE msgarchive_run SET record = 'no record' WHERE run = 2", []).unwrap();
    let is_deleted = |out: &str| !exported_with(&program, 3, out, &then)[1]["deleted"].is_null();
    assert!(is_deleted("damaged"));
    db.execute("UPDATE msgarchive_run SET record = x'00' WHERE run = 1", []).unwrap();
    assert!(is_deleted("more damaged"));
}

/// A source that was not read by then had nothing then, though it lost since what it had.
#[test]
fn as_it_was_before_another_source_came_and_lost_it_too() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
    phone.receive("C", 0, START, "so that the row ids are others");
    for device in [&mut mac, &mut phone] {
        device.receive("A", 0, START + 1, "stays");
        device.receive("B", 0, START + 2, "goes");
    }
    let archive = program.path().join("archive");
    mac.recently_delete("B", START + 60);
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    let reason = |out: &str, more: &[&str]| -> Value {
        let messages = exported(&program, out, more);
        messages.iter().find(|message| message["guid"] == "B").unwrap()["deleted"]["reason"].clone()
    };
    assert_eq!(reason("that night", &[]), "recently_deleted");
    phone.receive("D", 0, START + 7200, "of the time since");
    let record = add(&archive, &[&mac.folder, &phone.folder], START + DAY).unwrap();
    assert_eq!(record.sources.len(), 2);
    phone.remove("B", true, "deleted");
    add(&archive, &[&mac.folder, &phone.folder], START + 2 * DAY).unwrap();
    assert_eq!(reason("that night, asked later", &["--as-of", "2023-03-08T23:00"]), "recently_deleted");
    // The night after the phone had it still, and that was of the time since.
    assert_eq!(reason("the night after", &["--as-of", "2023-03-09T23:00"]), Value::Null);
}

/// A part that was in Recently Deleted is shown once: before that, then, and after it was restored.
#[test]
fn a_part_that_was_deleted_and_restored() {
    let program = Program::new();
    let mac = program.path().join("mac");
    let night = |deleted: bool, at: i64| {
        let _ = fs::remove_dir_all(&mac);
        let mut library = Library::new(Schema::MACOS_26);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let message = library.message(chat).from(ana).at("2023-03-08T11:00:00Z").text("stays").text(" goes");
        if deleted {
            message.deleted_part(1, "2023-03-09T10:00:00Z");
        }
        library.write(&mac);
        add(&program.path().join("archive"), &[&mac], at).unwrap();
    };
    let shown = |out: &str, more: &[&str]| -> (Value, bool) {
        let messages = exported(&program, out, more);
        let message = messages.iter().find(|m| m["text"].to_string().contains("stays")).unwrap();
        (message["text"].clone(), message["deleted"].is_null())
    };
    let whole = |there| (Value::from("stays goes"), there);
    let (first, second) = (["--as-of", "2023-03-09T00:00"], ["--as-of", "2023-03-10T00:00"]);
    night(false, START + 3600);
    night(true, START + DAY);
    assert_eq!(shown("now", &[]), whole(false));
    assert_eq!(shown("first", &first), whole(true));
    night(false, START + 2 * DAY);
    assert_eq!(shown("restored", &[]), whole(true));
    assert_eq!(shown("first-restored", &first), whole(true));
    assert_eq!(shown("second-restored", &second), whole(false));
}

/// A message that went to another chat was where it was before; and one whose place was damaged has always been there.
#[test]
fn places_as_they_were() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "moves");
    mac.receive("B", 0, START, "stays");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    mac.run("UPDATE chat_message_join SET chat_id = 2 WHERE message_id = 1", []);
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.execute("DELETE FROM chat_message_join WHERE message_id = 2", []).unwrap();
    program.run(&["verify", "archive"]).with_code(3);
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    program.run(&["verify", "archive"]).with_code(0);
    let moved: i64 = db.query_row("SELECT sum(message) FROM msgarchive_moved", [], |row| row.get(0)).unwrap();
    assert_eq!(moved, 1);
    let guids = |out: &str, more: &[&str]| -> Vec<String> {
        let messages = exported(&program, out, more).into_iter();
        messages.map(|message| message["guid"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(guids("now", &[]), ["A", "B"]);
    assert_eq!(guids("then", &["--as-of", "2023-03-09T12:00"]), ["A", "B"]);
}

/// Who is read second may know more, or less, of what the first one had.
#[test]
fn versions_of_two_sources() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_15.on_device());
    phone.receive("ELSEWHERE", 1, START, "else");
    for device in [&mut mac, &mut phone] {
        device.receive("A", 0, START, "hello");
        device.receive("B", 0, START, "hi");
    }
    phone.read("A", START + 60);
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    add(&archive, &[&phone.folder], START + 2 * DAY).unwrap();
    mac.edit("A", START + 2 * DAY, "hello again");
    add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    mac.edit("B", START + 3 * DAY, "hi again");
    phone.edit("B", START + 4 * DAY, "hi for good");
    add(&archive, &[&mac.folder, &phone.folder], START + 5 * DAY).unwrap();
    let versions = |guid: &str| -> Vec<String> {
        let told = program.run(&["history", "archive", "--json", "--message", guid]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let version = |version: &Value| {
            let run = version["run"].as_str().unwrap();
            let source = version["source"].as_str().unwrap().rsplit('/').nth(1).unwrap();
            let shown = if version["shown"] == true { ", shown" } else { "" };
            format!("{}: {} ({source}{shown})", &run[run.len() - 1..], version["what"].as_str().unwrap())
        };
        told["versions"].as_array().unwrap().iter().map(version).collect()
    };
    assert_eq!(versions("A"), ["1: added (mac)", "2: read (phone)", "3: edited (mac, shown)"]);
    assert_eq!(versions("B"), ["1: added (mac)", "4: edited (mac)", "4: edited (phone, shown)"]);
}

/// People are named as they were named then; who had no name yet gets the first one.
#[test]
fn names_as_they_were() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "one");
    mac.receive("B", 1, START, "two");
    let archive = program.path().join("archive");
    let card = |name: &str, email: &str, phone: &str| Contact {
        person: name.into(),
        name: name.into(),
        full_name: true,
        rank: 0,
        is_me: false,
        phones: vec![phone.into()],
        emails: vec![email.into()],
    };
    let ana = |name: &str| card(name, "ana@example.com", "+12025550143");
    let bo = card("Bo Beck", "bo@example.com", "+12025550199");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    add_naming(&archive, &[&mac.folder], &[ana("Ana Abbott"), bo], START + DAY).unwrap();
    add_naming(&archive, &[&mac.folder], &[ana("Ana Baker")], START + 2 * DAY).unwrap();
    let titles = |more: &[&str]| -> Vec<String> {
        let json = program.run(&[&["list", "-s", "archive", "--json"], more].concat()).with_code(0).out;
        let listed: Value = serde_json::from_str(&json).unwrap();
        let conversations = listed["conversations"].as_array().unwrap().iter();
        let mut titles: Vec<String> =
            conversations.map(|c| c["title"].as_str().unwrap().to_owned()).collect();
        titles.sort();
        titles
    };
    assert_eq!(titles(&[]), ["Ana Baker", "Bo Beck"]);
    assert_eq!(titles(&["--as-of", "2023-03-10T12:00"]), ["Ana Abbott", "Bo Beck"]);
    assert_eq!(titles(&["--as-of", "2023-03-09T12:00"]), ["Ana Abbott", "Bo Beck"]);
}

/// Programs that mend libraries give rows negative row ids; what was lost later was there all the same.
#[test]
fn as_it_was_where_row_ids_are_negative() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (number, guid) in ["A", "B", "C", "D"].into_iter().enumerate() {
        mac.receive(guid, 0, START + number as i64, guid);
    }
    for row in [1, 2] {
        mac.db
            .execute_batch(&format!(
                "PRAGMA foreign_keys = OFF; UPDATE message SET ROWID = -ROWID WHERE ROWID = {row};
                 UPDATE chat_message_join SET message_id = -message_id WHERE message_id = {row};"
            ))
            .unwrap();
    }
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    mac.remove("C", true, "deleted");
    mac.remove("D", true, "deleted");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let deleted = |out: &str, more: &[&str]| -> Vec<bool> {
        exported(&program, out, more).iter().map(|message| !message["deleted"].is_null()).collect()
    };
    assert_eq!(deleted("now", &[]), [false, false, true, true]);
    assert_eq!(deleted("then", &["--as-of", "2023-03-09T12:00"]), [false; 4]);
}

/// A device whose library is downloaded anew takes its own place, but not before that.
#[test]
fn as_it_was_before_a_source_took_the_place_of_another_one() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    for device in [&mut mac, &mut phone] {
        for (guid, at) in [("A", 0), ("B", 1), ("C", 2)] {
            device.receive(guid, 0, START + at, guid);
        }
        device.recently_delete("A", START + 60);
    }
    add(&archive, &[&mac.folder, &phone.folder], START + 3600).unwrap();
    mac.remove("A", true, "deleted");
    add(&archive, &[&mac.folder, &phone.folder], START + DAY).unwrap();
    let was = exported(&program, "was", &[]);
    assert_eq!(was[0]["deleted"]["gone"], Value::Null);
    fs::remove_dir_all(&phone.folder).unwrap();
    let mut anew = Device::new(&phone.folder, Schema::MACOS_26);
    for (guid, at) in [("C", 2), ("B", 1), ("D", DAY)] {
        anew.receive(guid, 0, START + at, guid);
    }
    add(&archive, &[&mac.folder, &anew.folder], START + 4 * DAY).unwrap();
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sources: i64 = db.query_row("SELECT count(*) FROM msgarchive_source", [], |row| row.get(0)).unwrap();
    assert_eq!(sources, 3);
    assert_eq!(exported(&program, "then", &["--as-of", "2023-03-10T12:00"]), was);
}

/// A device that was read all along, and got a message only after another one had lost it, did not have it before.
#[test]
fn as_it_was_before_a_message_came_to_another_device_and_went_there_too() {
    let program = Program::new();
    let [mut mac, mut phone] =
        ["mac", "phone"].map(|name| Device::new(&program.path().join(name), Schema::MACOS_26));
    let archive = program.path().join("archive");
    for device in [&mut mac, &mut phone] {
        device.receive("A", 0, START, "stays");
    }
    phone.receive("B", 0, START + 1, "goes");
    phone.receive("C", 0, START + 2, "goes to Recently Deleted");
    let mut beat = 0;
    let mut night = |mac: &mut Device, phone: &mut Device| {
        beat += 1;
        for device in [&mut *mac, &mut *phone] {
            device.receive(&format!("NEWS-{beat}"), 1, START + beat * DAY - 600, "so that it is of today");
        }
        add(&archive, &[&mac.folder, &phone.folder], START + beat * DAY).unwrap();
    };
    night(&mut mac, &mut phone);
    phone.remove("B", true, "deleted");
    phone.remove("C", true, "deleted");
    night(&mut mac, &mut phone);
    mac.receive("B", 0, START + 1, "goes");
    mac.receive("C", 0, START + 2, "goes to Recently Deleted");
    night(&mut mac, &mut phone);
    let reasons = |out: &str, more: &[&str]| -> Vec<Value> {
        let messages = exported(&program, out, more);
        let of = |guid: &str| messages.iter().find(|message| message["guid"] == guid).unwrap();
        ["B", "C"].map(|guid| of(guid)["deleted"]["reason"].clone()).to_vec()
    };
    let there = [Value::Null, Value::Null];
    assert_eq!(reasons("on the other one", &[]), there);
    mac.remove("B", true, "deleted");
    mac.recently_delete("C", START + 3 * DAY + 600);
    night(&mut mac, &mut phone);
    mac.remove("C", true, "deleted");
    night(&mut mac, &mut phone);
    // START is 2023-03-08, 20:26:40 UTC; the nights begin with the next day.
    let as_of =
        |day: i64| reasons(&format!("then {day}"), &["--as-of", &format!("2023-03-{:02}T23:00", 8 + day)]);
    assert_eq!(as_of(1), there);
    assert_eq!(as_of(2), ["deleted", "deleted"]);
    assert_eq!(as_of(3), there);
    assert_eq!(as_of(4), ["deleted", "recently_deleted"]);
    // It comes back, and goes again.
    mac.receive("B", 0, START + 1, "goes");
    night(&mut mac, &mut phone);
    mac.remove("B", true, "deleted");
    night(&mut mac, &mut phone);
    assert_eq!(as_of(2)[0], "deleted");
    assert_eq!(as_of(3)[0], Value::Null);
    assert_eq!(as_of(5)[0], "deleted");
    assert_eq!(as_of(6)[0], Value::Null);
    assert_eq!(as_of(7)[0], "deleted");
    program.run(&["verify", "archive", "--deep"]).with_code(0);
}
