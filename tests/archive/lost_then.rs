//! An archive as it was, of which damage took what it was: that is said of the messages it is of, and of no others.

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use super::past::exported_with;
use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

/// A message that said something else every night, and one that never did.
struct Edited {
    program: Program,
    mac: Device,
    exports: std::cell::Cell<usize>,
}

impl Edited {
    fn new() -> Edited {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        mac.receive("A", 0, START, "first");
        mac.receive("B", 0, START + 1, "always");
        let edited = Edited { program, mac, exports: std::cell::Cell::new(0) };
        edited.night(1);
        for (day, text) in [(2, "second"), (3, "third")] {
            edited.mac.edit("A", START + day * DAY - 3600, text);
            edited.night(day);
        }
        edited
    }

    fn archive(&self) -> PathBuf {
        self.program.path().join("archive")
    }

    fn night(&self, day: i64) -> Vec<String> {
        add(&self.archive(), &[&self.mac.folder], START + day * DAY).unwrap().lost
    }

    fn sql(&self, sql: &str) {
        let db = Connection::open(self.archive().join("chat.db")).unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
    }

    fn verify(&self, code: i32) {
        self.program.run(&["verify", "archive"]).with_code(code);
    }

    /// What A says in an export, and what is said of that. `day`: as of half a day after that night; `None`: now.
    #[track_caller]
    fn says(&self, day: Option<i64>, code: i32) -> (String, Option<String>) {
        let number = self.exports.replace(self.exports.get() + 1);
        let then = day.map(|day| {
            let at = START + day * DAY + DAY / 2 + 978_307_200;
            chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M").to_string()
        });
        let more = then.as_deref().map(|then| vec!["--as-of", then]).unwrap_or_default();
        let messages = exported_with(&self.program, code, &format!("out-{number}"), &more);
        let told = |message: &Value| message["damaged"][0].as_str().map(str::to_owned);
        assert_eq!((messages[1]["text"].as_str(), told(&messages[1])), (Some("always"), None));
        let text = format!("{}", serde_json::to_value(&messages).unwrap());
        assert!(!text.contains("forged") || messages[0]["text"] == "forged", "{text}");
        (messages[0]["text"].as_str().unwrap_or_default().to_owned(), told(&messages[0]))
    }
}

#[track_caller]
fn is(told: (String, Option<String>), text: &str, words: Option<&str>) {
    let says = told.1.as_deref().unwrap_or_default();
    assert_eq!((&*told.0, told.1.is_some()), (text, words.is_some()), "{says}");
    assert!(says.contains(words.unwrap_or_default()), "{says}");
}

const DAMAGED: Option<&str> = Some("is damaged in the archive");
const LOST: Option<&str> = Some("what it was then is lost");

#[test]
fn a_former_state() {
    let edited = Edited::new();
    edited.sql("UPDATE msgarchive_message_version SET text = 'forged', attributedBody = NULL WHERE msgarchive_since = 1");
    // Nobody verified it yet.
    is(edited.says(Some(1), 3), "forged", DAMAGED);
    is(edited.says(Some(2), 3), "second", None);
    is(edited.says(None, 3), "third", None);
    edited.verify(3);
    assert_eq!(edited.night(4).len(), 1);
    edited.verify(0);
    // It was given up: what is shown is not what was said then, and the others are what they were.
    is(edited.says(Some(1), 3), "third", LOST);
    is(edited.says(Some(2), 0), "second", None);
    is(edited.says(Some(3), 0), "third", None);
    is(edited.says(Some(4), 0), "third", None);
    is(edited.says(None, 0), "third", None);
}

#[test]
fn two_former_states() {
    let edited = Edited::new();
    edited.sql("UPDATE msgarchive_message_version SET text = 'forged', attributedBody = NULL");
    edited.verify(3);
    assert_eq!(edited.night(4).len(), 2);
    for day in 1..3 {
        is(edited.says(Some(day), 3), "third", LOST);
    }
    is(edited.says(Some(3), 0), "third", None);
}

/// What is shown now was given up, and what it was before that: nothing of it is anybody's words, at any time.
#[test]
fn what_is_shown() {
    let mut edited = Edited::new();
    edited.mac.remove("A", true, "deleted");
    edited.night(4);
    edited.sql("UPDATE msgarchive_message_version SET text = 'forged', attributedBody = NULL WHERE msgarchive_since = 2");
    edited.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'A'");
    is(edited.says(Some(1), 3), "first", DAMAGED);
    is(edited.says(Some(2), 3), "forged", DAMAGED);
    edited.sql("UPDATE msgarchive_message_version SET text = 'forged', attributedBody = NULL WHERE msgarchive_since = 1");
    edited.verify(3);
    assert_eq!(edited.night(5).len(), 3);
    for day in 1..5 {
        is(edited.says(Some(day), 3), "forged", DAMAGED);
    }
    is(edited.says(None, 3), "forged", DAMAGED);
}

/// What is shown now was given up, and what it was before that came later: that is as it was.
#[test]
fn what_came_back_after_that() {
    let mut edited = Edited::new();
    crate::support::tree::copy(&edited.archive(), &edited.program.path().join("copy"));
    edited.mac.remove("A", true, "deleted");
    edited.night(4);
    edited.sql("UPDATE msgarchive_message_version SET text = 'forged', attributedBody = NULL");
    edited.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'A'");
    edited.verify(3);
    assert_eq!(edited.night(5).len(), 3);
    add(&edited.archive(), &[&edited.program.path().join("copy")], START + 6 * DAY).unwrap();
    edited.verify(0);
    is(edited.says(None, 0), "third", None);
    for (day, text) in [(1, "first"), (2, "second"), (3, "third"), (4, "third"), (5, "third")] {
        is(edited.says(Some(day), 0), text, None);
    }
}

/// What lies there since a message was given up is nobody's words either once the message was edited, or what it was is here again.
#[test]
fn what_was_shown_meanwhile() {
    for comes_back in [false, true] {
        let edited = Edited::new();
        let (mac, copy) = (&edited.mac.folder, edited.program.path().join("copy"));
        crate::support::tree::copy(&edited.archive(), &copy);
        // The Mac has it no more, and has it again, and edited.
        let away = edited.program.path().join("away");
        crate::support::tree::copy(mac, &away);
        edited.mac.run("DELETE FROM message WHERE guid = 'A'", []);
        edited.night(4);
        edited.sql("DELETE FROM msgarchive_message_version");
        edited.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'A'");
        edited.verify(3);
        assert!(!edited.night(5).is_empty());
        is(edited.says(None, 3), "forged", DAMAGED);
        let db = Connection::open(away.join("chat.db")).unwrap();
        let then = (START + 6 * DAY) * 1_000_000_000;
        db.execute("UPDATE message SET text = 'fourth', date_edited = ?1 WHERE guid = 'A'", [then]).unwrap();
        drop(db);
        if comes_back {
            add(&edited.archive(), &[&copy], START + 6 * DAY).unwrap();
            edited.verify(0);
            is(edited.says(None, 0), "third", None);
        }
        add(&edited.archive(), &[&away], START + 7 * DAY).unwrap();
        edited.verify(0);
        is(edited.says(None, 0), "fourth", None);
        is(
            edited.says(Some(3), if comes_back { 0 } else { 3 }),
            if comes_back { "third" } else { "fourth" },
            if comes_back { None } else { LOST },
        );
        is(
            edited.says(Some(5), if comes_back { 0 } else { 3 }),
            if comes_back { "third" } else { "fourth" },
            if comes_back { None } else { LOST },
        );
        let told = edited.program.run(&["history", "archive", "--message", "A", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        for version in told["versions"].as_array().unwrap() {
            assert_eq!(version["text"] == "forged", version["what"] == "damaged", "{told:#}");
        }
        let told = edited.program.run(&["history", "archive", "--changed"]).with_code(0).out;
        assert!(!told.contains("forged"), "{told}");
        if !comes_back {
            // And what it was comes when something else is shown already.
            let record = add(&edited.archive(), &[&copy], START + 8 * DAY).unwrap();
            assert!(!record.found_again.is_empty(), "{record:?}");
            edited.verify(0);
            is(edited.says(None, 0), "fourth", None);
            is(edited.says(Some(3), 0), "third", None);
        }
    }
}

/// The row is gone, and what it was before is shown instead.
#[test]
fn what_was_last() {
    let mut edited = Edited::new();
    edited.mac.remove("A", true, "deleted");
    edited.night(4);
    let db = Connection::open(edited.archive().join("chat.db")).unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM message WHERE guid = 'A'").unwrap();
    drop(db);
    edited.verify(3);
    assert_eq!(edited.night(5).len(), 1);
    is(edited.says(Some(1), 0), "first", None);
    is(edited.says(Some(3), 3), "second", LOST);
    is(edited.says(Some(2), 0), "second", None);
}

/// What was damaged was edited where it came from before that was found: the edit is what somebody said, and what was before it is
/// lost.
#[test]
fn what_was_edited_meanwhile() {
    let edited = Edited::new();
    edited.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE guid = 'A'");
    edited.verify(3);
    edited.mac.edit("A", START + 4 * DAY, "fourth");
    edited.night(5);
    edited.verify(0);
    is(edited.says(None, 0), "fourth", None);
    is(edited.says(Some(2), 0), "second", None);
    is(edited.says(Some(3), 3), "fourth", LOST);
}
