//! What damage took and no source had any more, until one came that has it: it is the row that it was.

use serde_json::Value;

use super::damage::Kept;
use super::{add, messages};
use crate::program::Program;

fn exported(archive: &std::path::Path) -> Vec<(String, Value)> {
    let program = Program::new();
    let source = archive.to_string_lossy().into_owned();
    program.run(&["export", "--source", &source, "--format", "jsonl", "--out", "out"]);
    messages(&program.path().join("out"))
}

/// An archive of which a message and its picture are lost, as their source has them no more; and a copy from before that.
fn bereft() -> (Kept, Kept) {
    bereft_but_for(|kept| {
        kept.run(5);
        assert_eq!(kept.found(), [""; 0], "that they are lost is not said twice");
        assert_eq!(kept.check(true).lost.len(), 2);
    })
}

/// As [`bereft`], where nothing was done about it yet but this.
fn bereft_but_for(then: impl Fn(&Kept)) -> (Kept, Kept) {
    let kept = Kept::new();
    let before = kept.copy();
    let library = rusqlite::Connection::open(kept.library().join("chat.db")).unwrap();
    library
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO deleted_messages (guid) SELECT guid FROM message WHERE ROWID = 1;
             DELETE FROM chat_message_join WHERE message_id = 1;
             DELETE FROM message_attachment_join;
             DELETE FROM message WHERE ROWID = 1;
             DELETE FROM attachment;",
        )
        .unwrap();
    kept.run(4);
    kept.sql("DELETE FROM message WHERE ROWID = 1");
    kept.sql("DELETE FROM attachment");
    assert!(!kept.found().is_empty());
    then(&kept);
    (kept, before)
}

#[test]
fn what_was_taken_for_lost_is_what_it_was_again() {
    let (kept, before) = bereft();
    let record = add(&kept.path(), &[&before.path()], 7 * 86_400).unwrap();
    assert_eq!((record.found_again.len(), record.lost.len()), (2, 0), "{record:?}");
    let findings = kept.check(true);
    assert!(findings.problems.is_empty() && findings.lost.is_empty(), "{findings:?}");
    for (join, kind, column) in [
        ("message_attachment_join", "attachment", "attachment_id"),
        ("message_attachment_join", "message", "message_id"),
        ("chat_message_join", "message", "message_id"),
    ] {
        let of_none = format!("SELECT count(*) FROM {join} WHERE {column} NOT IN (SELECT ROWID FROM {kind})");
        assert_eq!(kept.count(&of_none), 0, "{join}.{column}");
    }
    assert_eq!(kept.count("SELECT count(*) FROM message_attachment_join"), 1);
    // Only that it is gone at its source is said of it besides.
    let without_deletion = |archive: &Kept| -> Vec<(String, Value)> {
        let mut all = exported(&archive.path());
        for (_, message) in &mut all {
            message.as_object_mut().unwrap().remove("deleted");
        }
        all
    };
    assert_eq!(without_deletion(&kept), without_deletion(&before));
    assert_eq!(add(&kept.path(), &[&before.path()], 8 * 86_400).unwrap().found_again, [""; 0], "said once");
}

/// What is left of a row that is lost must not become another one's.
#[test]
fn no_other_row_takes_the_place_of_one_that_is_lost() {
    let (kept, _) = bereft();
    let library = rusqlite::Connection::open(kept.library().join("chat.db")).unwrap();
    library
        .execute_batch(
            "INSERT INTO attachment (ROWID, guid, original_guid, filename, transfer_name) VALUES (9, 'OTHER', 'OTHER', '~/x/other.png', 'other.png');
             INSERT INTO message_attachment_join (message_id, attachment_id) VALUES (2, 9);",
        )
        .unwrap();
    kept.run(6);
    let carrying = "SELECT count(*) FROM message_attachment_join j JOIN attachment a ON a.ROWID = j.attachment_id \
                    WHERE a.guid = 'OTHER'";
    assert_eq!(kept.count(carrying), 1, "the message that has it, and not the one whose picture is lost");
}

/// The run that would take it for lost is the one that has a source which has it.
#[test]
fn what_another_archive_has_is_never_lost() {
    let (kept, before) = bereft_but_for(|_| {});
    let record = add(&kept.path(), &[&before.path()], 7 * 86_400).unwrap();
    assert_eq!((record.counts.added, record.lost.len()), (0, 0), "{record:?}");
    let findings = kept.check(true);
    assert!(findings.problems.is_empty() && findings.lost.is_empty(), "{findings:?}");
    assert_eq!(kept.count("SELECT count(*) FROM attachment"), 1);
    assert_eq!(kept.count("SELECT count(*) FROM message_attachment_join"), 1);
}
