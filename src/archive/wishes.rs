//! Which attachments of a source the archive would like to have the bytes of.

use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::ArchiveError;
use super::contents::{Wish, Wished};
use super::damage::FoundDamaged;
use super::folder::filename_of;
use super::kind::Kind;
use super::overwritten;
use super::picked::each_of;
use super::row::text_at;
use super::scan::Scan;
use super::sums::{FILES, FORMERLY_PLACED, PLACED};
use crate::model::Instant;
use crate::source::tables::{Tables, text};

/// Those that are new or news, which may have other bytes than are here; those that were not here before; those whose
/// bytes are damaged; those whose files were [`overwritten`]. `now`: when the source is read.
pub fn wishes(
    connection: &Connection,
    tables: &Tables,
    (source, now): (i64, Instant),
    scans: &[(Kind, Scan)],
    found_damaged: &FoundDamaged,
) -> Result<Vec<Wish>, ArchiveError> {
    let failed = || ArchiveError::of(connection);
    let Some(table) = tables.table("attachment").filter(|table| table.column("filename").is_some()) else {
        return Ok(Vec::new());
    };
    let damaged: BTreeSet<&str> =
        found_damaged.contents.iter().map(String::as_str).chain(found_damaged.sums_of(FILES)).collect();
    let uncertain: HashSet<i64> = found_damaged.ids_of(PLACED).collect();
    let mut wanted: BTreeSet<i64> =
        without_bytes(connection, source, &damaged, &uncertain).map_err(failed())?;
    let of_attachments = scans.iter().filter(|(kind, _)| *kind == Kind::Attachment);
    let news: HashSet<i64> = of_attachments.flat_map(|(_, scan)| &scan.news).copied().collect();
    wanted.extend(&news);
    let mut known = connection
        .prepare(
            "SELECT c.path, c.film, EXISTS (SELECT 1 FROM msgarchive_sighting s \
               WHERE s.kind = ?2 AND s.source = ?3 AND s.source_rowid = ?4 AND s.id = a.ROWID), a.ROWID \
             FROM attachment a LEFT JOIN msgarchive_content c ON c.attachment = a.ROWID WHERE a.guid = ?1",
        )
        .map_err(failed())?;
    let mut has = |guid: ValueRef<'_>, rowid: i64| -> rusqlite::Result<Wished> {
        let guid = match guid {
            ValueRef::Text(guid) => Some(String::from_utf8_lossy(guid)),
            _ => None,
        };
        let known = known.query_row(params![guid, Kind::Attachment.number(), source, rowid], |row| {
            let paths = [text_at(row, 0)?, text_at(row, 1)?];
            Ok((paths, row.get(2)?, row.get(3)?))
        });
        Ok(match known.optional()? {
            None => Wished::New,
            Some(([Some(path), film], again, id))
                if ![Some(&path), film.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|path| is_damaged(&damaged, path))
                    && !uncertain.contains(&id) =>
            {
                Wished::Other { than: vec![path], again }
            }
            Some(_) => Wished::Missing,
        })
    };
    let mut wishes = Vec::new();
    let rowids: Vec<i64> = wanted.into_iter().collect();
    let mut originals: HashMap<i64, String> = HashMap::new();
    if let Some(placed) = tables.table(PLACED) {
        each_of(tables, placed, &["original"], &rowids, |row| {
            if let ValueRef::Text(original) = row.value(0) {
                originals.insert(row.rowid(), String::from_utf8_lossy(original).into_owned());
            }
            Ok(())
        })?;
    }
    each_of(tables, table, &["guid", "filename"], &rowids, |row| {
        let ValueRef::Text(filename) = row.value(1) else { return Ok(()) };
        let rowid = row.rowid();
        let filename = String::from_utf8_lossy(filename).into_owned();
        let original = originals.remove(&rowid);
        let what = match news.contains(&rowid) {
            true => has(row.value(0), rowid).map_err(failed())?,
            false => Wished::Missing,
        };
        wishes.push(Wish { rowid, filename, original, what });
        Ok(())
    })?;
    overwritten::each(connection, (tables, table), (source, now), |wish| {
        if rowids.binary_search(&wish.rowid).is_err() {
            wishes.push(wish);
        }
    })?;
    let others = Wished::Other { than: Vec::new(), again: true };
    for (place, what, wished) in [(PLACED, others, &rowids[..]), (FORMERLY_PLACED, Wished::Former, &[])] {
        wishes.extend(of_another_archive(connection, (tables, source), (place, &what), wished, &damaged)?);
    }
    Ok(wishes)
}

/// The bytes that another archive shows, or has besides, by its table of them; and that are neither here and whole nor wished
/// for: by row ids.
fn of_another_archive(
    connection: &Connection,
    (tables, source): (&Tables, i64),
    (place, what): (&str, &Wished),
    wished: &[i64],
    damaged: &BTreeSet<&str>,
) -> Result<Vec<Wish>, ArchiveError> {
    let failed = || ArchiveError::of(connection);
    let Some(table) = tables.table(place) else { return Ok(Vec::new()) };
    let mut is_here = connection
        .prepare(
            "SELECT EXISTS (SELECT 1 FROM msgarchive_sighting s \
               WHERE s.kind = ?2 AND s.source = ?3 AND s.source_rowid = ?4 AND (\
                 EXISTS (SELECT 1 FROM msgarchive_content c WHERE c.attachment = s.id AND c.path = ?1) \
                 OR EXISTS (SELECT 1 FROM msgarchive_former_content f WHERE f.attachment = s.id AND f.path = ?1) \
                   AND NOT (?5 AND EXISTS (SELECT 1 FROM msgarchive_content c \
                     WHERE c.attachment = s.id AND c.source = ?3))))",
        )
        .map_err(failed())?;
    // What it shows, and had once, it went back to, where it brought what is shown here.
    let goes_back = place == PLACED;
    let mut wishes = Vec::new();
    let columns = ["attachment", "path", "original", "film"];
    tables.reader().rows(table, &columns, i64::MIN..=i64::MAX, |row| {
        if let (ValueRef::Integer(rowid), ValueRef::Text(path)) = (row.value(0), row.value(1)) {
            if wished.binary_search(&rowid).is_ok() {
                return Ok(());
            }
            let path = String::from_utf8_lossy(path);
            let asked = params![path, Kind::Attachment.number(), source, rowid, goes_back];
            let film = text(row.value(3));
            let is_whole =
                !is_damaged(damaged, &path) && !film.is_some_and(|film| is_damaged(damaged, &film));
            if !is_whole || !is_here.query_row(asked, |row| row.get::<_, bool>(0)).map_err(failed())? {
                let filename = filename_of(&path);
                let original = match row.value(2) {
                    ValueRef::Text(original) => Some(String::from_utf8_lossy(original).into_owned()),
                    _ => None,
                };
                wishes.push(Wish { rowid, filename, original, what: what.clone() });
            }
        }
        Ok::<(), ArchiveError>(())
    })?;
    Ok(wishes)
}

fn is_damaged(damaged: &BTreeSet<&str>, path: &str) -> bool {
    let inside = format!("{path}/");
    let of_bundle = || damaged.range(&*inside..).next().is_some_and(|damaged| damaged.starts_with(&inside));
    damaged.contains(path) || of_bundle()
}

/// The attachments that were seen in this source, and whose bytes are not in the archive or are damaged there; or of
/// which it is uncertain where they are.
fn without_bytes(
    connection: &Connection,
    source: i64,
    damaged: &BTreeSet<&str>,
    uncertain: &HashSet<i64>,
) -> rusqlite::Result<BTreeSet<i64>> {
    let mut statement = connection.prepare(
        "SELECT s.source_rowid, c.path, c.film, s.id FROM msgarchive_sighting s \
         LEFT JOIN msgarchive_content c ON c.attachment = s.id WHERE s.kind = ?1 AND s.source = ?2",
    )?;
    let mut rows = statement.query([Kind::Attachment.number(), source])?;
    let mut without = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let paths = [text_at(row, 1)?, text_at(row, 2)?];
        if paths.iter().all(Option::is_none)
            || uncertain.contains(&row.get(3)?)
            || !damaged.is_empty() && paths.iter().flatten().any(|path| is_damaged(damaged, path))
        {
            without.insert(row.get(0)?);
        }
    }
    Ok(without)
}
