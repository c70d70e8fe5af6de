//! An archive that is damaged, as a source of another: what is damaged in it is not taken for good, and said.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use super::device::{DAY, Device};
use super::seen::{all_rows, pairs};
use super::{add, messages};
use crate::program::Program;
use crate::support::{Schema, tree};
use msgarchive::archive::check;

const START: i64 = 700_000_000;

/// A Mac, and an archive of it from which another is fed.
struct Giving {
    program: Program,
    mac: Device,
}

impl Giving {
    fn new() -> Giving {
        let program = Program::new();
        let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
        for (at, guid) in ["A", "B", "C"].into_iter().enumerate() {
            mac.receive(guid, 0, START + at as i64, guid);
        }
        mac.attach("A", "a.png");
        mac.download("A", "a.png", b"a picture");
        let giving = Giving { program, mac };
        giving.fed(1);
        giving.mac.edit("B", START + DAY, "edited");
        giving.fed(2);
        giving
    }

    fn at(&self, name: &str) -> PathBuf {
        self.program.path().join(name)
    }

    fn fed(&self, day: i64) {
        add(&self.at("giving"), &[&self.mac.folder], START + day * DAY).unwrap();
    }

    fn harm(&self, sql: &str) {
        Connection::open(self.at("giving/chat.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// Takes over what is there, and says what was not taken.
    #[track_caller]
    fn taken(&self, into: &str, code: i32) -> String {
        self.program.run(&["archive", into, "-s", "giving"]).with_code(code).err
    }

    /// What an export shows of an archive.
    fn exported(&self, of: &str) -> Vec<(String, Value)> {
        let out = format!("{of}-out");
        let arguments = ["export", "-s", of, "-f", "jsonl", "-o", &out, "--contacts", "none"];
        self.program.run(&arguments).with_code(0);
        messages(&self.at(&out))
    }

    fn texts(&self, of: &str) -> Vec<(String, String)> {
        let db = Connection::open(self.at(of).join("chat.db")).unwrap();
        pairs(
            &db,
            "SELECT guid, text FROM message UNION ALL SELECT guid, text || ' (before)' FROM msgarchive_message_version \
             ORDER BY 1, 2",
        )
    }
}

fn texts(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(guid, text)| ((*guid).to_owned(), (*text).to_owned())).collect()
}

fn is_whole(archive: &Path) {
    assert_eq!(check(archive, true, 1, &()).unwrap().problems, []);
}

const ALL: [(&str, &str); 4] = [("A", "A"), ("B", "B (before)"), ("B", "edited"), ("C", "C")];

#[test]
fn a_row_that_is_not_what_was_written() {
    let giving = Giving::new();
    giving.harm("UPDATE message SET text = 'damaged' WHERE guid = 'A'");
    let said = giving.taken("new", 3);
    assert!(said.contains("A") && said.contains("verify"), "{said}");
    assert_eq!(giving.texts("new"), texts(&ALL[1..]));
    is_whole(&giving.at("new"));
    // It is said again, until the archive is mended; then it is taken.
    let said = giving.taken("new", 3);
    assert!(said.contains("A"), "{said}");
    assert_eq!(giving.texts("new"), texts(&ALL[1..]));
    giving.program.run(&["verify", "giving"]).with_code(3);
    giving.fed(3);
    giving.taken("new", 0);
    assert_eq!(giving.texts("new"), texts(&ALL));
    is_whole(&giving.at("new"));
}

/// What was taken before the damage stays as it was, and is not gone.
#[test]
fn a_row_that_was_taken_before_it_was_damaged() {
    let giving = Giving::new();
    giving.taken("old", 0);
    giving.harm("UPDATE message SET text = 'damaged' WHERE guid = 'A'; UPDATE message SET guid = 'Z' WHERE guid = 'C'");
    for _ in 0..2 {
        let said = giving.taken("old", 3);
        assert!(said.contains("A") && said.contains("Z"), "{said}");
        assert_eq!(giving.texts("old"), texts(&ALL));
        let absent = Connection::open(giving.at("old/chat.db")).unwrap();
        assert_eq!(pairs(&absent, "SELECT reason, message FROM msgarchive_absence"), []);
        is_whole(&giving.at("old"));
    }
}

#[test]
fn a_former_state_that_is_not_what_was_written() {
    let giving = Giving::new();
    giving.harm("UPDATE msgarchive_message_version SET text = 'damaged'");
    let said = giving.taken("new", 3);
    assert!(said.contains("B"), "{said}");
    assert_eq!(giving.texts("new"), texts(&[("A", "A"), ("B", "edited"), ("C", "C")]));
    giving.taken("new", 3);
    is_whole(&giving.at("new"));
}

/// What it was before waits for it.
#[test]
fn the_former_states_of_a_row_that_was_not_taken() {
    for harm in
        ["UPDATE message SET text = 'damaged' WHERE guid = 'B'", "DELETE FROM message WHERE guid = 'B'"]
    {
        let giving = Giving::new();
        giving.harm(harm);
        giving.program.run(&["archive", "new", "-s", "giving"]);
        assert_eq!(giving.texts("new"), texts(&[("A", "A"), ("C", "C")]), "{harm}");
        giving.program.run(&["verify", "giving"]).with_code(3);
        giving.fed(3);
        giving.taken("new", 0);
        assert_eq!(giving.texts("new"), texts(&ALL), "{harm}");
        let before = all_rows(&giving.at("new"));
        giving.taken("new", 0);
        assert_eq!(all_rows(&giving.at("new")), before, "{harm}");
        is_whole(&giving.at("new"));
    }
}

/// Messages that hang on a chat, an address or an attachment that is damaged are taken all the same, and joined with it once it
/// is mended; and so where what joins them is damaged, or gone.
#[test]
fn what_messages_hang_on() {
    for harm in [
        "UPDATE chat SET display_name = 'damaged' WHERE ROWID = 1; UPDATE attachment SET mime_type = 'x/damaged'",
        "UPDATE handle SET id = 'damaged@example.com' WHERE ROWID = 1",
        "UPDATE chat_message_join SET chat_id = 2 WHERE message_id = 1; DELETE FROM message_attachment_join",
        "DELETE FROM chat_message_join WHERE message_id = 2",
        "DELETE FROM chat_handle_join WHERE chat_id = 1",
    ] {
        let giving = Giving::new();
        giving.taken("sound", 0);
        giving.harm(harm);
        giving.taken("new", 3);
        assert_eq!(giving.texts("new"), texts(&ALL), "{harm}");
        let db = Connection::open(giving.at("new/chat.db")).unwrap();
        let damaged = "SELECT guid, guid FROM chat WHERE display_name = 'damaged' UNION SELECT guid, guid FROM attachment \
            WHERE mime_type = 'x/damaged' UNION SELECT id, id FROM handle WHERE id LIKE 'damaged%'";
        assert_eq!(pairs(&db, damaged), []);
        let before = all_rows(&giving.at("new"));
        giving.taken("new", 3);
        assert_eq!(all_rows(&giving.at("new")), before, "{harm}");
        is_whole(&giving.at("new"));
        giving.program.run(&["verify", "giving"]).with_code(3);
        giving.fed(3);
        giving.taken("new", 0);
        is_whole(&giving.at("new"));
        assert_eq!(giving.exported("new"), giving.exported("sound"), "{harm}");
    }
}

/// Nobody left a chat because what joins them is damaged, or gone.
#[test]
fn who_was_in_a_chat_before_that_was_damaged() {
    for harm in [
        "DELETE FROM chat_handle_join WHERE chat_id = 1",
        "UPDATE chat_handle_join SET handle_id = 4 WHERE chat_id = 1",
    ] {
        let giving = Giving::new();
        giving.taken("old", 0);
        let before = giving.exported("old");
        let participants = |archive: &Path| {
            let db = Connection::open(archive.join("chat.db")).unwrap();
            pairs(
                &db,
                "SELECT chat || ' ' || handle, coalesce(until, 'now') || '' FROM msgarchive_participant UNION ALL \
                 SELECT chat_id || ' ' || handle_id, 'joined' FROM chat_handle_join ORDER BY 1, 2",
            )
        };
        let were = participants(&giving.at("old"));
        giving.harm(harm);
        for _ in 0..2 {
            giving.taken("old", 3);
            assert_eq!(participants(&giving.at("old")), were, "{harm}");
            is_whole(&giving.at("old"));
        }
        giving.program.run(&["verify", "giving"]).with_code(3);
        giving.fed(3);
        giving.taken("old", 0);
        assert_eq!(participants(&giving.at("old")), were, "{harm}");
        assert_eq!(giving.exported("old"), before, "{harm}");
    }
}

/// An archive lets go of nothing: what is gone there is damage, and no deletion.
#[test]
fn a_row_that_is_gone() {
    let giving = Giving::new();
    giving.taken("old", 0);
    giving.harm("DELETE FROM message WHERE guid = 'A'");
    for _ in 0..2 {
        let said = giving.taken("old", 3);
        assert!(said.contains("(A)") && said.contains("verify"), "{said}");
        assert_eq!(giving.texts("old"), texts(&ALL));
        let db = Connection::open(giving.at("old/chat.db")).unwrap();
        assert_eq!(pairs(&db, "SELECT reason, message FROM msgarchive_absence"), []);
        is_whole(&giving.at("old"));
    }
    giving.program.run(&["verify", "giving"]).with_code(3);
    giving.fed(3);
    giving.taken("old", 0);
    assert_eq!(giving.texts("old"), texts(&ALL));
}

/// Bytes that an attachment had once are asked for again, too, where they are damaged here.
#[test]
fn bytes_that_were_shown_once_are_mended() {
    let giving = Giving::new();
    giving.mac.download("A", "a.png", b"the whole picture");
    giving.fed(3);
    giving.taken("old", 0);
    let db = Connection::open(giving.at("old/chat.db")).unwrap();
    let [(path, _)] = &pairs(&db, "SELECT path, path FROM msgarchive_former_content")[..] else { panic!() };
    let former = giving.at("old").join(path);
    for damage in ["other", "gone"] {
        fs::remove_file(&former).unwrap();
        if damage == "other" {
            fs::write(&former, b"b picture").unwrap();
        }
        giving.program.run(&["verify", "old", "--deep"]).with_code(3);
        giving.taken("old", 0);
        assert_eq!(fs::read(&former).unwrap(), b"a picture", "{damage}");
        is_whole(&giving.at("old"));
    }
}

/// The bytes of a picture: where they are not what their name says, they are no picture of it.
#[test]
fn bytes_that_are_not_what_was_stored() {
    for damaged in [&b"b picture"[..], b"a pict"] {
        let giving = Giving::new();
        let pictures = giving.at("giving/Attachments");
        let (name, whole) = tree::files(&pictures).remove(0);
        fs::write(pictures.join(&name), damaged).unwrap();
        let said = giving.taken("new", 3);
        assert!(said.contains(name.rsplit('/').next().unwrap()) && said.contains("verify"), "{said}");
        assert_eq!(tree::files(&giving.at("new/Attachments")), []);
        assert_eq!(giving.texts("new"), texts(&ALL));
        is_whole(&giving.at("new"));
        fs::write(pictures.join(&name), &whole).unwrap();
        giving.taken("new", 0);
        assert_eq!(tree::files(&giving.at("new/Attachments")), [(name, whole)]);
        is_whole(&giving.at("new"));
    }
}

/// What is noted there beside its rows, and what it was that another archive took of it. Each is forged, and not taken before it is
/// mended, or has been given up there.
#[test]
fn notes_that_are_not_what_was_written() {
    let forged = [
        (
            "UPDATE msgarchive_absence SET reason = 'aged_out'",
            "when and why it is gone where it came from (C)",
        ),
        ("DELETE FROM msgarchive_absence", "when and why it is gone where it came from (C)"),
        (
            "INSERT INTO msgarchive_participant SELECT chat, handle + 1, 1, 2 FROM msgarchive_participant LIMIT 1",
            "who was in it, and when",
        ),
        ("INSERT INTO msgarchive_alias VALUES ('Z', 1, 1)", "which message it is another GUID of (Z)"),
        (
            "INSERT INTO msgarchive_former_part VALUES (1, 1, 0, 1, x'61', 1, 1)",
            "was in Recently Deleted and came back (A)",
        ),
        ("UPDATE msgarchive_contact SET name = 'Mallory'", "the card of Mallory"),
        ("UPDATE msgarchive_contact SET until = 1", "card"),
        (
            "UPDATE msgarchive_absence SET reason = 'aged_out'; UPDATE msgarchive_sum SET sum = 1 \
             WHERE tbl = 'msgarchive_absence'",
            "when and why it is gone where it came from",
        ),
    ];
    let of_notes = |archive: &Path| {
        let db = Connection::open(archive.join("chat.db")).unwrap();
        [
            "SELECT reason || '', message FROM msgarchive_absence",
            "SELECT chat || ' ' || handle, since || ' ' || coalesce(until, '') FROM msgarchive_participant ORDER BY 1, 2",
            "SELECT guid, message || '' FROM msgarchive_alias",
            "SELECT part || '', message || '' FROM msgarchive_former_part",
            "SELECT name, coalesce(until, '') || '' FROM msgarchive_contact",
        ]
        .map(|sql| {
            let mut rows = db.prepare(sql).unwrap();
            let of = |row: &rusqlite::Row<'_>| Ok(format!("{:?} {:?}", row.get_ref(0)?, row.get_ref(1)?));
            rows.query_map([], of).unwrap().map(Result::unwrap).collect::<Vec<String>>()
        })
    };
    let mut giving = Giving::new();
    let book = "BEGIN:VCARD\nVERSION:3.0\nN:Baker;Ana;;;\nFN:Ana Baker\nTEL:+1 202 555 0143\nEND:VCARD\n";
    fs::write(giving.at("people.vcf"), book).unwrap();
    giving.mac.remove("C", true, "deleted");
    let night = ["archive", "giving", "-s", "mac", "--contacts", "people.vcf"];
    giving.program.run(&night).with_code(0);
    tree::copy(&giving.at("giving"), &giving.at("well"));
    giving.taken("true", 0);
    let well = of_notes(&giving.at("true"));
    assert!(well[0].len() == 1 && well[4].len() == 1, "{well:#?}");
    for (at, (sql, words)) in forged.into_iter().enumerate() {
        fs::remove_dir_all(giving.at("giving")).unwrap();
        tree::copy(&giving.at("well"), &giving.at("giving"));
        giving.harm(sql);
        // One that knows it stays as it is.
        let said = giving.taken("true", 3);
        assert!(said.contains(words) && said.contains("not what was written there"), "{sql}: {said}");
        assert_eq!(of_notes(&giving.at("true")), well, "{sql}");
        let new = format!("new-{at}");
        let said = giving.taken(&new, 3);
        assert!(said.contains(words), "{sql}: {said}");
        let took = of_notes(&giving.at(&new));
        assert!(
            took.iter().zip(&well).all(|(took, well)| took.is_empty() || took == well),
            "{sql}: {took:#?}"
        );
        is_whole(&giving.at(&new));
    }
}

/// What an archive has given up lies there damaged, under a hash of its own: another one says so, too, and takes it for nothing
/// where it knows the message.
#[test]
fn what_was_given_up_is_nobodys_words_elsewhere_either() {
    let mut giving = Giving::new();
    giving.mac.remove("C", true, "deleted");
    giving.fed(3);
    giving.taken("knows", 0);
    giving.harm("UPDATE message SET text = 'forged' WHERE guid = 'C'");
    giving.program.run(&["verify", "giving"]).with_code(3);
    assert!(!add(&giving.at("giving"), &[&giving.mac.folder], START + 4 * DAY).unwrap().lost.is_empty());
    for (name, code) in [("new", 3), ("knows", 0)] {
        let told = giving.taken(name, code);
        assert_eq!(told.contains("(C)") && told.contains("damaged there for good"), name == "new", "{told}");
        giving.taken(name, 0);
        let verified = giving.program.run(&["verify", name]).with_code(0).out;
        assert_eq!(verified.contains("shown as it lies there, damaged"), name == "new", "{verified}");
        giving.program.run(&["verify", name, "--deep"]).with_code(0);
    }
    let is_damaged = |of: &str, code: i32| -> (Value, bool) {
        let out = format!("{of}-out");
        let arguments = ["export", "-s", of, "-f", "jsonl", "-o", &out, "--contacts", "none"];
        giving.program.run(&arguments).with_code(code);
        let messages = messages(&giving.at(&out));
        let (_, message) = messages.iter().find(|(_, message)| message["guid"] == "C").unwrap();
        (message["text"].clone(), !message["damaged"].is_null())
    };
    assert_eq!(is_damaged("giving", 3), ("forged".into(), true));
    assert_eq!(is_damaged("new", 3), ("forged".into(), true));
    assert_eq!(is_damaged("knows", 0), ("C".into(), false));
    let told = giving.program.run(&["history", "new", "--message", "C", "--json"]).with_code(0).out;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["versions"][0]["what"], "damaged", "{told}");
}
