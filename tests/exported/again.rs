//! An export, exported and listed once more; and read together with others.

use std::fs;

use serde_json::{Value, json};

use super::{Kept, ana, everything, lines};
use crate::program::Program;
use crate::support::{Library, Schema, tree};

/// Without what is of one export only: where copies of drawings lie.
fn comparable(mut line: Value) -> Value {
    if let Some(balloon) = line.get_mut("balloon").and_then(Value::as_object_mut) {
        balloon.get_mut("data").and_then(Value::as_object_mut).map(|data| data.remove("drawing"));
    }
    if let Some(attachments) = line.get_mut("attachments").and_then(Value::as_array_mut) {
        attachments
            .retain(|attachment| !(attachment["uti"] == "public.svg-image" && attachment["hidden"] == true));
    }
    line
}

#[test]
fn an_export_of_an_export_says_the_same() {
    let kept = Kept::of(&everything(), &[]);
    kept.export("export", "again", &[]);
    let [before, after] = ["export", "again"]
        .map(|name| lines(&kept.path(name)).into_iter().map(comparable).collect::<Vec<Value>>());
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    // What was drawn is there as a picture.
    let files = tree::files(&kept.path("again"));
    assert!(files.iter().any(|(name, _)| name.ends_with("Handwriting.svg")), "{:?}", files.len());
}

#[test]
fn every_format_is_the_same_whatever_the_number_of_workers() {
    let program = Program::new();
    program.run(&["export", "--sample", "-f", "jsonl", "--out", "export"]).with_code(0);
    let outputs = ["1", "4"].map(|jobs| {
        let arguments = ["export", "-s", "export", "-f", "pdf,csv,txt,jsonl", "--out", "out", "--jobs", jobs];
        program.run(&arguments).with_code(0);
        let files = tree::files(&program.path().join("out"));
        fs::remove_dir_all(program.path().join("out")).unwrap();
        files
    });
    assert!(outputs[0] == outputs[1]);
    assert!(outputs[0].len() > 40, "{}", outputs[0].len());
}

#[test]
fn its_conversations_are_listed_under_their_own_ids() {
    let program = Program::new();
    program.run(&["export", "--sample", "-f", "jsonl", "--out", "export"]).with_code(0);
    let listed = |arguments: &[&str]| {
        let ran = program.run(&[&["list", "--json"], arguments].concat());
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        object["conversations"].clone()
    };
    let (library, export) = (listed(&["--sample"]), listed(&["-s", "export"]));
    for key in ["id", "title", "kind", "participants", "messages", "first", "last", "services"] {
        let of = |all: &Value| all.as_array().unwrap().iter().map(|one| one[key].clone()).collect::<Vec<_>>();
        assert_eq!(of(&library), of(&export), "{key}");
    }
}

/// The library lost a photo, has lost a message and has one more: both together have everything, each once.
#[test]
fn it_fills_in_what_a_library_lost() {
    let library = |photo: bool, texts: &[&str]| {
        let mut library = Library::new(Schema::MACOS_15);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let picture = library.attachment("a.jpg").guid("PHOTO");
        let picture = if photo { picture.bytes(*b"photo") } else { picture.in_icloud() }.id();
        library.message(chat).at("2024-05-01T10:00:00Z").attachment(picture);
        for text in texts {
            let day = text.len();
            library.message(chat).at(&format!("2024-05-{day:02}T10:00:00Z")).text(text).raw("guid", *text);
        }
        library
    };
    let kept = Kept::of(&library(true, &["before", "and before"]), &["--contacts", "none"]);
    fs::remove_dir_all(kept.path("library")).unwrap();
    library(false, &["before", "afterwards"]).write(&kept.path("library"));
    for order in [["library", "export"], ["export", "library"]] {
        let arguments = ["export", "-f", "jsonl", "--out", "both", "--contacts", "none", "-s"];
        kept.program.run(&[&arguments, &[order[0], "-s", order[1]][..]].concat()).with_code(0);
        let file = kept.file("both");
        let messages: Vec<Value> = fs::read_to_string(&file)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let texts: Vec<&Value> = messages.iter().map(|message| &message["text"]).collect();
        assert_eq!(json!(texts), json!(["\u{fffc}", "before", "afterwards", "and before"]));
        let photo = &messages[0]["attachments"][0];
        assert_eq!((&photo["availability"], &photo["bytes"]), (&json!("local"), &json!(5)), "{photo}");
        let both = [&messages[0]["source"]["in"], &messages[1]["source"]["in"]];
        assert_eq!(both, [&json!([0, 1]), &json!([0, 1])]);
        fs::remove_dir_all(kept.path("both")).unwrap();
    }
}

#[test]
fn it_is_named_as_what_it_is() {
    let kept = Kept::of(&ana(), &[]);
    kept.export("export", "again", &[]);
    let manifest = fs::read_to_string(kept.path("again/manifest.json")).unwrap();
    assert!(manifest.contains("\"kind\":\"export\",\"path\":\"export\""), "{manifest}");
    let object = kept.compared("library", "export");
    assert_eq!(object["right"]["kind"], "export");
}
