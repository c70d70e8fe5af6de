//! What stands around a conversation in its PDF: the cover, every page's header and footer, numbers for courts.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::Program;
use crate::support::crowd::Crowd;

/// The text of some pages, as it stands.
fn text(pdf: &Path, first: u32, last: u32) -> String {
    let (first, last) = (first.to_string(), last.to_string());
    let ran =
        Command::new("pdftotext").args(["-layout", "-f", &first, "-l", &last]).arg(pdf).arg("-").output();
    String::from_utf8(ran.expect("poppler's programs are installed").stdout).unwrap()
}

fn pages(pdf: &Path) -> u32 {
    let ran = Command::new("pdfinfo").arg(pdf).output().expect("poppler's programs are installed");
    let said = String::from_utf8(ran.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().parse().unwrap()
}

/// The PDFs of an export, by name.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "pdf"))
        .collect();
    found.sort_by_key(|path| path.file_name().unwrap().to_string_lossy().to_lowercase());
    found
}

fn export(program: &Program, arguments: &[&str]) -> Vec<PathBuf> {
    let ran = program.run(&[&["export", "--sample", "--format", "pdf", "--out", "out"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    documents(&program.path().join("out"))
}

#[track_caller]
fn says(text: &str, words: &str) {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(text).contains(&flat(words)), "{words:?} is not in\n{text}");
}

#[test]
fn a_cover_says_what_is_there_where_from_and_what_is_not() {
    let program = Program::new();
    let documents = export(&program, &["--only", "Ana Abbott", "--since", "2019-04-01"]);
    assert_eq!(documents.len(), 1);
    let cover = text(&documents[0], 1, 1);
    says(&cover, "Ana Abbott 6 April 2019 to");
    says(&cover, "Ana Abbott +12025550143, +12025550187");
    says(&cover, "Me the owner of this library");
    says(&cover, "Only the conversations with one person, “Ana Abbott”.");
    says(&cover, "Only messages from 1 April 2019, 00:00:00 (UTC+02:00) on.");
    says(&cover, "Read 14 November 2023, 23:13:20 (UTC+01:00)");
    says(&cover, "All times in Europe/Berlin UTC+02:00 (CEST), UTC+01:00 (CET)");
    says(&cover, "in iCloud, not on this disk");
    let manifest = std::fs::read_to_string(program.path().join("out/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    says(&cover, manifest["source"]["files"][0]["sha256"].as_str().unwrap());
    // The sum is one.
    let account = cover.lines().find(|line| line.contains('=')).expect("an account");
    let numbers: Vec<u64> =
        account.split(['=', '+']).map(|number| number.trim().replace(',', "").parse().unwrap()).collect();
    assert_eq!(numbers.len(), 8);
    assert_eq!(numbers[0], numbers[1..].iter().sum::<u64>(), "{account}");
    assert!(numbers[1] > 0);
}

#[test]
fn without_a_cover_the_first_page_has_the_title() {
    let program = Program::new();
    let with = export(&program, &["--only", "Ana Abbott"]);
    let pages_with = pages(&with[0]);
    let without = export(&program, &["--only", "Ana Abbott", "--no-cover"]);
    assert!(pages(&without[0]) < pages_with);
    let first = text(&without[0], 1, 1);
    says(&first, "Ana Abbott");
    assert!(!first.contains("Where it comes from"));
}

#[test]
fn every_page_says_whose_it_is_of_which_days_and_which_of_how_many() {
    let program = Program::new();
    let document = &export(&program, &["--only", "Ana Abbott"])[0];
    let count = pages(document);
    for page in 1..=count {
        let text = text(document, page, page);
        says(&text, &format!("Page {page} of {count} Times in Europe/Berlin msgarchive"));
        // The cover has all that in larger letters.
        if page > 1 {
            let header = text.lines().next().unwrap();
            let days = header.trim().strip_prefix("Ana Abbott").expect("a title").trim();
            assert!(days.contains(" 20") || page == count && days == "Attachments", "page {page}: {header}");
        }
    }
}

#[test]
fn numbers_run_through_all_documents_whatever_the_number_of_workers() {
    let program = Program::new();
    let folder = program.path().join("Messages");
    Crowd { messages: 1_500, conversations: 5, files: false }.write(&folder).unwrap();
    let source = folder.to_str().unwrap();
    let mut stamped = Vec::new();
    for jobs in ["1", "8"] {
        let out = format!("out-{jobs}");
        let ran = program.run(&[
            "export",
            "--source",
            source,
            "--format",
            "pdf",
            "--jobs",
            jobs,
            "--out",
            &out,
            "--bates",
            "ABC-",
            "--bates-start",
            "0000098",
        ]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let mut next = 98;
        for document in documents(&program.path().join(&out)) {
            let text = text(&document, 1, 100_000);
            for page in text.split_terminator('\u{c}') {
                says(page, &format!("ABC-{next:07}"));
                next += 1;
            }
        }
        stamped.push(next);
    }
    assert!(stamped[0] > 98 + 10);
    assert_eq!(stamped[0], stamped[1]);
}

#[test]
fn options_of_documents_want_a_document() {
    let program = Program::new();
    for (arguments, says) in [
        (&["--format", "csv", "--no-cover"][..], "--no-cover is for PDF"),
        (&["--format", "csv", "--bates", "A"], "--bates is for PDF"),
        (&["--format", "pdf", "--bates-start", "7"], "--bates"),
        (&["--format", "pdf", "--bates", "A", "--bates-start", "one"], "use a number such as 1"),
        (&["--format", "pdf", "--bates", "Ä\u{1b}"], "use at most 24"),
    ] {
        let ran = program.run(&[&["export", "--sample"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(says), "{ran:?}");
    }
}

#[test]
fn an_index_says_of_every_attachment_where_it_is_and_what_it_hashes_to() {
    let program = Program::new();
    let document = &export(&program, &["--only", "Ana Abbott"])[0];
    let count = pages(document);
    let index = text(document, count, count);
    says(&index, "Ana Abbott Attachments");
    says(&index, "IMG_0001.png page 2");
    says(&index, "in iCloud, not on this disk");
    let manifest = std::fs::read_to_string(program.path().join("out/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let picture = files.iter().find(|file| file["path"].as_str().unwrap().contains("IMG_0001.png")).unwrap();
    says(&index, picture["sha256"].as_str().unwrap());
    let bytes =
        Command::new("qpdf").args(["--qdf", "--object-streams=disable"]).arg(document).arg("-").output();
    let bytes = String::from_utf8_lossy(&bytes.unwrap().stdout).into_owned();
    // From the conversation and from the index.
    assert!(bytes.matches("IMG_0001.png)").count() >= 2);
    let without = export(&program, &["--only", "Ana Abbott", "--no-index"]);
    assert!(!text(&without[0], 1, 100).contains("in the order of their messages"));
}

#[test]
fn exact_times_have_seconds_the_offset_and_when_a_message_was_read() {
    let program = Program::new();
    let exact = text(&export(&program, &["--only", "Ana Abbott", "--times", "exact"])[0], 2, 2);
    let stamped = exact.lines().filter(|line| line.trim_end().ends_with("+02:00")).count();
    assert!(stamped > 5, "{exact}");
    says(&exact, "Read ");
    let usual = text(&export(&program, &["--only", "Ana Abbott"])[0], 2, 2);
    assert!(!usual.contains("+02:00"));
}
