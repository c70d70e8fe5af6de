//! The archive on a disk that fails, and its source on one: what is left verifies and holds all that was held, the next run
//! completes it.
//!
//! A later run meets every kind of fault at every step. What it leaves is judged once where it leaves the same again, as
//! it does whenever it had not begun to write. A first run is spared the disk that dies: it leaves something else each
//! time, for it makes up an id, and what it reads again is what it wrote itself.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::{Disturbed, Fault, Run};
use crate::archive::crash::{complete, library_of, news, states, whole};
use crate::program::Program;
use crate::support::{Schema, tree};

const MESSAGES: usize = 20;
const ARCHIVE: &[&str] = &["archive", "archive", "-s", "library", "--jobs", "1", "--progress", "never"];

/// Their paths and bytes.
type Files = Vec<(String, Vec<u8>)>;

/// What a run finds: a library, and an archive of what it held before its news.
struct Before {
    program: Program,
    held: BTreeSet<(String, i64)>,
    /// What runs left, by exit code: each is judged once.
    judged: Mutex<HashSet<(Option<i32>, Files)>>,
}

impl Before {
    fn first_run() -> Before {
        let program = Program::in_memory();
        // With few columns: an archive takes over each, and every first run takes the longer.
        library_of(Schema::OSX_10_10, &program.path().join("library"), MESSAGES);
        Before { program, held: BTreeSet::new(), judged: Mutex::default() }
    }

    fn later_run() -> Before {
        let Before { program, .. } = Before::first_run();
        program.run(ARCHIVE).with_code(0);
        news(&program.path().join("library"), 2);
        let held = states(&program.path().join("archive"));
        Before { program, held, judged: Mutex::default() }
    }

    fn set(&self, program: &Program) {
        for folder in ["library", "library.away", "archive"] {
            self.set_one(program, folder);
        }
    }

    fn set_one(&self, program: &Program, folder: &str) {
        let _ = fs::remove_dir_all(program.path().join(folder));
        if self.program.path().join(folder).exists() {
            tree::copy(&self.program.path().join(folder), &program.path().join(folder));
        }
    }

    fn judge(&self, program: &Program, folder: &str, disturbed: &Disturbed) {
        let archive = program.path().join("archive");
        disturbed.has_an_answer(folder);
        let mut left = if archive.exists() { tree::files(&archive) } else { Vec::new() };
        // Who held it last.
        left.retain(|(path, _)| path != "lock");
        if !self.judged.lock().unwrap().insert((disturbed.ran.code, left)) {
            return;
        }
        whole(&archive, "after it");
        assert!(states(&archive).is_superset(&self.held), "something is lost");
        // An attachment that is not there is no failure: it may come back.
        if disturbed.ran.code == Some(0) && disturbed.fault != Fault::Vanished {
            complete(&archive, MESSAGES as i64);
        }
        // It is plugged in again.
        self.set_one(program, "library");
        program.run(ARCHIVE).with_code(0);
        complete(&archive, MESSAGES as i64);
        assert!(states(&archive).is_superset(&self.held), "something is lost with the next run");
        nothing_is_left_over(&archive);
    }

    fn survives(&self, fault: Fault, folder: &str) {
        let run = Run { arguments: ARCHIVE, folder, set: &|program| self.set(program) };
        let steps = run.at_every_step(fault, &|program, disturbed| self.judge(program, folder, disturbed));
        assert!(steps > 20, "{steps}");
    }
}

/// All that lies in an archive is what belongs there.
fn nothing_is_left_over(archive: &Path) {
    for (path, _) in tree::files(archive) {
        let known = ["archive.json", "chat.db", "README.txt", "lock", "search.db"].contains(&&*path)
            || (path.starts_with("runs/") && path.ends_with(".json"))
            || (path.starts_with("Attachments/") && !path.contains(".unfinished"));
        assert!(known, "{path} is left");
    }
}

const OF_ARCHIVE: [Fault; 4] = [Fault::Error, Fault::Full, Fault::Killed, Fault::Dead];
const OF_SOURCE: [Fault; 3] = [Fault::Error, Fault::Dead, Fault::Vanished];

#[test]
fn a_first_run() {
    let before = Before::first_run();
    OF_ARCHIVE
        .iter()
        .filter(|fault| **fault != Fault::Dead)
        .for_each(|fault| before.survives(*fault, "archive"));
}

#[test]
fn a_later_run() {
    let before = Before::later_run();
    OF_ARCHIVE.iter().for_each(|fault| before.survives(*fault, "archive"));
}

#[test]
fn a_source_that_is_read_for_the_first_time() {
    let before = Before::first_run();
    OF_SOURCE.iter().for_each(|fault| before.survives(*fault, "library"));
}

#[test]
fn a_source_with_news() {
    let before = Before::later_run();
    OF_SOURCE.iter().for_each(|fault| before.survives(*fault, "library"));
}

#[test]
fn disks_that_are_slow_and_no_worse() {
    for before in [Before::first_run(), Before::later_run()] {
        for folder in ["archive", "library"] {
            let program = Program::in_memory();
            let run = Run { arguments: ARCHIVE, folder, set: &|program| before.set(program) };
            let (ran, interrupted) = run.hindered(&program);
            ran.with_code(0);
            assert!(interrupted > 5, "{folder}: {interrupted}");
            complete(&program.path().join("archive"), MESSAGES as i64);
        }
    }
}
