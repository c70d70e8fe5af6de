//! What an archive has, by GUID: for who asks whether something may be deleted elsewhere.

use std::collections::HashMap;
use std::path::Path;

use super::ArchiveError;
use super::open::look_into;
use crate::pipeline::fingerprint::GuidKey;

/// The GUIDs of an archive's messages, and the contents of its attachments.
#[derive(Debug)]
pub struct Holding {
    /// Sorted.
    messages: Vec<u128>,
    contents: HashMap<u128, u64>,
}

impl Holding {
    /// Reads what the archive at `path` has.
    ///
    /// # Errors
    /// [`ArchiveError`] where there is none, or where it is damaged.
    pub fn read(path: &Path) -> Result<Holding, ArchiveError> {
        let (folder, connection) = look_into(path)?;
        let database = folder.database();
        let failed = || ArchiveError::database(&database);
        let mut messages = Vec::new();
        let mut guids = |sql: &str| -> rusqlite::Result<()> {
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Some(guid) = row.get_ref(0)?.as_str_or_null()? {
                    messages.push(GuidKey::of(guid).0);
                }
            }
            Ok(())
        };
        guids("SELECT guid FROM message").map_err(failed())?;
        // What was restored under another GUID is there under its first one.
        guids("SELECT guid FROM msgarchive_alias").map_err(failed())?;
        messages.sort_unstable();
        messages.dedup();
        let mut contents = HashMap::new();
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(
                "SELECT a.guid, (SELECT sum(f.bytes) FROM msgarchive_file f \
                   WHERE f.path = c.path OR (f.path > c.path || '/' AND f.path < c.path || '0')) \
                 FROM msgarchive_content c JOIN attachment a ON a.ROWID = c.attachment",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let (Some(guid), Ok(bytes)) = (row.get_ref(0)?.as_str_or_null()?, row.get_ref(1)?.as_i64())
                {
                    contents.insert(GuidKey::of(guid).0, u64::try_from(bytes).unwrap_or(0));
                }
            }
            Ok(())
        };
        read().map_err(failed())?;
        Ok(Holding { messages, contents })
    }

    /// Whether it has the message with this GUID.
    pub fn has_message(&self, guid: &str) -> bool {
        self.messages.binary_search(&GuidKey::of(guid).0).is_ok()
    }

    /// How many bytes it has of the attachment with this GUID; `None`: none.
    pub fn content_of(&self, guid: u128) -> Option<u64> {
        self.contents.get(&guid).copied()
    }
}
