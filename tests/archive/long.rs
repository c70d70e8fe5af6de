//! What `search` shows of messages that are longer than a screen.

use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::Schema;
use unicode_width::UnicodeWidthStr as _;

const START: i64 = 700_000_000;

/// Five messages, the second and the fourth of a megabyte.
fn prepared(program: &Program) -> [String; 2] {
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let latin =
        format!("{}a \x1b[1m needle in hay {}", "lorem ipsum ".repeat(45_000), "dolor sit ".repeat(45_000));
    let other = format!("{}一本の針{}", "明日会いましょう".repeat(20_000), "👨‍👩‍👧‍👦".repeat(10_000));
    let said = [("A", "before"), ("B", &latin), ("C", "between"), ("D", &other), ("E", "after")];
    for (at, (guid, text)) in said.into_iter().enumerate() {
        mac.receive(guid, 0, START + 60 * at as i64, text);
    }
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    mac.edit("C", START + DAY + 60, &latin.replace("needle", "pin"));
    add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    mac.edit("C", START + 2 * DAY + 60, "short again");
    add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    [latin, other]
}

/// What was found is seen, not all that is around it; and how to see that is said once.
#[test]
fn an_excerpt_is_shown_around_what_was_found() {
    let program = Program::new();
    prepared(&program);
    for (typed, found) in [("needle hay", "needle in hay"), ("針", "一本の針"), ("pin", "pin in hay")] {
        let said = program.run(&["search", "archive", typed]).with_code(0).out;
        assert!(said.len() < 6000, "{} bytes", said.len());
        assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(found), "{said}");
        assert!(said.lines().all(|line| line.width() <= 80), "{said}");
        assert!(!said.contains('\x1b'), "{said}");
        let how = "`msgarchive history archive --message GUID`";
        assert_eq!(said.replace('\n', " ").matches(how).count(), 1, "{said}");
        assert!(said.contains("characters in all]") && said.contains("[…] "), "{said}");
    }
    // What is short says nothing of that.
    let said = program.run(&["search", "archive", "before", "--context", "0"]).with_code(0).out;
    assert!(!said.contains('…') && !said.contains("--message"), "{said}");
}

/// Programs are told everything, and so is who asks for one message.
#[test]
fn the_whole_is_there_for_who_wants_it() {
    let program = Program::new();
    let [latin, other] = prepared(&program);
    let told = program.run(&["search", "archive", "needle", "--json", "--context", "2"]).with_code(0).out;
    let told: Value = serde_json::from_str(&told).unwrap();
    let hit = &told["hits"][0];
    let text = |message: &Value| message["text"].as_str().unwrap_or_default().to_owned();
    assert_eq!(hit["guid"], "B");
    assert!(text(hit) == latin, "its text is shortened");
    let after: Vec<String> = hit["after"].as_array().unwrap().iter().map(text).collect();
    assert!(after == ["short again", &other], "those beside it are shortened");
    let said = program.run(&["history", "archive", "--message", "B"]).with_code(0).out;
    assert!(said.len() > 900_000, "{} bytes", said.len());
}
