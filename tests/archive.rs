//! The archive: what goes in comes out, and stays.

mod altered;
mod apart;
mod as_of;
mod at_once;
mod bundles;
mod compared;
mod copies;
mod court;
pub mod crash;
mod cut_off;
mod cut_off_library;
mod damage;
mod device;
mod doubtful;
mod emptied;
mod fed;
mod fed_twice;
mod feeding;
mod files;
mod foreign;
mod former_damaged;
mod found_again;
mod given_damaged;
mod gone;
mod gone_for_good;
mod groups;
mod guessed;
mod guesses;
mod happenings;
mod held;
mod in_the_way;
mod joined;
mod known;
mod late;
mod left_behind;
mod long;
mod lost_bytes;
mod lost_named;
mod lost_then;
mod lost_told;
mod many;
mod merging;
mod missing;
mod moved;
mod moves;
mod nights;
mod no_room;
mod odd_sources;
mod odd_values;
mod other_hands;
mod others;
mod overwritten;
mod pages;
mod past;
mod people;
mod pictures;
mod rarities;
#[cfg(unix)]
mod read_only;
mod reasons;
mod reassigned;
mod restored_damaged;
mod said;
mod said_more;
mod searching;
mod seen;
mod shown_damaged;
mod states;
mod tabled;
mod then;
mod undated;
mod vanishing;
mod vouched;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use msgarchive::archive::{ArchiveError, ArchiveOptions, Feed, RunRecord, archive, check};
use msgarchive::source::backup::Password;
use msgarchive::source::contacts::Contact;
use msgarchive::source::{OpenOptions, Place};
use serde_json::Value;

use crate::program::Program;
use crate::support::{Library, Schema, tree};
use device::{Device, instant};

/// Of all backups that are encrypted.
pub const PASSWORD: &str = "a password";

/// Adds to an archive, on some day.
pub fn add(archive_folder: &Path, sources: &[&Path], at: i64) -> Result<RunRecord, ArchiveError> {
    add_naming(archive_folder, sources, &[], at)
}

/// As [`add`], with an address book.
pub fn add_naming(
    archive_folder: &Path,
    sources: &[&Path],
    contacts: &[Contact],
    at: i64,
) -> Result<RunRecord, ArchiveError> {
    let options = OpenOptions { sessions: 2, ..OpenOptions::default() };
    let open = |path: &&Path| {
        let mut place = Place::find(path).unwrap();
        place.unlock(&Password::new(PASSWORD.to_owned())).unwrap();
        Feed { tables: place.tables(&options).unwrap(), contacts: contacts.to_vec() }
    };
    let feeds: Vec<Feed> = sources.iter().map(open).collect();
    archive(
        archive_folder,
        &feeds,
        ArchiveOptions {
            now: instant(at),
            jobs: 2,
            dry_run: false,
            guard: None,
            away: &[],
            gone: &[],
            copies: None,
        },
        &(),
    )
}

/// A library of one conversation, with an attachment.
pub fn small_library(folder: &Path) -> PathBuf {
    let mut library = Library::new(Schema::MACOS_26);
    let ana = library.handle("+12025550143", "iMessage");
    let chat = library.direct(ana);
    let picture = library.attachment("IMG_0001.png").bytes(b"not a picture, but bytes").id();
    library.message(chat).from(ana).text("look").attachment(picture);
    for number in 0..30 {
        library.message(chat).from_me().text(&format!("word {number}"));
    }
    library.write(folder)
}

/// Every message of an export, by GUID; without what has to differ: row ids, paths, names.
pub fn messages(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (path, bytes) in tree::files(folder) {
        if !path.ends_with(".jsonl") || path == "conversations.jsonl" {
            continue;
        }
        for line in String::from_utf8(bytes).unwrap().lines() {
            let mut message: Value = serde_json::from_str(line).unwrap();
            message.as_object_mut().unwrap().remove("source");
            for attachment in message["attachments"].as_array_mut().unwrap() {
                attachment.as_object_mut().unwrap().remove("path");
            }
            found.push((message["guid"].to_string(), message));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn what_went_in_comes_out() {
    let program = Program::new();
    msgarchive::sample::unpack(&program.path().join("library")).unwrap();
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    for (source, out) in [("library", "before"), ("archive", "after")] {
        program.run(&["export", "-s", source, "-f", "jsonl", "-o", out, "--contacts", "none"]).with_code(0);
    }
    let (before, after) = (messages(&program.path().join("before")), messages(&program.path().join("after")));
    assert!(before.len() > 200);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let program = Program::new();
    program.run(&["archive", "a", "--sample"]).with_code(0);
    let contents = || -> Vec<(String, Vec<u8>)> {
        let mut files = tree::files(&program.path().join("a/Attachments"));
        files.sort();
        files
    };
    let before = contents();
    let ran = program.run(&["archive", "a", "--sample"]).with_code(0);
    assert!(ran.out.contains("Messages and tapbacks: nothing new"), "{}", ran.out);
    assert_eq!(before, contents());
    let json = program.run(&["archive", "a", "--sample", "--json"]).with_code(0).out;
    let record: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&record["number"], &record["added"], &record["changed"]), (&3.into(), &0.into(), &0.into()));
    assert_eq!(record["rows"], 0);
}

#[test]
fn a_dry_run_says_what_a_run_then_does_and_leaves_nothing() {
    let program = Program::new();
    let planned = program.run(&["archive", "a", "--sample", "--dry-run", "--json"]).with_code(0).out;
    assert!(!program.path().join("a").exists());
    let done = program.run(&["archive", "a", "--sample", "--json"]).with_code(0).out;
    let [planned, done]: [Value; 2] = [&planned, &done].map(|text| serde_json::from_str(text).unwrap());
    for key in ["read", "added", "changed", "absent", "attachments", "bytes"] {
        // Bytes that two attachments share are known only when they were read.
        if key != "bytes" {
            assert_eq!(planned[key], done[key], "{key}");
        }
    }
    // Neither a byte nor a date of anything is another.
    let seen = || {
        let folder = program.path().join("a");
        let about =
            |path: String| fs::metadata(folder.join(&path)).map(|about| (path, about.modified().unwrap()));
        let paths = tree::files(&folder).into_iter().map(|(path, _)| path);
        let folders = ["", "runs", "Attachments"].map(str::to_owned);
        let dates: Vec<_> = folders.into_iter().chain(paths).map(|path| about(path).unwrap()).collect();
        (tree::files(&folder), dates)
    };
    let before = seen();
    let ran = program.run(&["archive", "a", "--sample", "--dry-run"]).with_code(0);
    assert!(ran.out.starts_with("Would add to a"), "{}", ran.out);
    // Of another source, of which there is much to add; beside a run, which it neither waits for nor holds up.
    small_library(&program.path().join("library"));
    let lock = fs::File::options().write(true).open(program.path().join("a/lock")).unwrap();
    lock.lock().unwrap();
    let arguments = ["archive", "a", "-s", "library", "--json"];
    let planned = program.run(&[&arguments[..], &["--dry-run"]].concat()).with_code(0).out;
    assert!(before == seen());
    assert_eq!(program.left_in_tmp(), [""; 0].map(PathBuf::from));
    drop(lock);
    let done = program.run(&arguments).with_code(0).out;
    let [planned, done]: [Value; 2] = [&planned, &done].map(|text| serde_json::from_str(text).unwrap());
    for key in [
        "run",
        "number",
        "read",
        "added",
        "changed",
        "absent",
        "attachments",
        "bytes",
        "rows",
        "rows_sha256",
        "totals",
    ] {
        assert_eq!(planned[key], done[key], "{key}");
    }
}

/// It does not read what it would take, and tells two devices of the same pictures from those of others by how large they are.
#[test]
fn a_dry_run_counts_once_what_two_devices_have() {
    let program = Program::new();
    let mut devices = ["mac", "phone"].map(|name| Device::new(&program.path().join(name), Schema::MACOS_26));
    let night = |day: &str| {
        let arguments = ["archive", "a", "-s", "mac", "-s", "phone", "--json"];
        let [planned, done] = [&["--dry-run"][..], &[]].map(|more| {
            let out = program.run(&[&arguments[..], more].concat()).with_code(0).out;
            serde_json::from_str::<Value>(&out).unwrap()
        });
        for key in ["attachments", "bytes"] {
            assert_eq!(planned[key], done[key], "{day}, {key}");
        }
        ["stored", "filled_in", "replaced"].map(|key| done["attachments"][key].as_u64().unwrap())
    };
    // As large as each other; a preview on one of them; only on one; on none yet.
    let pictures: [[Option<&str>; 2]; 5] = [
        [Some("picture 0"), Some("picture 0")],
        [Some("picture 1"), Some("picture 1")],
        [Some("picture 2"), Some("small 2")],
        [None, Some("picture 3")],
        [None, None],
    ];
    for (number, bytes) in pictures.iter().enumerate() {
        for (device, bytes) in devices.iter_mut().zip(bytes) {
            let guid = format!("P{number}");
            device.receive(&guid, 0, 700_000_000 + number as i64, "\u{fffc}");
            device.attach(&guid, "a.png");
            if let Some(bytes) = bytes {
                device.download(&guid, "a.png", bytes.as_bytes());
            }
        }
    }
    assert_eq!(night("first"), [4, 0, 1]);
    // What both bring of what the archive knows: for the first time, and other bytes.
    for device in &devices {
        device.download("P4", "a.png", b"picture 4");
        device.download("P0", "a.png", b"another picture 0");
    }
    assert_eq!(night("second"), [0, 1, 1]);
}

/// What it copied of the archive is gone, too, when it is killed.
#[cfg(unix)]
#[test]
fn a_dry_run_that_is_killed_leaves_nothing() {
    let program = Program::new();
    small_library(&program.path().join("library"));
    program.run(&["archive", "a", "-s", "library"]).with_code(0);
    let (mut caught, begun) = (0, Instant::now());
    while caught < 5 {
        assert!(begun.elapsed() < Duration::from_secs(60), "never seen at it");
        let mut command = program.command(&["archive", "a", "-s", "library", "--dry-run"]);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Before there is anything in it nobody watches over the folder.
        let is_there = || program.left_in_tmp().iter().any(|folder| folder.join("aside").exists());
        while !is_there() && run.try_wait().unwrap().is_none() {}
        run.kill().unwrap();
        caught += usize::from(run.wait().unwrap().code().is_none());
        let killed = Instant::now();
        while !program.left_in_tmp().is_empty() {
            assert!(killed.elapsed() < Duration::from_secs(30), "{:?}", program.left_in_tmp());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(unix)]
#[test]
fn everything_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let library = small_library(&folder.path().join("library"));
    let archive = folder.path().join("archive");
    add(&archive, &[&library], 0).unwrap();
    let mut folders = vec![archive];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    assert_eq!(mode(&path), 0o600, "{}", path.display());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 6);
}

#[test]
fn two_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let library = small_library(&folder.path().join("library"));
    let archive = folder.path().join("archive");
    add(&archive, &[&library], 0).unwrap();
    let lock = fs::File::options().read(true).write(true).open(archive.join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(archive.join("lock-holder"), "process 4711, since now\n").unwrap();
    let program = Program::new();
    let (archive, library) = (archive.to_str().unwrap(), library.to_str().unwrap());
    let ran = program.run(&["archive", archive, "-s", library]).with_code(1);
    assert!(ran.err.contains("another run is adding to"), "{}", ran.err);
    assert!(ran.err.contains("process 4711, since now"), "{}", ran.err);
}

/// Two runs that both find no archive make one; the second waits its turn, or is told who is at it.
#[test]
fn two_first_runs_at_once() {
    let program = Program::new();
    let library = small_library(&program.path().join("library"));
    for round in 0..8 {
        let name = format!("a{round}");
        let mut runs = [(); 2].map(|()| {
            let mut command = program.command(&["archive", &name, "-s", "library"]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        });
        let codes = runs.each_mut().map(|run| run.wait().unwrap().code());
        for (run, code) in runs.into_iter().zip(codes) {
            let said = String::from_utf8(run.wait_with_output().unwrap().stderr).unwrap();
            match code {
                Some(0) => {}
                _ => assert!(said.contains("another run is adding to"), "{said}"),
            }
        }
        assert!(codes.contains(&Some(0)));
        let archive = program.path().join(&name);
        let record = add(&archive, &[&library], 0).unwrap();
        assert_eq!((record.counts.read, record.counts.added), (31, 0));
        assert_eq!(record.sources[0].source, 1, "both runs knew the library");
        assert_eq!(check(&archive, true, 1, &()).unwrap().problems, []);
    }
}

#[test]
fn what_is_no_archive_is_left_alone() {
    let program = Program::new();
    fs::create_dir(program.path().join("a")).unwrap();
    fs::write(program.path().join("a/thesis.txt"), "mine").unwrap();
    let ran = program.run(&["archive", "a", "--sample"]).with_code(1);
    assert!(ran.err.contains("neither empty nor an archive"), "{}", ran.err);
    for file in ["a/thesis.txt", "a/thesis.txt/below"] {
        let ran = program.run(&["archive", file, "--sample"]).with_code(1);
        assert!(ran.err.contains("neither empty nor an archive"), "{}", ran.err);
    }
    assert_eq!(tree::files(&program.path().join("a")).len(), 1);
    program.run(&["archive", "b", "--sample"]).with_code(0);
    let ran = program.run(&["archive", "b", "-s", "b"]).with_code(1);
    assert!(ran.err.contains("is the archive itself"), "{}", ran.err);
}

#[test]
fn what_has_no_guids_is_refused_with_the_next_step() {
    let program = Program::new();
    let db = rusqlite::Connection::open(program.path().join("sms.db")).unwrap();
    db.execute_batch(include_str!("../fixtures/schema/ios-5.sql")).unwrap();
    drop(db);
    let ran = program.run(&["archive", "a", "-s", "sms.db"]).with_code(1);
    assert!(ran.err.contains("have no GUIDs") && ran.err.contains("msgarchive export"), "{}", ran.err);
    assert!(!program.path().join("a").exists());
}
