//! Which source is which: by its rows, also where some of them are not what they were.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use super::odd_sources::make_anew;
use super::seen::pairs;
use crate::support::Schema;

const START: i64 = 700_000_000;

fn mac_with(folder: &Path, guids: &[String]) -> Device {
    let mut mac = Device::new(folder, Schema::MACOS_26);
    for (number, guid) in guids.iter().enumerate() {
        mac.receive(guid, number % 3, START + number as i64, &format!("message {guid}"));
    }
    mac
}

fn named(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}-{number}")).collect()
}

fn numbers(archive: &Path, sql: &str) -> i64 {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Messages that are gone, and why.
fn gone(archive: &Path) -> Vec<(String, String)> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    pairs(
        &db,
        "SELECT m.guid, a.reason FROM msgarchive_absence a JOIN message m ON m.ROWID = a.message \
         WHERE a.returned IS NULL ORDER BY 1",
    )
}

#[test]
fn a_guid_that_changed_in_place_hides_no_deletion() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let mut mac = mac_with(&folder.path().join("mac"), &named("M", 4));
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run("UPDATE message SET guid = 'M-3b' WHERE guid = 'M-3'", []);
    mac.remove("M-1", true, "deleted");
    let record = add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert!(!record.sources[0].new);
    assert_eq!(gone(&archive), [("M-1".to_owned(), "deleted".to_owned())]);
    // It says the same, at the same place: it is that message.
    assert_eq!(record.counts.added, 0);
    let record = add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    assert_eq!((record.counts.added, record.counts.changed), (0, 0));
    assert_eq!(gone(&archive).len(), 1);
    // And one that says something else is another one, in the same source.
    mac.run("UPDATE message SET guid = 'M-2b', text = 'of another' WHERE guid = 'M-2'", []);
    let record = add(&archive, &[&mac.folder], START + 4 * DAY).unwrap();
    assert!(!record.sources[0].new);
    assert_eq!(record.counts.added, 1);
    assert_eq!(gone(&archive).len(), 2);
}

#[test]
fn a_row_without_a_guid_is_the_row_that_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let mac = mac_with(&folder.path().join("mac"), &named("M", 10));
    let triggers = pairs(&mac.db, "SELECT name, '' FROM sqlite_master WHERE type = 'trigger'");
    mac.db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON").unwrap();
    for (trigger, _) in triggers {
        mac.db.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
    }
    make_anew(&mac.db, "message", &[("guid", "TEXT")], "");
    mac.db.execute_batch("UPDATE message SET guid = '' WHERE ROWID IN (2, 5); UPDATE message SET guid = NULL WHERE ROWID = 10").unwrap();
    for night in 1..6 {
        let record = add(&archive, &[&mac.folder], START + night * DAY).unwrap();
        assert_eq!(record.sources[0].new, night == 1, "night {night}");
        // Read anew each night, and once edited.
        mac.run("UPDATE message SET date_read = ?1 WHERE ROWID = 5", [(START + night) * 1_000_000_000]);
        if night == 2 {
            mac.run("UPDATE message SET text = text || ' at last' WHERE guid = '' OR guid IS NULL", []);
        }
    }
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_source"), 1);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM message"), 10);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_sighting WHERE kind = 3"), 10);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM message WHERE text LIKE '% at last'"), 3);
    // What was before is kept.
    assert_eq!(
        numbers(
            &archive,
            "SELECT count(*) FROM msgarchive_message_version WHERE text NOT LIKE '% at last' AND ifnull(date_read, 0) = 0"
        ),
        3
    );
    assert_eq!(gone(&archive), []);
}

/// A path tells nothing: somebody else's library, and the same one with other row ids, have lost nothing of what was there.
#[test]
fn another_library_at_the_same_path_is_another_source() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, path) = (folder.path().join("archive"), folder.path().join("mac"));
    let mut mac = mac_with(&path, &named("M", 40));
    add(&archive, &[&path], START + DAY).unwrap();
    mac.be_restored();
    let record = add(&archive, &[&path], START + 2 * DAY).unwrap();
    assert!(record.sources[0].new);
    drop(mac);
    fs::remove_dir_all(&path).unwrap();
    let _other = mac_with(&path, &named("O", 60));
    let record = add(&archive, &[&path], START + 3 * DAY).unwrap();
    assert!(record.sources[0].new);
    assert_eq!(gone(&archive), []);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_source"), 3);
}

/// What a message says in an archive, and ever said, sorted.
fn said(archive: &Path, guid: &str) -> Vec<String> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sql = "SELECT text, '' FROM message WHERE guid = ?1 UNION ALL \
               SELECT text, '' FROM msgarchive_message_version WHERE guid = ?1 ORDER BY 1";
    let mut said = db.prepare(sql).unwrap();
    said.query_map([guid], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// One that was fed from another gives the same messages the same row ids.
#[test]
fn an_archive_that_was_fed_from_another_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mac = mac_with(&at("mac"), &named("M", 20));
    let phone = mac_with(&at("phone"), &named("M", 20));
    add(&at("first"), &[&mac.folder], START + DAY).unwrap();
    add(&at("second"), &[&at("first")], START + DAY).unwrap();
    for edit in 1..5 {
        mac.edit("M-1", START + edit * DAY, &format!("edit {edit} of the first"));
        add(&at("first"), &[&mac.folder], START + (1 + edit) * DAY).unwrap();
    }
    add(&at("into"), &[&at("first")], START + 6 * DAY).unwrap();
    // The second one came to know of other states of other messages.
    for edit in 1..3 {
        phone.edit("M-2", START + edit * DAY, &format!("edit {edit} of the second"));
        add(&at("second"), &[&phone.folder], START + (6 + edit) * DAY).unwrap();
    }
    let record = add(&at("into"), &[&at("second")], START + 9 * DAY).unwrap();
    assert!(record.sources[0].new);
    let all = ["edit 1 of the second", "edit 2 of the second", "message M-2"];
    assert_eq!(said(&at("into"), "M-2"), all);
    // Each is known again, wherever it lies.
    fs::rename(at("second"), at("moved")).unwrap();
    for (night, of) in ["first", "moved"].into_iter().enumerate() {
        let record = add(&at("into"), &[&at(of)], START + (10 + night as i64) * DAY).unwrap();
        assert!(!record.sources[0].new, "{of}");
    }
    assert_eq!(numbers(&at("into"), "SELECT count(*) FROM msgarchive_source"), 2);
}

/// Records of earlier programs do not name the archives that were read.
#[test]
fn an_archive_whose_id_is_not_known_is_known_by_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mac = mac_with(&at("mac"), &named("M", 20));
    add(&at("first"), &[&mac.folder], START + DAY).unwrap();
    let record = add(&at("into"), &[&at("first")], START + 2 * DAY).unwrap();
    let id = record.sources[0].archive.clone().unwrap();
    let file = at("into/runs").join(format!("{}.json", record.name));
    let of_today = fs::read_to_string(&file).unwrap();
    let mut earlier: Value = serde_json::from_str(&of_today).unwrap();
    let source = earlier["sources"][0].as_object_mut().unwrap();
    assert_eq!(source.shift_remove("archive"), Some(id.id.clone().into()));
    assert_eq!(source.shift_remove("record"), Some(id.record.clone().into()));
    fs::write(&file, earlier.to_string()).unwrap();
    Connection::open(at("into/chat.db"))
        .unwrap()
        .execute("UPDATE msgarchive_run SET record = ?1, sha256 = NULL", [earlier.to_string()])
        .unwrap();
    fs::rename(at("first"), at("moved")).unwrap();
    let read = add(&at("into"), &[&at("moved")], START + 3 * DAY).unwrap().sources.remove(0);
    assert_eq!((read.new, read.archive), (false, Some(id)));
}
