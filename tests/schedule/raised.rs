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
