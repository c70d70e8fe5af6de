//! Two archives that were fed by one device, copies of one another or not, and a third that is fed from both, in whatever order: it
//! tells of what was deleted what an archive tells that was fed by the device all along.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use msgarchive::archive::check;
use serde_json::Value;

use super::device::{DAY, Device};
use super::{add, messages};
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// What happens on the device before a night, and which of the archives `a` and `b` are fed then.
type Night = (fn(&mut Device, i64), &'static [&'static str]);

fn nothing(_: &mut Device, _: i64) {}
fn deletes(device: &mut Device, _: i64) {
    device.remove("X", true, "deleted");
}
fn deletes_conversation(device: &mut Device, _: i64) {
    device.delete_conversation(0);
}
fn moves_to_recently_deleted(device: &mut Device, at: i64) {
    device.recently_delete("X", at);
}
fn restores(device: &mut Device, _: i64) {
    device.restore("X");
}
fn has_it_again(device: &mut Device, _: i64) {
    device.receive("X", 0, START + 1, "this one");
    device.run("DELETE FROM deleted_messages WHERE guid = 'X'", []);
}

const A: &[&str] = &["a"];
const B: &[&str] = &["b"];
const BOTH: &[&str] = &["a", "b"];

const CASES: [(&str, &[Night]); 14] = [
    ("deleted, both know", &[(deletes, BOTH)]),
    ("deleted, one knows", &[(deletes, A)]),
    ("deleted, the other one knows", &[(deletes, B)]),
    ("deleted, one knows later", &[(deletes, A), (nothing, B)]),
    ("deleted, and read again by the one that knows", &[(deletes, A), (nothing, A), (nothing, A)]),
    ("a conversation", &[(deletes_conversation, A), (nothing, B)]),
    ("back, only the other one knows that", &[(deletes, A), (has_it_again, B)]),
    ("back, both know that", &[(deletes, BOTH), (has_it_again, B), (nothing, A)]),
    ("to Recently Deleted, one knows", &[(moves_to_recently_deleted, A)]),
    ("from Recently Deleted, one knows", &[(moves_to_recently_deleted, BOTH), (deletes, A)]),
    ("from Recently Deleted, the other one knows", &[(moves_to_recently_deleted, A), (deletes, B)]),
    ("recovered, one knows", &[(moves_to_recently_deleted, BOTH), (restores, A)]),
    ("recovered, the other one knows", &[(moves_to_recently_deleted, A), (restores, B)]),
    (
        "recovered, and deleted again",
        &[(moves_to_recently_deleted, BOTH), (restores, B), (moves_to_recently_deleted, A)],
    ),
];

struct Place(Program);

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn feed(&self, archive: &str, sources: &[&str], night: i64) {
        let sources: Vec<PathBuf> = sources.iter().map(|name| self.at(name)).collect();
        let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        add(&self.at(archive), &sources, START + night * DAY).unwrap();
    }

    /// What somebody sees of what is deleted, by message: why exports say that it is, and whether `history --deleted` says that
    /// it is nowhere any more. When it was noticed, each archive says of itself.
    fn seen(&self, archive: &str) -> BTreeMap<String, [Value; 2]> {
        let out = format!("{archive}-out");
        self.0.run(&["export", "-s", archive, "-f", "jsonl", "-o", &out, "--contacts", "none"]).with_code(0);
        let mut seen = BTreeMap::new();
        for (guid, message) in messages(&self.at(&out)) {
            assert!(seen.insert(guid, [message["deleted"]["reason"].clone(), Value::Null]).is_none());
        }
        let told = self.0.run(&["history", archive, "--deleted", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        for gone in told["messages"].as_array().unwrap() {
            if gone["still_in"].as_array().unwrap().is_empty() {
                seen.get_mut(&gone["guid"].to_string()).unwrap()[1] = gone["reason"].clone();
            }
        }
        seen
    }

    /// How many messages each conversation has.
    fn listed(&self, archive: &str) -> Vec<(String, u64)> {
        let listed = self.0.run(&["list", "-s", archive, "--json", "--contacts", "none"]).with_code(0).out;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let of = |one: &Value| (one["title"].to_string(), one["messages"].as_u64().unwrap());
        listed["conversations"].as_array().unwrap().iter().map(of).collect()
    }
}

#[test]
fn of_two_that_were_fed_by_one_device() {
    tells_what_the_device_says(false);
}

#[test]
fn of_two_of_which_one_is_a_copy() {
    tells_what_the_device_says(true);
}

/// `is_copy`: the other archive is a copy of the one, and was not fed by the device itself before.
#[track_caller]
fn tells_what_the_device_says(is_copy: bool) {
    let mut wrong = Vec::new();
    for (case, nights) in CASES {
        let place = Place(Program::in_memory());
        let mut phone = Device::new(&place.at("phone"), Schema::MACOS_26);
        for (at, guid) in ["W", "X", "Y"].into_iter().enumerate() {
            phone.receive(guid, 0, START + at as i64, "this one");
        }
        phone.receive("NEWS-1", 1, START + DAY - 600, "that it is of today");
        place.feed("fed", &["phone"], 1);
        place.feed("a", &["phone"], 1);
        match is_copy {
            true => tree::copy(&place.at("a"), &place.at("b")),
            false => place.feed("b", &["phone"], 1),
        }
        place.feed("all-along", &["a", "b"], 1);
        let mut now = 1;
        for (happens, feeds) in nights {
            now += 1;
            happens(&mut phone, START + now * DAY - 1200);
            phone.receive(&format!("NEWS-{now}"), 1, START + now * DAY - 600, "that it is of today");
            for archive in feeds.iter().chain(&["fed"]) {
                place.feed(archive, &["phone"], now);
            }
            place.feed("all-along", &["a", "b"], now);
        }
        for (archive, runs) in [
            ("ab", &[&["a", "b"][..]][..]),
            ("ba", &[&["b", "a"]]),
            ("a-then-b", &[&["a"], &["b"], &["a"]]),
            ("b-then-a", &[&["b"], &["a"], &["b"]]),
        ] {
            for (night, sources) in (now + 1..).zip(runs) {
                place.feed(archive, sources, night);
            }
        }
        let told = place.seen("fed");
        for archive in ["ab", "ba", "a-then-b", "b-then-a", "all-along"] {
            let seen = place.seen(archive);
            for (guid, told) in &told {
                if seen.get(guid) != Some(told) {
                    let is = seen.get(guid);
                    wrong.push(format!("{case}, copy: {is_copy}, {archive}: {guid} is {is:?}, not {told:?}"));
                }
            }
        }
        assert_eq!(place.listed("all-along"), place.listed("fed"), "{case}, copy: {is_copy}");
        assert_eq!(check(&place.at("all-along"), true, 1, &()).unwrap().problems, []);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether it is one device nobody can tell for certain: each says what it knows, and whoever has it there as it was read last can
/// recover it there.
#[test]
fn of_two_of_which_one_knows_that_it_is_gone_from_recently_deleted_each_says_what_it_knows() {
    let place = Place(Program::in_memory());
    let mut phone = Device::new(&place.at("phone"), Schema::MACOS_26);
    phone.receive("X", 0, START, "this one");
    phone.receive("Y", 0, START, "another one");
    phone.recently_delete("X", START + DAY - 600);
    place.feed("a", &["phone"], 1);
    place.feed("b", &["phone"], 1);
    phone.remove("X", true, "recently_deleted");
    phone.receive("NEWS", 1, START + 2 * DAY - 600, "that it is of today");
    place.feed("b", &["phone"], 2);
    let gone = |archive: &str| {
        let told = place.0.run(&["history", archive, "--deleted", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let message = &told["messages"].as_array().unwrap()[0];
        let mut from: Vec<(String, bool)> = message["gone_from"]
            .as_array()
            .unwrap()
            .iter()
            .map(|from| {
                let at = Path::new(from["source"].as_str().unwrap()).strip_prefix(place.0.path()).unwrap();
                (at.iter().next().unwrap().to_string_lossy().into_owned(), from["gone"].is_string())
            })
            .collect();
        from.sort();
        (message["gone"].is_string(), from)
    };
    let said = |a, b| vec![("a".to_owned(), a), ("b".to_owned(), b)];
    for (archive, sources) in [("ab", ["a", "b"]), ("ba", ["b", "a"])] {
        for night in 3..5 {
            place.feed(archive, &sources, night);
            assert_eq!(gone(archive), (false, said(false, true)), "{archive}, {night}");
        }
    }
    place.feed("a", &["phone"], 5);
    for (archive, sources) in [("ab", ["a", "b"]), ("ba", ["b", "a"])] {
        place.feed(archive, &sources, 6);
        assert_eq!(gone(archive), (true, said(true, true)), "{archive}");
    }
}
