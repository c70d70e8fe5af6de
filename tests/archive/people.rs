//! The names of people, kept with the archive.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use msgarchive::archive::check;

use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

fn card(name: &str, address: &str) -> String {
    let (first, last) = name.split_once(' ').unwrap();
    let kind = if address.contains('@') { "EMAIL" } else { "TEL" };
    format!("BEGIN:VCARD\nVERSION:3.0\nN:{last};{first};;;\nFN:{name}\n{kind}:{address}\nEND:VCARD\n")
}

/// An archive of a library with Ana and Bo, who are in the owner's address book.
fn archived(program: &Program) -> Device {
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "the lake house");
    mac.receive("B", 1, START + 1, "the lake");
    let book = card("Ana Abbott", "+1 202 555 0143") + &card("Bo Beck", "bo@example.com");
    fs::write(program.path().join("first.vcf"), book).unwrap();
    program.run(&["archive", "a", "-s", "mac", "--contacts", "first.vcf"]).with_code(0);
    mac
}

fn titles(program: &Program, more: &[&str]) -> Vec<String> {
    let json = program.run(&[&["list", "-s", "a", "--json"], more].concat()).with_code(0).out;
    let listed: Value = serde_json::from_str(&json).unwrap();
    let conversations = listed["conversations"].as_array().unwrap().iter();
    let mut titles: Vec<String> = conversations.map(|c| c["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    titles
}

#[test]
fn people_have_names_without_an_address_book() {
    let program = Program::new();
    let mac = archived(&program);
    assert_eq!(titles(&program, &[]), ["Ana Abbott", "Bo Beck"]);
    assert_eq!(titles(&program, &["--contacts", "none"]), ["+12025550143", "bo@example.com"]);
    let found = program.run(&["search", "a", "lake"]).with_code(0).out;
    assert!(found.contains("Ana Abbott: the lake house"), "{found}");
    assert_eq!(
        program.run(&["search", "a", "lake", "--with", "ana"]).with_code(0).out.matches("lake").count(),
        1
    );
    mac.db.execute("DELETE FROM message WHERE guid = 'A'", []).unwrap();
    program.run(&["archive", "a", "-s", "mac", "--contacts", "none"]).with_code(0);
    let gone = program.run(&["history", "a", "--deleted"]).with_code(0).out;
    let in_a_line = gone.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(in_a_line.contains("Ana Abbott"), "{gone}");
    // An archive of the archive knows them, too.
    program.run(&["archive", "b", "-s", "a"]).with_code(0);
    let json = program.run(&["list", "-s", "b", "--json"]).with_code(0).out;
    assert!(json.contains("Ana Abbott"), "{json}");
}

/// The newest name is shown; who is no more in the address book keeps the name that was there last.
#[test]
fn names_that_change_and_cards_that_go() {
    let program = Program::new();
    let _mac = archived(&program);
    fs::write(program.path().join("second.vcf"), card("Ana Baker", "+1 202 555 0143")).unwrap();
    for _ in 0..2 {
        program.run(&["archive", "a", "-s", "mac", "--contacts", "second.vcf"]).with_code(0);
        assert_eq!(titles(&program, &[]), ["Ana Baker", "Bo Beck"]);
    }
    let db = Connection::open(program.path().join("a/chat.db")).unwrap();
    let cards = "SELECT count(*) FROM msgarchive_contact";
    assert_eq!(db.query_row(cards, [], |row| row.get::<_, i64>(0)).unwrap(), 3);
}

#[test]
fn a_card_that_was_damaged_is_found_and_written_anew() {
    let program = Program::new();
    let _mac = archived(&program);
    let db = Connection::open(program.path().join("a/chat.db")).unwrap();
    db.execute("UPDATE msgarchive_contact SET name = 'Ann Abbott' WHERE name = 'Ana Abbott'", []).unwrap();
    let ran = program.run(&["verify", "a"]).with_code(3);
    assert!(ran.out.contains("Ann Abbott"), "{}", ran.out);
    program.run(&["archive", "a", "-s", "mac", "--contacts", "first.vcf"]).with_code(0);
    program.run(&["verify", "a"]).with_code(0);
    assert_eq!(titles(&program, &[]), ["Ana Abbott", "Bo Beck"]);
}

/// A card that is put in front of a book makes no other card of any behind it.
#[test]
fn a_book_that_grows_is_kept_once() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "the lake house");
    let mut book: String =
        (0..20).map(|n| card(&format!("Ana {n}"), &format!("ana{n}@example.com"))).collect();
    for night in 0..4 {
        book.insert_str(0, &card(&format!("New {night}"), &format!("new{night}@example.com")));
        fs::write(program.path().join("book.vcf"), &book).unwrap();
        program.run(&["archive", "a", "-s", "mac", "--contacts", "book.vcf"]).with_code(0);
    }
    let db = Connection::open(program.path().join("a/chat.db")).unwrap();
    let cards = |which: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM msgarchive_contact WHERE {which}");
        db.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((cards("until IS NULL"), cards("until IS NOT NULL")), (24, 0));
}

fn members(archive: &Path, chat: i64) -> Vec<String> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sql = "SELECT h.id FROM chat_handle_join j JOIN handle h ON h.ROWID = j.handle_id WHERE j.chat_id = ?1 ORDER BY 1";
    let mut statement = db.prepare(sql).unwrap();
    let members = statement.query_map([chat], |row| row.get(0)).unwrap();
    members.map(Result::unwrap).collect()
}

/// Whom the archive shows in the group on a day.
fn listed(program: &Program, archive: &str, more: &[&str]) -> Vec<String> {
    let json = program.run(&[&["list", "-s", archive, "--json", "--contacts", "none"], more].concat());
    let listed: Value = serde_json::from_str(&json.with_code(0).out).unwrap();
    let group = listed["conversations"].as_array().unwrap().iter().find(|c| c["kind"] == "group").unwrap();
    let participants = group["participants"].as_array().unwrap().iter();
    let mut participants: Vec<String> =
        participants.map(|p| p["handles"][0].as_str().unwrap().to_owned()).collect();
    participants.sort();
    participants
}

const BOTH: [&str; 2] = ["+12025550143", "bo@example.com"];

/// Whoever left is back when a source that had the chat all along has them again: also where everybody had left.
#[test]
fn everybody_leaves_and_comes_back() {
    let program = Program::new();
    let archive = program.path().join("a");
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 2, START, "in the group");
    for (night, change, expected) in [
        (1, "", &BOTH[..]),
        (2, "DELETE FROM chat_handle_join WHERE chat_id = 3", &[]),
        (3, "INSERT INTO chat_handle_join (chat_id, handle_id) VALUES (3, 1), (3, 2)", &BOTH),
        (4, "", &BOTH),
        (5, "DELETE FROM chat_handle_join WHERE chat_id = 3 AND handle_id = 2", &BOTH[..1]),
    ] {
        mac.db.execute_batch(change).unwrap();
        add(&archive, &[&mac.folder], START + night * DAY).unwrap();
        assert_eq!(members(&archive, 3), expected, "night {night}");
    }
    // One that tells of the chat for the first time may be of before that.
    let old = Device::new(&program.path().join("old"), Schema::MACOS_26);
    add(&archive, &[&old.folder], START + 6 * DAY).unwrap();
    assert_eq!(members(&archive, 3), BOTH[..1]);
}

/// An heir knows since when and until when somebody was in a chat, by the dates of the runs that saw it.
#[test]
fn an_heir_knows_who_was_in_a_chat_when() {
    let program = Program::new();
    let (archive, heir) = (program.path().join("a"), program.path().join("b"));
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 2, START, "in the group");
    // The heir had the chat all along, from a device that never knew of the second one.
    let phone = program.path().join("phone");
    fs::create_dir(&phone).unwrap();
    mac.db.execute_batch("DELETE FROM chat_handle_join WHERE chat_id = 3 AND handle_id = 2").unwrap();
    fs::copy(mac.folder.join("chat.db"), phone.join("chat.db")).unwrap();
    mac.db.execute_batch("INSERT INTO chat_handle_join (chat_id, handle_id) VALUES (3, 2)").unwrap();
    for night in 1..8 {
        match night {
            4 => mac
                .db
                .execute_batch("DELETE FROM chat_handle_join WHERE chat_id = 3 AND handle_id = 2")
                .unwrap(),
            6 => mac
                .db
                .execute_batch("INSERT INTO chat_handle_join (chat_id, handle_id) VALUES (3, 2)")
                .unwrap(),
            _ => {}
        }
        add(&archive, &[&mac.folder], START + night * DAY).unwrap();
        add(&heir, &[&phone], START + night * DAY).unwrap();
    }
    add(&heir, &[&archive], START + 8 * DAY).unwrap();
    // 700,000,000 is 2023-03-08 20:26:40 UTC.
    for (day, expected) in
        [("2023-03-10", &BOTH[..]), ("2023-03-13", &BOTH[..1]), ("2023-03-15", &BOTH), ("2023-03-18", &BOTH)]
    {
        let day = format!("{day}T12:00");
        assert_eq!(listed(&program, "a", &["--as-of", &day]), expected, "{day}");
        assert_eq!(listed(&program, "b", &["--as-of", &day]), expected, "{day}, in the heir");
    }
    assert_eq!(check(&heir, true, 1, &()).unwrap().problems, []);
}
