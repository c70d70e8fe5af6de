//! Opening: one moment, nothing touched, and errors that say what a file is instead.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use msgarchive::source::{ChatId, SourceError};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;

use super::{open, read, read_all, try_open, try_read};
use crate::support::{Library, Schema};

/// Everything below a folder: bytes and times.
fn state(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut state = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let modified = entry.metadata().unwrap().modified().unwrap();
        if entry.file_type().unwrap().is_dir() {
            state.extend(self::state(&entry.path()));
            state.insert(entry.path(), (Vec::new(), modified));
        } else {
            state.insert(entry.path(), (fs::read(entry.path()).unwrap(), modified));
        }
    }
    let modified = fs::metadata(folder).unwrap().modified().unwrap();
    state.insert(folder.to_owned(), (Vec::new(), modified));
    state
}

fn library(messages: usize, wal: bool) -> Library {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let picture = library.attachment("a.jpg").bytes(*b"picture").id();
    library.message(chat).attachment(picture).id();
    for n in 1..messages {
        library.message(chat).text_in_both().text(&format!("message {n}")).id();
    }
    if wal {
        library.wal();
    }
    library
}

fn count(path: &Path) -> usize {
    let source = open(path);
    let rows = read_all(&*source).iter().map(|(_, rows)| rows.len()).sum();
    source.unchanged().unwrap();
    rows
}

/// A database in WAL mode, closed in order: no `-wal` beside it.
fn closed_wal(path: &Path) {
    let db = Connection::open(path).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
}

#[test]
fn the_files_that_were_read_are_hashed_and_when_they_changed_what_was_read() {
    for wal in [false, true] {
        let folder = TempDir::new().unwrap();
        let path = library(20, wal).write(folder.path());
        let source = open(&path);
        let digest = source.digest().unwrap();
        assert!(!digest.of_copy);
        let names: Vec<&str> = digest.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, if wal { &["chat.db", "chat.db-wal"][..] } else { &["chat.db"] });
        for file in &digest.files {
            let lies_there = fs::read(folder.path().join(&file.name)).unwrap();
            assert_eq!((file.bytes, file.sha256.len()), (lies_there.len() as u64, 64));
        }
        let mut changed = fs::OpenOptions::new().append(true).open(folder.path().join("chat.db")).unwrap();
        std::io::Write::write_all(&mut changed, b"x").unwrap();
        // Of what was copied there is a hash still; what was read in place is not what was read any more.
        let after = source.digest();
        assert_eq!(after.as_ref().map(|digest| digest.of_copy), wal.then_some(true), "{after:?}");
    }
}

#[test]
fn nothing_is_touched_however_the_files_lie() {
    // What lies there, and whether the folder can be written to.
    for (what, read_only) in [
        ("rollback", false),
        ("rollback", true),
        ("closed wal", false),
        ("closed wal", true),
        ("wal alone", false),
        ("wal alone", true),
        ("wal and shm", false),
        ("wal and shm", true),
        ("empty wal", false),
        ("shm alone", false),
        ("shm alone", true),
    ] {
        let temporary = TempDir::new().unwrap();
        let folder = temporary.path().join("a ?#%20 folder é");
        let path = library(50, what.starts_with("wal")).write(&folder);
        match what {
            "closed wal" => closed_wal(&path),
            "empty wal" => {
                closed_wal(&path);
                fs::write(folder.join("chat.db-wal"), b"").unwrap();
                fs::write(folder.join("chat.db-shm"), b"").unwrap();
            }
            "shm alone" => {
                closed_wal(&path);
                fs::write(folder.join("chat.db-shm"), [0; 32768]).unwrap();
            }
            "wal and shm" => {
                // As a machine that lost power leaves them.
                let db = Connection::open(&path).unwrap();
                db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
                db.query_row("SELECT count(*) FROM message", [], |_| Ok(())).unwrap();
                let shm = fs::read(folder.join("chat.db-shm")).unwrap();
                drop(db);
                fs::write(folder.join("chat.db-shm"), shm).unwrap();
            }
            _ => {}
        }
        #[cfg(unix)]
        let set_mode = |mode_of_folder: u32, mode_of_files: u32| {
            use std::os::unix::fs::PermissionsExt;
            for entry in fs::read_dir(&folder).unwrap().flatten().filter(|e| e.path().is_file()) {
                fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode_of_files)).unwrap();
            }
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode_of_folder)).unwrap();
        };
        #[cfg(unix)]
        if read_only {
            set_mode(0o500, 0o400);
        }
        let before = state(&folder);
        assert_eq!(count(&folder), 50, "{what}, read-only: {read_only}");
        assert!(before == state(&folder), "{what}, read-only: {read_only}");
        #[cfg(unix)]
        set_mode(0o700, 0o600);
    }
}

/// Pairs of rows, one for each of two chats, are committed while the chats are read by two sessions.
fn one_moment(journal: &str) {
    let folder = TempDir::new().unwrap();
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let ben = library.handle("ben@example.com", "iMessage");
    let (one, two) = (library.direct(ana), library.direct(ben));
    for _ in 0..500 {
        library.message(one).text("x").id();
        library.message(two).text("x").id();
    }
    let path = library.write(folder.path());
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "journal_mode", journal).unwrap();
    db.pragma_update(None, "wal_autocheckpoint", 20).unwrap();
    db.pragma_update(None, "synchronous", "off").unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    db.execute_batch("INSERT INTO kvtable (key, value) VALUES ('open', 1)").unwrap();
    let done = AtomicBool::new(false);
    let ended = &done;
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let mut commits = 0;
            while !ended.load(Ordering::Relaxed) {
                let n = 2_000 + 2 * commits;
                let written = db.execute_batch(&format!(
                    "BEGIN IMMEDIATE;
                     INSERT INTO message (ROWID, guid, date) VALUES ({n}, 'A{n}', 800000000000000000 + {n});
                     INSERT INTO message (ROWID, guid, date) VALUES ({n} + 1, 'B{n}', 800000000000000000 + {n});
                     INSERT INTO chat_message_join VALUES (1, {n}, 800000000000000000 + {n});
                     INSERT INTO chat_message_join VALUES (2, {n} + 1, 800000000000000000 + {n});
                     COMMIT;"
                ));
                match written {
                    Ok(()) => commits += 1,
                    // A reader holds it: that is how a rollback journal works.
                    Err(_) => {
                        let _ = db.execute_batch("ROLLBACK");
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            }
            commits
        });
        // The flag is set even when an assertion fails, so that the writer ends.
        let outcome = std::panic::catch_unwind(|| {
            for _ in 0..5 {
                std::thread::sleep(Duration::from_millis(20));
                let source = open(&path);
                let (mut a, mut b) = (source.session().unwrap(), source.session().unwrap());
                let first = try_read(&mut *a, &[ChatId(1)], 64).unwrap();
                std::thread::sleep(Duration::from_millis(30));
                let second = try_read(&mut *b, &[ChatId(2)], 64).unwrap();
                assert_eq!(first.len(), second.len());
                let counted: Vec<u64> = source.chats().unwrap().iter().map(|chat| chat.rows).collect();
                assert_eq!(counted, [first.len() as u64; 2]);
                source.unchanged().unwrap();
            }
        });
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0, "the writer wrote");
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn one_moment_while_messages_writes() {
    one_moment("wal");
}

#[test]
fn one_moment_of_a_database_with_a_rollback_journal() {
    one_moment("delete");
}

#[test]
fn what_a_dead_writer_had_begun_is_taken_back() {
    let folder = TempDir::new().unwrap();
    let path = library(50, false).write(folder.path());
    // A transaction that reached the file, and whose journal is still there.
    let db = Connection::open(&path).unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    db.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA cache_size = 2; PRAGMA cache_spill = 1; BEGIN;
         UPDATE message SET text = 'half' || hex(zeroblob(3000)); DELETE FROM chat_message_join;",
    )
    .unwrap();
    let copy = TempDir::new().unwrap();
    for name in ["chat.db", "chat.db-journal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    drop(db);
    let before = state(copy.path());
    let source = open(copy.path());
    let rows = read(&*source, &[ChatId(1)]);
    assert_eq!(rows.len(), 50);
    assert_eq!(rows[1].text.as_deref(), Some("message 1"));
    assert!(before == state(copy.path()));
}

#[test]
fn a_change_of_a_still_file_is_noticed() {
    let folder = TempDir::new().unwrap();
    let path = library(50, false).write(folder.path());
    closed_wal(&path);
    let source = open(&path);
    source.unchanged().unwrap();
    let db = Connection::open(&path).unwrap();
    db.execute_batch("INSERT INTO kvtable (key, value) VALUES ('x', 1); PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    assert!(matches!(source.unchanged(), Err(SourceError::Changed { .. })));
}

#[test]
fn sessions_wait_for_each_other() {
    let folder = TempDir::new().unwrap();
    let source = open(&library(50, false).write(folder.path()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(read(&*source, &[ChatId(1)]).len(), 50);
                }
            });
        }
    });
}

#[test]
fn wrong_files_are_told_what_they_are() {
    let temporary = TempDir::new().unwrap();
    let folder = temporary.path();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    };
    let database = |name: &str, sql: &str| {
        let path = folder.join(name);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        path
    };
    fs::create_dir_all(folder.join("nothing in here")).unwrap();
    file("backup/Manifest.db", b"x");
    let cases = [
        (folder.join("not there"), "nothing at"),
        (folder.join("nothing in here"), "holds no chat.db"),
        (folder.join("backup"), "encrypted file of an iPhone"),
        (
            file("backup/3d/3d0d7e5fb2ce288813306e4d4636395e047a3d28", &[7; 4096]),
            "encrypted file of an iPhone",
        ),
        (file("empty/chat.db", b""), "is empty"),
        (file("random.db", &[200; 4096]), "encrypted, or damaged"),
        (file("zeros.db", &[0; 4096]), "zeros"),
        (file("text.db", b"hello there"), "text file"),
        (file("a.plist", b"bplist00"), "property list"),
        (file("chat.db-wal", b"\x37\x7f\x06\x82rest"), "give the database beside it"),
        (database("contacts.db", "CREATE TABLE ABPerson (First)"), "address book"),
        (database("files.db", "CREATE TABLE Files (fileID, relativePath)"), "list of files"),
        (database("other.db", "CREATE TABLE things (a)"), "another program's"),
        (database("hollow.db", "PRAGMA user_version = 3"), "an empty one"),
        (database("message.db", "CREATE TABLE message (x)"), "another program's"),
        (database("mail.db", "CREATE TABLE message (address, date, subject)"), "another program's"),
    ];
    for (path, expected) in cases {
        let error = try_open(&path).err().unwrap_or_else(|| panic!("{} opens", path.display()));
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.contains(path.to_str().unwrap()), "{text}");
        if let Some(source) = std::error::Error::source(&error) {
            assert!(!text.contains(&source.to_string()), "{text}: {source}");
        }
    }
    // The folder's database is the one that is wrong.
    let error = try_open(&folder.join("empty")).err().unwrap();
    assert!(matches!(error, SourceError::Empty { path } if path.ends_with("empty/chat.db")));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let error = try_open(Path::new("/dev/zero")).err().unwrap();
    assert!(matches!(error, SourceError::Io { .. }), "{error:?}");
}

#[test]
fn a_lock_is_reported_as_one() {
    let folder = TempDir::new().unwrap();
    let path = library(5, false).write(folder.path());
    let db = Connection::open(&path).unwrap();
    db.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = try_open(&path).err().unwrap();
    assert!(matches!(error, SourceError::Locked { .. }), "{error:?}");
}

/// A row whose page is damaged is still a row; the others are whole.
#[test]
fn rows_beside_a_damaged_page_are_read() {
    let folder = TempDir::new().unwrap();
    let mut big = Library::new(Schema::MACOS_15);
    let ana = big.handle("ana@example.com", "iMessage");
    let chat = big.direct(ana);
    for n in 0..200 {
        big.message(chat).text_in_both().text(&format!("{n:04} {}", "needle".repeat(50))).id();
    }
    let path = big.write(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(11).position(|window| window == b"0100 needle").unwrap();
    let page = at / 4096 * 4096;
    bytes[page..page + 4096].fill(0xee);
    fs::write(&path, bytes).unwrap();

    let source = open(&path);
    let rows = read(&*source, &[ChatId(1)]);
    assert_eq!(rows.len(), 200);
    let unreadable = rows.iter().filter(|row| row.unreadable).count();
    assert!((1..20).contains(&unreadable), "{unreadable}");
    assert!(rows.iter().filter(|row| !row.unreadable).all(|row| row.text.is_some()));
    assert!(rows.iter().all(|row| row.date > 0 && row.chat == Some(ChatId(1))));
    assert!(rows.is_sorted_by_key(|row| row.date));
}

/// Bits flipped all over the file: rows or an error, never a panic, never without end.
#[test]
fn damaged_files_do_no_harm() {
    let folder = TempDir::new().unwrap();
    let path = library(60, false).write(folder.path());
    let whole = fs::read(&path).unwrap();
    let mut errors = 0;
    for round in 0..150usize {
        let mut bytes = whole.clone();
        let mut at = round * 7919 + 100;
        for _ in 0..1 + round % 40 {
            at = (at * 31 + 17) % bytes.len();
            bytes[at] ^= 1 << (at % 8);
        }
        if round % 10 == 9 {
            bytes.truncate(bytes.len() * round / 150);
        }
        let damaged = folder.path().join("damaged.db");
        fs::write(&damaged, bytes).unwrap();
        match try_open(&damaged) {
            Err(_) => errors += 1,
            Ok(source) => {
                for chat in source.chats().unwrap_or_default() {
                    let session = &mut *source.session().unwrap();
                    let Ok(timeline) = session.timeline(&[chat.id()], 8) else {
                        errors += 1;
                        continue;
                    };
                    for window in 0..timeline.len() {
                        errors += usize::from(session.page(&timeline, window).is_err());
                    }
                }
            }
        }
    }
    assert!(errors > 0, "some of it must have been noticed");
}
