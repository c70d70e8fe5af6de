//! Tapbacks that another one took the place of. Messages keeps only the last tapback of a person to a part of a message: a
//! changed one, or the one that takes it back, replaces the row before it, which is then gone without having been deleted
//! by anybody (`messages-format.md` 6.3).
//!
//! **Must never**: guess. Without the later tapback there is nothing that says so.

use std::cell::RefCell;
use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::kind::Kind;
use super::places::number;
use super::row::text_at;
use super::schema::has_column;

/// What is compared; of a library from before there were tapbacks there may be none of it.
const ASSOCIATED: [&str; 2] = ["associated_message_guid", "associated_message_type"];

/// Types of tapbacks that are given, or taken back.
const TAPBACKS: &str = "associated_message_type BETWEEN 2000 AND 3999";

/// So many tapbacks are remembered.
const REMEMBERED: usize = 1 << 16;

/// Who gave a tapback.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Person {
    Me,
    /// By address: under whatever service.
    Address(String),
    /// Of a handle that is not here.
    Handle(i64),
}

/// When a tapback was given; its row id.
type Given = (i64, i64);

/// The tapbacks to one part of a message, by person: each in their order.
type Tapbacks = HashMap<Person, Vec<(Given, Option<String>)>>;

/// Looks for the tapbacks that took the place of others.
pub struct Replacing<'c> {
    connection: &'c Connection,
    /// Only those that this source has.
    seen_in: Option<i64>,
    /// By what they are to, as it is referred to: all that are gone may be to one message.
    known: RefCell<HashMap<Vec<u8>, Tapbacks>>,
    /// There are tapbacks; asked for once.
    any: RefCell<Option<bool>>,
}

impl<'c> Replacing<'c> {
    /// `seen_in`: only by tapbacks that this source has.
    pub fn new(connection: &'c Connection, seen_in: Option<i64>) -> Replacing<'c> {
        Replacing { connection, seen_in, known: RefCell::default(), any: RefCell::default() }
    }

    /// The GUID of the tapback that took the place of this one: the next of the same person to the same part.
    pub fn by(&self, message: i64) -> rusqlite::Result<Option<String>> {
        if !self.any()? {
            return Ok(None);
        }
        let this = self
            .connection
            .prepare_cached(&format!(
                "SELECT r.associated_message_guid, r.date, r.is_from_me, r.handle_id, h.id FROM message r \
                 LEFT JOIN handle h ON h.ROWID = r.handle_id WHERE r.ROWID = ?1 AND r.{TAPBACKS}"
            ))?
            .query_row([message], |row| {
                Ok((row.get::<_, Value>(0)?, row.get_ref(1).map(number)?, person(row, 2)?))
            })
            .optional()?;
        let Some((part, date, Some(person))) = this else { return Ok(None) };
        let key = match &part {
            Value::Text(text) => text.as_bytes(),
            Value::Blob(bytes) => bytes,
            _ => return Ok(None),
        };
        let mut known = self.known.borrow_mut();
        if !known.contains_key(key) {
            let tapbacks = self.tapbacks(&part)?;
            let remembered: usize = known.values().flat_map(HashMap::values).map(Vec::len).sum();
            if remembered >= REMEMBERED {
                known.clear();
            }
            known.insert(key.to_owned(), tapbacks);
        }
        let given = known.get(key).and_then(|tapbacks| tapbacks.get(&person)).map_or(&[][..], Vec::as_slice);
        let later = given.get(given.partition_point(|((at, _), _)| *at < date)..).unwrap_or_default();
        let next = later.iter().find(|((_, rowid), _)| *rowid != message);
        Ok(next.and_then(|(_, guid)| guid.clone()))
    }

    fn any(&self) -> rusqlite::Result<bool> {
        let mut any = self.any.borrow_mut();
        if let Some(any) = *any {
            return Ok(any);
        }
        let mut all = true;
        for column in ASSOCIATED {
            all &= has_column(self.connection, Kind::Message.table(), column)?;
        }
        *any = Some(all);
        Ok(all)
    }

    fn tapbacks(&self, part: &Value) -> rusqlite::Result<Tapbacks> {
        let mut tapbacks = Tapbacks::new();
        let mut all = self.connection.prepare_cached(&format!(
            "SELECT r.ROWID, r.guid, r.date, r.is_from_me, r.handle_id, h.id FROM message r \
             LEFT JOIN handle h ON h.ROWID = r.handle_id WHERE r.associated_message_guid = ?1 AND r.{TAPBACKS} \
             AND (?2 IS NULL OR EXISTS (SELECT 1 FROM msgarchive_sighting s \
               WHERE s.kind = ?3 AND s.id = r.ROWID AND s.source = ?2))"
        ))?;
        let mut rows = all.query(params![part, self.seen_in, Kind::Message.number()])?;
        while let Some(row) = rows.next()? {
            if let Some(person) = person(row, 3)? {
                let given = (row.get_ref(2).map(number)?, row.get(0)?);
                tapbacks.entry(person).or_default().push((given, text_at(row, 1)?));
            }
        }
        for of_person in tapbacks.values_mut() {
            of_person.sort_unstable();
        }
        Ok(tapbacks)
    }
}

/// Who gave a tapback, by these columns: whether it is mine, the handle, and its address.
fn person(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Option<Person>> {
    Ok(match (row.get_ref(from).map(number)?, row.get_ref(from + 1).map(number)?, text_at(row, from + 2)?) {
        (1, ..) => Some(Person::Me),
        (_, _, Some(address)) => Some(Person::Address(address)),
        (_, 0, None) => None,
        (_, handle, None) => Some(Person::Handle(handle)),
    })
}
