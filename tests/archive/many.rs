//! Many of what is rare, such as a hostile source has: what is done for each of them must not ask for all the others.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::add;
use super::device::{DAY, Device};
use crate::support::Schema;

const START: i64 = 700_000_000;

/// Each of these took minutes when it took time by its square, on however slow a machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(archive: &std::path::Path, sql: &str) -> i64 {
    Connection::open(archive.join("chat.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Pictures without words, all of one second, that come again under other GUIDs.
#[test]
fn pictures_of_one_second() {
    const MANY: usize = 700;
    let folder = tempfile::tempdir().unwrap();
    let device = |name: &str, here: fn(usize) -> bool| {
        let mut device = Device::new(&folder.path().join(name), Schema::MACOS_26);
        device.db.execute_batch("BEGIN").unwrap();
        for number in 0..MANY {
            let guid = format!("{name}-{number}");
            device.receive(&guid, 0, START, "");
            let picture = format!("IMG_{number:04}.png");
            device.attach(&guid, &picture);
            let bytes = format!("picture {number:4}");
            match here(number) {
                true => device.download(&guid, &picture, bytes.as_bytes()),
                false => device.run(
                    "UPDATE attachment SET total_bytes = ?2 WHERE guid = 'at_0_' || ?1",
                    params![guid, bytes.len() as i64],
                ),
            }
        }
        device.db.execute_batch("COMMIT").unwrap();
        device
    };
    // Of every tenth one that came again, only its name and size are known.
    let (mac, phone) = (device("mac", |_| true), device("phone", |number| number % 10 > 0));
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let begun = Instant::now();
    let record = add(&archive, &[&phone.folder], START + 2 * DAY).unwrap();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    assert_eq!(record.counts.added, 0);
    assert_eq!(number(&archive, "SELECT count(*) FROM msgarchive_alias"), MANY as i64);
    // Each is the one that it was.
    let same = "SELECT count(*) FROM msgarchive_alias a JOIN message m ON m.ROWID = a.message \
                WHERE substr(a.guid, 7) = substr(m.guid, 5)";
    assert_eq!(number(&archive, same), MANY as i64);
    assert_eq!(number(&archive, "SELECT count(*) FROM message_attachment_join"), MANY as i64);
}

/// Tapbacks of many people to one message, that are gone together: some of them because others took their place.
#[test]
fn tapbacks_to_one_message() {
    const MANY: i64 = 4000;
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 2, START, "hello");
    mac.db.execute_batch("BEGIN").unwrap();
    let give = |mac: &Device, number: i64, at: i64| {
        mac.run(
            "INSERT INTO handle (ROWID, id, service) VALUES (100 + ?1, 'person' || ?1 || '@example.com', 'iMessage') \
             ON CONFLICT DO NOTHING",
            [number],
        );
        mac.run(
            "INSERT INTO message (guid, handle_id, service, date, is_finished, associated_message_guid, associated_message_type) \
             VALUES ('T-' || ?1 || '-' || ?2, 100 + ?1, 'iMessage', ?2 * 1000000000, 1, 'p:0/A', 2000)",
            [number, at],
        );
        mac.run("INSERT INTO chat_message_join (chat_id, message_id) SELECT 3, max(ROWID) FROM message", []);
    };
    for number in 0..MANY {
        give(&mac, number, START + number);
    }
    mac.db.execute_batch("COMMIT").unwrap();
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run("DELETE FROM message WHERE guid LIKE 'T-%'", []);
    for number in 0..3 {
        give(&mac, number, START + DAY + 10);
    }
    let begun = Instant::now();
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let absent = |reason: &str| {
        number(&archive, &format!("SELECT count(*) FROM msgarchive_absence WHERE reason = '{reason}'"))
    };
    assert_eq!((absent("deleted"), absent("unexplained")), (3, MANY - 3));
    let begun = Instant::now();
    let gone = msgarchive::archive::gone::gone(&archive).unwrap();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    assert_eq!(gone.iter().filter(|gone| gone.replaced_by.is_some()).count(), 3);
}
