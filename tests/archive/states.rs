//! States that come back, or came from another device first: which is shown, and that every other one is kept.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::device::{DAY, Device};
use super::fed::{Fed, START};
use super::seen::all_rows;
use crate::program::Program;
use crate::support::Schema;
use msgarchive::archive::check;

/// A Mac with a message, archived.
fn a_mac() -> Fed {
    let mut fed = Fed::of_device(|folder| {
        let mut mac = Device::new(folder, Schema::MACOS_26);
        mac.receive("A", 2, START, "hello");
        mac
    });
    fed.night();
    fed
}

const NAME: &str = "display_name FROM chat WHERE guid LIKE '%;+;%' ORDER BY ROWID LIMIT 1";

/// A group that gets its old name back has it; one that another device only does not know to be renamed has not.
#[test]
fn a_name_comes_back() {
    let mut fed = a_mac();
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26.on_device());
    phone.receive("B", 2, START, "hello");
    fed.mac.rename("R1", 2, START + DAY, "Lake");
    fed.night();
    fed.of(&[&phone.folder]);
    assert_eq!(fed.texts(NAME), ["Lake"], "the phone has its first name still");
    fed.mac.rename("R2", 2, START + 2 * DAY, "Harbor");
    fed.night();
    assert_eq!(fed.texts(NAME), ["Harbor"]);
    phone.rename("R3", 2, START + 3 * DAY, "Sea");
    fed.of(&[&phone.folder]);
    fed.night();
    assert_eq!(fed.texts(NAME), ["Sea"]);
    let of_versions = "DISTINCT display_name FROM msgarchive_chat_version ORDER BY display_name";
    assert_eq!(fed.texts(of_versions), ["Harbor", "Lake"]);
}

/// A group that is deleted on one device and begun anew, under its GUID and another name, has that name; one that is only
/// restored there, with a name that it had, has the one that came since.
#[test]
fn a_group_is_begun_anew() {
    let mut fed = a_mac();
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26.on_device());
    phone.receive("B", 2, START, "hello");
    fed.of(&[&phone.folder]);
    phone.rename("R1", 2, START + DAY, "Lake");
    fed.of(&[&phone.folder]);
    assert_eq!(fed.texts(NAME), ["Lake"]);
    let guid: String = fed
        .mac
        .db
        .query_row("SELECT guid FROM chat WHERE ROWID = ?1", [fed.mac.chats[2]], |row| row.get(0))
        .unwrap();
    fed.mac.make_anew(2, &guid);
    fed.night();
    assert_eq!(fed.texts(NAME), ["Lake"]);
    fed.mac.make_anew(2, &guid);
    fed.mac.rename("R2", 2, START + 3 * DAY, "Quay");
    fed.night();
    assert_eq!(fed.texts(NAME), ["Quay"]);
    let of_versions = "DISTINCT display_name FROM msgarchive_chat_version ORDER BY display_name";
    assert_eq!(fed.texts(of_versions), ["Harbor", "Lake"]);
}

/// A row that lost its hash, which nobody noticed: its state is kept all the same when it gets another one.
#[test]
fn a_state_without_its_book() {
    let mut fed = a_mac();
    let db = Connection::open(fed.archive().join("chat.db")).unwrap();
    db.execute_batch("DELETE FROM msgarchive_message; DELETE FROM msgarchive_chat").unwrap();
    drop(db);
    fed.mac.edit("A", START + DAY, "hello again");
    fed.mac.rename("R1", 2, START + DAY, "Lake");
    fed.day += 1;
    super::add(&fed.archive(), &[&fed.mac.folder], START + fed.day * DAY).unwrap();
    assert_eq!(fed.texts("text FROM message WHERE guid = 'A'"), ["hello again"]);
    assert_eq!(fed.texts("text FROM msgarchive_message_version WHERE guid = 'A'"), ["hello"]);
    assert_eq!(fed.texts(NAME), ["Lake"]);
    assert_eq!(fed.texts("display_name FROM msgarchive_chat_version"), ["Harbor"]);
    assert!(!check(&fed.archive(), true, 1, &()).unwrap().problems.is_empty(), "that it was damaged is told");
    fed.night();
}

/// Who left a group is in it no more, and was.
#[test]
fn who_was_in_a_group() {
    let mut fed = a_mac();
    let now = "h.id FROM chat_handle_join j JOIN handle h ON h.ROWID = j.handle_id \
         JOIN chat c ON c.ROWID = j.chat_id WHERE c.display_name = 'Harbor' ORDER BY h.id";
    let ever = "h.id || ifnull(' until ' || until, '') FROM msgarchive_participant p JOIN handle h ON h.ROWID = p.handle \
         JOIN chat c ON c.ROWID = p.chat WHERE c.display_name = 'Harbor' ORDER BY h.id, since";
    fed.mac.join("J1", 2, START + DAY, 3);
    fed.mac.leave("L1", 2, START + DAY, 2);
    fed.night();
    assert_eq!(fed.texts(now), ["+12025550143", "cy@example.com"]);
    // A device that has not heard of it, and that hears of it then.
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26.on_device());
    phone.receive("B", 2, START, "hello");
    fed.of(&[&phone.folder]);
    assert_eq!(fed.texts(now), ["+12025550143", "cy@example.com"]);
    phone.leave("L1", 2, START + DAY, 2);
    fed.of(&[&phone.folder]);
    assert_eq!(fed.texts(now), ["+12025550143", "cy@example.com"]);
    fed.mac.join("J2", 2, START + 4 * DAY, 2);
    fed.night();
    assert_eq!(fed.texts(now), ["+12025550143", "bo@example.com", "cy@example.com"]);
    assert_eq!(
        fed.texts(ever),
        ["+12025550143", "bo@example.com until 2", "bo@example.com", "cy@example.com"]
    );
    // A conversation that is deleted says nothing of who is in it.
    fed.mac.delete_conversation(2);
    fed.night();
    assert_eq!(fed.texts(now).len(), 3);
    let program = Program::new();
    let archive = fed.archive();
    let listed = |as_of: &[&str]| -> String {
        let arguments =
            [&["list", "-s", archive.to_str().unwrap(), "--contacts", "none", "--json"], as_of].concat();
        let listed: serde_json::Value =
            serde_json::from_str(&program.run(&arguments).with_code(0).out).unwrap();
        let all = listed["conversations"].as_array().unwrap();
        all.iter().find(|one| one["title"] == "Harbor").unwrap()["participants"].to_string()
    };
    assert!(listed(&[]).contains("cy@example.com"), "{}", listed(&[]));
    // START is 2023-03-08, 20:26:40 UTC.
    let first = listed(&["--as-of", "2023-03-10"]);
    assert!(first.contains("bo@example.com") && !first.contains("cy@example.com"), "{first}");
    let second = listed(&["--as-of", "2023-03-11"]);
    assert!(!second.contains("bo@example.com") && second.contains("cy@example.com"), "{second}");
}

/// Bytes that were only a preview, those that came later, and those that another device has: all are kept, and the
/// latest of the device are shown, or the larger ones of two.
#[test]
fn other_bytes_of_an_attachment() {
    let mut fed = a_mac();
    let program = Program::new();
    let shown = |fed: &Fed| -> String {
        let path = &fed.texts("substr(filename, 20) FROM attachment")[0];
        String::from_utf8(std::fs::read(fed.archive().join(path)).unwrap()).unwrap()
    };
    let former = "count(*) || '' FROM msgarchive_former_content";
    fed.mac.attach("A", "a.png");
    fed.mac.download("A", "a.png", b"preview");
    fed.night();
    assert_eq!(shown(&fed), "preview");
    fed.mac.purge("A", "a.png");
    fed.night();
    assert_eq!((shown(&fed), fed.texts(former)), ("preview".into(), vec!["0".into()]));
    fed.mac.download("A", "a.png", b"the whole");
    fed.night();
    assert_eq!((shown(&fed), fed.texts(former)), ("the whole".into(), vec!["1".into()]));
    for (name, bytes, count) in
        [("older", "preview", "1"), ("small", "small", "2"), ("large", "the whole of it", "3")]
    {
        let mut phone = Device::new(&fed.folder.path().join(name), Schema::MACOS_26.on_device());
        // Else it might be the Mac, or the one before it.
        phone.receive(&format!("FIRST-{name}"), 0, START - 1, "hello");
        phone.receive("A", 2, START, "hello");
        phone.attach("A", "a.png");
        phone.download("A", "a.png", bytes.as_bytes());
        fed.of(&[&phone.folder]);
        assert_eq!(fed.texts(former), [count], "{name}");
    }
    assert_eq!(shown(&fed), "the whole of it");
    // Of another archive, whatever it shows.
    let mut other = a_mac();
    other.day = 20;
    for _ in 0..2 {
        other.of(&[&fed.archive()]);
        assert_eq!((shown(&other), other.texts(former)), ("the whole of it".into(), vec!["3".into()]));
    }
    // START is 2023-03-08, 20:26:40 UTC.
    let archive = fed.archive();
    let archive = archive.to_str().unwrap();
    for (day, bytes) in [("2023-03-10", ""), ("2023-03-12", "preview"), ("2023-03-13", "the whole")] {
        program
            .run(&["export", "-s", archive, "-f", "jsonl", "-o", day, "--contacts", "none", "--as-of", day])
            .with_code(0);
        let files = crate::support::tree::files(&program.path().join(day)).into_iter();
        let picture = files.filter(|(name, _)| name.ends_with(".png")).map(|(_, bytes)| bytes).next();
        assert_eq!(String::from_utf8(picture.unwrap_or_default()).unwrap(), bytes, "{day}");
    }
}

/// Somebody writes to a file, and the attachment's row says nothing of it: it is seen by when that was, or by how long it is.
#[test]
fn a_file_that_was_overwritten() {
    let mut fed = a_mac();
    fed.mac.attach("A", "a.png");
    fed.mac.download("A", "a.png", b"before");
    let write = |fed: &Fed, bytes: &[u8], at: i64| {
        let path = fed.mac.picture("A", "a.png");
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(super::device::instant(at).into()).unwrap();
    };
    let contents = |fed: &Fed| {
        let of = |sql: &str| {
            let read = |path: &String| std::fs::read_to_string(fed.archive().join(path)).unwrap();
            fed.texts(sql).iter().map(read).collect::<Vec<_>>()
        };
        (of("substr(filename, 20) FROM attachment"), of("path FROM msgarchive_former_content ORDER BY rowid"))
    };
    // Every night at the hour of START, from a day after it on; this is the second one.
    write(&fed, b"before", START);
    fed.night();
    assert_eq!(contents(&fed), (vec!["before".into()], vec![]));
    write(&fed, b"after!", START + 2 * DAY + 100);
    fed.night();
    assert_eq!(contents(&fed), (vec!["after!".into()], vec!["before".into()]));
    // As long, and from before: nobody looks into it.
    write(&fed, b"hidden", START);
    fed.night();
    assert_eq!(contents(&fed), (vec!["after!".into()], vec!["before".into()]));
    write(&fed, b"longer than that", START);
    fed.night();
    let (former, all) = (vec!["before".into(), "after!".into()], vec!["longer than that".into()]);
    assert_eq!(contents(&fed), (all.clone(), former.clone()));
    // Another archive takes over what is shown now, whose row there did not change either.
    let mut other = a_mac();
    other.day = 20;
    for (bytes, stored) in [("longer than that", (1, 2)), ("and longer than that", (0, 1)), ("", (0, 0))] {
        if !bytes.is_empty() {
            write(&fed, bytes.as_bytes(), START + 10 * DAY);
            fed.night();
        }
        let record = other.of(&[&fed.archive()]);
        assert_eq!((record.counts.stored, record.counts.replaced), stored, "{bytes}");
        assert_eq!(contents(&other).0, contents(&fed).0);
    }
    // What it was once it may be again: written now, or put back from elsewhere with the date of then; and another archive
    // follows.
    for (bytes, at) in
        [(&b"before"[..], START + 10 * DAY), (b"and longer than that", START), (b"after!", START)]
    {
        write(&fed, bytes, at);
        for _ in 0..2 {
            fed.night();
            let record = other.of(&[&fed.archive()]);
            assert_eq!(record.counts.bytes, 0);
            for archive in [&fed, &other] {
                assert_eq!(contents(archive).0, [String::from_utf8(bytes.to_vec()).unwrap()]);
                let all: BTreeSet<String> =
                    contents(archive).1.into_iter().chain(contents(archive).0).collect();
                assert_eq!(all.len(), 4, "{all:?}");
            }
        }
        let before = all_rows(&fed.archive());
        fed.night();
        assert_eq!(all_rows(&fed.archive()), before);
    }
}

/// Of two devices that have other bytes for good the larger ones go on being shown, whoever writes his own anew.
#[test]
fn a_file_that_another_device_has_otherwise() {
    let mut fed = a_mac();
    fed.mac.attach("A", "a.png");
    fed.mac.download("A", "a.png", b"small");
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26.on_device());
    phone.receive("FIRST", 0, START - 1, "hello");
    phone.receive("A", 2, START, "hello");
    phone.attach("A", "a.png");
    phone.download("A", "a.png", b"larger");
    fed.night();
    fed.of(&[&phone.folder]);
    for _ in 0..2 {
        // Written anew, as it is.
        std::fs::write(fed.mac.picture("A", "a.png"), b"small").unwrap();
        fed.night();
        fed.of(&[&phone.folder]);
        let path = &fed.texts("substr(filename, 20) FROM attachment")[0];
        assert_eq!(std::fs::read(fed.archive().join(path)).unwrap(), b"larger");
        assert_eq!(fed.texts("count(*) || '' FROM msgarchive_former_content"), ["1"]);
    }
}

/// Two devices go through the same versions of a message, one of them later: each version is told once.
#[test]
fn versions_that_two_devices_had() {
    let mut fed = a_mac();
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26.on_device());
    phone.receive("FIRST", 0, START - 1, "hello");
    phone.receive("A", 2, START, "hello");
    phone.fall_back("A");
    fed.mac.edit("A", START + 100, "hello again");
    fed.night();
    fed.mac.read("A", START + 200);
    fed.night();
    fed.of(&[&phone.folder]);
    phone.edit("A", START + 100, "hello again");
    fed.of(&[&phone.folder]);
    let program = Program::new();
    let archive = fed.archive();
    let arguments =
        ["export", "-s", archive.to_str().unwrap(), "-f", "jsonl", "-o", "out", "--contacts", "none"];
    program.run(&arguments).with_code(0);
    let messages = super::messages(&program.path().join("out"));
    let (_, message) = messages.iter().find(|(guid, _)| guid.contains("\"A\"")).unwrap();
    let edits: Vec<&str> =
        message["edits"].as_array().unwrap().iter().map(|edit| edit["text"].as_str().unwrap()).collect();
    assert_eq!(edits, ["hello", "hello again"]);
}
