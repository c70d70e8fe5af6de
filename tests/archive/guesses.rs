//! Where nobody knows the setting of Keep Messages, that it removed something is a guess: told as one wherever it is told, and handed
//! on as one.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::court::pdf;
use super::device::{DAY, Device};
use super::vouched::as_of_an_earlier_program;
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// A library whose oldest message went by its age, and its archive; its setting of Keep Messages is known or not.
fn purged(is_known: bool) -> Program {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac/Messages"), Schema::MACOS_26);
    if is_known {
        let list = "<?xml version=\"1.0\"?><plist><dict><key>SSKeepMessages</key><integer>30</integer></dict></plist>";
        fs::create_dir(program.path().join("mac/Preferences")).unwrap();
        fs::write(program.path().join("mac/Preferences/com.apple.iChat.plist"), list).unwrap();
    }
    mac.receive("OLD", 0, START - 31 * DAY, "from long ago");
    mac.receive("LISTED", 0, START - 2 * DAY, "from the day before");
    mac.receive("NEW", 0, START - DAY, "from yesterday");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START - 3600).unwrap();
    mac.remove("OLD", true, "aged_out");
    mac.remove("LISTED", true, "deleted");
    add(&archive, &[&mac.folder], START).unwrap();
    program
}

fn json(program: &Program, arguments: &[&str]) -> Value {
    serde_json::from_str(&program.run(&[arguments, &["--json"]].concat()).with_code(0).out).unwrap()
}

/// What `history --deleted` tells of a message.
fn told(program: &Program, archive: &str, guid: &str) -> Value {
    let gone = json(program, &["history", archive, "--deleted"]);
    let messages = gone["messages"].as_array().unwrap();
    let found = messages.iter().find(|message| message["guid"] == guid);
    found.unwrap_or_else(|| panic!("{guid} is not in {gone}")).clone()
}

/// What the JSON Lines of an archive say of a message: its `deleted`.
fn exported(program: &Program, archive: &str, out: &str, guid: &str) -> Value {
    let arguments = ["export", "-s", archive, "-f", "jsonl,txt,pdf", "-o", out, "--contacts", "none"];
    program.run(&arguments).with_code(0);
    let mut found = Value::Null;
    for (path, bytes) in tree::files(&program.path().join(out)) {
        for line in String::from_utf8_lossy(&bytes).lines().filter(|_| path.ends_with(".jsonl")) {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["guid"] == guid {
                found = line["deleted"].clone();
            }
        }
    }
    found
}

/// How high the letters of a word are on the first page of an export's only document, in points; of one that stands there several
/// times the lowest.
fn height_on_cover(program: &Program, out: &str, word: &str) -> f64 {
    let files = tree::files(&program.path().join(out));
    let (pdf, _) = files.iter().find(|(path, _)| path.ends_with(".pdf")).unwrap();
    let pdf = program.path().join(out).join(pdf);
    let words = Command::new("pdftotext").args(["-bbox", "-l", "1"]).arg(pdf).arg("-").output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let number = |line: &str, name: &str| -> f64 {
        let rest = line.split_once(&format!("{name}=\"")).unwrap().1;
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    let of_word = words.lines().filter(|line| line.contains(&format!(">{word}<")));
    let heights = of_word.map(|line| number(line, "yMax") - number(line, "yMin"));
    heights.reduce(f64::min).unwrap_or_else(|| panic!("{word} is not in {words}"))
}

/// On the smallest paper, too: all captions of a row can be read as well as each other.
#[test]
fn the_guess_is_no_smaller_on_a_cover_than_what_is_beside_it() {
    let program = purged(false);
    for paper in ["a4", "a5"] {
        let arguments =
            ["export", "-s", "archive", "-f", "pdf", "-o", paper, "--paper", paper, "--contacts", "none"];
        program.run(&arguments).with_code(0);
        let height = |word| height_on_cover(&program, paper, word);
        assert!(height("probably") > height("unexplained") * 0.94, "{paper}: {}", height("probably"));
    }
}

/// All that the texts of an export say.
fn text(program: &Program, out: &str) -> String {
    let files = tree::files(&program.path().join(out)).into_iter();
    files
        .filter(|(path, _)| path.ends_with(".txt"))
        .map(|(_, text)| String::from_utf8(text).unwrap())
        .collect()
}

#[test]
fn a_guess_is_told_as_one() {
    for is_known in [false, true] {
        let program = purged(is_known);
        let guessed = if is_known { Value::Null } else { true.into() };
        let gone = told(&program, "archive", "OLD");
        assert_eq!((&gone["reason"], &gone["guessed"]), (&"aged_out".into(), &guessed));
        assert_eq!(gone["gone_from"][0]["guessed"], guessed);
        assert_eq!(told(&program, "archive", "LISTED")["guessed"], Value::Null);
        let version = &json(&program, &["history", "archive", "--message", "OLD"])["versions"][1];
        assert_eq!((&version["what"], &version["guessed"]), (&"aged_out".into(), &guessed));
        let hit = &json(&program, &["search", "archive", "long"])["hits"][0];
        assert_eq!((&hit["reason"], &hit["guessed"]), (&"aged_out".into(), &guessed));
        let run = &json(&program, &["archive", "archive", "-s", "mac/Messages"]);
        assert_eq!(run["aged_out_guessed"], 0, "nothing is news");
        let runs = &json(&program, &["history", "archive"])["runs"];
        assert_eq!(runs[1]["aged_out_guessed"], u64::from(!is_known));
        assert_eq!(runs[1]["absent"]["aged_out"], 1);

        let compared = program.run(&["compare", "archive", "mac/Messages", "--json"]).with_code(3).out;
        let compared: Value = serde_json::from_str(&compared).unwrap();
        let gaps = compared["messages"].as_array().unwrap();
        let gap = |guid| gaps.iter().find(|message| message["guid"] == guid).unwrap();
        assert_eq!((&gap("OLD")["reason"], &gap("OLD")["guessed"]), (&"aged_out".into(), &guessed));
        assert_eq!(gap("LISTED")["guessed"], Value::Null);

        let deleted = exported(&program, "archive", "out", "OLD");
        assert_eq!((&deleted["reason"], &deleted["guessed"]), (&"aged_out".into(), &guessed));
        assert_eq!(exported(&program, "archive", "again", "LISTED")["guessed"], Value::Null);
        // What was exported is a source, and says so again.
        assert_eq!(exported(&program, "out", "of-out", "OLD"), deleted);

        program
            .run(&["export", "-s", "archive", "-f", "pdf", "--combine", "-o", "cover", "--contacts", "none"])
            .with_code(0);
        let cover = pdf(&program, "cover/conversations.pdf");
        let caption =
            if is_known { "conversation by Keep Messages" } else { "conversation probably by Keep Messages" };
        assert!(cover.contains(caption), "{cover}");
        let words = if is_known { "Removed by Keep Messages" } else { "Probably removed by Keep Messages" };
        let other = if is_known { "robably" } else { "Removed by Keep Messages" };
        for said in [
            program.run(&["history", "archive", "--deleted"]).with_code(0).out,
            program.run(&["history", "archive", "--message", "OLD"]).with_code(0).out,
            text(&program, "out"),
            text(&program, "of-out"),
        ] {
            assert!(said.contains(words) && !said.contains(other), "{said}");
        }
    }
}

/// One archive hands it to the next, whether that was there when it was noticed, or only has the message.
#[test]
fn a_guess_is_handed_on_as_one() {
    for (is_known, guessed) in [(false, true.into()), (true, Value::Null)] {
        let program = purged(is_known);
        let at = |name: &str| program.path().join(name);
        add(&at("second"), &[&at("archive")], START + DAY).unwrap();
        add(&at("third"), &[&at("second")], START + 2 * DAY).unwrap();
        for archive in ["second", "third"] {
            let gone = told(&program, archive, "OLD");
            assert_eq!((&gone["reason"], &gone["guessed"]), (&"aged_out".into(), &guessed), "{archive}");
            assert_eq!(exported(&program, archive, &format!("{archive}-out"), "OLD")["guessed"], guessed);
            assert_eq!(told(&program, archive, "LISTED")["guessed"], Value::Null);
            program.run(&["verify", archive]).with_code(0);
            let run = json(&program, &["history", archive])["runs"][0].clone();
            assert_eq!(run["aged_out_guessed"], u64::from(!is_known), "{archive}");
        }
        // One has the message of a phone that is off since, and a tablet's of later: it repeats what the other one says.
        let mut phone = Device::new(&at("phone"), Schema::MACOS_26);
        let mut tablet = Device::new(&at("tablet"), Schema::MACOS_26);
        phone.receive("FIRST", 1, START - 32 * DAY, "so that row ids differ");
        phone.receive("OLD", 0, START - 31 * DAY, "from long ago");
        tablet.receive("NEWEST", 0, START + 3600, "from later");
        add(&at("of-both"), &[&at("phone"), &at("tablet")], START + 7200).unwrap();
        add(&at("both"), &[&at("archive"), &at("of-both")], START + DAY).unwrap();
        let gone = told(&program, "both", "OLD");
        let all: Vec<(&Value, &Value)> =
            gone["gone_from"].as_array().unwrap().iter().map(|of| (&of["reason"], &of["guessed"])).collect();
        assert_eq!(all, [(&"aged_out".into(), &guessed); 2], "{gone}");
    }
}

/// Another device knows: its library lists the message as deleted, a day earlier.
#[test]
fn what_is_known_counts_more_than_a_guess() {
    let program = Program::new();
    let at = |name: &str| program.path().join(name);
    let mut phone = Device::new(&at("phone"), Schema::MACOS_26);
    let mut mac = Device::new(&at("mac"), Schema::MACOS_26);
    // What is older stays on the phone, whose setting is another one.
    phone.receive("OLDEST", 1, START - 500 * DAY, "from years ago");
    for device in [&mut phone, &mut mac] {
        device.receive("OLD", 0, START - 31 * DAY, "from long ago");
        device.receive("NEW", 0, START - 2 * DAY, "from yesterday");
    }
    let night = |day: i64| add(&at("archive"), &[&at("phone"), &at("mac")], START + day * DAY).unwrap();
    night(-1);
    phone.remove("OLD", true, "deleted");
    night(0);
    mac.remove("OLD", false, "aged_out");
    night(1);
    let gone = told(&program, "archive", "OLD");
    assert_eq!((&gone["reason"], &gone["guessed"]), (&"deleted".into(), &Value::Null), "{gone}");
    assert_eq!(gone["gone_from"][1]["guessed"], true, "{gone}");
    let deleted = exported(&program, "archive", "out", "OLD");
    assert_eq!((&deleted["reason"], &deleted["guessed"]), (&"deleted".into(), &Value::Null));
}

/// An earlier program did not say which reasons were guesses: its archive is read, fed, and handed on as it is.
#[test]
fn an_archive_that_does_not_know_of_guesses() {
    let program = purged(false);
    let at = |name: &str| program.path().join(name);
    forget_guesses(&at("archive"));
    assert_eq!(told(&program, "archive", "OLD")["guessed"], Value::Null);
    assert_eq!(
        json(&program, &["history", "archive", "--message", "OLD"])["versions"][1]["guessed"],
        Value::Null
    );
    assert_eq!(exported(&program, "archive", "out", "OLD")["reason"], "aged_out");
    program.run(&["verify", "archive"]).with_code(0);
    add(&at("second"), &[&at("archive")], START + DAY).unwrap();
    assert_eq!(told(&program, "second", "OLD")["reason"], "aged_out");
    // Fed again it says so of what goes from then on.
    let mut other = Device::new(&at("other"), Schema::MACOS_26);
    other.receive("ELDER", 0, START - 31 * DAY, "from as long ago");
    other.receive("YOUNG", 0, START - DAY, "from yesterday, too");
    add(&at("archive"), &[&other.folder], START).unwrap();
    other.remove("ELDER", true, "aged_out");
    add(&at("archive"), &[&other.folder], START + DAY).unwrap();
    assert_eq!(told(&program, "archive", "OLD")["guessed"], Value::Null);
    let elder = told(&program, "archive", "ELDER");
    assert_eq!((&elder["reason"], &elder["guessed"]), (&"aged_out".into(), &true.into()));
    program.run(&["verify", "archive"]).with_code(0);
}

/// Makes an archive what an earlier program left: no notes of guesses, and a view that does not speak of them.
fn forget_guesses(archive: &Path) {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let view: String = db
        .query_row("SELECT sql FROM sqlite_master WHERE name = 'msgarchive_deleted'", [], |row| row.get(0))
        .unwrap();
    let from = view.find(", a.reason = 'aged_out' AND EXISTS").unwrap();
    let until = view.find("FROM msgarchive_absence a\n").unwrap();
    let earlier = format!("{}\n  {}", &view[..from], &view[until..]).replace(", guessed)", ")");
    db.execute_batch(&format!("DROP VIEW msgarchive_deleted; DROP TABLE msgarchive_guessed; {earlier}"))
        .unwrap();
    as_of_an_earlier_program(archive);
}
