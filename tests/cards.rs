//! Every kind of app message as the card it becomes.

mod kinds;
mod polls;
mod samples;
mod sessions;

use std::fmt::Write;
use std::fs;

use msgarchive::model::{Balloon, Value};
use msgarchive::pipeline::decode::balloons::balloon;
use sha2::{Digest, Sha256};

use crate::program::Program;
use crate::support::{Library, tree};

/// A card as lines of `field: value`, without the fields that say nothing. Bytes and long texts are shown as their number and
/// a hash, spaces that do not break as `~`.
fn show(card: &Balloon) -> String {
    let mut out = format!("{:?}\n", card.kind);
    let texts = [
        ("bundle", &card.bundle_id),
        ("app", &card.app),
        ("title", &card.title),
        ("subtitle", &card.subtitle),
        ("summary", &card.summary),
        ("url", &card.url),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            let text = if text.starts_with("data:,") { &text[..12] } else { text };
            writeln!(out, "{name}: {}", text.replace('\n', "\\n")).unwrap();
        }
    }
    for line in &card.lines {
        writeln!(out, "line: {line}").unwrap();
    }
    if !card.attachments.is_empty() {
        writeln!(out, "pictures: {:?}", card.attachments).unwrap();
    }
    for option in &card.options {
        writeln!(out, "option: {}", option.text).unwrap();
    }
    for (name, value) in &card.data {
        writeln!(out, "{name} = {}", plain(value)).unwrap();
    }
    out.replace('\u{A0}', "~")
}

fn plain(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(text) if text.len() > 120 => {
            let hash = Sha256::digest(text);
            format!("{} characters {:02x}{:02x}", text.chars().count(), hash[0], hash[1])
        }
        Value::Text(text) => format!("{text:?}"),
        Value::Date(date) => date.to_rfc3339(),
        Value::Bytes(bytes) => {
            let hash = Sha256::digest(bytes);
            format!("{} bytes {:02x}{:02x}", bytes.len(), hash[0], hash[1])
        }
        Value::List(items) => format!("[{}]", list(items.iter().map(plain).collect())),
        Value::Map(entries) => {
            format!("{{{}}}", list(entries.iter().map(|(k, v)| format!("{k}: {}", plain(v))).collect()))
        }
    }
}

/// The card of a payload that must be understood.
fn card(bundle_id: &str, payload: &[u8]) -> Balloon {
    let (card, defects) = balloon(bundle_id, Some(payload), Some("\u{FFFC}"));
    assert_eq!(defects, [""; 0]);
    card
}

/// The whole id of an extension of Apple's.
fn extension(id: &str) -> String {
    format!("com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:{id}")
}

/// What a library becomes: the messages of its only conversation as JSON, and its text.
fn exported(library: &Library) -> (Vec<serde_json::Value>, String) {
    let program = Program::new();
    let source = program.path().join("Messages");
    fs::create_dir(&source).unwrap();
    library.write(&source);
    let ran = program.run(&["export", "-s", source.to_str().unwrap(), "-f", "jsonl,txt,pdf", "--out", "out"]);
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.err);
    let read = |extension: &str| {
        let files = tree::files(&program.path().join("out"));
        let is = |name: &str| {
            name.ends_with(extension) && !name.starts_with("conversations") && !name.starts_with("index")
        };
        let found = files.into_iter().find(|(name, _)| is(name)).expect("a file of the conversation");
        String::from_utf8(found.1).unwrap()
    };
    let messages = read(".jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (messages, read(".txt"))
}
