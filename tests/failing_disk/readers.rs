//! What only reads an archive, on a disk that fails: it answers as ever, or says what could not be read. Never is an answer
//! empty for that, nor an archive damaged.

use std::sync::OnceLock;

use rusqlite::Connection;

use super::scene::{Scene, files};
use super::{Disturbed, Fault, Run};
use crate::archive::crash::{library_of, news};
use crate::program::Program;
use crate::support::Schema;

/// An archive of two runs.
fn archive() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let scene = Scene::of(&["archive"]);
        library_of(Schema::OSX_10_10, &scene.path("library"), 20);
        let run = ["archive", "archive", "-s", "library", "--progress", "never"];
        scene.made.run(&run).with_code(0);
        news(&scene.path("library"), 2);
        let db = Connection::open(scene.path("library/chat.db")).unwrap();
        db.execute_batch("DELETE FROM message WHERE ROWID = 7").unwrap();
        scene.made.run(&run).with_code(0);
        scene
    })
}

/// Tries a command, which answers as it does where nothing fails, or not at all.
fn answers(arguments: &[&str], faults: &[Fault]) {
    let scene = archive();
    let set = |program: &Program| scene.set(program);
    let expected = {
        let program = Program::in_memory();
        set(&program);
        program.run(arguments)
    };
    assert!(matches!(expected.code, Some(0 | 3)), "{expected:#?}");
    let held = files(&scene.path("archive"));
    let run = Run { arguments, folder: "archive", set: &set, spared: "" };
    run.survives(faults, &|program: &Program, disturbed: &Disturbed| {
        disturbed.has_an_answer("archive");
        if disturbed.ran.code != Some(1) {
            assert_eq!(disturbed.ran.code, expected.code);
            assert_eq!(disturbed.ran.out, expected.out, "another answer");
        }
        assert_eq!(program.left_in_tmp(), [] as [std::path::PathBuf; 0]);
        let here = program.path().join("archive");
        let away = here.with_extension("away");
        assert!(!(here.exists() && away.exists()), "something is made where the disk was");
        let mut left = files(if here.exists() { &here } else { &away });
        // The index is made anew where it is missing.
        left.retain(|(path, _)| !path.starts_with("search.db"));
        for (path, bytes) in held.iter().filter(|(path, _)| path != "search.db" && path != "lock") {
            assert!(left.iter().any(|file| (&file.0, &file.1) == (path, bytes)), "{path} was changed");
        }
        assert!(!left.iter().any(|(path, _)| path == "damaged.json"), "it is called damaged");
    });
}

const READING: &[Fault] = &[Fault::Error, Fault::Dead, Fault::Vanished];

#[test]
fn verify() {
    answers(&["verify", "archive", "--json", "--jobs", "1"], READING);
    answers(in_one_thread!["verify", "archive", "--deep"], READING);
}

#[test]
fn history() {
    answers(&["history", "archive"], READING);
    answers(&["history", "archive", "--deleted", "--json"], READING);
    let db = Connection::open(archive().path("archive/chat.db")).unwrap();
    let guid: String =
        db.query_row("SELECT guid FROM message WHERE ROWID = 2", [], |row| row.get(0)).unwrap();
    answers(&["history", "archive", "--message", &guid], READING);
}

#[test]
fn search() {
    answers(&["search", "archive", "message"], READING);
}

#[test]
fn list() {
    answers(&["list", "-s", "archive", "--json"], READING);
}
