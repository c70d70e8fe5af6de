//! Files among an archive's contents that no run brought: they are named, and nobody's damage.

use std::fs::{self, File};

use msgarchive::archive::check;

use super::add;
use super::damage::Kept;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::{Schema, tree};

#[test]
fn they_are_named_by_a_deep_look_and_left_alone() {
    let kept = Kept::new();
    assert_eq!(kept.check(true).foreign, Some(vec![]));
    let contents = kept.path().join("Attachments");
    let content = tree::files(&contents)[0].0.clone();
    let folder = content.split_once('/').unwrap().0;
    // Of the same bytes as one, and where one might lie.
    let like_one = format!("{folder}/{}.jpeg", &content[3..67]);
    let mut foreign = vec![".DS_Store", "holiday.jpeg", "from a friend/one/Zoë.txt", &like_one];
    for path in &foreign {
        fs::create_dir_all(contents.join(path).parent().unwrap()).unwrap();
        fs::write(contents.join(path), "somebody's").unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(kept.library(), contents.join("link")).unwrap();
        foreign.push("link");
    }
    foreign.sort_unstable();
    let foreign: Vec<String> = foreign.iter().map(|path| format!("Attachments/{path}")).collect();
    let findings = kept.check(true);
    assert_eq!(
        (findings.problems, findings.unread, findings.foreign.as_ref()),
        (vec![], vec![], Some(&foreign))
    );
    assert_eq!(kept.check(false).foreign, None);
    kept.run(4);
    assert_eq!(kept.check(true).foreign, Some(foreign.clone()));
    assert_eq!(fs::read(contents.join("from a friend/one/Zoë.txt")).unwrap(), b"somebody's");
    // What a run has brought, and not noted yet, would be among them.
    let lock = File::create(kept.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let findings = kept.check(true);
    assert_eq!((findings.problems, findings.foreign), (vec![], None));
    drop(lock);
    assert_eq!(kept.check(true).foreign, Some(foreign));
}

/// A bundle is a folder with names of its own; and what an attachment was before is still its own.
#[test]
fn what_was_brought_is_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = Device::new(&folder.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, 700_000_000, "the document");
    mac.attach("A", "notes.rtfd");
    let document = mac.picture("A", "notes.rtfd");
    fs::create_dir_all(&document).unwrap();
    let archive = folder.path().join("archive");
    for (day, bytes) in (1..).zip(["a picture", "another picture"]) {
        fs::write(document.join("Zo\u{eb}.png"), bytes).unwrap();
        mac.run("UPDATE attachment SET transfer_state = 5, total_bytes = ?1", [bytes.len() as i64]);
        add(&archive, &[&mac.folder], 700_000_000 + day * DAY).unwrap();
    }
    assert_eq!(tree::files(&archive.join("Attachments")).len(), 2);
    let findings = check(&archive, true, 2, &()).unwrap();
    assert_eq!((findings.problems, findings.foreign), (vec![], Some(vec![])));
}

#[test]
fn many_are_counted() {
    let program = Program::new();
    program.run(&["archive", "archive", "--sample"]).with_code(0);
    let said = program.run(&["verify", "archive", "--deep"]).with_code(0).out;
    assert!(said.ends_with("Whole: nothing is damaged, and nothing is missing.\n"), "{said}");
    let place = |number: usize| program.path().join(format!("archive/Attachments/{number:02}.txt"));
    fs::write(place(0), "").unwrap();
    let said = program.run(&["verify", "archive", "--deep"]).with_code(0).out;
    let one = "Whole: nothing is damaged, and nothing is missing.\n\n1 file in Attachments belongs to no message; it does no harm, and is left alone:\n  - Attachments/00.txt\n";
    assert!(said.ends_with(one), "{said}");
    (1..60).for_each(|number| fs::write(place(number), "").unwrap());
    let said = program.run(&["verify", "archive", "--deep"]).with_code(0).out;
    assert!(said.contains("60 files in Attachments belong to no message; they do no harm"), "{said}");
    assert!(said.ends_with("  - Attachments/49.txt\n  and 10 more: --json has all of them\n"), "{said}");
    let all = program.run(&["verify", "archive", "--deep", "--json"]).with_code(0).out;
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert_eq!((&all["ok"], all["foreign"].as_array().unwrap().len()), (&true.into(), 60));
    let shallow = program.run(&["verify", "archive", "--json"]).with_code(0).out;
    assert!(shallow.contains("\"foreign\":null"), "{shallow}");
}
