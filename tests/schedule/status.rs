//! What `status` says, and what alarms it.

use std::fs;
use std::path::Path;

use msgarchive::schedule::AlarmKind;
use serde_json::Value;

use super::stage::{DAY, Stage};

const HOUR: i64 = 3600;

fn installed(more: &[&str]) -> Stage {
    let stage = Stage::new();
    stage.install(&[&["--system", "systemd"], more].concat()).with_code(0);
    stage
}

fn kinds(status: &Value) -> Vec<&str> {
    status["alarms"].as_array().unwrap().iter().map(|alarm| alarm["kind"].as_str().unwrap()).collect()
}

#[test]
fn nothing_installed() {
    let status = Stage::new().status(0);
    assert_eq!(
        status.to_string(),
        "{\"schema\":1,\"installed\":false,\"next\":null,\"last\":null,\"archive_age_days\":null,\"alarm\":null,\
         \"alarms\":[]}"
    );
    assert_eq!(Stage::new().run(&["schedule", "status"]).with_code(0).out, "No schedule is installed.\n");
}

#[test]
fn a_schedule_that_works() {
    let mut stage = installed(&[]);
    let status = stage.status(0);
    assert_eq!(status["next"], "2023-11-15T01:30:00Z");
    assert_eq!((&status["last"], &status["alarm"]), (&Value::Null, &Value::Null));
    stage.archive_that_adds(5);
    stage.later(4 * HOUR);
    stage.archive_run(0, 5);
    stage.run(&["schedule", "run"]).with_code(0);
    stage.later(6 * HOUR);
    let status = stage.status(0);
    assert_eq!(status["archive_age_days"], 0.3);
    let here = stage.program.path().display().to_string();
    let printed = serde_json::to_string_pretty(&status).unwrap();
    let words = stage.run(&["schedule", "status"]).with_code(0).out;
    insta::assert_snapshot!(format!("{printed}\n\n{words}").replace(&here, "HERE"));
}

#[test]
fn a_failing_schedule() {
    let mut stage = installed(&[]);
    stage.archive_program("echo 'error: no' >&2; exit 1");
    for _ in 0..3 {
        stage.later(DAY);
        stage.run(&["schedule", "run"]).with_code(1);
    }
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["failing", "old"]);
    assert_eq!(
        status["alarm"]["what"],
        "the last 3 runs failed: no; once that is mended, `msgarchive schedule run` tries it again"
    );
    assert_eq!(status["last"]["exit"], 1);
}

#[test]
fn a_run_that_was_ended_from_outside() {
    let stage = installed(&[]);
    fs::write(
        stage.folder().join("attempts.json"),
        "{\"attempts\":[{\"number\":1,\"started\":\"2023-11-14T20:00:00Z\",\"finished\":null,\"exit\":null,\
         \"message\":\"it was ended before it was done\",\"added\":null}]}",
    )
    .unwrap();
    assert_eq!(kinds(&stage.status(3)), ["interrupted"]);
}

#[test]
fn a_missed_schedule() {
    let mut stage = installed(&[]);
    stage.later(4 * HOUR);
    assert_eq!(kinds(&stage.status(0)), [""; 0], "it may begin a little late");
    stage.later(HOUR);
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["missed"]);
    assert!(status["alarm"]["what"].as_str().unwrap().contains("nothing ran at 2023-11-15 02:30"));
    stage.later(2 * DAY);
    assert_eq!(kinds(&stage.status(3)), ["missed", "old"]);
}

/// The scheduler came at its time, and could not start the program: nobody was asleep.
#[test]
fn a_program_that_did_not_begin_is_told_from_a_missed_time() {
    let mut stage = installed(&[]);
    fs::write(stage.path("fakes/ending"), "ExecMainStatus=203\n").unwrap();
    assert_eq!(kinds(&stage.status(0)), [""; 0], "no time has come yet");
    stage.later(4 * HOUR);
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["not_begun"]);
    let what = "nothing ran at 2023-11-15 02:30: systemd could not start it (203); \
                `systemctl --user status msgarchive-schedule.service` says more";
    assert_eq!(status["alarm"]["what"], what);
    // A run that failed is none of these.
    fs::write(stage.path("fakes/ending"), "ExecMainStatus=1\n").unwrap();
    stage.later(HOUR);
    assert_eq!(kinds(&stage.status(3)), ["missed"]);

    let mut stage = Stage::new();
    stage.install(&["--system", "cron"]).with_code(0);
    stage.later(4 * HOUR);
    fs::write(stage.folder().join("scheduler.log"), "old\n/bin/sh: 1: /gone/msgarchive: not found\n\n")
        .unwrap();
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["not_begun"]);
    let what = "nothing ran at 2023-11-15 02:30: scheduler.log says: /bin/sh: 1: /gone/msgarchive: not found";
    assert_eq!(status["alarm"]["what"], what);
}

#[test]
fn a_week_has_two_weeks() {
    let mut stage = installed(&["--every", "week"]);
    stage.archive_that_adds(1);
    stage.run(&["schedule", "run"]).with_code(0);
    stage.archive_run(0, 1);
    stage.later(4 * DAY);
    assert_eq!(kinds(&stage.status(0)), [""; 0]);
    stage.later(11 * DAY);
    assert_eq!(kinds(&stage.status(3)), ["missed", "old"]);
}

#[test]
fn a_scheduler_that_has_forgotten_and_an_archive_that_is_gone() {
    let stage = installed(&[]);
    stage.archive_that_adds(1);
    stage.run(&["schedule", "run"]).with_code(0);
    fs::remove_file(stage.path("fakes/loaded-systemctl")).unwrap();
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["not_loaded", "no_archive"]);
    assert_eq!(status["next"], Value::Null);
    // Its disk is elsewhere; when it was fed is known all the same.
    assert_eq!(status["archive_age_days"], 0.0);
    // One that has lost its archive.json is there: the next run mends it.
    stage.archive_run(0, 1);
    fs::remove_file(stage.archive().join("archive.json")).unwrap();
    assert_eq!(kinds(&stage.status(3)), ["not_loaded"]);
}

#[test]
fn a_stale_schedule() {
    let stage = Stage::new();
    let source = stage.library();
    stage.install(&["--system", "systemd", "--source", &source]).with_code(0);
    // Runs of the 12th, which added something, and of the 14th, which added nothing.
    stage.archive_run(2 * DAY + 20 * HOUR, 3);
    stage.archive_run(12 * HOUR, 0);
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["stale"]);
    assert!(status["alarm"]["what"].as_str().unwrap().contains("(1); `msgarchive doctor`"), "{status}");
}

#[test]
fn a_quiet_source_is_not_stale() {
    let stage = Stage::new();
    let source = stage.library();
    stage.install(&["--system", "systemd", "--source", &source]).with_code(0);
    // The run of the 14th saw everything.
    stage.archive_run(20 * HOUR, 3);
    stage.archive_run(12 * HOUR, 0);
    assert_eq!(kinds(&stage.status(0)), [""; 0]);
}

#[test]
fn a_run_by_hand_counts_as_good() {
    let mut stage = installed(&[]);
    stage.later(3 * DAY);
    stage.archive_run(HOUR, 3);
    assert_eq!(kinds(&stage.status(3)), ["missed"]);
}

#[test]
fn a_program_that_was_moved_is_named() {
    let stage = installed(&[]);
    stage.archive_program("echo '{\"added\":0}'");
    stage.archive_run(0, 0);
    stage.run(&["schedule", "run"]).with_code(0);
    let program = stage.path("bin/archive-program");
    fs::rename(&program, stage.path("bin/moved")).unwrap();
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["no_program"]);
    assert!(status["alarm"]["what"].as_str().unwrap().contains(&program.display().to_string()), "{status}");
}

#[test]
fn full_disk_access_is_named_where_launchd_is_refused() {
    let refused = "echo 'error: cannot read chat.db' >&2
        echo 'caused by: Operation not permitted (os error 1)' >&2; exit 1";
    for (system, is_named) in [("launchd", true), ("cron", false)] {
        let stage = Stage::new();
        stage.install(&["--system", system]).with_code(0);
        let folder = match system {
            "launchd" => stage.program.home().join("Library/Application Support/msgarchive/schedule"),
            _ => stage.folder(),
        };
        stage.archive_program_of(&folder, refused);
        stage.run(&["schedule", "run"]).with_code(1);
        let status = stage.status(3);
        assert_eq!(kinds(&status), ["failing"]);
        let what = status["alarm"]["what"].as_str().unwrap();
        let needed = format!("give {} Full Disk Access", stage.path("bin/archive-program").display());
        assert_eq!(what.contains(&needed), is_named, "{what}");
    }
}

#[test]
fn a_call_for_help_that_nobody_heard_is_an_alarm() {
    let stage = installed(&["--on-failure", "echo no route; exit 7"]);
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    stage.archive_program("exit 1");
    stage.run(&["schedule", "run"]).with_code(1);
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["failing", "unheard"]);
    let log = stage.folder().join("schedule.log");
    let what = format!("the --on-failure command ended with 7; what it said is in {}", log.display());
    assert_eq!(status["alarms"][1]["what"], what);
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("no route\n") && log.ends_with("--on-failure ended with 7\n"), "{log}");
    // Until the next good run.
    stage.archive_that_adds(1);
    stage.archive_run(0, 1);
    stage.run(&["schedule", "run"]).with_code(0);
    assert_eq!(kinds(&stage.status(0)), [""; 0]);
}

/// Whoever looks after many machines finds all that it can say.
#[test]
fn every_alarm_and_every_key_is_explained() {
    let stage = installed(&[]);
    let help = stage.run(&["schedule", "status", "--help"]).with_code(0).out;
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    for (kind, _) in AlarmKind::NAMES {
        assert!(help.contains(kind) && readme.contains(&format!("`{kind}`")), "{kind}");
    }
    let status = stage.status(0);
    let without = Stage::new().status(0);
    for key in status.as_object().unwrap().keys().chain(without.as_object().unwrap().keys()) {
        assert!(readme.contains(&format!("`{key}`")), "{key}");
    }
    for said in ["run", "remove", "install", "status"] {
        let help = stage.run(&["schedule", said, "--help"]).with_code(0).out;
        assert!(help.contains("Exit status: 0"), "{said}");
    }
}

#[test]
fn an_age_is_never_negative_and_one_day_is_a_day() {
    let mut stage = installed(&[]);
    stage.archive_that_adds(1);
    stage.run(&["schedule", "run"]).with_code(0);
    // A clock that is put back by some minutes is no wrong one.
    stage.archive_run(-600, 1);
    assert_eq!(stage.status(0)["archive_age_days"], 0.0);
    stage.archive_run(0, 1);
    stage.later(DAY);
    stage.run(&["schedule", "run"]).with_code(0);
    fs::remove_dir_all(stage.archive().join("runs")).unwrap();
    stage.archive_run(DAY, 1);
    let words = stage.run(&["schedule", "status"]).with_code(0).out;
    assert!(words.contains("1 day since its last run"), "{words}");
    // Where all that is known is of a wrong clock, there is no age.
    fs::remove_dir_all(stage.archive().join("runs")).unwrap();
    fs::remove_file(stage.folder().join("attempts.json")).unwrap();
    stage.archive_run(-400 * DAY, 1);
    let status = stage.status(3);
    assert_eq!(kinds(&status), ["clock", "missed"]);
    assert_eq!(status["archive_age_days"], Value::Null);
    let words = stage.run(&["schedule", "status"]).with_code(3).out;
    assert!(words.contains("its age    not known"), "{words}");
}
