//! How an estimate is shown.

use std::fs;
use std::path::Path;
use std::process::Command;

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
    let words = [
        "שיחה ארוכה מאוד עם כל המשפחה המורחבת",
        "👨‍👩‍👧‍👦🇩🇪👍🏽 Familie 👨‍👩‍👧‍👦🇩🇪👍🏽 Familie 👨‍👩‍👧‍👦🇩🇪",
        "ว่าด้วยเรื่องยาวมากในกลุ่มนี้ครับ",
        &"W".repeat(300),
    ];
    for (name, number) in words.iter().zip(0..) {
        let chat = library.group(&[ana], name);
        let file = library.attachment(&format!("{name}.jpg")).size(i64::MAX - number).in_icloud().id();
        library.message(chat).from(ana).at("2024-05-01T11:30:00Z").text("look").joined(file);
    }
    let path = library.write(program.path());
    let out = storage(&program, &path, &["--has", "image", "--icloud-total", "999999TB"]).with_code(0).out;
    assert!(!out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{out:?}");
    assert!(out.lines().all(|line| line.width() <= 80), "{out}");
}

#[test]
fn a_sentence_frees_what_the_options_free() {
    let program = Program::new();
    let library = rich(&program.path().join("library"));
    let freed = |wishes: &[&str]| {
        let out = storage(&program, &library, &[&["--json"], wishes].concat()).with_code(0).out;
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        json["what_if"].clone()
    };
    let said = freed(&["--reclaim", "videos and photos larger than 1MB before 2024-03-01"]);
    assert_eq!(said, freed(&["--has", "video,image", "--larger", "1MB", "--until", "2024-03-01"]));
    assert!(said["attachments"].as_u64() > Some(0));
    let err = storage(&program, &library, &["--reclaim", "old stuff"]).with_code(2).err;
    assert!(err.contains("videos larger than 50MB"), "{err}");
    storage(&program, &library, &["--reclaim", "videos", "--larger", "1MB"]).with_code(2);
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

/// A library with names made to hurt.
fn hostile(folder: &Path) -> std::path::PathBuf {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let group = library.group(&[ana], "</title><script>alert(1)</script>\u{1b}[31m\u{202e}\"'& 家族,;=1+1");
    for (number, year) in (2000..2026).enumerate() {
        let name = format!("\"<b>&,{number}\u{202e}.jpg");
        let photo = library.attachment(&name).size(5_000_000 + number as i64).in_icloud().id();
        library.message(group).from(ana).at(&format!("{year}-05-01T11:30:00Z")).text("look").joined(photo);
    }
    library.write(folder)
}

#[test]
fn a_page_that_needs_nothing_and_believes_nothing() {
    let program = Program::new();
    let path = hostile(&program.path().join("library"));
    storage(&program, &path, &["--html", "page.html", "--me", "<b>Me & you</b>"]).with_code(0);
    let page = fs::read_to_string(program.path().join("page.html")).unwrap();
    for bad in ["<script", "<b>", "http:", "https:", "javascript:", "url(", "\u{1b}", "\u{202e}", "src="] {
        assert!(!page.contains(bad), "{bad} is in the page");
    }
    for there in [
        "&#60;script&#62;",
        "default-src 'none'",
        "prefers-color-scheme: dark",
        "@media print",
        "<svg ",
        "sms://open?message-guid=",
        "130 MB",
        "before 2010",
    ] {
        assert!(page.contains(there), "{there} is not in the page");
    }
    let leftover = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with(".msgarchive-");
    assert!(!fs::read_dir(program.path()).unwrap().any(|entry| leftover(entry.unwrap())));
}

fn said_by(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).output().unwrap();
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn one_page_of_pdf() {
    let program = Program::new();
    for (name, library) in
        [("rich", rich(&program.path().join("rich"))), ("hostile", hostile(&program.path().join("hostile")))]
    {
        let archive = program.path().join(format!("{name}-archive"));
        let (archive, path) = (archive.to_str().unwrap(), library.to_str().unwrap());
        program.run(&["archive", archive, "-s", path]).with_code(0);
        let wishes =
            ["--icloud-total", "1GB", "--has", "video,image", "--larger", "1MB", "--archive", archive];
        storage(&program, &library, &[&wishes[..], &["--pdf", "a.pdf"]].concat()).with_code(0);
        storage(&program, &library, &[&wishes[..], &["--pdf", "b.pdf", "--jobs", "1"]].concat()).with_code(0);
        let file = |name: &str| program.path().join(name).to_str().unwrap().to_owned();
        assert_eq!(fs::read(file("a.pdf")).unwrap(), fs::read(file("b.pdf")).unwrap());
        said_by("qpdf", &["--check", &file("a.pdf")]);
        let about = said_by("pdfinfo", &[&file("a.pdf")]);
        assert!(about.lines().any(|line| line.split_whitespace().eq(["Pages:", "1"])), "{name}: {about}");
        let text = said_by("pdftotext", &["-layout", &file("a.pdf"), "-"]);
        for there in
            ["What Messages takes in iCloud", "iCloud says 1.0 GB", "By year", "Not archived", "12 TB"]
        {
            assert!(text.contains(there), "{there} is not in {text}");
        }
    }
}

#[test]
fn a_table_has_every_figure_of_the_object() {
    let program = Program::new();
    let path = hostile(&program.path().join("library"));
    let out = storage(&program, &path, &["--json", "--csv", "table.csv"]).with_code(0).out;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let mut table = csv::Reader::from_path(program.path().join("table.csv")).unwrap();
    assert_eq!(
        table.headers().unwrap(),
        "table,name,id,items,low,high,date,where,link".split(',').collect::<Vec<_>>()
    );
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let sum = |name: &str, column: usize| -> u64 {
        let of = rows.iter().filter(|row| &row[0] == name);
        of.map(|row| row[column].parse::<u64>().unwrap()).sum()
    };
    for (column, key) in [(3, "items"), (4, "low"), (5, "high")] {
        for name in ["total", "category", "conversation", "year", "sender"] {
            assert_eq!(json["total"][key], sum(name, column), "{name} {key}");
        }
    }
    assert_eq!(
        json["keep"]["1y"]["attachment_bytes"],
        rows.iter().find(|row| &row[0] == "keep_1y" && &row[1] == "attachments").unwrap()[5]
            .parse::<u64>()
            .unwrap()
    );
    let titled = rows.iter().find(|row| &row[0] == "conversation").unwrap();
    assert_eq!(json["conversations"][0]["title"], titled[1], "exact, whatever it is");
    let largest = rows.iter().find(|row| &row[0] == "largest").unwrap();
    assert_eq!(json["largest"][0]["url"], largest[8]);
}

#[test]
fn a_file_that_cannot_be_written_is_said() {
    let program = Program::new();
    let path = hostile(&program.path().join("library"));
    let err = storage(&program, &path, &["--pdf", "none/page.pdf"]).with_code(1).err;
    assert!(err.contains("cannot write the page none/page.pdf"), "{err}");
}
