//! Until when another archive had a message: two archives, merged, tell of it what one tells that was fed by the same devices.

use std::path::{Path, PathBuf};

use msgarchive::archive::check;
use rusqlite::Connection;

use super::add;
use super::device::{DAY, Device};
use super::seen::{all_rows, pairs};
use crate::support::Schema;

const START: i64 = 700_000_000;

/// What is deleted: GUID, reason, date, whether it is gone from Recently Deleted.
fn deleted(archive: &Path) -> Vec<(String, String)> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    pairs(
        &db,
        "SELECT DISTINCT guid, reason || ' ' || (d.date / 1000000000 - 700000000) || ' ' || (gone IS NOT NULL) \
         FROM msgarchive_deleted d JOIN message m ON m.ROWID = d.message ORDER BY 1, 2",
    )
}

/// How many absences are open in an archive.
fn open(archive: &Path) -> i64 {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    db.query_row("SELECT count(*) FROM msgarchive_absence WHERE returned IS NULL", [], |row| row.get(0))
        .unwrap()
}

fn expected(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(guid, told)| ((*guid).to_owned(), (*told).to_owned())).collect()
}

/// Devices with the same messages under row ids of their own, and archives of them.
struct Devices {
    folder: tempfile::TempDir,
}

impl Devices {
    fn new() -> Devices {
        Devices { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A Mac and a phone in archives of one night, after which the Mac deletes B, and moves C to Recently Deleted.
    fn mac_that_deletes_beside_an_old_phone(&self) -> Device {
        let mut mac = self.device("mac", 0);
        self.device("old", 1);
        self.feed("fed", &["mac", "old"], 1);
        self.feed("m", &["mac"], 1);
        self.feed("p", &["old"], 1);
        mac.remove("B", true, "deleted");
        mac.recently_delete("C", START + DAY + 60);
        mac
    }

    fn device(&self, name: &str, own: usize) -> Device {
        let mut device = Device::new(&self.at(name), Schema::MACOS_26);
        for number in 0..own {
            device.receive(&format!("{name}-{number}"), 1, START - 100, "so that row ids differ");
        }
        for (at, guid) in ["A", "B", "C", "D"].into_iter().enumerate() {
            device.receive(guid, 0, START + at as i64, guid);
        }
        device
    }

    /// Feeds an archive by devices or archives, some night.
    #[track_caller]
    fn feed(&self, archive: &str, sources: &[&str], night: i64) {
        let sources: Vec<PathBuf> = sources.iter().map(|name| self.at(name)).collect();
        let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        add(&self.at(archive), &sources, START + night * DAY).unwrap();
        assert_eq!(check(&self.at(archive), true, 1, &()).unwrap().problems, [], "{archive}, night {night}");
    }

    /// As [`Devices::feed`]; nothing is news.
    #[track_caller]
    fn feeds_nothing(&self, archive: &str, sources: &[&str], night: i64) {
        let before = all_rows(&self.at(archive));
        self.feed(archive, sources, night);
        let after = all_rows(&self.at(archive));
        let differs: Vec<&String> = before
            .iter()
            .filter(|row| !after.contains(row))
            .chain(after.iter().filter(|row| !before.contains(row)))
            .collect();
        assert_eq!(differs, Vec::<&String>::new(), "{archive} of {sources:?}, night {night}");
    }

    /// The two archives are merged in every way, and twice: each tells what the one tells that was fed by all of their devices.
    #[track_caller]
    fn merge(&self, fed: &str, archives: [&str; 2], night: i64) {
        let told = deleted(&self.at(fed));
        let [one, other] = archives;
        for sources in [[one, other], [other, one]] {
            let name = sources.concat();
            let [together, apart, again] =
                ["together", "apart", "again"].map(|how| format!("{name}-{how}-{night}"));
            self.feed(&together, &sources, night);
            assert_eq!(deleted(&self.at(&together)), told, "{together}");
            self.feeds_nothing(&together, &sources, night + 1);
            self.feeds_nothing(&together, &[sources[1], sources[0]], night + 2);
            for source in sources {
                self.feed(&apart, &[source], night);
            }
            // What came first is asked when it is read again.
            self.feed(&apart, &sources, night + 1);
            assert_eq!(deleted(&self.at(&apart)), told, "{apart}");
            self.feeds_nothing(&apart, &sources, night + 2);
            // And what is told by an archive of that.
            self.feed(&again, &[&together], night + 1);
            assert_eq!(deleted(&self.at(&again)), told, "{again}");
            self.feeds_nothing(&again, &[&together], night + 2);
            self.feed(&again, &[&together, one, other], night + 3);
            assert_eq!(deleted(&self.at(&again)), told, "{again}");
            self.feeds_nothing(&again, &[other, &together, one], night + 4);
        }
    }
}

/// A phone that was read last before a deletion does not undo it, through whatever archives it is known.
#[test]
fn a_phone_that_was_read_before_a_deletion_does_not_undo_it() {
    let all = Devices::new();
    let mut mac = all.mac_that_deletes_beside_an_old_phone();
    mac.recently_delete("D", START + DAY + 60);
    // Its successor has never had them.
    let mut new = all.device("new", 2);
    for guid in ["B", "C", "D"] {
        new.remove(guid, false, "unexplained");
    }
    for night in [2, 3, 4] {
        new.receive(&format!("NEWS-{night}"), 1, START + night * DAY - 60, "that it is of today");
        if night == 3 {
            mac.remove("C", true, "deleted");
        }
        all.feed("fed", &["mac", "new"], night);
        all.feed("m", &["mac"], night);
        all.feed("p", &["new"], night);
    }
    let told =
        [("B", "deleted 172800 0"), ("C", "recently_deleted 86460 1"), ("D", "recently_deleted 86460 0")];
    assert_eq!(deleted(&all.at("fed")), expected(&told));
    assert_eq!(deleted(&all.at("p")), []);
    all.merge("fed", ["m", "p"], 5);
}

/// What a phone had in the very night in which the Mac lost it is there.
#[test]
fn what_a_phone_had_in_that_night_is_there() {
    let all = Devices::new();
    let (mut mac, mut phone) = (all.device("mac", 0), all.device("phone", 1));
    all.feed("fed", &["mac", "phone"], 1);
    all.feed("m", &["mac"], 1);
    all.feed("p", &["phone"], 1);
    mac.remove("B", true, "deleted");
    for device in [&mut mac, &mut phone] {
        device.receive("LATER", 1, START + 2 * DAY - 3600, "later");
        device.remove("C", true, "deleted");
    }
    all.feed("fed", &["mac", "phone"], 2);
    all.feed("m", &["mac"], 2);
    all.feed("p", &["phone"], 2);
    assert_eq!(deleted(&all.at("fed")), expected(&[("C", "deleted 172800 0")]));
    all.merge("fed", ["m", "p"], 6);
}

/// What the old phone is found to have still is there again; and what the Mac has again nobody says to be gone, though several
/// archives repeated it.
#[test]
fn what_is_found_to_be_there_after_all() {
    let all = Devices::new();
    let (mut mac, mut old) = (all.device("mac", 0), all.device("old", 1));
    let mut other = all.device("other", 2);
    all.feed("fed", &["mac", "old", "other"], 1);
    for (archive, of) in [("m", "mac"), ("p", "old"), ("q", "other")] {
        all.feed(archive, &[of], 1);
    }
    mac.recently_delete("B", START + DAY + 60);
    mac.recently_delete("C", START + DAY + 60);
    // Other devices of those archives are read on and on.
    let mut new = all.device("new", 4);
    for guid in ["B", "C"] {
        new.remove(guid, false, "unexplained");
    }
    new.receive("NEWS", 1, START + 2 * DAY - 60, "that it is of today");
    all.feed("fed", &["mac", "new"], 2);
    all.feed("m", &["mac"], 2);
    for archive in ["p", "q"] {
        all.feed(archive, &["new"], 2);
    }
    let sources = ["m", "p", "q"];
    let told = expected(&[("B", "recently_deleted 86460 0"), ("C", "recently_deleted 86460 0")]);
    all.feed("all", &sources, 3);
    for archive in ["fed", "all"] {
        assert_eq!(deleted(&all.at(archive)), told, "{archive}");
    }
    assert_eq!(open(&all.at("all")), 6);
    all.feeds_nothing("all", &sources, 4);
    // The old phone is read again, and has them.
    old.receive("MORE", 1, START + 4 * DAY - 60, "more");
    all.feed("fed", &["old"], 4);
    all.feed("p", &["old"], 4);
    all.feed("all", &["p"], 5);
    for archive in ["fed", "all"] {
        assert_eq!(deleted(&all.at(archive)), [], "{archive}");
    }
    assert_eq!(open(&all.at("all")), 4);
    all.feeds_nothing("all", &sources, 6);
    // The Mac recovers one: nothing is kept of it by those who only repeated that.
    mac.restore("B");
    all.feed("m", &["mac"], 6);
    for (night, sources) in [(7, ["q", "m", "p"]), (8, ["p", "q", "m"])] {
        all.feed("all", &sources, night);
        assert_eq!(open(&all.at("all")), 2, "night {night}");
    }
    all.feeds_nothing("all", &["m", "p", "q"], 9);
    // Deleted again, it is deleted again, once the others are known not to have it: the phones were not read since.
    mac.recently_delete("B", START + 9 * DAY + 60);
    other.receive("MORE-2", 1, START + 9 * DAY - 60, "more");
    for archive in ["fed", "m"] {
        all.feed(archive, &["mac"], 10);
    }
    all.feed("all", &["q", "p", "m"], 10);
    for archive in ["fed", "all"] {
        assert_eq!(deleted(&all.at(archive)), expected(&[("B", "recently_deleted 777660 0")]), "{archive}");
    }
    all.feeds_nothing("all", &["m", "p", "q"], 11);
}

/// Archives that feed each other, one of which has an old phone: both say what one says.
#[test]
fn archives_that_feed_each_other_do_not_undo_a_deletion() {
    let all = Devices::new();
    let mut mac = all.mac_that_deletes_beside_an_old_phone();
    for night in 2..6 {
        if night == 4 {
            mac.remove("C", true, "deleted");
        }
        if night < 5 {
            mac.receive(&format!("NEWS-{night}"), 1, START + night * DAY - 60, "news");
        }
        all.feed("fed", &["mac"], night);
        all.feed("m", &["mac", "p"], night);
        all.feed("p", &["m"], night);
    }
    for night in 6..8 {
        all.feeds_nothing("m", &["mac", "p"], night);
        all.feeds_nothing("p", &["m"], night);
    }
    let told = [("B", "deleted 172800 0"), ("C", "recently_deleted 86460 1")];
    for archive in ["fed", "m", "p"] {
        assert_eq!(deleted(&all.at(archive)), expected(&told), "{archive}");
    }
    mac.run("INSERT INTO message (ROWID, guid, text, handle_id, service, date, is_finished) VALUES (99, 'B', 'B', 1, 'iMessage', ?1, 1)", [(START + 1) * 1_000_000_000]);
    mac.run("INSERT INTO chat_message_join (chat_id, message_id, message_date) SELECT 1, ROWID, date FROM message WHERE guid = 'B'", []);
    for night in 8..11 {
        all.feed("fed", &["mac"], night);
        all.feed("m", &["mac", "p"], night);
        all.feed("p", &["m"], night);
    }
    for archive in ["fed", "m", "p"] {
        assert_eq!(deleted(&all.at(archive)), expected(&told[1..]), "{archive}");
    }
    for night in 11..13 {
        all.feeds_nothing("m", &["mac", "p"], night);
        all.feeds_nothing("p", &["m"], night);
    }
}

/// Of several reasons that another archive has, the one that says most comes here, not the one that was noted last.
#[test]
fn of_several_reasons_the_one_that_is_known_comes() {
    let all = Devices::new();
    let (mut mac, mut phone) = (all.device("mac", 0), all.device("phone", 1));
    for order in [["mac", "phone"], ["phone", "mac"]] {
        all.feed(&order.concat(), &order, 1);
    }
    mac.remove("B", true, "deleted");
    for order in [["mac", "phone"], ["phone", "mac"]] {
        all.feed(&order.concat(), &["mac"], 2);
    }
    phone.remove("B", false, "unexplained");
    for order in [["mac", "phone"], ["phone", "mac"]] {
        let name = order.concat();
        all.feed(&name, &["phone"], 3);
        let another = format!("of-{name}");
        all.feed(&another, &[&name], 4);
        assert_eq!(deleted(&all.at(&another)), expected(&[("B", "deleted 172800 0")]), "{name}");
        all.feeds_nothing(&another, &[&name], 5);
    }
}
