//! What is said of an export that is kept up: in `status`, in `history`, and when it fails.

use std::fs;

use serde_json::{Value, json};

use super::stage::{DAY, Stage};

/// An archive that is fed and exported, one night old.
fn exported() -> Stage {
    let mut stage = Stage::new();
    let source = stage.library();
    let export = ["--export", "txt,jsonl", "--out", "my export", "--me", "Robin"];
    stage.install(&[&["--system", "systemd", "--source", &source][..], &export].concat()).with_code(0);
    stage.later(DAY);
    let out = stage.run(&["schedule", "run"]).with_code(0).out;
    assert_eq!(out, "new messages: 2; exported conversations: 1\n");
    stage
}

/// In its folder lies something that it may not touch.
fn make_it_fail(stage: &Stage) {
    fs::remove_dir_all(stage.path("my export")).unwrap();
    fs::create_dir(stage.path("my export")).unwrap();
    fs::write(stage.path("my export/somebody's"), "").unwrap();
}

fn history(stage: &Stage) -> (Value, String) {
    let out = stage.run(&["history", "archive", "--json"]).with_code(0).out;
    let object: Value = serde_json::from_str(&out).unwrap();
    (object["export"].clone(), stage.run(&["history", "archive"]).with_code(0).out)
}

#[test]
fn what_is_exported_where_and_when_is_said() {
    let stage = exported();
    let status = stage.status(0);
    let export = json!({
        "formats": "txt,jsonl", "out": stage.path("my export"), "options": ["--me=Robin"],
        "last_good": "2023-11-15T22:13:20Z", "failure": null,
    });
    assert_eq!(status["export"], export);
    assert_eq!(status["last"]["exported"], true);
    let words = stage.run(&["schedule", "status"]).with_code(0).out;
    assert!(words.contains("  exported   2023-11-15 23:13\n"), "{words}");

    let (said, words) = history(&stage);
    assert_eq!(said, export);
    let words = words.rsplit_once("\n\n").unwrap().1.replace('\n', " ");
    let out = stage.path("my export").display().to_string();
    assert_eq!(
        words,
        format!("Exported by the schedule: txt,jsonl in {out}, --me=Robin; last: 2023-11-15 23:13 ")
    );
}

#[test]
fn only_the_archive_that_is_fed_is_said_to_be_exported() {
    let stage = exported();
    let source = stage.path("Messages").display().to_string();
    stage.run(&["archive", "another", "--source", &source]).with_code(0);
    let out = stage.run(&["history", "another", "--json"]).with_code(0).out;
    assert!(out.contains("\"export\":null"), "{out}");
    assert!(!stage.run(&["history", "another"]).with_code(0).out.contains("schedule"));
    // By whatever name it is called.
    std::os::unix::fs::symlink(stage.archive(), stage.path("link")).unwrap();
    assert!(stage.run(&["history", "link"]).with_code(0).out.contains("Exported by the schedule"));
    // A schedule without an export, and none at all.
    stage.install(&["--system", "systemd", "--source", &source]).with_code(0);
    assert_eq!(history(&stage).0, Value::Null);
    stage.run(&["schedule", "remove"]).with_code(0);
    assert_eq!(history(&stage).0, Value::Null);
}

#[test]
fn an_export_that_fails_hides_behind_no_good_run() {
    let mut stage = exported();
    let source = stage.path("Messages").display().to_string();
    let help = "echo \"$MSGARCHIVE_EXIT $MSGARCHIVE_REASON\" >\"$HOME/help\"";
    let export = ["--export", "txt,jsonl", "--out", "my export", "--on-failure", help];
    stage.install(&[&["--system", "systemd", "--source", &source][..], &export].concat()).with_code(0);
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/sh")).unwrap();
    make_it_fail(&stage);
    let mut said = String::new();
    for _ in 0..2 {
        stage.later(DAY);
        said = stage.run(&["schedule", "run"]).with_code(1).err;
    }
    let failure = format!(
        "{} holds no export, but files that msgarchive did not write, such as somebody's",
        stage.path("my export").display()
    );
    let reason = format!("new messages: 0; but the export failed: {failure}");
    assert!(said.contains(&format!("the run failed: {reason}")), "{said}");
    assert_eq!(fs::read_to_string(stage.program.home().join("help")).unwrap(), format!("1 {reason}\n"));

    // The archive is as it should be: that alone alarms, and nothing else.
    let status = stage.status(3);
    let kinds: Vec<&Value> =
        status["alarms"].as_array().unwrap().iter().map(|alarm| &alarm["kind"]).collect();
    assert_eq!(kinds, ["export_failing"]);
    assert_eq!(status["archive_age_days"], 0.0);
    assert_eq!((&status["last"]["exported"], &status["last"]["added"]), (&false.into(), &0.into()));
    assert_eq!(status["export"]["last_good"], "2023-11-15T22:13:20Z");
    assert_eq!(status["export"]["failure"], failure.as_str());
    let out = stage.path("my export").display().to_string();
    assert_eq!(
        status["alarm"]["what"],
        format!(
            "the export in {out} fails, and has been up to date last on 2023-11-15 23:13: {failure}; once that is mended, `msgarchive schedule run` tries it again"
        )
    );
    let said = stage.run(&["schedule", "status"]).with_code(3).out;
    assert!(said.contains("  exported   2023-11-15 23:13; the last time it failed\n"), "{said}");
    assert!(said.contains("  on failure echo \"$MSGARCHIVE_EXIT"), "{said}");
    let (said, words) = history(&stage);
    assert_eq!(said, status["export"]);
    let words = words.replace('\n', " ");
    assert!(words.contains("last: 2023-11-15 23:13; the last time it failed: "), "{words}");

    // A run that does not come to the export leaves it as it is: not up to date.
    stage.archive_program("echo 'error: no' >&2; exit 1");
    stage.run(&["schedule", "run"]).with_code(1);
    let status = stage.status(3);
    let kinds: Vec<&Value> =
        status["alarms"].as_array().unwrap().iter().map(|alarm| &alarm["kind"]).collect();
    assert_eq!(kinds, ["failing", "export_failing"]);
    assert_eq!(status["last"]["exported"], Value::Null);
}

/// Some of it could not be read completely: where that is written down is said with it.
#[test]
fn an_incomplete_export_is_told_of() {
    let mut stage = exported();
    let db = rusqlite::Connection::open(stage.path("Messages/chat.db")).unwrap();
    let damage = "UPDATE message SET attributedBody = x'040B73747265616D747970656481E803', text = NULL WHERE ROWID = 1";
    assert_eq!(db.execute(damage, []).unwrap(), 1);
    drop(db);
    stage.later(DAY);
    let out = stage.path("my export").display().to_string();
    let what = format!("the export in {out} has 1 defect, listed in its manifest.json");
    for runs in ["the last run", "the last 2 runs"] {
        let said = stage.run(&["schedule", "run"]).with_code(3).out;
        let exported = if runs == "the last run" { 1 } else { 0 };
        assert_eq!(
            said,
            format!("new messages: 0; exported conversations: {exported}; incomplete: {what}\n")
        );
        let status = stage.status(3);
        assert_eq!(status["alarm"]["kind"], "incomplete");
        assert_eq!(
            status["alarm"]["what"],
            format!("{runs} could not read everything: {what}; each run tries it again")
        );
        assert_eq!((&status["alarms"][1], &status["export"]["failure"]), (&Value::Null, &Value::Null));
    }
    let log = fs::read_to_string(stage.folder().join("schedule.log")).unwrap();
    assert!(log.contains(&what), "{log}");
    let manifest: Value =
        serde_json::from_slice(&fs::read(stage.path("my export/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["defects"].as_array().unwrap().len(), 1);
}

/// Whatever it says of the export before.
#[test]
fn a_run_that_fails_after_its_export_is_failing() {
    let stage = exported();
    stage.archive_program("echo '{\"added\":1,\"export\":{\"written\":1}}'; echo 'error: no' >&2; exit 1");
    stage.run(&["schedule", "run"]).with_code(1);
    let status = stage.status(3);
    assert_eq!((&status["alarm"]["kind"], &status["last"]["exported"]), (&"failing".into(), &true.into()));
}

/// Its disk is elsewhere: it must not be written anew where the disk should be. The archive is fed all the same.
#[test]
fn an_export_that_is_gone_is_not_made_anew_unasked() {
    let mut stage = exported();
    let out = stage.path("my export");
    fs::rename(&out, stage.path("elsewhere")).unwrap();
    stage.later(DAY);
    let err = stage.run(&["schedule", "run"]).with_code(1).err;
    let failure = format!("there is no folder {}: is its disk connected?", out.display());
    assert!(err.contains(&format!("new messages: 0; but the export failed: {failure}")), "{err}");
    assert!(!out.exists());
    assert_eq!(stage.status(3)["alarm"]["kind"], "export_failing");
    // As it says.
    fs::create_dir(&out).unwrap();
    let said = stage.run(&["schedule", "run"]).with_code(0).out;
    assert_eq!(said, "new messages: 0; exported conversations: 1\n");
    assert_eq!(stage.status(0)["export"]["failure"], Value::Null);
}

/// What is installed anew has no past in other folders.
#[test]
fn another_archive_and_another_export_begin_anew() {
    let mut stage = exported();
    let source = stage.path("Messages").display().to_string();
    stage.later(DAY);
    let (archive, out) = (stage.path("second").display().to_string(), stage.path("its export"));
    let install = ["schedule", "install", "--system", "systemd", "--source", &source, "--archive", &archive];
    stage.run(&[&install[..], &["--export", "txt", "--out", "its export"]].concat()).with_code(0);
    fs::remove_dir(&out).unwrap();
    let status = stage.status(0);
    assert_eq!((&status["export"]["last_good"], &status["archive_age_days"]), (&Value::Null, &Value::Null));
    let said = stage.run(&["schedule", "run"]).with_code(0).out;
    assert_eq!(said, "new messages: 2; exported conversations: 1\n");
    assert!(out.join("manifest.json").is_file());
}

#[test]
fn the_folder_of_an_export_is_there_for_a_service_that_can_make_none() {
    let stage = Stage::new();
    let export = ["--export", "txt", "--out", "far/out"];
    stage.install(&[&["--system", "systemd"][..], &export].concat()).with_code(0);
    assert!(stage.path("far/out").is_dir());
    stage.run(&["schedule", "remove"]).with_code(0);
    assert!(!stage.path("far/out").exists(), "nothing had come into it");
    assert!(stage.path("far").exists());
}
