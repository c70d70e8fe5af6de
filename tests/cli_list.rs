//! `list` and `sources`, for people and for scripts.

use std::fs;

use unicode_width::UnicodeWidthStr;

use crate::program::Program;
use crate::support::backup::{Layout, wrap};
use crate::support::{Library, Schema};

#[test]
fn the_sample_is_a_table_of_80_columns() {
    let out = Program::new().run(&["list", "--sample"]).with_code(0).out;
    for line in out.lines() {
        assert!(line.width() <= 80, "{line}");
    }
    let header = "CONVERSATION            KIND     MESSAGES   FILES  PERIOD             ID";
    assert_eq!(out.lines().next(), Some(header));
    assert!(out.contains("Ana Abbott              direct  "), "{out}");
}

#[test]
fn wide_glyphs_keep_the_columns_straight() {
    let program = Program::new();
    let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
    let ana = library.handle("+12025550143", "iMessage");
    for title in ["家族グループの長い名前です、とても長い", "👩‍👩‍👧‍👦 Familie", "short"]
    {
        let group = library.group(&[ana], title);
        library.message(group).from(ana).at("2024-05-01T11:30:00Z").text("look");
    }
    let path = library.write(program.path());
    let out = program.run(&["list", "-s", path.to_str().unwrap()]).with_code(0).out;
    let ends: Vec<usize> = out.lines().filter(|l| l.contains("  c-")).map(UnicodeWidthStr::width).collect();
    assert_eq!(ends.len(), 3, "{out}");
    assert!(ends.iter().all(|end| *end == ends[0]), "{out}");
}

#[test]
fn list_prints_one_object() {
    let out = Program::new().run(&["list", "--sample", "--json"]).with_code(0).out;
    assert!(out.starts_with("{\"schema\":1,\"conversations\":["), "{out}");
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    for conversation in list["conversations"].as_array().unwrap() {
        let keys: Vec<&String> = conversation.as_object().unwrap().keys().collect();
        let expected = [
            "id",
            "title",
            "kind",
            "chat_guids",
            "participants",
            "services",
            "messages",
            "first",
            "last",
            "file",
            "attachments",
            "bytes",
        ];
        assert_eq!(keys, expected);
    }
}

/// What `list` counts is what `export` writes.
#[test]
fn list_and_export_agree() {
    let program = Program::new();
    let selecting = ["--sample", "--has", "image", "--without", "deleted"];
    let listed = program.run(&[&["list", "--json"], &selecting[..]].concat()).with_code(0).out;
    program.run(&[&["export", "-f", "jsonl", "-o", "out"], &selecting[..]].concat()).with_code(0);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let written = fs::read_to_string(program.path().join("out/conversations.jsonl")).unwrap();
    let counts = |value: &serde_json::Value| (value["id"].to_string(), value["messages"].as_u64());
    let written: Vec<_> = written.lines().map(|l| counts(&serde_json::from_str(l).unwrap())).collect();
    let listed: Vec<_> = listed["conversations"].as_array().unwrap().iter().map(counts).collect();
    assert!(!written.is_empty());
    assert_eq!(listed, written);
}

#[test]
fn sources_of_an_empty_home() {
    let program = Program::new();
    assert!(program.run(&["sources"]).with_code(0).out.starts_with("No Messages library"));
    assert_eq!(program.run(&["sources", "--json"]).with_code(0).out, "{\"schema\":1,\"sources\":[]}\n");
}

#[test]
fn sources_finds_the_library_of_the_home() {
    let program = Program::new();
    let folder = program.home().join("Library/Messages");
    fs::create_dir_all(&folder).unwrap();
    let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    library.message(chat).from(ana).at("2024-05-01T11:30:00Z").text("look");
    library.write(&folder);
    assert!(program.run(&["sources"]).with_code(0).out.starts_with("Messages library: "));
    let printed = program.run(&["sources", "--json"]).with_code(0).out;
    let found: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["sources"][0]["kind"], "library");
    assert_eq!(found["sources"][0]["complete"], true);
    assert_eq!(found["sources"][0].get("bytes"), None);
    assert_eq!(found["sources"][0]["keep_messages"], serde_json::Value::Null);
}

#[test]
fn sources_say_how_long_each_keeps_messages() {
    let program = Program::new();
    let library = Library::new(Schema::MACOS_15);
    let folder = program.home().join("Library/Messages");
    fs::create_dir_all(&folder).unwrap();
    library.write(&folder);
    let list = |days: i64| {
        let entries = [("KeepMessageForDays".to_owned(), plist::Value::from(days))].into_iter().collect();
        plist::Value::Dictionary(entries)
    };
    let preferences = program.home().join("Library/Preferences");
    fs::create_dir_all(&preferences).unwrap();
    list(0).to_file_xml(preferences.join("com.apple.iChat.plist")).unwrap();
    let device = program.path().join("device");
    fs::create_dir_all(device.join("Preferences")).unwrap();
    library.write(&device);
    list(365).to_file_binary(device.join("Preferences/com.apple.MobileSMS.plist")).unwrap();
    let backups = program.home().join("Library/Application Support/MobileSync/Backup");
    for (name, old, password) in [("a", false, None), ("b", true, None), ("c", false, Some("secret"))] {
        wrap(&device, None, &backups.join(name), Layout { old, password, ..Layout::default() });
    }
    let printed = program.run(&["sources", "--json"]).with_code(0).out;
    let found: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let kept: Vec<_> = (0..4).map(|source| &found["sources"][source]["keep_messages"]).collect();
    let year = serde_json::json!({"days": 365});
    assert_eq!(kept, [&serde_json::json!({"days": null}), &year, &year, &serde_json::Value::Null]);
    let words = program.run(&["sources"]).with_code(0).out;
    assert_eq!(words.matches("keeps messages for one year").count(), 2, "{words}");
    assert_eq!(words.matches("keeps messages forever").count(), 1, "{words}");
}

#[test]
fn sources_say_how_large_they_are_when_asked() {
    let program = Program::new();
    let folder = program.home().join("Library/Messages");
    fs::create_dir_all(folder.join("Attachments/ab")).unwrap();
    fs::write(folder.join("chat.db"), [1; 1_000]).unwrap();
    fs::write(folder.join("Attachments/ab/photo.jpeg"), [1; 2_000]).unwrap();
    assert!(program.run(&["sources", "--size"]).with_code(0).out.contains(", 3 KB"));
    let printed = program.run(&["sources", "--size", "--json"]).with_code(0).out;
    let found: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["sources"][0]["bytes"], 3_000);
}
