//! What anybody could ever see on some devices, kept by looking at them every night; and whether an archive has all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

use super::device::Device;

/// What people see of a message, as text.
pub const MESSAGE: &str = "quote(text) || ' ' || ifnull(date_edited, 0) || ' ' || ifnull(date_read, 0) || ' ' || \
     ifnull(date_retracted, 0) || ' ' || quote(nullif(associated_message_guid, '')) || ' ' || \
     ifnull(associated_message_type, 0) || ' ' || quote(associated_message_emoji) || ' ' || \
     quote(thread_originator_guid) || ' ' || ifnull(item_type, 0) || ' ' || quote(group_title) || ' ' || \
     ifnull(group_action_type, 0) || ' ' || ifnull(error, 0) || ' ' || date || ' ' || service || ' ' || \
     ifnull(was_downgraded, 0) || ' ' || ifnull(schedule_state, 0) || ' ' || ifnull(expire_state, 0)";
/// Of a conversation.
pub const CHAT: &str = "quote(display_name) || ' ' || quote(properties) || ' ' || ifnull(is_filtered, 0)";
/// Of an attachment.
pub const ATTACHMENT: &str =
    "quote(transfer_name) || ' ' || ifnull(total_bytes, 0) || ' ' || quote(mime_type)";

type States = BTreeMap<String, BTreeSet<String>>;
/// What a source lost, and why.
pub type Lost = BTreeMap<String, &'static str>;
type Pairs = BTreeSet<(String, String)>;

/// What anybody could ever see.
#[derive(Default)]
pub struct Seen {
    messages: States,
    chats: States,
    attachments: States,
    /// The bytes of attachments.
    contents: BTreeMap<String, BTreeSet<Vec<u8>>>,
    /// Chat → address.
    members: Pairs,
    /// Message → attachment.
    carried: Pairs,
    /// Message → chat.
    places: Pairs,
    /// Message → a part of it that was deleted alone.
    parts: Pairs,
}

pub fn pairs(db: &Connection, sql: &str) -> Vec<(String, String)> {
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

pub fn shown(db: &Connection, table: &str, state: &str) -> BTreeMap<String, String> {
    pairs(db, &format!("SELECT guid, {state} FROM {table}")).into_iter().collect()
}

pub const MEMBERS: &str = "SELECT c.guid, h.id FROM chat_handle_join j JOIN chat c ON c.ROWID = j.chat_id \
     JOIN handle h ON h.ROWID = j.handle_id";
const CARRIED: &str = "SELECT m.guid, a.guid FROM message_attachment_join j JOIN message m ON m.ROWID = j.message_id \
     JOIN attachment a ON a.ROWID = j.attachment_id";
/// A conversation with one person is the same under the GUID that a later system gave it.
const PLACES: &str = "SELECT m.guid, replace(c.guid, 'iMessage;-;', 'any;-;') FROM chat_message_join j JOIN message m ON m.ROWID = j.message_id \
     JOIN chat c ON c.ROWID = j.chat_id";
const PARTS: &str = "SELECT m.guid, p.part_index || ' ' || quote(p.part_text) FROM recoverable_message_part p \
     JOIN message m ON m.ROWID = p.message_id";
const FORMERLY_MEMBERS: &str = "SELECT c.guid, h.id FROM msgarchive_participant j JOIN chat c ON c.ROWID = j.chat \
     JOIN handle h ON h.ROWID = j.handle";

/// All rows of all tables, but what is noted of the runs.
pub fn all_rows(archive: &Path) -> Vec<String> {
    let db = Connection::open(archive.join("chat.db")).unwrap();
    let tables = "SELECT name, '' FROM sqlite_master WHERE type = 'table' AND name NOT IN \
         ('msgarchive_run', 'msgarchive_sum', 'msgarchive_source', 'sqlite_stat1', 'sqlite_sequence') ORDER BY name";
    let mut all = Vec::new();
    for (table, _) in pairs(&db, tables) {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> =
                (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            all.push(format!("{table} {}", values.join(" ")));
        }
    }
    all
}

impl Seen {
    /// Looks at all that a device has now.
    pub fn look(&mut self, device: &Device) {
        let db = &device.db;
        for (states, table, state) in [
            (&mut self.messages, "message", MESSAGE),
            (&mut self.chats, "chat", CHAT),
            (&mut self.attachments, "attachment", ATTACHMENT),
        ] {
            for (guid, state) in shown(db, table, state) {
                states.entry(guid).or_default().insert(state);
            }
        }
        self.members.extend(pairs(db, MEMBERS));
        self.carried.extend(pairs(db, CARRIED));
        self.places.extend(pairs(db, PLACES));
        self.parts.extend(pairs(db, PARTS));
        self.places.extend(pairs(db, &PLACES.replace("chat_message_join", "chat_recoverable_message_join")));
        for (guid, filename) in pairs(db, "SELECT guid, filename FROM attachment") {
            let (_, below) = filename.split_once("/Attachments/").unwrap();
            if let Ok(bytes) = std::fs::read(device.folder.join("Attachments").join(below)) {
                self.contents.entry(guid).or_default().insert(bytes);
            }
        }
    }

    /// The archive holds every state of everything, each thing once; and shows what all devices show.
    #[track_caller]
    pub fn check(&self, archive: &Path, devices: [&Device; 2], lost: &[Lost], when: &str) {
        let db = Connection::open(archive.join("chat.db")).unwrap();
        for (states, table, state) in [
            (&self.messages, "message", MESSAGE),
            (&self.chats, "chat", CHAT),
            (&self.attachments, "attachment", ATTACHMENT),
        ] {
            let sql = |table: &str| format!("SELECT guid, {state} FROM {table}");
            let shown = pairs(&db, &sql(table));
            assert_eq!(shown.len(), states.len(), "{when}: each {table} once");
            let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (guid, state) in
                shown.into_iter().chain(pairs(&db, &sql(&format!("msgarchive_{table}_version"))))
            {
                held.entry(guid).or_default().push(state);
            }
            for (guid, of) in &held {
                let all: BTreeSet<String> = of.iter().cloned().collect();
                assert_eq!(Some(&all), states.get(guid), "{when}: every state of {table} {guid}");
                // A conversation may be what it once was.
                assert!(table != "message" || of.len() == all.len(), "{when}: {guid}: each state once");
            }
        }
        self.check_shown(&db, devices, when);
        let set = |sql: &str| -> Pairs { pairs(&db, sql).into_iter().collect() };
        assert_eq!(set(CARRIED), self.carried, "{when}: what messages carry");
        assert_eq!(set(PLACES), self.places, "{when}: where messages are");
        assert_eq!(set(PARTS), self.parts, "{when}: parts that were deleted alone");
        assert_eq!(set(FORMERLY_MEMBERS), self.members, "{when}: who was ever in a conversation");
        let mut contents: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for table in ["msgarchive_content", "msgarchive_former_content"] {
            let sql = format!("SELECT guid, path FROM {table} JOIN attachment a ON a.ROWID = attachment");
            for (guid, path) in pairs(&db, &sql) {
                contents.entry(guid).or_default().insert(std::fs::read(archive.join(path)).unwrap());
            }
        }
        assert_eq!(contents, self.contents, "{when}: every content");
        for (source, lost) in (1..).zip(lost) {
            let noted = set(&format!(
                "SELECT m.guid, a.reason FROM msgarchive_absence a JOIN message m ON m.ROWID = a.message \
                 WHERE a.source = {source} AND a.returned IS NULL"
            ));
            let lost = lost.iter().map(|(guid, why)| (guid.clone(), (*why).to_owned())).collect();
            assert_eq!(noted, lost, "{when}: the reasons of source {source}");
        }
    }

    /// What all devices that ever had something have alike, the archive shows so; but that a message which came back as it was
    /// before an edit does not undo that.
    #[track_caller]
    fn check_shown(&self, db: &Connection, devices: [&Device; 2], when: &str) {
        for (table, state) in [("message", MESSAGE), ("chat", CHAT)] {
            let shown_here = shown(db, table, state);
            let edited = |db: &Connection| match table {
                "message" => shown(db, table, "ifnull(date_edited, 0) || ''"),
                _ => BTreeMap::new(),
            };
            let edited = [db, &devices[0].db].map(edited);
            let is_later_here = |guid: &String| {
                let [here, there] =
                    [0, 1].map(|at| edited[at].get(guid).map(|date| date.parse::<i64>().unwrap()));
                here > there
            };
            let [one, other] = devices.map(|device| shown(&device.db, table, state));
            for (guid, state) in &one {
                assert!(
                    other.get(guid) != Some(state)
                        || shown_here.get(guid) == Some(state)
                        || is_later_here(guid),
                    "{when}: {table} {guid} is {state} everywhere, and is shown as {:?}",
                    shown_here.get(guid)
                );
            }
        }
        let by_chat = |db: &Connection| -> BTreeMap<String, BTreeSet<String>> {
            let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (chat, address) in pairs(db, MEMBERS) {
                members.entry(chat).or_default().insert(address);
            }
            members
        };
        let here = by_chat(db);
        let [one, other] = devices.map(|device| by_chat(&device.db));
        for (chat, members) in &one {
            assert!(
                other.get(chat) != Some(members) || here.get(chat) == Some(members),
                "{when}: in {chat} are {members:?} everywhere, and {:?} are shown",
                here.get(chat)
            );
        }
    }
}
