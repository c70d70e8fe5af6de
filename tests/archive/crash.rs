//! Killed at any instant, out of room, or left by its source: the archive verifies, and the next run completes it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use msgarchive::archive::check;
use rusqlite::Connection;

use super::device::below;
use crate::program::Program;
use crate::support::{Library, Schema};

/// A library with `messages` messages, every tenth with a picture.
fn library(folder: &Path, messages: usize) {
    let mut library = Library::new(Schema::MACOS_26);
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

/// Verifies what a run that was ended left; it may not have got as far as there being an archive.
#[track_caller]
fn whole(archive: &Path, when: &str) {
    if !archive.join("chat.db").exists() {
        return;
    }
    let database = archive.join("chat.db");
    if fs::metadata(&database).unwrap().len() == 0 || tables(&database) == 0 {
        return;
    }
    let problems = check(archive, true, 1, &()).unwrap().problems;
    // A run that was ended between its rows and its record: the next one writes that.
    let problems: Vec<_> = problems.into_iter().filter(|problem| problem.kind != "record").collect();
    assert_eq!(problems, [], "{when}");
}

/// How many tables there are; looking makes SQLite take back what was begun.
fn tables(database: &Path) -> i64 {
    let db = Connection::open(database).unwrap();
    db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap()
}

/// The archive holds all that the library has.
#[track_caller]
fn complete(archive: &Path, messages: i64) {
    assert_eq!(check(archive, true, 1, &()).unwrap().problems, []);
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let count = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM message"), messages);
    assert_eq!(count("SELECT count(*) FROM msgarchive_content"), messages / 10);
    assert_eq!(count("SELECT count(*) FROM chat_message_join"), messages);
}

#[cfg(unix)]
#[test]
fn killed_at_any_instant() {
    const MESSAGES: usize = 200;
    let program = Program::new();
    let source = program.path().join("library");
    library(&source, MESSAGES);
    let mut seed = 17;
    // How long an undisturbed run takes here.
    let begun = Instant::now();
    program.run(&["archive", "measured", "-s", "library"]).with_code(0);
    let whole_run = begun.elapsed();
    let news = Connection::open(source.join("chat.db")).unwrap();
    for round in 0..20 {
        let archive = program.path().join(format!("a{round}"));
        let name = format!("a{round}");
        // A first run, and later ones with news in between.
        for again in 0..3 {
            news.execute("UPDATE message SET text = text || '.' WHERE ROWID % 7 = ?1", [again]).unwrap();
            let mut child = program
                .command(&["archive", &name, "-s", "library"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let share = below(&mut seed, 1000) as u32;
            std::thread::sleep(whole_run * share / 1000);
            child.kill().unwrap();
            child.wait().unwrap();
            whole(&archive, &format!("round {round}, run {again}, {share} thousandths"));
        }
        program.run(&["archive", &name, "-s", "library"]).with_code(0);
        complete(&archive, MESSAGES as i64);
        fs::remove_dir_all(archive).unwrap();
    }
}

/// No file may grow beyond so many blocks: every write may be the one that fails.
#[cfg(unix)]
#[test]
fn no_room_at_any_write() {
    const MESSAGES: usize = 100;
    let program = Program::new();
    library(&program.path().join("library"), MESSAGES);
    for blocks in [0, 1, 2, 8, 16, 40, 100, 150, 200, 240] {
        let name = format!("a{blocks}");
        let shell = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {} archive {name} -s library",
            env!("CARGO_BIN_EXE_msgarchive")
        );
        let prepared = program.command(&[]);
        let mut command = Command::new("bash");
        command.args(["-c", &shell]).current_dir(program.path()).env_clear().stdin(Stdio::null());
        for (name, value) in prepared.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let ran = command.output().unwrap();
        let archive = program.path().join(&name);
        whole(&archive, &format!("{blocks} blocks"));
        if blocks < 100 {
            assert_eq!(ran.status.code(), Some(1), "{blocks}: {}", String::from_utf8_lossy(&ran.stderr));
        }
        program.run(&["archive", &name, "-s", "library"]).with_code(0);
        complete(&archive, MESSAGES as i64);
    }
}

/// What can be taken in is; the rest is tried again the next night.
#[test]
fn a_source_that_goes_away() {
    const MESSAGES: usize = 100;
    let program = Program::new();
    let source = program.path().join("library");
    library(&source, MESSAGES);
    // Its attachments were unplugged.
    fs::rename(source.join("Attachments"), program.path().join("elsewhere")).unwrap();
    program.run(&["archive", "a", "-s", "library"]).with_code(0);
    whole(&program.path().join("a"), "without attachments");
    fs::rename(program.path().join("elsewhere"), source.join("Attachments")).unwrap();
    let ran = program.run(&["archive", "a", "-s", "library"]).with_code(0);
    assert!(ran.out.contains("10 stored that were not on the disk before"), "{}", ran.out);
    complete(&program.path().join("a"), MESSAGES as i64);
    fs::remove_dir_all(&source).unwrap();
    program.run(&["archive", "a", "-s", "library"]).with_code(1);
    complete(&program.path().join("a"), MESSAGES as i64);
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
    let run = program.command(&["archive", "a", "-s", "library"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    reader.execute_batch("COMMIT").unwrap();
    assert!(run.wait_with_output().unwrap().status.success());
    complete(&program.path().join("a"), 100);
}
