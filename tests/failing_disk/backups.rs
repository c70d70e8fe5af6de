//! Backups of a phone on a disk that fails: an archive is fed with what they hold or not at all, and what was decrypted is
//! gone, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::archives::{MESSAGES, held_files};
use super::exports::some_time_passes;
use super::scene::{Once, Scene};
use super::{Disturbed, Fault, Run};
use crate::archive::crash::{complete, library_of, news, whole};
use crate::program::Program;
use crate::support::Schema;
use crate::support::backup::{Layout, wrap};

const ARCHIVE: &[&str] =
    in_one_thread!["archive", "archive", "-s", "backup", "--password-file", "secret/password"];
const EXPORT: &[&str] = in_one_thread![
    "export",
    "-s",
    "backup",
    "--password-file",
    "secret/password",
    "-f",
    "txt,csv",
    "-o",
    "out"
];
const PASSWORD: &str = "secret";
/// The first argument of the process that clears away.
const CLEARS_AWAY: &str = "clear-away-after-me";

/// A backup that was archived, and one of the same device with news, part of which is in the log of its database.
fn backup(password: Option<&str>) -> Scene {
    let scene = Scene::of(&["backup", "secret", "archive", "out"]);
    fs::create_dir(scene.path("secret")).unwrap();
    fs::write(scene.path("secret/password"), PASSWORD).unwrap();
    let layout = Layout { password, ..Layout::default() };
    let library = scene.path("library");
    fs::create_dir(&library).unwrap();
    library_of(Schema::OSX_10_10, &library, MESSAGES);
    let db = rusqlite::Connection::open(library.join("chat.db")).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    wrap(&library, None, &scene.path("backup"), layout);
    scene.made.run(ARCHIVE).with_code(0);
    // Kept open, and read: whoever closes it last empties the log.
    db.query_row("SELECT count(*) FROM message", [], |_| Ok(())).unwrap();
    news(&library, 2);
    assert!(library.join("chat.db-wal").metadata().unwrap().len() > 0);
    fs::remove_dir_all(scene.path("backup")).unwrap();
    wrap(&library, None, &scene.path("backup"), layout);
    drop(db);
    scene
}

fn is_read_or_not(password: Option<&str>) {
    let (scene, judged) = (backup(password), Once::default());
    let run = Run { arguments: ARCHIVE, folder: "backup", set: &|program| scene.set(program), spared: "" };
    run.survives(
        &[Fault::Error, Fault::Dead, Fault::Vanished],
        &|program: &Program, disturbed: &Disturbed| {
            let archive = program.path().join("archive");
            disturbed.has_an_answer("backup");
            assert_eq!(program.left_in_tmp(), [] as [PathBuf; 0]);
            if !judged.is_first(&disturbed.ran, held_files(&archive)) {
                return;
            }
            // Nothing was deleted there.
            whole(&archive, "after it");
            let db = rusqlite::Connection::open(archive.join("chat.db")).unwrap();
            let absent: i64 =
                db.query_row("SELECT count(*) FROM msgarchive_absence", [], |row| row.get(0)).unwrap();
            assert_eq!(absent, 0, "taken for deleted");
            drop(db);
            scene.set_one(program, "backup");
            program.run(ARCHIVE).with_code(0);
            complete(&archive, MESSAGES as i64);
        },
    );
}

#[test]
fn a_plain_one() {
    is_read_or_not(None);
}

#[test]
fn an_encrypted_one() {
    is_read_or_not(Some(PASSWORD));
}

/// What is killed while it writes what was encrypted is cleared away after by another process.
#[test]
fn the_export_of_an_encrypted_one() {
    let scene = backup(Some(PASSWORD));
    let run =
        Run { arguments: EXPORT, folder: "out", set: &|program| scene.set(program), spared: CLEARS_AWAY };
    run.survives(&[Fault::Killed], &|program: &Program, _: &Disturbed| {
        let out = program.path().join("out");
        who_clears_away_is_done(&out);
        for (path, bytes) in super::scene::files(&out) {
            let is_hidden = path.starts_with(".msgarchive-");
            assert!(!is_hidden || bytes.is_empty() || !path.contains("/out/"), "{path} is not cleared away");
        }
        some_time_passes(&out);
        program.run(EXPORT).with_code(0);
        assert!(!super::scene::files(&out).iter().any(|(path, _)| path.starts_with(".msgarchive-")));
        program.run(&["verify", "out", "--progress", "never"]).with_code(0);
    });
}

/// Waits for the process that clears away after one that was killed, where that came to start it: no fault strikes it.
fn who_clears_away_is_done(out: &Path) {
    let out = out.canonicalize().unwrap_or_else(|_| out.to_owned());
    let is_theirs = |process: fs::DirEntry| {
        let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        words.contains(CLEARS_AWAY) && words.contains(&*out.to_string_lossy())
    };
    let begun = Instant::now();
    while fs::read_dir("/proc").unwrap().flatten().any(is_theirs) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}
