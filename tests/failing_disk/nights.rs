//! A run and the export that is kept up after it, on disks that fail: the archive is fed whatever becomes of the export, and
//! of every file there is the whole.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::archives::MESSAGES;
use super::exports::unless_told;
use super::scene::{Files, Scene, files};
use super::{Disturbed, Fault, Run};
use crate::archive::crash::{complete, library_of, news, states, whole};
use crate::program::Program;
use crate::support::Schema;

const NIGHT: &[&str] =
    in_one_thread!["archive", "archive", "-s", "library", "--export", "pdf,csv", "--out", "out"];

/// What a night finds: an archive, the export of it, and a library with news.
struct Night {
    scene: Scene,
    held: BTreeSet<(String, i64)>,
    was: Files,
    becomes: Files,
}

impl Night {
    fn new() -> Night {
        let scene = Scene::of(&["library", "archive", "out"]);
        library_of(Schema::OSX_10_10, &scene.path("library"), MESSAGES);
        scene.made.run(NIGHT).with_code(0);
        news(&scene.path("library"), 2);
        let program = Program::in_memory();
        scene.set(&program);
        program.run(NIGHT).with_code(0);
        let (held, was) = (states(&scene.path("archive")), exported(&scene.made));
        Night { scene, held, was, becomes: exported(&program) }
    }

    fn judge(&self, program: &Program, folder: &str, disturbed: &Disturbed) {
        let archive = program.path().join("archive");
        disturbed.has_an_answer(folder);
        if archive.exists() {
            whole(&archive, "after it");
            assert!(states(&archive).is_superset(&self.held), "something is lost");
        }
        let mut left = exported(program);
        if disturbed.ran.code == Some(3) {
            // An attachment could not be read: what was written says so, and is written again the next time.
            assert!(
                disturbed.ran.out.contains("cannot be read") || disturbed.ran.out.contains("cannot read")
            );
            left.clear();
        }
        for (path, bytes) in &left {
            let is_it = |files: &Files| files.iter().any(|file| file.0 == *path && file.1 == *bytes);
            assert!(is_it(&self.was) || is_it(&self.becomes), "{path} is half of something");
        }
        // One that went away once all was written is up to date elsewhere.
        if disturbed.ran.code == Some(0) && program.path().join("out").exists() {
            assert!(left == self.becomes, "the export is not up to date");
        }
        if disturbed.ran.code == Some(0) || folder == "out" {
            complete(&archive, MESSAGES as i64);
        }
        unless_told(&program.path().join("out"), disturbed);
        program.run(NIGHT).with_code(0);
        complete(&archive, MESSAGES as i64);
        assert!(exported(program) == self.becomes, "the export is not up to date with the next run");
        assert_eq!(program.left_in_tmp(), [] as [PathBuf; 0]);
    }

    fn survives(&self, faults: &[Fault], folder: &str) {
        let run = Run { arguments: NIGHT, folder, set: &|program| self.scene.set(program), spared: "" };
        run.survives(faults, &|program, disturbed| self.judge(program, folder, disturbed));
    }
}

/// What there is of the export, but for hidden folders. Of pages, which say where the archive is, only whether they are
/// whole; and not what lists the bytes of all.
fn exported(program: &Program) -> Files {
    let mut files = files(&program.path().join("out"));
    files.retain(|(path, _)| !path.starts_with(".msgarchive-") && path != "manifest.json");
    for (path, bytes) in files.iter_mut().filter(|(path, _)| path.ends_with(".pdf")) {
        assert!(bytes.starts_with(b"%PDF-") && bytes.ends_with(b"%%EOF\n"), "{path} is half a document");
        bytes.clear();
    }
    files
}

#[test]
fn an_archive_that_is_exported() {
    Night::new().survives(&[Fault::Error, Fault::Dead, Fault::Killed], "archive");
}

#[test]
fn an_export_that_is_kept_up() {
    Night::new().survives(&[Fault::Error, Fault::Full, Fault::Dead, Fault::Vanished, Fault::Killed], "out");
}
