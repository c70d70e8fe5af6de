//! What an archive shows of the past: what was deleted, what was unsent, how it all was.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

/// Three nights of one device: all is well; one message was edited, one unsent, one deleted; one came back.
fn three_nights(program: &Program) -> Device {
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    for (guid, text) in [("A", "stays"), ("B", "first thoughts"), ("C", "a secret"), ("D", "goodbye")] {
        mac.receive(guid, 0, START + 60, text);
    }
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    mac.edit("B", START + DAY, "second thoughts");
    mac.unsend("C", START + DAY);
    // As Messages writes it: part 0 of one was taken back.
    let summary = plist();
    mac.db.execute("UPDATE message SET message_summary_info = ?1 WHERE guid = 'C'", [summary]).unwrap();
    mac.recently_delete("D", START + DAY);
    add(&archive, &[&mac.folder], START + DAY + 3600).unwrap();
    mac.restore("D");
    mac.remove("A", true, "deleted");
    mac.receive("E", 0, START + 2 * DAY, "news");
    add(&archive, &[&mac.folder], START + 2 * DAY + 3600).unwrap();
    mac
}

/// `{otr: {"0": {lo: 0, le: 8}}, rp: [0]}`.
fn plist() -> Vec<u8> {
    br#"<?xml version="1.0"?><plist version="1.0"><dict><key>otr</key><dict><key>0</key><dict><key>lo</key><integer>0</integer><key>le</key><integer>8</integer></dict></dict><key>rp</key><array><integer>0</integer></array></dict></plist>"#.to_vec()
}

/// Every message of an export of the archive, by GUID.
pub fn exported(program: &Program, out: &str, more: &[&str]) -> Vec<Value> {
    exported_with(program, 0, out, more)
}

/// The same, where the export ends with `code`.
pub fn exported_with(program: &Program, code: i32, out: &str, more: &[&str]) -> Vec<Value> {
    let arguments = ["export", "-s", "archive", "-f", "jsonl", "-o", out, "--contacts", "none"];
    program.run(&[&arguments[..], more].concat()).with_code(code);
    let mut messages = Vec::new();
    for (path, bytes) in crate::support::tree::files(&program.path().join(out)) {
        if path.ends_with(".jsonl") && path != "conversations.jsonl" {
            let lines = String::from_utf8(bytes).unwrap();
            messages.extend(lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
    }
    messages.sort_by_key(|message| message["guid"].to_string());
    messages
}

#[test]
fn deleted_edited_and_unsent_are_shown_as_such() {
    let program = Program::new();
    three_nights(&program);
    let messages = exported(&program, "now", &[]);
    let guids: Vec<&str> = messages.iter().map(|message| message["guid"].as_str().unwrap()).collect();
    assert_eq!(guids, ["A", "B", "C", "D", "E"]);
    let deleted: Vec<bool> = messages.iter().map(|message| !message["deleted"].is_null()).collect();
    assert_eq!(deleted, [true, false, false, false, false]);
    assert_eq!(messages[0]["deleted"]["reason"], "deleted");
    assert_eq!(messages[1]["text"], "second thoughts");
    // Whose own list of versions is not there.
    let edits: Vec<&str> =
        messages[1]["edits"].as_array().unwrap().iter().map(|e| e["text"].as_str().unwrap()).collect();
    assert_eq!(edits, ["first thoughts", "second thoughts"]);
    assert_eq!(messages[2]["unsent"], "all");
    assert_eq!(messages[2]["edits"][0]["text"], "a secret");
    program.run(&["export", "-s", "archive", "-f", "txt", "-o", "txt", "--contacts", "none"]).with_code(0);
    let text = crate::support::tree::print(&program.path().join("txt"));
    assert!(text.contains("Before it was unsent: “a secret”"), "{text}");
    assert!(text.contains("Edited 9 March 2023, 21:26:40, before: “first thoughts”"), "{text}");
    assert!(text.contains("Deleted: last seen"), "{text}");
}

/// Whose summary does not say of which part it was: nothing is left of it, and it has the date.
#[test]
fn one_that_is_unsent_without_a_word_of_its_parts_is_unsent() {
    let program = Program::new();
    let mac = three_nights(&program);
    mac.unsend("E", START + 3 * DAY);
    add(&program.path().join("archive"), &[&mac.folder], START + 4 * DAY).unwrap();
    let messages = exported(&program, "now", &[]);
    assert_eq!((&messages[4]["guid"], &messages[4]["unsent"]), (&"E".into(), &"all".into()));
    assert_eq!(messages[4]["edits"][0]["text"], "news");
}

#[test]
fn as_it_was() {
    let program = Program::new();
    three_nights(&program);
    let texts = |out: &str, as_of: &str| -> Vec<(String, Value, bool)> {
        let messages = exported(&program, out, &["--as-of", as_of]).into_iter();
        let told = messages
            .map(|m| (m["guid"].as_str().unwrap().to_owned(), m["text"].clone(), !m["deleted"].is_null()));
        told.collect()
    };
    let message = |guid: &str, text: &str, deleted| (guid.to_owned(), Value::from(text), deleted);
    // START is 2023-03-08, 20:26:40 UTC.
    let first = texts("first", "2023-03-09T12:00");
    let unedited = [
        message("A", "stays", false),
        message("B", "first thoughts", false),
        message("C", "a secret", false),
        message("D", "goodbye", false),
    ];
    assert_eq!(first, unedited);
    let second = texts("second", "2023-03-10T12:00");
    assert_eq!(second[0], message("A", "stays", false));
    assert_eq!(second[1], message("B", "second thoughts", false));
    assert_eq!(second[3], message("D", "goodbye", true));
    program
        .run(&["export", "-s", "archive", "-f", "txt", "-o", "bin", "--as-of", "2023-03-10T12:00"])
        .with_code(0);
    let text = crate::support::tree::print(&program.path().join("bin"));
    assert!(text.contains("Moved to Recently Deleted on"), "{text}");
    assert_eq!(second.len(), 4);
    // START and an hour, when the first run was; a second before it there is no archive.
    assert_eq!(texts("exactly", "2023-03-08T22:26:40").len(), 4);
    assert_eq!(texts("later", "2099-01-01").len(), 5);
    let ran = program.run(&["list", "-s", "archive", "--as-of", "2023-03-08T22:26:39"]).with_code(1);
    assert!(ran.err.contains("was not there yet") && ran.err.contains("history DIR"), "{}", ran.err);
    let ran = program.run(&["list", "-s", "mac", "--as-of", "2023-03-10"]).with_code(1);
    assert!(ran.err.contains("knows nothing of the past"), "{}", ran.err);
    // What it knows is in its database, whatever lies beside that.
    fs::remove_file(program.path().join("archive/archive.json")).unwrap();
    assert_eq!(texts("unnamed", "2023-03-09T12:00"), unedited);
    let ran = program.run(&["list", "-s", "archive", "--as-of", "yesterday"]).with_code(2);
    assert!(ran.err.contains("is no date"), "{}", ran.err);
}

/// Messages' own libraries have a log; so has an archive that some program put into that mode. Whether it is there or not.
#[test]
fn what_has_a_log_is_told_apart_too() {
    let program = Program::new();
    three_nights(&program);
    let list = |source: &str, code: i32| {
        program.run(&["list", "-s", source, "--as-of", "2023-03-10"]).with_code(code)
    };
    let as_it_was = list("archive", 0).out;
    for folder in ["mac", "archive"] {
        let db = program.path().join(folder).join("chat.db");
        let open = Connection::open(&db).unwrap();
        open.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE other (x);").unwrap();
        for is_open in [true, false] {
            if folder == "mac" {
                let said = list(folder, 1).err;
                assert!(said.contains("knows nothing of the past"), "{is_open}: {said}");
                assert!(said.contains("--as-of is for what"), "{is_open}: {said}");
            } else {
                assert_eq!(list(folder, 0).out, as_it_was, "{is_open}");
            }
            if is_open {
                open.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
                for log in ["chat.db-wal", "chat.db-shm"] {
                    fs::remove_file(program.path().join(folder).join(log)).unwrap();
                }
            }
        }
    }
}

#[test]
fn history_tells_runs_deletions_and_versions() {
    let program = Program::new();
    three_nights(&program);
    let runs = program.run(&["history", "archive"]).with_code(0).out;
    let (runs, sources) = runs.split_once("\n\nSources:\n").unwrap();
    assert_eq!(runs.lines().count(), 4, "{runs}");
    // Wherever it is wrapped, which the path decides.
    let sources = sources.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(sources.contains("(library): 4 messages; read 2023-03-08 22:26 to"), "{sources}");
    let json = |arguments: &[&str]| -> Value {
        let arguments = [&["history", "archive", "--json"], arguments].concat();
        serde_json::from_str(&program.run(&arguments).with_code(0).out).unwrap()
    };
    let runs = json(&[]);
    let counts: Vec<[i64; 2]> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| ["added", "changed"].map(|key| run[key].as_i64().unwrap()))
        .collect();
    assert_eq!(counts, [[4, 0], [0, 2], [1, 0]]);
    assert_eq!(runs["runs"][1]["absent"]["recently_deleted"], 1);
    let gone = json(&["--deleted"]);
    assert_eq!(gone["messages"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&gone["messages"][0]["guid"], &gone["messages"][0]["reason"]),
        (&"A".into(), &"deleted".into())
    );
    assert_eq!(gone["messages"][0]["text"], "stays");
    let whats = |guid: &str| -> Vec<String> {
        let versions = json(&["--message", guid]);
        versions["versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v["what"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(whats("B"), ["added", "edited"]);
    assert_eq!(whats("C"), ["added", "unsent"]);
    assert_eq!(whats("D"), ["added", "recently_deleted", "restored"]);
    let words = program.run(&["history", "archive", "--message", "c"]).with_code(0).out;
    assert!(words.contains("a secret"), "{words}");
    let ran = program.run(&["history", "archive", "--message", "Z"]).with_code(1);
    assert!(ran.err.contains("no message of the archive has the GUID Z"), "{}", ran.err);
    let words = program.run(&["history", "archive", "--deleted"]).with_code(0).out;
    assert!(
        words.contains("  Deleted  (sent 2023-03-08 21:27, ") && words.contains("    stays\n"),
        "{words}"
    );
}

/// Messages keeps the last tapback of a person only: the one before it is gone, and nobody deleted it.
#[test]
fn a_tapback_that_was_replaced_is_said_to_be() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    for guid in ["A", "B"] {
        mac.receive(guid, 0, START, guid);
    }
    mac.tapback("LOVED", "A", 2000, START + 10);
    mac.tapback("LIKED", "B", 2001, START + 10);
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    // One is changed and taken back before the next night. The other goes, and a tapback of somebody else says nothing of it.
    mac.tapback("LAUGHED", "A", 2003, START + 20);
    mac.tapback("NOT LAUGHED", "A", 3003, START + 30);
    mac.remove("LIKED", false, "unexplained");
    mac.tapback("OF ME", "B", 2001, START + 20);
    mac.db.execute("UPDATE message SET is_from_me = 1 WHERE guid = 'OF ME'", []).unwrap();
    let record = add(&archive, &[&mac.folder], START + DAY).unwrap();
    assert_eq!(record.counts.absent.values().sum::<u64>(), 2);
    let json = program.run(&["history", "archive", "--deleted", "--json"]).with_code(0).out;
    let gone: Value = serde_json::from_str(&json).unwrap();
    let told: Vec<String> = gone["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gone| format!("{} {} {}", gone["guid"], gone["reason"], gone["replaced_by"]))
        .collect();
    assert_eq!(told, [r#""LIKED" "unexplained" null"#, r#""LOVED" "deleted" "NOT LAUGHED""#]);
    let words = program.run(&["history", "archive", "--deleted", "--time-zone", "UTC"]).with_code(0).out;
    assert!(words.contains("Replaced by a later tapback"), "{words}");
    assert!(words.contains("Missing, and nothing says why"), "{words}");
    let sum = "\n\nGone from a source, and kept here: 2 messages and tapbacks\n  1 missing, and nothing says why\n  1 replaced by a later tapback\n";
    assert!(words.ends_with(sum), "{words}");
}

/// The oldest message is gone: that is by its age only where it can be.
#[test]
fn what_is_too_old_is_so_by_the_setting() {
    let list = |days: &str| {
        let keys = format!("<key>SSKeepMessages</key><integer>{days}</integer>");
        format!("<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>{keys}</dict></plist>")
    };
    for (setting, days, reason) in [
        (None, 31, "aged_out"),
        (None, 29, "deleted"),
        (Some("0"), 31, "deleted"),
        (Some("30"), 31, "aged_out"),
        (Some("365"), 31, "deleted"),
        (Some("365"), 366, "aged_out"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut mac = Device::new(&folder.path().join("Messages"), Schema::MACOS_26);
        if let Some(days) = setting {
            fs::create_dir(folder.path().join("Preferences")).unwrap();
            fs::write(folder.path().join("Preferences/com.apple.MobileSMS.plist"), list(days)).unwrap();
        }
        let archive = folder.path().join("archive");
        // Left from a chat that is gone: nothing that was kept.
        mac.receive("ORPHAN", 0, START - 999 * DAY, "from longer ago");
        mac.run("DELETE FROM chat_message_join", []);
        mac.receive("OLD", 0, START - days * DAY, "from long ago");
        mac.receive("NEW", 0, START - DAY, "from yesterday");
        add(&archive, &[&mac.folder], START - 3600).unwrap();
        mac.remove("OLD", true, reason);
        let record = add(&archive, &[&mac.folder], START).unwrap();
        let reasons: Vec<&str> = record.counts.absent.keys().map(|reason| reason.name()).collect();
        assert_eq!(reasons, [reason], "{setting:?}, {days} days");
    }
}

/// A part that is deleted alone is kept; restored, it is what it is in the message, as it was or edited since.
#[test]
fn a_part_that_was_restored_and_then_edited() {
    let program = Program::new();
    let library = |what: &str| {
        let _ = std::fs::remove_dir_all(program.path().join("mac"));
        let mut library = crate::support::Library::new(Schema::MACOS_26);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let message = library.message(chat).from(ana).at("2026-06-01T10:00:00Z").text("stays").text(" goes");
        match what {
            "deleted" => message.deleted_part(1, "2026-06-01T11:00:00Z"),
            "edited" => message.edit("2026-06-01T12:00:00Z", " is edited"),
            _ => message,
        };
        library.write(&program.path().join("mac"));
    };
    let parts = |out: &str, archive: &str| -> Vec<String> {
        let arguments = ["export", "-s", archive, "-f", "jsonl", "-o", out, "--contacts", "none"];
        program.run(&arguments).with_code(0);
        let messages = super::messages(&program.path().join(out));
        let parts = messages[0].1["parts"].as_array().unwrap();
        parts.iter().map(|part| part["text"].as_str().unwrap().to_owned()).collect()
    };
    let ways = [&["whole", "deleted", "restored", "edited"][..], &["whole", "deleted", "edited"]];
    for (way, nights) in ways.into_iter().enumerate() {
        let archive = format!("archive-{way}");
        for (night, what) in nights.iter().copied().enumerate() {
            library(what);
            add(&program.path().join(&archive), &[&program.path().join("mac")], START + night as i64 * DAY)
                .unwrap();
            let last = if what == "edited" { " is edited" } else { " goes" };
            assert_eq!(parts(&format!("{what}-{way}"), &archive), ["stays", last], "{what}, {way}");
        }
        let db = rusqlite::Connection::open(program.path().join(&archive).join("chat.db")).unwrap();
        let former = "SELECT count(*) FROM msgarchive_former_part \
            WHERE NOT EXISTS (SELECT 1 FROM recoverable_message_part)";
        assert_eq!(db.query_row(former, [], |row| row.get::<_, i64>(0)).unwrap(), 1, "{way}");
        program.run(&["verify", &archive, "--deep"]).with_code(0);
    }
}

/// Another archive hands on that a part came back: an old backup that has it deleted says nothing new then.
#[test]
fn a_part_that_was_restored_as_another_archive_knows() {
    let program = Program::new();
    let library = |at: &str, is_deleted: bool| {
        let mut library = crate::support::Library::new(Schema::MACOS_26);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let message = library.message(chat).from(ana).at("2026-06-01T10:00:00Z").text("stays").text(" goes");
        if is_deleted {
            message.deleted_part(1, "2026-06-01T11:00:00Z");
        }
        let _ = std::fs::remove_dir_all(program.path().join(at));
        library.write(&program.path().join(at));
    };
    let feed = |archive: &str, source: &str, day: i64| {
        add(&program.path().join(archive), &[&program.path().join(source)], START + day * DAY).unwrap();
        program.run(&["verify", archive, "--deep"]).with_code(0);
    };
    let deleted = |archive: &str| -> [i64; 2] {
        let db = rusqlite::Connection::open(program.path().join(archive).join("chat.db")).unwrap();
        let tables = ["recoverable_message_part", "msgarchive_former_part"];
        tables.map(|table| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        })
    };
    library("old", true);
    library("mac", true);
    feed("giving", "mac", 0);
    feed("early", "giving", 1);
    library("mac", false);
    feed("giving", "mac", 2);
    assert_eq!(deleted("giving"), [0, 1]);
    assert_eq!(deleted("early"), [1, 0]);
    for day in [3, 4] {
        for archive in ["new", "early"] {
            feed(archive, "giving", day);
            assert_eq!(deleted(archive), [0, 1], "{archive}");
            feed(archive, "old", day);
            assert_eq!(deleted(archive), [0, 1], "{archive}");
        }
    }
}
