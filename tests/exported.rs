//! A folder that was exported to JSON Lines, read back as a source.

mod again;
mod compared;
mod hostile;
mod refused;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Program, Ran};
use crate::support::{AppTemplate, Library, Schema, Tapback, story};

/// A library in `library`, and its export in `export`.
struct Kept {
    program: Program,
}

impl Kept {
    fn of(library: &Library, options: &[&str]) -> Kept {
        let kept = Kept { program: Program::new() };
        library.write(&kept.path("library"));
        kept.export("library", "export", options);
        kept
    }

    fn path(&self, name: &str) -> PathBuf {
        self.program.path().join(name)
    }

    #[track_caller]
    fn export(&self, source: &str, out: &str, options: &[&str]) -> Ran {
        let arguments = ["export", "-s", source, "-f", "jsonl", "--out", out];
        let ran = self.program.run(&[&arguments, options].concat());
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        ran
    }

    /// What `compare LEFT RIGHT --json` prints.
    #[track_caller]
    fn compared(&self, left: &str, right: &str) -> Value {
        let ran = self.program.run(&["compare", left, right, "--json"]);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// The one file of messages of an export.
    fn file(&self, export: &str) -> PathBuf {
        let entries = fs::read_dir(self.path(export)).unwrap().map(|entry| entry.unwrap().path());
        let is_messages = |path: &PathBuf| {
            path.extension().is_some_and(|e| e == "jsonl") && !path.ends_with("conversations.jsonl")
        };
        let files: Vec<PathBuf> = entries.filter(is_messages).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

/// Every line of an export, but for what is another one in another folder: paths in order of the files' names.
fn lines(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| text.lines().map(parsed).collect::<Vec<_>>()).collect()
}

#[track_caller]
fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Every sort of thing that a message can be, or that can hang on one, and what is odd about rows.
fn everything() -> Library {
    let mut library = story::library();
    let zoe = library.handle("+12025550190", "iMessage");
    let yuri = library.handle("yuri@example.com", "iMessage");
    let chat = library.group(&[zoe, yuri], "Odds and ends");
    library.clock("2025-02-01T10:00:00Z");
    let said = library.message(chat).from(zoe).text("said").id();
    for tapback in [Tapback::Loved, Tapback::Emoji("🦀")] {
        library.message(chat).from(yuri).tapback(said, tapback);
    }
    library.message(chat).from(yuri).take_back(said, Tapback::Emoji("🦀"));
    library.message(chat).from_me().tapback(said, Tapback::Liked);
    let edited = library.message(chat).from(zoe).text("frist").edit_after(60, "first");
    let edited = edited.more_text("").id();
    library.message(chat).text("to that").reply_to(edited);
    library.message(chat).text("a").text("b").text("c").unsend_part_after(1, 60);
    library.message(chat).text("gone").unsend("2025-02-01T11:00:00Z");
    library.message(chat).text("stays").text(" goes").deleted_part(1, "2025-06-01T00:00:00Z");
    library.message(chat).text("bin").deleted("2025-06-01T00:00:00Z");
    library.message(chat).from_me().text("later").scheduled(2);
    library.message(chat).from_me().text("failed").failed(22);
    library.message(chat).from(zoe).text("buy").junk();
    library.message(chat).from(zoe).text("bonjour").translated("hello", "en_US", "fr_FR");
    library.message(chat).from(zoe).added(yuri);
    library.message(chat).from(zoe).removed(yuri);
    library.message(chat).from(zoe).renamed("Odds, ends");
    library.message(chat).from(yuri).left();
    library.message(chat).share_play();
    library.message(chat).location(zoe, true);
    let photo = library.attachment("a photo.jpg").bytes(*b"not really").id();
    let cloud = library.attachment("far.mov").in_icloud().size(5_000_000).id();
    let gone = library.attachment("gone.pdf").id();
    let helper = library.attachment("x.pluginPayloadAttachment").bytes(*b"helper").id();
    let hidden = library.attachment("hidden.bin").bytes(*b"hidden").hidden().id();
    library.message(chat).from(zoe).attachment(photo).text("look").joined(hidden);
    library.message(chat).from(zoe).attachment(cloud).attachment(gone).joined(helper);
    let poll =
        library.message(chat).from(zoe).app("com.apple.messages.Polls", &AppTemplate::new("Polls")).id();
    library
        .message(chat)
        .from(yuri)
        .app("com.apple.messages.Polls", &AppTemplate::new("Polls"))
        .associated(poll, 2);
    library.message(chat).from(yuri).associated(poll, 4000);
    library.orphan().from(zoe).text("of no chat");
    library.message(chat).from(zoe).text("no guid").raw("guid", "");
    library
}

/// One conversation of a few messages.
fn ana() -> Library {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    for (day, text) in [(1, "one"), (3, "two"), (5, "three"), (7, "four")] {
        library.message(chat).at(&format!("2024-05-{day:02}T10:00:00.5Z")).text(text);
    }
    library
}
