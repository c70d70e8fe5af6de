//! Every SQL string of the reader, built once from what the database can.
//!
//! Identifiers come from this file only, never from data. A table or column that is not there reads as NULL.

use super::rows;
use crate::source::Says;
use crate::source::database::Schema;
use crate::source::timeline::NANOSECONDS_FROM;

/// A statement is `None` where a table for it is missing.
#[derive(Debug)]
pub(super) struct Queries {
    // Once a run.
    pub handles: Option<String>,
    pub chats: Option<String>,
    /// (chat, handle), in row order.
    pub members: Option<String>,
    /// (chat, domain, identifier)
    pub lookups: Option<String>,
    /// (chat, service)
    pub services: Option<String>,
    /// (chat, message, join's date)
    pub joined: Option<String>,
    /// (chat, message, delete date)
    pub recoverable: Option<String>,
    /// (message)
    pub recoverable_parts: Option<String>,
    /// (message, attachment), in row order.
    pub attached: Option<String>,
    /// (message, handle, date); the date only where a join has dates to compare it with.
    pub messages: String,
    /// (message, associated guid)
    pub associated: Option<String>,
    /// (guid) of messages that were deleted, one list after the other.
    pub deleted: Vec<(&'static str, String)>,
    /// (guid) of chats that were deleted.
    pub deleted_chats: Option<String>,
    /// (number) of deletions that iCloud was not told of: of messages, of chats, of attachments; a table each.
    pub unsent_deletions: Vec<(&'static str, &'static str, String)>,
    /// (message, guid), for databases without an index on it.
    pub guids: Option<String>,
    /// (message, date)
    pub dates: String,
    /// (columns of a weighing), by row id: the only statement that goes through the messages themselves.
    pub weighed: String,
    /// The same, of one row.
    pub weighed_row: String,
    /// (columns of attachments, sync state, created), by row id.
    pub weighed_attachments: Option<String>,
    /// What the schema can say.
    pub says: Says,

    // Once a chat; only where the join has an index by date.
    /// Whether a chat's join has rows whose date is not a positive number.
    pub undated: Option<String>,
    /// Of a chat's join: the last date in seconds, the first in nanoseconds.
    pub units: Option<String>,
    /// The date some rows further on.
    pub sample: Option<String>,

    // Once a page.
    /// (message columns)
    pub page: Option<String>,
    /// (columns of a survey): the same rows.
    pub survey: Option<String>,
    /// (join's date, bytes): the same rows.
    pub weights: Option<String>,
    /// (join's date, message): the same rows.
    pub range: Option<String>,

    // Once for some rows.
    pub message: String,
    /// (bytes)
    pub weight: String,
    /// As `message`, with the columns of a survey.
    pub surveyed: String,
    /// (message, guid, associated guid, associated type, balloon bundle id)
    pub by_guid: Option<String>,
    /// No two rows have one GUID.
    pub unique_guids: bool,
    /// (message, guid, associated guid, associated type, balloon bundle id)
    pub link: String,
    pub date: String,
    /// As `messages`, of one row.
    pub handle_and_date: String,
    /// (an address of the owner's, another one)
    pub owner: String,
    /// (filter action, sub-action) of a row's join with a chat.
    pub filtered: Option<String>,
    pub attachment: Option<String>,
    /// (part, delete date, text)
    pub deleted_parts: Option<String>,
}

impl Queries {
    pub fn new(schema: &Schema) -> Queries {
        let given = |there: bool, sql: String| there.then_some(sql);
        let column = |name: &str| schema.column("message", "m", name);
        let columns = |table: &str, alias: &str, names: &[&str]| -> String {
            let names: Vec<String> = names.iter().map(|name| schema.column(table, alias, name)).collect();
            names.join(", ")
        };
        let join = schema.has_all("chat_message_join", &["chat_id", "message_id"]);
        let by_date = join && schema.indexed("chat_message_join", &["chat_id", "message_date"]);
        let join_of_chat = "FROM chat_message_join WHERE chat_id = ?1 AND message_date";
        let join_filters = schema.has_all("chat_message_join", &["filter_action", "filter_sub_action"]);
        // What the join says counts where it says something.
        let rows_of_chat = "FROM chat_message_join j CROSS JOIN message m ON m.rowid = j.message_id \
                            WHERE j.chat_id = ?1 AND j.message_date > ?2 AND j.message_date <= ?3";
        let in_chat = |names: &mut dyn Iterator<Item = &&str>| -> String {
            let names: Vec<String> = names
                .map(|name| match *name {
                    "filter_action" | "filter_sub_action" if join_filters => {
                        format!("coalesce(nullif(j.{name}, 0), {})", column(name))
                    }
                    name => column(name),
                })
                .collect();
            format!("SELECT {} {rows_of_chat}", names.join(", "))
        };
        let large = ["text", "attributedbody", "payload_data", "message_summary_info"];
        let bytes = large.map(|name| format!("coalesce(octet_length({}), 0)", column(name))).join(" + ");
        let of_row = |names: &mut dyn Iterator<Item = &&str>| -> String {
            let names: Vec<String> = names.map(|name| column(name)).collect();
            format!("SELECT {} FROM message m WHERE m.rowid = ?1", names.join(", "))
        };
        // A column that no schema has reads as NULL.
        let surveyed_as = |name| if rows::UNSURVEYED.contains(name) { &"" } else { name };
        let surveyed = || rows::MESSAGE.iter().map(surveyed_as).chain(rows::SURVEY);
        let link = format!(
            "SELECT m.rowid, {}, {}, {}, {} FROM message m WHERE",
            column("guid"),
            column("associated_message_guid"),
            column("associated_message_type"),
            column("balloon_bundle_id")
        );
        let weighed = format!(
            "SELECT m.rowid, {}, coalesce(octet_length({}), 0) + coalesce(octet_length({}), 0), {} FROM message m",
            rows::WEIGHED.map(column).join(", "),
            column("text"),
            column("subject"),
            ["attributedbody", "payload_data", "message_summary_info"]
                .map(|name| format!("coalesce(octet_length({}), 0)", column(name)))
                .join(", "),
        );
        let guid_index = schema.indexed("message", &["guid"]);

        Queries {
            handles: given(
                schema.has("handle", "id"),
                format!("SELECT {} FROM handle h ORDER BY h.rowid", columns("handle", "h", rows::HANDLE)),
            ),
            chats: given(
                schema.has_table("chat"),
                format!("SELECT {} FROM chat c ORDER BY c.rowid", columns("chat", "c", rows::CHAT)),
            ),
            members: given(
                schema.has_all("chat_handle_join", &["chat_id", "handle_id"]),
                "SELECT chat_id, handle_id FROM chat_handle_join ORDER BY rowid".into(),
            ),
            lookups: given(
                schema.has_all("chat_lookup", &["chat", "domain", "identifier"]),
                "SELECT chat, domain, identifier FROM chat_lookup ORDER BY rowid".into(),
            ),
            services: given(
                schema.has_all("chat_service", &["chat", "service"]),
                "SELECT chat, service FROM chat_service".into(),
            ),
            joined: given(
                join,
                format!(
                    "SELECT chat_id, message_id, {} FROM chat_message_join",
                    if by_date { "message_date" } else { "NULL" }
                ),
            ),
            recoverable: given(
                schema.has_all("chat_recoverable_message_join", &["chat_id", "message_id"]),
                format!(
                    "SELECT chat_id, message_id, {} FROM chat_recoverable_message_join j",
                    schema.column("chat_recoverable_message_join", "j", "delete_date")
                ),
            ),
            recoverable_parts: given(
                schema.has_all("recoverable_message_part", &["chat_id", "message_id"]),
                "SELECT message_id FROM recoverable_message_part".into(),
            ),
            attached: given(
                schema.has_all("message_attachment_join", &["message_id", "attachment_id"])
                    && schema.has_table("attachment"),
                "SELECT message_id, attachment_id FROM message_attachment_join ORDER BY rowid".into(),
            ),
            messages: format!(
                "SELECT m.rowid, {}, {} FROM message m",
                column("handle_id"),
                if by_date { column("date") } else { "NULL".into() }
            ),
            // The comparison lets SQLite use Apple's partial index (and the older complete one).
            associated: given(
                schema.has("message", "associated_message_guid"),
                "SELECT m.rowid, m.associated_message_guid FROM message m \
                 WHERE m.associated_message_guid > ''"
                    .into(),
            ),
            deleted: [
                ("deleted_messages", "guid"),
                ("sync_deleted_messages", "guid"),
                ("unsynced_removed_recoverable_messages", "message_guid"),
                ("scheduled_messages_pending_cloudkit_delete", "guid"),
            ]
            .into_iter()
            .filter(|(table, column)| schema.has(table, column))
            .map(|(table, column)| (table, format!("SELECT {column} FROM {table}")))
            .collect(),
            deleted_chats: given(
                schema.has("sync_deleted_chats", "guid"),
                "SELECT guid FROM sync_deleted_chats".into(),
            ),
            unsent_deletions: [
                ("unsent_messages", "sync_deleted_messages", "recordid", " WHERE recordID > ''"),
                ("unsent_chats", "sync_deleted_chats", "recordid", " WHERE recordID > ''"),
                ("unsent_attachments", "sync_deleted_attachments", "recordid", " WHERE recordID > ''"),
                ("unsent_recoverable", "unsynced_removed_recoverable_messages", "message_guid", ""),
                (
                    "unsent_scheduled",
                    "scheduled_messages_pending_cloudkit_delete",
                    "recordid",
                    " WHERE recordID > ''",
                ),
            ]
            .into_iter()
            .filter(|(_, table, column, _)| schema.has(table, column))
            .map(|(name, table, _, only)| (name, table, format!("SELECT count(*) FROM {table}{only}")))
            .collect(),
            guids: given(!guid_index, "SELECT m.rowid, m.guid FROM message m".to_string()),
            dates: format!("SELECT m.rowid, {} FROM message m", column("date")),
            weighed_row: format!("{weighed} WHERE m.rowid = ?1"),
            weighed: format!("{weighed} ORDER BY m.rowid"),
            weighed_attachments: given(
                schema.has_table("attachment"),
                format!(
                    "SELECT {}, {} FROM attachment a ORDER BY a.rowid",
                    columns("attachment", "a", rows::ATTACHMENT),
                    columns("attachment", "a", &["ck_sync_state", "created_date"])
                ),
            ),
            says: Says {
                sync: schema.has("message", "ck_sync_state") && schema.has("attachment", "ck_sync_state"),
                recently_deleted: schema.has_all("chat_recoverable_message_join", &["chat_id", "message_id"]),
                replies: schema.has("message", "thread_originator_guid"),
                effects: schema.has("message", "expressive_send_style_id"),
            },
            undated: given(
                by_date,
                format!(
                    "SELECT EXISTS (SELECT 1 {join_of_chat} IS NULL) \
                     OR EXISTS (SELECT 1 {join_of_chat} <= 0) \
                     OR EXISTS (SELECT 1 {join_of_chat} > {})",
                    i64::MAX
                ),
            ),
            units: given(
                by_date,
                format!(
                    "SELECT (SELECT max(message_date) {join_of_chat} < {NANOSECONDS_FROM}), \
                     (SELECT min(message_date) {join_of_chat} >= {NANOSECONDS_FROM})"
                ),
            ),
            sample: given(
                by_date,
                format!("SELECT message_date {join_of_chat} > ?2 ORDER BY message_date LIMIT 1 OFFSET ?3"),
            ),
            page: given(by_date, in_chat(&mut rows::MESSAGE.iter())),
            survey: given(by_date, in_chat(&mut surveyed())),
            weights: given(by_date, format!("SELECT j.message_date, {bytes} {rows_of_chat}")),
            weight: format!("SELECT {bytes} FROM message m WHERE m.rowid = ?1"),
            range: given(
                by_date,
                format!("SELECT message_date, message_id {join_of_chat} > ?2 AND message_date <= ?3"),
            ),
            message: of_row(&mut rows::MESSAGE.iter()),
            surveyed: of_row(&mut surveyed()),
            by_guid: given(guid_index, format!("{link} m.guid = ?1")),
            unique_guids: schema.unique("message", "guid"),
            link: format!("{link} m.rowid = ?1"),
            date: format!("SELECT {} FROM message m WHERE m.rowid = ?1", column("date")),
            handle_and_date: format!(
                "SELECT {}, {} FROM message m WHERE m.rowid = ?1",
                column("handle_id"),
                if by_date { column("date") } else { "NULL".into() }
            ),
            owner: format!(
                "SELECT {}, {} FROM message m WHERE m.rowid = ?1",
                column("destination_caller_id"),
                column("account")
            ),
            filtered: given(
                join && join_filters,
                "SELECT filter_action, filter_sub_action FROM chat_message_join \
                  WHERE chat_id = ?1 AND message_id = ?2"
                    .into(),
            ),
            attachment: given(
                schema.has_table("attachment"),
                format!(
                    "SELECT {} FROM attachment a WHERE a.rowid = ?1",
                    columns("attachment", "a", rows::ATTACHMENT)
                ),
            ),
            deleted_parts: given(
                schema.has_all("recoverable_message_part", &["chat_id", "message_id"]),
                format!(
                    // An archive has a message in the chats of all its sources, and a part in that of one.
                    "SELECT {} FROM recoverable_message_part p WHERE p.message_id = ?2 AND p.chat_id IN \
                       (SELECT ?1 UNION ALL SELECT j.chat_id FROM chat_message_join j WHERE j.message_id = ?2)",
                    rows::of_deleted_part(schema)
                ),
            ),
        }
    }

    /// Every statement with its name, for tests of their plans.
    pub fn all(&self) -> Vec<(&'static str, &str)> {
        let optional = [
            ("handles", &self.handles),
            ("chats", &self.chats),
            ("members", &self.members),
            ("lookups", &self.lookups),
            ("services", &self.services),
            ("joined", &self.joined),
            ("recoverable", &self.recoverable),
            ("recoverable_parts", &self.recoverable_parts),
            ("attached", &self.attached),
            ("associated", &self.associated),
            ("deleted_chats", &self.deleted_chats),
            ("guids", &self.guids),
            ("undated", &self.undated),
            ("units", &self.units),
            ("sample", &self.sample),
            ("page", &self.page),
            ("survey", &self.survey),
            ("weights", &self.weights),
            ("range", &self.range),
            ("by_guid", &self.by_guid),
            ("attachment", &self.attachment),
            ("deleted_parts", &self.deleted_parts),
            ("filtered", &self.filtered),
            ("weighed_attachments", &self.weighed_attachments),
        ];
        let mut all: Vec<(&str, &str)> =
            optional.into_iter().filter_map(|(name, sql)| Some((name, sql.as_deref()?))).collect();
        all.extend([
            ("messages", self.messages.as_str()),
            ("dates", &self.dates),
            ("weighed", &self.weighed),
            ("weighed_row", &self.weighed_row),
            ("message", &self.message),
            ("weight", &self.weight),
            ("surveyed", &self.surveyed),
            ("link", &self.link),
            ("date", &self.date),
            ("handle_and_date", &self.handle_and_date),
            ("owner", &self.owner),
        ]);
        all.extend(self.deleted.iter().map(|(name, sql)| (*name, sql.as_str())));
        all.extend(self.unsent_deletions.iter().map(|(name, _, sql)| (*name, sql.as_str())));
        all
    }
}
