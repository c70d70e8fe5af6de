//! What an archive knows of its messages beside Apple's tables: which are deleted where they came from, and what they
//! said before their senders took it back.

use foldhash::HashMap;
use rusqlite::Connection;

use crate::model::DeletionReason;
use crate::source::database::{Columns, Schema, scan};
use crate::source::{EarlierBody, RawMessage};

/// Nothing, of what is no archive.
#[derive(Debug, Default)]
pub(super) struct Archived {
    /// Message → delete date, raw, and why.
    deleted: HashMap<i64, (i64, DeletionReason)>,
    /// Former bodies of a message, the latest first.
    earlier: Option<String>,
}

/// No message has as many.
const EARLIER: usize = 64;

impl Archived {
    pub fn read(connection: &Connection, schema: &Schema) -> rusqlite::Result<Archived> {
        let mut archived = Archived::default();
        if !schema.has_table("msgarchive_absence") {
            return Ok(archived);
        }
        scan(connection, Some("SELECT message, date, reason FROM msgarchive_deleted"), |c| {
            let (message, date, name) = (c.number(), c.number(), c.text().unwrap_or_default());
            let reason = DeletionReason::ALL.into_iter().find(|reason| reason.name() == name);
            let deleted = (date, reason.unwrap_or(DeletionReason::Unexplained));
            let latest = archived.deleted.entry(message).or_insert(deleted);
            *latest = deleted.max(*latest);
        })?;
        let versions = "msgarchive_message_version";
        if schema.has_table(versions) {
            let column = |name| schema.column(versions, "v", name);
            archived.earlier = Some(format!(
                "SELECT {}, {}, {} FROM {versions} v WHERE v.msgarchive_id = ?1 ORDER BY v.msgarchive_version DESC",
                column("text"),
                column("attributedbody"),
                column("date_edited")
            ));
        }
        Ok(archived)
    }

    /// Marks a row that is deleted.
    pub fn mark(&self, row: &mut RawMessage) {
        if let Some((date, reason)) = self.deleted.get(&row.rowid) {
            row.deleted = Some(*date);
            row.deletion_reason = *reason;
        }
    }

    /// Whether the row with this id is deleted.
    pub fn is_deleted(&self, rowid: i64) -> bool {
        self.deleted.contains_key(&rowid)
    }

    /// What a row said before it was changed; asked for where the sender changed it.
    pub fn earlier(&self, connection: &Connection, row: &RawMessage) -> rusqlite::Result<Vec<EarlierBody>> {
        let Some(sql) = self.earlier.as_ref().filter(|_| row.date_edited != 0 || row.date_retracted != 0)
        else {
            return Ok(Vec::new());
        };
        let mut statement = connection.prepare_cached(sql)?;
        let earlier = statement.query_map([row.rowid], |row| {
            let mut c = Columns::from(row, 0);
            Ok(EarlierBody { text: c.text(), attributed_body: c.bytes(), date_edited: c.number() })
        })?;
        let said = |body: &EarlierBody| body.text.is_some() || body.attributed_body.is_some();
        let earlier = earlier.take(EARLIER).collect::<rusqlite::Result<Vec<EarlierBody>>>()?;
        Ok(earlier.into_iter().filter(said).collect())
    }
}
