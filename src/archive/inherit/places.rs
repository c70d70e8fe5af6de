//! In which chats messages of another archive were before.
//!
//! **Must never**: say it of a message that this archive had before: of those it knows itself what it showed.

use super::Heir;
use crate::archive::ArchiveError;
use crate::archive::kind::Kind;
use crate::archive::moves::{self, FORMER_PLACES, FormerPlace};
use crate::archive::places::number;

impl Heir<'_> {
    /// Where its messages were before they were moved, of those that this run brought.
    pub(super) fn former_places(&self) -> Result<(), ArchiveError> {
        let Some(table) = self.tables.table(FORMER_PLACES) else { return Ok(()) };
        let runs = self.runs()?;
        let run = |of: i64| runs.get(&of).copied().unwrap_or(self.visit.run);
        let mut former = Vec::new();
        self.tables.reader().rows(
            table,
            &["message", "chat", "since", "until"],
            i64::MIN..=i64::MAX,
            |row| {
                let [message, chat, since, until] = [0, 1, 2, 3].map(|at| number(row.value(at)));
                let mut note = || -> rusqlite::Result<()> {
                    if let Some(message) = self.here(Kind::Message, message)?
                        && let Some(chat) = self.here(Kind::Chat, chat)?
                    {
                        former.push(FormerPlace { message, chat, since: run(since), until: run(until) });
                    }
                    Ok(())
                };
                note().map_err(self.failed())
            },
        )?;
        moves::inherit(self.connection, &former, self.visit.run).map_err(self.failed())
    }
}
