//! Rows of which neither they nor their hashes are there any more: what else speaks of them says that there was one, and what
//! it says tells which one it was, once a source gives it again.
//!
//! **Must never**: let another row take the place of one, or go on as if there never had been one.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::damage::FoundDamaged;
use super::identifiers::LOOKED_UP;
use super::kind::{JOINS, Kind, PLACES};
use super::noted::kind_of;
use super::participants::{MEMBERS, PARTICIPANTS};
use super::record;
use super::row::{Owned, RowHash, owned, text_at};
use super::schema::{has_column, has_table, has_versions, version_table};
use super::spelling::BEYOND;
use super::sums::{self, ABSENCES, ALIASES, FORMERLY_PLACED, NOTES, PLACED, SIGHTINGS, Solver};

/// Something that names rows by their ids.
struct Trace {
    table: String,
    column: &'static str,
    /// Which of its rows do.
    clause: String,
    /// The highest of them is found at once.
    is_quick: bool,
}

/// All that names rows of a kind, besides themselves and their hashes.
fn traces(kind: Kind) -> Vec<Trace> {
    let trace = |table: &str, column, is_quick| Trace {
        table: table.to_owned(),
        column,
        clause: String::new(),
        is_quick,
    };
    let mut traces =
        vec![Trace { clause: format!("kind = {} AND ", kind.number()), ..trace(SIGHTINGS, "id", true) }];
    for join in &JOINS {
        let is_quick = join.of_messages() || kind == Kind::Chat;
        for (column, _) in join.ends.iter().filter(|(_, of)| *of == kind) {
            traces.extend([trace(join.table, column, is_quick), trace(&join.book(), column, false)]);
        }
    }
    if has_versions(kind) {
        traces.push(trace(&version_table(kind), "msgarchive_id", true));
    }
    let notes = NOTES
        .iter()
        .filter(|notes| kind_of(notes.table) == Some(kind) && notes.table.starts_with("msgarchive_"));
    let notes =
        notes.filter_map(|notes| Some(trace(notes.table, notes.columns().first()?, notes.table == ABSENCES)));
    traces.extend(notes);
    let in_groups = match kind {
        Kind::Chat => Some("chat"),
        Kind::Handle => Some("handle"),
        _ => None,
    };
    traces.extend(
        in_groups
            .into_iter()
            .flat_map(|column| [MEMBERS, PARTICIPANTS].map(|table| trace(table, column, false))),
    );
    if kind == Kind::Chat {
        traces.push(trace(LOOKED_UP, "chat", false));
    }
    if kind == Kind::Message {
        traces.push(trace(ALIASES, "message", false));
    }
    if kind == Kind::Handle {
        let by_messages = Kind::Message.refers_to_handles().iter();
        traces.extend(by_messages.map(|column| trace(Kind::Message.table(), column, false)));
    }
    traces
}

/// A condition: a run said of the row with this id, of which nothing is here, that it is lost.
pub fn is_given_up(kind: Kind, id: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM msgarchive_lost l LEFT JOIN msgarchive_run r ON r.run = l.run \
           WHERE l.kind = {} AND l.id = {id} \
           AND (length(l.hash) = 0 OR instr(r.record, '\"{} (row ' || l.id || ' of {})') > 0))",
        kind.number(),
        kind.in_words(),
        kind.table()
    )
}

/// The ids of a kind, of these, that something names, and that neither a row nor a hash has; but for those of which a run said
/// that they are lost. Not every state that was lost is one of those.
pub fn vanished(connection: &Connection, kind: Kind, ids: (i64, i64)) -> rusqlite::Result<BTreeSet<i64>> {
    let table = kind.table();
    let mut vanished = BTreeSet::new();
    for Trace { table: of, column, clause, .. } in traces(kind) {
        if !has_column(connection, &of, column)? {
            continue;
        }
        let sql = format!(
            "SELECT DISTINCT {column} FROM {of} AS s WHERE {clause}{column} BETWEEN ?1 AND ?2 \
             AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.ROWID = s.{column}) \
             AND NOT EXISTS (SELECT 1 FROM msgarchive_{table} b WHERE b.id = s.{column}) AND NOT {}",
            is_given_up(kind, &format!("s.{column}"))
        );
        let (first, last) = (ids.0.max(1), ids.1.min(BEYOND - 1));
        let mut statement = connection.prepare(&sql)?;
        let named = statement.query_map([first, last], |row| row.get_ref(0)?.as_i64().map_err(Into::into))?;
        vanished.extend(named.filter_map(Result::ok));
    }
    Ok(vanished)
}

/// The highest id of a kind that anything names which tells it at once; 0 where nothing does.
pub fn highest(connection: &Connection, kind: Kind) -> rusqlite::Result<i64> {
    let mut highest = 0;
    for Trace { table, column, clause, .. } in traces(kind).into_iter().filter(|trace| trace.is_quick) {
        if !has_column(connection, &table, column)? {
            continue;
        }
        let sql = format!("SELECT max({column}) FROM {table} WHERE {clause}{column} < {BEYOND}");
        let of: Option<i64> = connection.query_row(&sql, [], |row| Ok(row.get_ref(0)?.as_i64().ok()))?;
        highest = highest.max(of.unwrap_or_default());
    }
    Ok(highest)
}

/// What a hash was kept with: since which runs a row is there, and as it is; and the source that brought it.
type Kept = (i64, i64, i64);

/// A row that vanished, and what tells which one it was.
#[derive(Debug, Default)]
struct Vanished {
    id: i64,
    /// What its hash adds to the sum that it is part of, where no other is wanting there.
    weight: Option<i64>,
    /// As it was known before.
    guid: Option<Vec<u8>>,
    /// When it was sent; no other one was then.
    date: Option<i64>,
    /// Where its file was.
    original: Option<String>,
}

/// The rows that vanished, as a run finds them before it takes anything in.
#[derive(Debug, Default)]
pub struct VanishedRows {
    by_kind: [Vec<Vanished>; Kind::ALL.len()],
    /// The latest run.
    runs: i64,
    sources: Vec<i64>,
}

impl VanishedRows {
    /// Of those that were found damaged.
    pub fn of(connection: &Connection, found: &FoundDamaged) -> rusqlite::Result<VanishedRows> {
        let mut all = VanishedRows::default();
        for kind in Kind::ALL {
            let is_there = format!(
                "SELECT EXISTS (SELECT 1 FROM {0} WHERE ROWID = ?1) OR EXISTS (SELECT 1 FROM msgarchive_{0} WHERE id = ?1)",
                kind.table()
            );
            let mut is_there = connection.prepare(&is_there)?;
            let ids: BTreeSet<i64> =
                found.rows.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect();
            for id in ids {
                if !is_there.query_row([id], |row| row.get::<_, bool>(0))? {
                    all.by_kind[kind as usize].push(Vanished { id, ..Vanished::default() });
                }
            }
        }
        if all.by_kind.iter().all(Vec::is_empty) {
            return Ok(all);
        }
        all.runs = record::latest(connection)?.map_or(0, |(run, _)| run);
        let mut sources = connection.prepare("SELECT source FROM msgarchive_source")?;
        all.sources = sources.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for kind in Kind::ALL {
            let rows = &mut all.by_kind[kind as usize];
            weigh(connection, kind, rows)?;
            rows.iter_mut().try_for_each(|row| row.ask(connection, kind))?;
            let mut dates: BTreeMap<i64, usize> = BTreeMap::new();
            rows.iter().filter_map(|row| row.date).for_each(|date| *dates.entry(date).or_default() += 1);
            for row in rows {
                row.date = row.date.filter(|date| dates.get(date) == Some(&1));
            }
        }
        Ok(all)
    }

    /// The id of the row that this one is, which the archive does not have; `value`: of its columns, in lower case.
    pub fn known_again<'v>(
        &self,
        kind: Kind,
        hash: RowHash,
        value: impl Fn(&str) -> Option<ValueRef<'v>>,
    ) -> Option<i64> {
        let rows = self.by_kind.get(kind as usize).filter(|rows| !rows.is_empty())?;
        let text = |name: &str| match value(name) {
            Some(ValueRef::Text(text)) => Some(text),
            _ => None,
        };
        let solver = solver(kind)?;
        let by_its_hash = rows.iter().find(|row| self.kept(&solver, row, hash).is_some());
        let by_guid = || rows.iter().find(|row| row.guid.is_some() && row.guid.as_deref() == text("guid"));
        let date = match value("date") {
            Some(ValueRef::Integer(date)) if kind == Kind::Message => Some(date),
            _ => None,
        };
        // Of one whose hash can be told it would have been.
        let by_date = || rows.iter().find(|row| row.weight.is_none() && date.is_some() && row.date == date);
        let by_file = || {
            let original = text("filename");
            rows.iter()
                .find(|row| original.is_some() && row.original.as_deref().map(str::as_bytes) == original)
        };
        by_its_hash.or_else(by_guid).or_else(by_date).or_else(by_file).map(|row| row.id)
    }

    /// Those that are here again were here before this run: what their hashes were kept with is worked out of the sums. Where
    /// these tell nothing they came with this run.
    pub fn keep_again(&self, connection: &Connection, run: i64) -> rusqlite::Result<()> {
        for kind in Kind::ALL {
            let Some(solver) = solver(kind) else { continue };
            let book = format!("msgarchive_{}", kind.table());
            let mut own =
                connection.prepare(&format!("SELECT hash FROM {book} WHERE id = ?1 AND added = ?2"))?;
            let mut keep = connection
                .prepare(&format!("UPDATE {book} SET added = ?2, since = ?3, source = ?4 WHERE id = ?1"))?;
            for row in self.by_kind.get(kind as usize).into_iter().flatten() {
                let hash: Option<RowHash> = own
                    .query_row([row.id, run], |row| {
                        Ok(row.get_ref(0)?.as_blob().ok().and_then(|hash| hash.try_into().ok()))
                    })
                    .optional()?
                    .flatten();
                let Some(hash) = hash else { continue };
                if let Some((added, since, source)) = self.kept(&solver, row, hash) {
                    keep.execute([row.id, added, since, source])?;
                }
            }
        }
        Ok(())
    }

    /// Ids of a kind.
    pub fn ids(&self, kind: Kind) -> impl Iterator<Item = i64> {
        self.by_kind.get(kind as usize).into_iter().flatten().map(|row| row.id)
    }

    /// What the hash of a row was kept with, if this was its hash.
    fn kept(&self, solver: &Solver<'_>, row: &Vanished, hash: RowHash) -> Option<Kept> {
        let weight = row.weight?;
        for source in &self.sources {
            for added in 1..=self.runs {
                let values = [
                    Owned::Integer(row.id),
                    Owned::Blob(hash.to_vec()),
                    Owned::Integer(added),
                    Owned::Null,
                    Owned::Integer(*source),
                ];
                let since = solver.number(&values, SINCE, weight)?;
                if (added..=self.runs).contains(&since) {
                    return Some((added, since, *source));
                }
            }
        }
        None
    }
}

/// Where it is said since when a row is as it is, of what is summed up with a hash.
const SINCE: usize = 3;

fn solver(kind: Kind) -> Option<Solver<'static>> {
    let table = format!("msgarchive_{}", kind.table());
    NOTES.iter().find(|notes| notes.table == table).map(|notes| notes.solver())
}

/// Says what each hash adds to its sum, where only one is wanting of those that share it.
fn weigh(connection: &Connection, kind: Kind, rows: &mut [Vanished]) -> rusqlite::Result<()> {
    let book = format!("msgarchive_{}", kind.table());
    let Some(notes) = NOTES.iter().find(|notes| notes.table == book) else { return Ok(()) };
    if rows.is_empty() || !sums::are_vouched_for(connection, notes.table)? {
        return Ok(());
    }
    let solver = notes.solver();
    let list = notes.columns().join(", ");
    let mut together =
        connection.prepare(&format!("SELECT {list} FROM {book} WHERE id BETWEEN ?1 AND ?2"))?;
    let mut of_sum: BTreeMap<i64, u32> = BTreeMap::new();
    rows.iter().for_each(|row| *of_sum.entry(notes.shared(row.id)).or_default() += 1);
    for row in rows {
        if of_sum.get(&notes.shared(row.id)) != Some(&1) {
            continue;
        }
        let about = notes.shared(row.id).to_string();
        let mut weight = sums::read(connection, notes.table, &about)?;
        let mut others = together.query([sums::first_together(row.id), sums::last_together(row.id)])?;
        while let Some(other) = others.next()? {
            weight = weight.wrapping_sub(solver.weight(&owned(other, notes.columns().len())?));
        }
        row.weight = Some(weight);
    }
    Ok(())
}

impl Vanished {
    /// Asks what names it what it was.
    fn ask(&mut self, connection: &Connection, kind: Kind) -> rusqlite::Result<()> {
        if has_versions(kind) {
            let former = format!(
                "SELECT guid FROM {} WHERE msgarchive_id = ?1 ORDER BY msgarchive_version DESC LIMIT 1",
                version_table(kind)
            );
            let guid = connection.prepare_cached(&former)?.query_row([self.id], |row| {
                Ok(row.get_ref(0)?.as_bytes_or_null().ok().flatten().map(<[u8]>::to_vec))
            });
            self.guid = guid.optional()?.flatten();
        }
        match kind {
            Kind::Message => {
                let date =
                    format!("SELECT message_date FROM {PLACES} WHERE message_id = ?1 AND message_date <> 0");
                let date = connection
                    .prepare_cached(&date)?
                    .query_row([self.id], |row| Ok(row.get_ref(0)?.as_i64().ok()));
                self.date = date.optional()?.flatten();
            }
            Kind::Attachment => {
                for placed in [PLACED, FORMERLY_PLACED] {
                    if self.original.is_none() && has_table(connection, placed)? {
                        let original = format!("SELECT original FROM {placed} WHERE attachment = ?1");
                        let original = connection
                            .prepare_cached(&original)?
                            .query_row(params![self.id], |row| text_at(row, 0));
                        self.original = original.optional()?.flatten();
                    }
                }
            }
            Kind::Handle | Kind::Chat => {}
        }
        Ok(())
    }
}
