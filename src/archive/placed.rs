//! Writes down where the bytes of attachments are: those that are shown, and others that there were.
//!
//! An attachment may have other bytes one day: a preview, and the picture that it was of; a transfer that went on; a picture
//! whose film came later. What the same source has then is shown. Of two sources that have different bytes the larger ones
//! are, whichever is read first; where the picture is as large, the one with the larger film.
//!
//! A dry run does not read what it would take: what is as large as something that the same run takes of the same attachment
//! counts as the same there.
//!
//! **Must never**: let go of bytes, because there are others; or take those for the same of which only the size is known, but to
//! count them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::contents::{Fulfilled, Kept, Wished};
use super::folder::filename_of;
use super::kind::Kind;
use super::prepared::Prepared;
use super::record::Counts;
use super::sums::{FILES, FORMERLY_PLACED, PLACED};
use super::take::LOOK_AGAIN;
use super::visit::{Ids, Visit};

/// What the bytes of an attachment are to the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// It had none of them.
    First,
    /// It has others, too.
    Others,
}

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
            if kept.is_only_looked_at() && self.has_as_large(id, kept)? {
                continue;
            }
            counts.bytes += self.files(kept)?;
            match (self.place(id, kept)?, &kept.what) {
                (None, _) => {}
                (Some(News::First), Wished::Missing) => counts.filled_in += 1,
                (Some(News::First), _) => counts.stored += 1,
                (Some(News::Others), _) => counts.replaced += 1,
            }
        }
        for unreadable in unreadable {
            self.connection.prepare_cached(LOOK_AGAIN)?.execute([
                Kind::Attachment.number(),
                self.visit.source,
                unreadable.rowid,
            ])?;
        }
        Ok(())
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

    /// `None`: it is no news.
    fn place(&self, id: i64, kept: &Kept) -> rusqlite::Result<Option<News>> {
        let there: Option<(String, Option<String>)> = self
            .connection
            .prepare_cached(&format!("SELECT path, film FROM {PLACED} WHERE attachment = ?1"))?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match there {
            None if kept.what == Wished::Former => self.place_beside(id, kept),
            None => self.show(id, kept).map(|()| Some(News::First)),
            // They were damaged, or another source of this run had them, too.
            Some((path, _)) if path == kept.path => Ok(None),
            Some(_) if self.was_placed(id, &kept.path)? && !self.goes_back(id, kept)? => Ok(None),
            Some((path, film)) => {
                let of_this_source = match kept.what {
                    Wished::Missing => true,
                    Wished::Other { again, .. } => again,
                    Wished::New => false,
                    Wished::Former => return self.place_beside(id, kept),
                };
                // Of those that are as large, always the same one.
                let shown = (self.size(&path, film.as_deref())?, path);
                let is = (self.size(&kept.path, kept.film.as_deref())?, kept.path.clone());
                if !of_this_source && is <= shown {
                    return self.place_beside(id, kept);
                }
                self.connection
                    .prepare_cached(&format!(
                        "INSERT INTO {FORMERLY_PLACED} (attachment, original, path, film, source, run, until) \
                         SELECT attachment, original, path, film, source, run, ?2 FROM {PLACED} WHERE attachment = ?1"
                    ))?
                    .execute([id, self.visit.run])?;
                self.show(id, kept).map(|()| Some(News::Others))
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
            .execute(params![id, filename_of(&kept.path)])?;
        Ok(())
    }

    /// Others are shown.
    fn place_beside(&self, id: i64, kept: &Kept) -> rusqlite::Result<Option<News>> {
        if self.was_placed(id, &kept.path)? {
            return Ok(None);
        }
        let Visit { source, run, .. } = self.visit;
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO {FORMERLY_PLACED} (attachment, original, path, film, source, run, until) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"
            ))?
            .execute(params![id, kept.original, kept.path, kept.film, source, run])?;
        Ok(Some(News::Others))
    }

    /// The source that brought what is shown has something else now. Another one only has what it had.
    fn goes_back(&self, id: i64, kept: &Kept) -> rusqlite::Result<bool> {
        let brought = self
            .connection
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {PLACED} WHERE attachment = ?1 AND source = ?2)"
            ))?
            .query_row([id, self.visit.source], |row| row.get(0))?;
        Ok(brought && matches!(kept.what, Wished::Other { again: true, .. }))
    }

    fn was_placed(&self, id: i64, path: &str) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {FORMERLY_PLACED} WHERE attachment = ?1 AND path = ?2)"
            ))?
            .query_row(params![id, path], |row| row.get(0))
    }

    /// This run took bytes of the attachment that are as many, from another source.
    fn has_as_large(&self, id: i64, kept: &Kept) -> rusqlite::Result<bool> {
        let mut taken = self.connection.prepare_cached(&format!(
            "SELECT path, film FROM {PLACED} WHERE attachment = ?1 AND run = ?2 AND source <> ?3 \
             UNION SELECT path, film FROM {FORMERLY_PLACED} WHERE attachment = ?1 AND run = ?2 AND source <> ?3"
        ))?;
        let mut rows = taken.query([id, self.visit.run, self.visit.source])?;
        let (bytes, film) = kept.size();
        let wanted = (i64::try_from(bytes).ok(), film.and_then(|film| i64::try_from(film).ok()));
        while let Some(row) = rows.next()? {
            let (path, film): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            if self.size(&path, film.as_deref())? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How large a content is: itself first, and then its film.
    fn size(&self, path: &str, film: Option<&str>) -> rusqlite::Result<(Option<i64>, Option<i64>)> {
        self.connection
            .prepare_cached(&format!("SELECT {}, {}", bytes_at("?1"), bytes_at("?2")))?
            .query_row([Some(path), film], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

/// The bytes of a content, as SQL: of a bundle, those of all its files. `path`: where it is, as SQL; without one, `NULL`.
pub fn bytes_at(path: &str) -> String {
    format!(
        "coalesce((SELECT bytes FROM {FILES} WHERE path = {path}), \
           (SELECT sum(bytes) FROM {FILES} WHERE path > {path} || '/' AND path < {path} || '0'))"
    )
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
