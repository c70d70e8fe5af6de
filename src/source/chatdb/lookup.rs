//! Messages of an archive one by one, for who wants to look at some: found by its indexes, without counting what is in
//! it.
//!
//! **Must never**: scan `message`, or answer otherwise than a [`ChatDb`](super::ChatDb) does whose page has the row.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::archived::Archived;
use super::hanging::{LONGEST_CHAIN, Link, all_pointing, is_of_a_poll};
use super::live;
use super::query::Queries;
use super::rows;
use crate::source::database::{Columns, Schema};
use crate::source::locate::{Locator, Roots};
use crate::source::{ChatId, DeletedPart, RawAttachment, RawMessage, Target};

/// A reader of single messages, over a connection to an archive that sees one moment.
pub struct Lookup<'c> {
    connection: &'c Connection,
    queries: Queries,
    archived: Archived,
    roots: Roots,
    /// (delete date, reason) of a message.
    deleted: String,
    chat: &'static str,
    attached: Option<String>,
    /// (rowid) of what points at a GUID, in its three spellings.
    pointing: Option<&'static str>,
    deleted_parts: Option<String>,
    former: String,
}

/// More than are kept otherwise: each is asked for again and again.
const STATEMENTS: usize = 64;

impl<'c> Lookup<'c> {
    /// Of an archive that lies in a folder, with a connection to its database.
    ///
    /// # Errors
    /// What SQLite says of its schema.
    pub fn of(connection: &'c Connection, folder: &Path) -> rusqlite::Result<Lookup<'c>> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let schema = Schema::probe(connection)?;
        let former: Vec<String> = rows::MESSAGE
            .iter()
            .map(|name| match *name {
                "rowid" => "v.msgarchive_id".into(),
                name => schema.column(FORMER, "v", name),
            })
            .collect();
        let attached = schema.has_all("message_attachment_join", &["message_id", "attachment_id"]).then(|| {
            let columns: Vec<String> =
                rows::ATTACHMENT.iter().map(|name| schema.column("attachment", "a", name)).collect();
            format!(
                "SELECT {} FROM message_attachment_join j CROSS JOIN attachment a ON a.rowid = j.attachment_id \
                 WHERE j.message_id = ?1",
                columns.join(", ")
            )
        });
        let deleted_parts =
            schema.has_all("recoverable_message_part", &["chat_id", "message_id"]).then(|| {
                let columns = rows::of_deleted_part(&schema);
                format!("SELECT {columns} FROM recoverable_message_part p WHERE p.message_id = ?1")
            });
        // The comparison lets SQLite use Apple's partial index.
        let pointing = "SELECT m.rowid FROM message m WHERE m.associated_message_guid IN (?1, ?2, ?3) \
                        AND m.associated_message_guid > ''";
        Ok(Lookup {
            connection,
            archived: Archived::of_single(connection, &schema)?,
            roots: Roots::new(folder, None),
            deleted: Archived::why_of(connection)?,
            chat: "SELECT min(chat_id) FROM chat_message_join WHERE message_id = ?1",
            attached,
            pointing: schema.has("message", "associated_message_guid").then_some(pointing),
            deleted_parts,
            former: format!(
                "SELECT {} FROM {FORMER} v WHERE v.msgarchive_id = ?1 ORDER BY v.msgarchive_version",
                former.join(", ")
            ),
            queries: Queries::new(&schema),
        })
    }

    /// Every SQL statement that only a lookup has, with its name: for tests of the query plans.
    pub fn statements(&self) -> Vec<(&'static str, &str)> {
        let optional = [
            ("lookup_attached", self.attached.as_deref()),
            ("lookup_pointing", self.pointing),
            ("lookup_deleted_parts", self.deleted_parts.as_deref()),
        ];
        let there = optional.into_iter().filter_map(|(name, sql)| Some((name, sql?)));
        there.chain([("lookup_chat", self.chat), ("lookup_former", &*self.former)]).collect()
    }

    /// A message, complete but for the one that it answers; and without the bytes of its attachments, save where what it
    /// says may be among them.
    ///
    /// # Errors
    /// What SQLite says, also of a damaged place in the file.
    pub fn message(&self, rowid: i64) -> rusqlite::Result<Option<RawMessage>> {
        let Some(mut row) = self.bare(rowid)? else { return Ok(None) };
        row.chat = self.chat_of(rowid)?;
        self.filter(&mut row)?;
        let mut statement = self.connection.prepare_cached(&self.deleted)?;
        Archived::mark_as(&mut row, statement.query([rowid])?)?;
        row.attachments = self.attachments(&row)?;
        row.deleted_parts = self.parts_deleted(rowid)?;
        row.earlier = self.archived.earlier(self.connection, &row)?;
        self.add_owner(&mut row)?;
        if let Some(root) = self.root(&row)? {
            row.target = Some(Target { rowid: root, chat: self.chat_of(root)?.unwrap_or(ChatId::ORPHANS) });
        } else if row.balloon_bundle_id.is_some() {
            row.associated = self.associated(&row)?;
        }
        Ok(Some(row))
    }

    /// The states that a message had before, oldest first, with nothing that hung on them.
    ///
    /// # Errors
    /// As of [`Lookup::message`].
    pub fn former(&self, rowid: i64) -> rusqlite::Result<Vec<RawMessage>> {
        let mut statement = self.connection.prepare_cached(&self.former)?;
        statement.query_map([rowid], |row| Ok(rows::message(row)))?.collect()
    }

    fn bare(&self, rowid: i64) -> rusqlite::Result<Option<RawMessage>> {
        let mut statement = self.connection.prepare_cached(&self.queries.message)?;
        statement.query_row([rowid], |row| Ok(rows::message(row))).optional()
    }

    fn chat_of(&self, rowid: i64) -> rusqlite::Result<Option<ChatId>> {
        let mut statement = self.connection.prepare_cached(self.chat)?;
        statement.query_row([rowid], |row| Ok(Columns::from(row, 0).maybe_number().map(ChatId)))
    }

    /// What the row's join with its chat says of filters counts where it says something.
    fn filter(&self, row: &mut RawMessage) -> rusqlite::Result<()> {
        let (Some(sql), Some(chat)) = (&self.queries.filtered, row.chat) else { return Ok(()) };
        let mut statement = self.connection.prepare_cached(sql)?;
        let of_join = statement.query_row(params![chat.0, row.rowid], |row| {
            let mut c = Columns::from(row, 0);
            Ok([c.number(), c.number()])
        });
        let of_join = of_join.optional()?.unwrap_or_default();
        for (own, of_join) in [&mut row.filter_action, &mut row.filter_sub_action].into_iter().zip(of_join) {
            if of_join != 0 {
                *own = of_join;
            }
        }
        Ok(())
    }

    /// With their bytes only where a card's payload may be among them.
    fn attachments(&self, row: &RawMessage) -> rusqlite::Result<Vec<RawAttachment>> {
        let Some(sql) = &self.attached else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map([row.rowid], |row| Ok(rows::attachment(row)))?;
        let mut attachments: Vec<RawAttachment> = found.collect::<rusqlite::Result<_>>()?;
        // In the order of their ids, and each once: a join without a key may say the same twice.
        attachments.sort_by_key(|attachment| attachment.rowid);
        attachments.dedup_by_key(|attachment| attachment.rowid);
        attachments.iter_mut().for_each(|attachment| self.archived.contents(attachment));
        let has_payload = row.payload_data.as_ref().is_some_and(|payload| !payload.is_empty());
        if row.balloon_bundle_id.is_some() && !has_payload {
            let mut locator = Locator::new(&self.roots);
            for attachment in &mut attachments {
                let found = attachment.filename.as_deref().and_then(|name| locator.find(name));
                attachment.content = found.map(|found| found.content);
            }
        }
        live::without_own_rows(&mut attachments);
        Ok(attachments)
    }

    fn parts_deleted(&self, rowid: i64) -> rusqlite::Result<Vec<DeletedPart>> {
        let Some(sql) = &self.deleted_parts else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(sql)?;
        let part = |row: &Row<'_>| Ok(rows::deleted_part(row));
        let mut parts: Vec<_> = statement.query_map([rowid], part)?.collect::<rusqlite::Result<_>>()?;
        parts.sort();
        parts.dedup();
        Ok(parts)
    }

    /// Whom the owner was to the others, where a row names people by their addresses.
    fn add_owner(&self, row: &mut RawMessage) -> rusqlite::Result<()> {
        if !is_of_a_poll(row) {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(&self.queries.owner)?;
        let addresses = statement.query_row([row.rowid], |row| {
            let mut c = Columns::from(row, 0);
            Ok([c.text(), c.text()])
        });
        let addresses = addresses.optional()?.into_iter().flatten().flatten();
        row.own_addresses = addresses.filter(|address| !address.is_empty()).collect();
        Ok(())
    }

    /// The row at the end of what this one points at; `None` for itself, and where it goes in a circle.
    fn root(&self, row: &RawMessage) -> rusqlite::Result<Option<i64>> {
        let mut link = Link::of(row);
        for _ in 0..LONGEST_CHAIN {
            let parent = match &link.points_at {
                None => None,
                Some(guid) => self.find(guid)?.filter(|parent| parent.rowid != link.rowid),
            };
            match parent {
                None => return Ok(Some(link.rowid).filter(|root| *root != row.rowid)),
                Some(parent) if parent.rowid == row.rowid => return Ok(None),
                Some(parent) => link = parent,
            }
        }
        Ok(None)
    }

    fn find(&self, guid: &str) -> rusqlite::Result<Option<Link>> {
        let Some(sql) = &self.queries.by_guid else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(sql)?;
        for spelling in super::guids::spellings(guid) {
            if let Some(link) = statement.query_row([spelling], Link::read).optional()? {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }

    /// Every row that points at this one, or at a row that does.
    fn associated(&self, root: &RawMessage) -> rusqlite::Result<Vec<RawMessage>> {
        let Some(sql) = self.pointing else { return Ok(Vec::new()) };
        all_pointing(root, root.chat.unwrap_or(ChatId::ORPHANS), |_, guid, seen| {
            let mut statement = self.connection.prepare_cached(sql)?;
            let spelled = params![guid, format!("p:0/{guid}"), format!("bp:{guid}")];
            let found = statement.query_map(spelled, |row| Ok(Columns::from(row, 0).number()))?;
            let found = found.collect::<rusqlite::Result<Vec<i64>>>()?;
            let mut pointing = Vec::new();
            for rowid in found.into_iter().filter(|rowid| !seen.contains(rowid)) {
                let Some(mut row) = self.bare(rowid)? else { continue };
                if Link::of(&row).points_at.is_none() {
                    continue;
                }
                row.attachments = self.attachments(&row)?;
                self.add_owner(&mut row)?;
                pointing.push(row);
            }
            Ok(pointing)
        })
    }
}

/// The table of former states of messages.
const FORMER: &str = "msgarchive_message_version";
