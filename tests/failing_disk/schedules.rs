//! What a schedule starts, on disks that fail: the archive is fed where that can be, whatever becomes of the notes of it; and
//! what is noted down is what happened.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::archives::MESSAGES;
use super::exports::some_time_passes;
use super::scene::Scene;
use super::{Disturbed, Fault, Run};
use crate::archive::crash::{complete, library_of, news, whole};
use crate::program::{Program, Ran};
use crate::schedule::stage::Stage;
use crate::support::Schema;

const RUN: &[&str] = &["schedule", "run"];
/// Where it keeps its notes.
const NOTES: &str = "home/.local/state/msgarchive/schedule";

/// A schedule that ran once, and a library with news.
fn scheduled() -> Scene {
    let scene = Scene::of(&["library", "archive", "out", "home"]);
    library_of(Schema::OSX_10_10, &scene.path("library"), MESSAGES);
    let stage = Stage::new();
    stage
        .install(&["--system", "systemd", "--source", "library", "--export", "csv", "--out", "out"])
        .with_code(0);
    fs::create_dir_all(scene.path(NOTES)).unwrap();
    let job = fs::read_to_string(stage.folder().join("schedule.json")).unwrap();
    fs::write(scene.path(NOTES).join("schedule.json"), moved(&job, &stage.program, &scene.made)).unwrap();
    scene.made.run(RUN).with_code(0);
    news(&scene.path("library"), 2);
    scene
}

/// The same notes for a schedule of another place.
fn moved(notes: &str, from: &Program, to: &Program) -> String {
    notes.replace(&*from.path().to_string_lossy(), &to.path().to_string_lossy())
}

fn set(scene: &Scene, program: &Program) {
    scene.set(program);
    for name in ["schedule.json", "attempts.json"] {
        let path = program.path().join(NOTES).join(name);
        let notes = fs::read_to_string(&path).unwrap();
        fs::write(path, moved(&notes, &scene.made, program)).unwrap();
    }
}

fn attempts(program: &Program) -> Vec<Value> {
    let text = fs::read(program.path().join(NOTES).join("attempts.json")).unwrap();
    let value: Value = serde_json::from_slice(&text).unwrap();
    value["attempts"].as_array().unwrap().clone()
}

/// Tries the faults where this lies, and has each run judged: by what it said, and by the last record of what happened.
fn survives(folder: &str, faults: &[Fault], judge: &(dyn Fn(&Program, &Disturbed, &Value) + Sync)) {
    let scene = scheduled();
    let run = Run { arguments: RUN, folder, set: &|program| set(&scene, program), spared: "" };
    run.survives(faults, &|program, disturbed| {
        let Ran { err, code, .. } = &disturbed.ran;
        assert!(!err.contains("panicked"));
        assert!(matches!(code, Some(0 | 1 | 3) | None), "{code:?}");
        let archive = program.path().join("archive");
        whole(&archive, "after it");
        let noted = attempts(program);
        assert_eq!((&noted[0]["number"], &noted[0]["exit"]), (&1.into(), &0.into()), "the past is forgotten");
        judge(program, disturbed, noted.last().unwrap());
        some_time_passes(&program.path().join("out"));
        program.run(RUN).with_code(0);
        complete(&archive, MESSAGES as i64);
        assert_eq!(attempts(program).last().unwrap()["exit"], 0);
        program.run(&["verify", "out", "--progress", "never"]).with_code(0);
        assert_eq!(program.left_in_tmp(), [] as [PathBuf; 0]);
    });
}

#[test]
fn where_it_notes_down_what_happened() {
    let faults = [Fault::Error, Fault::Full, Fault::Dead, Fault::Killed];
    survives(NOTES, &faults, &|program, disturbed, noted| {
        let Disturbed { ran, fault, at } = disturbed;
        let is_noted = noted["number"] == 2 && noted["exit"] == 0;
        match ran.code {
            Some(0) => assert!(is_noted, "{noted}"),
            Some(_) => assert!(ran.err.contains(NOTES), "no path is named"),
            None => return,
        }
        // It cannot begin where nothing says what is to be done, or that nobody else is at it.
        let is_known =
            !["schedule.json", "lock", "schedule"].iter().any(|name| at.ends_with(&format!("/{name}")));
        if ran.code == Some(0) || *fault == Fault::Full || is_known {
            complete(&program.path().join("archive"), MESSAGES as i64);
        }
    });
}

#[test]
fn where_the_archive_lies() {
    survives("archive", &[Fault::Error, Fault::Dead, Fault::Killed], &|program, disturbed, noted| {
        assert_eq!(noted["number"], 2);
        match disturbed.ran.code {
            Some(0) => {
                assert_eq!(noted["exit"], 0);
                complete(&program.path().join("archive"), MESSAGES as i64);
            }
            _ => {
                let Ran { out, err, .. } = &disturbed.ran;
                assert!((out.clone() + err).contains(noted["message"].as_str().unwrap()), "{noted}");
            }
        }
    });
}

#[test]
fn where_the_export_lies() {
    survives("out", &[Fault::Error, Fault::Full, Fault::Killed], &|program, disturbed, noted| {
        complete(&program.path().join("archive"), MESSAGES as i64);
        assert_eq!(noted["exit"] == 0, disturbed.ran.code == Some(0));
        if disturbed.fault != Fault::Killed && disturbed.ran.code != Some(0) {
            assert!(noted["export"]["failure"].is_string(), "{noted}");
        }
    });
}
