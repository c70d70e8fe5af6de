//! What happens to few messages of a device, as `messages-format.md` 13 tells it: another service, failures, Send Later, audio that
//! expires, parts that are deleted alone; and a system that is newer.

use rusqlite::{OptionalExtension, params};

use super::device::Device;
use crate::support::typedstream::AttributedString;

impl Device {
    /// An iMessage is sent as a text message after all.
    pub fn fall_back(&self, guid: &str) {
        self.run("UPDATE message SET service = 'SMS', was_downgraded = 1 WHERE guid = ?1", [guid]);
    }

    /// A message could not be sent.
    pub fn fail(&self, guid: &str, error: i64) {
        self.run("UPDATE message SET error = ?2 WHERE guid = ?1", params![guid, error]);
    }

    /// One that could not is sent once more: its date is another one.
    pub fn send_again(&self, guid: &str, at: i64) {
        let date = at * 1_000_000_000;
        let sent = "UPDATE message SET error = 0, date = ?2 WHERE guid = ?1 AND error <> 0";
        if self.db.execute(sent, params![guid, date]).unwrap() > 0 {
            self.follow_date(guid);
        }
    }

    /// A message that waits for its hour, which is its date.
    pub fn schedule(&mut self, guid: &str, chat: usize, at: i64, text: &str) {
        self.receive(guid, chat, at, text);
        self.run(
            "UPDATE message SET is_from_me = 1, schedule_type = 2, schedule_state = 1 WHERE guid = ?1",
            [guid],
        );
    }

    fn first_scheduled(&self) -> Option<String> {
        let first = "SELECT m.guid FROM message m JOIN chat_message_join j ON j.message_id = m.ROWID \
             WHERE schedule_type = 2 AND schedule_state = 1 ORDER BY m.guid LIMIT 1";
        self.db.query_row(first, [], |row| row.get(0)).optional().unwrap()
    }

    /// The first of them is sent, at once.
    pub fn send_scheduled(&self, at: i64) {
        if let Some(guid) = self.first_scheduled() {
            self.run(
                "UPDATE message SET schedule_state = 2, is_sent = 1, date = ?2 WHERE guid = ?1",
                params![guid, at * 1_000_000_000],
            );
            self.follow_date(&guid);
        }
    }

    /// The first of them is taken back before it was sent.
    pub fn cancel_scheduled(&mut self) {
        if let Some(guid) = self.first_scheduled() {
            self.run("INSERT INTO scheduled_messages_pending_cloudkit_delete (guid) VALUES (?1)", [&guid]);
            self.remove(&guid, false, "deleted");
        }
    }

    fn follow_date(&self, guid: &str) {
        self.run(
            "UPDATE chat_message_join SET message_date = (SELECT date FROM message WHERE guid = ?1) \
             WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
            [guid],
        );
    }

    /// An audio message is heard, and its recording goes.
    pub fn expire(&self, guid: &str) {
        self.run("UPDATE message SET is_expirable = 1, expire_state = 1 WHERE guid = ?1", [guid]);
        if self.picture(guid, "a.png").exists() {
            self.purge(guid, "a.png");
        }
    }

    /// A part of a message goes to Recently Deleted.
    pub fn delete_part(&self, guid: &str, part: i64, at: i64) {
        let text = format!("a part of {guid}");
        self.run(
            "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text) \
             SELECT chat_id, message_id, ?2, ?3, ?4 FROM chat_message_join j \
             WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1) AND NOT EXISTS \
               (SELECT 1 FROM recoverable_message_part p WHERE p.message_id = j.message_id AND p.part_index = ?2)",
            params![guid, part, at * 1_000_000_000, AttributedString::plain(&text).encode()],
        );
    }

    /// It comes back from there.
    pub fn restore_part(&self, guid: &str, part: i64) {
        self.run(
            "DELETE FROM recoverable_message_part WHERE part_index = ?2 \
             AND message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
            params![guid, part],
        );
    }

    /// A conversation is one of unknown senders or junk, or is not.
    pub fn filter(&self, chat: usize, filter: i64) {
        self.run("UPDATE chat SET is_filtered = ?2 WHERE ROWID = ?1", params![self.chats[chat], filter]);
    }

    /// A newer system: further columns, and other GUIDs of the conversations with one person.
    pub fn be_upgraded(&self) {
        self.db
            .execute_batch(
                "ALTER TABLE message ADD COLUMN of_a_later_system INTEGER DEFAULT 0;
                 ALTER TABLE chat ADD COLUMN of_a_later_system TEXT;
                 ALTER TABLE attachment ADD COLUMN of_a_later_system INTEGER;
                 UPDATE chat SET guid = 'any' || substr(guid, 9) WHERE guid LIKE 'iMessage;-;%';",
            )
            .unwrap();
    }
}
