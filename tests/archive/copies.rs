//! Copies of an archive that are fed apart, and then from one another: a device that both know is one.

use std::path::Path;

use rusqlite::Connection;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// Why each message is gone now.
fn reasons(archive: &Path) -> Vec<String> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let sql = "SELECT DISTINCT guid || ' ' || reason FROM msgarchive_deleted d JOIN message m ON m.ROWID = d.message ORDER BY 1";
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// One copy is fed by the Mac alone, the other by the phone; whichever is fed from the other one then knows what an archive
/// knows that was fed by both all along.
#[test]
fn of_a_device_that_both_copies_know_counts_what_was_read_last() {
    let program = Program::new();
    let [mut mac, mut phone] =
        ["mac", "phone"].map(|name| Device::new(&program.path().join(name), Schema::MACOS_26));
    let at = |name: &str| program.path().join(name);
    let guids = ["TRASHED-ON-BOTH", "TRASHED-ON-MAC", "GONE-ON-PHONE", "GONE-ON-BOTH", "CAME-BACK", "STAYS"];
    phone.receive("ELSE", 1, START, "so that row ids differ");
    for device in [&mut mac, &mut phone] {
        for guid in guids {
            device.receive(guid, 0, START, guid);
        }
    }
    let mut beat = 0;
    let mut night = |mac: &mut Device, phone: &mut Device| -> i64 {
        beat += 1;
        for device in [mac, phone] {
            device.receive(&format!("NEWS-{beat}"), 1, START + beat * DAY - 600, "so that it is of today");
        }
        START + beat * DAY
    };
    let feed = |archive: &str, devices: &[&Device], now: i64| {
        let folders: Vec<&Path> = devices.iter().map(|device| &*device.folder).collect();
        add(&at(archive), &folders, now).unwrap();
    };
    let now = night(&mut mac, &mut phone);
    for archive in ["both", "x"] {
        feed(archive, &[&mac, &phone], now);
    }
    mac.recently_delete("TRASHED-ON-BOTH", START + DAY + 600);
    mac.remove("GONE-ON-BOTH", true, "deleted");
    mac.recently_delete("CAME-BACK", START + DAY + 600);
    phone.recently_delete("CAME-BACK", START + DAY + 600);
    let now = night(&mut mac, &mut phone);
    for archive in ["both", "x"] {
        feed(archive, &[&mac, &phone], now);
    }
    tree::copy(&at("x"), &at("z"));
    phone.recently_delete("TRASHED-ON-BOTH", START + 2 * DAY + 600);
    phone.remove("GONE-ON-BOTH", true, "deleted");
    phone.remove("GONE-ON-PHONE", true, "deleted");
    phone.restore("CAME-BACK");
    mac.recently_delete("TRASHED-ON-MAC", START + 2 * DAY + 600);
    let mut now = 0;
    for number in [3, 4] {
        now = night(&mut mac, &mut phone);
        feed("both", &[&mac, &phone], now);
        feed("x", &[&mac], now);
        feed("z", &[&phone], now);
        if number == 3 {
            // It came after the two had parted, and is on the phone still.
            mac.recently_delete("NEWS-3", now + 600);
        }
    }
    let there = ["GONE-ON-BOTH deleted", "TRASHED-ON-BOTH recently_deleted"];
    assert_eq!(reasons(&at("both")), there);
    for archive in ["x", "z"] {
        tree::copy(&at(archive), &at(&format!("{archive}0")));
    }
    for (into, from) in [("x", "z0"), ("z", "x0")] {
        for again in 0..2 {
            let counts = add(&at(into), &[&at(from)], now + 3600 + again * 60).unwrap().counts;
            assert_eq!(reasons(&at(into)), there, "{into}, {again}");
            assert!(again == 0 || counts.absent.is_empty() && counts.returned == 0, "{into}");
        }
        program.run(&["verify", into, "--deep"]).with_code(0);
    }
    // And what the devices say themselves is no other thing.
    for archive in ["both", "x", "z"] {
        feed(archive, &[&mac, &phone], now + DAY);
        assert_eq!(reasons(&at(archive)), there, "{archive}");
        let counts = add(&at(archive), &[&mac.folder, &phone.folder], now + DAY + 60).unwrap().counts;
        assert!(counts.absent.is_empty() && counts.returned == 0, "{archive}");
        program.run(&["verify", archive, "--deep"]).with_code(0);
    }
    // What was read here later counts more than what an old copy knows.
    phone.remove("STAYS", true, "deleted");
    mac.remove("STAYS", true, "deleted");
    let now = night(&mut mac, &mut phone);
    feed("x", &[&mac, &phone], now + DAY);
    let deleted = reasons(&at("x"));
    assert!(deleted.contains(&"STAYS deleted".to_owned()), "{deleted:?}");
    add(&at("x"), &[&at("z0")], now + DAY + 60).unwrap();
    assert_eq!(reasons(&at("x")), deleted);
}
