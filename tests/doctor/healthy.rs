//! What is in order is said to be, wherever it lies.

use std::fs;

use super::{Home, MADRID, as_json, check, synced, with_status, write_list, wrong, year};
use crate::program::Program;
use crate::support::backup::{Layout, wrap};
use crate::support::{Library, Schema};

#[test]
fn this_machines_own_library() {
    for schema in [Schema::MACOS_13, Schema::MACOS_15, Schema::MACOS_26, Schema::MACOS_27] {
        let mut library = year(schema);
        library.wal();
        let home = Home::of(&library);
        let object = home.json(&[]);
        assert_eq!(wrong(&object), [""; 0], "{object:#}");
        assert_eq!(
            with_status(&object, &["unknown"]),
            ["other_source unknown", "identities unknown", "nightly unknown"]
        );
        assert_eq!(check(&object, "complete")["evidence"]["log"], "whole");
        assert_eq!(check(&object, "caught_up")["evidence"]["ck_sync_state"]["1"], 339);
        let ran = home.program.run(&["doctor"]).with_code(0);
        assert!(ran.out.contains("Healthy: nothing is wrong."), "{}", ran.out);
        assert!(home.program.left_in_tmp().is_empty());
    }
}

#[test]
fn a_copy_without_preferences() {
    let home = Home::of(&year(Schema::MACOS_15));
    fs::rename(home.library(), home.program.path().join("copy")).unwrap();
    let object = home.json(&["--source", "copy"]);
    assert_eq!(wrong(&object), [""; 0], "{object:#}");
    let unknown = ["other_source unknown", "keep_messages unknown", "identities unknown", "nightly unknown"];
    assert_eq!(with_status(&object, &["unknown"]), unknown);
    assert_eq!(check(&object, "icloud")["confidence"], "observed");
}

#[test]
fn backups_plain_and_encrypted() {
    let program = Program::new();
    let library = program.path().join("library");
    year(Schema::MACOS_26.on_device()).write(&library);
    write_list(&library.join("Preferences").join(MADRID), &synced("2024-04-30T20:00:00Z"));
    let keep = "<key>SSKeepMessages</key><integer>0</integer>";
    write_list(&library.join("Preferences/com.apple.MobileSMS.plist"), keep);
    fs::write(program.path().join("password"), "secret").unwrap();
    for password in [None, Some("secret")] {
        let backup = program.path().join(format!("backup-{}", password.is_some()));
        wrap(&library, None, &backup, Layout { password, ..Layout::default() });
        let source = backup.to_str().unwrap();
        let ran = program.run(&["doctor", "--json", "--source", source, "--password-file", "password"]);
        let object = as_json(&ran);
        assert_eq!(wrong(&object), [""; 0], "{object:#}");
        assert_eq!(
            with_status(&object, &["unknown"]),
            ["other_source unknown", "identities unknown", "nightly unknown"]
        );
        assert_eq!(check(&object, "icloud")["evidence"]["CloudKitSyncingEnabled"], true);
        assert_eq!(check(&object, "system")["evidence"]["system"], "18.1");
    }
}

#[test]
fn an_archive() {
    let home = Home::of(&year(Schema::MACOS_15));
    home.program.run(&["archive", "archive"]).with_code(0);
    let object = home.json(&["--source", "archive"]);
    assert_eq!(wrong(&object), [""; 0], "{object:#}");
    for (name, status) in [("icloud", "unknown"), ("caught_up", "unknown"), ("keep_messages", "ok")] {
        assert_eq!(check(&object, name)["status"], status, "{name}");
    }
}

#[test]
fn an_empty_library() {
    let program = Program::new();
    Library::new(Schema::MACOS_15).write(&program.path().join("empty"));
    let object = as_json(&program.run(&["doctor", "--json", "--source", "empty"]));
    assert_eq!(wrong(&object), [""; 0], "{object:#}");
    assert_eq!(check(&object, "caught_up")["status"], "unknown");
    assert_eq!(check(&object, "holes")["status"], "unknown");
}

#[test]
fn the_sample_can_be_examined() {
    let ran = Program::new().run(&["doctor", "--sample", "--json"]);
    assert_eq!(wrong(&as_json(&ran)), ["attachments warning"]);
}
