//! Archives that feed one another, and themselves: nothing grows for ever, and nothing is lost on the way.

use std::collections::BTreeMap;
use std::path::Path;

use msgarchive::archive::{ArchiveError, check};

use super::device::{DAY, Device};
use super::seen::{MESSAGE, all_rows, pairs, shown};
use serde_json::Value;

use super::{add, messages};
use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

/// Every message and every state of it.
fn states(archive: &Path) -> BTreeMap<String, Vec<String>> {
    let db = rusqlite::Connection::open(archive.join("chat.db")).unwrap();
    let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for table in ["message", "msgarchive_message_version"] {
        for (guid, state) in pairs(&db, &format!("SELECT guid, {MESSAGE} FROM {table}")) {
            states.entry(guid).or_default().push(state);
        }
    }
    states.values_mut().for_each(|of| of.sort());
    states
}

/// What an export shows of each message; but when it was last seen or was gone, which depends on when which source was read, and
/// what is of its conversation: of two names of a group, or of who is in it and whether it is junk, nothing says which is later.
pub fn shown_of(export: &Path) -> Vec<(String, Value)> {
    let mut shown = messages(export);
    for (_, message) in &mut shown {
        if let Some(deleted) = message["deleted"].as_object_mut() {
            deleted.remove("last_seen");
            deleted["gone"] = (!deleted["gone"].is_null()).into();
        }
        for of_conversation in ["conversation", "junk"] {
            message.as_object_mut().unwrap().remove(of_conversation);
        }
    }
    shown
}

/// Nothing comes to an archive from these, and nothing of it is another.
#[track_caller]
fn brings_nothing(archive: &Path, sources: &[&Path], at: i64) {
    let before = all_rows(archive);
    let record = add(archive, sources, at).unwrap();
    let counts = &record.counts;
    assert_eq!(
        (counts.added, counts.changed, counts.stored, counts.filled_in, counts.bytes),
        (0, 0, 0, 0, 0)
    );
    assert_eq!(counts.absent.len(), 0, "{:?}", counts.absent);
    assert_eq!(all_rows(archive), before);
}

/// A has the Mac and B, B has the phone and A, every night; things are edited, deleted, restored, downloaded.
#[test]
fn two_archives_that_feed_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_15.on_device());
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    for number in 0..12 {
        let (guid, at) = (format!("M-{number}"), START + number as i64);
        if number % 4 != 0 {
            mac.receive(&guid, number % 3, at, "hello");
        }
        if number % 4 != 1 {
            phone.receive(&guid, number % 3, at, "hello");
        }
    }
    mac.attach("M-1", "a.png");
    mac.download("M-1", "a.png", b"preview");
    phone.attach("M-4", "a.png");
    phone.download("M-4", "a.png", b"of the phone");
    add(&a, &[&mac.folder], START + DAY).unwrap();
    add(&b, &[&phone.folder], START + DAY).unwrap();
    for night in 2..9 {
        let at = START + night * DAY;
        match night {
            3 => {
                mac.edit("M-2", at, "hello again");
                mac.unsend("M-3", at);
                mac.remove("M-5", true, "deleted");
                phone.recently_delete("M-6", at);
                phone.rename("R", 2, at, "Lake");
                phone.leave("L", 2, at, 2);
            }
            4 => {
                phone.edit("M-2", at - DAY, "hello again");
                phone.remove("M-5", true, "deleted");
                mac.download("M-1", "a.png", b"the whole picture");
            }
            5 => {
                phone.restore("M-6");
                mac.remove("M-7", false, "unexplained");
                mac.rename("R2", 2, at, "Sea");
            }
            6 => mac.delete_conversation(1),
            _ => {}
        }
        add(&a, &[&mac.folder, &b], at).unwrap();
        add(&b, &[&phone.folder, &a], at + 3600).unwrap();
    }
    for night in 9..12 {
        brings_nothing(&a, &[&mac.folder, &b], START + night * DAY);
        brings_nothing(&b, &[&phone.folder, &a], START + night * DAY + 3600);
    }
    assert_eq!(states(&a), states(&b));
    for archive in [&a, &b] {
        assert_eq!(check(archive, true, 1, &()).unwrap().problems, []);
        let db = rusqlite::Connection::open(archive.join("chat.db")).unwrap();
        let gone = pairs(
            &db,
            "SELECT m.guid, min(d.reason) FROM msgarchive_deleted d JOIN message m ON m.ROWID = d.message \
             WHERE m.guid = 'M-5' GROUP BY 1",
        );
        assert_eq!(gone, [("M-5".to_owned(), "deleted".to_owned())]);
    }
}

/// By whatever path it is given: an archive adds nothing to itself, and a copy of it nothing that it has.
#[test]
fn an_archive_is_no_source_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    for guid in ["A", "B", "C"] {
        mac.receive(guid, 0, START, guid);
    }
    mac.attach("A", "a.png");
    mac.download("A", "a.png", b"bytes");
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.edit("A", START + DAY, "edited");
    mac.remove("B", true, "deleted");
    mac.recently_delete("C", START + DAY);
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    let roundabout = archive.join("runs").join("..");
    let mut paths = vec![archive.clone(), archive.join("chat.db"), roundabout];
    #[cfg(unix)]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&archive, &link).unwrap();
        paths.push(link);
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(archive.join("chat.db"), &link).unwrap();
        paths.push(link);
    }
    let before = all_rows(&archive);
    for path in &paths {
        let done = add(&archive, &[path], START + 3 * DAY);
        assert!(matches!(done, Err(ArchiveError::Itself { .. })), "{}: {done:?}", path.display());
    }
    assert_eq!(all_rows(&archive), before);
    // A copy of it, which goes on being the copy of that day; and which is given twice.
    let copy = folder.path().join("copy");
    copied(&archive, &copy);
    let record = add(&archive, &[&copy, &copy.join("chat.db")], START + 3 * DAY).unwrap();
    assert_eq!((record.counts.added, record.counts.changed, record.counts.stored), (0, 0, 0));
    assert_eq!(record.sources.len(), 1);
    for night in 4..6 {
        brings_nothing(&archive, &[&copy], START + night * DAY);
        brings_nothing(&archive, &[&mac.folder, &copy], START + night * DAY);
    }
    assert_eq!(check(&archive, true, 1, &()).unwrap().problems, []);
}

fn copied(from: &Path, to: &Path) {
    for (name, bytes) in crate::support::tree::files(from) {
        let to = to.join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
}

/// One that is given under two names is read once.
#[cfg(unix)]
#[test]
fn an_archive_that_is_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "one");
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    add(&one, &[&mac.folder], START + DAY).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&one, &link).unwrap();
    for night in 2..4 {
        let record = add(&two, &[&one, &link, &one.join("chat.db")], START + night * DAY).unwrap();
        assert_eq!(record.sources.len(), 1);
    }
    let db = rusqlite::Connection::open(two.join("chat.db")).unwrap();
    assert_eq!(shown(&db, "message", "text").len(), 1);
}

/// What an export shows of two archives of the same devices, merged either way, is the same.
#[test]
fn either_way_round() {
    let program = Program::new();
    let at = |name: &str| program.path().join(name);
    let mut mac = Device::new(&at("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&at("phone"), Schema::MACOS_15.on_device());
    // Two devices give a message different row ids.
    phone.receive("FIRST", 0, START - 1, "hello");
    for guid in ["A", "B", "C", "D", "E", "F", "G"] {
        mac.receive(guid, 0, START, guid);
        phone.receive(guid, 0, START, guid);
    }
    // Read on one only, or later on the other; delivered there.
    mac.read("A", START + 10);
    phone.read("B", START + 10);
    mac.read("C", START + 20);
    phone.read("C", START + 10);
    phone.run("UPDATE message SET date_delivered = date + 1, is_delivered = 1 WHERE guid = 'F'", []);
    mac.unsend("G", START + 30);
    phone.edit("G", START + 30, "edited at the same time");
    for (first, second) in [("mac", "phone"), ("phone", "mac")] {
        let name = format!("{first}-{second}");
        add(&at(&name), &[&at(first)], START + DAY).unwrap();
        add(&at(&name), &[&at(second)], START + 2 * DAY).unwrap();
        add(&at(&format!("{name}-together")), &[&at(first), &at(second)], START + 2 * DAY).unwrap();
        add(&at(&format!("of-{first}")), &[&at(first)], START + DAY).unwrap();
    }
    mac.remove("D", true, "deleted");
    phone.recently_delete("D", START + 2 * DAY);
    phone.remove("E", true, "deleted");
    for (first, second) in [("mac", "phone"), ("phone", "mac")] {
        let name = format!("{first}-{second}");
        add(&at(&name), &[&at(first)], START + 3 * DAY).unwrap();
        add(&at(&name), &[&at(second)], START + 3 * DAY).unwrap();
        add(&at(&format!("{name}-together")), &[&at(first), &at(second)], START + 3 * DAY).unwrap();
        add(&at(&format!("of-{first}")), &[&at(first)], START + 3 * DAY).unwrap();
    }
    for (first, second) in [("mac", "phone"), ("phone", "mac")] {
        let merged = at(&format!("archives-{first}-{second}"));
        add(&merged, &[&at(&format!("of-{first}"))], START + 4 * DAY).unwrap();
        add(&merged, &[&at(&format!("of-{second}"))], START + 4 * DAY).unwrap();
    }
    let exported = |name: &str| {
        let out = format!("{name}-out");
        program.run(&["export", "-s", name, "-f", "jsonl", "-o", &out, "--contacts", "none"]).with_code(0);
        shown_of(&at(&out))
    };
    let expected = exported("mac-phone");
    let others =
        ["phone-mac", "mac-phone-together", "phone-mac-together", "archives-mac-phone", "archives-phone-mac"];
    for other in others {
        for (one, another) in expected.iter().zip(exported(other)) {
            assert_eq!(one, &another, "{other}");
        }
    }
}
