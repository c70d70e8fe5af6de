//! Which identifiers lead to which chat: as each source said it last, and as the archive shows it and once showed it.
//!
//! Chats that share an identifier are one conversation (`messages-format.md` 12.5). Apple's table, `chat_lookup`, says only where an
//! identifier leads now: one that leads to another chat, of other people perhaps, leads to the first one no more. So does the
//! archive's; where it led, and until when, is noted beside it, and chats are joined as the sources say it last.
//!
//! An identifier leads to a chat as long as any source says so; but for what one said before another one, which had said it
//! since, took it back: of a source that was found changed no more, a backup of long ago, that is for ever. One that goes on
//! saying it while it changes is believed again. A source that tells of a chat for the first time may be of before it was
//! taken back; and one that has a chat no more has taken back only what leads elsewhere there.
//!
//! **Must never**: forget where an identifier led.

use std::collections::HashSet;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};

use super::damage::FoundDamaged;
use super::deletions::STATES;
use super::kind::Kind;
use super::participants::chats_had;
use super::visit::Visit;

/// Where identifiers lead in a source.
pub const LOOKED_UP: &str = "msgarchive_looked_up";
/// Where they lead, and led.
pub const IDENTIFIERS: &str = "msgarchive_identifier";

/// The join that says where they lead.
pub const NOW: &str = "chat_lookup";

/// An identifier of a domain that leads to a chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lead {
    pub chat: i64,
    /// Texts, that may be no UTF-8.
    pub domain: Vec<u8>,
    pub identifier: Vec<u8>,
}

impl Lead {
    /// `None`: it is no text.
    pub fn of(chat: i64, domain: ValueRef<'_>, identifier: ValueRef<'_>) -> Option<Lead> {
        let text = |value: ValueRef<'_>| match value {
            ValueRef::Text(text) => Some(text.to_vec()),
            // As the book of joins has it.
            ValueRef::Null => Some(Vec::new()),
            _ => None,
        };
        Some(Lead { chat, domain: text(domain)?, identifier: text(identifier)? })
    }

    /// What names a row of the join.
    pub fn identity(&self) -> [ValueRef<'_>; 3] {
        [ValueRef::Integer(self.chat), ValueRef::Text(&self.identifier), ValueRef::Text(&self.domain)]
    }

    /// The same identifier, wherever it leads.
    fn key(&self) -> (&[u8], &[u8]) {
        (&self.domain, &self.identifier)
    }

    /// For a statement.
    fn texts(&self) -> [ToSqlOutput<'_>; 2] {
        [&self.domain, &self.identifier].map(|text| ToSqlOutput::Borrowed(ValueRef::Text(text)))
    }

    /// The first columns of a row: chat, domain, identifier.
    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Lead>> {
        Ok(Lead::of(row.get(0)?, row.get_ref(1)?, row.get_ref(2)?))
    }
}

/// Between which runs of this archive an identifier led to a chat; `until`: `None` while that lasts.
#[derive(Debug, Clone)]
pub struct Led {
    pub lead: Lead,
    pub since: i64,
    pub until: Option<i64>,
    /// Of what leads there no more, the one that it had.
    pub priority: Option<i64>,
}

/// What is no text is nothing that leads anywhere. SQL.
const TEXTS: &str = "typeof(coalesce(l.domain, '')) = 'text' AND typeof(coalesce(l.identifier, '')) = 'text'";

/// Notes down what leads to a chat all the same, where nothing is noted of it: archives that were made earlier have no notes,
/// and those of some chats may be damaged. `chat`: `None` for all.
fn note_unnoted(connection: &Connection, chat: Option<i64>, run: i64) -> rusqlite::Result<()> {
    connection.execute(
        &format!(
            "INSERT INTO {IDENTIFIERS} (chat, domain, identifier, since) \
             SELECT l.chat, coalesce(l.domain, ''), coalesce(l.identifier, ''), coalesce(b.added, ?2) FROM {NOW} l \
             LEFT JOIN msgarchive_chat b ON b.id = l.chat WHERE (?1 IS NULL OR l.chat = ?1) AND {TEXTS} AND NOT EXISTS \
               (SELECT 1 FROM {IDENTIFIERS} i WHERE i.chat = l.chat AND i.domain = coalesce(l.domain, '') \
                AND i.identifier = coalesce(l.identifier, '') AND i.until IS NULL)"
        ),
        params![chat, run],
    )?;
    Ok(())
}

/// Which source said what of an archive that was made earlier is not known: each that has the chat, or else the one that
/// brought it, until it is read.
fn suppose_said(connection: &Connection) -> rusqlite::Result<()> {
    let has = "s.kind = ?1 AND s.id = l.chat";
    connection.execute(
        &format!(
            "INSERT OR IGNORE INTO {LOOKED_UP} (source, chat, domain, identifier) \
             SELECT s.source, l.chat, coalesce(l.domain, ''), coalesce(l.identifier, '') FROM {NOW} l \
             CROSS JOIN msgarchive_sighting s ON {has} WHERE {TEXTS} UNION ALL \
             SELECT b.source, l.chat, coalesce(l.domain, ''), coalesce(l.identifier, '') FROM {NOW} l \
             JOIN msgarchive_chat b ON b.id = l.chat \
             WHERE {TEXTS} AND NOT EXISTS (SELECT 1 FROM msgarchive_sighting s WHERE {has})"
        ),
        [Kind::Chat.number()],
    )?;
    Ok(())
}

/// A source has no such table: it says nothing, whatever it was supposed to say.
pub fn says_nothing(connection: &Connection, source: i64) -> rusqlite::Result<()> {
    connection.execute(&format!("DELETE FROM {LOOKED_UP} WHERE source = ?1"), [source]).map(drop)
}

/// Takes over what another archive knows of where identifiers led, of those of which nothing was known before this run. Where
/// they lead now, it has said as every source does.
pub fn inherit(connection: &Connection, all: &[Led], run: i64) -> rusqlite::Result<()> {
    let mut known = connection
        .prepare(&format!("SELECT chat, domain, identifier FROM {IDENTIFIERS} WHERE since < ?1"))?;
    let known = known.query_map([run], Lead::read)?;
    let known: HashSet<Option<Lead>> = known.collect::<rusqlite::Result<_>>()?;
    let of = "chat = ?1 AND domain = ?2 AND identifier = ?3";
    let mut led = connection.prepare(&format!(
        "INSERT INTO {IDENTIFIERS} (chat, domain, identifier, since, until, priority) SELECT ?1, ?2, ?3, ?4, ?5, ?6 \
         WHERE NOT EXISTS (SELECT 1 FROM {IDENTIFIERS} WHERE {of} AND since = ?4 AND until = ?5)"
    ))?;
    let mut leads = connection.prepare(&format!(
        "UPDATE {IDENTIFIERS} SET since = ?4 WHERE {of} AND since > ?4 AND until IS NULL"
    ))?;
    for Led { lead, since, until, priority } in all {
        if known.contains(&Some(lead.clone())) {
            continue;
        }
        let [domain, identifier] = lead.texts();
        match until {
            Some(until) => led.execute(params![lead.chat, domain, identifier, since, until, priority])?,
            None => leads.execute(params![lead.chat, domain, identifier, since])?,
        };
    }
    Ok(())
}

/// Puts right what is wrong with the notes, by what else there is.
pub fn mend(connection: &Connection, found: &FoundDamaged, run: i64) -> rusqlite::Result<()> {
    for about in found.sums_of(LOOKED_UP) {
        // As if the source had said nothing but what is shown no more: that it still says that is no news.
        if let Some((source, chat)) = about.split_once(' ') {
            connection.execute(
                &format!("DELETE FROM {LOOKED_UP} WHERE source = ?1 AND chat = ?2"),
                [source, chat],
            )?;
            connection.execute(
                &format!(
                    "INSERT INTO {LOOKED_UP} (source, chat, domain, identifier) \
                     SELECT ?1, ?2, domain, identifier FROM {IDENTIFIERS} WHERE chat = ?2 \
                     GROUP BY domain, identifier HAVING count(*) = count(until)"
                ),
                [source, chat],
            )?;
        }
    }
    for chat in found.ids_of(IDENTIFIERS) {
        note_unnoted(connection, Some(chat), run)?;
        connection.execute(
            &format!(
                "UPDATE {IDENTIFIERS} AS i SET until = ?2 WHERE chat = ?1 AND until IS NULL AND NOT EXISTS \
                   (SELECT 1 FROM {NOW} l WHERE l.chat = i.chat AND coalesce(l.domain, '') = i.domain \
                    AND coalesce(l.identifier, '') = i.identifier)"
            ),
            [chat, run],
        )?;
    }
    Ok(())
}

/// The last run that found a source changed, or new. SQL.
fn found(source: &str) -> String {
    format!("coalesce((SELECT max(run) FROM {STATES} WHERE source = {source}), 0)")
}

/// Compares where identifiers lead in a source now with where they led.
pub struct Identifiers<'c> {
    connection: &'c Connection,
    source: i64,
    run: i64,
    /// The source is not as it was when it was read before.
    is_changed: bool,
    before: HashSet<Lead>,
    /// Chats that the source had before this run, whatever led to them.
    chats_before: HashSet<i64>,
    /// What is shown, and what was once.
    shown: HashSet<Lead>,
    once: HashSet<Lead>,
    now: HashSet<Lead>,
}

impl<'c> Identifiers<'c> {
    /// `is_changed`: whether the source is not as it was when it was read before.
    pub fn read(
        connection: &'c Connection,
        visit: Visit<'_>,
        is_changed: bool,
    ) -> rusqlite::Result<Identifiers<'c>> {
        let Visit { source, run, .. } = visit;
        let is_noted = format!("SELECT EXISTS (SELECT 1 FROM {IDENTIFIERS})");
        if !connection.query_row(&is_noted, [], |row| row.get::<_, bool>(0))? {
            note_unnoted(connection, None, run)?;
            suppose_said(connection)?;
        }
        let mut before = HashSet::new();
        let mut statement = connection
            .prepare(&format!("SELECT chat, domain, identifier FROM {LOOKED_UP} WHERE source = ?1"))?;
        let mut rows = statement.query([source])?;
        while let Some(row) = rows.next()? {
            before.extend(Lead::read(row)?);
        }
        let (mut shown, mut once) = (HashSet::new(), HashSet::new());
        let mut statement =
            connection.prepare(&format!("SELECT chat, domain, identifier, until FROM {IDENTIFIERS}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let is_shown = row.get::<_, Option<i64>>(3)?.is_none();
            if is_shown { &mut shown } else { &mut once }.extend(Lead::read(row)?);
        }
        let mut chats_before = chats_had(connection, visit)?;
        chats_before.extend(before.iter().map(|lead| lead.chat));
        Ok(Identifiers {
            connection,
            source,
            run,
            is_changed,
            before,
            chats_before,
            shown,
            once,
            now: HashSet::new(),
        })
    }

    /// Notes down that the source says so. Whether that is to be shown.
    pub fn note(&mut self, lead: &Lead) -> rusqlite::Result<bool> {
        if self.now.insert(lead.clone()) {
            let was_said = self.before.contains(lead);
            if !was_said {
                self.note_said(lead)?;
            }
            if !self.shown.contains(lead) && self.is_of_now(lead, was_said) {
                self.note_shown(lead)?;
            }
        }
        Ok(self.shown.contains(lead))
    }

    /// Whether what is not shown is what the source says of now; others may have taken it back.
    fn is_of_now(&self, lead: &Lead, was_said: bool) -> bool {
        match was_said {
            true => self.is_changed,
            false => self.chats_before.contains(&lead.chat) || !self.once.contains(lead),
        }
    }

    fn note_said(&self, lead: &Lead) -> rusqlite::Result<()> {
        let [domain, identifier] = lead.texts();
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO {LOOKED_UP} (source, chat, domain, identifier) VALUES (?1, ?2, ?3, ?4)"
            ))?
            .execute(params![self.source, lead.chat, domain, identifier])
            .map(drop)
    }

    fn note_shown(&mut self, lead: &Lead) -> rusqlite::Result<()> {
        let [domain, identifier] = lead.texts();
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO {IDENTIFIERS} (chat, domain, identifier, since) VALUES (?1, ?2, ?3, ?4)"
            ))?
            .execute(params![lead.chat, domain, identifier, self.run])?;
        self.shown.insert(lead.clone());
        Ok(())
    }

    /// All was told. Calls `hide` with what is to be shown no more. `chats`: those that the source has; `distrusted`: those of
    /// which it is not certain what leads to them there.
    pub fn finish(
        self,
        chats: &HashSet<i64>,
        distrusted: &HashSet<i64>,
        mut hide: impl FnMut(&Lead) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let elsewhere: HashSet<_> = self.now.iter().map(Lead::key).collect();
        let mut gone: Vec<&Lead> = self.before.difference(&self.now).collect();
        gone.retain(|lead| {
            !distrusted.contains(&lead.chat)
                && (chats.contains(&lead.chat) || elsewhere.contains(&lead.key()))
        });
        gone.sort_unstable();
        for lead in gone {
            let [domain, identifier] = lead.texts();
            self.connection
                .prepare_cached(&format!(
                    "DELETE FROM {LOOKED_UP} WHERE chat = ?1 AND domain = ?2 AND identifier = ?3 AND source = ?4"
                ))?
                .execute(params![lead.chat, domain, identifier, self.source])?;
            if self.shown.contains(lead) && !self.is_said_by_others(lead)? {
                self.note_hidden(lead)?;
                hide(lead)?;
            }
        }
        Ok(())
    }

    /// Whether another source says so, and not of before this one did.
    fn is_said_by_others(&self, lead: &Lead) -> rusqlite::Result<bool> {
        let [domain, identifier] = lead.texts();
        self.connection
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {LOOKED_UP} o WHERE chat = ?1 AND domain = ?2 AND identifier = ?3 \
                   AND source <> ?4 AND {} >= {})",
                found("o.source"),
                found("?4")
            ))?
            .query_row(params![lead.chat, domain, identifier, self.source], |row| row.get(0))
    }

    fn note_hidden(&self, lead: &Lead) -> rusqlite::Result<()> {
        let [domain, identifier] = lead.texts();
        self.connection
            .prepare_cached(&format!(
                "UPDATE {IDENTIFIERS} SET until = ?4, priority = (SELECT l.priority FROM {NOW} l WHERE l.chat = ?1 \
                   AND coalesce(l.domain, '') = ?2 AND coalesce(l.identifier, '') = ?3) \
                 WHERE chat = ?1 AND domain = ?2 AND identifier = ?3 AND until IS NULL"
            ))?
            .execute(params![lead.chat, domain, identifier, self.run])
            .map(drop)
    }
}
