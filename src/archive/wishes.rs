//! Which attachments of a source the archive would like to have the bytes of.

use std::collections::{BTreeMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

use super::ArchiveError;
use super::contents::Wish;
use super::damage::FoundDamaged;
use super::kind::Kind;
use super::scan::Scan;
use super::sums::{FILES, PLACED};
use super::visit::each_of;
use crate::source::tables::Tables;

/// Those that are new and that no other source brought already; those that were not here before; those whose bytes are
/// damaged.
pub fn wishes(
    connection: &Connection,
    tables: &Tables,
    source: i64,
    scans: &[(Kind, Scan)],
    found_damaged: &FoundDamaged,
) -> Result<Vec<Wish>, ArchiveError> {
    let failed = || ArchiveError::of(connection);
    let Some(table) = tables.table("attachment").filter(|table| table.column("filename").is_some()) else {
        return Ok(Vec::new());
    };
    let damaged: HashSet<&str> =
        found_damaged.contents.iter().map(String::as_str).chain(found_damaged.sums_of(FILES)).collect();
    let uncertain: HashSet<i64> = found_damaged.ids_of(PLACED).collect();
    // By row id, whether the archive knows the attachment.
    let mut wanted: BTreeMap<i64, bool> =
        without_bytes(connection, source, &damaged, &uncertain).map_err(failed())?;
    let news = scans.iter().filter(|(kind, _)| *kind == Kind::Attachment).flat_map(|(_, scan)| &scan.news);
    let mut unknown: HashSet<i64> = news.copied().collect();
    unknown.retain(|rowid| !wanted.contains_key(rowid));
    wanted.extend(unknown.iter().map(|rowid| (*rowid, false)));

    let mut kept = connection
        .prepare(
            "SELECT c.path FROM attachment a LEFT JOIN msgarchive_content c ON c.attachment = a.ROWID \
             WHERE a.guid = ?1",
        )
        .map_err(failed())?;
    let mut wishes = Vec::new();
    let rowids: Vec<i64> = wanted.keys().copied().collect();
    each_of(tables, table, &["guid", "filename"], &rowids, |row| {
        let ValueRef::Text(filename) = row.value(1) else { return Ok(()) };
        let rowid = row.rowid();
        let mut known = wanted.get(&rowid).copied().unwrap_or(false);
        if unknown.contains(&rowid)
            && let ValueRef::Text(guid) = row.value(0)
        {
            let guid = String::from_utf8_lossy(guid);
            let path =
                kept.query_row([guid], |row| row.get::<_, Option<String>>(0)).optional().map_err(failed())?;
            match path {
                Some(Some(path)) if !damaged.contains(path.as_str()) => return Ok(()),
                there => known = there.is_some(),
            }
        }
        wishes.push(Wish { rowid, filename: String::from_utf8_lossy(filename).into_owned(), known });
        Ok(())
    })?;
    Ok(wishes)
}

/// The attachments that were seen in this source, and whose bytes are not in the archive or are damaged there; or of
/// which it is uncertain where they are.
fn without_bytes(
    connection: &Connection,
    source: i64,
    damaged: &HashSet<&str>,
    uncertain: &HashSet<i64>,
) -> rusqlite::Result<BTreeMap<i64, bool>> {
    let mut statement = connection.prepare(
        "SELECT s.source_rowid, c.path, c.film, s.id FROM msgarchive_sighting s \
         LEFT JOIN msgarchive_content c ON c.attachment = s.id WHERE s.kind = ?1 AND s.source = ?2",
    )?;
    let mut rows = statement.query([Kind::Attachment.number(), source])?;
    let mut without = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let paths: [Option<String>; 2] = [row.get(1)?, row.get(2)?];
        let inside = |path: &String| {
            let of_bundle = |damaged: &&str| {
                damaged.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            damaged.contains(path.as_str()) || damaged.iter().any(of_bundle)
        };
        if paths.iter().all(Option::is_none)
            || uncertain.contains(&row.get(3)?)
            || !damaged.is_empty() && paths.iter().flatten().any(inside)
        {
            without.insert(row.get(0)?, true);
        }
    }
    Ok(without)
}
