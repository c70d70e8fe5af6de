//! PDF/A-2u, judged by veraPDF: `tests/verapdf/fetch` brings it, and needs Maven and so Java.
//!
//! Where it is not at hand the tests say so, past the test runner, and check nothing. In CI it must be.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use msgarchive::disk::{Others, Staging};
use msgarchive::model::Message;
use msgarchive::writers::pdf::{DocumentOptions, Theme};
use msgarchive::writers::{FORMATS, WriterOptions};

use crate::export_pdf::{
    any_characters, at, conversation, everything, export, files, plain, qpdf_check, run, text,
};
use crate::not_checked;
use crate::program::Program;

/// Whether veraPDF can run.
fn at_hand(jars: &Path) -> bool {
    let java = Command::new("java").arg("-version").output().is_ok_and(|ran| ran.status.success());
    if java && jars.is_dir() {
        return true;
    }
    let lacking = if java { "veraPDF: bash tests/verapdf/fetch" } else { "Java" };
    not_checked::unless_required("whether it is PDF/A", lacking, "MSGARCHIVE_TEST_VERAPDF");
    false
}

/// What veraPDF says of these files; `None` where it is not at hand.
fn judged(flavour: &str, files: &[PathBuf]) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let jars = root.join("target/verapdf");
    if !at_hand(&jars) {
        return None;
    }
    let ran = Command::new("java")
        .arg("-cp")
        .arg(jars.join("*"))
        .arg("org.mozilla.javascript.tools.shell.Main")
        .arg(root.join("tests/verapdf/validate.js"))
        .arg(flavour)
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let judged = said.lines().filter(|line| line.contains(&format!("valid {flavour} "))).count();
    assert_eq!(judged, files.len(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    Some(said)
}

/// Insists that these files are PDF/A-2u, and break none of the rules of PDF/UA-1 that a program can check, but that
/// they do not say they are: whether a text for a picture is a good one, only people can tell.
#[track_caller]
fn insist_on(files: &[PathBuf]) {
    let findings = |said: &str| said.lines().filter(|line| line.starts_with(' ')).count();
    let Some(said) = judged("2u", files) else { return };
    assert_eq!(findings(&said), 0, "{said}");
    let Some(said) = judged("ua1", files) else { return };
    let unclaimed = said.lines().filter(|line| line.starts_with("  5-1, 1 times: ")).count();
    assert_eq!((findings(&said), unclaimed), (files.len(), files.len()), "{said}");
}

fn pdfs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "pdf")).collect();
    found.sort();
    found
}

#[test]
fn the_sample_is_valid_in_every_theme_and_however_it_is_divided() {
    let program = Program::new();
    let mut files = Vec::new();
    for (theme, _) in Theme::NAMES {
        program
            .run(&["export", "--sample", "--format", "pdf", "--theme", theme, "--out", theme])
            .with_code(0);
        files.append(&mut pdfs(&program.path().join(theme)));
    }
    for (out, options) in [
        ("combined", &["--combine", "--bates", "ABC", "--times", "exact"][..]),
        ("bare", &["--combine", "--no-cover", "--no-index", "--paper", "a5", "--font-size", "14"]),
        ("parts", &["--split", "year", "--paper", "letter"]),
        ("archival", &["--archival", "--max-image", "original"]),
    ] {
        let arguments = ["export", "--sample", "--format", "pdf", "--out", out];
        program.run(&[&arguments[..], options].concat()).with_code(0);
        files.append(&mut pdfs(&program.path().join(out)));
    }
    assert!(files.len() > 5 * Theme::NAMES.len(), "{files:?}");
    insist_on(&files);
}

#[test]
fn whatever_a_conversation_holds_is_valid() {
    let folder = files();
    let of = |name: &str, messages: &[Message]| export(name, messages, 50, &WriterOptions::default());
    let hostile = [
        text(false, at(0, 0), "no font has 𒀀𒁀, nor e\u{1e000} here"),
        text(true, at(0, 1), "\u{feff}\u{0}\u{fffe}\u{ffff} \u{f8ff} \u{200b}\u{2060}\u{ad}\u{e000}"),
        text(true, at(0, 2), &format!("e{}", "\u{301}\u{323}".repeat(900))),
        text(false, at(0, 3), &"لله ".repeat(40)),
    ];
    insist_on(&[
        of("valid-everything", &everything(folder.path())),
        of("valid-characters", &any_characters()),
        of("valid-hostile", &hostile),
        of("valid-nothing", &[]),
    ]);
}

#[test]
fn the_metadata_say_what_it_is_and_what_it_covers() {
    let messages = [text(false, at(0, 0), "first"), text(true, at(40, 0), "last")];
    let path = export("metadata", &messages, 5, &WriterOptions::default());
    qpdf_check(&path);
    let xmp = run("pdfinfo", &["-meta", path.to_str().unwrap()]);
    for words in [
        "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>",
        "<dc:coverage>2023-11-28/2024-01-07</dc:coverage>",
        "Ana Abbott</rdf:li>",
    ] {
        assert!(xmp.contains(words), "{words} is not in {xmp}");
    }
}

/// A folder with a font whose license forbids that documents hold it.
fn forbidden_font() -> tempfile::TempDir {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fonts/NotoSansRunic.ttf.zz");
    let packed = std::fs::read(packed).unwrap();
    let mut font = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut font).unwrap();
    let record = font[12..].chunks(16).position(|record| record.starts_with(b"OS/2")).unwrap() * 16 + 12;
    let table = u32::from_be_bytes(font[record + 8..record + 12].try_into().unwrap()) as usize;
    // `fsType`, after the version, the average width, the weight and the width.
    font[table + 8..table + 10].copy_from_slice(&[0, 2]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("forbidden.ttf"), font).unwrap();
    folder
}

#[test]
fn a_font_that_may_not_be_embedded_is_refused_or_nothing_is_claimed() {
    let fonts = forbidden_font();
    let options = |archival| WriterOptions {
        font_dirs: vec![fonts.path().to_owned()],
        document: DocumentOptions { archival, ..DocumentOptions::default() },
        ..WriterOptions::default()
    };
    let path = export("forbidden-font", &[text(false, at(0, 0), "ᚠᚢᚦᚨᚱᚲ")], 5, &options(false));
    let xmp = run("pdfinfo", &["-meta", path.to_str().unwrap()]);
    assert!(xmp.contains("dc:title") && !xmp.contains("pdfaid:part"), "{xmp}");
    let staging = || Arc::new(Staging::begin(&fonts.path().join("out"), Others::Allowed).unwrap());
    let pdf = FORMATS.iter().find(|format| format.name == "pdf").unwrap();
    let refused = (pdf.open)(staging(), &options(true)).err().unwrap().to_string();
    assert!(refused.contains("forbidden.ttf forbids to be embedded"), "{refused}");
    let writer = (pdf.open)(staging(), &options(false)).unwrap();
    writer.prepare(&conversation(), &[text(false, at(0, 0), "ᚠᚢᚦ")]).unwrap();
    let notes = writer.notes();
    assert!(
        notes.iter().any(|note| note.contains("NotoSansRunic-Regular forbids to be embedded")),
        "{notes:?}"
    );
}

/// The structure as poppler sees it: a line for an element or a text, indented.
fn structure(path: &Path) -> String {
    run("pdfinfo", &["-struct-text", path.to_str().unwrap()])
}

#[test]
fn a_message_is_read_in_order_who_when_what_and_what_is_remarked() {
    let folder = files();
    let messages = everything(folder.path());
    let path = export("read-aloud", &messages, 5, &WriterOptions::default());
    let structure = structure(&path);
    for expected in [
        // Who, over which service, when, what.
        "P (block)\n        \"Ana Abbott · iMessage 09:00 Hi! Are you free this weekend? The weather is said to be lovely 🌞\"",
        "H2 (block)\n        \"Tuesday, 28 November 2023\"",
        "H1 (block)\n        \"Ana Abbott\"",
        // A quoted original that can be clicked, the message, its tapbacks.
        "Reply to Me, 28 November 2023, 09:03:00: “Where shall we meet on Saturday?” \"\n",
        "\"09:40 At the station, as always. ❤️ Loved by you 🥳 by Ana Abbott 👍 Liked by Ana Abbott (taken back)\"",
        // A link in the middle of a text.
        "\"09:30 bold italic underlined struck \"\n        Link (inline)",
        "\"link\"\n        \" and all of it",
    ] {
        assert!(structure.contains(expected), "{expected} is not in the structure:\n{structure}");
    }
    let paragraphs = structure.matches("P (block)").count();
    assert!((messages.len()..messages.len() + 8).contains(&paragraphs), "{paragraphs}:\n{structure}");
    let plain = plain(&path);
    for alt in ["/Alt (IMG_0001.jpg \\(JPEG image", "/Alt (sticker.png \\(PNG image, sticker"] {
        assert!(plain.contains(alt), "{alt}");
    }
    assert!(!structure.contains("Page 1 of"), "{structure}");
}

#[test]
fn a_message_over_several_pages_is_one_paragraph() {
    let words: Vec<String> = (0..2000).map(|i| format!("w{i}")).collect();
    let path = export("read-long", &[text(false, at(0, 0), &words.join(" "))], 5, &WriterOptions::default());
    let structure = structure(&path);
    let whole = structure.lines().skip_while(|line| !line.contains("09:00 w0 w1 ")).map(str::trim);
    let whole: String = whole.take_while(|line| !line.starts_with("P (block)")).collect();
    assert!(words.iter().all(|word| whole.contains(word)), "{structure}");
    // Who looks is told again whose it is, who listens was not interrupted.
    let drawn = run("pdftotext", &[path.to_str().unwrap(), "-"]);
    assert!(drawn.matches("Ana Abbott (continued)").count() >= 2, "{drawn}");
    assert!(!structure.contains("(continued)"), "{structure}");
    insist_on(&[path]);
}
