//! `export` as a person or a script meets it: words, exit codes, nothing half done.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::program::{Program, ran};
use crate::support::{Library, Schema};

/// A conversation with Ana and a group with Ana and Ben.
fn library(program: &Program) -> String {
    let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
    let ana = library.handle("+12025550143", "iMessage");
    let ben = library.handle("ben@example.com", "iMessage");
    let direct = library.direct(ana);
    let group = library.group(&[ana, ben], "Lunch");
    library.message(direct).from(ana).at("2024-05-01T11:30:00Z").text("look");
    library.message(direct).from_me().at("2024-05-01T11:31:00Z").text("nice");
    library.message(group).from(ben).at("2024-05-02T11:30:00Z").text("hungry?");
    let folder = program.path().join("Messages");
    fs::create_dir(&folder).unwrap();
    library.write(&folder);
    folder.to_str().unwrap().to_owned()
}

#[test]
fn the_sample_becomes_every_format() {
    let program = Program::new();
    let names: Vec<&str> = msgarchive::writers::FORMATS.iter().map(|f| f.name).collect();
    let ran = program.run(&["export", "--sample", "--format", &names.join(","), "--out", "out"]).with_code(0);
    assert!(ran.out.starts_with("Exported to out\n"), "{}", ran.out);
    assert_eq!(ran.err, "");
    assert!(program.path().join("out/manifest.json").is_file());
    assert_eq!(program.left_in_tmp(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_report_balances_in_words_and_in_json() {
    let program = Program::new();
    let source = library(&program);
    let words =
        program.run(&["export", "-s", &source, "-f", "txt", "--only", "+12025550143"]).with_code(0).out;
    assert!(words.contains("3 read\n  = 2 messages\n  + 1 not selected\n"), "{words}");

    let printed =
        program.run(&["export", "-s", &source, "-f", "txt", "--json", "--out", "other"]).with_code(0).out;
    assert!(printed.starts_with("{\"schema\":1,") && printed.ends_with("}\n"), "{printed}");
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["complete"], true);
    assert_eq!(report["rows"]["messages"], 3);
    assert_eq!(report["time_zone"], "Europe/Berlin");
}

#[test]
fn an_unknown_name_shows_the_nearest_and_writes_nothing() {
    let program = Program::new();
    let source = library(&program);
    let ran = program.run(&["export", "-s", &source, "-f", "txt", "--conversation", "Lunsh"]).with_code(1);
    assert!(ran.err.contains("error: --conversation \"Lunsh\" matches no conversation"), "{}", ran.err);
    assert!(ran.err.contains("hint: the nearest are \"Lunch\""), "{}", ran.err);
    assert!(!program.path().join("msgarchive-export").exists());
}

#[test]
fn ages_count_back_from_the_moment_that_stands_for_now() {
    let program = Program::new();
    let source = library(&program);
    let since_30_days = |now: &str| {
        let mut command = program.command(&["list", "-s", &source, "--since", "30d"]);
        crate::program::ran(command.env("SOURCE_DATE_EPOCH", now).output().unwrap())
    };
    assert!(since_30_days("1714700000").with_code(0).out.contains("3 messages in 2 conversations"));
    since_30_days("1724700000").with_code(1);
}

#[test]
fn a_selection_without_messages_says_what_there_is_and_writes_nothing() {
    let program = Program::new();
    let source = library(&program);
    for selecting in [["--text", "zebra"], ["--since", "2030-01-01"], ["--service", "RCS"]] {
        let ran =
            program.run(&[&["export", "-s", &source, "-f", "txt"][..], &selecting].concat()).with_code(1);
        assert!(ran.err.starts_with("error: no message matches the selection\nhint: without"), "{}", ran.err);
        let flowing = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flowing.contains("3 messages in 2 conversations, 2024-05-01 to 2024-05-02, over iMessage"),
            "{flowing}"
        );
        assert!(!program.path().join("msgarchive-export").exists());
    }
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let program = Program::new();
    for arguments in [
        &["export", "--sample"][..],
        &["export", "--sample", "--format", "docx"],
        &["export", "--sample", "--format", "txt", "--time-zone", "Europe/Berln"],
        &["export", "--sample", "--format", "txt", "--since", "yesterday"],
        &["export", "--sample", "--format", "txt", "--since", "2024-05-02", "--until", "2024-05-01"],
        &["export", "--sample", "--source", "x", "--format", "txt"],
        &["export", "--sample", "--format", "txt", "--jobs", "0"],
        &["export", "--sample", "--format", "txt", "--without", "spam"],
        &["frobnicate"],
        &[],
    ] {
        let ran = program.run(arguments).with_code(2);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(!ran.err.is_empty());
    }
    assert_eq!(fs::read_dir(program.path()).unwrap().count(), 2, "only home and tmp");
}

#[test]
fn an_unknown_zone_names_the_nearest() {
    let program = Program::new();
    let err = program.run(&["list", "--sample", "--time-zone", "Europe/Berln"]).with_code(2).err;
    assert!(err.contains("Europe/Berlin"), "{err}");
    let output = program.command(&["list", "--sample"]).env("TZ", "Mars/Olympus").output().unwrap();
    assert!(ran(output).with_code(2).err.contains("TZ=\"Mars/Olympus\""));
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let program = Program::new();
    fs::create_dir(program.path().join("out")).unwrap();
    fs::write(program.path().join("out/taxes.txt"), "mine").unwrap();
    let arguments = ["export", "--sample", "-f", "txt", "-o", "out"];
    let err = program.run(&arguments).with_code(1).err;
    assert!(err.contains("taxes.txt") && err.contains("--into-existing"), "{err}");
    program.run(&[&arguments[..], &["--into-existing"]].concat()).with_code(0);
    assert_eq!(fs::read_to_string(program.path().join("out/taxes.txt")).unwrap(), "mine");
}

#[test]
fn wrong_sources_say_what_they_are_and_what_to_do() {
    let program = Program::new();
    let source = library(&program);
    let err = |path: &str| program.run(&["export", "-f", "txt", "-s", path]).with_code(1).err;

    let nothing = err("nowhere/chat.db");
    assert!(nothing.contains("error: there is nothing at nowhere/chat.db"), "{nothing}");
    assert!(nothing.contains("hint: "), "{nothing}");

    let above = err(program.path().to_str().unwrap());
    assert!(above.contains("holds no chat.db") && above.contains("Messages/chat.db?"), "{above}");

    fs::write(program.path().join("notes.txt"), "dear diary, this is no database").unwrap();
    assert!(err("notes.txt").contains("not a Messages database"));

    fs::write(program.path().join("empty.db"), "").unwrap();
    assert!(err("empty.db").contains("is empty"));
    assert!(fs::metadata(source).is_ok());
}

#[test]
fn without_a_library_it_says_where_it_looked() {
    let program = Program::new();
    let err = program.run(&["list"]).with_code(1).err;
    assert!(err.contains("no Messages library was found"), "{err}");
    assert!(err.contains("Library/Messages/chat.db") && err.contains("--sample"), "{err}");
}

#[test]
fn the_library_of_the_home_is_the_default() {
    let program = Program::new();
    let source = library(&program);
    fs::create_dir(program.home().join("Library")).unwrap();
    fs::rename(source, program.home().join("Library/Messages")).unwrap();
    let out = program.run(&["list"]).with_code(0).out;
    assert!(out.contains("3 messages in 2 conversations"), "{out}");
}

/// Damage that costs a body is done but incomplete: 3.
#[test]
fn a_damaged_body_is_written_reported_and_status_3() {
    let program = Program::new();
    let source = library(&program);
    let database = rusqlite::Connection::open(format!("{source}/chat.db")).unwrap();
    let changed = database
        .execute("UPDATE message SET attributedBody = x'040B73747265616D747970656481E803', text = NULL WHERE ROWID = 1", [])
        .unwrap();
    assert_eq!(changed, 1);
    database.close().unwrap();
    let ran = program.run(&["export", "-s", &source, "-f", "txt,jsonl", "-o", "out"]).with_code(3);
    assert!(ran.out.contains("= 3 messages") && ran.out.contains("1 defect was found"), "{}", ran.out);
    let manifest = fs::read_to_string(program.path().join("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["defects"].as_array().unwrap().len(), 1);
}

/// Text from a database cannot steer the terminal.
#[test]
fn escape_sequences_in_titles_are_not_printed() {
    let program = Program::new();
    let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
    let ana = library.handle("+12025550143", "iMessage");
    let group = library.group(&[ana], "\u{1b}]0;owned\u{7}\u{202e}Lunch");
    library.message(group).from(ana).at("2024-05-01T11:30:00Z").text("look");
    let path = library.write(program.path());
    let out = program.run(&["list", "-s", path.to_str().unwrap()]).with_code(0).out;
    assert!(out.contains("Lunch") && !out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{out:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let program = Program::new();
    let mut child = program
        .command(&["list", "--sample", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn progress_can_be_forced_into_a_pipe_and_is_silent_otherwise() {
    let program = Program::new();
    let shown = program.run(&["export", "--sample", "-f", "txt", "--progress", "always"]).with_code(0);
    assert!(!shown.err.is_empty());
    let quiet = program.run(&["export", "--sample", "-f", "txt", "--progress", "never"]).with_code(0);
    assert_eq!(quiet.err, "");
}

/// Ctrl-C: 130, and nothing of the export is there.
#[cfg(unix)]
#[test]
fn an_interrupted_export_leaves_nothing() {
    let program = Program::new();
    let mut library = Library::new(Schema::ALL[Schema::ALL.len() - 1]);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for _ in 0..20_000 {
        library.message(chat).from(ana).at("2024-05-01T11:30:00Z").text("again and again");
    }
    let source = library.write(program.path());
    let mut child = program
        .command(&["export", "-s", source.to_str().unwrap(), "-f", "jsonl,txt", "-o", "out", "--jobs", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The hidden folder appears when writing begins.
    let deadline = Instant::now() + Duration::from_secs(60);
    while !program.path().join("out").exists() && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it never began");
        std::thread::sleep(Duration::from_millis(2));
    }
    let pid = child.id().to_string();
    // The shell's own: a bare machine has no other.
    let sent = std::process::Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().unwrap();
    assert!(sent.success());
    let ran = ran(child.wait_with_output().unwrap()).with_code(130);
    assert!(ran.err.contains("error: interrupted"), "{}", ran.err);
    assert_eq!(ran.out, "");
    assert!(!program.path().join("out").exists(), "something was left");
}
