//! How large PDF is.

use crate::program::Program;
use crate::support::crowd::Crowd;

/// A target of the format: fonts, tapbacks, cards and all that stands on every page counted in.
const BYTES_A_MESSAGE: u64 = 210;

#[test]
fn text_costs_little_more_than_its_letters() {
    let program = Program::new();
    let folder = program.path().join("Messages");
    Crowd { messages: 6_000, conversations: 1, files: false }.write(&folder).unwrap();
    let source = folder.to_str().unwrap();
    // The index of attachments is a cost of attachments.
    let arguments = ["export", "-s", source, "-f", "pdf", "--no-index", "--json", "-o", "out"];
    let ran = program.run(&arguments).with_code(0);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let messages = report["rows"]["messages"].as_u64().unwrap();
    let bytes: u64 = std::fs::read_dir(program.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pdf"))
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(bytes / messages <= BYTES_A_MESSAGE, "{} bytes a message", bytes / messages);
}
