//! What damage took for good, as records tell of it: in words, and of what.
//!
//! Records have the words in `lost`, and in `lost_of` of what each is; what was found again, or is damaged still, likewise. Earlier programs wrote only the
//! words.
//!
//! **Must never**: take one thing for another because the same is said of both.

use serde_json::{Value, json};

/// Something that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostThing {
    /// In words.
    pub what: String,
    /// `None`: of no row or file, or an earlier program's words.
    pub of: Option<LostOf>,
}

/// Of what something is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LostOf {
    /// Apple's, or one of the archive's own, as `msgarchive_file`.
    pub table: String,
    /// The number of the row there; of a note, that of the row that it speaks of.
    pub row: Option<i64>,
    /// Of a state: the run that had brought it.
    pub since: Option<i64>,
    pub guid: Option<String>,
    /// Of a file: relative to the archive's folder.
    pub path: Option<String>,
    /// The name or the address of the conversation that it is of. Hostile text.
    pub conversation: Option<String>,
    /// When the message was sent: RFC 3339.
    pub date: Option<String>,
    /// Who sent it, if that was not the owner: an address. Hostile text.
    pub sender: Option<String>,
    /// Of what is not lost but damaged still: the path of the source that may have it.
    pub source: Option<String>,
}

impl LostOf {
    /// As records have it.
    pub fn to_json(&self) -> Value {
        let LostOf { table, row, since, guid, path, conversation, date, sender, source } = self;
        let mut of = json!({
            "table": table,
            "row": row,
            "since": since,
            "guid": guid,
            "path": path,
            "conversation": conversation,
            "date": date,
            "sender": sender,
        });
        if let Some(source) = source {
            of["source"] = source.as_str().into();
        }
        of
    }

    /// What a record says; `None` where that is nothing.
    pub fn of_json(value: &Value) -> Option<LostOf> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| value.get(name).and_then(Value::as_i64);
        Some(LostOf {
            table: text("table")?,
            row: number("row"),
            since: number("since"),
            guid: text("guid"),
            path: text("path"),
            conversation: text("conversation"),
            date: text("date"),
            sender: text("sender"),
            source: text("source"),
        })
    }

    /// What makes it one and no other.
    fn key(&self) -> (&str, Option<i64>, Option<i64>, Option<&str>) {
        (&self.table, self.row, self.since, self.path.as_deref())
    }
}

impl LostThing {
    /// What a record says under `name`, and beside that.
    pub fn all_of(record: &Value, name: &str) -> Vec<LostThing> {
        let list = |name: &str| record.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut of = list(&format!("{name}_of")).map(LostOf::of_json);
        let things = list(name).map(|what| (what.as_str(), of.next().flatten()));
        things.filter_map(|(what, of)| Some(LostThing { what: what?.to_owned(), of })).collect()
    }

    /// Whether this is what was said to be lost: of the same, or, where one of the two does not say of what, in the same words.
    fn is(&self, lost: &LostThing) -> bool {
        match (&self.of, &lost.of) {
            (Some(this), Some(lost)) => this.key() == lost.key(),
            _ => self.what == lost.what,
        }
    }
}

/// What `said` is after a run that found some of it again, and says of more that it is lost: by its record. `with`: what is noted
/// with each.
pub fn after<T>(said: &mut Vec<(T, LostThing)>, record: &Value, with: impl Fn() -> T) {
    for again in LostThing::all_of(record, "found_again") {
        // Two that are told alike are two.
        let same = |(_, lost): &(T, LostThing)| again.is(lost) && again.what == lost.what;
        if let Some(at) =
            said.iter().position(same).or_else(|| said.iter().position(|(_, lost)| again.is(lost)))
        {
            said.remove(at);
        }
    }
    said.extend(LostThing::all_of(record, "lost").into_iter().map(|lost| (with(), lost)));
}

/// What is lost after all runs, by the texts of their records: the oldest first.
pub fn after_all<'r>(records: impl Iterator<Item = &'r str>) -> Vec<LostThing> {
    let mut said = Vec::new();
    for record in records {
        // A record that is damaged says nothing; `verify` names it.
        after(&mut said, &serde_json::from_str(record).unwrap_or_default(), || ());
    }
    said.into_iter().map(|((), thing)| thing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_alike_is_not_the_same() {
        let of = |since: i64| json!({ "table": "message", "row": 5, "since": since });
        let mut said = Vec::new();
        after(&mut said, &json!({ "lost": ["a", "a", "b"], "lost_of": [of(1), of(2), null] }), || ());
        after(&mut said, &json!({ "found_again": ["a"], "found_again_of": [of(2)] }), || ());
        let since: Vec<_> = said.iter().map(|(_, lost)| lost.of.as_ref().and_then(|of| of.since)).collect();
        assert_eq!(since, [Some(1), None]);
        // An earlier program's words.
        after(&mut said, &json!({ "found_again": ["b", "a"] }), || ());
        assert!(said.is_empty(), "{said:?}");
    }
}
