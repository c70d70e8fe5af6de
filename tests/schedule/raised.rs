//! What is wrong though a run went well: that is an alarm, and help is called for once, not every night.

use std::fs;

use serde_json::Value;

use super::stage::{DAY, Stage};
use crate::support::{Library, Schema};

const CALL: &str = "echo \"$MSGARCHIVE_EXIT $MSGARCHIVE_REASON\" >>\"$HOME/help\"";

/// The program is told to call for help, and to read a library that is there.
fn installed() -> Stage {
    let stage = Stage::new();
    let source = stage.library();
    stage.install(&["--system", "systemd", "--on-failure", CALL, "--source", &source]).with_code(0);
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    stage
}

fn help(stage: &Stage) -> String {
    fs::read_to_string(stage.program.home().join("help")).unwrap_or_default()
}

#[test]
fn a_library_that_is_suddenly_empty() {
    let mut stage = installed();
    stage.run(&["schedule", "run"]).with_code(0);
    assert_eq!((stage.status(0)["alarm"].clone(), &*help(&stage)), (Value::Null, ""));
    let full = fs::read(stage.path("Messages/chat.db")).unwrap();
    fs::remove_dir_all(stage.path("Messages")).unwrap();
    fs::create_dir(stage.path("Messages")).unwrap();
    Library::new(Schema::MACOS_26).write(&stage.path("Messages"));
    let mut said = String::new();
    for _ in 0..3 {
        stage.later(DAY);
        said = stage.run(&["schedule", "run"]).with_code(0).out;
        let status = stage.status(3);
        assert_eq!(status["alarm"]["kind"], "emptied", "{status}");
        let what = status["alarm"]["what"].as_str().unwrap();
        assert!(what.contains("had 2"), "{what}");
        assert_eq!(said, format!("new messages: 0; {what}\n"));
        assert_eq!(help(&stage), format!("0 {said}"), "once");
    }
    stage.later(DAY);
    fs::write(stage.path("Messages/chat.db"), full).unwrap();
    stage.run(&["schedule", "run"]).with_code(0);
    assert_eq!((stage.status(0)["alarm"].clone(), help(&stage)), (Value::Null, format!("0 {said}")));
}

/// The run after it is the last one that can tell: then the last run is of no wrong clock any more.
#[test]
fn a_clock_that_was_ahead() {
    let mut stage = installed();
    stage.archive_that_adds(1);
    stage.at("2036-06-01T12:00:00Z").run(&["schedule", "run"]).with_code(0);
    stage.archive_run(0, 1);
    assert_eq!(help(&stage), "");
    stage.at("2023-11-15T04:00:00Z");
    let what = stage.status(3)["alarm"]["what"].as_str().unwrap().to_owned();
    assert!(what.contains("2036-06-01 14:00"), "{what}");
    let said = stage.run(&["schedule", "run"]).with_code(0).out;
    assert_eq!((said.clone(), help(&stage)), (format!("new messages: 1; {what}\n"), format!("0 {said}")));
    stage.archive_run_numbered(0, 1, 2);
    stage.later(DAY).run(&["schedule", "run"]).with_code(0);
    stage.archive_run_numbered(0, 1, 3);
    assert_eq!((stage.status(0)["alarm"].clone(), help(&stage)), (Value::Null, format!("0 {said}")));
}

/// A message is damaged in the archive, and its source has it no more: the run that gives it up calls for help once, and that
/// is an alarm for a week, whatever runs after it.
#[test]
fn damage_that_nothing_can_put_right() {
    let mut stage = installed();
    stage.run(&["schedule", "run"]).with_code(0);
    let library = rusqlite::Connection::open(stage.path("Messages/chat.db")).unwrap();
    library
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DELETE FROM chat_message_join WHERE message_id = 1; DELETE FROM message WHERE ROWID = 1;",
        )
        .unwrap();
    drop(library);
    stage.later(DAY).run(&["schedule", "run"]).with_code(0);
    let archive = rusqlite::Connection::open(stage.archive().join("chat.db")).unwrap();
    let forged = "UPDATE message SET text = 'forged', attributedBody = NULL WHERE ROWID = 1";
    assert_eq!(archive.execute(forged, []).unwrap(), 1);
    drop(archive);
    let path = stage.archive().display().to_string();
    stage.run(&["verify", &path]).with_code(3);
    assert_eq!((stage.status(0)["alarm"].clone(), &*help(&stage)), (Value::Null, ""));

    let said = stage.later(DAY).run(&["schedule", "run"]).with_code(3).out;
    let status = stage.status(3);
    assert_eq!(status["alarm"]["kind"], "damaged", "{status}");
    let what = status["alarm"]["what"].as_str().unwrap().to_owned();
    assert!(what.contains("a message, as it was: it is shown as it lies there, damaged"), "{what}");
    assert_eq!(said, format!("new messages: 0; {what}\n"));
    assert_eq!(help(&stage), format!("3 {said}"));
    assert_eq!(stage.attempts().last().unwrap()["incomplete"], Value::Null);
    stage.run(&["verify", &path]).with_code(0);
    for _ in 0..6 {
        stage.later(DAY).run(&["schedule", "run"]).with_code(0);
        assert_eq!(stage.status(3)["alarm"]["what"], *what);
    }
    stage.later(DAY).run(&["schedule", "run"]).with_code(0);
    assert_eq!((stage.status(0)["alarm"].clone(), help(&stage)), (Value::Null, format!("3 {said}")), "once");
}

/// What another source may have is damaged until that one is read.
#[test]
fn damage_that_another_source_can_put_right() {
    let mut stage = installed();
    stage.run(&["schedule", "run"]).with_code(0);
    crate::support::tree::copy(&stage.path("Messages"), &stage.path("other"));
    let (path, other) = (stage.archive().display().to_string(), stage.path("other").display().to_string());
    stage.later(DAY).run(&["archive", &path, "-s", &other, "--contacts", "none"]).with_code(0);
    fs::remove_file(stage.path("Messages/chat.db")).unwrap();
    Library::new(Schema::MACOS_26).write(&stage.path("Messages"));
    stage.later(DAY).run(&["schedule", "run"]).with_code(0);
    let archive = rusqlite::Connection::open(stage.archive().join("chat.db")).unwrap();
    let forged = "UPDATE message SET text = 'forged', attributedBody = NULL WHERE ROWID = 1";
    assert_eq!(archive.execute(forged, []).unwrap(), 1);
    drop(archive);
    stage.run(&["verify", &path]).with_code(3);
    let called = help(&stage);
    for _ in 0..2 {
        let said = stage.later(DAY).run(&["schedule", "run"]).with_code(3).out;
        let status = stage.status(3);
        assert_eq!(status["alarm"]["kind"], "damaged", "{status}");
        assert!(status["alarm"]["what"].as_str().unwrap().contains("/other/chat.db may have it"), "{status}");
        assert_eq!(help(&stage), format!("{called}3 {said}"), "once");
    }
    stage.later(DAY).run(&["archive", &path, "-s", &other, "--contacts", "none"]).with_code(0);
    assert_ne!(stage.status(3)["alarm"]["kind"], "damaged", "the library is empty, and that is all");
}
