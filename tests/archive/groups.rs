//! What happens to the conversations of a device: tapbacks, replies, names, members, photos; and that they are made anew.

use rusqlite::{OptionalExtension, params};

use super::device::Device;

impl Device {
    /// A reply in the thread of another message.
    pub fn reply(&mut self, guid: &str, to: &str, at: i64, text: &str) {
        let Some(chat) = self.has.get(to).copied() else { return };
        self.receive(guid, chat, at, text);
        self.run(
            "UPDATE message SET thread_originator_guid = ?2, thread_originator_part = '0:0:5' WHERE guid = ?1",
            [guid, to],
        );
    }

    /// Somebody reacts to a message; the reaction before it of the same person is replaced, as Apple replaces it.
    pub fn tapback(&mut self, guid: &str, to: &str, kind: i64, at: i64) {
        let Some(chat) = self.has.get(to).copied() else { return };
        let before: Option<String> = self
            .db
            .query_row("SELECT guid FROM message WHERE associated_message_guid = 'p:0/' || ?1", [to], |row| {
                row.get(0)
            })
            .optional()
            .unwrap();
        if let Some(before) = before {
            self.remove(&before, false, "unexplained");
        }
        self.receive(guid, chat, at, "Loved “…”");
        let emoji = (kind % 1000 == 6).then_some("🦆");
        self.run(
            "UPDATE message SET associated_message_guid = 'p:0/' || ?2, associated_message_type = ?3, \
             associated_message_emoji = ?4 WHERE guid = ?1",
            params![guid, to, kind, emoji],
        );
    }

    /// What the conversation says of a change of it.
    fn announce(&mut self, guid: &str, chat: usize, at: i64, announced: [&dyn rusqlite::ToSql; 4]) {
        self.receive(guid, chat, at, "");
        let [item, action, title, other] = announced;
        self.run(
            "UPDATE message SET text = NULL, item_type = ?2, group_action_type = ?3, group_title = ?4, \
             other_handle = ?5 WHERE guid = ?1",
            params![guid, item, action, title, other],
        );
    }

    pub fn rename(&mut self, guid: &str, chat: usize, at: i64, name: &str) {
        self.announce(guid, chat, at, [&2, &0, &name, &0]);
        self.run("UPDATE chat SET display_name = ?2 WHERE ROWID = ?1", params![self.chats[chat], name]);
    }

    pub fn join(&mut self, guid: &str, chat: usize, at: i64, handle: i64) {
        self.announce(guid, chat, at, [&1, &0, &None::<String>, &handle]);
        self.run(
            "INSERT OR IGNORE INTO chat_handle_join (chat_id, handle_id) VALUES (?1, ?2)",
            [self.chats[chat], handle],
        );
    }

    pub fn leave(&mut self, guid: &str, chat: usize, at: i64, handle: i64) {
        self.announce(guid, chat, at, [&1, &1, &None::<String>, &handle]);
        self.run(
            "DELETE FROM chat_handle_join WHERE chat_id = ?1 AND handle_id = ?2",
            [self.chats[chat], handle],
        );
    }

    /// The group gets a photo, which is an attachment of the announcement.
    pub fn photograph(&mut self, guid: &str, chat: usize, at: i64, bytes: &[u8]) {
        self.announce(guid, chat, at, [&3, &1, &None::<String>, &0]);
        self.attach(guid, "GroupPhotoImage");
        self.download(guid, "GroupPhotoImage", bytes);
        let mut properties = plist::Dictionary::new();
        properties.insert("groupPhotoGuid".into(), format!("at_0_{guid}").into());
        let mut list = Vec::new();
        plist::Value::Dictionary(properties).to_writer_binary(&mut list).unwrap();
        self.run("UPDATE chat SET properties = ?2 WHERE ROWID = ?1", params![self.chats[chat], list]);
    }

    /// A conversation gets another row, and another GUID, as when it is restored or made anew by a later system: its
    /// messages are in that one.
    pub fn make_anew(&mut self, chat: usize, guid: &str) {
        let before = self.chats[chat];
        let now = before + 100;
        for sql in [
            "PRAGMA foreign_keys = OFF",
            "UPDATE chat SET ROWID = ?2 WHERE ROWID = ?1",
            "UPDATE chat_handle_join SET chat_id = ?2 WHERE chat_id = ?1",
            "UPDATE chat_message_join SET chat_id = ?2 WHERE chat_id = ?1",
            "UPDATE chat_recoverable_message_join SET chat_id = ?2 WHERE chat_id = ?1",
            "UPDATE recoverable_message_part SET chat_id = ?2 WHERE chat_id = ?1",
        ] {
            let sql = sql.replace("?1", &before.to_string()).replace("?2", &now.to_string());
            self.db.execute_batch(&sql).unwrap();
        }
        self.run("UPDATE chat SET guid = ?2 WHERE ROWID = ?1", params![now, guid]);
        self.chats[chat] = now;
    }
}
