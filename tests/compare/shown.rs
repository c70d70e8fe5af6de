//! How a comparison is shown: in a terminal, as JSON, as a page.

use std::fs;

use unicode_width::UnicodeWidthStr;

use super::{Two, ana, remove};
use crate::support::{Library, Schema, Tapback};

/// A little of everything, with names made to hurt.
fn hostile() -> Library {
    let mut library = ana();
    let ben = library.handle("ben@example.com", "SMS");
    let group = library
        .group(&[ben], "</title><script>alert(1)</script>\u{1b}[31m\u{202e}\"'& 家族グループの長い名前です");
    for (day, text) in [(2, "a"), (4, "b"), (6, "c")] {
        library.message(group).from(ben).at(&format!("2024-05-{day:02}T09:00:00Z")).text(text);
    }
    let first = crate::support::MessageId(1);
    library.message(crate::support::ChatId(1)).from_me().tapback(first, Tapback::Loved);
    library
}

fn two() -> Two {
    let gone = remove("2, 4, 6, 8");
    let two = Two::changed(&hostile(), &format!("{gone} UPDATE message SET is_read = 0 WHERE ROWID = 3;"));
    two.change("left", &remove("1"));
    two
}

#[test]
fn a_table_of_80_columns() {
    let out = two().run(&[]).with_code(3).out;
    assert!(out.lines().all(|line| line.width() <= 80), "{out}");
    assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out:?}");
    insta::assert_snapshot!(out);
}

#[test]
fn the_json_schema() {
    let out = two().run(&["--json"]).with_code(3).out;
    assert_eq!(out.lines().count(), 1);
    // A key a line, so that a difference can be read.
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&object).unwrap());
}

#[test]
fn a_page_that_needs_nothing_and_believes_nothing() {
    let two = two();
    let ran = two.run(&["--html", "page.html", "--me", "<b>Me & you</b>"]).with_code(3);
    assert!(ran.out.contains("Page: page.html"), "{}", ran.out);
    let path = two.program.path().join("page.html");
    let page = fs::read_to_string(&path).unwrap();
    for bad in ["<script", "<b>Me", "http:", "https:", "javascript:", "url(", "\u{1b}", "\u{202e}", "src="] {
        assert!(!page.contains(bad), "{bad} is in the page");
    }
    for there in
        ["&#60;script&#62;", "default-src 'none'", "prefers-color-scheme: dark", "@media print", "<svg "]
    {
        assert!(page.contains(there), "{there} is not in the page");
    }
    for open in ["<section", "<svg", "<table", "<details", "<li", "<dl", "<div", "<p", "<bdi"] {
        let close = format!("</{}>", &open[1..]);
        let opened = page.matches(&format!("{open}>")).count() + page.matches(&format!("{open} ")).count();
        assert_eq!(opened, page.matches(&close).count(), "{open}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_page_that_cannot_be_written_leaves_nothing() {
    let two = two();
    let ran = two.run(&["--html", "no/such/folder/page.html"]).with_code(1);
    assert!(ran.err.contains("cannot write the page no/such/folder/page.html"), "{}", ran.err);
    fs::create_dir(two.program.path().join("folder")).unwrap();
    two.run(&["--html", "folder"]).with_code(1);
    let left = |folder: &str| fs::read_dir(two.program.path().join(folder)).unwrap().count();
    assert_eq!((left("folder"), left(".")), (0, 5));
}

#[test]
fn an_equal_pair_has_a_page_too() {
    let two = Two::of(&Library::new(Schema::MACOS_26), &Library::new(Schema::MACOS_26));
    let ran = two.run(&["--html", "page.html"]).with_code(0);
    assert!(ran.out.contains("Both sides have no messages."), "{}", ran.out);
    let page = fs::read_to_string(two.program.path().join("page.html")).unwrap();
    assert!(page.contains("Both sides have no messages.") && !page.contains("<svg"), "{page}");
}

#[test]
fn progress_is_shown_where_it_is_asked_for() {
    let ran = two().run(&["--progress", "always"]).with_code(3);
    for phase in ["Reading left", "Reading right", "Comparing"] {
        assert!(ran.err.contains(phase), "{}", ran.err);
    }
}
