//! Writes that fail: a disk with no room for bytes or for files, files that may not grow. The archive verifies, and the
//! next run completes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::crash::{complete, library, news, states, whole};
use crate::program::Program;
use crate::support::tree;

const MESSAGES: usize = 60;

/// Runs the program below a shell that sets its bounds first.
fn bounded(program: &Program, bounds: &str, archive: &Path) -> (Option<i32>, String) {
    let shell = format!("{bounds}; exec \"$PROGRAM\" archive \"$ARCHIVE\" -s library --progress never");
    let mut command = Command::new("bash");
    command.args(["-c", &shell]).current_dir(program.path()).env_clear();
    for (name, value) in program.command(&[]).get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let ran = command
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("PROGRAM", env!("CARGO_BIN_EXE_msgarchive"))
        .env("ARCHIVE", archive)
        .output()
        .unwrap();
    (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

/// An archive of one run, and a library that has news.
fn with_news(program: &Program) -> PathBuf {
    let source = program.path().join("library");
    library(&source, MESSAGES);
    program.run(&["archive", "before", "-s", "library"]).with_code(0);
    news(&source, 1);
    program.path().join("before")
}

/// What a run that failed left is whole, with all that was held before it; the next run completes it. Then it is gone.
fn nothing_is_lost(program: &Program, archive: &Path, held: Option<&BTreeSet<(String, i64)>>, when: &str) {
    whole(archive, when);
    if let Some(held) = held {
        assert!(states(archive).is_superset(held), "{when}");
    }
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    complete(archive, MESSAGES as i64);
    fs::remove_dir_all(archive).unwrap();
}

/// No file may grow beyond so many kilobytes: any write may be the one that fails, or (`killed`) the last one.
fn short_of_room(bounds: &str, killed: bool) {
    let program = Program::new();
    let before = with_news(&program);
    let held = states(&before);
    let mut endings: BTreeMap<Option<i32>, u32> = BTreeMap::new();
    for kilobytes in (0..10).map(|n| n * 2).chain((2..20).map(|n| n * 24)) {
        for later in [false, true] {
            let when = format!("{kilobytes} kB, later: {later}, killed: {killed}");
            let archive = program.path().join("archive");
            if later {
                tree::copy(&before, &archive);
            }
            let (code, said) = bounded(&program, &bounds.replace("KB", &kilobytes.to_string()), &archive);
            assert!(matches!(code, Some(0 | 1) | None), "{when}: {said}");
            *endings.entry(code).or_default() += 1;
            nothing_is_lost(&program, &archive, later.then_some(&held), &when);
        }
    }
    let ended = if killed { None } else { Some(1) };
    assert!(endings[&ended] > 12 && endings[&Some(0)] > 2, "{endings:?}");
}

#[cfg(unix)]
#[test]
fn files_that_may_not_grow() {
    short_of_room("trap '' XFSZ; ulimit -f KB", false);
}

#[cfg(unix)]
#[test]
fn killed_at_a_write() {
    short_of_room("ulimit -c 0; ulimit -f KB", true);
}

/// A disk of its own, in a mount namespace: what fails is whatever comes when it is full, of bytes or of files. What was
/// left is copied away before the disk is gone.
#[cfg(target_os = "linux")]
const DISK: &str = r#"
mkdir -p disk; mount -t tmpfs -o "OPTIONS" tmpfs disk || exit 99
if [ -d "$BEFORE" ]; then cp -a "$BEFORE" disk/archive || exit 98; fi
"$PROGRAM" archive disk/archive -s library --progress never; code=$?
[ ! -d disk/archive ] || cp -a disk/archive "$ARCHIVE"
exit $code"#;

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let namespace = Command::new("unshare").args(["--mount", "true"]).output();
    if !namespace.is_ok_and(|ran| ran.status.success()) {
        crate::not_checked::say("a full disk", "the right to make a mount namespace (root)");
        return;
    }
    let program = Program::new();
    let before = with_news(&program);
    let held = states(&before);
    let mut full = 0;
    let sizes =
        (1..14).map(|n| format!("size={}k", n * 48)).chain((2..15).map(|n| format!("nr_inodes={}", n * 3)));
    for options in sizes {
        for later in [false, true] {
            let when = format!("{options}, later: {later}");
            let archive = program.path().join("archive");
            let ran = Command::new("unshare")
                .args(["--mount", "--propagation=private", "bash", "-c", &DISK.replace("OPTIONS", &options)])
                .current_dir(program.path())
                .env("PROGRAM", env!("CARGO_BIN_EXE_msgarchive"))
                .env("ARCHIVE", &archive)
                .env("BEFORE", if later { before.as_os_str() } else { "none".as_ref() })
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            match ran.status.code() {
                // It does not even hold the archive as it was.
                Some(98) => continue,
                Some(0) => {}
                Some(1) => {
                    full += 1;
                    assert!(
                        said.contains("No space left on device") || said.contains("full"),
                        "{when}: {said}"
                    );
                }
                code => panic!("{when}: {code:?}, {said}"),
            }
            nothing_is_lost(&program, &archive, later.then_some(&held), &when);
        }
    }
    assert!(full > 12, "{full}");
}
