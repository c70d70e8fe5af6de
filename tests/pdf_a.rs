//! PDF/A-2u, judged by veraPDF: `tests/verapdf/fetch` brings it, and needs Maven and so Java.
//!
//! Where it is not at hand the tests say so, past the test runner, and check nothing. In CI it must be.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use msgarchive::model::Message;
use msgarchive::writers::WriterOptions;
use msgarchive::writers::pdf::Theme;

use crate::export_pdf::{any_characters, at, everything, export, files, qpdf_check, run, text};
use crate::program::Program;

/// Whether veraPDF can run.
fn at_hand(jars: &Path) -> bool {
    let java = Command::new("java").arg("-version").output().is_ok_and(|ran| ran.status.success());
    if java && jars.is_dir() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs Java and veraPDF: tests/verapdf/fetch");
    let lacking = if java { "no veraPDF: bash tests/verapdf/fetch" } else { "no Java" };
    // Standard error itself: what a test that passes prints is not shown.
    let _ = writeln!(std::io::stderr(), "PDF/A was NOT validated: there is {lacking}");
    false
}

/// Insists that veraPDF finds nothing wrong with any of these files.
#[track_caller]
fn insist_on(flavour: &str, files: &[PathBuf]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let jars = root.join("target/verapdf");
    if !at_hand(&jars) {
        return;
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
    let said = String::from_utf8_lossy(&ran.stdout);
    let valid = said.lines().filter(|line| line.starts_with(&format!("valid {flavour} "))).count();
    assert_eq!(valid, files.len(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}

fn pdfs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "pdf")).collect();
    found.sort();
    found
}

#[test]
fn the_sample_is_valid_in_every_theme() {
    let program = Program::new();
    let mut files = Vec::new();
    for (theme, _) in Theme::NAMES {
        program
            .run(&["export", "--sample", "--format", "pdf", "--theme", theme, "--out", theme])
            .with_code(0);
        files.append(&mut pdfs(&program.path().join(theme)));
    }
    assert!(files.len() > 5 * Theme::NAMES.len(), "{files:?}");
    insist_on("2u", &files);
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
    insist_on(
        "2u",
        &[
            of("valid-everything", &everything(folder.path())),
            of("valid-characters", &any_characters()),
            of("valid-hostile", &hostile),
            of("valid-nothing", &[]),
        ],
    );
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
