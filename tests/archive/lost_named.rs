//! What damage took for good is named: which message it is of, where, of when and whose; and no two are taken for one.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use super::damage::Kept;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

fn verified(program: &Program, code: i32) -> Value {
    serde_json::from_str(&program.run(&["verify", "archive", "--json"]).with_code(code).out).unwrap()
}

fn fed(program: &Program, from: &str, code: i32) -> Value {
    let arguments = ["archive", "archive", "-s", from, "--contacts", "none", "--json"];
    serde_json::from_str(&program.run(&arguments).with_code(code).out).unwrap()
}

fn sql(program: &Program, sql: &str) {
    let db = Connection::open(program.path().join("archive/chat.db")).unwrap();
    assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn a_message_that_is_lost_is_named() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "goes");
    mac.receive("B", 0, START + 1, "stays");
    fed(&program, "mac", 0);
    mac.remove("A", true, "deleted");
    fed(&program, "mac", 0);
    sql(&program, "DELETE FROM message WHERE guid = 'A'");
    verified(&program, 3);
    let record = fed(&program, "mac", 3);
    assert_eq!(record["lost"].as_array().unwrap().len(), record["lost_of"].as_array().unwrap().len());
    let lost = &verified(&program, 0)["lost"][0];
    assert_eq!(lost["what"], "a message (row 1 of message)");
    let of = ["table", "row", "since", "conversation", "date"].map(|name| lost[name].to_string()).join(" ");
    assert_eq!(of, r#""message" 1 1 "+12025550143" "2023-03-08T20:26:40+00:00""#);
    let told = ["a message (row 1 of message): in +12025550143, sent 2023-03-08 20:26 UTC"];
    for arguments in [&["verify", "archive"][..], &["history", "archive"]] {
        let out = program.run(arguments).with_code(0).out;
        let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.iter().all(|told| out.contains(told)), "{out}");
    }
}

#[test]
fn what_lies_there_damaged_is_named_by_its_guid() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "goes");
    fed(&program, "mac", 0);
    mac.remove("A", true, "deleted");
    mac.receive("B", 0, START + 1, "stays");
    fed(&program, "mac", 0);
    sql(&program, "UPDATE message SET text = 'forged' WHERE guid = 'A'");
    verified(&program, 3);
    fed(&program, "mac", 3);
    let lost = &verified(&program, 0)["lost"][0];
    assert_eq!((&lost["guid"], &lost["sender"]), (&"A".into(), &"+12025550143".into()));
}

/// Two former states of one message are told in the same words; that one of them is found again says nothing of the other.
#[test]
fn of_two_former_states_the_one_that_is_found_again_is() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "first words");
    fed(&program, "mac", 0);
    tree::copy(&program.path().join("archive"), &program.path().join("copy"));
    mac.edit("A", START + DAY, "second words");
    fed(&program, "mac", 0);
    mac.edit("A", START + 2 * DAY, "third words");
    fed(&program, "mac", 0);
    sql(&program, "UPDATE msgarchive_message_version SET text = text || ' forged'");
    verified(&program, 3);
    let record = fed(&program, "mac", 3);
    let lost = record["lost"].as_array().unwrap();
    assert_eq!(lost.len(), 2, "{lost:#?}");
    assert_eq!(lost[0], lost[1]);
    let since: Vec<&Value> = record["lost_of"].as_array().unwrap().iter().map(|of| &of["since"]).collect();
    assert_eq!(since, [1, 2]);
    let record = fed(&program, "copy", 0);
    assert_eq!(record["found_again_of"][0]["since"], 1, "{record:#}");
    let lost = verified(&program, 0)["lost"].clone();
    assert_eq!(lost.as_array().unwrap().len(), 1, "{lost:#}");
    assert_eq!(lost[0]["since"], 2);
}

/// What was deleted at the source, or was edited, it has no more.
#[test]
fn of_a_whole_database_nobody_promises_everything() {
    let kept = Kept::new();
    fs::File::options().write(true).open(kept.path().join("chat.db")).unwrap().set_len(0).unwrap();
    let program = Program::new();
    let archive = kept.path().to_string_lossy().into_owned();
    let json: Value =
        serde_json::from_str(&program.run(&["verify", &archive, "--json"]).with_code(3).out).unwrap();
    let problem = &json["problems"][0];
    assert_eq!((&problem["kind"], &problem["lost"]), (&"database".into(), &Value::Null), "{json:#}");
    let out = program.run(&["verify", &archive]).with_code(3).out;
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("still has again from there"), "{out}");
}

/// The notes that went with it are one thing to people; programs have them table by table.
#[test]
fn of_a_whole_database_not_every_table_is_listed() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "stays");
    mac.receive("B", 0, START + 1, "goes");
    fed(&program, "mac", 0);
    mac.remove("B", true, "deleted");
    fed(&program, "mac", 0);
    fs::remove_file(program.path().join("archive/chat.db")).unwrap();
    let told = program.run(&["verify", "archive"]).with_code(3).out;
    assert!(!told.contains("--gone"), "{told}");
    let ran = program.run(&["archive", "archive", "-s", "mac", "--contacts", "none"]).with_code(3);
    let told = [
        ran.err,
        program.run(&["verify", "archive"]).with_code(0).out,
        program.run(&["history", "archive"]).with_code(0).out,
    ];
    for told in told {
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(told.matches("what the archive had noted beside the messages").count(), 1, "{told}");
        assert!(!told.contains("something of what was noted"), "{told}");
    }
    let lost = verified(&program, 0)["lost"].clone();
    let tables = lost.as_array().unwrap().iter().filter(|lost| lost["table"] == "msgarchive_sighting");
    assert_eq!(tables.count(), 1, "{lost:#}");
}

/// Of a row that is gone with its hash its run says how many it had brought.
#[test]
fn what_a_run_added_is_counted() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "goes");
    mac.receive("B", 0, START + 1, "stays");
    let brought = fed(&program, "mac", 0)["rows"].as_u64().unwrap();
    mac.remove("A", true, "deleted");
    fed(&program, "mac", 0);
    sql(&program, "DELETE FROM msgarchive_message WHERE id = 1");
    sql(&program, "DELETE FROM message WHERE ROWID = 1");
    verified(&program, 3);
    let record = fed(&program, "mac", 3);
    let all = record["lost"].as_array().unwrap().iter().zip(record["lost_of"].as_array().unwrap());
    let all: Vec<(&str, &Value)> = all.map(|(what, of)| (what.as_str().unwrap(), of)).collect();
    let of_table = |table: &str| all.iter().find(|(_, of)| of["table"] == table).unwrap();
    assert_eq!(of_table("message").1["row"], 1, "{record:#}");
    let (words, of) = of_table("msgarchive_run");
    assert_eq!(of["row"], 1);
    let counted = format!("of {brought} states of rows 1 cannot be told any more");
    assert!(words.contains(&counted), "{words}");
    verified(&program, 0);
}
