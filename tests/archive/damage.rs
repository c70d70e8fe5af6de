//! Damage, of every kind, is found and named, and mended where a source still has what was lost.

use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::archive::{Findings, check};
use rusqlite::Connection;
use serde_json::Value;

use super::{add, small_library};
use crate::program::Program;

struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    /// An archive of a small library, of three runs.
    fn new() -> Kept {
        let kept = Kept { folder: tempfile::tempdir().unwrap() };
        small_library(&kept.library());
        for day in 1..4 {
            kept.run(day);
        }
        assert_eq!(kept.found(), [""; 0]);
        kept
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("library")
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    fn run(&self, day: i64) {
        add(&self.path(), &[&self.library()], day * 86_400).unwrap();
    }

    fn check(&self, deep: bool) -> Findings {
        check(&self.path(), deep, 2, &()).unwrap()
    }

    /// `kind: what (path or GUID)` of everything that a deep look finds.
    fn found(&self) -> Vec<String> {
        let problems = self.check(true).problems.into_iter();
        let named =
            problems.map(|p| format!("{}: {} ({})", p.kind, p.what, p.path.or(p.guid).unwrap_or_default()));
        named.collect()
    }

    fn sql(&self, sql: &str) {
        let db = Connection::open(self.path().join("chat.db")).unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
    }

    fn records(&self) -> Vec<PathBuf> {
        let mut records: Vec<PathBuf> =
            fs::read_dir(self.path().join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
        records.sort();
        records
    }

    fn content(&self) -> PathBuf {
        let mut folders = vec![self.path().join("Attachments")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => return path,
                }
            }
        }
        panic!("no content");
    }
}

/// Flips one bit of the byte in the middle of the first place where `needle` is.
fn flip(path: &Path, needle: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[at + needle.len() / 2] ^= 4;
    fs::write(path, bytes).unwrap();
}

/// Damages an archive; what is found has to name it, and a run with the source at hand mends it.
#[track_caller]
fn mended(damage: impl Fn(&Kept), named: &[&str]) {
    let kept = Kept::new();
    damage(&kept);
    let found = kept.found();
    for name in named {
        assert!(found.iter().any(|line| line.contains(name)), "{name} is not in {found:#?}");
    }
    kept.run(4);
    assert_eq!(kept.found(), [""; 0]);
    kept.run(5);
    assert_eq!(kept.found(), [""; 0]);
}

#[test]
fn a_flipped_bit_in_a_row() {
    mended(|kept| flip(&kept.path().join("chat.db"), b"word 17"), &["row: a message (row"]);
}

#[test]
fn a_row_that_was_changed_or_removed() {
    mended(
        |kept| kept.sql("UPDATE message SET date = date + 1 WHERE ROWID = 5"),
        &["row: a message (row 5 of message) is damaged"],
    );
    mended(
        |kept| kept.sql("DELETE FROM message WHERE ROWID = 7"),
        &["row: a message (row 7 of message) is gone", "count: message has 30 rows instead of 31"],
    );
    mended(|kept| kept.sql("UPDATE handle SET id = '+12025550199'"), &["row: an address"]);
    mended(|kept| kept.sql("UPDATE chat SET guid = 'other'"), &["row: a chat"]);
}

#[test]
fn a_content_that_is_other_shorter_or_gone() {
    mended(
        |kept| flip(&kept.content(), b"picture"),
        &["content: has other bytes than were written (Attachments/"],
    );
    mended(
        |kept| fs::File::options().write(true).open(kept.content()).unwrap().set_len(3).unwrap(),
        &["content: has 3 bytes instead of 24 (Attachments/"],
    );
    mended(|kept| fs::remove_file(kept.content()).unwrap(), &["content: is gone (Attachments/"]);
}

#[test]
fn other_bytes_of_the_same_size_need_a_deep_look() {
    let kept = Kept::new();
    flip(&kept.content(), b"picture");
    assert_eq!(kept.check(false).problems, []);
    assert_eq!(kept.check(true).problems.len(), 1);
}

#[test]
fn a_record_that_is_other_gone_or_elsewhere() {
    mended(|kept| flip(&kept.records()[1], b"number"), &["record: is not what the run wrote", "runs/"]);
    mended(|kept| fs::remove_file(&kept.records()[0]).unwrap(), &["record: is gone"]);
    mended(
        |kept| {
            let [first, second] = [0, 1].map(|at| fs::read(&kept.records()[at]).unwrap());
            fs::write(&kept.records()[0], second).unwrap();
            fs::write(&kept.records()[1], first).unwrap();
        },
        &["0001.json", "0002.json"],
    );
}

/// The database has the records, too; what was done to both is found by what they close over.
#[test]
fn a_record_that_was_forged_in_both_places() {
    let kept = Kept::new();
    let record = kept.records()[1].clone();
    let forged = fs::read_to_string(&record).unwrap().replace("\"read\": 31", "\"read\": 30");
    fs::write(&record, &forged).unwrap();
    kept.sql(
        "UPDATE msgarchive_run SET record = replace(record, '\"read\": 31', '\"read\": 30') WHERE run = 2",
    );
    assert!(kept.found().iter().any(|line| line.contains("does not follow the record before it")));
    let kept = Kept::new();
    fs::remove_file(&kept.records()[1]).unwrap();
    kept.sql("DELETE FROM msgarchive_run WHERE run = 2");
    let found = kept.found();
    assert!(found.iter().any(|line| line.contains("has a number that is not the next one")), "{found:#?}");
}

#[test]
fn a_join_that_is_gone_is_counted() {
    let kept = Kept::new();
    kept.sql("DELETE FROM chat_message_join WHERE message_id = 3");
    assert_eq!(kept.found(), ["count: chat_message_join has 30 rows instead of 31 ()"]);
}

#[test]
fn a_truncated_database_is_damaged() {
    for keep in [0, 50, 4096, 40_000] {
        let kept = Kept::new();
        let database = kept.path().join("chat.db");
        fs::File::options().write(true).open(&database).unwrap().set_len(keep).unwrap();
        let problems = kept.check(false).problems;
        assert!(problems.iter().any(|p| p.kind == "database"), "{keep}: {problems:#?}");
        fs::remove_file(&database).unwrap();
        assert!(kept.check(false).problems.iter().any(|p| p.kind == "database"));
    }
}

#[test]
fn verify_names_what_is_wrong_and_where_to_have_it_again() {
    let kept = Kept::new();
    let program = Program::new();
    let archive = kept.path();
    let archive = archive.to_str().unwrap();
    let ran = program.run(&["verify", archive, "--deep"]).with_code(0);
    assert!(ran.out.contains("Whole: nothing is damaged"), "{}", ran.out);
    fs::remove_file(kept.content()).unwrap();
    let ran = program.run(&["verify", archive]).with_code(3);
    let out = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("1 problem:") && out.contains("is gone (at_"), "{out}");
    assert!(out.contains("`archive` takes it again from"), "{out}");
    let json: Value =
        serde_json::from_str(&program.run(&["verify", archive, "--json"]).with_code(3).out).unwrap();
    assert_eq!((&json["ok"], &json["problems"][0]["kind"]), (&false.into(), &"content".into()));
    assert_eq!(json["problems"][0]["lost"], false);
    assert_eq!(json["checked"]["runs"], 3);
}

#[test]
fn an_export_is_verified_by_its_manifest() {
    let program = Program::new();
    program.run(&["export", "--sample", "-f", "txt,jsonl", "-o", "out"]).with_code(0);
    let ran = program.run(&["verify", "out"]).with_code(0);
    assert!(ran.out.contains("349 rows"), "{}", ran.out);
    let text = fs::read_dir(program.path().join("out")).unwrap().map(|entry| entry.unwrap().path());
    let text = text.filter(|path| path.extension().is_some_and(|e| e == "txt")).max().unwrap();
    let mut bytes = fs::read(&text).unwrap();
    bytes[3] ^= 1;
    fs::write(&text, &bytes).unwrap();
    let ran = program.run(&["verify", "out"]).with_code(3);
    assert!(ran.out.contains("has other bytes than were written"), "{}", ran.out);
    fs::remove_file(text).unwrap();
    let ran = program.run(&["verify", "out"]).with_code(3);
    assert!(ran.out.contains("is gone"), "{}", ran.out);
    let ran = program.run(&["verify", "."]).with_code(1);
    assert!(ran.err.contains("neither an archive nor an export"), "{}", ran.err);
}
