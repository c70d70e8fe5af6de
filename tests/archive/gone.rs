//! What is told of messages that are gone: since when, from where, what they said; and what came back.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use super::past::exported;
use crate::program::Program;
use crate::support::typedstream::AttributedString;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;
const SECOND: i64 = 1_000_000_000;

fn json(program: &Program, arguments: &[&str]) -> Value {
    let ran = program.run(&[&["history", "--json"], arguments].concat()).with_code(0);
    serde_json::from_str(&ran.out).unwrap()
}

/// What happened to a message, in order.
fn events(program: &Program, archive: &str, guid: &str) -> Vec<String> {
    let told = json(program, &[archive, "--message", guid]);
    let versions = told["versions"].as_array().unwrap();
    versions.iter().map(|version| version["what"].as_str().unwrap().to_owned()).collect()
}

/// (reason, date in seconds since 2001, whether it is gone, whether it came back) of what a message went through.
fn absences(archive: &Path, guid: &str) -> Vec<(String, i64, bool, bool)> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sql = "SELECT reason, a.date / 1000000000, gone IS NOT NULL, returned IS NOT NULL \
        FROM msgarchive_absence a JOIN message m ON m.ROWID = a.message WHERE guid = ?1 ORDER BY a.rowid";
    let mut statement = db.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    statement.query_map([guid], row).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// The GUIDs that the archive takes for deleted, with the reasons.
fn deleted(archive: &Path) -> Vec<String> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sql = "SELECT guid || ' ' || reason FROM msgarchive_deleted d JOIN message m ON m.ROWID = d.message ORDER BY 1";
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

fn is_whole(program: &Program, archive: &str) {
    program.run(&["verify", archive]).with_code(0);
}

/// A device purges Recently Deleted after a month: from then on the message is not there any more.
#[test]
fn what_recently_deleted_has_no_more_is_not_said_to_be_there() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    for guid in ["A", "B"] {
        mac.receive(guid, 0, START, guid);
    }
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    mac.recently_delete("A", START + DAY);
    mac.recently_delete("B", START + DAY);
    add(&archive, &[&mac.folder], START + DAY + 3600).unwrap();
    mac.remove("A", true, "deleted");
    let record = add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    let record: Value = serde_json::from_str(&record.text).unwrap();
    assert_eq!((&record["gone"], &record["absent"]["recently_deleted"]), (&1.into(), &0.into()));
    // START is 2023-03-08, 20:26:40 UTC.
    let messages = exported(&program, "now", &["--time-zone", "UTC"]);
    assert_eq!(messages[0]["deleted"]["reason"], "recently_deleted");
    assert!(
        messages[0]["deleted"]["gone"].as_str().unwrap().starts_with("2023-03-11T20:26:40"),
        "{}",
        messages[0]
    );
    assert_eq!(messages[1]["deleted"]["gone"], Value::Null);
    // Before that it was there.
    let before = exported(&program, "before", &["--as-of", "2023-03-10T12:00"]);
    assert_eq!(before[0]["deleted"]["gone"], Value::Null);
    program
        .run(&[
            "export",
            "-s",
            "archive",
            "-f",
            "txt",
            "-o",
            "txt",
            "--contacts",
            "none",
            "--time-zone",
            "UTC",
        ])
        .with_code(0);
    let text = tree::print(&program.path().join("txt"));
    let said =
        "Moved to Recently Deleted on 9 March 2023, 20:26:40; gone from there since 11 March 2023, 20:26:40";
    assert!(text.contains(said), "{text}");
    assert!(text.contains("Moved to Recently Deleted on 9 March 2023, 20:26:40"), "{text}");
    let gone = json(&program, &["archive", "--deleted", "--time-zone", "UTC"]);
    assert!(gone["messages"][0]["gone"].as_str().unwrap().starts_with("2023-03-11T20:26:40"), "{gone}");
    assert_eq!(gone["messages"][1]["gone"], Value::Null);
    let words = program.run(&["history", "archive", "--deleted", "--time-zone", "UTC"]).with_code(0).out;
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("2023-03-09 20:26 Deleted (gone from Recently Deleted 2023-03-11 20:26)"),
        "{words}"
    );
    assert_eq!(events(&program, "archive", "A"), ["added", "recently_deleted", "gone"]);
    let words = program.run(&["history", "archive", "--message", "A"]).with_code(0).out;
    assert!(words.contains("Gone from Recently Deleted"), "{words}");
    // An export is a source again.
    program.run(&["export", "-s", "now", "-f", "jsonl", "-o", "again", "--time-zone", "UTC"]).with_code(0);
    is_whole(&program, "archive");
}

/// What a run says of it.
#[test]
fn a_run_says_what_is_gone_and_what_came_back() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for guid in ["A", "B", "C"] {
        mac.receive(guid, 0, START, guid);
    }
    mac.tapback("LOVED", "C", 2000, START + 10);
    mac.recently_delete("A", START + DAY);
    mac.recently_delete("B", START + DAY);
    let run = || program.run(&["archive", "archive", "-s", "mac", "--progress", "never"]).with_code(0).out;
    assert!(run().contains("2 moved to Recently Deleted"));
    mac.remove("A", true, "deleted");
    mac.restore("B");
    mac.tapback("LAUGHED", "C", 2003, START + 20);
    let words = run();
    for line in [
        "1 gone from Recently Deleted; kept here",
        "1 came back",
        "1 tapback that a later one replaced; kept here",
    ] {
        assert!(words.contains(line), "{line}: {words}");
    }
    assert!(!words.contains("deleted at the source"), "{words}");
    let last = json(&program, &["archive"])["runs"][1].clone();
    let counted = ["gone", "returned", "tapbacks_replaced"].map(|key| last[key].as_u64());
    assert_eq!((counted, &last["absent"]["deleted"]), ([Some(1); 3], &1.into()));
}

/// A setting that is not known is guessed; that a conversation was deleted is said.
#[test]
fn a_conversation_that_is_listed_as_deleted_did_not_go_by_its_age() {
    for (dated, expected) in [(true, "conversation_deleted"), (false, "aged_out")] {
        let folder = tempfile::tempdir().unwrap();
        let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
        let archive = folder.path().join("archive");
        for (guid, chat, days) in [("A", 0, 400), ("B", 0, 400), ("C", 2, 300), ("D", 2, 300)] {
            mac.receive(guid, chat, START - days * DAY, guid);
        }
        add(&archive, &[&mac.folder], START).unwrap();
        mac.delete_conversation(0);
        if dated {
            mac.run("UPDATE sync_deleted_chats SET timestamp = ?1", [(START + DAY) * SECOND]);
        }
        add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
        assert_eq!(deleted(&archive), ["A", "B"].map(|guid| format!("{guid} {expected}")), "{dated}");
    }
}

/// What another archive knows of a deletion is followed: recovered, deleted again, purged.
#[test]
fn a_second_deletion_comes_to_an_archive_of_an_archive() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let [one, two] = ["one", "two"].map(|name| program.path().join(name));
    mac.receive("A", 0, START, "a");
    mac.receive("B", 0, START, "b");
    let feed = |mac: &Device, night: i64, both: bool| {
        add(&one, &[&mac.folder], START + night * DAY).unwrap();
        both.then(|| add(&two, &[&one], START + night * DAY + 60).unwrap())
    };
    let absence = |date: i64, gone, returned| ("recently_deleted".to_owned(), START + date, gone, returned);
    feed(&mac, 0, true);
    mac.recently_delete("A", START + 100);
    feed(&mac, 1, true);
    assert_eq!(absences(&two, "A"), [absence(100, false, false)]);
    mac.restore("A");
    feed(&mac, 2, false);
    mac.recently_delete("A", START + 2 * DAY + 100);
    let counts = feed(&mac, 3, true).unwrap().counts;
    assert_eq!(counts.absent.values().sum::<u64>(), 1);
    let second = |gone| [absence(100, false, true), absence(2 * DAY + 100, gone, false)];
    assert_eq!(absences(&two, "A"), second(false));
    mac.remove("A", true, "deleted");
    feed(&mac, 5, true);
    assert_eq!(absences(&one, "A"), second(true));
    assert_eq!(absences(&two, "A"), second(true));
    let again = feed(&mac, 6, true).unwrap().counts;
    assert_eq!(again.absent.values().sum::<u64>(), 0);
    assert_eq!(absences(&two, "A"), second(true));
    is_whole(&program, "two");
}

/// Each message is told of once, with where it is gone and where it is still.
#[test]
fn what_several_sources_lost_is_told_once() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26.on_device());
    let archive = program.path().join("archive");
    for guid in ["A", "B", "C"] {
        mac.receive(guid, 0, START, guid);
        phone.receive(guid, 0, START, guid);
    }
    phone.receive("ELSE", 1, START, "so that row ids differ");
    add(&archive, &[&mac.folder, &phone.folder], START + 3600).unwrap();
    for device in [&mut mac, &mut phone] {
        device.remove("A", true, "deleted");
    }
    mac.remove("B", true, "deleted");
    phone.receive("NEWS", 1, START + DAY - 100, "so that it is of today");
    let record = add(&archive, &[&mac.folder, &phone.folder], START + DAY).unwrap();
    // Messages, however many sources lost them.
    assert_eq!(record.counts.absent.values().sum::<u64>(), 2);
    let told = json(&program, &["archive", "--deleted"]);
    let told = told["messages"].as_array().unwrap();
    let guids: Vec<&str> = told.iter().map(|message| message["guid"].as_str().unwrap()).collect();
    assert_eq!(guids, ["A", "B"]);
    let names = |list: &Value| -> Vec<String> {
        let paths = list.as_array().unwrap().iter();
        paths.map(|path| path.as_str().unwrap().rsplit('/').nth(1).unwrap().to_owned()).collect()
    };
    let from = |message: &Value| -> Vec<Value> {
        message["gone_from"].as_array().unwrap().iter().map(|lost| lost["source"].clone()).collect()
    };
    assert_eq!(names(&Value::from(from(&told[0]))), ["mac", "phone"]);
    assert_eq!((names(&told[0]["still_in"]).len(), &told[0]["elsewhere"]), (0, &false.into()));
    assert_eq!(names(&Value::from(from(&told[1]))), ["mac"]);
    assert_eq!(
        (names(&told[1]["still_in"]), &told[1]["elsewhere"]),
        (vec!["phone".to_owned()], &true.into())
    );
    let words = program.run(&["history", "archive", "--deleted"]).with_code(0).out;
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let path = |device: &Device| {
        let name = if device.folder.join("sms.db").exists() { "sms.db" } else { "chat.db" };
        device.folder.join(name).display().to_string()
    };
    assert!(words.contains(&format!("gone from {}, {}", path(&mac), path(&phone))), "{words}");
    assert!(words.contains(&format!("gone from {}; still in {}", path(&mac), path(&phone))), "{words}");
}

/// At the foot, where a long list ends: how many there are, by why.
#[test]
fn how_many_are_gone_is_said_by_their_reason() {
    let program = Program::new();
    program.run(&["archive", "archive", "--sample"]).with_code(0);
    let words = || program.run(&["history", "archive", "--deleted"]).with_code(0).out;
    let sum = |words: &str| words.split_once("\n\n").unwrap().1.to_owned();
    let of_sample = "Gone from a source, and kept here: 6 messages and tapbacks, 1 part of a message\n  \
        6 moved to Recently Deleted\n  1 moved to Recently Deleted: only a part of a message\n";
    assert_eq!(sum(&words()), of_sample);
    let db = Connection::open(program.path().join("archive/chat.db")).unwrap();
    db.execute_batch(
        "INSERT INTO msgarchive_absence (message, source, run, reason, date) \
         SELECT id, source, 1, CASE WHEN id % 3 = 0 THEN 'aged_out' ELSE 'conversation_deleted' END, 1 \
         FROM msgarchive_message WHERE id NOT IN (SELECT message FROM msgarchive_absence) ORDER BY id LIMIT 12",
    )
    .unwrap();
    let of_more = sum(&words());
    let lines: Vec<&str> = of_more.lines().collect();
    assert_eq!(lines[0], "Gone from a source, and kept here: 18 messages and tapbacks, 1 part of a message");
    let reasons = [
        "  8 deleted with their conversation",
        "  6 moved to Recently Deleted",
        "  4 removed by Keep Messages",
    ];
    assert_eq!(lines[1..4], reasons);
}

/// What its sender took back before it was deleted: the archive knows what that was.
#[test]
fn one_that_was_unsent_and_then_deleted_has_its_text() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    mac.receive("A", 0, START, "v1");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    mac.edit("A", START + 4000, "v2");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.unsend("A", START + DAY + 100);
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    mac.remove("A", true, "deleted");
    add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    let told = json(&program, &["archive", "--deleted"]);
    let told = &told["messages"][0];
    assert_eq!((&told["text"], &told["text_before"]), (&Value::Null, &"v2".into()));
    let words = program.run(&["history", "archive", "--deleted"]).with_code(0).out;
    assert!(words.contains("Before it was unsent: v2") && !words.contains("(no text)"), "{words}");
}

/// A backup that is never made anew, and read every night, does not say that a message is there still.
#[test]
fn a_copy_from_before_a_deletion_does_not_undo_it() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut old = Device::new(&program.path().join("old"), Schema::MACOS_26.on_device());
    let archive = program.path().join("archive");
    old.receive("ELSE", 1, START, "so that row ids differ");
    for guid in ["A", "B"] {
        mac.receive(guid, 0, START, guid);
        old.receive(guid, 0, START, guid);
    }
    add(&archive, &[&mac.folder, &old.folder], START + 3600).unwrap();
    mac.remove("A", true, "deleted");
    for night in [1, 2, 40] {
        add(&archive, &[&mac.folder, &old.folder], START + night * DAY).unwrap();
        assert_eq!(deleted(&archive), ["A deleted"], "night {night}");
    }
    assert_eq!(exported(&program, "now", &[])[0]["deleted"]["reason"], "deleted");
    let told = json(&program, &["archive", "--deleted"]);
    assert_eq!(told["messages"][0]["elsewhere"], false);
    // A copy that comes only now is of then all the same.
    let mut older = Device::new(&program.path().join("older"), Schema::MACOS_26.on_device());
    for number in 0..3 {
        older.receive(&format!("MORE-{number}"), 1, START - DAY, "so that row ids differ");
    }
    older.receive("A", 0, START, "A");
    add(&archive, &[&mac.folder, &older.folder], START + 41 * DAY).unwrap();
    assert_eq!(deleted(&archive), ["A deleted"]);
    // One that is alive, and has it still, does.
    old.receive("NEWS", 1, START + 42 * DAY - 100, "it was only off");
    add(&archive, &[&mac.folder, &old.folder], START + 42 * DAY).unwrap();
    assert_eq!(deleted(&archive), [""; 0]);
    let told = json(&program, &["archive", "--deleted"]);
    assert_eq!(told["messages"][0]["elsewhere"], true);
    // Then it was deleted, all the same.
    let then = exported(&program, "then", &["--as-of", "2023-03-12T12:00"]);
    assert_eq!(then[0]["deleted"]["reason"], "deleted");
    is_whole(&program, "archive");
}

/// A part that is deleted on its own, and recovered.
#[test]
fn a_part_that_was_recovered_is_shown_once() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    mac.receive("A", 0, START, "hello world");
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    let delete_part = |date: i64| {
        mac.run("UPDATE message SET text = 'world'", []);
        mac.run(
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text) \
             SELECT ?1, ROWID, 0, ?2, ?3 FROM message",
            params![mac.chats[0], date * SECOND, AttributedString::plain("hello ").encode()],
        );
    };
    let recover = || {
        mac.run("DELETE FROM recoverable_message_part", []);
        mac.run("UPDATE message SET text = 'hello world'", []);
    };
    let shown = |out: &str, more: &[&str]| -> (Vec<String>, Value) {
        let message = exported(&program, out, more).remove(0);
        let parts = message["parts"].as_array().unwrap().iter();
        (
            parts.map(|part| part["text"].as_str().unwrap().to_owned()).collect(),
            message["deleted"]["date"].clone(),
        )
    };
    delete_part(START + DAY);
    add(&archive, &[&mac.folder], START + DAY + 3600).unwrap();
    let (parts, date) = shown("deleted", &[]);
    assert_eq!(parts, ["world", "hello "]);
    assert!(date.is_string());
    recover();
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(shown("recovered", &[]), (vec!["hello world".to_owned()], Value::Null));
    let (parts, before) = shown("before", &["--as-of", "2023-03-10T12:00"]);
    assert_eq!((parts, before), (vec!["world".to_owned(), "hello ".to_owned()], date.clone()));
    is_whole(&program, "archive");
    // Deleted again: on another day.
    delete_part(START + 3 * DAY);
    add(&archive, &[&mac.folder], START + 3 * DAY + 3600).unwrap();
    let (parts, again) = shown("again", &[]);
    assert_eq!(parts, ["world", "hello "]);
    assert!(again.is_string() && again != date, "{again}");
    // Purged: it is not in the message, and stays here.
    mac.run("DELETE FROM recoverable_message_part", []);
    add(&archive, &[&mac.folder], START + 33 * DAY).unwrap();
    assert_eq!(shown("purged", &[]), (vec!["world".to_owned(), "hello ".to_owned()], again));
    is_whole(&program, "archive");
}

/// A part is purged from Recently Deleted after a month, as a whole message is; of two devices, once neither has it there.
#[test]
fn a_part_that_recently_deleted_has_no_more_is_not_said_to_be_there() {
    let program = Program::new();
    let [mut mac, mut phone] =
        ["mac", "phone"].map(|name| Device::new(&program.path().join(name), Schema::MACOS_26));
    let [archive, other] = ["archive", "other"].map(|name| program.path().join(name));
    let delete = |device: &Device| {
        device.run("UPDATE message SET text = 'world' WHERE guid = 'A'", []);
        device.run(
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text) \
             SELECT ?1, ROWID, 0, ?2, ?3 FROM message WHERE guid = 'A'",
            params![device.chats[0], (START + DAY) * SECOND, AttributedString::plain("hello ").encode()],
        );
    };
    let gone = |archive: &str, out: &str, more: &[&str]| -> Value {
        let arguments =
            ["export", "-s", archive, "-f", "jsonl", "-o", out, "--time-zone", "UTC", "--contacts", "none"];
        program.run(&[&arguments[..], more].concat()).with_code(0);
        let messages = super::messages(&program.path().join(out));
        let (_, message) = messages.iter().find(|(_, message)| message["guid"] == "A").unwrap();
        assert_eq!(message["deleted"]["part"], true, "{message}");
        message["deleted"]["gone"].clone()
    };
    let told = |archive: &str| {
        let told = json(&program, &[archive, "--deleted"]);
        let part = told["messages"].as_array().unwrap().iter().find(|message| !message["part"].is_null());
        part.unwrap()["gone"].clone()
    };
    mac.receive("A", 0, START, "hello world");
    phone.receive("A", 0, START, "hello world");
    add(&archive, &[&mac.folder, &phone.folder], START + 3600).unwrap();
    delete(&mac);
    delete(&phone);
    add(&archive, &[&mac.folder, &phone.folder], START + 2 * DAY).unwrap();
    add(&other, &[&archive], START + 2 * DAY + 3600).unwrap();
    assert_eq!((gone("archive", "deleted", &[]), told("archive")), (Value::Null, Value::Null));
    // The phone lost the whole message meanwhile.
    phone.remove("A", true, "deleted");
    mac.receive("NEWS", 1, START + 3 * DAY - 100, "so that it is known to have been on");
    add(&archive, &[&mac.folder, &phone.folder], START + 3 * DAY).unwrap();
    assert_eq!(gone("archive", "on one", &[]), Value::Null);
    mac.run("DELETE FROM recoverable_message_part", []);
    add(&archive, &[&mac.folder, &phone.folder], START + 33 * DAY).unwrap();
    // START is 2023-03-08, 20:26:40 UTC.
    let since = Value::from("2023-04-10T20:26:40+00:00");
    assert_eq!(gone("archive", "purged", &[]).as_str().unwrap()[..10], since.as_str().unwrap()[..10]);
    assert_eq!(told("archive").as_str().unwrap()[..10], since.as_str().unwrap()[..10]);
    assert_eq!(gone("archive", "before", &["--as-of", "2023-04-01T12:00"]), Value::Null);
    // One that knew of it hears that, and one that is made anew; whoever feeds whom.
    assert_eq!(gone("other", "elsewhere", &[]), Value::Null);
    let anew = program.path().join("anew");
    for day in [34, 35] {
        for into in [&other, &anew] {
            add(into, &[&archive], START + day * DAY).unwrap();
        }
        add(&archive, &[&other], START + day * DAY + 3600).unwrap();
        for name in ["archive", "other", "anew"] {
            assert!(gone(name, &format!("{name}-{day}"), &[]).is_string(), "{name}, {day}");
            is_whole(&program, name);
        }
    }
    let arguments =
        ["export", "-s", "archive", "-f", "txt", "-o", "words", "--time-zone", "UTC", "--contacts", "none"];
    program.run(&arguments).with_code(0);
    let words: String = tree::files(&program.path().join("words"))
        .into_iter()
        .filter(|(name, _)| name.ends_with(".txt"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = "A part of it was moved to Recently Deleted on 9 March 2023, 20:26:40; gone from there since";
    assert!(words.contains(said), "{words}");
}

/// A copy of an archive is this archive: what it knows of the past is no news here.
#[test]
fn a_copy_of_the_archive_brings_none_of_its_own_past() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let [archive, copy] = ["archive", "copy"].map(|name| program.path().join(name));
    for guid in ["A", "B", "C"] {
        mac.receive(guid, 0, START, guid);
    }
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    mac.remove("A", true, "deleted");
    mac.recently_delete("B", START + DAY);
    add(&archive, &[&mac.folder], START + DAY + 3600).unwrap();
    tree::copy(&archive, &copy);
    let before = absences(&archive, "A");
    for night in [2, 3] {
        let counts = add(&archive, &[&copy], START + night * DAY).unwrap().counts;
        assert_eq!((counts.added, counts.changed, counts.absent.len()), (0, 0, 0));
        assert_eq!(absences(&archive, "A"), before);
        assert_eq!(deleted(&archive), ["A deleted", "B recently_deleted"]);
        let told = json(&program, &["archive", "--deleted"]);
        assert_eq!(told["messages"].as_array().unwrap().len(), 2);
        assert_eq!(told["messages"][0]["elsewhere"], false);
    }
    // What the copy was told since, and this one was not, is news.
    mac.remove("C", true, "deleted");
    add(&copy, &[&mac.folder], START + 4 * DAY).unwrap();
    add(&archive, &[&copy], START + 5 * DAY).unwrap();
    assert_eq!(absences(&archive, "A"), before);
    assert_eq!(absences(&archive, "C").len(), 1);
    is_whole(&program, "archive");
}

/// Messages lists a part once for each chat that its message is in; not every system's table has all columns.
#[test]
fn a_deleted_part_is_told_once_whatever_its_table_has() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    mac.receive("A", 0, START, "hello world");
    mac.run(
        "INSERT INTO chat_message_join (chat_id, message_id, message_date) SELECT ?1, ROWID, date FROM message",
        [mac.chats[1]],
    );
    mac.run("UPDATE message SET text = 'world'", []);
    for chat in &mac.chats[..2] {
        mac.run(
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text) \
             SELECT ?1, ROWID, 0, ?2, ?3 FROM message",
            params![chat, (START + DAY) * SECOND, AttributedString::plain("hello ").encode()],
        );
    }
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    let parts = |archive: &str| -> Vec<(Value, Value)> {
        let told = json(&program, &[archive, "--deleted"]);
        let messages = told["messages"].as_array().unwrap().iter();
        messages.map(|message| (message["part"].clone(), message["text"].clone())).collect()
    };
    assert_eq!(parts("archive"), [(0.into(), "hello ".into())]);
    for column in ["part_text", "delete_date", "part_index"] {
        let other = program.path().join(format!("without-{column}"));
        tree::copy(&archive, &other);
        let db = Connection::open(other.join("chat.db")).unwrap();
        let left: Vec<&str> = ["chat_id", "message_id", "part_index", "delete_date", "part_text"]
            .into_iter()
            .filter(|own| *own != column)
            .collect();
        let left = left.join(", ");
        db.execute_batch(&format!(
            "CREATE TABLE parts_left AS SELECT {left} FROM recoverable_message_part; \
             DROP TABLE recoverable_message_part; ALTER TABLE parts_left RENAME TO recoverable_message_part;"
        ))
        .unwrap();
        drop(db);
        let told = parts(&format!("without-{column}"));
        assert_eq!(told.len(), 1, "{column}: {told:?}");
    }
}
