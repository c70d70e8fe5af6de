//! Attachments that came again: with a message that was restored under another GUID, they have other GUIDs, too.
//!
//! Two are the same by their bytes; or, where one of them is not on the disk of any source, by their name and size. So a
//! picture without words is known again, and a message shows each of its pictures once. The row of the one that came again
//! stays, as all rows do; it is joined to nothing.
//!
//! **Must never**: take two pictures for one that have different bytes.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::folder::filename_at;
use super::kind::{CARRIED, Kind};
use super::places::number;
use super::row::text_at;
use super::schema::has_column;
use super::visit::{Ids, Visit};
use crate::disk::ContentName;
use crate::source::tables::Tables;

/// The attachments of a message of the archive.
pub fn carried_by(connection: &Connection, message: i64) -> rusqlite::Result<Vec<i64>> {
    let mut carried = connection.prepare_cached(&format!(
        "SELECT attachment_id FROM {CARRIED} WHERE message_id = ?1 ORDER BY attachment_id"
    ))?;
    carried.query_map([message], |row| row.get(0))?.collect()
}

/// What an attachment is told apart from others by.
#[derive(Debug)]
pub struct Marks {
    id: i64,
    /// The hashes of the bytes that it has and had; of a Live Photo, those of the picture.
    hashes: HashSet<String>,
    name_and_size: Option<(String, i64)>,
}

/// What two attachments that are the same have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mark {
    Id(i64),
    Hash(String),
    NameAndSize(String, i64),
}

impl Marks {
    /// Two attachments are the same.
    fn are_of(&self, other: &Marks) -> bool {
        if self.id == other.id {
            return true;
        }
        match (self.hashes.is_empty(), other.hashes.is_empty()) {
            (false, false) => !self.hashes.is_disjoint(&other.hashes),
            // Of two that are nowhere the bytes may still come, to one of them: they are not known to be the same.
            (true, true) => false,
            _ => self.name_and_size.is_some() && self.name_and_size == other.name_and_size,
        }
    }

    /// All that it may have in common with another one: without any of these it is not the same.
    pub fn all(&self) -> impl Iterator<Item = Mark> {
        let name_and_size = self.name_and_size.clone().map(|(name, size)| Mark::NameAndSize(name, size));
        std::iter::once(Mark::Id(self.id))
            .chain(self.hashes.iter().cloned().map(Mark::Hash))
            .chain(name_and_size)
    }
}

/// Each of these is the same as one of those, and they are as many.
pub fn are_all(these: &[Rc<Marks>], those: &[Rc<Marks>]) -> bool {
    let mut left: Vec<&Rc<Marks>> = those.iter().collect();
    these.len() == those.len()
        && these.iter().all(|one| match left.iter().position(|other| one.are_of(other)) {
            Some(at) => {
                left.swap_remove(at);
                true
            }
            None => false,
        })
}

/// So many attachments are remembered.
const REMEMBERED: usize = 1 << 16;

/// Reads what attachments are told apart by: of each once.
pub struct Marking<'c> {
    connection: &'c Connection,
    have_names_and_sizes: bool,
    known: HashMap<i64, Rc<Marks>>,
}

impl<'c> Marking<'c> {
    pub fn new(connection: &'c Connection) -> rusqlite::Result<Marking<'c>> {
        let mut have_names_and_sizes = true;
        for column in ["transfer_name", "total_bytes"] {
            have_names_and_sizes &= has_column(connection, Kind::Attachment.table(), column)?;
        }
        Ok(Marking { connection, have_names_and_sizes, known: HashMap::new() })
    }

    pub fn of(&mut self, attachment: i64) -> rusqlite::Result<Rc<Marks>> {
        if let Some(known) = self.known.get(&attachment) {
            return Ok(Rc::clone(known));
        }
        let marks = Rc::new(self.read(attachment)?);
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(attachment, Rc::clone(&marks));
        Ok(marks)
    }

    pub fn of_all(&mut self, attachments: &[i64]) -> rusqlite::Result<Vec<Rc<Marks>>> {
        attachments.iter().map(|attachment| self.of(*attachment)).collect()
    }

    /// It has other bytes now.
    fn forget(&mut self, attachment: i64) {
        self.known.remove(&attachment);
    }

    fn read(&self, attachment: i64) -> rusqlite::Result<Marks> {
        let mut paths = self.connection.prepare_cached(
            "SELECT path FROM msgarchive_content WHERE attachment = ?1 \
             UNION SELECT path FROM msgarchive_former_content WHERE attachment = ?1",
        )?;
        let paths = paths.query_map([attachment], |row| row.get::<_, String>(0))?;
        let hashes = paths.map(|path| path.map(|path| ContentName::of(&path).hash.to_owned()));
        let name_and_size = match self.have_names_and_sizes {
            true => self
                .connection
                .prepare_cached(
                    "SELECT transfer_name, total_bytes FROM attachment \
                     WHERE ROWID = ?1 AND transfer_name <> '' AND total_bytes > 0",
                )?
                .query_row([attachment], |row| Ok((text_at(row, 0)?, number(row.get_ref(1)?))))
                .optional()?,
            false => None,
        };
        let name_and_size = name_and_size.and_then(|(name, size)| Some((name?, size)));
        Ok(Marks { id: attachment, hashes: hashes.collect::<rusqlite::Result<_>>()?, name_and_size })
    }
}

/// Finds, of what one source has, what is here already.
pub struct Twins<'c> {
    connection: &'c Connection,
    visit: Visit<'c>,
    marking: Marking<'c>,
    /// Those that were found again: each once for a message.
    found: HashSet<(i64, i64)>,
}

impl<'c> Twins<'c> {
    /// `None`: no message ever came again under another GUID.
    pub fn of(connection: &'c Connection, visit: Visit<'c>) -> rusqlite::Result<Option<Twins<'c>>> {
        let may_be: bool =
            connection.query_row("SELECT EXISTS (SELECT 1 FROM msgarchive_alias)", [], |row| row.get(0))?;
        if !may_be {
            return Ok(None);
        }
        Ok(Some(Twins { connection, visit, marking: Marking::new(connection)?, found: HashSet::new() }))
    }

    /// The message carries another one, which is the same as this one, and which this source knows by no other row. Both are
    /// of the archive.
    pub fn has(&mut self, message: i64, attachment: i64) -> rusqlite::Result<bool> {
        let twin = self.twin(message, attachment)?;
        self.found.extend(twin.map(|twin| (message, twin)));
        Ok(twin.is_some())
    }

    fn twin(&mut self, message: i64, attachment: i64) -> rusqlite::Result<Option<i64>> {
        let is_known_again: bool = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM msgarchive_alias WHERE message = ?1)")?
            .query_row([message], |row| row.get(0))?;
        let carried = if is_known_again { carried_by(self.connection, message)? } else { Vec::new() };
        if carried.contains(&attachment) {
            return Ok(None);
        }
        for other in carried {
            if !self.found.contains(&(message, other))
                && self.marking.of(attachment)?.are_of(&*self.marking.of(other)?)
                && !self.is_of_this_source(other)?
            {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    fn is_of_this_source(&self, attachment: i64) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND id = ?3)",
            )?
            .query_row(params![Kind::Attachment.number(), self.visit.source, attachment], |row| row.get(0))
    }

    /// Bytes came with an attachment that is joined to nothing: the one that its message carries has them, too, if it has none.
    /// `came`: row ids in the source. How many got some.
    pub fn hand_on(&mut self, tables: &Tables, attachments: &Ids, came: &[i64]) -> Result<u64, ArchiveError> {
        let failed = || ArchiveError::of(self.connection);
        let Some(table) = tables.table(CARRIED) else { return Ok(0) };
        let mut alone = HashSet::new();
        for rowid in came {
            if let Some(id) = attachments.get(rowid)
                && self.is_alone(*id).map_err(failed())?
            {
                alone.insert(*rowid);
            }
        }
        let mut handed = 0;
        if alone.is_empty() {
            return Ok(handed);
        }
        self.found.clear();
        tables.reader().rows(table, &["message_id", "attachment_id"], i64::MIN..=i64::MAX, |row| {
            let (message, attachment) = (number(row.value(0)), number(row.value(1)));
            if let Some(id) = attachments.get(&attachment)
                && alone.contains(&attachment)
            {
                handed += self.give(message, *id).map_err(failed())?;
            }
            Ok::<(), ArchiveError>(())
        })?;
        Ok(handed)
    }

    fn is_alone(&self, attachment: i64) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(&format!("SELECT NOT EXISTS (SELECT 1 FROM {CARRIED} WHERE attachment_id = ?1)"))?
            .query_row([attachment], |row| row.get(0))
    }

    /// `message`: its row id in the source.
    fn give(&mut self, message: i64, attachment: i64) -> rusqlite::Result<u64> {
        let here: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT id FROM msgarchive_sighting WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?
            .query_row(params![Kind::Message.number(), self.visit.source, message], |row| row.get(0))
            .optional()?;
        let Some(here) = here else { return Ok(0) };
        let Some(twin) = self.twin(here, attachment)? else { return Ok(0) };
        self.found.insert((here, twin));
        let given = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO msgarchive_content (attachment, original, path, film, source, run) \
                 SELECT a.ROWID, a.filename, c.path, c.film, ?3, ?4 FROM msgarchive_content c, attachment a \
                 WHERE c.attachment = ?1 AND a.ROWID = ?2",
            )?
            .execute(params![attachment, twin, self.visit.source, self.visit.run])?;
        if given > 0 {
            self.marking.forget(twin);
            self.connection
                .prepare_cached(&format!(
                    "UPDATE attachment SET filename = {} WHERE ROWID = ?1",
                    filename_at("(SELECT path FROM msgarchive_content WHERE attachment = ?1)")
                ))?
                .execute([twin])?;
        }
        Ok(given as u64)
    }
}
