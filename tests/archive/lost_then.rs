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
