//! The names of people, kept with the archive.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use super::device::Device;
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
