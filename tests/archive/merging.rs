//! Sources that become one history: devices, copies of any age, what was restored under new GUIDs, other archives.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use msgarchive::archive::check;

use super::add;
use super::device::{DAY, Device};
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

fn numbers(archive: &std::path::Path, sql: &str) -> i64 {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_same_thing_twice_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "one");
    mac.receive("B", 1, START + 1, "two");
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    // Moved, and given twice.
    let moved = folder.path().join("moved");
    std::fs::rename(&mac.folder, &moved).unwrap();
    let record = add(&archive, &[&moved, &moved], START + 2 * DAY).unwrap();
    assert_eq!((record.counts.added, record.counts.changed, record.sources.len()), (0, 0, 1));
    assert!(!record.sources[0].new);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_absence"), 0);
}

/// An older copy has not lost what came after it was made.
#[test]
fn an_older_copy_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "one");
    mac.receive("B", 0, START + 1, "two");
    let older = folder.path().join("older");
    std::fs::create_dir(&older).unwrap();
    std::fs::copy(mac.folder.join("chat.db"), older.join("chat.db")).unwrap();
    mac.receive("C", 0, START + 2, "three");
    mac.remove("A", true, "deleted");
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    for _ in 0..2 {
        add(&archive, &[&older], START + 2 * DAY).unwrap();
        add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    }
    assert_eq!(numbers(&archive, "SELECT count(*) FROM message"), 3);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_absence"), 0);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_source"), 2);
}

#[test]
fn what_was_restored_under_new_guids_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_15.on_device());
    for (number, text) in ["one", "two", "two", "three"].into_iter().enumerate() {
        mac.receive(&format!("M-{number}"), 0, START + 10 + number as i64 / 2, text);
        phone.receive(&format!("P-{number}"), 0, START + 10 + number as i64 / 2, text);
    }
    // The same words in another conversation, and a second later: two other messages. A picture without words is one, too.
    phone.receive("P-elsewhere", 1, START + 10, "one");
    phone.receive("P-later", 0, START + 12, "three");
    mac.receive("M-picture", 0, START + 20, "");
    phone.receive("P-picture", 0, START + 20, "");
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let record = add(&archive, &[&phone.folder], START + DAY).unwrap();
    assert_eq!(record.counts.added, 3);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM message"), 8);
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_alias"), 4);
    let again = add(&archive, &[&phone.folder], START + 2 * DAY).unwrap();
    assert_eq!((again.counts.added, again.counts.changed), (0, 0));
    phone.edit("P-0", START + 2 * DAY, "one, edited");
    let edited = add(&archive, &[&phone.folder], START + 3 * DAY).unwrap();
    assert_eq!((edited.counts.added, edited.counts.changed), (0, 1));
    assert_eq!(
        numbers(&archive, "SELECT count(*) FROM message WHERE guid = 'M-0' AND text = 'one, edited'"),
        1
    );
    phone.remove("P-3", true, "deleted");
    add(&archive, &[&phone.folder], START + 4 * DAY).unwrap();
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_absence WHERE reason = 'deleted'"), 1);
}

#[test]
fn an_archive_is_a_source_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_15.on_device());
    for number in 0..20 {
        mac.receive(&format!("M-{number}"), number % 3, START + number as i64, "hello");
        phone.receive(&format!("M-{}", number + 10), (number + 10) % 3, START + number as i64 + 10, "hello");
    }
    mac.attach("M-3", "a.png");
    mac.download("M-3", "a.png", b"bytes");
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    add(&one, &[&mac.folder], START + DAY).unwrap();
    add(&two, &[&phone.folder], START + DAY).unwrap();
    let merged = add(&two, &[&one], START + 2 * DAY).unwrap();
    assert_eq!((merged.sources[0].kind, merged.counts.added, merged.counts.stored), ("archive", 10, 1));
    assert_eq!(numbers(&two, "SELECT count(*) FROM message"), 30);
    let again = add(&two, &[&one], START + 3 * DAY).unwrap();
    assert_eq!((again.counts.added, again.counts.changed, again.counts.stored), (0, 0, 0));
    // What it knows of the past comes with it, once.
    mac.edit("M-1", START + 3 * DAY, "hello again");
    mac.edit("M-2", START + 3 * DAY, "hello for now");
    mac.recently_delete("M-4", START + 3 * DAY);
    mac.remove("M-5", true, "deleted");
    add(&one, &[&mac.folder], START + 4 * DAY).unwrap();
    mac.edit("M-2", START + 4 * DAY, "hello for good");
    mac.restore("M-4");
    add(&one, &[&mac.folder], START + 5 * DAY).unwrap();
    let inherited = add(&two, &[&one], START + 6 * DAY).unwrap();
    assert_eq!(inherited.counts.changed, 3);
    assert_eq!(inherited.counts.absent.values().sum::<u64>(), 1);
    let texts = "SELECT count(DISTINCT text) FROM (SELECT guid, text FROM message UNION ALL \
         SELECT guid, text FROM msgarchive_message_version) WHERE guid = 'M-2'";
    assert_eq!(numbers(&two, texts), 3);
    assert_eq!(
        numbers(&two, "SELECT count(*) FROM message WHERE guid = 'M-2' AND text = 'hello for good'"),
        1
    );
    assert_eq!(numbers(&two, "SELECT count(*) FROM msgarchive_deleted"), 1);
    let again = add(&two, &[&one], START + 7 * DAY).unwrap();
    assert_eq!((again.counts.added, again.counts.changed, again.counts.absent.len()), (0, 0, 0));
    let problems = msgarchive::archive::check(&two, true, 1, &()).unwrap().problems;
    assert_eq!(problems, []);
}

/// Made or mended by another program, without Apple's constraints: the same GUID twice is one message.
#[test]
fn a_source_may_have_a_row_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "one");
    mac.receive("B", 0, START + 1, "two");
    mac.db
        .execute_batch(
            "PRAGMA foreign_keys = OFF; CREATE TABLE loose AS SELECT * FROM message; DROP TABLE message; ALTER TABLE loose RENAME TO message;
             INSERT INTO message (ROWID, guid, text, handle_id, service, date)
                 SELECT ROWID + 10, guid, text || ' again', handle_id, service, date FROM message WHERE guid = 'A';",
        )
        .unwrap();
    let archive = folder.path().join("archive");
    let record = add(&archive, &[&mac.folder], START + DAY).unwrap();
    assert_eq!((record.counts.added, record.counts.changed), (2, 1));
    let again = add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!((again.counts.added, again.counts.changed), (0, 0));
    assert_eq!(msgarchive::archive::check(&archive, true, 1, &()).unwrap().problems, []);
}

/// The contents of one archive in another are the same files: nobody writes to them any more. Those of a library are
/// copies, which stay as they are when somebody does.
#[cfg(unix)]
#[test]
fn contents_of_another_archive_take_no_room() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "one");
    mac.receive("B", 0, START + 1, "the same again");
    for guid in ["A", "B"] {
        mac.attach(guid, &format!("{guid}.png"));
        mac.download(guid, &format!("{guid}.png"), b"bytes");
    }
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let contents = |archive: &std::path::Path| -> Vec<(u64, String)> {
        let below = archive.join("Attachments");
        let files = tree::files(&below).into_iter().map(|(name, _)| name);
        let names = |name: &str| below.join(name).metadata().unwrap().nlink();
        files.map(|name| (names(&name), name)).collect()
    };
    add(&first, &[&mac.folder], START + DAY).unwrap();
    let alone = contents(&first);
    assert_eq!(alone.iter().map(|(names, _)| names).collect::<Vec<_>>(), [&1]);
    let record = add(&second, &[&first], START + 2 * DAY).unwrap();
    assert_eq!((record.counts.stored, record.counts.bytes), (2, 5));
    assert_eq!(contents(&second), contents(&first));
    assert_eq!(contents(&second)[0].0, 2);
    assert_eq!(check(&second, true, 1, &()).unwrap().problems, []);
}

/// A message: its date, its conversation, all that it ever said, what it says, whether it is gone everywhere.
type Told = (i64, String, BTreeSet<Option<String>>, String, bool);

/// Every message, whatever its GUID.
fn history(archive: &Path) -> Vec<Told> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let mut versions =
        db.prepare("SELECT text FROM msgarchive_message_version WHERE msgarchive_id = ?1").unwrap();
    let mut messages = db
        .prepare(
            "SELECT m.ROWID, m.date, m.text, \
               (SELECT group_concat(i, ' ') FROM (SELECT DISTINCT c.chat_identifier i FROM chat_message_join j \
                JOIN chat c ON c.ROWID = j.chat_id WHERE j.message_id = m.ROWID ORDER BY 1)), \
               EXISTS (SELECT 1 FROM msgarchive_deleted d WHERE d.message = m.ROWID) FROM message m",
        )
        .unwrap();
    let rows = messages.query_map([], |row| {
        let shown: Option<String> = row.get(2)?;
        let mut said: BTreeSet<Option<String>> = versions
            .query_map([row.get::<_, i64>(0)?], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        said.insert(shown.clone());
        Ok((row.get(1)?, row.get(3)?, said, shown.unwrap_or_default(), row.get(4)?))
    });
    let mut history: Vec<Told> = rows.unwrap().map(Result::unwrap).collect();
    history.sort();
    history
}

/// A Mac, a phone, an old Mac's library restored under new GUIDs, and an archive of what the Mac was before: one history,
/// in whatever order they come, and however often.
#[test]
fn the_order_of_sources_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_15.on_device());
    let mut old = Device::new(&folder.path().join("old"), Schema::MACOS_15);
    for number in 0..24 {
        let (guid, text) = (format!("M-{number}"), format!("message {number}"));
        if number % 3 != 0 {
            mac.receive(&guid, number % 3, START + number as i64, &text);
        }
        if number % 3 != 1 {
            phone.receive(&guid, number % 3, START + number as i64, &text);
        }
        if number < 8 {
            old.receive(&format!("RESTORED-{number}"), number % 3, START + number as i64, &text);
        }
    }
    let before = folder.path().join("before");
    add(&before, &[&mac.folder], START + DAY).unwrap();
    mac.edit("M-10", START + DAY, "message 10, edited");
    phone.edit("M-14", START + DAY, "message 14, edited");
    mac.edit("M-14", START + DAY, "message 14, edited");
    mac.unsend("M-16", START + DAY);
    mac.remove("M-19", true, "deleted");
    let sources = [&mac.folder, &phone.folder, &old.folder, &before];
    let mut seen: Option<Vec<Told>> = None;
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [0, 3, 1, 2]] {
        for together in [false, true] {
            let archive = folder.path().join(format!("{order:?}-{together}"));
            let paths = order.map(|at| sources[at].as_path());
            if together {
                add(&archive, &paths, START + 2 * DAY).unwrap();
            } else {
                for path in paths {
                    add(&archive, &[path], START + 2 * DAY).unwrap();
                }
            }
            let first = history(&archive);
            let again = add(&archive, &paths, START + 3 * DAY).unwrap();
            let when = format!("{order:?}, together: {together}");
            assert_eq!((again.counts.added, again.counts.changed), (0, 0), "{when}");
            assert_eq!(history(&archive), first, "{when}");
            assert_eq!(msgarchive::archive::check(&archive, true, 1, &()).unwrap().problems, [], "{when}");
            assert_eq!(first.len(), 24, "{when}");
            assert_eq!(&first, seen.get_or_insert_with(|| first.clone()), "{when}");
        }
    }
}
