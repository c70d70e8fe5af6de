//! An export that is kept up with its archive: after every change it is what a whole export would be, and only what
//! changed is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use serde_json::Value;

use crate::program::{Program, Ran};
use crate::support::picture::Canvas;
use crate::support::{Library, Schema, tree};

const FORMATS: &str = "pdf,csv,jsonl,txt";

/// A library, its archive, and the export that is kept up.
struct Nights {
    program: Program,
    contacts: &'static str,
}

impl Nights {
    /// Ana, with a picture; Ben; a group of both.
    fn new() -> Nights {
        let program = Program::new();
        let mut library = Library::new(Schema::MACOS_15);
        let ana = library.handle("+12025550143", "iMessage");
        let ben = library.handle("ben@example.com", "iMessage");
        let (with_ana, with_ben) = (library.direct(ana), library.direct(ben));
        let family = library.group(&[ana, ben], "Family");
        let photo = Canvas::new(64, 48, [90, 120, 200]).to_jpeg(80);
        let photo = library.attachment("photo.jpeg").bytes(photo).beside("photo.MOV", "a film").id();
        library.message(with_ana).from(ana).at("2024-05-01T10:00:00Z").text("look").attachment(photo);
        library.message(with_ana).from_me().at("2024-05-02T10:00:00Z").text("nice");
        library.message(with_ben).from(ben).at("2024-05-03T10:00:00Z").text("hello");
        library.message(family).from(ana).at("2024-05-04T10:00:00Z").text("dinner?");
        library.message(family).from(ben).at("2024-05-05T10:00:00Z").text("yes");
        library.write(&program.path().join("library"));
        Nights { program, contacts: "none" }
    }

    /// Changes the library against Messages' own rules.
    fn change(&self, sql: &str) {
        let db = Connection::open(self.program.path().join("library/chat.db")).unwrap();
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    }

    fn run(&self, out: &str, more: &[&str]) -> Ran {
        let arguments = ["archive", "archive", "-s", "library", "--export", FORMATS, "--out", out];
        self.program.run(&[&arguments[..], &["--contacts", self.contacts], more].concat())
    }

    fn files(&self, out: &str) -> BTreeMap<String, Vec<u8>> {
        tree::files(&self.program.path().join(out)).into_iter().collect()
    }

    /// A night after which so many conversations were written; and everything is as in a whole export.
    #[track_caller]
    fn night(&self, written: u64) -> Value {
        self.night_with(written, &[])
    }

    #[track_caller]
    fn night_with(&self, written: u64, more: &[&str]) -> Value {
        let before = self.seen();
        let ran = self.run("out", &[&["--json"], more].concat()).with_code(0);
        let record: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(record["export"]["written"], written, "{record}");
        let changed = self.seen().into_iter().filter(|(path, when)| before.get(path) != Some(when));
        if record["export"]["files"] == 0 {
            assert_eq!(changed.count(), 0, "nothing was touched");
        }
        self.run("whole", more).with_code(0);
        let (kept_up, whole) = (self.files("out"), self.files("whole"));
        fs::remove_dir_all(self.program.path().join("whole")).unwrap();
        assert_eq!(kept_up.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
        for (path, bytes) in &whole {
            assert!(kept_up[path] == *bytes, "{path} is another than in a whole export");
        }
        self.program.run(&["verify", "out"]).with_code(0);
        record["export"].clone()
    }

    /// A run that was killed before it had its lock is taken for one that is about to get it, for a minute.
    #[cfg(unix)]
    fn minutes_later(&self) {
        for entry in fs::read_dir(self.program.path().join("out")).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with('.') {
                let hour = std::time::Duration::from_secs(3600);
                fs::File::open(entry.path()).unwrap().set_modified(SystemTime::now() - hour).unwrap();
            }
        }
    }

    /// Every file, and when it was written.
    fn seen(&self) -> BTreeMap<PathBuf, SystemTime> {
        let out = self.program.path().join("out");
        if !out.exists() {
            return BTreeMap::new();
        }
        let paths = tree::files(&out).into_iter().map(|(path, _)| out.join(path));
        paths.map(|path| (path.clone(), fs::metadata(&path).unwrap().modified().unwrap())).collect()
    }
}

/// A row in a chat.
fn message(columns: &str, values: &str, chat: u32) -> String {
    format!(
        "INSERT INTO message (service, is_finished, {columns}) VALUES ('iMessage', 1, {values});
         INSERT INTO chat_message_join (chat_id, message_id, message_date)
             SELECT {chat}, ROWID, date FROM message ORDER BY ROWID DESC LIMIT 1;"
    )
}

#[test]
fn after_every_change_it_is_what_a_whole_export_would_be() {
    let mut nights = Nights::new();
    nights.night(3);
    nights.night(0);

    let new = "'NEW', 'still up?', 2, 736500000000000000";
    nights.change(&message("guid, text, handle_id, date", new, 2));
    nights.night(1);
    let tapback = "'TAP', 'Loved “dinner?”', 2, 736500100000000000, 2000, (SELECT 'p:0/' || guid FROM message WHERE ROWID = 4)";
    let columns = "guid, text, handle_id, date, associated_message_type, associated_message_guid";
    nights.change(&message(columns, tapback, 3));
    nights.night(1);
    nights.change("UPDATE message SET text = 'very nice', attributedBody = NULL, date_edited = 736500200000000000 WHERE ROWID = 2;");
    nights.night(1);
    nights.change("UPDATE message SET is_read = 1, date_read = 736500300000000000 WHERE ROWID = 5;");
    nights.night(1);
    // Deleted there, and marked here.
    nights.change(
        "INSERT INTO deleted_messages (guid) SELECT guid FROM message WHERE ROWID = 3;
         DELETE FROM chat_message_join WHERE message_id = 3; DELETE FROM message WHERE ROWID = 3;",
    );
    nights.night(1);
    let is_marked = |(path, bytes): &(&String, &Vec<u8>)| {
        path.ends_with(".jsonl") && String::from_utf8_lossy(bytes).contains("\"deleted\":{")
    };
    assert_eq!(nights.files("out").iter().filter(is_marked).count(), 1);
    // A person gets a name: all that show it, and a list of conversations that does.
    let card = "BEGIN:VCARD\nVERSION:3.0\nFN:Ben Baker\nEMAIL:ben@example.com\nEND:VCARD\n";
    fs::write(nights.program.path().join("people.vcf"), card).unwrap();
    nights.contacts = "people.vcf";
    let export = nights.night(2);
    assert_eq!(export["removed"], 4, "Ben's files had his address for a name");
    assert!(!nights.files("out").keys().any(|path| path.contains("ben@example.com")));
    // The group gets another title.
    nights.change("UPDATE chat SET display_name = 'Family & friends' WHERE display_name = 'Family';");
    let export = nights.night(1);
    assert_eq!(export["removed"], 4);
    // A new conversation.
    nights.change(
        "INSERT INTO handle (ROWID, id, service) VALUES (9, 'carol@example.com', 'iMessage');
         INSERT INTO chat (ROWID, guid, style, chat_identifier, service_name)
             VALUES (9, 'iMessage;-;carol@example.com', 45, 'carol@example.com', 'iMessage');
         INSERT INTO chat_handle_join (chat_id, handle_id) VALUES (9, 9);",
    );
    nights.change(&message("guid, text, handle_id, date", "'CAROL', 'hi', 9, 736500400000000000", 9));
    nights.night(1);
    nights.night(0);
    // Options are of all.
    nights.night_with(4, &["--me", "Zoe"]);
    nights.night_with(0, &["--me", "Zoe"]);
    nights.night_with(4, &["--me", "Zoe", "--time-zone", "Asia/Tokyo"]);
}

/// Two conversations become one, and one becomes two again: neither leaves files behind.
#[test]
fn who_turns_out_to_be_one_person() {
    let mut nights = Nights::new();
    nights.night(3);
    let card = "BEGIN:VCARD\nVERSION:3.0\nFN:Ana Ben\nTEL:+12025550143\nEMAIL:ben@example.com\nEND:VCARD\n";
    fs::write(nights.program.path().join("people.vcf"), card).unwrap();
    nights.contacts = "people.vcf";
    let export = nights.night(2);
    assert_eq!(export["conversations"], 2, "{export}");
    nights.night(0);
    nights.contacts = "none";
    let export = nights.night(3);
    assert_eq!(export["conversations"], 3, "{export}");
    nights.night(0);
}

/// Runs beside each other that all keep up one export, and one that reads the archive: each is right or politely refused.
#[test]
fn several_at_once() {
    let nights = Nights::new();
    nights.night(3);
    let refused = ["another run is adding to", "another run is writing into"];
    for round in 0..6 {
        nights.change(&format!("UPDATE message SET text = 'round {round}', attributedBody = NULL;"));
        let codes = std::thread::scope(|scope| {
            let keeping_up = || {
                let ran = nights.run("out", &[]);
                let is_refused = refused.iter().any(|why| ran.err.contains(why));
                assert!(ran.code == Some(0) || ran.code == Some(1) && is_refused, "{ran:?}");
                ran.code
            };
            let reading = || {
                let arguments = ["export", "-s", "archive", "-f", FORMATS, "--contacts", "none"];
                let read = nights.program.run(&[&arguments[..], &["-o", &format!("read-{round}")]].concat());
                read.with_code(0);
            };
            let runs = [scope.spawn(keeping_up), scope.spawn(keeping_up)];
            let reader = scope.spawn(reading);
            reader.join().unwrap();
            runs.map(|run| run.join().unwrap())
        });
        assert!(codes.contains(&Some(0)), "nobody came first");
        let ran = nights.program.run(&["verify", &format!("read-{round}")]);
        ran.with_code(0);
        nights.run("out", &[]).with_code(0);
        nights.night(0);
        assert!(!nights.files("out").keys().any(|path| path.starts_with('.')));
    }
}

#[test]
fn attachments_that_come_later_are_news() {
    let nights = Nights::new();
    let folder = nights.program.path().join("library");
    let files = tree::files(&folder);
    let photo = folder.join(&files.iter().find(|(path, _)| path.ends_with("photo.jpeg")).unwrap().0);
    let bytes = fs::read(&photo).unwrap();
    fs::remove_file(&photo).unwrap();
    nights.night(3);
    nights.night(0);
    assert!(!nights.files("out").keys().any(|path| path.ends_with("photo.jpeg")));
    fs::write(&photo, &bytes).unwrap();
    let export = nights.night(1);
    assert!(nights.files("out").keys().any(|path| path.ends_with("photo.jpeg")), "{export}");
    nights.night(0);
}

#[test]
fn a_file_that_is_not_what_was_written_is_written_again() {
    let nights = Nights::new();
    nights.night(3);
    let out = nights.program.path().join("out");
    let some =
        |end: &str| out.join(nights.files("out").into_keys().find(|path| path.ends_with(end)).unwrap());
    fs::remove_file(some(".pdf")).unwrap();
    nights.night(1);
    fs::write(some(".csv"), "cut off").unwrap();
    nights.night(1);
    // As long as it was, and something else.
    let csv = fs::read_to_string(some(".csv")).unwrap();
    fs::write(some(".csv"), csv.to_uppercase()).unwrap();
    nights.night(1);
    // Touched, and the same.
    fs::write(some(".csv"), fs::read(some(".csv")).unwrap()).unwrap();
    let before = nights.seen();
    assert!(nights.run("out", &[]).with_code(0).out.contains("nothing was written"));
    assert_eq!(nights.seen(), before);
    fs::remove_file(some("photo.jpeg")).unwrap();
    nights.night(1);
    fs::remove_file(out.join("conversations.jsonl")).unwrap();
    nights.night(0);
    fs::remove_file(out.join("manifest.json")).unwrap();
    // Nothing tells whose the files are now.
    let ran = nights.run("out", &[]).with_code(1);
    assert!(ran.out.contains("Added to archive") && ran.err.contains("did not write"), "{ran:?}");
    fs::remove_dir_all(&out).unwrap();
    nights.night(3);
}

#[test]
fn what_others_put_there_stays_and_another_export_is_taken_over() {
    let nights = Nights::new();
    let arguments = ["export", "-s", "library", "--contacts", "none", "-f", "txt,csv", "--out", "out"];
    nights.program.run(&arguments).with_code(0);
    let ran = nights.run("out", &[]).with_code(0);
    assert!(ran.out.contains("Exported to out: all of 3 conversations were written."), "{}", ran.out);
    let ran = nights.run("out", &[]).with_code(0);
    let sentence = "The export in out is up to date (3 conversations): nothing was written.";
    assert!(ran.out.contains(sentence), "{}", ran.out);
    nights.program.run(&arguments).with_code(0);
    assert!(nights.run("out", &[]).with_code(0).out.contains("all of 3 conversations were written."));
    // A file of somebody's is in the way of nothing, and stays, also where its folder gets another name.
    let out = nights.program.path().join("out");
    let with_ana = fs::read_dir(out.join("attachments")).unwrap().flatten().next().unwrap().path();
    let mine = [out.join("mine.txt"), out.join("Notes/more.txt"), with_ana.join("note.txt")];
    fs::create_dir(out.join("Notes")).unwrap();
    mine.iter().for_each(|path| fs::write(path, "precious").unwrap());
    let litter = [".DS_Store", "Thumbs.db", "desktop.ini", "Notes/.DS_Store"];
    litter.iter().for_each(|name| fs::write(out.join(name), "view").unwrap());
    assert!(nights.run("out", &[]).with_code(0).out.contains("nothing was written"));
    nights.change("UPDATE chat SET display_name = 'Us' WHERE display_name = 'Family';");
    let ran = nights.run("out", &[]).with_code(0);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "3 files in out are none of this export, such as Notes/more.txt. They stay as they are.";
    assert!(said.contains("1 of 3 conversations changed") && said.contains(sentence), "{said}");
    let card = "BEGIN:VCARD\nVERSION:3.0\nFN:Ana Abbott\nTEL:+12025550143\nEND:VCARD\n";
    fs::write(nights.program.path().join("people.vcf"), card).unwrap();
    let named = Nights { program: nights.program, contacts: "people.vcf" };
    let record: Value = serde_json::from_str(&named.run("out", &["--json"]).with_code(0).out).unwrap();
    assert_eq!(
        (&record["export"]["others"], &record["export"]["written"]),
        (&3.into(), &2.into()),
        "{record}"
    );
    mine.iter().for_each(|path| assert_eq!(fs::read(path).unwrap(), b"precious", "{}", path.display()));
    litter.iter().for_each(|name| assert_eq!(fs::read(out.join(name)).unwrap(), b"view", "{name}"));
    assert_eq!(fs::read_dir(&with_ana).unwrap().count(), 1, "of ours nothing is left there");
    named.program.run(&["verify", "out"]).with_code(0);
    // Who exports once is asked for leave, as ever.
    let ran = named.program.run(&arguments).with_code(1);
    assert!(ran.err.contains("Notes/more.txt") && ran.err.contains("export --into-existing"), "{}", ran.err);
}

/// What lies where a file has to go is told with its place and with what helps, every night until it is moved away.
#[test]
fn what_others_put_in_the_way_is_told_and_nothing_happens_to_it() {
    let nights = Nights::new();
    nights.run("out", &[]).with_code(0);
    let before = nights.files("out");
    nights.change("UPDATE chat SET display_name = 'Us' WHERE display_name = 'Family';");
    nights.run("whole", &[]).with_code(0);
    let name =
        nights.files("whole").into_keys().find(|path| path.starts_with("Us ") && path.ends_with(".csv"));
    let name = name.unwrap();
    let mine = nights.program.path().join("out").join(&name);
    fs::write(&mine, "precious").unwrap();
    for _ in 0..2 {
        let ran = nights.run("out", &[]).with_code(1);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = format!("out/{name} is in the way and was not written by msgarchive");
        assert!(said.contains(&told) && said.contains("move it away") && !said.contains("--into-"), "{said}");
        let record: Value = serde_json::from_str(&nights.run("out", &["--json"]).with_code(1).out).unwrap();
        assert!(record["export"]["failed"].as_str().unwrap().contains(&name), "{record}");
        let mut now = nights.files("out");
        assert_eq!(now.remove(&name).as_deref(), Some(&b"precious"[..]));
        assert_eq!(now, before, "the export is as it was");
    }
    fs::rename(&mine, nights.program.path().join("mine.csv")).unwrap();
    nights.night(1);
}

/// A folder with files and no export is no place for one that is kept up, and the next step is one that there is.
#[test]
fn what_is_no_export_is_not_begun_in() {
    let nights = Nights::new();
    let out = nights.program.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("taxes.txt"), "precious").unwrap();
    let ran = nights.run("out", &[]).with_code(1);
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("out holds no export, but files that msgarchive did not write, such as taxes.txt"),
        "{said}"
    );
    assert!(said.contains("move away what is there") && !said.contains("--into-existing"), "{said}");
    assert_eq!(nights.files("out").into_keys().collect::<Vec<_>>(), ["taxes.txt"]);
    fs::rename(out.join("taxes.txt"), nights.program.path().join("taxes.txt")).unwrap();
    nights.night(3);
}

#[test]
fn the_same_is_found_changed_whatever_the_number_of_jobs() {
    let nights = Nights::new();
    nights.night_with(3, &["--jobs", "1"]);
    nights.night_with(0, &["--jobs", "4"]);
    // Nor however the archive is named.
    let archive = nights.program.path().join("archive");
    let arguments = ["archive", archive.to_str().unwrap(), "-s", "library", "--contacts", "none"];
    let ran = nights.program.run(&[&arguments[..], &["--export", FORMATS, "--out", "./out"]].concat());
    assert!(ran.out.contains("nothing was written"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn killed_at_any_instant_the_next_night_completes_it() {
    let nights = Nights::new();
    nights.night(3);
    let begun = std::time::Instant::now();
    nights.run("measured", &[]).with_code(0);
    let whole_run = begun.elapsed();
    for round in 0..16 {
        nights.change(&format!("UPDATE message SET text = 'round {round}', attributedBody = NULL;"));
        let arguments = ["archive", "archive", "-s", "library", "--export", FORMATS, "--out", "out"];
        let mut command = nights.program.command(&[&arguments[..], &["--contacts", "none"]].concat());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(whole_run * round / 16);
        child.kill().unwrap();
        child.wait().unwrap();
        nights.minutes_later();
        nights.run("out", &[]).with_code(0);
        nights.night(0);
        assert!(!nights.files("out").keys().any(|path| path.starts_with('.')));
    }
}

#[test]
fn its_options_belong_together() {
    let nights = Nights::new();
    for wrong in [
        &["--export", "pdf"][..],
        &["--out", "out"],
        &["--export", "pdf", "--out", "out", "--dry-run"],
        &["--export", "word", "--out", "out"],
        &["--me", "Zoe"],
    ] {
        nights.program.run(&[&["archive", "archive", "-s", "library"], wrong].concat()).with_code(2);
    }
    assert!(!nights.program.path().join("archive").exists());
}

/// The archive has lost the bytes, and so has the library: the copy beside the export may be the last one.
#[test]
fn the_last_copy_of_an_attachment_stays() {
    for damage in [
        |path: &std::path::Path| fs::remove_file(path).unwrap(),
        |path: &std::path::Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[40] ^= 1;
            fs::write(path, bytes).unwrap();
        },
    ] {
        let nights = Nights::new();
        nights.run("out", &[]).with_code(0);
        let pictures = || -> BTreeMap<String, Vec<u8>> {
            nights.files("out").into_iter().filter(|(path, _)| path.ends_with(".jpeg")).collect()
        };
        let before = pictures();
        assert_eq!(before.len(), 1);
        let (name, photo) = before.first_key_value().unwrap();
        let archive = nights.program.path().join("archive");
        let contents = tree::files(&archive.join("Attachments"));
        let (content, _) = contents.iter().find(|(_, bytes)| bytes == photo).unwrap();
        damage(&archive.join("Attachments").join(content));
        fs::remove_dir_all(nights.program.path().join("library/Attachments")).unwrap();
        fs::create_dir(nights.program.path().join("library/Attachments")).unwrap();
        let has_photo = || pictures().values().any(|bytes| bytes == photo);

        // Nobody has noticed yet; something else changes in that conversation.
        for (number, guid) in ["NEW-1", "NEW-2"].into_iter().enumerate() {
            let values = format!("'{guid}', 'and?', 74000000{number}000000000, 1");
            nights.change(&message("guid, text, date, handle_id", &values, 1));
            nights.run("out", &[]);
            assert!(has_photo(), "{:?}", pictures().keys());
        }
        nights.program.run(&["verify", "out"]).with_code(0);

        // Another picture comes that would be called the same.
        let library = nights.program.path().join("library");
        fs::create_dir_all(library.join("Attachments/zz")).unwrap();
        fs::write(library.join("Attachments/zz/photo.jpeg"), Canvas::new(9, 9, [1, 2, 3]).to_jpeg(80))
            .unwrap();
        nights.change(
            "INSERT INTO attachment (ROWID, guid, original_guid, filename, transfer_name, uti, mime_type, total_bytes)
                 VALUES (900, 'at_0_NEW', 'at_0_NEW', '~/Library/Messages/Attachments/zz/photo.jpeg', 'photo.jpeg', 'public.jpeg', 'image/jpeg', 100);
             INSERT INTO message_attachment_join (message_id, attachment_id)
                 SELECT message_id, 900 FROM message_attachment_join LIMIT 1;",
        );
        nights.change("UPDATE message SET is_read = 1 - is_read WHERE ROWID = 1");
        nights.run("out", &[]);
        assert!(has_photo(), "beside another of its name: {:?}", pictures().keys());
        nights.program.run(&["verify", "out"]).with_code(0);

        // Once the archive has it again it is an attachment like any other.
        nights.program.run(&["verify", "archive", "--deep"]).with_code(3);
        let is_gone = !archive.join("Attachments").join(content).exists();
        let ran = nights.run("out", &["--json"]);
        let record: Value = serde_json::from_str(&ran.out).unwrap();
        let damage = record["damage"].to_string();
        assert!(damage.contains("is taken again from") && damage.contains("/out/attachments/"), "{record}");
        assert_eq!(
            (&record["lost"], &record["still_damaged"]),
            (&serde_json::json!([]), &serde_json::json!([]))
        );
        assert_eq!(&fs::read(archive.join("Attachments").join(content)).unwrap(), photo);
        nights.program.run(&["verify", "archive", "--deep"]).with_code(0);
        if !is_gone {
            continue;
        }
        nights.run("whole", &[]).with_code(0);
        assert_eq!(
            nights.files("out").keys().collect::<Vec<_>>(),
            nights.files("whole").keys().collect::<Vec<_>>()
        );
        assert!(nights.files("out").contains_key(name));
    }
}

/// What lies in the export must be what was lost, whatever its manifest says.
#[test]
fn a_copy_that_is_another_is_none() {
    let nights = Nights::new();
    nights.run("out", &[]).with_code(0);
    let archive = nights.program.path().join("archive/Attachments");
    let (content, _) = tree::files(&archive).into_iter().find(|(path, _)| path.ends_with(".jpeg")).unwrap();
    fs::remove_file(archive.join(&content)).unwrap();
    fs::remove_dir_all(nights.program.path().join("library/Attachments")).unwrap();
    let (copy, mut bytes) =
        nights.files("out").into_iter().find(|(path, _)| path.ends_with(".jpeg")).unwrap();
    bytes[40] ^= 1;
    fs::write(nights.program.path().join("out").join(copy), bytes).unwrap();
    nights.program.run(&["verify", "archive"]).with_code(3);
    let ran = nights.run("out", &[]).with_code(3);
    assert!(ran.err.contains("lost by damage, and nothing has it any more"), "{}", ran.err);
    assert!(!archive.join(&content).exists());
    assert_eq!(tree::files(&archive).len(), 1, "nothing of it stays");
}
