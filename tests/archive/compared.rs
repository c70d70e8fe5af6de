//! An archive beside the library that feeds it.

use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

fn compared(program: &Program, code: i32) -> Value {
    let arguments = ["compare", "archive", "mac", "--json", "--contacts", "none"];
    serde_json::from_str(&program.run(&arguments).with_code(code).out).unwrap()
}

fn counts(object: &Value) -> [u64; 4] {
    ["both", "only_left", "only_right", "different"].map(|key| object[key].as_u64().unwrap())
}

/// The archive has what the library lost, and says why; the library has the news.
#[test]
fn what_only_the_archive_has_and_what_only_the_library() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    for (guid, text) in [("A", "stays"), ("B", "first thoughts"), ("C", "goodbye"), ("D", "and you")] {
        mac.receive(guid, 0, START + 60, text);
    }
    mac.attach("A", "a.png");
    mac.download("A", "a.png", b"bytes");
    add(&program.path().join("archive"), &[&mac.folder], START + 3600).unwrap();
    let equal = compared(&program, 0);
    assert_eq!((counts(&equal), &equal["left"]["kind"]), ([4, 0, 0, 0], &"archive".into()));
    mac.remove("C", true, "deleted");
    mac.edit("B", START + DAY, "second thoughts");
    mac.receive("E", 0, START + DAY, "news");
    let before = compared(&program, 3);
    assert_eq!(counts(&before), [3, 1, 1, 1]);
    add(&program.path().join("archive"), &[&mac.folder], START + DAY + 3600).unwrap();
    let after = compared(&program, 3);
    assert_eq!(counts(&after), [4, 1, 0, 0]);
    let only = &after["messages"][0];
    assert_eq!(
        (&only["guid"], &only["side"], &only["reason"]),
        (&"C".into(), &"left".into(), &"deleted".into())
    );
}
