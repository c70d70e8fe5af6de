//! The same source and options give the same bytes, whatever the number of workers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::program::Program;
use crate::support::crowd::Crowd;
use crate::support::{Library, Schema};

/// Every file below a folder, with its bytes and the time it was last changed.
fn contents(folder: &Path) -> BTreeMap<String, (Vec<u8>, Option<std::time::SystemTime>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            // Of attachments the date is the message's; of what is written it is now.
            let dated = name.starts_with("attachments").then(|| path.metadata().unwrap().modified().unwrap());
            found.insert(name, (fs::read(&path).unwrap(), dated));
        }
    }
    found
}

/// Exports to every format with 1, 2 and 8 workers and compares all files. Defects are no failure. Returns the number of
/// files.
pub fn same_for_any_number_of_workers(program: &Program, source: &[&str]) -> usize {
    let names: Vec<&str> = msgarchive::writers::FORMATS.iter().map(|format| format.name).collect();
    let formats = names.join(",");
    let mut first = None;
    for jobs in ["1", "2", "8"] {
        let out = format!("out-{jobs}");
        let arguments = [&["export", "--format", &formats, "--jobs", jobs, "--out", &out], source].concat();
        let ran = program.run(&arguments);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        let contents = contents(&program.path().join(out));
        let first = first.get_or_insert_with(|| contents.clone());
        assert_eq!(first.keys().collect::<Vec<_>>(), contents.keys().collect::<Vec<_>>());
        for (name, content) in &contents {
            assert!(first[name] == *content, "{name} differs with --jobs {jobs}");
        }
    }
    first.map_or(0, |files| files.len())
}

#[test]
fn of_the_sample() {
    let files = same_for_any_number_of_workers(&Program::new(), &["--sample"]);
    assert!(files > 30, "{files}");
}

#[test]
fn of_conversations_of_many_windows() {
    let program = Program::new();
    let folder = program.path().join("Messages");
    Crowd { messages: 6_000, conversations: 3, files: true }.write(&folder).unwrap();
    let files = same_for_any_number_of_workers(&program, &["--source", folder.to_str().unwrap()]);
    assert!(files > 200, "{files}");
}

#[test]
fn of_messages_so_large_that_windows_are_read_in_parts() {
    let program = Program::new();
    let folder = program.path().join("Messages");
    std::fs::create_dir(&folder).unwrap();
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    let large = "words and words ".repeat(24_000);
    for n in 0..600 {
        let text = if n % 200 < 6 { large.as_str() } else { "x" };
        let mut message =
            library.message(chat).text(text).date_raw(700_000_000_000_000_000 + n * 1_000_000_000);
        if n % 2 == 0 {
            message = message.from_me();
        }
        message.id();
    }
    library.write(&folder);
    let files = same_for_any_number_of_workers(&program, &["--source", folder.to_str().unwrap()]);
    assert!(files > 4, "{files}");
}
