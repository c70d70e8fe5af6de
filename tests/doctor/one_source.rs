//! Faults that one source shows.

use std::fs;

use super::{ANA, Home, MADRID, as_json, check, only, say, synced, with_status, year};
use crate::program::Program;
use crate::support::backup::{Layout, wrap};
use crate::support::{Library, Schema};

/// A fault of the healthy year, planted with SQL.
#[track_caller]
fn planted(sql: &str, expect: &str, says: &str) {
    let home = Home::of(&year(Schema::MACOS_15));
    home.change(sql);
    only(&home.json(&[]), expect, says);
}

#[test]
fn a_database_copied_without_its_log() {
    let mut library = year(Schema::MACOS_15);
    library.wal();
    let home = Home::of(&library);
    // What the log has goes into the database, which still wants one.
    home.change("PRAGMA wal_checkpoint(TRUNCATE)");
    let copy = home.program.path().join("copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(home.library().join("chat.db"), copy.join("chat.db")).unwrap();
    fs::rename(home.library().join("Attachments"), copy.join("Attachments")).unwrap();
    only(&home.json(&["--source", "copy"]), "complete warning", "none lies beside it");
}

#[test]
fn a_log_of_another_time() {
    let mut library = year(Schema::MACOS_15);
    library.wal();
    let home = Home::of(&library);
    let log = home.library().join("chat.db-wal");
    let old = fs::read(&log).unwrap();
    home.change(
        "CREATE TABLE more (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
                 INSERT INTO more SELECT printf('%0900d', i) FROM n; PRAGMA wal_checkpoint(TRUNCATE)",
    );
    fs::write(&log, old).unwrap();
    let object = home.json(&[]);
    assert_eq!(check(&object, "complete")["evidence"]["log"], "stale", "{object:#}");
    only(&object, "complete problem", "is older than the database");
}

#[test]
fn a_log_that_is_damaged() {
    let home = Home::of(&year(Schema::MACOS_15));
    home.change("PRAGMA journal_mode = WAL");
    fs::write(home.library().join("chat.db-wal"), [7; 8192]).unwrap();
    only(&home.json(&[]), "complete problem", "nothing in it is valid");
}

#[test]
fn an_unfinished_backup() {
    let program = Program::new();
    let library = program.path().join("library");
    year(Schema::MACOS_26.on_device()).write(&library);
    wrap(&library, None, &program.path().join("backup"), Layout::default());
    fs::create_dir(program.path().join("backup/Snapshot")).unwrap();
    let object = as_json(&program.run(&["doctor", "--json", "--source", "backup"]));
    only(&object, "complete problem", "it was not finished");
}

#[test]
fn a_system_that_is_newer_than_this_program() {
    planted(
        "UPDATE _SqliteDatabaseProperties SET value = '99001' WHERE key = '_ClientVersion'",
        "complete warning",
        "newer than this program",
    );
}

#[test]
fn messages_in_icloud_is_off() {
    let home = Home::of(&year(Schema::MACOS_15));
    home.preferences(MADRID, "<key>CloudKitSyncingEnabled</key><false/>");
    let object = home.json(&[]);
    only(&object, "icloud warning", "It is off on this device");
    assert_eq!(check(&object, "caught_up")["status"], "unknown");
}

#[test]
fn it_was_never_on_or_was_reset() {
    let copy = |sql: &str| {
        let home = Home::of(&year(Schema::MACOS_15));
        home.change(sql);
        fs::rename(home.library(), home.program.path().join("copy")).unwrap();
        home.json(&["--source", "copy"])
    };
    only(
        &copy("UPDATE message SET ck_sync_state = 0, ck_record_id = NULL"),
        "icloud warning",
        "No row was ever synced",
    );
    only(&copy("UPDATE message SET ck_sync_state = 0, ck_record_id = ''"), "icloud warning", "was reset");
}

#[test]
fn rows_that_never_went_up() {
    let unsynced =
        "UPDATE message SET ck_sync_state = 0, ck_record_id = NULL WHERE ROWID BETWEEN 300 AND 304";
    planted(
        unsynced,
        "caught_up problem",
        "5 messages of this device are not in iCloud yet; the oldest is of 7 October 2023.",
    );
    planted(
        "UPDATE message SET ck_sync_state = 2 WHERE ROWID = 300",
        "caught_up problem",
        "The upload of 1 message failed.",
    );
    // What is younger than an hour is on its way; details that wait are no fault.
    let home = Home::of(&year(Schema::MACOS_15));
    home.change("UPDATE message SET date = date + 200000000000000 WHERE ROWID = 340");
    for fine in [
        "UPDATE message SET ck_sync_state = 8 WHERE ROWID = 1; UPDATE message SET ck_sync_state = 9 WHERE ROWID = 3",
        "UPDATE message SET syndication_ranges = 'x' WHERE ROWID = 5",
        "UPDATE message SET ck_sync_state = 0, was_detonated = 1 WHERE ROWID = 7",
        "UPDATE message SET ck_sync_state = 0, service = 'iMessageOld' WHERE ROWID = 9",
    ] {
        home.change(fine);
        let object = home.json(&[]);
        assert_eq!(super::wrong(&object), [""; 0], "{fine}: {object:#}");
    }
    assert!(
        check(&home.json(&[]), "caught_up")["finding"].as_str().unwrap().contains("of 3 rows some detail")
    );
}

#[test]
fn what_was_sent_within_the_hour_is_on_its_way() {
    let mut library = year(Schema::MACOS_15);
    library.message(ANA).from_me().at("2023-11-14T21:40:00.5Z").text("on its way");
    assert_eq!(super::wrong(&Home::of(&library).json(&[])), [""; 0]);
    library.message(ANA).from_me().at("2023-11-14T20:40:00.5Z").text("stuck");
    only(&Home::of(&library).json(&[]), "caught_up problem", "1 message of this device is not in iCloud yet");
}

#[test]
fn deletions_that_were_not_sent() {
    let message =
        "INSERT INTO sync_deleted_messages (guid, recordID) VALUES ('A', 'r'), ('B', 'r'), ('C', '')";
    planted(message, "caught_up warning", "2 deletions have not been sent");
    let recoverable =
        "INSERT INTO unsynced_removed_recoverable_messages (chat_guid, message_guid) VALUES ('c', 'm')";
    planted(recoverable, "caught_up warning", "1 deletion has not been sent");
    let cancelled = "INSERT INTO scheduled_messages_pending_cloudkit_delete (guid, recordID) VALUES ('S', 'r'), ('T', NULL)";
    planted(cancelled, "caught_up warning", "1 deletion has not been sent");
}

#[test]
fn a_download_that_stopped_and_a_sync_of_long_ago() {
    let on = "<key>CloudKitSyncingEnabled</key><true/>";
    for (more, says) in [
        ("<key>CloudKitLastDownloadProgress</key><real>0.42</real>", "stopped at 42 %"),
        ("<key>CloudKitHasAvailableRecordsToDownload</key><true/>", "iCloud has more to download"),
        (
            "<key>CloudKitSyncDate</key><date>2023-10-01T00:00:00Z</date>",
            "The last sync was on 1 October 2023",
        ),
    ] {
        let home = Home::of(&year(Schema::MACOS_15));
        home.preferences(MADRID, &format!("{on}{more}"));
        let object = home.json(&[]);
        only(&object, "caught_up warning", says);
        assert_eq!(check(&object, "caught_up")["then"].as_array().unwrap().len(), 6);
    }
    assert!(synced(super::NOW).contains("2023-11-14"));
}

#[test]
fn attachments_that_are_only_in_icloud_and_lost_ones() {
    let with = |change: &dyn Fn(&mut Library) -> crate::support::AttachmentId| {
        let mut library = year(Schema::MACOS_15);
        let attachment = change(&mut library);
        let message = library.message(ANA).at("2023-11-13T11:00:00.5Z").attachment(attachment);
        message.raw("ck_sync_state", 1).raw("ck_record_id", "r");
        Home::of(&library).json(&[])
    };
    let object = with(&|library| library.attachment("film.mov").in_icloud().size(52_000_000).id());
    only(&object, "attachments warning", "1 attachment of 1 conversation is only in iCloud (52.0 MB)");
    assert_eq!(check(&object, "attachments")["evidence"]["purged_by_apples_definition"], 1);
    assert_eq!(check(&object, "attachments")["confidence"], "defined");
    let object = with(&|library| library.attachment("gone.mov").size(5).id());
    only(&object, "attachments warning", "is not here, and nothing says that iCloud has a copy");
    // What people do not see is not missed.
    let object = with(&|library| library.attachment("x.pluginPayloadAttachment").hidden().in_icloud().id());
    assert_eq!(super::wrong(&object), [""; 0]);
}

#[test]
fn whether_icloud_has_it_an_old_database_does_not_say() {
    let mut library = year(Schema::OSX_10_10);
    let gone = library.attachment("gone.mov").size(5).id();
    library.message(ANA).at("2023-11-13T11:00:00.5Z").attachment(gone);
    let object = Home::of(&library).json(&[]);
    let attachments = check(&object, "attachments");
    assert!(
        attachments["finding"].as_str().unwrap().contains("no column that says whether"),
        "{attachments:#}"
    );
    assert!(attachments["evidence"]["only_in_icloud"].is_null(), "no zeros");
    assert_eq!(attachments["evidence"]["not_here_nor_known_to_be_in_icloud"], 1);
}

#[test]
fn nothing_comes_any_more() {
    let mut library = year(Schema::MACOS_15);
    // What is to be sent next month is not the last message.
    library.message(ANA).from_me().at("2024-04-01T09:00:00.5Z").scheduled(1).text("later");
    let home = Home::of(&library);
    home.preferences(MADRID, &synced("2024-03-01T20:00:00Z"));
    let mut command = home.program.command(&["doctor", "--json"]);
    // 1 March 2024.
    let ran = crate::program::ran(command.env("SOURCE_DATE_EPOCH", "1709330000").output().unwrap());
    only(&as_json(&ran), "caught_up warning", "The last message is of 13 November 2023");
}

#[test]
fn a_hole_of_three_months() {
    let gone = "date BETWEEN 700000000000000000 AND 706500000000000000";
    let sql = format!(
        "DELETE FROM chat_message_join WHERE message_id IN (SELECT ROWID FROM message WHERE {gone});
         DELETE FROM message WHERE {gone}"
    );
    planted(&sql, "holes warning", "There is not one message in 2023-04 to 2023-05");
    let gone = "date BETWEEN 699000000000000000 AND 707000000000000000";
    let sql = format!(
        "DELETE FROM chat_message_join WHERE message_id IN (SELECT ROWID FROM message WHERE {gone});
         DELETE FROM message WHERE {gone}"
    );
    planted(&sql, "holes warning", "There is not one message in 2023-03 to 2023-05");
}

#[test]
fn messages_that_are_not_kept() {
    let home = Home::of(&year(Schema::MACOS_15));
    home.preferences("com.apple.iChat.plist", "<key>KeepMessageForDays</key><integer>365</integer>");
    only(&home.json(&[]), "keep_messages warning", "set to 1 year: what is older will be removed");
    home.preferences("com.apple.iChat.plist", "<key>SSKeepMessages</key><integer>30</integer>");
    only(&home.json(&[]), "keep_messages warning", "set to 30 days: what is older will be removed");
}

#[test]
fn no_texts_since_may() {
    let mut library = year(Schema::MACOS_15);
    library.sql(
        "DELETE FROM chat_message_join WHERE message_id IN
             (SELECT ROWID FROM message WHERE service = 'SMS' AND date > 705000000000000000);
         DELETE FROM message WHERE service = 'SMS' AND date > 705000000000000000",
    );
    let object = Home::of(&library).json(&[]);
    only(
        &object,
        "text_messages warning",
        "No SMS or RCS has come here since 5 May 2023, while iMessages have",
    );
}

#[test]
fn an_old_system() {
    let home = Home::of(&year(Schema::OSX_10_10));
    fs::remove_dir_all(home.program.home().join("Library/Preferences")).unwrap();
    let object = home.json(&[]);
    only(&object, "system problem", "too old for Messages in iCloud");
    for (name, says) in [("icloud", "no row has the columns"), ("caught_up", "No row has the columns")] {
        let found = check(&object, name);
        assert_eq!(found["status"], "unknown");
        assert!(found["finding"].as_str().unwrap().contains(says), "{found:#}");
    }
    assert!(check(&object, "caught_up")["evidence"]["ck_sync_state"].is_null(), "no zeros");

    let program = Program::new();
    let library = program.path().join("library");
    year(Schema::IOS_10).write(&library);
    wrap(&library, None, &program.path().join("backup"), Layout::default());
    let info = program.path().join("backup/Info.plist");
    write(&info, "<key>Product Version</key><string>9.3.5</string>");
    let object = as_json(&program.run(&["doctor", "--json", "--source", "backup"]));
    only(&object, "system problem", "iOS 9.3.5 is too old");
    // Whether 10.13 is new enough its database does not say.
    let home = Home::of(&year(Schema::MACOS_10_13));
    assert_eq!(with_status(&home.json(&[]), &["unknown"]).len(), 4);
}

#[test]
fn an_iphone_of_2010() {
    let program = Program::new();
    let db = rusqlite::Connection::open(program.path().join("sms.db")).unwrap();
    db.execute_batch(include_str!("../../fixtures/schema/ios-4.sql")).unwrap();
    for day in 0..60 {
        let row = (1_290_000_000 + day * 86_400, format!("day {day}"));
        db.execute(
            "INSERT INTO message (address, date, text, flags) VALUES ('+12025550143', ?1, ?2, 2)",
            row,
        )
        .unwrap();
    }
    let object = as_json(&program.run(&["doctor", "--json", "--source", "sms.db"]));
    assert_eq!(check(&object, "readable")["evidence"]["rows"], 60, "{object:#}");
    assert_eq!(check(&object, "text_messages")["evidence"]["texts"], 60);
    for name in ["icloud", "caught_up"] {
        assert_eq!(check(&object, name)["status"], "unknown", "{name}");
    }
    assert_ne!(check(&object, "system")["status"], "ok");
}

fn write(path: &std::path::Path, entries: &str) {
    super::write_list(path, entries);
}

#[test]
fn rows_astray_twice_and_damaged() {
    let mut library = year(Schema::MACOS_15);
    for _ in 0..30 {
        library.orphan().at("2023-11-01T10:00:00Z").text("astray");
    }
    only(&Home::of(&library).json(&[]), "rows warning", "30 rows in no conversation");

    let mut library = year(Schema::MACOS_15);
    for day in 1..13 {
        say(&mut library, ANA, &format!("2023-10-{day:02}T09:00:00.75Z"), &format!("to Ana, 2023-10-{day}"));
    }
    only(&Home::of(&library).json(&[]), "rows warning", "12 messages that are there twice");

    planted(
        "UPDATE message SET text = NULL, attributedBody = x'040b73747265616d747970656481' WHERE ROWID = 3",
        "rows warning",
        "1 message whose text is damaged",
    );
}
