//! Contents that were found damaged, once all sources of the run were asked for them: those that are here again, those that a
//! source may have which was not asked, and those that nothing has any more.
//!
//! **Must never**: take a content for lost that a source may have which did not say so, or one that is whole.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;

use rusqlite::{OptionalExtension, params};

use super::{GivenUp, Mending};
use crate::archive::carriers::{Carrier, carriers};
use crate::archive::gone_for_good::GoneForGood;
use crate::archive::kind::Kind;
use crate::archive::lost_content::{Left, LostContents};
use crate::archive::lost_thing::{LostOf, LostThing};
use crate::archive::named::lost_of;
use crate::archive::prepared::Prepared;
use crate::archive::sums::FILES;
use crate::disk::{hash_file, hexadecimal, is_gone};

/// What can be said of a content that is noted as damaged.
enum Now {
    Whole,
    /// Damaged still, and so much is left of it.
    Wanting(Left),
    /// It cannot be read at the moment: nothing is known of it.
    Unread,
}

/// Who may have it.
enum Elsewhere {
    /// Nobody: whoever had it was asked.
    Nobody,
    /// This source, which was not asked, or could not tell.
    Source(String),
    /// A source of a run that takes nothing: it would be here again.
    Here,
}

/// What a source of this run said of attachments, by their row ids there.
struct Asked {
    /// Of a run that takes nothing.
    would_give: HashSet<i64>,
    could_not_tell: HashSet<i64>,
}

impl Asked {
    fn of(visit: &Prepared<'_>) -> Asked {
        let contents = &visit.contents;
        let would_give = contents.kept.iter().filter(|kept| kept.is_only_looked_at());
        Asked {
            would_give: would_give.map(|kept| kept.rowid).collect(),
            could_not_tell: contents.unreadable.iter().map(|unreadable| unreadable.rowid).collect(),
        }
    }
}

impl Mending<'_> {
    /// `said`: what earlier runs said was lost and no later one found again.
    pub(super) fn contents_given_up(
        &self,
        (visits, gone): (&[Prepared<'_>], &GoneForGood),
        said: &LostContents<'_>,
        given_up: &mut GivenUp,
    ) -> rusqlite::Result<()> {
        let found: BTreeSet<&str> = self.found.contents.iter().map(String::as_str).collect();
        let taken = visits.iter().flat_map(|visit| &visit.contents.kept).flat_map(|kept| &kept.files);
        let taken: HashSet<&str> = taken.map(|file| file.path.as_str()).collect();
        let mut wanting = Vec::new();
        for path in found {
            // What was just written is not read again.
            let now = if taken.contains(path) { Some(Now::Whole) } else { self.content_now(path)? };
            match now {
                Some(Now::Whole) => {
                    given_up.found_again.extend(said.said_of(path).iter().map(|thing| (*thing).clone()));
                }
                Some(Now::Wanting(left)) if !said.have(path, left) => wanting.push((path, left)),
                _ => {}
            }
        }
        let carriers = carriers(self.connection, &wanting.iter().map(|(path, _)| *path).collect())?;
        let asked: HashMap<i64, Asked> =
            visits.iter().map(|visit| (visit.source, Asked::of(visit))).collect();
        for (path, left) in wanting {
            let carriers = carriers.get(path).map_or(&[][..], Vec::as_slice);
            let guid = carriers.iter().find_map(|carrier| carrier.guid.as_deref());
            let of = || -> rusqlite::Result<LostOf> {
                let of = match carriers.first() {
                    Some(Carrier { attachment, .. }) => {
                        lost_of(self.connection, FILES, (Kind::Attachment, *attachment), None)?
                    }
                    None => LostOf { table: FILES.into(), ..LostOf::default() },
                };
                Ok(LostOf { path: Some(path.to_owned()), row: None, ..of })
            };
            match self.elsewhere(carriers, &asked, gone)? {
                Elsewhere::Nobody => {
                    given_up.lost.push(LostThing { what: left.in_words(guid, path), of: Some(of()?) });
                }
                Elsewhere::Source(source) => {
                    let what =
                        format!("the file of an attachment ({}, {path})", guid.unwrap_or("of no message"));
                    given_up.stays_damaged(&what, of()?, source);
                }
                Elsewhere::Here => {}
            }
        }
        Ok(())
    }

    /// `None`: there is no such content any more.
    fn content_now(&self, path: &str) -> rusqlite::Result<Option<Now>> {
        let file: Option<(i64, String)> = self
            .connection
            .query_row("SELECT bytes, sha256 FROM msgarchive_file WHERE path = ?1", [path], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((bytes, sha256)) = file else { return Ok(None) };
        let place = self.folder.join(path);
        let unread =
            |error: io::Error| if is_gone(&error) { Now::Wanting(Left::Nothing) } else { Now::Unread };
        let now = match std::fs::symlink_metadata(&place) {
            Err(error) => unread(error),
            Ok(about) if !about.is_file() => Now::Wanting(Left::Nothing),
            Ok(about) if i64::try_from(about.len()) != Ok(bytes) => Now::Wanting(Left::Damaged),
            Ok(_) => match hash_file(&place) {
                Ok(copy) if hexadecimal(&copy.sha256) == sha256 => Now::Whole,
                Ok(_) => Now::Wanting(Left::Damaged),
                Err(_) => Now::Unread,
            },
        };
        Ok(Some(now))
    }

    fn elsewhere(
        &self,
        carriers: &[Carrier],
        asked: &HashMap<i64, Asked>,
        gone: &GoneForGood,
    ) -> rusqlite::Result<Elsewhere> {
        let mut sightings = self.connection.prepare_cached(
            "SELECT s.source, s.source_rowid, o.path FROM msgarchive_sighting s \
             JOIN msgarchive_source o ON o.source = s.source \
             WHERE s.kind = ?1 AND s.id = ?2 ORDER BY o.last_run DESC",
        )?;
        for Carrier { attachment, .. } in carriers {
            let mut rows = sightings.query(params![Kind::Attachment.number(), attachment])?;
            while let Some(row) = rows.next()? {
                let (source, rowid): (i64, i64) = (row.get(0)?, row.get(1)?);
                match asked.get(&source) {
                    Some(asked) if asked.would_give.contains(&rowid) => return Ok(Elsewhere::Here),
                    Some(asked) if !asked.could_not_tell.contains(&rowid) => {}
                    None if gone.has(source) => {}
                    _ => return Ok(Elsewhere::Source(row.get(2)?)),
                }
            }
        }
        Ok(Elsewhere::Nobody)
    }
}
