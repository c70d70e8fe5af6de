//! A Messages library, built so that a test reads like the conversation in it:
//!
//! ```ignore
//! let mut lib = Library::new(Schema::MACOS_26);
//! let ana = lib.handle("+12025550143", "iMessage");
//! let chat = lib.direct(ana);
//! let look = lib.message(chat).from(ana).at("2024-05-01T11:30:00Z").text("look").bold(0..4).id();
//! lib.message(chat).from_me().tapback(look, Tapback::Loved);
//! let database = lib.write(folder);
//! ```
//!
//! Everything is deterministic: GUIDs come from a counter, dates from [`Library::clock`] or [`MessageBuilder::at`].

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;

use super::attachment::AttachmentRow;
use super::message::MessageRow;
use super::{AttachmentBuilder, MessageBuilder, Schema};

/// Seconds from the Unix epoch to Apple's.
pub const APPLE_EPOCH: i64 = 978_307_200;

/// `handle.ROWID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleId(pub i64);
/// `chat.ROWID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatId(pub i64);
/// `message.ROWID`, unless [`MessageBuilder::raw`] changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageId(pub i64);
/// `attachment.ROWID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentId(pub i64);

/// Columns of one row, by name.
pub type Columns = BTreeMap<String, Value>;

/// A value for a column: text, number, bytes, or `None` for NULL.
pub struct Cell(pub Value);

macro_rules! cell {
    ($($from:ty => |$v:ident| $value:expr),* $(,)?) => {
        $(impl From<$from> for Cell {
            fn from($v: $from) -> Self {
                Cell($value)
            }
        })*
    };
}

cell! {
    &str => |v| Value::Text(v.to_owned()),
    String => |v| Value::Text(v),
    i64 => |v| Value::Integer(v),
    i32 => |v| Value::Integer(i64::from(v)),
    bool => |v| Value::Integer(i64::from(v)),
    f64 => |v| Value::Real(v),
    Vec<u8> => |v| Value::Blob(v),
    Option<()> => |_v| Value::Null,
    Value => |v| v,
}

/// Columns the builder fills in where the schema has them; any other column a row needs must be there.
const WHERE_PRESENT: &[&str] = &[
    "part_count",
    "destination_caller_id",
    "original_guid",
    "transfer_name",
    "total_bytes",
    "hide_attachment",
    "is_sticker",
    "ck_sync_state",
    "display_name",
    "group_id",
    "original_group_id",
    "successful_query",
    "is_played",
    "item_type",
    "message_date",
];

#[derive(Debug, Clone)]
struct HandleRow {
    id: String,
    service: String,
}

#[derive(Debug, Clone)]
pub(super) struct ChatRow {
    pub(super) columns: Columns,
    pub(super) members: Vec<HandleId>,
    pub(super) service: String,
    pub(super) group: bool,
}

/// A library in the making.
#[derive(Debug)]
pub struct Library {
    pub(super) schema: Schema,
    pub(super) owner: String,
    counter: u64,
    /// Seconds since 2001 of the next message without a date of its own.
    pub(super) clock: i64,
    handles: Vec<HandleRow>,
    pub(super) chats: Vec<ChatRow>,
    pub(super) messages: Vec<MessageRow>,
    pub(super) attachments: Vec<AttachmentRow>,
    lookups: Vec<(String, String, ChatId)>,
    statements: Vec<String>,
    wal: bool,
}

impl Library {
    /// An empty library; its owner is `me@example.com`.
    pub fn new(schema: Schema) -> Self {
        Self {
            schema,
            owner: "me@example.com".into(),
            counter: 0,
            clock: seconds("2024-01-01T00:00:00Z").0,
            handles: Vec::new(),
            chats: Vec::new(),
            messages: Vec::new(),
            attachments: Vec::new(),
            lookups: Vec::new(),
            statements: Vec::new(),
            wal: false,
        }
    }

    /// The layout it has.
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// Sets the address the owner writes from.
    pub fn owner(&mut self, address: &str) {
        self.owner = address.to_owned();
    }

    /// When the next message without [`MessageBuilder::at`] is; each moves the clock on by a minute.
    pub fn clock(&mut self, at: &str) {
        self.clock = seconds(at).0;
    }

    /// The next UUID: upper case, like Apple's, and the same in every run.
    pub fn guid(&mut self) -> String {
        self.counter += 1;
        let (a, b) = (mix(self.counter * 2), mix(self.counter * 2 + 1));
        format!(
            "{:08X}-{:04X}-4{:03X}-{:04X}-{:012X}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            (b >> 48) & 0x3fff | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }

    /// The row for an address on a service: the one there is, or a new one.
    pub fn handle(&mut self, id: &str, service: &str) -> HandleId {
        let found = self.handles.iter().position(|h| h.id == id && h.service == service);
        let index = found.unwrap_or_else(|| {
            self.handles.push(HandleRow { id: id.to_owned(), service: service.to_owned() });
            self.handles.len() - 1
        });
        HandleId(index as i64 + 1)
    }

    /// The address of a handle.
    pub fn address(&self, handle: HandleId) -> &str {
        &self.handles[handle.0 as usize - 1].id
    }

    /// A one-to-one chat on the handle's service.
    pub fn direct(&mut self, with: HandleId) -> ChatId {
        let handle = self.handles[with.0 as usize - 1].clone();
        self.chat(&handle.service, '-', &handle.id, vec![with])
    }

    /// A group on the service of its first member; an empty name is no name.
    pub fn group(&mut self, members: &[HandleId], name: &str) -> ChatId {
        let service =
            members.first().map_or("iMessage", |m| &self.handles[m.0 as usize - 1].service).to_owned();
        self.counter += 1;
        let identifier = format!("chat{}", mix(self.counter) % 1_000_000_000_000_000_000);
        let chat = self.chat(&service, '+', &identifier, members.to_vec());
        let group_id = self.guid();
        self.chat_raw(chat, "room_name", identifier);
        self.chat_raw(chat, "group_id", group_id.clone());
        self.chat_raw(chat, "original_group_id", group_id);
        if !name.is_empty() {
            self.chat_raw(chat, "display_name", name);
        }
        chat
    }

    fn chat(&mut self, service: &str, sign: char, id: &str, members: Vec<HandleId>) -> ChatId {
        // macOS 26 writes `any` for the service; a second chat with the same person still needs a GUID of its own.
        let any = Value::Text(format!("any;{sign};{id}"));
        let taken = self.chats.iter().any(|c| c.columns.get("guid") == Some(&any));
        let prefix = if self.schema.sql.contains("chat_lookup") && !taken { "any" } else { service };
        let owner = format!("E:{}", self.owner);
        let account = self.guid();
        let mut columns = Columns::new();
        for (name, value) in [
            ("guid", Cell::from(format!("{prefix};{sign};{id}"))),
            ("style", Cell::from(sign as i64)),
            ("state", Cell::from(3)),
            ("account_id", Cell::from(account)),
            ("account_login", Cell::from(owner)),
            ("chat_identifier", Cell::from(id)),
            ("service_name", Cell::from(service)),
            ("successful_query", Cell::from(1)),
        ] {
            columns.insert(name.to_owned(), value.0);
        }
        self.chats.push(ChatRow { columns, members, service: service.to_owned(), group: sign == '+' });
        ChatId(self.chats.len() as i64)
    }

    /// Sets a column of a chat to anything.
    pub fn chat_raw(&mut self, chat: ChatId, column: &str, value: impl Into<Cell>) {
        let columns = &mut self.chats[chat.0 as usize - 1].columns;
        columns.insert(column.to_owned(), value.into().0);
    }

    /// Changes who `chat_handle_join` says is in a chat.
    pub fn members(&mut self, chat: ChatId, members: &[HandleId]) {
        self.chats[chat.0 as usize - 1].members = members.to_vec();
    }

    /// A row of `chat_lookup` (macOS 26): chats with one identifier are one conversation.
    pub fn lookup(&mut self, identifier: &str, domain: &str, chat: ChatId) {
        self.lookups.push((identifier.to_owned(), domain.to_owned(), chat));
    }

    /// A new message in a chat, received until [`MessageBuilder::from_me`] says otherwise.
    pub fn message(&mut self, chat: ChatId) -> MessageBuilder<'_> {
        MessageBuilder::new(self, Some(chat))
    }

    /// A row that belongs to no chat.
    pub fn orphan(&mut self) -> MessageBuilder<'_> {
        MessageBuilder::new(self, None)
    }

    /// A new attachment; its type follows from the extension of its name.
    pub fn attachment(&mut self, name: &str) -> AttachmentBuilder<'_> {
        AttachmentBuilder::new(self, name)
    }

    /// SQL to run after everything is inserted, for what no builder method makes.
    pub fn sql(&mut self, statement: &str) {
        self.statements.push(statement.to_owned());
    }

    /// Leaves all rows in `-wal` and only the empty tables in the database itself.
    pub fn wal(&mut self) {
        self.wal = true;
    }

    /// `message.guid`.
    pub fn message_guid(&self, message: MessageId) -> String {
        match self.messages[message.0 as usize - 1].columns.get("guid") {
            Some(Value::Text(guid)) => guid.clone(),
            other => panic!("message {} has the GUID {other:?}", message.0),
        }
    }

    /// `attachment.guid`.
    pub fn attachment_guid(&self, attachment: AttachmentId) -> String {
        self.attachments[attachment.0 as usize - 1].guid.clone()
    }

    /// A date in the schema's unit.
    pub(super) fn date(&self, seconds: i64, nanos: u32) -> i64 {
        if self.schema.nanoseconds { seconds * 1_000_000_000 + i64::from(nanos) } else { seconds }
    }

    /// Messages in iCloud is on, and has caught up: whatever goes there has its record (`messages-format.md` 14.2, 14.3).
    pub fn synced(&mut self) {
        for attachment in self.attachments.iter_mut().filter(|attachment| attachment.is_here()) {
            attachment.set("ck_sync_state", 1);
        }
        self.sql(
            "UPDATE attachment SET ck_record_id = guid WHERE ck_sync_state = 1;
             UPDATE message SET ck_sync_state = 1, ck_record_id = guid
             WHERE service IN ('iMessage', 'SMS', 'RCS', 'SatelliteSMS', 'iMessageLite') AND schedule_type <> 2
                 AND ROWID IN (SELECT message_id FROM chat_message_join
                               UNION SELECT message_id FROM chat_recoverable_message_join)",
        );
    }

    /// Writes the database and the attachments' files into `folder` (created); returns the database's path.
    pub fn write(&self, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).expect("a writable folder");
        let path = folder.join(self.schema.file_name());
        let db = Connection::open(&path).expect("a new database");
        db.execute_batch(self.schema.sql).expect("a valid schema");
        if self.wal {
            db.pragma_update(None, "journal_mode", "wal").expect("WAL");
            db.pragma_update(None, "wal_autocheckpoint", 0).expect("a pragma");
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
                .expect("a connection that leaves its WAL");
        }
        db.execute_batch("BEGIN").expect("a transaction");
        self.insert(&db);
        for statement in &self.statements {
            db.execute_batch(statement).expect("valid SQL");
        }
        db.execute_batch("COMMIT").expect("a transaction");
        for attachment in &self.attachments {
            attachment.write(folder);
        }
        path
    }

    fn insert(&self, db: &Connection) {
        let table = |name| Table::new(db, name);
        let handles = table("handle");
        for handle in &self.handles {
            let country = handle.id.starts_with("+1").then_some("us");
            handles.insert([
                ("id", Cell::from(handle.id.as_str())),
                ("service", Cell::from(handle.service.as_str())),
                ("country", country.map_or(Cell(Value::Null), Cell::from)),
                ("uncanonicalized_id", Cell(Value::Null)),
            ]);
        }
        let (chats, members) = (table("chat"), table("chat_handle_join"));
        for (index, chat) in self.chats.iter().enumerate() {
            chats.insert(cells(&chat.columns));
            for member in &chat.members {
                members
                    .insert([("chat_id", Cell::from(index as i64 + 1)), ("handle_id", Cell::from(member.0))]);
            }
        }
        let attachments = table("attachment");
        for attachment in &self.attachments {
            attachments.insert(cells(&attachment.columns));
        }
        let messages = table("message");
        let (joins, files) = (table("chat_message_join"), table("message_attachment_join"));
        for (index, message) in self.messages.iter().enumerate() {
            messages.insert(cells(&message.finish(self)));
            let row = match message.columns.get("ROWID") {
                Some(Value::Integer(row)) => *row,
                _ => index as i64 + 1,
            };
            for chat in &message.chats {
                joins.insert([
                    ("chat_id", Cell::from(chat.0)),
                    ("message_id", Cell::from(row)),
                    ("message_date", Cell::from(message.date)),
                ]);
            }
            for (chat, date) in &message.deleted {
                table("chat_recoverable_message_join").insert([
                    ("chat_id", Cell::from(chat.0)),
                    ("message_id", Cell::from(row)),
                    ("delete_date", Cell::from(*date)),
                ]);
            }
            for (chat, part, date, body) in &message.deleted_parts {
                table("recoverable_message_part").insert([
                    ("chat_id", Cell::from(chat.0)),
                    ("message_id", Cell::from(row)),
                    ("part_index", Cell::from(i64::from(*part))),
                    ("delete_date", Cell::from(*date)),
                    ("part_text", Cell::from(body.encode())),
                ]);
            }
            for attachment in &message.attachments {
                files.insert([("message_id", Cell::from(row)), ("attachment_id", Cell::from(attachment.0))]);
            }
        }
        for (identifier, domain, chat) in &self.lookups {
            table("chat_lookup").insert([
                ("identifier", Cell::from(identifier.as_str())),
                ("domain", Cell::from(domain.as_str())),
                ("chat", Cell::from(chat.0)),
            ]);
        }
        if self.schema.sql.contains("chat_service") {
            for (index, chat) in self.chats.iter().enumerate() {
                table("chat_service").insert([
                    ("service", Cell::from(chat.service.as_str())),
                    ("chat", Cell::from(index as i64 + 1)),
                ]);
            }
        }
    }
}

fn cells(columns: &Columns) -> impl Iterator<Item = (&str, Cell)> {
    columns.iter().map(|(name, value)| (name.as_str(), Cell(value.clone())))
}

/// A table of the database under construction, with the columns this schema gives it.
struct Table<'db> {
    db: &'db Connection,
    name: &'db str,
    columns: Vec<String>,
}

impl<'db> Table<'db> {
    fn new(db: &'db Connection, name: &'db str) -> Self {
        let mut statement = db.prepare_cached("SELECT name FROM pragma_table_info(?)").expect("valid SQL");
        let columns: Vec<String> = statement
            .query_map([name], |row| row.get(0))
            .expect("columns")
            .collect::<Result<_, _>>()
            .expect("names");
        assert!(!columns.is_empty(), "this schema has no table {name}");
        Self { db, name, columns }
    }

    fn insert<'c>(&self, cells: impl IntoIterator<Item = (&'c str, Cell)>) {
        let mut names = Vec::new();
        let mut values = Vec::new();
        for (name, Cell(value)) in cells {
            if self.columns.iter().any(|c| c == name) {
                names.push(name);
                values.push(value);
            } else {
                assert!(WHERE_PRESENT.contains(&name), "this schema has no column {}.{name}", self.name);
            }
        }
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", self.name, names.join(", "));
        self.db
            .prepare_cached(&sql)
            .expect("valid SQL")
            .execute(rusqlite::params_from_iter(values))
            .expect("a row that fits");
    }
}

/// A date and time as (seconds, nanoseconds) since 2001: RFC 3339, or `2024-05-01 11:30` in UTC.
pub fn seconds(at: &str) -> (i64, u32) {
    let instant = DateTime::parse_from_rfc3339(at).map_or_else(
        |_| {
            NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M")
                .unwrap_or_else(|_| panic!("{at} is no date"))
                .and_utc()
        },
        |date| date.with_timezone(&Utc),
    );
    (instant.timestamp() - APPLE_EPOCH, instant.timestamp_subsec_nanos())
}

/// SplitMix64: well-mixed bits from a counter.
pub fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
