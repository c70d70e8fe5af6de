//! Why messages are gone where they came from, where that is easily mistaken.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::Schema;
use crate::support::backup::{Layout, wrap};

const START: i64 = 700_000_000;

/// (reason, date in seconds since 2001) of what a message went through.
fn absences(archive: &Path, guid: &str) -> Vec<(String, i64)> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sql = "SELECT reason, a.date / 1000000000 FROM msgarchive_absence a JOIN message m ON m.ROWID = a.message \
        WHERE guid = ?1 ORDER BY a.rowid";
    let mut statement = db.prepare(sql).unwrap();
    let absences = statement.query_map([guid], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    absences.collect::<rusqlite::Result<_>>().unwrap()
}

/// Why each message is gone now.
fn reasons(archive: &Path) -> Vec<String> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sql = "SELECT guid || ' ' || reason FROM msgarchive_deleted d JOIN message m ON m.ROWID = d.message ORDER BY 1";
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn what_comes_back_into_recently_deleted() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    for guid in ["A", "B", "C"] {
        mac.receive(guid, 0, START, guid);
    }
    mac.recently_delete("B", START + 100);
    mac.recently_delete("C", START + 100);
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    // One was deleted for good, and is in Recently Deleted after all; one was restored there and deleted anew.
    mac.remove("A", true, "deleted");
    mac.restore("B");
    mac.recently_delete("B", START + DAY + 100);
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    mac.receive("A", 0, START, "A");
    mac.recently_delete("A", START + 2 * DAY + 100);
    for night in [3, 4] {
        add(&archive, &[&mac.folder], START + night * DAY).unwrap();
    }
    let absence = |reason: &str, date: i64| (reason.to_owned(), date);
    let of_a = [absence("deleted", START + 2 * DAY), absence("recently_deleted", START + 2 * DAY + 100)];
    assert_eq!(absences(&archive, "A"), of_a);
    let of_b = [100, DAY + 100].map(|after| absence("recently_deleted", START + after));
    assert_eq!(absences(&archive, "B"), of_b);
    assert_eq!(absences(&archive, "C"), [absence("recently_deleted", START + 100)]);
    let told = program.run(&["history", "archive", "--json", "--message", "A"]).with_code(0).out;
    let told: Value = serde_json::from_str(&told).unwrap();
    let whats: Vec<&str> = told["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["what"].as_str().unwrap())
        .collect();
    assert_eq!(whats, ["added", "deleted", "restored", "recently_deleted"]);
    program.run(&["verify", "archive"]).with_code(0);
}

/// A list of deleted chats stays for a while; a chat may be made anew meanwhile.
#[test]
fn a_conversation_that_was_deleted_and_made_anew() {
    for (timestamp, of_before) in [(Some(START + DAY), "conversation_deleted"), (None, "deleted")] {
        let folder = tempfile::tempdir().unwrap();
        let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
        let archive = folder.path().join("archive");
        mac.receive("BEFORE", 0, START, "before");
        mac.receive("ELSEWHERE", 1, START, "elsewhere");
        add(&archive, &[&mac.folder], START + 100).unwrap();
        mac.remove("BEFORE", true, "conversation_deleted");
        mac.run(
            "INSERT INTO sync_deleted_chats (guid, timestamp) SELECT guid, ?1 FROM chat WHERE ROWID = 1",
            params![timestamp.map(|seconds| seconds * 1_000_000_000)],
        );
        mac.receive("AFTER", 0, START + DAY + 100, "after");
        add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
        mac.remove("AFTER", true, "deleted");
        add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
        assert_eq!(reasons(&archive), ["AFTER deleted".to_owned(), format!("BEFORE {of_before}")]);
    }
}

/// A phone is restored, and has other row ids; what was deleted between that and the last night is told by its own list.
#[test]
fn what_was_deleted_on_the_day_of_a_restoration() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_26.on_device());
    let archive = folder.path().join("archive");
    for (at, guid) in ["EARLIER", "LISTED", "LOST", "HIDDEN", "STAYS"].into_iter().enumerate() {
        phone.receive(guid, 0, START + at as i64, guid);
    }
    add(&archive, &[&phone.folder], START + DAY).unwrap();
    phone.remove("EARLIER", true, "deleted");
    phone.recently_delete("HIDDEN", START + DAY);
    add(&archive, &[&phone.folder], START + 2 * DAY).unwrap();
    phone.remove("LISTED", true, "deleted");
    phone.remove("HIDDEN", true, "deleted");
    // The backup that it is restored from may be of before that one came.
    phone.remove("LOST", false, "unexplained");
    phone.be_restored();
    for night in 3..5 {
        let record = add(&archive, &[&phone.folder], START + night * DAY).unwrap();
        assert_eq!(record.sources[0].new, night == 3);
        let told = ["EARLIER deleted", "HIDDEN recently_deleted", "LISTED deleted"];
        assert_eq!(reasons(&archive), told);
        assert_eq!(record.counts.absent.values().sum::<u64>(), u64::from(night == 3));
    }
    // Another device that lists the same has never had it here.
    let mut other = Device::new(&folder.path().join("other"), Schema::MACOS_26.on_device());
    other.receive("OTHER", 0, START, "hello");
    other.run("INSERT INTO deleted_messages (guid) VALUES ('STAYS')", []);
    let record = add(&archive, &[&other.folder], START + 5 * DAY).unwrap();
    assert_eq!(record.counts.absent.len(), 0);
}

/// Of two phones of one name that are read together, neither is the other one.
#[test]
fn two_phones_of_one_name_are_not_one_that_was_restored() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let mut phones =
        ["one", "other"].map(|name| Device::new(&folder.path().join(name), Schema::MACOS_26.on_device()));
    phones[0].receive("HAS", 0, START, "hello");
    phones[1].receive("FIRST", 0, START, "hello");
    phones[1].run("INSERT INTO deleted_messages (guid) VALUES ('HAS')", []);
    let backups = ["backup-of-one", "backup-of-other"].map(|name| folder.path().join(name));
    for (phone, backup) in phones.iter().zip(&backups) {
        wrap(&phone.folder, None, backup, Layout::default());
    }
    add(&archive, &[&backups[0]], START + DAY).unwrap();
    let record = add(&archive, &[&backups[1], &backups[0]], START + 2 * DAY).unwrap();
    assert_eq!(record.sources[0].device, record.sources[1].device);
    assert!(record.sources[0].device.is_some() && record.sources[0].new);
    assert_eq!(record.counts.absent.len(), 0);
}

/// Why a message is deleted, and since when, as everything tells that does.
fn told_alike(program: &Program, archive: &str, guid: &str, text: &str) -> (String, String) {
    let out = format!("{archive}-{}", std::fs::read_dir(program.path()).unwrap().count());
    let arguments =
        ["export", "-s", archive, "-f", "jsonl", "-o", &out, "--contacts", "none", "--time-zone", "UTC"];
    program.run(&arguments).with_code(0);
    let messages = super::messages(&program.path().join(&out));
    let (_, message) = messages.iter().find(|(_, message)| message["guid"] == guid).unwrap();
    let read = |arguments: &[&str]| -> Value {
        serde_json::from_str(&program.run(arguments).with_code(0).out).unwrap()
    };
    let history = read(&["history", archive, "--deleted", "--json", "--time-zone", "UTC"]);
    let history =
        history["messages"].as_array().unwrap().iter().find(|message| message["guid"] == guid).unwrap();
    let search = read(&["search", archive, text, "--json"]);
    let both = |reason: &Value, date: &Value| {
        (reason.as_str().unwrap().to_owned(), date.as_str().unwrap()[..19].to_owned())
    };
    let told = both(&message["deleted"]["reason"], &message["deleted"]["date"]);
    assert_eq!(told, both(&history["reason"], &history["absent_since"]), "{history}");
    assert_eq!(search["hits"][0]["reason"], message["deleted"]["reason"], "{search}");
    if told.0 == "recently_deleted" {
        assert_eq!(message["deleted"]["gone"], history["gone"]);
    }
    told
}

/// One device deleted it for good, and another one has it in Recently Deleted, where it can be had again: whichever was later.
#[test]
fn what_can_be_recovered_somewhere_is_said_to_be_in_recently_deleted() {
    let program = Program::new();
    let [mut mac, mut phone] =
        ["mac", "phone"].map(|name| Device::new(&program.path().join(name), Schema::MACOS_26));
    let [archive, other] = ["archive", "other"].map(|name| program.path().join(name));
    phone.receive("ELSE", 1, START, "so that row ids differ");
    for device in [&mut mac, &mut phone] {
        device.receive("A", 0, START, "apples");
        device.receive("B", 0, START, "pears");
    }
    add(&archive, &[&mac.folder, &phone.folder], START + 3600).unwrap();
    mac.recently_delete("A", START + 7200);
    phone.remove("A", true, "deleted");
    mac.receive("NEWS", 1, START + DAY - 100, "so that it is of today");
    add(&archive, &[&mac.folder, &phone.folder], START + DAY).unwrap();
    add(&other, &[&archive], START + DAY + 3600).unwrap();
    // START is 2023-03-08, 20:26:40 UTC.
    let there = || ("recently_deleted".to_owned(), "2023-03-08T22:26:40".to_owned());
    for archive in ["archive", "other"] {
        assert_eq!(told_alike(&program, archive, "A", "apples"), there(), "{archive}");
    }
    let words = program.run(&["history", "archive", "--deleted"]).with_code(0).out;
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let path = |device: &Device| device.folder.join("chat.db").display().to_string();
    let places = format!("in Recently Deleted of {}; gone from {}", path(&mac), path(&phone));
    assert!(words.contains("Moved to Recently Deleted (sent") && words.contains(&places), "{words}");
    // It was purged there, too: what happened last counts.
    mac.remove("A", true, "deleted");
    add(&archive, &[&mac.folder, &phone.folder], START + 40 * DAY).unwrap();
    add(&other, &[&archive], START + 40 * DAY + 3600).unwrap();
    let (reason, date) = told_alike(&program, "archive", "A", "apples");
    assert_eq!((&*reason, &date[..10]), ("deleted", "2023-03-09"));
    // Then it was there.
    let then = ["export", "-s", "archive", "-f", "jsonl", "-o", "then", "--as-of", "2023-03-15T12:00"];
    program.run(&then).with_code(0);
    let messages = super::messages(&program.path().join("then"));
    let (_, message) = messages.iter().find(|(_, message)| message["guid"] == "A").unwrap();
    assert_eq!(message["deleted"]["reason"], "recently_deleted");
    for archive in ["archive", "other"] {
        program.run(&["verify", archive]).with_code(0);
    }
}

/// Two devices lost it at the same moment, each for another reason; one of them is known through another archive, which
/// hands on nothing of when it had it last.
#[test]
fn reasons_of_the_same_moment_are_weighed_alike_everywhere() {
    let program = Program::new();
    let [mut mac, mut phone] =
        ["mac", "phone"].map(|name| Device::new(&program.path().join(name), Schema::MACOS_26));
    let [archive, other, both] = ["archive", "other", "both"].map(|name| program.path().join(name));
    phone.receive("ELSE", 1, START, "so that row ids differ");
    for device in [&mut mac, &mut phone] {
        device.receive("A", 0, START, "apples");
        device.receive("B", 1, START, "pears");
    }
    add(&other, &[&mac.folder], START + 3600).unwrap();
    add(&archive, &[&phone.folder], START + 3600).unwrap();
    mac.remove("A", true, "deleted");
    phone.delete_conversation(0);
    add(&other, &[&mac.folder], START + DAY).unwrap();
    add(&archive, &[&phone.folder], START + DAY).unwrap();
    let (reason, _) = told_alike(&program, "archive", "A", "apples");
    assert_eq!(reason, "conversation_deleted");
    add(&archive, &[&other], START + DAY + 60).unwrap();
    add(&both, &[&other, &archive], START + 2 * DAY).unwrap();
    for archive in ["archive", "both"] {
        let (reason, date) = told_alike(&program, archive, "A", "apples");
        assert_eq!((&*reason, &*date), ("deleted", "2023-03-09T20:26:40"), "{archive}");
    }
}
