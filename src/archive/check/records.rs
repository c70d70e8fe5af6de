//! Whether the records of an archive's runs are as they were written.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Check, Problem};
use crate::archive::folder;
use crate::archive::lock::Lock;
use crate::archive::record::{self, Whole, no_rows};
use crate::archive::schema::{RECORD_HASH, has_column};
use crate::disk::hexadecimal;

impl Check<'_> {
    /// The records: as they were written, each closing over the one before it and over the rows of its run.
    /// How many there are, and the names of files that are of none of them.
    pub(super) fn records(&self, connection: &Connection) -> rusqlite::Result<(u64, Vec<String>)> {
        let rows_by_run = record::rows_by_run(connection, None)?;
        let hash = if has_column(connection, "msgarchive_run", RECORD_HASH)? { RECORD_HASH } else { "NULL" };
        let mut statement = connection
            .prepare(&format!("SELECT run, name, record, {hash} FROM msgarchive_run ORDER BY run"))?;
        let runs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let runs: Vec<record::InDatabase> = runs.collect::<rusqlite::Result<_>>()?;
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in fs::read_dir(self.folder.runs()).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(name) = name.strip_suffix(".json") {
                files.insert(name.to_owned(), fs::read(entry.path()).unwrap_or_default());
            }
        }
        let mut before: Option<String> = None;
        let mut expected = 1;
        let mut totals = Value::Null;
        for (run, name, record, sha256) in &runs {
            let path = format!("{}/{name}.json", folder::RUNS);
            let broken = |what: &str| self.found(Problem::of("record", what).at(&path));
            let file = files.remove(name).or_else(|| self.written_meanwhile(name, record));
            let file_text = file.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let text = match record::whole(record, file.as_deref(), sha256.as_deref()) {
                Whole::InFile => {
                    broken("is damaged in the database; the next run takes it from this file");
                    &*file_text
                }
                Whole::Nowhere => {
                    broken("is damaged, and nothing has it whole");
                    record
                }
                Whole::InDatabase => {
                    match &file {
                        None => broken("is gone; the database has it, and the next run writes it again"),
                        Some(bytes) if bytes != record.as_bytes() => broken(
                            "is not what the run wrote; the database has that, and the next run writes it again",
                        ),
                        Some(_)
                            if sha256
                                .as_ref()
                                .is_some_and(|hash| *hash != hexadecimal(&Sha256::digest(record))) =>
                        {
                            broken("has a damaged hash in the database; the next run makes it anew");
                        }
                        Some(_) => {}
                    }
                    record
                }
            };
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            let hash = before.as_ref().map(|text| hexadecimal(&Sha256::digest(text.as_bytes())));
            if value.get("previous").and_then(Value::as_str) != hash.as_deref() {
                broken("does not follow the record before it");
            }
            if *run != expected || value.get("number").and_then(Value::as_i64) != Some(*run) {
                broken("has a number that is not the next one");
            }
            if value.get("archive").and_then(Value::as_str) != Some(&self.folder.id) {
                broken("is of another archive");
            }
            let rows = rows_by_run.get(run).cloned().unwrap_or_else(no_rows);
            if value.get("rows").and_then(Value::as_u64) != Some(rows.rows)
                || value.get("rows_sha256").and_then(Value::as_str) != Some(&rows.sha256)
            {
                broken("does not agree with the rows that its run added");
            }
            totals = value.get("totals").cloned().unwrap_or_default();
            expected = run + 1;
            before = Some(text.to_owned());
        }
        if !runs.is_empty() || !rows_by_run.is_empty() {
            self.totals(connection, &totals)?;
        }
        Ok((runs.len() as u64, files.into_keys().collect()))
    }

    /// The file of a record that was not there. A run that goes on beside this one writes it after its rows.
    fn written_meanwhile(&self, name: &str, record: &str) -> Option<Vec<u8>> {
        match Lock::holder(self.folder.path()) {
            Some(_) => Some(record.as_bytes().to_vec()),
            None => fs::read(self.folder.runs().join(format!("{name}.json"))).ok(),
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
                let path = format!("{}/{name}.json", folder::RUNS);
                self.found(Problem::of("record", "is the record of no run").at(path));
            }
        }
        Ok(())
    }

    fn totals(&self, connection: &Connection, expected: &Value) -> rusqlite::Result<()> {
        let found = record::totals(connection)?;
        for (table, count) in found.as_object().into_iter().flatten() {
            let should = expected.get(table);
            if should != Some(count) {
                let should = should.map_or("as many as nobody knows".into(), Value::to_string);
                self.found(Problem::of("count", format!("{table} has {count} rows instead of {should}")));
            }
        }
        Ok(())
    }
}
