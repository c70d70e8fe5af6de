//! What archives say that is gone from Recently Deleted, and an archive that is fed from them: who was fed later counts, but nobody
//! who only repeats others.

use std::path::{Path, PathBuf};

use msgarchive::archive::{RunRecord, check};
use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use super::vouched::as_of_an_earlier_program;
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

struct Place(Program);

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn feed(&self, archive: &str, sources: &[&str], night: i64) -> RunRecord {
        let sources: Vec<PathBuf> = sources.iter().map(|name| self.at(name)).collect();
        let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        let record = add(&self.at(archive), &sources, START + night * DAY).unwrap();
        assert_eq!(check(&self.at(archive), true, 1, &()).unwrap().problems, [], "{archive}");
        record
    }

    /// Whether X is gone from Recently Deleted: as a whole, and of each source.
    fn gone(&self, archive: &str) -> (bool, Vec<(String, bool)>) {
        let told = self.0.run(&["history", archive, "--deleted", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let message = told["messages"].as_array().unwrap().iter().find(|gone| gone["guid"] == "X");
        let message = message.expect("X is deleted");
        assert_eq!(message["reason"], "recently_deleted", "{archive}");
        let of = |lost: &Value| {
            let source = Path::new(lost["source"].as_str().unwrap()).strip_prefix(self.0.path()).unwrap();
            let name = source.iter().next().unwrap().to_string_lossy().into_owned();
            (name, lost["gone"].is_string())
        };
        let mut from: Vec<(String, bool)> = message["gone_from"].as_array().unwrap().iter().map(of).collect();
        from.sort();
        (message["gone"].is_string(), from)
    }

    fn device(&self, name: &str) -> Device {
        let mut device = Device::new(&self.at(name), Schema::MACOS_26);
        // Row ids of two devices differ.
        device.receive(&format!("ONLY-{name}"), 1, START - 60, "only here");
        for guid in ["W", "X", "Y"] {
            device.receive(guid, 0, START, "this one");
        }
        device
    }
}

fn news(device: &mut Device, night: i64) {
    device.receive(&format!("NEWS-{night}"), 1, START + night * DAY - 600, "that it is of today");
}

/// Sources and whether it is gone from there, by name.
fn said(of: &[(&str, bool)]) -> Vec<(String, bool)> {
    let mut said: Vec<(String, bool)> =
        of.iter().map(|(name, is_gone)| ((*name).to_owned(), *is_gone)).collect();
    said.sort();
    said
}

/// Night after night it stays so, and goes on from archive to archive.
#[test]
fn what_one_archive_knows_to_be_gone_is_gone_in_all_that_are_fed_from_it() {
    let place = Place(Program::in_memory());
    let mut phone = place.device("phone");
    news(&mut phone, 1);
    phone.recently_delete("X", START + DAY - 300);
    place.feed("a", &["phone"], 1);
    place.feed("b", &["phone"], 1);
    place.feed("c", &["a", "b"], 1);
    assert_eq!(place.gone("c"), (false, said(&[("a", false), ("b", false)])));
    phone.remove("X", true, "deleted");
    news(&mut phone, 2);
    place.feed("b", &["phone"], 2);
    // Whichever of the two is read first, and whether or not the other one is read at all.
    tree::copy(&place.at("c"), &place.at("c2"));
    place.feed("c2", &["b"], 2);
    assert_eq!(place.gone("c2"), (true, said(&[("a", true), ("b", true)])));
    place.feed("c", &["a", "b"], 2);
    for night in 3..6 {
        assert_eq!(place.gone("c"), (true, said(&[("a", true), ("b", true)])), "{night}");
        let counts = place.feed("c", &["a", "b"], night).counts;
        assert_eq!((counts.absent.len(), counts.returned, counts.gone), (0, 0, 0), "{night}");
    }
    place.feed("d", &["c"], 6);
    assert_eq!(place.gone("d"), (true, said(&[("c", true)])));
    // And another one that is fed from the archive that does not know comes to know it from the one that does.
    place.feed("e", &["a"], 6);
    assert_eq!(place.gone("e"), (false, said(&[("a", false)])));
    place.feed("e", &["d"], 7);
    assert!(place.gone("e").0);
}

/// It may be of another device: what that was read of later counts, though the other one's is purged.
#[test]
fn what_an_archive_has_still_that_was_fed_later_is_not_gone() {
    let place = Place(Program::in_memory());
    let [mut phone, mut mac] = ["phone", "mac"].map(|name| place.device(name));
    for device in [&mut phone, &mut mac] {
        news(device, 1);
        device.recently_delete("X", START + DAY - 300);
    }
    place.feed("a", &["phone"], 1);
    place.feed("b", &["mac"], 1);
    phone.remove("X", true, "deleted");
    news(&mut phone, 2);
    place.feed("a", &["phone"], 2);
    news(&mut mac, 3);
    place.feed("b", &["mac"], 3);
    for (archive, nights) in
        [("ab", [&["a", "b"][..], &["b", "a"]]), ("turns", [&["a"], &["b"]]), ("back", [&["b"], &["a"]])]
    {
        for (night, sources) in (4..).zip(nights) {
            place.feed(archive, sources, night);
        }
        assert_eq!(place.gone(archive), (false, said(&[("a", true), ("b", false)])), "{archive}");
    }
    // A device that is read here says itself what it has.
    phone.remove("Y", true, "deleted");
    news(&mut phone, 5);
    place.feed("a", &["phone"], 5);
    place.feed("direct", &["mac"], 5);
    place.feed("direct", &["a"], 6);
    assert!(!place.gone("direct").0);
}

/// An archive of which one device had the message long ago, and another one never: it is not in Recently Deleted there, which
/// says nothing of the device that has it there.
#[test]
fn who_only_repeats_what_others_lost_says_nothing() {
    let place = Place(Program::in_memory());
    let [mut phone, mut old, mut other] = ["phone", "old", "other"].map(|name| place.device(name));
    other.run("DELETE FROM message WHERE guid = 'X'", []);
    other.run("DELETE FROM chat_message_join WHERE message_id NOT IN (SELECT ROWID FROM message)", []);
    for device in [&mut phone, &mut old, &mut other] {
        news(device, 1);
    }
    place.feed("repeats", &["old", "other"], 1);
    place.feed("a", &["phone"], 1);
    phone.recently_delete("X", START + 2 * DAY - 300);
    news(&mut phone, 2);
    place.feed("a", &["phone"], 2);
    for night in 3..5 {
        news(&mut other, night);
        place.feed("repeats", &["other"], night);
    }
    for (archive, nights) in [
        ("together", [&["a", "repeats"][..], &["repeats", "a"]]),
        ("turns", [&["a"], &["repeats"]]),
        ("back", [&["repeats"], &["a"]]),
    ] {
        for (night, sources) in (5..).zip(nights.into_iter().chain(nights)) {
            place.feed(archive, sources, night);
            assert!(night == 5 || !place.gone(archive).0, "{archive}, {night}");
        }
        let on = format!("from-{archive}");
        for night in 10..12 {
            place.feed(&on, &[archive], night);
            assert!(!place.gone(&on).0, "{on}, {night}");
        }
    }
}

/// Archives of an earlier program do not tell of when they are: what is known here of that counts.
#[test]
fn archives_of_an_earlier_program_know_of_the_time_of_their_newest_message() {
    let place = Place(Program::in_memory());
    let mut phone = place.device("phone");
    news(&mut phone, 1);
    phone.recently_delete("X", START + DAY - 300);
    place.feed("a", &["phone"], 1);
    place.feed("b", &["phone"], 1);
    phone.remove("X", true, "deleted");
    news(&mut phone, 2);
    place.feed("b", &["phone"], 2);
    for earlier in ["a", "b"] {
        let of_earlier = format!("earlier-{earlier}");
        tree::copy(&place.at(earlier), &place.at(&of_earlier));
        let db = Connection::open(place.at(&of_earlier).join("chat.db")).unwrap();
        db.execute_batch("DROP TABLE msgarchive_state").unwrap();
        as_of_an_earlier_program(&place.at(&of_earlier));
        let archives = ["a", "b"].map(|name| if name == earlier { &of_earlier } else { name });
        let c = format!("c-{earlier}");
        let [a, b] = archives;
        for night in 3..7 {
            let counts = place.feed(&c, &archives, night).counts;
            assert!(night < 5 || counts.gone == 0 && counts.returned == 0, "{c}, {night}");
        }
        assert_eq!(place.gone(&c), (true, said(&[(a, true), (b, true)])), "{c}");
    }
}
