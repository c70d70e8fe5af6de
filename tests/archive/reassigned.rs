//! Chats that one identifier leads to are one conversation, for as long as it leads to both: one that leads to another chat is
//! somebody else's.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::device::{DAY, Device, instant};
use super::vouched::as_of_an_earlier_program;
use crate::program::{Program, Ran};
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// What leads to a chat, or to another one later.
const NUMBER: (&str, &str) = ("+12025550199", "iMessage");

const APART: &[&str] = &["Ana", "Bo"];
const JOINED: &[&str] = &["Ana + Bo"];

/// A place where devices are archived, by the program.
struct Nights(Program);

/// A device on which Ana and Bo wrote; in each its row ids are others. The number leads to Ana.
fn device(nights: &Nights, name: &str) -> Device {
    let mut device = Device::new(&nights.0.path().join(name), Schema::MACOS_26);
    for number in 0..name.len() {
        device.receive(&format!("{name}-{number}"), 0, START + number as i64, name);
    }
    device.receive("FROM-ANA", 0, START + 60, "it is me");
    device.receive("FROM-BO", 1, START + 61, "and me");
    leads(&device, NUMBER, Some(0));
    device
}

/// From now on an identifier leads to this chat of a device; `None`: to none.
fn leads(device: &Device, (identifier, domain): (&str, &str), to: Option<usize>) {
    device.run("DELETE FROM chat_lookup WHERE identifier = ?1 AND domain = ?2", [identifier, domain]);
    if let Some(to) = to {
        let sql = "INSERT INTO chat_lookup (identifier, domain, chat, priority) VALUES (?1, ?2, ?3, 7)";
        device.run(sql, (identifier, domain, device.chats[to]));
    }
}

/// Something else happens on a device.
fn lives(device: &mut Device, day: i64) {
    let guid = format!("DAY-{day}-{}", device.folder.display());
    device.receive(&guid, 1, START + day * DAY - 60, "news");
}

impl Nights {
    fn at(&self, day: i64, arguments: &[&str]) -> Ran {
        let now = instant(START + day * DAY).timestamp().to_string();
        let mut command = self.0.command(arguments);
        crate::program::ran(command.env("MSGARCHIVE_TEST_NOW", now).output().unwrap())
    }

    /// Feeds an archive.
    #[track_caller]
    fn feed(&self, archive: &str, day: i64, sources: &[&str]) {
        let mut arguments = vec!["archive", archive];
        sources.iter().for_each(|source| arguments.extend(["-s", source]));
        self.at(day, &arguments).with_code(0);
    }

    /// Which chats are one conversation; as it was some hours after that day's run.
    #[track_caller]
    fn conversations(&self, archive: &str, day: Option<i64>) -> Vec<String> {
        let then = day.map(|day| instant(START + day * DAY + DAY / 2).format("%Y-%m-%dT%H:%M").to_string());
        let mut arguments = vec!["list", "-s", archive, "--json", "--contacts", "none"];
        arguments.extend(then.iter().flat_map(|then| ["--as-of", then]));
        let listed: Value = serde_json::from_str(&self.0.run(&arguments).with_code(0).out).unwrap();
        let who = |guid: &Value| match guid.as_str().unwrap().rsplit(';').next().unwrap() {
            "+12025550143" => "Ana".to_owned(),
            "bo@example.com" => "Bo".to_owned(),
            other => other.to_owned(),
        };
        let one = |conversation: &Value| {
            let mut chats: Vec<String> =
                conversation["chat_guids"].as_array().unwrap().iter().map(who).collect();
            chats.sort();
            chats.dedup();
            chats.join(" + ")
        };
        let mut all: Vec<String> = listed["conversations"].as_array().unwrap().iter().map(one).collect();
        all.sort();
        all
    }

    /// Under which title an export has each message: by its words.
    fn exported(&self, archive: &str, out: &str) -> Vec<(String, String)> {
        self.0.run(&["export", "-s", archive, "-f", "jsonl", "-o", out, "--contacts", "none"]).with_code(0);
        let mut found = Vec::new();
        for (path, bytes) in tree::files(&self.0.path().join(out)) {
            if path.ends_with(".jsonl") && path != "conversations.jsonl" {
                for line in String::from_utf8(bytes).unwrap().lines() {
                    let message: Value = serde_json::from_str(line).unwrap();
                    found.push((path.clone(), message["guid"].as_str().unwrap().to_owned()));
                }
            }
        }
        found
    }

    /// What `history` says of conversations that became one or came apart: in words, and by number of the run.
    fn told(&self, archive: &str) -> (String, Vec<String>) {
        let told = self.0.run(&["history", archive, "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let titles = |list: &Value| {
            let titles = list.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap());
            titles.collect::<Vec<_>>().join(", ")
        };
        let each = told["conversations"].as_array().unwrap().iter().map(|one| {
            let run = one["run"].as_str().unwrap().rsplit('-').next().unwrap().parse::<u64>().unwrap();
            let what = one["what"].as_str().unwrap();
            format!("{run} {what}: {} > {}", titles(&one["before"]), titles(&one["after"]))
        });
        let each = each.collect();
        (self.0.run(&["history", archive]).with_code(0).out, each)
    }

    fn is_whole(&self, archive: &str) {
        self.0.run(&["verify", archive, "--deep"]).with_code(0);
    }

    /// Where identifiers lead and led, and between which runs.
    fn led(&self, archive: &str) -> Vec<String> {
        let db = Connection::open(self.0.path().join(archive).join("chat.db")).unwrap();
        let sql = "SELECT i.identifier || ' ' || c.chat_identifier || ' ' || since || coalesce(' to ' || until, '') \
             FROM msgarchive_identifier i JOIN chat c ON c.ROWID = i.chat ORDER BY since, i.rowid";
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// An identifier that is given to somebody else, and back: by two devices, one of which comes to know it a day later.
#[test]
fn an_identifier_that_is_reassigned_and_reassigned_back() {
    for order in [["mac", "phone"], ["phone", "mac"]] {
        let nights = Nights(Program::in_memory());
        let (mut mac, mut phone) = (device(&nights, "mac"), device(&nights, "phone"));
        let steps = [
            // (mac, phone): to whom it leads on each; and how that is shown.
            ([0, 0], APART),
            ([1, 0], JOINED),
            ([1, 1], APART),
            ([1, 1], APART),
            ([0, 1], JOINED),
            ([0, 0], APART),
            ([0, 0], APART),
        ];
        for (day, ([on_mac, on_phone], shown)) in (1..).zip(steps) {
            leads(&mac, NUMBER, Some(on_mac));
            leads(&phone, NUMBER, Some(on_phone));
            lives(&mut mac, day);
            lives(&mut phone, day);
            nights.feed("archive", day, &order);
            assert_eq!(nights.conversations("archive", None), shown, "{order:?}, day {day}");
            nights.is_whole("archive");
        }
        for (day, (_, shown)) in (1..).zip(steps) {
            assert_eq!(nights.conversations("archive", Some(day)), shown, "{order:?}, as of day {day}");
        }
        let (words, told) = nights.told("archive");
        let [ana, bo] = ["+12025550143", "bo@example.com"];
        let joined = |run: u64| format!("{run} joined: {ana}, {bo} > {ana}");
        let apart = |run: u64| format!("{run} apart: {ana} > {ana}, {bo}");
        assert_eq!(told, [joined(2), apart(3), joined(5), apart(6)], "{words}");
        let below = |run: usize| words.lines().nth(run + 1).unwrap().trim_start();
        assert_eq!(below(2), format!("joined into one conversation: “{ana}”, “{bo}”"), "{words}");
        let exported = nights.exported("archive", "out");
        let of = |guid: &str| exported.iter().find(|(_, own)| own == guid).unwrap().0.clone();
        assert_ne!(of("FROM-ANA"), of("FROM-BO"));
        // Nothing is lost of where it led.
        let number = NUMBER.0;
        assert_eq!(
            nights.led("archive"),
            [
                format!("{number} +12025550143 1 to 3"),
                format!("{number} bo@example.com 2 to 6"),
                format!("{number} +12025550143 5"),
            ]
        );
        let db = Connection::open(nights.0.path().join("archive/chat.db")).unwrap();
        let former = "SELECT sum(priority) FROM msgarchive_identifier WHERE until IS NOT NULL";
        assert_eq!(db.query_row(former, [], |row| row.get::<_, i64>(0)).unwrap(), 14);
    }
}

/// A chat that the archive did not have joins no two conversations that it had.
#[test]
fn a_chat_that_is_new_in_a_conversation_is_not_told_of() {
    let nights = Nights(Program::in_memory());
    let mac = device(&nights, "mac");
    nights.feed("archive", 1, &["mac"]);
    mac.run(
        "INSERT INTO chat (ROWID, guid, style, chat_identifier, service_name) VALUES (99, 'SMS;-;' || ?1, 45, ?1, 'SMS')",
        [NUMBER.0],
    );
    mac.run("INSERT INTO chat_lookup (identifier, domain, chat) VALUES (?1, 'SMS', 99)", [NUMBER.0]);
    nights.feed("archive", 2, &["mac"]);
    assert_eq!(nights.led("archive").len(), 2);
    let (words, told) = nights.told("archive");
    assert!(told.is_empty() && !words.contains("joined"), "{words}");
    // Where an identifier led, archives that were made earlier do not know.
    let db = Connection::open(nights.0.path().join("archive/chat.db")).unwrap();
    db.execute_batch("DROP TABLE msgarchive_identifier").unwrap();
    assert!(nights.told("archive").1.is_empty());
}

/// The same, each device in a run of its own.
#[test]
fn devices_that_are_read_by_turns() {
    let nights = Nights(Program::in_memory());
    let (mut mac, mut phone) = (device(&nights, "mac"), device(&nights, "phone"));
    nights.feed("archive", 1, &["mac"]);
    nights.feed("archive", 2, &["phone"]);
    leads(&mac, NUMBER, Some(1));
    lives(&mut mac, 3);
    nights.feed("archive", 3, &["mac"]);
    // The phone said it after the Mac did.
    assert_eq!(nights.conversations("archive", None), JOINED);
    leads(&phone, NUMBER, Some(1));
    lives(&mut phone, 4);
    nights.feed("archive", 4, &["phone"]);
    assert_eq!(nights.conversations("archive", None), APART);
    // The Mac says the other thing since before the phone did.
    leads(&phone, NUMBER, Some(0));
    lives(&mut phone, 5);
    nights.feed("archive", 5, &["phone"]);
    assert_eq!(nights.conversations("archive", None), APART);
    // It says it still, though it was used since.
    lives(&mut mac, 6);
    nights.feed("archive", 6, &["mac"]);
    assert_eq!(nights.conversations("archive", None), JOINED);
    leads(&mac, NUMBER, None);
    lives(&mut mac, 7);
    nights.feed("archive", 7, &["mac"]);
    assert_eq!(nights.conversations("archive", None), APART);
    assert_eq!(nights.conversations("archive", Some(6)), JOINED);
    nights.is_whole("archive");
}

/// Two chats that are one conversation by two domains of an identifier, until one of them leads there no more; and what a
/// device has no more at all was one conversation to the end.
#[test]
fn chats_that_were_joined_once() {
    let nights = Nights(Program::in_memory());
    let mut mac = device(&nights, "mac");
    leads(&mac, (NUMBER.0, "SMS"), Some(1));
    nights.feed("archive", 1, &["mac"]);
    assert_eq!(nights.conversations("archive", None), JOINED);
    leads(&mac, (NUMBER.0, "SMS"), None);
    nights.feed("archive", 2, &["mac"]);
    assert_eq!(nights.conversations("archive", None), APART);
    assert_eq!(nights.conversations("archive", Some(1)), JOINED);
    leads(&mac, (NUMBER.0, "SMS"), Some(1));
    nights.feed("archive", 3, &["mac"]);
    assert_eq!(nights.conversations("archive", None), JOINED);
    mac.delete_conversation(0);
    mac.delete_conversation(1);
    nights.feed("archive", 4, &["mac"]);
    assert_eq!(nights.conversations("archive", None), JOINED);
    assert_eq!(nights.conversations("archive", Some(2)), APART);
    nights.is_whole("archive");
}

/// What a copy of long ago says is of then: it does not hold together what came apart since, however often it is read.
#[test]
fn a_copy_of_long_ago() {
    for is_first in [false, true] {
        let nights = Nights(Program::in_memory());
        let mut mac = device(&nights, "mac");
        tree::copy(&mac.folder, &nights.0.path().join("old"));
        lives(&mut mac, 1);
        if is_first {
            nights.feed("archive", 1, &["old"]);
        }
        lives(&mut mac, 2);
        nights.feed("archive", 2, &["mac"]);
        leads(&mac, NUMBER, Some(1));
        lives(&mut mac, 3);
        nights.feed("archive", 3, &["mac"]);
        assert_eq!(nights.conversations("archive", None), APART, "{is_first}");
        for day in 4..6 {
            nights.feed("archive", day, &["old", "mac"]);
            assert_eq!(nights.conversations("archive", None), APART, "{is_first}");
        }
        nights.is_whole("archive");
    }
}

/// Another archive is a source as every other, and hands on what it knows of before.
#[test]
fn an_archive_of_which_another_is_fed() {
    let nights = Nights(Program::in_memory());
    let (mut mac, mut phone) = (device(&nights, "mac"), device(&nights, "phone"));
    let is_at = |archive: &str, shown: &[&str], day: i64| {
        assert_eq!(nights.conversations(archive, None), shown, "{archive}, day {day}");
        nights.is_whole(archive);
    };
    for (day, (to, on_phone, shown)) in
        (1..).zip([(0, 0, APART), (1, 0, JOINED), (1, 1, APART), (0, 0, APART)])
    {
        leads(&mac, NUMBER, Some(to));
        leads(&phone, NUMBER, Some(on_phone));
        lives(&mut mac, day);
        lives(&mut phone, day);
        nights.feed("one", day, &["mac", "phone"]);
        nights.feed("two", day, &["one"]);
        is_at("one", shown, day);
        is_at("two", shown, day);
    }
    for (day, shown) in (1..).zip([APART, JOINED, APART, APART]) {
        assert_eq!(nights.conversations("two", Some(day)), shown, "as of day {day}");
    }
    // All at once, later.
    nights.feed("three", 6, &["two"]);
    is_at("three", APART, 6);
    assert_eq!(nights.led("three").len(), nights.led("one").len());
    // One of the devices beside it, and again.
    for day in 7..9 {
        nights.feed("three", day, &["mac", "two"]);
        is_at("three", APART, day);
    }
}

/// Makes an archive what an earlier program left, which noted none of this. `more`: what else it had.
fn forget_notes(nights: &Nights, archive: &str, more: &str) {
    let path = nights.0.path().join(archive);
    let db = Connection::open(path.join("chat.db")).unwrap();
    db.execute_batch(&format!(
        "{more} DROP INDEX msgarchive_idx_chat_lookup; DROP TABLE msgarchive_looked_up; DROP TABLE msgarchive_identifier;"
    ))
    .unwrap();
    drop(db);
    as_of_an_earlier_program(&path);
    std::fs::remove_file(path.join("schema.json")).unwrap();
}

/// An archive of an earlier program has all rows of ever: it comes apart once the sources that may have said so are read.
#[test]
fn an_archive_that_was_made_before() {
    let nights = Nights(Program::in_memory());
    let (mac, phone) = (device(&nights, "mac"), device(&nights, "phone"));
    nights.feed("archive", 1, &["mac", "phone"]);
    leads(&mac, NUMBER, Some(1));
    leads(&phone, NUMBER, Some(1));
    nights.feed("other", 1, &["mac", "phone"]);
    let other = nights.0.path().join("other/chat.db");
    let with_both = format!(
        "ATTACH '{}' AS other; INSERT INTO chat_lookup SELECT * FROM other.chat_lookup;
         INSERT INTO msgarchive_chat_lookup SELECT * FROM other.msgarchive_chat_lookup;",
        other.display()
    );
    forget_notes(&nights, "archive", &with_both);
    assert_eq!(nights.conversations("archive", None), JOINED);
    assert_eq!(nights.conversations("archive", Some(1)), JOINED);
    nights.feed("archive", 2, &["mac"]);
    assert_eq!(nights.conversations("archive", None), JOINED);
    nights.feed("archive", 3, &["phone"]);
    assert_eq!(nights.conversations("archive", None), APART);
    assert_eq!(nights.conversations("archive", Some(2)), JOINED);
    nights.is_whole("archive");
}

/// A device of a system that has no such table says nothing of it, and holds nothing together: whatever an archive of an earlier
/// program may have had from it.
#[test]
fn a_device_that_has_no_such_table() {
    for order in [["mac", "old"], ["old", "mac"]] {
        let nights = Nights(Program::in_memory());
        let mut mac = device(&nights, "mac");
        let mut old = Device::new(&nights.0.path().join("old"), Schema::MACOS_15);
        old.receive("FROM-ANA", 0, START + 60, "it is me");
        old.run("UPDATE chat SET guid = 'any' || substr(guid, instr(guid, ';'))", []);
        nights.feed("archive", 1, &order);
        forget_notes(&nights, "archive", "");
        for (day, to) in [(2, 1), (3, 0), (4, 1)] {
            leads(&mac, NUMBER, Some(to));
            lives(&mut mac, day);
            lives(&mut old, day);
            nights.feed("archive", day, &order);
        }
        assert_eq!(nights.conversations("archive", None), APART, "{order:?}");
        nights.is_whole("archive");
    }
}

/// An export that is kept up with the archive shows two conversations once they are two, and one while they are one.
#[test]
fn an_export_that_is_kept_up() {
    let nights = Nights(Program::in_memory());
    let (mac, phone) = (device(&nights, "mac"), device(&nights, "phone"));
    for (day, (on_mac, on_phone)) in (1..).zip([(0, 0), (1, 0), (1, 1), (1, 1), (0, 1)]) {
        leads(&mac, NUMBER, Some(on_mac));
        leads(&phone, NUMBER, Some(on_phone));
        let arguments =
            ["archive", "archive", "-s", "mac", "-s", "phone", "--export", "jsonl", "--out", "kept"];
        nights.at(day, &[&arguments[..], &["--contacts", "none"]].concat()).with_code(0);
        let anew = format!("anew-{day}");
        nights.exported("archive", &anew);
        let files = |out: &str| {
            let mut files = tree::files(&nights.0.path().join(out));
            files.retain(|(path, _)| path.ends_with(".jsonl"));
            files
        };
        assert_eq!(files("kept"), files(&anew), "day {day}");
        assert_eq!(files("kept").len(), if on_mac == on_phone { 3 } else { 2 }, "day {day}");
    }
}

/// What another archive says of a chat is damaged there: that takes nothing back.
#[test]
fn what_is_damaged_where_it_comes_from() {
    let nights = Nights(Program::in_memory());
    let mac = device(&nights, "mac");
    leads(&mac, (NUMBER.0, "SMS"), Some(1));
    nights.feed("one", 1, &["mac"]);
    nights.feed("two", 1, &["one"]);
    let harm = |sql: &str| {
        let db = Connection::open(nights.0.path().join("one/chat.db")).unwrap();
        db.execute_batch(sql).unwrap();
    };
    for damage in ["DELETE FROM chat_lookup", "UPDATE chat_lookup SET chat = 1"] {
        harm(damage);
        nights.at(2, &["archive", "two", "-s", "one"]).with_code(3);
        assert_eq!(nights.conversations("two", None), JOINED, "{damage}");
        nights.is_whole("two");
        nights.0.run(&["verify", "one"]).with_code(3);
        nights.feed("one", 3, &["mac"]);
        nights.is_whole("one");
        nights.feed("two", 3, &["one"]);
        assert_eq!(nights.conversations("two", None), JOINED, "{damage}");
    }
    // Notes of before that nobody wrote are not taken either.
    harm("INSERT INTO msgarchive_identifier VALUES (2, 'iMessage', '+12025550199', 1, 2, 0)");
    let said = nights.at(4, &["archive", "three", "-s", "one"]).with_code(3).err;
    assert!(said.contains("by what it was joined with others"), "{said}");
    assert!(nights.led("three").iter().all(|led| !led.contains("to")));
}

/// Notes that are damaged are told of, and put right by what else there is.
#[test]
fn notes_that_are_damaged() {
    for damage in [
        "DELETE FROM msgarchive_looked_up",
        "UPDATE msgarchive_looked_up SET chat = 9",
        "DELETE FROM msgarchive_identifier",
        "UPDATE msgarchive_identifier SET until = 1",
        "INSERT INTO msgarchive_identifier VALUES (1, 'x', 'y', 1, NULL, NULL)",
        "DELETE FROM chat_lookup",
        "UPDATE chat_lookup SET identifier = 'another'",
    ] {
        let nights = Nights(Program::in_memory());
        let mut mac = device(&nights, "mac");
        leads(&mac, (NUMBER.0, "SMS"), Some(1));
        nights.feed("archive", 1, &["mac"]);
        let harm =
            |path: &Path| Connection::open(path.join("chat.db")).unwrap().execute_batch(damage).unwrap();
        harm(&nights.0.path().join("archive"));
        nights.0.run(&["verify", "archive"]).with_code(3);
        lives(&mut mac, 2);
        let code = nights.at(2, &["archive", "archive", "-s", "mac"]).code.unwrap();
        assert!(code == 0 || code == 3, "{damage}");
        assert_eq!(nights.conversations("archive", None), JOINED, "{damage}");
        nights.is_whole("archive");
        leads(&mac, (NUMBER.0, "SMS"), None);
        lives(&mut mac, 3);
        nights.feed("archive", 3, &["mac"]);
        assert_eq!(nights.conversations("archive", None), APART, "{damage}");
        nights.is_whole("archive");
    }
}
