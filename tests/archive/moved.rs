//! Messages that are in one conversation, and then in another one: each is shown once, where it was put last.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use super::past::exported;
use super::vouched::as_of_an_earlier_program;
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// Which message is in which conversation: GUID → its titles.
fn placed(program: &Program, out: &str, more: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut placed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let messages = exported(program, out, more);
    let conversations = fs::read_to_string(program.path().join(out).join("conversations.jsonl")).unwrap();
    let conversations = conversations.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let titles: BTreeMap<String, Value> =
        conversations.map(|one| (one["id"].to_string(), one["title"].clone())).collect();
    for message in messages {
        let title = titles[&message["conversation"].to_string()].as_str().unwrap().to_owned();
        placed.entry(message["guid"].as_str().unwrap().to_owned()).or_default().push(title);
    }
    placed
}

fn device(program: &Program, name: &str) -> Device {
    Device::new(&program.path().join(name), Schema::MACOS_26)
}

fn go(device: &Device, guid: &str, from: i64, to: i64) {
    device.run(
        "UPDATE chat_message_join SET chat_id = ?3 WHERE chat_id = ?2 \
         AND message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
        rusqlite::params![guid, from, to],
    );
}

fn whole(program: &Program, archive: &str) {
    program.run(&["verify", archive, "--deep"]).with_code(0);
}

/// There, back and there again: at each time it was where it was; and in no list of what is gone.
#[test]
fn a_message_that_goes_and_comes_back() {
    let program = Program::new();
    let mut mac = device(&program, "mac");
    mac.receive("A", 2, START, "moves");
    mac.receive("B", 2, START + 1, "stays");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    let nights = [(3, 4), (4, 3), (3, 4)];
    for (day, (from, to)) in (1..).zip(nights) {
        go(&mac, "A", from, to);
        add(&archive, &[&mac.folder], START + day * DAY).unwrap();
        add(&archive, &[&mac.folder], START + day * DAY + 60).unwrap();
        let title = if to == 4 { "Boat" } else { "Harbor" };
        let now = placed(&program, &format!("now-{day}"), &[]);
        assert_eq!(now["A"], [title]);
        assert_eq!(now["B"], ["Harbor"]);
    }
    whole(&program, "archive");
    for (at, title) in [
        ("2023-03-09T00:00", "Harbor"),
        ("2023-03-10T00:00", "Boat"),
        ("2023-03-11T00:00", "Harbor"),
        ("2023-03-12T00:00", "Boat"),
    ] {
        assert_eq!(placed(&program, &format!("at-{at}"), &["--as-of", at])["A"], [title], "{at}");
    }
    assert!(program.run(&["history", "archive", "--deleted"]).with_code(0).out.contains("Nothing is gone"));
    let told = program.run(&["history", "archive", "--message", "A"]).with_code(0).out;
    assert!(told.contains("in Boat") && told.contains("it was in Harbor"), "{told}");
    let told = program.run(&["history", "archive", "--message", "A", "--json"]).with_code(0).out;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["then"]["title"], "Harbor");
    let told = program.run(&["history", "archive", "--message", "B", "--json"]).with_code(0).out;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["then"], Value::Null);
}

/// One device moved it, the other one follows some nights later: it is shown once all the time, where it was put last.
#[test]
fn two_devices_that_follow_one_another() {
    for order in [true, false] {
        let program = Program::new();
        let (mut mac, mut phone) = (device(&program, "mac"), device(&program, "phone"));
        phone.receive("PHONE", 0, START, "other row ids");
        for device in [&mut mac, &mut phone] {
            device.receive("A", 2, START + 1, "moves");
        }
        let archive = program.path().join("archive");
        let folders: Vec<&Path> = match order {
            true => vec![&mac.folder, &phone.folder],
            false => vec![&phone.folder, &mac.folder],
        };
        add(&archive, &folders, START + 3600).unwrap();
        go(&mac, "A", 3, 4);
        for day in 1..4 {
            if day == 3 {
                go(&phone, "A", 3, 4);
            }
            // Something else of it is news on the device that has not followed.
            phone.read("A", START + day * DAY);
            add(&archive, &folders, START + day * DAY).unwrap();
            assert_eq!(placed(&program, &format!("now-{day}"), &[])["A"], ["Boat"], "{order} {day}");
        }
        let db = Connection::open(archive.join("chat.db")).unwrap();
        let elsewhere: i64 =
            db.query_row("SELECT count(*) FROM msgarchive_elsewhere", [], |row| row.get(0)).unwrap();
        assert_eq!(elsewhere, 0, "{order}");
        whole(&program, "archive");
    }
}

/// Damage took the note that the phone has not followed: that it has the message elsewhere is no move of today.
#[test]
fn a_device_of_which_it_is_not_known_any_more_that_it_has_not_followed() {
    let notes = "DELETE FROM msgarchive_elsewhere;";
    let join =
        "DELETE FROM chat_message_join WHERE message_id = (SELECT ROWID FROM message WHERE guid = 'A');";
    let book = "DELETE FROM msgarchive_chat_message_join WHERE message_id = (SELECT ROWID FROM message WHERE guid = 'A');";
    for damage in [notes.to_owned(), format!("{notes}{join}"), format!("{notes}{join}{book}")] {
        let program = Program::new();
        let (mut mac, mut phone) = (device(&program, "mac"), device(&program, "phone"));
        phone.receive("PHONE", 0, START, "other row ids");
        mac.receive("A", 2, START + 1, "moves");
        phone.receive("A", 2, START + 1, "moves");
        let archive = program.path().join("archive");
        let both = [&*mac.folder, &*phone.folder];
        add(&archive, &both, START + 3600).unwrap();
        go(&mac, "A", 3, 4);
        add(&archive, &both, START + DAY).unwrap();
        Connection::open(archive.join("chat.db")).unwrap().execute_batch(&damage).unwrap();
        program.run(&["verify", "archive"]).with_code(3);
        phone.read("A", START + 2 * DAY);
        add(&archive, &both, START + 2 * DAY).unwrap();
        assert_eq!(placed(&program, "now", &[])["A"], ["Boat"], "{damage}");
        whole(&program, "archive");
        // It follows.
        go(&phone, "A", 3, 4);
        add(&archive, &both, START + 3 * DAY).unwrap();
        assert_eq!(placed(&program, "then", &[])["A"], ["Boat"], "{damage}");
        whole(&program, "archive");
    }
}

/// Damage took one of the two conversations of a message, and with that the note of where devices have others.
#[test]
fn of_a_message_in_two_conversations_the_one_that_is_lost_comes_back() {
    for in_both in [&["mac", "phone"][..], &["mac"], &["phone"]] {
        let program = Program::new();
        let (mut mac, mut phone) = (device(&program, "mac"), device(&program, "phone"));
        phone.receive("PHONE", 0, START, "other row ids");
        for (device, name) in [(&mut mac, "mac"), (&mut phone, "phone")] {
            device.receive("A", 2, START + 1, "moves");
            device.receive("B", 2, START + 2, "in two conversations");
            if in_both.contains(&name) {
                device.run(
                    "INSERT INTO chat_message_join (chat_id, message_id, message_date) \
                     SELECT 4, ROWID, date FROM message WHERE guid = 'B'",
                    [],
                );
            }
        }
        let archive = program.path().join("archive");
        let mut both = [&*mac.folder, &*phone.folder];
        if in_both == ["phone"] {
            both.reverse();
        }
        add(&archive, &both, START + 3600).unwrap();
        go(&mac, "A", 3, 4);
        add(&archive, &both, START + DAY).unwrap();
        let is_shown = |out: &str| placed(&program, out, &[]).remove("B").unwrap_or_default();
        assert_eq!(is_shown("before"), ["Boat", "Harbor"], "{in_both:?}");
        let of = "chat_id = (SELECT ROWID FROM chat WHERE display_name = 'Boat') \
             AND message_id = (SELECT ROWID FROM message WHERE guid = 'B')";
        let db = Connection::open(archive.join("chat.db")).unwrap();
        let lost = ["chat_message_join", "msgarchive_chat_message_join"]
            .map(|table| format!("DELETE FROM {table} WHERE {of};"));
        db.execute_batch(&format!("DELETE FROM msgarchive_elsewhere; {}", lost.concat())).unwrap();
        program.run(&["verify", "archive"]).with_code(3);
        for night in 2..4 {
            add(&archive, &both, START + night * DAY).unwrap();
            assert_eq!(is_shown(&format!("after-{night}")), ["Boat", "Harbor"], "{in_both:?}");
            assert_eq!(placed(&program, &format!("A-{night}"), &[])["A"], ["Boat"], "{in_both:?}");
        }
        whole(&program, "archive");
    }
}

/// A device that has it elsewhere from the start takes it from nobody; once it is the only one that has it, it counts.
#[test]
fn a_device_that_has_it_elsewhere() {
    let program = Program::new();
    let (mut mac, mut phone) = (device(&program, "mac"), device(&program, "phone"));
    phone.receive("PHONE", 0, START, "other row ids");
    mac.receive("A", 2, START + 1, "in two groups");
    mac.receive("B", 2, START + 2, "so that there is something left");
    phone.receive("A", 3, START + 1, "in two groups");
    let archive = program.path().join("archive");
    let both = [&*mac.folder, &*phone.folder];
    for day in 1..4 {
        phone.read("A", START + day * DAY);
        add(&archive, &both, START + day * DAY).unwrap();
        assert_eq!(placed(&program, &format!("now-{day}"), &[])["A"], ["Harbor"], "{day}");
    }
    // It is gone with its conversation, where the phone has it.
    phone.run("DELETE FROM message WHERE guid = 'A'", []);
    phone.run("DELETE FROM chat_message_join WHERE chat_id = 4", []);
    phone.run("DELETE FROM chat_handle_join WHERE chat_id = 4", []);
    phone.run("DELETE FROM chat WHERE ROWID = 4", []);
    add(&archive, &both, START + 4 * DAY).unwrap();
    let gone: String = Connection::open(archive.join("chat.db"))
        .unwrap()
        .query_row("SELECT reason FROM msgarchive_absence", [], |row| row.get(0))
        .unwrap();
    assert_eq!(gone, "conversation_deleted");
    whole(&program, "archive");
}

/// A library that was synced anew lies where the one before it lay: nobody reads that any more, and this one counts.
#[test]
fn a_library_that_took_the_place_of_another_one() {
    let program = Program::new();
    let mut mac = device(&program, "mac");
    mac.receive("A", 2, START + 1, "goes");
    mac.receive("B", 2, START + 2, "stays");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    fs::remove_dir_all(&mac.folder).unwrap();
    let mut mac = device(&program, "mac");
    mac.receive("NEW", 0, START + DAY, "so that the row ids are others");
    mac.receive("B", 2, START + 2, "stays");
    mac.receive("A", 3, START + 1, "goes");
    let record = add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(record.sources[0].source, 2, "another source");
    let now = placed(&program, "now", &[]);
    assert_eq!((&now["A"][..], &now["B"][..]), (&["Boat".to_owned()][..], &["Harbor".to_owned()][..]));
    assert_eq!(placed(&program, "then", &["--as-of", "2023-03-10T00:00"])["A"], ["Harbor"]);
    whole(&program, "archive");
}

/// Another archive hands on where its messages were; and a copy that has not noticed yet moves nothing back.
#[test]
fn archives_that_tell_of_it() {
    let program = Program::new();
    let mut mac = device(&program, "mac");
    mac.receive("A", 2, START, "moves");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    let before = program.path().join("before");
    tree::copy(&archive, &before);
    go(&mac, "A", 3, 4);
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let one = program.path().join("one");
    add(&one, &[&archive], START + 2 * DAY).unwrap();
    for name in ["archive", "one"] {
        if name == "archive" {
            add(&program.path().join(name), &[&before], START + 3 * DAY).unwrap();
        }
        let out = program.path().join(format!("of-{name}"));
        program.run(&["export", "-s", name, "-f", "jsonl", "-o", out.to_str().unwrap()]).with_code(0);
        let told = program.run(&["history", name, "--message", "A", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(
            (&told["message"]["title"], &told["then"]["title"]),
            (&"Boat".into(), &"Harbor".into()),
            "{name}"
        );
        whole(&program, name);
    }
}

/// An earlier program showed it in both conversations: mended once its source is read.
#[test]
fn an_archive_of_an_earlier_program() {
    let program = Program::new();
    let mut mac = device(&program, "mac");
    mac.receive("A", 2, START, "moves");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    // The program before this one left the first place in the table, and knew no other table of it.
    mac.run("INSERT INTO chat_message_join (chat_id, message_id, message_date) SELECT 4, ROWID, date FROM message", []);
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    assert_eq!(placed(&program, "both", &[])["A"].len(), 2);
    mac.run("DELETE FROM chat_message_join WHERE chat_id = 3", []);
    // That run has seen what the source has now, and left the rest there.
    let seen = program.path().join("seen");
    tree::copy(&archive, &seen);
    add(&seen, &[&mac.folder], START + 2 * DAY).unwrap();
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.execute("ATTACH ?1 AS seen", [seen.join("chat.db").to_str().unwrap()]).unwrap();
    db.execute_batch(
        "UPDATE msgarchive_sighting AS s SET fingerprint = n.fingerprint FROM seen.msgarchive_sighting n
           WHERE (n.kind, n.source, n.source_rowid) = (s.kind, s.source, s.source_rowid);
         DROP TABLE msgarchive_former_place; DROP TABLE msgarchive_elsewhere",
    )
    .unwrap();
    drop(db);
    as_of_an_earlier_program(&archive);
    assert_eq!(placed(&program, "still both", &[])["A"].len(), 2);
    for day in 3..5 {
        add(&archive, &[&mac.folder], START + day * DAY).unwrap();
    }
    assert_eq!(placed(&program, "once", &[])["A"], ["Boat"]);
    whole(&program, "archive");
}
