//! How large PDF is.

use crate::program::Program;
use crate::support::crowd::Crowd;

/// A target of the format, for 100,000 messages: fonts, tapbacks, cards, all that stands on every page, and what a screen
/// reader wants counted in.
const BYTES_A_MESSAGE: u64 = 210;

#[test]
fn text_costs_little_more_than_its_letters() {
    let program = Program::new();
    let folder = program.path().join("Messages");
    Crowd { messages: 100_000, conversations: 1, files: false }.write(&folder).unwrap();
    // One year of them: as many a day as in all.
    let source = ["-s", folder.to_str().unwrap(), "--since", "2025-01-01", "--until", "2026-01-01"];
    // The index of attachments is a cost of attachments.
    let arguments = ["export", "-f", "pdf", "--no-index", "--json", "-o", "out"];
    let ran = program.run(&[&arguments[..], &source[..]].concat()).with_code(0);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let messages = report["rows"]["messages"].as_u64().unwrap();
    assert!(messages > 5_000, "{messages}");
    let bytes: u64 = std::fs::read_dir(program.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pdf"))
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(bytes / messages <= BYTES_A_MESSAGE, "{} bytes a message", bytes / messages);
}
