//! Contents that are told apart by their bytes.

use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::pipeline::select::{Has, Selection};
use msgarchive::storage::{Assumption, Exact, Read, WhatIf};
use tempfile::TempDir;

use super::estimated;
use crate::support::{Library, Schema};

/// Two equal films, another one of their size, one of a size of its own, and one of their size that is not here.
fn library(folder: &Path) -> PathBuf {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let film = |library: &mut Library, name: &str, bytes: Vec<u8>| {
        library.attachment(name).bytes(bytes).raw("ck_sync_state", 1).id()
    };
    let films = [
        film(&mut library, "a.mov", vec![1; 10_000]),
        film(&mut library, "b.mov", vec![1; 10_000]),
        film(&mut library, "c.mov", vec![2; 10_000]),
        film(&mut library, "d.mov", vec![1; 500]),
        library.attachment("e.mov").size(10_000).in_icloud().id(),
    ];
    for (film, year) in films.into_iter().zip(2019..) {
        library.message(chat).from(ana).at(&format!("{year}-05-01T12:00:00Z")).joined(film);
    }
    library.write(folder)
}

#[test]
fn equal_contents_count_once_and_others_each() {
    let folder = TempDir::new().unwrap();
    let path = library(folder.path());
    let videos = |exact: bool| {
        let found = estimated(&path, |options| {
            options.exact = exact.then_some(Exact { known: None });
        });
        (found.categories[1].1, found.read, found.assumptions)
    };
    let (sum, read, assumptions) = videos(false);
    assert_eq!((sum.low, sum.high), (10_500, 40_500));
    assert_eq!(read, None);
    assert!(assumptions.contains(&Assumption::Duplicates { read: false }));
    let (sum, read, assumptions) = videos(true);
    // What is not here may be one of those that are.
    assert_eq!((sum.low, sum.high), (20_500, 40_500));
    assert_eq!(
        read,
        Some(Read { files: 3, bytes: 30_000, unreadable: 0 }),
        "what nothing is like need not be read"
    );
    assert!(assumptions.contains(&Assumption::Duplicates { read: true }));
}

#[test]
fn what_stays_is_told_by_its_bytes() {
    let folder = TempDir::new().unwrap();
    let path = library(folder.path());
    let freed = |since: &str, until: &str| {
        let moment = |text: &str| Some(format!("{text}T00:00:00Z").parse().unwrap());
        let selection = Selection { since: moment(since), until: moment(until), ..Selection::default() };
        let what = WhatIf { selection, has: vec![Has::Video], larger: None };
        let found = estimated(&path, |options| {
            options.exact = Some(Exact { known: None });
            options.what_if = Some(what);
        });
        found.freed.unwrap().low
    };
    assert_eq!(freed("2022-01-01", "2023-01-01"), 500, "nothing is like it");
    assert_eq!(freed("2019-01-01", "2020-01-01"), 0, "its twin stays");
    assert_eq!(freed("2019-01-01", "2022-01-01"), 0, "what is not here may be any of them");
    assert_eq!(freed("2019-01-01", "2024-01-01"), 10_500, "and may be one with the others");
}

#[test]
fn hashes_are_remembered_privately_and_forgotten_when_a_file_changes() {
    let folder = TempDir::new().unwrap();
    let path = library(&folder.path().join("library"));
    let known = folder.path().join("caches/hashes");
    let low = || {
        let exact = Some(Exact { known: Some(&known) });
        estimated(&path, |options| options.exact = exact).categories[1].1.low
    };
    assert_eq!(low(), 20_500);
    let written = fs::read_to_string(&known).unwrap();
    assert_eq!(written.lines().count(), 4);
    assert!(!written.contains("mov") && !written.contains("Attachments"), "{written}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&known).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // What is remembered is believed.
    let lines: Vec<&str> = written.lines().collect();
    let (_, hash) = lines[1].split_once(' ').unwrap();
    let all_alike: Vec<String> =
        lines[1..].iter().map(|line| format!("{} {hash}", line.split_once(' ').unwrap().0)).collect();
    fs::write(&known, format!("{}\n{}\n", lines[0], all_alike.join("\n"))).unwrap();
    assert_eq!(low(), 10_500);
    // Not of a file that was changed since.
    let root = folder.path().join("library");
    for (file, bytes) in crate::support::tree::files(&root) {
        if bytes.len() == 10_000 {
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
            fs::File::options().write(true).open(root.join(file)).unwrap().set_modified(time).unwrap();
        }
    }
    assert_eq!(low(), 20_500);
    // A file of somebody else stays as it is.
    fs::write(&known, "mine").unwrap();
    let source = msgarchive::source::open(&path, &Default::default()).unwrap();
    let options =
        msgarchive::storage::Options { exact: Some(Exact { known: Some(&known) }), ..super::plain_options() };
    assert!(msgarchive::storage::estimate(source.as_ref(), &[], &options, &()).is_err());
    assert_eq!(fs::read_to_string(&known).unwrap(), "mine");
}
