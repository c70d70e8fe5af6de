//! Killed at any instant: the archive verifies, nothing that it held is lost, and the next run completes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use msgarchive::archive::check;
use rusqlite::Connection;

use super::device::below;
use crate::program::Program;
use crate::support::{Library, Schema};

/// A library with `messages` messages, every tenth with a picture.
pub fn library(folder: &Path, messages: usize) {
    library_of(Schema::MACOS_26, folder, messages);
}

/// The same, as some system writes it.
pub fn library_of(schema: Schema, folder: &Path, messages: usize) {
    let mut library = Library::new(schema);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for number in 0..messages {
        let text = format!("message {number}");
        if number % 10 == 0 {
            let bytes = format!("picture {number} ").repeat(500);
            let picture = library.attachment(&format!("IMG_{number}.png")).bytes(bytes).id();
            library.message(chat).from(ana).text(&text).attachment(picture);
        } else {
            library.message(chat).from(ana).text(&text);
        }
    }
    let _ = fs::remove_file(folder.join("chat.db"));
    library.write(folder);
}

/// Something about messages changes: those of each `part`th of them.
pub fn news(source: &Path, part: i64) {
    let db = Connection::open(source.join("chat.db")).unwrap();
    let changed =
        db.execute("UPDATE message SET date_read = coalesce(date_read, 0) + 1 WHERE ROWID % ?1 = 0", [part]);
    assert!(changed.unwrap() > 0);
}

/// Every state of every message that an archive holds: its GUID, and what [`news`] changed.
pub fn states(archive: &Path) -> BTreeSet<(String, i64)> {
    if !archive.join("chat.db").exists() {
        return BTreeSet::new();
    }
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    if tables == 0 {
        return BTreeSet::new();
    }
    let sql = "SELECT guid, coalesce(date_read, 0) FROM message \
        UNION ALL SELECT guid, coalesce(date_read, 0) FROM msgarchive_message_version";
    let Ok(mut statement) = db.prepare(sql) else { return BTreeSet::new() };
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// Verifies what a run that was ended left. It may not have got as far as there being an archive.
#[track_caller]
pub fn whole(archive: &Path, when: &str) {
    if !archive.join("archive.json").exists() {
        return;
    }
    assert_eq!(check(archive, true, 1, &()).unwrap().problems, [], "{when}");
}

/// The archive holds all that the library has, and takes none of it for deleted.
#[track_caller]
pub fn complete(archive: &Path, messages: i64) {
    assert_eq!(check(archive, true, 1, &()).unwrap().problems, []);
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let count = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM message"), messages);
    assert_eq!(count("SELECT count(*) FROM msgarchive_content"), messages / 10);
    assert_eq!(count("SELECT count(*) FROM chat_message_join"), messages);
    assert_eq!(count("SELECT count(*) FROM msgarchive_absence"), 0);
}

/// Starts a run whose words nobody reads.
pub fn start(program: &Program, arguments: &[&str]) -> Child {
    program.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A run was done in it.
#[cfg(unix)]
fn has_a_record(archive: &Path) -> bool {
    let mut entries = fs::read_dir(archive.join("runs")).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_string_lossy().ends_with(".json"))
}

/// Kills at random instants, all over first runs and later ones, of which there are so many each: of a first run there is
/// no record yet, whatever one before it left. A run that was done before its instant does not count.
#[cfg(unix)]
fn kill(of_each: usize, mut seed: u64) {
    use std::os::unix::process::ExitStatusExt as _;

    const MESSAGES: usize = 60;
    let program = Program::new();
    let source = program.path().join("library");
    library(&source, MESSAGES);
    let archive = program.path().join("archive");
    let run = ["archive", "archive", "-s", "library"];
    let undisturbed = || {
        let begun = Instant::now();
        let before = states(&archive);
        program.run(&run).with_code(0);
        complete(&archive, MESSAGES as i64);
        assert!(states(&archive).is_superset(&before));
        begun.elapsed()
    };
    let whole_first_run = undisturbed();
    let mut whole_later_run = whole_first_run;
    let (mut first, mut later) = (0, 0);
    while first.min(later) < of_each {
        if first < of_each {
            fs::remove_dir_all(&archive).unwrap();
        }
        for disturbed in 0..4 {
            news(&source, 5 + disturbed % 3);
            let (before, is_first) = (states(&archive), !has_a_record(&archive));
            let mut child = start(&program, &run);
            let whole_run = if is_first { whole_first_run } else { whole_later_run };
            let share = below(&mut seed, 1000) as u32;
            std::thread::sleep(whole_run * share / 1000);
            child.kill().unwrap();
            let is_killed = child.wait().unwrap().signal().is_some();
            let when = format!("{first} and {later} times killed, run {disturbed}, {share} thousandths");
            whole(&archive, &when);
            assert!(states(&archive).is_superset(&before), "{when}");
            *if is_first { &mut first } else { &mut later } += usize::from(is_killed);
        }
        whole_later_run = undisturbed();
    }
}

/// As many first runs, and as many later ones; `KILLED_AT_INSTANTS` asks for others. Cut in four, which run at once.
#[cfg(unix)]
const INSTANTS: usize = 150;

#[cfg(unix)]
#[test]
fn killed_at_random_instants() {
    let asked = std::env::var("KILLED_AT_INSTANTS").ok();
    let of_each = asked.map_or(INSTANTS, |asked| asked.parse().expect("a number of instants"));
    std::thread::scope(|scope| {
        for seed in [17, 18, 19, 20] {
            scope.spawn(move || kill(of_each.div_ceil(4), seed));
        }
    });
}

/// Messages is writing while it is read, and an export reads the archive.
#[test]
fn beside_others() {
    let program = Program::new();
    let source = program.path().join("library");
    library(&source, 100);
    let db = Connection::open(source.join("chat.db")).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute_batch("BEGIN IMMEDIATE; UPDATE message SET text = 'half done' WHERE ROWID = 5").unwrap();
    program.run(&["archive", "a", "-s", "library"]).with_code(0);
    complete(&program.path().join("a"), 100);
    db.execute_batch("COMMIT").unwrap();
    let ran = program.run(&["archive", "a", "-s", "library"]).with_code(0);
    assert!(ran.out.contains("1 changed"), "{}", ran.out);
    // A reader keeps the old state for as long as it reads; the run waits for it, or says that it could not.
    let reader = Connection::open(program.path().join("a/chat.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM message").unwrap();
    db.execute("UPDATE message SET text = 'more' WHERE ROWID = 6", []).unwrap();
    let run = start(&program, &["archive", "a", "-s", "library"]);
    std::thread::sleep(Duration::from_millis(500));
    reader.execute_batch("COMMIT").unwrap();
    assert!(run.wait_with_output().unwrap().status.success());
    complete(&program.path().join("a"), 100);
}

/// A copy of a library that others write to, which a run was making when it was killed.
#[test]
fn a_private_copy_that_was_left_is_cleared_away() {
    let program = Program::new();
    let source = program.path().join("library");
    library(&source, 20);
    // As Messages has it open.
    let writer = Connection::open(source.join("chat.db")).unwrap();
    writer
        .execute_batch("PRAGMA journal_mode = WAL; UPDATE message SET date_read = 1 WHERE ROWID = 1")
        .unwrap();
    let left = program.path().join("tmp/.msgarchive-abcDEF12");
    let copy = left.join("aside/snapshot");
    fs::create_dir_all(&copy).unwrap();
    fs::write(left.join("lock"), "4711").unwrap();
    fs::write(copy.join("snapshot.db"), "private words").unwrap();
    let somebodys = program.path().join("tmp/.msgarchive-mine");
    fs::create_dir(&somebodys).unwrap();
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    assert!(!left.exists() && somebodys.exists());
    assert_eq!(fs::read_dir(program.path().join("tmp")).unwrap().count(), 1);
}
