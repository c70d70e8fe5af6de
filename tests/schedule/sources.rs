//! `sources` knows the archive that is fed, and nothing reads it unasked.

use std::fs;

use serde_json::{Value, json};

use super::stage::{DAY, Stage};

fn sources(stage: &Stage) -> Vec<Value> {
    let out = stage.run(&["sources", "--json"]).with_code(0).out;
    let object: Value = serde_json::from_str(&out).unwrap();
    object["sources"].as_array().unwrap().clone()
}

#[test]
fn the_archive_that_is_fed_is_listed_in_every_state() {
    let mut stage = Stage::new();
    assert_eq!(sources(&stage), [] as [Value; 0]);
    let library = stage.library();
    stage.install(&["--system", "systemd", "--source", &library]).with_code(0);
    let archive = stage.archive();

    // Before its first run.
    let listed = |date: Value, complete: bool, problem: Value| {
        json!({
            "kind": "archive", "path": archive, "device": null, "os": null, "date": date, "encrypted": false,
            "keep_messages": null, "complete": complete, "problem": problem,
        })
    };
    let problem = "it has had no run yet: `msgarchive schedule run` makes it now";
    assert_eq!(sources(&stage), [listed(Value::Null, false, problem.into())]);

    stage.later(DAY);
    stage.run(&["schedule", "run"]).with_code(0);
    let fed = "2023-11-15T22:13:20Z";
    assert_eq!(sources(&stage), [listed(fed.into(), true, Value::Null)]);
    let words = stage.run(&["sources", "--size"]).with_code(0).out;
    assert!(
        words.starts_with(&format!("Archive: {}\n  last run 2023-11-15 23:13, ", archive.display())),
        "{words}"
    );
    assert!(words.trim_end().ends_with("KB"), "{words}");
    let out = stage.run(&["sources", "--size", "--json"]).with_code(0).out;
    assert!(serde_json::from_str::<Value>(&out).unwrap()["sources"][0]["bytes"].as_u64().unwrap() > 10_000);

    // It cannot be read.
    fs::rename(archive.join("chat.db"), archive.join("elsewhere.db")).unwrap();
    let found = sources(&stage).remove(0);
    assert_eq!((&found["complete"], &found["date"]), (&false.into(), &fed.into()));
    assert!(found["problem"].as_str().unwrap().starts_with("its chat.db cannot be read"), "{found}");

    // Its disk is elsewhere: when it was last fed, the schedule knows.
    fs::rename(&archive, stage.path("elsewhere")).unwrap();
    let problem = "it is not there: connect its disk, or bring it back; until then its schedule fails";
    assert_eq!(sources(&stage), [listed(fed.into(), false, problem.into())]);
}

/// Neither what a schedule feeds nor what lies at the usual place: it would be fed from itself.
#[test]
fn an_archive_is_never_the_default_source() {
    let stage = Stage::new();
    let library = stage.library();
    let usual = stage.program.home().join("MessagesArchive").display().to_string();
    for archive in ["archive", &usual] {
        stage.run(&["archive", archive, "--source", &library]).with_code(0);
    }
    stage.install(&["--system", "systemd"]).with_code(0);
    let paths: Vec<Value> = sources(&stage).iter().map(|source| source["path"].clone()).collect();
    assert_eq!(paths, [json!(stage.archive()), json!(usual)]);
    for command in
        [&["list"][..], &["archive", "archive"], &["export", "-f", "txt", "-o", "out"], &["doctor"]]
    {
        let err = stage.run(command).with_code(1).err;
        assert!(err.contains("no Messages library was found on this machine"), "{command:?}: {err}");
    }
}

#[test]
fn an_archive_at_the_usual_place_is_listed_once() {
    let stage = Stage::new();
    let usual = stage.program.home().join("MessagesArchive");
    fs::create_dir(&usual).unwrap();
    assert_eq!(sources(&stage), [] as [Value; 0], "any folder may be called so");
    let library = stage.library();
    let usual_words = usual.display().to_string();
    stage.run(&["archive", &usual_words, "--source", &library]).with_code(0);
    assert_eq!(sources(&stage).len(), 1);
    stage.run(&["schedule", "install", "--system", "cron", "--archive", &usual_words]).with_code(0);
    assert_eq!(sources(&stage).len(), 1);
}

#[test]
fn a_damaged_schedule_hides_no_source() {
    let stage = Stage::new();
    stage.install(&["--system", "systemd"]).with_code(0);
    fs::write(stage.folder().join("schedule.json"), "{").unwrap();
    let messages = stage.program.home().join("Library/Messages");
    fs::create_dir_all(&messages).unwrap();
    fs::write(messages.join("chat.db"), "SQLite format 3\0").unwrap();
    let ran = stage.run(&["sources", "--json"]).with_code(0);
    assert!(ran.out.contains("\"library\""), "{}", ran.out);
    assert!(ran.err.contains("which archive the schedule feeds is not known"), "{}", ran.err);
}
