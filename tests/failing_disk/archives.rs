//! The archive on a disk that fails, and its source on one: what is left verifies and holds all that was held, the next run
//! completes it.
//!
//! A later run meets every kind of fault at every step. What it leaves is judged once where it leaves the same again, as
//! it does whenever it had not begun to write. A first run is spared the disk that dies: it leaves something else each
//! time, for it makes up an id, and what it reads again is what it wrote itself.
//!
//! A run that is killed may find what one before it left that was killed, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::scene::{Files, Once, Scene, files};
use super::{Disturbed, Fault, Run, steps};
use crate::archive::crash::{complete, library_of, news, states, whole};
use crate::program::Program;
use crate::support::{Schema, tree};

pub const MESSAGES: usize = 20;
pub const ARCHIVE: &[&str] = in_one_thread!["archive", "archive", "-s", "library"];

/// What a run finds: a library, and an archive of what it held before its news.
struct Before {
    scene: Scene,
    held: BTreeSet<(String, i64)>,
    judged: Once,
}

impl Before {
    fn first_run() -> Before {
        let scene = Scene::of(&["library", "archive"]);
        // With few columns: an archive takes over each, and every first run takes the longer.
        library_of(Schema::OSX_10_10, &scene.path("library"), MESSAGES);
        Before { scene, held: BTreeSet::new(), judged: Once::default() }
    }

    fn later_run() -> Before {
        let Before { scene, .. } = Before::first_run();
        scene.made.run(ARCHIVE).with_code(0);
        news(&scene.path("library"), 2);
        let held = states(&scene.path("archive"));
        Before { scene, held, judged: Once::default() }
    }

    /// After a run that was killed before it changed something of the archive for the `step`th time.
    fn killed(self, step: usize) -> Before {
        let program = Program::in_memory();
        let struck = self.with("archive", |run| run.disturbed(&program, Fault::Killed, step));
        assert!(struck.is_some(), "it does not change so much");
        let (killed, left) = (program.path().join("archive"), self.scene.path("archive"));
        let _ = fs::remove_dir_all(&left);
        if killed.exists() {
            tree::copy(&killed, &left);
        }
        news(&self.scene.path("library"), 3);
        // Whoever looks at it takes back what the run had begun.
        Before { held: states(&killed), scene: self.scene, judged: Once::default() }
    }

    /// What the steps of a run change of the archive, in their order; the first has the number 1.
    fn changes(&self) -> Vec<PathBuf> {
        let logged = self.with("archive", |run| run.logged(&Program::in_memory())).into_iter();
        logged.filter(|(class, ..)| *class >= Fault::Killed.class()).map(|(_, _, path)| path).collect()
    }

    /// With a run that finds this, and of which `folder` lies on the disk that fails.
    fn with<T>(&self, folder: &str, then: impl FnOnce(&Run<'_>) -> T) -> T {
        let set = |program: &Program| self.scene.set(program);
        then(&Run { arguments: ARCHIVE, folder, set: &set, spared: "" })
    }

    fn judge(&self, program: &Program, folder: &str, disturbed: &Disturbed) {
        let archive = program.path().join("archive");
        disturbed.has_an_answer(folder);
        if !self.judged.is_first(&disturbed.ran, held_files(&archive)) {
            return;
        }
        whole(&archive, "after it");
        assert!(states(&archive).is_superset(&self.held), "something is lost");
        // An attachment that is not there is no failure: it may come back.
        if disturbed.ran.code == Some(0) && disturbed.fault != Fault::Vanished {
            complete(&archive, MESSAGES as i64);
        }
        // It is plugged in again.
        self.scene.set_one(program, "library");
        program.run(ARCHIVE).with_code(0);
        complete(&archive, MESSAGES as i64);
        assert!(states(&archive).is_superset(&self.held), "something is lost with the next run");
        nothing_is_left_over(&archive, &[]);
    }

    fn is_killed_at(&self, steps: &Vec<usize>) {
        let judge = |program: &Program, disturbed: &Disturbed| self.judge(program, "archive", disturbed);
        let struck = self.with("archive", |run| run.struck(Fault::Killed, Some(steps), &judge));
        assert_eq!(struck, steps.len());
    }

    fn survives(&self, faults: &[Fault], folder: &str) {
        let judge = |program: &Program, disturbed: &Disturbed| self.judge(program, folder, disturbed);
        self.with(folder, |run| run.survives(faults, &judge));
    }
}

/// All files of an archive but the one that says who held it last.
pub fn held_files(archive: &Path) -> Files {
    let mut files = files(archive);
    files.retain(|(path, _)| path != "lock" && path != "lock-holder");
    files
}

/// All that lies in an archive is what belongs there, and what lies in these folders.
pub fn nothing_is_left_over(archive: &Path, but: &[&str]) {
    for (path, _) in tree::files(archive) {
        let known = ["archive.json", "chat.db", "schema.json", "README.txt", "lock", "search.db"]
            .contains(&&*path)
            || (path.starts_with("runs/") && path.ends_with(".json"))
            || (path.starts_with("Attachments/") && !path.contains(".unfinished"))
            || but.iter().any(|other| path.starts_with(other));
        assert!(known, "{path} is left");
    }
}

const OF_ARCHIVE: &[Fault] = &[Fault::Error, Fault::Full, Fault::Killed, Fault::Dead];
const OF_SOURCE: &[Fault] = &[Fault::Error, Fault::Dead, Fault::Vanished];

#[test]
fn a_first_run() {
    Before::first_run().survives(&[Fault::Error, Fault::Full, Fault::Killed], "archive");
}

#[test]
fn a_later_run() {
    Before::later_run().survives(OF_ARCHIVE, "archive");
}

/// Where one is killed that has its rows and not yet its record: so is the next one, as it says that it is there, and later.
/// With every step: wherever the first one is killed.
#[test]
fn a_run_after_one_that_was_killed() {
    let is_of = |name: &'static str| move |path: &PathBuf| path.to_string_lossy().starts_with(name);
    let changes = Before::later_run().changes();
    let record = 1 + changes.iter().position(is_of("runs/")).unwrap();
    let before = Before::later_run().killed(record);
    let changes_after = before.changes();
    let of_lock = changes_after.iter().enumerate().filter(|(_, path)| is_of("lock")(path));
    let of_lock: Vec<usize> = of_lock.map(|(at, _)| at + 1).collect();
    assert!(of_lock.len() > 2, "{changes_after:?}");
    before.is_killed_at(&of_lock);
    before.survives(&[Fault::Killed], "archive");
    if steps::every() {
        for first in 1..changes.len() + 1 {
            Before::later_run().killed(first).survives(&[Fault::Killed], "archive");
        }
    }
}

/// The same of a first run, of whose steps so many are tried as are of each fault elsewhere.
#[test]
fn a_run_after_a_first_one_that_was_killed() {
    let firsts = Before::first_run().with("archive", |run| run.recorded().chosen(Fault::Killed));
    let firsts = if steps::every() { &firsts[..] } else { &firsts[firsts.len() / 2..][..1] };
    for first in firsts {
        Before::first_run().killed(*first).survives(&[Fault::Killed], "archive");
    }
}

#[test]
fn a_source_that_is_read_for_the_first_time() {
    Before::first_run().survives(OF_SOURCE, "library");
}

#[test]
fn a_source_with_news() {
    Before::later_run().survives(OF_SOURCE, "library");
}

#[test]
fn disks_that_are_slow_and_no_worse() {
    for before in [Before::first_run(), Before::later_run()] {
        for folder in ["archive", "library"] {
            let program = Program::in_memory();
            let (ran, interrupted) = before.with(folder, |run| run.hindered(&program));
            ran.with_code(0);
            assert!(interrupted > 5, "{folder}: {interrupted}");
            complete(&program.path().join("archive"), MESSAGES as i64);
        }
    }
}

/// When the power fails, what is not synced may be gone. Before a record speaks of them, all contents have names that stay:
/// each folder was synced after it got its last entry.
#[test]
fn what_a_record_speaks_of_is_synced() {
    let before = Before::first_run();
    let program = Program::in_memory();
    let mut unsynced: BTreeSet<PathBuf> = BTreeSet::new();
    let mut records = 0;
    for (class, call, path) in before.with("archive", |run| run.logged(&program)) {
        let makes = ["mkdir", "rename", "linkat"].contains(&&*call) || call.starts_with("open") && class == 3;
        let parent = || path.parent().unwrap_or(Path::new("")).to_owned();
        let is_record = call == "rename" && path.starts_with("runs");
        if is_record {
            records += 1;
            assert_eq!(unsynced, BTreeSet::new(), "not synced before {}", path.display());
        } else if makes && path.starts_with("Attachments") && path != Path::new("Attachments") {
            unsynced.insert(parent());
        } else if call == "fsync" {
            unsynced.remove(&path);
        }
    }
    assert_eq!(records, 1);
}
