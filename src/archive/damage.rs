//! What `verify` found, handed to the next run: it takes the rows and contents in again, from a source that has them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::ArchiveError;
use super::folder::{FOUND_DAMAGED, Folder};
use super::kind::{Join, Kind};
use super::own_file::{self, ASIDE, Own};
use super::schema::version_table;
use super::sums::{NOTES, SIGHTINGS, WrongSum, first_together};

/// Rows of the archive that were found damaged, by their ids: they are written anew.
pub type Damaged = HashSet<i64>;

/// Rows of which damage may have changed, or taken, what is noted of them in a table.
#[derive(Debug)]
pub struct UncertainNotes {
    /// The first ids of those that share a sum.
    first: HashSet<i64>,
    /// All are.
    all: bool,
}

impl UncertainNotes {
    /// `table`: one whose notes are summed up by many, and speak of the rows of one kind.
    pub fn of(found: &FoundDamaged, table: &str) -> UncertainNotes {
        let notes = NOTES.iter().find(|notes| notes.table == table);
        let first = |about| notes.and_then(|notes| notes.numbers(about)).map(|(first, _)| first);
        UncertainNotes {
            first: found.sums_of(table).filter_map(first).collect(),
            all: found.is_wrong_throughout(table),
        }
    }

    /// Whether a row is one of them.
    pub fn has(&self, id: i64) -> bool {
        self.all || self.first.contains(&first_together(id))
    }
}

/// Rows and contents that are damaged or lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundDamaged {
    /// By kind, the ids in the archive.
    pub rows: Vec<(Kind, i64)>,
    /// Those of which something that joins them is damaged or lost: what owns the join.
    pub joined: Vec<(Kind, i64)>,
    /// Joins of which rows are gone with their hashes: nobody can say of which messages.
    pub wanting: Vec<String>,
    /// Paths of contents, relative to the archive's folder.
    pub contents: Vec<String>,
    /// Rows that have no hash.
    pub strays: Vec<(Kind, i64)>,
    /// Former states, by their numbers.
    pub former: Vec<(Kind, i64)>,
    /// Runs whose records are gone or damaged in both places, or do not agree with what they close over.
    pub runs: Vec<i64>,
    /// All that was found, for the record of the run that mends it.
    pub words: Vec<String>,
    /// Sums of notes that are not what the rows are.
    pub sums: Vec<WrongSum>,
    /// The index of search.
    pub index: bool,
    /// The database itself cannot be read throughout.
    pub database: bool,
    /// Where a database was set aside that is still to be taken over.
    pub aside: Option<String>,
}

/// What was found when the archive was verified last; nothing where it was not, or was whole.
///
/// # Errors
/// [`ArchiveError::Read`].
pub fn read(folder: &Folder) -> Result<FoundDamaged, ArchiveError> {
    let path = folder.path().join(FOUND_DAMAGED);
    let text = Own::read(&path).map_err(ArchiveError::reading(path))?.bytes().unwrap_or_default();
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    let list = |of: &Value, name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let ids = |name: &str| -> Vec<(Kind, i64)> {
        let of = value.get(name).cloned().unwrap_or_default();
        let of_kind =
            |kind: Kind| list(&of, kind.table()).into_iter().filter_map(move |id| Some((kind, id.as_i64()?)));
        Kind::ALL.into_iter().flat_map(of_kind).collect()
    };
    let texts = |name: &str| -> Vec<String> {
        list(&value, name).iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let wrong_sum = |pair: &Value| {
        let about = pair.get(1).and_then(Value::as_str).map(str::to_owned);
        Some(WrongSum { table: pair.get(0)?.as_str()?.to_owned(), about })
    };
    Ok(FoundDamaged {
        rows: ids("rows"),
        joined: ids("joined"),
        wanting: texts("wanting"),
        contents: texts("contents"),
        strays: ids("strays"),
        former: ids("former"),
        runs: list(&value, "runs").iter().filter_map(Value::as_i64).collect(),
        words: texts("words"),
        sums: list(&value, "sums").iter().filter_map(wrong_sum).collect(),
        index: value.get("index").and_then(Value::as_bool).unwrap_or(false),
        database: value.get("database").and_then(Value::as_bool).unwrap_or(false),
        aside: value.get("aside").and_then(Value::as_str).filter(|place| is_aside(place)).map(str::to_owned),
    })
}

/// Whether a database may have been set aside there: nowhere else anything is moved to.
fn is_aside(place: &str) -> bool {
    let name = place.strip_prefix(ASIDE).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(|name| !name.starts_with('.') && !name.contains(['/', '\\']))
}

/// Also what a run left that was ended while it noted something.
fn forget(folder: &Folder) -> Result<(), ArchiveError> {
    [FOUND_DAMAGED, "damaged.json.new"]
        .iter()
        .try_for_each(|name| own_file::remove(folder.path(), &folder.path().join(name)))
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
        let sums: Vec<_> = self.sums.iter().map(|WrongSum { table, about }| (table, about)).collect();
        let text = format!(
            "{:#}\n",
            json!({
                "rows": by_table(&self.rows),
                "joined": by_table(&self.joined),
                "wanting": self.wanting,
                "strays": by_table(&self.strays),
                "former": by_table(&self.former),
                "runs": self.runs,
                "words": self.words,
                "contents": self.contents,
                "sums": sums,
                "index": self.index,
                "database": self.database,
                "aside": self.aside,
            })
        );
        own_file::write(folder.path(), &folder.path().join(FOUND_DAMAGED), text.as_bytes())
    }

    /// After a run that took these contents in again. Which rows are whole again is seen when they are read next; the
    /// archive's own notes it put right, or took as they are.
    pub fn after(self, mended: &HashSet<&str>) -> FoundDamaged {
        let FoundDamaged { rows, joined, mut contents, .. } = self;
        contents.retain(|path| !mended.contains(path.as_str()));
        FoundDamaged { rows, joined, contents, ..FoundDamaged::default() }
    }

    /// With the words of what was told of before it, first.
    pub fn told_after(mut self, before: FoundDamaged) -> FoundDamaged {
        let mut words = before.words;
        words.extend(
            std::mem::take(&mut self.words)
                .into_iter()
                .filter(|line| !words.contains(line))
                .collect::<Vec<_>>(),
        );
        FoundDamaged { words, ..self }
    }

    /// What rows of a table speak of whose sum is wrong.
    pub fn sums_of<'f>(&'f self, table: &'f str) -> impl Iterator<Item = &'f str> {
        let of_table = self.sums.iter().filter(move |wrong| wrong.table == table);
        of_table.filter_map(|wrong| wrong.about.as_deref())
    }

    /// Whether of no row of a table it is certain what was noted.
    pub fn is_wrong_throughout(&self, table: &str) -> bool {
        self.sums.iter().any(|wrong| wrong.table == table && wrong.about.is_none())
    }

    /// As [`FoundDamaged::sums_of`], of a table whose rows speak of one row.
    pub fn ids_of<'f>(&'f self, table: &'f str) -> impl Iterator<Item = i64> {
        self.sums_of(table).filter_map(|about| about.parse().ok())
    }

    /// The rows by kind.
    pub fn by_kind(&self) -> DamagedRows {
        let of = |rows: &[(Kind, i64)]| {
            Kind::ALL.map(|kind| rows.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect())
        };
        let hashes = Kind::ALL.map(|kind| UncertainNotes::of(self, &format!("msgarchive_{}", kind.table())));
        DamagedRows { rows: of(&self.rows), hashes, joined: of(&self.joined), wanting: self.wanting.clone() }
    }

    /// Which rows of a source are to be looked at again, whatever is known of them.
    pub fn again(&self, connection: &Connection, kind: Kind, source: i64) -> rusqlite::Result<LookAgain> {
        let rows = self.rows.iter().chain(&self.joined).chain(&self.strays);
        // A former state that is lost may be what another source still has.
        let versions = version_table(kind);
        let mut of_former = Vec::new();
        for (_, version) in self.former.iter().filter(|(of, _)| *of == kind) {
            let of = format!("SELECT msgarchive_id FROM {versions} WHERE msgarchive_version = ?1");
            of_former.extend(connection.query_row(&of, [version], |row| row.get::<_, i64>(0)).optional()?);
        }
        let former = self.ids_of(&versions).chain(of_former);
        let ids = rows.filter(|(of, _)| *of == kind).map(|(_, id)| *id).chain(former).collect();
        let sightings = NOTES.iter().find(|notes| notes.table == SIGHTINGS);
        let of = format!("{} {source} ", kind.number());
        let wrong = self.sums_of(SIGHTINGS).filter(|about| about.starts_with(&of));
        let uncertain = wrong.filter_map(|about| Some(sightings?.numbers(about)?.0)).collect();
        let is_any = kind == Kind::Message && !self.wanting.is_empty();
        Ok(LookAgain { ids, uncertain, is_any })
    }
}

/// Rows of a source that are looked at again, though they may seem to be as they were.
#[derive(Debug, Default)]
pub struct LookAgain {
    /// Their ids in the archive.
    ids: HashSet<i64>,
    /// The first row ids in the source of those that share a sum.
    uncertain: HashSet<i64>,
    /// All of them.
    is_any: bool,
}

impl LookAgain {
    /// Whether this row is one of them.
    pub fn at(&self, rowid: i64, id: i64) -> bool {
        self.is_any || self.ids.contains(&id) || self.is_uncertain(rowid)
    }

    /// Whether what is known of a row of this id may be of another one.
    pub fn is_uncertain(&self, rowid: i64) -> bool {
        self.uncertain.contains(&first_together(rowid))
    }
}

/// The damaged rows, by kind.
#[derive(Debug)]
pub struct DamagedRows {
    rows: [Damaged; Kind::ALL.len()],
    hashes: [UncertainNotes; Kind::ALL.len()],
    joined: [Damaged; Kind::ALL.len()],
    wanting: Vec<String>,
}

impl DamagedRows {
    /// The rows of a kind that are written anew.
    pub fn of(&self, kind: Kind) -> &Damaged {
        &self.rows[kind as usize]
    }

    /// Rows of a kind whose hashes may be what is damaged.
    pub fn hashes_of(&self, kind: Kind) -> &UncertainNotes {
        &self.hashes[kind as usize]
    }

    /// Those of which what joins them is written anew.
    pub fn joins_of(&self, join: &Join) -> &Damaged {
        &self.joined[join.owner().1 as usize]
    }

    /// Whether rows of this join are gone with their hashes: what comes again was there before.
    pub fn are_wanting(&self, join: &Join) -> bool {
        self.wanting.iter().any(|table| table == join.table)
    }
}
