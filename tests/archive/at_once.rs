//! Several processes at once: what one of them reads is one moment of what the other one writes, or it says that it was
//! not to be had.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use msgarchive::archive::check;
use rusqlite::Connection;
use serde_json::Value;

use super::crash::start;
use super::writing::{self, Writer, is_one_moment};
use crate::program::Program;
use crate::support::tree;

/// What an archive holds: one moment of the library after another.
#[track_caller]
fn holds_moments(archive: &Path, when: &str) {
    assert_eq!(check(archive, true, 2, &()).unwrap().problems, [], "{when}");
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let mut statement = db
        .prepare(
            "SELECT m.guid, m.text, b.added, b.since, a.reason, a.run, \
               (SELECT group_concat(v.msgarchive_since || ' ' || v.text, ', ') \
                FROM msgarchive_message_version v WHERE v.msgarchive_id = m.ROWID) \
             FROM message m JOIN msgarchive_message b ON b.id = m.ROWID \
             LEFT JOIN msgarchive_absence a ON a.message = m.ROWID",
        )
        .unwrap();
    let seen = statement.query_map([], |row| {
        let (reason, gone): (Option<String>, Option<i64>) = (row.get(4)?, row.get(5)?);
        assert!(reason.is_none_or(|reason| reason == "deleted"), "{when}");
        let (added, since): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok((row.get(0)?, (row.get(1)?, (added, since, gone, row.get::<_, Option<String>>(6)?))))
    });
    is_one_moment(&seen.unwrap().map(Result::unwrap).collect::<BTreeMap<_, _>>(), when);
}

/// What an export with JSON Lines says.
fn exported(folder: &Path) -> BTreeMap<String, (String, Value)> {
    let mut seen = BTreeMap::new();
    for (path, bytes) in tree::files(folder) {
        if !path.ends_with(".jsonl") || path == "conversations.jsonl" {
            continue;
        }
        for line in String::from_utf8(bytes).unwrap().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            let text = message["text"].as_str().unwrap().to_owned();
            seen.insert(message["guid"].as_str().unwrap().to_owned(), (text, message["deleted"].clone()));
        }
    }
    seen
}

/// Archives and exports a library that is being written to. `refused`: it may say that it was not to be had.
fn beside_a_writer(how: &str, refused: &[&str]) {
    let program = Program::new();
    let library = writing::library(&program.path().join("library"));
    let writer = Writer::start(&library, how);
    for round in 0..12 {
        let when = format!("{how}, round {round}");
        let out = format!("out-{round}");
        let archiving = ["archive", "archive", "-s", "library"];
        let exporting = ["export", "-s", "library", "-f", "jsonl", "-o", &out, "--contacts", "none"];
        for arguments in [&archiving[..], &exporting] {
            let ran = program.run(arguments);
            let is_refused = ran.code == Some(1) && refused.iter().any(|why| ran.err.contains(why));
            assert!(ran.code == Some(0) || is_refused, "{when}: {ran:?}");
        }
        if program.path().join(&out).exists() {
            is_one_moment(&exported(&program.path().join(&out)), &when);
        }
    }
    drop(writer);
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    holds_moments(&program.path().join("archive"), how);
}

#[test]
fn one_that_writes_in_wal_mode() {
    beside_a_writer("wal", &[]);
}

#[test]
fn one_that_keeps_house() {
    beside_a_writer("housekeeping", &[]);
}

#[test]
fn one_that_comes_and_goes() {
    beside_a_writer("restarts", &["was changed while it was being read"]);
}

/// What it makes of a file, it makes of that file: never of the one before with the log of the next.
#[test]
fn one_that_is_replaced() {
    let gone = ["holds no chat.db", "there is nothing at", "was changed while it was being read"];
    beside_a_writer("replaced", &gone);
}

#[test]
fn one_that_writes_with_a_journal() {
    beside_a_writer("journal", &[]);
}

/// Runs that go on, each with news, while `beside` is called again and again.
fn beside_runs(program: &Program, mut beside: impl FnMut(u32)) {
    let library = writing::library(&program.path().join("library"));
    let mut db = Connection::open(library.join("chat.db")).unwrap();
    writing::write(&mut db, 1);
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let runs = scope.spawn(|| {
            for number in 2_i64.. {
                writing::write(&mut db, number);
                program.run(&["archive", "archive", "-s", "library"]).with_code(0);
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let done = catch_unwind(AssertUnwindSafe(|| {
            for round in 0..12 {
                beside(round);
                assert!(!runs.is_finished(), "a run failed");
            }
        }));
        is_over.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|panic| resume_unwind(panic));
    });
    holds_moments(&program.path().join("archive"), "in the end");
}

/// What is exported of an archive while runs add to it is one moment of it.
#[test]
fn an_export_beside_runs() {
    let program = Program::new();
    beside_runs(&program, |round| {
        let out = format!("out-{round}");
        let arguments =
            ["export", "-s", "archive", "-f", "jsonl,csv,txt,pdf", "-o", &out, "--contacts", "none"];
        program.run(&arguments).with_code(0);
        is_one_moment(&exported(&program.path().join(&out)), &out);
        program.run(&["verify", &out]).with_code(0);
    });
}

/// Nothing is found damaged that is only just being written; and whoever looks is answered.
#[test]
fn looking_beside_runs() {
    let program = Program::new();
    beside_runs(&program, |_| {
        let ran = program.run(&["verify", "archive", "--deep"]).with_code(0);
        assert!(ran.out.contains("Whole"), "{}", ran.out);
        let found = program.run(&["search", "archive", "state", "--json"]).with_code(0).out;
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["hits"].as_array().unwrap().len(), 2);
        assert_eq!(found["hits"][0]["text"], found["hits"][1]["text"]);
        let versions = ["X", "Y"].map(|guid| {
            let ran = program.run(&["history", "archive", "--message", guid, "--json"]).with_code(0);
            let versions: Value = serde_json::from_str(&ran.out).unwrap();
            versions["versions"].as_array().unwrap().len()
        });
        assert!(versions[0] <= versions[1], "{versions:?}");
        for looking in [&["list", "-s"][..], &["history"], &["history", "--deleted"], &["storage", "-s"]] {
            program.run(&[looking, &["archive"]].concat()).with_code(0);
        }
        for looking in [&["compare", "archive", "library"][..], &["doctor", "-s", "archive"]] {
            let ran = program.run(&[looking, &["--contacts", "none"]].concat());
            assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        }
    });
}

/// Whoever keeps a library locked is waited for, and not for ever.
#[test]
fn a_library_that_is_kept_locked() {
    let program = Program::new();
    let library = writing::library(&program.path().join("library"));
    let db = Connection::open(library.join("chat.db")).unwrap();
    db.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = start(&program, &["archive", "archive", "-s", "library"]);
    std::thread::sleep(Duration::from_secs(1));
    db.execute_batch("COMMIT").unwrap();
    assert!(run.wait_with_output().unwrap().status.success());
    db.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let ran = program.run(&["archive", "archive", "-s", "library"]).with_code(1);
    assert!(ran.err.contains("another program keeps library/chat.db locked"), "{}", ran.err);
    assert_eq!(check(&program.path().join("archive"), true, 1, &()).unwrap().problems, []);
}

/// A lock is of the archive, by whatever path it is named; and of a run that was killed there is none.
#[cfg(unix)]
#[test]
fn who_holds_an_archive_is_told_by_every_path() {
    let program = Program::new();
    writing::library(&program.path().join("library"));
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    std::os::unix::fs::symlink("archive", program.path().join("link")).unwrap();
    // A run that waits for a reader holds it.
    let reader = Connection::open(program.path().join("archive/chat.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM message").unwrap();
    Connection::open(program.path().join("library/chat.db"))
        .unwrap()
        .execute("UPDATE message SET text = 'news'", [])
        .unwrap();
    let mut run = start(&program, &["archive", "archive", "-s", "library"]);
    let held = format!("process {}, since 2023-11-14T22:13:20Z", run.id());
    while !fs::read_to_string(program.path().join("archive/lock-holder")).unwrap_or_default().contains(&held)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    let whole = program.path().join("link/../archive");
    for path in ["archive", "link", "./archive/../link", whole.to_str().unwrap()] {
        let ran = program.run(&["archive", path, "-s", "library"]).with_code(1);
        assert!(ran.err.contains("another run is adding to") && ran.err.contains(&held), "{}", ran.err);
    }
    // Who only wants to read it is told, too.
    let ran = program.run(&["list", "-s", "archive"]).with_code(1);
    let locked = "keeps archive/chat.db locked";
    assert!(ran.err.contains(locked) && ran.err.contains(&held), "{}", ran.err);
    run.kill().unwrap();
    run.wait().unwrap();
    reader.execute_batch("COMMIT").unwrap();
    program.run(&["archive", "link", "-s", "library"]).with_code(0);
    assert_eq!(check(&program.path().join("archive"), true, 1, &()).unwrap().problems, []);
}
