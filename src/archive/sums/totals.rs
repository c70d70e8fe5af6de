//! The sums of whole tables, as the record of every run closes over them.
//!
//! **Must never**: be made of what is there, but where a run makes sums anew.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The sums of whole tables, as records close over them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<String, i64>);

impl Totals {
    /// Those of a record; `None` of an earlier program's, which wrote none.
    pub fn of_record(record: &str) -> Option<Totals> {
        let record: Value = serde_json::from_str(record).ok()?;
        let totals = record.get("sums")?.as_object()?.iter();
        let number = |hex: &Value| u64::from_str_radix(hex.as_str()?, 16).ok();
        Some(Totals(
            totals.map(|(table, hex)| Some((table.clone(), number(hex)? as i64))).collect::<Option<_>>()?,
        ))
    }

    pub fn to_json(&self) -> Value {
        let hex = self.0.iter().map(|(table, total)| (table.clone(), format!("{total:016x}").into()));
        hex.collect::<Map<String, Value>>().into()
    }

    pub fn of(&self, table: &str) -> i64 {
        self.0.get(table).copied().unwrap_or_default()
    }

    /// Whether there is one of a table: an earlier program knows nothing of what came later.
    pub fn has(&self, table: &str) -> bool {
        self.0.contains_key(table)
    }

    /// Adds to that of a table.
    pub fn change(&mut self, table: &str, by: i64) {
        let of = self.0.entry(table.to_owned()).or_default();
        *of = of.wrapping_add(by);
    }

    /// That of a table of which sums were made anew.
    pub(super) fn set(&mut self, table: &str, total: i64) {
        self.0.insert(table.to_owned(), total);
    }
}
