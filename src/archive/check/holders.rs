//! Which source has what is damaged here, as it lies now: looked at from outside, without opening it.
//!
//! **Must never**: say that a source has, or has not, what only opening it would tell.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::archive::carriers::Carrier;
use crate::archive::gone_for_good::GoneForGood;
use crate::archive::kind::Kind;
use crate::archive::record;
use crate::archive::row::text_at;
use crate::archive::sums::{SIGHTINGS, WrongSum};
use crate::source::SourceKind;
use crate::source::tables::ContentFinder;

/// A source that has what is damaged here, or may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::archive) struct Holder {
    pub path: String,
    /// It is not at hand, or only opening it would tell.
    pub in_doubt: bool,
}

/// Whether a source has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Having {
    No,
    Perhaps,
    Yes,
}

/// A source that had a row when it was read last.
struct Seen {
    source: i64,
    kind: String,
    path: String,
}

/// Where a row can be had again: the source that was read last among those that have it.
pub(super) fn of_row(
    connection: &Connection,
    (kind, id): (Kind, i64),
    gone: &GoneForGood,
) -> rusqlite::Result<Option<Holder>> {
    let all = seen(connection, kind, id, gone)?.into_iter();
    Ok(best(all.map(|seen| {
        let is_there = Path::new(&seen.path).try_exists().unwrap_or(false);
        (seen.path, if is_there { Having::Yes } else { Having::Perhaps })
    })))
}

/// A source that may have rows of this kind which it is not known to have any more: what was known of that is `wrong`.
pub(super) fn uncertain(
    connection: &Connection,
    kind: Kind,
    wrong: &[WrongSum],
    gone: &GoneForGood,
) -> rusqlite::Result<Option<Holder>> {
    let of_sightings = wrong.iter().filter(|sum| sum.table == SIGHTINGS);
    let source = |sum: &WrongSum| {
        let mut about = sum.about.as_deref()?.split(' ').map(|number| number.parse::<i64>().ok());
        about.next()?.filter(|of| *of == kind.number())?;
        about.next()?
    };
    for source in of_sightings.filter_map(source).filter(|source| !gone.has(*source)) {
        let path = connection
            .prepare_cached("SELECT path FROM msgarchive_source WHERE source = ?1")?
            .query_row([source], |row| text_at(row, 0))
            .optional()?;
        if let Some(path) = path.flatten() {
            return Ok(Some(Holder { path, in_doubt: true }));
        }
    }
    Ok(None)
}

/// Looks where contents can be had again.
pub(super) struct Holders<'c> {
    connection: &'c Connection,
    gone: &'c GoneForGood,
    /// By source: where its attachments lie, when that is not their usual place.
    roots: HashMap<i64, Option<String>>,
}

impl<'c> Holders<'c> {
    pub fn of(connection: &'c Connection, gone: &'c GoneForGood) -> Holders<'c> {
        Holders { connection, gone, roots: HashMap::new() }
    }

    /// Where one can be had. `path`: relative to the archive's folder.
    pub fn of_content(&mut self, path: &str, carriers: &[Carrier]) -> rusqlite::Result<Option<Holder>> {
        let mut all = Vec::new();
        for carrier in carriers {
            for seen in seen(self.connection, Kind::Attachment, carrier.attachment, self.gone)? {
                let having = self.has_content(&seen, path, carrier)?;
                all.push((seen.path, having));
                if having == Having::Yes {
                    return Ok(best(all.into_iter()));
                }
            }
        }
        Ok(best(all.into_iter()))
    }

    /// A library keeps rows of attachments whose files it has no more: Optimize Mac Storage lets go of them.
    fn has_content(&mut self, seen: &Seen, path: &str, carrier: &Carrier) -> rusqlite::Result<Having> {
        let database = Path::new(&seen.path);
        let Some(folder) = database.parent().filter(|_| database.is_file()) else {
            // It is elsewhere; or it is a backup, whose files have other names.
            return Ok(Having::Perhaps);
        };
        if seen.kind == SourceKind::Archive.name() {
            return Ok(if folder.join(path).is_file() { Having::Yes } else { Having::Perhaps });
        }
        // Under which name another source has it is not known here.
        let Some(original) = carrier.original.as_deref().filter(|_| carrier.source == seen.source) else {
            return Ok(Having::Perhaps);
        };
        let root = self.root(seen.source)?.map_or(folder, Path::new);
        let is_there = ContentFinder::of_folder(root).find(original).is_some();
        let is_folder = |path: &Path| fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
        // Where there is none, or a link, they lie elsewhere, or on a disk that is not there now.
        let lie_here =
            is_folder(&root.join("Attachments")) || root.ends_with("Attachments") && is_folder(root);
        Ok(match (is_there, lie_here) {
            (true, _) => Having::Yes,
            (false, true) => Having::No,
            (false, false) => Having::Perhaps,
        })
    }

    /// Where its attachments lay when it was read last, when that was not their usual place.
    fn root(&mut self, source: i64) -> rusqlite::Result<Option<&str>> {
        let root = match self.roots.entry(source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(record::attachments_root(self.connection, source)?),
        };
        Ok(root.as_deref())
    }
}

fn best(all: impl Iterator<Item = (String, Having)>) -> Option<Holder> {
    let mut best: Option<(String, Having)> = None;
    for (path, having) in all.filter(|(_, having)| *having > Having::No) {
        if best.as_ref().is_none_or(|(_, known)| having > *known) {
            best = Some((path, having));
        }
    }
    best.map(|(path, having)| Holder { path, in_doubt: having == Having::Perhaps })
}

/// The one that was read last first; without those that are gone for good.
fn seen(connection: &Connection, kind: Kind, id: i64, gone: &GoneForGood) -> rusqlite::Result<Vec<Seen>> {
    let mut statement = connection.prepare_cached(
        "SELECT o.source, o.kind, o.path FROM msgarchive_sighting s JOIN msgarchive_source o ON o.source = s.source \
         WHERE s.kind = ?1 AND s.id = ?2 ORDER BY o.last_run DESC",
    )?;
    let seen = statement.query_map([kind.number(), id], |row| {
        let text = |at| Ok::<_, rusqlite::Error>(text_at(row, at)?.unwrap_or_default());
        Ok(Seen { source: row.get(0)?, kind: text(1)?, path: text(2)? })
    })?;
    let mut seen = seen.collect::<rusqlite::Result<Vec<Seen>>>()?;
    seen.retain(|seen| !gone.has(seen.source));
    Ok(seen)
}
