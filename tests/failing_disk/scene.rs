//! What a run finds: folders, made once and copied for each run.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::program::{Program, Ran};
use crate::support::tree;

/// Folders that are copied for each run, relative to where the program runs.
pub struct Scene {
    pub made: Program,
    folders: &'static [&'static str],
}

impl Scene {
    /// Of these folders; what is not made is not there.
    pub fn of(folders: &'static [&'static str]) -> Scene {
        Scene { made: Program::in_memory(), folders }
    }

    /// Where they are made.
    pub fn path(&self, below: &str) -> PathBuf {
        self.made.path().join(below)
    }

    /// Makes everything as it is before a run, whatever the last one left.
    pub fn set(&self, program: &Program) {
        for folder in self.folders {
            self.set_one(program, folder);
        }
    }

    /// The same of one folder.
    pub fn set_one(&self, program: &Program, folder: &str) {
        let (made, here) = (self.path(folder), program.path().join(folder));
        for path in [here.with_extension("away"), here.clone()] {
            let _ = fs::remove_dir_all(path);
        }
        if made.exists() {
            tree::copy(&made, &here);
        }
    }
}

/// What runs left, by exit code: each is judged once.
#[derive(Default)]
pub struct Once(Mutex<HashSet<(Option<i32>, Files)>>);

impl Once {
    /// Whether no run before left this.
    pub fn is_first(&self, ran: &Ran, left: Files) -> bool {
        self.0.lock().unwrap().insert((ran.code, left))
    }
}

/// The paths and bytes of what lies there; of nothing where there is nothing.
pub type Files = Vec<(String, Vec<u8>)>;

/// See [`Files`].
pub fn files(folder: &Path) -> Files {
    if folder.exists() { tree::files(folder) } else { Vec::new() }
}
