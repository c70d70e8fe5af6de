//! Whether what another archive gives is what it once wrote: it has a hash of each row, and its disk may be damaged as any.
//!
//! What is not is told of, and left there: it stays news until that archive is mended, or has given it up. What is known of it
//! here stays as it is. A row that was given up there has the hash of what lies there since: only where nothing is known of it here
//! it is taken, and given up here, too. What hangs on such a row is taken without it, and joined with it once that comes. Of notes, which have sums, none of a table is
//! taken where any is another.
//!
//! **Must never**: take a source's word where it left a hash beside it.

mod notes;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::ValueRef;

pub use self::notes::AttestedNotes;
use super::ArchiveError;
use super::kind::{Join, Kind};
use super::named::NAMED;
use super::picked::each_of;
use super::places::number;
use super::row::{self, RowHash};
use super::scan::Wanted;
use crate::source::SourceKind;
use crate::source::tables::{Table, TableRow, Tables, text};

/// States of rows that were damaged for good.
const LOST: &str = "msgarchive_lost";

/// The hashes that an archive has of rows of one table.
pub struct Attested<'r> {
    rowids: &'r [i64],
    /// As many as there are row ids; `None` of what is no archive.
    hashes: Option<Vec<Option<RowHash>>>,
    /// Row id → the hash of what the row was, of those that were given up.
    given_up: BTreeMap<i64, RowHash>,
}

impl<'r> Attested<'r> {
    /// Of the rows with these row ids, which are sorted.
    ///
    /// # Errors
    /// What SQLite says of the source.
    pub fn read(tables: &Tables, kind: Kind, rowids: &'r [i64]) -> Result<Attested<'r>, ArchiveError> {
        let Some(book) = book_of(tables, &format!("msgarchive_{}", kind.table())) else {
            return Ok(Attested { rowids, hashes: None, given_up: BTreeMap::new() });
        };
        let mut lost: BTreeMap<(i64, i64), RowHash> = BTreeMap::new();
        if let Some(table) = tables.table(LOST) {
            tables.reader().rows(table, &["kind", "id", "run", "hash"], i64::MIN..=i64::MAX, |row| {
                if number(row.value(0)) == kind.number() {
                    let state = (number(row.value(1)), number(row.value(2)));
                    lost.insert(state, hash_at(row, 3).unwrap_or_default());
                }
                Ok::<(), ArchiveError>(())
            })?;
        }
        let mut hashes = vec![None; rowids.len()];
        let mut given_up = BTreeMap::new();
        each_of(tables, book, &["hash", "since"], rowids, |row| {
            // What lies there since the run that gave it up.
            if let Some(was) = lost.get(&(row.rowid(), number(row.value(1)))) {
                given_up.insert(row.rowid(), *was);
            }
            if let Ok(at) = rowids.binary_search(&row.rowid())
                && let Some(hash) = hashes.get_mut(at)
            {
                *hash = hash_at(row, 0);
            }
            Ok(())
        })?;
        Ok(Attested { rowids, hashes: Some(hashes), given_up })
    }

    /// The hash of what a row was that was given up there.
    pub fn given_up(&self, rowid: i64) -> Option<RowHash> {
        self.given_up.get(&rowid).copied()
    }

    /// There is nothing to compare with.
    pub fn is_needless(&self) -> bool {
        self.hashes.is_none()
    }

    /// Whether the row, which is one of those that were asked for, is what was written. `values`: of the columns `wanted`, as the
    /// source has them.
    pub fn vouches_for(&self, rowid: i64, kind: Kind, wanted: &Wanted, values: &[ValueRef<'_>]) -> bool {
        self.is_needless() || self.hash_of(rowid) == Some(written(kind, wanted, values))
    }

    /// Whether something was written there, whatever lies there now.
    pub fn knows(&self, rowid: i64) -> bool {
        self.hash_of(rowid).is_some()
    }

    fn hash_of(&self, rowid: i64) -> Option<RowHash> {
        let at = self.rowids.binary_search(&rowid).ok()?;
        *self.hashes.as_ref()?.get(at)?
    }
}

/// Where an archive keeps hashes. One that an earlier program wrote may have none.
fn book_of<'t>(tables: &'t Tables, name: &str) -> Option<&'t Table> {
    let is_archive = tables.info().kind == SourceKind::Archive;
    tables.table(name).filter(|book| is_archive && book.column("hash").is_some())
}

/// The hash that an archive wrote of a row with these values.
pub fn written(kind: Kind, wanted: &Wanted, values: &[ValueRef<'_>]) -> RowHash {
    let columns = wanted.lower.iter().map(String::as_str).zip(values.iter().copied());
    row::hash(columns.filter(|(name, _)| !kind.unhashed().contains(name)))
}

/// The hash in a column.
pub fn hash_at(row: &TableRow<'_, '_>, column: usize) -> Option<RowHash> {
    match row.value(column) {
        ValueRef::Blob(hash) => hash.try_into().ok(),
        _ => None,
    }
}

/// What a row says that it is, for people.
pub fn name_of(kind: Kind, wanted: &Wanted, values: &[ValueRef<'_>]) -> String {
    let at = wanted.lower.iter().position(|name| kind.key().first().is_some_and(|key| name == key));
    at.and_then(|at| values.get(at)).and_then(|value| text(*value)).unwrap_or_else(|| "without a name".into())
}

/// The hashes that an archive has of the rows of a join.
pub struct AttestedJoin {
    /// What an archive wrote; `None` of what is none.
    book: Option<Vec<Booked>>,
    /// The columns in lower case, with their positions, in the order in which rows are hashed.
    columns: Vec<(String, usize)>,
    /// Where the row is named that one says something of.
    owner: Option<usize>,
    /// Row ids of those of which something is said that was not written.
    wrong: BTreeSet<i64>,
}

/// A row of a join that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Booked {
    /// The first half.
    hash: u64,
    owner: i64,
    came: bool,
}

impl AttestedJoin {
    /// `names`: the columns of the rows that will come; `is_asked`: of which rows (by row id) these will say something. Of a few news
    /// no more is read than of them.
    ///
    /// # Errors
    /// What SQLite says of the source.
    pub fn read(
        tables: &Tables,
        join: &Join,
        names: &[&str],
        is_asked: impl Fn(i64) -> bool,
    ) -> Result<AttestedJoin, ArchiveError> {
        let owner = join.owner().0;
        let mut columns: Vec<(String, usize)> =
            names.iter().enumerate().map(|(at, name)| (name.to_ascii_lowercase(), at)).collect();
        columns.sort_unstable();
        let mut book = None;
        if let Some(table) = book_of(tables, &join.book()).filter(|book| book.column(owner).is_some()) {
            let mut rows = Vec::new();
            tables.reader().all(table, &[owner, "hash"], |row| {
                let owner = number(row.value(0));
                let hash = hash_at(row, 1).filter(|_| is_asked(owner));
                rows.extend(hash.map(|hash| Booked { hash: half(hash), owner, came: false }));
                Ok::<(), ArchiveError>(())
            })?;
            rows.sort_unstable();
            book = Some(rows);
        }
        let owner = names.iter().position(|name| name.eq_ignore_ascii_case(owner));
        Ok(AttestedJoin { book, columns, owner, wrong: BTreeSet::new() })
    }

    /// Whether a row is what was written; `values` as the source has them.
    pub fn vouches_for(&mut self, values: &[ValueRef<'_>]) -> bool {
        let Some(book) = &mut self.book else { return true };
        let value = |at: usize| values.get(at).copied().unwrap_or(ValueRef::Null);
        let hash = half(row::hash(self.columns.iter().map(|(name, at)| (name.as_str(), value(*at)))));
        let first = book.partition_point(|booked| booked.hash < hash);
        let alike = book.iter_mut().skip(first).take_while(|booked| booked.hash == hash);
        let mut is_booked = false;
        for booked in alike {
            booked.came = true;
            is_booked = true;
        }
        if !is_booked {
            self.wrong.extend(self.owner.map(|at| number(value(at))));
        }
        is_booked
    }

    /// Row ids of those of which it says what was not written, or does not say any more what was; once all rows came.
    pub fn wrong(mut self) -> BTreeSet<i64> {
        let gone = self.book.iter().flatten().filter(|booked| !booked.came).map(|booked| booked.owner);
        self.wrong.extend(gone);
        self.wrong
    }
}

fn half(hash: RowHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// What was not taken of an archive; and what was not what was written here, when other news of it came.
#[derive(Debug, Default)]
pub struct Refused {
    named: Vec<String>,
    /// Beyond those.
    others: u64,
    /// Taken as what lies there.
    given_up: Vec<(String, (Kind, i64))>,
    /// Of this archive, as they were before.
    here: Vec<String>,
    other_here: u64,
}

impl Refused {
    fn add(&mut self, what: String) {
        match self.named.len() < NAMED {
            true => self.named.push(what),
            false => self.others += 1,
        }
    }

    /// A row: `name` is what it says that it is.
    pub fn row(&mut self, kind: Kind, name: &str) {
        self.add(format!("{} ({name})", kind.in_words()));
    }

    /// A row that was given up there, and of which nothing else is known here: it is taken as what lies there.
    pub fn given_up(&mut self, (kind, id): (Kind, i64), name: &str) {
        self.given_up.push((format!("{} ({name})", kind.in_words()), (kind, id)));
    }

    /// Those, by their ids here.
    pub fn all_given_up(&self) -> impl Iterator<Item = (Kind, i64)> {
        self.given_up.iter().map(|(_, row)| *row)
    }

    /// A row that is not there any more. An archive lets go of none.
    pub fn gone(&mut self, kind: Kind, name: &str) {
        self.add(format!("{} ({name}), which is gone there", kind.in_words()));
    }

    /// A former state of one.
    pub fn former_state(&mut self, kind: Kind, name: &str) {
        self.add(format!("a former state of {} ({name})", kind.in_words()));
    }

    /// What is noted of something, in the words of [`super::noted`].
    pub fn note(&mut self, what: &str, name: &str) {
        self.add(format!("{what} ({name})"));
    }

    /// A card of its address books.
    pub fn card(&mut self, name: &str) {
        self.add(format!("the card of {name}"));
    }

    /// What a row of a join says of one.
    pub fn joined(&mut self, join: &Join, name: &str) {
        self.add(format!("what joins {} ({name}): {}", join.owner().1.in_words(), join.says));
    }

    /// A row of this archive that something else took the place of, and that was not what was written.
    pub fn overwritten(&mut self, kind: Kind, name: &str) {
        match self.here.len() < NAMED {
            true => self.here.push(format!("{} ({name})", kind.in_words())),
            false => self.other_here += 1,
        }
    }

    /// All was what was written.
    pub fn is_none(&self) -> bool {
        self.named.is_empty() && self.given_up.is_empty() && self.here.is_empty()
    }

    /// For people: what of the archive at `path` was not taken, and what to do.
    pub fn in_words(&self, path: &str) -> Vec<String> {
        let words = |what: &String| {
            format!(
                "{what}, in {path}: it is not what was written there. It is left there, and taken once that archive is mended: run \
                 `verify` on it"
            )
        };
        let others = match self.others {
            0 => None,
            1 => Some(format!("1 more row, in {path}, is not what was written there either")),
            others => Some(format!("{others} more rows, in {path}, are not what was written there either")),
        };
        let given_up = self.given_up.iter().take(NAMED).map(|(what, _)| {
            format!("{what}, in {path}: it was damaged there for good. It is taken as it lies there, and shown as damaged here, too")
        });
        let more = self.given_up.len().saturating_sub(NAMED);
        let more_given_up =
            (more > 0).then(|| format!("{more} more rows, in {path}, were damaged there for good"));
        let here = self.here.iter().map(|what| {
            format!(
                "{what}, as it was before: it is not what was written here. It is kept as it lay there, and taken for nobody's words: \
                 run `verify` on this archive"
            )
        });
        let other_here =
            (self.other_here > 0).then(|| format!("{} more rows, as they were before", self.other_here));
        let there = self.named.iter().map(words).chain(others).chain(given_up).chain(more_given_up);
        there.chain(here).chain(other_here).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_taken_is_named_as_far_as_anybody_reads_on() {
        let mut refused = Refused::default();
        assert!(refused.is_none());
        for row in 0..NAMED + 2 {
            refused.row(Kind::Message, &format!("GUID {row}"));
        }
        assert!(!refused.is_none());
        let words = refused.in_words("the/archive");
        assert_eq!(words.len(), NAMED + 1);
        assert!(words[99].starts_with("a message (GUID 99), in the/archive: it is not"), "{}", words[99]);
        assert_eq!(words[100], "2 more rows, in the/archive, are not what was written there either");
    }
}
