//! Who is in which chat: as each source had it last, and as the archive shows it and once showed it.
//!
//! Apple's table says only who is in a chat now. So does the archive's; who was in it, and until when, is noted beside it.
//! People come and go by what changes in a source: one that only does not know yet of what another one told before, or
//! that has the chat no more, changes nothing.
//!
//! **Must never**: forget that somebody was in a chat.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::damage::FoundDamaged;
use super::visit::Visit;

/// Who a source has in its chats.
pub const MEMBERS: &str = "msgarchive_member";
/// Who is and was in a chat.
pub const PARTICIPANTS: &str = "msgarchive_participant";

/// The join that says who is in a chat.
pub const NOW: &str = "chat_handle_join";

/// Notes down those of whom nothing is noted, and who is in a chat all the same: archives that were made earlier have no
/// notes, and those of some chats may be damaged. `chats`: `None` for all.
fn note_unnoted(connection: &Connection, chat: Option<i64>, run: i64) -> rusqlite::Result<()> {
    connection.execute(
        &format!(
            "INSERT INTO {PARTICIPANTS} (chat, handle, since) \
             SELECT j.chat_id, j.handle_id, coalesce(b.added, ?2) FROM {NOW} j \
             LEFT JOIN msgarchive_chat b ON b.id = j.chat_id WHERE (?1 IS NULL OR j.chat_id = ?1) AND NOT EXISTS \
               (SELECT 1 FROM {PARTICIPANTS} p WHERE p.chat = j.chat_id AND p.handle = j.handle_id AND p.until IS NULL)"
        ),
        params![chat, run],
    )?;
    Ok(())
}

/// Another archive knows that somebody is or was in a chat. Who is in it, it says as every source does.
pub fn note_once(connection: &Connection, chat: i64, handle: i64, run: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            "INSERT INTO {PARTICIPANTS} (chat, handle, since, until) SELECT ?1, ?2, ?3, ?3 \
             WHERE NOT EXISTS (SELECT 1 FROM {PARTICIPANTS} WHERE chat = ?1 AND handle = ?2)"
        ))?
        .execute([chat, handle, run])?;
    Ok(())
}

/// Puts right what is wrong with the notes, by what else there is.
pub fn mend(connection: &Connection, found: &FoundDamaged, run: i64) -> rusqlite::Result<()> {
    for about in found.sums_of(MEMBERS) {
        // As if the source had never told of the chat.
        if let Some((source, chat)) = about.split_once(' ') {
            connection
                .execute(&format!("DELETE FROM {MEMBERS} WHERE source = ?1 AND chat = ?2"), [source, chat])?;
        }
    }
    for chat in found.ids_of(PARTICIPANTS) {
        note_unnoted(connection, Some(chat), run)?;
        connection.execute(
            &format!(
                "UPDATE {PARTICIPANTS} AS p SET until = ?2 WHERE chat = ?1 AND until IS NULL AND NOT EXISTS \
                   (SELECT 1 FROM {NOW} j WHERE j.chat_id = p.chat AND j.handle_id = p.handle)"
            ),
            [chat, run],
        )?;
    }
    Ok(())
}

/// Compares who a source has in its chats now with who it had.
pub struct Participants<'c> {
    connection: &'c Connection,
    source: i64,
    run: i64,
    /// By chat, whom the source had in it.
    before: HashMap<i64, HashSet<i64>>,
    /// (chat, handle) of those who are shown, and of those who were once.
    shown: HashSet<(i64, i64)>,
    once: HashSet<(i64, i64)>,
    /// Whom the source has now.
    now: HashSet<(i64, i64)>,
}

impl<'c> Participants<'c> {
    pub fn read(connection: &'c Connection, visit: Visit<'_>) -> rusqlite::Result<Participants<'c>> {
        let Visit { source, run, .. } = visit;
        let noted: bool =
            connection
                .query_row(&format!("SELECT EXISTS (SELECT 1 FROM {PARTICIPANTS})"), [], |row| row.get(0))?;
        if !noted {
            note_unnoted(connection, None, run)?;
        }
        let mut before: HashMap<i64, HashSet<i64>> = HashMap::new();
        let mut statement =
            connection.prepare(&format!("SELECT chat, handle FROM {MEMBERS} WHERE source = ?1"))?;
        let mut rows = statement.query([source])?;
        while let Some(row) = rows.next()? {
            before.entry(row.get(0)?).or_default().insert(row.get(1)?);
        }
        let (mut shown, mut once) = (HashSet::new(), HashSet::new());
        let mut statement = connection.prepare(&format!("SELECT chat, handle, until FROM {PARTICIPANTS}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let is_shown = row.get::<_, Option<i64>>(2)?.is_none();
            if is_shown { &mut shown } else { &mut once }.insert((row.get(0)?, row.get(1)?));
        }
        Ok(Participants { connection, source, run, before, shown, once, now: HashSet::new() })
    }

    /// The source has somebody in a chat. Whether that is to be shown.
    pub fn is_there(&mut self, chat: i64, handle: i64) -> rusqlite::Result<bool> {
        let who = (chat, handle);
        if !self.now.insert(who) {
            return Ok(self.shown.contains(&who));
        }
        let of_chat = self.before.get(&chat);
        let is_old = of_chat.is_some_and(|of| of.contains(&handle));
        if !is_old {
            self.connection
                .prepare_cached(&format!("INSERT INTO {MEMBERS} (source, chat, handle) VALUES (?1, ?2, ?3)"))?
                .execute([self.source, chat, handle])?;
        }
        if self.shown.contains(&who) {
            return Ok(true);
        }
        // Others know that somebody left. Who tells of a chat for the first time may be of before that.
        if is_old || of_chat.is_none() && self.once.contains(&who) {
            return Ok(false);
        }
        self.connection
            .prepare_cached(&format!("INSERT INTO {PARTICIPANTS} (chat, handle, since) VALUES (?1, ?2, ?3)"))?
            .execute([chat, handle, self.run])?;
        self.shown.insert(who);
        Ok(true)
    }

    /// All were told of. Calls `hide` with (chat, handle) of those who are to be shown no more. `chats`: those that the
    /// source has.
    pub fn finish(
        self,
        chats: &HashSet<i64>,
        mut hide: impl FnMut(i64, i64) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        for (chat, handles) in self.before.iter().filter(|(chat, _)| chats.contains(chat)) {
            for handle in handles.iter().filter(|handle| !self.now.contains(&(*chat, **handle))) {
                self.connection
                    .prepare_cached(&format!(
                        "DELETE FROM {MEMBERS} WHERE source = ?1 AND chat = ?2 AND handle = ?3"
                    ))?
                    .execute([self.source, *chat, *handle])?;
                self.connection
                    .prepare_cached(&format!(
                        "UPDATE {PARTICIPANTS} SET until = ?3 WHERE chat = ?1 AND handle = ?2 AND until IS NULL"
                    ))?
                    .execute([*chat, *handle, self.run])?;
                hide(*chat, *handle)?;
            }
        }
        Ok(())
    }
}
