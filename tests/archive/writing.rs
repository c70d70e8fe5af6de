//! A process of its own that writes to a library all the time, as Messages does: what it has written at any moment can be
//! told from what it has not.
//!
//! Every transaction adds a pair of messages, edits both of another pair to say the same, and deletes a pair that is old.
//! So whoever sees one of a pair sees the other, and both in the same state; or has seen no moment that there was.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::device::{DAY, Device};
use crate::support::Schema;

/// How it writes: the variable that says so, and where to.
const HOW: &str = "MSGARCHIVE_TEST_WRITING";
const WHERE: &str = "MSGARCHIVE_TEST_WRITING_TO";
const START: i64 = 700_000_000;
/// A pair is deleted when so many came after it.
const KEPT: i64 = 30;

/// The one that writes; it ends when this is dropped.
pub struct Writer(Child);

/// A library with the two messages that are edited all the time.
pub fn library(folder: &Path) -> PathBuf {
    let mut mac = Device::new(folder, Schema::MACOS_26);
    mac.receive("X", 0, START, "state 0");
    mac.receive("Y", 1, START, "state 0");
    folder.to_owned()
}

impl Writer {
    /// Starts to write; it has begun when this returns.
    pub fn start(library: &Path, how: &str) -> Writer {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "archive::writing::the_process_that_writes", "--ignored", "--nocapture"])
            .env(HOW, how)
            .env(WHERE, library.join("chat.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        while !said.contains("writing") {
            let mut byte = [0];
            assert_eq!(child.stdout.as_mut().unwrap().read(&mut byte).unwrap(), 1, "{said}");
            said.push(char::from(byte[0]));
        }
        Writer(child)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let ended = self.0.wait().unwrap();
        assert!(ended.success() || std::thread::panicking(), "the process that writes failed");
    }
}

#[test]
#[ignore = "is the other process of tests here, not a test"]
fn the_process_that_writes() {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    let how = std::env::var(HOW).expect("started by a test");
    let path = PathBuf::from(std::env::var_os(WHERE).expect("started by a test"));
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        IS_OVER.store(true, Ordering::Relaxed);
    });
    let mode = if how == "journal" { "delete" } else { "wal" };
    let open = || -> Connection {
        let db = Connection::open(&path).unwrap();
        db.busy_timeout(Duration::from_secs(30)).unwrap();
        db.pragma_update(None, "journal_mode", mode).unwrap();
        db.execute_batch("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20").unwrap();
        db
    };
    let mut db = open();
    for number in 1_i64.. {
        write(&mut db, number);
        if number == 1 {
            println!("writing");
            std::io::stdout().flush().unwrap();
        }
        match how.as_str() {
            "housekeeping" => match number % 12 {
                0 => db.execute_batch("VACUUM").unwrap(),
                4 => db
                    .execute_batch(&format!("ALTER TABLE message ADD COLUMN later_{number} INTEGER"))
                    .unwrap(),
                8 => {
                    let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                }
                _ => {}
            },
            "restarts" if number % 4 == 0 => {
                // The last one to close takes the log with it.
                db.close().unwrap();
                std::thread::sleep(Duration::from_millis(number as u64 % 30));
                db = open();
            }
            "replaced" if number % 4 == 0 => {
                // As when Messages in iCloud is set back: another file takes the place, at first without its log.
                db.close().unwrap();
                let other = path.with_extension("other");
                std::fs::copy(&path, &other).unwrap();
                let mut anew = Connection::open(&other).unwrap();
                anew.pragma_update(None, "journal_mode", "wal").unwrap();
                anew.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
                write(&mut anew, -number);
                std::fs::remove_file(&path).unwrap();
                for end in ["-wal", "-shm"] {
                    let _ = std::fs::remove_file(with_end(&path, end));
                }
                std::thread::sleep(Duration::from_millis(number as u64 % 7));
                for end in ["", "-wal", "-shm"] {
                    std::fs::rename(with_end(&other, end), with_end(&path, end)).unwrap();
                    std::thread::sleep(Duration::from_millis(number as u64 % 3));
                }
                // It goes on in the file that it has open; whoever opens it again finds the log that belongs to it.
                db = anew;
            }
            "journal" => std::thread::sleep(Duration::from_millis(2)),
            _ => {}
        }
        if IS_OVER.load(Ordering::Relaxed) {
            break;
        }
    }
}

/// A file beside a database.
fn with_end(database: &std::path::Path, end: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(end);
    path.into()
}

/// The transaction of this number.
pub fn write(db: &mut Connection, number: i64) {
    let at = (START + DAY + number) * 1_000_000_000;
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    for (side, chat) in [("L", 1), ("R", 2)] {
        transaction
            .execute(
                "INSERT INTO message (guid, text, handle_id, service, date, is_finished) \
                 VALUES (?1, ?1, ?2, 'iMessage', ?3, 1)",
                params![format!("{side}-{number}"), chat, at],
            )
            .unwrap();
        transaction
            .execute(
                "INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (?1, last_insert_rowid(), ?2)",
                params![chat, at],
            )
            .unwrap();
        let old = format!("{side}-{}", number - KEPT);
        transaction
            .execute(
                "DELETE FROM chat_message_join WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
                [&old],
            )
            .unwrap();
        if transaction.execute("DELETE FROM message WHERE guid = ?1", [&old]).unwrap() > 0 {
            transaction.execute("INSERT INTO deleted_messages (guid) VALUES (?1)", [&old]).unwrap();
        }
        transaction
            .execute(
                "UPDATE message SET text = 'state ' || ?1, date_edited = ?2 WHERE guid = ?3",
                params![number, at, if side == "L" { "X" } else { "Y" }],
            )
            .unwrap();
    }
    transaction.commit().unwrap();
}

/// These messages are of one moment: GUID → what it says; and something else that has to be the same of both of a pair.
#[track_caller]
pub fn is_one_moment<T: PartialEq + std::fmt::Debug>(seen: &BTreeMap<String, (String, T)>, when: &str) {
    assert_eq!(seen["X"], seen["Y"], "{when}");
    for (guid, (_, what)) in seen {
        let other = match guid.split_at(1) {
            ("L", number) => format!("R{number}"),
            ("R", number) => format!("L{number}"),
            _ => continue,
        };
        assert_eq!(Some(what), seen.get(&other).map(|(_, what)| what), "{when}: {guid} and {other}");
    }
}
