//! A source that is gone for good: an archive waits for it, until somebody says that it will not come; should it come after all, it
//! counts as before.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::damage::Kept;
use super::device::{DAY, Device};
use super::messages;
use crate::program::{Program, Ran};
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// A Mac, and an archive of it and of a phone that is sold.
struct Waiting {
    program: Program,
    mac: Device,
}

impl Waiting {
    fn new() -> Waiting {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
        for number in 0..4 {
            mac.receive(&format!("M{number}"), 0, START + number, "on the Mac");
            phone.receive(&format!("P{number}"), 0, START + 10 + number, "on the phone");
        }
        phone.attach("P1", "a.png");
        phone.download("P1", "a.png", b"a picture");
        drop(phone);
        let waiting = Waiting { program, mac };
        waiting.ran(&["-s", "mac", "-s", "phone"]).with_code(0);
        fs::rename(waiting.at("phone"), waiting.at("drawer")).unwrap();
        waiting
    }

    fn at(&self, name: &str) -> PathBuf {
        self.program.path().join(name)
    }

    /// The phone, as the archive names it.
    fn phone(&self) -> String {
        self.at("phone/chat.db").to_string_lossy().into_owned()
    }

    fn comes_back(&self) {
        fs::rename(self.at("drawer"), self.at("phone")).unwrap();
    }

    fn sql(&self, sql: &str) {
        let db = Connection::open(self.at("archive/chat.db")).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
    }

    #[track_caller]
    fn ran(&self, more: &[&str]) -> Ran {
        self.program.run(&[&["archive", "archive", "--contacts", "none"], more].concat())
    }

    #[track_caller]
    fn fed(&self, more: &[&str], code: i32) -> Value {
        serde_json::from_str(&self.ran(&[more, &["--json"]].concat()).with_code(code).out).unwrap()
    }

    #[track_caller]
    fn verified(&self, code: i32) -> Value {
        let ran = self.program.run(&["verify", "archive", "--deep", "--json"]).with_code(code);
        serde_json::from_str(&ran.out).unwrap()
    }

    #[track_caller]
    fn history(&self, more: &[&str]) -> Value {
        let ran = self.program.run(&[&["history", "archive", "--json"], more].concat()).with_code(0);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// What the archive shows: GUID, text, and whether that is said to be damaged.
    #[track_caller]
    fn shown(&self, code: i32) -> Vec<(String, Value, bool)> {
        let _ = fs::remove_dir_all(self.at("out"));
        let arguments = ["export", "-s", "archive", "-f", "jsonl", "-o", "out", "--contacts", "none"];
        self.program.run(&arguments).with_code(code);
        let all = messages(&self.at("out")).into_iter();
        let of = |(guid, message): (String, Value)| {
            (
                message["guid"].as_str().unwrap_or(&guid).to_owned(),
                message["text"].clone(),
                !message["damaged"].is_null(),
            )
        };
        all.map(of).collect()
    }
}

fn many(of: &Value) -> usize {
    of.as_array().unwrap().len()
}

fn in_a_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_only_it_had_is_given_up_once() {
    let waiting = Waiting::new();
    waiting.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'P2'");
    let problem = &waiting.verified(3)["problems"][0];
    assert_eq!((&problem["source"], &problem["lost"]), (&waiting.phone().into(), &Value::Null));
    for _ in 0..2 {
        let record = waiting.fed(&["-s", "mac"], 3);
        assert_eq!((many(&record["lost"]), many(&record["still_damaged"])), (0, 1), "{record:#}");
        // Who it is of, where and of when.
        let of = &record["still_damaged_of"][0];
        let names = ["table", "guid", "conversation", "sender", "since", "date", "source"];
        let of = names.map(|name| of[name].clone());
        let date = "2023-03-08T20:26:52+00:00";
        let expected = [
            "message".into(),
            "P2".into(),
            "+12025550143".into(),
            "+12025550143".into(),
            1.into(),
            date.into(),
        ];
        assert_eq!((&of[..6], &of[6]), (&expected[..] as &[Value], &waiting.phone().into()));
    }
    // Whoever reads it, here or there, is told what to do.
    let way_out = format!("If {0} is gone for good: msgarchive archive archive --gone {0}", waiting.phone());
    let told = waiting.ran(&["-s", "mac"]).with_code(3);
    assert!(in_a_line(&told.out).contains(&way_out), "{}", told.out);
    let told = waiting.program.run(&["verify", "archive"]).with_code(3).out;
    assert!(in_a_line(&told).contains(&way_out), "{told}");

    let phone = waiting.phone();
    let gone = ["--gone", &*phone];
    let would = waiting.ran(&[&gone[..], &["--dry-run"]].concat()).with_code(3);
    assert!(in_a_line(&would.out).contains("would be noted as gone for good"), "{}", would.out);
    assert_eq!(waiting.verified(3)["problems"][0]["source"], phone, "nothing was done");
    let record = waiting.fed(&gone, 3);
    let named = json!([{ "source": 2, "kind": "library", "path": phone, "device": null }]);
    assert_eq!(record["gone_for_good"], named, "{record:#}");
    assert_eq!((many(&record["lost"]), many(&record["still_damaged"])), (1, 0), "{record:#}");
    assert_eq!(record["lost_of"][0]["guid"], "P2");
    assert_eq!(record["sources"], json!([]));

    // From then on nobody waits for it, and what is left is kept, marked.
    for _ in 0..2 {
        let verified = waiting.verified(0);
        assert_eq!((many(&verified["problems"]), many(&verified["lost"])), (0, 1), "{verified:#}");
        let record = waiting.fed(&["-s", "mac"], 0);
        assert_eq!((many(&record["lost"]), many(&record["still_damaged"])), (0, 0), "{record:#}");
        assert_eq!(record["gone_for_good"], json!([]));
    }
    let shown = waiting.shown(3);
    assert_eq!(shown.len(), 8);
    let damaged: Vec<&String> =
        shown.iter().filter(|(_, _, damaged)| *damaged).map(|(guid, ..)| guid).collect();
    assert_eq!(damaged, ["P2"]);
    // It is no deletion.
    assert_eq!(waiting.history(&["--deleted"])["messages"], json!([]));
    let sources = waiting.history(&[])["sources"].clone();
    assert_eq!(sources[0]["gone_for_good"], Value::Null);
    assert!(sources[1]["gone_for_good"].is_string(), "{sources:#}");
    let told = waiting.program.run(&["history", "archive"]).with_code(0).out;
    assert!(in_a_line(&told).contains("gone for good, as was said 2023-"), "{told}");

    // What is found damaged later has nobody to wait for either.
    waiting.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'P3'");
    let problem = &waiting.verified(3)["problems"][0];
    assert_eq!((&problem["source"], &problem["lost"]), (&Value::Null, &true.into()), "{problem}");
    assert_eq!(waiting.fed(&["-s", "mac"], 3)["lost_of"][0]["guid"], "P3");
    waiting.verified(0);

    // And it comes after all.
    waiting.comes_back();
    let record = waiting.fed(&["-s", "mac", "-s", "phone"], 0);
    let again: Vec<&Value> =
        record["found_again_of"].as_array().unwrap().iter().map(|of| &of["guid"]).collect();
    assert_eq!(again, ["P2", "P3"], "{record:#}");
    assert_eq!(waiting.verified(0)["lost"], json!([]));
    assert_eq!(waiting.history(&[])["sources"][1]["gone_for_good"], Value::Null);
    assert!(waiting.shown(0).iter().all(|(_, text, damaged)| text != "forged" && !damaged));
    // It counts as it did before.
    waiting.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'P3'");
    waiting.verified(3);
    assert_eq!(many(&waiting.fed(&["-s", "mac"], 3)["still_damaged"]), 1);
    waiting.fed(&["-s", "phone"], 0);
    waiting.verified(0);
}

/// Every sort of what only it had: a row, one with its hash, where a message is, the bytes of an attachment.
#[test]
fn whatever_is_damaged() {
    let harm: [(&str, &[&str]); 4] = [
        ("a row", &["DELETE FROM message WHERE guid = 'P2'"]),
        (
            "a row and its hash",
            &[
                "DELETE FROM msgarchive_message WHERE id = (SELECT ROWID FROM message WHERE guid = 'P2')",
                "DELETE FROM message WHERE guid = 'P2'",
            ],
        ),
        (
            "where it is",
            &["UPDATE msgarchive_chat_message_join SET hash = zeroblob(16) \
                 WHERE message_id = (SELECT ROWID FROM message WHERE guid = 'P2')"],
        ),
        ("bytes", &[]),
    ];
    for (what, harm) in harm {
        eprintln!("{what}");
        let waiting = Waiting::new();
        let before = waiting.shown(0);
        harm.iter().for_each(|sql| waiting.sql(sql));
        if harm.is_empty() {
            let (path, _) = tree::files(&waiting.at("archive/Attachments")).remove(0);
            fs::remove_file(waiting.at("archive/Attachments").join(path)).unwrap();
        }
        waiting.verified(3);
        let record = waiting.fed(&["-s", "mac"], 3);
        assert_eq!(many(&record["still_damaged"]), 1, "{what}: {record:#}");
        assert_eq!(record["still_damaged_of"][0]["source"], waiting.phone(), "{what}: {record:#}");
        // Together with what is there; and by the folder in which the library lay.
        let record = waiting.fed(&["-s", "mac", "--gone", "phone"], 3);
        assert_eq!((many(&record["lost"]), many(&record["still_damaged"])), (1, 0), "{what}: {record:#}");
        // Whether anybody verifies or not.
        let record = waiting.fed(&["-s", "mac"], 0);
        assert_eq!((many(&record["lost"]), many(&record["still_damaged"])), (0, 0), "{what}: {record:#}");
        waiting.verified(0);
        let record = waiting.fed(&["-s", "mac"], 0);
        assert_eq!((many(&record["lost"]), many(&record["still_damaged"])), (0, 0), "{what}: {record:#}");
        waiting.verified(0);
        waiting.comes_back();
        waiting.fed(&["-s", "mac", "-s", "phone"], 0);
        waiting.verified(0);
        assert_eq!(waiting.shown(0), before, "{what}");
    }
}

/// What another source has, too, is not given up.
#[test]
fn what_another_one_has_waits_for_that() {
    let waiting = Waiting::new();
    tree::copy(&waiting.at("drawer"), &waiting.at("copy"));
    waiting.fed(&["-s", "copy"], 0);
    fs::rename(waiting.at("copy"), waiting.at("away")).unwrap();
    waiting.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'P2'");
    waiting.verified(3);
    let phone = waiting.phone();
    let sources = waiting.history(&[])["sources"].clone();
    if many(&sources) == 2 {
        // It moved: there is one of them.
        let copy = waiting.at("copy/chat.db").to_string_lossy().into_owned();
        let failed = waiting.ran(&["-s", "mac", "--gone", &phone]).with_code(1);
        assert!(failed.err.contains(&copy), "{}", failed.err);
        return;
    }
    let record = waiting.fed(&["-s", "mac", "--gone", &phone], 3);
    assert_eq!((many(&record["lost"]), many(&record["still_damaged"])), (0, 1), "{record:#}");
}

#[test]
fn what_is_no_source_is_named_with_all_that_are() {
    let waiting = Waiting::new();
    let failed = waiting.ran(&["-s", "mac", "--gone", "/nowhere/chat.db"]).with_code(1);
    let told = in_a_line(&failed.err);
    let (mac, phone) = (waiting.at("mac/chat.db"), waiting.phone());
    let words = format!("/nowhere/chat.db is no source of this archive; it knows {}, {phone}", mac.display());
    assert!(told.contains(&words) && told.contains("history"), "{told}");
    // One that is read is not gone.
    let failed = waiting.ran(&["-s", "mac", "--gone", "mac"]).with_code(1);
    assert!(
        in_a_line(&failed.err).contains("is read by this run: it is not gone for good"),
        "{}",
        failed.err
    );
    // No archive is begun by that.
    let failed = waiting.program.run(&["archive", "none", "--gone", "mac"]).with_code(1);
    assert!(failed.err.contains("is no archive"), "{}", failed.err);
    assert!(!waiting.at("none").exists());
    let failed = waiting.program.run(&["archive", "none", "--gone", "mac", "--dry-run"]).with_code(1);
    assert!(failed.err.contains("is no archive"), "{}", failed.err);
    assert_eq!(many(&waiting.history(&[])["runs"]), 1, "nothing was done");
}

/// Nothing is damaged: nothing is given up, and nothing called deleted.
#[test]
fn of_a_whole_archive_nothing_is_given_up() {
    let mut waiting = Waiting::new();
    let before = waiting.shown(0);
    let phone = waiting.phone();
    let record = waiting.fed(&["--gone", &phone], 0);
    assert_eq!((many(&record["gone_for_good"]), many(&record["lost"])), (1, 0));
    waiting.verified(0);
    waiting.fed(&["-s", "mac"], 0);
    assert_eq!(waiting.history(&["--deleted"])["messages"], json!([]));
    assert_eq!(waiting.shown(0), before);
    let told = waiting.program.run(&["history", "archive", "--deleted"]).with_code(0).out;
    assert!(!told.contains("phone"), "nobody waits for it: {told}");
    // The record says so, and it is closed over.
    waiting.mac.receive("M9", 0, START + DAY, "more");
    waiting.fed(&["-s", "mac"], 0);
    let runs = tree::files(&waiting.at("archive/runs"));
    let (name, text) = runs
        .iter()
        .find(|(_, text)| String::from_utf8_lossy(text).contains("\"gone_for_good\": [\n"))
        .unwrap();
    let forged = String::from_utf8_lossy(text).replace("\"source\": 2", "\"source\": 1");
    fs::write(waiting.at("archive/runs").join(name), forged).unwrap();
    assert!(many(&waiting.verified(3)["problems"]) > 0);
}

/// A message that one device deleted and the one that is gone had still.
#[test]
fn what_it_had_when_it_went_is_not_called_deleted_by_that() {
    let mut waiting = Waiting::new();
    waiting.comes_back();
    waiting.mac.receive("B", 0, START + 100, "on both");
    let phone = Connection::open(waiting.at("phone/chat.db")).unwrap();
    phone
        .execute_batch(&format!(
            "INSERT INTO message (guid, text, handle_id, service, date, is_finished) \
               VALUES ('B', 'on both', 1, 'iMessage', {}000000000, 1);
             INSERT INTO chat_message_join (chat_id, message_id, message_date) \
               SELECT 1, ROWID, date FROM message WHERE guid = 'B'",
            START + 100
        ))
        .unwrap();
    waiting.fed(&["-s", "mac", "-s", "phone"], 0);
    waiting.mac.remove("B", true, "deleted");
    phone.execute("UPDATE message SET is_read = 1, date_read = 5 WHERE guid = 'P0'", []).unwrap();
    waiting.fed(&["-s", "mac", "-s", "phone"], 0);
    let deleted = |waiting: &Waiting| waiting.history(&["--deleted"])["messages"][0].clone();
    let (had, path) = (deleted(&waiting), waiting.phone());
    assert_eq!(
        (&had["guid"], &had["still_in"], &had["elsewhere"]),
        (&"B".into(), &json!([path]), &true.into())
    );
    let exported = waiting.shown(0);

    waiting.fed(&["-s", "mac", "--gone", &path], 0);
    let told = deleted(&waiting);
    assert_eq!(
        (&told["still_in"], &told["was_in"], &told["elsewhere"]),
        (&json!([]), &json!([path]), &true.into())
    );
    assert_eq!(waiting.shown(0), exported);
    let db = Connection::open(waiting.at("archive/chat.db")).unwrap();
    let called: i64 = db.query_row("SELECT count(*) FROM msgarchive_deleted", [], |row| row.get(0)).unwrap();
    assert_eq!(called, 0);
    let words = waiting.program.run(&["history", "archive", "--deleted"]).with_code(0).out;
    assert!(in_a_line(&words).contains(&format!("when it was gone for good, still in {path}")), "{words}");
}

/// An archive that another one is fed from, and that is gone; and one that was told that its own source is.
#[test]
fn archives_that_feed_archives() {
    let waiting = Waiting::new();
    let run = |arguments: &[&str], code: i32| -> Value {
        let ran = waiting.program.run(&[arguments, &["--json"]].concat()).with_code(code);
        serde_json::from_str(&ran.out).unwrap()
    };
    run(&["archive", "heir", "-s", "archive", "-s", "mac", "--contacts", "none"], 0);
    let harm = |archive: &str, guid: &str| {
        let db = Connection::open(waiting.at(archive).join("chat.db")).unwrap();
        let sql = "UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = ?1";
        assert_eq!(db.execute(sql, [guid]).unwrap(), 1);
    };
    // What the first one gave up the heir has still; and hands it back.
    harm("archive", "P2");
    waiting.verified(3);
    let phone = waiting.phone();
    waiting.fed(&["-s", "mac", "--gone", &phone], 3);
    run(&["archive", "heir", "-s", "archive", "-s", "mac", "--contacts", "none"], 0);
    run(&["verify", "heir", "--deep"], 0);
    let record = waiting.fed(&["-s", "heir"], 0);
    assert_eq!(record["found_again_of"][0]["guid"], "P2", "{record:#}");
    assert_eq!(waiting.verified(0)["lost"], json!([]));

    // The archive that the heir is fed from is gone.
    run(&["archive", "heir", "-s", "archive", "--contacts", "none"], 0);
    harm("heir", "P3");
    run(&["verify", "heir"], 3);
    fs::rename(waiting.at("archive"), waiting.at("elsewhere")).unwrap();
    let record = run(&["archive", "heir", "-s", "mac", "--contacts", "none"], 3);
    let gone = record["still_damaged_of"][0]["source"].as_str().unwrap().to_owned();
    assert!(gone.ends_with("/archive/chat.db") || gone.ends_with("/archive"), "{gone}");
    let record = run(&["archive", "heir", "-s", "mac", "--gone", &gone, "--contacts", "none"], 3);
    assert_eq!(record["lost_of"][0]["guid"], "P3", "{record:#}");
    run(&["verify", "heir", "--deep"], 0);
    run(&["archive", "heir", "-s", "mac", "--contacts", "none"], 0);
    fs::rename(waiting.at("elsewhere"), waiting.at("archive")).unwrap();
    let record = run(&["archive", "heir", "-s", "archive", "-s", "mac", "--contacts", "none"], 0);
    assert_eq!(record["found_again_of"][0]["guid"], "P3", "{record:#}");
    run(&["verify", "heir", "--deep"], 0);
}

/// Nobody is sent to it for a database that cannot be read either.
#[test]
fn of_a_whole_database() {
    let kept = Kept::new();
    let (archive, library) = (kept.path(), kept.library().join("chat.db"));
    let (archive, library) = (archive.to_str().unwrap(), library.to_str().unwrap());
    let program = Program::new();
    program.run(&["archive", archive, "--gone", library]).with_code(0);
    fs::File::options().write(true).open(kept.path().join("chat.db")).unwrap().set_len(0).unwrap();
    let json: Value =
        serde_json::from_str(&program.run(&["verify", archive, "--json"]).with_code(3).out).unwrap();
    let problem = &json["problems"][0];
    assert_eq!((&problem["source"], &problem["lost"]), (&Value::Null, &true.into()), "{json:#}");
}
