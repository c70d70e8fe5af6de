//! `doctor` has the scheduler try whether the schedule can read the source, where nobody looks on.

use std::fs;

use serde_json::Value;

use super::stage::Stage;
use crate::support::tree;

/// A schedule that reads the library, and a scheduler that starts it when it is asked to.
fn installed(system: &str) -> (Stage, String) {
    let stage = Stage::new();
    let library = stage.library();
    stage.install(&["--system", system, "--source", &library]).with_code(0);
    let start =
        format!("{} schedule run --job '{}'", env!("CARGO_BIN_EXE_msgarchive"), job(&stage).display());
    fs::write(stage.path("fakes/start"), start).unwrap();
    stage.told();
    (stage, library)
}

fn job(stage: &Stage) -> std::path::PathBuf {
    stage.folder().join("schedule.json")
}

/// What `doctor` says of it.
fn nightly(stage: &Stage, library: &str) -> Value {
    let out = stage.run(&["doctor", "--source", library, "--json"]).out;
    let value: Value = serde_json::from_str(&out).unwrap();
    let checks = value["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == "nightly").unwrap().clone()
}

#[test]
fn a_schedule_that_can_read_does_so_and_changes_nothing() {
    let (stage, library) = installed("systemd");
    let check = nightly(&stage, &library);
    assert_eq!(
        (&check["status"], &check["evidence"]["scheduler"]),
        (&"ok".into(), &"systemd".into()),
        "{check}"
    );
    assert_eq!(stage.told(), "systemctl --user start msgarchive-schedule.service\n");
    assert_eq!(tree::files(&stage.archive()), [], "it was tried, not done");
    for file in ["asked", "tried.json", "attempts.json"] {
        assert!(!stage.folder().join(file).exists(), "{file}");
    }
    let log = fs::read_to_string(stage.folder().join("schedule.log")).unwrap();
    assert!(log.contains("a run is tried") && log.contains("it would end with 0: new messages: 2"), "{log}");
    // One that is fed is as it was.
    stage.run(&["archive", "archive", "--source", &library]).with_code(0);
    // Whoever held the lock last is written in it.
    let files =
        || tree::files(&stage.archive()).into_iter().filter(|(name, _)| name != "lock").collect::<Vec<_>>();
    let before = files();
    assert_eq!(nightly(&stage, &library)["status"], "ok");
    assert_eq!(files(), before);
}

#[test]
fn a_schedule_that_may_not_read_is_a_problem_with_its_switch() {
    let (stage, library) = installed("systemd");
    stage.archive_program(
        "for a; do printf '[%s]' \"$a\"; done >FAKES/arguments
echo 'error: cannot read chat.db' >&2; echo 'caused by: Operation not permitted (os error 1)' >&2; exit 1",
    );
    let check = nightly(&stage, &library);
    let finding = "systemd started the program, and it failed: cannot read chat.db: Operation not permitted (os error 1).";
    assert_eq!((&check["status"], &check["finding"]), (&"problem".into(), &finding.into()), "{check}");
    assert!(check["remedy"].as_str().unwrap().contains("Full Disk Access"), "{check}");
    let arguments = fs::read_to_string(stage.path("fakes/arguments")).unwrap();
    assert!(arguments.contains("[--dry-run]"), "{arguments}");
    stage.run(&["doctor", "--source", &library]).with_code(3);
}

#[test]
fn nothing_is_started_for_what_the_schedule_does_not_read() {
    let (stage, library) = installed("systemd");
    let other = format!("{library}-other");
    fs::create_dir(&other).unwrap();
    fs::copy(stage.path("Messages/chat.db"), format!("{other}/chat.db")).unwrap();
    let check = nightly(&stage, &other);
    assert!(check["finding"].as_str().unwrap().starts_with("No schedule does"), "{check}");
    assert_eq!((&check["status"], stage.told()), (&"unknown".into(), String::new()));
}

#[test]
fn a_scheduler_that_cannot_be_asked_says_so() {
    let (stage, library) = installed("cron");
    let check = nightly(&stage, &library);
    let finding = "cron could not be asked: cron starts nothing on request.";
    assert_eq!((&check["status"], &check["finding"]), (&"unknown".into(), &finding.into()), "{check}");
}
