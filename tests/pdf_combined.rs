//! One PDF of all conversations: its contents, chapters, outline, numbers and structure.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::pdf_cover::{documents, pages, says, text};
use crate::program::Program;
use crate::support::crowd::Crowd;

/// What one of poppler's or qpdf's programs says of a document.
fn told(program: &str, arguments: &[&str], pdf: &Path) -> String {
    let ran =
        Command::new(program).args(arguments).arg(pdf).output().expect("poppler and qpdf are installed");
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn all_conversations_are_chapters_of_one_document_that_says_where_each_begins() {
    let program = Program::new();
    let apart = program.run(&["export", "--sample", "--format", "pdf", "--out", "apart"]).with_code(0);
    let ran =
        program.run(&["export", "--sample", "--format", "pdf", "--combine", "--out", "out"]).with_code(0);
    let count = |out: &str| out.lines().nth(1).unwrap().to_owned();
    assert_eq!(count(&apart.out), count(&ran.out));
    let found = documents(&program.path().join("out"));
    let [document] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(document.file_name().unwrap(), "conversations.pdf");
    let checked = Command::new("qpdf").arg("--check").arg(document).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");

    let cover = text(document, 1, 2);
    says(&cover, "7 conversations Messages 22 March 2019 to 24 December 2026 · 290 messages");
    says(&cover, "Every row of these conversations, accounted for 349 = 290 + 54 + 3 + 2 + 0 + 0 + 0");
    says(&cover, "Where it comes from");
    // Every line of the contents leads to the page with that title.
    let titles: Vec<(String, u32)> = cover
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("Conversation "))
        .skip(1)
        .filter(|line| !line.trim().is_empty())
        .take(7)
        .map(|line| {
            let words: Vec<&str> = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
            (words[0].to_owned(), words[words.len() - 1].rsplit(' ').next().unwrap().parse().unwrap())
        })
        .collect();
    assert_eq!(titles[1].0, "Ana Abbott", "{titles:?}");
    assert!(titles.is_sorted_by_key(|(title, page)| (title.to_lowercase(), *page)), "{titles:?}");
    for (title, page) in &titles {
        let first = text(document, *page, *page);
        says(&first, title);
        says(&first, "Every row of this conversation, accounted for");
        assert!(!first.contains("Where it comes from"), "{first}");
    }
    let all = pages(document);
    says(&text(document, all, all), "Larks & Toast IMG_0002.jpg");

    let manifest = std::fs::read_to_string(program.path().join("out/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    let written: Vec<&str> = files
        .map(|file| file["path"].as_str().unwrap())
        .filter(|path| path.ends_with(".pdf") && !path.contains('/'))
        .collect();
    assert_eq!(written, ["conversations.pdf"]);
    assert_eq!(manifest["options"]["combine"], "true");
}

/// The outline as lines: depth, title, and the page it leads to.
fn outline(pdf: &Path) -> Vec<(usize, String, u32)> {
    let json: Value = serde_json::from_str(&told("qpdf", &["--json", "--json-key=outlines"], pdf)).unwrap();
    fn walk(items: &Value, depth: usize, lines: &mut Vec<(usize, String, u32)>) {
        for item in items.as_array().unwrap() {
            let page = item["destpageposfrom1"].as_u64().unwrap() as u32;
            lines.push((depth, item["title"].as_str().unwrap().to_owned(), page));
            walk(&item["kids"], depth + 1, lines);
        }
    }
    let mut lines = Vec::new();
    walk(&json["outlines"], 0, &mut lines);
    lines
}

#[test]
fn the_outline_has_a_level_more() {
    let program = Program::new();
    program.run(&["export", "--sample", "--format", "pdf", "--combine", "--out", "out"]).with_code(0);
    let document = &documents(&program.path().join("out"))[0];
    let lines = outline(document);
    let tops: Vec<&str> =
        lines.iter().filter(|(depth, ..)| *depth == 0).map(|(_, title, _)| title.as_str()).collect();
    assert_eq!(tops.first(), Some(&"Contents"));
    assert_eq!(tops.last(), Some(&"Attachments"));
    assert_eq!(tops.len(), 9, "{tops:?}");
    assert!(lines.is_sorted_by_key(|(.., page)| *page), "{lines:?}");
    let ana = lines.iter().position(|(_, title, _)| title == "Ana Abbott").unwrap();
    let below: Vec<(usize, &str)> =
        lines[ana + 1..ana + 4].iter().map(|(depth, title, _)| (*depth, title.as_str())).collect();
    assert_eq!(below, [(1, "2019"), (2, "April 2019"), (3, "6 April")]);
    let mut pages_of: BTreeMap<u32, String> = BTreeMap::new();
    for (_, title, page) in lines.iter().filter(|(depth, ..)| *depth == 3) {
        let page = pages_of.entry(*page).or_insert_with(|| text(document, *page, *page));
        assert!(page.contains(title), "{title} is not on\n{page}");
    }

    // A document of one conversation has its cover and its index there, too.
    program
        .run(&["export", "--sample", "--format", "pdf", "--only", "Ana Abbott", "--out", "one"])
        .with_code(0);
    let lines = outline(&documents(&program.path().join("one"))[0]);
    assert_eq!(lines[0], (0, "Cover".into(), 1));
    assert_eq!((lines[lines.len() - 1].0, lines[lines.len() - 1].1.as_str()), (0, "Attachments"));
}

#[test]
fn one_document_is_the_same_whatever_the_number_of_workers() {
    let program = Program::new();
    let folder = program.path().join("Messages");
    Crowd { messages: 1_200, conversations: 6, files: true }.write(&folder).unwrap();
    let source = folder.to_str().unwrap();
    for more in [&["--bates", "X-", "--no-cover"][..], &["--times", "exact", "--since", "2012-01-01"]] {
        let mut first: Option<Vec<u8>> = None;
        for jobs in ["1", "2", "7"] {
            let out = format!("out-{jobs}");
            let arguments = [
                "export",
                "--source",
                source,
                "--format",
                "pdf,txt",
                "--combine",
                "--out",
                &out,
                "--jobs",
                jobs,
            ];
            let ran = program.run(&[&arguments[..], more].concat());
            assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
            let bytes = std::fs::read(program.path().join(&out).join("conversations.pdf")).unwrap();
            assert!(*first.get_or_insert_with(|| bytes.clone()) == bytes, "--jobs {jobs} {more:?}");
        }
    }
}

#[test]
fn numbers_and_labels_run_through_one_document() {
    let program = Program::new();
    let arguments = [
        "export",
        "--sample",
        "--format",
        "pdf",
        "--combine",
        "--bates",
        "ABC",
        "--bates-start",
        "0095",
        "--out",
        "out",
    ];
    program.run(&arguments).with_code(0);
    let document = &documents(&program.path().join("out"))[0];
    let all = text(document, 1, 10_000);
    for (page, number) in all.split_terminator('\u{c}').zip(95..) {
        says(page, &format!("ABC{number:06}"));
    }
    let json: Value =
        serde_json::from_str(&told("qpdf", &["--json", "--json-key=pagelabels"], document)).unwrap();
    let labels = json["pagelabels"].as_array().unwrap();
    let label = |at: usize| {
        (
            labels[at]["index"].as_u64().unwrap(),
            labels[at]["label"]["/P"].as_str().unwrap(),
            labels[at]["label"]["/St"].as_u64(),
        )
    };
    assert_eq!([label(0), label(1)], [(0, "u:ABC0000", Some(95)), (5, "u:ABC000", Some(100))]);
}

#[test]
fn one_document_is_not_divided() {
    let ran = Program::new().run(&["export", "--sample", "--format", "pdf", "--combine", "--split", "year"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("'--combine' cannot be used with '--split"), "{ran:?}");
}

#[test]
fn nothing_selected_leaves_no_document() {
    let program = Program::new();
    let ran = program.run(&[
        "export",
        "--sample",
        "--format",
        "pdf",
        "--combine",
        "--text",
        "nobody said this",
        "--out",
        "out",
    ]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!program.path().join("out").exists());
}

#[test]
fn what_is_read_aloud_has_spaces_and_tables() {
    let program = Program::new();
    program.run(&["export", "--sample", "--format", "pdf", "--combine", "--out", "out"]).with_code(0);
    let document = program.path().join("out/conversations.pdf");
    let read = told("pdfinfo", &["-struct-text"], &document);
    for words in [
        "\"Ana Abbott · iMessage 11:12 Is this Robin, the new keeper out at Skerry Light?\"",
        "\"Me 11:12 It is! Two weeks in. The light works, I mostly don't. 😂 Laughed at by Ana Abbott\"",
    ] {
        assert!(read.contains(words), "{words} is not in\n{read}");
    }
    let flat = read.split_whitespace().collect::<Vec<_>>().join(" ");
    for structure in [
        "TR TH: /Scope /Row \"tapbacks shown\" TD \"53\"",
        "TR TH: /Scope /Column \"Conversation\" TH: /Scope /Column \"Messages\" TH: /Scope /Column \"Period\"",
        "H1 (block) \"Messages\"",
        "H2 (block) \"Ana Abbott\"",
        "H3 (block) \"Saturday, 6 April 2019\"",
    ] {
        assert!(flat.contains(structure), "{structure} is not in\n{flat}");
    }
    // Initials and badges are only looked at: names and kinds are said beside them.
    assert!(read.contains("June Lark") && !read.contains("\"JL"), "{read}");
}
