//! An archive that goes bad while nobody looks at it.

use std::fs;

use serde_json::Value;

use super::stage::{DAY, Stage};

#[test]
fn once_a_week_the_archive_is_verified() {
    let mut stage = Stage::new();
    let library = stage.library();
    let command = "echo \"$MSGARCHIVE_EXIT $MSGARCHIVE_REASON\" >>\"$HOME/help\"";
    stage.install(&["--system", "systemd", "--source", &library, "--on-failure", command]).with_code(0);
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    let run = |stage: &Stage, code| stage.run(&["schedule", "run"]).with_code(code).out;
    let help = |stage: &Stage| fs::read_to_string(stage.program.home().join("help")).unwrap_or_default();
    run(&stage, 0);
    assert_eq!(stage.status(0)["verified"], Value::Null);
    let database = rusqlite::Connection::open(stage.archive().join("chat.db")).unwrap();
    assert_eq!(database.execute("UPDATE message SET text = 'forged' WHERE ROWID = 1", []).unwrap(), 1);
    drop(database);
    stage.later(6 * DAY);
    run(&stage, 0);
    assert_eq!((&stage.status(0)["verified"], &*help(&stage)), (&Value::Null, ""), "not yet");

    stage.later(DAY);
    let said = run(&stage, 3);
    let what = "it is damaged: ";
    assert!(
        said.starts_with("new messages: 0; the archive was verified, and ") && said.contains(what),
        "{said}"
    );
    assert_eq!(help(&stage), format!("3 {said}"));
    let status = stage.status(3);
    assert_eq!(status["alarm"]["kind"], "damaged");
    assert!(status["alarm"]["what"].as_str().unwrap().contains(what), "{status}");
    assert_eq!(status["verified"]["date"], "2023-11-21T22:13:20Z");
    assert!(status["verified"]["problem"].as_str().unwrap().starts_with(what), "{status}");
    let words = stage.run(&["schedule", "status"]).with_code(3).out;
    assert!(words.contains("verified   2023-11-21 23:13: damaged"), "{words}");

    // The next run mends it, and looks whether it did.
    stage.later(DAY);
    run(&stage, 0);
    let status = stage.status(0);
    assert_eq!(status["verified"], serde_json::json!({ "date": "2023-11-22T22:13:20Z", "problem": null }));
    assert_eq!(help(&stage), format!("3 {said}"), "nobody is called for that");
    stage.later(DAY);
    run(&stage, 0);
    assert_eq!(stage.status(0)["verified"]["date"], "2023-11-22T22:13:20Z");
    assert_eq!(stage.attempts().last().unwrap()["verified"], Value::Null);
}

/// One that cannot be verified is not whole for that.
#[test]
fn an_archive_that_cannot_be_verified() {
    let mut stage = Stage::new();
    stage.install(&["--system", "systemd"]).with_code(0);
    stage.archive_program(
        "case $1 in verify) echo 'error: cannot read chat.db: Input/output error' >&2; exit 1;; *) echo '{\"added\":1}';; esac",
    );
    stage.archive_run(0, 1);
    stage.run(&["schedule", "run"]).with_code(0);
    stage.later(7 * DAY);
    stage.archive_run(0, 1);
    let said = stage.run(&["schedule", "run"]).with_code(3).out;
    let problem = "it could not be verified: cannot read chat.db: Input/output error";
    assert_eq!(said, format!("new messages: 1; the archive was verified, and {problem}\n"));
    assert_eq!(stage.status(3)["verified"]["problem"], problem);
}

/// A clock that was ahead for one night does not keep the archive from being looked at until then.
#[test]
fn a_look_of_the_future_is_none() {
    let mut stage = Stage::new();
    stage.install(&["--system", "systemd"]).with_code(0);
    stage.archive_program("case $1 in verify) echo '{}';; *) echo '{\"added\":1}';; esac");
    stage.archive_run(0, 1);
    for (day, verified) in [
        ("2023-11-15T03:00:00Z", false),
        ("2036-06-01T03:00:00Z", true),
        ("2023-11-16T03:00:00Z", true),
        ("2023-11-17T03:00:00Z", false),
    ] {
        stage.at(day).run(&["schedule", "run"]).with_code(0);
        let is_verified = !stage.attempts().last().unwrap()["verified"].is_null();
        assert_eq!(is_verified, verified, "{day}");
    }
}
