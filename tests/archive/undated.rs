//! Edits and unsent parts of which only the list of a message tells: after conflicts of synchronization `date_edited` can be 0
//! (`messages-format.md` 5.2).

use std::path::Path;
use std::process::Command;

use rusqlite::params;
use serde_json::Value;

use super::device::{DAY, Device, instant};
use super::{add, messages};
use crate::program::Program;
use crate::support::Schema;
use crate::support::keyed::SummaryInfo;
use crate::support::typedstream::AttributedString;

const START: i64 = 700_000_000;

fn json(program: &Program, arguments: &[&str]) -> Value {
    let told = program.run(&[arguments, &["--json"]].concat()).with_code(0).out;
    serde_json::from_str(&told).unwrap()
}

fn whats(told: &Value, list: &str) -> Vec<String> {
    told[list].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap().to_owned()).collect()
}

fn a_device(program: &Program, name: &str) -> Device {
    let mut mac = Device::new(&program.path().join(name), Schema::MACOS_26);
    for (at, (guid, text)) in [("A", "lok"), ("B", "a secret"), ("C", "hello")].into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, text);
    }
    mac
}

/// A is edited and B unsent, and no column has the date.
fn change(mac: &Device) {
    let versions = [(START, "lok"), (START + 60, "look")];
    let versions = versions.iter().map(|(at, text)| (*at as f64, AttributedString::plain(text))).collect();
    let original = vec![(0, 0, 3)];
    let edited =
        SummaryInfo { original: original.clone(), edits: vec![(0, versions)], ..SummaryInfo::default() };
    let unsent = SummaryInfo { original, unsent: vec![0], ..SummaryInfo::default() };
    for (guid, text, summary) in [("A", Some("look"), edited), ("B", None, unsent)] {
        mac.run(
            "UPDATE message SET text = ?2, date_edited = 0, message_summary_info = ?3 WHERE guid = ?1",
            params![guid, text, summary.encode()],
        );
    }
}

/// What exports of a source say of both, and that they say it in every format.
#[track_caller]
fn is_shown(program: &Program, sources: &[&str], out: &str, unsent_as: (&str, &[&str])) {
    let mut arguments =
        vec!["export", "-f", "jsonl,csv,txt,pdf", "-o", out, "--time-zone", "UTC", "--contacts", "none"];
    sources.iter().for_each(|source| arguments.extend(["-s", source]));
    program.run(&arguments).with_code(0);
    let all = messages(&program.path().join(out));
    let of = |guid: &str| all.iter().find(|(_, message)| message["guid"] == guid).unwrap().1.clone();
    let (edited, unsent) = (of("A"), of("B"));
    let texts = |message: &Value| -> Vec<String> {
        let edits = message["edits"].as_array().into_iter().flatten();
        edits.map(|edit| edit["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&edited), ["lok", "look"], "{edited}");
    assert_eq!(edited["edits"][1]["date"], "2023-03-08T20:27:40.000000000+00:00", "{edited}");
    assert_eq!(
        (unsent["unsent"].as_str(), texts(&unsent)),
        (Some(unsent_as.0), unsent_as.1.iter().map(|text| (*text).to_owned()).collect())
    );
    for message in [&edited, &unsent] {
        assert!(message.get("altered").is_none_or(Value::is_null), "{message}");
    }
    let folder = program.path().join(out);
    for ending in ["csv", "txt", "pdf"] {
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|own| own == ending));
        let said: String = files.map(|file| said_in(&file)).collect();
        assert!(said.contains("lok") && said.to_lowercase().contains("unsent"), "{ending}: {said}");
        assert!(!said.contains("something else before"), "{ending}: {said}");
    }
}

fn said_in(file: &Path) -> String {
    if file.extension().is_some_and(|ending| ending != "pdf") {
        return std::fs::read_to_string(file).unwrap();
    }
    let ran = Command::new("pdftotext").arg("-raw").arg(file).arg("-").output().unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn they_are_told_as_what_they_are() {
    let program = Program::new();
    let mac = a_device(&program, "mac");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    change(&mac);
    assert_eq!(add(&archive, &[&mac.folder], START + 2 * DAY).unwrap().counts.changed, 2);

    let told = json(&program, &["history", "archive", "--changed"]);
    assert_eq!(whats(&told, "messages"), ["edited", "unsent"], "{told}");
    let edited = &told["messages"][0];
    assert_eq!((&edited["before"], &edited["after"]), (&"lok".into(), &"look".into()));
    let at: String = serde_json::from_value(edited["changed"].clone()).unwrap();
    assert_eq!(at.parse::<msgarchive::model::Instant>().unwrap(), instant(START + 60), "{told}");
    let unsent = &told["messages"][1];
    assert_eq!((&unsent["before"], &unsent["changed"]), (&"a secret".into(), &Value::Null), "{told}");
    for (guid, what) in [("A", "edited"), ("B", "unsent")] {
        let told = json(&program, &["history", "archive", "--message", guid]);
        assert_eq!(whats(&told, "versions"), ["added", what], "{told}");
    }
    is_shown(&program, &["archive"], "export", ("all", &["a secret"]));
    is_shown(&program, &["mac"], "of-mac", ("all", &[]));
    for word in ["lok", "look", "secret"] {
        let found = json(&program, &["search", "archive", word]);
        assert_eq!(found["hits"].as_array().map_or(0, Vec::len), 1, "{word}: {found}");
    }
}

#[test]
fn so_they_are_where_the_archive_first_met_them_so() {
    let program = Program::new();
    let mac = a_device(&program, "mac");
    change(&mac);
    add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
    let told = json(&program, &["history", "archive", "--changed"]);
    assert_eq!(whats(&told, "messages"), ["edited", "unsent"], "{told}");
    is_shown(&program, &["archive"], "export", ("all", &[]));
}

/// One device knows of the edit, the other does not, in either order: what was edited is later.
#[test]
fn of_two_devices_the_one_that_knows_of_them_is_later() {
    for order in [["mac", "phone"], ["phone", "mac"]] {
        let program = Program::new();
        let [mac, phone] = ["mac", "phone"].map(|name| a_device(&program, name));
        change(&phone);
        let of = |name: &str| if name == "mac" { mac.folder.clone() } else { phone.folder.clone() };
        let folders = order.map(of);
        add(&program.path().join("archive"), &[&folders[0], &folders[1]], START + DAY).unwrap();
        is_shown(&program, &["archive"], "export", ("all", &["a secret"]));
        // What another source still has is what it said before it was taken back.
        is_shown(&program, &order, "together", ("all", &["a secret"]));
        let told = json(&program, &["history", "archive", "--changed"]);
        assert_eq!(whats(&told, "messages"), ["edited", "unsent"], "{order:?}: {told}");
    }
}
