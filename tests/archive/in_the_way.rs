//! Something lies where a file or a folder of an archive belongs, and is none: nobody is held up by it, and it is put aside.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::damage::Kept;
use super::vouched::failing;
use crate::program::Program;

/// Who needs longer for an archive this small waits for ever.
const WAITED: Duration = Duration::from_secs(120);

/// What lies there.
#[derive(Debug, Clone, Copy)]
enum Thing {
    File,
    Folder,
    /// With something in it.
    Somebodys,
    /// Whoever opens it waits.
    Pipe,
    Loop,
    LinkToNothing,
}

use Thing::{File, Folder, LinkToNothing, Loop, Pipe, Somebodys};

impl Thing {
    fn put(self, path: &Path) {
        if fs::symlink_metadata(path).is_ok_and(|about| about.is_dir()) {
            fs::remove_dir_all(path).unwrap();
        } else {
            let _ = fs::remove_file(path);
        }
        match self {
            File => fs::write(path, "somebody's").unwrap(),
            Folder => fs::create_dir(path).unwrap(),
            Somebodys => {
                fs::create_dir(path).unwrap();
                fs::write(path.join("own"), "somebody's").unwrap();
            }
            Pipe => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            Loop => std::os::unix::fs::symlink(path.file_name().unwrap(), path).unwrap(),
            LinkToNothing => std::os::unix::fs::symlink("nothing", path).unwrap(),
        }
    }
}

/// All places, what may lie there, and whether `verify` has to tell of it. `*`: any; `.new`: where a file is to be made anew.
const PLACES: [(&str, &[Thing], bool); 24] = [
    ("chat.db", &[Folder, Somebodys, Pipe, Loop, LinkToNothing], true),
    ("chat.db-journal", &[Folder, Somebodys, Pipe, Loop, LinkToNothing], true),
    ("chat.db-wal", &[Folder, Pipe, Loop], true),
    ("chat.db-shm", &[Folder, Pipe, Loop], true),
    ("chat.db.new", &[Somebodys, Pipe, Loop], true),
    ("chat.db.new-journal", &[Somebodys, Pipe, Loop], true),
    ("search.db", &[Folder, Somebodys, Pipe, Loop, LinkToNothing], true),
    ("search.db-journal", &[Folder, Somebodys, Pipe, Loop, LinkToNothing], true),
    ("search.db-wal", &[Folder, Pipe, Loop], true),
    ("archive.json", &[Somebodys, Pipe, Loop], true),
    ("archive.json.new", &[Somebodys, Pipe, Loop], true),
    ("schema.json", &[Somebodys, Pipe, Loop], true),
    ("schema.json.new", &[Somebodys, Pipe, Loop], true),
    ("README.txt", &[Somebodys, Pipe, Loop], true),
    ("runs/*", &[Somebodys, Pipe, Loop], true),
    ("runs", &[File, Folder, Pipe, Loop, LinkToNothing], true),
    ("Attachments", &[File, Folder, Pipe, Loop, LinkToNothing], true),
    ("Attachments/*", &[File, Folder, Pipe, Loop, LinkToNothing], true),
    ("Attachments/*/*", &[Somebodys, Pipe, Loop], true),
    // They are nothing of what an archive holds.
    ("damaged.json", &[Somebodys, Pipe, Loop], false),
    ("lock", &[Folder, Somebodys, Pipe, Loop, LinkToNothing], false),
    ("lock-holder", &[Folder, Somebodys, Pipe, Loop, LinkToNothing], false),
    ("lock-holder.new", &[Somebodys, Pipe, Loop], false),
    ("damaged.json.new", &[Folder, Pipe, Loop], false),
];

/// Where it lies in an archive, which is left as it is when something lies there.
fn place_in(kept: &Kept, place: &str) -> PathBuf {
    match place {
        "runs/*" => kept.records()[1].clone(),
        "Attachments/*" => kept.content().parent().unwrap().to_owned(),
        "Attachments/*/*" => kept.content(),
        place => kept.path().join(place),
    }
}

/// What is made anew at this place has to be.
fn spoil(kept: &Kept, place: &str) {
    let Some((own, _)) = place.split_once(".new") else { return };
    let own = kept.path().join(own);
    match own.ends_with("chat.db") {
        true => fs::File::options().write(true).open(own).unwrap().set_len(40_000).unwrap(),
        false => drop(fs::remove_file(own)),
    }
}

#[test]
fn whatever_lies_in_the_way_is_put_aside() {
    let kept = Kept::new();
    let all: Vec<(&str, Thing, bool)> = PLACES
        .iter()
        .flat_map(|(place, things, told)| things.iter().map(|thing| (*place, *thing, *told)))
        .collect();
    let failing = failing(&all, |(place, thing, told)| {
        let copy = kept.copy();
        let content = copy.content();
        let path = place_in(&copy, place);
        spoil(&copy, place);
        thing.put(&path);
        let wrong = |what: String| Some(format!("{place} {thing:?}: {what}"));
        // Who waits for a pipe waits for ever.
        let (done, result) = channel();
        let content_there = content.clone();
        std::thread::spawn(move || {
            let found = copy.found();
            copy.run(4);
            let left = copy.found();
            let messages = copy.count("SELECT count(*) FROM message");
            let somebodys = fs::read_dir(copy.path().join("damaged")).is_ok_and(|mut aside| {
                aside.any(|one| {
                    let path = one.unwrap().path();
                    let file = if path.is_dir() { path.join("own") } else { path };
                    file.is_file() && fs::read(file).unwrap() == b"somebody's"
                })
            });
            let _ = done.send((found, left, messages, content_there.exists(), somebodys));
        });
        let Ok((found, left, messages, is_there, somebodys)) = result.recv_timeout(WAITED) else {
            return wrong("it fails, or waits".into());
        };
        let name = place.split(['*', '-']).next().unwrap().trim_end_matches(".new");
        if *told != found.iter().any(|line| line.contains(name)) {
            return wrong(format!("told: {found:#?}"));
        }
        if !left.is_empty() || messages != 31 || !is_there {
            return wrong(format!("{found:#?}, and after a run {left:#?}, {messages}, {is_there}"));
        }
        // A database is put aside with its name in a folder of its own.
        let is_kept = somebodys || !matches!(thing, File | Somebodys) || *place == "chat.db";
        (!is_kept).then(|| format!("{place} {thing:?}: what is somebody's is gone"))
    });
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

/// Who only reads an archive puts nothing aside; nobody waits for a pipe all the same.
#[test]
fn nobody_who_reads_waits_for_a_pipe() {
    let kept = Kept::new();
    let all: Vec<&str> =
        PLACES.iter().map(|(place, ..)| *place).filter(|place| !place.contains(".new")).collect();
    let failing = failing(&all, |place| {
        let commands: [&[&str]; 8] = [
            &["list", "--source", "ARCHIVE"],
            &["search", "ARCHIVE", "word"],
            &["history", "ARCHIVE"],
            &["doctor", "--source", "ARCHIVE"],
            &["verify", "ARCHIVE"],
            &["export", "--source", "ARCHIVE", "--format", "txt", "--out", "out"],
            &["archive", "another", "--source", "ARCHIVE"],
            &["archive", "ARCHIVE", "--source", "LIBRARY", "--dry-run"],
        ];
        let program = Program::in_memory();
        let waits = commands.iter().filter(|command| {
            // Each puts aside what it may.
            let copy = kept.copy();
            Pipe.put(&place_in(&copy, place));
            let [archive, library] =
                [copy.path(), copy.library()].map(|path| path.to_str().unwrap().to_owned());
            let own = |word: &str| word.replace("ARCHIVE", &archive).replace("LIBRARY", &library);
            let words: Vec<String> = command.iter().map(|word| own(word)).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut running =
                program.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let begun = Instant::now();
            while running.try_wait().unwrap().is_none() {
                if begun.elapsed() > WAITED {
                    running.kill().unwrap();
                    running.wait().unwrap();
                    return true;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            false
        });
        let waits: Vec<_> = waits.collect();
        (!waits.is_empty()).then(|| format!("{place}: {waits:?}"))
    });
    assert!(failing.is_empty(), "{}", failing.join("\n"));
}

/// What was put aside has no place itself.
#[test]
fn the_place_for_what_is_put_aside_is_taken() {
    for thing in [File, Pipe, Loop, LinkToNothing] {
        let kept = Kept::new();
        thing.put(&kept.path().join("damaged"));
        fs::File::options().write(true).open(kept.path().join("chat.db")).unwrap().set_len(40_000).unwrap();
        assert!(!kept.found().is_empty());
        kept.run(4);
        assert_eq!(kept.found(), [""; 0], "{thing:?}");
        assert_eq!(kept.count("SELECT count(*) FROM message"), 31);
        assert!(fs::symlink_metadata(kept.path().join("damaged/damaged")).is_ok(), "{thing:?}");
    }
}
