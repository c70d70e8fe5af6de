//! An export of an archive in which messages are lost altogether says so: the run, and each document that they would be in. Whoever
//! is handed one does not take it for complete.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use super::device::{DAY, Device};
use super::past::exported_with;
use super::{add, instant};
use crate::pdf_cover::{documents, text};
use crate::program::{Program, Ran};
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// A Mac that had messages of two people and of a group, and an archive that lost some of them.
struct Kept {
    program: Program,
    mac: Device,
    nights: i64,
}

impl Kept {
    /// Ana wrote A, B and E, Bo wrote C and F, and D is in their group.
    fn whole() -> Kept {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        for (day, (guid, chat)) in
            [("A", 0), ("B", 0), ("C", 1), ("D", 2), ("E", 0), ("F", 1)].into_iter().enumerate()
        {
            mac.receive(guid, chat, START + day as i64 * DAY, &format!("words of {guid}"));
        }
        let mut kept = Kept { program, mac, nights: 6 };
        kept.night(&[]);
        tree::copy(&kept.mac.folder, &kept.program.path().join("before"));
        kept
    }

    /// These are deleted where they came from, and damage takes them in the archive.
    fn without(guids: &[&str]) -> Kept {
        let mut kept = Kept::whole();
        kept.lose(guids);
        kept
    }

    fn lose(&mut self, guids: &[&str]) {
        guids.iter().for_each(|guid| self.mac.remove(guid, true, "deleted"));
        self.night(&[]);
        for guid in guids {
            self.sql(&format!("DELETE FROM message WHERE guid = '{guid}'"));
        }
        self.program.run(&["verify", "archive"]).with_code(3);
        self.night(&[]);
    }

    fn night(&mut self, also: &[&Path]) {
        self.nights += 1;
        let sources = [&[self.mac.folder.as_path()], also].concat();
        add(&self.archive(), &sources, START + self.nights * DAY).unwrap();
    }

    fn archive(&self) -> PathBuf {
        self.program.path().join("archive")
    }

    fn sql(&self, sql: &str) {
        let db = Connection::open(self.archive().join("chat.db")).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    }

    fn run(&self, command: &[&str], more: &[&str]) -> Ran {
        let fixed = ["--contacts", "none", "--time-zone", "UTC"];
        self.program.run(&[command, &fixed, more].concat())
    }

    /// What the run says of what is lost, and what lies in `out` then.
    fn export(&self, out: &str, more: &[&str]) -> (Vec<String>, Exported) {
        let command = ["export", "-s", "archive", "-f", "pdf,txt,csv,jsonl", "--json", "-o", out];
        let ran = self.run(&command, more).with_code(0);
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        let notes = told["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap().to_owned());
        (notes.filter(|note| note.contains("lost")).collect(), Exported(self.program.path().join(out)))
    }

    /// What the run says, and which of the conversations' texts say that something is lost.
    fn told(&self, out: &str, more: &[&str]) -> (String, Vec<String>) {
        let (notes, exported) = self.export(out, more);
        (notes.join("\n"), exported.that_say_so())
    }
}

struct Exported(PathBuf);

impl Exported {
    fn file(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.0.join(name)).unwrap()).unwrap()
    }

    /// The titles of all transcripts that say so; the PDF says so of the same ones.
    #[track_caller]
    fn that_say_so(&self) -> Vec<String> {
        let mut say_so = Vec::new();
        for (path, bytes) in tree::files(&self.0) {
            let (Some((title, _)), true) = (path.split_once(" ["), path.ends_with(".txt")) else { continue };
            let says = flat(&String::from_utf8(bytes).unwrap()).contains("lost by damage");
            let pdf = documents(&self.0)
                .into_iter()
                .find(|pdf| pdf.to_string_lossy().contains(&format!("/{title} [")));
            assert_eq!(flat(&text(&pdf.unwrap(), 1, 2)).contains("lost by damage"), says, "{title}");
            say_so.extend(says.then(|| title.to_owned()));
        }
        say_so
    }

    fn text(&self, title: &str) -> String {
        let files = tree::files(&self.0);
        let is_it = |path: &str| path.starts_with(&format!("{title} [")) && path.ends_with(".txt");
        String::from_utf8(files.into_iter().find(|(path, _)| is_it(path)).unwrap().1).unwrap()
    }
}

/// The moment so many seconds after 2001, as `--as-of` takes it.
fn at(seconds: i64) -> String {
    instant(seconds).format("%Y-%m-%dT%H:%M").to_string()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const ANA: &str = "+12025550143";
const BO: &str = "bo@example.com";

#[test]
fn the_run_and_the_documents_that_it_concerns_say_so() {
    let kept = Kept::without(&["A", "C", "E"]);
    let (notes, exported) = kept.export("out", &[]);
    let [note] = &notes[..] else { panic!("{notes:?}") };
    assert!(note.starts_with("3 messages are lost by damage of the archive, and are not here: 2 in +12025550143, 1 in bo@example.com."), "{note}");
    assert!(note.contains("`msgarchive history`") && note.contains("`msgarchive verify`"), "{note}");
    assert_eq!(exported.that_say_so(), [ANA, BO]);
    let of_ana = exported.text(ANA);
    assert!(
        of_ana
            .contains("Incomplete    2 messages of this conversation are lost by damage of the\n              archive, and are not here\n"),
        "{of_ana}"
    );
    assert!(of_ana.contains("              They were sent from 8 to 12 March 2023\n"), "{of_ana}");
    let of_bo = exported.text(BO);
    assert!(
        flat(&of_bo).contains(
            "1 message of this conversation is lost by damage of the archive, and is not here It was"
        ),
        "{of_bo}"
    );
    assert!(of_bo.contains("It was sent on 10 March 2023\n"), "{of_bo}");
    let pdf = documents(&exported.0).into_iter().find(|pdf| pdf.to_string_lossy().contains(ANA)).unwrap();
    let cover = flat(&text(&pdf, 1, 1));
    assert!(cover.contains("2 messages of this conversation are lost by damage of the archive, and are not here. They were sent from 8 to 12 March 2023."), "{cover}");
    let index = flat(&fs::read_to_string(exported.0.join("index.txt")).unwrap());
    assert!(
        index.contains(
            "3 messages of these conversations are lost by damage of the archive, and are not here"
        ),
        "{index}"
    );
    // To programs.
    let manifest = exported.file("manifest.json");
    let lost = manifest["lost"].as_array().unwrap();
    let lost: Vec<u64> = lost.iter().map(|of| of["messages"].as_u64().unwrap()).collect();
    assert_eq!(lost.iter().sum::<u64>(), 3, "{manifest:#}");
    let list = fs::read_to_string(exported.0.join("conversations.jsonl")).unwrap();
    let lines: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |title: &str| lines.iter().find(|line| line["title"] == title).unwrap();
    assert_eq!(line(BO)["lost"].to_string(), r#"["2023-03-10T20:26:40.000000000+00:00"]"#);
    assert!(line("Harbor").get("lost").is_none());
    // And to people.
    let ran = kept.run(&["export", "-s", "archive", "-f", "csv", "-o", "csv"], &[]).with_code(0);
    assert!(flat(&ran.out).contains("Note: 3 messages are lost by damage of the archive"), "{}", ran.out);
    assert_eq!(ran.out.matches("lost").count(), 1, "once: {}", ran.out);
    let ran = kept.run(&["list", "-s", "archive"], &[]).with_code(0);
    assert!(flat(&ran.out).contains("2 in +12025550143, 1 in bo@example.com"), "{}", ran.out);
}

#[test]
fn of_an_archive_that_is_whole_nothing_is_said() {
    let kept = Kept::whole();
    let (notes, exported) = kept.export("out", &[]);
    assert!(notes.is_empty() && exported.that_say_so().is_empty(), "{notes:?}");
    assert!(exported.file("manifest.json").get("lost").is_none());
    assert!(!fs::read_to_string(exported.0.join("index.txt")).unwrap().contains("lost"));
}

/// What is gone from a source is kept; what is lost is not. The list of the one does not pass for the other.
#[test]
fn what_is_gone_is_told_without_what_is_lost_and_says_so() {
    let mut kept = Kept::without(&["C"]);
    let gone = |kept: &Kept| flat(&kept.program.run(&["history", "archive", "--deleted"]).with_code(0).out);
    let words = gone(&kept);
    assert!(words.starts_with("Nothing is known to be gone. Damage of the archive took "), "{words}");
    assert!(words.ends_with("`msgarchive history DIR` names it."), "{words}");
    kept.mac.remove("A", true, "deleted");
    kept.night(&[]);
    let words = gone(&kept);
    assert!(words.contains("words of A") && !words.contains("words of C"), "{words}");
    let after = "1 deleted Damage of the archive took ";
    assert!(words.contains(after) && words.ends_with("`msgarchive history DIR` names it."), "{words}");
    // From before, C comes back, and with it nothing is lost.
    let before = kept.program.path().join("before");
    kept.night(&[&before]);
    assert!(!gone(&kept).contains("Damage"), "{}", gone(&kept));
}

#[test]
fn what_is_outside_of_the_selection_is_not_told() {
    let kept = Kept::without(&["A", "C", "E"]);
    let (note, say_so) = kept.told("one", &["--only", BO]);
    assert!(
        note.starts_with("1 message of bo@example.com is lost by damage of the archive, and is not here. ")
            && !note.contains(ANA),
        "{note}"
    );
    assert_eq!(say_so, [BO]);
    let (note, say_so) = kept.told("dates", &["--since", "2023-03-09", "--until", "2023-03-14"]);
    assert!(
        note.starts_with("2 messages") && note.contains(": 1 in +12025550143, 1 in bo@example.com."),
        "{note}"
    );
    assert_eq!(say_so, [ANA, BO]);
    let (note, say_so) = kept.told("after", &["--since", "2023-03-11", "--exclude", ANA]);
    assert_eq!((&*note, say_so.len()), ("", 0));
}

#[test]
fn all_documents_in_one_and_those_without_a_cover_say_so_too() {
    let kept = Kept::without(&["A", "C"]);
    let command = ["export", "-s", "archive", "-f", "pdf"];
    kept.run(&command, &["--combine", "-o", "combined"]).with_code(0);
    let all = &documents(&kept.program.path().join("combined"))[0];
    let cover = flat(&text(all, 1, 1));
    assert!(cover.contains("2 messages of these conversations are lost by damage of the archive, and are not here. They were sent from 8 to 10 March 2023."), "{cover}");
    assert_eq!(
        flat(&text(all, 1, 20))
            .matches("1 message of this conversation is lost by damage of the archive")
            .count(),
        2
    );
    kept.run(&command, &["--no-cover", "-o", "bare"]).with_code(0);
    let say_so = documents(&kept.program.path().join("bare"))
        .iter()
        .filter(|pdf| flat(&text(pdf, 1, 1)).contains("1 message of this conversation is lost by damage"))
        .count();
    assert_eq!(say_so, 2);
}

/// Nothing else of it is there: it has no document, and the run names it.
#[test]
fn of_a_conversation_of_which_all_is_lost_the_run_tells() {
    let kept = Kept::without(&["C", "F"]);
    let (note, say_so) = kept.told("out", &[]);
    assert!(note.contains("2 messages of bo@example.com are lost"), "{note}");
    assert!(say_so.is_empty());
    let ran =
        kept.run(&["export", "-s", "archive", "-f", "txt", "-o", "none", "--only", BO], &[]).with_code(1);
    assert!(
        flat(&ran.err).contains("2 messages of bo@example.com are lost by damage of the archive"),
        "{}",
        ran.err
    );
}

#[test]
fn what_came_back_is_not_lost() {
    let mut kept = Kept::without(&["A", "C"]);
    let before = kept.program.path().join("before");
    kept.night(&[&before]);
    assert_eq!(kept.told("out", &[]), (String::new(), Vec::new()));
}

/// As it was then, it is lost as well: nothing has it any more. It was not there before it came.
#[test]
fn as_of_a_day() {
    let mut kept = Kept::without(&["A"]);
    kept.mac.receive("G", 1, START + kept.nights * DAY, "words of G");
    kept.night(&[]);
    let then = at(START + kept.nights * DAY - DAY / 2);
    kept.lose(&["G"]);
    let (note, say_so) = kept.told("then", &["--as-of", &then]);
    assert!(note.starts_with("1 message of +12025550143 is lost") && !note.contains(BO), "{note}");
    assert_eq!(say_so, [ANA]);
    let now = at(START + kept.nights * DAY + DAY);
    assert_eq!(kept.told("late", &["--as-of", &now]).1, [ANA, BO]);
}

/// Neither it nor its hash is there any more, so that nobody can say since when it was.
#[test]
fn as_of_a_day_what_is_gone_with_its_hash() {
    let mut kept = Kept::whole();
    kept.mac.remove("A", true, "deleted");
    kept.night(&[]);
    kept.sql("DELETE FROM msgarchive_message WHERE id = 1; DELETE FROM message WHERE ROWID = 1");
    kept.program.run(&["verify", "archive"]).with_code(3);
    kept.night(&[]);
    assert_eq!(kept.told("now", &[]).1, [ANA]);
    assert_eq!(kept.told("then", &["--as-of", &at(START + 8 * DAY)]).1, [ANA]);
    // Nobody knows it again but by its place and its date.
    let before = kept.program.path().join("before");
    kept.night(&[&before]);
    assert_eq!(kept.told("back", &[]), (String::new(), Vec::new()));
}

/// Where it was went with it.
#[test]
fn what_was_nobody_knows_where_is_told_in_every_document() {
    let mut kept = Kept::whole();
    kept.mac.remove("A", true, "deleted");
    kept.night(&[]);
    kept.sql("DELETE FROM message WHERE guid = 'A'; DELETE FROM chat_message_join WHERE message_id = 1");
    kept.program.run(&["verify", "archive"]).with_code(3);
    kept.night(&[]);
    let (note, say_so) = kept.told("out", &["--only", BO]);
    assert!(
        note.starts_with(
            "At least 1 message is lost by damage of the archive, of which nothing tells in which conversation it was."
        ),
        "{note}"
    );
    assert_eq!(say_so, [BO]);
    // What is news is not taken for it.
    kept.mac.receive("G", 0, START + kept.nights * DAY + 3600, "words of G");
    kept.night(&[]);
    let (note, _) = kept.told("all", &[]);
    assert!(note.starts_with("At least 1 message is lost"), "{note}");
    let before = kept.program.path().join("before");
    kept.night(&[&before]);
    assert_eq!(kept.told("back", &[]), (String::new(), Vec::new()));
}

/// A source that is read together with it may have what it lost.
#[test]
fn beside_a_source_that_has_it() {
    let kept = Kept::without(&["A"]);
    let (note, _) = kept.told("out", &["-s", "before"]);
    assert!(note.contains("only where another source has"), "{note}");
}

#[test]
fn an_export_is_a_source_that_says_so_too() {
    let kept = Kept::without(&["A", "C", "E"]);
    kept.export("out", &[]);
    let ran = kept
        .run(&["export", "-s", "out", "-f", "txt", "-o", "again"], &["--since", "2023-03-09"])
        .with_code(0);
    assert!(
        flat(&ran.out).contains("2 messages are lost by damage of the archive, and are not here: 1 in"),
        "{}",
        ran.out
    );
    let again = fs::read_to_string(kept.program.path().join("again/manifest.json")).unwrap();
    assert!(again.contains(r#""lost":["#), "{again}");
}

/// A document that is there already did not know of it.
#[test]
fn the_export_that_is_kept_up_is_written_again_where_it_concerns_it() {
    let kept = Kept::whole();
    let nightly = || {
        let command =
            ["archive", "archive", "-s", "mac", "--export", "txt,pdf", "--out", "nightly", "--json"];
        let ran = kept.program.run(&[&command[..], &["--contacts", "none", "--time-zone", "UTC"]].concat());
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        told["export"].clone()
    };
    assert_eq!(nightly()["written"], 3);
    kept.mac.db.execute_batch("DELETE FROM message WHERE guid = 'A'").unwrap();
    nightly();
    kept.sql("DELETE FROM message WHERE guid = 'A'");
    kept.program.run(&["verify", "archive"]).with_code(3);
    let told = nightly();
    assert_eq!(told["written"], 1, "{told:#}");
    assert!(told["notes"].to_string().contains("1 message of +12025550143 is lost"), "{told:#}");
    assert_eq!(Exported(kept.program.path().join("nightly")).that_say_so(), [ANA]);
    let told = nightly();
    assert_eq!(
        (&told["written"], told["notes"].to_string().contains("1 message of")),
        (&0.into(), true),
        "{told:#}"
    );
}

/// The last state of a message is lost, and the one before it is shown: not as if that were the last.
#[test]
fn an_earlier_state_is_marked_as_one() {
    let mut kept = Kept::whole();
    kept.mac.edit("A", START + kept.nights * DAY, "second words");
    kept.night(&[]);
    tree::copy(&kept.mac.folder, &kept.program.path().join("edited"));
    let edited = at(START + kept.nights * DAY + DAY / 2);
    kept.mac.remove("A", true, "deleted");
    kept.night(&[]);
    kept.sql("DELETE FROM message WHERE guid = 'A'");
    kept.program.run(&["verify", "archive"]).with_code(3);
    kept.night(&[]);
    kept.program.run(&["verify", "archive"]).with_code(0);
    let lost = at(START + kept.nights * DAY + DAY / 2);
    let words = |out: &str, code: i32, more: &[&str]| {
        let messages = exported_with(&kept.program, code, out, more);
        assert!(messages[1..].iter().all(|message| message.get("damaged").is_none()));
        (
            messages[0]["text"].as_str().unwrap().to_owned(),
            messages[0]["damaged"][0].as_str().map(str::to_owned),
        )
    };
    let told =
        "What this message said last is lost by damage of the archive. It is shown as it was before that";
    let before = || "words of A".to_owned();
    assert_eq!(words("now", 3, &[]), (before(), Some(told.into())));
    assert_eq!(words("late", 3, &["--as-of", &lost]), (before(), Some(told.into())));
    assert_eq!(words("first", 0, &["--as-of", &at(START + 8 * DAY)]), (before(), None));
    assert!(words("between", 3, &["--as-of", &edited]).1.unwrap().contains("was otherwise at that time"));
    kept.run(&["export", "-s", "archive", "-f", "csv,txt,pdf", "-o", "formats"], &[]).with_code(3);
    let exported = Exported(kept.program.path().join("formats"));
    assert!(exported.text(ANA).contains(told), "{}", exported.text(ANA));
    // It is not lost altogether.
    assert!(!exported.text(ANA).contains("is not here"));
    let csv =
        tree::files(&exported.0).into_iter().find(|(path, _)| path.ends_with(".csv") && path.contains(ANA));
    assert!(String::from_utf8(csv.unwrap().1).unwrap().contains(told));
    // What has it beside the archive is believed, and what came back is what it was last.
    let both = exported_with(&kept.program, 0, "both", &["-s", "edited"]);
    assert_eq!((&both[0]["text"], both[0].get("damaged")), (&"second words".into(), None));
    let mac = kept.program.path().join("edited");
    kept.night(&[&mac]);
    let now = exported_with(&kept.program, 0, "back", &[]);
    assert_eq!((&now[0]["text"], now[0].get("damaged")), (&"second words".into(), None));
}

/// Of most of what was in a database that is cut off nothing tells any more, but that it was there.
#[test]
fn of_a_database_that_is_cut_off() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for number in 0..400 {
        mac.receive(
            &format!("M{number}"),
            0,
            START + number,
            &format!("words of {number}, and some more of them to fill pages"),
        );
    }
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    tree::copy(&mac.folder, &program.path().join("before"));
    (0..399).for_each(|number| mac.remove(&format!("M{number}"), true, "deleted"));
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    let database = fs::File::options().write(true).open(archive.join("chat.db")).unwrap();
    database.set_len(database.metadata().unwrap().len() / 2).unwrap();
    add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    let export = |out: &str| {
        let command = ["export", "-s", "archive", "-f", "txt", "--contacts", "none", "--json", "-o", out];
        serde_json::from_str::<Value>(&program.run(&command).out).unwrap()
    };
    let told = export("out");
    let there = told["rows"]["read"].as_u64().unwrap();
    assert!(there < 400, "{told:#}");
    let lost: u64 = told["lost"].as_array().unwrap().iter().map(|of| of["messages"].as_u64().unwrap()).sum();
    assert_eq!(lost, 400 - there, "{told:#}");
    // All of them are back.
    add(&archive, &[&program.path().join("before")], START + 4 * DAY).unwrap();
    let told = export("back");
    assert_eq!((&told["rows"]["read"], told["lost"].to_string()), (&400.into(), "[]".to_owned()), "{told:#}");
}
