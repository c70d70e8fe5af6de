//! A device that is not what it was: restored, so that every row has another id; messages that come back to it.

use std::collections::BTreeSet;

use rusqlite::params;

use super::device::Device;
use super::seen::pairs;

const LISTED: &str = "SELECT guid, '' FROM deleted_messages UNION SELECT guid, '' FROM scheduled_messages_pending_cloudkit_delete";

/// What is the same wherever a message is.
const COLUMNS: &str = "guid, text, handle_id, service, date, is_finished, date_edited, date_read, is_read, date_retracted, \
     associated_message_guid, associated_message_type, associated_message_emoji, thread_originator_guid, \
     thread_originator_part, item_type, group_title, group_action_type, other_handle, is_from_me, error, was_downgraded, \
     is_sent, is_expirable, expire_state";

impl Device {
    /// A message that was deleted for good comes back from another device.
    pub fn take_back(&mut self, from: &Device, guid: &str) {
        let Some(chat) = from.has.get(guid).copied() else { return };
        let has_chat: bool = self
            .db
            .query_row("SELECT EXISTS (SELECT 1 FROM chat WHERE ROWID = ?1)", [self.chats[chat]], |row| {
                row.get(0)
            })
            .unwrap();
        if self.has.contains_key(guid) || from.in_recently_deleted.contains(guid) || !has_chat {
            return;
        }
        let other = from.db.path().unwrap();
        self.run("ATTACH ?1 AS other", [other]);
        self.run(
            &format!("INSERT INTO message ({COLUMNS}) SELECT {COLUMNS} FROM other.message WHERE guid = ?1"),
            [guid],
        );
        self.run("DETACH other", []);
        self.run(
            "INSERT INTO chat_message_join (chat_id, message_id, message_date) \
             SELECT ?1, ROWID, date FROM message WHERE guid = ?2",
            params![self.chats[chat], guid],
        );
        for list in ["deleted_messages", "scheduled_messages_pending_cloudkit_delete"] {
            self.run(&format!("DELETE FROM {list} WHERE guid = ?1"), [guid]);
        }
        self.has.insert(guid.to_owned(), chat);
        self.lost.remove(guid);
    }

    /// The device is restored from a backup: all is there, under other row ids. What it was before is no device any more,
    /// and what that had lost the new one never had; but what was deleted since the last night, and is listed.
    pub fn be_restored(&mut self) {
        self.db
            .execute_batch(
                "PRAGMA foreign_keys = OFF;
                 CREATE TEMP TABLE moved AS SELECT ROWID AS was, row_number() OVER (ORDER BY guid) AS now FROM message;
                 CREATE UNIQUE INDEX temp.moved_was ON moved (was);
                 UPDATE message SET ROWID = -ROWID;
                 UPDATE message SET ROWID = (SELECT now FROM moved WHERE was = -message.ROWID);
                 UPDATE sqlite_sequence SET seq = (SELECT max(ROWID) FROM message) WHERE name = 'message';",
            )
            .unwrap();
        for join in [
            "chat_message_join",
            "chat_recoverable_message_join",
            "message_attachment_join",
            "recoverable_message_part",
        ] {
            let moved = format!(
                "UPDATE {join} SET message_id = -message_id;
                 UPDATE {join} SET message_id = (SELECT now FROM moved WHERE was = -{join}.message_id);"
            );
            self.db.execute_batch(&moved).unwrap();
        }
        self.db.execute_batch("DROP TABLE moved").unwrap();
        let listed: BTreeSet<String> = pairs(&self.db, LISTED).into_iter().map(|(guid, _)| guid).collect();
        // That one was in Recently Deleted is told of what the device was before.
        self.lost.retain(|guid, reason| {
            listed.contains(guid) && !self.lost_at_night.contains(guid) && *reason != "recently_deleted"
        });
        self.lost.extend(self.in_recently_deleted.iter().map(|guid| (guid.clone(), "recently_deleted")));
        self.archived.clear();
        self.hidden_at_night.clear();
    }
}
