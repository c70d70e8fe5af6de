//! An archive's database, and its index of search, that end too soon: as of a copy that was ended, or of a disk that was
//! full. Whatever the length is, that is named; nobody is told that the disk fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::pages::known;
use super::vouched::failing;
use crate::program::{Program, Ran};
use crate::support::{Library, Schema, tree};

/// An archive of a few nights, the library that it is fed from, and another one.
struct Kept {
    program: Program,
}

impl Kept {
    fn new() -> Kept {
        let kept = Kept { program: Program::in_memory() };
        let mut other = Library::new(Schema::MACOS_15);
        let bo = other.handle("bo@example.com", "iMessage");
        let chat = other.direct(bo);
        other.message(chat).from(bo).text("of somebody else");
        other.write(&kept.at("other"));
        kept
    }

    /// Archives whose databases end with a page of a table, of an index, with what did not fit into one, and with one that is
    /// free: SQLite reads each of them in another way, or not at all.
    fn of_every_end() -> [(&'static str, Kept); 4] {
        const LONG: usize = 1530;
        let kept = Kept::new();
        for night in 1..3 {
            let mut library = Library::new(Schema::MACOS_26);
            let ana = library.handle("+12025550143", "iMessage");
            let chat = library.direct(ana);
            let picture = library.attachment("IMG_0001.png").bytes(b"not a picture, but bytes").id();
            library.message(chat).from(ana).text("look").attachment(picture);
            for number in 0..night * 20 {
                library.message(chat).from(ana).text(&format!("word {number}"));
                if number == 10 {
                    library.message(chat).from(ana).text(&"words and words ".repeat(LONG));
                }
            }
            let _ = fs::remove_dir_all(kept.at("library"));
            library.write(&kept.at("library"));
            kept.run("library").with_code(0);
        }
        let ends = [
            ("free", ["", ""]),
            (
                "overflow",
                [
                    "CREATE TEMP TABLE long AS SELECT * FROM message ORDER BY length(attributedBody) DESC LIMIT 1; \
                     DELETE FROM message WHERE ROWID = (SELECT ROWID FROM long)",
                    "INSERT INTO message SELECT * FROM long",
                ],
            ),
            (
                "index",
                [
                    "DROP INDEX msgarchive_idx_message_guid",
                    "CREATE UNIQUE INDEX msgarchive_idx_message_guid ON message (guid)",
                ],
            ),
        ];
        let behind_everything = ends.map(|(end, [take, put])| {
            let kept = kept.copy();
            let db = Connection::open(kept.database()).unwrap();
            // What is free is taken, so that what is put there again lies behind everything.
            let fill = "CREATE TABLE fill AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) \
                SELECT zeroblob(4000) FROM n";
            db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {take}; {fill}; {put}; DROP TABLE fill;")).unwrap();
            (end, kept)
        });
        let [free, overflow, index] = behind_everything;
        let all = [("table", kept), free, overflow, index];
        assert!(all.iter().all(|(end, kept)| kept.end() == *end));
        all
    }

    fn copy(&self) -> Kept {
        let program = Program::in_memory();
        for name in ["archive", "library", "other"] {
            tree::copy(&self.at(name), &program.path().join(name));
        }
        Kept { program }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.program.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.at("archive").join("chat.db")
    }

    fn run(&self, source: &str) -> Ran {
        self.program.run(&["archive", "archive", "--source", source, "--progress", "never"])
    }

    /// What the last page is of.
    fn end(&self) -> String {
        let db = Connection::open(self.database()).unwrap();
        let of = "SELECT CASE WHEN pageno < page_count THEN 'free' WHEN pagetype = 'overflow' THEN pagetype ELSE type END \
            FROM dbstat d JOIN sqlite_master m ON m.name = d.name, pragma_page_count ORDER BY pageno DESC LIMIT 1";
        db.query_row(of, [], |row| row.get(0)).unwrap()
    }
}

const PAGE: u64 = 4096;

/// Lengths of every sort that a file may be cut off to.
fn lengths(file: &Path) -> Vec<u64> {
    let whole = fs::metadata(file).unwrap().len();
    assert_eq!(whole % PAGE, 0);
    let last = whole - PAGE;
    let of_last = [1, 5, 8, 300, PAGE / 2, PAGE - 300, PAGE - 1].map(|more| last + more);
    let of_first = [0, 1, 16, 99, 100, 600, PAGE / 2, PAGE - 1, PAGE];
    let within = [last, last - 1, last - PAGE, last / PAGE / 2 * PAGE, last / 2 + 77];
    of_last.into_iter().chain(of_first).chain(within).collect()
}

fn cut(file: &Path, length: u64) {
    fs::File::options().write(true).open(file).unwrap().set_len(length).unwrap();
}

/// What of a run should not be: `codes`: how it may end.
fn wrong(what: &str, ran: &Ran, codes: &[i32]) -> Option<String> {
    let said = format!("{}{}", ran.out, ran.err);
    let is_of_the_disk =
        ["disk I/O", "522", "disk is connected", "cannot read or write", "unexpected argument"];
    let is_right = ran.code.is_some_and(|code| codes.contains(&code))
        && !is_of_the_disk.iter().any(|word| said.contains(word));
    (!is_right).then(|| format!("{what} ends with {:?}: {said}", ran.code))
}

/// Whoever only reads is told of the damage, or has all of what was asked for.
fn read(kept: &Kept, length: u64, whole: u64) -> Vec<String> {
    let mut found = Vec::new();
    for deep in [&[][..], &["--deep"]] {
        let verify = kept.program.run(&[&["verify", "archive", "--progress", "never"], deep].concat());
        found.extend(wrong("verify", &verify, &[3]));
        let words = verify.out.split_whitespace().collect::<Vec<_>>().join(" ");
        // As long as it says how long it should be.
        let named = match length >= 100 {
            true => format!("- chat.db it is cut off: it has {length} bytes instead of {whole};"),
            false => "- chat.db".to_owned(),
        };
        if !words.contains(&named) {
            found.push(format!("verify does not say {named:?}: {words}{}", verify.err));
        }
    }
    let commands: [&[&str]; 9] = [
        &["search", "archive", "word"],
        &["search", "archive", "words"],
        &["export", "--format", "jsonl", "--source", "archive", "--out", "out", "--progress", "never"],
        &["list", "--source", "archive"],
        &["history", "archive"],
        &["history", "archive", "--deleted"],
        &["storage", "--source", "library", "--archive", "archive"],
        &["storage", "--source", "archive"],
        &["doctor", "--source", "archive"],
    ];
    for command in commands {
        let ran = kept.program.run(command);
        found.extend(wrong(command[0], &ran, &[0, 1, 3, 4]));
        let says = format!("{}{}", ran.out, ran.err).to_lowercase();
        let is_told = ["damage", "verify", "cut off", "empty", "not a messages database"];
        let is_told = is_told.iter().any(|word| says.contains(word));
        // Of the library that `storage` was asked of nothing is wrong.
        let is_of_it = command.get(2) != Some(&"library");
        if (ran.code != Some(0) || is_of_it) && !is_told {
            found.push(format!("{command:?} does not tell of it: {says}"));
        }
    }
    let before = fs::metadata(kept.database()).unwrap().len();
    if before != length {
        found.push(format!("who only reads has made it {before} bytes long"));
    }
    found
}

/// With the source at hand everything is there again; without it, everything that can be read.
fn mended(kept: &Kept, source: &str, before: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(wrong(&format!("archive --source {source}"), &kept.run(source), &[0, 3]));
    let verify = || kept.program.run(&["verify", "archive", "--deep", "--progress", "never"]);
    let of_it = verify();
    match source {
        "library" => found.extend(wrong("verify after archive", &of_it, &[0])),
        // What the library may still have is wanting until it is read.
        _ if of_it.out.contains("- chat.db") => {
            found.push(format!("after archive --source {source} it is damaged still: {}", of_it.out));
        }
        _ => found.extend(wrong("verify after archive without the source", &of_it, &[0, 3])),
    }
    found.extend(wrong("archive with the source", &kept.run("library"), &[0, 3]));
    found.extend(wrong("verify after that", &verify(), &[0]));
    let after = known(&kept.at("archive"));
    let lost: Vec<&String> = before
        .difference(&after)
        .filter(|fact| !fact.starts_with("sighting") && !fact.starts_with("member"))
        .collect();
    if !lost.is_empty() {
        found.push(format!("after archive --source {source} {lost:#?} is lost"));
    }
    found
}

#[test]
fn a_database_that_is_cut_off_is_damaged_and_no_failing_disk() {
    let ends = Kept::of_every_end();
    let mut all: Vec<(&str, &Kept, u64)> = Vec::new();
    for (end, kept) in &ends {
        let lengths = lengths(&kept.database()).into_iter();
        // Only in the last page they differ.
        let (many, every) = if *end == "overflow" { (usize::MAX, 1) } else { (7, 3) };
        all.extend(lengths.take(many).step_by(every).map(|length| (*end, kept, length)));
    }
    let failing = failing(&all, |(end, kept, length)| {
        let before = known(&kept.at("archive"));
        let whole = fs::metadata(kept.database()).unwrap().len();
        let mut found = Vec::new();
        for (source, is_verified) in [("library", true), ("library", false), ("other", false)] {
            let copy = kept.copy();
            cut(&copy.database(), *length);
            if is_verified {
                found.extend(read(&copy, *length, whole));
            }
            found.extend(mended(&copy, source, &before));
        }
        (!found.is_empty()).then(|| format!("at {length}, {end}: {}", found.join("\n")))
    });
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

/// It is made anew by whoever searches, and by the next run; and `verify` names it.
#[test]
fn an_index_of_search_that_is_cut_off_is_made_anew() {
    let kept = Kept::new();
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for number in 0..900 {
        library.message(chat).from(ana).text(&format!("word{number} {}", number * 7919 % 1000));
    }
    library.write(&kept.at("library"));
    kept.run("library").with_code(0);
    let index = |kept: &Kept| kept.at("archive").join("search.db");
    let search =
        |kept: &Kept, word: &str| kept.program.run(&["search", "archive", word, "--json"]).with_code(0).out;
    let words = ["word", "word17", "word899", "7", "998"];
    let whole = words.map(|word| search(&kept, word));
    let all = lengths(&index(&kept));
    let failing = failing(&all, |length| {
        let mut found = Vec::new();
        for word in 0..words.len() {
            let copy = kept.copy();
            cut(&index(&copy), *length);
            if search(&copy, words[word]) != whole[word] {
                found.push(format!("{} is found otherwise", words[word]));
            }
        }
        let copy = kept.copy();
        cut(&index(&copy), *length);
        // There is none yet in an empty file, and SQLite takes a single byte for one.
        let codes: &[i32] = if *length < 2 { &[0] } else { &[3] };
        let verify = copy.program.run(&["verify", "archive", "--progress", "never"]);
        found.extend(wrong("verify", &verify, codes));
        if *length > 1 && !verify.out.contains("search.db") {
            found.push(format!("verify does not name it: {}", verify.out));
        }
        let is_anew = copy.kept_by_a_run(*length);
        found.extend(is_anew);
        (!found.is_empty()).then(|| format!("at {length}: {}", found.join("\n")))
    });
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

impl Kept {
    /// What a run leaves of an index that was cut off.
    fn kept_by_a_run(self, length: u64) -> Option<String> {
        // With `verify` before it and without.
        let found = wrong("archive", &self.run("library"), &[0]);
        let verify = self.program.run(&["verify", "archive", "--progress", "never"]);
        let index = self.at("archive").join("search.db");
        cut(&index, length);
        found
            .or_else(|| wrong("verify after archive", &verify, &[0]))
            .or_else(|| wrong("archive that nobody told", &self.run("library"), &[0]))
            .or_else(|| {
                let verify = self.program.run(&["verify", "archive", "--progress", "never"]);
                wrong("verify after that", &verify, &[0])
            })
    }
}
