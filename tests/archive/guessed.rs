//! Whether something went by its age: where nothing says how long Messages keeps any, a guess that what the archive saw bears
//! out; where its setting says so, as far as what the archive saw does not speak against it.

use std::collections::BTreeMap;
use std::fs;

use msgarchive::disk::hexadecimal;
use msgarchive::source::{OpenOptions, open};
use rusqlite::{Connection, Row};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::add;
use super::device::{DAY, Device};
use crate::support::Schema;

/// An hour of the night.
const START: i64 = 700_000_000;

/// A Mac with conversations 0 to 3, which are all alive, and its archive. Nothing tells its setting of Keep Messages.
struct Mac {
    folder: TempDir,
    device: Device,
    /// The next message.
    next: usize,
}

impl Mac {
    fn new() -> Mac {
        let folder = tempfile::tempdir().unwrap();
        let device = Device::new(&folder.path().join("mac/Messages"), Schema::MACOS_26);
        let mut mac = Mac { folder, device, next: 0 };
        for chat in 0..4 {
            mac.receive(chat, -20);
        }
        mac
    }

    /// Keep Messages is set to so many days; 0: to keep them forever.
    fn keeps(self, days: i64) -> Mac {
        let preferences = self.folder.path().join("mac/Preferences");
        fs::create_dir_all(&preferences).unwrap();
        fs::write(preferences.join("com.apple.iChat.plist"), list(days)).unwrap();
        self
    }

    /// What the record of the last run says of the setting, and since when.
    fn noted(&self) -> (String, String) {
        let runs = msgarchive::archive::history::runs(&self.folder.path().join("archive")).unwrap();
        let record: Value = serde_json::from_str(runs.last().unwrap()).unwrap();
        let source = &record["sources"][0];
        (source["keep_messages"].to_string(), source["keep_messages_since"].to_string())
    }

    /// The record of the one run becomes that of an earlier program, which noted no setting.
    fn forget_the_setting(&self) {
        let archive = self.folder.path().join("archive");
        let db = Connection::open(archive.join("chat.db")).unwrap();
        let named = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (name, record): (String, String) =
            db.query_row("SELECT name, record FROM msgarchive_run", [], named).unwrap();
        let mut record: Value = serde_json::from_str(&record).unwrap();
        for field in ["keep_messages", "keep_messages_since"] {
            record["sources"][0].as_object_mut().unwrap().remove(field).unwrap();
        }
        let record = format!("{record:#}\n");
        let sha256 = hexadecimal(&Sha256::digest(&record));
        db.execute("UPDATE msgarchive_run SET record = ?1, sha256 = ?2", [&record, &sha256]).unwrap();
        fs::write(archive.join(format!("runs/{name}.json")), record).unwrap();
    }

    /// A message of that day comes in; its GUID.
    fn receive(&mut self, chat: usize, day: i64) -> String {
        let guid = format!("M{}", self.next);
        self.next += 1;
        self.device.receive(&guid, chat, START + day * DAY - 3600, "words");
        guid
    }

    /// The archive is fed on that day; why messages are gone, and how many.
    fn night(&mut self, day: i64) -> BTreeMap<&'static str, u64> {
        let archive = self.folder.path().join("archive");
        let record = add(&archive, &[&self.device.folder], START + day * DAY).unwrap();
        let absent = record.counts.absent.into_iter().filter(|(_, count)| *count > 0);
        absent.map(|(reason, count)| (reason.name(), count)).collect()
    }

    /// Everything of before that day goes, as Messages does it.
    fn purge(&mut self, day: i64) {
        let sql = "SELECT guid FROM message WHERE date < ?1";
        let guids: Vec<String> = {
            let mut old = self.device.db.prepare(sql).unwrap();
            let of_before = [(START + day * DAY) * 1_000_000_000];
            old.query_map(of_before, |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        self.remove(&guids, true);
    }

    fn remove(&mut self, guids: &[String], listed: bool) {
        guids.iter().for_each(|guid| self.device.remove(guid, listed, "aged_out"));
    }
}

/// A property list with the setting of so many days.
fn list(days: i64) -> String {
    let setting = format!("<key>SSKeepMessages</key><integer>{days}</integer>");
    format!("<?xml version=\"1.0\"?><plist><dict>{setting}</dict></plist>")
}

fn only(reason: &'static str, count: u64) -> BTreeMap<&'static str, u64> {
    BTreeMap::from([(reason, count)])
}

/// Somebody deletes the one old message, which was there on nights on which Messages would have removed it.
#[test]
fn what_was_there_when_it_was_too_old_did_not_go_by_its_age() {
    for (age, listed, expected) in
        [(60, true, "deleted"), (60, false, "unexplained"), (400, true, "deleted"), (34, true, "deleted")]
    {
        let mut mac = Mac::new();
        let old = mac.receive(0, -age);
        for day in 0..4 {
            mac.receive(1, day);
            assert_eq!(mac.night(day), BTreeMap::new());
        }
        mac.remove(&[old], listed);
        assert_eq!(mac.night(4), only(expected, 1), "{age} days, {listed}");
    }
    // Nothing else changes in these nights.
    let mut mac = Mac::new();
    let old = mac.receive(0, -60);
    mac.night(0);
    mac.night(1);
    mac.remove(&[old], true);
    assert_eq!(mac.night(2), only("deleted", 1));
}

/// What goes with it could be of its age, but the setting that would say so is none.
#[test]
fn what_goes_with_it_did_not_either() {
    let mut mac = Mac::new();
    let gone = [mac.receive(0, -60), mac.receive(1, -30)];
    mac.receive(1, 0);
    mac.night(0);
    mac.receive(1, 1);
    mac.remove(&gone, true);
    assert_eq!(mac.night(1), only("deleted", 2));
    // A year it may be.
    let mut mac = Mac::new();
    let gone = [mac.receive(0, -365), mac.receive(1, -60)];
    mac.receive(1, 0);
    mac.night(0);
    mac.receive(1, 1);
    mac.remove(&gone, true);
    assert_eq!(mac.night(1), BTreeMap::from([("aged_out", 1), ("deleted", 1)]));
}

/// Night by night that goes which became too old.
#[test]
fn what_just_became_too_old_went_by_its_age() {
    let mut mac = Mac::new();
    for day in -29..0 {
        mac.receive(1, day);
    }
    mac.night(0);
    for day in 1..8 {
        mac.receive(0, day);
        // Once in a while only.
        if day % 3 == 0 {
            mac.purge(day - 30);
            assert_eq!(mac.night(day), only("aged_out", 3), "{day}");
        } else {
            assert_eq!(mac.night(day), BTreeMap::new(), "{day}");
        }
    }
}

/// Messages begins to remove what is old: the whole tail goes at once, out of conversations that go on.
#[test]
fn the_whole_tail_goes_when_messages_begins_to_remove_it() {
    let fed = |conversations: usize, messages: usize| {
        let mut mac = Mac::new();
        for at in 0..messages {
            mac.receive(at % conversations, -400 + 5 * at as i64);
        }
        mac.receive(3, 0);
        mac.night(0);
        mac.receive(3, 1);
        mac
    };
    for (conversations, messages, expected) in [
        (2, 12, "aged_out"),
        (4, 40, "aged_out"),
        // Out of one conversation, or few: by whom nobody knows, and what the library lists is certain.
        (1, 12, "deleted"),
        (2, 4, "deleted"),
    ] {
        let mut mac = fed(conversations, messages);
        mac.purge(-30);
        let gone = mac.night(1);
        assert_eq!(gone, only(expected, messages as u64), "{messages} of {conversations}");
    }
    // Old conversations are deleted as a whole.
    let mut mac = fed(2, 12);
    mac.device.delete_conversation(0);
    mac.device.delete_conversation(1);
    assert_eq!(mac.night(1), only("conversation_deleted", 14));
}

/// Between two readings anything may have become too old.
#[test]
fn what_is_read_rarely_says_little_of_the_time_between() {
    // Of one conversation, a few.
    let mut mac = Mac::new();
    mac.night(0);
    mac.receive(0, 199);
    mac.purge(170);
    assert_eq!(mac.night(200), only("aged_out", 4));
    // A Mac that sleeps: what is read of it every week is as it was.
    let mut mac = Mac::new();
    for week in 0..20 {
        assert_eq!(mac.night(week * 7), BTreeMap::new());
    }
    mac.receive(0, 139);
    mac.purge(110);
    assert_eq!(mac.night(140), only("aged_out", 4));
}

/// A Mac that was off is read before Messages comes to remove what became too old meanwhile.
#[test]
fn what_became_too_old_while_a_mac_was_off_went_by_its_age() {
    let mut mac = Mac::new();
    for day in -20..0_i64 {
        mac.receive(day.rem_euclid(2) as usize, day);
    }
    mac.night(0);
    for day in [60, 61] {
        mac.receive(3, day);
        assert_eq!(mac.night(day), BTreeMap::new());
    }
    mac.purge(32);
    assert_eq!(mac.night(62), only("aged_out", 24));
}

/// The setting is known, and somebody deletes what was there on nights on which it had removed that already.
#[test]
fn what_a_known_setting_had_not_removed_went_by_other_hands() {
    for (days, age, listed, expected) in [
        (365, 400, true, "deleted"),
        (365, 400, false, "unexplained"),
        (30, 60, true, "deleted"),
        // It just became too old.
        (365, 366, true, "aged_out"),
        (365, 200, true, "deleted"),
    ] {
        let mut mac = Mac::new().keeps(days);
        let old = mac.receive(0, -age);
        for day in 0..2 {
            mac.receive(1, day);
            assert_eq!(mac.night(day), BTreeMap::new());
        }
        assert_eq!(mac.noted(), (format!("{{\"days\":{days}}}"), "null".into()));
        mac.remove(&[old], listed);
        assert_eq!(mac.night(2), only(expected, 1), "{days} days, {age} days, {listed}");
    }
    // What went by its age that night went by its age.
    let mut mac = Mac::new().keeps(365);
    let gone = [mac.receive(0, -400), mac.receive(1, -365)];
    for day in 0..2 {
        mac.receive(1, day);
        mac.night(day);
    }
    mac.remove(&gone, true);
    assert_eq!(mac.night(2), BTreeMap::from([("aged_out", 1), ("deleted", 1)]));
}

/// The setting was changed: what it has removed by then, and a few days later, went by its age, be it ever so little.
#[test]
fn what_a_setting_removes_that_was_changed_went_by_its_age() {
    for nights_until_it_goes in [0, 1, 3] {
        for before in [0, 365] {
            let mut mac = Mac::new().keeps(before);
            let old = [mac.receive(0, -100), mac.receive(0, -90)];
            for day in 0..3 {
                mac.receive(1, day);
                assert_eq!(mac.night(day), BTreeMap::new());
            }
            let days = if before == 0 { "null".to_owned() } else { before.to_string() };
            assert_eq!(mac.noted(), (format!("{{\"days\":{days}}}"), "null".into()));
            mac = mac.keeps(30);
            for day in 3..3 + nights_until_it_goes {
                mac.receive(1, day);
                assert_eq!(mac.night(day), BTreeMap::new());
                assert_ne!(mac.noted().1, "null");
            }
            mac.remove(&old, true);
            let gone = mac.night(3 + nights_until_it_goes);
            assert_eq!(gone, only("aged_out", 2), "{nights_until_it_goes} nights, {before} days before");
        }
    }
    // It was long ago.
    let mut mac = Mac::new().keeps(0);
    let old = mac.receive(0, -100);
    mac.night(0);
    mac = mac.keeps(30);
    for day in 1..8 {
        mac.receive(1, day);
        mac.night(day);
    }
    mac.remove(&[old], true);
    assert_eq!(mac.night(8), only("deleted", 1));
    // Messages begins only now, and removes all.
    let mut mac = Mac::new().keeps(30);
    for at in 0..12 {
        mac.receive(at % 2, -400 + 5 * at as i64);
    }
    mac.receive(3, 0);
    mac.night(0);
    mac.purge(-30);
    mac.receive(3, 1);
    assert_eq!(mac.night(1), only("aged_out", 12));
}

/// A Mac that was off is read before Messages comes to remove what became too old meanwhile; a few days later it did not.
#[test]
fn what_a_known_setting_removes_late_went_by_its_age() {
    for (night, expected) in [(61, "aged_out"), (62, "aged_out"), (66, "deleted")] {
        let mut mac = Mac::new().keeps(30);
        let old = mac.receive(0, -2);
        mac.night(0);
        for day in 60..night {
            mac.receive(3, day);
            assert_eq!(mac.night(day), BTreeMap::new());
        }
        mac.purge(-10);
        mac.remove(&[old], true);
        assert_eq!(mac.night(night), only(expected, 5), "{night}");
    }
}

/// A record of an earlier program says nothing of the setting: it is known from now on, and what it removes went by it.
#[test]
fn a_record_that_says_nothing_of_the_setting() {
    for (nights, expected) in [(0, "aged_out"), (3, "aged_out"), (8, "deleted")] {
        let mut mac = Mac::new().keeps(365);
        let old = mac.receive(0, -400);
        mac.receive(1, 0);
        mac.night(0);
        mac.forget_the_setting();
        for day in 1..=nights {
            mac.receive(1, day);
            assert_eq!(mac.night(day), BTreeMap::new());
            assert_ne!(mac.noted().1, "null");
        }
        mac.remove(&[old], true);
        assert_eq!(mac.night(nights + 1), only(expected, 1), "{nights}");
    }
}

/// What lies beside an archive that has such a name is of nobody whose messages are in it.
#[test]
fn an_archive_that_is_called_messages_has_no_setting() {
    let mut mac = Mac::new();
    mac.night(0);
    let home = tempfile::tempdir().unwrap();
    let archive = home.path().join("Messages");
    fs::rename(mac.folder.path().join("archive"), &archive).unwrap();
    fs::create_dir(home.path().join("Preferences")).unwrap();
    fs::write(home.path().join("Preferences/com.apple.iChat.plist"), list(30)).unwrap();
    let source = open(&archive, &OpenOptions::default()).unwrap();
    assert_eq!(source.info().keep_messages, None);
    mac.device.folder = archive;
    mac.night(1);
    assert_eq!(mac.noted(), ("null".into(), "null".into()));
}
