//! Who may import whom, which module owns which crate, and how long a file may be: the architecture as a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the modules of ours that it may name.
const MODULES: &[(&str, &[&str])] = &[
    ("archive", &["disk", "model", "pipeline", "source"]),
    ("cli", &[]),
    ("compare", &["disk", "model", "pipeline", "source"]),
    ("disk", &[]),
    ("doctor", &["compare", "disk", "model", "pipeline", "source", "writers"]),
    ("media", &["model"]),
    ("model", &[]),
    ("pipeline", &["disk", "media", "model", "property_list", "source"]),
    ("property_list", &[]),
    ("sample", &["disk"]),
    ("schedule", &["disk"]),
    ("source", &["disk", "model", "property_list"]),
    ("storage", &["archive", "disk", "model", "pipeline", "source"]),
    ("verify", &["archive", "disk", "pipeline"]),
    ("writers", &["disk", "media", "model", "pipeline"]),
];

/// Files that join two layers: what they may name beyond their module's row.
const JOINTS: &[(&str, &[&str])] = &[
    // What the pipeline's traits carry.
    ("writers/assets.rs", &["source"]),
    ("writers/assets/bundle.rs", &["source"]),
    // How a comparison is shown.
    ("writers/comparison/both.rs", &["compare"]),
    ("writers/comparison/chart.rs", &["compare"]),
    ("writers/comparison/html.rs", &["compare"]),
    ("writers/comparison/json.rs", &["compare", "source"]),
    ("writers/comparison/words.rs", &["compare"]),
    ("writers/keep_up/standins.rs", &["source"]),
    // A whole run, from a source to a folder.
    ("writers/export.rs", &["source"]),
    ("writers/keep_up/fingerprints.rs", &["source"]),
    ("writers/keep_up/mod.rs", &["source"]),
    ("writers/making.rs", &["source"]),
    // Says which source it was.
    ("writers/manifest.rs", &["source"]),
    ("writers/pdf/front.rs", &["source"]),
    ("writers/phrase/origin.rs", &["source"]),
    ("writers/provenance.rs", &["source"]),
    // How an estimate is shown.
    ("writers/storage/table.rs", &["storage"]),
    ("writers/storage/json.rs", &["source", "storage"]),
    ("writers/storage/sheet.rs", &["storage"]),
    ("writers/storage/words.rs", &["storage"]),
];

/// Every dependency, and the modules that own it.
const CRATES: &[(&str, &[&str])] = &[
    ("aes", &["source"]),
    ("aes_kw", &["source"]),
    ("anstream", &["cli"]),
    ("askama", &["schedule", "writers"]),
    ("base64", &["pipeline", "source", "writers"]),
    ("cbc", &["source"]),
    (
        "chrono",
        &["cli", "compare", "doctor", "model", "pipeline", "schedule", "source", "storage", "writers"],
    ),
    ("chrono_tz", &["cli", "compare", "doctor", "pipeline", "schedule", "storage", "writers"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("csv", &["writers"]),
    ("ctrlc", &["cli"]),
    ("fast_image_resize", &["media"]),
    ("flate2", &["pipeline", "sample", "writers"]),
    ("foldhash", &["source"]),
    ("fontique", &["writers"]),
    ("fs4", &["disk"]),
    ("gif", &["media"]),
    ("heifer", &["media"]),
    ("iana_time_zone", &["cli"]),
    ("icu_properties", &["writers"]),
    ("image_webp", &["media"]),
    ("indicatif", &["cli"]),
    ("jpeg_encoder", &["media"]),
    ("moxcms", &["media"]),
    ("lzma_rust2", &["pipeline"]),
    ("ogg", &["media"]),
    ("parley", &["writers"]),
    ("pbkdf2", &["source"]),
    ("pdf_writer", &["writers"]),
    ("plist", &["property_list", "source"]),
    ("png", &["media"]),
    ("printpdf", &["writers"]),
    ("prost", &["pipeline"]),
    ("quick_xml", &["property_list"]),
    ("rayon", &["pipeline", "writers"]),
    ("roaring", &["archive", "pipeline", "source"]),
    ("rpassword", &["cli"]),
    ("rusqlite", &["archive", "source"]),
    ("rusty_h264_decoder", &["media"]),
    ("rusty_h265", &["media"]),
    ("serde", &["disk", "schedule", "source", "writers"]),
    (
        "serde_json",
        &["archive", "cli", "disk", "doctor", "pipeline", "schedule", "source", "verify", "writers"],
    ),
    ("sha1", &["source"]),
    ("sha2", &["archive", "compare", "disk", "pipeline", "source", "storage", "writers"]),
    ("siphasher", &["archive"]),
    ("skrifa", &["writers"]),
    ("strsim", &["cli"]),
    ("subsetter", &["writers"]),
    ("tempfile", &["archive", "cli", "disk"]),
    ("terminal_size", &["cli"]),
    (
        "thiserror",
        &[
            "archive", "cli", "compare", "disk", "doctor", "media", "pipeline", "schedule", "source",
            "storage", "verify", "writers",
        ],
    ),
    ("unicode_normalization", &["archive", "disk", "pipeline", "source", "writers"]),
    ("unicode_segmentation", &["cli", "disk", "pipeline", "writers"]),
    ("unicode_width", &["cli", "writers"]),
    ("zeroize", &["cli", "source"]),
    ("zune_jpeg", &["media"]),
];

/// Words that only some modules may use, and why.
const WORDS: &[(&str, &[&str], &str)] = &[
    ("println!", &["cli"], "the library is silent"),
    ("eprintln!", &["cli"], "the library is silent"),
    ("print!", &["cli"], "the library is silent"),
    ("eprint!", &["cli"], "the library is silent"),
    ("dbg!", &[], "the library is silent"),
    ("process::exit", &["cli"], "only the program decides how it ends"),
    ("std::net", &[], "nothing touches the network"),
    ("TcpStream", &[], "nothing touches the network"),
    ("Serialize", &["writers"], "the model is inert; each writer owns the shape of what it writes"),
    (
        "SystemTime::now",
        &["cli", "disk", "source"],
        "the same source gives the same bytes whenever it is read",
    ),
    ("Utc::now", &["cli"], "the same source gives the same bytes whenever it is read"),
];

/// Lines a file may have without its tests.
const LONGEST: usize = 500;

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "shared", "types", "util", "utils"];

/// A source file: where it lies below `src/`, and its code without comments, texts and test modules.
struct SourceFile {
    path: String,
    code: String,
    lines: usize,
    whole: String,
}

impl SourceFile {
    /// The top-level module; empty for `lib.rs` and `main.rs`.
    fn module(&self) -> &str {
        match self.path.split_once('/') {
            Some((module, _)) => module,
            None => self.path.trim_end_matches(".rs").trim_start_matches("lib").trim_start_matches("main"),
        }
    }

    /// How many `super::` lead from the file's own module to the crate's root.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        if self.path.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// Top-level modules that the file names, through `crate::` or a chain of `super::`.
    fn named_modules(&self) -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        let to_root = "super::".repeat(self.depth());
        for prefix in ["crate::", "msgarchive::", to_root.as_str()] {
            for (at, _) in self.code.match_indices(prefix) {
                let before = &self.code[..at];
                if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') || before.ends_with("super::")
                {
                    continue;
                }
                named.extend(first_segments(&self.code[at + prefix.len()..]));
            }
        }
        named
    }

    fn names(&self, word: &str) -> bool {
        self.code.match_indices(word).any(|(at, _)| {
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            !self.code[..at].ends_with(is_name) && !self.code[at + word.len()..].starts_with(is_name)
        })
    }

    /// True when the file uses an external crate: `name::`, not preceded by another path.
    fn uses_crate(&self, name: &str) -> bool {
        let prefix = format!("{name}::");
        self.code.match_indices(&prefix).any(|(at, _)| {
            let before = &self.code[..at];
            !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
                && (!before.ends_with("::") || before.ends_with(" ::"))
        })
    }
}

/// `a::b` → a; `{a::b, c}` → a, c.
fn first_segments(path: &str) -> Vec<String> {
    let segment = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![segment(path)] };
    let mut depth = 0;
    let mut segments = Vec::new();
    let mut at_start = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && !c.is_whitespace() => {
                segments.push(segment(&group[at..]));
                at_start = false;
            }
            _ => {}
        }
    }
    segments
}

/// Code without comments and without what is between quotation marks.
fn without_comments_and_texts(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if let Some(text) = rest.strip_prefix('"') {
            let mut escaped = false;
            let end = text.find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            kept.push_str("\"\"");
            end.map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") {
            rest.find("\"'").map_or(1, |end| end + 2)
        } else {
            kept.push(c);
            c.len_utf8()
        };
        rest = &rest[skip..];
    }
    kept
}

fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let whole = fs::read_to_string(&path).unwrap();
                let own = whole.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                let relative = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                if relative.ends_with("/tests.rs") || relative.contains("/tests/") {
                    continue;
                }
                let (code, lines) = (without_comments_and_texts(&own), own.lines().count());
                files.push(SourceFile { path: relative, code, lines, whole });
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// One line a finding; a test that fails shows all of them.
#[track_caller]
fn nothing_in(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn row<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
}

#[test]
fn modules_import_only_downwards() {
    let mut findings = Vec::new();
    for file in sources() {
        let module = file.module();
        if module.is_empty() {
            continue;
        }
        let Some(allowed) = row(MODULES, module) else {
            findings.push(format!("{}: {module} has no row in MODULES", file.path));
            continue;
        };
        let more = row(JOINTS, &file.path).unwrap_or_default();
        for named in file.named_modules() {
            let is_module = MODULES.iter().any(|(m, _)| *m == named);
            let ours =
                module == "cli" || named == module || allowed.contains(&&*named) || more.contains(&&*named);
            if is_module && !ours {
                findings.push(format!("{} must not name {named}", file.path));
            }
        }
    }
    nothing_in(findings);
}

#[test]
fn the_program_sees_only_the_public_library() {
    let of_the_program = |f: &SourceFile| f.module() == "cli" || f.path == "main.rs";
    let inside = sources().into_iter().filter(|f| !of_the_program(f) && f.names("cli"));
    nothing_in(inside.map(|f| format!("{} names cli", f.path)).collect());
}

#[test]
fn every_dependency_has_an_owner_and_a_use() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let dependencies: BTreeSet<String> = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().replace('-', "_"))
        .collect();
    assert!(!dependencies.is_empty());

    let mut findings = Vec::new();
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    let files = sources();
    for name in &dependencies {
        let Some(owners) = row(CRATES, name) else {
            findings.push(format!("{name} has no row in CRATES"));
            continue;
        };
        for file in &files {
            // The derive macros come by the crate's name too, so a plain path is enough to look for.
            if file.uses_crate(name) {
                *users.entry(name).or_default() += 1;
                if !owners.contains(&file.module()) {
                    findings.push(format!("{} must not use {name}: it belongs to {owners:?}", file.path));
                }
            }
        }
        if !users.contains_key(name.as_str()) {
            findings.push(format!("{name} is a dependency that nothing uses"));
        }
    }
    for (name, _) in CRATES.iter().filter(|(name, _)| !dependencies.contains(*name)) {
        findings.push(format!("{name} has a row in CRATES and is no dependency"));
    }
    nothing_in(findings);
}

#[test]
fn words_stay_where_they_belong() {
    let mut findings = Vec::new();
    for file in sources() {
        for (word, owners, why) in WORDS {
            if file.names(word) && !owners.contains(&file.module()) {
                findings.push(format!("{} says {word}: {why}", file.path));
            }
        }
    }
    nothing_in(findings);
}

#[test]
fn decoding_and_the_model_do_no_input_or_output() {
    let pure = |f: &SourceFile| f.module() == "model" || f.path.starts_with("pipeline/decode");
    let words = ["std::fs", "File", "TcpStream", "std::env", "std::thread"];
    let mut findings = Vec::new();
    for file in sources().iter().filter(|f| pure(f)) {
        findings.extend(words.iter().filter(|w| file.names(w)).map(|w| format!("{} names {w}", file.path)));
    }
    nothing_in(findings);
}

#[test]
fn no_file_is_too_long() {
    let long = |f: &SourceFile| f.lines > LONGEST;
    nothing_in(
        sources()
            .iter()
            .filter(|f| long(f))
            .map(|f| format!("{}: {} lines without its tests", f.path, f.lines))
            .collect(),
    );
}

#[test]
fn no_module_has_an_empty_name() {
    let empty =
        |f: &SourceFile| f.path.split('/').any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")));
    nothing_in(sources().iter().filter(|f| empty(f)).map(|f| f.path.clone()).collect());
}

#[test]
fn every_top_level_module_says_what_it_must_never_do() {
    let top = |f: &SourceFile| {
        !f.module().is_empty()
            && (f.path.matches('/').count() == 1 && f.path.ends_with("/mod.rs") || !f.path.contains('/'))
    };
    let silent = |f: &SourceFile| !f.whole.contains("//! **Must never**");
    nothing_in(sources().iter().filter(|f| top(f) && silent(f)).map(|f| f.path.clone()).collect());
}

#[test]
fn the_scanner_sees_what_it_should() {
    let file = |path: &str, code: &str| SourceFile {
        path: path.into(),
        code: without_comments_and_texts(code),
        lines: 1,
        whole: code.into(),
    };
    let grouped = file("model/x.rs", "use crate::{source::{A, B}, disk};");
    assert_eq!(grouped.named_modules(), BTreeSet::from(["source".into(), "disk".into()]));
    let climbing = file("model/a/x.rs", "use super::super::super::pipeline::run;");
    assert!(climbing.named_modules().contains("pipeline"));
    let said = file("model/x.rs", "// crate::source\nlet x = \"crate::cli \\\" crate::disk\"; let q = '\"';");
    assert!(said.named_modules().is_empty());
    assert!(file("model/x.rs", "use csv::Writer;").uses_crate("csv"));
    assert!(!file("model/x.rs", "use crate::csv::Writer; my_csv::x()").uses_crate("csv"));
    assert!(file("model/x.rs", "eprintln!(\"\")").names("eprintln!"));
    assert!(!file("model/x.rs", "eprintln!(\"\")").names("println!"));
}
