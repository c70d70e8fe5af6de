//! How long a source keeps messages, by its setting, and since when it is known to: noted in the record of each run that reads it.
//!
//! What a source still had when the setting would have removed it was spared, and goes by other hands. So a run has to know whether
//! that was the setting then; it asks the record of the run that read the source last.
//!
//! **Must never**: take a setting for older than it is known to be.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::record;
use crate::model::Instant;
use crate::source::KeepMessages;
use crate::source::tables::Tables;

/// A setting of Keep Messages, as a run found it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// `None`: nothing says.
    pub setting: Option<KeepMessages>,
    /// When it was first found to be so, where it was another one before, or nobody noted which. `None`: it was so whenever the
    /// source was read.
    pub since: Option<Instant>,
}

impl Kept {
    /// Of a source that is as it was `now`; `known`: its number, where it was read before.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of(
        connection: &Connection,
        tables: &Tables,
        known: Option<i64>,
        now: Instant,
    ) -> rusqlite::Result<Kept> {
        let setting = tables.info().keep_messages;
        let Some(source) = known else { return Ok(Kept { setting, since: None }) };
        let before = noted(connection, source)?.filter(|before| before.setting == setting);
        Ok(before.unwrap_or(Kept { setting, since: Some(now) }))
    }

    /// As a record has it: the setting, and since when.
    pub fn to_json(self) -> [Value; 2] {
        let setting = self.setting.map(|setting| match setting {
            KeepMessages::Forever => json!({ "days": null }),
            KeepMessages::Days(days) => json!({ "days": days }),
        });
        let since = self.since.map(|since| since.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        [setting.unwrap_or_default(), since.map_or(Value::Null, Value::from)]
    }

    /// What a record says of a source; `None` of one that an earlier program wrote, or of what no program writes.
    fn of_json(source: &Value) -> Option<Kept> {
        let setting = match source.get("keep_messages")? {
            Value::Null => None,
            setting => match setting.get("days")? {
                Value::Null => Some(KeepMessages::Forever),
                days => Some(KeepMessages::Days(u32::try_from(days.as_u64()?).ok()?)),
            },
        };
        let since = match source.get("keep_messages_since")? {
            Value::Null => None,
            since => Some(since.as_str()?.parse().ok()?),
        };
        Some(Kept { setting, since })
    }
}

/// What the last run that read a source noted.
fn noted(connection: &Connection, source: i64) -> rusqlite::Result<Option<Kept>> {
    Ok(record::read_last(connection, source)?.as_ref().and_then(Kept::of_json))
}
