//! Backups of iPhones: whatever their layout, they give what the library in them gives.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::program::{Program, Ran, ran};
use crate::support::backup::{Layout, wrap};
use crate::support::picture::Canvas;
use crate::support::{Library, Schema, tree};
use msgarchive::sample;
use rusqlite::Connection;
use sha1::Digest as _;

const PASSWORD: &str = "correct hörse ";

/// The sample library in a folder of the program's, and what it gives.
fn library(program: &Program) -> PathBuf {
    let folder = program.path().join("Messages");
    fs::create_dir(&folder).unwrap();
    sample::unpack(&folder).unwrap();
    folder
}

fn with_password(program: &Program, arguments: &[&str], password: &str) -> Ran {
    let output = program.command(arguments).env("MSGARCHIVE_PASSWORD", password).output().unwrap();
    ran(output)
}

fn ran_in(command: &mut Command, folder: &Path) -> Ran {
    ran(command.current_dir(folder).output().unwrap())
}

/// All files of an export but the manifest, which says what the source was.
fn exported(program: &Program, out: &str) -> BTreeMap<String, Vec<u8>> {
    let files = tree::files(&program.path().join(out)).into_iter();
    files.filter(|(name, _)| name != "manifest.json").collect()
}

/// Makes two attachments of a library bundles: a document and a Live Photo.
fn add_bundles(library: &Path) {
    let folder = library.join("Attachments/0b/11/BUNDLES");
    for (file, bytes) in [
        ("note.pages/.index", "1"),
        ("note.pages/Data.txt", "22"),
        ("note.pages/Data/deep/a.jpg", "333"),
        ("note.pages/Data/b", ""),
        ("IMG_1.pvt/IMG_1.HEIC", "4444"),
        ("IMG_1.pvt/IMG_1.MOV", "55555"),
        ("IMG_1.pvt/metadata.plist", "6"),
    ] {
        let file = folder.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let db = Connection::open(library.join("chat.db")).unwrap();
    for (number, name) in [(0, "note.pages"), (1, "IMG_1.pvt")] {
        let changed = db
            .execute(
                "UPDATE attachment SET filename = '~/Library/Messages/Attachments/0b/11/BUNDLES/' || ?1,
                     transfer_name = ?1
                 WHERE ROWID = (SELECT attachment_id FROM message_attachment_join
                     ORDER BY message_id, attachment_id LIMIT 1 OFFSET ?2)",
                rusqlite::params![name, number],
            )
            .unwrap();
        assert_eq!(changed, 1);
    }
}

const FORMATS: [&str; 5] = ["export", "--format", "txt,csv,jsonl", "--contacts", "none"];

#[test]
fn a_backup_of_any_layout_gives_what_the_library_itself_gives() {
    let program = Program::new();
    let library = library(&program);
    add_bundles(&library);
    let ran = program.run(&[&FORMATS[..], &["-s", "Messages", "--out", "expected"]].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let expected = exported(&program, "expected");
    for name in ["IMG_1.HEIC", "note.pages/Data/deep/a.jpg", "note.pages/.index"] {
        assert!(expected.keys().any(|path| path.ends_with(name)), "{name}: {:?}", expected.keys());
    }
    let layouts = [
        Layout::default(),
        Layout { old: true, ..Layout::default() },
        Layout { password: Some(PASSWORD), ..Layout::default() },
        Layout { password: Some(PASSWORD), old: true, wrong_sizes: true },
        Layout { password: Some(PASSWORD), wrong_sizes: true, ..Layout::default() },
    ];
    for (number, layout) in layouts.into_iter().enumerate() {
        let (backup, out) = (format!("backup-{number}"), format!("out-{number}"));
        wrap(&library, None, &program.path().join(&backup), layout);
        let again =
            with_password(&program, &[&FORMATS[..], &["-s", &backup, "--out", &out]].concat(), PASSWORD);
        assert_eq!(again.code, ran.code, "{layout:?}: {again:?}");
        let got = exported(&program, &out);
        assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{layout:?}");
        for (name, bytes) in &expected {
            assert!(got[name] == *bytes, "{name} differs, {layout:?}");
        }
        let manifest = fs::read_to_string(program.path().join(out).join("manifest.json")).unwrap();
        assert!(manifest.contains("\"kind\":\"backup\""), "{manifest}");
        assert!(program.left_in_tmp().is_empty());
    }
}

/// Exports what lies in `folder`, then a backup of it of this layout; both have to be the same, and are returned.
#[track_caller]
fn same_out_of_a_backup(
    program: &Program,
    folder: &Path,
    layout: Layout<'_>,
    options: &[&str],
) -> BTreeMap<String, Vec<u8>> {
    let backup = program.path().join("backup");
    wrap(folder, None, &backup, layout);
    let export = |source: &Path, out: &str| {
        let arguments = ["export", "--contacts", "none", "-s", source.to_str().unwrap(), "--out", out];
        let ran = with_password(program, &[&arguments[..], options].concat(), PASSWORD);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        let files = exported(program, out);
        fs::remove_dir_all(program.path().join(out)).unwrap();
        files
    };
    let (expected, got) = (export(folder, "expected"), export(&backup, "got"));
    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{layout:?}");
    for (name, bytes) in &expected {
        assert!(got[name] == *bytes, "{name} differs, {layout:?}");
    }
    fs::remove_dir_all(backup).unwrap();
    got
}

#[test]
fn libraries_of_every_time_come_out_of_a_backup_as_they_are() {
    let options = ["--format", "txt,csv,jsonl"];
    let sealed = Layout { password: Some(PASSWORD), ..Layout::default() };
    for schema in Schema::ALL {
        let program = Program::new();
        let mut library = Library::new(schema);
        let ana = library.handle("+12025550143", "iMessage");
        let chat = library.direct(ana);
        let photo = library.attachment("Cafe\u{301} 1.jpg").bytes(b"no photo").id();
        library.message(chat).from(ana).text("look").attachment(photo);
        if schema == Schema::MACOS_15 {
            let puffy = b"\0\0\0\x18ftypheic\0\0\0\0 stickerEffect:type=\"puffy\"";
            let sticker = library.attachment("sticker.heic").sticker("pack", 0.5, 0.5).bytes(puffy).id();
            library.message(chat).from(ana).text("stuck").attachment(sticker);
        }
        let folder = program.path().join("Messages");
        fs::create_dir(&folder).unwrap();
        library.write(&folder);
        let layout = Layout { old: schema == Schema::IOS_6, ..sealed };
        same_out_of_a_backup(&program, &folder, layout, &options);
    }
    let program = Program::new();
    let folder = program.path().join("SMS");
    fs::create_dir(&folder).unwrap();
    crate::legacy::ios_5(&folder);
    for password in [None, Some(PASSWORD)] {
        let layout = Layout { password, old: true, ..Layout::default() };
        same_out_of_a_backup(&program, &folder, layout, &options);
    }
}

#[test]
fn pictures_of_an_encrypted_backup_are_in_the_pdf() {
    let program = Program::new();
    let library = library(&program);
    // A Live Photo in a bundle, too, which a backup has in pieces.
    add_bundles(&library);
    let photo = Canvas::new(320, 200, [90, 120, 200]).to_jpeg(80);
    let bundle = library.join("Attachments/0b/11/BUNDLES/IMG_1.pvt");
    fs::remove_file(bundle.join("IMG_1.HEIC")).unwrap();
    fs::write(bundle.join("IMG_1.JPG"), &photo).unwrap();
    let layout = Layout { password: Some(PASSWORD), ..Layout::default() };
    for attachments in ["copy", "convert", "none"] {
        let options = ["--format", "pdf", "--no-cover", "--attachments", attachments];
        let files = same_out_of_a_backup(&program, &library, layout, &options);
        let is_shown = |pdf: &[u8]| pdf.windows(photo.len()).any(|window| window == photo);
        assert!(files.values().any(|pdf| is_shown(pdf)), "--attachments {attachments}");
    }
}

#[test]
fn attachments_may_lie_elsewhere_than_in_the_backup() {
    let program = Program::new();
    let library = library(&program);
    let folder = program.path().join("without");
    fs::create_dir(&folder).unwrap();
    fs::copy(library.join("chat.db"), folder.join("chat.db")).unwrap();
    let layout = Layout { password: Some(PASSWORD), ..Layout::default() };
    let options = ["--format", "jsonl", "--attachments-root", "Messages"];
    same_out_of_a_backup(&program, &folder, layout, &options);
}

/// What a list says is never a path.
#[test]
fn a_list_made_to_hurt_names_no_other_file() {
    let program = Program::new();
    let library = library(&program);
    fs::write(program.path().join("secret"), "SECRET-OF-THIS-MACHINE").unwrap();
    for id in ["../secret", "/../secret", "'..' || char(0) || 'secret'", "x'2e2e2f736563726574'", "NULL"] {
        let backup = program.path().join("backup");
        wrap(&library, None, &backup, Layout::default());
        let db = Connection::open(backup.join("Manifest.db")).unwrap();
        let value = if id.contains('\'') || id == "NULL" { id.to_owned() } else { format!("'{id}'") };
        db.execute_batch(&format!(
            "CREATE TABLE Hurt AS SELECT {value} AS fileID, domain, relativePath, flags, x'62706c697374' AS file
                 FROM Files;
             DROP TABLE Files; ALTER TABLE Hurt RENAME TO Files;
             INSERT INTO Files SELECT fileID, domain, '../../secret', 1, file FROM Files LIMIT 1;"
        ))
        .unwrap();
        db.close().unwrap();
        let ran = program.run(&[&FORMATS[..], &["-s", "backup", "--out", "out"]].concat());
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        for (name, bytes) in exported(&program, "out") {
            assert!(!bytes.windows(7).any(|window| window == b"SECRET-"), "{name}");
        }
        for folder in ["out", "backup"] {
            fs::remove_dir_all(program.path().join(folder)).unwrap();
        }
    }
}

/// The log is not in what Apple makes; where it is, it has what was written last.
#[test]
fn a_log_that_lies_in_the_backup_is_read() {
    let program = Program::new();
    let library = library(&program);
    let db = Connection::open(library.join("chat.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0;
         UPDATE handle SET id = '+12025550199' WHERE ROWID = 1;",
    )
    .unwrap();
    let expected = program.run(&["list", "-s", "Messages", "--json", "--contacts", "none"]);
    assert!(expected.out.contains("+12025550199"), "{expected:?}");
    for (number, layout) in [
        Layout::default(),
        Layout { password: Some(PASSWORD), ..Layout::default() },
        Layout { password: Some(PASSWORD), old: true, ..Layout::default() },
    ]
    .into_iter()
    .enumerate()
    {
        let backup = format!("backup-{number}");
        wrap(&library, None, &program.path().join(&backup), layout);
        let got = with_password(&program, &["list", "-s", &backup, "--json", "--contacts", "none"], PASSWORD);
        assert_eq!((got.code, &got.out), (Some(0), &expected.out), "{layout:?}: {}", got.err);
        assert!(program.left_in_tmp().is_empty());
    }
}

/// What is missing at the end of its messages is neither shown as what it is not, nor taken for deleted.
#[test]
fn messages_of_a_backup_that_are_cut_off_are_told_of() {
    let program = Program::new();
    let library = library(&program);
    let whole = fs::metadata(library.join("chat.db")).unwrap().len();
    fs::File::options().write(true).open(library.join("chat.db")).unwrap().set_len(whole - 300).unwrap();
    let told = format!("it is cut off: it has {} bytes instead of {whole}", whole - 300);
    for (number, layout) in
        [Layout::default(), Layout { password: Some(PASSWORD), ..Layout::default() }].into_iter().enumerate()
    {
        let backup = format!("backup-{number}");
        wrap(&library, None, &program.path().join(&backup), layout);
        for (arguments, code) in [(["list", "-s", &backup], 3), (["archive", "archive", "-s"], 1)] {
            let arguments =
                if code == 1 { [&arguments[..], &[&backup]].concat() } else { arguments.to_vec() };
            let got = with_password(&program, &arguments, PASSWORD);
            assert!(got.code == Some(code) && got.err.contains(&told), "{layout:?}: {got:?}");
        }
    }
}

#[test]
fn a_key_that_is_lost_is_told_of() {
    let program = Program::new();
    let library = library(&program);
    let db = Connection::open(library.join("chat.db")).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; UPDATE handle SET country = 'xx';").unwrap();
    let backup = program.path().join("backup");
    wrap(&library, None, &backup, Layout { password: Some(PASSWORD), old: true, ..Layout::default() });
    let list = backup.join("Manifest.mbdb");
    let whole = fs::read(&list).unwrap();
    let without_key_of = |path: &str| {
        let path = [&(path.len() as u16).to_be_bytes()[..], path.as_bytes()].concat();
        let at = whole.windows(path.len()).position(|window| window == path).unwrap() + path.len();
        let mut list = whole.clone();
        // Link, hash, length of the key, class.
        list[at + 2 + 22 + 2 + 4] ^= 1;
        list
    };
    fs::write(&list, without_key_of("Library/SMS/sms.db-wal")).unwrap();
    let log = with_password(&program, &["list", "-s", "backup"], PASSWORD);
    assert_eq!(log.code, Some(0), "{log:?}");
    assert!(log.err.contains("the newest messages may be missing"), "{log:?}");
    fs::write(&list, without_key_of("Library/SMS/sms.db")).unwrap();
    let messages = with_password(&program, &["list", "-s", "backup"], PASSWORD);
    assert_eq!(messages.code, Some(1), "{messages:?}");
    assert!(messages.err.contains("the key of its messages is missing or damaged"), "{messages:?}");
}

#[test]
fn the_setting_to_keep_messages_is_said() {
    let program = Program::new();
    let library = library(&program);
    let preferences = library.join("Preferences");
    fs::create_dir(&preferences).unwrap();
    let list = |key: &str, days: i64| {
        let entries = [(key.to_owned(), plist::Value::from(days))].into_iter().collect();
        plist::Value::Dictionary(entries)
    };
    // On some devices there is a second list, without the setting.
    list("IMDCKBackupController", 1).to_file_binary(preferences.join("com.apple.mobileSMS.plist")).unwrap();
    list("SSKeepMessages", 365).to_file_binary(preferences.join("com.apple.MobileSMS.plist")).unwrap();
    for password in [None, Some(PASSWORD)] {
        let backup = program.path().join("backup");
        wrap(&library, None, &backup, Layout { password, ..Layout::default() });
        let ran =
            with_password(&program, &["export", "-s", "backup", "-f", "pdf,txt", "--out", "out"], PASSWORD);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        let out = program.path().join("out");
        let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
        assert!(manifest.contains("\"keep_messages\":{\"days\":365}"), "{manifest}");
        fs::remove_dir_all(&out).unwrap();
        fs::remove_dir_all(&backup).unwrap();
    }
}

/// A backup is somebody's folder: it takes in no file of this machine.
#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_backup() {
    let program = Program::new();
    let library = library(&program);
    let backup = program.path().join("backup");
    wrap(&library, None, &backup, Layout::default());
    let secret = program.path().join("secret");
    fs::write(&secret, "SECRET-OF-THIS-MACHINE").unwrap();
    let messages = "3d0d7e5fb2ce288813306e4d4636395e047a3d28";
    for (name, _) in tree::files(&backup) {
        let path = backup.join(name);
        if path.file_name().unwrap().len() == 40 && !path.ends_with(messages) {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&secret, &path).unwrap();
        }
    }
    program.run(&[&FORMATS[..], &["-s", "backup", "--out", "out"]].concat());
    let files = exported(&program, "out");
    assert!(!files.is_empty());
    for (name, bytes) in files {
        assert!(!bytes.windows(7).any(|window| window == b"SECRET-"), "{name}");
    }
}

#[test]
fn contacts_come_from_the_backup_itself() {
    let program = Program::new();
    let library = library(&program);
    let book = program.path().join("AddressBook.sqlitedb");
    let db = Connection::open(&book).unwrap();
    // All of it is in the log, as it often is on a device.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE ABPerson (ROWID INTEGER PRIMARY KEY, First TEXT, Last TEXT);
         CREATE TABLE ABMultiValue (UID INTEGER PRIMARY KEY, record_id INTEGER, property INTEGER, value TEXT);
         INSERT INTO ABPerson VALUES (1, 'Zora', 'Backupson');
         INSERT INTO ABMultiValue VALUES (1, 1, 3, '(202) 555-0143');",
    )
    .unwrap();
    let mut db = Some(db);
    for (backup, password) in
        [("plain log", None), ("sealed log", Some(PASSWORD)), ("plain", None), ("sealed", Some(PASSWORD))]
    {
        if !backup.ends_with("log")
            && let Some(db) = db.take()
        {
            db.close().unwrap();
        }
        let layout = Layout { password, ..Layout::default() };
        wrap(&library, Some(&book), &program.path().join(backup), layout);
        let ran = with_password(&program, &["list", "-s", backup], PASSWORD);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.out.contains("Zora Backupson"), "{ran:?}");
    }
}

#[test]
fn a_wrong_password_and_none_and_a_damaged_key_bag_are_told_apart() {
    let program = Program::new();
    let library = library(&program);
    let backup = program.path().join("backup");
    wrap(&library, None, &backup, Layout { password: Some(PASSWORD), ..Layout::default() });
    let list = ["list", "-s", "backup"];

    let none = program.run(&list);
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("no password was given") && none.err.contains("--password-file"), "{none:?}");
    let wrong = with_password(&program, &list, "correct horse ");
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("this is not the password"), "{wrong:?}");
    assert!(!wrong.err.contains("correct horse"), "{wrong:?}");
    assert_eq!(with_password(&program, &list, PASSWORD).code, Some(0));
    // In the other form of its accents, and from a file.
    assert_eq!(with_password(&program, &list, "correct ho\u{308}rse ").code, Some(0));
    for mark in ["", "\u{feff}"] {
        fs::write(program.path().join("password"), format!("{mark}{PASSWORD}\r\nnot this\n")).unwrap();
        let from_file = program.run(&["list", "-s", "backup", "--password-file", "password"]);
        assert_eq!(from_file.code, Some(0), "{from_file:?}");
    }
    let no_file = program.run(&["list", "-s", "backup", "--password-file", "nothing"]);
    assert!(no_file.err.contains("cannot read the password file"), "{no_file:?}");

    let mut manifest =
        plist::Value::from_file(backup.join("Manifest.plist")).unwrap().into_dictionary().unwrap();
    let bag = manifest.get("BackupKeyBag").unwrap().as_data().unwrap().to_vec();
    manifest.insert("BackupKeyBag".into(), plist::Value::Data(bag[..bag.len() - 7].to_vec()));
    plist::Value::Dictionary(manifest.clone()).to_file_binary(backup.join("Manifest.plist")).unwrap();
    let damaged = with_password(&program, &list, PASSWORD);
    assert!(damaged.err.contains("cannot be unlocked: its key bag is cut off"), "{damaged:?}");
    // Nobody is asked for a password that is of no use.
    assert_eq!(program.run(&list).err, damaged.err);
    manifest
        .insert("BackupKeyBag".into(), plist::Value::Data([b"TYPE\0\0\0\x04\0\0\0\x02", &bag[..]].concat()));
    plist::Value::Dictionary(manifest.clone()).to_file_binary(backup.join("Manifest.plist")).unwrap();
    let unsupported = program.run(&list);
    let told = "cannot be unlocked by this program: its key bag is not one of a backup";
    assert!(unsupported.err.contains(told) && unsupported.err.contains("newer version"), "{unsupported:?}");
    // One of an unknown version is tried; what does not open it is not called wrong.
    manifest
        .insert("BackupKeyBag".into(), plist::Value::Data([b"VERS\0\0\0\x04\0\0\0\x06", &bag[..]].concat()));
    plist::Value::Dictionary(manifest).to_file_binary(backup.join("Manifest.plist")).unwrap();
    assert_eq!(with_password(&program, &list, PASSWORD).code, Some(0));
    let unknown = with_password(&program, &list, "correct house");
    assert!(unknown.err.contains("of an unknown version") && !unknown.err.contains("not the password"));
}

#[test]
fn that_a_backup_is_being_unlocked_is_said_where_progress_is() {
    let program = Program::new();
    let library = library(&program);
    let backup = program.path().join("backup");
    wrap(&library, None, &backup, Layout { password: Some(PASSWORD), ..Layout::default() });
    for (when, said) in [("always", true), ("auto", false), ("never", false)] {
        let out = format!("out-{when}");
        let export = ["export", "-s", "backup", "-o", &out, "-f", "txt", "--progress", when];
        let ran = with_password(&program, &export, PASSWORD);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.err.contains("Unlocking the backup…"), said, "{when}: {ran:?}");
    }
}

#[test]
fn missing_and_odd_files_cost_nothing_else() {
    let program = Program::new();
    let library = library(&program);
    let backup = program.path().join("backup");
    wrap(&library, None, &backup, Layout { password: Some(PASSWORD), ..Layout::default() });
    let messages = "3d0d7e5fb2ce288813306e4d4636395e047a3d28";
    let mut blobs: Vec<PathBuf> = tree::files(&backup)
        .into_iter()
        .map(|(name, _)| backup.join(name))
        .filter(|path| path.file_name().unwrap().len() == 40 && !path.ends_with(messages))
        .collect();
    blobs.sort();
    assert!(blobs.len() > 4);
    fs::remove_file(&blobs[0]).unwrap();
    let odd = fs::read(&blobs[1]).unwrap();
    fs::write(&blobs[1], &odd[..odd.len() - 5]).unwrap();
    fs::write(&blobs[2], b"").unwrap();
    let ran = with_password(&program, &[&FORMATS[..], &["-s", "backup", "--out", "out"]].concat(), PASSWORD);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let lines = |out: &str| {
        let files = exported(&program, out);
        let of = |name: &&String| name.ends_with(".jsonl") && !name.starts_with("conversations");
        files.keys().filter(of).map(|name| files[name].iter().filter(|b| **b == b'\n').count()).sum::<usize>()
    };
    let all = program.run(&[&FORMATS[..], &["-s", "Messages", "--out", "all"]].concat());
    assert!(matches!(all.code, Some(0 | 3)), "{all:?}");
    assert_eq!(lines("out"), lines("all"));
    let manifest = fs::read_to_string(program.path().join("out/manifest.json")).unwrap();
    assert_eq!(manifest.matches("the source does not have all of the attachment").count(), 1, "{manifest}");
    assert_eq!(ran.code, Some(3));
}

#[test]
fn a_bundle_that_lacks_a_file_is_copied_without_it() {
    for password in [None, Some(PASSWORD)] {
        let program = Program::new();
        let library = library(&program);
        add_bundles(&library);
        let backup = program.path().join("backup");
        wrap(&library, None, &backup, Layout { password, ..Layout::default() });
        let id = sha1::Sha1::digest("MediaDomain-Library/SMS/Attachments/0b/11/BUNDLES/note.pages/Data.txt");
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::remove_file(backup.join(&id[..2]).join(&id)).unwrap();
        let ran =
            with_password(&program, &[&FORMATS[..], &["-s", "backup", "--out", "out"]].concat(), PASSWORD);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        let files = exported(&program, "out");
        assert!(files.keys().any(|path| path.ends_with("note.pages/Data/deep/a.jpg")), "{:?}", files.keys());
        assert!(!files.keys().any(|path| path.ends_with("note.pages/Data.txt")));
        let manifest = fs::read_to_string(program.path().join("out/manifest.json")).unwrap();
        assert!(manifest.contains("the source does not have all of the attachment note.pages"), "{manifest}");
    }
}

#[test]
fn plain_backups_are_read_without_their_lists() {
    let program = Program::new();
    let library = library(&program);
    let backup = program.path().join("backup");
    wrap(&library, None, &backup, Layout::default());
    for name in ["Manifest.db", "Info.plist", "Status.plist"] {
        fs::remove_file(backup.join(name)).unwrap();
    }
    let ran = program.run(&["list", "-s", "backup"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("warning: the backup is not whole"), "{ran:?}");
    // The file itself may be given, too.
    let file = "backup/3d/3d0d7e5fb2ce288813306e4d4636395e047a3d28";
    assert_eq!(program.run(&["list", "-s", file]).code, Some(0));
    let mut inside = program.command(&["list", "-s", "3d/3d0d7e5fb2ce288813306e4d4636395e047a3d28"]);
    assert_eq!(ran_in(&mut inside, &backup).code, Some(0));
    // An old one with a damaged list, too.
    wrap(&library, None, &program.path().join("old"), Layout { old: true, ..Layout::default() });
    fs::write(program.path().join("old/Manifest.mbdb"), "mbdb\x05\x00\x00").unwrap();
    assert_eq!(program.run(&["list", "-s", "old"]).code, Some(0));
    fs::remove_file(program.path().join(file)).unwrap();
    let nothing = program.run(&["list", "-s", "backup"]);
    assert!(nothing.err.contains("holds no messages"), "{nothing:?}");
}

#[test]
fn one_of_several_backups_has_to_be_named_and_the_newest_is_the_default() {
    let program = Program::new();
    let library = library(&program);
    let all = program.home().join("Library/Application Support/MobileSync/Backup");
    wrap(&library, None, &all.join("00008110-000A1B2C3D4E801E"), Layout::default());
    let only = program.run(&["list", "--json"]);
    assert_eq!(only.code, Some(0), "{only:?}");
    let in_folder = program.run(&["list", "--json", "-s", all.to_str().unwrap()]);
    assert_eq!(in_folder.out, only.out);
    wrap(&library, None, &all.join("second"), Layout { password: Some(PASSWORD), ..Layout::default() });
    let several = program.run(&["list", "-s", all.to_str().unwrap()]);
    assert_eq!(several.code, Some(1));
    assert!(several.err.contains("holds 2 backups") && several.err.contains("second"), "{several:?}");
    let sources = program.run(&["sources"]);
    assert!(sources.out.contains("Ana's iPhone") && sources.out.contains("(encrypted)"), "{sources:?}");
}

/// A run that has gone on for so many milliseconds.
#[cfg(unix)]
fn begun(program: &Program, arguments: &[&str], delay: u64) -> Child {
    let child = program
        .command(arguments)
        .env("MSGARCHIVE_PASSWORD", PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(delay));
    child
}

/// Whatever ends the program, what was encrypted is not left on the disk.
#[cfg(unix)]
#[test]
fn a_killed_run_leaves_no_plain_text() {
    let program = Program::new();
    let library = library(&program);
    let database = fs::read(library.join("chat.db")).unwrap();
    let words = b"CREATE TABLE message";
    assert!(database.windows(words.len()).any(|window| window == words));
    wrap(
        &library,
        None,
        &program.path().join("backup"),
        Layout { password: Some(PASSWORD), ..Layout::default() },
    );
    let arguments = [&FORMATS[..], &["-s", "backup", "--attachments", "none", "--out", "out"]].concat();
    for delay in (0..400).step_by(20) {
        let mut child = begun(&program, &arguments, delay);
        let _ = child.kill();
        child.wait().unwrap();
        for left in program.left_in_tmp() {
            for (name, bytes) in tree::files(&left) {
                assert!(bytes.is_empty(), "{name} was left after {delay} ms");
            }
        }
        let _ = fs::remove_dir_all(program.path().join("out"));
    }
}

/// What is in the encrypted files, in clear, anywhere below a folder but in the export itself.
#[cfg(unix)]
#[track_caller]
fn nothing_in_clear(program: &Program, when: &str) {
    // Of the database; of its last page; of a picture.
    let words: [&[u8]; 3] = [b"CREATE TABLE message", b"SQLite format 3", b"JFIF"];
    // Not walked: a process that clears the export folder away may be at work there, and what is in it is looked at by
    // itself (`in_the_making`).
    let asked_for = ["out", "Messages"];
    for (name, bytes) in tree::files_but(program.path(), &asked_for) {
        let found = words.iter().any(|words| bytes.windows(words.len()).any(|window| window == *words));
        assert!(!found, "{name} was left {when}");
    }
}

#[cfg(unix)]
#[test]
fn nothing_that_was_encrypted_is_left_in_clear() {
    let program = Program::new();
    let library = library(&program);
    let backup = program.path().join("backup");
    wrap(&library, None, &backup, Layout { password: Some(PASSWORD), ..Layout::default() });
    let pictures = tree::files(&library).into_iter().filter(|(_, bytes)| bytes.get(6..10) == Some(b"JFIF"));
    assert!(pictures.count() > 0);
    nothing_in_clear(&program, "by the test itself");
    let arguments = [&FORMATS[..], &["-s", "backup", "--out", "out"]].concat();
    for (more, code) in [(&[][..], Some(0)), (&["--only", "nobody at all"][..], Some(1))] {
        let ran = with_password(&program, &[&arguments[..], more].concat(), PASSWORD);
        assert!(ran.code == code || ran.code == Some(3), "{ran:?}");
        nothing_in_clear(&program, "after an end");
        let _ = fs::remove_dir_all(program.path().join("out"));
    }
    for signal in ["INT", "TERM", "KILL"] {
        for delay in (0..300).step_by(50) {
            let mut child = begun(&program, &arguments, delay);
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).output().unwrap();
            child.wait().unwrap();
            nothing_in_clear(&program, &format!("{delay} ms after the start, by {signal}"));
            let patience = std::time::Instant::now();
            while let Some(left) = in_the_making(&program.path().join("out")) {
                assert!(
                    patience.elapsed() < Duration::from_secs(60),
                    "{} is left by {signal}",
                    left.display()
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = fs::remove_dir_all(program.path().join("out"));
        }
    }
}

/// What a run has in the making, in clear: the first file of some size in a hidden folder of the export folder.
#[cfg(unix)]
fn in_the_making(out: &Path) -> Option<PathBuf> {
    let hidden = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with(".msgarchive-");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(out).into_iter().flatten().flatten().map(|e| e.path()).collect();
    folders.retain(|folder| hidden(folder));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(about) if about.is_dir() => folders.push(entry.path()),
                // The plan of a run that was publishing stays: the next one knows by it whose the files are.
                Ok(about) if about.len() > 100 && entry.file_name() != "plan" => return Some(entry.path()),
                _ => {}
            }
        }
    }
    None
}

/// Nobody can hear SIGKILL; the process that waits for the end of the other one does not have to.
#[cfg(unix)]
#[test]
fn what_a_killed_run_had_in_the_making_is_cleared_away() {
    let program = Program::new();
    let library = library(&program);
    let layout = Layout { password: Some(PASSWORD), ..Layout::default() };
    wrap(&library, None, &program.path().join("backup"), layout);
    let out = program.path().join("out");
    let arguments = ["export", "--format", "pdf,txt", "--contacts", "none", "-s", "backup", "--out", "out"];
    let mut killed = 0;
    for _ in 0..5 {
        let mut child = begun(&program, &arguments, 0);
        while child.try_wait().unwrap().is_none() && in_the_making(&out).is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let waiting = guards_of(&out);
        child.kill().unwrap();
        let was_killed = child.wait().unwrap().code().is_none();
        killed += u32::from(was_killed);
        #[cfg(target_os = "linux")]
        for (arguments, environment) in &waiting {
            let secret = PASSWORD.as_bytes();
            let tells = |of: &[u8]| of.windows(secret.len()).any(|window| window == secret);
            assert!(!tells(arguments) && !tells(environment));
        }
        assert!(!cfg!(target_os = "linux") || !was_killed || waiting.len() == 1, "{}", waiting.len());
        let patience = std::time::Instant::now();
        while let Some(left) = in_the_making(&out) {
            assert!(patience.elapsed() < Duration::from_secs(60), "{} is left", left.display());
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = fs::remove_dir_all(&out);
    }
    assert!(killed > 0);
}

/// Arguments and environment of the processes that watch over an export folder, where the system shows them.
#[cfg(unix)]
fn guards_of(out: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let read = |entry: &fs::DirEntry, name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
    let about = processes.map(|entry| (read(&entry, "cmdline"), read(&entry, "environ")));
    let is_guard = |arguments: &[u8]| {
        let text = String::from_utf8_lossy(arguments);
        text.contains("clear-away-after-me") && text.contains(out.to_str().unwrap())
    };
    about.filter(|(arguments, _)| is_guard(arguments)).collect()
}

#[test]
fn documents_and_missing_files_are_as_the_librarys() {
    let program = Program::new();
    let library = library(&program);
    let files = tree::files(&library).into_iter().map(|(name, _)| name);
    let gone = files.into_iter().find(|name| name.starts_with("Attachments/")).unwrap();
    let whole = program.path().join("whole");
    fs::create_dir(&whole).unwrap();
    sample::unpack(&whole).unwrap();
    fs::remove_file(library.join(&gone)).unwrap();
    let id = sha1::Sha1::digest(format!("MediaDomain-Library/SMS/{gone}"));
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let options = ["--format", "csv,jsonl,txt,pdf", "--no-cover"];
    let export = |source: &str, out: &str| {
        let arguments = ["export", "--contacts", "none", "-s", source, "--out", out];
        let ran = with_password(&program, &[&arguments[..], &options].concat(), PASSWORD);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        exported(&program, out)
    };
    let expected = export("Messages", "expected");
    for (number, (password, old)) in
        [(None, false), (None, true), (Some(PASSWORD), false), (Some(PASSWORD), true)].into_iter().enumerate()
    {
        let (backup, out) = (format!("backup-{number}"), format!("out-{number}"));
        let folder = program.path().join(&backup);
        wrap(&whole, None, &folder, Layout { password, old, wrong_sizes: true });
        // Listed, and not there.
        let blob = if old { folder.join(&id) } else { folder.join(&id[..2]).join(&id) };
        fs::remove_file(blob).unwrap();
        let got = export(&backup, &out);
        assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, bytes) in &expected {
            assert!(got[name] == *bytes, "{name} differs, {password:?} {old}");
        }
    }
}

fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    path.exists().then_some(path)
}

#[test]
fn real_backups_open() {
    let Some(backups) = real("backups") else {
        println!("not checked against real backups: ../shared/data/backups is not here");
        return;
    };
    let program = Program::new();
    let list = |name: &str, password: &str| {
        let path = backups.join(name);
        with_password(&program, &["list", "--json", "-s", path.to_str().unwrap()], password)
    };
    let plain = list("plain-one-message", "");
    assert_eq!(plain.code, Some(0), "{plain:?}");
    let sealed = list("encrypted-backup-min", "test-password");
    assert_eq!(sealed.code, Some(0), "{sealed:?}");
    assert!(sealed.out.contains("Test Group"), "{sealed:?}");
    for (name, password, texts) in [
        ("plain-one-message", "", &["hello WAL data!"][..]),
        ("encrypted-backup-min", "test-password", &["hello from a generated backup", "reply"]),
    ] {
        let path = backups.join(name);
        let arguments = ["export", "-f", "txt", "--contacts", "none", "--out", name, "-s"];
        let ran = with_password(&program, &[&arguments[..], &[path.to_str().unwrap()]].concat(), password);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let files = exported(&program, name);
        let all: Vec<u8> = files.values().flatten().copied().collect();
        let all = String::from_utf8_lossy(&all);
        texts.iter().for_each(|text| assert!(all.contains(text), "{name}: {all}"));
        let notes = files.iter().filter(|(name, _)| name.ends_with("note.txt"));
        let sizes: Vec<usize> = notes.map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(sizes, if password.is_empty() { vec![] } else { vec![21] });
    }
    // It is unlocked, and has no messages.
    let old = list("ios9-encrypted-mbdb", "0000");
    assert!(old.err.contains("holds no messages"), "{old:?}");
}
