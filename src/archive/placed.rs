//! Writes down where the bytes of attachments are: those that are shown, and others that there were.
//!
//! An attachment may have other bytes one day: a preview, and the picture that it was of; a transfer that went on. What
//! the same source has then is shown. Of two sources that have different bytes the larger ones are.
//!
//! **Must never**: let go of bytes, because there are others.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::contents::{Fulfilled, Kept, Wished};
use super::folder::HOME;
use super::kind::Kind;
use super::prepared::Prepared;
use super::record::Counts;
use super::sums::{FORMERLY_PLACED, PLACED};
use super::visit::{Ids, Visit};

/// Writes down what a visit brought.
pub struct Placing<'c> {
    pub connection: &'c Connection,
    pub visit: Visit<'c>,
}

impl Placing<'_> {
    /// `attachments`: those of the source.
    pub fn note(
        &self,
        Fulfilled { kept, unreadable, .. }: &Fulfilled,
        attachments: &Ids,
        counts: &mut Counts,
    ) -> rusqlite::Result<()> {
        for kept in kept {
            let Some(id) = attachments.get(&kept.rowid).copied() else { continue };
            counts.bytes += self.files(kept)?;
            if self.place(id, kept)? {
                match kept.what {
                    Wished::Missing => counts.filled_in += 1,
                    _ => counts.stored += 1,
                }
            }
        }
        for unreadable in unreadable {
            self.look_again(unreadable.rowid)?;
        }
        Ok(())
    }

    /// The row may stay as it is, and its bytes were not read: it is looked at by the next run as if it were news.
    fn look_again(&self, rowid: i64) -> rusqlite::Result<usize> {
        self.connection
            .prepare_cached(
                "UPDATE msgarchive_sighting SET fingerprint = NULL WHERE kind = ?1 AND source = ?2 AND source_rowid = ?3",
            )?
            .execute([Kind::Attachment.number(), self.visit.source, rowid])
    }

    /// Notes the files of a content. How many bytes were not here.
    fn files(&self, kept: &Kept) -> rusqlite::Result<u64> {
        let mut file = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO msgarchive_file (path, bytes, sha256, run) VALUES (?1, ?2, ?3, ?4)",
        )?;
        // What is noted of a content may be what is damaged.
        let mut correct = self.connection.prepare_cached(
            "UPDATE msgarchive_file SET bytes = ?2, sha256 = ?3 WHERE path = ?1 AND (bytes, sha256) IS NOT (?2, ?3)",
        )?;
        let mut new = 0;
        for of_content in &kept.files {
            let bytes = i64::try_from(of_content.bytes).unwrap_or(i64::MAX);
            let added = file.execute(params![of_content.path, bytes, of_content.sha256, self.visit.run])?;
            new += if added > 0 { of_content.bytes } else { 0 };
            correct.execute(params![of_content.path, bytes, of_content.sha256])?;
        }
        Ok(new)
    }

    /// Whether that is news.
    fn place(&self, id: i64, kept: &Kept) -> rusqlite::Result<bool> {
        let there: Option<String> = self
            .connection
            .prepare_cached(&format!("SELECT path FROM {PLACED} WHERE attachment = ?1"))?
            .query_row([id], |row| row.get(0))
            .optional()?;
        match there {
            None if kept.what == Wished::Former => self.place_beside(id, kept),
            None => self.show(id, kept).map(|()| true),
            // They were damaged, or another source of this run had them, too.
            Some(path) if path == kept.path => Ok(false),
            Some(_) if self.was_placed(id, &kept.path)? => Ok(false),
            Some(path) => {
                let of_this_source = match kept.what {
                    Wished::Missing => true,
                    Wished::Other { again, .. } => again,
                    Wished::New => false,
                    Wished::Former => return self.place_beside(id, kept),
                };
                if !of_this_source && self.bytes(&kept.path)? <= self.bytes(&path)? {
                    return self.place_beside(id, kept);
                }
                self.connection
                    .prepare_cached(&format!(
                        "INSERT INTO {FORMERLY_PLACED} (attachment, original, path, film, source, run, until) \
                         SELECT attachment, original, path, film, source, run, ?2 FROM {PLACED} WHERE attachment = ?1"
                    ))?
                    .execute([id, self.visit.run])?;
                self.show(id, kept).map(|()| true)
            }
        }
    }

    fn show(&self, id: i64, kept: &Kept) -> rusqlite::Result<()> {
        let Visit { source, run, .. } = self.visit;
        self.connection
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO {PLACED} (attachment, original, path, film, source, run) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            ))?
            .execute(params![id, kept.original, kept.path, kept.film, source, run])?;
        self.connection
            .prepare_cached("UPDATE attachment SET filename = ?2 WHERE ROWID = ?1")?
            .execute(params![id, format!("{HOME}{}", kept.path)])?;
        Ok(())
    }

    /// Others are shown.
    fn place_beside(&self, id: i64, kept: &Kept) -> rusqlite::Result<bool> {
        if self.was_placed(id, &kept.path)? {
            return Ok(false);
        }
        let Visit { source, run, .. } = self.visit;
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO {FORMERLY_PLACED} (attachment, original, path, film, source, run, until) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"
            ))?
            .execute(params![id, kept.original, kept.path, kept.film, source, run])?;
        Ok(true)
    }

    fn was_placed(&self, id: i64, path: &str) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {FORMERLY_PLACED} WHERE attachment = ?1 AND path = ?2)"
            ))?
            .query_row(params![id, path], |row| row.get(0))
    }

    /// The size of a content.
    fn bytes(&self, path: &str) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached(
                "SELECT coalesce(sum(bytes), 0) FROM msgarchive_file \
                 WHERE path = ?1 OR path > ?1 || '/' AND path < ?1 || '0'",
            )?
            .query_row([path], |row| row.get(0))
    }
}

/// How many attachments have no bytes here, of those of which some source of this run has none.
pub fn still_missing(connection: &Connection, visits: &[Prepared<'_>]) -> rusqlite::Result<u64> {
    let mut without = connection.prepare_cached(&format!(
        "SELECT s.id FROM msgarchive_sighting s WHERE s.kind = ?1 AND s.source = ?2 AND s.source_rowid = ?3 \
         AND NOT EXISTS (SELECT 1 FROM {PLACED} c WHERE c.attachment = s.id)"
    ))?;
    let mut missing: HashSet<i64> = HashSet::new();
    for visit in visits {
        for rowid in &visit.contents.missing {
            let of = [Kind::Attachment.number(), visit.source, *rowid];
            let id = without.query_row(of, |row| row.get::<_, i64>(0));
            missing.extend(id.optional()?);
        }
    }
    Ok(missing.len() as u64)
}
