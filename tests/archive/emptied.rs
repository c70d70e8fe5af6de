//! A library that is suddenly empty, a disk that is not there: nothing is lost, and somebody is told.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::device::Device;
use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

fn mac(folder: &Path, prefix: &str, messages: i64) -> Device {
    let _ = fs::remove_dir_all(folder);
    let mut mac = Device::new(folder, Schema::MACOS_26);
    for number in 0..messages {
        mac.receive(&format!("{prefix}-{number}"), 0, START + number, &format!("{prefix} {number}"));
    }
    mac
}

#[test]
fn a_library_that_is_suddenly_empty_is_told_of() {
    let program = Program::new();
    let folder = program.path().join("mac");
    let in_a_line = |words: &str| words.split_whitespace().collect::<Vec<_>>().join(" ");
    drop(mac(&folder, "M", 3));
    let ran = program.run(&["archive", "a", "-s", "mac"]).with_code(0);
    assert!(ran.out.starts_with("Began a new archive at a, run 1\n"), "{}", ran.out);
    assert_eq!(ran.err, "");
    drop(mac(&folder, "M", 0));
    for _ in 0..2 {
        let ran = program.run(&["archive", "a", "-s", "mac"]).with_code(0);
        let told = in_a_line(&ran.err);
        assert!(
            told.contains("mac/chat.db holds no messages, where it had 3 when it was read before"),
            "{told}"
        );
        assert!(ran.out.contains("Messages and tapbacks: nothing new"), "{}", ran.out);
    }
    // Nothing is called deleted, nor is everything said to be there still.
    let gone = in_a_line(&program.run(&["history", "a", "--deleted"]).with_code(0).out);
    assert!(gone.starts_with("Nothing is known to be gone."), "{gone}");
    assert!(gone.contains("was not read by the last run"), "{gone}");
    drop(mac(&folder, "N", 5));
    let ran = program.run(&["archive", "a", "-s", "mac"]).with_code(0);
    assert_eq!(ran.err, "");
    let json = program.run(&["history", "a", "--json"]).with_code(0).out;
    let history: Value = serde_json::from_str(&json).unwrap();
    let sources = history["sources"].as_array().unwrap();
    let known = |of: &str| -> Vec<&Value> { sources.iter().map(|source| &source[of]).collect() };
    assert_eq!(known("messages"), [3, 5]);
    assert_eq!(known("kind"), ["library", "library"]);
    assert_eq!(known("last_read")[1], "2023-11-14T22:13:20Z");
    let words = in_a_line(&program.run(&["history", "a"]).with_code(0).out);
    assert!(words.contains("mac/chat.db (library): 3 messages; read 2023-11-14 23:13"), "{words}");
}

/// In its file, so that SQLite knows which row ids it gave away: an account that was signed out.
#[test]
fn a_library_that_is_emptied_has_deleted_nothing_but_what_it_lists() {
    let program = Program::new();
    let device = mac(&program.path().join("mac"), "M", 3);
    program.run(&["archive", "a", "-s", "mac"]).with_code(0);
    device
        .db
        .execute_batch(
            "DELETE FROM chat_message_join; DELETE FROM message; DELETE FROM chat; DELETE FROM deleted_messages;
             INSERT INTO deleted_messages (guid) VALUES ('M-1');",
        )
        .unwrap();
    for night in 0..2 {
        let ran = program.run(&["archive", "a", "-s", "mac"]).with_code(0);
        assert!(ran.err.contains("holds no messages"), "{}", ran.err);
        let deleted = ran.out.contains("1 deleted with their conversation; kept here");
        assert_eq!(deleted, night == 0, "{}", ran.out);
        let told = program.run(&["history", "a", "--deleted", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let told: Vec<&str> =
            told["messages"].as_array().unwrap().iter().map(|gone| gone["guid"].as_str().unwrap()).collect();
        assert_eq!(told, ["M-1"]);
    }
}

#[test]
fn where_every_source_is_seen_nothing_is_gone() {
    let program = Program::new();
    drop(mac(&program.path().join("mac"), "M", 3));
    program.run(&["archive", "a", "-s", "mac"]).with_code(0);
    let gone = program.run(&["history", "a", "--deleted"]).with_code(0).out;
    assert_eq!(gone, "Nothing is gone: every source has all that it ever had.\n");
}

/// A disk that is not connected: no folder is made where it should be.
#[cfg(unix)]
#[test]
fn no_archive_is_begun_where_a_disk_should_be() {
    let program = Program::new();
    drop(mac(&program.path().join("mac"), "M", 1));
    for more in [&[][..], &["--dry-run"]] {
        let archive = ["archive", "/Volumes/No Such Disk/of msgarchive/archive", "-s", "mac"];
        let ran = program.run(&[&archive[..], more].concat()).with_code(1);
        assert!(ran.err.contains("there is no folder /Volumes/No Such Disk/of msgarchive"), "{}", ran.err);
        assert!(!Path::new("/Volumes/No Such Disk").exists());
    }
    // Elsewhere folders are made, and it is said that it is a new one.
    let ran = program.run(&["archive", "new/path", "-s", "mac", "--dry-run"]).with_code(0);
    assert!(ran.out.starts_with("Would begin a new archive at new/path, and did not:\n"), "{}", ran.out);
    assert!(!program.path().join("new").exists());
    program.run(&["archive", "new/path", "-s", "mac"]).with_code(0);
    let ran = program.run(&["archive", "new/path", "-s", "mac"]).with_code(0);
    assert!(ran.out.starts_with("Added to new/path, run 2\n"), "{}", ran.out);
}
