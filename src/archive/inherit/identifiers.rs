//! Where identifiers led in another archive.
//!
//! **Must never**: say it of an identifier of which this archive knew something before: of those it knows itself what it showed.

use rusqlite::types::ValueRef;

use super::Heir;
use crate::archive::ArchiveError;
use crate::archive::identifiers::{self, IDENTIFIERS, Lead, Led};
use crate::archive::kind::Kind;
use crate::archive::places::number;

impl Heir<'_> {
    /// Which identifiers lead and led to its chats, and when, as far as nothing is known of them here.
    pub(super) fn identifiers(&self) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table(IDENTIFIERS) else { return Ok(()) };
        let runs = self.runs()?;
        let run = |of: ValueRef<'_>| runs.get(&number(of)).copied().unwrap_or(self.visit.run);
        fn known(value: ValueRef<'_>) -> Option<ValueRef<'_>> {
            Some(value).filter(|value| *value != ValueRef::Null)
        }
        let mut all = Vec::new();
        let columns = ["chat", "domain", "identifier", "since", "until", "priority"];
        self.tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
            let mut note = || -> rusqlite::Result<()> {
                if let Some(chat) = self.here(Kind::Chat, number(row.value(0)))?
                    && let Some(lead) = Lead::of(chat, row.value(1), row.value(2))
                {
                    all.push(Led {
                        lead,
                        since: run(row.value(3)),
                        until: known(row.value(4)).map(run),
                        priority: known(row.value(5)).map(number),
                    });
                }
                Ok(())
            };
            note().map_err(self.failed())
        })?;
        identifiers::inherit(self.connection, &all, self.visit.run).map_err(self.failed())
    }
}
