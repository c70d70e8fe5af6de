//! Sources that become one history: devices, copies of any age, what was restored under new GUIDs, other archives.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use msgarchive::archive::check;

use super::device::{DAY, Device};
use super::seen::{MEMBERS, all_rows, pairs};
use super::{PASSWORD, add};
use crate::program::Program;
use crate::support::backup::{Layout, wrap};
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
    let first = add(&archive, &[&mac.folder, &mac.folder], START + DAY).unwrap();
    assert_eq!(first.sources.len(), 1);
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
    // The same words in another conversation, and a second later: two other messages. What says nothing is one, too.
    phone.receive("P-elsewhere", 1, START + 10, "one");
    phone.receive("P-later", 0, START + 12, "three");
    mac.receive("M-nothing", 0, START + 20, "");
    phone.receive("P-nothing", 0, START + 20, "");
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

/// Of one that was unsent nothing is left to know it by but when it was sent, and when it was taken back.
#[test]
fn unsent_messages_that_were_restored_under_new_guids_are_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut old = Device::new(&folder.path().join("old"), Schema::MACOS_26);
    for (device, with) in [(&mut mac, "M"), (&mut old, "RESTORED")] {
        // Two that were unsent together; one that was unsent later, or in another conversation; one that says nothing.
        for (number, chat, unsent) in [(0, 0, 50), (1, 0, 50), (2, 0, 60), (3, 1, 50)] {
            let guid = format!("{with}-{number}");
            device.receive(&guid, chat, START, "a secret");
            device.unsend(&guid, START + unsent);
        }
        device.receive(&format!("{with}-nothing"), 0, START, "");
    }
    old.receive("RESTORED-more", 0, START, "a secret");
    old.unsend("RESTORED-more", START + 50);
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let record = add(&archive, &[&old.folder], START + DAY).unwrap();
    // The one that says nothing, and one that was unsent once more.
    assert_eq!(record.counts.added, 2);
    let known = "SELECT count(*) FROM msgarchive_alias a JOIN message m ON m.ROWID = a.message \
        WHERE substr(a.guid, 10) = substr(m.guid, 3) OR m.guid IN ('M-0', 'M-1')";
    assert_eq!(numbers(&archive, known), 4);
    let before = all_rows(&archive);
    add(&archive, &[&mac.folder, &old.folder], START + 2 * DAY).unwrap();
    assert_eq!(all_rows(&archive), before);
    assert_eq!(check(&archive, true, 1, &()).unwrap().problems, []);
}

/// What two devices have of one message, under other GUIDs: its text, and its pictures: bytes, and whether they are there still.
type Pictured = (&'static str, &'static [(&'static [u8], bool)]);

/// A picture without words that was restored under a new GUID is the same by its bytes, or by its name and size where they are
/// not there any more; and shown once, with the bytes that anybody has.
#[test]
fn pictures_that_were_restored_under_new_guids_are_there_once() {
    // How many messages, pictures and contents they come to.
    let cases: [(Pictured, Pictured, [i64; 3]); 10] = [
        (("", &[(b"one", true)]), ("", &[(b"one", true)]), [1, 1, 1]),
        (("", &[(b"one", true)]), ("", &[(b"two", true)]), [2, 2, 2]),
        (("", &[(b"one", true)]), ("", &[(b"one", false)]), [1, 1, 1]),
        (("", &[(b"one", false)]), ("", &[(b"one", true)]), [1, 1, 1]),
        (("", &[(b"one", true)]), ("", &[(b"longer", false)]), [2, 2, 1]),
        (("", &[(b"one", false)]), ("", &[(b"one", false)]), [2, 2, 0]),
        (("", &[(b"one", true)]), ("", &[(b"one", true), (b"one", true)]), [2, 3, 3]),
        (("", &[(b"two", true), (b"one", true)]), ("", &[(b"one", true), (b"two", true)]), [1, 2, 2]),
        (("look", &[(b"one", false)]), ("look", &[(b"one", true)]), [1, 1, 1]),
        (("look", &[(b"one", true)]), ("look", &[(b"one", true), (b"two", true)]), [1, 2, 2]),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (number, (mac, phone, expected)) in cases.into_iter().enumerate() {
        let when = format!("case {number}");
        let all = (mac.1.len() + phone.1.len()) as i64;
        let folder = folder.path().join(&when);
        let device = |name: &str, (text, pictures): Pictured| {
            let mut device = Device::new(&folder.join(name), Schema::MACOS_26);
            device.receive(name, 0, START, &(text.to_owned() + &"\u{fffc}".repeat(pictures.len())));
            for (at, (bytes, stays)) in pictures.iter().enumerate() {
                let of = format!("{name}-{at}");
                if at > 0 {
                    device.receive(&of, 1, START + at as i64, &of);
                }
                let of = if at > 0 { of } else { name.to_owned() };
                device.attach(&of, "a.png");
                device.download(&of, "a.png", bytes);
                if at > 0 {
                    device.share(name, &of);
                    device.remove(&of, false, "unexplained");
                }
                if !stays {
                    device.purge(&of, "a.png");
                }
            }
            device
        };
        let [mac, phone] = [device("mac", mac), device("phone", phone)];
        let archive = folder.join("archive");
        add(&archive, &[&mac.folder], START + DAY).unwrap();
        add(&archive, &[&phone.folder], START + DAY).unwrap();
        let shown = [
            "SELECT count(*) FROM message",
            "SELECT count(*) FROM message_attachment_join",
            "SELECT count(*) FROM message_attachment_join JOIN msgarchive_content ON attachment = attachment_id",
        ];
        assert_eq!(shown.map(|sql| numbers(&archive, sql)), expected, "{when}");
        // Nothing of what came is let go.
        assert_eq!(numbers(&archive, "SELECT count(*) FROM attachment"), all, "{when}");
        let before = all_rows(&archive);
        let again = add(&archive, &[&mac.folder, &phone.folder], START + 2 * DAY).unwrap();
        assert_eq!((again.counts.added, again.counts.changed, again.counts.stored), (0, 0, 0), "{when}");
        assert_eq!(all_rows(&archive), before, "{when}");
        assert_eq!(check(&archive, true, 1, &()).unwrap().problems, [], "{when}");
    }
}

/// Each is found, also among many that are alike; what is said once more is one more.
#[test]
fn a_crowd_of_one_second_that_was_restored_under_new_guids() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_15.on_device());
    for number in 0..120 {
        let (chat, text) = (number % 2, format!("hello {}", number % 40 / 2));
        mac.receive(&format!("M-{number}"), chat, START, &text);
        phone.receive(&format!("P-{}", 119 - number), chat, START, &text);
    }
    phone.receive("P-more", 0, START, "hello 0");
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let record = add(&archive, &[&phone.folder], START + DAY).unwrap();
    assert_eq!(record.counts.added, 1);
    assert_eq!(numbers(&archive, "SELECT count(DISTINCT message) FROM msgarchive_alias"), 120);
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

/// A Mac, a backup of a phone, an old Mac's library restored under new GUIDs, and an archive of what the Mac was before: one history,
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
    mac.attach("M-1", "a.png");
    mac.download("M-1", "a.png", b"picture");
    for device in [&mut mac, &mut phone] {
        device.tapback("T-1", "M-2", 2001, START + 100);
        device.reply("T-2", "M-2", START + 101, "to that");
    }
    let backup = folder.path().join("backup");
    wrap(&phone.folder, None, &backup, Layout { password: Some(PASSWORD), ..Layout::default() });
    let sources = [&mac.folder, &backup, &old.folder, &before];
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
            let rows = all_rows(&archive);
            let again = add(&archive, &paths, START + 3 * DAY).unwrap();
            let when = format!("{order:?}, together: {together}");
            assert_eq!((again.counts.added, again.counts.changed), (0, 0), "{when}");
            assert_eq!(history(&archive), first, "{when}");
            assert_eq!(all_rows(&archive), rows, "{when}");
            assert_eq!(msgarchive::archive::check(&archive, true, 1, &()).unwrap().problems, [], "{when}");
            assert_eq!(first.len(), 26, "{when}");
            assert_eq!(&first, seen.get_or_insert_with(|| first.clone()), "{when}");
        }
    }
}

/// What another archive knows of the past of conversations, attachments and of its several sources comes with it, once.
#[test]
fn what_another_archive_knows() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_26.on_device());
    for device in [&mut mac, &mut phone] {
        for guid in ["A", "B", "C"] {
            device.receive(guid, 2, START, guid);
        }
    }
    mac.attach("A", "a.png");
    mac.download("A", "a.png", b"preview");
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    add(&one, &[&mac.folder, &phone.folder], START + DAY).unwrap();
    mac.rename("R1", 2, START + DAY, "Lake");
    mac.leave("L1", 2, START + DAY, 2);
    mac.download("A", "a.png", b"the picture");
    // One is deleted on one device, the other on both.
    mac.remove("B", true, "deleted");
    mac.remove("C", true, "deleted");
    phone.remove("C", true, "deleted");
    add(&one, &[&mac.folder, &phone.folder], START + 2 * DAY).unwrap();
    let once = |archive: &Path| -> [Vec<(String, String)>; 5] {
        let db = Connection::open(archive.join("chat.db")).unwrap();
        [
            "SELECT display_name, guid FROM (SELECT guid, display_name FROM chat UNION \
             SELECT guid, display_name FROM msgarchive_chat_version) ORDER BY 2, 1",
            &format!("{MEMBERS} ORDER BY 1, 2"),
            "SELECT DISTINCT c.guid, h.id FROM msgarchive_participant p JOIN chat c ON c.ROWID = p.chat \
             JOIN handle h ON h.ROWID = p.handle ORDER BY 1, 2",
            "SELECT original, path FROM msgarchive_content UNION SELECT original, path FROM msgarchive_former_content",
            "SELECT m.guid, d.reason FROM msgarchive_deleted d JOIN message m ON m.ROWID = d.message ORDER BY 1, 2",
        ]
        .map(|sql| {
            let mut found = pairs(&db, &sql.replace("SELECT display_name,", "SELECT ifnull(display_name, ''),"));
            found.dedup();
            found
        })
    };
    let known = once(&one);
    assert_eq!(known[3].len(), 2);
    assert_eq!(known[4], [("C".to_owned(), "deleted".to_owned())]);
    for day in 3..5 {
        add(&two, &[&one], START + day * DAY).unwrap();
        assert_eq!(once(&two), known, "day {day}");
        assert_eq!(check(&two, true, 1, &()).unwrap().problems, []);
    }
}

/// A library that was restored under new GUIDs, and lived on: reactions and replies to what is merged belong to it.
#[test]
fn what_hangs_on_a_restored_message() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut old = Device::new(&program.path().join("old"), Schema::MACOS_15);
    // The same word twice in a second is two messages, in both.
    for (at, guid) in ["A", "B", "C"].into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64 / 2, "hello");
        old.receive(&format!("RESTORED-{guid}"), 0, START + at as i64 / 2, "hello");
    }
    mac.tapback("T", "C", 2000, START + 10);
    old.tapback("RESTORED-T", "RESTORED-C", 2000, START + 10);
    old.tapback("LATER", "RESTORED-A", 2001, START + 20);
    old.reply("REPLY", "RESTORED-C", START + 30, "to that");
    for order in [["mac", "old"], ["old", "mac"]] {
        let name = order.concat();
        for source in order {
            program.run(&["archive", &name, "-s", source]).with_code(0);
        }
        let rows = all_rows(&program.path().join(&name));
        program.run(&["archive", &name, "-s", "mac", "-s", "old"]).with_code(0);
        assert_eq!(all_rows(&program.path().join(&name)), rows);
        // And of that one another.
        let second = format!("{name}-second");
        program.run(&["archive", &second, "-s", &name]).with_code(0);
        program.run(&["archive", &second, "-s", "old", "-s", "mac"]).with_code(0);
        for archive in [&name, &second] {
            let out = format!("{archive}-out");
            program
                .run(&["export", "-s", archive, "-f", "jsonl", "-o", &out, "--contacts", "none"])
                .with_code(0);
            let text = tree::files(&program.path().join(&out)).into_iter();
            let text = text.filter(|(path, _)| path.ends_with(".jsonl") && path != "conversations.jsonl");
            let messages: Vec<serde_json::Value> = text
                .flat_map(|(_, text)| {
                    String::from_utf8(text)
                        .unwrap()
                        .lines()
                        .map(|l| serde_json::from_str(l).unwrap())
                        .collect::<Vec<_>>()
                })
                .collect();
            let tapbacks: usize = messages.iter().map(|m| m["tapbacks"].as_array().map_or(0, Vec::len)).sum();
            assert_eq!((messages.len(), tapbacks), (4, 2), "{archive}: {messages:#?}");
            let reply = messages.iter().find(|m| m["text"] == "to that").unwrap();
            let to = reply["reply_to"]["guid"].as_str().unwrap();
            assert!(messages.iter().any(|m| m["guid"] == to), "{archive}: {to}");
        }
    }
}

/// Two copies of one library may each have what the other lacks, also where the archive knows one of them.
#[test]
fn a_copy_beside_what_it_was_copied_from_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "one");
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.receive("B", 0, START + 1, "two");
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(mac.folder.join("chat.db"), copy.join("chat.db")).unwrap();
    mac.remove("B", true, "deleted");
    mac.receive("C", 0, START + 2, "three");
    for sources in [[&*copy, &*mac.folder], [&*mac.folder, &*copy]] {
        let record = add(&archive, &sources, START + 2 * DAY).unwrap();
        assert_eq!(record.sources.len(), 2);
        assert_eq!(numbers(&archive, "SELECT count(*) FROM message"), 3);
        // The Mac never had shown B to the archive, and the copy has it still.
        assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_absence"), 0);
    }
    // The Mac is the source that it was.
    let of_mac = "SELECT source FROM msgarchive_source WHERE path NOT LIKE '%copy%'";
    assert_eq!(numbers(&archive, of_mac), 1);
    mac.remove("A", true, "deleted");
    let record = add(&archive, &[&copy, &mac.folder], START + 3 * DAY).unwrap();
    assert_eq!((record.counts.added, record.sources.len()), (0, 2));
    assert_eq!(numbers(&archive, "SELECT count(*) FROM msgarchive_absence"), 1);
    assert_eq!(check(&archive, true, 1, &()).unwrap().problems, []);
}

/// A reply refers to the message before it by the GUID that it has here, as it does to its thread's.
#[test]
fn what_came_again_under_another_guid_is_replied_to_by_the_one_that_it_has_here() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "see you at the harbor");
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_26);
    phone.receive("A-again", 0, START, "see you at the harbor");
    phone.reply("R", "A-again", START + 60, "yes");
    phone.run("UPDATE message SET reply_to_guid = 'A-again' WHERE guid = 'R'", []);
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    add(&archive, &[&phone.folder], START + 2 * DAY).unwrap();
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let referred = pairs(&db, "SELECT thread_originator_guid, reply_to_guid FROM message WHERE guid = 'R'");
    assert_eq!(referred, [("A".to_owned(), "A".to_owned())]);
}
