//! Messages that say something else, and Messages notes no edit: nobody is said to have edited them.

use rusqlite::params;
use serde_json::Value;

use super::device::DAY;
use super::past::exported;
use super::{add, device::Device};
use crate::program::Program;
use crate::support::keyed::SummaryInfo;
use crate::support::typedstream::{AttributedString, PART, Value as Number};
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

fn json(program: &Program, arguments: &[&str]) -> Value {
    let told = program.run(&[arguments, &["--json"]].concat()).with_code(0).out;
    serde_json::from_str(&told).unwrap()
}

fn what(told: &Value) -> Vec<&str> {
    told["messages"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect()
}

/// With any tool for SQLite, as somebody might who wants another history.
#[test]
fn a_row_that_was_tampered_with_is_no_edit_of_its_sender() {
    for tampered in [Some("I agreed to that"), None] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        for (guid, text) in [("A", "I never agreed to that"), ("B", "hello")] {
            mac.receive(guid, 0, START, text);
        }
        let archive = program.path().join("archive");
        add(&archive, &[&mac.folder], START + DAY).unwrap();
        mac.run("UPDATE message SET text = ?1 WHERE guid = 'A'", params![tampered]);
        let record = add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
        assert_eq!(record.counts.changed, 1);

        let changed = json(&program, &["history", "archive", "--changed"]);
        assert_eq!(what(&changed), ["changed"]);
        let one = &changed["messages"][0];
        assert_eq!((&one["before"], &one["changed"]), (&"I never agreed to that".into(), &Value::Null));
        let words = program.run(&["history", "archive", "--changed"]).with_code(0).out;
        assert!(!words.contains("edited by") && words.contains("Messages notes no edit"), "{words}");
        assert!(words.contains("0 edited, 0 unsent, 1 changed without an edit"), "{words}");
        let versions = json(&program, &["history", "archive", "--message", "A"]);
        assert_eq!(versions["versions"][1]["what"], "changed");

        // What it said is in every export, and found.
        let messages = exported(&program, "out", &[]);
        assert_eq!((&messages[0]["text"], &messages[0]["edits"]), (&tampered.into(), &Value::Array(vec![])));
        assert_eq!(messages[0]["altered"], serde_json::json!(["I never agreed to that"]));
        assert_eq!(messages[1].get("altered"), None);
        // An export that is read back says it, too.
        program
            .run(&["export", "-s", "out", "-f", "jsonl", "-o", "again", "--contacts", "none"])
            .with_code(0);
        let again = tree::print(&program.path().join("again"));
        assert!(again.contains("\"altered\":[\"I never agreed to that\"]"), "{again}");
        program
            .run(&["export", "-s", "archive", "-f", "txt", "-o", "txt", "--contacts", "none"])
            .with_code(0);
        let text = tree::print(&program.path().join("txt"));
        assert!(text.contains("notes no edit: “I never agreed to that”"), "{text}");
        let found = json(&program, &["search", "archive", "never agreed"]);
        assert_eq!(found["hits"][0]["guid"], "A");
        let exported = program.run(&["list", "-s", "archive", "--text", "never agreed"]).with_code(0).out;
        assert!(exported.contains("1 message "), "{exported}");
    }
}

/// The words of a message that has a picture, too, are moved to Recently Deleted, and are purged from there later.
#[test]
fn a_part_that_its_owner_deletes_is_deleted_and_not_edited() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let text = "secret words";
    mac.receive("A", 0, START, text);
    mac.attach("A", "a.png");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run(
        "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
         SELECT chat_id, message_id, 0, ?1, ?2 FROM chat_message_join",
        params![(START + DAY + 60) * 1_000_000_000, AttributedString::plain(text).encode()],
    );
    mac.run("UPDATE message SET text = '\u{fffc}' WHERE guid = 'A'", []);
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    for purged in [false, true] {
        if purged {
            mac.run("DELETE FROM recoverable_message_part", []);
            add(&archive, &[&mac.folder], START + 40 * DAY).unwrap();
        }
        assert!(what(&json(&program, &["history", "archive", "--changed"])).is_empty());
        let versions = json(&program, &["history", "archive", "--message", "A"]);
        assert_eq!(versions["versions"][1]["what"], "changed");
        let deleted = json(&program, &["history", "archive", "--deleted"]);
        let one = &deleted["messages"][0];
        assert_eq!(
            ["guid", "reason", "text", "part"].map(|key| one[key].clone()),
            ["A".into(), "recently_deleted".into(), text.into(), Value::from(0)]
        );
        assert!(one["gone_from"][0]["source"].as_str().unwrap().ends_with("mac/chat.db"));
        let words = program.run(&["history", "archive", "--deleted"]).with_code(0).out;
        let said =
            if purged { "A part of it: deleted (gone" } else { "A part of it: moved to Recently Deleted" };
        assert!(words.contains(said), "{words}");
        let out = format!("purged {purged}");
        let message = &exported(&program, &out, &[])[0];
        assert_eq!((&message["deleted"]["part"], &message["edits"]), (&true.into(), &Value::Array(vec![])));
        assert_eq!(message.get("altered"), None);
    }
}

/// Two devices call the same chat by two GUIDs, so that an archive has the message in two chats.
#[test]
fn a_part_that_is_deleted_in_one_of_two_chats_of_a_message_is_shown() {
    for phone_first in [true, false] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
        phone.receive("P", 0, START, "so that the row ids are others");
        phone.run("UPDATE chat SET guid = 'any' || substr(guid, 9)", []);
        for device in [&mut mac, &mut phone] {
            device.receive("A", 0, START + 60, "stays");
        }
        mac.run(
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
             SELECT chat_id, message_id, 1, ?1, ?2 FROM chat_message_join",
            params![(START + 120) * 1_000_000_000, AttributedString::plain(" goes").encode()],
        );
        let order = if phone_first { [&*phone.folder, &*mac.folder] } else { [&*mac.folder, &*phone.folder] };
        add(&program.path().join("archive"), &order, START + DAY).unwrap();
        let message = exported(&program, "out", &[]).remove(0);
        assert_eq!(
            (&message["guid"], &message["text"]),
            (&"A".into(), &"stays goes".into()),
            "{phone_first}"
        );
        assert_eq!(message["deleted"]["part"], true);
    }
}

/// What a summary says of edits of part 0: what it said when, in seconds since 2001.
fn edited_to(versions: &[(i64, &str)]) -> Vec<u8> {
    let versions = versions.iter().map(|(at, text)| (*at as f64, AttributedString::plain(text))).collect();
    let original = vec![(0, 0, 4)];
    SummaryInfo { original, edits: vec![(0, versions)], ..SummaryInfo::default() }.encode()
}

/// What another program wrote over the words stays in view whatever edits come after it, or with it.
#[test]
fn words_that_no_list_of_edits_has_are_shown() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (at, guid) in ["A", "B", "C", "D"].into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, &format!("true words of {guid}"));
    }
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run("UPDATE message SET text = 'forged' WHERE guid = 'A'", []);
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    let edit = |guid: &str, first: &str, then: &str| {
        let at = START + 2 * DAY + 60;
        mac.run(
            "UPDATE message SET text = ?2, date_edited = ?3, message_summary_info = ?4 WHERE guid = ?1",
            params![guid, then, at * 1_000_000_000, edited_to(&[(START, first), (at, then)])],
        );
    };
    edit("A", "forged", "edited A");
    edit("B", "forged", "edited B");
    edit("C", "true words of C", "edited C");
    add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    let messages = exported(&program, "out", &[]);
    let altered = |at: usize| messages[at].get("altered").cloned();
    assert_eq!(altered(0), Some(serde_json::json!(["true words of A"])));
    assert_eq!(altered(1), Some(serde_json::json!(["true words of B"])));
    assert_eq!((altered(2), altered(3)), (None, None));
    let changed = json(&program, &["history", "archive", "--changed"]);
    let told: Vec<(String, String, String)> = changed["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| ["guid", "what", "before"].map(|key| one[key].as_str().unwrap().to_owned()).into())
        .collect();
    let of = |guid: &str, what: &str, before: &str| {
        told.contains(&(guid.to_owned(), what.to_owned(), before.to_owned()))
    };
    assert!(of("A", "changed", "true words of A") && of("A", "edited", "forged"), "{told:?}");
    assert!(of("B", "changed", "true words of B") && of("B", "edited", "forged"), "{told:?}");
    assert!(of("C", "edited", "true words of C"), "{told:?}");
    assert_eq!(told.len(), 5, "{told:?}");
}

/// Its owner deleted one part: that takes nothing from what another program does with the others.
#[test]
fn words_beside_a_part_that_its_owner_deleted() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let body = |parts: &[(i64, &str)]| {
        let part = |body: AttributedString, (part, text): &(i64, &str)| {
            body.with(text, vec![(PART, Number::Int(*part))])
        };
        parts.iter().fold(AttributedString::default(), part).encode()
    };
    mac.receive("A", 0, START, "I never agreedsecond");
    mac.run("UPDATE message SET attributedBody = ?1", [body(&[(0, "I never agreed"), (1, "second")])]);
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run(
        "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
         SELECT chat_id, message_id, 1, ?1, ?2 FROM chat_message_join",
        params![(START + DAY + 60) * 1_000_000_000, AttributedString::plain("second").encode()],
    );
    mac.run(
        "UPDATE message SET text = 'I never agreed', attributedBody = ?1",
        [body(&[(0, "I never agreed")])],
    );
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert!(what(&json(&program, &["history", "archive", "--changed"])).is_empty());
    mac.run("UPDATE message SET text = 'I agreed', attributedBody = ?1", [body(&[(0, "I agreed")])]);
    add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    for purged in [false, true] {
        if purged {
            mac.run("DELETE FROM recoverable_message_part", []);
            add(&archive, &[&mac.folder], START + 40 * DAY).unwrap();
        }
        let message = &exported(&program, &format!("out {purged}"), &[])[0];
        let altered = message["altered"].as_array().unwrap();
        assert!(altered.iter().all(|text| text.as_str().unwrap().contains("I never agreed")), "{message}");
        let changed = json(&program, &["history", "archive", "--changed"]);
        assert!(
            what(&changed).iter().all(|what| *what == "changed") && !what(&changed).is_empty(),
            "{changed}"
        );
    }
}

/// Who said it and when matters as much as what.
#[test]
fn who_said_it_and_when() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (at, guid) in ["A", "B", "C", "D", "E", "F"].into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, guid);
    }
    mac.read("D", START + 60);
    mac.run("UPDATE message SET schedule_type = 2, schedule_state = 2 WHERE guid = 'E'", []);
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    assert!(exported(&program, "before", &[]).iter().all(|message| message.get("was").is_none()));
    let second = 1_000_000_000;
    mac.run("UPDATE message SET is_from_me = 1 WHERE guid = 'A'", []);
    mac.run("UPDATE message SET handle_id = 2 WHERE guid = 'B'", []);
    mac.run("UPDATE message SET date = ?1 WHERE guid = 'C'", [(START - 100 * DAY) * second]);
    mac.run("UPDATE message SET date_read = 0, is_read = 0 WHERE guid = 'D'", []);
    mac.run("UPDATE message SET date = ?1, schedule_state = 3 WHERE guid = 'E'", [(START + 600) * second]);
    mac.read("F", START + DAY + 60);
    assert_eq!(add(&archive, &[&mac.folder], START + 2 * DAY).unwrap().counts.changed, 6);
    let messages = exported(&program, "out", &["--time-zone", "UTC"]);
    let was: Vec<Option<Value>> = messages.iter().map(|message| message.get("was").cloned()).collect();
    let ana = serde_json::json!([{ "sender": { "handle": "+12025550143", "name": null } }]);
    assert_eq!((&was[0], &was[1]), (&Some(ana.clone()), &Some(ana)));
    assert_eq!(was[2], Some(serde_json::json!([{ "date": "2023-03-08T20:26:42.000000000+00:00" }])));
    assert_eq!(was[3], Some(serde_json::json!([{ "date_read": "2023-03-08T20:27:40.000000000+00:00" }])));
    assert_eq!((&was[4], &was[5]), (&None, &None));
    program.run(&["export", "-s", "archive", "-f", "txt", "-o", "txt", "--contacts", "none"]).with_code(0);
    let text = tree::print(&program.path().join("txt"));
    for said in ["It was from +12025550143 before", "It was dated 8 March 2023", "It was read 8 March 2023"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // An export that is read back says it, too.
    program
        .run(&[
            "export",
            "-s",
            "out",
            "-f",
            "jsonl",
            "-o",
            "again",
            "--contacts",
            "none",
            "--time-zone",
            "UTC",
        ])
        .with_code(0);
    let again = tree::print(&program.path().join("again"));
    for said in ["\"was\":[{\"sender\"", "\"was\":[{\"date\":\"2023", "\"was\":[{\"date_read\":\"2023"] {
        assert!(again.contains(said), "{again}");
    }
    let changed = json(&program, &["history", "archive", "--changed"]);
    assert_eq!(what(&changed), ["changed"; 4]);
    let words = program.run(&["history", "archive", "--changed"]).with_code(0).out;
    assert!(words.contains("It was from +12025550143 before, and Messages notes no such change"), "{words}");
    let versions = json(&program, &["history", "archive", "--message", "A"]);
    let of =
        |at: usize| (versions["versions"][at]["from_me"].clone(), versions["versions"][at]["sender"].clone());
    assert_eq!((of(0), of(1)), ((false.into(), "+12025550143".into()), (true.into(), Value::Null)));
    let words = program.run(&["history", "archive", "--message", "A"]).with_code(0).out;
    assert!(words.contains("from +12025550143, sent") && words.contains("from you, sent"), "{words}");
}

/// Unsent before the archive saw it first; and a part of one, after that.
#[test]
fn what_was_unsent_is_told_as_that() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (at, guid) in ["A", "B"].into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, guid);
    }
    let unsent =
        SummaryInfo { original: vec![(0, 0, 1)], unsent: vec![0], ..SummaryInfo::default() }.encode();
    let at = (START + 60) * 1_000_000_000;
    mac.run(
        "UPDATE message SET text = NULL, date_edited = ?1, message_summary_info = ?2 WHERE guid = 'A'",
        params![at, unsent],
    );
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run(
        "UPDATE message SET text = NULL, date_edited = ?1, message_summary_info = ?2 WHERE guid = 'B'",
        params![at, unsent],
    );
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    let changed = json(&program, &["history", "archive", "--changed"]);
    assert_eq!(what(&changed), ["unsent", "unsent"], "{changed}");
}

/// A row that is put in again, or is of a library that was downloaded anew, says what is so now; two devices say two things,
/// and neither said it before the other.
#[test]
fn what_is_said_now_and_what_is_said_elsewhere() {
    let program = Program::new();
    let archive = program.path().join("archive");
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (at, guid) in ["A", "B", "C"].into_iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, guid);
    }
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    // Under another row id.
    mac.remove("A", true, "deleted");
    mac.receive("A", 0, START, "other A");
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    let said = |at: usize, out: &str| {
        let message = exported(&program, out, &[]).swap_remove(at);
        (message["text"].clone(), message["altered"].clone(), message["was"].clone())
    };
    assert_eq!(said(0, "again"), ("other A".into(), serde_json::json!(["A"]), Value::Null));
    std::fs::remove_dir_all(&mac.folder).unwrap();
    let mut anew = Device::new(&mac.folder, Schema::MACOS_26);
    for (guid, at, text) in [("C", 2, "C"), ("B", 1, "other B"), ("A", 0, "other A"), ("D", DAY, "D")] {
        anew.receive(guid, 0, START + at, text);
    }
    add(&archive, &[&anew.folder], START + 3 * DAY).unwrap();
    assert_eq!(said(1, "anew"), ("other B".into(), serde_json::json!(["B"]), Value::Null));
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
    phone.receive("X", 0, START, "so that the row ids are others");
    phone.receive("C", 0, START + 2, "words of the phone");
    phone.run("UPDATE message SET is_from_me = 1 WHERE guid = 'C'", []);
    add(&archive, &[&anew.folder, &phone.folder], START + 4 * DAY).unwrap();
    let (text, altered, was) = said(2, "two");
    assert_eq!((text, altered), ("C".into(), Value::Null));
    let elsewhere = [("text", Value::from("words of the phone")), ("from_me", true.into())];
    let elsewhere = elsewhere.map(|(key, value)| serde_json::json!({ "elsewhere": true, key: value }));
    assert_eq!(was, Value::from(elsewhere.to_vec()));
    let words = program.run(&["history", "archive", "--changed"]).with_code(0).out;
    assert!(words.contains("Another source has or had it with other words"), "{words}");
    let found = program.run(&["list", "-s", "archive", "--text", "words of the phone"]).with_code(0).out;
    assert!(found.contains("1 message "), "{found}");
    let found = json(&program, &["search", "archive", "words of the phone"]);
    assert_eq!(found["hits"][0]["guid"], "C");
}

/// Nobody makes a tapback of words.
#[test]
fn a_message_that_is_made_an_answer_to_another_one() {
    let program = Program::new();
    let archive = program.path().join("archive");
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "hello");
    mac.receive("B", 0, START + 1, "I will pay you back");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.run(
        "UPDATE message SET associated_message_type = 2000, associated_message_guid = 'p:0/A' WHERE guid = 'B'",
        [],
    );
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    let messages = exported(&program, "out", &[]);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["was"], serde_json::json!([{ "message": "I will pay you back" }]));
}

/// That somebody read a tapback is no other word of it, be the message there that it was to or not.
#[test]
fn a_tapback_that_was_read_says_what_it_said() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "hello");
    for (guid, to) in [("T", "A"), ("LEFT", "NOBODY HAS IT")] {
        mac.receive(guid, 0, START + 60, "Loved “hello”");
        mac.run(
            "UPDATE message SET associated_message_type = 2000, associated_message_guid = 'p:0/' || ?2 WHERE guid = ?1",
            [guid, to],
        );
    }
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    for guid in ["T", "LEFT"] {
        mac.read(guid, START + DAY);
    }
    let record = add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(record.counts.changed, 2);
    assert_eq!(what(&json(&program, &["history", "archive", "--changed"])), [""; 0]);
}
