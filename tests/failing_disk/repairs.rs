//! Runs that put right what `verify` found, or fill in what was not there before, on a disk that fails: the next one does
//! what was left.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::archives::{ARCHIVE, MESSAGES, held_files, nothing_is_left_over};
use super::scene::{Once, Scene};
use super::{Disturbed, Fault, Run};
use crate::archive::crash::{complete, library_of, news, states};
use crate::program::Program;
use crate::support::{Schema, tree};

const FAULTS: &[Fault] = &[Fault::Error, Fault::Killed];

/// An archive that has something to be put right, and the library that it came from.
struct Broken {
    scene: Scene,
    /// What it holds when that is done.
    becomes: BTreeSet<(String, i64)>,
    judged: Once,
}

impl Broken {
    /// Of an archive of two runs.
    fn by(damage: &dyn Fn(&Path)) -> Broken {
        let scene = Scene::of(&["library", "archive"]);
        library_of(Schema::OSX_10_10, &scene.path("library"), MESSAGES);
        scene.made.run(ARCHIVE).with_code(0);
        news(&scene.path("library"), 2);
        scene.made.run(ARCHIVE).with_code(0);
        damage(&scene.path("archive"));
        scene.made.run(&["verify", "archive", "--deep", "--progress", "never"]).with_code(3);
        Broken::as_made(scene)
    }

    fn as_made(scene: Scene) -> Broken {
        let program = Program::in_memory();
        scene.set(&program);
        mends(&program);
        let archive = program.path().join("archive");
        complete(&archive, MESSAGES as i64);
        Broken { scene, becomes: states(&archive), judged: Once::default() }
    }

    fn judge(&self, program: &Program, disturbed: &Disturbed) {
        let archive = program.path().join("archive");
        disturbed.has_an_answer("archive");
        if !self.judged.is_first(&disturbed.ran, held_files(&archive)) {
            return;
        }
        if disturbed.ran.code.is_some_and(|code| code != 1) {
            complete(&archive, MESSAGES as i64);
        }
        mends(program);
        complete(&archive, MESSAGES as i64);
        let held = states(&archive);
        assert!(held.is_superset(&self.becomes), "lost: {:?}", self.becomes.difference(&held));
        // What was set aside is kept, and nothing of what was read of it.
        for (path, _) in tree::files(&archive).iter().filter(|(path, _)| path.starts_with("damaged/")) {
            assert!(path.ends_with("/chat.db"), "{path} is left");
        }
        nothing_is_left_over(&archive, &["damaged/"]);
        assert_eq!(program.left_in_tmp(), [] as [PathBuf; 0]);
    }

    fn is_mended(&self, faults: &[Fault]) {
        let run = Run {
            arguments: ARCHIVE,
            folder: "archive",
            set: &|program| self.scene.set(program),
            spared: "",
        };
        run.survives(faults, &|program, disturbed| self.judge(program, disturbed));
    }
}

/// A run that nothing disturbs; that a database was set aside it tells.
#[track_caller]
fn mends(program: &Program) {
    let ran = program.run(ARCHIVE);
    assert!(
        ran.code == Some(0) || ran.code == Some(3) && ran.err.contains("it is damaged; it lies in"),
        "{ran:#?}"
    );
}

/// The first of the contents.
fn content(archive: &Path) -> PathBuf {
    archive.join("Attachments").join(&tree::files(&archive.join("Attachments"))[0].0)
}

#[test]
fn a_content_that_is_gone() {
    Broken::by(&|archive| fs::remove_file(content(archive)).unwrap()).is_mended(FAULTS);
}

#[test]
fn a_content_with_other_bytes() {
    Broken::by(&|archive| {
        let mut bytes = fs::read(content(archive)).unwrap();
        bytes[7] ^= 1;
        fs::write(content(archive), bytes).unwrap();
    })
    .is_mended(FAULTS);
}

#[test]
fn a_row_with_other_words() {
    Broken::by(&|archive| {
        let db = Connection::open(archive.join("chat.db")).unwrap();
        db.execute_batch("UPDATE message SET text = 'other' WHERE ROWID = 4").unwrap();
    })
    .is_mended(FAULTS);
}

#[test]
fn a_record_that_is_gone() {
    Broken::by(&|archive| {
        let runs = archive.join("runs");
        fs::remove_file(runs.join(&tree::files(&runs)[0].0)).unwrap();
    })
    .is_mended(FAULTS);
}

#[test]
fn an_archive_without_its_name() {
    Broken::by(&|archive| fs::remove_file(archive.join("archive.json")).unwrap()).is_mended(FAULTS);
}

#[test]
fn a_database_that_is_begun_anew() {
    let broken = Broken::by(&|archive| {
        let path = archive.join("chat.db");
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 16384].fill(0x5a);
        fs::write(path, bytes).unwrap();
    });
    broken.is_mended(&[Fault::Error, Fault::Killed, Fault::Full, Fault::Dead]);
}

#[test]
fn attachments_that_come_later() {
    let scene = Scene::of(&["library", "archive"]);
    library_of(Schema::OSX_10_10, &scene.path("library"), MESSAGES);
    let (there, elsewhere) = (scene.path("library/Attachments"), scene.path("elsewhere"));
    fs::rename(&there, &elsewhere).unwrap();
    scene.made.run(ARCHIVE).with_code(0);
    fs::rename(&elsewhere, &there).unwrap();
    Broken::as_made(scene).is_mended(FAULTS);
}
