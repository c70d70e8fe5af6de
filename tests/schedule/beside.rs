//! A schedule beside runs that somebody starts by hand: neither is in the other's way.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::stage::{DAY, Stage};

fn log(stage: &Stage) -> String {
    fs::read_to_string(stage.folder().join("schedule.log")).unwrap_or_default()
}

fn start(stage: &Stage, arguments: &[&str]) -> Child {
    stage.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// It is no failure, nobody is called, and what this schedule reads is fed when the other one is done.
#[test]
fn a_run_by_hand_is_let_finish() {
    let mut stage = Stage::new();
    let source = stage.library();
    stage
        .install(&["--system", "systemd", "--source", &source, "--on-failure", ": >\"$HOME/help\""])
        .with_code(0);
    stage.run(&["schedule", "run"]).with_code(0);
    stage.later(DAY);
    let lock = File::options().write(true).open(stage.archive().join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(stage.archive().join("lock-holder"), "process 7, since 2023-11-15T22:00:00Z\n").unwrap();
    let run = start(&stage, &["schedule", "run"]);
    let waits = "another run (process 7, since 2023-11-15T22:00:00Z) is adding to the archive: this one waits until it is done\n";
    let begun = Instant::now();
    while !log(&stage).ends_with(waits) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", log(&stage));
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = stage.status(0);
    assert_eq!((&status["running"], &status["alarm"]), (&true.into(), &Value::Null), "{status}");
    lock.unlock().unwrap();
    let ran = crate::program::ran(run.wait_with_output().unwrap()).with_code(0);
    assert_eq!(ran.out, "new messages: 0\n");
    assert_eq!((&stage.attempts()[1]["exit"], &stage.attempts()[1]["unheard"]), (&0.into(), &Value::Null));
    assert!(!stage.program.home().join("help").exists());
    assert_eq!(stage.status(0)["alarm"], Value::Null);
}

/// Whoever looks whether a run is going on has the lock as long as that takes: no other one takes that for a run.
#[test]
fn two_who_ask_how_it_went() {
    let stage = Stage::new();
    stage.install(&["--system", "systemd", "--source", &stage.library()]).with_code(0);
    stage.run(&["schedule", "run"]).with_code(0);
    let lock = File::open(stage.folder().join("lock")).unwrap();
    lock.lock_shared().unwrap();
    assert_eq!(stage.status(0)["running"], false);
    lock.unlock().unwrap();
    lock.lock().unwrap();
    assert_eq!(stage.status(0)["running"], true);
}

/// Whichever begins first, and both with the same export.
#[test]
fn runs_by_hand_and_by_schedule_at_the_same_moment() {
    let mut stage = Stage::new();
    let source = stage.library();
    let (archive, out) = (stage.archive().display().to_string(), stage.path("out").display().to_string());
    stage
        .install(&["--system", "systemd", "--source", &source, "--export", "txt", "--out", &out])
        .with_code(0);
    for round in 0..6 {
        stage.later(DAY);
        // So that both have to write.
        let _ = fs::remove_file(stage.path("out/conversations.txt"));
        let by_hand =
            start(&stage, &["archive", &archive, "--source", &source, "--export", "txt", "--out", &out]);
        std::thread::sleep(Duration::from_millis(15 * round));
        let ran = stage.run(&["schedule", "run"]);
        let by_hand = crate::program::ran(by_hand.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0), "{round}: {ran:?}\n{}", log(&stage));
        let is_refused = by_hand.code == Some(1) && by_hand.err.contains("another run");
        assert!(by_hand.code == Some(0) || is_refused, "{round}: {by_hand:?}");
        assert_eq!(stage.status(0)["alarm"], Value::Null);
    }
    stage.run(&["verify", &archive]).with_code(0);
    stage.run(&["verify", &out]).with_code(0);
}
