//! What a source has that the archive does not have as it is now: what a run would take in.

use std::path::Path;

use super::ArchiveError;
use super::damage;
use super::kind::Kind;
use super::known_source::recognize;
use super::open::{look_at, look_into};
use super::places::Places;
use super::scan::scan;
use super::whereabouts::whole;
use crate::source::tables::Tables;

/// The row ids of a source's messages that are not in the archive at `path` as they are now, sorted. `None`: the
/// archive has never read this source.
///
/// # Errors
/// [`ArchiveError`]; where the archive is damaged it has nothing for certain.
pub fn unarchived(path: &Path, tables: &Tables, jobs: usize) -> Result<Option<Vec<i64>>, ArchiveError> {
    let (folder, connection) = look_into(path)?;
    let highest = tables.table("message").map_or(Ok(0), |message| tables.reader().highest_ever(message))?;
    let damaged = damage::read(&folder)?;
    let places = Places::read(tables, jobs)?;
    let place = whole(&tables.info().path);
    let known =
        recognize(&connection, &folder.id, (tables, &places, &place), highest, &damaged, &|_, _| false)?;
    let Some(source) = known else {
        return Ok(None);
    };
    let mut seen = (0..jobs.max(1)).map(|_| look_at(&folder)).collect::<Result<Vec<_>, _>>()?;
    let again = damaged.again(&connection, Kind::Message, source);
    let again = again.map_err(ArchiveError::database(folder.database()))?;
    let mut news = scan(Kind::Message, tables, &places, &folder.id, &mut seen, source, &again)?.news;
    news.sort_unstable();
    Ok(Some(news))
}
