//! Thirty nights of two devices, with everything that can happen to messages, conversations and attachments; and what an
//! archive has to know then, and of every night before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::source::OpenOptions;
use msgarchive::source::tables::Tables;
use rusqlite::types::ValueRef;

use super::device::{DAY, Device, below, instant};
use super::seen::{Lost, Seen, all_rows};
use super::{PASSWORD, add};
use crate::support::Schema;
use crate::support::backup::{Layout, wrap};

/// So that a backup is made on the night on which the phone's old messages go.
const START: i64 = 734_090_400;

/// As what the phone comes into the archive.
#[derive(Clone, Copy, PartialEq)]
enum Phone {
    /// As it is; one day it is restored, and has other row ids.
    Restored,
    /// In the second half through another archive, which was fed from it all along.
    Elsewhere,
    /// As a backup, encrypted or not.
    Backup { encrypted: bool },
}

/// All that an archive shows, and what it says is gone: of now, or of a day.
fn shown(archive: &Path, as_of: Option<String>) -> BTreeSet<String> {
    let tables = Tables::open(archive, &OpenOptions { as_of, ..OpenOptions::default() }).unwrap();
    let mut all = BTreeSet::new();
    for (name, columns) in [
        (
            "message",
            &["ROWID", "guid", "text", "date_edited", "date_read", "associated_message_guid", "group_title"]
                [..],
        ),
        ("chat", &["ROWID", "guid", "display_name", "properties"]),
        ("attachment", &["ROWID", "guid", "transfer_name", "total_bytes", "filename"]),
        ("handle", &["ROWID", "id"]),
        ("chat_handle_join", &["chat_id", "handle_id"]),
    ] {
        let table = tables.table(name).unwrap();
        let rows = tables.reader().rows::<msgarchive::source::SourceError>(
            table,
            columns,
            i64::MIN..=i64::MAX,
            |row| {
                let mut values: Vec<String> = (0..columns.len()).map(|at| text(row.value(at))).collect();
                // Where a file is that is not here says whoever had it last.
                let of_content = |path: &str| archive.join(path).exists();
                if name == "attachment"
                    && let Some(path) = values.pop()
                {
                    values.extend(
                        path.strip_prefix("~/Library/Messages/")
                            .filter(|path| of_content(path))
                            .map(str::to_owned),
                    );
                }
                all.insert(format!("{name} {}", values.join(" ")));
                Ok(())
            },
        );
        rows.unwrap();
    }
    all
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null | ValueRef::Integer(0) => "-".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The nights of two devices.
struct Nights {
    seed: u64,
    devices: [Device; 2],
    phone: Phone,
    next: i64,
    chats: usize,
}

impl Nights {
    fn below(&mut self, n: usize) -> usize {
        below(&mut self.seed, n)
    }

    fn guid(&mut self) -> String {
        self.next += 1;
        format!("M-{}", self.next)
    }

    /// One of the devices, or both.
    fn some(&mut self) -> Vec<usize> {
        [vec![0], vec![1], vec![0, 1], vec![0, 1]][self.below(4)].clone()
    }

    /// A message comes in, perhaps with an attachment.
    fn receive(&mut self, now: i64) {
        let guid = self.guid();
        let (chat, of) = (self.below(4), self.some());
        let chat = if chat == 2 && self.chats == 2 { 1 } else { chat };
        let text = format!("message {guid}");
        let (attached, shared) = (self.below(3) == 0, self.below(8) == 0);
        for at in of {
            let when = now + self.next;
            self.devices[at].receive(&guid, chat, when, &text);
            if attached {
                self.devices[at].attach(&guid, "a.png");
                if self.below(2) == 0 {
                    let bytes = format!("bytes {}", self.below(4)).into_bytes();
                    self.devices[at].download(&guid, "a.png", &bytes);
                }
            }
            if shared {
                self.devices[at].share(&guid, &format!("M-{}", self.next - 3));
            }
        }
    }

    /// Something happens to a message, on one device or on both.
    fn happen(&mut self, now: i64, night: i64) {
        let of = self.some();
        let from = &self.devices[of[0]];
        let guids: Vec<String> = from.has.keys().filter(|guid| guid.starts_with("M-")).cloned().collect();
        let (which, what, kind) = (self.below(guids.len().max(1)), self.below(16), self.below(7));
        let Some(guid) = guids.get(which) else { return };
        if what > 13 {
            let [mac, phone] = &mut self.devices;
            if of[0] == 0 { phone.take_back(mac, guid) } else { mac.take_back(phone, guid) }
        }
        let (new, at) = (self.guid(), now + 1 + self.next);
        let bytes = "other bytes, ".repeat(self.below(9) + 1).into_bytes();
        for device in of {
            let device = &mut self.devices[device];
            if !device.has.contains_key(guid) {
                continue;
            }
            let hidden = device.in_recently_deleted.contains(guid);
            let picture = device.picture(guid, "a.png");
            match what {
                0 | 1 if !hidden => device.edit(guid, at, &format!("edited on night {night}")),
                2 if !hidden => device.unsend(guid, at),
                3 if !hidden => device.read(guid, now + 2),
                4 if !hidden => device.recently_delete(guid, now),
                5 if hidden => device.restore(guid),
                5 | 6 => device.remove(guid, true, "deleted"),
                7 => device.remove(guid, false, "unexplained"),
                8 if !hidden => device.tapback(&new, guid, 2000 + kind as i64, at),
                9 if !hidden => device.tapback(&new, guid, 3000 + kind as i64, at),
                10 if !hidden => device.reply(&new, guid, at, "to that"),
                11 if picture.exists() => device.purge(guid, "a.png"),
                12 if picture.exists() => fs::write(picture, &bytes).unwrap(),
                12 | 13 if device.is_attached(guid) => device.download(guid, "a.png", &bytes),
                _ => {}
            }
        }
    }

    /// Something happens to a group.
    fn gather(&mut self, now: i64) {
        let of = self.some();
        let chat = if self.chats == 2 || self.below(2) == 0 { 3 } else { 2 };
        let (what, which) = (self.below(5), self.below(4));
        let (new, at) = (self.guid(), now + 1 + self.next);
        for device in of {
            let device = &mut self.devices[device];
            match what {
                0 | 1 => device.rename(&new, chat, at, ["Boat", "Harbor", "Lake", "Sea"][which]),
                2 => device.join(&new, chat, at, which as i64 + 1),
                3 => device.leave(&new, chat, at, which as i64 + 1),
                _ => device.photograph(&new, chat, at, format!("photo {which}").as_bytes()),
            }
        }
    }
}

impl Nights {
    /// What is read of the phone tonight.
    fn phone_as_read(&self, night: i64) -> PathBuf {
        let phone = &self.devices[1].folder;
        let beside = |name: &str| phone.with_file_name(name);
        match self.phone {
            Phone::Restored => phone.clone(),
            Phone::Elsewhere => {
                add(&beside("elsewhere"), &[phone], START + night * DAY + 2 * 3600).unwrap();
                if night < 14 { phone.clone() } else { beside("elsewhere") }
            }
            Phone::Backup { encrypted } => {
                let backup = beside("backup");
                if backup.exists() {
                    fs::remove_dir_all(&backup).unwrap();
                }
                let layout = Layout { password: encrypted.then_some(PASSWORD), ..Layout::default() };
                wrap(phone, None, &backup, layout);
                backup
            }
        }
    }
}

/// The nights of one seed.
fn live(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    // The GUIDs of its chats are the same, or others.
    let of_phone = if seed.is_multiple_of(2) { Schema::MACOS_26 } else { Schema::MACOS_15 };
    let mut phone = Device::new(&folder.path().join("phone"), of_phone.on_device());
    let archive = folder.path().join("archive");
    let mut seen = Seen::default();
    // The phone begins with messages that are too old for its Keep Messages setting of later.
    for old in 0..12 {
        phone.receive(&format!("OLD-{old}"), 0, START - 300 * DAY + old, "from long ago");
    }
    let as_phone = [
        Phone::Restored,
        Phone::Elsewhere,
        Phone::Backup { encrypted: false },
        Phone::Backup { encrypted: true },
    ][seed as usize / 2 % 4];
    let mut nights = Nights { seed, devices: [mac, phone], phone: as_phone, next: 0, chats: 3 };
    let mut were = Vec::new();
    // What the sources lost that are no more.
    let mut former: Vec<Lost> = Vec::new();
    let mut lost_yesterday = Lost::new();
    for night in 0..30 {
        let now = START + night * DAY;
        if night == 20 {
            nights.devices[0].delete_conversation(2);
            nights.chats = 2;
        }
        for _ in 0..nights.below(6) + 1 {
            nights.receive(now);
        }
        for _ in 0..nights.below(10) {
            nights.happen(now, night);
        }
        for _ in 0..nights.below(3) {
            nights.gather(now);
        }
        if night == 15 {
            let anew = nights.below(2);
            nights.devices[anew].make_anew(3, "iMessage;+;anew");
        }
        if night == 25 {
            // Keep Messages for 30 days: the tail goes, and is listed as deleted.
            for old in 0..12 {
                nights.devices[1].remove(&format!("OLD-{old}"), true, "aged_out");
            }
        }
        if night == 12 && as_phone == Phone::Restored {
            nights.devices[1].be_restored();
            former.push(lost_yesterday.clone());
        }
        if night == 14 && as_phone == Phone::Elsewhere {
            former.push(lost_yesterday.clone());
        }
        let of_phone = nights.phone_as_read(night);
        let [mac, phone] = &mut nights.devices;
        seen.look(mac);
        seen.look(phone);
        match night % 3 {
            0 => drop(add(&archive, &[&mac.folder, &of_phone], now + 3 * 3600).unwrap()),
            _ => {
                add(&archive, &[&mac.folder], now + 3 * 3600).unwrap();
                add(&archive, &[&of_phone], now + 4 * 3600).unwrap();
            }
        }
        mac.is_archived();
        phone.is_archived();
        let when = format!("seed {seed}, night {night}");
        let lost = [&[mac.lost.clone()][..], &former, std::slice::from_ref(&phone.lost)].concat();
        seen.check(&archive, [mac, phone], &lost, &when);
        lost_yesterday.clone_from(&phone.lost);
        were.push((instant(now + 5 * 3600).format("%Y-%m-%dT%H:%M:%SZ").to_string(), shown(&archive, None)));
    }
    for (night, (date, was)) in were.iter().enumerate() {
        let now = shown(&archive, Some(date.clone()));
        let differences: Vec<&String> = now.symmetric_difference(was).collect();
        assert!(differences.is_empty(), "seed {seed}: night {night} was another: {differences:#?}");
    }
    let (mac, of_phone) = (&nights.devices[0], nights.phone_as_read(30));
    let before = all_rows(&archive);
    let again = add(&archive, &[&mac.folder, &of_phone], START + 31 * DAY).unwrap();
    assert_eq!(all_rows(&archive), before, "seed {seed}: the same thing twice");
    assert_eq!((again.counts.added, again.counts.changed, again.counts.stored), (0, 0, 0));
    assert_eq!(again.counts.absent.len(), 0);
    assert_eq!(msgarchive::archive::check(&archive, true, 2, &()).unwrap().problems, []);
}

/// `NIGHTS=1-300` tries so many others.
#[test]
fn thirty_nights_of_two_devices() {
    let wanted = std::env::var("NIGHTS").ok();
    let seeds: Vec<u64> = match wanted.as_deref().and_then(|range| range.split_once('-')) {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).collect(),
        None => vec![1, 2, 1_000_004, 7],
    };
    seeds.into_iter().for_each(live);
}
