//! Thirty nights of two devices, with everything that can happen to a message; and what an archive has to know then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

use super::add;
use super::device::{DAY, Device, State, below};
use crate::support::Schema;

/// What anybody could ever see.
#[derive(Default)]
struct Seen {
    states: BTreeMap<String, BTreeSet<State>>,
    /// GUIDs of messages whose attachment's bytes were here, and the bytes.
    contents: BTreeMap<String, Vec<u8>>,
}

impl Seen {
    fn look(&mut self, device: &Device) {
        for (guid, state) in device.states() {
            self.states.entry(guid).or_default().insert(state);
        }
    }
}

fn strings(db: &Connection, sql: &str) -> BTreeSet<(String, String)> {
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The archive holds every state of every message, each message once, and the reason for every absence.
#[track_caller]
fn check(archive: &Path, seen: &Seen, devices: [&Device; 2]) {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let mut held: BTreeMap<String, Vec<State>> = BTreeMap::new();
    let mut statement = db
        .prepare(
            "SELECT guid, text, date_edited, date_read FROM message UNION ALL \
             SELECT guid, text, date_edited, date_read FROM msgarchive_message_version",
        )
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let number = |at| row.get::<_, Option<i64>>(at).unwrap().unwrap_or(0);
        held.entry(row.get(0).unwrap()).or_default().push((row.get(1).unwrap(), number(2), number(3)));
    }
    let guids: BTreeSet<&String> = held.keys().collect();
    assert_eq!(guids, seen.states.keys().collect::<BTreeSet<_>>());
    let messages: i64 = db.query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
    assert_eq!(messages as usize, seen.states.len(), "each message once");
    for (guid, states) in &seen.states {
        let mut of = held[guid].clone();
        let all = of.len();
        of.sort();
        of.dedup();
        assert_eq!(of.len(), all, "{guid}: each state once");
        assert_eq!(&of.into_iter().collect::<BTreeSet<_>>(), states, "{guid}: every state");
    }
    for (source, device) in (1..).zip(devices) {
        let noted = strings(
            &db,
            &format!(
                "SELECT m.guid, a.reason FROM msgarchive_absence a JOIN message m ON m.ROWID = a.message \
                 WHERE a.source = {source} AND a.returned IS NULL"
            ),
        );
        let lost = device.lost.iter().map(|(guid, why)| (guid.clone(), (*why).to_owned())).collect();
        assert_eq!(noted, lost, "the reasons of source {source}");
    }
    for (guid, bytes) in &seen.contents {
        let path: String = db
            .query_row("SELECT filename FROM attachment WHERE guid = 'at_0_' || ?1", [guid], |row| row.get(0))
            .unwrap();
        let path = path.strip_prefix("~/Library/Messages/").unwrap();
        assert_eq!(&std::fs::read(archive.join(path)).unwrap(), bytes, "{path}");
    }
    let places: i64 = db
        .query_row(
            "SELECT count(*) FROM message m WHERE NOT EXISTS \
             (SELECT 1 FROM chat_message_join j JOIN chat c ON c.ROWID = j.chat_id WHERE j.message_id = m.ROWID)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(places, 0, "every message stays in its conversation");
}

/// The nights of one seed.
fn live(mut seed: u64) {
    let seed = &mut seed;
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&folder.path().join("phone"), Schema::MACOS_15.on_device());
    let archive = folder.path().join("archive");
    let mut seen = Seen::default();
    // 2020 and a bit; the phone begins with messages that are too old for its Keep Messages setting of later.
    let start = 600_000_000;
    let mut next = 0;
    for old in 0..12 {
        phone.receive(&format!("OLD-{old}"), 0, start - 300 * DAY + old, "from long ago");
    }
    let mut deleted_chat = false;
    for night in 0..30 {
        let now = start + night * DAY;
        if night == 20 {
            mac.delete_conversation(2);
            deleted_chat = true;
        }
        for _ in 0..below(seed, 6) + 1 {
            let guid = format!("M-{next}");
            next += 1;
            // The third chat is deleted one day, and stays so.
            let chat = below(seed, if deleted_chat { 2 } else { 3 });
            let at = now + next;
            let text = format!("message {next}");
            let where_to = below(seed, 4);
            if where_to != 0 {
                mac.receive(&guid, chat, at, &text);
            }
            if where_to != 1 {
                phone.receive(&guid, chat, at, &text);
            }
            let device = if where_to == 0 { &phone } else { &mac };
            if below(seed, 3) == 0 {
                device.attach(&guid, "a.png");
                if below(seed, 2) == 0 {
                    let bytes = format!("bytes {}", below(seed, 4)).into_bytes();
                    device.download(&guid, "a.png", &bytes);
                    seen.contents.insert(guid.clone(), bytes);
                }
            }
        }
        for _ in 0..below(seed, 8) {
            let on_mac = below(seed, 2) == 0;
            let device = if on_mac { &mut mac } else { &mut phone };
            let guids: Vec<String> =
                device.has.keys().filter(|guid| guid.starts_with("M-")).cloned().collect();
            let Some(guid) = guids.get(below(seed, guids.len().max(1))) else { continue };
            let hidden = device.in_recently_deleted.contains(guid);
            match below(seed, 9) {
                0 | 1 if !hidden => device.edit(guid, now + 1 + next, &format!("edited on night {night}")),
                2 if !hidden => device.unsend(guid, now + 1 + next),
                3 if !hidden => device.read(guid, now + 2),
                4 if !hidden => device.recently_delete(guid, now),
                5 if hidden => device.restore(guid),
                5 | 6 => device.remove(guid, true, "deleted"),
                7 => device.remove(guid, false, "unexplained"),
                _ => {}
            }
        }
        if night == 25 {
            // Keep Messages for 30 days: the tail goes, and is listed as deleted.
            for old in 0..12 {
                phone.remove(&format!("OLD-{old}"), true, "aged_out");
            }
        }
        if night == 10
            && let Some((guid, _)) = seen.contents.iter().next()
        {
            for device in [&mac, &phone] {
                let path = device.folder.join(format!("Attachments/0a/{guid}/a.png"));
                if path.exists() {
                    device.purge(guid, "a.png");
                }
            }
        }
        seen.look(&mac);
        seen.look(&phone);
        match night % 3 {
            0 => drop(add(&archive, &[&mac.folder, &phone.folder], now + 3 * 3600).unwrap()),
            _ => {
                add(&archive, &[&mac.folder], now + 3 * 3600).unwrap();
                add(&archive, &[&phone.folder], now + 4 * 3600).unwrap();
            }
        }
        mac.is_archived();
        phone.is_archived();
        check(&archive, &seen, [&mac, &phone]);
    }
    let before = add(&archive, &[&mac.folder, &phone.folder], start + 31 * DAY).unwrap();
    assert_eq!((before.counts.added, before.counts.changed), (0, 0));
    assert_eq!(before.counts.absent.len(), 0);
}

#[test]
fn thirty_nights_of_two_devices() {
    for seed in [1, 1_000_003] {
        live(seed);
    }
}
