//! A source that goes away while it is read, at any instant: what can be taken in is, nothing is taken for deleted, and
//! the next run has the rest.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::crash::{complete, library, news, start, states, whole};
use super::device::Device;
use crate::program::Program;
use crate::support::Schema;

const MESSAGES: usize = 60;

/// How a source goes away.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Loss {
    /// All of it.
    Folder,
    /// What its attachments are in.
    Attachments,
    /// The second half of the database.
    Tail,
    /// All but the name of the database.
    Bytes,
    /// The second half of every attachment.
    Contents,
}

const LOSSES: [Loss; 5] = [Loss::Folder, Loss::Attachments, Loss::Tail, Loss::Bytes, Loss::Contents];

impl Loss {
    fn strike(self, source: &Path) {
        let shorten = |path: &Path, part: u64| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2 * part).unwrap();
        };
        match self {
            Loss::Folder => fs::rename(source, source.with_extension("away")).unwrap(),
            Loss::Attachments => {
                fs::rename(source.join("Attachments"), source.join("elsewhere")).unwrap();
            }
            Loss::Tail => shorten(&source.join("chat.db"), 1),
            Loss::Bytes => shorten(&source.join("chat.db"), 0),
            Loss::Contents => {
                for (path, _) in crate::support::tree::files(&source.join("Attachments")) {
                    shorten(&source.join("Attachments").join(path), 1);
                }
            }
        }
    }
}

/// `later`: an archive of this library is there already, and there are news.
fn vanish(later: bool, instants: u32) {
    let program = Program::new();
    let source = program.path().join("library");
    let archive = program.path().join("archive");
    let begin = || {
        for folder in ["library", "library.away", "archive"] {
            let _ = fs::remove_dir_all(program.path().join(folder));
        }
        library(&source, MESSAGES);
        if later {
            program.run(&["archive", "archive", "-s", "library"]).with_code(0);
            news(&source, 1);
        }
    };
    begin();
    let begun = Instant::now();
    program.run(&["archive", "archive", "-s", "library"]).with_code(0);
    let whole_run = begun.elapsed();
    for loss in LOSSES {
        for instant in 0..instants {
            begin();
            let held = states(&archive);
            let when = format!("{loss:?}, {instant}/{instants} of a run, later: {later}");
            let child = start(&program, &["archive", "archive", "-s", "library", "--progress", "never"]);
            std::thread::sleep(whole_run * instant / instants + Duration::from_micros(u64::from(instant)));
            loss.strike(&source);
            let code = child.wait_with_output().unwrap().status.code();
            assert!(matches!(code, Some(0 | 1 | 3)), "{when}: {code:?}");
            whole(&archive, &when);
            assert!(states(&archive).is_superset(&held), "{when}");
            // It is plugged in again.
            let _ = fs::remove_dir_all(&source);
            library(&source, MESSAGES);
            news(&source, 1);
            program.run(&["archive", "archive", "-s", "library"]).with_code(0);
            assert!(states(&archive).is_superset(&held), "{when}");
            match loss {
                // Bytes that were cut short while they were copied are what the attachment was then.
                Loss::Contents => whole(&archive, &when),
                _ => complete(&archive, MESSAGES as i64),
            }
        }
    }
}

#[test]
fn while_it_is_read_for_the_first_time() {
    vanish(false, 5);
}

#[test]
fn while_its_news_are_read() {
    vanish(true, 5);
}

/// What can be taken in is; the rest is tried again the next night.
#[test]
fn attachments_that_are_unplugged() {
    let program = Program::new();
    let source = program.path().join("library");
    library(&source, MESSAGES);
    fs::rename(source.join("Attachments"), program.path().join("elsewhere")).unwrap();
    program.run(&["archive", "a", "-s", "library"]).with_code(0);
    whole(&program.path().join("a"), "without attachments");
    fs::rename(program.path().join("elsewhere"), source.join("Attachments")).unwrap();
    let ran = program.run(&["archive", "a", "-s", "library"]).with_code(0);
    assert!(ran.out.contains("6 stored that were not on the disk before"), "{}", ran.out);
    complete(&program.path().join("a"), MESSAGES as i64);
    fs::remove_dir_all(&source).unwrap();
    program.run(&["archive", "a", "-s", "library"]).with_code(1);
    complete(&program.path().join("a"), MESSAGES as i64);
}

/// A source whose disk is elsewhere holds no other one up: what is here may be gone by then. It is named, and not lost.
#[test]
fn one_that_is_elsewhere_holds_no_other_up() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26.on_device());
    mac.receive("A", 0, 700_000_000, "here");
    phone.receive("B", 0, 700_000_001, "there");
    let run = ["archive", "archive", "-s", "mac", "-s", "phone", "--contacts", "none"];
    program.run(&run).with_code(0);
    fs::rename(&phone.folder, program.path().join("elsewhere")).unwrap();
    mac.receive("C", 0, 700_000_002, "later");
    let ran = program.run(&run).with_code(3);
    assert!(ran.out.contains("1 new"), "{}", ran.out);
    assert!(ran.err.contains("phone: it is not there"), "{}", ran.err);
    assert!(!program.run(&["history", "archive", "--deleted"]).with_code(0).out.contains("there"));
    program.run(&["verify", "archive", "--deep"]).with_code(0);
    fs::rename(program.path().join("elsewhere"), &phone.folder).unwrap();
    program.run(&run).with_code(0);
    // Alone there is nothing to be done.
    fs::rename(&phone.folder, program.path().join("elsewhere")).unwrap();
    program.run(&["archive", "archive", "-s", "phone"]).with_code(1);
    program.run(&["archive", "archive", "-s", "phone", "-s", "nowhere"]).with_code(1);
}
