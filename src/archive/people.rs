//! Takes in the cards of the sources' address books, so that the archive can name its people by itself.
//!
//! **Must never**: forget a card. One that was changed or removed is kept with the run that no longer saw it.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::ArchiveError;
use super::attested::hash_at;
use super::row::{RowHash, hash, hash_of};
use crate::source::SourceKind;
use crate::source::contacts::{CARDS, Contact};
use crate::source::tables::{Tables, text};

/// The columns that a card's hash closes over, sorted.
const HASHED: [&str; 7] = ["emails", "full_name", "is_me", "name", "person", "phones", "rank"];

/// A card of the archive.
struct Kept {
    rowid: i64,
    /// As it was written.
    hash: Option<RowHash>,
    /// As it is.
    is: RowHash,
    name: String,
}

impl Kept {
    fn is_whole(&self) -> bool {
        self.hash == Some(self.is)
    }
}

/// The cards of a source as it has them, or (`None`) of all sources and times.
fn kept(connection: &Connection, source: Option<i64>) -> rusqlite::Result<Vec<Kept>> {
    let mut statement = connection.prepare(&format!(
        "SELECT rowid, hash, name, {} FROM {CARDS} WHERE ?1 IS NULL OR source = ?1 AND until IS NULL ORDER BY rowid",
        HASHED.join(", ")
    ))?;
    let names = HASHED.map(str::to_owned);
    let kept = statement.query_map([source], |row| {
        let hash: Option<RowHash> = row.get_ref(1)?.as_blob().ok().and_then(|hash| hash.try_into().ok());
        let name = row.get_ref(2)?.as_bytes().map(|name| String::from_utf8_lossy(name).into_owned());
        Ok(Kept { rowid: row.get(0)?, hash, is: hash_of(row, 3, &names)?, name: name.unwrap_or_default() })
    })?;
    kept.collect()
}

/// The names on cards that are not as they were written.
pub fn damaged(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let damaged = kept(connection, None)?.into_iter().filter(|card| !card.is_whole());
    Ok(damaged.map(|card| card.name).collect())
}

/// The names on cards of another archive that are not as it wrote them; none of what is no archive.
///
/// # Errors
/// What SQLite says of the source.
pub fn damaged_there(tables: &Tables) -> Result<Vec<String>, ArchiveError> {
    let mut damaged = Vec::new();
    let is_archive = tables.info().kind == SourceKind::Archive;
    let Some(cards) = tables.table(CARDS).filter(|_| is_archive) else { return Ok(damaged) };
    let mut columns = HASHED.to_vec();
    columns.push("hash");
    tables.reader().all(cards, &columns, |row| {
        let is = hash(HASHED.into_iter().enumerate().map(|(at, name)| (name, row.value(at))));
        if hash_at(row, HASHED.len()) != Some(is) {
            damaged.push(text(row.value(3)).unwrap_or_default());
        }
        Ok::<(), ArchiveError>(())
    })?;
    Ok(damaged)
}

/// Takes the cards of a source's address book, where one was read: an empty one tells nothing.
pub fn take(connection: &Connection, source: i64, run: i64, cards: &[Contact]) -> rusqlite::Result<()> {
    if cards.is_empty() {
        return Ok(());
    }
    let mut new: HashMap<RowHash, &Contact> = cards.iter().map(|card| (of(card), card)).collect();
    let mut end = connection.prepare(&format!("UPDATE {CARDS} SET until = ?2 WHERE rowid = ?1"))?;
    let mut mend = connection.prepare(&format!(
        "UPDATE {CARDS} SET hash = ?2, person = ?3, name = ?4, full_name = ?5, rank = ?6, is_me = ?7, phones = ?8, \
         emails = ?9 WHERE rowid = ?1"
    ))?;
    for card in kept(connection, Some(source))? {
        // The hash may be what is damaged.
        let hash = card.hash.filter(|hash| new.contains_key(hash)).unwrap_or(card.is);
        match new.remove(&hash) {
            Some(_) if card.is_whole() => {}
            Some(Contact { person, name, full_name, rank, is_me, phones, emails }) => {
                let (phones, emails) = (lines(phones), lines(emails));
                mend.execute(params![
                    card.rowid, hash, person, name, full_name, rank, is_me, phones, emails
                ])?;
            }
            None => drop(end.execute([card.rowid, run])?),
        }
    }
    let mut insert = connection.prepare(&format!(
        "INSERT INTO {CARDS} (source, since, hash, person, name, full_name, rank, is_me, phones, emails) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    ))?;
    for card in cards {
        let hash = of(card);
        if new.remove(&hash).is_some() {
            let Contact { person, name, full_name, rank, is_me, phones, emails } = card;
            let (phones, emails) = (lines(phones), lines(emails));
            insert
                .execute(params![source, run, hash, person, name, full_name, rank, is_me, phones, emails])?;
        }
    }
    Ok(())
}

fn of(card: &Contact) -> RowHash {
    let (emails, phones) = (lines(&card.emails), lines(&card.phones));
    let values = [
        ValueRef::Text(emails.as_bytes()),
        ValueRef::Integer(card.full_name.into()),
        ValueRef::Integer(card.is_me.into()),
        ValueRef::Text(card.name.as_bytes()),
        ValueRef::Text(card.person.as_bytes()),
        ValueRef::Text(phones.as_bytes()),
        ValueRef::Integer(card.rank.into()),
    ];
    hash(HASHED.into_iter().zip(values))
}

/// Addresses, one a line: none of them has two.
fn lines(addresses: &[String]) -> String {
    let lines: Vec<String> = addresses.iter().map(|address| address.replace(['\n', '\r'], " ")).collect();
    lines.join("\n")
}
