//! How an estimate is shown.

use std::path::Path;

use unicode_width::UnicodeWidthStr;

use super::rich;
use crate::program::{Program, Ran};
use crate::support::{Library, Schema};

fn storage(program: &Program, library: &Path, arguments: &[&str]) -> Ran {
    let source = ["storage", "-s", library.to_str().unwrap(), "--contacts", "none"];
    let mut command = program.command(&[&source[..], arguments].concat());
    // The day that all of these count back from.
    command.env("SOURCE_DATE_EPOCH", "1718452800").env("TZ", "UTC");
    crate::program::ran(command.output().unwrap())
}

#[test]
fn tables_of_80_columns() {
    let program = Program::new();
    let library = rich(&program.path().join("library"));
    let wishes = ["--icloud-total", "1GB", "--has", "video", "--larger", "1MB"];
    let out = storage(&program, &library, &wishes).with_code(0).out;
    for line in out.lines() {
        assert!(line.width() <= 80, "{line}");
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_json_schema() {
    let program = Program::new();
    let library = rich(&program.path().join("library"));
    let out = storage(&program, &library, &["--json", "--icloud-total", "37.2GB"]).with_code(0).out;
    assert!(out.starts_with("{\"schema\":1,"), "{out}");
    assert_eq!(out.lines().count(), 1);
    let mut object: serde_json::Value = serde_json::from_str(&out).unwrap();
    // The first of each list shows its keys.
    for list in ["conversations", "senders", "largest"] {
        object[list].as_array_mut().unwrap().truncate(1);
    }
    object["source"]["path"] = "chat.db".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&object).unwrap());
}

#[test]
fn names_made_to_hurt() {
    let program = Program::new();
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let group = library.group(&[ana], "\u{1b}[31m\u{202e}家族グループの長い名前です、とても長い名前です");
    let photo = library.attachment("\u{1b}]0;x\u{7}\u{202e}gpj.jpg").size(5_000).in_icloud().id();
    library.message(group).from(ana).at("2024-05-01T11:30:00Z").text("look").joined(photo);
    let path = library.write(program.path());
    let out = storage(&program, &path, &[]).with_code(0).out;
    assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{out:?}");
    assert!(out.lines().all(|line| line.width() <= 80), "{out}");
}

#[test]
fn what_cannot_be_is_a_wrong_command_line() {
    let program = Program::new();
    let library = rich(&program.path().join("library"));
    let err = storage(&program, &library, &["--larger", "much"]).with_code(2).err;
    assert!(err.contains("50MB"), "{err}");
    let err = storage(&program, &library, &["--conversation", "Plan"]).with_code(1).err;
    assert!(err.contains("Plans"), "{err}");
}
