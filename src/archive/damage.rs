//! What `verify` found, handed to the next run: it takes the rows and contents in again, from a source that has them.

use std::collections::HashSet;
use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::ArchiveError;
use super::folder::{FOUND_DAMAGED, Folder};
use super::kind::{Join, Kind};
use super::take::Damaged;

/// Rows and contents that are damaged or lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundDamaged {
    /// By kind, the ids in the archive.
    pub rows: Vec<(Kind, i64)>,
    /// Those of which something that joins them is damaged or lost: what owns the join.
    pub joined: Vec<(Kind, i64)>,
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
    let ids = |name: &str| -> Vec<(Kind, i64)> {
        let of = value.get(name).cloned().unwrap_or_default();
        let of_kind =
            |kind: Kind| list(&of, kind.table()).into_iter().filter_map(move |id| Some((kind, id.as_i64()?)));
        Kind::ALL.into_iter().flat_map(of_kind).collect()
    };
    FoundDamaged {
        rows: ids("rows"),
        joined: ids("joined"),
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
        let by_table = |rows: &[(Kind, i64)]| -> serde_json::Map<String, Value> {
            let ids =
                |kind| rows.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect::<Vec<i64>>();
            Kind::ALL.map(|kind| (kind.table().to_owned(), ids(kind).into())).into_iter().collect()
        };
        let text = format!(
            "{:#}\n",
            json!({
                "rows": by_table(&self.rows),
                "joined": by_table(&self.joined),
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
    pub fn by_kind(&self) -> DamagedRows {
        let of = |rows: &[(Kind, i64)]| {
            Kind::ALL.map(|kind| rows.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect())
        };
        DamagedRows { rows: of(&self.rows), joined: of(&self.joined) }
    }

    /// Forgets that sources were seen to have the damaged rows as they are: they will be looked at again.
    pub fn make_room(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.rows.is_empty() && self.joined.is_empty() {
            return Ok(());
        }
        let mut forget = connection
            .prepare("UPDATE msgarchive_sighting SET fingerprint = NULL WHERE kind = ?1 AND id = ?2")?;
        for (kind, id) in self.rows.iter().chain(&self.joined) {
            forget.execute([kind.number(), *id])?;
        }
        Ok(())
    }
}

/// The damaged rows, by kind.
#[derive(Debug)]
pub struct DamagedRows {
    rows: [Damaged; Kind::ALL.len()],
    joined: [Damaged; Kind::ALL.len()],
}

impl DamagedRows {
    /// The rows of a kind that are written anew.
    pub fn of(&self, kind: Kind) -> &Damaged {
        &self.rows[kind as usize]
    }

    /// Those of which what joins them is written anew.
    pub fn joins_of(&self, join: &Join) -> &Damaged {
        &self.joined[join.owner().1 as usize]
    }
}
