//! Whether Keep Messages may be switched: only when all that would go is in the archive, and whole.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use crate::program::{Program, Ran, ran};
use crate::support::tree;
use crate::support::{Library, Schema, Tapback};

struct Archived {
    program: Program,
    library: PathBuf,
}

/// Old and new messages with attachments that are here, one of them shared by both.
fn library() -> Library {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let old = library.attachment("old.jpg").bytes(vec![1; 3_000]).raw("ck_sync_state", 1).id();
    let shared = library.attachment("shared.jpg").bytes(vec![2; 4_000]).raw("ck_sync_state", 1).id();
    let first = library
        .message(chat)
        .from(ana)
        .at("2020-05-01T12:00:00Z")
        .joined(old)
        .joined(shared)
        .text("old")
        .id();
    library.message(chat).from_me().at("2020-05-01T12:01:00Z").tapback(first, Tapback::Loved);
    library.message(chat).from_me().at("2020-05-01T12:02:00Z").text("an answer").reply_to(first);
    library.message(chat).from(ana).at("2024-06-10T12:00:00Z").joined(shared).text("new");
    library
}

impl Archived {
    fn new(library: &Library) -> Archived {
        let program = Program::new();
        let path = library.write(&program.path().join("library"));
        let archived = Archived { program, library: path };
        archived.archive();
        archived
    }

    fn archive(&self) {
        let library = self.library.to_str().unwrap();
        self.program.run(&["archive", "archive", "-s", library]).with_code(0);
    }

    fn gate(&self, setting: &str, more: &[&str]) -> Ran {
        let library = self.library.to_str().unwrap();
        let arguments =
            ["storage", "-s", library, "--archive", "archive", "--gate", setting, "--contacts", "none"];
        let mut command = self.program.command(&[&arguments[..], more].concat());
        command.env("SOURCE_DATE_EPOCH", "1718452800");
        ran(command.output().unwrap())
    }

    fn problems(&self, setting: &str) -> Vec<(String, String)> {
        self.problems_of(setting, &[])
    }

    fn problems_of(&self, setting: &str, more: &[&str]) -> Vec<(String, String)> {
        let ran = self.gate(setting, &[more, &["--json"]].concat());
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let problems = json["gate"]["problems"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let named = |p: &Value| if p["name"].is_null() { text(&p["guid"]) } else { text(&p["name"]) };
        let problems: Vec<_> = problems.iter().map(|p| (text(&p["kind"]), named(p))).collect();
        assert_eq!(ran.code, Some(if problems.is_empty() { 0 } else { 3 }), "{problems:?}\n{}", ran.err);
        assert_eq!(json["gate"]["passed"], problems.is_empty());
        problems
    }

    fn change(&self, sql: &str) {
        Connection::open(&self.library).unwrap().execute_batch(sql).unwrap();
    }

    /// A file in the archive or the library, by its bytes.
    fn file(&self, folder: &str, byte: u8) -> PathBuf {
        let root = self.program.path().join(folder);
        let found = tree::files(&root)
            .into_iter()
            .find(|(_, bytes)| bytes.len() >= 3_000 && bytes[..100] == [byte; 100]);
        root.join(found.unwrap().0)
    }
}

fn guid(library: &Library, number: i64) -> String {
    library.message_guid(crate::support::MessageId(number))
}

#[test]
fn what_is_archived_and_whole_may_go() {
    let archived = Archived::new(&library());
    let out = archived.gate("1y", &[]).with_code(0).out;
    assert!(
        out.contains("Safe to switch to Keep Messages: 1 Year. The 3 messages and 1 attachment"),
        "{out}"
    );
    assert!(archived.problems("30d").is_empty());
}

#[test]
fn one_missing_byte_fails_and_is_named() {
    let archived = Archived::new(&library());
    let path = archived.file("archive", 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    fs::write(&path, &bytes).unwrap();
    let problems = archived.problems("1y");
    let relative = path.strip_prefix(archived.program.path().join("archive")).unwrap();
    assert_eq!(problems, [("damaged".to_owned(), relative.to_str().unwrap().to_owned())]);
    let out = archived.gate("1y", &[]).with_code(3).out;
    assert!(out.contains("Not safe"), "{out}");
    // The same length, and one other byte.
    bytes.push(9);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(archived.problems("1y").len(), 1);
    bytes.pop();
    bytes.push(1);
    fs::write(&path, &bytes).unwrap();
    assert!(archived.problems("1y").is_empty());
}

#[test]
fn other_bytes_here_than_in_the_archive_fail() {
    let archived = Archived::new(&library());
    let path = archived.file("library", 1);
    fs::write(&path, vec![1; 3_001]).unwrap();
    assert_eq!(archived.problems("1y"), [("differs".to_owned(), "old.jpg".to_owned())]);
}

#[test]
fn a_message_that_is_new_or_changed_fails() {
    let built = library();
    let archived = Archived::new(&built);
    archived.change("UPDATE message SET text = 'OLD' WHERE ROWID = 1");
    assert_eq!(archived.problems("1y"), [("message".to_owned(), guid(&built, 1))]);
    archived.archive();
    assert!(archived.problems("1y").is_empty());
    // What would stay need not be there.
    archived.change("UPDATE message SET text = 'NEW' WHERE ROWID = 4");
    assert!(archived.problems("1y").is_empty());
    // A tapback is a row like others.
    archived.change(
        "INSERT INTO message (ROWID, guid, date, associated_message_type, associated_message_guid)
         SELECT 77, 'late', date, 2001, guid FROM message WHERE ROWID = 1;
         INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (1, 77, 1)",
    );
    assert_eq!(archived.problems("1y"), [("message".to_owned(), "late".to_owned())]);
}

#[test]
fn what_is_only_in_icloud_fails_until_it_was_archived() {
    let mut built = library();
    let (ana, chat) = (crate::support::HandleId(1), crate::support::ChatId(1));
    let far = built.attachment("far.mov").size(5_000).in_icloud().id();
    built.message(chat).from(ana).at("2020-06-01T12:00:00Z").joined(far).text("far");
    let archived = Archived::new(&built);
    assert_eq!(archived.problems("1y"), [("attachment".to_owned(), "far.mov".to_owned())]);
    let out = archived.gate("1y", &[]).with_code(3).out;
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("far.mov in +12025550143, 2020-06-01: is not in the archive, and only in iCloud"),
        "{out}"
    );
    assert!(words.contains("2024-06-10 1 Forever"), "{out}");
    // It is downloaded, and archived.
    let name: String = Connection::open(&archived.library)
        .unwrap()
        .query_row("SELECT filename FROM attachment WHERE transfer_name = 'far.mov'", [], |row| row.get(0))
        .unwrap();
    let path = archived.program.path().join("library").join(name.trim_start_matches("~/Library/Messages/"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, vec![3; 5_000]).unwrap();
    assert_eq!(archived.problems("1y"), [("attachment".to_owned(), "far.mov".to_owned())]);
    archived.archive();
    assert!(archived.problems("1y").is_empty());
}

#[test]
fn an_archive_of_something_else_passes_nothing() {
    let archived = Archived::new(&library());
    let mut other = Library::new(Schema::MACOS_15);
    let ben = other.handle("ben@example.com", "iMessage");
    let chat = other.direct(ben);
    // Other GUIDs than those of the library.
    for _ in 0..40 {
        other.guid();
    }
    other.message(chat).from(ben).at("2020-05-01T12:00:00Z").text("never seen");
    let path = other.write(&archived.program.path().join("other"));
    let arguments =
        ["storage", "-s", path.to_str().unwrap(), "--archive", "archive", "--gate", "1y", "--json"];
    let json: Value = serde_json::from_str(&archived.program.run(&arguments).with_code(3).out).unwrap();
    assert_eq!(json["gate"]["problems"][0]["kind"], "never_archived");
    assert_eq!(json["keep"]["1y"]["messages_not_in_archive"], 1);
}

#[test]
fn of_several_sources_each_has_to_be_archived() {
    let archived = Archived::new(&library());
    let mut built = library();
    built.message(crate::support::ChatId(1)).from_me().at("2020-06-01T12:00:00Z").text("only on the phone");
    let phone = built.write(&archived.program.path().join("phone"));
    let change = |sql: &str| Connection::open(&phone).unwrap().execute_batch(sql).unwrap();
    // A device of its own, with its own row ids and GUIDs.
    change("UPDATE message SET guid = 'PHONE-' || guid; UPDATE attachment SET guid = 'PHONE-' || guid");
    let problems = || archived.problems_of("1y", &["-s", "phone"]);
    assert_eq!(problems(), [("never_archived".into(), String::new())]);
    archived.program.run(&["archive", "archive", "-s", "phone"]).with_code(0);
    assert_eq!(problems(), []);
    change("UPDATE message SET text = 'otherwise' WHERE ROWID = 5");
    assert_eq!(problems(), [("message".into(), format!("PHONE-{}", guid(&built, 5)))]);
    assert_eq!(archived.problems("1y"), [], "of the library alone nothing changed");
}

#[test]
fn a_gate_needs_an_archive() {
    let program = Program::new();
    program.run(&["storage", "--sample", "--gate", "1y"]).with_code(2);
    program.run(&["storage", "--sample", "--gate", "forever", "--archive", "a"]).with_code(2);
    let nothing: &Path = program.path();
    let archived = Archived::new(&library());
    let library = archived.library.to_str().unwrap();
    let none = nothing.join("none");
    let arguments = ["storage", "-s", library, "--gate", "1y", "--archive", none.to_str().unwrap()];
    let err = archived.program.run(&arguments).with_code(1).err;
    assert!(err.contains("no archive"), "{err}");
}
