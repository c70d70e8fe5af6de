//! Whether something went by its age, where nothing says how long Messages keeps any: a guess that what the archive saw bears out.

use std::collections::BTreeMap;

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
        let device = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
        let mut mac = Mac { folder, device, next: 0 };
        for chat in 0..4 {
            mac.receive(chat, -20);
        }
        mac
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
