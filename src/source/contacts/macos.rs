//! `AddressBook-v22.abcddb` of macOS: Core Data (`messages-format.md` 15.1).

use std::collections::{HashMap, HashSet};

use super::database::Database;
use super::{Card, Contact, Name, addresses};
use crate::source::SourceError;

/// The entities that are people; groups and containers lie in the same table.
const PEOPLE: [&str; 2] = ["ABCDContact", "ABCDSubscribedContact"];

/// Adds the cards of a book; what was read before an error stays.
pub(super) fn read(database: &Database, book: usize, cards: &mut Vec<Card>) -> Result<(), SourceError> {
    let mut entities: HashSet<i64> = HashSet::new();
    database.rows("Z_PRIMARYKEY", ["Z_ENT", "Z_NAME"], |row| {
        if row.text(1).is_some_and(|name| PEOPLE.contains(&name)) {
            entities.extend(row.number(0));
        }
    })?;
    let mut phones: HashMap<i64, Vec<String>> = HashMap::new();
    database.rows("ZABCDPHONENUMBER", ["ZOWNER", "ZFULLNUMBER"], |row| {
        if let (Some(owner), Some(number)) = (row.number(0), row.owned(1)) {
            phones.entry(owner).or_default().push(number);
        }
    })?;
    let mut emails: HashMap<i64, Vec<String>> = HashMap::new();
    database.rows("ZABCDEMAILADDRESS", ["ZOWNER", "ZADDRESS", "ZADDRESSNORMALIZED"], |row| {
        if let (Some(owner), Some(text)) = (row.number(0), row.text(1).or(row.text(2))) {
            emails.entry(owner).or_default().extend(addresses(text));
        }
    })?;
    let columns = [
        "Z_PK",
        "Z_ENT",
        "ZFIRSTNAME",
        "ZMIDDLENAME",
        "ZLASTNAME",
        "ZNICKNAME",
        "ZORGANIZATION",
        "ZDISPLAYFLAGS",
        "ZLINKID",
        "ZPREFERREDFORLINKNAME",
        "ZCONTAINERWHERECONTACTISME",
    ];
    database.rows("ZABCDRECORD", columns, |row| {
        let Some(key) = row.number(0) else { return };
        // A book without names of its entities: whoever has a number or an address is a person.
        let (phones, emails) = (phones.remove(&key), emails.remove(&key));
        let is_person = match row.number(1) {
            Some(entity) if !entities.is_empty() => entities.contains(&entity),
            _ => phones.is_some() || emails.is_some(),
        };
        let name = Name {
            first: row.owned(2),
            middle: row.owned(3),
            last: row.owned(4),
            nickname: row.owned(5),
            organization: row.owned(6),
            company: row.number(7).is_some_and(|flags| flags & 1 == 1),
        };
        let Some((name, full_name)) = name.shown().filter(|_| is_person) else { return };
        let person = match row.text(8) {
            // A UUID links cards of all books; anything shorter could only mean something in its own.
            Some(link) if link.len() >= 32 => format!("link {link}"),
            Some(link) => format!("{book} link {link}"),
            None => format!("{book} card {key}"),
        };
        let contact = Contact {
            person,
            name,
            full_name,
            rank: 0,
            is_me: row.text(10).is_some(),
            phones: phones.unwrap_or_default(),
            emails: emails.unwrap_or_default(),
        };
        cards.push(Card { contact, preferred: row.number(9).is_some_and(|flag| flag != 0) });
    })
}
