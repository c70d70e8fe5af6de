//! Attachments that are folders: documents of TextEdit, of Pages, of Keynote.

use std::fs;
use std::path::{Path, PathBuf};

use msgarchive::archive::check;

use super::add;
use super::device::{DAY, Device};
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// A device with these messages, each with a document: its folder is empty yet.
fn device(folder: &Path, guids: &[&str]) -> Device {
    let mut mac = Device::new(folder, Schema::MACOS_26);
    for (at, guid) in guids.iter().enumerate() {
        mac.receive(guid, 0, START + at as i64, "the document");
        mac.attach(guid, "notes.rtfd");
        fs::create_dir_all(mac.picture(guid, "notes.rtfd")).unwrap();
    }
    mac
}

fn write(mac: &Device, guid: &str) {
    let folder = mac.picture(guid, "notes.rtfd");
    fs::create_dir_all(folder.join("inside")).unwrap();
    fs::write(folder.join("TXT.rtf"), "{\\rtf1 what it says}").unwrap();
    fs::write(folder.join("inside/picture.png"), "a picture").unwrap();
    // The date of the row is what makes it news.
    mac.run("UPDATE attachment SET transfer_state = 5, total_bytes = 30 WHERE guid = 'at_0_' || ?1", [guid]);
}

/// The bundle as the archive has it.
fn kept(archive: &Path) -> Vec<PathBuf> {
    let all = tree::files(&archive.join("Attachments")).into_iter();
    let bundle = |path: String| Some(format!("Attachments/{}.rtfd", path.split_once(".rtfd/")?.0));
    let mut bundles: Vec<String> = all.filter_map(|(path, _)| bundle(path)).collect();
    bundles.dedup();
    bundles.into_iter().map(|path| archive.join(path)).collect()
}

/// An empty folder is a document that is not there; everything else is archived, and it comes when it comes.
#[test]
fn an_empty_one_is_missing_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut mac = device(&folder.path().join("mac"), &["A", "B"]);
    write(&mac, "B");
    let archive = folder.path().join("archive");
    let record = add(&archive, &[&mac.folder], START + DAY).unwrap();
    let attachments = |record: &msgarchive::archive::RunRecord| {
        let counts = &record.counts;
        (counts.stored, counts.filled_in, counts.still_missing)
    };
    assert_eq!((record.counts.added > 0, attachments(&record)), (true, (1, 0, 1)));
    mac.receive("C", 0, START + 9, "later");
    let record = add(&archive, &[&mac.folder], START + 2 * DAY).unwrap();
    assert_eq!(attachments(&record), (0, 0, 1));
    write(&mac, "A");
    let record = add(&archive, &[&mac.folder], START + 3 * DAY).unwrap();
    assert_eq!(attachments(&record), (0, 1, 0));
    assert_eq!(kept(&archive).len(), 1);
    assert_eq!(check(&archive, true, 2, &()).unwrap().problems, []);
}

/// The same document with many messages, taken by several at once, is one.
#[test]
fn the_same_one_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..24).map(|number| format!("M{number}")).collect();
    let guids: Vec<&str> = names.iter().map(String::as_str).collect();
    let mac = device(&folder.path().join("mac"), &guids);
    guids.iter().for_each(|guid| write(&mac, guid));
    let archive = folder.path().join("archive");
    let record = add(&archive, &[&mac.folder], START + DAY).unwrap();
    assert_eq!(record.counts.stored, 24);
    assert_eq!(kept(&archive).len(), 1);
    assert_eq!(check(&archive, true, 2, &()).unwrap().problems, []);
}

/// Whatever lies where it lay is found, and it is put back from the source; nothing outside of the archive is touched.
#[test]
fn damage_is_found_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let mac = device(&folder.path().join("mac"), &["A"]);
    write(&mac, "A");
    let archive = folder.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let [bundle] = &kept(&archive)[..] else { panic!("one bundle") };
    let as_it_was = tree::files(bundle);
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("TXT.rtf"), "somebody else's").unwrap();
    let damage: [(&str, &dyn Fn()); 5] = [
        ("other bytes", &|| fs::write(bundle.join("TXT.rtf"), "{\\rtf1 what it sayz}").unwrap()),
        ("one file less", &|| fs::remove_file(bundle.join("inside/picture.png")).unwrap()),
        ("gone", &|| fs::remove_dir_all(bundle).unwrap()),
        ("a file", &|| {
            fs::remove_dir_all(bundle).unwrap();
            fs::write(bundle, "a file").unwrap();
        }),
        ("a link", &|| {
            fs::remove_dir_all(bundle).unwrap();
            #[cfg(unix)]
            std::os::unix::fs::symlink(&outside, bundle).unwrap();
        }),
    ];
    for (night, (what, damage)) in (2..).zip(damage) {
        damage();
        let problems = check(&archive, true, 2, &()).unwrap().problems;
        assert!(problems.iter().any(|problem| problem.kind == "content"), "{what}: {problems:?}");
        add(&archive, &[&mac.folder], START + night * DAY).unwrap();
        assert_eq!(check(&archive, true, 2, &()).unwrap().problems, [], "{what}");
        assert!(fs::symlink_metadata(bundle).unwrap().is_dir(), "{what}");
        assert_eq!(tree::files(bundle), as_it_was, "{what}");
    }
    assert_eq!(fs::read_to_string(outside.join("TXT.rtf")).unwrap(), "somebody else's");
}
