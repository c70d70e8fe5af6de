//! An export onto a disk that fails: there is the whole of it, or what was there before.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::scene::{Files, Scene, files};
use super::{Disturbed, Fault, Run};
use crate::archive::crash::library_of;
use crate::program::Program;
use crate::support::{Schema, tree};

const EXPORT: &[&str] = in_one_thread!["export", "-s", "library", "-f", "txt,csv,jsonl,pdf", "-o", "out"];

/// What an export finds in its folder, and what it makes of it.
struct Before {
    scene: Scene,
    was: Files,
    becomes: Files,
}

impl Before {
    /// `again`: there is an export of fewer messages.
    fn new(again: bool) -> Before {
        let scene = Scene::of(&["library", "out"]);
        let out = scene.path("out");
        let export = |messages| {
            let _ = fs::remove_dir_all(scene.path("library"));
            library_of(Schema::OSX_10_10, &scene.path("library"), messages);
            scene.made.run(EXPORT).with_code(0);
            files(&out)
        };
        let was = if again { export(12) } else { Vec::new() };
        if again {
            fs::rename(&out, scene.path("was")).unwrap();
            tree::copy(&scene.path("was"), &out);
        }
        let becomes = export(20);
        fs::remove_dir_all(&out).unwrap();
        if again {
            fs::rename(scene.path("was"), &out).unwrap();
        }
        Before { scene, was, becomes }
    }

    fn judge(&self, program: &Program, disturbed: &Disturbed) {
        disturbed.has_an_answer("out");
        let out = program.path().join("out");
        let mut left = files(&out);
        // What could not be cleared away: nobody takes it for an export, and the next run removes it.
        left.retain(|(path, _)| !path.starts_with(".msgarchive-"));
        let expected = if disturbed.ran.code == Some(0) { &self.becomes } else { &self.was };
        // Neither a dead disk nor a dead program takes anything back.
        if !matches!(disturbed.fault, Fault::Dead | Fault::Killed) && disturbed.ran.code != Some(3) {
            assert_eq!(paths(&left), paths(expected));
            assert!(left == *expected, "other bytes");
        }
        if disturbed.ran.code == Some(3) {
            // A picture could not be read to be drawn: a page says so.
            assert_eq!(paths(&left), paths(&self.becomes));
            left.retain(|(path, _)| !path.ends_with(".pdf") && path != "manifest.json");
        }
        for (path, bytes) in &left {
            let whole = |files: &Files| files.iter().any(|file| file.0 == *path && file.1 == *bytes);
            assert!(whole(&self.was) || whole(&self.becomes), "{path} is half of something");
        }
        self.is_kept(&out, disturbed);
        unless_told(&out, disturbed);
        program.run(EXPORT).with_code(0);
        let left = files(&out);
        assert_eq!(paths(&left), paths(&self.becomes), "with the next run");
        assert!(left == self.becomes, "other bytes with the next run");
        assert_eq!(program.left_in_tmp(), [] as [PathBuf; 0]);
    }

    /// Of the export that was there nothing is gone: what is not in its place is where the program says that it is.
    fn is_kept(&self, out: &Path, disturbed: &Disturbed) {
        let left = files(out);
        let is_at = |path: &str| left.iter().any(|(other, _)| other == path);
        for (path, _) in self.was.iter().filter(|(path, _)| !is_at(path)) {
            let aside = format!("/aside/before/{path}");
            assert!(left.iter().any(|(other, _)| other.ends_with(&aside)), "{path} is gone");
            if disturbed.ran.code.is_some() {
                let said: String = disturbed.ran.err.split_whitespace().collect();
                assert!(
                    said.contains("/aside/before"),
                    "nothing says where {path} is: {}",
                    disturbed.ran.err
                );
            }
        }
    }

    fn survives(&self, faults: &[Fault]) {
        let run =
            Run { arguments: EXPORT, folder: "out", set: &|program| self.scene.set(program), spared: "" };
        run.survives(faults, &|program, disturbed| self.judge(program, disturbed));
    }
}

/// An export that is complete says so where it could not clear away after itself, and is in nobody's way. Of others the folder may
/// be one of a run that is just beginning.
pub fn unless_told(out: &Path, disturbed: &Disturbed) {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    let left = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let left: Vec<String> = left.filter(|name| name.starts_with(".msgarchive-")).collect();
    match disturbed.ran.code {
        Some(0) => {
            let said: String = disturbed.ran.out.split_whitespace().collect();
            assert!(left.iter().all(|name| said.contains(name)), "nothing says that {left:?} is left");
            // A disk that went away takes not even a date.
            some_time_passes(out);
        }
        _ => some_time_passes(out),
    }
}

/// A hidden folder that has no lock yet may be a run's that is just beginning.
pub fn some_time_passes(out: &Path) {
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

const FAULTS: &[Fault] = &[Fault::Error, Fault::Full, Fault::Dead, Fault::Killed];

#[test]
fn into_a_new_folder() {
    Before::new(false).survives(FAULTS);
}

#[test]
fn into_the_folder_of_an_earlier_one() {
    Before::new(true).survives(FAULTS);
}
