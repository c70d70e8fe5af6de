//! Damaged databases: an index that does not say what its table holds. What can be read is exported, and what cannot
//! is never left out silently.

use std::path::Path;

use rusqlite::Connection;

use crate::program::Program;
use crate::support::{Library, Schema, Tapback};

/// Three messages, the first of them loved.
fn library(folder: &Path) -> String {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let first = library.message(chat).from(ana).text("one").id();
    library.message(chat).from(ana).text("two");
    library.message(chat).from_me().text("three");
    library.message(chat).from_me().tapback(first, Tapback::Loved);
    library.write(folder).to_str().unwrap().to_owned()
}

/// Makes an index anew without the rows for which `condition` is false, and has the schema say that it is whole.
fn cripple(database: &str, index: &str, condition: &str) {
    let db = Connection::open(database).unwrap();
    let of_index = "FROM sqlite_master WHERE name = ?1";
    let sql: String = db.query_row(&format!("SELECT sql {of_index}"), [index], |row| row.get(0)).unwrap();
    let (whole, old_condition) = sql.split_once(" WHERE ").unwrap_or((&sql, "TRUE"));
    db.execute_batch(&format!("DROP INDEX {index}; {whole} WHERE ({old_condition}) AND {condition};"))
        .unwrap();
    db.pragma_update(None, "writable_schema", true).unwrap();
    let changed =
        db.execute("UPDATE sqlite_master SET sql = ?2 WHERE name = ?1", [index, sql.as_str()]).unwrap();
    assert_eq!(changed, 1);
    drop(db);
    let db = Connection::open(database).unwrap();
    let found: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).unwrap();
    assert_ne!(found, "ok");
}

#[test]
fn a_row_that_an_index_misses_is_exported_all_the_same() {
    let program = Program::new();
    let database = library(program.path());
    cripple(&database, "message_idx_handle", "rowid <> 2");
    let out = program.run(&["export", "-s", &database, "-f", "txt", "-o", "out"]).with_code(0).out;
    assert!(out.contains("4 read\n  = 3 messages\n  + 1 tapback,"), "{out}");
}

#[test]
fn an_account_that_damage_keeps_from_balancing_says_so() {
    let program = Program::new();
    let database = library(program.path());
    cripple(&database, "message_idx_associated_message2", "rowid <> 4");
    let err = program.run(&["export", "-s", &database, "-f", "txt", "-o", "out"]).with_code(1).err;
    assert!(err.contains("chat.db is damaged\ncaused by: row "), "{err}");
    assert!(err.contains("missing from index message_idx_associated_message2\n"), "{err}");
    assert!(err.contains("sqlite3 chat.db .recover"), "{err}");
    assert!(!program.path().join("out").exists());
}

/// SQLite's own words come once.
#[test]
fn a_cause_is_not_repeated() {
    let program = Program::new();
    let database = library(program.path());
    let mut bytes = std::fs::read(&database).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&database, bytes).unwrap();
    let err = program.run(&["list", "-s", &database]).with_code(1).err;
    assert_eq!(err.matches("malformed").count(), 1, "{err}");
}

/// What mends an archive is `archive` itself; who followed the advice for a library would have two halves of one.
#[test]
fn a_damaged_archive_is_not_rescued_by_hand() {
    let program = Program::new();
    let archive = program.path().join("archive");
    program.run(&["archive", "archive", "--sample"]).with_code(0);
    let mut bytes = std::fs::read(archive.join("chat.db")).unwrap();
    // All but what says what it is.
    bytes[4096..].fill(0xA5);
    std::fs::write(archive.join("chat.db"), bytes).unwrap();
    for command in [
        &["list", "--source", "archive"][..],
        &["export", "--source", "archive", "--format", "txt", "--out", "out"],
        &["storage", "--source", "archive"],
        &["history", "archive"],
        &["search", "archive", "tide"],
    ] {
        let said = program.run(command).with_code(1).err;
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("run `msgarchive archive DIR` once more"), "{command:?}: {said}");
        assert!(!words.contains(".recover"), "{command:?}: {said}");
    }
    let said = program.run(&["archive", "archive", "--sample"]).with_code(3).err;
    assert!(said.contains("it lies in damaged/"), "{said}");
    assert!(program.run(&["verify", "archive"]).with_code(0).out.contains("Whole"));
}
