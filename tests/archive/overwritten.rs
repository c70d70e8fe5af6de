//! Files that somebody writes to, or puts beside others, while the rows of their attachments stay as they are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use super::device::{DAY, Device, instant};
use super::fed::{Fed, START};
use crate::support::{Schema, tree};

/// A device with one message that carries something, and an archive of it.
fn fed(name: &str) -> Fed {
    Fed::of_device(|folder| device(folder, name))
}

impl Fed {
    /// A night that has nothing to do.
    fn nothing_new(&mut self) {
        let counts = self.night().counts;
        let [stored, replaced] = [counts.stored + counts.filled_in, counts.replaced];
        assert_eq!((stored, replaced, counts.bytes), (0, 0, 0), "night {}", self.day);
    }

    /// Writes a file of the message's folder; as if on that day.
    fn write(&self, name: &str, bytes: &str, day: i64) {
        write(&self.mac.picture("A", name), bytes, day);
    }

    /// What is shown of the attachment: itself, and its film.
    fn shown_content(&self) -> (String, Option<String>) {
        let db = Connection::open(self.archive().join("chat.db")).unwrap();
        let sql = "SELECT c.path, c.film FROM msgarchive_content c JOIN attachment a ON a.ROWID = c.attachment \
                   WHERE a.filename LIKE '%' || c.path";
        let (path, film): (String, Option<String>) =
            db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let read = |path: String| fs::read_to_string(self.archive().join(path)).unwrap_or_default();
        (read(path), film.map(read))
    }
}

fn device(folder: &Path, name: &str) -> Device {
    let mut mac = Device::new(folder, Schema::MACOS_26);
    mac.receive("A", 0, START, "look");
    mac.attach("A", name);
    mac.run("UPDATE attachment SET transfer_state = 5, total_bytes = 30", []);
    mac
}

fn write(path: &Path, bytes: &str, day: i64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    written_at(path, instant(START + day * DAY - 3600).into());
}

fn written_at(path: &Path, date: SystemTime) {
    // Of a folder, too.
    File::open(path).unwrap().set_modified(date).unwrap();
}

fn with_film(picture: &str, film: &str) -> (String, Option<String>) {
    (picture.into(), Some(film.into()))
}

/// A picture and its film come down apart.
#[test]
fn a_film_that_comes_a_night_later() {
    for film in ["IMG_1.MOV", "IMG_1.mov"] {
        let mut fed = fed("IMG_1.HEIC");
        fed.write("IMG_1.HEIC", "a picture", -90);
        fed.night();
        assert_eq!(fed.shown_content(), ("a picture".into(), None));
        fed.nothing_new();
        // One that has not been written to is none; nor is one that another program only begins.
        fed.write(film, "", 3);
        fed.nothing_new();
        // As old as the picture is: a program that downloads files gives them their dates.
        fed.write(film, "a film", -90);
        let record = fed.night();
        assert_eq!((record.counts.stored, record.counts.replaced), (0, 1));
        assert_eq!(fed.shown_content(), with_film("a picture", "a film"), "{film}");
        fed.nothing_new();
        // One that the source has no more stays.
        fs::remove_file(fed.mac.picture("A", film)).unwrap();
        fed.nothing_new();
        assert_eq!(fed.shown_content(), with_film("a picture", "a film"));
    }
}

/// Whoever has it, and in whatever order they are read.
#[test]
fn a_film_that_one_source_has() {
    for reversed in [false, true] {
        for one_by_one in [false, true] {
            let mut fed = fed("IMG_1.HEIC");
            fed.write("IMG_1.HEIC", "a picture", -90);
            let phone = device(&fed.folder.path().join("phone"), "IMG_1.HEIC");
            write(&phone.picture("A", "IMG_1.HEIC"), "a picture", -90);
            write(&phone.picture("A", "IMG_1.MOV"), "a film", -90);
            let mut sources = [fed.mac.folder.clone(), phone.folder.clone()];
            if reversed {
                sources.reverse();
            }
            let [one, other] = &sources;
            for sources in if one_by_one { vec![vec![one], vec![other]] } else { vec![vec![one, other]] } {
                let sources: Vec<&Path> = sources.into_iter().map(PathBuf::as_path).collect();
                fed.of(&sources);
            }
            let when = format!("reversed: {reversed}, one by one: {one_by_one}");
            assert_eq!(fed.shown_content(), with_film("a picture", "a film"), "{when}");
            fed.of(&[one, other]);
            assert_eq!(fed.shown_content(), with_film("a picture", "a film"), "{when}");
        }
    }
}

/// A document is a folder: of what is further down in it, its own date says nothing.
#[test]
fn a_bundle_that_changes_inside() {
    let mut fed = fed("Song.band");
    let shown = |fed: &Fed| -> Vec<(String, String)> {
        let db = Connection::open(fed.archive().join("chat.db")).unwrap();
        let path: String = db.query_row("SELECT path FROM msgarchive_content", [], |row| row.get(0)).unwrap();
        let files = tree::files(&fed.archive().join(path)).into_iter();
        files.map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
    };
    let is = |files: &[(&str, &str)]| -> Vec<(String, String)> {
        files.iter().map(|(name, bytes)| (name.to_string(), bytes.to_string())).collect()
    };
    let old = |fed: &Fed| {
        for folder in ["Song.band", "Song.band/Media"] {
            written_at(&fed.mac.picture("A", folder), instant(START - 90 * DAY).into());
        }
    };
    fed.write("Song.band/projectData", "a song", -90);
    fed.write("Song.band/Media/one.aif", "one", -90);
    old(&fed);
    fed.night();
    assert_eq!(shown(&fed), is(&[("Media/one.aif", "one"), ("projectData", "a song")]));
    fed.nothing_new();
    // As long as it was: its date tells.
    fed.write("Song.band/Media/one.aif", "eno", 3);
    old(&fed);
    let record = fed.night();
    assert_eq!((record.counts.stored, record.counts.replaced), (0, 1));
    assert_eq!(shown(&fed), is(&[("Media/one.aif", "eno"), ("projectData", "a song")]));
    fed.nothing_new();
    // As old as it was: its length tells.
    fed.write("Song.band/Media/two.aif", "two", -90);
    old(&fed);
    fed.night();
    assert_eq!(
        shown(&fed),
        is(&[("Media/one.aif", "eno"), ("Media/two.aif", "two"), ("projectData", "a song")])
    );
    fed.nothing_new();
    // A file that has another name: the date of the folder that it is in.
    fs::rename(
        fed.mac.picture("A", "Song.band/Media/two.aif"),
        fed.mac.picture("A", "Song.band/Media/2.aif"),
    )
    .unwrap();
    old(&fed);
    let touch = |fed: &Fed| {
        written_at(&fed.mac.picture("A", "Song.band/Media"), instant(START + fed.day * DAY + 60).into());
    };
    touch(&fed);
    fed.night();
    assert_eq!(
        shown(&fed),
        is(&[("Media/2.aif", "two"), ("Media/one.aif", "eno"), ("projectData", "a song")])
    );
    // One that is gone: that leaves what was there before, which is shown again.
    fs::remove_file(fed.mac.picture("A", "Song.band/Media/2.aif")).unwrap();
    touch(&fed);
    let record = fed.night();
    assert_eq!((record.counts.stored, record.counts.replaced, record.counts.bytes), (0, 1, 0));
    assert_eq!(shown(&fed), is(&[("Media/one.aif", "eno"), ("projectData", "a song")]));
    fed.nothing_new();
    // One of two that are as long is gone, and there never was a document like this one.
    fed.write("Song.band/projectData", "no", -90);
    old(&fed);
    let record = fed.night();
    assert_eq!((record.counts.stored, record.counts.replaced), (0, 1));
    assert_eq!(shown(&fed), is(&[("Media/one.aif", "eno"), ("projectData", "no")]));
}

/// A date that cannot be, such as a camera or a damaged disk gives: no reason to fail, nor to read the file every night.
#[test]
fn a_file_from_the_far_future() {
    let mut fed = fed("IMG_1.HEIC");
    fed.write("IMG_1.HEIC", "a picture", -90);
    fed.write("IMG_1.MOV", "a film", -90);
    fed.night();
    let path = |name| fed.mac.picture("A", name);
    let (picture, film) = (path("IMG_1.HEIC"), path("IMG_1.MOV"));
    // The last that file systems know, as far as this one does.
    for (more, seconds) in
        ["", "and more", "and still more"].into_iter().zip([15_000_000_000, (1 << 34) - 1, i64::MAX as u64])
    {
        let Some(date) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) else { continue };
        for path in [&picture, &film] {
            let _ = File::options().append(true).open(path).unwrap().set_modified(date);
        }
        fed.nothing_new();
        // It is longer than it was: that is seen all the same.
        let picture_now = format!("a longer picture {more}");
        fs::write(&picture, &picture_now).unwrap();
        let _ = File::options().append(true).open(&picture).unwrap().set_modified(date);
        fed.night();
        assert_eq!(fed.shown_content(), with_film(&picture_now, "a film"));
    }
}

/// The picture that was there is in no export of now; where it lies is.
#[test]
fn that_a_picture_was_overwritten_is_said() {
    let program = crate::program::Program::new();
    let mut fed = fed("IMG_1.HEIC");
    fed.write("IMG_1.HEIC", "a picture", -90);
    fed.night();
    fed.write("IMG_1.MOV", "a film", 2);
    fed.night();
    let archive = fed.archive();
    let archive = archive.to_str().unwrap();
    let exported = |out: &str| -> serde_json::Value {
        let arguments = ["export", "-s", archive, "-f", "jsonl,txt", "-o", out, "--contacts", "none"];
        program.run(&arguments).with_code(0);
        let files = tree::files(&program.path().join(out));
        let (_, line) =
            files.iter().find(|(path, _)| path.contains("143") && path.ends_with(".jsonl")).unwrap();
        serde_json::from_slice(line).unwrap()
    };
    // That its film came is no other picture.
    assert_eq!(exported("before").get("was"), None);
    fed.write("IMG_1.HEIC", "b picture", 3);
    fed.night();
    let was = exported("after")["was"].clone();
    assert_eq!(was[0]["attachment"], "IMG_1.HEIC", "{was}");
    let path = Path::new(archive).join(was[0]["path"].as_str().unwrap());
    assert_eq!(fs::read_to_string(path).unwrap(), "a picture");
    let text = tree::print(&program.path().join("after"));
    assert!(text.contains("It was there with other bytes for the attachment IMG_1.HEIC"), "{text}");
    let told = program.run(&["history", archive, "--changed", "--json"]).with_code(0).out;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let one = &told["messages"][0];
    assert_eq!((&one["what"], &one["was"]["attachment"]), (&"changed".into(), &"IMG_1.HEIC".into()));
    assert!(one["run"].as_str().unwrap().ends_with("-0003"), "{told}");
    let guid = one["guid"].as_str().unwrap();
    let versions = program.run(&["history", archive, "--message", guid, "--json"]).with_code(0).out;
    let versions: serde_json::Value = serde_json::from_str(&versions).unwrap();
    let told: Vec<_> =
        versions["versions"].as_array().unwrap().iter().map(|one| (&one["what"], &one["text"])).collect();
    assert_eq!(told.len(), 2, "{versions}");
    assert_eq!(told[1], (&"bytes".into(), &"IMG_1.HEIC".into()), "{versions}");
    let told = program.run(&["history", archive, "--message", guid]).with_code(0).out;
    assert!(told.contains("Other bytes of an attachment") && told.contains("IMG_1.HEIC"), "{told}");
}
