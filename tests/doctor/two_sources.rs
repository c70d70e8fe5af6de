//! Faults that only a second source shows: a Mac beside its iPhone's backup.

use std::fs;

use serde_json::Value;

use super::{ANA, Home, as_json, check, only, with_status, wrong, year};
use crate::support::backup::{Layout, wrap};
use crate::support::{ChatId, Library, Schema};

/// A healthy Mac, whose library is then changed, beside its iPhone.
struct Pair {
    mac: Home,
}

impl Pair {
    fn of(sql: &str) -> Pair {
        Pair::with(&year(Schema::MACOS_26.on_device()), sql)
    }

    fn with(phone: &Library, sql: &str) -> Pair {
        let mac = Home::of(&year(Schema::MACOS_15));
        let folder = mac.program.path().join("phone");
        phone.write(&folder);
        wrap(
            &folder,
            None,
            &mac.program.path().join("backup"),
            Layout { password: Some("secret"), ..Layout::default() },
        );
        fs::write(mac.program.path().join("password"), "secret").unwrap();
        mac.change(sql);
        Pair { mac }
    }

    /// The Mac first.
    fn json(&self) -> Value {
        let library = self.mac.library();
        let library = library.to_str().unwrap();
        let words =
            ["doctor", "--json", "--source", library, "--source", "backup", "--password-file", "password"];
        as_json(&self.mac.program.run(&words))
    }
}

fn without(rows: &str) -> String {
    format!(
        "DELETE FROM chat_message_join WHERE message_id IN (SELECT ROWID FROM message WHERE {rows});
         DELETE FROM message WHERE {rows}"
    )
}

#[test]
fn a_pair_that_agrees_is_healthy() {
    let object = Pair::of("").json();
    assert_eq!(wrong(&object), [""; 0], "{object:#}");
    assert_eq!(with_status(&object, &["unknown"]), ["nightly unknown"; 2]);
    assert_eq!(object["sources"].as_array().unwrap().len(), 2);
    assert_eq!(object["sources"][1]["device"], "Ana's iPhone");
    let names = object["checks"].as_array().unwrap().iter().map(|check| &check["source"]);
    assert_eq!(names.filter(|source| **source == 1).count(), 14);
}

#[test]
fn the_phone_has_more() {
    let object = Pair::of(&without("ROWID IN (41, 43, 45)")).json();
    let says = "3 messages of the backup of “Ana's iPhone” are lacking here (2022-12): 3 unexplained. \
                By conversation: +12025550143 (3).";
    only(&object, "other_source problem", says);
    assert_eq!(check(&object, "other_source")["evidence"]["why"]["unexplained"], 3);

    let object = Pair::of(&without("date < 692000000000000000")).json();
    only(&object, "other_source warning", "older than what is kept there");
}

#[test]
fn what_keep_messages_removed_is_its_fault_alone() {
    let pair = Pair::of(&without("date < 692000000000000000"));
    pair.mac.preferences("com.apple.iChat.plist", "<key>KeepMessageForDays</key><integer>365</integer>");
    only(&pair.json(), "keep_messages warning", "set to 1 year");
}

#[test]
fn a_source_beside_itself_is_a_mistake() {
    let home = Home::of(&year(Schema::MACOS_15));
    let library = home.library();
    let database = library.join("chat.db");
    let words = ["doctor", "--source", library.to_str().unwrap(), "--source", database.to_str().unwrap()];
    let ran = home.program.run(&words).with_code(2);
    assert!(ran.err.contains("both sides are the same source"), "{}", ran.err);
}

#[test]
fn what_was_deleted_is_no_fault() {
    let deleted = "INSERT INTO deleted_messages (guid) SELECT guid FROM message WHERE ROWID = 41;";
    let object = Pair::of(&format!("{deleted} {}", without("ROWID = 41"))).json();
    assert_eq!(wrong(&object), [""; 0], "{object:#}");
    let finding = check(&object, "other_source")["finding"].as_str().unwrap();
    assert!(finding.contains("1 message is lacking here") && finding.contains("1 deleted"), "{finding}");
}

#[test]
fn texts_that_the_phone_does_not_pass_on() {
    let object = Pair::of(&without("service = 'SMS' AND date > 705000000000000000")).json();
    only(
        &object,
        "text_messages problem",
        "No SMS or RCS has come here since 5 May 2023, and the backup of “Ana's iPhone” has",
    );
    let finding = check(&object, "other_source")["finding"].as_str().unwrap();
    assert!(finding.contains("it is known why"), "{finding}");
}

#[test]
fn another_apple_account() {
    let mut phone = year(Schema::MACOS_26.on_device());
    for (chat, day) in [(ANA, 2), (ANA, 4), (ChatId(2), 6)] {
        let message = phone.message(chat).at(&format!("2023-06-{day:02}T12:00:00.5Z")).text("at work");
        let message =
            message.raw("account", "E:work@example.com").raw("destination_caller_id", "work@example.com");
        message.raw("ck_sync_state", 1).raw("ck_record_id", "r");
    }
    let object = Pair::with(&phone, "").json();
    only(
        &object,
        "identities problem",
        "3 messages that the backup of “Ana's iPhone” has went to or from an address of yours",
    );
    let addresses = &check(&object, "identities")["evidence"]["addresses"];
    assert!(
        addresses["me@example.com"].is_number() && addresses["work@example.com"].is_null(),
        "{addresses}"
    );
}

#[test]
fn chats_of_two_accounts_tell_even_where_no_message_does() {
    let object = Pair::of("UPDATE chat SET account_login = 'E:work@example.com'").json();
    let found = wrong(&object);
    assert_eq!(found, ["identities warning"; 2], "each of both: {object:#}");
    let finding = check(&object, "identities")["finding"].as_str().unwrap();
    assert!(finding.contains("here work@example.com, there me@example.com"), "{finding}");
    assert_eq!(check(&object, "identities")["evidence"]["accounts_of_chats"]["work@example.com"], 1);
    // A number is no account, and one account in common is enough.
    for fine in ["UPDATE chat SET account_login = 'P:+12025550100'", "UPDATE chat SET account_login = NULL"] {
        assert_eq!(wrong(&Pair::of(fine).json()), [""; 0], "{fine}");
    }
}

#[test]
fn in_a_terminal_each_has_its_own_part() {
    let pair = Pair::of(&without("ROWID IN (41, 43, 45)"));
    let library = pair.mac.library();
    let words = [
        "doctor",
        "--source",
        library.to_str().unwrap(),
        "--source",
        "backup",
        "--password-file",
        "password",
    ];
    let out = pair.mac.program.run(&words).with_code(3).out;
    assert!(out.contains("1 problem.\n") && out.contains("Healthy: nothing is wrong.\n"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let three = pair.mac.program.run(&[&words[..], &["--source", "backup"]].concat()).with_code(2);
    assert!(three.err.contains("two sources at most"), "{}", three.err);
}
