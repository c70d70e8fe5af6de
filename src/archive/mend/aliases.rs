//! Which messages go by other GUIDs, too: as the sources tell that have them under these.

use rusqlite::params;
use rusqlite::types::ValueRef;

use super::Mending;
use crate::archive::ArchiveError;
use crate::archive::kind::Kind;
use crate::archive::sums::{self, ALIASES};
use crate::source::tables::Tables;

impl Mending<'_> {
    /// Notes again what this source has under GUIDs of which that was damaged.
    ///
    /// # Errors
    /// Of the source; of the archive's database.
    pub fn aliases(&self, tables: &Tables, source: i64) -> Result<(), ArchiveError> {
        let failed = || ArchiveError::of(self.connection);
        let mut told: Vec<&str> = self.found.sums_of(ALIASES).collect();
        let all = self.found.is_wrong_throughout(ALIASES);
        let Some(message) = tables.table("message").filter(|_| all || !told.is_empty()) else {
            return Ok(());
        };
        told.sort_unstable();
        tables.reader().rows(message, &["guid"], i64::MIN..=i64::MAX, |row| {
            let ValueRef::Text(guid) = row.value(0) else { return Ok(()) };
            let guid = String::from_utf8_lossy(guid);
            if !all && told.binary_search(&&*guid).is_err() {
                return Ok(());
            }
            // It was seen under this GUID when it was found to be the message.
            self.connection
                .execute(
                    "INSERT OR REPLACE INTO msgarchive_alias (guid, message, run) \
                     SELECT ?1, s.id, s.since FROM msgarchive_sighting s JOIN message m ON m.ROWID = s.id \
                     WHERE s.kind = ?2 AND s.source = ?3 AND s.source_rowid = ?4 AND m.guid <> ?1 \
                     AND NOT EXISTS (SELECT 1 FROM message o WHERE o.guid = ?1)",
                    params![&*guid, Kind::Message.number(), source, row.rowid()],
                )
                .map_err(failed())?;
            Ok::<(), ArchiveError>(())
        })
    }

    /// Those that no run wrote.
    pub(super) fn without_strange_aliases(&self) -> rusqlite::Result<()> {
        if self.found.sums_of(ALIASES).next().is_none() || !sums::are_vouched_for(self.connection, ALIASES)? {
            return Ok(());
        }
        for guid in self.found.sums_of(ALIASES) {
            if sums::read(self.connection, ALIASES, guid)? == 0 {
                self.connection.execute("DELETE FROM msgarchive_alias WHERE guid = ?1", [guid])?;
            }
        }
        Ok(())
    }
}
