//! What is damaged in an archive is shown as damaged, listed, and said by nobody.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use crate::program::{Program, Ran};
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// A Mac that had A, with a picture, and B, and has C still; and an archive of it.
struct Kept {
    program: Program,
    mac: Device,
}

impl Kept {
    fn new() -> Kept {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        for (at, guid) in ["A", "B", "C"].into_iter().enumerate() {
            mac.receive(guid, 0, START + at as i64, &format!("true words of {guid}"));
        }
        mac.attach("A", "a.png");
        mac.download("A", "a.png", b"a picture");
        let mut kept = Kept { program, mac };
        kept.night(1);
        kept.mac.remove("A", true, "deleted");
        kept.mac.remove("B", true, "deleted");
        kept.night(2);
        kept
    }

    fn archive(&self) -> PathBuf {
        self.program.path().join("archive")
    }

    fn night(&mut self, day: i64) {
        add(&self.archive(), &[&self.mac.folder], START + day * DAY).unwrap();
    }

    fn forge(&self, guid: &str) {
        let db = Connection::open(self.archive().join("chat.db")).unwrap();
        assert_eq!(db.execute("UPDATE message SET text = 'forged' WHERE guid = ?1", [guid]).unwrap(), 1);
    }

    fn export(&self, out: &str) -> Ran {
        let arguments =
            ["export", "-s", "archive", "-f", "jsonl,txt,csv,pdf", "-o", out, "--contacts", "none"];
        self.program.run(&arguments)
    }

    /// GUID → what is damaged of it, in an export; and the manifest's defects.
    fn told(&self, out: &str) -> (Vec<(String, Vec<String>)>, Vec<Value>) {
        let (mut messages, mut defects) = (Vec::new(), Vec::new());
        for (path, bytes) in tree::files(&self.program.path().join(out)) {
            let text = String::from_utf8_lossy(&bytes);
            if path == "manifest.json" {
                let manifest: Value = serde_json::from_str(&text).unwrap();
                defects = manifest["defects"].as_array().unwrap().clone();
            } else if path.ends_with(".jsonl") && path != "conversations.jsonl" {
                messages.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            }
        }
        let of = |message: &Value| {
            let damaged = message["damaged"].as_array().cloned().unwrap_or_default();
            let words = damaged.iter().map(|words| words.as_str().unwrap().to_owned()).collect();
            (message["guid"].as_str().unwrap().to_owned(), words)
        };
        (messages.iter().map(of).collect(), defects)
    }
}

fn words_of<'t>(told: &'t [(String, Vec<String>)], guid: &str) -> &'t [String] {
    &told.iter().find(|(of, _)| of == guid).unwrap().1
}

/// Before anybody verified it, after a run that could not mend it, and ever after.
#[test]
fn a_forged_message() {
    let mut kept = Kept::new();
    kept.export("whole").with_code(0);
    assert!(kept.told("whole").0.iter().all(|(_, words)| words.is_empty()));
    kept.forge("B");
    for (out, problems) in [("before", 1), ("given-up", 0)] {
        kept.export(out).with_code(3);
        let (told, defects) = kept.told(out);
        let words =
            "This message is damaged in the archive. It is shown as it lies there, not as it was archived";
        assert_eq!(words_of(&told, "B"), [words], "{out}");
        assert!(words_of(&told, "A").is_empty() && words_of(&told, "C").is_empty(), "{out}");
        let of_message = defects.iter().filter(|defect| defect["guid"] == "B");
        assert_eq!(of_message.count(), 1, "{defects:?}");
        let of_archive: Vec<&str> = defects
            .iter()
            .filter(|defect| defect["guid"].is_null())
            .map(|defect| defect["what"].as_str().unwrap())
            .collect();
        assert_eq!(of_archive.len(), problems, "{of_archive:?}");
        assert!(of_archive.iter().all(|what| what.contains("is damaged") && what.contains("verify")));
        let text = tree::files(&kept.program.path().join(out));
        let (_, text) = text.iter().find(|(path, _)| path.ends_with(".txt") && path.contains("143")).unwrap();
        let text = String::from_utf8_lossy(text);
        assert!(text.contains("damaged in the archive"), "{text}");
        if problems > 0 {
            kept.program.run(&["verify", "archive"]).with_code(3);
            kept.night(3);
        }
    }
    // Nobody brought it.
    let ran = kept.program.run(&["history", "archive", "--message", "B", "--json"]).with_code(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let shown: Vec<&Value> =
        told["versions"].as_array().unwrap().iter().filter(|version| version["shown"] == true).collect();
    assert_eq!((&shown[0]["what"], &shown[0]["source"]), (&"damaged".into(), &"".into()));
    let said = kept.program.run(&["history", "archive", "--message", "B"]).with_code(0).out;
    assert!(said.contains("found damaged, and what it was is lost"), "{said}");
    let changed = kept.program.run(&["history", "archive", "--changed", "--json"]).with_code(0).out;
    assert!(!changed.contains("forged"), "{changed}");
    // An export of such an archive is a source that says so, too.
    kept.program
        .run(&["export", "-s", "given-up", "-f", "jsonl", "-o", "again", "--contacts", "none"])
        .with_code(3);
    assert_eq!(words_of(&kept.told("again").0, "B").len(), 1);
    // Once a source has it again it is what it was.
    let mut old = Device::new(&kept.program.path().join("old"), Schema::MACOS_26);
    old.receive("A", 0, START, "true words of A");
    old.receive("B", 0, START + 1, "true words of B");
    add(&kept.archive(), &[&old.folder], START + 5 * DAY).unwrap();
    kept.export("mended").with_code(0);
    assert!(words_of(&kept.told("mended").0, "B").is_empty());
}

/// Of the same size, so that only its hash tells.
#[test]
fn a_forged_picture() {
    let kept = Kept::new();
    let contents = tree::files(&kept.archive());
    let (path, _) = contents.iter().find(|(_, bytes)| bytes == b"a picture").unwrap();
    fs::write(kept.archive().join(path), b"b picture").unwrap();
    kept.export("out").with_code(3);
    let (told, defects) = kept.told("out");
    let words = "The attachment a.png is damaged in the archive. These are not the bytes that were archived";
    assert_eq!(words_of(&told, "A"), [words]);
    assert_eq!(defects.iter().map(|defect| &defect["guid"]).collect::<Vec<_>>(), ["A"]);
}

/// A live library beside the archive has the message as it was.
#[test]
fn a_whole_one_is_shown_instead() {
    let kept = Kept::new();
    kept.forge("C");
    let arguments =
        ["export", "-s", "archive", "-s", "mac", "-f", "jsonl", "-o", "both", "--contacts", "none"];
    kept.program.run(&arguments).with_code(3);
    assert!(words_of(&kept.told("both").0, "C").is_empty());
    let files = tree::files(&kept.program.path().join("both"));
    assert!(files.iter().all(|(_, bytes)| !String::from_utf8_lossy(bytes).contains("forged")));
}

/// A run that mends it is believed.
#[test]
fn what_the_nightly_run_mended_is_not_shown_as_damaged() {
    let kept = Kept::new();
    kept.forge("C");
    kept.program.run(&["verify", "archive"]).with_code(3);
    kept.program
        .run(&[
            "archive",
            "archive",
            "-s",
            "mac",
            "--export",
            "jsonl",
            "--out",
            "nightly",
            "--contacts",
            "none",
        ])
        .with_code(0);
    kept.program.run(&["verify", "archive"]).with_code(0);
    assert!(words_of(&kept.told("nightly").0, "C").is_empty());
}
