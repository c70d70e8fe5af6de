//! An archive that may be read and not written: on somebody else's disk, on a medium that is read-only.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::small_library;
use crate::program::{Program, Ran, ran};
use crate::support::tree;

/// Nobody's number, for where the test's own user may write everything.
const NOBODY: u32 = 65_534;

struct ReadOnly {
    program: Program,
    /// Root is told no by nothing.
    as_nobody: bool,
}

fn everything_below(folder: &Path, folders: u32, files: u32) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => everything_below(&entry.path(), folders, files),
            false => fs::set_permissions(entry.path(), Permissions::from_mode(files)).unwrap(),
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(folders)).unwrap();
}

impl ReadOnly {
    fn new() -> ReadOnly {
        let program = Program::new();
        small_library(&program.path().join("library"));
        program.run(&["archive", "archive", "-s", "library"]).with_code(0);
        let library = Connection::open(program.path().join("library/chat.db")).unwrap();
        library.execute("UPDATE message SET text = 'news' WHERE ROWID = 2", []).unwrap();
        program.run(&["archive", "archive", "-s", "library"]).with_code(0);
        everything_below(program.path(), 0o777, 0o666);
        ReadOnly { program, as_nobody: false }
    }

    fn lock(&mut self) {
        let archive = self.program.path().join("archive");
        everything_below(&archive, 0o555, 0o444);
        self.as_nobody = fs::File::options().append(true).open(archive.join("chat.db")).is_ok();
        // Where the program lies nobody else may look. By a process of its own: what this one has open for writing may be open
        // in one that another test is just starting, and could not be run.
        let mut copy = std::process::Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_msgarchive")).arg(self.program.path().join("msgarchive"));
        assert!(copy.status().unwrap().success());
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.program.command(arguments);
        if self.as_nobody {
            let mut as_nobody = std::process::Command::new(self.program.path().join("msgarchive"));
            as_nobody.args(arguments).current_dir(self.program.path()).env_clear().uid(NOBODY);
            as_nobody.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = as_nobody;
        }
        ran(command.output().unwrap())
    }
}

#[test]
fn everything_can_be_read_and_nothing_is_written() {
    let mut archive = ReadOnly::new();
    archive.run(&["search", "archive", "word"]).with_code(0);
    archive.lock();
    let folder = archive.program.path().join("archive");
    let before = tree::files(&folder);
    for arguments in [
        &["list", "-s", "archive"][..],
        &["list", "-s", "archive", "--as-of", "2099-01-01"],
        &["export", "-s", "archive", "-f", "pdf,csv,jsonl,txt", "-o", "out", "--contacts", "none"],
        &["storage", "-s", "archive", "--contacts", "none"],
        &["history", "archive"],
        &["history", "archive", "--deleted"],
        &["verify", "archive", "--deep"],
        &["archive", "archive", "-s", "library", "--dry-run"],
        &["archive", "copy", "-s", "archive"],
        &["verify", "copy", "--deep"],
        &["compare", "archive", "copy", "--contacts", "none"],
    ] {
        let ran = archive.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:#?}");
    }
    let ran = archive.run(&["doctor", "-s", "archive", "--contacts", "none"]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let found = archive.run(&["search", "archive", "word"]).with_code(0).out;
    assert!(found.ends_with("30 messages\n"), "{found}");
    assert_eq!(tree::files(&folder), before);
    assert_eq!(archive.program.left_in_tmp(), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn what_has_to_write_says_that_it_may_not() {
    let mut archive = ReadOnly::new();
    let index = archive.program.path().join("archive/search.db");
    if index.exists() {
        fs::remove_file(index).unwrap();
    }
    archive.lock();
    let folder = archive.program.path().join("archive");
    let before = tree::files(&folder);
    for arguments in [
        &["archive", "archive", "-s", "library"][..],
        &["archive", "archive", "-s", "library", "--export", "txt", "--out", "out"],
    ] {
        let ran = archive.run(arguments).with_code(1);
        assert!(ran.err.contains("archive/lock") && ran.err.contains("ermission denied"), "{}", ran.err);
    }
    assert_eq!(tree::files(&folder), before);
    // The index cannot be made beside the archive: it is made where this user may write.
    let found = archive.run(&["search", "archive", "word"]).with_code(0).out;
    assert!(found.ends_with("30 messages\n"), "{found}");
    assert_eq!(tree::files(&folder), before);
    assert_eq!(archive.program.left_in_tmp(), [""; 0].map(std::path::PathBuf::from));
}

/// Whatever page of it: most are read only when something is looked for. It cannot be made anew where it lies.
#[test]
fn an_index_that_is_damaged_keeps_nobody_from_searching() {
    let mut archive = ReadOnly::new();
    let folder = archive.program.path().join("archive");
    let index = folder.join("search.db");
    let whole = fs::read(&index).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 2);
    for page in 0..pages {
        everything_below(&folder, 0o777, 0o666);
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(&index, &bytes).unwrap();
        archive.lock();
        let found = archive.run(&["search", "archive", "word"]).with_code(0).out;
        assert!(found.ends_with("30 messages\n"), "page {page}: {found}");
        assert!(fs::read(&index).unwrap() == bytes);
    }
    assert_eq!(archive.program.left_in_tmp(), [""; 0].map(std::path::PathBuf::from));
}

/// Where nothing can be noted the next run is told nothing, and that is said.
#[test]
fn damage_that_cannot_be_noted_is_said_to_be_so() {
    let mut archive = ReadOnly::new();
    let database = archive.program.path().join("archive/chat.db");
    let damage = rusqlite::Connection::open(database).unwrap();
    damage.execute("UPDATE message SET text = 'other' WHERE ROWID = 3", []).unwrap();
    drop(damage);
    archive.lock();
    let ran = archive.run(&["verify", "archive"]).with_code(3);
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("run `verify` again where it may"), "{words}");
}
