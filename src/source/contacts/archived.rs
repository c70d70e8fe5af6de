//! The cards that an archive keeps of the address books of its sources.

use std::collections::HashSet;

use rusqlite::Connection;

use super::Contact;
use crate::source::contacts_of_several;
use crate::source::tables::text;

/// Where they are.
pub const CARDS: &str = "msgarchive_contact";

/// The cards of an archive; nothing where it keeps none.
///
/// Cards that were changed or removed since name whom no other card names.
///
/// # Errors
/// What SQLite says.
pub fn cards(connection: &Connection) -> rusqlite::Result<Vec<Contact>> {
    let there = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";
    if !connection.query_row(there, [CARDS], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let mut books: Vec<(i64, Vec<Contact>)> = Vec::new();
    let mut former = Vec::new();
    let mut statement = connection.prepare(&format!(
        "SELECT source, until, person, name, full_name, rank, is_me, phones, emails, rowid FROM {CARDS} \
         ORDER BY source, until IS NOT NULL, until DESC, rowid"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let said = |at| row.get_ref(at).map(|value| text(value).unwrap_or_default());
        let lines = |at| said(at).map(|text| text.lines().map(str::to_owned).collect());
        let card = Contact {
            person: said(2)?,
            name: said(3)?,
            full_name: row.get(4)?,
            rank: row.get(5)?,
            is_me: row.get(6)?,
            phones: lines(7)?,
            emails: lines(8)?,
        };
        let source = row.get(0)?;
        match (row.get::<_, Option<i64>>(1)?, books.last_mut()) {
            (Some(_), _) => former.push((row.get::<_, i64>(9)?, card)),
            (None, Some((of, book))) if *of == source => book.push(card),
            (None, _) => books.push((source, vec![card])),
        }
    }
    let mut cards = contacts_of_several(books.into_iter().map(|(_, book)| book).collect());
    let mut phones: HashSet<String> = cards.iter().flat_map(|card| card.phones.iter().cloned()).collect();
    let mut emails: HashSet<String> = cards.iter().flat_map(|card| card.emails.iter().cloned()).collect();
    for (number, mut card) in former {
        card.phones.retain(|phone| !phones.contains(phone));
        card.emails.retain(|email| !emails.contains(email));
        if !card.phones.is_empty() || !card.emails.is_empty() {
            phones.extend(card.phones.iter().cloned());
            emails.extend(card.emails.iter().cloned());
            card.person = format!("former {number}");
            cards.push(card);
        }
    }
    Ok(cards)
}
