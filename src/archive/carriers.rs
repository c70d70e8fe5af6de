//! Which attachments have a content, or had it once.
//!
//! **Must never**: take a file inside of a bundle, or the film of a picture, for nobody's.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound::{Included, Unbounded};

use rusqlite::Connection;

use super::row::text_at;
use super::schema::has_table;
use super::sums::{FORMERLY_PLACED, PLACED};

/// An attachment that has a content, or had it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Its id in the archive.
    pub attachment: i64,
    pub guid: Option<String>,
    /// Where the file was at the source that brought it.
    pub original: Option<String>,
    /// The number of that source.
    pub source: i64,
}

/// Of these contents, by their paths, all attachments that have them; then those that had them. All attachments are looked
/// at once: all contents may be gone.
pub fn carriers<'p>(
    connection: &Connection,
    contents: &BTreeSet<&'p str>,
) -> rusqlite::Result<HashMap<&'p str, Vec<Carrier>>> {
    let mut carriers: HashMap<&'p str, Vec<Carrier>> = HashMap::new();
    if contents.is_empty() {
        return Ok(carriers);
    }
    // Bytes that an attachment had once can be had nowhere, but perhaps where it has them still.
    for placed in [PLACED, FORMERLY_PLACED] {
        if !has_table(connection, placed)? {
            continue;
        }
        let mut all = connection.prepare(&format!(
            "SELECT c.path, c.film, a.guid, a.ROWID, c.original, c.source \
             FROM {placed} c JOIN attachment a ON a.ROWID = c.attachment"
        ))?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let Some(path) = text_at(row, 0)? else { continue };
            let film = text_at(row, 1)?;
            let inside = format!("{path}/");
            let of_bundle = contents
                .range::<str, _>((Included(&*inside), Unbounded))
                .take_while(|file| file.starts_with(&inside));
            let files = [Some(&path), film.as_ref()].into_iter().flatten();
            for file in files.filter_map(|file| contents.get(file.as_str())).chain(of_bundle) {
                carriers.entry(file).or_default().push(Carrier {
                    attachment: row.get(3)?,
                    guid: text_at(row, 2)?,
                    original: text_at(row, 4)?,
                    source: row.get(5)?,
                });
            }
        }
    }
    Ok(carriers)
}
