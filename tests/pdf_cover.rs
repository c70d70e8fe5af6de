//! What stands around a conversation in its PDF: the cover, every page's header and footer, numbers for courts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use msgarchive::disk::{Others, Staging};
use msgarchive::model::{Conversation, ConversationKind, Message, Participant};
use msgarchive::pipeline::writer::Finished;
use msgarchive::pipeline::{AttachmentCounts, RowCounts};
use msgarchive::writers::pdf::{Paper, PdfOptions};
use msgarchive::writers::{FORMATS, WriterOptions};
use serde_json::Value;

use crate::program::Program;
use crate::support::crowd::Crowd;

/// The text of some pages, as it stands.
pub fn text(pdf: &Path, first: u32, last: u32) -> String {
    let (first, last) = (first.to_string(), last.to_string());
    let ran =
        Command::new("pdftotext").args(["-layout", "-f", &first, "-l", &last]).arg(pdf).arg("-").output();
    String::from_utf8(ran.expect("poppler's programs are installed").stdout).unwrap()
}

pub fn pages(pdf: &Path) -> u32 {
    let ran = Command::new("pdfinfo").arg(pdf).output().expect("poppler's programs are installed");
    let said = String::from_utf8(ran.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().parse().unwrap()
}

/// The PDFs of an export, by name.
pub fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "pdf"))
        .collect();
    found.sort_by_key(|path| path.file_name().unwrap().to_string_lossy().to_lowercase());
    found
}

fn export(program: &Program, arguments: &[&str]) -> Vec<PathBuf> {
    // What an export before left would stay beside it.
    let _ = std::fs::remove_dir_all(program.path().join("out"));
    let ran = program.run(&[&["export", "--sample", "--format", "pdf", "--out", "out"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    documents(&program.path().join("out"))
}

#[track_caller]
pub fn says(text: &str, words: &str) {
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
    says(&cover, "All times in Europe/Berlin: UTC+02:00 (CEST), UTC+01:00 (CET)");
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

#[test]
fn parts_name_their_neighbors_and_hold_every_message_once() {
    let program = Program::new();
    let whole = text(&export(&program, &["--only", "Ana Abbott"])[0], 2, 100);
    for (split, first, second) in [
        ("year", ".2019.pdf", ".2020.pdf"),
        ("month", ".2019-04.pdf", ".2019-05.pdf"),
        ("20", ".001.pdf", ".002.pdf"),
    ] {
        let parts = export(&program, &["--only", "Ana Abbott", "--split", split, "--bates", "P"]);
        assert!(parts.len() > 2, "{split}: {parts:?}");
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name(&parts[0]).ends_with(first) && name(&parts[1]).ends_with(second), "{split}: {parts:?}");
        let texts: Vec<String> = parts.iter().map(|part| text(part, 1, 100)).collect();
        says(&texts[0], "Before it none");
        says(&texts[0], &format!("After it {}", name(&parts[1])));
        says(&texts[0], &format!("Continued in {}", name(&parts[1])));
        says(&texts[0], "In the last part of this conversation, and in manifest.json.");
        says(&texts[1], &format!("Before it {}", name(&parts[0])));
        let last = texts.last().unwrap();
        says(last, "After it none");
        assert!(!last.contains("Continued in") && last.contains("rows read"), "{last}");
        // Numbers run through the parts, and every message is in one of them.
        let pages: u32 = parts.iter().map(|part| pages(part)).sum();
        says(last, &format!("P{pages:06}"));
        for words in ["Is this Robin, the new keeper", "That's a long speech for him."] {
            let count =
                |texts: &[String]| texts.iter().map(|text| text.matches(words).count()).sum::<usize>();
            assert_eq!(count(&texts), count(std::slice::from_ref(&whole)), "{words}");
        }
        let held: u64 = texts
            .iter()
            .map(|text| {
                let line = text
                    .lines()
                    .find(|line| line.contains(" messages") || line.contains(" message"))
                    .unwrap();
                let count = line.split('·').next_back().unwrap().split_whitespace().next().unwrap();
                count.parse::<u64>().unwrap()
            })
            .sum();
        assert_eq!(held, 98);
    }
    // With no cover the neighbors are named where the messages begin.
    let parts = export(&program, &["--only", "Ana Abbott", "--split", "year", "--no-cover"]);
    says(&text(&parts[1], 1, 1), "Continues Ana Abbott");
    for nonsense in ["0", "day", "-1"] {
        let ran = program.run(&["export", "--sample", "--format", "pdf", &format!("--split={nonsense}")]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("use year, month, or a number of messages"), "{ran:?}");
    }
}

#[test]
fn the_cover_of_a_crowd_with_strange_names_and_dates_has_the_pages_that_were_left_for_it() {
    let strange = ["שלום עולם ".repeat(40), "🧑‍🤝‍🧑 ".repeat(60), "W".repeat(500), "\u{202e}\u{1b}[31m\n".into()];
    let participants = (0..300)
        .map(|number| Participant {
            name: (number % 3 > 0).then(|| format!("{number} {}", strange[number % strange.len()])),
            handles: (0..number % 9).map(|n| format!("+1202555{number:03}{n}")).collect(),
        })
        .collect();
    let conversation = Conversation {
        id: "c-1f3a9b2c".into(),
        title: strange.concat(),
        kind: ConversationKind::Group,
        chat_guids: Vec::new(),
        participants,
        services: vec!["iMessage".into(), "Ω".repeat(300)],
        lost: Vec::new(),
    };
    let dates = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"];
    let messages: Vec<Message> =
        dates.map(|date| crate::export_pdf::text(false, date.parse().ok(), "Hello")).into();
    for paper in [Paper::A4, Paper::A5] {
        let pdf = PdfOptions { paper, font_size: 24.0, ..PdfOptions::default() };
        let options = WriterOptions { pdf, ..WriterOptions::default() };
        let folder = tempfile::tempdir().unwrap();
        let staging = Arc::new(Staging::begin(&folder.path().join("out"), Others::Allowed).unwrap());
        let format = FORMATS.iter().find(|format| format.name == "pdf").unwrap();
        let writer = (format.open)(Arc::clone(&staging), &options).unwrap();
        let mut file = writer.begin(&conversation).unwrap();
        file.append(writer.prepare(&conversation, &messages).unwrap()).unwrap();
        let rows = RowCounts { read: u64::MAX, messages: u64::MAX, ..RowCounts::default() };
        let done = Finished {
            conversation: Conversation { services: vec!["SMS".into()], ..conversation.clone() },
            rows,
            attachments: AttachmentCounts::default(),
            first: messages[0].date,
            last: messages[2].date,
        };
        file.finish(&done).unwrap();
        staging.publish(|_| 0).unwrap();
        let document = &documents(&folder.path().join("out"))[0];
        let count = pages(document);
        assert!(count > 10, "{count}");
        says(&text(document, count, count), &format!("Page {count} of {count}"));
        assert!(text(document, 1, count).contains("18,446,744,073,709,551,615"));
        let checked = Command::new("qpdf").arg("--check").arg(document).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
}
