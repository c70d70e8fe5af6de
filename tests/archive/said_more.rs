//! Of what two sources tell of a message, that is shown which says more: what happened to it since, why it is gone.

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use super::fed::{Fed, START};
use super::past::exported;
use crate::program::Program;
use crate::support::Schema;

/// When it was read, and how many former states there are.
fn shown(fed: &Fed, guid: &str) -> (i64, i64) {
    let db = Connection::open(fed.archive().join("chat.db")).unwrap();
    db.query_row(
        "SELECT coalesce(m.date_read, 0), (SELECT count(*) FROM msgarchive_message_version WHERE msgarchive_id = m.ROWID)
         FROM message m WHERE m.guid = ?1",
        [guid],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .unwrap()
}

fn with_one_message(folder: &std::path::Path) -> Device {
    let mut device = Device::new(folder, Schema::MACOS_26);
    device.receive("A", 0, START + 60, "did you see this?");
    device
}

/// Under other row ids it is another source, whose rows nothing is known of.
#[test]
fn what_was_read_since_is_so_where_a_device_was_restored_meanwhile() {
    let mut fed = Fed::of_device(with_one_message);
    // So that its row ids are others.
    fed.mac.receive("0", 0, START + 61, "another one");
    fed.night();
    fed.mac.read("A", START + DAY + 5);
    fed.mac.be_restored();
    let record = fed.night();
    assert!(record.sources[0].new);
    assert_eq!(shown(&fed, "A"), ((START + DAY + 5) * 1_000_000_000, 1));
    let again = fed.night();
    assert_eq!((again.counts.changed, shown(&fed, "A").1), (0, 1));
}

#[test]
fn the_order_of_two_devices_of_which_one_knows_more_does_not_matter() {
    for phone_first in [true, false] {
        let mut fed = Fed::of_device(with_one_message);
        let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26);
        phone.receive("B", 0, START, "so that the row ids are others");
        phone.receive("A", 0, START + 60, "did you see this?");
        phone.read("A", START + 90);
        let (mac, phone) = (fed.mac.folder.clone(), phone.folder.clone());
        let order = if phone_first { [&*phone, &*mac] } else { [&*mac, &*phone] };
        for night in 0..3 {
            let record = fed.of(&order);
            assert_eq!(record.sources.len(), 2);
            assert_eq!(shown(&fed, "A"), ((START + 90) * 1_000_000_000, 1), "night {night}, {phone_first}");
        }
    }
}

/// One lists it as deleted, the other says nothing; in one night, and one after the other.
#[test]
fn of_two_reasons_the_same_is_told_everywhere_whatever_the_order() {
    for (phone_first, nights_between) in [(true, 0), (false, 0), (true, 1), (false, 1)] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
        phone.receive("P", 0, START, "so that the row ids are others");
        for device in [&mut mac, &mut phone] {
            device.receive("A", 0, START + 60, "the lighthouse is closed");
        }
        let archive = program.path().join("archive");
        let (of_mac, of_phone) = (mac.folder.clone(), phone.folder.clone());
        let order = if phone_first { [&*of_phone, &*of_mac] } else { [&*of_mac, &*of_phone] };
        add(&archive, &order, START + DAY).unwrap();
        mac.remove("A", true, "deleted");
        if nights_between > 0 {
            add(&archive, &order, START + 2 * DAY).unwrap();
        }
        phone.remove("A", false, "unexplained");
        add(&archive, &order, START + 3 * DAY).unwrap();

        let told = program.run(&["history", "archive", "--deleted", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let told = &told["messages"][0];
        let found = program.run(&["search", "archive", "lighthouse", "--json"]).with_code(0).out;
        let found: Value = serde_json::from_str(&found).unwrap();
        let reasons = [
            told["reason"].clone(),
            told["gone_from"][0]["reason"].clone(),
            exported(&program, "out", &[])[0]["deleted"]["reason"].clone(),
            found["hits"][0]["reason"].clone(),
        ];
        assert_eq!(reasons, ["deleted"; 4], "{phone_first} {nights_between}");
        assert_eq!(told["gone_from"].as_array().unwrap().len(), 2);
    }
}

/// The Mac's row, which never knew of reading, becomes delivered, too.
#[test]
fn who_knows_less_takes_nothing_from_view() {
    let mut fed = Fed::of_device(with_one_message);
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26);
    phone.receive("B", 0, START, "so that the row ids are others");
    phone.receive("A", 0, START + 60, "did you see this?");
    phone.run("UPDATE message SET is_delivered = 1, date_delivered = date WHERE guid = 'A'", []);
    phone.read("A", START + 90);
    let (mac, phone) = (fed.mac.folder.clone(), phone.folder.clone());
    fed.of(&[&mac, &phone]);
    fed.mac.run("UPDATE message SET is_delivered = 1, date_delivered = date WHERE guid = 'A'", []);
    let record = fed.of(&[&mac, &phone]);
    assert_eq!((record.counts.changed, shown(&fed, "A")), (1, ((START + 90) * 1_000_000_000, 2)));
    // But what a source takes back of its own is taken back.
    let phone = Connection::open(phone.join("chat.db")).unwrap();
    phone.execute("UPDATE message SET is_read = 0, date_read = 0 WHERE guid = 'A'", []).unwrap();
    fed.of(&[&mac, fed.folder.path().join("phone").as_path()]);
    assert_eq!(shown(&fed, "A").0, 0);
}

/// Both have two messages there, as iCloud has it; one device purges them, and the other, later, one of them.
#[test]
fn what_one_source_has_in_recently_deleted_is_not_gone_from_there() {
    for phone_first in [true, false] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
        phone.receive("P", 0, START, "so that the row ids are others");
        for device in [&mut mac, &mut phone] {
            for guid in ["A", "B"] {
                device.receive(guid, 0, START + 60, guid);
                device.recently_delete(guid, START + 600);
            }
        }
        let archive = program.path().join("archive");
        let (of_mac, of_phone) = (mac.folder.clone(), phone.folder.clone());
        let order = if phone_first { [&*of_phone, &*of_mac] } else { [&*of_mac, &*of_phone] };
        add(&archive, &order, START + DAY).unwrap();
        mac.remove("A", true, "recently_deleted");
        mac.remove("B", true, "recently_deleted");
        add(&archive, &order, START + 2 * DAY).unwrap();
        phone.remove("B", true, "recently_deleted");
        add(&archive, &order, START + 5 * DAY).unwrap();

        let told = program.run(&["history", "archive", "--deleted", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let gone = |guid: &str| {
            let messages = told["messages"].as_array().unwrap();
            let of_history = messages.iter().find(|message| message["guid"] == guid).unwrap()["gone"].clone();
            let messages = exported(&program, guid, &[]);
            let exported = messages.iter().find(|message| message["guid"] == guid).unwrap();
            assert_eq!(exported["deleted"]["reason"], "recently_deleted");
            [of_history, exported["deleted"]["gone"].clone()]
        };
        assert_eq!(gone("A"), [Value::Null, Value::Null], "{phone_first}");
        for date in gone("B") {
            assert!(date.as_str().unwrap().starts_with("2023-03-13T21:26:40"), "{date} {phone_first}");
        }
        let words = program.run(&["history", "archive", "--deleted"]).with_code(0).out;
        assert_eq!(words.matches("(gone from Recently Deleted").count(), 1, "{words}");
    }
}

/// The library is downloaded anew, and nobody writes; that the message was recovered says of when it is.
#[test]
fn what_was_recovered_is_there_again_where_the_row_ids_are_others() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (guid, at) in [("B", 0), ("A", 1)] {
        mac.receive(guid, 0, START + at, guid);
    }
    mac.recently_delete("A", START + DAY - 60);
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.restore("A");
    mac.run("UPDATE message SET date_recovered = ?1 WHERE guid = 'A'", [(START + DAY + 60) * 1_000_000_000]);
    mac.be_restored();
    for night in [2, 3] {
        add(&archive, &[&mac.folder], START + night * DAY).unwrap();
        let out = format!("night {night}");
        assert_eq!(exported(&program, &out, &[])[0]["deleted"], Value::Null);
    }
}

/// It went to Recently Deleted twice: of two devices, one knows of the first time only.
#[test]
fn what_was_recovered_twice_is_shown_as_it_was_recovered_last() {
    let recovered = |night: i64| (START + night * DAY + 60) * 1_000_000_000;
    for phone_first in [true, false] {
        let mut fed = Fed::of_device(with_one_message);
        let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26);
        phone.receive("P", 0, START, "so that the row ids are others");
        phone.receive("A", 0, START + 60, "did you see this?");
        for (device, night) in [(&fed.mac, 1), (&phone, 3)] {
            let at = "UPDATE message SET date_recovered = ?1 WHERE guid = 'A'";
            device.run(at, [recovered(night)]);
        }
        let (mac, phone) = (fed.mac.folder.clone(), phone.folder.clone());
        let order = if phone_first { [&*phone, &*mac] } else { [&*mac, &*phone] };
        for (night, sources) in [&order[..1], &order, &order].into_iter().enumerate() {
            fed.of(sources);
            let db = Connection::open(fed.archive().join("chat.db")).unwrap();
            let sql = "SELECT date_recovered FROM message WHERE guid = 'A'";
            let is_shown: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
            let last = if phone_first || night > 0 { 3 } else { 1 };
            assert_eq!(is_shown, recovered(last), "night {night}, {phone_first}");
        }
    }
}
