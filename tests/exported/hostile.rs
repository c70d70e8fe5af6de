//! Exports that were damaged, or made to hurt.

use std::fs;

use super::{Kept, ana, lines};
use crate::support::{Library, Schema};

/// Changes the file of messages.
fn change(kept: &Kept, with: impl Fn(&str) -> String) {
    let file = kept.file("export");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, with(&text)).unwrap();
}

fn list(kept: &Kept, with: impl Fn(&str) -> String) {
    let file = kept.path("export/conversations.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, with(&text)).unwrap();
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_the_others_are_there() {
    let broken = [
        ("not JSON", "{\"guid\":\"x\n".to_owned(), "control character"),
        ("another type", "{\"guid\":7,\"kind\":\"message\",\"conversation\":\"c\"}\n".to_owned(), ""),
        ("no kind", "{\"guid\":\"x\",\"conversation\":\"c\"}\n".to_owned(), "it has no \"kind\""),
        ("somebody else's", "{\"a\":1}\n".to_owned(), "it has no \"kind\""),
        ("not even text", "\u{0}\u{1}\n".to_owned(), "expected value"),
        ("nested", format!("{}\n", "[".repeat(100_000)), "invalid type"),
    ];
    for (what, line, words) in broken {
        let kept = Kept::of(&ana(), &[]);
        change(&kept, |text| {
            let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
            lines.insert(1, line.clone());
            lines.concat()
        });
        let ran = kept.program.run(&["compare", "library", "export"]).with_code(3);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        // What a look at every line does not show is met when it is read.
        let is_named = said.contains("line 2 of") && said.contains("cannot be read") && said.contains(words);
        assert_eq!(is_named, what != "another type", "{what}: {said}");
        assert!(ran.out.contains("1 row on the right could not be read"), "{what}: {}", ran.out);
        let ran = kept.export("export", "again", &[]);
        assert_eq!(ran.code, Some(3), "{what}: {ran:?}");
        assert_eq!(lines(&kept.path("again")).len(), 1 + 5, "{what}: a marked row stands for it");
        let manifest = fs::read_to_string(kept.path("again/manifest.json")).unwrap();
        assert!(manifest.contains("line 2 of"), "{what}: {manifest}");
    }
}

#[test]
fn a_cut_off_file_gives_all_but_its_last_line() {
    let kept = Kept::of(&ana(), &[]);
    change(&kept, |text| text[..text.len() - 100].to_owned());
    let object = kept.compared("library", "export");
    assert_eq!((&object["both"], &object["only_left"]), (&3.into(), &1.into()));
    assert_eq!(object["complete"], false);
}

#[test]
fn what_is_missing_or_new_in_a_line_is_no_trouble() {
    let kept = Kept::of(&ana(), &[]);
    change(&kept, |text| {
        let bare = "{\"kind\":\"message\",\"conversation\":\"c\",\"new\":[{}],\"text\":\"bare\"}\n";
        format!("{bare}\n  \n{text}")
    });
    let ran = kept.export("export", "again", &[]);
    assert_eq!((ran.code, ran.err.contains("cannot be read")), (Some(0), false), "{ran:?}");
    assert_eq!(lines(&kept.path("again")).len(), 1 + 5);
}

#[test]
fn words_that_are_not_known_are_marked() {
    let kept = Kept::of(&ana(), &[]);
    change(&kept, |text| text.replace("\"type\":\"text\"", "\"type\":\"hologram\""));
    assert_eq!(kept.export("export", "again", &[]).code, Some(3));
    let manifest = fs::read_to_string(kept.path("again/manifest.json")).unwrap();
    let words = "the export names a kind of part that this version does not know: hologram";
    assert_eq!(manifest.matches(words).count(), 4, "{manifest}");
    assert_eq!(kept.compared("library", "export")["equal"], true, "its text is there");
}

#[test]
fn a_schema_of_another_version_is_not_guessed_at() {
    let kept = Kept::of(&ana(), &[]);
    let file = kept.path("export/manifest.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"schema\":1", "\"schema\":2")).unwrap();
    let ran = kept.program.run(&["list", "-s", "export"]).with_code(1);
    assert!(ran.err.contains("manifest.json, line 1: it is of schema 2"), "{}", ran.err);
}

#[test]
fn the_list_has_to_be_whole() {
    for (with, line, words) in [
        (r#"{"id":"c"}"#, 2, "missing field `title`"),
        (r#"{"id":"c","title":"t","kind":"club","file":"x.jsonl"}"#, 2, "no kind of conversation \"club\""),
        (
            r#"{"id":"c","title":"t","kind":"group","file":"../../etc/passwd"}"#,
            2,
            "is no file of this folder",
        ),
        (r#"{"id":"c","title":"t","kind":"group","file":"/etc/passwd"}"#, 2, "is no file of this folder"),
        ("nonsense", 2, "expected ident"),
    ] {
        let kept = Kept::of(&ana(), &[]);
        list(&kept, |text| format!("{text}{with}\n"));
        let ran = kept.program.run(&["compare", "library", "export"]).with_code(1);
        let said = ran.err.replace("\n  ", " ").replace('\n', " ");
        assert!(said.contains(&format!("conversations.jsonl, line {line}: ")), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
    let kept = Kept::of(&ana(), &[]);
    list(&kept, |text| text.repeat(2));
    let ran = kept.program.run(&["list", "-s", "export"]).with_code(1);
    assert!(ran.err.contains("is named for the second time"), "{}", ran.err);
    let kept = Kept::of(&ana(), &[]);
    fs::remove_file(kept.file("export")).unwrap();
    let ran = kept.program.run(&["list", "-s", "export"]).with_code(1);
    assert!(ran.err.contains("there is nothing at"), "{}", ran.err);
}

/// A line may be as long as a file; it is passed over, and not held.
#[test]
fn a_line_without_an_end_is_passed_over() {
    let kept = Kept::of(&ana(), &[]);
    change(&kept, |text| format!("{{\"text\":\"{}\"}}\n{text}", "x".repeat(40 << 20)));
    let ran = kept.program.run(&["compare", "library", "export"]).with_code(3);
    assert!(ran.err.contains("it is longer than 32 MiB"), "{}", ran.err);
    assert!(ran.out.contains("1 row on the right could not be read"), "{}", ran.out);
    assert!(ran.out.contains("Both sides have the same 4 messages."), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn no_path_and_no_link_leads_out() {
    use std::os::unix::fs::symlink;

    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    library.message(chat).at("2024-05-08T10:00:00Z").text("look");
    let photo = library.attachment("a.jpg").bytes(*b"photo").id();
    library.message(chat).at("2024-05-09T10:00:00Z").attachment(photo);
    let kept = Kept::of(&library, &[]);
    fs::write(kept.path("secret"), b"secret").unwrap();
    let path = {
        let text = fs::read_to_string(kept.file("export")).unwrap();
        let at = text.find("\"path\":\"").unwrap() + 8;
        text[at..].split('"').next().unwrap().to_owned()
    };
    symlink(kept.path("secret"), kept.path("export/attachments/link")).unwrap();
    for hostile in ["../secret", "/etc/passwd", "attachments/link", "attachments/../../secret", "C:\\\\x", ""]
    {
        let file = kept.file("export");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace(&path, hostile)).unwrap();
        let ran = kept.export("export", "again", &[]);
        let text_again = fs::read_to_string(kept.file("again")).unwrap();
        let photo = &super::parsed(text_again.lines().last().unwrap())["attachments"][0];
        assert_eq!((&photo["availability"], photo["path"].is_null()), (&"missing".into(), true), "{ran:?}");
        fs::write(&file, text).unwrap();
        fs::remove_dir_all(kept.path("again")).unwrap();
    }
    // The same of the files of messages.
    let file = kept.file("export");
    fs::rename(&file, kept.path("outside")).unwrap();
    symlink(kept.path("outside"), &file).unwrap();
    let ran = kept.program.run(&["list", "-s", "export"]).with_code(1);
    assert!(ran.err.contains("a link leads out of the folder"), "{}", ran.err);
}
