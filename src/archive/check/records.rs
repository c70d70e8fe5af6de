//! Whether the records are as their runs wrote them, each closing over the one before it and over the rows of its run.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::{fs, io};

use rusqlite::Connection;
use serde_json::Value;

use super::{Check, Lost, Problem};
use crate::archive::folder::{Folder, RUNS};
use crate::archive::gone_for_good::GONE_FOR_GOOD;
use crate::archive::kind::JOINS;
use crate::archive::lost_thing;
use crate::archive::record::{self, Accepted, RowsDigest, no_rows};
use crate::archive::records::{self, InDatabase, Says, Whole, hash, whole};
use crate::archive::schema::has_table;
use crate::archive::sums::Totals;
use crate::disk::archive_folder::{holder, was_ended};
use crate::disk::is_gone;
use crate::pipeline::crew::lock;

/// At most so many records that are missing are told of one by one.
const MISSING: i64 = 1000;

/// The records as their runs wrote them, from wherever they are so.
pub(super) struct ReadRecords {
    /// By the number that they have in the database: with their texts, and what these say.
    records: BTreeMap<i64, (InDatabase, String, Value)>,
    /// Names of files that are of none of them.
    of_no_run: Vec<String>,
}

impl ReadRecords {
    /// What the last one says.
    pub(super) fn last(&self) -> Option<&Value> {
        self.records.values().next_back().map(|(_, _, value)| value)
    }

    /// The sums that the last one closes over; `None` where an earlier program wrote it.
    pub(super) fn last_totals(&self) -> Option<Totals> {
        self.records.values().next_back().and_then(|(_, text, _)| Totals::of_record(text))
    }

    /// What is lost, as the runs that found it so say, but for what a later one found again.
    pub(super) fn lost(&self) -> Vec<Lost> {
        let mut lost = Vec::new();
        for (record, _, value) in self.records.values() {
            lost_thing::after(&mut lost, value, || record.name.clone());
        }
        lost.into_iter().map(|(run, thing)| Lost { run, thing }).collect()
    }
}

/// A source that the newest record names of those that say any, and that is not gone for good: as files tell it.
pub(super) fn last_source(folder: &Folder) -> Option<String> {
    let files = records::in_files(folder).ok()?;
    let mut gone: HashSet<i64> = HashSet::new();
    for bytes in files.values().rev().filter_map(|bytes| bytes.as_ref().ok()) {
        let record: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let list = |name: &str| record.get(name).and_then(Value::as_array).into_iter().flatten();
        let number = |source: &Value| source.get("source").and_then(Value::as_i64);
        let mut there =
            list("sources").filter(|source| number(source).is_none_or(|source| !gone.contains(&source)));
        if let Some(path) = there.find_map(|source| source.get("path")?.as_str()) {
            return Some(path.to_owned());
        }
        gone.extend(list(GONE_FOR_GOOD).filter_map(number));
    }
    None
}

impl Check<'_> {
    /// Reads all records, where they are whole.
    pub(super) fn read_records(&self, connection: &Connection) -> rusqlite::Result<ReadRecords> {
        let mut files = records::in_files(self.folder).unwrap_or_else(|error| {
            self.unread(RUNS, &error);
            BTreeMap::new()
        });
        let mut records = BTreeMap::new();
        for record in records::in_database(connection)? {
            let file = self.file(&record, files.remove(&record.name));
            let text = self.as_written(&record, file.as_deref());
            let value = serde_json::from_str(&text).unwrap_or_default();
            records.insert(record.run, (record, text, value));
        }
        Ok(ReadRecords { records, of_no_run: files.into_keys().collect() })
    }

    /// All records against the rows. How many there are, and the names of files that are of none of them.
    pub(super) fn records(
        &self,
        connection: &Connection,
        ReadRecords { records, of_no_run }: ReadRecords,
    ) -> rusqlite::Result<(u64, Vec<String>)> {
        let rows_by_run = record::rows_by_run(connection, None)?;
        if records.is_empty() && rows_by_run.is_empty() {
            return Ok((0, of_no_run));
        }
        let mut accepted: BTreeMap<i64, Accepted> = BTreeMap::new();
        for (_, _, value) in records.values() {
            accepted.extend(Accepted::of_record(value));
        }
        let rows = |run: i64| rows_by_run.get(&run).cloned().unwrap_or_else(no_rows);
        // By what they say themselves: a number in the database may be what is damaged.
        let last =
            records.values().filter_map(|(_, _, value)| Says::of(value).number).max().unwrap_or_default();
        let last = last.min(records.len() as i64 + MISSING);
        let runs: BTreeSet<i64> =
            (1..=last).chain(records.keys().copied()).chain(rows_by_run.keys().copied()).collect();
        for run in runs {
            let is = records.get(&run);
            let now = Accepted { record: is.map(|(_, text, _)| hash(text)), rows: rows(run) };
            if accepted.get(&run) == Some(&now) {
                continue;
            }
            match is {
                None => {
                    let what = format!(
                        "the record of run {run} is gone, from the database, too; what else is here is not touched by it"
                    );
                    lock(&self.damaged).runs.push(run);
                    self.found(Problem { lost: true, ..Problem::of("record", what).at(RUNS) });
                }
                Some((record, _, value)) => {
                    let before = records.get(&(run - 1)).map(|(_, text, _)| hash(text));
                    // Of one that is gone nothing can be said but that.
                    let follows_any = accepted.contains_key(&(run - 1)) || run > 1 && before.is_none();
                    self.record(record, value, &now.rows, (before, follows_any));
                }
            }
        }
        let totals = records.values().next_back().and_then(|(_, _, value)| value.get("totals"));
        self.totals(connection, totals.unwrap_or(&Value::Null))?;
        Ok((records.len() as u64, of_no_run))
    }

    /// The bytes of a record's file. One that was not there is written by a run that goes on beside this one, after its
    /// rows; of one that cannot be read nothing is known.
    fn file(&self, record: &InDatabase, there: Option<io::Result<Vec<u8>>>) -> Option<Vec<u8>> {
        let as_in_database = || Some(record.text.as_bytes().to_vec());
        let path = self.folder.runs().join(format!("{}.json", record.name));
        let is_written_now = there.is_none() && holder(self.folder.path()).is_some();
        match there.unwrap_or_else(|| fs::read(path)) {
            _ if is_written_now => as_in_database(),
            Ok(bytes) => Some(bytes),
            // It was ended between its rows and its record, which the next run writes.
            Err(error) if is_gone(&error) && was_ended(self.folder.path(), &record.date) => as_in_database(),
            Err(error) if is_gone(&error) => None,
            Err(error) => {
                self.unread(format!("{RUNS}/{}.json", record.name), &error);
                as_in_database()
            }
        }
    }

    /// Files that were of no run when rows were looked at, and are of none that was completed since.
    pub(super) fn records_of_no_run(
        &self,
        connection: &Connection,
        names: Vec<String>,
    ) -> rusqlite::Result<()> {
        let mut is_one =
            connection.prepare("SELECT EXISTS (SELECT 1 FROM msgarchive_run WHERE name = ?1)")?;
        for name in names {
            if !is_one.query_row([&name], |row| row.get::<_, bool>(0))? {
                self.found(
                    Problem::of("record", "is the record of no run").at(format!("{RUNS}/{name}.json")),
                );
            }
        }
        Ok(())
    }

    /// The text of a record, from where it is as its run wrote it.
    fn as_written(&self, record: &InDatabase, file: Option<&[u8]>) -> String {
        let InDatabase { run, name, text, sha256, .. } = record;
        let broken = |what: &str| self.found(Problem::of("record", what).at(format!("{RUNS}/{name}.json")));
        match (whole(text, file, sha256.as_deref()), file) {
            (Whole::InFile, file) => {
                broken("is damaged in the database; the next run takes it from this file");
                return String::from_utf8_lossy(file.unwrap_or_default()).into_owned();
            }
            (Whole::Nowhere, _) => {
                broken("is damaged, and nothing has it whole");
                lock(&self.damaged).runs.push(*run);
            }
            (Whole::InDatabase, None) => {
                broken("is gone; the database has it, and the next run writes it again")
            }
            (Whole::InDatabase, Some(bytes)) if bytes != text.as_bytes() => {
                broken("is not what the run wrote; the database has that, and the next run writes it again");
            }
            (Whole::InDatabase, _) if sha256.as_ref().is_some_and(|sha256| *sha256 != hash(text)) => {
                broken("has a damaged hash in the database; the next run makes it anew");
            }
            _ => {}
        }
        text.clone()
    }

    /// What a record says, against what is there. `before`: the hash of the record before it, and whether that is not the
    /// one that it was.
    fn record(&self, record: &InDatabase, value: &Value, rows: &RowsDigest, before: (Option<String>, bool)) {
        let InDatabase { run, date, name, .. } = record;
        let broken = |what: &str| self.found(Problem::of("record", what).at(format!("{RUNS}/{name}.json")));
        let for_good = |what: &str| {
            broken(what);
            lock(&self.damaged).runs.push(*run);
        };
        let says = Says::of(value);
        let (before, follows_any) = before;
        if says.previous != before && !follows_any {
            for_good("does not follow the record before it");
        }
        if says.number != Some(*run) {
            broken("has a number that is not the next one");
        }
        if says.name.as_ref() != Some(name) || says.date.as_ref() != Some(date) {
            broken("has another name or date in the database; the next run makes them anew");
        }
        if says.archive.as_ref() != Some(&self.folder.id) {
            broken("is of another archive");
        }
        let own =
            (value.get("rows").and_then(Value::as_u64), value.get("rows_sha256").and_then(Value::as_str));
        if own != (Some(rows.rows), Some(&rows.sha256)) {
            for_good("does not agree with the rows that its run added");
        }
    }

    fn totals(&self, connection: &Connection, expected: &Value) -> rusqlite::Result<()> {
        let found = record::totals(connection)?;
        for (table, count) in found.as_object().into_iter().flatten() {
            let should = expected.get(table);
            if should != Some(count) {
                self.are_wanting(connection, table, should.and_then(Value::as_i64))?;
                let should = should.map_or("as many as nobody knows".into(), Value::to_string);
                self.found(Problem::of("count", format!("{table} has {count} rows instead of {should}")));
            }
        }
        Ok(())
    }

    /// Notes that rows of a join are gone with their hashes, if so it is.
    fn are_wanting(&self, connection: &Connection, table: &str, should: Option<i64>) -> rusqlite::Result<()> {
        let Some(join) = JOINS.iter().find(|join| join.table == table && join.of_messages()) else {
            return Ok(());
        };
        if has_table(connection, &join.book())? {
            let booked: i64 =
                connection
                    .query_row(&format!("SELECT count(*) FROM {}", join.book()), [], |row| row.get(0))?;
            if should.is_some_and(|should| booked < should) {
                lock(&self.damaged).wanting.push(table.to_owned());
            }
        }
        Ok(())
    }
}
