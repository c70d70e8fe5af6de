//! What a row names, and its source has only a night later: whoever sent a message, its chat, what it carries.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::device::Device;
use super::fed::{Fed, START};
use crate::support::Schema;

/// A device with a message that names what is not there yet.
fn fed() -> Fed {
    let mut fed = Fed::of_device(device);
    for number in 0..5 {
        fed.mac.receive(&format!("O{number}"), 0, START + 10 + number, "another one");
    }
    fed
}

impl Fed {
    /// All that is shown of message A: its sender, its chats, its attachments.
    fn shown_of_it(&self) -> [Vec<Option<String>>; 3] {
        let db = Connection::open(self.archive().join("chat.db")).unwrap();
        let of = |sql: &str| {
            let mut of = db.prepare(&format!("{sql} WHERE m.guid = 'A' ORDER BY 1")).unwrap();
            let texts = of.query_map([], |row| row.get(0)).unwrap();
            texts.map(Result::unwrap).collect()
        };
        [
            of("SELECT h.id FROM message m LEFT JOIN handle h ON h.ROWID = m.handle_id"),
            of("SELECT c.guid FROM message m JOIN chat_message_join j ON j.message_id = m.ROWID \
                LEFT JOIN chat c ON c.ROWID = j.chat_id"),
            of("SELECT a.guid FROM message m JOIN message_attachment_join j ON j.message_id = m.ROWID \
                LEFT JOIN attachment a ON a.ROWID = j.attachment_id"),
        ]
    }
}

fn device(folder: &Path) -> Device {
    let mut mac = Device::new(folder, Schema::MACOS_26);
    mac.db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    mac.receive("A", 0, START, "who am I?");
    mac.run("UPDATE message SET handle_id = 77 WHERE guid = 'A'", []);
    mac.run("UPDATE chat_message_join SET chat_id = 78", []);
    mac.run(
        "INSERT INTO message_attachment_join (message_id, attachment_id) SELECT ROWID, 79 FROM message",
        [],
    );
    mac
}

fn handle(mac: &Device) {
    mac.run("INSERT INTO handle (ROWID, id, service) VALUES (77, '+12025550177', 'iMessage')", []);
}

fn chat(mac: &Device) {
    mac.run(
        "INSERT INTO chat (ROWID, guid, style, chat_identifier, service_name) \
         VALUES (78, 'iMessage;-;+12025550177', 45, '+12025550177', 'iMessage')",
        [],
    );
}

fn attachment(mac: &Device) {
    mac.run(
        "INSERT INTO attachment (ROWID, guid, original_guid, filename, ck_sync_state) VALUES (79, 'at_0_A', 'at_0_A', 'a', 1)",
        [],
    );
}

fn some(text: &str) -> Vec<Option<String>> {
    vec![Some(text.into())]
}

#[test]
fn it_is_known_once_it_is_there() {
    let mut fed = fed();
    fed.night();
    let nobody = vec![None];
    assert_eq!(fed.shown_of_it(), [nobody.clone(), nobody.clone(), nobody.clone()]);
    assert_eq!(fed.night().counts.changed, 0);
    handle(&fed.mac);
    let record = fed.night();
    assert_eq!((record.counts.added, record.counts.changed), (0, 1));
    assert_eq!(fed.shown_of_it(), [some("+12025550177"), nobody.clone(), nobody.clone()]);
    chat(&fed.mac);
    assert_eq!(fed.night().counts.changed, 0);
    assert_eq!(fed.shown_of_it(), [some("+12025550177"), some("iMessage;-;+12025550177"), nobody]);
    attachment(&fed.mac);
    fed.night();
    let all = [some("+12025550177"), some("iMessage;-;+12025550177"), some("at_0_A")];
    assert_eq!(fed.shown_of_it(), all);
    let record = fed.night();
    assert_eq!((record.counts.added, record.counts.changed), (0, 0));
    assert_eq!(fed.shown_of_it(), all);
}

/// All of it in one night; and a message in Recently Deleted, which is in no chat but was in one.
#[test]
fn all_at_once() {
    let mut fed = fed();
    fed.mac.run(
        "INSERT INTO chat_recoverable_message_join (chat_id, message_id, delete_date) SELECT 78, ROWID, 700000100000000000 \
         FROM message WHERE guid = 'A'",
        [],
    );
    fed.mac.run("DELETE FROM chat_message_join WHERE chat_id = 78", []);
    fed.night();
    handle(&fed.mac);
    chat(&fed.mac);
    attachment(&fed.mac);
    fed.night();
    assert_eq!(fed.shown_of_it(), [some("+12025550177"), some("iMessage;-;+12025550177"), some("at_0_A")]);
}

/// Another source knew it from the first; whatever is read first.
#[test]
fn another_source_knows_it() {
    for reversed in [false, true] {
        for one_by_one in [false, true] {
            let mut fed = fed();
            let phone = device(&fed.folder.path().join("phone"));
            handle(&phone);
            let mut sources = [fed.mac.folder.clone(), phone.folder.clone()];
            if reversed {
                sources.reverse();
            }
            let [one, other] = &sources;
            for sources in if one_by_one { vec![vec![one], vec![other]] } else { vec![vec![one, other]] } {
                let sources: Vec<&Path> = sources.into_iter().map(PathBuf::as_path).collect();
                fed.of(&sources);
            }
            let [sender, ..] = fed.shown_of_it();
            assert_eq!(sender, some("+12025550177"), "reversed: {reversed}, one by one: {one_by_one}");
        }
    }
}
