//! A content that the archive lost, and that its source has no more: Messages has let go of the file. Nobody is promised it,
//! and it is named once, when it is given up.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::damage::Kept;
use super::device::Device;
use crate::program::Program;
use crate::support::Schema;
use crate::support::tree;

const DAY: i64 = 86_400;

/// The one file of the library's attachments.
fn file_of(library: &Path) -> PathBuf {
    let files = tree::files(&library.join("Attachments"));
    assert_eq!(files.len(), 1);
    library.join("Attachments").join(&files[0].0)
}

fn purge(library: &Path) {
    fs::remove_file(file_of(library)).unwrap();
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[7] ^= 4;
    fs::write(path, bytes).unwrap();
}

/// What `verify --json --deep` says of the one problem: its source, and whether it is lost.
fn told(kept: &Kept) -> (Value, Value) {
    let archive = kept.path();
    let ran = Program::new().run(&["verify", archive.to_str().unwrap(), "--deep", "--json"]).with_code(3);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["problems"].as_array().unwrap().len(), 1, "{json}");
    (json["problems"][0]["source"].clone(), json["problems"][0]["lost"].clone())
}

#[test]
fn a_source_that_has_let_go_of_it_is_not_named() {
    let kept = Kept::new();
    let library = kept.library().join("chat.db").display().to_string();
    fs::remove_file(kept.content()).unwrap();
    assert_eq!(told(&kept), (library.clone().into(), false.into()));
    purge(&kept.library());
    assert_eq!(told(&kept), (Value::Null, true.into()));
    // Somewhere else they may lie, where nobody tells.
    fs::remove_dir_all(kept.library().join("Attachments")).unwrap();
    assert_eq!(told(&kept), (library.clone().into(), Value::Null));
    fs::rename(kept.library(), kept.library().with_file_name("elsewhere")).unwrap();
    assert_eq!(told(&kept), (library.into(), Value::Null));
    let archive = kept.path();
    let ran = Program::new().run(&["verify", archive.to_str().unwrap()]).with_code(3);
    let out = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("/library/chat.db, if that still has it"), "{out}");
}

#[test]
fn a_row_of_a_source_that_is_elsewhere() {
    let kept = Kept::new();
    kept.sql("UPDATE message SET text = 'forged' WHERE ROWID = 5");
    assert_eq!(told(&kept).1, false);
    fs::rename(kept.library(), kept.library().with_file_name("elsewhere")).unwrap();
    assert_eq!(told(&kept).1, Value::Null);
}

#[test]
fn what_nothing_has_any_more_is_given_up_once_and_comes_back() {
    for damage in [|path: &Path| fs::remove_file(path).unwrap(), flip] {
        let kept = Kept::new();
        let bytes = fs::read(file_of(&kept.library())).unwrap();
        let place = file_of(&kept.library());
        let content = kept.content();
        damage(&content);
        assert_eq!(kept.found().len(), 1);
        purge(&kept.library());
        let name = content.strip_prefix(kept.path()).unwrap().to_str().unwrap();

        let record = add(&kept.path(), &[&kept.library()], 4 * DAY).unwrap();
        assert_eq!((record.lost.len(), record.still_damaged.len()), (1, 0), "{record:?}");
        assert!(record.lost[0].contains(name) && record.lost[0].contains("at_"), "{record:?}");
        let findings = kept.check(true);
        assert_eq!((findings.problems.len(), findings.lost.len()), (0, 1), "{findings:?}");
        let record = add(&kept.path(), &[&kept.library()], 5 * DAY).unwrap();
        assert_eq!((&*record.lost, &*record.still_damaged), (&[][..], &[][..]), "that is no news");
        let findings = kept.check(true);
        assert_eq!((findings.problems.len(), findings.lost.len()), (0, 1), "{findings:?}");

        // iCloud gives it up again.
        fs::write(place, bytes).unwrap();
        let record = add(&kept.path(), &[&kept.library()], 6 * DAY).unwrap();
        assert_eq!((record.lost.len(), record.found_again.len()), (0, 1), "{record:?}");
        let findings = kept.check(true);
        assert_eq!((findings.problems.len(), findings.lost.len()), (0, 0), "{findings:?}");
        assert_eq!(add(&kept.path(), &[&kept.library()], 7 * DAY).unwrap().found_again, [""; 0]);

        // A second time it is news again.
        damage(&content);
        purge(&kept.library());
        assert_eq!(kept.found().len(), 1);
        assert_eq!(add(&kept.path(), &[&kept.library()], 8 * DAY).unwrap().lost.len(), 1);
    }
}

/// Somebody had a copy, and put it to its place.
#[test]
fn what_is_put_back_by_hand_is_lost_no_more() {
    let kept = Kept::new();
    let (content, bytes) = (kept.content(), fs::read(kept.content()).unwrap());
    fs::remove_file(&content).unwrap();
    purge(&kept.library());
    assert_eq!(kept.found().len(), 1);
    kept.run(4);
    assert_eq!(kept.check(true).lost.len(), 1);
    fs::write(&content, bytes).unwrap();
    assert_eq!(kept.found(), [""; 0]);
    assert_eq!(add(&kept.path(), &[&kept.library()], 5 * DAY).unwrap().found_again.len(), 1);
    assert_eq!(kept.check(true).lost, []);
}

/// A source that may have it was not asked: it stays damaged, and that is said every night, until that one comes.
#[test]
fn what_a_source_may_have_is_not_given_up() {
    let kept = Kept::new();
    let other = kept.library().with_file_name("other");
    tree::copy(&kept.library(), &other);
    add(&kept.path(), &[&kept.library(), &other], 4 * DAY).unwrap();
    fs::remove_file(kept.content()).unwrap();
    purge(&kept.library());
    assert_eq!(kept.found().len(), 1);
    for day in 5..7 {
        let record = add(&kept.path(), &[&kept.library()], day * DAY).unwrap();
        assert_eq!((record.lost.len(), record.still_damaged.len()), (0, 1), "{record:?}");
        assert!(record.still_damaged[0].contains("/other/chat.db"), "{record:?}");
        assert_eq!(kept.found().len(), 1);
    }
    let record = add(&kept.path(), &[&kept.library(), &other], 7 * DAY).unwrap();
    assert_eq!((record.lost.len(), record.still_damaged.len()), (0, 0), "{record:?}");
    assert_eq!(kept.found(), [""; 0]);
}

/// The same of a row, and of what joins one.
#[test]
fn a_row_that_another_source_has_stays_damaged() {
    let kept = Kept::new();
    let other = kept.library().with_file_name("other");
    tree::copy(&kept.library(), &other);
    add(&kept.path(), &[&kept.library(), &other], 4 * DAY).unwrap();
    let library = Connection::open(kept.library().join("chat.db")).unwrap();
    library
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DELETE FROM chat_message_join WHERE message_id = 5; DELETE FROM message WHERE ROWID = 5;",
        )
        .unwrap();
    drop(library);
    kept.run(5);
    kept.sql("UPDATE message SET text = 'forged', attributedBody = NULL WHERE ROWID = 5");
    assert_eq!(kept.found().len(), 1);
    let record = add(&kept.path(), &[&kept.library()], 6 * DAY).unwrap();
    assert_eq!((record.lost.len(), record.still_damaged.len()), (0, 1), "{record:?}");
    let record = add(&kept.path(), &[&other], 7 * DAY).unwrap();
    assert_eq!((record.lost.len(), record.still_damaged.len()), (0, 0), "{record:?}");
    assert_eq!(kept.found(), [""; 0]);
}

/// Nothing is given up by a run that only looks, and what a source has it would take.
#[test]
fn a_run_that_only_looks() {
    let kept = Kept::new();
    fs::remove_file(kept.content()).unwrap();
    assert_eq!(kept.found().len(), 1);
    let (archive, library) = (kept.path(), kept.library());
    let run = ["archive", archive.to_str().unwrap(), "-s", library.to_str().unwrap(), "--contacts", "none"];
    let program = Program::new();
    let dry = program.run(&[&run[..], &["--dry-run"]].concat()).with_code(0);
    assert_eq!(dry.err, "");
    purge(&library);
    program.run(&[&run[..], &["--dry-run"]].concat()).with_code(3);
    assert_eq!(kept.found().len(), 1);

    // And the run itself says what it gave up, and fails nobody afterwards.
    let ran = program.run(&run).with_code(3);
    let out = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("1 thing that damage took is nowhere any more"), "{out}");
    let err = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        err.contains("lost by damage, and nothing has it any more: the file of an attachment (at_"),
        "{err}"
    );
    let again = program.run(&run).with_code(0);
    assert_eq!(again.err, "");
    let json: Value =
        serde_json::from_str(&program.run(&[&run[..], &["--json"]].concat()).with_code(0).out).unwrap();
    assert_eq!((&json["lost"], &json["still_damaged"]), (&serde_json::json!([]), &serde_json::json!([])));
    program.run(&["verify", archive.to_str().unwrap(), "--deep"]).with_code(0);
}

/// A Mac, and the folder in which its attachments lie.
fn with_attachments_elsewhere(program: &Program) -> (Device, PathBuf) {
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, 700_000_000, "look");
    mac.attach("A", "a.png");
    mac.download("A", "a.png", b"a picture");
    let elsewhere = program.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(mac.folder.join("Attachments"), elsewhere.join("Attachments")).unwrap();
    (mac, elsewhere)
}

/// A source whose attachments lie where somebody said is looked at there, and not beside its database.
#[test]
fn attachments_that_lie_where_somebody_said() {
    let program = Program::new();
    let (mac, elsewhere) = with_attachments_elsewhere(&program);
    // What lies in the usual place is of something else.
    fs::create_dir(mac.folder.join("Attachments")).unwrap();
    for (root, number) in [("elsewhere", 0), ("elsewhere/Attachments", 1)] {
        let run =
            ["archive", "archive", "-s", "mac", "--contacts", "none", "--attachments-root", root, "--json"];
        let record: Value = serde_json::from_str(&program.run(&run).with_code(0).out).unwrap();
        let noted = record["sources"][0]["attachments_root"].as_str().unwrap();
        assert!(Path::new(noted).is_absolute() && noted.ends_with(root), "{noted}");
        let archive = program.path().join("archive");
        let kept = file_of(&archive);
        let bytes = fs::read(&kept).unwrap();
        fs::remove_file(&kept).unwrap();
        let told = || {
            let ran = program.run(&["verify", "archive", "--json"]).with_code(3);
            let found: Value = serde_json::from_str(&ran.out).unwrap();
            assert_eq!(found["problems"].as_array().unwrap().len(), 1, "{found}");
            (found["problems"][0]["source"].clone(), found["problems"][0]["lost"].clone())
        };
        let database = Value::from(mac.folder.join("chat.db").display().to_string());
        assert_eq!(told(), (database.clone(), false.into()), "{root}");
        // A disk that is not there now tells nothing.
        fs::rename(&elsewhere, program.path().join("away")).unwrap();
        assert_eq!(told(), (database, Value::Null), "{root}");
        fs::rename(program.path().join("away"), &elsewhere).unwrap();
        let original = file_of(&elsewhere);
        let moved = program.path().join(format!("moved-{number}"));
        fs::rename(&original, &moved).unwrap();
        assert_eq!(told(), (Value::Null, true.into()), "{root}");
        fs::rename(moved, original).unwrap();
        fs::write(kept, bytes).unwrap();
    }
    // Where nobody says it any more, they lie in the usual place.
    let run = ["archive", "archive", "-s", "mac", "--contacts", "none", "--json"];
    let record: Value = serde_json::from_str(&program.run(&run).out).unwrap();
    assert!(record["sources"][0].get("attachments_root").is_none(), "{record}");
}

/// The attachments of somebody's library lie behind a link, which may lead anywhere: that none is taken is no success, and what to
/// do is said, once.
#[cfg(unix)]
#[test]
fn attachments_behind_a_link() {
    let program = crate::program::Program::new();
    let (mac, elsewhere) = with_attachments_elsewhere(&program);
    std::os::unix::fs::symlink(elsewhere.join("Attachments"), mac.folder.join("Attachments")).unwrap();
    let told = program.run(&["archive", "archive", "-s", "mac"]).with_code(3).err;
    assert_eq!(told.matches("which is not followed").count(), 1, "{told}");
    assert!(told.contains("--attachments-root"), "{told}");
    let ran =
        program.run(&["archive", "archive", "-s", "mac", "--attachments-root", "elsewhere"]).with_code(0);
    assert!(ran.out.contains("1 filled in") || ran.out.contains("1 stored"), "{}", ran.out);
}
