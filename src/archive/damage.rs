//! What `verify` found, handed to the next run: it takes the rows and contents in again, from a source that has them.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::ArchiveError;
use super::folder::{FOUND_DAMAGED, Folder};
use super::kind::Kind;
use super::take::Damaged;

/// Rows and contents that are damaged or lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundDamaged {
    /// By kind, the ids in the archive.
    pub rows: Vec<(Kind, i64)>,
    /// Paths of contents, relative to the archive's folder.
    pub contents: Vec<String>,
    /// The database itself cannot be read throughout.
    pub database: bool,
    /// Where a database was set aside that is still to be taken over.
    pub aside: Option<String>,
}

/// What was found when the archive was verified last; nothing where it was not, or was whole.
pub fn read(folder: &Folder) -> FoundDamaged {
    let text = fs::read_to_string(folder.path().join(FOUND_DAMAGED)).unwrap_or_default();
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    let list = |of: &Value, name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let rows = value.get("rows").cloned().unwrap_or_default();
    FoundDamaged {
        rows: Kind::ALL
            .into_iter()
            .flat_map(|kind| {
                list(&rows, kind.table()).into_iter().filter_map(move |id| Some((kind, id.as_i64()?)))
            })
            .collect(),
        contents: list(&value, "contents")
            .iter()
            .filter_map(|path| Some(path.as_str()?.to_owned()))
            .collect(),
        database: value.get("database").and_then(Value::as_bool).unwrap_or(false),
        aside: value.get("aside").and_then(Value::as_str).map(str::to_owned),
    }
}

fn forget(folder: &Folder) -> Result<(), ArchiveError> {
    let path = folder.path().join(FOUND_DAMAGED);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ArchiveError::writing(path)(error)),
        _ => Ok(()),
    }
}

impl FoundDamaged {
    /// Notes it in the archive's folder, or that nothing is damaged.
    ///
    /// # Errors
    /// [`ArchiveError::Write`]: on a medium that is read-only nothing can be mended anyway.
    pub fn note(&self, folder: &Folder) -> Result<(), ArchiveError> {
        if *self == FoundDamaged::default() {
            return forget(folder);
        }
        let mut rows = serde_json::Map::new();
        for kind in Kind::ALL {
            let ids: Vec<i64> = self.rows.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect();
            rows.insert(kind.table().into(), ids.into());
        }
        let text = format!(
            "{:#}\n",
            json!({
                "rows": rows,
                "contents": self.contents,
                "database": self.database,
                "aside": self.aside,
            })
        );
        Ok(crate::disk::replace(&folder.path().join(FOUND_DAMAGED), text.as_bytes())?)
    }

    /// After a run that took these contents in again. Which rows are whole again is seen when they are read next.
    pub fn without_contents(mut self, mended: &HashSet<&str>) -> FoundDamaged {
        self.contents.retain(|path| !mended.contains(path.as_str()));
        self
    }

    /// The rows by kind.
    pub fn by_kind(&self) -> BTreeMap<Kind, Damaged> {
        let mut by_kind: BTreeMap<Kind, Damaged> = BTreeMap::new();
        for (kind, id) in &self.rows {
            by_kind.entry(*kind).or_default().insert(*id);
        }
        by_kind
    }

    /// Forgets that sources were seen to have the damaged rows as they are: they will be looked at again.
    pub fn make_room(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut forget = connection
            .prepare("UPDATE msgarchive_sighting SET fingerprint = NULL WHERE kind = ?1 AND id = ?2")?;
        for (kind, id) in &self.rows {
            forget.execute([kind.number(), *id])?;
        }
        Ok(())
    }
}
