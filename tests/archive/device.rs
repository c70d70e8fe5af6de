//! A device whose library lives on from night to night, and what an archive of it has to know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::support::chatdb::{APPLE_EPOCH, mix};
use crate::support::{Library, Schema};

pub const DAY: i64 = 86_400;

/// A device: a folder with a library in it.
pub struct Device {
    pub folder: PathBuf,
    pub db: Connection,
    pub schema: Schema,
    /// The row ids of its chats.
    pub chats: [i64; 4],
    /// Messages it has: GUID → chat.
    pub has: BTreeMap<String, usize>,
    pub in_recently_deleted: BTreeSet<String>,
    /// Messages that it had at some night: only those can be missed.
    pub archived: BTreeSet<String>,
    /// Messages that were in Recently Deleted at the last night.
    pub hidden_at_night: BTreeSet<String>,
    /// Why it lost messages.
    pub lost: BTreeMap<String, &'static str>,
    /// Messages that it had lost by the last night.
    pub lost_at_night: BTreeSet<String>,
    /// Tapbacks that went since the last night, without anything that says why: GUID, date, what they were to.
    unexplained: Vec<(String, i64, String)>,
}

impl Device {
    /// A library with two people and two groups in it, and no messages.
    pub fn new(folder: &Path, schema: Schema) -> Device {
        let mut library = Library::new(schema);
        let ana = library.handle("+12025550143", "iMessage");
        let bo = library.handle("bo@example.com", "iMessage");
        library.direct(ana);
        library.direct(bo);
        library.group(&[ana, bo], "Harbor");
        library.handle("cy@example.com", "iMessage");
        library.handle("+12025550144", "iMessage");
        library.group(&[ana, bo], "Boat");
        let path = library.write(folder);
        let db = Connection::open(path).unwrap();
        db.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").unwrap();
        Device {
            folder: folder.to_owned(),
            db,
            schema,
            chats: [1, 2, 3, 4],
            has: BTreeMap::new(),
            in_recently_deleted: BTreeSet::new(),
            archived: BTreeSet::new(),
            hidden_at_night: BTreeSet::new(),
            lost: BTreeMap::new(),
            lost_at_night: BTreeSet::new(),
            unexplained: Vec::new(),
        }
    }

    pub fn run(&self, sql: &str, values: impl rusqlite::Params) {
        self.db.execute(sql, values).unwrap();
    }

    /// A message comes in; `at` in seconds since 2001.
    pub fn receive(&mut self, guid: &str, chat: usize, at: i64, text: &str) {
        let date = at * 1_000_000_000;
        self.run(
            "INSERT INTO message (guid, text, handle_id, service, date, is_finished) VALUES (?1, ?2, ?3, 'iMessage', ?4, 1)",
            params![guid, text, chat as i64 % 2 + 1, date],
        );
        self.run(
            "INSERT INTO chat_message_join (chat_id, message_id, message_date) \
             SELECT ?1, ROWID, date FROM message WHERE guid = ?2",
            params![self.chats[chat], guid],
        );
        self.has.insert(guid.to_owned(), chat);
    }

    pub fn edit(&self, guid: &str, at: i64, text: &str) {
        self.run(
            "UPDATE message SET text = ?2, date_edited = ?3 WHERE guid = ?1",
            params![guid, text, at * 1_000_000_000],
        );
    }

    pub fn unsend(&self, guid: &str, at: i64) {
        self.run(
            "UPDATE message SET text = NULL, date_edited = ?2, date_retracted = ?2 WHERE guid = ?1",
            params![guid, at * 1_000_000_000],
        );
    }

    pub fn read(&self, guid: &str, at: i64) {
        self.run(
            "UPDATE message SET date_read = ?2, is_read = 1 WHERE guid = ?1",
            params![guid, at * 1_000_000_000],
        );
    }

    pub fn recently_delete(&mut self, guid: &str, at: i64) {
        self.run(
            "INSERT INTO chat_recoverable_message_join (chat_id, message_id, delete_date) \
             SELECT chat_id, message_id, ?2 FROM chat_message_join \
             WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
            params![guid, at * 1_000_000_000],
        );
        self.run(
            "DELETE FROM chat_message_join WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
            [guid],
        );
        self.in_recently_deleted.insert(guid.to_owned());
        self.lost.insert(guid.to_owned(), "recently_deleted");
    }

    pub fn restore(&mut self, guid: &str) {
        self.run(
            "INSERT INTO chat_message_join (chat_id, message_id, message_date) \
             SELECT j.chat_id, m.ROWID, m.date FROM chat_recoverable_message_join j \
             JOIN message m ON m.ROWID = j.message_id WHERE m.guid = ?1",
            [guid],
        );
        self.run(
            "DELETE FROM chat_recoverable_message_join WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)",
            [guid],
        );
        self.in_recently_deleted.remove(guid);
        self.lost.remove(guid);
    }

    /// The row goes; `listed` as Apple's triggers list it.
    pub fn remove(&mut self, guid: &str, listed: bool, reason: &'static str) {
        if reason == "unexplained" {
            let of = |row: &Row<'_>| Ok((guid.to_owned(), row.get(0)?, row.get(1)?));
            let tapback = "SELECT date, associated_message_guid FROM message WHERE guid = ?1 AND associated_message_type >= 2000";
            self.unexplained.extend(self.db.query_row(tapback, [guid], of).optional().unwrap());
        }
        for table in [
            "chat_message_join",
            "chat_recoverable_message_join",
            "message_attachment_join",
            "recoverable_message_part",
        ] {
            self.run(
                &format!(
                    "DELETE FROM {table} WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?1)"
                ),
                [guid],
            );
        }
        self.run("DELETE FROM message WHERE guid = ?1", [guid]);
        if listed {
            self.run("INSERT INTO deleted_messages (guid) VALUES (?1)", [guid]);
        }
        self.has.remove(guid);
        self.in_recently_deleted.remove(guid);
        if !self.archived.contains(guid) {
            self.lost.remove(guid);
        } else {
            // What becomes of it between two nights nobody sees: not that it was in Recently Deleted, nor that it came
            // back from there.
            let seen = self.hidden_at_night.contains(guid);
            self.lost.insert(guid.to_owned(), if seen { "recently_deleted" } else { reason });
        }
    }

    /// A conversation is deleted, with all that is in it.
    pub fn delete_conversation(&mut self, chat: usize) {
        let guids: Vec<String> =
            self.has.iter().filter(|(_, of)| **of == chat).map(|(g, _)| g.clone()).collect();
        for guid in guids {
            self.remove(&guid, true, "conversation_deleted");
        }
        let chat = self.chats[chat];
        self.run("INSERT INTO sync_deleted_chats (guid) SELECT guid FROM chat WHERE ROWID = ?1", [chat]);
        self.run("DELETE FROM chat WHERE ROWID = ?1", [chat]);
        self.run("DELETE FROM chat_handle_join WHERE chat_id = ?1", [chat]);
    }

    /// The archive has seen what there is. Where there is a later tapback, that is why the one before it is gone.
    pub fn is_archived(&mut self) {
        for (guid, date, to) in std::mem::take(&mut self.unexplained) {
            let sql =
                "SELECT EXISTS (SELECT 1 FROM message WHERE associated_message_guid = ?1 AND date >= ?2)";
            let is_replaced: bool = self.db.query_row(sql, params![to, date], |row| row.get(0)).unwrap();
            match self.lost.get_mut(&guid) {
                Some(reason) if is_replaced && *reason == "unexplained" => *reason = "deleted",
                _ => {}
            }
        }
        self.archived.extend(self.has.keys().cloned());
        self.hidden_at_night.clone_from(&self.in_recently_deleted);
        self.lost_at_night = self.lost.keys().cloned().collect();
    }
}

/// A random number below `n`.
pub fn below(seed: &mut u64, n: usize) -> usize {
    *seed += 1;
    (mix(*seed) % n as u64) as usize
}

/// Seconds since 2001 → an instant.
pub fn instant(seconds: i64) -> msgarchive::model::Instant {
    msgarchive::model::Instant::from_timestamp(seconds + APPLE_EPOCH, 0).unwrap()
}
