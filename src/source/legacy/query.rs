//! Every SQL string of the reader of old databases.
//!
//! Identifiers come from this file only, never from data. A table or column that is not there reads as NULL.

use super::rows;
use crate::source::database::Schema;

/// A statement is `None` where a table for it is missing.
#[derive(Debug)]
pub(super) struct Queries {
    // Once a run.
    /// (group, type)
    pub groups: Option<String>,
    /// (group, address, country), in row order.
    pub members: Option<String>,
    pub chats: Option<String>,
    /// [`rows::PLACE`] of every row, and the recipients of those that say neither a group nor an address.
    pub places: String,
    /// (message)
    pub rowids: String,
    /// (message, piece)
    pub pieces: Option<String>,
    /// (message, attachment)
    pub attachments: Option<String>,

    // Once a row.
    /// As `places`, of one row.
    pub place: String,
    pub message: String,
    /// (part, type, name, size, text)
    pub piece: Option<String>,
    /// (data)
    pub data: Option<String>,
    pub attachment: Option<String>,
}

impl Queries {
    /// `suffix`: of the tables' names.
    pub fn new(schema: &Schema, suffix: &str) -> Queries {
        let name = |table: &str| format!("{table}{suffix}");
        let column = |table: &str, alias: &str, column: &str| schema.column(&name(table), alias, column);
        let columns = |table: &str, alias: &str, names: &[&str]| -> String {
            let names: Vec<String> = names.iter().map(|name| column(table, alias, name)).collect();
            names.join(", ")
        };
        let given = |table: &str, needed: &[&str], sql: &dyn Fn(String) -> String| {
            let table = name(table);
            schema.has_all(&table, needed).then(|| sql(table))
        };
        let message = name("message");
        let of_message = |name: &str| column("message", "m", name);
        let places = format!(
            "SELECT {}, CASE WHEN coalesce({}, 0) = 0 AND coalesce({}, '') = '' THEN {} END FROM {message} m",
            columns("message", "m", rows::PLACE),
            of_message("group_id"),
            of_message("address"),
            of_message("recipients"),
        );
        let text = "CASE WHEN p.content_type LIKE 'text/plain%' THEN p.data END";
        Queries {
            groups: given("msg_group", &[], &|table| {
                format!(
                    "SELECT g.rowid, {} FROM {table} g ORDER BY g.rowid",
                    column("msg_group", "g", "type")
                )
            })
            .filter(|_| schema.has_table(&name("msg_group"))),
            members: given("group_member", &["group_id", "address"], &|table| {
                let country = column("group_member", "g", "country");
                format!("SELECT g.group_id, g.address, {country} FROM {table} g ORDER BY g.rowid")
            }),
            chats: given("madrid_chat", &["chat_identifier"], &|table| {
                let columns = columns("madrid_chat", "c", rows::CHAT);
                format!("SELECT {columns} FROM {table} c ORDER BY c.rowid")
            }),
            place: format!("{places} WHERE m.rowid = ?1"),
            places,
            rowids: format!("SELECT m.rowid FROM {message} m"),
            pieces: given("msg_pieces", &["message_id", "data", "content_type"], &|table| {
                format!("SELECT message_id, rowid FROM {table}")
            }),
            attachments: given("madrid_attachment", &["message_id"], &|table| {
                format!("SELECT message_id, rowid FROM {table}")
            }),
            message: format!(
                "SELECT {} FROM {message} m WHERE m.rowid = ?1",
                columns("message", "m", rows::MESSAGE)
            ),
            piece: given("msg_pieces", &["message_id", "data", "content_type"], &|table| {
                let columns = columns("msg_pieces", "p", &["part_id", "content_type", "content_loc"]);
                format!("SELECT {columns}, octet_length(p.data), {text} FROM {table} p WHERE p.rowid = ?1")
            }),
            data: given("msg_pieces", &["data"], &|table| {
                format!("SELECT data FROM {table} WHERE rowid = ?1")
            }),
            attachment: given("madrid_attachment", &["message_id"], &|table| {
                let columns = columns("madrid_attachment", "a", rows::ATTACHMENT);
                format!("SELECT {columns} FROM {table} a WHERE a.rowid = ?1")
            }),
        }
    }

    /// Every statement with its name, for tests of their plans.
    pub fn all(&self) -> Vec<(&'static str, &str)> {
        let optional = [
            ("groups", &self.groups),
            ("members", &self.members),
            ("chats", &self.chats),
            ("pieces", &self.pieces),
            ("attachments", &self.attachments),
            ("piece", &self.piece),
            ("data", &self.data),
            ("attachment", &self.attachment),
        ];
        let mut all: Vec<(&str, &str)> =
            optional.into_iter().filter_map(|(name, sql)| Some((name, sql.as_deref()?))).collect();
        all.extend([
            ("places", self.places.as_str()),
            ("rowids", &self.rowids),
            ("place", &self.place),
            ("message", &self.message),
        ]);
        all
    }
}
