//! What an export cannot give, and what looks like one.

use std::fs;

use super::{Kept, ana};
use crate::program::Program;

#[track_caller]
fn refused(kept: &Program, arguments: &[&str], words: &[&str]) {
    let ran = kept.run(arguments).with_code(1);
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn what_needs_the_rows_of_messages_says_so() {
    let kept = Kept::of(&ana(), &[]);
    let words = [
        "export is an export: it says what messages say, and has not the rows they were made of",
        "hint: it can be exported, listed and compared, and read together with others",
    ];
    for arguments in [
        &["archive", "kept", "--source", "export"][..],
        &["storage", "--source", "export"],
        &["doctor", "--source", "export"],
        &["doctor", "--source", "library", "--source", "export"],
    ] {
        refused(&kept.program, arguments, &words);
    }
    assert!(!kept.path("kept/chat.db").exists());
    let past = ["list", "--source", "export", "--as-of", "2024-05-01"];
    refused(&kept.program, &past, &["export knows nothing of the past", "--as-of is for what"]);
}

#[test]
fn formats_for_people_cannot_be_read_back() {
    let program = Program::new();
    program.run(&["export", "--sample", "-f", "txt,csv", "--out", "texts"]).with_code(0);
    for arguments in [&["compare", "texts", "--sample"][..], &["list", "-s", "texts"]] {
        refused(&program, arguments, &["the export texts holds no JSON Lines", "with --format jsonl"]);
    }
}

#[test]
fn exports_of_other_programs_are_told_apart_from_nothing() {
    let program = Program::new();
    for name in ["+12025550143.html", "Ana.txt"] {
        let folder = program.path().join("theirs");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "Apr 01, 2024\nMe\nhello\n").unwrap();
        let words = ["the folder theirs holds no chat.db and no sms.db", "imessage-exporter"];
        refused(&program, &["compare", "--sample", "theirs"], &words);
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir(program.path().join("empty")).unwrap();
    refused(&program, &["list", "-s", "empty"], &["the folder empty holds no chat.db and no sms.db"]);
    fs::write(program.path().join("empty/manifest.json"), "{\"name\":\"a web page\"}").unwrap();
    refused(&program, &["list", "-s", "empty"], &["the folder empty holds no chat.db and no sms.db"]);
}
