//! Damage, of every kind, is found and named, and mended where a source still has what was lost.

use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::archive::{Findings, check};
use rusqlite::Connection;
use serde_json::Value;

use super::{add, small_library};
use crate::program::Program;
use crate::support::{Library, Schema, tree};

pub struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    /// An archive of a small library, of three runs.
    pub fn new() -> Kept {
        let kept = Kept { folder: tempfile::tempdir().unwrap() };
        small_library(&kept.library());
        for day in 1..4 {
            kept.run(day);
        }
        assert_eq!(kept.found(), [""; 0]);
        kept
    }

    /// Another one like it.
    pub fn copy(&self) -> Kept {
        let copy = tempfile::tempdir().unwrap();
        tree::copy(self.folder.path(), copy.path());
        Kept { folder: copy }
    }

    pub fn library(&self) -> PathBuf {
        self.folder.path().join("library")
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    pub fn run(&self, day: i64) {
        add(&self.path(), &[&self.library()], day * 86_400).unwrap();
    }

    pub fn check(&self, deep: bool) -> Findings {
        check(&self.path(), deep, 2, &()).unwrap()
    }

    /// `kind: what (path or GUID)` of everything that a deep look finds.
    pub fn found(&self) -> Vec<String> {
        let problems = self.check(true).problems.into_iter();
        let named =
            problems.map(|p| format!("{}: {} ({})", p.kind, p.what, p.path.or(p.guid).unwrap_or_default()));
        named.collect()
    }

    pub fn sql(&self, sql: &str) {
        let db = Connection::open(self.path().join("chat.db")).unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
    }

    pub fn count(&self, sql: &str) -> i64 {
        let db = Connection::open(self.path().join("chat.db")).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub fn records(&self) -> Vec<PathBuf> {
        let mut records: Vec<PathBuf> =
            fs::read_dir(self.path().join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
        records.sort();
        records
    }

    pub fn content(&self) -> PathBuf {
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
pub fn mended(damage: impl Fn(&Kept), named: &[&str]) {
    let kept = Kept::new();
    let before = kept.count("SELECT count(*) FROM message");
    damage(&kept);
    let found = kept.found();
    for name in named {
        assert!(found.iter().any(|line| line.contains(name)), "{name} is not in {found:#?}");
    }
    for day in [4, 5] {
        kept.run(day);
        assert_eq!(kept.found(), [""; 0]);
        assert_eq!(kept.count("SELECT count(*) FROM message"), before);
    }
}

#[test]
fn a_flipped_bit_in_a_row() {
    mended(|kept| flip(&kept.path().join("chat.db"), b"word 17"), &["row: a message (row"]);
}

/// A row id became that of another row, whose place it took.
#[test]
fn a_row_in_the_place_of_another_one() {
    for (from, to) in [(5, 9), (9, 5), (5, 5000)] {
        mended(
            |kept| {
                let db = Connection::open(kept.path().join("chat.db")).unwrap();
                db.execute_batch(&format!(
                    "PRAGMA foreign_keys = OFF; DELETE FROM message WHERE ROWID = {to}; \
                     UPDATE message SET ROWID = {to} WHERE ROWID = {from}"
                ))
                .unwrap();
            },
            &[&format!("row: a message (row {from} of message) is gone")],
        );
    }
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
    mended(
        |kept| fs::remove_dir_all(kept.path().join("Attachments")).unwrap(),
        &["content: is gone (Attachments/"],
    );
}

#[test]
fn other_bytes_of_the_same_size_need_a_deep_look() {
    let kept = Kept::new();
    flip(&kept.content(), b"picture");
    assert_eq!(kept.check(false).problems, []);
    let found = kept.check(true).problems;
    assert_eq!(found.len(), 1);
    // What is known to be damaged is looked at so from then on: the next run is to mend it.
    assert_eq!(kept.check(false).problems, found);
    kept.run(9);
    assert_eq!(kept.check(true).problems, []);
    // Also where the database was set aside in between.
    flip(&kept.content(), b"picture");
    assert_eq!(kept.check(true).problems.len(), 1);
    fs::write(kept.path().join("chat.db"), "no database").unwrap();
    kept.check(false);
    kept.run(10);
    assert_eq!(kept.check(true).problems, []);
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

/// A record is in the database, too, and its hash beside it: whatever of the three is damaged, the others tell.
#[test]
fn a_record_that_is_other_in_the_database() {
    for damage in [
        "UPDATE msgarchive_run SET record = replace(record, '\"read\": 31', '\"read\": 30') WHERE run = 2",
        "UPDATE msgarchive_run SET record = replace(record, '\"read\": 31', '\"read\": 30') WHERE run = 3",
    ] {
        mended(
            |kept| kept.sql(damage),
            &["record: is damaged in the database; the next run takes it from this file (runs/"],
        );
    }
    mended(
        |kept| kept.sql("UPDATE msgarchive_run SET sha256 = 'x' WHERE run = 2"),
        &["record: has a damaged hash in the database"],
    );
    let kept = Kept::new();
    kept.sql("UPDATE msgarchive_run SET record = replace(record, '31', '30') WHERE run = 2");
    fs::remove_file(&kept.records()[1]).unwrap();
    let found = kept.found();
    assert!(
        found.iter().any(|line| line.starts_with("record: is damaged, and nothing has it whole")),
        "{found:#?}"
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
    kept.run(4);
    assert_eq!(kept.found(), [""; 0]);
    // What was accepted is that and nothing else.
    let forged = forged.replace("\"read\": 30", "\"read\": 29");
    fs::write(&record, &forged).unwrap();
    kept.sql(
        "UPDATE msgarchive_run SET record = replace(record, '\"read\": 30', '\"read\": 29') WHERE run = 2",
    );
    assert!(!kept.found().is_empty());
}

/// What is known of a source's row names a message that there is not, and nobody has verified it: the run goes on.
#[test]
fn a_damaged_note_of_a_source_that_nobody_told_of() {
    let kept = Kept::new();
    kept.sql("UPDATE msgarchive_sighting SET id = 4000 WHERE kind = 3 AND source_rowid = 5");
    let library = Connection::open(kept.library().join("chat.db")).unwrap();
    library.execute("UPDATE message SET date_read = 5 WHERE ROWID = 5", []).unwrap();
    kept.run(4);
    assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
    assert_eq!(kept.count("SELECT count(*) FROM msgarchive_absence"), 0);
    // It is right again, but its sum is not yet: nobody but `verify` says what may be made anew.
    let found = kept.found();
    assert!(found.iter().all(|line| line.contains("msgarchive_sighting")) && !found.is_empty(), "{found:#?}");
    kept.run(5);
    assert_eq!(kept.found(), [""; 0]);
}

/// What is known of a source's row names another source's message, and nobody has verified it: that it is gone where it never
/// was is not noted.
#[test]
fn what_nobody_vouches_for_is_not_gone() {
    let kept = Kept::new();
    let mut library = Library::new(Schema::MACOS_26);
    let bo = library.handle("bo@example.com", "iMessage");
    let chat = library.direct(bo);
    library.message(chat).from(bo).text("elsewhere");
    let other = library.write(&kept.path().with_file_name("other"));
    let run = |day: i64| add(&kept.path(), &[&kept.library(), &other], day * 86_400).unwrap();
    run(4);
    kept.sql(
        "UPDATE msgarchive_sighting SET id = (SELECT max(ROWID) FROM message) \
         WHERE kind = 3 AND source = 1 AND source_rowid = 5",
    );
    let live = Connection::open(kept.library().join("chat.db")).unwrap();
    live.execute("DELETE FROM message WHERE ROWID = 5", []).unwrap();
    run(5);
    assert_eq!(kept.count("SELECT count(*) FROM msgarchive_absence"), 0);
    let found = kept.found();
    assert!(found.iter().any(|line| line.contains("msgarchive_sighting")), "{found:#?}");
    run(6);
    assert_eq!(kept.found(), [""; 0]);
    let absences = "SELECT count(*) FROM msgarchive_absence WHERE message = (SELECT max(ROWID) FROM message)";
    assert_eq!(kept.count(absences), 0);
}

/// SQLite keeps two numbers for programs; in an archive they are not set.
#[test]
fn numbers_that_are_not_ours() {
    mended(
        |kept| {
            let db = Connection::open(kept.path().join("chat.db")).unwrap();
            db.execute_batch("PRAGMA user_version = 7; PRAGMA application_id = -8").unwrap();
        },
        &["user_version is 7 instead of 0", "application_id is -8 instead of 0"],
    );
}

/// A record that nothing has any more cannot be had again: it is told, the next run accepts it, and says so in its own.
#[test]
fn a_record_that_is_gone_from_both_places() {
    for run in 1..=3 {
        let kept = Kept::new();
        let gone = kept.records()[run - 1].clone();
        fs::remove_file(&gone).unwrap();
        kept.sql(&format!("DELETE FROM msgarchive_run WHERE run = {run}"));
        let found = kept.found();
        let told = format!("record: the record of run {run} is gone, from the database, too");
        match run {
            // It brought nothing, but that it was there is known of the sources.
            3 => assert!(found.iter().any(|line| line.contains("msgarchive_source")), "{found:#?}"),
            _ => assert!(found.iter().any(|line| line.starts_with(&told)), "{found:#?}"),
        }
        kept.run(4);
        assert_eq!(kept.found(), [""; 0]);
        let last = fs::read_to_string(kept.records().last().unwrap()).unwrap();
        let last: Value = serde_json::from_str(&last).unwrap();
        assert!(
            last["damage"].as_array().unwrap().iter().any(|line| *line == found[0].trim_end_matches(" ()")),
            "{last:#}"
        );
        // Whoever asks for the past is answered; what happens next is found.
        let program = Program::new();
        let path = kept.path();
        program.run(&["history", path.to_str().unwrap()]).with_code(0);
        kept.run(5);
        assert_eq!(kept.found(), [""; 0]);
        flip(kept.records().last().unwrap(), b"number");
        assert!(!kept.found().is_empty());
    }
}

/// What is in its file only is taken from there.
#[test]
fn a_record_that_is_gone_from_the_database() {
    for run in ["= 1", "= 2", "= 3", "> 1", "<> 2"] {
        mended(
            |kept| kept.sql(&format!("DELETE FROM msgarchive_run WHERE run {run}")),
            &["is gone, from the database, too", "is the record of no run"]
                [..if run == "= 3" || run == "> 1" { 0 } else { 1 }],
        );
    }
}

/// The file that says which archive it is: the records say it, too.
#[test]
fn an_archive_without_its_name() {
    let named = ["file: is gone or damaged; the records of the runs say whose they are"];
    let about = |kept: &Kept| kept.path().join("archive.json");
    mended(|kept| fs::remove_file(about(kept)).unwrap(), &named);
    mended(|kept| fs::write(about(kept), "{\"format\": 1, \"i").unwrap(), &named);
    mended(|kept| fs::write(about(kept), b"\xff\xfe\0").unwrap(), &named);
    // With the database gone, too, it is the same archive still, and no free folder.
    let kept = Kept::new();
    let id = |kept: &Kept| -> Value {
        serde_json::from_slice::<Value>(&fs::read(about(kept)).unwrap()).unwrap()["id"].clone()
    };
    let before = id(&kept);
    fs::remove_file(about(&kept)).unwrap();
    fs::remove_file(kept.path().join("chat.db")).unwrap();
    assert!(kept.check(false).problems.iter().any(|p| p.kind == "database"));
    kept.run(4);
    assert_eq!(kept.found(), [""; 0]);
    assert_eq!(id(&kept), before);
    assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
}

/// Nothing is thrown away: what was damaged is set aside, and what could be read of it is in the archive again.
#[test]
fn a_truncated_database_is_found_set_aside_and_made_anew() {
    for keep in [1, 50, 4096, 40_000, 60_000] {
        let kept = Kept::new();
        let database = kept.path().join("chat.db");
        fs::File::options().write(true).open(&database).unwrap().set_len(keep).unwrap();
        let problems = kept.check(false).problems;
        assert!(problems.iter().any(|p| p.kind == "database"), "{keep}: {problems:#?}");
        kept.run(4);
        assert_eq!(kept.found(), [""; 0], "{keep}");
        let aside = kept.path().join("damaged/2001-01-05T00-00-00Z");
        assert_eq!(fs::metadata(aside.join("chat.db")).unwrap().len(), keep);
        // The runs that there were go on being known.
        assert_eq!(kept.records().len(), 4, "{keep}");
        kept.run(5);
        assert_eq!(kept.found(), [""; 0], "{keep}");
        assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
        assert_eq!(kept.count("SELECT count(*) FROM msgarchive_content"), 1);
    }
    let gone = |database: &Path| fs::remove_file(database).unwrap();
    let another_one = |database: &Path| {
        gone(database);
        Connection::open(database).unwrap().execute_batch("VACUUM").unwrap();
    };
    for damage in [&gone as &dyn Fn(&Path), &another_one] {
        let kept = Kept::new();
        damage(&kept.path().join("chat.db"));
        assert!(kept.check(false).problems.iter().any(|p| p.kind == "database"));
        kept.run(4);
        assert_eq!(kept.found(), [""; 0]);
    }
}

/// Pages in the middle are lost; the library has not what they held, but for one message.
#[test]
fn what_can_be_read_of_a_damaged_database_is_taken_over() {
    let kept = Kept::new();
    let library = Connection::open(kept.library().join("chat.db")).unwrap();
    library.execute("UPDATE message SET date_read = 5", []).unwrap();
    kept.run(4);
    library.execute("DELETE FROM message WHERE ROWID > 1", []).unwrap();
    let database = kept.path().join("chat.db");
    let mut bytes = fs::read(&database).unwrap();
    let needle = b"word 17";
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    let page = at / 4096 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    fs::write(&database, bytes).unwrap();
    // What can be read is counted, and where the rest may be had is told.
    let Findings { checked, problems, .. } = kept.check(true);
    let of_database: Vec<_> = problems.iter().filter(|problem| problem.kind == "database").collect();
    assert!(!of_database.is_empty() && checked.rows > 31, "{checked:?} {problems:#?}");
    assert!(of_database.iter().all(|problem| !problem.lost && problem.source.is_some()), "{of_database:#?}");
    kept.run(5);
    assert_eq!(kept.found(), [""; 0]);
    // Those whose rows are lost are shown as they were before.
    assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
    let former = kept.count("SELECT count(*) FROM message WHERE date_read IS NULL OR date_read <> 5");
    assert!((1..31).contains(&former), "{former}");
    // What was known of the past, too.
    assert!(kept.count("SELECT count(*) FROM msgarchive_message_version") > 0);
    let program = Program::new();
    let json = program.run(&["history", kept.path().to_str().unwrap(), "--json"]).with_code(0).out;
    let runs: Value = serde_json::from_str(&json).unwrap();
    let said = runs["runs"][4]["unreadable"][0].as_str().unwrap();
    assert!(said.contains("it lies in damaged/2001-01-06T00-00-00Z now"), "{said}");
}

/// A run that is ended while it does so is completed by the next one.
#[test]
fn a_database_that_was_set_aside_and_not_yet_taken_over() {
    let kept = Kept::new();
    let aside = kept.path().join("damaged/before");
    fs::create_dir_all(&aside).unwrap();
    fs::rename(kept.path().join("chat.db"), aside.join("chat.db")).unwrap();
    for record in kept.records() {
        fs::remove_file(record).unwrap();
    }
    fs::write(kept.path().join("damaged.json"), r#"{ "aside": "damaged/before" }"#).unwrap();
    fs::remove_dir_all(kept.library()).unwrap();
    let empty = Library::new(Schema::MACOS_26).write(&kept.library());
    add(&kept.path(), &[&empty], 4 * 86_400).unwrap();
    assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
    assert_eq!(kept.found(), [""; 0]);
    assert!(!kept.path().join("damaged.json").exists());
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

/// A value in a note of the archive's that cannot be there, of an archive that is named from where its folder lies.
#[test]
fn a_note_of_another_sort() {
    let program = Program::new();
    super::crash::library(&program.path().join("library"), 30);
    let run = ["archive", "a", "-s", "library", "--contacts", "none"];
    program.run(&run).with_code(0);
    for sql in [
        "UPDATE msgarchive_sighting SET id = 'x' WHERE kind = 3 AND source_rowid = 5",
        "UPDATE msgarchive_sighting SET fingerprint = 'x' WHERE kind = 3 AND source_rowid = 5",
        "UPDATE msgarchive_handle SET hash = 5",
        "UPDATE msgarchive_message SET since = 'x' WHERE id = 5",
        "UPDATE msgarchive_message SET id = 9223372036854775807 WHERE id = 7",
        "UPDATE msgarchive_content SET path = CAST(x'41ff' AS TEXT) WHERE attachment = 2",
        "UPDATE msgarchive_file SET path = CAST(x'41ff' AS TEXT) WHERE path = (SELECT min(path) FROM msgarchive_file)",
    ] {
        let db = Connection::open(program.path().join("a/chat.db")).unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
        drop(db);
        program.run(&["verify", "a"]).with_code(3);
        let ran = program.run(&run);
        assert!(matches!(ran.code, Some(0 | 3)), "{sql}: {}", ran.err);
        program.run(&["verify", "a", "--deep"]).with_code(0);
    }
    super::crash::complete(&program.path().join("a"), 30);
}
