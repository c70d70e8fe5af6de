//! Rows that Messages keeps of a conversation that is deleted, in no chat: nobody sees them there any more.

use serde_json::Value;

use super::device::{DAY, Device};
use super::fed::{Fed, START};
use crate::support::Schema;

const DELETED: &str =
    "guid || ' ' || reason FROM msgarchive_deleted d JOIN message m ON m.ROWID = d.message ORDER BY 1";
const ABSENCES: &str = "guid || ' ' || reason || iif(gone IS NULL, '', ' gone') || iif(returned IS NULL, '', ' returned') \
    FROM msgarchive_absence a JOIN message m ON m.ROWID = a.message ORDER BY a.rowid";

/// A and B with Ana, and C with Bo; a night has seen them.
fn fed() -> Fed {
    let mut fed = Fed::of_device(|folder| Device::new(folder, Schema::MACOS_26));
    for (guid, chat) in [("A", 0), ("B", 0), ("C", 1)] {
        fed.mac.receive(guid, chat, START, guid);
    }
    fed.night();
    fed
}

/// The conversation is deleted; the rows of its messages stay.
fn delete_chat(mac: &Device, chat: usize) {
    let chat = mac.chats[chat];
    for sql in [
        "DELETE FROM chat_message_join WHERE chat_id = ?1",
        "DELETE FROM chat_handle_join WHERE chat_id = ?1",
        "DELETE FROM chat WHERE ROWID = ?1",
    ] {
        mac.run(sql, [chat]);
    }
}

fn absent(record: &msgarchive::archive::RunRecord, reason: &str) -> Value {
    serde_json::from_str::<Value>(&record.text).unwrap()["absent"][reason].clone()
}

#[test]
fn what_a_deleted_conversation_leaves_is_gone_with_it() {
    let mut fed = fed();
    delete_chat(&fed.mac, 0);
    assert_eq!(absent(&fed.night(), "conversation_deleted"), 2);
    let deleted = ["A conversation_deleted", "B conversation_deleted"];
    assert_eq!(fed.texts(DELETED), deleted);
    // Something becomes of the rows, and one goes after all.
    fed.mac.read("A", START + 2 * DAY);
    fed.mac.remove("B", true, "deleted");
    assert_eq!(absent(&fed.night(), "conversation_deleted"), 0);
    assert_eq!(fed.texts(DELETED), deleted);
    assert_eq!(fed.texts(ABSENCES), ["A conversation_deleted", "B conversation_deleted gone"]);
    // The conversation comes again, with one of them.
    fed.mac.run(
        "INSERT INTO chat (ROWID, guid, style, chat_identifier, service_name) \
         VALUES (?1, 'iMessage;-;+12025550143', 45, '+12025550143', 'iMessage')",
        [40],
    );
    fed.mac.run(
        "INSERT INTO chat_message_join (chat_id, message_id, message_date) \
         SELECT 40, ROWID, date FROM message WHERE guid = ?1",
        ["A"],
    );
    fed.night();
    assert_eq!(fed.texts(DELETED), ["B conversation_deleted"]);
}

/// What was noted of it is damaged: the sums of the archive tell it, or else the source.
#[test]
fn that_it_is_gone_is_found_again() {
    for sql in
        ["DELETE FROM msgarchive_absence", "UPDATE msgarchive_absence SET reason = 'no reason', run = 99"]
    {
        let mut fed = fed();
        delete_chat(&fed.mac, 0);
        fed.night();
        let db = rusqlite::Connection::open(fed.archive().join("chat.db")).unwrap();
        db.execute(sql, []).unwrap();
        drop(db);
        assert_ne!(msgarchive::archive::check(&fed.archive(), false, 1, &()).unwrap().problems, []);
        fed.night();
        assert_eq!(fed.texts(DELETED), ["A conversation_deleted", "B conversation_deleted"], "{sql}");
    }
}

/// Begun anew on the day on which it was deleted.
#[test]
fn a_conversation_that_was_begun_anew_does_not_bring_back_what_the_former_one_left() {
    let mut fed = fed();
    let (guid, day) = (fed.texts("guid FROM chat WHERE ROWID = 1").remove(0), START + DAY);
    delete_chat(&fed.mac, 0);
    fed.mac.run(
        "INSERT INTO sync_deleted_chats (guid, timestamp) VALUES (?1, ?2)",
        rusqlite::params![guid, day * 1_000_000_000],
    );
    fed.mac.run(
        "INSERT INTO chat (ROWID, guid, style, chat_identifier, service_name) \
         VALUES (?1, ?2, 45, '+12025550143', 'iMessage')",
        rusqlite::params![40, guid],
    );
    fed.mac.chats[0] = 40;
    fed.mac.receive("D", 0, day + 60, "D");
    assert_eq!(absent(&fed.night(), "conversation_deleted"), 2);
    assert_eq!(fed.texts(DELETED), ["A conversation_deleted", "B conversation_deleted"]);
}

/// Thousands of rows in no chat are normal. Another device has them in one; what the first one does with them, and with
/// other chats, deletes none.
#[test]
fn what_was_never_in_a_chat_is_not_gone() {
    let mut fed = fed();
    fed.mac.run(
        "DELETE FROM chat_message_join WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
        ["C"],
    );
    let mac = fed.mac.folder.clone();
    let mut phone = Device::new(&fed.folder.path().join("phone"), Schema::MACOS_26);
    phone.receive("E", 2, START, "E");
    fed.mac.receive("E", 2, START, "E");
    fed.mac.run(
        "DELETE FROM chat_message_join WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
        ["E"],
    );
    fed.of(&[&mac, &phone.folder]);
    fed.mac.read("E", START + 2 * DAY);
    fed.mac.read("C", START + 2 * DAY);
    delete_chat(&fed.mac, 0);
    assert_eq!(absent(&fed.of(&[&mac, &phone.folder]), "conversation_deleted"), 2);
    assert_eq!(fed.texts(DELETED), ["A conversation_deleted", "B conversation_deleted"]);
}

#[test]
fn what_recently_deleted_leaves_is_gone_from_there() {
    let mut fed = fed();
    fed.mac.recently_delete("A", START + DAY);
    fed.night();
    fed.mac.run("DELETE FROM chat_recoverable_message_join WHERE chat_id = ?1", [1]);
    fed.night();
    assert_eq!(fed.texts(ABSENCES), ["A recently_deleted gone"]);
    assert_eq!(fed.texts(DELETED), ["A recently_deleted"]);
}

/// It came late, or was restored, into a conversation that had been deleted before: what is deleted there by itself is not
/// deleted with it.
#[test]
fn a_conversation_that_was_deleted_before_is_not_why_one_message_goes() {
    let mut fed = fed();
    let (guid, day) = (fed.texts("guid FROM chat WHERE ROWID = 1").remove(0), START + DAY);
    fed.mac.run(
        "INSERT INTO sync_deleted_chats (guid, timestamp) VALUES (?1, ?2)",
        rusqlite::params![guid, day * 1_000_000_000],
    );
    fed.night();
    fed.mac.receive("D", 1, day + 60, "D");
    fed.mac.remove("A", true, "deleted");
    fed.night();
    assert_eq!(fed.texts(DELETED), ["A deleted"]);
}
