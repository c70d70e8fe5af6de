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
use super::kind::Kind;
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

/// Between which runs of this archive somebody was in a chat; `until`: `None` while that lasts.
#[derive(Debug, Clone, Copy)]
pub struct Stay {
    pub chat: i64,
    pub handle: i64,
    pub since: i64,
    pub until: Option<i64>,
}

/// Takes over what another archive knows of who was in which chat when, of those of whom nothing was known before this run.
/// Who is in it now, it has said as every source does.
pub fn inherit(connection: &Connection, stays: &[Stay], run: i64) -> rusqlite::Result<()> {
    let mut known =
        connection.prepare(&format!("SELECT chat, handle FROM {PARTICIPANTS} WHERE since < ?1"))?;
    let known = known.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let known: HashSet<(i64, i64)> = known.collect::<rusqlite::Result<_>>()?;
    let mut was = connection.prepare(&format!(
        "INSERT INTO {PARTICIPANTS} (chat, handle, since, until) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS \
           (SELECT 1 FROM {PARTICIPANTS} WHERE chat = ?1 AND handle = ?2 AND since = ?3 AND until = ?4)"
    ))?;
    let mut is = connection.prepare(&format!(
        "UPDATE {PARTICIPANTS} SET since = ?3 WHERE chat = ?1 AND handle = ?2 AND since > ?3 AND until IS NULL"
    ))?;
    for Stay { chat, handle, since, until } in stays {
        if !known.contains(&(*chat, *handle)) {
            match until {
                Some(until) => was.execute([chat, handle, since, until])?,
                None => is.execute([chat, handle, since])?,
            };
        }
    }
    Ok(())
}

/// Puts right what is wrong with the notes, by what else there is.
pub fn mend(connection: &Connection, found: &FoundDamaged, run: i64) -> rusqlite::Result<()> {
    for about in found.sums_of(MEMBERS) {
        // As if the source had told of none but those who left meanwhile: that it still has them is no news.
        if let Some((source, chat)) = about.split_once(' ') {
            connection
                .execute(&format!("DELETE FROM {MEMBERS} WHERE source = ?1 AND chat = ?2"), [source, chat])?;
            connection.execute(
                &format!(
                    "INSERT INTO {MEMBERS} (source, chat, handle) SELECT ?1, ?2, handle FROM {PARTICIPANTS} \
                     WHERE chat = ?2 GROUP BY handle HAVING count(*) = count(until)"
                ),
                [source, chat],
            )?;
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

/// The chats that a source had before this run.
pub fn chats_had(connection: &Connection, visit: Visit<'_>) -> rusqlite::Result<HashSet<i64>> {
    let mut chats = connection
        .prepare("SELECT id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND since < ?3")?;
    chats.query_map([Kind::Chat.number(), visit.source, visit.run], |row| row.get(0))?.collect()
}

/// Compares who a source has in its chats now with who it had.
pub struct Participants<'c> {
    connection: &'c Connection,
    source: i64,
    run: i64,
    /// By chat, whom the source had in it.
    before: HashMap<i64, HashSet<i64>>,
    /// Chats that the source had before this run, whoever was in them.
    chats_before: HashSet<i64>,
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
        let mut chats_before = chats_had(connection, visit)?;
        chats_before.extend(before.keys());
        Ok(Participants { connection, source, run, before, chats_before, shown, once, now: HashSet::new() })
    }

    /// Notes down that the source has somebody in a chat. Whether that is to be shown.
    pub fn note(&mut self, chat: i64, handle: i64) -> rusqlite::Result<bool> {
        if self.now.insert((chat, handle)) {
            let is_news = self.note_member(chat, handle)?;
            if is_news && self.is_back_or_new(chat, handle) {
                self.note_participant(chat, handle)?;
            }
        }
        Ok(self.shown.contains(&(chat, handle)))
    }

    /// Whether the source did not have them there before.
    fn note_member(&self, chat: i64, handle: i64) -> rusqlite::Result<bool> {
        let is_news = self.before.get(&chat).is_none_or(|of| !of.contains(&handle));
        if is_news {
            self.connection
                .prepare_cached(&format!("INSERT INTO {MEMBERS} (source, chat, handle) VALUES (?1, ?2, ?3)"))?
                .execute([self.source, chat, handle])?;
        }
        Ok(is_news)
    }

    /// Of whom the source tells for the first time. Others may know that they left: a source that tells of the chat itself
    /// for the first time may be of before that.
    fn is_back_or_new(&self, chat: i64, handle: i64) -> bool {
        let who = (chat, handle);
        !self.shown.contains(&who) && (self.chats_before.contains(&chat) || !self.once.contains(&who))
    }

    fn note_participant(&mut self, chat: i64, handle: i64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(&format!("INSERT INTO {PARTICIPANTS} (chat, handle, since) VALUES (?1, ?2, ?3)"))?
            .execute([chat, handle, self.run])?;
        self.shown.insert((chat, handle));
        Ok(())
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
