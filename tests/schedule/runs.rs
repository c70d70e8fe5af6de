//! What a run does, and what it leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::stage::{DAY, Stage};

fn installed(more: &[&str]) -> Stage {
    let stage = Stage::new();
    stage.install(&[&["--system", "systemd"], more].concat()).with_code(0);
    stage
}

#[test]
fn a_run_feeds_the_archive_and_is_written_down() {
    let stage = installed(&["--source", "a b", "--source", "c", "--password-file", "it's"]);
    stage.archive_that_adds(12);
    let out = stage.run(&["schedule", "run"]).with_code(0).out;
    assert_eq!(out, "new messages: 12\n");
    let here = stage.program.path().display().to_string();
    assert_eq!(
        fs::read_to_string(stage.path("fakes/arguments")).unwrap().replace(&here, "HERE"),
        "[archive][--json][--progress][never][--source][HERE/a b][--source][HERE/c]\
         [--password-file][HERE/it's][--][HERE/archive]"
    );
    let attempts = stage.attempts();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["started"], "2023-11-14T22:13:20Z");
    assert_eq!(attempts[0]["finished"], "2023-11-14T22:13:20Z");
    assert_eq!((&attempts[0]["exit"], &attempts[0]["added"]), (&0.into(), &12.into()));
    let log = stage.folder().join("schedule.log");
    assert!(fs::read_to_string(&log).unwrap().ends_with("run 1 ended with 0: new messages: 12\n"));
    for file in fs::read_dir(stage.folder()).unwrap().map(|entry| entry.unwrap().path()) {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn an_export_is_kept_up_and_what_became_of_it_is_written_down() {
    let stage = installed(&["--source", "c", "--export", "pdf,csv,pdf", "--out", "my export"]);
    stage.archive_program(
        "for a; do printf '[%s]' \"$a\"; done >FAKES/arguments
         echo '{\"added\":3,\"export\":{\"out\":\"x\",\"written\":2}}'",
    );
    let out = stage.run(&["schedule", "run"]).with_code(0).out;
    assert_eq!(out, "new messages: 3; exported conversations: 2\n");
    let here = stage.program.path().display().to_string();
    assert_eq!(
        fs::read_to_string(stage.path("fakes/arguments")).unwrap().replace(&here, "HERE"),
        "[archive][--json][--progress][never][--source][HERE/c][--export][pdf,csv][--out][HERE/my export]\
         [--][HERE/archive]"
    );
    // Nothing was really archived.
    let status = stage.status(3);
    assert_eq!(status["export"]["formats"], "pdf,csv");
    assert_eq!(status["last"]["message"], "new messages: 3; exported conversations: 2");
    let service = stage.program.path().join("home/.config/systemd/user/msgarchive-schedule.service");
    let writes = format!("ReadWritePaths=\"-{here}/my export\"");
    assert!(fs::read_to_string(&service).unwrap().contains(&writes), "{writes}");
    // An export that fails is told of, though the archive was fed.
    fs::create_dir_all(stage.archive()).unwrap();
    fs::write(stage.archive().join("archive.json"), "{}").unwrap();
    stage.archive_program(
        "echo '{\"added\":1,\"export\":{\"failed\":\"no\"}}'; echo 'error: the disk is full' >&2; exit 1",
    );
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(
        err.contains("the run failed: new messages: 1; but the export failed: the disk is full"),
        "{err}"
    );
}

/// All that shapes an export goes with it, whatever folder the scheduler starts it in.
#[test]
fn what_an_export_needs_is_passed_on() {
    let stage = installed(&[
        "--source",
        "c",
        "--contacts",
        "book.vcf",
        "--export",
        "pdf",
        "--out",
        "o",
        "--me=-Ana \"B\" %n",
        "--time-zone",
        "Asia/Tokyo",
        "--theme",
        "plain",
        "--paper",
        "letter",
        "--font-size",
        "12",
        "--times",
        "exact",
        "--font-dir",
        "my fonts",
        "--system-fonts",
    ]);
    stage.archive_program(
        "for a; do printf '[%s]' \"$a\"; done >FAKES/arguments
         echo '{\"added\":3,\"export\":{\"out\":\"x\",\"written\":2}}'",
    );
    stage.run(&["schedule", "run"]).with_code(0);
    let here = stage.program.path().display().to_string();
    assert_eq!(
        fs::read_to_string(stage.path("fakes/arguments")).unwrap().replace(&here, "HERE"),
        "[archive][--json][--progress][never][--source][HERE/c][--contacts][HERE/book.vcf][--export][pdf][--out][HERE/o]\
         [--me=-Ana \"B\" %n][--time-zone=Asia/Tokyo][--paper=letter][--theme=plain][--font-size=12][--times=exact]\
         [--system-fonts][--font-dir=HERE/my fonts][--][HERE/archive]"
    );
    let status = stage.status(3);
    assert_eq!(status["export"]["options"][1], "--time-zone=Asia/Tokyo");
    // What is not for these formats is refused at once, not at night.
    let wrong =
        ["schedule", "install", "--archive", "a", "--export", "csv", "--out", "o", "--theme", "plain"];
    assert!(stage.run(&wrong).with_code(2).err.contains("--theme is for PDF"));
    let wrong = ["schedule", "print", "--archive", "a", "--theme", "plain"];
    assert!(stage.run(&wrong).with_code(2).err.contains("--theme is of an export"));
}

/// With the program itself: install, print, run and status of an export that looks as it was asked to.
#[test]
fn a_scheduled_export_looks_as_it_was_asked_to() {
    let mut stage = Stage::new();
    let source = stage.library();
    let asked = [
        "--system",
        "systemd",
        "--source",
        &source,
        "--contacts",
        "none",
        "--export",
        "pdf,txt",
        "--out",
        "out",
        "--me",
        "Robin",
        "--time-zone",
        "Asia/Tokyo",
        "--theme",
        "plain",
        "--paper",
        "a5",
    ];
    let printed =
        stage.run(&[&["schedule", "print", "--archive", "archive"], &asked[..]].concat()).with_code(0).out;
    assert!(printed.contains("--theme=plain") && printed.contains("--me=Robin"), "{printed}");
    stage.install(&asked).with_code(0);
    stage.later(DAY);
    stage.run(&["schedule", "run", "--if-due"]).with_code(0);
    let manifest = fs::read_to_string(stage.path("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let options = &manifest["options"];
    for (name, value) in [("me", "Robin"), ("theme", "plain"), ("paper", "a5")] {
        assert_eq!(options[name], value, "{options}");
    }
    assert!(manifest.to_string().contains("Asia/Tokyo"), "{manifest}");
    let said = stage.run(&["schedule", "status"]).with_code(0).out;
    assert!(said.contains("--theme=plain"), "{said}");
    stage.run(&["verify", "out"]).with_code(0);
}

/// With the program itself: an export, too.
#[test]
fn a_library_is_exported_night_after_night() {
    let mut stage = Stage::new();
    let source = stage.library();
    stage
        .install(&["--system", "systemd", "--source", &source, "--export", "txt", "--out", "out"])
        .with_code(0);
    for said in
        ["new messages: 2; exported conversations: 1\n", "new messages: 0; exported conversations: 0\n"]
    {
        stage.later(DAY);
        assert_eq!(stage.run(&["schedule", "run", "--if-due"]).with_code(0).out, said);
    }
    stage.run(&["verify", "out"]).with_code(0);
}

/// With the program itself: nothing is put in the place of `archive`.
#[test]
fn a_library_is_archived_night_after_night() {
    let mut stage = Stage::new();
    let source = stage.library();
    stage.install(&["--system", "systemd", "--source", &source]).with_code(0);
    for said in ["new messages: 2\n", "new messages: 0\n"] {
        stage.later(DAY);
        assert_eq!(stage.run(&["schedule", "run", "--if-due"]).with_code(0).out, said);
        let status = stage.status(0);
        assert_eq!((&status["archive_age_days"], &status["alarm"]), (&0.0.into(), &serde_json::Value::Null));
    }
    stage.run(&["schedule", "remove"]).with_code(0);
    let verified = stage.run(&["verify", &stage.archive().display().to_string()]);
    verified.with_code(0);
    // A source that is gone is said in the program's own words.
    stage.install(&["--system", "systemd", "--source", "nowhere"]).with_code(0);
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(err.contains("the run failed: there is nothing at"), "{err}");
}

#[test]
fn a_failing_run_says_why_and_calls_for_help() {
    let stage = installed(&[
        "--on-failure",
        "echo \"$MSGARCHIVE_EXIT: $MSGARCHIVE_REASON\" >\"$HOME/help\"; echo sent; echo \"$MSGARCHIVE_ARCHIVE\"",
    ]);
    // The shell is not among the fakes.
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    stage.archive_program(
        "echo 'error: cannot read chat.db' >&2; echo 'caused by: Operation not permitted' >&2; exit 1",
    );
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(err.contains("the run failed: cannot read chat.db: Operation not permitted"), "{err}");
    let help = fs::read_to_string(stage.program.home().join("help")).unwrap();
    assert_eq!(help, "1: cannot read chat.db: Operation not permitted\n");
    let log = fs::read_to_string(stage.folder().join("schedule.log")).unwrap();
    assert!(log.contains("caused by: Operation not permitted\n") && log.contains("sent\n"), "{log}");
    assert!(log.contains(&format!("{}\n", stage.archive().display())), "{log}");
    assert_eq!(stage.attempts()[0]["exit"], 1);
}

/// It is named wherever the run is spoken of; and help is called for where it is news.
#[test]
fn what_could_not_be_read_is_said() {
    let stage = installed(&["--on-failure", "echo \"$MSGARCHIVE_EXIT $MSGARCHIVE_REASON\" >>\"$HOME/help\""]);
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    let unreadable = |which: &[&str]| {
        let record = serde_json::json!({"added": 3, "unreadable": which});
        stage.archive_program(&format!("echo '{record}'; echo 'warning: about something else' >&2; exit 3"));
        stage.run(&["schedule", "run"]).with_code(3).out
    };
    let help = || fs::read_to_string(stage.program.home().join("help")).unwrap();
    let one = "new messages: 3; incomplete: cannot read a.heic: Permission denied\n";
    assert_eq!(unreadable(&["a.heic: Permission denied"]), one);
    assert_eq!(help(), format!("3 {one}"));
    stage.archive_run(0, 3);
    let alarm = |what: &str| {
        let status = stage.status(3);
        assert_eq!(
            (&status["alarm"]["kind"], &status["alarm"]["what"]),
            (&"incomplete".into(), &what.into())
        );
        assert_eq!(status["alarms"].as_array().unwrap().len(), 1);
        assert!(what.contains(status["last"]["incomplete"].as_str().unwrap()));
    };
    alarm(
        "the last run could not read everything: cannot read a.heic: Permission denied; each run tries it again",
    );
    unreadable(&["a.heic: Permission denied"]);
    assert_eq!(help(), format!("3 {one}"), "known");
    alarm(
        "the last 2 runs could not read everything: cannot read a.heic: Permission denied; each run tries it again",
    );
    let many = "new messages: 3; incomplete: cannot read a; cannot read b; cannot read c; and 2 more, which the log names\n";
    assert_eq!(unreadable(&["a", "b", "c", "d", "e"]), many);
    assert_eq!(help(), format!("3 {one}3 {many}"));
    stage.archive_that_adds(1);
    stage.run(&["schedule", "run"]).with_code(0);
    assert_eq!(stage.status(0)["last"]["incomplete"], serde_json::Value::Null);
    unreadable(&["a.heic: Permission denied"]);
    assert_eq!(help(), format!("3 {one}3 {many}3 {one}"), "news again");
    // As long a list as a disk that dies makes.
    let all: Vec<String> =
        (0..5000).map(|number| format!("attachment {number}: Input/output error")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert!(unreadable(&all).ends_with("; and 4997 more, which the log names\n"));
}

#[test]
fn a_program_that_dies_or_is_gone_is_a_failure() {
    let stage = installed(&[]);
    stage.archive_program("kill -9 $$");
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(err.contains("signal: 9"), "{err}");
    assert_eq!(stage.attempts()[0]["exit"], 137);
    fs::remove_file(stage.path("bin/archive-program")).unwrap();
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(err.contains("cannot start"), "{err}");
}

#[test]
fn an_archive_whose_disk_is_elsewhere_is_not_begun_anew() {
    let stage = installed(&[]);
    stage.archive_that_adds(1);
    stage.run(&["schedule", "run"]).with_code(0);
    fs::remove_file(stage.path("fakes/arguments")).unwrap();
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(err.contains("is its disk connected?"), "{err}");
    assert!(!stage.path("fakes/arguments").exists());
    // However many nights that was so.
    let mut attempts = stage.attempts();
    attempts.extend(vec![attempts[1].clone(); 150]);
    let text = serde_json::json!({ "schema": 1, "attempts": attempts }).to_string();
    fs::write(stage.folder().join("attempts.json"), text).unwrap();
    for _ in 0..2 {
        stage.run(&["schedule", "run"]).with_code(1);
        let attempts = stage.attempts();
        assert_eq!((attempts.len(), &attempts[0]["exit"], &attempts[1]["exit"]), (101, &0.into(), &1.into()));
    }
    assert!(!stage.path("fakes/arguments").exists());
    stage.archive_run(0, 1);
    stage.run(&["schedule", "run"]).with_code(0);
}

#[test]
fn two_at_once_are_one() {
    let stage = installed(&[]);
    stage.archive_program(": >FAKES/begun; while [ ! -f FAKES/go ]; do /bin/sleep 0.05; done");
    let first = stage.command(&["schedule", "run"]).stdout(Stdio::null()).spawn().unwrap();
    while !stage.path("fakes/begun").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(err.contains("another run of the schedule is still going on"), "{err}");
    assert_eq!(stage.status(0)["running"], true);
    let said = stage.run(&["schedule", "status"]).with_code(0).out;
    assert!(said.contains("  next run   it is going on, since 2023-11-14 23:13\n"), "{said}");
    assert!(said.contains("  last run   2023-11-14 23:13: it is going on\n"), "{said}");
    fs::write(stage.path("fakes/go"), "").unwrap();
    assert!(first.wait_with_output().unwrap().status.success());
    assert_eq!(stage.attempts().len(), 1);
}

/// Killed midway, with what it fed left as it was: that is seen, and the next occasion is not waited for.
#[test]
fn a_run_that_is_killed_is_seen_and_due_at_once() {
    let mut stage = installed(&[]);
    stage.later(DAY);
    stage.archive_program(
        ": >FAKES/begun; while [ ! -f FAKES/go ]; do /bin/sleep 0.05; done; echo '{\"added\":1}'",
    );
    let mut first = stage.command(&["schedule", "run", "--if-due"]).spawn().unwrap();
    while !stage.path("fakes/begun").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let status = stage.status(3);
    assert_eq!((&status["alarm"]["kind"], &status["running"]), (&"interrupted".into(), &false.into()));
    assert_eq!(status["last"]["finished"], serde_json::Value::Null);
    fs::write(stage.path("fakes/go"), "").unwrap();
    stage.archive_run(0, 1);
    stage.later(60);
    assert_eq!(stage.run(&["schedule", "run", "--if-due"]).with_code(0).out, "new messages: 1\n");
    assert_eq!(stage.attempts().len(), 2);
    assert_eq!(stage.status(0)["alarm"], serde_json::Value::Null);
}

/// Of those that go on whatever the scheduler is told.
#[test]
fn a_run_that_outlives_its_schedule_leaves_nothing_and_calls_nobody() {
    let stage = Stage::new();
    stage.install(&["--system", "cron", "--on-failure", ": >\"$HOME/help\""]).with_code(0);
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    stage.archive_program(": >FAKES/begun; while [ ! -f FAKES/go ]; do /bin/sleep 0.05; done; exit 1");
    let first = stage.command(&["schedule", "run"]).stderr(Stdio::null()).spawn().unwrap();
    while !stage.path("fakes/begun").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    stage.run(&["schedule", "remove"]).with_code(0);
    fs::write(stage.path("fakes/go"), "").unwrap();
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(1));
    let left: Vec<String> = stage.home_tree().into_iter().filter(|entry| !entry.ends_with(" 700")).collect();
    assert_eq!(left, [""; 0]);
    assert!(!stage.folder().exists());
}

#[test]
fn at_other_times_nothing_is_due() {
    let mut stage = installed(&["--at", "02:30"]);
    stage.archive_that_adds(0);
    stage.archive_run(0, 0);
    let due = ["schedule", "run", "--if-due"];
    stage.run(&due).with_code(0);
    assert!(!stage.path("fakes/arguments").exists(), "no time has come since it was installed");
    // 02:13, 02:33, and 12:00 the next day.
    for (seconds, runs) in [(3 * 3600, 0), (1200, 1), (60, 1), (DAY, 2), (9 * 3600, 2)] {
        stage.later(seconds);
        stage.run(&due).with_code(0);
        let done = fs::read(stage.folder().join("attempts.json")).map_or(0, |_| stage.attempts().len());
        assert_eq!(done, runs);
    }
}

#[test]
fn a_run_that_failed_is_due_again_but_not_at_once() {
    let mut stage = installed(&[]);
    stage.later(DAY);
    stage.archive_program("exit 1");
    let due = ["schedule", "run", "--if-due"];
    stage.run(&due).with_code(1);
    // As systemd's timer comes.
    stage.later(3600);
    assert_eq!(stage.run(&due).with_code(0).out, "");
    stage.later(2 * 3600);
    stage.run(&due).with_code(1);
    assert_eq!(stage.attempts().len(), 2);
    // Of the night before, whatever became of it, nothing holds up the next one: 23:13, then 02:40.
    stage.later(17 * 3600);
    stage.run(&["schedule", "run"]).with_code(1);
    stage.later(3 * 3600 + 1600);
    stage.run(&due).with_code(1);
    assert_eq!(stage.attempts().len(), 4);
}

/// A clock that is set forward at 02:00 has no 02:30: systemd comes an hour later, cron at once. One run, none missed.
#[test]
fn a_time_that_the_clock_leaves_out_is_made_up_for() {
    for system in ["systemd", "cron"] {
        let mut stage = Stage::new();
        stage.at("2026-03-28T12:00:00+01:00");
        stage.install(&["--system", system]).with_code(0);
        stage.archive_that_adds(1);
        assert_eq!(stage.status(0)["next"], "2026-03-29T01:00:00Z");
        // Who looks before it runs is not alarmed.
        stage.at("2026-03-29T03:35:00+02:00");
        assert_eq!(stage.status(0)["alarm"], serde_json::Value::Null);
        let time =
            if system == "systemd" { "2026-03-29T03:36:00+02:00" } else { "2026-03-29T03:00:01+02:00" };
        stage.at(time);
        stage.archive_run(0, 1);
        stage.run(&["schedule", "run", "--if-due"]).with_code(0);
        assert_eq!(stage.attempts().len(), 1);
        stage.at("2026-03-29T20:00:00+02:00");
        assert_eq!(stage.status(0)["alarm"], serde_json::Value::Null, "{system}");
    }
}

/// 02:30 comes twice; so does the timer, and an hour later once more.
#[test]
fn a_time_that_comes_twice_is_run_once() {
    let mut stage = Stage::new();
    stage.at("2026-10-24T12:00:00+02:00");
    stage.install(&["--system", "systemd"]).with_code(0);
    stage.archive_that_adds(1);
    let mut begun = Vec::new();
    for time in ["02:31:00+02:00", "02:31:00+01:00", "03:31:00+01:00"] {
        stage.at(&format!("2026-10-25T{time}"));
        stage.archive_run(0, 1);
        stage.run(&["schedule", "run", "--if-due"]).with_code(0);
        begun.push(stage.attempts().len());
    }
    assert_eq!(begun, [1, 1, 1]);
}

#[test]
fn the_log_and_the_records_stay_small() {
    let stage = installed(&[]);
    stage.archive_program("i=0; while [ $i -lt 6000 ]; do echo 'a line of one hundred and more bytes, as a program that has lost its mind says it, again and again and on' >&2; i=$((i+1)); done; exit 1");
    for _ in 0..5 {
        stage.run(&["schedule", "run"]).with_code(1);
    }
    for log in ["schedule.log", "schedule.log.old"] {
        let size = fs::metadata(stage.folder().join(log)).unwrap().len();
        assert!(size > 100_000 && size < 800_000, "{log}: {size}");
    }
    let text = fs::read_to_string(stage.folder().join("attempts.json")).unwrap();
    let many: Vec<String> = (0..150)
        .map(|n| format!("{{\"number\":{n},\"started\":\"2023-01-01T00:00:00Z\",\"finished\":null,\"exit\":0,\"message\":\"\",\"added\":0}}"))
        .collect();
    assert!(text.starts_with('{'));
    fs::write(stage.folder().join("attempts.json"), format!("{{\"attempts\":[{}]}}", many.join(",")))
        .unwrap();
    stage.archive_run(0, 0);
    stage.run(&["schedule", "run"]).with_code(1);
    assert_eq!(stage.attempts().len(), 100);
    assert_eq!(stage.attempts()[99]["number"], 150);
}

#[test]
fn records_that_were_damaged_stop_no_run() {
    let stage = installed(&[]);
    stage.archive_that_adds(0);
    fs::write(stage.folder().join("attempts.json"), "[").unwrap();
    stage.archive_run(0, 0);
    stage.run(&["schedule", "run"]).with_code(0);
    assert_eq!(stage.attempts().len(), 1);
}

/// Whether the archive was ever fed is not known any more: where its disk should be, none is begun, night after night.
#[test]
fn records_that_were_damaged_begin_no_archive_where_a_disk_is_away() {
    let mut stage = installed(&[]);
    stage.archive_that_adds(1);
    fs::write(stage.folder().join("attempts.json"), "[").unwrap();
    for _ in 0..2 {
        let err = stage.run(&["schedule", "run"]).with_code(1).err;
        assert!(err.contains("there is no archive at"), "{err}");
        stage.later(DAY);
    }
    stage.archive_run(0, 0);
    stage.run(&["schedule", "run"]).with_code(0);
    // From then on it is known.
    fs::remove_dir_all(stage.archive()).unwrap();
    stage.run(&["schedule", "run"]).with_code(1);
    assert!(
        !fs::read_to_string(stage.folder().join("attempts.json")).unwrap().contains("\"forgotten\": true")
    );
}

/// A clock that was ahead for one run must not stop those after it until then.
#[test]
fn a_run_of_the_future_is_none_that_was_good() {
    let mut stage = installed(&[]);
    stage.archive_that_adds(1);
    stage.archive_run(0, 1);
    stage.run(&["schedule", "run"]).with_code(0);
    stage.at("2036-06-01T12:00:00Z").run(&["schedule", "run"]).with_code(0);
    stage.archive_run(0, 1);
    stage.at("2023-11-15T04:00:00Z");
    let status = stage.status(3);
    let kinds: Vec<&str> =
        status["alarms"].as_array().unwrap().iter().map(|alarm| alarm["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["clock", "missed"], "{status}");
    let what = status["alarm"]["what"].as_str().unwrap();
    assert!(what.contains("2036-06-01 14:00") && what.contains("clock"), "{what}");
    assert_eq!(status["archive_age_days"], 0.2);
    stage.run(&["schedule", "run", "--if-due"]).with_code(0);
    assert_eq!(stage.attempts().len(), 3);
    stage.archive_run_numbered(0, 1, 2);
    // It was made: nothing is to be said any more, and once is enough.
    let status = stage.status(0);
    assert_eq!(status["archive_age_days"], 0.0);
    stage.run(&["schedule", "run", "--if-due"]).with_code(0);
    assert_eq!(stage.attempts().len(), 3);
    // One that failed so, too, is tried again.
    stage.archive_program("exit 1");
    stage.at("2036-06-01T12:00:00Z").run(&["schedule", "run"]).with_code(1);
    stage.archive_that_adds(1);
    stage.at("2023-11-16T04:00:00Z").run(&["schedule", "run", "--if-due"]).with_code(0);
    assert_eq!(stage.attempts().len(), 5);
}

/// The disk of the home is full, or somebody has put something there: the archive is on another one, and is fed.
#[test]
fn a_run_that_cannot_be_written_down_feeds_the_archive_and_calls_for_help() {
    let stage = installed(&["--on-failure", "echo \"$MSGARCHIVE_REASON\" >\"$HOME/help\""]);
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    stage.archive_that_adds(2);
    for file in ["attempts.json", "schedule.log"] {
        fs::create_dir_all(stage.folder().join(file).join("in the way")).unwrap();
    }
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    assert!(stage.path("fakes/arguments").exists(), "it was fed");
    assert!(err.contains("new messages: 2; but it could not be written down: cannot write"), "{err}");
    let help = fs::read_to_string(stage.program.home().join("help")).unwrap();
    assert!(help.contains("could not be written down"), "{help}");
}

#[test]
fn a_probe_goes_through_the_scheduler() {
    for (system, told) in [
        ("launchd", "launchctl kickstart UID/msgarchive-schedule\n"),
        ("systemd", "systemctl --user start msgarchive-schedule.service\n"),
    ] {
        let stage = Stage::new();
        stage.install(&["--system", system]).with_code(0);
        stage.told();
        let folder = match system {
            "launchd" => stage.program.home().join("Library/Application Support/msgarchive/schedule"),
            _ => stage.folder(),
        };
        let job = folder.join("schedule.json");
        let program = stage.path("bin/archive-program");
        super::stage::script_at(&program, "/bin/sleep 0.3; echo '{\"added\":7}'");
        let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&job).unwrap()).unwrap();
        value["program"] = program.display().to_string().into();
        fs::write(&job, value.to_string()).unwrap();
        // As launchd has it: nothing is due.
        let start = format!(
            "{} schedule run --job '{}' {}",
            env!("CARGO_BIN_EXE_msgarchive"),
            job.display(),
            if system == "launchd" { "--if-due" } else { "" }
        );
        fs::write(stage.path("fakes/start"), start).unwrap();
        let out = stage.run(&["schedule", "run", "--through-scheduler"]).with_code(0).out;
        assert_eq!(out, "new messages: 7\n");
        assert_eq!(stage.told(), told);
        assert!(!folder.join("asked").exists());
    }
}

#[test]
fn cron_cannot_be_asked() {
    let stage = Stage::new();
    stage.install(&["--system", "cron"]).with_code(0);
    let err = stage.run(&["schedule", "run", "--through-scheduler"]).with_code(1).err;
    assert!(err.contains("cron starts nothing on request"), "{err}");
    let err = Stage::new().run(&["schedule", "run"]).with_code(1).err;
    assert!(err.contains("no schedule is installed"), "{err}");
}
