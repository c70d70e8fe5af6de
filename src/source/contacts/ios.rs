//! `AddressBook.sqlitedb` of iOS (`messages-format.md` 15.2).

use std::collections::{HashMap, HashSet};

use super::database::Database;
use super::{Card, Contact, Name, addresses};
use crate::source::SourceError;

/// `ABMultiValue.property`.
const PHONE: i64 = 3;
const EMAIL: i64 = 4;

/// Phone numbers and addresses by `ABPerson.ROWID`.
#[derive(Default)]
struct Values {
    phones: HashMap<i64, Vec<String>>,
    emails: HashMap<i64, Vec<String>>,
}

/// Adds the cards of a book; what was read before an error stays.
pub(super) fn read(database: &Database, book: usize, cards: &mut Vec<Card>) -> Result<(), SourceError> {
    let mut values = values(database)?;
    let mut own: HashSet<i64> = HashSet::new();
    database.rows("ABStore", ["MeIdentifier"], |row| own.extend(row.number(0)))?;
    let mut preferred: HashMap<i64, i64> = HashMap::new();
    database.rows("ABPersonLink", ["rowid", "PreferredNamePersonID"], |row| {
        if let (Some(link), Some(person)) = (row.number(0), row.number(1)) {
            preferred.insert(link, person);
        }
    })?;
    let columns = [
        "rowid",
        "First",
        "Middle",
        "Last",
        "Nickname",
        "Organization",
        "Kind",
        "DisplayName",
        "CompositeNameFallback",
        "PersonLink",
        "IsPreferredName",
    ];
    database.rows("ABPerson", columns, |row| {
        let Some(id) = row.number(0) else { return };
        let name = Name {
            first: row.owned(1),
            middle: row.owned(2),
            last: row.owned(3),
            nickname: row.owned(4),
            organization: row.owned(5),
            company: row.number(6) == Some(1),
        };
        let fallback = || row.owned(7).or_else(|| row.owned(8)).map(|name| (name, false));
        let Some((name, full_name)) = name.shown().or_else(fallback) else { return };
        let link = row.number(9).filter(|link| *link > 0);
        let chosen = link.and_then(|link| preferred.get(&link));
        let contact = Contact {
            person: match link {
                Some(link) => format!("{book} link {link}"),
                None => format!("{book} card {id}"),
            },
            name,
            full_name,
            rank: 0,
            is_me: own.contains(&id),
            phones: values.phones.remove(&id).unwrap_or_default(),
            emails: values.emails.remove(&id).unwrap_or_default(),
        };
        cards.push(Card {
            contact,
            preferred: chosen.map_or(row.number(10) == Some(1), |chosen| *chosen == id),
        });
    })
}

fn values(database: &Database) -> Result<Values, SourceError> {
    let mut values = Values::default();
    if database.has("ABMultiValue")? {
        database.rows("ABMultiValue", ["record_id", "property", "value"], |row| {
            let (Some(person), Some(value)) = (row.number(0), row.text(2)) else { return };
            match row.number(1) {
                Some(PHONE) => values.phones.entry(person).or_default().push(value.to_owned()),
                Some(EMAIL) => values.emails.entry(person).or_default().extend(addresses(value)),
                _ => {}
            }
        })?;
        return Ok(values);
    }
    // Damaged books: the words of the search index, whose columns are numbered differently in every version.
    let index = "ABPersonFullTextSearch_content";
    let columns = database.columns(index)?;
    let ending =
        |end: &str| columns.iter().find(|column| column.ends_with(end)).map_or("NULL", String::as_str);
    database.rows(index, ["docid", ending("phone"), ending("email")], |row| {
        let Some(person) = row.number(0) else { return };
        let numbers = row.text(1).unwrap_or_default().split_whitespace().map(str::to_owned);
        values.phones.entry(person).or_default().extend(numbers);
        values.emails.entry(person).or_default().extend(addresses(row.text(2).unwrap_or_default()));
    })?;
    Ok(values)
}
