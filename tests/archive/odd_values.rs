//! Values that are not what a column is for: every command goes on.

use rusqlite::Connection;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;

/// One after the other: a value of another type, and a text that is no UTF-8.
const ODD: [&str; 9] = [
    "UPDATE handle SET id = CAST(x'2bff31' AS TEXT) WHERE ROWID = 1",
    "UPDATE handle SET id = x'2bff31' WHERE ROWID = 1",
    "UPDATE chat SET guid = CAST(x'69ff31' AS TEXT), group_id = x'ff' WHERE ROWID = 1",
    "UPDATE chat SET chat_identifier = x'ff31', display_name = CAST(x'ff' AS TEXT) WHERE ROWID = 1",
    "UPDATE message SET guid = CAST(x'41ff' AS TEXT) WHERE guid = 'A'",
    "UPDATE message SET guid = x'41ff' WHERE guid = 'A'",
    "UPDATE message SET date = 'no date' WHERE guid = 'A'",
    "UPDATE message SET service = x'ff', handle_id = 'nobody', is_from_me = 'no' WHERE guid = 'A'",
    "UPDATE message SET date_read = 'no date', date_edited = x'00', subject = CAST(x'ff' AS TEXT) WHERE guid = 'A'",
];

#[test]
fn every_command_goes_on() {
    for odd in ODD {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
        for (device, guid) in [(&mut mac, "A"), (&mut phone, "P-A")] {
            device.receive(guid, 0, START, "odd words");
        }
        mac.receive("B", 0, START, "even words");
        mac.run("PRAGMA foreign_keys = OFF", []);
        mac.run(odd, []);
        let archive = program.path().join("archive");
        add(&archive, &[&mac.folder], START + DAY).unwrap_or_else(|error| panic!("{odd}: {error}"));
        // Who looks for the same message under another GUID reads it; so does who says why it is gone.
        add(&archive, &[&phone.folder], START + 2 * DAY).unwrap_or_else(|error| panic!("{odd}: {error}"));
        mac.run("DELETE FROM chat_message_join WHERE message_id = 1", []);
        mac.run("DELETE FROM message WHERE ROWID = 1", []);
        add(&archive, &[&mac.folder], START + 3 * DAY).unwrap_or_else(|error| panic!("{odd}: {error}"));
        let db = Connection::open(archive.join("chat.db")).unwrap();
        let gone: i64 =
            db.query_row("SELECT count(*) FROM msgarchive_absence", [], |row| row.get(0)).unwrap();
        assert_eq!(gone, 1, "{odd}");
        let commands: [&[&str]; 6] = [
            &["verify", "archive"],
            &["history", "archive", "--deleted"],
            &["history", "archive", "--message", "B"],
            &["search", "archive", "words", "--context", "2"],
            &["search", "archive", "words", "--without", "junk", "--with", "2025550143"],
            &["export", "-s", "archive", "-f", "txt", "-o", "out", "--contacts", "none"],
        ];
        for command in commands {
            let ran = program.run(command);
            assert_eq!(ran.code, Some(0), "{odd}: {command:?}: {}{}", ran.out, ran.err);
        }
        let found = program.run(&["search", "archive", "words"]).out;
        assert!(found.contains("odd words") && found.contains("even words"), "{odd}: {found}");
    }
}

/// What a column has that was taken from a source is nothing that cannot be in it: such an archive is not set aside when a disk
/// failed to read it for a moment.
#[test]
fn no_archive_is_taken_for_damaged_for_what_a_source_has() {
    for odd in ODD {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        mac.receive("A", 0, START, "odd words");
        mac.run("PRAGMA foreign_keys = OFF", []);
        mac.run(odd, []);
        let archive = program.path().join("archive");
        add(&archive, &[&mac.folder], START + DAY).unwrap_or_else(|error| panic!("{odd}: {error}"));
        // Former states have it, too.
        mac.run("UPDATE message SET text = 'other words'", []);
        mac.run("UPDATE chat SET display_name = 'another name'", []);
        add(&archive, &[&mac.folder], START + 2 * DAY).unwrap_or_else(|error| panic!("{odd}: {error}"));
        std::fs::write(archive.join("damaged.json"), r#"{"database": true}"#).unwrap();
        add(&archive, &[&mac.folder], START + 3 * DAY).unwrap_or_else(|error| panic!("{odd}: {error}"));
        assert!(!archive.join("damaged").exists(), "{odd}");
    }
}

/// Whoever wrote it: the messages are there all the same.
#[test]
fn a_record_that_says_odd_things_of_its_sources_keeps_nobody_from_reading() {
    for sources in ["[\"nobody\", 5, null]", "{\"source\": 1}", "\"none\"", "[{\"source\": \"nobody\"}]"] {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        mac.receive("A", 0, START, "words");
        add(&program.path().join("archive"), &[&mac.folder], START + DAY).unwrap();
        let db = Connection::open(program.path().join("archive/chat.db")).unwrap();
        db.execute("UPDATE msgarchive_run SET record = json_set(record, '$.sources', json(?1))", [sources])
            .unwrap();
        for (out, as_of) in [("now", &[][..]), ("then", &["--as-of", "2023-03-10"])] {
            let export = ["export", "-s", "archive", "-f", "txt", "-o", out, "--contacts", "none"];
            let ran = program.run(&[&export, as_of].concat());
            // Damaged it is all the same.
            assert!(matches!(ran.code, Some(0 | 3)), "{sources} {as_of:?}: {}", ran.err);
            let files = tree::files(&program.path().join(out));
            let has_words = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains("words");
            assert!(files.iter().any(|(_, bytes)| has_words(bytes)), "{sources} {as_of:?}");
        }
    }
}
