//! A Messages library that ends too soon, as of a copy that was ended: nothing is called deleted because it is missing there,
//! and whoever reads it is told.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::pages::known;
use crate::program::{Program, Ran};
use crate::support::{Library, Schema, tree};

const PAGE: u64 = 4096;
/// As copied to: with a journal; closed; with its log and the map of it; with its log alone.
const MODES: [&str; 4] = ["journal", "closed", "log", "log alone"];

struct Copied {
    program: Program,
    mode: &'static str,
    /// Messages is open: when it is closed it writes its log into the library.
    open: Connection,
}

impl Copied {
    /// A library whose messages lie at its end, a copy of it, and an archive that was fed from the copy.
    fn new(mode: &'static str) -> Copied {
        let program = Program::in_memory();
        let mut library = Library::new(Schema::MACOS_26);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        for number in 0..60 {
            library.message(chat).from(ana).text(&format!("word {number}"));
        }
        let file = library.write(&program.path().join("whole"));
        let db = Connection::open(&file).unwrap();
        // What is free is taken, so that what is put there again lies behind everything.
        db.execute_batch(
            "PRAGMA foreign_keys = OFF; CREATE TEMP TABLE last AS SELECT * FROM message WHERE ROWID > 30; \
             DELETE FROM message WHERE ROWID > 30; \
             CREATE TABLE fill AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
                SELECT zeroblob(4000) FROM n; \
             INSERT INTO message SELECT * FROM last; DROP TABLE fill; DROP TABLE last;",
        )
        .unwrap();
        if mode != "journal" {
            db.pragma_update(None, "journal_mode", "wal").unwrap();
        }
        drop(db);
        let open = Connection::open(&file).unwrap();
        let end = "SELECT name FROM dbstat ORDER BY pageno DESC LIMIT 1";
        assert_eq!(open.query_row(end, [], |row| row.get::<_, String>(0)).unwrap(), "message");
        if mode.starts_with("log") {
            open.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
            open.execute("UPDATE message SET is_read = 1 WHERE ROWID = 1", []).unwrap();
        }
        tree::copy(&program.path().join("whole"), &program.path().join("copy"));
        if mode == "log alone" {
            fs::remove_file(program.path().join("copy/chat.db-shm")).unwrap();
        }
        let copied = Copied { program, mode, open };
        let run = copied.run("archive").with_code(0);
        assert!(run.err.is_empty() && run.out.contains("60 new"), "{}{}", run.out, run.err);
        copied
    }

    fn file(&self) -> PathBuf {
        self.program.path().join("copy/chat.db")
    }

    fn cut(&self, length: u64) {
        // However it was cut before.
        fs::copy(self.program.path().join("whole/chat.db"), self.file()).unwrap();
        fs::File::options().write(true).open(self.file()).unwrap().set_len(length).unwrap();
    }

    fn run(&self, archive: &str) -> Ran {
        self.program.run(&["archive", archive, "-s", "copy", "--progress", "never"])
    }

    fn deleted(&self) -> Value {
        let told = self.program.run(&["history", "archive", "--deleted", "--json"]).with_code(0).out;
        serde_json::from_str::<Value>(&told).unwrap()["messages"].take()
    }

    /// What is wrong with what is said of it, where it was cut to this length: `None`: nothing.
    fn wrong(&self, length: u64, whole: u64) -> Option<String> {
        let cut_off = format!("it is cut off: it has {length} bytes instead of {whole}");
        // Of what SQLite refuses to read.
        let is_told =
            |said: &str| said.contains(&cut_off) || said.contains("database disk image is malformed");
        let archive = self.program.path().join("archive");
        let before = known(&archive);
        let export = ["export", "-s", "copy", "-f", "jsonl", "-o", "out", "--progress", "never"];
        for arguments in [&["list", "-s", "copy"][..], &export, &["storage", "-s", "copy"]] {
            let ran = self.program.run(arguments);
            let codes: &[i32] = if arguments[0] == "storage" { &[0, 1] } else { &[1, 3] };
            if !codes.contains(&ran.code?) || !is_told(&ran.err) || !ran.err.contains("copy/chat.db") {
                return Some(format!("{arguments:?} ends with {:?}: {}{}", ran.code, ran.out, ran.err));
            }
            // In the account of an export it is, too.
            let manifest =
                fs::read_to_string(self.program.path().join("out/manifest.json")).unwrap_or_default();
            if arguments[0] == "export" && ran.code == Some(3) && !manifest.contains(&cut_off) {
                return Some(format!("the manifest does not tell: {manifest}"));
            }
        }
        let _ = fs::remove_dir_all(self.program.path().join("out"));
        let ran = self.run("archive");
        if ran.code != Some(1) || !is_told(&ran.err) || !ran.err.contains("copy/chat.db is damaged") {
            return Some(format!("archive ends with {:?}: {}{}", ran.code, ran.out, ran.err));
        }
        if !ran.err.contains("copy it again") {
            return Some(format!("archive does not say what to do: {}", ran.err));
        }
        (self.deleted() != json!([]) || known(&archive) != before)
            .then(|| "the archive has changed".to_owned())
    }
}

fn length_of(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len()
}

#[test]
fn nothing_is_deleted_that_is_missing_from_a_library_that_is_cut_off() {
    for mode in MODES {
        let copied = Copied::new(mode);
        let whole = length_of(&copied.file());
        assert_eq!(whole % PAGE, 0);
        for less in [1, 300, PAGE / 2, PAGE - 8, PAGE, PAGE + 1, 3 * PAGE, whole / 2] {
            copied.cut(whole - less);
            if let Some(wrong) = copied.wrong(whole - less, whole) {
                panic!("{}, {less} bytes less: {wrong}", copied.mode);
            }
        }
        // Whole again, it is read as if nothing had been.
        copied.cut(whole);
        let run = copied.run("archive").with_code(0);
        assert!(run.err.is_empty() && run.out.contains("nothing new"), "{mode}: {}{}", run.out, run.err);
        let listed = copied.program.run(&["list", "-s", "copy"]).with_code(0);
        assert!(
            listed.err.is_empty() && listed.out.contains("60 messages in 1 conversation"),
            "{}",
            listed.err
        );
    }
}

/// Messages that came since lie in the log, and behind the end of the file: that is no library that is cut off.
#[test]
fn a_library_whose_end_is_in_its_log_is_whole() {
    for mode in ["log", "log alone"] {
        let copied = Copied::new(mode);
        let before = length_of(&copied.file());
        let open = &copied.open;
        open.execute_batch(
            "CREATE TABLE more (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) \
             INSERT INTO more SELECT zeroblob(3000) FROM n; \
             INSERT INTO message (guid, text, handle_id, date, service) VALUES ('new', 'new', 1, 726000000000000000, 'iMessage'); \
             INSERT INTO chat_message_join VALUES (1, last_insert_rowid(), 726000000000000000);",
        )
        .unwrap();
        fs::remove_dir_all(copied.program.path().join("copy")).unwrap();
        tree::copy(&copied.program.path().join("whole"), &copied.program.path().join("copy"));
        if mode == "log alone" {
            fs::remove_file(copied.program.path().join("copy/chat.db-shm")).unwrap();
        }
        let pages: u64 = open.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).unwrap() as u64;
        assert!(length_of(&copied.file()) == before && pages * PAGE > before);
        let run = copied.run("archive").with_code(0);
        assert!(run.err.is_empty() && run.out.contains("1 new"), "{mode}: {}{}", run.out, run.err);
        let listed = copied.program.run(&["list", "-s", "copy"]).with_code(0);
        assert!(listed.err.is_empty() && listed.out.contains("61 messages"), "{}{}", listed.out, listed.err);
        // The last page of the file was written since, and is in the log; those before it are not.
        copied.cut(before - PAGE);
        copied.run("archive").with_code(0);
        copied.cut(before - 3 * PAGE);
        let ran = copied.run("archive").with_code(1);
        assert!(ran.err.contains("copy/chat.db is damaged"), "{}", ran.err);
        assert_eq!(copied.deleted(), json!([]));
    }
}
