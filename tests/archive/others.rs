//! An archive is read by programs that are not ours, as if it were the library that it was fed from before anything was
//! deleted there: `sqlite3`, and imessage-exporter, which `.ci/run` installs into `target/peer`.
//!
//! Where one is not at hand the tests say so, past the test runner, and check nothing. In CI they must be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::not_checked;
use crate::program::Program;
use crate::support::tree;

const EXPORTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/peer/bin/imessage-exporter");
const VERSION: &str = "5.0.1";

/// Whether the program can run, and says what it should of itself.
fn at_hand(program: &str, says: &str, required: &str) -> bool {
    let ran = Command::new(program).arg("--version").output();
    let there = ran.is_ok_and(|ran| String::from_utf8_lossy(&ran.stdout).contains(says));
    if !there {
        not_checked::unless_required("an archive as another program reads it", program, required);
    }
    there
}

/// The sample, archived; then every third of its messages is deleted, with what it carries, and that is archived, too.
struct Fed {
    program: Program,
}

impl Fed {
    fn new() -> Fed {
        let program = Program::new();
        msgarchive::sample::unpack(&program.path().join("library")).unwrap();
        program.run(&["archive", "archive", "-s", "library"]).with_code(0);
        Fed { program }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.program.path().join(name)
    }

    fn delete(&self) -> usize {
        let db = Connection::open(self.path("library/chat.db")).unwrap();
        let gone = "(SELECT ROWID FROM message WHERE ROWID % 3 = 0)";
        db.execute(
            &format!("INSERT INTO deleted_messages (guid) SELECT guid FROM message WHERE ROWID IN {gone}"),
            [],
        )
        .unwrap();
        for join in ["chat_message_join", "message_attachment_join", "chat_recoverable_message_join"] {
            db.execute(&format!("DELETE FROM {join} WHERE message_id IN {gone}"), []).unwrap();
        }
        let deleted = db.execute("DELETE FROM message WHERE ROWID % 3 = 0", []).unwrap();
        drop(db);
        fs::remove_dir_all(self.path("library/Attachments")).unwrap();
        let ran = self.program.run(&["archive", "archive", "-s", "library"]).with_code(0);
        assert!(ran.out.contains("deleted"), "{}", ran.out);
        deleted
    }
}

/// What the plain program says to a query, line by line.
fn sqlite3(database: &Path, sql: &str) -> Vec<String> {
    let ran = Command::new("sqlite3").arg("-readonly").arg(database).arg(sql).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_plain_sqlite3_program() {
    if !at_hand("sqlite3", "3.", "MSGARCHIVE_TEST_SQLITE3") {
        return;
    }
    const MESSAGES: &str = "SELECT m.guid, m.date, m.is_from_me, hex(m.text), hex(m.attributedBody), h.id, c.chat_identifier \
        FROM message m LEFT JOIN handle h ON h.ROWID = m.handle_id \
        LEFT JOIN chat_message_join j ON j.message_id = m.ROWID LEFT JOIN chat c ON c.ROWID = j.chat_id";
    const CARRIED: &str = "SELECT m.guid, a.guid, a.transfer_name, a.mime_type FROM message m \
        JOIN message_attachment_join j ON j.message_id = m.ROWID JOIN attachment a ON a.ROWID = j.attachment_id";
    let fed = Fed::new();
    let all = |of: &str, sql| -> BTreeSet<String> { sqlite3(&fed.path(of), sql).into_iter().collect() };
    let [before, hidden] = [MESSAGES, CARRIED].map(|sql| all("library/chat.db", sql));
    let originals: BTreeMap<String, Vec<u8>> = tree::files(&fed.path("library")).into_iter().collect();
    let deleted = fed.delete();
    assert!(deleted > 100);

    let archive = fed.path("archive/chat.db");
    assert_eq!(sqlite3(&archive, "PRAGMA integrity_check"), ["ok"]);
    let after = all("archive/chat.db", MESSAGES);
    // Those in Recently Deleted are in no chat of a library; in the archive they stay in theirs.
    let moved: Vec<&String> = before.difference(&after).collect();
    assert_eq!(moved.len(), 6, "{moved:#?}");
    assert!(moved.iter().all(|line| line.ends_with('|')), "{moved:#?}");
    assert_eq!((before.len(), after.len()), (349, 349));
    assert_eq!(hidden, all("archive/chat.db", CARRIED));
    let said = sqlite3(
        &archive,
        "SELECT reason, count(*) FROM msgarchive_deleted WHERE reason = 'deleted' GROUP BY 1",
    );
    assert_eq!(said.len(), 1, "{said:?}");
    // As README.txt in the archive says. Of every attachment that was there the bytes are what they were.
    const STORED: &str =
        "SELECT filename, original FROM attachment JOIN msgarchive_content ON attachment = ROWID";
    let library = "~/Library/Messages/";
    let stored = sqlite3(&archive, STORED);
    for line in &stored {
        let (path, original) = line.split_once('|').unwrap();
        let bytes = fs::read(fed.path("archive").join(path.strip_prefix(library).unwrap())).unwrap();
        assert!(bytes == originals[original.strip_prefix(library).unwrap()], "{original}");
    }
    assert_eq!(stored.len(), 22);
    let readme = fs::read_to_string(fed.path("archive/README.txt")).unwrap();
    let begin = readme.find("SELECT").unwrap();
    let query = &readme[begin..=begin + readme[begin..].find(';').unwrap()];
    assert_eq!(
        sqlite3(&archive, &format!("SELECT count(*) FROM ({})", query.trim_end_matches(';'))).len(),
        1
    );
    for table in
        sqlite3(&archive, "SELECT name FROM sqlite_master WHERE name LIKE 'msgarchive_%' AND type <> 'index'")
    {
        let rest = table.trim_start_matches("msgarchive_").trim_end_matches("_version");
        assert!(
            readme.contains(&format!("msgarchive_{rest}")) || readme.contains(&format!("_{rest}")),
            "{table}"
        );
    }
}

/// What imessage-exporter makes of a library: its files, the attachments that it copied among them.
fn exported(library: &Path, out: &Path) -> BTreeMap<String, Vec<u8>> {
    let ran = Command::new(EXPORTER)
        .args(["-f", "txt", "-c", "clone", "-a", "macOS", "-p"])
        .arg(library.join("chat.db"))
        .arg("-r")
        .arg(library)
        .arg("-o")
        .arg(out)
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    tree::files(out).into_iter().collect()
}

#[test]
fn imessage_exporter() {
    if !at_hand(EXPORTER, VERSION, "MSGARCHIVE_TEST_PEER") {
        return;
    }
    let fed = Fed::new();
    let before = exported(&fed.path("library"), &fed.path("before"));
    fed.delete();
    let after = exported(&fed.path("archive"), &fed.path("after"));
    assert!(before.len() > 20 && before.keys().any(|path| path.starts_with("attachments/")));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    // It says of a message in Recently Deleted that it is. In an archive that is said elsewhere, of all that is deleted.
    const DELETED: &str = "This message was deleted from the conversation!\n";
    let (mut marked, mut texts, mut copied) = (0, 0, 0);
    for (path, bytes) in &before {
        if path.ends_with(".txt") {
            let text = String::from_utf8_lossy(bytes);
            texts += 1;
            marked += text.matches(DELETED).count();
            assert_eq!(text.replace(DELETED, ""), String::from_utf8_lossy(&after[path]), "{path}");
        } else {
            copied += 1;
            assert!(bytes == &after[path], "{path}");
        }
    }
    assert_eq!(marked, 6);
    assert!(texts > 5 && copied > 10, "{texts} texts and {copied} attachments were compared");
}
