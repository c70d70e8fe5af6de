//! What hangs on a row: its attachments, the rows that point at it, the row it points at.
//!
//! Most of it lies in the same page, since people answer soon; only the rest is asked of the database.

use std::cell::OnceCell;
use std::collections::HashSet;

use foldhash::HashMap;
use rusqlite::{OptionalExtension, Row, params};

use super::guids::{same, spellings, target_of};
use super::session::Reader;
use super::{live, rows};
use crate::source::database::Columns;
use crate::source::timeline::Moment;
use crate::source::{ChatId, DeletedPart, EarlierBody, RawAttachment, RawMessage, Target};

/// How long a chain of updates of updates may be. A longer one (or a circle) belongs to nothing.
pub(super) const LONGEST_CHAIN: usize = 64;

/// Whether the films of Live Photos are looked for, which have no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Films {
    Found,
    Left,
}

/// A row as far as pointing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub rowid: i64,
    pub guid: Option<String>,
    /// The GUID it names, where that makes it part of another row.
    pub points_at: Option<String>,
}

/// Where a chain of links ends.
enum Root {
    /// It points at nothing that is in the source.
    Itself,
    Other(i64),
    /// Nowhere: it goes in a circle, or on for too long.
    None,
}

/// Every row that points at `root`, or at a row that does, by date. `pointing`: the rows that point at one, which is given by its
/// row id and its GUID, with what hangs on them; of those that were found already (the row ids) none is needed.
pub(super) fn all_pointing(
    root: &RawMessage,
    chat: ChatId,
    mut pointing: impl FnMut(i64, &str, &HashSet<i64>) -> rusqlite::Result<Vec<RawMessage>>,
) -> rusqlite::Result<Vec<RawMessage>> {
    let mut found: Vec<RawMessage> = Vec::new();
    let mut seen = HashSet::from([root.rowid]);
    let mut level: Vec<(i64, String)> = root.guid.iter().map(|guid| (root.rowid, guid.clone())).collect();
    for _ in 1..LONGEST_CHAIN {
        let mut next = Vec::new();
        for (rowid, guid) in level {
            for mut row in pointing(rowid, &guid, &seen)? {
                if !seen.insert(row.rowid) {
                    continue;
                }
                next.extend(row.guid.clone().map(|guid| (row.rowid, guid)));
                row.chat = root.chat;
                row.target = Some(Target { rowid: root.rowid, chat });
                found.push(row);
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    found.sort_by_key(|row| (Moment::of(row.date), row.rowid));
    Ok(found)
}

/// The rows of a page, found by row id and by GUID.
struct Page<'p> {
    rows: &'p [RawMessage],
    index: OnceCell<Index<'p>>,
}

#[derive(Default)]
struct Index<'p> {
    by_rowid: HashMap<i64, &'p RawMessage>,
    by_guid: HashMap<&'p str, &'p RawMessage>,
}

impl<'p> Page<'p> {
    fn index(&self) -> &Index<'p> {
        self.index.get_or_init(|| {
            let mut index = Index::default();
            // Unreadable rows have no GUID to be found by, and nothing to be shown with.
            for row in self.rows.iter().filter(|row| !row.unreadable) {
                index.by_rowid.insert(row.rowid, row);
                if let Some(guid) = &row.guid {
                    index.by_guid.insert(guid, row);
                }
            }
            index
        })
    }
}

/// What belongs to one row of a page.
#[derive(Default)]
struct Hanging {
    attachments: Vec<RawAttachment>,
    deleted_parts: Vec<DeletedPart>,
    associated: Vec<RawMessage>,
    originator: Option<Box<RawMessage>>,
    target: Option<Target>,
    own_addresses: Vec<String>,
    earlier: Vec<EarlierBody>,
}

impl Reader<'_> {
    /// Adds to bare rows what hangs on them.
    pub(super) fn complete(&mut self, rows: &mut [RawMessage]) -> rusqlite::Result<()> {
        let page = Page { rows, index: OnceCell::new() };
        let associated = &self.census().associated;
        let pointed_at = |row: &RawMessage| row.guid.as_deref().is_some_and(|guid| associated.may_have(guid));
        let pointed_at: Vec<bool> = page.rows.iter().map(pointed_at).collect();
        let mut hanging = Vec::new();
        for ((at, row), pointed_at) in page.rows.iter().enumerate().zip(pointed_at) {
            if let Some(found) = self.hanging(row, pointed_at, &page)? {
                hanging.push((at, found));
            }
        }
        for (at, found) in hanging {
            if let Some(row) = rows.get_mut(at) {
                row.attachments = found.attachments;
                row.deleted_parts = found.deleted_parts;
                row.associated = found.associated;
                row.originator = found.originator;
                row.target = found.target;
                row.own_addresses = found.own_addresses;
                row.earlier = found.earlier;
            }
        }
        Ok(())
    }

    /// `None` where nothing does, as with most rows. `pointed_at`: other rows may point at it.
    fn hanging(
        &mut self,
        row: &RawMessage,
        pointed_at: bool,
        page: &Page<'_>,
    ) -> rusqlite::Result<Option<Box<Hanging>>> {
        if row.unreadable {
            return Ok(None);
        }
        let mut found: Option<Box<Hanging>> = None;
        let attachments = self.attachments(row.rowid, Films::Found)?;
        if !attachments.is_empty() {
            found.get_or_insert_default().attachments = attachments;
        }
        if self.census().deleted_parts.contains(row.rowid) {
            found.get_or_insert_default().deleted_parts = self.deleted_parts(row)?;
        }
        let earlier = self.archived().earlier(self.connection(), row)?;
        if !earlier.is_empty() {
            found.get_or_insert_default().earlier = earlier;
        }
        if is_of_a_poll(row) {
            found.get_or_insert_default().own_addresses = self.own_addresses(row.rowid)?;
        }
        let root = match &row.associated_message_guid {
            None => Root::Itself,
            Some(_) => self.root(Link::of(row), page)?,
        };
        match root {
            Root::Itself if pointed_at => {
                let associated = self.associated(row, page)?;
                if !associated.is_empty() {
                    found.get_or_insert_default().associated = associated;
                }
            }
            Root::Other(rowid) => {
                let known = page.index().by_rowid.get(&rowid).and_then(|row| row.chat);
                let chat = self.census().chat_of(rowid, known);
                found.get_or_insert_default().target = Some(Target { rowid, chat });
            }
            Root::Itself | Root::None => {}
        }
        if let Some(guid) = row.thread_originator_guid.as_deref()
            && !guid.is_empty()
            && let Some(link) = self.find(target_of(guid), page)?
            && let Some(originator) = self.bare(link.rowid, page)?
        {
            found.get_or_insert_default().originator = Some(Box::new(originator));
        }
        Ok(found)
    }

    pub(super) fn attachments(&mut self, message: i64, films: Films) -> rusqlite::Result<Vec<RawAttachment>> {
        let mut attachments = Vec::new();
        let Some(sql) = &self.queries().attachment else {
            return Ok(attachments);
        };
        // A join without a key may say the same twice.
        let mut seen = HashSet::new();
        for id in self.census().attachments_of(message).filter(|id| seen.insert(*id)) {
            let mut statement = self.connection().prepare_cached(sql)?;
            let attachment = statement.query_row([id], |row| Ok(rows::attachment(row))).optional()?;
            drop(statement);
            if let Some(mut attachment) = attachment {
                if let Some(name) = attachment.filename.as_deref() {
                    let found = self.locator.find(name);
                    attachment.incomplete = found.as_ref().is_some_and(|found| found.incomplete);
                    attachment.content = found.map(|found| found.content);
                    attachment.companion = match films {
                        Films::Left => None,
                        _ => live::film(name, attachment.content.as_ref(), &mut self.locator),
                    };
                }
                self.archived().contents(&mut attachment);
                attachments.push(attachment);
            }
        }
        live::without_own_rows(&mut attachments);
        Ok(attachments)
    }

    /// Whom the owner was to the others, in this row.
    fn own_addresses(&self, message: i64) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection().prepare_cached(&self.queries().owner)?;
        let addresses = statement.query_row([message], |row| {
            let mut c = Columns::from(row, 0);
            Ok([c.text(), c.text()])
        });
        let addresses = addresses.optional()?.into_iter().flatten().flatten();
        Ok(addresses.filter(|address| !address.is_empty()).collect())
    }

    fn deleted_parts(&self, row: &RawMessage) -> rusqlite::Result<Vec<DeletedPart>> {
        let (Some(sql), Some(chat)) = (&self.queries().deleted_parts, row.chat) else {
            return Ok(Vec::new());
        };
        let mut statement = self.connection().prepare_cached(sql)?;
        let parts = statement.query_map(params![chat.0, row.rowid], |row| Ok(rows::deleted_part(row)))?;
        let mut parts: Vec<_> = parts.collect::<rusqlite::Result<_>>()?;
        parts.sort();
        // It may have been deleted in several chats.
        parts.dedup_by_key(|part| part.index);
        Ok(parts)
    }

    /// Every row that points at `root`, or at a row that does.
    fn associated(&mut self, root: &RawMessage, page: &Page<'_>) -> rusqlite::Result<Vec<RawMessage>> {
        let census = self.census();
        all_pointing(root, census.chat_of(root.rowid, root.chat), |rowid, guid, seen| {
            let mut pointing = Vec::new();
            for candidate in census.associated.candidates(guid).filter(|candidate| !seen.contains(candidate))
            {
                let Some(mut row) = self.bare(candidate, page)? else { continue };
                if !self.points_at(&row, rowid, guid, page)? {
                    continue;
                }
                row.attachments = self.attachments(row.rowid, Films::Found)?;
                if is_of_a_poll(&row) {
                    row.own_addresses = self.own_addresses(row.rowid)?;
                }
                row.earlier = self.archived().earlier(self.connection(), &row)?;
                pointing.push(row);
            }
            Ok(pointing)
        })
    }

    /// Does `row` point at the row `rowid`, which has this GUID?
    fn points_at(&self, row: &RawMessage, rowid: i64, guid: &str, page: &Page<'_>) -> rusqlite::Result<bool> {
        let link = Link::of(row);
        let Some(points_at) = &link.points_at else {
            return Ok(false);
        };
        if self.queries().unique_guids && points_at == guid {
            return Ok(true);
        }
        // Spelled otherwise: it points at whichever row is found first, as `root` sees it.
        Ok(self.find(points_at, page)?.is_some_and(|parent| parent.rowid == rowid))
    }

    /// The row at the end of the chain that starts with `link`.
    fn root(&self, mut link: Link, page: &Page<'_>) -> rusqlite::Result<Root> {
        let start = link.rowid;
        for _ in 0..LONGEST_CHAIN {
            match self.parent(&link, page)? {
                None if link.rowid == start => return Ok(Root::Itself),
                None => return Ok(Root::Other(link.rowid)),
                Some(parent) if parent.rowid == start => return Ok(Root::None),
                Some(parent) => link = parent,
            }
        }
        Ok(Root::None)
    }

    fn parent(&self, link: &Link, page: &Page<'_>) -> rusqlite::Result<Option<Link>> {
        match &link.points_at {
            None => Ok(None),
            Some(guid) => Ok(self.find(guid, page)?.filter(|parent| parent.rowid != link.rowid)),
        }
    }

    /// The row that a GUID names.
    fn find(&self, guid: &str, page: &Page<'_>) -> rusqlite::Result<Option<Link>> {
        let queries = self.queries();
        if let Some(index) = &self.census().guids {
            let mut statement = self.connection().prepare_cached(&queries.link)?;
            for rowid in index.candidates(guid) {
                let link = statement.query_row([rowid], Link::read).optional()?;
                if let Some(link) = link
                    && link.guid.as_deref().is_some_and(|own| same(own, guid))
                {
                    return Ok(Some(link));
                }
            }
            return Ok(None);
        }
        if queries.unique_guids
            && let Some(row) = page.index().by_guid.get(guid)
        {
            return Ok(Some(Link::of(row)));
        }
        let Some(sql) = &queries.by_guid else {
            return Ok(None);
        };
        let mut statement = self.connection().prepare_cached(sql)?;
        for spelling in spellings(guid) {
            if let Some(link) = statement.query_row([spelling], Link::read).optional()? {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }

    /// A row by its row id, with nothing on it.
    fn bare(&self, rowid: i64, page: &Page<'_>) -> rusqlite::Result<Option<RawMessage>> {
        match page.index().by_rowid.get(&rowid) {
            Some(row) => {
                let mut row = (*row).clone();
                row.chat = None;
                row.deleted = None;
                Ok(Some(row))
            }
            None => Ok(self.row(rowid, 0)?.filter(|row| !row.unreadable)),
        }
    }
}

/// Polls and votes name people by their addresses, the owner too.
pub(super) fn is_of_a_poll(row: &RawMessage) -> bool {
    row.associated_message_type == 4000 || row.balloon_bundle_id.as_deref().is_some_and(is_polls)
}

/// The Polls app, as `balloon_bundle_id` has it.
fn is_polls(bundle_id: &str) -> bool {
    bundle_id.ends_with("com.apple.messages.Polls")
}

impl Link {
    pub fn of(row: &RawMessage) -> Link {
        Link::new(
            row.rowid,
            row.guid.clone(),
            row.associated_message_guid.as_deref(),
            row.associated_message_type,
            row.balloon_bundle_id.as_deref(),
        )
    }

    pub fn read(row: &Row<'_>) -> rusqlite::Result<Link> {
        let mut c = Columns::from(row, 0);
        let (rowid, guid, associated, kind) = (c.number(), c.text(), c.text(), c.number());
        Ok(Link::new(rowid, guid, associated.as_deref(), kind, c.text().as_deref()))
    }

    /// An ordinary message (type 0) and the first of an app's session (type 3) stand alone, whatever they name; the
    /// latter names itself. A poll that names another row is an update, whatever its type (`messages-format.md` 10.1).
    fn new(
        rowid: i64,
        guid: Option<String>,
        associated: Option<&str>,
        kind: i64,
        bundle_id: Option<&str>,
    ) -> Link {
        let points_at = associated
            .filter(|_| !matches!(kind, 0 | 3) || bundle_id.is_some_and(is_polls))
            .map(target_of)
            .filter(|target| !target.is_empty() && !guid.as_deref().is_some_and(|own| same(own, target)))
            .map(str::to_owned);
        Link { rowid, guid, points_at }
    }
}
