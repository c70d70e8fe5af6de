//! A row that somebody altered in an archive, and that other news took the place of: what it was before is nobody's words.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// An archive, and a copy of it from before A was forged in it, and then edited where it came from.
struct Kept {
    program: Program,
}

impl Kept {
    fn new() -> Kept {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        mac.receive("A", 0, START, "true words");
        mac.receive("B", 0, START + 1, "and so on");
        let kept = Kept { program };
        kept.fed("mac", 0);
        tree::copy(&kept.at("archive"), &kept.at("copy"));
        let db = Connection::open(kept.at("archive/chat.db")).unwrap();
        assert_eq!(db.execute("UPDATE message SET text = 'I confess' WHERE guid = 'A'", []).unwrap(), 1);
        mac.edit("A", START + DAY, "edited really");
        // It is told at once.
        let said = kept.fed("mac", 3);
        assert!(said.contains("a message (A), as it was before: it is not what was written here"), "{said}");
        let found = kept.program.run(&["verify", "archive"]).with_code(3).out;
        assert!(found.contains("a former state of a message is damaged"), "{found}");
        kept
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.program.path().join(name)
    }

    #[track_caller]
    fn fed(&self, from: &str, code: i32) -> String {
        self.program.run(&["archive", "archive", "-s", from, "--contacts", "none"]).with_code(code).err
    }

    /// What is said of A: what each state is, and its text.
    fn told(&self) -> Vec<(String, String)> {
        let told = self.program.run(&["history", "archive", "--message", "A", "--json"]).with_code(0).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let of = |version: &Value, name: &str| version[name].as_str().unwrap_or_default().to_owned();
        let versions = told["versions"].as_array().unwrap().iter();
        versions.map(|version| (of(version, "what"), of(version, "text"))).collect()
    }

    fn verified(&self) -> String {
        self.program.run(&["verify", "archive"]).with_code(0).out
    }
}

fn says(folder: &Path, words: &str) -> bool {
    tree::files(folder).iter().any(|(_, bytes)| bytes.windows(words.len()).any(|of| of == words.as_bytes()))
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(what, text)| ((*what).to_owned(), (*text).to_owned())).collect()
}

const TRUE: [(&str, &str); 2] = [("added", "true words"), ("edited", "edited really")];
const FORGED: [(&str, &str); 2] = [("damaged", "I confess"), ("edited", "edited really")];

#[test]
fn nobody_said_it() {
    let kept = Kept::new();
    assert_eq!(kept.told(), pairs(&FORGED));
    kept.fed("mac", 3);
    for _ in 0..2 {
        assert_eq!(kept.told(), pairs(&FORGED));
        let found = kept.verified();
        assert!(found.contains("a message, as it was once before") && found.contains("(A)"), "{found}");
        let changed = kept.program.run(&["history", "archive", "--changed"]).with_code(0).out;
        assert!(!changed.contains("I confess"), "{changed}");
        kept.program
            .run(&["export", "-s", "archive", "-f", "jsonl,txt,csv", "-o", "out", "--contacts", "none"])
            .with_code(0);
        assert!(says(&kept.at("out"), "edited really") && !says(&kept.at("out"), "I confess"));
        std::fs::remove_dir_all(kept.at("out")).unwrap();
        kept.fed("mac", 0);
    }
    // Nor does another archive take it over.
    kept.program.run(&["archive", "other", "-s", "archive", "--contacts", "none"]).with_code(0);
    let db = Connection::open(kept.at("other/chat.db")).unwrap();
    let former: i64 =
        db.query_row("SELECT count(*) FROM msgarchive_message_version", [], |row| row.get(0)).unwrap();
    assert_eq!(former, 0);
    // Whoever has it, now or later, puts it where it was.
    kept.fed("copy", 0);
    assert_eq!(kept.told(), pairs(&TRUE));
    assert!(kept.verified().contains("nothing is missing"));
}

#[test]
fn a_copy_that_has_it_mends_it() {
    let kept = Kept::new();
    kept.fed("copy", 0);
    assert_eq!(kept.told(), pairs(&TRUE));
    assert!(kept.verified().contains("nothing is missing"));
    // Nobody has to verify it before.
    let kept = Kept::new();
    std::fs::remove_file(kept.at("archive/damaged.json")).unwrap();
    kept.fed("copy", 0);
    assert_eq!(kept.told(), pairs(&TRUE));
    assert!(kept.verified().contains("nothing is missing"));
}
