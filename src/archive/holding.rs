//! What an archive has, by GUID: for who asks whether something may be deleted elsewhere.

use std::collections::HashMap;
use std::path::Path;

use super::ArchiveError;
use super::open::look_into;
use crate::disk::from_hexadecimal;
use crate::pipeline::fingerprint::GuidKey;

/// The GUIDs of an archive's messages, and the contents of its attachments.
#[derive(Debug)]
pub struct Holding {
    /// Sorted.
    messages: Vec<u128>,
    contents: HashMap<u128, Held>,
}

/// The content of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub bytes: u64,
    /// SHA-256; `None` of a bundle, which has several files.
    pub sha256: Option<[u8; 32]>,
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
                "SELECT a.guid, f.bytes, f.sha256, (SELECT sum(b.bytes) FROM msgarchive_file b \
                   WHERE b.path > c.path || '/' AND b.path < c.path || '0') \
                 FROM msgarchive_content c JOIN attachment a ON a.ROWID = c.attachment \
                 LEFT JOIN msgarchive_file f ON f.path = c.path",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let Some(guid) = row.get_ref(0)?.as_str_or_null()? else { continue };
                let bytes = |at| -> rusqlite::Result<Option<u64>> {
                    Ok(row.get::<_, Option<i64>>(at)?.and_then(|bytes| u64::try_from(bytes).ok()))
                };
                let held = match (bytes(1)?, bytes(3)?) {
                    (Some(bytes), _) => {
                        Held { bytes, sha256: row.get_ref(2)?.as_str_or_null()?.and_then(from_hexadecimal) }
                    }
                    (None, Some(bytes)) => Held { bytes, sha256: None },
                    // A name without bytes: not even `verify` would call that whole.
                    (None, None) => continue,
                };
                contents.insert(GuidKey::of(guid).0, held);
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

    /// What it has of the attachment with this GUID.
    pub fn content_of(&self, guid: u128) -> Option<Held> {
        self.contents.get(&guid).copied()
    }
}
