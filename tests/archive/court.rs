//! What an archive says before a court: as of when it is shown, where it has its messages from, what became of them, and no
//! word more than is known.

use std::process::Command;

use msgarchive::archive::{ArchiveError, ArchiveOptions, Feed, archive};
use msgarchive::pipeline::Progress;
use msgarchive::source::OpenOptions;
use msgarchive::source::tables::Tables;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::add;
use super::device::{DAY, Device, instant};
use super::past::exported;
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;
/// The first run is on 8 March 2023 at 22:26:40 in Berlin, the others a day later each.
const THEN: [&str; 2] = ["--as-of", "2023-03-09T12:00"];

/// Three nights: one message was deleted, one moved to Recently Deleted and purged, one unsent, one edited, one is gone.
fn three_nights(program: &Program) -> Device {
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let archive = program.path().join("archive");
    let texts = ["stays", "first thoughts", "a secret", "goodbye", "a threat", "who knows"];
    for (guid, text) in ["A", "B", "C", "D", "E", "F"].into_iter().zip(texts) {
        mac.receive(guid, 0, START + 60, text);
    }
    add(&archive, &[&mac.folder], START + 3600).unwrap();
    mac.edit("B", START + DAY, "second thoughts");
    mac.unsend("C", START + DAY);
    mac.db.execute("UPDATE message SET message_summary_info = ?1 WHERE guid = 'C'", [unsent_part()]).unwrap();
    mac.recently_delete("D", START + DAY);
    mac.remove("E", true, "deleted");
    mac.remove("F", false, "unexplained");
    add(&archive, &[&mac.folder], START + DAY + 3600).unwrap();
    mac.remove("D", true, "recently_deleted");
    add(&archive, &[&mac.folder], START + 2 * DAY + 3600).unwrap();
    mac
}

/// `{otr: {"0": {lo: 0, le: 8}}, rp: [0]}`.
fn unsent_part() -> Vec<u8> {
    br#"<?xml version="1.0"?><plist version="1.0"><dict><key>otr</key><dict><key>0</key><dict><key>lo</key><integer>0</integer><key>le</key><integer>8</integer></dict></dict><key>rp</key><array><integer>0</integer></array></dict></plist>"#.to_vec()
}

fn export(program: &Program, formats: &str, out: &str, more: &[&str]) -> String {
    let arguments = ["export", "-s", "archive", "-f", formats, "-o", out, "--contacts", "none"];
    program.run(&[&arguments[..], more].concat()).with_code(0).out
}

pub fn pdf(program: &Program, path: &str) -> String {
    let path = program.path().join(path);
    let printed = Command::new("pdftotext").args(["-layout"]).arg(&path).arg("-").output().unwrap();
    assert!(printed.status.success(), "{path:?}");
    on_one_line(&String::from_utf8(printed.stdout).unwrap())
}

/// As it is read: on however many lines it is.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn manifest(program: &Program, out: &str) -> Value {
    serde_json::from_slice(&std::fs::read(program.path().join(out).join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn as_of_when_it_is_shown_stands_in_everything() {
    let program = Program::new();
    three_nights(&program);
    let said = "The archive as it was on 9 March 2023, 12:00:00 (UTC+01:00)";
    let out = export(&program, "pdf,txt", "single", &THEN);
    assert!(out.contains(said), "{out}");
    export(&program, "pdf", "whole", &[&THEN[..], &["--combine", "--bates", "ABC"]].concat());
    let mut documents = 0;
    let made = |folder: &'static str| {
        tree::files(&program.path().join(folder)).into_iter().map(move |(path, bytes)| (folder, path, bytes))
    };
    for (folder, path, bytes) in made("single").chain(made("whole")) {
        if path.ends_with(".txt") {
            assert!(String::from_utf8(bytes).unwrap().contains(said), "{path}");
        } else if path.ends_with(".pdf") {
            let text = pdf(&program, &format!("{folder}/{path}"));
            assert!(text.contains(&format!("{said}: what its later runs brought is left out.")), "{text}");
            assert!(!text.contains("Everything: no conversation"), "{text}");
            // At the foot of each page, too.
            let pages = text.matches("Times in Europe/Berlin").count();
            assert!(text.matches(said).count() >= pages + 2, "{text}");
            documents += 1;
        }
    }
    assert_eq!(documents, 2);
    let manifest = manifest(&program, "whole");
    assert_eq!(manifest["options"]["as_of"], "2023-03-09T12:00");
    assert_eq!(manifest["source"]["archive"]["as_of"], "2023-03-09T12:00:00.000000000+01:00");
    assert_eq!(manifest["source"]["archive"]["runs"], 1);
    let listed = program.run(&[&["list", "-s", "archive"][..], &THEN].concat()).with_code(0).out;
    assert!(listed.starts_with(said), "{listed}");
    let listed = program.run(&[&["list", "-s", "archive", "--json"][..], &THEN].concat()).with_code(0).out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["as_of"], "2023-03-09T12:00:00+01:00");
}

#[test]
fn an_archive_that_is_shown_as_it_is_says_nothing_of_a_day() {
    let program = Program::new();
    three_nights(&program);
    export(&program, "pdf,txt", "now", &["--combine"]);
    assert!(!tree::print(&program.path().join("now")).contains("archive as it was"));
    let text = pdf(&program, "now/conversations.pdf");
    assert!(!text.contains("archive as it was") && text.contains("Everything: no conversation"), "{text}");
    assert_eq!(manifest(&program, "now")["source"]["archive"]["as_of"], Value::Null);
}

#[test]
fn a_cover_says_where_an_archive_has_its_messages_from_and_how_many_are_gone() {
    let program = Program::new();
    let mac = three_nights(&program);
    export(&program, "pdf", "out", &["--combine"]);
    let text = pdf(&program, "out/conversations.pdf");
    for words in [
        "Kept here, and gone where it was 1 1 0 0 1",
        "to Recently Deleted deleted with their conversation by Keep Messages unexplained",
        "read first on 8 March 2023, 22:26:40 (UTC+01:00), last on 10 March 2023, 22:26:40 (UTC+01:00)",
        "3 runs, from 8 March 2023, 22:26:40 (UTC+01:00) to 10 March 2023, 22:26:40 (UTC+01:00)",
        // One each, though the row that was unsent has a former state in the archive, too.
        "1 1 stickers cards of apps edited messages unsent messages",
    ] {
        assert!(text.contains(words), "{words}\n\n{text}");
    }
    let runs = program.run(&["history", "archive", "--json"]).with_code(0).out;
    let runs: Value = serde_json::from_str(&runs).unwrap();
    let last = runs["runs"][2]["run"].as_str().unwrap();
    let file = std::fs::read(program.path().join(format!("archive/runs/{last}.json"))).unwrap();
    let sha256: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(text.contains(&format!("{sha256} of {last}.json")), "{text}");
    let archive = &manifest(&program, "out")["source"]["archive"];
    assert_eq!(archive["record"]["sha256"], sha256);
    assert_eq!(archive["sources"].as_array().unwrap().len(), 1);
    assert!(archive["sources"][0]["path"].as_str().unwrap().starts_with(mac.folder.to_str().unwrap()));
    // A library was fed from nothing.
    program.run(&["export", "-s", "mac", "-f", "pdf", "-o", "live", "--combine"]).with_code(0);
    assert!(!pdf(&program, "live/conversations.pdf").contains("gone where it was"));
    assert!(manifest(&program, "live")["source"].get("archive").is_none());
}

#[test]
fn what_is_gone_went_between_two_runs() {
    let program = Program::new();
    three_nights(&program);
    export(&program, "txt,csv", "out", &[]);
    let text = tree::print(&program.path().join("out"));
    for words in [
        "Deleted: last seen 8 March 2023, 22:26:40; not there on 9 March 2023, 22:26:40",
        "Missing, and nothing says why: last seen 8 March 2023, 22:26:40; not there on 9 March 2023, 22:26:40",
        // Of this the device said when, and it is not there any more.
        "Moved to Recently Deleted on 9 March 2023, 21:26:40; gone from there since 10 March 2023, 22:26:40\n",
    ] {
        assert!(text.contains(words), "{words}\n\n{text}");
    }
    // Neither what was unsent nor what was edited is the other, too.
    assert!(
        text.contains(",unsent,") && text.contains(",edited,") && !text.contains("unsent;edited"),
        "{text}"
    );
    let messages = exported(&program, "lines", &[]);
    let deleted =
        |guid: &str| messages.iter().find(|message| message["guid"] == guid).unwrap()["deleted"].clone();
    assert_eq!(deleted("E")["last_seen"], "2023-03-08T22:26:40.000000000+01:00");
    assert_eq!(deleted("E")["date"], "2023-03-09T22:26:40.000000000+01:00");
    assert_eq!(deleted("D").get("last_seen"), None);
    // And an export that is read again says the same.
    program.run(&["export", "-s", "lines", "-f", "jsonl", "-o", "again"]).with_code(0);
    let again = |out: &str| {
        let files = tree::files(&program.path().join(out));
        let lines =
            files.iter().filter(|(path, _)| path.ends_with(".jsonl") && *path != "conversations.jsonl");
        lines
            .map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap())
            .collect::<String>()
            .matches("last_seen")
            .count()
    };
    assert_eq!((again("lines"), again("again")), (2, 2));
}

#[test]
fn compared_with_its_library_an_archive_says_why_itself() {
    let program = Program::new();
    three_nights(&program);
    let arguments = ["compare", "archive", "mac", "--json", "--contacts", "none"];
    let compared: Value = serde_json::from_str(&program.run(&arguments).with_code(3).out).unwrap();
    let reasons = compared["messages"].as_array().unwrap().iter();
    let mut reasons: Vec<(&str, &str)> =
        reasons.map(|m| (m["guid"].as_str().unwrap(), m["reason"].as_str().unwrap())).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, [("D", "recently_deleted"), ("E", "deleted"), ("F", "unexplained")]);
    let words = program.run(&["compare", "archive", "mac", "--contacts", "none"]).with_code(3).out;
    let words = on_one_line(&words);
    for reason in ["1 moved to Recently Deleted there", "1 deleted", "1 unexplained"] {
        assert!(words.contains(reason), "{words}");
    }
}

/// Of which everything but the newest message is deleted.
#[test]
fn the_period_of_an_archive_is_that_of_all_that_it_keeps() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("OLD", 0, START - 800 * DAY, "from long ago");
    mac.receive("NEW", 0, START, "from today");
    add(&program.path().join("archive"), &[&mac.folder], START + 3600).unwrap();
    mac.remove("OLD", true, "deleted");
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    let compared =
        program.run(&["compare", "archive", "mac", "--json", "--contacts", "none"]).with_code(3).out;
    let compared: Value = serde_json::from_str(&compared).unwrap();
    let first = |object: &Value| object["first"].as_str().unwrap().get(..4).unwrap().to_owned();
    assert_eq!((first(&compared["left"]), first(&compared["right"])), ("2020".into(), "2023".into()));
    let doctor = program.run(&["doctor", "-s", "archive", "--json", "--contacts", "none"]).out;
    let doctor: Value = serde_json::from_str(&doctor).unwrap();
    let checks = doctor["checks"].as_array().unwrap().iter();
    let firsts: Vec<String> = checks
        .filter(|check| check["evidence"]["first"].is_string())
        .map(|check| first(&check["evidence"]))
        .collect();
    assert_eq!(firsts, ["2020"]);
}

#[test]
fn what_senders_changed_is_listed_with_what_it_said() {
    let program = Program::new();
    let mac = three_nights(&program);
    // Whoever reads a message changes nothing of it; and one was changed before the archive first saw it.
    mac.read("A", START + 2 * DAY);
    mac.db.execute("UPDATE message SET date_edited = 5 WHERE guid = 'A'", []).unwrap();
    add(&program.path().join("archive"), &[&mac.folder], START + 3 * DAY).unwrap();
    let listed = program.run(&["history", "archive", "--changed", "--json"]).with_code(0).out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let messages = listed["messages"].as_array().unwrap();
    let of = |guid: &str| messages.iter().find(|one| one["guid"] == guid).unwrap_or(&Value::Null);
    let told = |guid: &str| ["what", "before", "after", "changed", "date"].map(|key| of(guid)[key].clone());
    let sent = "2023-03-08T21:27:40+01:00";
    assert_eq!(
        told("B"),
        ["edited", "first thoughts", "second thoughts", "2023-03-09T21:26:40+01:00", sent].map(Value::from)
    );
    let [what, before, after, ..] = told("C");
    assert_eq!([what, before, after], ["unsent".into(), "a secret".into(), Value::Null]);
    assert_eq!(of("B")["sender"]["handle"], "+12025550143");
    assert!(messages.iter().all(|one| ["A", "B", "C"].contains(&one["guid"].as_str().unwrap())), "{listed}");
    let words = program.run(&["history", "archive", "--changed", "--time-zone", "UTC"]).with_code(0).out;
    let words = on_one_line(&words);
    for line in [
        "2023-03-09 20:26 edited by +12025550143 (sent 2023-03-08 20:27, +12025550143)",
        "before: first thoughts after: second thoughts B",
        "before: a secret C 2",
        "2 edited, 1 unsent",
    ] {
        assert!(words.contains(line), "{line}\n\n{words}");
    }
    program.run(&["history", "archive", "--changed", "--deleted"]).with_code(2);
}

#[test]
fn a_message_is_told_with_whose_it_is_and_in_the_zone_that_is_asked_for() {
    let program = Program::new();
    let mac = three_nights(&program);
    mac.attach("A", "a.png");
    add(&program.path().join("archive"), &[&mac.folder], START + 3 * DAY).unwrap();
    let words = program.run(&["history", "archive", "--message", "a", "--time-zone", "UTC"]).with_code(0).out;
    for line in [
        "Sent 2023-03-08 20:27:40 (UTC) by +12025550143, in",
        "Attachments: a.png",
        "2023-03-08 21:26, added",
    ] {
        assert!(words.contains(line), "{line}\n\n{words}");
    }
    let told = program.run(&["history", "archive", "--message", "A", "--json"]).with_code(0).out;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["message"]["date"], "2023-03-08T21:27:40+01:00");
    assert_eq!(told["message"]["attachments"], serde_json::json!(["a.png"]));
}

#[test]
fn where_a_source_lay_is_written_down_whole_and_recognized_as_it_was_typed() {
    let program = Program::new();
    let mac = three_nights(&program);
    let archive = ["archive", "archive", "-s", "mac"];
    program.run(&archive).with_code(0);
    let last = |program: &Program| {
        let runs = program.run(&["history", "archive", "--json"]).with_code(0).out;
        let runs: Value = serde_json::from_str(&runs).unwrap();
        let source = &runs["runs"].as_array().unwrap().last().unwrap()["sources"][0];
        (source["source"].clone(), source["path"].as_str().unwrap().to_owned())
    };
    let (first, path) = last(&program);
    assert_eq!((first.clone(), path.as_str()), (1.into(), mac.folder.join("chat.db").to_str().unwrap()));
    // As earlier programs wrote it.
    let database = rusqlite::Connection::open(program.path().join("archive/chat.db")).unwrap();
    database.execute("UPDATE msgarchive_source SET path = './mac/chat.db'", []).unwrap();
    drop(database);
    program.run(&archive).with_code(0);
    assert_eq!(last(&program), (first, path));
}

#[test]
fn a_rehearsal_is_no_record() {
    let program = Program::new();
    three_nights(&program);
    let json = |more: &[&str]| -> Value {
        let arguments = [&["archive", "archive", "-s", "mac", "--json"][..], more].concat();
        serde_json::from_str(&program.run(&arguments).with_code(0).out).unwrap()
    };
    assert_eq!(json(&["--dry-run"])["dry_run"], true);
    assert_eq!(json(&[]).get("dry_run"), None);
}

/// What is set for exports that come out the same again is no date of a run.
#[test]
fn no_date_of_a_build_reaches_an_archive() {
    let program = Program::new();
    let library = super::small_library(&program.path().join("mac"));
    let mut command = program.command(&["archive", "archive", "--json", "-s", library.to_str().unwrap()]);
    command.env("SOURCE_DATE_EPOCH", "1").env_remove("MSGARCHIVE_TEST_NOW");
    let record: Value =
        serde_json::from_str(&crate::program::ran(command.output().unwrap()).with_code(0).out).unwrap();
    assert!(record["started"].as_str().unwrap() > "2025", "{record}");
}

#[test]
fn a_group_is_found_by_what_it_was_called() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let group = 2;
    mac.receive("A", group, START, "hello all");
    mac.rename("N", group, START + 60, "Family");
    add(&program.path().join("archive"), &[&mac.folder], START + 3600).unwrap();
    mac.rename("O", group, START + DAY, "The Lunds");
    add(&program.path().join("archive"), &[&mac.folder], START + DAY + 3600).unwrap();
    let listed = |option: &str, name: &str| {
        program.run(&["list", "-s", "archive", "--contacts", "none", option, name])
    };
    for name in ["Family", "the lunds"] {
        assert!(listed("--conversation", name).with_code(0).out.contains("The Lunds"), "{name}");
    }
    let ran = listed("--only", "The Lunds").with_code(1);
    assert!(ran.err.contains("--conversation \"The Lunds\""), "{}", ran.err);
}

/// It is ended before it is done.
struct Ended;

impl Progress for Ended {
    fn begin(&self, _: u64) {}
    fn advance(&self, _: u64) {}
    fn interrupted(&self) -> bool {
        true
    }
}

#[test]
fn an_archive_without_a_run_is_not_called_whole() {
    let program = Program::new();
    let library = super::small_library(&program.path().join("mac"));
    let tables = Tables::open(&library, &OpenOptions::default()).unwrap();
    let feeds = [Feed { tables, contacts: Vec::new() }];
    let options = ArchiveOptions {
        now: instant(START),
        jobs: 1,
        dry_run: false,
        guard: None,
        away: &[],
        gone: &[],
        copies: None,
    };
    let ended = archive(&program.path().join("archive"), &feeds, options, &Ended);
    assert!(matches!(ended, Err(ArchiveError::Interrupted)), "{ended:?}");
    let words = program.run(&["verify", "archive"]).with_code(0).out;
    assert!(words.contains("No run has been completed yet") && !words.contains("Whole"), "{words}");
}
