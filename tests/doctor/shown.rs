//! How it is shown: in a terminal, as JSON.

use super::{ANA, Home, year};
use crate::support::Schema;

/// Something of everything: a problem, warnings, what cannot be told.
fn ill() -> Home {
    let mut library = year(Schema::MACOS_15);
    let film = library.attachment("film.mov").in_icloud().size(52_000_000).id();
    library.message(ANA).at("2023-11-13T11:00:00.5Z").attachment(film);
    let home = Home::of(&library);
    home.preferences("com.apple.iChat.plist", "<key>KeepMessageForDays</key><integer>365</integer>");
    home
}

/// What depends on the machine.
fn without_room(text: &str) -> String {
    let is_of_disk =
        |line: &&str| !line.contains("are free") && !line.contains("free_") && !line.contains("takes about");
    text.lines().filter(is_of_disk).collect::<Vec<_>>().join("\n")
}

/// Where the first paragraph breaks depends on how long the way to the temporary folder is.
fn in_one_line(text: &str) -> String {
    let (what, rest) = text.split_once("\n1 problem").unwrap();
    format!("{}\n1 problem{rest}", what.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_report_of_80_columns() {
    let home = ill();
    let ran = home.program.run(&["doctor"]).with_code(3);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "a pipe gets no colors");
    let place = home.program.home().to_str().unwrap().to_owned();
    insta::assert_snapshot!(without_room(&in_one_line(&ran.out.replace(&place, "HOME"))));
    let verbose = home.program.run(&["doctor", "--verbose"]).with_code(3).out;
    for raw in ["ck_sync_state: 0 1, 1 339", "oldest_waiting: 2023-11-13T12:00:00.5", "setting_days: 365"] {
        assert!(verbose.contains(raw), "{verbose}");
    }
}

#[test]
fn the_json_schema() {
    let home = ill();
    let ran = home.program.run(&["doctor", "--json"]).with_code(3);
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (1, ""));
    let mut object: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    object["sources"][0]["path"] = "…".into();
    for check in object["checks"].as_array_mut().unwrap() {
        if check["name"] == "disk" {
            check["finding"] = "…".into();
            check["evidence"]["free_here"] = 0.into();
            check["evidence"]["free_on_its_disk"] = 0.into();
        }
        if check["name"] == "readable" {
            check["evidence"]["path"] = "…".into();
        }
    }
    insta::assert_snapshot!(format!("{object:#}"));
}

#[test]
fn nothing_is_touched_and_the_number_of_workers_does_not_matter() {
    let home = ill();
    let state = || {
        let mut files: Vec<_> = std::fs::read_dir(home.library()).unwrap().map(|e| e.unwrap()).collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        files
            .iter()
            .map(|file| (file.file_name(), file.metadata().unwrap().modified().unwrap()))
            .collect::<Vec<_>>()
    };
    let before = state();
    let one = without_room(&home.program.run(&["doctor", "--verbose", "--jobs", "1"]).out);
    let many = without_room(&home.program.run(&["doctor", "--verbose", "--jobs", "8"]).out);
    assert_eq!((one, before), (many, state()));
}

#[test]
fn the_readme_has_every_check_in_its_order() {
    let readme = include_str!("../../README.md");
    let rows: Vec<usize> = msgarchive::doctor::CHECKS
        .iter()
        .map(|check| {
            readme.find(&format!("| `{}` | ", check.name)).unwrap_or_else(|| panic!("{}", check.name))
        })
        .collect();
    assert!(rows.is_sorted(), "{rows:?}");
}
