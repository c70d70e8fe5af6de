//! Two sources side by side.

mod contradicting;
mod hanging_together;
mod matching;
mod reasons;
mod shown;
mod sides;

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use serde_json::Value;

use crate::program::{Program, Ran};
use crate::support::{Library, Schema};

/// Two libraries in a place of their own.
struct Two {
    program: Program,
}

impl Two {
    /// `left` and `right`, folders of these libraries.
    fn of(left: &Library, right: &Library) -> Two {
        let two = Two { program: Program::new() };
        left.write(&two.program.path().join("left"));
        right.write(&two.program.path().join("right"));
        two
    }

    /// One library twice, the right one changed.
    fn changed(library: &Library, sql: &str) -> Two {
        let two = Two::of(library, library);
        two.change("right", sql);
        two
    }

    /// Changes a side against Messages' own rules.
    fn change(&self, side: &str, sql: &str) {
        let db = Connection::open(self.program.path().join(side).join("chat.db")).unwrap();
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    }

    fn run(&self, more: &[&str]) -> Ran {
        self.program.run(&[&["compare", "left", "right"], more].concat())
    }

    /// What `--json` prints. The exit code says the same.
    fn json(&self, more: &[&str]) -> Value {
        let ran = self.run(&[more, &["--json"]].concat());
        let object: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        let equal = object["equal"].as_bool().unwrap();
        assert_eq!(ran.code, Some(if equal { 0 } else { 3 }), "{ran:?}");
        object
    }
}

/// `both`, `only_left`, `only_right`, `different`.
fn counts(object: &Value) -> [u64; 4] {
    ["both", "only_left", "only_right", "different"].map(|key| object[key].as_u64().unwrap())
}

/// Of each message that makes a difference: side, what, reason.
fn found(object: &Value) -> Vec<String> {
    let messages = object["messages"].as_array().unwrap().iter();
    let words = messages.map(|message| {
        let what: Vec<&str> =
            message["what"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
        let reason = message["reason"].as_str().unwrap_or_default();
        format!("{} {}{reason}", message["side"].as_str().unwrap(), what.join("+"))
    });
    words.collect()
}

/// A conversation with Ana: four messages, all synced, with two days between them.
fn ana() -> Library {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for (day, text) in [(1, "one"), (3, "two"), (5, "three"), (7, "four")] {
        let at = format!("2024-05-{day:02}T10:00:00.5Z");
        library.message(chat).at(&at).text(text).raw("ck_sync_state", 1).raw("ck_record_id", text);
    }
    library
}

/// Removes messages from a side, with all that leads to them.
fn remove(rows: &str) -> String {
    format!(
        "DELETE FROM chat_message_join WHERE message_id IN ({rows}); DELETE FROM message WHERE ROWID IN ({rows});"
    )
}

#[test]
fn equal_libraries_are_equal() {
    let two = Two::of(&ana(), &ana());
    let ran = two.run(&[]).with_code(0);
    assert!(ran.out.contains("Both sides have the same 4 messages."), "{}", ran.out);
    let object = two.json(&[]);
    assert_eq!((counts(&object), object["messages"].as_array().unwrap().len()), ([4, 0, 0, 0], 0));
    assert_eq!(object["conversations"][0]["title"], "+12025550143");
}

#[test]
fn every_difference_is_named() {
    let library = |change: u8| {
        let mut library = Library::new(Schema::MACOS_15);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let picture = library.attachment("a.jpg");
        let picture = if change == 3 { picture.in_icloud() } else { picture.bytes(*b"picture") }.id();
        let message = library.message(chat).at("2024-05-01T10:00:00Z").text("sent");
        let message = if change == 1 { message.edit("2024-05-01T10:05:00Z", "edited") } else { message };
        if change == 2 {
            message.unsend("2024-05-01T10:01:00Z");
        }
        let received = library.message(chat).attachment(picture);
        received.raw("is_read", change != 4);
        library.message(chat).from_me().text("and this").raw("date_read", i64::from(change == 5));
        library
    };
    for (change, expect) in [(1, "edited"), (2, "unsent"), (3, "attachment"), (4, "read"), (5, "read")] {
        let object = Two::of(&library(0), &library(change)).json(&[]);
        assert_eq!(found(&object), [format!("both {expect}")], "{change}");
        assert_eq!((counts(&object), &object["what"][expect]), ([3, 0, 0, 1], &Value::from(1)));
    }
}

#[test]
fn neither_side_is_touched() {
    let two = Two::changed(&ana(), &remove("2"));
    let state = |side: &str| {
        let folder = two.program.path().join(side);
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
        files.sort_by_key(|file| file.file_name());
        let facts = |file: &std::fs::DirEntry| {
            (
                file.file_name(),
                file.metadata().unwrap().modified().unwrap(),
                std::fs::read(file.path()).unwrap(),
            )
        };
        files.iter().map(facts).collect::<Vec<_>>()
    };
    let before = [state("left"), state("right")];
    two.run(&["--html", "page.html"]).with_code(3);
    assert_eq!(before, [state("left"), state("right")]);
    assert!(two.program.left_in_tmp().is_empty());
}

#[test]
fn a_selection_shapes_what_is_reported_and_not_what_is_known() {
    let mut library = ana();
    let ben = library.handle("ben@example.com", "SMS");
    let chat = library.direct(ben);
    library.message(chat).at("2024-06-01T10:00:00Z").text("hello");
    library.message(chat).at("2024-06-03T10:00:00Z").text("again");
    let two = Two::changed(&library, &remove("2, 5"));
    assert_eq!(counts(&two.json(&[])), [4, 2, 0, 0]);
    assert_eq!(counts(&two.json(&["--only", "ben@example.com"])), [1, 1, 0, 0]);
    assert_eq!(counts(&two.json(&["--exclude", "ben@example.com"])), [3, 1, 0, 0]);
    assert_eq!(counts(&two.json(&["--since", "2024-05-04", "--until", "2024-06-02"])), [2, 1, 0, 0]);
    assert_eq!(counts(&two.json(&["--service", "sms"])), [1, 1, 0, 0]);
    let nothing = two.json(&["--since", "2030-01-01"]);
    assert_eq!((counts(&nothing), &nothing["equal"]), ([0, 0, 0, 0], &Value::from(true)));
    let ran = two.run(&["--only", "bem@example.com"]).with_code(1);
    assert!(ran.err.contains("the nearest are \"ben@example.com\""), "{}", ran.err);
}

#[test]
fn the_same_bytes_whatever_the_number_of_workers() {
    let program = Program::new();
    let crowd = crate::support::crowd::Crowd { messages: 4_000, conversations: 12, files: false };
    let two = Two { program };
    for side in ["left", "right"] {
        crowd.write(&two.program.path().join(side)).unwrap();
    }
    two.change(
        "right",
        &format!(
            "UPDATE message SET guid = 'X-' || ROWID WHERE ROWID % 7 = 0; {}",
            remove("SELECT ROWID FROM message WHERE ROWID % 11 = 0")
        ),
    );
    let outputs: Vec<(String, Vec<u8>)> = ["1", "2", "8"]
        .iter()
        .map(|jobs| {
            let ran = two.run(&["--jobs", jobs, "--json", "--html", "page.html"]).with_code(3);
            (ran.out, std::fs::read(two.program.path().join("page.html")).unwrap())
        })
        .collect();
    assert!(outputs[0] == outputs[1] && outputs[0] == outputs[2]);
    let object: Value = serde_json::from_str(&outputs[0].0).unwrap();
    assert!(object["restored"].as_u64().unwrap() > 300, "{}", object["restored"]);
    assert!(counts(&object)[1] > 250 && counts(&object)[2] == 0, "{:?}", counts(&object));
}

/// The folder of a path, in the words of the command line.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
