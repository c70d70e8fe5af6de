//! An export onto a disk that fails: there is the whole of it, or what was there before.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{Disturbed, Fault, Run};
use crate::archive::crash::library_of;
use crate::program::Program;
use crate::support::{Schema, tree};

const EXPORT: &[&str] =
    &["export", "-s", "library", "-f", "txt,csv,jsonl", "-o", "out", "--jobs", "1", "--progress", "never"];

/// Their paths and bytes.
type Files = Vec<(String, Vec<u8>)>;

/// What an export finds in its folder, and what it makes of it.
struct Before {
    program: Program,
    was: Files,
    becomes: Files,
}

impl Before {
    /// `again`: there is an export of fewer messages.
    fn new(again: bool) -> Before {
        let program = Program::in_memory();
        let out = program.path().join("out");
        let export = |messages| {
            let _ = fs::remove_dir_all(program.path().join("library"));
            library_of(Schema::OSX_10_10, &program.path().join("library"), messages);
            program.run(EXPORT).with_code(0);
            tree::files(&out)
        };
        let mut was = Vec::new();
        if again {
            was = export(12);
            tree::copy(&out, &program.path().join("was"));
        }
        let becomes = export(20);
        Before { program, was, becomes }
    }

    fn set(&self, program: &Program) {
        for (from, to) in [("library", "library"), ("was", "out")] {
            let _ = fs::remove_dir_all(program.path().join(to));
            if self.program.path().join(from).exists() {
                tree::copy(&self.program.path().join(from), &program.path().join(to));
            }
        }
    }

    fn judge(&self, program: &Program, disturbed: &Disturbed) {
        disturbed.has_an_answer("out");
        let out = program.path().join("out");
        let mut left = if out.exists() { tree::files(&out) } else { Vec::new() };
        // What could not be cleared away: nobody takes it for an export, and the next run removes it.
        left.retain(|(path, _)| !path.starts_with(".msgarchive-"));
        let expected = if disturbed.ran.code == Some(0) { &self.becomes } else { &self.was };
        // A dead disk lets nobody take back.
        if disturbed.fault != Fault::Dead {
            assert_eq!(paths(&left), paths(expected));
            assert!(left == *expected, "other bytes");
        }
        for (path, bytes) in &left {
            let whole = |files: &Files| files.iter().any(|file| file.0 == *path && file.1 == *bytes);
            assert!(whole(&self.was) || whole(&self.becomes), "{path} is half of something");
        }
        some_time_passes(&out);
        program.run(EXPORT).with_code(0);
        let left = tree::files(&out);
        assert_eq!(paths(&left), paths(&self.becomes), "with the next run");
        assert!(left == self.becomes, "other bytes with the next run");
    }

    fn survives(&self, fault: Fault) {
        let run = Run { arguments: EXPORT, folder: "out", set: &|program| self.set(program) };
        let steps = run.at_every_step(fault, &|program, disturbed| self.judge(program, disturbed));
        assert!(steps > 20, "{steps}");
    }
}

/// A hidden folder that has no lock yet may be a run's that is just beginning.
fn some_time_passes(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".msgarchive-") {
            let before = SystemTime::now() - Duration::from_secs(3600);
            fs::File::open(entry.path()).unwrap().set_modified(before).unwrap();
        }
    }
}

fn paths(files: &Files) -> Vec<&str> {
    files.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn into_a_new_folder() {
    let before = Before::new(false);
    [Fault::Error, Fault::Full, Fault::Dead].iter().for_each(|fault| before.survives(*fault));
}

#[test]
fn into_the_folder_of_an_earlier_one() {
    let before = Before::new(true);
    [Fault::Error, Fault::Full, Fault::Dead].iter().for_each(|fault| before.survives(*fault));
}
